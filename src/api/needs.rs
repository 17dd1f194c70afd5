//! Needs: what somebody needs, can offer, or is interested in.

use serde_json::json;

use super::http::operation::Operation;
use super::http::records::collection::{Collection, Filter, FilterFn, Operators, Values, reference, word};
use super::http::records::operations::{nested, of_record};
use super::http::records::resource::{Resource, Texts};
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::need::{Need, NeedKind, NeedStatus};
use crate::store::relations::{Link, Relation};
use crate::store::{ID, needs as stored};

pub const COLLECTION: Collection = Collection {
    entity: Entity::Need,
    sorts: &[("id", ID), ("created_at", stored::CREATED_AT), ("updated_at", stored::UPDATED_AT)],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    relations: &[Relation {
        name: "contact",
        description: "The contact it belongs to.",
        link: Link::To(Entity::Contact, "/contact_id"),
        with: &[],
    }],
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
            name: "kind",
            description: "A need, an offer or an interest.",
            values: Values::Enumeration("NeedKind", NeedKind::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, kind| word(stored::KIND, comparison, kind)),
        },
        Filter {
            name: "status",
            description: "The status.",
            values: Values::Enumeration("NeedStatus", NeedStatus::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, status| word(stored::STATUS, comparison, status)),
        },
    ],
};

impl Resource for Need {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "needs",
        one: "a need, offer or interest",
        many: "needs, offers and interests",
        create_example: || {
            json!({
                "contact_id": "01939d5e-8c00-7000-8000-0000000000a1", "kind": "need", "topic": "hiring rust engineers",
                "detail": "Two seniors by summer."
            })
        },
        update_example: || json!({ "status": "met", "contact_id": "01939d5e-8c00-7000-8000-0000000000a1" }),
        write_errors: &[],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<Need>();
    operations
        .extend(nested::<Contact, Need>("", || json!({ "kind": "offer", "topic": "introductions to investors" })));
    operations
}
