//! Asking for a new password by e-mail, and choosing it.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::domain::id::UserId;
use crate::domain::job::NewJob;
use crate::store::accounts::PasswordHash;
use crate::store::{AccountTx, Result, accounts, password_resets, sessions};

/// The kind of job that mails a token.
pub const MAIL_PASSWORD_RESET: &str = "mail_password_reset";
/// How long a token can be used.
pub const RESET_MINUTES: i64 = 30;
/// An address gets one e-mail in each period of so many minutes, however often somebody asks.
const MINUTES_PER_MAIL: i64 = 5;

const MICROS_PER_MINUTE: i64 = 60_000_000;

/// What a job is told. Nobody has an address that is not known: the job is the same, and does nothing.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Payload {
    pub user: Option<UserId>,
}

/// Enqueues the e-mail. `address` stands for the address that was sent, without telling it: whether anybody has it makes no
/// difference to what is done here.
pub fn request(tx: &mut AccountTx<'_>, user: Option<UserId>, address: &str) -> Result<()> {
    let period = tx.now().micros() / (MINUTES_PER_MAIL * MICROS_PER_MINUTE);
    let unique_key = Some(format!("{MAIL_PASSWORD_RESET}:{address}:{period}"));
    let job = NewJob { unique_key, ..NewJob::new(MAIL_PASSWORD_RESET, json!(Payload { user })) };
    tx.enqueue(None, job).map(drop)
}

/// Sets the password and ends every session of the user, if the token is still open; whether it was.
pub fn confirm(tx: &mut AccountTx<'_>, user: UserId, token: &str, password: &PasswordHash) -> Result<bool> {
    if !password_resets::take(tx, token)? {
        return Ok(false);
    }
    accounts::set_password(tx, user, password)?;
    sessions::end_other_sessions(tx, user, None)?;
    Ok(true)
}
