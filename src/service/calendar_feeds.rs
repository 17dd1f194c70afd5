//! What is in a calendar feed on a day, as text.

use chrono::NaiveDate;
use std::collections::HashMap;
use uuid::Uuid;

use crate::domain::calendar_feed::{
    CalendarContent, FollowUpsAs, MAX_TO_MEET, Named, Window, list_first_names, list_names,
};
use crate::domain::contact::Contact;
use crate::domain::event::Event;
use crate::domain::follow_up::FollowUp;
use crate::domain::id::{ContactId, WorkspaceId};
use crate::domain::interaction::Interaction;
use crate::domain::locale::TimeZone;
use crate::formats::calendar::{self, Feed};
use crate::store::calendar_feeds::{self as stored, CalendarFeed};
use crate::store::posts::scheduled_within;
use crate::store::{AnyId, Conn, Result};

/// How a feed is to be shown.
pub struct Shown {
    pub today: NaiveDate,
    pub zone: TimeZone,
    pub base_url: Option<String>,
    pub follow_ups_as: FollowUpsAs,
}

/// The text of a feed: a fixed number of statements, each of at most so many entries.
pub fn text(conn: &mut Conn, feed: &CalendarFeed, shown: &Shown) -> Result<String> {
    let workspace = feed.workspace_id;
    let has = |content| feed.contents.0.contains(&content);
    let window = Window::around(shown.today);
    let mut follow_ups = Vec::new();
    if has(CalendarContent::FollowUps) {
        let only_pending = shown.follow_ups_as == FollowUpsAs::Events;
        follow_ups = stored::follow_ups_within(conn, workspace, window, only_pending)?;
    }
    let (since, until) = (shown.zone.start_of(window.since), shown.zone.start_of(window.until));
    let mut interactions = Vec::new();
    if has(CalendarContent::Interactions) {
        interactions = stored::planned_within(conn, workspace, since, until)?;
    }
    let (mut events, mut to_meet) = (Vec::new(), HashMap::new());
    if has(CalendarContent::Events) {
        events = stored::events_within(conn, workspace, since, until)?;
        to_meet = stored::to_meet(conn, workspace, &events)?;
    }
    let contacts: Vec<Contact> = match has(CalendarContent::Birthdays) {
        true => stored::with_dates(conn, workspace, shown.today)?,
        false => Vec::new(),
    };
    let posts = match has(CalendarContent::Posts) {
        true => scheduled_within(conn, workspace, window)?,
        false => Vec::new(),
    };
    let met = to_meet.values().flatten().map(|id| id.uuid());
    let names = Names::of(conn, workspace, &follow_ups, &interactions, met)?;
    let follow_ups: Vec<(FollowUp, String)> = follow_ups
        .into_iter()
        .map(|own| {
            let names = names.of_follow_up(&own);
            (own, names)
        })
        .collect();
    let interactions: Vec<(Interaction, String)> = interactions
        .into_iter()
        .map(|own| {
            let names = list_names(&names.of_contacts(&own.fields.contact_ids));
            (own, names)
        })
        .collect();
    let events: Vec<(Event, String)> = events
        .into_iter()
        .map(|own| {
            let people = to_meet.get(&AnyId::new(own.id.uuid())).map(Vec::as_slice).unwrap_or_default();
            let people: Vec<Named> = people.iter().filter_map(|id| names.contacts.get(id).cloned()).collect();
            (own, list_first_names(&people, MAX_TO_MEET))
        })
        .collect();
    Ok(calendar::write(&Feed {
        name: &feed.name,
        zone: shown.zone,
        base_url: shown.base_url.as_deref(),
        follow_ups_as: shown.follow_ups_as,
        follow_ups: &follow_ups,
        interactions: &interactions,
        contacts: &contacts,
        events: &events,
        posts: &posts,
    }))
}

/// What those are called whom the entries are about.
struct Names {
    contacts: HashMap<AnyId, Named>,
    organizations: HashMap<AnyId, Named>,
}

impl Names {
    fn of(
        conn: &mut Conn,
        workspace: WorkspaceId,
        follow_ups: &[FollowUp],
        interactions: &[Interaction],
        others: impl Iterator<Item = Uuid>,
    ) -> Result<Self> {
        let of_follow_ups = follow_ups.iter().flat_map(|own| own.fields.contact_ids.iter());
        let of_interactions = interactions.iter().flat_map(|own| own.fields.contact_ids.iter());
        let contacts = distinct(of_follow_ups.chain(of_interactions).map(|id| id.uuid()).chain(others));
        let organizations = distinct(follow_ups.iter().filter_map(|own| Some(own.fields.organization_id?.uuid())));
        Ok(Self {
            contacts: stored::people(conn, workspace, contacts)?,
            organizations: stored::organization_names(conn, workspace, organizations)?,
        })
    }

    fn of_contacts(&self, ids: &[ContactId]) -> Vec<Named> {
        ids.iter().filter_map(|id| self.contacts.get(&AnyId::new(id.uuid())).cloned()).collect()
    }

    /// The people, or else the organization.
    fn of_follow_up(&self, follow_up: &FollowUp) -> String {
        let people = self.of_contacts(&follow_up.fields.contact_ids);
        let organization = follow_up.fields.organization_id.map(|id| AnyId::new(id.uuid()));
        match (people.is_empty(), organization.and_then(|id| self.organizations.get(&id))) {
            (true, Some(organization)) => organization.name.clone(),
            _ => list_names(&people),
        }
    }
}

fn distinct(ids: impl Iterator<Item = Uuid>) -> Vec<AnyId> {
    let mut ids: Vec<AnyId> = ids.map(AnyId::new).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
