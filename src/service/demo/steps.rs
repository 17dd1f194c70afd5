//! What each step of the demo is made with: records by the rules that requests keep, and days counted from another.

use chrono::{Days, NaiveDate};
use serde_json::Value;

use crate::service::records::rules::Rules;
use crate::service::records::write::{Create, Patch};
use crate::store::{AnyId, Precondition, Result, Tx};

pub(super) fn create<R: Rules>(tx: &mut Tx<'_>, fields: Value) -> Result<R> {
    Create::<R>::check(fields, None, tx.new_id(), tx.now())?.write(tx)
}

pub(super) fn patch<R: Rules>(tx: &mut Tx<'_>, id: AnyId, patch: Value) -> Result<R> {
    Patch::check::<R>(patch)?.write(tx, id, &Precondition::None)
}

pub(super) fn after(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_add_days(Days::new(days.into())).unwrap_or(day)
}

pub(super) fn before(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_sub_days(Days::new(days.into())).unwrap_or(day)
}
