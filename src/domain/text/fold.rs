//! Folding, sort keys, trimming. How folded text is split into search tokens is in `tokens.rs`.

use unicode_normalization::UnicodeNormalization;

use super::characters::{is_diacritic, is_invisible};

/// Characters a sort key keeps.
pub const SORT_KEY_MAX_CHARS: usize = 200;

/// Lower case without diacritics, compatibility forms resolved, apostrophes straight,
/// white space single and trimmed. Folding twice changes nothing.
///
/// Marks that make another letter are kept, such as the dakuten of が and Indic vowel signs; only accents, niqqud
/// and harakat are removed.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return single_spaced(text.chars().map(|c| straight(c).to_ascii_lowercase()));
    }
    let mut plain = String::with_capacity(text.len());
    // Decomposition would append the letters of a trade mark to the word before it: rusttm.
    let shown = text.chars().filter(|c| !matches!(c, '™' | '℠'));
    // Apostrophes also come out of decomposition (ŉ).
    let decomposed = shown.map(straight).nfkd().map(straight);
    for c in decomposed.flat_map(char::to_lowercase) {
        if c.is_ascii() {
            plain.push(c);
        } else if !is_diacritic(c) && !is_invisible(c) {
            match spelled(c) {
                Some(letters) => plain.push_str(letters),
                None => plain.push(c),
            }
        }
    }
    single_spaced(plain.nfc())
}

/// The key to sort a text by, compared byte by byte; at most `SORT_KEY_MAX_CHARS` characters.
pub fn sort_key(text: &str) -> String {
    let mut key: String = fold(text).chars().take(SORT_KEY_MAX_CHARS).collect();
    key.truncate(key.trim_end().len());
    key
}

/// The text in lower case and composed; nothing else is folded.
pub fn lower(text: &str) -> String {
    text.to_lowercase().nfc().collect()
}

/// The text without surrounding white space and invisible characters, which often come with pasted text.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// Collapses runs of white space and control characters into one space, and removes them at the ends.
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

/// Replaces the characters that people type for an apostrophe with `'`. Must precede decomposition, which makes a
/// space and an accent of `´`.
fn straight(c: char) -> char {
    match c {
        '`' | '´' | '‘' | '’' | '‛' | 'ʹ' | 'ʻ' | 'ʼ' | 'ʽ' | 'ʾ' | 'ʿ' | 'ˈ' | '′' | '‵' | 'ꞌ' | 'Ꞌ' | '׳'
        | '＇' | '｀' => '\'',
        c => c,
    }
}

/// The plain spelling of letters that decomposition leaves unchanged.
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
