//! Communities in the database: their columns, and what lists can filter and sort by.

use diesel::prelude::*;

use super::db::sql::schema::communities;
use super::db::sql::select::{Field, Scalar, field, sortable};
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use crate::domain::community::{Community, CommunityFields, CommunityKind, CommunityStatus};
use crate::domain::id::{ContactId, GoalId, OrganizationId};
use crate::domain::search::SearchText;
use crate::domain::text;

record_row! {
    CommunityRow of CommunityFields in communities;
    columns {
        name: String,
        organization_id: Option<OrganizationId>,
        platform: Option<String>,
        url: Option<String>,
        kind: CommunityKind,
        purpose: Option<String>,
        status: CommunityStatus,
        status_reason: Option<String>,
        joined_on: Option<String>,
        target_posts_per_month: Option<i32>,
    }
    json {
        goal_ids: Vec<GoalId>,
        contact_ids: Vec<ContactId>,
    }
    computed {
        sort_key: String = |fields| text::sort_key(&fields.name),
    }
}

impl Record for Community {
    const SUMMARY: &'static [&'static str] = &["name", "kind", "platform", "status", "target_posts_per_month"];

    fn own_sort_value(&self, field: Field) -> Option<Scalar> {
        (field == NAME).then(|| Scalar::Text(text::sort_key(&self.fields.name)))
    }

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    record_statements!(communities, CommunityRow, CommunityFields);
}

pub const CREATED_AT: Field = sortable(communities::created_at);
pub const UPDATED_AT: Field = sortable(communities::updated_at);
/// Folded.
pub const NAME: Field = sortable(communities::sort_key);
pub const KIND: Field = sortable(communities::kind);
pub const STATUS: Field = sortable(communities::status);
pub const PLATFORM: Field = field(communities::platform);
pub const ORGANIZATION: Field = field(communities::organization_id);
