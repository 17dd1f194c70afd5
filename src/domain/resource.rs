//! Something useful to share: an article, a book, a tool. Whom it suits is told by the topics of needs, as offers are matched.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::{LabelText, check_url, clean_labels, drop_blank, single_line};
use super::id::{EventId, ResourceId};
use super::invalid::{Invalid, Rejection};
use super::key::{Key, KeyKind};
use super::link::ProfileUrl;
use super::need::Need;
use super::record::{Fields, Stored};
use super::search::SearchText;
use super::topic;
use super::words::enumeration;

/// What can be entered about a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ResourceFields {
    /// What it is called, in one line.
    #[schema(required = true, min_length = 1, max_length = 300, example = "Hiring engineers without interviews")]
    pub title: String,
    /// The address of the page; http and https only. Null: it is not online.
    #[schema(max_length = 2048, pattern = "^\\s*\\S*\\s*$", example = "https://example.org/hiring")]
    pub url: Option<String>,
    /// The kind of resource.
    #[schema(default = "article")]
    pub kind: ResourceKind,
    /// What it is about, each topic once. Whom it suits is found by these, or, without any, by the words of the title.
    #[schema(max_items = 20, example = json!(["hiring", "rust engineers"]))]
    pub topics: Vec<LabelText>,
    /// Why it is worth sharing, plain text or Markdown.
    #[schema(max_length = 5000, example = "The table on page 3.")]
    pub note: Option<String>,
    /// The event where you found it. Null: none.
    #[schema(example = json!(null))]
    pub event_id: Option<EventId>,
}

enumeration! {
    /// The kind of resource.
    #[derive(Default)]
    ResourceKind {
        #[default]
        Article = "article",
        Book = "book",
        Talk = "talk",
        Tool = "tool",
        OwnWork = "own_work",
        Other = "other",
    }
}

/// Something useful to share with contacts.
pub type Resource = Stored<ResourceFields>;

/// Why a resource suits a contact: one of their needs or interests shares words with its topics.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ResourceReason {
    /// The open need or interest.
    pub need: Need,
    /// How much of the topic of the need the resource shares, 1 to 100, calculated as for matches of needs and offers.
    #[schema(minimum = 1, maximum = 100, example = 69)]
    pub score: u8,
    /// The shared words, as in matches of needs and offers.
    #[schema(example = json!(["rust", "engineers"]))]
    pub shared: Vec<String>,
}

impl Resource {
    /// The folded words that say what it is about, each once.
    pub fn topic_words(&self) -> Vec<String> {
        let ResourceFields { title, topics, .. } = &self.fields;
        let mut words: Vec<String> = Vec::new();
        for word in topics.iter().flat_map(|label| topic::words(&label.0)) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        if words.is_empty() { topic::words(title) } else { words }
    }

    /// The words that it is matched by.
    pub fn keys(&self) -> Vec<Key> {
        self.topic_words().into_iter().map(|word| Key::new(KeyKind::Topic, word)).collect()
    }

    /// What it is found by when somebody types.
    pub fn search_text(&self) -> SearchText {
        let ResourceFields { title, url, topics, note, .. } = &self.fields;
        let page = url.as_deref().and_then(|url| ProfileUrl::parse(url).ok());
        let page = page.as_ref().map(ProfileUrl::words);
        let all = [Some(title.as_str()), note.as_deref(), page];
        let all = all.into_iter().flatten().chain(topics.iter().map(|label| label.0.as_str()));
        SearchText { title: title.clone(), text: all.collect::<Vec<_>>().join("\n") }
    }
}

impl Fields for ResourceFields {
    const ENTITY: Entity = Entity::Resource;
    const DESCRIPTION: &'static str = "Something useful to share with contacts.";
    type Id = ResourceId;

    fn check(mut self, _id: ResourceId, _before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        self.title = single_line(&self.title);
        if self.title.is_empty() {
            invalid.add("#/title", Rejection::blank());
        }
        check_url("#/url", &mut self.url, &mut invalid);
        clean_labels("topics", &mut self.topics, &mut invalid);
        drop_blank(&mut self.note);
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::timestamp::Timestamp;

    fn resource(title: &str, topics: &[&str]) -> Resource {
        let topics = topics.iter().map(|topic| LabelText((*topic).to_owned())).collect();
        let fields = ResourceFields { title: title.to_owned(), topics, ..ResourceFields::default() };
        let now = Timestamp::parse("2026-03-02T09:00:00Z").unwrap();
        Resource::new(ResourceId::new(uuid::Uuid::from_u128(1)), now, fields).unwrap()
    }

    #[test]
    fn a_resource_is_about_its_topics_or_else_what_its_title_says() {
        for (title, topics, expected) in [
            ("A guide to salaries", vec!["Hiring Rust engineers", "rust"], vec!["hiring", "rust", "engineers"]),
            ("Hiring engineers", vec![], vec!["hiring", "engineers"]),
        ] {
            assert_eq!(resource(title, &topics).topic_words(), expected, "{title}");
        }
    }
}
