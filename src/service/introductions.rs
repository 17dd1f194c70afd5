//! The rules of introductions: consents and states, and what follows from them: follow-ups while answers are waited for, and
//! exchanges once the introduction is made.

use chrono::{Days, NaiveDate};

use super::follow_ups::{end_pending, shortened_title};
use super::records::rules::Rules;
use super::records::transitions::{check_transition, clear_reason};
use super::records::write::create;
use crate::domain::contact::Contact;
use crate::domain::exchange::{
    DEFAULT_WEIGHT, Exchange, ExchangeDirection, ExchangeFields, ExchangeKind, ExchangeOrigin,
};
use crate::domain::follow_up::{FollowUp, FollowUpFields, FollowUpKind, FollowUpOrigin, FollowUpStatus};
use crate::domain::id::{ContactId, ExchangeId, FollowUpId};
use crate::domain::introduction::{
    Consent, Introduction, IntroductionDirection, IntroductionFields, IntroductionStatus,
};
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::time_zone;
use crate::store::contacts::own_contact;
use crate::store::{AnyId, Conflict, Result, Tx, lists, records};

/// Days after asking until an answer is due.
const ANSWER_DAYS: u64 = 7;

impl Rules for Introduction {
    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let before = before.map(|before| &before.fields);
        let moved = check_transition(self, before.map(|before| before.status), self.fields.status)?;
        let own = own_contact(tx)?.id;
        let fields = &mut self.fields;
        if fields.introducer_id.is_none() && fields.introducer_name.is_none() {
            fields.introducer_id = Some(own);
        }
        fields.direction = fields.direction(own);
        // What a default makes of it is checked as what was sent.
        *fields = crate::domain::record::Fields::check(fields.clone(), self.id, Some(fields))?;
        clear_reason(moved, before.and_then(|before| before.status_reason.as_deref()), &mut fields.status_reason);
        fields.follow_consents(before);
        let people = People::of(tx, fields)?;
        if fields.direction == IntroductionDirection::ByMe && fields.status.is_made() {
            let missing = fields.missing_consents();
            if !missing.is_empty() {
                return Err(Conflict::ConsentMissing(people.names(&missing)).into());
            }
        }
        let today = time_zone(tx)?.day(now);
        fields.stamp_made(before, today)?;
        // A contact that does not exist is told when the references are checked.
        let Some(people) = people.all(fields) else { return Ok(()) };
        write_follow_ups(tx, fields, &people, (today, now))?;
        write_exchanges(tx, fields, before, &people, now)
    }
}

/// Those of the people that exist.
struct People(Vec<Contact>);

/// The two who are introduced, and who introduces them as far as that is known.
struct AllPeople {
    a: Contact,
    b: Contact,
    introducer: Option<Contact>,
}

impl People {
    fn of(tx: &mut Tx<'_>, fields: &IntroductionFields) -> Result<Self> {
        let ids = [Some(fields.contact_a_id), Some(fields.contact_b_id), fields.introducer_id];
        let ids: Vec<AnyId> = ids.into_iter().flatten().map(|id| AnyId::new(id.uuid())).collect();
        Ok(Self(lists::with_ids::<Contact>(tx, &ids)?))
    }

    fn find(&self, id: ContactId) -> Option<&Contact> {
        self.0.iter().find(|contact| contact.id == id)
    }

    fn names(&self, ids: &[ContactId]) -> String {
        let names: Vec<&str> =
            ids.iter().filter_map(|id| self.find(*id)).map(|contact| contact.fields.name.as_str()).collect();
        names.join(" and ")
    }

    fn all(&self, fields: &IntroductionFields) -> Option<AllPeople> {
        let introducer = match fields.introducer_id {
            Some(id) => Some(self.find(id)?.clone()),
            None => None,
        };
        let (a, b) = (self.find(fields.contact_a_id)?.clone(), self.find(fields.contact_b_id)?.clone());
        Some(AllPeople { a, b, introducer })
    }
}

/// While the networker has asked, there is a follow-up for each answer that is open; it goes with the answer.
fn write_follow_ups(
    tx: &mut Tx<'_>,
    fields: &mut IntroductionFields,
    AllPeople { a, b, .. }: &AllPeople,
    (today, now): (NaiveDate, Timestamp),
) -> Result<()> {
    let is_asked = fields.status == IntroductionStatus::Asked && fields.direction == IntroductionDirection::ByMe;
    let goal_id = fields.goal_id;
    let sides = [
        (&mut fields.follow_up_a_id, fields.consent_a, a, b),
        (&mut fields.follow_up_b_id, fields.consent_b, b, a),
    ];
    for (own, consent, asked, other) in sides {
        if is_asked && consent == Consent::Pending {
            if own.is_none() && asked.may_be_contacted() {
                let (name, other) = (&asked.fields.name, &other.fields.name);
                let due_on = today.checked_add_days(Days::new(ANSWER_DAYS)).unwrap_or(today);
                let follow_up = FollowUpFields {
                    title: shortened_title(format!("Hear whether {name} wants to meet {other}")),
                    contact_ids: vec![asked.id],
                    kind: FollowUpKind::Introduce,
                    due_on: Some(due_on.to_string()),
                    origin: FollowUpOrigin::Introduction,
                    goal_id,
                    ..FollowUpFields::default()
                };
                let follow_up = FollowUp::new(FollowUpId::new(tx.new_id()), now, follow_up)?;
                *own = Some(create(tx, follow_up)?.id);
            }
            continue;
        }
        let status = if consent == Consent::Pending { FollowUpStatus::Cancelled } else { FollowUpStatus::Done };
        end_pending(tx, own.take(), status)?;
    }
    Ok(())
}

/// What an introduction gives is logged when it is made, and taken back when it is not made after all.
fn write_exchanges(
    tx: &mut Tx<'_>,
    fields: &mut IntroductionFields,
    before: Option<&IntroductionFields>,
    AllPeople { a, b, introducer }: &AllPeople,
    now: Timestamp,
) -> Result<()> {
    let Some(made_on) = fields.made_on.clone() else {
        let logged = [&mut fields.exchange_a_id, &mut fields.exchange_b_id, &mut fields.introducer_exchange_id];
        for id in logged.into_iter().filter_map(Option::take) {
            if let Some(exchange) = records::find::<Exchange>(tx, AnyId::new(id.uuid()))? {
                records::delete(tx, &exchange)?;
            }
        }
        return Ok(());
    };
    if before.is_some_and(|before| before.made_on.is_some()) {
        return Ok(());
    }
    let goal_id = fields.goal_id;
    let log = |tx: &mut Tx<'_>, with: &Contact, direction, description: String| -> Result<Option<ExchangeId>> {
        let exchange = ExchangeFields {
            contact_id: with.id,
            direction,
            kind: ExchangeKind::Introduction,
            description: Some(description),
            weight: DEFAULT_WEIGHT,
            occurred_on: made_on.clone(),
            thanked_on: None,
            interaction_id: None,
            goal_id,
            resource_id: None,
            origin: ExchangeOrigin::Introduction,
        };
        let exchange = Exchange::new(ExchangeId::new(tx.new_id()), now, exchange)?;
        Ok(Some(create(tx, exchange)?.id))
    };
    match fields.direction {
        IntroductionDirection::ByMe => {
            let given = ExchangeDirection::Given;
            fields.exchange_a_id = log(tx, a, given, format!("An introduction to {}", b.fields.name))?;
            fields.exchange_b_id = log(tx, b, given, format!("An introduction to {}", a.fields.name))?;
        }
        IntroductionDirection::ToMe => {
            let other = if a.fields.is_self { b } else { a };
            if let Some(introducer) = introducer {
                let description = format!("An introduction to {}", other.fields.name);
                fields.introducer_exchange_id = log(tx, introducer, ExchangeDirection::Received, description)?;
            }
        }
        IntroductionDirection::BetweenOthers => {}
    }
    Ok(())
}
