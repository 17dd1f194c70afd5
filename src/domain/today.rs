//! What a day asks for: why each thing is in its view, as a code with its parameters and as a sentence. What there is on the
//! day is given.

use serde::Serialize;
use utoipa::ToSchema;

use super::count::pluralize;
use super::event_preparation::EventPreparation;
use super::feedback::FeedbackStatus;
use super::follow_up::OwedBy;
use super::words::enumeration;

/// How many days ahead birthdays and other dates, planned interactions and events are shown.
pub const DAYS_AHEAD: u64 = 14;
/// How many days after its end an event without a debrief is shown.
pub const DEBRIEF_DAYS: u64 = 14;

enumeration! {
    /// Why something is in the view: a follow-up or promise is due on the day or overdue, a contact is due by the cadence or
    /// overdue, a birthday or other date is on the day or ahead, an interaction is planned, or its time has passed, a goal is
    /// far behind the time that has passed, or overdue, an event is ahead and prepared, ahead and not prepared, under way since
    /// an earlier day, or over and without a debrief, thanks are due for something that you received,
    /// feedback waits for something to be done, or a post is scheduled for the day, or was for one before it.
    TodayReasonCode {
        FollowUpDue = "follow_up_due",
        FollowUpOverdue = "follow_up_overdue",
        PromiseDue = "promise_due",
        PromiseOverdue = "promise_overdue",
        ContactDue = "contact_due",
        ContactOverdue = "contact_overdue",
        DateToday = "date_today",
        DateAhead = "date_ahead",
        Planned = "planned",
        AwaitingOutcome = "awaiting_outcome",
        GoalAtRisk = "goal_at_risk",
        GoalOverdue = "goal_overdue",
        EventAhead = "event_ahead",
        EventUnprepared = "event_unprepared",
        EventUnderWay = "event_under_way",
        EventToDebrief = "event_to_debrief",
        ThanksDue = "thanks_due",
        FeedbackOpen = "feedback_open",
        PostDue = "post_due",
        PostOverdue = "post_overdue",
    }
}

enumeration! {
    /// A first step in an empty workspace.
    TodaySetupCode {
        AddContact = "add_contact",
        SetTier = "set_tier",
        LogInteraction = "log_interaction",
        AddFollowUp = "add_follow_up",
    }
}

/// Why something is in the view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TodayReason {
    pub code: TodayReasonCode,
    pub params: TodayParams,
    /// The reason in a sentence. To translate it, use `code` and `params`.
    #[schema(example = "Send the slides: 3 days overdue.")]
    pub detail: String,
}

/// The values in the sentence, for translation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TodayParams {
    /// The title of the follow-up, the goal, the event or the post, the name of the contact, or an English description of the interaction, such as
    /// "Coffee with Ada"; to translate that, use `interaction`.
    #[schema(example = "Send the slides")]
    pub name: String,
    /// Days from the day of the view to that of the item; negative when it is past.
    #[schema(minimum = -3652059, maximum = 3652059, example = -3)]
    pub days: i64,
}

fn reason(code: TodayReasonCode, name: &str, days: i64, detail: String) -> TodayReason {
    TodayReason { code, params: TodayParams { name: name.to_owned(), days }, detail }
}

fn day_count(days: i64) -> String {
    pluralize(days.unsigned_abs(), "day", "days")
}

/// "today", "tomorrow", "in 3 days".
fn ahead(days: i64) -> String {
    match days {
        ..=0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        _ => format!("in {}", day_count(days)),
    }
}

/// `days` from the day of the view to the one on which it was to be done.
pub fn follow_up(title: &str, owed_by: OwedBy, days: i64) -> TodayReason {
    let (code, what) = match (owed_by, days < 0) {
        (OwedBy::Me, false) => (TodayReasonCode::FollowUpDue, "due today".to_owned()),
        (OwedBy::Me, true) => (TodayReasonCode::FollowUpOverdue, format!("{} overdue", day_count(days))),
        (OwedBy::Them, false) => (TodayReasonCode::PromiseDue, "promised for today".to_owned()),
        (OwedBy::Them, true) => {
            (TodayReasonCode::PromiseOverdue, format!("promised, {} overdue", day_count(days)))
        }
    };
    reason(code, title, days, format!("{title}: {what}."))
}

/// `days` from the day of the view to the one on which the contact was due.
pub fn contact(name: &str, days: i64) -> TodayReason {
    let (code, what) = match days < 0 {
        false => (TodayReasonCode::ContactDue, "due today".to_owned()),
        true => (TodayReasonCode::ContactOverdue, format!("{} overdue", day_count(days))),
    };
    reason(code, name, days, format!("Get in touch with {name}: {what}."))
}

/// A birthday, an anniversary or another date of a contact.
pub fn date(name: &str, what: &str, days: i64) -> TodayReason {
    let code = if days == 0 { TodayReasonCode::DateToday } else { TodayReasonCode::DateAhead };
    reason(code, name, days, format!("{name}: {what} {}.", ahead(days)))
}

/// `what` is the kind of interaction and with whom.
pub fn planned(what: &str, days: i64) -> TodayReason {
    reason(TodayReasonCode::Planned, what, days, format!("{what}: {}.", ahead(days)))
}

/// `what` is the kind of interaction and with whom.
pub fn awaiting_outcome(what: &str, days: i64) -> TodayReason {
    reason(TodayReasonCode::AwaitingOutcome, what, days, format!("{what}: did it happen?"))
}

/// `days` from the day of the view to the one on which the goal is due; `progress` is what is done of it.
pub fn goal(title: &str, progress: f64, days: i64) -> TodayReason {
    let done = format!("{:.0} % done", progress * 100.0);
    let (code, what) = match days < 0 {
        false => (TodayReasonCode::GoalAtRisk, format!("at risk with {done}, due {}", ahead(days))),
        true => (TodayReasonCode::GoalOverdue, format!("{} overdue with {done}", day_count(days))),
    };
    reason(code, title, days, format!("{title}: {what}."))
}

/// `days` from the day of the view to that of the event.
pub fn event(title: &str, days: i64, preparation: &EventPreparation) -> TodayReason {
    let (code, what) = match (days < 0, preparation.ready) {
        (true, _) => (TodayReasonCode::EventUnderWay, "under way".to_owned()),
        (false, true) => (TodayReasonCode::EventAhead, format!("{}, prepared", ahead(days))),
        (false, false) => {
            let to_do = preparation.to_do();
            (TodayReasonCode::EventUnprepared, format!("{}; still to prepare: {to_do}", ahead(days)))
        }
    };
    reason(code, title, days, format!("{title}: {what}."))
}

/// `days` from the day of the view to that of the event.
pub fn event_to_debrief(title: &str, days: i64) -> TodayReason {
    reason(TodayReasonCode::EventToDebrief, title, days, format!("{title}: ended, not debriefed yet."))
}

/// What was received, and from whom; `days` from the day of the view to that on which it was.
pub fn thanks(name: &str, what: &str, days: i64) -> TodayReason {
    reason(TodayReasonCode::ThanksDue, name, days, format!("Thank {name}: {what}."))
}

/// Feedback of somebody; `days` from the day of the view to that on which it came to its status.
pub fn feedback(topic: &str, name: &str, status: FeedbackStatus, days: i64) -> TodayReason {
    let since = day_count(days);
    let what = match status {
        FeedbackStatus::Requested => format!("requested from {name} {since} ago"),
        FeedbackStatus::ActedOn => format!("acted on {since} ago; tell {name} what became of it"),
        _ => format!("received from {name}, nothing done for {since}"),
    };
    reason(TodayReasonCode::FeedbackOpen, topic, days, format!("{topic}: {what}."))
}

/// What is to be published; `days` from the day of the view to the one that it is scheduled for.
pub fn post(title: &str, days: i64) -> TodayReason {
    let (code, what) = match days < 0 {
        false => (TodayReasonCode::PostDue, "scheduled for today".to_owned()),
        true => (TodayReasonCode::PostOverdue, format!("scheduled {} ago", day_count(days))),
    };
    reason(code, title, days, format!("Publish {title}: {what}."))
}

impl TodaySetupCode {
    /// What to do, in a sentence.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::AddContact => "Add the first people you want to stay in touch with.",
            Self::SetTier => {
                "Say how close you want to be to a contact: its tier determines when you are reminded."
            }
            Self::LogInteraction => "Log the last time you were in touch with somebody.",
            Self::AddFollowUp => "Add something that you want to do for somebody.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::EventFields;

    #[test]
    fn each_reason_is_a_sentence() {
        let event_of = EventFields::default();
        let (unprepared, mut ready) = (EventPreparation::new(&event_of, 0), EventPreparation::new(&event_of, 0));
        (ready.ready, ready.missing) = (true, Vec::new());
        for (reason, code, text) in [
            (follow_up("Send it", OwedBy::Me, 0), "follow_up_due", "Send it: due today."),
            (follow_up("Send it", OwedBy::Me, -1), "follow_up_overdue", "Send it: 1 day overdue."),
            (follow_up("An intro", OwedBy::Them, 0), "promise_due", "An intro: promised for today."),
            (follow_up("An intro", OwedBy::Them, -3), "promise_overdue", "An intro: promised, 3 days overdue."),
            (goal("Move", 0.125, 30), "goal_at_risk", "Move: at risk with 12 % done, due in 30 days."),
            (goal("Move", 0.5, -1), "goal_overdue", "Move: 1 day overdue with 50 % done."),
            (event("Summit", 0, &ready), "event_ahead", "Summit: today, prepared."),
            (event("Summit", -1, &ready), "event_under_way", "Summit: under way."),
            (
                event("Summit", 3, &unprepared),
                "event_unprepared",
                "Summit: in 3 days; still to prepare: set an objective, choose a pitch.",
            ),
            (thanks("Ada", "An introduction", -2), "thanks_due", "Thank Ada: An introduction."),
            (
                feedback("My talk", "Ada", FeedbackStatus::Received, -14),
                "feedback_open",
                "My talk: received from Ada, nothing done for 14 days.",
            ),
            (
                feedback("My talk", "Ada", FeedbackStatus::ActedOn, -15),
                "feedback_open",
                "My talk: acted on 15 days ago; tell Ada what became of it.",
            ),
            (post("My story", 0), "post_due", "Publish My story: scheduled for today."),
            (post("My story", -2), "post_overdue", "Publish My story: scheduled 2 days ago."),
            (event_to_debrief("Summit", -2), "event_to_debrief", "Summit: ended, not debriefed yet."),
            (contact("Ada", 0), "contact_due", "Get in touch with Ada: due today."),
            (contact("Ada", -12), "contact_overdue", "Get in touch with Ada: 12 days overdue."),
            (date("Ada", "birthday", 0), "date_today", "Ada: birthday today."),
            (date("Ada", "birthday", 1), "date_ahead", "Ada: birthday tomorrow."),
            (date("Ada", "birthday", 9), "date_ahead", "Ada: birthday in 9 days."),
            (planned("Coffee with Ada", 2), "planned", "Coffee with Ada: in 2 days."),
            (awaiting_outcome("Coffee with Ada", -1), "awaiting_outcome", "Coffee with Ada: did it happen?"),
        ] {
            assert_eq!((reason.code.as_str(), reason.detail.as_str()), (code, text));
        }
    }
}
