//! Targets: whom to reach for a goal, as lists and as a board of their stages.

use actix_web::http::{Method, header};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::context::Context;
use super::http::messages::conditional::{check_if_none_match, seq_and_today};
use super::http::messages::problem::{Code, Problem};
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::collection::{
    Collection, Filter, FilterFn, Operators, Values, number, parse_id, reference, word,
};
use super::http::records::operations::{nested, of_record};
use super::http::records::resource::{Cards, Resource, Texts};
use crate::domain::card::{ContactCard, OrganizationCard};
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::goal::Goal;
use crate::domain::organization::Organization;
use crate::domain::target::{Target, TargetStage};
use crate::store::relations::{Link, Relation};
use crate::store::{AnyId, Conn, ID, Predicate, Record, Select, targets as stored};

/// How many targets of each stage a board shows, and at most.
const DEFAULT_ON_BOARD: i64 = 20;
const MAX_ON_BOARD: i64 = 50;

pub const COLLECTION: Collection = Collection {
    entity: Entity::Target,
    sorts: &[
        ("id", ID),
        ("created_at", stored::CREATED_AT),
        ("updated_at", stored::UPDATED_AT),
        ("priority", stored::PRIORITY),
        ("stage_changed_at", stored::STAGE_CHANGED),
    ],
    updated_at: stored::UPDATED_AT,
    searchable: false,
    relations: &[
        Relation { name: "goal", description: "The goal.", link: Link::To(Entity::Goal, "/goal_id"), with: &[] },
        Relation {
            name: "contact",
            description: "The contact to reach.",
            link: Link::To(Entity::Contact, "/contact_id"),
            with: &[],
        },
        Relation {
            name: "organization",
            description: "The organization to reach.",
            link: Link::To(Entity::Organization, "/organization_id"),
            with: &[],
        },
    ],
    filters: &[
        Filter {
            name: "stage",
            description: "How far it has come.",
            values: Values::Enumeration("TargetStage", TargetStage::WORDS),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|comparison, stage| word(stored::STAGE, comparison, stage)),
        },
        Filter {
            name: "goal_id",
            description: "The goal.",
            values: Values::Id(Entity::Goal),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::GOAL, id)),
        },
        Filter {
            name: "contact_id",
            description: "The contact to reach.",
            values: Values::Id(Entity::Contact),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::CONTACT, id)),
        },
        Filter {
            name: "organization_id",
            description: "The organization to reach.",
            values: Values::Id(Entity::Organization),
            operators: Operators::AnyOf,
            default: None,
            predicate: FilterFn::Always(|_, id| reference(stored::ORGANIZATION, id)),
        },
        Filter {
            name: "priority",
            description: "The priority, from 1 to 5.",
            values: Values::Number { min: 1, max: 5 },
            operators: Operators::Ordered,
            default: None,
            predicate: FilterFn::Always(|comparison, priority| number(stored::PRIORITY, comparison, priority)),
        },
    ],
};

impl Resource for Target {
    const COLLECTION: Collection = COLLECTION;
    const TEXTS: Texts = Texts {
        tag: "goals",
        one: "a target",
        many: "targets",
        create_example: || {
            json!({
                "goal_id": "01939d5e-8c00-7000-8000-0000000000a1",
                "contact_id": "01939d5e-8c00-7000-8000-0000000000b1", "priority": 4,
                "why": "She hires for the team I want to join.", "ask": "Twenty minutes on how they choose products.",
            })
        },
        update_example: || json!({ "stage": "approached", "offer": "An introduction to our designers" }),
        write_errors: &[Code::InvalidTransition],
        delete_errors: &[],
    };

    /// Somebody whom a name stands for.
    fn also_creates(input: &Value) -> &'static [Entity] {
        if input.get("name").is_some_and(|name| !name.is_null()) { &[Entity::Contact] } else { &[] }
    }
}

pub fn operations() -> Vec<Operation> {
    let mut operations = of_record::<Target>();
    operations.extend(nested::<Goal, Target>(
        "",
        || json!({ "contact_id": "01939d5e-8c00-7000-8000-0000000000a2", "priority": 4, "stage": "ready" }),
    ));
    operations.push(Operation::new(
        Method::GET,
        "/v1/targets/board",
        "get_target_board",
        Access::Scopes(vec!["goals:read".into(), "contacts:read".into()]),
        Run::Read(get_board),
        board_docs,
    ));
    operations
}

/// The targets at each stage.
#[derive(Serialize, ToSchema)]
struct TargetBoard {
    /// Every stage, in order, whether or not there are targets.
    stages: Vec<TargetBoardStage>,
}

/// The targets at one stage.
#[derive(Serialize, ToSchema)]
struct TargetBoardStage {
    stage: TargetStage,
    /// The first of them, by priority, highest first.
    items: Vec<TargetBoardItem>,
    /// The number of all of them.
    #[schema(minimum = 0, example = 3)]
    total: i64,
    /// The path of the whole list.
    #[schema(example = "/v1/targets?stage=approached&sort=-priority")]
    list: String,
}

/// A target with whom it names.
#[derive(Serialize, ToSchema)]
struct TargetBoardItem {
    target: Target,
    /// The contact to reach. Null: it is an organization.
    contact: Option<ContactCard>,
    /// The organization to reach. Null: it is a contact.
    organization: Option<OrganizationCard>,
}

fn board_docs() -> Docs {
    Docs::new("goals", "Get the board of targets")
        .description(
            "The targets at each stage, in one call: the first of each by priority, with the cards to show, and how many \
             there are.",
        )
        .parameters([
            Parameter::id("goal_id", "Only the targets of this goal.", Entity::Goal),
            Parameter::limit("The maximum number of targets of each stage.", DEFAULT_ON_BOARD, MAX_ON_BOARD),
        ])
        .answer::<TargetBoard>(200, "The board.")
        .tagged(Tagged::View)
}

fn get_board(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let (workspace, query) = (context.workspace(), context.query());
    let goal = query.parsed("goal_id", parse_id)?;
    let limit = query.number("limit", 1..=MAX_ON_BOARD, DEFAULT_ON_BOARD)?;
    let (seq, today) = seq_and_today(context, conn)?;
    let tag = context.api.etags.of_day(workspace, seq, today);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let stages = stored::board(conn, workspace, goal, limit)?;
    let targets = || stages.iter().flat_map(|(_, section)| &section.items);
    let contact = |target: &Target| target.fields.contact_id.map(|id| AnyId::new(id.uuid()));
    let organization = |target: &Target| target.fields.organization_id.map(|id| AnyId::new(id.uuid()));

    let people = Predicate::ids(targets().filter_map(contact));
    let people = Contact::select(conn, Select::all(workspace, people)).map_err(crate::store::Error::from)?;
    let cards = Contact::cards(conn, workspace, &people, today)?;
    let people: BTreeMap<AnyId, ContactCard> =
        cards.into_iter().map(|card| (AnyId::new(card.id.uuid()), card)).collect();
    let places = Predicate::ids(targets().filter_map(organization));
    let places = Organization::select(conn, Select::all(workspace, places)).map_err(crate::store::Error::from)?;
    let cards = Organization::cards(conn, workspace, &places, today)?;
    let places: BTreeMap<AnyId, OrganizationCard> =
        cards.into_iter().map(|card| (AnyId::new(card.id.uuid()), card)).collect();

    let of_goal = goal.map(|goal| format!("&goal_id={}", goal.uuid())).unwrap_or_default();
    let item = |target: Target| TargetBoardItem {
        contact: contact(&target).and_then(|id| people.get(&id).cloned()),
        organization: organization(&target).and_then(|id| places.get(&id).cloned()),
        target,
    };
    let board = TargetBoard {
        stages: stages
            .into_iter()
            .map(|(stage, section)| TargetBoardStage {
                stage,
                items: section.items.into_iter().map(item).collect(),
                total: section.total,
                list: format!("/v1/targets?stage={}{of_goal}&sort=-priority", stage.as_str()),
            })
            .collect(),
    };
    Ok(context.json(&board)?.header(header::ETAG, &tag))
}
