//! Personal access tokens: for scripts, bound to one workspace, shown once and stored as a hash.

use chrono::TimeDelta;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::account_tx::AccountTx;
use super::db::sql::conn::Conn;
use super::db::sql::schema::{calendar_feeds, memberships, personal_access_tokens};
use super::db::sql::types::AsJson;
use super::error::{Conflict, Error, Result};
use super::memberships::lock as lock_membership;
use crate::domain::id::{TokenId, UserId, WorkspaceId};
use crate::domain::scope::{Role, Scopes};
use crate::domain::timestamp::Timestamp;

/// How many a user may have in a workspace.
pub const MAX_TOKENS: usize = 100;
/// `last_used_at` is written at most this often.
const USE_NOTED_SECONDS: i64 = 60;

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = personal_access_tokens)]
#[diesel(treat_none_as_default_value = false)]
pub struct AccessToken {
    pub workspace_id: WorkspaceId,
    pub id: TokenId,
    pub user_id: UserId,
    pub name: String,
    token_hash: Vec<u8>,
    pub hint: String,
    pub scopes: AsJson<Scopes>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

impl AccessToken {
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    /// Whether the last use that was noted is long enough ago.
    pub fn use_is_worth_noting(&self, now: Timestamp) -> bool {
        self.last_used_at.is_none_or(|at| now >= at.plus(TimeDelta::seconds(USE_NOTED_SECONDS)))
    }
}

/// The token with this secret, and what its user may do.
pub fn find_by_secret(conn: &mut Conn, secret: &str) -> Result<Option<(AccessToken, Role)>> {
    let rows: Vec<(AccessToken, Role)> = personal_access_tokens::table
        .inner_join(
            memberships::table.on(memberships::workspace_id
                .eq(personal_access_tokens::workspace_id)
                .and(memberships::user_id.eq(personal_access_tokens::user_id))),
        )
        .filter(personal_access_tokens::token_hash.eq(hash_of_secret(secret)))
        .select((AccessToken::as_select(), memberships::role))
        .load(conn)?;
    Ok(rows.into_iter().next())
}

/// The tokens of a user in a workspace, newest first; expired ones too, until they are deleted.
pub fn list(conn: &mut Conn, workspace: WorkspaceId, user: UserId) -> Result<Vec<AccessToken>> {
    Ok(personal_access_tokens::table
        .filter(personal_access_tokens::workspace_id.eq(workspace))
        .filter(personal_access_tokens::user_id.eq(user))
        .order(personal_access_tokens::id.desc())
        .select(AccessToken::as_select())
        .load(conn)?)
}

pub fn find(conn: &mut Conn, workspace: WorkspaceId, user: UserId, id: TokenId) -> Result<AccessToken> {
    Ok(personal_access_tokens::table
        .filter(personal_access_tokens::workspace_id.eq(workspace))
        .filter(personal_access_tokens::user_id.eq(user))
        .filter(personal_access_tokens::id.eq(id))
        .select(AccessToken::as_select())
        .get_result(conn)?)
}

/// What a token is asked to be.
pub struct NewToken {
    pub name: String,
    pub scopes: Scopes,
    pub expires_at: Option<Timestamp>,
}

pub fn create_token(
    tx: &mut AccountTx<'_>,
    workspace_id: WorkspaceId,
    user_id: UserId,
    new: NewToken,
    secret: &str,
) -> Result<AccessToken> {
    lock_membership(tx, workspace_id, user_id)?;
    if list(tx.conn, workspace_id, user_id)?.len() >= MAX_TOKENS {
        return Err(Conflict::TooMany("personal access tokens").into());
    }
    let token = AccessToken {
        workspace_id,
        id: TokenId::new(tx.new_id()),
        user_id,
        name: new.name,
        token_hash: hash_of_secret(secret),
        hint: secret.chars().skip(secret.chars().count().saturating_sub(4)).collect(),
        scopes: AsJson(new.scopes),
        created_at: tx.now,
        expires_at: new.expires_at,
        last_used_at: None,
    };
    diesel::insert_into(personal_access_tokens::table).values(&token).execute(tx.conn)?;
    Ok(token)
}

pub fn find_token(
    tx: &mut AccountTx<'_>,
    workspace: WorkspaceId,
    user: UserId,
    id: TokenId,
) -> Result<AccessToken> {
    find(tx.conn, workspace, user, id)
}

pub fn delete_token(tx: &mut AccountTx<'_>, workspace: WorkspaceId, user: UserId, id: TokenId) -> Result<()> {
    let own = personal_access_tokens::table
        .filter(personal_access_tokens::workspace_id.eq(workspace))
        .filter(personal_access_tokens::user_id.eq(user))
        .filter(personal_access_tokens::id.eq(id));
    match diesel::delete(own).execute(tx.conn)? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

/// Ends every token and calendar feed of a user: their password was changed by somebody who could not say the old one.
pub fn delete_tokens(tx: &mut AccountTx<'_>, user: UserId) -> Result<()> {
    let own = personal_access_tokens::table.filter(personal_access_tokens::user_id.eq(user));
    diesel::delete(own).execute(tx.conn)?;
    let own = calendar_feeds::table.filter(calendar_feeds::user_id.eq(user));
    diesel::delete(own).execute(tx.conn)?;
    Ok(())
}

pub fn note_use(tx: &mut AccountTx<'_>, workspace: WorkspaceId, id: TokenId) -> Result<()> {
    let own = personal_access_tokens::table
        .filter(personal_access_tokens::workspace_id.eq(workspace))
        .filter(personal_access_tokens::id.eq(id));
    diesel::update(own).set(personal_access_tokens::last_used_at.eq(tx.now)).execute(tx.conn)?;
    Ok(())
}

/// What is stored of a secret that is only ever compared.
pub fn hash_of_secret(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
