//! The parts of a request that are not fields: the id that a client chose, fields that the server sets, edits of tags.

use serde_json::{Value, json};
use std::collections::HashSet;
use uuid::Uuid;

use super::rules::Rules;
use crate::domain::fields::single_line;
use crate::domain::invalid::{FieldCode, Invalid, Rejection, escape};
use crate::domain::text;
use crate::domain::timestamp::Timestamp;
use crate::service::validation;

/// What every record has beside its fields, and the server sets.
const HEAD: [&str; 3] = ["created_at", "updated_at", "version"];

/// The paths that the server sets in a record of this kind, in which `*` stands for any key.
pub fn read_only<R: Rules>() -> Result<Vec<Vec<String>>, Invalid> {
    let head = HEAD.iter().map(|name| vec![(*name).to_owned()]);
    Ok(head.chain(validation::read_only::<R::Fields>()?).collect())
}

/// Removes what the server sets.
pub fn remove_read_only(value: &mut Value, read_only: &[Vec<String>]) {
    read_only.iter().for_each(|path| remove(value, path));
}

fn remove(value: &mut Value, path: &[String]) {
    let (Some(object), Some((first, rest))) = (value.as_object_mut(), path.split_first()) else { return };
    if rest.is_empty() {
        object.remove(first);
        return;
    }
    let below = object.iter_mut().filter(|(key, _)| first == "*" || *key == first);
    below.for_each(|(_, member)| remove(member, rest));
}

/// Takes what the server sets out of a request. It is refused, unless it equals the current value, as in a PUT of a record
/// that was read.
pub fn take_read_only(
    input: &mut Value,
    current: Option<&Value>,
    read_only: &[Vec<String>],
) -> Result<(), Invalid> {
    let mut invalid = Invalid::default();
    read_only.iter().for_each(|path| take(input, current, path, "#", &mut invalid));
    invalid.into_result(())
}

fn take(input: &mut Value, current: Option<&Value>, path: &[String], at: &str, invalid: &mut Invalid) {
    let (Some(object), Some((first, rest))) = (input.as_object_mut(), path.split_first()) else { return };
    if rest.is_empty() {
        let current = current.and_then(|current| current.get(first));
        if let Some(sent) = object.remove(first)
            && !current.is_some_and(|current| is_same(current, &sent))
        {
            let detail = format!("{first} is set by the server.");
            invalid.add(format!("{at}/{first}"), Rejection::new(FieldCode::ReadOnly, detail));
        }
        return;
    }
    for (key, member) in object.iter_mut().filter(|(key, _)| first == "*" || *key == first) {
        if invalid.truncated {
            return;
        }
        let below = current.and_then(|current| current.get(key));
        take(member, below, rest, &format!("{at}/{}", escape(key)), invalid);
    }
}

/// Whether both say the same; an instant does, however it is written.
fn is_same(current: &Value, sent: &Value) -> bool {
    let instant = |value: &Value| value.as_str().and_then(|text| Timestamp::parse(text).ok());
    current == sent || instant(current).is_some_and(|current| instant(sent) == Some(current))
}

/// Takes the id that a client chose out of a request.
pub fn take_id(input: &mut Value) -> Result<Option<Uuid>, Invalid> {
    let sent = input.as_object_mut().and_then(|object| object.remove("id"));
    match sent {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => match Uuid::try_parse(&text)
            .ok()
            .filter(|id| text.len() == 36 && !id.is_nil())
        {
            Some(id) => Ok(Some(id)),
            None => {
                Err(Invalid::one("#/id", FieldCode::InvalidFormat, "Expected a UUID (RFC 9562) of 36 characters."))
            }
        },
        Some(_) => Err(Invalid::one("#/id", FieldCode::InvalidType, "Expected the JSON type string.")),
    }
}

/// Turns `add_tags` and `remove_tags` of a patch into the `tags` that result from them.
pub fn edit_tags(patch: &mut Value, current: &Value) -> Result<(), Invalid> {
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
        invalid.add(format!("#/add_tags/{index}"), Rejection::blank());
    }
    let removed: HashSet<String> = texts(remove).iter().map(|tag| text::fold(tag)).collect();
    for (index, _) in add.iter().enumerate().filter(|(_, tag)| removed.contains(&text::fold(tag))) {
        let rejection = Rejection::new(FieldCode::Contradiction, "It is also in remove_tags.");
        invalid.add(format!("#/add_tags/{index}"), rejection);
    }
    invalid.into_result(())?;
    let mut tags = texts(current.get("tags").cloned());
    tags.retain(|tag| !removed.contains(&text::fold(tag)));
    tags.extend(add);
    object.insert("tags".to_owned(), json!(tags));
    Ok(())
}
