//! Entity tags and preconditions: `"<epoch>.<schema revision>.<version>"`, and after a `-` what else the answer depends
//! on. A browser that two people use caches answers by their URL alone, so the tag of what is not one record names its
//! owner.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use chrono::NaiveDate;
use uuid::Uuid;

use super::problem::{Code, Problem};
use crate::domain::count::thousands;
use crate::domain::id::{UserId, WorkspaceId};
use crate::store::Precondition;

/// Raised when a representation changes its shape, so that nobody takes an old one for current.
pub const SCHEMA_REVISION: u32 = 9;

/// How long `If-Match` and `If-None-Match` can be.
pub const MAX_TAGS_CHARACTERS: usize = 8_192;

/// Makes and reads the entity tags of one database.
#[derive(Debug, Clone)]
pub struct ETags {
    epoch: String,
}

impl ETags {
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

    /// The weak tag of what depends on the day and on how many of something there are by now.
    pub fn of_day_and_count(&self, workspace: WorkspaceId, seq: i64, day: NaiveDate, count: i64) -> String {
        format!("W/\"{}.w{}-{seq}-{day}-{count}\"", self.prefix(), short(workspace.uuid()))
    }

    /// The weak tag of what a member of the workspace has of their own, at a version of that, and what depends on the day.
    pub fn of_member(
        &self,
        user: UserId,
        workspace: WorkspaceId,
        version: i64,
        seq: i64,
        day: NaiveDate,
    ) -> String {
        let (user, workspace) = (short(user.uuid()), short(workspace.uuid()));
        format!("W/\"{}.w{workspace}-{seq}-{day}-{user}-{version}\"", self.prefix())
    }

    /// The version in a tag of this database, whatever else the answer depended on; a proxy's `W/` is ignored.
    fn version(&self, tag: &str) -> Option<i64> {
        let inner = opaque(tag).strip_prefix('"')?.strip_suffix('"')?;
        let (rest, version) = inner.rsplit_once('.')?;
        let (epoch, _revision) = rest.rsplit_once('.')?;
        if epoch == self.epoch { version.split('-').next()?.parse().ok() } else { None }
    }
}

/// What `If-Match` and `If-None-Match` say about the record that is about to be written.
pub fn precondition(
    etags: &ETags,
    if_match: Option<&str>,
    if_none_match: Option<&str>,
) -> Result<Precondition, Problem> {
    match (if_match, if_none_match) {
        (None, None) => Ok(Precondition::None),
        (Some(tags), None) if tags.trim() == "*" => Ok(Precondition::Exists),
        (Some(tags), None) if !tags.split(',').all(is_tag) => {
            Err(Problem::request_header("If-Match", "expected entity tags as in `ETag`, with their quotes."))
        }
        (Some(tags), None) => {
            Ok(Precondition::OneOf(tags.split(',').filter_map(|tag| etags.version(tag)).collect()))
        }
        (None, Some(tags)) if tags.trim() == "*" => Ok(Precondition::Absent),
        (None, Some(_)) => {
            let detail = "only * is supported on a write. To replace, send If-Match.";
            Err(Problem::request_header("If-None-Match", detail))
        }
        (Some(_), Some(_)) => {
            let detail = "Send If-Match or If-None-Match, not both.";
            Err(Problem::new(Code::InvalidParameter).detail(detail).of_parameter("If-None-Match"))
        }
    }
}

/// Whether the client has this representation already (RFC 9110, section 13.1.2).
pub fn is_current(if_none_match: Option<&str>, tag: &str) -> bool {
    let Some(tags) = if_none_match else { return false };
    tags.trim() == "*" || tags.split(',').any(|sent| opaque(sent) == opaque(tag))
}

/// Enough of an id to tell two apart.
fn short(id: Uuid) -> String {
    id.simple().to_string().split_off(24)
}

/// A tag without a leading `W/`.
fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// `"…"`, with neither quotes nor spaces inside (RFC 9110, section 8.8.3), optionally after `W/`.
fn is_tag(text: &str) -> bool {
    let inner = opaque(text).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.is_some_and(|inner| inner.bytes().all(|byte| byte > b' ' && byte != b'"' && byte != 0x7F))
}

/// `If-Match` or `If-None-Match`.
pub fn condition(request: &HttpRequest, name: HeaderName) -> Result<Option<String>, Problem> {
    let text = text(request, name.clone())?;
    if text.as_deref().is_some_and(|text| text.len() > MAX_TAGS_CHARACTERS) {
        let detail = format!("expected at most {} characters.", thousands(MAX_TAGS_CHARACTERS));
        return Err(Problem::request_header(&as_written(&name), &detail)
            .with_params([("max", MAX_TAGS_CHARACTERS.into())]));
    }
    Ok(text)
}

/// A header as text, or its values joined where it was sent more than once.
pub fn text(request: &HttpRequest, name: HeaderName) -> Result<Option<String>, Problem> {
    let values: Vec<_> = request.headers().get_all(&name).collect();
    if values.is_empty() {
        return Ok(None);
    }
    let texts: Result<Vec<&str>, _> = values.iter().map(|value| value.to_str()).collect();
    match texts {
        Ok(texts) => Ok(Some(texts.join(", "))),
        Err(_) => Err(Problem::request_header(&as_written(&name), "expected ASCII text.")),
    }
}

/// The name of a header as the document has it: `If-Match`.
fn as_written(name: &HeaderName) -> String {
    let upper = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or_default();
        first.to_ascii_uppercase() + rest
    };
    name.as_str().split('-').map(upper).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weakened_tag_counts_and_one_of_another_database_does_not() {
        let etags = ETags::new("ab.c");
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
            assert_eq!(precondition(&etags, Some(sent), None).unwrap(), expected, "{sent}");
        }
        for none in ["7", "W/W/\"ab.c.1.7\"", "\"x\"y\"", "\"a b\"", "\"ab.c.1.7\" \"ab.c.1.8\"", ""] {
            assert!(precondition(&etags, Some(none), None).is_err(), "{none}");
        }
    }
}
