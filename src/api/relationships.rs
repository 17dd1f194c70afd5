//! Relationships: who is what to whom, read both ways.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, put};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::Api;
use super::http::body::Body;
use super::http::caller::Caller;
use super::http::listing::{Collection, Filter, Narrowing, Operators, Values, reference, word};
use super::http::operations::{nested_operations, record_operations};
use super::http::problem::Problem;
use super::http::query::{Query, parse_flag};
use super::http::records;
use super::http::resource::Resource;
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::id::RelationshipId;
use crate::domain::invalid::Invalid;
use crate::domain::relationship::{Relationship, RelationshipFields, RelationshipType};
use crate::domain::timestamp::Timestamp;
use crate::store::lists::is_current;
use crate::store::relations::{Link, Relation};
use crate::store::{ID, Predicate, Scalar, relationships as stored};

impl Resource for Relationship {
    type Fields = RelationshipFields;
    const INPUT: &'static str = "RelationshipInput";
    const PATCH: &'static str = "RelationshipPatch";
    const READ_ONLY: &'static [&'static str] = &["created_at", "updated_at", "version"];

    fn new(id: Uuid, now: Timestamp, fields: RelationshipFields) -> Result<Self, Invalid> {
        Self::new(RelationshipId::new(id), now, fields)
    }

    fn with(&self, fields: RelationshipFields) -> Result<Self, Invalid> {
        self.with(fields)
    }

    fn fields(&self) -> &RelationshipFields {
        &self.fields
    }
}

pub const COLLECTION: Collection = Collection {
    entity: Entity::Relationship,
    lists: &["list_relationships", "list_contact_relationships"],
    get: "get_relationship",
    sorts: &[("id", ID), ("created_at", stored::CREATED_AT), ("updated_at", stored::UPDATED_AT)],
    updated_at: stored::UPDATED_AT,
    searchable: false,
    relations: &[
        Relation {
            name: "contact",
            description: "WriteContext is it.",
            link: Link::To(Entity::Contact, "/contact_id"),
            with: &[],
        },
        Relation {
            name: "related_contact",
            description: "To whom.",
            link: Link::To(Entity::Contact, "/related_contact_id"),
            with: &[],
        },
    ],
    filters: &[
        Filter {
            name: "contact_id",
            description: "WriteContext is it.",
            values: Values::Id(Entity::Contact),
            operators: Operators::AnyOf,
            default: None,
            predicate: Narrowing::Always(|_, id| reference(stored::CONTACT, id)),
        },
        Filter {
            name: "related_contact_id",
            description: "To whom.",
            values: Values::Id(Entity::Contact),
            operators: Operators::AnyOf,
            default: None,
            predicate: Narrowing::Always(|_, id| reference(stored::RELATED_CONTACT, id)),
        },
        Filter {
            name: "type",
            description: "What the contact is to the related one.",
            values: Values::OneOf(RelationshipType::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: Narrowing::Always(|comparison, kind| word(stored::TYPE, comparison, kind)),
        },
        Filter {
            name: "current",
            description: "Today, in the time zone of the workspace, has begun and is not over, or not. A month or a year \
                          is over when its last day is.",
            values: Values::OneOf(&["true", "false"]),
            operators: Operators::Single,
            default: None,
            predicate: Narrowing::ByDay(|today, value| {
                let current = is_current(stored::STARTED_ON, stored::ENDED_ON, today);
                Ok(if parse_flag(value)? { current } else { current.negated() })
            }),
        },
    ],
};

record_operations! {
    record: Relationship, fields: RelationshipFields, page: RelationshipPage, collection: COLLECTION,
    tag: "relationships", read: "relationships:read", write: "relationships:write",
    list: list_relationships "/v1/relationships" "List relationships",
    create: create_relationship "Make a relationship" {
        "contact_id": "01939d5e-8c00-7000-8000-0000000000a1",
        "related_contact_id": "01939d5e-8c00-7000-8000-0000000000a2", "type": "manager", "started_on": "2019"
    },
    get: get_relationship "/v1/relationships/{id}" "Read a relationship",
    replace: replace_relationship "Make a relationship under an id of yours, or replace one",
    update: update_relationship "Change a relationship" {
        "ended_on": "2026-01", "related_contact_id": "01939d5e-8c00-7000-8000-0000000000a2"
    },
    delete: delete_relationship "Delete a relationship" [],
    restore: restore_relationship "/v1/relationships/{id}/restore" "Restore a deleted relationship",
    history: list_relationship_history "/v1/relationships/{id}/history" "The history of a relationship",
}

nested_operations! {
    record: Relationship, under: Contact, fields: RelationshipFields, page: RelationshipPage, collection: COLLECTION,
    tag: "relationships", read: "relationships:read", write: "relationships:write",
    list: list_contact_relationships "/v1/contacts/{id}/relationships" "List the relationships of a contact"
        "Both ways: what they are to others, and what others are to them.",
    within: |id| {
        let end = |field| Predicate::equal(field, Scalar::Id(id));
        Predicate::Any(vec![end(stored::CONTACT), end(stored::RELATED_CONTACT)])
    },
    create: create_contact_relationship "Make what a contact is to another" {
        "related_contact_id": "01939d5e-8c00-7000-8000-0000000000a2", "type": "mentor"
    },
}

pub fn routes(config: &mut ServiceConfig<'_>) {
    record_routes(config);
    config.service(list_contact_relationships).service(create_contact_relationship);
}
