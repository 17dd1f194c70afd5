//! The rules of pitches: the wording that an edit replaces is kept, and can be restored.

use super::records::rules::Rules;
use super::records::write::{create, update};
use crate::domain::fields::parse_day;
use crate::domain::id::PitchVersionId;
use crate::domain::invalid::{FieldCode, Invalid};
use crate::domain::pitch::Pitch;
use crate::domain::pitch_use::PitchUse;
use crate::domain::pitch_version::{MAX_PER_PITCH, PitchVersion, PitchVersionFields};
use crate::domain::timestamp::Timestamp;
use crate::store::accounts::time_zone;
use crate::store::pitches::{newest_version, versions_up_to};
use crate::store::{AnyId, Error, Precondition, Record, Result, Tx, records};

impl Rules for Pitch {
    /// Keeps what it said before.
    fn after_write(&self, tx: &mut Tx<'_>, before: Option<&Self>, now: Timestamp) -> Result<()> {
        let Some(before) = before.filter(|before| !before.fields.has_wording_of(&self.fields)) else {
            return Ok(());
        };
        let number = newest_version(tx, self.id)?.saturating_add(1);
        let id = PitchVersionId::new(tx.new_id());
        create(tx, PitchVersion::new(id, now, PitchVersionFields::of(before, number))?)?;
        let too_many = versions_up_to(tx, self.id, number.saturating_sub(MAX_PER_PITCH))?;
        too_many.iter().try_for_each(|oldest| records::delete(tx, oldest))
    }
}

impl Rules for PitchVersion {}

impl Rules for PitchUse {
    fn before_write(&mut self, tx: &mut Tx<'_>, _before: Option<&Self>, now: Timestamp) -> Result<()> {
        let today = time_zone(tx)?.day(now);
        if parse_day(&self.fields.used_on).is_ok_and(|day| day > today) {
            let detail = "A use cannot be in the future.";
            return Err(Invalid::one("#/on", FieldCode::Contradiction, detail).into());
        }
        Ok(())
    }
}

/// Gives a pitch an earlier wording again; the one it has is kept. Returns the pitch.
pub fn restore_version(tx: &mut Tx<'_>, version: AnyId) -> Result<AnyId> {
    let version = records::get::<PitchVersion>(tx, version, &Precondition::None)?;
    let pitch = records::find::<Pitch>(tx, AnyId::new(version.fields.pitch_id.uuid()))?.ok_or(Error::NotFound)?;
    let after = pitch.with(version.fields.put_into(&pitch.fields))?;
    update(tx, &pitch, after).map(|pitch| Record::id(&pitch))
}
