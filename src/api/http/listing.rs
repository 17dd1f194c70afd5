//! Lists: the parameters of a collection as one table, from which both the document and the query are made.

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use super::problem::Problem;
use super::query::{Query, parse_flag, parse_uuid};
use crate::api::Api;
use crate::domain::entity::Entity;
use crate::domain::id::WorkspaceId;
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::domain::timestamp::Timestamp;
use crate::store::changes;
use crate::store::lists::{Listing, Order};
use crate::store::relations::{Link, Relation};
use crate::store::{AnyId, Comparison, Direction, Field, Predicate, Scalar};

pub const DEFAULT_LIMIT: i64 = 50;
pub const MAX_LIMIT: i64 = 200;
/// How long a text to search for may be.
pub const MAX_QUERY_CHARACTERS: usize = 200;
/// How often one parameter may be repeated.
pub const MAX_REPEATS: usize = 100;

/// What a list can be filtered and sorted by, and shown with.
pub struct Collection {
    pub entity: Entity,
    /// The operations that list it: the whole of it, or the part under another record.
    pub lists: &'static [&'static str],
    /// The operation that reads one of it.
    pub get: &'static str,
    pub sorts: &'static [(&'static str, Field)],
    pub filters: &'static [Filter],
    pub updated_at: Field,
    /// Whether `q` searches it.
    pub searchable: bool,
    /// What `include` can add.
    pub relations: &'static [Relation],
}

/// One thing to narrow a list by.
pub struct Filter {
    pub name: &'static str,
    pub description: &'static str,
    pub values: Values,
    pub operators: Operators,
    /// What counts when it is absent.
    pub default: Option<&'static str>,
    pub predicate: Narrowing,
}

/// What a record has to be.
pub enum Narrowing {
    /// The same on every day; for what is not ordered the comparison is always `Equal`.
    Always(fn(Comparison, &str) -> Result<Predicate, Rejection>),
    /// Another on another day: it is told today's in the workspace.
    ByDay(fn(NaiveDate, &str) -> Result<Predicate, Rejection>),
}

impl Narrowing {
    fn predicate(&self, comparison: Comparison, today: NaiveDate, value: &str) -> Result<Predicate, Rejection> {
        match self {
            Self::Always(predicate) => predicate(comparison, value),
            Self::ByDay(predicate) => predicate(today, value),
        }
    }
}

/// What a filter takes.
pub enum Values {
    OneOf(&'static [&'static str]),
    Text {
        max_length: usize,
    },
    /// Text that has to be of some form.
    Formed {
        max_length: usize,
        example: &'static str,
    },
    Id(Entity),
    Number {
        min: i64,
        max: i64,
    },
}

/// What a filter can do beside being equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operators {
    /// Nothing: it comes once.
    Single,
    /// Repeated, any of the values will do; `[ne]` for none of them.
    AnyOf,
    /// As `AnyOf`, and `[all]` for all of them: a record carries several.
    Set,
    /// `[gte]`, `[gt]`, `[lte]`, `[lt]` and `[ne]`.
    Ordered,
}

impl Operators {
    const fn names(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Single => &[],
            Self::AnyOf => &[("ne", "None of these.")],
            Self::Set => &[("all", "All of these."), ("ne", "None of these.")],
            Self::Ordered => &[
                ("gte", "At least this."),
                ("gt", "More than this."),
                ("lte", "At most this."),
                ("lt", "Less than this."),
                ("ne", "Not this."),
            ],
        }
    }

    const fn repeats(self) -> bool {
        matches!(self, Self::AnyOf | Self::Set)
    }
}

impl Values {
    fn schema(&self) -> Value {
        match self {
            Self::OneOf(words) => json!({ "type": "string", "enum": words }),
            Self::Text { max_length } => json!({ "type": "string", "minLength": 1, "maxLength": max_length }),
            Self::Formed { max_length, .. } => {
                json!({ "type": "string", "minLength": 1, "maxLength": max_length })
            }
            Self::Id(entity) => json!({ "type": "string", "format": "uuid", "x-entity": entity.as_str() }),
            Self::Number { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        }
    }

    /// In a body, where `true` may be the JSON literal.
    fn body_schema(&self) -> Value {
        match self {
            Self::OneOf(words) if words.contains(&"true") => {
                json!({ "oneOf": [{ "type": "string", "enum": words }, { "type": "boolean" }] })
            }
            _ => self.schema(),
        }
    }

    fn check(&self, value: &str) -> Result<(), Rejection> {
        match self {
            Self::OneOf(words) if !words.contains(&value) => {
                Err(Rejection::new(FieldCode::NotAllowed, format!("Allowed: {}.", words.join(", "))))
            }
            Self::Text { max_length } | Self::Formed { max_length, .. }
                if value.is_empty() || value.chars().count() > *max_length =>
            {
                Err(Rejection::new(FieldCode::TooLong, format!("Expected 1 to {max_length} characters.")))
            }
            Self::Id(_) => parse_id(value).map(drop),
            Self::Number { min, max } => match value.parse::<i64>() {
                Ok(number) if (*min..=*max).contains(&number) => Ok(()),
                _ => Err(Rejection::format(format!("Expected a whole number from {min} to {max}."))),
            },
            _ => Ok(()),
        }
    }
}

/// An id in a query.
pub fn parse_id(text: &str) -> Result<AnyId, Rejection> {
    parse_uuid(text)
        .map(AnyId::new)
        .ok_or_else(|| Rejection::format("Expected a UUID (RFC 9562) of 36 characters."))
}

/// The query with the ids that are in use: that of a record that was merged stands for the one it lives on in.
pub async fn led_on(
    api: &Api,
    workspace: WorkspaceId,
    query: &Query,
    names: Vec<(String, Entity, AnyId)>,
) -> Result<Query, Problem> {
    if names.is_empty() {
        return Ok(query.clone());
    }
    let survivors = api.store.read(move |conn| changes::survivors(conn, workspace, &names)).await?;
    let in_use = |name: &str, text: &str| {
        let survivor = parse_id(text).ok().and_then(|id| survivors.get(&(name.to_owned(), id)));
        survivor.map_or_else(|| text.to_owned(), |survivor| survivor.uuid().to_string())
    };
    Ok(query.map(in_use))
}

/// The records of a kind that these parameters name.
pub fn named(query: &Query, parameters: &[&str], entity: Entity) -> Vec<(String, Entity, AnyId)> {
    let of = |name: &&str| query.all(name).into_iter().map(|id| ((*name).to_owned(), id)).collect::<Vec<_>>();
    let all = parameters.iter().flat_map(of);
    all.filter_map(|(name, id)| Some((name, entity, parse_id(&id).ok()?))).collect()
}

// The predicates that most filters are made of.

/// `true` or `false` in a column.
pub fn flag(field: Field, value: &str) -> Result<Predicate, Rejection> {
    Ok(Predicate::equal(field, Scalar::Bool(parse_flag(value)?)))
}

/// A word, or other text, in a column.
pub fn word(field: Field, comparison: Comparison, value: &str) -> Result<Predicate, Rejection> {
    Ok(Predicate::Compare(field, comparison, Scalar::Text(value.to_owned())))
}

/// The id of another record in a column; one that names nothing finds nothing.
pub fn reference(field: Field, value: &str) -> Result<Predicate, Rejection> {
    Ok(Predicate::equal(field, Scalar::Id(parse_id(value)?)))
}

/// A whole number in a column.
pub fn number(field: Field, comparison: Comparison, value: &str) -> Result<Predicate, Rejection> {
    let number = value.parse().map_err(|_| Rejection::format("Expected a whole number."))?;
    Ok(Predicate::Compare(field, comparison, Scalar::Int(number)))
}

/// What a filter in a body asks for.
#[derive(Debug, Clone)]
pub struct Narrowed {
    pub filter: Predicate,
    /// Words to find.
    pub query: Option<String>,
    /// The records it names: in which member, of which kind.
    pub names: Vec<(String, Entity, AnyId)>,
}

impl Default for Narrowed {
    fn default() -> Self {
        Self { filter: Predicate::always(), query: None, names: Vec::new() }
    }
}

/// How records are shown.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    pub summary: bool,
    pub relations: Vec<Relation>,
}

impl Shown {
    /// Whether they are shown as they are.
    pub fn is_plain(&self) -> bool {
        !self.summary && self.relations.is_empty()
    }
}

impl Collection {
    /// The query parameters of its lists, for the document.
    pub fn parameters(&self) -> Vec<Value> {
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
                "count",
                "Whether to count all that fit, as `total`; it costs about nine pages.",
                json!({ "type": "boolean", "default": false }),
            ),
            parameter(
                "view",
                "`summary` shows the few fields that a card needs.",
                json!({ "type": "string", "enum": ["full", "summary"], "default": "full" }),
            ),
            parameter(
                "updated_since",
                "Only what changed at or after this RFC 3339 instant. To keep a copy, follow `/v1/changes` instead.",
                json!({ "type": "string", "format": "date-time" }),
            ),
        ];
        parameters.extend(self.include_parameter());
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
            let several = |schema: Value| match filter.operators.repeats() {
                true => json!({ "type": "array", "items": schema, "maxItems": MAX_REPEATS }),
                false => schema,
            };
            let description = match filter.operators.repeats() {
                true => format!("{} Repeat it for any of several.", filter.description),
                false => filter.description.to_owned(),
            };
            let own = parameter(filter.name, &description, several(schema));
            parameters.push(with_example(own, &filter.values));
            for (operator, meaning) in filter.operators.names() {
                let name = format!("{}[{operator}]", filter.name);
                let own = parameter(&name, meaning, several(filter.values.schema()));
                parameters.push(with_example(own, &filter.values));
            }
        }
        parameters
    }

    /// The schema of the list's filter as an object in a body: each parameter that narrows it, with one value or several.
    pub fn filter_schema(&self) -> Value {
        let mut properties = Map::new();
        for filter in self.filters {
            let own = filter.values.body_schema();
            let several = json!({ "type": "array", "items": own, "minItems": 1, "maxItems": MAX_REPEATS });
            let member = |description: &str| match filter.operators.repeats() {
                false => described(own.clone(), description),
                true => json!({ "oneOf": [own, several], "description": description }),
            };
            let any = if filter.operators.repeats() { " Several in a list: any of them." } else { "" };
            properties.insert(filter.name.to_owned(), member(&format!("{}{any}", filter.description)));
            for (operator, meaning) in filter.operators.names() {
                properties.insert(format!("{}[{operator}]", filter.name), member(meaning));
            }
        }
        if self.searchable {
            let text = json!({ "type": "string", "minLength": 1, "maxLength": MAX_QUERY_CHARACTERS });
            properties.insert("q".to_owned(), described(text, "Words to find."));
        }
        let since = json!({ "type": "string", "format": "date-time" });
        properties.insert("updated_since".to_owned(), described(since, "Only what changed at or after this."));
        json!({
            "type": "object", "properties": properties, "x-excludes": ["ids"],
            "description": "Those that the list finds with these parameters.",
        })
    }

    /// What a filter in a body asks for today; it fits `filter_schema`.
    pub fn narrowed(&self, filter: &Map<String, Value>, today: NaiveDate) -> Result<Narrowed, Invalid> {
        let pairs = filter.iter().flat_map(|(name, value)| {
            let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            values.into_iter().map(move |value| match value {
                Value::String(text) => (name.clone(), text),
                other => (name.clone(), other.to_string()),
            })
        });
        let query = Query::of(pairs);
        let refused = |problem: Problem| Invalid::one("#/filter", FieldCode::InvalidFormat, problem.detail);
        let filter = self.filter(&query, today).map_err(refused)?;
        let text = query.one("q").map_err(refused)?;
        Ok(Narrowed { filter, query: text, names: self.names(&query) })
    }

    /// The records that a query names: in which parameter, of which kind. Takes one pass over the query.
    pub fn names(&self, query: &Query) -> Vec<(String, Entity, AnyId)> {
        let named = |(name, value): (&str, &str)| {
            let own = self.filters.iter().find(|own| name.split('[').next() == Some(own.name))?;
            let Values::Id(entity) = own.values else { return None };
            Some((name.to_owned(), entity, parse_id(value).ok()?))
        };
        query.pairs().filter_map(named).collect()
    }

    fn updated_since(&self, query: &Query) -> Result<Option<Predicate>, Problem> {
        let since = query.parsed("updated_since", Timestamp::parse)?;
        Ok(since
            .map(|since| Predicate::Compare(self.updated_at, Comparison::GreaterOrEqual, Scalar::Instant(since))))
    }

    /// `include`, where there is something to include.
    pub fn include_parameter(&self) -> Option<Value> {
        let names: Vec<&str> = self.relations.iter().map(|relation| relation.name).collect();
        let all: Vec<String> = self
            .relations
            .iter()
            .map(|relation| format!("`{}`: {}", relation.name, relation.description))
            .collect();
        (!names.is_empty()).then(|| {
            parameter(
                "include",
                &format!("Adds summaries under the relation's name. Repeat it for several. {}", all.join(" ")),
                json!({ "type": "array", "items": { "type": "string", "enum": names }, "maxItems": names.len() }),
            )
        })
    }

    /// Whether what the query asks for is another list on another day.
    pub fn goes_by_day(&self, query: &Query) -> bool {
        let by_day = |filter: &&Filter| matches!(filter.predicate, Narrowing::ByDay(_));
        let is_asked = |filter: &Filter| query.names().any(|name| name.split('[').next() == Some(filter.name));
        self.filters.iter().filter(by_day).any(is_asked)
    }

    /// What the query asks for today, of which `found_by` is the same with the ids that are in use.
    pub fn listing(
        &self,
        api: &Api,
        workspace: WorkspaceId,
        today: NaiveDate,
        query: &Query,
        found_by: &Query,
        binding: &str,
    ) -> Result<Listing, Problem> {
        let filter = self.filter(found_by, today)?;
        let words = Values::Text { max_length: MAX_QUERY_CHARACTERS };
        let text = query.parsed("q", |text| words.check(text).map(|()| text.to_owned()))?;
        let order = match (query.parsed("sort", |sort| self.order(sort))?, &text) {
            (Some(order), _) => order,
            (None, Some(_)) => Order::Relevance,
            (None, None) => self.order("-id").map_err(|rejection| Problem::parameter("sort", &rejection))?,
        };
        let after = match query.one("cursor")? {
            Some(cursor) => Some(api.cursors.open(&self.binding(workspace, query, binding), &cursor)?),
            None => None,
        };
        let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
        let count = query.flag("count")?;
        Ok(Listing { filter, query: text, order, after, limit, count })
    }

    pub fn filter(&self, query: &Query, today: NaiveDate) -> Result<Predicate, Problem> {
        let mut all: Vec<Predicate> = self.updated_since(query)?.into_iter().collect();
        for filter in self.filters {
            let parse = |name: &str, comparison: Comparison, values: Vec<String>| {
                let parsed: Result<Vec<Predicate>, Rejection> = values
                    .iter()
                    .map(|value| {
                        filter
                            .values
                            .check(value)
                            .and_then(|()| filter.predicate.predicate(comparison, today, value))
                    })
                    .collect();
                parsed.map_err(|rejection| Problem::parameter(name, &rejection))
            };
            let read = |name: &str| query.several(name, if filter.operators.repeats() { MAX_REPEATS } else { 1 });
            let mut values = read(filter.name)?;
            let narrowed = filter
                .operators
                .names()
                .iter()
                .any(|(operator, _)| query.names().any(|name| name == format!("{}[{operator}]", filter.name)));
            if values.is_empty() && !narrowed {
                values.extend(filter.default.map(str::to_owned));
            }
            if !values.is_empty() {
                all.push(Predicate::Any(parse(filter.name, Comparison::Equal, values)?));
            }
            for (operator, _) in filter.operators.names() {
                let name = format!("{}[{operator}]", filter.name);
                let values = read(&name)?;
                if values.is_empty() {
                    continue;
                }
                let comparison = match *operator {
                    "gte" => Comparison::GreaterOrEqual,
                    "gt" => Comparison::Greater,
                    "lte" => Comparison::LessOrEqual,
                    "lt" => Comparison::Less,
                    _ => Comparison::Equal,
                };
                let parsed = parse(&name, comparison, values)?;
                all.push(match *operator {
                    "ne" => Predicate::Any(parsed).negated(),
                    _ => Predicate::All(parsed),
                });
            }
        }
        Ok(Predicate::All(all))
    }

    /// How the records are to be shown.
    pub fn shown(&self, query: &Query) -> Result<Shown, Problem> {
        let summary = query.parsed("view", |view| match view {
            "full" => Ok(false),
            "summary" => Ok(true),
            _ => Err(Rejection::new(FieldCode::NotAllowed, "Allowed: full, summary.")),
        })?;
        let mut relations: Vec<Relation> = Vec::new();
        for name in query.several("include", self.relations.len())? {
            let Some(relation) = self.relations.iter().find(|relation| relation.name == name) else {
                let known: Vec<&str> = self.relations.iter().map(|relation| relation.name).collect();
                let detail = format!("Allowed: {}; repeat the parameter for several.", known.join(", "));
                return Err(Problem::parameter("include", &Rejection::new(FieldCode::NotAllowed, detail)));
            };
            if !relations.iter().any(|known| known.name == relation.name) {
                relations.push(*relation);
            }
        }
        Ok(Shown { summary: summary.unwrap_or(false), relations })
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

    /// What a cursor is bound to; how the records are shown does not matter.
    fn binding(&self, workspace: WorkspaceId, query: &Query, path: &str) -> String {
        let asked = query.canonical_without(&["cursor", "limit", "view", "include", "count"]);
        format!("{workspace}{path}?{asked}")
    }

    /// The cursor of the next page, if there is one.
    pub fn next_cursor(
        &self,
        api: &Api,
        workspace: WorkspaceId,
        query: &Query,
        path: &str,
        next: Option<&Vec<Scalar>>,
    ) -> Result<Option<String>, Problem> {
        next.map(|place| api.cursors.seal(&self.binding(workspace, query, path), place)).transpose()
    }

    /// For the document: what `include` adds to a record, and what a summary holds.
    pub fn relation_schema(link: Link, summary: &str) -> Value {
        let reference = json!({ "$ref": format!("#/components/schemas/{summary}") });
        match link {
            Link::To(..) => json!({ "oneOf": [{ "type": "null" }, reference] }),
            Link::From(..) => json!({ "type": "array", "items": reference }),
            Link::Carriers(kinds, _) => {
                let names: Vec<&str> = kinds.iter().map(|entity| entity.plural()).collect();
                let count = json!({ "type": "integer", "format": "int64", "minimum": 0 });
                let properties: Map<String, Value> =
                    names.iter().map(|name| ((*name).to_owned(), count.clone())).collect();
                json!({ "type": "object", "properties": properties, "required": names })
            }
        }
    }
}

fn described(mut schema: Value, description: &str) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), json!(description));
    }
    schema
}

fn with_example(mut parameter: Value, values: &Values) -> Value {
    if let (Values::Formed { example, .. }, Some(parameter)) = (values, parameter.as_object_mut()) {
        parameter.insert("example".to_owned(), json!(example));
    }
    parameter
}

fn parameter(name: &str, description: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "query", "required": false, "description": description, "schema": schema })
}
