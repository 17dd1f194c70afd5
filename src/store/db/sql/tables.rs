//! Whether a database has the tables that this code was written for. Migrations that are noted as run may have been undone
//! by hand since, or a restored backup may hold half of the tables.

use diesel::prelude::*;
use diesel::sql_types::Text;
use std::collections::{BTreeMap, BTreeSet};

use super::conn::Conn;

/// The columns of each table.
type Tables = BTreeMap<String, BTreeSet<String>>;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
}

/// The first table or column that a database lacks, as a sentence. It may have more: what is searched, or other people's.
pub fn missing(conn: &mut Conn) -> QueryResult<Option<String>> {
    let stored = stored(conn)?;
    for (table, columns) in written() {
        let Some(found) = stored.get(&table) else { return Ok(Some(format!("there is no table {table}"))) };
        if let Some(column) = columns.difference(found).next() {
            return Ok(Some(format!("the table {table} has no column {column}")));
        }
    }
    Ok(None)
}

fn stored(conn: &mut Conn) -> QueryResult<Tables> {
    let columns: Vec<Column> = match conn {
        Conn::Sqlite(conn) => diesel::sql_query(
            "SELECT own.name AS table_name, info.name AS column_name
             FROM pragma_table_list own JOIN pragma_table_info(own.name) info WHERE own.schema = 'main'",
        )
        .load(conn)?,
        Conn::Postgres(conn) => diesel::sql_query(
            "SELECT table_name::text, column_name::text FROM information_schema.columns
             WHERE table_schema = current_schema()",
        )
        .load(conn)?,
    };
    let mut tables = Tables::new();
    for Column { table_name, column_name } in columns {
        tables.entry(table_name).or_default().insert(column_name);
    }
    Ok(tables)
}

/// The tables of `schema.rs`, which says of each table in a line of its own what it is called, and of each column.
fn written() -> Tables {
    let mut tables = Tables::new();
    let mut table = String::new();
    for line in include_str!("schema.rs").lines() {
        if let Some((name, _)) = line.trim().split_once(" (").filter(|_| line.ends_with(" {")) {
            name.clone_into(&mut table);
        } else if let Some((column, _)) = line.trim().split_once(" -> ") {
            tables.entry(table.clone()).or_default().insert(column.to_owned());
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_of_the_schema_are_read() {
        let written = written();
        assert!(written["workspaces"].contains("record_count"));
        assert!(written["contacts"].contains("workspace_id"));
        assert!(written.values().all(|columns| !columns.is_empty()));
        assert_eq!(written.len(), include_str!("schema.rs").matches("\ntable! {").count());
    }
}
