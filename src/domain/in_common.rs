//! What you and a contact have in common: where both are or were, what both can do, what both care about, and where both
//! live. What is known of either is given.

use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use utoipa::ToSchema;

use super::contact::ContactFields;
use super::id::{CommunityId, OrganizationId};
use super::need::NeedFields;
use super::organization::{OrganizationFields, OrganizationKind, is_placeholder_name};
use super::position::{PositionFields, PositionKind};
use super::text::fold;
use super::topic;
use super::words::enumeration;

/// How many things in common are shown.
pub const MAX_SHOWN: usize = 20;

enumeration! {
    /// The kind of thing that you have in common: an organization where both have or had a position, a school, a skill, a
    /// topic of open needs, offers or interests, a community, a place.
    #[derive(PartialOrd, Ord)]
    InCommonKind {
        Organization = "organization",
        School = "school",
        Skill = "skill",
        Topic = "topic",
        Community = "community",
        Place = "place",
    }
}

/// Something that you and the contact have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct InCommon {
    pub kind: InCommonKind,
    /// Its name, as the records of the contact spell it.
    #[schema(example = "Warsaw University of Technology")]
    pub name: String,
}

/// What is known of somebody that can be compared with what is known of another.
#[derive(Debug, Clone, Default)]
pub struct Background(Vec<Known>);

/// One thing that is known of somebody.
#[derive(Debug, Clone)]
struct Known {
    kind: InCommonKind,
    /// What it is recognized by; one that is equal is enough.
    keys: Vec<String>,
    name: String,
}

impl Known {
    /// Where a school and another organization are the same, only one of the two has said that it is a school.
    fn group(&self) -> InCommonKind {
        if self.kind == InCommonKind::School { InCommonKind::Organization } else { self.kind }
    }
}

impl Background {
    /// The skills and places of a contact.
    pub fn new(contact: &ContactFields) -> Self {
        let mut background = Self::default();
        for skill in &contact.skills {
            background.add(InCommonKind::Skill, vec![fold(&skill.0)], &skill.0);
        }
        let cities = contact.addresses.values().filter_map(|address| address.city.as_ref());
        for place in contact.location.iter().chain(cities) {
            background.add(InCommonKind::Place, vec![fold(place)], place);
        }
        background
    }

    fn add(&mut self, kind: InCommonKind, keys: Vec<String>, name: &str) {
        let keys: Vec<String> = keys.into_iter().filter(|key| !key.is_empty()).collect();
        if !keys.is_empty() {
            self.0.push(Known { kind, keys, name: name.to_owned() });
        }
    }

    /// Where they are or were. What says that there is no organization is no place to meet.
    pub fn add_position(
        &mut self,
        position: &PositionFields,
        organization: Option<(OrganizationId, &OrganizationFields)>,
    ) {
        let typed = position.organization_name.as_deref().filter(|name| !is_placeholder_name(name));
        let Some(name) = organization.map(|(_, own)| own.name.as_str()).or(typed) else { return };
        let is_school = position.kind == PositionKind::Student
            || organization.is_some_and(|(_, own)| own.kind == Some(OrganizationKind::School));
        let kind = if is_school { InCommonKind::School } else { InCommonKind::Organization };
        let by_id = organization.map(|(id, _)| format!("id:{id}"));
        let names = organization.into_iter().flat_map(|(_, own)| own.names()).chain(typed);
        let keys = by_id.into_iter().chain(names.map(|name| format!("name:{}", fold(name))));
        self.add(kind, keys.collect(), name);
    }

    /// What they need, offer or are interested in. The same words in another order are the same topic.
    pub fn add_need(&mut self, need: &NeedFields) {
        let mut words = topic::words(&need.topic);
        words.sort_unstable();
        words.dedup();
        self.add(InCommonKind::Topic, vec![words.join(" ")], &need.topic);
    }

    /// A community that they are a member of.
    pub fn add_community(&mut self, id: CommunityId, name: &str) {
        self.add(InCommonKind::Community, vec![id.to_string()], name);
    }

    /// What they have in common with another, by kind and then by name; at most 20.
    pub fn in_common_with(&self, other: &Self) -> Vec<InCommon> {
        let mut others: HashMap<(&'static str, &str), bool> = HashMap::new();
        for known in &other.0 {
            for key in &known.keys {
                let is_school = others.entry((known.group().as_str(), key.as_str())).or_default();
                *is_school |= known.kind == InCommonKind::School;
            }
        }
        let mut shared: BTreeMap<(InCommonKind, String), InCommon> = BTreeMap::new();
        for known in &self.0 {
            let group = known.group();
            let found: Vec<bool> =
                known.keys.iter().filter_map(|key| others.get(&(group.as_str(), key.as_str())).copied()).collect();
            if found.is_empty() {
                continue;
            }
            let is_school = known.kind == InCommonKind::School || found.contains(&true);
            let kind = if is_school { InCommonKind::School } else { known.kind };
            let own = InCommon { kind, name: known.name.clone() };
            let shown = shared.entry((group, fold(&known.name))).or_insert_with(|| own.clone());
            if is_school {
                shown.kind = InCommonKind::School;
            }
        }
        // The names are in order already.
        let mut shared: Vec<InCommon> = shared.into_values().collect();
        shared.sort_by_key(|one| one.kind);
        shared.truncate(MAX_SHOWN);
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::ContactAddress;
    use crate::domain::fields::{LabelText, NameText};
    use crate::domain::id::ContactId;
    use crate::domain::keyed::Keyed;
    use crate::domain::need::{NeedKind, NeedStatus};

    fn person(skills: &[&str], location: Option<&str>, cities: &[&str]) -> Background {
        let mut addresses = Keyed::default();
        for city in cities {
            let address = ContactAddress { city: Some((*city).to_owned()), ..ContactAddress::default() };
            addresses.insert((*city).to_owned(), address);
        }
        Background::new(&ContactFields {
            skills: skills.iter().map(|skill| LabelText((*skill).to_owned())).collect(),
            location: location.map(str::to_owned),
            addresses,
            ..ContactFields::default()
        })
    }

    fn at(name: Option<&str>, kind: PositionKind) -> PositionFields {
        let of = PositionFields::of(ContactId::new(uuid::Uuid::from_u128(1)));
        PositionFields { organization_name: name.map(str::to_owned), kind, ..of }
    }

    fn working(positions: &[PositionFields]) -> Background {
        let mut background = Background::default();
        positions.iter().for_each(|position| background.add_position(position, None));
        background
    }

    fn caring(topics: &[&str]) -> Background {
        let mut background = Background::default();
        for topic in topics {
            background.add_need(&NeedFields {
                contact_id: ContactId::new(uuid::Uuid::from_u128(1)),
                kind: NeedKind::Interest,
                topic: (*topic).to_owned(),
                detail: None,
                status: NeedStatus::Open,
            });
        }
        background
    }

    fn told(theirs: &Background, own: &Background) -> Vec<String> {
        theirs.in_common_with(own).iter().map(|one| format!("{} {}", one.kind.as_str(), one.name)).collect()
    }

    #[test]
    fn what_both_have_is_in_common_as_the_contact_spells_it() {
        let employee = |name| at(Some(name), PositionKind::Employee);
        let student = |name| at(Some(name), PositionKind::Student);
        let table: [(Background, Background, &[&str]); 14] = [
            (person(&["Rust"], None, &[]), person(&["RUST", "go"], None, &[]), &["skill Rust"]),
            (person(&["rust"], None, &[]), person(&["go"], None, &[]), &[]),
            (person(&[], Some("Łódź"), &[]), person(&[], Some("lodz"), &[]), &["place Łódź"]),
            (person(&[], Some("Berlin"), &[]), person(&[], None, &["BERLIN"]), &["place Berlin"]),
            (person(&[], Some("Warsaw, Poland"), &[]), person(&[], Some("Warsaw, Indiana"), &[]), &[]),
            (person(&[], None, &["Paris", "Rome"]), person(&[], None, &["rome"]), &["place Rome"]),
            // A place is no skill.
            (person(&["Java"], None, &[]), person(&[], Some("Java"), &[]), &[]),
            (working(&[employee("ACME")]), working(&[employee("Acme")]), &["organization ACME"]),
            (working(&[employee("Freelance")]), working(&[employee("Freelance")]), &[]),
            // One of the two has said that it is a school.
            (working(&[student("MIT")]), working(&[employee("mit")]), &["school MIT"]),
            (working(&[employee("MIT")]), working(&[student("mit")]), &["school MIT"]),
            // Twice at the same place.
            (working(&[employee("MIT"), student("MIT")]), working(&[employee("mit")]), &["school MIT"]),
            (
                caring(&["Hiring Rust engineers"]),
                caring(&["rust engineers: hiring"]),
                &["topic Hiring Rust engineers"],
            ),
            (caring(&["hiring"]), caring(&["hiring rust engineers"]), &[]),
        ];
        for (theirs, own, expected) in table {
            assert_eq!(told(&theirs, &own), expected, "{theirs:?} {own:?}");
            assert_eq!(told(&own, &theirs).len(), expected.len(), "the other way round: {theirs:?} {own:?}");
        }
    }

    #[test]
    fn an_organization_is_known_by_its_id_and_by_each_of_its_names() {
        let id = |number| OrganizationId::new(uuid::Uuid::from_u128(number));
        let acme = OrganizationFields {
            name: "Acme".to_owned(),
            aliases: vec![NameText("Road Runner Ltd".to_owned())],
            kind: Some(OrganizationKind::School),
            ..OrganizationFields::default()
        };
        let linked = |number, name| {
            let mut background = Background::default();
            background.add_position(&at(name, PositionKind::Employee), Some((id(number), &acme)));
            background
        };
        let typed = working(&[at(Some("road runner LTD"), PositionKind::Teacher)]);
        assert_eq!(told(&linked(1, None), &linked(1, Some("Old name"))), ["school Acme"]);
        assert_eq!(told(&linked(1, None), &typed), ["school Acme"]);
        assert_eq!(told(&typed, &linked(1, None)), ["school road runner LTD"]);
    }

    #[test]
    fn they_come_by_kind_and_name_and_only_so_many() {
        let many: Vec<String> = (0..30).map(|number| format!("skill {number:02}")).rev().collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let mut both = person(&many, Some("Berlin"), &[]);
        both.add_position(&at(Some("Zeta"), PositionKind::Employee), None);
        both.add_position(&at(Some("alpha"), PositionKind::Employee), None);
        both.add_position(&at(Some("Yale"), PositionKind::Student), None);
        let found = told(&both, &both);
        assert_eq!(found.len(), MAX_SHOWN);
        assert_eq!(found[..4], ["organization alpha", "organization Zeta", "school Yale", "skill skill 00"]);
        assert_eq!(found.last().unwrap(), "skill skill 16");
    }
}
