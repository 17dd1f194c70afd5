//! All HTTP lives here, and no SQL. A file is a resource: its operations, their texts, and how each is read and answered.

pub mod auth;
pub mod batch;
pub mod bulk;
pub mod calendar_feeds;
pub mod candidates;
pub mod capture;
pub mod changes;
pub mod check_ins;
pub mod communities;
pub mod contact_brief;
pub mod contacts;
pub mod context;
pub mod credits;
pub mod debrief;
pub mod duplicate_dismissals;
pub mod duplicates;
pub mod engagement;
pub mod event_brief;
pub mod events;
pub mod exchanges;
pub mod feedback;
pub mod follow_up_plans;
pub mod follow_ups;
pub mod goals;
pub mod http;
pub mod interactions;
pub mod introduction_paths;
pub mod introductions;
pub mod keep_in_touch;
pub mod key_results;
pub mod matches;
pub mod me;
pub mod needs;
pub mod notifications;
pub mod operations;
pub mod organizations;
pub mod password_reset;
pub mod pitches;
pub mod plan_runs;
pub mod positions;
pub mod posts;
pub mod profile;
pub mod progress;
pub mod reciprocity;
pub mod relationships;
pub mod resources;
pub mod review;
pub mod search;
pub mod service;
pub mod sessions;
pub mod tags;
pub mod targets;
pub mod timeline;
pub mod today;
pub mod tokens;
pub mod unsubscribe;
pub mod workspace;

use serde_json::Value;

use self::http::document::{self, Overview};
use self::http::operation::Operation;
use self::http::records::collection::Collection;
use crate::domain::entity::Entity;

/// Every operation there is, in the order of the document.
pub fn operations() -> Vec<Operation> {
    [
        auth::operations(),
        password_reset::operations(),
        contacts::operations(),
        contact_brief::operations(),
        organizations::operations(),
        positions::operations(),
        relationships::operations(),
        needs::operations(),
        exchanges::operations(),
        reciprocity::operations(),
        feedback::operations(),
        introductions::operations(),
        introduction_paths::operations(),
        resources::operations(),
        communities::operations(),
        posts::operations(),
        engagement::operations(),
        goals::operations(),
        key_results::operations(),
        check_ins::operations(),
        progress::operations(),
        candidates::operations(),
        credits::operations(),
        pitches::operations(),
        targets::operations(),
        events::operations(),
        event_brief::operations(),
        debrief::operations(),
        capture::operations(),
        interactions::operations(),
        keep_in_touch::operations(),
        timeline::operations(),
        today::operations(),
        review::operations(),
        notifications::operations(),
        follow_ups::operations(),
        bulk::operations(),
        follow_up_plans::operations(),
        plan_runs::operations(),
        matches::operations(),
        tags::operations(),
        duplicates::operations(),
        duplicate_dismissals::operations(),
        profile::operations(),
        search::operations(),
        changes::operations(),
        operations::operations(),
        batch::operations(),
        tokens::operations(),
        sessions::operations(),
        calendar_feeds::operations(),
        workspace::operations(),
        unsubscribe::operations(),
        me::operations(),
        service::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Every kind of record as it is listed.
const COLLECTIONS: &[&Collection] = &[
    &contacts::COLLECTION,
    &organizations::COLLECTION,
    &positions::COLLECTION,
    &relationships::COLLECTION,
    &needs::COLLECTION,
    &exchanges::COLLECTION,
    &feedback::COLLECTION,
    &introductions::COLLECTION,
    &resources::COLLECTION,
    &communities::COLLECTION,
    &posts::COLLECTION,
    &goals::COLLECTION,
    &key_results::COLLECTION,
    &check_ins::COLLECTION,
    &targets::COLLECTION,
    &events::COLLECTION,
    &events::PEOPLE,
    &pitches::COLLECTION,
    &pitches::VERSIONS,
    &pitches::USES,
    &interactions::COLLECTION,
    &follow_ups::COLLECTION,
    &follow_up_plans::COLLECTION,
    &plan_runs::COLLECTION,
    &tags::COLLECTION,
    &duplicate_dismissals::COLLECTION,
];

/// The kinds of record that are found by words.
fn searchable() -> Vec<Entity> {
    COLLECTIONS.iter().filter(|collection| collection.searchable).map(|collection| collection.entity).collect()
}

/// The OpenAPI document as it is served: the one that is committed, without white space. A test compares that with
/// [`document_text()`].
pub const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

/// The OpenAPI document, made from the operations.
pub fn document() -> Result<Value, serde_json::Error> {
    let operations = operations();
    let overview = Overview { title: "Wellmet", description: DESCRIPTION, tags: TAGS };
    document::build(&overview, &operations.iter().collect::<Vec<_>>())
}

/// The OpenAPI document as it is committed, in the order of the operations.
pub fn document_text() -> Result<String, serde_json::Error> {
    let operations = operations();
    document::text(&document()?, &operations.iter().collect::<Vec<_>>())
}

const TAGS: &[(&str, &str)] = &[
    ("auth", "Create an account, log in, refresh tokens."),
    ("contacts", "The people of your network."),
    ("organizations", "Where people work, study and meet."),
    ("positions", "What people do or did somewhere."),
    ("relationships", "What contacts are to each other."),
    ("needs", "What people need, can offer, or are interested in."),
    ("exchanges", "What you have given to contacts and received from them, and how far you are even."),
    ("feedback", "What contacts say about your work, and what you do about it."),
    ("introductions", "People who are introduced to each other, by you or to you."),
    ("resources", "Useful things to share, whom they suit, and sharing them."),
    ("communities", "Groups, forums and chats, and how active you are there."),
    ("posts", "What you publish, how it did, and who engages with whom."),
    ("goals", "What you want to reach, how far you have come, and whom to reach for it."),
    ("pitches", "How you introduce yourself, what you said before, and how it landed."),
    ("events", "Conferences, meetups and the like: whom to meet there, and what came of it."),
    ("capture", "Somebody you have just met, noted in one call."),
    ("interactions", "Meetings, calls and messages with contacts, planned or past."),
    ("keep-in-touch", "Contacts you are due to get in touch with."),
    ("timeline", "What happened, and when."),
    ("today", "What to do on a day, and why."),
    ("review", "Looking back on a week or another period."),
    ("notifications", "Daily notifications of what is due, and whether you have read them."),
    ("follow-ups", "What to do next for contacts, and what they have promised."),
    ("follow-up-plans", "Sequences of follow-ups, and where each that was applied stands."),
    ("tags", "Labels for records."),
    ("duplicates", "Records that may be the same."),
    ("profile", "How complete your own profile is."),
    ("search", "Search across all kinds of record."),
    ("changes", "Sync, history and undo."),
    ("operations", "Edits of so many records that they are carried out after the response."),
    ("batch", "Several operations in one request."),
    ("tokens", "Personal access tokens for scripts."),
    ("sessions", "Where you are logged in."),
    ("calendar-feeds", "Calendars that calendar programs subscribe to."),
    ("me", "Your own account and workspace."),
    ("service", "The server itself."),
];

/// What the document says of the API as a whole.
const DESCRIPTION: &str = include_str!("description.md").trim_ascii_end();
