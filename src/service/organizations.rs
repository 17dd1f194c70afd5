//! The rules of organizations.

use super::records::merge::Mergeable;
use super::records::rules::Rules;
use crate::domain::organization::{Organization, OrganizationFields};
use crate::domain::timestamp::Timestamp;
use crate::store::organizations::check_parents;
use crate::store::{Result, Tx};

impl Rules for Organization {
    fn before_write(&mut self, tx: &mut Tx<'_>, _before: Option<&Self>, _now: Timestamp) -> Result<()> {
        check_parents(tx, self)
    }
}

impl Mergeable for Organization {
    fn merged_with(&self, others: &[Self]) -> OrganizationFields {
        self.merged_with(others)
    }
}
