//! Matching the topics of needs and offers: which words count, how much, and how well an offer meets a need.
//! Nothing is looked up: how many records have a word is passed in.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::{data, text};

/// Words that do not say what a topic is about, folded.
static STOP_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| data::entries(include_str!("data/stop_words.txt")).collect());

/// The folded words that say what a topic is about, each once: without stop words and single ASCII letters. A
/// topic of nothing else keeps all of its words.
pub fn words(topic: &str) -> Vec<String> {
    let all = text::tokens(topic);
    let significant: Vec<String> = all.iter().filter(|word| is_significant(word)).cloned().collect();
    if significant.is_empty() { all } else { significant }
}

fn is_significant(word: &str) -> bool {
    let is_letter = word.len() == 1 && word.bytes().all(|letter| letter.is_ascii_alphabetic());
    !is_letter && !STOP_WORDS.contains(word)
}

/// The weight of a word that one record has.
const RAREST: u64 = 1_000_000;

/// The weight of a word by the number of needs, offers and interests that have it: inversely proportional to its
/// square root, so that a word of four counts half as much as a word of one, and a word of a hundred a tenth. In
/// integers, so that it is the same on every machine.
pub fn weight(carriers: i64) -> u64 {
    let carriers = u64::try_from(carriers).unwrap_or(1).max(1);
    (RAREST.saturating_mul(RAREST) / carriers).isqrt().max(1)
}

/// How well an offer meets a need. For the same need, the greater is the better one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// The weight of the shared words as a percentage of the need's, 1 to 100.
    pub score: u8,
    /// The shared words, in the order of the need.
    pub shared: Vec<String>,
    /// Break ties: the weight of the shared words, and how many other words the offer has.
    weight: u64,
    others: usize,
}

impl PartialOrd for Fit {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// By weight, then by fewer other words.
impl Ord for Fit {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |fit: &Self| (fit.weight, std::cmp::Reverse(fit.others));
        key(self).cmp(&key(other)).then_with(|| self.shared.cmp(&other.shared))
    }
}

/// How well an offer meets a need, by their words; `None` if they share none.
pub fn fit(need: &[String], offer: &[String], weight: impl Fn(&str) -> u64) -> Option<Fit> {
    let shared: Vec<String> = need.iter().filter(|word| offer.contains(word)).cloned().collect();
    if shared.is_empty() {
        return None;
    }
    let sum = |words: &[String]| words.iter().map(|word| weight(word)).fold(0, u64::saturating_add);
    let (own, all) = (sum(&shared), sum(need).max(1));
    let rounded = own.saturating_mul(200).saturating_add(all) / all.saturating_mul(2);
    Some(Fit {
        score: u8::try_from(rounded.clamp(1, 100)).unwrap_or(100),
        others: offer.len().saturating_sub(shared.len()),
        weight: own,
        shared,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_topic_is_about_is_left_of_it() {
        for (topic, expected) in [
            ("Hiring Rust engineers", vec!["hiring", "rust", "engineers"]),
            ("looking for an AI researcher in UX", vec!["ai", "researcher", "ux"]),
            ("Suche jemanden für HR", vec!["jemanden", "hr"]),
            ("Cherche à lever des fonds", vec!["lever", "fonds"]),
            ("szukam inwestorów dla fundacji", vec!["inwestorow", "fundacji"]),
            ("introductions to the introductions", vec!["introductions"]),
            ("C", vec!["c"]),
            ("The Who", vec!["the", "who"]),
            ("Web 3", vec!["web", "3"]),
            ("採用", vec!["採", "採用", "用"]),
            ("…", vec![]),
        ] {
            assert_eq!(words(topic), expected, "{topic}");
        }
    }

    #[test]
    fn a_word_weighs_one_over_the_square_root_of_those_who_have_it() {
        for (carriers, expected) in
            [(-1, RAREST), (0, RAREST), (1, RAREST), (4, RAREST / 2), (100, RAREST / 10), (i64::MAX, 1)]
        {
            let weight = weight(carriers);
            assert!(weight >= expected && weight < expected + expected / 100 + 400, "{carriers}: {weight}");
        }
    }

    /// Ten hire, two of them engineers, and two are about rust.
    fn by_number(word: &str) -> u64 {
        weight(match word {
            "hiring" => 10,
            "rust" | "engineers" => 2,
            _ => 1,
        })
    }

    #[test]
    fn rare_words_bring_together_before_common_ones() {
        let need = words("rust hiring");
        let ranked = |offers: &[&'static str]| {
            let mut all: Vec<(Fit, &str)> =
                offers.iter().filter_map(|offer| Some((fit(&need, &words(offer), by_number)?, *offer))).collect();
            all.sort_by(|a, b| b.cmp(a));
            all.into_iter().map(|(fit, offer)| (offer, fit.score)).collect::<Vec<_>>()
        };
        let offers = ["hiring nurses", "gardening", "learning rust", "hiring rust engineers", "Rust hiring!"];
        assert_eq!(
            ranked(&offers),
            [("Rust hiring!", 100), ("hiring rust engineers", 100), ("learning rust", 69), ("hiring nurses", 31)]
        );
    }

    proptest! {
        #[test]
        fn sharing_more_words_is_never_worse(
            need in prop::collection::vec("[a-e]{3}", 1..6),
            offer in prop::collection::vec("[a-e]{3}", 0..6),
            more in prop::sample::select(vec![0_usize, 1, 2, 3, 4, 5]),
        ) {
            let (need, mut offer) = (words(&need.join(" ")), words(&offer.join(" ")));
            let number = |word: &str| weight(i64::from(word.bytes().next().unwrap_or(1)));
            let before = fit(&need, &offer, number);
            offer.extend(need.get(more % need.len()).cloned());
            let after = fit(&need, &offer, number).unwrap();
            prop_assert!((1..=100).contains(&after.score));
            if let Some(before) = before {
                prop_assert!(after.score >= before.score && after.weight >= before.weight);
            }
        }

        #[test]
        fn all_of_a_need_is_a_hundred_and_any_of_it_is_no_nothing(
            topic in "\\PC{1,60}", other in "\\PC{1,60}", carriers in any::<i64>()
        ) {
            let (need, offer) = (words(&topic), words(&other));
            if !need.is_empty() {
                prop_assert_eq!(fit(&need, &need, |_| weight(carriers)).unwrap().score, 100);
            }
            if let Some(fit) = fit(&need, &offer, |_| weight(carriers)) {
                prop_assert!((1..=100).contains(&fit.score));
                prop_assert!(fit.shared.iter().all(|word| need.contains(word) && offer.contains(word)));
            }
        }

        #[test]
        fn what_more_have_never_weighs_more(fewer in any::<i64>(), more in any::<i64>()) {
            prop_assert!(weight(fewer.max(more)) <= weight(fewer.min(more)));
        }
    }
}
