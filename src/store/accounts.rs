//! Users, workspaces and who belongs to which.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::account_tx::AccountTx;
use super::db::index::search;
use super::db::sql::conn::{Conn, defer_foreign_keys};
use super::db::sql::schema::{
    calendar_feeds, changes, idempotency_keys, instance, memberships, notifications, operations,
    personal_access_tokens, record_keys, search_documents, sessions, timeline_entries, users, workspaces,
};
use super::db::sql::types::AsJson;
use super::db::write::context::{Actor, Calendar};
use super::db::write::record::{Record, for_entity};
use super::db::write::records::create;
use super::db::write::tx::Tx;
use super::db::write::{idempotency, joins};
use super::error::{Conflict, Error, Result};
use super::jobs;
use super::notify_times;
use super::password_resets;
use super::sessions::{end_session, end_sessions};
use crate::domain::account::{User, UserFields, WeekDay, Workspace, WorkspaceFields};
use crate::domain::cadence::TierCadences;
use crate::domain::contact::{Contact, ContactEmail, ContactFields};
use crate::domain::email::EmailAddress;
use crate::domain::entity::Entity;
use crate::domain::id::{ContactId, SessionId, UserId, WorkspaceId};
use crate::domain::locale::TimeZone;
use crate::domain::scope::Role;
use crate::domain::timestamp::Timestamp;

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = users)]
#[diesel(treat_none_as_default_value = false)]
struct UserRow {
    id: UserId,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    email: String,
    email_key: String,
    name: String,
    password_hash: String,
    time_zone: String,
    locale: String,
    week_starts_on: WeekDay,
    notify_at: i32,
    email_digest: bool,
}

impl UserRow {
    fn into_user(self) -> (User, PasswordHash) {
        let Self {
            id,
            version,
            created_at,
            updated_at,
            email,
            email_key: _,
            name,
            password_hash,
            time_zone,
            locale,
            week_starts_on,
            notify_at,
            email_digest,
        } = self;
        let fields = UserFields { name, time_zone, locale, week_starts_on, notify_at, email_digest };
        (User { id, email, fields, created_at, updated_at, version }, PasswordHash(password_hash))
    }
}

/// A password as it is stored: argon2id in PHC form.
#[derive(Clone)]
pub struct PasswordHash(pub String);

/// Whether anybody has an account yet.
pub fn any_user(conn: &mut Conn) -> Result<bool> {
    let found: Vec<UserId> = users::table.select(users::id).limit(1).load(conn)?;
    Ok(!found.is_empty())
}

/// The user with this address, and the hash of their password.
pub fn find_by_email(conn: &mut Conn, email: &EmailAddress) -> Result<Option<(User, PasswordHash)>> {
    let rows: Vec<UserRow> =
        users::table.filter(users::email_key.eq(email.normalized())).select(UserRow::as_select()).load(conn)?;
    Ok(rows.into_iter().next().map(UserRow::into_user))
}

pub fn find(conn: &mut Conn, id: UserId) -> Result<(User, PasswordHash)> {
    let row: UserRow = users::table.filter(users::id.eq(id)).select(UserRow::as_select()).get_result(conn)?;
    Ok(row.into_user())
}

/// A workspace as one of its members sees it.
pub fn workspace(conn: &mut Conn, workspace: WorkspaceId, user: UserId) -> Result<Workspace> {
    let (name, time_zone, AsJson(tier_cadences)): (String, String, AsJson<TierCadences>) = workspaces::table
        .filter(workspaces::id.eq(workspace))
        .select((workspaces::name, workspaces::time_zone, workspaces::tier_cadences))
        .get_result(conn)?;
    let role = role(conn, workspace, user)?.ok_or(Error::NotFound)?;
    Ok(Workspace { id: workspace, fields: WorkspaceFields { name, time_zone, tier_cadences }, role })
}

/// What a user may do in a workspace; `None` when they do not belong to it.
pub fn role(conn: &mut Conn, workspace: WorkspaceId, user: UserId) -> Result<Option<Role>> {
    let rows: Vec<Role> = memberships::table
        .filter(memberships::workspace_id.eq(workspace))
        .filter(memberships::user_id.eq(user))
        .select(memberships::role)
        .load(conn)?;
    Ok(rows.into_iter().next())
}

/// The workspace a user works in: the first they joined.
pub fn home(conn: &mut Conn, user: UserId) -> Result<Option<WorkspaceId>> {
    let rows: Vec<WorkspaceId> = memberships::table
        .filter(memberships::user_id.eq(user))
        .order((memberships::created_at.asc(), memberships::workspace_id.asc()))
        .select(memberships::workspace_id)
        .limit(1)
        .load(conn)?;
    Ok(rows.into_iter().next())
}

/// The number of the last change in a workspace, and its number among workspaces.
pub fn workspace_numbers(conn: &mut Conn, workspace: WorkspaceId) -> Result<(i64, i64)> {
    Ok(workspaces::table
        .filter(workspaces::id.eq(workspace))
        .select((workspaces::seq, workspaces::number))
        .get_result(conn)?)
}

/// The number of the last change in a workspace, and the time zone its days are told in.
pub fn seq_and_time_zone(conn: &mut Conn, workspace: WorkspaceId) -> Result<(i64, TimeZone)> {
    let (seq, name): (i64, String) = workspaces::table
        .filter(workspaces::id.eq(workspace))
        .select((workspaces::seq, workspaces::time_zone))
        .get_result(conn)?;
    let time_zone = TimeZone::parse(&name).map_err(|rejection| Error::Internal(rejection.detail))?;
    Ok((seq, time_zone))
}

/// What days are computed by in a workspace.
pub fn calendar(conn: &mut Conn, workspace: WorkspaceId) -> Result<Calendar> {
    let (name, AsJson(tiers)): (String, AsJson<TierCadences>) = workspaces::table
        .filter(workspaces::id.eq(workspace))
        .select((workspaces::time_zone, workspaces::tier_cadences))
        .get_result(conn)?;
    let zone = TimeZone::parse(&name).map_err(|rejection| Error::Internal(rejection.detail))?;
    Ok(Calendar { zone, tiers })
}

/// The same of the workspace that is written to, read once in a write.
pub fn calendar_of(tx: &mut Tx<'_>) -> Result<Calendar> {
    if let Some(known) = &tx.calendar {
        return Ok(known.clone());
    }
    let calendar = calendar(tx.conn, tx.workspace)?;
    Ok(tx.calendar.insert(calendar).clone())
}

/// The time zone of the workspace that is written to.
pub fn time_zone(tx: &mut Tx<'_>) -> Result<TimeZone> {
    Ok(calendar_of(tx)?.zone)
}

/// Makes a user with a workspace of their own.
pub fn create_user(
    tx: &mut AccountTx<'_>,
    email: &EmailAddress,
    password: &PasswordHash,
    fields: UserFields,
) -> Result<User> {
    let UserFields { name, time_zone, locale, week_starts_on, notify_at, email_digest } = fields.clone();
    let id = UserId::new(tx.new_id());
    let row = UserRow {
        id,
        version: 1,
        created_at: tx.now,
        updated_at: tx.now,
        email: email.as_str().to_owned(),
        email_key: email.normalized().to_owned(),
        name,
        password_hash: password.0.clone(),
        time_zone,
        locale,
        week_starts_on,
        notify_at,
        email_digest,
    };
    if find_by_email(tx.conn, email)?.is_some() {
        return Err(Conflict::EmailTaken.into());
    }
    // Two may ask at the same time: the unique index decides.
    diesel::insert_into(users::table).values(&row).execute(tx.conn).map_err(|error| match error {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Conflict::EmailTaken.into(),
        other => Error::from(other),
    })?;
    Ok(row.into_user().0)
}

/// Makes a workspace that the user owns.
pub fn create_workspace(tx: &mut AccountTx<'_>, owner: &User) -> Result<Workspace> {
    let id = WorkspaceId::new(tx.new_id());
    let number: i64 = diesel::update(instance::table.filter(instance::id.eq(1)))
        .set(instance::workspace_count.eq(instance::workspace_count + 1))
        .returning(instance::workspace_count)
        .get_result(tx.conn)?;
    let fields = WorkspaceFields {
        name: owner.fields.name.clone(),
        time_zone: owner.fields.time_zone.clone(),
        tier_cadences: TierCadences::default(),
    };
    diesel::insert_into(workspaces::table)
        .values((
            workspaces::id.eq(id),
            workspaces::number.eq(number),
            workspaces::name.eq(&fields.name),
            workspaces::time_zone.eq(&fields.time_zone),
            workspaces::tier_cadences.eq(AsJson(fields.tier_cadences.clone())),
            workspaces::seq.eq(0_i64),
            workspaces::purged_seq.eq(0_i64),
            workspaces::created_at.eq(tx.now),
        ))
        .execute(tx.conn)?;
    let role = Role::Owner;
    diesel::insert_into(memberships::table)
        .values((
            memberships::workspace_id.eq(id),
            memberships::user_id.eq(owner.id),
            memberships::role.eq(role),
            memberships::created_at.eq(tx.now),
            memberships::notify_next_at.eq(notify_times::first_time(owner, tx.now)?),
            memberships::notifications_version.eq(0_i64),
        ))
        .execute(tx.conn)?;
    Ok(Workspace { id, fields, role })
}

/// Whether somebody else has an account.
pub fn anybody_but(tx: &mut AccountTx<'_>, user: UserId) -> Result<bool> {
    let found: Vec<UserId> = users::table.filter(users::id.ne(user)).select(users::id).limit(1).load(tx.conn)?;
    Ok(!found.is_empty())
}

/// A user with a workspace, and in it the contact that stands for themselves.
pub fn create_account(
    tx: &mut AccountTx<'_>,
    email: &EmailAddress,
    password: &PasswordHash,
    fields: UserFields,
) -> Result<(User, Workspace)> {
    let user = create_user(tx, email, password, fields)?;
    let workspace = create_workspace(tx, &user)?;
    let mut own = ContactFields { display_name: Some(user.fields.name.clone()), ..ContactFields::default() };
    own.time_zone = Some(user.fields.time_zone.clone());
    let address = ContactEmail { value: user.email.clone(), preferred: true, ..ContactEmail::default() };
    own.emails.insert("main".to_owned(), address);
    let actor = Actor::User(user.id, None);
    tx.records(workspace.id, actor, |tx| {
        let id = ContactId::new(tx.new_id());
        let mut own = Contact::new(id, tx.now(), own)?;
        own.fields.is_self = true;
        create(tx, own)
    })?;
    Ok((user, workspace))
}

/// The user, if this is still the hash of their password; checking one takes a while.
pub fn confirm_password(tx: &mut AccountTx<'_>, id: UserId, hash: &PasswordHash) -> Result<Option<User>> {
    // Locked, so that it stays so until the commit.
    diesel::update(users::table.filter(users::id.eq(id)))
        .set(users::version.eq(users::version))
        .execute(tx.conn)?;
    match find(tx.conn, id) {
        Ok((user, current)) => Ok((current.0 == hash.0).then_some(user)),
        Err(Error::NotFound) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Writes what a user changed about themselves; nothing changed leaves the version as it is.
pub fn update_user(tx: &mut AccountTx<'_>, before: &User, fields: UserFields) -> Result<User> {
    if before.fields == fields {
        return Ok(before.clone());
    }
    let UserFields { name, time_zone, locale, week_starts_on, notify_at, email_digest } = &fields;
    let version = before.version + 1;
    diesel::update(users::table.filter(users::id.eq(before.id)))
        .set((
            users::version.eq(version),
            users::updated_at.eq(tx.now),
            users::name.eq(name),
            users::time_zone.eq(time_zone),
            users::locale.eq(locale),
            users::week_starts_on.eq(week_starts_on),
            users::notify_at.eq(notify_at),
            users::email_digest.eq(email_digest),
        ))
        .execute(tx.conn)?;
    let user = User { fields, version, updated_at: tx.now, ..before.clone() };
    let is_moved =
        (&user.fields.time_zone, user.fields.notify_at) != (&before.fields.time_zone, before.fields.notify_at);
    if is_moved {
        notify_times::reschedule(tx, &user)?;
    }
    Ok(user)
}

/// Sets the password. Other ways to a new one that are open are closed.
pub fn set_password(tx: &mut AccountTx<'_>, user: UserId, password: &PasswordHash) -> Result<()> {
    password_resets::delete_of(tx, user)?;
    diesel::update(users::table.filter(users::id.eq(user)))
        .set(users::password_hash.eq(&password.0))
        .execute(tx.conn)
        .map(drop)
        .map_err(Error::from)
}

/// Erases a user at once, with every workspace that is theirs alone. A workspace that others share needs another
/// owner first.
pub fn erase_user(tx: &mut AccountTx<'_>, user: UserId) -> Result<()> {
    let own: Vec<(WorkspaceId, Role)> = memberships::table
        .filter(memberships::user_id.eq(user))
        .select((memberships::workspace_id, memberships::role))
        .load(tx.conn)?;
    for (workspace, role) in own {
        let others: Vec<Role> = memberships::table
            .filter(memberships::workspace_id.eq(workspace))
            .filter(memberships::user_id.ne(user))
            .select(memberships::role)
            .load(tx.conn)?;
        if others.is_empty() {
            erase_workspace(tx, workspace)?;
        } else if role == Role::Owner && !others.contains(&Role::Owner) {
            return Err(Conflict::LastOwner.into());
        } else {
            leave_workspace(tx, workspace, user)?;
        }
    }
    password_resets::delete_of(tx, user)?;
    diesel::delete(users::table.filter(users::id.eq(user))).execute(tx.conn)?;
    Ok(())
}

/// Takes a user out of a workspace that goes on without them: what they did there stays, without their name.
fn leave_workspace(tx: &mut AccountTx<'_>, workspace: WorkspaceId, user: UserId) -> Result<()> {
    let nobody: Option<UserId> = None;
    diesel::update(
        changes::table.filter(changes::workspace_id.eq(workspace)).filter(changes::actor_user_id.eq(user)),
    )
    .set(changes::actor_user_id.eq(nobody))
    .execute(tx.conn)?;
    super::operations::forget_user(tx, workspace, user)?;
    end_sessions(tx, workspace, user)?;
    diesel::delete(
        personal_access_tokens::table
            .filter(personal_access_tokens::workspace_id.eq(workspace))
            .filter(personal_access_tokens::user_id.eq(user)),
    )
    .execute(tx.conn)?;
    diesel::delete(
        calendar_feeds::table
            .filter(calendar_feeds::workspace_id.eq(workspace))
            .filter(calendar_feeds::user_id.eq(user)),
    )
    .execute(tx.conn)?;
    idempotency::delete_of_user(tx.conn, workspace, user)?;
    diesel::delete(
        notifications::table
            .filter(notifications::workspace_id.eq(workspace))
            .filter(notifications::user_id.eq(user)),
    )
    .execute(tx.conn)?;
    diesel::delete(
        memberships::table.filter(memberships::workspace_id.eq(workspace)).filter(memberships::user_id.eq(user)),
    )
    .execute(tx.conn)?;
    Ok(())
}

fn erase_workspace(tx: &mut AccountTx<'_>, workspace: WorkspaceId) -> Result<()> {
    // A job locks itself before it locks the workspace.
    jobs::delete_all(tx.conn, workspace)?;
    // The locks that writes of the workspace and refreshes of its sessions take first.
    diesel::update(workspaces::table.filter(workspaces::id.eq(workspace)))
        .set(workspaces::seq.eq(workspaces::seq))
        .execute(tx.conn)?;
    let open: Vec<SessionId> =
        sessions::table.filter(sessions::workspace_id.eq(workspace)).select(sessions::id).load(tx.conn)?;
    open.into_iter().try_for_each(|session| end_session(tx, workspace, session))?;
    defer_foreign_keys(tx.conn)?;
    joins::delete_all(tx.conn, workspace)?;
    for entity in Entity::ALL.iter().copied() {
        for_entity!(entity, Kind => Kind::delete_all(tx.conn, workspace)?);
    }
    macro_rules! erase_from {
        ($($table:ident),*) => {$(
            diesel::delete($table::table.filter($table::workspace_id.eq(workspace))).execute(tx.conn)?;
        )*};
    }
    // Those enqueued until the workspace was locked.
    jobs::delete_all(tx.conn, workspace)?;
    erase_from!(search_documents, record_keys, timeline_entries, changes, idempotency_keys, operations);
    erase_from!(personal_access_tokens, calendar_feeds, notifications, memberships);
    diesel::delete(workspaces::table.filter(workspaces::id.eq(workspace))).execute(tx.conn)?;
    Ok(search::forget_deleted(tx.conn)?)
}
