//! Where the writers of a workspace wait for one another, before any of them takes a connection: those of one workspace
//! cannot use up the connections, nor SQLite's one writer, that all share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::id::WorkspaceId;
use crate::store::error::{Error, Result};

/// How many writers of one workspace may wait, the one that writes among them. Whoever finds so many is refused at once.
const LONGEST_LINE: usize = 200;

/// The lines of all workspaces: first come, first served.
#[derive(Clone)]
pub struct Lines {
    lines: Arc<Mutex<HashMap<WorkspaceId, Line>>>,
    timeout: Duration,
}

struct Line {
    turn: Arc<Semaphore>,
    length: usize,
}

impl Lines {
    /// `timeout`: how long a writer waits for its turn.
    pub fn new(timeout: Duration) -> Self {
        Self { lines: Arc::default(), timeout }
    }

    /// Waits for the turn of a writer, which lasts as long as what is returned.
    pub async fn wait(&self, workspace: WorkspaceId) -> Result<Turn> {
        let busy = |cause: &str| Error::Busy(format!("{cause} of one workspace"));
        let (place, turn) = self.stand_in_line(workspace).ok_or_else(|| busy("too many writers"))?;
        match tokio::time::timeout(self.timeout, turn.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Turn { _permit: permit, _place: place }),
            _ => Err(busy("a slow writer")),
        }
    }

    /// How many stand in all lines.
    pub fn writers(&self) -> usize {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).values().map(|line| line.length).sum()
    }

    fn stand_in_line(&self, workspace: WorkspaceId) -> Option<(Place, Arc<Semaphore>)> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry(workspace).or_insert_with(|| Line { turn: Arc::new(Semaphore::new(1)), length: 0 });
        if line.length >= LONGEST_LINE {
            return None;
        }
        line.length += 1;
        Some((Place { lines: self.clone(), workspace }, line.turn.clone()))
    }
}

/// A writer's turn.
pub struct Turn {
    // Given back before the place is: whoever is next finds it free.
    _permit: OwnedSemaphorePermit,
    _place: Place,
}

/// A place in a line; the line goes with the last one.
struct Place {
    lines: Lines,
    workspace: WorkspaceId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self.lines.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get_mut(&self.workspace) {
            line.length = line.length.saturating_sub(1);
            if line.length == 0 {
                lines.remove(&self.workspace);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(number: u128) -> WorkspaceId {
        WorkspaceId::new(uuid::Uuid::from_u128(number))
    }

    #[actix_web::test]
    async fn a_line_is_bounded_and_does_not_hold_up_another() {
        let lines = Lines::new(Duration::from_millis(20));
        let turn = lines.wait(workspace(1)).await.unwrap();
        let places: Vec<_> = (1..LONGEST_LINE).map(|_| lines.stand_in_line(workspace(1)).unwrap()).collect();
        assert!(lines.stand_in_line(workspace(1)).is_none());
        assert_eq!(lines.writers(), LONGEST_LINE);
        assert!(lines.wait(workspace(1)).await.is_err());
        assert!(lines.wait(workspace(2)).await.is_ok());
        drop((places, turn));
        assert!(lines.wait(workspace(1)).await.is_ok());
        assert!(lines.lines.lock().unwrap().is_empty(), "a line goes with the last who stands in it");
    }
}
