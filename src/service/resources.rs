//! Resources: sharing one with contacts logs the interaction, and with each of them what was given.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::records::rules::Rules;
use super::records::write::{Create, create_many};
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::exchange::{
    DEFAULT_WEIGHT, Exchange, ExchangeDirection, ExchangeFields, ExchangeKind, ExchangeOrigin,
};
use crate::domain::id::{ContactId, ExchangeId};
use crate::domain::interaction::{Interaction, InteractionDirection, InteractionKind, InteractionStatus};
use crate::domain::invalid::{FieldCode, Invalid, Rejection};
use crate::domain::resource::Resource;
use crate::store::accounts::time_zone;
use crate::store::lists::with_ids;
use crate::store::resources::shared_in;
use crate::store::{AnyId, Error, FailedAt, Precondition, Record, Result, Tx, checks, records};

impl Rules for Resource {}

/// How a resource is shared.
pub struct Share {
    /// With whom.
    pub contact_ids: Vec<ContactId>,
    /// The interaction to log; what it does not say is taken from the resource.
    pub interaction: Map<String, Value>,
    /// The ids of the exchanges, in the order of the contacts; the server chooses those that are missing.
    pub exchange_ids: Vec<ExchangeId>,
}

/// What sharing a resource has logged.
pub struct Shared {
    pub interaction: AnyId,
    /// In the order of the contacts.
    pub exchanges: Vec<AnyId>,
}

/// Shares a resource with contacts. The same interaction is logged once, however often it is sent.
pub fn share(tx: &mut Tx<'_>, id: AnyId, share: Share) -> Result<Shared> {
    let resource = records::get::<Resource>(tx, id, &Precondition::None)?;
    let Share { contact_ids, interaction, exchange_ids } = share;
    if let Some(known) = shared_before(tx, &resource, &interaction)? {
        return Ok(known);
    }
    check_contacts(tx, &contact_ids)?;
    let interaction = log_interaction(tx, &resource, &contact_ids, interaction)?;
    let occurred_on = interaction.fields.day(time_zone(tx)?).unwrap_or_default().to_string();
    let goal_id = match interaction.fields.goal_ids.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    let mut exchange_ids = exchange_ids.into_iter();
    let mut exchanges = Vec::with_capacity(contact_ids.len());
    for contact_id in contact_ids {
        let fields = ExchangeFields {
            contact_id,
            direction: ExchangeDirection::Given,
            kind: ExchangeKind::Resource,
            description: Some(resource.fields.title.clone()),
            weight: DEFAULT_WEIGHT,
            occurred_on: occurred_on.clone(),
            thanked_on: None,
            interaction_id: Some(interaction.id),
            goal_id,
            resource_id: Some(resource.id),
            origin: ExchangeOrigin::Share,
        };
        let id = exchange_ids.next().unwrap_or_else(|| ExchangeId::new(tx.new_id()));
        exchanges.push(Exchange::new(id, tx.now(), fields)?);
    }
    let logged = create_many(tx, exchanges).map_err(at_contact)?;
    Ok(Shared { interaction: Record::id(&interaction), exchanges: logged.iter().map(Record::id).collect() })
}

/// What the same interaction has logged before.
fn shared_before(
    tx: &mut Tx<'_>,
    resource: &Resource,
    interaction: &Map<String, Value>,
) -> Result<Option<Shared>> {
    let chosen = interaction.get("id").and_then(Value::as_str).and_then(|id| id.parse::<Uuid>().ok());
    let Some(chosen) = chosen.map(AnyId::new) else { return Ok(None) };
    let Some(known) = records::find::<Interaction>(tx, chosen)? else { return Ok(None) };
    let exchanges = shared_in(tx, resource.id, known.id)?;
    // An interaction that has nothing to do with the resource has the id: creating another one says so.
    Ok((!exchanges.is_empty())
        .then(|| Shared { interaction: chosen, exchanges: exchanges.iter().map(Record::id).collect() }))
}

/// Refuses those who do not exist, are not to be contacted, or are the networker.
fn check_contacts(tx: &mut Tx<'_>, ids: &[ContactId]) -> Result<()> {
    let people = with_ids::<Contact>(tx, &ids.iter().map(|id| AnyId::new(id.uuid())).collect::<Vec<_>>())?;
    let mut invalid = Invalid::default();
    for (index, id) in ids.iter().enumerate() {
        let refused = |detail: String| Rejection::new(FieldCode::NotAllowed, detail);
        let rejection = match people.iter().find(|contact| contact.id == *id) {
            None => checks::unknown_reference(tx, Entity::Contact, AnyId::new(id.uuid()))?,
            Some(contact) if contact.fields.is_self => refused("The contact is yourself.".to_owned()),
            Some(contact) if contact.fields.do_not_contact => {
                refused(format!("{} is not to be contacted (do_not_contact).", contact.fields.name))
            }
            Some(_) => continue,
        };
        invalid.add(format!("#/contact_ids/{index}"), rejection);
    }
    invalid.into_result(()).map_err(Into::into)
}

/// Logs a message to the contacts with the resource, now, unless it says otherwise.
fn log_interaction(
    tx: &mut Tx<'_>,
    resource: &Resource,
    contact_ids: &[ContactId],
    mut interaction: Map<String, Value>,
) -> Result<Interaction> {
    interaction.retain(|_, value| !value.is_null());
    let mut set = |name: &str, value: Value| {
        interaction.entry(name).or_insert(value);
    };
    set("contact_ids", json!(contact_ids));
    set("kind", json!(InteractionKind::Message));
    set("direction", json!(InteractionDirection::Outbound));
    set("subject", json!(resource.fields.title));
    set("url", json!(resource.fields.url));
    if !interaction.contains_key("occurred_on") {
        interaction.entry("occurred_at").or_insert(json!(tx.now()));
    }
    let checked = Create::<Interaction>::check(interaction.into(), None, tx.new_id(), tx.now());
    let made = checked.map_err(Error::from).and_then(|checked| {
        let made = checked.write(tx)?;
        match made.fields.status {
            InteractionStatus::Happened => Ok(made),
            _ => {
                let detail = "Only an interaction that happened shares a resource.";
                Err(Invalid::one("#/status", FieldCode::NotAllowed, detail).into())
            }
        }
    });
    made.map_err(|error| error.under("interaction"))
}

/// What is wrong with the exchange of a contact is reported at the contact.
fn at_contact(failed: FailedAt) -> Error {
    let FailedAt { index, error } = failed;
    match index {
        Some(index) => error.moved(|_| format!("#/contact_ids/{index}")),
        None => error,
    }
}
