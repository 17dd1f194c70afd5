//! The feedback that waits for something to be done, in the view of a day.

use serde::Serialize;
use utoipa::ToSchema;

use super::moment::Moment;
use crate::api::http::messages::section::SectionOf;
use crate::api::http::records::contact_cards::ContactCards;
use crate::domain::card::ContactCard;
use crate::domain::feedback::{Feedback, OPEN_DAYS};
use crate::domain::today::{self, TodayReason};
use crate::store::lists::Section;

/// Feedback that has been open for a while.
#[derive(Serialize, ToSchema)]
pub struct TodayFeedback {
    reason: TodayReason,
    feedback: Feedback,
    contact: ContactCard,
}

// The document names a type that has no parameters.
pub type TodayFeedbackSection = SectionOf<TodayFeedback>;

pub fn shown(moment: &Moment, cards: &ContactCards, section: Section<Feedback>) -> TodayFeedbackSection {
    let item = |feedback: Feedback| {
        let contact = cards.get(feedback.fields.contact_id)?;
        let changed = feedback.fields.status_changed_at.unwrap_or(feedback.created_at);
        let days = moment.days_until(moment.zone.day(changed));
        let reason = today::feedback(&feedback.fields.topic, &contact.name, feedback.fields.status, days);
        Some(TodayFeedback { reason, feedback, contact })
    };
    let before = moment.start_of_day_before(OPEN_DAYS - 1);
    let list = format!("/v1/feedback?open=true&status_changed_at[lt]={before}&sort=status_changed_at");
    SectionOf::shown(section, item, list)
}
