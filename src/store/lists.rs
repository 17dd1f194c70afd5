//! One page of any kind of record: filtered, in a total order, continued after a place and never by counting rows.

use chrono::NaiveDate;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

use super::accounts;
use super::db::index::search::{self, Match, Place};
use super::db::sql::conn::{Conn, read_transaction};
use super::db::sql::select::{Comparison, Direction, Field, ID, Predicate, Scalar, Select};
use super::db::sql::types::AnyId;
use super::db::write::changes;
use super::db::write::json::json;
use super::db::write::lookup;
use super::db::write::record::Record;
use super::db::write::tx::Tx;
use super::error::{Error, Result};
use super::relations::{self, Relation};
use crate::domain::count::thousands;
use crate::domain::entity::Entity;
use crate::domain::id::WorkspaceId;
use crate::domain::invalid::Rejection;
use crate::domain::period::DayTexts;

pub use super::db::index::keys::has_key;

/// The order of a list; ties are settled by the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    By(Field, Direction),
    /// How well a record fits the words searched for.
    Relevance,
}

/// What a list asks for.
#[derive(Debug, Clone)]
pub struct Listing {
    pub filter: Predicate,
    /// Words to find.
    pub query: Option<String>,
    pub order: Order,
    /// The place after which to go on, as an earlier page gave it.
    pub after: Option<Vec<Scalar>>,
    pub limit: i64,
    /// Whether to count all that fit, which costs about nine pages.
    pub count: bool,
}

#[derive(Debug, Clone)]
pub struct Page<R> {
    pub items: Vec<R>,
    /// How many fit in all, where that was asked for.
    pub total: Option<i64>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Vec<Scalar>>,
}

/// Has begun by this day and is not over before it: `Period::is_current`, asked of the partial dates of two columns.
pub fn is_current(started_on: Field, ended_on: Field, on: NaiveDate) -> Predicate {
    let DayTexts { day, month, year } = DayTexts::new(on);
    let text = |date: String| Scalar::Text(date);
    let compared = |field, comparison| Predicate::Compare(field, comparison, text(day.clone()));
    let begun = Predicate::Any(vec![Predicate::IsNull(started_on), compared(started_on, Comparison::LessOrEqual)]);
    let lasting = Predicate::Any(vec![
        Predicate::IsNull(ended_on),
        compared(ended_on, Comparison::GreaterOrEqual),
        Predicate::In(ended_on, vec![text(month), text(year)]),
    ]);
    Predicate::All(vec![begun, lasting])
}

/// The first of what fits, and how many there are in all.
pub struct Section<R> {
    pub items: Vec<R>,
    pub total: i64,
}

impl<R> Section<R> {
    /// The first of all of them, in their order.
    pub fn first_of(mut items: Vec<R>, limit: usize) -> Self {
        let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
        items.truncate(limit);
        Self { items, total }
    }
}

/// The first records of an order, and how many fit in all.
pub(super) fn first<R: Record>(
    conn: &mut Conn,
    workspace: WorkspaceId,
    filter: Predicate,
    order: Order,
    limit: i64,
) -> Result<Section<R>> {
    let listing = Listing { filter, query: None, order, after: None, limit, count: true };
    let Page { items, total, .. } = page::<R>(conn, workspace, listing)?;
    Ok(Section { items, total: total.unwrap_or_default() })
}

/// One page.
pub fn list<R: Record>(conn: &mut Conn, workspace: WorkspaceId, listing: Listing) -> Result<Page<R>> {
    read_transaction(conn, |conn| page(conn, workspace, listing))
}

/// One page of records shown with relations.
pub fn list_with<R: Record>(
    conn: &mut Conn,
    workspace: WorkspaceId,
    listing: Listing,
    relations: &[Relation],
) -> Result<Page<Value>> {
    read_transaction(conn, |conn| {
        let Page { items, total, next } = page::<R>(conn, workspace, listing)?;
        let mut shown: Vec<Value> = items.iter().map(json).collect::<Result<_>>()?;
        relations::attach(conn, workspace, &mut shown, relations)?;
        Ok(Page { items: shown, total, next })
    })
}

/// One record.
pub fn one<R: Record>(conn: &mut Conn, workspace: WorkspaceId, id: AnyId) -> Result<R> {
    R::find(conn, workspace, id)?.ok_or(Error::NotFound)
}

/// One record, or the one that it was merged into.
pub fn find<R: Record>(conn: &mut Conn, workspace: WorkspaceId, id: AnyId) -> Result<R> {
    match one(conn, workspace, id) {
        Err(Error::NotFound) => {
            let survivor = changes::survivor(conn, workspace, R::ENTITY, id)?.ok_or(Error::NotFound)?;
            one(conn, workspace, survivor)
        }
        found => found,
    }
}

/// One record, itself and as it is shown with relations, and the number of the workspace's last change, at one moment.
pub fn one_shown<R: Record>(
    conn: &mut Conn,
    workspace: WorkspaceId,
    id: AnyId,
    relations: &[Relation],
) -> Result<(R, Value, i64)> {
    read_transaction(conn, |conn| {
        let (seq, _) = accounts::workspace_numbers(conn, workspace)?;
        let record = find::<R>(conn, workspace, id)?;
        let mut shown = json(&record)?;
        relations::attach(conn, workspace, std::slice::from_mut(&mut shown), relations)?;
        Ok((record, shown, seq))
    })
}

/// The ids of everything that fits, to be written; more than `most` is refused.
pub fn ids_matching<R: Record>(
    tx: &mut Tx<'_>,
    filter: Predicate,
    query: Option<&str>,
    most: i64,
) -> Result<Vec<AnyId>> {
    let mut all = vec![filter];
    if let Some(query) = query {
        match Match::parse(tx.workspace_number, query) {
            Some(words) => all.push(Predicate::Found(R::ENTITY, words)),
            None => return Ok(Vec::new()),
        }
    }
    let select = Select::all(tx.workspace, Predicate::All(all));
    let count = R::count(tx.conn, select.clone())?;
    if count > most {
        let detail = format!(
            "The filter matches {} {}; at most {} are allowed at once.",
            thousands(count),
            R::ENTITY.plural(),
            thousands(most)
        );
        return Err(Rejection::too_long(most, detail).with("count", count).at("#/filter").into());
    }
    Ok(R::ids(tx.conn, select)?)
}

/// Everything that fits, to be written; more than `most` is refused.
pub fn all_matching<R: Record>(
    tx: &mut Tx<'_>,
    filter: Predicate,
    query: Option<&str>,
    most: i64,
) -> Result<Vec<R>> {
    let ids = ids_matching::<R>(tx, filter, query, most)?;
    with_ids(tx, &ids)
}

/// The records with these ids that exist, in the order of the ids.
pub fn with_ids<R: Record>(tx: &mut Tx<'_>, ids: &[AnyId]) -> Result<Vec<R>> {
    in_order_of(tx.conn, tx.workspace, ids)
}

/// The same of what is only read.
pub fn in_order_of<R: Record>(conn: &mut Conn, workspace: WorkspaceId, ids: &[AnyId]) -> Result<Vec<R>> {
    let found = R::select(conn, Select::all(workspace, Predicate::ids(ids.iter().copied())))?;
    let mut found: HashMap<AnyId, R> = found.into_iter().map(|record| (record.id(), record)).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// Those of these ids that name a record.
pub fn existing<R: Record>(tx: &mut Tx<'_>, ids: &[AnyId]) -> Result<HashSet<AnyId>> {
    lookup::existing(tx, R::ENTITY, ids)
}

/// Whether any record fits, looked for in the order of an index.
pub fn is_any<R: Record>(conn: &mut Conn, workspace: WorkspaceId, filter: Predicate, by: Field) -> Result<bool> {
    let select = Select { order: vec![by], limit: 1, ..Select::all(workspace, filter) };
    Ok(!R::ids(conn, select)?.is_empty())
}

/// One page, within a transaction of the caller's.
pub fn page<R: Record>(conn: &mut Conn, workspace: WorkspaceId, listing: Listing) -> Result<Page<R>> {
    let empty = |count: bool| Page { items: Vec::new(), total: count.then_some(0), next: None };
    let words = match &listing.query {
        None => None,
        Some(query) => {
            let (_, workspace_number) = accounts::workspace_numbers(conn, workspace)?;
            match Match::parse(workspace_number, query) {
                Some(words) => Some(words),
                None => return Ok(empty(listing.count)),
            }
        }
    };
    let total = match listing.count {
        false => None,
        true => {
            let found = words.clone().map(|words| Predicate::Found(R::ENTITY, words));
            let filter = [Some(listing.filter.clone()), found].into_iter().flatten().collect();
            Some(R::count(conn, Select::all(workspace, Predicate::All(filter)))?)
        }
    };
    let page = match (listing.order, words) {
        (Order::By(sort, direction), words) => sorted(conn, workspace, listing, sort, direction, words)?,
        (Order::Relevance, Some(words)) => relevant(conn, workspace, listing, &words)?,
        (Order::Relevance, None) => empty(false),
    };
    Ok(Page { total, ..page })
}

fn sorted<R: Record>(
    conn: &mut Conn,
    workspace: WorkspaceId,
    listing: Listing,
    sort: Field,
    direction: Direction,
    words: Option<Match>,
) -> Result<Page<R>> {
    let order = if sort == ID { vec![ID] } else { vec![sort, ID] };
    let mut filter = vec![listing.filter];
    filter.extend(words.map(|words| Predicate::Found(R::ENTITY, words)));
    if let Some(after) = listing.after {
        filter.push(Predicate::Beyond(order.iter().copied().zip(after).collect(), direction));
    }
    let select = Select {
        workspace,
        filter: Predicate::All(filter),
        order: order.clone(),
        direction,
        limit: listing.limit + 1,
    };
    let mut items = R::select(conn, select)?;
    let has_more = items.len() > as_count(listing.limit);
    items.truncate(as_count(listing.limit));
    let next = match items.last().filter(|_| has_more) {
        Some(last) => Some(place(conn, workspace, last, &order)?),
        None => None,
    };
    Ok(Page { items, total: None, next })
}

/// Where a record stands in an order.
fn place<R: Record>(conn: &mut Conn, workspace: WorkspaceId, record: &R, order: &[Field]) -> Result<Vec<Scalar>> {
    let mut place = Vec::with_capacity(order.len());
    for field in order {
        let copied = record.copied_sort_value(conn, workspace, *field)?;
        place.push(copied.unwrap_or_else(|| record.sort_value(*field)));
    }
    Ok(place)
}

/// How many records are fetched at a time where most of what was found does not fit the filter.
const FETCHED_AT_ONCE: usize = 500;

/// Matches are resolved to ids first and then fetched: joined, SQLite would walk the sort index. The first chunk is as
/// long as a page; only where the filter leaves too few of it are all the others ranked, once.
fn relevant<R: Record>(
    conn: &mut Conn,
    workspace: WorkspaceId,
    listing: Listing,
    words: &Match,
) -> Result<Page<R>> {
    let Listing { filter, query, after, limit, .. } = listing;
    let query = query.unwrap_or_default();
    let wanted = as_count(limit);
    let mut after = after.as_deref().and_then(|place| place_of(R::ENTITY, place));
    let mut found: Vec<(Place, R)> = Vec::new();
    for chunk in [limit + 1, i64::MAX] {
        let places = search::ranked(conn, workspace, &[R::ENTITY], words, &query, after.as_ref(), chunk)?;
        let exhausted = places.len() < as_count(chunk);
        for some in places.chunks(FETCHED_AT_ONCE) {
            let ids = Predicate::ids(some.iter().map(|place| place.id));
            let select = Select::all(workspace, Predicate::All(vec![ids, filter.clone()]));
            let mut records: HashMap<AnyId, R> =
                R::select(conn, select)?.into_iter().map(|record| (record.id(), record)).collect();
            let fitting = some.iter().filter_map(|place| Some((place.clone(), records.remove(&place.id)?)));
            found.extend(fitting);
            if found.len() > wanted {
                break;
            }
        }
        after = places.into_iter().next_back();
        if exhausted || found.len() > wanted {
            break;
        }
    }
    let has_more = found.len() > wanted;
    found.truncate(wanted);
    let next = found.last().filter(|_| has_more).map(|(place, _)| {
        vec![Scalar::Int(i64::from(place.rank)), Scalar::Text(place.title.clone()), Scalar::Id(place.id)]
    });
    Ok(Page { items: found.into_iter().map(|(_, record)| record).collect(), total: None, next })
}

fn place_of(entity: Entity, cursor: &[Scalar]) -> Option<Place> {
    match cursor {
        [Scalar::Int(rank), Scalar::Text(title), Scalar::Id(id)] => {
            Some(Place { rank: i32::try_from(*rank).ok()?, title: title.clone(), id: *id, entity })
        }
        _ => None,
    }
}

fn as_count(limit: i64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
