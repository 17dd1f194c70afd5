//! Organizations: where people work, study and meet.

use actix_web::http::Method;
use chrono::NaiveDate;
use serde_json::{Value, json};

use super::context::Context;
use super::http::messages::problem::Problem;
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::collection::{Collection, Filter, FilterFn, Operators, Values, number, reference, word};
use super::http::records::operations::{PageOf, cards, of_record};
use super::http::records::resource::{Cards, Resource, Texts};
use super::http::records::{lookup, merge};
use super::positions;
use crate::domain::card::OrganizationCard;
use crate::domain::entity::Entity;
use crate::domain::id::WorkspaceId;
use crate::domain::key::{Key, KeyKind};
use crate::domain::organization::{Organization, OrganizationKind, domain_of};
use crate::domain::text;
use crate::store::lists::has_key;
use crate::store::relations::{Link, Relation};
use crate::store::{Conn, ID, Record, Result as StoreResult, organizations as stored};

pub const COLLECTION: Collection = Collection {
    entity: Entity::Organization,
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
            description: "The parent organization.",
            link: Link::To(Entity::Organization, "/parent_id"),
            with: &[],
        },
        Relation {
            name: "positions",
            description: "The positions that people have or had there, each with their `contact`: at most 100, those \
                          that are primary to their contact first, then those without an end, then the one that ends \
                          last; of these the one that began last.",
            link: Link::From(Entity::Position, "organization_id"),
            with: &[positions::CONTACT],
        },
    ],
    filters: &[
        Filter {
            name: "tag",
            description: "Has this tag. Case and accents are ignored.",
            values: Values::Text { max_length: 100, example: "conference-2026" },
            operators: Operators::Set,
            default: None,
            predicate: FilterFn::Always(|_, tag| {
                Ok(has_key::<Organization>(vec![Key::new(KeyKind::Tag, text::fold(tag))]))
            }),
        },
        Filter {
            name: "kind",
            description: "The kind of organization.",
            values: Values::Enumeration("OrganizationKind", OrganizationKind::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, kind| word(stored::KIND, comparison, kind)),
        },
        Filter {
            name: "domain",
            description: "The internet domain. A web or e-mail address is reduced to its domain.",
            values: Values::Text { max_length: 2048, example: "example.com" },
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, domain| {
                Ok(has_key::<Organization>(vec![Key::new(KeyKind::Domain, domain_of(domain)?)]))
            }),
        },
        Filter {
            name: "name",
            description: "Has exactly this name or alias. Case and accents are ignored.",
            values: Values::Text { max_length: 300, example: "Poniedziałek" },
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, name| {
                Ok(has_key::<Organization>(vec![Key::new(KeyKind::Name, text::fold(name))]))
            }),
        },
        Filter {
            name: "parent_id",
            description: "The parent organization.",
            values: Values::Id(Entity::Organization),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::PARENT, id)),
        },
        Filter {
            name: "interest",
            description: "How interested you are in the organization, from 1 to 5.",
            values: Values::Number { min: 1, max: 5 },
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, interest| number(stored::INTEREST, comparison, interest)),
        },
    ],
};

impl Resource for Organization {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "organizations",
        one: "an organization",
        many: "organizations",
        create_example: || {
            json!({
                "name": "Poniedziałek Sp.j.", "aliases": ["Poniedziałek"], "domain": "poniedzialek.example",
                "kind": "company", "industry": "Logistics",
                "links": {"linkedin": {"url": "https://www.linkedin.com/company/poniedzialek"}}, "interest": 4,
                "tags": ["target"]
            })
        },
        update_example: || {
            json!({
                "interest": 5, "add_tags": ["hiring"], "parent_id": "01939d5e-8c00-7000-8000-0000000000a2"
            })
        },
        write_errors: &[],
        delete_errors: &[],
    };

    fn more_examples() -> Vec<(&'static str, Value)> {
        vec![
            ("With a name only", json!({ "id": "01939d5e-8c00-7000-8000-0000000000a2", "name": "Tydzień Group" })),
            (
                "With a domain",
                json!({ "id": "01939d5e-8c00-7000-8000-0000000000b1", "name": "Harbour Analytics", "domain": "harbour.example" }),
            ),
            (
                "One to merge into another",
                json!({ "id": "01939d5e-8c00-7000-8000-0000000000b2", "name": "Harbour Analytics GmbH" }),
            ),
        ]
    }
}

impl Cards for Organization {
    type Card = OrganizationCard;

    fn cards(
        conn: &mut Conn,
        workspace: WorkspaceId,
        organizations: &[Self],
        on: NaiveDate,
    ) -> StoreResult<Vec<OrganizationCard>> {
        let mut subtitles = Self::subtitles(conn, workspace, organizations, on)?;
        let card =
            |organization: &Self| OrganizationCard::new(organization, subtitles.remove(&Record::id(organization)));
        Ok(organizations.iter().map(card).collect())
    }
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<Organization>();
    operations.push(cards::<Organization>());
    operations.push(look_up_operation());
    operations.push(merge::operation::<Organization>(
        "The other organizations become part of the kept one, and their names its aliases. Positions and everything \
         else that refers to the others then refers to the kept organization. It is one write, which `POST \
         /v1/changes/{write}/revert` reverts.",
        || {
            json!({
                "keep_id": "01939d5e-8c00-7000-8000-0000000000b1",
                "merge_ids": ["01939d5e-8c00-7000-8000-0000000000b2"],
                "fields": {"industry": "Software"}
            })
        },
        &[],
    ));
    operations
}

fn look_up_operation() -> Operation {
    let docs = || {
        let parameters = COLLECTION.without_filters().parameters();
        let domain = "An internet domain. A web or e-mail address is reduced to its domain.";
        Docs::new("organizations", "Look up organizations by exact domain or link")
            .description(
                "Compared as for duplicates: domains without regard to case and `www.`, links by platform and handle.",
            )
            .parameter(Parameter::text("domain", domain, 1, 2048).filled_in(json!("poniedzialek.example")))
            .parameter(
                Parameter::text("url", "The URL of one of its links.", 1, 2048)
                    .instead_of(&["domain"], json!("https://www.linkedin.com/company/poniedzialek")),
            )
            .parameters(parameters)
            .answer::<PageOf<Organization>>(200, "A page of the organizations that have it.")
            .tagged(Tagged::View)
    };
    let access = Access::scope("contacts:read");
    let path = "/v1/organizations/lookup";
    Operation::new(Method::GET, path, "lookup_organizations", access, Run::Read(look_up), docs)
}

fn look_up(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let query = context.query();
    let domain =
        query.parsed("domain", |text| domain_of(text).map(|domain| vec![Key::new(KeyKind::Domain, domain)]))?;
    lookup::look_up::<Organization>(context, conn, &[("domain", domain), ("url", lookup::link(query, "url")?)])
}
