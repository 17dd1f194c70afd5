//! The scopes of tokens and the roles of members. Which operation needs which scope is declared beside its
//! handler.

use serde::{Deserialize, Serialize};

use super::invalid::{Invalid, Rejection};

/// Every scope a token can carry: `<area>:read` and `<area>:write`.
pub const SCOPES: &[&str] = &[
    "contacts:read",
    "contacts:write",
    "interactions:read",
    "interactions:write",
    "goals:read",
    "goals:write",
    "events:read",
    "events:write",
    "follow_ups:read",
    "follow_ups:write",
    "relationships:read",
    "relationships:write",
    "online:read",
    "online:write",
    "insights:read",
    "insights:write",
    "imports:read",
    "imports:write",
    "exports:read",
    "exports:write",
    "webhooks:read",
    "webhooks:write",
    "account:read",
    "account:write",
];

/// A scope in the document: a closed list in requests, an open one in responses.
pub struct Scope;

impl utoipa::PartialSchema for Scope {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .enum_values(Some(SCOPES.iter().copied()))
            .description(Some("What a token may do: `<area>:read` or `<area>:write`."))
            .into()
    }
}

impl utoipa::ToSchema for Scope {}

/// A set of scopes, sorted and without duplicates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// Every scope, as a logged-in user has.
    pub fn all() -> Self {
        Self(SCOPES.iter().map(ToString::to_string).collect())
    }

    pub fn parse(names: &[String]) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        for (index, name) in names.iter().enumerate().filter(|(_, name)| !SCOPES.contains(&name.as_str())) {
            let detail = format!("{name:?} is not a scope. Allowed: {}.", SCOPES.join(", "));
            invalid.add(format!("#/scopes/{index}"), Rejection { detail, ..Rejection::not_one_of(SCOPES) });
        }
        invalid.into_result(())?;
        let mut scopes = names.to_vec();
        scopes.sort();
        scopes.dedup();
        Ok(Self(scopes))
    }

    /// From the `scope` claim: names separated by spaces.
    pub fn from_claim(claim: &str) -> Self {
        Self(claim.split_ascii_whitespace().map(str::to_owned).collect())
    }

    pub fn to_claim(&self) -> String {
        self.0.join(" ")
    }

    /// No scope at all.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|own| own == scope)
    }

    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Those of `self` that `other` lacks.
    pub fn difference(&self, other: &Self) -> Vec<String> {
        self.0.iter().filter(|scope| !other.contains(scope)).cloned().collect()
    }
}

/// What a member of a workspace may do in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, the workspace itself included.
    Owner,
    /// Reads and writes records.
    Editor,
    /// Reads.
    Viewer,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Owner, Self::Editor, Self::Viewer];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Editor => "editor",
            Self::Viewer => "viewer",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// Whether the role permits the scope: viewers write nothing but their own account.
    pub fn allows(self, scope: &str) -> bool {
        match self {
            Self::Owner | Self::Editor => true,
            Self::Viewer => scope.ends_with(":read") || scope.starts_with("account:"),
        }
    }
}
