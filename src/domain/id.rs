//! Typed ids: newtypes over UUIDs, one per kind of record. New ids are not made here.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use uuid::Uuid;

/// The id of a record in the examples of the document.
pub const EXAMPLE_ID: &str = "01939d5e-8c00-7000-8000-0000000000a1";

/// The schema of an id: a UUID string that says which kind of record it names.
fn schema_of(entity: &'static str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
        .extensions(Some(ExtensionsBuilder::new().add("x-entity", entity).build()))
        .examples([EXAMPLE_ID])
        .into()
}

/// The schema of the id that a client chooses for a record that its request makes: it refers to nothing yet.
pub struct Chosen<T>(PhantomData<T>);

// What the derive writes for a generic type; it has no public name.
impl<T: RecordId> utoipa::__dev::ComposeSchema for Chosen<T> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let mut schema = T::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.extensions.get_or_insert_default().insert("x-chosen".to_owned(), true.into());
        }
        schema
    }
}

impl<T: RecordId> utoipa::ToSchema for Chosen<T> {}

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
    /// The owner of every record: the network of one person.
    WorkspaceId = "workspace";
    /// One login of a user, on one device.
    SessionId = "session";
    /// A personal access token.
    TokenId = "token";
    /// A calendar that programs subscribe to.
    CalendarFeedId = "calendar_feed";
    /// A person in the network.
    ContactId = "contact";
    /// A place where people work, study or meet.
    OrganizationId = "organization";
    /// A job or role that a person has or had.
    PositionId = "position";
    /// How two people are related.
    RelationshipId = "relationship";
    /// Something a person needs, offers or is interested in.
    NeedId = "need";
    /// Something that was given or received.
    ExchangeId = "exchange";
    /// What somebody said about your work.
    FeedbackId = "feedback";
    /// Two people who are introduced to each other.
    IntroductionId = "introduction";
    /// Something useful to share.
    ResourceId = "resource";
    /// A group, forum or chat where people meet.
    CommunityId = "community";
    /// Something that you publish.
    PostId = "post";
    /// A label of records.
    TagId = "tag";
    /// The decision that two records are not duplicates.
    DuplicateDismissalId = "duplicate_dismissal";
    /// Something that you want to reach.
    GoalId = "goal";
    /// A number that shows how far a goal has come.
    KeyResultId = "key_result";
    /// A value of a key result on a day.
    CheckInId = "check_in";
    /// A contact or an organization to reach for a goal.
    TargetId = "target";
    /// A way to introduce yourself.
    PitchId = "pitch";
    /// An earlier wording of a pitch.
    PitchVersionId = "pitch_version";
    /// One time a pitch was used.
    PitchUseId = "pitch_use";
    /// Somebody at an event.
    EventPersonId = "event_person";
    /// A meeting, a call, a message: something that happened with people.
    InteractionId = "interaction";
    /// Something to do for somebody.
    FollowUpId = "follow_up";
    /// A sequence of follow-ups.
    FollowUpPlanId = "follow_up_plan";
    /// A plan that was applied to a contact.
    PlanRunId = "plan_run";
    /// The occurrences of a follow-up that recurs.
    SeriesId = "series";
    /// When somebody was last in touch; the same as the id of the contact.
    ContactActivityId = "contact_activity";
    /// Something that a user was told of.
    NotificationId = "notification";
    /// Something to be done outside a request.
    JobId = "job";
    OperationId = "operation";
    /// An event where people meet, such as a conference.
    EventId = "event";
}
