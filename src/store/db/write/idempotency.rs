//! Replies kept under an Idempotency-Key, in the transaction of what they answer.

use diesel::prelude::*;

use crate::domain::entity::Entity;
use crate::domain::id::{OperationId, UserId, WorkspaceId};
use crate::domain::timestamp::Timestamp;
use crate::store::db::index::hashed::stored;
use crate::store::db::sql::conn::Conn;
use crate::store::db::sql::schema::idempotency_keys;
use crate::store::db::sql::types::AnyId;
use crate::store::error::{Conflict, Result};

/// How long a reply is replayed.
pub const KEPT_HOURS: i64 = 24;

/// A longer body is rendered anew from its record.
const MAX_KEPT_BODY_BYTES: usize = 64 * 1024;

/// The client's name for one request, and what the request was.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    key: String,
    /// A hash of method, path, query and body.
    fingerprint: Vec<u8>,
}

impl IdempotencyKey {
    /// A long key is kept as its hash.
    pub fn new(key: &str, fingerprint: Vec<u8>) -> Self {
        Self { key: stored(key), fingerprint }
    }
}

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

/// The reply kept under the key, if the request is the same and 24 hours have not passed.
pub(in crate::store) fn find(
    conn: &mut Conn,
    workspace: WorkspaceId,
    user: Option<UserId>,
    key: Option<&IdempotencyKey>,
    now: Timestamp,
) -> Result<Option<Outcome>> {
    let (Some(user), Some(key)) = (user, key) else { return Ok(None) };
    let own = idempotency_keys::table
        .filter(idempotency_keys::workspace_id.eq(workspace))
        .filter(idempotency_keys::user_id.eq(user))
        .filter(idempotency_keys::key.eq(&key.key));
    let kept: Option<KeptReply> = own.select(KeptReply::as_select()).load(conn)?.pop();
    let Some(kept) = kept else { return Ok(None) };
    if kept.created_at <= now.minus(chrono::TimeDelta::hours(KEPT_HOURS)) {
        diesel::delete(own).execute(conn)?;
        return Ok(None);
    }
    if kept.fingerprint != key.fingerprint {
        return Err(Conflict::IdempotencyKeyReused.into());
    }
    let reply = Reply {
        status: u16::try_from(kept.status).unwrap_or(200),
        record: kept.entity.zip(kept.record_id),
        operation: kept.record_id.filter(|_| kept.status == 202).map(|id| OperationId::new(id.uuid())),
        version: kept.version,
        write: kept.write_seq,
        body: kept.body,
    };
    Ok(Some(Outcome { reply, replayed: true }))
}

pub(in crate::store) fn keep(
    conn: &mut Conn,
    workspace: WorkspaceId,
    user: Option<UserId>,
    key: Option<&IdempotencyKey>,
    now: Timestamp,
    reply: &Reply,
) -> Result<()> {
    let (Some(user), Some(key)) = (user, key) else { return Ok(()) };
    let fits = |body: &&String| body.len() <= MAX_KEPT_BODY_BYTES || reply.record.is_none();
    diesel::insert_into(idempotency_keys::table)
        .values(KeptReply {
            workspace_id: workspace,
            user_id: user,
            key: key.key.clone(),
            fingerprint: key.fingerprint.clone(),
            status: i32::from(reply.status),
            version: reply.version,
            write_seq: reply.write,
            body: reply.body.as_ref().filter(fits).cloned(),
            entity: reply.record.map(|(entity, _)| entity),
            record_id: reply.record.map(|(_, id)| id).or(reply.operation.map(|id| AnyId::new(id.uuid()))),
            created_at: now,
        })
        .execute(conn)?;
    Ok(())
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
        let body: Option<String> = one.clone().select(idempotency_keys::body).first(conn)?;
        if body.is_some_and(|body| mentions_one(&body, ids)) {
            diesel::delete(one).execute(conn)?;
        }
    }
    Ok(())
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
    body: Option<String>,
    entity: Option<Entity>,
    record_id: Option<AnyId>,
    created_at: Timestamp,
}
