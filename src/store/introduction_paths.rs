//! Who can introduce the networker to somebody: the ties around both ends, read as far as paths may go.
//!
//! The ties of the networker and of the target are read, and, only where these meet too seldom, those of whoever stands next to
//! the one of the two who has fewer. So a path of three ties costs what is around the lesser of the two.

use chrono::NaiveDate;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::BigInt;
use diesel::{QueryResult, RunQueryDsl};
use std::collections::{BTreeSet, HashMap};

use super::contacts::{self, Standing};
use super::db::sql::conn::{Conn, MultiBackend, read_transaction};
use super::db::sql::select::{Predicate, Scalar, Select};
use super::db::sql::statement::{separated, statement};
use super::db::sql::types::{AnyId, Id};
use super::db::write::record::Record;
use super::error::{Error, Result};
use super::{organizations, positions, relationships, today};
use crate::domain::contact::Contact;
use crate::domain::id::{ContactId, OrganizationId, WorkspaceId};
use crate::domain::introduction_path::{Hop, LARGE_ORGANIZATION, MAX_HOPS, MAX_PATHS, Search, Tie, Ties, overlap};
use crate::domain::organization::Organization;
use crate::domain::position::Position;
use crate::domain::relationship::Relationship;

/// How many people's ties are read in one statement.
const READ_AT_ONCE: usize = 200;

/// So many people at an organization are looked for, and around so many ties are read for paths of three.
const MAX_AROUND: usize = 2_000;

/// Whom the networker wants to meet: somebody, or anybody who is at an organization.
pub enum Goal {
    Contact(ContactId),
    Organization(OrganizationId),
}

/// The paths, and what stands in them.
pub struct Found {
    pub paths: Vec<Vec<Hop>>,
    pub people: HashMap<ContactId, Contact>,
    pub organizations: HashMap<OrganizationId, String>,
}

/// The contact or the organization with an id.
pub fn goal(conn: &mut Conn, workspace: WorkspaceId, id: AnyId) -> Result<Option<Goal>> {
    let is_it = || Select { limit: 1, ..Select::all(workspace, Predicate::id(id)) };
    if !Contact::ids(conn, is_it())?.is_empty() {
        return Ok(Some(Goal::Contact(ContactId::new(id.uuid()))));
    }
    let is_organization = !Organization::ids(conn, is_it())?.is_empty();
    Ok(is_organization.then(|| Goal::Organization(OrganizationId::new(id.uuid()))))
}

/// The shortest paths from the networker, the ones that begin with whom they were in touch with last in front.
pub fn find(conn: &mut Conn, workspace: WorkspaceId, goal: &Goal, on: NaiveDate) -> Result<Found> {
    read_transaction(conn, |conn| {
        let own = contacts::self_contact(conn, workspace)?.ok_or(Error::NotFound)?.id;
        let mut around = Around { workspace, on, ties: Ties::default(), standing: HashMap::new() };
        let mut targets = match goal {
            Goal::Contact(id) => BTreeSet::from([*id]),
            Goal::Organization(id) => at_organization(conn, workspace, *id, on)?,
        };
        targets.remove(&own);
        around.look_up(conn, targets.iter().copied())?;
        targets.retain(|id| around.may_be_met(*id));
        if targets.is_empty() {
            return Ok(Found { paths: Vec::new(), people: HashMap::new(), organizations: HashMap::new() });
        }
        around.read(conn, &[own])?;
        around.read(conn, &targets.iter().copied().collect::<Vec<_>>())?;
        let mut paths: Vec<Vec<Hop>> = Vec::new();
        for hops in 1..=MAX_HOPS {
            if hops == MAX_HOPS {
                let near: BTreeSet<ContactId> = around.ties.of(own).collect();
                let far: BTreeSet<ContactId> = targets.iter().flat_map(|target| around.ties.of(*target)).collect();
                let lesser = if near.len() <= far.len() { near } else { far };
                let lesser: Vec<ContactId> =
                    lesser.into_iter().filter(|id| around.may_introduce(*id)).take(MAX_AROUND).collect();
                around.read(conn, &lesser)?;
            }
            let passable = around.passable();
            let rank = |id| around.last_interaction(id);
            let search = Search { from: own, targets: &targets, passable: &passable, rank: &rank };
            paths.extend(around.ties.paths(&search, hops, MAX_PATHS - paths.len()));
            if paths.len() >= MAX_PATHS {
                break;
            }
        }
        let ids: BTreeSet<AnyId> = paths.iter().flatten().map(|hop| AnyId::new(hop.to.uuid())).collect();
        let people =
            today::people(conn, workspace, ids)?.into_values().map(|contact| (contact.id, contact)).collect();
        let shared = paths.iter().flatten().filter_map(|hop| match hop.tie {
            Tie::SharedOrganization(id) => Some(AnyId::new(id.uuid())),
            Tie::Relationship(_) => None,
        });
        let shared: BTreeSet<AnyId> = shared.collect();
        let organizations = organizations::names(conn, workspace, shared)?;
        let organizations =
            organizations.into_iter().map(|(id, name)| (OrganizationId::new(id.uuid()), name)).collect();
        Ok(Found { paths, people, organizations })
    })
}

/// Those who are at an organization.
fn at_organization(
    conn: &mut Conn,
    workspace: WorkspaceId,
    id: OrganizationId,
    on: NaiveDate,
) -> Result<BTreeSet<ContactId>> {
    let there = Predicate::equal(positions::ORGANIZATION, Scalar::Id(AnyId::new(id.uuid())));
    let held = Position::select(conn, Select::all(workspace, there))?;
    let current = held.into_iter().filter(|position| position.period().is_current(on));
    Ok(current.map(|position| position.fields.contact_id).take(MAX_AROUND).collect())
}

/// What is read of the network.
struct Around {
    workspace: WorkspaceId,
    on: NaiveDate,
    ties: Ties,
    standing: HashMap<ContactId, Standing>,
}

impl Around {
    fn may_be_met(&self, id: ContactId) -> bool {
        self.standing.get(&id).is_some_and(|own| own.may_be_contacted)
    }

    fn may_introduce(&self, id: ContactId) -> bool {
        self.standing.get(&id).is_some_and(|own| own.may_be_contacted && own.known)
    }

    fn passable(&self) -> BTreeSet<ContactId> {
        self.standing.keys().copied().filter(|id| self.may_introduce(*id)).collect()
    }

    fn last_interaction(&self, id: ContactId) -> Option<&str> {
        self.standing.get(&id).map(|own| own.last_interaction_key.as_str())
    }

    /// Whether these people can be met and can introduce.
    fn look_up(&mut self, conn: &mut Conn, people: impl Iterator<Item = ContactId>) -> Result<()> {
        let unknown: BTreeSet<ContactId> = people.filter(|id| !self.standing.contains_key(id)).collect();
        let unknown: Vec<AnyId> = unknown.into_iter().map(|id| AnyId::new(id.uuid())).collect();
        for some in unknown.chunks(READ_AT_ONCE) {
            self.standing.extend(contacts::standing(conn, self.workspace, some)?);
        }
        Ok(())
    }

    /// Reads the ties of these people, and who they are tied to.
    fn read(&mut self, conn: &mut Conn, people: &[ContactId]) -> Result<()> {
        let mut tied = BTreeSet::new();
        for some in people.chunks(READ_AT_ONCE) {
            let ids: Vec<Scalar> = some.iter().map(|id| Scalar::Id(AnyId::new(id.uuid()))).collect();
            for column in [relationships::CONTACT, relationships::RELATED_CONTACT] {
                let theirs = Predicate::In(column, ids.clone());
                for own in Relationship::select(conn, Select::all(self.workspace, theirs))? {
                    let (from, to) = (own.fields.contact_id, own.fields.related_contact_id);
                    self.ties.add(from, to, Tie::Relationship(Some(own.fields.kind)));
                    tied.extend([from, to]);
                }
            }
            let theirs = Predicate::In(positions::CONTACT, ids);
            let held = Position::select(conn, Select::all(self.workspace, theirs))?;
            tied.extend(self.read_colleagues(conn, &held)?);
        }
        self.look_up(conn, tied.into_iter())
    }

    /// Ties whoever held these positions to those who were at the same small organization at the same time.
    fn read_colleagues(&mut self, conn: &mut Conn, held: &[Position]) -> Result<BTreeSet<ContactId>> {
        let at = held.iter().filter_map(|position| position.fields.organization_id);
        let at: BTreeSet<AnyId> = at.map(|id| AnyId::new(id.uuid())).collect();
        let mut tied = BTreeSet::new();
        for some in small(conn, self.workspace, at.into_iter().collect())?.chunks(READ_AT_ONCE) {
            let there = Predicate::In(positions::ORGANIZATION, some.iter().copied().map(Scalar::Id).collect());
            let mut by_organization: HashMap<OrganizationId, Vec<Position>> = HashMap::new();
            for position in Position::select(conn, Select::all(self.workspace, there))? {
                if let Some(id) = position.fields.organization_id {
                    by_organization.entry(id).or_default().push(position);
                }
            }
            for own in held {
                let Some(id) = own.fields.organization_id else { continue };
                for other in by_organization.get(&id).into_iter().flatten() {
                    if overlap(own.period(), other.period(), self.on) {
                        self.ties.add(own.fields.contact_id, other.fields.contact_id, Tie::SharedOrganization(id));
                        tied.insert(other.fields.contact_id);
                    }
                }
            }
        }
        Ok(tied)
    }
}

/// Those of these organizations at which few people are known to be or have been.
fn small(conn: &mut Conn, workspace: WorkspaceId, organizations: Vec<AnyId>) -> Result<Vec<AnyId>> {
    let mut small = Vec::new();
    for some in organizations.chunks(READ_AT_ONCE) {
        let rows: Vec<(AnyId, i64)> = Sizes { workspace, organizations: some.to_vec() }.load(conn)?;
        small.extend(rows.into_iter().filter(|(_, size)| *size < LARGE_ORGANIZATION).map(|(id, _)| id));
    }
    Ok(small)
}

// The statement.

/// How many people have or had a position at each organization.
struct Sizes {
    workspace: WorkspaceId,
    organizations: Vec<AnyId>,
}

statement!(Sizes, (Id, BigInt));

impl QueryFragment<MultiBackend> for Sizes {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        // There are as many texts of this as there are numbers of organizations.
        out.unsafe_to_cache_prepared();
        out.push_sql("SELECT organization_id, COUNT(DISTINCT contact_id) FROM positions WHERE workspace_id = ");
        out.push_bind_param::<Id, _>(&self.workspace)?;
        out.push_sql(" AND organization_id IN (");
        separated(&self.organizations, ", ", &mut out, |id, out| out.push_bind_param::<Id, _>(id))?;
        out.push_sql(") GROUP BY organization_id");
        Ok(())
    }
}
