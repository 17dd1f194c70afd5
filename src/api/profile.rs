//! The networker's own profile: how complete it is, and what to do about it.

use actix_web::http::{Method, header};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::context::Context;
use super::http::messages::conditional::check_if_none_match;
use super::http::messages::problem::{Code, Problem};
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use crate::domain::fields::parse_day;
use crate::domain::id::ContactId;
use crate::domain::profile::{self, Profile, ProfilePart, Reviewed};
use crate::store::progress::On;
use crate::store::{Conn, accounts, profile as stored};

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
    #[schema(max_length = 16, example = "pr-2")]
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
    /// page on any platform. `link_checked`: one of them with a `checked_on` of the last 90 days. `current_position`: one
    /// that has begun and not ended. `background`: one as a student or teacher, or one that has ended. `need` and `offer`:
    /// an open one of your own. `reference`: a relationship with a manager, report, mentor, mentee, colleague, cofounder
    /// or client of yours. `pitch`: at least one. `pitch_used`: a pitch was used at least once. `published`: a post of your
    /// own, not a comment or a reply, published in the last 90 days. `feedback_handled`: no feedback has been open without a
    /// transition for 14 days.
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
    /// What to do next: an operation that completes the part, or that comes before it, such as creating a pitch before it is
    /// used. Null if the part is complete.
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
    /// For how many days an entry counts; for `feedback_handled`, how long feedback may stay open. Null if age does not matter.
    #[schema(minimum = 1, example = json!(null))]
    within_days: Option<u64>,
}

/// An operation towards completing a part.
#[derive(Serialize, ToSchema)]
struct ProfileReviewAction {
    /// The `operationId` in this document.
    #[schema(max_length = 64, example = "update_contact")]
    operation: String,
    /// The method.
    #[schema(max_length = 6, example = "PATCH")]
    method: String,
    /// The path, with the ids filled in.
    #[schema(max_length = 200, example = "/v1/contacts/01939d5e-8c00-7000-8000-0000000000a1")]
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
                 you look for), offers (what you can help with) and relationships; and what you do for it: pitches, \
                 posts, and what became of feedback. Completeness is a sum that \
                 explains itself: every item has its points, the facts they come from, and what to do. Adding \
                 to your profile never lowers it; feedback that stays open does.",
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
    let (seq, zone) = accounts::seq_and_time_zone(conn, workspace)?;
    let on = on.unwrap_or_else(|| zone.day(context.api.store.now()));
    let tag = context.api.etags.of_day(workspace, seq, on);
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let (contact, profile) = stored::read(conn, workspace, On { day: on, zone })?;
    Ok(context.json(&review(on, contact, &profile))?.header(header::ETAG, &tag))
}

fn review(on: NaiveDate, contact_id: ContactId, profile: &Profile) -> ProfileReview {
    let profile::Review { completeness, parts, missing } = profile::review(profile, on);
    let items = parts.into_iter().map(|Reviewed { part, points, of, have, wanted, advice }| ProfileReviewItem {
        code: part,
        points,
        of,
        complete: advice.is_none(),
        params: ProfileReviewParams { have, wanted, within_days: part.within_days() },
        detail: advice.map(str::to_owned),
        action: advice.and_then(|_| action(part, on, contact_id, profile)),
    });
    let version = profile::VERSION.to_owned();
    ProfileReview { on, contact_id, completeness, version, items: items.collect(), missing }
}

/// What completes a part of the profile of this contact, or comes first.
fn action(part: ProfilePart, on: NaiveDate, own: ContactId, profile: &Profile) -> Option<ProfileReviewAction> {
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
    let create =
        |operation: &str, path: String, fields: &[&str], body: Value| act(operation, "POST", path, fields, body);
    let position =
        |body: Value| create("create_contact_position", format!("{own_path}/positions"), &["title"], body);
    let need = |kind: &str| {
        create("create_contact_need", format!("{own_path}/needs"), &["topic"], json!({ "kind": kind }))
    };
    let pitch = || create("create_pitch", "/v1/pitches".to_owned(), &["title", "body"], json!({}));
    Some(match part {
        ProfilePart::Name => fill("given_name"),
        ProfilePart::Headline => fill("headline"),
        ProfilePart::About => fill("about"),
        ProfilePart::Location => fill("location"),
        // Where there is none yet no key is taken.
        ProfilePart::Email => fill("emails/main/value"),
        ProfilePart::Languages => fill("languages"),
        ProfilePart::Skills => fill("skills"),
        ProfilePart::Link => fill("links/profile/url"),
        ProfilePart::LinkChecked => match profile.stalest_link() {
            None => update("links/profile/url", checked("profile")),
            Some(key) => update(&format!("links/{key}/checked_on"), checked(key)),
        },
        ProfilePart::CurrentPosition => position(json!({})),
        ProfilePart::Background => position(json!({ "kind": "student" })),
        ProfilePart::Need => need("need"),
        ProfilePart::Offer => need("offer"),
        ProfilePart::Reference => {
            let body = json!({ "related_contact_id": own });
            create("create_relationship", "/v1/relationships".to_owned(), &["contact_id", "type"], body)
        }
        ProfilePart::Pitch => pitch(),
        ProfilePart::PitchUsed => match profile.activity.pitch {
            None => pitch(),
            Some(id) => create(
                "create_pitch_pitch_use",
                format!("/v1/pitches/{id}/uses"),
                &["landed"],
                json!({ "on": on }),
            ),
        },
        ProfilePart::Published => create(
            "create_post",
            "/v1/posts".to_owned(),
            &["title", "published_at"],
            json!({ "status": "published" }),
        ),
        ProfilePart::FeedbackHandled => {
            let id = profile.activity.open_feedback?;
            act("update_feedback", "PATCH", format!("/v1/feedback/{id}"), &["status"], json!({}))
        }
    })
}
