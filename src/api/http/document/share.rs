//! What is repeated in the document becomes a component that is referred to.

#![allow(
    clippy::indexing_slicing,
    reason = "an index into a JSON value reads null where nothing is, and creates what it writes"
)]
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

use crate::service::validation::views::{name_of, pascal, reference_to};

/// Moves parameters and answers that occur more than once into the components, and drops components that nothing refers to.
pub fn share(document: &mut Value) {
    let mut parameters = Shared::default();
    let mut responses = Shared::default();
    for_each_operation(document, |operation| {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            parameters.count(parameter);
        }
        let answers = operation["responses"].as_object().into_iter().flatten();
        answers.for_each(|(_, response)| responses.count(response));
    });
    for_each_operation(document, |operation| {
        if let Some(all) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
            for parameter in all {
                let name = parameter["name"].as_str().map(parameter_name).unwrap_or_default();
                parameters.replace(parameter, &name, "parameters");
            }
        }
        let answers = operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten();
        for (status, response) in answers {
            let name = response_name(status, response);
            responses.replace(response, &name, "responses");
        }
    });
    if let Some(components) = document["components"].as_object_mut() {
        components.insert("parameters".to_owned(), parameters.into_components());
        components.insert("responses".to_owned(), responses.into_components());
    }
    join_equal_schemas(document);
    drop_unused(document);
}

/// What a patch of a part is like that says no more than the whole of it: one schema is enough.
fn join_equal_schemas(document: &mut Value) {
    let schemas = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
    let joined: BTreeMap<String, String> = schemas
        .iter()
        .filter_map(|(name, schema)| {
            let input = format!("{}Input", name.strip_suffix("Patch")?);
            (schemas.get(&input)? == schema).then(|| (reference_to(name), reference_to(&input)))
        })
        .collect();
    rename_references(document, &joined);
}

fn rename_references(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::Object(object) => {
            if let Some(reference) = object.get_mut("$ref")
                && let Some(name) = reference.as_str().and_then(|reference| names.get(reference))
            {
                *reference = json!(name);
            }
            object.values_mut().for_each(|member| rename_references(member, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename_references(item, names)),
        _ => {}
    }
}

pub fn for_each_operation(document: &mut Value, mut work: impl FnMut(&mut Value)) {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (_, path) in paths {
        path.as_object_mut().into_iter().flatten().for_each(|(_, operation)| work(operation));
    }
}

/// Parts of operations that may occur more than once.
#[derive(Default)]
struct Shared {
    counts: BTreeMap<String, usize>,
    /// The name of each part that is shared, by its text.
    names: BTreeMap<String, String>,
    components: BTreeMap<String, Value>,
}

impl Shared {
    fn count(&mut self, part: &Value) {
        *self.counts.entry(part.to_string()).or_default() += 1;
    }

    /// Replaces a part that occurs more than once by a reference.
    fn replace(&mut self, part: &mut Value, wanted_name: &str, kind: &str) {
        let text = part.to_string();
        if self.counts.get(&text).is_none_or(|count| *count < 2) {
            return;
        }
        let name = self.names.entry(text).or_insert_with(|| {
            let numbered = |number: usize| match number {
                1 => wanted_name.to_owned(),
                number => format!("{wanted_name}{number}"),
            };
            (1..).map(numbered).find(|name| !self.components.contains_key(name)).unwrap_or_default()
        });
        let reference = json!({ "$ref": format!("#/components/{kind}/{name}") });
        self.components.insert(name.clone(), std::mem::replace(part, reference));
    }

    fn into_components(self) -> Value {
        Value::Object(self.components.into_iter().collect())
    }
}

/// `organization_id[ne]` as `OrganizationIdNe`.
fn parameter_name(name: &str) -> String {
    pascal(&name.replace(['[', '-'], "_").replace(']', ""))
}

/// The codes of an error, such as `IdTakenOrDeleted`; of another answer what it holds, such as `ContactCreated`.
fn response_name(status: &str, response: &Value) -> String {
    let examples = response.pointer("/content/application~1problem+json/examples").and_then(Value::as_object);
    let codes: Vec<String> = examples.into_iter().flatten().map(|(code, _)| pascal(code)).collect();
    if !codes.is_empty() {
        return codes.join("Or");
    }
    let schema = response.pointer("/content/application~1json/schema/$ref").and_then(Value::as_str);
    let noun = schema.map(name_of).unwrap_or_default();
    let event = match status {
        "200" => "",
        "201" => "Created",
        "202" => "Accepted",
        "204" => "NoContent",
        "304" => "NotModified",
        other => return format!("{noun}Status{other}"),
    };
    if noun.is_empty() && event.is_empty() { "Text".to_owned() } else { format!("{noun}{event}") }
}

fn drop_unused(document: &mut Value) {
    let (mut open, mut met) = (Vec::new(), BTreeSet::new());
    references(&document["paths"], &mut open);
    while let Some(reference) = open.pop() {
        if met.insert(reference.clone())
            && let Some(target) = document.pointer(reference.trim_start_matches('#'))
        {
            references(target, &mut open);
        }
    }
    for kind in ["examples", "headers", "parameters", "responses", "schemas"] {
        if let Some(components) = document["components"][kind].as_object_mut() {
            let used: Map<String, Value> = std::mem::take(components)
                .into_iter()
                .filter(|(name, _)| met.contains(&format!("#/components/{kind}/{name}")))
                .collect();
            *components = used;
        }
    }
}

/// Everything that a value refers to.
pub fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}
