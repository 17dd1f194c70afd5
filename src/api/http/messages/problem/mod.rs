//! Errors as they are answered: problem documents (RFC 9457), from every layer.

mod catalog;
mod schema;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Map, Value, json};
use std::fmt;

pub use self::catalog::{Code, catalog_markdown};
pub use self::schema::{LeftAloneRecord, ProblemOut};

use super::location::location_of;
use crate::domain::count::thousands;
use crate::domain::entity::Entity;
use crate::domain::id::OperationId;
use crate::domain::invalid::{FieldError, Invalid, MAX_ERRORS, Rejection};
use crate::domain::operation::MAX_AT_ONCE;
use crate::store::{AnyId, Conflict, Error as StoreError, LeftAlone, LeftAloneReason};

/// What `Retry-After` says when the server is busy.
const RETRY_SECONDS: u64 = 1;

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
            true => "A record with this id already exists and differs from this request.".to_owned(),
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
    let FieldError { pointer, code, detail, params, record, depends_on: _ } = error;
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
            Conflict::RestoreBlocked(left_alone, _)
                if !left_alone.is_empty()
                    && left_alone.iter().all(|one| one.reason == LeftAloneReason::NoLongerKept) =>
            {
                let detail = "Nothing was changed: what was deleted is no longer kept, and cannot be restored.";
                Self { left_alone, ..Self::new(Code::RestoreBlocked).detail(detail) }
            }
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
                .detail(format!("An introduction that is made requires both consents; missing: {names}.")),
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
