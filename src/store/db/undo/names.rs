//! Names in lists as references, for undo: records hold them as text, so which record a name stood for at a moment is read
//! from the log, and what a list holds once a write is taken back goes by the records, whatever they are called by then.

use diesel::prelude::*;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

use crate::domain::key::{Key, KeyKind};
use crate::domain::reference::NameList;
use crate::domain::text;
use crate::store::db::index::keys::stored;
use crate::store::db::sql::schema::changes;
use crate::store::db::sql::select::{Predicate, Select};
use crate::store::db::sql::types::{AnyId, AsJson, RecordRef};
use crate::store::db::write::json::json;
use crate::store::db::write::names::name_in;
use crate::store::db::write::record::{Record, for_entity};
use crate::store::db::write::tx::Tx;
use crate::store::error::Result;

/// The same thing before a write, right after it, and now.
#[derive(Debug, Clone, Default)]
pub(super) struct BeforeAfterNow<T> {
    pub before: T,
    pub after: T,
    pub now: T,
}

/// A name in a list, and the record that it stood for at its moment; `None` where the log no longer tells.
#[derive(Debug, Clone)]
pub(super) struct Label {
    pub named: Option<RecordRef>,
    pub text: String,
}

impl Label {
    fn is(&self, other: &Self) -> bool {
        match (self.named, other.named) {
            (Some(own), Some(other)) => own == other,
            _ => text::fold(&self.text) == text::fold(&other.text),
        }
    }

    fn is_among(&self, others: &[Self]) -> bool {
        others.iter().any(|other| self.is(other))
    }
}

/// Which record had which name, folded, and what the records are called now.
#[derive(Debug, Default)]
pub(super) struct Names {
    ids: BeforeAfterNow<HashMap<String, AnyId>>,
    pub now: HashMap<AnyId, String>,
}

impl Names {
    pub fn resolve(&self, list: &NameList, texts: BeforeAfterNow<Vec<String>>) -> BeforeAfterNow<Vec<Label>> {
        let BeforeAfterNow { before, after, now } = &self.ids;
        let labels = |ids: [&HashMap<String, AnyId>; 2], texts: Vec<String>| {
            let id = |text: &str| ids.iter().find_map(|ids| ids.get(&text::fold(text)));
            let label = |text: String| Label { named: id(&text).map(|id| (list.to, *id)), text };
            texts.into_iter().map(label).collect()
        };
        BeforeAfterNow {
            before: labels([before, before], texts.before),
            after: labels([after, after], texts.after),
            // A large revert that has given a name back already has not come to this list yet.
            now: labels([now, after], texts.now),
        }
    }
}

/// Which records had these names before and after the write with the changes of these numbers, and have them now.
pub(super) fn names_at<'t>(
    tx: &mut Tx<'_>,
    list: &NameList,
    texts: impl Iterator<Item = &'t String>,
    first: i64,
    last: i64,
) -> Result<Names> {
    let wanted: HashSet<String> = texts.map(|label| text::fold(label)).collect();
    if wanted.is_empty() {
        return Ok(Names::default());
    }
    let rows: Vec<(AnyId, i64, Option<AsJson<Value>>)> = changes::table
        .filter(changes::workspace_id.eq(tx.workspace))
        .filter(changes::seq.ge(first))
        .filter(changes::entity.eq(list.to))
        .order(changes::seq.asc())
        .select((changes::record_id, changes::seq, changes::before))
        .load(tx.conn)?;
    let name = |before: Option<AsJson<Value>>| name_in(list, &before?.0).map(text::fold);
    let changed: Vec<Change> =
        rows.into_iter().map(|(id, seq, before)| Change { id, seq, name: name(before) }).collect();
    let once: HashSet<AnyId> =
        changed.iter().filter_map(|change| change.had(|name| wanted.contains(name))).collect();
    let keys = wanted.into_iter().map(|name| Key::new(KeyKind::Name, stored(&name))).collect();
    let mut now: HashMap<AnyId, String> = HashMap::new();
    for concerned in [Predicate::HasKey(list.to, keys), Predicate::ids(once)] {
        let concerned = Select::all(tx.workspace, concerned);
        for_entity!(list.to, Kind => {
            for record in Kind::select(tx.conn, concerned)? {
                now.extend(name_in(list, &json(&record)?).map(|name| (Record::id(&record), name.to_owned())));
            }
        });
    }
    Ok(Names { ids: ids_at(first, last, &changed, &now), now })
}

/// A change of a record, with the name it had before, folded.
struct Change {
    id: AnyId,
    seq: i64,
    name: Option<String>,
}

impl Change {
    /// The record, if it had a name like that.
    fn had(&self, is_such: impl Fn(&str) -> bool) -> Option<AnyId> {
        self.name.as_deref().is_some_and(is_such).then_some(self.id)
    }
}

/// Which record had which name, by its changes since the first of the write, in their order, and by the names of now.
fn ids_at(
    first: i64,
    last: i64,
    changed: &[Change],
    now: &HashMap<AnyId, String>,
) -> BeforeAfterNow<HashMap<String, AnyId>> {
    // A record was called what it was before the first change that came later, or else what it is now.
    let named_before = |seq: i64| {
        let mut seen = HashSet::new();
        let later = changed.iter().filter(|change| change.seq >= seq && seen.insert(change.id));
        let earlier: HashMap<String, AnyId> =
            later.filter_map(|change| Some((change.name.clone()?, change.id))).collect();
        let unchanged = now.iter().filter(|(id, _)| !seen.contains(*id));
        unchanged.map(|(id, name)| (text::fold(name), *id)).chain(earlier).collect()
    };
    let mut ids: BeforeAfterNow<HashMap<String, AnyId>> = BeforeAfterNow {
        before: named_before(first),
        after: named_before(last.saturating_add(1)),
        now: named_before(i64::MAX),
    };
    // If the write made the record and it was deleted since, its name stands for the record created under it later.
    let existed: HashSet<AnyId> = ids.before.values().copied().collect();
    let is_other = |change: &Change| {
        let current = now.get(&change.id).map(|current| text::fold(current));
        change.had(|name| Some(name) != current.as_deref())
    };
    let renamed: HashSet<AnyId> = changed.iter().filter_map(is_other).collect();
    for (name, id) in &mut ids.after {
        if let Some(holder) = ids.now.get(name).filter(|holder| !renamed.contains(*holder))
            && !now.contains_key(id)
            && !existed.contains(id)
        {
            *id = *holder;
        }
    }
    ids
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
    use crate::domain::entity::Entity;

    /// `a` is the record a; `a=x` is the record a while it is called x; `?x` is a name whose record is not known.
    fn labels(names: &[&str]) -> Vec<Label> {
        let label = |name: &&str| {
            let (tag, text) = name.split_once('=').unwrap_or((name, name));
            let id = |tag: &str| AnyId::new(uuid::Uuid::from_u128(tag.bytes().map(u128::from).sum()));
            Label {
                named: (!tag.starts_with('?')).then(|| (Entity::Tag, id(tag))),
                text: text.trim_start_matches('?').to_owned(),
            }
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
}
