//! Pools of connections, and the queue in front of each. No query lives here.

use diesel::r2d2::{LoggingErrorHandler, Pool};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

use super::conn::{Address, Conn, Manager};
use crate::store::error::{Error, Result};

/// Where the database is, and how hard it may be used.
#[derive(Debug, Clone)]
pub struct Settings {
    pub address: Address,
    /// Connections that read; on PostgreSQL those that write as well.
    pub pool_size: u32,
    /// How long a request waits for a connection before it is refused as busy.
    pub pool_timeout: Duration,
    /// How long SQLite waits for a lock.
    pub busy_timeout: Duration,
}

impl Settings {
    pub fn manager(&self) -> Manager {
        Manager { address: self.address.clone(), busy_timeout: self.busy_timeout }
    }
}

/// A pool, and the queue of those who wait for it: first come, first served.
pub struct PoolQueue {
    pool: Pool<Manager>,
    places: Arc<Semaphore>,
    timeout: Duration,
    is_file: bool,
}

impl PoolQueue {
    /// Connections are opened when they are first wanted.
    pub fn new(settings: &Settings, size: u32) -> Self {
        // A PostgreSQL server may have restarted since; a file is always there.
        let is_file = matches!(settings.address, Address::Sqlite(_));
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .connection_timeout(settings.pool_timeout)
            .test_on_check_out(!is_file)
            .error_handler(Box::new(LoggingErrorHandler))
            .build_unchecked(settings.manager());
        let places = Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1)));
        Self { pool, places, timeout: settings.pool_timeout, is_file }
    }

    /// Runs work that takes less than to hand it to another thread does. It runs on this thread if the database is a file
    /// and a connection is free.
    pub async fn run_short<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.is_file
            && let Ok(_place) = self.places.try_acquire()
            && let Some(mut conn) = self.pool.try_get()
        {
            return work(&mut conn);
        }
        self.run(work).await
    }

    /// Runs the work on a thread that may block.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let waited = tokio::time::timeout(self.timeout, self.places.clone().acquire_owned()).await;
        let Ok(Ok(place)) = waited else { return Err(Error::Busy("no connection came free".to_owned())) };
        let pool = self.pool.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            let mut conn = pool.get().map_err(|error| Error::Busy(error.to_string()))?;
            work(&mut conn)
        });
        match done.await {
            Ok(result) => result,
            Err(error) => Err(Error::Internal(format!("the work on the database ended early: {error}"))),
        }
    }
}
