//! How our values stand in a column: one SQL type for both databases each, so that one `schema.rs` is true for both.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, Queryable};
use diesel::expression::AsExpression;
use diesel::internal::derives::as_expression::Bound;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{HasSqlType, Nullable, SingleValue, Text};
use diesel::sqlite::{Sqlite, SqliteValue};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::io::Write;

use super::conn::MultiBackend;
use crate::domain::account::WeekDay;
use crate::domain::community::{CommunityKind, CommunityStatus};
use crate::domain::contact::{Channel, Tier};
use crate::domain::entity::{Entity, Op};
use crate::domain::event::{EventKind, EventParticipation, EventRole, EventStatus};
use crate::domain::event_person::{EventPersonRole, EventPersonStage};
use crate::domain::exchange::{ExchangeDirection, ExchangeKind, ExchangeOrigin};
use crate::domain::feedback::{FeedbackKind, FeedbackStatus};
use crate::domain::follow_up::{FollowUpKind, FollowUpOrigin, FollowUpStatus, OwedBy};
use crate::domain::follow_up_plan::BuiltInPlan;
use crate::domain::goal::{GoalCategory, GoalStatus};
use crate::domain::id::{
    CalendarFeedId, CheckInId, CommunityId, ContactActivityId, ContactId, DuplicateDismissalId, EventId,
    EventPersonId, ExchangeId, FeedbackId, FollowUpId, FollowUpPlanId, GoalId, InteractionId, IntroductionId,
    JobId, KeyResultId, NeedId, NotificationId, OperationId, OrganizationId, PitchId, PitchUseId, PitchVersionId,
    PlanRunId, PositionId, PostId, RelationshipId, ResourceId, SeriesId, SessionId, TagId, TargetId, TokenId,
    UserId, WorkspaceId,
};
use crate::domain::interaction::{InteractionDirection, InteractionKind, InteractionStatus};
use crate::domain::introduction::{Consent, IntroductionDirection, IntroductionStatus};
use crate::domain::job::JobState;
use crate::domain::key::KeyKind;
use crate::domain::key_result::KeyResultMetric;
use crate::domain::need::{NeedKind, NeedStatus};
use crate::domain::notification::NotificationKind;
use crate::domain::operation::{OperationKind, OperationState};
use crate::domain::organization::OrganizationKind;
use crate::domain::plan_run::PlanRunStatus;
use crate::domain::position::PositionKind;
use crate::domain::post::{PostKind, PostStatus};
use crate::domain::relationship::RelationshipType;
use crate::domain::resource::ResourceKind;
use crate::domain::scope::Role;
use crate::domain::target::TargetStage;
use crate::domain::timeline::TimelineKind;
use crate::domain::timestamp::Timestamp;

/// `uuid` in PostgreSQL, a BLOB of 16 bytes in SQLite.
#[derive(Debug, Clone, Copy, Default, diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Binary"))]
pub struct Id;

/// `timestamptz` in PostgreSQL, INTEGER microseconds since 1970 in SQLite.
#[derive(Debug, Clone, Copy, Default, diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Long"))]
pub struct Instant;

/// `jsonb` in PostgreSQL, TEXT in SQLite.
#[derive(Debug, Clone, Copy, Default, diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807), sqlite_type(name = "Text"))]
pub struct Json;

macro_rules! known_to_both {
    ($($sql:ty),*) => {$(
        impl HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                Self::lookup_sql_type::<$sql>(lookup)
            }
        }
    )*};
}
known_to_both!(Id, Instant, Json);

/// What Diesel's derives would write for a type of ours, which they cannot: the domain knows no Diesel.
macro_rules! column_value {
    (for [$($generics:tt)*] $value:ty => $sql:ty) => {
        column_value!(@expression [$($generics)*] $value => $sql);
        column_value!(@expression [$($generics)*] $value => Nullable<$sql>);
        column_value!(@reference [$($generics)*] $value => $sql);
        column_value!(@reference [$($generics)*] $value => Nullable<$sql>);

        impl<ST, DB, $($generics)*> Queryable<ST, DB> for $value
        where
            DB: Backend,
            ST: SingleValue,
            Self: FromSql<ST, DB>,
        {
            type Row = Self;

            fn build(row: Self) -> deserialize::Result<Self> {
                Ok(row)
            }
        }

        impl<$($generics)*> ToSql<Nullable<$sql>, MultiBackend> for $value
        where
            Self: ToSql<$sql, MultiBackend>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                ToSql::<$sql, MultiBackend>::to_sql(self, out)
            }
        }

        impl<$($generics)*> ToSql<$sql, MultiBackend> for $value
        where
            Self: ToSql<$sql, Pg> + ToSql<$sql, Sqlite> + Send + Sync + 'static,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value((<$sql>::default(), self));
                Ok(IsNull::No)
            }
        }

        impl<$($generics)*> FromSql<$sql, MultiBackend> for $value
        where
            Self: FromSql<$sql, Pg> + FromSql<$sql, Sqlite>,
        {
            fn from_sql(bytes: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                bytes.from_sql::<Self, $sql>()
            }
        }
    };
    (@expression [$($generics:tt)*] $value:ty => $sql:ty) => {
        impl<$($generics)*> AsExpression<$sql> for $value {
            type Expression = Bound<$sql, Self>;

            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
    };
    (@reference [$($generics:tt)*] $value:ty => $sql:ty) => {
        impl<'expr, $($generics)*> AsExpression<$sql> for &'expr $value {
            type Expression = Bound<$sql, Self>;

            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
    };
}

macro_rules! id_columns {
    ($($id:ty),*) => {$(
        column_value!(for [] $id => Id);

        impl ToSql<Id, Pg> for $id {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                out.write_all(self.uuid().as_bytes())?;
                Ok(IsNull::No)
            }
        }

        impl ToSql<Id, Sqlite> for $id {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                out.set_value(self.uuid().as_bytes().to_vec());
                Ok(IsNull::No)
            }
        }

        impl FromSql<Id, Pg> for $id {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                Ok(Self::new(uuid::Uuid::from_slice(value.as_bytes())?))
            }
        }

        impl FromSql<Id, Sqlite> for $id {
            fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
                Ok(Self::new(uuid::Uuid::from_slice(value.read_blob())?))
            }
        }
    )*};
}

/// The id of a record whose kind is known at run time only, as in `changes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnyId(uuid::Uuid);

impl AnyId {
    pub const fn new(uuid: uuid::Uuid) -> Self {
        Self(uuid)
    }

    pub const fn uuid(self) -> uuid::Uuid {
        self.0
    }
}

/// A record, by its kind and its id.
pub type RecordRef = (Entity, AnyId);

id_columns!(UserId, WorkspaceId, SessionId, TokenId, AnyId);
id_columns!(CalendarFeedId, JobId, NotificationId, OperationId);
id_columns!(ContactId, OrganizationId, PositionId, RelationshipId, NeedId, TagId, DuplicateDismissalId);
id_columns!(GoalId, KeyResultId, CheckInId, TargetId, PitchId, PitchVersionId, PitchUseId);
id_columns!(EventId, EventPersonId);
id_columns!(ExchangeId, FeedbackId, IntroductionId, ResourceId);
id_columns!(CommunityId, PostId);
id_columns!(InteractionId, ContactActivityId, FollowUpId, SeriesId, FollowUpPlanId, PlanRunId);

/// Microseconds between 1970 and 2000, from which PostgreSQL counts.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

column_value!(for [] Timestamp => Instant);

impl ToSql<Instant, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros = self.micros().checked_sub(POSTGRES_EPOCH_MICROS).ok_or("instant out of range")?;
        out.write_all(&micros.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<Instant, Sqlite> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.micros());
        Ok(IsNull::No)
    }
}

impl FromSql<Instant, Pg> for Timestamp {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = i64::from_be_bytes(value.as_bytes().try_into()?);
        let micros = micros.checked_add(POSTGRES_EPOCH_MICROS).ok_or("instant out of range")?;
        Self::from_micros(micros).ok_or_else(|| "instant out of range".into())
    }
}

impl FromSql<Instant, Sqlite> for Timestamp {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Self::from_micros(value.read_long()).ok_or_else(|| "instant out of range".into())
    }
}

/// A value kept as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AsJson<T>(pub T);

column_value!(for [T: Debug + Send + Sync + 'static] AsJson<T> => Json);

impl<T: Serialize + Debug> ToSql<Json, Pg> for AsJson<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // The version byte of jsonb's binary form.
        out.write_all(&[1])?;
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}

impl<T: Serialize + Debug> ToSql<Json, Sqlite> for AsJson<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

impl<T: DeserializeOwned> FromSql<Json, Pg> for AsJson<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes().split_first() {
            Some((1, json)) => Ok(Self(serde_json::from_slice(json)?)),
            _ => Err("unknown version of jsonb".into()),
        }
    }
}

impl<T: DeserializeOwned> FromSql<Json, Sqlite> for AsJson<T> {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(serde_json::from_str(value.read_text())?))
    }
}

/// JSON that is text already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonText(pub Box<str>);

column_value!(for [] JsonText => Json);

impl ToSql<Json, Pg> for JsonText {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // The version byte of jsonb's binary form.
        out.write_all(&[1])?;
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<Json, Sqlite> for JsonText {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(&*self.0);
        Ok(IsNull::No)
    }
}

impl FromSql<Json, Pg> for JsonText {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes().split_first() {
            Some((1, json)) => Ok(Self(std::str::from_utf8(json)?.into())),
            _ => Err("unknown version of jsonb".into()),
        }
    }
}

impl FromSql<Json, Sqlite> for JsonText {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(value.read_text().into()))
    }
}

macro_rules! word_columns {
    ($($word:ty),*) => {$(
        column_value!(for [] $word => Text);

        impl ToSql<Text, Pg> for $word {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                out.write_all(self.as_str().as_bytes())?;
                Ok(IsNull::No)
            }
        }

        impl ToSql<Text, Sqlite> for $word {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                out.set_value(self.as_str());
                Ok(IsNull::No)
            }
        }

        impl FromSql<Text, Pg> for $word {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                let word = std::str::from_utf8(value.as_bytes())?;
                Self::parse(word).ok_or_else(|| format!("unknown word {word:?}").into())
            }
        }

        impl FromSql<Text, Sqlite> for $word {
            fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
                let word = value.read_text();
                Self::parse(word).ok_or_else(|| format!("unknown word {word:?}").into())
            }
        }
    )*};
}

word_columns!(Entity, JobState, KeyKind, NotificationKind, Op, OperationKind, OperationState, Role, WeekDay);
word_columns!(Tier, OrganizationKind, PositionKind, RelationshipType, NeedKind, NeedStatus);
word_columns!(Channel, InteractionKind, InteractionStatus, InteractionDirection, TimelineKind);
word_columns!(EventKind, EventStatus, EventRole, EventParticipation, EventPersonRole, EventPersonStage);
word_columns!(GoalCategory, GoalStatus, KeyResultMetric, TargetStage);
word_columns!(ExchangeDirection, ExchangeKind, ExchangeOrigin);
word_columns!(FeedbackKind, FeedbackStatus);
word_columns!(CommunityKind, CommunityStatus, PostKind, PostStatus);
word_columns!(Consent, IntroductionDirection, IntroductionStatus, ResourceKind);
word_columns!(FollowUpKind, FollowUpStatus, FollowUpOrigin, OwedBy, BuiltInPlan, PlanRunStatus);
