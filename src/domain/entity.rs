//! The kinds of record that clients sync, and what refers to what. Nothing here knows a database.

use serde::{Deserialize, Serialize};
use std::fmt;

use super::{need, position, relationship};

macro_rules! entities {
    ($($name:ident = $noun:literal, $plural:literal, $area:literal;)*) => {
        /// A kind of record in the log of changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Entity {
            $($name,)*
        }

        impl Entity {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in `changes`, in `x-entity` and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $noun,)* }
            }

            /// The table.
            pub const fn plural(self) -> &'static str {
                match self { $(Self::$name => $plural,)* }
            }

            /// The path segment: `/v1/<segment>/{id}`.
            pub fn segment(self) -> String {
                self.plural().replace('_', "-")
            }

            /// The area of the scopes that its records are read and written under.
            pub const fn area(self) -> &'static str {
                match self { $(Self::$name => $area,)* }
            }

            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|entity| entity.as_str() == name)
            }
        }
    };
}

entities! {
    Contact = "contact", "contacts", "contacts";
    Organization = "organization", "organizations", "contacts";
    Position = "position", "positions", "contacts";
    Relationship = "relationship", "relationships", "relationships";
    Need = "need", "needs", "relationships";
    Tag = "tag", "tags", "contacts";
    DuplicateDismissal = "duplicate_dismissal", "duplicate_dismissals", "contacts";
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What becomes of a record when the one it refers to is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// It is deleted too.
    Cascade,
    /// Its reference becomes null.
    SetNull,
    /// Its reference becomes null, and the field at this pointer keeps what the record was called.
    KeepName(&'static str),
}

/// One column that holds the id of another record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    pub from: Entity,
    /// The column of the table.
    pub column: &'static str,
    /// Where the id stands in the record's JSON, as a JSON pointer.
    pub pointer: &'static str,
    pub to: Entity,
    pub on_delete: OnDelete,
    /// How many records of the kind may refer to one by it.
    pub most: Option<i64>,
}

impl Reference {
    /// Whether it tells what a record is a part of, which must not lead back to itself.
    pub fn is_parent(&self) -> bool {
        self.from == self.to && self.column == "parent_id"
    }
}

/// Every reference between records: the checks that it exists and has room, the cascade of a delete, the order of a revert
/// and merging read it, and the parity test compares it with the foreign keys of both schemas.
pub const REFERENCES: &[Reference] = &[
    Reference {
        from: Entity::Contact,
        column: "introduced_by_id",
        pointer: "/how_met/introduced_by_id",
        to: Entity::Contact,
        on_delete: OnDelete::SetNull,
        most: None,
    },
    Reference {
        from: Entity::Organization,
        column: "parent_id",
        pointer: "/parent_id",
        to: Entity::Organization,
        on_delete: OnDelete::SetNull,
        most: None,
    },
    Reference {
        from: Entity::Position,
        column: "contact_id",
        pointer: "/contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: Some(position::MAX_PER_CONTACT),
    },
    Reference {
        from: Entity::Position,
        column: "organization_id",
        pointer: "/organization_id",
        to: Entity::Organization,
        on_delete: OnDelete::KeepName("/organization_name"),
        most: None,
    },
    Reference {
        from: Entity::Relationship,
        column: "contact_id",
        pointer: "/contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: Some(relationship::MAX_PER_CONTACT),
    },
    Reference {
        from: Entity::Relationship,
        column: "related_contact_id",
        pointer: "/related_contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: Some(relationship::MAX_PER_CONTACT),
    },
    Reference {
        from: Entity::Need,
        column: "contact_id",
        pointer: "/contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: Some(need::MAX_PER_CONTACT),
    },
    Reference {
        from: Entity::DuplicateDismissal,
        column: "contact_id",
        pointer: "/contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: None,
    },
    Reference {
        from: Entity::DuplicateDismissal,
        column: "other_contact_id",
        pointer: "/other_contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: None,
    },
    Reference {
        from: Entity::DuplicateDismissal,
        column: "organization_id",
        pointer: "/organization_id",
        to: Entity::Organization,
        on_delete: OnDelete::Cascade,
        most: None,
    },
    Reference {
        from: Entity::DuplicateDismissal,
        column: "other_organization_id",
        pointer: "/other_organization_id",
        to: Entity::Organization,
        on_delete: OnDelete::Cascade,
        most: None,
    },
];

/// How a record of the one kind belongs to one of the other: the first reference there is.
pub fn reference(from: Entity, to: Entity) -> Option<&'static Reference> {
    REFERENCES.iter().find(|reference| reference.from == from && reference.to == to)
}

/// What was done to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    Created,
    Updated,
    Deleted,
}

impl Op {
    pub const ALL: [Self; 3] = [Self::Created, Self::Updated, Self::Deleted];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str() == name)
    }
}
