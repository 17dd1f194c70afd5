//! A page of a list as it is answered. What is on it, `listing.rs` and the store decide.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Serialize;

use super::problem::{Code, Problem};
use super::query::Query;

/// A page of a list: `{"items": […], "next_cursor": …}`.
#[derive(Serialize)]
pub struct PageOut<'a, R> {
    pub items: &'a [R],
    pub next_cursor: Option<&'a str>,
    /// How many fit in all, where it was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// What the tags of the records begin with, in lists of records that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag_prefix: Option<String>,
}

impl<'a, R: Serialize> PageOut<'a, R> {
    pub fn of(items: &'a [R], next_cursor: Option<&'a str>) -> Self {
        Self { items, next_cursor, total: None, etag_prefix: None }
    }

    /// The answer, with a `Link` to the next page.
    pub fn respond(&self, path: &str, query: &Query) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        if let Some(cursor) = self.next_cursor {
            let next = query.with("cursor", cursor);
            response.insert_header((header::LINK, format!("<{path}?{next}>; rel=\"next\"")));
        }
        match serde_json::to_vec(self) {
            Ok(body) => response.content_type("application/json").body(body),
            Err(error) => actix_web::ResponseError::error_response(&Problem::new(Code::Internal).caused_by(error)),
        }
    }
}
