//! What somebody does or did somewhere. Several at once are normal.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::{check_period, clean};
use super::id::{ContactId, OrganizationId, PositionId};
use super::invalid::{Invalid, Rejection};
use super::period::Period;
use super::record::{Fields, Stored};
use super::words::enumeration;

/// How many positions a contact may have.
pub const MAX_PER_CONTACT: i64 = 1_000;

/// What can be entered about a position. It needs an organization, or its name, or a title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PositionFields {
    /// The contact who has or had the position.
    pub contact_id: ContactId,
    /// The organization, if there is a record of it. If null in a request with a name, the position is linked to
    /// the only organization that has this name or alias, or else, if the name is a domain or a web address, this
    /// domain or link. A PATCH that changes the name without this field looks again, unless the new name also
    /// belongs to the linked organization; the result is null if no organization or several match.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub organization_id: Option<OrganizationId>,
    /// The name of the organization, if there is no record of it, or its name at the time.
    #[serde(default)]
    #[schema(max_length = 300, example = "Poniedziałek Sp.j.")]
    pub organization_name: Option<String>,
    /// The title.
    #[serde(default)]
    #[schema(max_length = 300, example = "CTO")]
    pub title: Option<String>,
    /// The department.
    #[serde(default)]
    #[schema(max_length = 200, example = "Engineering")]
    pub department: Option<String>,
    /// The kind of position.
    #[serde(default)]
    #[schema(default = "employee")]
    pub kind: PositionKind,
    /// When it began: a partial date. Null: not known.
    #[serde(default)]
    #[schema(max_length = 10, example = "2021-04")]
    pub started_on: Option<String>,
    /// When it ended: a partial date. Null: it has not ended.
    #[serde(default)]
    #[schema(max_length = 10, example = "2024-03")]
    pub ended_on: Option<String>,
    /// Whether it is the contact's primary position, which is shown first.
    #[serde(default)]
    #[serde(rename = "primary")]
    #[schema(rename = "primary", default = false)]
    pub is_primary: bool,
    /// The source of this information, in your words.
    #[serde(default)]
    #[schema(max_length = 200, example = "linkedin")]
    pub source: Option<String>,
}

enumeration! {
    /// The kind of position.
    #[derive(Default)]
    PositionKind {
        #[default]
        Employee = "employee",
        Founder = "founder",
        Freelance = "freelance",
        Student = "student",
        Teacher = "teacher",
        Board = "board",
        Advisor = "advisor",
        Investor = "investor",
        Volunteer = "volunteer",
        Member = "member",
        Other = "other",
    }
}

/// A position that somebody has or had at an organization.
pub type Position = Stored<PositionFields>;

impl Position {
    pub fn period(&self) -> Period {
        Period::from_texts(self.fields.started_on.as_deref(), self.fields.ended_on.as_deref())
    }

    /// Which of somebody's positions is shown before another: the primary one, then those without an end, then the one that
    /// ends last; of these the one that began last. It is the same on every day: what ends later than today stands before
    /// what is over.
    pub fn display_order(&self, other: &Self) -> Ordering {
        let place = |position: &Self| {
            let Period { since, until } = position.period();
            (position.fields.is_primary, until.is_none(), until, since)
        };
        place(other).cmp(&place(self))
    }
}

impl PositionFields {
    /// One of a contact of which nothing else is known.
    pub const fn of(contact_id: ContactId) -> Self {
        Self {
            contact_id,
            organization_id: None,
            organization_name: None,
            title: None,
            department: None,
            kind: PositionKind::Employee,
            started_on: None,
            ended_on: None,
            is_primary: false,
            source: None,
        }
    }
}

impl Fields for PositionFields {
    const ENTITY: Entity = Entity::Position;
    const DESCRIPTION: &'static str = "A position that somebody has or had at an organization.";
    type Id = PositionId;

    fn check(mut self, _id: PositionId, _before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        let texts = [&mut self.organization_name, &mut self.title, &mut self.department, &mut self.source];
        texts.into_iter().for_each(clean);
        if self.organization_id.is_none() && self.organization_name.is_none() && self.title.is_none() {
            let detail = "At least one of organization_id, organization_name and title is required.";
            let any = &["organization_id", "organization_name", "title"];
            invalid.add("#/organization_id", Rejection::required_any(any, detail));
        }
        check_period(self.started_on.as_deref(), self.ended_on.as_deref(), &mut invalid);
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::invalid::FieldCode;
    use super::*;
    use crate::domain::timestamp::Timestamp;

    const NOBODY: PositionId = PositionId::new(uuid::Uuid::nil());

    fn fields() -> PositionFields {
        PositionFields {
            contact_id: ContactId::new(uuid::Uuid::from_u128(1)),
            organization_id: None,
            organization_name: Some("Acme".to_owned()),
            title: None,
            department: None,
            kind: PositionKind::Employee,
            started_on: None,
            ended_on: None,
            is_primary: false,
            source: None,
        }
    }

    #[test]
    fn a_position_cannot_end_before_it_starts_as_far_as_can_be_told() {
        let table = [
            ("2020", "2019", false),
            ("2020", "2020", true),
            ("2020-06", "2020", true),
            ("2020-06-02", "2020-06-01", false),
            ("2020-06", "2020-05-31", false),
        ];
        for (started, ended, fits) in table {
            let period = PositionFields {
                started_on: Some(started.to_owned()),
                ended_on: Some(ended.to_owned()),
                ..fields()
            };
            assert_eq!(period.check(NOBODY, None).is_ok(), fits, "{started} to {ended}");
        }
    }

    #[test]
    fn positions_are_shown_primary_first_then_those_that_last_then_the_newest() {
        let position = |number: u128, started: Option<&str>, ended: Option<&str>, is_primary| {
            let text = |date: Option<&str>| date.map(str::to_owned);
            let fields =
                PositionFields { started_on: text(started), ended_on: text(ended), is_primary, ..fields() };
            let now = Timestamp::parse("2026-03-02T09:00:00Z").unwrap();
            Position::new(PositionId::new(uuid::Uuid::from_u128(number)), now, fields).unwrap()
        };
        let mut all = [
            position(6, None, Some("2015"), false),
            position(5, Some("2016"), Some("2019-12-31"), false),
            position(4, Some("2018"), Some("2019"), false),
            position(3, None, None, false),
            position(2, Some("2021-04"), None, false),
            position(1, Some("2001"), Some("2002"), true),
        ];
        all.sort_by(Position::display_order);
        let order: Vec<_> = all.iter().map(|position| position.id.uuid().as_u128()).collect();
        assert_eq!(order, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_position_says_where_or_what() {
        let blank = PositionFields { organization_name: Some(" ".to_owned()), ..fields() };
        assert_eq!(blank.check(NOBODY, None).unwrap_err().errors[0].code, FieldCode::Required);
    }
}
