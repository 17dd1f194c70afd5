//! An operation: an edit of so many records that it is carried out in parts, each a transaction of its own, so that nobody
//! waits for the whole of it. All parts are one write in the log. What each does is told in `service/operations.rs`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::entity::Entity;
use super::id::OperationId;
use super::invalid::Invalid;
use super::text::fold;
use super::timestamp::Timestamp;
use super::words::enumeration;

/// An edit of more records than this is carried out as an operation.
pub const MAX_AT_ONCE: i64 = 1_000;

/// How long an operation is kept after its end.
pub const KEPT_DAYS: i64 = 30;

/// Of the records that a revert left alone, how many are listed.
pub const MAX_LISTED: usize = 100;

/// The kind of job that carries operations out.
pub const JOB: &str = "operation";

enumeration! {
    /// What an operation does.
    OperationKind {
        /// It edits or deletes many contacts.
        EditContacts = "edit_contacts",
        /// It edits or completes many follow-ups.
        EditFollowUps = "edit_follow_ups",
        /// A tag was renamed, merged or deleted: it edits the records that have the tag.
        UpdateTags = "update_tags",
        /// It reverts a write.
        Revert = "revert",
    }
}

enumeration! {
    /// The state of an operation: `queued`, `running`, then `succeeded`. If a record cannot be edited or the
    /// operation is cancelled, it is `reverting`, then `failed` or `cancelled`.
    OperationState {
        Queued = "queued",
        Running = "running",
        Reverting = "reverting",
        Succeeded = "succeeded",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// An edit of these contacts, as `service/contacts.rs` has it.
    EditContacts { ids: Vec<Uuid>, edit: Value },
    /// An edit of these follow-ups, as `service/follow_ups.rs` has it.
    EditFollowUps { ids: Vec<Uuid>, edit: Value },
    /// Edits of the lists that have these names.
    UpdateTags { renames: Vec<Rename> },
    /// The write of this number.
    Revert { write: i64 },
}

/// A name that stands in lists of records and is to be replaced there by another, or by none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rename {
    /// The kind of the record that has, or had, the name.
    pub named: Entity,
    pub from: String,
    pub to: Option<String>,
}

impl Rename {
    /// Whether it replaces this name; case and accents do not count.
    pub fn is_of(&self, named: Entity, name: &str) -> bool {
        self.named == named && fold(&self.from) == fold(name)
    }
}

impl Work {
    /// The same kind of work, without what it was about.
    #[must_use]
    pub fn emptied(&self) -> Self {
        match self {
            Self::EditContacts { .. } => Self::EditContacts { ids: Vec::new(), edit: Value::Null },
            Self::EditFollowUps { .. } => Self::EditFollowUps { ids: Vec::new(), edit: Value::Null },
            Self::UpdateTags { .. } => Self::UpdateTags { renames: Vec::new() },
            Self::Revert { write } => Self::Revert { write: *write },
        }
    }

    pub const fn kind(&self) -> OperationKind {
        match self {
            Self::EditContacts { .. } => OperationKind::EditContacts,
            Self::EditFollowUps { .. } => OperationKind::EditFollowUps,
            Self::UpdateTags { .. } => OperationKind::UpdateTags,
            Self::Revert { .. } => OperationKind::Revert,
        }
    }
}

/// Work that a write leaves to an operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Postponed {
    pub work: Work,
    /// How many records it concerns.
    pub total: i64,
}

/// How far an operation has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// The next of its ids, or of the steps of a revert.
    pub next: usize,
    /// Of the write that is reverted, the number of its last change when that began.
    pub last: Option<i64>,
    /// Within a step of a revert: the changes with this number and higher ones are reverted.
    pub reverted_from: Option<i64>,
    pub retries: Retries,
    /// Records that others name in lists, and that are not what they were.
    pub names_left_alone: Vec<(Entity, Uuid)>,
    /// Whether what one of them was is no longer kept.
    pub has_forgotten_name: bool,
    /// Names that a revert has given back to their records, and that are to be replaced in lists at its end.
    pub renames: Vec<Rename>,
    pub in_lists: ListPosition,
}

/// Changes that could not be reverted because of other records, and are tried again once these are what they were. By their
/// numbers in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retries {
    /// To be tried in this pass.
    pub waiting: Vec<i64>,
    /// Tried in this pass, and refused again.
    pub refused: Vec<i64>,
    /// Whether this pass has reverted any.
    pub has_reverted: bool,
    /// Whether the pass before has reverted none: this one is for the reasons only.
    pub is_last: bool,
}

/// How far the replacing of names in lists has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPosition {
    /// Which of the names.
    pub rename: usize,
    /// In which kind of record.
    pub kind: usize,
    /// Behind this record.
    pub after: Option<Uuid>,
}

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OperationError {
    /// The stable name of the error, as in an error response.
    #[schema(max_length = 64, example = "invalid")]
    pub code: String,
    /// What went wrong, and with which record.
    pub detail: String,
    /// The values that are invalid, for `invalid`.
    pub errors: Vec<OperationFieldError>,
}

/// A value that is invalid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OperationFieldError {
    /// A JSON pointer into the request.
    #[schema(example = "#/add_tags")]
    pub pointer: String,
    /// The stable name of the error.
    #[schema(max_length = 64, example = "too_long")]
    pub code: String,
    /// What is wrong with the value.
    pub detail: String,
}

impl OperationError {
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), detail: detail.into(), errors: Vec::new() }
    }
}

impl From<Invalid> for OperationError {
    fn from(invalid: Invalid) -> Self {
        let field_error = |error: super::invalid::FieldError| OperationFieldError {
            pointer: error.pointer,
            code: error.code.as_str().to_owned(),
            detail: error.detail,
        };
        let errors = invalid.errors.into_iter().map(field_error).collect();
        Self { errors, ..Self::new("invalid", "A record could not be edited as requested.") }
    }
}

/// An operation as clients see it.
#[derive(Debug, Clone, Serialize)]
pub struct Operation {
    pub id: OperationId,
    pub kind: OperationKind,
    pub state: OperationState,
    pub done: i64,
    pub total: i64,
    pub changed: i64,
    pub left_alone: Vec<Value>,
    pub left_alone_total: i64,
    pub error: Option<OperationError>,
    pub write: Option<i64>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}
