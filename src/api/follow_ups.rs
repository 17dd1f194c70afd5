//! Follow-ups: what to do next for somebody, and what they have promised.

use actix_web::http::{Method, header};
use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::context::Context;
use super::http::messages::conditional::{check_if_none_match, seq_and_today};
use super::http::messages::problem::{Code, Problem};
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged, Write};
use super::http::parameter::Parameter;
use super::http::records::collection::{
    Collection, Filter, FilterFn, Operators, Values, listed, number, reference, word,
};
use super::http::records::operations::{nested, of_record};
use super::http::records::resource::{Resource, Texts};
use crate::domain::contact::{Channel, Contact};
use crate::domain::entity::Entity;
use crate::domain::exchange::{Exchange, ExchangeFields};
use crate::domain::fields::parse_day;
use crate::domain::follow_up::{FollowUp, FollowUpKind, FollowUpStatus, OwedBy};
use crate::domain::id::FollowUpId;
use crate::domain::interaction::{Interaction, InteractionFields};
use crate::domain::invalid::Rejection;
use crate::domain::organization::Organization;
use crate::domain::timestamp::Timestamp;
use crate::service::follow_ups::{Completed, Completion, complete};
use crate::service::validation::check;
use crate::service::validation::views::{collect, written};
use crate::store::relations::{Link, Relation};
use crate::store::{Answer, Conn, ID, follow_ups as stored};

/// How many days an agenda may span.
pub const MAX_AGENDA_DAYS: i64 = 366;
/// How many follow-ups an agenda shows.
pub const MAX_AGENDA_ITEMS: i64 = 1_000;
/// How many days an agenda spans if it is not said until when.
const DEFAULT_AGENDA_DAYS: u64 = 7;

pub const COLLECTION: Collection = Collection {
    entity: Entity::FollowUp,
    sorts: &[
        ("id", ID),
        ("created_at", stored::CREATED_AT),
        ("updated_at", stored::UPDATED_AT),
        ("due_on", stored::DUE),
        ("actionable_on", stored::ACTIONABLE),
        ("priority", stored::PRIORITY),
    ],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    relations: &[
        Relation {
            name: "contacts",
            description: "The contacts it is about, in the order of `contact_ids`.",
            link: Link::To(Entity::Contact, "/contact_ids"),
            with: &[],
        },
        Relation {
            name: "organization",
            description: "The organization it is about.",
            link: Link::To(Entity::Organization, "/organization_id"),
            with: &[],
        },
        Relation {
            name: "event",
            description: "The event that it is about or follows from.",
            link: Link::To(Entity::Event, "/event_id"),
            with: &[],
        },
        Relation {
            name: "goal",
            description: "The goal that it is for.",
            link: Link::To(Entity::Goal, "/goal_id"),
            with: &[],
        },
        Relation {
            name: "target",
            description: "The target that it is for.",
            link: Link::To(Entity::Target, "/target_id"),
            with: &[],
        },
    ],
    filters: &[
        Filter {
            name: "status",
            description: "The status.",
            values: Values::Enumeration("FollowUpStatus", FollowUpStatus::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, status| word(stored::STATUS, comparison, status)),
        },
        Filter {
            name: "kind",
            description: "The kind of follow-up.",
            values: Values::Enumeration("FollowUpKind", FollowUpKind::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, kind| word(stored::KIND, comparison, kind)),
        },
        Filter {
            name: "owed_by",
            description: "Who is to do it.",
            values: Values::Enumeration("OwedBy", OwedBy::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, who| word(stored::OWED_BY, comparison, who)),
        },
        Filter {
            name: "channel",
            description: "The channel to use.",
            values: Values::Enumeration("Channel", Channel::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, channel| word(stored::CHANNEL, comparison, channel)),
        },
        Filter {
            name: "priority",
            description: "The priority, from 1 to 5 (highest).",
            values: Values::Number { min: 1, max: 5 },
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, priority| number(stored::PRIORITY, comparison, priority)),
        },
        Filter {
            name: "due_on",
            description: "The day it is due. One without a day matches only `[ne]`.",
            values: Values::Day,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, day| Ok(stored::is_due(comparison, parse_day(day)?))),
        },
        Filter {
            name: "actionable_on",
            description: "The day from which it is to be done: when it is due and no longer snoozed. One without a day \
                          matches only `[ne]`.",
            values: Values::Day,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, day| Ok(stored::is_actionable(comparison, parse_day(day)?))),
        },
        Filter {
            name: "overdue",
            description: "Whether it is pending and was to be done before today, in the time zone of the workspace.",
            values: Values::Flag,
            operators: Operators::Single,
            default: None,
            predicate: FilterFn::ByDay(|today, value| {
                let overdue = stored::is_overdue(today);
                Ok(if value == "true" { overdue } else { overdue.negated() })
            }),
        },
        Filter {
            name: "contact_id",
            description: "A contact it is about.",
            values: Values::Id(Entity::Contact),
            operators: Operators::Set,
            default: None,
            predicate: FilterFn::Always(|_, id| listed(Entity::FollowUp, Entity::Contact, id)),
        },
        Filter {
            name: "organization_id",
            description: "The organization it is about.",
            values: Values::Id(Entity::Organization),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| listed(Entity::FollowUp, Entity::Organization, id)),
        },
        Filter {
            name: "event_id",
            description: "The event that it is about or follows from.",
            values: Values::Id(Entity::Event),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::EVENT, id)),
        },
        Filter {
            name: "goal_id",
            description: "The goal that it is for.",
            values: Values::Id(Entity::Goal),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::GOAL, id)),
        },
        Filter {
            name: "target_id",
            description: "The target that it is for.",
            values: Values::Id(Entity::Target),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::TARGET, id)),
        },
        Filter {
            name: "interaction_id",
            description: "The interaction it comes from, or that was logged when it was completed.",
            values: Values::Id(Entity::Interaction),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| listed(Entity::FollowUp, Entity::Interaction, id)),
        },
    ],
};

impl Resource for FollowUp {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "follow-ups",
        one: "a follow-up",
        many: "follow-ups",
        create_example: || {
            json!({
                "title": "Send the slides", "contact_ids": ["01939d5e-8c00-7000-8000-0000000000a1"],
                "kind": "send_resource", "due_on": "2026-03-09", "channel": "email",
            })
        },
        update_example: || json!({ "snoozed_until": "2026-03-16", "priority": 4 }),
        write_errors: &[Code::InvalidTransition, Code::SeriesContinued, Code::LimitReached],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<FollowUp>();
    let example = || json!({ "title": "Ask how the talk went", "kind": "check_in", "due_on": "2026-03-16" });
    operations.extend(nested::<Contact, FollowUp>("", example));
    operations.extend(nested::<Organization, FollowUp>("", example));
    operations.push(Operation::new(
        Method::POST,
        "/v1/follow-ups/{id}/complete",
        "complete_follow_up",
        Access::scope("follow_ups:write"),
        Run::Write(complete_follow_up),
        complete_docs,
    ));
    operations.push(Operation::new(
        Method::GET,
        "/v1/follow-ups/agenda",
        "get_follow_up_agenda",
        Access::scope("follow_ups:read"),
        Run::Read(get_agenda),
        agenda_docs,
    ));
    operations
}

/// How to complete a follow-up.
#[derive(Deserialize)]
struct FollowUpCompletion {
    #[serde(default)]
    outcome: Option<String>,
    #[serde(default)]
    completed_at: Option<Timestamp>,
    #[serde(default)]
    interaction: Option<Map<String, Value>>,
    #[serde(default)]
    exchange: Option<Map<String, Value>>,
    #[serde(default)]
    next: Option<NextFollowUp>,
}

/// What is chosen of the follow-up that comes next.
#[derive(Deserialize)]
struct NextFollowUp {
    #[serde(default)]
    id: Option<FollowUpId>,
}

impl utoipa::PartialSchema for FollowUpCompletion {
    fn schema() -> RefOr<Schema> {
        written(json!({
            "type": "object",
            "description": "How to complete a follow-up.",
            "properties": {
                "outcome": {
                    "type": ["string", "null"], "maxLength": 5000, "description": "What came of it.",
                    "examples": ["They will introduce me to the team."],
                },
                "completed_at": {
                    "type": ["string", "null"], "format": "date-time",
                    "description": "When it was completed; not in the future. Null or absent: now.",
                },
                "interaction": {
                    "type": "object", "x-optional-input-of": "InteractionFields",
                    "description": "An interaction to log with it. What it leaves out is taken from the follow-up: \
                                    its contacts, its channel and the kind that fits that, its title as the subject, \
                                    and the time of the completion. Null or absent: none.",
                },
                "exchange": {
                    "type": "object", "x-optional-input-of": "ExchangeFields",
                    "description": "An exchange to log with it. What it leaves out is taken from the follow-up: its \
                                    contact, if there is exactly one, and its goal, `given` if you owed it, or else \
                                    `received`, the kind that fits, its title as the description, the day of the \
                                    completion and the interaction that is logged. Null or absent: none.",
                },
                "next": {
                    "type": ["object", "null"],
                    "description": "The follow-up that comes next, if one does. Null or absent: the server chooses its id.",
                    "properties": {
                        "id": {
                            "type": ["string", "null"], "format": "uuid", "x-entity": "follow_up",
                            "description": "The id. Null or absent: the server chooses it.",
                        },
                    },
                },
            },
        }))
    }
}

impl ToSchema for FollowUpCompletion {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<InteractionFields>(schemas);
        collect::<ExchangeFields>(schemas);
    }
}

/// A completed follow-up.
struct FollowUpCompleted;

impl utoipa::PartialSchema for FollowUpCompleted {
    fn schema() -> RefOr<Schema> {
        let one_or_null = |name: &str, description: &str| {
            json!({
                "oneOf": [{ "type": "null" }, { "$ref": format!("#/components/schemas/{name}") }],
                "description": description,
            })
        };
        written(json!({
            "type": "object",
            "description": "A completed follow-up, with what was logged and what comes next.",
            "properties": {
                "follow_up": { "$ref": "#/components/schemas/FollowUp" },
                "interaction": one_or_null(
                    "Interaction",
                    "The interaction that was logged, or that has the id in the request. Null if there is none.",
                ),
                "exchange": one_or_null(
                    "Exchange",
                    "The exchange that was logged, or that has the id in the request. Null if there is none.",
                ),
                "next": one_or_null("FollowUp", "The follow-up that comes next. Null if there is none."),
            },
        }))
    }
}

impl ToSchema for FollowUpCompleted {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        collect::<FollowUp>(schemas);
        collect::<Interaction>(schemas);
        collect::<Exchange>(schemas);
    }
}

fn complete_docs() -> Docs {
    Docs::new("follow-ups", "Complete a follow-up")
        .description(
            "Sets the status to `done` and, if `interaction` is sent (`{}` is enough), logs an interaction in the \
             same write; that requires the scope interactions:write. With `exchange`, it also logs what was given or \
             received; that requires relationships:write. If it recurs, the next occurrence is created. A \
             PATCH of `status` does the same without an interaction. A follow-up that is already `done` is returned \
             unchanged, so the request can be repeated, however late; nothing is logged again, and what came next \
             is returned. All take the ids that you choose (`interaction.id`, `exchange.id`, `next.id`). One that is \
             `skipped` or `cancelled` is rejected with 409 `invalid_transition`; set it to `pending` first.",
        )
        .request::<FollowUpCompletion>(json!({
            "outcome": "They will introduce me to the team.", "interaction": { "kind": "email" },
        }))
        .optional_body()
        .answer::<FollowUpCompleted>(200, "The follow-up as it is now.")
        .errors(&[Code::InvalidTransition, Code::Deleted, Code::IdTaken, Code::LimitReached])
}

fn complete_follow_up(context: &Context) -> Result<Write, Problem> {
    let id = context.id()?;
    let FollowUpCompletion { outcome, completed_at, interaction, exchange, next } =
        check(&context.call.body.value)?;
    if interaction.is_some() {
        context.caller.require(Entity::Interaction, "write")?;
    }
    if exchange.is_some() {
        context.caller.require(Entity::Exchange, "write")?;
    }
    let next_id = next.and_then(|next| next.id).map(FollowUpId::uuid);
    let completion = Completion { outcome, completed_at, interaction, exchange, next_id };
    Ok(Write::new(move |tx| {
        let Completed { follow_up, interaction, exchange, next } = complete(tx, id, completion)?;
        Ok(Answer::Json {
            status: 200,
            body: Box::new(move |settled| {
                let interaction = interaction.map(|id| settled.record(Entity::Interaction, id)).transpose()?;
                let exchange = exchange.map(|id| settled.record(Entity::Exchange, id)).transpose()?;
                let next = next.map(|id| settled.record(Entity::FollowUp, id)).transpose()?;
                let follow_up = settled.record(Entity::FollowUp, follow_up)?;
                Ok(
                    json!({ "follow_up": follow_up, "interaction": interaction, "exchange": exchange, "next": next }),
                )
            }),
        })
    }))
}

/// The pending follow-ups of a period, by day.
#[derive(Serialize, ToSchema)]
struct FollowUpAgenda {
    /// The first day.
    #[schema(value_type = String, format = Date, example = "2026-03-02")]
    since: NaiveDate,
    /// The day after the last one.
    #[schema(value_type = String, format = Date, example = "2026-03-09")]
    until: NaiveDate,
    /// The days on which there is something to do, in order.
    #[schema(max_items = 366)]
    days: Vec<FollowUpAgendaDay>,
    /// Whether there are more than 1,000 follow-ups; those of the latest days are left out then.
    truncated: bool,
}

/// What there is to do from one day.
#[derive(Serialize, ToSchema)]
struct FollowUpAgendaDay {
    /// The day, in the time zone of the workspace.
    #[schema(value_type = String, format = Date, example = "2026-03-02")]
    on: String,
    /// The follow-ups whose `actionable_on` it is: by time, those without a time last, then by priority, highest first.
    #[schema(max_items = 1000)]
    items: Vec<FollowUp>,
}

fn agenda_docs() -> Docs {
    let day = |name: &'static str, description: &'static str, example: &str| {
        Parameter::new(name, description, json!({ "type": "string", "format": "date" })).example(json!(example))
    };
    Docs::new("follow-ups", "Get the follow-up agenda")
        .description(
            "The pending follow-ups of a period, grouped by `actionable_on`: the day they are due or, if they are \
             snoozed, the day on which the snooze ends. At most 366 days and 1,000 follow-ups.",
        )
        .parameter(day("since", "The first day. Default: today in the time zone of the workspace.", "2026-03-02"))
        .parameter(day("until", "The day after the last one. Default: seven days after `since`.", "2026-03-09"))
        .answer::<FollowUpAgenda>(200, "The agenda.")
        .tagged(Tagged::View)
}

fn get_agenda(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let workspace = context.workspace();
    let query = context.query();
    let (since, until) = (query.parsed("since", parse_day)?, query.parsed("until", parse_day)?);
    // Read before the follow-ups, so that the tag is never newer than they are.
    let (seq, today) = seq_and_today(context, conn)?;
    let since = since.unwrap_or(today);
    let until = until.or_else(|| since.checked_add_days(Days::new(DEFAULT_AGENDA_DAYS))).unwrap_or(since);
    if !(1..=MAX_AGENDA_DAYS).contains(&until.signed_duration_since(since).num_days()) {
        let detail = format!("It must be 1 to {MAX_AGENDA_DAYS} days after since.");
        return Err(Problem::parameter(
            "until",
            Rejection::format(detail).with("min", 1).with("max", MAX_AGENDA_DAYS),
        ));
    }
    let tag = context.api.etags.of_day(workspace, seq, today);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let mut items = stored::agenda(conn, workspace, since, until, MAX_AGENDA_ITEMS.saturating_add(1))?;
    let most = usize::try_from(MAX_AGENDA_ITEMS).unwrap_or(usize::MAX);
    let truncated = items.len() > most;
    items.truncate(most);
    let agenda = FollowUpAgenda { since, until, days: by_day(items), truncated };
    Ok(context.json(&agenda)?.header(header::ETAG, &tag))
}

/// From follow-ups in the order of their days.
fn by_day(items: Vec<FollowUp>) -> Vec<FollowUpAgendaDay> {
    let mut days: Vec<FollowUpAgendaDay> = Vec::new();
    for item in items {
        let Some(on) = item.fields.actionable_on.clone() else { continue };
        match days.last_mut().filter(|day| day.on == on) {
            Some(day) => day.items.push(item),
            None => days.push(FollowUpAgendaDay { on, items: vec![item] }),
        }
    }
    for day in &mut days {
        day.items.sort_by_key(|item| {
            let fields = &item.fields;
            (fields.due_time.is_none(), fields.due_time.clone(), std::cmp::Reverse(fields.priority), item.id)
        });
    }
    days
}
