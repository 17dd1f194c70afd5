//! Introduction paths: who can introduce you to somebody.

use actix_web::http::{Method, header};
use serde::Serialize;
use serde_json::json;
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

use super::context::Context;
use super::http::messages::conditional::{check_if_none_match, seq_and_today};
use super::http::messages::problem::{Code, Problem};
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::resource::Cards;
use crate::domain::card::ContactCard;
use crate::domain::contact::Contact;
use crate::domain::id::{ContactId, OrganizationId};
use crate::domain::introduction_path::{Hop, IntroductionPathReasonCode, Tie};
use crate::domain::invalid::{FieldCode, Rejection};
use crate::domain::relationship::RelationshipType;
use crate::store::introduction_paths::{self as stored, Found};
use crate::store::{AnyId, Conn};

/// Who can introduce you.
#[derive(Serialize, ToSchema)]
struct IntroductionPaths {
    /// The shortest paths first; of equals, the ones that begin with whom you were in touch with last.
    #[schema(max_items = 20)]
    items: Vec<IntroductionPath>,
}

/// A way from you to somebody.
#[derive(Serialize, ToSchema)]
struct IntroductionPath {
    /// The people to go through in turn, without you; the last one is whom you want to meet.
    #[schema(min_items = 1, max_items = 3)]
    hops: Vec<IntroductionPathHop>,
}

/// A person on the way.
#[derive(Serialize, ToSchema)]
struct IntroductionPathHop {
    contact: ContactCard,
    reason: IntroductionPathReason,
}

/// What ties a person to the one before, or the first one to you.
#[derive(Serialize, ToSchema)]
struct IntroductionPathReason {
    code: IntroductionPathReasonCode,
    /// What the one before is to this person. Null: another reason, or there is no word for it.
    relationship: Option<RelationshipType>,
    /// The organization where both were. Null: another reason.
    organization_id: Option<OrganizationId>,
    /// The reason in a sentence. To translate it, use the other fields.
    #[schema(example = "You and Grace were at Acme at the same time.")]
    detail: String,
}

pub fn operations() -> Vec<Operation> {
    let docs = || {
        let id = json!({ "type": "string", "format": "uuid", "x-entities": ["contact", "organization"] });
        Docs::new("introductions", "List introduction paths")
            .description(
                "Who can introduce you: the shortest paths from you to a contact, or to anybody who is at an \
                 organization, over relationships and over positions that overlapped at organizations with fewer than \
                 200 people. Only people whom you know are gone through, and nobody who is archived or not to be \
                 contacted. At most 3 hops and 20 paths; around each end, at most 2,000 \
                 people are looked at.",
            )
            .parameter(
                Parameter::new("to", "The id of the contact or organization.", id)
                    .example(json!("01939d5e-8c00-7000-8000-0000000000a1"))
                    .required(),
            )
            .answer::<IntroductionPaths>(200, "The paths; none if there is no way.")
            .tagged(Tagged::View)
    };
    let access = Access::Scopes(vec!["contacts:read".into(), "relationships:read".into()]);
    let path = "/v1/introductions/paths";
    vec![Operation::new(Method::GET, path, "list_introduction_paths", access, Run::Read(list_paths), docs)]
}

fn list_paths(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let workspace = context.workspace();
    let to = context.query().parsed("to", |id| {
        Uuid::try_parse(id).map(AnyId::new).map_err(|_| Rejection::format("Expected a UUID."))
    })?;
    let to = to.ok_or_else(|| {
        Problem::new(Code::InvalidParameter).detail("Parameter to is required.").of_parameter("to")
    })?;
    // Read before all else, so that the tag is never newer than that.
    let (seq, today) = seq_and_today(context, conn)?;
    let goal = stored::goal(conn, workspace, to)?.ok_or_else(|| {
        let detail = "There is no contact or organization with this id.";
        Problem::parameter("to", Rejection::new(FieldCode::UnknownReference, detail))
    })?;
    let tag = context.api.etags.of_day(workspace, seq, today);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let found = stored::find(conn, workspace, &goal, today)?;
    let people: Vec<Contact> = found.people.values().cloned().collect();
    let cards = Contact::cards(conn, workspace, &people, today)?;
    let cards: HashMap<ContactId, ContactCard> = cards.into_iter().map(|card| (card.id, card)).collect();
    let items = found.paths.iter().map(|path| IntroductionPath { hops: hops(path, &found, &cards) }).collect();
    Ok(context.json(&IntroductionPaths { items })?.header(header::ETAG, &tag))
}

fn hops(path: &[Hop], found: &Found, cards: &HashMap<ContactId, ContactCard>) -> Vec<IntroductionPathHop> {
    let mut before: Option<&str> = None;
    let mut hops = Vec::with_capacity(path.len());
    for hop in path {
        let Some(contact) = cards.get(&hop.to) else { continue };
        let reason = reason(before, &contact.name, hop.tie, found);
        hops.push(IntroductionPathHop { contact: contact.clone(), reason });
        before = Some(&contact.name);
    }
    hops
}

/// `before` is the name of the one before; `None` is the networker.
fn reason(before: Option<&str>, name: &str, tie: Tie, found: &Found) -> IntroductionPathReason {
    match tie {
        Tie::Relationship(kind) => {
            let detail = match (before, kind) {
                (None, Some(kind)) => format!("You are the {} of {name}.", kind.as_str()),
                (Some(before), Some(kind)) => format!("{before} is the {} of {name}.", kind.as_str()),
                (None, None) => format!("You and {name} are related."),
                (Some(before), None) => format!("{before} and {name} are related."),
            };
            IntroductionPathReason {
                code: IntroductionPathReasonCode::Relationship,
                relationship: kind,
                organization_id: None,
                detail,
            }
        }
        Tie::SharedOrganization(id) => {
            let there = found.organizations.get(&id).map_or("the same organization", String::as_str);
            let who = before.unwrap_or("You");
            IntroductionPathReason {
                code: IntroductionPathReasonCode::SharedOrganization,
                relationship: None,
                organization_id: Some(id),
                detail: format!("{who} and {name} were at {there} at the same time."),
            }
        }
    }
}
