//! Entity tags, preconditions and answers that depend on them: `"<epoch>.<schema revision>.<version>"`, and after a `-`
//! what else the answer depends on. A browser that two people use keeps answers by their address alone, so what is not
//! of one record names whose it is.

use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpRequest, HttpResponse};
use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use super::caller::Caller;
use super::problem::{Code, Problem};
use crate::api::Api;
use crate::domain::id::{UserId, WorkspaceId};
use crate::store::{Precondition, accounts};

/// Raised when a representation changes its shape, so that nobody keeps an old one for current.
pub const SCHEMA_REVISION: u32 = 2;

/// Makes and reads the tags of one database.
#[derive(Debug, Clone)]
pub struct Tags {
    epoch: String,
}

impl Tags {
    pub fn new(epoch: &str) -> Self {
        Self { epoch: epoch.to_owned() }
    }

    /// What the tag of a record begins with; its version follows, after a dot.
    pub fn prefix(&self) -> String {
        format!("{}.{SCHEMA_REVISION}", self.epoch)
    }

    /// The strong tag of a record.
    pub fn strong(&self, version: i64) -> String {
        format!("\"{}.{version}\"", self.prefix())
    }

    /// The strong tag of an account.
    pub fn of_user(&self, user: UserId, version: i64) -> String {
        format!("\"{}.{version}-{}\"", self.prefix(), short(user.uuid()))
    }

    /// The weak tag of a record shown with others, at this number of the workspace's sequence.
    pub fn with_others(&self, version: i64, seq: i64) -> String {
        format!("W/\"{}.{version}-{seq}\"", self.prefix())
    }

    /// The weak tag of a list: the workspace's sequence.
    pub fn of_list(&self, workspace: WorkspaceId, seq: i64) -> String {
        format!("W/\"{}.w{}-{seq}\"", self.prefix(), short(workspace.uuid()))
    }

    /// The weak tag of what depends on the day as well.
    pub fn of_day(&self, workspace: WorkspaceId, seq: i64, day: NaiveDate) -> String {
        format!("W/\"{}.w{}-{seq}-{day}\"", self.prefix(), short(workspace.uuid()))
    }

    /// What `If-Match` and `If-None-Match` say of the record that is about to be written.
    pub fn precondition(&self, request: &HttpRequest) -> Result<Precondition, Problem> {
        let if_match = text(request, header::IF_MATCH)?;
        let if_none_match = text(request, header::IF_NONE_MATCH)?;
        match (if_match, if_none_match) {
            (None, None) => Ok(Precondition::None),
            (Some(tags), None) if tags.trim() == "*" => Ok(Precondition::Exists),
            (Some(tags), None) if !tags.split(',').all(is_tag) => Err(Problem::new(Code::InvalidParameter)
                .detail("Header If-Match: expected entity tags as `ETag` gives them, with their quotes.")),
            (Some(tags), None) => {
                Ok(Precondition::OneOf(tags.split(',').filter_map(|tag| self.version(tag)).collect()))
            }
            (None, Some(tags)) if tags.trim() == "*" => Ok(Precondition::Absent),
            (None, Some(_)) => Err(Problem::new(Code::InvalidParameter)
                .detail("Header If-None-Match: only * is understood on a write. To replace, send If-Match.")),
            (Some(_), Some(_)) => {
                Err(Problem::new(Code::InvalidParameter).detail("Send If-Match or If-None-Match, not both."))
            }
        }
    }

    /// Whether the client has this representation already.
    pub fn is_current(&self, request: &HttpRequest, tag: &str) -> bool {
        let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        match text(request, header::IF_NONE_MATCH) {
            Ok(Some(tags)) => tags.trim() == "*" || tags.split(',').any(|sent| weak(sent) == weak(tag)),
            _ => false,
        }
    }

    /// The version in a tag of this database, whatever else the answer depended on; a proxy's `W/` does no harm.
    fn version(&self, tag: &str) -> Option<i64> {
        let inner = opaque(tag).strip_prefix('"')?.strip_suffix('"')?;
        let (rest, version) = inner.rsplit_once('.')?;
        let (epoch, _revision) = rest.rsplit_once('.')?;
        if epoch == self.epoch { version.split('-').next()?.parse().ok() } else { None }
    }
}

/// Enough of an id to tell two apart.
fn short(id: Uuid) -> String {
    id.simple().to_string().split_off(24)
}

/// A tag without the `W/` that may stand in front.
fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// `"…"`, with neither quotes nor spaces within (RFC 9110, section 8.8.3), perhaps with a `W/` in front.
fn is_tag(text: &str) -> bool {
    let inner = opaque(text).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.is_some_and(|inner| inner.bytes().all(|byte| byte > b' ' && byte != b'"' && byte != 0x7F))
}

/// A header that may be sent once, as text.
pub fn text(request: &HttpRequest, name: HeaderName) -> Result<Option<String>, Problem> {
    let values: Vec<_> = request.headers().get_all(&name).collect();
    if values.is_empty() {
        return Ok(None);
    }
    let texts: Result<Vec<&str>, _> = values.iter().map(|value| value.to_str()).collect();
    match texts {
        Ok(texts) => Ok(Some(texts.join(", "))),
        Err(_) => Err(Problem::new(Code::InvalidParameter).detail(format!("Header {name}: only ASCII text."))),
    }
}

/// What the tag of a list says of what the client has.
pub enum ListTag {
    /// Nothing has changed since: the answer is this.
    Current(HttpResponse),
    /// Something has: the answer is to carry this tag.
    Changed(String),
}

/// The tag of everything in the workspace, read before the list itself, so that it is never newer than that.
pub async fn list_tag(api: &Api, caller: &Caller, request: &HttpRequest) -> Result<ListTag, Problem> {
    let workspace = caller.workspace;
    let (seq, _) = api.store.read(move |conn| accounts::workspace_numbers(conn, workspace)).await?;
    Ok(compared(api, request, api.tags.of_list(workspace, seq)))
}

/// The number of the last change in the workspace and the day it is there, for what depends on the day.
pub async fn seq_and_today(api: &Api, workspace: WorkspaceId) -> Result<(i64, NaiveDate), Problem> {
    let (seq, time_zone) = api.store.read(move |conn| accounts::seq_and_time_zone(conn, workspace)).await?;
    Ok((seq, time_zone.day(api.store.now())))
}

/// What this tag says of what the client has.
pub fn compared(api: &Api, request: &HttpRequest, tag: String) -> ListTag {
    match api.tags.is_current(request, &tag) {
        true => ListTag::Current(HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish()),
        false => ListTag::Changed(tag),
    }
}

/// The answer with its tag.
pub fn with_tag(mut response: HttpResponse, tag: &str) -> HttpResponse {
    if let Ok(tag) = header::HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// The answer under its tag, or 304 where the client has it.
pub fn tagged<T: Serialize>(api: &Api, request: &HttpRequest, tag: String, answer: &T) -> HttpResponse {
    match compared(api, request, tag) {
        ListTag::Current(response) => response,
        ListTag::Changed(tag) => HttpResponse::Ok().insert_header((header::ETAG, tag)).json(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_weakened_tag_counts_and_one_of_another_database_does_not() {
        let tags = Tags::new("ab.c");
        let table = [
            ("\"ab.c.1.7\"", Precondition::OneOf(vec![7])),
            ("W/\"ab.c.1.7\", \"ab.c.1.8\"", Precondition::OneOf(vec![7, 8])),
            ("W/\"ab.c.1.7-99\"", Precondition::OneOf(vec![7])),
            ("W/\"ab.c.1.w00000007-7\"", Precondition::OneOf(vec![])),
            ("\"other.1.7\"", Precondition::OneOf(vec![])),
            ("\"nonsense\"", Precondition::OneOf(vec![])),
            ("*", Precondition::Exists),
        ];
        for (sent, expected) in table {
            let request = TestRequest::default().insert_header(("If-Match", sent)).to_http_request();
            assert_eq!(tags.precondition(&request).unwrap(), expected, "{sent}");
        }
        for none in ["7", "W/W/\"ab.c.1.7\"", "\"x\"y\"", "\"a b\"", "\"ab.c.1.7\" \"ab.c.1.8\"", ""] {
            let request = TestRequest::default().insert_header(("If-Match", none)).to_http_request();
            assert!(tags.precondition(&request).is_err(), "{none}");
        }
    }
}
