//! How complete a user's own profile is: its parts, the points of each, and what to do next. Records are passed
//! in, and no route is known here.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::contact::Contact;
use super::feedback::OPEN_DAYS;
use super::id::{ContactId, FeedbackId, PitchId};
use super::need::{Need, NeedKind, NeedStatus};
use super::partial_date::PartialDate;
use super::period::Period;
use super::position::{Position, PositionKind};
use super::relationship::{Relationship, RelationshipType};

/// The version of the formula; it changes whenever a part or its points do.
pub const VERSION: &str = "pr-2";
/// How long a check of a profile link counts.
pub const CHECKED_WITHIN_DAYS: u64 = 90;
/// How long a published post counts.
pub const PUBLISHED_WITHIN_DAYS: u64 = 90;

/// A part of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProfilePart {
    Name,
    Headline,
    About,
    Location,
    Email,
    Languages,
    Skills,
    Link,
    LinkChecked,
    CurrentPosition,
    Background,
    Need,
    Offer,
    Reference,
    Pitch,
    PitchUsed,
    Published,
    FeedbackHandled,
}

/// The points of a part, the number of entries that completes it, and the advice until then.
struct Rule {
    part: ProfilePart,
    of: u32,
    wanted: usize,
    advice: &'static str,
}

/// The formula: `points = of × min(have, wanted) / wanted`, rounded down; the points of all parts are 100.
const RULES: [Rule; 18] = [
    rule(ProfilePart::Name, 5, 1, "Add your name."),
    rule(ProfilePart::Headline, 10, 1, "Write a one-line headline."),
    rule(ProfilePart::About, 5, 1, "Write a few sentences about yourself."),
    rule(ProfilePart::Location, 5, 1, "Add your location."),
    rule(ProfilePart::Email, 5, 1, "Add an e-mail address."),
    rule(ProfilePart::Languages, 5, 1, "List the languages you speak."),
    rule(ProfilePart::Skills, 5, 5, "List at least five skills."),
    rule(ProfilePart::Link, 5, 1, "Add a link to your LinkedIn profile or another page about you."),
    rule(
        ProfilePart::LinkChecked,
        5,
        1,
        "Check that a linked profile is up to date, and set the date in checked_on.",
    ),
    rule(ProfilePart::CurrentPosition, 10, 1, "Add your current position."),
    rule(ProfilePart::Background, 5, 1, "Add your education or a previous position."),
    rule(ProfilePart::Need, 5, 1, "Say what you are looking for."),
    rule(ProfilePart::Offer, 5, 1, "Say what you can offer to others."),
    rule(
        ProfilePart::Reference,
        5,
        1,
        "Add someone who can recommend you: a manager, a mentor, a client or a colleague.",
    ),
    rule(ProfilePart::Pitch, 5, 1, "Write a pitch: how you introduce yourself."),
    rule(ProfilePart::PitchUsed, 5, 1, "Use a pitch, and record how it landed."),
    rule(ProfilePart::Published, 5, 1, "Publish a post."),
    rule(
        ProfilePart::FeedbackHandled,
        5,
        1,
        "Act on the feedback that has been open the longest and report back, or set it aside.",
    ),
];

const fn rule(part: ProfilePart, of: u32, wanted: usize, advice: &'static str) -> Rule {
    Rule { part, of, wanted, advice }
}

/// What a profile has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    pub has_name: bool,
    pub has_headline: bool,
    pub has_about: bool,
    pub has_location: bool,
    pub emails: usize,
    pub languages: usize,
    pub skills: usize,
    /// The keys of the profile links, and the day each was last checked.
    pub links: Vec<(String, Option<NaiveDate>)>,
    pub positions: Vec<HeldPosition>,
    /// Open needs; `offers` are open, too.
    pub needs: usize,
    pub offers: usize,
    pub references: usize,
    pub activity: Activity,
}

/// What was done for a profile beside the self contact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// The newest pitch.
    pub pitch: Option<PitchId>,
    pub has_used_pitch: bool,
    /// Whether a post was published in the last `PUBLISHED_WITHIN_DAYS` days.
    pub has_published: bool,
    /// The feedback that has been open the longest, for `OPEN_DAYS` days or more.
    pub open_feedback: Option<FeedbackId>,
}

/// The period and kind of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldPosition {
    pub period: Period,
    /// As a student or a teacher.
    pub at_school: bool,
}

impl Profile {
    pub fn new(
        own: &Contact,
        positions: &[Position],
        needs: &[Need],
        relationships: &[Relationship],
        activity: Activity,
    ) -> Self {
        let fields = &own.fields;
        let open = |kind| {
            needs.iter().filter(|need| need.fields.status == NeedStatus::Open && need.fields.kind == kind).count()
        };
        Self {
            has_name: !own.fields.name.is_empty(),
            has_headline: fields.headline.is_some(),
            has_about: fields.about.is_some(),
            has_location: fields.location.is_some(),
            emails: fields.emails.len(),
            languages: fields.languages.len(),
            skills: fields.skills.len(),
            links: fields.links.iter().map(|(key, link)| (key.clone(), day(link.checked_on.as_deref()))).collect(),
            positions: positions.iter().map(held).collect(),
            needs: open(NeedKind::Need),
            offers: open(NeedKind::Offer),
            references: relationships.iter().filter(|relationship| can_recommend(own.id, relationship)).count(),
            activity,
        }
    }

    /// The link whose last check is the longest ago.
    pub fn stalest_link(&self) -> Option<&str> {
        self.links.iter().min_by_key(|(_, checked)| *checked).map(|(key, _)| key.as_str())
    }

    fn have(&self, part: ProfilePart, on: NaiveDate) -> usize {
        let positions = |fits: fn(HeldPosition, NaiveDate) -> bool| {
            self.positions.iter().filter(|held| fits(**held, on)).count()
        };
        match part {
            ProfilePart::Name => usize::from(self.has_name),
            ProfilePart::Headline => usize::from(self.has_headline),
            ProfilePart::About => usize::from(self.has_about),
            ProfilePart::Location => usize::from(self.has_location),
            ProfilePart::Email => self.emails,
            ProfilePart::Languages => self.languages,
            ProfilePart::Skills => self.skills,
            ProfilePart::Link => self.links.len(),
            ProfilePart::LinkChecked => {
                let oldest = on.checked_sub_days(Days::new(CHECKED_WITHIN_DAYS)).unwrap_or(NaiveDate::MIN);
                self.links.iter().filter(|(_, checked)| checked.is_some_and(|checked| checked >= oldest)).count()
            }
            ProfilePart::CurrentPosition => positions(|held, on| held.period.is_current(on)),
            ProfilePart::Background => positions(|held, on| held.at_school || held.period.is_over(on)),
            ProfilePart::Need => self.needs,
            ProfilePart::Offer => self.offers,
            ProfilePart::Reference => self.references,
            ProfilePart::Pitch => usize::from(self.activity.pitch.is_some()),
            ProfilePart::PitchUsed => usize::from(self.activity.has_used_pitch),
            ProfilePart::Published => usize::from(self.activity.has_published),
            ProfilePart::FeedbackHandled => usize::from(self.activity.open_feedback.is_none()),
        }
    }
}

impl ProfilePart {
    /// For how many days what completes it counts, or may wait; `None` if age does not matter.
    pub const fn within_days(self) -> Option<u64> {
        match self {
            Self::LinkChecked => Some(CHECKED_WITHIN_DAYS),
            Self::Published => Some(PUBLISHED_WITHIN_DAYS),
            Self::FeedbackHandled => Some(OPEN_DAYS),
            _ => None,
        }
    }
}

fn day(text: Option<&str>) -> Option<NaiveDate> {
    text.and_then(|text| PartialDate::parse(text).ok()?.latest())
}

fn held(position: &Position) -> HeldPosition {
    let kind = position.fields.kind;
    HeldPosition {
        period: position.period(),
        at_school: matches!(kind, PositionKind::Student | PositionKind::Teacher),
    }
}

/// Whether the other person has worked with the user or was a client of theirs.
fn can_recommend(own: ContactId, relationship: &Relationship) -> bool {
    match relationship.fields.kind {
        RelationshipType::Colleague
        | RelationshipType::Manager
        | RelationshipType::Report
        | RelationshipType::Mentor
        | RelationshipType::Mentee
        | RelationshipType::Cofounder => true,
        // Not if the user is the client.
        RelationshipType::Client => relationship.fields.related_contact_id == own,
        RelationshipType::Friend
        | RelationshipType::Family
        | RelationshipType::Partner
        | RelationshipType::Classmate
        | RelationshipType::Recruiter
        | RelationshipType::Other => false,
    }
}

/// How complete a profile is, part by part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The sum of the points: 0 to 100.
    pub completeness: u32,
    pub parts: Vec<Reviewed>,
    /// The incomplete parts, most points to gain first.
    pub missing: Vec<ProfilePart>,
}

/// The review of one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reviewed {
    pub part: ProfilePart,
    pub points: u32,
    pub of: u32,
    pub have: usize,
    pub wanted: usize,
    /// What to do next; `None` if the part is complete.
    pub advice: Option<&'static str>,
}

/// Reviews a profile as of a day.
pub fn review(profile: &Profile, on: NaiveDate) -> Review {
    let parts: Vec<Reviewed> = RULES
        .iter()
        .map(|Rule { part, of, wanted, advice }| {
            let have = profile.have(*part, on);
            let reached = u32::try_from(have.min(*wanted)).unwrap_or(0);
            let points = of.saturating_mul(reached) / u32::try_from(*wanted).unwrap_or(1).max(1);
            let advice = (have < *wanted).then_some(*advice);
            Reviewed { part: *part, points, of: *of, have, wanted: *wanted, advice }
        })
        .collect();
    let mut missing: Vec<&Reviewed> = parts.iter().filter(|part| part.advice.is_some()).collect();
    missing.sort_by_key(|part| std::cmp::Reverse(part.of.saturating_sub(part.points)));
    Review {
        completeness: parts.iter().map(|part| part.points).sum(),
        missing: missing.into_iter().map(|part| part.part).collect(),
        parts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> NaiveDate {
        day(Some(text)).unwrap()
    }

    fn whole() -> Profile {
        Profile {
            has_name: true,
            has_headline: true,
            has_about: true,
            has_location: true,
            emails: 1,
            languages: 1,
            skills: 5,
            links: vec![("linkedin".to_owned(), Some(date("2026-02-01")))],
            positions: vec![
                HeldPosition { period: Period::from_texts(Some("2021-04"), None), at_school: false },
                HeldPosition { period: Period::from_texts(None, Some("2020")), at_school: false },
            ],
            needs: 1,
            offers: 1,
            references: 1,
            activity: Activity {
                pitch: Some(PitchId::new(uuid::Uuid::nil())),
                has_used_pitch: true,
                has_published: true,
                open_feedback: None,
            },
        }
    }

    fn points(profile: &Profile, on: &str, part: ProfilePart) -> u32 {
        let review = review(profile, date(on));
        review.parts.iter().find(|reviewed| reviewed.part == part).unwrap().points
    }

    #[test]
    fn a_whole_profile_has_a_hundred_points_and_an_empty_one_hardly_any() {
        let complete = review(&whole(), date("2026-03-02"));
        assert_eq!((complete.completeness, complete.missing), (100, vec![]));
        let nothing = review(&Profile::default(), date("2026-03-02"));
        assert_eq!((nothing.completeness, nothing.missing.len()), (5, RULES.len() - 1), "no feedback waits");
        assert_eq!(nothing.missing[0], ProfilePart::Headline, "what gains most, in the order of the table");
        let advised = nothing.parts.iter().filter(|part| part.advice.is_some()).map(|part| part.part);
        assert!(
            advised.eq(RULES.iter().map(|rule| rule.part).filter(|part| *part != ProfilePart::FeedbackHandled))
        );
    }

    #[test]
    fn each_thing_that_goes_costs_what_it_is_worth() {
        type Take = fn(&mut Profile);
        let table: [(ProfilePart, u32, Take); 16] = [
            (ProfilePart::Name, 5, |profile| profile.has_name = false),
            (ProfilePart::Headline, 10, |profile| profile.has_headline = false),
            (ProfilePart::About, 5, |profile| profile.has_about = false),
            (ProfilePart::Location, 5, |profile| profile.has_location = false),
            (ProfilePart::Email, 5, |profile| profile.emails = 0),
            (ProfilePart::Languages, 5, |profile| profile.languages = 0),
            (ProfilePart::Skills, 2, |profile| profile.skills = 3),
            (ProfilePart::Background, 5, |profile| profile.positions.truncate(1)),
            (ProfilePart::CurrentPosition, 10, |profile| {
                profile.positions.retain(|held| held.period.until.is_some())
            }),
            (ProfilePart::Need, 5, |profile| profile.needs = 0),
            (ProfilePart::Offer, 5, |profile| profile.offers = 0),
            (ProfilePart::Reference, 5, |profile| profile.references = 0),
            (ProfilePart::Pitch, 5, |profile| profile.activity.pitch = None),
            (ProfilePart::PitchUsed, 5, |profile| profile.activity.has_used_pitch = false),
            (ProfilePart::Published, 5, |profile| profile.activity.has_published = false),
            (ProfilePart::FeedbackHandled, 5, |profile| {
                profile.activity.open_feedback = Some(FeedbackId::new(uuid::Uuid::nil()));
            }),
        ];
        for (part, cost, take) in table {
            let mut profile = whole();
            take(&mut profile);
            let review = review(&profile, date("2026-03-02"));
            assert_eq!((review.completeness, review.missing), (100 - cost, vec![part]));
        }
        let unlinked = review(&Profile { links: vec![], ..whole() }, date("2026-03-02"));
        assert_eq!(unlinked.missing, [ProfilePart::Link, ProfilePart::LinkChecked]);
    }

    #[test]
    fn a_look_at_a_link_counts_for_90_days() {
        for (on, expected) in
            [("2026-02-01", 5), ("2026-05-02", 5), ("2026-05-03", 0), ("2025-01-01", 5), ("0001-01-01", 5)]
        {
            assert_eq!(points(&whole(), on, ProfilePart::LinkChecked), expected, "{on}");
        }
        let mut profile = whole();
        profile.links.push(("site".to_owned(), None));
        assert_eq!(profile.stalest_link(), Some("site"), "never looked at");
        assert_eq!(points(&profile, "2026-03-02", ProfilePart::LinkChecked), 5, "one is enough");
    }

    #[test]
    fn a_position_counts_as_current_and_one_at_school_as_background_too() {
        let student = HeldPosition { at_school: true, period: Period::default() };
        let profile = Profile { positions: vec![student], ..Profile::default() };
        assert_eq!(points(&profile, "2026-03-02", ProfilePart::Background), 5);
        assert_eq!(points(&profile, "2026-03-02", ProfilePart::CurrentPosition), 10);
    }

    prop_compose! {
        fn any_day()(days in 0_u64..40_000) -> NaiveDate {
            date("1950-01-01").checked_add_days(Days::new(days)).unwrap()
        }
    }

    prop_compose! {
        fn any_profile()(
            flags in any::<[bool; 8]>(),
            counts in any::<[u8; 6]>(),
            links in prop::collection::vec(prop::option::of(any_day()), 0..4),
            positions in prop::collection::vec((prop::option::of(any_day()), prop::option::of(any_day()), any::<bool>()), 0..4),
        ) -> Profile {
            let [has_name, has_headline, has_about, has_location, has_pitch, has_used_pitch, has_published, waits] = flags;
            let pitch = has_pitch.then(|| PitchId::new(uuid::Uuid::nil()));
            let [emails, languages, skills, needs, offers, references] = counts.map(|count| usize::from(count % 8));
            Profile {
                has_name, has_headline, has_about, has_location, emails, languages, skills,
                links: links.into_iter().enumerate().map(|(index, day)| (index.to_string(), day)).collect(),
                positions: positions.into_iter().map(|(since, until, at_school)| HeldPosition { period: Period { since, until }, at_school }).collect(),
                needs, offers, references,
                activity: Activity { pitch, has_used_pitch, has_published, open_feedback: waits.then(|| FeedbackId::new(uuid::Uuid::nil())) },
            }
        }
    }

    fn sum(a: &Profile, b: &Profile) -> Profile {
        Profile {
            has_name: a.has_name || b.has_name,
            has_headline: a.has_headline || b.has_headline,
            has_about: a.has_about || b.has_about,
            has_location: a.has_location || b.has_location,
            emails: a.emails + b.emails,
            languages: a.languages + b.languages,
            skills: a.skills + b.skills,
            links: [a.links.clone(), b.links.clone()].concat(),
            positions: [a.positions.clone(), b.positions.clone()].concat(),
            needs: a.needs + b.needs,
            offers: a.offers + b.offers,
            references: a.references + b.references,
            activity: Activity {
                pitch: a.activity.pitch.or(b.activity.pitch),
                has_used_pitch: a.activity.has_used_pitch || b.activity.has_used_pitch,
                has_published: a.activity.has_published || b.activity.has_published,
                // Feedback is not added to a profile.
                open_feedback: a.activity.open_feedback,
            },
        }
    }

    proptest! {
        #[test]
        fn more_is_never_less(profile in any_profile(), more in any_profile(), on in any_day()) {
            let (before, after) = (review(&profile, on), review(&sum(&profile, &more), on));
            prop_assert!(after.completeness >= before.completeness && after.completeness <= 100);
            for (before, after) in before.parts.iter().zip(&after.parts) {
                prop_assert!(after.points >= before.points && after.points <= after.of);
                prop_assert_eq!(after.points == after.of, after.advice.is_none());
            }
        }
    }
}
