//! Every setting, once: its flag, its environment variable, its default, its help and its type, and what is derived
//! from it. How a single value is parsed is in `values.rs`.

#![allow(rustdoc::bare_urls, reason = "the doc comments of flags are the text of --help")]

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::thread;

use clap::builder::{PossibleValuesParser, Resettable, TypedValueParser};
use clap::{ArgAction, Args, Command, FromArgMatches};
use lettre::message::Mailbox;
use secrecy::SecretString;
use url::Url;

use super::error::ConfigError;
use super::values::{
    CorsOrigins, Database, LogFormat, MailTransport, TrustedProxies, number, parse_bind, parse_cors_origins,
    parse_database, parse_log_filter, parse_mailbox, parse_path, parse_signing_key, parse_smtp_url,
    parse_trusted_proxies, parse_web_url,
};

/// All settings, checked. `Debug` shows no secret.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Settings")]
pub struct Config {
    /// Where the data is stored: sqlite://PATH or postgres://…
    ///
    /// sqlite://wellmet.db is a file in the working directory, sqlite:///srv/wellmet.db an absolute path; the file is
    /// created if it does not exist. postgres://user:password@host/database requires PostgreSQL 15 or newer.
    #[arg(long = "database-url", env = "DATABASE_URL", hide_env_values = true, global = true, value_name = "URL")]
    #[arg(value_parser = parse_database, default_value = "sqlite://wellmet.db")]
    pub database: Database,

    /// IP address and port to listen on; port 0 picks a free port
    #[arg(long, env, global = true, value_name = "ADDRESS:PORT")]
    #[arg(value_parser = parse_bind, default_value = "127.0.0.1:8080")]
    pub bind: SocketAddr,

    /// Key that signs access tokens, at least 32 bytes of text
    ///
    /// If neither this nor SIGNING_KEY_FILE is set, the server creates a key: in a file next to the SQLite file, or in
    /// the PostgreSQL database. Every user of the machine can see a flag; prefer the variable or SIGNING_KEY_FILE.
    #[arg(long, env, hide_env_values = true, global = true, value_name = "TEXT", value_parser = parse_signing_key)]
    pub signing_key: Option<SecretString>,

    /// File that holds the signing key; use instead of SIGNING_KEY
    // Read where the key is used; its content must pass `parse_signing_key`.
    #[arg(long, env, global = true, value_name = "PATH", value_parser = parse_path)]
    pub signing_key_file: Option<PathBuf>,

    /// Previous signing key; tokens signed with it stay valid until they expire
    #[arg(long, env, hide_env_values = true, global = true, value_name = "TEXT", value_parser = parse_signing_key)]
    pub signing_key_previous: Option<SecretString>,

    /// Whether anyone can sign up: true or false
    ///
    /// By default, registration is open while the server listens on a loopback address, and elsewhere until the first
    /// user exists.
    #[arg(long, env, global = true, value_name = "BOOL", hide_possible_values = true)]
    pub allow_registration: Option<bool>,

    /// Proxies whose forwarded client address is trusted: comma-separated IP addresses or CIDR ranges
    #[arg(long, env, global = true, value_name = "LIST")]
    #[arg(value_parser = parse_trusted_proxies, default_value = "", hide_default_value = true)]
    pub trusted_proxies: TrustedProxies,

    /// Interactive documentation at /docs: on or off
    #[arg(long, env, global = true, value_name = "ON|OFF", action = ArgAction::Set)]
    #[arg(default_value = "on", hide_possible_values = true)]
    #[arg(value_parser = PossibleValuesParser::new(["on", "off"]).map(|value| value == "on"))]
    pub docs: bool,

    /// Origins that may call the API from a browser: * or comma-separated origins
    ///
    /// Write an origin as a browser sends it: https://app.example.com or http://localhost:5173, without a path.
    #[arg(long, env, global = true, value_name = "LIST", value_parser = parse_cors_origins, default_value = "*")]
    pub cors_origins: CorsOrigins,

    /// How e-mails are sent: none, smtp (see SMTP_URL) or file (see MAIL_DIR)
    ///
    /// With none, there is no daily digest by e-mail, and only the operator can reset a forgotten password.
    #[arg(long, env, global = true, value_name = "TRANSPORT")]
    #[arg(value_enum, default_value_t = MailTransport::None, hide_possible_values = true)]
    pub mail_transport: MailTransport,

    /// Mail server: smtps://user:password@host or smtp://host:587?tls=required
    #[arg(long, env, hide_env_values = true, global = true, value_name = "URL", value_parser = parse_smtp_url)]
    pub smtp_url: Option<SecretString>,

    /// Folder that e-mails are written to, one .eml file each
    #[arg(long, env, global = true, value_name = "PATH", value_parser = parse_path)]
    pub mail_dir: Option<PathBuf>,

    /// Sender of e-mails, such as Wellmet <wellmet@example.org>
    #[arg(long, env, global = true, value_name = "ADDRESS", value_parser = parse_mailbox)]
    pub mail_from: Option<Mailbox>,

    /// Address at which this server is reached from outside, for links in e-mails
    #[arg(long, env, global = true, value_name = "URL", value_parser = parse_web_url)]
    pub public_url: Option<Url>,

    /// Page of a front end on which a new password is chosen; e-mails add ?token=… to it
    #[arg(long, env, global = true, value_name = "URL", value_parser = parse_web_url)]
    pub password_reset_url: Option<Url>,

    /// Format of log lines: text or json
    #[arg(long, env, global = true, value_name = "FORMAT")]
    #[arg(value_enum, default_value_t = LogFormat::Text, hide_possible_values = true)]
    pub log_format: LogFormat,

    /// What is logged: a level, or comma-separated target=level pairs
    ///
    /// Levels are off, error, warn, info, debug and trace, as in info,wellmet=debug.
    #[arg(long = "log", env = "LOG", global = true, value_name = "FILTER")]
    #[arg(value_parser = parse_log_filter, default_value = "info")]
    pub log_filter: String,

    /// Who may read /metrics: local (programs on this machine, not through a proxy) or all
    #[arg(long = "metrics", env = "METRICS", global = true, value_name = "LOCAL|ALL", action = ArgAction::Set)]
    #[arg(default_value = "local", hide_possible_values = true)]
    #[arg(value_parser = PossibleValuesParser::new(["local", "all"]).map(|value| value == "all"))]
    pub metrics_for_all: bool,

    /// Token with which /metrics can be read from elsewhere, at least 32 bytes of text
    #[arg(long, env, hide_env_values = true, global = true, value_name = "TEXT", value_parser = parse_signing_key)]
    pub metrics_token: Option<SecretString>,

    /// Rate limits: on, or off for load tests
    #[arg(long, env, global = true, value_name = "ON|OFF", action = ArgAction::Set)]
    #[arg(default_value = "on", hide_possible_values = true)]
    #[arg(value_parser = PossibleValuesParser::new(["on", "off"]).map(|value| value == "on"))]
    pub rate_limits: bool,

    /// Requests of a user per minute, 100 to 1000000; each operation of a batch counts as one
    // With the default, a device sends 10,000 edits in batches within a minute.
    #[arg(long, env, global = true, value_name = "COUNT")]
    #[arg(value_parser = number(100..=1_000_000_u32), default_value_t = 12_000)]
    pub requests_per_minute: u32,

    /// Connections that read from SQLite, or all connections to PostgreSQL, 1 to 100
    #[arg(long, env, global = true, value_name = "COUNT", value_parser = number(1..=100_u32), default_value_t = 8)]
    pub read_pool_size: u32,

    /// Threads that serve requests, 0 to 1024; 0 means one for each processor
    // Ask `worker_count` for the number of threads.
    #[arg(long, env, global = true, value_name = "COUNT", value_parser = number(0..=1024_usize), default_value_t = 0)]
    pub workers: usize,

    /// Background jobs that run at the same time, 0 to 64; a server with 0 runs none
    #[arg(long, env, global = true, value_name = "COUNT", value_parser = number(0..=64_usize), default_value_t = 4)]
    pub job_workers: usize,

    /// Connections open at the same time on the whole server, 1 to 1000000; further ones wait
    // actix-web counts for each worker: see `max_connections_per_worker`.
    #[arg(long, env, global = true, value_name = "COUNT")]
    #[arg(value_parser = number(1..=1_000_000_usize), default_value_t = 10_000)]
    pub max_connections: usize,

    /// Records a workspace may have, 1000 to 100000000
    #[arg(long, env, global = true, value_name = "COUNT")]
    #[arg(value_parser = number(1_000..=100_000_000_u32), default_value_t = 1_000_000)]
    pub max_records: u32,

    /// Sessions a user may have at the same time, 1 to 10000; a further login ends the least recently used one
    #[arg(long, env, global = true, value_name = "COUNT", value_parser = number(1..=10_000_usize), default_value_t = 100)]
    pub max_sessions: usize,

    /// Megabytes of replies stored under Idempotency-Keys in a workspace, 1 to 100000; each is stored for 24 hours
    #[arg(long, env, global = true, value_name = "COUNT")]
    #[arg(value_parser = number(1..=100_000_u32), default_value_t = 256)]
    pub max_stored_reply_megabytes: u32,

    /// Seconds a request waits for a database connection, 1 to 60
    #[arg(long, env, global = true, value_name = "SECONDS", value_parser = number(1..=60_u64), default_value_t = 5)]
    pub pool_timeout_seconds: u64,

    /// Seconds a request may use the database before it is answered without its outcome, 1 to 600
    #[arg(long, env, global = true, value_name = "SECONDS", value_parser = number(1..=600_u64), default_value_t = 15)]
    pub database_timeout_seconds: u64,

    /// Seconds a client has to send a JSON body, 1 to 120
    #[arg(long, env, global = true, value_name = "SECONDS", value_parser = number(1..=120_u64), default_value_t = 10)]
    pub body_timeout_seconds: u64,

    /// Seconds that requests in flight have to finish when the server stops, 1 to 30
    #[arg(long, env, global = true, value_name = "SECONDS", value_parser = number(1..=30_u64), default_value_t = 25)]
    pub shutdown_timeout_seconds: u64,

    /// Milliseconds SQLite waits for a lock held by another process, 0 to 60000
    #[arg(long, env, global = true, value_name = "MILLISECONDS")]
    #[arg(value_parser = number(0..=60_000_u32), default_value_t = 5_000)]
    pub busy_timeout_milliseconds: u32,
}

impl Config {
    /// The rules between settings. clap's `conflicts_with` misses a flag before the command with another after it.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.signing_key.is_some() && self.signing_key_file.is_some() {
            return Err(ConfigError::Both { one: "SIGNING_KEY", other: "SIGNING_KEY_FILE" });
        }
        let (transport, way) = match self.mail_transport {
            MailTransport::None => return Ok(()),
            MailTransport::Smtp => ("smtp", ("SMTP_URL", self.smtp_url.is_some())),
            MailTransport::File => ("file", ("MAIL_DIR", self.mail_dir.is_some())),
        };
        let required = [way, ("MAIL_FROM", self.mail_from.is_some()), ("PUBLIC_URL", self.public_url.is_some())];
        match required.into_iter().find(|(_, is_set)| !is_set) {
            Some((missing, _)) => {
                Err(ConfigError::Missing { variable: "MAIL_TRANSPORT", value: transport, missing })
            }
            None => Ok(()),
        }
    }

    /// Threads that serve requests, at least 1.
    pub fn worker_count(&self) -> usize {
        match self.workers {
            0 => thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        }
    }

    /// `max_connections` divided among the workers, rounded up.
    pub fn max_connections_per_worker(&self) -> usize {
        self.max_connections.div_ceil(self.worker_count().max(1))
    }

    /// Whether to trust the forwarded client address in a request from `peer`.
    pub fn trusts_proxy(&self, peer: IpAddr) -> bool {
        self.trusted_proxies.contains(peer)
    }

    /// The settings of these flags and the defaults, whatever the environment holds.
    pub(super) fn from_flags<S>(flags: impl IntoIterator<Item = S>) -> Result<Self, ConfigError>
    where
        S: Into<OsString> + Clone,
    {
        let command = Self::augment_args(Command::new("wellmet").no_binary_name(true));
        let config = command
            .clone()
            .mut_args(|argument| argument.env(Resettable::Reset))
            .try_get_matches_from(flags)
            .and_then(|matches| Self::from_arg_matches(&matches))
            .map_err(|error| ConfigError::of_setting(&error, command).unwrap_or(ConfigError::Usage(error)))?;
        config.check()?;
        Ok(config)
    }

    /// For tests: a free port, small pools, no rate limits, no jobs, warnings only, a quick stop. Ignores the environment and
    /// `.env`. Panics if `database_url` is invalid.
    #[allow(clippy::expect_used, reason = "only tests call it, and they are to fail here")]
    pub fn for_test(database_url: &str) -> Self {
        Self::from_flags([
            &format!("--database-url={database_url}"),
            "--bind=127.0.0.1:0",
            "--log=warn",
            "--rate-limits=off",
            "--read-pool-size=4",
            "--workers=2",
            "--job-workers=0",
            "--shutdown-timeout-seconds=1",
            // Tests run side by side on machines that are busy.
            "--database-timeout-seconds=120",
        ])
        .expect("DATABASE_URL of a test")
    }
}
