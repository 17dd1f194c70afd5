//! The networker's own profile: how complete it is, and what to do about it.

use actix_web::http::{Method, header};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::context::Context;
use super::http::messages::conditional::{check_if_none_match, seq_and_today};
use super::http::messages::problem::{Code, Problem};
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use crate::domain::fields::parse_day;
use crate::domain::id::ContactId;
use crate::domain::profile::{self, CHECKED_WITHIN_DAYS, Profile, ProfilePart, Reviewed};
use crate::store::{Conn, profile as stored};

/// How complete your profile is, and how to complete it.
#[derive(Serialize, ToSchema)]
struct ProfileReview {
    /// The day of the review.
    #[schema(value_type = String, format = Date, example = "2026-03-02")]
    on: NaiveDate,
    /// The contact that represents you, whose profile this is.
    contact_id: ContactId,
    /// The completeness: the sum of the points of all items, 0 to 100.
    #[schema(minimum = 0, maximum = 100, example = 65)]
    completeness: u32,
    /// The name of the formula. By the same formula, the same profile has the same points on the same day.
    #[schema(example = "pr-1")]
    version: String,
    /// All parts of a profile, complete or not, always in the same order.
    items: Vec<ProfileReviewItem>,
    /// The codes of the incomplete parts, those with the most points to gain first.
    missing: Vec<ProfilePart>,
}

/// A part of a profile, and what it contributes to completeness.
#[derive(Serialize, ToSchema)]
struct ProfileReviewItem {
    /// The part. `email` and `languages`: at least one. `skills`: at least 5, in proportion below. `link`: a profile or
    /// page on any platform. `link_checked`: one of them with a `checked_on` of the last 180 days. `current_position`: one
    /// that has begun and not ended. `background`: one as a student or teacher, or one that has ended. `need` and `offer`:
    /// an open one of your own. `reference`: a relationship with a manager, report, mentor, mentee, colleague, cofounder
    /// or client of yours.
    code: ProfilePart,
    /// The points of the part now: `of` × min(`have`, `wanted`) / `wanted`, rounded down.
    #[schema(minimum = 0, maximum = 100, example = 4)]
    points: u32,
    /// The points of the part when it is complete. All parts together have 100.
    #[schema(minimum = 0, maximum = 100, example = 10)]
    of: u32,
    /// Whether the part is complete.
    complete: bool,
    /// The facts from which the points are computed.
    params: ProfileReviewParams,
    /// What to do, in a sentence. Null if the part is complete. To translate it, use `code` and `params`.
    #[schema(example = "Name at least five things you are good at.")]
    detail: Option<String>,
    /// The operation that completes the part. Null if it is complete.
    #[serde(rename = "do")]
    #[schema(rename = "do")]
    action: Option<ProfileReviewAction>,
}

/// The facts from which the points of a part are computed.
#[derive(Serialize, ToSchema)]
struct ProfileReviewParams {
    /// How many there are.
    #[schema(example = 2)]
    have: usize,
    /// How many are needed.
    #[schema(example = 5)]
    wanted: usize,
    /// For how many days one counts. Null if age does not matter.
    #[schema(example = json!(null))]
    within_days: Option<u16>,
}

/// An operation that would complete a part.
#[derive(Serialize, ToSchema)]
struct ProfileReviewAction {
    /// The `operationId` in this document.
    #[schema(example = "update_contact")]
    operation: String,
    /// The method.
    #[schema(example = "PATCH")]
    method: String,
    /// The path, with the ids filled in.
    #[schema(example = "/v1/contacts/01939d5e-8c00-7000-8000-0000000000a1")]
    path: String,
    /// The fields of the body to fill in, as JSON pointers. Create the missing objects on the way.
    #[schema(example = json!(["#/skills"]))]
    fields: Vec<String>,
    /// The rest of the body; empty if there is none. With the fields filled in, it is ready to send.
    #[schema(value_type = Object, example = json!({}))]
    body: Value,
}

pub fn operations() -> Vec<Operation> {
    let docs = || {
        let on = "The day to review the profile for, such as 2026-03-02. Default: today in the time zone of the workspace.";
        Docs::new("profile", "Get a review of your profile")
            .description(
                "What your profile shows to others: your own contact with its positions, links, skills, needs (what \
                 you look for), offers (what you can help with) and relationships. Completeness is a sum that \
                 explains itself: every item has its points, the facts they come from, and what to do. Adding \
                 something never lowers it.",
            )
            .parameter(Parameter::new("on", on, json!({ "type": "string", "format": "date" })).example(json!("2026-03-02")))
            .answer::<ProfileReview>(200, "The review.")
            .errors(&[Code::NotFound])
            .tagged(Tagged::View)
    };
    let access = Access::scope("insights:read");
    vec![Operation::new(
        Method::GET,
        "/v1/profile/review",
        "review_profile",
        access,
        Run::Read(review_profile),
        docs,
    )]
}

fn review_profile(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let workspace = context.workspace();
    let on = context.query().parsed("on", parse_day)?;
    // Read before the profile, so that the tag is never newer than that.
    let (seq, today) = seq_and_today(context, conn)?;
    let on = on.unwrap_or(today);
    let tag = context.api.etags.of_day(workspace, seq, on);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let (contact, profile) = stored::read(conn, workspace)?;
    Ok(context.json(&review(on, contact, &profile))?.header(header::ETAG, &tag))
}

fn review(on: NaiveDate, contact_id: ContactId, profile: &Profile) -> ProfileReview {
    let profile::Review { completeness, parts, missing } = profile::review(profile, on);
    let items = parts.into_iter().map(|Reviewed { part, points, of, have, wanted, advice }| ProfileReviewItem {
        code: part,
        points,
        of,
        complete: advice.is_none(),
        params: ProfileReviewParams {
            have,
            wanted,
            within_days: (part == ProfilePart::LinkChecked).then_some(CHECKED_WITHIN_DAYS),
        },
        detail: advice.map(str::to_owned),
        action: advice.map(|_| action(part, on, contact_id, profile.stalest_link())),
    });
    let version = profile::VERSION.to_owned();
    ProfileReview { on, contact_id, completeness, version, items: items.collect(), missing }
}

/// What completes a part of the profile of this contact.
fn action(part: ProfilePart, on: NaiveDate, own: ContactId, link: Option<&str>) -> ProfileReviewAction {
    let own_path = format!("/v1/contacts/{own}");
    let act = |operation: &str, method: &str, path: String, fields: &[&str], body: Value| ProfileReviewAction {
        operation: operation.to_owned(),
        method: method.to_owned(),
        path,
        fields: fields.iter().map(|field| format!("#/{field}")).collect(),
        body,
    };
    let update = |field: &str, body: Value| act("update_contact", "PATCH", own_path.clone(), &[field], body);
    let fill = |field: &str| update(field, json!({}));
    let checked = |key: &str| json!({ "links": { key: { "checked_on": on } } });
    let position =
        |body: Value| act("create_contact_position", "POST", format!("{own_path}/positions"), &["title"], body);
    let need = |kind: &str| {
        act("create_contact_need", "POST", format!("{own_path}/needs"), &["topic"], json!({ "kind": kind }))
    };
    match (part, link) {
        (ProfilePart::Name, _) => fill("given_name"),
        (ProfilePart::Headline, _) => fill("headline"),
        (ProfilePart::About, _) => fill("about"),
        (ProfilePart::Location, _) => fill("location"),
        // Where there is none yet no key is taken.
        (ProfilePart::Email, _) => fill("emails/main/value"),
        (ProfilePart::Languages, _) => fill("languages"),
        (ProfilePart::Skills, _) => fill("skills"),
        (ProfilePart::Link, _) => fill("links/profile/url"),
        (ProfilePart::LinkChecked, None) => update("links/profile/url", checked("profile")),
        (ProfilePart::LinkChecked, Some(key)) => update(&format!("links/{key}/checked_on"), checked(key)),
        (ProfilePart::CurrentPosition, _) => position(json!({})),
        (ProfilePart::Background, _) => position(json!({ "kind": "student" })),
        (ProfilePart::Need, _) => need("need"),
        (ProfilePart::Offer, _) => need("offer"),
        (ProfilePart::Reference, _) => {
            let body = json!({ "related_contact_id": own });
            act("create_relationship", "POST", "/v1/relationships".to_owned(), &["contact_id", "type"], body)
        }
    }
}
