//! Organizations: where people work, study and meet.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, put};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::Api;
use super::http::body::Body;
use super::http::caller::Caller;
use super::http::listing::{Collection, Filter, Narrowing, Operators, Values, number, reference, word};
use super::http::lookup;
use super::http::merging::{self, Mergeable, merge_schemas};
use super::http::operations::record_operations;
use super::http::problem::Problem;
use super::http::query::Query;
use super::http::records;
use super::http::resource::Resource;
use super::positions;
use crate::domain::entity::Entity;
use crate::domain::id::OrganizationId;
use crate::domain::invalid::Invalid;
use crate::domain::key::{Key, KeyKind};
use crate::domain::organization::{Organization, OrganizationFields, OrganizationKind, domain_of};
use crate::domain::text;
use crate::domain::timestamp::Timestamp;
use crate::store::lists::has_key;
use crate::store::relations::{Link, Relation};
use crate::store::{ID, Result as StoreResult, Tx, organizations as stored};

impl Resource for Organization {
    type Fields = OrganizationFields;
    const INPUT: &'static str = "OrganizationInput";
    const PATCH: &'static str = "OrganizationPatch";
    const READ_ONLY: &'static [&'static str] = &["created_at", "updated_at", "version"];

    fn new(id: Uuid, now: Timestamp, fields: OrganizationFields) -> Result<Self, Invalid> {
        Self::new(OrganizationId::new(id), now, fields)
    }

    fn with(&self, fields: OrganizationFields) -> Result<Self, Invalid> {
        self.with(fields)
    }

    fn fields(&self) -> &OrganizationFields {
        &self.fields
    }

    fn prepare(&mut self, tx: &mut Tx<'_>, _before: Option<&Self>) -> StoreResult<()> {
        stored::check_parents(tx, self)
    }
}

impl Mergeable for Organization {
    const MERGE: &'static str = "OrganizationMergeInput";

    fn united(&self, others: &[Self]) -> OrganizationFields {
        self.united(others)
    }
}

merge_schemas!(OrganizationMerge, OrganizationMerged, Entity::Organization, "OrganizationFields", "Organization");

pub const COLLECTION: Collection = Collection {
    entity: Entity::Organization,
    lists: &["list_organizations"],
    get: "get_organization",
    sorts: &[
        ("id", ID),
        ("created_at", stored::CREATED_AT),
        ("updated_at", stored::UPDATED_AT),
        ("name", stored::NAME),
    ],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    relations: &[
        Relation {
            name: "parent",
            description: "The organization it belongs to.",
            link: Link::To(Entity::Organization, "/parent_id"),
            with: &[],
        },
        Relation {
            name: "positions",
            description: "WriteContext does or did what there, each with their `contact`: at most 100, those that are primary to their \
                          contact first, then those without an end, then the one that ends last; of these the one that \
                          began last.",
            link: Link::From(Entity::Position, "organization_id"),
            with: &[positions::CONTACT],
        },
    ],
    filters: &[
        Filter {
            name: "tag",
            description: "Carries this tag; case and accents do not count.",
            values: Values::Text { max_length: 100 },
            operators: Operators::Set,
            default: None,
            predicate: Narrowing::Always(|_, tag| {
                Ok(has_key::<Organization>(vec![Key::new(KeyKind::Tag, text::fold(tag))]))
            }),
        },
        Filter {
            name: "kind",
            description: "What it is.",
            values: Values::OneOf(OrganizationKind::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: Narrowing::Always(|comparison, kind| word(stored::KIND, comparison, kind)),
        },
        Filter {
            name: "domain",
            description: "Its internet domain; a web or e-mail address is cut down to it.",
            values: Values::Formed { max_length: 2048, example: "example.com" },
            operators: Operators::AnyOf,
            default: None,
            predicate: Narrowing::Always(|_, domain| {
                Ok(has_key::<Organization>(vec![Key::new(KeyKind::Domain, domain_of(domain)?)]))
            }),
        },
        Filter {
            name: "name",
            description: "Goes by exactly this name, or has it as an alias; case and accents do not count.",
            values: Values::Text { max_length: 300 },
            operators: Operators::AnyOf,
            default: None,
            predicate: Narrowing::Always(|_, name| {
                Ok(has_key::<Organization>(vec![Key::new(KeyKind::Name, text::fold(name))]))
            }),
        },
        Filter {
            name: "parent_id",
            description: "The organization it belongs to.",
            values: Values::Id(Entity::Organization),
            operators: Operators::AnyOf,
            default: None,
            predicate: Narrowing::Always(|_, id| reference(stored::PARENT, id)),
        },
        Filter {
            name: "interest",
            description: "How much it interests you.",
            values: Values::Number { min: 1, max: 5 },
            operators: Operators::Ordered,
            default: None,
            predicate: Narrowing::Always(|comparison, interest| number(stored::INTEREST, comparison, interest)),
        },
    ],
};

/// Looking up lists whatever has the key.
pub const LOOKUP: Collection = COLLECTION.looked_up(&["lookup_organizations"]);

record_operations! {
    record: Organization, fields: OrganizationFields, page: OrganizationPage, collection: COLLECTION,
    tag: "organizations", read: "contacts:read", write: "contacts:write",
    list: list_organizations "/v1/organizations" "List organizations",
    create: create_organization "Make an organization" {
        "name": "Poniedziałek Sp.j.", "aliases": ["Poniedziałek"], "domain": "poniedzialek.example", "kind": "company",
        "industry": "Logistics", "parent_id": "01939d5e-8c00-7000-8000-0000000000a1",
        "links": {"linkedin": {"url": "https://www.linkedin.com/company/poniedzialek"}}, "interest": 4, "tags": ["target"]
    },
    get: get_organization "/v1/organizations/{id}" "Read an organization",
    replace: replace_organization "Make an organization under an id of yours, or replace one",
    update: update_organization "Change an organization" {"interest": 5, "add_tags": ["hiring"], "parent_id": "01939d5e-8c00-7000-8000-0000000000a1"},
    delete: delete_organization "Delete an organization" [],
    restore: restore_organization "/v1/organizations/{id}/restore" "Restore a deleted organization",
    history: list_organization_history "/v1/organizations/{id}/history" "The history of an organization",
}

pub fn routes(config: &mut ServiceConfig<'_>) {
    // Before `/v1/organizations/{id}`, which would take them for ids.
    config.service(lookup_organizations).service(merge_organizations);
    record_routes(config);
}

/// Merge organizations
///
/// The others become part of the one that is kept, and their names its aliases; positions and whatever else refers to
/// them refers to the kept one. It is one write, which `POST /v1/changes/{write}/revert` takes back.
#[utoipa::path(tag = "organizations", security(("bearer" = ["contacts:write"])),
    params(("dry_run" = Option<bool>, Query, description = "Only tell what would come of it.")),
    request_body(content = OrganizationMerge, example = json!({
        "keep_id": "01939d5e-8c00-7000-8000-0000000000b1", "merge_ids": ["01939d5e-8c00-7000-8000-0000000000b2"],
        "fields": {"domain": "poniedzialek.example"}})),
    responses((status = 200, description = "The organization that is left.", body = OrganizationMerged)))]
#[post("/v1/organizations/merge")]
async fn merge_organizations(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    merging::merge::<Organization>(&api, &caller, &request, &query, body).await
}

/// Find organizations by exact domain or link
///
/// Compared as matching compares them: a domain without regard to case and `www.`, which the address of a web site is cut
/// down to; a link by platform and handle.
#[utoipa::path(tag = "organizations", security(("bearer" = ["contacts:read"])),
    params(
        ("domain" = Option<String>, Query, description = "An internet domain; a web or e-mail address is cut down to it.", min_length = 1, max_length = 2048, example = "poniedzialek.example"),
        ("url" = Option<String>, Query, description = "The address of a profile or page among its links.", max_length = 2048, example = "https://www.linkedin.com/company/poniedzialek")),
    responses((status = 200, description = "A page of those that have it.", body = OrganizationPage)))]
#[get("/v1/organizations/lookup")]
async fn lookup_organizations(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let domain = query.parsed("domain", |text| domain_of(text).map(|domain| Key::new(KeyKind::Domain, domain)))?;
    let keys = [("domain", domain), ("url", lookup::link(&query, "url")?)];
    lookup::lookup::<Organization>(&api, &caller, &request, &query, &LOOKUP, &keys).await
}
