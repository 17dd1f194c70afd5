//! Plans: steps that follow one another for a person, such as after an event. Carrying one out is a run, told in
//! `plan_run.rs`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::calendar::CalendarUnit;
use super::contact::Channel;
use super::entity::Entity;
use super::fields::single_line;
use super::follow_up::FollowUpKind;
use super::id::FollowUpPlanId;
use super::invalid::{FieldCode, Invalid, Rejection, pointer};
use super::record::{Fields, Stored};

