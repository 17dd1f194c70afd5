//! The rules of tags.

use super::records::merge::Mergeable;
use super::records::rules::Rules;
use crate::domain::tag::{MAX_PER_WORKSPACE, Tag, TagFields};
use crate::domain::timestamp::Timestamp;
use crate::store::checks::check_room;
use crate::store::{Predicate, Result, Tx};

impl Rules for Tag {
    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, _now: Timestamp) -> Result<()> {
        match before {
            None => check_room::<Self>(tx, Predicate::always(), MAX_PER_WORKSPACE, "/name", "tags"),
            Some(_) => Ok(()),
        }
    }
}

impl Mergeable for Tag {
    fn merged_with(&self, others: &[Self]) -> TagFields {
        self.merged_with(others)
    }
}
