//! Engagement with posts, summed up from the entries of one index: by month, and by contact over a whole period.

use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryResult, RunQueryDsl};
use std::collections::HashMap;

use super::db::sql::conn::{Conn, MultiBackend, read_transaction};
use super::db::sql::statement::statement;
use super::db::sql::types::{AnyId, Id, Instant};
use super::error::Result;
use super::today;
use crate::domain::contact::Contact;
use crate::domain::engagement::{EngagementCounts, MonthSpan};
use crate::domain::id::WorkspaceId;
use crate::domain::interaction::{InteractionDirection, InteractionKind};
use crate::domain::locale::TimeZone;
use crate::domain::progress::Window;
use crate::domain::timestamp::Timestamp;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Only with this contact.
    pub contact: Option<AnyId>,
    /// Only in this community.
    pub community: Option<AnyId>,
    /// Only on this platform: that of the post, or else of the community, or else of the URL.
    pub platform: Option<String>,
}

/// What there was in a period.
#[derive(Debug, Clone)]
pub struct Engagement {
    /// In the order of the months.
    pub months: Vec<EngagementCounts>,
    /// With whom, the most first.
    pub people: Vec<(Contact, EngagementCounts)>,
    /// How many there are in all.
    pub people_total: usize,
}

/// What there was in these months, and with whom, at most so many.
pub fn read(
    conn: &mut Conn,
    workspace: WorkspaceId,
    zone: TimeZone,
    (months, asked): (&[MonthSpan], &Asked),
    most_people: usize,
) -> Result<Engagement> {
    read_transaction(conn, |conn| {
        let by_month = by_month(conn, workspace, zone, months, asked)?;
        let (Some(first), Some(last)) = (months.first(), months.last()) else {
            return Ok(Engagement { months: by_month, people: Vec::new(), people_total: 0 });
        };
        let window = Window { first: first.first, last: last.last };
        let rows: Vec<(AnyId, InteractionDirection, InteractionKind, i64)> =
            ByPerson(Sums::of(workspace, zone, window, asked)).load(conn)?;
        let mut counts: HashMap<AnyId, EngagementCounts> = HashMap::new();
        for (contact, direction, kind, count) in rows {
            counts.entry(contact).or_default().add(direction, kind, count);
        }
        let people_total = counts.len();
        let mut ranked: Vec<(AnyId, EngagementCounts)> = counts.into_iter().collect();
        ranked.sort_unstable_by_key(|(id, counts)| std::cmp::Reverse((counts.total(), *id)));
        ranked.truncate(most_people);
        let mut people = today::people(conn, workspace, ranked.iter().map(|(id, _)| *id))?;
        let people = ranked.into_iter().filter_map(|(id, counts)| Some((people.remove(&id)?, counts)));
        Ok(Engagement { months: by_month, people: people.collect(), people_total })
    })
}

/// What there was in each of these months.
pub fn by_month(
    conn: &mut Conn,
    workspace: WorkspaceId,
    zone: TimeZone,
    months: &[MonthSpan],
    asked: &Asked,
) -> Result<Vec<EngagementCounts>> {
    let mut all = Vec::with_capacity(months.len());
    for MonthSpan { first, last } in months {
        let window = Window { first: *first, last: *last };
        let rows: Vec<(InteractionDirection, InteractionKind, i64)> =
            InAll(Sums::of(workspace, zone, window, asked)).load(conn)?;
        let mut counts = EngagementCounts::default();
        rows.into_iter().for_each(|(direction, kind, count)| counts.add(direction, kind, count));
        all.push(counts);
    }
    Ok(all)
}

// The statements.

/// What is summed up.
struct Sums<'a> {
    workspace: WorkspaceId,
    asked: &'a Asked,
    /// The instants of the period in the time zone of the workspace.
    local: (Timestamp, Timestamp),
    /// The same, and those of its days in UTC, by which what has only a day is sorted.
    sorted: (Timestamp, Timestamp),
    /// The first day and the last.
    days: (String, String),
}

impl<'a> Sums<'a> {
    fn of(workspace: WorkspaceId, zone: TimeZone, window: Window, asked: &'a Asked) -> Self {
        let (local, utc) = (window.instants(zone), window.instants_in_utc());
        let sorted = (local.0.min(utc.0), local.1.max(utc.1));
        Self { workspace, asked, local, sorted, days: (window.first.to_string(), window.last.to_string()) }
    }
}

/// By direction and kind.
struct InAll<'a>(Sums<'a>);

/// By contact, direction and kind.
struct ByPerson<'a>(Sums<'a>);

statement!(InAll<'_>, (Text, Text, BigInt));
statement!(ByPerson<'_>, (Id, Text, Text, BigInt));

impl QueryFragment<MultiBackend> for InAll<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql("SELECT own.direction, own.kind, COUNT(*) FROM interactions AS own WHERE ");
        self.0.conditions(&mut out)?;
        if let Some(contact) = &self.0.asked.contact {
            out.push_sql(
                " AND EXISTS (SELECT 1 FROM interaction_contacts AS listed WHERE listed.workspace_id = \
                 own.workspace_id AND listed.interaction_id = own.id AND listed.contact_id = ",
            );
            out.push_bind_param::<Id, _>(contact)?;
            out.push_sql(")");
        }
        out.push_sql(" GROUP BY own.direction, own.kind");
        Ok(())
    }
}

impl QueryFragment<MultiBackend> for ByPerson<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql(
            "SELECT listed.contact_id, own.direction, own.kind, COUNT(*) FROM interactions AS own JOIN \
             interaction_contacts AS listed ON listed.workspace_id = own.workspace_id AND listed.interaction_id = own.id \
             WHERE ",
        );
        self.0.conditions(&mut out)?;
        if let Some(contact) = &self.0.asked.contact {
            out.push_sql(" AND listed.contact_id = ");
            out.push_bind_param::<Id, _>(contact)?;
        }
        out.push_sql(" GROUP BY listed.contact_id, own.direction, own.kind");
        Ok(())
    }
}

impl Sums<'_> {
    /// Those of the period: what has a time lies within its local days, and of what has only a day that is one of them.
    fn conditions<'b>(&'b self, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let Self { workspace, asked, local, sorted, days } = self;
        out.push_sql("own.workspace_id = ");
        out.push_bind_param::<Id, _>(workspace)?;
        out.push_sql(" AND own.is_engagement AND own.sorted_at >= ");
        out.push_bind_param::<Instant, _>(&sorted.0)?;
        out.push_sql(" AND own.sorted_at < ");
        out.push_bind_param::<Instant, _>(&sorted.1)?;
        out.push_sql(" AND (own.occurred_on IS NULL AND own.sorted_at >= ");
        out.push_bind_param::<Instant, _>(&local.0)?;
        out.push_sql(" AND own.sorted_at < ");
        out.push_bind_param::<Instant, _>(&local.1)?;
        out.push_sql(" OR own.occurred_on >= ");
        out.push_bind_param::<Text, _>(&days.0)?;
        out.push_sql(" AND own.occurred_on <= ");
        out.push_bind_param::<Text, _>(&days.1)?;
        out.push_sql(")");
        if let Some(community) = &asked.community {
            out.push_sql(" AND own.community_id = ");
            out.push_bind_param::<Id, _>(community)?;
        }
        if let Some(platform) = &asked.platform {
            out.push_sql(" AND COALESCE(");
            for (table, id) in [("posts", "post_id"), ("communities", "community_id")] {
                out.push_sql(&format!(
                    "(SELECT platform FROM {table} WHERE {table}.workspace_id = own.workspace_id AND {table}.id = own.{id}), "
                ));
            }
            out.push_sql("own.url_platform) = ");
            out.push_bind_param::<Text, _>(platform)?;
        }
        Ok(())
    }
}
