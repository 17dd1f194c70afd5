//! Phone numbers and country codes. Nothing is dialled, and no country guessed. Which digits are the number is told in
//! `reading.rs`.

mod reading;
mod tokens;
mod vanity;

use std::cell::RefCell;
use std::collections::HashSet;
use std::str::FromStr;
use std::sync::LazyLock;

use phonenumber::{Mode, country};

use self::reading::Dialled;
use crate::domain::data;
use crate::domain::invalid::Rejection;
use crate::domain::text::trimmed;

/// A phone number, as far as what was typed says what to dial.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber {
    e164: Option<String>,
    normalized: String,
    is_whole: bool,
}

impl PhoneNumber {
    /// Characters as typed.
    pub const MAX_LENGTH: usize = 64;
    /// The shortest numbers that people note down: 110, 112, 911.
    const MIN_DIGITS: usize = 3;

    /// Accepts a number with anything around its digits: spaces, brackets, `Tel.`, `ext. 5`, another number, which is not
    /// read.
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
        let country = country.and_then(|code| country::Id::from_str(code).ok());
        // To read metadata of countries is most of the work, and the whole number is asked for again below.
        let last: RefCell<Option<(String, Option<String>)>> = RefCell::new(None);
        let is_valid = |has_plus, digits: &str| match international(has_plus, digits) {
            None if country.is_none() => None,
            _ => {
                let e164 = e164_of(has_plus, digits, country);
                let is_valid = e164.is_some();
                last.replace(Some((digits.to_owned(), e164)));
                Some(is_valid)
            }
        };
        let Dialled { has_plus, digits, extension, unread, is_whole } = Dialled::read(typed, &is_valid);
        if digits.len() < Self::MIN_DIGITS {
            return Err(Rejection::format(format!(
                "A phone number must have at least {} digits, such as +49 30 901820.",
                Self::MIN_DIGITS
            ))
            .with("min", Self::MIN_DIGITS));
        }
        let known = last.take().filter(|(known, _)| *known == digits);
        let dialled = known.map_or_else(|| e164_of(has_plus, &digits, country), |(_, e164)| e164);
        let international = international(has_plus, &digits);
        let spelling = dialled.as_deref().and_then(|e164| e164.strip_prefix('+')).or(international);
        let old = spelling.is_none().then(|| old_spelling(&digits, country)).flatten();
        let (e164, mut normalized) = match spelling.or(old.as_deref()).and_then(Spellings::of) {
            Some(spellings) => spellings.choose(dialled),
            None => {
                let normalized = dialled.clone().unwrap_or_else(|| international.unwrap_or(&digits).to_owned());
                (dialled, normalized)
            }
        };
        if let Some(unread) = unread.filter(|_| e164.is_none()) {
            normalized.push_str(&unread);
        }
        if let Some(extension) = extension {
            normalized.push_str(";ext=");
            normalized.push_str(&extension);
        }
        Ok(Self { e164, normalized, is_whole })
    }

    /// Whether nothing else was typed: no extension, no second number, no remark.
    pub fn is_whole(&self) -> bool {
        self.is_whole
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

/// The digits after a plus, or after the 00 that stands for it. Zeros alone dial nothing.
fn international(has_plus: bool, digits: &str) -> Option<&str> {
    let digits = if has_plus { Some(digits.trim_start_matches('0')) } else { digits.strip_prefix("00") };
    digits.filter(|digits| !digits.is_empty())
}

fn e164_of(has_plus: bool, digits: &str, country: Option<country::Id>) -> Option<String> {
    let international = international(has_plus, digits);
    international.and_then(|digits| valid_e164(None, &format!("+{digits}"))).or_else(|| {
        let country = country.filter(|_| !has_plus)?;
        valid_e164(Some(country), digits)
    })
}

/// The digits of a number with its country code, as it was written within the country until it was changed.
fn old_spelling(digits: &str, country: Option<country::Id>) -> Option<String> {
    match country? {
        country::BR => Some(format!("55{}", digits.trim_start_matches('0'))),
        country::MX => ["044", "045", "1"].iter().find_map(|old| Some(format!("52{}", digits.strip_prefix(old)?))),
        _ => None,
    }
}

/// The two ways in which one line is written in some countries, as digits with the country code.
struct Spellings {
    /// The one that is the key.
    key: String,
    other: String,
    /// Whether the key is also what is dialled today.
    is_current: bool,
}

impl Spellings {
    /// Mexico's mobile numbers had a 1 before them until 2019, and Brazil's had eight digits until 2016; Argentina's have a 9
    /// before them when called from abroad. `None` for any other number.
    fn of(digits: &str) -> Option<Self> {
        let (country, national) = digits.split_at_checked(2)?;
        let spellings = |key: String, other: String, is_current| Some(Self { key, other, is_current });
        match (country, national.len()) {
            ("52", 11) => spellings(format!("52{}", national.strip_prefix('1')?), digits.to_owned(), true),
            ("52", 10) => spellings(digits.to_owned(), format!("521{national}"), true),
            ("54", 11) => spellings(format!("54{}", national.strip_prefix('9')?), digits.to_owned(), false),
            ("54", 10) => spellings(digits.to_owned(), format!("549{national}"), false),
            ("55", 10 | 11) => {
                let (area, line) = national.split_at_checked(2)?;
                let line = if line.len() == 9 { line.strip_prefix('9')? } else { line };
                let is_mobile = line.starts_with(['6', '7', '8', '9']);
                let (new, old) = (format!("55{area}9{line}"), format!("55{area}{line}"));
                is_mobile.then_some(Self { key: new, other: old, is_current: true })
            }
            _ => None,
        }
    }

    /// What is dialled, and the key.
    fn choose(self, dialled: Option<String>) -> (Option<String>, String) {
        let Self { key, other, is_current } = self;
        let valid = |digits: &str| valid_e164(None, &format!("+{digits}"));
        let (of_key, of_other) = (valid(&key), valid(&other));
        let normalized =
            if of_key.is_some() || of_other.is_some() || dialled.is_some() { format!("+{key}") } else { key };
        let e164 = if is_current { of_key.or(dialled).or(of_other) } else { dialled.or(of_other).or(of_key) };
        (e164, normalized)
    }
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
    LazyLock::new(|| data::entries(include_str!("../data/countries.txt")).collect());

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
    fn letters_are_dialled_only_where_they_make_a_whole_number() {
        for (typed, country, normalized) in [
            ("1-800-Flowers", Some("US"), "+18003569377"),
            ("1-800-flowers", Some("US"), "+18003569377"),
            ("1-800-Contacts", Some("US"), "+18002668228"),
            ("1-800-555-TELL", Some("US"), "+18005558355"),
            ("800-44-Stern", Some("US"), "+18004478376"),
            ("1-800-Got-Junk", Some("US"), "+18004685865"),
            ("+1 800 GOT JUNK", None, "+18004685865"),
            ("1800FLOWERS", Some("US"), "+18003569377"),
            ("(650) 253-0000 HOME", Some("US"), "+16502530000"),
            ("+49 30 901820 HOME", None, "+4930901820"),
            ("030 901820 Home", Some("DE"), "+4930901820"),
            ("1-800-Hi", Some("US"), "1800hi"),
            ("1-800-Ho", None, "1800ho"),
        ] {
            assert_eq!(PhoneNumber::parse(typed, country).unwrap().normalized(), normalized, "{typed}");
        }
    }

    #[test]
    fn digits_of_a_remark_or_of_another_number_are_no_part_of_the_number() {
        for (typed, country) in [
            ("030 901820 ::: 0171 1234567", "DE"),
            ("030 901820, 0171 1234567", "DE"),
            ("030 901820; 0171 1234567", "DE"),
            ("030 901820 / 0171 1234567", "DE"),
            ("030 901820/0171 1234567", "DE"),
            ("030 901820/21", "DE"),
            ("030/901820/21", "DE"),
            ("030 901820 | 21", "DE"),
            ("030 901820 0171 1234567", "DE"),
            ("+49 30 901820 2nd line", "DE"),
            ("+49 30 901820 (2nd line)", "DE"),
            ("+49 30 901820 until 2025", "DE"),
            ("+49 30 901820 (until 2025)", "DE"),
            ("+49 30 901820 (2025)", "DE"),
            ("+49 30 901820 (Mo-Fr 9-17)", "DE"),
            ("+49 30 901820 Mo-Fr 9-17", "DE"),
            ("+49 30 901820 (9-17)", "DE"),
            ("+49 30 901820 9-17 Uhr", "DE"),
            ("Mo-Fr 9-17: 030 901820", "DE"),
            ("Mo-Fr 9-17 +49 30 901820", "DE"),
            ("Tel. 2: 030 901820", "DE"),
            ("2nd line: 030 901820", "DE"),
            ("030 901820 1.OG", "DE"),
            ("+49 30 901820 und +49 171 1234567", "US"),
            ("030/90/18/20", "DE"),
            ("030/901820", "DE"),
            ("030 901820 24/7", "DE"),
            ("Mo-Fr 8-16 Uhr 030 901820", "DE"),
            ("030 90 18 20 8-16 Uhr", "DE"),
        ] {
            let number = PhoneNumber::parse(typed, Some(country)).unwrap();
            assert_eq!(number.normalized(), "+4930901820", "{typed}");
            assert_eq!(number.is_whole(), matches!(typed, "030/90/18/20" | "030/901820"), "{typed}");
        }
        for (typed, normalized) in [
            ("030 901820 / 0171 1234567", "030901820"),
            ("030 901820, 0171 1234567", "030901820"),
            ("030 901820/21", "030901820"),
            ("030 / 901820", "030901820"),
        ] {
            assert_eq!(PhoneNumber::parse(typed, None).unwrap().normalized(), normalized, "{typed}");
        }
        assert!(PhoneNumber::parse("(Mo-Fr 9-17)", None).is_err());
    }

    #[test]
    fn one_line_has_one_key_in_both_its_spellings() {
        for (one, other, e164) in [
            ("+52 1 55 1234 5678", "+52 55 1234 5678", "+525512345678"),
            ("+54 9 11 2345 6789", "+54 11 2345 6789", "+5491123456789"),
            ("+55 11 6123-4567", "+55 11 96123-4567", "+5511961234567"),
        ] {
            let (one, other) = (PhoneNumber::parse(one, None).unwrap(), PhoneNumber::parse(other, None).unwrap());
            assert_eq!(one.normalized(), other.normalized());
            assert_eq!(one.e164(), Some(e164));
        }
        for (typed, country, key) in [
            ("(21) 8765-4321", "BR", "+5521987654321"),
            ("044 55 1234 5678", "MX", "+525512345678"),
            ("11 15-2345-6789", "AR", "+541123456789"),
        ] {
            assert_eq!(PhoneNumber::parse(typed, Some(country)).unwrap().normalized(), key, "{typed}");
        }
        let fixed = PhoneNumber::parse("+55 11 3123-4567", None).unwrap();
        assert_eq!(fixed.normalized(), "+551131234567");
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
                let number = PhoneNumber::parse(&digits, Some(country)).unwrap();
                prop_assert_eq!(again.normalized(), number.normalized());
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
