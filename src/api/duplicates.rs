//! Duplicates: which contacts and which organizations may be the same. Saying that they are not is in
//! `duplicate_dismissals.rs`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::Api;
use super::http::caller::Caller;
use super::http::etag::{ListTag, list_tag, with_tag};
use super::http::listing::{DEFAULT_LIMIT, MAX_LIMIT, led_on, named, parse_id};
use super::http::page::PageOut;
use super::http::problem::Problem;
use super::http::query::Query;
use crate::domain::contact::Contact;
use crate::domain::duplicates::Reason;
use crate::domain::id::{ContactId, DuplicateDismissalId, OrganizationId};
use crate::domain::organization::Organization;
use crate::store::duplicates::{Asked, Duplicate, Duplicated, duplicates};

pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_contact_duplicates).service(list_organization_duplicates);
}

/// Stands for the summary that the document makes of a record.
macro_rules! summary_schema {
    ($($name:ident),*) => {$(
        struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new().schema_type(Type::Object).into()
            }
        }

        impl ToSchema for $name {}
    )*};
}
summary_schema!(ContactSummary, OrganizationSummary);

/// Two contacts that may be the same person.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct ContactDuplicate {
    /// The two, the one that was made later first.
    #[schema(min_items = 2, max_items = 2)]
    contacts: Vec<ContactSummary>,
    /// How likely they are the same, in percent: the reasons for it combined, less what speaks against it.
    #[schema(minimum = 0, maximum = 100, example = 95)]
    score: u8,
    /// What speaks for it and against it.
    reasons: Vec<Reason>,
    /// The record that says that they are not the same; delete it to have the pair offered again. Null: nobody said so.
    dismissal_id: Option<DuplicateDismissalId>,
}

/// A page of pairs.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct ContactDuplicatePage {
    /// The pairs; may be fewer than `limit`, and none, before the last page.
    items: Vec<ContactDuplicate>,
    /// Where the next page begins, to send as `cursor`; null on the last page only.
    next_cursor: Option<String>,
}

/// Two organizations that may be the same.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct OrganizationDuplicate {
    /// The two, the one that was made later first.
    #[schema(min_items = 2, max_items = 2)]
    organizations: Vec<OrganizationSummary>,
    /// How likely they are the same, in percent: the reasons for it combined, less what speaks against it.
    #[schema(minimum = 0, maximum = 100, example = 95)]
    score: u8,
    /// What speaks for it and against it.
    reasons: Vec<Reason>,
    /// The record that says that they are not the same; delete it to have the pair offered again. Null: nobody said so.
    dismissal_id: Option<DuplicateDismissalId>,
}

/// A page of pairs.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct OrganizationDuplicatePage {
    /// The pairs; may be fewer than `limit`, and none, before the last page.
    items: Vec<OrganizationDuplicate>,
    /// Where the next page begins, to send as `cursor`; null on the last page only.
    next_cursor: Option<String>,
}

/// Find contacts that may be the same person
///
/// Pairs with a score and its reasons: for each pair once, the pairs of the newest contact first. All contacts take part,
/// archived ones, people to meet and your own too.
///
/// What speaks for a pair, with its points p: the same e-mail address (90), profile link (90) or phone number (80); the
/// same name at the same organization (75); the same name (50, or 30 where it is one word); a near name (30 to 45; 50 to
/// 65 at the same organization): a slip of one letter, or two in a long name, a middle name or a second family name
/// left out, an initial, a short form. What speaks against it: given names that are not alike (-70), family names that
/// are not alike and no former ones (-40), different birthdays (-60). The score is
/// `100 × (1 − Π(1 − p/100)) × Π(1 − a/100)` over what speaks for it, p, and what speaks against it, a, rounded. Names
/// are compared without case, accents, titles and suffixes, in either order; Chinese, Japanese and Korean names are the
/// same or not, and never near.
///
/// Left out are addresses, numbers and links that more than 20 contacts share, names that more than 50 share, and near
/// names where more than 50 contacts have the one part of the name and the initial of the other, or where both parts
/// differ or begin differently. A page looks at some 2,000 contacts, or 20,000 pairs, at most, so it may hold fewer
/// pairs than `limit`, or none, and still not be the last. A pair is left out for good with `POST /v1/duplicate-dismissals`.
#[utoipa::path(tag = "duplicates", security(("bearer" = ["contacts:read"])),
    params(
        ("cursor" = Option<String>, Query, description = "Where to go on: `next_cursor` of the page before. Bound to the workspace and the filter.", max_length = 2048),
        ("limit" = Option<i64>, Query, description = "How many pairs a page holds at most. Default: 50.", minimum = 1, maximum = 200),
        ("min_score" = Option<i64>, Query, description = "Only pairs with at least this score. Default: 0.", minimum = 0, maximum = 100),
        ("dismissed" = Option<bool>, Query, description = "The pairs that were said not to be the same, in place of the others. Default: false."),
        ("contact_id" = Option<ContactId>, Query, description = "Only the pairs of this contact.")),
    responses((status = 200, description = "A page.", body = ContactDuplicatePage)))]
#[get("/v1/contacts/duplicates")]
async fn list_contact_duplicates(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, Problem> {
    list_duplicates::<Contact>(&api, &caller, &request, &query, "contact_id", "contacts").await
}

/// Find organizations that may be the same
///
/// Pairs with a score and its reasons: for each pair once, the pairs of the newest organization first.
///
/// What speaks for a pair, with its points p: the same domain (90) or link (90); the same name or alias (70); the same
/// name but for the legal form (60: GmbH, Inc., Sp. z o.o., 株式会社); a near name (30 to 45): a slip of one letter, or two
/// in a long name. What speaks against it: that one belongs to the other (-80). The score is
/// `100 × (1 − Π(1 − p/100)) × Π(1 − a/100)` over what speaks for it, p, and what speaks against it, a, rounded. Names
/// are compared without case and accents; Chinese, Japanese and Korean names are the same or not, and never near.
///
/// Left out are domains and links that more than 20 organizations share, names that more than 50 share, and near names
/// where more than 50 organizations have the same five letters at the beginning and at the end. A page looks at some
/// 2,000 organizations, or 20,000 pairs, at most, so it may hold fewer pairs than `limit`, or none, and still not be the
/// last. A pair is left out for good with `POST /v1/duplicate-dismissals`.
#[utoipa::path(tag = "duplicates", security(("bearer" = ["contacts:read"])),
    params(
        ("cursor" = Option<String>, Query, description = "Where to go on: `next_cursor` of the page before. Bound to the workspace and the filter.", max_length = 2048),
        ("limit" = Option<i64>, Query, description = "How many pairs a page holds at most. Default: 50.", minimum = 1, maximum = 200),
        ("min_score" = Option<i64>, Query, description = "Only pairs with at least this score. Default: 0.", minimum = 0, maximum = 100),
        ("dismissed" = Option<bool>, Query, description = "The pairs that were said not to be the same, in place of the others. Default: false."),
        ("organization_id" = Option<OrganizationId>, Query, description = "Only the pairs of this organization.")),
    responses((status = 200, description = "A page.", body = OrganizationDuplicatePage)))]
#[get("/v1/organizations/duplicates")]
async fn list_organization_duplicates(
    api: Data<Api>,
    caller: Caller,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, Problem> {
    list_duplicates::<Organization>(&api, &caller, &request, &query, "organization_id", "organizations").await
}

/// `of` is the parameter that asks for those of one record, `name` what a pair is called.
async fn list_duplicates<R: Duplicated>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    query: &Query,
    of: &str,
    name: &str,
) -> Result<HttpResponse, Problem> {
    let (workspace, path) = (caller.workspace, request.path());
    let binding = format!("{workspace}{path}?{}", query.canonical_without(&["cursor", "limit"]));
    let found_by = led_on(api, workspace, query, named(query, &[of], R::ENTITY)).await?;
    let asked = Asked {
        of: found_by.parsed(of, parse_id)?,
        min_score: u8::try_from(query.number("min_score", 0..=100, 0)?).unwrap_or(0),
        dismissed: query.flag("dismissed")?,
        after: query.one("cursor")?.map(|cursor| api.cursors.open(&binding, &cursor)).transpose()?,
        limit: usize::try_from(query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?).unwrap_or(0),
    };
    let tag = match list_tag(api, caller, request).await? {
        ListTag::Changed(tag) => tag,
        ListTag::Current(response) => return Ok(response),
    };
    let page = api.store.read(move |conn| duplicates::<R>(conn, workspace, &asked)).await?;
    let next = page.next.map(|next| api.cursors.seal(&binding, &next)).transpose()?;
    let items: Vec<Value> = page.items.into_iter().map(|pair| duplicate_json(pair, name)).collect();
    Ok(with_tag(PageOut::of(&items, next.as_deref()).respond(path, query), &tag))
}

fn duplicate_json(pair: Duplicate, name: &str) -> Value {
    let Duplicate { records, score, reasons, dismissal } = pair;
    json!({ name: records, "score": score, "reasons": reasons, "dismissal_id": dismissal })
}
