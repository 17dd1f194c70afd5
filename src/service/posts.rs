//! The rules of posts: their states, and that each has the dates of its state.

use super::records::rules::Rules;
use super::records::transitions::{check_transition, clear_reason};
use crate::domain::post::Post;
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::time_zone;
use crate::store::{Result, Tx};

impl Rules for Post {
    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let before = before.map(|before| &before.fields);
        let moved = check_transition(self, before.map(|before| before.status), self.fields.status)?;
        let fields = &mut self.fields;
        clear_reason(moved, before.and_then(|before| before.status_reason.as_deref()), &mut fields.status_reason);
        fields.check_dates(before, now)?;
        if before.is_none_or(|before| before.metrics != fields.metrics) {
            let today = time_zone(tx)?.day(now);
            fields.check_metrics(today)?;
        }
        Ok(())
    }
}
