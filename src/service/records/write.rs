//! Creating, replacing, patching, deleting and restoring records. Each has two parts: a check of the request by itself,
//! before anything is locked, and the work within the transaction.

use serde_json::Value;
use uuid::Uuid;

use super::input::{edit_tags, read_only, remove_read_only, take_id, take_read_only};
use super::rules::Rules;
use crate::domain::entity::Entity;
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::domain::merge_patch::merge;
use crate::domain::record::Fields as _;
use crate::domain::timestamp::Timestamp;
use crate::service::validation::views::View;
use crate::service::validation::{self, parse, validate};
use crate::store::{AnyId, Error, FailedAt, Precondition, Record, Result, Tx, checks, erase, records, undo};

/// The record that a new one is created under.
#[derive(Debug, Clone, Copy)]
pub struct Parent {
    pub entity: Entity,
    pub id: AnyId,
    /// The field that refers to it, which is not in the request.
    pub field: &'static str,
    /// Whether the field is a list of ids.
    pub is_list: bool,
}

/// A record to be created.
pub struct Create<R> {
    record: R,
    parent: Option<Parent>,
}

impl<R: Rules> Create<R> {
    /// `id` is used unless the client chose one.
    pub fn check(
        mut input: Value,
        parent: Option<Parent>,
        id: Uuid,
        now: Timestamp,
    ) -> std::result::Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        let chosen = invalid.gather(take_id(&mut input)).flatten();
        invalid.gather(take_read_only(&mut input, None, &read_only::<R>()?));
        if let (Some(parent), Some(input)) = (&parent, input.as_object_mut()) {
            let id = Value::String(parent.id.uuid().to_string());
            let value = if parent.is_list { Value::Array(vec![id]) } else { id };
            let sent = input.insert(parent.field.to_owned(), value);
            if sent.is_some() {
                let detail = format!("{} is determined by the path.", parent.field);
                invalid.add(format!("#/{}", parent.field), Rejection::new(FieldCode::UnknownField, detail));
            }
        }
        input.as_object_mut().into_iter().for_each(R::Fields::infer_defaults);
        let parsed = parse::<R::Fields, R>(&input, |fields| R::new(chosen.unwrap_or(id), now, fields));
        match parsed {
            Ok(record) => invalid.into_result(Self { record, parent }),
            Err(more) => {
                invalid.extend_new(more);
                Err(invalid)
            }
        }
    }

    /// The checked record, for whoever looks up its parent and writes it with others.
    pub fn into_record(self) -> R {
        self.record
    }

    pub fn write(self, tx: &mut Tx<'_>) -> Result<R> {
        let Self { mut record, parent } = self;
        let Some(parent) = parent else { return create(tx, record) };
        if !records::exists(tx, parent.entity, parent.id)? {
            return Err(checks::not_found_or_merged(tx, parent.entity, parent.id)?);
        }
        let now = tx.now();
        let created = record.before_write(tx, None, now).and_then(|()| create_checked(tx, record));
        // An error at a field that is not in the request is one of the request.
        let own = format!("#/{}", parent.field);
        let is_own = |at: &str| at.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        created.map_err(|error| error.moved(|at| if is_own(at) { "#".to_owned() } else { at.to_owned() }))
    }
}

/// Creates a record by the rules of its kind.
pub fn create<R: Rules>(tx: &mut Tx<'_>, mut record: R) -> Result<R> {
    let now = tx.now();
    record.before_write(tx, None, now)?;
    create_checked(tx, record)
}

fn create_checked<R: Rules>(tx: &mut Tx<'_>, record: R) -> Result<R> {
    let record = records::create(tx, record)?;
    let now = tx.now();
    R::after_write_all(tx, &[(None, &record)], now)?;
    Ok(record)
}

/// Changes a record by the rules of its kind.
pub fn update<R: Rules>(tx: &mut Tx<'_>, before: &R, mut after: R) -> Result<R> {
    let now = tx.now();
    after.before_write(tx, Some(before), now)?;
    let after = records::update(tx, before, after)?;
    R::after_write_all(tx, &[(Some(before), &after)], now)?;
    Ok(after)
}

/// Creates records by the rules of their kind. What follows from each follows once all are written.
pub fn create_many<R: Rules>(tx: &mut Tx<'_>, mut records: Vec<R>) -> std::result::Result<Vec<R>, FailedAt> {
    let now = tx.now();
    for (index, record) in records.iter_mut().enumerate() {
        record.before_write(tx, None, now).map_err(|error| FailedAt::new(index, error))?;
    }
    let created = records::create_many(tx, records)?;
    let written: Vec<(Option<&R>, &R)> = created.iter().map(|record| (None, record)).collect();
    R::after_write_all(tx, &written, now)?;
    Ok(created)
}

/// Changes records by the rules of their kind, each as it is stored to what it is to be; none comes twice. What follows from
/// each follows once all are written.
pub fn update_many<R: Rules>(tx: &mut Tx<'_>, mut records: Vec<(R, R)>) -> std::result::Result<Vec<R>, FailedAt> {
    let now = tx.now();
    for (index, (before, after)) in records.iter_mut().enumerate() {
        after.before_write(tx, Some(before), now).map_err(|error| FailedAt::new(index, error))?;
    }
    let before: Vec<R> = records.iter().map(|(before, _)| before.clone()).collect();
    let updated = records::update_many(tx, records)?;
    let written: Vec<(Option<&R>, &R)> = before.iter().map(Some).zip(&updated).collect();
    R::after_write_all(tx, &written, now)?;
    Ok(updated)
}

/// A record to be created under an id, or replaced.
pub struct Replace<R> {
    record: R,
    /// As it was sent, for the comparison of what the server sets.
    sent: Value,
    precondition: Precondition,
}

impl<R: Rules> Replace<R> {
    pub fn check(
        mut input: Value,
        id: AnyId,
        precondition: Precondition,
        now: Timestamp,
    ) -> std::result::Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        if invalid.gather(take_id(&mut input)).flatten().is_some_and(|sent| sent != id.uuid()) {
            let rejection = Rejection::new(FieldCode::ReadOnly, "The id differs from the one in the path.");
            invalid.add("#/id", rejection);
        }
        let sent = input.clone();
        remove_read_only(&mut input, &read_only::<R>()?);
        input.as_object_mut().into_iter().for_each(R::Fields::infer_defaults);
        match parse::<R::Fields, R>(&input, |fields| R::new(id.uuid(), now, fields)) {
            Ok(record) => invalid.into_result(Self { record, sent, precondition }),
            Err(more) => {
                invalid.extend_new(more);
                Err(invalid)
            }
        }
    }

    /// The record, and whether it was created.
    pub fn write(self, tx: &mut Tx<'_>) -> Result<(R, bool)> {
        let Self { record, mut sent, precondition } = self;
        let current = records::find::<R>(tx, record.id())?;
        if precondition != Precondition::Absent && current.is_none() {
            return Err(checks::not_found_or_merged(tx, R::ENTITY, record.id())?);
        }
        if let (Precondition::Absent, Some(current)) = (&precondition, &current)
            && is_same(tx, current, &record)?
        {
            return Ok((current.clone(), true));
        }
        precondition.check(current.as_ref().map(Record::version))?;
        let shown = current.as_ref().map(serde_json::to_value).transpose()?;
        take_read_only(&mut sent, shown.as_ref(), &read_only::<R>()?)?;
        match current {
            None => Ok((create(tx, record)?, true)),
            Some(current) => {
                let after = current.with(record.fields().clone())?;
                Ok((update(tx, &current, after)?, false))
            }
        }
    }
}

/// Whether replacing a record by another one would change nothing: then a request to create it has come twice.
fn is_same<R: Rules>(tx: &mut Tx<'_>, current: &R, record: &R) -> Result<bool> {
    let Ok(mut after) = current.with(record.fields().clone()) else { return Ok(false) };
    let now = tx.now();
    match after.before_write(tx, Some(current), now) {
        Ok(()) => {}
        // What cannot follow upon it is not the same.
        Err(Error::Invalid(_) | Error::Conflict(_)) => return Ok(false),
        Err(error) => return Err(error),
    }
    Ok(serde_json::to_value(after.fields())? == serde_json::to_value(current.fields())?)
}

/// A JSON Merge Patch of a record.
pub struct Patch {
    patch: Value,
}

impl Patch {
    pub fn check<R: Rules>(mut patch: Value) -> std::result::Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        if patch.as_object_mut().and_then(|object| object.remove("id")).is_some() {
            invalid.add("#/id", Rejection::new(FieldCode::ReadOnly, "The id of a record cannot be changed."));
        }
        invalid.gather(take_read_only(&mut patch, None, &read_only::<R>()?));
        invalid.extend(validate::<R::Fields>(View::Patch, &patch));
        invalid.into_result(Self { patch })
    }

    pub fn write<R: Rules>(self, tx: &mut Tx<'_>, id: AnyId, precondition: &Precondition) -> Result<R> {
        let current = records::get::<R>(tx, id, precondition)?;
        let base = writable_fields(&current)?;
        apply(tx, &current, base, self.patch)
    }
}

/// Writes the result of a checked merge patch on `base`.
pub fn apply<R: Rules>(tx: &mut Tx<'_>, current: &R, base: Value, patch: Value) -> Result<R> {
    let after = patched(tx, current, base, patch)?;
    update(tx, current, after)
}

/// The result of a checked merge patch on `base`.
pub fn patched<R: Rules>(tx: &mut Tx<'_>, current: &R, base: Value, mut patch: Value) -> Result<R> {
    edit_tags(&mut patch, &base)?;
    let merged = merge(base, patch.clone());
    let mut after = parse::<R::Fields, R>(&merged, |fields| current.with(fields))?;
    after.infer_from_patch(tx, current, &patch)?;
    Ok(after)
}

/// The fields of a record that a client can set.
pub fn writable_fields<R: Rules>(record: &R) -> Result<Value> {
    let mut fields = serde_json::to_value(record.fields())?;
    remove_read_only(&mut fields, &validation::read_only::<R::Fields>()?);
    Ok(fields)
}

/// Deletes a record. With `purge`, what the log and kept replies hold of it is erased too, also of one that was deleted
/// before.
pub fn delete<R: Rules>(tx: &mut Tx<'_>, id: AnyId, precondition: &Precondition, purge: bool) -> Result<()> {
    match records::find::<R>(tx, id)? {
        Some(record) => {
            precondition.check(Some(record.version()))?;
            records::delete(tx, &record)?;
            if purge { erase::erase_deleted(tx) } else { Ok(()) }
        }
        None if purge && records::was_deleted(tx, R::ENTITY, id)? => erase::erase(tx, R::ENTITY, id),
        None => Err(checks::not_found_or_merged(tx, R::ENTITY, id)?),
    }
}

/// Reverts the delete of a record. One that exists is left as it is.
pub fn restore<R: Rules>(tx: &mut Tx<'_>, id: AnyId) -> Result<()> {
    undo::restore(tx, R::ENTITY, id)
}
