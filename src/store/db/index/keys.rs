//! The keys a record is found by exactly; derived from it at every write. Who shares which.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Text};
use sha2::{Digest, Sha256};

use crate::domain::entity::Entity;
use crate::domain::id::WorkspaceId;
use crate::domain::key::{Key, KeyKind};
use crate::store::db::sql::conn::{Conn, MultiBackend};
use crate::store::db::sql::schema::record_keys;
use crate::store::db::sql::select::{Predicate, holders_of, separated};
use crate::store::db::sql::statement::{Prepared, statement};
use crate::store::db::sql::types::{AnyId, Id};
use crate::store::db::write::record::Record;

/// An index row of PostgreSQL holds 2,704 bytes; a longer value stands as its hash.
const MAX_VALUE_BYTES: usize = 600;

/// The value as it is stored and looked up.
pub fn stored(value: &str) -> String {
    if value.len() <= MAX_VALUE_BYTES {
        value.to_owned()
    } else {
        let hash = Sha256::digest(value.as_bytes());
        hash.iter().fold(String::from("sha256:"), |text, byte| text + &format!("{byte:02x}"))
    }
}

/// Has one of these keys.
pub fn has_key<R: Record>(keys: Vec<Key>) -> Predicate {
    let keys = keys.into_iter().map(|key| Key { value: stored(&key.value), ..key }).collect();
    Predicate::HasKey(R::ENTITY, keys)
}

/// Makes the keys of a record what they are to be, given what they were. Most writes change none of them, or few.
pub fn update(
    conn: &mut Conn,
    workspace: WorkspaceId,
    entity: Entity,
    id: AnyId,
    before: &[Key],
    after: &[Key],
) -> QueryResult<()> {
    if before == after {
        return Ok(());
    }
    let (old, mut new) = (rows(before), rows(after));
    for (kind, value) in old.iter().filter(|key| new.binary_search(key).is_err()) {
        let own = record_keys::table
            .filter(record_keys::workspace_id.eq(workspace))
            .filter(record_keys::entity.eq(entity))
            .filter(record_keys::kind.eq(kind))
            .filter(record_keys::value.eq(value))
            .filter(record_keys::record_id.eq(id));
        Prepared(diesel::delete(own)).execute(conn)?;
    }
    new.retain(|key| old.binary_search(key).is_err());
    insert_rows(conn, workspace, entity, id, &new)
}

/// Deletes the keys of a record.
pub fn delete(conn: &mut Conn, workspace: WorkspaceId, entity: Entity, id: AnyId) -> QueryResult<()> {
    let own = record_keys::table
        .filter(record_keys::workspace_id.eq(workspace))
        .filter(record_keys::record_id.eq(id))
        .filter(record_keys::entity.eq(entity));
    diesel::delete(own).execute(conn).map(drop)
}

/// Writes the keys of a new record.
pub fn insert(
    conn: &mut Conn,
    workspace: WorkspaceId,
    entity: Entity,
    id: AnyId,
    keys: &[Key],
) -> QueryResult<()> {
    insert_rows(conn, workspace, entity, id, &rows(keys))
}

fn rows(keys: &[Key]) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> =
        keys.iter().map(|key| (key.kind.as_str().to_owned(), stored(&key.value))).collect();
    rows.sort();
    rows.dedup();
    rows
}

fn insert_rows(
    conn: &mut Conn,
    workspace: WorkspaceId,
    entity: Entity,
    id: AnyId,
    rows: &[(String, String)],
) -> QueryResult<()> {
    for keys in rows.chunks(ROWS_AT_ONCE) {
        Insert { workspace, entity, id, keys }.execute(conn)?;
    }
    Ok(())
}

/// How many rows one statement inserts, each with five values; SQLite takes 32,766.
const ROWS_AT_ONCE: usize = 500;

/// Diesel inserts several rows in one statement on one of the two databases only.
struct Insert<'a> {
    workspace: WorkspaceId,
    entity: Entity,
    id: AnyId,
    keys: &'a [(String, String)],
}

impl QueryFragment<MultiBackend> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql("INSERT INTO record_keys (workspace_id, entity, kind, value, record_id) VALUES ");
        for (index, (kind, value)) in self.keys.iter().enumerate() {
            out.push_sql(if index > 0 { ", (" } else { "(" });
            out.push_bind_param::<Id, _>(&self.workspace)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&self.entity)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(kind)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(value)?;
            out.push_sql(", ");
            out.push_bind_param::<Id, _>(&self.id)?;
            out.push_sql(")");
        }
        Ok(())
    }
}

/// Which keys of these kinds the records have that at most so many records share.
pub fn shared_by_few(
    conn: &mut Conn,
    workspace: WorkspaceId,
    entity: Entity,
    ids: &[AnyId],
    kinds: &[KeyKind],
    most: i64,
) -> QueryResult<Vec<(AnyId, Key)>> {
    if ids.is_empty() || kinds.is_empty() {
        return Ok(Vec::new());
    }
    SharedByFew { workspace, entity, ids, kinds, most }.load::<Row>(conn).map(with_keys)
}

/// Everybody who has one of these keys.
pub fn holders(
    conn: &mut Conn,
    workspace: WorkspaceId,
    entity: Entity,
    keys: &[Key],
) -> QueryResult<Vec<(AnyId, Key)>> {
    Holders { workspace, entity, keys }.load::<Row>(conn).map(with_keys)
}

type Row = (AnyId, KeyKind, String);

fn with_keys(rows: Vec<Row>) -> Vec<(AnyId, Key)> {
    rows.into_iter().map(|(id, kind, value)| (id, Key { kind, value })).collect()
}

struct SharedByFew<'a> {
    workspace: WorkspaceId,
    entity: Entity,
    ids: &'a [AnyId],
    kinds: &'a [KeyKind],
    most: i64,
}

struct Holders<'a> {
    workspace: WorkspaceId,
    entity: Entity,
    keys: &'a [Key],
}

statement!(Insert<'_>);
statement!(SharedByFew<'_>, (Id, Text, Text));
statement!(Holders<'_>, (Id, Text, Text));

impl QueryFragment<MultiBackend> for SharedByFew<'_> {
    /// The row after the last that may be is looked for: that costs the same however many more there are, as a count
    /// would not.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql(
            "SELECT own.record_id, own.kind, own.value FROM record_keys AS own WHERE own.workspace_id = ",
        );
        out.push_bind_param::<Id, _>(&self.workspace)?;
        out.push_sql(" AND own.record_id IN (");
        separated(self.ids, ", ", &mut out, |id, out| out.push_bind_param::<Id, _>(id))?;
        out.push_sql(") AND own.entity = ");
        out.push_bind_param::<Text, _>(&self.entity)?;
        out.push_sql(" AND own.kind IN ('");
        separated(self.kinds, "', '", &mut out, |kind, out| {
            out.push_sql(kind.as_str());
            Ok(())
        })?;
        out.push_sql(
            "') AND (SELECT sharing.record_id FROM record_keys AS sharing WHERE sharing.workspace_id = own.workspace_id \
             AND sharing.entity = own.entity AND sharing.kind = own.kind AND sharing.value = own.value \
             LIMIT 1 OFFSET ",
        );
        out.push_bind_param::<BigInt, _>(&self.most)?;
        out.push_sql(") IS NULL");
        Ok(())
    }
}

impl QueryFragment<MultiBackend> for Holders<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        holders_of("record_id, kind, value", self.entity, self.keys, &self.workspace, &mut out)
    }
}
