//! Feedback: what contacts told the networker about their work, and what the networker did about it.

use serde_json::json;

use super::http::messages::problem::Code;
use super::http::messages::query::parse_flag;
use super::http::operation::Operation;
use super::http::records::collection::{Collection, Filter, FilterFn, Operators, Values, reference, word};
use super::http::records::operations::{nested, of_record};
use super::http::records::resource::{Resource, Texts};
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::feedback::{Feedback, FeedbackKind, FeedbackStatus};
use crate::domain::fields::parse_day;
use crate::domain::timestamp::Timestamp;
use crate::store::relations::{Link, Relation};
use crate::store::{ID, Predicate, Scalar, feedback as stored};

const fn to(name: &'static str, description: &'static str, entity: Entity, pointer: &'static str) -> Relation {
    Relation { name, description, link: Link::To(entity, pointer), with: &[] }
}

pub const COLLECTION: Collection = Collection {
    entity: Entity::Feedback,
    sorts: &[
        ("id", ID),
        ("created_at", stored::CREATED_AT),
        ("updated_at", stored::UPDATED_AT),
        ("status_changed_at", stored::STATUS_CHANGED),
    ],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    relations: &[
        to("contact", "The contact who gives it.", Entity::Contact, "/contact_id"),
        to("goal", "The goal that it helps.", Entity::Goal, "/goal_id"),
        to("pitch", "The pitch that it is about.", Entity::Pitch, "/pitch_id"),
        to("exchange", "The exchange that was logged when it was received.", Entity::Exchange, "/exchange_id"),
        to("follow_up", "The follow-up to report back.", Entity::FollowUp, "/follow_up_id"),
    ],
    filters: &[
        Filter {
            name: "contact_id",
            description: "The contact who gives it.",
            values: Values::Id(Entity::Contact),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::CONTACT, id)),
        },
        Filter {
            name: "kind",
            description: "The kind of feedback.",
            values: Values::Enumeration("FeedbackKind", FeedbackKind::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, kind| word(stored::KIND, comparison, kind)),
        },
        Filter {
            name: "status",
            description: "The status.",
            values: Values::Enumeration("FeedbackStatus", FeedbackStatus::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, status| word(stored::STATUS, comparison, status)),
        },
        Filter {
            name: "open",
            description: "Whether there is something left to do: it is neither reported back nor set aside.",
            values: Values::Flag,
            operators: Operators::Single,
            default: None,
            predicate: FilterFn::Always(|_, value| {
                Ok(Predicate::equal(stored::IS_OPEN, Scalar::Bool(parse_flag(value)?)))
            }),
        },
        Filter {
            name: "status_changed_at",
            description: "When it came to its status.",
            values: Values::Instant,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, at| {
                Ok(Predicate::Compare(stored::STATUS_CHANGED, comparison, Scalar::Instant(Timestamp::parse(at)?)))
            }),
        },
        Filter {
            name: "received_on",
            description: "The day on which you received it.",
            values: Values::Day,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, day| {
                Ok(Predicate::Compare(stored::RECEIVED_ON, comparison, Scalar::Text(parse_day(day)?.to_string())))
            }),
        },
        Filter {
            name: "goal_id",
            description: "The goal that it helps.",
            values: Values::Id(Entity::Goal),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::GOAL, id)),
        },
        Filter {
            name: "pitch_id",
            description: "The pitch that it is about.",
            values: Values::Id(Entity::Pitch),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::PITCH, id)),
        },
    ],
};

impl Resource for Feedback {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "feedback",
        one: "feedback",
        many: "feedback",
        create_example: || {
            json!({
                "contact_id": "01939d5e-8c00-7000-8000-0000000000a1", "kind": "critique", "topic": "My portfolio",
                "body": "Too many projects. Show three, and what changed because of you.", "received_on": "2026-02-20",
            })
        },
        update_example: || json!({ "status": "acted_on", "action": "Cut the portfolio to three projects." }),
        write_errors: &[Code::InvalidTransition, Code::LimitReached],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<Feedback>();
    operations.extend(nested::<Contact, Feedback>("", || json!({ "topic": "My talk", "status": "requested" })));
    operations
}
