//! Dismissals of duplicates: two records that are not the same. Which records look alike is in `duplicates.rs`.

use serde_json::json;

use super::http::operation::Operation;
use super::http::records::collection::{Collection, Filter, FilterFn, Operators, Values, reference};
use super::http::records::operations::of_record;
use super::http::records::resource::{Resource, Texts};
use crate::domain::duplicate_dismissal::DuplicateDismissal;
use crate::domain::entity::Entity;
use crate::store::relations::{Link, Relation};
use crate::store::{ID, Predicate, duplicate_dismissals as stored};

pub const COLLECTION: Collection = Collection {
    entity: Entity::DuplicateDismissal,
    sorts: &[("id", ID), ("created_at", stored::CREATED_AT), ("updated_at", stored::UPDATED_AT)],
    updated_at: stored::UPDATED_AT,
    searchable: false,
    relations: &[
        Relation {
            name: "contact",
            description: "The first of the two contacts.",
            link: Link::To(Entity::Contact, "/contact_id"),
            with: &[],
        },
        Relation {
            name: "other_contact",
            description: "The second of the two contacts.",
            link: Link::To(Entity::Contact, "/other_contact_id"),
            with: &[],
        },
        Relation {
            name: "organization",
            description: "The first of the two organizations.",
            link: Link::To(Entity::Organization, "/organization_id"),
            with: &[],
        },
        Relation {
            name: "other_organization",
            description: "The second of the two organizations.",
            link: Link::To(Entity::Organization, "/other_organization_id"),
            with: &[],
        },
    ],
    filters: &[
        Filter {
            name: "contact_id",
            description: "Has this contact as one of the two.",
            values: Values::Id(Entity::Contact),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| {
                let sides = [stored::CONTACT, stored::OTHER_CONTACT];
                sides.iter().map(|side| reference(*side, id)).collect::<Result<_, _>>().map(Predicate::Any)
            }),
        },
        Filter {
            name: "organization_id",
            description: "Has this organization as one of the two.",
            values: Values::Id(Entity::Organization),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| {
                let sides = [stored::ORGANIZATION, stored::OTHER_ORGANIZATION];
                sides.iter().map(|side| reference(*side, id)).collect::<Result<_, _>>().map(Predicate::Any)
            }),
        },
    ],
};

impl Resource for DuplicateDismissal {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "duplicates",
        one: "a dismissal of a duplicate",
        many: "dismissals of duplicates",
        create_example: || {
            json!({
                "contact_id": "01939d5e-8c00-7000-8000-0000000000b1",
                "other_contact_id": "01939d5e-8c00-7000-8000-0000000000a2"
            })
        },
        update_example: || json!({ "other_contact_id": "01939d5e-8c00-7000-8000-0000000000a2" }),
        write_errors: &[],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    of_record::<DuplicateDismissal>()
}
