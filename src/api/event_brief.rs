//! The brief of an event: what to read on the way there.

use actix_web::http::{Method, header};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::json;
use std::collections::HashMap;
use utoipa::ToSchema;

use super::context::Context;
use super::http::messages::conditional::check_if_none_match;
use super::http::messages::problem::Problem;
use super::http::messages::response::Response;
use super::http::messages::section::SectionOf;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::resource::Cards;
use crate::domain::card::{ContactCard, EventCard};
use crate::domain::contact::Contact;
use crate::domain::event::{Event, EventFields, EventItem};
use crate::domain::event_person::EventPerson;
use crate::domain::event_preparation::EventPreparation;
use crate::domain::fields::parse_day;
use crate::domain::follow_up::FollowUp;
use crate::domain::goal::GoalStatus;
use crate::domain::id::{ContactId, EventId, GoalId, TargetId, WorkspaceId};
use crate::domain::in_common::InCommon;
use crate::domain::keyed::Keyed;
use crate::domain::pitch::Pitch;
use crate::domain::position::Position;
use crate::domain::target::{Target, TargetStage};
use crate::store::event_brief::{self, Attendee, EventBrief as Found};
use crate::store::{Conn, accounts, lists};

/// How many sessions are shown.
const MAX_SESSIONS: usize = 100;
/// How many titles of the open follow-ups with somebody are shown.
const MAX_TITLES: usize = 3;

// The document names a type that has no parameters.
type EventCardSection = SectionOf<EventCard>;
type EventBriefPersonSection = SectionOf<EventBriefPerson>;
type EventBriefFollowUpSection = SectionOf<EventBriefFollowUp>;

/// What to read on the way to an event.
#[derive(Serialize, ToSchema)]
struct EventBrief {
    /// The day of the brief.
    #[schema(value_type = String, format = Date, example = "2026-05-09")]
    on: NaiveDate,
    /// Days from the day of the brief to that of the event, which is the day it starts in its own time zone. Negative when
    /// it is past.
    #[schema(minimum = -3652059, maximum = 3652059, example = 3)]
    days_left: i64,
    /// The event.
    event: Event,
    /// What is prepared, and what is missing.
    preparation: EventPreparation,
    /// Its sessions in the order of time, at most 100.
    sessions: EventCardSection,
    /// The goals that it is for, in the order of `goal_ids`.
    #[schema(max_items = 20)]
    goals: Vec<EventBriefGoal>,
    /// The pitch to have ready. Null: none is chosen.
    pitch: Option<Pitch>,
    /// What you want to achieve there, in order.
    #[schema(max_items = 50)]
    objectives: Vec<EventBriefItem>,
    /// What to do before it, in order.
    #[schema(max_items = 50)]
    checklist: Vec<EventBriefItem>,
    /// The people there and at its sessions, each contact once, at most 100: the highest priority first, of these those who
    /// are still to be met, then by name. The list has those of the event itself.
    people: EventBriefPersonSection,
    /// Pending follow-ups that name the event, one of its sessions or their people, most urgent first. At most
    /// 20. The list has those that name the event itself.
    follow_ups: EventBriefFollowUpSection,
}

/// A goal that an event is for.
#[derive(Serialize, ToSchema)]
struct EventBriefGoal {
    /// The id of the goal.
    id: GoalId,
    /// The title.
    #[schema(example = "Move into climate tech")]
    title: String,
    /// The status.
    status: GoalStatus,
}

/// An objective, or an item of the checklist.
#[derive(Serialize, ToSchema)]
struct EventBriefItem {
    /// Its key.
    #[schema(max_length = 64, example = "hiring")]
    key: String,
    /// What it is.
    #[schema(example = "Three people who hire")]
    text: String,
    /// Its place among the others.
    #[schema(example = 1)]
    position: i32,
    /// Whether it is done.
    done: bool,
}

/// Somebody at an event, and what is known of them.
#[derive(Serialize, ToSchema)]
struct EventBriefPerson {
    contact: ContactCard,
    /// The title of the first of their current positions. Null: there is none.
    #[schema(example = "CTO")]
    title: Option<String>,
    /// The organization of that position. Null: there is none.
    #[schema(example = "Poniedziałek")]
    organization: Option<String>,
    /// The contact at the event or, where they are at several of its sessions, at the one that ranks first.
    person: EventPerson,
    /// The event and its sessions, as far as they are there.
    event_ids: Vec<EventId>,
    /// The day of the last interaction that counts. Null: there is none.
    #[schema(value_type = Option<String>, format = Date, example = "2026-02-27")]
    last_interaction_on: Option<String>,
    /// The number of interactions that happened.
    #[schema(minimum = 0, example = 12)]
    interaction_count: i64,
    /// The target that they are for a goal of the event, or else for an active goal. Null: none.
    target: Option<EventBriefTarget>,
    /// The pending follow-ups with them.
    follow_ups: EventBriefOpen,
    /// What you and the contact have in common.
    #[schema(max_items = 20)]
    in_common: Vec<InCommon>,
}

/// The target this person is.
#[derive(Serialize, ToSchema)]
struct EventBriefTarget {
    /// The id of the target.
    id: TargetId,
    /// The goal.
    goal_id: GoalId,
    /// The title of the goal.
    #[schema(example = "Move into climate tech")]
    goal_title: Option<String>,
    /// The stage.
    stage: TargetStage,
    /// The priority, from 1 to 5 (highest).
    #[schema(minimum = 1, maximum = 5, example = 4)]
    priority: i32,
    /// Why they matter for the goal.
    #[schema(example = "She hires for the team I want to join.")]
    why: Option<String>,
    /// What to ask of them.
    #[schema(example = "Twenty minutes on how they choose products.")]
    ask: Option<String>,
    /// What to offer them.
    offer: Option<String>,
}

/// The pending follow-ups with somebody.
#[derive(Serialize, ToSchema)]
struct EventBriefOpen {
    /// How many there are.
    #[schema(minimum = 0, example = 1)]
    total: usize,
    /// The titles of the first three, most urgent first.
    #[schema(max_items = 3, example = json!(["Send the slides"]))]
    titles: Vec<String>,
}

/// A pending follow-up.
#[derive(Serialize, ToSchema)]
struct EventBriefFollowUp {
    follow_up: FollowUp,
    /// The contacts it is about.
    contacts: Vec<ContactCard>,
}

pub fn operations() -> Vec<Operation> {
    let docs = || {
        let on = "The day of the brief, such as 2026-05-09. Default: today in the time zone of the workspace.";
        Docs::new("events", "Get an event brief")
            .description(
                "What to read on the way to an event, in one call: its sessions, what it is for, what you want to say, \
                 what is still to be prepared, the people there by rank, each with what is known of them, and what is \
                 open with them.",
            )
            .parameter(Parameter::new("on", on, json!({ "type": "string", "format": "date" })).example(json!("2026-05-09")))
            .answer::<EventBrief>(200, "The brief.")
            .tagged(Tagged::View)
    };
    let access = Access::read_every_area();
    let path = "/v1/events/{id}/brief";
    vec![Operation::new(Method::GET, path, "get_event_brief", access, Run::Read(get_event_brief), docs)]
}

fn get_event_brief(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let workspace = context.workspace();
    let on = context.query().parsed("on", parse_day)?;
    // Read before all else, so that the tag is never newer than that.
    let (seq, zone) = accounts::seq_and_time_zone(conn, workspace)?;
    let on = on.unwrap_or_else(|| zone.day(context.api.store.now()));
    let event = lists::find::<Event>(conn, workspace, context.id()?)?;
    let tag = context.api.etags.of_day(workspace, seq, on);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let brief = brief(conn, workspace, event, on)?;
    Ok(context.json(&brief)?.header(header::ETAG, &tag))
}

fn brief(conn: &mut Conn, workspace: WorkspaceId, event: Event, on: NaiveDate) -> Result<EventBrief, Problem> {
    let mut found = event_brief::read(conn, workspace, &event)?;
    let contacts: Vec<Contact> = std::mem::take(&mut found.contacts).into_values().collect();
    let cards = Contact::cards(conn, workspace, &contacts, on)?;
    let cards: HashMap<ContactId, ContactCard> = cards.into_iter().map(|card| (card.id, card)).collect();
    let attendees = std::mem::take(&mut found.people.items);
    let people = attendees.into_iter().filter_map(|attendee| person(&found, &cards, attendee, on)).collect();
    let goal = |id: &GoalId| {
        let goal = found.goals.get(id)?;
        Some(EventBriefGoal { id: goal.id, title: goal.fields.title.clone(), status: goal.fields.status })
    };
    let follow_up = |follow_up: FollowUp| EventBriefFollowUp {
        contacts: follow_up.fields.contact_ids.iter().filter_map(|id| cards.get(id).cloned()).collect(),
        follow_up,
    };
    let (id, sessions) = (event.id, found.sessions.iter().map(EventCard::new));
    Ok(EventBrief {
        on,
        days_left: event.fields.days_left(on),
        sessions: SectionOf::first(sessions, MAX_SESSIONS, format!("/v1/events?parent_id={id}&sort=starts_at")),
        goals: event.fields.goal_ids.iter().filter_map(goal).collect(),
        objectives: items(&event.fields.objectives),
        checklist: items(&event.fields.checklist),
        people: SectionOf {
            items: people,
            total: found.people.total,
            list: format!("/v1/events/{id}/people?sort=-priority"),
        },
        follow_ups: SectionOf::shown(
            found.follow_ups,
            |one| Some(follow_up(one)),
            format!("/v1/follow-ups?event_id={id}&status=pending&sort=actionable_on"),
        ),
        pitch: found.pitch,
        preparation: found.preparation,
        event,
    })
}

fn items(items: &Keyed<EventItem>) -> Vec<EventBriefItem> {
    let item = |(key, item): (&String, &EventItem)| {
        let EventItem { text, position, done } = item.clone();
        EventBriefItem { key: key.clone(), text, position, done }
    };
    EventFields::sorted_items(items).into_iter().map(item).collect()
}

fn person(
    found: &Found,
    cards: &HashMap<ContactId, ContactCard>,
    attendee: Attendee,
    on: NaiveDate,
) -> Option<EventBriefPerson> {
    let Attendee { person, contact, activity, at, target, open_follow_ups } = attendee;
    let positions = found.backgrounds.positions(contact.id);
    let position =
        positions.iter().find(|position| position.period().is_current(on)).map(|one: &Position| &one.fields);
    let target = target.map(|target| target_of(found, target));
    Some(EventBriefPerson {
        contact: cards.get(&contact.id)?.clone(),
        title: position.and_then(|position| position.title.clone()),
        organization: position.and_then(|position| found.backgrounds.organization_name(position)),
        person,
        event_ids: at.into_iter().map(|id| EventId::new(id.uuid())).collect(),
        last_interaction_on: activity.as_ref().and_then(|activity| activity.fields.last_interaction_on.clone()),
        interaction_count: activity.map_or(0, |activity| activity.fields.interaction_count),
        target,
        follow_ups: EventBriefOpen {
            total: open_follow_ups.len(),
            titles: open_follow_ups.into_iter().take(MAX_TITLES).collect(),
        },
        in_common: found.backgrounds.in_common(contact.id),
    })
}

fn target_of(found: &Found, target: Target) -> EventBriefTarget {
    let goal = found.goals.get(&target.fields.goal_id);
    EventBriefTarget {
        id: target.id,
        goal_id: target.fields.goal_id,
        goal_title: goal.map(|goal| goal.fields.title.clone()),
        stage: target.fields.stage,
        priority: target.fields.priority,
        why: target.fields.why,
        ask: target.fields.ask,
        offer: target.fields.offer,
    }
}
