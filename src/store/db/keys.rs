//! The keys a record is found by exactly; derived from it at every write.

use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::conn::Conn;
use super::schema::record_keys;
use super::types::AnyId;
use crate::domain::entity::Entity;
use crate::domain::id::WorkspaceId;
use crate::domain::key::Key;

/// An index row of PostgreSQL holds 2,704 bytes; a longer value stands as its hash.
const MAX_VALUE_BYTES: usize = 600;

/// The value as it is stored and looked up.
pub fn stored(value: &str) -> String {
    if value.len() <= MAX_VALUE_BYTES {
        value.to_owned()
    } else {
        let hash = Sha256::digest(value.as_bytes());
        hash.iter().fold(String::from("sha256:"), |text, byte| text + &format!("{byte:02x}"))
    }
}

/// Replaces the keys of a record, if they differ.
pub fn write(conn: &mut Conn, workspace: WorkspaceId, entity: Entity, id: AnyId, keys: &[Key]) -> QueryResult<()> {
    let own = record_keys::table
        .filter(record_keys::workspace_id.eq(workspace))
        .filter(record_keys::record_id.eq(id))
        .filter(record_keys::entity.eq(entity));
    let mut old: Vec<(String, String)> = own.select((record_keys::kind, record_keys::value)).load(conn)?;
    let mut new: Vec<(String, String)> =
        keys.iter().map(|key| (key.kind.as_str().to_owned(), stored(&key.value))).collect();
    old.sort();
    new.sort();
    new.dedup();
    if old == new {
        return Ok(());
    }
    diesel::delete(own).execute(conn)?;
    for (kind, value) in new {
        diesel::insert_into(record_keys::table)
            .values((
                record_keys::workspace_id.eq(workspace),
                record_keys::entity.eq(entity),
                record_keys::kind.eq(kind),
                record_keys::value.eq(value),
                record_keys::record_id.eq(id),
            ))
            .execute(conn)?;
    }
    Ok(())
}
