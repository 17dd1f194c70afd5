//! Who can introduce the networker to somebody: the shortest ways from one person to the next. Who is tied to whom is given.

use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::id::{ContactId, OrganizationId};
use super::period::Period;
use super::relationship::RelationshipType;
use super::words::enumeration;

/// How many ties a path has at most.
pub const MAX_HOPS: usize = 3;

/// How many paths are shown.
pub const MAX_PATHS: usize = 20;

/// In organizations with so many people, nobody knows everybody.
pub const LARGE_ORGANIZATION: i64 = 200;

enumeration! {
    /// Why one person can introduce the next: they are related, or were at a small organization at the same time.
    IntroductionPathReasonCode {
        Relationship = "relationship",
        SharedOrganization = "shared_organization",
    }
}

/// What ties two people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tie {
    /// What the first is to the second; `None` where there is no word for it.
    Relationship(Option<RelationshipType>),
    SharedOrganization(OrganizationId),
}

/// Whether two periods have a day in common. Where a start is not known, only if both are current.
pub fn overlap(one: Period, other: Period, on: NaiveDate) -> bool {
    match (one.since, other.since) {
        (Some(first), Some(second)) => {
            one.until.is_none_or(|until| second <= until) && other.until.is_none_or(|until| first <= until)
        }
        _ => one.is_current(on) && other.is_current(on),
    }
}

/// A step of a path: to whom, and what ties them to the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    pub to: ContactId,
    pub tie: Tie,
}

/// Who is tied to whom, in both directions. Of several ties between two people the first one counts.
#[derive(Debug, Default)]
pub struct Ties(HashMap<ContactId, BTreeMap<ContactId, Tie>>);

impl Ties {
    pub fn add(&mut self, from: ContactId, to: ContactId, tie: Tie) {
        let inverse = match tie {
            Tie::Relationship(kind) => Tie::Relationship(kind.and_then(RelationshipType::inverse)),
            shared @ Tie::SharedOrganization(_) => shared,
        };
        if from != to {
            self.0.entry(from).or_default().entry(to).or_insert(tie);
            self.0.entry(to).or_default().entry(from).or_insert(inverse);
        }
    }

    /// Those who are tied to somebody.
    pub fn of(&self, whom: ContactId) -> impl Iterator<Item = ContactId> {
        self.0.get(&whom).into_iter().flat_map(BTreeMap::keys).copied()
    }

    fn between(&self, from: ContactId, to: ContactId) -> Option<Hop> {
        Some(Hop { to, tie: *self.0.get(&from)?.get(&to)? })
    }

    /// Every way with so many ties from one to one of others, over those who may be passed.
    pub fn paths(
        &self,
        from: ContactId,
        targets: &BTreeSet<ContactId>,
        passable: &BTreeSet<ContactId>,
        hops: usize,
    ) -> Vec<Vec<Hop>> {
        let (passed, path, found) = (vec![from], Vec::new(), Vec::new());
        let mut search = Search { ties: self, targets, passable, passed, path, found };
        search.go_on(from, hops);
        search.found
    }
}

/// A search for paths, as far as it has come.
struct Search<'a> {
    ties: &'a Ties,
    targets: &'a BTreeSet<ContactId>,
    passable: &'a BTreeSet<ContactId>,
    passed: Vec<ContactId>,
    path: Vec<Hop>,
    found: Vec<Vec<Hop>>,
}

impl Search<'_> {
    /// Goes on from somebody, with so many ties to go.
    fn go_on(&mut self, from: ContactId, hops: usize) {
        let Some(left) = hops.checked_sub(1) else { return };
        let next: Vec<ContactId> = self.ties.of(from).filter(|next| !self.passed.contains(next)).collect();
        for next in next {
            // Who is looked for ends a path, and nobody else does.
            let is_target = self.targets.contains(&next);
            let may_be_next = if left == 0 { is_target } else { !is_target && self.passable.contains(&next) };
            let Some(hop) = self.ties.between(from, next).filter(|_| may_be_next) else { continue };
            self.path.push(hop);
            if left == 0 {
                self.found.push(self.path.clone());
            } else {
                self.passed.push(next);
                self.go_on(next, left);
                self.passed.pop();
            }
            self.path.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn person(number: u128) -> ContactId {
        ContactId::new(Uuid::from_u128(number))
    }

    fn ties(pairs: &[(u128, u128)]) -> Ties {
        let mut ties = Ties::default();
        for (from, to) in pairs {
            ties.add(person(*from), person(*to), Tie::Relationship(Some(RelationshipType::Friend)));
        }
        ties
    }

    fn people(numbers: impl IntoIterator<Item = u128>) -> BTreeSet<ContactId> {
        numbers.into_iter().map(person).collect()
    }

    fn ends(paths: Vec<Vec<Hop>>) -> Vec<Vec<u128>> {
        let numbers = |path: Vec<Hop>| path.into_iter().map(|hop| hop.to.uuid().as_u128()).collect();
        paths.into_iter().map(numbers).collect()
    }

    #[test]
    fn paths_go_over_those_who_may_be_passed() {
        let ties = ties(&[(1, 2), (2, 9), (1, 3), (3, 4), (4, 9), (1, 5), (5, 9)]);
        let paths = |hops, passable: &[u128]| {
            ends(ties.paths(person(1), &people([9]), &people(passable.iter().copied()), hops))
        };
        assert_eq!(paths(1, &[2, 3, 4, 5]), Vec::<Vec<u128>>::new());
        assert_eq!(paths(2, &[2, 3, 4, 5]), [vec![2, 9], vec![5, 9]]);
        assert_eq!(paths(2, &[2, 3, 4]), [vec![2, 9]]);
        assert_eq!(paths(3, &[2, 3, 4, 5]), [vec![3, 4, 9]]);
        assert_eq!(ends(ties.paths(person(1), &people([2, 3]), &people([]), 1)), [vec![2], vec![3]]);
    }

    #[test]
    fn a_relationship_reads_the_other_way_round() {
        let mut ties = Ties::default();
        ties.add(person(1), person(2), Tie::Relationship(Some(RelationshipType::Manager)));
        let hop = ties.between(person(2), person(1)).unwrap();
        assert_eq!(hop.tie, Tie::Relationship(Some(RelationshipType::Report)));
    }

    #[test]
    fn periods_overlap_on_a_common_day() {
        let on: NaiveDate = "2026-03-02".parse().unwrap();
        for (one, other, expected) in [
            ((Some("2019"), Some("2021")), (Some("2020"), None), true),
            ((Some("2019"), Some("2021")), (Some("2022"), None), false),
            ((Some("2019"), Some("2020-06")), (Some("2020-06-30"), Some("2024")), true),
            ((None, None), (None, None), true),
            ((None, None), (Some("2020"), None), true),
            ((None, Some("2021")), (Some("2020"), None), false),
            ((Some("2020"), Some("2024")), (None, None), false),
        ] {
            let period = |(since, until): (Option<&str>, Option<&str>)| Period::from_texts(since, until);
            assert_eq!(overlap(period(one), period(other), on), expected, "{one:?} {other:?}");
            assert_eq!(overlap(period(other), period(one), on), expected, "{other:?} {one:?}");
        }
    }

    proptest! {
        #[test]
        fn no_path_passes_somebody_who_may_not_be_passed_or_anybody_twice(
            pairs in prop::collection::vec((1..12_u128, 1..12_u128), 0..40),
            passable in prop::collection::vec(2..12_u128, 0..8),
            hops in 1..4_usize,
        ) {
            let passable = people(passable);
            for path in ties(&pairs).paths(person(1), &people([11]), &passable, hops) {
                prop_assert_eq!(path.len(), hops);
                let (last, between) = path.split_last().unwrap();
                prop_assert_eq!(last.to, person(11));
                prop_assert!(between.iter().all(|hop| passable.contains(&hop.to)));
                let all: BTreeSet<ContactId> = path.iter().map(|hop| hop.to).chain([person(1)]).collect();
                prop_assert_eq!(all.len(), hops + 1);
            }
        }
    }
}
