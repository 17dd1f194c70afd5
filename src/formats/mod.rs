//! Formats of other programs: pure text <-> domain. No database, no HTTP, no clock; what is written is given.

pub mod calendar;
