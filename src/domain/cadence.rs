//! How often to be in touch with somebody, and what follows from it: when the next contact is due, and how it stands on a
//! day. What happened between you is given.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::contact::{Cadence, ContactFields, Tier};
use super::fields::parse_day;
use super::id::ContactId;
use super::interval::{Interval, MAX_EVERY};
use super::invalid::{FieldCode, Invalid, Rejection, pointer};
use super::words::enumeration;

/// A write that begins more cadences than this spreads them over their intervals, so that not all fall due on one day.
pub const BEGUN_ON_ONE_DAY: usize = 10;

/// A contact is due soon when this share of the interval is left, in percent, or this many days.
const SOON_PERCENT: i64 = 15;
const SOON_DAYS: i64 = 2;

/// How often to be in touch with the contacts of each tier, unless a contact has a cadence of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct TierCadences {
    /// By default every 14 days.
    pub inner: Interval,
    /// By default every 30 days.
    pub core: Interval,
    /// By default every 90 days.
    pub active: Interval,
    /// By default every 180 days.
    pub extended: Interval,
    /// By default every 365 days.
    pub distant: Interval,
}

impl Default for TierCadences {
    fn default() -> Self {
        Self {
            inner: Interval::days(14),
            core: Interval::days(30),
            active: Interval::days(90),
            extended: Interval::days(180),
            distant: Interval::days(365),
        }
    }
}

impl TierCadences {
    pub const fn of(&self, tier: Tier) -> Interval {
        match tier {
            Tier::Inner => self.inner,
            Tier::Core => self.core,
            Tier::Active => self.active,
            Tier::Extended => self.extended,
            Tier::Distant => self.distant,
        }
    }

    /// Every interval has a length.
    pub fn check(&self, field: &str, invalid: &mut Invalid) {
        for tier in Tier::ALL {
            if !(1..=MAX_EVERY).contains(&self.of(tier).every) {
                let detail = format!("Must be from 1 to {MAX_EVERY}.");
                let at = pointer(&[field, tier.as_str(), "every"]);
                let rejection = Rejection::new(FieldCode::OutOfRange, detail);
                invalid.add(at, rejection.with("min", 1).with("max", MAX_EVERY));
            }
        }
    }
}

impl ContactFields {
    /// How often to be in touch: by the contact's own interval, or else by that of the tier. `None`: there is no cadence.
    pub fn interval(&self, tiers: &TierCadences) -> Option<Interval> {
        let own = self.cadence.as_ref();
        if own.is_some_and(|cadence| cadence.off) {
            return None;
        }
        own.and_then(Cadence::interval).or_else(|| self.tier.map(|tier| tiers.of(tier)))
    }

    /// Whether a cadence leads to anything: archived contacts, people to meet, those not to be contacted and the user are
    /// never due.
    pub const fn can_be_due(&self) -> bool {
        self.archived_at.is_none() && !self.do_not_contact && self.known && !self.is_self
    }

    /// Whether the cadence begins anew with a change from these fields: the tier or the interval differs.
    pub fn begins_cadence(&self, before: &Self) -> bool {
        let said = |fields: &Self| {
            let own = fields.cadence.as_ref();
            (fields.tier, own.and_then(Cadence::interval), own.is_some_and(|cadence| cadence.off))
        };
        said(self) != said(before)
    }

    /// When the next contact is due. It is counted from the last day of contact, or else from the day the cadence began;
    /// `created_on` stands for the latter where it was not recorded.
    pub fn next_contact(
        &self,
        tiers: &TierCadences,
        last_interaction_on: Option<NaiveDate>,
        created_on: NaiveDate,
    ) -> Option<NextContact> {
        let interval = self.interval(tiers).filter(|_| self.can_be_due())?;
        let day = |text: &Option<String>| text.as_deref().and_then(|day| parse_day(day).ok());
        let anchor = last_interaction_on.or_else(|| day(&self.cadence_since)).unwrap_or(created_on);
        let paused_until = self.cadence.as_ref().and_then(|cadence| day(&cadence.paused_until));
        NextContact::after(interval, anchor, paused_until)
    }
}

/// The day on which a cadence that many others begin with begins: up to an interval before today, by the contact's id.
pub fn spread_start(interval: Interval, id: ContactId, today: NaiveDate) -> NaiveDate {
    let days = interval.after(today, 1).map_or(0, |next| (next - today).num_days());
    let days = u64::try_from(days).unwrap_or_default().max(1);
    // FNV-1a: the first bytes of ids made at the same time are alike, and clients choose ids of any kind.
    let hash = id.uuid().as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    today.checked_sub_days(Days::new(hash % days)).unwrap_or(today)
}

/// When to be in touch next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextContact {
    pub due_on: NaiveDate,
    /// The days from the anchor to the day on which the interval ends.
    pub interval_days: i64,
}

impl NextContact {
    /// One interval after the anchor, and never before the pause ends. `None` beyond the year 9999.
    pub fn after(interval: Interval, anchor: NaiveDate, paused_until: Option<NaiveDate>) -> Option<Self> {
        let ends_on = interval.after(anchor, 1).filter(|day| *day <= LAST_DAY)?;
        let due_on = paused_until.map_or(ends_on, |until| until.max(ends_on));
        Some(Self { due_on, interval_days: (ends_on - anchor).num_days() })
    }

    /// How many days are left when it begins to be due soon.
    pub const fn soon_days(interval_days: i64) -> i64 {
        let share = interval_days * SOON_PERCENT / 100;
        if share > SOON_DAYS { share } else { SOON_DAYS }
    }

    /// How it stands on a day.
    pub fn state(&self, on: NaiveDate) -> CadenceState {
        let overdue = (on - self.due_on).num_days();
        match overdue {
            0 => CadenceState::Due,
            1.. if overdue >= self.interval_days => CadenceState::Lapsed,
            1.. => CadenceState::Overdue,
            _ if -overdue <= Self::soon_days(self.interval_days) => CadenceState::DueSoon,
            _ => CadenceState::OnTrack,
        }
    }
}

/// The last day that is written with a year of four digits.
const LAST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

enumeration! {
    /// Where a contact stands on a day. `on_track`: not due yet. `due_soon`: at most 2 days or 15 % of the interval
    /// are left. `due`: due on that day. `overdue`: less than one interval late. `lapsed`: at least one interval
    /// late.
    CadenceState {
        OnTrack = "on_track",
        DueSoon = "due_soon",
        Due = "due",
        Overdue = "overdue",
        Lapsed = "lapsed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contact::Contact;
    use crate::domain::interval::IntervalUnit;
    use crate::domain::locale::TimeZone;
    use crate::domain::timestamp::Timestamp;

    fn day(text: &str) -> NaiveDate {
        parse_day(text).unwrap()
    }

    fn own(every: u16, unit: IntervalUnit) -> Cadence {
        Cadence { every: Some(every), unit: Some(unit), ..Cadence::default() }
    }

    fn contact(tier: Option<Tier>, cadence: Option<Cadence>) -> ContactFields {
        ContactFields { tier, cadence, cadence_since: Some("2026-01-31".to_owned()), ..ContactFields::default() }
    }

    fn due_on(fields: &ContactFields, last: Option<&str>) -> Option<String> {
        let next = fields.next_contact(&TierCadences::default(), last.map(day), day("2020-01-01"))?;
        Some(next.due_on.to_string())
    }

    #[test]
    fn the_own_interval_comes_before_that_of_the_tier() {
        let monthly = own(1, IntervalUnit::Month);
        let off = Cadence { off: true, ..monthly.clone() };
        let paused = Cadence { paused_until: Some("2026-09-01".to_owned()), ..Cadence::default() };
        let table = [
            (None, None, None, None),
            (Some(Tier::Inner), None, None, Some("2026-02-14")),
            (Some(Tier::Core), None, None, Some("2026-03-02")),
            (Some(Tier::Active), None, Some("2026-02-01"), Some("2026-05-02")),
            (Some(Tier::Extended), None, None, Some("2026-07-30")),
            (Some(Tier::Distant), None, None, Some("2027-01-31")),
            (Some(Tier::Distant), Some(monthly.clone()), None, Some("2026-02-28")),
            (None, Some(monthly.clone()), Some("2024-01-31"), Some("2024-02-29")),
            (None, Some(own(1, IntervalUnit::Year)), Some("2024-02-29"), Some("2025-02-28")),
            (None, Some(own(2, IntervalUnit::Week)), Some("2026-02-27"), Some("2026-03-13")),
            (Some(Tier::Inner), Some(off), None, None),
            (Some(Tier::Inner), Some(paused.clone()), None, Some("2026-09-01")),
            (Some(Tier::Distant), Some(paused.clone()), None, Some("2027-01-31")),
            (None, Some(paused), None, None),
        ];
        for (tier, cadence, last, expected) in table {
            let fields = contact(tier, cadence.clone());
            assert_eq!(due_on(&fields, last).as_deref(), expected, "{tier:?} {cadence:?} {last:?}");
        }
    }

    #[test]
    fn who_cannot_be_contacted_is_never_due() {
        let core = contact(Some(Tier::Core), None);
        let archived_at = Some(Timestamp::parse("2026-03-02T09:00:00Z").unwrap());
        for fields in [
            ContactFields { archived_at, ..core.clone() },
            ContactFields { do_not_contact: true, ..core.clone() },
            ContactFields { known: false, ..core.clone() },
            ContactFields { is_self: true, ..core.clone() },
        ] {
            assert_eq!(due_on(&fields, Some("2026-02-01")), None);
        }
        assert_eq!(due_on(&core, Some("2026-02-01")).as_deref(), Some("2026-03-03"));
        let unrecorded = ContactFields { cadence_since: None, ..core };
        assert_eq!(due_on(&unrecorded, None).as_deref(), Some("2020-01-31"), "counted from the day of creation");
    }

    #[test]
    fn the_day_of_an_interaction_is_that_of_the_zone() {
        // Each instant is told by the zone's own rules: gaps, folds, odd offsets, and a day that Samoa never had.
        for (zone, at, last, due) in [
            ("Europe/Berlin", "2026-03-28T23:30:00Z", "2026-03-29", "2026-04-28"),
            ("Europe/Berlin", "2026-10-24T22:30:00Z", "2026-10-25", "2026-11-24"),
            ("Europe/Berlin", "2026-10-25T23:30:00Z", "2026-10-26", "2026-11-25"),
            ("America/Sao_Paulo", "2018-11-04T02:59:00Z", "2018-11-03", "2018-12-03"),
            ("America/Sao_Paulo", "2018-11-04T03:00:00Z", "2018-11-04", "2018-12-04"),
            ("America/Sao_Paulo", "2026-02-01T02:30:00Z", "2026-01-31", "2026-03-02"),
            ("Asia/Kathmandu", "2026-01-30T18:14:59Z", "2026-01-30", "2026-03-01"),
            ("Asia/Kathmandu", "2026-01-30T18:15:00Z", "2026-01-31", "2026-03-02"),
            ("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29", "2012-01-28"),
            ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31", "2012-01-30"),
        ] {
            let on = TimeZone::parse(zone).unwrap().day(Timestamp::parse(at).unwrap());
            assert_eq!(on.to_string(), last, "{zone} {at}");
            let fields = contact(Some(Tier::Core), None);
            assert_eq!(due_on(&fields, Some(last)).as_deref(), Some(due), "{zone} {at}");
        }
    }

    #[test]
    fn a_state_follows_from_the_days_left_and_the_interval() {
        let at = |interval_days: i64, overdue: i64| {
            let next = NextContact { due_on: day("2026-06-01"), interval_days };
            next.state(day("2026-06-01") + chrono::TimeDelta::days(overdue)).as_str()
        };
        for (interval_days, overdue, expected) in [
            (30, -5, "on_track"),
            (30, -4, "due_soon"),
            (30, -1, "due_soon"),
            (30, 0, "due"),
            (30, 1, "overdue"),
            (30, 29, "overdue"),
            (30, 30, "lapsed"),
            (365, -55, "on_track"),
            (365, -54, "due_soon"),
            (7, -3, "on_track"),
            (7, -2, "due_soon"),
            (1, -2, "due_soon"),
            (1, 1, "lapsed"),
        ] {
            assert_eq!(at(interval_days, overdue), expected, "{overdue} of {interval_days} days");
        }
    }

    #[test]
    fn many_that_begin_at_once_are_spread_over_the_interval() {
        let today = day("2026-03-02");
        let id = |number: u128| ContactId::new(uuid::Uuid::from_u128(number));
        for shape in [|number: u128| number, |number: u128| number << 96, |number: u128| (number << 80) + 7] {
            let starts: Vec<i64> = (0..3_000)
                .map(|number| (today - spread_start(Interval::days(30), id(shape(number)), today)).num_days())
                .collect();
            assert!(starts.iter().all(|days| (0..30).contains(days)));
            for days in 0..30 {
                let count = starts.iter().filter(|start| **start == days).count();
                assert!((50..200).contains(&count), "{count} of 3,000 begin {days} days before");
            }
        }
    }

    #[test]
    fn a_cadence_begins_when_the_tier_or_the_interval_changes() {
        let core = contact(Some(Tier::Core), None);
        let paused = Cadence { paused_until: Some("2026-09-01".to_owned()), ..Cadence::default() };
        assert!(!contact(Some(Tier::Core), Some(paused)).begins_cadence(&core), "a pause is no new interval");
        assert!(contact(Some(Tier::Inner), None).begins_cadence(&core));
        assert!(contact(Some(Tier::Core), Some(own(1, IntervalUnit::Week))).begins_cadence(&core));
        assert!(contact(None, None).begins_cadence(&core));
    }

    #[test]
    fn an_interval_needs_both_of_its_parts() {
        let with = |every, unit| {
            let cadence = Some(Cadence { every, unit, ..Cadence::default() });
            let fields = ContactFields { given_name: Some("Ada".to_owned()), cadence, ..ContactFields::default() };
            let now = Timestamp::parse("2026-03-02T09:00:00Z").unwrap();
            Contact::new(ContactId::new(uuid::Uuid::nil()), now, fields)
        };
        let pointer = |every, unit| with(every, unit).unwrap_err().errors[0].pointer.clone();
        assert_eq!(pointer(Some(2), None), "#/cadence/unit");
        assert_eq!(pointer(None, Some(IntervalUnit::Day)), "#/cadence/every");
        assert_eq!(with(None, None).unwrap().fields.cadence, None, "an empty one says nothing");
    }
}
