//! Flags, environment and `.env`, read once and checked: the only file that reads them. What a setting
//! leads to is decided where it is used.

#![allow(rustdoc::bare_urls, reason = "the doc comments of flags are the text of --help")]

use std::collections::HashMap;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::{env, fs, io, thread};

use clap::{Args, CommandFactory, Parser, Subcommand};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use url::Url;

/// The file in the working directory that settings are read from when neither a flag nor the environment
/// gives them.
const DOTENV: &str = ".env";

/// The backend for people who build a career through people.
#[derive(Debug, Parser)]
#[command(
    name = "wellmet",
    version,
    after_help = "\
Each setting is taken from its flag, else from its environment variable, else from the file .env in the
working directory, else from its default. A wrong value stops the start with one sentence (exit code 2).
Flags can be seen by everybody on the machine: give secrets in the environment, .env or a file.

Examples:
  wellmet                                            Serve on 127.0.0.1:8080 from ./wellmet.db
  wellmet serve --bind 0.0.0.0:8080                  Serve on every interface
  DATABASE_URL=postgres://app@db/wellmet wellmet     Serve from PostgreSQL
  wellmet user create --email ada@example.com --name 'Ada Lovelace'
  wellmet token create --email ada@example.com --name backup --scope contacts:read"
)]
pub struct Cli {
    #[command(flatten)]
    pub settings: Settings,
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// The arguments and the environment of this process. Exits by itself after `--help` and `--version`
    /// (0), and on an unknown flag or command (2).
    pub fn read() -> Result<Self, ConfigError> {
        // clap refuses such a value too, but does not say whose it is.
        for argument in Self::command().get_arguments() {
            if let Some(variable) = argument.get_env()
                && env::var_os(variable).is_some_and(|value| value.to_str().is_none())
            {
                return Err(ConfigError::NotText { variable: variable.to_string_lossy().into_owned() });
            }
        }
        Ok(Self::parse())
    }
}

/// What `wellmet` does; `serve` when none is named.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve the HTTP API (the default).
    Serve,
    /// Bring the database to this version and stop.
    ///
    /// `serve` does so too when it starts; this is for those who want to do it beforehand.
    Migrate,
    /// Print the OpenAPI document.
    Openapi {
        /// Print nothing; fail when openapi/openapi.json or openapi/errors.md differ from the code.
        #[arg(long)]
        check: bool,
        /// Write openapi/openapi.json and openapi/errors.md instead of printing.
        #[arg(long, conflicts_with = "check")]
        write: bool,
    },
    /// Manage the people who may log in.
    #[command(subcommand)]
    User(UserCommand),
    /// Manage personal access tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Print the version.
    Version,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum UserCommand {
    /// Create a user with a workspace of their own, also where registration is closed.
    #[command(after_help = "\
Examples:
  wellmet user create --email ada@example.com --name 'Ada Lovelace' --time-zone Europe/London
  wellmet user create --email ada@example.com --name 'Ada Lovelace' --password-stdin < password.txt")]
    Create {
        /// The address to log in with.
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// What the person is called.
        #[arg(long)]
        name: String,
        /// The IANA time zone that their days are counted in, for example Europe/Warsaw.
        #[arg(long, value_name = "ZONE")]
        time_zone: Option<String>,
        /// Their language as a BCP 47 tag, for example en-GB.
        #[arg(long, value_name = "TAG")]
        locale: Option<String>,
        /// Read the password from the first line of standard input, without asking.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give a user a new password and log them out everywhere.
    ResetPassword {
        /// The address they log in with.
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// Read the password from the first line of standard input, without asking.
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum TokenCommand {
    /// Create a personal access token and print it, this once.
    #[command(after_help = "\
Example:
  wellmet token create --email ada@example.com --name backup --scope contacts:read,account:read")]
    Create {
        /// The address of the user it acts for.
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// What it is for, to tell it from others.
        #[arg(long)]
        name: String,
        /// What it may do: AREA:read or AREA:write. Several with commas, or by repeating the flag.
        #[arg(long, required = true, value_delimiter = ',', value_name = "SCOPE")]
        scope: Vec<String>,
        /// Days until it expires, 1 to 36500. Without it the token is good until it is revoked.
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        expires_in_days: Option<u32>,
    },
}

/// The text of every setting as it was given, unchecked. All are held as secrets: three of them are or
/// may be, and so one table can hold them all.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Where the data is: sqlite://PATH or postgres://… [default: sqlite://wellmet.db]
    ///
    /// sqlite://wellmet.db is a file in the working directory, sqlite:///srv/wellmet.db an absolute path;
    /// the file is made when it is missing. postgres://user:password@host/database needs PostgreSQL 15 or
    /// newer.
    #[arg(long, env, hide_env_values = true, global = true, value_name = "URL")]
    pub database_url: Option<SecretString>,

    /// IP address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "ADDRESS:PORT")]
    pub bind: Option<SecretString>,

    /// Text that access tokens are signed with, 32 bytes or more
    ///
    /// Without it and SIGNING_KEY_FILE the server makes a key: beside the file of SQLite, in the database
    /// of PostgreSQL. Everybody on the machine can see a flag; prefer the variable or SIGNING_KEY_FILE.
    #[arg(long, env, hide_env_values = true, global = true, value_name = "TEXT")]
    pub signing_key: Option<SecretString>,

    /// File that holds the signing key, instead of SIGNING_KEY
    #[arg(long, env, hide_env_values = true, global = true, value_name = "PATH")]
    pub signing_key_file: Option<SecretString>,

    /// The signing key before the current one; what it signed is still accepted
    #[arg(long, env, hide_env_values = true, global = true, value_name = "TEXT")]
    pub signing_key_previous: Option<SecretString>,

    /// Whether anybody may sign up: true or false
    ///
    /// Without it they may while the server listens on a loopback address, and elsewhere until the first
    /// user exists.
    #[arg(long, env, hide_env_values = true, global = true, value_name = "BOOL")]
    pub allow_registration: Option<SecretString>,

    /// Proxies whose forwarded client address is believed: IP addresses or CIDR ranges, with commas
    #[arg(long, env, hide_env_values = true, global = true, value_name = "LIST")]
    pub trusted_proxies: Option<SecretString>,

    /// Origins whose browsers may call the API: * or exact origins, with commas [default: *]
    ///
    /// As a browser sends them: https://app.example.com or http://localhost:5173, with no path.
    #[arg(long, env, hide_env_values = true, global = true, value_name = "LIST")]
    pub cors_origins: Option<SecretString>,

    /// How log lines look: text or json [default: text]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "FORMAT")]
    pub log_format: Option<SecretString>,

    /// What is logged: a level, or target=level pairs with commas [default: info]
    ///
    /// Levels are off, error, warn, info, debug and trace, as in info,wellmet=debug.
    #[arg(long, env, hide_env_values = true, global = true, value_name = "FILTER")]
    pub log: Option<SecretString>,

    /// Limits on requests: on, or off for load tests [default: on]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "ON|OFF")]
    pub rate_limits: Option<SecretString>,

    /// Connections that read from SQLite, or all connections to PostgreSQL, 1 to 100 [default: 8]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "COUNT")]
    pub read_pool_size: Option<SecretString>,

    /// Threads that serve requests, 0 to 1024; 0 means one for each processor [default: 0]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "COUNT")]
    pub workers: Option<SecretString>,

    /// Connections open at once on the whole server, 1 to 1000000; more wait [default: 10000]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "COUNT")]
    pub max_connections: Option<SecretString>,

    /// Seconds a request waits for a database connection, 1 to 60 [default: 5]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "SECONDS")]
    pub pool_timeout_seconds: Option<SecretString>,

    /// Seconds in which a JSON body has to arrive, 1 to 120 [default: 10]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "SECONDS")]
    pub body_timeout_seconds: Option<SecretString>,

    /// Seconds that requests in flight have to finish in when the server stops, 1 to 30 [default: 25]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "SECONDS")]
    pub shutdown_timeout_seconds: Option<SecretString>,

    /// Milliseconds SQLite waits for a lock of another process, 0 to 60000 [default: 5000]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "MILLISECONDS")]
    pub busy_timeout_milliseconds: Option<SecretString>,
}

impl Settings {
    /// Each setting under the name of its variable.
    fn by_variable(&mut self) -> [(&'static str, &mut Option<SecretString>); 18] {
        let Self {
            database_url,
            bind,
            signing_key,
            signing_key_file,
            signing_key_previous,
            allow_registration,
            trusted_proxies,
            cors_origins,
            log_format,
            log,
            rate_limits,
            read_pool_size,
            workers,
            max_connections,
            pool_timeout_seconds,
            body_timeout_seconds,
            shutdown_timeout_seconds,
            busy_timeout_milliseconds,
        } = self;
        [
            ("DATABASE_URL", database_url),
            ("BIND", bind),
            ("SIGNING_KEY", signing_key),
            ("SIGNING_KEY_FILE", signing_key_file),
            ("SIGNING_KEY_PREVIOUS", signing_key_previous),
            ("ALLOW_REGISTRATION", allow_registration),
            ("TRUSTED_PROXIES", trusted_proxies),
            ("CORS_ORIGINS", cors_origins),
            ("LOG_FORMAT", log_format),
            ("LOG", log),
            ("RATE_LIMITS", rate_limits),
            ("READ_POOL_SIZE", read_pool_size),
            ("WORKERS", workers),
            ("MAX_CONNECTIONS", max_connections),
            ("POOL_TIMEOUT_SECONDS", pool_timeout_seconds),
            ("BODY_TIMEOUT_SECONDS", body_timeout_seconds),
            ("SHUTDOWN_TIMEOUT_SECONDS", shutdown_timeout_seconds),
            ("BUSY_TIMEOUT_MILLISECONDS", busy_timeout_milliseconds),
        ]
    }

    /// Takes from `values`, by name of variable, what is not given yet.
    fn fill_from(&mut self, values: &mut HashMap<String, SecretString>) {
        for (variable, setting) in self.by_variable() {
            if setting.is_none() {
                *setting = values.remove(variable);
            }
        }
    }
}

/// Everything the server can be told, checked. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Config {
    pub database: Database,
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// At least [`SIGNING_KEY_BYTES_MIN`] bytes. At most one of this and `signing_key_file` is set; with
    /// neither the server makes a key.
    pub signing_key: Option<SecretString>,
    /// Not read yet; its text has to pass [`parse_signing_key`].
    pub signing_key_file: Option<PathBuf>,
    /// Verifies, never signs.
    pub signing_key_previous: Option<SecretString>,
    /// None leaves it to the rule: open on loopback, else until the first user exists.
    pub allow_registration: Option<bool>,
    /// Ask [`Config::trusts_proxy`].
    pub trusted_proxies: Vec<IpNet>,
    pub cors_origins: CorsOrigins,
    pub log_format: LogFormat,
    /// Known to be a filter that tracing-subscriber can read.
    pub log_filter: String,
    pub rate_limits: bool,
    /// SQLite: connections that read, beside the one that writes. PostgreSQL: all connections. 1 to 100.
    pub read_pool_size: u32,
    /// Threads that serve requests, at least 1: the number of processors where none was asked for.
    pub workers: usize,
    /// On the whole server; actix-web counts each worker by itself, see
    /// [`Config::max_connections_per_worker`].
    pub max_connections: usize,
    /// How long a request waits for a database connection, 1 to 60.
    pub pool_timeout_seconds: u64,
    /// How long a JSON body may take to arrive, 1 to 120.
    pub body_timeout_seconds: u64,
    /// How long requests in flight may take when the server stops, 1 to 30.
    pub shutdown_timeout_seconds: u64,
    /// How long SQLite waits for a lock that another process holds, 0 to 60,000.
    pub busy_timeout_milliseconds: u32,
}

/// Which of the two homes the data has.
#[derive(Debug, Clone)]
pub enum Database {
    /// Relative to the working directory, or absolute.
    Sqlite { path: PathBuf },
    /// As libpq takes it; usually holds a password.
    Postgres { url: SecretString },
}

/// Which origins' browsers may read answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorsOrigins {
    Any,
    /// Never empty; each exactly as a browser sends it in `Origin`.
    List(Vec<String>),
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    /// One JSON object a line.
    Json,
}

impl Config {
    /// `settings`, what they lack from `.env` in the working directory, and the defaults. Commands that
    /// need no configuration (`version`, `openapi`) work without calling this.
    pub fn load(mut settings: Settings) -> Result<Self, ConfigError> {
        settings.fill_from(&mut read_dotenv(Path::new(DOTENV))?);
        Self::from_settings(settings)
    }

    /// Checks every setting and puts the default where none is given. Stops at the first fault. Reads
    /// nothing but, for the default of `workers`, the number of processors.
    pub fn from_settings(settings: Settings) -> Result<Self, ConfigError> {
        let Settings {
            database_url,
            bind,
            signing_key,
            signing_key_file,
            signing_key_previous,
            allow_registration,
            trusted_proxies,
            cors_origins,
            log_format,
            log,
            rate_limits,
            read_pool_size,
            workers,
            max_connections,
            pool_timeout_seconds,
            body_timeout_seconds,
            shutdown_timeout_seconds,
            busy_timeout_milliseconds,
        } = settings;
        if signing_key.is_some() && signing_key_file.is_some() {
            return Err(ConfigError::Both { one: "SIGNING_KEY", other: "SIGNING_KEY_FILE" });
        }
        let key = |variable, setting: &Option<SecretString>| {
            text(setting).map(|key| parse_signing_key(variable, key)).transpose()
        };
        Ok(Self {
            database: parse_database(text(&database_url).unwrap_or("sqlite://wellmet.db"))?,
            bind: parse_bind(text(&bind).unwrap_or("127.0.0.1:8080"))?,
            signing_key: key("SIGNING_KEY", &signing_key)?,
            signing_key_file: text(&signing_key_file).map(parse_signing_key_file).transpose()?,
            signing_key_previous: key("SIGNING_KEY_PREVIOUS", &signing_key_previous)?,
            allow_registration: one_of(
                "ALLOW_REGISTRATION",
                &allow_registration,
                [("true", true), ("false", false)],
            )?,
            trusted_proxies: parse_trusted_proxies(text(&trusted_proxies).unwrap_or_default())?,
            cors_origins: parse_cors_origins(text(&cors_origins).unwrap_or("*"))?,
            log_format: one_of("LOG_FORMAT", &log_format, [("text", LogFormat::Text), ("json", LogFormat::Json)])?
                .unwrap_or(LogFormat::Text),
            log_filter: parse_log_filter(text(&log).unwrap_or("info"))?,
            rate_limits: one_of("RATE_LIMITS", &rate_limits, [("on", true), ("off", false)])?.unwrap_or(true),
            read_pool_size: number("READ_POOL_SIZE", &read_pool_size, 8, 1..=100)?,
            workers: match number("WORKERS", &workers, 0, 0..=1024)? {
                0 => thread::available_parallelism().map_or(1, usize::from),
                workers => workers,
            },
            max_connections: number("MAX_CONNECTIONS", &max_connections, 10_000, 1..=1_000_000)?,
            pool_timeout_seconds: number("POOL_TIMEOUT_SECONDS", &pool_timeout_seconds, 5, 1..=60)?,
            body_timeout_seconds: number("BODY_TIMEOUT_SECONDS", &body_timeout_seconds, 10, 1..=120)?,
            shutdown_timeout_seconds: number("SHUTDOWN_TIMEOUT_SECONDS", &shutdown_timeout_seconds, 25, 1..=30)?,
            busy_timeout_milliseconds: number(
                "BUSY_TIMEOUT_MILLISECONDS",
                &busy_timeout_milliseconds,
                5_000,
                0..=60_000,
            )?,
        })
    }

    /// For tests: a free port, small pools, no rate limits, warnings only, a quick stop. Ignores the
    /// environment and `.env`. Panics where `database_url` is wrong.
    #[allow(clippy::expect_used, reason = "only tests call it, and they want to fail here")]
    pub fn for_test(database_url: &str) -> Self {
        let settings = Settings {
            database_url: Some(database_url.into()),
            bind: Some("127.0.0.1:0".into()),
            log: Some("warn".into()),
            rate_limits: Some("off".into()),
            read_pool_size: Some("4".into()),
            workers: Some("2".into()),
            shutdown_timeout_seconds: Some("1".into()),
            ..Settings::default()
        };
        Self::from_settings(settings).expect("DATABASE_URL of a test")
    }

    /// Whether the forwarded address in a request from `peer` is to be believed. An IPv4 address that
    /// arrived over IPv6 (`::ffff:10.0.0.1`) counts as the IPv4 address it is.
    pub fn trusts_proxy(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusted_proxies.iter().any(|network| network.contains(&peer))
    }

    /// `max_connections` shared out among the workers, rounded up, at least 1.
    pub fn max_connections_per_worker(&self) -> usize {
        self.max_connections.div_ceil(self.workers.max(1)).max(1)
    }
}

/// Why the configuration is refused: one sentence that names the variable and shows no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("{variable} is {got:?}; it has to be {allowed}.")]
    Wrong { variable: &'static str, got: String, allowed: String },
    /// The value may hold a secret, so it is described.
    #[error("{variable} {fault}; it has to be {allowed}.")]
    WrongSecret { variable: &'static str, fault: String, allowed: String },
    #[error("{one} and {other} are both set; give only one of them.")]
    Both { one: &'static str, other: &'static str },
    #[error("{variable} is not valid UTF-8.")]
    NotText { variable: String },
    #[error("The file .env cannot be read: {reason}.")]
    DotenvUnreadable { reason: String },
    /// The line may hold a secret, so only its number is told.
    #[error(
        "Line {line} of the file .env is not NAME=value; put a value with spaces, quotes, $ or \\ in 'single quotes'."
    )]
    DotenvMalformed { line: usize },
    #[error("The file .env gives {variable} more than once.")]
    DotenvTwice { variable: String },
}

/// Longest part of a wrong value that an error repeats.
const SHOWN_CHARACTERS: usize = 80;

impl ConfigError {
    fn wrong(variable: &'static str, got: &str, allowed: impl Into<String>) -> Self {
        Self::Wrong { variable, got: got.chars().take(SHOWN_CHARACTERS).collect(), allowed: allowed.into() }
    }
}

/// The text of a setting without the blanks around it, which env files with CRLF and secret files bring.
fn text(setting: &Option<SecretString>) -> Option<&str> {
    setting.as_ref().map(|setting| setting.expose_secret().trim())
}

fn number<T>(
    variable: &'static str,
    setting: &Option<SecretString>,
    default: T,
    range: RangeInclusive<T>,
) -> Result<T, ConfigError>
where
    T: FromStr + PartialOrd + Display,
{
    let Some(text) = text(setting) else {
        return Ok(default);
    };
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        ConfigError::wrong(variable, text, format!("a whole number from {} to {}", range.start(), range.end()))
    })
}

fn one_of<T: Copy>(
    variable: &'static str,
    setting: &Option<SecretString>,
    choices: [(&str, T); 2],
) -> Result<Option<T>, ConfigError> {
    let Some(text) = text(setting) else {
        return Ok(None);
    };
    match choices.iter().find(|(name, _)| *name == text) {
        Some((_, value)) => Ok(Some(*value)),
        None => Err(ConfigError::wrong(variable, text, choices.map(|(name, _)| name).join(" or "))),
    }
}

fn parse_database(text: &str) -> Result<Database, ConfigError> {
    let wrong = |fault: &str| ConfigError::WrongSecret {
        variable: "DATABASE_URL",
        fault: fault.to_owned(),
        allowed: "sqlite://wellmet.db, sqlite:///absolute/path or postgres://user:password@host/database"
            .to_owned(),
    };
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Ok(Database::Postgres { url: text.into() });
    }
    let Some(path) = text.strip_prefix("sqlite://") else {
        return Err(wrong("has another form than the two that are known"));
    };
    if path.is_empty() || path.ends_with('/') {
        return Err(wrong("names no file"));
    }
    if path.contains(":memory:") {
        return Err(wrong("asks for a database in memory, which several connections cannot share"));
    }
    // SQLite would read the first as a URI of its own; both would end in a file of a surprising name.
    if path.starts_with("file:") || path.contains('?') {
        return Err(wrong("carries parameters, which are not taken with SQLite"));
    }
    Ok(Database::Sqlite { path: path.into() })
}

fn parse_bind(text: &str) -> Result<SocketAddr, ConfigError> {
    text.parse().map_err(|_| {
        ConfigError::wrong("BIND", text, "an IP address and a port, for example 127.0.0.1:8080 or [::]:8080")
    })
}

/// Fewest bytes of a signing key: as many as the hash behind HS256 gives (RFC 7518, section 3.2).
pub const SIGNING_KEY_BYTES_MIN: usize = 32;

/// A signing key as text, without the blanks around it, so that a key from a file that ends in a newline
/// is the same as one from a variable. `variable` is named in the error.
pub fn parse_signing_key(variable: &'static str, text: &str) -> Result<SecretString, ConfigError> {
    let key = text.trim();
    if key.len() < SIGNING_KEY_BYTES_MIN {
        return Err(ConfigError::WrongSecret {
            variable,
            fault: format!("holds a key of {} bytes", key.len()),
            allowed: format!("at least {SIGNING_KEY_BYTES_MIN} bytes of text, as from `openssl rand -hex 32`"),
        });
    }
    Ok(key.into())
}

fn parse_signing_key_file(text: &str) -> Result<PathBuf, ConfigError> {
    if text.is_empty() {
        return Err(ConfigError::wrong("SIGNING_KEY_FILE", text, "the path of a file"));
    }
    Ok(text.into())
}

fn parse_trusted_proxies(text: &str) -> Result<Vec<IpNet>, ConfigError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let network = |item: &str| {
        let item = item.trim();
        let address = item.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        address.or_else(|_| item.parse::<IpNet>().map(|network| network.trunc())).map_err(|_| {
            ConfigError::wrong(
                "TRUSTED_PROXIES",
                item,
                "IP addresses or CIDR ranges with commas between them, for example 10.0.0.0/8,::1",
            )
        })
    };
    text.split(',').map(network).collect()
}

fn parse_cors_origins(text: &str) -> Result<CorsOrigins, ConfigError> {
    if text == "*" {
        return Ok(CorsOrigins::Any);
    }
    text.split(',').map(|item| parse_origin(item.trim())).collect::<Result<_, _>>().map(CorsOrigins::List)
}

/// An origin as a browser sends it (RFC 6454, section 6.2): anything else would never match.
fn parse_origin(text: &str) -> Result<String, ConfigError> {
    let sent = Url::parse(text).ok().and_then(|url| {
        let host = url.host_str().filter(|host| !host.is_empty() && !host.contains('*'))?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("{}://{host}{port}", url.scheme()))
    });
    match sent {
        Some(origin) if origin == text => Ok(origin),
        Some(origin) => {
            Err(ConfigError::wrong("CORS_ORIGINS", text, format!("written as a browser sends it, {origin}")))
        }
        None => Err(ConfigError::wrong(
            "CORS_ORIGINS",
            text,
            "* alone, or exact origins with commas between them, for example https://app.example.com",
        )),
    }
}

fn parse_log_filter(text: &str) -> Result<String, ConfigError> {
    // EnvFilter takes a misspelt level (`LOG=inof`) for the name of a target and then logs nothing else.
    let is_misspelt =
        |directive: &str| !directive.contains(['=', '[']) && directive.parse::<LevelFilter>().is_err();
    if text.is_empty()
        || (!text.contains('[') && text.split(',').any(is_misspelt))
        || EnvFilter::try_new(text).is_err()
    {
        return Err(ConfigError::wrong(
            "LOG",
            text,
            "a level (off, error, warn, info, debug, trace) or target=level pairs with commas between them",
        ));
    }
    Ok(text.to_owned())
}

/// What the file at `path` sets; nothing where there is no such file. The environment of the process is
/// left as it is.
fn read_dotenv(path: &Path) -> Result<HashMap<String, SecretString>, ConfigError> {
    let content = match fs::read_to_string(path) {
        Ok(content) => content,
        // A folder of that name is usually a virtual environment of Python.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::IsADirectory) => {
            return Ok(HashMap::new());
        }
        Err(error) => {
            return Err(ConfigError::DotenvUnreadable { reason: error.to_string() });
        }
    };
    parse_dotenv(content.trim_start_matches('\u{feff}'))
}

fn parse_dotenv(content: &str) -> Result<HashMap<String, SecretString>, ConfigError> {
    let mut values = HashMap::new();
    for entry in dotenvy::from_read_iter(content.as_bytes()) {
        let (variable, value) = entry.map_err(|error| dotenv_error(content, &error))?;
        if values.insert(variable.clone(), value.into()).is_some() {
            return Err(ConfigError::DotenvTwice { variable });
        }
    }
    Ok(values)
}

/// dotenvy tells the faulty text, which may hold a secret, but not its line.
fn dotenv_error(content: &str, error: &dotenvy::Error) -> ConfigError {
    let dotenvy::Error::LineParse(fault, _) = error else {
        return ConfigError::DotenvUnreadable { reason: error.to_string() };
    };
    let start = fault.lines().next().unwrap_or_default();
    let is_faulty = |line: &str| !line.trim_start().starts_with('#') && line.contains(start);
    let index = content.lines().position(is_faulty).unwrap_or_default();
    ConfigError::DotenvMalformed { line: index.saturating_add(1) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const EXAMPLE: &str = include_str!("../.env.example");

    /// What the given variables, and nothing else, lead to.
    fn config(values: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let mut values =
            values.iter().map(|(variable, value)| ((*variable).to_owned(), (*value).into())).collect();
        let mut settings = Settings::default();
        settings.fill_from(&mut values);
        assert!(values.is_empty(), "unknown to Settings: {:?}", values.keys());
        Config::from_settings(settings)
    }

    fn refusal(values: &[(&str, &str)]) -> String {
        match config(values) {
            Ok(config) => panic!("accepted {values:?} as {config:?}"),
            Err(error) => error.to_string(),
        }
    }

    /// The settings of `.env.example` and their values, the `#` taken off.
    fn example() -> Vec<(&'static str, &'static str)> {
        EXAMPLE
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
            .map(|line| line.split_once('=').unwrap())
            .collect()
    }

    #[test]
    fn nothing_given_is_a_server_on_loopback_with_a_file_beside_it() {
        let config = config(&[]).unwrap();
        assert!(matches!(config.database, Database::Sqlite { path } if path == Path::new("wellmet.db")));
        assert_eq!(config.bind, "127.0.0.1:8080".parse().unwrap());
        assert!(config.signing_key.is_none());
        assert_eq!(config.signing_key_file, None);
        assert!(config.signing_key_previous.is_none());
        assert_eq!(config.allow_registration, None);
        assert_eq!(config.trusted_proxies, []);
        assert_eq!(config.cors_origins, CorsOrigins::Any);
        assert_eq!(config.log_format, LogFormat::Text);
        assert_eq!(config.log_filter, "info");
        assert!(config.rate_limits);
        assert_eq!(config.read_pool_size, 8);
        assert_eq!(config.workers, thread::available_parallelism().unwrap().get());
        assert_eq!(config.max_connections, 10_000);
        assert_eq!(config.pool_timeout_seconds, 5);
        assert_eq!(config.body_timeout_seconds, 10);
        assert_eq!(config.shutdown_timeout_seconds, 25);
        assert_eq!(config.busy_timeout_milliseconds, 5_000);
    }

    #[test]
    fn every_wrong_value_is_refused_with_a_sentence_that_names_it() {
        let cases = [
            ("BIND", "localhost:8080", "BIND is \"localhost:8080\"; it has to be an IP address and a port"),
            ("BIND", "127.0.0.1", "BIND is"),
            ("BIND", ":8080", "BIND is"),
            ("BIND", "127.0.0.1:65536", "BIND is"),
            ("BIND", "", "BIND is \"\""),
            ("SIGNING_KEY_FILE", " ", "SIGNING_KEY_FILE is \"\"; it has to be the path of a file."),
            ("ALLOW_REGISTRATION", "yes", "ALLOW_REGISTRATION is \"yes\"; it has to be true or false."),
            ("ALLOW_REGISTRATION", "True", "ALLOW_REGISTRATION is"),
            ("ALLOW_REGISTRATION", "", "ALLOW_REGISTRATION is"),
            ("TRUSTED_PROXIES", "10.0.0.0/33", "TRUSTED_PROXIES is \"10.0.0.0/33\"; it has to be IP addresses"),
            ("TRUSTED_PROXIES", "10.0.0.1,proxy.example.com", "TRUSTED_PROXIES is \"proxy.example.com\""),
            ("TRUSTED_PROXIES", "10.0.0.1,", "TRUSTED_PROXIES is \"\""),
            ("CORS_ORIGINS", "", "CORS_ORIGINS is \"\"; it has to be * alone, or exact origins"),
            ("CORS_ORIGINS", "app.example.com", "CORS_ORIGINS is"),
            ("CORS_ORIGINS", "https://a.example,*", "CORS_ORIGINS is \"*\""),
            ("CORS_ORIGINS", "https://*.example.com", "CORS_ORIGINS is"),
            ("CORS_ORIGINS", "null", "CORS_ORIGINS is"),
            ("CORS_ORIGINS", "file:///", "CORS_ORIGINS is"),
            (
                "CORS_ORIGINS",
                "https://app.example.com/",
                "CORS_ORIGINS is \"https://app.example.com/\"; it has to be written as a browser sends it, \
                 https://app.example.com.",
            ),
            ("CORS_ORIGINS", "https://app.example.com/app", "CORS_ORIGINS is"),
            ("CORS_ORIGINS", "https://app.example.com?x", "CORS_ORIGINS is"),
            ("CORS_ORIGINS", "https://app.example.com:443", "CORS_ORIGINS is"),
            ("CORS_ORIGINS", "https://App.example.com", "CORS_ORIGINS is"),
            ("LOG_FORMAT", "xml", "LOG_FORMAT is \"xml\"; it has to be text or json."),
            ("LOG", "", "LOG is \"\"; it has to be a level"),
            ("LOG", "inof", "LOG is \"inof\""),
            ("LOG", "info,wellmet=debgu", "LOG is"),
            ("LOG", "wellmet", "LOG is"),
            ("LOG", "info,[", "LOG is"),
            ("RATE_LIMITS", "false", "RATE_LIMITS is \"false\"; it has to be on or off."),
            ("READ_POOL_SIZE", "0", "READ_POOL_SIZE is \"0\"; it has to be a whole number from 1 to 100."),
            ("READ_POOL_SIZE", "101", "READ_POOL_SIZE is"),
            ("READ_POOL_SIZE", "eight", "READ_POOL_SIZE is"),
            ("READ_POOL_SIZE", "", "READ_POOL_SIZE is"),
            ("WORKERS", "-1", "WORKERS is \"-1\"; it has to be a whole number from 0 to 1024."),
            ("WORKERS", "1025", "WORKERS is"),
            ("MAX_CONNECTIONS", "0", "MAX_CONNECTIONS is"),
            ("MAX_CONNECTIONS", "1000001", "MAX_CONNECTIONS is"),
            ("POOL_TIMEOUT_SECONDS", "0", "POOL_TIMEOUT_SECONDS is"),
            ("POOL_TIMEOUT_SECONDS", "61", "POOL_TIMEOUT_SECONDS is"),
            ("POOL_TIMEOUT_SECONDS", "5s", "POOL_TIMEOUT_SECONDS is"),
            ("BODY_TIMEOUT_SECONDS", "0", "BODY_TIMEOUT_SECONDS is"),
            ("BODY_TIMEOUT_SECONDS", "121", "BODY_TIMEOUT_SECONDS is"),
            ("SHUTDOWN_TIMEOUT_SECONDS", "0", "SHUTDOWN_TIMEOUT_SECONDS is"),
            ("SHUTDOWN_TIMEOUT_SECONDS", "31", "SHUTDOWN_TIMEOUT_SECONDS is"),
            ("BUSY_TIMEOUT_MILLISECONDS", "60001", "BUSY_TIMEOUT_MILLISECONDS is"),
            ("BUSY_TIMEOUT_MILLISECONDS", "1.5", "BUSY_TIMEOUT_MILLISECONDS is"),
        ];
        for (variable, value, expected) in cases {
            let sentence = refusal(&[(variable, value)]);
            assert!(sentence.starts_with(expected), "{variable}={value}: {sentence}");
            assert!(sentence.ends_with('.') && !sentence.contains('\n'), "{sentence}");
        }
    }

    #[test]
    fn a_wrong_secret_is_named_and_not_shown() {
        let cases = [
            ("DATABASE_URL", "mysql://ada:hunter2@db/wellmet", "DATABASE_URL has another form"),
            ("DATABASE_URL", "ada:hunter2@db/wellmet", "DATABASE_URL has another form"),
            ("DATABASE_URL", "", "DATABASE_URL has another form"),
            ("DATABASE_URL", "sqlite:wellmet.db", "DATABASE_URL has another form"),
            ("DATABASE_URL", "sqlite://", "DATABASE_URL names no file"),
            ("DATABASE_URL", "sqlite:///srv/", "DATABASE_URL names no file"),
            ("DATABASE_URL", "sqlite://:memory:", "DATABASE_URL asks for a database in memory"),
            ("DATABASE_URL", "sqlite://file:hunter2", "DATABASE_URL carries parameters"),
            ("DATABASE_URL", "sqlite://x.db?key=hunter2", "DATABASE_URL carries parameters"),
            ("SIGNING_KEY", "hunter2", "SIGNING_KEY holds a key of 7 bytes; it has to be at least 32"),
            ("SIGNING_KEY", "", "SIGNING_KEY holds a key of 0 bytes"),
            ("SIGNING_KEY_PREVIOUS", "hunter2", "SIGNING_KEY_PREVIOUS holds a key of 7 bytes"),
        ];
        for (variable, value, expected) in cases {
            let sentence = refusal(&[(variable, value)]);
            assert!(sentence.starts_with(expected), "{variable}={value}: {sentence}");
            assert!(sentence.ends_with('.') && !sentence.contains("hunter2"), "{sentence}");
        }
    }

    #[test]
    fn a_signing_key_and_a_file_of_it_exclude_each_other() {
        let sentence = refusal(&[("SIGNING_KEY", KEY), ("SIGNING_KEY_FILE", "/run/secrets/key")]);
        assert_eq!(sentence, "SIGNING_KEY and SIGNING_KEY_FILE are both set; give only one of them.");
    }

    #[test]
    fn databases_are_told_apart_by_their_scheme() {
        for (url, expected) in [
            ("sqlite://wellmet.db", "wellmet.db"),
            ("sqlite://./data/wellmet.db", "./data/wellmet.db"),
            ("sqlite:///srv/well met.db", "/srv/well met.db"),
            ("  sqlite://wellmet.db\r\n", "wellmet.db"),
        ] {
            let database = config(&[("DATABASE_URL", url)]).unwrap().database;
            assert!(matches!(&database, Database::Sqlite { path } if path == Path::new(expected)), "{database:?}");
        }
        for url in ["postgres://ada:hunter2@db:5432/wellmet", "postgresql:///wellmet?host=/run/postgresql"] {
            let database = config(&[("DATABASE_URL", url)]).unwrap().database;
            assert!(matches!(database, Database::Postgres { url: kept } if kept.expose_secret() == url));
        }
    }

    #[test]
    fn right_values_are_taken() {
        let config = config(&[
            ("BIND", "[::]:0"),
            ("SIGNING_KEY_FILE", "/run/secrets/key"),
            ("SIGNING_KEY_PREVIOUS", &format!(" {KEY}\n")),
            ("ALLOW_REGISTRATION", "false"),
            ("TRUSTED_PROXIES", "10.0.0.1, 192.168.7.9/16,2001:db8::/32"),
            (
                "CORS_ORIGINS",
                "https://app.example.com, http://localhost:5173,capacitor://localhost,http://[::1]:3000",
            ),
            ("LOG_FORMAT", "json"),
            ("LOG", "warn,wellmet=debug,[request{id=1}]=trace"),
            ("RATE_LIMITS", "off"),
            ("READ_POOL_SIZE", "100"),
            ("WORKERS", "3"),
            ("MAX_CONNECTIONS", "1"),
            ("BUSY_TIMEOUT_MILLISECONDS", "0"),
        ])
        .unwrap();
        assert_eq!(config.bind, "[::]:0".parse().unwrap());
        assert_eq!(config.signing_key_file.as_deref(), Some(Path::new("/run/secrets/key")));
        assert_eq!(config.signing_key_previous.as_ref().unwrap().expose_secret(), KEY);
        assert_eq!(config.allow_registration, Some(false));
        assert_eq!(
            config.cors_origins,
            CorsOrigins::List(
                ["https://app.example.com", "http://localhost:5173", "capacitor://localhost", "http://[::1]:3000"]
                    .map(str::to_owned)
                    .to_vec()
            )
        );
        assert_eq!(config.log_format, LogFormat::Json);
        assert!(!config.rate_limits);
        assert_eq!(config.read_pool_size, 100);
        assert_eq!(config.workers, 3);
        assert_eq!(config.max_connections_per_worker(), 1);
        assert_eq!(config.busy_timeout_milliseconds, 0);
        for (peer, expected) in [
            ("10.0.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("10.0.0.2", false),
            ("192.168.1.1", true),
            ("2001:db8::7", true),
            ("2001:db9::7", false),
        ] {
            assert_eq!(config.trusts_proxy(peer.parse().unwrap()), expected, "{peer}");
        }
    }

    #[test]
    fn no_proxy_is_trusted_unless_named() {
        let config = config(&[("TRUSTED_PROXIES", "")]).unwrap();
        assert!(!config.trusts_proxy("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn connections_are_shared_out_among_the_workers() {
        let shared = |connections, workers| {
            config(&[("MAX_CONNECTIONS", connections), ("WORKERS", workers)]).unwrap().max_connections_per_worker()
        };
        assert_eq!(shared("10000", "4"), 2_500);
        assert_eq!(shared("10", "4"), 3);
        assert_eq!(shared("1", "1024"), 1);
    }

    #[test]
    fn debug_shows_no_secret() {
        let values = [
            ("DATABASE_URL", "postgres://ada:hunter2hunter2@db/wellmet"),
            ("SIGNING_KEY", "hunter2hunter2hunter2hunter2hunter2"),
            ("SIGNING_KEY_PREVIOUS", "hunter2hunter2hunter2hunter2hunter2"),
        ];
        assert!(!format!("{:#?}", config(&values).unwrap()).contains("hunter2"));
        let cli =
            Cli::try_parse_from(["wellmet", "--signing-key", "hunter2", "--database-url", "hunter2"]).unwrap();
        assert!(!format!("{cli:#?}").contains("hunter2"));
    }

    #[test]
    fn a_configuration_for_tests_is_valid() {
        let config = Config::for_test("sqlite://x.db");
        assert_eq!(config.bind.port(), 0);
        assert!(!config.rate_limits);
        assert_eq!(config.read_pool_size, 4);
        assert_eq!(config.log_filter, "warn");
    }

    #[test]
    fn the_commands_and_flags_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn settings_may_stand_before_and_after_the_command() {
        for arguments in [
            ["wellmet", "--bind", "[::1]:1", "user", "reset-password", "--email", "a@b.c"],
            ["wellmet", "user", "reset-password", "--email", "a@b.c", "--bind", "[::1]:1"],
        ] {
            let cli = Cli::try_parse_from(arguments).unwrap();
            assert_eq!(text(&cli.settings.bind), Some("[::1]:1"));
            assert_eq!(
                cli.command,
                Some(Command::User(UserCommand::ResetPassword {
                    email: "a@b.c".to_owned(),
                    password_stdin: false
                }))
            );
        }
    }

    #[test]
    fn commands_are_read_with_their_arguments() {
        let command = |arguments: &str| Cli::try_parse_from(arguments.split(' ')).unwrap().command;
        assert_eq!(command("wellmet"), None);
        assert_eq!(command("wellmet serve"), Some(Command::Serve));
        assert_eq!(command("wellmet migrate"), Some(Command::Migrate));
        assert_eq!(command("wellmet openapi --check"), Some(Command::Openapi { check: true, write: false }));
        assert_eq!(command("wellmet version"), Some(Command::Version));
        assert_eq!(
            command("wellmet token create --email a@b.c --name n --scope contacts:read,goals:write --scope x"),
            Some(Command::Token(TokenCommand::Create {
                email: "a@b.c".to_owned(),
                name: "n".to_owned(),
                scope: ["contacts:read", "goals:write", "x"].map(str::to_owned).to_vec(),
                expires_in_days: None,
            }))
        );
        assert_eq!(
            command("wellmet user create --email a@b.c --name n --time-zone Europe/Warsaw --password-stdin"),
            Some(Command::User(UserCommand::Create {
                email: "a@b.c".to_owned(),
                name: "n".to_owned(),
                time_zone: Some("Europe/Warsaw".to_owned()),
                locale: None,
                password_stdin: true,
            }))
        );
    }

    #[test]
    fn what_is_no_command_ends_with_exit_code_2() {
        for arguments in [
            "wellmet serv",
            "wellmet --binb 127.0.0.1:1",
            "wellmet user",
            "wellmet user create --email a@b.c",
            "wellmet user create --email a@b.c --name n --password secret",
            "wellmet token create --email a@b.c --name n",
            "wellmet token create --email a@b.c --name n --scope x --expires-in-days 0",
        ] {
            let error = Cli::try_parse_from(arguments.split(' ')).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{arguments}");
        }
    }

    #[test]
    fn what_is_given_goes_before_the_env_file() {
        let mut settings = Settings { bind: Some("[::1]:1".into()), ..Settings::default() };
        settings.fill_from(&mut parse_dotenv("BIND=[::1]:2\nLOG=warn\nPOSTGRES_PASSWORD=x").unwrap());
        let config = Config::from_settings(settings).unwrap();
        assert_eq!(config.bind, "[::1]:1".parse().unwrap());
        assert_eq!(config.log_filter, "warn");
    }

    #[test]
    fn an_env_file_is_read_in_each_of_its_forms() {
        let values = parse_dotenv(
            "# a comment\n\nexport A=1\r\nB = 'a $b # c'\nC=\"two\nlines\"\nD=x # comment\nE=\nF='a\\b'\n",
        )
        .unwrap();
        let value = |variable: &str| values[variable].expose_secret();
        assert_eq!(["A", "B", "C", "D", "E", "F"].map(value), ["1", "a $b # c", "two\nlines", "x", "", "a\\b"]);
    }

    #[test]
    fn a_malformed_env_file_is_refused_by_line_without_showing_it() {
        for (content, expected) in [
            ("LOG=info\n\n# x hunter2\nSIGNING_KEY hunter2\n", "Line 4 of the file .env is not NAME=value"),
            ("SIGNING_KEY=hunter2 hunter3", "Line 1 of the file .env is not NAME=value"),
            ("LOG=info\nSIGNING_KEY='hunter2\nBIND=x", "Line 2 of the file .env is not NAME=value"),
            ("1A=hunter2", "Line 1 of the file .env is not NAME=value"),
            ("A=hunter\\2", "Line 1 of the file .env is not NAME=value"),
            ("LOG=info\nLOG=hunter2", "The file .env gives LOG more than once."),
        ] {
            let sentence = parse_dotenv(content).unwrap_err().to_string();
            assert!(sentence.starts_with(expected), "{content:?}: {sentence}");
            assert!(sentence.ends_with('.') && !sentence.contains("hunter"), "{sentence}");
        }
    }

    #[test]
    fn an_env_file_may_be_missing_or_start_with_a_byte_order_mark_but_has_to_be_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DOTENV);
        assert!(read_dotenv(&path).unwrap().is_empty());
        assert!(read_dotenv(folder.path()).unwrap().is_empty());
        fs::write(&path, "\u{feff}LOG=warn\n").unwrap();
        assert_eq!(read_dotenv(&path).unwrap()["LOG"].expose_secret(), "warn");
        fs::write(&path, b"LOG=\xff\n").unwrap();
        let sentence = read_dotenv(&path).unwrap_err().to_string();
        assert!(sentence.starts_with("The file .env cannot be read: "), "{sentence}");
    }

    #[test]
    fn the_example_file_and_the_flags_know_the_same_settings() {
        let flags: BTreeSet<String> = Cli::command()
            .get_arguments()
            .filter_map(|argument| Some(argument.get_env()?.to_str().unwrap().to_owned()))
            .collect();
        let names = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
        let example: Vec<&str> = example().into_iter().map(|(variable, _)| variable).collect();
        assert_eq!(example.len(), flags.len());
        assert_eq!(names(example), flags);
        let mut settings = Settings::default();
        assert_eq!(names(settings.by_variable().map(|(variable, _)| variable).to_vec()), flags);
    }

    #[test]
    fn the_table_of_settings_names_each_by_its_own_variable() {
        let command = Cli::command();
        for (variable, _) in Settings::default().by_variable() {
            let argument =
                command.get_arguments().find(|argument| argument.get_env().is_some_and(|env| env == variable));
            let flag = format!("--{}=mark", argument.unwrap().get_long().unwrap());
            let mut settings = Cli::try_parse_from(["wellmet", &flag]).unwrap().settings;
            let marked: Vec<&str> = settings
                .by_variable()
                .into_iter()
                .filter(|(_, setting)| text(setting) == Some("mark"))
                .map(|(variable, _)| variable)
                .collect();
            assert_eq!(marked, [variable]);
        }
    }

    #[test]
    fn the_values_in_the_example_file_and_in_the_help_are_the_defaults() {
        let values: Vec<_> = example().into_iter().filter(|(_, value)| !value.is_empty()).collect();
        assert_eq!(format!("{:?}", config(&values).unwrap()), format!("{:?}", config(&[]).unwrap()));
        for argument in Cli::command().get_arguments() {
            let Some(variable) = argument.get_env() else {
                continue;
            };
            let help = argument.get_help().unwrap().to_string();
            match values.iter().find(|(name, _)| variable == *name) {
                Some((_, value)) => {
                    assert!(help.contains(&format!("[default: {value}]")), "{help}")
                }
                None => assert!(!help.contains("[default"), "{help}"),
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_setting_panic_or_pass_for_several_sentences(index in 0usize..18, value in any::<String>()) {
            let variable = Settings::default().by_variable()[index].0;
            if let Err(error) = config(&[(variable, &value)]) {
                let sentence = error.to_string();
                prop_assert!(sentence.starts_with(variable));
                prop_assert!(!sentence.contains('\n'));
            }
        }

        #[test]
        fn no_content_makes_the_env_file_panic(content in "[A-C =#'\"\\\\$\n]{0,40}") {
            let _ = parse_dotenv(&content);
        }
    }
}
