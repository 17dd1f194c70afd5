//! Sessions: where you are logged in.

use actix_web::HttpResponse;
use actix_web::http::Method;
use serde::Serialize;
use utoipa::ToSchema;

use super::http::messages::problem::Problem;
use super::http::operation::{Access, Docs, Exchange, Operation, Run};
use crate::domain::id::SessionId;
use crate::domain::timestamp::Timestamp;
use crate::store::sessions;

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/v1/sessions",
            "list_sessions",
            Access::scope("account:read"),
            Run::Other(|exchange| Box::pin(list_sessions(exchange))),
            || {
                Docs::new("sessions", "List your sessions")
                    .answer::<SessionPage>(200, "All sessions, newest first.")
            },
        ),
        Operation::new(
            Method::DELETE,
            "/v1/sessions/{id}",
            "delete_session",
            Access::scope("account:write"),
            Run::Other(|exchange| Box::pin(delete_session(exchange))),
            || {
                Docs::new("sessions", "Delete a session")
                    .description("Ends the session immediately, with its access tokens.")
                    .empty(204, "Deleted.")
            },
        ),
    ]
}

/// A login on a device.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
struct SessionOut {
    /// The session's id.
    id: SessionId,
    /// Whether this request belongs to it.
    current: bool,
    /// The `User-Agent` of the app that logged in. Null if it sent none.
    #[schema(example = "curl/8.5.0")]
    user_agent: Option<String>,
    /// When the session began.
    created_at: Timestamp,
    /// When its tokens were last refreshed.
    last_used_at: Timestamp,
    /// When it ends if it is not refreshed.
    expires_at: Timestamp,
}

/// Your sessions.
#[derive(Serialize, ToSchema)]
struct SessionPage {
    /// The sessions, newest first.
    items: Vec<SessionOut>,
    /// Always null: there is only one page.
    #[schema(max_length = 2048)]
    next_cursor: Option<String>,
}

async fn list_sessions(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let (api, caller) = (exchange.api.clone(), exchange.caller()?.clone());
    let (workspace, user, now) = (caller.workspace, caller.user, api.store.now());
    let found = api.store.read(move |conn| sessions::list(conn, workspace, user, now)).await?;
    let items = found.into_iter().map(|session| {
        let sessions::Session {
            workspace_id: _,
            id,
            user_id: _,
            created_at,
            last_used_at,
            expires_at,
            user_agent,
        } = session;
        SessionOut { id, current: caller.session == Some(id), user_agent, created_at, last_used_at, expires_at }
    });
    Ok(HttpResponse::Ok().json(SessionPage { items: items.collect(), next_cursor: None }))
}

async fn delete_session(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let (api, caller) = (exchange.api.clone(), exchange.caller()?.clone());
    let id = SessionId::new(exchange.call.id()?.uuid());
    api.store.account_write(move |tx| sessions::end_own_session(tx, caller.workspace, caller.user, id)).await?;
    api.authenticator.forget();
    Ok(HttpResponse::NoContent().finish())
}
