//! When somebody was last in touch, and how often: computed from interactions, never entered. How it is computed from what
//! is stored is told in the store.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::id::{ContactActivityId, ContactId};
use super::invalid::Invalid;
use super::record::{Fields, Stored};

/// What follows from the interactions with a contact. There is none while there is nothing to tell.
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
}

/// When somebody was last in touch, and how often. Read-only; its id is that of the contact.
pub type ContactActivity = Stored<ContactActivityFields>;

impl Fields for ContactActivityFields {
    const ENTITY: Entity = Entity::ContactActivity;
    const DESCRIPTION: &'static str =
        "When somebody was last in touch, and how often. Read-only; its id is that of the contact.";
    type Id = ContactActivityId;

    fn check(self, _id: ContactActivityId, _before: Option<&Self>) -> Result<Self, Invalid> {
        Ok(self)
    }
}
