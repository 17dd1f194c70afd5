//! The harness: a server of its own for each test, on either database, and a client to talk to it.
//! What a resource promises is written in its own file beside `main.rs`, not here.
//!
//! ```ignore
//! on_both! {
//!     async fn deleted_contact_is_gone(server: TestServer) {
//!         let ada = server.register("ada@example.com").await;
//!         let made = ada.post("/v1/contacts", &json!({"given_name": "Grace"})).await.expect(201);
//!         ada.delete(&made.location()).if_match(&made.etag()).await.expect(204);
//!         ada.get(&made.location()).await.problem(404, "not_found");
//!     }
//! }
//! ```

#![allow(dead_code, unused_macros, reason = "the harness is kept whole, whichever part of it today's tests use")]

mod client;
mod command;
mod contacts;
mod database;
mod mail;
pub mod nodes;
pub mod plans;
mod postgres;
pub mod proxy;
mod scratch;
mod server;
mod statements;
pub mod work;

#[allow(unused_imports, reason = "as above")]
pub use self::{
    client::{Client, Connections, PASSWORD, Reply, Request},
    command::{Process, wellmet},
    contacts::create_contacts,
    database::Database,
    mail::{Email, Mailbox},
    scratch::scratch,
    server::{START, TestServer},
    statements::{SESSION_STATEMENTS, sent_to, statements_of},
};

/// Which of the two databases a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// What a test written with [`on_both!`] may ask for as its one argument.
pub trait Given: Sized {
    async fn given(backend: Backend) -> Self;
}

/// For a test that starts its servers itself, with a configuration of its own.
impl Given for Backend {
    async fn given(backend: Backend) -> Backend {
        backend
    }
}

/// For a test of the store or the schema that needs no server: a migrated database.
impl Given for Database {
    async fn given(backend: Backend) -> Database {
        Database::migrated(backend)
    }
}

impl Given for TestServer {
    async fn given(backend: Backend) -> TestServer {
        TestServer::start(backend).await
    }
}

/// Declares tests that run on SQLite and on PostgreSQL alike: `contacts::some_claim::sqlite` and
/// `contacts::some_claim::postgres`. The argument is a [`TestServer`], a [`Database`] or the bare
/// [`Backend`] (anything that is [`Given`]); it may be `mut`. Doc comments and attributes
/// (`#[ignore]`, `#[should_panic]`) go to both tests.
#[macro_export]
macro_rules! on_both {
    ($($(#[$attribute:meta])* async fn $claim:ident($($argument:tt)+) $body:block)+) => {
        $(
            mod $claim {
                #[allow(unused_imports, reason = "some bodies need nothing from their file")]
                use super::*;

                async fn claim($($argument)+) $body

                $(#[$attribute])*
                #[test]
                fn sqlite() {
                    $crate::support::check($crate::support::Backend::Sqlite, claim);
                }

                $(#[$attribute])*
                #[test]
                fn postgres() {
                    $crate::support::check($crate::support::Backend::Postgres, claim);
                }
            }
        )+
    };
}

/// Runs one claim on one backend; [`on_both!`] calls it. Where there is no PostgreSQL the claim is
/// passed over with a word on stderr, or fails if one is required.
pub fn check<G: Given>(backend: Backend, claim: impl AsyncFnOnce(G)) {
    if backend == Backend::Postgres
        && let Err(reason) = postgres::available()
    {
        assert!(!postgres::required(), "there has to be a PostgreSQL to test on, but {reason}");
        eprintln!("passed over, there is no PostgreSQL to test on: {reason}");
        return;
    }
    // One inline snapshot is asserted by two tests, once per backend. insta takes that for a loop
    // and refuses it, unless told; the permission belongs to the thread, so it covers the block.
    insta::allow_duplicates! {
        actix_web::rt::System::new().block_on(async {
            let given = G::given(backend).await;
            claim(given).await;
        });
    }
    crate::plans::check(backend);
}
