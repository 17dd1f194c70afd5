//! Reading one record, and the history of one.

use actix_web::http::header;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::collection::{DEFAULT_LIMIT, MAX_LIMIT};
use super::resource::Resource;
use crate::api::context::Context;
use crate::api::http::messages::conditional::{check_if_none_match, workspace_tag};
use crate::api::http::messages::location::location_of;
use crate::api::http::messages::page::Page;
use crate::api::http::messages::problem::Problem;
use crate::api::http::messages::response::Response;
use crate::domain::entity::Entity;
use crate::store::changes::{self, HistoryEntry};
use crate::store::{Conn, lists};

/// One record, also under the id of a record that was merged into it. What `include` adds may change without the record,
/// so its tag is then of the workspace as well.
pub fn get<R: Resource>(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let (workspace, id) = (context.workspace(), context.id()?);
    let relations = R::COLLECTION.included(context.query())?;
    relations.iter().try_for_each(|relation| context.caller.require(relation.link.entity(), "read"))?;
    let etags = &context.api.etags;
    let (current, response) = if relations.is_empty() {
        let record = lists::find::<R>(conn, workspace, id)?;
        let tag = etags.strong(record.version());
        (record.id(), check_if_none_match(context, &tag).map_or_else(|| tagged(context, &record, &tag), Ok)?)
    } else {
        let (record, shown, seq) = lists::one_shown::<R>(conn, workspace, id, &relations)?;
        let tag = etags.with_others(record.version(), seq);
        (record.id(), check_if_none_match(context, &tag).map_or_else(|| tagged(context, &shown, &tag), Ok)?)
    };
    // RFC 9110, section 8.7.
    let is_merged = current != id;
    Ok(if is_merged {
        response.header(header::CONTENT_LOCATION, &location_of(R::ENTITY, current))
    } else {
        response
    })
}

fn tagged<T: Serialize>(context: &Context, body: &T, tag: &str) -> Result<Response, Problem> {
    Ok(context.json(body)?.header(header::ETAG, tag))
}

/// Who changed which field of a record and when, newest first.
pub fn history<R: Resource>(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let (workspace, id, cursors) = (context.workspace(), context.id()?, &context.api.cursors);
    let limit = context.query().number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let binding = format!("history/{workspace}/{}/{}", R::ENTITY, id.uuid());
    let before =
        context.query().one("cursor")?.map(|cursor| cursors.open::<i64>(&binding, &cursor)).transpose()?;
    let tag = workspace_tag(context, conn)?;
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let (entries, next) = changes::history(conn, workspace, R::ENTITY, id, before, limit)?;
    let next = next.map(|next| cursors.seal(&binding, &next)).transpose()?;
    let items: Vec<Value> = entries.into_iter().map(|entry| history_json(R::ENTITY, entry)).collect();
    Page::new(&items, next.as_deref()).respond(context, &tag)
}

fn history_json(entity: Entity, entry: HistoryEntry) -> Value {
    let HistoryEntry { op, version, write, at, user, session, token, job, merged_into, fields, before, after } =
        entry;
    let only_changed = |record: Option<Value>| match record {
        Some(Value::Object(record)) if !fields.is_empty() => {
            Some(record.into_iter().filter(|(name, _)| fields.contains(name)).collect::<Map<_, _>>().into())
        }
        whole => whole,
    };
    let (from, to) = (only_changed(before), only_changed(after));
    json!({
        "entity": entity, "op": op, "version": version, "write": write, "at": at,
        "actor": { "user_id": user, "session_id": session, "token_id": token, "job": job },
        "merged_into": merged_into, "fields": fields, "from": from, "to": to,
    })
}
