//! The words that the demo is made of: names of nobody in particular, and what one does with people. Word lists are files.

use std::sync::LazyLock;

fn lines(text: &'static str) -> Vec<&'static str> {
    text.lines().filter(|line| !line.is_empty()).collect()
}

pub static GIVEN_NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| lines(include_str!("data/given_names.txt")));
pub static FAMILY_NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| lines(include_str!("data/family_names.txt")));
pub static TITLES: LazyLock<Vec<&str>> = LazyLock::new(|| lines(include_str!("data/titles.txt")));
pub static TOPICS: LazyLock<Vec<&str>> = LazyLock::new(|| lines(include_str!("data/topics.txt")));
pub static CITIES: LazyLock<Vec<&str>> = LazyLock::new(|| lines(include_str!("data/cities.txt")));
pub static SUBJECTS: LazyLock<Vec<&str>> = LazyLock::new(|| lines(include_str!("data/subjects.txt")));
pub static PROMISES: LazyLock<Vec<&str>> = LazyLock::new(|| lines(include_str!("data/promises.txt")));
/// Name, kind and industry, with `|` between.
pub static ORGANIZATIONS: LazyLock<Vec<&str>> = LazyLock::new(|| lines(include_str!("data/organizations.txt")));
/// Kind, title and venue, with `|` between.
pub static EVENTS: LazyLock<Vec<&str>> = LazyLock::new(|| lines(include_str!("data/events.txt")));
/// Kind, topic and text, with `|` between.
pub static FEEDBACK: LazyLock<Vec<&str>> = LazyLock::new(|| lines(include_str!("data/feedback.txt")));
/// Kind and description, with `|` between.
pub static EXCHANGES: LazyLock<Vec<&str>> = LazyLock::new(|| lines(include_str!("data/exchanges.txt")));
/// Kind, title and topics, with `|` between.
pub static RESOURCES: LazyLock<Vec<&str>> = LazyLock::new(|| lines(include_str!("data/resources.txt")));
/// Kind, platform and name, with `|` between.
pub static COMMUNITIES: LazyLock<Vec<&str>> = LazyLock::new(|| lines(include_str!("data/communities.txt")));
/// Topic and title, with `|` between.
pub static POSTS: LazyLock<Vec<&str>> = LazyLock::new(|| lines(include_str!("data/posts.txt")));
/// Kind and title, with `|` between.
pub static FOLLOW_UPS: LazyLock<Vec<&str>> = LazyLock::new(|| lines(include_str!("data/follow_ups.txt")));

/// The parts of a line of several.
pub fn parts<const N: usize>(line: &'static str) -> [&'static str; N] {
    let mut parts = line.split('|');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// Letters and hyphens, as in a domain or an e-mail address.
pub fn slug(name: &str) -> String {
    let folded = crate::domain::text::fold(name);
    let letters = folded.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' });
    letters.collect::<String>().trim_matches('-').to_owned()
}
