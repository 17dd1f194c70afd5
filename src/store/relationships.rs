//! Relationships in the database: their columns, and what lists can filter and sort by.

use diesel::prelude::*;

use super::db::sql::schema::relationships;
use super::db::sql::select::{Field, field, sortable};
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use crate::domain::id::ContactId;
use crate::domain::relationship::{Relationship, RelationshipFields, RelationshipType};

record_row! {
    RelationshipRow of RelationshipFields in relationships;
    columns {
        contact_id: ContactId,
        related_contact_id: ContactId,
        kind: RelationshipType,
        started_on: Option<String>,
        ended_on: Option<String>,
        notes: Option<String>,
    }
}

impl Record for Relationship {
    const SUMMARY: &'static [&'static str] =
        &["contact_id", "related_contact_id", "type", "started_on", "ended_on"];

    record_statements!(relationships, RelationshipRow, RelationshipFields);
}

pub const CREATED_AT: Field = sortable(relationships::created_at);
pub const UPDATED_AT: Field = sortable(relationships::updated_at);
pub const CONTACT: Field = sortable(relationships::contact_id);
pub const RELATED_CONTACT: Field = sortable(relationships::related_contact_id);
pub const TYPE: Field = sortable(relationships::kind);
pub const STARTED_ON: Field = field(relationships::started_on);
pub const ENDED_ON: Field = field(relationships::ended_on);
