//! Personal access tokens: for scripts and integrations.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::Api;
use super::auth::secret_response;
use super::http::body::Body;
use super::http::caller::Caller;
use super::http::problem::Problem;
use super::http::query::path_id;
use crate::domain::id::TokenId;
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::domain::personal_token;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::timestamp::Timestamp;
use crate::store::tokens::{self, AccessToken, NewToken};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_tokens).service(create_token).service(get_token).service(delete_token);
}

/// A token to make.
#[derive(Deserialize, ToSchema)]
struct TokenRequest {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100, example = "import script")]
    name: String,
    /// What it may do: no more than the token that makes it.
    #[schema(value_type = Vec<Scope>, min_items = 1, max_items = 24, example = json!(["contacts:read", "contacts:write"]))]
    scopes: Vec<String>,
    /// When it ends. Null: when it is deleted.
    #[serde(default)]
    #[schema(example = "2027-01-01T00:00:00Z")]
    expires_at: Option<Timestamp>,
}

/// A personal access token, without its secret.
#[derive(Serialize, ToSchema)]
struct Token {
    /// The token's id; not its secret.
    id: TokenId,
    /// What it is for.
    name: String,
    /// The last four characters of the secret, to tell it by.
    #[schema(example = "x8Qz")]
    hint: String,
    /// What it may do.
    #[schema(value_type = Vec<Scope>)]
    scopes: Scopes,
    /// When it was made.
    created_at: Timestamp,
    /// When it ends; null: when it is deleted.
    expires_at: Option<Timestamp>,
    /// When it was last used, to the minute; null: never.
    last_used_at: Option<Timestamp>,
}

impl From<AccessToken> for Token {
    fn from(token: AccessToken) -> Self {
        let AccessToken { id, name, hint, scopes, created_at, expires_at, last_used_at, .. } = token;
        Self { id, name, hint, scopes: scopes.0, created_at, expires_at, last_used_at }
    }
}

/// A personal access token with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
struct NewTokenOut {
    #[serde(flatten)]
    shown: Token,
    /// Send it as `Authorization: Bearer …`. It is not kept and cannot be shown again.
    token: String,
}

/// Your personal access tokens.
#[derive(Serialize, ToSchema)]
struct TokenPage {
    /// The tokens, newest first.
    items: Vec<Token>,
    /// Always null: all of them are on one page.
    next_cursor: Option<String>,
}

/// List your personal access tokens
#[utoipa::path(tag = "tokens", security(("bearer" = ["account:read"])),
    responses((status = 200, description = "All of them, newest first.", body = TokenPage)))]
#[get("/v1/tokens")]
async fn list_tokens(api: Data<Api>, caller: Caller) -> Result<HttpResponse, Problem> {
    let found = api.store.read(move |conn| tokens::list(conn, caller.workspace, caller.user)).await?;
    let items = found.into_iter().map(Token::from).collect();
    Ok(HttpResponse::Ok().json(TokenPage { items, next_cursor: None }))
}

/// Make a personal access token
///
/// Bound to this workspace. The secret is in the answer and nowhere else.
#[utoipa::path(tag = "tokens", security(("bearer" = ["account:write"])),
    request_body(content = TokenRequest,
        example = json!({"name": "import script", "scopes": ["contacts:read", "contacts:write"]})),
    extensions(("x-errors" = json!(["limit_reached"]))),
    responses((status = 201, description = "The token, with its secret.", body = NewTokenOut)))]
#[post("/v1/tokens")]
async fn create_token(api: Data<Api>, caller: Caller, body: Body) -> Result<HttpResponse, Problem> {
    let now = api.store.now();
    let new = api.schemas.parse("TokenRequestInput", &body.value, |request| checked(request, now))?;
    let beyond = new.scopes.beyond(&caller.scopes);
    if !beyond.is_empty() {
        let detail = format!("A token gives no more than its maker has; yours lacks {}.", beyond.join(", "));
        return Err(Problem::insufficient_scope(&beyond.join(" ")).detail(detail));
    }
    let secret = personal_token::make(&api.store.random()?);
    let stored = secret.clone();
    let token = api
        .store
        .account_write(move |tx| {
            // Else a token that expires could make one that does not.
            let made_by = caller
                .token
                .map(|token| tokens::find_token(tx, caller.workspace, caller.user, token))
                .transpose()?;
            let end = made_by.and_then(|token| token.expires_at);
            if end.is_some_and(|end| new.expires_at.is_none_or(|own| own > end)) {
                let detail = "A token ends no later than the one that makes it.";
                return Err(Invalid::one("#/expires_at", FieldCode::OutOfRange, detail).into());
            }
            tokens::create_token(tx, caller.workspace, caller.user, new, &stored)
        })
        .await?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, format!("/v1/tokens/{}", token.id)));
    Ok(secret_response(&mut response).json(NewTokenOut { shown: token.into(), token: secret }))
}

fn checked(request: TokenRequest, now: Timestamp) -> Result<NewToken, Invalid> {
    let TokenRequest { name, scopes, expires_at } = request;
    new_token(&name, &scopes, expires_at, now)
}

const NAME_MAX_CHARACTERS: usize = 100;

/// A token as somebody asks for it, if every rule is kept.
pub fn new_token(
    name: &str,
    scopes: &[String],
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<NewToken, Invalid> {
    let mut invalid = Invalid::default();
    let name = name.trim().to_owned();
    if name.is_empty() {
        invalid.add("#/name", Rejection::new(FieldCode::TooShort, "Must not be blank."));
    }
    if name.chars().count() > NAME_MAX_CHARACTERS {
        let detail = format!("At most {NAME_MAX_CHARACTERS} characters.");
        invalid.add("#/name", Rejection::new(FieldCode::TooLong, detail));
    }
    if expires_at.is_some_and(|end| end <= now) {
        invalid.add("#/expires_at", Rejection::new(FieldCode::OutOfRange, "Has to be in the future."));
    }
    match invalid.gather(Scopes::parse(scopes)) {
        Some(scopes) if invalid.errors.is_empty() => Ok(NewToken { name, scopes, expires_at }),
        _ => Err(invalid),
    }
}

/// Read a personal access token
#[utoipa::path(tag = "tokens", security(("bearer" = ["account:read"])),
    responses((status = 200, description = "The token, without its secret.", body = Token)))]
#[get("/v1/tokens/{id}")]
async fn get_token(api: Data<Api>, caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let id = TokenId::new(path_id(&request)?.uuid());
    let token = api.store.read(move |conn| tokens::find(conn, caller.workspace, caller.user, id)).await?;
    Ok(HttpResponse::Ok().json(Token::from(token)))
}

/// Delete a personal access token
///
/// It stops working at once.
#[utoipa::path(tag = "tokens", security(("bearer" = ["account:write"])),
    responses((status = 204, description = "It is gone.")))]
#[delete("/v1/tokens/{id}")]
async fn delete_token(api: Data<Api>, caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let id = TokenId::new(path_id(&request)?.uuid());
    api.store.account_write(move |tx| tokens::delete_token(tx, caller.workspace, caller.user, id)).await?;
    api.authenticator.forget();
    Ok(HttpResponse::NoContent().finish())
}
