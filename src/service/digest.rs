//! The digest of a day as it is mailed: the first of what the day asks for, read when it is sent.

use chrono::NaiveDate;

use crate::domain::cadence::CadenceState;
use crate::domain::digest::{Digest, DigestSection};
use crate::domain::fields::parse_day;
use crate::domain::follow_up::{FollowUp, OwedBy};
use crate::domain::id::WorkspaceId;
use crate::domain::locale::TimeZone;
use crate::domain::timestamp::Timestamp;
use crate::domain::today as reasons;
use crate::store::keep_in_touch::{self, Wanted};
use crate::store::lists::Section;
use crate::store::notify_times::Recipient;
use crate::store::today;
use crate::store::{Conn, Record, Result, accounts, notifications};

/// How many items of a section are named.
const MAX_LINES: u8 = 20;

/// The address of a member, and what the day asks for. `None` if nothing is to be sent: they have left or switched it off, the
/// day has passed, or there is nothing to do by now.
pub fn for_member(
    conn: &mut Conn,
    recipient: Recipient,
    on: NaiveDate,
    now: Timestamp,
) -> Result<Option<(String, Digest)>> {
    let Recipient { workspace, user } = recipient;
    if accounts::role(conn, workspace, user)?.is_none() {
        return Ok(None);
    }
    let (user, _) = accounts::find(conn, user)?;
    let (_, zone) = accounts::seq_and_time_zone(conn, workspace)?;
    if !user.fields.email_digest || zone.day(now) != on {
        return Ok(None);
    }
    let digest = of(conn, workspace, zone, on, now)?;
    Ok((!digest.sections.is_empty()).then_some((user.email, digest)))
}

/// What a day of a workspace asks for, at a time of it.
fn of(conn: &mut Conn, workspace: WorkspaceId, zone: TimeZone, on: NaiveDate, now: Timestamp) -> Result<Digest> {
    let limit = i64::from(MAX_LINES);
    let mine = today::due_follow_ups(conn, workspace, OwedBy::Me, on, limit)?;
    let promised = today::due_follow_ups(conn, workspace, OwedBy::Them, on, limit)?;
    let wanted = Wanted {
        on,
        states: vec![CadenceState::Due, CadenceState::Overdue, CadenceState::Lapsed],
        without_planned: Some(now),
        filter: None,
        after: None,
        limit: usize::from(MAX_LINES),
    };
    let due = keep_in_touch::page(conn, workspace, &wanted, zone)?;
    let contacts = due
        .items
        .iter()
        .map(|due| reasons::contact(&due.contact.fields.name, (due.next.due_on - on).num_days()).detail);
    let contacts = DigestSection {
        title: "Get in touch",
        lines: contacts.collect(),
        total: keep_in_touch::count(conn, workspace, &wanted)?,
    };
    let born = notifications::birthdays(conn, workspace, on, None)?.people;
    let total = i64::try_from(born.len()).unwrap_or(i64::MAX);
    let born = born.iter().take(usize::from(MAX_LINES));
    let lines = born.map(|contact| reasons::date(&contact.fields.name, "birthday", 0).detail).collect();
    let birthdays = DigestSection { title: "Birthdays", lines, total };
    let mine = follow_ups(conn, workspace, "Follow-ups", on, OwedBy::Me, &mine)?;
    let promised = follow_ups(conn, workspace, "Promises", on, OwedBy::Them, &promised)?;
    Ok(Digest::new(on, [mine, promised, contacts, birthdays]))
}

fn follow_ups(
    conn: &mut Conn,
    workspace: WorkspaceId,
    title: &'static str,
    on: NaiveDate,
    owed_by: OwedBy,
    section: &Section<FollowUp>,
) -> Result<DigestSection> {
    let about = FollowUp::subtitles(conn, workspace, &section.items, on)?;
    let line = |follow_up: &FollowUp| {
        let fields = &follow_up.fields;
        let day = fields.actionable_on.as_deref().and_then(|day| parse_day(day).ok());
        // A title such as "Call" does not say whom.
        let what = match about.get(&Record::id(follow_up)) {
            Some(whom) if !fields.title.contains(whom) => format!("{} ({whom})", fields.title),
            _ => fields.title.clone(),
        };
        reasons::follow_up(&what, owed_by, day.map_or(0, |day| (day - on).num_days())).detail
    };
    Ok(DigestSection { title, lines: section.items.iter().map(line).collect(), total: section.total })
}
