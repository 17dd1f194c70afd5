//! The rules of plan runs: applying a plan, and which step is to be done as the follow-ups of a run change.

use chrono::{Days, NaiveDate};
use std::collections::{HashMap, HashSet};

use super::records::rules::Rules;
use super::records::transitions::{check_transition, clear_reason};
use super::records::write::{create, create_many, update};
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::fields::parse_day;
use crate::domain::follow_up::{FollowUp, FollowUpFields, FollowUpOrigin, FollowUpStatus};
use crate::domain::follow_up_plan::{BuiltInPlan, FollowUpPlan, FollowUpPlanFields};
use crate::domain::id::{ContactId, EventId, FollowUpId, FollowUpPlanId, PlanRunId};
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::domain::plan_run::{PlanRun, PlanRunFields, PlanRunStatus};
use crate::domain::state_machine::Move;
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::time_zone;
use crate::store::follow_ups::may_contact_any;
use crate::store::lists::with_ids;
use crate::store::plan_runs::{run_at, runs_of};
use crate::store::{AnyId, Error, Record, Result, Tx, checks, records};

impl Rules for PlanRun {
    fn before_write(&mut self, _tx: &mut Tx<'_>, before: Option<&Self>, _now: Timestamp) -> Result<()> {
        let before = before.map(|before| &before.fields);
        let moved = check_transition(self, before.map(|before| before.status), self.fields.status)?;
        let old_reason = before.and_then(|before| before.status_reason.as_deref());
        clear_reason(moved, old_reason, &mut self.fields.status_reason);
        Ok(())
    }

    /// The follow-up of the current step is open while the run is running.
    fn after_write(&self, tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let moved = Move::new(before.map(|before| before.fields.status), self.fields.status);
        if !moved.is_transition() {
            return Ok(());
        }
        let current = current_step(tx, self)?;
        let status = current.as_ref().map(|step| step.fields.status);
        match (moved.to, current) {
            (PlanRunStatus::Running, None) => {
                let today = time_zone(tx)?.day(now);
                open_step(tx, self, self.fields.position, None, today, now)
            }
            (PlanRunStatus::Running, Some(step)) if status == Some(FollowUpStatus::Cancelled) => {
                set_status(tx, &step, FollowUpStatus::Pending, None)
            }
            (PlanRunStatus::Running, Some(step)) if step.fields.status.continues() => go_on(tx, &step, now),
            (PlanRunStatus::Stopped | PlanRunStatus::Finished, Some(step))
                if status == Some(FollowUpStatus::Pending) =>
            {
                set_status(tx, &step, FollowUpStatus::Cancelled, Some("Its plan was ended."))
            }
            _ => Ok(()),
        }
    }
}

fn current_step(tx: &mut Tx<'_>, run: &PlanRun) -> Result<Option<FollowUp>> {
    match run.fields.follow_up_id {
        Some(id) => records::find::<FollowUp>(tx, AnyId::new(id.uuid())),
        None => Ok(None),
    }
}

fn set_status(tx: &mut Tx<'_>, step: &FollowUp, status: FollowUpStatus, reason: Option<&str>) -> Result<()> {
    let status_reason = reason.map(str::to_owned);
    let fields = FollowUpFields { status, status_reason, ..step.fields.clone() };
    update(tx, step, step.with(fields)?).map(drop)
}

/// Writes what the server keeps of a run, which no request can set.
fn write(tx: &mut Tx<'_>, run: &PlanRun, fields: PlanRunFields) -> Result<()> {
    update(tx, run, PlanRun { fields, ..run.clone() }).map(drop)
}

/// A plan to apply: one of the workspace, or a built-in one.
struct Plan {
    id: Option<FollowUpPlanId>,
    built_in: Option<BuiltInPlan>,
    fields: FollowUpPlanFields,
}

impl Plan {
    fn find(tx: &mut Tx<'_>, id: AnyId) -> Result<Self> {
        if let Some(plan) = BuiltInPlan::of_id(id.uuid()) {
            return Ok(Self { id: None, built_in: Some(plan), fields: plan.fields() });
        }
        let plan = records::find::<FollowUpPlan>(tx, id)?.ok_or(Error::NotFound)?;
        Ok(Self { id: Some(plan.id), built_in: None, fields: plan.fields })
    }
}

/// Somebody to whom a plan is applied.
#[derive(Debug, Clone)]
pub struct Application {
    pub contact_id: ContactId,
    /// The day that the steps are counted from; today if nothing is said.
    pub anchor_on: Option<NaiveDate>,
    /// The ids of the run and of the follow-up of its first step, where the client chose them.
    pub run_id: Option<PlanRunId>,
    pub follow_up_id: Option<FollowUpId>,
}

impl Application {
    pub const fn of(contact_id: ContactId) -> Self {
        Self { contact_id, anchor_on: None, run_id: None, follow_up_id: None }
    }
}

/// The runs of a plan that was applied, in the order of the contacts.
pub struct Applied {
    pub runs: Vec<AppliedRun>,
}

/// The run of one contact.
pub struct AppliedRun {
    pub id: AnyId,
    pub is_new: bool,
    pub contact_id: ContactId,
    /// The follow-up of its current step.
    pub step: Option<FollowUp>,
}

impl Applied {
    /// How many of the runs are new.
    pub fn created(&self) -> usize {
        self.runs.iter().filter(|run| run.is_new).count()
    }
}

/// Applies a plan to contacts, each once. One that was applied to a contact from this day before stays as it is, but for a
/// current step that was deleted, which is created again. What is wrong with one is told at its place in `contact_ids`.
pub fn apply_plan(
    tx: &mut Tx<'_>,
    plan: AnyId,
    people: Vec<Application>,
    event_id: Option<EventId>,
) -> Result<Applied> {
    let plan = Plan::find(tx, plan)?;
    let ids: Vec<AnyId> = people.iter().map(|one| AnyId::new(one.contact_id.uuid())).collect();
    let contacts: HashMap<ContactId, Contact> =
        with_ids::<Contact>(tx, &ids)?.into_iter().map(|contact| (contact.id, contact)).collect();
    let mut invalid = Invalid::default();
    for (index, one) in people.iter().enumerate().filter(|(_, one)| !contacts.contains_key(&one.contact_id)) {
        let unknown = checks::unknown_reference(tx, Entity::Contact, AnyId::new(one.contact_id.uuid()))?;
        invalid.add(format!("#/contact_ids/{index}"), unknown);
    }
    if !invalid.is_empty() {
        return Err(invalid.into());
    }
    let today = time_zone(tx)?.day(tx.now());
    let chosen: Vec<AnyId> = people.iter().filter_map(|one| one.run_id).map(|id| AnyId::new(id.uuid())).collect();
    let mut known = if chosen.is_empty() { Vec::new() } else { with_ids::<PlanRun>(tx, &chosen)? };
    known.extend(runs_of(tx, ids)?);
    let mut seen = HashSet::new();
    let mut applied = Vec::with_capacity(people.len());
    let mut new = NewRuns::default();
    for (index, one) in people.into_iter().enumerate().filter(|(_, one)| seen.insert(one.contact_id)) {
        let anchor_on = one.anchor_on.unwrap_or(today);
        let run = known.iter().find(|run| {
            let PlanRunFields { plan_id, built_in, contact_id, anchor_on: anchor, .. } = &run.fields;
            // One of the chosen id is what the same request has led to, whatever day it meant.
            (*plan_id, *built_in, *contact_id) == (plan.id, plan.built_in, one.contact_id)
                && (*anchor == anchor_on.to_string() || Some(run.id) == one.run_id)
        });
        match run {
            Some(run) => {
                // Its current step was deleted.
                if run.fields.status == PlanRunStatus::Running && run.fields.follow_up_id.is_none() {
                    let now = tx.now();
                    open_step(tx, run, run.fields.position, None, today, now)?;
                }
                applied.push((Record::id(run), false, one.contact_id));
            }
            None if !contacts.get(&one.contact_id).is_some_and(Contact::may_be_contacted) => {
                let detail = "This contact is archived or not to be contacted.";
                invalid.add(format!("#/contact_ids/{index}"), Rejection::new(FieldCode::NotAllowed, detail));
            }
            None => {
                let contact_id = one.contact_id;
                let id = new.add(tx, &plan, one, anchor_on, event_id, today)?;
                applied.push((id, true, contact_id));
            }
        }
    }
    invalid.into_result(())?;
    create_many(tx, new.steps)?;
    create_many(tx, new.runs)?;
    let ids: Vec<AnyId> = applied.iter().map(|(id, _, _)| *id).collect();
    let step_of: HashMap<AnyId, FollowUpId> = with_ids::<PlanRun>(tx, &ids)?
        .into_iter()
        .filter_map(|run| Some((Record::id(&run), run.fields.follow_up_id?)))
        .collect();
    let steps: Vec<AnyId> = step_of.values().map(|id| AnyId::new(id.uuid())).collect();
    let mut steps: HashMap<FollowUpId, FollowUp> =
        with_ids::<FollowUp>(tx, &steps)?.into_iter().map(|step| (step.id, step)).collect();
    let run = |(id, is_new, contact_id)| {
        let step = step_of.get(&id).and_then(|step| steps.remove(step));
        AppliedRun { id, is_new, contact_id, step }
    };
    Ok(Applied { runs: applied.into_iter().map(run).collect() })
}

/// Runs that begin, and the follow-ups of their first steps.
#[derive(Default)]
struct NewRuns {
    runs: Vec<PlanRun>,
    steps: Vec<FollowUp>,
}

impl NewRuns {
    fn add(
        &mut self,
        tx: &Tx<'_>,
        plan: &Plan,
        application: Application,
        anchor_on: NaiveDate,
        event_id: Option<EventId>,
        today: NaiveDate,
    ) -> Result<AnyId> {
        let Application { contact_id, run_id, follow_up_id, .. } = application;
        let FollowUpPlanFields { title, steps, skip_weekends } = plan.fields.clone();
        let mut fields = PlanRunFields {
            plan_id: plan.id,
            built_in: plan.built_in,
            title,
            contact_id,
            event_id,
            anchor_on: anchor_on.to_string(),
            steps,
            skip_weekends,
            ..PlanRunFields::default()
        };
        match step_fields(&fields, 1, today) {
            Some(step) => {
                let id = follow_up_id.unwrap_or(FollowUpId::new(tx.new_id()));
                fields.follow_up_id = Some(id);
                self.steps.push(FollowUp::new(id, tx.now(), step)?);
            }
            None => fields.status = PlanRunStatus::Finished,
        }
        let run = PlanRun::new(run_id.unwrap_or(PlanRunId::new(tx.new_id())), tx.now(), fields)?;
        let id = Record::id(&run);
        self.runs.push(run);
        Ok(id)
    }
}

/// What is to be done at a step of a run; `None` if it has no such step.
fn step_fields(run: &PlanRunFields, position: i32, earliest: NaiveDate) -> Option<FollowUpFields> {
    let anchor = parse_day(&run.anchor_on).unwrap_or(earliest);
    let step = run.step(position)?;
    let due_on = step.due_on(anchor, earliest, run.skip_weekends)?;
    Some(FollowUpFields {
        title: step.title.clone(),
        contact_ids: vec![run.contact_id],
        kind: step.kind,
        channel: step.channel,
        due_on: Some(due_on.to_string()),
        origin: FollowUpOrigin::Plan,
        event_id: run.event_id,
        ..FollowUpFields::default()
    })
}

/// Creates the follow-up of a step, which is the current one from now on. A run without such a step is finished.
fn open_step(
    tx: &mut Tx<'_>,
    run: &PlanRun,
    position: i32,
    previous_id: Option<FollowUpId>,
    earliest: NaiveDate,
    now: Timestamp,
) -> Result<()> {
    let own = &run.fields;
    let Some(step) = step_fields(own, position, earliest) else {
        return write(tx, run, PlanRunFields { status: PlanRunStatus::Finished, ..own.clone() });
    };
    let fields = FollowUpFields { previous_id, ..step };
    let id = FollowUpId::new(tx.next_id());
    let follow_up = create(tx, FollowUp::new(id, now, fields)?)?;
    write(tx, run, PlanRunFields { position, follow_up_id: Some(follow_up.id), ..own.clone() })
}

/// The follow-up of a step was completed or skipped: the next one is to be done, unless the contact is not to be contacted.
pub fn go_on(tx: &mut Tx<'_>, closed: &FollowUp, now: Timestamp) -> Result<()> {
    let Some(run) = running_at(tx, closed)? else { return Ok(()) };
    let zone = time_zone(tx)?;
    let closed_on = zone.day(closed.fields.completed_at.unwrap_or(now));
    let position = run.fields.position.saturating_add(1);
    if run.fields.step(position).is_some() && !may_contact_any(tx, &[run.fields.contact_id])? {
        return stop(tx, &run, "The contact is archived or not to be contacted.");
    }
    let day_after = closed_on.checked_add_days(Days::new(1)).unwrap_or(closed_on);
    open_step(tx, &run, position, Some(closed.id), day_after.max(zone.day(now)), now)
}

/// The follow-up of a step was cancelled: so is the run.
pub fn stop_at(tx: &mut Tx<'_>, cancelled: &FollowUp) -> Result<()> {
    match running_at(tx, cancelled)? {
        Some(run) => stop(tx, &run, "The follow-up of its step was cancelled."),
        None => Ok(()),
    }
}

/// The follow-up of a step is to be done again. `next` is what followed it, which is about to be deleted.
pub fn resume_at(tx: &mut Tx<'_>, reopened: &FollowUp, next: Option<&FollowUp>) -> Result<()> {
    if reopened.fields.origin != FollowUpOrigin::Plan {
        return Ok(());
    }
    let (run, position) = match (next, run_at(tx, reopened.id)?) {
        (_, Some(run)) => (Some(run.clone()), run.fields.position),
        (Some(next), None) => {
            let run = run_at(tx, next.id)?;
            let position = run.as_ref().map_or(1, |run| run.fields.position.saturating_sub(1));
            (run, position)
        }
        (None, None) => (None, 1),
    };
    let Some(run) = run else { return Ok(()) };
    let (status, follow_up_id) = (PlanRunStatus::Running, Some(reopened.id));
    let fields = PlanRunFields { status, follow_up_id, position, ..run.fields.clone() };
    write(tx, &run, fields)
}

fn running_at(tx: &mut Tx<'_>, step: &FollowUp) -> Result<Option<PlanRun>> {
    if step.fields.origin != FollowUpOrigin::Plan {
        return Ok(None);
    }
    Ok(run_at(tx, step.id)?.filter(|run| run.fields.status == PlanRunStatus::Running))
}

fn stop(tx: &mut Tx<'_>, run: &PlanRun, reason: &str) -> Result<()> {
    let status_reason = Some(reason.to_owned());
    write(tx, run, PlanRunFields { status: PlanRunStatus::Stopped, status_reason, ..run.fields.clone() })
}

/// Of the runs of a contact that a merge has made the same, the one that has come furthest goes on, and the others are
/// stopped.
pub fn stop_repeated(tx: &mut Tx<'_>, contact: AnyId) -> Result<()> {
    let mut runs = runs_of(tx, vec![contact])?;
    runs.sort_by_key(|run| std::cmp::Reverse(run.progress()));
    let mut seen = HashSet::new();
    for run in runs {
        let PlanRunFields { plan_id, built_in, anchor_on, status, .. } = &run.fields;
        let plan = plan_id.or(built_in.map(BuiltInPlan::id));
        let is_first = plan.is_none() || seen.insert((plan, anchor_on.clone()));
        if !is_first && *status == PlanRunStatus::Running {
            stop(tx, &run, "The contact has the same plan twice after a merge.")?;
        }
    }
    Ok(())
}
