//! Posts in the database: their columns, and what lists can filter and sort by.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::db::sql::conn::Conn;
use super::db::sql::schema::posts;
use super::db::sql::select::{
    Comparison, Direction, Field, ID, Predicate, Scalar, Select, day_or_last, field, sortable,
};
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::error::Result;
use super::lists::{Order, Section, first};
use crate::domain::calendar_feed::{MAX_ENTRIES, Window};
use crate::domain::id::{CommunityId, GoalId, WorkspaceId};
use crate::domain::keyed::Keyed;
use crate::domain::post::{Post, PostDayMetrics, PostFields, PostKind, PostStatus};
use crate::domain::search::SearchText;
use crate::domain::timeline::TimelineEntry;
use crate::domain::timestamp::Timestamp;

record_row! {
    PostRow of PostFields in posts;
    columns {
        platform: Option<String>,
        kind: PostKind,
        title: Option<String>,
        body: Option<String>,
        url: Option<String>,
        topic: Option<String>,
        community_id: Option<CommunityId>,
        goal_id: Option<GoalId>,
        status: PostStatus,
        status_reason: Option<String>,
        scheduled_on: Option<String>,
        published_at: Option<Timestamp>,
    }
    json {
        metrics: Keyed<PostDayMetrics>,
    }
    computed {
        scheduled_sort: String = |fields| day_or_last(fields.scheduled_on.as_ref()),
        published_sort: Timestamp = |fields| published_sort(fields),
    }
}

/// When it was published, or before all others.
fn published_sort(fields: &PostFields) -> Timestamp {
    fields.published_at.unwrap_or_else(|| Timestamp::new(chrono::DateTime::UNIX_EPOCH))
}

impl Record for Post {
    const SUMMARY: &'static [&'static str] =
        &["platform", "kind", "title", "topic", "status", "scheduled_on", "published_at"];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        match field {
            SCHEDULED_ON => self.fields.scheduled_on.clone().map(Scalar::Text),
            PUBLISHED_AT => self.fields.published_at.map(Scalar::Instant),
            SCHEDULED => Some(Scalar::Text(day_or_last(self.fields.scheduled_on.as_ref()))),
            PUBLISHED => Some(Scalar::Instant(published_sort(&self.fields))),
            _ => None,
        }
    }

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    fn timeline(&self) -> Vec<TimelineEntry> {
        Self::timeline(self).into_iter().collect()
    }

    record_statements!(posts, PostRow, PostFields);
}

pub const CREATED_AT: Field = sortable(posts::created_at);
pub const UPDATED_AT: Field = sortable(posts::updated_at);
pub const KIND: Field = sortable(posts::kind);
pub const STATUS: Field = sortable(posts::status);
pub const PLATFORM: Field = field(posts::platform);
pub const COMMUNITY: Field = field(posts::community_id);
pub const GOAL: Field = field(posts::goal_id);
pub const SCHEDULED_ON: Field = field(posts::scheduled_on);
/// Null unless it was published.
pub const PUBLISHED_AT: Field = field(posts::published_at);
/// The day it is scheduled for, or the last one there is.
pub const SCHEDULED: Field = sortable(posts::scheduled_sort);
/// When it was published, or before all others.
pub const PUBLISHED: Field = sortable(posts::published_sort);

/// A post of one's own that was published between two instants.
pub fn is_published_within(from: Timestamp, until: Timestamp) -> Predicate {
    Predicate::All(vec![
        Predicate::Compare(PUBLISHED_AT, Comparison::GreaterOrEqual, Scalar::Instant(from)),
        Predicate::Compare(PUBLISHED_AT, Comparison::Less, Scalar::Instant(until)),
        is_published(),
    ])
}

/// A post of one's own, and no answer to others, that is published.
pub fn is_published() -> Predicate {
    let words = |words: &[&str]| words.iter().map(|word| Scalar::Text((*word).to_owned())).collect();
    let states = [PostStatus::Published, PostStatus::Reviewed].map(PostStatus::as_str);
    Predicate::All(vec![
        Predicate::In(KIND, words(&PostKind::OWN.map(PostKind::as_str))),
        Predicate::In(STATUS, words(&states)),
    ])
}

fn is_scheduled(comparison: Comparison, day: NaiveDate) -> Predicate {
    Predicate::All(vec![
        Predicate::IsWord(STATUS, PostStatus::Scheduled.as_str()),
        Predicate::Compare(SCHEDULED_ON, comparison, Scalar::Text(day.to_string())),
    ])
}

/// What is scheduled for a day or was for one before it, the oldest first.
pub fn due(conn: &mut Conn, workspace: WorkspaceId, on: NaiveDate, limit: i64) -> Result<Section<Post>> {
    let order = Order::By(SCHEDULED_ON, Direction::Ascending);
    first(conn, workspace, is_scheduled(Comparison::LessOrEqual, on), order, limit)
}

/// What is scheduled for the days of a calendar, the earliest first.
pub fn scheduled_within(conn: &mut Conn, workspace: WorkspaceId, window: Window) -> Result<Vec<Post>> {
    let before = Predicate::Compare(SCHEDULED_ON, Comparison::Less, Scalar::Text(window.until.to_string()));
    let filter = Predicate::All(vec![is_scheduled(Comparison::GreaterOrEqual, window.since), before]);
    let (order, direction) = (vec![SCHEDULED_ON, ID], Direction::Ascending);
    Ok(Post::select(conn, Select { workspace, filter, order, direction, limit: MAX_ENTRIES })?)
}

/// When the posts of a community were published between two instants, and their kinds.
pub fn published_in(
    conn: &mut Conn,
    workspace: WorkspaceId,
    community: CommunityId,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<(Timestamp, PostKind)>> {
    let rows: Vec<(Option<Timestamp>, PostKind)> = posts::table
        .filter(posts::workspace_id.eq(workspace))
        .filter(posts::community_id.eq(community))
        .filter(posts::published_at.ge(from))
        .filter(posts::published_at.lt(until))
        .filter(posts::status.ne(PostStatus::Dropped))
        .select((posts::published_at, posts::kind))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(at, kind)| Some((at?, kind))).collect())
}
