//! What somebody does or did somewhere. Several at once are normal.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::{check_period, tidy};
use super::id::{ContactId, OrganizationId, PositionId};
use super::invalid::{FieldCode, Invalid, Rejection};
use super::timestamp::Timestamp;

/// How many positions a contact may have.
pub const MAX_PER_CONTACT: i64 = 1_000;

/// What can be entered about a position. It needs an organization, or its name, or a title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PositionFields {
    /// Whose position it is.
    pub contact_id: ContactId,
    /// The organization, where there is a record of it. Null in a request with a name: linked by itself when the name
    /// is that of one organization only.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub organization_id: Option<OrganizationId>,
    /// The organization's name, where there is no record of it, or as it was called then.
    #[serde(default)]
    #[schema(max_length = 300, example = "Poniedziałek Sp.j.")]
    pub organization_name: Option<String>,
    /// What they are there.
    #[serde(default)]
    #[schema(max_length = 300, example = "CTO")]
    pub title: Option<String>,
    /// Where within it.
    #[serde(default)]
    #[schema(max_length = 200, example = "Engineering")]
    pub department: Option<String>,
    /// How they belong to it.
    #[serde(default)]
    #[schema(default = "employee")]
    pub kind: PositionKind,
    /// When it began: a partial date. Null: not known.
    #[serde(default)]
    #[schema(max_length = 10, example = "2021-04")]
    pub started_on: Option<String>,
    /// When it ended: a partial date. Null: it has not.
    #[serde(default)]
    #[schema(max_length = 10, example = "2024-03")]
    pub ended_on: Option<String>,
    /// The one to show first.
    #[serde(default)]
    #[schema(default = false)]
    pub primary: bool,
    /// Where this is known from, in your words.
    #[serde(default)]
    #[schema(max_length = 200, example = "linkedin")]
    pub source: Option<String>,
}

/// How somebody belongs to an organization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PositionKind {
    #[default]
    Employee,
    Founder,
    Freelance,
    Student,
    Teacher,
    Board,
    Advisor,
    Investor,
    Volunteer,
    Member,
    Other,
}

impl PositionKind {
    pub const ALL: [Self; 11] = [
        Self::Employee,
        Self::Founder,
        Self::Freelance,
        Self::Student,
        Self::Teacher,
        Self::Board,
        Self::Advisor,
        Self::Investor,
        Self::Volunteer,
        Self::Member,
        Self::Other,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Employee => "employee",
            Self::Founder => "founder",
            Self::Freelance => "freelance",
            Self::Student => "student",
            Self::Teacher => "teacher",
            Self::Board => "board",
            Self::Advisor => "advisor",
            Self::Investor => "investor",
            Self::Volunteer => "volunteer",
            Self::Member => "member",
            Self::Other => "other",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What somebody does or did somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Position {
    /// The record's id.
    pub id: PositionId,
    #[serde(flatten)]
    pub fields: PositionFields,
    /// When the record was made here.
    pub created_at: Timestamp,
    /// When the record last changed.
    pub updated_at: Timestamp,
    /// The number of its last change in the workspace's sequence.
    #[schema(example = 42)]
    pub version: i64,
}

impl Position {
    pub fn new(id: PositionId, now: Timestamp, fields: PositionFields) -> Result<Self, Invalid> {
        Ok(Self { id, fields: check(fields)?, created_at: now, updated_at: now, version: 0 })
    }

    pub fn with(&self, fields: PositionFields) -> Result<Self, Invalid> {
        Ok(Self { fields: check(fields)?, ..self.clone() })
    }
}

fn check(mut fields: PositionFields) -> Result<PositionFields, Invalid> {
    let mut invalid = Invalid::default();
    let texts = [&mut fields.organization_name, &mut fields.title, &mut fields.department, &mut fields.source];
    texts.into_iter().for_each(tidy);
    if fields.organization_id.is_none() && fields.organization_name.is_none() && fields.title.is_none() {
        let detail = "Say where or what: organization_id, organization_name or title.";
        invalid.add("#/organization_id", Rejection::new(FieldCode::Required, detail));
    }
    check_period(fields.started_on.as_deref(), fields.ended_on.as_deref(), &mut invalid);
    invalid.into_result(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            primary: false,
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
            assert_eq!(check(period).is_ok(), fits, "{started} to {ended}");
        }
    }

    #[test]
    fn a_position_says_where_or_what() {
        let blank = PositionFields { organization_name: Some(" ".to_owned()), ..fields() };
        assert_eq!(check(blank).unwrap_err().errors[0].code, FieldCode::Required);
    }
}
