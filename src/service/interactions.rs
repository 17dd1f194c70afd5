//! The rules of interactions: their time and status, and that somebody who answered is known.

use super::records::rules::Rules;
use super::records::transitions::{check_transition, clear_reason};
use super::records::write::update;
use crate::domain::contact::{Contact, ContactFields};
use crate::domain::interaction::{Interaction, InteractionDirection, InteractionFields};
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::time_zone;
use crate::store::{AnyId, Result, Tx, records};

impl Rules for Interaction {
    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let moved = check_transition(self, before.map(|before| before.fields.status), self.fields.status)?;
        let old_reason = before.and_then(|before| before.fields.status_reason.as_deref());
        clear_reason(moved, old_reason, &mut self.fields.status_reason);
        let when = |fields: &InteractionFields| (fields.status, fields.occurred_at, fields.occurred_on.clone());
        if before.is_none_or(|before| when(&before.fields) != when(&self.fields)) {
            let zone = time_zone(tx)?;
            self.fields = self.fields.clone().check_time(now, zone)?;
        }
        Ok(())
    }

    /// Whoever takes part in an interaction that counts is somebody you know, unless only you reached out.
    fn after_write(&self, tx: &mut Tx<'_>, before: Option<&Self>, _now: Timestamp) -> Result<()> {
        let is_known_by =
            |fields: &InteractionFields| fields.is_counted() && fields.direction != InteractionDirection::Outbound;
        if !is_known_by(&self.fields) {
            return Ok(());
        }
        let already = before.map(|before| &before.fields).filter(|before| is_known_by(before));
        let is_new = |id| already.is_none_or(|before| !before.contact_ids.contains(id));
        for id in self.fields.contact_ids.iter().filter(|id| is_new(id)) {
            let contact = records::find::<Contact>(tx, AnyId::new(id.uuid()))?;
            if let Some(contact) = contact.filter(|contact| !contact.fields.known) {
                let fields = ContactFields { known: true, ..contact.fields.clone() };
                update(tx, &contact, contact.with(fields)?)?;
            }
        }
        Ok(())
    }
}
