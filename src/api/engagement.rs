//! Engagement with posts, by month and by contact.

use actix_web::http::{Method, header};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::context::Context;
use super::http::messages::conditional::check_if_none_match;
use super::http::messages::problem::Problem;
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::collection::{check_length, named, parse_id, resolve_merged_ids};
use super::http::records::resource::Cards;
use crate::domain::card::ContactCard;
use crate::domain::contact::Contact;
use crate::domain::engagement::{EngagementCounts, MAX_MONTHS, MonthSpan, default_since, months};
use crate::domain::entity::Entity;
use crate::domain::fields::{MAX_PLATFORM_CHARACTERS, parse_day};
use crate::domain::invalid::Rejection;
use crate::store::engagement::{self, Asked};
use crate::store::{Conn, accounts};

const _: () = assert!(MAX_MONTHS == 24, "as the schemas say");

/// How many contacts are shown.
const MAX_PEOPLE: usize = 100;

/// Engagement with posts in a period.
#[derive(Serialize, ToSchema)]
struct Engagement {
    /// The first day.
    #[schema(value_type = String, format = Date, example = "2025-04-01")]
    since: NaiveDate,
    /// The day after the last one.
    #[schema(value_type = String, format = Date, example = "2026-03-03")]
    until: NaiveDate,
    /// The months of the period, in order.
    #[schema(max_items = 24)]
    months: Vec<EngagementMonth>,
    /// With whom, the most first. What concerns several contacts counts for each.
    #[schema(max_items = 100)]
    items: Vec<EngagementPerson>,
    /// How many contacts there are in all.
    #[schema(minimum = 0, example = 2)]
    total: usize,
}

/// Engagement in a month, or as much of it as lies in the period.
#[derive(Serialize, ToSchema)]
struct EngagementMonth {
    /// The month.
    #[schema(max_length = 7, example = "2026-03")]
    month: String,
    counts: EngagementCounts,
}

/// Engagement with a contact.
#[derive(Serialize, ToSchema)]
struct EngagementPerson {
    contact: ContactCard,
    counts: EngagementCounts,
}

/// A period of months.
pub struct Period {
    pub since: NaiveDate,
    pub until: NaiveDate,
    pub months: Vec<MonthSpan>,
}

/// The parameters that a period is read from.
pub fn period_parameters() -> [Parameter; 2] {
    let day = |name: &'static str, description: &'static str, example: &str| {
        Parameter::new(name, description, json!({ "type": "string", "format": "date" })).example(json!(example))
    };
    [
        day(
            "since",
            "The first day. Default: the first day of the month 11 months before today, in the time zone of the workspace.",
            "2026-01-01",
        ),
        day(
            "until",
            "The day after the last one; at most 24 months after `since`. Default: tomorrow.",
            "2026-03-03",
        ),
    ]
}

pub fn period(context: &Context, today: NaiveDate) -> Result<Period, Problem> {
    let query = context.query();
    let (since, until) = (query.parsed("since", parse_day)?, query.parsed("until", parse_day)?);
    let until = until.or_else(|| today.succ_opt()).unwrap_or(today);
    let since = since.unwrap_or_else(|| default_since(today));
    let months = months(since, until);
    if months.is_empty() || months.len() > MAX_MONTHS {
        let detail = format!("It must be after since, by at most {MAX_MONTHS} months.");
        let rejection = Rejection::format(detail).with("max", MAX_MONTHS);
        return Err(Problem::parameter("until", rejection));
    }
    Ok(Period { since, until, months })
}

pub fn operations() -> Vec<Operation> {
    let docs = || {
        let [since, until] = period_parameters();
        Docs::new("posts", "Get engagement with posts")
            .description(
                "Comments, reactions and shares (interactions of these kinds that happened): yours with posts of others \
                 (`outbound`), and those of others with yours (`inbound`), by month and by contact. The platform of one is that \
                 of its post, or else of its community, or else of its `url`.",
            )
            .parameters([
                since,
                until,
                Parameter::id("contact_id", "Only with this contact.", Entity::Contact),
                Parameter::text("platform", "Only on this platform, in lower case.", 1, MAX_PLATFORM_CHARACTERS)
                    .example(json!("linkedin")),
            ])
            .answer::<Engagement>(200, "The engagement.")
            .tagged(Tagged::View)
    };
    let access = Access::Scopes(["online:read", "interactions:read", "contacts:read"].map(Into::into).to_vec());
    let name = "get_engagement";
    vec![Operation::new(Method::GET, "/v1/engagement", name, access, Run::Read(get_engagement), docs)]
}

fn get_engagement(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let (workspace, query) = (context.workspace(), context.query());
    // Read before all else, so that the tag is never newer than that.
    let (seq, zone) = accounts::seq_and_time_zone(conn, workspace)?;
    let today = zone.day(context.api.store.now());
    let Period { since, until, months } = period(context, today)?;
    query.parsed("contact_id", parse_id)?;
    let platform = query.parsed("platform", |platform| {
        check_length(platform, MAX_PLATFORM_CHARACTERS)?;
        Ok(platform.to_lowercase())
    })?;
    let resolved = resolve_merged_ids(context, conn, &named(query, &["contact_id"], Entity::Contact))?;
    let asked = Asked { contact: resolved.parsed("contact_id", parse_id)?, community: None, platform };
    let tag = context.api.etags.of_day(workspace, seq, today);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let found = engagement::read(conn, workspace, zone, (&months, &asked), MAX_PEOPLE)?;
    let (people, counts): (Vec<Contact>, Vec<EngagementCounts>) = found.people.into_iter().unzip();
    let cards = Contact::cards(conn, workspace, &people, today)?;
    let person = |(contact, counts)| EngagementPerson { contact, counts };
    let month = |(span, counts): (&MonthSpan, EngagementCounts)| EngagementMonth { month: span.name(), counts };
    let shown = Engagement {
        since,
        until,
        months: months.iter().zip(found.months).map(month).collect(),
        items: cards.into_iter().zip(counts).map(person).collect(),
        total: found.people_total,
    };
    Ok(context.json(&shown)?.header(header::ETAG, &tag))
}
