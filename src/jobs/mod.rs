//! What runs outside of a request: the kinds of job, a file each, and the worker that runs them. What a job does is a matter of
//! `service/` and `store/`.

pub mod kind;
pub mod mail_digest;
pub mod mail_password_reset;
pub mod notify;
pub mod operation;
pub mod purge;
pub mod run;
pub mod schedule;
pub mod schedule_notifications;
pub mod worker;

use self::kind::JobKind;

/// Every kind of job.
pub const KINDS: &[JobKind] = &[
    operation::KIND,
    purge::KIND,
    schedule_notifications::KIND,
    notify::KIND,
    mail_digest::KIND,
    mail_password_reset::KIND,
];
