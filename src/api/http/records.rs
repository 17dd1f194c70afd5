//! What every kind of record can: be made, read, replaced, patched, deleted, restored, and tell its history. A resource
//! brings its fields and rules.

use crate::store::checks;
use crate::store::erase;
use crate::store::records;
use crate::store::undo;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use super::body::Body;
use super::caller::Caller;
use super::edits::{check_patch, check_read_only, edit_tags, entered, gather_all, remove, take_id};
use super::etag::{ListTag, compared, list_tag, seq_and_today, tagged, with_tag};
use super::listing::{Collection, DEFAULT_LIMIT, MAX_LIMIT, Shown, led_on};
use super::page::PageOut;
use super::problem::{Code, Problem};
use super::query::{Query, path_id};
use super::replies::{location_of, no_fields, record_reply, respond, who, with_current_tag};
use super::resource::Resource;
use super::views::{nested_input, parent_field};
use crate::api::Api;
use crate::domain::entity::Entity;
use crate::domain::invalid::{FieldCode, Invalid};
use crate::domain::merge_patch::merge;
use crate::store::changes::{self, HistoryEntry};
use crate::store::{AnyId, Precondition, Predicate, Record, Reply, WriteContext, lists};

pub async fn list<R: Resource>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    query: &Query,
    collection: &Collection,
) -> Result<HttpResponse, Problem> {
    list_where::<R>(api, caller, request, query, collection, None).await
}

/// A list of what fits a predicate of the path's beside the query's.
pub async fn list_where<R: Resource>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    query: &Query,
    collection: &Collection,
    within: Option<Predicate>,
) -> Result<HttpResponse, Problem> {
    let (workspace, path) = (caller.workspace, request.path());
    let (seq, today) = seq_and_today(api, workspace).await?;
    // Refuses too many ids before they are looked up.
    collection.filter(query, today)?;
    let found_by = led_on(api, workspace, query, collection.names(query)).await?;
    let mut listing = collection.listing(api, workspace, today, query, &found_by, path)?;
    let shown = collection.shown(query)?;
    shown.relations.iter().try_for_each(|relation| caller.require(relation.link.entity(), "read"))?;
    if let Some(within) = within {
        listing.filter = Predicate::All(vec![within, listing.filter]);
    }
    let by_day = collection.goes_by_day(query);
    let tag = if by_day { api.tags.of_day(workspace, seq, today) } else { api.tags.of_list(workspace, seq) };
    let tag = match compared(api, request, tag) {
        ListTag::Changed(tag) => tag,
        ListTag::Current(response) => return Ok(response),
    };
    let etag_prefix = Some(api.tags.prefix());
    let response = if shown.is_plain() {
        let page = api.store.read(move |conn| lists::list::<R>(conn, workspace, listing)).await?;
        let next = collection.next_cursor(api, workspace, query, path, page.next.as_ref())?;
        PageOut { total: page.total, etag_prefix, ..PageOut::of(&page.items, next.as_deref()) }
            .respond(path, query)
    } else {
        let Shown { summary, relations } = shown;
        let page = api
            .store
            .read(move |conn| lists::list_shown::<R>(conn, workspace, listing, summary, &relations))
            .await?;
        let next = collection.next_cursor(api, workspace, query, path, page.next.as_ref())?;
        PageOut { total: page.total, etag_prefix, ..PageOut::of(&page.items, next.as_deref()) }
            .respond(path, query)
    };
    Ok(with_tag(response, &tag))
}

/// A list of what belongs to the record in the path, which has to exist.
pub async fn list_under<Parent: Resource, R: Resource>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    query: &Query,
    collection: &Collection,
    within: impl FnOnce(AnyId) -> Predicate,
) -> Result<HttpResponse, Problem> {
    let (workspace, id) = (caller.workspace, path_id(request)?);
    let parent = api.store.read(move |conn| lists::find::<Parent>(conn, workspace, id)).await?;
    list_where::<R>(api, caller, request, query, collection, Some(within(parent.id()))).await
}

/// One record, also under the id of one that was merged into it. What `include` adds may change without it, so that its
/// tag then is of the workspace as well.
pub async fn get<R: Resource>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    query: &Query,
    collection: &Collection,
) -> Result<HttpResponse, Problem> {
    let (workspace, id) = (caller.workspace, path_id(request)?);
    let relations = collection.shown(query)?.relations;
    relations.iter().try_for_each(|relation| caller.require(relation.link.entity(), "read"))?;
    let (living, response) = if relations.is_empty() {
        let record = api.store.read(move |conn| lists::find::<R>(conn, workspace, id)).await?;
        (record.id(), tagged(api, request, api.tags.strong(record.version()), &record))
    } else {
        let one = move |conn: &mut _| lists::one_shown::<R>(conn, workspace, id, &relations);
        let (record, shown, seq) = api.store.read(one).await?;
        (record.id(), tagged(api, request, api.tags.with_others(record.version(), seq), &shown))
    };
    Ok(found_at(response, R::ENTITY, id, living))
}

/// The answer to a GET of a record that was merged: `Content-Location` (RFC 9110, section 8.7) tells whose it is.
fn found_at(mut response: HttpResponse, entity: Entity, asked: AnyId, living: AnyId) -> HttpResponse {
    if asked != living
        && let Ok(location) = header::HeaderValue::from_str(&location_of(entity, living))
    {
        response.headers_mut().insert(header::CONTENT_LOCATION, location);
    }
    response
}

pub async fn create<R: Resource>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    make::<R>(api, caller, request, body, None).await
}

/// Makes a record that belongs to the record in the path, which has to exist. The body is as for [`create`] but for the
/// field that refers to that record.
pub async fn create_under<Parent: Resource, R: Resource>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let field = parent_field(R::ENTITY, Parent::ENTITY).ok_or_else(|| Problem::new(Code::Internal))?;
    let parent = PathParent { entity: Parent::ENTITY, id: path_id(request)?, field };
    make::<R>(api, caller, request, body, Some(parent)).await
}

/// What a record in the path fills in.
struct PathParent {
    entity: Entity,
    id: AnyId,
    /// The field that refers to it.
    field: &'static str,
}

async fn make<R: Resource>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    body: Body,
    parent: Option<PathParent>,
) -> Result<HttpResponse, Problem> {
    let who = who(api, caller, request, &body)?;
    let mut input = body.value;
    let mut invalid = Invalid::default();
    let id = invalid.gather(take_id(&mut input)).flatten();
    invalid.gather(check_read_only::<R>(&mut input, None));
    if let Some(parent) = &parent {
        invalid.gather(api.schemas.check::<Value>(&nested_input(R::ENTITY, parent.entity), &input));
        if let Some(input) = input.as_object_mut() {
            input.insert(parent.field.to_owned(), json!(parent.id));
        }
    }
    let tags = api.tags.clone();
    // Before the workspace is locked: nobody waits while a body is checked.
    let (id, now) = (id.unwrap_or_else(|| api.store.new_id()), api.store.now());
    let mut record = gather_all(invalid, api.schemas.parse(R::INPUT, &input, |fields| R::new(id, now, fields)))?;
    let outcome = api
        .store
        .write(who, move |tx| {
            if let Some(parent) = &parent
                && !records::exists(tx, parent.entity, parent.id)?
            {
                return Err(checks::not_found_or_merged(tx, parent.entity, parent.id)?);
            }
            let made = record.prepare(tx, None).and_then(|()| records::create(tx, record));
            // What is wrong with a field that is not in the body is wrong with the body.
            let own = parent.map(|parent| format!("#/{}", parent.field));
            let made = made.map_err(|error| {
                error.moved(|at| if own.as_deref() == Some(at) { "#".to_owned() } else { at.to_owned() })
            })?;
            record_reply(201, &made, &tags)
        })
        .await?;
    respond(api, caller, outcome).await
}

pub async fn replace<R: Resource>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let id = path_id(request)?;
    let precondition = api.tags.precondition(request)?;
    if precondition == Precondition::None {
        return Err(Problem::new(Code::PreconditionRequired));
    }
    let who = WriteContext { workspace: caller.workspace, actor: caller.actor(), idempotency: None };
    let mut input = body.value;
    let sent_id = take_id(&mut input).and_then(|sent| match sent {
        Some(sent) if sent != id.uuid() => {
            Err(Invalid::one("#/id", FieldCode::ReadOnly, "The id is the one in the path."))
        }
        _ => Ok(()),
    });
    let (schemas, tags) = (api.schemas.clone(), api.tags.clone());
    // Before the workspace is locked: nobody waits while a body is checked. What the server sets is compared within.
    let mut entered = input.clone();
    R::READ_ONLY.iter().for_each(|path| remove(&mut entered, path));
    let mut invalid = Invalid::default();
    invalid.gather(sent_id);
    invalid.gather(schemas.check::<Value>(R::INPUT, &entered));
    invalid.into_result(())?;
    let write = api.store.write(who, move |tx| {
        let current = records::find::<R>(tx, id)?;
        if precondition != Precondition::Absent && current.is_none() {
            return Err(checks::not_found_or_merged(tx, R::ENTITY, id)?);
        }
        precondition.check(current.as_ref().map(Record::version))?;
        let shown = current.as_ref().map(serde_json::to_value).transpose()?;
        let mut invalid = Invalid::default();
        invalid.gather(check_read_only::<R>(&mut input, shown.as_ref()));
        let now = tx.now();
        let parsed = schemas.parse(R::INPUT, &input, |fields| match &current {
            None => R::new(id.uuid(), now, fields),
            Some(current) => current.with(fields),
        });
        let mut record = gather_all(invalid, parsed)?;
        record.prepare(tx, current.as_ref())?;
        let (status, record) = match current {
            None => (201, records::create(tx, record)?),
            Some(current) => (200, records::update(tx, &current, record)?),
        };
        record_reply(status, &record, &tags)
    });
    let outcome = with_current_tag(request, write.await, |version| api.tags.strong(version))?;
    respond(api, caller, outcome).await
}

pub async fn patch<R: Resource>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let id = path_id(request)?;
    let precondition = api.tags.precondition(request)?;
    let who = who(api, caller, request, &body)?;
    let mut patch = body.value;
    let mut invalid = Invalid::default();
    invalid.gather(check_patch::<R>(&mut patch));
    invalid.gather(api.schemas.check::<Value>(R::PATCH, &patch));
    // Before the workspace is locked: nobody waits while a body is checked.
    invalid.into_result(())?;
    let (schemas, tags) = (api.schemas.clone(), api.tags.clone());
    let write = api.store.write(who, move |tx| {
        let current = records::get::<R>(tx, id, &precondition)?;
        let base = entered::<R>(current.fields())?;
        edit_tags(&mut patch, &base)?;
        let merged = merge(base, patch.clone());
        let mut after = schemas.parse(R::INPUT, &merged, |fields| current.with(fields))?;
        after.follow(tx, &current, &patch)?;
        after.prepare(tx, Some(&current))?;
        let record = records::update(tx, &current, after)?;
        record_reply(200, &record, &tags)
    });
    let outcome = with_current_tag(request, write.await, |version| api.tags.strong(version))?;
    respond(api, caller, outcome).await
}

pub async fn delete<R: Resource>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    query: &Query,
) -> Result<HttpResponse, Problem> {
    let id = path_id(request)?;
    let precondition = api.tags.precondition(request)?;
    let purge = query.flag("purge")?;
    let who = WriteContext { workspace: caller.workspace, actor: caller.actor(), idempotency: None };
    let write = api.store.write(who, move |tx| {
        match records::find::<R>(tx, id)? {
            Some(record) => {
                precondition.check(Some(record.version()))?;
                records::delete(tx, &record)?;
                if purge {
                    erase::erase_deleted(tx)?;
                }
            }
            // Deleted before, and now to be forgotten as well.
            None if purge && records::was_deleted(tx, R::ENTITY, id)? => erase::erase(tx, R::ENTITY, id)?,
            None => return Err(checks::not_found_or_merged(tx, R::ENTITY, id)?),
        }
        Ok(Reply { status: 204, ..Reply::default() })
    });
    let outcome = with_current_tag(request, write.await, |version| api.tags.strong(version))?;
    if purge {
        api.store.checkpoint_wal().await;
    }
    respond(api, caller, outcome).await
}

pub async fn restore<R: Resource>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let id = path_id(request)?;
    let who = who(api, caller, request, &body)?;
    no_fields(&body)?;
    let tags = api.tags.clone();
    let outcome = api
        .store
        .write(who, move |tx| {
            undo::restore(tx, R::ENTITY, id)?;
            let record = records::get::<R>(tx, id, &Precondition::None)?;
            record_reply(200, &record, &tags)
        })
        .await?;
    respond(api, caller, outcome).await
}

pub async fn history<R: Resource>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    query: &Query,
) -> Result<HttpResponse, Problem> {
    let (workspace, id) = (caller.workspace, path_id(request)?);
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let binding = format!("history/{workspace}/{}/{}", R::ENTITY, id.uuid());
    let before = query.one("cursor")?.map(|cursor| api.cursors.open::<i64>(&binding, &cursor)).transpose()?;
    let tag = match list_tag(api, caller, request).await? {
        ListTag::Changed(tag) => tag,
        ListTag::Current(response) => return Ok(response),
    };
    let (entries, next) =
        api.store.read(move |conn| changes::history(conn, workspace, R::ENTITY, id, before, limit)).await?;
    let next = next.map(|next| api.cursors.seal(&binding, &next)).transpose()?;
    let items: Vec<Value> = entries.into_iter().map(|entry| history_json(R::ENTITY, entry)).collect();
    Ok(with_tag(PageOut::of(&items, next.as_deref()).respond(request.path(), query), &tag))
}

fn history_json(entity: Entity, entry: HistoryEntry) -> Value {
    let HistoryEntry { op, version, write, at, user, token, merged_into, fields, before, after } = entry;
    let only = |record: Option<Value>| match record {
        Some(Value::Object(record)) if !fields.is_empty() => {
            Some(record.into_iter().filter(|(name, _)| fields.contains(name)).collect::<Map<_, _>>().into())
        }
        whole => whole,
    };
    let (from, to) = (only(before), only(after));
    json!({
        "entity": entity, "op": op, "version": version, "write": write, "at": at, "actor": { "user_id": user, "token_id": token },
        "merged_into": merged_into, "fields": fields, "from": from, "to": to,
    })
}
