//! The client of the tests: short ways to say a request, and to say what its answer must be.
//! Every answer ≥ 400 is checked here against what all of them promise; what one operation
//! promises is asserted in its own test.

use std::{
    fmt,
    future::IntoFuture,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{
    Method,
    header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

/// The password of everybody whom [`TestServer::register`](super::TestServer::register) signs up.
pub const PASSWORD: &str = "lantern orbit mustard 27 quill";

/// No answer of a test's server takes longer; one that does fails the test in words.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The connections that the clients of one server share and keep alive.
#[derive(Clone)]
pub struct Connections(Arc<Mutex<reqwest::Client>>);

impl Connections {
    pub fn new() -> Connections {
        Connections(Arc::new(Mutex::new(Connections::none())))
    }

    fn none() -> reqwest::Client {
        reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()
            .expect("a client without TLS needs nothing from the system")
    }

    /// Lets go of all of them. After the server was stopped, a request might go out on one that it
    /// has closed, before hyper has noticed.
    pub fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Connections::none();
    }

    fn get(&self) -> reqwest::Client {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Somebody who talks to the server. The three values are empty for one who has not signed in.
#[derive(Clone)]
pub struct Client {
    connections: Connections,
    base: Url,
    /// Sent with each request, unless empty. A personal access token does as well.
    pub access_token: String,
    pub refresh_token: String,
    pub workspace_id: String,
    /// Where the log of changes ended when the workspace was new; empty if that is not known.
    pub log_start: String,
}

impl Client {
    pub fn new(connections: Connections, base: &str) -> Client {
        Client {
            connections,
            base: Url::parse(base).expect("the URL of a server"),
            access_token: String::new(),
            refresh_token: String::new(),
            workspace_id: String::new(),
            log_start: String::new(),
        }
    }

    /// Where the server is.
    pub fn url(&self) -> &str {
        self.base.as_str()
    }

    /// Takes the tokens from an answer of `/v1/auth/*`.
    #[track_caller]
    fn take_tokens(&mut self, reply: &Reply) {
        let token = |name: &str| match &reply.body[name] {
            Value::String(token) => token.clone(),
            _ => panic!("no {name} in {reply}"),
        };
        self.access_token = token("access_token");
        self.refresh_token = token("refresh_token");
        if let Some(id) = reply.body["workspace"]["id"].as_str() {
            id.clone_into(&mut self.workspace_id);
        }
    }

    pub async fn sign_in(mut self, path: &str, body: &Value, expected: u16) -> Client {
        let reply = self.post(path, body).await.expect(expected);
        self.take_tokens(&reply);
        self
    }

    /// Trades the refresh token for new ones; needed once a test has moved the clock by more than
    /// the fifteen minutes that an access token lives.
    pub async fn refresh(&mut self) {
        let body = json!({"refresh_token": self.refresh_token});
        let reply = self.post("/v1/auth/refresh", &body).anonymous().await.expect(200);
        self.take_tokens(&reply);
    }

    /// The same caller with another token, such as a personal access token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Client {
        Client { access_token: token.to_owned(), ..self.clone() }
    }

    /// A request by its method's name, in any case, and its path with or without the host.
    #[track_caller]
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request {
            http: self.connections.get(),
            method: method.to_uppercase().parse().expect("a method"),
            url: self.base.join(path).expect("a path"),
            headers: HeaderMap::new(),
            body: Vec::new(),
            in_batch: false,
        }
        .bearer(&self.access_token)
    }

    /// Every change since the workspace was new, deletes included, which a walk from the beginning leaves out.
    pub async fn log(&self) -> Reply {
        let since = if self.log_start.is_empty() { String::new() } else { format!("&since={}", self.log_start) };
        self.get(&format!("/v1/changes?limit=1000{since}")).await.expect(200)
    }

    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    pub fn post(&self, path: &str, body: &impl Serialize) -> Request {
        self.request("POST", path).json(body)
    }

    pub fn put(&self, path: &str, body: &impl Serialize) -> Request {
        self.request("PUT", path).json(body)
    }

    pub fn patch(&self, path: &str, body: &impl Serialize) -> Request {
        self.request("PATCH", path).json(body)
    }

    pub fn delete(&self, path: &str) -> Request {
        self.request("DELETE", path)
    }

    /// A POST without a body, such as `/v1/contacts/{id}/restore`.
    pub fn post_nothing(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    /// Every item of a list, following `Link: <…>; rel="next"` from page to page.
    pub async fn walk(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let page = self.get(&path).await.expect(200);
            items.extend_from_slice(page.items());
            next = page.next_link();
        }
        items
    }
}

/// A request in the making. Awaiting it sends it: `ada.get(path).if_none_match(&tag).await`.
#[must_use = "a request is sent by awaiting it"]
#[derive(Clone)]
pub struct Request {
    http: reqwest::Client,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
    in_batch: bool,
}

impl Request {
    /// Replaces the header; an empty value is sent empty.
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Request {
        let name: HeaderName = name.parse().expect("a header's name");
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header's value");
        self.headers.insert(name, value);
        self
    }

    /// Adds parameters to those that the path may already have.
    pub fn query(mut self, parameters: &[(&str, &str)]) -> Request {
        self.url.query_pairs_mut().extend_pairs(parameters);
        self
    }

    #[track_caller]
    pub fn if_match(self, etag: &str) -> Request {
        self.header("If-Match", etag)
    }

    #[track_caller]
    pub fn if_none_match(self, etag: &str) -> Request {
        self.header("If-None-Match", etag)
    }

    #[track_caller]
    pub fn idempotency_key(self, key: &str) -> Request {
        self.header("Idempotency-Key", key)
    }

    /// Sends this token instead of the client's; the empty one is none.
    #[track_caller]
    pub fn bearer(mut self, token: &str) -> Request {
        self.headers.remove(AUTHORIZATION);
        if token.is_empty() { self } else { self.header("Authorization", &format!("Bearer {token}")) }
    }

    pub fn anonymous(self) -> Request {
        self.bearer("")
    }

    pub fn json(self, body: &impl Serialize) -> Request {
        let body = serde_json::to_vec(body).expect("a value that can be written as JSON");
        self.bytes("application/json", body)
    }

    /// A body as it is; an empty content type sends none.
    #[track_caller]
    pub fn bytes(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Request {
        self.body = body.into();
        self.headers.remove(CONTENT_TYPE);
        if content_type.is_empty() { self } else { self.header("Content-Type", content_type) }
    }

    /// Sends it as the one operation of a batch. Its answer is that of the operation, where the batch was carried out.
    pub fn in_batch(self) -> Request {
        Request { in_batch: true, ..self }
    }

    /// The batch that this is an operation of; what is said of who sends it stays outside.
    fn into_batch(mut self) -> Request {
        let path = match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        };
        let mut operation = json!({"method": self.method.as_str(), "path": path, "headers": {}});
        for name in ["If-Match", "If-None-Match"] {
            if let Some(value) = self.headers.remove(name) {
                operation["headers"][name] = json!(value.to_str().expect("a tag"));
            }
        }
        if !self.body.is_empty() {
            operation["body"] = serde_json::from_slice(&self.body).expect("a JSON body");
        }
        self.url.set_path("/v1/batch");
        self.url.set_query(None);
        let batch = Request { method: Method::POST, in_batch: false, ..self };
        batch.json(&json!({ "operations": [operation] }))
    }

    /// Sends it and reads the whole answer; panics where there is none.
    pub async fn send(self) -> Reply {
        let asked = format!("{} {}", self.method, self.url);
        self.try_send().await.unwrap_or_else(|error| panic!("{asked} got no answer: {error:?}"))
    }

    /// As [`send`](Self::send), where having no answer is among the outcomes.
    pub async fn try_send(self) -> Result<Reply, reqwest::Error> {
        let asked = format!("{} {}", self.method, self.url);
        if self.in_batch {
            let whole = Box::pin(self.into_batch().try_send()).await?;
            return Ok(whole.into_only_result(format!("{asked} in a batch")));
        }
        let mut request = self.http.request(self.method, self.url).headers(self.headers);
        if !self.body.is_empty() {
            request = request.body(self.body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        Ok(Reply::new(asked, status, headers, &response.bytes().await?))
    }
}

impl IntoFuture for Request {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Sends bytes and waits for an answer; see [`TestServer::raw`](super::TestServer::raw).
pub fn raw(address: SocketAddr, request: &[u8]) -> Reply {
    let asked = String::from_utf8_lossy(request).lines().next().unwrap_or_default().to_owned();
    let mut stream = TcpStream::connect(address).expect("a server that lets us connect");
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).and_then(|()| stream.set_write_timeout(patience)).expect("not zero");
    // A server that has refused the beginning need not take the rest.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    loop {
        let length = stream.read(&mut part).unwrap_or(0);
        answer.extend_from_slice(&part[..length]);
        match Reply::parse(&asked, &answer) {
            Some(reply) => return reply,
            None if length == 0 => panic!("{asked} got {:?}", String::from_utf8_lossy(&answer)),
            None => (),
        }
    }
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Method and URL, for the message of a failed assertion.
    asked: String,
    pub status: u16,
    pub headers: HeaderMap,
    /// Null where the body is empty, or is not JSON.
    pub body: Value,
    pub text: String,
}

impl Reply {
    #[track_caller]
    fn new(asked: String, status: u16, headers: HeaderMap, bytes: &[u8]) -> Reply {
        let mut unpacked = Vec::new();
        let is_packed = headers.get("Content-Encoding").is_some_and(|value| value == "gzip");
        let bytes = match is_packed {
            true => {
                flate2::read::GzDecoder::new(bytes).read_to_end(&mut unpacked).expect("what gzip has made");
                unpacked.as_slice()
            }
            false => bytes,
        };
        let text = String::from_utf8_lossy(bytes).into_owned();
        let mut reply = Reply { asked, status, headers, body: Value::Null, text };
        if reply.header("Content-Type").is_some_and(|value| value.contains("json")) && !bytes.is_empty() {
            match serde_json::from_slice(bytes) {
                Ok(body) => reply.body = body,
                Err(error) => panic!("bad JSON ({error}): {reply}"),
            }
        }
        reply
    }

    /// The answer that these bytes are, once they are all there.
    fn parse(asked: &str, bytes: &[u8]) -> Option<Reply> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let (head, body) = (String::from_utf8_lossy(&bytes[..end]), &bytes[end + 4..]);
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: HeaderMap = lines
            .filter_map(|line| {
                let (name, value) = line.split_once(':')?;
                Some((name.parse::<HeaderName>().ok()?, value.trim().parse::<HeaderValue>().ok()?))
            })
            .collect();
        let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        let length = length.unwrap_or(body.len());
        let body = body.get(..length)?;
        Some(Reply::new(asked.to_owned(), status, headers, body))
    }

    /// The answer to the one operation of a batch, with the headers that the batch has for all; the batch's own where it
    /// was not carried out.
    #[track_caller]
    fn into_only_result(self, asked: String) -> Reply {
        if self.status != 207 {
            return Reply { asked, ..self };
        }
        let results = self.body["results"].as_array().map(Vec::as_slice);
        let Some([result]) = results else { panic!("not one result: {self}") };
        let (status, body) =
            (result["status"].as_u64().and_then(|status| status.try_into().ok()), &result["body"]);
        let status: u16 = status.unwrap_or_else(|| panic!("no status: {self}"));
        let mut headers = self.headers.clone();
        for (name, value) in result["headers"].as_object().expect("headers") {
            let value = value.as_str().and_then(|value| value.parse().ok()).expect("a header's value");
            headers.insert(name.parse::<HeaderName>().expect("a header's name"), value);
        }
        if status >= 400 {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        }
        let text = if body.is_null() { String::new() } else { body.to_string() };
        Reply { asked, status, headers, body: body.clone(), text }
    }

    /// Asserts the status, and says the whole answer when it is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Reply {
        assert!(self.status == status, "expected {status}, got {self}");
        self
    }

    /// The header's value, if it is there once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }

    #[track_caller]
    fn needed(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| panic!("no single {name} header in {self}"))
    }

    #[track_caller]
    pub fn etag(&self) -> String {
        self.needed("ETag").to_owned()
    }

    /// The `Location` header, fit for [`Client::get`].
    #[track_caller]
    pub fn location(&self) -> String {
        self.needed("Location").to_owned()
    }

    /// The body's `id`.
    #[track_caller]
    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {self}")).to_owned()
    }

    /// The body's `items`.
    #[track_caller]
    pub fn items(&self) -> &[Value] {
        self.body["items"].as_array().unwrap_or_else(|| panic!("no items in {self}"))
    }

    /// Where the next page is, by `Link: <…>; rel="next"`; none on the last one.
    #[track_caller]
    pub fn next_link(&self) -> Option<String> {
        let link = self.header("Link")?;
        link.split(',').find(|part| part.contains("rel=\"next\"")).map(|part| {
            let target = part.trim().strip_prefix('<').and_then(|rest| rest.split_once('>'));
            target.unwrap_or_else(|| panic!("a malformed Link header in {self}")).0.to_owned()
        })
    }

    /// Asserts that this is the problem document that is meant, with all that every one of them
    /// promises, and gives it for a closer look at `detail` and `errors`.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert!(self.status == status && self.body["code"] == code, "expected {status} {code}, got {self}");
        assert!(
            self.header("Content-Type") == Some("application/problem+json"),
            "not of type application/problem+json: {self}"
        );
        assert!(self.body["status"] == status, "`status` is not the status: {self}");
        for member in ["type", "title", "detail", "instance"] {
            let text = self.body[member].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "no {member}: {self}");
        }
        let instance = format!("urn:uuid:{}", self.needed("X-Request-Id"));
        assert!(self.body["instance"] == instance, "`instance` is not the request's id: {self}");
        let promised = match status {
            401 => Some("WWW-Authenticate"),
            405 => Some("Allow"),
            429 | 503 => Some("Retry-After"),
            _ => None,
        };
        if let Some(name) = promised {
            self.needed(name);
        }
        self.body.clone()
    }

    /// The `errors` of a problem as `pointer code`, sorted: `["#/emails/work/value invalid_email"]`.
    pub fn errors(&self) -> Vec<String> {
        let word = |error: &Value, name: &str| error[name].as_str().unwrap_or("?").to_owned();
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut errors: Vec<String> =
            errors.iter().map(|error| format!("{} {}", word(error, "pointer"), word(error, "code"))).collect();
        errors.sort();
        errors
    }
}

/// The answer as a failed assertion shows it.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} for {}", self.status, self.asked)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        match &self.body {
            Value::Null => write!(f, "\n{}", self.text),
            body => write!(f, "\n{body:#}"),
        }
    }
}
