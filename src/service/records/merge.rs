//! Merging several records of a kind into one. What remains of their fields is decided in `domain/`, and what refers to
//! them is redirected by the store.

use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::HashSet;
use std::marker::PhantomData;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::input::{read_only, remove_read_only};
use super::rules::Rules;
use super::write::{Patch, apply};
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::service::validation::parse;
use crate::service::validation::views::{collect, pascal, reference_to, written};
use crate::store::merging::{clear_references, merge_into};
use crate::store::{AnyId, Error, Record, Result, Tx, checks, records};

/// How many records can be merged into one at once.
pub const MAX_MERGED: usize = 100;

/// A kind of record that can be merged.
pub trait Mergeable: Rules {
    /// The fields of this record merged with others.
    fn merged_with(&self, others: &[Self]) -> Self::Fields;

    /// Effects of a merge on what refers to the record by now.
    fn after_merge(&self, _tx: &mut Tx<'_>) -> Result<()> {
        Ok(())
    }
}

/// A request to merge records of a kind.
#[derive(Deserialize)]
pub struct MergeRequest<R> {
    keep_id: Uuid,
    merge_ids: Vec<Uuid>,
    #[serde(default)]
    fields: Option<Value>,
    #[serde(skip)]
    kind: PhantomData<fn() -> R>,
}

impl<R: Mergeable> PartialSchema for MergeRequest<R> {
    fn schema() -> RefOr<Schema> {
        let id = json!({ "type": "string", "format": "uuid", "x-entity": R::ENTITY });
        written(json!({
            "type": "object",
            "description": "The records to merge.",
            "required": ["keep_id", "merge_ids"],
            "properties": {
                "keep_id": {
                    "type": "string", "format": "uuid", "x-entity": R::ENTITY,
                    "description": "The record to keep. Its values win where there can be only one.",
                },
                "merge_ids": {
                    "type": "array", "items": id, "minItems": 1, "maxItems": MAX_MERGED,
                    "description": "The records to merge into it, which are then deleted. Where the kept record has no \
                                    value, the first of these that has one provides it.",
                },
                "fields": {
                    "type": "object", "x-patch-of": R::Fields::name(),
                    "description": "A merge patch to apply to the result. Null or absent: none.",
                },
            },
        }))
    }
}

impl<R: Mergeable> ToSchema for MergeRequest<R> {
    fn name() -> Cow<'static, str> {
        format!("{}Merge", pascal(R::ENTITY.as_str())).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<R::Fields>(schemas);
    }
}

/// The result of a merge.
pub struct Merged<R>(PhantomData<fn() -> R>);

impl<R: Mergeable + ToSchema> PartialSchema for Merged<R> {
    fn schema() -> RefOr<Schema> {
        written(json!({
            "type": "object",
            "description": "The result of a merge.",
            "properties": {
                R::ENTITY.as_str(): { "$ref": reference_to(&R::name()) },
                "merged_ids": {
                    "type": "array", "items": { "type": "string", "format": "uuid", "x-entity": R::ENTITY },
                    "description": "The ids of the records that were merged. A GET of one returns the kept record.",
                },
                "write": {
                    "type": ["integer", "null"], "format": "int64",
                    "description": "The number of the write: `POST /v1/changes/{write}/revert` reverts all of it. \
                                    Null with `dry_run`.",
                },
                "dry_run": { "type": "boolean", "description": "Whether nothing was changed." },
            },
        }))
    }
}

impl<R: Mergeable + ToSchema> ToSchema for Merged<R> {
    fn name() -> Cow<'static, str> {
        format!("{}Merged", pascal(R::ENTITY.as_str())).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<R>(schemas);
    }
}

/// Records to be merged.
pub struct Merge {
    keep: AnyId,
    merged: Vec<AnyId>,
    patch: Value,
}

impl Merge {
    pub fn check<R: Mergeable>(mut input: Value) -> std::result::Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        if let Some(fields) = input.get_mut("fields").filter(|fields| fields.is_object()) {
            invalid.gather(Patch::check::<R>(fields.clone()).map(drop).map_err(|invalid| invalid.under("fields")));
            remove_read_only(fields, &read_only::<R>()?);
            fields.as_object_mut().and_then(|fields| fields.remove("id"));
        }
        match parse::<MergeRequest<R>, _>(&input, distinct) {
            Ok(MergeRequest { keep_id, merge_ids, fields, .. }) => invalid.into_result(Self {
                keep: AnyId::new(keep_id),
                merged: merge_ids.into_iter().map(AnyId::new).collect(),
                patch: fields.unwrap_or_else(|| json!({})),
            }),
            Err(more) => {
                invalid.extend_new(more);
                Err(invalid)
            }
        }
    }

    /// The kept record, and the ids of those that were merged into it.
    pub fn write<R: Mergeable>(self, tx: &mut Tx<'_>) -> Result<(R, Vec<AnyId>)> {
        let (keep, merged) = self.find::<R>(tx)?;
        let ids: Vec<AnyId> = std::iter::once(&keep).chain(&merged).map(Record::id).collect();
        let mut fields = serde_json::to_value(keep.merged_with(&merged))?;
        remove_read_only(&mut fields, &read_only::<R>()?);
        clear_references(R::ENTITY, &mut fields, &ids);
        merge_into(tx, &keep, &merged).map_err(|error| error.at("#/merge_ids"))?;
        // As it is by now: it may have referred to one of the others.
        let current = records::find::<R>(tx, keep.id())?.ok_or(Error::NotFound)?;
        let record = apply(tx, &current, fields, self.patch).map_err(|error| error.under("fields"))?;
        record.after_merge(tx)?;
        Ok((record, self.merged))
    }

    fn find<R: Record>(&self, tx: &mut Tx<'_>) -> Result<(R, Vec<R>)> {
        let mut invalid = Invalid::default();
        let mut find = |tx: &mut Tx<'_>, id: AnyId, pointer: String| -> Result<Option<R>> {
            let found = records::find::<R>(tx, id)?;
            if found.is_none() {
                invalid.add(pointer, checks::unknown_reference(tx, R::ENTITY, id)?);
            }
            Ok(found)
        };
        let keep = find(tx, self.keep, "#/keep_id".to_owned())?;
        let mut merged = Vec::with_capacity(self.merged.len());
        for (index, id) in self.merged.iter().enumerate() {
            merged.extend(find(tx, *id, format!("#/merge_ids/{index}"))?);
        }
        let keep = invalid.into_result(keep)?.ok_or(Error::NotFound)?;
        Ok((keep, merged))
    }
}

/// A record cannot be merged with itself, nor twice.
fn distinct<R>(request: MergeRequest<R>) -> std::result::Result<MergeRequest<R>, Invalid> {
    let mut invalid = Invalid::default();
    let mut seen = HashSet::from([request.keep_id]);
    for (index, id) in request.merge_ids.iter().enumerate().filter(|(_, id)| !seen.insert(**id)) {
        let detail = match *id == request.keep_id {
            true => "A record cannot be merged with itself.",
            false => "This id is listed twice.",
        };
        invalid.add(format!("#/merge_ids/{index}"), Rejection::new(FieldCode::Contradiction, detail));
    }
    invalid.into_result(request)
}
