//! One edit of many records: those of a list of ids, or those that a filter of the list finds. The edits are defined
//! with each kind.

use chrono::NaiveDate;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::collection::{BodyFilter, Collection};
use crate::api::context::Context;
use crate::api::http::messages::problem::Problem;
use crate::api::http::operation::Write;
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::service::bulk::{Edited, MAX_EDITED, Selection};
use crate::store::{Answer, AnyId, Result as StoreResult, Tx, accounts};

/// The members of a body that say which records to edit.
pub fn selection_schema(collection: &Collection) -> Map<String, Value> {
    let ids = json!({
        "type": "array", "minItems": 1, "maxItems": MAX_EDITED, "x-excludes": ["filter"],
        "items": { "type": "string", "format": "uuid", "x-entity": collection.entity },
        "description": "The ids of the records.",
    });
    Map::from_iter([("ids".to_owned(), ids), ("filter".to_owned(), collection.filter_schema())])
}

/// The result of a bulk edit.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
pub struct BulkResult {
    /// Whether nothing was changed.
    dry_run: bool,
    /// How many records were selected.
    matched: i64,
    /// How many of them were changed or deleted. Null with `dry_run` if more than 1,000 records were selected.
    changed: Option<i64>,
    /// The number of the write: `POST /v1/changes/{write}/revert` reverts all of it. Null if nothing changed, and with
    /// `dry_run`.
    write: Option<i64>,
}

/// Which records to edit.
pub enum Chosen {
    Ids(Vec<AnyId>),
    Filter(Map<String, Value>),
}

impl Chosen {
    /// Takes the selection out of a body that matches the schema.
    pub fn take(body: &mut Map<String, Value>, invalid: &mut Invalid) -> Self {
        let ids = body.remove("ids").filter(|ids| !ids.is_null());
        let filter = body.remove("filter").filter(|filter| !filter.is_null());
        match (ids, filter) {
            (Some(ids), None) => {
                let ids: Vec<Uuid> = serde_json::from_value(ids).unwrap_or_default();
                Self::Ids(ids.into_iter().map(AnyId::new).collect())
            }
            (None, Some(filter)) => Self::Filter(filter.as_object().cloned().unwrap_or_default()),
            (Some(_), Some(_)) => {
                invalid.add("#/filter", Rejection::new(FieldCode::Contradiction, "Send ids or filter, not both."));
                Self::Ids(Vec::new())
            }
            (None, None) => {
                invalid.add("#/ids", Rejection::new(FieldCode::Required, "Send ids or filter."));
                Self::Ids(Vec::new())
            }
        }
    }
}

/// The write that edits the chosen records of a collection.
pub fn write(
    context: &Context,
    collection: &'static Collection,
    chosen: Chosen,
    edit: impl FnOnce(&mut Tx<'_>, Selection) -> StoreResult<Edited> + Send + 'static,
) -> Result<Write, Problem> {
    let dry_run = context.query().flag("dry_run")?;
    if let Chosen::Filter(filter) = &chosen {
        // Whatever the day is: what is wrong with the filter is reported before anything is locked.
        collection.body_filter(filter, NaiveDate::default())?;
    }
    let write = Write::new(move |tx| {
        let selection = match chosen {
            Chosen::Ids(ids) => Selection::Ids(ids),
            Chosen::Filter(filter) => {
                let today = accounts::time_zone(tx)?.day(tx.now());
                let BodyFilter { filter, query, names } = collection.body_filter(&filter, today)?;
                Selection::Matching { filter, query, names }
            }
        };
        let Edited { matched, changed } = edit(tx, selection)?;
        Ok(Answer::Json {
            status: 200,
            body: Box::new(move |settled| {
                let write = settled.write_number().filter(|_| !dry_run && changed > Some(0));
                Ok(json!({ "dry_run": dry_run, "matched": matched, "changed": changed, "write": write }))
            }),
        })
    });
    Ok(Write { dry_run, ..write })
}
