//! A record of any kind: an object with one property, named after the kind. Generated clients get it typed, and a kind that
//! is added later is one more property.

use serde::{Serialize, Serializer};
use serde_json::{Map, json};
use utoipa::openapi::{RefOr, Schema};

use crate::domain::entity::Entity;
use crate::service::validation::views::{pascal, reference_to, written};

/// A record under the name of its kind.
pub struct Keyed<T>(pub Entity, pub T);

impl<T: Serialize> Serialize for Keyed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0.as_str(), &self.1)])
    }
}

/// The schema of a record of any of these kinds, whole or as its `Summary`.
pub fn schema(entities: &[Entity], suffix: &str, description: &str) -> RefOr<Schema> {
    let property = |entity: &Entity| {
        let reference = json!({ "$ref": reference_to(&format!("{}{suffix}", pascal(entity.as_str()))) });
        (entity.as_str().to_owned(), reference)
    };
    let names: Vec<&str> = entities.iter().map(|entity| entity.as_str()).collect();
    written(json!({
        "type": "object",
        "description": format!("{description} It has exactly one property, named after the kind of record. Kinds may \
                                be added within v1."),
        "properties": entities.iter().map(property).collect::<Map<_, _>>(),
        "x-optional": names,
    }))
}
