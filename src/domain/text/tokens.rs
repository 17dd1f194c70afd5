//! Splitting folded text into tokens: the words of a text, as it is compared with others. What else finds a document is told in
//! `search.rs`.

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
        found.add_piece(&piece);
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
            Piece::Word { parts, .. } => {
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

#[derive(Default)]
pub(super) struct UniqueTokens {
    pub tokens: Vec<String>,
    seen: HashSet<String>,
}

impl UniqueTokens {
    pub fn add(&mut self, token: String) {
        if self.seen.insert(token.clone()) {
            self.tokens.push(token);
        }
    }

    pub fn has(&self, token: &str) -> bool {
        self.seen.contains(token)
    }

    pub fn add_piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Word { parts, .. } => {
                for (index, part) in parts.iter().enumerate() {
                    self.add(joined(parts.iter().skip(index)));
                    self.add(joined(std::iter::once(part)));
                }
            }
            Piece::Unspaced(run) => {
                // The last character has no pair that begins with it, and the first is what is
                // left of a family name typed with a space: 李 明 has to find 李明.
                self.add(run.iter().take(1).collect());
                for pair in run.windows(2) {
                    self.add(pair.iter().collect());
                }
                self.add(run.iter().rev().take(1).collect());
            }
            Piece::Symbol(symbol) => self.add(symbol.to_string()),
        }
    }
}

/// A run of folded text that becomes tokens together.
pub(super) enum Piece {
    Word {
        /// The parts between apostrophes; one part for most words.
        parts: Vec<String>,
        /// Whether a hyphen joins it to the word before it.
        is_hyphenated: bool,
    },
    /// Characters of scripts that put no space between words.
    Unspaced(Vec<char>),
    Symbol(char),
}

pub(super) fn pieces(folded: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut before = Kind::Break;
    let mut is_hyphen = false;
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
            (Kind::Word, Kind::Word, Some(Piece::Word { parts, .. })) => match parts.last_mut() {
                Some(part) => part.push(c),
                None => parts.push(c.to_string()),
            },
            (Kind::Word, Kind::Apostrophe, Some(Piece::Word { parts, .. })) => parts.push(c.to_string()),
            (Kind::Word, _, _) => {
                pieces.push(Piece::Word { parts: vec![c.to_string()], is_hyphenated: is_hyphen });
            }
            (Kind::Unspaced, Kind::Unspaced, Some(Piece::Unspaced(run))) => run.push(c),
            (Kind::Unspaced, _, _) => pieces.push(Piece::Unspaced(vec![c])),
            (Kind::Symbol, _, _) => pieces.push(Piece::Symbol(c)),
            (Kind::Break | Kind::Apostrophe | Kind::Mark, _, _) => {}
        }
        is_hyphen = before == Kind::Word && matches!(c, '-' | '\u{2010}' | '\u{2011}');
        before = kind;
    }
    pieces
}

pub(super) fn joined<'a>(parts: impl Iterator<Item = &'a String>) -> String {
    parts.flat_map(|part| part.chars()).take(TOKEN_MAX_CHARS).collect()
}
