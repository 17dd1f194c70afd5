//! What the networker has given to somebody, or received from them, and how far the two are even.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::{check_day, drop_blank, parse_day, rounded};
use super::id::{ContactId, ExchangeId, GoalId, InteractionId, ResourceId};
use super::invalid::{FieldCode, Invalid, Rejection};
use super::record::{Fields, Stored};
use super::search::SearchText;
use super::words::enumeration;

/// How many exchanges a contact may have.
pub const MAX_PER_CONTACT: i64 = 10_000;

/// The weight of what has none of its own, from 1 to 5.
pub const DEFAULT_WEIGHT: i32 = 3;

/// After so many days an exchange counts half.
pub const HALF_LIFE_DAYS: f64 = 365.0;

/// What can be entered about an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExchangeFields {
    /// The contact.
    pub contact_id: ContactId,
    /// Who gave: you (`given`), they (`received`), or both alike (`mutual`).
    pub direction: ExchangeDirection,
    /// The kind of exchange.
    #[serde(default)]
    #[schema(default = "other")]
    pub kind: ExchangeKind,
    /// What it was.
    #[serde(default)]
    #[schema(max_length = 5000, example = "Read my portfolio and told me what to leave out.")]
    pub description: Option<String>,
    /// How much it was worth, from 1 to 5 (most).
    #[serde(default = "default_weight")]
    #[schema(minimum = 1, maximum = 5, default = 3, example = 3)]
    pub weight: i32,
    /// The day, in the time zone of the workspace; not in the future.
    #[schema(value_type = String, format = Date, example = "2026-02-20")]
    pub occurred_on: String,
    /// The day on which whoever received it said thanks; not before `occurred_on` and not in the future. Null: not yet.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, example = json!(null))]
    pub thanked_on: Option<String>,
    /// The interaction in which it happened. Null: none.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub interaction_id: Option<InteractionId>,
    /// The goal that it helps. Null: none.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub goal_id: Option<GoalId>,
    /// The resource that was shared. Null: none.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub resource_id: Option<ResourceId>,
    /// Where it comes from.
    #[serde(default)]
    #[schema(read_only)]
    pub origin: ExchangeOrigin,
}

enumeration! {
    /// Who gave: you, they, or both alike.
    ExchangeDirection {
        Given = "given",
        Received = "received",
        Mutual = "mutual",
    }
}

enumeration! {
    /// The kind of exchange.
    #[derive(Default)]
    ExchangeKind {
        Introduction = "introduction",
        Referral = "referral",
        Advice = "advice",
        Feedback = "feedback",
        Resource = "resource",
        Endorsement = "endorsement",
        Time = "time",
        Opportunity = "opportunity",
        Amplification = "amplification",
        Collaboration = "collaboration",
        #[default]
        Other = "other",
    }
}

enumeration! {
    /// Where an exchange comes from: it was entered, logged when a follow-up was completed, is feedback that
    /// was received, an introduction that was made, or a resource that was shared.
    #[derive(Default)]
    ExchangeOrigin {
        #[default]
        Manual = "manual",
        FollowUp = "follow_up",
        Feedback = "feedback",
        Introduction = "introduction",
        Share = "share",
    }
}

const fn default_weight() -> i32 {
    DEFAULT_WEIGHT
}

/// Help, advice, time or the like that was given or received.
pub type Exchange = Stored<ExchangeFields>;

impl ExchangeFields {
    pub fn day(&self) -> Option<NaiveDate> {
        parse_day(&self.occurred_on).ok()
    }

    /// Nothing of it lies in the future.
    pub fn check_days(&self, today: NaiveDate) -> Result<(), Invalid> {
        let mut invalid = Invalid::default();
        for (at, day) in [("#/occurred_on", Some(&self.occurred_on)), ("#/thanked_on", self.thanked_on.as_ref())] {
            if day.and_then(|day| parse_day(day).ok()).is_some_and(|day| day > today) {
                invalid.add(at, Rejection::new(FieldCode::Contradiction, "It cannot be in the future."));
            }
        }
        invalid.into_result(())
    }
}

impl Exchange {
    /// What it is found by when somebody types.
    pub fn search_text(&self) -> SearchText {
        let ExchangeFields { description, kind, .. } = &self.fields;
        let title = description.as_deref().and_then(|text| text.lines().find(|line| !line.trim().is_empty()));
        let title = title.map_or_else(|| kind.as_str().replace('_', " "), |line| line.trim().to_owned());
        SearchText { title, text: description.clone().unwrap_or_default() }
    }
}

impl Fields for ExchangeFields {
    const ENTITY: Entity = Entity::Exchange;
    const DESCRIPTION: &'static str = "Help, advice, time or the like that was given or received.";
    type Id = ExchangeId;

    fn check(mut self, _id: ExchangeId, before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        if let Some(before) = before {
            self.origin = before.origin;
        }
        drop_blank(&mut self.description);
        check_day(&["occurred_on"], Some(&self.occurred_on), &mut invalid);
        check_day(&["thanked_on"], self.thanked_on.as_deref(), &mut invalid);
        let thanked = self.thanked_on.as_deref().and_then(|day| parse_day(day).ok());
        if thanked.zip(self.day()).is_some_and(|(thanked, day)| thanked < day) {
            let detail = "Thanks cannot come before occurred_on.";
            invalid.add("#/thanked_on", Rejection::new(FieldCode::Contradiction, detail));
        }
        invalid.into_result(self)
    }
}

/// The day from which weights are scaled, so that sums of them are compared on any day.
const SCALED_FROM: NaiveDate = match NaiveDate::from_ymd_opt(2020, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// So many half-lives are more than a number can grow or fade by.
const MAX_HALF_LIVES: f64 = 1_000.0;

/// Doubles with each half-life that the day is after 2020.
fn growth(on: NaiveDate) -> f64 {
    // All years that can be entered fit.
    let days = i32::try_from((on - SCALED_FROM).num_days()).map_or(f64::MAX, f64::from);
    (days / HALF_LIFE_DAYS).clamp(-MAX_HALF_LIVES, MAX_HALF_LIVES).exp2()
}

/// The weight of an exchange, scaled by its day: sums of these fade alike, so they are ordered alike on every day.
pub fn scaled_weight(fields: &ExchangeFields) -> f64 {
    fields.day().map_or(0.0, |day| f64::from(fields.weight) * growth(day))
}

/// What was given to a contact and received from them by a day; older exchanges count less.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, ToSchema)]
pub struct ExchangeBalance {
    /// The weights of what you gave, each halved for every 365 days since.
    #[schema(minimum = 0, example = 4.2)]
    pub given: f64,
    /// The weights of what you received, each halved for every 365 days since.
    #[schema(minimum = 0, example = 5.7)]
    pub received: f64,
    /// `given` − `received`: negative when you have received more. What is mutual counts on neither side.
    #[schema(example = -1.5)]
    pub balance: f64,
}

impl ExchangeBalance {
    /// From the sums of scaled weights, by a day.
    pub fn from_scaled(given: f64, received: f64, on: NaiveDate) -> Self {
        let scale = growth(on);
        let (given, received) = (given / scale, received / scale);
        // The sum of nothing is -0.0, and JSON would tell.
        let rounded = |number: f64| rounded(number) + 0.0;
        Self { given: rounded(given), received: rounded(received), balance: rounded(given - received) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn fields(direction: ExchangeDirection, weight: i32, on: NaiveDate) -> ExchangeFields {
        ExchangeFields {
            contact_id: ContactId::new(Uuid::from_u128(1)),
            direction,
            kind: ExchangeKind::Advice,
            description: None,
            weight,
            occurred_on: on.to_string(),
            thanked_on: None,
            interaction_id: None,
            goal_id: None,
            resource_id: None,
            origin: ExchangeOrigin::Manual,
        }
    }

    fn balance(all: &[ExchangeFields], on: NaiveDate) -> ExchangeBalance {
        let sum =
            |direction| -> f64 { all.iter().filter(|own| own.direction == direction).map(scaled_weight).sum() };
        ExchangeBalance::from_scaled(sum(ExchangeDirection::Given), sum(ExchangeDirection::Received), on)
    }

    #[test]
    fn an_exchange_counts_half_after_a_year_and_mutual_ones_on_neither_side() {
        use ExchangeDirection::{Given, Mutual, Received};
        let table = [
            (vec![], (0.0, 0.0, 0.0)),
            (vec![(Given, 4, "2026-03-02")], (4.0, 0.0, 4.0)),
            (vec![(Given, 4, "2025-03-02")], (2.0, 0.0, 2.0)),
            (vec![(Received, 4, "2024-03-02")], (0.0, 1.0, -1.0)),
            (vec![(Given, 3, "2026-03-02"), (Received, 3, "2026-03-02")], (3.0, 3.0, 0.0)),
            (vec![(Mutual, 5, "2026-03-02")], (0.0, 0.0, 0.0)),
            (vec![(Given, 5, "1900-01-01")], (0.0, 0.0, 0.0)),
        ];
        for (all, (given, received, expected)) in table {
            let all: Vec<ExchangeFields> =
                all.into_iter().map(|(direction, weight, on)| fields(direction, weight, day(on))).collect();
            assert_eq!(
                balance(&all, day("2026-03-02")),
                ExchangeBalance { given, received, balance: expected },
                "{all:?}"
            );
        }
    }

    #[test]
    fn thanks_come_after_what_they_are_for_and_nothing_lies_in_the_future() {
        let own = fields(ExchangeDirection::Received, 3, day("2026-02-20"));
        let id = ExchangeId::new(Uuid::nil());
        let thanked = |on: &str| ExchangeFields { thanked_on: Some(on.to_owned()), ..own.clone() };
        assert!(thanked("2026-02-20").check(id, None).is_ok());
        for (fields, at) in [
            (thanked("2026-02-19"), "#/thanked_on"),
            (thanked("2026-02"), "#/thanked_on"),
            (ExchangeFields { occurred_on: "soon".to_owned(), ..own.clone() }, "#/occurred_on"),
        ] {
            let errors = fields.clone().check(id, None).unwrap_err().errors;
            assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), [at], "{fields:?}");
        }
        let faults = |fields: ExchangeFields| -> Vec<String> {
            let checked = fields.check_days(day("2026-02-21"));
            checked.err().into_iter().flat_map(|all| all.errors).map(|error| error.pointer).collect()
        };
        assert_eq!(faults(thanked("2026-02-21")), [""; 0]);
        assert_eq!(faults(thanked("2026-02-22")), ["#/thanked_on"]);
        let tomorrow = ExchangeFields { occurred_on: "2026-02-22".to_owned(), ..own };
        assert_eq!(faults(tomorrow), ["#/occurred_on"]);
    }

    fn exchanges() -> impl Strategy<Value = Vec<ExchangeFields>> {
        let one = (0..3_usize, 1..6_i32, 0..6_000_u64).prop_map(|(direction, weight, days)| {
            let on = day("2010-01-01") + chrono::Days::new(days);
            fields(ExchangeDirection::ALL[direction], weight, on)
        });
        prop::collection::vec(one, 0..20)
    }

    proptest! {
        #[test]
        fn the_order_of_exchanges_does_not_count(all in exchanges()) {
            let on = day("2026-06-10");
            let mut reversed = all.clone();
            reversed.reverse();
            let (one, other) = (balance(&all, on), balance(&reversed, on));
            // Sums in another order may round otherwise in the last of three decimals.
            prop_assert!((one.balance - other.balance).abs() < 0.002);
        }

        #[test]
        fn what_was_exchanged_only_fades(all in exchanges(), days in 1..3_000_u64) {
            let on = day("2026-06-10");
            let (now, later) = (balance(&all, on), balance(&all, on + chrono::Days::new(days)));
            prop_assert!(later.given <= now.given && later.received <= now.received);
            prop_assert!(later.balance.abs() <= now.balance.abs());
        }

        #[test]
        fn a_balance_changes_its_sign_when_directions_swap(all in exchanges()) {
            let swapped: Vec<ExchangeFields> = all.iter().map(|own| {
                let direction = match own.direction {
                    ExchangeDirection::Given => ExchangeDirection::Received,
                    ExchangeDirection::Received => ExchangeDirection::Given,
                    ExchangeDirection::Mutual => ExchangeDirection::Mutual,
                };
                ExchangeFields { direction, ..own.clone() }
            }).collect();
            let on = day("2026-06-10");
            prop_assert_eq!(balance(&all, on).balance, -balance(&swapped, on).balance);
        }
    }
}
