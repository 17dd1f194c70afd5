//! Looking up: whoever is known by exactly this address, number, domain or link, whatever the list leaves out by itself.

use actix_web::{HttpRequest, HttpResponse};

use super::caller::Caller;
use super::listing::Collection;
use super::problem::{Code, Problem};
use super::query::Query;
use super::records::list_where;
use super::resource::Resource;
use crate::api::Api;
use crate::domain::key::{Key, KeyKind};
use crate::domain::link::ProfileUrl;
use crate::store::lists::has_key;

impl Collection {
    /// The list of what is found by looking up in this one: in its orders, with its relations, by nothing else.
    pub const fn looked_up(self, lists: &'static [&'static str]) -> Self {
        Self { lists, get: "", filters: &[], searchable: false, ..self }
    }
}

/// A page of those who have the key; of these parameters exactly one is to be given.
pub async fn lookup<R: Resource>(
    api: &Api,
    caller: &Caller,
    request: &HttpRequest,
    query: &Query,
    collection: &Collection,
    keys: &[(&str, Option<Key>)],
) -> Result<HttpResponse, Problem> {
    let mut given = keys.iter().filter_map(|(_, key)| key.clone());
    let (Some(key), None) = (given.next(), given.next()) else {
        let names: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
        let detail = format!("Give exactly one of these parameters: {}.", names.join(", "));
        return Err(Problem::new(Code::InvalidParameter).detail(detail));
    };
    let within = has_key::<R>(vec![key]);
    list_where::<R>(api, caller, request, query, collection, Some(within)).await
}

/// The key of the profile or page whose address this parameter gives.
pub fn link(query: &Query, name: &str) -> Result<Option<Key>, Problem> {
    query.parsed(name, |text| ProfileUrl::parse(text).map(|url| Key::new(KeyKind::Link, url.key())))
}
