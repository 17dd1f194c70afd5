//! Every test that meets the server as a client does, in one binary: `support/` is the harness,
//! a file per resource holds what it promises, and the nets cover a new resource unedited.
//! Rules that need no server are tested beside their code in `src/`, not here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test reports by panicking and printing; the exceptions in clippy.toml reach #[test] functions only"
)]

#[macro_use]
mod support;

mod activity;
mod auth;
mod availability;
mod batch;
mod briefs;
mod bulk;
mod cadence;
mod calendar_feeds;
mod candidates;
mod cards;
mod changes;
mod communities;
mod concurrency;
mod contacts;
mod contract;
mod credits;
mod demo;
mod duplicate_dismissals;
mod duplicates;
mod events;
mod examples;
mod exchanges;
mod feedback;
mod follow_up_plans;
mod follow_ups;
mod goals;
mod guard;
mod guides;
mod hostile;
mod idempotency;
mod interactions;
mod introduction_paths;
mod introductions;
mod jobs;
mod keep_in_touch;
mod large_edits;
mod layers;
mod lists;
mod mail;
mod many;
mod matches;
mod me;
mod merging;
mod notifications;
mod operations;
mod parity;
mod password_reset;
mod people;
mod pitches;
mod plans;
mod posts;
mod profile;
mod purge;
mod resources;
mod review;
mod search;
mod service;
mod sessions;
mod start;
mod tags;
mod timeline;
mod today;
mod tokens;
mod undo;
mod upgrade;
mod workplaces;
