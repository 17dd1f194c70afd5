//! What a kind of record brings to the mechanism, and the one `match` that names every kind.

use chrono::NaiveDate;
use diesel::result::QueryResult;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cmp::Ordering;
use std::collections::HashMap;

use crate::domain::entity::Entity;
use crate::domain::id::WorkspaceId;
use crate::domain::key::Key;
use crate::domain::search::SearchText;
use crate::domain::timeline::TimelineEntry;
use crate::domain::timestamp::Timestamp;
use crate::store::db::sql::conn::Conn;
use crate::store::db::sql::select::{Field, Scalar, Select};
use crate::store::db::sql::types::{AnyId, RecordRef};
use crate::store::error::{Error, Result};

/// A kind of record that clients sync. Its JSON, which is also its representation, is the currency of changes,
/// history and undo; a field that comes later needs `#[serde(default)]`, since older before-images lack it.
pub trait Record: Serialize + DeserializeOwned + Clone + Send + 'static {
    const ENTITY: Entity;
    /// The fields of a summary, besides the id.
    const SUMMARY: &'static [&'static str];

    fn id(&self) -> AnyId;
    fn version(&self) -> i64;
    /// Takes over what the server keeps of another version of the record: its times and its number.
    fn take_head(&mut self, other: &Self);
    /// Gives the record its number in the workspace's sequence, and the time of the write: that is also when one was created
    /// that has not been written before (version 0).
    fn stamp(&mut self, version: i64, updated_at: Timestamp);

    /// The record's value in a column that lists are sorted by, for the cursor.
    fn sort_value(&self, field: Field) -> Scalar;
    /// The same of a column that not every kind has.
    fn own_sort_value(&self, _field: Field) -> Option<Scalar> {
        None
    }

    /// The same of a column that holds a copy of another record's, which the record itself does not have.
    fn copied_sort_value(
        &self,
        _conn: &mut Conn,
        _workspace: WorkspaceId,
        _field: Field,
    ) -> QueryResult<Option<Scalar>> {
        Ok(None)
    }

    /// What the record is found by exactly.
    fn keys(&self) -> Vec<Key> {
        Vec::new()
    }
    /// What the record is found by when somebody types; `None` for kinds that are not searched.
    fn search_text(&self) -> Option<SearchText> {
        None
    }
    /// Where the record stands in the timelines of contacts.
    fn timeline(&self) -> Vec<TimelineEntry> {
        Vec::new()
    }
    /// What no other record of its kind may be known by.
    fn unique_key(&self) -> Option<Key> {
        None
    }
    /// What other records say of these, for them to be found by as well; those of which none says anything may be left out.
    fn related_search_text(
        _records: &[&Self],
        _conn: &mut Conn,
        _workspace: WorkspaceId,
    ) -> Result<HashMap<AnyId, String>> {
        Ok(HashMap::new())
    }
    /// What of it stands in the `related_search_text` of its `search_dependents`; these are indexed anew when it changes.
    fn search_projection(&self) -> Option<String> {
        None
    }
    fn search_dependents(_records: &[&Self], _conn: &mut Conn, _workspace: WorkspaceId) -> Result<Vec<RecordRef>> {
        Ok(Vec::new())
    }
    /// What makes two records of the kind the same thing: a merge that makes them so joins them. `None` where there is nothing
    /// of the kind.
    fn identity(&self) -> Option<String> {
        None
    }
    /// The same of records that may go by several; two that share one are the same thing if they agree.
    fn identities(records: &[Self], _conn: &mut Conn, _workspace: WorkspaceId) -> Result<Vec<Vec<String>>> {
        Ok(records.iter().map(|record| record.identity().into_iter().collect()).collect())
    }
    /// Whether two that share an identity are the same thing.
    fn agrees_with(&self, _other: &Self) -> bool {
        true
    }
    /// The record joined with another one of the same identity.
    fn joined(&self, _other: &Self) -> Result<Self> {
        Ok(self.clone())
    }
    /// Which of two that belong to the same record is shown first; of equals the newer one.
    fn display_order(&self, _other: &Self) -> Ordering {
        Ordering::Equal
    }
    /// What tells these records from others with the same title, on a day, in a constant number of statements.
    fn subtitles(
        _conn: &mut Conn,
        _workspace: WorkspaceId,
        _records: &[Self],
        _on: NaiveDate,
    ) -> Result<HashMap<AnyId, String>> {
        Ok(HashMap::new())
    }
    /// A record that stays as long as its workspace.
    fn is_permanent(&self) -> bool {
        false
    }

    /// The derived records that are computed from this one among others.
    fn derived_dependents(&self) -> Vec<RecordRef> {
        Vec::new()
    }
    /// Whether these are computed differently once the record was changed from `before`.
    fn changes_derived(&self, _before: &Self) -> bool {
        true
    }
    /// Copies what other tables are sorted by into their rows; `None` where there is no such record any more.
    fn write_copies(
        _conn: &mut Conn,
        _workspace: WorkspaceId,
        _records: &[(AnyId, Option<&Self>)],
    ) -> QueryResult<()> {
        Ok(())
    }
    /// Of a derived kind: the records of these ids, computed anew from what is stored, without those of which there is nothing
    /// to tell.
    fn computed(_conn: &mut Conn, _workspace: WorkspaceId, _ids: &[AnyId], _now: Timestamp) -> Result<Vec<Self>> {
        Ok(Vec::new())
    }
    /// Of a kind that names others in a list: replaces these names.
    fn set_names(&mut self, _names: Vec<String>) -> Result<()> {
        Err(Error::Internal(format!("no {} names other records", Self::ENTITY)))
    }

    /// One record, by a statement that is prepared once.
    fn find(conn: &mut Conn, workspace: WorkspaceId, id: AnyId) -> QueryResult<Option<Self>>;
    fn select(conn: &mut Conn, select: Select) -> QueryResult<Vec<Self>>;
    /// The ids alone.
    fn ids(conn: &mut Conn, select: Select) -> QueryResult<Vec<AnyId>>;
    /// How many there are, whatever the limit.
    fn count(conn: &mut Conn, select: Select) -> QueryResult<i64>;
    fn insert(records: &[&Self], conn: &mut Conn, workspace: WorkspaceId) -> QueryResult<()>;
    /// Writes what differs from `before`, which the caller has read in the same transaction, in the same order.
    fn update(before: Vec<Self>, after: &[&Self], conn: &mut Conn, workspace: WorkspaceId) -> QueryResult<()>;
    fn delete(conn: &mut Conn, workspace: WorkspaceId, id: AnyId) -> QueryResult<()>;
    /// Every row of a workspace that is erased.
    fn delete_all(conn: &mut Conn, workspace: WorkspaceId) -> QueryResult<()>;
}

/// What is the same for every kind: its head and its statements. `$Row` is made by `record_row!`.
macro_rules! record_statements {
    ($table:ident, $Row:ty, $Fields:ty) => {
        const ENTITY: $crate::domain::entity::Entity = <$Fields as $crate::domain::record::Fields>::ENTITY;

        fn id(&self) -> $crate::store::db::sql::types::AnyId {
            $crate::store::db::sql::types::AnyId::new(self.id.uuid())
        }

        fn version(&self) -> i64 {
            self.version
        }

        fn sort_value(
            &self,
            field: $crate::store::db::sql::select::Field,
        ) -> $crate::store::db::sql::select::Scalar {
            use $crate::store::db::sql::select::Scalar;
            match field.name() {
                "created_at" => Scalar::Instant(self.created_at),
                "updated_at" => Scalar::Instant(self.updated_at),
                _ => self
                    .own_sort_value(field)
                    .unwrap_or_else(|| Scalar::Id($crate::store::db::write::record::Record::id(self))),
            }
        }

        fn take_head(&mut self, other: &Self) {
            (self.created_at, self.updated_at, self.version) = (other.created_at, other.updated_at, other.version);
        }

        fn stamp(&mut self, version: i64, updated_at: $crate::domain::timestamp::Timestamp) {
            if self.version == 0 {
                self.created_at = updated_at;
            }
            self.version = version;
            self.updated_at = updated_at;
        }

        fn find(
            conn: &mut $crate::store::db::sql::conn::Conn,
            workspace: $crate::domain::id::WorkspaceId,
            id: $crate::store::db::sql::types::AnyId,
        ) -> diesel::QueryResult<Option<Self>> {
            type Read = <$Row as $crate::store::db::write::row::RecordRow>::Read;
            let own = $table::table.filter($table::workspace_id.eq(workspace)).filter($table::id.eq(id));
            let row: Option<Read> = diesel::OptionalExtension::optional(
                own.select(<Read as diesel::SelectableHelper<_>>::as_select()).first(conn),
            )?;
            Ok(row.map(Self::from))
        }

        fn select(
            conn: &mut $crate::store::db::sql::conn::Conn,
            select: $crate::store::db::sql::select::Select,
        ) -> diesel::QueryResult<Vec<Self>> {
            let (filter, order, limit) = select.parts();
            type Read = <$Row as $crate::store::db::write::row::RecordRow>::Read;
            let selected = $table::table
                .filter(filter)
                .order(order)
                .limit(limit)
                .select(<Read as diesel::SelectableHelper<_>>::as_select());
            let rows =
                diesel::RunQueryDsl::load_iter::<Read, diesel::connection::DefaultLoadingMode>(selected, conn)?;
            rows.map(|row| row.map(Self::from)).collect()
        }

        fn ids(
            conn: &mut $crate::store::db::sql::conn::Conn,
            select: $crate::store::db::sql::select::Select,
        ) -> diesel::QueryResult<Vec<$crate::store::db::sql::types::AnyId>> {
            let (filter, order, limit) = select.parts();
            $table::table.filter(filter).order(order).limit(limit).select($table::id).load(conn)
        }

        fn count(
            conn: &mut $crate::store::db::sql::conn::Conn,
            select: $crate::store::db::sql::select::Select,
        ) -> diesel::QueryResult<i64> {
            let (filter, _, _) = select.parts();
            $table::table.filter(filter).count().get_result(conn)
        }

        fn insert(
            records: &[&Self],
            conn: &mut $crate::store::db::sql::conn::Conn,
            workspace: $crate::domain::id::WorkspaceId,
        ) -> diesel::QueryResult<()> {
            let rows: Vec<$Row> = records.iter().map(|record| <$Row>::of(workspace, (*record).clone())).collect();
            $crate::store::db::sql::rows::insert(conn, &rows)
        }

        fn update(
            before: Vec<Self>,
            after: &[&Self],
            conn: &mut $crate::store::db::sql::conn::Conn,
            workspace: $crate::domain::id::WorkspaceId,
        ) -> diesel::QueryResult<()> {
            let before: Vec<$Row> = before.into_iter().map(|record| <$Row>::of(workspace, record)).collect();
            let after: Vec<$Row> = after.iter().map(|record| <$Row>::of(workspace, (*record).clone())).collect();
            $crate::store::db::sql::rows::update(conn, &before, &after)
        }

        fn delete(
            conn: &mut $crate::store::db::sql::conn::Conn,
            workspace: $crate::domain::id::WorkspaceId,
            id: $crate::store::db::sql::types::AnyId,
        ) -> diesel::QueryResult<()> {
            let own = $table::table.filter($table::workspace_id.eq(workspace)).filter($table::id.eq(id));
            diesel::delete(own).execute(conn).map(drop)
        }

        fn delete_all(
            conn: &mut $crate::store::db::sql::conn::Conn,
            workspace: $crate::domain::id::WorkspaceId,
        ) -> diesel::QueryResult<()> {
            diesel::delete($table::table.filter($table::workspace_id.eq(workspace))).execute(conn).map(drop)
        }
    };
}
pub(in crate::store) use record_statements;

/// Runs the body with `$Kind` standing for the record type of the entity.
macro_rules! for_entity {
    ($entity:expr, $Kind:ident => $body:expr) => {
        $crate::store::db::write::record::for_each_kind!($entity, $Kind => $body;
            Contact in contact, Organization in organization, Position in position, Relationship in relationship,
            Need in need, Exchange in exchange, Feedback in feedback, Tag in tag, DuplicateDismissal in duplicate_dismissal, Goal in goal, KeyResult in key_result,
            CheckIn in check_in, Target in target, Pitch in pitch, PitchVersion in pitch_version, PitchUse in pitch_use,
            Event in event, EventPerson in event_person, Interaction in interaction, Introduction in introduction, Resource in resource,
            Community in community, Post in post,
            FollowUp in follow_up, FollowUpPlan in follow_up_plan, PlanRun in plan_run, ContactActivity in contact_activity,
        )
    };
}
pub(in crate::store) use for_entity;

/// One arm for each kind that `for_entity!` lists: the only place that names all of them.
macro_rules! for_each_kind {
    ($entity:expr, $Alias:ident => $body:expr; $($Kind:ident in $module:ident,)*) => {
        match $entity {
            $($crate::domain::entity::Entity::$Kind => {
                type $Alias = $crate::domain::$module::$Kind;
                $body
            })*
        }
    };
}
pub(in crate::store) use for_each_kind;
