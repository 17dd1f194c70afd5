//! Needs, offers and interests in the database: their columns, and what lists can filter and sort by.

use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::{BTreeSet, HashMap};

use super::contacts;
use super::db::sql::conn::Conn;
use super::db::sql::schema::needs;
use super::db::sql::select::{Field, Scalar, sortable};
use super::db::sql::types::AnyId;
use super::db::write::record::{Record, record_statements};
use super::error::Result;
use crate::domain::entity::Entity;
use crate::domain::id::{ContactId, NeedId, WorkspaceId};
use crate::domain::key::Key;
use crate::domain::need::{Need, NeedFields, NeedKind, NeedStatus};
use crate::domain::search::SearchText;
use crate::domain::timestamp::Timestamp;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = needs)]
#[diesel(primary_key(workspace_id, id))]
#[diesel(treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct NeedRow {
    workspace_id: WorkspaceId,
    id: NeedId,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    contact_id: ContactId,
    kind: NeedKind,
    topic: String,
    detail: Option<String>,
    status: NeedStatus,
}

impl NeedRow {
    fn of(workspace_id: WorkspaceId, need: &Need) -> Self {
        let Need { id, fields, created_at, updated_at, version } = need.clone();
        let NeedFields { contact_id, kind, topic, detail, status } = fields;
        Self { workspace_id, id, version, created_at, updated_at, contact_id, kind, topic, detail, status }
    }

    fn into_record(self) -> Need {
        let Self { workspace_id: _, id, version, created_at, updated_at, contact_id, kind, topic, detail, status } =
            self;
        let fields = NeedFields { contact_id, kind, topic, detail, status };
        Need { id, fields, created_at, updated_at, version }
    }
}

impl Record for Need {
    const ENTITY: Entity = Entity::Need;
    const SUMMARY: &'static [&'static str] = &["contact_id", "kind", "topic", "detail", "status"];

    fn sort_value(&self, field: Field) -> Scalar {
        match field {
            CREATED_AT => Scalar::Instant(self.created_at),
            UPDATED_AT => Scalar::Instant(self.updated_at),
            _ => Scalar::Id(Record::id(self)),
        }
    }

    fn keys(&self) -> Vec<Key> {
        Self::keys(self)
    }

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    /// Whose it is.
    fn subtitles(
        conn: &mut Conn,
        workspace: WorkspaceId,
        records: &[Self],
        _on: NaiveDate,
    ) -> Result<HashMap<AnyId, String>> {
        let whose = |need: &Self| AnyId::new(need.fields.contact_id.uuid());
        let people: BTreeSet<AnyId> = records.iter().map(whose).collect();
        let names = contacts::names(conn, workspace, people)?;
        let told = records.iter().filter_map(|need| Some((Record::id(need), names.get(&whose(need))?.clone())));
        Ok(told.collect())
    }

    record_statements!(needs, NeedRow);
}

pub const CREATED_AT: Field = sortable(needs::created_at);
pub const UPDATED_AT: Field = sortable(needs::updated_at);
pub const CONTACT: Field = sortable(needs::contact_id);
pub const KIND: Field = sortable(needs::kind);
pub const STATUS: Field = sortable(needs::status);
