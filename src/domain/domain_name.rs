//! Internet domain names: which are valid, and their canonical form. Nothing is looked up.

use url::Host;

use super::text::is_invisible;

/// What everything has in common that names a domain, as in schemas: a dot, of those that IDNA takes for one; nothing is none.
pub const DOMAIN_PATTERN: &str = r"^\s*(\S+[.。．｡]\S+)?\s*$";
/// Octets of a whole name (RFC 1035, section 2.3.4, as text without the last dot).
const MAX_LENGTH: usize = 253;
/// Octets of a label (RFC 1035, section 2.3.4).
const MAX_LABEL_LENGTH: usize = 63;

/// The name in lower-case ASCII, as IDNA encodes it (RFC 5890). `None` unless it is at least two labels of
/// letters, digits and inner hyphens (RFC 1123, section 2.1).
pub fn canonical(name: &str) -> Option<String> {
    canonical_of(name, |byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The same of a host that may also have underscores, as some that receive mail do, but not in its last label.
pub fn canonical_host(name: &str) -> Option<String> {
    let canonical = canonical_of(name, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))?;
    let has_plain_end = canonical.rsplit('.').next().is_some_and(|label| !label.contains('_'));
    has_plain_end.then_some(canonical)
}

fn canonical_of(name: &str, is_allowed: impl Fn(u8) -> bool) -> Option<String> {
    // Host::parse reads URLs, where percent-encoding is allowed.
    if name.contains('%') || name.contains(is_invisible) {
        return None;
    }
    match Host::parse(name) {
        Ok(Host::Domain(ascii)) if is_domain(&ascii, is_allowed) => Some(ascii),
        _ => None,
    }
}

fn is_domain(ascii: &str, is_allowed: impl Fn(u8) -> bool) -> bool {
    ascii.len() <= MAX_LENGTH && ascii.contains('.') && ascii.split('.').all(|label| is_label(label, &is_allowed))
}

fn is_label(label: &str, is_allowed: &impl Fn(u8) -> bool) -> bool {
    (1..=MAX_LABEL_LENGTH).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_domain_is_labels_of_letters_digits_and_inner_hyphens() {
        let label = |length: usize| "a".repeat(length);
        let longest = [label(63), label(63), label(63), label(61)].join(".");
        for (name, expected) in [
            ("Example.COM", Some("example.com")),
            ("co.uk", Some("co.uk")),
            ("3com.example", Some("3com.example")),
            ("a-b.c--d.example", Some("a-b.c--d.example")),
            ("Müller.de", Some("xn--mller-kva.de")),
            ("例え.jp", Some("xn--r8jz45g.jp")),
            ("例え。jp", Some("xn--r8jz45g.jp")),
            (&format!("{}.com", label(63)), Some(format!("{}.com", label(63)).as_str())),
            (&longest, Some(longest.as_str())),
            (&format!("{longest}a"), None),
            (&format!("{}.com", label(64)), None),
            ("x..com", None),
            (".com", None),
            ("example.com.", None),
            ("-x.com", None),
            ("x-.com", None),
            ("x.-com", None),
            ("a_b.com", None),
            ("a%62.com", None),
            ("a b.com", None),
            ("a\u{200b}b.com", None),
            ("xn--a.com", None),
            ("localhost", None),
            ("127.0.0.1", None),
            ("[::1]", None),
            ("", None),
        ] {
            assert_eq!(canonical(name).as_deref(), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_so_stays_so(name in "\\PC{0,20}\\.\\PC{0,5}") {
            if let Some(once) = canonical(&name) {
                prop_assert_eq!(canonical(&once), Some(once));
            }
        }
    }
}
