//! Undo of anything that is in the log: planned, then carried out. No kind of record is described here.

mod lists;
mod names;
mod obstacles;
mod plan;
mod planning;
mod revert;

pub use self::revert::{Action, Reverted, RevertedPart, restore, revert, revert_part};
