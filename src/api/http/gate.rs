//! What every request passes before its handler. The document decides: an operation that is not in it cannot be
//! reached, and its scope, parameters and headers are those it names.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, ResponseError};
use serde_json::Value;
use std::collections::BTreeMap;

use super::batch::HandedIn;
use super::caller::Caller;
use super::limits::{Left, client_address};
use super::problem::{Code, Problem};
use super::query::Query;
use crate::api::Api;

/// One operation, as the document tells it.
#[derive(Debug, Clone)]
pub struct Operation {
    pub id: String,
    pub access: Access,
    pub parameters: Vec<String>,
    pub takes_idempotency_key: bool,
}

/// WriteContext may call an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever has a token; what it may do is judged within.
    AnyToken,
    /// WriteContext has a token with this scope.
    Scope(String),
}

impl Access {
    /// As OpenAPI tells it: `security` of an operation.
    pub fn of(operation: &Value) -> Self {
        let scopes = operation.pointer("/security/0/bearer").and_then(Value::as_array);
        match scopes.map(|scopes| scopes.first().and_then(Value::as_str)) {
            None => Self::Public,
            Some(None) => Self::AnyToken,
            Some(Some(scope)) => Self::Scope(scope.to_owned()),
        }
    }
}

impl Operation {
    /// Whether it may be a part of a batch: what works on the records of a workspace may. Accounts and tokens are no
    /// part of its transaction, and a batch is none of another.
    pub fn may_stand_in_batch(&self) -> bool {
        matches!(&self.access, Access::Scope(scope) if !scope.starts_with("account:"))
    }
}

/// All operations by path and method.
#[derive(Debug, Clone)]
pub struct Operations {
    by_path: BTreeMap<String, BTreeMap<String, Operation>>,
}

impl Operations {
    pub fn new(document: &Value) -> Self {
        let mut by_path: BTreeMap<String, BTreeMap<String, Operation>> = BTreeMap::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let method = method.to_ascii_uppercase();
                let names = |place: &str| -> Vec<String> {
                    let all = operation["parameters"].as_array().into_iter().flatten();
                    all.filter(|one| one["in"] == place)
                        .filter_map(|one| one["name"].as_str().map(str::to_owned))
                        .collect()
                };
                let parsed = Operation {
                    id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
                    access: Access::of(operation),
                    parameters: names("query"),
                    takes_idempotency_key: names("header").iter().any(|name| name == "Idempotency-Key"),
                };
                by_path.entry(path.clone()).or_default().insert(method, parsed);
            }
        }
        Self { by_path }
    }

    /// The operation, or the problem with asking for it.
    pub fn find(&self, path: Option<&str>, method: &str) -> Result<&Operation, Problem> {
        let methods = path.and_then(|path| self.by_path.get(path)).ok_or_else(|| Problem::new(Code::NotFound))?;
        methods.get(method).ok_or_else(|| {
            let mut allowed: Vec<&str> = methods.keys().map(String::as_str).collect();
            if methods.contains_key("GET") {
                allowed.push("HEAD");
            }
            let allowed = allowed.join(", ");
            Problem::new(Code::MethodNotAllowed)
                .detail(format!("Allowed here: {allowed}."))
                .header(header::ALLOW, allowed)
        })
    }
}

/// Lets a request through to its handler, or answers for it.
pub async fn gate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // The pages of the interactive documentation are files, not operations.
    if request.path().starts_with("/docs/") {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    match admit(&request).await {
        Ok(left) => {
            let mut response = next.call(request).await?.map_into_boxed_body();
            for (name, value) in left.into_iter().flat_map(Left::headers) {
                // Where a narrower limit was reached, that one is told.
                if !response.headers().contains_key(&name) {
                    response.headers_mut().insert(name, value);
                }
            }
            Ok(response)
        }
        Err(problem) => Ok(request.into_response(problem.error_response())),
    }
}

/// Finds the operation, authenticates, and checks what the document says of it.
async fn admit(request: &ServiceRequest) -> Result<Option<Left>, Problem> {
    let api = request.app_data::<Data<Api>>().ok_or_else(|| Problem::new(Code::Internal))?;
    let path = request.match_pattern();
    let operation = api.contract.operations.find(path.as_deref(), request.method().as_str())?;
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return Err(Problem::new(Code::UnsupportedEncoding));
    }
    let posts = request.method() == Method::POST;
    if posts && request.headers().contains_key("idempotency-key") && !operation.takes_idempotency_key {
        return Err(Problem::new(Code::IdempotencyNotAllowed));
    }
    let is_login = path.as_deref().is_some_and(|path| path.starts_with("/v1/auth/"));
    let handed_in = request.extensions().get::<HandedIn>().map(HandedIn::caller);
    if handed_in.is_some() && !operation.may_stand_in_batch() {
        return Err(Problem::new(Code::NotFound));
    }
    let left = match &operation.access {
        Access::Public if is_login => api.limits.address(client_address(&api.config, request.request()))?,
        Access::Public => None,
        Access::AnyToken | Access::Scope(_) => {
            let caller = match handed_in {
                Some(caller) => caller,
                None => api.authenticator.authenticate(&api.store, request.request()).await?,
            };
            let left = api.limits.user(caller.user)?;
            if let Access::Scope(scope) = &operation.access {
                allow(&caller, scope).map_err(|problem| with_left(problem, left))?;
            }
            request.extensions_mut().insert(caller);
            left
        }
    };
    check_parameters(operation, request.query_string()).map_err(|problem| with_left(problem, left))?;
    Ok(left)
}

/// Refusals tell what is left as well.
fn with_left(mut problem: Problem, left: Option<Left>) -> Problem {
    problem.headers.extend(left.into_iter().flat_map(Left::headers));
    problem
}

fn allow(caller: &Caller, scope: &str) -> Result<(), Problem> {
    if !caller.scopes.contains(scope) {
        let detail = format!("This operation needs the scope {scope}.");
        return Err(Problem::insufficient_scope(scope).detail(detail));
    }
    if !caller.role.allows(scope) {
        let detail = format!("Your role in this workspace is {}.", caller.role.as_str());
        return Err(Problem::new(Code::InsufficientRole).detail(detail));
    }
    Ok(())
}

fn check_parameters(operation: &Operation, query: &str) -> Result<(), Problem> {
    let query = Query::parse(query)?;
    let known = |name: &str| operation.parameters.iter().any(|known| known == name);
    if let Some(unknown) = query.names().find(|name| !known(name)) {
        let detail = if operation.parameters.is_empty() {
            format!("There is no parameter {unknown:?}; this operation takes none.")
        } else {
            format!("There is no parameter {unknown:?}. There are: {}.", operation.parameters.join(", "))
        };
        return Err(Problem::new(Code::UnknownParameter).detail(detail));
    }
    Ok(())
}
