//! Contacts in the database: their columns, and what lists can filter and sort by.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

use super::db::sql::conn::Conn;
use super::db::sql::schema::contacts;
use super::db::sql::select::{Comparison, Field, Predicate, Scalar, Select, field, sortable};
use super::db::sql::types::{AnyId, AsJson};
use super::db::write::record::{Record, record_statements};
use super::db::write::tx::Tx;
use super::error::Result;
use super::{positions, tags};
use crate::domain::comparable_name::PersonName;
use crate::domain::contact::{
    AddressAs, Cadence, Channel, Contact, ContactAddress, ContactDate, ContactEmail, ContactFields, ContactPhone,
    ExternalId, HowMet, Tier,
};
use crate::domain::duplicates::Person;
use crate::domain::entity::Entity;
use crate::domain::fields::{LabelText, LanguageTag, NameText, ProfileLink};
use crate::domain::id::{ContactId, WorkspaceId};
use crate::domain::key::Key;
use crate::domain::keyed::Keyed;
use crate::domain::partial_date::PartialDate;
use crate::domain::person_name::{NameOrder, NameParts};
use crate::domain::search::SearchText;
use crate::domain::timestamp::Timestamp;

/// A row of `contacts`. What is never filtered or sorted by stands in JSON columns.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = contacts)]
#[diesel(primary_key(workspace_id, id))]
#[diesel(treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct ContactRow {
    workspace_id: WorkspaceId,
    id: ContactId,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    is_self: bool,
    name: String,
    sort_name: String,
    sort_key: String,
    given_name: Option<String>,
    family_name: Option<String>,
    name_parts: AsJson<NamePartsJson>,
    profile: AsJson<ProfileJson>,
    about: Option<String>,
    notes: Option<String>,
    emails: AsJson<Keyed<ContactEmail>>,
    phones: AsJson<Keyed<ContactPhone>>,
    links: AsJson<Keyed<ProfileLink>>,
    addresses: AsJson<Keyed<ContactAddress>>,
    dates: AsJson<Keyed<ContactDate>>,
    how_met: Option<AsJson<HowMet>>,
    introduced_by_id: Option<ContactId>,
    known: bool,
    tier: Option<Tier>,
    cadence: Option<AsJson<Cadence>>,
    tags: AsJson<Vec<LabelText>>,
    favorite: bool,
    archived_at: Option<Timestamp>,
    do_not_contact: bool,
}

/// The other parts of a name, and how it is said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct NamePartsJson {
    middle_name: Option<String>,
    prefix: Option<String>,
    suffix: Option<String>,
    former_names: Vec<NameText>,
    name_order: Option<NameOrder>,
    phonetic_given_name: Option<String>,
    phonetic_family_name: Option<String>,
    pronunciation: Option<String>,
    nickname: Option<String>,
    display_name: Option<String>,
    pronouns: Option<String>,
    address_as: Option<AddressAs>,
}

/// What is neither filtered nor sorted by.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct ProfileJson {
    headline: Option<String>,
    location: Option<String>,
    time_zone: Option<String>,
    skills: Vec<LabelText>,
    languages: Vec<LanguageTag>,
    preferred_channel: Option<Channel>,
    external_ids: Keyed<ExternalId>,
}

impl ContactRow {
    fn of(workspace_id: WorkspaceId, contact: &Contact) -> Self {
        let Contact { id, is_self, name, sort_name, fields, created_at, updated_at, version } = contact.clone();
        let ContactFields {
            given_name,
            family_name,
            middle_name,
            prefix,
            suffix,
            former_names,
            name_order,
            phonetic_given_name,
            phonetic_family_name,
            pronunciation,
            nickname,
            display_name,
            pronouns,
            address_as,
            headline,
            about,
            notes,
            skills,
            location,
            time_zone,
            languages,
            emails,
            phones,
            links,
            addresses,
            dates,
            preferred_channel,
            how_met,
            known,
            tier,
            cadence,
            tags,
            favorite,
            archived_at,
            do_not_contact,
            external_ids,
        } = fields;
        Self {
            workspace_id,
            id,
            version,
            created_at,
            updated_at,
            is_self,
            sort_key: crate::domain::text::sort_key(&sort_name),
            name,
            sort_name,
            given_name,
            family_name,
            name_parts: AsJson(NamePartsJson {
                middle_name,
                prefix,
                suffix,
                former_names,
                name_order,
                phonetic_given_name,
                phonetic_family_name,
                pronunciation,
                nickname,
                display_name,
                pronouns,
                address_as,
            }),
            profile: AsJson(ProfileJson {
                headline,
                location,
                time_zone,
                skills,
                languages,
                preferred_channel,
                external_ids,
            }),
            about,
            notes,
            emails: AsJson(emails),
            phones: AsJson(phones),
            links: AsJson(links),
            addresses: AsJson(addresses),
            dates: AsJson(dates),
            introduced_by_id: how_met.as_ref().and_then(|how_met| how_met.introduced_by_id),
            // Nothing may be left of it once a delete has cleared a reference.
            how_met: how_met.filter(|how_met| *how_met != HowMet::default()).map(AsJson),
            known,
            tier,
            cadence: cadence.map(AsJson),
            tags: AsJson(tags),
            favorite,
            archived_at,
            do_not_contact,
        }
    }

    fn into_record(self) -> Contact {
        let Self {
            workspace_id: _,
            id,
            version,
            created_at,
            updated_at,
            is_self,
            name,
            sort_name,
            sort_key: _,
            given_name,
            family_name,
            name_parts: AsJson(parts),
            profile: AsJson(profile),
            about,
            notes,
            emails: AsJson(emails),
            phones: AsJson(phones),
            links: AsJson(links),
            addresses: AsJson(addresses),
            dates: AsJson(dates),
            how_met,
            introduced_by_id: _,
            known,
            tier,
            cadence,
            tags: AsJson(tags),
            favorite,
            archived_at,
            do_not_contact,
        } = self;
        let NamePartsJson {
            middle_name,
            prefix,
            suffix,
            former_names,
            name_order,
            phonetic_given_name,
            phonetic_family_name,
            pronunciation,
            nickname,
            display_name,
            pronouns,
            address_as,
        } = parts;
        let ProfileJson { headline, location, time_zone, skills, languages, preferred_channel, external_ids } =
            profile;
        let fields = ContactFields {
            given_name,
            family_name,
            middle_name,
            prefix,
            suffix,
            former_names,
            name_order,
            phonetic_given_name,
            phonetic_family_name,
            pronunciation,
            nickname,
            display_name,
            pronouns,
            address_as,
            headline,
            about,
            notes,
            skills,
            location,
            time_zone,
            languages,
            emails,
            phones,
            links,
            addresses,
            dates,
            preferred_channel,
            how_met: how_met.map(|json| json.0),
            known,
            tier,
            cadence: cadence.map(|json| json.0),
            tags,
            favorite,
            archived_at,
            do_not_contact,
            external_ids,
        };
        Contact { id, is_self, name, sort_name, fields, created_at, updated_at, version }
    }
}

impl Record for Contact {
    const ENTITY: Entity = Entity::Contact;
    const SUMMARY: &'static [&'static str] =
        &["name", "sort_name", "headline", "known", "tier", "tags", "favorite", "archived_at", "is_self"];

    fn sort_value(&self, field: Field) -> Scalar {
        if field == CREATED_AT {
            Scalar::Instant(self.created_at)
        } else if field == UPDATED_AT {
            Scalar::Instant(self.updated_at)
        } else if field == SORT_NAME {
            Scalar::Text(crate::domain::text::sort_key(&self.sort_name))
        } else {
            Scalar::Id(Record::id(self))
        }
    }

    fn keys(&self) -> Vec<Key> {
        Self::keys(self)
    }

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    fn is_permanent(&self) -> bool {
        self.is_self
    }

    fn labels(&mut self) -> Option<&mut Vec<LabelText>> {
        Some(&mut self.fields.tags)
    }

    fn resolve_tags(&mut self, tx: &mut Tx<'_>, before: Option<&Self>) -> Result<()> {
        match before {
            Some(before) if before.fields.tags == self.fields.tags => Ok(()),
            _ => tags::resolve(tx, &mut self.fields.tags),
        }
    }

    /// What they do and did, and where.
    fn related_search_text(&self, conn: &mut Conn, workspace: WorkspaceId) -> Result<String> {
        positions::search_text_of(conn, workspace, self.id)
    }

    /// What they are and where, or else their headline, or where they live.
    fn subtitles(
        conn: &mut Conn,
        workspace: WorkspaceId,
        records: &[Self],
        on: NaiveDate,
    ) -> Result<HashMap<AnyId, String>> {
        let ids: Vec<AnyId> = records.iter().map(Record::id).collect();
        let mut positions = positions::current_of(conn, workspace, &ids, on)?;
        let told = records.iter().filter_map(|contact| {
            let ContactFields { headline, location, .. } = &contact.fields;
            let id = Record::id(contact);
            let position = positions.remove(&id);
            Some((id, position.or_else(|| headline.clone()).or_else(|| location.clone())?))
        });
        Ok(told.collect())
    }

    record_statements!(contacts, ContactRow);
}

pub const CREATED_AT: Field = sortable(contacts::created_at);
pub const UPDATED_AT: Field = sortable(contacts::updated_at);
pub const SORT_NAME: Field = sortable(contacts::sort_key);
pub const IS_SELF: Field = sortable(contacts::is_self);
pub const KNOWN: Field = sortable(contacts::known);
pub const FAVORITE: Field = sortable(contacts::favorite);
pub const TIER: Field = field(contacts::tier);
pub const ARCHIVED_AT: Field = field(contacts::archived_at);

/// What these contacts are called.
pub(super) fn names(
    conn: &mut Conn,
    workspace: WorkspaceId,
    ids: impl IntoIterator<Item = AnyId>,
) -> Result<HashMap<AnyId, String>> {
    let (filter, _, _) = Select::all(workspace, Predicate::ids(ids)).parts();
    let rows: Vec<(AnyId, String)> =
        contacts::table.filter(filter).select((contacts::id, contacts::name)).load(conn)?;
    Ok(rows.into_iter().collect())
}

/// What of these contacts is compared with others.
pub fn people(conn: &mut Conn, workspace: WorkspaceId, ids: &[AnyId]) -> Result<HashMap<AnyId, Person>> {
    type Row = (AnyId, String, Option<String>, Option<String>, AsJson<NamePartsJson>, AsJson<Keyed<ContactDate>>);
    let (filter, _, _) = Select::all(workspace, Predicate::ids(ids.iter().copied())).parts();
    let rows: Vec<Row> = contacts::table
        .filter(filter)
        .select((
            contacts::id,
            contacts::name,
            contacts::given_name,
            contacts::family_name,
            contacts::name_parts,
            contacts::dates,
        ))
        .load(conn)?;
    let people = rows.into_iter().map(|(id, name, given, family, AsJson(rest), AsJson(dates))| {
        let parts = NameParts {
            given: given.as_deref(),
            family: family.as_deref(),
            middle: rest.middle_name.as_deref(),
            nickname: rest.nickname.as_deref(),
            display_name: rest.display_name.as_deref(),
            ..NameParts::default()
        };
        let comparable_name = PersonName::new(&parts, rest.former_names.iter().map(|name| name.0.as_str()));
        let birthday = dates.get("birthday").and_then(|date| PartialDate::parse(&date.value).ok());
        (id, Person { name, comparable_name, birthday })
    });
    Ok(people.collect())
}

/// The networker's own contact.
pub fn self_contact(conn: &mut Conn, workspace: WorkspaceId) -> Result<Option<Contact>> {
    let filter = Predicate::Compare(IS_SELF, Comparison::Equal, Scalar::Bool(true));
    Ok(Contact::select(conn, Select { limit: 1, ..Select::all(workspace, filter) })?.pop())
}
