//! E-mail on its way out: what is written in each, how it is sent, and by which links it is unsubscribed from. What is in a
//! digest is given; nothing is read from the database here.

pub mod letter;
pub mod texts;
pub mod transport;
pub mod unsubscribe;
