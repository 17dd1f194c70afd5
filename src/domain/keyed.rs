//! Maps with client-chosen keys, as in JSContact (RFC 9553), so that a merge patch can edit a single entry. What
//! an entry is, is not known here.

use litemap::LiteMap;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use utoipa::ToSchema;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};

/// The pattern of a key.
const KEY_PATTERN: &str = "^[A-Za-z0-9_-]{1,64}$";
/// Most entries of a map.
pub const MAX_ENTRIES: usize = 50;

/// A map from client-chosen keys to entries, sorted by key. Most have one or two: a `BTreeMap` takes room for eleven at once,
/// 2 kB each, which was a tenth of the CPU of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed<T>(LiteMap<String, T>);

impl<T> Default for Keyed<T> {
    fn default() -> Self {
        Self(LiteMap::new())
    }
}

// An empty `LiteMap` is written as an array.
impl<T: Serialize> Serialize for Keyed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Keyed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

struct Entries<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
    type Value = Keyed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = LiteMap::new();
        while let Some((key, entry)) = map.next_entry()? {
            entries.insert(key, entry);
        }
        Ok(Keyed(entries))
    }
}

impl<'a, T> IntoIterator for &'a Keyed<T> {
    type Item = (&'a String, &'a T);
    type IntoIter = <&'a LiteMap<String, T> as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T> Deref for Keyed<T> {
    type Target = LiteMap<String, T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> DerefMut for Keyed<T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// The schema of a map with such keys.
fn schema_of<T: ToSchema>(pattern: &str) -> RefOr<Schema> {
    let keys = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).build();
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property_names(Some(Schema::Object(keys)))
        .max_properties(Some(MAX_ENTRIES))
        .additional_properties(Some(AdditionalProperties::RefOr(RefOr::Ref(Ref::from_schema_name(T::name())))))
        .into()
}

// What the derive writes for a generic type; it has no public name.
impl<T: ToSchema> utoipa::__dev::ComposeSchema for Keyed<T> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        schema_of::<T>(KEY_PATTERN)
    }
}

/// The pattern of a key that is a day.
pub const DAY_PATTERN: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

/// The schema of a [`Keyed`] map whose keys are days.
pub struct ByDay<T>(PhantomData<T>);

// As above.
impl<T: ToSchema> utoipa::__dev::ComposeSchema for ByDay<T> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        schema_of::<T>(DAY_PATTERN)
    }
}

impl<T: ToSchema> ToSchema for ByDay<T> {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Keyed::<T>::schemas(schemas);
    }
}

impl<T: ToSchema> ToSchema for Keyed<T> {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}
