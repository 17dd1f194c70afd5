//! Dismissals of duplicates: "these two are not the same". Which records look alike is in `duplicates.rs`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, put};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::Api;
use super::http::body::Body;
use super::http::caller::Caller;
use super::http::listing::{Collection, Filter, Narrowing, Operators, Values, reference};
use super::http::operations::record_operations;
use super::http::problem::Problem;
use super::http::query::Query;
use super::http::records;
use super::http::resource::Resource;
use crate::domain::duplicate_dismissal::{DuplicateDismissal, DuplicateDismissalFields};
use crate::domain::entity::Entity;
use crate::domain::id::DuplicateDismissalId;
use crate::domain::invalid::Invalid;
use crate::domain::timestamp::Timestamp;
use crate::store::relations::{Link, Relation};
use crate::store::{ID, Predicate, Result as StoreResult, Tx, duplicate_dismissals as stored};

impl Resource for DuplicateDismissal {
    type Fields = DuplicateDismissalFields;
    const INPUT: &'static str = "DuplicateDismissalInput";
    const PATCH: &'static str = "DuplicateDismissalPatch";
    const READ_ONLY: &'static [&'static str] = &["created_at", "updated_at", "version"];

    fn new(id: Uuid, now: Timestamp, fields: DuplicateDismissalFields) -> Result<Self, Invalid> {
        Self::new(DuplicateDismissalId::new(id), now, fields)
    }

    fn with(&self, fields: DuplicateDismissalFields) -> Result<Self, Invalid> {
        self.with(fields)
    }

    fn fields(&self) -> &DuplicateDismissalFields {
        &self.fields
    }

    fn prepare(&mut self, tx: &mut Tx<'_>, before: Option<&Self>) -> StoreResult<()> {
        if before.is_some_and(|before| before.fields == self.fields) {
            return Ok(());
        }
        stored::check_is_not_dismissed(tx, self)
    }
}

pub const COLLECTION: Collection = Collection {
    entity: Entity::DuplicateDismissal,
    lists: &["list_duplicate_dismissals"],
    get: "get_duplicate_dismissal",
    sorts: &[("id", ID), ("created_at", stored::CREATED_AT), ("updated_at", stored::UPDATED_AT)],
    updated_at: stored::UPDATED_AT,
    searchable: false,
    relations: &[
        Relation {
            name: "contact",
            description: "One of two contacts.",
            link: Link::To(Entity::Contact, "/contact_id"),
            with: &[],
        },
        Relation {
            name: "other_contact",
            description: "The other contact.",
            link: Link::To(Entity::Contact, "/other_contact_id"),
            with: &[],
        },
        Relation {
            name: "organization",
            description: "One of two organizations.",
            link: Link::To(Entity::Organization, "/organization_id"),
            with: &[],
        },
        Relation {
            name: "other_organization",
            description: "The other organization.",
            link: Link::To(Entity::Organization, "/other_organization_id"),
            with: &[],
        },
    ],
    filters: &[
        Filter {
            name: "contact_id",
            description: "About this contact, on either side.",
            values: Values::Id(Entity::Contact),
            operators: Operators::AnyOf,
            default: None,
            predicate: Narrowing::Always(|_, id| {
                let sides = [stored::CONTACT, stored::OTHER_CONTACT];
                sides.iter().map(|side| reference(*side, id)).collect::<Result<_, _>>().map(Predicate::Any)
            }),
        },
        Filter {
            name: "organization_id",
            description: "About this organization, on either side.",
            values: Values::Id(Entity::Organization),
            operators: Operators::AnyOf,
            default: None,
            predicate: Narrowing::Always(|_, id| {
                let sides = [stored::ORGANIZATION, stored::OTHER_ORGANIZATION];
                sides.iter().map(|side| reference(*side, id)).collect::<Result<_, _>>().map(Predicate::Any)
            }),
        },
    ],
};

record_operations! {
    record: DuplicateDismissal, fields: DuplicateDismissalFields, page: DuplicateDismissalPage,
    collection: COLLECTION,
    tag: "duplicates", read: "contacts:read", write: "contacts:write",
    list: list_duplicate_dismissals "/v1/duplicate-dismissals" "List the pairs that were said not to be the same",
    create: create_duplicate_dismissal "Say that two records are not the same" {
        "contact_id": "01939d5e-8c00-7000-8000-0000000000b1",
        "other_contact_id": "01939d5e-8c00-7000-8000-0000000000b2"
    },
    get: get_duplicate_dismissal "/v1/duplicate-dismissals/{id}" "Read a dismissal",
    replace: replace_duplicate_dismissal "Make a dismissal under an id of yours, or replace one",
    update: update_duplicate_dismissal "Change a dismissal" {
        "other_contact_id": "01939d5e-8c00-7000-8000-0000000000b2"
    },
    delete: delete_duplicate_dismissal "Delete a dismissal, so that the pair is offered again" [],
    restore: restore_duplicate_dismissal "/v1/duplicate-dismissals/{id}/restore" "Restore a deleted dismissal",
    history: list_duplicate_dismissal_history "/v1/duplicate-dismissals/{id}/history" "The history of a dismissal",
}

pub fn routes(config: &mut ServiceConfig<'_>) {
    record_routes(config);
}
