//! One edit of many contacts: those of a list of ids, or those that a filter of the list finds.

use crate::store::checks;
use crate::store::records;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use chrono::NaiveDate;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::Api;
use super::contacts::COLLECTION;
use super::http::body::{Body, Schemas};
use super::http::caller::Caller;
use super::http::edits::{entered, patched};
use super::http::etag::seq_and_today;
use super::http::listing::Narrowed;
use super::http::problem::Problem;
use super::http::query::Query;
use super::http::replies::{respond, who};
use super::http::views::written;
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::store::{AnyId, Error, Record, Reply, Result as StoreResult, Tx};

/// How many contacts can be edited at once.
pub const MAX_EDITED: i64 = 10_000;

/// What can be changed of each; they mean what they mean in a PATCH.
const PATCHED: [&str; 3] = ["add_tags", "remove_tags", "tier"];

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(bulk_contacts);
}

/// Which contacts, and what to do with them.
struct ContactBulk;

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
            "description": "Which contacts, and what to do with them. Give `ids` or `filter`, and at least one thing to do.",
            "properties": {
                "ids": {
                    "type": "array", "minItems": 1, "maxItems": MAX_EDITED, "x-excludes": ["filter"],
                    "items": { "type": "string", "format": "uuid", "x-entity": Entity::Contact },
                    "description": "The contacts by their ids.",
                },
                "filter": COLLECTION.filter_schema(),
                "add_tags": tags("Tags to add to those they have."),
                "remove_tags": tags("Tags to remove from those they have."),
                "tier": {
                    "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Tier" }],
                    "description": "How close you want to be. Null: no tier; absent: as it is.",
                },
                "archived": {
                    "type": "boolean",
                    "description": "Puts them aside now, or takes them back. WriteContext is put aside already keeps the time.",
                },
                "delete": { "type": "boolean", "default": false, "description": "Deletes them. Not together with anything else." },
            },
        }))
    }
}

impl ToSchema for ContactBulk {}

/// What was done, or with `dry_run` would be done.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct BulkResult {
    /// Whether it only tells what it would do.
    dry_run: bool,
    /// How many contacts were named or found.
    matched: i64,
    /// How many of them are other than before, or gone.
    changed: i64,
    /// The number of the first change of this write: `POST /v1/changes/{write}/revert` takes all of it back. Null when
    /// nothing has changed, and with `dry_run`.
    write: Option<i64>,
}

/// Edit many contacts at once
///
/// Those with these ids, or those that the filter finds: it is the list's own, as an object, with the list's defaults
/// (known people who are not archived, without yourself). At most 10,000 at once. All of it is one write, so that one
/// revert takes it back; if anything is wrong, nothing is done.
#[utoipa::path(tag = "contacts", security(("bearer" = ["contacts:write"])),
    params(("dry_run" = Option<bool>, Query, description = "Only tell what it would do.")),
    request_body(content = ContactBulk, example = json!({
        "ids": ["01939d5e-8c00-7000-8000-0000000000b1"], "add_tags": ["conference-2026"], "tier": "active"})),
    extensions(("x-errors" = json!(["self_contact"]))),
    responses((status = 200, description = "What was done.", body = BulkResult)))]
#[post("/v1/contacts/bulk")]
async fn bulk_contacts(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let dry_run = query.flag("dry_run")?;
    let who = who(&api, &caller, &request, &body)?;
    let (_, today) = seq_and_today(&api, caller.workspace).await?;
    let edit = Edit::parse(api.schemas.check("ContactBulkInput", &body.value)?, today)?;
    let schemas = api.schemas.clone();
    let work = move |tx: &mut Tx<'_>| {
        let answer = edit.carry_out(tx, &schemas, dry_run)?;
        Ok(Reply { status: 200, body: Some(answer.to_string()), ..Reply::default() })
    };
    let outcome = if dry_run { api.store.dry_run(who, work).await? } else { api.store.write(who, work).await? };
    respond(&api, &caller, outcome).await
}

struct Edit {
    chosen: Chosen,
    action: Action,
}

enum Chosen {
    Ids(Vec<Uuid>),
    Fitting(Narrowed),
}

enum Action {
    Delete,
    /// A merge patch, and whether to put them aside or take them back.
    Change(Map<String, Value>, Option<bool>),
}

impl Edit {
    /// From a body that fits the schema.
    fn parse(mut body: Map<String, Value>, today: NaiveDate) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        let ids = body.remove("ids").filter(|ids| !ids.is_null());
        let filter = body.remove("filter").filter(|filter| !filter.is_null());
        let delete = body.remove("delete") == Some(Value::Bool(true));
        let archived = body.remove("archived").and_then(|archived| archived.as_bool());
        let patch: Map<String, Value> =
            PATCHED.iter().filter_map(|name| Some(((*name).to_owned(), body.remove(*name)?))).collect();
        let says_something = archived.is_some() || !patch.is_empty();
        if delete && says_something {
            let detail = "WriteContext is deleted cannot be changed as well.";
            invalid.add("#/delete", Rejection::new(FieldCode::Contradiction, detail));
        } else if !delete && !says_something {
            let detail = "Say what to do: add_tags, remove_tags, tier, archived or delete.";
            invalid.add("#", Rejection::new(FieldCode::Required, detail));
        }
        let chosen = match (ids, filter) {
            (Some(ids), None) => Chosen::Ids(serde_json::from_value(ids).unwrap_or_default()),
            (None, Some(filter)) => {
                let narrowed = COLLECTION.narrowed(filter.as_object().unwrap_or(&Map::new()), today);
                Chosen::Fitting(invalid.gather(narrowed).unwrap_or_default())
            }
            (Some(_), Some(_)) => {
                let detail = "Give ids or filter, not both.";
                invalid.add("#/filter", Rejection::new(FieldCode::Contradiction, detail));
                Chosen::Ids(Vec::new())
            }
            (None, None) => {
                invalid.add("#/ids", Rejection::new(FieldCode::Required, "Give ids or filter."));
                Chosen::Ids(Vec::new())
            }
        };
        let action = if delete { Action::Delete } else { Action::Change(patch, archived) };
        invalid.into_result(Self { chosen, action })
    }

    fn carry_out(self, tx: &mut Tx<'_>, schemas: &Schemas, dry_run: bool) -> StoreResult<Value> {
        let contacts = self.chosen.find(tx)?;
        let mut changed = 0_i64;
        for contact in &contacts {
            changed += i64::from(self.action.carry_out(tx, schemas, contact)?);
        }
        let write = tx.write_number().filter(|_| !dry_run && changed > 0);
        Ok(json!({ "dry_run": dry_run, "matched": contacts.len(), "changed": changed, "write": write }))
    }
}

impl Chosen {
    fn find(self, tx: &mut Tx<'_>) -> StoreResult<Vec<Contact>> {
        match self {
            Self::Fitting(narrowed) => {
                let mut invalid = Invalid::default();
                for (name, entity, id) in &narrowed.names {
                    if !records::exists(tx, *entity, *id)? {
                        let unknown = checks::unknown_reference(tx, *entity, *id)?;
                        invalid.add(crate::domain::invalid::pointer(&["filter", name]), unknown);
                    }
                }
                invalid.into_result(())?;
                crate::store::lists::all_matching::<Contact>(
                    tx,
                    narrowed.filter,
                    narrowed.query.as_deref(),
                    MAX_EDITED,
                )
            }
            Self::Ids(ids) => {
                let mut invalid = Invalid::default();
                let mut contacts = Vec::with_capacity(ids.len());
                let mut seen = HashSet::new();
                for (index, id) in ids.into_iter().enumerate().filter(|(_, id)| seen.insert(*id)) {
                    match records::find::<Contact>(tx, AnyId::new(id))? {
                        Some(contact) => contacts.push(contact),
                        None => {
                            invalid.add(
                                format!("#/ids/{index}"),
                                checks::unknown_reference(tx, Entity::Contact, AnyId::new(id))?,
                            );
                        }
                    }
                    if invalid.truncated {
                        break;
                    }
                }
                Ok(invalid.into_result(contacts)?)
            }
        }
    }
}

impl Action {
    /// Whether it changed anything.
    fn carry_out(&self, tx: &mut Tx<'_>, schemas: &Schemas, contact: &Contact) -> StoreResult<bool> {
        let Self::Change(patch, archived) = self else {
            records::delete(tx, contact)?;
            return Ok(true);
        };
        let mut patch = patch.clone();
        match archived {
            Some(true) if contact.fields.archived_at.is_none() => {
                patch.insert("archived_at".to_owned(), json!(tx.now()));
            }
            Some(false) => drop(patch.insert("archived_at".to_owned(), Value::Null)),
            _ => {}
        }
        let base = entered::<Contact>(&contact.fields)?;
        let after = patched(tx, schemas, contact, base, Value::Object(patch))
            .map_err(|error| too_many_tags(error, contact))?;
        Ok(after.version() != contact.version())
    }
}

/// What is wrong with the tags that one contact would have is wrong with those that are added; told with whose they are.
fn too_many_tags(error: Error, contact: &Contact) -> Error {
    let Error::Invalid(mut invalid) = error else { return error };
    for error in invalid.errors.iter_mut().filter(|error| error.pointer == "#/tags") {
        error.pointer = "#/add_tags".to_owned();
        error.detail = format!("{} This is of {} ({}).", error.detail, contact.name, contact.id);
    }
    invalid.into()
}
