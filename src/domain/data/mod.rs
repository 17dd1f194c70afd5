//! Word lists, as files of one entry per line. The top of each file says what an entry is; nothing here knows.

/// The lines of a list, without blank ones and comments, which start with `#`.
pub fn entries(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::domain::text::fold;

    #[test]
    fn no_list_names_anything_twice_and_words_are_folded() {
        for (name, list, is_folded) in [
            ("countries", include_str!("countries.txt"), false),
            ("extension_words", include_str!("extension_words.txt"), true),
            ("kanji_variants", include_str!("kanji_variants.txt"), true),
            ("legal_forms", include_str!("legal_forms.txt"), true),
            ("mastodon_hosts", include_str!("mastodon_hosts.txt"), true),
            ("placeholder_organizations", include_str!("placeholder_organizations.txt"), false),
            ("platform_pages", include_str!("platform_pages.txt"), true),
            ("platforms", include_str!("platforms.txt"), false),
            ("shared_hosts", include_str!("shared_hosts.txt"), true),
            ("stop_words", include_str!("stop_words.txt"), true),
            ("unspaced_legal_forms", include_str!("unspaced_legal_forms.txt"), true),
        ] {
            let mut seen = HashSet::new();
            for entry in entries(list) {
                assert!(seen.insert(entry), "{name} names {entry} twice");
                assert!(!is_folded || fold(entry) == entry, "{name}: {entry} is not folded");
            }
            assert!(!seen.is_empty(), "{name} is empty");
        }
    }
}
