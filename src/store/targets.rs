//! Targets in the database: their columns, what lists can filter and sort by, and the board.

use diesel::prelude::*;

use super::db::sql::conn::Conn;
use super::db::sql::schema::targets;
use super::db::sql::select::{Direction, Field, Predicate, Scalar, Select, field, sortable};
use super::db::sql::types::AnyId;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::db::write::tx::Tx;
use super::error::Result;
use super::lists::{Order, Section, first};
use crate::domain::entity::Entity;
use crate::domain::id::{ContactId, GoalId, OrganizationId, WorkspaceId};
use crate::domain::target::{Target, TargetFields, TargetOpening, TargetStage};
use crate::domain::timeline::TimelineEntry;
use crate::domain::timestamp::Timestamp;

record_row! {
    TargetRow of TargetFields in targets;
    columns {
        goal_id: GoalId,
        contact_id: Option<ContactId>,
        organization_id: Option<OrganizationId>,
        priority: i32,
        why: Option<String>,
        ask: Option<String>,
        offer: Option<String>,
        stage: TargetStage,
        status_reason: Option<String>,
        stage_changed_at: Option<Timestamp>,
        connected_at: Option<Timestamp>,
    }
    json_or_null {
        opening: TargetOpening,
    }
    input {
        name: Option<String>,
    }
    computed {
        changed_sort: Timestamp = |fields| changed_sort(fields),
    }
}

/// When it came to its stage.
fn changed_sort(fields: &TargetFields) -> Timestamp {
    fields.stage_changed_at.unwrap_or_else(|| Timestamp::new(chrono::DateTime::UNIX_EPOCH))
}

impl Record for Target {
    const SUMMARY: &'static [&'static str] =
        &["goal_id", "contact_id", "organization_id", "priority", "stage", "stage_changed_at", "connected_at"];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        match field {
            PRIORITY => Some(Scalar::Int(i64::from(self.fields.priority))),
            STAGE_CHANGED => Some(Scalar::Instant(changed_sort(&self.fields))),
            _ => None,
        }
    }

    /// There is one for a contact or an organization in a goal.
    fn identity(&self) -> Option<String> {
        let TargetFields { goal_id, contact_id, organization_id, .. } = &self.fields;
        Some(format!("{goal_id} {contact_id:?} {organization_id:?}"))
    }

    fn joined(&self, other: &Self) -> Result<Self> {
        Ok(Self { fields: self.fields.joined(&other.fields)?, ..self.clone() })
    }

    fn timeline(&self) -> Vec<TimelineEntry> {
        Self::timeline(self).into_iter().collect()
    }

    record_statements!(targets, TargetRow, TargetFields);
}

pub const CREATED_AT: Field = sortable(targets::created_at);
pub const UPDATED_AT: Field = sortable(targets::updated_at);
pub const GOAL: Field = sortable(targets::goal_id);
pub const CONTACT: Field = field(targets::contact_id);
pub const ORGANIZATION: Field = field(targets::organization_id);
pub const STAGE: Field = sortable(targets::stage);
pub const PRIORITY: Field = sortable(targets::priority);
pub const STAGE_CHANGED: Field = sortable(targets::changed_sort);
pub const CONNECTED_AT: Field = field(targets::connected_at);

/// Of this goal.
pub fn is_of(goal: AnyId) -> Predicate {
    Predicate::equal(GOAL, Scalar::Id(goal))
}

/// The contacts who are targets of a goal.
pub fn contacts_of(goal: AnyId) -> Predicate {
    Predicate::ReferredBy(Entity::Target, CONTACT, Box::new(is_of(goal)))
}

/// Another target of the same contact or organization in the same goal.
pub fn same_as(tx: &mut Tx<'_>, target: &Target) -> Result<Option<AnyId>> {
    let TargetFields { goal_id, contact_id, organization_id, .. } = &target.fields;
    let contact = contact_id.map(|id| (CONTACT, AnyId::new(id.uuid())));
    let organization = organization_id.map(|id| (ORGANIZATION, AnyId::new(id.uuid())));
    let Some((column, subject)) = contact.or(organization) else { return Ok(None) };
    let same =
        Predicate::All(vec![Predicate::equal(column, Scalar::Id(subject)), is_of(AnyId::new(goal_id.uuid()))]);
    let ids = Target::ids(tx.conn, Select { limit: 2, ..Select::all(tx.workspace, same) })?;
    Ok(ids.into_iter().find(|id| *id != Record::id(target)))
}

/// What those at each stage are, the highest priority first, and how many there are.
pub fn board(
    conn: &mut Conn,
    workspace: WorkspaceId,
    goal: Option<AnyId>,
    limit: i64,
) -> Result<Vec<(TargetStage, Section<Target>)>> {
    let at = |stage: TargetStage| {
        let at_stage = Predicate::equal(STAGE, Scalar::Text(stage.as_str().to_owned()));
        Predicate::All(goal.map(is_of).into_iter().chain([at_stage]).collect())
    };
    let mut stages = Vec::with_capacity(TargetStage::ALL.len());
    for stage in TargetStage::ALL.iter().copied() {
        let order = Order::By(PRIORITY, Direction::Descending);
        stages.push((stage, first::<Target>(conn, workspace, at(stage), order, limit)?));
    }
    Ok(stages)
}
