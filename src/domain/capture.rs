//! A capture: somebody you have just met, noted in a hallway. Whom it means, and what it makes, is decided where the contacts
//! are known.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::comparable_name::NameLikeness;
use super::contact::{Contact, ContactEmail, ContactFields, ContactPhone};
use super::fields::{ProfileLink, check_day, clean, drop_blank};
use super::id::{Chosen, ContactId, EventId, FollowUpId, InteractionId};
use super::invalid::{FieldCode, Invalid, Rejection};
use super::key::{Key, KeyKind};
use super::timestamp::Timestamp;
use super::words::enumeration;

/// The keys of what is captured in the maps of a contact.
const EMAIL: &str = "email";
const PHONE: &str = "phone";
const LINK: &str = "link";

/// Somebody you have met, and what to keep of it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct Capture {
    /// Whom you have met.
    pub person: CapturedPerson,
    /// When you met; not in the future. Null or absent: now.
    #[serde(default)]
    pub captured_at: Option<Timestamp>,
    /// The event where you met; it requires the scope events:write. Null or absent: none.
    #[serde(default)]
    pub event_id: Option<EventId>,
    /// What to remember of the conversation.
    #[serde(default)]
    #[schema(max_length = 20000, example = "Wants to see the prototype.")]
    pub note: Option<String>,
    /// The id of the interaction that is logged, which identifies the capture: one of the same id returns the first result,
    /// however late it is sent. Null or absent: the server chooses it.
    #[serde(default)]
    #[schema(value_type = Option<Chosen<InteractionId>>, inline)]
    pub interaction_id: Option<InteractionId>,
    /// What to do next; it requires the scope follow_ups:write. Null or absent: nothing.
    #[serde(default)]
    pub follow_up: Option<CapturedFollowUp>,
    /// How to find out whether they are a contact already.
    #[serde(default, rename = "match")]
    #[schema(rename = "match", default = "auto")]
    pub matching: CaptureMatch,
    /// The contact whom you have met, if you know; then nothing else is matched.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub match_contact_id: Option<ContactId>,
}

/// Somebody you have met, as far as you know. Something to call them by is required for somebody new.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct CapturedPerson {
    /// The id of the contact that is created. If they are a contact already, it leads to that one. Null or absent: the server
    /// chooses it.
    #[schema(value_type = Option<Chosen<ContactId>>, inline)]
    pub id: Option<ContactId>,
    /// The full name.
    #[schema(max_length = 400, example = "Dorota Kozłowicz")]
    pub name: Option<String>,
    /// The name of the organization where they work.
    #[schema(max_length = 300, example = "Poniedziałek Sp.j.")]
    pub organization_name: Option<String>,
    /// The e-mail address.
    #[schema(max_length = 254, example = "dorota@example.com")]
    pub email: Option<String>,
    /// The phone number, with + and the country code.
    #[schema(max_length = 64, example = "+48 512 345 678")]
    pub phone: Option<String>,
    /// The URL of a profile.
    #[schema(max_length = 2048, pattern = "^\\s*\\S*\\s*$", example = "https://www.linkedin.com/in/dorota")]
    pub link: Option<String>,
}

/// What to do next for somebody you have met.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct CapturedFollowUp {
    /// The id of the follow-up. Null or absent: the server chooses it.
    #[serde(default)]
    #[schema(value_type = Option<Chosen<FollowUpId>>, inline)]
    pub id: Option<FollowUpId>,
    /// What is to be done, in one line.
    #[schema(min_length = 1, max_length = 300, example = "Send the slides")]
    pub title: String,
    /// The day it is due, in the time zone of the workspace. Null or absent: no due date.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, example = "2026-05-14")]
    pub due_on: Option<String>,
}

enumeration! {
    /// How an existing contact is found: by what is certain (`auto`), not at all (`never`), or by `match_contact_id`
    /// (`contact`).
    #[derive(Default)]
    CaptureMatch {
        #[default]
        Auto = "auto",
        Never = "never",
        Contact = "contact",
    }
}

enumeration! {
    /// How the existing contact was recognized: `contact` (you named it), `id`, `email`, `phone`, `link`, or `event` (a person
    /// at the event has this name).
    MatchedBy {
        Contact = "contact",
        Id = "id",
        Email = "email",
        Phone = "phone",
        Link = "link",
        Event = "event",
    }
}

impl MatchedBy {
    /// What is certain enough to match by: an address of theirs.
    pub const fn of_key(kind: KeyKind) -> Option<Self> {
        match kind {
            KeyKind::Email => Some(Self::Email),
            KeyKind::Phone => Some(Self::Phone),
            KeyKind::Link => Some(Self::Link),
            _ => None,
        }
    }
}

/// A capture that is right in itself.
#[derive(Debug, Clone)]
pub struct CheckedCapture {
    pub capture: Capture,
    /// Whom it tells of, as a contact of their own. `None` where nothing is known but who it is.
    pub person: Option<Contact>,
}

impl Capture {
    /// Checks what does not depend on what is stored. `id` is that of the contact, unless the client chose one.
    pub fn check(mut self, id: Uuid, now: Timestamp) -> Result<CheckedCapture, Invalid> {
        let mut invalid = Invalid::default();
        drop_blank(&mut self.note);
        let CapturedPerson { name, organization_name, email, phone, link, .. } = &mut self.person;
        [name, organization_name, email, phone, link].into_iter().for_each(clean);
        match (self.matching, self.match_contact_id) {
            (CaptureMatch::Contact, None) => {
                let detail = "Required with match: contact.";
                invalid.add("#/match_contact_id", Rejection::new(FieldCode::Required, detail));
            }
            (CaptureMatch::Never, Some(_)) => {
                let detail = "Not allowed with match: never.";
                invalid.add("#/match_contact_id", Rejection::new(FieldCode::Contradiction, detail));
            }
            _ => {}
        }
        if let Some(follow_up) = &self.follow_up {
            check_day(&["follow_up", "due_on"], follow_up.due_on.as_deref(), &mut invalid);
        }
        let fields = self.person.fields();
        let is_empty = fields == ContactFields::default();
        let person = if is_empty && (self.match_contact_id.is_some() || self.person.id.is_some()) {
            None
        } else {
            let id = self.person.id.unwrap_or(ContactId::new(id));
            invalid.gather(Contact::new(id, now, fields).map_err(|errors| errors.moved(pointer_in_capture)))
        };
        invalid.into_result(CheckedCapture { capture: self, person })
    }
}

/// Where what is wrong with the contact stands in the capture.
fn pointer_in_capture(at: &str) -> String {
    let field = [(EMAIL, "emails"), (PHONE, "phones"), (LINK, "links")]
        .into_iter()
        .find(|(_, map)| at.starts_with(&format!("#/{map}")))
        .map_or("name", |(field, _)| field);
    format!("#/person/{field}")
}

impl CapturedPerson {
    /// What is told of them as the fields of a contact.
    fn fields(&self) -> ContactFields {
        let mut fields = ContactFields { display_name: self.name.clone(), ..ContactFields::default() };
        if let Some(value) = self.email.clone() {
            fields.emails.insert(EMAIL.to_owned(), ContactEmail { value, ..ContactEmail::default() });
        }
        if let Some(value) = self.phone.clone() {
            fields.phones.insert(PHONE.to_owned(), ContactPhone { value, ..ContactPhone::default() });
        }
        if let Some(url) = self.link.clone() {
            fields.links.insert(LINK.to_owned(), ProfileLink { url, ..ProfileLink::default() });
        }
        fields
    }
}

impl Contact {
    /// The keys by which somebody is certainly the same person, in the order in which they are asked.
    pub fn certain_keys(&self) -> Vec<(MatchedBy, Key)> {
        let mut keys: Vec<(MatchedBy, Key)> =
            self.keys().into_iter().filter_map(|key| Some((MatchedBy::of_key(key.kind)?, key))).collect();
        keys.sort_by_key(|(_, key)| key.kind);
        keys
    }

    /// The key that everybody of the same name has.
    pub fn name_keys(&self) -> Vec<Key> {
        self.keys().into_iter().filter(|key| key.kind == KeyKind::Name).collect()
    }

    /// Whether the names say that they are different people.
    pub fn is_contradicted_by(&self, other: &Self) -> bool {
        let likeness = self.comparable_name().compare(&other.comparable_name());
        matches!(likeness, NameLikeness::OtherFamily | NameLikeness::OtherGiven)
    }
}

/// A contact that may be the same person.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PossibleDuplicate {
    /// The contact.
    pub contact_id: ContactId,
    /// The name.
    #[schema(example = "Dorota Kozłowicz")]
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(body: serde_json::Value) -> Capture {
        serde_json::from_value(body).unwrap()
    }

    fn checked(body: serde_json::Value) -> Result<CheckedCapture, Vec<String>> {
        let now = Timestamp::parse("2026-05-12T10:00:00Z").unwrap();
        capture(body).check(Uuid::from_u128(7), now).map_err(|invalid| {
            invalid.errors.iter().map(|error| format!("{} {}", error.pointer, error.code.as_str())).collect()
        })
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands_in_the_capture() {
        let table = [
            (serde_json::json!({"person": {"name": "Ada"}}), vec![]),
            (serde_json::json!({"person": {}}), vec!["#/person/name required"]),
            (serde_json::json!({"person": {"name": " "}}), vec!["#/person/name required"]),
            (
                serde_json::json!({"person": {"name": "Ada", "email": "nobody"}}),
                vec!["#/person/email invalid_format"],
            ),
            (serde_json::json!({"person": {"name": "Ada", "link": "ftp://x"}}), vec!["#/person/link not_allowed"]),
            (
                serde_json::json!({"person": {"name": "Ada"}, "match": "contact"}),
                vec!["#/match_contact_id required"],
            ),
            (
                serde_json::json!({"person": {"name": "Ada"}, "match": "never", "match_contact_id": Uuid::from_u128(1)}),
                vec!["#/match_contact_id contradiction"],
            ),
            (
                serde_json::json!({"person": {"name": "Ada"}, "follow_up": {"title": "Write", "due_on": "2026-02-30"}}),
                vec!["#/follow_up/due_on invalid_format"],
            ),
            (
                serde_json::json!({"person": {}, "match": "contact", "match_contact_id": Uuid::from_u128(1)}),
                vec![],
            ),
        ];
        for (body, expected) in table {
            let told = checked(body.clone()).err().unwrap_or_default();
            assert_eq!(told, expected, "{body}");
        }
    }

    #[test]
    fn addresses_are_certain_and_names_are_not() {
        let body = serde_json::json!({
            "person": {"name": "Ada Lovelace", "email": "Ada@Example.com", "phone": "+44 20 7946 0958"},
        });
        let person = checked(body).unwrap().person.unwrap();
        let by: Vec<MatchedBy> = person.certain_keys().into_iter().map(|(by, _)| by).collect();
        assert_eq!(by, [MatchedBy::Email, MatchedBy::Phone]);
        assert_eq!(person.name_keys().len(), 1);
    }

    #[test]
    fn another_name_says_that_it_is_somebody_else() {
        let named = |name: &str| checked(serde_json::json!({"person": {"name": name}})).unwrap().person.unwrap();
        for (one, other, is_contradicted) in [
            ("Ada Lovelace", "Ada Lovelace", false),
            ("Ada Lovelace", "A. Lovelace", false),
            ("Ada", "Ada Lovelace", false),
            ("Ada Lovelace", "Grace Hopper", true),
            ("Ada Lovelace", "Ada Byron", true),
        ] {
            assert_eq!(named(one).is_contradicted_by(&named(other)), is_contradicted, "{one} {other}");
        }
    }
}
