//! Who fits the personas of a goal and is no target of it yet. Their words are looked for in the search index, which costs what
//! a search for each of them costs; of those found, the newest are looked at closer, in a constant number of statements.

use chrono::NaiveDate;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::BigInt;
use diesel::{QueryResult, RunQueryDsl};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::accounts;
use super::db::index::search::Match;
use super::db::sql::conn::{Conn, MultiBackend, read_transaction};
use super::db::sql::select::{Direction, ID, Predicate, Scalar, Select};
use super::db::sql::statement::statement;
use super::db::sql::types::{AnyId, Id};
use super::db::write::record::Record;
use super::error::Result;
use super::lists::is_current;
use super::{contacts, needs, positions, targets};
use crate::domain::contact::{Contact, ContactFields};
use crate::domain::entity::Entity;
use crate::domain::goal::Goal;
use crate::domain::id::WorkspaceId;
use crate::domain::need::{Need, NeedStatus};
use crate::domain::organization::Organization;
use crate::domain::persona::{Known, PersonaFit, Profile};
use crate::domain::position::Position;

/// How many that have the words of a criterion are looked at, the newest.
pub const FOUND_BY_A_CRITERION: i64 = 200;
/// How many contacts are compared with the personas, the newest.
pub const COMPARED: usize = 1_000;

/// SQLite takes 500 selects in a union.
const CRITERIA_AT_ONCE: usize = 100;

/// A place in the order: the best fit first, then the newest contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place(Reverse<u8>, Reverse<AnyId>);

/// A contact, and how well it fits.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub contact: Contact,
    pub fit: PersonaFit,
}

#[derive(Debug, Clone)]
pub struct CandidatePage {
    pub items: Vec<Candidate>,
    pub next: Option<Place>,
}

/// One page.
pub fn page(
    conn: &mut Conn,
    workspace: WorkspaceId,
    goal: &Goal,
    on: NaiveDate,
    after: Option<Place>,
    limit: usize,
) -> Result<CandidatePage> {
    read_transaction(conn, |conn| {
        let ids = found(conn, workspace, goal, on)?;
        let people = people(conn, workspace, goal, ids)?;
        let mut profiles = profiles(conn, workspace, &people, on)?;
        let mut fitting: Vec<(Place, Candidate)> = people
            .into_iter()
            .filter_map(|contact| {
                let id = Record::id(&contact);
                let fit = profiles.remove(&id)?.fit(&goal.fields.personas)?;
                Some((Place(Reverse(fit.score), Reverse(id)), Candidate { contact, fit }))
            })
            .filter(|(place, _)| after.is_none_or(|after| *place > after))
            .collect();
        fitting.sort_by_key(|(place, _)| *place);
        let has_more = fitting.len() > limit;
        fitting.truncate(limit);
        let next = fitting.last().filter(|_| has_more).map(|(place, _)| *place);
        Ok(CandidatePage { items: fitting.into_iter().map(|(_, candidate)| candidate).collect(), next })
    })
}

/// The contacts that the words of the criteria lead to, the newest.
fn found(conn: &mut Conn, workspace: WorkspaceId, goal: &Goal, on: NaiveDate) -> Result<Vec<AnyId>> {
    let (_, number) = accounts::workspace_numbers(conn, workspace)?;
    let (mut in_contacts, mut in_organizations, mut in_needs) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (_, persona) in goal.fields.personas.iter() {
        for (name, labels) in persona.lists() {
            let texts = labels.iter().map(|label| label.0.clone());
            match name {
                "industries" => in_organizations.extend(texts),
                "topics" => {
                    in_needs.extend(texts.clone());
                    in_contacts.extend(texts);
                }
                _ => in_contacts.extend(texts),
            }
        }
    }
    let mut having = |entity: Entity, texts: BTreeSet<String>| -> Result<Vec<AnyId>> {
        let words: Vec<Match> = texts.iter().filter_map(|text| Match::parse(number, text)).collect();
        let mut ids = Vec::new();
        for words in words.chunks(CRITERIA_AT_ONCE) {
            ids.extend((Having { workspace, entity, words }).load::<AnyId>(conn)?);
        }
        Ok(ids)
    };
    let mut people: BTreeSet<AnyId> = having(Entity::Contact, in_contacts)?.into_iter().collect();
    let organizations = having(Entity::Organization, in_organizations)?;
    let of_needs = having(Entity::Need, in_needs)?;
    if !organizations.is_empty() {
        let there = Predicate::In(positions::ORGANIZATION, organizations.into_iter().map(Scalar::Id).collect());
        let now = is_current(positions::STARTED_ON, positions::ENDED_ON, on);
        let positions = newest::<Position>(conn, workspace, Predicate::All(vec![there, now]))?;
        people.extend(positions.iter().map(|position| AnyId::new(position.fields.contact_id.uuid())));
    }
    if !of_needs.is_empty() {
        let needs = newest::<Need>(conn, workspace, Predicate::ids(of_needs))?;
        people.extend(needs.iter().map(|need| AnyId::new(need.fields.contact_id.uuid())));
    }
    Ok(people.into_iter().rev().take(COMPARED).collect())
}

/// As many of those that fit as are looked at, the newest.
fn newest<R: Record>(conn: &mut Conn, workspace: WorkspaceId, filter: Predicate) -> Result<Vec<R>> {
    let limit = i64::try_from(COMPARED).unwrap_or(i64::MAX);
    let (order, direction) = (vec![ID], Direction::Descending);
    Ok(R::select(conn, Select { workspace, filter, order, direction, limit })?)
}

/// Those of these who may be contacted and are no targets of the goal yet.
fn people(conn: &mut Conn, workspace: WorkspaceId, goal: &Goal, ids: Vec<AnyId>) -> Result<Vec<Contact>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let filter = Predicate::All(vec![
        Predicate::ids(ids),
        Predicate::equal(contacts::IS_SELF, Scalar::Bool(false)),
        Predicate::IsNull(contacts::ARCHIVED_AT),
        targets::contacts_of(Record::id(goal)).negated(),
    ]);
    let mut people = newest::<Contact>(conn, workspace, filter)?;
    people.retain(|contact| !contact.fields.do_not_contact);
    Ok(people)
}

/// What is known of each of these contacts on a day.
fn profiles(
    conn: &mut Conn,
    workspace: WorkspaceId,
    people: &[Contact],
    on: NaiveDate,
) -> Result<HashMap<AnyId, Profile>> {
    let ids = || people.iter().map(|contact| Scalar::Id(Record::id(contact))).collect::<Vec<_>>();
    let mut profiles: HashMap<AnyId, Profile> = HashMap::new();
    for contact in people {
        let ContactFields { headline, about, location, skills, tags, addresses, .. } = &contact.fields;
        let own = profiles.entry(Record::id(contact)).or_default();
        let texts = |texts: &[&Option<String>]| -> Vec<Known> {
            texts.iter().filter_map(|text| text.as_deref()).map(Known::new).collect()
        };
        own.titles = texts(&[headline]);
        own.locations = texts(&[location]);
        for address in addresses.values() {
            own.locations.extend(texts(&[&address.city, &address.region, &address.country, &address.formatted]));
        }
        own.topics = skills.iter().chain(tags).map(|label| Known::new(&label.0)).collect();
        own.topics.extend(texts(&[headline, about]));
    }
    if people.is_empty() {
        return Ok(profiles);
    }
    let theirs = Predicate::In(positions::CONTACT, ids());
    let current = is_current(positions::STARTED_ON, positions::ENDED_ON, on);
    let held = Position::select(conn, Select::all(workspace, Predicate::All(vec![theirs, current])))?;
    let at: BTreeSet<AnyId> = held
        .iter()
        .filter_map(|position| position.fields.organization_id)
        .map(|id| AnyId::new(id.uuid()))
        .collect();
    let organizations: HashMap<AnyId, Organization> =
        Organization::select(conn, Select::all(workspace, Predicate::ids(at)))?
            .into_iter()
            .map(|organization| (Record::id(&organization), organization))
            .collect();
    for position in held {
        let Some(own) = profiles.get_mut(&AnyId::new(position.fields.contact_id.uuid())) else { continue };
        own.titles.extend(position.fields.title.as_deref().map(Known::new));
        let organization =
            position.fields.organization_id.and_then(|id| organizations.get(&AnyId::new(id.uuid())));
        if let Some(organization) = organization {
            own.industries.extend(organization.fields.industry.as_deref().map(Known::new));
            own.locations.extend(organization.fields.location.as_deref().map(Known::new));
        }
    }
    let open = Predicate::equal(needs::STATUS, Scalar::Text(NeedStatus::Open.as_str().to_owned()));
    let theirs = Predicate::In(needs::CONTACT, ids());
    for need in Need::select(conn, Select::all(workspace, Predicate::All(vec![theirs, open])))? {
        if let Some(own) = profiles.get_mut(&AnyId::new(need.fields.contact_id.uuid())) {
            own.topics.push(Known::new(&need.fields.topic));
        }
    }
    Ok(profiles)
}

/// The newest records of a kind whose documents have the words of one of these.
struct Having<'a> {
    workspace: WorkspaceId,
    entity: Entity,
    words: &'a [Match],
}

statement!(Having<'_>, Id);

impl QueryFragment<MultiBackend> for Having<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        // There are as many texts of this as there are numbers of criteria.
        out.unsafe_to_cache_prepared();
        for (index, words) in self.words.iter().enumerate() {
            out.push_sql(if index > 0 { " UNION ALL " } else { "" });
            out.push_sql("SELECT record_id FROM (SELECT record_id FROM search_documents WHERE (workspace_id = ");
            out.push_bind_param::<Id, _>(&self.workspace)?;
            // As in `search.rs`: not by the index on it.
            out.push_sql(") IS TRUE AND entity = '");
            out.push_sql(self.entity.as_str());
            out.push_sql("' AND ");
            MultiBackend::walk_variant_ast(words, out.reborrow())?;
            out.push_sql(" ORDER BY record_id DESC LIMIT ");
            out.push_bind_param::<BigInt, _>(&FOUND_BY_A_CRITERION)?;
            out.push_sql(") AS own");
        }
        Ok(())
    }
}
