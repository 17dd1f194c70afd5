//! Lists of records: whole, under another record, and as cards.

use chrono::NaiveDate;
use serde::Serialize;

use super::collection::{Collection, next_cursor, refers_to, resolve_merged_ids};
use super::resource::{Cards, Resource};
use crate::api::context::Context;
use crate::api::http::messages::conditional::{check_if_none_match, seq_and_today};
use crate::api::http::messages::page::Page;
use crate::api::http::messages::problem::Problem;
use crate::api::http::messages::response::Response;
use crate::store::{Conn, Predicate, lists};

pub fn list<R: Resource>(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    list_within::<R>(context, conn, &R::COLLECTION, None)
}

/// A list of what also matches a predicate of the path.
pub fn list_within<R: Resource>(
    context: &Context,
    conn: &mut Conn,
    collection: &Collection,
    within: Option<Predicate>,
) -> Result<Response, Problem> {
    let relations = collection.included(context.query())?;
    relations.iter().try_for_each(|relation| context.caller.require(relation.link.entity(), "read"))?;
    match Asked::new(context, conn, collection, within, DependsOn::Filters)? {
        Asked::NotModified(response) => Ok(response),
        Asked::Listing { listing, tag, .. } if relations.is_empty() => {
            let page = lists::list::<R>(conn, context.workspace(), listing)?;
            respond(context, &page, &tag)
        }
        Asked::Listing { listing, tag, .. } => {
            let page = lists::list_with::<R>(conn, context.workspace(), listing, &relations)?;
            respond(context, &page, &tag)
        }
    }
}

/// A list of what refers to the record in the path, which has to exist.
pub fn list_under<Parent: Resource, R: Resource>(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let parent = lists::find::<Parent>(conn, context.workspace(), context.id()?)?;
    list_within::<R>(context, conn, &R::COLLECTION, Some(refers_to(R::ENTITY, Parent::ENTITY, parent.id())))
}

/// The list as cards. Where somebody works depends on the day, and so does the tag.
pub fn cards<R: Cards>(context: &Context, conn: &mut Conn) -> Result<Response, Problem> {
    let workspace = context.workspace();
    let (listing, tag, today) = match Asked::new(context, conn, &R::COLLECTION, None, DependsOn::Day)? {
        Asked::NotModified(response) => return Ok(response),
        Asked::Listing { listing, tag, today } => (listing, tag, today),
    };
    let lists::Page { items, total, next } = lists::list::<R>(conn, workspace, listing)?;
    let items = R::cards(conn, workspace, &items, today)?;
    respond(context, &lists::Page { items, total, next }, &tag)
}

/// What the tag of a list depends on beside the workspace.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DependsOn {
    Filters,
    Day,
}

/// A list that was asked for.
enum Asked {
    /// The client has it already.
    NotModified(Response),
    Listing {
        listing: lists::Listing,
        tag: String,
        today: NaiveDate,
    },
}

impl Asked {
    fn new(
        context: &Context,
        conn: &mut Conn,
        collection: &Collection,
        within: Option<Predicate>,
        depends_on: DependsOn,
    ) -> Result<Self, Problem> {
        let (workspace, etags) = (context.workspace(), &context.api.etags);
        let (seq, today) = seq_and_today(context, conn)?;
        // Refuses too many ids before they are looked up.
        collection.filter(context.query(), today)?;
        let resolved = resolve_merged_ids(context, conn, &collection.names(context.query()))?;
        let listing = collection.listing(context, &resolved, today, within)?;
        let tag = match depends_on == DependsOn::Day || collection.depends_on_today(context.query()) {
            true => etags.of_day(workspace, seq, today),
            false => etags.of_list(workspace, seq),
        };
        Ok(match check_if_none_match(context, &tag) {
            Some(response) => Self::NotModified(response),
            None => Self::Listing { listing, tag, today },
        })
    }
}

fn respond<T: Serialize>(context: &Context, page: &lists::Page<T>, tag: &str) -> Result<Response, Problem> {
    let next = next_cursor(context, page.next.as_ref())?;
    let page = Page { total: page.total, ..Page::of_records(context, &page.items, next.as_deref()) };
    page.respond(context, tag)
}
