//! What shows that a goal is reached: a number with a target, counted from records or entered by hand.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::{clean, rounded, serialize_number, single_line};
use super::id::{GoalId, KeyResultId, OrganizationId};
use super::invalid::{FieldCode, Invalid, Rejection};
use super::key::{Key, KeyKind};
use super::record::{Fields, Stored};
use super::text;
use super::words::enumeration;

/// How many key results a goal may have.
pub const MAX_PER_GOAL: i64 = 50;

/// What can be entered about a key result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeyResultFields {
    /// The goal that it belongs to.
    pub goal_id: GoalId,
    /// What is to be reached, in one line.
    #[schema(min_length = 1, max_length = 300, example = "Ten informational interviews")]
    pub title: String,
    /// How the current value is measured: entered as check-ins (`manual`), or counted from the records within the goal's
    /// window.
    #[serde(default)]
    #[schema(default = "manual")]
    pub metric: KeyResultMetric,
    /// What is counted, for display.
    #[serde(default)]
    #[schema(max_length = 50, example = "interviews")]
    pub unit: Option<String>,
    /// The value to start from, with at most three decimals. A counted metric adds its count to it.
    #[serde(default, serialize_with = "serialize_number")]
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64, default = 0, example = 0)]
    pub start_value: f64,
    /// The value to reach, with at most three decimals. It differs from `start_value`, and is higher unless the metric is
    /// `manual`.
    #[serde(serialize_with = "serialize_number")]
    #[schema(minimum = -1_000_000_000_000_i64, maximum = 1_000_000_000_000_i64, example = 10)]
    pub target_value: f64,
    /// How much it counts in the progress of the goal, with at most three decimals.
    #[serde(default = "default_weight", serialize_with = "serialize_number")]
    #[schema(minimum = 0.001, maximum = 1000, default = 1, example = 2)]
    pub weight: f64,
    /// Which records are counted. Null: all. Ignored if the metric is `manual`.
    #[serde(default)]
    pub filter: Option<KeyResultFilter>,
}

/// Which records a key result counts. A record must match every condition that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct KeyResultFilter {
    /// Only contacts with this tag, or records that involve them. A new name creates the tag. Updated when the tag is
    /// renamed or merged. If the tag is deleted, the key result counts nothing. Null: any.
    #[schema(min_length = 1, max_length = 100, example = "climate")]
    pub tag: Option<String>,
    /// Only contacts who have or had a position at this organization, or records that involve them. Null: any.
    #[schema(example = json!(null))]
    pub organization_id: Option<OrganizationId>,
    /// The name of the organization, if it was deleted; the key result then counts nothing until the filter is
    /// changed. Null if it was not deleted.
    #[schema(read_only, example = json!(null))]
    pub organization_name: Option<String>,
    /// Only records that are linked to the goal; of contacts, the targets of the goal.
    #[schema(default = false)]
    pub linked: bool,
}

enumeration! {
    /// How a key result is measured. `manual`: entered as check-ins. `contacts_added`: contacts you have added and
    /// know. `targets_connected`: targets of the goal you have connected with. `interactions`: interactions that
    /// count. `informational_interviews`: those of them that are informational interviews. `follow_ups_done`: your
    /// completed follow-ups. `events_attended`: events you attended, without sessions. `people_met`: contacts you met at
    /// events. `relationships_deepened`: contacts with mutual interactions on at least two days. `value_given` and
    /// `value_received`: exchanges in which you gave, or received; those that are mutual count as both. `feedback_acted_on`:
    /// feedback that you acted on. `introductions_made`: introductions that you made.
    /// `introductions_received`: introductions that were made to you. `posts_published`: posts, articles and shares that you
    /// published; no filter of people applies to them.
    #[derive(Default)]
    KeyResultMetric {
        #[default]
        Manual = "manual",
        ContactsAdded = "contacts_added",
        TargetsConnected = "targets_connected",
        Interactions = "interactions",
        InformationalInterviews = "informational_interviews",
        EventsAttended = "events_attended",
        PeopleMet = "people_met",
        FollowUpsDone = "follow_ups_done",
        RelationshipsDeepened = "relationships_deepened",
        ValueGiven = "value_given",
        ValueReceived = "value_received",
        FeedbackActedOn = "feedback_acted_on",
        IntroductionsMade = "introductions_made",
        IntroductionsReceived = "introductions_received",
        PostsPublished = "posts_published",
    }
}

const fn default_weight() -> f64 {
    1.0
}

/// A number that shows how far a goal has come.
pub type KeyResult = Stored<KeyResultFields>;

impl KeyResult {
    /// The tag in its filter, under which it is found when the tag is renamed.
    pub fn keys(&self) -> Vec<Key> {
        let tag = self.fields.filter.as_ref().and_then(|filter| filter.tag.as_ref());
        tag.map(|tag| Key::new(KeyKind::Tag, text::fold(tag))).into_iter().collect()
    }
}

impl KeyResultFilter {
    /// Whether the organization that it names was deleted.
    pub const fn has_lost_organization(&self) -> bool {
        self.organization_id.is_none() && self.organization_name.is_some()
    }
}

impl Fields for KeyResultFields {
    const ENTITY: Entity = Entity::KeyResult;
    const DESCRIPTION: &'static str = "A number that shows how far a goal has come.";
    type Id = KeyResultId;

    fn check(mut self, _id: KeyResultId, before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        self.title = single_line(&self.title);
        if self.title.is_empty() {
            invalid.add("#/title", Rejection::blank());
        }
        clean(&mut self.unit);
        for value in [&mut self.start_value, &mut self.target_value, &mut self.weight] {
            *value = rounded(*value);
        }
        if self.target_value == self.start_value {
            let detail = "It has to differ from start_value.";
            let rejection = Rejection::new(FieldCode::Contradiction, detail).depends_on(&["start_value"]);
            invalid.add("#/target_value", rejection);
        } else if self.metric != KeyResultMetric::Manual && self.target_value < self.start_value {
            let detail = "What is counted only grows: it has to be higher than start_value, or the metric manual.";
            let rejection = Rejection::new(FieldCode::Contradiction, detail).depends_on(&["start_value"]);
            invalid.add("#/target_value", rejection);
        }
        if let Some(filter) = &mut self.filter {
            if filter.tag.is_some() {
                clean(&mut filter.tag);
                if filter.tag.is_none() {
                    invalid.add("#/filter/tag", Rejection::blank());
                }
            }
            let lost = before.and_then(|before| before.filter.as_ref()?.organization_name.clone());
            filter.organization_name = lost.filter(|_| filter.organization_id.is_none());
        }
        self.filter = self.filter.filter(|filter| *filter != KeyResultFilter::default());
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    fn fields(more: serde_json::Value) -> KeyResultFields {
        let mut value = json!({ "goal_id": Uuid::from_u128(1), "title": "Ten", "target_value": 10 });
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_key_result_goes_somewhere_and_counts_upwards() {
        let table: [(serde_json::Value, &[&str]); 7] = [
            (json!({}), &[]),
            (json!({ "start_value": 10 }), &["#/target_value contradiction"]),
            (json!({ "start_value": 9.9996 }), &["#/target_value contradiction"]),
            (json!({ "start_value": 20 }), &[]),
            (json!({ "start_value": 20, "metric": "interactions" }), &["#/target_value contradiction"]),
            (json!({ "metric": "interactions", "filter": { "tag": " " } }), &["#/filter/tag too_short"]),
            (json!({ "title": " " }), &["#/title too_short"]),
        ];
        for (more, expected) in table {
            let checked = fields(more.clone()).check(KeyResultId::new(Uuid::nil()), None);
            let errors = checked.err().map(|invalid| invalid.errors).unwrap_or_default();
            let told: Vec<String> =
                errors.iter().map(|error| format!("{} {}", error.pointer, error.code.as_str())).collect();
            assert_eq!(told, expected, "{more}");
        }
    }

    #[test]
    fn a_filter_that_asks_for_nothing_is_none() {
        let checked = |more| fields(more).check(KeyResultId::new(Uuid::nil()), None).unwrap().filter;
        assert_eq!(checked(json!({ "filter": {} })), None);
        assert!(checked(json!({ "filter": { "linked": true } })).unwrap().linked);
    }

    #[test]
    fn an_organization_that_is_lost_stays_so_until_another_one_comes() {
        let lost = KeyResultFilter { organization_name: Some("Acme".to_owned()), ..KeyResultFilter::default() };
        let before = KeyResultFields { filter: Some(lost), ..fields(json!({})) };
        let id = KeyResultId::new(Uuid::nil());
        let kept = fields(json!({ "filter": { "linked": true } })).check(id, Some(&before)).unwrap();
        assert!(kept.filter.unwrap().has_lost_organization());
        let other = json!({ "filter": { "organization_id": Uuid::from_u128(3) } });
        let found = fields(other).check(id, Some(&before)).unwrap();
        assert!(!found.filter.unwrap().has_lost_organization());
    }
}
