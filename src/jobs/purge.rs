//! Removes, once an hour, what is no longer kept.

use crate::store::purge;
use std::time::Duration;

use crate::store::Store;

const EVERY: Duration = Duration::from_secs(60 * 60);

/// Runs as long as the server does; a failure is logged and tried again.
pub async fn run(store: Store) {
    loop {
        match store.account_write(purge::purge).await {
            Ok(purged) if purged.is_partial() => continue,
            Ok(purged) => tracing::debug!(?purged, "purged expired data"),
            Err(error) => tracing::error!(%error, "cannot purge expired data"),
        }
        tokio::time::sleep(EVERY).await;
    }
}
