//! The rules of a kind of record, as hooks around its writes. They run for whoever writes: a request, a batch, a job.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::invalid::Invalid;
use crate::domain::timestamp::Timestamp;
use crate::store::{Record, Result, Tx};

/// A kind of record with its rules. Undo does not run the hooks: it restores what a write did, effects included.
pub trait Rules: Record {
    /// What a client can set.
    type Fields: Serialize + DeserializeOwned + ToSchema + Clone + Send + Sync + 'static;

    /// What the server sets beside its head.
    const COMPUTED: &'static [&'static str] = &[];

    fn new(id: Uuid, now: Timestamp, fields: Self::Fields) -> std::result::Result<Self, Invalid>;
    fn with(&self, fields: Self::Fields) -> std::result::Result<Self, Invalid>;
    fn fields(&self) -> &Self::Fields;

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
}
