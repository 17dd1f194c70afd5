//! Posts: what you publish, from the idea to how it did.

use serde_json::json;

use super::http::messages::problem::Code;
use super::http::operation::Operation;
use super::http::records::collection::{
    Collection, Filter, FilterFn, Operators, Values, instant, reference, word,
};
use super::http::records::operations::{nested, of_record};
use super::http::records::resource::{Resource, Texts};
use crate::domain::community::Community;
use crate::domain::entity::Entity;
use crate::domain::fields::{MAX_PLATFORM_CHARACTERS, parse_day};
use crate::domain::post::{Post, PostKind, PostStatus};
use crate::store::relations::{Link, Relation};
use crate::store::{ID, Predicate, Scalar, posts as stored};

pub const COLLECTION: Collection = Collection {
    entity: Entity::Post,
    sorts: &[
        ("id", ID),
        ("created_at", stored::CREATED_AT),
        ("updated_at", stored::UPDATED_AT),
        ("scheduled_on", stored::SCHEDULED),
        ("published_at", stored::PUBLISHED),
    ],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    relations: &[
        Relation {
            name: "community",
            description: "The community where it is published.",
            link: Link::To(Entity::Community, "/community_id"),
            with: &[],
        },
        Relation {
            name: "goal",
            description: "The goal that it is for.",
            link: Link::To(Entity::Goal, "/goal_id"),
            with: &[],
        },
    ],
    filters: &[
        Filter {
            name: "kind",
            description: "The kind of post.",
            values: Values::Enumeration("PostKind", PostKind::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, kind| word(stored::KIND, comparison, kind)),
        },
        Filter {
            name: "status",
            description: "The status.",
            values: Values::Enumeration("PostStatus", PostStatus::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, status| word(stored::STATUS, comparison, status)),
        },
        Filter {
            name: "platform",
            description: "The platform, in lower case.",
            values: Values::Text { max_length: MAX_PLATFORM_CHARACTERS, example: "linkedin" },
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, platform| word(stored::PLATFORM, comparison, platform)),
        },
        Filter {
            name: "community_id",
            description: "The community where it is published.",
            values: Values::Id(Entity::Community),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::COMMUNITY, id)),
        },
        Filter {
            name: "goal_id",
            description: "The goal that it is for.",
            values: Values::Id(Entity::Goal),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::GOAL, id)),
        },
        Filter {
            name: "scheduled_on",
            description: "The day on which it is to be published.",
            values: Values::Day,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, day| {
                Ok(Predicate::Compare(stored::SCHEDULED_ON, comparison, Scalar::Text(parse_day(day)?.to_string())))
            }),
        },
        Filter {
            name: "published_at",
            description: "When it was published.",
            values: Values::Instant,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, at| instant(stored::PUBLISHED_AT, comparison, at)),
        },
    ],
};

impl Resource for Post {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "posts",
        one: "a post",
        many: "posts",
        create_example: || {
            json!({
                "title": "What heat pumps taught me about product", "platform": "linkedin", "status": "scheduled",
                "scheduled_on": "2026-03-10", "community_id": "01939d5e-8c00-7000-8000-0000000000a1",
            })
        },
        update_example: || {
            json!({
                "status": "published", "published_at": "2026-03-02T08:00:00Z",
                "metrics": { "2026-03-02": { "views": 1200, "reactions": 45, "comments": 7, "shares": 2 } },
            })
        },
        write_errors: &[Code::InvalidTransition],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<Post>();
    operations.extend(nested::<Community, Post>(
        "",
        || json!({ "title": "Three lessons of a pilot", "kind": "article" }),
    ));
    operations
}
