//! Needs, offers and interests in the database: their columns, and what lists can filter and sort by.

use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::HashMap;

use super::contacts;
use super::db::sql::conn::Conn;
use super::db::sql::schema::needs;
use super::db::sql::select::{Field, sortable};
use super::db::sql::types::AnyId;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::error::Result;
use crate::domain::id::{ContactId, WorkspaceId};
use crate::domain::key::Key;
use crate::domain::need::{Need, NeedFields, NeedKind, NeedStatus};
use crate::domain::search::SearchText;

record_row! {
    NeedRow of NeedFields in needs;
    columns {
        contact_id: ContactId,
        kind: NeedKind,
        topic: String,
        detail: Option<String>,
        status: NeedStatus,
    }
}

impl Record for Need {
    const SUMMARY: &'static [&'static str] = &["contact_id", "kind", "topic", "detail", "status"];

    fn keys(&self) -> Vec<Key> {
        Self::keys(self)
    }

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    /// Whose it is.
    fn subtitles(
        conn: &mut Conn,
        workspace: WorkspaceId,
        records: &[Self],
        _on: NaiveDate,
    ) -> Result<HashMap<AnyId, String>> {
        contacts::name_of_each(conn, workspace, records, |own| own.fields.contact_id)
    }

    record_statements!(needs, NeedRow, NeedFields);
}

pub const CREATED_AT: Field = sortable(needs::created_at);
pub const UPDATED_AT: Field = sortable(needs::updated_at);
pub const CONTACT: Field = sortable(needs::contact_id);
pub const KIND: Field = sortable(needs::kind);
pub const STATUS: Field = sortable(needs::status);
