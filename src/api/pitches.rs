//! Pitches: how the networker introduces themselves, what they said before, and how it landed.

use actix_web::http::{Method, header};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::context::Context;
use super::http::messages::conditional::{check_if_none_match, workspace_tag};
use super::http::messages::problem::{Code, Problem};
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged, Write};
use super::http::records::collection::{Collection, Filter, FilterFn, Operators, Values, number, reference, word};
use super::http::records::operations::{nested_at, of_kept, of_record};
use super::http::records::resource::{Resource, Texts};
use crate::domain::entity::Entity;
use crate::domain::fields::parse_day;
use crate::domain::id::PitchId;
use crate::domain::pitch::Pitch;
use crate::domain::pitch_use::PitchUse;
use crate::domain::pitch_version::PitchVersion;
use crate::service::pitches::restore_version;
use crate::store::relations::{Link, Relation};
use crate::store::{Answer, Conn, ID, Predicate, Record, Scalar, lists, pitches as stored};

const PITCH: Relation =
    Relation { name: "pitch", description: "The pitch.", link: Link::To(Entity::Pitch, "/pitch_id"), with: &[] };

const OF_PITCH: Filter = Filter {
    name: "pitch_id",
    description: "The pitch.",
    values: Values::Id(Entity::Pitch),
    operators: Operators::AnyOf,
    default: None,
    predicate: FilterFn::Always(|_, id| reference(stored::PITCH, id)),
};

pub const COLLECTION: Collection = Collection {
    entity: Entity::Pitch,
    sorts: &[("id", ID), ("created_at", stored::CREATED_AT), ("updated_at", stored::UPDATED_AT)],
    updated_at: stored::UPDATED_AT,
    searchable: true,
    relations: &[Relation {
        name: "goal",
        description: "The goal that it serves.",
        link: Link::To(Entity::Goal, "/goal_id"),
        with: &[],
    }],
    filters: &[
        Filter {
            name: "goal_id",
            description: "The goal that it serves.",
            values: Values::Id(Entity::Goal),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::GOAL, id)),
        },
        Filter {
            name: "language",
            description: "The language, as it is written in the pitch.",
            values: Values::Text { max_length: 35, example: "en" },
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, language| word(stored::LANGUAGE, comparison, language)),
        },
    ],
};

pub const VERSIONS: Collection = Collection {
    entity: Entity::PitchVersion,
    sorts: &[("id", ID), ("created_at", stored::CREATED_AT), ("updated_at", stored::UPDATED_AT)],
    updated_at: stored::UPDATED_AT,
    searchable: false,
    relations: &[PITCH],
    filters: &[OF_PITCH],
};

pub const USES: Collection = Collection {
    entity: Entity::PitchUse,
    sorts: &[
        ("id", ID),
        ("created_at", stored::CREATED_AT),
        ("updated_at", stored::UPDATED_AT),
        ("on", stored::USED_ON),
    ],
    updated_at: stored::UPDATED_AT,
    searchable: false,
    relations: &[
        PITCH,
        Relation {
            name: "contact",
            description: "The contact it was used with.",
            link: Link::To(Entity::Contact, "/contact_id"),
            with: &[],
        },
        Relation {
            name: "event",
            description: "The event where it was used.",
            link: Link::To(Entity::Event, "/event_id"),
            with: &[],
        },
    ],
    filters: &[
        OF_PITCH,
        Filter {
            name: "contact_id",
            description: "The contact it was used with.",
            values: Values::Id(Entity::Contact),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::CONTACT, id)),
        },
        Filter {
            name: "event_id",
            description: "The event where it was used.",
            values: Values::Id(Entity::Event),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::EVENT, id)),
        },
        Filter {
            name: "on",
            description: "The day on which it was used.",
            values: Values::Day,
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, day| {
                Ok(Predicate::Compare(stored::USED_ON, comparison, Scalar::Text(parse_day(day)?.to_string())))
            }),
        },
        Filter {
            name: "landed",
            description: "How it landed, from 1 to 5.",
            values: Values::Number { min: 1, max: 5 },
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, landed| number(stored::LANDED, comparison, landed)),
        },
    ],
};

impl Resource for Pitch {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "pitches",
        one: "a pitch",
        many: "pitches",
        create_example: || {
            json!({
                "title": "Product for climate, 30 seconds", "audience": "Founders at meetups",
                "hook": "Half of all heat pumps are installed wrong.",
                "body": "I build the software that gets them right.",
                "call_to_action": "Whom should I talk to about pilots?", "language": "en", "target_seconds": 30,
            })
        },
        update_example: || json!({ "hook": "Every second heat pump is installed wrong." }),
        // The wording before is kept as a version.
        write_errors: &[Code::LimitReached],
        delete_errors: &[],
    };
}

impl Resource for PitchVersion {
    const COLLECTION: Collection = VERSIONS;
    const TEXTS: Texts = Texts {
        tag: "pitches",
        one: "a pitch version",
        many: "pitch versions",
        // One is kept when a pitch is worded otherwise.
        create_example: || json!({}),
        update_example: || json!({}),
        write_errors: &[],
        delete_errors: &[],
    };
}

impl Resource for PitchUse {
    const COLLECTION: Collection = USES;
    const TEXTS: Texts = Texts {
        tag: "pitches",
        one: "a pitch use",
        many: "pitch uses",
        create_example: || {
            json!({
                "pitch_id": "01939d5e-8c00-7000-8000-0000000000a1", "on": "2026-03-02",
                "contact_id": "01939d5e-8c00-7000-8000-0000000000a1", "landed": 4,
            })
        },
        update_example: || json!({ "landed": 5, "note": "They wrote the next day." }),
        write_errors: &[],
        delete_errors: &[],
    };
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<Pitch>();
    operations.extend(of_kept::<PitchVersion>());
    let versions =
        nested_at::<Pitch, PitchVersion>("versions", "The wordings that later ones replaced.", || json!({}));
    operations.extend(versions.into_iter().filter(|operation| operation.method == Method::GET));
    operations.extend(of_record::<PitchUse>());
    operations.extend(nested_at::<Pitch, PitchUse>("uses", "", || json!({ "on": "2026-03-02", "landed": 4 })));
    operations.push(Operation::new(
        Method::POST,
        "/v1/pitch-versions/{id}/restore",
        "restore_pitch_version",
        Access::scope("goals:write"),
        Run::Write(restore),
        || {
            Docs::new("pitches", "Restore a version of a pitch")
                .description(
                    "Gives the pitch this wording again: `hook`, `body`, `call_to_action` and `language`. The wording \
                     that it has is kept as a version. A pitch that says the same already stays as it is.",
                )
                .answer::<Pitch>(200, "The pitch as it is now.")
                .errors(&[Code::LimitReached])
        },
    ));
    operations.push(Operation::new(
        Method::GET,
        "/v1/pitches/{id}/performance",
        "get_pitch_performance",
        Access::scope("goals:read"),
        Run::Read(get_performance),
        || {
            Docs::new("pitches", "Get the performance of a pitch")
                .description("How often the pitch was used, and how well it landed.")
                .answer::<PitchPerformance>(200, "The performance.")
                .tagged(Tagged::View)
        },
    ));
    operations
}

fn restore(context: &Context) -> Result<Write, Problem> {
    let id = context.id()?;
    context.call.body.require_empty()?;
    Ok(Write::new(move |tx| {
        let pitch = restore_version(tx, id)?;
        Ok(Answer::Record { status: 200, entity: Entity::Pitch, id: pitch })
    }))
}

/// How often a pitch was used, and how well it landed.
#[derive(Serialize, ToSchema)]
struct PitchPerformance {
    /// The pitch.
    pitch_id: PitchId,
    /// The number of uses.
    #[schema(minimum = 0, example = 12)]
    uses: i64,
    /// The number of uses that are rated.
    #[schema(minimum = 0, example = 10)]
    rated: i64,
    /// The mean of their ratings. Null: none is rated.
    #[schema(minimum = 1, maximum = 5, example = 3.8)]
    average_landed: Option<f64>,
    /// The number of uses with each rating, from 1 to 5.
    #[schema(max_items = 5, example = json!([0, 1, 3, 3, 3]))]
    by_rating: Vec<i64>,
    /// The day it was last used. Null: it was not.
    #[schema(value_type = Option<String>, format = Date, example = "2026-03-02")]
    last_used_on: Option<String>,
}

fn get_performance(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let workspace = context.workspace();
    let tag = workspace_tag(context, conn)?;
    let pitch = lists::find::<Pitch>(conn, workspace, context.id()?)?;
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let rows = stored::uses_by_rating(conn, workspace, Record::id(&pitch))?;
    let with = |rating: i32| rows.iter().find(|row| row.landed == Some(rating)).map_or(0, |row| row.count);
    let by_rating: Vec<i64> = (1..=5).map(with).collect();
    let rated: i64 = by_rating.iter().sum();
    let sum: i64 =
        by_rating.iter().zip(1..).map(|(count, rating): (&i64, i64)| count.saturating_mul(rating)).sum();
    // No pitch has so many uses that they do not fit.
    let number = |count: i64| i32::try_from(count).map_or(f64::MAX, f64::from);
    let shown = PitchPerformance {
        pitch_id: pitch.id,
        uses: rows.iter().map(|row| row.count).sum(),
        rated,
        average_landed: (rated > 0).then(|| number(sum) / number(rated)),
        by_rating,
        last_used_on: rows.into_iter().filter_map(|row| row.last_used_on).max(),
    };
    Ok(context.json(&shown)?.header(header::ETAG, &tag))
}
