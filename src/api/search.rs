//! Search across all kinds of record, for the box that people type into.

use actix_web::http::{Method, header};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::context::Context;
use super::http::auth::caller::Caller;
use super::http::messages::conditional::{check_if_none_match, seq_and_today};
use super::http::messages::problem::Problem;
use super::http::messages::query::Query;
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::any;
use super::http::records::collection::MAX_QUERY_CHARACTERS;
use super::searchable;
use crate::domain::entity::Entity;
use crate::domain::invalid::{FieldCode, Rejection};
use crate::store::Conn;
use crate::store::search::{self, Hit};

const DEFAULT_LIMIT: i64 = 10;
pub const MAX_LIMIT: i64 = 50;

/// A search result.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct SearchHit {
    entity: Entity,
    /// The record's id.
    #[schema(format = Uuid)]
    id: String,
    /// The name of a contact, an organization or a tag; the topic of a need; the first line of an exchange, or else its kind; the topic of feedback; the purpose of an introduction; the title of a resource, a follow-up, a goal or a pitch; the name of a community; the title of a post, or else its topic, or else the first line of its text.
    #[schema(example = "Dorota Kozłowicz")]
    title: String,
    /// What distinguishes it from others with the same title. Contacts: the title and the organization, separated
    /// by a comma, of the first position that is current today (the primary one, then those without an end), or
    /// else the headline, or else the location. Organizations: the domain, or else the location, or else the
    /// industry. Needs, exchanges and feedback: the name of the contact. Introductions: the names of the two. Follow-ups: the names of the contacts, or else of the organization. Null if there is none of these, and for tags, resources, communities, posts, interactions, goals and pitches.
    #[schema(example = "CTO, Poniedziałek Sp.j.")]
    subtitle: Option<String>,
    record: AnySummary,
}

/// The summary of a record of any kind that is searched.
struct AnySummary;

impl utoipa::PartialSchema for AnySummary {
    fn schema() -> RefOr<Schema> {
        any::schema(&searchable(), "Summary", "The summary of a record.")
    }
}

impl ToSchema for AnySummary {}

/// The results of a search.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct SearchResult {
    /// The results, best first: exact titles, titles that begin with the query, the rest; then by title, then by
    /// id.
    items: Vec<SearchHit>,
}

pub fn operations() -> Vec<Operation> {
    let docs = || {
        let types = json!({
            "type": "array", "maxItems": searchable().len(), "items": { "type": "string", "enum": searchable() },
        });
        Docs::new("search", "Search all records")
            .description(
                "For a search box: all words must match, and the last may be a prefix, so that each typed letter \
                 narrows the results. Case and accents are ignored (Ł, Ø and ß are l, o and ss), and there are no \
                 operators. Contacts are also found by where they work and worked. Archived contacts and people to \
                 meet are included; their summaries say so. Without `types` every kind that the token can read is \
                 searched.",
            )
            .parameters([
                Parameter::text("q", "The text that was typed.", 1, MAX_QUERY_CHARACTERS)
                    .example(json!("doro"))
                    .required(),
                Parameter::new("types", "Only these kinds of record. Repeat the parameter for several.", types),
                Parameter::limit("The maximum number of results.", DEFAULT_LIMIT, MAX_LIMIT),
            ])
            .answer::<SearchResult>(200, "The results.")
            .tagged(Tagged::View)
    };
    let access = Access::scope("contacts:read");
    vec![Operation::new(Method::GET, "/v1/search", "search_records", access, Run::Read(search_records), docs)]
}

fn search_records(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let (workspace, query) = (context.workspace(), context.query());
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let (text, entities) = (typed(query)?, types(query, &context.caller)?);
    let (seq, today) = seq_and_today(context, conn)?;
    let tag = context.api.etags.of_day(workspace, seq, today);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let hits = search::search(conn, workspace, &text, &entities, limit, today)?;
    let items: Vec<Value> = hits.into_iter().map(hit_json).collect();
    Ok(context.json(&json!({ "items": items }))?.header(header::ETAG, &tag))
}

fn hit_json(hit: Hit) -> Value {
    let Hit { entity, id, title, subtitle, summary } = hit;
    json!({ "entity": entity, "id": id, "title": title, "subtitle": subtitle, "record": any::Keyed(entity, summary) })
}

fn typed(query: &Query) -> Result<String, Problem> {
    let text = query.parsed("q", |text| match text.chars().count() {
        0..=MAX_QUERY_CHARACTERS => Ok(text.to_owned()),
        _ => {
            let detail = format!("Expected 1 to {MAX_QUERY_CHARACTERS} characters.");
            Err(Rejection::too_long(MAX_QUERY_CHARACTERS, detail).with("min", 1))
        }
    })?;
    // As everywhere, an empty one is none.
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| Problem::parameter("q", Rejection::new(FieldCode::Required, "It is required.")))
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
            Problem::parameter("types", Rejection { detail, ..Rejection::not_one_of(&allowed) })
        })?;
        caller.require(entity, "read")?;
        if !asked.contains(&entity) {
            asked.push(entity);
        }
    }
    Ok(asked)
}
