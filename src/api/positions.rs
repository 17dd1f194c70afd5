//! Positions: what somebody does or did somewhere.

use crate::store::organizations;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, put};
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::Api;
use super::http::body::Body;
use super::http::caller::Caller;
use super::http::listing::{Collection, Filter, Narrowing, Operators, Values, flag, reference, word};
use super::http::operations::{nested_operations, record_operations};
use super::http::problem::Problem;
use super::http::query::{Query, parse_flag};
use super::http::records;
use super::http::resource::Resource;
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::id::PositionId;
use crate::domain::invalid::Invalid;
use crate::domain::organization::Organization;
use crate::domain::position::{Position, PositionFields, PositionKind};
use crate::domain::timestamp::Timestamp;
use crate::store::lists::is_current;
use crate::store::relations::{Link, Relation};
use crate::store::{AnyId, ID, Predicate, Result as StoreResult, Scalar, Tx, positions as stored};

impl Resource for Position {
    type Fields = PositionFields;
    const INPUT: &'static str = "PositionInput";
    const PATCH: &'static str = "PositionPatch";
    const READ_ONLY: &'static [&'static str] = &["created_at", "updated_at", "version"];

    fn new(id: Uuid, now: Timestamp, fields: PositionFields) -> Result<Self, Invalid> {
        Self::new(PositionId::new(id), now, fields)
    }

    fn with(&self, fields: PositionFields) -> Result<Self, Invalid> {
        self.with(fields)
    }

    fn fields(&self) -> &PositionFields {
        &self.fields
    }

    /// Another name is that of another organization, unless it is one of those that this one goes by.
    fn follow(&mut self, tx: &mut Tx<'_>, before: &Self, patch: &Value) -> StoreResult<()> {
        let PositionFields { organization_id, organization_name, .. } = &self.fields;
        let is_silent = patch.get("organization_id").is_none();
        if let (Some(id), Some(name), true) = (organization_id, organization_name, is_silent)
            && before.fields.organization_name != *organization_name
        {
            let linked = crate::store::records::find::<Organization>(tx, AnyId::new(id.uuid()))?;
            self.fields.organization_id = linked.filter(|linked| linked.is_called(name)).map(|linked| linked.id);
        }
        Ok(())
    }

    /// A bare name is linked where it names one organization only, and one position of a contact comes first.
    fn prepare(&mut self, tx: &mut Tx<'_>, before: Option<&Self>) -> StoreResult<()> {
        let name = &self.fields.organization_name;
        let is_new_name = before.is_none_or(|before| before.fields.organization_name != *name);
        if let (None, Some(name), true) = (self.fields.organization_id, name, is_new_name) {
            self.fields.organization_id =
                organizations::organization_named(tx, name)?.map(|organization| organization.id);
        }
        if self.fields.primary { stored::make_primary(tx, self) } else { Ok(()) }
    }
}

pub const CONTACT: Relation = Relation {
    name: "contact",
    description: "Whose it is.",
    link: Link::To(Entity::Contact, "/contact_id"),
    with: &[],
};

pub const ORGANIZATION: Relation = Relation {
    name: "organization",
    description: "Where it is.",
    link: Link::To(Entity::Organization, "/organization_id"),
    with: &[],
};

pub const COLLECTION: Collection = Collection {
    entity: Entity::Position,
    lists: &["list_positions", "list_contact_positions", "list_organization_positions"],
    get: "get_position",
    sorts: &[("id", ID), ("created_at", stored::CREATED_AT), ("updated_at", stored::UPDATED_AT)],
    updated_at: stored::UPDATED_AT,
    searchable: false,
    relations: &[CONTACT, ORGANIZATION],
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
            name: "organization_id",
            description: "Where it is.",
            values: Values::Id(Entity::Organization),
            operators: Operators::AnyOf,
            default: None,
            predicate: Narrowing::Always(|_, id| reference(stored::ORGANIZATION, id)),
        },
        Filter {
            name: "kind",
            description: "How they belong to it.",
            values: Values::OneOf(PositionKind::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: Narrowing::Always(|comparison, kind| word(stored::KIND, comparison, kind)),
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
        Filter {
            name: "primary",
            description: "Is the one to show first, or not.",
            values: Values::OneOf(&["true", "false"]),
            operators: Operators::Single,
            default: None,
            predicate: Narrowing::Always(|_, value| flag(stored::PRIMARY, value)),
        },
    ],
};

record_operations! {
    record: Position, fields: PositionFields, page: PositionPage, collection: COLLECTION,
    tag: "positions", read: "contacts:read", write: "contacts:write",
    list: list_positions "/v1/positions" "List positions",
    create: create_position "Make a position" {
        "contact_id": "01939d5e-8c00-7000-8000-0000000000a1", "organization_id": "01939d5e-8c00-7000-8000-0000000000a1",
        "title": "CTO", "kind": "founder", "started_on": "2021-04", "primary": true
    },
    get: get_position "/v1/positions/{id}" "Read a position",
    replace: replace_position "Make a position under an id of yours, or replace one",
    update: update_position "Change a position" {
        "ended_on": "2026-01", "primary": false, "organization_id": "01939d5e-8c00-7000-8000-0000000000a1",
        "contact_id": "01939d5e-8c00-7000-8000-0000000000a1"
    },
    delete: delete_position "Delete a position" [],
    restore: restore_position "/v1/positions/{id}/restore" "Restore a deleted position",
    history: list_position_history "/v1/positions/{id}/history" "The history of a position",
}

nested_operations! {
    record: Position, under: Contact, fields: PositionFields, page: PositionPage, collection: COLLECTION,
    tag: "positions", read: "contacts:read", write: "contacts:write",
    list: list_contact_positions "/v1/contacts/{id}/positions" "List the positions of a contact",
    within: |id| Predicate::equal(stored::CONTACT, Scalar::Id(id)),
    create: create_contact_position "Make a position of a contact" {
        "organization_id": "01939d5e-8c00-7000-8000-0000000000a1", "title": "CTO", "started_on": "2021-04"
    },
}

nested_operations! {
    record: Position, under: Organization, fields: PositionFields, page: PositionPage, collection: COLLECTION,
    tag: "positions", read: "contacts:read", write: "contacts:write",
    list: list_organization_positions "/v1/organizations/{id}/positions" "List the positions at an organization",
    within: |id| Predicate::equal(stored::ORGANIZATION, Scalar::Id(id)),
    create: create_organization_position "Make a position at an organization" {
        "contact_id": "01939d5e-8c00-7000-8000-0000000000a1", "title": "Lecturer", "kind": "teacher"
    },
}

pub fn routes(config: &mut ServiceConfig<'_>) {
    record_routes(config);
    config
        .service(list_contact_positions)
        .service(create_contact_position)
        .service(list_organization_positions)
        .service(create_organization_position);
}
