//! A value of a key result that is measured by hand, on a day.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::{check_day, rounded, serialize_number};
use super::id::{CheckInId, KeyResultId};
use super::invalid::Invalid;
use super::record::{Fields, Stored};

/// How many check-ins a key result may have.
pub const MAX_PER_KEY_RESULT: i64 = 10_000;

/// What can be entered about a check-in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckInFields {
    /// The key result, whose metric is `manual`.
    pub key_result_id: KeyResultId,
    /// The day of the value, in the time zone of the workspace; not in the future. Of several on a day, the one that was
    /// created last counts.
    #[serde(rename = "on")]
    #[schema(rename = "on", value_type = String, format = Date, example = "2026-03-02")]
    pub checked_on: String,
    /// The value on that day, with at most three decimals.
    #[serde(serialize_with = "serialize_number")]
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64, example = 4)]
    pub value: f64,
    /// A note.
    #[serde(default)]
    #[schema(max_length = 5000, example = "Two more after the meetup.")]
    pub note: Option<String>,
}

/// A value of a key result on a day.
pub type CheckIn = Stored<CheckInFields>;

impl Fields for CheckInFields {
    const ENTITY: Entity = Entity::CheckIn;
    const DESCRIPTION: &'static str = "A value of a key result on a day.";
    type Id = CheckInId;

    fn check(mut self, _id: CheckInId, _before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        check_day(&["on"], Some(&self.checked_on), &mut invalid);
        self.value = rounded(self.value);
        self.note = self.note.filter(|note| !note.trim().is_empty());
        invalid.into_result(self)
    }
}
