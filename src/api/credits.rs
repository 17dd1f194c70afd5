//! Credits: whose help carries a goal, and whom thanks are owed.

use actix_web::http::Method;
use serde::Serialize;
use utoipa::ToSchema;

use super::context::Context;
use super::http::messages::conditional::{check_if_none_match, seq_and_today};
use super::http::messages::page::Page;
use super::http::messages::problem::Problem;
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::collection::{DEFAULT_LIMIT, MAX_LIMIT};
use super::http::records::operations::UncountedPageOf;
use super::http::records::resource::Cards;
use crate::domain::card::ContactCard;
use crate::domain::contact::Contact;
use crate::domain::goal::Goal;
use crate::store::credits::{self, Credit, Place};
use crate::store::{Conn, lists};

/// A contact who has helped with a goal, and how.
#[derive(Serialize, ToSchema)]
struct GoalCredit {
    contact: ContactCard,
    /// The number of exchanges for the goal in which you received something, mutual ones included.
    #[schema(minimum = 0, example = 2)]
    exchanges_received: i64,
    /// The number of introductions for the goal that the contact made to you.
    #[schema(minimum = 0, example = 1)]
    introductions_received: i64,
    /// The number of times you acted on feedback of the contact for the goal.
    #[schema(minimum = 0, example = 1)]
    feedback_acted_on: i64,
    /// The number of targets of the goal whom you met through the contact: those with its id as `introduced_by_id` in
    /// `how_met`.
    #[schema(minimum = 0, example = 1)]
    doors_opened: i64,
    /// The day of the last exchange, introduction or feedback of these. Null: the contact has only opened doors.
    #[schema(value_type = Option<String>, format = Date, example = "2026-02-20")]
    last_helped_on: Option<String>,
    /// The number of exchanges for the goal that you received and have not said thanks for. 0: you have said thanks for
    /// all of them.
    #[schema(minimum = 0, example = 1)]
    thanks_due: i64,
}

pub fn operations() -> Vec<Operation> {
    let docs = || {
        Docs::new("goals", "List the credits of a goal")
            .description(
                "Everyone whose help supports the goal: who gave you something in an exchange for it, introduced you to \
                 somebody for it or to one of its targets, or gave you feedback for it that you acted on. The most recent help comes first; \
                 contacts who only opened doors come last. Exchanges that introductions and feedback create count only \
                 towards `thanks_due`.",
            )
            .parameters([
                Parameter::cursor(),
                Parameter::limit("The maximum number of contacts on a page.", DEFAULT_LIMIT, MAX_LIMIT),
            ])
            .answer::<UncountedPageOf<GoalCredit>>(200, "A page.")
            .tagged(Tagged::View)
    };
    let scopes = ["goals:read", "contacts:read", "relationships:read"];
    vec![Operation::new(
        Method::GET,
        "/v1/goals/{id}/credits",
        "list_goal_credits",
        Access::Scopes(scopes.map(Into::into).to_vec()),
        Run::Read(list_credits),
        docs,
    )]
}

fn list_credits(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let (workspace, query, cursors) = (context.workspace(), context.query(), &context.api.cursors);
    let binding = format!("{workspace}{}?{}", context.call.path, query.canonical_without(&["cursor", "limit"]));
    let after: Option<Place> = query.one("cursor")?.map(|cursor| cursors.open(&binding, &cursor)).transpose()?;
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let (seq, today) = seq_and_today(context, conn)?;
    let goal = lists::find::<Goal>(conn, workspace, context.id()?)?;
    let tag = context.api.etags.of_day(workspace, seq, today);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let page = credits::page(conn, workspace, goal.id, after, limit)?;
    let next = page.next.map(|place| cursors.seal(&binding, &place)).transpose()?;
    let (people, credits): (Vec<Contact>, Vec<Credit>) = page.items.into_iter().unzip();
    let cards = Contact::cards(conn, workspace, &people, today)?;
    let item = |(contact, credit): (ContactCard, Credit)| {
        let Credit { exchanges, introductions, feedback, doors, last_helped_on, thanks_due } = credit;
        GoalCredit {
            contact,
            exchanges_received: exchanges,
            introductions_received: introductions,
            feedback_acted_on: feedback,
            doors_opened: doors,
            last_helped_on,
            thanks_due,
        }
    };
    let items: Vec<GoalCredit> = cards.into_iter().zip(credits).map(item).collect();
    Page::of_records(context, &items, next.as_deref()).respond(context, &tag)
}
