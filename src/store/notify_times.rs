//! When each member of a workspace is notified next. What they are notified of is in `notifications.rs`.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::account_tx::AccountTx;
use super::db::sql::schema::{memberships, users, workspaces};
use super::error::{Error, Result};
use crate::domain::account::User;
use crate::domain::fields::parse_day;
use crate::domain::id::{UserId, WorkspaceId};
use crate::domain::locale::TimeZone;
use crate::domain::notification::NotifyTime;
use crate::domain::timestamp::Timestamp;

/// A member of a workspace, who is notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient {
    pub workspace: WorkspaceId,
    pub user: UserId,
}

/// A member whose time has come by the schedule.
#[derive(Debug, Clone, Copy)]
pub struct DueMember {
    pub recipient: Recipient,
    pub time: NotifyTime,
    pub workspace_zone: TimeZone,
    /// The last day of the workspace that they were notified of.
    pub notified_on: Option<NaiveDate>,
}

/// Some members whose time has come, the longest due first.
pub fn due_members(tx: &mut AccountTx<'_>, limit: i64) -> Result<Vec<DueMember>> {
    let rows: Vec<(WorkspaceId, UserId, String, i32, String, Option<String>)> = memberships::table
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .inner_join(workspaces::table.on(workspaces::id.eq(memberships::workspace_id)))
        .filter(memberships::notify_next_at.le(tx.now))
        .order(memberships::notify_next_at.asc())
        .select((
            memberships::workspace_id,
            memberships::user_id,
            users::time_zone,
            users::notify_at,
            workspaces::time_zone,
            memberships::notified_on,
        ))
        .limit(limit)
        .load(tx.conn)?;
    let member = |(workspace, user, zone, hour, workspace_zone, notified_on): (_, _, String, _, String, _)| {
        Ok(DueMember {
            recipient: Recipient { workspace, user },
            time: notify_time(&zone, hour)?,
            workspace_zone: time_zone(&workspace_zone)?,
            notified_on: stored_day(notified_on)?,
        })
    };
    rows.into_iter().map(member).collect()
}

/// When a member is notified next, and which day they are being notified of, if they are.
pub fn schedule_next(
    tx: &mut AccountTx<'_>,
    recipient: Recipient,
    next_at: Timestamp,
    notified_on: Option<NaiveDate>,
) -> Result<()> {
    let own = memberships::table
        .filter(memberships::workspace_id.eq(recipient.workspace))
        .filter(memberships::user_id.eq(recipient.user));
    diesel::update(own).set(memberships::notify_next_at.eq(next_at)).execute(tx.conn)?;
    if let Some(day) = notified_on {
        diesel::update(own).set(memberships::notified_on.eq(day.to_string())).execute(tx.conn)?;
    }
    Ok(())
}

/// When somebody is first notified in a workspace.
pub(super) fn first_time(user: &User, now: Timestamp) -> Result<Timestamp> {
    Ok(notify_time(&user.fields.time_zone, user.fields.notify_at)?.after(now))
}

/// Moves the next notification of a user, in each of their workspaces, to the hour and time zone that they have now.
pub(super) fn reschedule(tx: &mut AccountTx<'_>, user: &User) -> Result<()> {
    let time = notify_time(&user.fields.time_zone, user.fields.notify_at)?;
    let user = user.id;
    let own: Vec<(WorkspaceId, Timestamp)> = memberships::table
        .filter(memberships::user_id.eq(user))
        .select((memberships::workspace_id, memberships::notify_next_at))
        .load(tx.conn)?;
    for (workspace, before) in own {
        schedule_next(tx, Recipient { workspace, user }, time.after_change(before, tx.now), None)?;
    }
    Ok(())
}

fn notify_time(zone: &str, hour: i32) -> Result<NotifyTime> {
    let hour = u32::try_from(hour).map_err(|_| Error::Internal(format!("no hour: {hour}")))?;
    Ok(NotifyTime { zone: time_zone(zone)?, hour })
}

fn time_zone(name: &str) -> Result<TimeZone> {
    TimeZone::parse(name).map_err(|rejection| Error::Internal(rejection.detail))
}

fn stored_day(day: Option<String>) -> Result<Option<NaiveDate>> {
    let parse = |day: String| parse_day(&day).map_err(|rejection| Error::Internal(rejection.detail));
    day.map(parse).transpose()
}
