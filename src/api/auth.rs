//! Signing up, logging in, refreshing, logging out.

use crate::store::sessions;
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::context::Api;
use super::http::auth::jwt::{ACCESS_TOKEN_SECONDS, Claims};
use super::http::auth::limits::client_address;
use super::http::auth::refresh_tokens::RefreshTokens;
use super::http::messages::problem::{Code, Problem};
use super::http::operation::{Access, Docs, Exchange, Operation, Run};
use crate::domain::account::{NewPassword, User, UserFields, Workspace};
use crate::domain::email::EmailAddress;
use crate::domain::id::{SessionId, WorkspaceId};
use crate::domain::invalid::{FieldCode, Invalid};
use crate::domain::scope::Scopes;
use crate::service::validation::{check, parse};
use crate::store::Conflict;
use crate::store::accounts::{self, PasswordHash};
use crate::store::sessions::{Refreshed, Session};

pub fn operations() -> Vec<Operation> {
    let credentials = || json!({"email": "ada@example.com", "password": "correct horse battery staple"});
    let refresh = || json!({"refresh_token": "wm_rt_5hYQJ4mRZ0l1w0c8oS2pTn3vXe7bKd9uFgA6iLxEqWM"});
    let public = |path: &'static str, id: &'static str, run: Run, docs: Box<dyn Fn() -> Docs + Send + Sync>| {
        Operation::new(Method::POST, path, id, Access::Public, run, docs)
    };
    vec![
        public(
            "/v1/auth/register",
            "register_user",
            Run::Other(|exchange| Box::pin(register_user(exchange))),
            Box::new(|| {
                Docs::new("auth", "Create an account")
                    .description("Creates an account, a workspace, and the contact that represents you in it.")
                    .request::<Registration>(json!({"email": "ada@example.com",
                        "password": "correct horse battery staple", "name": "Ada Lovelace", "time_zone": "Europe/London"}))
                    .answer::<LoggedIn>(201, "Account created.")
                    .errors(&[Code::EmailTaken, Code::RegistrationClosed])
            }),
        ),
        public(
            "/v1/auth/login",
            "log_in",
            Run::Other(|exchange| Box::pin(log_in(exchange))),
            Box::new(move || {
                Docs::new("auth", "Log in")
                    .request::<Credentials>(credentials())
                    .answer::<LoggedIn>(200, "Logged in.")
                    .errors(&[Code::InvalidCredentials])
            }),
        ),
        public(
            "/v1/auth/refresh",
            "refresh_session",
            Run::Other(|exchange| Box::pin(refresh_session(exchange))),
            Box::new(move || {
                Docs::new("auth", "Refresh a session")
                    .description(
                        "Returns the next pair of tokens. A refresh token can be used once. A request that is repeated \
                         within 30 seconds, because its reply was lost or two parts of an app race, gets the same \
                         refresh token again. If a token is used later than that, or after the one that followed it, \
                         its session ends: somebody else may have it.",
                    )
                    .request::<RefreshRequest>(refresh())
                    .answer::<TokenPair>(200, "The next pair of tokens.")
                    .errors(&[Code::InvalidRefreshToken])
            }),
        ),
        public(
            "/v1/auth/logout",
            "log_out",
            Run::Other(|exchange| Box::pin(log_out(exchange))),
            Box::new(move || {
                Docs::new("auth", "Log out")
                    .description(
                        "Ends the session of the refresh token immediately, with its access tokens. An unknown \
                         token is not an error.",
                    )
                    .request::<RefreshRequest>(refresh())
                    .empty(204, "Logged out.")
            }),
        ),
    ]
}

/// A new account.
#[derive(Deserialize, ToSchema)]
struct Registration {
    /// The e-mail address to log in with.
    #[schema(min_length = 3, max_length = 254, example = "ada@example.com")]
    email: String,
    /// At least 15 characters. Any characters are allowed, but common passwords are rejected.
    #[schema(min_length = 15, max_length = 256, example = "correct horse battery staple")]
    password: String,
    /// Your display name.
    #[schema(min_length = 1, max_length = 200, example = "Ada Lovelace")]
    name: String,
    /// The IANA time zone in which your workspace counts days. Null: UTC.
    #[serde(default)]
    #[schema(max_length = 64, pattern = "^\\s*[A-Za-z0-9_+/-]*\\s*$", example = "Europe/London")]
    time_zone: Option<String>,
    /// BCP 47 language tag. Null: en.
    #[serde(default)]
    #[schema(max_length = 35, example = "en-GB")]
    locale: Option<String>,
}

/// E-mail address and password.
#[derive(Deserialize, ToSchema)]
struct Credentials {
    /// The e-mail address of the account. Case is ignored.
    #[schema(min_length = 1, max_length = 254, example = "ada@example.com")]
    email: String,
    /// The password of the account.
    #[schema(min_length = 1, max_length = 256, example = "correct horse battery staple")]
    password: String,
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
struct RefreshRequest {
    /// The `refresh_token` of the last reply.
    #[schema(min_length = 1, max_length = 200, example = "wm_rt_5hYQJ4mRZ0l1w0c8oS2pTn3vXe7bKd9uFgA6iLxEqWM")]
    refresh_token: String,
}

/// Tokens for one session.
#[derive(Serialize, ToSchema)]
struct TokenPair {
    /// Send it as `Authorization: Bearer …`.
    #[schema(max_length = 2048)]
    access_token: String,
    /// Always `Bearer`: how the access token is sent.
    #[schema(max_length = 6, example = "Bearer")]
    token_type: &'static str,
    /// Seconds for which the access token is valid.
    #[schema(example = 900)]
    expires_in: i64,
    /// Returns the next pair of tokens. It can be used once, within 60 days.
    #[schema(max_length = 200)]
    refresh_token: String,
}

/// A new session.
#[derive(Serialize, ToSchema)]
struct LoggedIn {
    user: User,
    workspace: Workspace,
    /// The id of the session. Changes made in it have it as `actor.session_id` in `/v1/changes`.
    session_id: SessionId,
    #[serde(flatten)]
    tokens: TokenPair,
}

async fn register_user(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let Exchange { api, request, call, .. } = exchange;
    let (email, password, fields) = api.passwords.run(move || parse(&call.body.value, checked)).await??;
    if !registration_is_open(&api).await? {
        return Err(Problem::new(Code::RegistrationClosed));
    }
    let hash = api.passwords.hash(password).await?;
    let (user_agent, secret) = (user_agent(&request), new_refresh_token(&api)?);
    let (first_token, only_the_first) = (secret.clone(), is_open_to_the_first_only(&api));
    let (user, workspace, session) = api
        .store
        .account_write(move |tx| {
            let (user, workspace) = accounts::create_account(tx, &email, &hash, fields)?;
            // Several may have found the door open. The count of workspaces makes them wait for one another, so
            // whoever was faster shows by now.
            if only_the_first && accounts::anybody_but(tx, user.id)? {
                return Err(Conflict::RegistrationClosed.into());
            }
            let session = sessions::begin_session(tx, workspace.id, user.id, user_agent, &first_token)?;
            Ok((user, workspace, session))
        })
        .await?;
    let tokens = token_pair(&api, &session, secret)?;
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, "/v1/me"));
    response.insert_header((header::ETAG, api.etags.of_user(user.id, user.version)));
    Ok(secret_response(&mut response).json(LoggedIn { user, workspace, session_id: session.id, tokens }))
}

/// Unless it is settled: open on loopback, elsewhere until the first account exists.
pub async fn registration_is_open(api: &Api) -> Result<bool, Problem> {
    match api.config.allow_registration {
        Some(allowed) => Ok(allowed),
        None if is_open_to_the_first_only(api) => Ok(!api.store.read(accounts::any_user).await?),
        None => Ok(true),
    }
}

fn is_open_to_the_first_only(api: &Api) -> bool {
    api.config.allow_registration.is_none() && !api.config.bind.ip().is_loopback()
}

fn checked(registration: Registration) -> Result<(EmailAddress, NewPassword, UserFields), Invalid> {
    let Registration { email, password, name, time_zone, locale } = registration;
    let mut invalid = Invalid::default();
    let known = [email.as_str(), name.as_str()];
    let password = invalid.check("#/password", NewPassword::parse(&password, &known));
    let address = invalid.check("#/email", EmailAddress::parse(&email).and_then(EmailAddress::standard));
    let default = UserFields::default();
    let fields = UserFields {
        name,
        time_zone: time_zone.unwrap_or(default.time_zone),
        locale: locale.unwrap_or(default.locale),
        ..UserFields::default()
    };
    let fields = match fields.checked() {
        Ok(fields) => Some(fields),
        Err(more) => {
            invalid.extend(more);
            None
        }
    };
    match (address, password, fields) {
        (Some(address), Some(password), Some(fields)) => Ok((address, password, fields)),
        _ => Err(invalid),
    }
}

async fn log_in(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let Exchange { api, request, call, .. } = exchange;
    let Credentials { email, password } = check(&call.body.value)?;
    let address = EmailAddress::parse(&email).ok();
    let limited_by = address.as_ref().map_or(email, |address| address.normalized().to_owned());
    api.limits.login(&limited_by, client_address(&api.config, &request))?;
    let found = match address {
        Some(address) => api.store.read(move |conn| accounts::find_by_email(conn, &address)).await?,
        None => None,
    };
    let refused = || Problem::new(Code::InvalidCredentials).header(header::WWW_AUTHENTICATE, "Bearer");
    let hash = found.as_ref().map(|(_, hash)| hash.clone());
    let fits = api.passwords.verify(password, hash).await?;
    let (user, hash) = found.filter(|_| fits).ok_or_else(refused)?;
    let (user_agent, secret) = (user_agent(&request), new_refresh_token(&api)?);
    let (first_token, user_id) = (secret.clone(), user.id);
    let begun = api
        .store
        .account_write(move |tx| {
            // The password may have changed while it was checked.
            if accounts::confirm_password(tx, user_id, &hash)?.is_none() {
                return Ok(None);
            }
            let Some(home) = accounts::home(tx.conn, user_id)? else { return Ok(None) };
            sessions::begin_session(tx, home, user_id, user_agent, &first_token).map(Some)
        })
        .await?;
    let session = begun.ok_or_else(refused)?;
    let workspace = workspace_of(&api, session.workspace_id, &user).await?;
    let tokens = token_pair(&api, &session, secret)?;
    Ok(secret_response(&mut HttpResponse::Ok()).json(LoggedIn { user, workspace, session_id: session.id, tokens }))
}

async fn workspace_of(api: &Api, workspace: WorkspaceId, user: &User) -> Result<Workspace, Problem> {
    let user = user.id;
    Ok(api.store.read(move |conn| accounts::workspace(conn, workspace, user)).await?)
}

async fn refresh_session(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let Exchange { api, call, .. } = exchange;
    let RefreshRequest { refresh_token } = check(&call.body.value)?;
    let successors = api.refresh_tokens.successors(&refresh_token);
    match api.store.account_write(move |tx| sessions::refresh(tx, &refresh_token, successors)).await? {
        Refreshed::Renewed(session, secret) => {
            Ok(secret_response(&mut HttpResponse::Ok()).json(token_pair(&api, &session, secret)?))
        }
        Refreshed::Unknown => Err(Problem::new(Code::InvalidRefreshToken)),
        Refreshed::Reused(session) => {
            api.authenticator.forget();
            tracing::warn!(%session, "a refresh token was reused; its session was ended");
            Err(Problem::new(Code::InvalidRefreshToken))
        }
    }
    .map_err(|problem: Problem| problem.header(header::WWW_AUTHENTICATE, "Bearer"))
}

async fn log_out(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let Exchange { api, call, .. } = exchange;
    let RefreshRequest { refresh_token } = check(&call.body.value)?;
    api.store.account_write(move |tx| sessions::end_session_of(tx, &refresh_token)).await?;
    api.authenticator.forget();
    Ok(HttpResponse::NoContent().finish())
}

fn token_pair(api: &Api, session: &Session, refresh_token: String) -> Result<TokenPair, Problem> {
    let claims = Claims::new(
        api.store.now(),
        api.store.new_id(),
        session.user_id,
        session.id,
        session.workspace_id,
        Scopes::all().to_claim(),
    );
    let access_token =
        api.authenticator.sign(&claims).map_err(|error| Problem::new(Code::Internal).caused_by(error))?;
    Ok(TokenPair { access_token, token_type: "Bearer", expires_in: ACCESS_TOKEN_SECONDS, refresh_token })
}

fn new_refresh_token(api: &Api) -> Result<String, Problem> {
    Ok(RefreshTokens::first(&api.store.random()?))
}

/// Secrets are kept by nobody on the way.
pub fn secret_response(response: &mut actix_web::HttpResponseBuilder) -> &mut actix_web::HttpResponseBuilder {
    response.insert_header((header::CACHE_CONTROL, "no-store"))
}

/// What the session is recognized by in the list of sessions.
fn user_agent(request: &HttpRequest) -> Option<String> {
    let sent = request.headers().get(header::USER_AGENT)?.to_str().ok()?;
    Some(sent.chars().take(200).collect())
}

/// Whether the caller can say the password of the account; limited like a login.
pub async fn check_password(
    api: &Api,
    request: &HttpRequest,
    user: &User,
    hash: PasswordHash,
    password: String,
    pointer: &str,
) -> Result<(), Problem> {
    let email = EmailAddress::parse(&user.email).map(|email| email.normalized().to_owned());
    let email = email.unwrap_or_else(|_| user.email.clone());
    api.limits.login(&email, client_address(&api.config, request))?;
    if api.passwords.verify(password, Some(hash)).await? {
        return Ok(());
    }
    Err(wrong_password(pointer).into())
}

/// A new password of a user, if it is a strong one.
pub async fn new_password(
    api: &Api,
    text: String,
    user: &User,
    pointer: &'static str,
) -> Result<NewPassword, Problem> {
    let known = [user.email.clone(), user.fields.name.clone()];
    let parse = move || NewPassword::parse(&text, &known.each_ref().map(String::as_str));
    let mut invalid = Invalid::default();
    let parsed = invalid.check(pointer, api.passwords.run(parse).await?);
    parsed.ok_or_else(|| invalid.into())
}

/// What is said of a password that is not the caller's.
pub fn wrong_password(pointer: &str) -> Invalid {
    Invalid::one(pointer, FieldCode::NotAllowed, "Wrong password.")
}
