//! E-mail addresses: which are accepted, and when two are the same. Nothing is sent, and no domain looked up.

use unicode_normalization::UnicodeNormalization;

use crate::domain::domain_name;
use crate::domain::invalid::Rejection;
use crate::domain::text::{is_invisible, trimmed};

/// One plain address, `local@domain`: no display name, no address literal.
///
/// Letters of any script are accepted on both sides (RFC 6531, RFC 5890), and so are addresses that exist although the
/// grammar forbids them: with dots that follow one another or end the part before the `@` (given out by Japanese mobile
/// networks), and with underscores in the domain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    typed: String,
    normalized: String,
}

impl EmailAddress {
    /// Octets of the whole address (RFC 5321, section 4.5.3.1.3, less the angle brackets).
    pub const MAX_LENGTH: usize = 254;
    /// Octets before the `@` (RFC 5321, section 4.5.3.1.1).
    const LOCAL_MAX_LENGTH: usize = 64;

    /// Ignores surrounding white space and invisible characters.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let typed = trimmed(text);
        if typed.len() > Self::MAX_LENGTH {
            return Err(Rejection::too_long(
                Self::MAX_LENGTH,
                format!("An e-mail address can have at most {} bytes.", Self::MAX_LENGTH),
            ));
        }
        let malformed = || Rejection::format("Must be a single e-mail address, such as ada@example.org.");
        let (local, domain) = typed.split_once('@').ok_or_else(malformed)?;
        if local.len() > Self::LOCAL_MAX_LENGTH {
            return Err(Rejection::too_long(
                Self::LOCAL_MAX_LENGTH,
                format!("An e-mail address can have at most {} bytes before the @.", Self::LOCAL_MAX_LENGTH),
            ));
        }
        // Quotes around what needs none say nothing.
        let local = local.strip_prefix('"').and_then(|local| local.strip_suffix('"')).unwrap_or(local);
        if !is_mailbox(local) {
            return Err(malformed());
        }
        let domain = domain_name::canonical_host(domain).ok_or_else(malformed)?;
        if local.len() + 1 + domain.len() > Self::MAX_LENGTH {
            return Err(Rejection::too_long(
                Self::MAX_LENGTH,
                format!("An e-mail address can have at most {} bytes with its domain in ASCII.", Self::MAX_LENGTH),
            ));
        }
        let mut normalized = same_letters(local);
        normalized.push('@');
        normalized.push_str(&domain);
        Ok(Self { typed: typed.to_owned(), normalized })
    }

    /// The address, if the grammar allows it, so that mail programs send to it.
    pub fn standard(self) -> Result<Self, Rejection> {
        let is_standard = self.typed.split_once('@').is_some_and(|(local, domain)| {
            local.split('.').all(|atom| !atom.is_empty()) && !local.starts_with('"') && !domain.contains('_')
        });
        if is_standard {
            Ok(self)
        } else {
            Err(Rejection::format("Mail cannot be sent to an address of this form."))
        }
    }

    /// As it was typed, trimmed.
    pub fn as_str(&self) -> &str {
        &self.typed
    }

    /// The key for "is it the same address": lower case, the domain in ASCII.
    ///
    /// RFC 5321 lets the receiving host distinguish case before the `@`, but in practice none does.
    pub fn normalized(&self) -> &str {
        &self.normalized
    }
}

/// `Dot-string` of RFC 5321, section 4.1.2, with UTF-8 as in RFC 6531, section 3.3, and dots anywhere but at the beginning.
fn is_mailbox(local: &str) -> bool {
    let is_atom_char = |c: char| {
        if c.is_ascii() {
            c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
        } else {
            !c.is_whitespace() && !c.is_control() && !is_invisible(c)
        }
    };
    !local.is_empty() && !local.starts_with('.') && local.chars().all(|c| c == '.' || is_atom_char(c))
}

/// Lower case, composed; the two forms of sigma are one letter.
fn same_letters(local: &str) -> String {
    let lower = local.nfc().flat_map(char::to_lowercase);
    lower.map(|c| if c == 'ς' { 'σ' } else { c }).nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::invalid::FieldCode;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_kept_as_typed_and_matched_in_lower_case() {
        for (text, typed, normalized) in [
            ("ada@example.org", "ada@example.org", "ada@example.org"),
            ("  Ada.Lovelace@Example.ORG \n", "Ada.Lovelace@Example.ORG", "ada.lovelace@example.org"),
            ("a+tag_x/!#$%&'*=?^`{|}~-@b.co", "a+tag_x/!#$%&'*=?^`{|}~-@b.co", "a+tag_x/!#$%&'*=?^`{|}~-@b.co"),
            ("\u{feff}ada@example.org\u{200b}", "ada@example.org", "ada@example.org"),
            ("jörg@Müller.de", "jörg@Müller.de", "jörg@xn--mller-kva.de"),
            ("JO\u{308}RG@MÜLLER.de", "JO\u{308}RG@MÜLLER.de", "jörg@xn--mller-kva.de"),
            ("x@xn--mller-kva.de", "x@xn--mller-kva.de", "x@xn--mller-kva.de"),
            ("用户@例子.公司", "用户@例子.公司", "用户@xn--fsqu00a.xn--55qx5d"),
            ("ΣΊΣΥΦΟΣ@a.gr", "ΣΊΣΥΦΟΣ@a.gr", "σίσυφοσ@a.gr"),
            ("a@1.example.com", "a@1.example.com", "a@1.example.com"),
            ("a@sub-domain.a-b.co.uk", "a@sub-domain.a-b.co.uk", "a@sub-domain.a-b.co.uk"),
            ("Ada..x@docomo.ne.jp", "Ada..x@docomo.ne.jp", "ada..x@docomo.ne.jp"),
            ("ada.@docomo.ne.jp", "ada.@docomo.ne.jp", "ada.@docomo.ne.jp"),
            ("\"ada..x\"@docomo.ne.jp", "\"ada..x\"@docomo.ne.jp", "ada..x@docomo.ne.jp"),
            ("ada@my_firm.example", "ada@my_firm.example", "ada@my_firm.example"),
        ] {
            let address = EmailAddress::parse(text).unwrap();
            assert_eq!(address.as_str(), typed);
            assert_eq!(address.normalized(), normalized);
        }
    }

    #[test]
    fn anything_but_a_plain_address_is_refused() {
        for text in [
            "",
            " ",
            "@",
            "ada",
            "ada@",
            "@example.org",
            "a@b@example.org",
            "a b@example.org",
            "Ada <ada@example.org>",
            "mailto:ada@example.org",
            "\"a b\"@example.org",
            ".a@example.org",
            "\"@example.org",
            "\"\"@example.org",
            "\"a\"b\"@example.org",
            "a@localhost",
            "a@example",
            "a@.org",
            "a@example.",
            "a@example..org",
            "a@-a.org",
            "a@a-.org",
            "a@b.a_b",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a@0x7f.1",
            "a@ex%61mple.org",
            "a@exa mple.org",
            "a@example.org/x",
            "a@example.org:25",
            "a@example.org, b@example.org",
            "a(comment)@example.org",
            "a\u{0}@example.org",
            "a\u{200b}@example.org",
            "a@exam\u{ad}ple.org",
            "a\u{a0}b@example.org",
            "a@xn--\u{e9}.org",
        ] {
            let rejection = EmailAddress::parse(text).unwrap_err();
            assert_eq!(rejection.code, FieldCode::InvalidFormat, "{text:?}");
        }
    }

    #[test]
    fn length_is_counted_in_bytes() {
        let label = "d".repeat(63);
        let longest = format!("{}@{label}.{label}.{}.org", "l".repeat(57), "d".repeat(64 - 1 - 1));
        assert_eq!(longest.len(), 57 + 1 + 64 + 64 + 62 + 4);
        assert!(EmailAddress::parse(&longest).is_ok());
        for (text, ok) in [
            (format!("{}@a.org", "l".repeat(64)), true),
            (format!("{}@a.org", "l".repeat(65)), false),
            (format!("{}@a.org", "é".repeat(32)), true),
            (format!("{}@a.org", "é".repeat(33)), false),
            (format!("{}@{label}.{label}.{}.org", "l".repeat(60), "d".repeat(61)), true),
            (format!("{}@{label}.{label}.{}.org", "l".repeat(60), "d".repeat(62)), false),
        ] {
            let result = EmailAddress::parse(&text);
            assert_eq!(result.is_ok(), ok, "{} bytes", text.len());
            if let Err(rejection) = result {
                assert_eq!(rejection.code, FieldCode::TooLong);
            }
        }
        let label_too_long = format!("a@{}.org", "d".repeat(64));
        let rejection = EmailAddress::parse(&label_too_long).unwrap_err();
        assert_eq!(rejection.code, FieldCode::InvalidFormat);
    }

    proptest! {
        #[test]
        fn the_key_does_not_depend_on_case(text in "[a-zA-Z0-9+_-]{1,20}(\\.[a-zA-Z]{1,5}){0,2}@[a-zA-Z]{1,10}\\.[a-zA-Z]{2,4}") {
            let lower = EmailAddress::parse(&text.to_lowercase()).unwrap();
            let upper = EmailAddress::parse(&text.to_uppercase()).unwrap();
            prop_assert_eq!(lower.normalized(), upper.normalized());
        }

        #[test]
        fn a_key_is_its_own_key(text in "[a-zA-ZéßİΣς+.]{1,20}@[a-zA-Zéßøς.-]{1,20}\\.(org|РФ)") {
            if let Ok(address) = EmailAddress::parse(&text)
                && let Ok(again) = EmailAddress::parse(address.normalized())
            {
                prop_assert_eq!(again.normalized(), address.normalized());
            }
        }

        #[test]
        fn parsing_never_panics_and_keeps_the_text(text in prop_oneof![any::<String>(), "\\PC{1,9}@\\PC{1,9}\\.\\PC{1,4}"]) {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert_eq!(address.as_str(), trimmed(&text));
                prop_assert!(address.as_str().len() <= EmailAddress::MAX_LENGTH);
            }
        }
    }
}
