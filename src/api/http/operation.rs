//! An operation as data: how it is called, who may call it, what it does, and what the document says about it. The router
//! and the document are both made from these, so neither can know one that the other does not.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;
use utoipa::ToSchema;

use super::auth::caller::Caller;
use super::messages::accepted::OperationOut;
use super::messages::problem::{Code, Problem};
use super::messages::response::Response;
use super::parameter::Parameter;
use super::records::collection::Collection;
use crate::api::context::{Api, Call, Context};
use crate::domain::entity::Entity;
use crate::service::validation::views::{Collect, collect};
use crate::store::{Answer, Conn, IdempotencyKey, Tx};

/// One operation.
pub struct Operation {
    pub method: Method,
    /// Such as `/v1/contacts/{id}`.
    pub path: Cow<'static, str>,
    /// `operationId`: a verb and a noun.
    pub id: Cow<'static, str>,
    pub access: Access,
    pub run: Run,
    /// The names of its query parameters.
    pub parameters: Vec<String>,
    /// Whether it reads a body. A POST without fields reads one to refuse those that are sent.
    pub reads_body: bool,
    /// Made when it is asked for: only the document needs it.
    pub docs: Box<dyn Fn() -> Docs + Send + Sync>,
}

/// Who may call an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever has a token; what it may do is decided within.
    AnyToken,
    /// Who has a token with all of these scopes.
    Scopes(Vec<Cow<'static, str>>),
}

impl Access {
    pub fn scope(scope: impl Into<Cow<'static, str>>) -> Self {
        Self::Scopes(vec![scope.into()])
    }

    /// Of views of records of every area.
    pub fn read_every_area() -> Self {
        let scopes = [
            "contacts:read",
            "relationships:read",
            "interactions:read",
            "follow_ups:read",
            "goals:read",
            "events:read",
            "online:read",
        ];
        Self::Scopes(scopes.map(Into::into).to_vec())
    }
}

/// What an operation does.
#[derive(Clone, Copy)]
pub enum Run {
    /// Reads records.
    Read(fn(&Context, &mut Conn) -> Result<Response, Problem>),
    /// Reads one record by its id, unless the query asks for more.
    LookUp(fn(&Context, &mut Conn) -> Result<Response, Problem>),
    /// Checks a request before anything is locked, and returns what is to be done about it.
    Write(fn(&Context) -> Result<Write, Problem>),
    /// Everything that is not about the records of one workspace alone: accounts, the service itself, batches.
    Other(fn(Exchange) -> LocalBoxFuture<'static, Result<HttpResponse, Problem>>),
}

/// The part of a write that runs in its transaction.
pub type Work = Box<dyn FnOnce(&mut Tx<'_>) -> Result<Answer, Problem> + Send>;

/// A checked write of records.
pub struct Write {
    pub work: Work,
    /// The work is done to see its outcome, and rolled back.
    pub dry_run: bool,
    /// Something is erased for good, so the database's own journals are to be cleared afterwards.
    pub erases: bool,
}

impl Write {
    pub fn new(work: impl FnOnce(&mut Tx<'_>) -> Result<Answer, Problem> + Send + 'static) -> Self {
        Self { work: Box::new(work), dry_run: false, erases: false }
    }
}

/// A call of an operation that is not about records alone.
pub struct Exchange {
    pub api: Arc<Api>,
    /// The caller, unless the operation is public.
    pub caller: Option<Caller>,
    pub request: HttpRequest,
    pub call: Arc<Call>,
    /// The Idempotency-Key of the request, if there is one.
    pub idempotency: Option<IdempotencyKey>,
}

impl Exchange {
    pub fn caller(&self) -> Result<&Caller, Problem> {
        self.caller.as_ref().ok_or_else(|| Problem::unauthenticated("This operation requires a token."))
    }

    /// The same as an operation on records sees it.
    pub fn context(&self) -> Result<Context, Problem> {
        let (api, call) = (self.api.clone(), self.call.clone());
        Ok(Context { api, caller: self.caller()?.clone(), call, max_answer_bytes: None })
    }
}

impl Operation {
    pub fn new(
        method: Method,
        path: impl Into<Cow<'static, str>>,
        id: impl Into<Cow<'static, str>>,
        access: Access,
        run: Run,
        docs: impl Fn() -> Docs + Send + Sync + 'static,
    ) -> Self {
        let Docs { parameters, request, .. } = docs();
        let parameters = parameters.into_iter().map(|parameter| parameter.name.into_owned()).collect();
        let reads_body = method == Method::POST || request.is_some();
        Self {
            method,
            path: path.into(),
            id: id.into(),
            access,
            run,
            parameters,
            reads_body,
            docs: Box::new(docs),
        }
    }

    /// The scopes that a caller needs.
    pub fn scopes(&self) -> &[Cow<'static, str>] {
        match &self.access {
            Access::Scopes(scopes) => scopes,
            Access::Public | Access::AnyToken => &[],
        }
    }

    /// Whether it may be part of a batch: what works on the records of a workspace may. Accounts and tokens are not part of
    /// its transaction, and a batch is not part of another.
    pub fn may_be_batched(&self) -> bool {
        let is_of_account = |scope: &Cow<'static, str>| scope.starts_with("account:");
        match &self.access {
            Access::Scopes(scopes) => !matches!(self.run, Run::Other(_)) && !scopes.iter().any(is_of_account),
            Access::Public | Access::AnyToken => false,
        }
    }

    /// Whether it answers with secrets, so that its answer must not be stored.
    pub fn answers_with_secrets(&self) -> bool {
        self.is_auth()
            || (["/v1/tokens", "/v1/calendar-feeds"].contains(&&*self.path) && self.method == Method::POST)
    }

    /// Whether it is called by a secret in its path, which stands for a token.
    pub fn is_by_secret(&self) -> bool {
        self.path.contains("{secret}")
    }

    /// Whether requests are counted by the address that they come from, since nobody is logged in.
    pub fn is_limited_by_address(&self) -> bool {
        self.is_auth() || self.is_by_secret()
    }

    pub fn is_auth(&self) -> bool {
        self.path.starts_with("/v1/auth/")
    }

    pub fn takes_idempotency_key(&self) -> bool {
        let writes = match self.method {
            Method::POST | Method::PATCH => true,
            // Where no record is written, a repeated one finds nothing to do.
            Method::PUT | Method::DELETE => matches!(self.run, Run::Write(_)),
            _ => false,
        };
        writes && self.access != Access::Public && !self.answers_with_secrets()
    }
}

/// What the document says about an operation, beside what holds for all of its kind.
#[derive(Default)]
pub struct Docs {
    pub tag: &'static str,
    pub summary: Cow<'static, str>,
    pub description: Cow<'static, str>,
    pub parameters: Vec<Parameter>,
    pub request: Option<RequestDocs>,
    pub answers: Vec<AnswerDocs>,
    /// Errors that do not follow from its kind.
    pub errors: Vec<Code>,
    pub tagged: Tagged,
    /// The collection that it lists or reads from, for what `include` adds.
    pub collection: Option<Collection>,
}

/// What carries an ETag in the answers of an operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tagged {
    #[default]
    Nothing,
    /// One record, with a strong one.
    Record,
    /// A list or a read view, with a weak one.
    View,
}

/// A schema by its name, and how it is collected.
#[derive(Clone)]
pub struct SchemaDocs {
    pub name: Cow<'static, str>,
    pub collect: Collect,
}

pub fn schema<T: ToSchema>() -> SchemaDocs {
    SchemaDocs { name: T::name(), collect: collect::<T> }
}

/// What is sent.
pub struct RequestDocs {
    pub schema: SchemaDocs,
    pub example: Value,
    /// Others, by what each shows.
    pub more_examples: Vec<(&'static str, Value)>,
    /// Of a record that is created under another: the kinds, and the field that the path provides.
    pub nested: Option<(Entity, Entity, &'static str)>,
    /// Whether a request without a body does what the operation is for.
    pub optional: bool,
}

impl RequestDocs {
    pub fn new<T: ToSchema>(example: Value) -> Self {
        Self { schema: schema::<T>(), example, more_examples: Vec::new(), nested: None, optional: false }
    }
}

/// What is answered with one status.
pub struct AnswerDocs {
    pub status: u16,
    pub description: Cow<'static, str>,
    pub schema: Option<SchemaDocs>,
    /// Another media type of the body, or the only one where there is no schema.
    pub media_type: Option<&'static str>,
}

impl Docs {
    pub fn new(tag: &'static str, summary: impl Into<Cow<'static, str>>) -> Self {
        Self { tag, summary: summary.into(), ..Self::default() }
    }

    #[must_use]
    pub fn description(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.description = description.into();
        self
    }

    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    #[must_use]
    pub fn parameters(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    #[must_use]
    pub fn request<T: ToSchema>(mut self, example: Value) -> Self {
        self.request = Some(RequestDocs::new::<T>(example));
        self
    }

    /// A request without a body does what the operation is for.
    #[must_use]
    pub fn optional_body(mut self) -> Self {
        if let Some(request) = &mut self.request {
            request.optional = true;
        }
        self
    }

    #[must_use]
    pub fn answer<T: ToSchema>(mut self, status: u16, description: impl Into<Cow<'static, str>>) -> Self {
        self.answers.push(AnswerDocs {
            status,
            description: description.into(),
            schema: Some(schema::<T>()),
            media_type: None,
        });
        self
    }

    /// An edit of more than 1,000 records is carried out as an operation.
    #[must_use]
    pub fn may_be_large(self) -> Self {
        self.answer::<OperationOut>(202, "Accepted: more than 1,000 records will be changed in the background.")
            .errors(&[Code::OperationRunning])
    }

    /// The last answer is also given as this media type.
    #[must_use]
    pub fn also(mut self, media_type: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.media_type = Some(media_type);
        }
        self
    }

    /// An answer that is text, and not JSON.
    #[must_use]
    pub fn text(
        mut self,
        status: u16,
        description: impl Into<Cow<'static, str>>,
        media_type: &'static str,
    ) -> Self {
        let (description, media_type) = (description.into(), Some(media_type));
        self.answers.push(AnswerDocs { status, description, schema: None, media_type });
        self
    }

    /// An answer without a body.
    #[must_use]
    pub fn empty(mut self, status: u16, description: impl Into<Cow<'static, str>>) -> Self {
        self.answers.push(AnswerDocs { status, description: description.into(), schema: None, media_type: None });
        self
    }

    #[must_use]
    pub fn errors(mut self, errors: &[Code]) -> Self {
        self.errors.extend(errors);
        self
    }

    #[must_use]
    pub fn tagged(mut self, tagged: Tagged) -> Self {
        self.tagged = tagged;
        self
    }

    #[must_use]
    pub fn collection(mut self, collection: Collection) -> Self {
        self.collection = Some(collection);
        self
    }
}
