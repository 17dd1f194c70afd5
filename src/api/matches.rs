//! Whose offer meets whose need.

use actix_web::http::Method;
use utoipa::ToSchema;

use super::context::Context;
use super::http::messages::conditional::{check_if_none_match, workspace_tag};
use super::http::messages::page::Page;
use super::http::messages::problem::Problem;
use super::http::messages::query::Query;
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::collection::{DEFAULT_LIMIT, MAX_LIMIT, named, parse_id, resolve_merged_ids};
use crate::domain::entity::Entity;
use crate::store::matches::{self, Wanted};
use crate::store::{AnyId, Conn};

/// Stands for the summary of a contact, which the document makes of its fields.
#[derive(ToSchema)]
struct ContactSummary {}

/// Stands for the summary of a need.
#[derive(ToSchema)]
struct NeedSummary {}

/// A need with the offers that match it.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what the store serializes")]
struct NeedMatch {
    /// The need.
    need: NeedSummary,
    /// The contact who needs it.
    contact: ContactSummary,
    /// The 10 best matching offers of other contacts, best first. Never empty.
    offers: Vec<MatchedOffer>,
}

/// An offer that matches a need.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what the store serializes")]
struct MatchedOffer {
    /// The offer.
    offer: NeedSummary,
    /// The contact who offers it.
    contact: ContactSummary,
    /// How much of the need's topic the offer shares, 1 to 100: the weight of the shared words as a percentage of
    /// the weight of all words of the need. A word weighs one over the square root of the number of needs, offers
    /// and interests that have it (200 at most), so rare words count more. Of offers with the same score, the one
    /// with fewer other words comes first, then the newer one.
    #[schema(minimum = 1, maximum = 100, example = 69)]
    score: i32,
    /// The shared words, in lower case and without accents, in the order of the need's topic. In scripts without
    /// spaces between words: the longest shared substrings.
    #[schema(example = json!(["rust", "engineers"]))]
    shared: Vec<String>,
}

/// A page of needs with matching offers.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct NeedMatchPage {
    /// The needs with their offers, newest first.
    items: Vec<NeedMatch>,
    /// The `cursor` of the next page; null on the last page.
    #[schema(max_length = 2048)]
    next_cursor: Option<String>,
}

fn list_need_matches(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let (workspace, query, cursors) = (context.workspace(), context.query(), &context.api.cursors);
    let binding = format!("{workspace}{}?{}", context.call.path, query.canonical_without(&["cursor", "limit"]));
    let names = named(query, &["need_contact_id", "offer_contact_id"], Entity::Contact);
    let wanted = wanted(context, query, &binding)?;
    let resolved = resolve_merged_ids(context, conn, &names)?;
    let wanted = Wanted {
        need_contact: resolved.parsed("need_contact_id", parse_id)?,
        offer_contact: resolved.parsed("offer_contact_id", parse_id)?,
        ..wanted
    };
    let tag = workspace_tag(context, conn)?;
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let page = matches::page(conn, workspace, wanted)?;
    let next = page.next.map(|next| cursors.seal(&binding, &next)).transpose()?;
    Page::new(&page.items, next.as_deref()).respond(context, &tag)
}

fn wanted(context: &Context, query: &Query, binding: &str) -> Result<Wanted, Problem> {
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let cursors = &context.api.cursors;
    Ok(Wanted {
        need_contact: query.parsed("need_contact_id", parse_id)?,
        offer_contact: query.parsed("offer_contact_id", parse_id)?,
        after: query.one("cursor")?.map(|cursor| cursors.open::<AnyId>(binding, &cursor)).transpose()?,
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
    })
}

pub fn operations() -> Vec<Operation> {
    let docs = || {
        Docs::new("needs", "List matches of needs and offers")
            .description(
                "The open needs, newest first, each with the open offers of other contacts that share words of its \
                 topic. Case and accents are ignored, and so are words such as \"for\" and \"looking\" in several \
                 languages. Needs without a matching offer are left out, and so are archived contacts and those with \
                 `do_not_contact`, on either side.\n\n\
                 A page examines at most 200 needs, so it may hold fewer than `limit`, or none, while there is a \
                 `next_cursor`. A word finds offers among the newest 200 needs, offers and interests that have it, \
                 and a need is compared with the 30 that seem best; with `offer_contact_id` all offers of that \
                 contact are compared.",
            )
            .parameters([
                Parameter::id("need_contact_id", "Only the needs of this contact: who can help them.", Entity::Contact),
                Parameter::id("offer_contact_id", "Only the offers of this contact: whom they can help.", Entity::Contact),
                Parameter::cursor(),
                Parameter::limit("The maximum number of needs on a page.", DEFAULT_LIMIT, MAX_LIMIT),
            ])
            .answer::<NeedMatchPage>(200, "A page.")
            .tagged(Tagged::View)
    };
    let access = Access::Scopes(vec!["relationships:read".into(), "contacts:read".into()]);
    vec![Operation::new(
        Method::GET,
        "/v1/needs/matches",
        "list_need_matches",
        access,
        Run::Read(list_need_matches),
        docs,
    )]
}
