//! Whom a resource suits, and which resources suit a contact: open needs and interests that share words with its topics, found
//! by the keys of both in a constant number of statements. How well they meet is told in `domain/topic.rs`.

use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::Text;
use diesel::{QueryResult, RunQueryDsl};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use super::db::index::keys::stored;
use super::db::sql::conn::{Conn, MultiBackend, read_transaction};
use super::db::sql::select::{Direction, ID, Predicate, Scalar, Select};
use super::db::sql::statement::statement;
use super::db::sql::types::{AnyId, Id};
use super::db::write::record::Record;
use super::error::Result;
use super::matches::{Among, Numbers, candidates, carriers, newest, with_words};
use super::needs;
use crate::domain::contact::Contact;
use crate::domain::id::WorkspaceId;
use crate::domain::need::{Need, NeedKind, NeedStatus};
use crate::domain::resource::{Resource, ResourceReason};
use crate::domain::text;
use crate::domain::topic::{self, Fit};

/// How many needs and interests a resource is compared with, and resources a contact: those that seem best by the words they
/// were found by.
pub const COMPARED: usize = 200;
/// How many reasons are told of one that fits, the best.
pub const MAX_REASONS: usize = 10;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Those who have had it already, the latest first, in place of those who have not.
    pub had: bool,
    /// The place after which to go on.
    pub after: Option<Place>,
    pub limit: usize,
}

/// A place in the order: the best fit, or the latest day, first; then the newest record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place(Reverse<u8>, Reverse<String>, Reverse<AnyId>);

/// A contact whom a resource suits, or a resource that suits a contact.
#[derive(Debug, Clone)]
pub struct Fitting<R> {
    pub record: R,
    /// The day on which it was last shared with the contact.
    pub had_on: Option<String>,
    /// The best first.
    pub reasons: Vec<ResourceReason>,
}

#[derive(Debug, Clone)]
pub struct FittingPage<R> {
    pub items: Vec<Fitting<R>>,
    pub next: Option<Place>,
}

impl<R> Fitting<R> {
    /// How well the best of the reasons fits; `None` without any.
    pub fn score(&self) -> Option<u8> {
        self.reasons.first().map(|reason| reason.score)
    }
}

/// A page of the contacts whom a resource suits.
pub fn audience(
    conn: &mut Conn,
    workspace: WorkspaceId,
    resource: &Resource,
    wanted: &Wanted,
) -> Result<FittingPage<Contact>> {
    read_transaction(conn, |conn| {
        let had = had(conn, Had { workspace, of: Of::Resource(Record::id(resource)) })?;
        let words = resource.topic_words();
        if wanted.had {
            let (shown, next) = latest(&had, wanted);
            let people = newest::<Contact>(conn, workspace, shown.iter().copied())?;
            let of_them = wishes_of(conn, workspace, shown.clone())?;
            let mut reasons = grouped(fits(conn, workspace, of_them, &words)?, whose);
            return Ok(FittingPage { items: in_order(people, &shown, &had, &mut reasons), next });
        }
        let asked: BTreeSet<String> = words.iter().map(|word| stored(word)).collect();
        let (numbers, found) = carriers(conn, workspace, &asked, Among::Wishes)?;
        let best = candidates(&words, &found, |word| numbers.weight(word), COMPARED);
        let mut wishes = newest::<Need>(conn, workspace, best)?;
        wishes.retain(|need| !had.contains_key(&whose(need)));
        let mut reasons = grouped(fits(conn, workspace, wishes, &words)?, whose);
        let mut people = newest::<Contact>(conn, workspace, reasons.keys().copied())?;
        // What the networker looks for is no news to them.
        people.retain(|contact| !contact.fields.is_self);
        let (shown, next) = best_of(people.iter().map(Record::id), &reasons, wanted);
        Ok(FittingPage { items: in_order(people, &shown, &had, &mut reasons), next })
    })
}

/// A page of the resources that suit a contact; of one who may not be contacted only those that they have had.
pub fn of_contact(
    conn: &mut Conn,
    workspace: WorkspaceId,
    contact: &Contact,
    wanted: &Wanted,
) -> Result<FittingPage<Resource>> {
    read_transaction(conn, |conn| {
        let had = had(conn, Had { workspace, of: Of::Contact(Record::id(contact)) })?;
        let wishes = match wanted.had || contact.may_be_contacted() {
            true => wishes_of(conn, workspace, vec![Record::id(contact)])?,
            false => Vec::new(),
        };
        let words: BTreeSet<String> = wishes.iter().flat_map(|need| topic::words(&need.fields.topic)).collect();
        let words: Vec<String> = words.into_iter().collect();
        let asked: BTreeSet<String> = words.iter().map(|word| stored(word)).collect();
        let (numbers, _) = carriers(conn, workspace, &asked, Among::Wishes)?;
        let (ids, page) = if wanted.had {
            let (shown, next) = latest(&had, wanted);
            (shown.clone(), Some((shown, next)))
        } else {
            let (_, mut found) = carriers(conn, workspace, &asked, Among::Resources)?;
            found.values_mut().for_each(|ids| ids.retain(|id| !had.contains_key(id)));
            (candidates(&words, &found, |word| numbers.weight(word), COMPARED), None)
        };
        let resources = newest::<Resource>(conn, workspace, ids)?;
        let mut reasons: HashMap<AnyId, Vec<ResourceReason>> = HashMap::new();
        for resource in &resources {
            let own = fitting(&wishes, &resource.topic_words(), &numbers);
            if !own.is_empty() {
                reasons.insert(Record::id(resource), told(own));
            }
        }
        let (shown, next) = match page {
            Some(page) => page,
            None => best_of(reasons.keys().copied(), &reasons, wanted),
        };
        Ok(FittingPage { items: in_order(resources, &shown, &had, &mut reasons), next })
    })
}

fn whose(need: &Need) -> AnyId {
    AnyId::new(need.fields.contact_id.uuid())
}

/// The newest open needs and interests of contacts, as many as are compared.
fn wishes_of(conn: &mut Conn, workspace: WorkspaceId, contacts: Vec<AnyId>) -> Result<Vec<Need>> {
    let word = |word: &str| Scalar::Text(word.to_owned());
    let kinds = [NeedKind::Need, NeedKind::Interest].map(|kind| word(kind.as_str()));
    let filter = Predicate::All(vec![
        Predicate::In(needs::CONTACT, contacts.into_iter().map(Scalar::Id).collect()),
        Predicate::In(needs::KIND, kinds.to_vec()),
        Predicate::equal(needs::STATUS, word(NeedStatus::Open.as_str())),
    ]);
    let limit = i64::try_from(COMPARED).unwrap_or(i64::MAX);
    let (order, direction) = (vec![ID], Direction::Descending);
    Ok(Need::select(conn, Select { workspace, filter, order, direction, limit })?)
}

/// Those of these needs that share words with a resource.
fn fits(conn: &mut Conn, workspace: WorkspaceId, wishes: Vec<Need>, words: &[String]) -> Result<Vec<(Need, Fit)>> {
    let own = wishes.iter().flat_map(|need| topic::words(&need.fields.topic));
    let asked: BTreeSet<String> = own.map(|word| stored(&word)).collect();
    let (numbers, _) = carriers(conn, workspace, &asked, Among::Wishes)?;
    Ok(fitting(&wishes, words, &numbers))
}

fn fitting(wishes: &[Need], words: &[String], numbers: &Numbers) -> Vec<(Need, Fit)> {
    let fit = |need: &Need| {
        let (need, own) = with_words(need.clone());
        let fit = topic::fit(&own, words, |word| numbers.weight(word))?;
        Some((need, fit))
    };
    wishes.iter().filter_map(fit).collect()
}

/// Reasons by what they are of.
fn grouped<K: Eq + Hash>(fits: Vec<(Need, Fit)>, key: impl Fn(&Need) -> K) -> HashMap<K, Vec<ResourceReason>> {
    let mut groups: HashMap<K, Vec<(Need, Fit)>> = HashMap::new();
    for (need, fit) in fits {
        groups.entry(key(&need)).or_default().push((need, fit));
    }
    groups.into_iter().map(|(key, fits)| (key, told(fits))).collect()
}

/// The best of the reasons, as they are shown.
fn told(mut fits: Vec<(Need, Fit)>) -> Vec<ResourceReason> {
    fits.sort_by_key(|(need, fit)| (Reverse(fit.score), Reverse(need.id)));
    let reason = |(need, Fit { score, shared, .. }): (Need, Fit)| {
        let shared = text::readable_tokens(&need.fields.topic, &shared);
        ResourceReason { need, score, shared }
    };
    fits.into_iter().take(MAX_REASONS).map(reason).collect()
}

/// A page of those that fit: their ids in the order in which they are shown, and where the next page begins.
type Shown = (Vec<AnyId>, Option<Place>);

/// Those that fit best.
fn best_of(
    ids: impl Iterator<Item = AnyId>,
    reasons: &HashMap<AnyId, Vec<ResourceReason>>,
    wanted: &Wanted,
) -> Shown {
    let score = |id: &AnyId| reasons.get(id).and_then(|reasons| reasons.first()).map(|best| best.score);
    let place = |id: AnyId| Some(Place(Reverse(score(&id)?), Reverse(String::new()), Reverse(id)));
    cut(ids.filter_map(place).collect(), wanted)
}

/// Those that were shared last.
fn latest(had: &HashMap<AnyId, String>, wanted: &Wanted) -> Shown {
    let place = |(id, day): (&AnyId, &String)| Place(Reverse(0), Reverse(day.clone()), Reverse(*id));
    cut(had.iter().map(place).collect(), wanted)
}

fn cut(mut places: Vec<Place>, wanted: &Wanted) -> Shown {
    places.retain(|place| wanted.after.as_ref().is_none_or(|after| place > after));
    places.sort_unstable();
    let has_more = places.len() > wanted.limit;
    places.truncate(wanted.limit);
    let next = places.last().filter(|_| has_more).cloned();
    (places.into_iter().map(|Place(_, _, Reverse(id))| id).collect(), next)
}

fn in_order<R: Record>(
    records: Vec<R>,
    shown: &[AnyId],
    had: &HashMap<AnyId, String>,
    reasons: &mut HashMap<AnyId, Vec<ResourceReason>>,
) -> Vec<Fitting<R>> {
    let wanted: HashSet<AnyId> = shown.iter().copied().collect();
    let own = records.into_iter().map(|record| (record.id(), record));
    let mut records: HashMap<AnyId, R> = own.filter(|(id, _)| wanted.contains(id)).collect();
    let item = |id: &AnyId| {
        let record = records.remove(id)?;
        let (had_on, reasons) = (had.get(id).cloned(), reasons.remove(id).unwrap_or_default());
        Some(Fitting { record, had_on, reasons })
    };
    shown.iter().filter_map(item).collect()
}

/// With whom a resource was shared, or what was shared with a contact, each with the last day.
fn had(conn: &mut Conn, asked: Had) -> Result<HashMap<AnyId, String>> {
    let rows: Vec<(AnyId, String)> = asked.load(conn)?;
    Ok(rows.into_iter().collect())
}

// The statement.

struct Had {
    workspace: WorkspaceId,
    of: Of,
}

enum Of {
    Resource(AnyId),
    Contact(AnyId),
}

statement!(Had, (Id, Text));

impl QueryFragment<MultiBackend> for Had {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let (told, asked, id, more) = match &self.of {
            Of::Resource(id) => ("contact_id", "resource_id", id, ""),
            Of::Contact(id) => ("resource_id", "contact_id", id, " AND resource_id IS NOT NULL"),
        };
        out.push_sql(&format!("SELECT {told}, MAX(occurred_on) FROM exchanges WHERE workspace_id = "));
        out.push_bind_param::<Id, _>(&self.workspace)?;
        out.push_sql(&format!(" AND {asked} = "));
        out.push_bind_param::<Id, _>(id)?;
        out.push_sql(&format!("{more} GROUP BY {told}"));
        Ok(())
    }
}
