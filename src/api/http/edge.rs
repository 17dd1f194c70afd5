//! The edge of every answer: errors become problem documents with the request's id, and nothing of the framework's own
//! gets out.

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpMessage};
use futures_util::FutureExt;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;
use tracing::Span;
use tracing_actix_web::{RequestId, RootSpanBuilder};

use super::compression::{accepts_gzip, compress};
use super::messages::problem::Problem;
use super::router::Router;
use crate::api::context::Api;
use crate::config::CorsOrigins;

/// What is logged of a request: its route, never its path, query or body, which hold names and addresses.
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = request_id(request);
        let route = request.app_data::<Data<Router>>().and_then(|router| router.template(request.path()));
        let route = route.unwrap_or("unmatched");
        tracing::info_span!("request", id, method = %request.method(), route, status = tracing::field::Empty)
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("status", status.as_u16());
        span.in_scope(|| tracing::info!("request finished"));
    }
}

/// Counts requests and how long they take, by route: a path would give each record metrics of its own.
pub async fn measure(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    let api = request.app_data::<Data<Api>>().cloned();
    let router = request.app_data::<Data<Router>>().cloned();
    let route = router.as_ref().and_then(|router| router.template(request.path())).unwrap_or("unmatched");
    // A client may make up methods without end.
    let method = METHODS.iter().find(|method| *method == request.method()).map_or("other", Method::as_str);
    let outcome = next.call(request).await;
    let status = match &outcome {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    if let Some(api) = api {
        api.metrics.count_request(method, route, status.as_u16(), began.elapsed());
    }
    outcome
}

const METHODS: &[Method] =
    &[Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// Around the other layers but for the log and metrics: a HEAD is routed as the GET it stands for (the codec leaves the body out), problems get
/// their `instance`, whatever else is an error is replaced, and every answer gets the headers that all of them have.
pub async fn finish(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = request_id(&request);
    let is_docs = request.path().starts_with("/docs/");
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    let accepts_gzip = accepts_gzip(request.headers());
    let response = next.call(request).await?;
    let mut response = with_instance(response.map_into_boxed_body(), &id);
    if is_docs {
        let policy = HeaderValue::from_static(DOCS_POLICY);
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    add_common_headers(response.headers_mut(), &id);
    Ok(compress(response, accepts_gzip).await.map_body(|_, body| in_pieces(body)))
}

/// The answer as it is told: a problem with the request it belongs to as its `instance`, and an error that is none of
/// ours as one that is.
pub fn with_instance(mut response: ServiceResponse<BoxBody>, id: &str) -> ServiceResponse<BoxBody> {
    let problem = response.response_mut().extensions_mut().remove::<Problem>();
    let problem = problem.or_else(|| {
        let failed = response.status().is_client_error() || response.status().is_server_error();
        let is_problem = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"));
        (failed && !is_problem).then(|| Problem::of_status(response.status()))
    });
    if let Some(problem) = problem {
        if let Some(cause) = &problem.cause {
            tracing::error!(request_id = %id, code = problem.code.as_str(), cause, "a request failed");
        }
        let mut rendered = problem.respond(Some(&instance(id)));
        // What layers in between added (CORS, rate limits) stays.
        for (name, value) in response.headers() {
            if !rendered.headers().contains_key(name) && *name != header::CONTENT_LENGTH {
                rendered.headers_mut().insert(name.clone(), value.clone());
            }
        }
        response = response.into_response(rendered);
    }
    response
}

/// What the log calls the request.
pub fn request_id(request: &impl HttpMessage) -> String {
    request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default()
}

/// The `instance` of a problem.
pub fn instance(request_id: &str) -> String {
    format!("urn:uuid:{request_id}")
}

fn add_common_headers(headers: &mut header::HeaderMap, id: &str) {
    for (name, value) in COMMON {
        if !headers.contains_key(*name) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
}

/// How much of an answer is handed to a connection at once. A client who does not read holds up so much, not all of it.
const PIECE_BYTES: usize = 32 * 1024;

fn in_pieces(body: BoxBody) -> BoxBody {
    match body.try_into_bytes() {
        Ok(bytes) if bytes.len() > PIECE_BYTES => BoxBody::new(Pieces(bytes)),
        Ok(bytes) => BoxBody::new(bytes),
        Err(body) => body,
    }
}

/// A long body. Its bytes are shared, not copied, until a piece is written to a connection.
struct Pieces(Bytes);

impl MessageBody for Pieces {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(u64::try_from(self.0.len()).unwrap_or(u64::MAX))
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let length = self.0.len().min(PIECE_BYTES);
        let piece = self.0.split_to(length);
        Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
    }
}

/// What a page of the interactive documentation may load: its own files, and styles that its scripts write.
const DOCS_POLICY: &str =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

const COMMON: &[(&str, &str)] = &[
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("cache-control", "private, no-cache"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
];

/// A panic becomes a 500 that tells nothing. It is answered around the other layers, since the request is lost in it.
pub async fn catch_panic(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = request_id(&request);
    let any_origin =
        request.app_data::<Data<Api>>().is_some_and(|api| matches!(api.config.cors_origins, CorsOrigins::Any));
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(outcome) => outcome.map(ServiceResponse::map_into_boxed_body),
        Err(_) => {
            tracing::error!(request_id = %id, "a handler panicked");
            let problem = Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = problem.respond(Some(&instance(&id)));
            add_common_headers(response.headers_mut(), &id);
            if any_origin {
                response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            Err(actix_web::error::InternalError::from_response(problem, response).into())
        }
    }
}
