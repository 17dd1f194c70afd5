//! The rules of plans.

use super::records::rules::Rules;
use crate::domain::follow_up_plan::{FollowUpPlan, MAX_PER_WORKSPACE};
use crate::domain::timestamp::Timestamp;
use crate::store::{Predicate, Result, Tx, checks};

impl Rules for FollowUpPlan {
    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, _now: Timestamp) -> Result<()> {
        if before.is_some() {
            return Ok(());
        }
        checks::check_room::<Self>(tx, Predicate::always(), MAX_PER_WORKSPACE, "", "follow-up plans")
    }
}
