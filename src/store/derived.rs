//! What is derived from records (look-up keys, search documents, tags for their labels), made anew once after an update
//! of the program that derives more than before. What is derived is told where each kind of record is.

use diesel::prelude::*;

use super::db::index::{documents, keys};
use super::db::sql::conn::{Conn, write_transaction};
use super::db::sql::schema::{instance, memberships, workspaces};
use super::db::sql::select::{Predicate, Select};
use super::db::write::context::Actor;
use super::db::write::record::{Record, for_entity};
use super::db::write::records::update;
use super::db::write::settle::finish;
use super::db::write::tx::Tx;
use super::error::Result;
use crate::clock::Ids;
use crate::domain::entity::Entity;
use crate::domain::id::{UserId, WorkspaceId};
use crate::domain::scope::Role;
use crate::domain::timestamp::Timestamp;

/// Grows whenever a record is to be found by something else than before.
const REVISION: i32 = 1;

/// Makes everything anew if the database is from before `REVISION`; a workspace at a time, so that it can be broken off and
/// begun again. Blocks.
pub fn bring_up_to_date(conn: &mut Conn, ids: &Ids, now: Timestamp) -> Result<()> {
    let known: i32 = instance::table.select(instance::derived_revision).first(conn)?;
    if known >= REVISION {
        return Ok(());
    }
    let all: Vec<WorkspaceId> = workspaces::table.select(workspaces::id).load(conn)?;
    for workspace in all {
        let owner: Option<UserId> = memberships::table
            .filter(memberships::workspace_id.eq(workspace))
            .filter(memberships::role.eq(Role::Owner))
            .order(memberships::created_at.asc())
            .select(memberships::user_id)
            .first(conn)
            .optional()?;
        if let Some(user) = owner {
            let actor = Actor { user, token: None };
            write_transaction(conn, |conn| derive_all(Tx::begin(conn, ids, now, workspace, actor)?))?;
        }
    }
    diesel::update(instance::table).set(instance::derived_revision.eq(REVISION)).execute(conn)?;
    Ok(())
}

fn derive_all(mut tx: Tx<'_>) -> Result<()> {
    for entity in Entity::ALL {
        for_entity!(*entity, Kind => {
            for record in Kind::select(tx.conn, Select::all(tx.workspace, Predicate::always()))? {
                derive(&mut tx, record)?;
            }
        });
    }
    finish(tx)
}

/// Derives anew what belongs to a record: its tags, its keys, its search document.
fn derive<R: Record>(tx: &mut Tx<'_>, record: R) -> Result<()> {
    let mut derived = record.clone();
    derived.resolve_tags(tx, None)?;
    let derived = update(tx, &record, derived)?;
    keys::write(tx.conn, tx.workspace, R::ENTITY, derived.id(), &derived.keys())?;
    let related = derived.related_search_text(tx.conn, tx.workspace)?;
    documents::write(tx, &derived, &related)
}
