//! Which records may be doubles of one another: those that share a key few have, the likeliest or the newest first and in
//! pages. What speaks
//! for it is judged in the domain.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::contacts;
use super::db::index::keys::{holders, shared_by_few};
use super::db::sql::conn::{Conn, read_transaction};
use super::db::sql::select::{Comparison, Direction, Field, ID, Predicate, Scalar, Select};
use super::db::sql::types::AnyId;
use super::db::write::json::json;
use super::db::write::record::Record;
use super::duplicate_dismissals::{CONTACT, ORGANIZATION, OTHER_CONTACT, OTHER_ORGANIZATION, dismissals_of};
use super::error::Result;
use super::positions;
use super::relations::summary;
use crate::domain::comparable_name::NameLikeness;
use crate::domain::contact::Contact;
use crate::domain::duplicate_dismissal::{DismissedPair, DuplicateDismissal};
use crate::domain::duplicates::{
    Company, MAX_SHARING_ADDRESS, MAX_SHARING_NAME, Reason, SharedKey, reasons_for_organizations,
    reasons_for_people, score,
};
use crate::domain::id::{DuplicateDismissalId, WorkspaceId};
use crate::domain::key::{Key, KeyKind};
use crate::domain::organization::Organization;

/// How many records are looked at together.
const LOOKED_AT_ONCE: usize = 100;
/// A page ends when so many records were looked at, or so many pairs compared, whatever it has found.
pub const MAX_LOOKED: usize = 2_000;
const MAX_COMPARED: usize = 20_000;
/// How many ids or values stand in one statement.
const IN_ONE_STATEMENT: usize = 500;

/// What a page of duplicates is to hold.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Only those of this record.
    pub of: Option<AnyId>,
    pub min_score: u8,
    /// Those that were dismissed, in place of the others.
    pub dismissed: bool,
    pub is_by_score: bool,
    pub after: Option<Cursor>,
    pub limit: usize,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cursor {
    Newest(Place),
    /// A stretch of records, and the last pair of it that was shown.
    Likeliest {
        stretch: Option<Place>,
        shown: Option<(u8, AnyId, AnyId)>,
    },
}

/// A place in the order of pairs: by the newer record, then by the older one, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    newer: AnyId,
    /// `None` is the place after all pairs of the newer record.
    older: Option<AnyId>,
}

/// Two records that may be the same.
#[derive(Debug, Clone)]
pub struct Duplicate {
    /// Their summaries, the newer first.
    pub records: [Value; 2],
    /// What each of them does first of all, where the kind has positions.
    pub positions: Option<[Value; 2]>,
    pub score: u8,
    pub reasons: Vec<Reason>,
    /// The record that says that they are not.
    pub dismissal: Option<DuplicateDismissalId>,
}

#[derive(Debug, Clone)]
pub struct DuplicatePage {
    pub items: Vec<Duplicate>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// Two records that share a key.
pub struct Candidate {
    newer: AnyId,
    older: AnyId,
    shared: Vec<SharedKey>,
}

/// A pair that was judged.
struct Judged {
    newer: AnyId,
    older: AnyId,
    score: u8,
    reasons: Vec<Reason>,
    dismissal: Option<DuplicateDismissalId>,
}

/// A kind of record of which there may be doubles.
pub trait Duplicated: Record {
    /// The keys that tell one from others.
    const ADDRESSES: &'static [KeyKind];
    /// The keys under which the same and near names meet.
    const NAMES: &'static [KeyKind];
    /// Where a dismissal names it.
    const SIDES: (Field, Field);

    /// Why each pair may be the same.
    fn reasons(conn: &mut Conn, workspace: WorkspaceId, pairs: &[Candidate]) -> Result<Vec<Vec<Reason>>>;
    /// Whom of this kind a dismissal is about.
    fn dismissed(dismissal: &DuplicateDismissal) -> Option<(AnyId, AnyId)>;
    /// What each of these does first of all; `None` of a kind that has no positions.
    fn positions(
        _conn: &mut Conn,
        _workspace: WorkspaceId,
        _ids: &BTreeSet<AnyId>,
    ) -> Result<Option<HashMap<AnyId, Value>>> {
        Ok(None)
    }
}

impl Duplicated for Contact {
    const ADDRESSES: &'static [KeyKind] = &[KeyKind::Email, KeyKind::Phone, KeyKind::Link];
    const NAMES: &'static [KeyKind] = &[KeyKind::Name, KeyKind::NameBlock];
    const SIDES: (Field, Field) = (CONTACT, OTHER_CONTACT);

    fn reasons(conn: &mut Conn, workspace: WorkspaceId, pairs: &[Candidate]) -> Result<Vec<Vec<Reason>>> {
        let mut people = HashMap::new();
        for ids in ids_of(pairs).chunks(IN_ONE_STATEMENT) {
            people.extend(contacts::people(conn, workspace, ids)?);
        }
        let of = |pair: &Candidate| people.get(&pair.newer).zip(people.get(&pair.older));
        // Where they work matters only where the names are alike.
        let are_alike = |pair: &&Candidate| {
            let likeness = of(pair).map(|(one, other)| one.comparable_name.compare(&other.comparable_name));
            matches!(likeness, Some(NameLikeness::Same | NameLikeness::Near(_)))
        };
        let mut workplaces = HashMap::new();
        for ids in ids_of(pairs.iter().filter(are_alike)).chunks(IN_ONE_STATEMENT) {
            workplaces.extend(positions::workplaces(conn, workspace, ids)?);
        }
        let reasons = pairs.iter().map(|pair| {
            let Some((one, other)) = of(pair) else { return Vec::new() };
            let places = workplaces.get(&pair.newer).zip(workplaces.get(&pair.older));
            let common = places.and_then(|(one, other)| one.iter().find(|(key, _)| other.contains_key(*key)));
            reasons_for_people(one, other, &pair.shared, common.map(|(_, name)| name.as_str()))
        });
        Ok(reasons.collect())
    }

    fn dismissed(dismissal: &DuplicateDismissal) -> Option<(AnyId, AnyId)> {
        match dismissal.pair() {
            Some(DismissedPair::Contacts(one, other)) => Some((AnyId::new(one.uuid()), AnyId::new(other.uuid()))),
            _ => None,
        }
    }

    fn positions(
        conn: &mut Conn,
        workspace: WorkspaceId,
        ids: &BTreeSet<AnyId>,
    ) -> Result<Option<HashMap<AnyId, Value>>> {
        positions::first_of(conn, workspace, ids.iter().copied()).map(Some)
    }
}

impl Duplicated for Organization {
    const ADDRESSES: &'static [KeyKind] = &[KeyKind::Domain, KeyKind::Link];
    const NAMES: &'static [KeyKind] = &[KeyKind::Name, KeyKind::NameBlock];
    const SIDES: (Field, Field) = (ORGANIZATION, OTHER_ORGANIZATION);

    fn reasons(conn: &mut Conn, workspace: WorkspaceId, pairs: &[Candidate]) -> Result<Vec<Vec<Reason>>> {
        let mut companies: HashMap<AnyId, Company> = HashMap::new();
        for ids in ids_of(pairs).chunks(IN_ONE_STATEMENT) {
            let select = Select::all(workspace, Predicate::ids(ids.iter().copied()));
            companies.extend(Self::select(conn, select)?.into_iter().map(|organization| {
                let Self { id, fields, .. } = organization;
                (AnyId::new(id.uuid()), Company { id, name: fields.name, parent_id: fields.parent_id })
            }));
        }
        let reasons = pairs.iter().map(|pair| {
            let both = companies.get(&pair.newer).zip(companies.get(&pair.older));
            both.map(|(one, other)| reasons_for_organizations(one, other, &pair.shared)).unwrap_or_default()
        });
        Ok(reasons.collect())
    }

    fn dismissed(dismissal: &DuplicateDismissal) -> Option<(AnyId, AnyId)> {
        match dismissal.pair() {
            Some(DismissedPair::Organizations(one, other)) => {
                Some((AnyId::new(one.uuid()), AnyId::new(other.uuid())))
            }
            _ => None,
        }
    }
}

/// One page of pairs.
pub fn duplicates<R: Duplicated>(conn: &mut Conn, workspace: WorkspaceId, asked: &Asked) -> Result<DuplicatePage> {
    read_transaction(conn, |conn| {
        let (found, next) = match (asked.is_by_score, asked.after) {
            (true, after) => likeliest::<R>(conn, workspace, asked, after)?,
            (false, Some(Cursor::Newest(place))) => newest::<R>(conn, workspace, asked, Some(place))?,
            (false, _) => newest::<R>(conn, workspace, asked, None)?,
        };
        Ok(DuplicatePage { items: shown::<R>(conn, workspace, found)?, next })
    })
}

type Found = (Vec<Judged>, Option<Cursor>);

fn newest<R: Duplicated>(
    conn: &mut Conn,
    workspace: WorkspaceId,
    asked: &Asked,
    after: Option<Place>,
) -> Result<Found> {
    let (mut found, mut next) = match asked.of {
        Some(id) => (of_one::<R>(conn, workspace, id, asked, after)?, None),
        None => walk::<R>(conn, workspace, asked, after, asked.limit)?,
    };
    if found.len() > asked.limit {
        found.truncate(asked.limit);
        next = found.last().map(|last| Place { newer: last.newer, older: Some(last.older) });
    }
    Ok((found, next.map(Cursor::Newest)))
}

/// The likeliest pairs of a stretch of records first. To order all pairs of a workspace would mean to judge all for each page,
/// so what is in order is as much as one page looks at.
fn likeliest<R: Duplicated>(
    conn: &mut Conn,
    workspace: WorkspaceId,
    asked: &Asked,
    after: Option<Cursor>,
) -> Result<Found> {
    let (stretch, shown) = match after {
        Some(Cursor::Likeliest { stretch, shown }) => (stretch, shown),
        _ => (None, None),
    };
    let (mut found, end) = match asked.of {
        Some(id) => (of_one::<R>(conn, workspace, id, asked, None)?, None),
        None => walk::<R>(conn, workspace, asked, stretch, usize::MAX)?,
    };
    let rank = |pair: &Judged| (pair.score, pair.newer, pair.older);
    found.sort_by_key(|pair| Reverse(rank(pair)));
    found.retain(|pair| shown.is_none_or(|shown| rank(pair) < shown));
    let next = match found.len() > asked.limit {
        true => {
            found.truncate(asked.limit);
            found.last().map(|last| Cursor::Likeliest { stretch, shown: Some(rank(last)) })
        }
        false => end.map(|end| Cursor::Likeliest { stretch: Some(end), shown: None }),
    };
    Ok((found, next))
}

/// Goes from the newest record to the oldest, looking for older ones that are like it, until there is more than a page
/// or enough was looked at; and the place where that ends, unless everything was looked at.
fn walk<R: Duplicated>(
    conn: &mut Conn,
    workspace: WorkspaceId,
    asked: &Asked,
    after: Option<Place>,
    most: usize,
) -> Result<(Vec<Judged>, Option<Place>)> {
    let (mut found, mut place) = (Vec::new(), after);
    let (mut looked, mut compared) = (0, 0);
    while found.len() <= most && looked < MAX_LOOKED && compared < MAX_COMPARED {
        let ids = next_ids::<R>(conn, workspace, place)?;
        let pairs = candidates::<R>(conn, workspace, &ids, place)?;
        looked += ids.len();
        compared += pairs.len();
        found.extend(judged::<R>(conn, workspace, &ids, pairs, asked)?);
        place = ids.last().map(|last| Place { newer: *last, older: None });
        if ids.len() < LOOKED_AT_ONCE {
            return Ok((found, None));
        }
    }
    Ok((found, place))
}

/// All pairs of one record, of which the keys allow no more than some thousand.
fn of_one<R: Duplicated>(
    conn: &mut Conn,
    workspace: WorkspaceId,
    id: AnyId,
    asked: &Asked,
    after: Option<Place>,
) -> Result<Vec<Judged>> {
    let mut pairs = all_candidates::<R>(conn, workspace, &[id])?;
    pairs.retain(|pair| after.is_none_or(|place| place.is_before(pair)));
    judged::<R>(conn, workspace, &[id], pairs, asked)
}

impl Place {
    fn is_before(self, pair: &Candidate) -> bool {
        pair.newer < self.newer || pair.newer == self.newer && self.older.is_some_and(|older| pair.older < older)
    }
}

/// The next records in the order, newest first; the first may have been looked at in part.
fn next_ids<R: Record>(conn: &mut Conn, workspace: WorkspaceId, place: Option<Place>) -> Result<Vec<AnyId>> {
    let filter = place.map_or_else(Predicate::always, |place| {
        let comparison = if place.older.is_some() { Comparison::LessOrEqual } else { Comparison::Less };
        Predicate::Compare(ID, comparison, Scalar::Id(place.newer))
    });
    let limit = i64::try_from(LOOKED_AT_ONCE).unwrap_or(i64::MAX);
    let select = Select { workspace, filter, order: vec![ID], direction: Direction::Descending, limit };
    Ok(R::ids(conn, select)?)
}

/// The pairs of these records with older ones, in order, beyond the place.
fn candidates<R: Duplicated>(
    conn: &mut Conn,
    workspace: WorkspaceId,
    ids: &[AnyId],
    place: Option<Place>,
) -> Result<Vec<Candidate>> {
    let newer: BTreeSet<AnyId> = ids.iter().copied().collect();
    let mut pairs = all_candidates::<R>(conn, workspace, ids)?;
    pairs.retain(|pair| newer.contains(&pair.newer) && place.is_none_or(|place| place.is_before(pair)));
    Ok(pairs)
}

/// The pairs of these records with any others, in order.
fn all_candidates<R: Duplicated>(
    conn: &mut Conn,
    workspace: WorkspaceId,
    ids: &[AnyId],
) -> Result<Vec<Candidate>> {
    let mut pairs: BTreeMap<(Reverse<AnyId>, Reverse<AnyId>), BTreeSet<SharedKey>> = BTreeMap::new();
    for (kinds, most) in [(R::ADDRESSES, MAX_SHARING_ADDRESS), (R::NAMES, MAX_SHARING_NAME)] {
        let mut owners: BTreeMap<Key, Vec<AnyId>> = BTreeMap::new();
        for (id, key) in shared_by_few(conn, workspace, R::ENTITY, ids, kinds, most)? {
            owners.entry(key).or_default().push(id);
        }
        let keys: Vec<Key> = owners.keys().cloned().collect();
        for keys in keys.chunks(IN_ONE_STATEMENT) {
            for (holder, key) in holders(conn, workspace, R::ENTITY, keys)? {
                for owner in owners.get(&key).into_iter().flatten().filter(|owner| **owner != holder) {
                    let pair = (Reverse(holder.max(*owner)), Reverse(holder.min(*owner)));
                    pairs.entry(pair).or_default().insert((key.kind, key.value.clone()));
                }
            }
        }
    }
    let candidate = |((Reverse(newer), Reverse(older)), shared): (_, BTreeSet<SharedKey>)| Candidate {
        newer,
        older,
        shared: shared.into_iter().collect(),
    };
    Ok(pairs.into_iter().map(candidate).collect())
}

/// Those of the pairs that are asked for; each has one of the ids.
fn judged<R: Duplicated>(
    conn: &mut Conn,
    workspace: WorkspaceId,
    ids: &[AnyId],
    pairs: Vec<Candidate>,
    asked: &Asked,
) -> Result<Vec<Judged>> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let mut dismissed: HashMap<(AnyId, AnyId), DuplicateDismissalId> = HashMap::new();
    for dismissal in dismissals_of(conn, workspace, R::SIDES, ids)? {
        if let Some((one, other)) = R::dismissed(&dismissal) {
            dismissed.insert((one.max(other), one.min(other)), dismissal.id);
        }
    }
    let mut all = Vec::new();
    for pairs in pairs.chunks(MAX_COMPARED) {
        let reasons = R::reasons(conn, workspace, pairs)?;
        all.extend(pairs.iter().zip(reasons).map(|(pair, reasons)| Judged {
            newer: pair.newer,
            older: pair.older,
            score: score(&reasons),
            reasons,
            dismissal: dismissed.get(&(pair.newer, pair.older)).copied(),
        }));
    }
    all.retain(|pair| {
        let is_one = !pair.reasons.is_empty() && pair.score >= asked.min_score;
        is_one && pair.dismissal.is_some() == asked.dismissed
    });
    Ok(all)
}

fn shown<R: Duplicated>(conn: &mut Conn, workspace: WorkspaceId, found: Vec<Judged>) -> Result<Vec<Duplicate>> {
    let ids: BTreeSet<AnyId> = found.iter().flat_map(|pair| [pair.newer, pair.older]).collect();
    let mut summaries: HashMap<AnyId, Value> = HashMap::new();
    let positions = R::positions(conn, workspace, &ids)?;
    for record in R::select(conn, Select::all(workspace, Predicate::ids(ids)))? {
        summaries.insert(record.id(), summary::<R>(&json(&record)?));
    }
    let one = |id: AnyId| summaries.get(&id).cloned().unwrap_or_default();
    Ok(found
        .into_iter()
        .map(|Judged { newer, older, score, reasons, dismissal }| Duplicate {
            records: [one(newer), one(older)],
            positions: positions
                .as_ref()
                .map(|positions| [newer, older].map(|id| positions.get(&id).cloned().unwrap_or_default())),
            score,
            reasons,
            dismissal,
        })
        .collect())
}

fn ids_of<'a>(pairs: impl IntoIterator<Item = &'a Candidate>) -> Vec<AnyId> {
    let unique: BTreeSet<AnyId> = pairs.into_iter().flat_map(|pair| [pair.newer, pair.older]).collect();
    unique.into_iter().collect()
}
