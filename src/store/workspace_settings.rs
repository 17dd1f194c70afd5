//! The settings of a workspace, and what is computed anew when they change.

use diesel::prelude::*;

use super::accounts;
use super::contact_activities;
use super::contacts;
use super::db::sql::schema::{memberships, users, workspaces};
use super::db::sql::types::AsJson;
use super::db::write::tx::Tx;
use super::error::{Error, Result};
use crate::domain::account::{Workspace, WorkspaceFields};
use crate::domain::contact::Tier;
use crate::domain::entity::Entity;
use crate::domain::id::UserId;

/// The workspace that is written to, as its user sees it.
pub fn own_workspace(tx: &mut Tx<'_>) -> Result<Workspace> {
    let user = tx.actor().user().ok_or(Error::NotFound)?;
    accounts::workspace(tx.conn, tx.workspace, user)
}

/// Writes the settings, and in the same write computes the activity anew of everybody whom they concern: with another zone
/// whoever has one, with another cadence of a tier those of the tier who are due some day.
pub fn update(tx: &mut Tx<'_>, before: &WorkspaceFields, after: &WorkspaceFields) -> Result<()> {
    let WorkspaceFields { name, time_zone, tier_cadences } = after;
    diesel::update(workspaces::table.filter(workspaces::id.eq(tx.workspace)))
        .set((
            workspaces::name.eq(name),
            workspaces::time_zone.eq(time_zone),
            workspaces::tier_cadences.eq(AsJson(tier_cadences.clone())),
        ))
        .execute(tx.conn)?;
    tx.calendar = None;
    // What users see of their account shows the workspace too.
    let members: Vec<UserId> = memberships::table
        .filter(memberships::workspace_id.eq(tx.workspace))
        .select(memberships::user_id)
        .load(tx.conn)?;
    diesel::update(users::table.filter(users::id.eq_any(members)))
        .set(users::version.eq(users::version + 1))
        .execute(tx.conn)?;
    let affected = if before.time_zone == *time_zone {
        let differs = |tier: &Tier| before.tier_cadences.of(*tier) != tier_cadences.of(*tier);
        let tiers: Vec<Tier> = Tier::ALL.into_iter().filter(differs).collect();
        contacts::due_in_tiers(tx.conn, tx.workspace, &tiers)?
    } else {
        contact_activities::everybody(tx.conn, tx.workspace)?
    };
    tx.queue_derived(affected.into_iter().map(|id| (Entity::ContactActivity, id)));
    Ok(())
}
