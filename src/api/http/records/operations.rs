//! The operations that every kind of record has, described once. A resource provides its names, texts and examples.

use actix_web::http::Method;
use serde_json::Value;
use serde_json::json;
use std::borrow::Cow;
use std::marker::PhantomData;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::collection::{DEFAULT_LIMIT, MAX_LIMIT};
use super::resource::{Cards, Resource};
use super::{get, list, write};
use crate::api::changes::HistoryPage;
use crate::api::http::messages::problem::Code;
use crate::api::http::operation::{Access, Docs, Operation, RequestDocs, Run, Tagged};
use crate::api::http::parameter::Parameter;
use crate::domain::id::EXAMPLE_ID;
use crate::domain::reference::{name_list, names_of};
use crate::service::validation::views::{collect, pascal, reference_to, written};

/// List, create, get, replace, update, delete, restore, and the history.
pub fn of_record<R: Resource>() -> Vec<Operation> {
    let one = R::ENTITY.as_str();
    let path = format!("/v1/{}", R::ENTITY.segment());
    let by_id = format!("{path}/{{id}}");
    let operation = |method: Method, path: &str, verb: &str, run: Run, docs: fn() -> Docs| {
        let access = if method == Method::GET { read_access::<R>() } else { write_access::<R>() };
        Operation::new(method, path.to_owned(), format!("{verb}_{one}"), access, run, docs)
    };
    vec![
        Operation::new(
            Method::GET,
            path.clone(),
            format!("list_{}", R::ENTITY.plural()),
            read_access::<R>(),
            Run::Read(list::list::<R>),
            list_docs::<R>,
        ),
        operation(Method::POST, &path, "create", Run::Write(write::create::<R>), create_docs::<R>),
        operation(Method::GET, &by_id, "get", Run::LookUp(get::get::<R>), get_docs::<R>),
        operation(Method::PUT, &by_id, "replace", Run::Write(write::replace::<R>), replace_docs::<R>),
        operation(Method::PATCH, &by_id, "update", Run::Write(write::update::<R>), update_docs::<R>),
        operation(Method::DELETE, &by_id, "delete", Run::Write(write::delete::<R>), delete_docs::<R>),
        operation(
            Method::POST,
            &format!("{by_id}/restore"),
            "restore",
            Run::Write(write::restore::<R>),
            restore_docs::<R>,
        ),
        Operation::new(
            Method::GET,
            format!("{by_id}/history"),
            format!("list_{one}_history"),
            read_access::<R>(),
            Run::Read(get::history::<R>),
            history_docs::<R>,
        ),
    ]
}

/// The operations of a kind whose records another operation creates: list, get, update, and the history.
pub fn of_applied<R: Resource>() -> Vec<Operation> {
    let mut operations = of_record::<R>();
    operations.retain(|operation| [Method::GET, Method::PATCH].contains(&operation.method));
    operations
}

/// The operations of a kind whose records the server keeps by itself: list, get, and the history.
pub fn of_kept<R: Resource>() -> Vec<Operation> {
    let mut operations = of_record::<R>();
    operations.retain(|operation| operation.method == Method::GET);
    operations
}

/// Listing and creating records of a kind under the record they belong to.
pub fn nested<P: Resource, R: Resource>(list_note: &'static str, create_example: fn() -> Value) -> Vec<Operation> {
    nested_at::<P, R>(&R::ENTITY.segment(), list_note, create_example)
}

/// The same at a path that ends in this.
pub fn nested_at<P: Resource, R: Resource>(
    segment: &str,
    list_note: &'static str,
    create_example: fn() -> Value,
) -> Vec<Operation> {
    let path = format!("/v1/{}/{{id}}/{segment}", P::ENTITY.segment());
    let (parent, one, many) = (P::ENTITY.as_str(), R::ENTITY.as_str(), R::ENTITY.plural());
    let list = Operation::new(
        Method::GET,
        path.clone(),
        format!("list_{parent}_{many}"),
        read_access::<R>(),
        Run::Read(list::list_under::<P, R>),
        move || {
            let summary = format!("List the {} of {}", R::TEXTS.many, P::TEXTS.one);
            Docs { summary: summary.into(), description: list_note.into(), ..list_docs::<R>() }
        },
    );
    let create = Operation::new(
        Method::POST,
        path,
        format!("create_{parent}_{one}"),
        write_access::<R>(),
        Run::Write(write::create_under::<P, R>),
        move || {
            let nested = write::parent_field::<P, R>().map(|field| (R::ENTITY, P::ENTITY, field));
            let request = Some(RequestDocs { nested, ..RequestDocs::new::<R::Fields>(create_example()) });
            let summary = format!("Create {} of {}", R::TEXTS.one, P::TEXTS.one);
            let description = "The path determines what the record belongs to, so the body does not contain it. The \
                               client can choose the id, so that a record created offline keeps it.";
            Docs { summary: summary.into(), description: description.into(), request, ..create_docs::<R>() }
        },
    );
    vec![list, create]
}

/// The list as cards.
pub fn cards<R: Cards>() -> Operation {
    Operation::new(
        Method::GET,
        format!("/v1/{}/cards", R::ENTITY.segment()),
        format!("list_{}_cards", R::ENTITY.as_str()),
        read_access::<R>(),
        Run::Read(list::cards::<R>),
        || {
            let parameters =
                R::COLLECTION.parameters().into_iter().filter(|parameter| parameter.name != "include");
            Docs::new(R::TEXTS.tag, format!("List {} as cards", R::TEXTS.many))
                .description("What a list on a screen shows, with the filters and sorts of the list.")
                .parameters(parameters)
                .answer::<PageOf<R::Card>>(200, "A page.")
                .tagged(Tagged::View)
        },
    )
}

fn read_access<R: Resource>() -> Access {
    Access::scope(format!("{}:read", R::ENTITY.area()))
}

fn write_access<R: Resource>() -> Access {
    Access::scope(format!("{}:write", R::ENTITY.area()))
}

fn docs_of<R: Resource>(verb: &str) -> Docs {
    Docs::new(R::TEXTS.tag, format!("{verb} {}", R::TEXTS.one))
}

/// What a client sends that chooses the id of a record: that which the other examples name.
fn whole_example<R: Resource>() -> Value {
    let mut example = (R::TEXTS.create_example)();
    if let Some(example) = example.as_object_mut() {
        example.insert("id".to_owned(), json!(EXAMPLE_ID));
    }
    example
}

fn list_docs<R: Resource>() -> Docs {
    Docs::new(R::TEXTS.tag, format!("List {}", R::TEXTS.many))
        .description(
            "Ordered by id, newest first, unless `sort` says otherwise. Paginate with `next_cursor`. The ETag covers \
             everything in the workspace, so polling an unchanged list costs next to nothing.",
        )
        .parameters(R::COLLECTION.parameters())
        .answer::<PageOf<R>>(200, "A page.")
        .tagged(Tagged::View)
}

fn create_docs<R: Resource>() -> Docs {
    let request =
        RequestDocs { more_examples: R::more_examples(), ..RequestDocs::new::<R::Fields>(whole_example::<R>()) };
    Docs { request: Some(request), ..docs_of::<R>("Create") }
        .description("The client can choose the id, so that a record created offline keeps it.")
        .answer::<R>(201, "The record as it was created.")
        .errors(&[Code::IdTaken, Code::Deleted])
        .errors(name_errors::<R>())
        .errors(R::TEXTS.write_errors)
}

fn get_docs<R: Resource>() -> Docs {
    docs_of::<R>("Get")
        .collection(R::COLLECTION)
        .parameters(R::COLLECTION.include_parameter())
        .answer::<R>(200, "The record.")
        .tagged(Tagged::Record)
}

/// A name that an operation is replacing in lists cannot be taken meanwhile, and one that is new in a list creates a record.
fn name_errors<R: Resource>() -> &'static [Code] {
    if name_list(R::ENTITY).is_some() {
        &[Code::OperationRunning, Code::LimitReached]
    } else if names_of(R::ENTITY).is_some() {
        &[Code::OperationRunning]
    } else {
        &[]
    }
}

/// What others name in lists may be in more of them than are edited at once.
pub(super) fn if_named_in_lists<R: Resource>(docs: Docs) -> Docs {
    if names_of(R::ENTITY).is_some() { docs.may_be_large() } else { docs }
}

fn replace_docs<R: Resource>() -> Docs {
    let docs = docs_of::<R>("Replace")
        .request::<R::Fields>(whole_example::<R>())
        .description(
            "`If-None-Match: *` creates the record, `If-Match` replaces it as a whole: absent fields take their \
             defaults. Fields that the server sets may be sent with their current values, so that a record that was \
             read can be edited and sent back.",
        )
        .answer::<R>(200, "The record as it is now.")
        .answer::<R>(201, "The record as it was created.")
        .errors(&[Code::Deleted])
        .errors(name_errors::<R>())
        .errors(R::TEXTS.write_errors)
        .tagged(Tagged::Record);
    if_named_in_lists::<R>(docs)
}

fn update_docs<R: Resource>() -> Docs {
    let docs = docs_of::<R>("Update")
        .request::<R::Fields>((R::TEXTS.update_example)())
        .description(
            "A JSON Merge Patch (RFC 7396): absent fields are kept, null clears, maps merge by key, arrays are \
             replaced. A patch that changes nothing creates no new version.",
        )
        .answer::<R>(200, "The record as it is now.")
        .errors(name_errors::<R>())
        .errors(R::TEXTS.write_errors)
        .tagged(Tagged::Record);
    if_named_in_lists::<R>(docs)
}

fn delete_docs<R: Resource>() -> Docs {
    let docs = docs_of::<R>("Delete")
        .description("It can be restored for 30 days, with everything that was deleted with it.")
        .parameter(Parameter::flag(
            "purge",
            "Whether to erase the record from the log of changes too. This cannot be reverted.",
        ))
        .empty(204, "Deleted.")
        .errors(R::TEXTS.delete_errors)
        .tagged(Tagged::Record);
    if_named_in_lists::<R>(docs)
}

fn restore_docs<R: Resource>() -> Docs {
    let docs = docs_of::<R>("Restore")
        .description(
            "Finds the delete and reverts it with everything that was deleted with it: all of it, or nothing. Records \
             that referred to it refer to it again, unless they refer to something else by now. If anything could not \
             be restored as it was (a name is taken, a referenced record is gone, the record it was merged into has \
             changed), nothing is changed: 409 `restore_blocked` lists it in `left_alone`. If the rest can be restored, \
             its detail gives the number of the write to revert: `POST /v1/changes/{version}/revert`. A record that \
             exists is returned as it is.",
        )
        .answer::<R>(200, "The record as it is now.")
        .errors(&[Code::RestoreBlocked, Code::LimitReached]);
    if_named_in_lists::<R>(docs)
}

fn history_docs<R: Resource>() -> Docs {
    Docs::new(R::TEXTS.tag, format!("List the history of {}", R::TEXTS.one))
        .description(
            "Who changed which field and when, newest first, with the values while they are retained. Also for a deleted \
             record.",
        )
        .parameters([
            Parameter::cursor(),
            Parameter::limit("The maximum number of entries on a page.", DEFAULT_LIMIT, MAX_LIMIT),
        ])
        .answer::<HistoryPage>(200, "A page.")
        .tagged(Tagged::View)
}

/// The schema of a page of records or cards, which may be counted, or of what else is listed.
pub struct PageOf<T, const COUNTED: bool = true>(PhantomData<fn() -> T>);

/// The schema of a page of what is never counted.
pub type UncountedPageOf<T> = PageOf<T, false>;

impl<T: ToSchema, const COUNTED: bool> PartialSchema for PageOf<T, COUNTED> {
    fn schema() -> RefOr<Schema> {
        let mut schema = json!({
            "type": "object",
            "description": "A page of a list.",
            "properties": {
                "items": {
                    "type": "array", "items": { "$ref": reference_to(&T::name()) },
                    "description": "The records.",
                },
                "next_cursor": {
                    "type": ["string", "null"], "maxLength": 2048,
                    "description": "The `cursor` of the next page; null on the last page.",
                },
                "total": {
                    "type": "integer", "format": "int64", "minimum": 0,
                    "description": "How many records match in total. Only with `count=true`.",
                },
                "etag_prefix": {
                    "type": "string", "maxLength": 64, "examples": ["E5b7_Ckx.7"],
                    "description": "What the ETag of each of these records begins with: it is \
                                    `\"<etag_prefix>.<version>\"`, to send as `If-Match` without reading the record \
                                    again.",
                },
            },
            "x-optional": ["total"],
        });
        if let (false, Some(object)) = (COUNTED, schema.as_object_mut()) {
            object.remove("x-optional");
            let properties = object.get_mut("properties").and_then(Value::as_object_mut);
            if let Some(properties) = properties {
                properties.remove("total");
                properties.insert(
                    "items".to_owned(),
                    json!({
                        "type": "array", "items": { "$ref": reference_to(&T::name()) }, "description": "The entries.",
                    }),
                );
            }
        }
        written(schema)
    }
}

impl<T: ToSchema, const COUNTED: bool> ToSchema for PageOf<T, COUNTED> {
    fn name() -> Cow<'static, str> {
        format!("{}Page", pascal(&T::name())).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<T>(schemas);
    }
}
