//! Errors as the document describes them.

use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use crate::domain::entity::Entity;
use crate::domain::id::OperationId;
use crate::service::validation::views::written;
use crate::store::LeftAloneReason;

/// An error (RFC 9457).
#[derive(utoipa::ToSchema)]
#[schema(as = Problem)]
#[allow(dead_code, reason = "documents what `to_json` writes")]
pub struct ProblemOut {
    /// A page about this kind of error, on this server.
    #[serde(rename = "type")]
    #[schema(rename = "type", max_length = 100, example = "/v1/errors/not_found")]
    kind: String,
    /// The title of this kind of error.
    #[schema(max_length = 100)]
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What went wrong this time, and what to do.
    detail: String,
    /// Identifies the request in the server's log; also in `X-Request-Id`.
    #[schema(max_length = 45, example = "urn:uuid:01939d5e-8c00-7000-8000-0000000000ff")]
    instance: String,
    /// The kind of error; stable, so clients can branch on it.
    #[schema(max_length = 64, example = "not_found")]
    code: String,
    /// The invalid values, at most 100 of them. Only with `invalid`.
    #[schema(required = false, max_items = 100)]
    errors: Vec<ProblemField>,
    /// The query parameter or request header that is wrong. Only with `invalid_parameter`, `unknown_parameter`,
    /// `invalid_cursor` and `idempotency_not_allowed`, and absent if the query string as a whole is malformed.
    #[schema(required = false, example = "limit")]
    parameter: String,
    /// The numbers and words of the detail. Only with `parameter`; empty if there are none.
    #[schema(required = false, example = json!({"min": 1, "max": 200}))]
    params: ErrorParams,
    /// `true` if there are more errors than those listed; otherwise absent.
    #[schema(required = false)]
    errors_truncated: bool,
    /// What was not reverted, and why. Only with `revert_blocked` and `restore_blocked`.
    #[schema(required = false)]
    left_alone: Vec<LeftAloneRecord>,
    /// Another record, or the one that cannot be changed: with `name_taken` the one that has the name, with `merged` the one
    /// into which this one was merged, with `series_continued` the next of the series, with `invalid_transition` the one that
    /// is in `state`. Absent with other codes.
    #[schema(required = false)]
    record: ProblemRecord,
    /// The id of the operation that is running. Only with `operation_running`, and absent if the same request starts it.
    #[schema(required = false, nullable = false)]
    operation: OperationId,
    /// The current state of the record. Only with `invalid_transition`.
    #[schema(required = false, max_length = 64, example = "cancelled")]
    state: String,
    /// The states that the record can go to. Only with `invalid_transition`.
    #[schema(required = false, example = json!(["pending"]))]
    allowed: Vec<String>,
}

/// The record that an error refers to.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "documents what `to_json` writes")]
pub struct ProblemRecord {
    entity: Entity,
    /// The record's id.
    #[schema(format = Uuid)]
    id: String,
}

/// A record, or some of its fields, that a revert did not touch.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "documents what `LeftAlone` is written as")]
pub struct LeftAloneRecord {
    entity: Entity,
    /// The record's id.
    #[schema(format = Uuid)]
    id: String,
    /// Why, as a stable word: see the page of errors.
    reason: LeftAloneWord,
    /// Why, as a sentence.
    detail: String,
    /// The fields that were left as they are because they have changed again since, as JSON pointers into the record. If the
    /// record is also in `reverted`, its other fields were restored. Empty when the reason concerns the whole record.
    #[schema(example = json!(["/headline", "/emails/work"]))]
    fields: Vec<String>,
}

/// Why a revert did not touch a record.
pub struct LeftAloneWord;

impl utoipa::PartialSchema for LeftAloneWord {
    fn schema() -> RefOr<Schema> {
        let all: Vec<&str> = LeftAloneReason::ALL.iter().map(|reason| reason.as_str()).collect();
        written(json!({ "type": "string", "description": "Why a revert did not touch a record.", "enum": all }))
    }
}

impl utoipa::ToSchema for LeftAloneWord {
    fn name() -> std::borrow::Cow<'static, str> {
        "LeftAloneReason".into()
    }
}

/// An invalid value.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "documents what `to_json` writes")]
pub struct ProblemField {
    /// Where it is in the body: a JSON pointer (RFC 6901) as a URI fragment.
    #[schema(example = "#/emails/work/value")]
    pointer: String,
    /// The kind of error; stable, so clients can branch on it.
    #[schema(max_length = 64, example = "invalid_format")]
    code: String,
    /// What is wrong, and what is allowed.
    detail: String,
    /// The numbers and words of the detail, so that a client can say it in another language; empty if there are none.
    #[schema(example = json!({"max": 200}))]
    params: ErrorParams,
    /// The record into which the one that the id names was merged: use its id. Only with `unknown_reference`, and absent if
    /// the id names no record at all.
    #[schema(required = false)]
    record: ProblemRecord,
}

/// The numbers and words of a detail, each only where the detail has it. More may be added.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "documents what is put in by name")]
struct ErrorParams {
    /// The minimum: of a number, a length or a count.
    #[schema(example = 1)]
    min: f64,
    /// The maximum: of a number, a length or a count.
    #[schema(example = 200)]
    max: f64,
    /// The actual count.
    #[schema(minimum = 0, example = 12000)]
    count: i64,
    /// The first day or instant that is allowed.
    #[schema(max_length = 40, example = "2026-03-02")]
    earliest: String,
    /// The last day or instant that is allowed.
    #[schema(max_length = 40, example = "9999-12-31")]
    latest: String,
    /// The values that are allowed.
    #[schema(example = json!(["email", "phone"]))]
    allowed: Vec<String>,
    /// The JSON types that are allowed.
    #[schema(max_items = 7, example = json!(["string", "null"]))]
    types: Vec<String>,
    /// The format, as in this document.
    #[schema(max_length = 64, example = "date")]
    format: String,
    /// The regular expression, as in this document.
    #[schema(max_length = 500, example = "^[A-Z]{2}$")]
    pattern: String,
    /// The fields or parameters one of which is required.
    #[schema(example = json!(["ids", "up_to"]))]
    any_of: Vec<String>,
    /// The field or parameter that was probably meant.
    #[schema(max_length = 64, example = "given_name")]
    suggestion: String,
}
