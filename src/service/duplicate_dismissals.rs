//! The rules of dismissals of duplicates.

use super::records::rules::Rules;
use crate::domain::duplicate_dismissal::DuplicateDismissal;
use crate::domain::timestamp::Timestamp;
use crate::store::duplicate_dismissals::check_is_not_dismissed;
use crate::store::{Result, Tx};

impl Rules for DuplicateDismissal {
    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, _now: Timestamp) -> Result<()> {
        if before.is_some_and(|before| before.fields == self.fields) {
            return Ok(());
        }
        check_is_not_dismissed(tx, self)
    }
}
