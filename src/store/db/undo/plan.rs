//! A plan to take back a write: what becomes of each record, and which are left alone. How it is made is told in
//! `planning.rs`.

use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

use super::labels::{BeforeAfterNow, Label, TagNames, relabel, taken_back};
use crate::domain::entity::{Entity, REFERENCES};
use crate::store::db::sql::types::AnyId;
use crate::store::db::write::changes::ChangeRow;
use crate::store::db::write::json::referred;
use crate::store::error::{LeftAlone, LeftAloneReason};

/// A record, by its kind and its id.
pub(super) type RecordRef = (Entity, AnyId);

/// A write in the log.
pub(super) struct Written {
    /// The number it is known by; no change of it has a lower one.
    pub number: i64,
    /// The number of its last change.
    pub last: i64,
    /// Its changes, newest first.
    pub rows: Vec<ChangeRow>,
}

/// How much of a write is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RevertScope {
    /// Whatever it did.
    Whole,
    /// What it deleted, and the links to that.
    Deletes,
}

/// One step back.
#[derive(Debug)]
pub(super) enum Step {
    /// It was deleted, and exists again as this.
    Restore(Value),
    /// It was changed, and becomes this.
    Reset(Value),
    /// It was made, and goes.
    Remove,
}

impl Step {
    /// What the record is after it.
    pub fn record(&self) -> Option<&Value> {
        match self {
            Self::Restore(record) | Self::Reset(record) => Some(record),
            Self::Remove => None,
        }
    }
}

/// What is done, and what is not.
#[derive(Default)]
pub(super) struct Plan {
    pub steps: BTreeMap<RecordRef, Step>,
    pub left_alone: Vec<LeftAlone>,
    /// The labels of those records in `steps` that carry any.
    pub labels: BTreeMap<RecordRef, BeforeAfterNow<Vec<Label>>>,
    pub names: TagNames,
    /// The tags that the write changed or deleted.
    pub tags: HashSet<AnyId>,
    /// Whether the log no longer holds what one of them was.
    pub has_forgotten_tag: bool,
    /// How many of the steps lead to a record that refers to this one, by the column of the reference.
    pub coming: BTreeMap<(&'static str, Entity, AnyId), i64>,
}

impl Plan {
    pub fn leave_alone(&mut self, (entity, id): RecordRef, reason: LeftAloneReason) {
        if let Some(step) = self.steps.remove(&(entity, id)) {
            self.count(entity, &step, -1);
        }
        self.left_alone.push(LeftAlone { entity, id, reason });
    }

    pub fn take(&mut self, place: RecordRef, step: Step) {
        self.count(place.0, &step, 1);
        self.steps.insert(place, step);
    }

    fn count(&mut self, entity: Entity, step: &Step, by: i64) {
        for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
            if let Some(to) = step.record().and_then(|record| referred(reference, record)) {
                *self.coming.entry((reference.column, entity, to)).or_default() += by;
            }
        }
    }

    pub fn restores(&self, place: &RecordRef) -> bool {
        matches!(self.steps.get(place), Some(Step::Restore(_)))
    }

    /// What the tag is called in the end; `None` where there is none.
    pub fn name_of(&self, tag: AnyId) -> Option<&str> {
        match self.steps.get(&(Entity::Tag, tag)) {
            Some(step) => step.record()?.get("name")?.as_str(),
            None => self.names.now.get(&tag).map(String::as_str),
        }
    }

    /// Whether the write changed the tag of the label, and that is not taken back.
    pub fn stays_changed(&self, label: &Label) -> bool {
        match label.tag {
            Some(tag) => self.tags.contains(&tag) && !self.steps.contains_key(&(Entity::Tag, tag)),
            None => self.has_forgotten_tag,
        }
    }

    /// The labels that a record in `steps` carries in the end. One whose tag is gone by a later write is used anew.
    pub fn labels_after(&self, place: &RecordRef) -> Vec<Label> {
        let is_gone = |label: &Label| label.tag.is_none_or(|tag| self.name_of(tag).is_none());
        let is_lost = |label: &Label| self.stays_changed(label) && is_gone(label);
        self.labels.get(place).map(|labels| taken_back(labels, is_lost)).unwrap_or_default()
    }

    /// Puts the labels where they belong, spelled as their tags are in the end.
    pub fn relabelled(&self, place: &RecordRef, record: &Value) -> Value {
        let mut relabelled = record.clone();
        if self.labels.contains_key(place) {
            let spelled = |label: Label| {
                label.tag.and_then(|tag| self.name_of(tag)).map(str::to_owned).unwrap_or(label.text)
            };
            relabel(&mut relabelled, self.labels_after(place).into_iter().map(spelled));
        }
        relabelled
    }

    /// The steps with what each record becomes.
    pub fn into_steps(self) -> Vec<(RecordRef, Step)> {
        let step = |(place, step): (&RecordRef, &Step)| match step {
            Step::Restore(record) => (*place, Step::Restore(self.relabelled(place, record))),
            Step::Reset(record) => (*place, Step::Reset(self.relabelled(place, record))),
            Step::Remove => (*place, Step::Remove),
        };
        self.steps.iter().map(step).collect()
    }
}

/// What a record says, without what each write stamps on it.
pub(super) fn without_stamps(record: &Value) -> Value {
    let mut without_stamps = record.clone();
    if let Some(members) = without_stamps.as_object_mut() {
        ["version", "updated_at"].iter().for_each(|stamp| drop(members.remove(*stamp)));
    }
    without_stamps
}
