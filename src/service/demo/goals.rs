//! What the demo's networker wants, and where they go for it: goals with their numbers and targets, a pitch, and an event every
//! seven weeks that is prepared, attended and debriefed.

use chrono::{NaiveDate, NaiveTime};
use serde_json::json;

use super::random::Random;
use super::steps::{after, before, create, patch};
use super::words::{EVENTS, SUBJECTS, TOPICS, parts};
use crate::domain::check_in::CheckIn;
use crate::domain::debrief::{Debrief, DebriefedPerson};
use crate::domain::event::Event;
use crate::domain::event_person::EventPerson;
use crate::domain::follow_up_plan::BuiltInPlan;
use crate::domain::goal::Goal;
use crate::domain::id::{ContactId, EventPersonId, GoalId, OrganizationId, PitchId};
use crate::domain::key_result::{KeyResult, KeyResultMetric};
use crate::domain::pitch::Pitch;
use crate::domain::pitch_use::PitchUse;
use crate::domain::target::Target;
use crate::service::debrief::debrief;
use crate::store::{AnyId, Record, Result, Tx};

/// How many weeks lie between two events, and how many days before one it is planned.
const WEEKS_BETWEEN: u32 = 7;
const DAYS_AHEAD: u32 = 10;
/// In the weeks of a year after its first one, the events are planned; the last one is still ahead when it ends.
const FIRST_WEEK: u32 = 2;
const WEEKS_TO_DEBRIEF: u32 = 2;

/// Goals and events as far as the year has come.
#[derive(Default)]
pub struct Goals {
    goals: Vec<GoalId>,
    pitch: Option<PitchId>,
    events: usize,
    /// The event that is planned, and the people there.
    ahead: Option<(AnyId, Vec<EventPersonId>)>,
}

impl Goals {
    /// What the year is for.
    pub fn begin(&mut self, tx: &mut Tx<'_>, today: NaiveDate) -> Result<()> {
        let last = after(today, 420);
        let goals = [
            json!({
                "title": "Lead a platform team", "category": "promotion", "priority": 5, "started_on": today, "due_on": last,
                "why": "I want to build the team that I would have liked to join.",
                "personas": {"manager": {"titles": ["Engineering Manager", "VP Engineering", "Head of Platform"]}},
            }),
            json!({
                "title": "Speak at a conference", "category": "visibility", "priority": 3, "started_on": today,
                "due_on": last, "personas": {"organizer": {"topics": ["public speaking"]}},
            }),
            json!({
                "title": "Find a mentor", "category": "mentoring", "priority": 4, "started_on": today,
                "due_on": after(today, 300), "personas": {"mentor": {"seniorities": ["Director", "VP", "Head"]}},
            }),
        ];
        for goal in goals {
            let made: Goal = create(tx, goal)?;
            self.goals.push(made.id);
        }
        let key_results = [
            (0, "Talk to twenty people who hire", KeyResultMetric::InformationalInterviews, 20),
            (0, "Meet forty people", KeyResultMetric::PeopleMet, 40),
            (1, "Go to six events", KeyResultMetric::EventsAttended, 6),
            (1, "Talks proposed", KeyResultMetric::Manual, 5),
            (2, "Relationships that go both ways", KeyResultMetric::RelationshipsDeepened, 50),
        ];
        for (goal, title, metric, target) in key_results {
            let goal_id = self.goals.get(goal);
            let fields = json!({"goal_id": goal_id, "title": title, "metric": metric, "target_value": target});
            let made: KeyResult = create(tx, fields)?;
            if metric == KeyResultMetric::Manual {
                create::<CheckIn>(tx, json!({"key_result_id": made.id, "on": today, "value": 1}))?;
            }
        }
        let pitch = json!({
            "title": "Platform, thirty seconds", "audience": "Engineering managers", "goal_id": self.goals.first(),
            "hook": "Most teams wait two days for an environment.", "body": "I build platforms on which it takes minutes.",
            "call_to_action": "Whom should I talk to about your platform?", "language": "en", "target_seconds": 30,
        });
        let made: Pitch = create(tx, pitch)?;
        self.pitch = Some(made.id);
        let mentor = json!({
            "title": "Asking for advice", "goal_id": self.goals.get(2), "language": "en",
            "body": "You have led teams through growth. May I ask how you decided what not to do?",
        });
        create::<Pitch>(tx, mentor).map(drop)
    }

    /// How many events were planned.
    pub const fn events(&self) -> usize {
        self.events
    }

    /// Somebody and an organization to reach.
    pub fn aim(
        &self,
        tx: &mut Tx<'_>,
        random: &mut Random,
        who: ContactId,
        organization: Option<OrganizationId>,
    ) -> Result<()> {
        let stages = ["identified", "researching", "ready", "approached", "replied", "connected"];
        let fields = json!({
            "goal_id": self.goals.first(), "contact_id": who, "priority": random.between(2, 5),
            "stage": random.pick(&stages), "ask": "How they built their team",
        });
        create::<Target>(tx, fields)?;
        if let Some(organization) = organization {
            let fields = json!({
                "goal_id": self.goals.first(), "organization_id": organization, "stage": random.pick(&stages),
                "why": "Their platform team is growing.",
            });
            create::<Target>(tx, fields)?;
        }
        Ok(())
    }

    /// Whether an event is planned, or debriefed, in this week.
    pub fn plans_event(week: u32) -> bool {
        week % WEEKS_BETWEEN == FIRST_WEEK
    }

    pub fn debriefs_event(week: u32) -> bool {
        week % WEEKS_BETWEEN == FIRST_WEEK.saturating_add(WEEKS_TO_DEBRIEF)
    }

    /// The next event, with these people and two who are not known yet.
    pub fn plan_event(
        &mut self,
        tx: &mut Tx<'_>,
        random: &mut Random,
        today: NaiveDate,
        people: &[ContactId],
        strangers: [String; 2],
    ) -> Result<()> {
        let Some(line) = EVENTS.get(self.events).copied() else { return Ok(()) };
        self.events = self.events.saturating_add(1);
        let [kind, title, venue] = parts(line);
        let day = after(today, DAYS_AHEAD);
        let is_long = kind == "conference";
        let (starts, ends) = if is_long { (9, 18) } else { (18, 21) };
        let at = |hour: u32| {
            let time = NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
            day.and_time(time).format("%Y-%m-%dT%H:%M").to_string()
        };
        let goals: Vec<&GoalId> = self.goals.iter().take(if is_long { 2 } else { 1 }).collect();
        let event: Event = create(
            tx,
            json!({
                "title": title, "kind": kind, "venue": venue, "starts_local": at(starts), "ends_local": at(ends),
                "participation": if is_long { "registered" } else { "attending" }, "goal_ids": goals,
                "pitch_id": self.pitch, "tags": ["conference"],
                "objectives": {
                    "hiring": {"text": "Talk to three people who hire", "position": 1},
                    "learn": {"text": format!("Learn about {}", random.pick(&TOPICS)), "position": 2},
                },
                "checklist": {
                    "ticket": {"text": "Get a ticket", "position": 1, "done": true},
                    "speakers": {"text": "Read up on the speakers", "position": 2},
                },
            }),
        )?;
        let mut there = Vec::new();
        for (place, contact) in people.iter().enumerate() {
            let fields = json!({
                "event_id": event.id, "contact_id": contact, "role": if place < 2 { "speaker" } else { "attendee" },
                "priority": random.between(2, 5), "stage": "to_meet", "why": random.pick(&SUBJECTS),
            });
            there.push(create::<EventPerson>(tx, fields)?.id);
        }
        for name in strangers {
            let fields = json!({"event_id": event.id, "name": name, "role": "speaker", "priority": 4});
            there.push(create::<EventPerson>(tx, fields)?.id);
        }
        self.ahead = Some((Record::id(&event), there));
        Ok(())
    }

    /// The event is over: some of the people were met.
    pub fn debrief_event(&mut self, tx: &mut Tx<'_>, random: &mut Random, today: NaiveDate) -> Result<()> {
        let Some((event, people)) = self.ahead.take() else { return Ok(()) };
        // One was missed.
        if self.events == 3 {
            patch::<Event>(tx, event, json!({"participation": "missed"}))?;
            return Ok(());
        }
        let told = |event_person_id: EventPersonId, met: bool, has_plan: bool| DebriefedPerson {
            event_person_id,
            met,
            met_at: None,
            note: None,
            plan_id: has_plan.then(|| BuiltInPlan::AfterEvent.id()),
            interaction_id: None,
            plan_run_id: None,
            follow_up_id: None,
        };
        let mut whom = Vec::with_capacity(people.len());
        for id in people {
            let met = random.percent(70);
            whom.push(told(id, met, met && random.percent(50)));
        }
        let told = Debrief {
            highlights: Some(random.pick(&SUBJECTS).to_owned()),
            learned: None,
            rating: i32::try_from(random.between(3, 5)).ok(),
            would_return: Some(true),
            people: whom,
        };
        debrief(tx, event, told)?;
        let used = json!({
            "pitch_id": self.pitch, "on": before(today, 1), "event_id": event.uuid(), "landed": random.between(2, 5),
        });
        create::<PitchUse>(tx, used).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_of_the_list_has_its_week() {
        let weeks = (1..52).filter(|week| Goals::plans_event(*week));
        assert_eq!(weeks.count(), EVENTS.len());
        assert!((1..52).all(|week| !(Goals::plans_event(week) && Goals::debriefs_event(week))));
    }

    #[test]
    fn the_list_has_a_kind_a_title_and_a_place() {
        for line in EVENTS.iter().copied() {
            let [kind, title, venue] = parts(line);
            let fields = json!({"title": title, "kind": kind, "venue": venue, "starts_on": "2026-03-02"});
            assert!(serde_json::from_value::<crate::domain::event::EventFields>(fields).is_ok(), "{line}");
            assert!(![kind, title, venue].contains(&""), "{line}");
        }
    }
}
