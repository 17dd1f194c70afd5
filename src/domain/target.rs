//! Whom to reach for a goal: a person or an organization, why, and how far it has come.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::{check_day, check_url, clean, default_priority, drop_blank, is_input_only};
use super::id::{ContactId, GoalId, OrganizationId, TargetId};
use super::invalid::{FieldCode, Invalid, Rejection};
use super::merging::{check_joined_text, join_texts};
use super::record::{Fields, Stored};
use super::state_machine::{State, Status};
use super::timestamp::Timestamp;
use super::words::enumeration;

/// How many targets a goal may have.
pub const MAX_PER_GOAL: i64 = 2_000;

/// How many goals a contact or an organization may be a target of.
pub const MAX_PER_SUBJECT: i64 = 1_000;

/// How long a text of one may be.
const MAX_TEXT_CHARACTERS: usize = 5_000;

/// What can be entered about a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetFields {
    /// The goal.
    pub goal_id: GoalId,
    /// The contact to reach. A target names a contact or an organization; each can be a target of a goal once.
    #[serde(default)]
    pub contact_id: Option<ContactId>,
    /// The organization to reach.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub organization_id: Option<OrganizationId>,
    /// The name of somebody who is not a contact yet, instead of `contact_id`. A contact of this name with `known: false` is
    /// created in the same write; that requires the scope contacts:write. Only when the target is created.
    #[serde(default, skip_serializing_if = "is_input_only")]
    #[schema(write_only, max_length = 400, example = "Dorota Kozłowicz")]
    pub name: Option<String>,
    /// The priority, from 1 to 5 (highest).
    #[serde(default = "default_priority")]
    #[schema(minimum = 1, maximum = 5, default = 3, example = 4)]
    pub priority: i32,
    /// Why they matter for the goal.
    #[serde(default)]
    #[schema(max_length = 5000, example = "She hires for the team I want to join.")]
    pub why: Option<String>,
    /// What to ask of them.
    #[serde(default)]
    #[schema(max_length = 5000, example = "Twenty minutes on how they choose products.")]
    pub ask: Option<String>,
    /// What to offer them.
    #[serde(default)]
    #[schema(max_length = 5000)]
    pub offer: Option<String>,
    /// The opening they have, such as a job. Null: none.
    #[serde(default)]
    pub opening: Option<TargetOpening>,
    /// How far it has come.
    #[serde(default)]
    #[schema(default = "identified")]
    pub stage: TargetStage,
    /// Why it is at this stage, such as why they declined. A transition clears it unless the request sends another one.
    #[serde(default)]
    #[schema(max_length = 500, example = "They are not hiring this year.")]
    pub status_reason: Option<String>,
    /// When it came to this stage. The request that changes the stage can send the time, which cannot be in the future;
    /// otherwise it is set by the server.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub stage_changed_at: Option<Timestamp>,
    /// When you first connected. Null: not yet, or the target was moved back to an earlier stage.
    #[serde(default)]
    #[schema(read_only, example = json!(null))]
    pub connected_at: Option<Timestamp>,
}

/// An opening at a target, such as a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct TargetOpening {
    /// What it is.
    #[schema(required = true, min_length = 1, max_length = 300, example = "Senior Product Manager")]
    pub title: String,
    /// The URL of its page; http and https only.
    #[schema(max_length = 2048, pattern = "^\\s*\\S*\\s*$", example = "https://jobs.example.com/42")]
    pub url: Option<String>,
    /// The last day to apply. Null: not known.
    #[schema(value_type = Option<String>, format = Date, example = "2026-04-30")]
    pub closes_on: Option<String>,
}

enumeration! {
    /// How far a target has come.
    #[derive(Default, PartialOrd, Ord)]
    TargetStage {
        #[default]
        Identified = "identified",
        Researching = "researching",
        Ready = "ready",
        Approached = "approached",
        Replied = "replied",
        Connected = "connected",
        Nurturing = "nurturing",
        Declined = "declined",
        Dropped = "dropped",
    }
}

impl TargetStage {
    /// Whether nothing more is expected of it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Declined | Self::Dropped)
    }
}

impl Status for TargetStage {
    const STATES: &'static [State<Self>] = {
        use TargetStage::{
            Approached, Connected, Declined, Dropped, Identified, Nurturing, Ready, Replied, Researching,
        };
        &[
            State {
                state: Identified,
                next: &[Researching, Ready, Approached, Replied, Connected, Nurturing, Declined, Dropped],
                stamps: None,
            },
            State {
                state: Researching,
                next: &[Identified, Ready, Approached, Replied, Connected, Nurturing, Declined, Dropped],
                stamps: None,
            },
            State {
                state: Ready,
                next: &[Identified, Researching, Approached, Replied, Connected, Nurturing, Declined, Dropped],
                stamps: None,
            },
            State {
                state: Approached,
                next: &[Identified, Researching, Ready, Replied, Connected, Nurturing, Declined, Dropped],
                stamps: None,
            },
            State {
                state: Replied,
                next: &[Identified, Researching, Ready, Approached, Connected, Nurturing, Declined, Dropped],
                stamps: None,
            },
            State {
                state: Connected,
                next: &[Identified, Researching, Ready, Approached, Replied, Nurturing, Declined, Dropped],
                stamps: Some("connected_at"),
            },
            State {
                state: Nurturing,
                next: &[Identified, Researching, Ready, Approached, Replied, Connected, Dropped],
                stamps: Some("connected_at"),
            },
            State {
                state: Declined,
                next: &[Identified, Researching, Ready, Approached, Replied, Connected, Dropped],
                stamps: None,
            },
            State {
                state: Dropped,
                next: &[Identified, Researching, Ready, Approached, Replied, Connected],
                stamps: None,
            },
        ]
    };

    /// Who was reached stays reached when it comes to nothing.
    const KEEPS: &'static [(Self, &'static str)] =
        &[(Self::Declined, "connected_at"), (Self::Dropped, "connected_at")];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl TargetStage {
    /// Of two targets that a merge makes one, the one that has come further wins; one that has ended comes before none.
    const fn rank(self) -> u8 {
        match self {
            Self::Dropped => 0,
            Self::Declined => 1,
            Self::Identified => 2,
            Self::Researching => 3,
            Self::Ready => 4,
            Self::Approached => 5,
            Self::Replied => 6,
            Self::Connected => 7,
            Self::Nurturing => 8,
        }
    }
}

/// A contact or an organization to reach for a goal.
pub type Target = Stored<TargetFields>;

impl TargetFields {
    /// What stands against it, where it does not name exactly one thing.
    fn check_subject(&self, is_new: bool, invalid: &mut Invalid) {
        let named = [
            ("#/contact_id", self.contact_id.is_some()),
            ("#/organization_id", self.organization_id.is_some()),
            ("#/name", self.name.is_some()),
        ];
        let named: Vec<&str> = named.iter().filter(|(_, is_named)| *is_named).map(|(at, _)| *at).collect();
        match named.as_slice() {
            [] => {
                let detail = "A contact_id, an organization_id or, for somebody new, a name is required.";
                let alternatives = &["contact_id", "organization_id", "name"];
                invalid.add("#/contact_id", Rejection::required_any(alternatives, detail));
            }
            ["#/name"] if !is_new => {
                let detail = "A name creates a contact only when the target is created.";
                invalid.add("#/name", Rejection::new(FieldCode::Contradiction, detail));
            }
            [_] => {}
            [_, others @ ..] => {
                for at in others {
                    let detail = "A target names one contact or one organization.";
                    invalid.add(*at, Rejection::new(FieldCode::Contradiction, detail));
                }
            }
        }
    }

    /// The fields of one target made of two of the same contact or organization: the further stage wins, and texts are
    /// joined, unless they would be longer than they may be.
    pub fn joined(&self, other: &Self) -> Result<Self, Invalid> {
        let texts = |one: &Option<String>, other: &Option<String>| {
            join_texts([one, other].into_iter().filter_map(|text| text.as_deref()))
        };
        let further = if other.stage.rank() > self.stage.rank() { other } else { self };
        let joined = Self {
            goal_id: self.goal_id,
            contact_id: self.contact_id,
            organization_id: self.organization_id,
            name: None,
            priority: self.priority.max(other.priority),
            why: texts(&self.why, &other.why),
            ask: texts(&self.ask, &other.ask),
            offer: texts(&self.offer, &other.offer),
            opening: self.opening.clone().or_else(|| other.opening.clone()),
            stage: further.stage,
            status_reason: further.status_reason.clone(),
            stage_changed_at: further.stage_changed_at,
            connected_at: [self.connected_at, other.connected_at].into_iter().flatten().min(),
        };
        let mut invalid = Invalid::default();
        for (name, text) in [("why", &joined.why), ("ask", &joined.ask), ("offer", &joined.offer)] {
            check_joined_text(name, text.as_deref(), MAX_TEXT_CHARACTERS, &mut invalid);
        }
        invalid.into_result(joined)
    }
}

impl Fields for TargetFields {
    const ENTITY: Entity = Entity::Target;
    const DESCRIPTION: &'static str = "A contact or an organization to reach for a goal.";
    type Id = TargetId;

    fn check(mut self, _id: TargetId, before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        self.connected_at = before.and_then(|before| before.connected_at);
        [&mut self.why, &mut self.ask, &mut self.offer].into_iter().for_each(drop_blank);
        clean(&mut self.status_reason);
        clean(&mut self.name);
        if let Some(opening) = &mut self.opening {
            let mut title = Some(std::mem::take(&mut opening.title));
            clean(&mut title);
            opening.title = title.unwrap_or_default();
            if opening.title.is_empty() {
                invalid.add("#/opening/title", Rejection::blank());
            }
            check_url("#/opening/url", &mut opening.url, &mut invalid);
            check_day(&["opening", "closes_on"], opening.closes_on.as_deref(), &mut invalid);
        }
        self.check_subject(before.is_none(), &mut invalid);
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn fields() -> TargetFields {
        let contact = ContactId::new(Uuid::from_u128(1));
        serde_json::from_value(serde_json::json!({ "goal_id": Uuid::from_u128(9), "contact_id": contact }))
            .unwrap()
    }

    fn faults(fields: TargetFields, before: Option<&TargetFields>) -> Vec<String> {
        let checked = fields.check(TargetId::new(Uuid::nil()), before);
        let errors = checked.err().map(|invalid| invalid.errors).unwrap_or_default();
        errors.iter().map(|error| format!("{} {}", error.pointer, error.code.as_str())).collect()
    }

    #[test]
    fn a_target_names_exactly_one_contact_or_organization() {
        let organization_id = Some(OrganizationId::new(Uuid::from_u128(2)));
        let name = Some("Ada".to_owned());
        let none = TargetFields { contact_id: None, ..fields() };
        let table: [(TargetFields, &[&str]); 7] = [
            (fields(), &[]),
            (TargetFields { organization_id, ..none.clone() }, &[]),
            (TargetFields { name: name.clone(), ..none.clone() }, &[]),
            (none.clone(), &["#/contact_id required"]),
            (TargetFields { name: Some("  ".to_owned()), ..none }, &["#/contact_id required"]),
            (TargetFields { organization_id, ..fields() }, &["#/organization_id contradiction"]),
            (
                TargetFields { organization_id, name: name.clone(), ..fields() },
                &["#/organization_id contradiction", "#/name contradiction"],
            ),
        ];
        for (fields, expected) in table {
            assert_eq!(faults(fields.clone(), None), expected, "{fields:?}");
        }
        let renamed = TargetFields { contact_id: None, name, ..fields() };
        assert_eq!(faults(renamed, Some(&fields())), ["#/name contradiction"]);
    }

    #[test]
    fn which_stage_may_follow_which() {
        let forbidden = [
            (TargetStage::Nurturing, TargetStage::Declined),
            (TargetStage::Declined, TargetStage::Nurturing),
            (TargetStage::Dropped, TargetStage::Declined),
            (TargetStage::Dropped, TargetStage::Nurturing),
        ];
        for from in TargetStage::ALL {
            for to in TargetStage::ALL {
                assert_eq!(from.may_become(*to), !forbidden.contains(&(*from, *to)), "{from:?} {to:?}");
            }
        }
    }

    #[test]
    fn of_two_that_become_one_the_further_stage_wins_and_texts_are_joined() {
        let at = |text: &str| Some(Timestamp::parse(text).unwrap());
        let first = TargetFields {
            stage: TargetStage::Connected,
            connected_at: at("2026-02-01T00:00:00Z"),
            stage_changed_at: at("2026-02-01T00:00:00Z"),
            why: Some("Hires.".to_owned()),
            priority: 2,
            ..fields()
        };
        let second = TargetFields {
            stage: TargetStage::Dropped,
            connected_at: at("2026-01-01T00:00:00Z"),
            why: Some("Speaks.".to_owned()),
            ask: Some("A call".to_owned()),
            ..fields()
        };
        for (one, other, why) in [(&first, &second, "Hires.\n\nSpeaks."), (&second, &first, "Speaks.\n\nHires.")] {
            let joined = one.joined(other).unwrap();
            assert_eq!((joined.stage, joined.priority), (TargetStage::Connected, 3));
            assert_eq!((joined.why.as_deref(), joined.ask.as_deref()), (Some(why), Some("A call")));
            assert_eq!(joined.connected_at, at("2026-01-01T00:00:00Z"), "they connected then");
        }
    }
}
