//! What finds what: the tokens of documents, and what a query asks for. Words are found in other spellings too: umlauts as two
//! letters, either kana, variants of kanji, names with and without a hyphen, digits in any groups. Storage and ranking are
//! not known here.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use super::fold::fold;
use super::tokens::{Piece, UniqueTokens, joined, pieces};
use crate::domain::data;

/// Fewer digits are no part of a number that is looked for.
const MIN_DIGITS: usize = 4;
/// Shorter words have two vowels more often than an umlaut: Joe, Sue.
const MIN_UMLAUT_LETTERS: usize = 4;
/// What is left of digits without the zeros that a number of the country begins with.
const MIN_NATIONAL_DIGITS: usize = 3;

/// Each line of the file is a character and its variants.
static KANJI: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let variants = |line: &'static str| {
        let mut own = line.chars().filter(|c| !c.is_whitespace());
        let usual = own.next();
        own.filter_map(move |variant| Some((variant, usual?)))
    };
    data::entries(include_str!("../data/kanji_variants.txt")).flat_map(variants).collect()
});

/// The tokens that a document is found by, each once.
pub fn document_tokens(text: &str) -> Vec<String> {
    let mut found = UniqueTokens::default();
    add_tokens(text, &mut found);
    let spelled = with_digraphs(text);
    if !spelled.is_empty() {
        add_tokens(&spelled, &mut found);
    }
    found.tokens
}

fn add_tokens(text: &str, found: &mut UniqueTokens) {
    let mut run: Vec<String> = Vec::new();
    for piece in pieces(&unified(&fold(text))) {
        found.add_piece(&piece);
        match piece {
            Piece::Word { parts, is_hyphenated } => {
                let word = joined(parts.iter());
                without_digraphs(&word).into_iter().for_each(|word| found.add(word));
                if !is_hyphenated {
                    add_joined(&run, found);
                    run.clear();
                }
                run.push(word);
            }
            _ => {
                add_joined(&run, found);
                run.clear();
            }
        }
    }
    add_joined(&run, found);
}

/// Words that hyphens join, as one: Hans-Peter is Hanspeter too. Dates are not.
fn add_joined(run: &[String], found: &mut UniqueTokens) {
    if run.len() > 1 && !run.iter().all(|word| is_digits(word)) {
        found.add(joined(run.iter()));
    }
}

/// A folded word that may have two letters for an umlaut, with the one letter that is left of it where its dots are dropped:
/// `mueller` as `muller`. `None` if it has none.
pub fn without_digraphs(word: &str) -> Option<String> {
    const DIGRAPHS: [(&str, &str); 4] = [("ae", "a"), ("oe", "o"), ("ue", "u"), ("aa", "a")];
    let has_one = word.len() >= MIN_UMLAUT_LETTERS && DIGRAPHS.iter().any(|(two, _)| word.contains(two));
    has_one.then(|| DIGRAPHS.iter().fold(word.to_owned(), |word, (two, one)| word.replace(two, one)))
}

/// The words of a text that have umlauts, with two letters in the place of each.
fn with_digraphs(text: &str) -> String {
    let mut spelled = String::new();
    if text.is_ascii() {
        return spelled;
    }
    for word in text.split_whitespace().filter(|word| !word.is_ascii()) {
        if !word.contains(|c| digraph(c).is_some() || matches!(c, '\u{308}' | '\u{30a}')) {
            continue;
        }
        let composed: String = word.nfc().collect();
        for c in composed.chars() {
            match digraph(c) {
                Some(two) => spelled.push_str(two),
                None => spelled.push(c),
            }
        }
        spelled.push(' ');
    }
    spelled
}

const fn digraph(c: char) -> Option<&'static str> {
    Some(match c {
        'ä' | 'Ä' => "ae",
        'ö' | 'Ö' | 'ø' | 'Ø' => "oe",
        'ü' | 'Ü' => "ue",
        'å' | 'Å' => "aa",
        _ => return None,
    })
}

/// Folded text with one kind of kana and one variant of each kanji.
fn unified(folded: &str) -> Cow<'_, str> {
    if folded.is_ascii() {
        return folded.into();
    }
    folded.chars().map(|c| hiragana(c).or_else(|| KANJI.get(&c).copied()).unwrap_or(c)).collect::<String>().into()
}

/// The hiragana of the same sound, of katakana.
fn hiragana(c: char) -> Option<char> {
    const DISTANCE: u32 = 0x60;
    matches!(c, 'ァ'..='ヶ' | 'ヽ' | 'ヾ').then(|| char::from_u32(u32::from(c).checked_sub(DISTANCE)?)).flatten()
}

fn is_digits(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a document must have to match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Tokens that it must have.
    pub exact: Vec<String>,
    /// The prefix of a token that it must have: the word still being typed.
    pub prefix: Option<String>,
    /// Of each of these, one alternative that it must have.
    pub any: Vec<Vec<Words>>,
}

/// Tokens that a document must all have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    pub exact: Vec<String>,
    pub prefix: Option<String>,
}

impl Words {
    fn prefix(prefix: impl Into<String>) -> Self {
        Self { exact: Vec::new(), prefix: Some(prefix.into()) }
    }
}

/// Reads what a user typed to search. There is no syntax: quotes, `*`, `AND`, `-` and `:` are text.
pub fn query(text: &str) -> Query {
    let mut asked = UniqueTokens::default();
    let mut prefix = None;
    let mut any = Vec::new();
    let pieces = pieces(&unified(&fold(text)));
    let mut rest = pieces.as_slice();
    while let Some((piece, after)) = rest.split_first() {
        let run = run_of(rest);
        if let Some((alternatives, after)) = alternatives(&run, rest.get(run.len()..).unwrap_or_default()) {
            any.push(alternatives);
            rest = after;
            continue;
        }
        let is_last = after.is_empty();
        match piece {
            Piece::Word { parts, .. } if is_last => prefix = Some(joined(parts.iter())),
            Piece::Word { parts, .. } => asked.add(joined(parts.iter())),
            Piece::Unspaced(run) if run.len() > 1 => {
                for pair in run.windows(2) {
                    asked.add(pair.iter().collect());
                }
            }
            Piece::Unspaced(run) if is_last => prefix = Some(run.iter().collect()),
            Piece::Unspaced(run) => asked.add(run.iter().collect()),
            Piece::Symbol(symbol) => asked.add(symbol.to_string()),
        }
        rest = after;
    }
    // A required token already implies its prefix.
    let prefix = prefix.filter(|prefix: &String| !asked.has(prefix));
    Query { exact: asked.tokens, prefix, any }
}

/// The words at the beginning that belong together: digits, or words that hyphens join.
fn run_of(pieces: &[Piece]) -> Vec<String> {
    let mut run: Vec<String> = Vec::new();
    for piece in pieces {
        let Piece::Word { parts, is_hyphenated } = piece else { break };
        let word = joined(parts.iter());
        let goes_on = run.is_empty() || *is_hyphenated || is_digits(&word) && run.iter().all(|own| is_digits(own));
        if !goes_on {
            break;
        }
        run.push(word);
    }
    run
}

/// How else such words may be written, and what follows them; `None` if in no other way.
fn alternatives<'a>(run: &[String], after: &'a [Piece]) -> Option<(Vec<Words>, &'a [Piece])> {
    let is_last = after.is_empty();
    let (last, first) = run.split_last()?;
    let whole = joined(run.iter());
    let are_digits = is_digits(&whole);
    let mut alternatives = vec![match is_last {
        true => Words { exact: first.to_vec(), prefix: Some(last.clone()) },
        false => Words { exact: run.to_vec(), prefix: None },
    }];
    if are_digits {
        // A number is found by any of its digits that follow one another, so a part of it is the beginning of some of them.
        if whole.len() >= MIN_DIGITS && (run.len() > 1 || !is_last) {
            alternatives.push(Words::prefix(whole.clone()));
        }
        let national = whole.trim_start_matches('0');
        if national.len() < whole.len() && national.len() >= MIN_NATIONAL_DIGITS {
            alternatives.push(Words::prefix(national));
        }
    } else if run.len() > 1 {
        alternatives.push(match is_last {
            true => Words::prefix(whole),
            false => Words { exact: vec![whole], prefix: None },
        });
    }
    (alternatives.len() > 1).then_some((alternatives, after))
}
