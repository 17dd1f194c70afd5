//! An earlier wording of a pitch. The server keeps one whenever the wording changes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::id::{PitchId, PitchVersionId};
use super::invalid::Invalid;
use super::pitch::{Pitch, PitchFields};
use super::record::{Fields, Stored};

/// How many earlier wordings of a pitch are kept, the newest.
pub const MAX_PER_PITCH: i32 = 200;

/// What a pitch said before. `created_at` is when another wording took its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PitchVersionFields {
    /// The pitch.
    #[schema(read_only)]
    pub pitch_id: PitchId,
    /// The number of the wording, from 1, oldest first.
    #[schema(read_only, minimum = 1, example = 3)]
    pub number: i32,
    /// The first sentence.
    #[schema(read_only)]
    pub hook: Option<String>,
    /// The pitch itself.
    #[schema(read_only, example = "I build the software that gets them right.")]
    pub body: String,
    /// What you ask of them at the end.
    #[schema(read_only)]
    pub call_to_action: Option<String>,
    /// The language, as a BCP 47 tag. Null: not known.
    #[schema(read_only, example = "en")]
    pub language: Option<String>,
    /// How long it takes to be spoken, in seconds.
    #[schema(read_only, minimum = 0, example = 28)]
    pub spoken_seconds: i32,
}

/// An earlier wording of a pitch.
pub type PitchVersion = Stored<PitchVersionFields>;

impl PitchVersionFields {
    /// What a pitch says.
    pub fn of(pitch: &Pitch, number: i32) -> Self {
        let PitchFields { hook, body, call_to_action, language, spoken_seconds, .. } = pitch.fields.clone();
        Self { pitch_id: pitch.id, number, hook, body, call_to_action, language, spoken_seconds }
    }

    /// The pitch with this wording.
    pub fn put_into(&self, pitch: &PitchFields) -> PitchFields {
        let Self { pitch_id: _, number: _, hook, body, call_to_action, language, spoken_seconds } = self.clone();
        PitchFields { hook, body, call_to_action, language, spoken_seconds, ..pitch.clone() }
    }
}

impl Fields for PitchVersionFields {
    const ENTITY: Entity = Entity::PitchVersion;
    const DESCRIPTION: &'static str = "An earlier wording of a pitch.";
    type Id = PitchVersionId;

    /// All of it is the server's.
    fn check(self, _id: PitchVersionId, before: Option<&Self>) -> Result<Self, Invalid> {
        Ok(before.cloned().unwrap_or(self))
    }
}
