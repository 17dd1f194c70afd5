//! Notifications in the database: creating those that are due, once each, and what a member sees of them.
//!
//! They are not records that clients sync. Each belongs to one member and not to the workspace, and ten thousand of them would
//! be ten thousand changes that everybody's device downloads, that make every ETag of the workspace stale, and that reverting
//! a write would have to carry along. So they are written like sessions, without the workspace's lock and its log.
//!
//! A notification goes with its follow-up or contact: it is shown only where that exists. When a delete is undone, it is
//! there again, read or not; what nobody restores is purged with the rest. That is why there are no foreign keys to them.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Nullable, Text};

use super::account_tx::AccountTx;
use super::db::index::keys;
use super::db::sql::conn::{Conn, MultiBackend};
use super::db::sql::schema::{memberships, notifications};
use super::db::sql::statement::statement;
use super::db::sql::types::{AnyId, AsJson, Id, Instant, Json};
use super::db::write::record::Record;
use super::error::{Error, Result};
use super::notify_times::Recipient;
use super::{keep_in_touch, today};
use crate::domain::anniversary::{day_key, days_ahead};
use crate::domain::contact::Contact;
use crate::domain::contact_activity::day_number;
use crate::domain::entity::Entity;
use crate::domain::fields::parse_day;
use crate::domain::id::{NotificationId, UserId, WorkspaceId};
use crate::domain::invalid::{FieldCode, Invalid};
use crate::domain::key::{Key, KeyKind};
use crate::domain::notification::{DigestCounts, KEPT_DAYS, NotificationKind};
use crate::domain::partial_date::PartialDate;
use crate::domain::timestamp::Timestamp;

/// How many notifications one transaction creates.
const SLICE: i64 = 200;

/// The key of a contact's birthday among its dates.
const BIRTHDAY: &str = "birthday";

/// A place in what is looked through: the day, for contacts what else they are ordered by, and the id.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    day: NaiveDate,
    order: [i64; 3],
    id: AnyId,
}

impl Places {
    /// Before everything from a day on.
    pub const fn first(day: NaiveDate) -> Self {
        Self { day, order: [i64::MIN; 3], id: AnyId::new(uuid::Uuid::nil()) }
    }
}

/// What one transaction has looked through.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// How many it found; only of birthdays with those that were notified before.
    pub found: i64,
    /// Where to go on; `None` at the end.
    pub next: Option<Places>,
}

impl Slice {
    fn of(found: usize, next: Option<Places>) -> Self {
        let found = i64::try_from(found).unwrap_or(i64::MAX);
        Self { found, next: next.filter(|_| found >= SLICE) }
    }
}

/// Notifies of pending follow-ups that are to be done from a day up to `on`.
pub fn notify_follow_ups(
    tx: &mut AccountTx<'_>,
    recipient: Recipient,
    on: NaiveDate,
    from: Places,
) -> Result<Slice> {
    let due = DueFollowUps { recipient, on: on.to_string(), from: (from.day.to_string(), from.id) };
    let rows: Vec<(AnyId, String)> = due.load(tx.conn)?;
    for (id, due_on) in &rows {
        create(tx, recipient, NotificationKind::FollowUpDue, *id, (on, due_on), None)?;
    }
    touch(tx, recipient, !rows.is_empty())?;
    let next = match rows.last() {
        Some((id, due_on)) => Some(Places { day: stored_day(due_on)?, ..from }.at(*id)),
        None => None,
    };
    Ok(Slice::of(rows.len(), next))
}

/// Notifies of contacts who fell due by their cadence between two days.
pub fn notify_contacts(
    tx: &mut AccountTx<'_>,
    recipient: Recipient,
    on: NaiveDate,
    since: NaiveDate,
    from: Places,
) -> Result<Slice> {
    let due = DueContacts {
        recipient,
        on: day_number(on),
        since: day_number(since),
        day: on.to_string(),
        now: tx.now,
        from,
    };
    let rows: Vec<(AnyId, String, i64, i64, i64)> = due.load(tx.conn)?;
    for (id, due_on, ..) in &rows {
        create(tx, recipient, NotificationKind::ContactDue, *id, (on, due_on), None)?;
    }
    touch(tx, recipient, !rows.is_empty())?;
    let next =
        rows.last().map(|(id, _, soon, due, interval)| Places { order: [*soon, *due, *interval], ..from }.at(*id));
    Ok(Slice::of(rows.len(), next))
}

/// Notifies of birthdays on a day; 29 February falls on the 28th in common years.
pub fn notify_birthdays(
    tx: &mut AccountTx<'_>,
    recipient: Recipient,
    on: NaiveDate,
    from: Places,
) -> Result<Slice> {
    let Birthdays { people, looked_through, last } = birthdays(tx.conn, recipient.workspace, on, Some(from.id))?;
    for contact in &people {
        create(tx, recipient, NotificationKind::Birthday, Record::id(contact), (on, &on.to_string()), None)?;
    }
    touch(tx, recipient, !people.is_empty())?;
    let next = last.map(|id| from.at(id));
    Ok(Slice { found: i64::try_from(people.len()).unwrap_or(i64::MAX), ..Slice::of(looked_through, next) })
}

/// Some of those whose birthday is on a day.
pub struct Birthdays {
    pub people: Vec<Contact>,
    /// How many were looked through, and the last of them: those with any date on that day.
    looked_through: usize,
    last: Option<AnyId>,
}

/// The first of those whose birthday is on a day, in the order of their ids.
pub fn birthdays(
    conn: &mut Conn,
    workspace: WorkspaceId,
    on: NaiveDate,
    after: Option<AnyId>,
) -> Result<Birthdays> {
    let days: Vec<String> = days_ahead(on, 0).into_iter().flat_map(|(_, keys)| keys).collect();
    let keys: Vec<Key> = days.iter().map(|day| Key::new(KeyKind::Date, day.clone())).collect();
    let holders = keys::holders(conn, workspace, Entity::Contact, &keys)?;
    let is_ahead = |id: &AnyId| after.is_none_or(|after| *id > after);
    let mut ids: Vec<AnyId> = holders.into_iter().map(|(id, _)| id).filter(is_ahead).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(usize::try_from(SLICE).unwrap_or(usize::MAX));
    let (looked_through, last) = (ids.len(), ids.last().copied());
    let is_born = |contact: &Contact| {
        let own = contact.fields.dates.get(BIRTHDAY).and_then(|date| PartialDate::parse(&date.value).ok());
        own.and_then(|own| own.month_day()).is_some_and(|(month, day)| days.contains(&day_key(month, day)))
    };
    let people = today::people(conn, workspace, ids)?.into_values().filter(is_born).collect();
    Ok(Birthdays { people, looked_through, last })
}

/// Notifies of how much the day asks for.
pub fn notify_digest(
    tx: &mut AccountTx<'_>,
    recipient: Recipient,
    on: NaiveDate,
    counts: DigestCounts,
) -> Result<()> {
    let own = AnyId::new(recipient.user.uuid());
    create(tx, recipient, NotificationKind::Digest, own, (on, &on.to_string()), Some(counts))?;
    touch(tx, recipient, true)
}

impl Places {
    fn at(self, id: AnyId) -> Self {
        Self { id, ..self }
    }
}

/// Creates a notification, unless the user has it already. `days` are the day it is for, and the one its subject fell due on.
fn create(
    tx: &mut AccountTx<'_>,
    recipient: Recipient,
    kind: NotificationKind,
    subject: AnyId,
    days: (NaiveDate, &String),
    counts: Option<DigestCounts>,
) -> Result<()> {
    let never: Option<Timestamp> = None;
    let (on, due_on) = days;
    let row = (
        notifications::workspace_id.eq(recipient.workspace),
        notifications::id.eq(NotificationId::new(tx.new_id())),
        notifications::user_id.eq(recipient.user),
        notifications::kind.eq(kind),
        notifications::subject_id.eq(subject),
        notifications::for_day.eq(on.to_string()),
        notifications::due_on.eq(due_on),
        notifications::counts.eq(counts.map(AsJson)),
        notifications::created_at.eq(tx.now),
        notifications::read_at.eq(never),
    );
    // The same in the words of both; Diesel has no `ON CONFLICT` for the two together.
    match &mut *tx.conn {
        Conn::Postgres(conn) => {
            diesel::insert_into(notifications::table).values(row).on_conflict_do_nothing().execute(conn)?
        }
        Conn::Sqlite(conn) => diesel::insert_or_ignore_into(notifications::table).values(row).execute(conn)?,
    };
    Ok(())
}

/// Makes the ETag of a member's list another one.
fn touch(tx: &mut AccountTx<'_>, recipient: Recipient, has_changed: bool) -> Result<()> {
    if has_changed {
        let own = memberships::table
            .filter(memberships::workspace_id.eq(recipient.workspace))
            .filter(memberships::user_id.eq(recipient.user));
        diesel::update(own)
            .set(memberships::notifications_version.eq(memberships::notifications_version + 1))
            .execute(tx.conn)?;
    }
    Ok(())
}

// Reading them.

/// A notification as it is stored.
#[derive(Debug, Clone)]
pub struct Notification {
    pub id: NotificationId,
    pub kind: NotificationKind,
    /// The follow-up or contact; of a digest the user.
    pub subject: AnyId,
    pub on: NaiveDate,
    pub due_on: NaiveDate,
    pub counts: Option<DigestCounts>,
    pub created_at: Timestamp,
    pub read_at: Option<Timestamp>,
}

/// Raised with every change of a member's notifications.
pub fn version(conn: &mut Conn, recipient: Recipient) -> Result<i64> {
    Ok(memberships::table
        .filter(memberships::workspace_id.eq(recipient.workspace))
        .filter(memberships::user_id.eq(recipient.user))
        .select(memberships::notifications_version)
        .get_result(conn)?)
}

/// A page of a member's notifications, newest first, without those whose subject is gone. `after` is the last one of the
/// page before.
pub fn page(
    conn: &mut Conn,
    recipient: Recipient,
    unread: bool,
    after: Option<NotificationId>,
    limit: i64,
) -> Result<Vec<Notification>> {
    type Row = (
        NotificationId,
        NotificationKind,
        AnyId,
        String,
        String,
        Option<AsJson<DigestCounts>>,
        Timestamp,
        Option<Timestamp>,
    );
    let rows: Vec<Row> = Listed { shown: Shown { recipient, unread }, after, limit }.load(conn)?;
    let notification = |(id, kind, subject, on, due_on, counts, created_at, read_at): Row| {
        let (on, due_on, counts) = (stored_day(&on)?, stored_day(&due_on)?, counts.map(|AsJson(counts)| counts));
        Ok(Notification { id, kind, subject, on, due_on, counts, created_at, read_at })
    };
    rows.into_iter().map(notification).collect()
}

fn stored_day(day: &str) -> Result<NaiveDate> {
    parse_day(day).map_err(|rejection| Error::Internal(rejection.detail))
}

/// How many notifications a member has whose subjects exist.
pub fn count(conn: &mut Conn, recipient: Recipient, unread: bool) -> Result<i64> {
    let rows: Vec<i64> = Counted(Shown { recipient, unread }).load(conn)?;
    Ok(rows.first().copied().unwrap_or_default())
}

/// Marks these as read, and one with all that are older; those that are already stay so. One of these that no longer exists
/// is no error: there is nothing left to read.
pub fn mark_read(
    tx: &mut AccountTx<'_>,
    recipient: Recipient,
    ids: &[NotificationId],
    up_to: Option<NotificationId>,
) -> Result<()> {
    if let Some(last) = up_to
        && !exists(tx.conn, recipient, last)?
    {
        let detail = "There is no such notification.";
        return Err(Invalid::one("#/up_to", FieldCode::UnknownReference, detail).into());
    }
    let read_at = notifications::read_at.eq(Some(tx.now));
    let mut marked = diesel::update(own(recipient).filter(notifications::id.eq_any(ids)))
        .filter(notifications::read_at.is_null())
        .set(read_at)
        .execute(tx.conn)?;
    if let Some(last) = up_to {
        marked += diesel::update(own(recipient).filter(notifications::id.le(last)))
            .filter(notifications::read_at.is_null())
            .set(read_at)
            .execute(tx.conn)?;
    }
    touch(tx, recipient, marked > 0)
}

fn exists(conn: &mut Conn, recipient: Recipient, id: NotificationId) -> Result<bool> {
    let found = own(recipient).filter(notifications::id.eq(id));
    Ok(diesel::select(diesel::dsl::exists(found)).get_result(conn)?)
}

/// A member's notifications, for the statements that change them.
#[diesel::dsl::auto_type]
fn own(recipient: Recipient) -> _ {
    let (workspace, user): (WorkspaceId, UserId) = (recipient.workspace, recipient.user);
    notifications::table.filter(notifications::workspace_id.eq(workspace)).filter(notifications::user_id.eq(user))
}

/// Removes up to `limit` notifications that are past their time; how many.
pub(super) fn purge(tx: &mut AccountTx<'_>, limit: i64) -> Result<usize> {
    let end = tx.now.minus(chrono::TimeDelta::days(KEPT_DAYS));
    let old: Vec<(WorkspaceId, NotificationId)> = notifications::table
        .filter(notifications::created_at.le(end))
        .select((notifications::workspace_id, notifications::id))
        .limit(limit)
        .load(tx.conn)?;
    for (workspace, id) in &old {
        let one = notifications::table
            .filter(notifications::workspace_id.eq(workspace))
            .filter(notifications::id.eq(id));
        diesel::delete(one).execute(tx.conn)?;
    }
    Ok(old.len())
}

// The statements.

/// Pending follow-ups whose day has come and that the user was not notified of.
struct DueFollowUps {
    recipient: Recipient,
    on: String,
    from: (String, AnyId),
}

/// Contacts who are due and that the user was not notified of.
struct DueContacts {
    recipient: Recipient,
    on: i64,
    since: i64,
    day: String,
    now: Timestamp,
    from: Places,
}

/// What a user sees of their notifications.
struct Shown {
    recipient: Recipient,
    unread: bool,
}

struct Listed {
    shown: Shown,
    after: Option<NotificationId>,
    limit: i64,
}

struct Counted(Shown);

statement!(DueFollowUps, (Id, Text));
statement!(DueContacts, (Id, Text, BigInt, BigInt, BigInt));
statement!(Listed, (Id, Text, Id, Text, Text, Nullable<Json>, Instant, Nullable<Instant>));
statement!(Counted, BigInt);

/// Unless the user was notified of the row of a table for the day in one of its columns, or on the day itself.
fn not_notified<'b>(
    recipient: &'b Recipient,
    (table, column): (&str, &str),
    kind: NotificationKind,
    on: &'b String,
    out: &mut AstPass<'_, 'b, MultiBackend>,
) -> QueryResult<()> {
    out.push_sql(" AND NOT EXISTS (SELECT 1 FROM notifications WHERE notifications.workspace_id = ");
    out.push_bind_param::<Id, _>(&recipient.workspace)?;
    out.push_sql(" AND notifications.user_id = ");
    out.push_bind_param::<Id, _>(&recipient.user)?;
    out.push_sql(&format!(
        " AND notifications.kind = '{}' AND notifications.subject_id = {table}.id \
         AND (notifications.due_on = {table}.{column} OR notifications.for_day = ",
        kind.as_str()
    ));
    out.push_bind_param::<Text, _>(on)?;
    out.push_sql("))");
    Ok(())
}

impl QueryFragment<MultiBackend> for DueFollowUps {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let Self { recipient, on, from: (day, id) } = self;
        out.push_sql("SELECT id, actionable_sort FROM follow_ups WHERE workspace_id = ");
        out.push_bind_param::<Id, _>(&recipient.workspace)?;
        out.push_sql(" AND status = 'pending' AND actionable_on IS NOT NULL AND actionable_sort <= ");
        out.push_bind_param::<Text, _>(on)?;
        out.push_sql(" AND (actionable_sort, id) > (");
        out.push_bind_param::<Text, _>(day)?;
        out.push_sql(", ");
        out.push_bind_param::<Id, _>(id)?;
        out.push_sql(")");
        not_notified(recipient, ("follow_ups", "actionable_sort"), NotificationKind::FollowUpDue, on, &mut out)?;
        out.push_sql(" ORDER BY actionable_sort, id LIMIT ");
        out.push_bind_param::<BigInt, _>(&SLICE)
    }
}

impl QueryFragment<MultiBackend> for DueContacts {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let Self { recipient, on, since, day, now, from: Places { order: [soon, due, interval], id, day: _ } } =
            self;
        out.push_sql(
            "SELECT id, next_contact_on, soon_day, due_day, interval_days FROM contact_activities WHERE workspace_id = ",
        );
        out.push_bind_param::<Id, _>(&recipient.workspace)?;
        out.push_sql(" AND soon_day <= ");
        out.push_bind_param::<BigInt, _>(on)?;
        out.push_sql(" AND due_day <= ");
        out.push_bind_param::<BigInt, _>(on)?;
        out.push_sql(" AND due_day >= ");
        out.push_bind_param::<BigInt, _>(since)?;
        out.push_sql(" AND (soon_day, due_day, interval_days, id) > (");
        for part in [soon, due, interval] {
            out.push_bind_param::<BigInt, _>(part)?;
            out.push_sql(", ");
        }
        out.push_bind_param::<Id, _>(id)?;
        out.push_sql(")");
        keep_in_touch::without_planned(&recipient.workspace, now, day, &mut out)?;
        not_notified(
            recipient,
            ("contact_activities", "next_contact_on"),
            NotificationKind::ContactDue,
            day,
            &mut out,
        )?;
        out.push_sql(" ORDER BY soon_day, due_day, interval_days, id LIMIT ");
        out.push_bind_param::<BigInt, _>(&SLICE)
    }
}

impl Shown {
    fn conditions<'b>(&'b self, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let Self { recipient, unread } = self;
        out.push_sql(" FROM notifications WHERE workspace_id = ");
        out.push_bind_param::<Id, _>(&recipient.workspace)?;
        out.push_sql(" AND user_id = ");
        out.push_bind_param::<Id, _>(&recipient.user)?;
        if *unread {
            out.push_sql(" AND read_at IS NULL");
        }
        let exists = |table: &str| {
            format!(
                "EXISTS (SELECT 1 FROM {table} WHERE {table}.workspace_id = notifications.workspace_id \
                 AND {table}.id = notifications.subject_id)"
            )
        };
        out.push_sql(&format!(
            " AND (kind = 'digest' OR (kind = 'follow_up_due' AND {}) OR (kind IN ('contact_due', 'birthday') AND {}))",
            exists("follow_ups"),
            exists("contacts")
        ));
        Ok(())
    }
}

impl QueryFragment<MultiBackend> for Listed {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql("SELECT id, kind, subject_id, for_day, due_on, counts, created_at, read_at");
        self.shown.conditions(&mut out)?;
        if let Some(after) = &self.after {
            out.push_sql(" AND id < ");
            out.push_bind_param::<Id, _>(after)?;
        }
        out.push_sql(" ORDER BY id DESC LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)
    }
}

impl QueryFragment<MultiBackend> for Counted {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql("SELECT COUNT(*)");
        self.0.conditions(&mut out)
    }
}
