//! The log of changes: following it, and reverting what was written.

use actix_web::http::{Method, header};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::context::Context;
use super::http::messages::conditional::{check_if_none_match, workspace_tag};
use super::http::messages::cursor;
use super::http::messages::problem::{Code, LeftAloneRecord, Problem};
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged, Write};
use super::http::parameter::Parameter;
use super::http::records::any::{self, Keyed};
use crate::domain::contact_activity::ContactActivity;
use crate::domain::entity::{Entity, Op};
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::invalid::Rejection;
use crate::domain::timestamp::Timestamp;
use crate::service::validation::views::{collect, written};
use crate::store::changes::{self, Change, Since};
use crate::store::undo::{self, Action, Reverted};
use crate::store::{Answer, AnyId, Conn};

pub const DEFAULT_LIMIT: i64 = 100;
pub const MAX_LIMIT: i64 = 1_000;

/// Who made a change.
#[derive(Serialize, ToSchema)]
struct Actor {
    /// The user. Null if the account no longer exists, or if a job made the change.
    user_id: Option<UserId>,
    /// The login that was used, the `id` in `GET /v1/sessions`: a device recognizes its own changes by it. Null for a
    /// personal access token, and for your own contact, which the registration creates before there is a login.
    session_id: Option<SessionId>,
    /// The personal access token that was used; null for a login.
    token_id: Option<TokenId>,
    /// The kind of background job, if the server itself made the change; otherwise null.
    #[schema(max_length = 64, example = json!(null))]
    job: Option<String>,
}

/// One change of one record.
#[derive(Serialize, ToSchema)]
#[schema(as = Change)]
struct ChangeOut {
    entity: Entity,
    /// The record's id.
    #[schema(value_type = String, format = Uuid)]
    id: AnyId,
    op: Op,
    /// The number of this change, which is also the version of the record after it.
    version: i64,
    /// The number of the write that the change belongs to: the number of its first change. One request is one
    /// write.
    write: i64,
    /// The names of the fields that changed. Empty if the record was created or deleted.
    fields: Vec<String>,
    /// When the change was made.
    at: Timestamp,
    actor: Actor,
    /// The id of the record into which it was merged, if that is why it was deleted; otherwise null.
    #[schema(value_type = Option<String>, format = Uuid)]
    merged_into: Option<AnyId>,
    /// The record as it is now, which may be newer than this change. Null if it was deleted.
    data: Option<AnyRecord>,
}

/// A record of any kind, by its JSON.
#[derive(Serialize)]
struct AnyRecord(Keyed<Box<RawValue>>);

impl utoipa::PartialSchema for AnyRecord {
    fn schema() -> RefOr<Schema> {
        any::schema(Entity::ALL, "", "A record.")
    }
}

impl ToSchema for AnyRecord {
    /// Those of the kinds that no operation of their own returns.
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<ContactActivity>(schemas);
    }
}

/// A page of the log of changes.
#[derive(Serialize, ToSchema)]
struct ChangePage {
    /// The changes, oldest first.
    items: Vec<ChangeOut>,
    /// The `since` of the next request or poll. Never null.
    #[schema(max_length = 2048)]
    next_cursor: String,
    /// Whether there are more changes.
    has_more: bool,
    /// What the ETag of each record in `data` begins with: it is `"<etag_prefix>.<version>"`, with the version in `data`, to
    /// send as `If-Match` without reading the record again.
    #[schema(max_length = 64, example = "E5b7_Ckx.7")]
    etag_prefix: String,
}

/// One entry of a record's history.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct HistoryEntry {
    entity: Entity,
    op: Op,
    /// The number of this change, which is also the version of the record after it.
    version: i64,
    /// The number of the write that the change belongs to. `POST /v1/changes/{write}/revert` reverts all of it.
    write: i64,
    /// When the change was made.
    at: Timestamp,
    actor: Actor,
    /// The id of the record into which it was merged, if that is why it was deleted; otherwise null.
    #[schema(format = Uuid)]
    merged_into: Option<String>,
    /// The names of the fields that changed. Empty if the record was created or deleted.
    fields: Vec<String>,
    /// The changed fields before the change, or the whole record if it was deleted. Null if the record was
    /// created, and after 30 days.
    #[schema(value_type = Option<Object>)]
    from: Option<Value>,
    /// The changed fields after the change, or the whole record if it was created. Null if the record was deleted,
    /// and after 30 days.
    #[schema(value_type = Option<Object>)]
    to: Option<Value>,
}

/// A page of a record's history, newest first.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
pub struct HistoryPage {
    /// The changes of the record, newest first.
    items: Vec<HistoryEntry>,
    /// The `cursor` of the next page; null on the last page.
    #[schema(max_length = 2048)]
    next_cursor: Option<String>,
}

pub fn operations() -> Vec<Operation> {
    let list = || {
        let entity = json!({ "type": "string", "enum": Entity::ALL });
        Docs::new("changes", "List changes")
            .description(
                "Every change in the order in which it was committed, oldest first. Without `since` the list starts \
                 from the beginning and is a snapshot: each record that exists once, by its newest change, and nothing \
                 that was deleted; then it continues with what has changed since it began. A record may appear before \
                 one that it refers to. A page may have fewer changes than `limit`: `has_more` says whether to go on. \
                 Keep `next_cursor` for the next poll. `actor` tells your own changes from those of others: compare \
                 `session_id` with that of the login, or with the session that is `current` in `GET /v1/sessions`. \
                 Deletes are retained for 180 days; an older cursor is answered with 410, and the client starts over. \
                 Only kinds of record that the token can read are returned. A cursor from a list that returned \
                 fewer kinds, because of the token or of `entity`, is answered with 410 too if it would miss \
                 changes.",
            )
            .parameters([
                Parameter::text("since", "`next_cursor` of the previous page.", 1, 2048).example(json!(cursor::EXAMPLE)),
                Parameter::limit("The maximum number of changes on a page.", DEFAULT_LIMIT, MAX_LIMIT),
                Parameter::new("entity", "Only changes of this kind of record.", entity),
            ])
            .answer::<ChangePage>(200, "A page of the log of changes.")
            .errors(&[Code::CursorExpired, Code::InvalidCursor])
            .tagged(Tagged::View)
    };
    let revert = || {
        Docs::new("changes", "Revert a write")
            .description(
                "Reverts the whole write that the change of this number belongs to, or that has this number itself: a \
                 delete with everything that was deleted with it, an edit, a merge. Updated records are restored \
                 field by field: a field that has changed again since is left as it is and listed in `left_alone`; \
                 the record's other fields are restored. Each entry of `emails`, `phones`, `links`, `addresses`, \
                 `dates` and `external_ids` counts as a field. Tags are restored one by one; those changed by a tag \
                 operation that is left alone stay. A record is left alone entirely when the result would break a \
                 rule (such as an end before its start) or exceed a limit, and when it was created by the write and \
                 has changed since. The revert is a write itself, so it can be reverted too.",
            )
            .parameter(Parameter::dry_run(
                "Return the result without changing anything. Only for writes of at most 1,000 changes.",
            ))
            .answer::<RevertResult>(200, "The result.")
            .may_be_large()
            .errors(&[Code::RevertBlocked, Code::LimitReached])
    };
    vec![
        Operation::new(
            Method::GET,
            "/v1/changes",
            "list_changes",
            Access::scope("contacts:read"),
            Run::Read(list_changes),
            list,
        ),
        Operation::new(
            Method::POST,
            "/v1/changes/{version}/revert",
            "revert_change",
            Access::scope("contacts:write"),
            Run::Write(revert_change),
            revert,
        ),
    ]
}

fn list_changes(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let (workspace, query, cursors, epoch) =
        (context.workspace(), context.query(), &context.api.cursors, context.api.store.epoch());
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let entities: Vec<Entity> = match query.parsed("entity", parse_entity)? {
        Some(entity) => {
            context.caller.require(entity, "read")?;
            vec![entity]
        }
        None => Entity::ALL.iter().copied().filter(|entity| context.caller.may_read(*entity)).collect(),
    };
    let binding = format!("changes/{workspace}");
    let since = match query.one("since")? {
        None => None,
        Some(cursor) => {
            let place = cursors.open(&binding, &cursor).map_err(|problem| problem.of_parameter("since"));
            let place: Place = place?;
            if place.epoch != epoch {
                return Err(Problem::new(Code::CursorExpired));
            }
            let shown = place.shown.iter().filter_map(|name| Entity::parse(name)).collect();
            let Place { seq, purged_seq, snapshot_until, .. } = place;
            Some((Since { seq, purged_seq, snapshot_until }, shown))
        }
    };
    let tag = workspace_tag(context, conn)?;
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let shown = entities.iter().map(|entity| entity.as_str().to_owned()).collect();
    let page = changes::since(conn, workspace, since, entities, limit)?;
    let Since { seq, purged_seq, snapshot_until } = page.next;
    let next =
        cursors.seal(&binding, &Place { epoch: epoch.to_owned(), seq, purged_seq, snapshot_until, shown })?;
    let items = page.items.into_iter().map(ChangeOut::from).collect();
    let etag_prefix = context.api.etags.prefix();
    let body = ChangePage { items, next_cursor: next, has_more: page.has_more, etag_prefix };
    Ok(context.json(&body)?.header(header::ETAG, &tag))
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Place {
    epoch: String,
    seq: i64,
    purged_seq: i64,
    #[serde(default)]
    snapshot_until: i64,
    /// The kinds of record that the walk has shown so far.
    #[serde(default)]
    shown: Vec<String>,
}

fn parse_entity(name: &str) -> Result<Entity, Rejection> {
    Entity::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Entity::ALL.iter().map(|entity| entity.as_str()).collect();
        Rejection::not_one_of(&known)
    })
}

impl From<Change> for ChangeOut {
    fn from(change: Change) -> Self {
        let Change { entity, id, op, version, write, fields, at, user, session, token, job, merged_into, data } =
            change;
        let actor = Actor { user_id: user, session_id: session, token_id: token, job };
        let data = data.map(|json| AnyRecord(Keyed(entity, json)));
        Self { entity, id, op, version, write, fields, at, actor, merged_into, data }
    }
}

/// The effect of a revert on a record.
struct RevertAction;

impl utoipa::PartialSchema for RevertAction {
    fn schema() -> RefOr<Schema> {
        let actions = Action::ALL.map(Action::as_str);
        written(json!({ "type": "string", "description": "What a revert did to a record.", "enum": actions }))
    }
}

impl ToSchema for RevertAction {}

/// A record that was reverted.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct RevertedRecord {
    entity: Entity,
    /// The record's id.
    #[schema(format = Uuid)]
    id: String,
    /// What the revert did: `restored` a deleted record, `reset` an updated one, or `removed` one that the write created.
    action: RevertAction,
}

/// The result of a revert, or what it would be with `dry_run`.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct RevertResult {
    /// Whether nothing was changed because `dry_run` was sent.
    dry_run: bool,
    /// The records that were reverted.
    reverted: Vec<RevertedRecord>,
    /// The records that were not reverted, or not in all fields, and why.
    left_alone: Vec<LeftAloneRecord>,
    /// The number of this write, to revert it in turn. Null with `dry_run`.
    write: Option<i64>,
}

fn revert_change(context: &Context) -> Result<Write, Problem> {
    let version = context.call.path_values.first().and_then(|version| version.parse::<i64>().ok());
    let version = version.ok_or_else(|| Problem::new(Code::NotFound))?;
    let dry_run = context.query().flag("dry_run")?;
    context.call.body.require_empty()?;
    let caller = context.caller.clone();
    let write = Write::new(move |tx| {
        let touched = changes::entities_of_write(tx, version)?;
        touched.iter().try_for_each(|entity| caller.require(*entity, "write"))?;
        touched.iter().for_each(|entity| tx.note_required_scope(format!("{}:write", entity.area())));
        let reverted = undo::revert(tx, version, dry_run)?;
        Ok(Answer::Json {
            status: 200,
            body: Box::new(move |settled| {
                Ok(reverted_json(&reverted, dry_run, settled.write_number().filter(|_| !dry_run)))
            }),
        })
    });
    Ok(write)
}

fn reverted_json(reverted: &Reverted, dry_run: bool, write: Option<i64>) -> Value {
    let done: Vec<Value> = reverted
        .done
        .iter()
        .map(|(entity, id, action)| json!({ "entity": entity, "id": id, "action": action.as_str() }))
        .collect();
    json!({ "dry_run": dry_run, "reverted": done, "left_alone": reverted.left_alone, "write": write })
}
