//! Phone numbers and country codes. Nothing is dialled, and no country guessed.

use std::collections::HashSet;
use std::str::FromStr;
use std::sync::LazyLock;

use phonenumber::{Mode, country};

use crate::domain::data;
use crate::domain::invalid::Rejection;
use crate::domain::text::trimmed;

/// A phone number, as far as what was typed says what to dial.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber {
    e164: Option<String>,
    normalized: String,
}

impl PhoneNumber {
    /// Characters as typed.
    pub const MAX_LENGTH: usize = 64;
    /// The shortest numbers that people note down: 110, 112, 911.
    const MIN_DIGITS: usize = 3;

    /// Accepts a number with anything around its digits: spaces, brackets, `Tel.`, `ext. 5`.
    ///
    /// `country` (ISO 3166-1 alpha-2) is assumed for a number without a country calling code; an unknown one is
    /// ignored.
    pub fn parse(typed: &str, country: Option<&str>) -> Result<Self, Rejection> {
        let typed = trimmed(typed);
        if typed.chars().count() > Self::MAX_LENGTH {
            return Err(Rejection::too_long(
                Self::MAX_LENGTH,
                format!("A phone number can have at most {} characters.", Self::MAX_LENGTH),
            ));
        }
        if typed.contains(char::is_control) {
            return Err(Rejection::format(
                "A phone number cannot contain line breaks or other control characters.",
            ));
        }
        let Dialled { has_plus, digits, extension } = Dialled::read(typed);
        if digits.len() < Self::MIN_DIGITS {
            return Err(Rejection::format(format!(
                "A phone number must have at least {} digits, such as +49 30 901820.",
                Self::MIN_DIGITS
            ))
            .with("min_digits", Self::MIN_DIGITS));
        }
        let international =
            if has_plus { Some(digits.trim_start_matches('0')) } else { digits.strip_prefix("00") };
        // Zeros alone dial nothing, but they are what was typed.
        let international = international.filter(|digits| !digits.is_empty());
        let e164 = international.and_then(|digits| valid_e164(None, &format!("+{digits}"))).or_else(|| {
            let country = country.and_then(|code| country::Id::from_str(code).ok())?;
            if has_plus { None } else { valid_e164(Some(country), &digits) }
        });
        let mut normalized = match (&e164, international) {
            (Some(e164), _) => e164.clone(),
            (None, Some(digits)) => digits.to_owned(),
            (None, None) => digits.clone(),
        };
        if let Some(extension) = extension {
            normalized.push_str(";ext=");
            normalized.push_str(&extension);
        }
        Ok(Self { e164, normalized })
    }

    /// `+` and at most 15 digits, without the extension (ITU-T E.164); `None` if the number is not valid in its
    /// country, or its country is not known.
    pub fn e164(&self) -> Option<&str> {
        self.e164.as_deref()
    }

    /// The key for "is it the same number": E.164 or else the digits, then the extension as in RFC 3966
    /// (`+4930901820;ext=5`), since many people share the number of a switchboard.
    pub fn normalized(&self) -> &str {
        &self.normalized
    }
}

/// The plus and 15 digits (ITU-T E.164, section 6.1).
const E164_MAX_LENGTH: usize = 16;

fn valid_e164(country: Option<country::Id>, digits: &str) -> Option<String> {
    // Only digits and the plus are passed on: the crate interprets much of the rest.
    let number = phonenumber::parse(country, digits).ok()?;
    let e164 = number.format().mode(Mode::E164).to_string();
    // The crate takes German numbers that are longer than the recommendation allows.
    (phonenumber::is_valid(&number) && e164.len() <= E164_MAX_LENGTH).then_some(e164)
}

/// The parts of a typed number.
struct Dialled {
    has_plus: bool,
    /// ASCII digits, without the plus and the extension.
    digits: String,
    extension: Option<String>,
}

impl Dialled {
    /// With fewer digits, a letter does not start an extension: `0171 (mobil) 1234567` is one number.
    const MIN_DIGITS_BEFORE_EXTENSION: usize = 5;
    const MAX_EXTENSION_DIGITS: usize = 7;
    /// With this many digits a number is complete, and letters after it are a remark.
    const WHOLE_NUMBER_DIGITS: usize = 7;
    const MIN_VANITY_LETTERS: usize = 4;

    fn read(typed: &str) -> Self {
        let mut dialled = Self { has_plus: false, digits: String::new(), extension: None };
        for (at, c) in typed.char_indices() {
            let rest = typed.get(at..).unwrap_or_default();
            if let Some(digit) = ascii_digit(c) {
                dialled.digits.push(digit);
            } else if dialled.digits.is_empty() {
                dialled.has_plus |= is_plus(c);
            } else if is_boundary(rest) && dialled.ends_before(rest) {
                break;
            }
        }
        dialled
    }

    /// Whether the number ends here; what follows may still add keys or an extension.
    fn ends_before(&mut self, rest: &str) -> bool {
        let trailing: String = rest.chars().filter_map(ascii_digit).collect();
        if trailing.is_empty() {
            if let Some(keys) = vanity(rest)
                && self.digits.len() < Self::WHOLE_NUMBER_DIGITS
            {
                self.digits.push_str(&keys);
            }
            return true;
        }
        if self.digits.len() < Self::MIN_DIGITS_BEFORE_EXTENSION {
            return false;
        }
        // With a plus, or too long for an extension, it is a second number; the first one counts.
        let is_extension = trailing.len() <= Self::MAX_EXTENSION_DIGITS && !rest.contains(is_plus);
        self.extension = is_extension.then_some(trailing);
        true
    }
}

fn is_plus(c: char) -> bool {
    matches!(c, '+' | '＋')
}

/// Whether something else than the rest of the number may start here: `ext. 5`, `#5`, `;ext=5`, the pauses `,,5`,
/// or a second number.
fn is_boundary(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_alphabetic() || is_plus(c) || matches!(c, '#' | ';')) || rest.starts_with(",,")
}

/// The keys of letters that stand for digits (ITU-T E.161): `FLOWERS` is 3569377.
fn vanity(rest: &str) -> Option<String> {
    let letters = || rest.chars().filter(|c| c.is_alphabetic());
    let is_vanity = letters().count() >= Dialled::MIN_VANITY_LETTERS && letters().all(|c| c.is_ascii_uppercase());
    is_vanity.then(|| letters().filter_map(key).collect())
}

fn key(letter: char) -> Option<char> {
    Some(match letter {
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

/// A decimal digit in ASCII, from scripts with digits of their own.
fn ascii_digit(c: char) -> Option<char> {
    // ASCII, Arabic, Persian, Devanagari, Bengali, full width.
    ['0', '\u{0660}', '\u{06f0}', '\u{0966}', '\u{09e6}', '\u{ff10}'].into_iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(zero))?;
        char::from_digit(value, 10)
    })
}

/// A country by its code of two upper-case letters (ISO 3166-1 alpha-2, and XK).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Country(&'static str);

impl Country {
    /// Accepts upper case only.
    pub fn parse(code: &str) -> Result<Self, Rejection> {
        COUNTRIES
            .get(code)
            .map(|known| Self(known))
            .ok_or_else(|| Rejection::format("Must be a two-letter country code (ISO 3166-1), such as DE."))
    }

    pub fn as_str(self) -> &'static str {
        self.0
    }
}

static COUNTRIES: LazyLock<HashSet<&str>> =
    LazyLock::new(|| data::entries(include_str!("data/countries.txt")).collect());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::invalid::FieldCode;
    use proptest::prelude::*;

    #[test]
    fn a_number_is_known_by_its_plus_its_zeros_or_its_country() {
        for (typed, country, e164) in [
            ("+49 30 901820", None, Some("+4930901820")),
            ("+49 (0)30 90 18-20", None, Some("+4930901820")),
            ("0049 30 901820", None, Some("+4930901820")),
            ("0049 30 901820", Some("US"), Some("+4930901820")),
            ("011 49 30 901820", Some("US"), Some("+4930901820")),
            ("030/901820", Some("DE"), Some("+4930901820")),
            ("Tel.: (030) 90 18 20", Some("DE"), Some("+4930901820")),
            ("030 901820", None, None),
            ("1,650,253,0000", Some("US"), Some("+16502530000")),
            ("+49 29000000000000", None, None),
            ("030 901820", Some("XX"), None),
            ("030 901820", Some("de"), None),
            ("(+49) 171 1234567", None, Some("+491711234567")),
            ("＋４９ １７１ １２３４５６７", None, Some("+491711234567")),
            ("\u{202a}+49 171 1234567\u{202c}", None, Some("+491711234567")),
            ("+33 1 42 68 53 00", Some("US"), Some("+33142685300")),
            ("01 42 68 53 00", Some("FR"), Some("+33142685300")),
            ("(650) 253-0000", Some("US"), Some("+16502530000")),
            ("1 650 253 0000", Some("US"), Some("+16502530000")),
            ("650-253-0000", Some("CA"), Some("+16502530000")),
            ("020 7183 8750", Some("GB"), Some("+442071838750")),
            ("06 698 12345", Some("IT"), Some("+390669812345")),
            ("+39 06 698 12345", None, Some("+390669812345")),
            ("03-1234-5678", Some("JP"), Some("+81312345678")),
            ("٠١٠٠ ١٢٣ ٤٥٦٧", Some("EG"), Some("+201001234567")),
            ("(11) 96123-4567", Some("BR"), Some("+5511961234567")),
            ("8 (495) 123-45-67", Some("RU"), Some("+74951234567")),
            ("010-1234-5678", Some("KR"), Some("+821012345678")),
            ("1-800-FLOWERS", Some("US"), Some("+18003569377")),
            ("+1 800 GOT-JUNK", None, Some("+18004685865")),
            ("0171 (mobil) 1234567", Some("DE"), Some("+491711234567")),
            ("112", Some("DE"), None),
            ("+49 1", None, None),
            ("+999 123456789", None, None),
            ("+4930901820123456789", None, None),
        ] {
            let number = PhoneNumber::parse(typed, country).unwrap();
            assert_eq!(number.e164(), e164, "{typed} {country:?}");
            if let Some(e164) = e164 {
                assert_eq!(number.normalized(), e164);
            }
        }
    }

    #[test]
    fn extensions_distinguish_and_remarks_do_not() {
        for (typed, normalized) in [
            ("+49 30 901820 ext. 5", "+4930901820;ext=5"),
            ("+49 30 901820 x12", "+4930901820;ext=12"),
            ("+49 30 901820;ext=12", "+4930901820;ext=12"),
            ("+49 30 901820 # 12", "+4930901820;ext=12"),
            ("+49 30 901820,,12", "+4930901820;ext=12"),
            ("+49 30 901820 Durchwahl 0", "+4930901820;ext=0"),
            ("+49 30 901820 доб. 7", "+4930901820;ext=7"),
            ("+49 30 901820 (home)", "+4930901820"),
            ("+49 30 901820 HOME", "+4930901820"),
            ("+49 30 901820 oder +49 171 1234567", "+4930901820"),
            ("+49 30 901820 / +49 171 1234567", "+4930901820"),
            ("+1 (650) 253-0000 p12w3", "+16502530000;ext=123"),
            ("Büro: 12345", "12345"),
            ("555-1234", "5551234"),
            ("00 99 9123456", "999123456"),
            ("+999 123456", "999123456"),
            ("*100#", "100"),
            ("+000", "000"),
            ("000", "0"),
            ("112 Polizei", "112"),
        ] {
            let number = PhoneNumber::parse(typed, None).unwrap();
            assert_eq!(number.normalized(), normalized, "{typed}");
        }
    }

    #[test]
    fn what_holds_no_number_is_refused() {
        let too_long = "1".repeat(65);
        for (typed, code) in [
            ("", FieldCode::InvalidFormat),
            ("  ", FieldCode::InvalidFormat),
            ("12", FieldCode::InvalidFormat),
            ("call me", FieldCode::InvalidFormat),
            ("+", FieldCode::InvalidFormat),
            ("030\n901820", FieldCode::InvalidFormat),
            ("030\u{0}901820", FieldCode::InvalidFormat),
            (&too_long, FieldCode::TooLong),
        ] {
            assert_eq!(PhoneNumber::parse(typed, Some("DE")).unwrap_err().code, code, "{typed:?}");
        }
        assert!(PhoneNumber::parse(&format!(" {} ", "1".repeat(64)), None).is_ok());
    }

    #[test]
    fn a_country_is_two_upper_case_letters_of_the_list() {
        for code in ["DE", "US", "GB", "AQ", "ZW", "AD", "XK"] {
            assert_eq!(Country::parse(code).unwrap().as_str(), code);
        }
        for code in ["", "D", "de", "DEU", "UK", "EU", "ZZ", " DE", "D ", "E ", " ", "AD AE"] {
            assert_eq!(Country::parse(code).unwrap_err().code, FieldCode::InvalidFormat, "{code:?}");
        }
        assert_eq!(COUNTRIES.len(), 250);
        assert!(COUNTRIES.iter().all(|code| code.len() == 2));
    }

    fn countries() -> impl Strategy<Value = &'static str> {
        prop::sample::select(COUNTRIES.iter().copied().collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn digits_of_any_country_never_panic(digits in "(\\+|00)?[0-9]{3,15}", country in countries()) {
            let number = PhoneNumber::parse(&digits, Some(country)).unwrap();
            if let Some(e164) = number.e164() {
                prop_assert!(e164.starts_with('+') && (5..=16).contains(&e164.len()), "{}", e164);
                prop_assert!(e164.chars().skip(1).all(|c| c.is_ascii_digit()));
            }
        }

        #[test]
        fn the_key_holds_on_to_every_spelling(area in "30|89|171|221", rest in "[1-9][0-9]{6}") {
            let plus = PhoneNumber::parse(&format!("+49 ({area}) {rest}"), None).unwrap();
            let zeros = PhoneNumber::parse(&format!("0049{area}{rest}"), Some("FR")).unwrap();
            let national = PhoneNumber::parse(&format!("0{area}-{rest}"), Some("DE")).unwrap();
            prop_assert_eq!(plus.normalized(), zeros.normalized());
            if plus.e164().is_some() {
                prop_assert_eq!(plus.normalized(), national.normalized());
            }
        }

        #[test]
        fn an_e164_number_is_its_own_key(digits in "[1-9][0-9]{6,14}", country in countries()) {
            if let Some(e164) = PhoneNumber::parse(&digits, Some(country)).unwrap().e164() {
                let again = PhoneNumber::parse(e164, None).unwrap();
                prop_assert_eq!(again.normalized(), e164);
            }
        }

        #[test]
        fn parsing_never_panics(text in prop_oneof![any::<String>(), "[+0-9a-zA-Z #;,().]{0,70}"], country in countries()) {
            if let Ok(number) = PhoneNumber::parse(&text, Some(country)) {
                prop_assert!(!number.normalized().is_empty());
            }
        }
    }
}
