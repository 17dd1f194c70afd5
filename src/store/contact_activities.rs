//! The activity of contacts in the database, and how it is computed anew from their interactions and their cadence.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Nullable, Text};
use std::collections::HashMap;

use super::accounts;
use super::contacts;
use super::db::sql::conn::{Conn, MultiBackend};
use super::db::sql::schema::contact_activities;
use super::db::sql::select::{Field, Predicate, Select, field, sortable};
use super::db::sql::statement::{separated, statement};
use super::db::sql::types::{AnyId, Id, Instant};
use super::db::write::context::Calendar;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::error::{Error, Result};
use crate::domain::contact::Contact;
use crate::domain::contact_activity::{ContactActivity, ContactActivityFields};
use crate::domain::fields::parse_day;
use crate::domain::id::{ContactActivityId, ContactId, WorkspaceId};
use crate::domain::timestamp::Timestamp;

record_row! {
    ContactActivityRow of ContactActivityFields in contact_activities;
    columns {
        contact_id: ContactId,
        last_interaction_on: Option<String>,
        interaction_count: i64,
        next_contact_on: Option<String>,
        interval_days: Option<i64>,
    }
    computed {
        due_day: Option<i64> = |fields| fields.due_day(),
        soon_day: Option<i64> = |fields| fields.soon_day(),
    }
}

impl Record for ContactActivity {
    const SUMMARY: &'static [&'static str] =
        &["contact_id", "last_interaction_on", "interaction_count", "next_contact_on", "interval_days"];

    fn write_copies(
        conn: &mut Conn,
        workspace: WorkspaceId,
        records: &[(AnyId, Option<&Self>)],
    ) -> QueryResult<()> {
        let activities = records.iter().map(|(id, record)| (*id, record.map(|record| record.fields.clone())));
        contacts::copy_activities(conn, workspace, activities)
    }

    /// Of those interactions that happened, how many there are, and the day of the last that counts; and when the next
    /// contact is due.
    fn computed(conn: &mut Conn, workspace: WorkspaceId, ids: &[AnyId], now: Timestamp) -> Result<Vec<Self>> {
        let contacts = Contact::select(conn, Select::all(workspace, Predicate::ids(ids.iter().copied())))?;
        let happened = Happened { workspace, contacts: ids }.load::<(AnyId, HappenedRow)>(conn)?;
        let happened: HashMap<AnyId, HappenedRow> = happened.into_iter().collect();
        let has_cadence = |contact: &Contact| contact.fields.tier.is_some() || contact.fields.cadence.is_some();
        if happened.is_empty() && !contacts.iter().any(has_cadence) {
            return Ok(Vec::new());
        }
        let calendar = accounts::calendar(conn, workspace)?;
        let own = |contact: &Contact| happened.get(&Record::id(contact)).cloned().unwrap_or_default();
        let computed = contacts.iter().filter_map(|contact| activity(contact, own(contact), &calendar, now));
        computed.collect()
    }

    record_statements!(contact_activities, ContactActivityRow, ContactActivityFields);
}

/// The activity of a contact; `None` where there is nothing to tell.
fn activity(
    contact: &Contact,
    (interaction_count, last_at, last_on): HappenedRow,
    Calendar { zone, tiers }: &Calendar,
    now: Timestamp,
) -> Option<Result<ContactActivity>> {
    let of_instant = last_at.map(|at| zone.day(at).to_string());
    let last_interaction_on = of_instant.max(last_on);
    let last_day = last_interaction_on.as_deref().and_then(|day| parse_day(day).ok());
    let next = contact.fields.next_contact(tiers, last_day, zone.day(contact.created_at));
    if interaction_count == 0 && next.is_none() {
        return None;
    }
    let fields = ContactActivityFields {
        contact_id: contact.id,
        last_interaction_on,
        interaction_count,
        next_contact_on: next.map(|next| next.due_on.to_string()),
        interval_days: next.map(|next| next.interval_days),
    };
    let id = ContactActivityId::new(contact.id.uuid());
    Some(ContactActivity::new(id, now, fields).map_err(Error::from))
}

/// Of the interactions with each contact that happened, how many there are, and the last instant and day of those that
/// count.
struct Happened<'a> {
    workspace: WorkspaceId,
    contacts: &'a [AnyId],
}

type HappenedRow = (i64, Option<Timestamp>, Option<String>);

statement!(Happened<'_>, (Id, (BigInt, Nullable<Instant>, Nullable<Text>)));

impl QueryFragment<MultiBackend> for Happened<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql(
            "SELECT listed.contact_id, COUNT(*), MAX(CASE WHEN is_counted THEN occurred_at END), \
             MAX(CASE WHEN is_counted THEN occurred_on END) FROM interaction_contacts AS listed \
             JOIN interactions ON interactions.workspace_id = listed.workspace_id \
             AND interactions.id = listed.interaction_id WHERE listed.workspace_id = ",
        );
        out.push_bind_param::<Id, _>(&self.workspace)?;
        out.push_sql(" AND listed.contact_id IN (");
        separated(self.contacts, ", ", &mut out, |id, out| out.push_bind_param::<Id, _>(id))?;
        out.push_sql(") AND status = 'happened' GROUP BY listed.contact_id");
        Ok(())
    }
}

pub const LAST_INTERACTION_ON: Field = field(contact_activities::last_interaction_on);
pub const INTERACTION_COUNT: Field = sortable(contact_activities::interaction_count);
pub const CONTACT: Field = sortable(contact_activities::contact_id);

/// The activity of these contacts.
pub fn of_contacts(
    conn: &mut Conn,
    workspace: WorkspaceId,
    ids: impl IntoIterator<Item = AnyId>,
) -> Result<HashMap<AnyId, ContactActivity>> {
    let activities = ContactActivity::select(conn, Select::all(workspace, Predicate::ids(ids)))?;
    Ok(activities.into_iter().map(|activity| (Record::id(&activity), activity)).collect())
}

/// Everybody of whom there is something to tell.
pub fn everybody(conn: &mut Conn, workspace: WorkspaceId) -> Result<Vec<AnyId>> {
    Ok(ContactActivity::ids(conn, Select::all(workspace, Predicate::always()))?)
}
