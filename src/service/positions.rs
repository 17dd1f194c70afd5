//! The rules of positions: which organization a name refers to.

use serde_json::Value;

use super::records::rules::Rules;
use crate::domain::organization::Organization;
use crate::domain::position::{Position, PositionFields};
use crate::domain::timestamp::Timestamp;
use crate::store::organizations::organization_named;
use crate::store::{AnyId, Result, Tx, records};

impl Rules for Position {
    /// Another name is that of another organization, unless it is one of the linked organization's own.
    fn infer_from_patch(&mut self, tx: &mut Tx<'_>, before: &Self, patch: &Value) -> Result<()> {
        let PositionFields { organization_id, organization_name, .. } = &self.fields;
        let is_silent = patch.get("organization_id").is_none();
        if let (Some(id), Some(name), true) = (organization_id, organization_name, is_silent)
            && before.fields.organization_name != *organization_name
        {
            let linked = records::find::<Organization>(tx, AnyId::new(id.uuid()))?;
            self.fields.organization_id = linked.filter(|linked| linked.is_called(name)).map(|linked| linked.id);
        }
        Ok(())
    }

    /// A bare name is linked if it names exactly one organization.
    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, _now: Timestamp) -> Result<()> {
        let name = &self.fields.organization_name;
        let is_new_name = before.is_none_or(|before| before.fields.organization_name != *name);
        if let (None, Some(name), true) = (self.fields.organization_id, name, is_new_name) {
            self.fields.organization_id = organization_named(tx, name)?.map(|organization| organization.id);
        }
        Ok(())
    }
}
