//! What can go wrong in the store: few kinds, none of which knows of HTTP.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::domain::debrief::NoDebrief;
use crate::domain::entity::Entity;
use crate::domain::id::OperationId;
use crate::domain::invalid::Invalid;
use crate::store::db::sql::conn::CommitFailed;
use crate::store::db::sql::types::{AnyId, RecordRef};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing of this id in this workspace.
    #[error("not found")]
    NotFound,
    /// The input breaks a rule.
    #[error("invalid: {0}")]
    Invalid(Invalid),
    /// What is stored stands against it.
    #[error("conflict: {0:?}")]
    Conflict(Conflict),
    /// The record is at another version than the caller thought; the current one, if it exists.
    #[error("precondition failed")]
    PreconditionFailed(Option<i64>),
    /// A cursor of `changes` from before what was purged.
    #[error("the cursor is older than what is kept")]
    CursorExpired,
    /// Too much going on; nothing was done, and a second try may succeed.
    #[error("busy: {0}")]
    Busy(String),
    /// The database cannot be reached, or cannot write; nothing was done, and a later try may succeed.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The database was lost while the write was committed, or did not answer in time: it may have been carried out.
    #[error("the outcome is not known: {0}")]
    OutcomeUnknown(String),
    /// A fault of ours.
    #[error("internal: {0}")]
    Internal(String),
}

/// Why several records could not be written, and which of them is the first that could not.
#[derive(Debug)]
pub struct FailedAt {
    /// Its place among them; `None` where the error is of none in particular.
    pub index: Option<usize>,
    pub error: Error,
}

impl FailedAt {
    pub fn new(index: usize, error: impl Into<Error>) -> Self {
        Self { index: Some(index), error: error.into() }
    }
}

impl From<FailedAt> for Error {
    fn from(failed: FailedAt) -> Self {
        failed.error
    }
}

impl From<Error> for FailedAt {
    fn from(error: Error) -> Self {
        Self { index: None, error }
    }
}

impl From<DieselError> for FailedAt {
    fn from(error: DieselError) -> Self {
        Error::from(error).into()
    }
}

/// Why what is stored stands against a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// A record with this id exists.
    IdTaken,
    /// A record with this id was deleted and can still be restored.
    Deleted,
    /// The record was merged into this one, in which it lives on.
    Merged(Entity, AnyId),
    /// Another record of the kind, this one, has the name.
    NameTaken(Entity, AnyId),
    /// Another account has this e-mail address.
    EmailTaken,
    /// Somebody else was faster, and only the first may sign up.
    RegistrationClosed,
    /// The record stays as long as its workspace: the networker's own contact.
    Permanent,
    /// The Idempotency-Key came before with another request.
    IdempotencyKeyReused,
    /// The reply kept under the Idempotency-Key takes this scope, which the caller lacks.
    ScopeRequired(String),
    /// The reply is too long to be kept under the Idempotency-Key.
    ReplyTooLong,
    /// The workspace keeps as many replies as it may.
    TooManyKeptReplies,
    /// Others still work in a workspace that nobody else owns.
    LastOwner,
    /// Nothing of the write could be taken back.
    RevertBlocked(Vec<LeftAlone>),
    /// The record could not be restored with all that went along; the number of the write that would have to be taken
    /// back.
    RestoreBlocked(Vec<LeftAlone>, i64),
    /// The state machine of this record does not allow the transition.
    InvalidTransition {
        record: RecordRef,
        /// The state that it is in.
        state: &'static str,
        to: &'static str,
        /// The states that it may move to.
        allowed: Vec<&'static str>,
    },
    /// An introduction that the networker makes lacks the consent of these people.
    ConsentMissing(String),
    /// The next record of the series, this one, has been changed since it was created.
    SeriesContinued(Entity, AnyId),
    /// There is no debrief of the event.
    NoDebrief(NoDebrief),
    /// An operation of the workspace, this one, has not finished; what was asked for has to wait for it. `None`: this very
    /// write starts it.
    OperationRunning(Option<OperationId>),
    /// What a large revert would do is not found out in one transaction.
    TooLargeForDryRun,
    /// A workspace, or a user, has as many as it may.
    TooMany(&'static str),
}

/// A record, or some of its fields, that a revert does not touch, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftAlone {
    pub entity: Entity,
    pub id: AnyId,
    pub reason: LeftAloneReason,
    /// Of a record that changed since the write: JSON pointers to the fields that stay. Empty where
    /// the reason concerns the whole record.
    pub fields: Vec<String>,
}

impl Serialize for LeftAlone {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let Self { entity, id, reason, fields } = self;
        let mut members = serializer.serialize_struct("LeftAlone", 5)?;
        members.serialize_field("entity", entity)?;
        members.serialize_field("id", id)?;
        members.serialize_field("reason", reason.as_str())?;
        members.serialize_field("detail", reason.detail())?;
        members.serialize_field("fields", fields)?;
        members.end()
    }
}

/// Why a revert does not touch a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftAloneReason {
    /// It was changed again after the write; where only some of its fields were, the others are taken back.
    ChangedSince,
    /// A record it refers to is gone.
    ReferenceGone,
    /// It was created by the write, and other records refer to it now.
    HasGainedReferences,
    /// A record with its id exists again.
    IdTaken,
    /// What it was before is no longer kept.
    NoLongerKept,
    /// It stays as long as its workspace: the networker's own contact.
    Permanent,
    /// Another record has its name now.
    NameTaken,
    /// It would be a part of itself.
    Circular,
    /// There would be more of it than there may be.
    LimitReached,
    /// Its fields would break a rule that a record has to keep.
    RuleBroken,
}

impl LeftAloneReason {
    pub const ALL: [Self; 10] = [
        Self::ChangedSince,
        Self::ReferenceGone,
        Self::HasGainedReferences,
        Self::IdTaken,
        Self::NoLongerKept,
        Self::Permanent,
        Self::NameTaken,
        Self::Circular,
        Self::LimitReached,
        Self::RuleBroken,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChangedSince => "changed_since",
            Self::ReferenceGone => "reference_gone",
            Self::HasGainedReferences => "has_gained_references",
            Self::IdTaken => "id_taken",
            Self::NoLongerKept => "no_longer_kept",
            Self::Permanent => "self_contact",
            Self::NameTaken => "name_taken",
            Self::Circular => "circular",
            Self::LimitReached => "limit_reached",
            Self::RuleBroken => "rule_broken",
        }
    }

    pub const fn detail(self) -> &'static str {
        match self {
            Self::ChangedSince => "It was changed again after the write.",
            Self::ReferenceGone => "A record it refers to no longer exists.",
            Self::HasGainedReferences => "Other records refer to it now.",
            Self::IdTaken => "A record with its id exists again.",
            Self::NoLongerKept => "Its previous state is no longer stored.",
            Self::Permanent => "The contact that represents you cannot be deleted.",
            Self::NameTaken => "Another record has its name now.",
            Self::Circular => "It would become part of itself.",
            Self::LimitReached => {
                "The limit of such records, in the workspace or for the record it belongs to, has been reached."
            }
            Self::RuleBroken => "Its fields would contradict each other.",
        }
    }
}

impl Error {
    /// The same with everything that is invalid being so at this place.
    pub fn at(self, pointer: &str) -> Self {
        self.moved(|_| pointer.to_owned())
    }

    /// The same of what is a member of a larger body.
    pub fn under(self, member: &str) -> Self {
        match self {
            Self::Invalid(invalid) => Self::Invalid(invalid.under(member)),
            other => other,
        }
    }

    /// The same with what is invalid being so at other places.
    pub fn moved(self, place: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Invalid(invalid) => Self::Invalid(invalid.moved(place)),
            other => other,
        }
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<Conflict> for Error {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(conflict)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(format!("a stored row does not fit its type: {error}"))
    }
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        match &error {
            DieselError::NotFound => Self::NotFound,
            DieselError::DatabaseError(kind, info) => Self::of_database(kind, info.message()),
            // The connection broke earlier in the same transaction.
            DieselError::BrokenTransactionManager => Self::Unavailable(error.to_string()),
            DieselError::QueryBuilderError(other) => match other.downcast_ref::<CommitFailed>() {
                Some(failed) => Self::at_commit(&failed.0),
                None => Self::Internal(error.to_string()),
            },
            _ => Self::Internal(error.to_string()),
        }
    }
}

impl Error {
    fn of_database(kind: &DatabaseErrorKind, message: &str) -> Self {
        let tells = |signs: &[&str]| signs.iter().any(|sign| message.contains(sign));
        match kind {
            DatabaseErrorKind::SerializationFailure => Self::Busy(message.to_owned()),
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                Self::Unavailable(message.to_owned())
            }
            _ if tells(BUSY) => Self::Busy(message.to_owned()),
            _ if tells(UNAVAILABLE) => Self::Unavailable(message.to_owned()),
            _ => Self::Internal(message.to_owned()),
        }
    }

    /// What was lost at the commit may have been committed; a disk that is full has not taken it.
    fn at_commit(error: &DieselError) -> Self {
        let DieselError::DatabaseError(kind, info) = error else { return Self::OutcomeUnknown(error.to_string()) };
        match Self::of_database(kind, info.message()) {
            Self::Unavailable(cause) if !cause.contains(FULL) => Self::OutcomeUnknown(cause),
            told => told,
        }
    }
}

/// How SQLite and PostgreSQL say that somebody else is in the way.
const BUSY: &[&str] = &["database is locked", "lock timeout", "statement timeout", "deadlock"];

/// What SQLite says of a disk that is full: then nothing was committed.
const FULL: &str = "database or disk is full";

/// How SQLite and PostgreSQL say that the database is out of reach, or cannot write.
const UNAVAILABLE: &[&str] = &[
    FULL,
    "disk I/O error",
    "unable to open database file",
    "attempt to write a readonly database",
    "No space left on device",
    "could not extend file",
    "could not write",
    "could not fsync",
    "could not read",
    "the database system is",
    "terminating connection",
    "server closed the connection",
    "no connection to the server",
    "connection to server",
    "SSL connection has been closed",
    "too many clients",
    "remaining connection slots",
    "cannot execute UPDATE in a read-only transaction",
];

pub type Result<T> = std::result::Result<T, Error>;
