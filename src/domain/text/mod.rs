//! How text becomes comparable: folding, search tokens, sort keys. No storage of tokens and no ranking.
//!
//! Both databases get what is made here and compare bytes, so that they agree
//! (SQLite folds ASCII only, PostgreSQL by its collation).

use std::collections::HashSet;
use std::ops::RangeInclusive;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Characters a token keeps; what is longer is cut, in documents and in queries alike.
pub const TOKEN_MAX_CHARS: usize = 64;

/// Characters a sort key keeps.
pub const SORT_KEY_MAX_CHARS: usize = 200;

/// Lower case without diacritics, compatibility forms resolved, apostrophes straight,
/// white space single and trimmed. Folding twice changes nothing.
///
/// Letters stay letters: が keeps its dakuten and Indic vowel signs stay, since
/// without them they are other letters; only accents, niqqud and harakat go.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return single_spaced(text.chars().map(|c| straight(c).to_ascii_lowercase()));
    }
    let mut plain = String::with_capacity(text.len());
    // Decomposed, a trade mark would become letters of the word it follows: rusttm.
    let shown = text.chars().filter(|c| !matches!(c, '™' | '℠'));
    // Apostrophes also come out of decomposition (ŉ).
    let decomposed = shown.map(straight).nfkd().map(straight);
    for c in decomposed.flat_map(char::to_lowercase) {
        if c.is_ascii() {
            plain.push(c);
        } else if !among(c, DIACRITICS) && !is_invisible(c) {
            match spelled(c) {
                Some(letters) => plain.push_str(letters),
                None => plain.push(c),
            }
        }
    }
    single_spaced(plain.nfc())
}

/// What a text is ordered by, compared byte by byte; at most [`SORT_KEY_MAX_CHARS`] characters.
pub fn sort_key(text: &str) -> String {
    let mut key: String = fold(text).chars().take(SORT_KEY_MAX_CHARS).collect();
    key.truncate(key.trim_end().len());
    key
}

/// The tokens a document is found by, each once, in the order first seen.
///
/// - A word is a run of letters, digits and their marks. Words joined by
///   apostrophes count joined and apart: `O'Brien` is `obrien`, `o`, `brien`.
/// - Scripts written without spaces give overlapping pairs of characters, and
///   the first and last character alone: 田中様 is 田, 田中, 中様, 様.
/// - A symbol or emoji is a token; punctuation is none.
pub fn tokens(text: &str) -> Vec<String> {
    let mut found = InOrder::default();
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

/// What some of a text's tokens stand for, to be read: instead of the pairs of scripts without spaces the stretches that
/// they cover, each once, in the order of the text. A single character is told only where no pair tells of it.
pub fn stretches(text: &str, tokens: &[String]) -> Vec<String> {
    let is_told = |token: &String| tokens.contains(token);
    let mut found = InOrder::default();
    for piece in pieces(&fold(text)) {
        match piece {
            Piece::Word(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    let own = [joined(parts.iter().skip(index)), joined(std::iter::once(part))];
                    own.into_iter().filter(is_told).for_each(|token| found.add(token));
                }
            }
            Piece::Unspaced(run) => run_stretches(&run, is_told).into_iter().for_each(|own| found.add(own)),
            Piece::Symbol(symbol) => {
                [symbol.to_string()].into_iter().filter(is_told).for_each(|own| found.add(own))
            }
        }
    }
    found.tokens
}

/// The stretches of a run without spaces that the pairs told of cover; its first and last character where they stand alone.
fn run_stretches(run: &[char], is_told: impl Fn(&String) -> bool) -> Vec<String> {
    let mut stretches: Vec<String> = Vec::new();
    let is_end_told = |end: Option<&char>| end.map(char::to_string).filter(&is_told);
    let mut is_open = false;
    for (index, pair) in run.windows(2).enumerate() {
        let is_pair_told = is_told(&pair.iter().collect());
        match stretches.last_mut().filter(|_| is_open && is_pair_told) {
            Some(stretch) => stretch.extend(pair.last()),
            None if is_pair_told => stretches.push(pair.iter().collect()),
            None if index == 0 => stretches.extend(is_end_told(run.first())),
            None => {}
        }
        is_open = is_pair_told;
    }
    if !is_open {
        stretches.extend(is_end_told(run.last()));
    }
    stretches
}

/// What a document must have to be found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Tokens it must all have.
    pub exact: Vec<String>,
    /// The beginning of a token it must also have: the word still being typed.
    pub prefix: Option<String>,
}

impl Query {
    /// True when the text held nothing to search for, which finds nothing.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.prefix.is_none()
    }
}

/// The tokens that a search text asks for. There is no syntax: quotes, `*`, `AND`, `-` and `:` are text.
pub fn query(text: &str) -> Query {
    let mut asked = InOrder::default();
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
    // A whole word asked for already implies its beginning.
    let prefix = prefix.filter(|prefix| !asked.seen.contains(prefix));
    Query { exact: asked.tokens, prefix }
}

/// Whether a character belongs to the scripts of Chinese, Japanese and Korean names.
pub(crate) fn is_cjk(c: char) -> bool {
    among(c, CJK)
}

/// Whether a character shows nothing by itself: joiners, direction marks, variation selectors,
/// fillers. They come along with pasted text and must neither part nor distinguish words.
pub(crate) fn is_invisible(c: char) -> bool {
    among(c, INVISIBLE)
}

/// A text without white space and invisible characters around it, which pasting brings along.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

#[derive(Default)]
struct InOrder {
    tokens: Vec<String>,
    seen: HashSet<String>,
}

impl InOrder {
    fn add(&mut self, token: String) {
        if self.seen.insert(token.clone()) {
            self.tokens.push(token);
        }
    }
}

/// A stretch of folded text that is searched as one.
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Unspaced,
    Symbol,
    Mark,
    Apostrophe,
    Break,
}

fn kind(c: char) -> Kind {
    if c == '\'' {
        Kind::Apostrophe
    } else if c.is_ascii() {
        if c.is_ascii_alphanumeric() { Kind::Word } else { Kind::Break }
    } else if among(c, SKIN_TONES) {
        // 👍🏽 and 👍 are the same word, as variation selectors are.
        Kind::Mark
    } else if among(c, EMOJI) {
        Kind::Symbol
    } else if is_combining_mark(c) {
        Kind::Mark
    } else if is_cjk(c) || among(c, OTHER_UNSPACED) {
        Kind::Unspaced
    } else if c.is_alphanumeric() {
        Kind::Word
    } else if among(c, SYMBOLS) {
        Kind::Symbol
    } else {
        Kind::Break
    }
}

/// Runs of white space and control characters as one space, none at the ends.
fn single_spaced(chars: impl Iterator<Item = char>) -> String {
    let mut out = String::new();
    let mut gap = false;
    for c in chars {
        if c.is_whitespace() || c.is_control() {
            gap = true;
        } else {
            if gap && !out.is_empty() {
                out.push(' ');
            }
            gap = false;
            out.push(c);
        }
    }
    out
}

/// The characters that people type for an apostrophe as `'`. Before decomposition, which would
/// make a space and an accent of `´`.
fn straight(c: char) -> char {
    match c {
        '`' | '´' | '‘' | '’' | '‛' | 'ʹ' | 'ʻ' | 'ʼ' | 'ʽ' | 'ʾ' | 'ʿ' | 'ˈ' | '′' | '‵' | 'ꞌ' | 'Ꞌ' | '׳'
        | '＇' | '｀' => '\'',
        c => c,
    }
}

/// What decomposition misses, as it is spelt in plain letters.
fn spelled(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ɑ' | 'ⱥ' | 'ə' => "a", // Əliyev has Aliyev in the passport
        'ƀ' | 'ɓ' => "b",
        'ȼ' | 'ƈ' => "c",
        'đ' | 'ð' | 'ɖ' | 'ɗ' => "d",
        'ɛ' | 'ɇ' => "e",
        'ƒ' => "f",
        'ǥ' | 'ɠ' | 'ɣ' => "g",
        'ħ' | 'ɦ' | 'ⱨ' => "h",
        'ı' | 'ɨ' | 'ɩ' => "i",
        'ȷ' | 'ɉ' => "j",
        'ĸ' | 'ƙ' | 'ⱪ' => "k",
        'ł' | 'ƚ' | 'ɫ' | 'ⱡ' => "l",
        'ŋ' | 'ɲ' | 'ƞ' => "n",
        'ø' | 'ɔ' | 'ɵ' => "o",
        'ƥ' | 'ᵽ' => "p",
        'ɍ' => "r",
        'ŧ' | 'ƭ' | 'ʈ' | 'ⱦ' => "t",
        'ʉ' => "u",
        'ʋ' => "v",
        'ƴ' | 'ɏ' => "y",
        'ƶ' | 'ȥ' | 'ⱬ' | 'ʒ' => "z",
        'ς' => "σ",
        // Persian and Arabic keyboards have different letters for the same one.
        'ى' | 'ی' => "ي",
        'ک' => "ك",
        'ـ' => "", // only stretches a word
        _ => return None,
    })
}

/// Whether a character is in one of these ranges, which ascend.
fn among(c: char, ranges: &[RangeInclusive<char>]) -> bool {
    ranges.iter().take_while(|range| *range.start() <= c).any(|range| *range.end() >= c)
}

/// Combining marks without which a letter is still taken for the same (Unicode blocks: Combining
/// Diacritical Marks and their supplements, marks of Cyrillic, Hebrew, Arabic).
const DIACRITICS: &[RangeInclusive<char>] = &[
    '\u{0300}'..='\u{036f}',
    '\u{0483}'..='\u{0489}',
    '\u{0591}'..='\u{05bd}',
    '\u{05bf}'..='\u{05bf}',
    '\u{05c1}'..='\u{05c2}',
    '\u{05c4}'..='\u{05c5}',
    '\u{05c7}'..='\u{05c7}',
    '\u{0610}'..='\u{061a}',
    '\u{064b}'..='\u{065f}',
    '\u{0670}'..='\u{0670}',
    '\u{06d6}'..='\u{06dc}',
    '\u{06df}'..='\u{06e4}',
    '\u{06e7}'..='\u{06e8}',
    '\u{06ea}'..='\u{06ed}',
    '\u{0898}'..='\u{089f}',
    '\u{08ca}'..='\u{08e1}',
    '\u{08e3}'..='\u{08ff}',
    '\u{1ab0}'..='\u{1aff}',
    '\u{1dc0}'..='\u{1dff}',
    '\u{20d0}'..='\u{20ff}',
    '\u{fe20}'..='\u{fe2f}',
];

/// Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties, without Khmer's two vowels.
const INVISIBLE: &[RangeInclusive<char>] = &[
    '\u{00ad}'..='\u{00ad}',
    '\u{034f}'..='\u{034f}',
    '\u{061c}'..='\u{061c}',
    '\u{115f}'..='\u{1160}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fff8}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Han, Kana, Bopomofo and Hangul with the letters that belong to them (々, 〇, ー), without
/// their punctuation.
const CJK: &[RangeInclusive<char>] = &[
    '\u{1100}'..='\u{11ff}',
    '\u{2e80}'..='\u{2fdf}',
    '\u{3005}'..='\u{3007}',
    '\u{3021}'..='\u{302f}',
    '\u{3031}'..='\u{3035}',
    '\u{3038}'..='\u{303c}',
    '\u{3041}'..='\u{3096}',
    '\u{309d}'..='\u{309f}',
    '\u{30a1}'..='\u{30fa}',
    '\u{30fc}'..='\u{30ff}',
    '\u{3105}'..='\u{312f}',
    '\u{3131}'..='\u{318e}',
    '\u{31a0}'..='\u{31bf}',
    '\u{31f0}'..='\u{31ff}',
    '\u{3400}'..='\u{4dbf}',
    '\u{4e00}'..='\u{9fff}',
    '\u{a960}'..='\u{a97f}',
    '\u{ac00}'..='\u{d7fb}',
    '\u{f900}'..='\u{faff}',
    '\u{ff66}'..='\u{ff9d}',
    '\u{1aff0}'..='\u{1b16f}',
    '\u{20000}'..='\u{3fffd}',
];

/// Thai, Lao, Myanmar and Khmer put no space between words either.
const OTHER_UNSPACED: &[RangeInclusive<char>] = &[
    '\u{0e01}'..='\u{0e3a}',
    '\u{0e40}'..='\u{0e4e}',
    '\u{0e50}'..='\u{0e59}',
    '\u{0e81}'..='\u{0edf}',
    '\u{1000}'..='\u{1049}',
    '\u{1050}'..='\u{109f}',
    '\u{1780}'..='\u{17d3}',
    '\u{17dc}'..='\u{17e9}',
];

const SKIN_TONES: &[RangeInclusive<char>] = &['\u{1f3fb}'..='\u{1f3ff}'];

/// Pictographs; some (🅰) are alphabetic to Unicode, yet nobody reads them as letters.
const EMOJI: &[RangeInclusive<char>] = &['\u{1f000}'..='\u{1faff}'];

/// Currency, signs, arrows, mathematics, dingbats: what somebody may search for, and no punctuation.
const SYMBOLS: &[RangeInclusive<char>] = &[
    '\u{00a2}'..='\u{00a6}',
    '\u{00a9}'..='\u{00a9}',
    '\u{00ac}'..='\u{00ac}',
    '\u{00ae}'..='\u{00ae}',
    '\u{00b0}'..='\u{00b1}',
    '\u{00d7}'..='\u{00d7}',
    '\u{00f7}'..='\u{00f7}',
    '\u{0e3f}'..='\u{0e3f}',
    '\u{20a0}'..='\u{20cf}',
    '\u{2100}'..='\u{2307}',
    '\u{230c}'..='\u{2328}',
    '\u{232b}'..='\u{2767}',
    '\u{2794}'..='\u{27c4}',
    '\u{27c7}'..='\u{27e5}',
    '\u{27f0}'..='\u{2982}',
    '\u{2999}'..='\u{29d7}',
    '\u{29dc}'..='\u{29fb}',
    '\u{29fe}'..='\u{2bff}',
    '\u{3004}'..='\u{3004}',
    '\u{3012}'..='\u{3013}',
    '\u{3020}'..='\u{3020}',
    '\u{3036}'..='\u{3037}',
    '\u{303e}'..='\u{303f}',
    '\u{3200}'..='\u{33ff}',
    '\u{4dc0}'..='\u{4dff}',
    '\u{1d000}'..='\u{1d1ff}',
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn finds(text: &str, document: &str) -> bool {
        let Query { exact, prefix } = query(text);
        let tokens = tokens(document);
        exact.iter().all(|token| tokens.contains(token))
            && prefix.is_none_or(|prefix| tokens.iter().any(|token| token.starts_with(&prefix)))
    }

    #[test]
    fn pairs_are_read_as_the_stretches_that_they_cover() {
        for (text, other, expected) in [
            ("エンジニア", "エンジニア", vec!["エンジニア"]),
            ("エンジニア採用", "採用エンジニア", vec!["エンジニア", "採用"]),
            ("採用担当", "採用", vec!["採用"]),
            ("東京都", "京都", vec!["京都"]),
            ("中国語", "中文", vec!["中"]),
            ("英語", "中国語", vec!["語"]),
            ("猫", "猫", vec!["猫"]),
            ("ハハハ", "ハハ", vec!["ハハハ"]),
            ("hiring エンジニア in 東京", "エンジニア hiring", vec!["hiring", "エンジニア"]),
            ("O'Brien's 🎉", "obriens brien 🎉", vec!["obriens", "brien", "🎉"]),
            ("rust hiring, rust", "Rust", vec!["rust"]),
            ("採用", "用採", vec!["採", "用"]),
            ("…", "…", vec![]),
        ] {
            let others = tokens(other);
            let shared: Vec<String> = tokens(text).into_iter().filter(|token| others.contains(token)).collect();
            assert_eq!(stretches(text, &shared), expected, "{text} {other}");
        }
    }

    #[test]
    fn folding_keeps_letters_and_drops_accents() {
        for (text, folded) in [
            ("", ""),
            (" \t\u{a0}\n", ""),
            ("  Ada   LOVELACE\n", "ada lovelace"),
            ("Müller-Lüdenscheidt", "muller-ludenscheidt"),
            ("Łukasz Wałęsa", "lukasz walesa"),
            ("Søren Kierkegaard", "soren kierkegaard"),
            ("Straße STRASSE Große ẞ", "strasse strasse grosse ss"),
            ("Þórður Ðð Ægir Œuvre", "thordur dd aegir oeuvre"),
            ("Đỗ Nguyễn Văn Hằng", "do nguyen van hang"),
            ("İstanbul Iğdır ılık", "istanbul igdir ilik"),
            ("Əliyev", "aliyev"),
            ("ħ ŋ ŧ", "h n t"),
            ("ΟΔΥΣΣΕΎΣ Οδυσσεύς", "οδυσσευσ οδυσσευσ"),
            ("Ёлкин Йод Їжак", "елкин иод іжак"),
            ("שָׁלוֹם", "שלום"),
            ("مُحَمَّد أحمد محـــمد", "محمد احمد محمد"),
            ("علی کریمی", "علي كريمي"),
            ("Ｗｉｄｅ　１２３", "wide 123"),
            ("ｶﾞｷﾞ が ガ", "ガギ が ガ"),
            ("か\u{3099}", "が"),
            ("김철수", "김철수"),
            ("김철수", "김철수"),
            ("हिन्दी", "हिन्दी"),
            ("ﬁancé Rust™ ½", "fiance rust 1\u{2044}2"),
            ("O’Brien O´Brien O`Brien Oʼbrien", "o'brien o'brien o'brien o'brien"),
            ("so\u{ad}ft z\u{200b}w", "soft zw"),
            ("a\u{0}b", "a b"),
            ("e\u{301}\u{327}", "e"),
        ] {
            assert_eq!(fold(text), folded, "{text:?}");
        }
    }

    #[test]
    fn folding_any_one_character_twice_changes_nothing() {
        // Without the ideographs and syllables, which all behave alike.
        for c in ('\0'..='\u{33ff}').chain('\u{a000}'..='\u{abff}').chain('\u{f900}'..='\u{1ffff}') {
            let once = fold(&c.to_string());
            assert_eq!(fold(&once), once, "{c:?} U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn ranges_ascend() {
        for ranges in [DIACRITICS, INVISIBLE, CJK, OTHER_UNSPACED, SKIN_TONES, EMOJI, SYMBOLS] {
            assert!(ranges.iter().all(|range| range.start() <= range.end()));
            assert!(ranges.windows(2).all(|pair| pair[0].end() < pair[1].start()));
        }
    }

    #[test]
    fn a_text_has_these_tokens() {
        for (text, expected) in [
            ("", vec![]),
            ("  . , ' \" — … “” 、。・", vec![]),
            ("Ada Lovelace, Ada", vec!["ada", "lovelace"]),
            ("ada@lovelace.example", vec!["ada", "lovelace", "example"]),
            ("O'Brien", vec!["obrien", "o", "brien"]),
            ("d’O’Brien", vec!["dobrien", "d", "obrien", "o", "brien"]),
            ("'quoted' rock''n", vec!["quoted", "rock", "n"]),
            ("C++ / Rust 2024", vec!["c", "rust", "2024"]),
            ("田", vec!["田"]),
            ("田中", vec!["田", "田中", "中"]),
            ("東京都", vec!["東", "東京", "京都", "都"]),
            ("ジョン・スミス", vec!["シ\u{3099}", "ジョ", "ョン", "ン", "ス", "スミ", "ミス"]),
            ("スーパー", vec!["ス", "スー", "ーパ", "パー", "ー"]),
            ("김철수", vec!["김", "김철", "철수", "수"]),
            ("第3回Rust勉強会", vec!["第", "3", "回", "rust", "勉", "勉強", "強会", "会"]),
            ("佐々木", vec!["佐", "佐々", "々木", "木"]),
            ("हिन्दी भाषा", vec!["हिन्दी", "भाषा"]),
            ("สวย", vec!["ส", "สว", "วย", "ย"]),
            ("🎉🎉party👍🏽", vec!["🎉", "party", "👍"]),
            ("❤️ 1️⃣ ☎", vec!["❤", "1", "☎"]),
            ("👩‍💻", vec!["👩", "💻"]),
            ("🇩🇪", vec!["🇩", "🇪"]),
            ("€5 © ±", vec!["€", "5", "©", "±"]),
            ("🅰b", vec!["🅰", "b"]),
        ] {
            let expected: Vec<String> = expected.iter().map(|t| t.nfc().collect()).collect();
            assert_eq!(tokens(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_word_is_cut_and_still_found() {
        let word = "é".repeat(100);
        assert_eq!(tokens(&word), vec!["e".repeat(TOKEN_MAX_CHARS)]);
        assert!(finds(&word, &word));
        assert!(finds(&format!("{word} x"), &format!("{word} xylophone")));
    }

    #[test]
    fn a_query_asks_for_words_and_the_beginning_of_the_last() {
        for (text, exact, prefix) in [
            ("", vec![], None),
            ("\"-* :", vec![], None),
            ("ada", vec![], Some("ada")),
            ("ada lov", vec!["ada"], Some("lov")),
            ("\"Ada\" AND lov*", vec!["ada", "and"], Some("lov")),
            ("title:ada -x", vec!["title", "ada"], Some("x")),
            ("new york new", vec!["new", "york"], None),
            ("O'Br", vec![], Some("obr")),
            ("O'Brien Pat", vec!["obrien"], Some("pat")),
            ("田", vec![], Some("田")),
            ("田中", vec!["田中"], None),
            ("東京都", vec!["東京", "京都"], None),
            ("田中 東", vec!["田中"], Some("東")),
            ("李 ada", vec!["李"], Some("ada")),
            ("ada 🎉", vec!["ada", "🎉"], None),
        ] {
            let expected =
                Query { exact: exact.into_iter().map(String::from).collect(), prefix: prefix.map(String::from) };
            assert_eq!(query(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_people_type_finds_what_they_mean() {
        for (text, document) in [
            ("obrien", "Pat O'Brien"),
            ("o'brien", "Pat O’Brien"),
            ("o brien", "Pat O'Brien"),
            ("O'", "Pat O'Brien"),
            ("brien", "Pat O'Brien"),
            ("o'brien", "Pat Obrien"),
            ("walesa", "Lech Wałęsa"),
            ("Wałęsa", "Lech Walesa"),
            ("mull", "Jörg Müller"),
            ("strasse", "Hauptstraße Straße 5"),
            ("中", "田中"),
            ("田中", "田中太郎様"),
            ("太郎", "田中太郎様"),
            ("様", "田中太郎様"),
            ("李 明", "李明"),
            ("김 철수", "김철수"),
            ("李 google", "李明 Google"),
            ("🎉", "party🎉"),
            ("👍", "👍🏿"),
            ("❤", "I ❤️ Rust"),
        ] {
            assert!(finds(text, document), "{text:?} in {document:?}");
        }
        for (text, document) in [("京東", "東京"), ("が", "か"), ("ada lovelace", "Ada Byron"), ("love", "glove")]
        {
            assert!(!finds(text, document), "{text:?} in {document:?}");
        }
    }

    #[test]
    fn a_sort_key_is_the_beginning_of_the_folded_text() {
        assert_eq!(sort_key(" Ärzte "), "arzte");
        assert_eq!(sort_key(&"ß".repeat(150)), "s".repeat(200));
        assert_eq!(sort_key(&format!("{} b", "a".repeat(199))), "a".repeat(199));
        assert!(sort_key("Ärzte") < sort_key("Bär"));
    }

    /// Text dense in what the rules are about.
    fn texts() -> impl Strategy<Value = String> {
        let chars = prop_oneof![
            3 => prop::char::range('A', 'z'),
            2 => prop::sample::select(" '’´.-\"*: \u{a0}\t".chars().collect::<Vec<_>>()),
            2 => prop::sample::select("éßŁøΣςйёאָمُّŋ".chars().collect::<Vec<_>>()),
            2 => prop::sample::select("田中東京がかガｶﾞ゛々ー김철\u{1100}\u{1161}\u{11a8}\u{3099}".chars().collect::<Vec<_>>()),
            2 => prop::sample::select("हिन्दीสวัสดี".chars().collect::<Vec<_>>()),
            2 => prop::sample::select("🎉👍🏽🇩🇪❤\u{fe0f}\u{200d}€©🅰".chars().collect::<Vec<_>>()),
            1 => any::<char>(),
        ];
        prop::collection::vec(chars, 0..24).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn folding_is_idempotent(text in prop_oneof![texts(), any::<String>()]) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn the_short_way_for_ascii_folds_like_the_long_one(text in "[ -~\t\n]{0,20}") {
            let expected = format!("{} e", fold(&text));
            prop_assert_eq!(expected.trim_start(), fold(&format!("{text} é")));
        }

        #[test]
        fn case_and_composition_do_not_matter(text in texts()) {
            prop_assert_eq!(fold(&text), fold(&text.nfd().collect::<String>()));
            prop_assert_eq!(fold(&text), fold(&text.nfc().collect::<String>()));
        }

        #[test]
        fn tokens_are_plain_short_and_distinct(text in prop_oneof![texts(), any::<String>()]) {
            let tokens = tokens(&text);
            let distinct: HashSet<_> = tokens.iter().collect();
            prop_assert_eq!(distinct.len(), tokens.len());
            for token in &tokens {
                prop_assert!(!token.is_empty() && token.chars().count() <= TOKEN_MAX_CHARS);
                for c in token.chars() {
                    prop_assert!(!c.is_whitespace() && !c.is_control());
                    prop_assert!(!c.is_ascii() || c.is_ascii_lowercase() || c.is_ascii_digit());
                }
            }
        }

        #[test]
        fn all_tokens_of_a_run_are_the_run(run in "[一-十가-각あ-お]{1,12}") {
            prop_assert_eq!(stretches(&run, &tokens(&run)), [fold(&run)]);
        }

        #[test]
        fn a_text_finds_itself(text in prop_oneof![texts(), any::<String>()]) {
            prop_assert!(finds(&text, &text));
            prop_assert_eq!(query(&text).is_empty(), tokens(&text).is_empty());
        }

        #[test]
        fn the_beginning_of_any_word_finds_the_text(text in texts(), length in 1usize..12) {
            let folded = fold(&text);
            for word in folded.split(' ') {
                let beginning: String = word.chars().take(length).collect();
                prop_assert!(finds(&beginning, &text), "{:?}", beginning);
            }
        }

        #[test]
        fn words_in_any_order_find_the_text(mut words in prop::collection::vec("[a-zé]{1,8}", 1..5)) {
            let text = words.join(" ");
            words.reverse();
            prop_assert!(finds(&words.join(" "), &text));
        }

        #[test]
        fn any_stretch_of_an_unspaced_run_finds_it(run in "[一-十가-각あ-ん]{1,12}", from in 0usize..12, length in 1usize..12) {
            let stretch: String = run.chars().skip(from).take(length).collect();
            prop_assert!(finds(&stretch, &run), "{:?}", stretch);
        }

        #[test]
        fn sort_keys_are_short_and_final(text in any::<String>()) {
            let key = sort_key(&text);
            prop_assert!(key.chars().count() <= SORT_KEY_MAX_CHARS);
            prop_assert_eq!(sort_key(&key), key);
        }
    }
}
