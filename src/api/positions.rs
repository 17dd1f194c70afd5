//! Positions: what somebody does or did somewhere.

use serde_json::json;

use super::http::messages::query::parse_flag;
use super::http::operation::Operation;
use super::http::records::collection::{Collection, Filter, FilterFn, Operators, Values, flag, reference, word};
use super::http::records::operations::{nested, of_record};
use super::http::records::resource::{Resource, Texts};
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::organization::Organization;
use crate::domain::position::{Position, PositionKind};
use crate::store::lists::is_current;
use crate::store::relations::{Link, Relation};
use crate::store::{ID, positions as stored};

pub const CONTACT: Relation = Relation {
    name: "contact",
    description: "The contact it belongs to.",
    link: Link::To(Entity::Contact, "/contact_id"),
    with: &[],
};

pub const ORGANIZATION: Relation = Relation {
    name: "organization",
    description: "The organization of the position.",
    link: Link::To(Entity::Organization, "/organization_id"),
    with: &[],
};

pub const COLLECTION: Collection = Collection {
    entity: Entity::Position,
    sorts: &[("id", ID), ("created_at", stored::CREATED_AT), ("updated_at", stored::UPDATED_AT)],
    updated_at: stored::UPDATED_AT,
    searchable: false,
    relations: &[CONTACT, ORGANIZATION],
    filters: &[
        Filter {
            name: "contact_id",
            description: "The contact it belongs to.",
            values: Values::Id(Entity::Contact),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::CONTACT, id)),
        },
        Filter {
            name: "organization_id",
            description: "The organization of the position.",
            values: Values::Id(Entity::Organization),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::ORGANIZATION, id)),
        },
        Filter {
            name: "kind",
            description: "The kind of position.",
            values: Values::Enumeration("PositionKind", PositionKind::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, kind| word(stored::KIND, comparison, kind)),
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
        Filter {
            name: "primary",
            description: "Whether it is the contact's primary position.",
            values: Values::Flag,
            operators: Operators::Single,
            default: None,
            predicate: FilterFn::Always(|_, value| flag(stored::PRIMARY, value)),
        },
    ],
};

impl Resource for Position {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "positions",
        one: "a position",
        many: "positions",
        create_example: || {
            json!({
                "contact_id": "01939d5e-8c00-7000-8000-0000000000a1", "organization_id": "01939d5e-8c00-7000-8000-0000000000a1",
                "title": "CTO", "kind": "founder", "started_on": "2021-04", "primary": true
            })
        },
        update_example: || {
            json!({
                "ended_on": "2026-01", "primary": false, "organization_id": "01939d5e-8c00-7000-8000-0000000000a1",
                "contact_id": "01939d5e-8c00-7000-8000-0000000000a1"
            })
        },
        write_errors: &[],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<Position>();
    operations.extend(nested::<Contact, Position>("", || {
        json!({
            "organization_id": "01939d5e-8c00-7000-8000-0000000000a1", "title": "CTO", "started_on": "2021-04"
        })
    }));
    operations.extend(nested::<Organization, Position>(
        "",
        || json!({ "contact_id": "01939d5e-8c00-7000-8000-0000000000a1", "title": "Lecturer", "kind": "teacher" }),
    ));
    operations
}
