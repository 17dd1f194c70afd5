//! What a list on a screen shows of a record. What tells it from others with the same name is given.

use serde::Serialize;
use utoipa::ToSchema;

use super::contact::{Contact, ContactFields, Tier};
use super::contact_activity::ContactActivity;
use super::event::{Event, EventFields, EventKind, EventParticipation, EventStatus};
use super::fields::LabelText;
use super::id::{ContactId, EventId, OrganizationId};
use super::organization::{Organization, OrganizationFields, OrganizationKind};
use super::timestamp::Timestamp;

/// A contact as a list on a screen shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContactCard {
    /// The id of the contact.
    pub id: ContactId,
    /// The version of the contact, for its ETag.
    #[schema(example = 42)]
    pub version: i64,
    /// The full name.
    #[schema(example = "Dorota Kozłowicz")]
    pub name: String,
    /// The name by which contacts are sorted.
    #[schema(example = "Kozłowicz, Dorota")]
    pub sort_name: String,
    /// Title and organization of the primary current position, or else the headline or the location. Null if there is none.
    #[schema(example = "CTO, Poniedziałek")]
    pub subtitle: Option<String>,
    /// The preferred e-mail address, or else the first. Null if there is none.
    #[schema(max_length = 254, example = "dorota@example.com")]
    pub email: Option<String>,
    /// The preferred phone number, or else the first, as it was entered. Null if there is none.
    #[schema(max_length = 100, example = "+48 512 345 678")]
    pub phone: Option<String>,
    /// Where the contact lives or works.
    #[schema(max_length = 300)]
    pub location: Option<String>,
    /// The tags of the contact.
    pub tags: Vec<LabelText>,
    /// How close you want to be.
    pub tier: Option<Tier>,
    /// Whether the contact is a favorite.
    pub favorite: bool,
    /// Whether you know the person; false for a person you want to meet.
    pub known: bool,
    /// Whether the contact is archived.
    pub archived: bool,
    /// Whether the contact is not to be contacted.
    pub do_not_contact: bool,
    /// The day of the last interaction that counts. Null: there is none.
    #[schema(value_type = Option<String>, format = Date, example = "2026-02-27")]
    pub last_interaction_on: Option<String>,
    /// The day on which to be in touch again. Null: there is none.
    #[schema(value_type = Option<String>, format = Date, example = "2026-05-28")]
    pub next_contact_on: Option<String>,
    /// The version of the contact's activity, which changes with `last_interaction_on` and `next_contact_on`. Null:
    /// no activity.
    #[schema(example = 43)]
    pub activity_version: Option<i64>,
    /// When the contact last changed.
    pub updated_at: Timestamp,
}

impl ContactCard {
    pub fn new(contact: &Contact, subtitle: Option<String>, activity: Option<&ContactActivity>) -> Self {
        let ContactFields {
            emails,
            phones,
            location,
            tags,
            tier,
            favorite,
            known,
            archived_at,
            do_not_contact,
            ..
        } = &contact.fields;
        let email = emails.values().find(|email| email.preferred).or_else(|| emails.values().next());
        let phone = phones.values().find(|phone| phone.preferred).or_else(|| phones.values().next());
        Self {
            id: contact.id,
            version: contact.version,
            name: contact.fields.name.clone(),
            sort_name: contact.fields.sort_name.clone(),
            subtitle,
            email: email.map(|email| email.value.clone()),
            phone: phone.map(|phone| phone.value.clone()),
            location: location.clone(),
            tags: tags.clone(),
            tier: *tier,
            favorite: *favorite,
            known: *known,
            archived: archived_at.is_some(),
            do_not_contact: *do_not_contact,
            last_interaction_on: activity.and_then(|activity| activity.fields.last_interaction_on.clone()),
            next_contact_on: activity.and_then(|activity| activity.fields.next_contact_on.clone()),
            activity_version: activity.map(|activity| activity.version),
            updated_at: contact.updated_at,
        }
    }
}

/// An organization as a list on a screen shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrganizationCard {
    /// The id of the organization.
    pub id: OrganizationId,
    /// The version of the organization, for its ETag.
    #[schema(example = 42)]
    pub version: i64,
    /// The name.
    #[schema(max_length = 300, example = "Poniedziałek Sp.j.")]
    pub name: String,
    /// The domain, or else the location or the industry. Null if there is none.
    #[schema(example = "poniedzialek.example")]
    pub subtitle: Option<String>,
    /// The kind of organization.
    pub kind: Option<OrganizationKind>,
    /// Where it is.
    #[schema(max_length = 300)]
    pub location: Option<String>,
    /// How interested you are in it, from 1 to 5. Null if not set.
    #[schema(minimum = 1, maximum = 5)]
    pub interest: Option<i32>,
    /// The tags of the organization.
    pub tags: Vec<LabelText>,
    /// When the organization last changed.
    pub updated_at: Timestamp,
}

impl OrganizationCard {
    pub fn new(organization: &Organization, subtitle: Option<String>) -> Self {
        let OrganizationFields { name, kind, location, interest, tags, .. } = &organization.fields;
        Self {
            id: organization.id,
            version: organization.version,
            name: name.clone(),
            subtitle,
            kind: *kind,
            location: location.clone(),
            interest: *interest,
            tags: tags.clone(),
            updated_at: organization.updated_at,
        }
    }
}

/// An event as a list on a screen shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EventCard {
    /// The id of the event.
    pub id: EventId,
    /// The version of the event, for its ETag.
    #[schema(example = 42)]
    pub version: i64,
    /// The title.
    #[schema(max_length = 300, example = "Climate Tech Summit")]
    pub title: String,
    /// The kind of event.
    pub kind: EventKind,
    /// Whether it lasts whole days.
    pub all_day: bool,
    /// When it starts. Null: all day.
    pub starts_at: Option<Timestamp>,
    /// The same as the clock shows it in `time_zone`.
    #[schema(max_length = 19, example = "2026-05-12T09:00:00")]
    pub starts_local: Option<String>,
    /// When it ends. Null: not known, or all day.
    pub ends_at: Option<Timestamp>,
    /// The same as the clock shows it in `time_zone`.
    #[schema(max_length = 19, example = "2026-05-12T18:00:00")]
    pub ends_local: Option<String>,
    /// The first day of an all-day event. Null: it has times.
    #[schema(value_type = Option<String>, format = Date, example = json!(null))]
    pub starts_on: Option<String>,
    /// The last day of an all-day event. Null: it has times, or is on `starts_on` only.
    #[schema(value_type = Option<String>, format = Date, example = json!(null))]
    pub ends_on: Option<String>,
    /// The IANA time zone where it takes place.
    #[schema(max_length = 64, example = "Europe/Berlin")]
    pub time_zone: Option<String>,
    /// Where it takes place.
    #[schema(max_length = 300, example = "Station Berlin")]
    pub venue: Option<String>,
    /// Whether it takes place.
    pub status: EventStatus,
    /// Whether you take part.
    pub participation: EventParticipation,
}

impl EventCard {
    pub fn new(event: &Event) -> Self {
        let EventFields {
            title,
            kind,
            all_day,
            starts_at,
            starts_local,
            ends_at,
            ends_local,
            starts_on,
            ends_on,
            time_zone,
            venue,
            status,
            participation,
            ..
        } = event.fields.clone();
        Self {
            id: event.id,
            version: event.version,
            title,
            kind,
            all_day,
            starts_at,
            starts_local,
            ends_at,
            ends_local,
            starts_on,
            ends_on,
            time_zone,
            venue,
            status,
            participation,
        }
    }
}
