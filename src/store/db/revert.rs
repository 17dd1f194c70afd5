//! Undo of anything: takes back the whole write that a change belongs to, and names what it leaves alone. What is done and
//! what is not is decided in `plan.rs`; here it is carried out.

use diesel::prelude::*;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

use super::changes::{ChangeRow, refers_to_one_of, survivor, write_of};
use super::conn::{check_foreign_keys, defer_foreign_keys};
use super::plan::{Extent, Place, Plan, Step, Written};
use super::rows::{id_of, leads, referred, second};
use super::schema::changes;
use super::types::AnyId;
use super::write::Tx;
use crate::domain::entity::{Entity, OnDelete, Op, REFERENCES, Reference};
use crate::domain::text;
use crate::store::error::{Conflict, Error, LeftAlone, LeftAloneReason, Result};
use crate::store::labels::{labels_of, relabel};
use crate::store::tags::carries;

/// What a revert does to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It was deleted and exists again.
    Restored,
    /// It was changed and is what it was before.
    Reset,
    /// It was created and is gone.
    Removed,
}

impl Action {
    pub const ALL: [Self; 3] = [Self::Restored, Self::Reset, Self::Removed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::Reset => "reset",
            Self::Removed => "removed",
        }
    }
}

/// What a revert did, or would do.
#[derive(Debug, Clone, Default)]
pub struct Reverted {
    pub done: Vec<(Entity, AnyId, Action)>,
    pub left_alone: Vec<LeftAlone>,
}

impl Tx<'_> {
    /// Takes back the write that the change of this number belongs to. With `dry_run` it only tells.
    pub fn revert(&mut self, version: i64, dry_run: bool) -> Result<Reverted> {
        let write = self.write_with(version)?;
        let plan = self.plan(write, Extent::Whole)?;
        if plan.steps.is_empty() && !plan.left_alone.is_empty() && !dry_run {
            return Err(Conflict::RevertBlocked(plan.left_alone).into());
        }
        let reverted = Reverted { done: done(&plan), left_alone: plan.left_alone.clone() };
        if !dry_run {
            self.carry_out(plan)?;
        }
        Ok(reverted)
    }

    /// Finds the delete of a record and takes it back, with all that went along, or not at all; what else the same write
    /// did stays. What has a link elsewhere by now keeps it. A record that exists is left as it is.
    pub fn restore(&mut self, entity: Entity, id: AnyId) -> Result<()> {
        if self.exists(entity, id)? {
            return Ok(());
        }
        let Some((version, Op::Deleted, _)) = self.newest_change(entity, id)? else { return Err(Error::NotFound) };
        let mut write = self.write_with(version)?;
        let number = write.number;
        // What was merged is in the survivor by now: only all of the merge can be taken back.
        let is_merged = survivor(self.conn, self.workspace, entity, id)?.is_some();
        let extent = if is_merged { Extent::Whole } else { Extent::Deletes };
        if !is_merged {
            write.rows = gone_along(write.rows, entity, id);
        }
        let mut plan = self.plan(write, extent)?;
        // Made and merged in one write: the log never held it.
        if plan.left_alone.is_empty() && !plan.restores(&(entity, id)) {
            plan.leave_alone((entity, id), LeftAloneReason::NoLongerKept);
        }
        if !plan.left_alone.is_empty() {
            return Err(Conflict::RestoreBlocked(plan.left_alone, number).into());
        }
        self.carry_out(plan)
    }

    /// The write that the change of this number belongs to.
    fn write_with(&mut self, version: i64) -> Result<Written> {
        let number = write_of(self.conn, self.workspace, version)?;
        // This very write, of which an earlier operation of a batch has made a part: it is not done yet.
        if self.write_number() == Some(number) {
            return Err(Error::NotFound);
        }
        let rows: Vec<ChangeRow> = changes::table
            .filter(changes::workspace_id.eq(self.workspace))
            .filter(changes::write_seq.eq(number))
            .order(changes::seq.desc())
            .select(ChangeRow::as_select())
            .load(self.conn)?;
        let last = rows.first().map_or(number, |row| row.seq);
        Ok(Written { number, last, rows })
    }

    /// The record that this one was merged into when it was last deleted.
    fn last_merged_into(&mut self, (entity, id): Place) -> Result<Option<AnyId>> {
        let last: Option<Option<AnyId>> = changes::table
            .filter(changes::workspace_id.eq(self.workspace))
            .filter(changes::record_id.eq(id))
            .filter(changes::entity.eq(entity))
            .filter(changes::op.eq(Op::Deleted))
            .order(changes::seq.desc())
            .select(changes::merged_into_id)
            .limit(1)
            .load(self.conn)?
            .pop();
        Ok(last.flatten())
    }

    /// Tags first, so that labels find them. Restores before what is linked again, which then finds what it refers to;
    /// removes last.
    fn carry_out(&mut self, plan: Plan) -> Result<()> {
        defer_foreign_keys(self.conn)?;
        let beside = self.respelled_beside(&plan)?;
        let mut steps = self.led_as_now(plan.into_steps())?;
        steps.extend(beside.into_iter().map(|(place, record)| (place, Step::Reset(record))));
        steps.sort_by_key(|((entity, _), step)| {
            let rank = match step {
                Step::Restore(_) => 0,
                Step::Reset(_) => 1,
                Step::Remove => 2,
            };
            (*entity != Entity::Tag, rank)
        });
        self.is_planned = true;
        for (place, step) in steps {
            self.take_step(place, step)?;
        }
        self.is_planned = false;
        Ok(check_foreign_keys(self.conn)?)
    }

    /// One that came first of those that belong to the same record comes after the one that does by now.
    fn led_as_now(&mut self, mut steps: Vec<(Place, Step)>) -> Result<Vec<(Place, Step)>> {
        let planned: BTreeSet<Place> = steps.iter().map(|(place, _)| *place).collect();
        for ((entity, _), step) in &mut steps {
            let (Step::Restore(record) | Step::Reset(record)) = step else { continue };
            if leads(*entity, record)? && self.is_led_otherwise(*entity, record, &planned)? {
                *record = second(*entity, std::mem::take(record))?;
            }
        }
        Ok(steps)
    }

    fn is_led_otherwise(&mut self, entity: Entity, record: &Value, planned: &BTreeSet<Place>) -> Result<bool> {
        let belongs =
            |reference: &&Reference| reference.from == entity && reference.on_delete == OnDelete::TakeAlong;
        for reference in REFERENCES.iter().filter(belongs) {
            let Some(to) = referred(reference, record) else { continue };
            for other in self.referring(reference, to)? {
                let is_planned = id_of(&other).is_some_and(|id| planned.contains(&(entity, id)));
                if !is_planned && leads(entity, &other)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn take_step(&mut self, place: Place, step: Step) -> Result<()> {
        let (entity, id) = place;
        match step {
            Step::Restore(record) => self.restore_row(entity, record),
            Step::Reset(mut record) => {
                let now = self.find_row(entity, id)?.ok_or(Error::NotFound)?;
                // The version is the write's to give.
                for head in ["version", "updated_at"] {
                    if let (Some(value), Some(place)) = (now.get(head), record.get_mut(head)) {
                        *place = value.clone();
                    }
                }
                self.update_row(entity, now, record)
            }
            Step::Remove => {
                let Some(record) = self.find_row(entity, id)? else { return Ok(()) };
                let merged_into = self.last_merged_into(place)?;
                self.delete_row(entity, record)?;
                // A merge that was taken back is done again.
                if let Some(survivor) = merged_into {
                    self.note_survivor(entity, id, survivor);
                }
                Ok(())
            }
        }
    }

    /// Those who carry a tag that gets its name back, without having a step of their own: they came to it since.
    fn respelled_beside(&mut self, plan: &Plan) -> Result<Vec<(Place, Value)>> {
        let mut names: HashMap<String, String> = HashMap::new();
        let mut carriers: BTreeSet<Place> = BTreeSet::new();
        for ((entity, id), step) in &plan.steps {
            let (Entity::Tag, Step::Reset(to)) = (entity, step) else { continue };
            let Some(now) = self.find_row(*entity, *id)? else { continue };
            let name = |tag: &Value| tag.get("name").and_then(Value::as_str).map(str::to_owned);
            if let (Some(now), Some(to)) = (name(&now), name(to))
                && now != to
            {
                carriers.extend(self.carriers_of(*entity, *id)?);
                names.insert(text::fold(&now), to);
            }
        }
        let mut respelled = Vec::new();
        for place in carriers.into_iter().filter(|place| !plan.steps.contains_key(place)) {
            if let Some(mut record) = self.find_row(place.0, place.1)? {
                let labels = labels_of(&record);
                let spelled = |label: String| names.get(&text::fold(&label)).cloned().unwrap_or(label);
                relabel(&mut record, labels.into_iter().map(spelled));
                respelled.push((place, record));
            }
        }
        Ok(respelled)
    }
}

fn done(plan: &Plan) -> Vec<(Entity, AnyId, Action)> {
    let action = |step: &Step| match step {
        Step::Restore(_) => Action::Restored,
        Step::Reset(_) => Action::Reset,
        Step::Remove => Action::Removed,
    };
    plan.steps.iter().map(|((entity, id), step)| (*entity, *id, action(step))).collect()
}

/// Of the changes of a write, the delete of a record and what it did to those that referred to it, or carried it.
fn gone_along(rows: Vec<ChangeRow>, entity: Entity, id: AnyId) -> Vec<ChangeRow> {
    let mut gone = BTreeSet::from([(entity, id)]);
    loop {
        let deleted = rows.iter().filter(|row| row.op == Op::Deleted && refers_to_one_of(row, &gone));
        let found: BTreeSet<_> = deleted.map(|row| (row.entity, row.record_id)).collect();
        if found.is_subset(&gone) {
            break;
        }
        gone.extend(found);
    }
    let own = rows.iter().find(|row| row.entity == Entity::Tag && (row.entity, row.record_id) == (entity, id));
    let label = own.and_then(|row| Some(row.before.as_ref()?.0.get("name")?.as_str()?.to_owned()));
    let carried_it = |row: &ChangeRow| {
        label.as_deref().zip(row.before.as_ref()).is_some_and(|(label, before)| carries(&before.0, label))
    };
    let is_of_it = |row: &ChangeRow| match row.op {
        Op::Created => false,
        Op::Updated => refers_to_one_of(row, &gone) || carried_it(row),
        Op::Deleted => gone.contains(&(row.entity, row.record_id)),
    };
    rows.into_iter().filter(is_of_it).collect()
}
