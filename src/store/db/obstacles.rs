//! What stands against a step of a plan: what it refers to is gone, its name is taken, it is still needed, there would be too
//! many. What one step does may be what another needs, so all are looked at together. Nothing is written here.

use serde_json::Value;
use std::collections::BTreeSet;

use super::plan::{Place, Plan, Step, said};
use super::record::{Record, for_entity};
use super::rows::{from_json, referred};
use super::write::Tx;
use crate::domain::entity::{Entity, REFERENCES};
use crate::domain::tag::{MAX_PER_RECORD, MAX_PER_WORKSPACE};
use crate::store::error::{LeftAloneReason, Result};

impl Tx<'_> {
    /// Drops the steps that something stands against, until there is none: what one step does may be what another
    /// needs.
    pub(super) fn settle(&mut self, plan: &mut Plan) -> Result<()> {
        loop {
            let before = plan.steps.len();
            for place in plan.steps.keys().copied().collect::<Vec<_>>() {
                if let Some(reason) = self.obstacle(plan, place)? {
                    plan.leave_alone(place, reason);
                }
            }
            if plan.steps.len() == before {
                return Ok(());
            }
        }
    }

    fn obstacle(&mut self, plan: &Plan, place: Place) -> Result<Option<LeftAloneReason>> {
        let Some(step) = plan.steps.get(&place) else { return Ok(None) };
        let Some(record) = step.record() else {
            let is_needed = self.is_needed(plan, place)?;
            return Ok(is_needed.then_some(LeftAloneReason::HasGainedReferences));
        };
        if self.refers_to_nothing(plan, place.0, record)? {
            return Ok(Some(LeftAloneReason::ReferenceGone));
        }
        if self.is_circular(plan, place, record)? {
            return Ok(Some(LeftAloneReason::Circular));
        }
        if self.has_taken_name(plan, place.0, record)? {
            return Ok(Some(LeftAloneReason::NameTaken));
        }
        if self.is_one_too_many(plan, place, record)? {
            return Ok(Some(LeftAloneReason::LimitReached));
        }
        Ok(self.keeps_its_labels(plan, place, record)?.then_some(LeftAloneReason::ChangedSince))
    }

    fn refers_to_nothing(&mut self, plan: &Plan, entity: Entity, record: &Value) -> Result<bool> {
        for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
            let Some(id) = referred(reference, record) else { continue };
            let exists = match plan.steps.get(&(reference.to, id)) {
                Some(step) => step.record().is_some(),
                None => self.exists(reference.to, id)?,
            };
            if !exists {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether an organization would belong to itself, by way of others.
    fn is_circular(&mut self, plan: &Plan, (entity, own): Place, record: &Value) -> Result<bool> {
        let above = REFERENCES.iter().find(|reference| reference.from == entity && reference.is_parent());
        let Some(above) = above else { return Ok(false) };
        let mut parent = referred(above, record);
        let mut seen = BTreeSet::from([own]);
        while let Some(id) = parent {
            if !seen.insert(id) {
                return Ok(id == own);
            }
            parent = match plan.steps.get(&(entity, id)) {
                Some(step) => step.record().and_then(|record| referred(above, record)),
                None => self.find_row(entity, id)?.and_then(|row| referred(above, &row)),
            };
        }
        Ok(false)
    }

    fn has_taken_name(&mut self, plan: &Plan, entity: Entity, record: &Value) -> Result<bool> {
        for_entity!(entity, Kind => {
            let record = from_json::<Kind>(record.clone())?;
            let Some(holder) = self.unique_holder(&record)? else { return Ok(false) };
            Ok(match plan.steps.get(&(entity, holder)) {
                None => true,
                Some(Step::Remove) => false,
                Some(Step::Restore(to) | Step::Reset(to)) => {
                    from_json::<Kind>(to.clone())?.unique_key() == record.unique_key()
                }
            })
        })
    }

    /// Whether there would be more of it than there may be, in the workspace or at what it refers to.
    fn is_one_too_many(&mut self, plan: &Plan, place: Place, record: &Value) -> Result<bool> {
        let labels = plan.labels_after(&place);
        if labels.len() > MAX_PER_RECORD {
            return Ok(true);
        }
        let is_new_tag = plan.restores(&place) && place.0 == Entity::Tag;
        let makes_tag = labels.iter().any(|label| label.tag.is_none_or(|tag| plan.name_of(tag).is_none()));
        if (is_new_tag || makes_tag)
            && self.count_tags_after(plan)?.saturating_add(i64::from(makes_tag)) > MAX_PER_WORKSPACE
        {
            return Ok(true);
        }
        for reference in REFERENCES.iter().filter(|reference| reference.from == place.0) {
            let (Some(most), Some(to)) = (reference.most, referred(reference, record)) else { continue };
            // What comes back with what it belongs to was there before.
            if plan.restores(&(reference.to, to)) {
                continue;
            }
            let coming = plan.coming.get(&(reference.column, place.0, to)).copied().unwrap_or_default();
            if coming.saturating_add(self.count_referring(reference, to)?) <= most {
                continue;
            }
            let there: Vec<Place> = self.referring_places(reference, to)?;
            let others = there.iter().filter(|there| !plan.steps.contains_key(there)).count();
            let total = coming.saturating_add(i64::try_from(others).unwrap_or(i64::MAX));
            if total > most && !there.contains(&place) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn count_tags_after(&mut self, plan: &Plan) -> Result<i64> {
        let tags = self.count_tags()?;
        let by = |place: &Place, step: &Step| match step {
            Step::Restore(_) if place.0 == Entity::Tag => 1,
            Step::Remove if place.0 == Entity::Tag => -1,
            _ => 0,
        };
        Ok(plan.steps.iter().fold(tags, |tags, (place, step)| tags.saturating_add(by(place, step))))
    }

    /// Whether a record that was made is still referred to, or carried, when all is done.
    fn is_needed(&mut self, plan: &Plan, (entity, id): Place) -> Result<bool> {
        for carrier in self.carriers_of(entity, id)? {
            let lets_go = match plan.steps.get(&carrier) {
                None => false,
                Some(Step::Remove) => true,
                Some(_) => plan.labels_after(&carrier).iter().all(|label| label.tag != Some(id)),
            };
            if !lets_go {
                return Ok(true);
            }
        }
        for reference in REFERENCES.iter().filter(|reference| reference.to == entity) {
            for referring in self.referring_places(reference, id)? {
                let lets_go = plan
                    .steps
                    .get(&referring)
                    .is_some_and(|step| step.record().and_then(|record| referred(reference, record)) != Some(id));
                if !lets_go {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// What was done to a tag that is left alone stays done to those who carry it; whether nothing else was done to this
    /// one.
    fn keeps_its_labels(&mut self, plan: &Plan, place: Place, record: &Value) -> Result<bool> {
        let Some(labels) = plan.labels.get(&place) else { return Ok(false) };
        if !labels.before.iter().any(|label| plan.stays_changed(label)) {
            return Ok(false);
        }
        let now = self.find_row(place.0, place.1)?;
        Ok(now.is_some_and(|now| said(&now) == said(&plan.relabelled(&place, record))))
    }
}
