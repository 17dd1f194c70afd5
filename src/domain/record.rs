//! The one shape of every record: its fields, and the head that the server keeps. What the fields of a kind are is told
//! where the kind is.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt::Debug;
use utoipa::openapi::schema::{AllOfBuilder, KnownFormat, ObjectBuilder, RefBuilder, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::entity::Entity;
use super::id::RecordId;
use super::invalid::Invalid;
use super::timestamp::Timestamp;

/// What can be entered about a record of some kind, and what the server computes of it.
pub trait Fields:
    Serialize + DeserializeOwned + Clone + PartialEq + Debug + Send + Sync + ToSchema + 'static
{
    const ENTITY: Entity;
    /// What a record of the kind is, as the document describes it.
    const DESCRIPTION: &'static str;
    /// Top-level fields that `check` computes from the others.
    const COMPUTED: &'static [&'static str] = &[];
    type Id: RecordId;

    /// Fills absent fields whose default follows from other fields. For records that are created or replaced, not for a PATCH.
    fn infer_defaults(_input: &mut Map<String, Value>) {}

    /// Normalizes what was entered and checks every rule, naming all faults at once. `before` is what the record was, if it
    /// existed; what only the server sets is taken from there.
    fn check(self, id: Self::Id, before: Option<&Self>) -> Result<Self, Invalid>;
}

/// A record. Its JSON is its representation, its before-image in the log, and what undo writes back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Stored<F: Fields> {
    pub id: F::Id,
    #[serde(flatten)]
    pub fields: F,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The number of its last change in the workspace's sequence; 0 before it is written.
    pub version: i64,
}

impl<F: Fields> Stored<F> {
    pub const COMPUTED: &'static [&'static str] = F::COMPUTED;

    /// A new record, if its fields keep every rule.
    pub fn new(id: F::Id, now: Timestamp, fields: F) -> Result<Self, Invalid> {
        let fields = fields.check(id, None)?;
        Ok(Self { id, fields, created_at: now, updated_at: now, version: 0 })
    }

    /// The same record with other fields, if those keep every rule.
    pub fn with(&self, fields: F) -> Result<Self, Invalid> {
        Ok(Self { fields: fields.check(self.id, Some(&self.fields))?, ..self.clone() })
    }
}

impl<F: Fields> PartialSchema for Stored<F> {
    fn schema() -> RefOr<Schema> {
        let of = |name: Cow<'static, str>, description: &str| {
            RefBuilder::new().ref_location_from_schema_name(name).description(Some(description))
        };
        let version = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .description(Some("The version: the number of the record's last change in the workspace."))
            .examples([42]);
        let head = ObjectBuilder::new()
            .property("id", of(F::Id::name(), "The record's id."))
            .property("created_at", of(Timestamp::name(), "When the record was created."))
            .property("updated_at", of(Timestamp::name(), "When the record last changed."))
            .property("version", version);
        let head = ["id", "created_at", "updated_at", "version"].into_iter().fold(head, ObjectBuilder::required);
        let fields = Ref::from_schema_name(F::name());
        AllOfBuilder::new().description(Some(F::DESCRIPTION)).item(fields).item(head).into()
    }
}

impl<F: Fields> ToSchema for Stored<F> {
    fn name() -> Cow<'static, str> {
        F::ENTITY.type_name().into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((F::name().into(), F::schema()));
        schemas.push((F::Id::name().into(), F::Id::schema()));
        schemas.push((Timestamp::name().into(), Timestamp::schema()));
        F::schemas(schemas);
    }
}
