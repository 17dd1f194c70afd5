//! Requests, patches and answers of a record as three views of the schema of one struct. Used to check requests and to
//! write the document, so that both say the same.

#![allow(
    clippy::indexing_slicing,
    reason = "an index into a JSON value reads null where nothing is, and creates what it writes"
)]

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::domain::count::pluralize;
use crate::domain::entity::Entity;
use crate::domain::reference::REFERENCES;
use crate::domain::statuses;

/// Where a schema is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// In an answer: every field is present.
    Answer,
    /// In a request: closed, without the fields that the server sets.
    Input,
    /// In a merge patch: closed, nothing required, everything nullable.
    Patch,
}

/// The schemas that a type consists of, its own first.
pub type Collect = fn(&mut Vec<(String, RefOr<Schema>)>);

/// The [`Collect`] of a type.
pub fn collect<T: ToSchema>(all: &mut Vec<(String, RefOr<Schema>)>) {
    all.push((T::name().into_owned(), T::schema()));
    T::schemas(all);
}

/// A schema that no struct can express.
pub fn written(schema: Value) -> RefOr<Schema> {
    // One that cannot be read is found empty by the contract test.
    serde_json::from_value(schema).unwrap_or_else(|_| RefOr::T(Schema::default()))
}

/// What is certain to get more values within v1: an open string in answers.
const OPEN: [&str; 2] = ["Entity", "Scope"];

/// What the description of every enumeration ends with.
const GROWTH: &str = "New values may be added within v1.";

/// Collected schemas, and the views made of them so far.
#[derive(Default)]
pub struct Views {
    collected: Map<String, Value>,
    made: BTreeMap<String, Value>,
}

impl Views {
    pub fn new(schemas: Vec<(String, RefOr<Schema>)>) -> Result<Self, serde_json::Error> {
        let mut plain = Map::new();
        for (name, schema) in schemas {
            if !plain.contains_key(&name) {
                let mut schema = serde_json::to_value(schema)?;
                flatten_all_of(&mut schema);
                hoist_descriptions(&mut schema);
                hoist_read_only(&mut schema);
                plain.insert(name, schema);
            }
        }
        let collected = plain.iter().map(|(name, schema)| (name.clone(), merged(schema, &plain))).collect();
        Ok(Self { collected, made: BTreeMap::new() })
    }

    /// The views made so far, by name.
    pub fn into_made(self) -> BTreeMap<String, Value> {
        self.made
    }

    pub fn made_mut(&mut self) -> &mut BTreeMap<String, Value> {
        &mut self.made
    }

    /// Makes the view of a collected schema, and those it refers to. Returns its name.
    pub fn make(&mut self, name: &str, view: View) -> String {
        let Some(mut schema) = self.collected.get(name).cloned() else { return name.to_owned() };
        let is_enumeration = schema.get("enum").is_some();
        let base = name.strip_suffix("Fields").unwrap_or(name);
        let own = match view {
            View::Input | View::Patch if OPEN.contains(&name) => format!("{name}Input"),
            _ if is_enumeration || schema.get("properties").is_none() => name.to_owned(),
            View::Answer => name.to_owned(),
            View::Input => format!("{base}Input"),
            View::Patch => format!("{base}Patch"),
        };
        if self.made.contains_key(&own) {
            return own;
        }
        // Named before it is made, for schemas that refer to themselves.
        self.made.insert(own.clone(), Value::Null);
        if is_enumeration {
            append_description(&mut schema, GROWTH);
            if OPEN.contains(&name) && view == View::Answer {
                open(&mut schema);
            }
        } else {
            self.rewrite(&mut schema, view);
        }
        let entity = Entity::ALL.iter().find(|entity| pascal(entity.as_str()) == base);
        for (field, description) in entity.map(|entity| statuses::descriptions(*entity)).unwrap_or_default() {
            append_description(&mut schema["properties"][field], &description);
        }
        if let Some(entity) = entity.filter(|_| name.ends_with("Fields")) {
            describe_limits(*entity, &mut schema);
            if view == View::Input {
                schema["properties"]["id"] = json!({
                    "type": ["string", "null"], "format": "uuid", "x-entity": entity,
                    "description": "The id of the record, if the client chooses it (any RFC 9562 UUID). Null: the server \
                                    generates one.",
                });
            }
        }
        if view == View::Patch && schema["properties"].get("tags").is_some() {
            let tags = schema["properties"]["tags"].clone();
            for (field, description) in [("add_tags", "Tags to add."), ("remove_tags", "Tags to remove.")] {
                let mut edit = tags.clone();
                edit["description"] = json!(format!("{description} Cannot be combined with `tags`."));
                schema["properties"][field] = edit;
            }
        }
        self.made.insert(own.clone(), schema);
        own
    }

    /// The input of a kind of record that is created under another, without the field that the path provides. Returns its
    /// name.
    pub fn make_nested(&mut self, entity: Entity, parent: Entity, field: &str) -> Option<String> {
        let whole = self.make(&format!("{}Fields", pascal(entity.as_str())), View::Input);
        let mut schema = self.made.get(&whole)?.clone();
        schema["properties"].as_object_mut()?.remove(field);
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|name| name != field);
        }
        let own = format!("{}{}Input", pascal(parent.as_str()), pascal(entity.as_str()));
        self.made.insert(own.clone(), schema);
        Some(own)
    }

    /// The input of a kind of record of which nothing is required, since what it leaves out is known. Returns its name.
    fn make_optional(&mut self, fields: &str) -> String {
        let whole = self.make(fields, View::Input);
        let own = format!("Optional{whole}");
        if let Some(mut schema) = self.made.get(&whole).cloned() {
            if let Some(object) = schema.as_object_mut() {
                object.remove("required");
            }
            self.made.insert(own.clone(), schema);
        }
        own
    }

    /// Turns a schema that was collected into the one of a view.
    pub fn rewrite(&mut self, schema: &mut Value, view: View) {
        match schema {
            Value::Object(object) => {
                if let Some(reference) = object.get("$ref").and_then(Value::as_str).map(str::to_owned) {
                    let name = self.make(name_of(&reference), view);
                    object.insert("$ref".to_owned(), json!(reference_to(&name)));
                }
                if let Some(Value::String(fields)) = object.remove("x-patch-of") {
                    let name = self.make(&fields, View::Patch);
                    object.remove("type");
                    object
                        .insert("oneOf".to_owned(), json!([{ "type": "null" }, { "$ref": reference_to(&name) }]));
                    return;
                }
                // A kind, the one under which it is created, and the field that refers to that.
                if let Some(Value::Array(nested)) = object.remove("x-input-under") {
                    let [kind, parent, field] = [0, 1, 2].map(|place| nested.get(place).and_then(Value::as_str));
                    let of = |name: Option<&str>| name.and_then(Entity::parse);
                    if let (Some(kind), Some(parent), Some(field)) = (of(kind), of(parent), field)
                        && let Some(name) = self.make_nested(kind, parent, field)
                    {
                        object.clear();
                        object.insert("$ref".to_owned(), json!(reference_to(&name)));
                    }
                    return;
                }
                if let Some(Value::String(fields)) = object.remove("x-optional-input-of") {
                    let name = self.make_optional(&fields);
                    object.remove("type");
                    object
                        .insert("oneOf".to_owned(), json!([{ "type": "null" }, { "$ref": reference_to(&name) }]));
                    return;
                }
                if object.get("properties").is_some_and(Value::is_object) {
                    self.rewrite_object(object, view);
                } else if is_free_object(object) {
                    object.insert("additionalProperties".to_owned(), json!({}));
                }
                for (key, member) in object.iter_mut() {
                    match key.as_str() {
                        // A list is replaced as a whole, so its items are whole too.
                        "items" if view == View::Patch => self.rewrite(member, View::Input),
                        "additionalProperties" if view == View::Patch => {
                            self.rewrite(member, view);
                            if member.is_object() {
                                make_nullable(member);
                            }
                        }
                        "items" | "additionalProperties" | "oneOf" | "anyOf" => self.rewrite(member, view),
                        _ => {}
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.rewrite(item, view)),
            _ => {}
        }
    }

    fn rewrite_object(&mut self, object: &mut Map<String, Value>, view: View) {
        let Some(Value::Object(properties)) = object.get_mut("properties") else { return };
        let is_set = |property: &Value, key: &str| property.get(key) == Some(&Value::Bool(true));
        if view != View::Answer {
            properties.retain(|_, property| !is_set(property, "readOnly"));
        }
        // What is sent to create a record, and is no part of it.
        if view != View::Input {
            properties.retain(|_, property| !is_set(property, "writeOnly"));
        }
        for property in properties.values_mut() {
            self.rewrite(property, view);
            if view == View::Patch {
                make_nullable(property);
            }
        }
        let required = object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let Some(Value::Object(properties)) = object.get_mut("properties") else { return };
        for (name, property) in properties.iter_mut() {
            // A required field has no default, and neither has one in an answer. That nothing is the default of what may
            // be absent is obvious, and makes generated clients demand it.
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
        match view {
            View::Answer => {
                let optional =
                    object.remove("x-optional").and_then(|names| names.as_array().cloned()).unwrap_or_default();
                let Some(Value::Object(properties)) = object.get("properties") else { return };
                let names = properties.keys().cloned().map(Value::String);
                let names: Vec<Value> = names.filter(|name| !optional.contains(name)).collect();
                object.insert("required".to_owned(), names.into());
            }
            View::Input => {
                object.insert("additionalProperties".to_owned(), json!(false));
                let names: BTreeSet<String> = object
                    .get("properties")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name.clone())
                    .collect();
                if let Some(Value::Array(required)) = object.get_mut("required") {
                    required.retain(|name| name.as_str().is_some_and(|name| names.contains(name)));
                }
            }
            View::Patch => {
                object.remove("required");
                object.insert("additionalProperties".to_owned(), json!(false));
            }
        }
    }
}

/// The paths of the fields that the server sets, in which `*` stands for any key of a map.
pub fn read_only_paths(views: &Views, name: &str) -> Vec<Vec<String>> {
    fn walk(views: &Views, schema: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        if let Some(reference) = schema["$ref"].as_str() {
            // No schema of ours refers to itself; the depth is a precaution.
            if path.len() < 8
                && let Some(target) = views.collected.get(name_of(reference))
            {
                walk(views, target, path, found);
            }
            return;
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            path.push(name.clone());
            if property["readOnly"] == json!(true) {
                found.push(path.clone());
            } else {
                walk(views, property, path, found);
            }
            path.pop();
        }
        if schema["additionalProperties"].is_object() {
            path.push("*".to_owned());
            walk(views, &schema["additionalProperties"], path, found);
            path.pop();
        }
        for branch in schema["oneOf"].as_array().into_iter().flatten() {
            walk(views, branch, path, found);
        }
    }
    let mut found = Vec::new();
    if let Some(schema) = views.collected.get(name) {
        walk(views, schema, &mut Vec::new(), &mut found);
    }
    found
}

/// `#[serde(flatten)]` is collected as `allOf`; one object is easier to read and can be closed.
fn merged(schema: &Value, all: &Map<String, Value>) -> Value {
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
fn flatten_all_of(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(flatten_all_of);
            let is_plain = |part: &Value| part.get("$ref").is_none() && part.get("properties").is_none();
            if let Some(Value::Array(parts)) = object.get("allOf")
                && parts.iter().all(is_plain)
            {
                let parts = parts.clone();
                object.remove("allOf");
                let parts = parts.into_iter().filter_map(|part| part.as_object().cloned());
                parts.for_each(|part| object.extend(part));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(flatten_all_of),
        _ => {}
    }
}

/// The description of a nullable value is collected beside its `$ref`, where generators that read OpenAPI 3.0 ignore it.
fn hoist_descriptions(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(hoist_descriptions);
            let branches = object.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten();
            let referring = branches.filter_map(Value::as_object_mut).find(|branch| branch.contains_key("$ref"));
            if let Some(description) = referring.and_then(|branch| branch.remove("description")) {
                object.entry("description").or_insert(description);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hoist_descriptions),
        _ => {}
    }
}

/// A list that the server sets is collected with its items being so.
fn hoist_read_only(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(hoist_read_only);
            let items = object.get_mut("items").and_then(Value::as_object_mut);
            if let Some(read_only) = items.and_then(|items| items.remove("readOnly")) {
                object.insert("readOnly".to_owned(), read_only);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hoist_read_only),
        _ => {}
    }
}

/// The name in `#/components/schemas/<name>`.
pub fn name_of(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

pub fn reference_to(name: &str) -> String {
    format!("#/components/schemas/{name}")
}

/// Adds a sentence to the description of a schema or an operation.
pub fn append_description(described: &mut Value, more: &str) {
    let own = described["description"].as_str().map(|own| format!("{own} {more}"));
    described["description"] = json!(own.unwrap_or_else(|| more.to_owned()));
}

/// Lists the values of an enumeration without excluding others.
fn open(schema: &mut Value) {
    if let Some(object) = schema.as_object_mut()
        && let Some(values) = object.remove("enum")
    {
        object.insert("x-extensible-enum".to_owned(), values);
    }
}

/// How many records may refer to one, in a sentence each, for the operations that create such records.
pub fn limits_of(entity: Entity) -> Vec<String> {
    let limited = REFERENCES.iter().filter(|reference| reference.from == entity);
    limited
        .filter_map(|reference| {
            let most = pluralize(reference.most?, &entity.words(), &entity.plural_words());
            let field = reference.pointer.strip_prefix('/')?;
            let target = reference.to.words();
            Some(match reference.join {
                Some(_) => {
                    format!(
                        "At most {most} can have the same {target} in `{field}`; one more is rejected with 422."
                    )
                }
                None => {
                    format!(
                        "At most {most} can have the same {target} as `{field}`; one more is rejected with 422."
                    )
                }
            })
        })
        .collect()
}

/// The same at the fields that refer to it.
fn describe_limits(entity: Entity, schema: &mut Value) {
    for reference in REFERENCES.iter().filter(|reference| reference.from == entity) {
        let (Some(most), Some(field)) = (reference.most, reference.pointer.strip_prefix('/')) else { continue };
        if schema["properties"].get(field).is_none() {
            continue;
        }
        let most = pluralize(most, &entity.words(), &entity.plural_words());
        append_description(
            &mut schema["properties"][field],
            &format!("At most {most} can refer to the same one."),
        );
    }
}

/// An object without any declared properties may hold anything; said outright, for generators that take it to be empty. By a
/// schema that allows everything, since those for Kotlin read `true` as everything but null.
fn is_free_object(object: &Map<String, Value>) -> bool {
    let kind = object.get("type");
    let is_object = kind == Some(&json!("object")) || kind == Some(&json!(["object", "null"]));
    is_object && !object.contains_key("additionalProperties")
}

/// `duplicate_dismissal` as `DuplicateDismissal`.
pub fn pascal(name: &str) -> String {
    let upper = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    name.split('_').map(upper).collect()
}

fn make_nullable(schema: &mut Value) {
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
