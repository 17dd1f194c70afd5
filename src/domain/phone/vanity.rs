//! Letters that stand for digits: `1-800-FLOWERS`.

use super::tokens::Token;

/// Whether these digits are a whole number of some country; `None` where the country is not known.
pub type IsValid<'a> = &'a dyn Fn(bool, &str) -> Option<bool>;

/// What is dialled in North America after the country code.
const NATIONAL_DIGITS: usize = 10;
/// Letters beyond a whole number, which are dialled in vain: `1-800-CONTACTS`.
const MAX_SPARE: usize = 5;
const MIN_LETTERS: usize = 3;
/// With so many digits a number without such a prefix is complete, and letters after it are a remark.
const LOCAL_DIGITS: usize = 7;
const FREE_AREAS: [&str; 7] = ["800", "833", "844", "855", "866", "877", "888"];
/// What numbers for services begin with elsewhere.
const SERVICE_PREFIXES: [&str; 7] = ["0700", "0800", "0808", "0900", "1300", "1800", "0180"];

/// The digits of a number of which a part is in letters; `None` if the letters are only a remark.
pub fn number(
    (has_plus, own): (bool, &str),
    before: Option<&Token>,
    rest: &[Token],
    is_valid: IsValid<'_>,
) -> Option<String> {
    let Some(Token::Letters(first)) = rest.first() else { return None };
    if !is_joined(before, first) {
        return None;
    }
    let keys = keys(rest)?;
    let whole = |digits: String| match is_valid(has_plus, &digits) {
        Some(true) => Some(digits),
        None if is_free(own) => Some(digits),
        _ => None,
    };
    let american = || {
        let is_long = own.starts_with('1');
        let national = if is_long { own.get(1..)? } else { own };
        let missing = NATIONAL_DIGITS.checked_sub(national.len()).filter(|missing| *missing > 0)?;
        let is_spare = keys.len() >= missing && keys.len() - missing <= MAX_SPARE;
        let may_go_on = is_free(own) || own.len() < LOCAL_DIGITS;
        let digits = format!("{own}{}", keys.get(..missing)?);
        (is_spare && may_go_on).then_some(digits).and_then(whole)
    };
    let elsewhere = || {
        let is_service =
            SERVICE_PREFIXES.iter().any(|prefix| own.starts_with(prefix) && own.len() <= LOCAL_DIGITS);
        is_service.then(|| format!("{own}{keys}")).filter(|digits| is_valid(has_plus, digits) == Some(true))
    };
    american().or_else(elsewhere)
}

/// Whether letters may be dialled: they are joined to the digits before them, or capitals.
pub fn is_joined(before: Option<&Token>, word: &str) -> bool {
    let is_hyphen = match before {
        Some(Token::Digits(_)) => true,
        Some(Token::Other(between)) => matches!(between.as_str(), "-" | "." | "–" | "‑"),
        _ => false,
    };
    is_hyphen || word.chars().all(|c| c.is_ascii_uppercase())
}

/// Whether digits are only what a number for a service begins with, which many share.
pub fn is_beginning(digits: &str) -> bool {
    let national = digits.strip_prefix('1').unwrap_or(digits);
    FREE_AREAS.contains(&national) || SERVICE_PREFIXES.contains(&digits)
}

fn is_free(digits: &str) -> bool {
    let national = digits.strip_prefix('1').unwrap_or(digits);
    FREE_AREAS.iter().any(|area| national.starts_with(area))
}

/// The keys of the words that letters and digits make up to the next gap; capitals go on beyond it.
fn keys(rest: &[Token]) -> Option<String> {
    let is_capital = rest.iter().all(|token| match token {
        Token::Letters(word) => word.chars().all(|c| c.is_ascii_uppercase()),
        _ => true,
    });
    let mut keys = String::new();
    let mut letters = 0;
    for token in rest {
        match token {
            Token::Letters(word) => {
                letters += word.len();
                for c in word.chars() {
                    keys.push(key(c)?);
                }
            }
            Token::Digits(digits) => keys.push_str(digits),
            Token::Other(between) if between.contains(char::is_whitespace) && !is_capital => break,
            Token::Other(between) if between.trim_matches(['-', '.', ' ', '–']).is_empty() => {}
            _ => break,
        }
    }
    (letters >= MIN_LETTERS).then_some(keys)
}

/// The key of the first letter of a word that may be dialled.
pub fn first_key(word: &str) -> Option<char> {
    word.chars()
        .next()
        .filter(|_| word.len() >= MIN_LETTERS && word.chars().all(|c| c.is_ascii_uppercase()))
        .and_then(key)
}

/// The key of a letter (ITU-T E.161): `FLOWERS` is 3569377.
fn key(letter: char) -> Option<char> {
    Some(match letter.to_ascii_uppercase() {
        'A'..='C' => '2',
        'D'..='F' => '3',
        'G'..='I' => '4',
        'J'..='L' => '5',
        'M'..='O' => '6',
        'P'..='S' => '7',
        'T'..='V' => '8',
        'W'..='Z' => '9',
        _ => return None,
    })
}
