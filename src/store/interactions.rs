//! Interactions in the database: their columns, and what lists can filter and sort by.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::db::sql::conn::Conn;
use super::db::sql::schema::interactions;
use super::db::sql::select::{Comparison, Direction, Field, ID, Predicate, Scalar, Select, field, sortable};
use super::db::sql::types::{AnyId, RecordRef};
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::error::Result;
use crate::domain::contact::Channel;
use crate::domain::entity::Entity;
use crate::domain::id::{CommunityId, ContactId, EventId, GoalId, PostId, WorkspaceId};
use crate::domain::interaction::{
    Interaction, InteractionDirection, InteractionFields, InteractionKind, InteractionStatus,
};
use crate::domain::locale::TimeZone;
use crate::domain::progress::Window;
use crate::domain::reference::reference;
use crate::domain::search::SearchText;
use crate::domain::timeline::TimelineEntry;
use crate::domain::timestamp::Timestamp;

record_row! {
    InteractionRow of InteractionFields in interactions;
    columns {
        kind: InteractionKind,
        status: InteractionStatus,
        status_reason: Option<String>,
        direction: InteractionDirection,
        occurred_at: Option<Timestamp>,
        occurred_on: Option<String>,
        duration_minutes: Option<i32>,
        channel: Option<Channel>,
        subject: Option<String>,
        body: Option<String>,
        location: Option<String>,
        url: Option<String>,
        quality: Option<i32>,
        counts: Option<bool>,
        event_id: Option<EventId>,
        post_id: Option<PostId>,
        community_id: Option<CommunityId>,
    }
    json {
        contact_ids: Vec<ContactId>,
        goal_ids: Vec<GoalId>,
    }
    computed {
        sorted_at: Timestamp = |fields| fields.sorted_at(),
        is_counted: bool = |fields| fields.is_counted(),
        url_platform: Option<String> = |fields| fields.url_platform().map(str::to_owned),
        is_engagement: bool = |fields| fields.is_engagement(),
    }
}

impl Record for Interaction {
    const SUMMARY: &'static [&'static str] =
        &["contact_ids", "kind", "status", "direction", "occurred_at", "occurred_on", "subject"];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        (field == OCCURRED).then(|| Scalar::Instant(self.fields.sorted_at()))
    }

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    fn timeline(&self) -> Vec<TimelineEntry> {
        Self::timeline(self).into_iter().collect()
    }

    /// The activity of everybody it was with.
    fn derived_dependents(&self) -> Vec<RecordRef> {
        let contacts = self.fields.contact_ids.iter();
        contacts.map(|contact| (Entity::ContactActivity, AnyId::new(contact.uuid()))).collect()
    }

    fn changes_derived(&self, before: &Self) -> bool {
        let decides = |fields: &InteractionFields| {
            let day = (fields.occurred_at, fields.occurred_on.clone());
            (fields.contact_ids.clone(), fields.status, fields.is_counted(), day)
        };
        decides(&self.fields) != decides(&before.fields)
    }

    record_statements!(interactions, InteractionRow, InteractionFields);
}

/// Those that happened and count in a window of days: each part of the condition. What continues a list in the order of time
/// has a place in it instead of the end of the window: with both, SQLite begins at the end and walks to the place.
pub fn counted_within(window: Window, zone: TimeZone, is_continued: bool) -> Vec<Predicate> {
    let at = |comparison, instant| Predicate::Compare(OCCURRED, comparison, Scalar::Instant(instant));
    let between = |(from, until): (Timestamp, Timestamp)| {
        vec![at(Comparison::GreaterOrEqual, from), at(Comparison::Less, until)]
    };
    let on =
        |comparison, day: NaiveDate| Predicate::Compare(OCCURRED_ON, comparison, Scalar::Text(day.to_string()));
    // Of a day, the end in UTC is what it is sorted by.
    let (local, utc) = (window.instants(zone), window.instants_in_utc());
    let mut parts = between((local.0.min(utc.0), local.1.max(utc.1)));
    parts.truncate(if is_continued { 1 } else { parts.len() });
    let mut at_a_time = between(local);
    at_a_time.push(Predicate::IsNull(OCCURRED_ON));
    let on_a_day = vec![on(Comparison::GreaterOrEqual, window.first), on(Comparison::LessOrEqual, window.last)];
    parts.push(Predicate::equal(IS_COUNTED, Scalar::Bool(true)));
    parts.push(Predicate::Any(vec![Predicate::All(at_a_time), Predicate::All(on_a_day)]));
    parts
}

pub const CREATED_AT: Field = sortable(interactions::created_at);
pub const UPDATED_AT: Field = sortable(interactions::updated_at);
/// When it was, or the end of its day.
pub const OCCURRED: Field = sortable(interactions::sorted_at);
/// Null where the time is known.
const OCCURRED_ON: Field = field(interactions::occurred_on);
pub const KIND: Field = sortable(interactions::kind);
pub const STATUS: Field = sortable(interactions::status);
pub const DIRECTION: Field = sortable(interactions::direction);
pub const CHANNEL: Field = field(interactions::channel);
pub const QUALITY: Field = field(interactions::quality);
pub const EVENT: Field = field(interactions::event_id);
pub const POST: Field = field(interactions::post_id);
pub const COMMUNITY: Field = field(interactions::community_id);
const BODY: Field = field(interactions::body);
pub const IS_COUNTED: Field = sortable(interactions::is_counted);

/// The interactions with a contact that happened by an instant and have notes, the latest first.
pub fn with_notes(
    conn: &mut Conn,
    workspace: WorkspaceId,
    contact: AnyId,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Interaction>> {
    let Some(with) = reference(Entity::Interaction, Entity::Contact) else { return Ok(Vec::new()) };
    let filter = Predicate::All(vec![
        Predicate::Lists(with, vec![contact]),
        Predicate::equal(STATUS, Scalar::Text(InteractionStatus::Happened.as_str().to_owned())),
        Predicate::Compare(OCCURRED, Comparison::LessOrEqual, Scalar::Instant(until)),
        Predicate::NotNull(BODY),
    ]);
    let (order, direction) = (vec![OCCURRED, ID], Direction::Descending);
    Ok(Interaction::select(conn, Select { workspace, filter, order, direction, limit })?)
}
