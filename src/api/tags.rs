//! Tags: the labels that records carry.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, put};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::Api;
use super::http::body::Body;
use super::http::caller::Caller;
use super::http::listing::Collection;
use super::http::merging::{self, Mergeable, merge_schemas};
use super::http::operations::record_operations;
use super::http::problem::Problem;
use super::http::query::Query;
use super::http::records;
use super::http::resource::Resource;
use crate::domain::entity::Entity;
use crate::domain::id::TagId;
use crate::domain::invalid::Invalid;
use crate::domain::tag::{CARRIERS, MAX_PER_WORKSPACE, Tag, TagFields};
use crate::domain::timestamp::Timestamp;
use crate::store::relations::{Link, Relation};
use crate::store::{ID, Predicate, Result as StoreResult, Tx, tags as stored};

impl Resource for Tag {
    type Fields = TagFields;
    const INPUT: &'static str = "TagInput";
    const PATCH: &'static str = "TagPatch";
    const READ_ONLY: &'static [&'static str] = &["created_at", "updated_at", "version"];

    fn new(id: Uuid, now: Timestamp, fields: TagFields) -> Result<Self, Invalid> {
        Self::new(TagId::new(id), now, fields)
    }

    fn with(&self, fields: TagFields) -> Result<Self, Invalid> {
        self.with(fields)
    }

    fn fields(&self) -> &TagFields {
        &self.fields
    }

    fn prepare(&mut self, tx: &mut Tx<'_>, before: Option<&Self>) -> StoreResult<()> {
        match before {
            None => crate::store::checks::check_room::<Self>(
                tx,
                Predicate::always(),
                MAX_PER_WORKSPACE,
                "/name",
                "tags",
            ),
            Some(_) => Ok(()),
        }
    }
}

impl Mergeable for Tag {
    const MERGE: &'static str = "TagMergeInput";

    fn united(&self, others: &[Self]) -> TagFields {
        self.united(others)
    }
}

merge_schemas!(TagMerge, TagMerged, Entity::Tag, "TagFields", "Tag");

pub const COLLECTION: Collection = Collection {
    entity: Entity::Tag,
    lists: &["list_tags"],
    get: "get_tag",
    sorts: &[
        ("id", ID),
        ("created_at", stored::CREATED_AT),
        ("updated_at", stored::UPDATED_AT),
        ("name", stored::NAME),
    ],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    relations: &[Relation {
        name: "counts",
        description: "How many records of each kind carry it, archived ones and people to meet too.",
        link: Link::Carriers(CARRIERS, "/name"),
        with: &[],
    }],
    filters: &[],
};

record_operations! {
    record: Tag, fields: TagFields, page: TagPage, collection: COLLECTION,
    tag: "tags", read: "contacts:read", write: "contacts:write", conflicts: ["name_taken"],
    list: list_tags "/v1/tags" "List tags",
    create: create_tag "Make a tag" {"name": "conference-2026", "color": "#2f855a"},
    get: get_tag "/v1/tags/{id}" "Read a tag",
    replace: replace_tag "Make a tag under an id of yours, or replace one",
    update: update_tag "Rename a tag, or change its color" {"name": "Conference 2026"},
    delete: delete_tag "Delete a tag, and take it from every record that carries it" [],
    restore: restore_tag "/v1/tags/{id}/restore" "Restore a deleted tag",
    history: list_tag_history "/v1/tags/{id}/history" "The history of a tag",
}

pub fn routes(config: &mut ServiceConfig<'_>) {
    // Before `/v1/tags/{id}`, which would take it for an id.
    config.service(merge_tags);
    record_routes(config);
}

/// Merge tags
///
/// Every record that carries one of the others carries the one that is kept instead, and the others are gone: one write,
/// which `POST /v1/changes/{write}/revert` takes back.
#[utoipa::path(tag = "tags", security(("bearer" = ["contacts:write"])),
    params(("dry_run" = Option<bool>, Query, description = "Only tell what would come of it.")),
    request_body(content = TagMerge, example = json!({
        "keep_id": "01939d5e-8c00-7000-8000-0000000000b1", "merge_ids": ["01939d5e-8c00-7000-8000-0000000000b2"],
        "fields": {"color": "#2f855a"}})),
    extensions(("x-errors" = json!(["name_taken"]))),
    responses((status = 200, description = "The tag that is left.", body = TagMerged)))]
#[post("/v1/tags/merge")]
async fn merge_tags(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    merging::merge::<Tag>(&api, &caller, &request, &query, body).await
}
