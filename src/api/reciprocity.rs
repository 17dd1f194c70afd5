//! Reciprocity: how far you and each contact are even, whom you owe thanks, and who has only been asked.

use actix_web::http::Method;
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::context::Context;
use super::http::messages::conditional::check_if_none_match;
use super::http::messages::page::Page;
use super::http::messages::problem::Problem;
use super::http::messages::query::parse_flag;
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::collection::{DEFAULT_LIMIT, MAX_LIMIT};
use super::http::records::operations::UncountedPageOf;
use super::http::records::resource::Cards;
use crate::domain::card::ContactCard;
use crate::domain::contact::Contact;
use crate::domain::exchange::ExchangeBalance;
use crate::domain::fields::parse_day;
use crate::domain::invalid::Rejection;
use crate::store::reciprocity::{self as stored, Exchanged, Place, Wanted};
use crate::store::{Conn, Direction, accounts};

/// What was exchanged with a contact.
#[derive(Serialize, ToSchema)]
pub struct Reciprocity {
    /// What was given and received, older exchanges counting less.
    balance: ExchangeBalance,
    /// The number of exchanges in which you gave.
    #[schema(minimum = 0, example = 3)]
    given_count: i64,
    /// The number of exchanges in which you received.
    #[schema(minimum = 0, example = 4)]
    received_count: i64,
    /// The day on which you gave last. Null: you have not.
    #[schema(value_type = Option<String>, format = Date, example = "2026-01-15")]
    last_given_on: Option<String>,
    /// The day on which you received last. Null: you have not.
    #[schema(value_type = Option<String>, format = Date, example = "2026-02-20")]
    last_received_on: Option<String>,
    /// The number of exchanges that you received and have not said thanks for.
    #[schema(minimum = 0, example = 1)]
    thanks_due: i64,
    /// Whether you have received, and given nothing: the contact has only been asked.
    #[schema(example = false)]
    only_asked: bool,
}

/// A contact, and what was exchanged with them.
#[derive(Serialize, ToSchema)]
struct ReciprocityItem {
    /// The contact.
    contact: ContactCard,
    reciprocity: Reciprocity,
}

impl Reciprocity {
    pub fn of(own: Exchanged) -> Self {
        let only_asked = own.is_only_asked();
        let Exchanged { balance, given_count, received_count, last_given_on, last_received_on, thanks_due } = own;
        Self { balance, given_count, received_count, last_given_on, last_received_on, thanks_due, only_asked }
    }
}

pub fn operations() -> Vec<Operation> {
    let docs = || {
        let flag = json!({ "type": "boolean" });
        let sorts = json!({ "type": "string", "enum": ["balance", "-balance"] });
        Docs::new("exchanges", "List reciprocity")
            .description(
                "Contacts with whom you have exchanged something, with what was given and received by a day. A weight \
                 is halved for every 365 days since its exchange. What is mutual counts on neither side. All pages use \
                 the day of the first page.",
            )
            .parameters([
                Parameter::new(
                    "on",
                    "The day to calculate for; later exchanges do not count. Default: today in the workspace's time \
                     zone.",
                    json!({ "type": "string", "format": "date" }),
                )
                .example(json!("2026-03-02")),
                Parameter::new("thanks_due", "Whether to list only contacts whom you owe thanks.", flag.clone()),
                Parameter::new(
                    "only_asked",
                    "Whether to list only contacts from whom you have received, and to whom you have given nothing.",
                    flag,
                ),
                Parameter::new(
                    "sort",
                    "The order: by balance, those from whom you have received most first, or with `-` those to whom \
                     you have given most first. Default: `balance`.",
                    sorts,
                ),
                Parameter::cursor(),
                Parameter::limit("The maximum number of contacts on a page.", DEFAULT_LIMIT, MAX_LIMIT),
            ])
            .answer::<UncountedPageOf<ReciprocityItem>>(200, "A page.")
            .tagged(Tagged::View)
    };
    let access = Access::Scopes(vec!["contacts:read".into(), "relationships:read".into()]);
    let path = "/v1/reciprocity";
    vec![Operation::new(Method::GET, path, "list_reciprocity", access, Run::Read(list_reciprocity), docs)]
}

fn list_reciprocity(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let (workspace, query, etags) = (context.workspace(), context.query(), &context.api.etags);
    let binding = format!("{workspace}{}?{}", context.call.path, query.canonical_without(&["cursor", "limit"]));
    let cursors = &context.api.cursors;
    let after: Option<(NaiveDate, Place)> =
        query.one("cursor")?.map(|cursor| cursors.open(&binding, &cursor)).transpose()?;
    let asked_on = query.parsed("on", parse_day)?;
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let thanks_due = query.parsed("thanks_due", parse_flag)?.unwrap_or_default();
    let only_asked = query.parsed("only_asked", parse_flag)?.unwrap_or_default();
    let direction = query.parsed("sort", |sort| match sort {
        "balance" => Ok(Direction::Ascending),
        "-balance" => Ok(Direction::Descending),
        _ => Err(Rejection::not_one_of(&["balance", "-balance"])),
    })?;
    let (seq, zone) = accounts::seq_and_time_zone(conn, workspace)?;
    let today = zone.day(context.api.store.now());
    let tag = etags.of_day(workspace, seq, today);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let on = after.map_or_else(|| asked_on.unwrap_or(today), |(on, _)| on);
    let wanted = Wanted {
        on,
        thanks_due,
        only_asked,
        direction: direction.unwrap_or(Direction::Ascending),
        after: after.map(|(_, place)| place),
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
    };
    let page = stored::page(conn, workspace, &wanted)?;
    let next = page.next.map(|place| cursors.seal(&binding, &(on, place))).transpose()?;
    let people: Vec<Contact> = page.items.iter().map(|(contact, _)| contact.clone()).collect();
    let cards = Contact::cards(conn, workspace, &people, today)?;
    let items: Vec<ReciprocityItem> = page
        .items
        .into_iter()
        .zip(cards)
        .map(|((_, own), contact)| ReciprocityItem { contact, reciprocity: Reciprocity::of(own) })
        .collect();
    let shown = Page::of_records(context, &items, next.as_deref());
    shown.respond(context, &tag)
}
