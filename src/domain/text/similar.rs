//! The name that was probably meant by one that does not exist.

/// A longer name is not worth the comparison.
const MAX_LENGTH: usize = 64;

/// The most similar of the known names, if one is similar: it may be written in another style (`givenName`), or at most a
/// third of its characters, and not all of them, may be missing, swapped, wrong or too many.
pub fn similar<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let sent = letters(name);
    if sent.len() > MAX_LENGTH {
        return None;
    }
    let distance = |known: &str| strsim::damerau_levenshtein(&sent, &letters(known));
    let is_near = |distance: usize, known: &str| distance * 3 <= known.len().max(3) && distance < known.len();
    known
        .into_iter()
        .map(|known| (distance(known), known))
        .filter(|(distance, known)| is_near(*distance, known))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, nearest)| nearest)
}

fn letters(name: &str) -> String {
    name.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::similar;

    #[test]
    fn a_name_is_found_in_another_style_or_with_a_few_mistakes() {
        let known = ["q", "given_name", "emails", "on", "tag[ne]"];
        for (name, expected) in [
            ("givenName", Some("given_name")),
            ("Given-Name", Some("given_name")),
            ("given_nmae", Some("given_name")),
            ("email", Some("emails")),
            ("tag[not]", Some("tag[ne]")),
            ("Q", Some("q")),
            ("om", Some("on")),
            ("label", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(similar(name, known), expected, "{name}");
        }
        assert_eq!(similar(&"given_name".repeat(100), known), None);
        assert_eq!(similar("given_name", []), None);
    }
}
