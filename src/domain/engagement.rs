//! Engagement with posts, one's own and those of others: comments, reactions and shares in both directions, month by month. What
//! there was is given.

use chrono::{Datelike, Months, NaiveDate};
use serde::Serialize;
use utoipa::ToSchema;

use super::interaction::{InteractionDirection, InteractionKind};

/// How many months can be asked for at once.
pub const MAX_MONTHS: usize = 24;

/// How many months are shown by default: the current one and those before it.
pub const DEFAULT_MONTHS: u32 = 12;

/// How often somebody engaged with a post.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct EngagementCounts {
    /// Yours, with posts of others.
    #[schema(minimum = 0, example = 5)]
    pub outbound: i64,
    /// That of others, with your posts.
    #[schema(minimum = 0, example = 3)]
    pub inbound: i64,
    /// In both directions.
    #[schema(minimum = 0, example = 0)]
    pub mutual: i64,
    /// Of all of these, the comments.
    #[schema(minimum = 0, example = 4)]
    pub comments: i64,
    /// Of all of these, the reactions.
    #[schema(minimum = 0, example = 3)]
    pub reactions: i64,
    /// Of all of these, the shares.
    #[schema(minimum = 0, example = 1)]
    pub shares: i64,
}

impl EngagementCounts {
    /// Adds so many of a kind.
    pub fn add(&mut self, direction: InteractionDirection, kind: InteractionKind, count: i64) {
        let by_kind = match kind {
            InteractionKind::Comment => &mut self.comments,
            InteractionKind::Reaction => &mut self.reactions,
            InteractionKind::Share => &mut self.shares,
            _ => return,
        };
        *by_kind += count;
        *match direction {
            InteractionDirection::Outbound => &mut self.outbound,
            InteractionDirection::Inbound => &mut self.inbound,
            InteractionDirection::Mutual => &mut self.mutual,
        } += count;
    }

    pub const fn total(&self) -> i64 {
        self.outbound + self.inbound + self.mutual
    }
}

/// A month, or as much of it as lies in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthSpan {
    pub first: NaiveDate,
    /// Inclusive.
    pub last: NaiveDate,
}

impl MonthSpan {
    /// Such as `2026-03`.
    pub fn name(self) -> String {
        format!("{:04}-{:02}", self.first.year(), self.first.month())
    }
}

/// The first day of the period that is shown on a day by default.
pub fn default_since(today: NaiveDate) -> NaiveDate {
    let month = today.with_day(1).unwrap_or(today);
    month.checked_sub_months(Months::new(DEFAULT_MONTHS - 1)).unwrap_or(month)
}

/// The months of a period, in order, of which `until` is no part; as many as can be asked for, and one more.
pub fn months(since: NaiveDate, until: NaiveDate) -> Vec<MonthSpan> {
    let mut spans = Vec::new();
    let mut first = since;
    while first < until && spans.len() <= MAX_MONTHS {
        let month = first.with_day(1).unwrap_or(first);
        let Some(next) = month.checked_add_months(Months::new(1)) else { break };
        let end = next.min(until);
        spans.push(MonthSpan { first, last: end.pred_opt().unwrap_or(first) });
        first = end;
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_is_cut_into_its_months() {
        let told = |since: &str, until: &str| -> Vec<String> {
            let spans = months(day(since), day(until)).into_iter();
            spans.map(|span| format!("{} {} {}", span.name(), span.first.day(), span.last.day())).collect()
        };
        assert_eq!(told("2026-01-15", "2026-03-01"), ["2026-01 15 31", "2026-02 1 28"]);
        assert_eq!(told("2026-03-02", "2026-03-03"), ["2026-03 2 2"]);
        assert_eq!(told("2025-12-31", "2026-01-02"), ["2025-12 31 31", "2026-01 1 1"]);
        assert_eq!(told("2026-03-02", "2026-03-02"), [""; 0]);
        assert_eq!(months(day("2020-01-01"), day("2026-01-01")).len(), MAX_MONTHS + 1);
        assert_eq!(default_since(day("2026-03-31")), day("2025-04-01"));
    }

    #[test]
    fn each_counts_once_by_its_direction_and_once_by_its_kind() {
        let mut counts = EngagementCounts::default();
        counts.add(InteractionDirection::Outbound, InteractionKind::Comment, 2);
        counts.add(InteractionDirection::Inbound, InteractionKind::Share, 1);
        counts.add(InteractionDirection::Mutual, InteractionKind::Call, 5);
        let expected =
            EngagementCounts { outbound: 2, inbound: 1, comments: 2, shares: 1, ..EngagementCounts::default() };
        assert_eq!((counts, counts.total()), (expected, 3));
    }

    proptest! {
        #[test]
        fn the_months_of_a_period_leave_no_day_out(start in 0..20_000_u64, days in 1..700_u64) {
            let since = day("1990-01-01") + chrono::Days::new(start);
            let until = since + chrono::Days::new(days);
            let spans = months(since, until);
            let length: i64 = spans.iter().map(|span| (span.last - span.first).num_days() + 1).sum();
            prop_assert_eq!(u64::try_from(length).unwrap(), days);
            prop_assert!(spans.windows(2).all(|pair| pair[0].last.succ_opt() == Some(pair[1].first)));
        }
    }
}
