//! Plan runs: a plan that was applied to a person, and which step of it is to be done.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::entity::Entity;
use super::fields::clean;
use super::follow_up_plan::{BuiltInPlan, PlanStep};
use super::id::{ContactId, EventId, FollowUpId, FollowUpPlanId, PlanRunId};
use super::invalid::Invalid;
use super::record::{Fields, Stored};
use super::state_machine::{State, Status};
use super::words::enumeration;

/// How many plan runs a contact may have.
pub const MAX_PER_CONTACT: i64 = 1_000;

/// To how many contacts a plan can be applied at once.
pub const MAX_APPLIED: usize = 100;

/// A plan as it was applied to a contact. The steps are copied when the plan is applied, so later changes of the plan
/// do not affect its runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PlanRunFields {
    /// The plan. Null: a built-in one, or it was deleted.
    #[schema(read_only)]
    pub plan_id: Option<FollowUpPlanId>,
    /// The built-in plan. Null: it is one of your own.
    #[schema(read_only)]
    pub built_in: Option<BuiltInPlan>,
    /// What the plan was called when it was applied.
    #[schema(read_only)]
    pub title: String,
    /// The contact it was applied to.
    #[schema(read_only)]
    pub contact_id: ContactId,
    /// The event that it follows from. Null: none.
    #[schema(read_only)]
    pub event_id: Option<EventId>,
    /// The day that its steps are counted from.
    #[schema(read_only, value_type = String, format = Date, example = "2026-03-02")]
    pub anchor_on: String,
    /// The steps of the plan when it was applied.
    #[schema(read_only)]
    pub steps: Vec<PlanStep>,
    /// Whether steps on a Saturday or Sunday are due on the Monday after.
    #[schema(read_only)]
    pub skip_weekends: bool,
    /// Which step is the current one: 1 is the first of `steps`, and the number of `steps` the last. A run that is finished
    /// stays at its last step.
    #[schema(read_only, minimum = 1, example = 2)]
    pub position: i32,
    /// The follow-up of the current step. Null: it was deleted.
    #[schema(read_only)]
    pub follow_up_id: Option<FollowUpId>,
    /// The status. Completing or skipping the follow-up of the current step creates the next one, and that of the last step
    /// finishes the run; cancelling it stops the run. Stopping or finishing the run cancels the follow-up.
    #[schema(default = "running")]
    pub status: PlanRunStatus,
    /// Why it has this status. A transition clears it unless the request sends another one.
    #[schema(max_length = 500, example = "We talk every week now.")]
    pub status_reason: Option<String>,
}

enumeration! {
    /// The status of a plan run.
    #[derive(Default)]
    PlanRunStatus {
        #[default]
        Running = "running",
        Finished = "finished",
        Stopped = "stopped",
    }
}

impl Status for PlanRunStatus {
    const STATES: &'static [State<Self>] = &[
        State { state: Self::Running, next: &[Self::Finished, Self::Stopped], stamps: None },
        State { state: Self::Finished, next: &[Self::Running], stamps: None },
        State { state: Self::Stopped, next: &[Self::Running], stamps: None },
    ];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// A plan that was applied to a contact.
pub type PlanRun = Stored<PlanRunFields>;

impl Default for PlanRunFields {
    fn default() -> Self {
        Self {
            plan_id: None,
            built_in: None,
            title: String::new(),
            contact_id: ContactId::new(Uuid::nil()),
            event_id: None,
            anchor_on: String::new(),
            steps: Vec::new(),
            skip_weekends: false,
            position: 1,
            follow_up_id: None,
            status: PlanRunStatus::default(),
            status_reason: None,
        }
    }
}

impl PlanRunFields {
    /// A step by its number.
    pub fn step(&self, position: i32) -> Option<&PlanStep> {
        self.steps.get(usize::try_from(position).ok()?.checked_sub(1)?)
    }
}

impl PlanRun {
    /// How far it has come: of two runs that are the same, the further one stays.
    pub fn progress(&self) -> (i32, bool, bool) {
        let PlanRunFields { position, status, .. } = self.fields;
        (position, status == PlanRunStatus::Finished, status == PlanRunStatus::Running)
    }
}

impl Fields for PlanRunFields {
    const ENTITY: Entity = Entity::PlanRun;
    const DESCRIPTION: &'static str = "A plan that was applied to a contact.";
    type Id = PlanRunId;

    /// What a request can change is its status; the rest is the server's.
    fn check(mut self, _id: PlanRunId, before: Option<&Self>) -> Result<Self, Invalid> {
        clean(&mut self.status_reason);
        Ok(match before {
            None => self,
            Some(before) => Self { status: self.status, status_reason: self.status_reason, ..before.clone() },
        })
    }
}
