//! Communities, and how active you are in one.

use actix_web::http::{Method, header};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::context::Context;
use super::engagement::{Period, period, period_parameters};
use super::http::messages::conditional::check_if_none_match;
use super::http::messages::problem::{Code, Problem};
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::records::collection::{Collection, Filter, FilterFn, Operators, Values, listed, reference, word};
use super::http::records::operations::of_record;
use super::http::records::resource::{Resource, Texts};
use crate::domain::community::{Community, CommunityKind, CommunityStatus};
use crate::domain::engagement::{EngagementCounts, MonthSpan};
use crate::domain::entity::Entity;
use crate::domain::fields::MAX_PLATFORM_CHARACTERS;
use crate::domain::post::PostKind;
use crate::domain::timestamp::Timestamp;
use crate::store::relations::{Link, Relation};
use crate::store::{Conn, ID, Record, accounts, communities as stored, engagement, lists, posts};

const fn to(name: &'static str, description: &'static str, entity: Entity, pointer: &'static str) -> Relation {
    Relation { name, description, link: Link::To(entity, pointer), with: &[] }
}

pub const COLLECTION: Collection = Collection {
    entity: Entity::Community,
    sorts: &[
        ("id", ID),
        ("created_at", stored::CREATED_AT),
        ("updated_at", stored::UPDATED_AT),
        ("name", stored::NAME),
    ],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    relations: &[
        to("organization", "The organization that runs it.", Entity::Organization, "/organization_id"),
        to("contacts", "The members, in the order of `contact_ids`.", Entity::Contact, "/contact_ids"),
        to("goals", "The goals that it is for, in the order of `goal_ids`.", Entity::Goal, "/goal_ids"),
    ],
    filters: &[
        Filter {
            name: "kind",
            description: "The kind of community.",
            values: Values::Enumeration("CommunityKind", CommunityKind::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, kind| word(stored::KIND, comparison, kind)),
        },
        Filter {
            name: "status",
            description: "The status.",
            values: Values::Enumeration("CommunityStatus", CommunityStatus::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, status| word(stored::STATUS, comparison, status)),
        },
        Filter {
            name: "platform",
            description: "The platform, in lower case.",
            values: Values::Text { max_length: MAX_PLATFORM_CHARACTERS, example: "linkedin" },
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, platform| word(stored::PLATFORM, comparison, platform)),
        },
        Filter {
            name: "organization_id",
            description: "The organization that runs it.",
            values: Values::Id(Entity::Organization),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::ORGANIZATION, id)),
        },
        Filter {
            name: "contact_id",
            description: "A contact who is a member.",
            values: Values::Id(Entity::Contact),
            operators: Operators::Set,
            default: None,
            predicate: FilterFn::Always(|_, id| listed(Entity::Community, Entity::Contact, id)),
        },
        Filter {
            name: "goal_id",
            description: "A goal that it is for.",
            values: Values::Id(Entity::Goal),
            operators: Operators::Set,
            default: None,
            predicate: FilterFn::Always(|_, id| listed(Entity::Community, Entity::Goal, id)),
        },
    ],
};

impl Resource for Community {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "communities",
        one: "a community",
        many: "communities",
        create_example: || {
            json!({
                "name": "Climate Product Leaders", "url": "https://www.linkedin.com/groups/1234567", "kind": "group",
                "status": "joined", "purpose": "Meet those who hire in climate tech.", "target_posts_per_month": 2,
            })
        },
        update_example: || json!({ "status": "active", "contact_ids": ["01939d5e-8c00-7000-8000-0000000000a1"] }),
        write_errors: &[Code::InvalidTransition],
        delete_errors: &[],
    };
}

/// How active you are in a community, month by month.
#[derive(Serialize, ToSchema)]
struct CommunityActivity {
    /// The community.
    community: Community,
    /// The first day.
    #[schema(value_type = String, format = Date, example = "2025-04-01")]
    since: NaiveDate,
    /// The day after the last one.
    #[schema(value_type = String, format = Date, example = "2026-03-03")]
    until: NaiveDate,
    /// The months of the period, in order.
    #[schema(max_items = 24)]
    months: Vec<CommunityMonth>,
}

/// A month in a community, or as much of it as lies in the period.
#[derive(Serialize, ToSchema)]
struct CommunityMonth {
    /// The month.
    #[schema(max_length = 7, example = "2026-03")]
    month: String,
    /// How many posts, articles and shares you published there.
    #[schema(minimum = 0, example = 2)]
    posts: i64,
    /// How many comments and replies you published there as posts of your own.
    #[schema(minimum = 0, example = 1)]
    replies: i64,
    /// The target. Null: none.
    #[schema(example = 2)]
    target: Option<i32>,
    /// Whether `posts` has reached the target. Null: there is none.
    #[schema(example = true)]
    target_met: Option<bool>,
    engagement: EngagementCounts,
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<Community>();
    let docs = || {
        Docs::new("communities", "Get the activity in a community")
            .description(
                "Your posts that were published in the community, and the engagement there, by month, against the target that \
                 the community has now. Engagement are interactions of kind `comment`, `reaction` or `share` that happened and \
                 have its id as `community_id`. Posts that were dropped after they were published do not count.",
            )
            .parameters(period_parameters())
            .answer::<CommunityActivity>(200, "The activity.")
            .tagged(Tagged::View)
    };
    let access = Access::Scopes(["online:read", "interactions:read"].map(Into::into).to_vec());
    let path = "/v1/communities/{id}/activity";
    let name = "get_community_activity";
    operations.push(Operation::new(Method::GET, path, name, access, Run::Read(get_activity), docs));
    operations
}

fn get_activity(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let workspace = context.workspace();
    // Read before all else, so that the tag is never newer than that.
    let (seq, zone) = accounts::seq_and_time_zone(conn, workspace)?;
    let today = zone.day(context.api.store.now());
    let Period { since, until, months } = period(context, today)?;
    let community = lists::find::<Community>(conn, workspace, context.id()?)?;
    let tag = context.api.etags.of_day(workspace, seq, today);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let asked = engagement::Asked { community: Some(Record::id(&community)), ..engagement::Asked::default() };
    let engaged = engagement::by_month(conn, workspace, zone, &months, &asked)?;
    let within = (zone.start_of(since), zone.start_of(until));
    let published = posts::published_in(conn, workspace, community.id, within)?;
    let target = community.fields.target_posts_per_month;
    let month = |(span, engagement): (&MonthSpan, EngagementCounts)| {
        let within = (zone.start_of(span.first), zone.start_of(span.last.succ_opt().unwrap_or(span.last)));
        let count = |is_own: bool| number_of(&published, within, is_own);
        let posts = count(true);
        CommunityMonth {
            month: span.name(),
            posts,
            replies: count(false),
            target,
            target_met: target.map(|target| posts >= i64::from(target)),
            engagement,
        }
    };
    let months = months.iter().zip(engaged).map(month).collect();
    let activity = CommunityActivity { since, until, months, community };
    Ok(context.json(&activity)?.header(header::ETAG, &tag))
}

/// How many were published between two instants: posts of their own, or answers.
fn number_of(published: &[(Timestamp, PostKind)], (from, until): (Timestamp, Timestamp), is_own: bool) -> i64 {
    let fit = published.iter().filter(|(at, kind)| (from..until).contains(at) && kind.is_own() == is_own);
    i64::try_from(fit.count()).unwrap_or(i64::MAX)
}
