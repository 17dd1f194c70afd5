//! The rules of organizations.

use uuid::Uuid;

use super::records::merge::Mergeable;
use super::records::rules::Rules;
use crate::domain::id::OrganizationId;
use crate::domain::invalid::Invalid;
use crate::domain::organization::{Organization, OrganizationFields};
use crate::domain::timestamp::Timestamp;
use crate::store::organizations::check_parents;
use crate::store::{Result, Tx};

impl Rules for Organization {
    type Fields = OrganizationFields;

    fn new(id: Uuid, now: Timestamp, fields: OrganizationFields) -> std::result::Result<Self, Invalid> {
        Self::new(OrganizationId::new(id), now, fields)
    }

    fn with(&self, fields: OrganizationFields) -> std::result::Result<Self, Invalid> {
        self.with(fields)
    }

    fn fields(&self) -> &OrganizationFields {
        &self.fields
    }

    fn before_write(&mut self, tx: &mut Tx<'_>, _before: Option<&Self>, _now: Timestamp) -> Result<()> {
        check_parents(tx, self)
    }
}

impl Mergeable for Organization {
    fn merged_with(&self, others: &[Self]) -> OrganizationFields {
        self.merged_with(others)
    }
}
