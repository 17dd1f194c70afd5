//! The events in the view of a day: those ahead with what is still to be prepared, and those that wait for a debrief.

use serde::Serialize;
use utoipa::ToSchema;

use super::moment::Moment;
use crate::api::http::messages::section::SectionOf;
use crate::domain::card::EventCard;
use crate::domain::event::{Event, EventParticipation};
use crate::domain::event_preparation::EventPreparation;
use crate::domain::today::{self, DAYS_AHEAD, DEBRIEF_DAYS, TodayReason};
use crate::store::lists::Section;
use crate::store::{AnyId, Conn, Record, Result as StoreResult, events};

/// An event ahead.
#[derive(Serialize, ToSchema)]
pub struct TodayEvent {
    reason: TodayReason,
    event: EventCard,
    /// What is prepared, and what is missing.
    preparation: EventPreparation,
}

/// An event that is over and has no debrief.
#[derive(Serialize, ToSchema)]
pub struct TodayDebrief {
    reason: TodayReason,
    event: EventCard,
}

// The document names a type that has no parameters.
pub type TodayEventSection = SectionOf<TodayEvent>;
pub type TodayDebriefSection = SectionOf<TodayDebrief>;

/// Of participations, the part of a query.
fn participations(participations: impl Iterator<Item = EventParticipation>) -> String {
    participations.map(|one| format!("&participation={}", one.as_str())).collect()
}

/// The events ahead, the next one first; fewer as the day goes by.
pub fn ahead(conn: &mut Conn, moment: &Moment) -> StoreResult<Vec<Event>> {
    let mut ahead = events::ahead(conn, moment.workspace, moment.on, moment.day_after(DAYS_AHEAD))?;
    ahead.retain(|event| !event.fields.is_over(moment.at));
    Ok(ahead)
}

pub fn ahead_section(
    conn: &mut Conn,
    moment: &Moment,
    mut ahead: Vec<Event>,
    limit: usize,
) -> StoreResult<TodayEventSection> {
    let Moment { workspace, on, at, .. } = *moment;
    let total = i64::try_from(ahead.len()).unwrap_or(i64::MAX);
    ahead.truncate(limit);
    let ids: Vec<AnyId> = ahead.iter().map(Record::id).collect();
    let to_research = events::to_research(conn, workspace, &ids)?;
    let item = |event: &Event| {
        let count = to_research.get(&Record::id(event)).copied().unwrap_or_default();
        let preparation = EventPreparation::new(&event.fields, count);
        let reason = today::event(&event.fields.title, event.fields.days_left(on), &preparation);
        TodayEvent { reason, event: EventCard::new(event), preparation }
    };
    let open = EventParticipation::ALL.iter().copied().filter(|participation| participation.is_open());
    let until = moment.start_of_day_after(DAYS_AHEAD + 1);
    let list = format!(
        "/v1/events?status=scheduled{}&session=false&ends_at[gt]={at}&starts_at[lt]={until}&sort=starts_at",
        participations(open)
    );
    Ok(SectionOf { items: ahead.iter().map(item).collect(), total, list })
}

pub fn to_debrief(moment: &Moment, section: &Section<Event>) -> TodayDebriefSection {
    let item = |event: &Event| TodayDebrief {
        reason: today::event_to_debrief(&event.fields.title, event.fields.days_left(moment.on)),
        event: EventCard::new(event),
    };
    let (from, at) = (moment.start_of_day_before(DEBRIEF_DAYS), moment.at);
    let list = format!(
        "/v1/events?status=scheduled{}&session=false&debriefed=false&ends_at[gte]={from}&ends_at[lte]={at}&sort=-starts_at",
        participations(EventParticipation::TO_DEBRIEF.iter().copied())
    );
    SectionOf { items: section.items.iter().map(item).collect(), total: section.total, list }
}
