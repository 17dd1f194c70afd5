//! Whose offer meets whose need: a page of needs and the offers that share words with each, found by the keys of their
//! topics in a constant number of statements. How well they meet is told in `domain/topic.rs`.

use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryResult, RunQueryDsl};
use serde::Serialize;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::db::conn::{Conn, MultiBackend, read_transaction};
use super::db::record::Record;
use super::db::select::{Direction, ID, Predicate, Select};
use super::db::stored_key;
use super::db::types::{AnyId, Id};
use super::db::write::json;
use super::error::Result;
use super::relations::summary;
use crate::domain::contact::Contact;
use crate::domain::id::{ContactId, WorkspaceId};
use crate::domain::need::Need;
use crate::domain::topic::{self, Fit};

/// How many needs a page looks at, whether or not they have an offer.
pub const LOOKED_AT: i64 = 200;
/// How many offers are told of a need, the best.
pub const MAX_OFFERS: usize = 10;
/// How many offers a word finds, the newest: so a word that everybody has costs no more than others.
pub const FOUND_BY_A_WORD: i64 = 100;
/// How many offers are compared with a need, those that seem best by the words they were found by.
pub const COMPARED: usize = 50;

/// SQLite takes 32,766 values a statement.
const VALUES_AT_ONCE: usize = 10_000;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Only the needs of this contact.
    pub need_contact: Option<AnyId>,
    /// Only the offers of this contact.
    pub offer_contact: Option<AnyId>,
    /// The need after which to go on.
    pub after: Option<AnyId>,
    pub limit: usize,
}

/// A need, who has it, and what meets it.
#[derive(Debug, Clone, Serialize)]
pub struct Matched {
    pub need: Value,
    pub contact: Value,
    pub offers: Vec<Offered>,
}

/// An offer, who makes it, and how well it meets.
#[derive(Debug, Clone, Serialize)]
pub struct Offered {
    pub offer: Value,
    pub contact: Value,
    pub score: u8,
    pub shared: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct MatchPage {
    pub items: Vec<Matched>,
    /// The need after which the next page begins; `None` on the last one.
    pub next: Option<AnyId>,
}

/// One page, the newest needs first.
pub fn page(conn: &mut Conn, workspace: WorkspaceId, wanted: Wanted) -> Result<MatchPage> {
    read_transaction(conn, |conn| {
        let looked_at = usize::try_from(LOOKED_AT).unwrap_or(usize::MAX);
        let mut ids: Vec<AnyId> = OpenNeeds { workspace, wanted }.load::<AnyId>(conn)?;
        let has_more = ids.len() > looked_at;
        ids.truncate(looked_at);
        let last = ids.last().copied().filter(|_| has_more);
        let needs = newest::<Need>(conn, workspace, ids)?;
        let mut met = with_offers(conn, workspace, wanted.offer_contact, needs)?;
        let is_cut = met.len() > wanted.limit;
        met.truncate(wanted.limit);
        let next = if is_cut { met.last().map(|(need, _)| need.id()) } else { last };
        Ok(MatchPage { items: shown(conn, workspace, met)?, next })
    })
}

/// The needs that have an offer, each with its best ones.
fn with_offers(
    conn: &mut Conn,
    workspace: WorkspaceId,
    offer_contact: Option<AnyId>,
    needs: Vec<Need>,
) -> Result<Vec<(Need, Vec<(Need, Fit)>)>> {
    let needs: Vec<(Need, Vec<String>)> = needs.into_iter().map(with_words).collect();
    let mut words: Vec<&String> = needs.iter().flat_map(|(_, words)| words).collect();
    words.sort();
    words.dedup();
    let words: Vec<String> = words.into_iter().map(|word| stored_key(word)).collect();
    let (mut numbers, mut found) = (HashMap::new(), HashMap::<String, Vec<AnyId>>::new());
    for some in words.chunks(VALUES_AT_ONCE) {
        numbers.extend(Carriers { workspace, words: some }.load::<(String, i64)>(conn)?);
        let finds = Finds { workspace, words: some, offer_contact };
        for (word, offer) in finds.load::<(String, AnyId)>(conn)? {
            found.entry(word).or_default().push(offer);
        }
    }
    let weight = |word: &str| topic::weight(numbers.get(&stored_key(word)).copied().unwrap_or(1));

    let candidates: Vec<Vec<AnyId>> = needs.iter().map(|(_, words)| candidates(words, &found, weight)).collect();
    let every: HashSet<AnyId> = candidates.iter().flatten().copied().collect();
    let offers: HashMap<AnyId, (Need, Vec<String>)> = newest::<Need>(conn, workspace, every)?
        .into_iter()
        .map(|offer| (Record::id(&offer), with_words(offer)))
        .collect();
    let best = |need: &Need, words: &[String], candidates: &[AnyId]| -> Vec<(Need, Fit)> {
        let compared = candidates.iter().filter_map(|id| offers.get(id));
        let others = compared.filter(|(offer, _)| offer.fields.contact_id != need.fields.contact_id);
        let fitting = others.filter_map(|(offer, own)| Some((offer, topic::fit(words, own, weight)?)));
        let mut fitting: Vec<(&Need, Fit)> = fitting.collect();
        fitting.sort_by(|(a, fit_a), (b, fit_b)| fit_b.cmp(fit_a).then_with(|| b.id.cmp(&a.id)));
        fitting.into_iter().take(MAX_OFFERS).map(|(offer, fit)| (offer.clone(), fit)).collect()
    };
    let all = needs.into_iter().zip(candidates).map(|((need, words), candidates)| {
        let offers = best(&need, &words, &candidates);
        (need, offers)
    });
    Ok(all.filter(|(_, offers)| !offers.is_empty()).collect())
}

fn with_words(need: Need) -> (Need, Vec<String>) {
    let words = topic::words(&need.fields.topic);
    (need, words)
}

/// The offers to compare with a need of these words: by the weight of those they were found by, then the newest.
fn candidates(words: &[String], found: &HashMap<String, Vec<AnyId>>, weight: impl Fn(&str) -> u64) -> Vec<AnyId> {
    let mut weights: HashMap<AnyId, u64> = HashMap::new();
    for word in words {
        for offer in found.get(&stored_key(word)).into_iter().flatten() {
            let own = weights.entry(*offer).or_default();
            *own = own.saturating_add(weight(word));
        }
    }
    let mut ranked: Vec<(u64, AnyId)> = weights.into_iter().map(|(id, weight)| (weight, id)).collect();
    ranked.sort_unstable_by_key(|place| Reverse(*place));
    ranked.into_iter().take(COMPARED).map(|(_, id)| id).collect()
}

/// As the API shows them: summaries, each contact read once.
fn shown(conn: &mut Conn, workspace: WorkspaceId, met: Vec<(Need, Vec<(Need, Fit)>)>) -> Result<Vec<Matched>> {
    let whose = |need: &Need| AnyId::new(need.fields.contact_id.uuid());
    let people: HashSet<AnyId> = met
        .iter()
        .flat_map(|(need, offers)| std::iter::once(need).chain(offers.iter().map(|(offer, _)| offer)))
        .map(whose)
        .collect();
    let mut cards: HashMap<ContactId, Value> = HashMap::new();
    for contact in newest::<Contact>(conn, workspace, people)? {
        cards.insert(contact.id, summary::<Contact>(&json(&contact)?));
    }
    let card = |need: &Need| cards.get(&need.fields.contact_id).cloned().unwrap_or_default();
    let offered = |(offer, Fit { score, shared, .. }): (Need, Fit)| -> Result<Offered> {
        Ok(Offered { contact: card(&offer), offer: summary::<Need>(&json(&offer)?), score, shared })
    };
    met.into_iter()
        .map(|(need, offers)| {
            let offers = offers.into_iter().map(offered).collect::<Result<_>>()?;
            Ok(Matched { contact: card(&need), need: summary::<Need>(&json(&need)?), offers })
        })
        .collect()
}

/// Records by their ids, the newest first.
fn newest<R: Record>(
    conn: &mut Conn,
    workspace: WorkspaceId,
    ids: impl IntoIterator<Item = AnyId>,
) -> Result<Vec<R>> {
    let mut ids: Vec<AnyId> = ids.into_iter().collect();
    ids.sort_unstable_by_key(|id| Reverse(*id));
    let mut all = Vec::with_capacity(ids.len());
    for some in ids.chunks(VALUES_AT_ONCE) {
        let filter = Predicate::ids(some.iter().copied());
        let (order, direction) = (vec![ID], Direction::Descending);
        all.extend(R::select(conn, Select { workspace, filter, order, direction, limit: i64::MAX })?);
    }
    Ok(all)
}

// The statements.

/// The open needs that a page looks at, and one more; the newest first.
struct OpenNeeds {
    workspace: WorkspaceId,
    wanted: Wanted,
}

/// How many open needs and offers have each word.
struct Carriers<'a> {
    workspace: WorkspaceId,
    words: &'a [String],
}

/// The newest open offers that have each word.
struct Finds<'a> {
    workspace: WorkspaceId,
    words: &'a [String],
    offer_contact: Option<AnyId>,
}

macro_rules! statement {
    ($name:ty, $sql:ty) => {
        // The text depends on the values, so it is the text that a prepared statement is cached by.
        impl QueryId for $name {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }

        impl diesel::query_builder::Query for $name {
            type SqlType = $sql;
        }

        impl RunQueryDsl<Conn> for $name {}
    };
}
statement!(OpenNeeds, Id);
statement!(Carriers<'_>, (Text, BigInt));
statement!(Finds<'_>, (Text, Id));

/// Nobody is to be brought together with who is archived, or is not to be contacted.
const MAY_BE_CONTACTED: &str = " AND NOT EXISTS (SELECT 1 FROM contacts WHERE contacts.workspace_id = needs.workspace_id \
     AND contacts.id = needs.contact_id AND (contacts.archived_at IS NOT NULL OR contacts.do_not_contact))";

impl QueryFragment<MultiBackend> for OpenNeeds {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let Wanted { need_contact, offer_contact, after, limit: _ } = &self.wanted;
        out.push_sql("SELECT id FROM needs WHERE workspace_id = ");
        out.push_bind_param::<Id, _>(&self.workspace)?;
        out.push_sql(" AND kind = 'need' AND status = 'open'");
        out.push_sql(MAY_BE_CONTACTED);
        equal(" AND contact_id = ", need_contact, &mut out)?;
        equal(" AND id < ", after, &mut out)?;
        if offer_contact.is_some() {
            // Most needs share no word with what one contact offers; those are not looked at.
            out.push_sql(" AND id IN (SELECT record_id FROM record_keys WHERE workspace_id = ");
            out.push_bind_param::<Id, _>(&self.workspace)?;
            out.push_sql(" AND entity = 'need' AND kind = 'topic' AND value IN (SELECT value FROM ");
            topic_words(&self.workspace, &mut out)?;
            out.push_sql(" AND needs.kind = 'offer'");
            equal(" AND needs.contact_id = ", offer_contact, &mut out)?;
            out.push_sql("))");
        }
        out.push_sql(" ORDER BY id DESC LIMIT ");
        out.push_bind_param::<BigInt, _>(&(LOOKED_AT + 1))
    }
}

impl QueryFragment<MultiBackend> for Carriers<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql("SELECT value, count(*) FROM ");
        topic_words(&self.workspace, &mut out)?;
        out.push_sql(" AND needs.kind IN ('need', 'offer')");
        among(self.words, &mut out)?;
        out.push_sql(" GROUP BY value");
        Ok(())
    }
}

impl QueryFragment<MultiBackend> for Finds<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql(
            "SELECT value, record_id FROM (SELECT value, record_id, \
             row_number() OVER (PARTITION BY value ORDER BY record_id DESC) AS place FROM ",
        );
        topic_words(&self.workspace, &mut out)?;
        out.push_sql(" AND needs.kind = 'offer'");
        out.push_sql(MAY_BE_CONTACTED);
        equal(" AND needs.contact_id = ", &self.offer_contact, &mut out)?;
        among(self.words, &mut out)?;
        out.push_sql(") AS found WHERE place <= ");
        out.push_bind_param::<BigInt, _>(&FOUND_BY_A_WORD)
    }
}

/// `value`, the words of what is open, each with its `record_id`; conditions can follow.
fn topic_words<'b>(workspace: &'b WorkspaceId, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
    out.push_sql(
        "record_keys JOIN needs ON needs.workspace_id = record_keys.workspace_id AND needs.id = record_keys.record_id \
         WHERE record_keys.workspace_id = ",
    );
    out.push_bind_param::<Id, _>(workspace)?;
    out.push_sql(" AND record_keys.entity = 'need' AND record_keys.kind = 'topic' AND needs.status = 'open'");
    Ok(())
}

fn among<'b>(words: &'b [String], out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
    out.push_sql(" AND value IN (");
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            out.push_sql(", ");
        }
        out.push_bind_param::<Text, _>(word)?;
    }
    out.push_sql(")");
    Ok(())
}

/// A condition on an id, where there is one.
fn equal<'b>(start: &str, id: &'b Option<AnyId>, out: &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
    if let Some(id) = id {
        out.push_sql(start);
        out.push_bind_param::<Id, _>(id)?;
    }
    Ok(())
}
