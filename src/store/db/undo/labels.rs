//! Tags as references, for undo: records hold them as text, so which tag a label stood for at a moment is read from the log,
//! and which a record carries once a write is taken back goes by the tags, whatever they are called by then.

use diesel::prelude::*;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

use crate::domain::entity::Entity;
use crate::domain::key::{Key, KeyKind};
use crate::domain::tag::Tag;
use crate::domain::text;
use crate::store::db::index::keys::has_key;
use crate::store::db::sql::schema::changes;
use crate::store::db::sql::select::{Predicate, Select};
use crate::store::db::sql::types::{AnyId, AsJson};
use crate::store::db::write::record::Record;
use crate::store::db::write::tx::Tx;
use crate::store::error::Result;

/// The same thing before a write, right after it, and now.
#[derive(Debug, Clone, Default)]
pub(super) struct BeforeAfterNow<T> {
    pub before: T,
    pub after: T,
    pub now: T,
}

/// A label, and the tag that it stood for at its moment; `None` where the log no longer tells.
#[derive(Debug, Clone)]
pub(super) struct Label {
    pub tag: Option<AnyId>,
    pub text: String,
}

impl Label {
    fn is(&self, other: &Self) -> bool {
        match (self.tag, other.tag) {
            (Some(own), Some(other)) => own == other,
            _ => text::fold(&self.text) == text::fold(&other.text),
        }
    }

    fn is_among(&self, others: &[Self]) -> bool {
        others.iter().any(|other| self.is(other))
    }
}

/// Which tag had which name, folded, and what the tags are called now.
#[derive(Debug, Default)]
pub(super) struct TagNames {
    tags: BeforeAfterNow<HashMap<String, AnyId>>,
    pub now: HashMap<AnyId, String>,
}

impl TagNames {
    pub fn resolve(&self, texts: BeforeAfterNow<Vec<String>>) -> BeforeAfterNow<Vec<Label>> {
        let labels = |tags: &HashMap<String, AnyId>, texts: Vec<String>| {
            let label = |text: String| Label { tag: tags.get(&text::fold(&text)).copied(), text };
            texts.into_iter().map(label).collect()
        };
        BeforeAfterNow {
            before: labels(&self.tags.before, texts.before),
            after: labels(&self.tags.after, texts.after),
            now: labels(&self.tags.now, texts.now),
        }
    }
}

/// Which tags had these names before and after the write with the changes of these numbers, and have them now.
pub(super) fn tag_names<'t>(
    tx: &mut Tx<'_>,
    texts: impl Iterator<Item = &'t String>,
    first: i64,
    last: i64,
) -> Result<TagNames> {
    let wanted: HashSet<String> = texts.map(|label| text::fold(label)).collect();
    if wanted.is_empty() {
        return Ok(TagNames::default());
    }
    let rows: Vec<(AnyId, i64, Option<AsJson<Value>>)> = changes::table
        .filter(changes::workspace_id.eq(tx.workspace))
        .filter(changes::seq.ge(first))
        .filter(changes::entity.eq(Entity::Tag))
        .order(changes::seq.asc())
        .select((changes::record_id, changes::seq, changes::before))
        .load(tx.conn)?;
    let name =
        |before: Option<AsJson<Value>>| before.and_then(|tag| Some(tag.0.get("name")?.as_str()?.to_owned()));
    let changed: Vec<(AnyId, i64, Option<String>)> =
        rows.into_iter().map(|(id, seq, before)| (id, seq, name(before).map(|name| text::fold(&name)))).collect();
    let had_one = |(id, _, name): &(AnyId, i64, Option<String>)| {
        name.as_ref().is_some_and(|name| wanted.contains(name)).then_some(*id)
    };
    let once: HashSet<AnyId> = changed.iter().filter_map(had_one).collect();
    let keys = wanted.into_iter().map(|name| Key::new(KeyKind::Name, name)).collect();
    let mut now: HashMap<AnyId, String> = HashMap::new();
    for concerned in [has_key::<Tag>(keys), Predicate::ids(once)] {
        let tags = Tag::select(tx.conn, Select::all(tx.workspace, concerned))?;
        now.extend(tags.into_iter().map(|tag| (Record::id(&tag), tag.fields.name)));
    }
    // A tag was called what it was before the first change that came later, or else what it is now.
    let named_before = |seq: i64| {
        let mut seen = HashSet::new();
        let later = changed.iter().filter(|(id, at, _)| *at >= seq && seen.insert(*id));
        let earlier: HashMap<String, AnyId> =
            later.filter_map(|(id, _, name)| Some((name.clone()?, *id))).collect();
        let unchanged = now.iter().filter(|(id, _)| !seen.contains(*id));
        unchanged.map(|(id, name)| (text::fold(name), *id)).chain(earlier).collect()
    };
    let tags = BeforeAfterNow {
        before: named_before(first),
        after: named_before(last.saturating_add(1)),
        now: named_before(i64::MAX),
    };
    Ok(TagNames { tags, now })
}

/// The labels that a record, as JSON, carries.
pub(super) fn labels_of(record: &Value) -> Vec<String> {
    let labels = record.get("tags").and_then(Value::as_array).into_iter().flatten();
    labels.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Puts other labels in the place of those that a record, as JSON, carries: none twice.
pub(super) fn relabel(record: &mut Value, labels: impl Iterator<Item = String>) {
    let mut seen = HashSet::new();
    let labels: Vec<String> = labels.filter(|label| seen.insert(text::fold(label))).collect();
    if let Some(place) = record.get_mut("tags") {
        *place = json!(labels);
    }
}

/// The labels of a record once a write is taken back: what it took away comes back where the other label is, and what it
/// put there goes; what came since stays. Of those that are lost for good nothing comes back, and so nothing goes.
pub(super) fn taken_back(labels: &BeforeAfterNow<Vec<Label>>, is_lost: impl Fn(&Label) -> bool) -> Vec<Label> {
    let BeforeAfterNow { before, after, now } = labels;
    let gone = || before.iter().filter(|label| !label.is_among(after));
    let mut back: Vec<&Label> = gone().filter(|label| !is_lost(label) && !label.is_among(now)).collect();
    let loses = gone().any(is_lost);
    let is_as_after = now.len() == after.len() && now.iter().zip(after).all(|(now, after)| now.is(after));
    if is_as_after && !loses {
        return before.clone();
    }
    let mut labels = Vec::with_capacity(now.len());
    for label in now {
        if label.is_among(before) || !label.is_among(after) || loses {
            labels.push(label.clone());
        } else if !back.is_empty() {
            labels.push(back.remove(0).clone());
        }
    }
    labels.extend(back.into_iter().cloned());
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a` is the tag a; `a=x` is the tag a while it is called x; `?x` is a label whose tag is not known.
    fn labels(names: &[&str]) -> Vec<Label> {
        let label = |name: &&str| {
            let (tag, text) = name.split_once('=').unwrap_or((name, name));
            let id = |tag: &str| AnyId::new(uuid::Uuid::from_u128(tag.bytes().map(u128::from).sum()));
            Label { tag: (!tag.starts_with('?')).then(|| id(tag)), text: text.trim_start_matches('?').to_owned() }
        };
        names.iter().map(label).collect()
    }

    #[test]
    fn what_a_write_took_away_comes_back_and_what_came_since_stays() {
        type Row =
            (&'static [&'static str], &'static [&'static str], &'static [&'static str], &'static [&'static str]);
        let table: [Row; 10] = [
            (&["a", "b"], &["b"], &["b"], &["a", "b"]),
            (&["a", "b"], &["b"], &["b", "c"], &["b", "c", "a"]),
            (&["a", "b"], &["c", "b"], &["c", "b", "d"], &["a", "b", "d"]),
            (&["a"], &["a", "b"], &["a", "b", "c"], &["a", "c"]),
            (&["a"], &[], &["a"], &["a"]),
            (&["a"], &["a=b"], &["a=c"], &["a"]),
            (&["a=x"], &["b=x"], &["b=x"], &["a=x"]),
            (&["a=x"], &["b=x"], &["b=x", "c"], &["a=x", "c"]),
            (&["?x"], &["b=X"], &["b=X"], &["?x"]),
            (&["b", "a"], &["a", "b"], &["a", "b"], &["b", "a"]),
        ];
        for (before, after, now, expected) in table {
            let before_after_now =
                BeforeAfterNow { before: labels(before), after: labels(after), now: labels(now) };
            let told = |labels: &[Label]| labels.iter().map(|label| label.text.clone()).collect::<Vec<_>>();
            let back = taken_back(&before_after_now, |_| false);
            assert_eq!(told(&back), told(&labels(expected)), "{before:?} {after:?} {now:?}");
        }
    }

    #[test]
    fn what_is_lost_for_good_does_not_come_back_and_nothing_goes_for_it() {
        let before_after_now =
            BeforeAfterNow { before: labels(&["a", "b"]), after: labels(&["c"]), now: labels(&["c"]) };
        let lost = labels(&["a"]);
        let back = taken_back(&before_after_now, |label| label.is_among(&lost));
        assert_eq!(back.iter().map(|label| label.text.as_str()).collect::<Vec<_>>(), ["c", "b"]);
    }

    #[test]
    fn no_label_stands_twice() {
        let mut record = json!({"tags": []});
        relabel(&mut record, ["red", "RED", "b"].into_iter().map(str::to_owned));
        assert_eq!(record["tags"], json!(["red", "b"]));
    }
}
