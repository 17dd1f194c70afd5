//! Dismissals of duplicates in the database: their columns, what lists can filter and sort by, and the double of one.

use diesel::prelude::*;

use super::db::sql::conn::Conn;
use super::db::sql::schema::duplicate_dismissals;
use super::db::sql::select::{Field, Predicate, Scalar, Select, field, sortable};
use super::db::sql::types::AnyId;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::db::write::tx::Tx;
use super::error::Result;
use crate::domain::duplicate_dismissal::{DismissedPair, DuplicateDismissal, DuplicateDismissalFields};
use crate::domain::id::{ContactId, OrganizationId, WorkspaceId};
use crate::domain::invalid::{FieldCode, Invalid};

record_row! {
    DuplicateDismissalRow of DuplicateDismissalFields in duplicate_dismissals;
    columns {
        contact_id: Option<ContactId>,
        other_contact_id: Option<ContactId>,
        organization_id: Option<OrganizationId>,
        other_organization_id: Option<OrganizationId>,
    }
}

impl Record for DuplicateDismissal {
    const SUMMARY: &'static [&'static str] =
        &["contact_id", "other_contact_id", "organization_id", "other_organization_id"];

    record_statements!(duplicate_dismissals, DuplicateDismissalRow, DuplicateDismissalFields);
}

pub const CREATED_AT: Field = sortable(duplicate_dismissals::created_at);
pub const UPDATED_AT: Field = sortable(duplicate_dismissals::updated_at);
pub const CONTACT: Field = field(duplicate_dismissals::contact_id);
pub const OTHER_CONTACT: Field = field(duplicate_dismissals::other_contact_id);
pub const ORGANIZATION: Field = field(duplicate_dismissals::organization_id);
pub const OTHER_ORGANIZATION: Field = field(duplicate_dismissals::other_organization_id);

/// What was said of these records, which stand on either of two sides. Each side is asked by itself: with an OR between
/// them SQLite reads all dismissals.
pub fn dismissals_of(
    conn: &mut Conn,
    workspace: WorkspaceId,
    sides: (Field, Field),
    ids: &[AnyId],
) -> Result<Vec<DuplicateDismissal>> {
    let mut found = Vec::new();
    for side in [sides.0, sides.1] {
        let filter = Predicate::In(side, ids.iter().copied().map(Scalar::Id).collect());
        found.extend(DuplicateDismissal::select(conn, Select::all(workspace, filter))?);
    }
    Ok(found)
}

/// A pair can be dismissed only once, in either order.
pub fn check_is_not_dismissed(tx: &mut Tx<'_>, dismissal: &DuplicateDismissal) -> Result<()> {
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
    for (one, other) in [(one, other), (other, one)] {
        let others = Predicate::id(Record::id(dismissal)).negated();
        let filter = Predicate::All(vec![equal(sides.0, one), equal(sides.1, other), others]);
        let select = Select { limit: 1, ..Select::all(tx.workspace, filter) };
        if let Some(known) = DuplicateDismissal::select(tx.conn, select)?.pop() {
            let detail = format!("This pair is already dismissed by the record {}.", known.id);
            return Err(Invalid::one(pointer, FieldCode::Contradiction, detail).into());
        }
    }
    Ok(())
}
