//! The view of a day: what to do, and why.

mod events;
mod feedback;
mod moment;
mod posts;
mod thanks;

use actix_web::http::{Method, header};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use self::events::{TodayDebriefSection, TodayEventSection};
use self::feedback::TodayFeedbackSection;
use self::moment::Moment;
use self::posts::TodayPostSection;
use self::thanks::TodayThanksSection;
use super::context::Context;
use super::http::messages::conditional::check_if_none_match;
use super::http::messages::problem::Problem;
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::contact_cards::ContactCards;
use super::http::records::resource::Cards;
use crate::domain::anniversary::{day_key, days_ahead};
use crate::domain::cadence::CadenceState;
use crate::domain::card::ContactCard;
use crate::domain::contact::{Contact, ContactDate};
use crate::domain::event::Event;
use crate::domain::feedback::OPEN_DAYS;
use crate::domain::fields::parse_day;
use crate::domain::follow_up::{FollowUp, OwedBy};
use crate::domain::goal::Goal;
use crate::domain::id::ContactId;
use crate::domain::interaction::Interaction;
use crate::domain::partial_date::PartialDate;
use crate::domain::timestamp::Timestamp;
use crate::domain::today::{self, DAYS_AHEAD, DEBRIEF_DAYS, TodayReason, TodaySetupCode};
use crate::store::keep_in_touch::{self, Wanted};
use crate::store::lists::Section;
use crate::store::progress::{GoalProgress, On};
use crate::store::today as stored;
use crate::store::{
    Conn, Record, Result as StoreResult, accounts, events as stored_events, feedback as stored_feedback,
    posts as stored_posts,
};

/// How many items a section shows.
const MAX_ITEMS: u8 = 20;

/// What to do on a day, and why.
#[derive(Serialize, ToSchema)]
struct Today {
    /// The day.
    #[schema(value_type = String, format = Date, example = "2026-03-02")]
    on: NaiveDate,
    /// When the day ends in the workspace's time zone: until then the view changes only when records do, or when the time of
    /// a planned interaction passes or an event is over.
    valid_until: Timestamp,
    /// Your follow-ups that are due.
    follow_ups: TodayFollowUps,
    /// Follow-ups that others owe you and that are due.
    promises: TodayFollowUps,
    /// Contacts you are due to get in touch with.
    contacts: TodayContacts,
    /// Birthdays and other dates of this day and the next 14.
    dates: TodayDates,
    /// Interactions planned for this day and the next 14.
    planned: TodayInteractions,
    /// Planned interactions whose time has passed.
    awaiting_outcome: TodayInteractions,
    /// Active goals that are at risk or overdue.
    goals: TodayGoals,
    /// Events that start on this day or in the next 14, or are under way, and that you may still go to: the next one first, at
    /// most 20. Days are those of each event's own time zone. Sessions and events that are cancelled or postponed are left
    /// out; only the 200 events that end first are considered. The list has those that start in this time, with sessions.
    events: TodayEventSection,
    /// Events that ended within the last 14 days, that you registered for or attended, and that have no debrief: the latest
    /// first, at most 20. Sessions are left out; the list has those that started in this time, with sessions.
    events_to_debrief: TodayDebriefSection,
    /// What you received and have not said thanks for, the latest first. At most 20.
    thanks: TodayThanksSection,
    /// Feedback that is open and has not moved for 14 days, the oldest first. At most 20.
    feedback: TodayFeedbackSection,
    /// Posts that are scheduled for this day or were for one before it, the oldest first. At most 20.
    posts: TodayPostSection,
    /// First steps not taken yet; empty when all are done.
    setup: Vec<TodaySetupStep>,
}

/// Pending follow-ups whose day has come, the oldest first: yours, or as `promises` those that others owe you.
#[derive(Serialize, ToSchema)]
struct TodayFollowUps {
    /// At most 20.
    #[schema(max_items = 20)]
    items: Vec<TodayFollowUp>,
    /// The number of all of them.
    #[schema(minimum = 0, example = 3)]
    total: i64,
    /// The path of the whole list.
    #[schema(
        example = "/v1/follow-ups?status=pending&owed_by=me&actionable_on[lte]=2026-03-02&sort=actionable_on"
    )]
    list: String,
}

/// A follow-up that is due.
#[derive(Serialize, ToSchema)]
struct TodayFollowUp {
    reason: TodayReason,
    follow_up: FollowUp,
    /// The contacts it is about.
    contacts: Vec<ContactCard>,
}

/// Contacts who are due by their cadence, the most overdue in relation to their interval first. Those with whom an interaction
/// is planned are left out.
#[derive(Serialize, ToSchema)]
struct TodayContacts {
    /// At most 20.
    #[schema(max_items = 20)]
    items: Vec<TodayContact>,
    /// The number of all of them.
    #[schema(minimum = 0, example = 3)]
    total: i64,
    /// The path of the whole list, which includes those with whom an interaction is planned.
    #[schema(example = "/v1/keep-in-touch?state=due&state=overdue&state=lapsed&on=2026-03-02")]
    list: String,
}

/// A contact who is due.
#[derive(Serialize, ToSchema)]
struct TodayContact {
    reason: TodayReason,
    state: CadenceState,
    /// The day on which to be in touch.
    due_on: NaiveDate,
    contact: ContactCard,
}

/// Birthdays and other dates of contacts, of the day and the 14 days after it, the nearest first.
#[derive(Serialize, ToSchema)]
struct TodayDates {
    /// The dates of at most 20 pairs of a contact and a day.
    items: Vec<TodayDate>,
    /// The number of all pairs of a contact and a day.
    #[schema(minimum = 0, example = 3)]
    total: i64,
    /// The path of a list of all their contacts.
    #[schema(example = "/v1/contacts?dates_within=2026-03-02/2026-03-16")]
    list: String,
}

/// A birthday or another date.
#[derive(Serialize, ToSchema)]
struct TodayDate {
    reason: TodayReason,
    /// The day on which it falls. 29 February falls on the 28th in common years.
    on: NaiveDate,
    /// The key of the date in the contact's `dates`.
    #[schema(max_length = 64, example = "birthday")]
    key: String,
    /// The number of years since the date, such as the age on a birthday. Null: the year is not known.
    #[schema(minimum = 0, example = 40)]
    years: Option<i32>,
    contact: ContactCard,
}

/// Interactions: planned for the day and the 14 days after it, the next one first; or planned for before now and still without
/// an outcome, the latest first.
#[derive(Serialize, ToSchema)]
struct TodayInteractions {
    /// At most 20.
    #[schema(max_items = 20)]
    items: Vec<TodayInteraction>,
    /// The number of all of them.
    #[schema(minimum = 0, example = 3)]
    total: i64,
    /// The path of the whole list.
    #[schema(
        example = "/v1/interactions?status=planned&occurred_at[gte]=2026-03-02T09:00:00Z&occurred_at[lt]=2026-03-17T00:00:00Z&sort=occurred_at"
    )]
    list: String,
}

/// A planned interaction.
#[derive(Serialize, ToSchema)]
struct TodayInteraction {
    reason: TodayReason,
    interaction: Interaction,
    /// The contacts who take part.
    contacts: Vec<ContactCard>,
}

/// Active goals that are overdue or whose pace is `at_risk`, earliest due date first. Only the 50 active goals with
/// the earliest due dates are considered.
#[derive(Serialize, ToSchema)]
struct TodayGoals {
    /// At most 20.
    #[schema(max_items = 20)]
    items: Vec<TodayGoal>,
    /// The number of all of them.
    #[schema(minimum = 0, example = 1)]
    total: i64,
    /// The path of the whole list of active goals.
    #[schema(example = "/v1/goals?status=active&sort=due_on")]
    list: String,
}

/// A goal that is at risk or overdue.
#[derive(Serialize, ToSchema)]
struct TodayGoal {
    reason: TodayReason,
    goal: Goal,
    /// The progress of the goal, 0 to 1.
    #[schema(minimum = 0, maximum = 1, example = 0.2)]
    progress: f64,
    /// The fraction of the time from `started_on` to `due_on` that has passed, 0 to 1. Null if `started_on` is not
    /// set.
    #[schema(minimum = 0, maximum = 1, example = 0.75)]
    elapsed: Option<f64>,
}

/// A first step.
#[derive(Serialize, ToSchema)]
struct TodaySetupStep {
    code: TodaySetupCode,
    /// What to do, in a sentence. To translate it, use `code`.
    #[schema(example = "Add the first people you want to stay in touch with.")]
    detail: String,
    /// The operation that does it.
    #[serde(rename = "do")]
    #[schema(rename = "do")]
    action: TodaySetupAction,
}

/// An operation that takes a first step.
#[derive(Serialize, ToSchema)]
struct TodaySetupAction {
    /// The `operationId` in this document.
    #[schema(max_length = 64, example = "create_contact")]
    operation: String,
    /// The method.
    #[schema(max_length = 6, example = "POST")]
    method: String,
    /// The path; `{id}` stands for the id of the record.
    #[schema(max_length = 200, example = "/v1/contacts")]
    path: String,
}

pub fn operations() -> Vec<Operation> {
    let docs = || {
        let on = "The day, such as 2026-03-02. Default: today in the time zone of the workspace.";
        Docs::new("today", "Get today's overview")
            .description(
                "One call for a home screen: follow-ups and promises whose day has come, contacts who are due, \
                 birthdays and other dates in the next 14 days, planned interactions, those whose time has passed, \
                 goals at risk, events in the next 14 days with what is still to be prepared, those to look back \
                 on, thanks that are due, feedback that has been open for 14 days, and posts to publish. Each item has a reason and the cards to show. Each section has at most 20 \
                 items and their `total`.",
            )
            .parameter(Parameter::new("on", on, json!({ "type": "string", "format": "date" })).example(json!("2026-03-02")))
            .answer::<Today>(200, "The view of the day.")
            .tagged(Tagged::View)
    };
    let access = Access::read_every_area();
    vec![Operation::new(Method::GET, "/v1/today", "get_today", access, Run::Read(get_today), docs)]
}

fn get_today(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let workspace = context.workspace();
    let on = context.query().parsed("on", parse_day)?;
    // Read before all else, so that the tag is never newer than that.
    let (seq, zone) = accounts::seq_and_time_zone(conn, workspace)?;
    let now = context.api.store.now();
    let today = zone.day(now);
    let on = on.unwrap_or(today);
    let at = if on == today { now } else { zone.start_of(on) };
    let moment = Moment { workspace, zone, on, at };
    let awaiting = stored::awaiting_outcome(conn, workspace, at, i64::from(MAX_ITEMS))?;
    let since = moment.start_of_day_before(DEBRIEF_DAYS);
    let to_debrief = stored_events::to_debrief(conn, workspace, since, at, i64::from(MAX_ITEMS))?;
    let ahead = events::ahead(conn, &moment)?;
    // Until a record changes, the first two only grow with the time, and what is ahead only shrinks.
    let ahead_total = i64::try_from(ahead.len()).unwrap_or(i64::MAX);
    let passed = awaiting.total.saturating_add(to_debrief.total).saturating_sub(ahead_total);
    let tag = context.api.etags.of_day_and_count(workspace, seq, on, passed);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let view = view(conn, &moment, awaiting, to_debrief, ahead)?;
    Ok(context.json(&view)?.header(header::ETAG, &tag))
}

fn view(
    conn: &mut Conn,
    moment: &Moment,
    awaiting: Section<Interaction>,
    to_debrief: Section<Event>,
    ahead: Vec<Event>,
) -> StoreResult<Today> {
    let Moment { workspace, on, at, .. } = *moment;
    let limit = i64::from(MAX_ITEMS);
    let mine = stored::due_follow_ups(conn, workspace, OwedBy::Me, on, limit)?;
    let promised = stored::due_follow_ups(conn, workspace, OwedBy::Them, on, limit)?;
    let until = moment.start_of_day_after(DAYS_AHEAD + 1);
    let planned = stored::planned(conn, workspace, at, until, limit)?;
    let dates = stored::dates(conn, workspace, on, DAYS_AHEAD, usize::from(MAX_ITEMS))?;
    let wanted = Wanted {
        on,
        states: vec![CadenceState::Due, CadenceState::Overdue, CadenceState::Lapsed],
        without_planned: Some(at),
        filter: None,
        after: None,
        limit: usize::from(MAX_ITEMS),
    };
    let due = keep_in_touch::page(conn, workspace, &wanted, moment.zone)?;
    let due_total = keep_in_touch::count(conn, workspace, &wanted)?;
    let at_risk =
        stored::goals_at_risk(conn, workspace, On { day: on, zone: moment.zone }, usize::from(MAX_ITEMS))?;
    let events = events::ahead_section(conn, moment, ahead, usize::from(MAX_ITEMS))?;
    let thanks = stored::thanks_due(conn, workspace, on, limit)?;
    let to_publish = stored_posts::due(conn, workspace, on, limit)?;
    let setup = stored::open_setup(conn, workspace)?;

    let named = |lists: &[&[ContactId]]| stored::ids_of(lists.iter().copied());
    let waiting = stored_feedback::open_since(conn, workspace, moment.start_of_day_before(OPEN_DAYS - 1), limit)?;
    let waiting_of: Vec<ContactId> = waiting.items.iter().map(|item| item.fields.contact_id).collect();
    let thanked: Vec<ContactId> = thanks.items.iter().map(|item| item.fields.contact_id).collect();
    let lists: Vec<&[ContactId]> = [&mine, &promised]
        .into_iter()
        .flat_map(|section| section.items.iter().map(|item| item.fields.contact_ids.as_slice()))
        .chain(
            [&planned, &awaiting]
                .into_iter()
                .flat_map(|section| section.items.iter().map(|item| item.fields.contact_ids.as_slice())),
        )
        .chain([thanked.as_slice(), waiting_of.as_slice()])
        .collect();
    let mut people = stored::people(conn, workspace, named(&lists))?;
    people.extend(dates.items.iter().map(|(_, contact)| (Record::id(contact), contact.clone())));
    people.extend(due.items.iter().map(|due| (Record::id(&due.contact), due.contact.clone())));
    let people: Vec<Contact> = people.into_values().collect();
    let cards = Contact::cards(conn, workspace, &people, on)?;
    let cards = ContactCards::new(cards);

    let contacts = due.items.iter().filter_map(|due| {
        let days = moment.days_until(due.next.due_on);
        let contact = cards.get(due.contact.id)?;
        let reason = today::contact(&contact.name, days);
        Some(TodayContact { reason, state: due.next.state(on), due_on: due.next.due_on, contact })
    });
    let contacts = TodayContacts {
        items: contacts.collect(),
        total: due_total,
        list: format!("/v1/keep-in-touch?state=due&state=overdue&state=lapsed&on={on}"),
    };
    let last = moment.day_after(DAYS_AHEAD);
    let dates = TodayDates {
        total: dates.total,
        list: format!("/v1/contacts?dates_within={on}/{last}"),
        items: dates.items.iter().flat_map(|(day, contact)| dates_of(moment, &cards, *day, contact)).collect(),
    };
    let list = |period: String, order: &str| format!("/v1/interactions?status=planned&{period}&sort={order}");
    let planned_list = list(format!("occurred_at[gte]={at}&occurred_at[lt]={until}"), "occurred_at");
    let awaiting_list = list(format!("occurred_at[lt]={at}"), "-occurred_at");
    Ok(Today {
        on,
        valid_until: moment.start_of_day_after(1),
        follow_ups: follow_ups(moment, &cards, mine, OwedBy::Me),
        promises: follow_ups(moment, &cards, promised, OwedBy::Them),
        contacts,
        dates,
        planned: interactions(moment, &cards, planned, today::planned, planned_list),
        awaiting_outcome: interactions(moment, &cards, awaiting, today::awaiting_outcome, awaiting_list),
        goals: goals(moment, at_risk),
        events,
        events_to_debrief: events::to_debrief(moment, &to_debrief),
        thanks: thanks::shown(moment, &cards, thanks),
        feedback: feedback::shown(moment, &cards, waiting),
        posts: posts::shown(moment, to_publish),
        setup: setup.into_iter().map(setup_step).collect(),
    })
}

fn follow_ups(
    moment: &Moment,
    cards: &ContactCards,
    section: Section<FollowUp>,
    owed_by: OwedBy,
) -> TodayFollowUps {
    let item = |follow_up: FollowUp| {
        let days = moment.days_until_text(follow_up.fields.actionable_on.as_ref());
        TodayFollowUp {
            reason: today::follow_up(&follow_up.fields.title, owed_by, days),
            contacts: cards.get_all(&follow_up.fields.contact_ids),
            follow_up,
        }
    };
    let (on, who) = (moment.on, owed_by.as_str());
    TodayFollowUps {
        items: section.items.into_iter().map(item).collect(),
        total: section.total,
        list: format!("/v1/follow-ups?status=pending&owed_by={who}&actionable_on[lte]={on}&sort=actionable_on"),
    }
}

fn interactions(
    moment: &Moment,
    cards: &ContactCards,
    section: Section<Interaction>,
    reason: fn(&str, i64) -> TodayReason,
    list: String,
) -> TodayInteractions {
    let item = |interaction: Interaction| {
        let contacts = cards.get_all(&interaction.fields.contact_ids);
        let names: Vec<&str> = contacts.iter().map(|card| card.name.as_str()).collect();
        let what = interaction.fields.kind.with(&names.join(", "));
        let days = interaction.fields.day(moment.zone).map_or(0, |day| moment.days_until(day));
        TodayInteraction { reason: reason(&what, days), interaction, contacts }
    };
    TodayInteractions { items: section.items.into_iter().map(item).collect(), total: section.total, list }
}

fn goals(moment: &Moment, section: Section<GoalProgress>) -> TodayGoals {
    let item = |one: GoalProgress| {
        let GoalProgress { goal, standing, .. } = one;
        let (days, progress) =
            (moment.days_until_text(goal.fields.due_on.as_ref()), standing.progress.unwrap_or_default());
        TodayGoal {
            reason: today::goal(&goal.fields.title, progress, days),
            progress,
            elapsed: standing.elapsed,
            goal,
        }
    };
    TodayGoals {
        items: section.items.into_iter().map(item).collect(),
        total: section.total,
        list: "/v1/goals?status=active&sort=due_on".to_owned(),
    }
}

/// The dates of a contact that fall on a day.
fn dates_of(moment: &Moment, cards: &ContactCards, day: NaiveDate, contact: &Contact) -> Vec<TodayDate> {
    let falls_on: Vec<String> = days_ahead(day, 0).into_iter().flat_map(|(_, keys)| keys).collect();
    let days = moment.days_until(day);
    let item = |(key, date): (&String, &ContactDate)| {
        let own = PartialDate::parse(&date.value).ok()?;
        let (month, of_month) = own.month_day()?;
        if !falls_on.contains(&day_key(month, of_month)) {
            return None;
        }
        let card = cards.get(contact.id)?;
        Some(TodayDate {
            reason: today::date(&card.name, &date.title(key), days),
            on: day,
            key: key.clone(),
            years: own.year().map(|year| chrono::Datelike::year(&day) - year).filter(|years| *years >= 0),
            contact: card,
        })
    };
    contact.fields.dates.iter().filter_map(item).collect()
}

fn setup_step(code: TodaySetupCode) -> TodaySetupStep {
    let (operation, method, path) = match code {
        TodaySetupCode::AddContact => ("create_contact", "POST", "/v1/contacts"),
        TodaySetupCode::SetTier => ("update_contact", "PATCH", "/v1/contacts/{id}"),
        TodaySetupCode::LogInteraction => ("create_interaction", "POST", "/v1/interactions"),
        TodaySetupCode::AddFollowUp => ("create_follow_up", "POST", "/v1/follow-ups"),
    };
    let action =
        TodaySetupAction { operation: operation.to_owned(), method: method.to_owned(), path: path.to_owned() };
    TodaySetupStep { code, detail: code.detail().to_owned(), action }
}
