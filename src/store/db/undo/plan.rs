//! A plan to take back a write: what becomes of each record, and which are left alone. How it is made is told in
//! `planning.rs`.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::names::{BeforeAfterNow, Label, Names, taken_back};
use crate::domain::entity::Entity;
use crate::domain::reference::{REFERENCES, name_list, names_of};
use crate::store::db::sql::types::{AnyId, RecordRef};
use crate::store::db::write::changes::ChangeRow;
use crate::store::db::write::json::referred_ids;
use crate::store::db::write::names::{name_in, set_names};
use crate::store::error::{LeftAlone, LeftAloneReason};

/// A write in the log.
pub(super) struct Written {
    /// The number it is known by; no change of it has a lower one.
    pub number: i64,
    /// The number of its last change.
    pub last: i64,
    /// Its changes, newest first; those of them that are to be taken back.
    pub rows: Vec<ChangeRow>,
    /// All that it deleted.
    pub deleted: BTreeSet<RecordRef>,
    /// Of a large write, the records that others name in lists which were not taken back before these rows.
    pub names_left_alone: HashSet<RecordRef>,
    /// Whether the log no longer holds what one of them was.
    pub has_forgotten_name: bool,
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
    /// All that the write deleted, whether or not it comes back.
    pub deleted: BTreeSet<RecordRef>,
    pub steps: BTreeMap<RecordRef, Step>,
    pub left_alone: Vec<LeftAlone>,
    /// Of each record that the write updated, JSON pointers to the fields that it changed.
    pub written: BTreeMap<RecordRef, Vec<String>>,
    /// The records of `steps` that have changed since, so that only some of their fields are taken back.
    pub changed_since: BTreeSet<RecordRef>,
    /// What is in the name lists of those records in `steps` that have one.
    pub labels: BTreeMap<RecordRef, BeforeAfterNow<Vec<Label>>>,
    /// The names of records of each kind that others name in lists.
    pub names: BTreeMap<Entity, Names>,
    /// Of these the records that the write changed or deleted.
    pub named: HashSet<RecordRef>,
    /// Whether the log no longer holds what one of them was.
    pub has_forgotten_name: bool,
    /// How many of the steps lead to a record that refers to this one, by the column of the reference.
    pub coming: BTreeMap<(&'static str, Entity, AnyId), i64>,
}

impl Plan {
    /// Leaves a whole record alone.
    pub fn leave_alone(&mut self, place: RecordRef, reason: LeftAloneReason) {
        let (entity, id) = place;
        if let Some(step) = self.steps.remove(&place) {
            self.count(entity, &step, -1);
        }
        self.left_alone.retain(|left| (left.entity, left.id) != place);
        let written = self.written.get(&place).filter(|_| reason == LeftAloneReason::ChangedSince);
        let fields = written.cloned().unwrap_or_default();
        self.left_alone.push(LeftAlone { entity, id, reason, fields });
    }

    /// Takes a step that leaves these fields alone.
    pub fn take_all_but(&mut self, place: RecordRef, step: Step, fields: Vec<String>) {
        let (entity, id) = place;
        if !fields.is_empty() {
            self.left_alone.push(LeftAlone { entity, id, reason: LeftAloneReason::ChangedSince, fields });
        }
        self.take(place, step);
    }

    pub fn take(&mut self, place: RecordRef, step: Step) {
        self.count(place.0, &step, 1);
        self.steps.insert(place, step);
    }

    /// Changes what a record becomes.
    pub fn replace(&mut self, place: &RecordRef, record: Value) {
        let step = match self.steps.get(place) {
            Some(Step::Restore(_)) => Step::Restore(record),
            Some(Step::Reset(_)) => Step::Reset(record),
            Some(Step::Remove) | None => return,
        };
        self.steps.insert(*place, step);
    }

    fn count(&mut self, entity: Entity, step: &Step, by: i64) {
        for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
            for to in step.record().map(|record| referred_ids(reference, record)).unwrap_or_default() {
                *self.coming.entry((reference.column, entity, to)).or_default() += by;
            }
        }
    }

    pub fn restores(&self, place: &RecordRef) -> bool {
        matches!(self.steps.get(place), Some(Step::Restore(_)))
    }

    /// What a record that others name is called in the end; `None` where there is none.
    pub fn name_of(&self, (entity, id): RecordRef) -> Option<&str> {
        match self.steps.get(&(entity, id)) {
            Some(step) => name_in(names_of(entity)?, step.record()?),
            None => self.names.get(&entity)?.now.get(&id).map(String::as_str),
        }
    }

    /// Whether the write changed the record that is named, and that is not taken back.
    pub fn stays_changed(&self, label: &Label) -> bool {
        match label.named {
            Some(named) => self.named.contains(&named) && !self.steps.contains_key(&named),
            None => self.has_forgotten_name,
        }
    }

    /// What the list of a record in `steps` holds in the end. A name whose record is gone by a later write is used anew.
    pub fn labels_after(&self, place: &RecordRef) -> Vec<Label> {
        let is_gone = |label: &Label| label.named.is_none_or(|named| self.name_of(named).is_none());
        let is_lost = |label: &Label| self.stays_changed(label) && is_gone(label);
        self.labels.get(place).map(|labels| taken_back(labels, is_lost)).unwrap_or_default()
    }

    /// The record with its list as it is in the end, spelled as the records are that it names.
    pub fn relabelled(&self, place: &RecordRef, record: &Value) -> Value {
        let mut relabelled = record.clone();
        if let Some(list) = name_list(place.0).filter(|_| self.labels.contains_key(place)) {
            let spelled = |label: Label| {
                label.named.and_then(|named| self.name_of(named)).map(str::to_owned).unwrap_or(label.text)
            };
            set_names(list, &mut relabelled, self.labels_after(place).into_iter().map(spelled));
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
