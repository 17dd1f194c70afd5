//! Logins and their refresh tokens: single use, each following from the one before, and the family revoked when a spent one
//! comes back.

use chrono::TimeDelta;
use diesel::prelude::*;

use super::account_tx::AccountTx;
use super::db::sql::conn::{Conn, MultiBackend};
use super::db::sql::schema::{memberships, refresh_tokens, sessions};
use super::db::sql::types::AnyId;
use super::error::{Error, Result};
use super::tokens::hash_of_secret;
use crate::domain::id::{SessionId, UserId, WorkspaceId};
use crate::domain::scope::Role;
use crate::domain::timestamp::Timestamp;

/// A login that nobody refreshes for this long ends.
pub const SESSION_DAYS: i64 = 60;
/// A spent refresh token that comes again this soon is a lost reply, or two parts of an app racing.
const GRACE_SECONDS: i64 = 30;

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
#[diesel(treat_none_as_default_value = false)]
pub struct Session {
    pub workspace_id: WorkspaceId,
    pub id: SessionId,
    pub user_id: UserId,
    pub created_at: Timestamp,
    pub last_used_at: Timestamp,
    pub expires_at: Timestamp,
    pub user_agent: Option<String>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = refresh_tokens)]
#[diesel(treat_none_as_default_value = false)]
struct RefreshToken {
    workspace_id: WorkspaceId,
    id: AnyId,
    session_id: SessionId,
    token_hash: Vec<u8>,
    created_at: Timestamp,
    spent_at: Option<Timestamp>,
}

/// What the user of a living session may do; `None` when it has ended.
pub fn role(
    conn: &mut Conn,
    workspace: WorkspaceId,
    session: SessionId,
    user: UserId,
    now: Timestamp,
) -> Result<Option<Role>> {
    let rows: Vec<Role> = sessions::table
        .inner_join(memberships::table.on(
            memberships::workspace_id.eq(sessions::workspace_id).and(memberships::user_id.eq(sessions::user_id)),
        ))
        .filter(sessions::workspace_id.eq(workspace))
        .filter(sessions::id.eq(session))
        .filter(sessions::user_id.eq(user))
        .filter(sessions::expires_at.gt(now))
        .select(memberships::role)
        .load(conn)?;
    Ok(rows.into_iter().next())
}

/// The living sessions of a user in a workspace, newest first.
pub fn list(conn: &mut Conn, workspace: WorkspaceId, user: UserId, now: Timestamp) -> Result<Vec<Session>> {
    Ok(sessions::table
        .filter(sessions::workspace_id.eq(workspace))
        .filter(sessions::user_id.eq(user))
        .filter(sessions::expires_at.gt(now))
        .order(sessions::id.desc())
        .select(Session::as_select())
        .load(conn)?)
}

/// One session, for the statements that lock, change or delete it.
#[diesel::dsl::auto_type]
fn own_session(workspace: WorkspaceId, session: SessionId) -> _ {
    sessions::table.filter(sessions::workspace_id.eq(workspace)).filter(sessions::id.eq(session))
}

/// What came of a refresh.
pub enum Refreshed {
    /// The session lives on under this token.
    Renewed(Session, String),
    /// No such token, or one of a session that has ended.
    Unknown,
    /// A spent token came again: somebody else has it, so the whole family is revoked.
    Reused(SessionId),
}

/// Begins a session; the secret is the first refresh token.
pub fn begin_session(
    tx: &mut AccountTx<'_>,
    workspace_id: WorkspaceId,
    user_id: UserId,
    user_agent: Option<String>,
    secret: &str,
) -> Result<Session> {
    make_room(tx, workspace_id, user_id)?;
    let session = Session {
        workspace_id,
        id: SessionId::new(tx.new_id()),
        user_id,
        created_at: tx.now,
        last_used_at: tx.now,
        expires_at: tx.now.plus(TimeDelta::days(SESSION_DAYS)),
        user_agent,
    };
    diesel::insert_into(sessions::table).values(&session).execute(tx.conn)?;
    add_refresh_token(tx, &session, secret)?;
    Ok(session)
}

/// Ends the sessions that were used the longest ago, until there may be one more.
fn make_room(tx: &mut AccountTx<'_>, workspace: WorkspaceId, user: UserId) -> Result<()> {
    let own: Vec<SessionId> = sessions::table
        .filter(sessions::workspace_id.eq(workspace))
        .filter(sessions::user_id.eq(user))
        .order((sessions::last_used_at.desc(), sessions::id.desc()))
        .select(sessions::id)
        .load(tx.conn)?;
    let room = tx.quotas().sessions.saturating_sub(1);
    own.into_iter().skip(room).try_for_each(|session| end_session(tx, workspace, session))
}

fn add_refresh_token(tx: &mut AccountTx<'_>, session: &Session, secret: &str) -> Result<()> {
    let token = RefreshToken {
        workspace_id: session.workspace_id,
        id: AnyId::new(tx.new_id()),
        session_id: session.id,
        token_hash: hash_of_secret(secret),
        created_at: tx.now,
        spent_at: None,
    };
    diesel::insert_into(refresh_tokens::table).values(&token).execute(tx.conn)?;
    Ok(())
}

/// Exchanges a refresh token for the next one, which follows from it: whoever sends it again within the grace, because the
/// reply was lost or two parts of an app race, gets the same one. `successors` are what may follow from it, the one to give
/// first.
pub fn refresh(tx: &mut AccountTx<'_>, secret: &str, successors: Vec<String>) -> Result<Refreshed> {
    let Some(session) = lock_session_of(tx, secret)? else { return Ok(Refreshed::Unknown) };
    // Read under the lock: two refreshes of one family happen one after the other.
    let Some(token) = find_refresh_token(tx, secret)? else { return Ok(Refreshed::Unknown) };
    let next = match token.spent_at {
        None => {
            let Some(next) = successors.into_iter().next() else { return Ok(Refreshed::Unknown) };
            spend(tx, &session, token.id, tx.now)?;
            add_refresh_token(tx, &session, &next)?;
            next
        }
        Some(spent_at) => {
            let is_late = tx.now >= spent_at.plus(TimeDelta::seconds(GRACE_SECONDS));
            let unused = if is_late { None } else { find_unused(tx, successors)? };
            let Some(unused) = unused else {
                end_session(tx, session.workspace_id, session.id)?;
                return Ok(Refreshed::Reused(session.id));
            };
            unused
        }
    };
    let renewed =
        Session { last_used_at: tx.now, expires_at: tx.now.plus(TimeDelta::days(SESSION_DAYS)), ..session };
    diesel::update(own_session(renewed.workspace_id, renewed.id))
        .set((sessions::last_used_at.eq(renewed.last_used_at), sessions::expires_at.eq(renewed.expires_at)))
        .execute(tx.conn)?;
    Ok(Refreshed::Renewed(renewed, next))
}

/// The one of these tokens that was given and not used yet.
fn find_unused(tx: &mut AccountTx<'_>, secrets: Vec<String>) -> Result<Option<String>> {
    for secret in secrets {
        if let Some(token) = find_refresh_token(tx, &secret)? {
            return Ok(token.spent_at.is_none().then_some(secret));
        }
    }
    Ok(None)
}

fn find_refresh_token(tx: &mut AccountTx<'_>, secret: &str) -> Result<Option<RefreshToken>> {
    let found: Vec<RefreshToken> = refresh_tokens::table
        .filter(refresh_tokens::token_hash.eq(hash_of_secret(secret)))
        .select(RefreshToken::as_select())
        .load(tx.conn)?;
    Ok(found.into_iter().next())
}

/// The living session that a refresh token belongs to, locked.
fn lock_session_of(tx: &mut AccountTx<'_>, secret: &str) -> Result<Option<Session>> {
    let found: Vec<(WorkspaceId, SessionId)> = refresh_tokens::table
        .filter(refresh_tokens::token_hash.eq(hash_of_secret(secret)))
        .select((refresh_tokens::workspace_id, refresh_tokens::session_id))
        .load(tx.conn)?;
    let Some((workspace, session)) = found.into_iter().next() else { return Ok(None) };
    let locked: Vec<Session> = diesel::update(own_session(workspace, session))
        .set(sessions::expires_at.eq(sessions::expires_at))
        .returning(<Session as Selectable<MultiBackend>>::construct_selection())
        .load(tx.conn)?;
    Ok(locked.into_iter().find(|session| tx.now < session.expires_at))
}

fn spend(tx: &mut AccountTx<'_>, session: &Session, token: AnyId, at: Timestamp) -> Result<()> {
    let own = refresh_tokens::table
        .filter(refresh_tokens::workspace_id.eq(session.workspace_id))
        .filter(refresh_tokens::id.eq(token))
        .filter(refresh_tokens::spent_at.is_null());
    diesel::update(own).set(refresh_tokens::spent_at.eq(at)).execute(tx.conn)?;
    Ok(())
}

/// Ends one session of a user.
pub fn end_own_session(
    tx: &mut AccountTx<'_>,
    workspace: WorkspaceId,
    user: UserId,
    session: SessionId,
) -> Result<()> {
    let found: Vec<SessionId> = sessions::table
        .filter(sessions::workspace_id.eq(workspace))
        .filter(sessions::user_id.eq(user))
        .filter(sessions::id.eq(session))
        .select(sessions::id)
        .load(tx.conn)?;
    if found.is_empty() {
        return Err(Error::NotFound);
    }
    end_session(tx, workspace, session)
}

/// Ends the session that a refresh token belongs to; an unknown token ends nothing.
pub fn end_session_of(tx: &mut AccountTx<'_>, secret: &str) -> Result<Option<SessionId>> {
    let found: Vec<(WorkspaceId, SessionId)> = refresh_tokens::table
        .filter(refresh_tokens::token_hash.eq(hash_of_secret(secret)))
        .select((refresh_tokens::workspace_id, refresh_tokens::session_id))
        .load(tx.conn)?;
    let Some((workspace, session)) = found.into_iter().next() else { return Ok(None) };
    end_session(tx, workspace, session)?;
    Ok(Some(session))
}

/// The session is locked before its tokens go, as a refresh does: it may be adding one.
pub(super) fn end_session(tx: &mut AccountTx<'_>, workspace: WorkspaceId, session: SessionId) -> Result<()> {
    diesel::update(own_session(workspace, session)).set(sessions::expires_at.eq(tx.now)).execute(tx.conn)?;
    let tokens = refresh_tokens::table
        .filter(refresh_tokens::workspace_id.eq(workspace))
        .filter(refresh_tokens::session_id.eq(session));
    diesel::delete(tokens).execute(tx.conn)?;
    diesel::delete(own_session(workspace, session)).execute(tx.conn)?;
    Ok(())
}

/// Ends every session of a user in a workspace.
pub fn end_sessions(tx: &mut AccountTx<'_>, workspace: WorkspaceId, user: UserId) -> Result<()> {
    let own: Vec<SessionId> = sessions::table
        .filter(sessions::workspace_id.eq(workspace))
        .filter(sessions::user_id.eq(user))
        .select(sessions::id)
        .load(tx.conn)?;
    own.into_iter().try_for_each(|session| end_session(tx, workspace, session))
}

/// Ends every session of a user, in all workspaces, but for one.
pub fn end_other_sessions(tx: &mut AccountTx<'_>, user: UserId, kept: Option<SessionId>) -> Result<()> {
    let own: Vec<(WorkspaceId, SessionId)> = sessions::table
        .filter(sessions::user_id.eq(user))
        .select((sessions::workspace_id, sessions::id))
        .load(tx.conn)?;
    own.into_iter()
        .filter(|(_, session)| Some(*session) != kept)
        .try_for_each(|(workspace, session)| end_session(tx, workspace, session))
}
