//! What records are shown with: summaries of those they refer to and of those that refer to them, in one statement for
//! each relation however many records there are.

use serde_json::{Map, Value, json};
use std::collections::HashMap;

use super::db::sql::conn::Conn;
use super::db::sql::select::{Direction, ID, Predicate, Select};
use super::db::sql::types::AnyId;
use super::db::write::json::{any_id, json as json_of, referred_ids};
use super::db::write::record::{Record, for_entity};
use super::error::{Error, Result};
use super::tags;
use crate::domain::entity::Entity;
use crate::domain::id::WorkspaceId;
use crate::domain::reference::REFERENCES;

/// How many of those that refer to one record are shown with it.
pub const MAX_RELATED: usize = 100;

/// One relation that `include` can name.
#[derive(Debug, Clone, Copy)]
pub struct Relation {
    pub name: &'static str,
    pub description: &'static str,
    pub link: Link,
    /// What the summaries are shown with in their turn.
    pub with: &'static [Self],
}

#[derive(Debug, Clone, Copy)]
pub enum Link {
    /// The record refers to one of these, with the id at this JSON pointer.
    To(Entity, &'static str),
    /// These refer to the record, with this column.
    From(Entity, &'static str),
    /// Records of these kinds carry the label at this JSON pointer: how many.
    Carriers(&'static [Entity], &'static str),
}

impl Link {
    pub const fn entity(self) -> Entity {
        match self {
            Self::To(entity, _) | Self::From(entity, _) => entity,
            // Labels are read with those who carry them.
            Self::Carriers(..) => Entity::Tag,
        }
    }
}

/// The record cut down to its summary.
pub fn summary<R: Record>(record: &Value) -> Value {
    let fields = ["id"].iter().chain(R::SUMMARY);
    fields.filter_map(|name| Some(((*name).to_owned(), record.get(*name)?.clone()))).collect::<Map<_, _>>().into()
}

/// Adds each relation to each record under its name: a summary or null, or a list of summaries.
pub fn attach(
    conn: &mut Conn,
    workspace: WorkspaceId,
    records: &mut [Value],
    relations: &[Relation],
) -> Result<()> {
    let whole = records.to_vec();
    attach_from(conn, workspace, &whole, records, relations)
}

/// The same where what is shown is less than the whole record, in which the ids are.
pub(super) fn attach_from(
    conn: &mut Conn,
    workspace: WorkspaceId,
    whole: &[Value],
    shown: &mut [Value],
    relations: &[Relation],
) -> Result<()> {
    for relation in relations {
        let related = match relation.link {
            Link::To(entity, pointer) => referred_to(conn, workspace, whole, entity, pointer)?,
            Link::From(entity, column) => referring(conn, workspace, whole, entity, column, relation.with)?,
            Link::Carriers(kinds, pointer) => {
                let labels = whole.iter().map(|record| record.pointer(pointer).and_then(Value::as_str));
                let labels: Vec<&str> = labels.map(Option::unwrap_or_default).collect();
                tags::counts(conn, workspace, kinds, &labels)?
            }
        };
        for (record, related) in shown.iter_mut().zip(related) {
            if let Some(record) = record.as_object_mut() {
                record.insert(relation.name.to_owned(), related);
            }
        }
    }
    Ok(())
}

/// For each record the summary of the one it refers to, or null; those of a list in its order.
fn referred_to(
    conn: &mut Conn,
    workspace: WorkspaceId,
    whole: &[Value],
    entity: Entity,
    pointer: &str,
) -> Result<Vec<Value>> {
    let fields: Vec<Option<&Value>> = whole.iter().map(|record| record.pointer(pointer)).collect();
    let ids = |field: &Value| -> Vec<AnyId> {
        field.as_array().map_or(std::slice::from_ref(field), Vec::as_slice).iter().filter_map(any_id).collect()
    };
    let filter = Predicate::ids(unique(fields.iter().flatten().flat_map(|field| ids(field)).collect()));
    let found = summaries(conn, workspace, entity, filter)?;
    let by_id: HashMap<AnyId, Value> =
        found.into_iter().filter_map(|(record, summary)| Some((any_id(record.get("id")?)?, summary))).collect();
    let related = |field: &Value| {
        let mut found = ids(field).into_iter().filter_map(|id| by_id.get(&id).cloned());
        if field.is_array() { found.collect() } else { found.next().unwrap_or_default() }
    };
    Ok(fields.into_iter().map(|field| field.map(related).unwrap_or_default()).collect())
}

/// For each record the summaries of those that refer to it, in the order in which they are shown.
fn referring(
    conn: &mut Conn,
    workspace: WorkspaceId,
    whole: &[Value],
    entity: Entity,
    column: &'static str,
    with: &[Relation],
) -> Result<Vec<Value>> {
    let ids: Vec<Option<AnyId>> = whole.iter().map(|record| record.get("id").and_then(any_id)).collect();
    let own = REFERENCES.iter().find(|reference| reference.from == entity && reference.column == column);
    let Some(reference) = own else { return Err(Error::Internal(format!("no reference {entity}.{column}"))) };
    let wanted = unique(ids.iter().flatten().copied().collect());
    let found = summaries(conn, workspace, entity, Predicate::refers_to(reference, wanted.clone()))?;
    let mut counts: HashMap<AnyId, usize> = HashMap::new();
    let (mut of, mut records, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for (record, summary) in found {
        for id in referred_ids(reference, &record) {
            let count = counts.entry(id).or_default();
            if *count < MAX_RELATED && wanted.binary_search(&id).is_ok() {
                *count += 1;
                of.push(id);
                records.push(record.clone());
                shown.push(summary.clone());
            }
        }
    }
    attach_from(conn, workspace, &records, &mut shown, with)?;
    let mut by_id: HashMap<AnyId, Vec<Value>> = HashMap::new();
    for (id, summary) in of.into_iter().zip(shown) {
        by_id.entry(id).or_default().push(summary);
    }
    Ok(ids.into_iter().map(|id| json!(id.and_then(|id| by_id.remove(&id)).unwrap_or_default())).collect())
}

/// Whole records with their summaries, in the order in which they are shown: as their kind tells, then newest first.
fn summaries(
    conn: &mut Conn,
    workspace: WorkspaceId,
    entity: Entity,
    filter: Predicate,
) -> Result<Vec<(Value, Value)>> {
    let select = Select { workspace, filter, order: vec![ID], direction: Direction::Descending, limit: i64::MAX };
    for_entity!(entity, Kind => {
        let mut records = Kind::select(conn, select)?;
        records.sort_by(Kind::display_order);
        records
            .iter()
            .map(|record| {
                let whole = json_of(record)?;
                let shown = summary::<Kind>(&whole);
                Ok((whole, shown))
            })
            .collect()
    })
}

fn unique(mut ids: Vec<AnyId>) -> Vec<AnyId> {
    ids.sort();
    ids.dedup();
    ids
}

/// The fields of a summary of this kind of record, besides the id.
pub fn summary_fields(entity: Entity) -> &'static [&'static str] {
    for_entity!(entity, Kind => Kind::SUMMARY)
}
