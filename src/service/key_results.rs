//! The rules of key results, and of the check-ins that give some of them a value.

use serde_json::Value;

use super::records::rules::Rules;
use crate::domain::check_in::CheckIn;
use crate::domain::fields::parse_day;
use crate::domain::invalid::{FieldCode, Invalid};
use crate::domain::key_result::{KeyResult, KeyResultFilter, KeyResultMetric};
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::time_zone;
use crate::store::{AnyId, Result, Tx, records};

impl Rules for KeyResult {
    /// Whoever says which organization to count, or none, has seen that another one is gone.
    fn infer_from_patch(&mut self, _tx: &mut Tx<'_>, _before: &Self, patch: &Value) -> Result<()> {
        if patch.pointer("/filter/organization_id").is_some()
            && let Some(filter) = &mut self.fields.filter
        {
            filter.organization_name = None;
            if *filter == KeyResultFilter::default() {
                self.fields.filter = None;
            }
        }
        Ok(())
    }
}

impl Rules for CheckIn {
    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let is_new = |own: &Self| own.fields.key_result_id != self.fields.key_result_id;
        if before.is_none_or(is_new)
            && let Some(key_result) = records::find::<KeyResult>(tx, AnyId::new(self.fields.key_result_id.uuid()))?
            && key_result.fields.metric != KeyResultMetric::Manual
        {
            let detail = "Its metric is not manual: it is counted from records.";
            return Err(Invalid::one("#/key_result_id", FieldCode::Contradiction, detail).into());
        }
        let today = time_zone(tx)?.day(now);
        if parse_day(&self.fields.checked_on).is_ok_and(|day| day > today) {
            let detail = "A check-in cannot be in the future.";
            return Err(Invalid::one("#/on", FieldCode::Contradiction, detail).into());
        }
        Ok(())
    }
}
