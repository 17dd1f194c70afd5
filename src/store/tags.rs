//! Tags in the database, and the rule that every label a record carries is one: spelled as its tag is, made when it is
//! first used, changed everywhere when it is renamed, gone everywhere when it is deleted.

use diesel::prelude::*;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

use super::db::index::keys::{has_key, stored};
use super::db::sql::conn::Conn;
use super::db::sql::schema::{record_keys, tags};
use super::db::sql::select::{Field, Predicate, Scalar, Select, sortable};
use super::db::sql::types::AnyId;
use super::db::write::checks::check_room;
use super::db::write::record::{Record, for_entity, record_statements};
use super::db::write::records::{create, update};
use super::db::write::tx::Tx;
use super::error::Result;
use crate::domain::entity::Entity;
use crate::domain::fields::LabelText;
use crate::domain::id::{TagId, WorkspaceId};
use crate::domain::key::{Key, KeyKind};
use crate::domain::search::SearchText;
use crate::domain::tag::{CARRIERS, MAX_PER_WORKSPACE, Tag, TagFields};
use crate::domain::text;
use crate::domain::timestamp::Timestamp;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = tags)]
#[diesel(primary_key(workspace_id, id))]
#[diesel(treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct TagRow {
    workspace_id: WorkspaceId,
    id: TagId,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    name: String,
    sort_key: String,
    color: Option<String>,
}

impl TagRow {
    fn of(workspace_id: WorkspaceId, tag: &Tag) -> Self {
        let Tag { id, fields, created_at, updated_at, version } = tag.clone();
        let TagFields { name, color } = fields;
        Self { workspace_id, id, version, created_at, updated_at, sort_key: text::sort_key(&name), name, color }
    }

    fn into_record(self) -> Tag {
        let Self { workspace_id: _, id, version, created_at, updated_at, name, sort_key: _, color } = self;
        Tag { id, fields: TagFields { name, color }, created_at, updated_at, version }
    }
}

impl Record for Tag {
    const ENTITY: Entity = Entity::Tag;
    const SUMMARY: &'static [&'static str] = &["name", "color"];

    fn sort_value(&self, field: Field) -> Scalar {
        match field {
            CREATED_AT => Scalar::Instant(self.created_at),
            UPDATED_AT => Scalar::Instant(self.updated_at),
            NAME => Scalar::Text(text::sort_key(&self.fields.name)),
            _ => Scalar::Id(Record::id(self)),
        }
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

    fn tag_name(&self) -> Option<&str> {
        Some(&self.fields.name)
    }

    fn carriers(&self, tx: &mut Tx<'_>) -> Result<Vec<(Entity, AnyId)>> {
        carriers(tx, &self.fields.name)
    }

    fn replace_in_carriers(&self, tx: &mut Tx<'_>, name: Option<&str>) -> Result<()> {
        relabel(tx, &self.fields.name, name)
    }

    record_statements!(tags, TagRow);
}

pub const CREATED_AT: Field = sortable(tags::created_at);
pub const UPDATED_AT: Field = sortable(tags::updated_at);
pub const NAME: Field = sortable(tags::sort_key);

/// The key under which records carry a label.
pub fn carried_key(label: &str) -> Key {
    Key::new(KeyKind::Tag, stored(&text::fold(label)))
}

/// Spells labels as their tags are spelled, each once, and makes the tags that are new.
pub(super) fn resolve(tx: &mut Tx<'_>, labels: &mut Vec<LabelText>) -> Result<()> {
    if labels.is_empty() {
        return Ok(());
    }
    let keys = labels.iter().map(|label| Key::new(KeyKind::Name, text::fold(&label.0))).collect();
    let known = Tag::select(tx.conn, Select::all(tx.workspace, has_key::<Tag>(keys)))?;
    let spelled: HashMap<String, String> =
        known.into_iter().map(|tag| (text::fold(&tag.fields.name), tag.fields.name)).collect();
    for label in labels.iter_mut() {
        match spelled.get(&text::fold(&label.0)) {
            Some(name) => label.0.clone_from(name),
            None => {
                let fields = TagFields { name: label.0.clone(), color: None };
                let tag = Tag::new(TagId::new(tx.new_id()), tx.now(), fields)?;
                check_room::<Tag>(tx, Predicate::always(), MAX_PER_WORKSPACE, "/tags", "tags")?;
                create(tx, tag)?;
            }
        }
    }
    let mut seen = HashSet::new();
    labels.retain(|label| seen.insert(text::fold(&label.0)));
    Ok(())
}

pub(super) fn count_tags(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(Tag::count(tx.conn, Select::all(tx.workspace, Predicate::always()))?)
}

/// The records that carry a label.
fn carriers(tx: &mut Tx<'_>, label: &str) -> Result<Vec<(Entity, AnyId)>> {
    let key = carried_key(label);
    Ok(record_keys::table
        .filter(record_keys::workspace_id.eq(tx.workspace))
        .filter(record_keys::entity.eq_any(CARRIERS.iter().copied()))
        .filter(record_keys::kind.eq(key.kind.as_str()))
        .filter(record_keys::value.eq(key.value))
        .select((record_keys::entity, record_keys::record_id))
        .load(tx.conn)?)
}

/// Puts another label in the place of one, or none, in every record that carries it.
fn relabel(tx: &mut Tx<'_>, old: &str, new: Option<&str>) -> Result<()> {
    for entity in CARRIERS {
        let carriers = Predicate::HasKey(*entity, vec![carried_key(old)]);
        let select = Select::all(tx.workspace, carriers);
        for_entity!(*entity, Kind => {
            for record in Kind::select(tx.conn, select)? {
                let mut relabelled = record.clone();
                if let Some(labels) = relabelled.labels() {
                    replace(labels, old, new);
                    update(tx, &record, relabelled)?;
                }
            }
        });
    }
    Ok(())
}

/// Whether a record, as JSON, carries a label.
pub(super) fn carries(record: &Value, label: &str) -> bool {
    let label = text::fold(label);
    let labels = record.get("tags").and_then(Value::as_array).into_iter().flatten();
    labels.filter_map(Value::as_str).any(|own| text::fold(own) == label)
}

/// The new label comes where the old one was, unless it is there already.
fn replace(labels: &mut Vec<LabelText>, old: &str, new: Option<&str>) {
    let old = text::fold(old);
    let has_new = new.is_some_and(|new| {
        let new = text::fold(new);
        new != old && labels.iter().any(|label| text::fold(&label.0) == new)
    });
    match new {
        Some(new) if !has_new => {
            let carried = labels.iter_mut().filter(|label| text::fold(&label.0) == old);
            carried.for_each(|label| new.clone_into(&mut label.0));
        }
        _ => labels.retain(|label| text::fold(&label.0) != old),
    }
}

/// How many records of each kind carry each of these labels, in their order: `{"contacts": 12, "organizations": 0}`.
pub fn counts(conn: &mut Conn, workspace: WorkspaceId, kinds: &[Entity], labels: &[&str]) -> Result<Vec<Value>> {
    let values: Vec<String> = labels.iter().map(|label| carried_key(label).value).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_replaced_where_it_stands_and_never_doubled() {
        type Row = (&'static [&'static str], &'static str, Option<&'static str>, &'static [&'static str]);
        let table: [Row; 6] = [
            (&["a", "Rust", "b"], "rust", Some("rustlang"), &["a", "rustlang", "b"]),
            (&["a", "rust", "b"], "rust", None, &["a", "b"]),
            (&["rust", "Rustlang"], "rust", Some("rustlang"), &["Rustlang"]),
            (&["rust"], "RUST", Some("Rust"), &["Rust"]),
            (&["a"], "rust", Some("b"), &["a"]),
            (&[], "rust", Some("b"), &[]),
        ];
        for (before, old, new, after) in table {
            let labels = |names: &[&str]| -> Vec<LabelText> {
                names.iter().map(|name| LabelText((*name).to_owned())).collect()
            };
            let mut own = labels(before);
            replace(&mut own, old, new);
            assert_eq!(own, labels(after), "{before:?} {old} {new:?}");
        }
    }
}
