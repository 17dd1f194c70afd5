//! What somebody needs, can offer, or cares about.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::single_line;
use super::id::{ContactId, NeedId};
use super::invalid::{Invalid, Rejection};
use super::key::{Key, KeyKind};
use super::record::{Fields, Stored};
use super::search::SearchText;
use super::topic;
use super::words::enumeration;

/// How many needs, offers and interests a contact may have.
pub const MAX_PER_CONTACT: i64 = 1_000;

/// What can be entered about a need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NeedFields {
    /// The contact it belongs to. For the contact that represents you: what you look for, and what you can help
    /// with.
    pub contact_id: ContactId,
    /// Whether they need it, can offer it, or are interested in it.
    #[serde(default)]
    #[schema(default = "need")]
    pub kind: NeedKind,
    /// The topic, in a few words. Needs are matched with offers by topic.
    #[schema(min_length = 1, max_length = 200, example = "hiring rust engineers")]
    pub topic: String,
    /// Details.
    #[serde(default)]
    #[schema(max_length = 5000)]
    pub detail: Option<String>,
    /// The status.
    #[serde(default)]
    #[schema(default = "open")]
    pub status: NeedStatus,
}

enumeration! {
    /// Whether somebody needs, offers, or is interested in something.
    #[derive(Default)]
    NeedKind {
        #[default]
        Need = "need",
        Offer = "offer",
        Interest = "interest",
    }
}

enumeration! {
    /// The status of a need.
    #[derive(Default)]
    NeedStatus {
        #[default]
        Open = "open",
        Met = "met",
        Stale = "stale",
    }
}

/// Something a contact needs, can offer, or is interested in.
pub type Need = Stored<NeedFields>;

impl Need {
    /// Every word of the topic that says what it is about: what matching goes by.
    pub fn keys(&self) -> Vec<Key> {
        topic::words(&self.fields.topic).into_iter().map(|word| Key::new(KeyKind::Topic, word)).collect()
    }

    pub fn search_text(&self) -> SearchText {
        let detail = self.fields.detail.as_deref().unwrap_or_default();
        SearchText { title: self.fields.topic.clone(), text: format!("{}\n{detail}", self.fields.topic) }
    }
}

impl Fields for NeedFields {
    const ENTITY: Entity = Entity::Need;
    const DESCRIPTION: &'static str = "Something a contact needs, can offer, or is interested in.";
    type Id = NeedId;

    fn check(mut self, _id: NeedId, _before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        self.topic = single_line(&self.topic);
        if self.topic.is_empty() {
            invalid.add("#/topic", Rejection::blank());
        }
        invalid.into_result(self)
    }
}
