//! Notifying members of what their day asks for: whose hour has come, and what they are told of. Everything is written with
//! `account_write`, see `store/notifications.rs`.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::domain::cadence::CadenceState;
use crate::domain::follow_up::OwedBy;
use crate::domain::id::UserId;
use crate::domain::job::NewJob;
use crate::domain::notification::{DigestCounts, LOOK_BACK_DAYS};
use crate::store::keep_in_touch::{self, Wanted};
use crate::store::notifications::{self as stored, Places, Slice};
use crate::store::notify_times::{self, DueMember, Recipient};
use crate::store::{AccountTx, Result, accounts, today};

/// The kind of job that notifies one member of one day.
pub const NOTIFY: &str = "notify";
/// The kind of job that mails a member the digest of one day.
pub const MAIL_DIGEST: &str = "mail_digest";

/// For how many members one transaction enqueues a job.
const MEMBERS_AT_ONCE: i64 = 100;

/// What a job is told: whom to notify, of which day of the workspace.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Payload {
    pub user: UserId,
    pub on: NaiveDate,
}

/// Enqueues a job for each of some members whose time has come; whether there may be more of them. What was missed while no
/// server ran is one job, for today: not one for each day.
pub fn enqueue_due(tx: &mut AccountTx<'_>) -> Result<bool> {
    let now = tx.now();
    let members = notify_times::due_members(tx, MEMBERS_AT_ONCE)?;
    for member in &members {
        let DueMember { recipient, time, workspace_zone, notified_on } = *member;
        let on = workspace_zone.day(now);
        let is_new = notified_on.is_none_or(|day| day < on);
        let is_due = time.has_come(now) && is_new;
        if is_due {
            let Recipient { workspace, user } = recipient;
            // Two servers may be here at once, and a day comes twice where the workspace has moved to another zone.
            let unique_key = Some(format!("{NOTIFY}:{workspace}:{user}:{on}"));
            let job = NewJob { unique_key, ..NewJob::new(NOTIFY, json!(Payload { user, on })) };
            tx.enqueue(Some(workspace), job)?;
        }
        notify_times::schedule_next(tx, recipient, time.after(now), is_due.then_some(on))?;
    }
    Ok(i64::try_from(members.len()).is_ok_and(|count| count >= MEMBERS_AT_ONCE))
}

/// How far a job has come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    step: Step,
    birthdays: i64,
}

/// What is looked through next, and the place from which on.
#[derive(Debug, Clone, Copy, Default)]
enum Step {
    #[default]
    Begin,
    FollowUps(Places),
    Contacts(Places),
    Birthdays(Places),
    Complete,
}

impl Progress {
    pub fn is_complete(&self) -> bool {
        matches!(self.step, Step::Complete)
    }
}

/// Notifies a member of some more of what has fallen due, each thing once. Who has left the workspace is told nothing.
pub fn next_slice(
    tx: &mut AccountTx<'_>,
    recipient: Recipient,
    on: NaiveDate,
    progress: Progress,
) -> Result<Progress> {
    let Progress { step, mut birthdays } = progress;
    if accounts::role(tx.conn, recipient.workspace, recipient.user)?.is_none() {
        return Ok(Progress { step: Step::Complete, birthdays });
    }
    let since = on.checked_sub_days(Days::new(LOOK_BACK_DAYS)).unwrap_or(on);
    let step = match step {
        Step::Begin => Step::FollowUps(Places::first(since)),
        Step::FollowUps(from) => match stored::notify_follow_ups(tx, recipient, on, from)? {
            Slice { next: Some(next), .. } => Step::FollowUps(next),
            Slice { next: None, .. } => Step::Contacts(Places::first(since)),
        },
        Step::Contacts(from) => match stored::notify_contacts(tx, recipient, on, since, from)? {
            Slice { next: Some(next), .. } => Step::Contacts(next),
            Slice { next: None, .. } => Step::Birthdays(Places::first(on)),
        },
        Step::Birthdays(from) => {
            let Slice { next, found } = stored::notify_birthdays(tx, recipient, on, from)?;
            birthdays += found;
            next.map_or(Step::Complete, Step::Birthdays)
        }
        Step::Complete => Step::Complete,
    };
    Ok(Progress { step, birthdays })
}

/// The end of a job: the digest of the day, if there is anything in it.
pub fn finish(tx: &mut AccountTx<'_>, recipient: Recipient, on: NaiveDate, progress: &Progress) -> Result<()> {
    if accounts::role(tx.conn, recipient.workspace, recipient.user)?.is_none() {
        return Ok(());
    }
    let counts = counts(tx, recipient, on, progress.birthdays)?;
    if counts.is_empty() {
        return Ok(());
    }
    stored::notify_digest(tx, recipient, on, counts)?;
    let Recipient { workspace, user } = recipient;
    if accounts::find(tx.conn, user)?.0.fields.email_digest {
        let unique_key = Some(format!("{MAIL_DIGEST}:{workspace}:{user}:{on}"));
        let job = NewJob { unique_key, ..NewJob::new(MAIL_DIGEST, json!(Payload { user, on })) };
        tx.enqueue(Some(workspace), job)?;
    }
    Ok(())
}

/// How much the day asks for, with what was notified before.
fn counts(tx: &mut AccountTx<'_>, recipient: Recipient, on: NaiveDate, birthdays: i64) -> Result<DigestCounts> {
    let workspace = recipient.workspace;
    let wanted = Wanted {
        on,
        states: vec![CadenceState::Due, CadenceState::Overdue, CadenceState::Lapsed],
        without_planned: Some(tx.now()),
        filter: None,
        after: None,
        limit: 1,
    };
    Ok(DigestCounts {
        follow_ups: today::due_follow_ups(tx.conn, workspace, OwedBy::Me, on, 1)?.total,
        promises: today::due_follow_ups(tx.conn, workspace, OwedBy::Them, on, 1)?.total,
        contacts: keep_in_touch::count(tx.conn, workspace, &wanted)?,
        birthdays,
    })
}
