//! The kinds of record whose status is a state machine. The machines themselves are where the kinds are.

use super::community::CommunityStatus;
use super::entity::Entity;
use super::event::{EventParticipation, EventStatus};
use super::event_person::EventPersonStage;
use super::feedback::FeedbackStatus;
use super::follow_up::FollowUpStatus;
use super::goal::GoalStatus;
use super::interaction::InteractionStatus;
use super::introduction::IntroductionStatus;
use super::plan_run::PlanRunStatus;
use super::post::PostStatus;
use super::state_machine::describe;
use super::target::TargetStage;

/// The machines of a kind of record: the field that holds the state of each, and the machine in sentences.
pub fn descriptions(entity: Entity) -> Vec<(&'static str, String)> {
    match entity {
        Entity::Interaction => vec![("status", describe::<InteractionStatus>())],
        Entity::FollowUp => vec![("status", describe::<FollowUpStatus>())],
        Entity::Goal => vec![("status", describe::<GoalStatus>())],
        Entity::Target => vec![("stage", describe::<TargetStage>())],
        Entity::Feedback => vec![("status", describe::<FeedbackStatus>())],
        Entity::Introduction => vec![("status", describe::<IntroductionStatus>())],
        Entity::Community => vec![("status", describe::<CommunityStatus>())],
        Entity::Post => vec![("status", describe::<PostStatus>())],
        Entity::Event => {
            vec![("status", describe::<EventStatus>()), ("participation", describe::<EventParticipation>())]
        }
        Entity::EventPerson => vec![("stage", describe::<EventPersonStage>())],
        Entity::PlanRun => vec![("status", describe::<PlanRunStatus>())],
        _ => Vec::new(),
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
        check_table(GoalStatus::ALL);
        check_table(TargetStage::ALL);
        check_table(FeedbackStatus::ALL);
        check_table(IntroductionStatus::ALL);
        check_table(CommunityStatus::ALL);
        check_table(PostStatus::ALL);
        check_table(EventStatus::ALL);
        check_table(EventParticipation::ALL);
        check_table(EventPersonStage::ALL);
    }
}
