//! Who is due by their cadence: a page of contacts on a day, the most overdue by their interval first.
//!
//! A page reads the index entries of everybody who is in one of the states asked for and orders them, since the order
//! depends on the day; it fetches only those it shows. So it costs what is due, and with `on_track` what has a cadence:
//! some microseconds for each, however many contacts and interactions there are.

use chrono::NaiveDate;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryResult, RunQueryDsl};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

use super::contact_activities;
use super::db::sql::conn::{Conn, MultiBackend, read_transaction};
use super::db::sql::select::{Predicate, Select};
use super::db::sql::statement::{separated, statement};
use super::db::sql::types::{AnyId, Id, Instant};
use super::db::write::record::Record;
use super::error::Result;
use crate::domain::cadence::{CadenceState, NextContact};
use crate::domain::contact::Contact;
use crate::domain::contact_activity::day_number;
use crate::domain::fields::parse_day;
use crate::domain::id::WorkspaceId;
use crate::domain::locale::TimeZone;
use crate::domain::timestamp::Timestamp;

/// The overdue part of the interval is compared in these units: finer than two fractions of days can differ by, of intervals
/// of up to 1,000 years.
const UNITS: &str = "1000000000000";

/// How many are fetched at a time where most do not fit the filter.
const FETCHED_AT_ONCE: usize = 500;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub on: NaiveDate,
    pub states: Vec<CadenceState>,
    /// Without those with whom an interaction is planned from this instant on.
    pub without_planned: Option<Timestamp>,
    /// What the contacts have to be.
    pub filter: Option<Predicate>,
    /// The place after which to go on.
    pub after: Option<Place>,
    pub limit: usize,
}

/// A place in the order: the overdue part of the interval, and the contact.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Place {
    part: i64,
    id: AnyId,
}

/// A contact and when it is due.
#[derive(Debug, Clone)]
pub struct Due {
    pub contact: Contact,
    pub next: NextContact,
    /// The day of the next planned interaction, from `on`.
    pub planned_on: Option<NaiveDate>,
}

#[derive(Debug, Clone)]
pub struct DuePage {
    pub items: Vec<Due>,
    pub next: Option<Place>,
}

/// One page.
pub fn page(conn: &mut Conn, workspace: WorkspaceId, wanted: &Wanted, zone: TimeZone) -> Result<DuePage> {
    read_transaction(conn, |conn| {
        let mut found: Vec<(Place, Contact)> = Vec::new();
        let mut after = wanted.after;
        // Only where the filter leaves too few of the first are all the others ranked, once.
        for chunk in [wanted.limit.saturating_add(1), usize::MAX] {
            let (places, exhausted) = ranked(conn, workspace, wanted, after, chunk)?;
            for some in places.chunks(FETCHED_AT_ONCE) {
                found.extend(fitting(conn, workspace, wanted, some)?);
                if found.len() > wanted.limit {
                    break;
                }
            }
            after = places.last().copied();
            if exhausted || found.len() > wanted.limit {
                break;
            }
        }
        let has_more = found.len() > wanted.limit;
        found.truncate(wanted.limit);
        let next = found.last().filter(|_| has_more).map(|(place, _)| *place);
        let ids: Vec<AnyId> = found.iter().map(|(place, _)| place.id).collect();
        let activities = contact_activities::of_contacts(conn, workspace, ids.iter().copied())?;
        let mut planned = planned(conn, workspace, &ids, wanted.on, zone)?;
        let due = |(place, contact): (Place, Contact)| {
            let activity = &activities.get(&place.id)?.fields;
            let due_on = parse_day(activity.next_contact_on.as_deref()?).ok()?;
            let next = NextContact { due_on, interval_days: activity.interval_days? };
            Some(Due { contact, next, planned_on: planned.remove(&place.id) })
        };
        Ok(DuePage { items: found.into_iter().filter_map(due).collect(), next })
    })
}

/// How many contacts there are, whatever the filter and the limit.
pub fn count(conn: &mut Conn, workspace: WorkspaceId, wanted: &Wanted) -> Result<i64> {
    let mut of = |with_plan: Option<WithPlan>| -> Result<i64> {
        let ranked = Ranked::new(workspace, Wanted { after: None, ..wanted.clone() }, 0);
        let rows: Vec<i64> = Counted { ranked, with_plan }.load(conn)?;
        Ok(rows.first().copied().unwrap_or_default())
    };
    // Few are planned: they are looked up among all, instead of all among them.
    let planned = match WithPlan::of(workspace, wanted) {
        Some(with_plan) => of(Some(with_plan))?,
        None => 0,
    };
    Ok(of(None)?.saturating_sub(planned))
}

/// The first so many, and whether these are all.
fn ranked(
    conn: &mut Conn,
    workspace: WorkspaceId,
    wanted: &Wanted,
    after: Option<Place>,
    limit: usize,
) -> Result<(Vec<Place>, bool)> {
    let planned: HashSet<AnyId> = match WithPlan::of(workspace, wanted) {
        Some(with_plan) => with_plan.load(conn)?.into_iter().collect(),
        None => HashSet::new(),
    };
    let enough = limit.saturating_add(planned.len());
    let statement =
        Ranked::new(workspace, Wanted { after, ..wanted.clone() }, i64::try_from(enough).unwrap_or(i64::MAX));
    let rows: Vec<(AnyId, i64)> = statement.load(conn)?;
    let exhausted = rows.len() < enough;
    let places = rows.into_iter().filter(|(id, _)| !planned.contains(id)).map(|(id, part)| Place { part, id });
    Ok((places.collect(), exhausted))
}

/// Of these places those whose contacts fit the filter, in their order.
fn fitting(
    conn: &mut Conn,
    workspace: WorkspaceId,
    wanted: &Wanted,
    places: &[Place],
) -> Result<Vec<(Place, Contact)>> {
    let ids = Predicate::ids(places.iter().map(|place| place.id));
    let filter = std::iter::once(ids).chain(wanted.filter.clone()).collect();
    let contacts = Contact::select(conn, Select::all(workspace, Predicate::All(filter)))?;
    let mut contacts: HashMap<AnyId, Contact> =
        contacts.into_iter().map(|contact| (Record::id(&contact), contact)).collect();
    Ok(places.iter().filter_map(|place| Some((*place, contacts.remove(&place.id)?))).collect())
}

/// The day of each one's next planned interaction, from a day on.
fn planned(
    conn: &mut Conn,
    workspace: WorkspaceId,
    contacts: &[AnyId],
    on: NaiveDate,
    zone: TimeZone,
) -> Result<HashMap<AnyId, NaiveDate>> {
    if contacts.is_empty() {
        return Ok(HashMap::new());
    }
    let statement =
        Planned { workspace, contacts: contacts.to_vec(), from: zone.start_of(on), on: on.to_string() };
    let rows: Vec<(AnyId, Option<Timestamp>, Option<String>)> = statement.load(conn)?;
    let day = |at: Option<Timestamp>, on: Option<String>| {
        let of_instant = at.map(|at| zone.day(at));
        let of_day = on.and_then(|day| parse_day(&day).ok());
        of_instant.into_iter().chain(of_day).min()
    };
    Ok(rows.into_iter().filter_map(|(id, at, on)| Some((id, day(at, on)?))).collect())
}

// The statements.

/// Those in one of the states on a day, the most overdue by their interval first.
struct Ranked {
    workspace: WorkspaceId,
    on: i64,
    /// The first and the last of the states that follow one another.
    runs: Vec<[CadenceState; 2]>,
    after: Option<Place>,
    limit: i64,
}

/// How many those are, or of them those with whom an interaction is planned.
struct Counted {
    ranked: Ranked,
    with_plan: Option<WithPlan>,
}

/// With whom an interaction is planned from an instant and a day on.
struct WithPlan {
    workspace: WorkspaceId,
    from: Timestamp,
    on: String,
}

/// The first instant and the first day of what is planned with each contact.
struct Planned {
    workspace: WorkspaceId,
    contacts: Vec<AnyId>,
    from: Timestamp,
    on: String,
}

statement!(Ranked, (Id, BigInt));
statement!(Counted, BigInt);
statement!(WithPlan, Id);
statement!(Planned, (Id, Nullable<Instant>, Nullable<Text>));

impl WithPlan {
    /// `None` if those with plans are wanted too.
    fn of(workspace: WorkspaceId, wanted: &Wanted) -> Option<Self> {
        wanted.without_planned.map(|from| Self { workspace, from, on: wanted.on.to_string() })
    }
}

impl Ranked {
    fn new(workspace: WorkspaceId, wanted: Wanted, limit: i64) -> Self {
        let Wanted { on, states, after, .. } = wanted;
        Self { workspace, on: day_number(on), runs: runs(&states), after, limit }
    }

    fn conditions<'b>(&'b self, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql(" FROM contact_activities WHERE workspace_id = ");
        out.push_bind_param::<Id, _>(&self.workspace)?;
        // Everybody but those on track is found by the index on this.
        if self.runs.first().is_some_and(|[first, _]| *first == CadenceState::OnTrack) {
            out.push_sql(" AND soon_day IS NOT NULL AND (");
        } else {
            out.push_sql(" AND soon_day <= ");
            out.push_bind_param::<BigInt, _>(&self.on)?;
            out.push_sql(" AND (");
        }
        separated(&self.runs, " OR ", out, |[first, last], out| {
            out.push_sql("TRUE");
            self.bound(from(*first), out)?;
            self.bound(to(*last), out)
        })?;
        out.push_sql(")");
        Ok(())
    }

    /// Whole units that are overdue; those left are negative.
    fn part<'b>(&'b self, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql("((");
        out.push_bind_param::<BigInt, _>(&self.on)?;
        out.push_sql(" - due_day) * ");
        out.push_sql(UNITS);
        out.push_sql(" / interval_days)");
        Ok(())
    }

    /// Nothing where a run has no bound.
    fn bound<'b>(&'b self, condition: &str, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        if condition.is_empty() {
            return Ok(());
        }
        out.push_sql(" AND ");
        out.push_sql(condition);
        out.push_bind_param::<BigInt, _>(&self.on)
    }
}

/// Of the states that are wanted, the first and the last of those that follow one another.
fn runs(wanted: &[CadenceState]) -> Vec<[CadenceState; 2]> {
    CadenceState::ALL
        .chunk_by(|one, next| wanted.contains(one) == wanted.contains(next))
        .filter_map(|run| Some([*run.first()?, *run.last()?]))
        .filter(|[first, _]| wanted.contains(first))
        .collect()
}

/// Where a state begins, before the number of the day: a contact goes through all of them in their order.
const fn from(state: CadenceState) -> &'static str {
    match state {
        CadenceState::OnTrack => "",
        CadenceState::DueSoon => "soon_day <= ",
        CadenceState::Due => "due_day <= ",
        CadenceState::Overdue => "due_day < ",
        CadenceState::Lapsed => "due_day + interval_days <= ",
    }
}

/// Where a state ends, before the number of the day.
const fn to(state: CadenceState) -> &'static str {
    match state {
        CadenceState::OnTrack => "soon_day > ",
        CadenceState::DueSoon => "due_day > ",
        CadenceState::Due => "due_day >= ",
        CadenceState::Overdue => "due_day + interval_days > ",
        CadenceState::Lapsed => "",
    }
}

/// Without those with whom an interaction is planned from an instant and a day on.
pub(super) fn without_planned<'b>(
    workspace: &'b WorkspaceId,
    from: &'b Timestamp,
    on: &'b String,
    out: &mut AstPass<'_, 'b, MultiBackend>,
) -> QueryResult<()> {
    out.push_sql(" AND id NOT IN (");
    with_plan(workspace, from, on, out)?;
    out.push_sql(")");
    Ok(())
}

fn with_plan<'b>(
    workspace: &'b WorkspaceId,
    from: &'b Timestamp,
    on: &'b String,
    out: &mut AstPass<'_, 'b, MultiBackend>,
) -> QueryResult<()> {
    out.push_sql(
        "SELECT listed.contact_id FROM interactions AS plan JOIN interaction_contacts AS listed \
         ON listed.workspace_id = plan.workspace_id AND listed.interaction_id = plan.id WHERE plan.workspace_id = ",
    );
    out.push_bind_param::<Id, _>(workspace)?;
    out.push_sql(" AND plan.status = 'planned' AND plan.sorted_at >= ");
    out.push_bind_param::<Instant, _>(from)?;
    out.push_sql(" AND (plan.occurred_on IS NULL OR plan.occurred_on >= ");
    out.push_bind_param::<Text, _>(on)?;
    out.push_sql(")");
    Ok(())
}

impl QueryFragment<MultiBackend> for Ranked {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql("SELECT id, ");
        self.part(&mut out)?;
        self.conditions(&mut out)?;
        if let Some(Place { part, id }) = &self.after {
            out.push_sql(" AND (");
            self.part(&mut out)?;
            out.push_sql(" < ");
            out.push_bind_param::<BigInt, _>(part)?;
            out.push_sql(" OR (");
            self.part(&mut out)?;
            out.push_sql(" = ");
            out.push_bind_param::<BigInt, _>(part)?;
            out.push_sql(" AND id > ");
            out.push_bind_param::<Id, _>(id)?;
            out.push_sql("))");
        }
        out.push_sql(" ORDER BY 2 DESC, id LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)
    }
}

impl QueryFragment<MultiBackend> for Counted {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let Self { ranked, with_plan } = self;
        out.push_sql("SELECT COUNT(*)");
        ranked.conditions(&mut out)?;
        if let Some(with_plan) = with_plan {
            out.push_sql(" AND id IN (");
            with_plan.walk_ast(out.reborrow())?;
            out.push_sql(")");
        }
        Ok(())
    }
}

impl QueryFragment<MultiBackend> for WithPlan {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        with_plan(&self.workspace, &self.from, &self.on, &mut out)
    }
}

impl QueryFragment<MultiBackend> for Planned {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        // There are as many texts of this as there are numbers of contacts.
        out.unsafe_to_cache_prepared();
        out.push_sql(
            "SELECT listed.contact_id, MIN(plan.occurred_at), MIN(plan.occurred_on) FROM interactions AS plan \
             JOIN interaction_contacts AS listed ON listed.workspace_id = plan.workspace_id \
             AND listed.interaction_id = plan.id WHERE plan.workspace_id = ",
        );
        out.push_bind_param::<Id, _>(&self.workspace)?;
        // Of a day, the end in UTC is never before its beginning in any zone.
        out.push_sql(" AND plan.status = 'planned' AND plan.sorted_at >= ");
        out.push_bind_param::<Instant, _>(&self.from)?;
        out.push_sql(" AND (plan.occurred_at >= ");
        out.push_bind_param::<Instant, _>(&self.from)?;
        out.push_sql(" OR plan.occurred_on >= ");
        out.push_bind_param::<Text, _>(&self.on)?;
        out.push_sql(") AND listed.contact_id IN (");
        separated(&self.contacts, ", ", &mut out, |id, out| out.push_bind_param::<Id, _>(id))?;
        out.push_sql(") GROUP BY listed.contact_id");
        Ok(())
    }
}
