//! The person behind the token: their account, their password, their leave.

use crate::store::sessions;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::Api;
use super::auth::{check_password, wrong_password};
use super::http::body::{Body, Schemas};
use super::http::caller::Caller;
use super::http::problem::Problem;
use super::http::replies::{respond, who, with_current_tag};
use crate::domain::account::{NewPassword, User, UserFields, Workspace};
use crate::domain::id::ContactId;
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::domain::merge_patch::merge;
use crate::store::{Reply, Result as StoreResult, accounts, contacts};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_me).service(update_me).service(delete_me).service(change_password);
}

/// You, and where you work.
#[derive(Serialize, ToSchema)]
struct Me {
    user: User,
    workspace: Workspace,
    /// The contact that stands for yourself in this workspace.
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

/// Read your account
#[utoipa::path(tag = "me", security(("bearer" = ["account:read"])),
    responses((status = 200, description = "You, and where you work.", body = Me)))]
#[get("/v1/me")]
async fn get_me(api: Data<Api>, caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let me = me(&api, &caller).await?;
    let tag = api.tags.of_user(me.user.id, me.user.version);
    if api.tags.is_current(&request, &tag) {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish());
    }
    Ok(HttpResponse::Ok().insert_header((header::ETAG, tag)).json(me))
}

/// Change your account
///
/// A JSON Merge Patch (RFC 7396). The workspace keeps the time zone it has.
#[utoipa::path(tag = "me", security(("bearer" = ["account:write"])),
    request_body(content = UserFields, example = json!({"time_zone": "Europe/Warsaw", "notify_at": 7})),
    responses((status = 200, description = "You, and where you work.", body = Me)))]
#[patch("/v1/me")]
async fn update_me(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let who = who(&api, &caller, &request, &body)?;
    let precondition = api.tags.precondition(&request)?;
    let Me { workspace, self_contact_id, .. } = me(&api, &caller).await?;
    let (schemas, tags) = (api.schemas.clone(), api.tags.clone());
    let written = api
        .store
        .account_write(move |tx| {
            let by = who.clone();
            tx.once(&who, |tx| {
                let (before, _) = accounts::find(tx.conn, by.user())?;
                precondition.check(Some(before.version))?;
                let fields = changed(&schemas, &before.fields, body.value)?;
                let user = accounts::update_user(tx, &before, fields)?;
                let etag = Some(tags.of_user(user.id, user.version));
                let body = serde_json::to_string(&Me { user, workspace, self_contact_id })?;
                Ok(Reply { status: 200, etag, body: Some(body), ..Reply::default() })
            })
        })
        .await;
    let outcome = with_current_tag(&request, written, |version| api.tags.of_user(caller.user, version))?;
    respond(&api, &caller, outcome).await
}

/// The fields as the patch makes them, or everything that is wrong with it.
fn changed(schemas: &Schemas, before: &UserFields, mut patch: Value) -> StoreResult<UserFields> {
    let mut invalid = Invalid::default();
    for name in ["id", "email", "created_at", "updated_at", "version"] {
        if patch.as_object_mut().and_then(|patch| patch.remove(name)).is_some() {
            let detail = format!("{name} is set by the server.");
            invalid.add(format!("#/{name}"), Rejection::new(FieldCode::ReadOnly, detail));
        }
    }
    match schemas.parse("UserInput", &merge(serde_json::to_value(before)?, patch), UserFields::checked) {
        Ok(fields) => Ok(invalid.into_result(fields)?),
        Err(more) => {
            invalid.extend(more);
            Err(invalid.into())
        }
    }
}

/// Your password, to show that it is you.
#[derive(Deserialize, ToSchema)]
struct Confirmation {
    /// The password you log in with.
    #[schema(min_length = 1, max_length = 256, example = "correct horse battery staple")]
    password: String,
}

/// Delete your account
///
/// At once and for good: the account, its sessions and tokens, and every workspace that is yours alone, with all that
/// is in it. A workspace that others share has to have another owner first.
#[utoipa::path(tag = "me", security(("bearer" = ["account:write"])),
    request_body(content = Confirmation, example = json!({"password": "correct horse battery staple"})),
    extensions(("x-errors" = json!(["last_owner"]))),
    responses((status = 204, description = "You are gone.")))]
#[delete("/v1/me")]
async fn delete_me(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let precondition = api.tags.precondition(&request)?;
    let Confirmation { password } = api.schemas.check("ConfirmationInput", &body.value)?;
    let id = caller.user;
    let (user, hash) = api.store.read(move |conn| accounts::find(conn, id)).await?;
    let current = hash.clone();
    check_password(&api, &request, &user, hash, password, "#/password").await?;
    let written = api
        .store
        .account_write(move |tx| {
            let Some(user) = accounts::confirm_password(tx, id, &current)? else {
                return Err(wrong_password("#/password").into());
            };
            precondition.check(Some(user.version))?;
            accounts::erase_user(tx, id)
        })
        .await;
    with_current_tag(&request, written, |version| api.tags.of_user(caller.user, version))?;
    api.store.checkpoint_wal().await;
    api.authenticator.forget();
    Ok(HttpResponse::NoContent().finish())
}

/// The old password and the new one.
#[derive(Deserialize, ToSchema)]
struct PasswordChange {
    /// The password you log in with now.
    #[schema(min_length = 1, max_length = 256, example = "correct horse battery staple")]
    current_password: String,
    /// 15 characters or more; any will do, but not one that everybody tries first.
    #[schema(min_length = 15, max_length = 256, example = "staple battery horse, correct!")]
    new_password: String,
}

/// Change your password
///
/// Ends every other session of yours at once. Personal access tokens stay; delete those you do not trust.
#[utoipa::path(tag = "me", security(("bearer" = ["account:write"])),
    request_body(content = PasswordChange, example = json!({"current_password": "correct horse battery staple",
        "new_password": "staple battery horse, correct!"})),
    responses((status = 204, description = "It is changed.")))]
#[post("/v1/me/password")]
async fn change_password(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let who = who(&api, &caller, &request, &body)?;
    let PasswordChange { current_password, new_password } =
        api.schemas.check("PasswordChangeInput", &body.value)?;
    let (id, session) = (caller.user, caller.session);
    // A request that was carried out is answered again before the password, which is the new one by now, is asked.
    let kept = api.store.kept_reply(&who).await?;
    if let Some(kept) = kept {
        return respond(&api, &caller, kept).await;
    }
    let (user, hash) = api.store.read(move |conn| accounts::find(conn, id)).await?;
    let current = hash.clone();
    check_password(&api, &request, &user, hash, current_password, "#/current_password").await?;
    let known = [user.email.as_str(), user.fields.name.as_str()];
    let mut invalid = Invalid::default();
    let new = invalid.check("#/new_password", NewPassword::parse(&new_password, &known));
    let Some(new) = new else { return Err(invalid.into()) };
    let hash = api.passwords.hash(new).await?;
    let outcome = api
        .store
        .account_write(move |tx| {
            tx.once(&who, |tx| {
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
    respond(&api, &caller, outcome).await
}
