//! What the demo's networker gives to people and receives from them. It draws its own numbers.

use chrono::NaiveDate;
use serde_json::json;

use super::random::Random;
use super::steps::{before, create};
use super::words::{EXCHANGES, FEEDBACK, parts};
use crate::domain::exchange::Exchange;
use crate::domain::feedback::Feedback;
use crate::domain::id::ContactId;
use crate::domain::introduction::Introduction;
use crate::store::contacts::own_contact;
use crate::store::{Result, Tx};

/// So many exchanges in a week.
const EXCHANGES_A_WEEK: u32 = 2;
const WEEKS_BETWEEN_FEEDBACK: u32 = 3;
const WEEKS_BETWEEN_INTRODUCTIONS: u32 = 4;

pub struct Giving {
    random: Random,
}

impl Giving {
    pub const fn new(seed: u64) -> Self {
        Self { random: Random::new(seed.wrapping_add(1)) }
    }

    /// What somebody has said of the networker's work in the seven days before today, and what was done about it.
    fn hear(&mut self, tx: &mut Tx<'_>, today: NaiveDate, who: ContactId) -> Result<()> {
        let [kind, topic, body] = parts(self.random.pick(&FEEDBACK));
        let status = self.random.pick(&["received", "considered", "acted_on", "reported_back", "set_aside"]);
        let has_acted = matches!(status, "acted_on" | "reported_back");
        let fields = json!({
            "contact_id": who, "kind": kind, "topic": topic, "body": body, "status": status,
            "received_on": before(today, self.random.between(1, 7)),
            "action": has_acted.then_some("Did it once, and again with somebody else."),
        });
        create::<Feedback>(tx, fields).map(drop)
    }

    /// Two people are introduced by the networker, or one to the networker by another.
    fn introduce(
        &mut self,
        tx: &mut Tx<'_>,
        (week, today): (u32, NaiveDate),
        own: ContactId,
        people: &[ContactId],
    ) -> Result<()> {
        let (Some(one), Some(other)) = (self.anybody(people), self.anybody(people)) else { return Ok(()) };
        if one == other {
            return Ok(());
        }
        let fields = if week.is_multiple_of(2 * WEEKS_BETWEEN_INTRODUCTIONS) {
            json!({
                "contact_a_id": own, "contact_b_id": one, "introducer_id": other, "status": "made", "made_on": today,
                "purpose": "Has built a team twice",
            })
        } else {
            let states = [("asked", "pending"), ("made", "given"), ("met", "given"), ("asked", "declined")];
            let (status, consent) = self.random.pick(&states);
            json!({
                "contact_a_id": one, "contact_b_id": other, "status": status, "purpose": "Work on the same problem",
                "consent_a": if consent == "pending" { "given" } else { consent }, "consent_b": consent,
            })
        };
        create::<Introduction>(tx, fields).map(drop)
    }

    /// What is exchanged in the seven days before today.
    pub fn live_week(
        &mut self,
        tx: &mut Tx<'_>,
        (week, today): (u32, NaiveDate),
        people: &[ContactId],
    ) -> Result<()> {
        if week.is_multiple_of(WEEKS_BETWEEN_FEEDBACK)
            && let Some(who) = self.anybody(people)
        {
            self.hear(tx, today, who)?;
        }
        if week.is_multiple_of(WEEKS_BETWEEN_INTRODUCTIONS) {
            let own = own_contact(tx)?.id;
            self.introduce(tx, (week, today), own, people)?;
        }
        for _ in 0..EXCHANGES_A_WEEK {
            let Some(who) = self.anybody(people) else { return Ok(()) };
            let [kind, description] = parts(self.random.pick(&EXCHANGES));
            let direction = self.random.pick(&["given", "given", "received", "received", "received", "mutual"]);
            let thanked_on = (direction == "received" && self.random.percent(70)).then_some(today);
            let fields = json!({
                "contact_id": who, "direction": direction, "kind": kind, "description": description,
                "weight": self.random.between(1, 5), "occurred_on": before(today, self.random.between(1, 7)),
                "thanked_on": thanked_on,
            });
            create::<Exchange>(tx, fields)?;
        }
        Ok(())
    }

    fn anybody(&mut self, people: &[ContactId]) -> Option<ContactId> {
        let place = self.random.below(u32::try_from(people.len()).unwrap_or(u32::MAX));
        people.get(usize::try_from(place).unwrap_or_default()).copied()
    }
}
