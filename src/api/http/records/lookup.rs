//! Looking records up by exactly one address, number, domain or link, whatever the list leaves out by default.

use super::collection::Collection;
use super::list::list_within;
use super::resource::Resource;
use crate::api::context::Context;
use crate::api::http::messages::problem::{Code, Problem};
use crate::api::http::messages::query::Query;
use crate::api::http::messages::response::Response;
use crate::domain::key::{Key, KeyKind};
use crate::domain::link::ProfileUrl;
use crate::store::Conn;
use crate::store::lists::has_key;
use serde_json::json;

impl Collection {
    /// The same collection without its filters: a look-up has its own.
    pub const fn without_filters(self) -> Self {
        Self { filters: &[], searchable: false, ..self }
    }
}

/// A page of the records that have one of the keys of a parameter. Exactly one of the parameters has to be given.
pub fn look_up<R: Resource>(
    context: &Context,
    conn: &mut Conn,
    keys: &[(&str, Option<Vec<Key>>)],
) -> Result<Response, Problem> {
    let mut given = keys.iter().filter_map(|(_, keys)| keys.clone());
    let (Some(own), None) = (given.next(), given.next()) else {
        let names: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
        let detail = format!("Send exactly one of these parameters: {}.", names.join(", "));
        let problem = Problem::new(Code::InvalidParameter).detail(detail);
        let problem = problem.of_parameter(names.first().copied().unwrap_or_default());
        return Err(problem.with_params([("any_of", json!(names))]));
    };
    let collection = R::COLLECTION.without_filters();
    list_within::<R>(context, conn, &collection, Some(has_key::<R>(own)))
}

/// The key of the profile or page at the URL in this parameter. A page that names nobody finds nobody.
pub fn link(query: &Query, name: &str) -> Result<Option<Vec<Key>>, Problem> {
    let key = |url: ProfileUrl| vec![Key::new(KeyKind::Link, url.key().unwrap_or(url.page()))];
    query.parsed(name, |text| ProfileUrl::parse(text).map(key))
}
