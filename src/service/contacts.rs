//! The rules of contacts.

use uuid::Uuid;

use super::records::merge::Mergeable;
use super::records::rules::Rules;
use crate::domain::contact::{Contact, ContactFields};
use crate::domain::id::ContactId;
use crate::domain::invalid::Invalid;
use crate::domain::timestamp::Timestamp;

impl Rules for Contact {
    type Fields = ContactFields;
    const COMPUTED: &'static [&'static str] = &["is_self", "name", "sort_name"];

    fn new(id: Uuid, now: Timestamp, fields: ContactFields) -> Result<Self, Invalid> {
        Self::new(ContactId::new(id), false, now, fields)
    }

    fn with(&self, fields: ContactFields) -> Result<Self, Invalid> {
        self.with(fields)
    }

    fn fields(&self) -> &ContactFields {
        &self.fields
    }
}

impl Mergeable for Contact {
    fn merged_with(&self, others: &[Self]) -> ContactFields {
        self.merged_with(others)
    }
}
