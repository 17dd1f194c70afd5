//! The activity of contacts in the database, and how it is computed anew from their interactions and their cadence.

use diesel::prelude::*;
use std::collections::HashMap;

use super::accounts;
use super::contacts;
use super::db::sql::conn::Conn;
use super::db::sql::schema::{contact_activities, interaction_contacts, interactions};
use super::db::sql::select::{Field, Predicate, Select, field, sortable};
use super::db::sql::types::AnyId;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::error::{Error, Result};
use crate::domain::contact::Contact;
use crate::domain::contact_activity::{ContactActivity, ContactActivityFields};
use crate::domain::fields::parse_day;
use crate::domain::id::{ContactActivityId, ContactId, WorkspaceId};
use crate::domain::interaction::InteractionStatus;
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
        let with_them = || {
            let listed = interaction_contacts::table
                .filter(interaction_contacts::workspace_id.eq(workspace))
                .filter(interaction_contacts::contact_id.eq(id))
                .select(interaction_contacts::interaction_id);
            interactions::table
                .filter(interactions::workspace_id.eq(workspace))
                .filter(interactions::id.eq_any(listed))
                .filter(interactions::status.eq(InteractionStatus::Happened))
        };
        let interaction_count: i64 = with_them().count().get_result(conn)?;
        let that_count = || with_them().filter(interactions::is_counted.eq(true));
        let last_at: Option<Option<Timestamp>> = that_count()
            .filter(interactions::occurred_at.is_not_null())
            .order(interactions::occurred_at.desc())
            .select(interactions::occurred_at)
            .first(conn)
            .optional()?;
        let last_on: Option<Option<String>> = that_count()
            .filter(interactions::occurred_on.is_not_null())
            .order(interactions::occurred_on.desc())
            .select(interactions::occurred_on)
            .first(conn)
            .optional()?;
        let accounts::Calendar { zone, tiers } = accounts::calendar(conn, workspace)?;
        let of_instant = last_at.flatten().map(|at| zone.day(at).to_string());
        let last_interaction_on = of_instant.max(last_on.flatten());
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
