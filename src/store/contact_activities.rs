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
use super::db::sql::statement::statement;
use super::db::sql::types::{AnyId, Id, Instant};
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

    fn write_copies(conn: &mut Conn, workspace: WorkspaceId, id: AnyId, record: Option<&Self>) -> QueryResult<()> {
        contacts::copy_activity(conn, workspace, id, record.map(|record| &record.fields))
    }

    /// Of those interactions that happened, how many there are, and the day of the last that counts; and when the next
    /// contact is due.
    fn computed(conn: &mut Conn, workspace: WorkspaceId, id: AnyId, now: Timestamp) -> Result<Option<Self>> {
        let own = Select { limit: 1, ..Select::all(workspace, Predicate::id(id)) };
        let Some(contact) = Contact::select(conn, own)?.pop() else { return Ok(None) };
        let happened = Happened { workspace, contact: id };
        let rows: Vec<(i64, Option<Timestamp>, Option<String>)> = happened.load(conn)?;
        let (interaction_count, last_at, last_on) = rows.into_iter().next().unwrap_or_default();
        let has_cadence = contact.fields.tier.is_some() || contact.fields.cadence.is_some();
        if interaction_count == 0 && !has_cadence {
            return Ok(None);
        }
        let accounts::Calendar { zone, tiers } = accounts::calendar(conn, workspace)?;
        let of_instant = last_at.map(|at| zone.day(at).to_string());
        let last_interaction_on = of_instant.max(last_on);
        let last_day = last_interaction_on.as_deref().and_then(|day| parse_day(day).ok());
        let next = contact.fields.next_contact(&tiers, last_day, zone.day(contact.created_at));
        if interaction_count == 0 && next.is_none() {
            return Ok(None);
        }
        let fields = ContactActivityFields {
            contact_id: ContactId::new(id.uuid()),
            last_interaction_on,
            interaction_count,
            next_contact_on: next.map(|next| next.due_on.to_string()),
            interval_days: next.map(|next| next.interval_days),
        };
        Self::new(ContactActivityId::new(id.uuid()), now, fields).map(Some).map_err(Error::from)
    }

    record_statements!(contact_activities, ContactActivityRow, ContactActivityFields);
}

/// Of the interactions with a contact that happened, how many there are, and the last instant and day of those that count.
struct Happened {
    workspace: WorkspaceId,
    contact: AnyId,
}

statement!(Happened, (BigInt, Nullable<Instant>, Nullable<Text>));

impl QueryFragment<MultiBackend> for Happened {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql(
            "SELECT COUNT(*), MAX(CASE WHEN is_counted THEN occurred_at END), \
             MAX(CASE WHEN is_counted THEN occurred_on END) FROM interactions WHERE workspace_id = ",
        );
        out.push_bind_param::<Id, _>(&self.workspace)?;
        out.push_sql(
            " AND status = 'happened' AND id IN (SELECT interaction_id FROM interaction_contacts WHERE workspace_id = ",
        );
        out.push_bind_param::<Id, _>(&self.workspace)?;
        out.push_sql(" AND contact_id = ");
        out.push_bind_param::<Id, _>(&self.contact)?;
        out.push_sql(")");
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
