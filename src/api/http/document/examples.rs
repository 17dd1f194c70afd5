//! The examples in the document: of answers, of errors, and of parameters whose schema says enough.

use serde_json::{Map, Value, json};

use crate::api::http::messages::problem::{Code, Problem};
use crate::domain::id::EXAMPLE_ID;

/// Answers by the name of their schema, and texts by the id of the operation, as a test has received and written them.
const ANSWERS: &str = include_str!("../../../../openapi/examples.json");

/// What only a server can make, as it looks.
pub const FEED_SECRET: &str = "wm_cal_5hYQJ4mRZ0l1w0c8oS2pTn3vXe7bKd4uFgA6";
pub const UNSUBSCRIBE_TOKEN: &str = "AZOdXowAcACAAAAAAAAAoV5hYQJ4mRZ0l1w0c8oS2pTn3vXe7bKd9uFgA6iLxEqW";

/// The examples of answers, by name.
pub struct AnswerExamples(Map<String, Value>);

impl AnswerExamples {
    pub fn read() -> Result<Self, serde_json::Error> {
        Ok(Self(serde_json::from_str(ANSWERS)?))
    }

    /// The `examples` of a media type; none if there is no example of this name.
    pub fn examples_of(&self, name: &str) -> Option<Value> {
        let reference = json!({ "$ref": format!("#/components/examples/{name}") });
        self.0.contains_key(name).then(|| json!({ "answer": reference }))
    }

    /// All of `components.examples`: a problem of each code, and the answers.
    pub fn into_components(self) -> Value {
        let answers = self.0.into_iter().map(|(name, body)| (name, json!({ "value": body })));
        Value::Object(Code::ALL.iter().map(of_problem).chain(answers).collect())
    }
}

fn of_problem(code: &Code) -> (String, Value) {
    let body = Problem::new(*code).to_json(Some("urn:uuid:01939d5e-8c00-7000-8000-0000000000ff"));
    (code.as_str().to_owned(), json!({ "value": body }))
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
