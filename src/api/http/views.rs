//! The schemas of the document: requests, patches and answers of a record are three views of one struct.

#![allow(
    clippy::indexing_slicing,
    reason = "an index into a JSON value reads null where nothing is, and makes what it writes"
)]

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::openapi::{RefOr, Schema};

use crate::domain::count::pluralize;
use crate::domain::entity::{Entity, REFERENCES, reference};

/// A schema that is written by hand, where no struct tells it.
pub fn written(schema: Value) -> RefOr<Schema> {
    // One that cannot be read is one that the contract test finds empty.
    serde_json::from_value(schema).unwrap_or_else(|_| RefOr::T(Schema::default()))
}

/// The schema of one of these words, which may become more.
pub fn words(description: &str, words: impl Iterator<Item = &'static str>) -> RefOr<Schema> {
    let words: Vec<&str> = words.collect();
    written(json!({ "type": "string", "description": description, "enum": words }))
}

/// `#[serde(flatten)]` is collected as `allOf`; one object is easier to read and can be closed.
pub(super) fn merged(schema: &Value, all: &Map<String, Value>) -> Value {
    let Some(parts) = schema.get("allOf").and_then(Value::as_array) else { return schema.clone() };
    let mut out = json!({ "type": "object" });
    if let Some(description) = schema.get("description") {
        out["description"] = description.clone();
    }
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for part in parts {
        let target = part.get("$ref").and_then(Value::as_str).and_then(|reference| all.get(name_of(reference)));
        let part = merged(target.unwrap_or(part), all);
        properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
        required.extend(part["required"].as_array().cloned().unwrap_or_default());
    }
    out["properties"] = properties.into();
    out["required"] = required.into();
    out
}

/// An inlined schema with a description beside it is collected as `allOf` of the two; it is one.
pub(super) fn flatten_all_of(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(flatten_all_of);
            let is_plain = |part: &Value| part.get("$ref").is_none() && part.get("properties").is_none();
            if let Some(Value::Array(parts)) = object.get("allOf")
                && parts.iter().all(is_plain)
            {
                let parts = parts.clone();
                object.remove("allOf");
                parts
                    .into_iter()
                    .filter_map(|part| part.as_object().cloned())
                    .for_each(|part| object.extend(part));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(flatten_all_of),
        _ => {}
    }
}

/// What describes a nullable thing is collected beside its `$ref`, where generators that read 3.0 pass it over; it says as
/// much of the whole.
pub(super) fn hoist_descriptions(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(hoist_descriptions);
            let branches = object.get_mut("oneOf").and_then(Value::as_array_mut);
            let referring = branches
                .into_iter()
                .flatten()
                .filter_map(Value::as_object_mut)
                .find(|branch| branch.contains_key("$ref"));
            let description = referring.and_then(|branch| branch.remove("description"));
            if let Some(description) = description {
                object.entry("description").or_insert(description);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hoist_descriptions),
        _ => {}
    }
}

pub(super) fn name_of(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// The name of what is entered of a record under another: the input of its kind without the field that the path tells.
pub fn nested_input(entity: Entity, parent: Entity) -> String {
    format!("{}{}Input", pascal(parent.as_str()), pascal(entity.as_str()))
}

/// The field of a record that says what it belongs to.
pub fn parent_field(entity: Entity, parent: Entity) -> Option<&'static str> {
    reference(entity, parent).and_then(|reference| reference.pointer.strip_prefix('/'))
}

/// The kind of record that `/v1/contacts/{id}/needs` lists and makes, and the kind it belongs to.
pub(super) fn nested(path: &str) -> Option<(Entity, Entity)> {
    let (parent, own) = path.strip_prefix("/v1/")?.split_once("/{id}/")?;
    let kind = |segment: &str| Entity::ALL.iter().copied().find(|entity| entity.segment() == segment);
    Some((kind(own)?, kind(parent)?))
}

/// How a schema is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// Everything present, enumerations open.
    Answer,
    /// Closed, without what is the server's.
    Input,
    /// Closed, nothing required, everything nullable.
    Patch,
}

/// Makes the views that are asked for, and those they refer to.
pub(super) struct Views {
    pub(super) plain: Map<String, Value>,
    pub(super) made: BTreeMap<String, Value>,
}

impl Views {
    /// The name of the schema in this view.
    pub(super) fn make(&mut self, name: &str, view: View) -> String {
        let Some(schema) = self.plain.get(name).cloned() else { return name.to_owned() };
        let differs = schema.get("properties").is_some() || schema.get("enum").is_some();
        let base = name.strip_suffix("Fields").unwrap_or(name);
        let own = match view {
            _ if !differs => name.to_owned(),
            View::Answer => name.to_owned(),
            View::Input | View::Patch if schema.get("enum").is_some() => format!("{base}Input"),
            View::Input => format!("{base}Input"),
            View::Patch => format!("{base}Patch"),
        };
        if self.made.contains_key(&own) {
            return own;
        }
        // Named before it is made, for schemas that refer to themselves.
        self.made.insert(own.clone(), Value::Null);
        let mut seen = schema;
        self.look(&mut seen, view);
        let entity = Entity::ALL.iter().find(|entity| pascal(entity.as_str()) == base);
        if let Some(entity) = entity.filter(|_| name.ends_with("Fields")) {
            tell_limits(*entity, &mut seen);
            if view == View::Input {
                seen["properties"]["id"] = json!({
                    "type": ["string", "null"], "format": "uuid", "x-entity": entity,
                    "description": "The record's id, if you choose it (any RFC 9562 UUID); null: the server makes one.",
                });
            }
        }
        if view == View::Patch && seen["properties"].get("tags").is_some() {
            let tags = seen["properties"]["tags"].clone();
            for (field, what) in [
                ("add_tags", "Tags to add to those it has."),
                ("remove_tags", "Tags to remove from those it has."),
            ] {
                let mut schema = tags.clone();
                schema["description"] = json!(format!("{what} Not together with `tags`."));
                seen["properties"][field] = schema;
            }
        }
        self.made.insert(own.clone(), seen);
        own
    }

    /// What is entered under a parent: the name of its schema.
    pub(super) fn make_nested(&mut self, entity: Entity, parent: Entity) -> Option<String> {
        let whole = self.make(&format!("{}Fields", pascal(entity.as_str())), View::Input);
        let (field, mut schema) = (parent_field(entity, parent)?, self.made.get(&whole)?.clone());
        schema["properties"].as_object_mut()?.remove(field);
        if let Some(required) = schema["required"].as_array_mut() {
            required.retain(|name| name != field);
        }
        let own = nested_input(entity, parent);
        self.made.insert(own.clone(), schema);
        Some(own)
    }

    pub(super) fn look(&mut self, schema: &mut Value, view: View) {
        match schema {
            Value::Object(object) => {
                if let Some(reference) = object.get("$ref").and_then(Value::as_str).map(str::to_owned) {
                    let name = self.make(name_of(&reference), view);
                    object.insert("$ref".to_owned(), json!(format!("#/components/schemas/{name}")));
                }
                if let Some(Value::String(fields)) = object.remove("x-patch-of") {
                    let name = self.make(&fields, View::Patch);
                    object.remove("type");
                    let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
                    object.insert("oneOf".to_owned(), json!([{ "type": "null" }, reference]));
                    return;
                }
                if view == View::Answer
                    && let Some(words) = object.remove("enum")
                {
                    object.insert("x-extensible-enum".to_owned(), words);
                }
                let is_object = object.get("properties").is_some_and(Value::is_object);
                if is_object {
                    self.look_at_object(object, view);
                } else if is_free_object(object) {
                    object.insert("additionalProperties".to_owned(), json!(true));
                }
                for (key, member) in object.iter_mut() {
                    match key.as_str() {
                        // A list is replaced whole, so what it holds has to be whole.
                        "items" if view == View::Patch => self.look(member, View::Input),
                        "additionalProperties" if view == View::Patch => {
                            self.look(member, view);
                            if member.is_object() {
                                nullable(member);
                            }
                        }
                        "items" | "additionalProperties" | "oneOf" | "anyOf" => self.look(member, view),
                        _ => {}
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.look(item, view)),
            _ => {}
        }
    }

    fn look_at_object(&mut self, object: &mut Map<String, Value>, view: View) {
        let Some(Value::Object(properties)) = object.get_mut("properties") else { return };
        if view != View::Answer {
            properties.retain(|_, property| property.get("readOnly") != Some(&Value::Bool(true)));
        }
        for property in properties.values_mut() {
            self.look(property, view);
            if view == View::Patch {
                nullable(property);
            }
        }
        let required = object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let Some(Value::Object(properties)) = object.get_mut("properties") else { return };
        for (name, property) in properties.iter_mut() {
            // What has to be there has no default; and what is written has none either. That nothing stands for nothing
            // goes without saying, and makes generated clients ask for it.
            let is_nothing = match property.get("default") {
                Some(Value::Null) => true,
                Some(Value::Array(items)) => items.is_empty(),
                Some(Value::Object(members)) => members.is_empty(),
                _ => false,
            };
            if is_nothing || view != View::Input || required.iter().any(|required| required == name) {
                property.as_object_mut().and_then(|property| property.remove("default"));
            }
        }
        let names: Vec<Value> = properties.keys().cloned().map(Value::String).collect();
        match view {
            View::Answer => {
                object.insert("required".to_owned(), names.into());
            }
            View::Input => {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
            View::Patch => {
                object.remove("required");
                object.insert("additionalProperties".to_owned(), json!(false));
            }
        }
    }
}

/// How many records may refer to one, in a sentence each, for the operations that make such records.
pub(super) fn limits_of(entity: Entity) -> Vec<String> {
    let limited = REFERENCES.iter().filter(|reference| reference.from == entity);
    limited
        .filter_map(|reference| {
            let most = pluralize(reference.most?, entity.as_str(), entity.plural());
            let field = reference.pointer.strip_prefix('/')?;
            Some(format!(
                "At most {most} may name the same {} as `{field}`; one more is refused with 422.",
                reference.to
            ))
        })
        .collect()
}

/// The same where they refer to it.
fn tell_limits(entity: Entity, schema: &mut Value) {
    for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
        let (Some(most), Some(field)) = (reference.most, reference.pointer.strip_prefix('/')) else { continue };
        let property = &mut schema["properties"][field];
        let told = property["description"].as_str().unwrap_or_default();
        let most = pluralize(most, entity.as_str(), entity.plural());
        property["description"] = json!(format!("{told} At most {most} may name the same one."));
    }
}

/// An object of which nothing is said may hold anything; said outright, for generators that take it for empty.
fn is_free_object(object: &Map<String, Value>) -> bool {
    let kind = object.get("type");
    let is_object = kind == Some(&json!("object")) || kind == Some(&json!(["object", "null"]));
    is_object && !object.contains_key("additionalProperties")
}

pub(super) fn pascal(name: &str) -> String {
    let upper = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    name.split('_').map(upper).collect()
}

fn nullable(schema: &mut Value) {
    if let Some(kind) = schema.get("type").and_then(Value::as_str).map(str::to_owned) {
        if kind != "null" {
            schema["type"] = json!([kind, "null"]);
        }
    } else if let Some(reference) = schema.get("$ref").cloned() {
        let description = schema.get("description").cloned();
        *schema = json!({ "oneOf": [{ "type": "null" }, { "$ref": reference }] });
        if let Some(description) = description {
            schema["description"] = description;
        }
    }
}
