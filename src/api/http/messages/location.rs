//! Where a record is: its canonical URL.

use crate::domain::entity::Entity;
use crate::store::AnyId;

/// The canonical URL of a record.
pub fn location_of(entity: Entity, id: AnyId) -> String {
    format!("/v1/{}/{}", entity.segment(), id.uuid())
}
