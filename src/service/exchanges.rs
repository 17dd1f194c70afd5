//! The rules of exchanges: nothing in the future, and nothing with oneself.

use super::records::rules::Rules;
use crate::domain::contact::Contact;
use crate::domain::exchange::Exchange;
use crate::domain::id::ContactId;
use crate::domain::invalid::{FieldCode, Invalid};
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::time_zone;
use crate::store::{AnyId, Result, Tx, records};

impl Rules for Exchange {
    fn before_write(&mut self, tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let days = |own: &Self| (own.fields.occurred_on.clone(), own.fields.thanked_on.clone());
        if before.is_none_or(|before| days(before) != days(self)) {
            let today = time_zone(tx)?.day(now);
            self.fields.check_days(today)?;
        }
        if before.is_none_or(|before| before.fields.contact_id != self.fields.contact_id) {
            refuse_self(tx, self.fields.contact_id, "#/contact_id", "The contact is yourself.")?;
        }
        Ok(())
    }
}

/// Refuses the contact that stands for the networker. One that does not exist is told when the references are checked.
pub(super) fn refuse_self(tx: &mut Tx<'_>, id: ContactId, at: &str, detail: &str) -> Result<()> {
    match records::find::<Contact>(tx, AnyId::new(id.uuid()))? {
        Some(contact) if contact.fields.is_self => Err(Invalid::one(at, FieldCode::NotAllowed, detail).into()),
        _ => Ok(()),
    }
}
