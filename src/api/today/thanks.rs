//! The thanks that are due in the view of a day.

use serde::Serialize;
use utoipa::ToSchema;

use super::moment::Moment;
use crate::api::http::messages::section::SectionOf;
use crate::api::http::records::contact_cards::ContactCards;
use crate::domain::card::ContactCard;
use crate::domain::exchange::Exchange;
use crate::domain::today::{self, TodayReason};
use crate::store::lists::Section;

/// Something that you received and have not said thanks for.
#[derive(Serialize, ToSchema)]
pub struct TodayThanks {
    reason: TodayReason,
    exchange: Exchange,
    contact: ContactCard,
}

// The document names a type that has no parameters.
pub type TodayThanksSection = SectionOf<TodayThanks>;

pub fn shown(moment: &Moment, cards: &ContactCards, section: Section<Exchange>) -> TodayThanksSection {
    let item = |exchange: Exchange| {
        let contact = cards.get(exchange.fields.contact_id)?;
        let days = moment.days_until_text(Some(&exchange.fields.occurred_on));
        let what = exchange.search_text().title;
        Some(TodayThanks { reason: today::thanks(&contact.name, &what, days), exchange, contact })
    };
    let on = moment.on;
    let list = format!("/v1/exchanges?direction=received&thanked=false&occurred_on[lte]={on}&sort=-occurred_on");
    SectionOf::shown(section, item, list)
}
