//! Contacts: the people of the network, those to meet, and oneself.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, put};
use utoipa::openapi::ComponentsBuilder;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::Api;
use super::http::body::Body;
use super::http::caller::Caller;
use super::http::listing::{Collection, Filter, Operators, Values, flag};
use super::http::problem::{Code, Problem};
use super::http::query::Query;
use super::http::records::{self, Resource};
use crate::domain::contact::{
    Contact, ContactAddress, ContactDate, ContactEmail, ContactFields, ContactLink, ContactPhone, ExternalId, Tier,
};
use crate::domain::email::EmailAddress;
use crate::domain::entity::Entity;
use crate::domain::id::ContactId;
use crate::domain::invalid::Invalid;
use crate::domain::key::{Key, KeyKind};
use crate::domain::link::ProfileUrl;
use crate::domain::phone::{Country, PhoneNumber};
use crate::domain::text;
use crate::domain::timestamp::Timestamp;
use crate::store::lists::has_key;
use crate::store::relations::{Link, Relation};
use crate::store::{ID, Predicate, Scalar, contacts as stored};

impl Resource for Contact {
    type Fields = ContactFields;
    const INPUT: &'static str = "ContactInput";
    const PATCH: &'static str = "ContactPatch";
    const READ_ONLY: &'static [&'static str] =
        &["is_self", "name", "sort_name", "created_at", "updated_at", "version", "phones/*/e164"];

    fn new(id: Uuid, now: Timestamp, fields: ContactFields) -> Result<Self, Invalid> {
        Self::new(ContactId::new(id), false, now, fields)
    }

    fn with(&self, fields: ContactFields) -> Result<Self, Invalid> {
        self.with(fields)
    }

    fn fields(&self) -> &ContactFields {
        &self.fields
    }
}

const FLAGS: Values = Values::OneOf(&["true", "false"]);

pub const COLLECTION: Collection = Collection {
    entity: Entity::Contact,
    lists: &["list_contacts"],
    get: "get_contact",
    relations: &[Relation {
        name: "introduced_by",
        description: "Who introduced you.",
        link: Link::To(Entity::Contact, "/how_met/introduced_by_id"),
    }],
    sorts: &[
        ("id", ID),
        ("created_at", stored::CREATED_AT),
        ("updated_at", stored::UPDATED_AT),
        ("sort_name", stored::SORT_NAME),
    ],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    filters: &[
        Filter {
            name: "tag",
            description: "Carries this tag; case and accents do not count.",
            values: Values::Text { max_length: 100 },
            operators: Operators::Set,
            default: None,
            predicate: |_, tag| Ok(has_key::<Contact>(vec![Key::new(KeyKind::Tag, text::fold(tag))])),
        },
        Filter {
            name: "tier",
            description: "How close you want to be; `none` for no tier.",
            values: Values::OneOf(&["inner", "core", "active", "extended", "distant", "none"]),
            operators: Operators::AnyOf,
            default: None,
            predicate: |_, tier| match Tier::parse(tier) {
                Some(tier) => Ok(Predicate::equal(stored::TIER, Scalar::Text(tier.as_str().to_owned()))),
                None => Ok(Predicate::IsNull(stored::TIER)),
            },
        },
        Filter {
            name: "favorite",
            description: "Marked as a favourite, or not.",
            values: FLAGS,
            operators: Operators::Single,
            default: None,
            predicate: |_, value| flag(stored::FAVORITE, value),
        },
        Filter {
            name: "archived",
            description: "Put aside, or not, or `any`.",
            values: Values::OneOf(&["true", "false", "any"]),
            operators: Operators::Single,
            default: Some("false"),
            predicate: |_, value| match value {
                "true" => Ok(Predicate::NotNull(stored::ARCHIVED_AT)),
                "false" => Ok(Predicate::IsNull(stored::ARCHIVED_AT)),
                _ => Ok(Predicate::always()),
            },
        },
        Filter {
            name: "known",
            description: "People you know, people you want to meet (`false`), or `any`.",
            values: Values::OneOf(&["true", "false", "any"]),
            operators: Operators::Single,
            default: Some("true"),
            predicate: |_, value| match value {
                "any" => Ok(Predicate::always()),
                value => flag(stored::KNOWN, value),
            },
        },
        Filter {
            name: "is_self",
            description: "The contact that stands for yourself, or all others.",
            values: FLAGS,
            operators: Operators::Single,
            default: Some("false"),
            predicate: |_, value| flag(stored::IS_SELF, value),
        },
    ],
};

/// Looking up lists whoever has the key, archived ones and people to meet too.
pub const LOOKUP: Collection =
    Collection { lists: &["lookup_contacts"], get: "", filters: &[], searchable: false, ..COLLECTION };

pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_contacts)
        .service(create_contact)
        .service(lookup_contacts)
        .service(get_contact)
        .service(replace_contact)
        .service(update_contact)
        .service(delete_contact)
        .service(restore_contact)
        .service(list_contact_history);
}

/// What the maps of a contact hold.
pub fn map_schemas(components: ComponentsBuilder) -> ComponentsBuilder {
    components
        .schema_from::<ContactEmail>()
        .schema_from::<ContactPhone>()
        .schema_from::<ContactLink>()
        .schema_from::<ContactAddress>()
        .schema_from::<ContactDate>()
        .schema_from::<ExternalId>()
}

/// A page of contacts.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "documents what the list mechanism writes")]
struct ContactPage {
    /// The contacts, in the order asked for.
    items: Vec<Contact>,
    /// Where the next page begins, to send as `cursor`; null on the last page.
    next_cursor: Option<String>,
    /// How many fit in all; with `count=true` only.
    #[schema(required = false)]
    total: i64,
}

/// List contacts
///
/// Known and not archived ones, newest first, unless the filters say otherwise.
#[utoipa::path(tag = "contacts", security(("bearer" = ["contacts:read"])),
    responses((status = 200, description = "A page.", body = ContactPage)))]
#[get("/v1/contacts")]
async fn list_contacts(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, Problem> {
    records::list::<Contact>(&api, &caller, &request, &query, &COLLECTION).await
}

/// Make a contact
///
/// The id may be yours, so that a record made offline keeps it.
#[utoipa::path(tag = "contacts", security(("bearer" = ["contacts:write"])),
    request_body(content = ContactFields, example = json!({
        "given_name": "Dorota", "family_name": "Kozłowicz", "headline": "CTO at Poniedziałek",
        "emails": {"work": {"value": "dorota@example.com", "preferred": true}},
        "links": {"linkedin": {"url": "https://www.linkedin.com/in/dorota-kozlowicz"}},
        "how_met": {"on": "2024-10", "story": "Sat next to each other at the keynote.",
            "introduced_by_id": "01939d5e-8c00-7000-8000-0000000000a1"},
        "tier": "active", "tags": ["conference-2026"]})),
    extensions(("x-errors" = json!(["id_taken", "deleted"]))),
    responses((status = 201, description = "The contact as it was made.", body = Contact)))]
#[post("/v1/contacts")]
async fn create_contact(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    records::create::<Contact>(&api, &caller, &request, body).await
}

/// Find contacts by an exact address, number or link
///
/// Compared as matching compares them: an e-mail address without regard to case, a phone number in E.164 where it can
/// be told, a profile link by platform and handle. Archived contacts and people to meet are found too.
#[utoipa::path(tag = "contacts", security(("bearer" = ["contacts:read"])),
    params(
        ("email" = Option<String>, Query, description = "An e-mail address.", max_length = 254, example = "dorota@example.com"),
        ("phone" = Option<String>, Query, description = "A phone number; the + of an international one is %2B in a URL.", max_length = 64, example = "+48512345678"),
        ("country" = Option<String>, Query, description = "The country in whose national format `phone` is written: ISO 3166-1 alpha-2.", pattern = "^[A-Z]{2}$", example = "PL"),
        ("url" = Option<String>, Query, description = "The address of a profile or page.", max_length = 2048, example = "https://www.linkedin.com/in/dorota")),
    responses((status = 200, description = "A page of those who have it.", body = ContactPage)))]
#[get("/v1/contacts/lookup")]
async fn lookup_contacts(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let within = has_key::<Contact>(vec![lookup_key(&query)?]);
    records::list_where::<Contact>(&api, &caller, &request, &query, &LOOKUP, Some(within)).await
}

/// The one thing to look up by.
fn lookup_key(query: &Query) -> Result<Key, Problem> {
    let email = query.parsed("email", |text| {
        EmailAddress::parse(text).map(|email| Key::new(KeyKind::Email, email.normalized()))
    })?;
    let country = query.parsed("country", |text| Country::parse(text).map(|country| country.as_str()))?;
    let phone = query.parsed("phone", |text| {
        PhoneNumber::parse(text, country).map(|phone| Key::new(KeyKind::Phone, phone.normalized()))
    })?;
    let url = query.parsed("url", |text| ProfileUrl::parse(text).map(|url| Key::new(KeyKind::Link, url.key())))?;
    let mut keys = [email, phone, url].into_iter().flatten();
    match (keys.next(), keys.next()) {
        (Some(key), None) => Ok(key),
        _ => Err(Problem::new(Code::InvalidParameter).detail("Give exactly one of email, phone and url.")),
    }
}

/// Read a contact
#[utoipa::path(tag = "contacts", security(("bearer" = ["contacts:read"])),
    responses((status = 200, description = "The contact.", body = Contact)))]
#[get("/v1/contacts/{id}")]
async fn get_contact(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, Problem> {
    records::get::<Contact>(&api, &caller, &request, &query, &COLLECTION).await
}

/// Make a contact under an id of yours, or replace one
///
/// `If-None-Match: *` makes it, `If-Match` replaces it whole: what is left out takes its default. What the server sets
/// may stand in the body where it is what it is now, so that a record that was read can be edited and sent back.
#[utoipa::path(tag = "contacts", security(("bearer" = ["contacts:write"])),
    request_body(content = ContactFields, example = json!({"given_name": "Dorota", "family_name": "Kozłowicz"})),
    extensions(("x-errors" = json!(["deleted"]))),
    responses((status = 200, description = "The contact as it is now.", body = Contact),
              (status = 201, description = "The contact as it was made.", body = Contact)))]
#[put("/v1/contacts/{id}")]
async fn replace_contact(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    records::replace::<Contact>(&api, &caller, &request, body).await
}

/// Change a contact
///
/// A JSON Merge Patch (RFC 7396): what is absent stays, null clears, maps merge by key, lists are replaced. One that
/// changes nothing leaves the version as it is.
#[utoipa::path(tag = "contacts", security(("bearer" = ["contacts:write"])),
    request_body(content = ContactFields, example = json!({
        "nickname": "Dorka", "emails": {"private": {"value": "dorka@example.org"}},
        "how_met": {"introduced_by_id": "01939d5e-8c00-7000-8000-0000000000a1"}, "add_tags": ["speaker"]})),
    responses((status = 200, description = "The contact as it is now.", body = Contact)))]
#[patch("/v1/contacts/{id}")]
async fn update_contact(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    records::patch::<Contact>(&api, &caller, &request, body).await
}

/// Delete a contact
///
/// It can be restored for 30 days, with everything that went along.
#[utoipa::path(tag = "contacts", security(("bearer" = ["contacts:write"])),
    params(("purge" = Option<bool>, Query, description = "Also erase what the log holds of them: they asked to be forgotten. It cannot be taken back.")),
    extensions(("x-errors" = json!(["self_contact"]))),
    responses((status = 204, description = "It is gone.")))]
#[delete("/v1/contacts/{id}")]
async fn delete_contact(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, Problem> {
    records::delete::<Contact>(&api, &caller, &request, &query).await
}

/// Restore a deleted contact
///
/// Finds the delete and takes it back, with all that went along. A contact that exists is answered as it is.
#[utoipa::path(tag = "contacts", security(("bearer" = ["contacts:write"])),
    extensions(("x-errors" = json!(["restore_blocked"]))),
    responses((status = 200, description = "The contact as it is now.", body = Contact)))]
#[post("/v1/contacts/{id}/restore")]
async fn restore_contact(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    records::restore::<Contact>(&api, &caller, &request, body).await
}

/// The history of a contact
///
/// Who changed which field when, newest first, with the values while they are kept. Of a deleted contact too.
#[utoipa::path(tag = "contacts", security(("bearer" = ["contacts:read"])),
    params(
        ("cursor" = Option<String>, Query, description = "Where to go on: `next_cursor` of the page before.", max_length = 2048),
        ("limit" = Option<i64>, Query, description = "How many entries a page holds at most. Default: 50.", minimum = 1, maximum = 200)),
    responses((status = 200, description = "A page.", body = super::changes::HistoryPage)))]
#[get("/v1/contacts/{id}/history")]
async fn list_contact_history(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, Problem> {
    records::history::<Contact>(&api, &caller, &request, &query).await
}
