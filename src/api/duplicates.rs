//! Duplicates: which contacts and which organizations may be the same. Saying that they are not is in
//! `duplicate_dismissals.rs`.

use actix_web::http::Method;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use super::context::Context;
use super::http::messages::conditional::{check_if_none_match, workspace_tag};
use super::http::messages::page::Page;
use super::http::messages::problem::Problem;
use super::http::messages::response::Response;
use super::http::operation::{Access, Docs, Operation, Run, Tagged};
use super::http::parameter::Parameter;
use super::http::records::collection::{DEFAULT_LIMIT, MAX_LIMIT, named, parse_id, resolve_merged_ids};
use crate::domain::contact::Contact;
use crate::domain::duplicates::Reason;
use crate::domain::entity::Entity;
use crate::domain::id::DuplicateDismissalId;
use crate::domain::invalid::Rejection;
use crate::domain::organization::Organization;
use crate::store::Conn;
use crate::store::duplicates::{Asked, Duplicate, Duplicated, duplicates};

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
summary_schema!(ContactSummary, OrganizationSummary, PositionSummary);

/// Two contacts that may be the same person.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct ContactDuplicate {
    /// The two, the newer one first.
    #[schema(min_items = 2, max_items = 2)]
    contacts: Vec<ContactSummary>,
    /// The position of each that is shown first: the primary one, or else one that has not ended. Null: none.
    #[schema(min_items = 2, max_items = 2)]
    positions: Vec<Option<PositionSummary>>,
    /// How likely they are the same, in percent: the reasons for it combined, reduced by the reasons against it.
    #[schema(minimum = 0, maximum = 100, example = 95)]
    score: u8,
    /// The reasons for and against.
    reasons: Vec<Reason>,
    /// The dismissal of the pair; delete it to have the pair listed again. Null: not dismissed.
    dismissal_id: Option<DuplicateDismissalId>,
}

/// A page of pairs.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct ContactDuplicatePage {
    /// The pairs. A page before the last one may have fewer than `limit`, or none.
    items: Vec<ContactDuplicate>,
    /// The `cursor` of the next page. Null only on the last page.
    #[schema(max_length = 2048)]
    next_cursor: Option<String>,
}

/// Two organizations that may be the same.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct OrganizationDuplicate {
    /// The two, the newer one first.
    #[schema(min_items = 2, max_items = 2)]
    organizations: Vec<OrganizationSummary>,
    /// How likely they are the same, in percent: the reasons for it combined, reduced by the reasons against it.
    #[schema(minimum = 0, maximum = 100, example = 95)]
    score: u8,
    /// The reasons for and against.
    reasons: Vec<Reason>,
    /// The dismissal of the pair; delete it to have the pair listed again. Null: not dismissed.
    dismissal_id: Option<DuplicateDismissalId>,
}

/// A page of pairs.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documents what is written as JSON")]
struct OrganizationDuplicatePage {
    /// The pairs. A page before the last one may have fewer than `limit`, or none.
    items: Vec<OrganizationDuplicate>,
    /// The `cursor` of the next page. Null only on the last page.
    #[schema(max_length = 2048)]
    next_cursor: Option<String>,
}

const BY_SCORE: &str = "-score";
const BY_ID: &str = "-id";

const CONTACTS: &str = "Pairs with a score and its reasons: each pair once, the likeliest first, or with `sort=-id` \
                        those of the newest contact. All contacts take part, including archived ones, people to meet and your own.\n\n\
                        Reasons for a pair, with their points p: the same e-mail address (90), profile link (90) or \
                        phone number (80); the same name at the same organization (75); the same name (50, or 30 if \
                        it is one word); a similar name (30 to 45; 50 to 65 at the same organization): one letter \
                        differs, or two in a long name, a middle name or a second family name is missing, an initial, \
                        a short form. Reasons against it: different given names (-70), different family names and no \
                        former ones (-40), different suffixes such as Jr. and Sr. (-70), different birthdays (-60). The score is `100 × (1 − Π(1 − p/100)) × Π(1 − \
                        a/100)` over the reasons for it, p, and against it, a, rounded. Names are compared without \
                        case, accents and titles, in either order, umlauts like their two letters; Chinese, Japanese and Korean names are \
                        the same or not, never similar.\n\n\
                        Left out are addresses, numbers and links that more than 20 contacts share, names that more \
                        than 50 share, and similar names where more than 50 contacts have the one part of the name \
                        and the initial of the other, or where both parts differ or begin differently. A page \
                        examines at most some 2,000 contacts, or 20,000 pairs, and orders those by score, so it may \
                        hold fewer pairs than `limit`, or none, and still not be the last. `POST /v1/duplicate-dismissals` leaves out a \
                        pair for good.";

const ORGANIZATIONS: &str = "Pairs with a score and its reasons: each pair once, the likeliest first, or with `sort=-id` \
                             those of the newest organization.\n\n\
                             Reasons for a pair, with their points p: the same domain (90) or link (90); the same \
                             name or alias (70); the same name except for the legal form (60: GmbH, Inc., Sp. z o.o., \
                             株式会社); a similar name (30 to 45): one letter differs, or two in a long name. Reason \
                             against it: one is the parent of the other (-80). The score is `100 × (1 − Π(1 − p/100)) \
                             × Π(1 − a/100)` over the reasons for it, p, and against it, a, rounded. Names are \
                             compared without case and accents; Chinese, Japanese and Korean names are the same or \
                             not, never similar.\n\n\
                             Left out are domains and links that more than 20 organizations share, names that more \
                             than 50 share, and similar names where more than 50 organizations have the same five \
                             letters at the beginning and at the end. A page examines at most some 2,000 \
                             organizations, or 20,000 pairs, and orders those by score, so it may hold fewer pairs than `limit`, or none, and \
                             still not be the last. `POST /v1/duplicate-dismissals` leaves out a pair for good.";

pub fn operations() -> Vec<Operation> {
    let contacts = || {
        let own = Parameter::id("contact_id", "Only the pairs of this contact.", Entity::Contact);
        docs("List duplicate contacts", CONTACTS, own).answer::<ContactDuplicatePage>(200, "A page.")
    };
    let organizations = || {
        let own = Parameter::id("organization_id", "Only the pairs of this organization.", Entity::Organization);
        docs("List duplicate organizations", ORGANIZATIONS, own)
            .answer::<OrganizationDuplicatePage>(200, "A page.")
    };
    let access = || Access::scope("contacts:read");
    vec![
        Operation::new(
            Method::GET,
            "/v1/contacts/duplicates",
            "list_contact_duplicates",
            access(),
            Run::Read(|context, conn| list_duplicates::<Contact>(context, conn, "contact_id", "contacts")),
            contacts,
        ),
        Operation::new(
            Method::GET,
            "/v1/organizations/duplicates",
            "list_organization_duplicates",
            access(),
            Run::Read(|context, conn| {
                list_duplicates::<Organization>(context, conn, "organization_id", "organizations")
            }),
            organizations,
        ),
    ]
}

fn docs(summary: &'static str, description: &'static str, own: Parameter) -> Docs {
    let sort = json!({ "type": "string", "enum": [BY_SCORE, BY_ID] });
    let score = json!({ "type": "integer", "minimum": 0, "maximum": 100, "default": 0 });
    Docs::new("duplicates", summary)
        .description(description)
        .parameters([
            Parameter::cursor(),
            Parameter::limit("The maximum number of pairs on a page.", DEFAULT_LIMIT, MAX_LIMIT),
            Parameter::new("min_score", "Only pairs with at least this score.", score),
            Parameter::new(
                "sort",
                "Whether the likeliest or the newest pairs come first. Default: `-score`.",
                sort,
            ),
            Parameter::flag("dismissed", "Whether to return the dismissed pairs instead of the others."),
            own,
        ])
        .tagged(Tagged::View)
}

/// `of` is the parameter that asks for the pairs of one record, `name` that of the two records in a pair.
fn list_duplicates<R: Duplicated>(
    context: &Context,
    conn: &mut Conn,
    of: &str,
    name: &str,
) -> Result<Response, Problem> {
    let (workspace, query, cursors) = (context.workspace(), context.query(), &context.api.cursors);
    let binding = format!("{workspace}{}?{}", context.call.path, query.canonical_without(&["cursor", "limit"]));
    query.parsed(of, parse_id)?;
    let resolved = resolve_merged_ids(context, conn, &named(query, &[of], R::ENTITY))?;
    let asked = Asked {
        of: resolved.parsed(of, parse_id)?,
        min_score: u8::try_from(query.number("min_score", 0..=100, 0)?).unwrap_or(0),
        dismissed: query.flag("dismissed")?,
        is_by_score: query.parsed("sort", parse_sort)?.unwrap_or(true),
        after: query.one("cursor")?.map(|cursor| cursors.open(&binding, &cursor)).transpose()?,
        limit: usize::try_from(query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?).unwrap_or(0),
    };
    let tag = workspace_tag(context, conn)?;
    if let Some(response) = check_if_none_match(context, &tag) {
        return Ok(response);
    }
    let page = duplicates::<R>(conn, workspace, &asked)?;
    let next = page.next.map(|next| cursors.seal(&binding, &next)).transpose()?;
    let items: Vec<Value> = page.items.into_iter().map(|pair| duplicate_json(pair, name)).collect();
    Page::new(&items, next.as_deref()).respond(context, &tag)
}

/// Whether the pairs are ordered by score.
fn parse_sort(text: &str) -> Result<bool, Rejection> {
    match text {
        BY_SCORE => Ok(true),
        BY_ID => Ok(false),
        _ => Err(Rejection::not_one_of(&[BY_SCORE, BY_ID])),
    }
}

fn duplicate_json(pair: Duplicate, name: &str) -> Value {
    let Duplicate { records, positions, score, reasons, dismissal } = pair;
    let mut json = json!({ name: records, "score": score, "reasons": reasons, "dismissal_id": dismissal });
    if let (Some(positions), Some(members)) = (positions, json.as_object_mut()) {
        members.insert("positions".to_owned(), json!(positions));
    }
    json
}
