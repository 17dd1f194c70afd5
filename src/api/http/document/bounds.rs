//! Bounds that hold in every schema: of numbers, texts and lists that say none themselves, and of what no text can hold.

#![allow(
    clippy::indexing_slicing,
    reason = "an index into a JSON value reads null where nothing is, and creates what it writes"
)]

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

use super::share::{for_each_operation, references};
use crate::service::validation::views::name_of;

/// No text that is sent can hold U+0000: it is looked for before a schema is, in bodies and in query strings.
pub const NO_NUL: &str = r"^[^\u0000]*$";

/// The largest whole number that every reader of JSON keeps exactly (RFC 8259, section 6).
const MAX_NUMBER: i64 = (1 << 53) - 1;
/// Of an answer. The longest text of a record has as many.
const MAX_CHARACTERS: usize = 100_000;
/// Of an answer. The longest list is that of the records of one write.
const MAX_ITEMS: usize = 10_000;
/// Of a value of an enumeration that may grow.
const MAX_ENUM_CHARACTERS: usize = 64;

/// Adds the bounds to the whole document.
pub fn add(document: &mut Value) {
    let sent = request_schemas(document);
    let mut pages = Vec::new();
    for_each_operation(document, |operation| {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten();
        let mut limit = None;
        for parameter in parameters {
            if parameter["name"] == "limit" {
                limit = parameter["schema"]["maximum"].as_u64();
            }
            if parameter["in"] == "query" {
                visit(&mut parameter["schema"], &mut forbid_nul);
            }
            visit(&mut parameter["schema"], &mut bound);
        }
        let answered = operation.pointer("/responses/200/content/application~1json/schema/$ref");
        if let (Some(limit), Some(answered)) = (limit, answered.and_then(Value::as_str)) {
            pages.push((name_of(answered).to_owned(), limit));
        }
    });
    for (name, limit) in pages {
        let items = document.pointer_mut(&format!("/components/schemas/{name}/properties/items"));
        if let Some(items) = items.and_then(Value::as_object_mut) {
            items.entry("maxItems").or_insert(json!(limit));
        }
    }
    let headers = document["components"]["headers"].as_object_mut().into_iter().flatten();
    headers.for_each(|(_, header)| visit(&mut header["schema"], &mut bound));
    let schemas = document["components"]["schemas"].as_object_mut().into_iter().flatten();
    for (name, schema) in schemas {
        if sent.contains(name) {
            visit(schema, &mut forbid_nul);
        }
        visit(schema, &mut bound);
    }
}

/// The names of the schemas that bodies of requests consist of.
fn request_schemas(document: &mut Value) -> BTreeSet<String> {
    let (mut open, mut met) = (Vec::new(), BTreeSet::new());
    for_each_operation(document, |operation| references(&operation["requestBody"], &mut open));
    while let Some(reference) = open.pop() {
        let name = name_of(&reference).to_owned();
        if met.insert(name.clone()) {
            references(&document["components"]["schemas"][&name], &mut open);
        }
    }
    met
}

/// Does something to a schema and to all that are written within it.
fn visit(schema: &mut Value, work: &mut impl FnMut(&mut Map<String, Value>)) {
    let Some(object) = schema.as_object_mut() else { return };
    work(object);
    for (key, member) in object.iter_mut() {
        match key.as_str() {
            "items" | "additionalProperties" | "propertyNames" => visit(member, work),
            "oneOf" | "anyOf" => {
                member.as_array_mut().into_iter().flatten().for_each(|branch| visit(branch, work))
            }
            "properties" => {
                let properties = member.as_object_mut().into_iter().flatten();
                properties.for_each(|(_, property)| visit(property, work));
            }
            _ => {}
        }
    }
}

fn has_type(schema: &Map<String, Value>, wanted: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(own)) => own == wanted,
        Some(Value::Array(all)) => all.iter().any(|own| own == wanted),
        _ => false,
    }
}

fn has_any_keyword(schema: &Map<String, Value>, names: &[&str]) -> bool {
    names.iter().any(|name| schema.contains_key(*name))
}

fn forbid_nul(schema: &mut Map<String, Value>) {
    if has_type(schema, "string") && !has_any_keyword(schema, &["enum", "format", "pattern", "x-extensible-enum"])
    {
        schema.insert("pattern".to_owned(), json!(NO_NUL));
    }
}

fn bound(schema: &mut Map<String, Value>) {
    if has_type(schema, "integer") {
        let largest = schema.get("maximum").and_then(Value::as_i64).unwrap_or(MAX_NUMBER);
        let is_small = i32::try_from(largest).is_ok();
        let format = schema.entry("format").or_insert_with(|| json!(if is_small { "int32" } else { "int64" }));
        let largest = if *format == "int32" { i64::from(i32::MAX) } else { MAX_NUMBER };
        schema.entry("minimum").or_insert(json!(0));
        schema.entry("maximum").or_insert(json!(largest));
    }
    if has_type(schema, "array") {
        schema.entry("maxItems").or_insert(json!(MAX_ITEMS));
    }
    // A day, an instant and an id are as long as their format is, and what has a pattern says more than a length.
    let is_bounded = has_any_keyword(schema, &["enum", "format", "contentMediaType"])
        || schema.get("pattern").is_some_and(|pattern| pattern != NO_NUL);
    if has_type(schema, "string") && !is_bounded {
        let is_enum = schema.contains_key("x-extensible-enum");
        let most = if is_enum { MAX_ENUM_CHARACTERS } else { MAX_CHARACTERS };
        schema.entry("maxLength").or_insert(json!(most));
    }
}
