//! The rules of a kind of record, as hooks around its writes. They run for whoever writes: a request, a batch, a job.

use serde_json::Value;
use uuid::Uuid;

use crate::domain::id::RecordId;
use crate::domain::invalid::Invalid;
use crate::domain::record::{Fields, Stored};
use crate::domain::timestamp::Timestamp;
use crate::store::{FailedAt, Record, Result, Tx};

/// A kind of record with its rules. Undo does not run the hooks: it restores what a write did, effects included.
pub trait Rules: Record + HasFields {
    /// What follows from a patch without being said in it. Runs before `before_write`.
    fn infer_from_patch(&mut self, _tx: &mut Tx<'_>, _before: &Self, _patch: &Value) -> Result<()> {
        Ok(())
    }

    /// Completes and checks a record by what is stored: look-ups, limits, transitions, dates to stamp. `before` is the
    /// stored record, if it exists.
    fn before_write(&mut self, _tx: &mut Tx<'_>, _before: Option<&Self>, _now: Timestamp) -> Result<()> {
        Ok(())
    }

    /// Effects that refer to the record as it was written.
    fn after_write(&self, _tx: &mut Tx<'_>, _before: Option<&Self>, _now: Timestamp) -> Result<()> {
        Ok(())
    }

    /// The effects of records that were written together, each with what it was. For kinds whose effects on other records
    /// are written together as well; otherwise they are those of one after the other.
    fn after_write_all(
        tx: &mut Tx<'_>,
        written: &[(Option<&Self>, &Self)],
        now: Timestamp,
    ) -> std::result::Result<(), FailedAt> {
        for (index, (before, after)) in written.iter().enumerate() {
            after.after_write(tx, *before, now).map_err(|error| FailedAt::new(index, error))?;
        }
        Ok(())
    }
}

/// The fields of a record, where the kind is a type parameter.
pub trait HasFields: Sized {
    type Fields: Fields;

    fn new(id: Uuid, now: Timestamp, fields: Self::Fields) -> std::result::Result<Self, Invalid>;
    fn with(&self, fields: Self::Fields) -> std::result::Result<Self, Invalid>;
    fn fields(&self) -> &Self::Fields;
}

impl<F: Fields> HasFields for Stored<F> {
    type Fields = F;

    fn new(id: Uuid, now: Timestamp, fields: F) -> std::result::Result<Self, Invalid> {
        Self::new(F::Id::new(id), now, fields)
    }

    fn with(&self, fields: F) -> std::result::Result<Self, Invalid> {
        self.with(fields)
    }

    fn fields(&self) -> &F {
        &self.fields
    }
}
