//! What a kind of record brings to be served: its fields, and the rules between what is sent and what is stored.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::invalid::Invalid;
use crate::domain::timestamp::Timestamp;
use crate::store::{Record, Result as StoreResult, Tx};

/// A record as the API takes it.
pub trait Resource: Record {
    /// What can be entered.
    type Fields: Serialize + DeserializeOwned + Send + 'static;
    /// The names of the document's schemas: of the whole, and of a patch.
    const INPUT: &'static str;
    const PATCH: &'static str;
    /// What is the server's, as paths in which `*` is any key.
    const READ_ONLY: &'static [&'static str];

    fn new(id: Uuid, now: Timestamp, fields: Self::Fields) -> Result<Self, Invalid>;
    fn with(&self, fields: Self::Fields) -> Result<Self, Invalid>;
    fn fields(&self) -> &Self::Fields;

    /// What a PATCH does not say and that follows from what it says; before `prepare`.
    fn follow(&mut self, _tx: &mut Tx<'_>, _before: &Self, _patch: &Value) -> StoreResult<()> {
        Ok(())
    }

    /// What has to be looked up before it is written: limits, and links that are found by name.
    fn prepare(&mut self, _tx: &mut Tx<'_>, _before: Option<&Self>) -> StoreResult<()> {
        Ok(())
    }
}
