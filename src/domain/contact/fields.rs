//! What can be entered about a person.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::parts::{
    AddressAs, Cadence, Channel, ContactAddress, ContactDate, ContactEmail, ContactPhone, ExternalId, HowMet, Tier,
};
use crate::domain::fields::{LabelText, LanguageTag, NameText, ProfileLink};
use crate::domain::keyed::Keyed;
use crate::domain::person_name::NameOrder;
use crate::domain::timestamp::Timestamp;

/// What can be entered about a person.
///
/// Single-line texts are trimmed, line breaks in them become spaces, and a blank one counts as null. At least one of `given_name`, `family_name`,
/// `nickname` and `display_name` must say what to call them by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ContactFields {
    /// Whether this contact represents you.
    #[schema(read_only)]
    pub is_self: bool,
    /// The full name: `display_name`, or composed from the parts in their order, or the nickname.
    #[schema(read_only, example = "Dr. Dorota M. Kozłowicz PhD")]
    pub name: String,
    /// The name by which contacts are sorted, such as "Kozłowicz, Dorota M.".
    #[schema(read_only, example = "Kozłowicz, Dorota M.")]
    pub sort_name: String,
    /// Given name, or the name of somebody who has only one.
    #[schema(max_length = 200, example = "Dorota")]
    pub given_name: Option<String>,
    /// Family name, with its particles ("van den Berg").
    #[schema(max_length = 200, example = "Kozłowicz")]
    pub family_name: Option<String>,
    /// Middle names or initials.
    #[schema(max_length = 200, example = "M.")]
    pub middle_name: Option<String>,
    /// What comes before the name, such as "Dr." or "Prof.".
    #[schema(max_length = 100, example = "Dr.")]
    pub prefix: Option<String>,
    /// What comes after the name, such as "Jr." or "PhD".
    #[schema(max_length = 100, example = "PhD")]
    pub suffix: Option<String>,
    /// Other names and spellings: former and maiden names, and the names of contacts that were merged into this one.
    #[schema(max_items = 200, example = json!(["Nowak"]))]
    pub aliases: Vec<NameText>,
    /// Which name comes first. Null: determined by the script (family name first in Han, Kana and Hangul).
    pub name_order: Option<NameOrder>,
    /// How the given name is read, in kana or any alphabet. Japanese names are sorted by it.
    #[schema(max_length = 200, example = "ミツル")]
    pub phonetic_given_name: Option<String>,
    /// How the family name is read, in kana or any alphabet. Japanese names are sorted by it.
    #[schema(max_length = 200, example = "オオタ")]
    pub phonetic_family_name: Option<String>,
    /// How the name is pronounced, in your own words.
    #[schema(max_length = 200, example = "doh-ROH-tah")]
    pub pronunciation: Option<String>,
    /// Nickname.
    #[schema(max_length = 200, example = "Dorka")]
    pub nickname: Option<String>,
    /// The `name`, if it should not be composed from the parts. Null: composed from the parts.
    #[schema(max_length = 400)]
    pub display_name: Option<String>,
    /// Pronouns, such as "she/her".
    #[schema(max_length = 50, example = "she/her")]
    pub pronouns: Option<String>,
    /// How to address them where a language distinguishes (tu or vous, du or Sie). Null: not known.
    pub address_as: Option<AddressAs>,
    /// Who they are, in one line.
    #[schema(max_length = 500, example = "CTO at Poniedziałek")]
    pub headline: Option<String>,
    /// How they describe themselves.
    #[schema(max_length = 20000)]
    pub about: Option<String>,
    /// Your own notes; never exported to them. Markdown is kept as it is.
    #[schema(max_length = 100000, example = "Met at the Warsaw meetup; likes type systems.")]
    pub notes: Option<String>,
    /// Their skills.
    #[schema(max_items = 200, example = json!(["rust", "hiring"]))]
    pub skills: Vec<LabelText>,
    /// Where they live or work, in your words.
    #[schema(max_length = 300, example = "Warsaw, Poland")]
    pub location: Option<String>,
    /// IANA time zone. Null: not known.
    #[schema(max_length = 64, pattern = "^\\s*[A-Za-z0-9_+/-]*\\s*$", example = "Europe/Warsaw")]
    pub time_zone: Option<String>,
    /// Languages they speak, as BCP 47 tags, the preferred one first.
    #[schema(max_items = 50, example = json!(["pl", "en"]))]
    pub languages: Vec<LanguageTag>,
    /// E-mail addresses under keys of your choice; at most one is preferred.
    #[schema(inline, example = json!({"work": {"value": "dorota@example.com", "preferred": true}}))]
    pub emails: Keyed<ContactEmail>,
    /// Phone numbers under keys of your choice; at most one is preferred.
    #[schema(inline, example = json!({"mobile": {"value": "+48 512 345 678"}}))]
    pub phones: Keyed<ContactPhone>,
    /// Profiles and pages under keys of your choice.
    #[schema(inline, example = json!({"linkedin": {"url": "https://www.linkedin.com/in/dorota"}}))]
    pub links: Keyed<ProfileLink>,
    /// Postal addresses under keys of your choice.
    #[schema(inline, example = json!({"office": {"city": "Warszawa", "country": "PL"}}))]
    pub addresses: Keyed<ContactAddress>,
    /// Dates to remember, such as `birthday` and `anniversary`, under keys of your choice.
    #[schema(inline, example = json!({"birthday": {"value": "--06-15"}}))]
    pub dates: Keyed<ContactDate>,
    /// How they prefer to be reached. Null: not known.
    pub preferred_channel: Option<Channel>,
    /// How you met. Null: not recorded.
    pub how_met: Option<HowMet>,
    /// Whether you know them. False: somebody you want to meet, who is left out of lists by default.
    #[schema(default = true, example = true)]
    pub known: bool,
    /// How close you want to be, and so how often to be in touch: inner every 14 days, core 30, active 90,
    /// extended 180, distant 365, unless the workspace says otherwise. Null: no reminders.
    pub tier: Option<Tier>,
    /// How often to be in touch with this person. Null: as often as the tier says.
    pub cadence: Option<Cadence>,
    /// The day the cadence began: set when the tier or the interval changes. The next contact is counted from it until
    /// there is an interaction that counts. Null: there is no cadence, or it is older than this field; then the day
    /// of creation counts.
    #[schema(read_only, value_type = Option<String>, format = Date, example = "2026-03-02")]
    pub cadence_since: Option<String>,
    /// The names of tags. A new name creates the tag; otherwise the spelling of the tag is used. Case and accents
    /// are ignored. A workspace can have at most 10,000 tags.
    #[schema(max_items = 100, example = json!(["conference-2026"]))]
    pub tags: Vec<LabelText>,
    /// Whether the contact is a favorite.
    #[schema(default = false)]
    pub favorite: bool,
    /// When the contact was archived. Archived contacts are left out of lists by default. Null: not archived.
    pub archived_at: Option<Timestamp>,
    /// Whether they asked not to be contacted, or you decided so. They are never suggested.
    #[schema(default = false)]
    pub do_not_contact: bool,
    /// The ids of the contact in other systems, by the name of the system.
    #[schema(inline, example = json!({"linkedin": {"id": "dorota", "connected_on": "2020-12-07"}}))]
    pub external_ids: Keyed<ExternalId>,
}

impl Default for ContactFields {
    fn default() -> Self {
        Self {
            is_self: false,
            name: String::new(),
            sort_name: String::new(),
            given_name: None,
            family_name: None,
            middle_name: None,
            prefix: None,
            suffix: None,
            aliases: Vec::new(),
            name_order: None,
            phonetic_given_name: None,
            phonetic_family_name: None,
            pronunciation: None,
            nickname: None,
            display_name: None,
            pronouns: None,
            address_as: None,
            headline: None,
            about: None,
            notes: None,
            skills: Vec::new(),
            location: None,
            time_zone: None,
            languages: Vec::new(),
            emails: Keyed::default(),
            phones: Keyed::default(),
            links: Keyed::default(),
            addresses: Keyed::default(),
            dates: Keyed::default(),
            preferred_channel: None,
            how_met: None,
            known: true,
            tier: None,
            cadence: None,
            cadence_since: None,
            tags: Vec::new(),
            favorite: false,
            archived_at: None,
            do_not_contact: false,
            external_ids: Keyed::default(),
        }
    }
}
