//! The log of changes: following it, and taking back what was written.

use crate::store::undo;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::Api;
use super::http::body::Body;
use super::http::caller::Caller;
use super::http::etag::{ListTag, list_tag, with_tag};
use super::http::problem::{Code, LeftAloneRecord, Problem, left_alone_json};
use super::http::query::Query;
use super::http::replies::{no_fields, respond, who};
use super::http::views::words;
use crate::domain::entity::{Entity, Op};
use crate::domain::id::{TokenId, UserId};
use crate::domain::invalid::{FieldCode, Rejection};
use crate::domain::timestamp::Timestamp;
use crate::store::Reply;
use crate::store::changes::{self, Change, Since};
use crate::store::undo::{Action, Reverted};

pub const DEFAULT_LIMIT: i64 = 100;
pub const MAX_LIMIT: i64 = 1_000;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_changes).service(revert_change);
}

/// WriteContext made a change.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct Actor {
    /// Null when they have no account any more.
    user_id: Option<UserId>,
    /// The personal access token used; null for a login.
    token_id: Option<TokenId>,
}

/// One change of one record.
#[derive(ToSchema)]
#[schema(as = Change)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct ChangeOut {
    entity: Entity,
    /// The record's id.
    #[schema(format = Uuid)]
    id: String,
    op: Op,
    /// The number of this change, and the version the record had after it.
    version: i64,
    /// The number of the first change of the same write: one call, one write.
    write: i64,
    /// The names of the fields that changed; empty for a record that was made or deleted.
    fields: Vec<String>,
    /// When it was made.
    at: Timestamp,
    actor: Actor,
    /// The id of the record it lives on in, where it was deleted by being merged into that; null otherwise.
    #[schema(format = Uuid)]
    merged_into: Option<String>,
    /// The record as it is now, which may be newer than this change; null when it is gone.
    #[schema(value_type = Option<Object>)]
    data: Option<Value>,
}

/// A page of the log.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct ChangePage {
    /// The changes, in the order they were made.
    items: Vec<ChangeOut>,
    /// To send as `since`, now or at the next poll; always there.
    next_cursor: String,
    /// Whether more is there already.
    has_more: bool,
    /// What the ETag of each record in `data` begins with: it is `"<etag_prefix>.<version>"`, with the version in `data`, to
    /// send as `If-Match` without reading the record again.
    #[schema(example = "E5b7_Ckx.1")]
    etag_prefix: String,
}

/// One entry of a record's history.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct HistoryEntry {
    entity: Entity,
    op: Op,
    /// The number of this change, and the version the record had after it.
    version: i64,
    /// The number of the first change of the same write: one call, one write, and `POST /v1/changes/{write}/revert` takes all
    /// of it back.
    write: i64,
    /// When it was made.
    at: Timestamp,
    actor: Actor,
    /// The id of the record it lives on in, where it was deleted by being merged into that; null otherwise.
    #[schema(format = Uuid)]
    merged_into: Option<String>,
    /// The names of the fields that changed; empty for a record that was made or deleted.
    fields: Vec<String>,
    /// The values before, of the changed fields, or the whole record when it was deleted. Null when there was nothing
    /// before, or after 30 days.
    #[schema(value_type = Option<Object>)]
    from: Option<Value>,
    /// The values after, of the changed fields, or the whole record when it was made. Null when it was deleted, or after
    /// 30 days.
    #[schema(value_type = Option<Object>)]
    to: Option<Value>,
}

/// A page of a record's history, newest first.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
pub struct HistoryPage {
    /// The changes of the record, newest first.
    items: Vec<HistoryEntry>,
    /// Where the next page begins, to send as `cursor`; null on the last page.
    next_cursor: Option<String>,
}

/// Follow what changed
///
/// Every change in the order it was committed, oldest first. Without `since` the walk begins at the beginning and is
/// the snapshot of everything; keep `next_cursor` for the next poll. Tombstones are kept 180 days; an older cursor is
/// answered 410, and you start afresh. It tells of the kinds of record that the token may read; a cursor from a walk that
/// was shown fewer kinds, because of the token or of `entity`, is answered 410 as well where that would miss something.
#[utoipa::path(tag = "changes", security(("bearer" = ["contacts:read"])),
    params(
        ("since" = Option<String>, Query, description = "`next_cursor` of the page before.", max_length = 2048),
        ("limit" = Option<i64>, Query, description = "How many changes a page holds at most. Default: 100.", minimum = 1, maximum = 1000),
        ("entity" = Option<String>, Query, description = "Only changes of this kind of record.")),
    extensions(("x-errors" = json!(["cursor_expired", "invalid_cursor"]))),
    responses((status = 200, description = "A page of the log.", body = ChangePage)))]
#[get("/v1/changes")]
async fn list_changes(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let workspace = caller.workspace;
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let entities: Vec<Entity> = match query.parsed("entity", parse_entity)? {
        Some(entity) => {
            caller.require(entity, "read")?;
            vec![entity]
        }
        None => Entity::ALL.iter().copied().filter(|entity| caller.may_read(*entity)).collect(),
    };
    let binding = format!("changes/{workspace}");
    let since = match query.one("since")? {
        None => None,
        Some(cursor) => {
            let place: Place = api.cursors.open(&binding, &cursor)?;
            if place.epoch != api.store.epoch() {
                return Err(Problem::new(Code::CursorExpired));
            }
            let shown = place.shown.iter().filter_map(|name| Entity::parse(name)).collect();
            Some((Since { seq: place.seq, purged_seq: place.purged_seq }, shown))
        }
    };
    let tag = match list_tag(&api, &caller, &request).await? {
        ListTag::Changed(tag) => tag,
        ListTag::Current(response) => return Ok(response),
    };
    let shown = entities.iter().map(|entity| entity.as_str().to_owned()).collect();
    let page = api.store.read(move |conn| changes::since(conn, workspace, since, entities, limit)).await?;
    let Since { seq, purged_seq } = page.next;
    let next =
        api.cursors.seal(&binding, &Place { epoch: api.store.epoch().to_owned(), seq, purged_seq, shown })?;
    let items: Vec<Value> = page.items.into_iter().map(change_json).collect();
    let body = json!({ "items": items, "next_cursor": next, "has_more": page.has_more, "etag_prefix": api.tags.prefix() });
    Ok(with_tag(HttpResponse::Ok().json(body), &tag))
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Place {
    epoch: String,
    seq: i64,
    purged_seq: i64,
    /// The kinds of record that the walk has shown so far.
    #[serde(default)]
    shown: Vec<String>,
}

fn parse_entity(name: &str) -> Result<Entity, Rejection> {
    Entity::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Entity::ALL.iter().map(|entity| entity.as_str()).collect();
        Rejection::new(FieldCode::NotAllowed, format!("Allowed: {}.", known.join(", ")))
    })
}

fn change_json(change: Change) -> Value {
    let Change { entity, id, op, version, write, fields, at, user, token, merged_into, data } = change;
    json!({
        "entity": entity, "id": id, "op": op, "version": version, "write": write, "fields": fields, "at": at,
        "actor": { "user_id": user, "token_id": token }, "merged_into": merged_into, "data": data,
    })
}

/// What became of a record by a revert.
struct RevertAction;

impl utoipa::PartialSchema for RevertAction {
    fn schema() -> RefOr<Schema> {
        words("What became of a record by a revert.", Action::ALL.iter().map(|action| action.as_str()))
    }
}

impl ToSchema for RevertAction {}

/// A record a revert touched.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct RevertedRecord {
    entity: Entity,
    /// The record's id.
    #[schema(format = Uuid)]
    id: String,
    /// What became of it: `restored` (it was deleted), `reset` (it was changed) or `removed` (it was made).
    action: RevertAction,
}

/// What a revert did, or with `dry_run` would do.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct RevertResult {
    /// Whether it only tells what it would do.
    dry_run: bool,
    /// What was taken back.
    reverted: Vec<RevertedRecord>,
    /// What was left as it is, and why.
    left_alone: Vec<LeftAloneRecord>,
    /// The number of this write, to take it back in its turn; null with `dry_run`.
    write: Option<i64>,
}

/// Take back a write
///
/// Takes back the whole write that the change of this number belongs to: a delete with all it took along, an edit, an
/// import. What changed since is left alone and named; what was done to a tag that is left alone stays done to those who
/// carry it. Nothing comes back beyond what there may be of it. It is a write of its own, so it can be taken back too.
#[utoipa::path(tag = "changes", security(("bearer" = ["contacts:write"])),
    params(("dry_run" = Option<bool>, Query, description = "Only tell what it would do.")),
    extensions(("x-errors" = json!(["revert_blocked"]))),
    responses((status = 200, description = "What was done.", body = RevertResult)))]
#[post("/v1/changes/{version}/revert")]
async fn revert_change(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let version = request.match_info().get("version").and_then(|version| version.parse::<i64>().ok());
    let version = version.ok_or_else(|| Problem::new(Code::NotFound))?;
    let dry_run = query.flag("dry_run")?;
    let who = who(&api, &caller, &request, &body)?;
    no_fields(&body)?;
    let workspace = caller.workspace;
    let touched = api.store.read(move |conn| changes::entities_of_write(conn, workspace, version)).await?;
    touched.iter().try_for_each(|entity| caller.require(*entity, "write"))?;
    let outcome = api
        .store
        .write(who, move |tx| {
            let reverted = undo::revert(tx, version, dry_run)?;
            let write = tx.write_number().filter(|_| !dry_run);
            let body = Some(reverted_json(&reverted, dry_run, write).to_string());
            Ok(Reply { status: 200, body, ..Reply::default() })
        })
        .await?;
    respond(&api, &caller, outcome).await
}

fn reverted_json(reverted: &Reverted, dry_run: bool, write: Option<i64>) -> Value {
    let done: Vec<Value> = reverted
        .done
        .iter()
        .map(|(entity, id, action)| json!({ "entity": entity, "id": id, "action": action.as_str() }))
        .collect();
    let left_alone: Vec<Value> = reverted.left_alone.iter().map(left_alone_json).collect();
    json!({ "dry_run": dry_run, "reverted": done, "left_alone": left_alone, "write": write })
}
