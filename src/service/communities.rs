//! The rules of communities: their states, and the day of joining.

use super::records::rules::Rules;
use super::records::transitions::{check_transition, clear_reason};
use crate::domain::community::{Community, CommunityFields};
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::time_zone;
use crate::store::{Result, Tx};

impl Rules for Community {
    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let before = before.map(|before| &before.fields);
        let moved = check_transition(self, before.map(|before| before.status), self.fields.status)?;
        let fields = &mut self.fields;
        clear_reason(moved, before.and_then(|before| before.status_reason.as_deref()), &mut fields.status_reason);
        let dates = |own: &CommunityFields| (own.status, own.joined_on.clone());
        if before.is_none_or(|before| dates(before) != dates(fields)) {
            let today = time_zone(tx)?.day(now);
            fields.stamp_joined(before, moved, today)?;
        }
        Ok(())
    }
}
