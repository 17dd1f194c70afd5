//! Pools of connections, and the queue in front of each. No query lives here.

use diesel::r2d2::{LoggingErrorHandler, Pool};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

use super::conn::{Address, Conn, Manager, allow_long_statements, discard};
use crate::store::db::write::context::Quotas;
use crate::store::error::{Error, Result};

/// Where the database is, and how hard it may be used.
#[derive(Debug, Clone)]
pub struct Settings {
    pub address: Address,
    /// Connections that read; on PostgreSQL those that write as well.
    pub pool_size: u32,
    /// How long a request waits for a connection before it is refused as busy.
    pub pool_timeout: Duration,
    /// How long a request may use a connection before it is answered that the database does not respond.
    pub work_timeout: Duration,
    /// How long SQLite waits for a lock.
    pub busy_timeout: Duration,
    pub quotas: Quotas,
}

impl Settings {
    pub fn manager(&self) -> Manager {
        let Self { address, busy_timeout, work_timeout, pool_timeout, .. } = self.clone();
        Manager { address, busy_timeout, work_timeout, lock_timeout: pool_timeout }
    }
}

/// What is known of work that was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It only read.
    None,
    /// It may yet be committed.
    Unknown,
}

/// How many connections of a pool are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLoad {
    pub in_use: u32,
    pub idle: u32,
}

/// A pool, and the queue of those who wait for it: first come, first served.
pub struct PoolQueue {
    pool: Pool<Manager>,
    places: Arc<Semaphore>,
    timeout: Duration,
    work_timeout: Duration,
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
        Self { pool, places, timeout: settings.pool_timeout, work_timeout: settings.work_timeout, is_file }
    }

    pub fn load(&self) -> PoolLoad {
        let state = self.pool.state();
        let idle = state.idle_connections;
        PoolLoad { in_use: state.connections.saturating_sub(idle), idle }
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
        self.run(Effect::None, work).await
    }

    /// Runs work for which nobody waits, however long it takes, on a connection that serves nothing else afterwards.
    pub async fn run_for_long<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let pool = self.pool.clone();
        let done = tokio::task::spawn_blocking(move || {
            let mut conn = pool.get().map_err(|error| Error::Unavailable(error.to_string()))?;
            allow_long_statements(&mut conn)?;
            let done = work(&mut conn);
            discard(&mut conn);
            done
        });
        done.await.map_err(|error| Error::Internal(format!("the work on the database ended early: {error}")))?
    }

    /// Runs the work on a thread that may block. Whoever waits for it is answered in time, even if the database is not: then
    /// the connection is thrown away once it comes back.
    pub async fn run<T: Send + 'static>(
        &self,
        effect: Effect,
        work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let waited = tokio::time::timeout(self.timeout, self.places.clone().acquire_owned()).await;
        let Ok(Ok(place)) = waited else { return Err(Error::Busy("no connection came free".to_owned())) };
        let (pool, given_up) = (self.pool.clone(), Arc::new(AtomicBool::new(false)));
        let is_given_up = given_up.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            let mut conn = pool.get().map_err(|error| Error::Unavailable(error.to_string()))?;
            if is_given_up.load(Ordering::SeqCst) {
                return Err(Error::Unavailable("nobody waits for it any more".to_owned()));
            }
            let done = work(&mut conn);
            if is_given_up.load(Ordering::SeqCst) {
                discard(&mut conn);
            }
            done
        });
        match tokio::time::timeout(self.work_timeout, done).await {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => Err(Error::Internal(format!("the work on the database ended early: {error}"))),
            Err(_) => {
                given_up.store(true, Ordering::SeqCst);
                let cause = "the database did not respond in time".to_owned();
                Err(match effect {
                    Effect::None => Error::Unavailable(cause),
                    Effect::Unknown => Error::OutcomeUnknown(cause),
                })
            }
        }
    }
}
