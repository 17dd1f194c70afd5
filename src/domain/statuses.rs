//! The kinds of record whose status is a state machine. The machines themselves are where the kinds are.

use super::entity::Entity;
use super::follow_up::FollowUpStatus;
use super::goal::GoalStatus;
use super::interaction::InteractionStatus;
use super::plan_run::PlanRunStatus;
use super::state_machine::describe;
use super::target::TargetStage;

/// The machine of a kind of record in sentences, and the field that holds its state.
pub fn description(entity: Entity) -> Option<(&'static str, String)> {
    match entity {
        Entity::Interaction => Some(("status", describe::<InteractionStatus>())),
        Entity::FollowUp => Some(("status", describe::<FollowUpStatus>())),
        Entity::Goal => Some(("status", describe::<GoalStatus>())),
        Entity::Target => Some(("stage", describe::<TargetStage>())),
        Entity::PlanRun => Some(("status", describe::<PlanRunStatus>())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::state_machine::Status;

    fn check_table<S: Status + std::fmt::Debug>(all: &[S]) {
        for state in all {
            let rows = S::STATES.iter().filter(|row| row.state == *state).count();
            assert_eq!(rows, 1, "{state:?}");
            assert!(!state.next().contains(state), "{state:?} moves to itself");
        }
        assert_eq!(S::STATES.len(), all.len());
    }

    #[test]
    fn every_state_stands_once_in_its_table() {
        check_table(InteractionStatus::ALL);
        check_table(FollowUpStatus::ALL);
        check_table(PlanRunStatus::ALL);
    }
}
