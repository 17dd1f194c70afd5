//! Pitches in the database, with their earlier wordings and their uses: the columns, what lists can filter and sort by, and how
//! well each pitch lands.

use diesel::prelude::*;

use super::db::sql::conn::Conn;
use super::db::sql::schema::{pitch_uses, pitch_versions, pitches};
use super::db::sql::select::{Comparison, Direction, Field, Predicate, Scalar, Select, field, sortable};
use super::db::sql::types::AnyId;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::db::write::tx::Tx;
use super::error::Result;
use crate::domain::id::{ContactId, EventId, GoalId, PitchId, WorkspaceId};
use crate::domain::pitch::{Pitch, PitchFields};
use crate::domain::pitch_use::{PitchUse, PitchUseFields};
use crate::domain::pitch_version::{PitchVersion, PitchVersionFields};
use crate::domain::search::SearchText;

record_row! {
    PitchRow of PitchFields in pitches;
    columns {
        title: String,
        audience: Option<String>,
        goal_id: Option<GoalId>,
        hook: Option<String>,
        body: String,
        call_to_action: Option<String>,
        language: Option<String>,
        target_seconds: Option<i32>,
        spoken_seconds: i32,
    }
}

impl Record for Pitch {
    const SUMMARY: &'static [&'static str] =
        &["title", "audience", "language", "target_seconds", "spoken_seconds"];

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    record_statements!(pitches, PitchRow, PitchFields);
}

record_row! {
    PitchVersionRow of PitchVersionFields in pitch_versions;
    columns {
        pitch_id: PitchId,
        number: i32,
        hook: Option<String>,
        body: String,
        call_to_action: Option<String>,
        language: Option<String>,
        spoken_seconds: i32,
    }
}

impl Record for PitchVersion {
    const SUMMARY: &'static [&'static str] = &["pitch_id", "number", "spoken_seconds"];

    record_statements!(pitch_versions, PitchVersionRow, PitchVersionFields);
}

record_row! {
    PitchUseRow of PitchUseFields in pitch_uses;
    columns {
        pitch_id: PitchId,
        used_on: String,
        contact_id: Option<ContactId>,
        event_id: Option<EventId>,
        landed: Option<i32>,
        note: Option<String>,
    }
}

impl Record for PitchUse {
    const SUMMARY: &'static [&'static str] = &["pitch_id", "on", "contact_id", "landed"];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        (field == USED_ON).then(|| Scalar::Text(self.fields.used_on.clone()))
    }

    record_statements!(pitch_uses, PitchUseRow, PitchUseFields);
}

pub const CREATED_AT: Field = sortable(pitches::created_at);
pub const UPDATED_AT: Field = sortable(pitches::updated_at);
pub const GOAL: Field = field(pitches::goal_id);
pub const LANGUAGE: Field = field(pitches::language);
/// Of a version or a use, the pitch.
pub const PITCH: Field = sortable(pitch_uses::pitch_id);
pub const USED_ON: Field = sortable(pitch_uses::used_on);
pub const CONTACT: Field = field(pitch_uses::contact_id);
pub const EVENT: Field = field(pitch_uses::event_id);
pub const LANDED: Field = field(pitch_uses::landed);
const NUMBER: Field = sortable(pitch_versions::number);

fn is_of(pitch: PitchId) -> Predicate {
    Predicate::equal(PITCH, Scalar::Id(AnyId::new(pitch.uuid())))
}

/// The number of the newest of the earlier wordings of a pitch; 0 without any.
pub fn newest_version(tx: &mut Tx<'_>, pitch: PitchId) -> Result<i32> {
    let (order, direction) = (vec![NUMBER], Direction::Descending);
    let select = Select { order, direction, limit: 1, ..Select::all(tx.workspace, is_of(pitch)) };
    Ok(PitchVersion::select(tx.conn, select)?.first().map_or(0, |newest| newest.fields.number))
}

/// The earlier wordings of a pitch up to a number.
pub fn versions_up_to(tx: &mut Tx<'_>, pitch: PitchId, number: i32) -> Result<Vec<PitchVersion>> {
    let old = Predicate::Compare(NUMBER, Comparison::LessOrEqual, Scalar::Int(i64::from(number)));
    Ok(PitchVersion::select(tx.conn, Select::all(tx.workspace, Predicate::All(vec![is_of(pitch), old])))?)
}

/// The uses of a pitch with one rating, or with none: how many there are, and the day of the last one.
#[derive(Debug, Clone, Queryable)]
pub struct UsesWithRating {
    pub landed: Option<i32>,
    pub count: i64,
    pub last_used_on: Option<String>,
}

/// How often a pitch was used with each rating, and when last.
pub fn uses_by_rating(conn: &mut Conn, workspace: WorkspaceId, pitch: AnyId) -> Result<Vec<UsesWithRating>> {
    Ok(pitch_uses::table
        .filter(pitch_uses::workspace_id.eq(workspace))
        .filter(pitch_uses::pitch_id.eq(pitch))
        .group_by(pitch_uses::landed)
        .select((pitch_uses::landed, diesel::dsl::count_star(), diesel::dsl::max(pitch_uses::used_on)))
        .load(conn)?)
}
