//! A query parameter, as the document describes it.

use serde_json::{Value, json};
use std::borrow::Cow;

use super::messages::cursor;
use crate::domain::entity::Entity;

/// A query parameter.
pub struct Parameter {
    pub name: Cow<'static, str>,
    pub description: Cow<'static, str>,
    pub schema: Value,
    pub example: Option<Value>,
    /// Whether `/docs` fills the example in, and so sends it unless it is removed.
    pub is_filled_in: bool,
    pub required: bool,
}

impl Parameter {
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        description: impl Into<Cow<'static, str>>,
        schema: Value,
    ) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            schema,
            example: None,
            is_filled_in: false,
            required: false,
        }
    }

    #[must_use]
    pub fn example(mut self, example: Value) -> Self {
        self.example = Some(example);
        self
    }

    /// Of parameters of which one is needed, the first.
    #[must_use]
    pub fn filled_in(mut self, example: Value) -> Self {
        self.is_filled_in = true;
        self.example(example)
    }

    /// Of parameters of which only one can be sent, one that is not the first.
    #[must_use]
    pub fn instead_of(mut self, others: &[&str], example: Value) -> Self {
        if let Some(schema) = self.schema.as_object_mut() {
            schema.insert("x-excludes".to_owned(), json!(others));
        }
        self.example(example)
    }

    #[must_use]
    pub fn required(mut self) -> Self {
        (self.required, self.is_filled_in) = (true, true);
        self
    }

    /// `true` or `false`; false when absent.
    pub fn flag(name: &'static str, description: &'static str) -> Self {
        Self::new(name, description, json!({ "type": "boolean", "default": false }))
    }

    pub fn dry_run(description: &'static str) -> Self {
        Self::flag("dry_run", description)
    }

    pub fn cursor() -> Self {
        let description =
            "`next_cursor` of the previous page. It is bound to the workspace, the filters and the sort.";
        Self::new("cursor", description, json!({ "type": "string", "maxLength": 2048 }))
            .example(json!(cursor::EXAMPLE))
    }

    pub fn limit(description: &'static str, default: i64, max: i64) -> Self {
        let schema = json!({ "type": "integer", "minimum": 1, "maximum": max, "default": default });
        Self::new("limit", description, schema)
    }

    pub fn text(name: &'static str, description: &'static str, min_length: usize, max_length: usize) -> Self {
        let schema = json!({ "type": "string", "minLength": min_length, "maxLength": max_length });
        Self::new(name, description, schema)
    }

    pub fn id(name: &'static str, description: &'static str, entity: Entity) -> Self {
        let schema = json!({ "type": "string", "format": "uuid", "x-entity": entity.as_str() });
        Self::new(name, description, schema)
    }
}
