//! The format of secrets that are shown once: prefix, random characters, checksum. Randomness is passed in.

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET_CHARACTERS: usize = 30;
const CHECKSUM_CHARACTERS: usize = 6;

/// The start of every personal access token, by which secret scanners recognize it.
pub const PERSONAL_TOKEN: &str = "wm_pat_";
/// The start of the secret of every calendar feed.
pub const CALENDAR_FEED: &str = "wm_cal_";

/// The prefix, 30 random base62 characters, and their CRC32 in 6 more, so that scanners find few false positives.
pub fn generate(prefix: &str, random: &[u8; 64]) -> String {
    // Bytes of 248 and above would favour the first characters; 64 bytes practically always have 30 below.
    let letter = |byte: &u8| BASE62.get(usize::from(byte % 62)).map(|letter| char::from(*letter));
    let secret: String =
        random.iter().filter(|byte| **byte < 248).filter_map(letter).take(SECRET_CHARACTERS).collect();
    let checksum = checksum(&secret);
    format!("{prefix}{secret}{checksum}")
}

fn checksum(secret: &str) -> String {
    let mut rest = crc32fast::hash(secret.as_bytes());
    let mut letters = Vec::with_capacity(CHECKSUM_CHARACTERS);
    for _ in 0..CHECKSUM_CHARACTERS {
        let digit = usize::try_from(rest % 62).unwrap_or(0);
        letters.push(BASE62.get(digit).copied().map_or('0', char::from));
        rest /= 62;
    }
    letters.iter().rev().collect()
}

/// Whether this can be a secret with the prefix at all, without asking the database.
pub fn is_well_formed(prefix: &str, secret: &str) -> bool {
    secret
        .strip_prefix(prefix)
        .filter(|rest| rest.is_ascii())
        .and_then(|rest| rest.split_at_checked(SECRET_CHARACTERS))
        .is_some_and(|(secret, sum)| sum == checksum(secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_secret_has_its_form_and_a_typo_shows(random in any::<[u8; 32]>(), at in 7_usize..37) {
            let bytes: [u8; 64] = std::array::from_fn(|index| random[index % 32] % 248);
            let token = generate(PERSONAL_TOKEN, &bytes);
            prop_assert_eq!(token.len(), 7 + 30 + 6);
            prop_assert!(is_well_formed(PERSONAL_TOKEN, &token));
            prop_assert!(!is_well_formed(CALENDAR_FEED, &token));
            let mut typo = token.clone();
            let other = if &token[at..=at] == "x" { "y" } else { "x" };
            typo.replace_range(at..=at, other);
            prop_assert!(!is_well_formed(PERSONAL_TOKEN, &typo));
        }
    }
}
