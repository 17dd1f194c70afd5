//! A record to be written, and which of several can be written together. Nothing is read or written here.

use serde_json::Value;
use std::collections::BTreeSet;

use super::json::{Image, declared_members, is_primary, referred, referred_ids};
use super::record::Record;
use crate::domain::key::Key;
use crate::domain::reference::{REFERENCES, Reference};
use crate::store::db::sql::types::AnyId;
use crate::store::error::Result;

/// How many records are written together at most.
const WRITTEN_AT_ONCE: usize = 500;

/// A record to be written.
pub(super) struct Change<R> {
    /// Its place among those that are written, for errors.
    pub index: usize,
    /// What it was; `None` of a new record.
    pub before: Option<R>,
    pub after: R,
    /// What it was, as JSON, in what is declared of it; null where that stays as it is.
    pub old: Option<Value>,
    pub new: Value,
    /// All that it was, for the log.
    pub image: Option<Image>,
    /// The names of the members that differ.
    pub fields: Vec<String>,
}

impl<R: Record> Change<R> {
    pub fn create(index: usize, record: R) -> Result<Self> {
        let new = Image::of(&record)?.declared(R::ENTITY)?;
        Ok(Self { index, before: None, after: record, old: None, new, image: None, fields: Vec::new() })
    }

    pub fn update(index: usize, before: R, after: R) -> Result<Self> {
        let (image, new) = (Image::of(&before)?, Image::of(&after)?);
        let fields = image.changed_fields(&new)?;
        let declared = declared_members(R::ENTITY);
        let (old, new) = if fields.iter().any(|name| declared.contains(&name.as_str())) {
            (image.declared(R::ENTITY)?, new.declared(R::ENTITY)?)
        } else {
            (Value::Null, Value::Null)
        };
        Ok(Self { index, before: Some(before), after, old: Some(old), new, image: Some(image), fields })
    }

    /// What no other record may be, or refer to, that is written together with it.
    fn claims(&self) -> Vec<Claim> {
        let keys = self.before.iter().chain([&self.after]).filter_map(Record::unique_key).map(Claim::Key);
        let own = REFERENCES.iter().filter(|reference| reference.from == R::ENTITY);
        let primary =
            own.filter_map(|reference| Some(Claim::Primary(reference.column, self.primary_of(reference)?)));
        [Claim::Id(self.after.id())].into_iter().chain(keys).chain(primary).collect()
    }

    /// The records of its own kind that a new one refers to; those that are updated exist.
    fn needs(&self) -> impl Iterator<Item = Claim> {
        let references = if self.before.is_none() { REFERENCES } else { &[] };
        let own = references.iter().filter(|reference| (reference.from, reference.to) == (R::ENTITY, R::ENTITY));
        own.flat_map(|reference| referred_ids(reference, &self.new)).map(Claim::Id)
    }

    /// The record of which it is the primary one.
    fn primary_of(&self, reference: &Reference) -> Option<AnyId> {
        primary_of(reference, &self.new)
    }

    /// The record of which it becomes the primary one.
    pub fn becomes_primary_of(&self, reference: &Reference) -> Option<AnyId> {
        let before = self.old.as_ref().and_then(|old| primary_of(reference, old));
        self.primary_of(reference).filter(|per| before != Some(*per))
    }
}

fn primary_of(reference: &Reference, record: &Value) -> Option<AnyId> {
    let rule = reference.at_most_one()?;
    referred(reference, record).filter(|_| is_primary(rule, record))
}

/// What only one of the records that are written together may have.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Id(AnyId),
    Key(Key),
    /// The place of the primary one, by the column that refers to the record that it is the primary one of.
    Primary(&'static str, AnyId),
}

/// Divides records into parts, in each of which none depends on an earlier one.
pub(super) fn in_parts<R: Record>(changes: Vec<Change<R>>) -> Vec<Vec<Change<R>>> {
    match changes.len() {
        0 => return Vec::new(),
        1 => return vec![changes],
        _ => {}
    }
    let (mut parts, mut part, mut claimed) = (Vec::new(), Vec::new(), BTreeSet::new());
    for change in changes {
        let claims = change.claims();
        let depends = claims.iter().any(|claim| claimed.contains(claim))
            || change.needs().any(|needed| claimed.contains(&needed));
        if depends || part.len() >= WRITTEN_AT_ONCE {
            parts.push(std::mem::take(&mut part));
            claimed.clear();
        }
        claimed.extend(claims);
        part.push(change);
    }
    parts.push(part);
    parts
}
