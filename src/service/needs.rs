//! The rules of needs.

use uuid::Uuid;

use super::records::rules::Rules;
use crate::domain::id::NeedId;
use crate::domain::invalid::Invalid;
use crate::domain::need::{Need, NeedFields};
use crate::domain::timestamp::Timestamp;

impl Rules for Need {
    type Fields = NeedFields;

    fn new(id: Uuid, now: Timestamp, fields: NeedFields) -> Result<Self, Invalid> {
        Self::new(NeedId::new(id), now, fields)
    }

    fn with(&self, fields: NeedFields) -> Result<Self, Invalid> {
        self.with(fields)
    }

    fn fields(&self) -> &NeedFields {
        &self.fields
    }
}
