//! JSON Merge Patch (RFC 7396), and which fields of two records differ. No particular kind of record is known
//! here.

use serde_json::{Map, Value};

/// The target after the patch: absent keeps, null removes, objects merge by key, everything else replaces.
pub fn merge(target: Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else { return patch };
    let mut merged = match target {
        Value::Object(target) => target,
        _ => Map::new(),
    };
    for (key, change) in patch {
        if change.is_null() {
            merged.remove(&key);
        } else {
            let old = merged.remove(&key).unwrap_or(Value::Null);
            merged.insert(key, merge(old, change));
        }
    }
    Value::Object(merged)
}

/// The names of the top-level fields in which two records differ, in alphabetical order.
pub fn changed_fields(before: &Value, after: &Value) -> Vec<String> {
    let none = Map::new();
    let (before, after) = (before.as_object().unwrap_or(&none), after.as_object().unwrap_or(&none));
    let mut names: Vec<String> = before
        .iter()
        .filter(|(name, value)| after.get(*name) != Some(value))
        .map(|(name, _)| name.clone())
        .chain(after.keys().filter(|name| !before.contains_key(*name)).cloned())
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn merge_gives_the_examples_of_rfc_7396_appendix_a() {
        let table = [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ];
        for (target, patch, expected) in table {
            assert_eq!(merge(target, patch), expected);
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-c]{0,3}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect()))
            ]
        })
    }

    fn has_null_member(value: &Value) -> bool {
        match value {
            Value::Object(map) => map.values().any(|member| member.is_null() || has_null_member(member)),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn merging_twice_is_merging_once(target in any_json(), patch in any_json()) {
            let once = merge(target, patch.clone());
            prop_assert_eq!(merge(once.clone(), patch), once);
        }

        #[test]
        fn merging_onto_nothing_leaves_no_null_members(patch in any_json()) {
            prop_assert!(!has_null_member(&merge(Value::Null, patch)));
        }

        #[test]
        fn an_empty_patch_changes_nothing(members in prop::collection::btree_map("[a-c]", any_json(), 0..4)) {
            let target = Value::Object(members.into_iter().collect());
            prop_assert_eq!(merge(target.clone(), json!({})), target);
        }

        #[test]
        fn no_field_differs_from_itself(value in any_json()) {
            prop_assert!(changed_fields(&value, &value).is_empty());
        }
    }
}
