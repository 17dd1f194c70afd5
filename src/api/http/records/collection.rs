//! What a list can be filtered and sorted by, as one table from which both its parameters in the document and its query
//! are made. What a page shows of a record is not said here.

use chrono::NaiveDate;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::HashMap;

use crate::api::context::Context;
use crate::api::http::messages::problem::Problem;
use crate::api::http::messages::query::{Query, not_in_range, parse_flag, parse_uuid};
use crate::api::http::parameter::Parameter;
use crate::domain::entity::Entity;
use crate::domain::fields::parse_day;
use crate::domain::invalid::{FieldCode, Invalid, Rejection, escape};
use crate::domain::reference::REFERENCES;
use crate::domain::timestamp::Timestamp;
use crate::service::validation::views::reference_to;
use crate::store::lists::{Listing, Order};
use crate::store::relations::Relation;
use crate::store::{AnyId, Comparison, Conn, Direction, Field, Predicate, Scalar, changes};

pub const DEFAULT_LIMIT: i64 = 50;
pub const MAX_LIMIT: i64 = 200;
/// Characters of a text to search for.
pub const MAX_QUERY_CHARACTERS: usize = 200;
/// How often one parameter may be repeated.
pub const MAX_REPEATS: usize = 100;

/// A kind of record as it is listed.
pub struct Collection {
    pub entity: Entity,
    pub sorts: &'static [(&'static str, Field)],
    pub filters: &'static [Filter],
    pub updated_at: Field,
    /// Whether `q` searches it.
    pub searchable: bool,
    /// What `include` can add.
    pub relations: &'static [Relation],
}

/// One filter of a list.
pub struct Filter {
    pub name: &'static str,
    pub description: &'static str,
    pub values: Values,
    pub operators: Operators,
    /// The value that applies when the filter is absent.
    pub default: Option<&'static str>,
    pub predicate: FilterFn,
}

/// The predicate of a filter's value.
pub enum FilterFn {
    /// The same on every day. For values without an order the comparison is always `Equal`.
    Always(fn(Comparison, &str) -> Result<Predicate, Rejection>),
    /// Depends on today in the workspace's time zone.
    ByDay(fn(NaiveDate, &str) -> Result<Predicate, Rejection>),
}

impl FilterFn {
    fn predicate(&self, comparison: Comparison, today: NaiveDate, value: &str) -> Result<Predicate, Rejection> {
        match self {
            Self::Always(predicate) => predicate(comparison, value),
            Self::ByDay(predicate) => predicate(today, value),
        }
    }
}

/// The values of a filter.
pub enum Values {
    Flag,
    /// One of these words, which no schema of a record has a name for.
    OneOf(&'static [&'static str]),
    /// A value of the enumeration whose schema has this name.
    Enumeration(&'static str, &'static [&'static str]),
    Text {
        max_length: usize,
        example: &'static str,
    },
    Id(Entity),
    Number {
        min: i64,
        max: i64,
    },
    /// An RFC 3339 instant.
    Instant,
    /// A day, or [`NONE`] for records without one.
    DayOrNone,
    /// A day, such as 2026-03-02.
    Day,
}

/// The value of a filter by day that records without a day match.
pub const NONE: &str = "none";

/// What a filter can be compared by beside equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operators {
    /// Nothing; it is sent once.
    Single,
    /// Repeated for any of several values; `[ne]` for none of them.
    AnyOf,
    /// As `AnyOf`, and `[all]` for all of them, where a record has several.
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
                ("gte", "Greater than or equal to this."),
                ("gt", "Greater than this."),
                ("lte", "Less than or equal to this."),
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
            Self::Flag => json!({ "type": "boolean" }),
            Self::OneOf(words) => json!({ "type": "string", "enum": words }),
            Self::Enumeration(name, _) => json!({ "$ref": reference_to(name) }),
            Self::Text { max_length, .. } => json!({ "type": "string", "minLength": 1, "maxLength": max_length }),
            Self::Id(entity) => json!({ "type": "string", "format": "uuid", "x-entity": entity.as_str() }),
            Self::Number { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Self::Instant => json!({ "type": "string", "format": "date-time" }),
            Self::DayOrNone => json!({ "type": "string", "pattern": "^([0-9]{4}-[0-9]{2}-[0-9]{2}|none)$" }),
            Self::Day => json!({ "type": "string", "format": "date" }),
        }
    }

    fn check(&self, value: &str) -> Result<(), Rejection> {
        match self {
            Self::Flag => parse_flag(value).map(drop),
            Self::OneOf(words) | Self::Enumeration(_, words) if !words.contains(&value) => {
                Err(Rejection::not_one_of(words))
            }
            Self::OneOf(_) | Self::Enumeration(..) => Ok(()),
            Self::Text { max_length, .. } => check_length(value, *max_length),
            Self::Id(_) => parse_id(value).map(drop),
            Self::Number { min, max } => match value.parse::<i64>() {
                Ok(number) if (*min..=*max).contains(&number) => Ok(()),
                _ => Err(not_in_range(*min, *max)),
            },
            Self::Instant => Timestamp::parse(value).map(drop),
            Self::DayOrNone if value == NONE => Ok(()),
            Self::DayOrNone => parse_day(value).map(drop),
            Self::Day => parse_day(value).map(drop),
        }
    }
}

/// Whether a text in a query has 1 to so many characters.
pub fn check_length(text: &str, max_length: usize) -> Result<(), Rejection> {
    if (1..=max_length).contains(&text.chars().count()) {
        return Ok(());
    }
    Err(Rejection::too_long(max_length, format!("Expected 1 to {max_length} characters.")).with("min", 1))
}

/// An id in a query.
pub fn parse_id(text: &str) -> Result<AnyId, Rejection> {
    parse_uuid(text)
        .map(AnyId::new)
        .ok_or_else(|| Rejection::format("Expected a UUID (RFC 9562) of 36 characters.").with("format", "uuid"))
}

/// The records that these parameters name: in which parameter, of which kind.
pub fn named(query: &Query, parameters: &[&str], entity: Entity) -> Vec<(String, Entity, AnyId)> {
    let own = query.pairs().filter(|(name, _)| parameters.contains(name));
    own.filter_map(|(name, id)| Some((name.to_owned(), entity, parse_id(id).ok()?))).collect()
}

/// The query in which the id of a merged record is replaced by that of the record it was merged into.
pub fn resolve_merged_ids(
    context: &Context,
    conn: &mut Conn,
    names: &[(String, Entity, AnyId)],
) -> Result<Query, Problem> {
    let query = context.query();
    if names.is_empty() {
        return Ok(query.clone());
    }
    let survivors = changes::survivors(conn, context.workspace(), names)?;
    let resolve = |name: &str, text: &str| {
        let survivor = parse_id(text).ok().and_then(|id| survivors.get(&(name.to_owned(), id)));
        survivor.map_or_else(|| text.to_owned(), |survivor| survivor.uuid().to_string())
    };
    Ok(query.map(resolve))
}

// The predicates that most filters are made of.

/// `true` or `false` in a column.
pub fn flag(field: Field, value: &str) -> Result<Predicate, Rejection> {
    Ok(Predicate::equal(field, Scalar::Bool(parse_flag(value)?)))
}

/// Text in a column.
pub fn word(field: Field, comparison: Comparison, value: &str) -> Result<Predicate, Rejection> {
    Ok(Predicate::Compare(field, comparison, Scalar::Text(value.to_owned())))
}

/// The id of another record in a column; an unknown one matches nothing.
pub fn reference(field: Field, value: &str) -> Result<Predicate, Rejection> {
    Ok(Predicate::equal(field, Scalar::Id(parse_id(value)?)))
}

/// A whole number in a column.
pub fn number(field: Field, comparison: Comparison, value: &str) -> Result<Predicate, Rejection> {
    let number = value.parse().map_err(|_| Rejection::format("Expected a whole number."))?;
    Ok(Predicate::Compare(field, comparison, Scalar::Int(number)))
}

/// An instant in a column.
pub fn instant(field: Field, comparison: Comparison, value: &str) -> Result<Predicate, Rejection> {
    Ok(Predicate::Compare(field, comparison, Scalar::Instant(Timestamp::parse(value)?)))
}

/// The id of another record in any field that refers to its kind; an unknown one matches nothing.
pub fn listed(from: Entity, to: Entity, value: &str) -> Result<Predicate, Rejection> {
    Ok(refers_to(from, to, parse_id(value)?))
}

/// Refers to the record, by whichever field.
pub fn refers_to(from: Entity, to: Entity, id: AnyId) -> Predicate {
    let references = REFERENCES.iter().filter(|own| own.from == from && own.to == to);
    Predicate::Any(references.map(|own| Predicate::refers_to(own, vec![id])).collect())
}

/// A filter in a body, as the store takes it.
#[derive(Debug, Clone)]
pub struct BodyFilter {
    pub filter: Predicate,
    /// Words to search for.
    pub query: Option<String>,
    /// The records it names: where, as a JSON pointer, and of which kind.
    pub names: Vec<(String, Entity, AnyId)>,
}

impl Collection {
    /// The query parameters of its lists.
    pub fn parameters(&self) -> Vec<Parameter> {
        let default = if self.searchable { "`-id`, or by relevance with `q`" } else { "`-id`" };
        let sorts: Vec<String> =
            self.sorts.iter().flat_map(|(name, _)| [(*name).to_owned(), format!("-{name}")]).collect();
        let since = "Only records changed at or after this RFC 3339 instant. To keep a copy in sync, use `/v1/changes` instead.";
        let mut parameters = vec![
            Parameter::cursor(),
            Parameter::limit("The maximum number of records on a page.", DEFAULT_LIMIT, MAX_LIMIT),
            Parameter::new(
                "sort",
                format!("The order. A leading `-` reverses it; ties are broken by id. Default: {default}."),
                json!({ "type": "string", "enum": sorts }),
            ),
            Parameter::flag(
                "count",
                "Whether to return the number of all matches as `total`. Costs about as much as reading nine pages.",
            ),
            Parameter::new("updated_since", since, json!({ "type": "string", "format": "date-time" }))
                .example(json!("2026-03-02T09:00:00Z")),
        ];
        parameters.extend(self.include_parameter());
        if self.searchable {
            parameters
                .push(Parameter::text("q", SEARCH_DESCRIPTION, 0, MAX_QUERY_CHARACTERS).example(json!("doro")));
        }
        for filter in self.filters {
            let repeats = filter.operators.repeats();
            let several = |schema: Value| match repeats {
                true => json!({ "type": "array", "items": schema, "maxItems": MAX_REPEATS }),
                false => schema,
            };
            let parameter = |name: Cow<'static, str>, description: String, schema: Value| {
                let parameter = Parameter::new(name, description, several(schema));
                match &filter.values {
                    Values::Text { example, .. } if repeats => parameter.example(json!([example])),
                    Values::Text { example, .. } => parameter.example(json!(example)),
                    Values::DayOrNone => parameter.example(json!("2026-03-02")),
                    _ => parameter,
                }
            };
            let mut schema = filter.values.schema();
            if let (Some(default), Some(schema)) = (filter.default, schema.as_object_mut()) {
                let default = match filter.values {
                    Values::Flag => json!(default == "true"),
                    _ => json!(default),
                };
                schema.insert("default".to_owned(), default);
            }
            let more = if repeats { " Repeat the parameter to match any of several values." } else { "" };
            parameters.push(parameter(filter.name.into(), format!("{}{more}", filter.description), schema));
            for (operator, meaning) in filter.operators.names() {
                let name = format!("{}[{operator}]", filter.name);
                parameters.push(parameter(name.into(), (*meaning).to_owned(), filter.values.schema()));
            }
        }
        parameters
    }

    /// The schema of the list's filters as an object in a body. A filter that can be repeated takes an array.
    pub fn filter_schema(&self) -> Value {
        let mut properties = Map::new();
        for filter in self.filters {
            let member = |description: &str| match filter.operators.repeats() {
                true => json!({
                    "type": "array", "items": filter.values.schema(), "minItems": 1, "maxItems": MAX_REPEATS,
                    "description": description,
                }),
                false => described(filter.values.schema(), description),
            };
            let any = if filter.operators.repeats() { " Any of these." } else { "" };
            properties.insert(filter.name.to_owned(), member(&format!("{}{any}", filter.description)));
            for (operator, meaning) in filter.operators.names() {
                properties.insert(format!("{}[{operator}]", filter.name), member(meaning));
            }
        }
        if self.searchable {
            let text = json!({ "type": "string", "maxLength": MAX_QUERY_CHARACTERS });
            properties.insert("q".to_owned(), described(text, SEARCH_DESCRIPTION));
        }
        let since = json!({ "type": "string", "format": "date-time" });
        properties.insert(
            "updated_since".to_owned(),
            described(since, "Only records changed at or after this instant."),
        );
        json!({
            "type": "object", "properties": properties, "x-excludes": ["ids"],
            "description": "The records that the list returns for these filters.",
        })
    }

    /// A filter in a body, which matches `filter_schema`, as of today.
    pub fn body_filter(&self, filter: &Map<String, Value>, today: NaiveDate) -> Result<BodyFilter, Invalid> {
        let pairs = filter.iter().flat_map(|(name, value)| {
            let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            values.into_iter().map(move |value| match value {
                Value::String(text) => (name.clone(), text),
                other => (name.clone(), other.to_string()),
            })
        });
        let query = Query::from_pairs(pairs);
        let refused = |problem: Problem| {
            let Problem { detail, parameter, .. } = problem;
            let params = parameter.map(|parameter| parameter.params).unwrap_or_default();
            Rejection { params, ..Rejection::format(detail) }.at("#/filter")
        };
        let filter = self.filter(&query, today).map_err(refused)?;
        let text = query.one("q").map_err(refused)?.filter(|text| !text.is_empty());
        let mut counts: HashMap<String, usize> = HashMap::new();
        let place = |(name, entity, id): (String, Entity, AnyId)| {
            let index = counts.entry(name.clone()).or_default();
            let at = format!("#/filter/{}/{index}", escape(&name));
            *index += 1;
            (at, entity, id)
        };
        let names = self.names(&query).into_iter().map(place).collect();
        Ok(BodyFilter { filter, query: text, names })
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

    /// `include`, if there is anything to include.
    pub fn include_parameter(&self) -> Option<Parameter> {
        let names: Vec<&str> = self.relations.iter().map(|relation| relation.name).collect();
        let all = self.relations.iter().map(|relation| format!("`{}`: {}", relation.name, relation.description));
        let description = format!(
            "Related records to add as summaries, under the name of the relation. Repeat the parameter for several. {}",
            all.collect::<Vec<_>>().join(" ")
        );
        let items = json!({ "type": "string", "enum": names });
        let schema = json!({ "type": "array", "items": items, "maxItems": names.len() });
        (!names.is_empty()).then(|| Parameter::new("include", description, schema))
    }

    /// Whether the same query may have another result on another day.
    pub fn depends_on_today(&self, query: &Query) -> bool {
        let by_day = |filter: &&Filter| matches!(filter.predicate, FilterFn::ByDay(_));
        let is_asked = |filter: &Filter| query.names().any(|name| name.split('[').next() == Some(filter.name));
        self.filters.iter().filter(by_day).any(is_asked)
    }

    /// What the query asks for today. `resolved` is the query with the ids of merged records replaced.
    pub fn listing(
        &self,
        context: &Context,
        resolved: &Query,
        today: NaiveDate,
        within: Option<Predicate>,
    ) -> Result<Listing, Problem> {
        let query = context.query();
        let filter = self.filter(resolved, today)?;
        let filter = within.into_iter().chain([filter]).collect();
        // An empty search field searches for nothing.
        let check = |text: &str| match text {
            "" => Ok(None),
            text => check_length(text, MAX_QUERY_CHARACTERS).map(|()| Some(text.to_owned())),
        };
        let text = query.parsed("q", check)?.flatten();
        let order = match (query.parsed("sort", |sort| self.order(sort))?, &text) {
            (Some(order), _) => order,
            (None, Some(_)) => Order::Relevance,
            (None, None) => self.order("-id").map_err(|rejection| Problem::parameter("sort", rejection))?,
        };
        let after = query.one("cursor")?;
        let after = after.map(|cursor| context.api.cursors.open(&binding(context), &cursor)).transpose()?;
        let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
        let count = query.flag("count")?;
        Ok(Listing { filter: Predicate::All(filter), query: text, order, after, limit, count })
    }

    /// The filters of a query; refuses more values than each can have.
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
                parsed.map_err(|rejection| Problem::parameter(name, rejection))
            };
            let read = |name: &str| query.several(name, if filter.operators.repeats() { MAX_REPEATS } else { 1 });
            let is_asked = query.names().any(|name| {
                name.strip_prefix(filter.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
            });
            let values = match is_asked {
                true => read(filter.name)?,
                false => filter.default.map(str::to_owned).into_iter().collect(),
            };
            if !values.is_empty() {
                all.push(Predicate::Any(parse(filter.name, Comparison::Equal, values)?));
            }
            if !is_asked {
                continue;
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

    /// The relations that `include` names.
    pub fn included(&self, query: &Query) -> Result<Vec<Relation>, Problem> {
        let mut relations: Vec<Relation> = Vec::new();
        for name in query.several("include", self.relations.len())? {
            let Some(relation) = self.relations.iter().find(|relation| relation.name == name) else {
                let known: Vec<&str> = self.relations.iter().map(|relation| relation.name).collect();
                let detail = format!("Allowed: {}; repeat the parameter for several.", known.join(", "));
                let rejection = Rejection { detail, ..Rejection::not_one_of(&known) };
                return Err(Problem::parameter("include", rejection));
            };
            if !relations.iter().any(|known| known.name == relation.name) {
                relations.push(*relation);
            }
        }
        Ok(relations)
    }

    fn order(&self, sort: &str) -> Result<Order, Rejection> {
        let (name, direction) = match sort.strip_prefix('-') {
            Some(name) => (name, Direction::Descending),
            None => (sort, Direction::Ascending),
        };
        match self.sorts.iter().find(|(known, _)| *known == name) {
            Some((_, field)) => Ok(Order::By(*field, direction)),
            None => {
                let both = |(name, _): &(&str, Field)| [(*name).to_owned(), format!("-{name}")];
                let known: Vec<String> = self.sorts.iter().flat_map(both).collect();
                let detail = format!("Allowed: {}.", known.join(", "));
                Err(Rejection::new(FieldCode::NotAllowed, detail).with("allowed", known))
            }
        }
    }
}

const SEARCH_DESCRIPTION: &str = "Words to search for. All words must match; the last may be a prefix. Case and accents \
    are ignored, and there are no operators. Empty: everything.";

/// What a cursor is bound to. What is shown of each record does not matter.
fn binding(context: &Context) -> String {
    let asked = context.query().canonical_without(&["cursor", "limit", "include", "count"]);
    format!("{}{}?{asked}", context.workspace(), context.call.path)
}

/// The cursor of the next page, if there is one.
pub fn next_cursor(context: &Context, next: Option<&Vec<Scalar>>) -> Result<Option<String>, Problem> {
    next.map(|place| context.api.cursors.seal(&binding(context), place)).transpose()
}

fn described(mut schema: Value, description: &str) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), json!(description));
    }
    schema
}
