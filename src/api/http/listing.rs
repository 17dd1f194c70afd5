//! Lists: the parameters of a collection as one table, from which both the document and the query are made.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Serialize;
use serde_json::{Value, json};

use super::problem::{Code, Problem};
use super::query::Query;
use crate::api::Api;
use crate::domain::id::WorkspaceId;
use crate::domain::invalid::{FieldCode, Rejection};
use crate::domain::timestamp::Timestamp;
use crate::store::lists::{Listing, Order, Page};
use crate::store::{Comparison, Direction, Field, Predicate, Scalar};

pub const DEFAULT_LIMIT: i64 = 50;
pub const MAX_LIMIT: i64 = 200;
/// How long a text to search for may be.
pub const MAX_QUERY_CHARACTERS: usize = 200;

/// What a list can be filtered and sorted by.
pub struct Collection {
    /// The operation that lists it.
    pub operation: &'static str,
    pub sorts: &'static [(&'static str, Field)],
    pub filters: &'static [Filter],
    pub updated_at: Field,
    /// Whether `q` searches it.
    pub searchable: bool,
}

/// One parameter that narrows a list.
pub struct Filter {
    pub name: &'static str,
    pub description: &'static str,
    pub values: Values,
    /// May be repeated; the values are alternatives.
    pub repeats: bool,
    /// What counts when it is absent.
    pub default: Option<&'static str>,
    pub predicate: fn(&str) -> Result<Predicate, Rejection>,
}

/// What a filter takes.
pub enum Values {
    OneOf(&'static [&'static str]),
    Text { max_length: usize },
}

impl Values {
    fn schema(&self) -> Value {
        match self {
            Self::OneOf(words) => json!({ "type": "string", "enum": words }),
            Self::Text { max_length } => json!({ "type": "string", "minLength": 1, "maxLength": max_length }),
        }
    }

    fn check(&self, value: &str) -> Result<(), Rejection> {
        match self {
            Self::OneOf(words) if !words.contains(&value) => {
                Err(Rejection::new(FieldCode::NotAllowed, format!("Allowed: {}.", words.join(", "))))
            }
            Self::Text { max_length } if value.is_empty() || value.chars().count() > *max_length => {
                Err(Rejection::new(FieldCode::TooLong, format!("Expected 1 to {max_length} characters.")))
            }
            _ => Ok(()),
        }
    }
}

impl Collection {
    /// The query parameters, for the document.
    pub fn parameters(&self) -> Vec<Value> {
        let parameter = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "query", "required": false, "description": description, "schema": schema });
        let mut sorts: Vec<String> = Vec::new();
        for (name, _) in self.sorts {
            sorts.extend([(*name).to_owned(), format!("-{name}")]);
        }
        let default = if self.searchable { "-id, or relevance when q is given" } else { "-id" };
        let mut parameters = vec![
            parameter(
                "cursor",
                "Where to go on: `next_cursor` of the page before. Bound to the workspace, the filter and the sort.",
                json!({ "type": "string", "maxLength": 2048 }),
            ),
            parameter(
                "limit",
                "How many records a page holds at most.",
                json!({ "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT }),
            ),
            parameter(
                "sort",
                &format!("The order; `-` in front reverses it, ties are settled by the id. Default: {default}."),
                json!({ "type": "string", "enum": sorts }),
            ),
            parameter(
                "updated_since",
                "Only what changed at or after this RFC 3339 instant. To keep a copy, follow `/v1/changes` instead.",
                json!({ "type": "string", "format": "date-time" }),
            ),
        ];
        if self.searchable {
            parameters.push(parameter(
                "q",
                "Words to find; all of them, the last one as the beginning of a word. Case and accents do not count, \
                 and nothing in it is an operator.",
                json!({ "type": "string", "minLength": 1, "maxLength": MAX_QUERY_CHARACTERS }),
            ));
        }
        for filter in self.filters {
            let mut schema = filter.values.schema();
            if let (Some(default), Some(schema)) = (filter.default, schema.as_object_mut()) {
                schema.insert("default".to_owned(), json!(default));
            }
            if filter.repeats {
                schema = json!({ "type": "array", "items": schema });
            }
            let description = match filter.repeats {
                true => format!("{} Repeat it for any of several.", filter.description),
                false => filter.description.to_owned(),
            };
            parameters.push(parameter(filter.name, &description, schema));
        }
        parameters
    }

    /// What the query asks for.
    pub fn listing(&self, api: &Api, workspace: WorkspaceId, query: &Query) -> Result<Listing, Problem> {
        let mut all = Vec::new();
        for filter in self.filters {
            let mut values = if filter.repeats {
                query.all(filter.name)
            } else {
                query.one(filter.name)?.into_iter().collect()
            };
            if values.is_empty() {
                values.extend(filter.default.map(str::to_owned));
            }
            if values.is_empty() {
                continue;
            }
            let parsed: Result<Vec<Predicate>, Rejection> = values
                .iter()
                .map(|value| filter.values.check(value).and_then(|()| (filter.predicate)(value)))
                .collect();
            all.push(Predicate::Any(parsed.map_err(|rejection| Problem::parameter(filter.name, &rejection))?));
        }
        if let Some(since) = query.parsed("updated_since", Timestamp::parse)? {
            all.push(Predicate::Compare(self.updated_at, Comparison::GreaterOrEqual, Scalar::Instant(since)));
        }
        let words = Values::Text { max_length: MAX_QUERY_CHARACTERS };
        let text = query.parsed("q", |text| words.check(text).map(|()| text.to_owned()))?;
        let order = match (query.parsed("sort", |sort| self.order(sort))?, &text) {
            (Some(order), _) => order,
            (None, Some(_)) => Order::Relevance,
            (None, None) => self.order("-id").map_err(|rejection| Problem::parameter("sort", &rejection))?,
        };
        let after = match query.one("cursor")? {
            Some(cursor) => Some(api.cursors.open(&self.binding(workspace, query), &cursor)?),
            None => None,
        };
        let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
        Ok(Listing { filter: Predicate::All(all), query: text, order, after, limit })
    }

    fn order(&self, sort: &str) -> Result<Order, Rejection> {
        let (name, direction) = match sort.strip_prefix('-') {
            Some(name) => (name, Direction::Descending),
            None => (sort, Direction::Ascending),
        };
        match self.sorts.iter().find(|(known, _)| *known == name) {
            Some((_, field)) => Ok(Order::By(*field, direction)),
            None => {
                let known: Vec<String> = self.sorts.iter().map(|(name, _)| format!("{name}, -{name}")).collect();
                Err(Rejection::new(FieldCode::NotAllowed, format!("Allowed: {}.", known.join(", "))))
            }
        }
    }

    fn binding(&self, workspace: WorkspaceId, query: &Query) -> String {
        format!("{}/{workspace}?{}", self.operation, query.canonical_without(&["cursor", "limit"]))
    }

    /// The page as it is answered, with the next one's address in `Link`.
    pub fn respond<R: Serialize>(
        &self,
        api: &Api,
        workspace: WorkspaceId,
        path: &str,
        query: &Query,
        page: &Page<R>,
    ) -> Result<HttpResponse, Problem> {
        let next = match &page.next {
            Some(place) => Some(api.cursors.seal(&self.binding(workspace, query), place)?),
            None => None,
        };
        Ok(page_response(path, query, &page.items, next.as_deref()))
    }
}

/// `{"items": […], "next_cursor": …}` and `Link`.
pub fn page_response<R: Serialize>(path: &str, query: &Query, items: &[R], next: Option<&str>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some(cursor) = next {
        response.insert_header((header::LINK, format!("<{path}?{}>; rel=\"next\"", query.with("cursor", cursor))));
    }
    #[derive(Serialize)]
    struct PageOut<'a, R> {
        items: &'a [R],
        next_cursor: Option<&'a str>,
    }
    match serde_json::to_vec(&PageOut { items, next_cursor: next }) {
        Ok(body) => response.content_type("application/json").body(body),
        Err(error) => actix_web::ResponseError::error_response(&Problem::new(Code::Internal).caused_by(error)),
    }
}
