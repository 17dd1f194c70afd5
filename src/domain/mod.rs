//! Pure rules and types of the domain: no database, no HTTP, no clock, no I/O.

pub mod account;
pub mod contact;
pub mod email;
pub mod entity;
pub mod fields;
pub mod id;
pub mod invalid;
pub mod key;
pub mod keyed;
pub mod link;
pub mod locale;
pub mod merge_patch;
pub mod need;
pub mod organization;
pub mod partial_date;
pub mod person_name;
pub mod personal_token;
pub mod phone;
pub mod position;
pub mod profile;
pub mod relationship;
pub mod scope;
pub mod search;
pub mod text;
pub mod timestamp;
pub mod topic;
