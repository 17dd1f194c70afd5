//! Requests checked against the schemas that the document publishes, and read as their types. What depends on stored
//! state is not checked here.

mod errors;
mod suggestion;
pub mod views;

use jsonschema::Validator;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use utoipa::ToSchema;

use self::suggestion::FieldNames;
use self::views::{View, Views, collect, read_only_paths, reference_to};
use crate::domain::invalid::{FieldCode, Invalid, escape};

/// The schema of one type, ready to check values with. Compiled with only what it refers to: a copy of the whole document
/// in each of them once took 66 MB.
struct Compiled {
    validator: Validator,
    read_only: Vec<Vec<String>>,
    field_names: FieldNames,
}

type Registry = RwLock<HashMap<(TypeId, View), Result<Arc<Compiled>, String>>>;

/// Those that were needed so far.
static COMPILED: LazyLock<Registry> = LazyLock::new(Registry::default);

fn compiled<T: ToSchema + 'static>(view: View) -> Result<Arc<Compiled>, Invalid> {
    let key = (TypeId::of::<T>(), view);
    let known = COMPILED.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    let compiled = known.unwrap_or_else(|| {
        let made = compile::<T>(view).map(Arc::new);
        COMPILED.write().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert(made).clone()
    });
    // One that cannot be compiled refuses everything, so that nothing passes unchecked; a test compiles all of them.
    compiled.map_err(|error| Invalid::one("#", FieldCode::InvalidFormat, error))
}

fn compile<T: ToSchema>(view: View) -> Result<Compiled, String> {
    let mut schemas = Vec::new();
    collect::<T>(&mut schemas);
    let mut views = Views::new(schemas).map_err(|error| error.to_string())?;
    let read_only = read_only_paths(&views, &T::name());
    let name = views.make(&T::name(), view);
    let schema = serde_json::json!({
        "$ref": reference_to(&name),
        "components": { "schemas": views.into_made() },
    });
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .map_err(|error| format!("schema {name}: {error}"))?;
    Ok(Compiled { validator, read_only, field_names: FieldNames::of(&schema) })
}

/// What is wrong with the structure of a value; the first 100 errors.
pub fn validate<T: ToSchema + 'static>(view: View, value: &Value) -> Invalid {
    let compiled = match compiled::<T>(view) {
        Ok(compiled) => compiled,
        Err(invalid) => return invalid,
    };
    let mut invalid = Invalid::default();
    for error in compiled.validator.iter_errors(value) {
        errors::add(&error, &compiled.field_names, &mut invalid);
        if invalid.truncated {
            break;
        }
    }
    invalid
}

/// The value as a `T`, or what is wrong with it.
pub fn check<T: ToSchema + DeserializeOwned + 'static>(value: &Value) -> Result<T, Invalid> {
    validate::<T>(View::Input, value).into_result(())?;
    read(value.clone())
}

/// As [`check`], then by rules that no schema can express. The errors of both are reported together, as far as the value
/// can be read at all; for each place only the first.
pub fn parse<T: ToSchema + DeserializeOwned + 'static, U>(
    value: &Value,
    rules: impl FnOnce(T) -> Result<U, Invalid>,
) -> Result<U, Invalid> {
    let mut invalid = validate::<T>(View::Input, value);
    if invalid.is_empty() {
        return rules(read(value.clone())?);
    }
    let wrong: HashSet<String> =
        invalid.errors.iter().filter_map(|error| error.pointer.split('/').nth(1)).map(str::to_owned).collect();
    let is_wrong = |name: &str| wrong.contains(name);
    let refused = match read(value.clone()) {
        Ok(readable) => rules(readable).err(),
        // What is said of a field that had to be left out to read the others is not about what was sent.
        Err(_) => read(without(value, &wrong))
            .ok()
            .and_then(|readable| rules(readable).err())
            .map(|more| more.without(|error| error.pointer.split('/').nth(1).is_some_and(is_wrong))),
    };
    if let Some(more) = refused {
        invalid.extend_new(more.without(|error| error.depends_on.iter().any(|name| is_wrong(name))));
    }
    Err(invalid)
}

/// The paths of the fields of a type that the server sets, in which `*` stands for any key.
pub fn read_only<T: ToSchema + 'static>() -> Result<Vec<Vec<String>>, Invalid> {
    Ok(compiled::<T>(View::Input)?.read_only.clone())
}

/// Refuses what the schema cannot express, such as the years that an instant may lie in.
fn read<T: DeserializeOwned>(value: Value) -> Result<T, Invalid> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let detail = error.inner().to_string();
        Invalid::one(pointer_to(error.path()), FieldCode::InvalidFormat, detail)
    })
}

fn pointer_to(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold("#".to_owned(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{}", escape(key)),
        // Not in the JSON itself.
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}

/// What is left of an object without these members, which are named as in a pointer.
fn without(value: &Value, wrong: &HashSet<String>) -> Value {
    let members = value.as_object().into_iter().flatten();
    let sound = members.filter(|(name, _)| !wrong.contains(&escape(name)));
    sound.map(|(name, member)| (name.clone(), member.clone())).collect()
}
