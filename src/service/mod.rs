//! What the application does, whoever asks: the rules of records that need the database, and the steps of creating,
//! changing, merging and deleting them, each within a transaction of the store. No HTTP, and no SQL.

pub mod bulk;
pub mod calendar_feeds;
pub mod capture;
pub mod communities;
pub mod contacts;
pub mod debrief;
pub mod demo;
pub mod digest;
pub mod duplicate_dismissals;
pub mod event_people;
pub mod events;
pub mod exchanges;
pub mod feedback;
pub mod follow_up_plans;
pub mod follow_ups;
pub mod goals;
pub mod interactions;
pub mod introductions;
pub mod key_results;
pub mod needs;
pub mod notifications;
pub mod operations;
pub mod organizations;
pub mod password_resets;
pub mod pitches;
pub mod plan_runs;
pub mod positions;
pub mod posts;
pub mod records;
pub mod relationships;
pub mod resources;
pub mod tags;
pub mod targets;
pub mod validation;
