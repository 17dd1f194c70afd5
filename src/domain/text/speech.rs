//! How long a text takes to be spoken.

use super::characters::{Kind, is_cjk, kind};

/// Words a minute of a talk: the middle of the 140 to 160 that the National Center for Voice and Speech
/// (<https://ncvs.org>) gives for conversation in English.
const WORDS_A_MINUTE: u64 = 150;
/// Characters a minute where words are not set apart and a character is a syllable or more: what NHK's newsreaders speak
/// (NHK Broadcasting Culture Research Institute: 300 characters of Japanese a minute).
const CHARACTERS_A_MINUTE: u64 = 300;
/// The same of letters in Thai, Lao, Khmer and Burmese: as fast as other words, of which one has four letters.
const LETTERS_A_MINUTE: u64 = WORDS_A_MINUTE * 4;

const SECONDS_A_MINUTE: u64 = 60;

/// The seconds that a text takes to be spoken, a part of one counted as one.
pub fn spoken_seconds(text: &str) -> i32 {
    let (mut words, mut characters, mut letters) = (0_u64, 0_u64, 0_u64);
    let mut is_in_word = false;
    for c in text.chars() {
        let kind = kind(c);
        let begins_word = kind == Kind::Word && !is_in_word;
        is_in_word = match kind {
            Kind::Word => true,
            // Within a word they do not end it.
            Kind::Mark | Kind::Apostrophe => is_in_word,
            _ => false,
        };
        words = words.saturating_add(u64::from(begins_word));
        if kind == Kind::Unspaced {
            let count = if is_cjk(c) { &mut characters } else { &mut letters };
            *count = count.saturating_add(1);
        }
    }
    // In parts that all rates divide.
    let parts = |count: u64, a_minute: u64| count.saturating_mul(LETTERS_A_MINUTE / a_minute);
    let all = parts(words, WORDS_A_MINUTE)
        .saturating_add(parts(characters, CHARACTERS_A_MINUTE))
        .saturating_add(parts(letters, LETTERS_A_MINUTE));
    let seconds = all.saturating_mul(SECONDS_A_MINUTE).div_ceil(LETTERS_A_MINUTE);
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_takes_as_long_as_its_words_or_its_characters() {
        for (text, seconds) in [
            (String::new(), 0),
            ("hello".to_owned(), 1),
            ("word ".repeat(150), 60),
            ("word ".repeat(151), 61),
            ("don't ".repeat(150), 60),
            ("slovo, ".repeat(75), 30),
            ("字".repeat(300), 60),
            ("カ。".repeat(150), 30),
            ("ก".repeat(600), 60),
            (format!("{}{}", "word ".repeat(75), "字".repeat(150)), 60),
            ("… — !".to_owned(), 0),
        ] {
            assert_eq!(spoken_seconds(&text), seconds, "{text}");
        }
    }
}
