//! Several operations in one call. How they are carried out is in `http/batch.rs`.

use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{HttpResponse, ResponseError};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaType, Type};

use super::http::auth::limits::Left;
use super::http::batch::{BatchCall, MAX_OPERATIONS, carry_out};
use super::http::edge;
use super::http::messages::body::{MAX_VALUES, count_values};
use super::http::messages::problem::{Code, Problem};
use super::http::messages::response::of_outcome;
use super::http::operation::{Access, Docs, Exchange, Operation, Run};
use super::http::router::Router;
use crate::domain::count::thousands;
use crate::domain::invalid::Invalid;
use crate::service::validation::validate;
use crate::service::validation::views::View;
use crate::store::WriteContext;

/// Operations to carry out in one call.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what `parse` reads piece by piece")]
#[schema(as = Batch)]
struct BatchRequest {
    /// All or nothing: if an operation fails, those before it are rolled back. If all succeed, they are one write,
    /// so one revert undoes them. A record that the batch deletes can be created again under its id, but not
    /// restored or reverted within the batch. False: each operation is a write of its own, and one that fails does
    /// not affect the others.
    #[schema(required = false, default = false)]
    atomic: bool,
    /// The operations, carried out in this order; each sees the effects of those before it. To refer to a new
    /// record in later operations, create it under an id you choose.
    #[schema(min_items = 1, max_items = 100)]
    operations: Vec<BatchOperation>,
}

/// An operation, as it would be sent by itself.
#[derive(Deserialize, ToSchema)]
struct BatchOperation {
    method: BatchMethod,
    /// The path, with the query if there is one, without the host. Every operation that requires a scope is
    /// allowed, except those of the area `account`.
    #[schema(min_length = 1, max_length = 8192, pattern = "^/v1/[!\"$-~]*$", example = "/v1/contacts?limit=5")]
    path: String,
    /// Headers of the operation: `If-Match` and `If-None-Match`, and no others.
    #[serde(default)]
    #[schema(schema_with = headers_schema)]
    headers: BTreeMap<String, String>,
    /// The JSON body, if the operation takes one; null: none.
    #[serde(default)]
    #[schema(schema_with = body_schema)]
    body: Option<Map<String, Value>>,
}

/// The method of an operation.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
enum BatchMethod {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

fn headers_schema() -> Schema {
    let value = ObjectBuilder::new().schema_type(Type::String).max_length(Some(8192)).build();
    let headers = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("The headers of the operation. Only `If-Match` and `If-None-Match` are allowed."))
        .max_properties(Some(2))
        .additional_properties(Some(AdditionalProperties::RefOr(Schema::Object(value).into())))
        .examples([json!({"If-Match": "\"kfkw5zno.1.17\""})]);
    headers.build().into()
}

/// Open: the operation itself checks it.
fn body_schema() -> Schema {
    let body = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .description(Some("The JSON body, if the operation has one. Null: none."))
        .max_properties(Some(1000))
        .examples([json!({"given_name": "Grace"})]);
    body.build().into()
}

/// The results of a batch.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct BatchAnswer {
    /// The result of each operation, in the order in which they were sent. If an atomic batch fails, the operation
    /// that failed has its problem, and every other one has a problem with the code `failed_dependency`.
    #[schema(max_items = 100)]
    results: Vec<BatchResult>,
    /// The number of the write of an atomic batch, for `POST /v1/changes/{version}/revert`. Null if the batch is
    /// not atomic or changed nothing.
    write: Option<i64>,
}

/// The result of an operation, as if it had been sent by itself.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct BatchResult {
    /// The HTTP status.
    #[schema(minimum = 200, maximum = 599, example = 201)]
    status: u16,
    /// The headers of the answer that have a meaning within a batch, if it has them: `ETag`, `Location`, `Link`,
    /// `Content-Location`, `Wellmet-Write`, `Allow`, `Retry-After` and `WWW-Authenticate`.
    headers: BTreeMap<String, String>,
    /// The JSON body: what the operation returns, or a problem. Null if there is none.
    #[schema(value_type = Option<Object>)]
    body: Option<Value>,
}

pub fn operations() -> Vec<Operation> {
    let docs = || {
        Docs::new("batch", "Send a batch of operations")
            .description(
                "Up to 100 operations, carried out in their order and in one transaction. Each is treated as if it \
                 were sent by itself: by the scopes of the token, its own limits and its own preconditions; and each \
                 counts as a request: a batch for which too few are left is refused whole, before anything is done. \
                 Otherwise the answer is 207 whatever their results; check each `status`. A batch that \
                 is invalid itself is rejected before anything is done. The answers have at most 8 MiB together: an \
                 operation whose answer would exceed that gets 413 `body_too_large`. Operations that are not reached \
                 within the time that others wait for the batch (5 seconds, unless the server is configured \
                 otherwise) get 503 `busy`. Under an Idempotency-Key the results of all writes are stored, \
                 those that failed or were not reached too: send these again in a batch of their own, under a new key. \
                 Reads are carried out again. A repeated batch counts against the rate limit like the first. Nothing \
                 is stored if an atomic batch failed, or if the answer contains a record that the batch purged. If what \
                 would be stored exceeds 64 KiB compressed, nothing is done: 413 `reply_too_large`.",
            )
            .request::<BatchRequest>(json!({"atomic": true, "operations": [
                {"method": "POST", "path": "/v1/contacts",
                 "body": {"id": "01939d5e-8c00-7000-8000-0000000000c1", "given_name": "Grace"}},
                {"method": "POST", "path": "/v1/needs",
                 "body": {"contact_id": "01939d5e-8c00-7000-8000-0000000000c1", "topic": "hiring rust engineers"}}]}))
            .answer::<BatchAnswer>(207, "The result of each operation.")
    };
    let run = Run::Other(|exchange| Box::pin(send_batch(exchange)));
    vec![Operation::new(Method::POST, "/v1/batch", "send_batch", Access::AnyToken, run, docs)]
}

async fn send_batch(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let context = exchange.context()?;
    let router = exchange.request.app_data::<Data<Router>>().ok_or_else(|| Problem::new(Code::Internal))?;
    let router = router.clone().into_inner();
    let request_id = edge::request_id(&exchange.request);
    let write_context = WriteContext { idempotency: exchange.idempotency, ..context.write_context() };
    let body = &context.call.body.value;
    check_values(body)?;
    let mut invalid = validate::<BatchRequest>(View::Input, body);
    let parsed = match parse(&router, body) {
        Ok(parsed) => invalid.into_result(parsed),
        Err(more) => {
            invalid.extend_new(more);
            Err(invalid)
        }
    };
    let (atomic, calls) = parsed?;
    // The batch itself was counted as its first operation.
    let left = context.api.limits.user_at_once(context.caller.user, calls.len().saturating_sub(1))?;
    let etags = context.api.etags.clone();
    let mut answer = match carry_out(context, router, request_id, write_context, atomic, calls).await {
        Ok(outcome) => of_outcome(&etags, outcome).into_http(),
        Err(problem) => problem.error_response(),
    };
    for (name, value) in left.into_iter().flat_map(Left::headers) {
        answer.headers_mut().insert(name, value);
    }
    Ok(answer)
}

/// A batch may hold many values only within the bodies of its operations, none of which holds more than it could by itself.
fn check_values(batch: &Value) -> Result<(), Problem> {
    let operations = batch.get("operations").and_then(Value::as_array).into_iter().flatten();
    let bodies: Vec<usize> =
        operations.take(MAX_OPERATIONS).filter_map(|one| one.get("body")).map(count_values).collect();
    let beside = count_values(batch).saturating_sub(bodies.iter().sum());
    if bodies.into_iter().chain([beside]).all(|values| values <= MAX_VALUES) {
        return Ok(());
    }
    let detail = format!(
        "Each body in a batch holds at most {0} values, and so does the batch beside them.",
        thousands(MAX_VALUES)
    );
    Err(Problem::new(Code::BodyTooLarge).detail(detail))
}

/// Reads each operation by itself, so that an error in one does not hide those in another. What cannot be read at all is
/// reported by the schema.
fn parse(router: &Router, batch: &Value) -> Result<(bool, Vec<BatchCall>), Invalid> {
    let atomic = batch.get("atomic").and_then(Value::as_bool).unwrap_or(false);
    let operations = batch.get("operations").and_then(Value::as_array).into_iter().flatten();
    let (mut invalid, mut calls) = (Invalid::default(), Vec::new());
    for (index, operation) in operations.enumerate().take(MAX_OPERATIONS) {
        let Ok(operation) = BatchOperation::deserialize(operation) else { continue };
        let BatchOperation { method, path, headers, body } = operation;
        let method = match method {
            BatchMethod::Get => Method::GET,
            BatchMethod::Post => Method::POST,
            BatchMethod::Put => Method::PUT,
            BatchMethod::Patch => Method::PATCH,
            BatchMethod::Delete => Method::DELETE,
        };
        let call = BatchCall::check(router, method, &path, headers, body);
        calls.extend(invalid.gather(call.map_err(|more| more.under(&format!("operations/{index}")))));
    }
    invalid.into_result((atomic, calls))
}
