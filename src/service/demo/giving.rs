//! What the demo's networker gives to people and receives from them. It draws its own numbers, so that the rest of the year is
//! the same with or without it.

use chrono::NaiveDate;
use serde_json::json;

use super::random::Random;
use super::steps::{before, create};
use super::words::{EXCHANGES, parts};
use crate::domain::exchange::Exchange;
use crate::domain::id::ContactId;
use crate::store::{Result, Tx};

/// So many exchanges in a week.
const EXCHANGES_A_WEEK: u32 = 2;

pub struct Giving {
    random: Random,
}

impl Giving {
    pub const fn new(seed: u64) -> Self {
        Self { random: Random::new(seed.wrapping_add(1)) }
    }

    /// What is exchanged in the seven days before today.
    pub fn live_week(&mut self, tx: &mut Tx<'_>, today: NaiveDate, people: &[ContactId]) -> Result<()> {
        for _ in 0..EXCHANGES_A_WEEK {
            let place = self.random.below(u32::try_from(people.len()).unwrap_or(u32::MAX));
            let Some(who) = people.get(usize::try_from(place).unwrap_or_default()) else { return Ok(()) };
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
}
