//! The rules of relationships.

use uuid::Uuid;

use super::records::rules::Rules;
use crate::domain::id::RelationshipId;
use crate::domain::invalid::Invalid;
use crate::domain::relationship::{Relationship, RelationshipFields};
use crate::domain::timestamp::Timestamp;

impl Rules for Relationship {
    type Fields = RelationshipFields;

    fn new(id: Uuid, now: Timestamp, fields: RelationshipFields) -> Result<Self, Invalid> {
        Self::new(RelationshipId::new(id), now, fields)
    }

    fn with(&self, fields: RelationshipFields) -> Result<Self, Invalid> {
        self.with(fields)
    }

    fn fields(&self) -> &RelationshipFields {
        &self.fields
    }
}
