//! Who fits the personas of a goal.

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
use super::http::records::operations::PageOf;
use super::http::records::resource::Cards;
use crate::domain::card::ContactCard;
use crate::domain::contact::Contact;
use crate::domain::goal::Goal;
use crate::domain::persona::{CandidateReason, PersonaFit};
use crate::store::candidates::{self, Place};
use crate::store::{Conn, lists};

/// A contact who fits a persona of the goal.
#[derive(Serialize, ToSchema)]
struct GoalCandidate {
    contact: ContactCard,
    /// The key of the persona that they fit best.
    #[schema(max_length = 64, example = "product_lead")]
    persona: String,
    /// The percentage of the criteria of the persona that the contact matches.
    #[schema(minimum = 50, maximum = 100, example = 100)]
    score: u8,
    /// What fits, one reason for each criterion.
    reasons: Vec<CandidateReason>,
}

pub fn operations() -> Vec<Operation> {
    let docs = || {
        Docs::new("goals", "List the candidates of a goal")
            .description(
                "Contacts who fit at least half of the criteria of one of the goal's personas and are not among its \
                 targets yet, with the reasons; the best fit first, then the newest contact. Includes contacts you do \
                 not know yet; excludes archived contacts and those with `do_not_contact`. All words of a criterion \
                 must match; case and accents are ignored. Titles and seniorities are matched against the titles of \
                 current positions and the headline; industries against the organizations of current positions; \
                 locations against those organizations and the own location and addresses of the contact; topics \
                 against open needs, skills, tags, the headline and `about`.\n\n\
                 Each criterion considers at most the newest 200 matches, and at most the newest 1,000 contacts are \
                 compared in total.",
            )
            .parameters([
                Parameter::cursor(),
                Parameter::limit("The maximum number of candidates on a page.", DEFAULT_LIMIT, MAX_LIMIT),
            ])
            .answer::<PageOf<GoalCandidate>>(200, "A page.")
            .tagged(Tagged::View)
    };
    let scopes = ["goals:read", "contacts:read", "relationships:read"];
    vec![Operation::new(
        Method::GET,
        "/v1/goals/{id}/candidates",
        "list_goal_candidates",
        Access::Scopes(scopes.map(Into::into).to_vec()),
        Run::Read(list_candidates),
        docs,
    )]
}

fn list_candidates(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
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
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let page = candidates::page(conn, workspace, &goal, today, after, limit)?;
    let next = page.next.map(|place| cursors.seal(&binding, &place)).transpose()?;
    let people: Vec<Contact> = page.items.iter().map(|candidate| candidate.contact.clone()).collect();
    let cards = Contact::cards(conn, workspace, &people, today)?;
    let item = |(contact, fit): (ContactCard, PersonaFit)| {
        let PersonaFit { score, persona, reasons } = fit;
        GoalCandidate { contact, persona, score, reasons }
    };
    let fits = page.items.into_iter().map(|candidate| candidate.fit);
    let items: Vec<GoalCandidate> = cards.into_iter().zip(fits).map(item).collect();
    Page::of_records(context, &items, next.as_deref()).respond(context, &tag)
}
