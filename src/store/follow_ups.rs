//! Follow-ups in the database: their columns, what lists can filter and sort by, and what follows one.

use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::{BTreeSet, HashMap};

use super::db::sql::conn::Conn;
use super::db::sql::schema::follow_ups;
use super::db::sql::select::{
    Comparison, Direction, Field, ID, Predicate, Scalar, Select, day_or_last, field, sortable,
};
use super::db::sql::types::AnyId;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::db::write::tx::Tx;
use super::error::Result;
use super::{contacts, organizations};
use crate::domain::contact::{Channel, Contact};
use crate::domain::entity::Entity;
use crate::domain::follow_up::{FollowUp, FollowUpFields, FollowUpKind, FollowUpOrigin, FollowUpStatus, OwedBy};
use crate::domain::id::{
    ContactId, EventId, FollowUpId, GoalId, InteractionId, OrganizationId, SeriesId, TargetId, WorkspaceId,
};
use crate::domain::recurrence::Recurrence;
use crate::domain::reference::reference;
use crate::domain::search::SearchText;
use crate::domain::timeline::TimelineEntry;
use crate::domain::timestamp::Timestamp;

record_row! {
    FollowUpRow of FollowUpFields in follow_ups;
    columns {
        title: String,
        body: Option<String>,
        organization_id: Option<OrganizationId>,
        kind: FollowUpKind,
        owed_by: OwedBy,
        due_on: Option<String>,
        due_time: Option<String>,
        priority: i32,
        channel: Option<Channel>,
        status: FollowUpStatus,
        status_reason: Option<String>,
        snoozed_until: Option<String>,
        actionable_on: Option<String>,
        completed_at: Option<Timestamp>,
        series_id: Option<SeriesId>,
        previous_id: Option<FollowUpId>,
        outcome: Option<String>,
        origin: FollowUpOrigin,
        interaction_id: Option<InteractionId>,
        event_id: Option<EventId>,
        goal_id: Option<GoalId>,
        target_id: Option<TargetId>,
    }
    json {
        contact_ids: Vec<ContactId>,
    }
    json_or_null {
        recurrence: Recurrence,
    }
    computed {
        due_sort: String = |fields| day_or_last(fields.due_on.as_ref()),
        actionable_sort: String = |fields| day_or_last(fields.actionable_on.as_ref()),
    }
}

impl Record for FollowUp {
    const SUMMARY: &'static [&'static str] = &[
        "title",
        "contact_ids",
        "organization_id",
        "kind",
        "owed_by",
        "due_on",
        "due_time",
        "priority",
        "status",
        "actionable_on",
    ];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        let FollowUpFields { due_on, actionable_on, priority, completed_at, .. } = &self.fields;
        match field {
            DUE => Some(Scalar::Text(day_or_last(due_on.as_ref()))),
            ACTIONABLE => Some(Scalar::Text(day_or_last(actionable_on.as_ref()))),
            PRIORITY => Some(Scalar::Int(i64::from(*priority))),
            COMPLETED => completed_at.map(Scalar::Instant),
            _ => None,
        }
    }

    fn timeline(&self) -> Vec<TimelineEntry> {
        Self::timeline(self).into_iter().collect()
    }

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    /// Whom it is about, or else which organization.
    fn subtitles(
        conn: &mut Conn,
        workspace: WorkspaceId,
        records: &[Self],
        _on: NaiveDate,
    ) -> Result<HashMap<AnyId, String>> {
        let people = |record: &Self| -> Vec<AnyId> {
            record.fields.contact_ids.iter().map(|id| AnyId::new(id.uuid())).collect()
        };
        let organization = |record: &Self| record.fields.organization_id.map(|id| AnyId::new(id.uuid()));
        let named = contacts::names(conn, workspace, records.iter().flat_map(people).collect::<BTreeSet<_>>())?;
        let organizations = organizations::names(
            conn,
            workspace,
            records.iter().filter_map(organization).collect::<BTreeSet<_>>(),
        )?;
        let subtitle = |record: &Self| {
            let names: Vec<&str> =
                people(record).iter().filter_map(|id| named.get(id)).map(String::as_str).collect();
            match names.is_empty() {
                true => organizations.get(&organization(record)?).cloned(),
                false => Some(names.join(", ")),
            }
        };
        Ok(records.iter().filter_map(|record| Some((Record::id(record), subtitle(record)?))).collect())
    }

    record_statements!(follow_ups, FollowUpRow, FollowUpFields);
}

pub const CREATED_AT: Field = sortable(follow_ups::created_at);
pub const UPDATED_AT: Field = sortable(follow_ups::updated_at);
pub const KIND: Field = sortable(follow_ups::kind);
pub const OWED_BY: Field = sortable(follow_ups::owed_by);
pub const STATUS: Field = sortable(follow_ups::status);
pub const CHANNEL: Field = field(follow_ups::channel);
pub const PRIORITY: Field = sortable(follow_ups::priority);
/// Null unless it is done.
pub const COMPLETED: Field = field(follow_ups::completed_at);
pub const ORGANIZATION: Field = field(follow_ups::organization_id);
const INTERACTION: Field = field(follow_ups::interaction_id);
pub const EVENT: Field = field(follow_ups::event_id);
pub const GOAL: Field = field(follow_ups::goal_id);
pub const TARGET: Field = field(follow_ups::target_id);
const PREVIOUS: Field = field(follow_ups::previous_id);
/// Null without a day.
const DUE_ON: Field = field(follow_ups::due_on);
const ACTIONABLE_ON: Field = field(follow_ups::actionable_on);
/// The day, or the last one there is.
pub const DUE: Field = sortable(follow_ups::due_sort);
pub const ACTIONABLE: Field = sortable(follow_ups::actionable_sort);

/// Due on a day that compares so.
pub fn is_due(comparison: Comparison, day: NaiveDate) -> Predicate {
    by_day(DUE_ON, DUE, comparison, day)
}

/// To be done from a day that compares so.
pub fn is_actionable(comparison: Comparison, day: NaiveDate) -> Predicate {
    by_day(ACTIONABLE_ON, ACTIONABLE, comparison, day)
}

fn by_day(field: Field, sorted: Field, comparison: Comparison, day: NaiveDate) -> Predicate {
    let compared = Predicate::Compare(sorted, comparison, Scalar::Text(day.to_string()));
    Predicate::All(vec![Predicate::NotNull(field), compared])
}

/// About this contact.
pub fn is_about(contact: AnyId) -> Predicate {
    let of = |about| Predicate::Lists(about, vec![contact]);
    reference(Entity::FollowUp, Entity::Contact).map_or(Predicate::Any(Vec::new()), of)
}

/// About one of the contacts that are found.
pub fn is_about_found(contacts: Predicate) -> Predicate {
    let of = |about| Predicate::ListsFound(about, Box::new(contacts));
    reference(Entity::FollowUp, Entity::Contact).map_or(Predicate::Any(Vec::new()), of)
}

/// Still to be done.
pub fn is_pending() -> Predicate {
    Predicate::equal(STATUS, Scalar::Text(FollowUpStatus::Pending.as_str().to_owned()))
}

/// Pending, and to be done from an earlier day than this.
pub fn is_overdue(today: NaiveDate) -> Predicate {
    Predicate::All(vec![is_pending(), is_actionable(Comparison::Less, today)])
}

/// The pending ones that are to be done from a day of a period, by that day; `until` is exclusive.
pub fn agenda(
    conn: &mut Conn,
    workspace: WorkspaceId,
    since: NaiveDate,
    until: NaiveDate,
    limit: i64,
) -> Result<Vec<FollowUp>> {
    let filter = Predicate::All(vec![
        is_pending(),
        is_actionable(Comparison::GreaterOrEqual, since),
        is_actionable(Comparison::Less, until),
    ]);
    let order = vec![ACTIONABLE, ID];
    Ok(FollowUp::select(conn, Select { workspace, filter, order, direction: Direction::Ascending, limit })?)
}

/// What followed when this was completed or skipped: an occurrence, a step of a plan.
pub fn successors(tx: &mut Tx<'_>, id: FollowUpId) -> Result<Vec<FollowUp>> {
    let follows = Predicate::equal(PREVIOUS, Scalar::Id(AnyId::new(id.uuid())));
    Ok(FollowUp::select(tx.conn, Select::all(tx.workspace, follows))?)
}

/// Those that an interaction led to, or that were completed with it, oldest first.
pub fn of_interaction(tx: &mut Tx<'_>, id: InteractionId) -> Result<Vec<FollowUp>> {
    let of = Predicate::equal(INTERACTION, Scalar::Id(AnyId::new(id.uuid())));
    Ok(FollowUp::select(tx.conn, Select::all(tx.workspace, of))?)
}

/// Whether one of these people may still be contacted.
pub fn may_contact_any(tx: &mut Tx<'_>, people: &[ContactId]) -> Result<bool> {
    let them = Predicate::ids(people.iter().map(|id| AnyId::new(id.uuid())));
    let them = Contact::select(tx.conn, Select::all(tx.workspace, them))?;
    Ok(them.iter().any(Contact::may_be_contacted))
}
