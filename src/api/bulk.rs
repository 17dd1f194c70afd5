//! Edits of many records at once: of contacts, and of follow-ups.

use actix_web::http::Method;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::context::Context;
use super::http::messages::problem::{Code, Problem};
use super::http::operation::{Access, Docs, Operation, Run, Write};
use super::http::parameter::Parameter;
use super::http::records::bulk::{self, BulkResult, Chosen};
use super::{contacts, follow_ups};
use crate::domain::contact::Tier;
use crate::domain::follow_up::FollowUpFields;
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::service::contacts::{ContactEdit, edit_contacts};
use crate::service::follow_ups::{FollowUpEdit, edit_follow_ups};
use crate::service::validation::check;
use crate::service::validation::views::{collect, written};

/// The fields of a PATCH that can be edited.
const PATCHED_CONTACT: [&str; 3] = ["add_tags", "remove_tags", "tier"];
const PATCHED_FOLLOW_UP: [&str; 2] = ["snoozed_until", "due_on"];

/// By how many days follow-ups can be moved at once.
const MAX_SHIFT_DAYS: i64 = 3_650;

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
        let mut properties = bulk::selection_schema(&contacts::COLLECTION);
        let edits = json!({
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
        });
        properties.extend(edits.as_object().cloned().unwrap_or_default());
        written(json!({
            "type": "object",
            "description": "The contacts to edit, and how. Requires `ids` or `filter`, and at least one edit.",
            "properties": properties,
        }))
    }
}

impl ToSchema for ContactBulk {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<Tier>(schemas);
    }
}

pub fn operations() -> Vec<Operation> {
    let contacts = || {
        Docs::new("contacts", "Edit many contacts")
            .description(
                "Edits the contacts with these ids, or those that the filter matches. The filter takes the filters of \
                 the list as an object, with the list's defaults (known people who are not archived, without \
                 yourself). At most 10,000 contacts at once. It is one write, so one revert undoes it; if anything is \
                 wrong, nothing is changed.",
            )
            .parameter(Parameter::dry_run("Return the result without changing anything."))
            .request::<ContactBulk>(json!({
                "ids": ["01939d5e-8c00-7000-8000-0000000000b1"], "add_tags": ["conference-2026"], "tier": "active"
            }))
            .answer::<BulkResult>(200, "The result.")
            .may_be_large()
            .errors(&[Code::SelfContact, Code::LimitReached])
    };
    let follow_ups = || {
        Docs::new("follow-ups", "Edit many follow-ups")
            .description(
                "Completes, snoozes or reschedules the follow-ups with these ids, or those that the filter matches. \
                 The filter takes the filters of the list as an object. At most 10,000 follow-ups at once. Each is \
                 edited as by itself, so completing one that recurs creates the next. It is one write, so one revert \
                 undoes it; if anything is wrong, nothing is changed.",
            )
            .parameter(Parameter::dry_run("Return the result without changing anything."))
            .request::<FollowUpBulk>(json!({ "ids": ["01939d5e-8c00-7000-8000-0000000000a1"], "shift_days": 7 }))
            .answer::<BulkResult>(200, "The result.")
            .may_be_large()
            .errors(&[Code::LimitReached])
    };
    let operation = |path: &'static str, id: &'static str, scope: &'static str, run, docs: fn() -> Docs| {
        Operation::new(Method::POST, path, id, Access::scope(scope), Run::Write(run), docs)
    };
    vec![
        operation("/v1/contacts/bulk", "bulk_contacts", "contacts:write", bulk_contacts, contacts),
        operation("/v1/follow-ups/bulk", "bulk_follow_ups", "follow_ups:write", bulk_follow_ups, follow_ups),
    ]
}

fn bulk_contacts(context: &Context) -> Result<Write, Problem> {
    let body = check::<ContactBulk>(&context.call.body.value)?.0;
    let (chosen, edit) = contact_edit(body)?;
    bulk::write(context, &contacts::COLLECTION, chosen, move |tx, selection| edit_contacts(tx, selection, &edit))
}

/// From a body that matches the schema.
fn contact_edit(mut body: Map<String, Value>) -> Result<(Chosen, ContactEdit), Invalid> {
    let mut invalid = Invalid::default();
    let delete = body.remove("delete") == Some(Value::Bool(true));
    let archived = body.remove("archived").and_then(|archived| archived.as_bool());
    let patch = take_members(&mut body, &PATCHED_CONTACT);
    let edits = archived.is_some() || !patch.is_empty();
    if delete && edits {
        let detail = "A delete cannot be combined with other edits.";
        invalid.add("#/delete", Rejection::new(FieldCode::Contradiction, detail));
    } else if !delete && !edits {
        let detail = "Send at least one edit: add_tags, remove_tags, tier, archived or delete.";
        invalid.add("#", Rejection::new(FieldCode::Required, detail));
    }
    let chosen = Chosen::take(&mut body, &mut invalid);
    let edit = if delete { ContactEdit::Delete } else { ContactEdit::Change { patch, archived } };
    invalid.into_result((chosen, edit))
}

/// The follow-ups to edit, and how.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct FollowUpBulk(Map<String, Value>);

impl utoipa::PartialSchema for FollowUpBulk {
    fn schema() -> RefOr<Schema> {
        let mut properties = bulk::selection_schema(&follow_ups::COLLECTION);
        let edits = json!({
            "complete": {
                "type": "boolean", "default": false,
                "description": "Whether to complete the follow-ups, as of now. Cannot be combined with the other \
                                edits but `outcome`. Those that are not pending stay as they are.",
            },
            "outcome": {
                "type": ["string", "null"], "maxLength": 5000, "x-excludes": ["snoozed_until", "due_on", "shift_days"],
                "description": "What came of them. Only with `complete`.",
            },
            "snoozed_until": {
                "type": ["string", "null"], "format": "date", "x-excludes": ["complete", "outcome"],
                "description": "The day until which they are put off. Null ends the snooze; absent keeps it.",
            },
            "due_on": {
                "type": ["string", "null"], "format": "date", "x-excludes": ["complete", "outcome", "shift_days"],
                "description": "The new day on which they are due. Null removes it; absent keeps it.",
            },
            "shift_days": {
                "type": "integer", "minimum": -MAX_SHIFT_DAYS, "maximum": MAX_SHIFT_DAYS,
                "x-excludes": ["complete", "outcome", "due_on"],
                "description": "By how many days to move `due_on`, backward if negative. Those without a day, and those \
                                that are not pending, stay as they are.",
            },
        });
        properties.extend(edits.as_object().cloned().unwrap_or_default());
        written(json!({
            "type": "object",
            "description": "The follow-ups to edit, and how. Requires `ids` or `filter`, and at least one edit.",
            "properties": properties,
        }))
    }
}

impl ToSchema for FollowUpBulk {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        // What the filter refers to.
        collect::<FollowUpFields>(schemas);
    }
}

fn bulk_follow_ups(context: &Context) -> Result<Write, Problem> {
    let body = check::<FollowUpBulk>(&context.call.body.value)?.0;
    let (chosen, edit) = follow_up_edit(body)?;
    bulk::write(context, &follow_ups::COLLECTION, chosen, move |tx, selection| {
        edit_follow_ups(tx, selection, &edit)
    })
}

/// From a body that matches the schema.
fn follow_up_edit(mut body: Map<String, Value>) -> Result<(Chosen, FollowUpEdit), Invalid> {
    let mut invalid = Invalid::default();
    let mut refuse =
        |pointer: &str, code: FieldCode, detail: &str| invalid.add(pointer, Rejection::new(code, detail));
    let complete = body.remove("complete") == Some(Value::Bool(true));
    let outcome = body.remove("outcome").and_then(|outcome| outcome.as_str().map(str::to_owned));
    let shift_days = body.remove("shift_days").and_then(|days| days.as_i64());
    let patch = take_members(&mut body, &PATCHED_FOLLOW_UP);
    let changes = shift_days.is_some() || !patch.is_empty();
    if complete && changes {
        refuse("#/complete", FieldCode::Contradiction, "Completing cannot be combined with other edits.");
    } else if !complete && outcome.is_some() {
        refuse("#/outcome", FieldCode::Contradiction, "An outcome requires complete.");
    } else if !complete && !changes {
        let detail = "Send at least one edit: complete, snoozed_until, due_on or shift_days.";
        refuse("#", FieldCode::Required, detail);
    }
    if shift_days.is_some() && patch.contains_key("due_on") {
        refuse("#/shift_days", FieldCode::Contradiction, "Send due_on or shift_days, not both.");
    }
    let chosen = Chosen::take(&mut body, &mut invalid);
    let edit = match complete {
        true => FollowUpEdit::Complete { outcome },
        false => FollowUpEdit::Change { patch, shift_days },
    };
    invalid.into_result((chosen, edit))
}

fn take_members(body: &mut Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), body.remove(*name)?))).collect()
}
