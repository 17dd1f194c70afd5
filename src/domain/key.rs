//! What a record can be found by exactly: normalized addresses, numbers, links, names and tags.

/// What a key was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    Email,
    Phone,
    Link,
    Tag,
    /// The internet domain of an organization.
    Domain,
    /// A name of an organization, of a tag, or of a person with its words in order.
    Name,
    /// A part of a name, under which names that are nearly the same meet.
    NameBlock,
    /// A word of the topic of a need.
    Topic,
}

impl KeyKind {
    pub const ALL: [Self; 8] =
        [Self::Email, Self::Phone, Self::Link, Self::Tag, Self::Domain, Self::Name, Self::NameBlock, Self::Topic];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Link => "link",
            Self::Tag => "tag",
            Self::Domain => "domain",
            Self::Name => "name",
            Self::NameBlock => "name_block",
            Self::Topic => "topic",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A normalized value: two records that share one may be the same person, or carry the same tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub kind: KeyKind,
    pub value: String,
}

impl Key {
    pub fn new(kind: KeyKind, value: impl Into<String>) -> Self {
        Self { kind, value: value.into() }
    }
}
