//! Merging records of a kind into one: what is asked, what is answered, and how a resource does both in one call.

use crate::store::checks;
use crate::store::merging;
use crate::store::records;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use uuid::Uuid;

use super::body::Body;
use super::caller::Caller;
use super::edits::{check_patch, entered, gather_all, patched};
use super::problem::Problem;
use super::query::Query;
use super::replies::{respond, who};
use super::resource::Resource;
use super::views::written;
use crate::api::Api;
use crate::domain::entity::Entity;
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::store::merging::clear_references;
use crate::store::{AnyId, Precondition, Record, Reply, Result as StoreResult, Tx};

/// How many records can be merged into one at once.
pub const MAX_MERGED: usize = 100;

/// A record that can take over what others of its kind hold.
pub trait Mergeable: Resource {
    /// The name of the document's schema of what is asked.
    const MERGE: &'static str;

    /// What is left of this one and the others.
    fn united(&self, others: &[Self]) -> Self::Fields;
}

/// What is asked.
#[derive(Deserialize)]
struct Merge {
    keep_id: Uuid,
    merge_ids: Vec<Uuid>,
    #[serde(default)]
    fields: Option<Value>,
}

/// The schema of what is asked.
pub fn request_schema(entity: Entity, fields: &str) -> RefOr<Schema> {
    let id = json!({ "type": "string", "format": "uuid", "x-entity": entity });
    written(json!({
        "type": "object",
        "description": "Which records are one.",
        "required": ["keep_id", "merge_ids"],
        "properties": {
            "keep_id": {
                "type": "string", "format": "uuid", "x-entity": entity,
                "description": "The one that is kept. Where only one thing can stand, what it has wins.",
            },
            "merge_ids": {
                "type": "array", "items": id, "minItems": 1, "maxItems": MAX_MERGED,
                "description": "Those that become part of it, and are gone. Where it has nothing, the first of them that has something counts.",
            },
            "fields": {
                "type": "object", "x-patch-of": fields,
                "description": "A merge patch on what comes of it, for what you want otherwise. Null or absent: nothing.",
            },
        },
    }))
}

/// The schema of what is answered.
pub fn answer_schema(entity: Entity, record: &str) -> RefOr<Schema> {
    written(json!({
        "type": "object",
        "description": "What has come of it.",
        "properties": {
            entity.as_str(): { "$ref": format!("#/components/schemas/{record}") },
            "merged_ids": {
                "type": "array", "items": { "type": "string", "format": "uuid", "x-entity": entity },
                "description": "The ids that are gone. A GET of one answers with the record that was kept.",
            },
            "write": {
                "type": ["integer", "null"], "format": "int64",
                "description": "The number of the first change of this write: `POST /v1/changes/{write}/revert` takes all of it back. Null with `dry_run`.",
            },
            "dry_run": { "type": "boolean", "description": "Whether it only tells what would come of it." },
        },
    }))
}

/// Merges as the body asks, in one write.
pub async fn merge<R: Mergeable>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    query: &Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let dry_run = query.flag("dry_run")?;
    let who = who(api, caller, request, &body)?;
    let (mut asked, mut invalid) = (body.value, Invalid::default());
    if let Some(fields) = asked.get_mut("fields") {
        invalid.gather(check_patch::<R>(fields).map_err(|invalid| invalid.under("fields")));
    }
    let merge: Merge = gather_all(invalid, api.schemas.parse(R::MERGE, &asked, distinct))?;
    let schemas = api.schemas.clone();
    let work = move |tx: &mut Tx<'_>| {
        let (keep, merged) = find_all::<R>(tx, &merge)?;
        let ids: Vec<AnyId> = std::iter::once(&keep).chain(&merged).map(Record::id).collect();
        let mut united = entered::<R>(&keep.united(&merged))?;
        clear_references(R::ENTITY, &mut united, &ids);
        merging::merge_into(tx, &keep, &merged).map_err(|error| error.at("#/merge_ids"))?;
        // As it is by now: it may have referred to one of the others.
        let current = records::get::<R>(tx, keep.id(), &Precondition::None)?;
        let patch = merge.fields.unwrap_or_else(|| json!({}));
        let record = patched::<R>(tx, &schemas, &current, united, patch).map_err(|error| error.under("fields"))?;
        let answer = json!({
            R::ENTITY.as_str(): record, "merged_ids": merge.merge_ids,
            "write": tx.write_number().filter(|_| !dry_run), "dry_run": dry_run,
        });
        Ok(Reply { status: 200, body: Some(answer.to_string()), ..Reply::default() })
    };
    let outcome = if dry_run { api.store.dry_run(who, work).await? } else { api.store.write(who, work).await? };
    respond(api, caller, outcome).await
}

/// Nothing is merged with itself, and nothing twice.
fn distinct(merge: Merge) -> Result<Merge, Invalid> {
    let mut invalid = Invalid::default();
    for (index, id) in merge.merge_ids.iter().enumerate() {
        if *id == merge.keep_id {
            let rejection = Rejection::new(FieldCode::Contradiction, "Nothing is merged with itself.");
            invalid.add(format!("#/merge_ids/{index}"), rejection);
        } else if merge.merge_ids.iter().take(index).any(|earlier| earlier == id) {
            let rejection = Rejection::new(FieldCode::Contradiction, "It is named twice.");
            invalid.add(format!("#/merge_ids/{index}"), rejection);
        }
    }
    invalid.into_result(merge)
}

fn find_all<R: Record>(tx: &mut Tx<'_>, merge: &Merge) -> StoreResult<(R, Vec<R>)> {
    let mut invalid = Invalid::default();
    let mut find = |tx: &mut Tx<'_>, id: Uuid, pointer: String| -> StoreResult<Option<R>> {
        let found = records::find::<R>(tx, AnyId::new(id))?;
        if found.is_none() {
            invalid.add(pointer, checks::unknown_reference(tx, R::ENTITY, AnyId::new(id))?);
        }
        Ok(found)
    };
    let keep = find(tx, merge.keep_id, "#/keep_id".to_owned())?;
    let mut merged = Vec::with_capacity(merge.merge_ids.len());
    for (index, id) in merge.merge_ids.iter().enumerate() {
        merged.extend(find(tx, *id, format!("#/merge_ids/{index}"))?);
    }
    let keep = invalid.into_result(keep)?.ok_or(crate::store::Error::NotFound)?;
    Ok((keep, merged))
}

/// The schemas of a resource's merging: `$Request` of what is asked, `$Answer` of what is answered.
macro_rules! merge_schemas {
    ($Request:ident, $Answer:ident, $entity:expr, $fields:literal, $record:literal) => {
        /// Which records are one.
        struct $Request;

        impl utoipa::PartialSchema for $Request {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::api::http::merging::request_schema($entity, $fields)
            }
        }

        impl utoipa::ToSchema for $Request {}

        /// What has come of a merge.
        struct $Answer;

        impl utoipa::PartialSchema for $Answer {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::api::http::merging::answer_schema($entity, $record)
            }
        }

        impl utoipa::ToSchema for $Answer {}
    };
}
pub(in crate::api) use merge_schemas;
