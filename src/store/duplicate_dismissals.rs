//! Dismissals of duplicates in the database: their columns, what lists can filter and sort by, and the double of one.

use diesel::prelude::*;

use super::db::record::{Record, record_statements};
use super::db::schema::duplicate_dismissals;
use super::db::select::{Field, Predicate, Scalar, Select, field, sortable};
use super::db::types::AnyId;
use super::db::write::Tx;
use super::error::Result;
use crate::domain::duplicate_dismissal::{DismissedPair, DuplicateDismissal, DuplicateDismissalFields};
use crate::domain::entity::Entity;
use crate::domain::id::{ContactId, DuplicateDismissalId, OrganizationId, WorkspaceId};
use crate::domain::invalid::{FieldCode, Invalid};
use crate::domain::key::Key;
use crate::domain::search::SearchText;
use crate::domain::timestamp::Timestamp;

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = duplicate_dismissals)]
#[diesel(primary_key(workspace_id, id))]
#[diesel(treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct DuplicateDismissalRow {
    workspace_id: WorkspaceId,
    id: DuplicateDismissalId,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    contact_id: Option<ContactId>,
    other_contact_id: Option<ContactId>,
    organization_id: Option<OrganizationId>,
    other_organization_id: Option<OrganizationId>,
}

impl DuplicateDismissalRow {
    fn of(workspace_id: WorkspaceId, dismissal: &DuplicateDismissal) -> Self {
        let DuplicateDismissal { id, fields, created_at, updated_at, version } = dismissal.clone();
        let DuplicateDismissalFields { contact_id, other_contact_id, organization_id, other_organization_id } =
            fields;
        Self {
            workspace_id,
            id,
            version,
            created_at,
            updated_at,
            contact_id,
            other_contact_id,
            organization_id,
            other_organization_id,
        }
    }

    fn into_record(self) -> DuplicateDismissal {
        let Self {
            workspace_id: _,
            id,
            version,
            created_at,
            updated_at,
            contact_id,
            other_contact_id,
            organization_id,
            other_organization_id,
        } = self;
        let fields =
            DuplicateDismissalFields { contact_id, other_contact_id, organization_id, other_organization_id };
        DuplicateDismissal { id, fields, created_at, updated_at, version }
    }
}

impl Record for DuplicateDismissal {
    const ENTITY: Entity = Entity::DuplicateDismissal;
    const SUMMARY: &'static [&'static str] =
        &["contact_id", "other_contact_id", "organization_id", "other_organization_id"];

    fn sort_value(&self, field: Field) -> Scalar {
        match field {
            CREATED_AT => Scalar::Instant(self.created_at),
            UPDATED_AT => Scalar::Instant(self.updated_at),
            _ => Scalar::Id(Record::id(self)),
        }
    }

    fn keys(&self) -> Vec<Key> {
        Vec::new()
    }

    fn search_text(&self) -> Option<SearchText> {
        None
    }

    record_statements!(duplicate_dismissals, DuplicateDismissalRow);
}

pub const CREATED_AT: Field = sortable(duplicate_dismissals::created_at);
pub const UPDATED_AT: Field = sortable(duplicate_dismissals::updated_at);
pub const CONTACT: Field = field(duplicate_dismissals::contact_id);
pub const OTHER_CONTACT: Field = field(duplicate_dismissals::other_contact_id);
pub const ORGANIZATION: Field = field(duplicate_dismissals::organization_id);
pub const OTHER_ORGANIZATION: Field = field(duplicate_dismissals::other_organization_id);

/// On either side.
pub fn on_either_side(sides: (Field, Field), ids: Vec<AnyId>) -> Predicate {
    let values: Vec<Scalar> = ids.into_iter().map(Scalar::Id).collect();
    Predicate::Any(vec![Predicate::In(sides.0, values.clone()), Predicate::In(sides.1, values)])
}

impl Tx<'_> {
    /// A pair can be dismissed only once, in either order.
    pub fn check_is_not_dismissed(&mut self, dismissal: &DuplicateDismissal) -> Result<()> {
        let (sides, one, other, pointer) = match dismissal.pair() {
            None => return Ok(()),
            Some(DismissedPair::Contacts(one, other)) => {
                ((CONTACT, OTHER_CONTACT), one.uuid(), other.uuid(), "#/other_contact_id")
            }
            Some(DismissedPair::Organizations(one, other)) => {
                ((ORGANIZATION, OTHER_ORGANIZATION), one.uuid(), other.uuid(), "#/other_organization_id")
            }
        };
        let equal = |field, id| Predicate::equal(field, Scalar::Id(AnyId::new(id)));
        let pair = |one, other| Predicate::All(vec![equal(sides.0, one), equal(sides.1, other)]);
        let filter = Predicate::All(vec![
            Predicate::Any(vec![pair(one, other), pair(other, one)]),
            Predicate::id(Record::id(dismissal)).negated(),
        ]);
        let select = Select { limit: 1, ..Select::all(self.workspace, filter) };
        match DuplicateDismissal::select(self.conn, select)?.pop() {
            None => Ok(()),
            Some(known) => {
                let detail = format!("These two are dismissed already, by the record {}.", known.id);
                Err(Invalid::one(pointer, FieldCode::Contradiction, detail).into())
            }
        }
    }
}
