//! Positions in the database: their columns, and what lists can filter and sort by.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::db::sql::conn::Conn;
use super::db::sql::schema::positions;
use super::db::sql::select::{Direction, Field, Predicate, Scalar, Select, field, sortable};
use super::db::sql::types::{AnyId, RecordRef};
use super::db::write::json::json;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::db::write::tx::Tx;
use super::error::Result;
use super::lists::is_current;
use super::organizations;
use super::relations::summary;
use crate::domain::entity::Entity;
use crate::domain::id::{ContactId, OrganizationId, WorkspaceId};
use crate::domain::organization::{Organization, is_placeholder_name};
use crate::domain::position::{Position, PositionFields, PositionKind};
use crate::domain::text::fold;
use crate::domain::timeline::TimelineEntry;

record_row! {
    PositionRow of PositionFields in positions;
    columns {
        contact_id: ContactId,
        organization_id: Option<OrganizationId>,
        organization_name: Option<String>,
        title: Option<String>,
        department: Option<String>,
        kind: PositionKind,
        started_on: Option<String>,
        ended_on: Option<String>,
        is_primary: bool,
        source: Option<String>,
    }
}

impl Record for Position {
    const SUMMARY: &'static [&'static str] = &[
        "contact_id",
        "organization_id",
        "organization_name",
        "title",
        "department",
        "kind",
        "started_on",
        "ended_on",
        "primary",
    ];

    /// Whose it is, where and as what: people are found by what they do.
    fn search_projection(&self) -> Option<String> {
        let PositionFields { contact_id, organization_id, organization_name, title, department, .. } =
            &self.fields;
        Some(format!("{contact_id} {organization_id:?} {organization_name:?} {title:?} {department:?}"))
    }

    fn search_dependents(records: &[&Self], _conn: &mut Conn, _workspace: WorkspaceId) -> Result<Vec<RecordRef>> {
        let contact = |position: &&Self| (Entity::Contact, AnyId::new(position.fields.contact_id.uuid()));
        Ok(records.iter().map(contact).collect())
    }

    /// Whose it is, as what, and the organization by its id and by its name, as far as one is known.
    fn identities(records: &[Self], conn: &mut Conn, workspace: WorkspaceId) -> Result<Vec<Vec<String>>> {
        let linked = records.iter().filter_map(|position| position.fields.organization_id);
        let linked: BTreeSet<AnyId> = linked.map(|id| AnyId::new(id.uuid())).collect();
        let names = organizations::names(conn, workspace, linked)?;
        let of = |position: &Self| {
            let PositionFields { contact_id, organization_id, organization_name, title, .. } = &position.fields;
            let known = organization_id.and_then(|id| names.get(&AnyId::new(id.uuid())));
            let named = [known, organization_name.as_ref()].into_iter().flatten();
            let mut places: Vec<String> = named.map(|name| format!("name:{}", fold(name))).collect();
            places.extend(organization_id.map(|id| format!("id:{id}")));
            if places.is_empty() {
                places.push(String::new());
            }
            places.sort();
            places.dedup();
            let title = title.as_deref().map(fold);
            places.into_iter().map(|place| format!("{contact_id} {title:?} {place}")).collect()
        };
        Ok(records.iter().map(of).collect())
    }

    fn agrees_with(&self, other: &Self) -> bool {
        self.fields.agrees_with(&other.fields)
    }

    fn joined(&self, other: &Self) -> Result<Self> {
        Ok(Self { fields: self.fields.joined(&other.fields), ..self.clone() })
    }

    fn display_order(&self, other: &Self) -> Ordering {
        Self::display_order(self, other)
    }

    fn timeline(&self) -> Vec<TimelineEntry> {
        Self::timeline(self)
    }

    record_statements!(positions, PositionRow, PositionFields);
}

/// Where each of these contacts is or was, by what tells one place from another (its id, its folded name), with the name
/// to show. What says that there is no organization is no place.
pub fn workplaces(
    conn: &mut Conn,
    workspace: WorkspaceId,
    contacts: &[AnyId],
) -> Result<HashMap<AnyId, BTreeMap<String, String>>> {
    let theirs = Predicate::In(CONTACT, contacts.iter().copied().map(Scalar::Id).collect());
    let (filter, order, _) = Select::all(workspace, theirs).parts();
    let rows: Vec<(AnyId, Option<AnyId>, Option<String>)> = positions::table
        .filter(filter)
        .order(order)
        .select((positions::contact_id, positions::organization_id, positions::organization_name))
        .load(conn)?;
    let linked: BTreeSet<AnyId> = rows.iter().filter_map(|(_, id, _)| *id).collect();
    let names = organizations::names(conn, workspace, linked)?;
    let mut workplaces: HashMap<AnyId, BTreeMap<String, String>> = HashMap::new();
    for (contact, id, typed) in rows {
        let own = workplaces.entry(contact).or_default();
        let known = id.and_then(|id| names.get(&id));
        if let (Some(id), Some(name)) = (id, known) {
            own.insert(format!("id:{}", id.uuid()), name.clone());
        }
        for name in [known, typed.as_ref()].into_iter().flatten().filter(|name| !is_placeholder_name(name)) {
            own.entry(format!("name:{}", fold(name))).or_insert_with(|| name.clone());
        }
    }
    Ok(workplaces)
}

/// Whether a contact has or had a position at the organization that this names.
pub fn works_at(tx: &mut Tx<'_>, contact: ContactId, name: &str) -> Result<bool> {
    let contact = AnyId::new(contact.uuid());
    let named = organizations::organization_named(tx, name)?.map(|one| format!("id:{}", one.id));
    let places = workplaces(tx.conn, tx.workspace, &[contact])?.remove(&contact).unwrap_or_default();
    Ok(places.contains_key(&format!("name:{}", fold(name))) || named.is_some_and(|id| places.contains_key(&id)))
}

/// What each of these contacts is on a day and where, as their card tells it: title and organization of the position that is
/// shown first of those that are current.
pub(super) fn current_of(
    conn: &mut Conn,
    workspace: WorkspaceId,
    contacts: &[AnyId],
    on: NaiveDate,
) -> Result<HashMap<AnyId, String>> {
    let theirs = Predicate::In(CONTACT, contacts.iter().copied().map(Scalar::Id).collect());
    let current = Predicate::All(vec![theirs, is_current(STARTED_ON, ENDED_ON, on)]);
    let newest = Select { direction: Direction::Descending, ..Select::all(workspace, current) };
    let mut positions = Position::select(conn, newest)?;
    positions.sort_by(Position::display_order);
    let mut first: HashMap<AnyId, PositionFields> = HashMap::new();
    for position in positions {
        first.entry(AnyId::new(position.fields.contact_id.uuid())).or_insert(position.fields);
    }
    let at = |position: &PositionFields| position.organization_id.map(|id| AnyId::new(id.uuid()));
    let linked: BTreeSet<AnyId> = first.values().filter_map(at).collect();
    let names = organizations::names(conn, workspace, linked)?;
    let told = |position: PositionFields| {
        let name = at(&position).and_then(|id| names.get(&id).cloned()).or(position.organization_name);
        [position.title, name].into_iter().flatten().collect::<Vec<_>>().join(", ")
    };
    Ok(first.into_iter().map(|(contact, position)| (contact, told(position))).collect())
}

/// What each of these contacts does first of all, as its summary, with the name of the organization.
pub(super) fn first_of(
    conn: &mut Conn,
    workspace: WorkspaceId,
    contacts: impl Iterator<Item = AnyId>,
) -> Result<HashMap<AnyId, Value>> {
    let theirs = Predicate::In(CONTACT, contacts.map(Scalar::Id).collect());
    let newest = Select { direction: Direction::Descending, ..Select::all(workspace, theirs) };
    let mut positions = Position::select(conn, newest)?;
    positions.sort_by(Position::display_order);
    let mut first: HashMap<AnyId, Position> = HashMap::new();
    for position in positions {
        first.entry(AnyId::new(position.fields.contact_id.uuid())).or_insert(position);
    }
    let linked: BTreeSet<AnyId> =
        first.values().filter_map(|own| own.fields.organization_id).map(|id| AnyId::new(id.uuid())).collect();
    let names = organizations::names(conn, workspace, linked)?;
    let mut summaries = HashMap::new();
    for (contact, mut position) in first {
        let known = position.fields.organization_id.and_then(|id| names.get(&AnyId::new(id.uuid())));
        position.fields.organization_name = known.cloned().or(position.fields.organization_name);
        summaries.insert(contact, summary::<Position>(&json(&position)?));
    }
    Ok(summaries)
}

pub const CREATED_AT: Field = sortable(positions::created_at);
pub const UPDATED_AT: Field = sortable(positions::updated_at);
pub const CONTACT: Field = sortable(positions::contact_id);
pub const ORGANIZATION: Field = field(positions::organization_id);
pub const KIND: Field = sortable(positions::kind);
pub const STARTED_ON: Field = field(positions::started_on);
pub const ENDED_ON: Field = field(positions::ended_on);
pub const PRIMARY: Field = sortable(positions::is_primary);

/// What the positions of these contacts tell of them: titles, departments and the names of organizations.
pub(super) fn search_text_of(
    conn: &mut Conn,
    workspace: WorkspaceId,
    contacts: &[AnyId],
) -> Result<HashMap<AnyId, String>> {
    let theirs = match contacts {
        [contact] => Predicate::equal(CONTACT, Scalar::Id(*contact)),
        contacts => Predicate::In(CONTACT, contacts.iter().copied().map(Scalar::Id).collect()),
    };
    let positions = Position::select(conn, Select::all(workspace, theirs))?;
    if positions.is_empty() {
        return Ok(HashMap::new());
    }
    let at = positions.iter().filter_map(|position| position.fields.organization_id);
    let at: BTreeSet<AnyId> = at.map(|id| AnyId::new(id.uuid())).collect();
    let organizations = Organization::select(conn, Select::all(workspace, Predicate::ids(at)))?;
    let organizations: HashMap<OrganizationId, Organization> =
        organizations.into_iter().map(|organization| (organization.id, organization)).collect();
    let mut told: HashMap<AnyId, String> = HashMap::new();
    for position in &positions {
        let PositionFields { contact_id, organization_id, organization_name, title, department, .. } =
            &position.fields;
        let own = told.entry(AnyId::new(contact_id.uuid())).or_default();
        let names = organization_id.and_then(|id| organizations.get(&id)).into_iter();
        let names = names.flat_map(|organization| organization.fields.names());
        let typed = [title, department, organization_name].into_iter().flatten().map(String::as_str);
        for part in names.chain(typed) {
            own.push_str(part);
            own.push('\n');
        }
    }
    Ok(told)
}
