//! Merging records that are the same person, organization or position: everything that was entered in any of them, once.
//! Here is how lists, texts and maps are merged; what each kind of record makes of it is told in its own file. References
//! to the others are not moved here.

mod contact;
mod organization;
mod position;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use super::count::pluralize;
use super::fields::ProfileLink;
use super::invalid::{FieldCode, Invalid, Rejection};
use super::keyed::Keyed;
use super::link::ProfileUrl;
use super::partial_date::PartialDate;
use super::text;

/// Most characters of a key of a map.
const MAX_KEY_CHARACTERS: usize = 64;

/// An entry of a map: what makes two of them one, and what one has that the other lacks.
trait Entry: Clone {
    /// What it is: all of its value, as far as the spelling matters, with the key where that says what the value is of. Two
    /// of the same identity are one entry; of any others none is dropped.
    fn identity(&self, key: &str) -> String;

    /// Takes over what it lacks from another one of the same identity.
    fn fill(&mut self, other: &Self);

    /// Whether it is the preferred one, of those of which one can be.
    fn preferred(&mut self) -> Option<&mut bool> {
        None
    }
}

impl Entry for ProfileLink {
    fn identity(&self, _key: &str) -> String {
        ProfileUrl::parse(&self.url).map_or_else(|_| self.url.clone(), |url| url.page().to_owned())
    }

    fn fill(&mut self, other: &Self) {
        fill(&mut self.platform, &other.platform);
        fill(&mut self.checked_on, &other.checked_on);
    }
}

/// Takes over a value where there is none.
fn fill<T: Clone>(own: &mut Option<T>, other: &Option<T>) {
    if own.is_none() {
        own.clone_from(other);
    }
}

/// Adds the items of another list that are not there, ignoring case and accents.
fn extend_list<T: Clone>(own: &mut Vec<T>, other: &[T], text: impl Fn(&T) -> &str) {
    let mut seen: HashSet<String> = own.iter().map(|item| text::fold(text(item))).collect();
    own.extend(other.iter().filter(|item| seen.insert(text::fold(text(item)))).cloned());
}

/// Different texts separated by blank lines; `None` if there are none. Only one that is a whole text of those before it is
/// left out: "married" is not said by "not married".
pub fn join_texts<'a>(texts: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut kept: Vec<&str> = Vec::new();
    for text in texts {
        if !kept.iter().any(|known| known.trim() == text.trim()) {
            kept.push(text);
        }
    }
    (!kept.is_empty()).then(|| kept.join("\n\n"))
}

/// Refuses a joined text that is longer than it may be. The text is not in the request, so its name says which it is.
pub fn check_joined_text(name: &str, text: Option<&str>, most: usize, invalid: &mut Invalid) {
    if text.is_some_and(|text| text.chars().count() > most) {
        too_long(name, &pluralize(most, "character", "characters"), invalid);
    }
}

/// The same of a joined list.
pub fn check_joined_list<T>(name: &str, list: &[T], most: usize, invalid: &mut Invalid) {
    if list.len() > most {
        too_long(name, &pluralize(most, "item", "items"), invalid);
    }
}

fn too_long(name: &str, most: &str, invalid: &mut Invalid) {
    let detail =
        format!("Two that become one would together have a {name} of more than {most}. Shorten one first.");
    invalid.add("#", Rejection::new(FieldCode::TooLong, detail));
}

/// All entries of the maps: of those with the same identity the first, filled from the others. One whose key is taken gets a
/// numbered key. Doubles within the first map are left as they are, and only its preferred entry, or else the first one
/// of the others, is preferred.
fn merge_maps<'a, T: Entry + 'a>(maps: impl Iterator<Item = &'a Keyed<T>>) -> Keyed<T> {
    let mut merged: Keyed<T> = Keyed::default();
    let mut keys: HashMap<String, String> = HashMap::new();
    let mut has_preferred = false;
    for (map, entries) in maps.enumerate() {
        for (key, entry) in entries {
            let identity = entry.identity(key);
            let mut entry = entry.clone();
            if let Some(preferred) = entry.preferred() {
                *preferred = *preferred && (map == 0 || !has_preferred);
                has_preferred = has_preferred || *preferred;
            }
            let known = keys.get(&identity).filter(|_| map > 0).and_then(|key| merged.get_mut(key));
            match known {
                Some(known) => known.fill(&entry),
                None => {
                    let key = free_key(&merged, key);
                    keys.entry(identity).or_insert_with(|| key.clone());
                    merged.insert(key, entry);
                }
            }
        }
    }
    merged
}

/// The more precise of two partial dates that agree; `None` if they do not.
fn more_precise(one: &str, other: &str) -> Option<String> {
    let (known, more) = (PartialDate::parse(one).ok()?, PartialDate::parse(other).ok()?);
    if known.refines(more) { Some(one.to_owned()) } else { more.refines(known).then(|| other.to_owned()) }
}

fn free_key<T>(map: &Keyed<T>, key: &str) -> String {
    let numbered = |number: usize| match number {
        1 => key.to_owned(),
        number => {
            let end = format!("-{number}");
            let kept = MAX_KEY_CHARACTERS.saturating_sub(end.len());
            key.chars().take(kept).chain(end.chars()).collect()
        }
    };
    (1..).map(numbered).find(|candidate| !map.contains_key(candidate)).unwrap_or_else(|| key.to_owned())
}
