//! The times of an event: as the clock shows them in its time zone, which is what stays when the zone changes, and as
//! instants, which tell apart what the clock shows twice. A request says either; the other follows.

use chrono::NaiveDateTime;

use super::fields::{check_day, parse_day};
use super::invalid::{FieldCode, Invalid, Rejection};
use super::locale::TimeZone;
use super::timestamp::Timestamp;

const FORMAT: &str = "%Y-%m-%dT%H:%M:%S";
const SHORT_FORMAT: &str = "%Y-%m-%dT%H:%M";

/// What a local time has to look like.
const EXPECTED: &str = "Expected a local time without an offset, such as 2026-05-12T09:00:00.";

/// One of the two times of an event, as both are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Time {
    at: Option<Timestamp>,
    local: Option<String>,
}

/// The times or days of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventTimes {
    pub starts_at: Option<Timestamp>,
    pub starts_local: Option<String>,
    pub ends_at: Option<Timestamp>,
    pub ends_local: Option<String>,
    pub starts_on: Option<String>,
    pub ends_on: Option<String>,
    pub time_zone: Option<String>,
}

impl EventTimes {
    /// Whether it has days instead of times.
    pub fn all_day(&self) -> bool {
        self.starts() == Time::default() && self.ends() == Time::default() && self.has_days()
    }

    fn has_days(&self) -> bool {
        self.starts_on.is_some() || self.ends_on.is_some()
    }

    fn starts(&self) -> Time {
        Time { at: self.starts_at, local: self.starts_local.clone() }
    }

    fn ends(&self) -> Time {
        Time { at: self.ends_at, local: self.ends_local.clone() }
    }

    /// The same, agreeing with each other and with the zone, given what they were. Without a zone the local times and the
    /// instants stay as they are.
    #[must_use]
    pub fn settled(mut self, before: Option<&Self>, invalid: &mut Invalid) -> Self {
        if let Some(before) = before {
            self.drop_replaced_kind(before);
        }
        check_day(&["starts_on"], self.starts_on.as_deref(), invalid);
        check_day(&["ends_on"], self.ends_on.as_deref(), invalid);
        let zone = self.time_zone.as_deref().map(|zone| invalid.check("#/time_zone", TimeZone::parse(zone)));
        if self.all_day() {
            self.check_days(invalid);
            return self;
        }
        let days = [("#/starts_on", &self.starts_on), ("#/ends_on", &self.ends_on)];
        for (at, _) in days.into_iter().filter(|(_, day)| day.is_some()) {
            let detail = "Send either times (starts_at, starts_local) or days (starts_on), not both.";
            invalid.add(at, Rejection::new(FieldCode::Contradiction, detail));
        }
        let was = |of: fn(&Self) -> Time| before.map(of).unwrap_or_default();
        let starts = resolve("starts", self.starts(), &was(Self::starts), zone.flatten(), invalid);
        let ends = resolve("ends", self.ends(), &was(Self::ends), zone.flatten(), invalid);
        if starts == Time::default() {
            let detail =
                "A start is required: starts_at, starts_local or, of an event that lasts whole days, starts_on.";
            let alternatives = &["starts_at", "starts_local", "starts_on"];
            invalid.add("#/starts_at", Rejection::required_any(alternatives, detail));
        } else if starts.at.zip(ends.at).is_some_and(|(starts, ends)| ends < starts) {
            let detail = "An event cannot end before it starts.";
            invalid.add("#/ends_at", Rejection::new(FieldCode::Contradiction, detail));
        }
        (self.starts_at, self.starts_local) = (starts.at, starts.local);
        (self.ends_at, self.ends_local) = (ends.at, ends.local);
        self
    }

    /// Who says days of what had times, or the other way round, means them instead.
    fn drop_replaced_kind(&mut self, before: &Self) {
        let is_new = |now: Option<&String>, was: Option<&String>| now.is_some() && now != was;
        let changes_days = is_new(self.starts_on.as_ref(), before.starts_on.as_ref())
            || is_new(self.ends_on.as_ref(), before.ends_on.as_ref());
        let changes_times = (self.starts_at.is_some() && self.starts_at != before.starts_at)
            || (self.ends_at.is_some() && self.ends_at != before.ends_at)
            || is_new(self.starts_local.as_ref(), before.starts_local.as_ref())
            || is_new(self.ends_local.as_ref(), before.ends_local.as_ref());
        if !before.all_day() && changes_days && !changes_times {
            (self.starts_at, self.starts_local, self.ends_at, self.ends_local) = (None, None, None, None);
        } else if before.all_day() && changes_times && !changes_days {
            (self.starts_on, self.ends_on) = (None, None);
        }
    }

    fn check_days(&self, invalid: &mut Invalid) {
        let day = |day: &Option<String>| day.as_deref().and_then(|day| parse_day(day).ok());
        if self.starts_on.is_none() {
            let detail = "An event that lasts whole days requires starts_on.";
            invalid.add("#/starts_on", Rejection::new(FieldCode::Required, detail));
        } else if day(&self.starts_on).zip(day(&self.ends_on)).is_some_and(|(starts, ends)| ends < starts) {
            let detail = "An event cannot end before it starts.";
            invalid.add("#/ends_on", Rejection::new(FieldCode::Contradiction, detail));
        }
    }
}

/// One time, made to agree with the zone: what differs from what was stored is what the request means.
fn resolve(name: &str, now: Time, was: &Time, zone: Option<TimeZone>, invalid: &mut Invalid) -> Time {
    let (at_pointer, local_pointer) = (format!("#/{name}_at"), format!("#/{name}_local"));
    let local = now.local.as_deref().map(|text| invalid.check(local_pointer.as_str(), parse(text)));
    let local = match local {
        Some(None) => return now,
        Some(local) => local,
        None => None,
    };
    let Some(zone) = zone else { return now };
    let of_local = |local: NaiveDateTime, invalid: &mut Invalid| {
        let at = zone.instant_of(local).ok_or_else(|| {
            let detail = format!("This local time does not exist in {zone} on that day: the clocks skip it.");
            Rejection::new(FieldCode::NotAllowed, detail)
        });
        let at = invalid.check(local_pointer.as_str(), at);
        Time { at, local: Some(local.format(FORMAT).to_string()) }
    };
    let of_instant = |at: Timestamp| Time { at: Some(at), local: Some(zone.local(at).format(FORMAT).to_string()) };
    match (now.at, local) {
        (None, None) => Time::default(),
        (Some(at), None) => of_instant(at),
        (None, Some(local)) => of_local(local, invalid),
        (Some(at), Some(local)) if to_seconds(zone.local(at)) == local => of_instant(at),
        (Some(at), Some(local)) if was.at == Some(at) && was.local.is_some() => of_local(local, invalid),
        (Some(at), Some(_)) if was.local == now.local => of_instant(at),
        _ => {
            let detail = format!("{name}_at and {name}_local differ in this time zone: send one of them.");
            invalid.add(at_pointer.as_str(), Rejection::new(FieldCode::Contradiction, detail));
            now
        }
    }
}

/// Local times have no fractions of seconds.
fn to_seconds(time: NaiveDateTime) -> NaiveDateTime {
    chrono::Timelike::with_nanosecond(&time, 0).unwrap_or(time)
}

fn parse(text: &str) -> Result<NaiveDateTime, Rejection> {
    let parsed =
        NaiveDateTime::parse_from_str(text, FORMAT).or_else(|_| NaiveDateTime::parse_from_str(text, SHORT_FORMAT));
    let is_whole = text.len() == "2026-05-12T09:00".len() || text.len() == "2026-05-12T09:00:00".len();
    let time = parsed.ok().filter(|time| is_whole && to_seconds(*time) == *time);
    time.filter(|time| (1..=9999).contains(&chrono::Datelike::year(time)))
        .ok_or_else(|| Rejection::format(EXPECTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Timestamp> {
        Some(Timestamp::parse(text).unwrap())
    }

    fn local(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn event(zone: &str, starts_at: Option<Timestamp>, starts_local: Option<&str>) -> EventTimes {
        EventTimes {
            time_zone: local(zone),
            starts_at,
            starts_local: starts_local.map(str::to_owned),
            ..EventTimes::default()
        }
    }

    /// The start of an event once it is settled: instant and local time, or what is wrong.
    fn settled(event: EventTimes, before: Option<&EventTimes>) -> (String, String) {
        let mut invalid = Invalid::default();
        let event = event.settled(before, &mut invalid);
        match invalid.errors.first() {
            Some(error) => (error.pointer.clone(), error.code.as_str().to_owned()),
            None => {
                let at = event.starts_at.map(|at| at.to_string());
                (at.unwrap_or_default(), event.starts_local.unwrap_or_default())
            }
        }
    }

    fn expect(told: (String, String), first: &str, second: &str) {
        assert_eq!(told, (first.to_owned(), second.to_owned()));
    }

    #[test]
    fn a_new_event_says_when_it_starts_in_one_way() {
        let table = [
            (
                "Europe/Berlin",
                at("2026-05-12T09:00:00+02:00"),
                None,
                "2026-05-12T07:00:00Z",
                "2026-05-12T09:00:00",
            ),
            ("Asia/Tokyo", at("2026-05-12T09:00:00+02:00"), None, "2026-05-12T07:00:00Z", "2026-05-12T16:00:00"),
            ("Europe/Berlin", None, Some("2026-05-12T09:00"), "2026-05-12T07:00:00Z", "2026-05-12T09:00:00"),
            ("Asia/Kathmandu", None, Some("2026-05-12T09:00"), "2026-05-12T03:15:00Z", "2026-05-12T09:00:00"),
            // Shown twice: the first is meant, or the one that is told by its instant.
            ("Europe/Berlin", None, Some("2026-10-25T02:30"), "2026-10-25T00:30:00Z", "2026-10-25T02:30:00"),
            (
                "Europe/Berlin",
                at("2026-10-25T01:30:00Z"),
                Some("2026-10-25T02:30"),
                "2026-10-25T01:30:00Z",
                "2026-10-25T02:30:00",
            ),
            // Left out by the clock.
            ("Europe/Berlin", None, Some("2026-03-29T02:30"), "#/starts_local", "not_allowed"),
            ("America/Sao_Paulo", None, Some("2018-11-04T00:30"), "#/starts_local", "not_allowed"),
            ("Pacific/Apia", None, Some("2011-12-30T12:00"), "#/starts_local", "not_allowed"),
            (
                "Europe/Berlin",
                at("2026-05-12T09:00:00Z"),
                Some("2026-05-12T09:00"),
                "#/starts_at",
                "contradiction",
            ),
            ("Europe/Berlin", None, None, "#/starts_at", "required"),
            ("Berlin", None, Some("2026-05-12T09:00"), "#/time_zone", "invalid_format"),
            ("Europe/Berlin", None, Some("2026-05-12 09:00"), "#/starts_local", "invalid_format"),
            ("Europe/Berlin", None, Some("2026-02-30T09:00"), "#/starts_local", "invalid_format"),
            ("Europe/Berlin", None, Some("2026-05-12T09:00:60"), "#/starts_local", "invalid_format"),
        ];
        for (zone, starts_at, starts_local, first, second) in table {
            expect(settled(event(zone, starts_at, starts_local), None), first, second);
        }
    }

    #[test]
    fn a_change_means_what_differs_and_a_zone_alone_keeps_the_local_time() {
        let stored = event("Europe/Berlin", at("2026-05-12T07:00:00Z"), Some("2026-05-12T09:00:00"));
        let table = [
            (
                event("Asia/Tokyo", stored.starts_at, Some("2026-05-12T09:00:00")),
                "2026-05-12T00:00:00Z",
                "2026-05-12T09:00:00",
            ),
            (
                event("Europe/Berlin", at("2026-05-12T10:00:00Z"), Some("2026-05-12T09:00:00")),
                "2026-05-12T10:00:00Z",
                "2026-05-12T12:00:00",
            ),
            (
                event("Europe/Berlin", stored.starts_at, Some("2026-05-12T08:00")),
                "2026-05-12T06:00:00Z",
                "2026-05-12T08:00:00",
            ),
            (
                event("Asia/Tokyo", at("2026-05-12T10:00:00Z"), Some("2026-05-12T09:00:00")),
                "2026-05-12T10:00:00Z",
                "2026-05-12T19:00:00",
            ),
            (
                event("Asia/Tokyo", stored.starts_at, Some("2026-05-12T08:00")),
                "2026-05-11T23:00:00Z",
                "2026-05-12T08:00:00",
            ),
            (
                event("Europe/Berlin", None, Some("2026-05-12T09:00:00")),
                "2026-05-12T07:00:00Z",
                "2026-05-12T09:00:00",
            ),
            (event("Europe/Berlin", stored.starts_at, None), "2026-05-12T07:00:00Z", "2026-05-12T09:00:00"),
            (
                event("Europe/Berlin", at("2026-05-12T10:00:00Z"), Some("2026-05-12T08:00")),
                "#/starts_at",
                "contradiction",
            ),
        ];
        for (changed, first, second) in table {
            expect(settled(changed, Some(&stored)), first, second);
        }
    }

    #[test]
    fn a_zone_whose_clock_leaves_the_time_out_is_refused() {
        let stored = event("Europe/Berlin", at("2018-11-04T00:30:00+01:00"), Some("2018-11-04T00:30:00"));
        let moved = event("America/Sao_Paulo", stored.starts_at, Some("2018-11-04T00:30:00"));
        expect(settled(moved, Some(&stored)), "#/starts_local", "not_allowed");
    }

    #[test]
    fn an_event_has_times_or_days() {
        let timed = event("Europe/Berlin", at("2026-05-12T07:00:00Z"), Some("2026-05-12T09:00:00"));
        let days = EventTimes {
            time_zone: local("Europe/Berlin"),
            starts_on: local("2026-05-12"),
            ends_on: local("2026-05-13"),
            ..EventTimes::default()
        };
        let settled = |event: EventTimes, before: Option<&EventTimes>| {
            let mut invalid = Invalid::default();
            let event = event.settled(before, &mut invalid);
            let errors: Vec<String> =
                invalid.errors.iter().map(|error| format!("{} {}", error.pointer, error.code.as_str())).collect();
            (event.all_day(), event.starts_on.is_some(), event.starts_at.is_some(), errors)
        };
        let none: Vec<String> = Vec::new();
        assert_eq!(settled(days.clone(), None), (true, true, false, none.clone()));
        // A patch that says the other keeps what was stored beside it.
        let to_days = EventTimes { starts_on: local("2026-05-12"), ..timed.clone() };
        assert_eq!(settled(to_days.clone(), Some(&timed)), (true, true, false, none.clone()));
        let to_times = EventTimes { starts_local: local("2026-05-12T10:00"), ..days.clone() };
        assert_eq!(settled(to_times, Some(&days)), (false, false, true, none));
        let said = |errors: &[&str]| errors.iter().map(|error| (*error).to_owned()).collect::<Vec<_>>();
        assert_eq!(settled(to_days, None).3, said(&["#/starts_on contradiction"]));
        let backwards = EventTimes { ends_on: local("2026-05-11"), ..days.clone() };
        assert_eq!(settled(backwards, None).3, said(&["#/ends_on contradiction"]));
        let endless = EventTimes { starts_on: None, ..days };
        assert_eq!(settled(endless, None).3, said(&["#/starts_on required"]));
        let ends_first = EventTimes { ends_at: at("2026-05-12T06:59:59Z"), ..timed };
        assert_eq!(settled(ends_first, None).3, said(&["#/ends_at contradiction"]));
    }
}
