//! The person behind the token: their account, their password, their leave.

use crate::store::sessions;
use actix_web::HttpResponse;
use actix_web::http::{Method, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::auth::{check_password, new_password, wrong_password};
use super::context::{Api, Context};
use super::http::auth::caller::Caller;
use super::http::messages::etag::is_current;
use super::http::messages::problem::{Code, Problem};
use super::http::messages::response::{Response, of_outcome};
use super::http::operation::{Access, Docs, Exchange, Operation, Run, Tagged};
use crate::domain::account::{User, UserFields, Workspace};
use crate::domain::id::ContactId;
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::domain::merge_patch::merge;
use crate::service::validation::{check, parse};
use crate::store::{Reply, Result as StoreResult, WriteContext, accounts, contacts};

pub fn operations() -> Vec<Operation> {
    let read = || Access::scope("account:read");
    let write = || Access::scope("account:write");
    vec![
        Operation::new(
            Method::POST,
            "/v1/me/password",
            "change_password",
            write(),
            Run::Other(|exchange| Box::pin(change_password(exchange))),
            || {
                Docs::new("me", "Update your password")
                    .description(
                        "Ends all your other sessions immediately. Personal access tokens stay valid; \
                         delete those you do not trust.",
                    )
                    .request::<PasswordChange>(json!({"current_password": "correct horse battery staple",
                        "new_password": "staple battery horse, correct!"}))
                    .empty(204, "Password changed.")
            },
        ),
        Operation::new(
            Method::GET,
            "/v1/me",
            "get_me",
            read(),
            Run::Other(|exchange| Box::pin(get_me(exchange))),
            || Docs::new("me", "Get your account").answer::<Me>(200, "Your account.").tagged(Tagged::Record),
        ),
        Operation::new(
            Method::PATCH,
            "/v1/me",
            "update_me",
            write(),
            Run::Other(|exchange| Box::pin(update_me(exchange))),
            || {
                Docs::new("me", "Update your account")
                    .description("A JSON Merge Patch (RFC 7396). The time zone of the workspace does not change; see `PATCH /v1/workspace`.")
                    .request::<UserFields>(json!({"time_zone": "Europe/Warsaw", "notify_at": 7}))
                    .answer::<Me>(200, "Your account.")
                    .tagged(Tagged::Record)
            },
        ),
        Operation::new(
            Method::DELETE,
            "/v1/me",
            "delete_me",
            write(),
            Run::Other(|exchange| Box::pin(delete_me(exchange))),
            || {
                Docs::new("me", "Delete your account")
                    .description(
                        "Deletes, immediately and permanently, the account, its sessions and tokens, and every \
                         workspace of which you are the only member, with everything in it. A workspace shared \
                         with others needs another owner first.",
                    )
                    .request::<Confirmation>(json!({"password": "staple battery horse, correct!"}))
                    .empty(204, "Deleted.")
                    .errors(&[Code::LastOwner])
                    .tagged(Tagged::Record)
            },
        ),
    ]
}

/// Your account and your workspace.
#[derive(Serialize, ToSchema)]
struct Me {
    user: User,
    workspace: Workspace,
    /// The contact that represents you in this workspace.
    self_contact_id: Option<ContactId>,
}

async fn me(api: &Api, caller: &Caller) -> Result<Me, Problem> {
    let (workspace, user) = (caller.workspace, caller.user);
    Ok(api
        .store
        .read(move |conn| {
            let (user, _) = accounts::find(conn, user)?;
            let workspace = accounts::workspace(conn, workspace, user.id)?;
            let own = contacts::self_contact(conn, workspace.id)?;
            Ok(Me { user, workspace, self_contact_id: own.map(|own| own.id) })
        })
        .await?)
}

async fn get_me(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let context = exchange.context()?;
    let me = me(&context.api, &context.caller).await?;
    let tag = context.api.etags.of_user(me.user.id, me.user.version);
    let response = match is_current(context.call.if_none_match.as_deref(), &tag) {
        true => Response::empty(304),
        false => Response::json(200, &me)?,
    };
    Ok(response.header(header::ETAG, &tag).into_http())
}

async fn update_me(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let context = exchange.context()?;
    let Context { api, caller, .. } = &context;
    let write_context = WriteContext { idempotency: exchange.idempotency, ..context.write_context() };
    let precondition = context.precondition()?;
    let patch = context.call.body.value.clone();
    let Me { workspace, self_contact_id, .. } = me(api, caller).await?;
    let by = caller.user;
    let written = api
        .store
        .account_write_in(write_context.workspace, move |tx| {
            tx.once(&write_context, |tx| {
                let (before, _) = accounts::find(tx.conn, by)?;
                precondition.check(Some(before.version))?;
                let fields = changed(&before.fields, patch)?;
                let user = accounts::update_user(tx, &before, fields)?;
                let version = Some(user.version);
                let body = serde_json::to_string(&Me { user, workspace, self_contact_id })?;
                Ok(Reply { status: 200, version, body: Some(body), ..Reply::default() })
            })
        })
        .await;
    let etag = |version| api.etags.of_user(caller.user, version);
    let outcome = written.map_err(|error| Problem::from(error).with_current_etag(etag, false))?;
    let tag = outcome.reply.version.map(etag);
    let response = of_outcome(&api.etags, outcome);
    Ok(tag.into_iter().fold(response, |response, tag| response.header(header::ETAG, &tag)).into_http())
}

/// The fields as the patch makes them, or everything that is wrong with it.
fn changed(before: &UserFields, mut patch: Value) -> StoreResult<UserFields> {
    let mut invalid = Invalid::default();
    for name in ["id", "email", "created_at", "updated_at", "version"] {
        if patch.as_object_mut().and_then(|patch| patch.remove(name)).is_some() {
            let detail = format!("{name} is set by the server.");
            invalid.add(format!("#/{name}"), Rejection::new(FieldCode::ReadOnly, detail));
        }
    }
    match parse::<UserFields, _>(&merge(serde_json::to_value(before)?, patch), UserFields::checked) {
        Ok(fields) => Ok(invalid.into_result(fields)?),
        Err(more) => {
            invalid.extend_new(more);
            Err(invalid.into())
        }
    }
}

/// Your password, to confirm that it is you.
#[derive(Deserialize, ToSchema)]
struct Confirmation {
    /// Your current password.
    #[schema(min_length = 1, max_length = 256, example = "correct horse battery staple")]
    password: String,
}

async fn delete_me(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let context = exchange.context()?;
    let (api, request) = (context.api.clone(), exchange.request);
    let precondition = context.precondition()?;
    let Confirmation { password } = check(&context.call.body.value)?;
    let id = context.caller.user;
    let (user, hash) = api.store.read(move |conn| accounts::find(conn, id)).await?;
    let current = hash.clone();
    check_password(&api, &request, &user, hash, password, "#/password").await?;
    let written = api
        .store
        .account_erase(move |tx| {
            let Some(user) = accounts::confirm_password(tx, id, &current)? else {
                return Err(wrong_password("#/password").into());
            };
            precondition.check(Some(user.version))?;
            accounts::erase_user(tx, id)
        })
        .await;
    let etag = |version| api.etags.of_user(id, version);
    written.map_err(|error| Problem::from(error).with_current_etag(etag, false))?;
    api.authenticator.forget();
    Ok(HttpResponse::NoContent().finish())
}

/// The old password and the new one.
#[derive(Deserialize, ToSchema)]
struct PasswordChange {
    /// Your current password.
    #[schema(min_length = 1, max_length = 256, example = "correct horse battery staple")]
    current_password: String,
    /// At least 15 characters. Any characters are allowed, but common passwords are rejected.
    #[schema(min_length = 15, max_length = 256, example = "staple battery horse, correct!")]
    new_password: String,
}

async fn change_password(exchange: Exchange) -> Result<HttpResponse, Problem> {
    let context = exchange.context()?;
    let (api, request) = (context.api.clone(), exchange.request);
    let write_context = WriteContext { idempotency: exchange.idempotency, ..context.write_context() };
    let PasswordChange { current_password, new_password: wanted } = check(&context.call.body.value)?;
    let (id, session) = (context.caller.user, context.caller.session);
    // A request that was carried out is answered again before the password, which is the new one by now, is checked.
    if let Some(kept) = api.store.kept_reply(&write_context).await? {
        return Ok(of_outcome(&api.etags, kept).into_http());
    }
    let (user, hash) = api.store.read(move |conn| accounts::find(conn, id)).await?;
    let current = hash.clone();
    check_password(&api, &request, &user, hash, current_password, "#/current_password").await?;
    let new = new_password(&api, wanted, &user, "#/new_password").await?;
    let hash = api.passwords.hash(new).await?;
    let outcome = api
        .store
        .account_write_in(write_context.workspace, move |tx| {
            tx.once(&write_context, |tx| {
                if accounts::confirm_password(tx, id, &current)?.is_none() {
                    return Err(wrong_password("#/current_password").into());
                }
                accounts::set_password(tx, id, &hash)?;
                sessions::end_other_sessions(tx, id, session)?;
                Ok(Reply { status: 204, ..Reply::default() })
            })
        })
        .await?;
    api.authenticator.forget();
    Ok(of_outcome(&api.etags, outcome).into_http())
}
