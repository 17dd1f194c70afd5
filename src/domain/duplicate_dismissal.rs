//! "These two are not the same": a pair of records that is no longer offered as duplicates. What makes two records look
//! alike is in `duplicates.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::entity::Entity;
use super::id::{ContactId, DuplicateDismissalId, OrganizationId};
use super::invalid::{FieldCode, Invalid, Rejection};
use super::record::{Fields, Stored};

/// Two records that are not duplicates: two contacts or two organizations, not both. Their order does not matter,
/// and a pair can be dismissed only once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct DuplicateDismissalFields {
    /// One of the two contacts. Null if the dismissal is about organizations.
    pub contact_id: Option<ContactId>,
    /// The other contact. Null if the dismissal is about organizations.
    pub other_contact_id: Option<ContactId>,
    /// One of the two organizations. Null if the dismissal is about contacts.
    #[schema(example = json!(null))]
    pub organization_id: Option<OrganizationId>,
    /// The other organization. Null if the dismissal is about contacts.
    #[schema(example = json!(null))]
    pub other_organization_id: Option<OrganizationId>,
}

/// A statement that two records are not duplicates of each other.
pub type DuplicateDismissal = Stored<DuplicateDismissalFields>;

/// Whom a dismissal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DismissedPair {
    Contacts(ContactId, ContactId),
    Organizations(OrganizationId, OrganizationId),
}

impl DuplicateDismissal {
    /// `None` only for what was never checked.
    pub fn pair(&self) -> Option<DismissedPair> {
        let DuplicateDismissalFields { contact_id, other_contact_id, organization_id, other_organization_id } =
            self.fields;
        let contacts = contact_id.zip(other_contact_id).map(|(one, other)| DismissedPair::Contacts(one, other));
        let organizations = organization_id.zip(other_organization_id);
        contacts.or(organizations.map(|(one, other)| DismissedPair::Organizations(one, other)))
    }
}

impl Fields for DuplicateDismissalFields {
    const ENTITY: Entity = Entity::DuplicateDismissal;
    const DESCRIPTION: &'static str = "A statement that two records are not duplicates of each other.";
    type Id = DuplicateDismissalId;

    fn check(self, _id: DuplicateDismissalId, _before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        let contacts = [
            ("contact_id", self.contact_id.map(ContactId::uuid)),
            ("other_contact_id", self.other_contact_id.map(ContactId::uuid)),
        ];
        let organizations = [
            ("organization_id", self.organization_id.map(OrganizationId::uuid)),
            ("other_organization_id", self.other_organization_id.map(OrganizationId::uuid)),
        ];
        let names_any = |ids: &[(&str, Option<Uuid>)]| ids.iter().any(|(_, id)| id.is_some());
        match (names_any(&contacts), names_any(&organizations)) {
            (true, true) => {
                for (field, _) in organizations.iter().filter(|(_, id)| id.is_some()) {
                    let detail = "Send two contacts or two organizations, not both.";
                    invalid.add(format!("#/{field}"), Rejection::new(FieldCode::Contradiction, detail));
                }
            }
            (false, true) => check_two(organizations, &mut invalid),
            _ => check_two(contacts, &mut invalid),
        }
        invalid.into_result(self)
    }
}

/// Both are there, and they are not one and the same.
fn check_two(ids: [(&str, Option<Uuid>); 2], invalid: &mut Invalid) {
    let [(_, one), (other_field, other)] = ids;
    for (field, _) in ids.iter().filter(|(_, id)| id.is_none()) {
        let detail = "Two contacts or two organizations are required.";
        let ids = &["contact_id", "other_contact_id", "organization_id", "other_organization_id"];
        invalid.add(format!("#/{field}"), Rejection::required_any(ids, detail));
    }
    if one.is_some() && one == other {
        let rejection = Rejection::new(FieldCode::Contradiction, "The two records must be different.");
        invalid.add(format!("#/{other_field}"), rejection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: DuplicateDismissalId = DuplicateDismissalId::new(Uuid::nil());

    #[test]
    fn a_dismissal_is_about_two_of_one_kind() {
        let contact = |n: u128| Some(ContactId::new(Uuid::from_u128(n)));
        let organization = |n: u128| Some(OrganizationId::new(Uuid::from_u128(n)));
        for ((one, other), (first, second), expected) in [
            ((contact(1), contact(2)), (None, None), vec![]),
            ((None, None), (organization(1), organization(2)), vec![]),
            ((None, None), (None, None), vec!["#/contact_id required", "#/other_contact_id required"]),
            ((contact(1), None), (None, None), vec!["#/other_contact_id required"]),
            ((contact(1), contact(1)), (None, None), vec!["#/other_contact_id contradiction"]),
            ((None, None), (None, organization(1)), vec!["#/organization_id required"]),
            ((None, None), (organization(1), organization(1)), vec!["#/other_organization_id contradiction"]),
            ((contact(1), contact(2)), (organization(1), None), vec!["#/organization_id contradiction"]),
        ] {
            let fields = DuplicateDismissalFields {
                contact_id: one,
                other_contact_id: other,
                organization_id: first,
                other_organization_id: second,
            };
            let errors = fields.clone().check(NOBODY, None).err().map_or_else(Vec::new, |invalid| invalid.errors);
            let told: Vec<String> =
                errors.iter().map(|error| format!("{} {}", error.pointer, error.code.as_str())).collect();
            assert_eq!(told, expected, "{fields:?}");
        }
    }
}
