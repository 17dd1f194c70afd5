//! Search across all kinds of record, for the box that people type into.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::http::caller::Caller;
use super::http::document::summary_of_any;
use super::http::etag::{ListTag, compared, seq_and_today, with_tag};
use super::http::listing::MAX_QUERY_CHARACTERS;
use super::http::problem::{Code, Problem};
use super::http::query::Query;
use super::{Api, searchable};
use crate::domain::entity::Entity;
use crate::domain::invalid::{FieldCode, Rejection};
use crate::store::search::{self, Hit};

const DEFAULT_LIMIT: i64 = 10;
pub const MAX_LIMIT: i64 = 50;

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(search_records);
}

/// A record that was found.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct SearchHit {
    entity: Entity,
    /// The record's id.
    #[schema(format = Uuid)]
    id: String,
    /// What it is called: the name of a contact, an organization or a tag, the topic of a need.
    #[schema(example = "Dorota Kozłowicz")]
    title: String,
    /// What tells it from others that are called so. Of a contact: the title and the organization, with a comma between
    /// them, of the position that comes first of those that are current today (the primary one, then those without an
    /// end); without one the headline, or else the location. Of an organization: its domain, or else its location, or its
    /// industry. Of a need: whose it is. Null where there is nothing of it, and of a tag.
    #[schema(example = "CTO, Poniedziałek Sp.j.")]
    subtitle: Option<String>,
    summary: AnySummary,
}

/// The summary of a record of any kind that is searched.
struct AnySummary;

impl utoipa::PartialSchema for AnySummary {
    fn schema() -> RefOr<Schema> {
        summary_of_any(&searchable())
    }
}

impl ToSchema for AnySummary {}

/// What was found.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct SearchResult {
    /// The best first: what is called exactly so, what begins so, the rest; then by title, then by id.
    items: Vec<SearchHit>,
}

/// Search everything
///
/// For the box that people type into: all words have to be there, the last one as the beginning of a word, so that each
/// letter typed narrows what is found. Case and accents do not count (Ł, Ø and ß are l, o and ss), nothing in it is an
/// operator. People are found by where they work and worked too. Archived contacts and people to meet are among them: their summaries
/// say so. Without `types` everything that the token may read is searched.
#[utoipa::path(tag = "search", security(("bearer" = ["contacts:read"])),
    params(
        ("q" = String, Query, description = "What was typed.", min_length = 1, max_length = 200, example = "doro"),
        ("types" = Option<Vec<String>>, Query, description = "Only these kinds of record. Repeat it for several."),
        ("limit" = Option<i64>, Query, description = "How many are told at most. Default: 10.", minimum = 1, maximum = 50)),
    responses((status = 200, description = "What was found.", body = SearchResult)))]
#[get("/v1/search")]
async fn search_records(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let (text, entities) = (typed(&query)?, types(&query, &caller)?);
    let workspace = caller.workspace;
    let (seq, today) = seq_and_today(&api, workspace).await?;
    let tag = match compared(&api, &request, api.tags.of_day(workspace, seq, today)) {
        ListTag::Changed(tag) => tag,
        ListTag::Current(response) => return Ok(response),
    };
    let hits = api.store.read(move |conn| search::search(conn, workspace, &text, &entities, limit, today)).await?;
    let items: Vec<Value> = hits.into_iter().map(hit_json).collect();
    Ok(with_tag(HttpResponse::Ok().json(json!({ "items": items })), &tag))
}

fn hit_json(hit: Hit) -> Value {
    let Hit { entity, id, title, subtitle, summary } = hit;
    json!({ "entity": entity, "id": id, "title": title, "subtitle": subtitle, "summary": summary })
}

fn typed(query: &Query) -> Result<String, Problem> {
    let text = query.parsed("q", |text| match text.chars().count() {
        1..=MAX_QUERY_CHARACTERS => Ok(text.to_owned()),
        _ => Err(Rejection::format(format!("Expected 1 to {MAX_QUERY_CHARACTERS} characters."))),
    })?;
    text.ok_or_else(|| Problem::new(Code::InvalidParameter).detail("Parameter q: it is needed."))
}

/// The kinds asked for, or all that the caller may read.
fn types(query: &Query, caller: &Caller) -> Result<Vec<Entity>, Problem> {
    let known = searchable();
    let named = query.several("types", known.len())?;
    if named.is_empty() {
        return Ok(known.into_iter().filter(|entity| caller.may_read(*entity)).collect());
    }
    let mut asked = Vec::new();
    for name in named {
        let entity = Entity::parse(&name).filter(|entity| known.contains(entity)).ok_or_else(|| {
            let allowed: Vec<&str> = known.iter().map(|entity| entity.as_str()).collect();
            let detail = format!("Allowed: {}; repeat the parameter for several.", allowed.join(", "));
            Problem::parameter("types", &Rejection::new(FieldCode::NotAllowed, detail))
        })?;
        caller.require(entity, "read")?;
        if !asked.contains(&entity) {
            asked.push(entity);
        }
    }
    Ok(asked)
}
