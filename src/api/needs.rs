//! Needs: what somebody needs, can offer, or cares about.

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
use super::http::query::Query;
use super::http::records;
use super::http::resource::Resource;
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::id::NeedId;
use crate::domain::invalid::Invalid;
use crate::domain::need::{Need, NeedFields, NeedKind, NeedStatus};
use crate::domain::timestamp::Timestamp;
use crate::store::relations::{Link, Relation};
use crate::store::{ID, Predicate, Scalar, needs as stored};

impl Resource for Need {
    type Fields = NeedFields;
    const INPUT: &'static str = "NeedInput";
    const PATCH: &'static str = "NeedPatch";
    const READ_ONLY: &'static [&'static str] = &["created_at", "updated_at", "version"];

    fn new(id: Uuid, now: Timestamp, fields: NeedFields) -> Result<Self, Invalid> {
        Self::new(NeedId::new(id), now, fields)
    }

    fn with(&self, fields: NeedFields) -> Result<Self, Invalid> {
        self.with(fields)
    }

    fn fields(&self) -> &NeedFields {
        &self.fields
    }
}

pub const COLLECTION: Collection = Collection {
    entity: Entity::Need,
    lists: &["list_needs", "list_contact_needs"],
    get: "get_need",
    sorts: &[("id", ID), ("created_at", stored::CREATED_AT), ("updated_at", stored::UPDATED_AT)],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    relations: &[Relation {
        name: "contact",
        description: "Whose it is.",
        link: Link::To(Entity::Contact, "/contact_id"),
        with: &[],
    }],
    filters: &[
        Filter {
            name: "contact_id",
            description: "Whose it is.",
            values: Values::Id(Entity::Contact),
            operators: Operators::AnyOf,
            default: None,
            predicate: Narrowing::Always(|_, id| reference(stored::CONTACT, id)),
        },
        Filter {
            name: "kind",
            description: "Needed, offered, or cared about.",
            values: Values::OneOf(NeedKind::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: Narrowing::Always(|comparison, kind| word(stored::KIND, comparison, kind)),
        },
        Filter {
            name: "status",
            description: "Where it stands.",
            values: Values::OneOf(NeedStatus::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: Narrowing::Always(|comparison, status| word(stored::STATUS, comparison, status)),
        },
    ],
};

record_operations! {
    record: Need, fields: NeedFields, page: NeedPage, collection: COLLECTION,
    tag: "needs", read: "relationships:read", write: "relationships:write",
    list: list_needs "/v1/needs" "List needs, offers and interests",
    create: create_need "Make a need, an offer or an interest" {
        "contact_id": "01939d5e-8c00-7000-8000-0000000000a1", "kind": "need", "topic": "hiring rust engineers",
        "detail": "Two seniors by summer."
    },
    get: get_need "/v1/needs/{id}" "Read a need",
    replace: replace_need "Make a need under an id of yours, or replace one",
    update: update_need "Change a need" {"status": "met", "contact_id": "01939d5e-8c00-7000-8000-0000000000a1"},
    delete: delete_need "Delete a need" [],
    restore: restore_need "/v1/needs/{id}/restore" "Restore a deleted need",
    history: list_need_history "/v1/needs/{id}/history" "The history of a need",
}

nested_operations! {
    record: Need, under: Contact, fields: NeedFields, page: NeedPage, collection: COLLECTION,
    tag: "needs", read: "relationships:read", write: "relationships:write",
    list: list_contact_needs "/v1/contacts/{id}/needs" "List the needs, offers and interests of a contact",
    within: |id| Predicate::equal(stored::CONTACT, Scalar::Id(id)),
    create: create_contact_need "Make a need, an offer or an interest of a contact" {
        "kind": "offer", "topic": "introductions to investors"
    },
}

pub fn routes(config: &mut ServiceConfig<'_>) {
    record_routes(config);
    config.service(list_contact_needs).service(create_contact_need);
}
