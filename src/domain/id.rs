//! Typed ids: newtypes over UUIDs, one for each kind of record. No source of new ids lives here.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::Hash;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use uuid::Uuid;

/// The schema of an id: a UUID string that says which kind of record it names.
fn schema_of(entity: &'static str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
        .extensions(Some(ExtensionsBuilder::new().add("x-entity", entity).build()))
        .examples(["01939d5e-8c00-7000-8000-0000000000a1"])
        .into()
}

/// The id of some kind of record.
pub trait RecordId:
    Copy
    + Ord
    + Hash
    + fmt::Debug
    + fmt::Display
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + utoipa::ToSchema
    + 'static
{
    fn new(uuid: Uuid) -> Self;
    fn uuid(self) -> Uuid;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $entity:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl RecordId for $name {
            fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                schema_of($entity)
            }
        }

        impl utoipa::ToSchema for $name {}
    )*};
}

ids! {
    /// A person with an account.
    UserId = "user";
    /// What owns every record: the network of one person.
    WorkspaceId = "workspace";
    /// One login of a user, on one device.
    SessionId = "session";
    /// A personal access token.
    TokenId = "token";
    /// A person in the network.
    ContactId = "contact";
    /// Where people work, study or meet.
    OrganizationId = "organization";
    /// What somebody does or did somewhere.
    PositionId = "position";
    /// Who is what to whom.
    RelationshipId = "relationship";
    /// What somebody needs, can offer, or cares about.
    NeedId = "need";
    /// A label that records carry.
    TagId = "tag";
    /// "These two are not the same."
    DuplicateDismissalId = "duplicate_dismissal";
    /// A meeting, a call, a message: what happened between people.
    InteractionId = "interaction";
    /// When somebody was last in touch; the same as the id of the contact.
    ContactActivityId = "contact_activity";
    /// A conference, a meetup: where people are met.
    EventId = "event";
}
