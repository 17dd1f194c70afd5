//! What has to hold before a record is written: the caller's precondition, a free id, references that exist, a name that is
//! its own. Nothing is written here.

use chrono::TimeDelta;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::change::Change;
use super::changes::survivor;
use super::json::referred_ids;
use super::lookup::{self, exists, newest_change, with_history};
use super::names::name_in;
use super::operations;
use super::record::Record;
use super::tx::{Tx, UNDO_DAYS};
use crate::domain::count::thousands;
use crate::domain::entity::{Entity, Op};
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::domain::key::Key;
use crate::domain::reference::{REFERENCES, Reference, names_of};
use crate::store::db::index::keys::has_key;
use crate::store::db::sql::select::{Predicate, Select};
use crate::store::db::sql::types::{AnyId, RecordRef};
use crate::store::error::{Conflict, Error, FailedAt, Result};

/// What the caller thinks the record is at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Precondition {
    /// Nothing was said.
    #[default]
    None,
    /// It exists, at whatever version.
    Exists,
    /// It does not exist.
    Absent,
    /// At one of these versions; none of them when the caller's tags are of another database.
    OneOf(Vec<i64>),
}

impl Precondition {
    pub fn check(&self, current: Option<i64>) -> Result<()> {
        let holds = match (self, current) {
            (Self::None, _) => true,
            (Self::Exists, current) => current.is_some(),
            (Self::Absent, current) => current.is_none(),
            (Self::OneOf(versions), Some(current)) => versions.contains(&current),
            (Self::OneOf(_), None) => false,
        };
        if holds { Ok(()) } else { Err(Error::PreconditionFailed(current)) }
    }
}

/// What to answer where a record that is to be written is not there.
pub fn not_found_or_merged(tx: &mut Tx<'_>, entity: Entity, id: AnyId) -> Result<Error> {
    Ok(match merged_into(tx, entity, id)? {
        Some(survivor) => Conflict::Merged(entity, survivor).into(),
        None => Error::NotFound,
    })
}

fn merged_into(tx: &mut Tx<'_>, entity: Entity, id: AnyId) -> Result<Option<AnyId>> {
    let Some(survivor) = survivor(tx.conn, tx.workspace, entity, id)? else { return Ok(None) };
    Ok(exists(tx, entity, survivor)?.then_some(survivor))
}

/// What is wrong with an id that names no record.
pub fn unknown_reference(tx: &mut Tx<'_>, entity: Entity, id: AnyId) -> Result<Rejection> {
    let survivor = merged_into(tx, entity, id)?;
    let detail = match survivor {
        Some(survivor) => format!("This {entity} was merged into {}.", survivor.uuid()),
        None => format!("No {entity} has this id."),
    };
    let record = survivor.map(|survivor| (entity, survivor.uuid()));
    Ok(Rejection { record, ..Rejection::new(FieldCode::UnknownReference, detail) })
}

/// Whether one more of a kind fits where there may be only so many.
pub fn check_room<R: Record>(
    tx: &mut Tx<'_>,
    within: Predicate,
    most: i64,
    pointer: &str,
    what: &str,
) -> Result<()> {
    if R::count(tx.conn, Select::all(tx.workspace, within))? < most {
        return Ok(());
    }
    Err(no_room(most, pointer, what))
}

/// How many more records of a kind a workspace may have.
pub(super) fn room_left<R: Record>(tx: &mut Tx<'_>, most: i64) -> Result<usize> {
    let count = R::count(tx.conn, Select::all(tx.workspace, Predicate::always()))?;
    Ok(usize::try_from(most.saturating_sub(count)).unwrap_or(0))
}

pub(super) fn no_room(most: i64, pointer: &str, what: &str) -> Error {
    let detail = format!("There are {} {what}, which is the maximum.", thousands(most));
    Rejection::too_long(most, detail).at(&format!("#{pointer}")).into()
}

/// The first of several records that may not be written, and why.
#[derive(Default)]
pub(super) struct Refusal(Option<(usize, Error)>);

impl Refusal {
    /// Of several errors of a record, the first one stays.
    fn note(&mut self, index: usize, error: Error) {
        if self.0.as_ref().is_none_or(|(first, _)| index < *first) {
            self.0 = Some((index, error));
        }
    }

    pub fn into_result(self) -> std::result::Result<(), FailedAt> {
        match self.0 {
            Some((index, error)) => Err(FailedAt::new(index, error)),
            None => Ok(()),
        }
    }
}

/// Whether the ids of new records are free, by the log alone: it keeps the newest change to each record that exists.
pub(super) fn check_ids_are_free<R: Record>(
    tx: &mut Tx<'_>,
    changes: &[Change<R>],
    refusal: &mut Refusal,
) -> Result<()> {
    let ids: Vec<AnyId> = changes.iter().map(|change| change.after.id()).collect();
    let is_one = ids.len() == 1;
    let known = if is_one { HashSet::new() } else { with_history(tx, R::ENTITY, &ids)? };
    for Change { index, after, .. } in changes {
        let id = after.id();
        if (is_one || known.contains(&id) || tx.touched_op(R::ENTITY, id).is_some())
            && let Some(error) = why_id_is_taken(tx, R::ENTITY, id)?
        {
            refusal.note(*index, error);
        }
    }
    Ok(())
}

fn why_id_is_taken(tx: &mut Tx<'_>, entity: Entity, id: AnyId) -> Result<Option<Error>> {
    // An earlier operation of the batch that this one is of: for everybody else the record is replaced.
    if tx.has_deleted(entity, id) {
        return Ok(None);
    }
    let touched = tx.touched_op(entity, id);
    if touched.is_some_and(|op| op != Op::Deleted) {
        return Ok(Some(Conflict::IdTaken.into()));
    }
    let reserved_since = tx.now().minus(TimeDelta::days(UNDO_DAYS));
    Ok(match newest_change(tx, entity, id)? {
        Some((_, Op::Deleted, at)) => match not_found_or_merged(tx, entity, id)? {
            Error::NotFound if at > reserved_since => Some(Conflict::Deleted.into()),
            Error::NotFound => None,
            merged => Some(merged),
        },
        Some(_) if touched.is_none() => Some(Conflict::IdTaken.into()),
        _ => None,
    })
}

/// An id that a record gives and did not give before.
struct Given {
    /// The place of the record.
    index: usize,
    reference: &'static Reference,
    pointer: String,
    id: AnyId,
}

/// Every id that records give has to name a record of this workspace, with room for one that refers to it. Checked before
/// writing, since PostgreSQL gives up the whole transaction over a foreign key.
pub(super) fn check_references<R: Record>(
    tx: &mut Tx<'_>,
    changes: &[Change<R>],
    refusal: &mut Refusal,
) -> Result<()> {
    let given = given_ids(changes);
    let mut ids: BTreeMap<Entity, BTreeSet<AnyId>> = BTreeMap::new();
    for given in &given {
        ids.entry(given.reference.to).or_default().insert(given.id);
    }
    let mut existing: BTreeSet<RecordRef> = BTreeSet::new();
    for (entity, ids) in ids {
        let ids: Vec<AnyId> = ids.into_iter().collect();
        existing.extend(lookup::existing(tx, entity, &ids)?.into_iter().map(|id| (entity, id)));
    }
    let mut room = room_for(tx, &given, &existing)?;
    let (mut first, mut refused) = (None, Vec::new());
    for given in &given {
        let is_known = existing.contains(&(given.reference.to, given.id));
        let left = room.get_mut(&(given.reference.column, given.id));
        let has_room = left.is_none_or(|left| {
            *left -= 1;
            *left >= 0 || *left + freed(changes, given) >= 0
        });
        if !(is_known && has_room) {
            first = Some(first.map_or(given.index, |first: usize| first.min(given.index)));
            refused.push((given, is_known));
        }
    }
    let Some(first) = first else { return Ok(()) };
    let mut invalid = Invalid::default();
    for (Given { reference, pointer, id, .. }, is_known) in
        refused.into_iter().filter(|(given, _)| given.index == first)
    {
        let rejection = if is_known {
            let (most, kind) = (thousands(reference.most.unwrap_or_default()), R::ENTITY.plural());
            let detail = format!("There are {most} {kind} of it, which is the maximum.");
            Rejection::too_long(reference.most.unwrap_or_default(), detail)
        } else {
            unknown_reference(tx, reference.to, *id)?
        };
        invalid.add(pointer.clone(), rejection);
    }
    refusal.note(first, invalid.into());
    Ok(())
}

/// The ids that records give, reference after reference.
fn given_ids<R: Record>(changes: &[Change<R>]) -> Vec<Given> {
    let mut all = Vec::new();
    for reference in REFERENCES.iter().filter(|reference| reference.from == R::ENTITY) {
        for Change { index, old, new, .. } in changes {
            let known = old.as_ref().map(|old| referred_ids(reference, old)).unwrap_or_default();
            let given = referred_ids(reference, new).into_iter().enumerate();
            all.extend(given.filter(|(_, id)| !known.contains(id)).map(|(place, id)| Given {
                index: *index,
                reference,
                pointer: match reference.join {
                    Some(_) => format!("#{}/{place}", reference.pointer),
                    None => format!("#{}", reference.pointer),
                },
                id,
            }));
        }
    }
    all
}

/// How many records no longer refer to it, of those up to the one that does.
fn freed<R: Record>(changes: &[Change<R>], given: &Given) -> i64 {
    let refers = |record: &Value| referred_ids(given.reference, record).contains(&given.id);
    let frees = |change: &&Change<R>| change.old.as_ref().is_some_and(refers) && !refers(&change.new);
    let until = changes.iter().take_while(|change| change.index <= given.index);
    i64::try_from(until.filter(frees).count()).unwrap_or(i64::MAX)
}

/// How many more may refer to each of those that exist, by the column that refers to them.
fn room_for(
    tx: &mut Tx<'_>,
    given: &[Given],
    existing: &BTreeSet<RecordRef>,
) -> Result<HashMap<(&'static str, AnyId), i64>> {
    let mut room = HashMap::new();
    for given in given.chunk_by(|one, other| one.reference == other.reference) {
        let Some(reference) = given.first().map(|given| given.reference) else { continue };
        let Some(most) = reference.most else { continue };
        let ids: BTreeSet<AnyId> =
            given.iter().map(|given| given.id).filter(|id| existing.contains(&(reference.to, *id))).collect();
        let ids: Vec<AnyId> = ids.into_iter().collect();
        let counts = lookup::count_referring_to(tx, reference, &ids)?;
        let left = |id: &AnyId| most.saturating_sub(counts.get(id).copied().unwrap_or(0));
        room.extend(ids.iter().map(|id| ((reference.column, *id), left(id))));
    }
    Ok(room)
}

/// Another record of the kind that is known by the same.
pub(in crate::store) fn unique_holder<R: Record>(tx: &mut Tx<'_>, row: &R) -> Result<Option<AnyId>> {
    let Some(key) = row.unique_key() else { return Ok(None) };
    let holders = R::select(tx.conn, Select::all(tx.workspace, has_key::<R>(vec![key])))?;
    Ok(holders.iter().map(Record::id).find(|id| *id != row.id()))
}

/// Whether no other record is known by what records are to be known by.
pub(super) fn check_unique<R: Record>(
    tx: &mut Tx<'_>,
    changes: &[Change<R>],
    refusal: &mut Refusal,
) -> Result<()> {
    if tx.is_reverting {
        return Ok(());
    }
    let new_key = |change: &Change<R>| {
        let key = change.after.unique_key()?;
        let had_it = change.before.as_ref().is_some_and(|before| before.unique_key().as_ref() == Some(&key));
        (!had_it).then_some((change.index, change.after.id(), key))
    };
    let keys: Vec<(usize, AnyId, Key)> = changes.iter().filter_map(new_key).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let known_by = has_key::<R>(keys.iter().map(|(_, _, key)| key.clone()).collect());
    let holders: Vec<(AnyId, Option<Key>)> = R::select(tx.conn, Select::all(tx.workspace, known_by))?
        .iter()
        .map(|holder| (holder.id(), holder.unique_key()))
        .collect();
    for (index, own, key) in keys {
        let other = holders.iter().find(|(id, held)| *id != own && held.as_ref() == Some(&key));
        if let Some((holder, _)) = other {
            refusal.note(index, Conflict::NameTaken(R::ENTITY, *holder).into());
        }
    }
    Ok(())
}

/// Whether no operation is replacing what new records are called.
pub(super) fn check_names_are_free<R: Record>(
    tx: &mut Tx<'_>,
    changes: &[Change<R>],
    refusal: &mut Refusal,
) -> Result<()> {
    let Some(list) = names_of(R::ENTITY) else { return Ok(()) };
    let named = changes.iter().filter_map(|change| Some((change.index, name_in(list, &change.new)?)));
    let (places, names): (Vec<usize>, Vec<&str>) = named.unzip();
    let conflicts = operations::name_conflicts(tx, R::ENTITY, &names)?;
    for (index, conflict) in places.into_iter().zip(conflicts) {
        if let Some(conflict) = conflict {
            refusal.note(index, conflict.into());
        }
    }
    Ok(())
}
