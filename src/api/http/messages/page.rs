//! A page of a list as it is answered.

use actix_web::http::header;
use serde::Serialize;

use super::problem::Problem;
use super::response::Response;
use crate::api::context::Context;

/// What an item takes, about: a contact with an address or two.
const BYTES_OF_AN_ITEM: usize = 1400;

/// A page of a list: `{"items": […], "next_cursor": …}`.
#[derive(Serialize)]
pub struct Page<'a, R> {
    pub items: &'a [R],
    pub next_cursor: Option<&'a str>,
    /// How many match in total, if they were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// What the ETags of the records begin with, in lists of records that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag_prefix: Option<String>,
}

impl<'a, R: Serialize> Page<'a, R> {
    pub fn new(items: &'a [R], next_cursor: Option<&'a str>) -> Self {
        Self { items, next_cursor, total: None, etag_prefix: None }
    }

    /// A page of records that have ETags.
    pub fn of_records(context: &Context, items: &'a [R], next_cursor: Option<&'a str>) -> Self {
        Self { etag_prefix: Some(context.api.etags.prefix()), ..Self::new(items, next_cursor) }
    }

    /// The answer, with its ETag and a `Link` to the next page.
    pub fn respond(&self, context: &Context, etag: &str) -> Result<Response, Problem> {
        let call = &context.call;
        let bytes = self.items.len().saturating_mul(BYTES_OF_AN_ITEM);
        let response = context.json_of_about(bytes, self)?.header(header::ETAG, etag);
        Ok(match self.next_cursor {
            Some(cursor) => {
                let next = call.query.with("cursor", cursor);
                response.header(header::LINK, &format!("<{}?{next}>; rel=\"next\"", call.path))
            }
            None => response,
        })
    }
}
