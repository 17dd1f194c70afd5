//! Resources in the database: their columns, and what lists can filter and sort by. Whom they suit is in `resource_fits.rs`.

use diesel::prelude::*;

use super::db::sql::schema::resources;
use super::db::sql::select::{Field, Predicate, Scalar, field, sortable};
use super::db::sql::types::AnyId;
use super::db::write::record::{Record, record_statements};
use super::db::write::row::record_row;
use super::db::write::tx::Tx;
use super::error::Result;
use super::{Select, exchanges};
use crate::domain::exchange::Exchange;
use crate::domain::fields::LabelText;
use crate::domain::id::{EventId, InteractionId, ResourceId};
use crate::domain::key::Key;
use crate::domain::resource::{Resource, ResourceFields, ResourceKind};
use crate::domain::search::SearchText;

record_row! {
    ResourceRow of ResourceFields in resources;
    columns {
        title: String,
        url: Option<String>,
        kind: ResourceKind,
        note: Option<String>,
        event_id: Option<EventId>,
    }
    json {
        topics: Vec<LabelText>,
    }
}

impl Record for Resource {
    const SUMMARY: &'static [&'static str] = &["title", "kind", "url", "topics"];

    fn keys(&self) -> Vec<Key> {
        Self::keys(self)
    }

    fn search_text(&self) -> Option<SearchText> {
        Some(Self::search_text(self))
    }

    record_statements!(resources, ResourceRow, ResourceFields);
}

pub const CREATED_AT: Field = sortable(resources::created_at);
pub const UPDATED_AT: Field = sortable(resources::updated_at);
pub const KIND: Field = sortable(resources::kind);
pub const EVENT: Field = field(resources::event_id);

/// The exchanges in which a resource was shared in an interaction, in the order of their ids.
pub fn shared_in(tx: &mut Tx<'_>, resource: ResourceId, interaction: InteractionId) -> Result<Vec<Exchange>> {
    let is = |field, id: uuid::Uuid| Predicate::equal(field, Scalar::Id(AnyId::new(id)));
    let filter = Predicate::All(vec![
        is(exchanges::INTERACTION, interaction.uuid()),
        is(exchanges::RESOURCE, resource.uuid()),
    ]);
    Ok(Exchange::select(tx.conn, Select::all(tx.workspace, filter))?)
}
