//! Enumerations whose values are words, the same in JSON, in the database and in filters. What the words mean is
//! documented at each enumeration.

/// An enumeration of these words; in JSON, each is the name of its variant in snake case.
macro_rules! enumeration {
    ($(#[$meta:meta])* $Name:ident { $($(#[$of_value:meta])* $Value:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $Name {
            $($(#[$of_value])* $Value,)*
        }

        impl $Name {
            pub const ALL: &'static [Self] = &[$(Self::$Value,)*];
            /// The words, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word,)*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$Value => $word,)* }
            }

            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == name)
            }
        }
    };
}
pub(in crate::domain) use enumeration;

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::json;

    use crate::domain::cadence::CadenceState;
    use crate::domain::calendar_feed::CalendarContent;
    use crate::domain::community::{CommunityKind, CommunityStatus};
    use crate::domain::contact::Channel;
    use crate::domain::event_preparation::EventPreparationPart;
    use crate::domain::exchange::{ExchangeDirection, ExchangeKind, ExchangeOrigin};
    use crate::domain::feedback::{FeedbackKind, FeedbackStatus};
    use crate::domain::follow_up::{FollowUpKind, FollowUpOrigin, FollowUpStatus, OwedBy};
    use crate::domain::follow_up_plan::BuiltInPlan;
    use crate::domain::goal::{GoalCategory, GoalStatus};
    use crate::domain::in_common::InCommonKind;
    use crate::domain::interaction::{InteractionDirection, InteractionKind, InteractionStatus};
    use crate::domain::interval::IntervalUnit;
    use crate::domain::introduction::{Consent, IntroductionDirection, IntroductionStatus};
    use crate::domain::introduction_path::IntroductionPathReasonCode;
    use crate::domain::key_result::KeyResultMetric;
    use crate::domain::need::{NeedKind, NeedStatus};
    use crate::domain::notification::{NotificationKind, NotificationReasonCode};
    use crate::domain::organization::OrganizationKind;
    use crate::domain::persona::CandidateReasonCode;
    use crate::domain::plan_run::PlanRunStatus;
    use crate::domain::position::PositionKind;
    use crate::domain::post::{PostKind, PostStatus};
    use crate::domain::progress::Pace;
    use crate::domain::recurrence::RecurrenceFrom;
    use crate::domain::relationship::RelationshipType;
    use crate::domain::resource::ResourceKind;
    use crate::domain::target::TargetStage;
    use crate::domain::timeline::TimelineKind;
    use crate::domain::today::{TodayReasonCode, TodaySetupCode};

    fn written<T: Serialize>(values: &[T]) -> serde_json::Value {
        json!(values)
    }

    #[test]
    fn a_word_is_the_same_in_json_as_everywhere_else() {
        assert_eq!(written(PositionKind::ALL), json!(PositionKind::WORDS));
        assert_eq!(written(OrganizationKind::ALL), json!(OrganizationKind::WORDS));
        assert_eq!(written(RelationshipType::ALL), json!(RelationshipType::WORDS));
        assert_eq!(written(NeedKind::ALL), json!(NeedKind::WORDS));
        assert_eq!(written(NeedStatus::ALL), json!(NeedStatus::WORDS));
        assert_eq!(written(Channel::ALL), json!(Channel::WORDS));
        assert_eq!(written(InteractionKind::ALL), json!(InteractionKind::WORDS));
        assert_eq!(written(InteractionStatus::ALL), json!(InteractionStatus::WORDS));
        assert_eq!(written(InteractionDirection::ALL), json!(InteractionDirection::WORDS));
        assert_eq!(written(IntervalUnit::ALL), json!(IntervalUnit::WORDS));
        assert_eq!(written(CadenceState::ALL), json!(CadenceState::WORDS));
        assert_eq!(written(TodayReasonCode::ALL), json!(TodayReasonCode::WORDS));
        assert_eq!(written(TodaySetupCode::ALL), json!(TodaySetupCode::WORDS));
        assert_eq!(written(NotificationKind::ALL), json!(NotificationKind::WORDS));
        assert_eq!(written(NotificationReasonCode::ALL), json!(NotificationReasonCode::WORDS));
        assert_eq!(written(TimelineKind::ALL), json!(TimelineKind::WORDS));
        assert_eq!(written(ExchangeDirection::ALL), json!(ExchangeDirection::WORDS));
        assert_eq!(written(ExchangeKind::ALL), json!(ExchangeKind::WORDS));
        assert_eq!(written(ExchangeOrigin::ALL), json!(ExchangeOrigin::WORDS));
        assert_eq!(written(FeedbackKind::ALL), json!(FeedbackKind::WORDS));
        assert_eq!(written(FeedbackStatus::ALL), json!(FeedbackStatus::WORDS));
        assert_eq!(written(IntroductionPathReasonCode::ALL), json!(IntroductionPathReasonCode::WORDS));
        assert_eq!(written(CalendarContent::ALL), json!(CalendarContent::WORDS));
        assert_eq!(written(CommunityKind::ALL), json!(CommunityKind::WORDS));
        assert_eq!(written(CommunityStatus::ALL), json!(CommunityStatus::WORDS));
        assert_eq!(written(PostKind::ALL), json!(PostKind::WORDS));
        assert_eq!(written(PostStatus::ALL), json!(PostStatus::WORDS));
        assert_eq!(written(ResourceKind::ALL), json!(ResourceKind::WORDS));
        assert_eq!(written(Consent::ALL), json!(Consent::WORDS));
        assert_eq!(written(IntroductionDirection::ALL), json!(IntroductionDirection::WORDS));
        assert_eq!(written(IntroductionStatus::ALL), json!(IntroductionStatus::WORDS));
        assert_eq!(written(FollowUpKind::ALL), json!(FollowUpKind::WORDS));
        assert_eq!(written(FollowUpStatus::ALL), json!(FollowUpStatus::WORDS));
        assert_eq!(written(FollowUpOrigin::ALL), json!(FollowUpOrigin::WORDS));
        assert_eq!(written(BuiltInPlan::ALL), json!(BuiltInPlan::WORDS));
        assert_eq!(written(PlanRunStatus::ALL), json!(PlanRunStatus::WORDS));
        assert_eq!(written(GoalCategory::ALL), json!(GoalCategory::WORDS));
        assert_eq!(written(GoalStatus::ALL), json!(GoalStatus::WORDS));
        assert_eq!(written(KeyResultMetric::ALL), json!(KeyResultMetric::WORDS));
        assert_eq!(written(TargetStage::ALL), json!(TargetStage::WORDS));
        assert_eq!(written(CandidateReasonCode::ALL), json!(CandidateReasonCode::WORDS));
        assert_eq!(written(Pace::ALL), json!(Pace::WORDS));
        assert_eq!(written(InCommonKind::ALL), json!(InCommonKind::WORDS));
        assert_eq!(written(EventPreparationPart::ALL), json!(EventPreparationPart::WORDS));
        assert_eq!(written(OwedBy::ALL), json!(OwedBy::WORDS));
        assert_eq!(written(RecurrenceFrom::ALL), json!(RecurrenceFrom::WORDS));
    }
}
