//! What is derived from records (look-up keys, search documents, timelines, tags for their labels, derived records), made anew once
//! after an update of the program that derives more than before. What is derived is told where each kind of record is.

use diesel::prelude::*;

use super::db::index::keys::{self, KeyChange};
use super::db::index::{documents, timeline};
use super::db::sql::conn::{Conn, write_transaction};
use super::db::sql::schema::{instance, memberships, workspaces};
use super::db::sql::select::{Comparison, ID, Predicate, Scalar, Select};
use super::db::sql::types::AnyId;
use super::db::write::context::{Actor, Quotas, TxScope};
use super::db::write::many::respell;
use super::db::write::record::{Record, for_entity};
use super::db::write::settle::finish;
use super::db::write::tx::Tx;
use super::error::Result;
use crate::clock::Ids;
use crate::domain::entity::Entity;
use crate::domain::id::{UserId, WorkspaceId};
use crate::domain::scope::Role;
use crate::domain::timestamp::Timestamp;

/// Grows whenever a record is to be found by something else than before.
const REVISION: i32 = 4;

/// How many workspaces, or records of one, are read at a time, and how many records one transaction writes.
const SLICE: i64 = 200;

/// Makes everything anew if the database is from before `REVISION`; in slices, so that it takes no more memory however much
/// there is, and can be broken off and begun again. Blocks.
pub fn bring_up_to_date(conn: &mut Conn, ids: &Ids, quotas: Quotas, now: Timestamp) -> Result<()> {
    let known: i32 = instance::table.select(instance::derived_revision).first(conn)?;
    if known >= REVISION {
        return Ok(());
    }
    let mut last = WorkspaceId::new(uuid::Uuid::nil());
    loop {
        let slice: Vec<WorkspaceId> = workspaces::table
            .filter(workspaces::id.gt(last))
            .order(workspaces::id.asc())
            .select(workspaces::id)
            .limit(SLICE)
            .load(conn)?;
        let Some(end) = slice.last() else { break };
        last = *end;
        for workspace in slice {
            derive_workspace(conn, ids, quotas, now, workspace)?;
        }
    }
    diesel::update(instance::table).set(instance::derived_revision.eq(REVISION)).execute(conn)?;
    Ok(())
}

fn derive_workspace(
    conn: &mut Conn,
    ids: &Ids,
    quotas: Quotas,
    now: Timestamp,
    workspace: WorkspaceId,
) -> Result<()> {
    let owner: Option<UserId> = memberships::table
        .filter(memberships::workspace_id.eq(workspace))
        .filter(memberships::role.eq(Role::Owner))
        .order(memberships::created_at.asc())
        .select(memberships::user_id)
        .first(conn)
        .optional()?;
    let Some(user) = owner else { return Ok(()) };
    let (scope, actor) = (TxScope::new(ids, quotas, now), Actor::User(user, None));
    for entity in Entity::ALL {
        for_entity!(*entity, Kind => {
            let mut after = Predicate::always();
            while let Some(last) = write_transaction(conn, |conn| {
                derive_slice::<Kind>(Tx::begin(conn, &scope, workspace, actor)?, after)
            })? {
                after = Predicate::Compare(ID, Comparison::Greater, Scalar::Id(last));
            }
        });
    }
    Ok(())
}

/// The id of the last record of the slice; `None` behind the last one.
fn derive_slice<R: Record>(mut tx: Tx<'_>, after: Predicate) -> Result<Option<AnyId>> {
    let slice = R::select(tx.conn, Select { limit: SLICE, ..Select::all(tx.workspace, after) })?;
    let last = slice.last().map(Record::id);
    derive(&mut tx, slice)?;
    finish(tx)?;
    Ok(last)
}

/// Derives anew what belongs to records: their tags, their keys, their places in timelines, their search documents, the
/// copies that other rows hold of them.
fn derive<R: Record>(tx: &mut Tx<'_>, records: Vec<R>) -> Result<()> {
    let derived = respell(tx, records)?;
    let ids: Vec<AnyId> = derived.iter().map(Record::id).collect();
    keys::delete(tx.conn, tx.workspace, R::ENTITY, &ids)?;
    let new_keys =
        derived.iter().map(|record| KeyChange { id: record.id(), before: Vec::new(), after: record.keys() });
    keys::write(tx.conn, tx.workspace, R::ENTITY, new_keys)?;
    let entries = derived.iter().map(|record| (record.id(), record.timeline())).collect();
    timeline::rewrite(tx.conn, tx.workspace, entries)?;
    let copied: Vec<(AnyId, Option<&R>)> = derived.iter().map(|record| (record.id(), Some(record))).collect();
    R::write_copies(tx.conn, tx.workspace, &copied)?;
    tx.queue_derived(derived.iter().flat_map(Record::derived_dependents));
    documents::write(tx, &derived.iter().collect::<Vec<_>>())
}
