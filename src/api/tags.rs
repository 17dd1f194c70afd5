//! Tags: the labels that records carry.

use serde_json::{Value, json};

use super::http::messages::problem::Code;
use super::http::operation::Operation;
use super::http::records::collection::Collection;
use super::http::records::merge;
use super::http::records::operations::of_record;
use super::http::records::resource::{Resource, Texts};
use crate::domain::entity::Entity;
use crate::domain::tag::{CARRIERS, Tag};
use crate::store::relations::{Link, Relation};
use crate::store::{ID, tags as stored};

pub const COLLECTION: Collection = Collection {
    entity: Entity::Tag,
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
        description: "How many records of each kind have the tag, including archived contacts and people to meet.",
        link: Link::Carriers(CARRIERS, "/name"),
        with: &[],
    }],
    filters: &[],
};

impl Resource for Tag {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "tags",
        one: "a tag",
        many: "tags",
        create_example: || json!({"name": "board-games", "color": "#2f855a"}),
        update_example: || json!({"name": "Board games"}),
        write_errors: &[Code::NameTaken],
        delete_errors: &[],
    };

    fn more_examples() -> Vec<(&'static str, Value)> {
        vec![(
            "One to merge into another",
            json!({ "id": "01939d5e-8c00-7000-8000-0000000000b1", "name": "boardgames" }),
        )]
    }
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<Tag>();
    operations.push(merge::operation::<Tag>(
        "Every record that has one of the other tags gets the kept one instead, and the others are deleted. It is one \
         write, which `POST /v1/changes/{write}/revert` reverts.",
        || {
            json!({
                "keep_id": "01939d5e-8c00-7000-8000-0000000000a1",
                "merge_ids": ["01939d5e-8c00-7000-8000-0000000000b1"],
                "fields": {"color": "#2f855a"}
            })
        },
        &[Code::NameTaken],
    ));
    operations
}
