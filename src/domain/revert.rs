//! Taking back one change of a record that has changed again since, field by field. No particular kind of record is known
//! here, and neither is the log.

use serde_json::Value;

use super::merge_patch::changed_fields;

/// The fields that are maps with client-chosen keys: each of their entries counts as a field.
pub const KEYED: [&str; 10] = [
    "addresses",
    "checklist",
    "dates",
    "emails",
    "external_ids",
    "links",
    "metrics",
    "objectives",
    "personas",
    "phones",
];

/// What the server keeps of every record.
const HEAD: [&str; 4] = ["id", "created_at", "updated_at", "version"];

/// A field of a record, or an entry of a keyed one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub field: String,
    key: Option<String>,
}

impl Place {
    /// As a JSON pointer into the record: `/emails/work`. Neither names of fields nor keys hold what has to be escaped.
    pub fn pointer(&self) -> String {
        match &self.key {
            Some(key) => format!("/{}/{key}", self.field),
            None => format!("/{}", self.field),
        }
    }

    fn get<'r>(&self, record: &'r Value) -> Option<&'r Value> {
        let field = record.get(&self.field)?;
        match &self.key {
            Some(key) => field.get(key),
            None => Some(field),
        }
    }

    fn set(&self, record: &mut Value, value: Option<&Value>) {
        let (holder, name) = match &self.key {
            Some(key) => (record.get_mut(&self.field), key),
            None => (Some(record), &self.field),
        };
        let Some(members) = holder.and_then(Value::as_object_mut) else { return };
        match value {
            Some(value) => drop(members.insert(name.clone(), value.clone())),
            None => drop(members.remove(name)),
        }
    }
}

/// The fields in which two versions of a record differ, its head aside.
pub fn changed_places(before: &Value, after: &Value) -> Vec<Place> {
    let mut places = Vec::new();
    for field in changed_fields(before, after).into_iter().filter(|field| !HEAD.contains(&field.as_str())) {
        match (before.get(&field), after.get(&field)) {
            (Some(before), Some(after)) if KEYED.contains(&field.as_str()) => {
                let keys = changed_fields(before, after).into_iter();
                places.extend(keys.map(|key| Place { field: field.clone(), key: Some(key) }));
            }
            _ => places.push(Place { field, key: None }),
        }
    }
    places
}

/// A record with these fields as they were before a change, where they still are as they were after it; and those that
/// somebody has changed to something else since.
pub fn take_back<'p>(places: &'p [Place], before: &Value, after: &Value, now: &Value) -> (Value, Vec<&'p Place>) {
    let mut record = now.clone();
    let mut kept = Vec::new();
    for place in places {
        let current = place.get(now);
        if current == place.get(after) {
            place.set(&mut record, place.get(before));
        } else if current != place.get(before) {
            kept.push(place);
        }
    }
    (record, kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn taken_back(before: &Value, after: &Value, now: &Value) -> (Value, Vec<String>) {
        let places = changed_places(before, after);
        let (record, kept) = take_back(&places, before, after, now);
        (record, kept.into_iter().map(Place::pointer).collect())
    }

    #[test]
    fn a_field_goes_back_unless_it_has_changed_to_something_else_since() {
        let table = [
            (json!({"a": 1}), json!({"a": 2}), json!({"a": 2}), json!({"a": 1}), vec![]),
            (json!({"a": 1}), json!({"a": 2}), json!({"a": 3}), json!({"a": 3}), vec!["/a"]),
            (json!({"a": 1}), json!({"a": 2}), json!({"a": 1}), json!({"a": 1}), vec![]),
            (
                json!({"a": 1, "b": 1}),
                json!({"a": 2, "b": 1}),
                json!({"a": 2, "b": 9}),
                json!({"a": 1, "b": 9}),
                vec![],
            ),
            (
                json!({"a": [1]}),
                json!({"a": [1, 2]}),
                json!({"a": [1, 2, 3]}),
                json!({"a": [1, 2, 3]}),
                vec!["/a"],
            ),
            (
                json!({"a": {"x": 1}}),
                json!({"a": {"x": 2}}),
                json!({"a": {"x": 2, "y": 1}}),
                json!({"a": {"x": 2, "y": 1}}),
                vec!["/a"],
            ),
            (json!({"version": 1}), json!({"version": 2}), json!({"version": 3}), json!({"version": 3}), vec![]),
        ];
        for (before, after, now, record, kept) in table {
            let kept = kept.into_iter().map(str::to_owned).collect();
            assert_eq!(taken_back(&before, &after, &now), (record, kept), "{before} {after} {now}");
        }
    }

    #[test]
    fn the_entries_of_a_map_go_back_one_by_one() {
        let emails = |emails: Value| json!({ "emails": emails });
        let before = emails(json!({"gone": 1, "edited": 1, "same": 1, "clash": 1}));
        let after = emails(json!({"edited": 2, "same": 1, "clash": 2, "added": 1}));
        let now = emails(json!({"edited": 2, "same": 5, "clash": 3, "added": 1, "since": 1}));
        let record = emails(json!({"gone": 1, "edited": 1, "same": 5, "clash": 3, "since": 1}));
        assert_eq!(taken_back(&before, &after, &now), (record, vec!["/emails/clash".to_owned()]));
        let cleared = emails(json!({}));
        assert_eq!(taken_back(&before, &cleared, &cleared), (before.clone(), vec![]));
    }

    fn any_record() -> impl Strategy<Value = Value> {
        let map = prop::collection::btree_map("[a-c]", 0..3, 0..3);
        (0..3, 0..3, map).prop_map(|(one, two, emails)| json!({ "one": one, "two": two, "emails": emails }))
    }

    proptest! {
        #[test]
        fn what_has_not_changed_since_is_as_it_was(before in any_record(), after in any_record()) {
            prop_assert_eq!(taken_back(&before, &after, &after), (before, vec![]));
        }

        #[test]
        fn what_was_not_changed_stays(before in any_record(), now in any_record()) {
            prop_assert_eq!(taken_back(&before, &before, &now), (now, vec![]));
        }
    }
}
