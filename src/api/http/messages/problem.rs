//! The one catalog of errors, and how they are answered: RFC 9457 from every layer. `openapi/errors.md` is made from it.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Map, Value, json};
use std::fmt;
use utoipa::openapi::{RefOr, Schema};

use super::location::location_of;
use crate::domain::count::thousands;
use crate::domain::entity::Entity;
use crate::domain::id::OperationId;
use crate::domain::invalid::{FieldError, Invalid, MAX_ERRORS, Rejection};
use crate::domain::operation::MAX_AT_ONCE;
use crate::service::validation::views::written;
use crate::store::{AnyId, Conflict, Error as StoreError, LeftAlone, LeftAloneReason};

/// What `Retry-After` says when the server is busy.
const RETRY_SECONDS: u64 = 1;

macro_rules! catalog {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// Every error this API answers with. The codes are public and stable: clients branch on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $doc])* $name,)*
        }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable name in `code`, and the end of the `type` URI.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What it means and what to do, for the generated pages.
            pub fn meaning(self) -> String {
                match self { $(Self::$name => concat!($($doc),*).trim().to_owned(),)* }
            }

            pub fn parse(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == code)
            }
        }
    };
}

catalog! {
    /// The request is malformed, or a browser sent it from an origin that this server does not allow.
    BadRequest = "bad_request", 400, "Bad request";
    /// The body is not JSON, is nested deeper than 64 levels, or has the same field twice. Send one JSON object.
    InvalidJson = "invalid_json", 400, "Invalid JSON";
    /// A query parameter or header has an invalid value, or the query string is malformed; the detail says what is
    /// allowed.
    InvalidParameter = "invalid_parameter", 400, "Invalid parameter";
    /// The query string has a parameter that this operation does not support; the detail lists the supported ones.
    UnknownParameter = "unknown_parameter", 400, "Unknown parameter";
    /// The cursor was modified, or belongs to another list: another workspace, filter or sort. Start again without
    /// a cursor.
    InvalidCursor = "invalid_cursor", 400, "Invalid cursor";
    /// This operation does not support `Idempotency-Key`, because its response is not stored. Send the request
    /// without it.
    IdempotencyNotAllowed = "idempotency_not_allowed", 400, "Idempotency-Key not allowed";
    /// No token was sent, or it is unknown, expired or revoked. Log in, or refresh the token.
    Unauthenticated = "unauthenticated", 401, "Authentication required";
    /// There is no account with this e-mail address and password.
    InvalidCredentials = "invalid_credentials", 401, "Wrong e-mail address or password";
    /// The refresh token is unknown or was already used, or its session has ended. Log in again.
    InvalidRefreshToken = "invalid_refresh_token", 401, "Invalid refresh token";
    /// The token does not have the scope that the operation requires; the detail names it.
    InsufficientScope = "insufficient_scope", 403, "Insufficient scope";
    /// Your role in this workspace does not allow the operation.
    InsufficientRole = "insufficient_role", 403, "Insufficient role";
    /// This server does not accept new accounts. Ask its operator for one.
    RegistrationClosed = "registration_closed", 403, "Registration is closed";
    /// This server sends no e-mails. Ask its operator for a new password.
    MailNotConfigured = "mail_not_configured", 403, "No e-mail";
    /// Either it does not exist or you cannot access it.
    NotFound = "not_found", 404, "Not found";
    /// The resource does not support this method; `Allow` lists the supported ones.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed";
    /// The body did not arrive in time. Nothing was done; send it again.
    BodyTimeout = "body_timeout", 408, "Request timeout";
    /// A record with this id already exists.
    IdTaken = "id_taken", 409, "Id already in use";
    /// A record with this id was deleted less than 30 days ago. Restore it (unless it was purged), or choose
    /// another id.
    Deleted = "deleted", 409, "Record deleted";
    /// The record was merged into another one, which `record` identifies and which a GET of the old id returns.
    /// Write to that one.
    Merged = "merged", 409, "Record merged";
    /// Another record, `record`, has this name; case and accents are ignored. Choose another name, or merge the
    /// two.
    NameTaken = "name_taken", 409, "Name already in use";
    /// Another account has this e-mail address. Log in instead.
    EmailTaken = "email_taken", 409, "E-mail address already in use";
    /// The contact that represents you cannot be deleted, or merged into another. It can be updated, and others
    /// can be merged into it.
    SelfContact = "self_contact", 409, "This contact represents you";
    /// You are the only owner of a workspace that has other members. Make someone else an owner first.
    LastOwner = "last_owner", 409, "A shared workspace needs an owner";
    /// The record cannot go from its current state, `state`, to the requested one; `allowed` lists the states that it can
    /// go to. `record` identifies the record.
    InvalidTransition = "invalid_transition", 409, "Invalid transition";
    /// You introduce the two, and not both have agreed; the detail says whose consent is missing. Ask them, and set
    /// `consent_a` and `consent_b` to `given`.
    ConsentMissing = "consent_missing", 409, "A consent is missing";
    /// The next record of the series, `record`, has been changed since it was created. Edit or delete that one first.
    SeriesContinued = "series_continued", 409, "The series has continued";
    /// The event has not begun, is cancelled or postponed, or you were not there; the detail says which. Update the event
    /// first.
    DebriefNotPossible = "debrief_not_possible", 409, "The event cannot be debriefed";
    /// Another operation is running in this workspace; `operation` is its id. Wait until it has finished, or cancel it, then
    /// retry.
    OperationRunning = "operation_running", 409, "An operation is running";
    /// Nothing of the write could be reverted; `left_alone` lists each record with the reason.
    RevertBlocked = "revert_blocked", 409, "Nothing could be reverted";
    /// The record could not be restored with everything that was deleted with it. `left_alone` lists what is
    /// missing or taken, and the detail names the write that can be reverted without it.
    RestoreBlocked = "restore_blocked", 409, "The record could not be restored";
    /// The token of the e-mail is unknown, was used before, or has expired. Request a new one.
    InvalidResetToken = "invalid_reset_token", 409, "Invalid token";
    /// The maximum number has been reached. Delete some first.
    LimitReached = "limit_reached", 409, "Limit reached";
    /// The cursor is older than the log of changes, older than the restore of a backup, or from a list that
    /// returned fewer kinds of record than this one. Start again without a cursor.
    CursorExpired = "cursor_expired", 410, "Cursor expired";
    /// The record does not meet the precondition: it has changed since you read it, or it exists although
    /// `If-None-Match: *` was sent. `ETag` is the current one. Read the record again, apply your changes to it,
    /// and retry.
    PreconditionFailed = "precondition_failed", 412, "Precondition failed";
    /// The body has more bytes or values than the documented limit.
    BodyTooLarge = "body_too_large", 413, "Body too large";
    /// The reply is too long to be stored under the Idempotency-Key. Nothing was done: send fewer operations or records in one
    /// request, or send it without the key.
    ReplyTooLong = "reply_too_large", 413, "Reply too long to be stored";
    /// Send `Content-Type: application/json`.
    UnsupportedMediaType = "unsupported_media_type", 415, "Unsupported media type";
    /// Send the body as it is, without `Content-Encoding`.
    UnsupportedEncoding = "unsupported_content_encoding", 415, "Unsupported content encoding";
    /// The body is well-formed, but some values are invalid; `errors` lists them, each with a JSON pointer.
    Invalid = "invalid", 422, "Invalid values";
    /// The Idempotency-Key was used before with another request. Use a new key for a new request.
    IdempotencyKeyReused = "idempotency_key_reused", 422, "Idempotency-Key already used";
    /// Another operation of the atomic batch failed, and nothing was done. Fix that operation, and send the batch
    /// again.
    FailedDependency = "failed_dependency", 424, "Another operation failed";
    /// A PUT requires a precondition: `If-None-Match: *` to create the record, `If-Match` to replace it.
    PreconditionRequired = "precondition_required", 428, "Precondition required";
    /// Too many requests; `Retry-After` says when to retry.
    RateLimited = "rate_limited", 429, "Too many requests";
    /// As many replies are stored under Idempotency-Keys as the workspace may have; each is stored for 24 hours. Nothing was
    /// done: send the request without a key, or later.
    TooManyStoredReplies = "too_many_stored_replies", 429, "Too many stored replies";
    /// An error of this server. Its log has the cause under the request id.
    Internal = "internal", 500, "Internal server error";
    /// The server is overloaded. Nothing was done; `Retry-After` says when to retry.
    Busy = "busy", 503, "The server is busy";
    /// The database cannot be reached, or cannot write. Nothing was done; `Retry-After` says when to retry.
    DatabaseUnavailable = "database_unavailable", 503, "The database is not available";
    /// The database was lost, or did not respond in time, while the request was carried out: it may have been, and it may not.
    /// Repeat it under the same Idempotency-Key, which carries it out once; without a key, read what is stored first.
    OutcomeUnknown = "outcome_unknown", 503, "The outcome is not known";
    /// The server is stopping, or the database does not respond.
    NotReady = "not_ready", 503, "The server is not ready";
}

/// A query parameter or request header that is wrong, with the numbers and words of the detail.
#[derive(Debug, Clone)]
pub struct WrongParameter {
    pub name: String,
    pub params: Map<String, Value>,
}

/// An error on its way out.
#[derive(Debug, Clone)]
pub struct Problem {
    pub code: Code,
    pub detail: String,
    pub errors: Vec<FieldError>,
    /// The query parameter or request header that is wrong.
    pub parameter: Option<Box<WrongParameter>>,
    /// Whether there are more errors than those listed.
    pub errors_truncated: bool,
    pub left_alone: Vec<LeftAlone>,
    /// The record in the way, or the one to turn to.
    pub record: Option<(Entity, AnyId)>,
    /// The operation in the way.
    pub operation: Option<OperationId>,
    /// The state of a record, and those that it can go to from there.
    pub transitions: Option<(&'static str, Vec<&'static str>)>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The version of a record that is not as a precondition demands.
    pub current_version: Option<i64>,
    /// For the log only.
    pub cause: Option<String>,
}

impl Problem {
    pub fn new(code: Code) -> Self {
        Self {
            code,
            detail: code.meaning(),
            errors: Vec::new(),
            parameter: None,
            errors_truncated: false,
            left_alone: Vec::new(),
            record: None,
            operation: None,
            transitions: None,
            headers: Vec::new(),
            current_version: None,
            cause: None,
        }
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.push((name, value));
        }
        self
    }

    #[must_use]
    pub fn caused_by(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// A query parameter with a wrong value.
    pub fn parameter(name: &str, rejection: Rejection) -> Self {
        let problem = Self::new(Code::InvalidParameter).detail(format!("Parameter {name}: {}", rejection.detail));
        let parameter = WrongParameter { name: name.to_owned(), params: rejection.params };
        Self { parameter: Some(Box::new(parameter)), ..problem }
    }

    /// A request header with a wrong value.
    pub fn request_header(name: &str, detail: &str) -> Self {
        Self::new(Code::InvalidParameter).detail(format!("Header {name}: {detail}")).of_parameter(name)
    }

    /// The numbers and words of what is said of a parameter.
    #[must_use]
    pub fn with_params<const N: usize>(mut self, params: [(&str, Value); N]) -> Self {
        if let Some(parameter) = &mut self.parameter {
            parameter.params.extend(params.map(|(name, value)| (name.to_owned(), value)));
        }
        self
    }

    /// The query parameter or request header that is wrong.
    #[must_use]
    pub fn of_parameter(self, name: &str) -> Self {
        let parameter = WrongParameter { name: name.to_owned(), params: Map::new() };
        Self { parameter: Some(Box::new(parameter)), ..self }
    }

    pub fn unauthenticated(detail: &str) -> Self {
        Self::new(Code::Unauthenticated).detail(detail).header(header::WWW_AUTHENTICATE, "Bearer")
    }

    /// As RFC 6750, section 3.1, wants it told.
    pub fn insufficient_scope(scope: &str) -> Self {
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        Self::new(Code::InsufficientScope).header(header::WWW_AUTHENTICATE, challenge)
    }

    /// With the ETag that the record has now, if it is not as a precondition demands.
    #[must_use]
    pub fn with_current_etag(self, etag: impl FnOnce(i64) -> String, wants_new: bool) -> Self {
        let Some(version) = self.current_version else { return self };
        let etag = etag(version);
        let detail = match wants_new {
            true => "A record with this id already exists.".to_owned(),
            false => {
                format!("The current ETag is {etag}. Read the record again, apply your changes to it, and retry.")
            }
        };
        self.detail(detail).header(header::ETAG, etag)
    }

    /// The body of the answer; `instance` is known at the edge only.
    pub fn to_json(&self, instance: Option<&str>) -> Value {
        let body = json!({
            "type": format!("/v1/errors/{}", self.code.as_str()),
            "title": self.code.title(),
            "status": self.code.status(),
            "code": self.code.as_str(),
            "detail": self.detail,
            "instance": instance,
        });
        let Value::Object(mut body) = body else { return body };
        if !self.errors.is_empty() {
            body.insert("errors".to_owned(), self.errors.iter().map(error_json).collect());
        }
        if let Some(parameter) = &self.parameter {
            body.insert("parameter".to_owned(), json!(parameter.name));
            body.insert("params".to_owned(), json!(parameter.params));
        }
        if self.errors_truncated {
            body.insert("errors_truncated".to_owned(), Value::Bool(true));
        }
        if !self.left_alone.is_empty() {
            body.insert(
                "left_alone".to_owned(),
                self.left_alone.iter().map(|left_alone| json!(left_alone)).collect(),
            );
        }
        if let Some((entity, id)) = self.record {
            body.insert("record".to_owned(), json!({ "entity": entity, "id": id }));
        }
        if let Some(operation) = self.operation {
            body.insert("operation".to_owned(), json!(operation));
        }
        if let Some((state, allowed)) = &self.transitions {
            body.insert("state".to_owned(), json!(state));
            body.insert("allowed".to_owned(), json!(allowed));
        }
        Value::Object(body)
    }

    pub fn respond(&self, instance: Option<&str>) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        if matches!(self.code.status(), 503) {
            response.insert_header((header::RETRY_AFTER, RETRY_SECONDS.to_string()));
        }
        response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
        response.body(self.to_json(instance).to_string())
    }

    /// For an answer of the framework's own that has to be replaced.
    pub fn of_status(status: StatusCode) -> Self {
        let code = match status.as_u16() {
            404 => Code::NotFound,
            405 => Code::MethodNotAllowed,
            408 => Code::BodyTimeout,
            413 => Code::BodyTooLarge,
            415 => Code::UnsupportedMediaType,
            503 => Code::Busy,
            400..=499 => Code::BadRequest,
            _ => Code::Internal,
        };
        Self::new(code)
    }
}

fn error_json(error: &FieldError) -> Value {
    let FieldError { pointer, code, detail, params, record, alternatives: _ } = error;
    let mut body = json!({ "pointer": pointer, "code": code.as_str(), "detail": detail, "params": params });
    if let (Some((entity, id)), Some(body)) = (record, body.as_object_mut()) {
        body.insert("record".to_owned(), json!({ "entity": entity, "id": id }));
    }
    body
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code.status(), self.code.as_str())
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The edge renders it anew, with the request's id.
    fn error_response(&self) -> HttpResponse {
        let mut response = self.respond(None);
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        let detail = match invalid.errors.as_slice() {
            [one] => format!("{}: {}", one.pointer, one.detail),
            _ if invalid.truncated => {
                format!("More than {MAX_ERRORS} values are invalid; `errors` lists the first {MAX_ERRORS}.")
            }
            many => format!("{} values are invalid; `errors` lists them.", many.len()),
        };
        let Invalid { errors, truncated: errors_truncated } = invalid;
        Self { errors, errors_truncated, ..Self::new(Code::Invalid).detail(detail) }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::new(Code::NotFound),
            StoreError::Invalid(invalid) => invalid.into(),
            StoreError::Conflict(conflict) => conflict.into(),
            StoreError::PreconditionFailed(current_version) => {
                Self { current_version, ..Self::new(Code::PreconditionFailed) }
            }
            StoreError::CursorExpired => Self::new(Code::CursorExpired),
            StoreError::Unavailable(cause) => Self::new(Code::DatabaseUnavailable).caused_by(cause),
            StoreError::OutcomeUnknown(cause) => Self::new(Code::OutcomeUnknown).caused_by(cause),
            StoreError::Busy(cause) => Self::new(Code::Busy).caused_by(cause),
            StoreError::Internal(cause) => Self::new(Code::Internal).caused_by(cause),
        }
    }
}

impl From<Conflict> for Problem {
    fn from(conflict: Conflict) -> Self {
        match conflict {
            Conflict::IdTaken => Self::new(Code::IdTaken),
            Conflict::Deleted => Self::new(Code::Deleted),
            Conflict::NameTaken(entity, id) => {
                let holder = location_of(entity, id);
                let detail = format!("Another {entity} has this name: {holder}.");
                Self { record: Some((entity, id)), ..Self::new(Code::NameTaken).detail(detail) }
            }
            Conflict::Merged(entity, id) => {
                let detail =
                    format!("This {entity} was merged into {}. Write to that one.", location_of(entity, id));
                Self { record: Some((entity, id)), ..Self::new(Code::Merged).detail(detail) }
            }
            Conflict::EmailTaken => Self::new(Code::EmailTaken),
            Conflict::RegistrationClosed => Self::new(Code::RegistrationClosed),
            Conflict::Permanent => Self::new(Code::SelfContact),
            Conflict::IdempotencyKeyReused => Self::new(Code::IdempotencyKeyReused),
            Conflict::ScopeRequired(scope) => Self::insufficient_scope(&scope)
                .detail(format!("The reply stored under this Idempotency-Key requires the scope {scope}.")),
            Conflict::ReplyTooLong => Self::new(Code::ReplyTooLong),
            Conflict::TooManyKeptReplies => {
                Self::new(Code::TooManyStoredReplies).header(header::RETRY_AFTER, "3600")
            }
            Conflict::LastOwner => Self::new(Code::LastOwner),
            Conflict::RevertBlocked(left_alone) => Self { left_alone, ..Self::new(Code::RevertBlocked) },
            Conflict::RestoreBlocked(left_alone, write) => {
                let detail = format!(
                    "Nothing was changed: `left_alone` lists what could not be restored. POST \
                     /v1/changes/{write}/revert reverts the rest of the write."
                );
                Self { left_alone, ..Self::new(Code::RestoreBlocked).detail(detail) }
            }
            Conflict::InvalidTransition { record: (entity, id), state, to, allowed } => {
                let detail = format!(
                    "{} is {state} and cannot become {to}. Allowed: {}.",
                    location_of(entity, id),
                    allowed.join(", ")
                );
                let problem = Self::new(Code::InvalidTransition).detail(detail);
                Self { record: Some((entity, id)), transitions: Some((state, allowed)), ..problem }
            }
            Conflict::ConsentMissing(names) => Self::new(Code::ConsentMissing)
                .detail(format!("The introduction cannot be made: the consent of {names} is missing.")),
            Conflict::SeriesContinued(entity, id) => {
                let next = location_of(entity, id);
                let detail = format!("{next}, which follows it, has been changed. Edit or delete that one first.");
                Self { record: Some((entity, id)), ..Self::new(Code::SeriesContinued).detail(detail) }
            }
            Conflict::NoDebrief(reason) => Self::new(Code::DebriefNotPossible).detail(reason.detail()),
            Conflict::OperationRunning(operation) => Self { operation, ..Self::new(Code::OperationRunning) },
            Conflict::TooLargeForDryRun => Self::new(Code::LimitReached)
                .detail(format!("A dry run covers writes of at most {} changes.", thousands(MAX_AT_ONCE))),
            Conflict::TooMany(what) => {
                Self::new(Code::LimitReached).detail(format!("The maximum number of {what} has been reached."))
            }
        }
    }
}

/// `openapi/errors.md`: the catalog, for people.
pub fn catalog_markdown() -> String {
    use crate::domain::invalid::FieldCode;

    let mut out = String::from(
        "# Errors\n\n\
         Generated from the code; do not edit. Every answer of 400 and above to a request whose head could be read is \
         `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`, `instance` and `code`. \
         Branch on `code`. A 400 that is about a query parameter or a request header names it in `parameter`; `params` has \
         the numbers and words of the detail, such as `{\"min\": 1, \"max\": 200}`, for clients that say it in another \
         language.\n\n\
         A request whose head cannot be read as HTTP never reaches the program: the HTTP library answers 400 without a \
         body and closes the connection. So it does if the URL has 65,535 bytes or more; with 431 if the whole head is longer \
         than 131,072 bytes or has more than 96 headers; and with 408 if the head does not arrive within 10 seconds.\n\n\
         | status | code | meaning, and what to do |\n\
         |---|---|---|\n",
    );
    for code in Code::ALL {
        out.push_str(&format!("| {} | `{}` | {} |\n", code.status(), code.as_str(), code.meaning()));
    }
    out.push_str(
        "\n## Codes in `errors`\n\nA 422 `invalid` lists the invalid values, each with a JSON pointer and `params`, at \
         most 100 of them. An `unknown_reference` to a record that was merged into another has that one in `record`.\n\n\
         | code | meaning |\n|---|---|\n",
    );
    for code in FieldCode::ALL {
        out.push_str(&format!("| `{}` | {} |\n", code.as_str(), code.meaning()));
    }
    out.push_str("\n## Reasons in `left_alone`\n\nWhy a revert does not touch a record.\n\n| reason | meaning |\n|---|---|\n");
    for reason in LeftAloneReason::ALL {
        out.push_str(&format!("| `{}` | {} |\n", reason.as_str(), reason.detail()));
    }
    out
}

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
    /// The query parameter or request header that is wrong. Only with `invalid_parameter`, `unknown_parameter` and
    /// `invalid_cursor`, and absent if the query string as a whole is malformed.
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
    /// The record that has the name, into which this one was merged, that is in the state, or that follows this one. Only
    /// with `name_taken`, `merged`, `invalid_transition` and `series_continued`.
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
    /// The field that was probably meant.
    #[schema(max_length = 64, example = "given_name")]
    suggestion: String,
}
