//! The answer to an edit that is carried out later.

use utoipa::ToSchema;

use super::problem::LeftAloneRecord;
use crate::domain::id::OperationId;
use crate::domain::operation::{OperationError, OperationKind, OperationState};
use crate::domain::timestamp::Timestamp;

/// An edit of more than 1,000 records. It is carried out after the response, in parts, so that other requests do not
/// have to wait. All parts are one write: `POST /v1/changes/{write}/revert` reverts it. Only one operation can run in
/// a workspace at a time, and tags cannot be renamed, merged, deleted or restored until it has finished. If a record
/// cannot be edited, the whole operation is reverted, except for fields that somebody else has changed in the
/// meantime.
#[derive(ToSchema)]
#[schema(as = Operation)]
#[allow(dead_code, reason = "documents what is written as JSON")]
pub struct OperationOut {
    /// The operation's id.
    id: OperationId,
    kind: OperationKind,
    state: OperationState,
    /// How many records have been processed or, while `reverting`, reverted.
    #[schema(minimum = 0)]
    done: i64,
    /// The approximate number of records to process.
    #[schema(minimum = 0)]
    total: i64,
    /// How many of the processed records were changed.
    #[schema(minimum = 0)]
    changed: i64,
    /// For a revert, or an operation that failed or was cancelled: the first 100 records that were not fully
    /// reverted, and why.
    left_alone: Vec<LeftAloneRecord>,
    /// The number of records in `left_alone`, including those not listed.
    #[schema(minimum = 0)]
    left_alone_total: i64,
    /// Why it failed. Null unless it has failed, or is being reverted because of an error.
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
