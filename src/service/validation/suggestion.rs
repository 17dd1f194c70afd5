//! The field that was probably meant by a name that is none.

use serde_json::Value;
use std::collections::HashMap;

use crate::domain::text::similar;

/// The names of the fields that can be sent, by the place in the schema that refuses others.
#[derive(Debug, Default)]
pub struct FieldNames(HashMap<String, Vec<String>>);

impl FieldNames {
    pub fn of(schema: &Value) -> Self {
        let mut names = Self::default();
        names.collect(schema, "");
        names
    }

    fn collect(&mut self, schema: &Value, path: &str) {
        match schema {
            Value::Object(members) => {
                if let Some(fields) = members.get("properties").and_then(Value::as_object)
                    && members.contains_key(REFUSES_OTHERS)
                {
                    let can_be_sent = |field: &&String| fields[*field].get("readOnly") != Some(&Value::Bool(true));
                    let names = fields.keys().filter(can_be_sent).cloned().collect();
                    self.0.insert(format!("{path}/{REFUSES_OTHERS}"), names);
                }
                for (name, member) in members {
                    self.collect(member, &format!("{path}/{}", crate::domain::invalid::escape(name)));
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.collect(item, &format!("{path}/{index}"));
                }
            }
            _ => {}
        }
    }

    /// The field with a similar name, if there is one.
    pub fn similar(&self, path: &str, name: &str) -> Option<&str> {
        similar(name, self.0.get(path)?.iter().map(String::as_str))
    }
}

const REFUSES_OTHERS: &str = "additionalProperties";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_similar_name_is_suggested_and_no_other() {
        let nested = json!({"properties": {"label": {}}, "additionalProperties": false});
        let schema = json!({
            "properties": {"given_name": {}, "version": {"readOnly": true}, "emails": {"additionalProperties": nested}},
            "additionalProperties": false,
        });
        let names = FieldNames::of(&schema);
        let (top, in_emails) =
            ("/additionalProperties", "/properties/emails/additionalProperties/additionalProperties");
        for (path, name, expected) in [
            (top, "given_nmae", Some("given_name")),
            (top, "label", None),
            (top, "versoin", None),
            (in_emails, "lable", Some("label")),
            (in_emails, "emails", None),
            ("/nowhere", "label", None),
        ] {
            assert_eq!(names.similar(path, name), expected, "{name} at {path}");
        }
    }
}
