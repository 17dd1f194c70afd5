//! What taking back a write would do: a step for each of its changes. What stands against a step is told in `obstacles.rs`,
//! and `revert.rs` carries them out; nothing is written here.

use diesel::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

use super::changes::ChangeRow;
use super::rows::referred;
use super::schema::changes;
use super::types::{AnyId, AsJson};
use super::write::Tx;
use crate::domain::entity::{Entity, OnDelete, Op, REFERENCES};
use crate::domain::tag::CARRIERS;
use crate::domain::text;
use crate::store::error::{LeftAlone, LeftAloneReason, Result};
use crate::store::labels::{Label, Moments, TagNames, labels_of, relabel, taken_back};
use crate::store::tags::carries;

/// A record, by its kind and its id.
pub(super) type Place = (Entity, AnyId);

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
pub(super) enum Extent {
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
    pub steps: BTreeMap<Place, Step>,
    pub left_alone: Vec<LeftAlone>,
    /// The labels of those records in `steps` that carry any.
    pub labels: BTreeMap<Place, Moments<Vec<Label>>>,
    names: TagNames,
    /// The tags that the write changed or deleted.
    tags: HashSet<AnyId>,
    /// Whether the log no longer holds what one of them was.
    has_forgotten_tag: bool,
    /// How many of the steps lead to a record that refers to this one, by the column of the reference.
    pub coming: BTreeMap<(&'static str, Entity, AnyId), i64>,
}

impl Plan {
    pub fn leave_alone(&mut self, (entity, id): Place, reason: LeftAloneReason) {
        if let Some(step) = self.steps.remove(&(entity, id)) {
            self.count(entity, &step, -1);
        }
        self.left_alone.push(LeftAlone { entity, id, reason });
    }

    fn take(&mut self, place: Place, step: Step) {
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

    pub fn restores(&self, place: &Place) -> bool {
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
    pub fn labels_after(&self, place: &Place) -> Vec<Label> {
        let is_gone = |label: &Label| label.tag.is_none_or(|tag| self.name_of(tag).is_none());
        let is_lost = |label: &Label| self.stays_changed(label) && is_gone(label);
        self.labels.get(place).map(|labels| taken_back(labels, is_lost)).unwrap_or_default()
    }

    /// Puts the labels where they belong, spelled as their tags are in the end.
    pub fn relabelled(&self, place: &Place, record: &Value) -> Value {
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
    pub fn into_steps(self) -> Vec<(Place, Step)> {
        let step = |(place, step): (&Place, &Step)| match step {
            Step::Restore(record) => (*place, Step::Restore(self.relabelled(place, record))),
            Step::Reset(record) => (*place, Step::Reset(self.relabelled(place, record))),
            Step::Remove => (*place, Step::Remove),
        };
        self.steps.iter().map(step).collect()
    }
}

impl Tx<'_> {
    pub(super) fn plan(&mut self, write: Written, extent: Extent) -> Result<Plan> {
        let mut plan = Plan::default();
        let deleted = write.rows.iter().filter(|row| row.op == Op::Deleted);
        let gone: BTreeMap<Place, Value> = deleted
            .filter_map(|row| Some(((row.entity, row.record_id), row.before.as_ref()?.0.clone())))
            .collect();
        let tags = || write.rows.iter().filter(|row| row.entity == Entity::Tag && row.op != Op::Created);
        plan.tags = tags().map(|row| row.record_id).collect();
        plan.has_forgotten_tag = tags().any(|row| row.before.is_none());
        let mut texts: BTreeMap<Place, Moments<Vec<String>>> = BTreeMap::new();
        for row in write.rows {
            let place = (row.entity, row.record_id);
            let record = self.moments(&row)?;
            let step = match (extent, row.op) {
                (Extent::Deletes, Op::Updated) => Ok(links_back(row.entity, &record, &gone)),
                _ if row.op == Op::Deleted && record.before.is_none() && !self.existed(&row)? => Ok(None),
                _ => step_back(row.op, row.entity, &record, &gone, !plan.tags.is_empty()),
            };
            match step {
                Ok(None) => {}
                Ok(Some(step)) => {
                    if CARRIERS.contains(&row.entity) && step.record().is_some() {
                        texts.insert(place, labels_at(record, extent, &gone, &plan.tags));
                    }
                    plan.take(place, step);
                }
                Err(reason) => plan.leave_alone(place, reason),
            }
        }
        let all = texts.values().flat_map(|texts| [&texts.before, &texts.after, &texts.now]).flatten();
        plan.names = self.tag_names(all, write.number, write.last)?;
        plan.labels = texts.into_iter().map(|(place, texts)| (place, plan.names.resolve(texts))).collect();
        self.settle(&mut plan)?;
        Ok(plan)
    }

    /// A record before a change, right after it, and now.
    fn moments(&mut self, row: &ChangeRow) -> Result<Moments<Option<Value>>> {
        let now = self.find_row(row.entity, row.record_id)?;
        let is_newest = now.as_ref().is_some_and(|now| version_of(now) == row.seq);
        let after = match row.op {
            Op::Deleted => None,
            _ if is_newest => now.clone(),
            // What it was before the next change, while that is kept.
            _ => self.before_next(row)?,
        };
        Ok(Moments { before: row.before.as_ref().map(|json| json.0.clone()), after, now })
    }

    fn before_next(&mut self, row: &ChangeRow) -> Result<Option<Value>> {
        let next: Option<Option<AsJson<Value>>> = changes::table
            .filter(changes::workspace_id.eq(self.workspace))
            .filter(changes::record_id.eq(row.record_id))
            .filter(changes::entity.eq(row.entity))
            .filter(changes::seq.gt(row.seq))
            .order(changes::seq.asc())
            .select(changes::before)
            .limit(1)
            .load(self.conn)?
            .pop();
        Ok(next.flatten().map(|json| json.0))
    }

    /// Whether the log tells of the record before this change. One that a write made and merged has a tombstone only.
    fn existed(&mut self, row: &ChangeRow) -> Result<bool> {
        let earlier = changes::table
            .filter(changes::workspace_id.eq(self.workspace))
            .filter(changes::record_id.eq(row.record_id))
            .filter(changes::entity.eq(row.entity))
            .filter(changes::seq.lt(row.seq));
        Ok(diesel::select(diesel::dsl::exists(earlier)).get_result(self.conn)?)
    }
}

/// The step back for one change, or why there is none.
fn step_back(
    op: Op,
    entity: Entity,
    record: &Moments<Option<Value>>,
    gone: &BTreeMap<Place, Value>,
    is_of_tags: bool,
) -> std::result::Result<Option<Step>, LeftAloneReason> {
    let Moments { before, after, now } = record;
    let is_as_after = match (now, after) {
        (Some(now), Some(after)) => said(now) == said(after),
        _ => false,
    };
    match (op, now, before) {
        (Op::Deleted, Some(_), _) => Err(LeftAloneReason::IdTaken),
        (Op::Deleted, None, Some(before)) => Ok(Some(Step::Restore(before.clone()))),
        (Op::Created | Op::Updated, None, _) => Err(LeftAloneReason::ChangedSince),
        (Op::Created, Some(_), _) if !is_as_after => Err(LeftAloneReason::ChangedSince),
        (Op::Created, Some(now), _) if now.get("is_self") == Some(&Value::Bool(true)) => {
            Err(LeftAloneReason::SelfContact)
        }
        (Op::Created, Some(_), _) => Ok(Some(Step::Remove)),
        (_, _, None) => Err(LeftAloneReason::NoLongerKept),
        (Op::Updated, Some(_), Some(before)) if is_as_after => Ok(Some(Step::Reset(before.clone()))),
        // What was done to a record or a tag was done to what refers to it, which may have changed since in other ways.
        (Op::Updated, Some(now), Some(before)) => {
            let after = after.as_ref().ok_or(LeftAloneReason::ChangedSince)?;
            let links = Links::of(entity, before, after, now, gone);
            let is_relabelled = is_of_tags && labels_of(before) != labels_of(after);
            let did_no_more =
                beside_links(entity, before, gone, is_of_tags) == beside_links(entity, after, gone, is_of_tags);
            if did_no_more && !links.is_filled && (links.is_back || is_relabelled) {
                Ok(Some(Step::Reset(links.record)))
            } else {
                Err(LeftAloneReason::ChangedSince)
            }
        }
    }
}

/// The step that links a record again to what was deleted, where it still refers to nothing or carried a tag.
fn links_back(entity: Entity, record: &Moments<Option<Value>>, gone: &BTreeMap<Place, Value>) -> Option<Step> {
    let (before, now) = (record.before.as_ref()?, record.now.as_ref()?);
    let links = Links::of(entity, before, record.after.as_ref().unwrap_or(now), now, gone);
    let carried = gone_labels(gone).any(|label| carries(before, label));
    (links.is_back || carried).then_some(Step::Reset(links.record))
}

/// A record with its links as they were.
struct Links {
    record: Value,
    /// Whether one of them is back.
    is_back: bool,
    /// Whether one of them leads elsewhere by now.
    is_filled: bool,
}

impl Links {
    /// The record as it is now, with its links to what was deleted where it refers to nothing. The name that was kept in
    /// their place goes, if nobody has changed it.
    fn of(entity: Entity, before: &Value, after: &Value, now: &Value, gone: &BTreeMap<Place, Value>) -> Self {
        let mut links = Self { record: now.clone(), is_back: false, is_filled: false };
        for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
            let Some(old) = referred(reference, before) else { continue };
            if !gone.contains_key(&(reference.to, old)) {
                continue;
            }
            match referred(reference, now) {
                Some(current) => links.is_filled |= current != old,
                None => {
                    if let Some(place) = place_at(&mut links.record, reference.pointer) {
                        *place = Value::String(old.uuid().to_string());
                        links.is_back = true;
                    }
                    if let OnDelete::KeepName(kept) = reference.on_delete
                        && now.pointer(kept) == after.pointer(kept)
                        && let Some(place) = links.record.pointer_mut(kept)
                    {
                        *place = before.pointer(kept).cloned().unwrap_or_default();
                    }
                }
            }
        }
        links
    }
}

/// What a record says beside its links to what was deleted and, where the write was one on tags, its labels.
fn beside_links(entity: Entity, record: &Value, gone: &BTreeMap<Place, Value>, is_of_tags: bool) -> Value {
    let mut rest = said(record);
    for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
        if !gone.keys().any(|(to, _)| *to == reference.to) {
            continue;
        }
        let kept = match reference.on_delete {
            OnDelete::KeepName(kept) => Some(kept),
            OnDelete::Clear | OnDelete::TakeAlong => None,
        };
        for pointer in [reference.pointer].into_iter().chain(kept) {
            if let Some(place) = rest.pointer_mut(pointer) {
                *place = Value::Null;
            }
        }
    }
    if is_of_tags {
        relabel(&mut rest, std::iter::empty());
    }
    // An object that holds nothing counts as none.
    for member in rest.as_object_mut().into_iter().flat_map(|members| members.values_mut()) {
        if member.as_object().is_some_and(|object| object.values().all(Value::is_null)) {
            *member = Value::Null;
        }
    }
    rest
}

/// What a record carried, carried after the write, and carries now; of what is left as it is, the same at all three.
fn labels_at(
    record: Moments<Option<Value>>,
    extent: Extent,
    gone: &BTreeMap<Place, Value>,
    tags: &HashSet<AnyId>,
) -> Moments<Vec<String>> {
    let is_as_after = match (&record.now, &record.after) {
        (Some(now), Some(after)) => said(now) == said(after),
        _ => record.now.is_none(),
    };
    let labels = |record: &Option<Value>| record.as_ref().map(labels_of).unwrap_or_default();
    let Moments { before, after, now } =
        Moments { before: labels(&record.before), after: labels(&record.after), now: labels(&record.now) };
    if record.now.is_none() || (extent == Extent::Whole && (is_as_after || !tags.is_empty())) {
        return Moments { before, after, now };
    }
    if extent == Extent::Whole {
        return Moments { before: now.clone(), after: now.clone(), now };
    }
    // Only what was deleted comes back, whatever else was done to the labels.
    let names: HashSet<String> = gone_labels(gone).map(text::fold).collect();
    let is_gone = |label: &String| names.contains(&text::fold(label));
    let (back, kept): (Vec<String>, Vec<String>) = before.iter().cloned().partition(is_gone);
    let before = if kept == after { before } else { after.iter().cloned().chain(back).collect() };
    Moments { before, after, now }
}

/// The names of the tags that were deleted.
fn gone_labels(gone: &BTreeMap<Place, Value>) -> impl Iterator<Item = &str> {
    let tags = gone.iter().filter(|((entity, _), _)| *entity == Entity::Tag);
    tags.filter_map(|(_, tag)| tag.get("name")?.as_str())
}

/// What a record says, without what each write stamps on it.
pub(super) fn said(record: &Value) -> Value {
    let mut said = record.clone();
    if let Some(members) = said.as_object_mut() {
        ["version", "updated_at"].iter().for_each(|stamp| drop(members.remove(*stamp)));
    }
    said
}

fn version_of(record: &Value) -> i64 {
    record.get("version").and_then(Value::as_i64).unwrap_or(0)
}

/// The place a pointer names, made where what should hold it is null.
fn place_at<'v>(record: &'v mut Value, pointer: &str) -> Option<&'v mut Value> {
    pointer.split('/').skip(1).try_fold(record, |place, name| {
        if place.is_null() {
            *place = Value::Object(serde_json::Map::new());
        }
        Some(place.as_object_mut()?.entry(name).or_insert(Value::Null))
    })
}
