//! The rules of interactions: their time and status, and that somebody who answered is known.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

use super::contacts::become_known;
use super::records::rules::Rules;
use super::records::transitions::{check_transition, clear_reason};
use super::records::write::{Create, Parent};
use crate::domain::contact::HowMet;
use crate::domain::entity::Entity;
use crate::domain::id::ContactId;
use crate::domain::interaction::{Interaction, InteractionDirection, InteractionFields, InteractionKind};
use crate::domain::invalid::Invalid;
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::time_zone;
use crate::store::{AnyId, FailedAt, Result, Tx, records};

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
    fn after_write_all(
        tx: &mut Tx<'_>,
        written: &[(Option<&Self>, &Self)],
        _now: Timestamp,
    ) -> std::result::Result<(), FailedAt> {
        let participants: BTreeSet<ContactId> =
            written.iter().flat_map(|(before, after)| new_participants(*before, after)).collect();
        if participants.is_empty() {
            return Ok(());
        }
        let people: Vec<(ContactId, Option<HowMet>)> = participants.into_iter().map(|id| (id, None)).collect();
        // What is wrong with a contact concerns no interaction in particular.
        Ok(become_known(tx, people)?)
    }
}

/// Those who take part in an interaction that shows that you know them, and did not before.
fn new_participants(before: Option<&Interaction>, after: &Interaction) -> Vec<ContactId> {
    let participants = |interaction: &Interaction| -> Vec<ContactId> {
        let fields = &interaction.fields;
        let shows_it = fields.is_counted() && fields.direction != InteractionDirection::Outbound;
        if shows_it { fields.contact_ids.clone() } else { Vec::new() }
    };
    let already = before.map(participants).unwrap_or_default();
    participants(after).into_iter().filter(|id| !already.contains(id)).collect()
}

/// An interaction with one contact, logged in one call.
pub struct Touch {
    create: Create<Interaction>,
    contact: AnyId,
    /// The id that the client chose.
    chosen: Option<AnyId>,
}

impl Touch {
    /// What is not said is a message that was exchanged now. `id` is used unless the client chose one.
    pub fn check(
        mut input: Value,
        contact: AnyId,
        id: Uuid,
        now: Timestamp,
    ) -> std::result::Result<Self, Invalid> {
        let chosen = input.get("id").and_then(Value::as_str).and_then(|id| Uuid::try_parse(id).ok());
        if let Some(fields) = input.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
            fields.entry("kind").or_insert_with(|| json!(InteractionKind::Message));
            if !fields.contains_key("occurred_on") {
                fields.entry("occurred_at").or_insert_with(|| json!(now));
            }
        }
        let parent = Parent { entity: Entity::Contact, id: contact, field: "contact_ids", is_list: true };
        let create = Create::check(input, Some(parent), id, now)?;
        Ok(Self { create, contact, chosen: chosen.map(AnyId::new) })
    }

    /// The interaction, and whether it was created. One of the chosen id with the contact is what was logged before.
    pub fn write(self, tx: &mut Tx<'_>) -> Result<(Interaction, bool)> {
        if let Some(chosen) = self.chosen
            && let Some(known) = records::find::<Interaction>(tx, chosen)?
            && known.fields.contact_ids.iter().any(|id| id.uuid() == self.contact.uuid())
        {
            return Ok((known, false));
        }
        Ok((self.create.write(tx)?, true))
    }
}
