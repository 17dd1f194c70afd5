//! What a contact consists of besides texts: addresses, dates, how you met, how often to be in touch.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::id::{ContactId, EventId};
use crate::domain::interval::{Interval, IntervalUnit};
use crate::domain::words::enumeration;

/// An e-mail address of a contact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ContactEmail {
    /// The address as typed; matched without regard to case.
    #[schema(required = true, min_length = 3, max_length = 254, example = "dorota@example.com")]
    pub value: String,
    /// A label in your words.
    #[schema(max_length = 100)]
    pub label: Option<String>,
    /// Whether it is the preferred one.
    #[schema(default = false)]
    pub preferred: bool,
}

/// A phone number of a contact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ContactPhone {
    /// The number as typed.
    #[schema(required = true, min_length = 1, max_length = 64, example = "+48 512 345 678")]
    pub value: String,
    /// The country (ISO 3166-1 alpha-2) in whose national format `value` is written. Null: only numbers that begin
    /// with + or 00 have an `e164`.
    #[schema(pattern = "^[A-Z]{2}$", example = "PL")]
    pub country: Option<String>,
    /// The number in E.164. Null if it cannot be determined from `value` and `country`.
    #[schema(read_only, max_length = 16, example = "+48512345678")]
    pub e164: Option<String>,
    /// A label in your words.
    #[schema(max_length = 100)]
    pub label: Option<String>,
    /// Whether it is the preferred one.
    #[schema(default = false)]
    pub preferred: bool,
}

/// A postal address of a contact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ContactAddress {
    /// Street and number.
    #[schema(max_length = 500)]
    pub street: Option<String>,
    /// Additional address line: apartment, floor, department.
    #[schema(max_length = 500)]
    pub extended: Option<String>,
    /// Post office box.
    #[schema(max_length = 100)]
    pub po_box: Option<String>,
    /// Postal code.
    #[schema(max_length = 40)]
    pub postal_code: Option<String>,
    /// Town or city.
    #[schema(max_length = 200)]
    pub city: Option<String>,
    /// State, province or region.
    #[schema(max_length = 200)]
    pub region: Option<String>,
    /// Country: a name, or an ISO 3166-1 alpha-2 code.
    #[schema(max_length = 100)]
    pub country: Option<String>,
    /// The whole address as it is written on an envelope, if its parts are not known.
    #[schema(max_length = 1000)]
    pub formatted: Option<String>,
    /// A label in your words.
    #[schema(max_length = 100)]
    pub label: Option<String>,
    /// Whether it is the preferred one.
    #[schema(default = false)]
    pub preferred: bool,
}

/// A date to remember.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ContactDate {
    /// `1990-06-15`, `1990-06`, `1990` or, without a year, `--06-15`.
    #[schema(required = true, min_length = 4, max_length = 10, example = "--06-15")]
    pub value: String,
    /// A label in your words.
    #[schema(max_length = 100)]
    pub label: Option<String>,
}

impl ContactDate {
    /// Its label or, without one, the key that it stands under, as words.
    pub fn title(&self, key: &str) -> String {
        self.label.clone().unwrap_or_else(|| key.replace(['_', '-'], " "))
    }
}

/// The id of a contact in another system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ExternalId {
    /// The id in the other system.
    #[schema(required = true, min_length = 1, max_length = 2048)]
    pub id: String,
    /// The day you connected in the other system.
    #[schema(value_type = Option<String>, format = Date, example = "2020-12-07")]
    pub connected_on: Option<String>,
}

/// How you met somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct HowMet {
    /// When you met: a partial date.
    #[schema(max_length = 10, example = "2024-10")]
    pub on: Option<String>,
    /// The event where you met. Null: not at an event.
    #[schema(example = json!(null))]
    pub event_id: Option<EventId>,
    /// The contact who introduced you. Null: nobody introduced you.
    #[schema(example = json!(null))]
    pub introduced_by_id: Option<ContactId>,
    /// The story.
    #[schema(max_length = 5000, example = "Sat next to each other at the keynote.")]
    pub story: Option<String>,
}

/// How often to be in touch. `every` and `unit` are set together, or neither is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Cadence {
    /// How many units are between two contacts. Null: as many as the tier says.
    #[schema(minimum = 1, maximum = 1000, example = 2)]
    pub every: Option<u16>,
    /// The unit. Null: that of the tier.
    pub unit: Option<IntervalUnit>,
    /// Nothing is due before this day. Null: not paused.
    #[schema(value_type = Option<String>, format = Date, example = "2026-09-01")]
    pub paused_until: Option<String>,
    /// Whether to have no reminders for this contact, whatever the tier says.
    #[schema(default = false)]
    pub off: bool,
}

impl Cadence {
    /// The contact's own interval; `None` where the tier decides.
    pub fn interval(&self) -> Option<Interval> {
        let (every, unit) = self.every.zip(self.unit)?;
        Some(Interval { every, unit })
    }
}

/// How close you want to be to a contact, after Dunbar's circles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    Inner,
    Core,
    Active,
    Extended,
    Distant,
}

impl Tier {
    pub const ALL: [Self; 5] = [Self::Inner, Self::Core, Self::Active, Self::Extended, Self::Distant];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inner => "inner",
            Self::Core => "core",
            Self::Active => "active",
            Self::Extended => "extended",
            Self::Distant => "distant",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == name)
    }
}

/// How to address somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddressAs {
    Formal,
    Informal,
}

enumeration! {
    /// A way to reach somebody.
    Channel {
        Email = "email",
        Phone = "phone",
        Message = "message",
        Linkedin = "linkedin",
        Video = "video",
        InPerson = "in_person",
        Letter = "letter",
        Other = "other",
    }
}
