//! The brief of a contact: what to read before a call.

use actix_web::http::{Method, header};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::json;
use std::collections::HashMap;
use utoipa::ToSchema;

use super::context::Context;
use super::http::messages::conditional::check_if_none_match;
use super::http::messages::location::location_of;
use super::http::messages::problem::Problem;
use super::http::messages::response::Response;
use super::http::messages::section::SectionOf;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::resource::Cards;
use super::reciprocity::Reciprocity;
use super::resources::{FittingResource, best_for};
use super::timeline::{self, TimelineItem};
use crate::domain::card::{ContactCard, EventCard};
use crate::domain::community::Community;
use crate::domain::contact::Contact;
use crate::domain::contact_activity::ContactActivity;
use crate::domain::entity::Entity;
use crate::domain::event::Event;
use crate::domain::event_person::EventPerson;
use crate::domain::feedback::Feedback;
use crate::domain::fields::parse_day;
use crate::domain::follow_up::FollowUp;
use crate::domain::goal::{Goal, GoalStatus};
use crate::domain::id::{ContactId, GoalId, InteractionId, WorkspaceId};
use crate::domain::in_common::InCommon;
use crate::domain::interaction::{Interaction, InteractionKind};
use crate::domain::introduction::Introduction;
use crate::domain::locale::TimeZone;
use crate::domain::need::Need;
use crate::domain::position::Position;
use crate::domain::relationship::{Relationship, RelationshipType};
use crate::domain::target::Target;
use crate::store::contact_brief::{self, ContactBrief as Found, Day};
use crate::store::{Conn, Record, accounts, lists};

/// How many items a section shows.
const MAX_ITEMS: usize = 20;
/// How many entries of the timeline are shown.
const MAX_TIMELINE: usize = 10;
/// How many resources are suggested.
const MAX_RESOURCES: usize = 5;

// The document names a type that has no parameters.
type ContactBriefPositionSection = SectionOf<ContactBriefPosition>;
type ContactBriefRelationshipSection = SectionOf<ContactBriefRelationship>;
type NeedSection = SectionOf<Need>;
type FeedbackSection = SectionOf<Feedback>;
type IntroductionSection = SectionOf<Introduction>;
type CommunitySection = SectionOf<Community>;
type FollowUpSection = SectionOf<FollowUp>;
type ContactBriefTargetSection = SectionOf<ContactBriefTarget>;

/// What to read before a call with a contact.
#[derive(Serialize, ToSchema)]
struct ContactBrief {
    /// The day of the brief.
    #[schema(value_type = String, format = Date, example = "2026-03-02")]
    on: NaiveDate,
    /// The contact.
    contact: Contact,
    /// When you were last in touch and when you are to be again. Null: nothing is known.
    activity: Option<ContactActivity>,
    /// What they do and did: current positions first. At most 20.
    positions: ContactBriefPositionSection,
    /// Relationships in both directions: current ones first, then the newest. At most 20.
    relationships: ContactBriefRelationshipSection,
    /// What you and the contact have in common, by kind, then by name. Topics are those of open needs.
    #[schema(max_items = 20)]
    in_common: Vec<InCommon>,
    /// What they need, can offer and are interested in, as far as it is open. The oldest first, at most 20.
    needs: NeedSection,
    /// Pending follow-ups, most urgent first. At most 20.
    follow_ups: FollowUpSection,
    /// The goals that they are a target of: those not declined or dropped first, then the highest priority. At most 20.
    targets: ContactBriefTargetSection,
    /// Events at which they are and that are not over, the next one first.
    #[schema(max_items = 10)]
    next_events: Vec<ContactBriefEvent>,
    /// Events at which they were, the latest first.
    #[schema(max_items = 10)]
    last_events: Vec<ContactBriefEvent>,
    /// What you have given them and received from them. Null: nothing.
    reciprocity: Option<Reciprocity>,
    /// Their feedback that is open, the newest first. At most 20.
    feedback: FeedbackSection,
    /// Introductions that they are a part of, the newest first. At most 20.
    introductions: IntroductionSection,
    /// Communities that they are a member of, the newest first. At most 20.
    communities: CommunitySection,
    /// Resources that suit them and that they have not had, the best first.
    #[schema(max_items = 5)]
    resources: Vec<FittingResource>,
    /// How you met. Null: not recorded.
    how_met: Option<ContactBriefHowMet>,
    /// What happened, the latest first: the beginning of their timeline.
    #[schema(max_items = 10)]
    timeline: Vec<TimelineItem>,
    /// Your notes on the last interactions, the latest first.
    #[schema(max_items = 5)]
    notes: Vec<ContactBriefNote>,
}

/// A position, and what it is called where it is.
#[derive(Serialize, ToSchema)]
struct ContactBriefPosition {
    position: Position,
    /// The name of the organization. Null: there is none.
    #[schema(example = "Poniedziałek")]
    organization: Option<String>,
    /// Whether it has begun and not ended on the day of the brief.
    #[schema(example = true)]
    current: bool,
}

/// A relationship, as it reads from either side.
#[derive(Serialize, ToSchema)]
struct ContactBriefRelationship {
    relationship: Relationship,
    /// The other contact.
    other: ContactCard,
    /// What the contact is to the other. Null: there is no word for it.
    contact_is: Option<RelationshipType>,
    /// What the other is to the contact. Null: there is no word for it.
    other_is: Option<RelationshipType>,
    /// Whether it has begun and not ended on the day of the brief.
    #[schema(example = true)]
    current: bool,
}

/// A target that the contact is.
#[derive(Serialize, ToSchema)]
struct ContactBriefTarget {
    target: Target,
    goal: ContactBriefGoal,
}

/// The goal of a target.
#[derive(Serialize, ToSchema)]
struct ContactBriefGoal {
    /// The id of the goal.
    id: GoalId,
    /// The title.
    #[schema(example = "Move into climate tech")]
    title: String,
    /// The status.
    status: GoalStatus,
}

/// An event at which the contact is or was.
#[derive(Serialize, ToSchema)]
struct ContactBriefEvent {
    event: EventCard,
    /// The contact at this event.
    person: EventPerson,
}

/// How you met.
#[derive(Serialize, ToSchema)]
struct ContactBriefHowMet {
    /// When: a partial date. Null: not known.
    #[schema(max_length = 10, example = "2024-10")]
    on: Option<String>,
    /// The story. Null: not told.
    #[schema(example = "Sat next to each other at the keynote.")]
    story: Option<String>,
    /// The event where you met. Null: not at an event.
    event: Option<EventCard>,
    /// Who introduced you. Null: nobody.
    introduced_by: Option<ContactCard>,
}

/// What you noted of an interaction.
#[derive(Serialize, ToSchema)]
struct ContactBriefNote {
    /// The interaction.
    interaction_id: InteractionId,
    /// Its day in the time zone of the workspace.
    #[schema(value_type = String, format = Date, example = "2026-02-27")]
    on: NaiveDate,
    /// Its kind.
    kind: InteractionKind,
    /// Its subject.
    #[schema(example = "Her new role")]
    subject: Option<String>,
    /// The notes: the `body` of the interaction.
    #[schema(example = "Starts in May, and wants to hire three people.")]
    text: String,
}

pub fn operations() -> Vec<Operation> {
    let docs = || {
        let on = "The day of the brief, such as 2026-03-02. Default: today in the time zone of the workspace.";
        Docs::new("contacts", "Get a contact brief")
            .description(
                "What to read before a call, in one call: who they are and what they do, what you have in common, \
                 what is open between you, where you meet, and what happened last. Each section has its first items, \
                 their `total`, and in `list` the path of all of them. On another day, what depends on the day is \
                 as of that day; the records are as they are now. The id of a contact that was merged leads to the \
                 one that it was merged into.",
            )
            .parameter(Parameter::new("on", on, json!({ "type": "string", "format": "date" })).example(json!("2026-03-02")))
            .answer::<ContactBrief>(200, "The brief.")
            .tagged(Tagged::View)
    };
    let access = Access::read_every_area();
    let path = "/v1/contacts/{id}/brief";
    vec![Operation::new(Method::GET, path, "get_contact_brief", access, Run::Read(get_contact_brief), docs)]
}

fn get_contact_brief(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let (workspace, id) = (context.workspace(), context.id()?);
    let on = context.query().parsed("on", parse_day)?;
    // Read before all else, so that the tag is never newer than that.
    let (seq, zone) = accounts::seq_and_time_zone(conn, workspace)?;
    let on = on.unwrap_or_else(|| zone.day(context.api.store.now()));
    let contact = lists::find::<Contact>(conn, workspace, id)?;
    let current = Record::id(&contact);
    let tag = context.api.etags.of_day(workspace, seq, on);
    let response = match check_if_none_match(context, &tag) {
        Some(response) => response,
        None => {
            let brief = brief(conn, workspace, contact, zone, on)?;
            context.json(&brief)?.header(header::ETAG, &tag)
        }
    };
    let is_merged = current != id;
    Ok(match is_merged {
        true => {
            response.header(header::CONTENT_LOCATION, &format!("{}/brief", location_of(Entity::Contact, current)))
        }
        false => response,
    })
}

fn brief(
    conn: &mut Conn,
    workspace: WorkspaceId,
    contact: Contact,
    zone: TimeZone,
    on: NaiveDate,
) -> Result<ContactBrief, Problem> {
    let found = contact_brief::read(conn, workspace, &contact, Day { on, begins: zone.start_of(on) })?;
    let cards = Contact::cards(conn, workspace, &found.people, on)?;
    let cards: HashMap<ContactId, ContactCard> = cards.into_iter().map(|card| (card.id, card)).collect();
    let timeline = timeline::latest(conn, workspace, Record::id(&contact), (zone, on), MAX_TIMELINE)?;
    let resources = best_for(conn, workspace, &contact, MAX_RESOURCES)?;
    let id = contact.id;
    let events = |events: &[Event]| -> Vec<ContactBriefEvent> {
        let shown = |event: &Event| {
            let person = found.attendance.get(&event.id)?.clone();
            Some(ContactBriefEvent { event: EventCard::new(event), person })
        };
        events.iter().filter_map(shown).collect()
    };
    let how_met = contact.fields.how_met.as_ref().map(|how_met| ContactBriefHowMet {
        on: how_met.on.clone(),
        story: how_met.story.clone(),
        event: found.met_at.as_ref().map(EventCard::new),
        introduced_by: how_met.introduced_by_id.and_then(|id| cards.get(&id).cloned()),
    });
    Ok(ContactBrief {
        on,
        positions: positions(&found, id, on),
        relationships: SectionOf::shown(
            found.relationships,
            |own| relationship(own, id, on, &cards),
            format!("/v1/contacts/{id}/relationships"),
        ),
        in_common: found.backgrounds.in_common(id),
        needs: SectionOf::first(
            found.backgrounds.open_needs(id).iter().cloned(),
            MAX_ITEMS,
            format!("/v1/needs?contact_id={id}&status=open&sort=id"),
        ),
        follow_ups: SectionOf::shown(
            found.follow_ups,
            Some,
            format!("/v1/follow-ups?contact_id={id}&status=pending&sort=actionable_on"),
        ),
        targets: SectionOf::shown(
            found.targets,
            |own| target(own, &found.goals),
            format!("/v1/targets?contact_id={id}&sort=-priority"),
        ),
        next_events: events(&found.next_events),
        last_events: events(&found.last_events),
        reciprocity: found.exchanged.map(Reciprocity::of),
        feedback: SectionOf::shown(found.feedback, Some, format!("/v1/feedback?contact_id={id}&open=true")),
        introductions: SectionOf::shown(found.introductions, Some, format!("/v1/introductions?contact_id={id}")),
        communities: SectionOf::shown(found.communities, Some, format!("/v1/communities?contact_id={id}")),
        resources,
        how_met,
        timeline,
        notes: found.notes.into_iter().filter_map(|interaction| note(interaction, zone)).collect(),
        activity: found.activity,
        contact,
    })
}

fn positions(found: &Found, id: ContactId, on: NaiveDate) -> ContactBriefPositionSection {
    let shown = |position: &Position| ContactBriefPosition {
        organization: found.backgrounds.organization_name(&position.fields),
        current: position.period().is_current(on),
        position: position.clone(),
    };
    let mut positions: Vec<ContactBriefPosition> = found.backgrounds.positions(id).iter().map(shown).collect();
    positions.sort_by_key(|one| !one.current);
    SectionOf::first(positions.into_iter(), MAX_ITEMS, format!("/v1/contacts/{id}/positions"))
}

fn relationship(
    relationship: Relationship,
    id: ContactId,
    on: NaiveDate,
    cards: &HashMap<ContactId, ContactCard>,
) -> Option<ContactBriefRelationship> {
    let fields = &relationship.fields;
    let (own, inverse) = (Some(fields.kind), fields.kind.inverse());
    let (contact_is, other_is) = if fields.contact_id == id { (own, inverse) } else { (inverse, own) };
    Some(ContactBriefRelationship {
        other: cards.get(&fields.other_than(id))?.clone(),
        contact_is,
        other_is,
        current: fields.period().is_current(on),
        relationship,
    })
}

fn target(target: Target, goals: &HashMap<GoalId, Goal>) -> Option<ContactBriefTarget> {
    let goal = goals.get(&target.fields.goal_id)?;
    let goal = ContactBriefGoal { id: goal.id, title: goal.fields.title.clone(), status: goal.fields.status };
    Some(ContactBriefTarget { target, goal })
}

fn note(interaction: Interaction, zone: TimeZone) -> Option<ContactBriefNote> {
    Some(ContactBriefNote {
        on: interaction.fields.day(zone)?,
        interaction_id: interaction.id,
        kind: interaction.fields.kind,
        subject: interaction.fields.subject,
        text: interaction.fields.body?,
    })
}
