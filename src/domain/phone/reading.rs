//! Reading what people type where a phone number is asked for: which digits are the number, and which are an extension, another
//! number or a remark. Only what certainly is a part of the number becomes one.

use super::tokens::{MIN_WHOLE_DIGITS, Token, is_extension_word, tokens};
use super::vanity::{self, IsValid};
use crate::domain::text::fold;

/// The parts of a typed number.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Dialled {
    pub has_plus: bool,
    /// ASCII digits, without the plus and the extension.
    pub digits: String,
    pub extension: Option<String>,
    /// Letters after the beginning of a number (`1-800-`) that do not make it a whole one.
    pub unread: Option<String>,
    /// Whether nothing else was typed.
    pub is_whole: bool,
}

/// With fewer digits, a word does not end the number: `0171 (mobil) 1234567` is one.
const MIN_DIGITS_BEFORE_WORDS: usize = 5;
/// Digits that stand together where a number is written in groups.
const MAX_GROUP_DIGITS: usize = 4;
/// Digits of the longest number (ITU-T E.164, section 6.1).
const MAX_DIGITS: usize = 15;
const MAX_EXTENSION_DIGITS: usize = 7;

impl Dialled {
    pub fn read(typed: &str, is_valid: IsValid<'_>) -> Self {
        let tokens = tokens(typed);
        let mut reader = Reader { tokens: &tokens, at: 0, is_valid, dialled: Self::default(), ends: Vec::new() };
        reader.skip_label();
        reader.read_number();
        let Reader { mut dialled, ends, .. } = reader;
        dialled.cut(&ends, is_valid);
        let count: usize = tokens.iter().map(|token| token.digits().len()).sum();
        let is_plain = !tokens.iter().any(|token| matches!(token, Token::Letters(_) | Token::Remark));
        dialled.is_whole = is_plain && count == dialled.digits.len();
        dialled
    }

    /// Ends the number at the first place where it is a whole one and what follows is another one or a few digits more, as in
    /// `901820/21`.
    fn cut(&mut self, ends: &[End], is_valid: IsValid<'_>) {
        let are_gaps = ends.iter().all(|end| end.strength == Strength::Gap);
        if ends.is_empty() || are_gaps && self.digits.len() <= MIN_WHOLE_DIGITS {
            return;
        }
        let is_known = is_valid(self.has_plus, &self.digits);
        if are_gaps && self.digits.len() <= MAX_DIGITS && is_known != Some(false) {
            return;
        }
        let is_whole = |digits: &str| match is_valid(self.has_plus, digits) {
            Some(is_valid) => is_valid && digits.len() >= MIN_DIGITS_BEFORE_WORDS,
            None => digits.len() >= MIN_WHOLE_DIGITS,
        };
        let marked: Vec<usize> =
            ends.iter().filter(|end| end.strength != Strength::Gap).map(|end| end.at).collect();
        let is_grouped =
            marked.len() > 1 && group_lengths(&marked, self.digits.len()).all(|own| own <= MAX_GROUP_DIGITS);
        let prefix = |at: usize| self.digits.get(..at).unwrap_or_default();
        let rest = |at: usize| self.digits.get(at..).unwrap_or_default();
        let cut = ends.iter().find(|end| match end.strength {
            _ if !is_whole(prefix(end.at)) => false,
            Strength::Gap => {
                let too_long = self.digits.len() > MAX_DIGITS || is_known == Some(false);
                too_long && (rest(end.at).starts_with('0') || is_valid(false, rest(end.at)) == Some(true))
            }
            Strength::Mark | Strength::End => !is_grouped,
        });
        // Two that are both not valid are two all the same.
        let cut = cut.or_else(|| {
            let first = ends.iter().find(|end| end.strength == Strength::End && end.at >= MIN_WHOLE_DIGITS);
            first.filter(|_| is_known != Some(true) && !is_grouped)
        });
        if let Some(End { at, .. }) = cut {
            let at = *at;
            self.digits.truncate(at);
        }
    }
}

/// How many digits stand between these places.
fn group_lengths(ends: &[usize], whole: usize) -> impl Iterator<Item = usize> {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(ends.iter().copied().chain([whole])).map(|(start, end)| end.saturating_sub(start))
}

/// A place where the number may end, as the count of its digits.
struct End {
    at: usize,
    strength: Strength,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    /// White space.
    Gap,
    /// A slash alone.
    Mark,
    /// What separates two numbers rather than two parts of one.
    End,
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    is_valid: IsValid<'a>,
    dialled: Dialled,
    ends: Vec<End>,
}

impl Reader<'_> {
    fn token(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead)
    }

    /// Passes over what stands in front: `Tel. 2:`, `2nd line`, `24h`.
    fn skip_label(&mut self) {
        let mut has_word = false;
        while let Some(token) = self.token(0) {
            let is_label = match (token, self.token(1)) {
                (Token::Plus, _) => return,
                (Token::Digits(digits), next) if digits.len() <= 2 => match next {
                    Some(Token::Letters(word)) => !is_extension_word(word) && vanity::first_key(word).is_none(),
                    Some(Token::Other(between)) => has_word && between.starts_with([':', ')']),
                    _ => false,
                },
                (Token::Digits(_), _) => return,
                (token, _) => {
                    has_word |= matches!(token, Token::Letters(_));
                    true
                }
            };
            if !is_label {
                return;
            }
            self.at += 1;
        }
    }

    fn read_number(&mut self) {
        while let Some(token) = self.token(0).cloned() {
            let goes_on = match token {
                Token::Digits(digits) => self.take_digits(&digits),
                Token::Plus => self.take_plus(),
                Token::Letters(word) => self.take_word(&word),
                Token::Other(between) => self.take_other(&between),
                Token::Remark => self.dialled.digits.len() < MIN_DIGITS_BEFORE_WORDS,
            };
            if !goes_on {
                return;
            }
            self.at += 1;
        }
    }

    /// Digits that a word goes on with are a part of it: `2nd`, `1.OG`.
    fn take_digits(&mut self, digits: &str) -> bool {
        let word = match (self.token(1), self.token(2)) {
            (Some(Token::Letters(word)), next) => Some((word, next)),
            (Some(Token::Other(dot)), Some(Token::Letters(word))) if dot == "." => Some((word, None)),
            _ => None,
        };
        let is_word = digits.len() <= 2
            && word
                .is_some_and(|(word, next)| !(is_extension_word(word) && matches!(next, Some(Token::Digits(_)))));
        if is_word && self.dialled.digits.len() >= MIN_DIGITS_BEFORE_WORDS {
            return false;
        }
        self.dialled.digits.push_str(digits);
        true
    }

    /// Only a number begins with a plus, so what stood before it was none unless it is a whole one.
    fn take_plus(&mut self) -> bool {
        let Dialled { has_plus, digits, .. } = &mut self.dialled;
        let is_whole =
            digits.len() >= MIN_WHOLE_DIGITS || *has_plus || (self.is_valid)(*has_plus, digits) == Some(true);
        if !digits.is_empty() && is_whole {
            return false;
        }
        digits.clear();
        *has_plus = true;
        self.ends.clear();
        true
    }

    fn take_word(&mut self, word: &str) -> bool {
        if self.dialled.digits.is_empty() {
            return true;
        }
        if is_extension_word(word)
            && let Some(extension) = self.extension(self.at + 1)
        {
            self.dialled.extension = Some(extension);
            return false;
        }
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let rest = self.tokens.get(self.at..).unwrap_or_default();
        if let Some(digits) =
            vanity::number((self.dialled.has_plus, &self.dialled.digits), before, rest, self.is_valid)
        {
            self.dialled.digits = digits;
            return false;
        }
        if vanity::is_beginning(&self.dialled.digits) && vanity::is_joined(before, word) {
            self.dialled.unread = Some(fold(word));
            return false;
        }
        self.drop_hours(word);
        let following: usize = rest.iter().map(|token| token.digits().len()).sum();
        self.dialled.digits.len() < MIN_DIGITS_BEFORE_WORDS && following >= MIN_DIGITS_BEFORE_WORDS
    }

    /// Digits before an hour's word are no part of the number: `030 901820 9-17 Uhr`.
    fn drop_hours(&mut self, word: &str) {
        if !matches!(fold(word).as_str(), "uhr" | "h" | "hrs" | "am" | "pm" | "oclock") {
            return;
        }
        let own = self.tokens.get(..self.at).unwrap_or_default();
        let mut hours: usize = 0;
        for token in own.iter().rev() {
            match token {
                Token::Digits(digits) if digits.len() <= 2 => hours += digits.len(),
                Token::Other(between) if between.trim().is_empty() && hours > 2 => break,
                Token::Other(_) => {}
                _ => break,
            }
        }
        let left = self.dialled.digits.len().saturating_sub(hours);
        if left == 0 || left >= MIN_DIGITS_BEFORE_WORDS {
            self.dialled.digits.truncate(left);
            self.ends.retain(|end| end.at < left);
        }
    }

    fn take_other(&mut self, between: &str) -> bool {
        let at = self.dialled.digits.len();
        if at == 0 {
            return true;
        }
        // `;ext=5`
        if matches!(self.token(1), Some(Token::Letters(word)) if is_extension_word(word)) {
            return true;
        }
        if between.contains('#') || between.contains(",,") {
            self.dialled.extension = self.extension(self.at + 1).filter(|_| at >= MIN_DIGITS_BEFORE_WORDS);
            return at < MIN_DIGITS_BEFORE_WORDS;
        }
        // `Mo-Fr 9-17: `
        if between.contains(": ") && at <= MAX_GROUP_DIGITS && !self.dialled.has_plus {
            self.dialled.digits.clear();
            self.ends.clear();
            return true;
        }
        let has_gap = between.contains(char::is_whitespace);
        let strength = if between.contains([',', ';', ':', '|', '\\', '&']) || between.contains('/') && has_gap {
            Strength::End
        } else if between.contains('/') {
            Strength::Mark
        } else if has_gap {
            Strength::Gap
        } else {
            return true;
        };
        let is_followed = matches!(self.token(1), Some(Token::Digits(_)));
        if is_followed {
            self.ends.push(End { at, strength });
        }
        true
    }

    /// The digits of an extension, which pauses may part.
    fn extension(&self, from: usize) -> Option<String> {
        if self.dialled.digits.len() < MIN_DIGITS_BEFORE_WORDS {
            return None;
        }
        let mut extension = String::new();
        for token in self.tokens.get(from..).unwrap_or_default() {
            match token {
                Token::Digits(digits) => extension.push_str(digits),
                Token::Other(between) if extension.is_empty() || between.trim_matches(',').is_empty() => {}
                Token::Letters(pause) if matches!(pause.as_str(), "p" | "w" | "P" | "W") => {}
                _ => break,
            }
        }
        Some(extension).filter(|own| (1..=MAX_EXTENSION_DIGITS).contains(&own.len()))
    }
}
