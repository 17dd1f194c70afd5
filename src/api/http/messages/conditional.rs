//! Reads with `If-None-Match`: the tags of views, and the 304.

use actix_web::http::header;
use chrono::NaiveDate;

use super::etag::is_current;
use super::problem::Problem;
use super::response::Response;
use crate::api::context::Context;
use crate::store::{Conn, accounts};

/// The 304 if the client has what is under this tag already.
pub fn check_if_none_match(context: &Context, tag: &str) -> Option<Response> {
    let is_current = is_current(context.call.if_none_match.as_deref(), tag);
    is_current.then(|| Response::empty(304).header(header::ETAG, tag))
}

/// The tag of everything in the workspace. Read before the view itself, so that it is never newer than that.
pub fn workspace_tag(context: &Context, conn: &mut Conn) -> Result<String, Problem> {
    let workspace = context.workspace();
    let (seq, _) = accounts::workspace_numbers(conn, workspace)?;
    Ok(context.api.etags.of_list(workspace, seq))
}

/// The number of the last change in the workspace and the day it is there, for what depends on the day.
pub fn seq_and_today(context: &Context, conn: &mut Conn) -> Result<(i64, NaiveDate), Problem> {
    let (seq, time_zone) = accounts::seq_and_time_zone(conn, context.workspace())?;
    Ok((seq, time_zone.day(context.api.store.now())))
}
