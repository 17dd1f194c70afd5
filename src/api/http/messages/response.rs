//! An answer on its way out, as HTTP or as one result of a batch, and what an outcome of the store is answered as.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use serde::Serialize;
use std::io::{self, Write};

use super::etag::ETags;
use super::location::location_of;
use super::problem::{Code, Problem};
use crate::store::{Outcome, Reply};

/// `Wellmet-Write`: the number by which a write can be reverted.
pub const WRITE: HeaderName = HeaderName::from_static("wellmet-write");
/// `Idempotent-Replayed`.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Status, headers and JSON of an answer.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Option<String>,
}

impl Response {
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: None }
    }

    pub fn json<T: Serialize + ?Sized>(status: u16, body: &T) -> Result<Self, Problem> {
        Self::json_of_about(status, 0, body)
    }

    /// The same, of about so many bytes: text that grows by doubling is copied each time.
    pub fn json_of_about<T: Serialize + ?Sized>(status: u16, bytes: usize, body: &T) -> Result<Self, Problem> {
        let mut text = Vec::with_capacity(bytes.max(256));
        serde_json::to_writer(&mut text, body).map_err(|error| Problem::new(Code::Internal).caused_by(error))?;
        let body = String::from_utf8(text).map_err(|error| Problem::new(Code::Internal).caused_by(error))?;
        Ok(Self { status, headers: Vec::new(), body: Some(body) })
    }

    /// The same, of so many bytes at most; serialization stops there.
    pub fn json_within<T: Serialize + ?Sized>(status: u16, body: &T, max_bytes: usize) -> Result<Self, Problem> {
        let mut text = Bounded { bytes: Vec::with_capacity(1024), left: max_bytes };
        serde_json::to_writer(&mut text, body).map_err(|error| match error.is_io() {
            true => Problem::new(Code::BodyTooLarge).detail(TOO_LARGE),
            false => Problem::new(Code::Internal).caused_by(error),
        })?;
        let body = String::from_utf8(text.bytes).map_err(|error| Problem::new(Code::Internal).caused_by(error))?;
        Ok(Self { status, headers: Vec::new(), body: Some(body) })
    }

    /// A value that is no header's is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    pub fn into_http(self) -> HttpResponse {
        let mut response =
            HttpResponse::build(StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        for header in self.headers {
            response.insert_header(header);
        }
        match self.body {
            Some(body) => response.content_type("application/json").body(body),
            None => response.finish(),
        }
    }
}

const TOO_LARGE: &str = "The answer would exceed the bytes that are left for the answers of this batch. Send the \
                         operation in another batch, or by itself.";

/// Text of a bounded length.
struct Bounded {
    bytes: Vec<u8>,
    left: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The answer to a write of records.
pub fn of_outcome(etags: &ETags, outcome: Outcome) -> Response {
    let Outcome { reply, replayed } = outcome;
    let Reply { status, record, operation, version, write, body } = reply;
    let mut response = Response { status, headers: Vec::new(), body };
    if let (Some((entity, id)), true) = (record, status == 201) {
        response = response.header(header::LOCATION, &location_of(entity, id));
    }
    if let Some(operation) = operation {
        response = response.header(header::LOCATION, &format!("/v1/operations/{operation}"));
    }
    if let (Some(version), true) = (version, record.is_some()) {
        response = response.header(header::ETAG, &etags.strong(version));
    }
    if let Some(write) = write {
        response = response.header(WRITE, &write.to_string());
    }
    if replayed {
        response = response.header(REPLAYED, "true");
    }
    response
}
