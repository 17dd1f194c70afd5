//! Many contacts at once, for tests of what is done to many: through the same rules as a request, without one for each.

use wellmet::{
    domain::{
        contact::{Contact, ContactFields},
        id::{ContactId, WorkspaceId},
    },
    service::records::write::create_many,
    store::{AccountTx, Actor},
};

use super::{Client, TestServer};

/// Creates them in the workspace of a client, a thousand in one write; their ids.
pub async fn create_contacts(server: &TestServer, client: &Client, all: Vec<ContactFields>) -> Vec<String> {
    let workspace = WorkspaceId::new(client.workspace_id.parse().expect("an id"));
    let mut ids = Vec::new();
    for some in all.chunks(1_000) {
        let some = some.to_vec();
        let work = move |tx: &mut AccountTx<'_>| {
            tx.records(workspace, Actor::Job("test"), |tx| {
                let new = |fields| Ok(Contact::new(ContactId::new(tx.new_id()), tx.now(), fields)?);
                let new = some.into_iter().map(new).collect::<Result<Vec<_>, wellmet::store::Error>>()?;
                create_many(tx, new).map_err(|failed| failed.error)
            })
        };
        let created = server.app().store().account_write(work).await.expect("a write of them all");
        ids.extend(created.iter().map(|contact| contact.id.to_string()));
    }
    ids
}
