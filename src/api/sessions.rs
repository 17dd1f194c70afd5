//! Sessions: where you are logged in.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::Api;
use super::http::caller::Caller;
use super::http::problem::Problem;
use super::http::query::path_id;
use crate::domain::id::SessionId;
use crate::domain::timestamp::Timestamp;
use crate::store::sessions;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_sessions).service(delete_session);
}

/// One login on one device.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
struct SessionOut {
    /// The session's id.
    id: SessionId,
    /// Whether it is the one this request was made in.
    current: bool,
    /// What the app called itself when it logged in; null when it did not.
    #[schema(example = "curl/8.5.0")]
    user_agent: Option<String>,
    /// When somebody logged in.
    created_at: Timestamp,
    /// When its tokens were last refreshed.
    last_used_at: Timestamp,
    /// When it ends unless it is refreshed.
    expires_at: Timestamp,
}

/// Your sessions.
#[derive(Serialize, ToSchema)]
struct SessionPage {
    /// The sessions, newest first.
    items: Vec<SessionOut>,
    /// Always null: all of them are on one page.
    next_cursor: Option<String>,
}

/// List your sessions
#[utoipa::path(tag = "sessions", security(("bearer" = ["account:read"])),
    responses((status = 200, description = "All of them, newest first.", body = SessionPage)))]
#[get("/v1/sessions")]
async fn list_sessions(api: Data<Api>, caller: Caller) -> Result<HttpResponse, Problem> {
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

/// End a session
///
/// With its access tokens, at once.
#[utoipa::path(tag = "sessions", security(("bearer" = ["account:write"])),
    responses((status = 204, description = "It has ended.")))]
#[delete("/v1/sessions/{id}")]
async fn delete_session(api: Data<Api>, caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let id = SessionId::new(path_id(&request)?.uuid());
    api.store.account_write(move |tx| sessions::end_own_session(tx, caller.workspace, caller.user, id)).await?;
    api.authenticator.forget();
    Ok(HttpResponse::NoContent().finish())
}
