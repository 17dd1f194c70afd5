//! What every write begins and ends with: who writes, under which Idempotency-Key, and the answer.

use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpRequest, HttpResponse};

use super::body::Body;
use super::caller::Caller;
use super::etag;
use super::problem::{Code, Problem};
use crate::api::Api;
use crate::domain::entity::Entity;
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::store::{
    AnyId, Error as StoreError, IdempotencyKey, Outcome, Record, Reply, Result as StoreResult, WriteContext,
    changes,
};

/// How long an Idempotency-Key may be.
pub const MAX_KEY_CHARACTERS: usize = 255;

/// WriteContext writes, under the Idempotency-Key of the request if it has one.
pub fn who(api: &Api, caller: &Caller, request: &HttpRequest, body: &Body) -> Result<WriteContext, Problem> {
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
    Ok(WriteContext { workspace: caller.workspace, actor: caller.actor(), idempotency })
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

/// A failed precondition tells which it was, and the tag the record has now.
pub fn with_current_tag<T>(
    request: &HttpRequest,
    written: StoreResult<T>,
    tag: impl FnOnce(i64) -> String,
) -> Result<T, Problem> {
    written.map_err(|error| match error {
        StoreError::PreconditionFailed(Some(version)) => {
            let tag = tag(version);
            let detail = if request.headers().contains_key(header::IF_NONE_MATCH) {
                "There is one with this id already.".to_owned()
            } else {
                format!("Its ETag is {tag}, which is none of those sent. Read it again, merge, and repeat.")
            };
            Problem::new(Code::PreconditionFailed).detail(detail).header(header::ETAG, tag)
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
