//! The rules of dismissals of duplicates.

use uuid::Uuid;

use super::records::rules::Rules;
use crate::domain::duplicate_dismissal::{DuplicateDismissal, DuplicateDismissalFields};
use crate::domain::id::DuplicateDismissalId;
use crate::domain::invalid::Invalid;
use crate::domain::timestamp::Timestamp;
use crate::store::duplicate_dismissals::check_is_not_dismissed;
use crate::store::{Result, Tx};

impl Rules for DuplicateDismissal {
    type Fields = DuplicateDismissalFields;

    fn new(id: Uuid, now: Timestamp, fields: DuplicateDismissalFields) -> std::result::Result<Self, Invalid> {
        Self::new(DuplicateDismissalId::new(id), now, fields)
    }

    fn with(&self, fields: DuplicateDismissalFields) -> std::result::Result<Self, Invalid> {
        self.with(fields)
    }

    fn fields(&self) -> &DuplicateDismissalFields {
        &self.fields
    }

    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, _now: Timestamp) -> Result<()> {
        if before.is_some_and(|before| before.fields == self.fields) {
            return Ok(());
        }
        check_is_not_dismissed(tx, self)
    }
}
