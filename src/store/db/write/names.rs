//! Lists in which records name others, as JSON, and who holds which name. Nothing is written here.

use diesel::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap, HashSet};

use super::json::json;
use super::lookup::FOUND_AT_ONCE;
use super::record::{Record, for_entity};
use super::tx::Tx;
use crate::domain::entity::Entity;
use crate::domain::key::{Key, KeyKind};
use crate::domain::reference::{NameList, carriers_of_names};
use crate::domain::text::fold;
use crate::store::db::index::keys::stored;
use crate::store::db::sql::schema::record_keys;
use crate::store::db::sql::select::{Predicate, Select};
use crate::store::db::sql::types::AnyId;
use crate::store::error::Result;

/// What a record is called by those that name it.
pub(in crate::store) fn name_in<'r>(list: &NameList, record: &'r Value) -> Option<&'r str> {
    record.get(list.name)?.as_str()
}

/// The names in a record's list.
pub(in crate::store) fn names_in(list: &NameList, record: &Value) -> Vec<String> {
    let names = match record.pointer(list.pointer) {
        Some(Value::Array(names)) => names.as_slice(),
        Some(name) => std::slice::from_ref(name),
        None => &[],
    };
    names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(in crate::store) fn holds_name(list: &NameList, record: &Value, name: &str) -> bool {
    let name = fold(name);
    names_in(list, record).iter().any(|own| fold(own) == name)
}

/// Replaces a record's list; a name that comes twice stays where it came first. Where one name stands, nothing is no name to
/// put in its place.
pub(in crate::store) fn set_names(list: &NameList, record: &mut Value, names: impl IntoIterator<Item = String>) {
    let mut seen = HashSet::new();
    let names: Vec<String> = names.into_iter().filter(|name| seen.insert(fold(name))).collect();
    let new = if list.is_one { names.into_iter().next().map(Value::String) } else { Some(json!(names)) };
    if let (Some(place), Some(new)) = (record.pointer_mut(list.pointer), new) {
        *place = new;
    }
}

/// The new name comes where the old one was, unless it is there already.
pub(super) fn replaced(names: Vec<String>, old: &str, new: Option<&str>) -> Vec<String> {
    let old = fold(old);
    let has_new = new.is_some_and(|new| {
        let new = fold(new);
        new != old && names.iter().any(|name| fold(name) == new)
    });
    let put = |name: String| match new {
        _ if fold(&name) != old => Some(name),
        Some(new) if !has_new => Some(new.to_owned()),
        _ => None,
    };
    names.into_iter().filter_map(put).collect()
}

/// How the records of these names are spelled, by the folded name; those that exist.
pub(super) fn spellings<'n>(
    tx: &mut Tx<'_>,
    list: &NameList,
    names: impl Iterator<Item = &'n String>,
) -> Result<HashMap<String, String>> {
    let folded: BTreeSet<String> = names.map(|name| stored(&fold(name))).collect();
    let keys: Vec<Key> = folded.into_iter().map(|name| Key::new(KeyKind::Name, name)).collect();
    let mut spellings = HashMap::new();
    for keys in keys.chunks(FOUND_AT_ONCE) {
        let named = Select::all(tx.workspace, Predicate::HasKey(list.to, keys.to_vec()));
        let records: Vec<Value> = for_entity!(list.to, Kind => {
            Kind::select(tx.conn, named)?.iter().map(json).collect::<Result<_>>()?
        });
        let names = records.iter().filter_map(|record| name_in(list, record));
        spellings.extend(names.map(|name| (fold(name), name.to_owned())));
    }
    Ok(spellings)
}

/// The key under which records are found by a name in their list.
pub(in crate::store) fn key_of(list: &NameList, name: &str) -> Key {
    Key::new(list.key, stored(&fold(name)))
}

/// The records that hold a name of the kind that this list names, in this list or another one.
pub(in crate::store) fn holders_of_name(
    tx: &mut Tx<'_>,
    list: &NameList,
    name: &str,
) -> Result<Vec<(Entity, AnyId)>> {
    let key = key_of(list, name);
    Ok(record_keys::table
        .filter(record_keys::workspace_id.eq(tx.workspace))
        .filter(record_keys::entity.eq_any(carriers_of_names(list.to)))
        .filter(record_keys::kind.eq(key.kind.as_str()))
        .filter(record_keys::value.eq(key.value))
        .select((record_keys::entity, record_keys::record_id))
        .load(tx.conn)?)
}

/// The same of one kind of record, up to `limit` of them in the order of their ids, behind one of these.
pub fn next_holders_of_name(
    tx: &mut Tx<'_>,
    (list, name): (&NameList, &str),
    kind: Entity,
    after: Option<AnyId>,
    limit: usize,
) -> Result<Vec<AnyId>> {
    let key = key_of(list, name);
    Ok(record_keys::table
        .filter(record_keys::workspace_id.eq(tx.workspace))
        .filter(record_keys::entity.eq(kind))
        .filter(record_keys::kind.eq(key.kind.as_str()))
        .filter(record_keys::value.eq(key.value))
        .filter(record_keys::record_id.gt(after.unwrap_or(AnyId::new(uuid::Uuid::nil()))))
        .order(record_keys::record_id.asc())
        .select(record_keys::record_id)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .load(tx.conn)?)
}

/// How many records hold a name of the kind that this list names.
pub(super) fn count_holders_of_name(tx: &mut Tx<'_>, list: &NameList, name: &str) -> Result<i64> {
    let key = key_of(list, name);
    Ok(record_keys::table
        .filter(record_keys::workspace_id.eq(tx.workspace))
        .filter(record_keys::entity.eq_any(carriers_of_names(list.to)))
        .filter(record_keys::kind.eq(key.kind.as_str()))
        .filter(record_keys::value.eq(key.value))
        .count()
        .get_result(tx.conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reference::NAME_LISTS;

    #[test]
    fn a_name_is_replaced_where_it_stands_and_never_doubled() {
        type Row = (&'static [&'static str], &'static str, Option<&'static str>, &'static [&'static str]);
        let table: [Row; 6] = [
            (&["a", "Rust", "b"], "rust", Some("rustlang"), &["a", "rustlang", "b"]),
            (&["a", "rust", "b"], "rust", None, &["a", "b"]),
            (&["rust", "Rustlang"], "rust", Some("rustlang"), &["Rustlang"]),
            (&["rust"], "RUST", Some("Rust"), &["Rust"]),
            (&["a"], "rust", Some("b"), &["a"]),
            (&[], "rust", Some("b"), &[]),
        ];
        for (before, old, new, after) in table {
            let names = before.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(replaced(names, old, new), after, "{before:?} {old} {new:?}");
        }
    }

    #[test]
    fn no_name_stands_twice_in_a_list() {
        let mut record = json!({"tags": []});
        set_names(&NAME_LISTS[0], &mut record, ["red", "RED", "b"].map(str::to_owned));
        assert_eq!(record["tags"], json!(["red", "b"]));
    }

    #[test]
    fn where_one_name_stands_it_is_replaced_and_never_taken_away() {
        let list = NAME_LISTS.iter().find(|list| list.is_one).unwrap();
        let mut record = json!({"filter": {"tag": "red"}});
        assert_eq!(names_in(list, &record), ["red"]);
        set_names(list, &mut record, Vec::new());
        assert_eq!(record["filter"]["tag"], "red");
        set_names(list, &mut record, ["blue".to_owned()]);
        assert_eq!(record["filter"]["tag"], "blue");
        record["filter"] = Value::Null;
        set_names(list, &mut record, ["blue".to_owned()]);
        assert_eq!((names_in(list, &record), &record["filter"]), (Vec::new(), &Value::Null));
    }
}
