//! Search tokens of documents and of queries. Storage and ranking are not known here.

use std::collections::HashSet;

use super::characters::{Kind, kind};
use super::fold::fold;

/// Characters a token keeps; longer ones are cut, in documents and in queries alike.
pub const TOKEN_MAX_CHARS: usize = 64;

/// The tokens of a document, each once, in order of first appearance.
///
/// - A word is a run of letters, digits and their marks. Words joined by
///   apostrophes count joined and apart: `O'Brien` is `obrien`, `o`, `brien`.
/// - Scripts written without spaces give overlapping pairs of characters, and
///   the first and last character alone: 田中様 is 田, 田中, 中様, 様.
/// - A symbol or emoji is a token; punctuation is none.
pub fn tokens(text: &str) -> Vec<String> {
    let mut found = UniqueTokens::default();
    for piece in pieces(&fold(text)) {
        match piece {
            Piece::Word(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    found.add(joined(parts.iter().skip(index)));
                    found.add(joined(std::iter::once(part)));
                }
            }
            Piece::Unspaced(run) => {
                // The last character has no pair that begins with it, and the first is what is
                // left of a family name typed with a space: 李 明 has to find 李明.
                found.add(run.iter().take(1).collect());
                for pair in run.windows(2) {
                    found.add(pair.iter().collect());
                }
                found.add(run.iter().rev().take(1).collect());
            }
            Piece::Symbol(symbol) => found.add(symbol.to_string()),
        }
    }
    found.tokens
}

/// Some of a text's tokens in readable form: pairs from scripts without spaces are joined into the stretches that
/// they cover. Each once, in the order of the text; a single character only where no pair covers it.
pub fn readable_tokens(text: &str, tokens: &[String]) -> Vec<String> {
    let is_wanted = |token: &String| tokens.contains(token);
    let mut found = UniqueTokens::default();
    for piece in pieces(&fold(text)) {
        match piece {
            Piece::Word(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    let own = [joined(parts.iter().skip(index)), joined(std::iter::once(part))];
                    own.into_iter().filter(is_wanted).for_each(|token| found.add(token));
                }
            }
            Piece::Unspaced(run) => covered_stretches(&run, is_wanted).into_iter().for_each(|own| found.add(own)),
            Piece::Symbol(symbol) => {
                [symbol.to_string()].into_iter().filter(is_wanted).for_each(|own| found.add(own))
            }
        }
    }
    found.tokens
}

/// The stretches of a run that wanted pairs cover, and its first and last character where no pair covers them.
fn covered_stretches(run: &[char], is_wanted: impl Fn(&String) -> bool) -> Vec<String> {
    let mut stretches: Vec<String> = Vec::new();
    let is_end_wanted = |end: Option<&char>| end.map(char::to_string).filter(&is_wanted);
    let mut is_open = false;
    for (index, pair) in run.windows(2).enumerate() {
        let is_pair_wanted = is_wanted(&pair.iter().collect());
        match stretches.last_mut().filter(|_| is_open && is_pair_wanted) {
            Some(stretch) => stretch.extend(pair.last()),
            None if is_pair_wanted => stretches.push(pair.iter().collect()),
            None if index == 0 => stretches.extend(is_end_wanted(run.first())),
            None => {}
        }
        is_open = is_pair_wanted;
    }
    if !is_open {
        stretches.extend(is_end_wanted(run.last()));
    }
    stretches
}

/// What a document must have to match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Tokens that it must have.
    pub exact: Vec<String>,
    /// The prefix of a token that it must have: the word still being typed.
    pub prefix: Option<String>,
}

/// Reads what a user typed to search. There is no syntax: quotes, `*`, `AND`, `-` and `:` are text.
pub fn query(text: &str) -> Query {
    let mut asked = UniqueTokens::default();
    let mut prefix = None;
    let pieces = pieces(&fold(text));
    let count = pieces.len();
    for (index, piece) in pieces.into_iter().enumerate() {
        let is_last = index.saturating_add(1) == count;
        match piece {
            Piece::Word(parts) if is_last => prefix = Some(joined(parts.iter())),
            Piece::Word(parts) => asked.add(joined(parts.iter())),
            Piece::Unspaced(run) if run.len() > 1 => {
                for pair in run.windows(2) {
                    asked.add(pair.iter().collect());
                }
            }
            Piece::Unspaced(run) if is_last => prefix = Some(run.iter().collect()),
            Piece::Unspaced(run) => asked.add(run.iter().collect()),
            Piece::Symbol(symbol) => asked.add(symbol.to_string()),
        }
    }
    // A required token already implies its prefix.
    let prefix = prefix.filter(|prefix| !asked.seen.contains(prefix));
    Query { exact: asked.tokens, prefix }
}

#[derive(Default)]
struct UniqueTokens {
    tokens: Vec<String>,
    seen: HashSet<String>,
}

impl UniqueTokens {
    fn add(&mut self, token: String) {
        if self.seen.insert(token.clone()) {
            self.tokens.push(token);
        }
    }
}

/// A run of folded text that becomes tokens together.
enum Piece {
    /// The parts between apostrophes; one part for most words.
    Word(Vec<String>),
    /// Characters of scripts that put no space between words.
    Unspaced(Vec<char>),
    Symbol(char),
}

fn pieces(folded: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut before = Kind::Break;
    for c in folded.chars() {
        let kind = match (kind(c), before) {
            // A mark belongs to its letter; one that follows none is noise.
            (Kind::Mark, Kind::Word | Kind::Unspaced) => before,
            (Kind::Mark, _) => continue,
            // An apostrophe joins only what it stands between: 'quoted' has none.
            (Kind::Apostrophe, Kind::Word) => Kind::Apostrophe,
            (Kind::Apostrophe, _) => Kind::Break,
            (kind, _) => kind,
        };
        match (kind, before, pieces.last_mut()) {
            (Kind::Word, Kind::Word, Some(Piece::Word(parts))) => match parts.last_mut() {
                Some(part) => part.push(c),
                None => parts.push(c.to_string()),
            },
            (Kind::Word, Kind::Apostrophe, Some(Piece::Word(parts))) => parts.push(c.to_string()),
            (Kind::Word, _, _) => pieces.push(Piece::Word(vec![c.to_string()])),
            (Kind::Unspaced, Kind::Unspaced, Some(Piece::Unspaced(run))) => run.push(c),
            (Kind::Unspaced, _, _) => pieces.push(Piece::Unspaced(vec![c])),
            (Kind::Symbol, _, _) => pieces.push(Piece::Symbol(c)),
            (Kind::Break | Kind::Apostrophe | Kind::Mark, _, _) => {}
        }
        before = kind;
    }
    pieces
}

fn joined<'a>(parts: impl Iterator<Item = &'a String>) -> String {
    parts.flat_map(|part| part.chars()).take(TOKEN_MAX_CHARS).collect()
}
