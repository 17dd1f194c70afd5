//! The kinds of record that clients sync. What refers to what is told in `reference.rs`.

use serde::{Deserialize, Serialize};
use std::fmt;

fn in_words(name: &str) -> String {
    name.replace("follow_up", "follow-up").replace("check_in", "check-in").replace('_', " ")
}

macro_rules! entities {
    ($($name:ident = $noun:literal, $plural:literal, $area:literal;)*) => {
        /// A kind of record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Entity {
            $($name,)*
        }

        impl Entity {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in `changes`, in `x-entity` and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $noun,)* }
            }

            /// The name of its Rust type and of its schema: `DuplicateDismissal`.
            pub const fn type_name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The table.
            pub const fn plural(self) -> &'static str {
                match self { $(Self::$name => $plural,)* }
            }

            /// What one is called in a sentence: "follow-up plan".
            pub fn words(self) -> String {
                in_words(self.as_str())
            }

            /// What many are called in a sentence: "follow-up plans".
            pub fn plural_words(self) -> String {
                in_words(self.plural())
            }

            /// The path segment: `/v1/<segment>/{id}`.
            pub fn segment(self) -> String {
                self.plural().replace('_', "-")
            }

            /// The area of the scopes that its records are read and written under.
            pub const fn area(self) -> &'static str {
                match self { $(Self::$name => $area,)* }
            }

            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|entity| entity.as_str() == name)
            }
        }
    };
}

entities! {
    Contact = "contact", "contacts", "contacts";
    Organization = "organization", "organizations", "contacts";
    Position = "position", "positions", "contacts";
    Relationship = "relationship", "relationships", "relationships";
    Need = "need", "needs", "relationships";
    Exchange = "exchange", "exchanges", "relationships";
    Feedback = "feedback", "feedback", "relationships";
    Introduction = "introduction", "introductions", "relationships";
    Resource = "resource", "resources", "relationships";
    Community = "community", "communities", "online";
    Post = "post", "posts", "online";
    Tag = "tag", "tags", "contacts";
    DuplicateDismissal = "duplicate_dismissal", "duplicate_dismissals", "contacts";
    Goal = "goal", "goals", "goals";
    KeyResult = "key_result", "key_results", "goals";
    CheckIn = "check_in", "check_ins", "goals";
    Target = "target", "targets", "goals";
    Pitch = "pitch", "pitches", "goals";
    PitchVersion = "pitch_version", "pitch_versions", "goals";
    PitchUse = "pitch_use", "pitch_uses", "goals";
    Event = "event", "events", "events";
    EventPerson = "event_person", "event_people", "events";
    Interaction = "interaction", "interactions", "interactions";
    FollowUp = "follow_up", "follow_ups", "follow_ups";
    FollowUpPlan = "follow_up_plan", "follow_up_plans", "follow_ups";
    PlanRun = "plan_run", "plan_runs", "follow_ups";
    ContactActivity = "contact_activity", "contact_activities", "contacts";
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was done to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    Created,
    Updated,
    Deleted,
}

impl Op {
    pub const ALL: [Self; 3] = [Self::Created, Self::Updated, Self::Deleted];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str() == name)
    }
}
