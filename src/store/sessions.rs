//! Logins and their refresh tokens: single use, rotated, and the family revoked when a spent one comes back.

use chrono::TimeDelta;
use diesel::prelude::*;

use super::AccountTx;
use super::db::conn::{Conn, MultiBackend};
use super::db::schema::{memberships, refresh_tokens, sessions};
use super::db::types::AnyId;
use super::error::{Error, Result};
use super::hash_of_secret;
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
    predecessor_id: Option<AnyId>,
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

/// What came of a refresh.
pub enum Refreshed {
    /// The session lives on under the new token.
    Renewed(Session),
    /// No such token, or one of a session that has ended.
    Unknown,
    /// A spent token came again: somebody else has it, so the whole family is revoked.
    Reused(SessionId),
}

impl AccountTx<'_> {
    /// Begins a session; the secret is the first refresh token.
    pub fn begin_session(
        &mut self,
        workspace_id: WorkspaceId,
        user_id: UserId,
        user_agent: Option<String>,
        secret: &str,
    ) -> Result<Session> {
        let session = Session {
            workspace_id,
            id: SessionId::new(self.new_id()),
            user_id,
            created_at: self.now,
            last_used_at: self.now,
            expires_at: self.now.plus(TimeDelta::days(SESSION_DAYS)),
            user_agent,
        };
        diesel::insert_into(sessions::table).values(&session).execute(self.conn)?;
        self.add_refresh_token(&session, None, secret)?;
        Ok(session)
    }

    fn add_refresh_token(&mut self, session: &Session, predecessor_id: Option<AnyId>, secret: &str) -> Result<()> {
        let token = RefreshToken {
            workspace_id: session.workspace_id,
            id: AnyId::new(self.new_id()),
            session_id: session.id,
            token_hash: hash_of_secret(secret),
            predecessor_id,
            created_at: self.now,
            spent_at: None,
        };
        diesel::insert_into(refresh_tokens::table).values(&token).execute(self.conn)?;
        Ok(())
    }

    /// Exchanges a refresh token for the next one.
    pub fn refresh(&mut self, secret: &str, next_secret: &str) -> Result<Refreshed> {
        let by_hash = refresh_tokens::table
            .filter(refresh_tokens::token_hash.eq(hash_of_secret(secret)))
            .select((refresh_tokens::workspace_id, refresh_tokens::session_id));
        let found: Vec<(WorkspaceId, SessionId)> = by_hash.load(self.conn)?;
        let Some((workspace, session_id)) = found.into_iter().next() else { return Ok(Refreshed::Unknown) };
        let own_session = sessions::table
            .filter(sessions::workspace_id.eq(workspace))
            .filter(sessions::id.eq(session_id))
            .filter(sessions::expires_at.gt(self.now));
        // The update locks the session: two refreshes of one family happen one after the other.
        let session: Option<Session> = diesel::update(own_session)
            .set((
                sessions::last_used_at.eq(self.now),
                sessions::expires_at.eq(self.now.plus(TimeDelta::days(SESSION_DAYS))),
            ))
            .returning(<Session as Selectable<MultiBackend>>::construct_selection())
            .load(self.conn)?
            .pop();
        let Some(session) = session else { return Ok(Refreshed::Unknown) };
        let own_tokens = || {
            refresh_tokens::table
                .filter(refresh_tokens::workspace_id.eq(workspace))
                .filter(refresh_tokens::session_id.eq(session_id))
        };
        let tokens: Vec<RefreshToken> = own_tokens().select(RefreshToken::as_select()).load(self.conn)?;
        let hash = hash_of_secret(secret);
        let Some(token) = tokens.iter().find(|token| token.token_hash == hash) else {
            return Ok(Refreshed::Unknown);
        };
        if let Some(spent_at) = token.spent_at {
            let successors: Vec<_> =
                tokens.iter().filter(|other| other.predecessor_id == Some(token.id)).collect();
            let racing = self.now < spent_at.plus(TimeDelta::seconds(GRACE_SECONDS));
            let lost = successors.iter().all(|successor| successor.spent_at.is_none());
            if !racing && !lost {
                self.end_session(workspace, session_id)?;
                return Ok(Refreshed::Reused(session_id));
            }
            if !racing {
                // The reply that carried them was lost; whoever holds one now did not get it from us.
                for successor in successors {
                    diesel::delete(own_tokens().filter(refresh_tokens::id.eq(successor.id))).execute(self.conn)?;
                }
            }
        } else {
            diesel::update(own_tokens().filter(refresh_tokens::id.eq(token.id)))
                .set(refresh_tokens::spent_at.eq(self.now))
                .execute(self.conn)?;
        }
        self.add_refresh_token(&session, Some(token.id), next_secret)?;
        Ok(Refreshed::Renewed(session))
    }

    /// Ends one session of a user.
    pub fn end_own_session(&mut self, workspace: WorkspaceId, user: UserId, session: SessionId) -> Result<()> {
        let found: Vec<SessionId> = sessions::table
            .filter(sessions::workspace_id.eq(workspace))
            .filter(sessions::user_id.eq(user))
            .filter(sessions::id.eq(session))
            .select(sessions::id)
            .load(self.conn)?;
        if found.is_empty() {
            return Err(Error::NotFound);
        }
        self.end_session(workspace, session)
    }

    /// Ends the session that a refresh token belongs to; an unknown token ends nothing.
    pub fn end_session_of(&mut self, secret: &str) -> Result<Option<SessionId>> {
        let found: Vec<(WorkspaceId, SessionId)> = refresh_tokens::table
            .filter(refresh_tokens::token_hash.eq(hash_of_secret(secret)))
            .select((refresh_tokens::workspace_id, refresh_tokens::session_id))
            .load(self.conn)?;
        let Some((workspace, session)) = found.into_iter().next() else { return Ok(None) };
        self.end_session(workspace, session)?;
        Ok(Some(session))
    }

    fn end_session(&mut self, workspace: WorkspaceId, session: SessionId) -> Result<()> {
        diesel::delete(
            refresh_tokens::table
                .filter(refresh_tokens::workspace_id.eq(workspace))
                .filter(refresh_tokens::session_id.eq(session)),
        )
        .execute(self.conn)?;
        diesel::delete(
            sessions::table.filter(sessions::workspace_id.eq(workspace)).filter(sessions::id.eq(session)),
        )
        .execute(self.conn)?;
        Ok(())
    }

    /// Ends every session of a user in a workspace.
    pub fn end_sessions(&mut self, workspace: WorkspaceId, user: UserId) -> Result<()> {
        let own: Vec<SessionId> = sessions::table
            .filter(sessions::workspace_id.eq(workspace))
            .filter(sessions::user_id.eq(user))
            .select(sessions::id)
            .load(self.conn)?;
        own.into_iter().try_for_each(|session| self.end_session(workspace, session))
    }

    /// Ends every session of a user, in all workspaces, but for one.
    pub fn end_other_sessions(&mut self, user: UserId, kept: Option<SessionId>) -> Result<()> {
        let own: Vec<(WorkspaceId, SessionId)> = sessions::table
            .filter(sessions::user_id.eq(user))
            .select((sessions::workspace_id, sessions::id))
            .load(self.conn)?;
        own.into_iter()
            .filter(|(_, session)| Some(*session) != kept)
            .try_for_each(|(workspace, session)| self.end_session(workspace, session))
    }
}
