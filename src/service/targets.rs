//! The rules of targets: their stage, the person that a name stands for, and that nobody is a target of a goal twice.

use super::contacts::create_to_meet;
use super::records::rules::Rules;
use super::records::transitions::{check_transition, clear_reason};
use crate::domain::invalid::{FieldCode, Invalid};
use crate::domain::target::{Target, TargetFields};
use crate::domain::timestamp::Timestamp;
use crate::store::targets::same_as;
use crate::store::{Result, Tx};

impl Rules for Target {
    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let before = before.map(|before| &before.fields);
        let moved = check_transition(self, before.map(|before| before.stage), self.fields.stage)?;
        let fields = &mut self.fields;
        clear_reason(moved, before.and_then(|before| before.status_reason.as_deref()), &mut fields.status_reason);
        let kept = before.and_then(|before| before.stage_changed_at);
        let stamped = moved.stamp_change("stage_changed_at", kept, fields.stage_changed_at, now);
        fields.stage_changed_at = stamped.map_err(|rejection| rejection.at("#/stage_changed_at"))?;
        // It was connected with when it came to the stage.
        let kept = before.and_then(|before| before.connected_at);
        let came = fields.stage_changed_at.unwrap_or(now);
        let connected = moved.stamp("connected_at", kept, None, came);
        fields.connected_at = connected.map_err(|rejection| rejection.at("#/connected_at"))?;
        if let Some(name) = fields.name.take() {
            fields.contact_id = Some(create_to_meet(tx, name, now)?);
        }
        let subject = |fields: &TargetFields| (fields.goal_id, fields.contact_id, fields.organization_id);
        if before.is_none_or(|before| subject(before) != subject(fields)) && same_as(tx, self)?.is_some() {
            let at = if self.fields.contact_id.is_some() { "#/contact_id" } else { "#/organization_id" };
            let detail = "The goal has this target already.";
            return Err(Invalid::one(at, FieldCode::NotAllowed, detail).into());
        }
        Ok(())
    }
}
