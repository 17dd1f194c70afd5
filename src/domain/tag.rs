//! Tags: the labels that records carry by name, and the record that gives a label its one spelling and its color.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::single_line;
use super::id::TagId;
use super::invalid::{Invalid, Rejection};
use super::key::{Key, KeyKind};
use super::record::{Fields, Stored};
use super::search::SearchText;
use super::text;

/// How many tags a workspace may have.
pub const MAX_PER_WORKSPACE: i64 = 10_000;

/// How many tags a record may carry.
pub const MAX_PER_RECORD: usize = 100;

/// The kinds of record that carry tags.
pub const CARRIERS: &[Entity] = &[Entity::Contact, Entity::Organization, Entity::Event];

/// What can be entered about a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TagFields {
    /// The name, unique in the workspace; case and accents are ignored. Renaming a tag changes every record that
    /// has it. A workspace can have at most 10,000 tags.
    #[schema(min_length = 1, max_length = 100, example = "conference-2026")]
    pub name: String,
    /// The display color: red, green and blue in hexadecimal, stored in lower case. Null: the client chooses.
    #[serde(default)]
    #[schema(pattern = "^#[0-9A-Fa-f]{6}$", example = "#2f855a")]
    pub color: Option<String>,
}

/// A label for records. A tag is created when its name is first used.
pub type Tag = Stored<TagFields>;

impl Tag {
    /// What it is known by: there is one of a name.
    pub fn key(&self) -> Key {
        Key::new(KeyKind::Name, text::fold(&self.fields.name))
    }

    /// What it is found by when somebody types.
    pub fn search_text(&self) -> SearchText {
        SearchText { title: self.fields.name.clone(), text: self.fields.name.clone() }
    }

    /// What is left of several: its own name, and a color if any of them has one.
    pub fn merged_with(&self, others: &[Self]) -> TagFields {
        let colors = std::iter::once(self).chain(others).map(|tag| &tag.fields.color);
        TagFields { name: self.fields.name.clone(), color: colors.flatten().next().cloned() }
    }
}

impl Fields for TagFields {
    const ENTITY: Entity = Entity::Tag;
    const DESCRIPTION: &'static str = "A label for records. A tag is created when its name is first used.";
    type Id = TagId;

    fn check(mut self, _id: TagId, _before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        self.name = single_line(&self.name);
        if self.name.is_empty() {
            invalid.add("#/name", Rejection::blank());
        }
        self.color = self.color.map(|color| color.to_ascii_lowercase());
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::timestamp::Timestamp;

    fn tag(name: &str, color: Option<&str>) -> Result<Tag, Invalid> {
        let fields = TagFields { name: name.to_owned(), color: color.map(str::to_owned) };
        Tag::new(TagId::new(uuid::Uuid::from_u128(7)), Timestamp::parse("2026-03-02T09:00:00Z").unwrap(), fields)
    }

    #[test]
    fn a_name_is_tidied_and_never_blank() {
        assert_eq!(tag("  Rust\n", Some("#ABCDEF")).unwrap().fields.name, "Rust");
        assert_eq!(tag("x", Some("#ABCDEF")).unwrap().fields.color.as_deref(), Some("#abcdef"));
        for blank in ["", "   ", "\n\t", "\u{200b}"] {
            assert_eq!(tag(blank, None).unwrap_err().errors[0].pointer, "#/name", "{blank:?}");
        }
    }

    #[test]
    fn case_and_accents_make_no_other_tag() {
        assert_eq!(tag("Kraków", None).unwrap().key(), tag("KRAKOW", None).unwrap().key());
    }

    #[test]
    fn the_first_color_is_kept() {
        let tags = [tag("a", None).unwrap(), tag("b", None).unwrap(), tag("c", Some("#112233")).unwrap()];
        let merged = tags[0].merged_with(&tags[1..]);
        assert_eq!((merged.name.as_str(), merged.color.as_deref()), ("a", Some("#112233")));
    }
}
