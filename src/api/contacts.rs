//! Contacts: the people of the network, those to meet, and oneself.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, put};
use utoipa::openapi::ComponentsBuilder;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::Api;
use super::http::body::Body;
use super::http::caller::Caller;
use super::http::listing::{Collection, Filter, Narrowing, Operators, Values, flag, reference};
use super::http::lookup;
use super::http::merging::{self, Mergeable, merge_schemas};
use super::http::operations::record_operations;
use super::http::problem::Problem;
use super::http::query::Query;
use super::http::records;
use super::http::resource::Resource;
use super::positions as positions_api;
use crate::domain::contact::{
    Contact, ContactAddress, ContactDate, ContactEmail, ContactFields, ContactPhone, ExternalId, Tier,
};
use crate::domain::email::EmailAddress;
use crate::domain::entity::Entity;
use crate::domain::fields::ProfileLink;
use crate::domain::id::ContactId;
use crate::domain::invalid::Invalid;
use crate::domain::key::{Key, KeyKind};
use crate::domain::phone::{Country, PhoneNumber};
use crate::domain::text;
use crate::domain::timestamp::Timestamp;
use crate::store::lists::has_key;
use crate::store::relations::{Link, Relation};
use crate::store::{ID, Predicate, Scalar, contacts as stored, positions};

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

impl Mergeable for Contact {
    const MERGE: &'static str = "ContactMergeInput";

    fn united(&self, others: &[Self]) -> ContactFields {
        self.united(others)
    }
}

merge_schemas!(ContactMerge, ContactMerged, Entity::Contact, "ContactFields", "Contact");

const FLAGS: Values = Values::OneOf(&["true", "false"]);

pub const COLLECTION: Collection = Collection {
    entity: Entity::Contact,
    lists: &["list_contacts"],
    get: "get_contact",
    relations: &[
        Relation {
            name: "introduced_by",
            description: "WriteContext introduced you.",
            link: Link::To(Entity::Contact, "/how_met/introduced_by_id"),
            with: &[],
        },
        Relation {
            name: "positions",
            description: "What they do or did, each with its `organization`: at most 100, the primary one first, then those without \
                          an end, then the one that ends last; of these the one that began last.",
            link: Link::From(Entity::Position, "contact_id"),
            with: &[positions_api::ORGANIZATION],
        },
        Relation {
            name: "needs",
            description: "What they need, offer and care about: at most 100, newest first.",
            link: Link::From(Entity::Need, "contact_id"),
            with: &[],
        },
    ],
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
            predicate: Narrowing::Always(|_, tag| {
                Ok(has_key::<Contact>(vec![Key::new(KeyKind::Tag, text::fold(tag))]))
            }),
        },
        Filter {
            name: "organization_id",
            description: "Has or had a position there.",
            values: Values::Id(Entity::Organization),
            operators: Operators::AnyOf,
            default: None,
            predicate: Narrowing::Always(|_, id| {
                let there = reference(positions::ORGANIZATION, id)?;
                Ok(Predicate::ReferredBy(Entity::Position, positions::CONTACT, Box::new(there)))
            }),
        },
        Filter {
            name: "tier",
            description: "How close you want to be; `none` for no tier.",
            values: Values::OneOf(&["inner", "core", "active", "extended", "distant", "none"]),
            operators: Operators::AnyOf,
            default: None,
            predicate: Narrowing::Always(|_, tier| match Tier::parse(tier) {
                Some(tier) => Ok(Predicate::equal(stored::TIER, Scalar::Text(tier.as_str().to_owned()))),
                None => Ok(Predicate::IsNull(stored::TIER)),
            }),
        },
        Filter {
            name: "favorite",
            description: "Marked as a favourite, or not.",
            values: FLAGS,
            operators: Operators::Single,
            default: None,
            predicate: Narrowing::Always(|_, value| flag(stored::FAVORITE, value)),
        },
        Filter {
            name: "archived",
            description: "Put aside, or not, or `any`.",
            values: Values::OneOf(&["true", "false", "any"]),
            operators: Operators::Single,
            default: Some("false"),
            predicate: Narrowing::Always(|_, value| match value {
                "true" => Ok(Predicate::NotNull(stored::ARCHIVED_AT)),
                "false" => Ok(Predicate::IsNull(stored::ARCHIVED_AT)),
                _ => Ok(Predicate::always()),
            }),
        },
        Filter {
            name: "known",
            description: "People you know, people you want to meet (`false`), or `any`.",
            values: Values::OneOf(&["true", "false", "any"]),
            operators: Operators::Single,
            default: Some("true"),
            predicate: Narrowing::Always(|_, value| match value {
                "any" => Ok(Predicate::always()),
                value => flag(stored::KNOWN, value),
            }),
        },
        Filter {
            name: "is_self",
            description: "The contact that stands for yourself, or all others.",
            values: FLAGS,
            operators: Operators::Single,
            default: Some("false"),
            predicate: Narrowing::Always(|_, value| flag(stored::IS_SELF, value)),
        },
    ],
};

/// Looking up lists whoever has the key, archived ones and people to meet too.
pub const LOOKUP: Collection = COLLECTION.looked_up(&["lookup_contacts"]);

record_operations! {
    record: Contact, fields: ContactFields, page: ContactPage, collection: COLLECTION,
    tag: "contacts", read: "contacts:read", write: "contacts:write",
    list: list_contacts "/v1/contacts" "List contacts",
    create: create_contact "Make a contact" {
        "given_name": "Dorota", "family_name": "Kozłowicz", "headline": "CTO at Poniedziałek",
        "emails": {"work": {"value": "dorota@example.com", "preferred": true}},
        "links": {"linkedin": {"url": "https://www.linkedin.com/in/dorota-kozlowicz"}},
        "how_met": {"on": "2024-10", "story": "Sat next to each other at the keynote.",
            "introduced_by_id": "01939d5e-8c00-7000-8000-0000000000a1"},
        "tier": "active", "tags": ["conference-2026"]
    },
    get: get_contact "/v1/contacts/{id}" "Read a contact",
    replace: replace_contact "Make a contact under an id of yours, or replace one",
    update: update_contact "Change a contact" {
        "nickname": "Dorka", "emails": {"private": {"value": "dorka@example.org"}},
        "how_met": {"introduced_by_id": "01939d5e-8c00-7000-8000-0000000000a1"}, "add_tags": ["speaker"]
    },
    delete: delete_contact "Delete a contact" ["self_contact"],
    restore: restore_contact "/v1/contacts/{id}/restore" "Restore a deleted contact",
    history: list_contact_history "/v1/contacts/{id}/history" "The history of a contact",
}

pub fn routes(config: &mut ServiceConfig<'_>) {
    // Before `/v1/contacts/{id}`, which would take them for ids.
    config.service(lookup_contacts).service(merge_contacts);
    record_routes(config);
}

/// Merge contacts
///
/// The others become part of the one that is kept: maps and lists are united, notes stand one below the other, of
/// everything else what the kept one has counts, or else the first of the others that has anything. Known, a favourite and
/// not to be contacted is who is so in any of them, archived who is so in all. Positions,
/// relationships, needs and whatever else refers to them refers to the kept one; what then says the same twice is
/// dropped. It is one write, which `POST /v1/changes/{write}/revert` takes back. The contact that stands for yourself can
/// be kept, not merged into another.
#[utoipa::path(tag = "contacts", security(("bearer" = ["contacts:write"])),
    params(("dry_run" = Option<bool>, Query, description = "Only tell what would come of it.")),
    request_body(content = ContactMerge, example = json!({
        "keep_id": "01939d5e-8c00-7000-8000-0000000000b1", "merge_ids": ["01939d5e-8c00-7000-8000-0000000000b2"],
        "fields": {"nickname": "Dorka"}})),
    extensions(("x-errors" = json!(["self_contact"]))),
    responses((status = 200, description = "The contact that is left.", body = ContactMerged)))]
#[post("/v1/contacts/merge")]
async fn merge_contacts(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    merging::merge::<Contact>(&api, &caller, &request, &query, body).await
}

/// What the maps of a contact hold.
pub fn map_schemas(components: ComponentsBuilder) -> ComponentsBuilder {
    components
        .schema_from::<ContactEmail>()
        .schema_from::<ContactPhone>()
        .schema_from::<ProfileLink>()
        .schema_from::<ContactAddress>()
        .schema_from::<ContactDate>()
        .schema_from::<ExternalId>()
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
    let email = query.parsed("email", |text| {
        EmailAddress::parse(text).map(|email| Key::new(KeyKind::Email, email.normalized()))
    })?;
    let country = query.parsed("country", |text| Country::parse(text).map(|country| country.as_str()))?;
    let phone = query.parsed("phone", |text| {
        PhoneNumber::parse(text, country).map(|phone| Key::new(KeyKind::Phone, phone.normalized()))
    })?;
    let keys = [("email", email), ("phone", phone), ("url", lookup::link(&query, "url")?)];
    lookup::lookup::<Contact>(&api, &caller, &request, &query, &LOOKUP, &keys).await
}
