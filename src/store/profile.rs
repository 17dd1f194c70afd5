//! The networker's own profile, read from the self contact and what belongs to it. What it is worth is told in
//! `domain/profile.rs`.

use super::contacts::self_contact;
use super::db::sql::conn::{Conn, read_transaction};
use super::db::sql::select::{Predicate, Scalar, Select};
use super::db::sql::types::AnyId;
use super::db::write::record::Record;
use super::error::{Error, Result};
use super::{needs, positions, relationships};
use crate::domain::id::{ContactId, WorkspaceId};
use crate::domain::need::Need;
use crate::domain::position::Position;
use crate::domain::profile::Profile;
use crate::domain::relationship::Relationship;

/// Whose profile it is, and what there is of it, at one moment.
pub fn read(conn: &mut Conn, workspace: WorkspaceId) -> Result<(ContactId, Profile)> {
    read_transaction(conn, |conn| {
        let own = self_contact(conn, workspace)?.ok_or(Error::NotFound)?;
        let is_own = |field| Predicate::equal(field, Scalar::Id(AnyId::new(own.id.uuid())));
        let positions = Position::select(conn, Select::all(workspace, is_own(positions::CONTACT)))?;
        let needs = Need::select(conn, Select::all(workspace, is_own(needs::CONTACT)))?;
        let both = Predicate::Any(vec![is_own(relationships::CONTACT), is_own(relationships::RELATED_CONTACT)]);
        let relationships = Relationship::select(conn, Select::all(workspace, both))?;
        Ok((own.id, Profile::new(&own, &positions, &needs, &relationships)))
    })
}
