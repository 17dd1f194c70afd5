//! Whose offer meets whose need: a page of needs and the offers that share words with each, found by the keys of their
//! topics in a constant number of statements. How well they meet is told in `domain/topic.rs`.

use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryResult, RunQueryDsl};
use serde::Serialize;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::db::index::keys::stored;
use super::db::sql::conn::{Conn, MultiBackend, read_transaction};
use super::db::sql::select::{Direction, ID, Predicate, Scalar, Select};
use super::db::sql::statement::statement;
use super::db::sql::types::{AnyId, Id};
use super::db::write::json::json;
use super::db::write::record::Record;
use super::error::Result;
use super::needs;
use super::relations::summary;
use crate::domain::contact::Contact;
use crate::domain::id::{ContactId, WorkspaceId};
use crate::domain::need::{Need, NeedKind, NeedStatus};
use crate::domain::text;
use crate::domain::topic::{self, Fit};

/// How many needs a page looks at, whether or not they have an offer.
pub const LOOKED_AT: i64 = 200;
/// How many offers are told of a need, the best.
pub const MAX_OFFERS: usize = 10;
/// How many of those who have a word are read, the newest: so a word that everybody has costs no more than others.
pub const CARRIERS_OF_A_WORD: i64 = 200;
/// How many offers are compared with a need, those that seem best by the words they were found by.
pub const COMPARED: usize = 30;

/// SQLite takes 32,766 values a statement, and 500 selects in a union.
const VALUES_AT_ONCE: usize = 10_000;
const WORDS_AT_ONCE: usize = 250;

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
        let own = match wanted.offer_contact {
            None => None,
            Some(contact) => Some(found_by_words(offers_of(conn, workspace, contact)?)),
        };
        let words = own.as_ref().map(|own| own.keys().take(VALUES_AT_ONCE).cloned().collect());
        let mut ids: Vec<AnyId> = OpenNeeds { workspace, wanted, words }.load(conn)?;
        let looked_at = usize::try_from(LOOKED_AT).unwrap_or(usize::MAX);
        let has_more = ids.len() > looked_at;
        ids.truncate(looked_at);
        let last = ids.last().copied().filter(|_| has_more);
        let mut met = Vec::new();
        // One more than asked for tells that there is a next page; often all of the first have an offer.
        let (first, others) = ids.split_at(ids.len().min(wanted.limit.saturating_add(1)));
        for ids in [first, others] {
            if met.len() <= wanted.limit {
                let needs = newest::<Need>(conn, workspace, ids.iter().copied())?;
                met.extend(with_offers(conn, workspace, own.as_ref(), needs)?);
            }
        }
        let is_cut = met.len() > wanted.limit;
        met.truncate(wanted.limit);
        let next = if is_cut { met.last().map(|met| Record::id(&met.need)) } else { last };
        Ok(MatchPage { items: shown(conn, workspace, met)?, next })
    })
}

/// The open offers of a contact; none of one that may not be contacted.
fn offers_of(conn: &mut Conn, workspace: WorkspaceId, contact: AnyId) -> Result<Vec<Need>> {
    let people = newest::<Contact>(conn, workspace, [contact])?;
    if people.iter().all(|contact| contact.fields.archived_at.is_some() || contact.fields.do_not_contact) {
        return Ok(Vec::new());
    }
    let word = |word: &str| Scalar::Text(word.to_owned());
    let filter = Predicate::All(vec![
        Predicate::equal(needs::CONTACT, Scalar::Id(contact)),
        Predicate::equal(needs::KIND, word(NeedKind::Offer.as_str())),
        Predicate::equal(needs::STATUS, word(NeedStatus::Open.as_str())),
    ]);
    Ok(Need::select(conn, Select::all(workspace, filter))?)
}

/// Records by the words of their topics, as these are stored.
pub(super) type Found = BTreeMap<String, Vec<AnyId>>;

fn found_by_words(offers: Vec<Need>) -> Found {
    let mut found = Found::new();
    for offer in offers {
        for word in topic::words(&offer.fields.topic) {
            found.entry(stored(&word)).or_default().push(Record::id(&offer));
        }
    }
    found
}

/// A need with its best offers.
struct Met {
    need: Need,
    offers: Vec<(Need, Fit)>,
}

/// The needs that have an offer: one of these, or any.
fn with_offers(
    conn: &mut Conn,
    workspace: WorkspaceId,
    offers: Option<&Found>,
    needs: Vec<Need>,
) -> Result<Vec<Met>> {
    let needs: Vec<(Need, Vec<String>)> = needs.into_iter().map(with_words).collect();
    let words: BTreeSet<String> = needs.iter().flat_map(|(_, words)| words).map(|word| stored(word)).collect();
    let (numbers, found) = carriers(conn, workspace, &words, Among::Offers)?;
    let found = offers.unwrap_or(&found);
    let weight = |word: &str| numbers.weight(word);

    let candidates: Vec<Vec<AnyId>> =
        needs.iter().map(|(_, words)| candidates(words, found, weight, COMPARED)).collect();
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
        Met { need, offers }
    });
    Ok(all.filter(|met| !met.offers.is_empty()).collect())
}

/// How many have each word, as words are stored: 200 at most.
pub(super) struct Numbers(HashMap<String, i64>);

impl Numbers {
    pub fn weight(&self, word: &str) -> u64 {
        topic::weight(self.0.get(&stored(word)).copied().unwrap_or(1))
    }
}

/// How many have each of these words, as words are stored, and the ids of those that are looked for.
pub(super) fn carriers(
    conn: &mut Conn,
    workspace: WorkspaceId,
    words: &BTreeSet<String>,
    among: Among,
) -> Result<(Numbers, Found)> {
    let words: Vec<String> = words.iter().cloned().collect();
    let (mut numbers, mut found) = (HashMap::<String, i64>::new(), Found::new());
    for words in words.chunks(WORDS_AT_ONCE) {
        for (word, id) in (Carriers { workspace, words, among }).load::<(String, Option<AnyId>)>(conn)? {
            found.entry(word.clone()).or_default().extend(id);
            *numbers.entry(word).or_default() += 1;
        }
    }
    Ok((Numbers(numbers), found))
}

pub(super) fn with_words(need: Need) -> (Need, Vec<String>) {
    let words = topic::words(&need.fields.topic);
    (need, words)
}

/// Those to compare with something of these words: by the weight of those they were found by, then the newest.
pub(super) fn candidates(
    words: &[String],
    found: &Found,
    weight: impl Fn(&str) -> u64,
    most: usize,
) -> Vec<AnyId> {
    let mut weights: HashMap<AnyId, u64> = HashMap::new();
    for word in words {
        for offer in found.get(&stored(word)).into_iter().flatten() {
            let own = weights.entry(*offer).or_default();
            *own = own.saturating_add(weight(word));
        }
    }
    let mut ranked: Vec<(u64, AnyId)> = weights.into_iter().map(|(id, weight)| (weight, id)).collect();
    ranked.sort_unstable_by_key(|place| Reverse(*place));
    ranked.into_iter().take(most).map(|(_, id)| id).collect()
}

/// As the API shows them: summaries, each contact read once.
fn shown(conn: &mut Conn, workspace: WorkspaceId, met: Vec<Met>) -> Result<Vec<Matched>> {
    let whose = |need: &Need| AnyId::new(need.fields.contact_id.uuid());
    let people: HashSet<AnyId> = met
        .iter()
        .flat_map(|met| std::iter::once(&met.need).chain(met.offers.iter().map(|(offer, _)| offer)))
        .map(whose)
        .collect();
    let mut cards: HashMap<ContactId, Value> = HashMap::new();
    for contact in newest::<Contact>(conn, workspace, people)? {
        cards.insert(contact.id, summary::<Contact>(&json(&contact)?));
    }
    let card = |need: &Need| cards.get(&need.fields.contact_id).cloned().unwrap_or_default();
    let offered = |need: &Need, (offer, Fit { score, shared, .. }): (Need, Fit)| -> Result<Offered> {
        let shared = text::readable_tokens(&need.fields.topic, &shared);
        Ok(Offered { contact: card(&offer), offer: summary::<Need>(&json(&offer)?), score, shared })
    };
    met.into_iter()
        .map(|Met { need, offers }| {
            let offers = offers.into_iter().map(|one| offered(&need, one)).collect::<Result<_>>()?;
            Ok(Matched { contact: card(&need), need: summary::<Need>(&json(&need)?), offers })
        })
        .collect()
}

/// Records by their ids, the newest first.
pub(super) fn newest<R: Record>(
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
    /// Only those that have one of these words.
    words: Option<Vec<String>>,
}

/// What is looked for by words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Among {
    /// Open offers, among needs, offers and interests.
    Offers,
    /// Open needs and interests, among the same.
    Wishes,
    Resources,
}

/// The newest records of a kind that have each word: the id where it is one of those that are looked for, otherwise null.
struct Carriers<'a> {
    workspace: WorkspaceId,
    words: &'a [String],
    among: Among,
}

statement!(OpenNeeds, Id);
statement!(Carriers<'_>, (Text, Nullable<Id>));

/// Nobody is brought together with who is archived, or is not to be contacted.
const MAY_BE_CONTACTED: &str = " AND NOT EXISTS (SELECT 1 FROM contacts WHERE contacts.workspace_id = needs.workspace_id \
     AND contacts.id = needs.contact_id AND (contacts.archived_at IS NOT NULL OR contacts.do_not_contact))";

impl QueryFragment<MultiBackend> for OpenNeeds {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let Wanted { need_contact, offer_contact: _, after, limit: _ } = &self.wanted;
        out.push_sql("SELECT id FROM needs WHERE workspace_id = ");
        out.push_bind_param::<Id, _>(&self.workspace)?;
        out.push_sql(" AND kind = 'need' AND status = 'open'");
        out.push_sql(MAY_BE_CONTACTED);
        for (condition, id) in [(" AND contact_id = ", need_contact), (" AND id < ", after)] {
            if let Some(id) = id {
                out.push_sql(condition);
                out.push_bind_param::<Id, _>(id)?;
            }
        }
        if let Some(words) = &self.words {
            // There are as many texts of this as there are numbers of words.
            out.unsafe_to_cache_prepared();
            out.push_sql(" AND id IN (SELECT record_id FROM record_keys WHERE workspace_id = ");
            out.push_bind_param::<Id, _>(&self.workspace)?;
            out.push_sql(" AND entity = 'need' AND kind = 'topic' AND value IN (NULL");
            for word in words {
                out.push_sql(", ");
                out.push_bind_param::<Text, _>(word)?;
            }
            out.push_sql("))");
        }
        out.push_sql(" ORDER BY id DESC LIMIT ");
        out.push_bind_param::<BigInt, _>(&(LOOKED_AT + 1))
    }
}

impl QueryFragment<MultiBackend> for Carriers<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        let (entity, kinds) = match self.among {
            Among::Offers => ("need", "kind = 'offer'"),
            Among::Wishes => ("need", "kind IN ('need', 'interest')"),
            Among::Resources => ("resource", ""),
        };
        if self.among == Among::Resources {
            out.push_sql("SELECT value, record_id FROM (");
        } else {
            // Looked up one by one by their key: joined, PostgreSQL without statistics took more than 30 s of 40,000 needs.
            out.push_sql("SELECT value, (SELECT id FROM needs WHERE workspace_id = ");
            out.push_bind_param::<Id, _>(&self.workspace)?;
            out.push_sql(&format!(" AND id = carriers.record_id AND {kinds} AND status = 'open'"));
            out.push_sql(MAY_BE_CONTACTED);
            out.push_sql(") FROM (");
        }
        // A select for each word stops at its limit; a window over all of them reads everything first.
        for (index, word) in self.words.iter().enumerate() {
            if index > 0 {
                out.push_sql(" UNION ALL ");
            }
            out.push_sql("SELECT * FROM (SELECT value, record_id FROM record_keys WHERE workspace_id = ");
            out.push_bind_param::<Id, _>(&self.workspace)?;
            out.push_sql(&format!(" AND entity = '{entity}' AND kind = 'topic' AND value = "));
            out.push_bind_param::<Text, _>(word)?;
            out.push_sql(" ORDER BY record_id DESC LIMIT ");
            out.push_bind_param::<BigInt, _>(&CARRIERS_OF_A_WORD)?;
            out.push_sql(") AS own");
        }
        out.push_sql(") AS carriers");
        Ok(())
    }
}
