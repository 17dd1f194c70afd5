//! Maps with client-chosen keys, as in JSContact (RFC 9553), so that a merge patch can edit a single entry. What
//! an entry is, is not known here.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use utoipa::ToSchema;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};

/// The pattern of a key.
const KEY_PATTERN: &str = "^[A-Za-z0-9_-]{1,64}$";
/// Most entries of a map.
pub const MAX_ENTRIES: usize = 50;

/// A map from client-chosen keys to entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Keyed<T>(BTreeMap<String, T>);

impl<T> Default for Keyed<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'a, T> IntoIterator for &'a Keyed<T> {
    type Item = (&'a String, &'a T);
    type IntoIter = std::collections::btree_map::Iter<'a, String, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T> Deref for Keyed<T> {
    type Target = BTreeMap<String, T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> DerefMut for Keyed<T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

// What the derive writes for a generic type; it has no public name.
impl<T: ToSchema> utoipa::__dev::ComposeSchema for Keyed<T> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let keys = ObjectBuilder::new().schema_type(Type::String).pattern(Some(KEY_PATTERN)).build();
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property_names(Some(Schema::Object(keys)))
            .max_properties(Some(MAX_ENTRIES))
            .additional_properties(Some(AdditionalProperties::RefOr(RefOr::Ref(Ref::from_schema_name(T::name())))))
            .into()
    }
}

impl<T: ToSchema> ToSchema for Keyed<T> {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}
