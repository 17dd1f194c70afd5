//! Mails a member the digest of their day.

use super::kind::JobKind;
use super::run::{Finished, JobError, Run};
use crate::mail::letter::Letter;
use crate::mail::texts;
use crate::service::digest;
use crate::service::notifications::{MAIL_DIGEST, Payload};
use crate::store::Error;
use crate::store::notify_times::Recipient;

pub const KIND: JobKind = JobKind { name: MAIL_DIGEST, run: |run| Box::pin(mail_digest(run)), schedule: None };

/// A worker that is lost after sending it has it sent again, under the same `Message-ID`.
async fn mail_digest(run: Run) -> Result<Finished, JobError> {
    let workspace = run.workspace().ok_or(Error::NotFound)?;
    let Payload { user, on } = run.payload()?;
    let recipient = Recipient { workspace, user };
    if let Some(mailer) = run.mailer() {
        let now = run.store().now();
        let found = run.store().read(move |conn| digest::for_member(conn, recipient, on, now)).await?;
        if let Some((to, day)) = found {
            let unsubscribe = mailer.unsubscribe_link(user);
            let letter = Letter {
                to,
                id: format!("digest-{on}-{workspace}-{user}"),
                sent_at: now,
                content: texts::digest(&day, &unsubscribe),
                unsubscribe: Some(unsubscribe),
            };
            mailer.send(letter).await?;
        }
    }
    run.finish(|_| Ok(())).await
}
