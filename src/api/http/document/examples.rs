//! The examples in the document: of answers, of errors, and of parameters whose schema says enough.

use serde_json::{Map, Value, json};

use crate::api::http::messages::problem::{Code, Problem};
use crate::domain::id::EXAMPLE_ID;

/// Answers by the name of their schema, and texts by the id of the operation, as a test has received and written them.
const ANSWERS: &str = include_str!("../../../../openapi/examples.json");

/// What only a server can make, as it looks.
pub const FEED_SECRET: &str = "wm_cal_5hYQJ4mRZ0l1w0c8oS2pTn3vXe7bKd4uFgA6";
pub const UNSUBSCRIBE_TOKEN: &str = "AZOdXowAcACAAAAAAAAAoV5hYQJ4mRZ0l1w0c8oS2pTn3vXe7bKd9uFgA6iLxEqW";

/// All that is referred to: a problem of each code, and the answers.
pub fn all() -> Result<Value, serde_json::Error> {
    let answers: Map<String, Value> = serde_json::from_str(ANSWERS)?;
    let answers = answers.into_iter().map(|(name, body)| (name, json!({ "value": body })));
    Ok(Value::Object(Code::ALL.iter().map(of_problem).chain(answers).collect()))
}

fn of_problem(code: &Code) -> (String, Value) {
    let body = Problem::new(*code).to_json(Some("urn:uuid:01939d5e-8c00-7000-8000-0000000000ff"));
    (code.as_str().to_owned(), json!({ "value": body }))
}

/// The reference to the example of an answer, if one was received.
pub fn of_answer(name: &str) -> Option<Value> {
    let answers: Map<String, Value> = serde_json::from_str(ANSWERS).ok()?;
    let reference = json!({ "$ref": format!("#/components/examples/{name}") });
    answers.contains_key(name).then(|| json!({ "answer": reference }))
}

/// An example of a parameter, where its type and format say enough to make one up.
pub fn of_schema(schema: &Value) -> Option<Value> {
    let word = |name: &str| schema.get(name).and_then(Value::as_str);
    if let Some(items) = schema.get("items") {
        return of_schema(items).map(|item| json!([item]));
    }
    match (word("type")?, word("format")) {
        (_, Some("uuid")) => Some(json!(EXAMPLE_ID)),
        (_, Some("date")) => Some(json!("2026-03-02")),
        (_, Some("date-time")) => Some(json!("2026-03-02T09:00:00Z")),
        ("integer", _) => schema.get("default").or_else(|| schema.get("minimum")).cloned(),
        _ => None,
    }
}
