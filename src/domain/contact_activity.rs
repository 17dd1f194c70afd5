//! When somebody was last in touch and when they are to be again: computed from interactions and the contact's cadence,
//! never entered. How it is computed from what is stored is told in the store.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cadence::NextContact;
use super::entity::Entity;
use super::fields::parse_day;
use super::id::{ContactActivityId, ContactId};
use super::invalid::Invalid;
use super::record::{Fields, Stored};

/// What follows from the interactions with a contact and from its cadence. There is none while there is nothing to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactActivityFields {
    /// The contact.
    pub contact_id: ContactId,
    /// The day of the last interaction that counts, in the workspace's time zone. Null: there is none.
    #[schema(value_type = Option<String>, format = Date, example = "2026-02-27")]
    pub last_interaction_on: Option<String>,
    /// The number of interactions that happened, whether or not they count.
    #[schema(minimum = 0, example = 12)]
    pub interaction_count: i64,
    /// The day on which to be in touch again. Null: the contact has no cadence, is archived, is a person you want to
    /// meet, is not to be contacted, or is yourself.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, example = "2026-05-28")]
    pub next_contact_on: Option<String>,
    /// The length of the interval that ends then, in days; a pause does not count. Null: as `next_contact_on`.
    #[serde(default)]
    #[schema(minimum = 1, example = 90)]
    pub interval_days: Option<i64>,
}

/// When somebody was last in touch, and when they are to be again. Read-only; its id is that of the contact.
pub type ContactActivity = Stored<ContactActivityFields>;

impl ContactActivityFields {
    /// `next_contact_on` as the number of days since 1970.
    pub fn due_day(&self) -> Option<i64> {
        let due_on = parse_day(self.next_contact_on.as_deref()?).ok()?;
        Some(day_number(due_on))
    }

    /// The first day on which it is due soon, as the number of days since 1970.
    pub fn soon_day(&self) -> Option<i64> {
        Some(self.due_day()? - NextContact::soon_days(self.interval_days?))
    }
}

/// The number of days since 1970.
pub fn day_number(day: NaiveDate) -> i64 {
    (day - NaiveDate::default()).num_days()
}

impl Fields for ContactActivityFields {
    const ENTITY: Entity = Entity::ContactActivity;
    const DESCRIPTION: &'static str = "When somebody was last in touch, and when they are to be again. Read-only; its id is that of the contact.";
    type Id = ContactActivityId;

    fn check(self, _id: ContactActivityId, _before: Option<&Self>) -> Result<Self, Invalid> {
        Ok(self)
    }
}
