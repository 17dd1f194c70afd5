//! Contacts in the database: their columns, and what lists can filter and sort by.

use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::{BTreeSet, HashMap};

use super::db::index::keys::has_key;
use super::db::sql::conn::Conn;
use super::db::sql::rows::{self, table_row};
use super::db::sql::schema::contacts;
use super::db::sql::select::{Comparison, Field, ID, Predicate, Scalar, Select, field, sortable};
use super::db::sql::types::{AnyId, AsJson, RecordRef};
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::db::write::tx::Tx;
use super::error::{Error, Result};
use super::{events, positions};
use crate::domain::comparable_name::PersonName;
use crate::domain::contact::{
    AddressAs, Cadence, Channel, Contact, ContactAddress, ContactDate, ContactEmail, ContactFields, ContactPhone,
    ExternalId, HowMet, Tier,
};
use crate::domain::contact_activity::ContactActivityFields;
use crate::domain::duplicates::Person;
use crate::domain::entity::Entity;
use crate::domain::fields::{LabelText, LanguageTag, NameText, ProfileLink};
use crate::domain::id::{ContactId, EventId, WorkspaceId};
use crate::domain::key::Key;
use crate::domain::keyed::Keyed;
use crate::domain::partial_date::PartialDate;
use crate::domain::person_name::{NameOrder, NameParts};
use crate::domain::search::SearchText;
use crate::domain::text;
use crate::domain::timestamp::Timestamp;

record_row! {
    ContactRow of ContactFields in contacts;
    columns {
        is_self: bool,
        name: String,
        given_name: Option<String>,
        family_name: Option<String>,
        about: Option<String>,
        notes: Option<String>,
        known: bool,
        tier: Option<Tier>,
        favorite: bool,
        archived_at: Option<Timestamp>,
        do_not_contact: bool,
        cadence_since: Option<String>,
    }
    json {
        emails: Keyed<ContactEmail>,
        phones: Keyed<ContactPhone>,
        links: Keyed<ProfileLink>,
        addresses: Keyed<ContactAddress>,
        dates: Keyed<ContactDate>,
        tags: Vec<LabelText>,
    }
    json_or_null {
        how_met: HowMet,
        cadence: Cadence,
    }
    json_groups {
        name_parts: NamePartsJson {
            middle_name: Option<String>,
            prefix: Option<String>,
            suffix: Option<String>,
            aliases: Vec<NameText>,
            name_order: Option<NameOrder>,
            phonetic_given_name: Option<String>,
            phonetic_family_name: Option<String>,
            pronunciation: Option<String>,
            nickname: Option<String>,
            display_name: Option<String>,
            pronouns: Option<String>,
            address_as: Option<AddressAs>,
            sort_name: String,
        }
        profile: ProfileJson {
            headline: Option<String>,
            location: Option<String>,
            time_zone: Option<String>,
            skills: Vec<LabelText>,
            languages: Vec<LanguageTag>,
            preferred_channel: Option<Channel>,
            external_ids: Keyed<ExternalId>,
        }
    }
    computed {
        sort_key: String = |fields| text::sort_key(&fields.sort_name),
        introduced_by_id: Option<ContactId> =
            |fields| fields.how_met.as_ref().and_then(|how_met| how_met.introduced_by_id),
        met_event_id: Option<EventId> = |fields| fields.how_met.as_ref().and_then(|how_met| how_met.event_id),
    }
}

impl Record for Contact {
    const SUMMARY: &'static [&'static str] =
        &["name", "sort_name", "headline", "known", "tier", "tags", "favorite", "archived_at", "is_self"];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        (field == SORT_NAME).then(|| Scalar::Text(text::sort_key(&self.fields.sort_name)))
    }

    fn copied_sort_value(
        &self,
        conn: &mut Conn,
        workspace: WorkspaceId,
        field: Field,
    ) -> QueryResult<Option<Scalar>> {
        let own = contacts::table.filter(contacts::workspace_id.eq(workspace)).filter(contacts::id.eq(self.id));
        let day: Option<String> = match field {
            LAST_INTERACTION => own.select(contacts::last_interaction_key).first(conn).optional()?,
            NEXT_CONTACT => own.select(contacts::next_contact_key).first(conn).optional()?,
            _ => None,
        };
        Ok(day.map(Scalar::Text))
    }

    fn keys(&self) -> Vec<Key> {
        Self::keys(self)
    }

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    fn is_permanent(&self) -> bool {
        self.fields.is_self
    }

    /// Their activity, if a cadence is a part of it.
    fn derived_dependents(&self) -> Vec<RecordRef> {
        let has_cadence = self.fields.tier.is_some() || self.fields.cadence.is_some();
        has_cadence.then(|| (Entity::ContactActivity, Record::id(self))).into_iter().collect()
    }

    fn changes_derived(&self, before: &Self) -> bool {
        let decides = |fields: &ContactFields| {
            (fields.tier, fields.cadence.clone(), fields.cadence_since.clone(), fields.can_be_due())
        };
        decides(&self.fields) != decides(&before.fields)
    }

    /// What they do and did, and where.
    fn related_search_text(
        records: &[&Self],
        conn: &mut Conn,
        workspace: WorkspaceId,
    ) -> Result<HashMap<AnyId, String>> {
        let contacts: Vec<AnyId> = records.iter().map(|contact| Record::id(*contact)).collect();
        positions::search_text_of(conn, workspace, &contacts)
    }

    fn set_names(&mut self, names: Vec<String>) -> Result<()> {
        self.fields.tags = names.into_iter().map(LabelText).collect();
        Ok(())
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

    record_statements!(contacts, ContactRow, ContactFields);
}

pub const CREATED_AT: Field = sortable(contacts::created_at);
pub const UPDATED_AT: Field = sortable(contacts::updated_at);
pub const SORT_NAME: Field = sortable(contacts::sort_key);
pub const IS_SELF: Field = sortable(contacts::is_self);
pub const KNOWN: Field = sortable(contacts::known);
pub const FAVORITE: Field = sortable(contacts::favorite);
pub const TIER: Field = field(contacts::tier);
pub const ARCHIVED_AT: Field = field(contacts::archived_at);
/// Copies of the days in a contact's activity; `NEVER` and `NOT_DUE` where there is none.
pub const LAST_INTERACTION: Field = sortable(contacts::last_interaction_key);
pub const NEXT_CONTACT: Field = sortable(contacts::next_contact_key);

/// Before every day.
pub const NEVER: &str = "";
/// After every day.
pub const NOT_DUE: &str = "9999-99-99";

/// The days of a contact's activity, copied into its row.
struct DayCopies {
    workspace_id: WorkspaceId,
    id: AnyId,
    last_interaction_key: String,
    next_contact_key: String,
}

table_row!(DayCopies, contacts: workspace_id, id; last_interaction_key, next_contact_key);

/// Copies the days of the activity of contacts into their rows, which lists filter and sort by; their versions stay.
pub(super) fn copy_activities(
    conn: &mut Conn,
    workspace: WorkspaceId,
    activities: impl Iterator<Item = (AnyId, Option<ContactActivityFields>)>,
) -> QueryResult<()> {
    let copies = |(id, activity): (AnyId, Option<ContactActivityFields>)| {
        let (last, next) = activity.map_or((None, None), |own| (own.last_interaction_on, own.next_contact_on));
        DayCopies {
            workspace_id: workspace,
            id,
            last_interaction_key: last.unwrap_or_else(|| NEVER.to_owned()),
            next_contact_key: next.unwrap_or_else(|| NOT_DUE.to_owned()),
        }
    };
    rows::set(conn, &activities.map(copies).collect::<Vec<_>>())
}

/// The contacts that are due some day and have one of these tiers.
pub fn due_in_tiers(conn: &mut Conn, workspace: WorkspaceId, tiers: &[Tier]) -> Result<Vec<AnyId>> {
    let words = tiers.iter().map(|tier| Scalar::Text(tier.as_str().to_owned())).collect();
    let filter = Predicate::All(vec![
        Predicate::Compare(NEXT_CONTACT, Comparison::Less, Scalar::Text(NOT_DUE.to_owned())),
        Predicate::In(TIER, words),
    ]);
    Ok(Contact::ids(conn, Select { order: vec![NEXT_CONTACT, ID], ..Select::all(workspace, filter) })?)
}

/// Whether a contact can be met, and can introduce.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub known: bool,
    pub may_be_contacted: bool,
    pub last_interaction_key: String,
}

/// How these contacts stand.
pub(super) fn standing(
    conn: &mut Conn,
    workspace: WorkspaceId,
    ids: &[AnyId],
) -> Result<HashMap<ContactId, Standing>> {
    type Row = (ContactId, bool, Option<Timestamp>, bool, String);
    let (filter, _, _) = Select::all(workspace, Predicate::ids(ids.iter().copied())).parts();
    let columns = (
        contacts::id,
        contacts::known,
        contacts::archived_at,
        contacts::do_not_contact,
        contacts::last_interaction_key,
    );
    let rows: Vec<Row> = contacts::table.filter(filter).select(columns).load(conn)?;
    let standing = |(id, known, archived_at, do_not_contact, last_interaction_key): Row| {
        let may_be_contacted = archived_at.is_none() && !do_not_contact;
        (id, Standing { known, may_be_contacted, last_interaction_key })
    };
    Ok(rows.into_iter().map(standing).collect())
}

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

/// The name of the contact that each of these records is about, by the id of the record.
pub(super) fn name_of_each<R: Record>(
    conn: &mut Conn,
    workspace: WorkspaceId,
    records: &[R],
    contact: impl Fn(&R) -> ContactId,
) -> Result<HashMap<AnyId, String>> {
    let whose = |record: &R| AnyId::new(contact(record).uuid());
    let people: BTreeSet<AnyId> = records.iter().map(whose).collect();
    let names = names(conn, workspace, people)?;
    let named = records.iter().filter_map(|record| Some((record.id(), names.get(&whose(record))?.clone())));
    Ok(named.collect())
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
            suffix: rest.suffix.as_deref(),
            nickname: rest.nickname.as_deref(),
            display_name: rest.display_name.as_deref(),
            ..NameParts::default()
        };
        let comparable_name = PersonName::new(&parts, rest.aliases.iter().map(|name| name.0.as_str()));
        let birthday = dates.get("birthday").and_then(|date| PartialDate::parse(&date.value).ok());
        (id, Person { name, comparable_name, birthday })
    });
    Ok(people.collect())
}

/// How many contacts who may be the same person are told.
const MAX_POSSIBLE_DUPLICATES: i64 = 10;

/// Those with one of these keys; of more than two, two.
pub fn with_one_of(tx: &mut Tx<'_>, keys: Vec<Key>) -> Result<Vec<Contact>> {
    Ok(Contact::select(tx.conn, Select { limit: 2, ..Select::all(tx.workspace, has_key::<Contact>(keys)) })?)
}

/// Those with one of these keys among the people of these events; of more than two, two.
pub fn there_with_key(tx: &mut Tx<'_>, events: &[AnyId], keys: Vec<Key>) -> Result<Vec<Contact>> {
    let filter = Predicate::All(vec![has_key::<Contact>(keys), events::people_of(events)]);
    Ok(Contact::select(tx.conn, Select { limit: 2, ..Select::all(tx.workspace, filter) })?)
}

/// Those who may be the same person: who have one of these keys. At most ten.
pub fn possible_duplicates_by(tx: &mut Tx<'_>, keys: Vec<Key>) -> Result<Vec<Contact>> {
    let select = Select { limit: MAX_POSSIBLE_DUPLICATES, ..Select::all(tx.workspace, has_key::<Contact>(keys)) };
    Ok(Contact::select(tx.conn, select)?)
}

/// The networker's own contact.
pub fn self_contact(conn: &mut Conn, workspace: WorkspaceId) -> Result<Option<Contact>> {
    let filter = Predicate::Compare(IS_SELF, Comparison::Equal, Scalar::Bool(true));
    Ok(Contact::select(conn, Select { limit: 1, ..Select::all(workspace, filter) })?.pop())
}

/// The same within a write.
pub fn own_contact(tx: &mut Tx<'_>) -> Result<Contact> {
    self_contact(tx.conn, tx.workspace)?.ok_or(Error::NotFound)
}
