//! Reading the log of changes: what happened since a number, and the history of one record.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::json::{json, referred_ids};
use super::record::{Record, for_entity};
use super::tx::Tx;
use crate::domain::entity::{Entity, Op};
use crate::domain::id::{SessionId, TokenId, UserId, WorkspaceId};
use crate::domain::operation::MAX_AT_ONCE;
use crate::domain::reference::{REFERENCES, is_derived};
use crate::domain::timestamp::Timestamp;
use crate::store::db::sql::conn::{Conn, read_transaction};
use crate::store::db::sql::schema::{changes, operations, workspaces};
use crate::store::db::sql::select::{Predicate, Select};
use crate::store::db::sql::types::{AnyId, AsJson};
use crate::store::error::{Error, Result};

/// A page of the log, or of a history, ends where what it holds reaches this many bytes of JSON.
const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;

/// A row of the log without what the record was before.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = changes)]
struct ChangeHead {
    seq: i64,
    write_seq: i64,
    entity: Entity,
    record_id: AnyId,
    op: Op,
    actor_user_id: Option<UserId>,
    actor_token_id: Option<TokenId>,
    actor_session_id: Option<SessionId>,
    actor_job: Option<String>,
    at: Timestamp,
    fields: AsJson<Vec<String>>,
    merged_into_id: Option<AnyId>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = changes)]
pub(in crate::store) struct ChangeRow {
    pub seq: i64,
    pub write_seq: i64,
    pub entity: Entity,
    pub record_id: AnyId,
    pub op: Op,
    pub actor_user_id: Option<UserId>,
    pub actor_token_id: Option<TokenId>,
    pub actor_session_id: Option<SessionId>,
    pub actor_job: Option<String>,
    pub at: Timestamp,
    pub fields: AsJson<Vec<String>>,
    pub before: Option<AsJson<Value>>,
    pub merged_into_id: Option<AnyId>,
}

/// One change, with the record as it is now.
#[derive(Debug, Clone)]
pub struct Change {
    pub entity: Entity,
    pub id: AnyId,
    pub op: Op,
    pub version: i64,
    /// The number of the first change of the same write.
    pub write: i64,
    /// The names of the fields that changed; empty for a created or deleted record.
    pub fields: Vec<String>,
    pub at: Timestamp,
    pub user: Option<UserId>,
    pub session: Option<SessionId>,
    pub token: Option<TokenId>,
    /// The kind of job that made it.
    pub job: Option<String>,
    /// The record that it lives on in, of one that was merged.
    pub merged_into: Option<AnyId>,
    /// The record's JSON; `None` when it is gone.
    pub data: Option<Box<RawValue>>,
}

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// Everything up to this number was seen.
    pub seq: i64,
    /// The newest purged tombstone when the reader began, or last stood beyond it: no newer one may be missed.
    pub purged_seq: i64,
    /// The newest number when the reader began from the beginning: up to it, each record that exists is shown only by its
    /// newest change.
    pub snapshot_until: i64,
}

pub struct ChangePage {
    pub items: Vec<Change>,
    pub next: Since,
    pub has_more: bool,
}

/// Up to `limit` changes of these kinds after a place, up to which some kinds were shown; oldest first. `None` starts from
/// the beginning, where each record that exists is shown once, by its newest change, and what is gone is not. One that
/// changes meanwhile is shown again by a later number.
pub fn since(
    conn: &mut Conn,
    workspace: WorkspaceId,
    since: Option<(Since, BTreeSet<Entity>)>,
    entities: Vec<Entity>,
    limit: i64,
) -> Result<ChangePage> {
    read_transaction(conn, |conn| {
        let (newest, purged_seq): (i64, i64) = workspaces::table
            .filter(workspaces::id.eq(workspace))
            .select((workspaces::seq, workspaces::purged_seq))
            .get_result(conn)?;
        let (since, shown) =
            since.unwrap_or_else(|| (Since { seq: 0, purged_seq, snapshot_until: newest }, BTreeSet::new()));
        if since.seq < purged_seq && since.purged_seq != purged_seq {
            return Err(Error::CursorExpired);
        }
        // A number from the future is one of a database that was since replaced by an older copy.
        if since.seq > newest {
            return Err(Error::CursorExpired);
        }
        let own = || changes::table.filter(changes::workspace_id.eq(workspace));
        let not_shown: Vec<Entity> = entities.iter().copied().filter(|entity| !shown.contains(entity)).collect();
        if since.seq > 0 {
            // One after the other, and in order: PostgreSQL goes through the log of everybody for any of several.
            for entity in not_shown {
                let missed = own().filter(changes::entity.eq(entity)).filter(changes::seq.le(since.seq));
                let missed: Vec<i64> =
                    missed.order(changes::seq.asc()).select(changes::seq).limit(1).load(conn)?;
                if !missed.is_empty() {
                    return Err(Error::CursorExpired);
                }
            }
        }
        let (mut rows, end): (Vec<ChangeHead>, i64) = if since.seq < since.snapshot_until {
            let until = since.snapshot_until;
            let query = own()
                .filter(changes::seq.gt(since.seq))
                .filter(changes::seq.le(until))
                // The column by itself, which is the condition of the index.
                .filter(changes::is_newest)
                // Not by the index on it, which holds every change there was.
                .filter(changes::entity.concat("").eq_any(entities))
                .order(changes::seq.asc())
                .select(ChangeHead::as_select())
                .limit(limit + 1);
            (query.load(conn)?, until)
        } else {
            let query = own()
                .filter(changes::seq.gt(since.seq))
                .filter(changes::entity.eq_any(entities))
                .order(changes::seq.asc())
                .select(ChangeHead::as_select())
                .limit(limit + 1);
            (query.load(conn)?, newest)
        };
        let mut goes_on = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        if goes_on {
            rows.pop();
        }
        let Fetched { items, seq, is_whole } = with_data(conn, workspace, rows)?;
        goes_on = goes_on || !is_whole;
        let seq = if goes_on { seq.unwrap_or(since.seq) } else { end };
        let has_more = goes_on || end < newest;
        let seen = if seq >= purged_seq { purged_seq } else { since.purged_seq };
        let next = Since { seq, purged_seq: seen, snapshot_until: since.snapshot_until };
        Ok(ChangePage { items, next, has_more })
    })
}

/// The write that the change of this number belongs to, or that has this number itself: of one that touched its first
/// record again, the first change has gone from the log.
pub(in crate::store) fn write_of(conn: &mut Conn, workspace: WorkspaceId, version: i64) -> Result<i64> {
    let own = changes::table.filter(changes::workspace_id.eq(workspace)).select(changes::write_seq);
    match own.filter(changes::seq.eq(version)).first(conn).optional()? {
        Some(write) => Ok(write),
        None => Ok(own.filter(changes::write_seq.eq(version)).first(conn)?),
    }
}

/// How many changes a write has made to what clients enter.
pub(in crate::store) fn count_of_write(conn: &mut Conn, workspace: WorkspaceId, write: i64) -> Result<i64> {
    let entered = Entity::ALL.iter().copied().filter(|entity| !is_derived(*entity));
    Ok(changes::table
        .filter(changes::workspace_id.eq(workspace))
        .filter(changes::write_seq.eq(write))
        .filter(changes::entity.eq_any(entered))
        .count()
        .get_result(conn)?)
}

/// Whether a write is too large to be taken back at once, or was made in several parts, which may have changed a record
/// more than once.
pub(in crate::store) fn is_large(conn: &mut Conn, workspace: WorkspaceId, write: i64) -> Result<bool> {
    let in_parts =
        operations::table.filter(operations::workspace_id.eq(workspace)).filter(operations::write_seq.eq(write));
    Ok(diesel::select(diesel::dsl::exists(in_parts)).get_result::<bool>(conn)?
        || count_of_write(conn, workspace, write)? > MAX_AT_ONCE)
}

/// The kinds of record that somebody has to be allowed to write who takes back the write of a change: that of the
/// change, and those of the others but for what went along with a delete.
pub fn entities_of_write(tx: &mut Tx<'_>, version: i64) -> Result<BTreeSet<Entity>> {
    let (workspace, conn) = (tx.workspace, &mut *tx.conn);
    let write = write_of(conn, workspace, version)?;
    if is_large(conn, workspace, write)? {
        // What went along is not told from the rest.
        let kinds: Vec<Entity> = changes::table
            .filter(changes::workspace_id.eq(workspace))
            .filter(changes::write_seq.eq(write))
            .select(changes::entity)
            .distinct()
            .load(conn)?;
        return Ok(kinds.into_iter().filter(|entity| !is_derived(*entity)).collect());
    }
    let rows: Vec<ChangeRow> = changes::table
        .filter(changes::workspace_id.eq(workspace))
        .filter(changes::write_seq.eq(write))
        .select(ChangeRow::as_select())
        .load(conn)?;
    let deleted = rows.iter().filter(|row| row.op == Op::Deleted);
    let deleted: BTreeSet<(Entity, AnyId)> = deleted.map(|row| (row.entity, row.record_id)).collect();
    let goes_along = |row: &ChangeRow| row.op != Op::Created && refers_to_one_of(row, &deleted);
    let rows = rows.iter().filter(|row| !is_derived(row.entity));
    // The write's own number names no change in particular.
    let is_named = |seq: i64| seq == version && version != write;
    let own = rows.filter(|row| is_named(row.seq) || !goes_along(row));
    Ok(own.map(|row| row.entity).collect())
}

/// Whether the record referred to one of these before the change.
pub(in crate::store) fn refers_to_one_of(row: &ChangeRow, these: &BTreeSet<(Entity, AnyId)>) -> bool {
    let Some(before) = &row.before else { return false };
    let own = REFERENCES.iter().filter(|reference| reference.from == row.entity);
    own.flat_map(|reference| referred_ids(reference, &before.0).into_iter().map(|id| (reference.to, id)))
        .any(|target| these.contains(&target))
}

/// Changes with their records.
struct Fetched {
    items: Vec<Change>,
    /// The number of the last change that was looked at.
    seq: Option<i64>,
    /// Whether all changes were looked at.
    is_whole: bool,
}

/// Fetches the records as they are now, in one statement for each kind. A record that changed often is in a page often,
/// so a page may end early.
fn with_data(conn: &mut Conn, workspace: WorkspaceId, rows: Vec<ChangeHead>) -> Result<Fetched> {
    let mut wanted: BTreeMap<Entity, Vec<AnyId>> = BTreeMap::new();
    for row in &rows {
        wanted.entry(row.entity).or_default().push(row.record_id);
    }
    let mut records: HashMap<(Entity, AnyId), Box<RawValue>> = HashMap::new();
    for (entity, mut ids) in wanted {
        ids.sort();
        ids.dedup();
        for_entity!(entity, Kind => {
            for record in Kind::select(conn, Select::all(workspace, Predicate::ids(ids)))? {
                records.insert((entity, record.id()), to_raw_value(&record)?);
            }
        });
    }
    let mut bytes = 0_usize;
    let mut fits = |row: &ChangeHead| {
        let is_first = bytes == 0;
        let data = records.get(&(row.entity, row.record_id)).map_or(0, |data| data.get().len());
        bytes = bytes.saturating_add(data).max(1);
        is_first || bytes <= MAX_PAGE_BYTES
    };
    let change = |row: ChangeHead| Change {
        entity: row.entity,
        id: row.record_id,
        op: row.op,
        version: row.seq,
        write: row.write_seq,
        fields: row.fields.0,
        at: row.at,
        user: row.actor_user_id,
        session: row.actor_session_id,
        token: row.actor_token_id,
        job: row.actor_job,
        merged_into: row.merged_into_id,
        data: records.get(&(row.entity, row.record_id)).cloned(),
    };
    let mut fetched = Fetched { items: Vec::with_capacity(rows.len()), seq: None, is_whole: true };
    for row in rows {
        if !fits(&row) {
            fetched.is_whole = false;
            break;
        }
        fetched.seq = Some(row.seq);
        fetched.items.push(change(row));
    }
    Ok(fetched)
}

/// A record as it is now.
pub fn current(conn: &mut Conn, workspace: WorkspaceId, entity: Entity, id: AnyId) -> Result<Option<Value>> {
    for_entity!(entity, Kind => {
        let mut found = Kind::select(conn, Select::all(workspace, Predicate::id(id)))?;
        found.pop().as_ref().map(json).transpose()
    })
}

/// How many merges are followed from one record to the next.
const MAX_MERGES: usize = 50;

/// The record that lives on of one that was merged into another, if that was the last that happened to it.
pub fn survivor(conn: &mut Conn, workspace: WorkspaceId, entity: Entity, id: AnyId) -> Result<Option<AnyId>> {
    let mut survivor = id;
    for _ in 0..MAX_MERGES {
        let newest: Option<Option<AnyId>> = changes::table
            .filter(changes::workspace_id.eq(workspace))
            .filter(changes::record_id.eq(survivor))
            .filter(changes::entity.eq(entity))
            .order(changes::seq.desc())
            .select(changes::merged_into_id)
            .limit(1)
            .load(conn)?
            .pop();
        match newest.flatten() {
            Some(into) => survivor = into,
            None => break,
        }
    }
    Ok((survivor != id).then_some(survivor))
}

/// Which of the records that were named somewhere were merged, and live on in which.
pub fn survivors(
    conn: &mut Conn,
    workspace: WorkspaceId,
    named: &[(String, Entity, AnyId)],
) -> Result<HashMap<(String, AnyId), AnyId>> {
    let merged: Vec<AnyId> = changes::table
        .filter(changes::workspace_id.eq(workspace))
        .filter(changes::record_id.eq_any(named.iter().map(|(_, _, id)| id)))
        // Not by the index on it, which holds whatever was merged in the workspace.
        .filter(sql::<Bool>("(merged_into_id IS NOT NULL) IS TRUE"))
        .select(changes::record_id)
        .load(conn)?;
    let mut survivors = HashMap::new();
    for (name, entity, id) in named.iter().filter(|(_, _, id)| merged.contains(id)) {
        let living = survivor(conn, workspace, *entity, *id)?;
        survivors.extend(living.map(|living| ((name.clone(), *id), living)));
    }
    Ok(survivors)
}

/// One entry of a record's history.
#[derive(Debug, Clone)]
pub struct HistoryEntry {
    pub op: Op,
    pub version: i64,
    /// The number of the first change of the same write.
    pub write: i64,
    pub at: Timestamp,
    pub user: Option<UserId>,
    pub session: Option<SessionId>,
    pub token: Option<TokenId>,
    /// The kind of job that made it.
    pub job: Option<String>,
    /// The record that it lives on in, of one that was merged.
    pub merged_into: Option<AnyId>,
    pub fields: Vec<String>,
    /// The record before and after, while both are kept.
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// The history of a record that exists or once did, newest first, after a number counting down.
pub fn history(
    conn: &mut Conn,
    workspace: WorkspaceId,
    entity: Entity,
    id: AnyId,
    before_seq: Option<i64>,
    limit: i64,
) -> Result<(Vec<HistoryEntry>, Option<i64>)> {
    read_transaction(conn, |conn| {
        let end = before_seq.unwrap_or(i64::MAX);
        let own = || {
            changes::table
                .filter(changes::workspace_id.eq(workspace))
                .filter(changes::record_id.eq(id))
                .filter(changes::entity.eq(entity))
        };
        // What a record was after a change is what it was before the next one, or what it is now.
        let next: Option<ChangeRow> = own()
            .filter(changes::seq.ge(end))
            .order(changes::seq.asc())
            .select(ChangeRow::as_select())
            .limit(1)
            .load(conn)?
            .pop();
        let mut rows: Vec<ChangeRow> = own()
            .filter(changes::seq.lt(end))
            .order(changes::seq.desc())
            .select(ChangeRow::as_select())
            .limit(limit + 1)
            .load(conn)?;
        if rows.is_empty() && before_seq.is_none() {
            return Err(Error::NotFound);
        }
        let mut more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        if more {
            rows.pop();
        }
        let mut bytes = 0_usize;
        let kept = rows
            .iter()
            .take_while(|row| {
                let is_first = bytes == 0;
                let size = row.before.as_ref().map_or(0, |before| before.0.to_string().len());
                bytes = bytes.saturating_add(size).max(1);
                is_first || bytes <= MAX_PAGE_BYTES
            })
            .count();
        more = more || kept < rows.len();
        rows.truncate(kept);
        let mut after = match next {
            Some(next) => next.before.map(|json| json.0),
            None => current(conn, workspace, entity, id)?,
        };
        let next_end = rows.last().filter(|_| more).map(|row| row.seq);
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            let before = row.before.map(|json| json.0);
            entries.push(HistoryEntry {
                op: row.op,
                version: row.seq,
                write: row.write_seq,
                at: row.at,
                user: row.actor_user_id,
                session: row.actor_session_id,
                token: row.actor_token_id,
                job: row.actor_job,
                merged_into: row.merged_into_id,
                fields: row.fields.0,
                before: before.clone(),
                after: after.take(),
            });
            after = before;
        }
        Ok((entries, next_end))
    })
}
