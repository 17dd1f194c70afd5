//! Carries out the operations of a batch: each is admitted and run as a request of its own would be, all of them in one
//! transaction. What a batch means to clients is described in `api/batch.rs`.

use actix_web::http::header::{self, HeaderName};
use actix_web::http::{Method, Uri};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::edge;
use super::messages::body::Body;
use super::messages::problem::{Code, Problem};
use super::messages::query::Query;
use super::messages::response::{Response, WRITE, of_outcome};
use super::operation::{Run, Write};
use super::router::{Matched, Router, check_access, check_parameters};
use crate::api::context::{Api, Call, Context};
use crate::domain::invalid::{FieldCode, Invalid, Rejection, escape};
use crate::store::{Batch, BatchMode, Ending, Outcome, Rendered, WriteContext};

/// How many operations a batch can have.
pub const MAX_OPERATIONS: usize = 100;
/// Bytes that the answers of a batch can have together. An operation whose answer would exceed them is not answered: a
/// hundred pages of a list need not be held in memory at once.
pub const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// The headers that an operation can be sent with.
const REQUEST_HEADERS: [(&str, HeaderName); 2] =
    [("If-Match", header::IF_MATCH), ("If-None-Match", header::IF_NONE_MATCH)];

/// The headers of an answer that are reported. The others belong to the connection, or are the same for all.
const ANSWER_HEADERS: [(&str, HeaderName); 8] = [
    ("Allow", header::ALLOW),
    ("Content-Location", header::CONTENT_LOCATION),
    ("ETag", header::ETAG),
    ("Link", header::LINK),
    ("Location", header::LOCATION),
    ("Retry-After", header::RETRY_AFTER),
    ("WWW-Authenticate", header::WWW_AUTHENTICATE),
    ("Wellmet-Write", WRITE),
];

/// One operation of a batch that can be carried out.
pub struct BatchCall {
    method: Method,
    call: Arc<Call>,
}

impl BatchCall {
    fn is_read(&self) -> bool {
        self.method == Method::GET
    }

    /// The scopes that its operation needs.
    fn scopes(&self, router: &Router) -> Vec<String> {
        let matched = router.find(&self.call.path, &self.method);
        matched.map_or_else(
            |_| Vec::new(),
            |matched| matched.operation.scopes().iter().map(ToString::to_string).collect(),
        )
    }
}

impl BatchCall {
    /// The call, or everything that is wrong with it; pointers start at the operation. Whether its body and parameters are
    /// right is for the operation to say.
    pub fn check(
        router: &Router,
        method: Method,
        path: &str,
        headers: BTreeMap<String, String>,
        body: Option<Map<String, Value>>,
    ) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        let uri = invalid.check("#/path", parse_path(path));
        let matched = uri.as_ref().and_then(|uri| match check_operation(router, &method, uri) {
            Ok(path_values) => Some(path_values),
            Err((at, rejection)) => {
                invalid.add(at, rejection);
                None
            }
        });
        let query = uri.as_ref().map(|uri| Query::parse(uri.query().unwrap_or_default()));
        let query = query
            .and_then(|query| invalid.check("#/path", query.map_err(|problem| Rejection::format(problem.detail))));
        let (mut if_match, mut if_none_match) = (None, None);
        for (name, value) in headers {
            let at = format!("#/headers/{}", escape(&name));
            let place = match name.to_ascii_lowercase().as_str() {
                "if-match" => &mut if_match,
                "if-none-match" => &mut if_none_match,
                _ => {
                    let names: Vec<&str> = REQUEST_HEADERS.iter().map(|(name, _)| *name).collect();
                    invalid.add(at, Rejection::not_one_of(&names));
                    continue;
                }
            };
            if place.is_some() {
                invalid.add(at, Rejection::new(FieldCode::Contradiction, "The header can be sent only once."));
            } else if header::HeaderValue::from_str(&value).is_ok_and(|value| value.to_str().is_ok()) {
                *place = Some(value);
            } else {
                invalid.add(at, Rejection::format("Expected the ASCII text of a header."));
            }
        }
        let (Some(uri), Some(path_values), Some(query)) = (uri, matched, query) else { return Err(invalid) };
        let value = Value::Object(body.unwrap_or_default());
        let body = Body::of(value);
        let path = uri.path().to_owned();
        let call = Arc::new(Call { path, path_values, query, if_match, if_none_match, body });
        invalid.into_result(Self { method, call })
    }
}

/// A path of this server with its query, without a host and without a fragment.
fn parse_path(path: &str) -> Result<Uri, Rejection> {
    let is_plain = path.starts_with("/v1/") && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    let uri = is_plain.then(|| path.parse::<Uri>().ok()).flatten();
    uri.ok_or_else(|| {
        let detail = "Expected a path that starts with /v1/, with its query if it has one, such as \
                      /v1/contacts?limit=5: in ASCII, without a host and without a fragment.";
        Rejection::new(FieldCode::NotAllowed, detail)
    })
}

fn check_operation(router: &Router, method: &Method, uri: &Uri) -> Result<Vec<String>, (&'static str, Rejection)> {
    match router.find(uri.path(), method) {
        Ok(Matched { operation, path_values }) if operation.may_be_batched() => Ok(path_values),
        Err(problem) if problem.code == Code::MethodNotAllowed => {
            Err(("#/method", Rejection::new(FieldCode::NotAllowed, problem.detail)))
        }
        Ok(_) | Err(_) => {
            let detail = "Allowed are the operations that need a scope, except those of the area account. A batch cannot \
                          be part of another.";
            Err(("#/path", Rejection::new(FieldCode::NotAllowed, detail)))
        }
    }
}

/// The answer to one operation.
#[derive(Debug, Serialize, Deserialize)]
struct OperationResult {
    status: u16,
    headers: BTreeMap<Cow<'static, str>, String>,
    body: Option<Box<RawValue>>,
}

impl OperationResult {
    fn new(response: Response) -> Self {
        let Response { status, headers, body } = response;
        let text =
            |name: &HeaderName| headers.iter().find(|(own, _)| own == name)?.1.to_str().ok().map(str::to_owned);
        let headers = ANSWER_HEADERS
            .iter()
            .filter_map(|(name, header)| Some((Cow::Borrowed(*name), text(header)?)))
            .collect();
        Self { status, headers, body: body.and_then(|body| RawValue::from_string(body).ok()) }
    }

    fn problem(problem: &Problem, request_id: &str) -> Self {
        let headers =
            problem.respond(None).headers().iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let body = problem.to_json(Some(&edge::instance(request_id))).to_string();
        Self::new(Response { status: problem.code.status(), headers, body: Some(body) })
    }

    fn is_failure(&self) -> bool {
        self.status >= 400
    }

    fn bytes(&self) -> usize {
        self.body.as_ref().map_or(0, |body| body.get().len())
    }
}

/// The whole answer.
#[derive(Debug, Serialize)]
struct BatchAnswer {
    results: Vec<OperationResult>,
    write: Option<i64>,
}

/// What is kept of it under an Idempotency-Key: the results of what was written. What was read is read anew.
#[derive(Debug, Serialize, Deserialize)]
struct KeptAnswer<R> {
    results: Vec<Option<R>>,
}

/// Carries out the calls in their order. `atomic`: all of them or none.
pub async fn carry_out(
    context: Context,
    router: Arc<Router>,
    request_id: String,
    mut write_context: WriteContext,
    atomic: bool,
    calls: Vec<BatchCall>,
) -> Result<Outcome, Problem> {
    let only_reads = calls.iter().all(BatchCall::is_read);
    let is_kept = write_context.idempotency.is_some();
    if let Some(key) = &mut write_context.idempotency {
        let writes = calls.iter().filter(|call| !call.is_read());
        key.required.extend(writes.flat_map(|call| call.scopes(&router)));
    }
    let mode = match (only_reads, atomic) {
        (true, _) => BatchMode::Reads,
        (false, true) => BatchMode::Atomic,
        (false, false) => BatchMode::Separate,
    };
    let store = context.api.store.clone();
    let work = move |batch: &mut Batch<'_>| {
        let mut budget = Budget { bytes_left: MAX_ANSWER_BYTES, until: Instant::now() + time_limit(&context.api) };
        let mut results = Vec::with_capacity(calls.len());
        let mut kept = match batch.kept() {
            None => Vec::new(),
            Some(kept) => read_kept(kept)?,
        };
        kept.resize_with(calls.len(), || None);
        for (BatchCall { method, call }, kept) in calls.iter().zip(kept) {
            if let Some(result) = kept {
                results.push(result);
                continue;
            }
            let context =
                Context { call: call.clone(), max_answer_bytes: Some(budget.bytes_left), ..context.clone() };
            let result = match budget.refusal(Instant::now()) {
                None => perform(batch, &context, &router, method, &request_id),
                Some(problem) => OperationResult::problem(&problem, &request_id),
            };
            budget.bytes_left = budget.bytes_left.saturating_sub(result.bytes());
            let fails_all = atomic && result.is_failure();
            results.push(result);
            if fails_all {
                let results = all_failed(results, calls.len(), &request_id);
                return Ok::<_, Problem>(Ending {
                    commit: false,
                    status: 207,
                    render: render(results, Vec::new()),
                });
            }
        }
        let is_kept = calls.iter().map(|call| is_kept && !call.is_read()).collect();
        Ok(Ending { commit: true, status: 207, render: render(results, is_kept) })
    };
    store.batch(write_context, mode, work).await
}

/// `is_kept` tells of each result whether it is kept under the Idempotency-Key.
fn render(
    results: Vec<OperationResult>,
    is_kept: Vec<bool>,
) -> Box<dyn FnOnce(Option<i64>) -> crate::store::Result<Rendered> + Send> {
    Box::new(move |write| {
        let kept = results.iter().zip(is_kept).map(|(result, is_kept)| is_kept.then_some(result)).collect();
        let kept = serde_json::to_string(&KeptAnswer { results: kept })?;
        Ok(Rendered { body: serde_json::to_string(&BatchAnswer { results, write })?, kept })
    })
}

fn read_kept(kept: &str) -> Result<Vec<Option<OperationResult>>, Problem> {
    let kept: KeptAnswer<OperationResult> = serde_json::from_str(kept).map_err(|error| {
        Problem::new(Code::Internal).caused_by(format!("a kept batch cannot be read: {error}"))
    })?;
    Ok(kept.results)
}

/// Others may be waiting for the transaction to end, and wait this long.
fn time_limit(api: &Api) -> Duration {
    Duration::from_secs(api.config.pool_timeout_seconds)
}

/// What a batch may use up before its next operation is refused.
#[derive(Debug)]
struct Budget {
    bytes_left: usize,
    until: Instant,
}

impl Budget {
    /// Why the next operation is not carried out.
    fn refusal(&self, now: Instant) -> Option<Problem> {
        let (code, reason) = if self.bytes_left == 0 {
            (Code::BodyTooLarge, "The answers before this one have reached the limit of a batch")
        } else if now >= self.until {
            (Code::Busy, "The operations before this one took too long")
        } else {
            return None;
        };
        Some(Problem::new(code).detail(format!("{reason}, so it was not carried out. Send it in another batch.")))
    }
}

/// One operation, whatever happens in it.
fn perform(
    batch: &mut Batch<'_>,
    context: &Context,
    router: &Router,
    method: &Method,
    request_id: &str,
) -> OperationResult {
    let (path, api) = (&context.call.path, &context.api);
    let route = router.template(path).unwrap_or_default();
    let result = match run(batch, context, router, method) {
        Ok(response) => OperationResult::new(response),
        Err(problem) => {
            if let Some(cause) = &problem.cause {
                tracing::error!(request_id, %method, route, cause, "an operation of a batch failed");
            }
            let etag = |version| api.etags.strong(version);
            let problem = problem.with_current_etag(etag, context.call.if_none_match.is_some());
            OperationResult::problem(&problem, request_id)
        }
    };
    tracing::info!(%method, route, status = result.status, "operation of a batch finished");
    result
}

fn run(batch: &mut Batch<'_>, context: &Context, router: &Router, method: &Method) -> Result<Response, Problem> {
    let Matched { operation, .. } = router.find(&context.call.path, method)?;
    check_access(operation, &context.caller)?;
    check_parameters(operation, &context.call.query)?;
    match operation.run {
        Run::Read(read) | Run::LookUp(read) => batch.read(|conn| read(context, conn)),
        Run::Write(check) => {
            let Write { work, dry_run, erases } = check(context)?;
            let reply = batch.write(work, dry_run, erases)?;
            Ok(of_outcome(&context.api.etags, Outcome { reply, replayed: false }))
        }
        Run::Other(_) => Err(Problem::new(Code::NotFound)),
    }
}

/// The last of the results is the reason why all others failed.
fn all_failed(mut results: Vec<OperationResult>, count: usize, request_id: &str) -> Vec<OperationResult> {
    let failed_at = results.len().saturating_sub(1);
    let cause = results.pop();
    let mut all: Vec<OperationResult> =
        (1..count).map(|_| OperationResult::problem(&Problem::new(Code::FailedDependency), request_id)).collect();
    if let Some(cause) = cause {
        all.insert(failed_at.min(all.len()), cause);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_goes_on_until_its_bytes_or_its_time_are_used_up() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let table = [
            (MAX_ANSWER_BYTES, later, None),
            (1, later, None),
            (0, later, Some(Code::BodyTooLarge)),
            (1, now, Some(Code::Busy)),
            (0, now, Some(Code::BodyTooLarge)),
        ];
        for (bytes_left, until, expected) in table {
            let refusal = Budget { bytes_left, until }.refusal(now).map(|problem| problem.code);
            assert_eq!(refusal, expected, "{bytes_left} bytes");
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
            let results =
                (0..=failed_at).map(|_| OperationResult::problem(&Problem::new(Code::Invalid), "id")).collect();
            let all: Vec<u16> = all_failed(results, count, "id").iter().map(|result| result.status).collect();
            let expected: Vec<u16> = (0..count).map(|index| if index == failed_at { 422 } else { 424 }).collect();
            assert_eq!(all, expected);
        }
    }
}
