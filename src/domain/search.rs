//! The text of a record that is searched. How it is indexed is not known here.

/// The searchable text of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText {
    /// The display name; results are ordered by it.
    pub title: String,
    /// All searchable text, including the title.
    pub text: String,
}
