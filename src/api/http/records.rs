//! What every kind of record can: be made, read, replaced, patched, deleted, restored, and tell its history. A resource
//! brings its fields and rules.

use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::body::{Body, Schemas};
use super::caller::Caller;
use super::document::{nested_input, parent_field};
use super::etag;
use super::listing::{Collection, DEFAULT_LIMIT, MAX_LIMIT, Shown, page_response};
use super::problem::{Code, Problem};
use super::query::Query;
use crate::api::Api;
use crate::domain::entity::Entity;
use crate::domain::fields::single_line;
use crate::domain::invalid::{FieldCode, Invalid, Rejection, escape};
use crate::domain::merge_patch::merge;
use crate::domain::text;
use crate::domain::timestamp::Timestamp;
use crate::store::changes::{self, HistoryEntry};
use crate::store::{
    AnyId, Error as StoreError, IdempotencyKey, Outcome, Precondition, Predicate, Record, Reply,
    Result as StoreResult, Tx, Who, accounts, lists,
};

/// How long an Idempotency-Key may be.
pub const MAX_KEY_CHARACTERS: usize = 255;

/// A record as the API takes it.
pub trait Resource: Record {
    /// What can be entered.
    type Fields: Serialize + DeserializeOwned + Send + 'static;
    /// The names of the document's schemas: of the whole, and of a patch.
    const INPUT: &'static str;
    const PATCH: &'static str;
    /// What is the server's, as paths in which `*` is any key.
    const READ_ONLY: &'static [&'static str];

    fn new(id: Uuid, now: Timestamp, fields: Self::Fields) -> Result<Self, Invalid>;
    fn with(&self, fields: Self::Fields) -> Result<Self, Invalid>;
    fn fields(&self) -> &Self::Fields;

    /// What has to be looked up before it is written: limits, and links that are found by name.
    fn prepare(&mut self, _tx: &mut Tx<'_>, _before: Option<&Self>) -> StoreResult<()> {
        Ok(())
    }
}

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
    let mut listing = collection.listing(api, workspace, query, path)?;
    let shown = collection.shown(query)?;
    shown.relations.iter().try_for_each(|relation| caller.require(relation.link.entity(), "read"))?;
    if let Some(within) = within {
        listing.filter = Predicate::All(vec![within, listing.filter]);
    }
    let tag = match list_tag(api, caller, request).await? {
        ListTag::Changed(tag) => tag,
        ListTag::Current(response) => return Ok(response),
    };
    let response = if shown.is_plain() {
        let page = api.store.read(move |conn| lists::list::<R>(conn, workspace, listing)).await?;
        let next = collection.next_cursor(api, workspace, query, path, page.next.as_ref())?;
        page_response(path, query, &page.items, next.as_deref(), page.total)
    } else {
        let Shown { summary, relations } = shown;
        let page = api
            .store
            .read(move |conn| lists::list_shown::<R>(conn, workspace, listing, summary, &relations))
            .await?;
        let next = collection.next_cursor(api, workspace, query, path, page.next.as_ref())?;
        page_response(path, query, &page.items, next.as_deref(), page.total)
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

/// What the tag of a list says of what the client has.
pub enum ListTag {
    /// Nothing has changed since: the answer is this.
    Current(HttpResponse),
    /// Something has: the answer is to carry this tag.
    Changed(String),
}

/// The tag of everything in the workspace, read before the list itself, so that it is never newer than that.
pub async fn list_tag(api: &Api, caller: &Caller, request: &HttpRequest) -> Result<ListTag, Problem> {
    let workspace = caller.workspace;
    let (seq, _) = api.store.read(move |conn| accounts::workspace_numbers(conn, workspace)).await?;
    Ok(compared(api, request, api.tags.weak(seq)))
}

/// What this tag says of what the client has.
pub fn compared(api: &Api, request: &HttpRequest, tag: String) -> ListTag {
    match api.tags.is_current(request, &tag) {
        true => ListTag::Current(HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish()),
        false => ListTag::Changed(tag),
    }
}

/// The answer with its tag.
pub fn with_tag(mut response: HttpResponse, tag: &str) -> HttpResponse {
    if let Ok(tag) = header::HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// One record, also under the id of one that was merged into it; with `include` its tag is the workspace's, since what is
/// added may change without it.
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
    if relations.is_empty() {
        let record = api.store.read(move |conn| lists::find::<R>(conn, workspace, id)).await?;
        let living = record.id();
        let response = tagged(api, request, api.tags.strong(record.version()), &record);
        return Ok(if living == id { response } else { found_elsewhere(response, R::ENTITY, living) });
    }
    let (shown, seq) = api.store.read(move |conn| lists::one_shown::<R>(conn, workspace, id, &relations)).await?;
    Ok(tagged(api, request, api.tags.weak(seq), &shown))
}

/// The answer to a GET of a record that was merged: `Content-Location` (RFC 9110, section 8.7) tells whose it is.
fn found_elsewhere(mut response: HttpResponse, entity: Entity, living: AnyId) -> HttpResponse {
    if let Ok(location) = header::HeaderValue::from_str(&location_of(entity, living)) {
        response.headers_mut().insert(header::CONTENT_LOCATION, location);
    }
    response
}

/// The answer under its tag, or 304 where the client has it.
pub fn tagged<T: Serialize>(api: &Api, request: &HttpRequest, tag: String, answer: &T) -> HttpResponse {
    if api.tags.is_current(request, &tag) {
        return HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish();
    }
    HttpResponse::Ok().insert_header((header::ETAG, tag)).json(answer)
}

pub async fn create<R: Resource>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let who = who(api, caller, request, &body)?;
    let mut input = body.value;
    let mut invalid = Invalid::default();
    let id = invalid.gather(take_id(&mut input)).flatten();
    invalid.gather(check_read_only::<R>(&mut input, None));
    let (schemas, tags) = (api.schemas.clone(), api.tags.clone());
    let outcome = api
        .store
        .write(who, move |tx| {
            let (id, now) = (id.unwrap_or_else(|| tx.new_id()), tx.now());
            let parsed = schemas.parse(R::INPUT, &input, |fields| R::new(id, now, fields));
            let mut record = gather_all(invalid, parsed)?;
            record.prepare(tx, None)?;
            let record = tx.create(record)?;
            record_reply(201, &record, &tags)
        })
        .await?;
    respond(api, caller, outcome).await
}

/// Makes a record that belongs to the record in the path, which has to exist. The body is as for [`create`] but for the
/// field that refers to that record, which is filled in here; what is wrong with it is told of the whole.
pub async fn create_under<Parent: Resource, R: Resource>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let parent = path_id(request)?;
    let field = parent_field(R::ENTITY, Parent::ENTITY).ok_or_else(|| Problem::new(Code::Internal))?;
    let who = who(api, caller, request, &body)?;
    let mut input = body.value;
    let mut invalid = Invalid::default();
    let id = invalid.gather(take_id(&mut input)).flatten();
    invalid.gather(check_read_only::<R>(&mut input, None));
    invalid.gather(api.schemas.check::<Value>(&nested_input(R::ENTITY, Parent::ENTITY), &input));
    if let Some(input) = input.as_object_mut() {
        input.insert(field.to_owned(), json!(parent));
    }
    let (schemas, tags) = (api.schemas.clone(), api.tags.clone());
    let outcome = api
        .store
        .write(who, move |tx| {
            if tx.find::<Parent>(parent)?.is_none() {
                return Err(StoreError::NotFound);
            }
            let (id, now) = (id.unwrap_or_else(|| tx.new_id()), tx.now());
            let parsed = schemas.parse(R::INPUT, &input, |fields| R::new(id, now, fields));
            let mut record = gather_all(invalid, parsed)?;
            let made = record.prepare(tx, None).and_then(|()| tx.create(record));
            // What is wrong with a field that is not in the body is wrong with the body.
            let own = format!("#/{field}");
            let made =
                made.map_err(|error| error.moved(|at| if at == own { "#".to_owned() } else { at.to_owned() }))?;
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
    let who = Who { workspace: caller.workspace, actor: caller.actor(), idempotency: None };
    let mut input = body.value;
    let sent_id = take_id(&mut input).and_then(|sent| match sent {
        Some(sent) if sent != id.uuid() => {
            Err(Invalid::one("#/id", FieldCode::ReadOnly, "The id is the one in the path."))
        }
        _ => Ok(()),
    });
    let (schemas, tags) = (api.schemas.clone(), api.tags.clone());
    let write = api.store.write(who, move |tx| {
        let current = tx.find::<R>(id)?;
        if precondition != Precondition::Absent && current.is_none() {
            return Err(StoreError::NotFound);
        }
        precondition.check(current.as_ref().map(Record::version))?;
        let shown = current.as_ref().map(serde_json::to_value).transpose()?;
        let mut invalid = Invalid::default();
        invalid.gather(sent_id);
        invalid.gather(check_read_only::<R>(&mut input, shown.as_ref()));
        let now = tx.now();
        let parsed = schemas.parse(R::INPUT, &input, |fields| match &current {
            None => R::new(id.uuid(), now, fields),
            Some(current) => current.with(fields),
        });
        let mut record = gather_all(invalid, parsed)?;
        record.prepare(tx, current.as_ref())?;
        let (status, record) = match current {
            None => (201, tx.create(record)?),
            Some(current) => (200, tx.update(&current, record)?),
        };
        record_reply(status, &record, &tags)
    });
    let outcome = with_current_tag(api, write.await)?;
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
    if patch.as_object_mut().and_then(|object| object.remove("id")).is_some() {
        invalid.add("#/id", Rejection::new(FieldCode::ReadOnly, "The id of a record does not change."));
    }
    invalid.gather(check_read_only::<R>(&mut patch, None));
    invalid.gather(api.schemas.check::<Value>(R::PATCH, &patch));
    let (schemas, tags) = (api.schemas.clone(), api.tags.clone());
    let write = api.store.write(who, move |tx| {
        let current = tx.get::<R>(id, &precondition)?;
        let base = entered::<R>(current.fields())?;
        if invalid.errors.is_empty() {
            invalid.gather(edit_tags(&mut patch, &base));
        } else {
            TAG_EDITS.iter().for_each(|name| remove(&mut patch, name));
        }
        let merged = merge(base, patch);
        let mut after = gather_all(invalid, schemas.parse(R::INPUT, &merged, |fields| current.with(fields)))?;
        after.prepare(tx, Some(&current))?;
        let record = tx.update(&current, after)?;
        record_reply(200, &record, &tags)
    });
    let outcome = with_current_tag(api, write.await)?;
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
    let who = Who { workspace: caller.workspace, actor: caller.actor(), idempotency: None };
    let write = api.store.write(who, move |tx| {
        match tx.find::<R>(id)? {
            Some(record) => {
                precondition.check(Some(record.version()))?;
                tx.delete(&record)?;
                if purge {
                    tx.erase_deleted()?;
                }
            }
            // Deleted before, and now to be forgotten as well.
            None if purge && tx.was_deleted(R::ENTITY, id)? => tx.erase(R::ENTITY, id)?,
            None => return Err(StoreError::NotFound),
        }
        Ok(Reply { status: 204, ..Reply::default() })
    });
    let outcome = with_current_tag(api, write.await)?;
    if purge {
        api.store.write_back().await;
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
            tx.restore(R::ENTITY, id)?;
            let record = tx.get::<R>(id, &Precondition::None)?;
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
    let items: Vec<Value> = entries.into_iter().map(history_json).collect();
    Ok(with_tag(page_response(request.path(), query, &items, next.as_deref(), None), &tag))
}

fn history_json(entry: HistoryEntry) -> Value {
    let HistoryEntry { op, version, at, user, token, fields, before, after } = entry;
    let only = |record: Option<Value>| match record {
        Some(Value::Object(record)) if !fields.is_empty() => {
            Some(record.into_iter().filter(|(name, _)| fields.contains(name)).collect::<Map<_, _>>().into())
        }
        whole => whole,
    };
    let (from, to) = (only(before), only(after));
    json!({
        "op": op, "version": version, "at": at, "actor": { "user_id": user, "token_id": token },
        "fields": fields, "from": from, "to": to,
    })
}

// The steps.

/// The id in the path; one that is malformed names nothing.
pub fn path_id(request: &HttpRequest) -> Result<AnyId, Problem> {
    let id = request.match_info().get("id").and_then(parse_uuid);
    id.map(AnyId::new).ok_or_else(|| Problem::new(Code::NotFound))
}

/// A UUID in its usual form, and not the one that stands for none.
fn parse_uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|id| text.len() == 36 && !id.is_nil())
}

/// Who writes, under the Idempotency-Key of the request if it has one.
pub fn who(api: &Api, caller: &Caller, request: &HttpRequest, body: &Body) -> Result<Who, Problem> {
    let key = etag::text(request, HeaderName::from_static("idempotency-key"))?;
    let idempotency = match key {
        None => None,
        Some(_) if request.headers().get_all("idempotency-key").count() > 1 => {
            return Err(
                Problem::new(Code::InvalidParameter).detail("Header Idempotency-Key: it may come only once.")
            );
        }
        Some(key) if key.is_empty() || key.len() > MAX_KEY_CHARACTERS => {
            let detail = format!("Header Idempotency-Key: 1 to {MAX_KEY_CHARACTERS} ASCII characters.");
            return Err(Problem::new(Code::InvalidParameter).detail(detail));
        }
        Some(key) => {
            let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
            let parts = [request.method().as_str().as_bytes(), path.as_bytes(), &body.bytes];
            Some(IdempotencyKey { key, fingerprint: api.cursors.fingerprint(&parts) })
        }
    };
    Ok(Who { workspace: caller.workspace, actor: caller.actor(), idempotency })
}

/// What was entered, as it is sent: without what is the server's.
pub fn entered<R: Resource>(fields: &R::Fields) -> StoreResult<Value> {
    let mut entered = serde_json::to_value(fields)?;
    R::READ_ONLY.iter().for_each(|path| remove(&mut entered, path));
    Ok(entered)
}

/// Writes what a checked merge patch on `base` comes to.
pub fn patched<R: Resource>(
    tx: &mut Tx<'_>,
    schemas: &Schemas,
    current: &R,
    base: Value,
    mut patch: Value,
) -> StoreResult<R> {
    edit_tags(&mut patch, &base)?;
    let mut after = schemas.parse(R::INPUT, &merge(base, patch), |fields| current.with(fields))?;
    after.prepare(tx, Some(current))?;
    tx.update(current, after)
}

/// What was parsed, unless something was wrong before; everything that is wrong, each place once.
fn gather_all<T>(mut invalid: Invalid, parsed: Result<T, Invalid>) -> Result<T, Invalid> {
    match parsed {
        Ok(parsed) => invalid.into_result(parsed),
        Err(more) => {
            for error in more.errors {
                if invalid.errors.iter().all(|known| known.pointer != error.pointer) {
                    invalid.errors.push(error);
                }
            }
            Err(invalid)
        }
    }
}

/// A body where none is needed has to be empty, or an empty object.
pub fn no_fields(body: &Body) -> Result<(), Problem> {
    let mut invalid = Invalid::default();
    for name in body.value.as_object().into_iter().flat_map(|object| object.keys()) {
        let rejection = Rejection::new(FieldCode::UnknownField, "This operation takes no fields.");
        invalid.add(crate::domain::invalid::pointer(&[name]), rejection);
    }
    invalid.into_result(()).map_err(Problem::from)
}

/// The id a client chose for its record.
fn take_id(input: &mut Value) -> Result<Option<Uuid>, Invalid> {
    let sent = input.as_object_mut().and_then(|object| object.remove("id"));
    match sent {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => match parse_uuid(&text) {
            Some(id) => Ok(Some(id)),
            None => {
                Err(Invalid::one("#/id", FieldCode::InvalidFormat, "Expected a UUID (RFC 9562) of 36 characters."))
            }
        },
        Some(_) => Err(Invalid::one("#/id", FieldCode::InvalidType, "Expected the JSON type string.")),
    }
}

/// What is the server's may stand in a PUT where it is what it is now; anywhere else it is refused. What may stand is
/// taken out, since it is not entered.
fn check_read_only<R: Resource>(input: &mut Value, current: Option<&Value>) -> Result<(), Invalid> {
    let mut invalid = Invalid::default();
    for path in R::READ_ONLY {
        let parts: Vec<&str> = path.split('/').collect();
        take_read_only(input, current, &parts, "#", &mut invalid);
    }
    invalid.into_result(())
}

fn take_read_only(input: &mut Value, current: Option<&Value>, path: &[&str], at: &str, invalid: &mut Invalid) {
    let (Some(object), Some((first, rest))) = (input.as_object_mut(), path.split_first()) else { return };
    if rest.is_empty() {
        if let Some(sent) = object.remove(*first)
            && current.and_then(|current| current.get(*first)) != Some(&sent)
        {
            let detail = format!("{first} is set by the server.");
            invalid.add(format!("{at}/{first}"), Rejection::new(FieldCode::ReadOnly, detail));
        }
        return;
    }
    let keys: Vec<String> = object.keys().filter(|key| *first == "*" || key == first).cloned().collect();
    for key in keys {
        let below = current.and_then(|current| current.get(&key));
        if let Some(member) = object.get_mut(&key) {
            take_read_only(member, below, rest, &format!("{at}/{}", escape(&key)), invalid);
        }
    }
}

/// Takes out what is the server's.
fn remove(value: &mut Value, path: &str) {
    let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let Some(object) = value.as_object_mut() else { return };
    match rest {
        None => drop(object.remove(first)),
        Some(rest) => {
            object
                .iter_mut()
                .filter(|(key, _)| first == "*" || *key == first)
                .for_each(|(_, member)| remove(member, rest));
        }
    }
}

/// What a patch can say of tags beside replacing them.
const TAG_EDITS: [&str; 2] = ["add_tags", "remove_tags"];

/// `add_tags` and `remove_tags` become the `tags` they lead to.
fn edit_tags(patch: &mut Value, current: &Value) -> Result<(), Invalid> {
    let Some(object) = patch.as_object_mut() else { return Ok(()) };
    let (add, remove) = (object.remove("add_tags"), object.remove("remove_tags"));
    if add.is_none() && remove.is_none() {
        return Ok(());
    }
    if object.contains_key("tags") {
        let detail = "Send tags, which replaces them, or add_tags and remove_tags, not both.";
        return Err(Invalid::one("#/tags", FieldCode::Contradiction, detail));
    }
    let texts = |value: Option<Value>| -> Vec<String> {
        value.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
    };
    let mut invalid = Invalid::default();
    let add = texts(add);
    for (index, _) in add.iter().enumerate().filter(|(_, tag)| single_line(tag).is_empty()) {
        invalid.add(format!("#/add_tags/{index}"), Rejection::new(FieldCode::TooShort, "Must not be blank."));
    }
    let removed: Vec<String> = texts(remove).iter().map(|tag| text::fold(tag)).collect();
    for (index, _) in add.iter().enumerate().filter(|(_, tag)| removed.contains(&text::fold(tag))) {
        let rejection = Rejection::new(FieldCode::Contradiction, "It is among those to remove.");
        invalid.add(format!("#/add_tags/{index}"), rejection);
    }
    invalid.into_result(())?;
    let mut tags = texts(current.get("tags").cloned());
    tags.retain(|tag| !removed.contains(&text::fold(tag)));
    tags.extend(add);
    object.insert("tags".to_owned(), json!(tags));
    Ok(())
}

/// The whole record as the answer, with its address and tag.
pub fn record_reply<R: Record>(status: u16, record: &R, tags: &etag::Tags) -> StoreResult<Reply> {
    let location = (status == 201).then(|| location_of(R::ENTITY, record.id()));
    Ok(Reply {
        status,
        location,
        etag: Some(tags.strong(record.version())),
        body: Some(serde_json::to_string(record)?),
        record: Some((R::ENTITY, record.id())),
    })
}

/// The canonical URL of a record.
pub fn location_of(entity: Entity, id: AnyId) -> String {
    format!("/v1/{}/{}", entity.segment(), id.uuid())
}

/// A failed precondition tells the tag the record has now.
pub fn with_current_tag<T>(api: &Api, written: StoreResult<T>) -> Result<T, Problem> {
    written.map_err(|error| match error {
        StoreError::PreconditionFailed(Some(version)) => {
            Problem::new(Code::PreconditionFailed).header(header::ETAG, api.tags.strong(version))
        }
        other => other.into(),
    })
}

/// The answer to a write. One too long to be kept is rendered anew from its record.
pub async fn respond(api: &Api, caller: &Caller, outcome: Outcome) -> Result<HttpResponse, Problem> {
    let Outcome { reply, replayed } = outcome;
    let Reply { status, location, etag, mut body, record } = reply;
    if let (None, true, Some((entity, id))) = (&body, replayed && status != 204, record) {
        let workspace = caller.workspace;
        let current = api.store.read(move |conn| changes::current(conn, workspace, entity, id)).await?;
        body = Some(current.ok_or_else(|| Problem::new(Code::NotFound))?.to_string());
    }
    let status = actix_web::http::StatusCode::from_u16(status)
        .map_err(|error| Problem::new(Code::Internal).caused_by(error))?;
    let mut response = HttpResponse::build(status);
    if let Some(location) = location {
        response.insert_header((header::LOCATION, location));
    }
    if let Some(etag) = etag {
        response.insert_header((header::ETAG, etag));
    }
    if replayed {
        response.insert_header(("Idempotent-Replayed", "true"));
    }
    Ok(match body {
        Some(body) => response.content_type("application/json").body(body),
        None => response.finish(),
    })
}
