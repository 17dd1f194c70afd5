//! Exchanges in the database: their columns, and what lists can filter and sort by. Balances are in `reciprocity.rs`.

use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::HashMap;

use super::contacts;
use super::db::sql::conn::Conn;
use super::db::sql::schema::exchanges;
use super::db::sql::select::{Field, Predicate, Scalar, field, sortable};
use super::db::sql::types::AnyId;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::error::Result;
use crate::domain::exchange::{
    Exchange, ExchangeDirection, ExchangeFields, ExchangeKind, ExchangeOrigin, scaled_weight,
};
use crate::domain::id::{ContactId, GoalId, InteractionId, ResourceId, WorkspaceId};
use crate::domain::search::SearchText;
use crate::domain::timeline::TimelineEntry;

record_row! {
    ExchangeRow of ExchangeFields in exchanges;
    columns {
        contact_id: ContactId,
        direction: ExchangeDirection,
        kind: ExchangeKind,
        description: Option<String>,
        weight: i32,
        occurred_on: String,
        thanked_on: Option<String>,
        interaction_id: Option<InteractionId>,
        goal_id: Option<GoalId>,
        resource_id: Option<ResourceId>,
        origin: ExchangeOrigin,
    }
    computed {
        scaled_weight: f64 = |fields| scaled_weight(fields),
    }
}

impl Record for Exchange {
    const SUMMARY: &'static [&'static str] =
        &["contact_id", "direction", "kind", "description", "weight", "occurred_on", "thanked_on"];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        (field == OCCURRED_ON).then(|| Scalar::Text(self.fields.occurred_on.clone()))
    }

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    /// Whom it was with.
    fn subtitles(
        conn: &mut Conn,
        workspace: WorkspaceId,
        records: &[Self],
        _on: NaiveDate,
    ) -> Result<HashMap<AnyId, String>> {
        contacts::name_of_each(conn, workspace, records, |own| own.fields.contact_id)
    }

    fn timeline(&self) -> Vec<TimelineEntry> {
        Self::timeline(self).into_iter().collect()
    }

    record_statements!(exchanges, ExchangeRow, ExchangeFields);
}

pub const CREATED_AT: Field = sortable(exchanges::created_at);
pub const UPDATED_AT: Field = sortable(exchanges::updated_at);
pub const CONTACT: Field = sortable(exchanges::contact_id);
pub const DIRECTION: Field = sortable(exchanges::direction);
pub const KIND: Field = sortable(exchanges::kind);
pub const WEIGHT: Field = sortable(exchanges::weight);
pub const OCCURRED_ON: Field = sortable(exchanges::occurred_on);
pub const THANKED_ON: Field = field(exchanges::thanked_on);
pub const INTERACTION: Field = field(exchanges::interaction_id);
pub const GOAL: Field = field(exchanges::goal_id);
pub const RESOURCE: Field = field(exchanges::resource_id);

/// What was received and not thanked for.
pub fn awaits_thanks() -> Predicate {
    Predicate::All(vec![
        Predicate::IsWord(DIRECTION, ExchangeDirection::Received.as_str()),
        Predicate::IsNull(THANKED_ON),
    ])
}
