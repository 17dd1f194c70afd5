//! Searching all kinds of record at once, as somebody types.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde_json::Value;

use super::accounts;
use super::db::index::search::{Match, ranked};
use super::db::sql::conn::{Conn, read_transaction};
use super::db::sql::select::{Predicate, Select};
use super::db::sql::types::AnyId;
use super::db::write::json::json;
use super::db::write::record::{Record, for_entity};
use super::error::Result;
use super::relations::summary;
use crate::domain::entity::Entity;
use crate::domain::id::WorkspaceId;

/// A search result.
#[derive(Debug, Clone)]
pub struct Hit {
    pub entity: Entity,
    pub id: AnyId,
    /// What it is called.
    pub title: String,
    /// What tells it from others that are called so.
    pub subtitle: Option<String>,
    pub summary: Value,
}

/// The records of these kinds that fit best, best first, as they are on a day.
pub fn search(
    conn: &mut Conn,
    workspace: WorkspaceId,
    query: &str,
    entities: &[Entity],
    limit: i64,
    on: NaiveDate,
) -> Result<Vec<Hit>> {
    read_transaction(conn, |conn| {
        let (_, workspace_number) = accounts::workspace_numbers(conn, workspace)?;
        let Some(words) = Match::parse(workspace_number, query).filter(|_| !entities.is_empty()) else {
            return Ok(Vec::new());
        };
        let places = ranked(conn, workspace, entities, &words, query, None, limit)?;
        let mut hits: HashMap<(Entity, AnyId), Hit> = HashMap::new();
        for entity in entities {
            let ids: Vec<AnyId> =
                places.iter().filter(|place| place.entity == *entity).map(|place| place.id).collect();
            if ids.is_empty() {
                continue;
            }
            for_entity!(*entity, Kind => {
                let records = Kind::select(conn, Select::all(workspace, Predicate::ids(ids)))?;
                let mut subtitles = Kind::subtitles(conn, workspace, &records, on)?;
                for record in records {
                    let title = Record::search_text(&record).map(|found_by| found_by.title).unwrap_or_default();
                    let id = Record::id(&record);
                    let summary = summary::<Kind>(&json(&record)?);
                    hits.insert((*entity, id), Hit { entity: *entity, id, title, subtitle: subtitles.remove(&id), summary });
                }
            });
        }
        Ok(places.iter().filter_map(|place| hits.remove(&(place.entity, place.id))).collect())
    })
}
