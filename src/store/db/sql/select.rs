//! Filters, orders and cursors as values: what a list asks for, told in columns, and how it becomes SQL on both backends.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::prelude::Column;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Bool, Text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::conn::MultiBackend;
use super::statement::separated;
use super::types::{AnyId, Id, Instant};
use crate::domain::entity::Entity;
use crate::domain::id::WorkspaceId;
use crate::domain::key::{Key, KeyKind};
use crate::domain::reference::Reference;
use crate::domain::timestamp::Timestamp;
use crate::store::db::index::search::Match;

/// A column, and whether it can be null; made from one of `schema.rs`, so a misspelt one does not compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field(&'static str);

/// Any column can be filtered by.
pub const fn field<C: Column + Copy>(_: C) -> Field {
    Field(C::NAME)
}

/// Only a column that is never null can be sorted by: a cursor has to hold a value.
pub const fn sortable<C>(_: C) -> Field
where
    C: Column + Copy,
    C::SqlType: diesel::sql_types::SqlType<IsNull = diesel::sql_types::is_nullable::NotNull>,
{
    Field(C::NAME)
}

/// A day to sort by: without one, it comes after all days.
pub fn day_or_last(day: Option<&String>) -> String {
    day.cloned().unwrap_or_else(|| "9999-12-31".to_owned())
}

impl Field {
    /// For the column of a `Reference`, which the parity test checks against the schema.
    pub const fn of_reference(column: &'static str) -> Self {
        Self(column)
    }

    /// The column's name, which is also its key in the row's JSON.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

/// What every table is ordered by in the end.
pub const ID: Field = Field("id");

/// A value to compare with, of the column's type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scalar {
    #[serde(rename = "u")]
    Id(AnyId),
    #[serde(rename = "s")]
    Text(String),
    #[serde(rename = "i")]
    Int(i64),
    #[serde(rename = "b")]
    Bool(bool),
    #[serde(rename = "t")]
    Instant(Timestamp),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    const fn sql(self) -> &'static str {
        match self {
            Self::Equal => " = ",
            Self::Less => " < ",
            Self::LessOrEqual => " <= ",
            Self::Greater => " > ",
            Self::GreaterOrEqual => " >= ",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

/// What a record has to be to be listed. An empty `All` is true, an empty `Any` false.
#[derive(Debug, Clone)]
pub enum Predicate {
    All(Vec<Self>),
    Any(Vec<Self>),
    /// Also true where the predicate is unknown because a column is null.
    Not(Box<Self>),
    Compare(Field, Comparison, Scalar),
    /// Equals a word that stands in the text of the statement: an index of only the rows with it serves no value that is
    /// bound.
    IsWord(Field, &'static str),
    In(Field, Vec<Scalar>),
    IsNull(Field),
    NotNull(Field),
    /// Carries one of these keys: an address, a link, a tag.
    HasKey(Entity, Vec<Key>),
    /// Holds one of these ids in the list of this reference.
    Lists(&'static Reference, Vec<AnyId>),
    /// Holds in the list of this reference one of those that are found in another table.
    ListsFound(&'static Reference, Box<Self>),
    /// Stands in the list of this reference of a record that fits.
    ListedBy(&'static Reference, Box<Self>),
    /// Refers by this column to one of those that are found in another table.
    RefersToFound(Field, Box<Self>),
    /// A record of this kind that fits refers to it by this column.
    ReferredBy(Entity, Field, Box<Self>),
    /// Found by these words.
    Found(Entity, Match),
    /// Comes after this place in the order.
    Beyond(Vec<(Field, Scalar)>, Direction),
}

impl Predicate {
    pub const fn always() -> Self {
        Self::All(Vec::new())
    }

    /// Whether those that fit are found in another table, by index.
    fn is_looked_up(&self) -> bool {
        match self {
            Self::HasKey(..)
            | Self::ReferredBy(..)
            | Self::Lists(..)
            | Self::ListsFound(..)
            | Self::ListedBy(..)
            | Self::Found(..) => true,
            Self::Any(parts) => !parts.is_empty() && parts.iter().all(Self::is_looked_up),
            _ => false,
        }
    }

    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    pub fn equal(field: Field, value: Scalar) -> Self {
        Self::Compare(field, Comparison::Equal, value)
    }

    pub fn id(id: AnyId) -> Self {
        Self::equal(ID, Scalar::Id(id))
    }

    /// Refers to one of these records.
    pub fn refers_to(reference: &'static Reference, ids: Vec<AnyId>) -> Self {
        match reference.join {
            Some(_) => Self::Lists(reference, ids),
            None => Self::In(Field(reference.column), ids.into_iter().map(Scalar::Id).collect()),
        }
    }

    pub fn ids(ids: impl IntoIterator<Item = AnyId>) -> Self {
        Self::In(ID, ids.into_iter().map(Scalar::Id).collect())
    }
}

/// A list: whose, which, in what order, how many.
#[derive(Debug, Clone)]
pub struct Select {
    pub workspace: WorkspaceId,
    pub filter: Predicate,
    pub order: Vec<Field>,
    pub direction: Direction,
    pub limit: i64,
}

impl Select {
    /// Everything that fits, in the order of ids.
    pub fn all(workspace: WorkspaceId, filter: Predicate) -> Self {
        Self { workspace, filter, order: vec![ID], direction: Direction::Ascending, limit: i64::MAX }
    }

    pub(in crate::store) fn parts(self) -> (Where, OrderBy, i64) {
        let Self { workspace, filter, order, direction, limit } = self;
        (Where { workspace, filter }, OrderBy { order, direction }, limit)
    }
}

/// The WHERE of a `Select`; the workspace always comes first.
#[derive(Debug, Clone)]
pub struct Where {
    workspace: WorkspaceId,
    filter: Predicate,
}

/// The ORDER BY of a `Select`.
#[derive(Debug, Clone)]
pub struct OrderBy {
    order: Vec<Field>,
    direction: Direction,
}

macro_rules! expression {
    ($name:ty, $sql:ty) => {
        impl Expression for $name {
            type SqlType = $sql;
        }

        impl<Source: ?Sized> AppearsOnTable<Source> for $name {}

        impl<Source: ?Sized> SelectableExpression<Source> for $name {}

        impl<GroupBy> ValidGrouping<GroupBy> for $name {
            type IsAggregate = is_aggregate::Never;
        }

        // The text depends on the value, so it is the text that a prepared statement is cached by.
        impl QueryId for $name {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }
    };
}

expression!(Where, Bool);
expression!(OrderBy, diesel::sql_types::Untyped);

impl QueryFragment<MultiBackend> for Where {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql("workspace_id = ");
        out.push_bind_param::<Id, _>(&self.workspace)?;
        out.push_sql(" AND ");
        predicate(&self.filter, &self.workspace, &mut out)
    }
}

impl QueryFragment<MultiBackend> for OrderBy {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        for (index, field) in self.order.iter().enumerate() {
            if index > 0 {
                out.push_sql(", ");
            }
            out.push_identifier(field.0)?;
            if self.direction == Direction::Descending {
                out.push_sql(" DESC");
            }
        }
        Ok(())
    }
}

fn scalar<'b>(value: &'b Scalar, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
    match value {
        Scalar::Id(id) => out.push_bind_param::<Id, _>(id),
        Scalar::Text(text) => out.push_bind_param::<Text, _>(text),
        Scalar::Int(number) => out.push_bind_param::<BigInt, _>(number),
        Scalar::Bool(truth) => out.push_bind_param::<Bool, _>(truth),
        Scalar::Instant(instant) => out.push_bind_param::<Instant, _>(instant),
    }
}

fn predicate<'b>(
    filter: &'b Predicate,
    workspace: &'b WorkspaceId,
    out: &mut AstPass<'_, 'b, MultiBackend>,
) -> QueryResult<()> {
    match filter {
        Predicate::All(parts) if parts.is_empty() => out.push_sql("1 = 1"),
        Predicate::Any(parts) if parts.is_empty() => out.push_sql("1 = 0"),
        // PostgreSQL knows no empty list.
        Predicate::In(_, values) if values.is_empty() => out.push_sql("1 = 0"),
        Predicate::All(parts) => {
            out.push_sql("(");
            separated(parts, " AND ", out, |part, out| predicate(part, workspace, out))?;
            out.push_sql(")");
        }
        Predicate::Any(parts) if !filter.is_looked_up() => {
            out.push_sql("(");
            separated(parts, " OR ", out, |part, out| predicate(part, workspace, out))?;
            out.push_sql(")");
        }
        Predicate::Not(part) => {
            out.push_sql("(");
            predicate(part, workspace, out)?;
            out.push_sql(") IS NOT TRUE");
        }
        // A word of SQL, not a value: so it is the condition of a partial index too.
        Predicate::Compare(field, Comparison::Equal, Scalar::Bool(truth)) => {
            out.push_sql(if *truth { "" } else { "NOT " });
            out.push_identifier(field.0)?;
        }
        Predicate::Compare(field, comparison, value) => {
            out.push_identifier(field.0)?;
            out.push_sql(comparison.sql());
            scalar(value, out)?;
        }
        Predicate::IsWord(field, word) => {
            out.push_identifier(field.0)?;
            out.push_sql(" = '");
            out.push_sql(word);
            out.push_sql("'");
        }
        Predicate::In(field, values) => {
            out.push_identifier(field.0)?;
            out.push_sql(" IN (");
            separated(values, ", ", out, scalar)?;
            out.push_sql(")");
        }
        Predicate::IsNull(field) => {
            out.push_identifier(field.0)?;
            out.push_sql(" IS NULL");
        }
        Predicate::NotNull(field) => {
            out.push_identifier(field.0)?;
            out.push_sql(" IS NOT NULL");
        }
        Predicate::RefersToFound(field, found) => {
            out.push_identifier(field.0)?;
            out.push_sql(" IN (");
            looked_up(found, workspace, out)?;
            out.push_sql(")");
        }
        Predicate::Any(_)
        | Predicate::HasKey(..)
        | Predicate::ReferredBy(..)
        | Predicate::Lists(..)
        | Predicate::ListsFound(..)
        | Predicate::ListedBy(..)
        | Predicate::Found(..) => {
            out.push_sql("id IN (");
            looked_up(filter, workspace, out)?;
            out.push_sql(")");
        }
        Predicate::Beyond(place, direction) => {
            out.push_sql("(");
            separated(place, ", ", out, |(field, _), out| out.push_identifier(field.0))?;
            out.push_sql(if *direction == Direction::Ascending { ") > (" } else { ") < (" });
            separated(place, ", ", out, |(_, value), out| scalar(value, out))?;
            out.push_sql(")");
        }
    }
    Ok(())
}

/// The ids in a column of a reference's join table, up to the condition on the other one.
fn listed<'b>(
    reference: &Reference,
    column: &str,
    workspace: &'b WorkspaceId,
    out: &mut AstPass<'_, 'b, MultiBackend>,
) -> QueryResult<()> {
    out.push_sql("SELECT ");
    out.push_identifier(column)?;
    out.push_sql(" FROM ");
    out.push_identifier(reference.join.unwrap_or_default())?;
    out.push_sql(" WHERE workspace_id = ");
    out.push_bind_param::<Id, _>(workspace)?;
    out.push_sql(" AND ");
    Ok(())
}

/// Selects the ids of those that fit, of a predicate that `is_looked_up`; of any other, none.
fn looked_up<'b>(
    part: &'b Predicate,
    workspace: &'b WorkspaceId,
    out: &mut AstPass<'_, 'b, MultiBackend>,
) -> QueryResult<()> {
    match part {
        // Looked up together: with an OR between them PostgreSQL asks every record of the workspace.
        Predicate::Any(parts) => {
            separated(parts, " UNION ALL ", out, |part, out| looked_up(part, workspace, out))?;
        }
        Predicate::HasKey(entity, keys) => holders_of("record_id", *entity, keys, workspace, out)?,
        Predicate::ReferredBy(entity, column, referring) => {
            out.push_sql("SELECT ");
            out.push_identifier(column.0)?;
            out.push_sql(" FROM ");
            out.push_identifier(entity.plural())?;
            out.push_sql(" WHERE workspace_id = ");
            out.push_bind_param::<Id, _>(workspace)?;
            out.push_sql(" AND ");
            predicate(referring, workspace, out)?;
        }
        Predicate::Lists(reference, ids) => {
            listed(reference, &reference.own_column(), workspace, out)?;
            if ids.is_empty() {
                out.push_sql("1 = 0");
                return Ok(());
            }
            out.push_identifier(reference.column)?;
            out.push_sql(" IN (");
            separated(ids, ", ", out, |id, out| out.push_bind_param::<Id, _>(id))?;
            out.push_sql(")");
        }
        Predicate::ListsFound(reference, found) => {
            listed(reference, &reference.own_column(), workspace, out)?;
            out.push_identifier(reference.column)?;
            out.push_sql(" IN (");
            looked_up(found, workspace, out)?;
            out.push_sql(")");
        }
        Predicate::ListedBy(reference, holder) => {
            listed(reference, reference.column, workspace, out)?;
            out.push_identifier(&reference.own_column())?;
            out.push_sql(" IN (SELECT id FROM ");
            out.push_identifier(reference.from.plural())?;
            out.push_sql(" WHERE workspace_id = ");
            out.push_bind_param::<Id, _>(workspace)?;
            out.push_sql(" AND ");
            predicate(holder, workspace, out)?;
            out.push_sql(")");
        }
        Predicate::Found(entity, words) => {
            out.push_sql("SELECT record_id FROM search_documents WHERE (workspace_id = ");
            out.push_bind_param::<Id, _>(workspace)?;
            // As in `search.rs`: not by the index on it.
            out.push_sql(") IS TRUE AND entity = '");
            out.push_sql(entity.as_str());
            out.push_sql("' AND ");
            MultiBackend::walk_variant_ast(words, out.reborrow())?;
        }
        _ => out.push_sql("SELECT NULL WHERE 1 = 0"),
    }
    Ok(())
}

/// Selects from `record_keys` where there is one of the keys. One list of values for each kind: SQLite takes expressions
/// of 1,000 levels at most, of which each OR is one. And a SELECT for each: with an OR between them SQLite reads all keys
/// of the workspace.
pub(in crate::store) fn holders_of<'b>(
    columns: &str,
    entity: Entity,
    keys: &'b [Key],
    workspace: &'b WorkspaceId,
    out: &mut AstPass<'_, 'b, MultiBackend>,
) -> QueryResult<()> {
    let mut by_kind: BTreeMap<KeyKind, Vec<&'b String>> = BTreeMap::new();
    for key in keys {
        by_kind.entry(key.kind).or_default().push(&key.value);
    }
    if by_kind.is_empty() {
        out.push_sql("SELECT ");
        out.push_sql(columns);
        out.push_sql(" FROM record_keys WHERE 1 = 0");
    }
    for (index, (kind, values)) in by_kind.into_iter().enumerate() {
        out.push_sql(if index > 0 { " UNION ALL SELECT " } else { "SELECT " });
        out.push_sql(columns);
        out.push_sql(" FROM record_keys WHERE workspace_id = ");
        out.push_bind_param::<Id, _>(workspace)?;
        for (column, word) in [("entity", entity.as_str()), ("kind", kind.as_str())] {
            out.push_sql(&format!(" AND {column} = '{word}'"));
        }
        out.push_sql(" AND value IN (");
        for (index, value) in values.into_iter().enumerate() {
            out.push_sql(if index > 0 { ", " } else { "" });
            out.push_bind_param::<Text, _>(value)?;
        }
        out.push_sql(")");
    }
    Ok(())
}
