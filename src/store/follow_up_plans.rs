//! Plans of follow-ups in the database: their columns, and what lists can filter and sort by.

use diesel::prelude::*;

use super::db::sql::schema::follow_up_plans;
use super::db::sql::select::{Field, Scalar, sortable};
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use crate::domain::follow_up_plan::{FollowUpPlan, FollowUpPlanFields, PlanStep};
use crate::domain::text;

record_row! {
    FollowUpPlanRow of FollowUpPlanFields in follow_up_plans;
    columns {
        title: String,
        skip_weekends: bool,
    }
    json {
        steps: Vec<PlanStep>,
    }
    computed {
        sort_key: String = |fields| text::sort_key(&fields.title),
    }
}

impl Record for FollowUpPlan {
    const SUMMARY: &'static [&'static str] = &["title", "skip_weekends"];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        (field == TITLE).then(|| Scalar::Text(text::sort_key(&self.fields.title)))
    }

    record_statements!(follow_up_plans, FollowUpPlanRow, FollowUpPlanFields);
}

pub const CREATED_AT: Field = sortable(follow_up_plans::created_at);
pub const UPDATED_AT: Field = sortable(follow_up_plans::updated_at);
pub const TITLE: Field = sortable(follow_up_plans::sort_key);
