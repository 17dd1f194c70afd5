//! Keys for exact look-ups of records: normalized addresses, phone numbers, links, names and tags. Nothing is
//! looked up here.

/// What a key is derived from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    Email,
    Phone,
    Link,
    Tag,
    /// The internet domain of an organization.
    Domain,
    /// The name of an organization or a tag, or the sorted words of a person's name.
    Name,
    /// A part of a name that similar names share.
    NameBlock,
    /// A word of a need's topic.
    Topic,
    /// The month and day of a birthday or another date: `06-15`.
    Date,
}

impl KeyKind {
    pub const ALL: [Self; 9] = [
        Self::Email,
        Self::Phone,
        Self::Link,
        Self::Tag,
        Self::Domain,
        Self::Name,
        Self::NameBlock,
        Self::Topic,
        Self::Date,
    ];

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
            Self::Date => "date",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A normalized value. Two records with the same one may be the same person, or have the same tag.
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
