//! The cards of the people in a view, each made once.

use std::collections::BTreeMap;

use crate::domain::card::ContactCard;
use crate::domain::id::ContactId;

/// The cards of the people in the view.
pub struct ContactCards(BTreeMap<ContactId, ContactCard>);

impl ContactCards {
    pub fn new(cards: Vec<ContactCard>) -> Self {
        Self(cards.into_iter().map(|card| (card.id, card)).collect())
    }

    pub fn get(&self, id: ContactId) -> Option<ContactCard> {
        self.0.get(&id).cloned()
    }

    pub fn get_all(&self, ids: &[ContactId]) -> Vec<ContactCard> {
        ids.iter().filter_map(|id| self.get(*id)).collect()
    }
}
