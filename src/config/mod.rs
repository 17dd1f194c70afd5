//! Flags, environment variables and `.env`, read once and checked: nothing else reads them. What a setting leads to is
//! decided where it is used.

mod commands;
mod dotenv;
mod error;
mod settings;
#[cfg(test)]
mod tests;
mod values;

pub use commands::{Cli, Command, JobsCommand, TokenCommand, UserCommand};
pub use error::ConfigError;
pub use settings::Config;
pub use values::{CorsOrigins, Database, LogFormat, MailTransport, TrustedProxies, parse_signing_key};
