//! All HTTP lives here, and no SQL. A file is a resource: its routes, its handlers, its rules.

pub mod auth;
pub mod batch;
pub mod bulk;
pub mod changes;
pub mod contacts;
pub mod duplicate_dismissals;
pub mod duplicates;
pub mod http;
pub mod matches;
pub mod me;
pub mod needs;
pub mod organizations;
pub mod positions;
pub mod profile;
pub mod relationships;
pub mod search;
pub mod service;
pub mod sessions;
pub mod tags;
pub mod tokens;

use serde_json::Value;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use utoipa::openapi::{ComponentsBuilder, Info, License, OpenApiBuilder, Server};
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use self::http::body::Schemas;
use self::http::caller::Authenticator;
use self::http::cursor::Cursors;
use self::http::document;
use self::http::etag::Tags;
use self::http::gate::Operations;
use self::http::limits::Limits;
use self::http::listing::Collection;
use self::http::passwords::Passwords;
use crate::config::Config;
use crate::domain::entity::Entity;
use crate::store::Store;

/// What every handler may use.
pub struct Api {
    pub store: Store,
    pub config: Config,
    pub authenticator: Authenticator,
    pub passwords: Passwords,
    pub cursors: Cursors,
    pub tags: Tags,
    pub limits: Limits,
    pub schemas: Arc<Schemas>,
    pub contract: &'static Contract,
    pub body_timeout: Duration,
    /// The server is stopping and takes no new work.
    pub draining: AtomicBool,
}

/// The document, and what is read from it: the same for every server of a process.
pub struct Contract {
    pub document: Value,
    pub operations: Operations,
    pub schemas: Arc<Schemas>,
}

impl Contract {
    /// Made once; the text says why it could not be.
    pub fn get() -> Result<&'static Self, &'static str> {
        static CONTRACT: LazyLock<Result<Contract, String>> = LazyLock::new(|| {
            let whole = whole_document().map_err(|error| error.to_string())?;
            let schemas = Arc::new(Schemas::new(&whole)?);
            let document = document::published(whole);
            Ok(Contract { operations: Operations::new(&document), schemas, document })
        });
        CONTRACT.as_ref().map_err(String::as_str)
    }
}

/// Every route there is.
pub fn routes(config: &mut ServiceConfig<'_>) {
    auth::routes(config);
    me::routes(config);
    sessions::routes(config);
    tokens::routes(config);
    // Before `/v1/contacts/{id}` and `/v1/organizations/{id}`, which would take them for ids.
    duplicates::routes(config);
    bulk::routes(config);
    contacts::routes(config);
    organizations::routes(config);
    positions::routes(config);
    relationships::routes(config);
    // Before `/v1/needs/{id}`, which would take it for an id.
    matches::routes(config);
    needs::routes(config);
    tags::routes(config);
    duplicate_dismissals::routes(config);
    profile::routes(config);
    search::routes(config);
    changes::routes(config);
    batch::routes(config);
    service::routes(config);
}

/// The lists whose parameters are told by a table.
const COLLECTIONS: &[&Collection] = &[
    &contacts::COLLECTION,
    &contacts::LOOKUP,
    &organizations::COLLECTION,
    &organizations::LOOKUP,
    &positions::COLLECTION,
    &relationships::COLLECTION,
    &needs::COLLECTION,
    &tags::COLLECTION,
    &duplicate_dismissals::COLLECTION,
];

/// The kinds of record that are found by words.
fn searchable() -> Vec<Entity> {
    COLLECTIONS.iter().filter(|collection| collection.searchable).map(|collection| collection.entity).collect()
}

/// The OpenAPI document, made from the routes.
pub fn document() -> Result<Value, serde_json::Error> {
    whole_document().map(document::published)
}

/// The same with the schemas that bodies are checked against within.
fn whole_document() -> Result<Value, serde_json::Error> {
    let mut info = Info::new("Wellmet", env!("CARGO_PKG_VERSION"));
    info.description = Some(DESCRIPTION.to_owned());
    let license = License::builder().name("MIT or Apache-2.0").identifier(Some(env!("CARGO_PKG_LICENSE")));
    info.license = Some(license.build());
    // Wherever the document was read from, there is the server.
    let base = OpenApiBuilder::new().info(info).servers(Some([Server::new("/")]));
    let base = base.components(Some(unseen_schemas().build())).build();
    let (_, collected) = actix_web::App::new().into_utoipa_app().openapi(base).configure(routes).split_for_parts();
    document::complete(&collected, COLLECTIONS)
}

/// Schemas that utoipa does not find by itself: what no handler names, and what maps hold.
fn unseen_schemas() -> ComponentsBuilder {
    let problems = ComponentsBuilder::new()
        .schema_from::<http::problem::ProblemOut>()
        .schema_from::<http::problem::ProblemField>()
        .schema_from::<http::problem::ProblemRecord>();
    contacts::map_schemas(problems)
}

const DESCRIPTION: &str = "\
The backend for people who build a career through people: contacts and organizations, what ties them, and what they need.

Sign up with `POST /v1/auth/register`, or make a personal access token with `POST /v1/tokens`, and send it as \
`Authorization: Bearer …`. Bodies and query strings are closed: an unknown field or parameter is an error. Errors are \
problem documents (RFC 9457); branch on `code`. Every record has an `ETag`; send it back in `If-Match` and nobody's \
work is overwritten. Lists go on with `next_cursor`. Everything that changed can be followed at `GET /v1/changes`, \
and taken back for 30 days with `POST /v1/changes/{version}/revert`.";
