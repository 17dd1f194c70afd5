//! Wellmet: the backend for people who build a career through people.
//!
//! The map, and which way the arrows run:
//!
//! ```text
//! main, cli, config, app      start it; `app` puts the parts together, for tests too
//! api  ──► service ──► store ──► domain      HTTP; the application; SQL; pure rules
//! jobs ──► service                           what runs outside a request
//!          service ──► formats ──► domain     texts of other programs
//! jobs, api ──► mail                         e-mail on its way out
//! clock                             time and chance, given to whoever needs them
//! memory                            how the process allocates
//! metrics                           what is counted, by whoever is given it
//! ```

pub mod api;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod formats;
pub mod jobs;
pub mod mail;
pub mod memory;
pub mod metrics;
pub mod service;
pub mod store;
pub mod telemetry;
