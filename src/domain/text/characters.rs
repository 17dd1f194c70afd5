//! Classes of characters, by their Unicode properties. What becomes of a text is in `fold.rs` and `tokens.rs`.

use icu_properties::props::{
    DefaultIgnorableCodePoint, EmojiModifier, EnumeratedProperty, ExtendedPictographic, GeneralCategory,
    GeneralCategoryGroup, Script,
};
use icu_properties::script::ScriptWithExtensions;
use icu_properties::{CodePointMapData, CodePointSetData};

/// The role of a character of folded text in the search.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A letter or digit of a script that puts spaces between words.
    Word,
    /// A letter or digit of a script that does not.
    Unspaced,
    Symbol,
    /// Belongs to the character before it.
    Mark,
    Apostrophe,
    Break,
}

pub fn kind(c: char) -> Kind {
    if c == '\'' {
        Kind::Apostrophe
    } else if c.is_ascii() {
        if c.is_ascii_alphanumeric() { Kind::Word } else { Kind::Break }
    } else if CodePointSetData::new::<EmojiModifier>().contains(c) {
        // 👍🏽 and 👍 are the same word, as variation selectors are.
        Kind::Mark
    } else if is_symbol(c) {
        Kind::Symbol
    } else if is_mark(c) {
        Kind::Mark
    } else if is_cjk(c) || is_southeast_asian(c) {
        Kind::Unspaced
    } else if c.is_alphanumeric() {
        Kind::Word
    } else {
        Kind::Break
    }
}

/// Whether a character is a letter of Chinese, Japanese or Korean. 々, 〇 and ー are; punctuation is not.
pub fn is_cjk(c: char) -> bool {
    const SCRIPTS: [Script; 5] =
        [Script::Han, Script::Hiragana, Script::Katakana, Script::Bopomofo, Script::Hangul];
    c.is_alphanumeric() && !c.is_ascii() && SCRIPTS.iter().any(|script| is_used_in(c, *script))
}

/// Whether a character is a letter of another script without spaces between words.
fn is_southeast_asian(c: char) -> bool {
    const SCRIPTS: [Script; 4] = [Script::Thai, Script::Lao, Script::Myanmar, Script::Khmer];
    c.is_alphanumeric() && SCRIPTS.contains(&script(c))
}

/// Whether a character is invisible: joiners, direction marks, variation selectors, fillers. They often come with
/// pasted text and must neither separate nor distinguish words.
pub fn is_invisible(c: char) -> bool {
    // Two Khmer vowels are ignorable by Unicode, yet part of the spelling.
    !c.is_ascii() && CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) && script(c) != Script::Khmer
}

/// Whether a character is a mark that does not make another letter: accents, niqqud, harakat; not a dakuten or an
/// Indic vowel sign.
pub fn is_diacritic(c: char) -> bool {
    const SCRIPTS: [Script; 5] = [Script::Latin, Script::Greek, Script::Cyrillic, Script::Hebrew, Script::Arabic];
    // Marks that any script may use are Inherited, unless Unicode lists the scripts that do.
    is_mark(c) && (is_used_in(c, Script::Inherited) || SCRIPTS.iter().any(|script| is_used_in(c, *script)))
}

fn is_mark(c: char) -> bool {
    GeneralCategoryGroup::Mark.contains(GeneralCategory::for_char(c))
}

/// Currency, signs, arrows, mathematics, pictographs. Some (🅰) are alphabetic by Unicode, yet nobody reads them as
/// letters.
fn is_symbol(c: char) -> bool {
    use GeneralCategory::{CurrencySymbol, MathSymbol, OtherSymbol};
    // Code points reserved for future emoji have this property already.
    matches!(GeneralCategory::for_char(c), CurrencySymbol | MathSymbol | OtherSymbol)
        || CodePointSetData::new::<ExtendedPictographic>().contains(c)
}

fn script(c: char) -> Script {
    CodePointMapData::<Script>::new().get(c)
}

/// By Script_Extensions, which lists both scripts that share ー.
fn is_used_in(c: char, script: Script) -> bool {
    ScriptWithExtensions::new().has_script(c, script)
}
