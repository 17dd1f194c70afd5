//! Relationships in the database: their columns, and what lists can filter and sort by.

use diesel::prelude::*;

use super::db::sql::schema::relationships;
use super::db::sql::select::{Field, Scalar, field, sortable};
use super::db::write::record::{Record, record_statements};
use crate::domain::entity::Entity;
use crate::domain::id::{ContactId, RelationshipId, WorkspaceId};
use crate::domain::relationship::{Relationship, RelationshipFields, RelationshipType};
use crate::domain::timestamp::Timestamp;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = relationships)]
#[diesel(primary_key(workspace_id, id))]
#[diesel(treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct RelationshipRow {
    workspace_id: WorkspaceId,
    id: RelationshipId,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    contact_id: ContactId,
    related_contact_id: ContactId,
    kind: RelationshipType,
    started_on: Option<String>,
    ended_on: Option<String>,
    notes: Option<String>,
}

impl RelationshipRow {
    fn of(workspace_id: WorkspaceId, relationship: &Relationship) -> Self {
        let Relationship { id, fields, created_at, updated_at, version } = relationship.clone();
        let RelationshipFields { contact_id, related_contact_id, kind, started_on, ended_on, notes } = fields;
        Self {
            workspace_id,
            id,
            version,
            created_at,
            updated_at,
            contact_id,
            related_contact_id,
            kind,
            started_on,
            ended_on,
            notes,
        }
    }

    fn into_record(self) -> Relationship {
        let Self {
            workspace_id: _,
            id,
            version,
            created_at,
            updated_at,
            contact_id,
            related_contact_id,
            kind,
            started_on,
            ended_on,
            notes,
        } = self;
        let fields = RelationshipFields { contact_id, related_contact_id, kind, started_on, ended_on, notes };
        Relationship { id, fields, created_at, updated_at, version }
    }
}

impl Record for Relationship {
    const ENTITY: Entity = Entity::Relationship;
    const SUMMARY: &'static [&'static str] =
        &["contact_id", "related_contact_id", "type", "started_on", "ended_on"];

    fn sort_value(&self, field: Field) -> Scalar {
        match field {
            CREATED_AT => Scalar::Instant(self.created_at),
            UPDATED_AT => Scalar::Instant(self.updated_at),
            _ => Scalar::Id(Record::id(self)),
        }
    }

    record_statements!(relationships, RelationshipRow);
}

pub const CREATED_AT: Field = sortable(relationships::created_at);
pub const UPDATED_AT: Field = sortable(relationships::updated_at);
pub const CONTACT: Field = sortable(relationships::contact_id);
pub const RELATED_CONTACT: Field = sortable(relationships::related_contact_id);
pub const TYPE: Field = sortable(relationships::kind);
pub const STARTED_ON: Field = field(relationships::started_on);
pub const ENDED_ON: Field = field(relationships::ended_on);
