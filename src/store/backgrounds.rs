//! What some contacts have behind them, and you: positions with their organizations, open needs, and communities. All of it is read in a
//! fixed number of statements. What they have in common is told in `domain/in_common.rs`.

use std::collections::{BTreeSet, HashMap};

use super::contacts::self_contact;
use super::db::sql::conn::Conn;
use super::db::sql::select::{Predicate, Scalar, Select};
use super::db::sql::types::AnyId;
use super::db::write::record::Record;
use super::error::Result;
use super::{needs, positions};
use crate::domain::community::Community;
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::id::{ContactId, WorkspaceId};
use crate::domain::in_common::{Background, InCommon};
use crate::domain::need::{Need, NeedStatus};
use crate::domain::organization::Organization;
use crate::domain::position::{Position, PositionFields};
use crate::domain::reference::reference;

/// What is known of some contacts.
#[derive(Debug, Default)]
pub struct Backgrounds {
    positions: HashMap<AnyId, Vec<Position>>,
    needs: HashMap<AnyId, Vec<Need>>,
    organizations: HashMap<AnyId, Organization>,
    /// Those that you are a member of, with any of them.
    communities: Vec<Community>,
    in_common: HashMap<AnyId, Vec<InCommon>>,
}

impl Backgrounds {
    /// In the order in which they are shown.
    pub fn positions(&self, contact: ContactId) -> &[Position] {
        self.positions.get(&AnyId::new(contact.uuid())).map(Vec::as_slice).unwrap_or_default()
    }

    /// What they need, offer and are interested in; the oldest first.
    pub fn open_needs(&self, contact: ContactId) -> &[Need] {
        self.needs.get(&AnyId::new(contact.uuid())).map(Vec::as_slice).unwrap_or_default()
    }

    /// What the organization of a position is called.
    pub fn organization_name(&self, position: &PositionFields) -> Option<String> {
        let linked = position.organization_id.and_then(|id| self.organizations.get(&AnyId::new(id.uuid())));
        linked.map(|organization| organization.fields.name.clone()).or_else(|| position.organization_name.clone())
    }

    /// What you and the contact have in common.
    pub fn in_common(&self, contact: ContactId) -> Vec<InCommon> {
        self.in_common.get(&AnyId::new(contact.uuid())).cloned().unwrap_or_default()
    }

    fn background(&self, contact: &Contact) -> Background {
        let mut background = Background::new(&contact.fields);
        for position in self.positions(contact.id) {
            let organization = position.fields.organization_id.and_then(|id| {
                let organization = self.organizations.get(&AnyId::new(id.uuid()))?;
                Some((id, &organization.fields))
            });
            background.add_position(&position.fields, organization);
        }
        self.open_needs(contact.id).iter().for_each(|need| background.add_need(&need.fields));
        for Community { id, fields, .. } in &self.communities {
            if contact.fields.is_self || fields.contact_ids.contains(&contact.id) {
                background.add_community(*id, &fields.name);
            }
        }
        background
    }
}

/// What is known of these contacts.
pub fn of_contacts(conn: &mut Conn, workspace: WorkspaceId, contacts: &[Contact]) -> Result<Backgrounds> {
    if contacts.is_empty() {
        return Ok(Backgrounds::default());
    }
    let own = self_contact(conn, workspace)?;
    let ids: BTreeSet<AnyId> = contacts.iter().chain(&own).map(Record::id).collect();
    let ids = || ids.iter().copied().map(Scalar::Id).collect::<Vec<_>>();
    let theirs = Predicate::In(positions::CONTACT, ids());
    let mut held = Position::select(conn, Select::all(workspace, theirs))?;
    held.sort_by(Position::display_order);
    let at = held.iter().filter_map(|position| position.fields.organization_id);
    let at: BTreeSet<AnyId> = at.map(|id| AnyId::new(id.uuid())).collect();
    let organizations = Organization::select(conn, Select::all(workspace, Predicate::ids(at)))?;
    let organizations = organizations.into_iter().map(|own| (Record::id(&own), own)).collect();
    let open = Predicate::equal(needs::STATUS, Scalar::Text(NeedStatus::Open.as_str().to_owned()));
    let theirs = Predicate::All(vec![Predicate::In(needs::CONTACT, ids()), open]);
    let mut communities = Vec::new();
    if let Some(listed) = reference(Entity::Community, Entity::Contact) {
        let with_them = Predicate::Lists(listed, contacts.iter().map(Record::id).collect());
        communities = Community::select(conn, Select::all(workspace, with_them))?;
        communities.retain(|community| community.fields.status.is_member());
    }
    let mut found = Backgrounds { organizations, communities, ..Backgrounds::default() };
    for need in Need::select(conn, Select::all(workspace, theirs))? {
        found.needs.entry(AnyId::new(need.fields.contact_id.uuid())).or_default().push(need);
    }
    for position in held {
        found.positions.entry(AnyId::new(position.fields.contact_id.uuid())).or_default().push(position);
    }
    if let Some(own) = own {
        let yours = found.background(&own);
        let others = contacts.iter().filter(|contact| contact.id != own.id);
        found.in_common = others
            .map(|contact| (Record::id(contact), found.background(contact).in_common_with(&yours)))
            .collect();
    }
    Ok(found)
}
