//! Carries out the operations of a batch: each passes the gate and comes to its handler just as a request of its own
//! does. What a batch is to clients is told in `api/batch.rs`.

use actix_http::Request;
use actix_service::boxed::{self, BoxService};
use actix_service::{IntoServiceFactory, Service, ServiceFactory};
use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{AppConfig, Payload, ResourceMap, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, Uri};
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest};
use futures_util::FutureExt;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use utoipa_actix_web::AppExt;

use super::caller::Caller;
use super::edge;
use super::gate::{self, Operations};
use super::problem::{Code, Problem};
use crate::api::{self, Api};
use crate::domain::invalid::{FieldCode, Invalid, Rejection, escape};
use crate::store::{Ending, Joined, Outcome, Reply, WriteContext};

/// How many operations a batch may have.
pub const MAX_OPERATIONS: usize = 100;
/// When the answers so far have so many bytes, no further operation is carried out: a hundred pages of a list need not
/// be held in memory at once.
pub const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// The headers that an operation may be sent with.
const SENT: [(&str, HeaderName); 2] = [("If-Match", header::IF_MATCH), ("If-None-Match", header::IF_NONE_MATCH)];

/// The headers that are told of an answer; the rest is the connection's, or the same for all.
const TOLD: [(&str, HeaderName); 7] = [
    ("Allow", header::ALLOW),
    ("Content-Location", header::CONTENT_LOCATION),
    ("ETag", header::ETAG),
    ("Link", header::LINK),
    ("Location", header::LOCATION),
    ("Retry-After", header::RETRY_AFTER),
    ("WWW-Authenticate", header::WWW_AUTHENTICATE),
];

/// The caller of a batch, on a request that is an operation of it. Nothing outside of this file makes one, and nothing
/// that comes over the network does.
pub struct HandedIn(Caller);

impl HandedIn {
    pub fn caller(&self) -> Caller {
        self.0.clone()
    }
}

/// One operation of a batch, fit to be carried out.
#[derive(Debug)]
pub struct Call {
    method: Method,
    uri: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Value>,
}

impl Call {
    /// The call, or everything that is wrong with it; pointers begin at the operation. Whether its body and parameters
    /// are right is for the operation to say.
    pub fn new(
        operations: &Operations,
        routes: &ResourceMap,
        method: Method,
        path: &str,
        headers: BTreeMap<String, String>,
        body: Option<Map<String, Value>>,
    ) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        let uri = invalid.check("#/path", parse_path(path));
        if let Some(uri) = &uri
            && let Err((at, rejection)) = check_operation(operations, routes, &method, uri)
        {
            invalid.add(at, rejection);
        }
        let mut sent = Vec::new();
        for (name, value) in headers {
            let header = invalid.check(format!("#/headers/{}", escape(&name)), parse_header(&name, &value, &sent));
            sent.extend(header);
        }
        let call = uri.map(|uri| Self { method, uri, headers: sent, body: body.map(Value::Object) });
        match call {
            Some(call) => invalid.into_result(call),
            None => Err(invalid),
        }
    }

    fn request(&self, of: &HttpRequest, caller: &Caller) -> Request {
        let mut request = Request::new();
        if let Some(body) = &self.body {
            request = Request::with_payload(Payload::from(body.to_string().into_bytes()));
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let head = request.head_mut();
        head.method = self.method.clone();
        head.uri = self.uri.clone();
        head.peer_addr = of.peer_addr();
        for (name, value) in self.headers.iter().cloned() {
            head.headers.insert(name, value);
        }
        request.extensions_mut().insert(HandedIn(caller.clone()));
        request
    }
}

/// A path of this server with its query: what a request line has, and no more of a URL.
fn parse_path(path: &str) -> Result<Uri, Rejection> {
    let is_plain = path.starts_with("/v1/") && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    let uri = is_plain.then(|| path.parse::<Uri>().ok()).flatten();
    uri.ok_or_else(|| {
        let detail = "Expected a path that begins with /v1/, with its query if it has one, such as \
                      /v1/contacts?limit=5: in ASCII, without a host and without a fragment.";
        Rejection::new(FieldCode::NotAllowed, detail)
    })
}

fn check_operation(
    operations: &Operations,
    routes: &ResourceMap,
    method: &Method,
    uri: &Uri,
) -> Result<(), (&'static str, Rejection)> {
    let pattern = routes.match_pattern(uri.path());
    match operations.find(pattern.as_deref(), method.as_str()) {
        Ok(operation) if operation.may_stand_in_batch() => Ok(()),
        Err(problem) if problem.code == Code::MethodNotAllowed => {
            Err(("#/method", Rejection::new(FieldCode::NotAllowed, problem.detail)))
        }
        Ok(_) | Err(_) => {
            let detail = "Allowed are the operations that need a scope, but for those of the area account; a batch is \
                          no part of another.";
            Err(("#/path", Rejection::new(FieldCode::NotAllowed, detail)))
        }
    }
}

fn parse_header(
    name: &str,
    value: &str,
    sent: &[(HeaderName, HeaderValue)],
) -> Result<(HeaderName, HeaderValue), Rejection> {
    let Some((_, known)) = SENT.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
        let names: Vec<&str> = SENT.iter().map(|(name, _)| *name).collect();
        return Err(Rejection::new(FieldCode::NotAllowed, format!("Allowed: {}.", names.join(", "))));
    };
    if sent.iter().any(|(other, _)| other == known) {
        return Err(Rejection::new(FieldCode::Contradiction, "The header may come only once."));
    }
    let value = HeaderValue::from_str(value);
    value.map(|value| (known.clone(), value)).map_err(|_| Rejection::format("Expected the text of a header."))
}

/// What is told of one answer.
#[derive(Debug, Serialize)]
struct Told {
    status: u16,
    headers: BTreeMap<&'static str, String>,
    body: Option<Box<RawValue>>,
}

impl Told {
    async fn of(response: ServiceResponse<BoxBody>) -> Self {
        let (status, headers) = (response.status().as_u16(), told_headers(response.headers()));
        let bytes = to_bytes(response.into_body()).await.unwrap_or_default();
        // What is no JSON is no answer of an operation that may stand in a batch.
        let body = String::from_utf8(bytes.to_vec()).ok().and_then(|text| RawValue::from_string(text).ok());
        Self { status, headers, body }
    }

    fn problem(problem: &Problem, request_id: &str) -> Self {
        let headers = told_headers(problem.respond(None).headers());
        let text = problem.to_json(Some(&edge::instance(request_id))).to_string();
        Self { status: problem.code.status(), headers, body: RawValue::from_string(text).ok() }
    }

    fn is_failure(&self) -> bool {
        self.status >= 400
    }

    fn bytes(&self) -> usize {
        self.body.as_ref().map_or(0, |body| body.get().len())
    }
}

fn told_headers(headers: &header::HeaderMap) -> BTreeMap<&'static str, String> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    TOLD.iter().filter_map(|(name, header)| Some((*name, text(header)?))).collect()
}

/// The whole answer.
#[derive(Debug, Serialize)]
struct Answer {
    results: Vec<Told>,
    write: Option<i64>,
}

type Operate = BoxService<Request, ServiceResponse<BoxBody>, Error>;

/// The routes and the gate once more, for what comes from within. A worker has its own, made when it is first wanted.
pub struct Dispatcher {
    api: Data<Api>,
    service: OnceCell<Operate>,
}

impl Dispatcher {
    pub fn new(api: Data<Api>) -> Self {
        Self { api, service: OnceCell::new() }
    }

    async fn service(&self) -> Result<&Operate, Problem> {
        let make = || async {
            let (app, _) = actix_web::App::new().into_utoipa_app().configure(api::routes).split_for_parts();
            let app = app.app_data(self.api.clone()).wrap(from_fn(gate::gate));
            let made = app.into_factory().new_service(AppConfig::default()).await;
            made.map(boxed::service)
        };
        let made = self.service.get_or_try_init(make).await;
        made.map_err(|()| Problem::new(Code::Internal).caused_by("the routes within could not be made"))
    }
}

/// Carries out the calls in their order and in one transaction; `atomic`: all of them or none.
pub async fn carry_out(
    request: &HttpRequest,
    api: &Api,
    caller: &Caller,
    who: WriteContext,
    atomic: bool,
    calls: Vec<Call>,
) -> Result<Outcome, Problem> {
    let dispatcher = request.app_data::<Dispatcher>().ok_or_else(|| Problem::new(Code::Internal))?;
    let service = dispatcher.service().await?;
    let only_reads = who.idempotency.is_none() && calls.iter().all(|call| call.method == Method::GET);
    let joined = match (only_reads, atomic) {
        (true, _) => Joined::Reads,
        (false, true) => Joined::OneWrite,
        (false, false) => Joined::Writes,
    };
    let id = edge::request_id(request);
    let work = async {
        let mut budget = Budget { bytes: 0, until: Instant::now() + budget_of_time(api) };
        let mut results = Vec::with_capacity(calls.len());
        for call in &calls {
            let told = match budget.refusal(Instant::now()) {
                None => perform(service, call.request(request, caller), &id).await,
                Some(problem) => Told::problem(&problem, &id),
            };
            budget.bytes = budget.bytes.saturating_add(told.bytes());
            let fails_all = atomic && told.is_failure();
            results.push(told);
            if fails_all {
                return Ending { keep: false, reply: reply_of(all_failed(results, calls.len(), &id)) };
            }
        }
        Ending { keep: true, reply: reply_of(results) }
    };
    Ok(api.store.joint(who, joined, work).await?)
}

/// Others may be waiting for the transaction to end, and wait so long.
fn budget_of_time(api: &Api) -> Duration {
    Duration::from_secs(api.config.pool_timeout_seconds)
}

/// What a batch may use up before its next operation is refused.
#[derive(Debug)]
struct Budget {
    bytes: usize,
    until: Instant,
}

impl Budget {
    /// Why the next operation is not carried out.
    fn refusal(&self, now: Instant) -> Option<Problem> {
        let (code, reason) = if self.bytes >= MAX_ANSWER_BYTES {
            (Code::BodyTooLarge, format!("The answers before this one have {MAX_ANSWER_BYTES} bytes or more"))
        } else if now >= self.until {
            (Code::Busy, "The operations before this one took too long".to_owned())
        } else {
            return None;
        };
        Some(Problem::new(code).detail(format!("{reason}, so it was not carried out. Send it in another batch.")))
    }
}

/// One operation, whatever happens in it.
async fn perform(service: &Operate, request: Request, request_id: &str) -> Told {
    let method = request.head().method.clone();
    let answer = AssertUnwindSafe(async { service.call(request).await }).catch_unwind().await;
    let told = match answer {
        Ok(Ok(response)) => {
            let route = response.request().match_pattern().unwrap_or_default();
            let told = Told::of(edge::with_instance(response, request_id)).await;
            tracing::info!(%method, route, status = told.status, "carried out in a batch");
            return told;
        }
        Ok(Err(error)) => Problem::of_status(error.as_response_error().status_code()).caused_by(error),
        Err(_) => Problem::new(Code::Internal).caused_by("a handler panicked"),
    };
    tracing::error!(request_id, %method, cause = told.cause, "an operation of a batch failed");
    Told::problem(&told, request_id)
}

/// The last of the results is why none of the others came to pass.
fn all_failed(mut results: Vec<Told>, count: usize, request_id: &str) -> Vec<Told> {
    let failed_at = results.len().saturating_sub(1);
    let cause = results.pop();
    let mut all: Vec<Told> =
        (1..count).map(|_| Told::problem(&Problem::new(Code::FailedDependency), request_id)).collect();
    if let Some(cause) = cause {
        all.insert(failed_at.min(all.len()), cause);
    }
    all
}

fn reply_of(results: Vec<Told>) -> Box<dyn FnOnce(Option<i64>) -> crate::store::Result<Reply> + Send> {
    Box::new(move |write| {
        let body = serde_json::to_string(&Answer { results, write })?;
        Ok(Reply { status: 207, body: Some(body), ..Reply::default() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_goes_on_until_its_bytes_or_its_time_are_used_up() {
        let now = Instant::now();
        let (later, more) = (now + Duration::from_secs(1), MAX_ANSWER_BYTES + 1);
        let table = [
            (0, later, None),
            (MAX_ANSWER_BYTES - 1, later, None),
            (MAX_ANSWER_BYTES, later, Some(Code::BodyTooLarge)),
            (0, now, Some(Code::Busy)),
            (more, now, Some(Code::BodyTooLarge)),
        ];
        for (bytes, until, expected) in table {
            let refusal = Budget { bytes, until }.refusal(now).map(|problem| problem.code);
            assert_eq!(refusal, expected, "{bytes} bytes");
        }
    }

    #[test]
    fn only_what_a_request_line_has_is_a_path() {
        for good in ["/v1/contacts", "/v1/contacts?limit=5&q=a%20b", "/v1/x", "/v1/"] {
            assert_eq!(parse_path(good).unwrap().to_string(), good);
        }
        let bad = [
            "",
            "*",
            "/v1",
            "v1/contacts",
            "//v1/contacts",
            "/v1/contacts#x",
            "/v1/a b",
            "/v1/é",
            "/v1/a\nb",
            "http://example.com/v1/contacts",
            "example.com:80",
            " /v1/contacts",
            "/V1/contacts",
            "/v1/a\0",
        ];
        for bad in bad {
            assert_eq!(parse_path(bad).unwrap_err().code, FieldCode::NotAllowed, "{bad:?}");
        }
    }

    #[test]
    fn the_one_that_failed_keeps_its_place() {
        for (failed_at, count) in [(0, 1), (0, 3), (1, 3), (2, 3)] {
            let results = (0..=failed_at).map(|_| Told::problem(&Problem::new(Code::Invalid), "id")).collect();
            let all: Vec<u16> = all_failed(results, count, "id").iter().map(|told| told.status).collect();
            let expected: Vec<u16> = (0..count).map(|index| if index == failed_at { 422 } else { 424 }).collect();
            assert_eq!(all, expected);
        }
    }
}
