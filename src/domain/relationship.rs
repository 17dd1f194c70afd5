//! Who is what to whom: "{contact} is the {type} of {related contact}". The inverse is read, not stored.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::check_period;
use super::id::{ContactId, RelationshipId};
use super::invalid::{FieldCode, Invalid, Rejection};
use super::period::Period;
use super::record::{Fields, Stored};
use super::words::enumeration;

/// How many relationships a contact may have, in each direction.
pub const MAX_PER_CONTACT: i64 = 1_000;

/// What can be entered about a relationship.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RelationshipFields {
    /// The contact who has the role.
    pub contact_id: ContactId,
    /// The contact to whom the role applies.
    pub related_contact_id: ContactId,
    /// What `contact` is to `related_contact`.
    #[serde(rename = "type")]
    #[schema(rename = "type")]
    pub kind: RelationshipType,
    /// When it began: a partial date. Null: not known.
    #[serde(default)]
    #[schema(max_length = 10, example = "2019")]
    pub started_on: Option<String>,
    /// When it ended: a partial date. Null: it has not ended.
    #[serde(default)]
    #[schema(max_length = 10, example = "2024-03")]
    pub ended_on: Option<String>,
    /// Your notes.
    #[serde(default)]
    #[schema(max_length = 20000, example = "She hired me.")]
    pub notes: Option<String>,
}

enumeration! {
    /// What one contact is to another.
    RelationshipType {
        Colleague = "colleague",
        Manager = "manager",
        Report = "report",
        Mentor = "mentor",
        Mentee = "mentee",
        Friend = "friend",
        Family = "family",
        Partner = "partner",
        Classmate = "classmate",
        Client = "client",
        Recruiter = "recruiter",
        Cofounder = "cofounder",
        Other = "other",
    }
}

impl RelationshipFields {
    pub fn period(&self) -> Period {
        Period::from_texts(self.started_on.as_deref(), self.ended_on.as_deref())
    }

    /// The one of its two contacts that is not this one.
    pub fn other_than(&self, contact: ContactId) -> ContactId {
        if self.contact_id == contact { self.related_contact_id } else { self.contact_id }
    }
}

impl RelationshipType {
    /// What the related contact is to the contact in turn; `None` where there is no word for it.
    pub const fn inverse(self) -> Option<Self> {
        match self {
            Self::Manager => Some(Self::Report),
            Self::Report => Some(Self::Manager),
            Self::Mentor => Some(Self::Mentee),
            Self::Mentee => Some(Self::Mentor),
            Self::Colleague
            | Self::Friend
            | Self::Family
            | Self::Partner
            | Self::Classmate
            | Self::Cofounder
            | Self::Other => Some(self),
            Self::Client | Self::Recruiter => None,
        }
    }
}

/// What one contact is to another, such as a manager or a mentor.
pub type Relationship = Stored<RelationshipFields>;

impl Fields for RelationshipFields {
    const ENTITY: Entity = Entity::Relationship;
    const DESCRIPTION: &'static str = "What one contact is to another, such as a manager or a mentor.";
    type Id = RelationshipId;

    fn check(self, _id: RelationshipId, _before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        if self.contact_id == self.related_contact_id {
            let rejection = Rejection::new(FieldCode::Contradiction, "The two contacts must be different.");
            invalid.add("#/related_contact_id", rejection);
        }
        check_period(self.started_on.as_deref(), self.ended_on.as_deref(), &mut invalid);
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_of_the_inverse_is_the_type() {
        for kind in RelationshipType::ALL.iter().copied() {
            let twice = kind.inverse().and_then(RelationshipType::inverse);
            assert!(kind.inverse().is_none() || twice == Some(kind), "{kind:?}");
        }
        assert_eq!(RelationshipType::Manager.inverse(), Some(RelationshipType::Report));
        assert_eq!(RelationshipType::Mentee.inverse(), Some(RelationshipType::Mentor));
        assert_eq!(RelationshipType::Client.inverse(), None);
    }
}
