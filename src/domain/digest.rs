//! The digest of a day, as it is mailed: what there is to do, in sentences.

use chrono::NaiveDate;

/// What a day asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    pub on: NaiveDate,
    pub sections: Vec<DigestSection>,
}

/// One part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestSection {
    pub title: &'static str,
    /// The first of them, a sentence each.
    pub lines: Vec<String>,
    /// How many there are in all.
    pub total: i64,
}

impl DigestSection {
    /// How many there are beside those of `lines`.
    pub fn more(&self) -> i64 {
        self.total.saturating_sub(i64::try_from(self.lines.len()).unwrap_or(i64::MAX)).max(0)
    }
}

impl Digest {
    /// Without the sections in which there is nothing.
    pub fn new(on: NaiveDate, sections: impl IntoIterator<Item = DigestSection>) -> Self {
        Self { on, sections: sections.into_iter().filter(|section| !section.lines.is_empty()).collect() }
    }
}
