//! Feedback in the database: its columns, and what lists can filter and sort by.

use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::HashMap;

use super::contacts;
use super::db::sql::conn::Conn;
use super::db::sql::schema::feedback;
use super::db::sql::select::{Comparison, Direction, Field, Predicate, Scalar, field, sortable};
use super::db::sql::types::AnyId;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::error::Result;
use super::lists::{Order, Section, first};
use crate::domain::feedback::{Feedback, FeedbackFields, FeedbackKind, FeedbackStatus};
use crate::domain::id::{ContactId, ExchangeId, FollowUpId, GoalId, PitchId, WorkspaceId};
use crate::domain::search::SearchText;
use crate::domain::timeline::TimelineEntry;
use crate::domain::timestamp::Timestamp;

record_row! {
    FeedbackRow of FeedbackFields in feedback;
    columns {
        contact_id: ContactId,
        kind: FeedbackKind,
        topic: String,
        body: Option<String>,
        status: FeedbackStatus,
        status_reason: Option<String>,
        status_changed_at: Option<Timestamp>,
        received_on: Option<String>,
        action: Option<String>,
        action_taken_on: Option<String>,
        reported_back_on: Option<String>,
        goal_id: Option<GoalId>,
        pitch_id: Option<PitchId>,
        exchange_id: Option<ExchangeId>,
        follow_up_id: Option<FollowUpId>,
    }
    computed {
        changed_sort: Timestamp = |fields| changed_sort(fields),
        is_open: bool = |fields| fields.status.is_open(),
    }
}

/// When it came to its status.
fn changed_sort(fields: &FeedbackFields) -> Timestamp {
    fields.status_changed_at.unwrap_or_else(|| Timestamp::new(chrono::DateTime::UNIX_EPOCH))
}

impl Record for Feedback {
    const SUMMARY: &'static [&'static str] = &["contact_id", "kind", "topic", "status", "received_on"];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        match field {
            STATUS_CHANGED => Some(Scalar::Instant(changed_sort(&self.fields))),
            ACTION_TAKEN_ON => self.fields.action_taken_on.clone().map(Scalar::Text),
            _ => None,
        }
    }

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    /// Who gives it.
    fn subtitles(
        conn: &mut Conn,
        workspace: WorkspaceId,
        records: &[Self],
        _on: NaiveDate,
    ) -> Result<HashMap<AnyId, String>> {
        contacts::name_of_each(conn, workspace, records, |own| own.fields.contact_id)
    }

    fn timeline(&self) -> Vec<TimelineEntry> {
        Self::timeline(self).into_iter().collect()
    }

    record_statements!(feedback, FeedbackRow, FeedbackFields);
}

pub const CREATED_AT: Field = sortable(feedback::created_at);
pub const UPDATED_AT: Field = sortable(feedback::updated_at);
pub const CONTACT: Field = sortable(feedback::contact_id);
pub const KIND: Field = sortable(feedback::kind);
pub const STATUS: Field = sortable(feedback::status);
pub const STATUS_CHANGED: Field = sortable(feedback::changed_sort);
pub const RECEIVED_ON: Field = field(feedback::received_on);
/// Null unless it is acted on.
pub const ACTION_TAKEN_ON: Field = field(feedback::action_taken_on);
pub const GOAL: Field = field(feedback::goal_id);
pub const PITCH: Field = field(feedback::pitch_id);
pub const IS_OPEN: Field = sortable(feedback::is_open);

/// What is open and has not moved since before an instant, the oldest first.
pub fn open_since(
    conn: &mut Conn,
    workspace: WorkspaceId,
    before: Timestamp,
    limit: i64,
) -> Result<Section<Feedback>> {
    let filter = Predicate::All(vec![
        Predicate::equal(IS_OPEN, Scalar::Bool(true)),
        Predicate::Compare(STATUS_CHANGED, Comparison::Less, Scalar::Instant(before)),
    ]);
    first(conn, workspace, filter, Order::By(STATUS_CHANGED, Direction::Ascending), limit)
}
