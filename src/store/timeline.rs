//! A page of a timeline: what happened with a contact, or with anybody, newest first. Each kind is read by a key of its own
//! and they are merged, so that a page costs the same wherever it begins and however rare a kind is.

use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::BigInt;
use diesel::{QueryResult, RunQueryDsl};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::HashMap;

use super::db::sql::conn::{Conn, MultiBackend, read_transaction};
use super::db::sql::select::{Predicate, Select};
use super::db::sql::statement::statement;
use super::db::sql::types::{AnyId, Id, Instant, RecordRef};
use super::db::write::json::json;
use super::db::write::record::{Record, for_entity};
use super::error::Result;
use crate::domain::id::WorkspaceId;
use crate::domain::timeline::TimelineKind;
use crate::domain::timestamp::Timestamp;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Whose timeline; that of the workspace if `None`.
    pub contact: Option<AnyId>,
    pub kinds: Vec<TimelineKind>,
    /// Nothing later than this has happened yet.
    pub until: Timestamp,
    /// The place after which to go on.
    pub after: Option<Place>,
    pub limit: usize,
}

/// A place in the order: by time, then by record and kind, latest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub sorted_at: Timestamp,
    pub id: AnyId,
    pub kind: TimelineKind,
}

impl Place {
    const fn key(&self) -> (Timestamp, AnyId, &'static str) {
        (self.sorted_at, self.id, self.kind.as_str())
    }
}

/// An entry with the record it shows.
#[derive(Debug, Clone)]
pub struct Entry {
    pub place: Place,
    pub record: Value,
}

#[derive(Debug, Clone)]
pub struct EntryPage {
    pub items: Vec<Entry>,
    pub next: Option<Place>,
}

/// One page.
pub fn page(conn: &mut Conn, workspace: WorkspaceId, wanted: &Wanted) -> Result<EntryPage> {
    read_transaction(conn, |conn| {
        let mut places = Vec::new();
        for kind in &wanted.kinds {
            places.extend(of_kind(conn, workspace, wanted, *kind)?);
        }
        places.sort_unstable_by_key(|place| Reverse(place.key()));
        let has_more = places.len() > wanted.limit;
        places.truncate(wanted.limit);
        let next = places.last().copied().filter(|_| has_more);
        let records = records(conn, workspace, &places)?;
        let entry = |place: Place| {
            let record = records.get(&(place.kind.entity(), place.id))?.clone();
            Some(Entry { place, record })
        };
        Ok(EntryPage { items: places.into_iter().filter_map(entry).collect(), next })
    })
}

/// The next places of one kind, one more than fit on the page.
fn of_kind(conn: &mut Conn, workspace: WorkspaceId, wanted: &Wanted, kind: TimelineKind) -> Result<Vec<Place>> {
    let subject = wanted.contact.unwrap_or_else(|| AnyId::new(workspace.uuid()));
    let limit = i64::try_from(wanted.limit).unwrap_or(i64::MAX).saturating_add(1);
    let statement = OfKind { workspace, subject, kind, until: wanted.until, after: wanted.after, limit };
    let rows: Vec<(Timestamp, AnyId)> = statement.load(conn)?;
    Ok(rows.into_iter().map(|(sorted_at, id)| Place { sorted_at, id, kind }).collect())
}

/// The records of these places, in one statement for each kind of record.
fn records(conn: &mut Conn, workspace: WorkspaceId, places: &[Place]) -> Result<HashMap<RecordRef, Value>> {
    let mut records = HashMap::new();
    let mut entities: Vec<_> = places.iter().map(|place| place.kind.entity()).collect();
    entities.sort_unstable();
    entities.dedup();
    for entity in entities {
        let mut ids: Vec<AnyId> =
            places.iter().filter(|place| place.kind.entity() == entity).map(|place| place.id).collect();
        ids.sort_unstable();
        ids.dedup();
        for_entity!(entity, Kind => {
            for record in Kind::select(conn, Select::all(workspace, Predicate::ids(ids)))? {
                records.insert((entity, record.id()), json(&record)?);
            }
        });
    }
    Ok(records)
}

struct OfKind {
    workspace: WorkspaceId,
    subject: AnyId,
    kind: TimelineKind,
    until: Timestamp,
    after: Option<Place>,
    limit: i64,
}

statement!(OfKind, (Instant, Id));

impl QueryFragment<MultiBackend> for OfKind {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql("SELECT sorted_at, record_id FROM timeline_entries WHERE workspace_id = ");
        out.push_bind_param::<Id, _>(&self.workspace)?;
        out.push_sql(" AND subject_id = ");
        out.push_bind_param::<Id, _>(&self.subject)?;
        out.push_sql(" AND kind = '");
        out.push_sql(self.kind.as_str());
        out.push_sql("' AND ");
        match &self.after {
            None => {
                out.push_sql("sorted_at <= ");
                out.push_bind_param::<Instant, _>(&self.until)?;
            }
            Some(Place { sorted_at, id, kind }) => {
                // The same record at the same time comes once for each kind.
                let is_behind = self.kind.as_str() < kind.as_str();
                out.push_sql("(sorted_at, record_id) ");
                out.push_sql(if is_behind { "<= (" } else { "< (" });
                out.push_bind_param::<Instant, _>(sorted_at)?;
                out.push_sql(", ");
                out.push_bind_param::<Id, _>(id)?;
                out.push_sql(")");
            }
        }
        out.push_sql(" ORDER BY sorted_at DESC, record_id DESC LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)
    }
}
