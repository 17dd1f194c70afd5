//! Mails the way to a new password. The token is made here, and only its hash is stored: it is in no queue and no request.

use base64::Engine as _;
use chrono::TimeDelta;

use super::kind::JobKind;
use super::run::{Finished, JobError, Run};
use crate::mail::letter::Letter;
use crate::mail::texts;
use crate::service::password_resets::{MAIL_PASSWORD_RESET, Payload, RESET_MINUTES};
use crate::store::{Error, accounts, password_resets};

pub const KIND: JobKind =
    JobKind { name: MAIL_PASSWORD_RESET, run: |run| Box::pin(mail_password_reset(run)), schedule: None };

/// Each attempt makes a token of its own; those of earlier ones stay open, since their e-mails may have arrived.
async fn mail_password_reset(run: Run) -> Result<Finished, JobError> {
    let Payload { user } = run.payload()?;
    // Nobody has the address that was asked for.
    if let (Some(user), Some(mailer)) = (user, run.mailer()) {
        let secret: [u8; 32] = run.store().random()?;
        let token = format!("wm_pr_{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(secret));
        let stored = token.clone();
        let opened = run.write(move |tx| {
            let user = match accounts::find(tx.conn, user) {
                Ok((user, _)) => user,
                Err(Error::NotFound) => return Ok(None),
                Err(other) => return Err(other),
            };
            let expires_at = tx.now().plus(TimeDelta::minutes(RESET_MINUTES));
            password_resets::create(tx, user.id, &stored, expires_at)?;
            Ok(Some(user))
        });
        if let Some(user) = opened.await? {
            let letter = Letter {
                to: user.email,
                id: format!("password-reset-{}", run.id()),
                sent_at: run.store().now(),
                content: texts::password_reset(&token, RESET_MINUTES, mailer.password_reset_url()),
                unsubscribe: None,
            };
            mailer.send(letter).await?;
        }
    }
    run.finish(|_| Ok(())).await
}
