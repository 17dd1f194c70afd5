//! Organizations in the database: their columns, and what lists can filter and sort by.

use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::HashMap;

use super::db::index::keys::has_key;
use super::db::sql::conn::Conn;
use super::db::sql::schema::{organizations, positions};
use super::db::sql::select::{Field, Predicate, Scalar, Select, field, sortable};
use super::db::sql::types::{AnyId, RecordRef};
use super::db::write::lookup::find;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::db::write::tx::Tx;
use super::error::Result;
use crate::domain::entity::Entity;
use crate::domain::fields::{LabelText, NameText, ProfileLink};
use crate::domain::id::{OrganizationId, WorkspaceId};
use crate::domain::invalid::{FieldCode, Invalid};
use crate::domain::key::{Key, KeyKind};
use crate::domain::keyed::Keyed;
use crate::domain::organization::{
    Organization, OrganizationFields, OrganizationKind, is_placeholder_name, keys_of_address,
};
use crate::domain::search::SearchText;
use crate::domain::text;

record_row! {
    OrganizationRow of OrganizationFields in organizations;
    columns {
        name: String,
        domain: Option<String>,
        website: Option<String>,
        kind: Option<OrganizationKind>,
        industry: Option<String>,
        size: Option<String>,
        location: Option<String>,
        parent_id: Option<OrganizationId>,
        interest: Option<i32>,
        why: Option<String>,
        notes: Option<String>,
    }
    json {
        aliases: Vec<NameText>,
        links: Keyed<ProfileLink>,
        tags: Vec<LabelText>,
    }
    computed {
        sort_key: String = |fields| text::sort_key(&fields.name),
    }
}

impl Record for Organization {
    const SUMMARY: &'static [&'static str] = &["name", "domain", "kind", "industry", "interest", "tags"];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        (field == NAME).then(|| Scalar::Text(text::sort_key(&self.fields.name)))
    }

    fn keys(&self) -> Vec<Key> {
        Self::keys(self)
    }

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    /// Its names: people are found by where they work.
    fn search_projection(&self) -> Option<String> {
        Some(self.fields.names().collect::<Vec<_>>().join("\n"))
    }

    fn search_dependents(records: &[&Self], conn: &mut Conn, workspace: WorkspaceId) -> Result<Vec<RecordRef>> {
        let own = records.iter().map(|organization| Scalar::Id(Record::id(*organization))).collect();
        let (filter, _, _) = Select::all(workspace, Predicate::In(field(positions::organization_id), own)).parts();
        let contacts: Vec<AnyId> = positions::table.filter(filter).select(positions::contact_id).load(conn)?;
        Ok(contacts.into_iter().map(|contact| (Entity::Contact, contact)).collect())
    }

    fn set_names(&mut self, names: Vec<String>) -> Result<()> {
        self.fields.tags = names.into_iter().map(LabelText).collect();
        Ok(())
    }

    /// Its domain, or else where it is, or what it does.
    fn subtitles(
        _conn: &mut Conn,
        _workspace: WorkspaceId,
        records: &[Self],
        _on: NaiveDate,
    ) -> Result<HashMap<AnyId, String>> {
        let told = records.iter().filter_map(|organization| {
            let OrganizationFields { domain, location, industry, .. } = &organization.fields;
            let told = [domain, location, industry].into_iter().flatten().next()?;
            Some((Record::id(organization), told.clone()))
        });
        Ok(told.collect())
    }

    record_statements!(organizations, OrganizationRow, OrganizationFields);
}

pub const CREATED_AT: Field = sortable(organizations::created_at);
pub const UPDATED_AT: Field = sortable(organizations::updated_at);
pub const NAME: Field = sortable(organizations::sort_key);
pub const KIND: Field = field(organizations::kind);
pub const PARENT: Field = field(organizations::parent_id);
pub const INTEREST: Field = field(organizations::interest);

/// What these organizations are called.
pub fn names(
    conn: &mut Conn,
    workspace: WorkspaceId,
    ids: impl IntoIterator<Item = AnyId>,
) -> Result<HashMap<AnyId, String>> {
    let (filter, _, _) = Select::all(workspace, Predicate::ids(ids)).parts();
    let rows: Vec<(AnyId, String)> =
        organizations::table.filter(filter).select((organizations::id, organizations::name)).load(conn)?;
    Ok(rows.into_iter().collect())
}

/// How deep organizations may belong to one another.
const MAX_DEPTH: usize = 50;

/// The one organization of this name or alias or, where there is none, of this domain or link; `None` where there are
/// several, or where the name says that there is none.
pub fn organization_named(tx: &mut Tx<'_>, name: &str) -> Result<Option<Organization>> {
    if is_placeholder_name(name) {
        return Ok(None);
    }
    for keys in [vec![Key::new(KeyKind::Name, text::fold(name))], keys_of_address(name)] {
        let select = Select { limit: 2, ..Select::all(tx.workspace, has_key::<Organization>(keys)) };
        let mut found = Organization::select(tx.conn, select)?;
        if let Some(one) = found.pop() {
            return Ok(found.is_empty().then_some(one));
        }
    }
    Ok(None)
}

/// An organization cannot belong to one that belongs to it.
pub fn check_parents(tx: &mut Tx<'_>, organization: &Organization) -> Result<()> {
    let mut parent = organization.fields.parent_id;
    for _ in 0..MAX_DEPTH {
        let Some(id) = parent else { return Ok(()) };
        if id == organization.id {
            break;
        }
        let above = find::<Organization>(tx, AnyId::new(id.uuid()))?;
        parent = above.and_then(|above| above.fields.parent_id);
    }
    let detail = format!("The organization would belong to itself, or be more than {MAX_DEPTH} levels deep.");
    Err(Invalid::one("#/parent_id", FieldCode::Contradiction, detail).into())
}
