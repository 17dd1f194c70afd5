//! Operations: edits of so many records that they are carried out after the response.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName};
use serde::Serialize;
use std::time::Duration;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::http::auth::caller::Caller;
use super::http::messages::accepted::OperationOut;
use super::http::messages::problem::Problem;
use super::http::messages::response::of_outcome;
use super::http::operation::{Access, Docs, Exchange, Operation, Run};
use crate::domain::entity::Entity;
use crate::domain::id::OperationId;
use crate::domain::operation::{self, OperationError, OperationKind};
use crate::store::{Reply, WriteContext, operations};

/// The longest that a GET waits for the end of an operation.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// How often it reads the operation.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

pub fn operations() -> Vec<Operation> {
    let cancel = || {
        Docs::new("operations", "Cancel an operation")
            .description(
                "Requests that the operation stops and that everything it has done is reverted. Its state is then \
                 `reverting`, and `cancelled` at the end. An operation that has finished is left as it is; revert its \
                 write instead.",
            )
            .answer::<OperationOut>(200, "The operation as it was when the request arrived.")
    };
    vec![
        Operation::new(
            Method::GET,
            "/v1/operations",
            "list_operations",
            Access::AnyToken,
            Run::Other(|exchange| Box::pin(list_operations(exchange))),
            || {
                Docs::new("operations", "List operations")
                    .answer::<OperationPage>(200, "The newest 100 operations of the last 30 days, newest first.")
            },
        ),
        Operation::new(
            Method::GET,
            "/v1/operations/{id}",
            "get_operation",
            Access::AnyToken,
            Run::Other(|exchange| Box::pin(get_operation(exchange))),
            || {
                Docs::new("operations", "Get an operation")
                    .description(
                        "With the header `Prefer: wait=10` (RFC 7240), the response is sent when the operation \
                         finishes, or after 10 seconds. The maximum is 30 seconds; `Preference-Applied` gives the \
                         wait that was applied.",
                    )
                    .answer::<OperationOut>(200, "The operation.")
            },
        ),
        Operation::new(
            Method::POST,
            "/v1/operations/{id}/cancel",
            "cancel_operation",
            Access::AnyToken,
            Run::Other(|exchange| Box::pin(cancel_operation(exchange))),
            cancel,
        ),
    ]
}

/// A list of operations.
#[derive(Serialize, ToSchema)]
struct OperationPage {
    /// The operations, newest first.
    #[schema(value_type = Vec<OperationOut>)]
    items: Vec<operation::Operation>,
    /// Always null: there is only one page.
    #[schema(max_length = 2048)]
    next_cursor: Option<String>,
}

async fn list_operations(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let (api, workspace) = (exchange.api.clone(), exchange.caller()?.workspace);
    let caller = exchange.caller()?.clone();
    let items = api.store.read(move |conn| operations::newest(conn, workspace)).await?;
    let items = items.into_iter().map(|operation| readable(&caller, operation)).collect();
    Ok(HttpResponse::Ok().json(OperationPage { items, next_cursor: None }))
}

/// The kind of record that an operation is mostly about.
const fn edited(kind: OperationKind) -> Entity {
    match kind {
        OperationKind::EditFollowUps => Entity::FollowUp,
        OperationKind::EditContacts | OperationKind::UpdateTags | OperationKind::Revert => Entity::Contact,
    }
}

/// The operation without what tells of records that the caller may not read.
fn readable(caller: &Caller, mut operation: operation::Operation) -> operation::Operation {
    if !caller.may_read(edited(operation.kind)) {
        operation.left_alone = Vec::new();
        operation.error = operation.error.map(|error| OperationError::new(&error.code, "It could not be done."));
    }
    operation
}

async fn get_operation(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let (api, workspace) = (exchange.api.clone(), exchange.caller()?.workspace);
    let caller = exchange.caller()?.clone();
    let id = OperationId::new(exchange.call.id()?.uuid());
    let wait = wait_of(exchange.request.headers());
    let end = wait.map(|wait| Instant::now() + wait);
    loop {
        let found = api.store.look_up(move |conn| operations::find(conn, workspace, id)).await?.shown();
        let is_late = end.is_none_or(|end| Instant::now() >= end);
        if found.finished_at.is_some() || is_late {
            let mut response = HttpResponse::Ok();
            if let Some(wait) = wait {
                response.insert_header((PREFERENCE_APPLIED, format!("wait={}", wait.as_secs())));
            }
            return Ok(response.json(readable(&caller, found)));
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// The seconds of `Prefer: wait=10`. A preference that cannot be read is ignored, as RFC 7240 has it.
fn wait_of(headers: &HeaderMap) -> Option<Duration> {
    let preferences =
        headers.get_all(PREFER).filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let mut waits = preferences.filter_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        let is_wait = name.trim().eq_ignore_ascii_case("wait");
        is_wait.then(|| value.trim().trim_matches('"').parse::<u64>().ok()).flatten()
    });
    waits.next().map(|seconds| Duration::from_secs(seconds).min(MAX_WAIT))
}

async fn cancel_operation(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let (api, caller) = (exchange.api.clone(), exchange.caller()?.clone());
    exchange.call.body.require_empty()?;
    let (workspace, id) = (caller.workspace, OperationId::new(exchange.call.id()?.uuid()));
    let kind = api.store.look_up(move |conn| operations::find(conn, workspace, id)).await?.kind;
    caller.require(edited(kind), "write")?;
    let write_context = WriteContext { workspace, actor: caller.actor(), idempotency: exchange.idempotency };
    let cancelled = api.store.account_write_in(workspace, move |tx| {
        tx.once(&write_context, |tx| {
            let found = operations::request_cancel(tx, workspace, id)?;
            Ok(Reply { status: 200, body: Some(serde_json::to_string(&found)?), ..Reply::default() })
        })
    });
    Ok(of_outcome(&api.etags, cancelled.await?).into_http())
}
