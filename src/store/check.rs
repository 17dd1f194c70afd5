//! Whether what is stored agrees with itself: for an operator, after a crash or before an upgrade.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::db::sql::conn::Conn;
use super::error::Result;
use crate::domain::entity::Entity;
use crate::domain::reference::is_derived;

/// How many records are named of each kind of fault.
const NAMED: usize = 10;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// Every fault, as a sentence; none if all is well. Reads everything that is stored.
pub fn faults(conn: &mut Conn) -> Result<Vec<String>> {
    let mut faults = damage(conn)?;
    for entity in Entity::ALL {
        faults.extend(against_log(conn, *entity)?);
    }
    faults.extend(record_counts(conn)?);
    Ok(faults)
}

/// What SQLite finds wrong with its file. PostgreSQL looks after its own.
fn damage(conn: &mut Conn) -> Result<Vec<String>> {
    let Conn::Sqlite(conn) = conn else { return Ok(Vec::new()) };
    let integrity: Vec<Line> =
        diesel::sql_query("SELECT integrity_check AS line FROM pragma_integrity_check").load(conn)?;
    let references: Vec<Line> = diesel::sql_query(
        "SELECT DISTINCT 'a row of ' || \"table\" || ' refers to one of ' || parent || ' that does not exist' AS line
         FROM pragma_foreign_key_check",
    )
    .load(conn)?;
    let integrity = integrity.into_iter().map(|line| line.line).filter(|line| line != "ok");
    Ok(integrity
        .map(|line| format!("the file: {line}"))
        .chain(references.into_iter().map(|line| line.line))
        .collect())
}

/// Records of a kind that are not as the log tells: the version of a record is the number of its last change.
fn against_log(conn: &mut Conn, entity: Entity) -> Result<Vec<String>> {
    let (kind, table) = (entity.as_str(), entity.plural());
    let id = match conn {
        Conn::Sqlite(_) => "lower(hex(%))",
        Conn::Postgres(_) => "CAST(% AS TEXT)",
    };
    let unlogged = format!(
        "SELECT {} AS line FROM {table} own
         LEFT JOIN changes last ON last.workspace_id = own.workspace_id AND last.seq = own.version
             AND last.record_id = own.id AND last.entity = '{kind}' AND last.op <> 'deleted'
         WHERE last.seq IS NULL",
        id.replace('%', "own.id")
    );
    let lost = format!(
        "SELECT {} AS line FROM changes last
         WHERE last.entity = '{kind}' AND last.op <> 'deleted'
             AND NOT EXISTS (SELECT 1 FROM changes later WHERE later.workspace_id = last.workspace_id
                 AND later.record_id = last.record_id AND later.entity = last.entity AND later.seq > last.seq)
             AND NOT EXISTS (SELECT 1 FROM {table} own WHERE own.workspace_id = last.workspace_id
                 AND own.id = last.record_id)",
        id.replace('%', "last.record_id")
    );
    let mut faults = name(kind, "is not at the version of its last change", &lines(conn, &unlogged)?);
    faults.extend(name(kind, "does not exist, though the log does not tell of its end", &lines(conn, &lost)?));
    Ok(faults)
}

/// The first records with a fault, and how many more there are.
fn name(kind: &str, fault: &str, ids: &[String]) -> Vec<String> {
    let mut faults: Vec<String> = ids.iter().take(NAMED).map(|id| format!("the {kind} {id} {fault}")).collect();
    if ids.len() > NAMED {
        faults.push(format!("the same of {} more", ids.len() - NAMED));
    }
    faults
}

/// Workspaces that count other records than they have.
fn record_counts(conn: &mut Conn) -> Result<Vec<String>> {
    let counted = Entity::ALL.iter().filter(|entity| !is_derived(**entity));
    let of_kinds: Vec<String> = counted
        .map(|entity| {
            let table = entity.plural();
            format!("(SELECT count(*) FROM {table} own WHERE own.workspace_id = workspaces.id)")
        })
        .collect();
    let query =
        format!("SELECT count(*) AS number FROM workspaces WHERE record_count <> {}", of_kinds.join(" + "));
    let number: Number = match conn {
        Conn::Sqlite(conn) => diesel::sql_query(query).get_result(conn)?,
        Conn::Postgres(conn) => diesel::sql_query(query).get_result(conn)?,
    };
    Ok(match number.number {
        0 => Vec::new(),
        count => vec![format!("{count} workspaces count other records than they have")],
    })
}

fn lines(conn: &mut Conn, query: &str) -> Result<Vec<String>> {
    let lines: Vec<Line> = match conn {
        Conn::Sqlite(conn) => diesel::sql_query(query).load(conn)?,
        Conn::Postgres(conn) => diesel::sql_query(query).load(conn)?,
    };
    Ok(lines.into_iter().map(|line| line.line).collect())
}
