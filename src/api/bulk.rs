//! One edit of many contacts: those of a list of ids, or those that a filter of the list finds.

use actix_web::http::Method;
use chrono::NaiveDate;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};
use uuid::Uuid;

use super::contacts::COLLECTION;
use super::context::Context;
use super::http::messages::problem::{Code, Problem};
use super::http::operation::{Access, Docs, Operation, Run, Write};
use super::http::parameter::Parameter;
use super::http::records::collection::BodyFilter;
use crate::domain::contact::Tier;
use crate::domain::entity::Entity;
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::service::bulk::{Edit, Edited, MAX_EDITED, Selection, edit_contacts};
use crate::service::validation::check;
use crate::service::validation::views::{collect, written};
use crate::store::{Answer, AnyId, accounts};

/// The fields of a PATCH that can be edited.
const PATCHED: [&str; 3] = ["add_tags", "remove_tags", "tier"];

/// The contacts to edit, and how.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct ContactBulk(Map<String, Value>);

impl utoipa::PartialSchema for ContactBulk {
    fn schema() -> RefOr<Schema> {
        let tags = |what: &str| {
            json!({
                "type": "array", "maxItems": 100, "items": { "type": "string", "minLength": 1, "maxLength": 100 },
                "description": what,
            })
        };
        written(json!({
            "type": "object",
            "description": "The contacts to edit, and how. Requires `ids` or `filter`, and at least one edit.",
            "properties": {
                "ids": {
                    "type": "array", "minItems": 1, "maxItems": MAX_EDITED, "x-excludes": ["filter"],
                    "items": { "type": "string", "format": "uuid", "x-entity": Entity::Contact },
                    "description": "The ids of the contacts.",
                },
                "filter": COLLECTION.filter_schema(),
                "add_tags": tags("Tags to add."),
                "remove_tags": tags("Tags to remove."),
                "tier": {
                    "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Tier" }],
                    "description": "The new tier. Null removes it; absent keeps it.",
                },
                "archived": {
                    "type": "boolean",
                    "description": "Whether to archive the contacts, or to restore them to the lists. One that is archived already keeps its `archived_at`.",
                },
                "delete": { "type": "boolean", "default": false, "description": "Whether to delete the contacts. Cannot be combined with other edits." },
            },
        }))
    }
}

impl ToSchema for ContactBulk {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<Tier>(schemas);
    }
}

/// The result of a bulk edit.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct BulkResult {
    /// Whether nothing was changed.
    dry_run: bool,
    /// How many contacts were selected.
    matched: i64,
    /// How many of them were changed or deleted.
    changed: i64,
    /// The number of the write: `POST /v1/changes/{write}/revert` reverts all of it. Null if nothing changed, and with
    /// `dry_run`.
    write: Option<i64>,
}

pub fn operations() -> Vec<Operation> {
    let docs = || {
        Docs::new("contacts", "Edit many contacts")
            .description(
                "Edits the contacts with these ids, or those that the filter matches. The filter takes the filters of the list \
                 as an object, with the list's defaults (known people who are not archived, without yourself). At most 10,000 \
                 contacts at once. It is one write, so one revert undoes it; if anything is wrong, nothing is changed.",
            )
            .parameter(Parameter::dry_run("Return the result without changing anything."))
            .request::<ContactBulk>(json!({
                "ids": ["01939d5e-8c00-7000-8000-0000000000b1"], "add_tags": ["conference-2026"], "tier": "active"
            }))
            .answer::<BulkResult>(200, "The result.")
            .errors(&[Code::SelfContact])
    };
    let access = Access::scope("contacts:write");
    vec![Operation::new(
        Method::POST,
        "/v1/contacts/bulk",
        "bulk_contacts",
        access,
        Run::Write(bulk_contacts),
        docs,
    )]
}

fn bulk_contacts(context: &Context) -> Result<Write, Problem> {
    let dry_run = context.query().flag("dry_run")?;
    let Request { chosen, edit } = Request::parse(check::<ContactBulk>(&context.call.body.value)?.0)?;
    if let Chosen::Filter(filter) = &chosen {
        // Whatever the day is: what is wrong with the filter is reported before anything is locked.
        COLLECTION.body_filter(filter, NaiveDate::default())?;
    }
    let store = context.api.store.clone();
    let write = Write::new(move |tx| {
        let selection = match chosen {
            Chosen::Ids(ids) => Selection::Ids(ids),
            Chosen::Filter(filter) => {
                let time_zone = accounts::time_zone(tx)?;
                let today = time_zone.day(store.now());
                let BodyFilter { filter, query, names } = COLLECTION.body_filter(&filter, today)?;
                Selection::Matching { filter, query, names }
            }
        };
        let Edited { matched, changed } = edit_contacts(tx, selection, &edit)?;
        Ok(Answer::Json {
            status: 200,
            body: Box::new(move |settled| {
                let write = settled.write_number().filter(|_| !dry_run && changed > 0);
                Ok(json!({ "dry_run": dry_run, "matched": matched, "changed": changed, "write": write }))
            }),
        })
    });
    Ok(Write { dry_run, ..write })
}

/// A checked request.
struct Request {
    chosen: Chosen,
    edit: Edit,
}

enum Chosen {
    Ids(Vec<AnyId>),
    Filter(Map<String, Value>),
}

impl Request {
    /// From a body that matches the schema.
    fn parse(mut body: Map<String, Value>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        let ids = body.remove("ids").filter(|ids| !ids.is_null());
        let filter = body.remove("filter").filter(|filter| !filter.is_null());
        let delete = body.remove("delete") == Some(Value::Bool(true));
        let archived = body.remove("archived").and_then(|archived| archived.as_bool());
        let patch: Map<String, Value> =
            PATCHED.iter().filter_map(|name| Some(((*name).to_owned(), body.remove(*name)?))).collect();
        let edits = archived.is_some() || !patch.is_empty();
        if delete && edits {
            let detail = "A delete cannot be combined with other edits.";
            invalid.add("#/delete", Rejection::new(FieldCode::Contradiction, detail));
        } else if !delete && !edits {
            let detail = "Send at least one edit: add_tags, remove_tags, tier, archived or delete.";
            invalid.add("#", Rejection::new(FieldCode::Required, detail));
        }
        let chosen = match (ids, filter) {
            (Some(ids), None) => {
                let ids: Vec<Uuid> = serde_json::from_value(ids).unwrap_or_default();
                Chosen::Ids(ids.into_iter().map(AnyId::new).collect())
            }
            (None, Some(filter)) => Chosen::Filter(filter.as_object().cloned().unwrap_or_default()),
            (Some(_), Some(_)) => {
                invalid.add("#/filter", Rejection::new(FieldCode::Contradiction, "Send ids or filter, not both."));
                Chosen::Ids(Vec::new())
            }
            (None, None) => {
                invalid.add("#/ids", Rejection::new(FieldCode::Required, "Send ids or filter."));
                Chosen::Ids(Vec::new())
            }
        };
        let edit = if delete { Edit::Delete } else { Edit::Change { patch, archived } };
        invalid.into_result(Self { chosen, edit })
    }
}
