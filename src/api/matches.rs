//! Whose offer meets whose need.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::Api;
use super::http::caller::Caller;
use super::http::etag::{ListTag, list_tag, with_tag};
use super::http::listing::{DEFAULT_LIMIT, MAX_LIMIT, led_on, named, parse_id};
use super::http::page::PageOut;
use super::http::problem::Problem;
use super::http::query::Query;
use crate::domain::entity::Entity;
use crate::domain::id::ContactId;
use crate::store::AnyId;
use crate::store::matches::{self, Wanted};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_need_matches);
}

/// Stands for the summary of a contact, which the document makes of its fields.
#[derive(ToSchema)]
struct ContactSummary {}

/// Stands for the summary of a need.
#[derive(ToSchema)]
struct NeedSummary {}

/// A need that somebody's offer meets.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what the store serializes")]
struct NeedMatch {
    /// What is needed.
    need: NeedSummary,
    /// WriteContext needs it.
    contact: ContactSummary,
    /// What others offer: the 10 that meet it best, the best first. Never empty.
    offers: Vec<MatchedOffer>,
}

/// An offer that meets a need.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what the store serializes")]
struct MatchedOffer {
    /// What is offered.
    offer: NeedSummary,
    /// WriteContext offers it.
    contact: ContactSummary,
    /// How much of the need's topic the offer shares, 1 to 100: the weight of the words they share, of the weight of all
    /// words of the need. A word weighs one over the square root of the number of needs, offers and interests that have it
    /// (200 at most), so rare words count more. Of offers with the same weight the one with fewer other words comes first, then the newer.
    #[schema(minimum = 1, maximum = 100, example = 69)]
    score: i32,
    /// The words they share, in lower case and without accents, in the order of the need's topic. Of scripts without spaces
    /// between words: the longest stretches they share.
    #[schema(example = json!(["rust", "engineers"]))]
    shared: Vec<String>,
}

/// A page of needs that have offers.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct NeedMatchPage {
    /// The needs with their offers, the newest first.
    items: Vec<NeedMatch>,
    /// Where the next page begins, to send as `cursor`; null on the last page.
    next_cursor: Option<String>,
}

/// List whose offer meets whose need
///
/// The open needs, newest first, each with the open offers of other contacts that share words of its topic. Case and
/// accents do not count, nor do words such as "for" and "looking" in several languages. Needs that nothing meets are left
/// out. So are archived contacts and those who are not to be contacted (`do_not_contact`), whichever side they would be
/// on.
///
/// A page looks at 200 needs at most, so it may hold fewer than `limit`, or none, while `next_cursor` leads on. A word
/// finds offers among the newest 200 needs, offers and interests that have it, and a need is compared with the 30 that
/// seem best; with `offer_contact_id` every offer of that contact is looked at.
#[utoipa::path(tag = "needs", security(("bearer" = ["relationships:read", "contacts:read"])),
    params(
        ("need_contact_id" = inline(Option<ContactId>), Query, description = "Only what this contact needs: who can help them."),
        ("offer_contact_id" = inline(Option<ContactId>), Query, description = "Only what this contact offers: whom they can help."),
        ("cursor" = Option<String>, Query, description = "Where to go on: `next_cursor` of the page before.", max_length = 2048),
        ("limit" = Option<i64>, Query, description = "How many needs a page holds at most. Default: 50.", minimum = 1, maximum = 200)),
    responses((status = 200, description = "A page.", body = NeedMatchPage)))]
#[get("/v1/needs/matches")]
async fn list_need_matches(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, Problem> {
    caller.require(Entity::Contact, "read")?;
    let (workspace, path) = (caller.workspace, request.path());
    let binding = format!("{workspace}{path}?{}", query.canonical_without(&["cursor", "limit"]));
    let names = named(&query, &["need_contact_id", "offer_contact_id"], Entity::Contact);
    let found_by = led_on(&api, workspace, &query, names).await?;
    let wanted = wanted(&api, &found_by, &binding)?;
    let tag = match list_tag(&api, &caller, &request).await? {
        ListTag::Changed(tag) => tag,
        ListTag::Current(response) => return Ok(response),
    };
    let page = api.store.read(move |conn| matches::page(conn, workspace, wanted)).await?;
    let next = page.next.map(|next| api.cursors.seal(&binding, &next)).transpose()?;
    Ok(with_tag(PageOut::of(&page.items, next.as_deref()).respond(path, &query), &tag))
}

fn wanted(api: &Api, query: &Query, binding: &str) -> Result<Wanted, Problem> {
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    Ok(Wanted {
        need_contact: query.parsed("need_contact_id", parse_id)?,
        offer_contact: query.parsed("offer_contact_id", parse_id)?,
        after: query.one("cursor")?.map(|cursor| api.cursors.open::<AnyId>(binding, &cursor)).transpose()?,
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
    })
}
