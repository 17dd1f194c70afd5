//! Finds the operation of a request, decides whether the caller may call it, and carries it out. An operation that is not
//! in the table cannot be reached.

use actix_web::http::{Method, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use matchit::Router as Paths;
use percent_encoding::percent_decode_str;
use serde_json::json;
use std::sync::Arc;

use super::auth::caller::Caller;
use super::auth::limits::{Left, client_address};
use super::messages::body::{self, Body, MAX_BATCH_VALUES, MAX_BODY_BYTES, MAX_PUBLIC_BODY_BYTES, MAX_VALUES};
use super::messages::etag;
use super::messages::problem::{Code, Problem};
use super::messages::query::Query;
use super::messages::response::{Response, of_outcome};
use super::operation::{Access, Exchange, Operation, Run, Write};
use crate::api::context::{Api, Call, Context};
use crate::domain::scope::Scopes;
use crate::domain::text::similar;
use crate::store::{Conn, IdempotencyKey, WriteContext};

/// How long an Idempotency-Key can be.
pub const MAX_KEY_CHARACTERS: usize = 4_096;
/// A body of more bytes is parsed and checked off the threads that serve requests.
const HEAVY_BODY_BYTES: usize = 64 * 1024;

/// All operations, by path and method.
pub struct Router {
    paths: Paths<usize>,
    operations: Vec<(String, Vec<Operation>)>,
}

/// An operation, and the values of its path's parameters.
pub struct Matched<'r> {
    pub operation: &'r Operation,
    pub path_values: Vec<String>,
}

impl Router {
    pub fn new(all: Vec<Operation>) -> Result<Self, String> {
        let mut operations: Vec<(String, Vec<Operation>)> = Vec::new();
        for operation in all {
            match operations.iter_mut().find(|(path, _)| *path == operation.path) {
                Some((path, own)) if own.iter().any(|known| known.method == operation.method) => {
                    return Err(format!("two operations at {} {path}", operation.method));
                }
                Some((_, own)) => own.push(operation),
                None => operations.push((operation.path.to_string(), vec![operation])),
            }
        }
        let mut paths = Paths::new();
        for (index, (path, _)) in operations.iter().enumerate() {
            paths.insert(path.as_str(), index).map_err(|error| format!("the path {path}: {error}"))?;
        }
        Ok(Self { paths, operations })
    }

    /// The template that a path matches, such as `/v1/contacts/{id}`.
    pub fn template(&self, path: &str) -> Option<&str> {
        let matched = self.paths.at(path).ok()?;
        self.operations.get(*matched.value).map(|(path, _)| path.as_str())
    }

    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().flat_map(|(_, operations)| operations)
    }

    /// The operation at a path, or the problem with calling it.
    pub fn find(&self, path: &str, method: &Method) -> Result<Matched<'_>, Problem> {
        let not_found = || {
            let trimmed = path.trim_end_matches('/');
            let detail = match trimmed != path && self.paths.at(trimmed).is_ok() {
                true => format!("There is no operation at this path. Did you mean {trimmed}?"),
                false => "There is no operation at this path. GET /v1/openapi.json lists them all.".to_owned(),
            };
            Problem::new(Code::NotFound).detail(detail)
        };
        let matched = self.paths.at(path).map_err(|_| not_found())?;
        let (_, operations) = self.operations.get(*matched.value).ok_or_else(not_found)?;
        let operation = operations.iter().find(|operation| operation.method == *method).ok_or_else(|| {
            let mut allowed: Vec<&str> = operations.iter().map(|operation| operation.method.as_str()).collect();
            if allowed.contains(&"GET") {
                allowed.push("HEAD");
            }
            allowed.sort_unstable();
            let allowed = allowed.join(", ");
            Problem::new(Code::MethodNotAllowed)
                .detail(format!("Allowed here: {allowed}."))
                .header(header::ALLOW, allowed)
        })?;
        let values =
            matched.params.iter().map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned());
        Ok(Matched { operation, path_values: values.collect() })
    }
}

/// Answers every request for which there is no file.
pub async fn dispatch(
    api: Data<Api>,
    router: Data<Router>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let mut left = None;
    let mut response = match answer(api.into_inner(), &router, &request, payload, &mut left).await {
        Ok(response) => response,
        Err(problem) => problem.error_response(),
    };
    for (name, value) in left.into_iter().flat_map(Left::headers) {
        // Where a narrower limit was reached, that one is reported.
        if !response.headers().contains_key(&name) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn answer(
    api: Arc<Api>,
    router: &Router,
    request: &HttpRequest,
    payload: Payload,
    left: &mut Option<Left>,
) -> Result<HttpResponse, Problem> {
    let Matched { operation, path_values } = router.find(request.path(), request.method())?;
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return Err(Problem::new(Code::UnsupportedEncoding));
    }
    let caller = match &operation.access {
        Access::Public => {
            if operation.is_auth() {
                *left = api.limits.address(client_address(&api.config, request))?;
            } else if operation.is_by_secret() {
                *left = api.limits.feed(client_address(&api.config, request))?;
            }
            None
        }
        Access::AnyToken | Access::Scopes(_) => {
            let caller = api.authenticator.authenticate(&api.store, request).await?;
            *left = api.limits.user(caller.user)?;
            check_access(operation, &caller)?;
            Some(caller)
        }
    };
    let has_key = request.headers().contains_key("idempotency-key");
    if has_key && !request.method().is_safe() && !operation.takes_idempotency_key() {
        return Err(Problem::new(Code::IdempotencyNotAllowed).of_parameter("Idempotency-Key"));
    }
    let query = Query::parse(request.query_string())?;
    check_parameters(operation, &query)?;
    let bytes = match operation.reads_body {
        true => {
            let max_bytes =
                if operation.access == Access::Public { MAX_PUBLIC_BODY_BYTES } else { MAX_BODY_BYTES };
            body::read(request, payload.into_inner(), max_bytes, api.body_timeout).await?
        }
        false => Vec::new(),
    };
    let idempotency = match operation.takes_idempotency_key() {
        true => idempotency_key(&api, request, &bytes, operation, caller.as_ref())?,
        false => None,
    };
    let max_values = if operation.path == "/v1/batch" { MAX_BATCH_VALUES } else { MAX_VALUES };
    let is_heavy = bytes.len() > HEAVY_BODY_BYTES;
    let media_type = body::MediaType::of(request);
    let parse = move || Body::parse(&media_type, bytes, max_values);
    let body = if is_heavy { off_thread(parse).await? } else { parse()? };
    // Where records are written, the other errors of the body are reported too.
    if !matches!(operation.run, Run::Write(_)) {
        body.refuse_nul(Ok(()))?;
    }
    let call = Arc::new(Call {
        path: request.path().to_owned(),
        path_values,
        query,
        if_match: etag::condition(request, header::IF_MATCH)?,
        if_none_match: etag::condition(request, header::IF_NONE_MATCH)?,
        body,
    });
    let context = |caller: Option<Caller>| -> Result<Context, Problem> {
        let caller =
            caller.ok_or_else(|| Problem::new(Code::Internal).caused_by("no caller of a records operation"))?;
        Ok(Context { api: api.clone(), caller, call: call.clone(), max_answer_bytes: None })
    };
    match operation.run {
        Run::Read(read) => {
            let context = context(caller)?;
            let response = api.store.read(move |conn| Ok(read(&context, conn))).await??;
            Ok(response.into_http())
        }
        Run::LookUp(read) => {
            let context = context(caller)?;
            let is_short = context.query().names().next().is_none();
            let read = move |conn: &mut Conn| Ok(read(&context, conn));
            let response = if is_short { api.store.look_up(read).await } else { api.store.read(read).await };
            Ok(response??.into_http())
        }
        Run::Write(check) => {
            let context = context(caller)?;
            let write_context = WriteContext { idempotency, ..context.write_context() };
            let checked = {
                let context = context.clone();
                if is_heavy { off_thread(move || Ok(check(&context))).await? } else { check(&context) }
            };
            let checked = call.body.refuse_nul(checked)?;
            let response = write(&context, write_context, checked).await;
            let wants_new = context.call.if_none_match.is_some();
            let etag = |version| context.api.etags.strong(version);
            response.map(Response::into_http).map_err(|problem| problem.with_current_etag(etag, wants_new))
        }
        Run::Other(run) => {
            let request = request.clone();
            run(Exchange { api: api.clone(), caller, request, call: call.clone(), idempotency }).await
        }
    }
}

async fn write(context: &Context, write_context: WriteContext, write: Write) -> Result<Response, Problem> {
    let (api, Write { work, dry_run, erases }) = (&context.api, write);
    let outcome = match dry_run {
        true => api.store.dry_run(write_context, work).await?,
        false => api.store.write(write_context, work).await?,
    };
    if erases {
        api.store.checkpoint_wal().await;
    }
    Ok(of_outcome(&api.etags, outcome))
}

/// Runs what takes long on a thread that serves nobody.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::new(Code::Internal).caused_by(error))?
}

/// Whether the scopes and the role of the caller allow the operation.
pub fn check_access(operation: &Operation, caller: &Caller) -> Result<(), Problem> {
    let missing: Vec<&str> =
        operation.scopes().iter().map(AsRef::as_ref).filter(|scope| !caller.scopes.contains(scope)).collect();
    if !missing.is_empty() {
        let detail = format!("The token lacks scopes that this operation requires: {}.", missing.join(", "));
        return Err(Problem::insufficient_scope(&missing.join(" ")).detail(detail));
    }
    if !operation.scopes().iter().all(|scope| caller.role.allows(scope)) {
        let detail = format!("Your role in this workspace is {}.", caller.role.as_str());
        return Err(Problem::new(Code::InsufficientRole).detail(detail));
    }
    Ok(())
}

/// Whether the operation has all parameters of the query.
pub fn check_parameters(operation: &Operation, query: &Query) -> Result<(), Problem> {
    let known = |name: &str| operation.parameters.iter().any(|known| known == name);
    let Some(unknown) = query.names().find(|name| !known(name)) else { return Ok(()) };
    let meant = similar(unknown, operation.parameters.iter().map(String::as_str));
    let hint = meant.map(|meant| format!(" Did you mean {meant:?}?")).unwrap_or_default();
    let detail = match operation.parameters.is_empty() {
        true => format!("There is no parameter {unknown:?}; this operation takes none."),
        false => {
            format!("There is no parameter {unknown:?}.{hint} Parameters: {}.", operation.parameters.join(", "))
        }
    };
    let allowed = ("allowed", json!(operation.parameters));
    let problem = Problem::new(Code::UnknownParameter).detail(detail).of_parameter(unknown).with_params([allowed]);
    Err(match meant {
        Some(meant) => problem.with_params([("suggestion", meant.into())]),
        None => problem,
    })
}

/// The Idempotency-Key of a request. The same request is one with the same method, path, query and body.
fn idempotency_key(
    api: &Api,
    request: &HttpRequest,
    body: &[u8],
    operation: &Operation,
    caller: Option<&Caller>,
) -> Result<Option<IdempotencyKey>, Problem> {
    let name = header::HeaderName::from_static("idempotency-key");
    let refuse = |detail: &str| Problem::request_header("Idempotency-Key", detail);
    let Some(key) = etag::text(request, name.clone())? else { return Ok(None) };
    if request.headers().get_all(&name).count() > 1 {
        return Err(refuse("it can be sent only once.").with_params([("max", 1.into())]));
    }
    // A tab is text too, for a header.
    if key.is_empty() || key.len() > MAX_KEY_CHARACTERS || key.contains('\t') {
        let problem = refuse(&format!("expected 1 to {MAX_KEY_CHARACTERS} printable ASCII characters."));
        return Err(problem.with_params([("min", 1.into()), ("max", MAX_KEY_CHARACTERS.into())]));
    }
    let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let parts = [request.method().as_str().as_bytes(), path.as_bytes(), body];
    let fingerprint = api.cursors.fingerprint(&parts);
    let required = operation.scopes().iter().map(ToString::to_string).collect();
    let allowed = caller.map_or_else(Scopes::none, |caller| caller.scopes.clone());
    Ok(Some(IdempotencyKey::new(&key, fingerprint, required, allowed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_found_at_its_path_and_no_other_method_is() {
        let router = Router::new(crate::api::operations()).unwrap();
        for operation in router.operations() {
            let path = operation.path.replace("{id}", "01939d5e-8c00-7000-8000-000000000001");
            let path = path.replace("{version}", "1").replace("{code}", "not_found");
            let found = router.find(&path, &operation.method).unwrap();
            assert_eq!(found.operation.id, operation.id);
            let problem = router.find(&path, &Method::TRACE).map(drop).unwrap_err();
            assert_eq!(problem.code, Code::MethodNotAllowed);
        }
        for (path, hint) in [
            ("/v1/contacts/", "Did you mean /v1/contacts?"),
            ("/v1/contact", "GET /v1/openapi.json lists them all."),
        ] {
            let problem = router.find(path, &Method::GET).map(drop).unwrap_err();
            assert_eq!(problem.code, Code::NotFound);
            assert!(problem.detail.ends_with(hint), "{}", problem.detail);
        }
    }
}
