//! Introductions in the database: their columns, and what lists can filter and sort by.

use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::{BTreeSet, HashMap};

use super::contacts;
use super::db::sql::conn::Conn;
use super::db::sql::schema::introductions;
use super::db::sql::select::{Field, Scalar, field, sortable};
use super::db::sql::types::AnyId;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::error::Result;
use crate::domain::id::{ContactId, ExchangeId, FollowUpId, GoalId, WorkspaceId};
use crate::domain::introduction::{
    Consent, Introduction, IntroductionDirection, IntroductionFields, IntroductionStatus,
};
use crate::domain::search::SearchText;
use crate::domain::timeline::TimelineEntry;

record_row! {
    IntroductionRow of IntroductionFields in introductions;
    columns {
        contact_a_id: ContactId,
        contact_b_id: ContactId,
        introducer_id: Option<ContactId>,
        introducer_name: Option<String>,
        direction: IntroductionDirection,
        purpose: Option<String>,
        blurb: Option<String>,
        consent_a: Consent,
        consent_b: Consent,
        status: IntroductionStatus,
        status_reason: Option<String>,
        made_on: Option<String>,
        outcome: Option<String>,
        goal_id: Option<GoalId>,
        exchange_a_id: Option<ExchangeId>,
        exchange_b_id: Option<ExchangeId>,
        introducer_exchange_id: Option<ExchangeId>,
        follow_up_a_id: Option<FollowUpId>,
        follow_up_b_id: Option<FollowUpId>,
    }
}

impl Record for Introduction {
    const SUMMARY: &'static [&'static str] =
        &["contact_a_id", "contact_b_id", "introducer_id", "direction", "purpose", "status", "made_on"];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        (field == MADE_ON).then(|| self.fields.made_on.clone().map(Scalar::Text)).flatten()
    }

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    /// The two who are introduced.
    fn subtitles(
        conn: &mut Conn,
        workspace: WorkspaceId,
        records: &[Self],
        _on: NaiveDate,
    ) -> Result<HashMap<AnyId, String>> {
        let both = |own: &Self| [own.fields.contact_a_id, own.fields.contact_b_id].map(|id| AnyId::new(id.uuid()));
        let people: BTreeSet<AnyId> = records.iter().flat_map(both).collect();
        let names = contacts::names(conn, workspace, people)?;
        let told = records.iter().map(|own| {
            let both = both(own);
            let names: Vec<&str> = both.iter().filter_map(|id| names.get(id)).map(String::as_str).collect();
            (Record::id(own), names.join(", "))
        });
        Ok(told.collect())
    }

    fn timeline(&self) -> Vec<TimelineEntry> {
        Self::timeline(self).into_iter().collect()
    }

    record_statements!(introductions, IntroductionRow, IntroductionFields);
}

pub const CREATED_AT: Field = sortable(introductions::created_at);
pub const UPDATED_AT: Field = sortable(introductions::updated_at);
pub const INTRODUCER: Field = field(introductions::introducer_id);
pub const DIRECTION: Field = sortable(introductions::direction);
pub const STATUS: Field = sortable(introductions::status);
/// Null unless it was made.
pub const MADE_ON: Field = field(introductions::made_on);
pub const GOAL: Field = field(introductions::goal_id);
pub const CONTACT_A: Field = sortable(introductions::contact_a_id);
pub const CONTACT_B: Field = sortable(introductions::contact_b_id);
