//! Comparing the names of people and of organizations: whether two are the same or similar, and the keys that
//! similar names share. What this means for two records is in `duplicates.rs`.

use std::sync::LazyLock;

use unicode_normalization::char::is_combining_mark;

use super::data;
use super::key::{Key, KeyKind};
use super::person_name::NameParts;
use super::text::{fold, is_cjk, without_digraphs};

/// Characters of a name that are compared; typos further on are rare.
const MAX_COMPARED: usize = 64;
/// Similarity, in percent, of a name to its initial and to a prefix of it: neither a typo nor a proof.
const ABBREVIATED: u8 = 80;
const SHORTENED: u8 = 85;
/// Characters at either end of an organization's name that serve as keys: a typo at one end leaves the other
/// intact.
const END_LETTERS: usize = 5;

/// How the names of two people compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameLikeness {
    /// The same words, in any order.
    Same,
    /// Given and family names are both similar, in either order. Holds the lower similarity, in percent.
    Near(u8),
    /// Given names are similar, family names are not.
    OtherFamily,
    /// Given names are not similar.
    OtherGiven,
    /// One of them is not a full name, or they are in different scripts.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Cjk,
    Other,
}

/// A person's name without prefix and suffix, folded and split into words; two letters for an umlaut count as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonName {
    given: Vec<String>,
    family: Vec<String>,
    former: Vec<Vec<String>>,
    nickname: Vec<String>,
    /// Which of those of one name in a family, as far as a suffix says.
    generation: Option<u8>,
    script: Script,
}

impl PersonName {
    /// Splits a whole name given in one part ("Ada Lovelace" as a display name, or typed into the given name): its
    /// last word becomes the family name, unless it is Chinese, Japanese or Korean.
    pub fn new<'a>(parts: &NameParts<'a>, former: impl IntoIterator<Item = &'a str>) -> Self {
        let words = |text: &str| -> Vec<String> {
            words(text).into_iter().map(|word| without_digraphs(&word).unwrap_or(word)).collect()
        };
        let part = |text: Option<&str>| text.map(words).unwrap_or_default();
        let (mut given, mut family) = (part(parts.given), part(parts.family));
        if given.is_empty() && family.is_empty() {
            given = part(parts.middle);
        }
        if given.is_empty() && family.is_empty() {
            given = part(parts.display_name);
        }
        if given.is_empty() && family.is_empty() {
            given = part(parts.nickname);
        }
        let of_suffix = part(parts.suffix).iter().find_map(|word| generation_of(word));
        let generation =
            of_suffix.or_else(|| take_generation(&mut family)).or_else(|| take_generation(&mut given));
        let script = script_of(given.iter().chain(&family));
        if family.is_empty() && given.len() > 1 && script != Script::Cjk {
            family.extend(given.pop());
        }
        let former = former.into_iter().map(words).collect();
        Self { given, family, former, nickname: part(parts.nickname), generation, script }
    }

    /// Whether both say which of a family they are, and it is not the same: Jr. and Sr., II and III.
    pub fn is_other_generation(&self, other: &Self) -> bool {
        self.generation.zip(other.generation).is_some_and(|(one, other)| one != other)
    }

    /// Whether it has a given and a family name, and so can identify a person.
    pub fn is_full(&self) -> bool {
        !self.given.is_empty() && !self.family.is_empty() || self.script == Script::Cjk && self.letters().len() > 1
    }

    /// Keys that people with the same or a similar name share: one for the name and, unless it is Chinese,
    /// Japanese or Korean, two for blocking (each part with the initial of the other).
    pub fn keys(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        let same = match self.script {
            // It does not matter which characters are the family name.
            Script::Cjk => self.letters().into_iter().collect(),
            _ => self.sorted_words().join(" "),
        };
        if !same.is_empty() {
            keys.push(Key::new(KeyKind::Name, same));
        }
        // A whole name that they had or have besides.
        for former in self.former.iter().filter(|former| former.len() > 1) {
            let mut sorted: Vec<&str> = former.iter().map(String::as_str).collect();
            sorted.sort_unstable();
            keys.push(Key::new(KeyKind::Name, sorted.join(" ")));
        }
        if self.script != Script::Cjk
            && let (Some(given), Some(family)) = (self.given.first(), self.family.first())
        {
            let block = |part: &str, other: &str| {
                let initial: String = other.chars().take(1).collect();
                Key::new(KeyKind::NameBlock, format!("{part}|{initial}"))
            };
            keys.push(block(&self.family.join(" "), given));
            keys.push(block(given, family));
        }
        keys.dedup();
        keys
    }

    pub fn compare(&self, other: &Self) -> NameLikeness {
        if self.is_same(other) {
            return NameLikeness::Same;
        }
        if self.script != other.script || self.script != Script::Cjk && (self.is_single() || other.is_single()) {
            return self.compare_single(other);
        }
        if !self.is_full() || !other.is_full() {
            return NameLikeness::Unknown;
        }
        if self.script == Script::Cjk {
            return self.compare_cjk(other);
        }
        let given = given_likeness(&self.given, &other.given).max(self.nickname_likeness(other));
        let family = part_likeness(&self.family, &other.family);
        let crossed = part_likeness(&self.given, &other.family).min(part_likeness(&self.family, &other.given));
        let near = given.min(family).max(crossed);
        if near > 0 {
            NameLikeness::Near(near)
        } else if given == 0 {
            NameLikeness::OtherGiven
        } else if self.had_family_of(other) || other.had_family_of(self) {
            NameLikeness::Unknown
        } else {
            NameLikeness::OtherFamily
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        let (one, two) = (self.sorted_words(), other.sorted_words());
        if one.is_empty() || self.script != other.script {
            return false;
        }
        let together = |name: &Self| {
            let (given, family) = (name.given.concat(), name.family.concat());
            [format!("{family}{given}"), format!("{given}{family}")]
        };
        let has_alias = |own: &Self, words: &[&str]| {
            words.len() > 1
                && own.former.iter().any(|former| {
                    let mut former: Vec<&str> = former.iter().map(String::as_str).collect();
                    former.sort_unstable();
                    former == words
                })
        };
        one == two
            || has_alias(self, &two)
            || has_alias(other, &one)
            || self.script == Script::Cjk && together(self).iter().any(|name| together(other).contains(name))
    }

    fn is_single(&self) -> bool {
        self.given.len() + self.family.len() == 1
    }

    /// Of a single word nobody knows which part of the name it is, but it is none where no word of the other is like it.
    fn compare_single(&self, other: &Self) -> NameLikeness {
        let all = |name: &Self| -> Vec<String> {
            name.given
                .iter()
                .chain(&name.family)
                .chain(&name.nickname)
                .chain(name.former.iter().flatten())
                .cloned()
                .collect()
        };
        let (own, others) = (all(self), all(other));
        let is_like = |one: &String| {
            others.iter().any(|other| given_likeness(std::slice::from_ref(one), std::slice::from_ref(other)) > 0)
        };
        let can_tell = self.script == other.script && !own.is_empty() && !others.is_empty();
        if can_tell && !own.iter().any(is_like) { NameLikeness::OtherGiven } else { NameLikeness::Unknown }
    }

    /// Two names of two or three characters that share one are not similar, so the result is never `Near`.
    fn compare_cjk(&self, other: &Self) -> NameLikeness {
        let has_parts = |name: &Self| !name.given.is_empty() && !name.family.is_empty();
        if !has_parts(self) || !has_parts(other) {
            NameLikeness::Unknown
        } else if self.given == other.given {
            NameLikeness::OtherFamily
        } else {
            NameLikeness::OtherGiven
        }
    }

    /// One record may have as given name what is the nickname in the other.
    fn nickname_likeness(&self, other: &Self) -> u8 {
        let is_called = |one: &Self, other: &Self| {
            !one.nickname.is_empty() && (one.nickname == other.given || one.nickname == other.nickname)
        };
        if is_called(self, other) || is_called(other, self) { SHORTENED } else { 0 }
    }

    fn had_family_of(&self, other: &Self) -> bool {
        self.former.iter().any(|former| other.family.iter().all(|word| former.contains(word)))
    }

    fn sorted_words(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.given.iter().chain(&self.family).map(String::as_str).collect();
        all.sort_unstable();
        all
    }

    fn letters(&self) -> Vec<char> {
        let mut all: Vec<char> = self.given.iter().chain(&self.family).flat_map(|word| word.chars()).collect();
        all.sort_unstable();
        all
    }
}

/// Which of a family a suffix says somebody is.
fn generation_of(word: &str) -> Option<u8> {
    Some(match word {
        "sr" | "sen" | "senior" | "pere" | "pai" => 1,
        "jr" | "jun" | "jnr" | "junior" | "fils" | "filho" | "ii" | "2nd" => 2,
        "iii" | "3rd" | "neto" => 3,
        "iv" | "4th" => 4,
        _ => return None,
    })
}

/// Takes the suffix off the end of a part that has other words.
fn take_generation(words: &mut Vec<String>) -> Option<u8> {
    let generation = words.last().filter(|_| words.len() > 1).and_then(|word| generation_of(word))?;
    words.pop();
    Some(generation)
}

/// Given names may be left out or shortened: Anna Maria and Anna, Alexander and Alex, J. and John.
fn given_likeness(one: &[String], other: &[String]) -> u8 {
    let (Some(first), Some(second)) = (one.first(), other.first()) else { return 0 };
    let (short, long) = if first.len() <= second.len() { (first, second) } else { (second, first) };
    let shortened = match short.chars().count() {
        _ if first == second || !long.starts_with(short.as_str()) => 0,
        1 => ABBREVIATED,
        2 => 0,
        _ => SHORTENED,
    };
    part_likeness(one, other).max(shortened)
}

/// In percent; 0 if they are not similar.
fn part_likeness(one: &[String], other: &[String]) -> u8 {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let is_part = !short.is_empty() && short.len() < long.len() && short.iter().all(|word| long.contains(word));
    let whole = spelling_likeness(&one.concat(), &other.concat());
    if is_part { whole.max(SHORTENED) } else { whole }
}

/// How much of the longer text is spelt the same, in percent; 0 if they differ by more than a typo: one character
/// changed, missing, added or swapped with its neighbour, or two of these in eight characters or more (the
/// distance of Damerau, "A technique for computer detection and correction of spelling errors", 1964, and
/// Levenshtein).
fn spelling_likeness(one: &str, other: &str) -> u8 {
    if one == other {
        return if one.is_empty() { 0 } else { 100 };
    }
    let cut = |text: &str| text.chars().take(MAX_COMPARED).collect::<String>();
    let (one, other) = (cut(one), cut(other));
    let (short, long) = {
        let (first, second) = (one.chars().count(), other.chars().count());
        (first.min(second), first.max(second))
    };
    let allowed = match long {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    };
    if short == 0 || long - short > allowed {
        return 0;
    }
    let distance = strsim::damerau_levenshtein(&one, &other);
    if distance > allowed { 0 } else { u8::try_from(100 - 100 * distance / long).unwrap_or(0) }
}

/// How the names of two organizations compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationLikeness {
    /// They differ in legal form, spaces and punctuation at most.
    SameCore,
    /// Similar spelling, in percent.
    Near(u8),
    Other,
}

/// An organization's name without its legal form, folded and without spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationName {
    core: String,
}

impl OrganizationName {
    pub fn new(name: &str) -> Self {
        // "S.A." is "SA", "Sp. z o.o." is "Sp z oo".
        let mut core = words(&name.replace('.', "")).join(" ");
        while let Some(rest) = without_legal_form(&core) {
            core = rest;
        }
        Self {
            core: core.split(' ').map(|word| without_digraphs(word).unwrap_or_else(|| word.to_owned())).collect(),
        }
    }

    /// Keys that similar names share: the whole name, its first and its last characters.
    pub fn keys(&self) -> Vec<Key> {
        let letters: Vec<char> = self.core.chars().collect();
        let mut keys = Vec::new();
        if !letters.is_empty() {
            keys.push(Key::new(KeyKind::NameBlock, format!("={}", self.core)));
        }
        if letters.len() > END_LETTERS && !self.is_cjk() {
            let first: String = letters.iter().take(END_LETTERS).collect();
            let last: String = letters.iter().skip(letters.len() - END_LETTERS).collect();
            keys.push(Key::new(KeyKind::NameBlock, format!("^{first}")));
            keys.push(Key::new(KeyKind::NameBlock, format!("{last}$")));
        }
        keys
    }

    pub fn compare(&self, other: &Self) -> OrganizationLikeness {
        if !self.core.is_empty() && self.core == other.core {
            return OrganizationLikeness::SameCore;
        }
        match spelling_likeness(&self.core, &other.core) {
            0 => OrganizationLikeness::Other,
            _ if self.is_cjk() || other.is_cjk() => OrganizationLikeness::Other,
            alike => OrganizationLikeness::Near(alike),
        }
    }

    fn is_cjk(&self) -> bool {
        self.core.contains(is_cjk)
    }
}

/// `None` if the name has no legal form, or is nothing else.
fn without_legal_form(name: &str) -> Option<String> {
    let spaced = LEGAL_FORMS.iter().find_map(|form| {
        let before = name.strip_suffix(form).and_then(|rest| rest.strip_suffix(' '));
        before.or_else(|| name.strip_prefix(form).and_then(|rest| rest.strip_prefix(' ')))
    });
    let rest = spaced.or_else(|| {
        UNSPACED_LEGAL_FORMS.iter().find_map(|form| name.strip_suffix(form).or_else(|| name.strip_prefix(form)))
    });
    rest.map(str::trim).filter(|rest| !rest.is_empty()).map(str::to_owned)
}

static LEGAL_FORMS: LazyLock<Vec<&str>> =
    LazyLock::new(|| data::entries(include_str!("data/legal_forms.txt")).collect());
static UNSPACED_LEGAL_FORMS: LazyLock<Vec<&str>> =
    LazyLock::new(|| data::entries(include_str!("data/unspaced_legal_forms.txt")).collect());

/// The folded words of a text. Apostrophes join (O'Brien is obrien); anything else that is not a letter or digit
/// separates.
fn words(text: &str) -> Vec<String> {
    let folded: String = fold(text).chars().filter(|letter| *letter != '\'').collect();
    let is_letter = |letter: char| letter.is_alphanumeric() || is_combining_mark(letter);
    folded.split(|letter| !is_letter(letter)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn script_of<'a>(words: impl Iterator<Item = &'a String>) -> Script {
    let mut script = Script::Latin;
    for letter in words.flat_map(|word| word.chars()).filter(|letter| letter.is_alphabetic()) {
        match letter {
            letter if is_cjk(letter) => return Script::Cjk,
            '\u{0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => {}
            _ => script = Script::Other,
        }
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn person(given: &str, family: &str) -> PersonName {
        PersonName::new(&NameParts { given: Some(given), family: Some(family), ..NameParts::default() }, [])
    }

    fn shares_a_key(one: &PersonName, other: &PersonName) -> bool {
        let others = other.keys();
        one.keys().iter().any(|key| others.contains(key))
    }

    #[test]
    fn people_are_called_the_same_or_nearly_so_or_not() {
        use NameLikeness::{Near, OtherFamily, OtherGiven, Same, Unknown};
        for (one, other, expected) in [
            (("Łukasz", "Groß"), ("lukasz", "GROSS"), Same),
            (("Ada", "Lovelace"), ("Lovelace", "Ada"), Same),
            (("Ada Lovelace", ""), ("Ada", "Lovelace"), Same),
            (("Sinéad", "O’Brien"), ("Sinead", "OBrien"), Same),
            (("Anna", "Kowalska-Nowak"), ("Anna", "Kowalska Nowak"), Same),
            (("Vincent", "van Gogh"), ("Vincent van", "Gogh"), Same),
            (("Madonna", ""), ("madonna", ""), Same),
            (("太郎", "田中"), ("田中太郎", ""), Same),
            (("Jörg", "Müller"), ("Joerg", "Mueller"), Same),
            (("Öz", "Öztürk"), ("Oez", "Oeztuerk"), OtherGiven),
            (("Joe", "Smith"), ("Jo", "Smith"), OtherGiven),
            (("Jan", ""), ("Piotr", ""), OtherGiven),
            (("Jan", ""), ("Piotr", "Nowak"), OtherGiven),
            (("Nowak", ""), ("Piotr", "Nowak"), Unknown),
            (("John", "Smith Jr."), ("John", "Smith"), Same),
            (("太郎", "田中"), ("田中", "太郎"), Same),
            (("Jon", "Smith"), ("John", "Smith"), Near(75)),
            (("Smith", "Jon"), ("John", "Smith"), Near(75)),
            (("Katarzyna", "Wisniewska"), ("Katarzyna", "Wiśnewska"), Near(90)),
            (("J.", "Smith"), ("John", "Smith"), Near(ABBREVIATED)),
            (("Alex", "Smith"), ("Alexander", "Smith"), Near(SHORTENED)),
            (("Anna Maria", "Nowak"), ("Anna", "Nowak"), Near(SHORTENED)),
            (("Maria", "Garcia Lopez"), ("Maria", "García"), Near(SHORTENED)),
            (("Jan", "Nowak"), ("Piotr", "Nowak"), OtherGiven),
            (("Anna", "Nowak"), ("Anna", "Kowalska"), OtherFamily),
            (("Lee", "Wong"), ("Lea", "Wong"), OtherGiven),
            (("Anna", ""), ("Anna", "Nowak"), Unknown),
            (("Taro", "Tanaka"), ("太郎", "田中"), Unknown),
            (("Лев", "Толстой"), ("Lev", "Tolstoy"), Unknown),
            (("明", "李"), ("强", "李"), OtherGiven),
            (("小明", "李"), ("小红", "李"), OtherGiven),
            (("철수", "김"), ("철호", "김"), OtherGiven),
            (("明", "李"), ("明", "王"), OtherFamily),
        ] {
            let (first, second) = (person(one.0, one.1), person(other.0, other.1));
            assert_eq!(first.compare(&second), expected, "{one:?} {other:?}");
            assert_eq!(second.compare(&first), expected, "{other:?} {one:?}");
            if matches!(expected, Same | Near(_)) {
                assert!(shares_a_key(&first, &second), "{one:?} {other:?} do not meet");
            }
        }
    }

    #[test]
    fn a_name_from_before_a_wedding_speaks_against_nobody() {
        let parts = |family| NameParts { given: Some("Anna"), family: Some(family), ..NameParts::default() };
        let (before, after) = (PersonName::new(&parts("Nowak"), []), PersonName::new(&parts("Maj"), ["Nowak"]));
        assert_eq!(before.compare(&after), NameLikeness::Unknown);
        assert_eq!(after.compare(&before), NameLikeness::Unknown);
    }

    #[test]
    fn a_name_that_somebody_has_besides_is_theirs() {
        let anna = NameParts { given: Some("Anna"), family: Some("Nowak"), ..NameParts::default() };
        let anna = PersonName::new(&anna, ["Dr. Anna Maj", "Anna Kowalska"]);
        let other = person("Anna", "Kowalska");
        assert_eq!((anna.compare(&other), other.compare(&anna)), (NameLikeness::Same, NameLikeness::Same));
        assert!(shares_a_key(&anna, &other));
    }

    #[test]
    fn a_suffix_says_which_of_a_family_somebody_is() {
        let named = |family, suffix| {
            let parts = NameParts { given: Some("John"), family: Some(family), suffix, ..NameParts::default() };
            PersonName::new(&parts, [])
        };
        for (one, other, differ) in [
            (("Smith", Some("Jr.")), ("Smith", Some("Sr.")), true),
            (("Smith II", None), ("Smith", Some("III")), true),
            (("Smith Jr", None), ("Smith", Some("PhD, Sr.")), true),
            (("Smith", Some("Jr.")), ("Smith", Some("II")), false),
            (("Smith", Some("Jr.")), ("Smith", None), false),
            (("Smith", Some("PhD")), ("Smith", Some("MBA")), false),
        ] {
            assert_eq!(
                named(one.0, one.1).is_other_generation(&named(other.0, other.1)),
                differ,
                "{one:?} {other:?}"
            );
        }
    }

    #[test]
    fn a_nickname_is_a_given_name_too() {
        let bill = NameParts {
            given: Some("William"),
            family: Some("Gates"),
            nickname: Some("Bill"),
            ..NameParts::default()
        };
        assert_eq!(PersonName::new(&bill, []).compare(&person("Bill", "Gates")), NameLikeness::Near(SHORTENED));
    }

    #[test]
    fn organizations_are_called_the_same_but_for_their_legal_form_or_nearly_so_or_not() {
        use OrganizationLikeness::{Near, Other, SameCore};
        for (one, other, expected) in [
            ("Acme GmbH", "ACME", SameCore),
            ("Acme GmbH & Co. KG", "Acme, Inc.", SameCore),
            ("Poniedziałek Sp. z o.o.", "Poniedzialek sp.j.", SameCore),
            ("Acme S.A.", "Acme SA", SameCore),
            ("ООО Ромашка", "Ромашка", SameCore),
            ("株式会社トヨタ", "トヨタ", SameCore),
            ("トヨタ 株式会社", "トヨタ", SameCore),
            ("Data Works", "Dataworks Ltd", SameCore),
            ("Poniedzialek", "Poniedzalek", Near(92)),
            ("Co", "Company", Other),
            ("Acme", "Acne Studios", Other),
            ("ソニー", "ソニン", Other),
            ("Shell", "Dell", Other),
        ] {
            let (first, second) = (OrganizationName::new(one), OrganizationName::new(other));
            assert_eq!(first.compare(&second), expected, "{one} {other}");
            assert_eq!(second.compare(&first), expected, "{other} {one}");
            if expected != Other {
                let others = second.keys();
                assert!(first.keys().iter().any(|key| others.contains(key)), "{one} {other} do not meet");
            }
        }
    }

    #[test]
    fn a_name_has_three_keys_at_most() {
        assert_eq!(person("Ada", "Lovelace").keys().len(), 3);
        assert_eq!(person("太郎", "田中").keys().len(), 1);
        assert_eq!(person("?", "!").keys(), []);
        assert_eq!(OrganizationName::new("Poniedziałek").keys().len(), 3);
    }

    fn part() -> impl Strategy<Value = String> {
        prop_oneof!["[A-Za-zéł '-]{0,9}", "[一-十あ-ん가-각]{1,3}", any::<String>()]
    }

    proptest! {
        #[test]
        fn comparing_is_symmetric_and_everything_is_like_itself(
            (given, family, nickname) in (part(), part(), prop::option::of(part())),
            (other_given, other_family, former) in (part(), part(), part()),
        ) {
            let parts = NameParts { nickname: nickname.as_deref(), ..NameParts::default() };
            let one = PersonName::new(&NameParts { given: Some(&given), family: Some(&family), ..parts }, []);
            let two = NameParts { given: Some(&other_given), family: Some(&other_family), ..NameParts::default() };
            let two = PersonName::new(&two, [former.as_str()]);
            prop_assert_eq!(one.compare(&two), two.compare(&one));
            prop_assert_eq!(one.compare(&one) == NameLikeness::Same, !one.sorted_words().is_empty());
            if let NameLikeness::Near(alike) = one.compare(&two) {
                prop_assert!((75..=100).contains(&alike));
            }
            if one.compare(&two) == NameLikeness::Same {
                prop_assert!(shares_a_key(&one, &two));
            }
            let (one, two) = (OrganizationName::new(&given), OrganizationName::new(&other_given));
            prop_assert_eq!(one.compare(&two), two.compare(&one));
        }
    }
}
