//! State machines: each is a table of states, the states that each may move to, and the date that entering it stamps. Which
//! kinds of record have one is told in `statuses.rs`.

use chrono::TimeDelta;

use super::invalid::{FieldCode, Rejection};
use super::timestamp::Timestamp;

/// The clock of a client may be ahead by this many minutes: such a time is stored as now.
const CLOCK_SKEW_MINUTES: i64 = 10;

/// One state of a machine.
pub struct State<S: 'static> {
    pub state: S,
    /// The states that it may move to.
    pub next: &'static [S],
    /// The field that holds when it was entered, or another state that stamps the same field. Null in every other state but
    /// those that keep it.
    pub stamps: Option<&'static str>,
}

/// An enumeration whose values are the states of a machine. A record may be created in any of them.
pub trait Status: Copy + PartialEq + 'static {
    /// Each state once.
    const STATES: &'static [State<Self>];

    /// States that neither set nor clear a field that others stamp.
    const KEEPS: &'static [(Self, &'static str)] = &[];

    fn word(self) -> &'static str;

    /// The states that this one may move to.
    fn next(self) -> &'static [Self] {
        self.row().map_or(&[], |row| row.next)
    }

    fn may_become(self, to: Self) -> bool {
        self == to || self.next().contains(&to)
    }

    fn row(self) -> Option<&'static State<Self>> {
        Self::STATES.iter().find(|row| row.state == self)
    }

    /// Whether entering the state sets this field.
    fn stamps(self, field: &str) -> bool {
        self.row().is_some_and(|row| row.stamps == Some(field))
    }

    /// Whether the state leaves this field as it was.
    fn keeps(self, field: &str) -> bool {
        Self::KEEPS.iter().any(|(state, kept)| *state == self && *kept == field)
    }
}

/// How a write leaves the state of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move<S> {
    /// The state before; `None` of a record that is created.
    pub from: Option<S>,
    pub to: S,
}

impl<S: Status> Move<S> {
    pub const fn new(from: Option<S>, to: S) -> Self {
        Self { from, to }
    }

    /// Whether the record enters this state.
    pub fn enters(self, state: S) -> bool {
        self.to == state && self.from != Some(state)
    }

    /// Whether the record had another state.
    pub fn is_transition(self) -> bool {
        self.from.is_some_and(|from| from != self.to)
    }

    /// The value of a field that the machine stamps: the time that the request sends with the transition, or else now.
    /// `sent` is what the request leaves in the field, and `kept` what was there.
    pub fn stamp(
        self,
        field: &'static str,
        kept: Option<Timestamp>,
        sent: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Rejection> {
        let sent = sent.filter(|sent| Some(*sent) != kept);
        if !self.to.stamps(field) {
            let detail = format!("A record that is {} has no {field}.", self.to.word());
            let left = kept.filter(|_| self.to.keeps(field));
            return sent.map_or(Ok(left), |_| Err(Rejection::new(FieldCode::Contradiction, detail)));
        }
        let is_held = kept.is_some() && self.from.is_some_and(|from| from.stamps(field) || from.keeps(field));
        if is_held || !self.enters(self.to) {
            let detail = format!("Only the request that makes the record {} can send {field}.", self.to.word());
            return sent.map_or(Ok(kept), |_| Err(Rejection::new(FieldCode::ReadOnly, detail)));
        }
        sent.map_or(Ok(now), |sent| not_in_future(sent, now)).map(Some)
    }

    /// The value of a field that every transition sets: the time that the request sends with it, or else now.
    pub fn stamp_change(
        self,
        field: &'static str,
        kept: Option<Timestamp>,
        sent: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Rejection> {
        let sent = sent.filter(|sent| Some(*sent) != kept);
        if !self.enters(self.to) {
            let detail = format!("Only the request that makes a transition can send {field}.");
            return sent.map_or(Ok(kept), |_| Err(Rejection::new(FieldCode::ReadOnly, detail)));
        }
        sent.map_or(Ok(now), |sent| not_in_future(sent, now)).map(Some)
    }
}

/// A time that has passed. A client whose clock is a little ahead means now.
pub fn not_in_future(at: Timestamp, now: Timestamp) -> Result<Timestamp, Rejection> {
    if at > now.plus(TimeDelta::minutes(CLOCK_SKEW_MINUTES)) {
        return Err(Rejection::new(FieldCode::Contradiction, "It cannot be in the future."));
    }
    Ok(at.min(now))
}

/// A machine in sentences, for the document.
pub fn describe<S: Status>() -> String {
    let moves = S::STATES.iter().map(|row| {
        let next: Vec<String> = row.next.iter().map(|state| format!("`{}`", state.word())).collect();
        format!("from `{}` to {}", row.state.word(), next.join(", "))
    });
    let mut fields: Vec<&str> = S::STATES.iter().filter_map(|row| row.stamps).collect();
    fields.dedup();
    let stamps = fields.into_iter().map(|field| {
        let words = |chosen: &dyn Fn(S) -> bool| -> Vec<String> {
            let states = S::STATES.iter().filter(|row| chosen(row.state));
            states.map(|row| format!("`{}`", row.state.word())).collect()
        };
        let entered = words(&|state| state.stamps(field)).join(" or ");
        let kept = words(&|state| state.keeps(field));
        let except = if kept.is_empty() { String::new() } else { format!(", except to {}", kept.join(" or ")) };
        format!(" Entering {entered} sets `{field}`; any transition to another state clears it{except}.")
    });
    format!(
        "A record can be created in any state. Transitions: {}; any other is rejected with 409 `invalid_transition`.{}",
        moves.collect::<Vec<_>>().join("; "),
        stamps.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Task {
        Open,
        Done,
    }

    impl Status for Task {
        const STATES: &'static [State<Self>] = &[
            State { state: Self::Open, next: &[Self::Done], stamps: None },
            State { state: Self::Done, next: &[Self::Open], stamps: Some("done_at") },
        ];

        fn word(self) -> &'static str {
            match self {
                Self::Open => "open",
                Self::Done => "done",
            }
        }
    }

    #[test]
    fn a_machine_describes_itself() {
        assert_eq!(
            describe::<Task>(),
            "A record can be created in any state. Transitions: from `open` to `done`; from `done` to `open`; any \
             other is rejected with 409 `invalid_transition`. Entering `done` sets `done_at`; any transition to \
             another state clears it."
        );
    }

    /// A visit that may be paid twice, and called off after that.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Visit {
        Planned,
        Paid,
        Repeated,
        CalledOff,
    }

    impl Status for Visit {
        const STATES: &'static [State<Self>] = &[
            State { state: Self::Planned, next: &[Self::Paid], stamps: None },
            State { state: Self::Paid, next: &[Self::Repeated], stamps: Some("paid_at") },
            State { state: Self::Repeated, next: &[Self::CalledOff], stamps: Some("paid_at") },
            State { state: Self::CalledOff, next: &[Self::Planned], stamps: None },
        ];
        const KEEPS: &'static [(Self, &'static str)] = &[(Self::CalledOff, "paid_at")];

        fn word(self) -> &'static str {
            match self {
                Self::Planned => "planned",
                Self::Paid => "paid",
                Self::Repeated => "repeated",
                Self::CalledOff => "called_off",
            }
        }
    }

    #[test]
    fn states_that_stamp_the_same_field_keep_it_among_them() {
        let at = |minute: i64| Timestamp::from_micros(minute * 60_000_000).unwrap();
        let (now, then) = (at(100), Some(at(50)));
        use Visit::{CalledOff, Paid, Planned, Repeated};
        let table = [
            (Some(Planned), Paid, None, None, Ok(Some(now))),
            (Some(Paid), Repeated, then, None, Ok(then)),
            (Some(Paid), Repeated, then, Some(at(60)), Err(FieldCode::ReadOnly)),
            (Some(Planned), Repeated, None, Some(at(60)), Ok(Some(at(60)))),
            (Some(Repeated), CalledOff, then, None, Ok(then)),
            (Some(Repeated), Planned, then, None, Ok(None)),
            (Some(Planned), CalledOff, None, None, Ok(None)),
            (Some(CalledOff), Paid, then, None, Ok(then)),
            (Some(CalledOff), Paid, None, None, Ok(Some(now))),
            (None, CalledOff, None, Some(at(60)), Err(FieldCode::Contradiction)),
        ];
        for (from, to, kept, sent, expected) in table {
            let stamped =
                Move::new(from, to).stamp("paid_at", kept, sent, now).map_err(|rejection| rejection.code);
            assert_eq!(stamped, expected, "{from:?} {to:?} {kept:?} {sent:?}");
        }
        assert!(describe::<Visit>().ends_with(
            " Entering `paid` or `repeated` sets `paid_at`; any transition to another state clears it, except to `called_off`."
        ));
    }

    #[test]
    fn every_transition_stamps_the_date_of_the_last_one() {
        let at = |minute: i64| Timestamp::from_micros(minute * 60_000_000).unwrap();
        let (now, then) = (at(100), Some(at(50)));
        for (from, kept, sent, expected) in [
            (None, None, None, Ok(Some(now))),
            (Some(Task::Open), then, None, Ok(Some(now))),
            (Some(Task::Open), then, Some(at(60)), Ok(Some(at(60)))),
            (Some(Task::Open), then, Some(at(120)), Err(FieldCode::Contradiction)),
            (Some(Task::Done), then, None, Ok(then)),
            (Some(Task::Done), then, Some(at(60)), Err(FieldCode::ReadOnly)),
        ] {
            let moved = Move::new(from, Task::Done);
            let stamped = moved.stamp_change("at", kept, sent, now).map_err(|rejection| rejection.code);
            assert_eq!(stamped, expected, "{from:?} {kept:?} {sent:?}");
        }
    }

    #[test]
    fn entering_a_state_stamps_its_date_and_leaving_it_clears_the_date() {
        let at = |minute: i64| Timestamp::from_micros(minute * 60_000_000).unwrap();
        let now = at(100);
        let (open, done) = (Task::Open, Task::Done);
        let table = [
            (Some(open), done, None, None, Ok(Some(now))),
            (Some(open), done, None, Some(at(50)), Ok(Some(at(50)))),
            (Some(open), done, None, Some(at(110)), Ok(Some(now))),
            (Some(open), done, None, Some(at(111)), Err(FieldCode::Contradiction)),
            (None, done, None, None, Ok(Some(now))),
            (None, open, None, Some(at(50)), Err(FieldCode::Contradiction)),
            (None, open, None, None, Ok(None)),
            (Some(done), done, Some(at(50)), Some(at(50)), Ok(Some(at(50)))),
            (Some(done), done, Some(at(50)), None, Ok(Some(at(50)))),
            (Some(done), done, Some(at(50)), Some(at(60)), Err(FieldCode::ReadOnly)),
            (Some(done), open, Some(at(50)), Some(at(50)), Ok(None)),
            (Some(done), open, Some(at(50)), Some(at(60)), Err(FieldCode::Contradiction)),
        ];
        for (from, to, kept, sent, expected) in table {
            let stamped =
                Move::new(from, to).stamp("done_at", kept, sent, now).map_err(|rejection| rejection.code);
            assert_eq!(stamped, expected, "{from:?} {to:?} {kept:?} {sent:?}");
        }
    }
}
