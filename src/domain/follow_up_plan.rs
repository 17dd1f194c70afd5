//! Plans: follow-ups that come one after the other for a person, such as after an event. A plan applied to a contact
//! is in `plan_run.rs`.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::contact::Channel;
use super::entity::Entity;
use super::fields::single_line;
use super::follow_up::FollowUpKind;
use super::id::FollowUpPlanId;
use super::interval::IntervalUnit;
use super::invalid::{Invalid, Rejection};
use super::record::{Fields, Stored};
use super::words::enumeration;

/// How many plans a workspace may have.
pub const MAX_PER_WORKSPACE: i64 = 1_000;

/// What can be entered about a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FollowUpPlanFields {
    /// What the plan is called.
    #[schema(min_length = 1, max_length = 200, example = "After a job interview")]
    pub title: String,
    /// The steps, in the order in which they are carried out.
    #[schema(min_items = 1, max_items = 50)]
    pub steps: Vec<PlanStep>,
    /// Whether a step that would be due on a Saturday or Sunday is due on the Monday after.
    #[serde(default)]
    #[schema(default = false)]
    pub skip_weekends: bool,
}

/// One step of a plan: the follow-up that it becomes, and when it is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanStep {
    /// How many units after the anchor it is due.
    #[schema(minimum = 0, maximum = 1000, example = 1)]
    pub after: u16,
    /// The unit.
    pub unit: IntervalUnit,
    /// The kind of the follow-up.
    #[serde(default)]
    #[schema(default = "other")]
    pub kind: FollowUpKind,
    /// The title of the follow-up.
    #[schema(min_length = 1, max_length = 300, example = "Say thank you")]
    pub title: String,
    /// The channel of the follow-up.
    #[serde(default)]
    pub channel: Option<Channel>,
}

/// A sequence of follow-ups to carry out for a person.
pub type FollowUpPlan = Stored<FollowUpPlanFields>;

enumeration! {
    /// A plan that every workspace has.
    BuiltInPlan {
        AfterEvent = "after_event",
        AfterInformationalInterview = "after_informational_interview",
        NewConnection = "new_connection",
        JobChange = "job_change",
    }
}

impl BuiltInPlan {
    /// The same in every workspace and for ever.
    pub const fn id(self) -> FollowUpPlanId {
        FollowUpPlanId::new(Uuid::from_u128(match self {
            Self::AfterEvent => 0x0000_0000_0000_8000_8000_0000_0000_0001,
            Self::AfterInformationalInterview => 0x0000_0000_0000_8000_8000_0000_0000_0002,
            Self::NewConnection => 0x0000_0000_0000_8000_8000_0000_0000_0003,
            Self::JobChange => 0x0000_0000_0000_8000_8000_0000_0000_0004,
        }))
    }

    pub fn of_id(id: Uuid) -> Option<Self> {
        Self::ALL.iter().copied().find(|plan| plan.id().uuid() == id)
    }

    /// What it is called and consists of.
    pub fn fields(self) -> FollowUpPlanFields {
        use FollowUpKind::{CheckIn, Congratulate, Connect, SendResource, ThankYou};
        use IntervalUnit::{Day, Month, Week};
        type Row = (u16, IntervalUnit, FollowUpKind, &'static str);
        let (title, steps): (&str, &[Row]) = match self {
            Self::AfterEvent => (
                "After an event",
                &[
                    (1, Day, ThankYou, "Say thank you for the conversation"),
                    (2, Day, Connect, "Connect online"),
                    (7, Day, SendResource, "Send something useful"),
                    (30, Day, CheckIn, "Check in"),
                ],
            ),
            Self::AfterInformationalInterview => (
                "After an informational interview",
                &[
                    (1, Day, ThankYou, "Say thank you, with what you took from it"),
                    (2, Week, CheckIn, "Report what came of the advice"),
                    (3, Month, CheckIn, "Tell how things are going"),
                ],
            ),
            Self::NewConnection => (
                "New connection",
                &[
                    (1, Day, ThankYou, "Thank them for connecting"),
                    (1, Week, SendResource, "Send something useful"),
                    (1, Month, CheckIn, "Check in"),
                ],
            ),
            Self::JobChange => (
                "Job change",
                &[
                    (0, Day, Congratulate, "Congratulate on the new job"),
                    (1, Month, CheckIn, "Ask how the start went"),
                    (3, Month, CheckIn, "Ask about the first months"),
                ],
            ),
        };
        let step = |(after, unit, kind, title): &Row| PlanStep {
            after: *after,
            unit: *unit,
            kind: *kind,
            title: (*title).to_owned(),
            channel: None,
        };
        FollowUpPlanFields {
            title: title.to_owned(),
            steps: steps.iter().map(step).collect(),
            skip_weekends: true,
        }
    }
}

impl PlanStep {
    /// The day on which it is due: so long after the anchor, but not before `earliest`. `None` beyond the year 9999.
    pub fn due_on(&self, anchor: NaiveDate, earliest: NaiveDate, skip_weekends: bool) -> Option<NaiveDate> {
        let day = self.unit.after(anchor, u32::from(self.after))?.max(earliest);
        let days = match day.weekday() {
            Weekday::Sat if skip_weekends => 2,
            Weekday::Sun if skip_weekends => 1,
            _ => 0,
        };
        day.checked_add_days(Days::new(days))
    }
}

impl Fields for FollowUpPlanFields {
    const ENTITY: Entity = Entity::FollowUpPlan;
    const DESCRIPTION: &'static str = "A sequence of follow-ups to carry out for a person.";
    type Id = FollowUpPlanId;

    fn check(mut self, _id: FollowUpPlanId, _before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        let blank = || Rejection::blank();
        self.title = single_line(&self.title);
        if self.title.is_empty() {
            invalid.add("#/title", blank());
        }
        for (index, step) in self.steps.iter_mut().enumerate() {
            step.title = single_line(&step.title);
            if step.title.is_empty() {
                invalid.add(format!("#/steps/{index}/title"), blank());
            }
        }
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_plan_keeps_the_rules_and_has_an_id_of_its_own() {
        for plan in BuiltInPlan::ALL {
            let fields = plan.fields();
            assert_eq!(fields.clone().check(plan.id(), None), Ok(fields));
            assert_eq!(BuiltInPlan::of_id(plan.id().uuid()), Some(*plan));
        }
    }

    #[test]
    fn a_step_is_never_before_what_comes_before_it_nor_on_a_weekend_that_is_skipped() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let step = |after, unit| PlanStep {
            after,
            unit,
            kind: FollowUpKind::Other,
            title: "x".to_owned(),
            channel: None,
        };
        // 7 March 2026 is a Saturday.
        let table = [
            (0, IntervalUnit::Day, "2026-03-02", false, "2026-03-02"),
            (5, IntervalUnit::Day, "2026-03-02", false, "2026-03-07"),
            (5, IntervalUnit::Day, "2026-03-02", true, "2026-03-09"),
            (6, IntervalUnit::Day, "2026-03-02", true, "2026-03-09"),
            (1, IntervalUnit::Day, "2026-03-20", true, "2026-03-20"),
            (1, IntervalUnit::Month, "2026-03-20", false, "2026-04-02"),
        ];
        for (after, unit, earliest, skip, expected) in table {
            let due_on = step(after, unit).due_on(day("2026-03-02"), day(earliest), skip);
            assert_eq!(due_on, Some(day(expected)), "{after} {unit:?} {earliest} {skip}");
        }
    }
}
