//! What the networker wants to reach: a goal, when it is due, and who is worth knowing for it. How far it has come is in
//! `progress.rs`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::{LabelText, check_day, clean, drop_blank, parse_day, single_line};
use super::id::GoalId;
use super::invalid::{FieldCode, Invalid, Rejection, pointer};
use super::keyed::Keyed;
use super::record::{Fields, Stored};
use super::search::SearchText;
use super::state_machine::{State, Status};
use super::text;
use super::timestamp::Timestamp;
use super::words::enumeration;

/// How many goals one record may be linked to.
pub const MAX_LINKED: usize = 20;

/// How many personas a goal may have: each of their texts is looked for when candidates are listed.
pub const MAX_PERSONAS: usize = 10;

/// What can be entered about a goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct GoalFields {
    /// What you want to reach, in one line.
    #[schema(required = true, min_length = 1, max_length = 300, example = "Move into climate tech")]
    pub title: String,
    /// Why you want it.
    #[schema(max_length = 5000, example = "I want my work to matter in twenty years.")]
    pub why: Option<String>,
    /// How you will know that you have reached it.
    #[schema(max_length = 5000, example = "A product role at a company that cuts emissions.")]
    pub desired_outcome: Option<String>,
    /// The category.
    #[schema(default = "other")]
    pub category: GoalCategory,
    /// The priority, from 1 to 5 (highest).
    #[schema(minimum = 1, maximum = 5, default = 3, example = 4)]
    pub priority: i32,
    /// The first day that counts, in the time zone of the workspace. If null, records count from the day the goal was
    /// created, and `elapsed` and `pace` are null.
    #[schema(value_type = Option<String>, format = Date, example = "2026-01-01")]
    pub started_on: Option<String>,
    /// The last day that counts. Null: no due date.
    #[schema(value_type = Option<String>, format = Date, example = "2026-12-31")]
    pub due_on: Option<String>,
    /// The kinds of people worth knowing, under keys of your choice; at most 10. `/v1/goals/{id}/candidates` lists contacts
    /// who fit.
    #[schema(inline, example = json!({"product_lead": {"titles": ["Head of Product"], "industries": ["Energy"]}}))]
    pub personas: Keyed<Persona>,
    /// The status.
    #[schema(default = "active")]
    pub status: GoalStatus,
    /// Why it has this status, such as why it was dropped. A transition clears it unless the request sends another one.
    #[schema(max_length = 500, example = "I found something better.")]
    pub status_reason: Option<String>,
    /// When it was achieved. The request that makes it achieved can send the time, which cannot be in the future; otherwise
    /// it is set by the server. Null: it is not achieved.
    #[schema(example = json!(null))]
    pub achieved_at: Option<Timestamp>,
}

/// A kind of person worth knowing. At least one of the lists must not be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Persona {
    /// Titles of their positions.
    #[schema(max_items = 10, example = json!(["Head of Product"]))]
    pub titles: Vec<LabelText>,
    /// Industries of the organizations they work at.
    #[schema(max_items = 10, example = json!(["Energy"]))]
    pub industries: Vec<LabelText>,
    /// Words in their titles that say how senior they are.
    #[schema(max_items = 10, example = json!(["Director"]))]
    pub seniorities: Vec<LabelText>,
    /// Where they live or work.
    #[schema(max_items = 10, example = json!(["Berlin"]))]
    pub locations: Vec<LabelText>,
    /// What they care about or know.
    #[schema(max_items = 10, example = json!(["carbon accounting"]))]
    pub topics: Vec<LabelText>,
}

enumeration! {
    /// The category of a goal.
    #[derive(Default)]
    GoalCategory {
        JobSearch = "job_search",
        Promotion = "promotion",
        CareerChange = "career_change",
        Mentoring = "mentoring",
        Business = "business",
        Learning = "learning",
        Community = "community",
        Visibility = "visibility",
        #[default]
        Other = "other",
    }
}

enumeration! {
    /// The status of a goal.
    #[derive(Default)]
    GoalStatus {
        Draft = "draft",
        #[default]
        Active = "active",
        Paused = "paused",
        Achieved = "achieved",
        Dropped = "dropped",
    }
}

impl Status for GoalStatus {
    const STATES: &'static [State<Self>] = &[
        State {
            state: Self::Draft,
            next: &[Self::Active, Self::Paused, Self::Achieved, Self::Dropped],
            stamps: None,
        },
        State {
            state: Self::Active,
            next: &[Self::Draft, Self::Paused, Self::Achieved, Self::Dropped],
            stamps: None,
        },
        State {
            state: Self::Paused,
            next: &[Self::Draft, Self::Active, Self::Achieved, Self::Dropped],
            stamps: None,
        },
        State { state: Self::Achieved, next: &[Self::Active], stamps: Some("achieved_at") },
        State { state: Self::Dropped, next: &[Self::Draft, Self::Active], stamps: None },
    ];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// Something you want to reach.
pub type Goal = Stored<GoalFields>;

impl Default for GoalFields {
    fn default() -> Self {
        Self {
            title: String::new(),
            why: None,
            desired_outcome: None,
            category: GoalCategory::default(),
            priority: 3,
            started_on: None,
            due_on: None,
            personas: Keyed::default(),
            status: GoalStatus::default(),
            status_reason: None,
            achieved_at: None,
        }
    }
}

impl GoalFields {
    pub fn started_day(&self) -> Option<NaiveDate> {
        self.started_on.as_deref().and_then(|day| parse_day(day).ok())
    }

    pub fn due_day(&self) -> Option<NaiveDate> {
        self.due_on.as_deref().and_then(|day| parse_day(day).ok())
    }

    fn check_personas(&mut self, invalid: &mut Invalid) {
        if self.personas.iter().count() > MAX_PERSONAS {
            let detail = format!("Must have at most {MAX_PERSONAS} personas.");
            invalid.add("#/personas", Rejection::too_long(MAX_PERSONAS, detail));
        }
        for (key, persona) in self.personas.iter_mut() {
            for (name, labels) in persona.lists_mut() {
                clean_list(&["personas", key, name], labels, invalid);
            }
            if persona.lists().iter().all(|(_, labels)| labels.is_empty()) {
                let detail =
                    "At least one criterion is required: titles, industries, seniorities, locations or topics.";
                invalid.add(pointer(&["personas", key]), Rejection::new(FieldCode::Required, detail));
            }
        }
    }
}

/// Trims labels and drops other spellings of an earlier one; a blank label is an error.
fn clean_list(at: &[&str], labels: &mut Vec<LabelText>, invalid: &mut Invalid) {
    let mut seen = std::collections::HashSet::new();
    let mut cleaned = Vec::with_capacity(labels.len());
    for (index, label) in labels.iter().enumerate() {
        let trimmed = single_line(&label.0);
        if trimmed.is_empty() {
            let index = index.to_string();
            let at: Vec<&str> = at.iter().copied().chain([index.as_str()]).collect();
            invalid.add(pointer(&at), Rejection::blank());
        } else if seen.insert(text::fold(&trimmed)) {
            cleaned.push(LabelText(trimmed));
        }
    }
    *labels = cleaned;
}

impl Persona {
    /// Its criteria, by the names of their fields.
    pub fn lists(&self) -> [(&'static str, &Vec<LabelText>); 5] {
        let Self { titles, industries, seniorities, locations, topics } = self;
        [
            ("titles", titles),
            ("industries", industries),
            ("seniorities", seniorities),
            ("locations", locations),
            ("topics", topics),
        ]
    }

    fn lists_mut(&mut self) -> [(&'static str, &mut Vec<LabelText>); 5] {
        let Self { titles, industries, seniorities, locations, topics } = self;
        [
            ("titles", titles),
            ("industries", industries),
            ("seniorities", seniorities),
            ("locations", locations),
            ("topics", topics),
        ]
    }
}

impl Goal {
    /// What it is found by when somebody types.
    pub fn search_text(&self) -> SearchText {
        let GoalFields { title, why, desired_outcome, .. } = &self.fields;
        let text = [Some(title), why.as_ref(), desired_outcome.as_ref()];
        let text = text.into_iter().flatten().cloned().collect::<Vec<_>>().join("\n");
        SearchText { title: title.clone(), text }
    }
}

impl Fields for GoalFields {
    const ENTITY: Entity = Entity::Goal;
    const DESCRIPTION: &'static str = "Something you want to reach.";
    type Id = GoalId;

    fn check(mut self, _id: GoalId, _before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        self.title = single_line(&self.title);
        if self.title.is_empty() {
            invalid.add("#/title", Rejection::blank());
        }
        clean(&mut self.status_reason);
        [&mut self.why, &mut self.desired_outcome].into_iter().for_each(drop_blank);
        check_day(&["started_on"], self.started_on.as_deref(), &mut invalid);
        check_day(&["due_on"], self.due_on.as_deref(), &mut invalid);
        if self.started_day().zip(self.due_day()).is_some_and(|(started, due)| due < started) {
            let detail = "A goal cannot be due before it starts.";
            invalid.add("#/due_on", Rejection::new(FieldCode::Contradiction, detail));
        }
        self.check_personas(&mut invalid);
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(text: &str) -> LabelText {
        LabelText(text.to_owned())
    }

    fn with(started_on: Option<&str>, due_on: Option<&str>, personas: &[Persona]) -> GoalFields {
        let mut fields = GoalFields { title: "Move".to_owned(), ..GoalFields::default() };
        (fields.started_on, fields.due_on) = (started_on.map(str::to_owned), due_on.map(str::to_owned));
        for (index, persona) in personas.iter().enumerate() {
            fields.personas.insert(format!("p{index}"), persona.clone());
        }
        fields
    }

    #[test]
    fn a_goal_has_a_window_that_ends_after_it_starts_and_personas_with_a_criterion() {
        let titles = Persona { titles: vec![label("CTO")], ..Persona::default() };
        let blank = Persona { topics: vec![label(" ")], ..Persona::default() };
        let table: [(GoalFields, &[&str]); 8] = [
            (with(None, None, &[]), &[]),
            (with(Some("2026-03-02"), Some("2026-03-02"), &[]), &[]),
            (with(Some("2026-03-02"), Some("2026-03-01"), &[]), &["#/due_on contradiction"]),
            (with(Some("2026-03"), Some("2026-03-01"), &[]), &["#/started_on invalid_format"]),
            (with(None, None, std::slice::from_ref(&titles)), &[]),
            (with(None, None, &[Persona::default()]), &["#/personas/p0 required"]),
            (with(None, None, &[blank]), &["#/personas/p0/topics/0 too_short", "#/personas/p0 required"]),
            (with(None, None, &vec![titles; 11]), &["#/personas too_long"]),
        ];
        for (fields, expected) in table {
            let checked = fields.clone().check(GoalId::new(uuid::Uuid::nil()), None);
            let errors = checked.err().map(|invalid| invalid.errors).unwrap_or_default();
            let told: Vec<String> =
                errors.iter().map(|error| format!("{} {}", error.pointer, error.code.as_str())).collect();
            assert_eq!(told, expected, "{fields:?}");
        }
    }

    #[test]
    fn which_status_may_follow_which() {
        use GoalStatus::{Achieved, Active, Draft, Dropped, Paused};
        for (from, allowed) in [
            (Draft, vec![Active, Paused, Achieved, Dropped]),
            (Active, vec![Draft, Paused, Achieved, Dropped]),
            (Paused, vec![Draft, Active, Achieved, Dropped]),
            (Achieved, vec![Active]),
            (Dropped, vec![Draft, Active]),
        ] {
            for to in GoalStatus::ALL.iter().copied().filter(|to| *to != from) {
                assert_eq!(from.may_become(to), allowed.contains(&to), "{from:?} {to:?}");
            }
        }
    }
}
