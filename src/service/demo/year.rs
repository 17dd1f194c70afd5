//! What happens in each week of the demo's year: people are met, things are talked about, promised, done or left.

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

use super::giving::Giving;
use super::goals::Goals;
use super::online::Online;
use super::random::Random;
use super::steps::{after, before, create, patch};
use super::words::{
    CITIES, FAMILY_NAMES, FOLLOW_UPS, GIVEN_NAMES, ORGANIZATIONS, PROMISES, SUBJECTS, TITLES, TOPICS, parts, slug,
};
use crate::domain::contact::Contact;
use crate::domain::follow_up::{FollowUp, FollowUpStatus};
use crate::domain::follow_up_plan::BuiltInPlan;
use crate::domain::id::{ContactId, OrganizationId};
use crate::domain::interaction::Interaction;
use crate::domain::locale::TimeZone;
use crate::domain::need::Need;
use crate::domain::organization::Organization;
use crate::domain::plan_run::PlanRun;
use crate::domain::position::Position;
use crate::domain::relationship::Relationship;
use crate::domain::timestamp::Timestamp;
use crate::service::follow_ups::{Completion, complete};
use crate::service::plan_runs::{Application, apply_plan};
use crate::store::{AnyId, Comparison, Predicate, Record, Result, Scalar, Tx};
use crate::store::{contacts, follow_ups, lists};

/// How many contacts there are in the end.
const CONTACTS: u32 = 200;
/// How many of them were known before.
const FIRST_CONTACTS: u32 = 90;
const ORGANIZATIONS_AT_FIRST: u32 = 40;
const INTERACTIONS_A_WEEK: u32 = 17;
/// Most of what falls due in a week is done, and more than that is not looked at.
const MAX_DUE: i64 = 1_000;

#[derive(Clone, Copy)]
struct Person {
    id: ContactId,
    /// How much more often than others they are met.
    weight: u32,
}

/// The year as far as it has come.
pub struct Year {
    random: Random,
    zone: TimeZone,
    names: HashSet<String>,
    people: Vec<Person>,
    /// Each person as many times as their weight.
    lot: Vec<usize>,
    organizations: Vec<OrganizationId>,
    goals: Goals,
    giving: Giving,
    online: Online,
}

fn any(id: ContactId) -> AnyId {
    AnyId::new(id.uuid())
}

impl Year {
    pub fn new(seed: u64, zone: TimeZone) -> Self {
        Self {
            random: Random::new(seed),
            zone,
            names: HashSet::new(),
            people: Vec::new(),
            lot: Vec::new(),
            organizations: Vec::new(),
            goals: Goals::default(),
            giving: Giving::new(seed),
            online: Online::new(seed),
        }
    }

    /// The seven days before today.
    pub fn live_week(&mut self, tx: &mut Tx<'_>, week: u32) -> Result<()> {
        let today = self.zone.day(tx.now());
        let organizations = if week == 0 { ORGANIZATIONS_AT_FIRST } else { u32::from(week.is_multiple_of(2)) };
        for _ in 0..organizations {
            self.add_organization(tx)?;
        }
        let met = if week == 0 { FIRST_CONTACTS } else { self.random.between(1, 3) };
        for _ in 0..met {
            self.meet(tx, today)?;
        }
        if week == 0 {
            self.goals.begin(tx, today)?;
            return self.describe_self(tx);
        }
        self.act_on_due(tx, today)?;
        for _ in 0..INTERACTIONS_A_WEEK {
            self.talk(tx, today)?;
        }
        for _ in 0..3 {
            self.plan_something(tx, today)?;
        }
        if week.is_multiple_of(2) {
            self.start_plan(tx, today)?;
        }
        if week.is_multiple_of(9) {
            self.add_recurring(tx, today)?;
        }
        if Goals::plans_event(week) {
            self.plan_event(tx, today)?;
        }
        if Goals::debriefs_event(week) {
            self.goals.debrief_event(tx, &mut self.random, today)?;
        }
        let people: Vec<ContactId> = self.people.iter().map(|person| person.id).collect();
        self.giving.live_week(tx, (week, today), &people)?;
        self.online.live_week(tx, (week, today), &people)
    }

    /// The last day: something of everything that a screen shows.
    pub fn end(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let today = self.zone.day(tx.now());
        while self.organizations.len() < ORGANIZATIONS.len() && self.add_organization(tx)? {}
        while u32::try_from(self.people.len()).unwrap_or(CONTACTS) < CONTACTS {
            self.meet(tx, today)?;
        }
        for _ in 0..INTERACTIONS_A_WEEK {
            self.talk(tx, today)?;
        }
        self.plan_interactions(tx, today)?;
        for days in [0, 0, 1, 2, 3, 5, 8, 13, 21] {
            self.add_follow_up(tx, json!({"due_on": after(today, days)}))?;
        }
        for days in [1, 3, 4, 9, 20] {
            self.add_follow_up(tx, json!({"due_on": before(today, days), "priority": 4}))?;
        }
        for (due, until) in [(2, 3), (6, 5), (12, 1)] {
            let snoozed = json!({"due_on": before(today, due), "snoozed_until": after(today, until)});
            self.add_follow_up(tx, snoozed)?;
        }
        self.add_follow_up(tx, json!({"due_on": after(today, 1), "due_time": "09:30", "priority": 5}))?;
        self.add_follow_up(tx, json!({}))?;
        for days in [0, 2, 6] {
            let title = self.random.pick(&PROMISES);
            let due_on = before(today, days);
            self.add_follow_up(tx, json!({"title": title, "owed_by": "them", "kind": "other", "due_on": due_on}))?;
        }
        for status in ["skipped", "cancelled"] {
            let made = self.add_follow_up(tx, json!({"due_on": before(today, 1)}))?;
            patch::<FollowUp>(
                tx,
                Record::id(&made),
                json!({"status": status, "status_reason": "They wrote first."}),
            )?;
        }
        self.start_plan(tx, today)?;
        self.stop_a_plan(tx, today)?;
        self.leave_some(tx)
    }

    fn add_organization(&mut self, tx: &mut Tx<'_>) -> Result<bool> {
        let Some(line) = ORGANIZATIONS.get(self.organizations.len()).copied() else { return Ok(false) };
        let [name, kind, industry] = parts(line);
        let mut fields = json!({
            "name": name, "kind": kind, "industry": industry, "domain": format!("{}.example", slug(name)),
            "location": self.random.pick(&CITIES),
        });
        if let (true, Some(fields)) = (self.random.percent(25), fields.as_object_mut()) {
            fields.insert("interest".to_owned(), json!(self.random.between(3, 5)));
            fields.insert("why".to_owned(), json!("Their platform team is growing."));
        }
        let made: Organization = create(tx, fields)?;
        self.organizations.push(made.id);
        Ok(true)
    }

    fn name(&mut self) -> (&'static str, &'static str) {
        loop {
            let name = (self.random.pick(&GIVEN_NAMES), self.random.pick(&FAMILY_NAMES));
            if self.names.insert(format!("{} {}", name.0, name.1)) {
                return name;
            }
        }
    }

    /// A new contact, with what is known of them.
    fn meet(&mut self, tx: &mut Tx<'_>, today: NaiveDate) -> Result<()> {
        let (given_name, family_name) = self.name();
        let address = format!("{}.{}@mail.example", slug(given_name), slug(family_name));
        let random = &mut self.random;
        let (tier, weight) = match random.below(100) {
            0..=3 => (Some("inner"), 12),
            4..=13 => (Some("core"), 8),
            14..=38 => (Some("active"), 4),
            39..=63 => (Some("extended"), 2),
            64..=79 => (Some("distant"), 1),
            _ => (None, 1),
        };
        let mut fields = json!({
            "given_name": given_name, "family_name": family_name, "tier": tier,
            "location": random.pick(&CITIES), "favorite": random.percent(5),
            "emails": {"work": {"value": address, "preferred": true}},
            "how_met": {"on": before(today, random.between(0, 6)), "story": format!("We talked about {}.", random.pick(&TOPICS))},
        });
        let optional = [
            (60, "phones", json!({"mobile": {"value": format!("+1 202 555 01{:02}", random.below(100))}})),
            (
                70,
                "links",
                json!({"linkedin": {"url": format!("https://www.linkedin.com/in/{}-{}-demo", slug(given_name), slug(family_name))}}),
            ),
            (50, "tags", json!([random.pick(&["alumni", "berlin", "conference", "hiring", "mentor", "speaker"])])),
            (60, "skills", json!([random.pick(&TOPICS)])),
            (45, "dates", self.birthday()),
        ];
        let Value::Object(known) = &mut fields else { return Ok(()) };
        for (chance, name, value) in optional {
            if self.random.percent(chance) {
                known.insert(name.to_owned(), value);
            }
        }
        let made: Contact = create(tx, fields)?;
        self.add_position(tx, made.id, true)?;
        if self.random.percent(30) {
            self.add_position(tx, made.id, false)?;
        }
        if self.random.percent(55) {
            self.add_need(tx, made.id)?;
        }
        if let (true, false) = (self.random.percent(40), self.people.is_empty()) {
            let other = self.anybody().id;
            let kind = self.random.pick(&["colleague", "manager", "mentor", "friend", "classmate", "client"]);
            let fields = json!({"contact_id": made.id, "related_contact_id": other, "type": kind});
            create::<Relationship>(tx, fields)?;
        }
        let place = self.people.len();
        self.people.push(Person { id: made.id, weight });
        let weight = self.people.last().map_or(1, |person| person.weight);
        self.lot.extend((0..weight).map(|_| place));
        Ok(())
    }

    /// With or without the year, and once in a while on 29 February.
    fn birthday(&mut self) -> Value {
        let (month, day) = (self.random.between(1, 12), self.random.between(1, 28));
        let value = match self.random.below(20) {
            0 => "1992-02-29".to_owned(),
            1..=7 => format!("--{month:02}-{day:02}"),
            _ => format!("{}-{month:02}-{day:02}", self.random.between(1960, 2000)),
        };
        json!({"birthday": {"value": value}})
    }

    fn add_position(&mut self, tx: &mut Tx<'_>, contact: ContactId, current: bool) -> Result<()> {
        let index = self.random.below(u32::try_from(self.organizations.len()).unwrap_or_default());
        let organization = self.organizations.get(usize::try_from(index).unwrap_or_default());
        let since = self.random.between(2012, 2022);
        let ended_on = (!current).then(|| (since.saturating_add(self.random.between(1, 3))).to_string());
        let fields = json!({
            "contact_id": contact, "organization_id": organization, "title": self.random.pick(&TITLES),
            "started_on": since.to_string(), "ended_on": ended_on, "primary": current,
        });
        create::<Position>(tx, fields).map(drop)
    }

    fn add_need(&mut self, tx: &mut Tx<'_>, contact: ContactId) -> Result<()> {
        for _ in 0..self.random.between(1, 2) {
            let kind = self.random.pick(&["need", "offer", "offer", "interest"]);
            let status = if self.random.percent(15) { "met" } else { "open" };
            let fields =
                json!({"contact_id": contact, "kind": kind, "topic": self.random.pick(&TOPICS), "status": status});
            create::<Need>(tx, fields)?;
        }
        Ok(())
    }

    fn describe_self(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let is_self = Predicate::Compare(contacts::IS_SELF, Comparison::Equal, Scalar::Bool(true));
        let Some(own) = lists::all_matching::<Contact>(tx, is_self, None, 1)?.pop() else { return Ok(()) };
        let fields = json!({
            "headline": "Backend engineer who wants to lead a platform team", "location": "Berlin",
            "skills": ["Rust", "distributed systems", "mentoring"], "languages": ["en", "de"],
        });
        patch::<Contact>(tx, Record::id(&own), fields)?;
        self.add_position(tx, own.id, true)?;
        for (kind, topic) in [("need", "team leadership"), ("need", "public speaking"), ("offer", "Rust")] {
            create::<Need>(tx, json!({"contact_id": own.id, "kind": kind, "topic": topic}))?;
        }
        Ok(())
    }

    /// The next event, with people to meet there; one of them, and an organization, are worth reaching for a goal.
    fn plan_event(&mut self, tx: &mut Tx<'_>, today: NaiveDate) -> Result<()> {
        let mut people: Vec<ContactId> = Vec::new();
        while people.len() < 6 {
            let somebody = self.anybody().id;
            people.extend((!people.contains(&somebody)).then_some(somebody));
        }
        let strangers = [self.name(), self.name()].map(|(given, family)| format!("{given} {family}"));
        // Nobody is a target of a goal twice.
        let place = self.goals.events().saturating_mul(3);
        if let Some(who) = self.people.get(place).map(|person| person.id) {
            self.goals.aim(tx, &mut self.random, who, self.organizations.get(place).copied())?;
        }
        self.goals.plan_event(tx, &mut self.random, today, &people, strangers)
    }

    /// Somebody, the closer the more often.
    fn anybody(&mut self) -> Person {
        let ticket = self.random.below(u32::try_from(self.lot.len()).unwrap_or_default());
        let place = self.lot.get(usize::try_from(ticket).unwrap_or_default()).copied().unwrap_or_default();
        let nobody = Person { id: ContactId::new(uuid::Uuid::nil()), weight: 0 };
        self.people.get(place).copied().unwrap_or(nobody)
    }

    /// A working hour of one of the seven days before today.
    fn moment(&mut self, today: NaiveDate) -> Timestamp {
        let day = before(today, self.random.between(1, 7));
        let time = NaiveTime::from_hms_opt(self.random.between(8, 19), self.random.pick(&[0, 15, 30, 45]), 0);
        self.zone.at(day, time.unwrap_or_default())
    }

    fn talk(&mut self, tx: &mut Tx<'_>, today: NaiveDate) -> Result<()> {
        let mut people = vec![self.anybody().id];
        if self.random.percent(12) {
            let other = self.anybody().id;
            people.extend((!people.contains(&other)).then_some(other));
        }
        let kind = self.random.pick(&[
            "email",
            "email",
            "email",
            "message",
            "message",
            "call",
            "call",
            "video",
            "coffee",
            "meeting",
            "comment",
            "reaction",
            "event_chat",
            "informational_interview",
            "note",
        ]);
        let direction = match kind {
            "email" | "message" => self.random.pick(&["inbound", "outbound", "mutual"]),
            "comment" | "reaction" | "note" => "outbound",
            _ => "mutual",
        };
        let quality = self.random.percent(30).then(|| self.random.between(2, 5));
        let minutes = matches!(kind, "call" | "video" | "coffee" | "meeting" | "informational_interview")
            .then(|| self.random.pick(&[20, 30, 45, 60, 90]));
        let fields = json!({
            "contact_ids": people, "kind": kind, "direction": direction, "occurred_at": self.moment(today),
            "subject": self.random.pick(&SUBJECTS), "quality": quality, "duration_minutes": minutes,
        });
        create::<Interaction>(tx, fields).map(drop)
    }

    /// A follow-up with somebody; what is given takes precedence.
    fn add_follow_up(&mut self, tx: &mut Tx<'_>, given: Value) -> Result<FollowUp> {
        let [kind, title] = parts(self.random.pick(&FOLLOW_UPS));
        let mut fields = json!({"contact_ids": [self.anybody().id], "kind": kind, "title": title});
        if let (Some(fields), Value::Object(given)) = (fields.as_object_mut(), given) {
            fields.extend(given);
        }
        create(tx, fields)
    }

    fn plan_something(&mut self, tx: &mut Tx<'_>, today: NaiveDate) -> Result<()> {
        let due_on = after(today, self.random.between(2, 25));
        let priority = self.random.between(2, 5);
        if self.random.percent(15) {
            let title = self.random.pick(&PROMISES);
            return self
                .add_follow_up(tx, json!({"title": title, "owed_by": "them", "kind": "other", "due_on": due_on}))
                .map(drop);
        }
        self.add_follow_up(tx, json!({"due_on": due_on, "priority": priority})).map(drop)
    }

    fn add_recurring(&mut self, tx: &mut Tx<'_>, today: NaiveDate) -> Result<()> {
        let (every, from) = self.random.pick(&[(1, "schedule"), (3, "completion")]);
        let recurrence = json!({"every": every, "unit": "month", "from": from});
        let due_on = after(today, self.random.between(5, 20));
        let title = "Have lunch together";
        self.add_follow_up(
            tx,
            json!({"title": title, "kind": "check_in", "due_on": due_on, "recurrence": recurrence}),
        )
        .map(drop)
    }

    fn start_plan(&mut self, tx: &mut Tx<'_>, today: NaiveDate) -> Result<()> {
        let plans = BuiltInPlan::ALL;
        let index = self.random.below(u32::try_from(plans.len()).unwrap_or_default());
        let Some(plan) = plans.get(usize::try_from(index).unwrap_or_default()) else { return Ok(()) };
        let who = self.anybody().id;
        let anchor_on = Some(before(today, self.random.between(0, 3)));
        apply_plan(tx, AnyId::new(plan.id().uuid()), vec![Application { anchor_on, ..Application::of(who) }], None)
            .map(drop)
    }

    /// One that goes nowhere.
    fn stop_a_plan(&mut self, tx: &mut Tx<'_>, today: NaiveDate) -> Result<()> {
        let who = self.anybody().id;
        let plan = AnyId::new(BuiltInPlan::NewConnection.id().uuid());
        let applied = apply_plan(
            tx,
            plan,
            vec![Application { anchor_on: Some(before(today, 5)), ..Application::of(who) }],
            None,
        )?;
        for run in applied.runs {
            let stopped = json!({"status": "stopped", "status_reason": "They have moved abroad."});
            patch::<PlanRun>(tx, run.id, stopped)?;
        }
        Ok(())
    }

    /// Most of what has fallen due is done in the week in which it did; some is skipped, cancelled or left for later.
    fn act_on_due(&mut self, tx: &mut Tx<'_>, today: NaiveDate) -> Result<()> {
        let due = Predicate::All(vec![
            follow_ups::is_pending(),
            follow_ups::is_actionable(Comparison::LessOrEqual, today),
        ]);
        for follow_up in lists::all_matching::<FollowUp>(tx, due, None, MAX_DUE)? {
            let id = Record::id(&follow_up);
            match self.random.below(100) {
                0..=79 => {
                    let completed_at = self.moment(today);
                    let interaction = self.random.percent(35).then(Map::new);
                    let outcome = self.random.percent(30).then(|| "They were glad to hear from me.".to_owned());
                    complete(
                        tx,
                        id,
                        Completion {
                            outcome,
                            completed_at: Some(completed_at),
                            interaction,
                            exchange: None,
                            next_id: None,
                        },
                    )?;
                }
                80..=87 => drop(self.close(tx, id, FollowUpStatus::Skipped, "It came up when we talked.")?),
                88..=91 => drop(self.close(tx, id, FollowUpStatus::Cancelled, "No longer of interest.")?),
                _ => {
                    let until = after(today, self.random.between(3, 10));
                    patch::<FollowUp>(tx, id, json!({"snoozed_until": until}))?;
                }
            }
        }
        Ok(())
    }

    fn close(&self, tx: &mut Tx<'_>, id: AnyId, status: FollowUpStatus, reason: &str) -> Result<FollowUp> {
        patch(tx, id, json!({"status": status, "status_reason": reason}))
    }

    /// Planned ones ahead, two whose outcome nobody has entered, and two that did not take place.
    fn plan_interactions(&mut self, tx: &mut Tx<'_>, today: NaiveDate) -> Result<()> {
        let now = tx.now();
        for (days, kind) in
            [(0, "call"), (1, "coffee"), (4, "video"), (9, "informational_interview"), (30, "meeting")]
        {
            let at = now.plus(TimeDelta::days(days) + TimeDelta::hours(14));
            let fields = json!({
                "contact_ids": [self.anybody().id], "kind": kind, "status": "planned", "occurred_at": at,
                "duration_minutes": 45, "subject": self.random.pick(&SUBJECTS),
            });
            create::<Interaction>(tx, fields)?;
        }
        for status in ["planned", "planned", "no_show", "cancelled"] {
            let fields = json!({
                "contact_ids": [self.anybody().id], "kind": "coffee", "status": status,
                "occurred_at": self.moment(today), "subject": self.random.pick(&SUBJECTS),
            });
            create::<Interaction>(tx, fields)?;
        }
        Ok(())
    }

    /// Some people are archived, not to be contacted, or not met yet.
    fn leave_some(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let now = tx.now();
        let changes = [
            json!({"archived_at": now}),
            json!({"archived_at": now}),
            json!({"archived_at": now}),
            json!({"do_not_contact": true}),
            json!({"do_not_contact": true}),
            json!({"cadence": {"paused_until": after(self.zone.day(now), 40)}}),
            json!({"cadence": {"every": 10, "unit": "day"}}),
            json!({"known": false}),
            json!({"known": false}),
        ];
        let last: Vec<Person> = self.people.iter().rev().take(changes.len()).copied().collect();
        for (person, change) in last.into_iter().zip(changes) {
            patch::<Contact>(tx, any(person.id), change)?;
        }
        Ok(())
    }
}
