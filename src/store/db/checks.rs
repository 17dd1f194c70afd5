//! What has to hold before a record is written: the caller's precondition, a free id, references that exist, a name that is
//! its own. Nothing is written here.

use super::changes::survivor;
use super::record::Record;
use super::rows::referred;
use super::select::{Predicate, Select};
use super::types::AnyId;
use super::write::{Tx, UNDO_DAYS};
use crate::domain::counted::grouped;
use crate::domain::entity::{Entity, Op, REFERENCES};
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::store::error::{Conflict, Error, Result};
use crate::store::lists::has_key;
use serde_json::Value;

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

impl Tx<'_> {
    /// What to answer where a record that is to be written is not there.
    pub fn missing(&mut self, entity: Entity, id: AnyId) -> Result<Error> {
        Ok(match self.lives_on_in(entity, id)? {
            Some(survivor) => Conflict::Merged(entity, survivor).into(),
            None => Error::NotFound,
        })
    }

    fn lives_on_in(&mut self, entity: Entity, id: AnyId) -> Result<Option<AnyId>> {
        let Some(survivor) = survivor(self.conn, self.workspace, entity, id)? else { return Ok(None) };
        Ok(self.exists(entity, survivor)?.then_some(survivor))
    }

    /// What is wrong with an id that names no record.
    pub fn unknown(&mut self, entity: Entity, id: AnyId) -> Result<Rejection> {
        let detail = match self.lives_on_in(entity, id)? {
            Some(survivor) => format!("This {entity} was merged into {}.", survivor.uuid()),
            None => format!("No {entity} has this id."),
        };
        Ok(Rejection::new(FieldCode::UnknownReference, detail))
    }

    /// Whether one more of a kind fits where there may be only so many.
    pub fn check_room<R: Record>(
        &mut self,
        within: Predicate,
        most: i64,
        pointer: &str,
        what: &str,
    ) -> Result<()> {
        if R::count(self.conn, Select::all(self.workspace, within))? < most {
            return Ok(());
        }
        let detail = format!("There are {} {what} already, which is the most there may be.", grouped(most));
        Err(Invalid::one(format!("#{pointer}"), FieldCode::TooLong, detail).into())
    }

    pub(super) fn check_id_is_free<R: Record>(&mut self, id: AnyId) -> Result<()> {
        if self.find::<R>(id)?.is_some() {
            return Err(Conflict::IdTaken.into());
        }
        // An earlier operation of the batch that this one is of: for everybody else the record is replaced.
        if self.has_deleted(R::ENTITY, id) {
            return Ok(());
        }
        let reserved_since = self.now().minus(chrono::TimeDelta::days(UNDO_DAYS));
        match self.newest_change(R::ENTITY, id)? {
            Some((_, Op::Deleted, at)) => match self.missing(R::ENTITY, id)? {
                Error::NotFound if at > reserved_since => Err(Conflict::Deleted.into()),
                Error::NotFound => Ok(()),
                merged => Err(merged),
            },
            _ => Ok(()),
        }
    }

    /// Every id a row gives that it did not give before has to name a record of this workspace. Checked before
    /// writing, since PostgreSQL gives up the whole transaction over a foreign key.
    pub(super) fn check_references(
        &mut self,
        entity: Entity,
        before: Option<&Value>,
        after: &Value,
    ) -> Result<()> {
        let mut invalid = Invalid::default();
        for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
            let given = referred(reference, after);
            let Some(id) = given.filter(|_| given != before.and_then(|before| referred(reference, before))) else {
                continue;
            };
            if self.find_row(reference.to, id)?.is_none() {
                invalid.add(format!("#{}", reference.pointer), self.unknown(reference.to, id)?);
            } else if let Some(most) = reference.most
                && self.count_referring(reference, id)? >= most
            {
                let (most, kind) = (grouped(most), entity.plural());
                let detail = format!("There are {most} {kind} of it already, which is the most there may be.");
                invalid.add(format!("#{}", reference.pointer), Rejection::new(FieldCode::TooLong, detail));
            }
        }
        invalid.into_result(()).map_err(Error::from)
    }

    /// Another record of the kind that is known by the same.
    pub(super) fn unique_holder<R: Record>(&mut self, row: &R) -> Result<Option<AnyId>> {
        let Some(key) = row.unique_key() else { return Ok(None) };
        let holders = R::select(self.conn, Select::all(self.workspace, has_key::<R>(vec![key])))?;
        Ok(holders.iter().map(Record::id).find(|id| *id != row.id()))
    }

    pub(super) fn check_unique<R: Record>(&mut self, before: Option<&R>, row: &R) -> Result<()> {
        if self.is_planned || before.is_some_and(|before| before.unique_key() == row.unique_key()) {
            return Ok(());
        }
        match self.unique_holder(row)? {
            Some(holder) => Err(Conflict::NameTaken(R::ENTITY, holder).into()),
            None => Ok(()),
        }
    }
}
