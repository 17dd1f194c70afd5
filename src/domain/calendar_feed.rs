//! Calendars that programs subscribe to: what can be in one, of which days, and how many entries.

use chrono::{Days, NaiveDate};

use super::entity::Entity;
use super::words::enumeration;

/// How many feeds a user may have in a workspace.
pub const MAX_PER_USER: usize = 20;
/// How many entries of each kind of content a feed shows, the earliest first.
pub const MAX_ENTRIES: i64 = 2_000;
/// How many days before today a feed shows follow-ups, planned interactions and events.
pub const DAYS_BACK: u64 = 90;
/// How many days after today it shows them.
pub const DAYS_AHEAD: u64 = 366;

enumeration! {
    /// What a calendar feed contains: follow-ups, birthdays and other dates of contacts, planned interactions, events,
    /// scheduled posts.
    CalendarContent {
        FollowUps = "follow_ups",
        Birthdays = "birthdays",
        Interactions = "interactions",
        Events = "events",
        Posts = "posts",
    }
}

impl CalendarContent {
    /// The kind of record that it shows.
    pub const fn entity(self) -> Entity {
        match self {
            Self::FollowUps => Entity::FollowUp,
            Self::Birthdays => Entity::Contact,
            Self::Interactions => Entity::Interaction,
            Self::Events => Entity::Event,
            Self::Posts => Entity::Post,
        }
    }
}

enumeration! {
    /// As what a calendar feed shows follow-ups.
    FollowUpsAs {
        Events = "events",
        Todos = "todos",
    }
}

/// The days that a feed shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub since: NaiveDate,
    /// Exclusive.
    pub until: NaiveDate,
}

impl Window {
    pub fn around(today: NaiveDate) -> Self {
        Self {
            since: today.checked_sub_days(Days::new(DAYS_BACK)).unwrap_or(NaiveDate::MIN),
            until: today.checked_add_days(Days::new(DAYS_AHEAD + 1)).unwrap_or(NaiveDate::MAX),
        }
    }
}

/// A person or an organization as an entry names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub archived: bool,
    pub do_not_contact: bool,
}

impl Named {
    /// The name, with what is to be known before the person is contacted.
    fn marked(&self) -> String {
        match (self.do_not_contact, self.archived) {
            (true, _) => format!("{} (do not contact)", self.name),
            (false, true) => format!("{} (archived)", self.name),
            (false, false) => self.name.clone(),
        }
    }
}

/// How many people an entry names before it counts the others.
const MAX_NAMED: usize = 3;

/// How many people to meet an event names before it counts the others.
pub const MAX_TO_MEET: usize = 10;

/// "Ada, Grace", or with more than three of them "Ada, Grace, Alan and 2 more".
pub fn list_names(people: &[Named]) -> String {
    list_first_names(people, MAX_NAMED)
}

/// The same with so many of them.
pub fn list_first_names(people: &[Named], most: usize) -> String {
    let shown: Vec<String> = people.iter().take(most).map(Named::marked).collect();
    match people.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Named {
        Named { name: name.to_owned(), archived: false, do_not_contact: false }
    }

    #[test]
    fn an_entry_names_three_people_and_counts_the_others() {
        let people: Vec<Named> = ["Ada", "Grace", "Alan", "Edsger", "Barbara"].map(named).into();
        assert_eq!(list_names(people.get(..1).unwrap()), "Ada");
        assert_eq!(list_names(people.get(..3).unwrap()), "Ada, Grace, Alan");
        assert_eq!(list_names(&people), "Ada, Grace, Alan and 2 more");
        let archived = Named { archived: true, ..named("Ada") };
        let unwanted = Named { do_not_contact: true, ..archived.clone() };
        assert_eq!(list_names(&[archived, unwanted]), "Ada (archived), Ada (do not contact)");
    }
}
