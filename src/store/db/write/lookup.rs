//! Reading records within a write, by type or by kind. Nothing is written here.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::BigInt;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

use super::changes::survivor;
use super::json::{from_json, json};
use super::record::{Record, for_entity};
use super::tx::Tx;
use crate::domain::entity::{Entity, Op};
use crate::domain::id::WorkspaceId;
use crate::domain::reference::{AtMostOne, Reference};
use crate::domain::timestamp::Timestamp;
use crate::store::db::sql::conn::MultiBackend;
use crate::store::db::sql::schema::changes;
use crate::store::db::sql::select::{Field, Predicate, Scalar, Select};
use crate::store::db::sql::statement::{separated, statement};
use crate::store::db::sql::types::{AnyId, Id};
use crate::store::error::Result;

pub fn find<R: Record>(tx: &mut Tx<'_>, id: AnyId) -> Result<Option<R>> {
    Ok(R::find(tx.conn, tx.workspace, id)?)
}

/// The record, or the one that it was merged into.
pub fn find_or_survivor<R: Record>(tx: &mut Tx<'_>, id: AnyId) -> Result<Option<R>> {
    match find::<R>(tx, id)? {
        Some(record) => Ok(Some(record)),
        None => match survivor(tx.conn, tx.workspace, R::ENTITY, id)? {
            Some(survivor) => find::<R>(tx, survivor),
            None => Ok(None),
        },
    }
}

/// How many records are looked for in one statement.
pub(in crate::store) const FOUND_AT_ONCE: usize = 500;

/// Those of these records that exist, in the order of their ids.
pub(in crate::store) fn find_all<R: Record>(tx: &mut Tx<'_>, ids: &[AnyId]) -> Result<Vec<R>> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(FOUND_AT_ONCE) {
        found.extend(R::select(tx.conn, Select::all(tx.workspace, Predicate::ids(ids.iter().copied())))?);
    }
    Ok(found)
}

pub fn exists(tx: &mut Tx<'_>, entity: Entity, id: AnyId) -> Result<bool> {
    let select = Select { limit: 1, ..Select::all(tx.workspace, Predicate::id(id)) };
    let ids = for_entity!(entity, Kind => Kind::ids(tx.conn, select)?);
    Ok(!ids.is_empty())
}

/// Those of these ids that name a record of the kind.
pub(in crate::store) fn existing(tx: &mut Tx<'_>, entity: Entity, ids: &[AnyId]) -> Result<HashSet<AnyId>> {
    if let [id] = ids {
        return Ok(exists(tx, entity, *id)?.then_some(*id).into_iter().collect());
    }
    let mut found = HashSet::new();
    for ids in ids.chunks(FOUND_AT_ONCE) {
        let select = Select::all(tx.workspace, Predicate::ids(ids.iter().copied()));
        found.extend(for_entity!(entity, Kind => Kind::ids(tx.conn, select)?));
    }
    Ok(found)
}

/// Whether the log has the deletion of a record with this id as its last change.
pub fn was_deleted(tx: &mut Tx<'_>, entity: Entity, id: AnyId) -> Result<bool> {
    Ok(newest_change(tx, entity, id)?.is_some_and(|(_, op, _)| op == Op::Deleted))
}

/// Whether nothing has changed a record since it was created.
pub fn is_untouched(tx: &mut Tx<'_>, entity: Entity, id: AnyId) -> Result<bool> {
    let op = match tx.touched_op(entity, id) {
        None => newest_change(tx, entity, id)?.map(|(_, op, _)| op),
        here => here,
    };
    Ok(op == Some(Op::Created))
}

/// Number, kind and time of the last change of a record.
pub(in crate::store) fn newest_change(
    tx: &mut Tx<'_>,
    entity: Entity,
    id: AnyId,
) -> Result<Option<(i64, Op, Timestamp)>> {
    let newest = changes::table
        .filter(changes::workspace_id.eq(tx.workspace))
        .filter(changes::record_id.eq(id))
        .filter(changes::entity.eq(entity))
        .order(changes::seq.desc())
        .select((changes::seq, changes::op, changes::at))
        .limit(1)
        .load(tx.conn)?;
    Ok(newest.into_iter().next())
}

/// Those of these ids that the log has a change of.
pub(super) fn with_history(tx: &mut Tx<'_>, entity: Entity, ids: &[AnyId]) -> Result<HashSet<AnyId>> {
    let known: Vec<AnyId> = changes::table
        .filter(changes::workspace_id.eq(tx.workspace))
        .filter(changes::record_id.eq_any(ids))
        .filter(changes::entity.eq(entity))
        .select(changes::record_id)
        .distinct()
        .load(tx.conn)?;
    Ok(known.into_iter().collect())
}

pub(in crate::store) fn find_json(tx: &mut Tx<'_>, entity: Entity, id: AnyId) -> Result<Option<Value>> {
    for_entity!(entity, Kind => find::<Kind>(tx, id)?.as_ref().map(json).transpose())
}

/// Whether a record stays as long as its workspace.
pub(in crate::store) fn is_permanent(entity: Entity, record: &Value) -> Result<bool> {
    Ok(for_entity!(entity, Kind => from_json::<Kind>(record.clone())?.is_permanent()))
}

/// The records that refer to one.
pub(in crate::store) fn referring(
    tx: &mut Tx<'_>,
    reference: &'static Reference,
    to: AnyId,
) -> Result<Vec<Value>> {
    let select = select_referring(tx, reference, to);
    for_entity!(reference.from, Kind => Kind::select(tx.conn, select)?.iter().map(json).collect())
}

pub(in crate::store) fn referring_ids(
    tx: &mut Tx<'_>,
    reference: &'static Reference,
    to: AnyId,
) -> Result<Vec<AnyId>> {
    let select = select_referring(tx, reference, to);
    Ok(for_entity!(reference.from, Kind => Kind::ids(tx.conn, select)?))
}

pub(in crate::store) fn count_referring(tx: &mut Tx<'_>, reference: &'static Reference, to: AnyId) -> Result<i64> {
    let select = select_referring(tx, reference, to);
    Ok(for_entity!(reference.from, Kind => Kind::count(tx.conn, select)?))
}

/// How many records refer to each of these; none of those that nothing refers to.
pub(super) fn count_referring_to(
    tx: &mut Tx<'_>,
    reference: &'static Reference,
    to: &[AnyId],
) -> Result<HashMap<AnyId, i64>> {
    let mut counts = HashMap::new();
    if let [id] = to {
        counts.insert(*id, count_referring(tx, reference, *id)?);
        return Ok(counts);
    }
    for to in to.chunks(FOUND_AT_ONCE) {
        let count = CountReferring { workspace: tx.workspace, reference, to };
        counts.extend(count.load::<(AnyId, i64)>(tx.conn)?);
    }
    Ok(counts)
}

struct CountReferring<'a> {
    workspace: WorkspaceId,
    reference: &'static Reference,
    to: &'a [AnyId],
}

statement!(CountReferring<'_>, (Id, BigInt));

impl QueryFragment<MultiBackend> for CountReferring<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let Self { workspace, reference, to } = self;
        out.push_sql("SELECT ");
        out.push_identifier(reference.column)?;
        out.push_sql(", COUNT(*) FROM ");
        out.push_identifier(reference.join.unwrap_or(reference.from.plural()))?;
        out.push_sql(" WHERE workspace_id = ");
        out.push_bind_param::<Id, _>(workspace)?;
        out.push_sql(" AND ");
        out.push_identifier(reference.column)?;
        out.push_sql(" IN (");
        separated(to, ", ", &mut out, |id, out| out.push_bind_param::<Id, _>(id))?;
        out.push_sql(") GROUP BY ");
        out.push_identifier(reference.column)
    }
}

/// Those that refer to one of these and are flagged as the primary one.
pub(in crate::store) fn primaries(
    tx: &mut Tx<'_>,
    reference: &'static Reference,
    rule: &AtMostOne,
    to: Vec<AnyId>,
) -> Result<Vec<Value>> {
    let mut select = Select::all(tx.workspace, Predicate::refers_to(reference, to));
    let flagged = Predicate::equal(Field::of_reference(rule.column), Scalar::Bool(true));
    select.filter = Predicate::All(vec![select.filter, flagged]);
    for_entity!(reference.from, Kind => Kind::select(tx.conn, select)?.iter().map(json).collect())
}

fn select_referring(tx: &Tx<'_>, reference: &'static Reference, to: AnyId) -> Select {
    Select::all(tx.workspace, Predicate::refers_to(reference, vec![to]))
}
