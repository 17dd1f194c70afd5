//! A calendar feed as text (RFC 5545, RFC 7986): follow-ups, planned interactions, dates of contacts, events, and posts. What is in
//! it, and whom each entry names, is given.

use chrono::{NaiveDate, NaiveTime, TimeDelta, Utc};
use icalendar::{Calendar, Component, Event, EventLike, EventStatus, Property, Todo};

use crate::domain::calendar_feed::FollowUpsAs;
use crate::domain::contact::Contact;
use crate::domain::event::{self as domain, EventFields, EventParticipation};
use crate::domain::fields::parse_day;
use crate::domain::follow_up::{FollowUp, FollowUpStatus, OwedBy};
use crate::domain::interaction::Interaction;
use crate::domain::locale::TimeZone;
use crate::domain::partial_date::PartialDate;
use crate::domain::post::Post;
use crate::domain::timestamp::Timestamp;

/// How often programs are asked to read a feed again.
const REFRESH: &str = "PT1H";
/// The year in which a date without a year begins to recur: a leap year that every program can show.
const ANY_YEAR: i32 = 1972;

/// What a feed consists of.
pub struct Feed<'a> {
    pub name: &'a str,
    /// The zone that the times of follow-ups are in.
    pub zone: TimeZone,
    /// Where the server is reached, such as `https://wellmet.example.com`. Without it, entries have no URL.
    pub base_url: Option<&'a str>,
    pub follow_ups_as: FollowUpsAs,
    /// Each with the names of those it is about.
    pub follow_ups: &'a [(FollowUp, String)],
    /// Planned ones, each with the names of those who take part.
    pub interactions: &'a [(Interaction, String)],
    /// Contacts whose dates are shown.
    pub contacts: &'a [Contact],
    /// Each with the names of those whom you want to meet there.
    pub events: &'a [(domain::Event, String)],
    /// Those that are scheduled.
    pub posts: &'a [Post],
}

/// The text of the feed.
pub fn write(feed: &Feed<'_>) -> String {
    let mut calendar = Calendar::empty();
    let property = |name: &str, value: &str| Property::new(name, value);
    let typed =
        |name: &str, kind: &str, value: &str| Property::new(name, value).add_parameter("VALUE", kind).done();
    let name = plain(feed.name);
    for property in [
        property("VERSION", "2.0"),
        property("PRODID", "-//Wellmet//Wellmet//EN"),
        property("CALSCALE", "GREGORIAN"),
        property("METHOD", "PUBLISH"),
        // The crate knows the type of properties of RFC 5545 only, and would not escape this one.
        typed("NAME", "TEXT", &name),
        property("X-WR-CALNAME", &name),
        typed("REFRESH-INTERVAL", "DURATION", REFRESH),
        property("X-PUBLISHED-TTL", REFRESH),
    ] {
        calendar.append_property(property);
    }
    for (follow_up, people) in feed.follow_ups {
        match feed.follow_ups_as {
            FollowUpsAs::Events => calendar.extend(follow_up_event(feed, follow_up, people)),
            FollowUpsAs::Todos => calendar.extend(follow_up_todo(feed, follow_up, people)),
        }
    }
    calendar.extend(feed.interactions.iter().filter_map(|(own, people)| interaction_event(feed, own, people)));
    calendar.extend(feed.contacts.iter().flat_map(|contact| date_events(feed, contact)));
    calendar.extend(feed.events.iter().filter_map(|(own, people)| event(feed, own, people)));
    calendar.extend(feed.posts.iter().filter_map(|post| post_event(feed, post)));
    calendar.to_string()
}

/// What every entry has. `version` grows with each change of the record, as SEQUENCE has to. DTSTAMP is when the record last
/// changed, so that an entry is the same text until then.
fn describe(entry: &mut impl EventLike, uid: &str, version: i64, changed_at: Timestamp, category: &str) {
    entry
        .uid(uid)
        .sequence(u32::try_from(version.clamp(0, i64::from(i32::MAX))).unwrap_or_default())
        .timestamp(changed_at.instant())
        .last_modified(changed_at.instant())
        .categories([category]);
}

fn set_url(entry: &mut impl Component, feed: &Feed<'_>, path: &str) {
    if let Some(base) = feed.base_url {
        entry.url(&format!("{base}{path}"));
    }
}

/// When a follow-up is to be done.
enum Due {
    On(NaiveDate),
    At(chrono::DateTime<Utc>),
}

fn due(feed: &Feed<'_>, follow_up: &FollowUp) -> Option<Due> {
    let day = parse_day(follow_up.fields.actionable_on.as_deref()?).ok()?;
    let time = follow_up.fields.due_time.as_deref().and_then(|time| NaiveTime::parse_from_str(time, "%H:%M").ok());
    Some(time.map_or(Due::On(day), |time| Due::At(feed.zone.at(day, time).instant())))
}

fn describe_follow_up(
    entry: &mut impl EventLike,
    feed: &Feed<'_>,
    follow_up: &FollowUp,
    people: &str,
    status: &str,
) {
    let FollowUp { id, fields, version, updated_at, .. } = follow_up;
    describe(entry, &id.to_string(), *version, *updated_at, "Follow-up");
    set_url(entry, feed, &format!("/v1/follow-ups/{id}"));
    let title = plain(&fields.title);
    let title = match fields.owed_by {
        OwedBy::Me => title,
        OwedBy::Them => format!("Waiting for: {title}"),
    };
    entry.summary(&if people.is_empty() { title } else { format!("{title} – {}", plain(people)) });
    // Here 5 is the highest, there 1 of 9.
    entry.priority(u32::try_from(11_i32.saturating_sub(fields.priority.saturating_mul(2))).unwrap_or(5));
    entry.add_property("STATUS", status);
}

fn follow_up_event(feed: &Feed<'_>, follow_up: &FollowUp, people: &str) -> Option<Event> {
    let mut event = Event::new();
    describe_follow_up(&mut event, feed, follow_up, people, "CONFIRMED");
    match due(feed, follow_up)? {
        Due::On(day) => event.append_property(day_property("DTSTART", day)),
        Due::At(at) => event.starts(at),
    };
    // Something to do does not make anybody busy.
    event.add_property("TRANSP", "TRANSPARENT");
    Some(event.done())
}

fn follow_up_todo(feed: &Feed<'_>, follow_up: &FollowUp, people: &str) -> Option<Todo> {
    let mut todo = Todo::new();
    let status = match follow_up.fields.status {
        FollowUpStatus::Pending => "NEEDS-ACTION",
        FollowUpStatus::Done => "COMPLETED",
        FollowUpStatus::Skipped | FollowUpStatus::Cancelled => "CANCELLED",
    };
    describe_follow_up(&mut todo, feed, follow_up, people, status);
    match due(feed, follow_up)? {
        Due::On(day) => todo.append_property(day_property("DUE", day)),
        Due::At(at) => todo.due(at),
    };
    if let Some(at) = follow_up.fields.completed_at {
        todo.completed(at.instant());
    }
    Some(todo.done())
}

fn interaction_event(feed: &Feed<'_>, interaction: &Interaction, people: &str) -> Option<Event> {
    let Interaction { id, fields, version, updated_at, .. } = interaction;
    let mut event = Event::new();
    describe(&mut event, &id.to_string(), *version, *updated_at, "Interaction");
    match &fields.url {
        Some(url) => drop(event.url(&plain(url))),
        None => set_url(&mut event, feed, &format!("/v1/interactions/{id}")),
    }
    let subject = fields.subject.as_deref().map(|subject| format!(": {}", plain(subject))).unwrap_or_default();
    event.summary(&format!("{}{subject}", plain(&fields.kind.with(people))));
    event.status(EventStatus::Confirmed);
    if let Some(location) = &fields.location {
        event.location(&plain(location));
    }
    match (fields.occurred_at, fields.occurred_on.as_deref().and_then(|day| parse_day(day).ok())) {
        (Some(at), _) => {
            event.starts(at.instant());
            if let Some(minutes) = fields.duration_minutes {
                event.ends(at.plus(TimeDelta::minutes(minutes.into())).instant());
            }
        }
        (None, Some(day)) => drop(event.append_property(day_property("DTSTART", day))),
        (None, None) => return None,
    }
    Some(event.done())
}

/// The day on which a post is to be published.
fn post_event(feed: &Feed<'_>, post: &Post) -> Option<Event> {
    let Post { id, fields, version, updated_at, .. } = post;
    let mut event = Event::new();
    describe(&mut event, &id.to_string(), *version, *updated_at, "Post");
    set_url(&mut event, feed, &format!("/v1/posts/{id}"));
    let platform =
        fields.platform.as_deref().map(|platform| format!(" ({})", plain(platform))).unwrap_or_default();
    event.summary(&format!("Publish: {}{platform}", plain(&post.heading())));
    event.status(EventStatus::Confirmed);
    event.append_property(day_property("DTSTART", fields.scheduled_day()?));
    // Something to do does not make anybody busy.
    event.add_property("TRANSP", "TRANSPARENT");
    Some(event.done())
}

/// Its times are in UTC, which programs show in the zone of whoever reads them; days are days wherever that is.
fn event(feed: &Feed<'_>, own: &domain::Event, people: &str) -> Option<Event> {
    let domain::Event { id, fields, version, updated_at, .. } = own;
    let mut event = Event::new();
    describe(&mut event, &id.to_string(), *version, *updated_at, "Event");
    match &fields.url {
        Some(url) => drop(event.url(&plain(url))),
        None => set_url(&mut event, feed, &format!("/v1/events/{id}")),
    }
    event.summary(&plain(&fields.title));
    event.status(status_of(fields));
    if let Some(place) = fields.venue.as_ref().or(fields.online_url.as_ref()) {
        event.location(&plain(place));
    }
    let brief = feed.base_url.map(|base| format!("{base}/v1/events/{id}/brief"));
    let description = description_of(fields, people, brief.as_deref());
    if !description.is_empty() {
        event.description(&description);
    }
    match (fields.starts_at, fields.day(), fields.last_day()) {
        (Some(starts_at), ..) => {
            event.starts(starts_at.instant());
            if let Some(ends_at) = fields.ends_at.filter(|ends_at| *ends_at > starts_at) {
                event.ends(ends_at.instant());
            }
        }
        (None, Some(first), Some(last)) => {
            event.append_property(day_property("DTSTART", first));
            event.append_property(day_property("DTEND", last.succ_opt()?));
        }
        (None, ..) => return None,
    }
    Some(event.done())
}

fn status_of(event: &EventFields) -> EventStatus {
    use EventParticipation::{Cancelled, Interested, Waitlisted};
    match (event.status, event.participation) {
        (domain::EventStatus::Cancelled, _) | (_, Cancelled) => EventStatus::Cancelled,
        (domain::EventStatus::Postponed, _) | (_, Interested | Waitlisted) => EventStatus::Tentative,
        _ => EventStatus::Confirmed,
    }
}

/// A short brief: what you want to reach there, whom to meet, where to read more.
fn description_of(event: &EventFields, people: &str, brief: Option<&str>) -> String {
    let objectives = EventFields::sorted_items(&event.objectives);
    let mut lines: Vec<String> = Vec::new();
    if !objectives.is_empty() {
        lines.push("Objectives:".to_owned());
        lines.extend(objectives.iter().map(|(_, objective)| format!("- {}", plain(&objective.text))));
    }
    if !people.is_empty() {
        lines.push(format!("Meet: {}", plain(people)));
    }
    lines.extend(event.online_url.as_ref().map(|url| format!("Online: {}", plain(url))));
    lines.extend(brief.map(|url| format!("Brief: {url}")));
    lines.join("\n")
}

/// The dates of a contact of which month and day are known, each every year.
fn date_events(feed: &Feed<'_>, contact: &Contact) -> Vec<Event> {
    let entry = |(key, date): (&String, &crate::domain::contact::ContactDate)| {
        let own = PartialDate::parse(&date.value).ok()?;
        let (month, day) = own.month_day()?;
        let year = own.year().unwrap_or(ANY_YEAR);
        let is_leap_day = (month, day) == (2, 29);
        let first = NaiveDate::from_ymd_opt(year, month, day)?;
        let mut event = Event::new();
        let uid = format!("{}-{key}", contact.id);
        let category = if key == "birthday" { "Birthday" } else { "Date" };
        describe(&mut event, &uid, contact.version, contact.updated_at, category);
        set_url(&mut event, feed, &format!("/v1/contacts/{}", contact.id));
        event.summary(&format!("{}: {}", plain(&contact.fields.name), plain(&date.title(key))));
        event.append_property(day_property("DTSTART", first));
        // The last day of February, which 29 February falls on in common years.
        let rule = if is_leap_day { "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1" } else { "FREQ=YEARLY" };
        event.add_property("RRULE", rule);
        event.status(EventStatus::Confirmed);
        event.add_property("TRANSP", "TRANSPARENT");
        Some(event.done())
    };
    contact.fields.dates.iter().filter_map(entry).collect()
}

fn day_property(name: &str, day: NaiveDate) -> Property {
    Property::new(name, day.format("%Y%m%d").to_string()).add_parameter("VALUE", "DATE").done()
}

/// Text without control characters, of which no value can hold any but a line feed.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
