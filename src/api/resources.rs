//! Resources: useful things to share, whom they suit, and sharing them.

use actix_web::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::context::Context;
use super::http::messages::conditional::{check_if_none_match, seq_and_today};
use super::http::messages::page::Page;
use super::http::messages::problem::{Code, Problem};
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged, Write};
use super::http::parameter::Parameter;
use super::http::records::collection::{
    Collection, DEFAULT_LIMIT, Filter, FilterFn, MAX_LIMIT, Operators, Values, reference, word,
};
use super::http::records::operations::{UncountedPageOf, of_record};
use super::http::records::resource::{self as served, Cards, Texts};
use crate::domain::card::ContactCard;
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::exchange::Exchange;
use crate::domain::id::{ContactId, ExchangeId, WorkspaceId};
use crate::domain::interaction::{Interaction, InteractionFields, MAX_CONTACTS};
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::domain::key::{Key, KeyKind};
use crate::domain::resource::{Resource, ResourceKind, ResourceReason};
use crate::domain::topic;
use crate::service::resources::{Share, Shared, share};
use crate::service::validation::check;
use crate::service::validation::views::{collect, written};
use crate::store::lists::has_key;
use crate::store::relations::{Link, Relation};
use crate::store::resource_fits::{self, Fitting, MAX_REASONS, Place, Wanted};
use crate::store::{Answer, AnyId, Conn, ID, Predicate, exchanges, lists, resources as stored};

const _: () = assert!(MAX_CONTACTS == 100, "as the schema says");
const _: () = assert!(MAX_REASONS == 10, "as the schema says");

pub const COLLECTION: Collection = Collection {
    entity: Entity::Resource,
    sorts: &[("id", ID), ("created_at", stored::CREATED_AT), ("updated_at", stored::UPDATED_AT)],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    relations: &[Relation {
        name: "event",
        description: "The event where you found it.",
        link: Link::To(Entity::Event, "/event_id"),
        with: &[],
    }],
    filters: &[
        Filter {
            name: "kind",
            description: "The kind of resource.",
            values: Values::Enumeration("ResourceKind", ResourceKind::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, kind| word(stored::KIND, comparison, kind)),
        },
        Filter {
            name: "topic",
            description: "Its topics have all words of this one.",
            values: Values::Text { max_length: 100, example: "hiring" },
            operators: Operators::Set,
            default: None,
            predicate: FilterFn::Always(|_, topic| {
                let words = topic::words(topic).into_iter();
                let having = words.map(|word| has_key::<Resource>(vec![Key::new(KeyKind::Topic, word)]));
                Ok(Predicate::All(having.collect()))
            }),
        },
        Filter {
            name: "event_id",
            description: "The event where you found it.",
            values: Values::Id(Entity::Event),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::EVENT, id)),
        },
        Filter {
            name: "shared_with",
            description: "Shared with this contact.",
            values: Values::Id(Entity::Contact),
            operators: Operators::Set,
            default: None,
            predicate: FilterFn::Always(|_, id| {
                let with = Predicate::All(vec![
                    reference(exchanges::CONTACT, id)?,
                    Predicate::NotNull(exchanges::RESOURCE),
                ]);
                Ok(Predicate::ReferredBy(Entity::Exchange, exchanges::RESOURCE, Box::new(with)))
            }),
        },
    ],
};

impl served::Resource for Resource {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "resources",
        one: "a resource",
        many: "resources",
        create_example: || {
            json!({
                "title": "Hiring engineers without interviews", "url": "https://example.org/hiring",
                "kind": "article", "topics": ["hiring", "rust engineers"], "note": "The table on page 3.",
            })
        },
        update_example: || json!({ "topics": ["hiring"], "note": "The table on page 4." }),
        write_errors: &[],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    let read = || Access::Scopes(["relationships:read", "contacts:read"].map(Into::into).to_vec());
    let write = Access::Scopes(["relationships:write", "interactions:write"].map(Into::into).to_vec());
    let mut operations = of_record::<Resource>();
    operations.push(Operation::new(
        Method::GET,
        "/v1/resources/{id}/audience",
        "list_resource_audience",
        read(),
        Run::Read(list_audience),
        audience_docs,
    ));
    operations.push(Operation::new(
        Method::POST,
        "/v1/resources/{id}/share",
        "share_resource",
        write,
        Run::Write(share_resource),
        share_docs,
    ));
    operations.push(Operation::new(
        Method::GET,
        "/v1/contacts/{id}/resources",
        "list_contact_resources",
        read(),
        Run::Read(list_of_contact),
        of_contact_docs,
    ));
    operations
}

/// A contact whom a resource suits.
#[derive(Serialize, ToSchema)]
struct AudienceMember {
    contact: ContactCard,
    /// How well the best of the reasons fits, 1 to 100. Null: none of their needs and interests does.
    #[schema(minimum = 1, maximum = 100, example = 69)]
    score: Option<u8>,
    /// The day on which it was last shared with them, or they with you. Null: it was not.
    #[schema(value_type = Option<String>, format = Date, example = json!(null))]
    had_on: Option<String>,
    /// Their open needs and interests that it meets, the best first.
    #[schema(max_items = 10)]
    reasons: Vec<ResourceReason>,
}

/// A resource that suits a contact.
#[derive(Serialize, ToSchema)]
pub struct FittingResource {
    resource: Resource,
    /// How well the best of the reasons fits, 1 to 100. Null: it meets none of their needs and interests.
    #[schema(minimum = 1, maximum = 100, example = 69)]
    score: Option<u8>,
    /// The day on which it was last shared with the contact, or they with you. Null: it was not.
    #[schema(value_type = Option<String>, format = Date, example = json!(null))]
    had_on: Option<String>,
    /// Their open needs and interests that it meets, the best first.
    #[schema(max_items = 10)]
    reasons: Vec<ResourceReason>,
}

impl FittingResource {
    fn of(fitting: Fitting<Resource>) -> Self {
        let score = fitting.score();
        let Fitting { record: resource, had_on, reasons } = fitting;
        Self { resource, score, had_on, reasons }
    }
}

/// The resources that suit a contact best and that they have not had.
pub fn best_for(
    conn: &mut Conn,
    workspace: WorkspaceId,
    contact: &Contact,
    limit: usize,
) -> Result<Vec<FittingResource>, Problem> {
    let page = resource_fits::of_contact(conn, workspace, contact, &Wanted { had: false, after: None, limit })?;
    Ok(page.items.into_iter().map(FittingResource::of).collect())
}

const HOW_IT_FITS: &str = "Topics match as in matches of needs and offers: by shared words, of which rare ones count more. A word \
     finds the newest 200 that have it, and the best 200 of those found are compared.";

fn parameters(had: &'static str, of_what: &'static str) -> [Parameter; 3] {
    [Parameter::flag("had", had), Parameter::cursor(), Parameter::limit(of_what, DEFAULT_LIMIT, MAX_LIMIT)]
}

fn audience_docs() -> Docs {
    Docs::new("resources", "List the audience of a resource")
        .description(format!(
            "Contacts with an open need or interest that shares words with the topics of the resource and with whom it has \
             not been shared, with the reasons; the best fit first, then the newest contact. Includes contacts you do not know \
             yet; excludes archived contacts and those with `do_not_contact`. With `had=true`, those with whom it has been \
             shared, the latest first, whether it fits or not.\n\n{HOW_IT_FITS}"
        ))
        .parameters(parameters(
            "Whether to list those who have had it already, instead of those who have not.",
            "The maximum number of contacts on a page.",
        ))
        .answer::<UncountedPageOf<AudienceMember>>(200, "A page.")
        .tagged(Tagged::View)
}

fn of_contact_docs() -> Docs {
    Docs::new("resources", "List the resources that suit a contact")
        .description(format!(
            "Resources whose topics share words with the newest 200 open needs and interests of the contact and that have not \
             been shared with them, with the reasons; the best fit first, then the newest resource. None for archived contacts \
             and those with `do_not_contact`. With `had=true`, what has been shared with them, the latest first.\n\n\
             {HOW_IT_FITS}"
        ))
        .parameters(parameters(
            "Whether to list what they have had already, instead of what they have not.",
            "The maximum number of resources on a page.",
        ))
        .answer::<UncountedPageOf<FittingResource>>(200, "A page.")
        .tagged(Tagged::View)
}

fn list_audience(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let workspace = context.workspace();
    let wanted = wanted(context)?;
    let (seq, today) = seq_and_today(context, conn)?;
    let resource = lists::find::<Resource>(conn, workspace, context.id()?)?;
    let tag = context.api.etags.of_day(workspace, seq, today);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let page = resource_fits::audience(conn, workspace, &resource, &wanted)?;
    let next = next_cursor(context, page.next.as_ref())?;
    let people: Vec<Contact> = page.items.iter().map(|item| item.record.clone()).collect();
    let cards = Contact::cards(conn, workspace, &people, today)?;
    let item = |(contact, fitting): (ContactCard, Fitting<Contact>)| {
        let score = fitting.score();
        let Fitting { record: _, had_on, reasons } = fitting;
        AudienceMember { contact, score, had_on, reasons }
    };
    let items: Vec<AudienceMember> = cards.into_iter().zip(page.items).map(item).collect();
    Page::of_records(context, &items, next.as_deref()).respond(context, &tag)
}

fn list_of_contact(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let workspace = context.workspace();
    let wanted = wanted(context)?;
    let (seq, today) = seq_and_today(context, conn)?;
    let contact = lists::find::<Contact>(conn, workspace, context.id()?)?;
    let tag = context.api.etags.of_day(workspace, seq, today);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let page = resource_fits::of_contact(conn, workspace, &contact, &wanted)?;
    let next = next_cursor(context, page.next.as_ref())?;
    let items: Vec<FittingResource> = page.items.into_iter().map(FittingResource::of).collect();
    Page::of_records(context, &items, next.as_deref()).respond(context, &tag)
}

/// What a cursor is bound to.
fn binding(context: &Context) -> String {
    let asked = context.query().canonical_without(&["cursor", "limit"]);
    format!("{}{}?{asked}", context.workspace(), context.call.path)
}

fn wanted(context: &Context) -> Result<Wanted, Problem> {
    let (query, cursors) = (context.query(), &context.api.cursors);
    let after: Option<Place> =
        query.one("cursor")?.map(|cursor| cursors.open(&binding(context), &cursor)).transpose()?;
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    Ok(Wanted { had: query.flag("had")?, after, limit: usize::try_from(limit).unwrap_or(usize::MAX) })
}

fn next_cursor(context: &Context, next: Option<&Place>) -> Result<Option<String>, Problem> {
    next.map(|place| context.api.cursors.seal(&binding(context), place)).transpose()
}

/// How to share a resource.
#[derive(Deserialize)]
struct ResourceShare {
    contact_ids: Vec<ContactId>,
    #[serde(default)]
    interaction: Option<Map<String, Value>>,
    #[serde(default)]
    exchange_ids: Option<Vec<ExchangeId>>,
}

impl utoipa::PartialSchema for ResourceShare {
    fn schema() -> RefOr<Schema> {
        written(json!({
            "type": "object",
            "description": "How to share a resource.",
            "required": ["contact_ids"],
            "properties": {
                "contact_ids": {
                    "type": "array", "minItems": 1, "maxItems": MAX_CONTACTS,
                    "items": {
                        "type": "string", "format": "uuid", "x-entity": "contact",
                        "examples": ["01939d5e-8c00-7000-8000-0000000000a1"],
                    },
                    "description": "With whom it is shared, each once.",
                },
                "interaction": {
                    "type": "object", "x-optional-input-of": "InteractionFields",
                    "description": "The interaction to log. What it leaves out: these contacts, `message`, `outbound`, the \
                                    title of the resource as the subject, its URL, and now. One of the same id that shared \
                                    it before is returned with its exchanges, and nothing is logged again. Null or absent: \
                                    all of these.",
                },
                "exchange_ids": {
                    "type": ["array", "null"], "maxItems": MAX_CONTACTS,
                    "items": {
                        "type": "string", "format": "uuid", "x-entity": "exchange", "x-chosen": true,
                        "examples": ["01939d5e-8c00-7000-8000-0000000000e1"],
                    },
                    "description": "The ids of the exchanges, in the order of `contact_ids` and as many. Null or absent: the \
                                    server chooses them.",
                },
            },
        }))
    }
}

impl ToSchema for ResourceShare {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<InteractionFields>(schemas);
    }
}

/// A resource that was shared.
struct ResourceShared;

impl utoipa::PartialSchema for ResourceShared {
    fn schema() -> RefOr<Schema> {
        written(json!({
            "type": "object",
            "description": "What sharing a resource has logged.",
            "properties": {
                "interaction": { "$ref": "#/components/schemas/Interaction" },
                "exchanges": {
                    "type": "array", "items": { "$ref": "#/components/schemas/Exchange" },
                    "description": "The exchange with each contact.",
                },
            },
        }))
    }
}

impl ToSchema for ResourceShared {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<Interaction>(schemas);
        collect::<Exchange>(schemas);
    }
}

fn share_docs() -> Docs {
    Docs::new("resources", "Share a resource")
        .description(
            "Logs, in one write, an interaction with the contacts and, for each of them, an exchange of kind `resource` that you \
             gave on its day. If it is for exactly one goal, so are the exchanges. A contact with `do_not_contact` is rejected \
             with 422, and nothing is logged. One revert undoes all of it.",
        )
        .request::<ResourceShare>(json!({
            "contact_ids": ["01939d5e-8c00-7000-8000-0000000000a1"],
            "interaction": { "kind": "email", "body": "The table on page 3 answers your question." },
        }))
        .answer::<ResourceShared>(200, "What was logged, or what the same interaction has logged before.")
        .errors(&[Code::IdTaken, Code::Deleted, Code::LimitReached])
}

fn share_resource(context: &Context) -> Result<Write, Problem> {
    let id = context.id()?;
    let ResourceShare { mut contact_ids, interaction, exchange_ids } = check(&context.call.body.value)?;
    let exchange_ids = exchange_ids.unwrap_or_default();
    let mut seen = HashSet::new();
    contact_ids.retain(|id| seen.insert(*id));
    if !exchange_ids.is_empty() && exchange_ids.len() != contact_ids.len() {
        let rejection = Rejection::new(FieldCode::Contradiction, "Send one for each contact, or none.");
        let invalid: Invalid = rejection.at("#/exchange_ids");
        return Err(invalid.into());
    }
    let wanted = Share { contact_ids, interaction: interaction.unwrap_or_default(), exchange_ids };
    Ok(Write::new(move |tx| {
        let Shared { interaction, exchanges } = share(tx, id, wanted)?;
        Ok(Answer::Json {
            status: 200,
            body: Box::new(move |settled| {
                let interaction = settled.record(Entity::Interaction, interaction)?;
                let exchange = |id: AnyId| settled.record(Entity::Exchange, id);
                let exchanges = exchanges.into_iter().map(exchange).collect::<crate::store::Result<Vec<_>>>()?;
                Ok(json!({ "interaction": interaction, "exchanges": exchanges }))
            }),
        })
    }))
}
