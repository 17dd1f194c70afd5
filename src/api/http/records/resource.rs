//! What a kind of record says about itself to be served: how it is listed, its names in the document, its examples.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::collection::Collection;
use crate::api::http::messages::problem::Code;
use crate::domain::entity::Entity;
use crate::domain::id::WorkspaceId;
use crate::service::records::rules::Rules;
use crate::store::{Conn, Result};

/// A kind of record that the API serves.
pub trait Resource: Rules + ToSchema + Serialize {
    const COLLECTION: Collection;
    const TEXTS: Texts;

    /// Further examples of creating one, by what each shows: records that other examples name.
    fn more_examples() -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// The kinds of other record that a request also creates, which its caller has to be allowed to write.
    fn also_creates(_input: &Value) -> &'static [Entity] {
        &[]
    }
}

/// What the document says about a kind of record, and the examples of its requests.
pub struct Texts {
    /// The tag of its operations.
    pub tag: &'static str,
    /// With its article: `a contact`.
    pub one: &'static str,
    /// `contacts`.
    pub many: &'static str,
    pub create_example: fn() -> Value,
    pub update_example: fn() -> Value,
    /// Errors of creating, replacing and updating one, beside those that all kinds have.
    pub write_errors: &'static [Code],
    /// Errors of deleting one, beside those that all kinds have.
    pub delete_errors: &'static [Code],
}

/// A kind of record with a short form for lists on a screen.
pub trait Cards: Resource {
    type Card: Serialize + ToSchema;

    /// The cards of records on a day, in their order, in a constant number of statements.
    fn cards(conn: &mut Conn, workspace: WorkspaceId, records: &[Self], on: NaiveDate) -> Result<Vec<Self::Card>>;
}
