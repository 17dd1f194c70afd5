//! A new password for who has forgotten theirs, by e-mail.

use actix_web::HttpResponse;
use actix_web::http::Method;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::auth::new_password;
use super::http::auth::limits::client_address;
use super::http::messages::problem::{Code, Problem};
use super::http::operation::{Access, Docs, Exchange, Operation, Run};
use crate::domain::email::EmailAddress;
use crate::service::password_resets;
use crate::service::validation::check;
use crate::store::{accounts, password_resets as stored};

pub fn operations() -> Vec<Operation> {
    let token = "wm_pr_5hYQJ4mRZ0l1w0c8oS2pTn3vXe7bKd9uFgA6iLxEqWM";
    let public = |path: &'static str, id: &'static str, run: Run, docs: Box<dyn Fn() -> Docs + Send + Sync>| {
        Operation::new(Method::POST, path, id, Access::Public, run, docs)
    };
    vec![
        public(
            "/v1/auth/password-reset",
            "request_password_reset",
            Run::Other(|exchange| Box::pin(request_password_reset(exchange))),
            Box::new(|| {
                Docs::new("auth", "Request a new password")
                    .description(
                        "Sends an e-mail with a token for choosing a new password. The token is valid for 30 minutes. \
             The response is the same if no account has this address. At most one e-mail is sent to an \
             address in each 5-minute period.",
                    )
                    .request::<ResetRequest>(json!({"email": "ada@example.com"}))
                    .empty(202, "Accepted. An e-mail is sent if an account has this address.")
                    .errors(&[Code::MailNotConfigured])
            }),
        ),
        public(
            "/v1/auth/password-reset/confirm",
            "confirm_password_reset",
            Run::Other(|exchange| Box::pin(confirm_password_reset(exchange))),
            Box::new(move || {
                Docs::new("auth", "Choose a new password")
                    .description(
                        "Takes the token from the e-mail. Ends all your sessions immediately and invalidates all other \
             reset tokens. Personal access tokens and calendar feeds stay valid; delete those you do not \
             trust.",
                    )
                    .request::<ResetConfirmation>(json!({"token": token, "password": "correct horse battery staple"}))
                    .empty(204, "Password changed. Log in with it.")
                    .errors(&[Code::InvalidResetToken])
            }),
        ),
    ]
}

/// Whose password is forgotten.
#[derive(Deserialize, ToSchema)]
struct ResetRequest {
    /// The e-mail address of the account. Case is ignored.
    #[schema(min_length = 1, max_length = 254, example = "ada@example.com")]
    email: String,
}

/// The token of the e-mail, and the new password.
#[derive(Deserialize, ToSchema)]
struct ResetConfirmation {
    /// The token of the e-mail. It can be used once, within 30 minutes.
    #[schema(min_length = 1, max_length = 200, example = "wm_pr_5hYQJ4mRZ0l1w0c8oS2pTn3vXe7bKd9uFgA6iLxEqWM")]
    token: String,
    /// At least 15 characters. Any characters are allowed, but common passwords are rejected.
    #[schema(min_length = 15, max_length = 256, example = "correct horse battery staple")]
    password: String,
}

async fn request_password_reset(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let Exchange { api, request, call, .. } = exchange;
    let ResetRequest { email } = check(&call.body.value)?;
    if api.mailer.is_none() {
        return Err(Problem::new(Code::MailNotConfigured));
    }
    let address = EmailAddress::parse(&email).ok();
    let asked = address.as_ref().map_or(email, |address| address.normalized().to_owned());
    api.limits.login(&asked, client_address(&api.config, &request))?;
    let fingerprint = api.cursors.fingerprint(&[b"password reset", asked.as_bytes()]);
    let fingerprint: String = fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
    api.store
        .account_write(move |tx| {
            let found = match address {
                Some(address) => accounts::find_by_email(tx.conn, &address)?,
                None => None,
            };
            password_resets::request(tx, found.map(|(user, _)| user.id), &fingerprint)
        })
        .await?;
    Ok(HttpResponse::Accepted().finish())
}

async fn confirm_password_reset(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let Exchange { api, call, .. } = exchange;
    let ResetConfirmation { token, password } = check(&call.body.value)?;
    let (asked, now) = (token.clone(), api.store.now());
    let found = api.store.read(move |conn| match stored::user(conn, &asked, now)? {
        Some(user) => accounts::find(conn, user).map(|(user, _)| Some(user)),
        None => Ok(None),
    });
    let refused = || Problem::new(Code::InvalidResetToken);
    let user = found.await?.ok_or_else(refused)?;
    let password = new_password(&api, password, &user, "#/password").await?;
    let hash = api.passwords.hash(password).await?;
    let confirmed =
        api.store.account_write(move |tx| password_resets::confirm(tx, user.id, &token, &hash)).await?;
    if !confirmed {
        return Err(refused());
    }
    api.authenticator.forget();
    Ok(HttpResponse::NoContent().finish())
}
