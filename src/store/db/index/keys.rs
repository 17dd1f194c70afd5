//! The keys a record is found by exactly; derived from it at every write. Who shares which.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Text};
use std::collections::BTreeMap;

pub use super::hashed::stored;
use crate::domain::entity::Entity;
use crate::domain::id::WorkspaceId;
use crate::domain::key::{Key, KeyKind};
use crate::store::db::sql::conn::{Conn, MultiBackend};
use crate::store::db::sql::rows::{self, table_row};
use crate::store::db::sql::schema::record_keys;
use crate::store::db::sql::select::{Predicate, holders_of};
use crate::store::db::sql::statement::{separated, statement};
use crate::store::db::sql::types::{AnyId, Id};
use crate::store::db::write::record::Record;

/// Has one of these keys.
pub fn has_key<R: Record>(keys: Vec<Key>) -> Predicate {
    let keys = keys.into_iter().map(|key| Key { value: stored(&key.value), ..key }).collect();
    Predicate::HasKey(R::ENTITY, keys)
}

/// The keys of one record: what they were, and what they are to be.
pub struct KeyChange {
    pub id: AnyId,
    pub before: Vec<Key>,
    pub after: Vec<Key>,
}

/// Makes the keys of records of a kind what they are to be. Most writes change none of them, or few.
pub fn write(
    conn: &mut Conn,
    workspace: WorkspaceId,
    entity: Entity,
    changes: impl IntoIterator<Item = KeyChange>,
) -> QueryResult<()> {
    let mut gone: BTreeMap<StoredKey, Vec<AnyId>> = BTreeMap::new();
    let mut come: Vec<KeyRow> = Vec::new();
    for KeyChange { id, before, after } in changes {
        if before == after {
            continue;
        }
        let (old, new) = (stored_keys(&before), stored_keys(&after));
        for key in old.iter().filter(|key| new.binary_search(key).is_err()) {
            gone.entry(key.clone()).or_default().push(id);
        }
        let new = new.into_iter().filter(|key| old.binary_search(key).is_err());
        come.extend(new.map(|(kind, value)| KeyRow {
            workspace_id: workspace,
            entity,
            kind,
            value,
            record_id: id,
        }));
    }
    for ((kind, value), ids) in &gone {
        let own = record_keys::table
            .filter(record_keys::workspace_id.eq(workspace))
            .filter(record_keys::entity.eq(entity))
            .filter(record_keys::kind.eq(kind))
            .filter(record_keys::value.eq(value));
        match ids.as_slice() {
            [id] => diesel::delete(own.filter(record_keys::record_id.eq(*id))).execute(conn)?,
            ids => diesel::delete(own.filter(record_keys::record_id.eq_any(ids))).execute(conn)?,
        };
    }
    rows::insert(conn, &come)
}

/// Deletes the keys of records of a kind.
pub fn delete(conn: &mut Conn, workspace: WorkspaceId, entity: Entity, ids: &[AnyId]) -> QueryResult<()> {
    let own = record_keys::table
        .filter(record_keys::workspace_id.eq(workspace))
        .filter(record_keys::record_id.eq_any(ids))
        .filter(record_keys::entity.eq(entity));
    diesel::delete(own).execute(conn).map(drop)
}

/// The kind and the value of a key as they are stored.
type StoredKey = (String, String);

fn stored_keys(keys: &[Key]) -> Vec<StoredKey> {
    let mut rows: Vec<StoredKey> =
        keys.iter().map(|key| (key.kind.as_str().to_owned(), stored(&key.value))).collect();
    rows.sort();
    rows.dedup();
    rows
}

struct KeyRow {
    workspace_id: WorkspaceId,
    entity: Entity,
    kind: String,
    value: String,
    record_id: AnyId,
}

table_row!(KeyRow, record_keys: workspace_id, entity, kind, value, record_id; );

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
