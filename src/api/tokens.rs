//! Personal access tokens: for scripts and integrations.

use actix_web::HttpResponse;
use actix_web::http::{Method, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::auth::secret_response;
use super::http::messages::problem::{Code, Problem};
use super::http::operation::{Access, Docs, Exchange, Operation, Run};
use crate::domain::id::TokenId;
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::domain::scope::{Scope, Scopes};
use crate::domain::secret;
use crate::domain::timestamp::Timestamp;
use crate::service::validation::parse;
use crate::store::tokens::{self, AccessToken, NewToken};

pub fn operations() -> Vec<Operation> {
    let read = || Access::scope("account:read");
    let write = || Access::scope("account:write");
    vec![
        Operation::new(
            Method::GET,
            "/v1/tokens",
            "list_tokens",
            read(),
            Run::Other(|exchange| Box::pin(list_tokens(exchange))),
            || {
                Docs::new("tokens", "List your personal access tokens")
                    .answer::<TokenPage>(200, "All tokens, newest first.")
            },
        ),
        Operation::new(
            Method::POST,
            "/v1/tokens",
            "create_token",
            write(),
            Run::Other(|exchange| Box::pin(create_token(exchange))),
            || {
                Docs::new("tokens", "Create a personal access token")
                    .description("The token is bound to this workspace. The secret is only in this reply.")
                    .request::<TokenRequest>(
                        json!({"name": "import script", "scopes": ["contacts:read", "contacts:write"]}),
                    )
                    .answer::<NewTokenOut>(201, "The token, with its secret.")
                    .errors(&[Code::LimitReached])
            },
        ),
        Operation::new(
            Method::GET,
            "/v1/tokens/{id}",
            "get_token",
            read(),
            Run::Other(|exchange| Box::pin(get_token(exchange))),
            || {
                Docs::new("tokens", "Get a personal access token")
                    .answer::<Token>(200, "The token, without its secret.")
            },
        ),
        Operation::new(
            Method::DELETE,
            "/v1/tokens/{id}",
            "delete_token",
            write(),
            Run::Other(|exchange| Box::pin(delete_token(exchange))),
            || {
                Docs::new("tokens", "Delete a personal access token")
                    .description("The token stops working immediately.")
                    .empty(204, "Deleted.")
            },
        ),
    ]
}

/// A token to create.
#[derive(Deserialize, ToSchema)]
struct TokenRequest {
    /// A name that says what the token is for.
    #[schema(min_length = 1, max_length = 100, example = "import script")]
    name: String,
    /// The scopes of the token. It cannot have more than the token that creates it.
    #[schema(value_type = Vec<Scope>, min_items = 1, max_items = 24, example = json!(["contacts:read", "contacts:write"]))]
    scopes: Vec<String>,
    /// When it expires. Null: never.
    #[serde(default)]
    #[schema(example = "2027-01-01T00:00:00Z")]
    expires_at: Option<Timestamp>,
}

/// A personal access token, without its secret.
#[derive(Serialize, ToSchema)]
struct Token {
    /// The id of the token; not its secret.
    id: TokenId,
    /// A name that says what the token is for.
    #[schema(max_length = 100)]
    name: String,
    /// The last four characters of the secret, to recognize it by.
    #[schema(max_length = 4, example = "x8Qz")]
    hint: String,
    /// The scopes of the token.
    #[schema(value_type = Vec<Scope>)]
    scopes: Scopes,
    /// When the token was created.
    created_at: Timestamp,
    /// When it expires. Null: never.
    expires_at: Option<Timestamp>,
    /// When it was last used, to the minute. Null: never.
    last_used_at: Option<Timestamp>,
}

impl From<AccessToken> for Token {
    fn from(token: AccessToken) -> Self {
        let AccessToken { id, name, hint, scopes, created_at, expires_at, last_used_at, .. } = token;
        Self { id, name, hint, scopes: scopes.0, created_at, expires_at, last_used_at }
    }
}

/// A personal access token with its secret, which is not shown again.
#[derive(Serialize, ToSchema)]
struct NewTokenOut {
    #[serde(flatten)]
    shown: Token,
    /// Send it as `Authorization: Bearer …`. It is not stored, and cannot be shown again.
    #[schema(max_length = 200)]
    token: String,
}

/// Your personal access tokens.
#[derive(Serialize, ToSchema)]
struct TokenPage {
    /// The tokens, newest first.
    items: Vec<Token>,
    /// Always null: there is only one page.
    #[schema(max_length = 2048)]
    next_cursor: Option<String>,
}

async fn list_tokens(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let (api, caller) = (exchange.api.clone(), exchange.caller()?.clone());
    let found = api.store.read(move |conn| tokens::list(conn, caller.workspace, caller.user)).await?;
    let items = found.into_iter().map(Token::from).collect();
    Ok(HttpResponse::Ok().json(TokenPage { items, next_cursor: None }))
}

async fn create_token(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let (api, caller) = (exchange.api.clone(), exchange.caller()?.clone());
    let now = api.store.now();
    let new = parse(&exchange.call.body.value, |request| checked(request, now))?;
    let beyond = new.scopes.difference(&caller.scopes);
    if !beyond.is_empty() {
        let detail =
            format!("A token cannot have scopes that the token creating it does not have: {}.", beyond.join(", "));
        return Err(Problem::insufficient_scope(&beyond.join(" ")).detail(detail));
    }
    let secret = secret::generate(secret::PERSONAL_TOKEN, &api.store.random()?);
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
                let detail = "A token cannot expire later than the token creating it.";
                let rejection = Rejection::new(FieldCode::OutOfRange, detail);
                return Err(rejection.with("latest", json!(end)).at("#/expires_at").into());
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
        invalid.add("#/name", Rejection::blank());
    }
    if name.chars().count() > NAME_MAX_CHARACTERS {
        let detail = format!("Must have at most {NAME_MAX_CHARACTERS} characters.");
        invalid.add("#/name", Rejection::too_long(NAME_MAX_CHARACTERS, detail));
    }
    if expires_at.is_some_and(|end| end <= now) {
        let rejection = Rejection::new(FieldCode::OutOfRange, "Must be in the future.");
        invalid.add("#/expires_at", rejection.with("earliest", json!(now)));
    }
    match invalid.gather(Scopes::parse(scopes)) {
        Some(scopes) if invalid.errors.is_empty() => Ok(NewToken { name, scopes, expires_at }),
        _ => Err(invalid),
    }
}

async fn get_token(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let (api, caller) = (exchange.api.clone(), exchange.caller()?.clone());
    let id = TokenId::new(exchange.call.id()?.uuid());
    let token = api.store.read(move |conn| tokens::find(conn, caller.workspace, caller.user, id)).await?;
    Ok(HttpResponse::Ok().json(Token::from(token)))
}

async fn delete_token(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let (api, caller) = (exchange.api.clone(), exchange.caller()?.clone());
    let id = TokenId::new(exchange.call.id()?.uuid());
    api.store.account_erase(move |tx| tokens::delete_token(tx, caller.workspace, caller.user, id)).await?;
    api.authenticator.forget();
    Ok(HttpResponse::NoContent().finish())
}
