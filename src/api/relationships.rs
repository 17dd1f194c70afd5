//! Relationships: what one contact is to another, readable in both directions.

use serde_json::json;

use super::http::messages::query::parse_flag;
use super::http::operation::Operation;
use super::http::records::collection::{Collection, Filter, FilterFn, Operators, Values, reference, word};
use super::http::records::operations::{nested, of_record};
use super::http::records::resource::{Resource, Texts};
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::relationship::{Relationship, RelationshipType};
use crate::store::lists::is_current;
use crate::store::relations::{Link, Relation};
use crate::store::{ID, relationships as stored};

pub const COLLECTION: Collection = Collection {
    entity: Entity::Relationship,
    sorts: &[("id", ID), ("created_at", stored::CREATED_AT), ("updated_at", stored::UPDATED_AT)],
    updated_at: stored::UPDATED_AT,
    searchable: false,
    relations: &[
        Relation {
            name: "contact",
            description: "The contact who has the role.",
            link: Link::To(Entity::Contact, "/contact_id"),
            with: &[],
        },
        Relation {
            name: "related_contact",
            description: "The contact to whom the role applies.",
            link: Link::To(Entity::Contact, "/related_contact_id"),
            with: &[],
        },
    ],
    filters: &[
        Filter {
            name: "contact_id",
            description: "The contact who has the role.",
            values: Values::Id(Entity::Contact),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::CONTACT, id)),
        },
        Filter {
            name: "related_contact_id",
            description: "The contact to whom the role applies.",
            values: Values::Id(Entity::Contact),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::RELATED_CONTACT, id)),
        },
        Filter {
            name: "type",
            description: "What the contact is to the related contact.",
            values: Values::Enumeration("RelationshipType", RelationshipType::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, kind| word(stored::TYPE, comparison, kind)),
        },
        Filter {
            name: "current",
            description: "Whether it has started and not ended today, in the time zone of the workspace. A month or a \
                          year ends with its last day.",
            values: Values::Flag,
            operators: Operators::Single,
            default: None,
            predicate: FilterFn::ByDay(|today, value| {
                let current = is_current(stored::STARTED_ON, stored::ENDED_ON, today);
                Ok(if parse_flag(value)? { current } else { current.negated() })
            }),
        },
    ],
};

impl Resource for Relationship {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "relationships",
        one: "a relationship",
        many: "relationships",
        create_example: || {
            json!({
                "contact_id": "01939d5e-8c00-7000-8000-0000000000a1",
                "related_contact_id": "01939d5e-8c00-7000-8000-0000000000a2", "type": "manager", "started_on": "2019"
            })
        },
        update_example: || {
            json!({
                "ended_on": "2026-01", "related_contact_id": "01939d5e-8c00-7000-8000-0000000000a2"
            })
        },
        write_errors: &[],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    let note = "In both directions: what the contact is to others, and what others are to the contact.";
    let mut operations = of_record::<Relationship>();
    operations.extend(nested::<Contact, Relationship>(
        note,
        || json!({ "related_contact_id": "01939d5e-8c00-7000-8000-0000000000a2", "type": "mentor" }),
    ));
    operations
}
