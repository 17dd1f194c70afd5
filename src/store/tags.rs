//! Tags in the database: their columns, what lists can sort by, and how many records carry them. That records name them in
//! lists is declared in `domain/reference.rs`.

use diesel::prelude::*;
use serde_json::{Map, Value};
use std::collections::HashMap;

use super::db::index::keys::stored;
use super::db::sql::conn::Conn;
use super::db::sql::schema::{record_keys, tags};
use super::db::sql::select::{Field, Scalar, sortable};
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::error::Result;
use crate::domain::entity::Entity;
use crate::domain::id::WorkspaceId;
use crate::domain::key::{Key, KeyKind};
use crate::domain::search::SearchText;
use crate::domain::tag::{Tag, TagFields};
use crate::domain::text;

record_row! {
    TagRow of TagFields in tags;
    columns {
        name: String,
        color: Option<String>,
    }
    computed {
        sort_key: String = |fields| text::sort_key(&fields.name),
    }
}

impl Record for Tag {
    const SUMMARY: &'static [&'static str] = &["name", "color"];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        (field == NAME).then(|| Scalar::Text(text::sort_key(&self.fields.name)))
    }

    fn keys(&self) -> Vec<Key> {
        vec![self.key()]
    }

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    fn unique_key(&self) -> Option<Key> {
        Some(self.key())
    }

    record_statements!(tags, TagRow, TagFields);
}

pub const CREATED_AT: Field = sortable(tags::created_at);
pub const UPDATED_AT: Field = sortable(tags::updated_at);
pub const NAME: Field = sortable(tags::sort_key);

/// How many records of each kind carry each of these labels, in their order: `{"contacts": 12, "organizations": 0}`.
pub fn counts(conn: &mut Conn, workspace: WorkspaceId, kinds: &[Entity], labels: &[&str]) -> Result<Vec<Value>> {
    let values: Vec<String> = labels.iter().map(|label| stored(&text::fold(label))).collect();
    let counted: Vec<(String, Entity, i64)> = record_keys::table
        .filter(record_keys::workspace_id.eq(workspace))
        .filter(record_keys::entity.eq_any(kinds.iter().copied()))
        .filter(record_keys::kind.eq(KeyKind::Tag.as_str()))
        .filter(record_keys::value.eq_any(&values))
        .group_by((record_keys::value, record_keys::entity))
        .select((record_keys::value, record_keys::entity, diesel::dsl::count_star()))
        .load(conn)?;
    let by_label: HashMap<(&str, Entity), i64> =
        counted.iter().map(|(value, entity, count)| ((value.as_str(), *entity), *count)).collect();
    let of = |value: &String, entity: Entity| by_label.get(&(value.as_str(), entity)).copied().unwrap_or(0);
    let each = |value: &String| -> Map<String, Value> {
        kinds.iter().map(|entity| (entity.plural().to_owned(), of(value, *entity).into())).collect()
    };
    Ok(values.iter().map(|value| Value::Object(each(value))).collect())
}
