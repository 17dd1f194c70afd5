//! Check-ins: the values of key results that are measured by hand.

use serde_json::json;

use super::http::operation::Operation;
use super::http::records::collection::{Collection, Filter, FilterFn, Operators, Values, reference};
use super::http::records::operations::{nested, of_record};
use super::http::records::resource::{Resource, Texts};
use crate::domain::check_in::CheckIn;
use crate::domain::entity::Entity;
use crate::domain::fields::parse_day;
use crate::domain::key_result::KeyResult;
use crate::store::relations::{Link, Relation};
use crate::store::{ID, Predicate, Scalar, check_ins as stored};

pub const COLLECTION: Collection = Collection {
    entity: Entity::CheckIn,
    sorts: &[
        ("id", ID),
        ("created_at", stored::CREATED_AT),
        ("updated_at", stored::UPDATED_AT),
        ("on", stored::ON),
    ],
    updated_at: stored::UPDATED_AT,
    searchable: false,
    relations: &[Relation {
        name: "key_result",
        description: "The key result.",
        link: Link::To(Entity::KeyResult, "/key_result_id"),
        with: &[],
    }],
    filters: &[
        Filter {
            name: "key_result_id",
            description: "The key result.",
            values: Values::Id(Entity::KeyResult),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::KEY_RESULT, id)),
        },
        Filter {
            name: "on",
            description: "The day of the value.",
            values: Values::Day,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, text| {
                Ok(Predicate::Compare(stored::ON, comparison, Scalar::Text(parse_day(text)?.to_string())))
            }),
        },
    ],
};

impl Resource for CheckIn {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "goals",
        one: "a check-in",
        many: "check-ins",
        create_example: || json!({ "key_result_id": "01939d5e-8c00-7000-8000-0000000000a1", "on": "2026-03-02", "value": 1 }),
        update_example: || json!({ "value": 2, "note": "Finished the second one." }),
        write_errors: &[],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<CheckIn>();
    operations.extend(nested::<KeyResult, CheckIn>("", || json!({ "on": "2026-03-02", "value": 1 })));
    operations
}
