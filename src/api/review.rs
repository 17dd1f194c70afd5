//! The page of a weekly review: what moved and what stalled, which promises were kept, whom you met, what was given and received.

use actix_web::http::{Method, header};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::context::Context;
use super::http::messages::conditional::check_if_none_match;
use super::http::messages::problem::Problem;
use super::http::messages::response::Response;
use super::http::messages::section::SectionOf;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::contact_cards::ContactCards;
use super::http::records::resource::Cards;
use crate::domain::card::ContactCard;
use crate::domain::contact::Contact;
use crate::domain::exchange::ExchangeDirection;
use crate::domain::fields::{parse_day, serialize_number};
use crate::domain::follow_up::{FollowUp, OwedBy};
use crate::domain::goal::Goal;
use crate::domain::id::KeyResultId;
use crate::domain::invalid::Rejection;
use crate::domain::key_result::KeyResultMetric;
use crate::domain::locale::TimeZone;
use crate::domain::progress::Pace;
use crate::domain::review::{GoalMovement, MAX_DAYS, PromiseOutcome, ReviewPeriod};
use crate::store::progress::GoalProgress;
use crate::store::review::{self, ExchangeTotal, Promises, ReviewedGoal};
use crate::store::{Conn, Record, accounts, today as stored};

const _: () = assert!(MAX_DAYS == 366, "as the parameter says");

/// How many items a section shows.
const MAX_ITEMS: i64 = 20;

/// What happened in a period.
#[derive(Serialize, ToSchema)]
struct Review {
    /// The first day.
    #[schema(value_type = String, format = Date, example = "2026-02-24")]
    since: NaiveDate,
    /// The day after the last one.
    #[schema(value_type = String, format = Date, example = "2026-03-03")]
    until: NaiveDate,
    /// Active goals that began before the period was over, at most 50, those with the earliest due dates first; then those that
    /// were achieved in the period, at most 50.
    #[schema(max_items = 100)]
    goals: Vec<ReviewGoal>,
    /// What became of the follow-ups that were due in the period.
    promises: ReviewPromises,
    /// Contacts you met at events in the period, those added last first. At most 20. The list has an entry for each event.
    people_met: ReviewPersonSection,
    /// What was given and received in the period.
    exchanges: ReviewExchanges,
    counts: ReviewCounts,
}

/// How far a goal came in the period.
#[derive(Serialize, ToSchema)]
struct ReviewGoal {
    goal: Goal,
    movement: GoalMovement,
    /// The progress on the day before the period, 0 to 1. Null: there are no key results.
    #[schema(minimum = 0, maximum = 1, example = 0.3)]
    progress_before: Option<f64>,
    /// The progress on the last day of the period, 0 to 1. Null: there are no key results.
    #[schema(minimum = 0, maximum = 1, example = 0.4)]
    progress: Option<f64>,
    /// The pace on the last day of the period. Null: `progress` is null, the goal lacks one of its dates, or it is not active.
    pace: Option<Pace>,
    /// The key results, oldest first.
    key_results: Vec<ReviewKeyResult>,
    /// The number of targets that were added, or moved to their present stage, in the period.
    #[schema(minimum = 0, example = 2)]
    targets_moved: i64,
}

/// How far a key result came in the period.
#[derive(Serialize, ToSchema)]
struct ReviewKeyResult {
    /// The key result.
    id: KeyResultId,
    /// The title.
    #[schema(example = "Talk to ten product leads")]
    title: String,
    /// The value on the day before the period.
    #[serde(serialize_with = "serialize_number")]
    #[schema(example = 3)]
    before: f64,
    /// The value on the last day of the period.
    #[serde(serialize_with = "serialize_number")]
    #[schema(example = 4)]
    after: f64,
    /// The value to reach.
    #[serde(serialize_with = "serialize_number")]
    #[schema(example = 10)]
    target: f64,
}

/// What became of the follow-ups that were due in the period: yours, and those that others owe you.
#[derive(Serialize, ToSchema)]
struct ReviewPromises {
    /// Your own follow-ups.
    mine: ReviewPromiseCounts,
    /// Follow-ups that others owed you.
    theirs: ReviewPromiseCounts,
    /// Follow-ups of both kinds that slipped, earliest due date first. At most 20. The list has all follow-ups that were due in
    /// the period, whatever their outcome.
    slipped: ReviewSlippedSection,
}

/// How many follow-ups were done in time. Those that were skipped or cancelled do not count.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
struct ReviewPromiseCounts {
    /// Done on or before the day they were due. Snoozing does not move that day.
    #[schema(minimum = 0, example = 5)]
    kept: i64,
    /// Done later, or overdue today.
    #[schema(minimum = 0, example = 1)]
    slipped: i64,
    /// Pending, and not overdue today.
    #[schema(minimum = 0, example = 0)]
    open: i64,
}

/// A follow-up that slipped.
#[derive(Serialize, ToSchema)]
struct ReviewSlipped {
    follow_up: FollowUp,
    /// The contacts it is about.
    contacts: Vec<ContactCard>,
}

/// Somebody you met.
#[derive(Serialize, ToSchema)]
struct ReviewPerson {
    contact: ContactCard,
}

// The document names types that have no parameters.
type ReviewSlippedSection = SectionOf<ReviewSlipped>;
type ReviewPersonSection = SectionOf<ReviewPerson>;

/// What was given and received.
#[derive(Default, Serialize, ToSchema)]
struct ReviewExchanges {
    /// What you gave.
    given: ReviewExchangeSum,
    /// What you received.
    received: ReviewExchangeSum,
    /// What was mutual.
    mutual: ReviewExchangeSum,
}

/// How many exchanges there were.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
struct ReviewExchangeSum {
    /// The number of exchanges.
    #[schema(minimum = 0, example = 2)]
    count: i64,
    /// The sum of their weights.
    #[schema(minimum = 0, example = 6)]
    weight: i64,
}

/// Counts for the period. Each is counted like the metric of key results with the same name.
#[derive(Default, Serialize, ToSchema)]
struct ReviewCounts {
    /// Contacts you added, without those you only want to meet.
    #[schema(minimum = 0, example = 4)]
    contacts_added: i64,
    /// Interactions that happened and count towards cadences.
    #[schema(minimum = 0, example = 9)]
    interactions: i64,
    /// Those of them that are informational interviews.
    #[schema(minimum = 0, example = 1)]
    informational_interviews: i64,
    /// Your completed follow-ups.
    #[schema(minimum = 0, example = 6)]
    follow_ups_done: i64,
    /// Events you attended, without sessions.
    #[schema(minimum = 0, example = 1)]
    events_attended: i64,
    /// Contacts you met at events.
    #[schema(minimum = 0, example = 3)]
    people_met: i64,
    /// Introductions that you made.
    #[schema(minimum = 0, example = 1)]
    introductions_made: i64,
    /// Introductions that were made to you.
    #[schema(minimum = 0, example = 0)]
    introductions_received: i64,
    /// Feedback that you acted on.
    #[schema(minimum = 0, example = 1)]
    feedback_acted_on: i64,
    /// Posts, articles and shares that you published.
    #[schema(minimum = 0, example = 1)]
    posts_published: i64,
}

pub fn operations() -> Vec<Operation> {
    let docs = || {
        let day = |name: &'static str, description: &'static str, example: &str| {
            let schema = json!({ "type": "string", "format": "date" });
            Parameter::new(name, description, schema).example(json!(example))
        };
        Docs::new("review", "Get a review of a period")
            .description(
                "What you need for a weekly review: which goals moved or stalled, which promises were kept or slipped, whom \
                 you met, what you gave and received, and counts of what you did. Days are those of the workspace's time \
                 zone. Records are counted by their dates and in their current state.",
            )
            .parameters([
                day("since", "The first day. Default: seven days before `until`.", "2026-02-24"),
                day(
                    "until",
                    "The day after the last one; at most 366 days after `since`. Default: tomorrow.",
                    "2026-03-03",
                ),
            ])
            .answer::<Review>(200, "The review.")
            .tagged(Tagged::View)
    };
    let access = Access::read_every_area();
    vec![Operation::new(Method::GET, "/v1/review", "get_review", access, Run::Read(get_review), docs)]
}

fn get_review(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let (workspace, query) = (context.workspace(), context.query());
    let (since, until) = (query.parsed("since", parse_day)?, query.parsed("until", parse_day)?);
    // Read before all else, so that the tag is never newer than that.
    let (seq, zone) = accounts::seq_and_time_zone(conn, workspace)?;
    let today = zone.day(context.api.store.now());
    let period = ReviewPeriod::new(since, until, today).ok_or_else(|| {
        let name = if until.is_some() { "until" } else { "since" };
        let detail = format!("The period must have 1 to {MAX_DAYS} days; until is the day after the last one.");
        Problem::parameter(name, Rejection::format(detail).with("min", 1).with("max", MAX_DAYS))
    })?;
    let tag = context.api.etags.of_day(workspace, seq, today);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let found = review::read(conn, workspace, (period, zone), today, MAX_ITEMS)?;
    let concerned = found.promises.slipped.items.iter().map(|item| item.fields.contact_ids.as_slice());
    let mut people = stored::people(conn, workspace, stored::ids_of(concerned))?;
    people.extend(found.people_met.items.iter().map(|met| (Record::id(met), met.clone())));
    let people: Vec<Contact> = people.into_values().collect();
    let cards = ContactCards::new(Contact::cards(conn, workspace, &people, today)?);

    let review::Review { goals, promises, people_met, exchanges, counts } = found;
    let (from, before) = period.window().instants(zone);
    let met = format!("/v1/event-people?met_at[gte]={from}&met_at[lt]={before}");
    let person = |contact: Contact| Some(ReviewPerson { contact: cards.get(contact.id)? });
    let shown = Review {
        since: period.since,
        until: period.until,
        goals: goals.into_iter().map(|reviewed| goal(reviewed, period, zone)).collect(),
        promises: self::promises(promises, period, &cards),
        people_met: SectionOf::shown(people_met, person, met),
        exchanges: ReviewExchanges::of(&exchanges),
        counts: ReviewCounts::of(&counts),
    };
    Ok(context.json(&shown)?.header(header::ETAG, &tag))
}

fn goal(reviewed: ReviewedGoal, period: ReviewPeriod, zone: TimeZone) -> ReviewGoal {
    let ReviewedGoal { before, after, targets_moved } = reviewed;
    let GoalProgress { goal, key_results, standing } = after;
    let key_results: Vec<ReviewKeyResult> = before
        .key_results
        .iter()
        .zip(key_results)
        .map(|(before, after)| ReviewKeyResult {
            id: after.key_result.id,
            title: after.key_result.fields.title,
            before: before.current,
            after: after.current,
            target: after.key_result.fields.target_value,
        })
        .collect();
    let achieved = goal.fields.achieved_at.is_some_and(|at| period.contains(zone.day(at)));
    let values: Vec<(f64, f64)> = key_results.iter().map(|one| (one.before, one.after)).collect();
    ReviewGoal {
        movement: GoalMovement::of(achieved, &values, targets_moved),
        progress_before: before.standing.progress,
        progress: standing.progress,
        pace: standing.pace,
        key_results,
        targets_moved,
        goal,
    }
}

fn promises(promises: Promises, period: ReviewPeriod, cards: &ContactCards) -> ReviewPromises {
    let (mut mine, mut theirs) = (ReviewPromiseCounts::default(), ReviewPromiseCounts::default());
    for (owed_by, outcome) in promises.outcomes {
        let counts = match owed_by {
            OwedBy::Me => &mut mine,
            OwedBy::Them => &mut theirs,
        };
        *match outcome {
            PromiseOutcome::Kept => &mut counts.kept,
            PromiseOutcome::Slipped => &mut counts.slipped,
            PromiseOutcome::Open => &mut counts.open,
        } += 1;
    }
    let item = |follow_up: FollowUp| {
        let contacts = cards.get_all(&follow_up.fields.contact_ids);
        Some(ReviewSlipped { follow_up, contacts })
    };
    let ReviewPeriod { since, until } = period;
    let list = format!("/v1/follow-ups?due_on[gte]={since}&due_on[lt]={until}&sort=due_on");
    ReviewPromises { mine, theirs, slipped: SectionOf::shown(promises.slipped, item, list) }
}

impl ReviewExchanges {
    fn of(exchanged: &[ExchangeTotal]) -> Self {
        let mut sums = Self::default();
        for ExchangeTotal { direction, count, weight } in exchanged.iter().copied() {
            *match direction {
                ExchangeDirection::Given => &mut sums.given,
                ExchangeDirection::Received => &mut sums.received,
                ExchangeDirection::Mutual => &mut sums.mutual,
            } = ReviewExchangeSum { count, weight };
        }
        sums
    }
}

impl ReviewCounts {
    fn of(counts: &[(KeyResultMetric, i64)]) -> Self {
        let count = |metric| counts.iter().find(|(counted, _)| *counted == metric).map_or(0, |(_, count)| *count);
        Self {
            contacts_added: count(KeyResultMetric::ContactsAdded),
            interactions: count(KeyResultMetric::Interactions),
            informational_interviews: count(KeyResultMetric::InformationalInterviews),
            follow_ups_done: count(KeyResultMetric::FollowUpsDone),
            events_attended: count(KeyResultMetric::EventsAttended),
            people_met: count(KeyResultMetric::PeopleMet),
            introductions_made: count(KeyResultMetric::IntroductionsMade),
            introductions_received: count(KeyResultMetric::IntroductionsReceived),
            feedback_acted_on: count(KeyResultMetric::FeedbackActedOn),
            posts_published: count(KeyResultMetric::PostsPublished),
        }
    }
}
