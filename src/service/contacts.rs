//! The rules of contacts.

use chrono::NaiveDate;

use super::records::merge::Mergeable;
use super::records::rules::Rules;
use crate::domain::cadence::{BEGUN_ON_ONE_DAY, TierCadences, spread_start};
use crate::domain::contact::{Contact, ContactFields};
use crate::domain::entity::Entity;
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::{Calendar, calendar_of};
use crate::store::{Record, Result, Tx, records};

impl Rules for Contact {
    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let nothing = ContactFields::default();
        if !self.fields.begins_cadence(before.map_or(&nothing, |before| &before.fields)) {
            return Ok(());
        }
        let Calendar { zone, tiers } = calendar_of(tx)?;
        let today = zone.day(now);
        self.fields.cadence_since = match self.fields.interval(&tiers) {
            None => None,
            Some(interval) => {
                let count = tx.note_stamped((Entity::Contact, Record::id(self)));
                let since = match count > BEGUN_ON_ONE_DAY {
                    true => spread_start(interval, self.id, today),
                    false => today,
                };
                // With the first one too many, those before it are spread as well.
                if count == BEGUN_ON_ONE_DAY + 1 {
                    for (_, id) in tx.stamped().into_iter().filter(|(_, id)| *id != Record::id(self)) {
                        if let Some(contact) = records::find::<Self>(tx, id)? {
                            spread(tx, &contact, &tiers, today)?;
                        }
                    }
                }
                Some(since.to_string())
            }
        };
        Ok(())
    }
}

/// Back-dates the cadence of a contact that begins today with many others.
fn spread(tx: &mut Tx<'_>, contact: &Contact, tiers: &TierCadences, today: NaiveDate) -> Result<()> {
    let Some(interval) = contact.fields.interval(tiers) else { return Ok(()) };
    let mut spread = contact.clone();
    spread.fields.cadence_since = Some(spread_start(interval, contact.id, today).to_string());
    records::update(tx, contact, spread).map(drop)
}

impl Mergeable for Contact {
    fn merged_with(&self, others: &[Self]) -> ContactFields {
        self.merged_with(others)
    }
}
