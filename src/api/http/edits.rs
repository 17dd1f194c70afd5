//! What a body enters of a record: the id its client chose, what it may not set, patches and edits of tags. What is stored
//! of it, the store decides.

use crate::store::records;
use serde_json::{Value, json};
use std::collections::HashSet;
use uuid::Uuid;

use super::body::Schemas;
use super::query::parse_uuid;
use super::resource::Resource;
use crate::domain::fields::single_line;
use crate::domain::invalid::{FieldCode, Invalid, Rejection, escape};
use crate::domain::merge_patch::merge;
use crate::domain::text;
use crate::domain::timestamp::Timestamp;
use crate::store::{Result as StoreResult, Tx};

/// What was entered, as it is sent: without what is the server's.
pub fn entered<R: Resource>(fields: &R::Fields) -> StoreResult<Value> {
    let mut entered = serde_json::to_value(fields)?;
    R::READ_ONLY.iter().for_each(|path| remove(&mut entered, path));
    Ok(entered)
}

/// Writes what a checked merge patch on `base` comes to.
pub fn patched<R: Resource>(
    tx: &mut Tx<'_>,
    schemas: &Schemas,
    current: &R,
    base: Value,
    mut patch: Value,
) -> StoreResult<R> {
    edit_tags(&mut patch, &base)?;
    let merged = merge(base, patch.clone());
    let mut after = schemas.parse(R::INPUT, &merged, |fields| current.with(fields))?;
    after.follow(tx, current, &patch)?;
    after.prepare(tx, Some(current))?;
    records::update(tx, current, after)
}

/// What was parsed, unless something was wrong before; everything that is wrong, each place once.
pub(super) fn gather_all<T>(mut invalid: Invalid, parsed: Result<T, Invalid>) -> Result<T, Invalid> {
    match parsed {
        Ok(parsed) => invalid.into_result(parsed),
        Err(more) => {
            invalid.extend_new(more);
            Err(invalid)
        }
    }
}

/// The id a client chose for its record.
pub(super) fn take_id(input: &mut Value) -> Result<Option<Uuid>, Invalid> {
    let sent = input.as_object_mut().and_then(|object| object.remove("id"));
    match sent {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => match parse_uuid(&text) {
            Some(id) => Ok(Some(id)),
            None => {
                Err(Invalid::one("#/id", FieldCode::InvalidFormat, "Expected a UUID (RFC 9562) of 36 characters."))
            }
        },
        Some(_) => Err(Invalid::one("#/id", FieldCode::InvalidType, "Expected the JSON type string.")),
    }
}

/// What is the server's may stand in a PUT where it is what it is now; anywhere else it is refused. What may stand is
/// taken out, since it is not entered.
pub(super) fn check_read_only<R: Resource>(input: &mut Value, current: Option<&Value>) -> Result<(), Invalid> {
    let mut invalid = Invalid::default();
    for path in R::READ_ONLY {
        let parts: Vec<&str> = path.split('/').collect();
        take_read_only(input, current, &parts, "#", &mut invalid);
    }
    invalid.into_result(())
}

fn take_read_only(input: &mut Value, current: Option<&Value>, path: &[&str], at: &str, invalid: &mut Invalid) {
    let (Some(object), Some((first, rest))) = (input.as_object_mut(), path.split_first()) else { return };
    if rest.is_empty() {
        let current = current.and_then(|current| current.get(*first));
        if let Some(sent) = object.remove(*first)
            && !current.is_some_and(|current| is_same(current, &sent))
        {
            let detail = format!("{first} is set by the server.");
            invalid.add(format!("{at}/{first}"), Rejection::new(FieldCode::ReadOnly, detail));
        }
        return;
    }
    let keys: Vec<String> = object.keys().filter(|key| *first == "*" || key == first).cloned().collect();
    for key in keys {
        let below = current.and_then(|current| current.get(&key));
        if let Some(member) = object.get_mut(&key) {
            take_read_only(member, below, rest, &format!("{at}/{}", escape(&key)), invalid);
        }
    }
}

/// Whether both say the same: an instant does, however it is written.
fn is_same(current: &Value, sent: &Value) -> bool {
    let instant = |value: &Value| value.as_str().and_then(|text| Timestamp::parse(text).ok());
    current == sent || instant(current).is_some_and(|current| instant(sent) == Some(current))
}

/// What no patch may hold, taken out of it: the id, and what is the server's.
pub(super) fn check_patch<R: Resource>(patch: &mut Value) -> Result<(), Invalid> {
    let mut invalid = Invalid::default();
    if patch.as_object_mut().and_then(|object| object.remove("id")).is_some() {
        invalid.add("#/id", Rejection::new(FieldCode::ReadOnly, "The id of a record does not change."));
    }
    invalid.gather(check_read_only::<R>(patch, None));
    invalid.into_result(())
}

/// Takes out what is the server's.
pub(super) fn remove(value: &mut Value, path: &str) {
    let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let Some(object) = value.as_object_mut() else { return };
    match rest {
        None => drop(object.remove(first)),
        Some(rest) => {
            object
                .iter_mut()
                .filter(|(key, _)| first == "*" || *key == first)
                .for_each(|(_, member)| remove(member, rest));
        }
    }
}

/// `add_tags` and `remove_tags` become the `tags` they lead to.
pub(super) fn edit_tags(patch: &mut Value, current: &Value) -> Result<(), Invalid> {
    let Some(object) = patch.as_object_mut() else { return Ok(()) };
    let (add, remove) = (object.remove("add_tags"), object.remove("remove_tags"));
    if add.is_none() && remove.is_none() {
        return Ok(());
    }
    if object.contains_key("tags") {
        let detail = "Send tags, which replaces them, or add_tags and remove_tags, not both.";
        return Err(Invalid::one("#/tags", FieldCode::Contradiction, detail));
    }
    let texts = |value: Option<Value>| -> Vec<String> {
        value.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
    };
    let mut invalid = Invalid::default();
    let add = texts(add);
    for (index, _) in add.iter().enumerate().filter(|(_, tag)| single_line(tag).is_empty()) {
        invalid.add(format!("#/add_tags/{index}"), Rejection::new(FieldCode::TooShort, "Must not be blank."));
    }
    let removed: HashSet<String> = texts(remove).iter().map(|tag| text::fold(tag)).collect();
    for (index, _) in add.iter().enumerate().filter(|(_, tag)| removed.contains(&text::fold(tag))) {
        let rejection = Rejection::new(FieldCode::Contradiction, "It is among those to remove.");
        invalid.add(format!("#/add_tags/{index}"), rejection);
    }
    invalid.into_result(())?;
    let mut tags = texts(current.get("tags").cloned());
    tags.retain(|tag| !removed.contains(&text::fold(tag)));
    tags.extend(add);
    object.insert("tags".to_owned(), json!(tags));
    Ok(())
}
