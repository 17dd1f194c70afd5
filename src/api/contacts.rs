//! Contacts: the people of the network, those to meet, and the user.

use actix_web::http::Method;
use chrono::NaiveDate;
use serde_json::{Value, json};

use super::context::Context;
use super::http::messages::problem::{Code, Problem};
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::collection::{
    Collection, Filter, FilterFn, NONE, Operators, Values, flag, parse_id, reference,
};
use super::http::records::operations::{PageOf, cards, of_record};
use super::http::records::resource::{Cards, Resource, Texts};
use super::http::records::{lookup, merge};
use super::positions as positions_api;
use crate::domain::anniversary::days_ahead;
use crate::domain::card::ContactCard;
use crate::domain::contact::{Contact, Tier};
use crate::domain::email::EmailAddress;
use crate::domain::entity::Entity;
use crate::domain::fields::parse_day;
use crate::domain::id::WorkspaceId;
use crate::domain::invalid::Rejection;
use crate::domain::key::{Key, KeyKind};
use crate::domain::phone::{Country, PhoneNumber};
use crate::domain::text;
use crate::store::lists::has_key;
use crate::store::relations::{Link, Relation};
use crate::store::{
    Comparison, Conn, Field, ID, Predicate, Record, Result as StoreResult, Scalar, contact_activities,
    contacts as stored, positions, targets,
};

pub const COLLECTION: Collection = Collection {
    entity: Entity::Contact,
    sorts: &[
        ("id", ID),
        ("created_at", stored::CREATED_AT),
        ("updated_at", stored::UPDATED_AT),
        ("sort_name", stored::SORT_NAME),
        ("last_interaction_on", stored::LAST_INTERACTION),
        ("next_contact_on", stored::NEXT_CONTACT),
    ],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    relations: &[
        Relation {
            name: "introduced_by",
            description: "Who introduced you.",
            link: Link::To(Entity::Contact, "/how_met/introduced_by_id"),
            with: &[],
        },
        Relation {
            name: "positions",
            description: "Their positions, each with its `organization`: at most 100, the primary one first, then \
                          those without an end, then by end and start, latest first.",
            link: Link::From(Entity::Position, "contact_id"),
            with: &[positions_api::ORGANIZATION],
        },
        Relation {
            name: "needs",
            description: "Their needs, offers and interests: at most 100, newest first.",
            link: Link::From(Entity::Need, "contact_id"),
            with: &[],
        },
        Relation {
            name: "activity",
            description: "When you were last in touch, how often, and when to be in touch again; null where there is none of it.",
            link: Link::To(Entity::ContactActivity, "/id"),
            with: &[],
        },
    ],
    filters: &[
        Filter {
            name: "tag",
            description: "Has this tag. Case and accents are ignored.",
            values: Values::Text { max_length: 100, example: "conference-2026" },
            operators: Operators::Set,
            default: None,
            predicate: FilterFn::Always(|_, tag| {
                Ok(has_key::<Contact>(vec![Key::new(KeyKind::Tag, text::fold(tag))]))
            }),
        },
        Filter {
            name: "organization_id",
            description: "Has or had a position at this organization.",
            values: Values::Id(Entity::Organization),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| {
                let there = reference(positions::ORGANIZATION, id)?;
                Ok(Predicate::ReferredBy(Entity::Position, positions::CONTACT, Box::new(there)))
            }),
        },
        Filter {
            name: "goal_id",
            description: "Is a target of this goal.",
            values: Values::Id(Entity::Goal),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| Ok(targets::contacts_of(parse_id(id)?))),
        },
        Filter {
            name: "tier",
            description: "The tier; `none` for contacts without one.",
            values: Values::OneOf(&["inner", "core", "active", "extended", "distant", "none"]),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, tier| match Tier::parse(tier) {
                Some(tier) => Ok(Predicate::equal(stored::TIER, Scalar::Text(tier.as_str().to_owned()))),
                None => Ok(Predicate::IsNull(stored::TIER)),
            }),
        },
        Filter {
            name: "last_interaction_on",
            description: "The day of the last interaction that counts; `none` for contacts who were never contacted, \
                          whom no other day matches.",
            values: Values::DayOrNone,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, day| {
                copied_day(stored::LAST_INTERACTION, stored::NEVER, comparison, day)
            }),
        },
        Filter {
            name: "next_contact_on",
            description: "The day on which to be in touch again; `none` for contacts without one, whom no other day matches.",
            values: Values::DayOrNone,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, day| {
                copied_day(stored::NEXT_CONTACT, stored::NOT_DUE, comparison, day)
            }),
        },
        Filter {
            name: "dates_within",
            description: "Has a birthday or another date in this period: its first and last day, separated by a \
                          slash, at most 366 days apart. Does not match contacts who are archived, not yet known, or \
                          not to be contacted.",
            values: Values::Text { max_length: 21, example: "2026-03-02/2026-03-16" },
            operators: Operators::Single,
            default: None,
            predicate: FilterFn::Always(|_, period| dates_within(period)),
        },
        Filter {
            name: "favorite",
            description: "Whether the contact is a favorite.",
            values: Values::Flag,
            operators: Operators::Single,
            default: None,
            predicate: FilterFn::Always(|_, value| flag(stored::FAVORITE, value)),
        },
        Filter {
            name: "archived",
            description: "Whether the contact is archived, or `any`.",
            values: Values::OneOf(&["true", "false", "any"]),
            operators: Operators::Single,
            default: Some("false"),
            predicate: FilterFn::Always(|_, value| match value {
                "true" => Ok(Predicate::NotNull(stored::ARCHIVED_AT)),
                "false" => Ok(Predicate::IsNull(stored::ARCHIVED_AT)),
                _ => Ok(Predicate::always()),
            }),
        },
        Filter {
            name: "known",
            description: "`true` for people you know, `false` for people you want to meet, or `any`.",
            values: Values::OneOf(&["true", "false", "any"]),
            operators: Operators::Single,
            default: Some("true"),
            predicate: FilterFn::Always(|_, value| match value {
                "any" => Ok(Predicate::always()),
                value => flag(stored::KNOWN, value),
            }),
        },
        Filter {
            name: "is_self",
            description: "`true` for the contact that represents you, `false` for all others.",
            values: Values::Flag,
            operators: Operators::Single,
            default: Some("false"),
            predicate: FilterFn::Always(|_, value| flag(stored::IS_SELF, value)),
        },
    ],
};

/// The longest period in which dates are looked for; all dates fall within it.
const MAX_DATES_WITHIN_DAYS: i64 = 366;

/// Has a date on a day of a period such as `2026-03-02/2026-03-16`.
fn dates_within(period: &str) -> Result<Predicate, Rejection> {
    let refuse = || {
        let example = "2026-03-02/2026-03-16";
        let detail = format!("Expected two days, at most {MAX_DATES_WITHIN_DAYS} days apart, such as {example}.");
        Rejection::format(detail).with("max", MAX_DATES_WITHIN_DAYS)
    };
    let (first, last) = period.split_once('/').ok_or_else(refuse)?;
    let (first, last) = (parse_day(first).map_err(|_| refuse())?, parse_day(last).map_err(|_| refuse())?);
    let days = last.signed_duration_since(first).num_days();
    let days = u64::try_from(days).ok().filter(|_| days <= MAX_DATES_WITHIN_DAYS).ok_or_else(refuse)?;
    let mut keys: Vec<Key> = days_ahead(first, days)
        .into_iter()
        .flat_map(|(_, keys)| keys)
        .map(|key| Key::new(KeyKind::Date, key))
        .collect();
    keys.sort();
    keys.dedup();
    Ok(has_key::<Contact>(keys))
}

/// A day of a contact's activity, where `without` stands for none.
fn copied_day(field: Field, without: &str, comparison: Comparison, day: &str) -> Result<Predicate, Rejection> {
    let text = |text: &str| Scalar::Text(text.to_owned());
    if day == NONE {
        return match comparison {
            Comparison::Equal => Ok(Predicate::equal(field, text(without))),
            _ => Err(Rejection::format("Expected an existing day, such as 2026-02-01.")),
        };
    }
    let compared = Predicate::Compare(field, comparison, text(day));
    let has_day = |comparison| Predicate::Compare(field, comparison, text(without));
    Ok(match comparison {
        Comparison::Less | Comparison::LessOrEqual if without < day => {
            Predicate::All(vec![has_day(Comparison::Greater), compared])
        }
        Comparison::Greater | Comparison::GreaterOrEqual if without > day => {
            Predicate::All(vec![compared, has_day(Comparison::Less)])
        }
        _ => compared,
    })
}

impl Resource for Contact {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "contacts",
        one: "a contact",
        many: "contacts",
        create_example: || {
            json!({
                "given_name": "Dorota", "family_name": "Kozłowicz", "headline": "CTO at Poniedziałek",
                "emails": {"work": {"value": "dorota@example.com", "preferred": true}},
                "links": {"linkedin": {"url": "https://www.linkedin.com/in/dorota-kozlowicz"}},
                "how_met": {"on": "2024-10", "story": "Sat next to each other at the keynote."},
                "tier": "active", "tags": ["conference-2026"]
            })
        },
        update_example: || {
            json!({
                "nickname": "Dorka", "emails": {"private": {"value": "dorka@example.org"}},
                "how_met": {"introduced_by_id": "01939d5e-8c00-7000-8000-0000000000a2"}, "add_tags": ["speaker"]
            })
        },
        write_errors: &[],
        delete_errors: &[Code::SelfContact],
    };

    fn more_examples() -> Vec<(&'static str, Value)> {
        vec![
            (
                "With a name only",
                json!({ "id": "01939d5e-8c00-7000-8000-0000000000a2", "given_name": "Karim", "family_name": "Benali" }),
            ),
            (
                "With an e-mail address and a birthday",
                json!({
                    "id": "01939d5e-8c00-7000-8000-0000000000b1", "given_name": "Maya", "family_name": "Lindqvist",
                    "emails": {"work": {"value": "maya@example.org"}}, "dates": {"birthday": {"value": "--06-15"}}
                }),
            ),
            (
                "One to merge into another",
                json!({ "id": "01939d5e-8c00-7000-8000-0000000000b2", "given_name": "Maya", "family_name": "Lindquist" }),
            ),
        ]
    }
}

impl Cards for Contact {
    type Card = ContactCard;

    fn cards(
        conn: &mut Conn,
        workspace: WorkspaceId,
        contacts: &[Self],
        on: NaiveDate,
    ) -> StoreResult<Vec<ContactCard>> {
        let mut subtitles = Self::subtitles(conn, workspace, contacts, on)?;
        let activities = contact_activities::of_contacts(conn, workspace, contacts.iter().map(Record::id))?;
        let card = |contact: &Self| {
            let id = Record::id(contact);
            ContactCard::new(contact, subtitles.remove(&id), activities.get(&id))
        };
        Ok(contacts.iter().map(card).collect())
    }
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<Contact>();
    operations.push(cards::<Contact>());
    operations.push(look_up_operation());
    operations.push(merge::operation::<Contact>(
        "The other contacts become part of the kept one: maps and lists are merged, notes are concatenated, and every \
         other field takes the kept contact's value, or else the first value of the others. The result is known, a \
         favorite or not to be contacted if any of them is, and archived if all of them are. Positions, \
         relationships, needs and everything else that refers to the others then refers to the kept contact; \
         duplicates that result are dropped. It is one write, which `POST /v1/changes/{write}/revert` reverts. The \
         contact that represents you can be kept, but not merged into another.",
        || {
            json!({
                "keep_id": "01939d5e-8c00-7000-8000-0000000000b1",
                "merge_ids": ["01939d5e-8c00-7000-8000-0000000000b2"],
                "fields": {"headline": "Speaks about storage"}
            })
        },
        &[Code::SelfContact],
    ));
    operations
}

fn look_up_operation() -> Operation {
    let docs = || {
        let parameters = COLLECTION.without_filters().parameters();
        Docs::new("contacts", "Look up contacts by an exact address, number or link")
            .description(
                "Compared as for duplicates: e-mail addresses without regard to case, phone numbers in E.164 where \
                 possible, profile links by platform and handle. Archived contacts and people you want to meet are \
                 found too.",
            )
            .parameter(Parameter::text("email", "An e-mail address.", 3, 254).filled_in(json!("dorota@example.com")))
            .parameter(
                Parameter::text("phone", "A phone number. The + of an international number is %2B in a URL.", 1, 64)
                    .instead_of(&["email", "url"], json!("+48512345678")),
            )
            .parameter(
                Parameter::new(
                    "country",
                    "The country in whose national format `phone` is written: ISO 3166-1 alpha-2. Only with `phone`.",
                    json!({ "type": "string", "pattern": "^[A-Z]{2}$" }),
                )
                .instead_of(&["email", "url"], json!("PL")),
            )
            .parameter(
                Parameter::text("url", "The URL of a profile or page.", 1, 2048)
                    .instead_of(&["email", "phone"], json!("https://www.linkedin.com/in/dorota")),
            )
            .parameters(parameters)
            .answer::<PageOf<Contact>>(200, "A page of the contacts that have it.")
            .tagged(Tagged::View)
    };
    let access = Access::scope("contacts:read");
    Operation::new(Method::GET, "/v1/contacts/lookup", "lookup_contacts", access, Run::Read(look_up), docs)
}

fn look_up(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let query = context.query();
    let email = query.parsed("email", |text| {
        EmailAddress::parse(text).map(|email| vec![Key::new(KeyKind::Email, email.normalized())])
    })?;
    let country = query.parsed("country", |text| Country::parse(text).map(|country| country.as_str()))?;
    let phone = query.parsed("phone", |text| {
        let mut keys = vec![phone_key(text, country)?];
        // A plus that was not sent as %2B comes as a space.
        if let Some(rest) = text.strip_prefix(' ').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
            keys.push(phone_key(&format!("+{rest}"), None)?);
        }
        Ok(keys)
    })?;
    let keys = [("email", email), ("phone", phone), ("url", lookup::link(query, "url")?)];
    lookup::look_up::<Contact>(context, conn, &keys)
}

fn phone_key(text: &str, country: Option<&str>) -> Result<Key, Rejection> {
    PhoneNumber::parse(text, country).map(|phone| Key::new(KeyKind::Phone, phone.normalized()))
}
