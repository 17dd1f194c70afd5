//! Two people who are introduced to each other: by the networker, to the networker, or by one contact to another.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::{check_day, clean, drop_blank, parse_day};
use super::id::{ContactId, ExchangeId, FollowUpId, GoalId, IntroductionId};
use super::invalid::{FieldCode, Invalid, Rejection};
use super::record::{Fields, Stored};
use super::search::SearchText;
use super::state_machine::{State, Status};
use super::words::enumeration;

/// How many introductions a contact may have, in each of the three parts.
pub const MAX_PER_CONTACT: i64 = 1_000;

/// What can be entered about an introduction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IntroductionFields {
    /// One of the two who are introduced to each other.
    pub contact_a_id: ContactId,
    /// The other one.
    pub contact_b_id: ContactId,
    /// Who introduces them. If null in a request, you: the contact that represents you. Null: the contact was deleted, see
    /// `introducer_name`.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub introducer_id: Option<ContactId>,
    /// The name of the introducer, if the contact was deleted. Null if it was not deleted.
    #[serde(default)]
    #[schema(read_only, example = json!(null))]
    pub introducer_name: Option<String>,
    /// Who is introduced by whom, as far as it concerns you.
    #[serde(default)]
    #[schema(read_only)]
    pub direction: IntroductionDirection,
    /// Why the two should meet.
    #[serde(default)]
    #[schema(max_length = 1000, example = "Both build tools for heat pumps.")]
    pub purpose: Option<String>,
    /// The text that introduces them, to be forwarded.
    #[serde(default)]
    #[schema(max_length = 20000, example = "Ada, meet Grace: she has solved what you asked me about.")]
    pub blurb: Option<String>,
    /// What contact a says to it. If either consent is declined before the introduction is made, so is the introduction.
    #[serde(default)]
    #[schema(default = "pending")]
    pub consent_a: Consent,
    /// What contact b says to it.
    #[serde(default)]
    #[schema(default = "pending")]
    pub consent_b: Consent,
    /// The status. When you introduce, `made` and `met` require both consents. Once both are given, `draft` and `asked`
    /// become `agreed`.
    #[serde(default)]
    #[schema(default = "draft")]
    pub status: IntroductionStatus,
    /// Why it has this status, such as why it was declined. A transition clears it unless the request sends another one.
    #[serde(default)]
    #[schema(max_length = 500, example = "No time before the summer.")]
    pub status_reason: Option<String>,
    /// The day on which it was made, in the time zone of the workspace; not in the future. If null in a request, today once
    /// it is made. Null: not made.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, example = json!(null))]
    pub made_on: Option<String>,
    /// What came of it.
    #[serde(default)]
    #[schema(max_length = 5000, example = "They work on a pilot together.")]
    pub outcome: Option<String>,
    /// The goal that it helps. Null: none.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub goal_id: Option<GoalId>,
    /// The exchange with contact a that was logged when you made it. Null: there is none, or it was deleted.
    #[serde(default)]
    #[schema(read_only)]
    pub exchange_a_id: Option<ExchangeId>,
    /// The exchange with contact b that was logged when you made it. Null: there is none, or it was deleted.
    #[serde(default)]
    #[schema(read_only)]
    pub exchange_b_id: Option<ExchangeId>,
    /// The exchange with the introducer that was logged when you were introduced. Null: there is none, or it was deleted.
    #[serde(default)]
    #[schema(read_only)]
    pub introducer_exchange_id: Option<ExchangeId>,
    /// The follow-up to hear from contact a, while you have asked and wait for the answer. Null: there is none.
    #[serde(default)]
    #[schema(read_only)]
    pub follow_up_a_id: Option<FollowUpId>,
    /// The follow-up to hear from contact b, while you have asked and wait for the answer. Null: there is none.
    #[serde(default)]
    #[schema(read_only)]
    pub follow_up_b_id: Option<FollowUpId>,
}

enumeration! {
    /// Whether somebody agrees to be introduced.
    #[derive(Default)]
    Consent {
        #[default]
        Pending = "pending",
        Given = "given",
        Declined = "declined",
    }
}

enumeration! {
    /// Whom an introduction concerns: you introduce (`by_me`), you are introduced (`to_me`), or neither (`between_others`).
    #[derive(Default)]
    IntroductionDirection {
        #[default]
        ByMe = "by_me",
        ToMe = "to_me",
        BetweenOthers = "between_others",
    }
}

enumeration! {
    /// The status of an introduction.
    #[derive(Default)]
    IntroductionStatus {
        #[default]
        Draft = "draft",
        Asked = "asked",
        Agreed = "agreed",
        Declined = "declined",
        Made = "made",
        Met = "met",
        NoOutcome = "no_outcome",
    }
}

impl Status for IntroductionStatus {
    const STATES: &'static [State<Self>] = &[
        State {
            state: Self::Draft,
            next: &[Self::Asked, Self::Agreed, Self::Declined, Self::Made, Self::Met],
            stamps: None,
        },
        State {
            state: Self::Asked,
            next: &[Self::Draft, Self::Agreed, Self::Declined, Self::Made, Self::Met, Self::NoOutcome],
            stamps: None,
        },
        State {
            state: Self::Agreed,
            next: &[Self::Asked, Self::Declined, Self::Made, Self::Met, Self::NoOutcome],
            stamps: None,
        },
        State { state: Self::Declined, next: &[Self::Draft, Self::Asked, Self::Agreed], stamps: None },
        State { state: Self::Made, next: &[Self::Agreed, Self::Met, Self::NoOutcome], stamps: None },
        State { state: Self::Met, next: &[Self::Made, Self::NoOutcome], stamps: None },
        State { state: Self::NoOutcome, next: &[Self::Agreed, Self::Made, Self::Met], stamps: None },
    ];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl IntroductionStatus {
    /// Whether the two know each other by it.
    pub const fn is_made(self) -> bool {
        matches!(self, Self::Made | Self::Met)
    }

    /// Whether answers are still waited for, or may be.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Draft | Self::Asked | Self::Agreed)
    }
}

/// Two people who are introduced to each other.
pub type Introduction = Stored<IntroductionFields>;

impl IntroductionFields {
    /// Whom it concerns, if this is the contact that represents the networker.
    pub fn direction(&self, own: ContactId) -> IntroductionDirection {
        if self.introducer_id == Some(own) {
            IntroductionDirection::ByMe
        } else if [self.contact_a_id, self.contact_b_id].contains(&own) {
            IntroductionDirection::ToMe
        } else {
            IntroductionDirection::BetweenOthers
        }
    }

    /// What the consents say of the status: one that is declined declines the introduction, and two that are given agree to
    /// it. Opening it again asks anew whoever had declined.
    pub fn follow_consents(&mut self, before: Option<&Self>) {
        if let Some(before) = before.filter(|before| before.status == IntroductionStatus::Declined)
            && self.status.is_open()
        {
            let consents = [(&mut self.consent_a, before.consent_a), (&mut self.consent_b, before.consent_b)];
            for (consent, kept) in consents {
                if *consent == Consent::Declined && kept == Consent::Declined {
                    *consent = Consent::Pending;
                }
            }
        }
        if !self.status.is_open() {
            return;
        }
        let consents = [self.consent_a, self.consent_b];
        if consents.contains(&Consent::Declined) {
            self.status = IntroductionStatus::Declined;
        } else if consents == [Consent::Given; 2]
            && before.is_none_or(|before| [before.consent_a, before.consent_b] != consents)
        {
            self.status = IntroductionStatus::Agreed;
        }
    }

    /// Whose consent is missing: contact a's, contact b's.
    pub fn missing_consents(&self) -> Vec<ContactId> {
        let consents = [(self.contact_a_id, self.consent_a), (self.contact_b_id, self.consent_b)];
        consents.into_iter().filter(|(_, consent)| *consent != Consent::Given).map(|(id, _)| id).collect()
    }

    /// The day on which it was made, on the day of the write. What nothing came of keeps the day, if it was made.
    pub fn stamp_made(&mut self, before: Option<&Self>, today: NaiveDate) -> Result<(), Invalid> {
        let is_kept = before.is_some_and(|before| before.made_on == self.made_on);
        if !self.status.is_made() && self.status != IntroductionStatus::NoOutcome {
            if self.made_on.is_some() && !is_kept {
                let detail = format!("An introduction that is {} has no made_on.", self.status.as_str());
                return Err(Invalid::one("#/made_on", FieldCode::Contradiction, detail));
            }
            self.made_on = None;
            return Ok(());
        }
        if self.status.is_made() {
            self.made_on.get_or_insert_with(|| today.to_string());
        }
        if self.made_day().is_some_and(|day| day > today) {
            return Err(Invalid::one("#/made_on", FieldCode::Contradiction, "It cannot be in the future."));
        }
        Ok(())
    }

    pub fn made_day(&self) -> Option<NaiveDate> {
        self.made_on.as_deref().and_then(|day| parse_day(day).ok())
    }
}

impl Introduction {
    /// What it is found by when somebody types.
    pub fn search_text(&self) -> SearchText {
        let IntroductionFields { purpose, blurb, outcome, .. } = &self.fields;
        let title = purpose.clone().unwrap_or_else(|| "introduction".to_owned());
        let text = [purpose, blurb, outcome].into_iter().flatten().cloned().collect::<Vec<_>>().join("\n");
        SearchText { title, text }
    }
}

impl Fields for IntroductionFields {
    const ENTITY: Entity = Entity::Introduction;
    const DESCRIPTION: &'static str = "Two people who are introduced to each other.";
    type Id = IntroductionId;

    fn check(mut self, _id: IntroductionId, before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        if let Some(before) = before {
            self.direction = before.direction;
            (self.exchange_a_id, self.exchange_b_id) = (before.exchange_a_id, before.exchange_b_id);
            self.introducer_exchange_id = before.introducer_exchange_id;
            (self.follow_up_a_id, self.follow_up_b_id) = (before.follow_up_a_id, before.follow_up_b_id);
        }
        let lost = before.and_then(|before| before.introducer_name.clone());
        self.introducer_name = lost.filter(|_| self.introducer_id.is_none());
        [&mut self.purpose, &mut self.status_reason].into_iter().for_each(clean);
        [&mut self.blurb, &mut self.outcome].into_iter().for_each(drop_blank);
        check_day(&["made_on"], self.made_on.as_deref(), &mut invalid);
        if self.contact_a_id == self.contact_b_id {
            let detail = "Nobody is introduced to themselves.";
            invalid.add("#/contact_b_id", Rejection::new(FieldCode::Contradiction, detail));
        }
        if self.introducer_id.is_some_and(|own| [self.contact_a_id, self.contact_b_id].contains(&own)) {
            let detail = "Whoever introduces is neither of the two.";
            invalid.add("#/introducer_id", Rejection::new(FieldCode::Contradiction, detail));
        }
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    fn fields(more: serde_json::Value) -> IntroductionFields {
        let mut value = json!({
            "contact_a_id": Uuid::from_u128(1), "contact_b_id": Uuid::from_u128(2), "introducer_id": Uuid::from_u128(3),
        });
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_introduction_has_three_people() {
        for (more, expected) in [
            (json!({}), &[][..]),
            (json!({ "contact_b_id": Uuid::from_u128(1) }), &["#/contact_b_id"]),
            (json!({ "introducer_id": Uuid::from_u128(1) }), &["#/introducer_id"]),
            (json!({ "introducer_id": Uuid::from_u128(2) }), &["#/introducer_id"]),
        ] {
            let checked = fields(more.clone()).check(IntroductionId::new(Uuid::nil()), None);
            let errors = checked.err().map(|invalid| invalid.errors).unwrap_or_default();
            assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), expected, "{more}");
        }
        let own = |number| fields(json!({})).direction(ContactId::new(Uuid::from_u128(number)));
        assert_eq!(own(1), IntroductionDirection::ToMe);
        assert_eq!(own(2), IntroductionDirection::ToMe);
        assert_eq!(own(3), IntroductionDirection::ByMe);
        assert_eq!(own(4), IntroductionDirection::BetweenOthers);
    }

    #[test]
    fn which_status_may_follow_which() {
        use IntroductionStatus::{Agreed, Asked, Declined, Draft, Made, Met, NoOutcome};
        let forbidden = [
            (Draft, NoOutcome),
            (Agreed, Draft),
            (Declined, Made),
            (Declined, Met),
            (Declined, NoOutcome),
            (Made, Draft),
            (Made, Asked),
            (Made, Declined),
            (Met, Draft),
            (Met, Asked),
            (Met, Agreed),
            (Met, Declined),
            (NoOutcome, Draft),
            (NoOutcome, Asked),
            (NoOutcome, Declined),
        ];
        for from in IntroductionStatus::ALL {
            for to in IntroductionStatus::ALL {
                assert_eq!(from.may_become(*to), !forbidden.contains(&(*from, *to)), "{from:?} {to:?}");
            }
        }
    }

    #[test]
    fn the_status_follows_the_consents_until_it_is_made() {
        let of =
            |status: &str, a: &str, b: &str| fields(json!({ "status": status, "consent_a": a, "consent_b": b }));
        let table = [
            (None, of("draft", "pending", "pending"), "draft"),
            (None, of("asked", "given", "pending"), "asked"),
            (None, of("asked", "given", "given"), "agreed"),
            (None, of("asked", "given", "declined"), "declined"),
            (None, of("agreed", "declined", "given"), "declined"),
            (None, of("made", "given", "declined"), "made"),
            (Some(of("agreed", "given", "given")), of("asked", "given", "given"), "asked"),
            (Some(of("declined", "given", "declined")), of("asked", "given", "declined"), "asked"),
        ];
        for (before, mut after, expected) in table {
            after.follow_consents(before.as_ref());
            assert_eq!(after.status.as_str(), expected, "{before:?} {after:?}");
        }
        let mut reopened = of("asked", "given", "declined");
        reopened.follow_consents(Some(&of("declined", "given", "declined")));
        assert_eq!([reopened.consent_a, reopened.consent_b], [Consent::Given, Consent::Pending]);
        assert_eq!(reopened.missing_consents(), [ContactId::new(Uuid::from_u128(2))]);
    }

    #[test]
    fn the_day_it_was_made_comes_and_goes_with_the_status() {
        let today: NaiveDate = "2026-03-02".parse().unwrap();
        let made = |status: &str, on: Option<&str>| fields(json!({ "status": status, "made_on": on }));
        let table = [
            (None, made("draft", None), Ok(None)),
            (None, made("made", None), Ok(Some("2026-03-02"))),
            (None, made("met", Some("2026-02-01")), Ok(Some("2026-02-01"))),
            (None, made("made", Some("2026-03-03")), Err(())),
            (None, made("asked", Some("2026-02-01")), Err(())),
            (Some(made("made", Some("2026-02-01"))), made("met", Some("2026-02-01")), Ok(Some("2026-02-01"))),
            (
                Some(made("made", Some("2026-02-01"))),
                made("no_outcome", Some("2026-02-01")),
                Ok(Some("2026-02-01")),
            ),
            (Some(made("asked", None)), made("no_outcome", None), Ok(None)),
            (Some(made("made", Some("2026-02-01"))), made("agreed", Some("2026-02-01")), Ok(None)),
        ];
        for (before, mut after, expected) in table {
            let stamped = after.stamp_made(before.as_ref(), today).map_err(drop);
            assert_eq!(stamped.map(|()| after.made_on.as_deref()), expected, "{before:?} {after:?}");
        }
    }
}
