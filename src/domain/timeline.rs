//! Which records appear in timelines, and when. The order of a page is defined in the store.

use super::entity::Entity;
use super::event::{Event, EventParticipation};
use super::event_person::EventPerson;
use super::exchange::{Exchange, ExchangeOrigin};
use super::feedback::Feedback;
use super::fields::parse_day;
use super::follow_up::{FollowUp, FollowUpStatus};
use super::goal::{Goal, GoalStatus};
use super::id::ContactId;
use super::interaction::{Interaction, InteractionStatus};
use super::introduction::Introduction;
use super::partial_date::PartialDate;
use super::position::Position;
use super::post::Post;
use super::target::Target;
use super::timestamp::Timestamp;
use super::words::enumeration;

enumeration! {
    /// The kind of timeline entry: an interaction that happened, a follow-up that was completed, a position that began, a
    /// position that ended, somebody you met at an event, an event you attended, a target that you connected with, a goal
    /// that was achieved, something that was given or received,
    /// feedback that was received, an introduction that was made, a post that was published.
    TimelineKind {
        Interaction = "interaction",
        FollowUpCompleted = "follow_up_completed",
        PositionStarted = "position_started",
        PositionEnded = "position_ended",
        MetAtEvent = "met_at_event",
        EventAttended = "event_attended",
        TargetConnected = "target_connected",
        GoalAchieved = "goal_achieved",
        Exchange = "exchange",
        FeedbackReceived = "feedback_received",
        IntroductionMade = "introduction_made",
        PostPublished = "post_published",
    }
}

impl TimelineKind {
    /// The kind of record that an entry shows.
    pub const fn entity(self) -> Entity {
        match self {
            Self::Interaction => Entity::Interaction,
            Self::FollowUpCompleted => Entity::FollowUp,
            Self::PositionStarted | Self::PositionEnded => Entity::Position,
            Self::MetAtEvent => Entity::EventPerson,
            Self::EventAttended => Entity::Event,
            Self::TargetConnected => Entity::Target,
            Self::GoalAchieved => Entity::Goal,
            Self::Exchange => Entity::Exchange,
            Self::FeedbackReceived => Entity::Feedback,
            Self::IntroductionMade => Entity::Introduction,
            Self::PostPublished => Entity::Post,
        }
    }
}

/// A place of a record in the timelines of contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    pub kind: TimelineKind,
    /// When it was; of a day, its end in UTC.
    pub sorted_at: Timestamp,
    pub contact_ids: Vec<ContactId>,
}

impl Interaction {
    /// One that happened.
    pub fn timeline(&self) -> Option<TimelineEntry> {
        (self.fields.status == InteractionStatus::Happened).then(|| TimelineEntry {
            kind: TimelineKind::Interaction,
            sorted_at: self.fields.sorted_at(),
            contact_ids: self.fields.contact_ids.clone(),
        })
    }
}

impl FollowUp {
    /// One that was completed.
    pub fn timeline(&self) -> Option<TimelineEntry> {
        let completed_at = self.fields.completed_at.filter(|_| self.fields.status == FollowUpStatus::Done)?;
        let contact_ids = self.fields.contact_ids.clone();
        Some(TimelineEntry { kind: TimelineKind::FollowUpCompleted, sorted_at: completed_at, contact_ids })
    }
}

impl Target {
    /// One that was connected with.
    pub fn timeline(&self) -> Option<TimelineEntry> {
        Some(TimelineEntry {
            kind: TimelineKind::TargetConnected,
            sorted_at: self.fields.connected_at?,
            contact_ids: self.fields.contact_id.into_iter().collect(),
        })
    }
}

impl Goal {
    /// One that was achieved. It is of nobody's timeline but that of the workspace.
    pub fn timeline(&self) -> Option<TimelineEntry> {
        let sorted_at = self.fields.achieved_at.filter(|_| self.fields.status == GoalStatus::Achieved)?;
        Some(TimelineEntry { kind: TimelineKind::GoalAchieved, sorted_at, contact_ids: Vec::new() })
    }
}

impl EventPerson {
    /// One that you met.
    pub fn timeline(&self) -> Option<TimelineEntry> {
        Some(TimelineEntry {
            kind: TimelineKind::MetAtEvent,
            sorted_at: self.fields.met_at?,
            contact_ids: self.fields.contact_id.into_iter().collect(),
        })
    }
}

impl Event {
    /// One that you attended, when it started. It is of nobody's timeline but that of the workspace.
    pub fn timeline(&self) -> Option<TimelineEntry> {
        (self.fields.participation == EventParticipation::Attended).then(|| TimelineEntry {
            kind: TimelineKind::EventAttended,
            sorted_at: self.fields.begins(),
            contact_ids: Vec::new(),
        })
    }
}

impl Exchange {
    /// What was given or received, on its day. What something else stands for in the timeline is not told twice.
    pub fn timeline(&self) -> Option<TimelineEntry> {
        if !matches!(self.fields.origin, ExchangeOrigin::Manual | ExchangeOrigin::FollowUp) {
            return None;
        }
        Some(TimelineEntry {
            kind: TimelineKind::Exchange,
            sorted_at: Timestamp::end_of(self.fields.day()?),
            contact_ids: vec![self.fields.contact_id],
        })
    }
}

impl Feedback {
    /// When it was received.
    pub fn timeline(&self) -> Option<TimelineEntry> {
        let day = self.fields.received_on.as_deref().and_then(|day| parse_day(day).ok())?;
        Some(TimelineEntry {
            kind: TimelineKind::FeedbackReceived,
            sorted_at: Timestamp::end_of(day),
            contact_ids: vec![self.fields.contact_id],
        })
    }
}

impl Introduction {
    /// When it was made, in the timelines of the two and of who introduced them.
    pub fn timeline(&self) -> Option<TimelineEntry> {
        let fields = &self.fields;
        Some(TimelineEntry {
            kind: TimelineKind::IntroductionMade,
            sorted_at: Timestamp::end_of(fields.made_day()?),
            contact_ids: [fields.contact_a_id, fields.contact_b_id]
                .into_iter()
                .chain(fields.introducer_id)
                .collect(),
        })
    }
}

impl Post {
    /// One that was published. It is of nobody's timeline but that of the workspace.
    pub fn timeline(&self) -> Option<TimelineEntry> {
        let sorted_at = self.fields.published_at.filter(|_| self.fields.status.is_published())?;
        Some(TimelineEntry { kind: TimelineKind::PostPublished, sorted_at, contact_ids: Vec::new() })
    }
}

impl Position {
    /// Its beginning on the first day that it may have been, and its end on the last, as far as they are known: so a
    /// position is current between the two.
    pub fn timeline(&self) -> Vec<TimelineEntry> {
        let entry = |kind, day| TimelineEntry {
            kind,
            sorted_at: Timestamp::end_of(day),
            contact_ids: vec![self.fields.contact_id],
        };
        let date = |date: &Option<String>| PartialDate::parse(date.as_deref()?).ok();
        let started = date(&self.fields.started_on).and_then(PartialDate::earliest);
        let ended = date(&self.fields.ended_on).and_then(PartialDate::latest);
        let started = started.map(|day| entry(TimelineKind::PositionStarted, day));
        let ended = ended.map(|day| entry(TimelineKind::PositionEnded, day));
        started.into_iter().chain(ended).collect()
    }
}
