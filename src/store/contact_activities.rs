//! The activity of contacts in the database, and how it is computed anew from their interactions.

use diesel::prelude::*;

use super::accounts;
use super::db::sql::conn::Conn;
use super::db::sql::schema::{contact_activities, contacts, interaction_contacts, interactions};
use super::db::sql::select::{Field, field, sortable};
use super::db::sql::types::AnyId;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::error::{Error, Result};
use crate::domain::contact_activity::{ContactActivity, ContactActivityFields};
use crate::domain::id::{ContactActivityId, ContactId, WorkspaceId};
use crate::domain::interaction::InteractionStatus;
use crate::domain::timestamp::Timestamp;

record_row! {
    ContactActivityRow of ContactActivityFields in contact_activities;
    columns {
        contact_id: ContactId,
        last_interaction_on: Option<String>,
        interaction_count: i64,
    }
}

impl Record for ContactActivity {
    const SUMMARY: &'static [&'static str] = &["contact_id", "last_interaction_on", "interaction_count"];

    /// Of those interactions that happened, how many there are, and the day of the last that counts.
    fn computed(conn: &mut Conn, workspace: WorkspaceId, id: AnyId, now: Timestamp) -> Result<Option<Self>> {
        let own = contacts::table.filter(contacts::workspace_id.eq(workspace)).filter(contacts::id.eq(id));
        if !diesel::select(diesel::dsl::exists(own)).get_result::<bool>(conn)? {
            return Ok(None);
        }
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
        if interaction_count == 0 {
            return Ok(None);
        }
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
        let (_, zone) = accounts::seq_and_time_zone(conn, workspace)?;
        let of_instant = last_at.flatten().map(|at| zone.day(at).to_string());
        let fields = ContactActivityFields {
            contact_id: ContactId::new(id.uuid()),
            last_interaction_on: of_instant.max(last_on.flatten()),
            interaction_count,
        };
        Self::new(ContactActivityId::new(id.uuid()), now, fields).map(Some).map_err(Error::from)
    }

    record_statements!(contact_activities, ContactActivityRow, ContactActivityFields);
}

pub const LAST_INTERACTION_ON: Field = field(contact_activities::last_interaction_on);
pub const INTERACTION_COUNT: Field = sortable(contact_activities::interaction_count);
pub const CONTACT: Field = sortable(contact_activities::contact_id);
