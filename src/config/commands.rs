//! The command line: commands, their arguments, and how they and the settings are read. What a command does is in
//! `cli.rs`.

use std::env;
use std::ffi::OsString;
use std::path::Path;

use clap::builder::Resettable;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::dotenv;
use super::error::ConfigError;
use super::settings::Config;

/// The backend for people who build a career through people.
#[derive(Debug, Parser)]
#[command(
    name = "wellmet",
    version,
    after_help = "\
Each setting comes from its flag, else its environment variable, else the file .env in the working
directory, else its default. An invalid value stops wellmet with one sentence and exit code 2.
Every user of the machine can see flags: pass secrets in the environment, .env or a file.

Examples:
  wellmet                                            Serve on 127.0.0.1:8080 from ./wellmet.db
  wellmet serve --bind 0.0.0.0:8080                  Serve on every interface
  DATABASE_URL=postgres://app@db/wellmet wellmet     Serve from PostgreSQL
  wellmet user create --email ada@example.com --name 'Ada Lovelace'
  wellmet token create --email ada@example.com --name backup --scope contacts:read"
)]
pub struct Cli {
    #[command(flatten)]
    pub config: Config,
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// The arguments, `.env` and the environment of this process.
    pub fn read() -> Result<Self, ConfigError> {
        match Self::with_environment() {
            read @ (Ok(_) | Err(ConfigError::Usage(_))) => read,
            Err(error) => {
                let bare = Self::command().mut_args(|argument| argument.env(Resettable::Reset));
                match Self::parse_arguments(bare, env::args_os()) {
                    // Neither uses a setting, so no invalid one stops it.
                    Ok(cli) if matches!(cli.command, Some(Command::Openapi { .. } | Command::Version)) => Ok(cli),
                    usage @ Err(ConfigError::Usage(_)) => usage,
                    _ => Err(error),
                }
            }
        }
    }

    fn with_environment() -> Result<Self, ConfigError> {
        dotenv::load(Path::new(dotenv::FILE))?;
        let command = Self::command();
        // clap refuses such a value too, but does not name the variable.
        for variable in command.get_arguments().filter_map(clap::Arg::get_env) {
            if env::var_os(variable).is_some_and(|value| value.to_str().is_none()) {
                return Err(ConfigError::NotText { variable: variable.to_string_lossy().into_owned() });
            }
        }
        Self::parse_arguments(command, env::args_os())
    }

    pub(super) fn parse_arguments<S>(
        mut command: clap::Command,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Self, ConfigError>
    where
        S: Into<OsString> + Clone,
    {
        let cli = command
            .try_get_matches_from_mut(arguments)
            .and_then(|matches| Self::from_arg_matches(&matches))
            .map_err(|error| {
                ConfigError::of_setting(&error, Self::command()).unwrap_or(ConfigError::Usage(error))
            })?;
        cli.config.check()?;
        Ok(cli)
    }
}

/// What `wellmet` does; `serve` by default.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve the HTTP API (the default).
    Serve,
    /// Bring the database up to date and exit.
    ///
    /// `serve` does this on start; run it beforehand to migrate as a separate step.
    Migrate,
    /// Check that what is stored agrees with itself, and exit with code 1 if it does not.
    ///
    /// SQLite: the file, its references, and the records against the log of changes; stop the server first, or check a copy.
    /// PostgreSQL: the records against the log. Brings the database up to date first. Reads everything.
    Check,
    /// Print the OpenAPI document.
    Openapi {
        /// Print nothing; fail if openapi/openapi.json or openapi/errors.md differs from the code.
        #[arg(long)]
        check: bool,
        /// Write openapi/openapi.json and openapi/errors.md instead of printing.
        #[arg(long, conflicts_with = "check")]
        write: bool,
    },
    /// Manage users.
    #[command(subcommand)]
    User(UserCommand),
    /// Manage personal access tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Create a demo account with a year of made-up data, and print how to use it.
    ///
    /// A workspace of 200 contacts and 60 organizations with positions, relationships, needs, some 1,000 interactions,
    /// follow-ups in every state and follow-up plans. The same for the same seed and day, apart from secrets.
    #[command(after_help = "\
Examples:
  wellmet demo
  wellmet demo --on 2026-03-02 --seed 7 --email second-demo@example.com")]
    Demo {
        /// Email address of the account, which must not exist yet.
        #[arg(long, value_name = "ADDRESS", default_value = "demo@example.com")]
        email: String,
        /// The day on which the year ends, for example 2026-03-02 [default: today]
        #[arg(long, value_name = "DATE")]
        on: Option<String>,
        /// Another number makes another year.
        #[arg(long, value_name = "NUMBER", default_value_t = 1)]
        seed: u64,
    },
    /// List background jobs: the number by kind and state, and the dead ones with their last error.
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "\
Examples:
  wellmet jobs
  wellmet jobs retry 01939d5e-8c00-7000-8000-0000000000a1
  wellmet jobs retry --all"
    )]
    Jobs {
        #[command(subcommand)]
        command: Option<JobsCommand>,
    },
    /// Print the version.
    Version,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum UserCommand {
    /// Create a user with a workspace, even if registration is closed.
    #[command(after_help = "\
Examples:
  wellmet user create --email ada@example.com --name 'Ada Lovelace' --time-zone Europe/London
  wellmet user create --email ada@example.com --name 'Ada Lovelace' --password-stdin < password.txt")]
    Create {
        /// Email address to log in with.
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// Display name.
        #[arg(long)]
        name: String,
        /// IANA time zone, for example Europe/Warsaw [default: UTC]
        #[arg(long, value_name = "ZONE")]
        time_zone: Option<String>,
        /// Language as a BCP 47 tag, for example en-GB [default: en]
        #[arg(long, value_name = "TAG")]
        locale: Option<String>,
        /// Read the password from the first line of standard input, without a prompt.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Set a new password, and end the user's sessions, tokens and calendar feeds.
    ResetPassword {
        /// Email address the user logs in with.
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// Read the password from the first line of standard input, without a prompt.
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum JobsCommand {
    /// Run dead jobs again, with a full set of attempts.
    Retry {
        /// Id of the job, as `wellmet jobs` prints it.
        #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
        id: Option<uuid::Uuid>,
        /// Retry every dead job.
        #[arg(long)]
        all: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum TokenCommand {
    /// Create a personal access token and print it. It cannot be shown again.
    #[command(after_help = "\
Example:
  wellmet token create --email ada@example.com --name backup --scope contacts:read,account:read")]
    Create {
        /// Email address of the user it acts for.
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// Name that says what the token is for.
        #[arg(long)]
        name: String,
        /// Scope, AREA:read or AREA:write. Separate several with commas, or repeat the flag.
        #[arg(long, required = true, value_delimiter = ',', value_name = "SCOPE")]
        scope: Vec<String>,
        /// Days until the token expires, 1 to 36500. Without it, the token never expires.
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        expires_in_days: Option<u32>,
    },
}
