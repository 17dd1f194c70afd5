//! The runs of digits, letters and other characters in what is typed for a phone number, without remarks in brackets.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::domain::data;
use crate::domain::text::fold;

/// With fewer digits, a number of an unknown country is not taken for a whole one.
pub const MIN_WHOLE_DIGITS: usize = 7;

static EXTENSION_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| data::entries(include_str!("../data/extension_words.txt")).collect());

/// A run of characters of one sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    Digits(String),
    Letters(String),
    Plus,
    /// Anything between them.
    Other(String),
    /// What stands in brackets and is no part of the number.
    Remark,
}

impl Token {
    pub fn digits(&self) -> &str {
        if let Self::Digits(digits) = self { digits } else { "" }
    }
}

pub fn is_extension_word(word: &str) -> bool {
    EXTENSION_WORDS.contains(fold(word).as_str())
}

/// What stands in brackets is a part of the number if it is digits, and is dropped if it is a remark or follows a whole number.
pub fn tokens(typed: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = typed;
    while let Some(c) = rest.chars().next() {
        if matches!(c, '(' | '[' | '（') {
            let inside = rest.get(c.len_utf8()..).unwrap_or_default();
            let (inside, after) = match inside.find([')', ']', '）']) {
                Some(end) => (inside.get(..end).unwrap_or_default(), inside.get(end..).unwrap_or_default()),
                None => (inside, ""),
            };
            let count: usize = tokens.iter().map(|token| token.digits().len()).sum();
            if is_remark(inside, after, count) {
                tokens.push(Token::Remark);
                rest = after;
                continue;
            }
        }
        if let Some(after) = rest.strip_prefix(AT_ALL_HOURS).filter(|after| !after.starts_with(is_digit_like))
            && !matches!(tokens.last(), Some(Token::Digits(_)))
        {
            tokens.push(Token::Remark);
            rest = after;
            continue;
        }
        push(&mut tokens, c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    tokens
}

const AT_ALL_HOURS: &str = "24/7";

fn is_digit_like(c: char) -> bool {
    ascii_digit(c).is_some()
}

fn is_remark(inside: &str, after: &str, digits_before: usize) -> bool {
    let is_digit = is_digit_like;
    let has_digits = inside.contains(is_digit);
    if inside.contains(char::is_alphabetic) {
        let word: String = inside.trim_start().chars().take_while(|c| c.is_alphabetic()).collect();
        return !(has_digits && is_extension_word(&word));
    }
    let is_hours = inside.split_once(['-', '–']).is_some_and(|(from, to)| {
        [from, to]
            .iter()
            .all(|hour| (1..=2).contains(&hour.trim().chars().count()) && hour.trim().chars().all(is_digit))
    });
    let is_last = !after.contains(is_digit);
    has_digits && (is_hours || is_last && digits_before >= MIN_WHOLE_DIGITS)
}

fn push(tokens: &mut Vec<Token>, c: char) {
    if let Some(digit) = ascii_digit(c) {
        match tokens.last_mut() {
            Some(Token::Digits(digits)) => digits.push(digit),
            _ => tokens.push(Token::Digits(digit.to_string())),
        }
    } else if matches!(c, '+' | '＋') {
        tokens.push(Token::Plus);
    } else if c.is_alphabetic() {
        match tokens.last_mut() {
            Some(Token::Letters(letters)) => letters.push(c),
            _ => tokens.push(Token::Letters(c.to_string())),
        }
    } else {
        match tokens.last_mut() {
            Some(Token::Other(other)) => other.push(c),
            _ => tokens.push(Token::Other(c.to_string())),
        }
    }
}

/// A decimal digit in ASCII, from scripts with digits of their own.
fn ascii_digit(c: char) -> Option<char> {
    if c.is_ascii() {
        return c.is_ascii_digit().then_some(c);
    }
    // Arabic, Persian, Devanagari, Bengali, full width.
    ['\u{0660}', '\u{06f0}', '\u{0966}', '\u{09e6}', '\u{ff10}'].into_iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(zero))?;
        char::from_digit(value, 10)
    })
}
