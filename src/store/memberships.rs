//! Who belongs to a workspace, as far as others of this layer ask for it.

use diesel::prelude::*;

use super::account_tx::AccountTx;
use super::db::sql::schema::memberships;
use super::error::Result;
use crate::domain::id::{UserId, WorkspaceId};

/// Makes others wait who are about to count what a user has in a workspace, until this is committed.
pub fn lock(tx: &mut AccountTx<'_>, workspace: WorkspaceId, user: UserId) -> Result<()> {
    let own =
        memberships::table.filter(memberships::workspace_id.eq(workspace)).filter(memberships::user_id.eq(user));
    diesel::update(own).set(memberships::role.eq(memberships::role)).execute(tx.conn)?;
    Ok(())
}
