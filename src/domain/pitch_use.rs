//! When a pitch was used, to whom, and how it landed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::check_day;
use super::id::{ContactId, EventId, PitchId, PitchUseId};
use super::invalid::Invalid;
use super::record::{Fields, Stored};

/// How many uses a pitch may have.
pub const MAX_PER_PITCH: i64 = 10_000;

/// What can be entered about a use of a pitch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PitchUseFields {
    /// The pitch.
    pub pitch_id: PitchId,
    /// The day on which it was used, in the time zone of the workspace; not in the future.
    #[serde(rename = "on")]
    #[schema(rename = "on", value_type = String, format = Date, example = "2026-03-02")]
    pub used_on: String,
    /// The contact it was used with. Null: nobody in particular.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub contact_id: Option<ContactId>,
    /// The event where it was used. Null: none.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub event_id: Option<EventId>,
    /// How it landed, from 1 to 5 (best). Null: not rated.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 5, example = 4)]
    pub landed: Option<i32>,
    /// What they said.
    #[serde(default)]
    #[schema(max_length = 5000, example = "Asked for numbers.")]
    pub note: Option<String>,
}

/// One time a pitch was used.
pub type PitchUse = Stored<PitchUseFields>;

impl Fields for PitchUseFields {
    const ENTITY: Entity = Entity::PitchUse;
    const DESCRIPTION: &'static str = "One time a pitch was used.";
    type Id = PitchUseId;

    fn check(mut self, _id: PitchUseId, _before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        check_day(&["on"], Some(&self.used_on), &mut invalid);
        self.note = self.note.filter(|note| !note.trim().is_empty());
        invalid.into_result(self)
    }
}
