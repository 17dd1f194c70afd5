//! What has to hold before a record is written: the caller's precondition, a free id, references that exist, a name that is
//! its own. Nothing is written here.

use chrono::TimeDelta;
use serde_json::Value;

use super::changes::survivor;
use super::json::referred_ids;
use super::lookup::{count_referring, exists, newest_change};
use super::record::Record;
use super::tx::{Tx, UNDO_DAYS};
use crate::domain::count::thousands;
use crate::domain::entity::{Entity, Op};
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::domain::reference::REFERENCES;
use crate::store::db::index::keys::has_key;
use crate::store::db::sql::select::{Predicate, Select};
use crate::store::db::sql::types::AnyId;
use crate::store::error::{Conflict, Error, Result};

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
    let detail = match merged_into(tx, entity, id)? {
        Some(survivor) => format!("This {entity} was merged into {}.", survivor.uuid()),
        None => format!("No {entity} has this id."),
    };
    Ok(Rejection::new(FieldCode::UnknownReference, detail))
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
    let detail = format!("There are {} {what}, which is the maximum.", thousands(most));
    Err(Invalid::one(format!("#{pointer}"), FieldCode::TooLong, detail).into())
}

/// By the log alone: it keeps the newest change to each record that exists.
pub(super) fn check_id_is_free<R: Record>(tx: &mut Tx<'_>, id: AnyId) -> Result<()> {
    // An earlier operation of the batch that this one is of: for everybody else the record is replaced.
    if tx.has_deleted(R::ENTITY, id) {
        return Ok(());
    }
    let touched = tx.touched_op(R::ENTITY, id);
    if touched.is_some_and(|op| op != Op::Deleted) {
        return Err(Conflict::IdTaken.into());
    }
    let reserved_since = tx.now().minus(TimeDelta::days(UNDO_DAYS));
    match newest_change(tx, R::ENTITY, id)? {
        Some((_, Op::Deleted, at)) => match not_found_or_merged(tx, R::ENTITY, id)? {
            Error::NotFound if at > reserved_since => Err(Conflict::Deleted.into()),
            Error::NotFound => Ok(()),
            merged => Err(merged),
        },
        Some(_) if touched.is_none() => Err(Conflict::IdTaken.into()),
        _ => Ok(()),
    }
}

/// Every id a row gives that it did not give before has to name a record of this workspace. Checked before
/// writing, since PostgreSQL gives up the whole transaction over a foreign key.
pub(super) fn check_references(
    tx: &mut Tx<'_>,
    entity: Entity,
    before: Option<&Value>,
    after: &Value,
) -> Result<()> {
    let mut invalid = Invalid::default();
    for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
        let known = before.map(|before| referred_ids(reference, before)).unwrap_or_default();
        let given = referred_ids(reference, after).into_iter().enumerate();
        for (index, id) in given.filter(|(_, id)| !known.contains(id)) {
            let pointer = match reference.join {
                Some(_) => format!("#{}/{index}", reference.pointer),
                None => format!("#{}", reference.pointer),
            };
            if !exists(tx, reference.to, id)? {
                invalid.add(pointer, unknown_reference(tx, reference.to, id)?);
            } else if let Some(most) = reference.most
                && count_referring(tx, reference, id)? >= most
            {
                let (most, kind) = (thousands(most), entity.plural());
                let detail = format!("There are {most} {kind} of it, which is the maximum.");
                invalid.add(pointer, Rejection::new(FieldCode::TooLong, detail));
            }
        }
    }
    invalid.into_result(()).map_err(Error::from)
}

/// Another record of the kind that is known by the same.
pub(in crate::store) fn unique_holder<R: Record>(tx: &mut Tx<'_>, row: &R) -> Result<Option<AnyId>> {
    let Some(key) = row.unique_key() else { return Ok(None) };
    let holders = R::select(tx.conn, Select::all(tx.workspace, has_key::<R>(vec![key])))?;
    Ok(holders.iter().map(Record::id).find(|id| *id != row.id()))
}

pub(super) fn check_unique<R: Record>(tx: &mut Tx<'_>, before: Option<&R>, row: &R) -> Result<()> {
    if tx.is_reverting || before.is_some_and(|before| before.unique_key() == row.unique_key()) {
        return Ok(());
    }
    match unique_holder(tx, row)? {
        Some(holder) => Err(Conflict::NameTaken(R::ENTITY, holder).into()),
        None => Ok(()),
    }
}
