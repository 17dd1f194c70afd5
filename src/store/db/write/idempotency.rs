//! Replies kept under an Idempotency-Key, in the transaction of what they answer.

use chrono::TimeDelta;
use diesel::prelude::*;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

use super::context::{Quotas, WriteContext};
use crate::domain::entity::Entity;
use crate::domain::id::{OperationId, UserId, WorkspaceId};
use crate::domain::timestamp::Timestamp;
use crate::store::db::sql::conn::Conn;
use crate::store::db::sql::schema::{idempotency_keys, workspaces};
use crate::store::db::sql::types::{AnyId, AsJson};
use crate::store::error::{Conflict, Error, Result};

/// How long a reply is replayed.
pub const KEPT_HOURS: i64 = 24;
/// How many bytes are kept of one reply. A longer body that is one record is rendered anew.
pub const MAX_KEPT_BYTES: usize = 64 * 1024;

/// A longer body is compressed: one of many records to a tenth.
const PLAIN_BYTES: usize = 4 * 1024;
/// How the result of compression begins; no JSON does.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// What a kept reply takes beside its body, roughly.
const ROW_BYTES: usize = 256;

/// What to answer, in the form it is kept in.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: u16,
    /// The record that is the whole answer.
    pub record: Option<(Entity, AnyId)>,
    /// The operation that carries out the rest.
    pub operation: Option<OperationId>,
    /// Its version, or that of the account that was written.
    pub version: Option<i64>,
    /// The number by which the write can be reverted; `None` if it changed nothing.
    pub write: Option<i64>,
    /// JSON; `None` for an answer without a body, or one to be rendered anew from `record`.
    pub body: Option<String>,
}

/// Whether the body mentions one of these records, by its id.
pub(in crate::store) fn mentions_one(body: &str, ids: &[AnyId]) -> bool {
    ids.iter().any(|id| body.contains(&id.uuid().to_string()))
}

pub struct Outcome {
    pub reply: Reply,
    pub replayed: bool,
}

/// The reply kept under the key, if the request is the same, the caller may have it and 24 hours have not passed.
pub(in crate::store) fn find(conn: &mut Conn, who: &WriteContext, now: Timestamp) -> Result<Option<Outcome>> {
    let (Some(user), Some(key)) = (who.actor.user(), who.idempotency.as_ref()) else { return Ok(None) };
    let own = idempotency_keys::table
        .filter(idempotency_keys::workspace_id.eq(who.workspace))
        .filter(idempotency_keys::user_id.eq(user))
        .filter(idempotency_keys::key.eq(&key.key));
    let kept: Option<KeptReply> = own.select(KeptReply::as_select()).load(conn)?.pop();
    let Some(kept) = kept else { return Ok(None) };
    if kept.created_at <= now.minus(TimeDelta::hours(KEPT_HOURS)) {
        diesel::delete(own).execute(conn)?;
        count_bytes(conn, who.workspace, -kept.bytes)?;
        return Ok(None);
    }
    if kept.fingerprint != key.fingerprint {
        return Err(Conflict::IdempotencyKeyReused.into());
    }
    if let Some(scope) = kept.scopes.0.into_iter().find(|scope| !key.allowed.contains(scope)) {
        return Err(Conflict::ScopeRequired(scope).into());
    }
    let reply = Reply {
        status: u16::try_from(kept.status).unwrap_or(200),
        record: kept.entity.zip(kept.record_id),
        operation: kept.record_id.filter(|_| kept.status == 202).map(|id| OperationId::new(id.uuid())),
        version: kept.version,
        write: kept.write_seq,
        body: kept.reply.map(|bytes| unpack(&bytes)).transpose()?,
    };
    Ok(Some(Outcome { reply, replayed: true }))
}

/// Keeps the reply, if there is a key to keep it under. `also_required` are scopes that the request turned out to require.
pub(in crate::store) fn keep(
    conn: &mut Conn,
    who: &WriteContext,
    quotas: &Quotas,
    now: Timestamp,
    also_required: &BTreeSet<String>,
    reply: &Reply,
) -> Result<()> {
    let (Some(user), Some(key)) = (who.actor.user(), who.idempotency.as_ref()) else { return Ok(()) };
    let mut packed = reply.body.as_deref().map(pack).transpose()?;
    if packed.as_ref().is_some_and(|bytes| bytes.len() > MAX_KEPT_BYTES) {
        if reply.record.is_none() {
            return Err(Conflict::ReplyTooLong.into());
        }
        packed = None;
    }
    let bytes = packed.as_ref().map_or(0, Vec::len).saturating_add(ROW_BYTES);
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    if count_bytes(conn, who.workspace, bytes)? > quotas.kept_reply_bytes {
        return Err(Conflict::TooManyKeptReplies.into());
    }
    diesel::insert_into(idempotency_keys::table)
        .values(KeptReply {
            workspace_id: who.workspace,
            user_id: user,
            key: key.key.clone(),
            fingerprint: key.fingerprint.clone(),
            status: i32::from(reply.status),
            version: reply.version,
            write_seq: reply.write,
            reply: packed,
            entity: reply.record.map(|(entity, _)| entity),
            record_id: reply.record.map(|(_, id)| id).or(reply.operation.map(|id| AnyId::new(id.uuid()))),
            created_at: now,
            scopes: AsJson(key.required.union(also_required).cloned().collect()),
            bytes,
        })
        .execute(conn)?;
    Ok(())
}

/// Counts bytes that are kept from now on, or no longer are; how many there are.
fn count_bytes(conn: &mut Conn, workspace: WorkspaceId, more: i64) -> Result<i64> {
    let own = workspaces::table.filter(workspaces::id.eq(workspace));
    let count = diesel::update(own)
        .set(workspaces::kept_reply_bytes.eq(workspaces::kept_reply_bytes + more))
        .returning(workspaces::kept_reply_bytes)
        .get_result(conn)?;
    Ok(count)
}

fn pack(text: &str) -> Result<Vec<u8>> {
    if text.len() <= PLAIN_BYTES {
        return Ok(text.as_bytes().to_vec());
    }
    let failed = |error: std::io::Error| Error::Internal(format!("a reply cannot be compressed: {error}"));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).map_err(failed)?;
    gzip.finish().map_err(failed)
}

fn unpack(bytes: &[u8]) -> Result<String> {
    let failed = |error: &dyn std::fmt::Display| Error::Internal(format!("a kept reply cannot be read: {error}"));
    let mut text = String::new();
    match bytes.starts_with(&GZIP) {
        true => GzDecoder::new(bytes).read_to_string(&mut text).map_err(|error| failed(&error))?,
        false => {
            text.push_str(std::str::from_utf8(bytes).map_err(|error| failed(&error))?);
            text.len()
        }
    };
    Ok(text)
}

/// Deletes the replies that are of no single record and mention one of these, as the reply to a batch may.
pub(in crate::store) fn delete_mentioning(conn: &mut Conn, workspace: WorkspaceId, ids: &[AnyId]) -> Result<()> {
    let of_none = idempotency_keys::table
        .filter(idempotency_keys::workspace_id.eq(workspace))
        .filter(idempotency_keys::record_id.is_null());
    let kept: Vec<(UserId, String)> =
        of_none.select((idempotency_keys::user_id, idempotency_keys::key)).load(conn)?;
    // One at a time: such an answer may be long.
    for (user, key) in kept {
        let one = of_none.filter(idempotency_keys::user_id.eq(user)).filter(idempotency_keys::key.eq(key));
        let (body, bytes): (Option<Vec<u8>>, i64) =
            one.clone().select((idempotency_keys::reply, idempotency_keys::bytes)).first(conn)?;
        let body = body.map(|body| unpack(&body)).transpose()?;
        if body.is_some_and(|body| mentions_one(&body, ids)) {
            diesel::delete(one).execute(conn)?;
            count_bytes(conn, workspace, -bytes)?;
        }
    }
    Ok(())
}

/// Deletes the replies that are this record.
pub(in crate::store) fn delete_of(
    conn: &mut Conn,
    workspace: WorkspaceId,
    entity: Entity,
    id: AnyId,
) -> Result<()> {
    let replies = idempotency_keys::table
        .filter(idempotency_keys::workspace_id.eq(workspace))
        .filter(idempotency_keys::record_id.eq(id))
        .filter(idempotency_keys::entity.eq(entity.as_str()));
    let bytes: Vec<i64> = replies.select(idempotency_keys::bytes).load(conn)?;
    if !bytes.is_empty() {
        diesel::delete(replies).execute(conn)?;
        count_bytes(conn, workspace, -bytes.iter().sum::<i64>())?;
    }
    Ok(())
}

/// Deletes the replies to a user.
pub(in crate::store) fn delete_of_user(conn: &mut Conn, workspace: WorkspaceId, user: UserId) -> Result<()> {
    let own = idempotency_keys::table
        .filter(idempotency_keys::workspace_id.eq(workspace))
        .filter(idempotency_keys::user_id.eq(user));
    let bytes: Vec<i64> = own.select(idempotency_keys::bytes).load(conn)?;
    diesel::delete(own).execute(conn)?;
    count_bytes(conn, workspace, -bytes.iter().sum::<i64>())?;
    Ok(())
}

/// Deletes up to so many replies that were kept until `end` or earlier; how many.
pub(in crate::store) fn purge(conn: &mut Conn, end: Timestamp, limit: i64) -> Result<usize> {
    let old: Vec<(WorkspaceId, UserId, String)> = idempotency_keys::table
        .filter(idempotency_keys::created_at.le(end))
        .select((idempotency_keys::workspace_id, idempotency_keys::user_id, idempotency_keys::key))
        .limit(limit)
        .load(conn)?;
    let count = old.len();
    let mut of_workspaces: BTreeMap<WorkspaceId, Vec<(UserId, String)>> = BTreeMap::new();
    for (workspace, user, key) in old {
        of_workspaces.entry(workspace).or_default().push((user, key));
    }
    for (workspace, replies) in of_workspaces {
        // First the lock that every write of the workspace takes first too.
        count_bytes(conn, workspace, 0)?;
        let mut freed = 0_i64;
        for (user, key) in replies {
            let own = idempotency_keys::table
                .filter(idempotency_keys::workspace_id.eq(workspace))
                .filter(idempotency_keys::user_id.eq(user))
                .filter(idempotency_keys::key.eq(key))
                .filter(idempotency_keys::created_at.le(end));
            let bytes: Vec<i64> = own.clone().select(idempotency_keys::bytes).load(conn)?;
            diesel::delete(own).execute(conn)?;
            freed = freed.saturating_add(bytes.iter().sum());
        }
        count_bytes(conn, workspace, -freed)?;
    }
    Ok(count)
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency_keys)]
#[diesel(treat_none_as_default_value = false)]
struct KeptReply {
    workspace_id: WorkspaceId,
    user_id: UserId,
    key: String,
    fingerprint: Vec<u8>,
    status: i32,
    version: Option<i64>,
    write_seq: Option<i64>,
    reply: Option<Vec<u8>>,
    entity: Option<Entity>,
    record_id: Option<AnyId>,
    created_at: Timestamp,
    scopes: AsJson<Vec<String>>,
    bytes: i64,
}
