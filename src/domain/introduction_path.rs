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

    /// Ways with so many ties from one to any of others, over those who may be passed: as many as are wanted, those that begin
    /// with whom stands first.
    pub fn paths(&self, search: &Search<'_>, hops: usize, wanted: usize) -> Vec<Vec<Hop>> {
        // From whom a target is reached with no tie, with one, ...
        let mut reached = vec![search.targets.clone()];
        for _ in 1..hops {
            let nearer = reached.last().into_iter().flatten();
            let farther = nearer.flat_map(|id| self.of(*id)).filter(|id| search.may_be_passed(*id));
            reached.push(farther.collect());
        }
        let mut found = Vec::new();
        let mut begun: Vec<Vec<Hop>> = vec![Vec::new()];
        // The one that was begun last goes on first, so that no more are begun than are wanted.
        while let Some(path) = begun.pop()
            && found.len() < wanted
        {
            let Some(left) = hops.checked_sub(path.len() + 1) else {
                found.push(path);
                continue;
            };
            let last = path.last().map_or(search.from, |hop| hop.to);
            let is_new = |id: &ContactId| *id != search.from && path.iter().all(|hop| hop.to != *id);
            let leads_there = |id: &ContactId| reached.get(left).is_some_and(|those| those.contains(id));
            let mut next: Vec<ContactId> = self.of(last).filter(is_new).filter(leads_there).collect();
            if path.is_empty() {
                next.sort_by_key(|id| std::cmp::Reverse((search.rank)(*id)));
            }
            next.truncate(wanted);
            let hops = next.into_iter().rev().filter_map(|id| self.between(last, id));
            begun.extend(hops.map(|hop| path.iter().cloned().chain([hop]).collect()));
        }
        found
    }
}

/// Whom to go to, and how.
pub struct Search<'a> {
    pub from: ContactId,
    pub targets: &'a BTreeSet<ContactId>,
    pub passable: &'a BTreeSet<ContactId>,
    /// Of two who may begin a path, the one with more does.
    pub rank: &'a dyn Fn(ContactId) -> Option<&'a str>,
}

impl Search<'_> {
    /// Who is looked for ends a path, and nobody else does.
    fn may_be_passed(&self, id: ContactId) -> bool {
        id != self.from && self.passable.contains(&id) && !self.targets.contains(&id)
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

    /// The paths from 1.
    fn found(ties: &Ties, targets: &[u128], passable: &[u128], hops: usize, wanted: usize) -> Vec<Vec<Hop>> {
        let (targets, passable) = (people(targets.iter().copied()), people(passable.iter().copied()));
        let search = Search { from: person(1), targets: &targets, passable: &passable, rank: &|_| None };
        ties.paths(&search, hops, wanted)
    }

    /// All of them, by trying.
    fn every_path(pairs: &[(u128, u128)], passable: &[u128], path: &[u128], hops: usize) -> Vec<Vec<u128>> {
        let last = path.last().copied().unwrap_or(1);
        let is_tied = |to: u128| pairs.contains(&(last, to)) || pairs.contains(&(to, last));
        let next = (2..12_u128).filter(|to| is_tied(*to) && !path.contains(to));
        next.flat_map(|to| {
            let path: Vec<u128> = path.iter().copied().chain([to]).collect();
            match (hops, to) {
                (1, 11) => vec![path],
                (2.., ..11) if passable.contains(&to) => every_path(pairs, passable, &path, hops - 1),
                _ => Vec::new(),
            }
        })
        .collect()
    }

    #[test]
    fn a_path_begins_with_whoever_stands_first() {
        let ties = ties(&[(1, 2), (2, 9), (1, 3), (3, 9), (1, 4), (4, 9)]);
        let (targets, passable) = (people([9]), people([2, 3, 4]));
        let rank = |id: ContactId| Some(if id == person(3) { "2026-03-02" } else { "" });
        let search = Search { from: person(1), targets: &targets, passable: &passable, rank: &rank };
        assert_eq!(ends(ties.paths(&search, 2, 2)), [vec![3, 9], vec![2, 9]]);
    }

    fn ends(paths: Vec<Vec<Hop>>) -> Vec<Vec<u128>> {
        let numbers = |path: Vec<Hop>| path.into_iter().map(|hop| hop.to.uuid().as_u128()).collect();
        paths.into_iter().map(numbers).collect()
    }

    #[test]
    fn paths_go_over_those_who_may_be_passed() {
        let ties = ties(&[(1, 2), (2, 9), (1, 3), (3, 4), (4, 9), (1, 5), (5, 9)]);
        let paths = |hops, passable: &[u128]| ends(found(&ties, &[9], passable, hops, MAX_PATHS));
        assert_eq!(paths(1, &[2, 3, 4, 5]), Vec::<Vec<u128>>::new());
        assert_eq!(paths(2, &[2, 3, 4, 5]), [vec![2, 9], vec![5, 9]]);
        assert_eq!(paths(2, &[2, 3, 4]), [vec![2, 9]]);
        assert_eq!(paths(3, &[2, 3, 4, 5]), [vec![3, 4, 9]]);
        assert_eq!(ends(found(&ties, &[2, 3], &[], 1, MAX_PATHS)), [vec![2], vec![3]]);
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
        fn every_path_is_found_and_no_other(
            pairs in prop::collection::vec((1..12_u128, 1..12_u128), 0..40),
            passable in prop::collection::vec(2..11_u128, 0..8),
            hops in 1..=MAX_HOPS,
            wanted in 1..30_usize,
        ) {
            let own = ends(found(&ties(&pairs), &[11], &passable, hops, wanted));
            let mut every = every_path(&pairs, &passable, &[], hops);
            every.truncate(wanted);
            prop_assert_eq!(own, every);
        }
    }
}
