//! The answer to an edit that is carried out later.

use utoipa::ToSchema;

use super::problem::LeftAloneRecord;
use crate::domain::id::OperationId;
use crate::domain::operation::{OperationError, OperationKind, OperationState};
use crate::domain::timestamp::Timestamp;

/// An edit of more than 1,000 records. It is carried out after the response, in parts, so that other requests do not have to
/// wait. All parts are one write: `POST /v1/changes/{write}/revert` reverts it. While an operation has not finished, no other
/// can begin in the workspace, and tags cannot be renamed, merged or deleted. When a record cannot be edited, everything
/// that was done is reverted, but for what somebody else has changed meanwhile.
#[derive(ToSchema)]
#[schema(as = Operation)]
#[allow(dead_code, reason = "documents what is written as JSON")]
pub struct OperationOut {
    /// The operation's id.
    id: OperationId,
    kind: OperationKind,
    state: OperationState,
    /// How many records are done; while it is `reverting`, how many are reverted.
    #[schema(minimum = 0)]
    done: i64,
    /// The approximate number of records to do.
    #[schema(minimum = 0)]
    total: i64,
    /// How many of those done were changed.
    #[schema(minimum = 0)]
    changed: i64,
    /// Of a revert, or of one that failed or was cancelled: the first 100 records that were not reverted, or not in all fields,
    /// and why.
    left_alone: Vec<LeftAloneRecord>,
    /// The number of records in `left_alone`, including those not listed.
    #[schema(minimum = 0)]
    left_alone_total: i64,
    /// Why it failed. Null unless it did, or is about to.
    error: Option<OperationError>,
    /// The number of the write: `POST /v1/changes/{write}/revert` reverts all of it. Null when it failed or was cancelled: then
    /// there is nothing to revert.
    write: Option<i64>,
    /// When it was requested.
    created_at: Timestamp,
    /// When its last part was done.
    updated_at: Timestamp,
    /// When it finished. Null until then.
    finished_at: Option<Timestamp>,
}
