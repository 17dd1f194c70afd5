//! The field that was probably meant by a name that is none.

use serde_json::Value;
use std::collections::HashMap;

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

    /// The field with the most similar name, if one is similar: it may be written in another style (`givenName`), or at most
    /// a third of its characters may be missing, swapped, wrong or too many.
    pub fn similar(&self, path: &str, name: &str) -> Option<&str> {
        let sent = letters(name);
        // A longer name is not worth the comparison.
        if sent.len() > MAX_LENGTH {
            return None;
        }
        let distance = |field: &str| strsim::damerau_levenshtein(&sent, &letters(field));
        let fields = self.0.get(path)?.iter().map(|field| (distance(field), field));
        let (distance, field) = fields.min_by_key(|(distance, _)| *distance)?;
        (distance * 3 <= field.len().max(3)).then_some(field.as_str())
    }
}

const REFUSES_OTHERS: &str = "additionalProperties";
const MAX_LENGTH: usize = 64;

fn letters(name: &str) -> String {
    name.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

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
            (top, "givenName", Some("given_name")),
            (top, "Given-Name", Some("given_name")),
            (top, "given_nmae", Some("given_name")),
            (top, "email", Some("emails")),
            (top, "label", None),
            (top, "versoin", None),
            (top, "x", None),
            (top, "", None),
            (in_emails, "lable", Some("label")),
            (in_emails, "emails", None),
            ("/nowhere", "label", None),
        ] {
            assert_eq!(names.similar(path, name), expected, "{name} at {path}");
        }
        assert_eq!(names.similar(top, &"given_name".repeat(100)), None);
    }
}
