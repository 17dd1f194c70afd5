//! A part of a view: the first of a list, how many there are in all, and where to read the rest.

use serde::Serialize;
use serde_json::json;
use std::borrow::Cow;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::service::validation::views::{collect, reference_to, written};
use crate::store::lists::Section;

/// The most that a section shows, whatever it is of.
const MAX_ITEMS: usize = 100;

/// The first of a list.
#[derive(Serialize)]
pub struct SectionOf<T> {
    pub items: Vec<T>,
    pub total: i64,
    pub list: String,
}

impl<T> SectionOf<T> {
    /// The first so many of all there are.
    pub fn first(all: impl Iterator<Item = T>, limit: usize, list: String) -> Self {
        let Section { items, total } = Section::first_of(all.collect(), limit);
        Self { items, total, list }
    }

    /// What the store has found, as it is shown.
    pub fn shown<R>(section: Section<R>, show: impl FnMut(R) -> Option<T>, list: String) -> Self {
        Self { items: section.items.into_iter().filter_map(show).collect(), total: section.total, list }
    }
}

impl<T: ToSchema> PartialSchema for SectionOf<T> {
    fn schema() -> RefOr<Schema> {
        written(json!({
            "type": "object",
            "description": "The first of a list.",
            "properties": {
                "items": {
                    "type": "array", "maxItems": MAX_ITEMS, "items": { "$ref": reference_to(&T::name()) },
                    "description": "The first of them.",
                },
                "total": {
                    "type": "integer", "format": "int64", "minimum": 0, "examples": [3],
                    "description": "The number of all of them.",
                },
                "list": {
                    "type": "string", "maxLength": 2048, "examples": ["/v1/contacts"],
                    "description": "The path of the whole list.",
                },
            },
            "required": ["items", "total", "list"],
        }))
    }
}

impl<T: ToSchema> ToSchema for SectionOf<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Section", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<T>(schemas);
    }
}
