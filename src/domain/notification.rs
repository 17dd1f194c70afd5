//! Notifications: what a user is told of on a day, why, and when their day comes. Who is due is given.

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::count::pluralize;
use super::follow_up::OwedBy;
use super::locale::TimeZone;
use super::timestamp::Timestamp;
use super::today::{self, TodayReason};
use super::words::enumeration;

/// What fell due more days ago is not notified any more: it stays in the view of the day.
pub const LOOK_BACK_DAYS: u64 = 30;
/// How long a notification is kept. Longer than [`LOOK_BACK_DAYS`], so that nothing is notified twice.
pub const KEPT_DAYS: i64 = 90;

enumeration! {
    /// What a notification is about: a follow-up whose day has come, a contact to be in touch with, a birthday, or all that a
    /// day asks for.
    NotificationKind {
        FollowUpDue = "follow_up_due",
        ContactDue = "contact_due",
        Birthday = "birthday",
        Digest = "digest",
    }
}

enumeration! {
    /// Why there is a notification: a follow-up or promise was due or overdue on the day, a contact was due by the cadence or
    /// overdue, it was somebody's birthday, or it sums up the day.
    NotificationReasonCode {
        FollowUpDue = "follow_up_due",
        FollowUpOverdue = "follow_up_overdue",
        PromiseDue = "promise_due",
        PromiseOverdue = "promise_overdue",
        ContactDue = "contact_due",
        ContactOverdue = "contact_overdue",
        Birthday = "birthday",
        Digest = "digest",
    }
}

/// How much a day asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DigestCounts {
    /// Your follow-ups that are due or overdue.
    #[schema(minimum = 0, example = 3)]
    pub follow_ups: i64,
    /// Follow-ups that others owe you and that are due or overdue.
    #[schema(minimum = 0, example = 1)]
    pub promises: i64,
    /// Contacts you are due to get in touch with.
    #[schema(minimum = 0, example = 2)]
    pub contacts: i64,
    /// Birthdays on the day.
    #[schema(minimum = 0, example = 0)]
    pub birthdays: i64,
}

impl DigestCounts {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// "3 follow-ups, 1 birthday".
    pub fn sentence(&self) -> String {
        let Self { follow_ups, promises, contacts, birthdays } = *self;
        let parts = [
            (follow_ups, "follow-up", "follow-ups"),
            (promises, "promise", "promises"),
            (contacts, "contact to get in touch with", "contacts to get in touch with"),
            (birthdays, "birthday", "birthdays"),
        ];
        let parts = parts.into_iter().filter(|(count, _, _)| *count > 0);
        parts.map(|(count, one, many)| pluralize(count, one, many)).collect::<Vec<_>>().join(", ")
    }
}

/// Why there is a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NotificationReason {
    pub code: NotificationReasonCode,
    pub params: NotificationParams,
    /// The reason in a sentence. To translate it, use `code` and `params`.
    #[schema(example = "Send the slides: due today.")]
    pub detail: String,
}

/// The values in the sentence, for translation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct NotificationParams {
    /// The title of the follow-up, or the name of the contact. Null: a digest.
    #[schema(example = "Send the slides")]
    pub name: Option<String>,
    /// Days from the day of the notification to the one on which it fell due; negative when it was overdue. Null: a digest.
    #[schema(minimum = -3652059, maximum = 3652059, example = 0)]
    pub days: Option<i64>,
    /// What a digest counts. Null: not a digest.
    pub counts: Option<DigestCounts>,
}

impl NotificationReason {
    pub fn digest(counts: DigestCounts) -> Self {
        Self {
            code: NotificationReasonCode::Digest,
            params: NotificationParams { counts: Some(counts), ..NotificationParams::default() },
            detail: format!("Today: {}.", counts.sentence()),
        }
    }

    pub fn birthday(name: &str) -> Self {
        Self::new(NotificationReasonCode::Birthday, today::date(name, "birthday", 0))
    }

    /// `days` from the day of the notification to the one on which the follow-up is due.
    pub fn follow_up(title: &str, owed_by: OwedBy, days: i64) -> Self {
        let code = match (owed_by, days < 0) {
            (OwedBy::Me, false) => NotificationReasonCode::FollowUpDue,
            (OwedBy::Me, true) => NotificationReasonCode::FollowUpOverdue,
            (OwedBy::Them, false) => NotificationReasonCode::PromiseDue,
            (OwedBy::Them, true) => NotificationReasonCode::PromiseOverdue,
        };
        Self::new(code, today::follow_up(title, owed_by, days))
    }

    /// `days` from the day of the notification to the one on which the contact is due.
    pub fn contact(name: &str, days: i64) -> Self {
        let code = match days < 0 {
            false => NotificationReasonCode::ContactDue,
            true => NotificationReasonCode::ContactOverdue,
        };
        Self::new(code, today::contact(name, days))
    }

    /// With the sentence that the view of the day has for it.
    fn new(code: NotificationReasonCode, TodayReason { params, detail, .. }: TodayReason) -> Self {
        let params = NotificationParams { name: Some(params.name), days: Some(params.days), counts: None };
        Self { code, params, detail }
    }
}

/// When a user wants to be notified: at an hour of each of their days.
#[derive(Debug, Clone, Copy)]
pub struct NotifyTime {
    pub zone: TimeZone,
    /// 0 to 23.
    pub hour: u32,
}

impl NotifyTime {
    fn on(self, day: NaiveDate) -> Timestamp {
        let (time, _) = NaiveTime::MIN.overflowing_add_signed(TimeDelta::hours(i64::from(self.hour)));
        self.zone.at(day, time)
    }

    /// Whether the hour of the user's day has come. A notification that a server missed is sent then, but not in the night
    /// that follows: it waits for the hour of that day.
    pub fn has_come(self, now: Timestamp) -> bool {
        self.on(self.zone.day(now)) <= now
    }

    /// The next time after `now`.
    pub fn after(self, now: Timestamp) -> Timestamp {
        let today = self.zone.day(now);
        let days = (0..=2).filter_map(|days| today.checked_add_days(Days::new(days)));
        days.map(|day| self.on(day)).find(|at| *at > now).unwrap_or_else(|| Timestamp::end_of(today))
    }

    /// The next time once the setting has become this one. `before` is when the user was to be notified by the old setting:
    /// if that was to be today, and the new hour has passed, it is now, so that the day is not left out.
    pub fn after_change(self, before: Timestamp, now: Timestamp) -> Timestamp {
        let was_to_be_today = self.zone.day(before) <= self.zone.day(now);
        if was_to_be_today && self.has_come(now) { now } else { self.after(now) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(zone: &str, hour: u32) -> NotifyTime {
        NotifyTime { zone: TimeZone::parse(zone).unwrap(), hour }
    }

    fn instant(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn the_hour_is_the_one_of_the_user_s_clock() {
        for (zone, hour, now, next) in [
            ("UTC", 8, "2026-03-02T07:59:59Z", "2026-03-02T08:00:00Z"),
            ("UTC", 8, "2026-03-02T08:00:00Z", "2026-03-03T08:00:00Z"),
            ("Asia/Kathmandu", 8, "2026-03-02T02:00:00Z", "2026-03-02T02:15:00Z"),
            ("America/Sao_Paulo", 0, "2026-03-02T02:59:00Z", "2026-03-02T03:00:00Z"),
            // The clock goes from 02:00 to 03:00, and in autumn from 03:00 back to 02:00.
            ("Europe/Berlin", 2, "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
            ("Europe/Berlin", 2, "2026-10-24T12:00:00Z", "2026-10-25T00:00:00Z"),
            ("Europe/Berlin", 2, "2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"),
            // From 02:00 to 02:30.
            ("Australia/Lord_Howe", 2, "2026-10-03T12:00:00Z", "2026-10-03T15:30:00Z"),
            // Midnight does not exist.
            ("America/Havana", 0, "2026-03-07T12:00:00Z", "2026-03-08T05:00:00Z"),
        ] {
            assert_eq!(at(zone, hour).after(instant(now)).to_string(), next, "{zone} {hour} {now}");
        }
    }

    #[test]
    fn each_day_has_its_time_once() {
        for zone in
            ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe"]
        {
            for hour in 0..24 {
                let (time, mut now) = (at(zone, hour), instant("2026-01-01T00:00:00Z"));
                let mut days = Vec::new();
                for _ in 0..400 {
                    now = time.after(now);
                    assert!(time.has_come(now), "{zone} {hour} {now}");
                    days.push(time.zone.day(now));
                }
                assert!(days.windows(2).all(|pair| pair[0].succ_opt() == Some(pair[1])), "{zone} {hour}");
            }
        }
    }

    #[test]
    fn what_was_missed_waits_for_the_hour_of_the_day() {
        let eight = at("Europe/Berlin", 8);
        assert!(!eight.has_come(instant("2026-03-02T02:00:00Z")));
        assert!(eight.has_come(instant("2026-03-02T07:00:00Z")));
        assert!(eight.has_come(instant("2026-03-02T22:59:00Z")));
    }

    #[test]
    fn a_new_hour_leaves_no_day_out() {
        for (before, now, hour, next) in [
            ("2026-03-02T10:00:00Z", "2026-03-02T09:00:00Z", 8, "2026-03-02T09:00:00Z"),
            ("2026-03-03T08:00:00Z", "2026-03-02T09:00:00Z", 7, "2026-03-03T07:00:00Z"),
            ("2026-03-03T08:00:00Z", "2026-03-02T09:00:00Z", 10, "2026-03-02T10:00:00Z"),
            ("2026-03-02T08:00:00Z", "2026-03-02T07:00:00Z", 10, "2026-03-02T10:00:00Z"),
        ] {
            let next_at = at("UTC", hour).after_change(instant(before), instant(now));
            assert_eq!(next_at.to_string(), next, "{before} {now} {hour}");
        }
    }

    #[test]
    fn a_digest_names_what_there_is() {
        let counts = DigestCounts { follow_ups: 3, promises: 0, contacts: 1, birthdays: 2 };
        let detail = NotificationReason::digest(counts).detail;
        assert_eq!(detail, "Today: 3 follow-ups, 1 contact to get in touch with, 2 birthdays.");
        assert_eq!(NotificationReason::birthday("Ada").detail, "Ada: birthday today.");
        assert!(DigestCounts::default().is_empty() && !counts.is_empty());
    }
}
