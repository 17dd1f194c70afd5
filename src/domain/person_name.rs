//! Composing the display name and the sort name of a person from the parts of a name. Parts are not corrected.

use serde::{Deserialize, Serialize};

use crate::domain::text::is_cjk;

/// Which part of a name comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameOrder {
    GivenFirst,
    FamilyFirst,
}

/// The parts of a name. A blank part counts as missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NameParts<'a> {
    pub given: Option<&'a str>,
    /// With its particles, as typed: `van den Berg`.
    pub family: Option<&'a str>,
    pub middle: Option<&'a str>,
    pub prefix: Option<&'a str>,
    pub suffix: Option<&'a str>,
    pub nickname: Option<&'a str>,
    /// The whole name, if it is not to be composed from its parts.
    pub display_name: Option<&'a str>,
    /// `None` leaves it to the script.
    pub order: Option<NameOrder>,
    pub phonetic_given: Option<&'a str>,
    pub phonetic_family: Option<&'a str>,
}

/// The order that was set, else family first for names wholly in Han, Kana or Hangul.
fn order_of(parts: &NameParts) -> NameOrder {
    parts
        .order
        .unwrap_or_else(|| if is_written_in_cjk(parts) { NameOrder::FamilyFirst } else { NameOrder::GivenFirst })
}

/// The display name, else the composed name, else the nickname; `None` if there is none of these (a prefix or
/// suffix alone is not a name).
pub fn full_name(parts: &NameParts) -> Option<String> {
    present(parts.display_name)
        .map(String::from)
        .or_else(|| composed(parts))
        .or_else(|| present(parts.nickname).map(String::from))
}

/// The name to sort by, for [`crate::domain::text::sort_key`]: `Family, Given Middle`, or `Family Given` if the
/// family name comes first; `None` exactly if there is no full name.
///
/// Han characters do not sort by their sound, so a Japanese name sorts by its reading if it has one.
pub fn sort_name(parts: &NameParts) -> Option<String> {
    let reads_phonetically = is_written_in_cjk(parts);
    let sorted = |phonetic: Option<&'_ str>, written: Option<&'_ str>| -> Option<String> {
        let phonetic = present(phonetic).filter(|_| reads_phonetically && present(written).is_some());
        phonetic.or(present(written)).map(String::from)
    };
    let family = sorted(parts.phonetic_family, parts.family);
    let given = sorted(parts.phonetic_given, parts.given);
    let middle = present(parts.middle).map(String::from);
    let name = match order_of(parts) {
        NameOrder::GivenFirst => spaced([family, spaced([given, middle], " ")], ", "),
        NameOrder::FamilyFirst => spaced([family, middle, given], " "),
    };
    name.or_else(|| full_name(parts))
}

/// The name from its parts; `None` without a given, middle or family name.
fn composed(parts: &NameParts) -> Option<String> {
    let order = order_of(parts);
    let (given, family) = (present(parts.given), present(parts.family));
    // Family-first names with a middle one are Vietnamese more often than not: Nguyễn Văn An.
    let core = match order {
        NameOrder::GivenFirst => [given, present(parts.middle), family],
        NameOrder::FamilyFirst => [family, present(parts.middle), given],
    };
    if core.iter().all(Option::is_none) {
        return None;
    }
    let [first, second, third] = core;
    let all = [present(parts.prefix), first, second, third, present(parts.suffix)];
    let mut name = String::new();
    for part in all.into_iter().flatten() {
        let touches = order == NameOrder::FamilyFirst && name.ends_with(is_cjk) && part.starts_with(is_cjk);
        if !name.is_empty() && !touches {
            name.push(' ');
        }
        name.push_str(part);
    }
    Some(name)
}

/// True when given and family name have letters of Han, Kana or Hangul and no others.
fn is_written_in_cjk(parts: &NameParts) -> bool {
    let mut letters = [parts.given, parts.family]
        .into_iter()
        .flatten()
        .flat_map(str::chars)
        .filter(|c| c.is_alphabetic())
        .peekable();
    letters.peek().is_some() && letters.all(is_cjk)
}

fn present(part: Option<&str>) -> Option<&str> {
    part.map(str::trim).filter(|part| !part.is_empty())
}

fn spaced<const N: usize>(parts: [Option<String>; N], separator: &str) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(separator))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Given and family name; more by struct update.
    fn named<'a>(given: &'a str, family: &'a str) -> NameParts<'a> {
        NameParts { given: Some(given), family: Some(family), ..NameParts::default() }
    }

    #[test]
    fn names_are_composed_and_sorted_as_their_owners_do() {
        use NameOrder::{FamilyFirst, GivenFirst};
        let none = NameParts::default();
        let king = NameParts {
            middle: Some("Luther"),
            prefix: Some("Dr."),
            suffix: Some("Jr."),
            ..named("Martin", "King")
        };
        let tanaka = named("太郎", "田中");
        for (parts, order, full, sort) in [
            (named("Ada", "Lovelace"), GivenFirst, "Ada Lovelace", "Lovelace, Ada"),
            (named(" Ada ", "Lovelace\t"), GivenFirst, "Ada Lovelace", "Lovelace, Ada"),
            (king, GivenFirst, "Dr. Martin Luther King Jr.", "King, Martin Luther"),
            (named("Vincent", "van Gogh"), GivenFirst, "Vincent van Gogh", "van Gogh, Vincent"),
            (named("Björk", ""), GivenFirst, "Björk", "Björk"),
            (NameParts { family: Some("Sukarno"), ..none }, GivenFirst, "Sukarno", "Sukarno"),
            (NameParts { family: Some("Smith"), prefix: Some("Dr."), ..none }, GivenFirst, "Dr. Smith", "Smith"),
            (NameParts { middle: Some("Q"), ..none }, GivenFirst, "Q", "Q"),
            (NameParts { middle: Some("Q"), ..named("Jane", "") }, GivenFirst, "Jane Q", "Jane Q"),
            (tanaka, FamilyFirst, "田中太郎", "田中 太郎"),
            (
                NameParts { phonetic_given: Some("たろう"), phonetic_family: Some("たなか"), ..tanaka },
                FamilyFirst,
                "田中太郎",
                "たなか たろう",
            ),
            (NameParts { phonetic_family: Some("たなか"), ..tanaka }, FamilyFirst, "田中太郎", "たなか 太郎"),
            (NameParts { suffix: Some("様"), ..tanaka }, FamilyFirst, "田中太郎様", "田中 太郎"),
            (NameParts { prefix: Some("Dr."), ..tanaka }, FamilyFirst, "Dr. 田中太郎", "田中 太郎"),
            (
                NameParts { order: Some(GivenFirst), ..named("ジョン", "スミス") },
                GivenFirst,
                "ジョン スミス",
                "スミス, ジョン",
            ),
            (named("철수", "김"), FamilyFirst, "김철수", "김 철수"),
            (named("明", "李"), FamilyFirst, "李明", "李 明"),
            (named("Ming", "李"), GivenFirst, "Ming 李", "李, Ming"),
            (NameParts { given: Some("イチロー"), ..none }, FamilyFirst, "イチロー", "イチロー"),
            (
                NameParts { order: Some(FamilyFirst), ..named("Anna", "Nagy") },
                FamilyFirst,
                "Nagy Anna",
                "Nagy Anna",
            ),
            (
                NameParts { order: Some(FamilyFirst), middle: Some("Văn"), ..named("An", "Nguyễn") },
                FamilyFirst,
                "Nguyễn Văn An",
                "Nguyễn Văn An",
            ),
            (
                NameParts { phonetic_given: Some("shi-VAWN"), ..named("Siobhán", "Byrne") },
                GivenFirst,
                "Siobhán Byrne",
                "Byrne, Siobhán",
            ),
            (
                NameParts { display_name: Some("The Countess"), ..named("Ada", "Lovelace") },
                GivenFirst,
                "The Countess",
                "Lovelace, Ada",
            ),
            (NameParts { display_name: Some("The Countess"), ..none }, GivenFirst, "The Countess", "The Countess"),
            (NameParts { display_name: Some(" "), nickname: Some("Ace"), ..none }, GivenFirst, "Ace", "Ace"),
            (NameParts { nickname: Some("Ace"), ..named("Ada", "") }, GivenFirst, "Ada", "Ada"),
            (NameParts { nickname: Some("Ace"), prefix: Some("Dr."), ..none }, GivenFirst, "Ace", "Ace"),
        ] {
            assert_eq!(order_of(&parts), order, "{parts:?}");
            assert_eq!(full_name(&parts).as_deref(), Some(full), "{parts:?}");
            assert_eq!(sort_name(&parts).as_deref(), Some(sort), "{parts:?}");
        }
    }

    #[test]
    fn nothing_to_call_somebody_by_is_no_name() {
        let none = NameParts::default();
        for parts in [
            none,
            named("", " "),
            NameParts { prefix: Some("Dr."), suffix: Some("Jr."), ..none },
            NameParts { phonetic_given: Some("たろう"), phonetic_family: Some("たなか"), ..none },
        ] {
            assert_eq!(full_name(&parts), None, "{parts:?}");
            assert_eq!(sort_name(&parts), None, "{parts:?}");
        }
    }

    #[test]
    fn the_order_is_snake_case_in_json() {
        assert_eq!(serde_json::to_string(&NameOrder::GivenFirst).unwrap(), "\"given_first\"");
        assert_eq!(serde_json::from_str::<NameOrder>("\"family_first\"").unwrap(), NameOrder::FamilyFirst);
    }

    fn part() -> impl Strategy<Value = Option<String>> {
        prop::option::of(prop_oneof!["[A-Za-zé ]{0,6}", "[一-十あ-ん가-각]{1,3}", any::<String>()])
    }

    proptest! {
        #[test]
        fn who_has_a_name_can_be_sorted_and_holds_all_parts(
            (given, family, middle, prefix, suffix) in (part(), part(), part(), part(), part()),
            (nickname, display_name, phonetic_given, phonetic_family) in (part(), part(), part(), part()),
            order in prop::option::of(prop_oneof![Just(NameOrder::GivenFirst), Just(NameOrder::FamilyFirst)]),
        ) {
            let parts = NameParts {
                given: given.as_deref(),
                family: family.as_deref(),
                middle: middle.as_deref(),
                prefix: prefix.as_deref(),
                suffix: suffix.as_deref(),
                nickname: nickname.as_deref(),
                display_name: display_name.as_deref(),
                order,
                phonetic_given: phonetic_given.as_deref(),
                phonetic_family: phonetic_family.as_deref(),
            };
            let (full, sort) = (full_name(&parts), sort_name(&parts));
            prop_assert_eq!(full.is_some(), sort.is_some());
            if let Some(order) = order {
                prop_assert_eq!(order_of(&parts), order);
            }
            for name in [&full, &sort].into_iter().flatten() {
                prop_assert!(!name.is_empty() && name.trim() == name);
            }
            if let (Some(full), None) = (full, present(parts.display_name)) {
                for part in [parts.given, parts.middle, parts.family] {
                    prop_assert!(full.contains(present(part).unwrap_or_default()));
                }
            }
        }
    }
}
