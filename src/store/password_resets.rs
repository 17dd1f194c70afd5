//! Open ways to a new password: tokens of which only the hash is stored, each for one use within its time.

use diesel::prelude::*;

use super::account_tx::AccountTx;
use super::db::sql::conn::Conn;
use super::db::sql::schema::password_resets;
use super::error::Result;
use super::tokens::hash_of_secret;
use crate::domain::id::UserId;
use crate::domain::timestamp::Timestamp;

/// Opens a way that ends at a time.
pub fn create(tx: &mut AccountTx<'_>, user: UserId, token: &str, expires_at: Timestamp) -> Result<()> {
    diesel::insert_into(password_resets::table)
        .values((
            password_resets::token_hash.eq(hash_of_secret(token)),
            password_resets::user_id.eq(user),
            password_resets::expires_at.eq(expires_at),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// Whose token it is, while it is open.
pub fn user(conn: &mut Conn, token: &str, now: Timestamp) -> Result<Option<UserId>> {
    let rows: Vec<UserId> = password_resets::table
        .filter(password_resets::token_hash.eq(hash_of_secret(token)))
        .filter(password_resets::expires_at.gt(now))
        .select(password_resets::user_id)
        .load(conn)?;
    Ok(rows.into_iter().next())
}

/// Uses the token; whether it was open. Of two who come at the same time, one finds it gone.
pub fn take(tx: &mut AccountTx<'_>, token: &str) -> Result<bool> {
    let taken =
        diesel::delete(password_resets::table.filter(password_resets::token_hash.eq(hash_of_secret(token))))
            .execute(tx.conn)?;
    Ok(taken == 1)
}

/// Closes every open way of a user.
pub fn delete_of(tx: &mut AccountTx<'_>, user: UserId) -> Result<()> {
    diesel::delete(password_resets::table.filter(password_resets::user_id.eq(user))).execute(tx.conn)?;
    Ok(())
}

/// Removes up to `limit` whose time is over; how many.
pub(super) fn purge(tx: &mut AccountTx<'_>, limit: i64) -> Result<usize> {
    let ended: Vec<Vec<u8>> = password_resets::table
        .filter(password_resets::expires_at.le(tx.now))
        .select(password_resets::token_hash)
        .limit(limit)
        .load(tx.conn)?;
    for hash in &ended {
        diesel::delete(password_resets::table.filter(password_resets::token_hash.eq(hash))).execute(tx.conn)?;
    }
    Ok(ended.len())
}
