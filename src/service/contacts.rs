//! The rules of contacts.

use super::records::merge::Mergeable;
use super::records::rules::Rules;
use crate::domain::contact::{Contact, ContactFields};

impl Rules for Contact {}

impl Mergeable for Contact {
    fn merged_with(&self, others: &[Self]) -> ContactFields {
        self.merged_with(others)
    }
}
