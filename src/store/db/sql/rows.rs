//! Rows of one table, inserted or updated by one statement for all of them. What the columns of a table are is told where its
//! row type is.

use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Double, Integer, Nullable, Text};
use diesel::{QueryResult, RunQueryDsl};

use super::conn::{Conn, MultiBackend};
use super::statement::separated;
use super::types::{Id, Instant, Json};

/// How many values one statement takes at most; SQLite takes 32,766, PostgreSQL 65,535.
const MAX_VALUES: usize = 30_000;

/// How many rows one statement writes at most.
const MAX_ROWS: usize = 500;

/// A statement with more values is prepared anew each time: connections keep each text that they have prepared, and there is
/// one for each number of rows.
const MAX_PREPARED_VALUES: usize = 200;

/// An update of more columns is prepared anew each time: there are as many texts as there are choices of columns.
const MAX_PREPARED_COLUMNS: usize = 3;

/// A column of a table, and how it is taken from a row.
pub(in crate::store) struct Column<Row: 'static> {
    pub name: &'static str,
    /// Its type, as PostgreSQL casts to it. It does not conclude the types of a list of values from what they are compared
    /// with.
    pub cast: OnPostgres,
    pub bind: for<'b> fn(&'b Row, &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()>,
    pub differs: fn(&Row, &Row) -> bool,
}

/// A type of which a value is a row of one table.
pub(in crate::store) trait TableRow: Sized + 'static {
    const TABLE: &'static str;
    const COLUMNS: &'static [Column<Self>];
    /// How many of these, the first ones, tell one row from all others.
    const KEY: usize;
}

/// Makes a type with a field for each column the row type of a table. Those before the semicolon are its key.
macro_rules! table_row {
    ($Row:ty, $table:ident: $($key:ident),+; $($column:ident),* $(,)?) => {
        impl $crate::store::db::sql::rows::TableRow for $Row {
            const TABLE: &'static str = stringify!($table);
            const COLUMNS: &'static [$crate::store::db::sql::rows::Column<Self>] = &[
                $($crate::store::db::sql::rows::column!($table::$key),)+
                $($crate::store::db::sql::rows::column!($table::$column),)*
            ];
            const KEY: usize = [$(stringify!($key)),+].len();
        }
    };
}
pub(in crate::store) use table_row;

macro_rules! column {
    ($table:ident::$column:ident) => {
        $crate::store::db::sql::rows::Column {
            name: stringify!($column),
            cast: <diesel::dsl::SqlTypeOf<$table::$column> as $crate::store::db::sql::rows::PostgresType>::CAST,
            bind: |row, out| out.push_bind_param::<diesel::dsl::SqlTypeOf<$table::$column>, _>(&row.$column),
            differs: |row, other| row.$column != other.$column,
        }
    };
}
pub(in crate::store) use column;

/// How PostgreSQL casts to a type.
pub(in crate::store) trait PostgresType {
    const CAST: OnPostgres;
}

macro_rules! postgres_types {
    ($($sql:ty => $cast:literal),*) => {$(
        impl PostgresType for $sql {
            const CAST: OnPostgres = OnPostgres($cast);
        }
    )*};
}
postgres_types!(
    BigInt => "::int8",
    Bool => "::bool",
    Double => "::float8",
    Id => "::uuid",
    Instant => "::timestamptz",
    Integer => "::int4",
    Json => "::jsonb",
    Text => "::text"
);

impl<T: PostgresType + diesel::sql_types::SqlType> PostgresType for Nullable<T> {
    const CAST: OnPostgres = T::CAST;
}

/// Inserts rows.
pub(in crate::store) fn insert<Row: TableRow>(conn: &mut Conn, rows: &[Row]) -> QueryResult<()> {
    in_parts(rows, Row::COLUMNS.len(), |rows| match rows {
        [_] => One::<_, false>(Insert { rows, replaces: false }).execute(conn),
        _ => Insert { rows, replaces: false }.execute(conn),
    })
}

/// Inserts rows, or puts them in the place of those with the same key.
pub(in crate::store) fn upsert<Row: TableRow>(conn: &mut Conn, rows: &[Row]) -> QueryResult<()> {
    in_parts(rows, Row::COLUMNS.len(), |rows| match rows {
        [_] => One::<_, true>(Insert { rows, replaces: true }).execute(conn),
        _ => Insert { rows, replaces: true }.execute(conn),
    })
}

/// Updates the columns in which one of the rows differs from what it was; each comes with that. SQLite rewrites the entries of an
/// index whenever one of its columns is set, even to what it was; of all indexes when that is a reference to the table itself.
pub(in crate::store) fn update<Row: TableRow>(conn: &mut Conn, before: &[Row], after: &[Row]) -> QueryResult<()> {
    let differs = |column: &&'static Column<Row>| {
        before.iter().zip(after).any(|(before, after)| (column.differs)(before, after))
    };
    let columns: Vec<&'static Column<Row>> = Row::COLUMNS.iter().skip(Row::KEY).filter(differs).collect();
    set_columns(conn, after, &columns)
}

/// Updates every column of rows.
pub(in crate::store) fn set<Row: TableRow>(conn: &mut Conn, rows: &[Row]) -> QueryResult<()> {
    let columns: Vec<&'static Column<Row>> = Row::COLUMNS.iter().skip(Row::KEY).collect();
    set_columns(conn, rows, &columns)
}

fn set_columns<Row: TableRow>(conn: &mut Conn, rows: &[Row], columns: &[&'static Column<Row>]) -> QueryResult<()> {
    if columns.is_empty() {
        return Ok(());
    }
    in_parts(rows, Row::KEY.saturating_add(columns.len()), |rows| Update { rows, columns }.execute(conn))
}

fn in_parts<Row>(
    rows: &[Row],
    values: usize,
    mut each: impl FnMut(&[Row]) -> QueryResult<usize>,
) -> QueryResult<()> {
    let most = MAX_VALUES.checked_div(values).unwrap_or(MAX_ROWS).clamp(1, MAX_ROWS);
    rows.chunks(most).try_for_each(|rows| each(rows).map(drop))
}

struct Insert<'r, Row: 'static> {
    rows: &'r [Row],
    /// Whether a row takes the place of one with the same key.
    replaces: bool,
}

/// One row that is inserted, or put in the place of another: the text is the same each time, and so is made once.
struct One<'r, Row: 'static, const REPLACES: bool>(Insert<'r, Row>);

struct Update<'r, Row: 'static> {
    rows: &'r [Row],
    columns: &'r [&'static Column<Row>],
}

macro_rules! rows_statement {
    ($($name:ident),*) => {$(
        // The text depends on the value, so it is the text that a prepared statement is cached by.
        impl<Row> QueryId for $name<'_, Row> {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }

        impl<Row> RunQueryDsl<Conn> for $name<'_, Row> {}
    )*};
}
rows_statement!(Insert, Update);

impl<Row: TableRow, const REPLACES: bool> QueryFragment<MultiBackend> for One<'_, Row, REPLACES> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

impl<Row, const REPLACES: bool> QueryId for One<'_, Row, REPLACES> {
    type QueryId = One<'static, Row, REPLACES>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Row, const REPLACES: bool> RunQueryDsl<Conn> for One<'_, Row, REPLACES> {}

impl<Row: TableRow> QueryFragment<MultiBackend> for Insert<'_, Row> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        if self.rows.len().saturating_mul(Row::COLUMNS.len()) > MAX_PREPARED_VALUES {
            out.unsafe_to_cache_prepared();
        }
        out.push_sql("INSERT INTO ");
        out.push_identifier(Row::TABLE)?;
        out.push_sql(" (");
        separated(Row::COLUMNS, ", ", &mut out, |column, out| out.push_identifier(column.name))?;
        out.push_sql(") VALUES ");
        separated(self.rows, ", ", &mut out, |row, out| {
            out.push_sql("(");
            separated(Row::COLUMNS, ", ", out, |column, out| (column.bind)(row, out))?;
            out.push_sql(")");
            Ok(())
        })?;
        if self.replaces {
            let (key, others) = Row::COLUMNS.split_at(Row::KEY.min(Row::COLUMNS.len()));
            out.push_sql(" ON CONFLICT (");
            separated(key, ", ", &mut out, |column, out| out.push_identifier(column.name))?;
            out.push_sql(") DO UPDATE SET ");
            separated(others, ", ", &mut out, |column, out| {
                out.push_identifier(column.name)?;
                out.push_sql(" = excluded.");
                out.push_identifier(column.name)
            })?;
        }
        Ok(())
    }
}

impl<Row: TableRow> QueryFragment<MultiBackend> for Update<'_, Row> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        if self.rows.len() > 1 || self.columns.len() > MAX_PREPARED_COLUMNS {
            out.unsafe_to_cache_prepared();
        }
        let (key, _) = Row::COLUMNS.split_at(Row::KEY.min(Row::COLUMNS.len()));
        out.push_sql("UPDATE ");
        out.push_identifier(Row::TABLE)?;
        out.push_sql(" SET ");
        if let [row] = self.rows {
            separated(self.columns, ", ", &mut out, |column, out| {
                out.push_identifier(column.name)?;
                out.push_sql(" = ");
                (column.bind)(row, out)
            })?;
            out.push_sql(" WHERE ");
            return separated(key, " AND ", &mut out, |column, out| {
                out.push_identifier(column.name)?;
                out.push_sql(" = ");
                (column.bind)(row, out)
            });
        }
        // Both databases call the columns of a list of values so.
        for (index, column) in self.columns.iter().enumerate() {
            out.push_sql(if index > 0 { ", " } else { "" });
            out.push_identifier(column.name)?;
            out.push_sql(&format!(" = changed.column{}", Row::KEY.saturating_add(index).saturating_add(1)));
        }
        out.push_sql(" FROM (VALUES ");
        for (index, row) in self.rows.iter().enumerate() {
            out.push_sql(if index > 0 { "), (" } else { "(" });
            let columns = key.iter().chain(self.columns.iter().copied());
            for (place, column) in columns.enumerate() {
                out.push_sql(if place > 0 { ", " } else { "" });
                (column.bind)(row, &mut out)?;
                // Those of the first row are those of all.
                if index == 0 {
                    MultiBackend::walk_variant_ast(&column.cast, out.reborrow())?;
                }
            }
        }
        out.push_sql(")) AS changed WHERE ");
        for (index, column) in key.iter().enumerate() {
            out.push_sql(if index > 0 { " AND " } else { "" });
            out.push_identifier(Row::TABLE)?;
            out.push_sql(".");
            out.push_identifier(column.name)?;
            out.push_sql(&format!(" = changed.column{}", index.saturating_add(1)));
        }
        Ok(())
    }
}

/// Text that only PostgreSQL is sent.
pub(in crate::store) struct OnPostgres(&'static str);

impl QueryFragment<diesel::pg::Pg> for OnPostgres {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, diesel::pg::Pg>) -> QueryResult<()> {
        out.push_sql(self.0);
        Ok(())
    }
}

impl QueryFragment<diesel::sqlite::Sqlite> for OnPostgres {
    fn walk_ast<'b>(&'b self, _: AstPass<'_, 'b, diesel::sqlite::Sqlite>) -> QueryResult<()> {
        Ok(())
    }
}
