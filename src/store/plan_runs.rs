//! Plan runs in the database: their columns, what lists can filter and sort by, and which run is meant.

use diesel::prelude::*;

use super::db::sql::schema::plan_runs;
use super::db::sql::select::{Field, Predicate, Scalar, Select, field, sortable};
use super::db::sql::types::AnyId;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::db::write::tx::Tx;
use super::error::Result;
use crate::domain::follow_up_plan::{BuiltInPlan, PlanStep};
use crate::domain::id::{ContactId, EventId, FollowUpId, FollowUpPlanId};
use crate::domain::plan_run::{PlanRun, PlanRunFields, PlanRunStatus};

record_row! {
    PlanRunRow of PlanRunFields in plan_runs;
    columns {
        plan_id: Option<FollowUpPlanId>,
        built_in: Option<BuiltInPlan>,
        title: String,
        contact_id: ContactId,
        event_id: Option<EventId>,
        anchor_on: String,
        skip_weekends: bool,
        position: i32,
        follow_up_id: Option<FollowUpId>,
        status: PlanRunStatus,
        status_reason: Option<String>,
    }
    json {
        steps: Vec<PlanStep>,
    }
}

impl Record for PlanRun {
    const SUMMARY: &'static [&'static str] = &[
        "plan_id",
        "built_in",
        "title",
        "contact_id",
        "event_id",
        "anchor_on",
        "position",
        "follow_up_id",
        "status",
    ];

    record_statements!(plan_runs, PlanRunRow, PlanRunFields);
}

pub const CREATED_AT: Field = sortable(plan_runs::created_at);
pub const UPDATED_AT: Field = sortable(plan_runs::updated_at);
pub const STATUS: Field = sortable(plan_runs::status);
pub const BUILT_IN: Field = field(plan_runs::built_in);
const CONTACT: Field = sortable(plan_runs::contact_id);
const FOLLOW_UP: Field = field(plan_runs::follow_up_id);

/// The runs of these contacts, oldest first.
pub fn runs_of(tx: &mut Tx<'_>, contacts: Vec<AnyId>) -> Result<Vec<PlanRun>> {
    let own = Predicate::In(CONTACT, contacts.into_iter().map(Scalar::Id).collect());
    Ok(PlanRun::select(tx.conn, Select::all(tx.workspace, own))?)
}

/// The run whose current step a follow-up is.
pub fn run_at(tx: &mut Tx<'_>, follow_up: FollowUpId) -> Result<Option<PlanRun>> {
    let own = Predicate::equal(FOLLOW_UP, Scalar::Id(AnyId::new(follow_up.uuid())));
    Ok(PlanRun::select(tx.conn, Select { limit: 1, ..Select::all(tx.workspace, own) })?.pop())
}
