//! How the networker introduces themselves: a pitch, its earlier wordings, and how it went when it was used.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::{clean, single_line};
use super::id::{GoalId, PitchId};
use super::invalid::{Invalid, Rejection};
use super::locale::Locale;
use super::record::{Fields, Stored};
use super::search::SearchText;
use super::text::spoken_seconds;

/// What can be entered about a pitch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PitchFields {
    /// What it is called, in one line.
    #[schema(required = true, min_length = 1, max_length = 300, example = "Product for climate, 30 seconds")]
    pub title: String,
    /// Whom it is for.
    #[schema(max_length = 300, example = "Founders at meetups")]
    pub audience: Option<String>,
    /// The goal that it serves. Null: none.
    #[schema(example = json!(null))]
    pub goal_id: Option<GoalId>,
    /// The first sentence, which makes them listen.
    #[schema(max_length = 1000, example = "Half of all heat pumps are installed wrong.")]
    pub hook: Option<String>,
    /// The pitch itself.
    #[schema(
        required = true,
        min_length = 1,
        max_length = 20000,
        example = "I build the software that gets them right."
    )]
    pub body: String,
    /// What you ask of them at the end.
    #[schema(max_length = 1000, example = "Whom should I talk to about pilots?")]
    pub call_to_action: Option<String>,
    /// The language, as a BCP 47 tag. Null: not known.
    #[schema(max_length = 35, example = "en")]
    pub language: Option<String>,
    /// How long it should take, in seconds. Null: any time.
    #[schema(minimum = 1, maximum = 7200, example = 30)]
    pub target_seconds: Option<i32>,
    /// How long `hook`, `body` and `call_to_action` take to be spoken, in seconds: at 150 words a minute, or, in scripts
    /// without spaces between words, 300 characters of Chinese, Japanese or Korean and 600 letters of Thai, Lao, Khmer or
    /// Burmese.
    #[schema(read_only, minimum = 0, example = 28)]
    pub spoken_seconds: i32,
}

/// A way to introduce yourself.
pub type Pitch = Stored<PitchFields>;

impl PitchFields {
    /// What is spoken, in its order.
    pub fn spoken(&self) -> [Option<&str>; 3] {
        [self.hook.as_deref(), Some(self.body.as_str()), self.call_to_action.as_deref()]
    }

    /// Whether both say the same.
    pub fn has_wording_of(&self, other: &Self) -> bool {
        self.spoken() == other.spoken() && self.language == other.language
    }
}

impl Pitch {
    /// What it is found by when somebody types.
    pub fn search_text(&self) -> SearchText {
        let PitchFields { title, audience, .. } = &self.fields;
        let all = [Some(title.as_str()), audience.as_deref()].into_iter().chain(self.fields.spoken());
        SearchText { title: title.clone(), text: all.flatten().collect::<Vec<_>>().join("\n") }
    }
}

impl Fields for PitchFields {
    const ENTITY: Entity = Entity::Pitch;
    const DESCRIPTION: &'static str = "A way to introduce yourself.";
    const COMPUTED: &'static [&'static str] = &["spoken_seconds"];
    type Id = PitchId;

    fn check(mut self, _id: PitchId, _before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        self.title = single_line(&self.title);
        for (at, text) in [("#/title", &self.title), ("#/body", &self.body)] {
            if text.trim().is_empty() {
                invalid.add(at, Rejection::blank());
            }
        }
        clean(&mut self.audience);
        for text in [&mut self.hook, &mut self.call_to_action] {
            *text = text.take().filter(|text| !text.trim().is_empty());
        }
        if let Some(language) = &self.language
            && let Some(language) = invalid.check("#/language", Locale::parse(language))
        {
            self.language = Some(language.as_str().to_owned());
        }
        self.spoken_seconds = spoken_seconds(&self.spoken().into_iter().flatten().collect::<Vec<_>>().join("\n"));
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spoken_is_timed_and_compared() {
        let fields = |hook: Option<&str>, title: &str| PitchFields {
            title: title.to_owned(),
            hook: hook.map(str::to_owned),
            body: "word ".repeat(50),
            ..PitchFields::default()
        };
        let checked = |fields: PitchFields| fields.check(PitchId::new(uuid::Uuid::nil()), None).unwrap();
        let (plain, hooked) = (checked(fields(None, "A")), checked(fields(Some("five words are not many"), "A")));
        assert_eq!((plain.spoken_seconds, hooked.spoken_seconds), (20, 22));
        assert!(!plain.has_wording_of(&hooked));
        assert!(plain.has_wording_of(&checked(fields(Some("  "), "B"))), "a title is not spoken");
    }
}
