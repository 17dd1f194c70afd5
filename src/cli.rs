//! The commands of the `wellmet` binary: their input and output. The work is done elsewhere.

use chrono::Datelike;
use secrecy::SecretString;
use std::fs;
use std::io::{IsTerminal, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use crate::api::http::auth::passwords;
use crate::api::http::messages::problem;
use crate::api::tokens::new_token;
use crate::app::{App, StartError, open_store};
use crate::clock::SystemClock;
use crate::config::{Cli, Command, Config, ConfigError, JobsCommand, TokenCommand, UserCommand};
use crate::domain::account::{NewPassword, UserFields};
use crate::domain::count::pluralize;
use crate::domain::email::EmailAddress;
use crate::domain::fields::parse_day;
use crate::domain::id::JobId;
use crate::domain::invalid::{Invalid, Rejection};
use crate::domain::job::JobState;
use crate::domain::scope::SCOPES;
use crate::domain::secret;
use crate::service::demo::{self, Demo, Made};
use crate::store::{Conflict, Error as StoreError};
use crate::store::{accounts, check, jobs, sessions};
use crate::telemetry;

/// Why a command failed: one sentence, and the exit code.
struct Failure {
    sentence: String,
    code: u8,
}

/// The exit code for a mistake of the caller; 1 is for any other failure.
const USAGE: u8 = 2;

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self { sentence: error.to_string(), code: USAGE }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let code = if matches!(error, StartError::Config(_)) { USAGE } else { 1 };
        Self { sentence: error.to_string(), code }
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self { sentence: rejection.detail, code: USAGE }
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        Self { sentence: invalid.to_string(), code: USAGE }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let sentence = match error {
            StoreError::NotFound => "no user has this e-mail address".to_owned(),
            StoreError::Conflict(Conflict::EmailTaken) => {
                "a user with this e-mail address already exists".to_owned()
            }
            other => other.to_string(),
        };
        Self { sentence, code: 1 }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self { sentence: error.to_string(), code: 1 }
    }
}

fn failure(sentence: impl Into<String>) -> Failure {
    Failure { sentence: sentence.into(), code: 1 }
}

/// Runs the command line of this process.
#[allow(clippy::print_stderr, reason = "the one sentence of a failed command")]
pub fn run() -> ExitCode {
    let done = match Cli::read() {
        Err(ConfigError::Usage(usage)) => usage.exit(),
        read => read.map_err(Failure::from).and_then(dispatch),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { sentence, code }) => {
            eprintln!("wellmet: {sentence}");
            ExitCode::from(code)
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), Failure> {
    let Cli { config, command } = cli;
    match command.unwrap_or(Command::Serve) {
        Command::Version => print(&format!("wellmet {}", env!("CARGO_PKG_VERSION"))),
        Command::Openapi { check, write } => openapi(check, write),
        Command::Serve => serve(with_log(config)?),
        Command::Migrate => {
            open_store(&with_log(config)?, Arc::new(SystemClock))?;
            print("The database is up to date.")
        }
        Command::Check => check_database(with_log(config)?),
        Command::User(UserCommand::Create { email, name, time_zone, locale, password_stdin }) => {
            let default = UserFields::default();
            let fields = UserFields {
                name,
                time_zone: time_zone.unwrap_or(default.time_zone),
                locale: locale.unwrap_or(default.locale),
                ..UserFields::default()
            };
            create_user(with_log(config)?, &email, fields, password_stdin)
        }
        Command::User(UserCommand::ResetPassword { email, password_stdin }) => {
            reset_password(with_log(config)?, &email, password_stdin)
        }
        Command::Token(TokenCommand::Create { email, name, scope, expires_in_days }) => {
            create_token(with_log(config)?, &email, &name, &scope, expires_in_days)
        }
        Command::Demo { email, on, seed } => create_demo(with_log(config)?, &email, on.as_deref(), seed),
        Command::Jobs { command: None } => list_jobs(with_log(config)?),
        Command::Jobs { command: Some(JobsCommand::Retry { id, all: _ }) } => retry_jobs(with_log(config)?, id),
    }
}

/// The configuration, once the log is set up as it says.
fn with_log(config: Config) -> Result<Config, Failure> {
    telemetry::init(&config).map_err(|error| failure(error.to_string()))?;
    Ok(config)
}

fn print(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        // The reader has read enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Failure::from),
    }
}

fn serve(config: Config) -> Result<(), Failure> {
    let bind = config.bind;
    let app = App::start(config, Arc::new(SystemClock))?;
    let listener =
        TcpListener::bind(bind).map_err(|error| failure(format!("cannot listen on BIND={bind}: {error}")))?;
    let address = listener.local_addr()?;
    app.run(listener, || {
        // A closed standard output is no reason not to serve.
        drop(print(&format!("Wellmet listens on http://{address}\nDocumentation: http://{address}/docs/")));
    })?;
    Ok(())
}

/// Prints, writes or checks the two files that are generated from the code.
fn openapi(check: bool, write: bool) -> Result<(), Failure> {
    let document = crate::api::document_text().map_err(|error| failure(error.to_string()))?;
    if !check && !write {
        return print(document.trim_end());
    }
    let files = [("openapi/openapi.json", document), ("openapi/errors.md", problem::catalog_markdown())];
    for (path, made) in files {
        let path = Path::new(path);
        if write {
            fs::write(path, made)?;
        } else if fs::read_to_string(path).unwrap_or_default() != made {
            let path = path.display();
            return Err(failure(format!("{path} differs from the code; run `wellmet openapi --write`")));
        }
    }
    Ok(())
}

/// Runs one database operation to its end.
fn block_on<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(work)?)
}

fn check_database(config: Config) -> Result<(), Failure> {
    let store = open_store(&config, Arc::new(SystemClock))?;
    let faults = block_on(store.read_for_long(check::faults))?;
    if faults.is_empty() {
        return print("No faults found.");
    }
    faults.iter().try_for_each(|fault| print(fault))?;
    Err(failure(format!("found {}", pluralize(faults.len(), "fault", "faults"))))
}

fn create_user(config: Config, email: &str, fields: UserFields, password_stdin: bool) -> Result<(), Failure> {
    let (email, fields) = (EmailAddress::parse(email)?.standard()?, fields.checked()?);
    let store = open_store(&config, Arc::new(SystemClock))?;
    let password = new_password(password_stdin, &[email.as_str(), &fields.name])?;
    let hash = passwords::hash(password.expose()).map_err(|error| failure(error.to_string()))?;
    let address = email.as_str().to_owned();
    block_on(store.account_write(move |tx| accounts::create_account(tx, &email, &hash, fields).map(drop)))?;
    print(&format!("Created the user {address}."))
}

fn reset_password(config: Config, email: &str, password_stdin: bool) -> Result<(), Failure> {
    let email = EmailAddress::parse(email)?;
    let store = open_store(&config, Arc::new(SystemClock))?;
    let password = new_password(password_stdin, &[email.as_str()])?;
    let hash = passwords::hash(password.expose()).map_err(|error| failure(error.to_string()))?;
    let address = email.as_str().to_owned();
    let (user, _) =
        block_on(store.read(move |conn| accounts::find_by_email(conn, &email)?.ok_or(StoreError::NotFound)))?;
    block_on(store.account_write(move |tx| {
        accounts::set_password(tx, user.id, &hash)?;
        sessions::end_other_sessions(tx, user.id, None)?;
        crate::store::tokens::delete_tokens(tx, user.id)
    }))?;
    print(&format!(
        "Reset the password of {address}; all sessions, tokens and calendar feeds of this user have ended."
    ))
}

fn create_token(
    config: Config,
    email: &str,
    name: &str,
    scopes: &[String],
    expires_in_days: Option<u32>,
) -> Result<(), Failure> {
    let email = EmailAddress::parse(email)?;
    let store = open_store(&config, Arc::new(SystemClock))?;
    let now = store.now();
    let expires_at = expires_in_days.map(|days| now.plus(chrono::TimeDelta::days(i64::from(days))));
    let new = new_token(name, scopes, expires_at, now)?;
    let secret = secret::generate(secret::PERSONAL_TOKEN, &store.random().map_err(Failure::from)?);
    let kept = secret.clone();
    let (user, home) = block_on(store.read(move |conn| {
        let (user, _) = accounts::find_by_email(conn, &email)?.ok_or(StoreError::NotFound)?;
        let home = accounts::home(conn, user.id)?.ok_or(StoreError::NotFound)?;
        Ok((user.id, home))
    }))?;
    block_on(
        store.account_write(move |tx| crate::store::tokens::create_token(tx, home, user, new, &kept).map(drop)),
    )?;
    print(&secret)
}

/// Creates a demo account, and prints how to call the server as it.
fn create_demo(config: Config, email: &str, on: Option<&str>, seed: u64) -> Result<(), Failure> {
    let email = EmailAddress::parse(email)?;
    let on = on.map(parse_day).transpose()?;
    let bind = config.bind;
    let store = open_store(&config, Arc::new(SystemClock))?;
    let on = on.unwrap_or_else(|| store.now().instant().date_naive());
    if !(1971..=9000).contains(&on.year()) {
        return Err(Failure { sentence: "--on must be in the years from 1971 to 9000".to_owned(), code: USAGE });
    }
    let address = email.as_str().to_owned();
    let own = email.clone();
    if block_on(store.read(move |conn| accounts::find_by_email(conn, &own)))?.is_some() {
        return Err(failure(format!("the user {address} already exists; choose another address with --email")));
    }
    let password = secret::generate("", &store.random().map_err(Failure::from)?);
    let hash = passwords::hash(&password).map_err(|error| failure(error.to_string()))?;
    let made = block_on(demo::create(&store, Demo { email, password: hash, on, seed }))?;
    let scopes: Vec<String> = SCOPES.iter().map(ToString::to_string).collect();
    let new = new_token("demo", &scopes, None, store.now())?;
    let token = secret::generate(secret::PERSONAL_TOKEN, &store.random().map_err(Failure::from)?);
    let kept = token.clone();
    let Made { user, workspace } = made;
    block_on(
        store.account_write(move |tx| {
            crate::store::tokens::create_token(tx, workspace, user, new, &kept).map(drop)
        }),
    )?;
    print(&format!(
        "Created the demo account {address}, whose year ends on {on}.\n\n\
         Password: {password}\n\
         Token:    {token}\n\n\
         Start the server with `wellmet`, then try:\n\n  \
         curl -H 'Authorization: Bearer {token}' 'http://{bind}/v1/today'"
    ))
}

/// Prints how many jobs there are, and the dead ones, newest first.
fn list_jobs(config: Config) -> Result<(), Failure> {
    let store = open_store(&config, Arc::new(SystemClock))?;
    let (counts, dead) = block_on(store.read(|conn| Ok((jobs::counts(conn)?, jobs::dead(conn)?))))?;
    if counts.is_empty() {
        return print("There are no jobs waiting, running or dead.");
    }
    let mut lines: Vec<String> =
        counts.iter().map(|count| format!("{} {} {}", count.count, count.kind, count.state.as_str())).collect();
    let all_dead: i64 = counts.iter().filter(|count| count.state == JobState::Dead).map(|count| count.count).sum();
    if !dead.is_empty() {
        let shown = i64::try_from(dead.len()).unwrap_or(i64::MAX);
        let which = if shown < all_dead { format!(", the last {shown}") } else { String::new() };
        lines.extend([String::new(), format!("Dead jobs{which}:")]);
    }
    for job in dead {
        let since = job.finished_at.map(|at| format!(" {at}")).unwrap_or_default();
        let error = job.last_error.unwrap_or_default().replace(['\n', '\r'], " ");
        lines.push(format!("{} {}{since} attempts={} error: {error}", job.id, job.kind, job.attempts));
    }
    print(&lines.join("\n"))
}

/// Enqueues one dead job again, or all of them.
fn retry_jobs(config: Config, id: Option<uuid::Uuid>) -> Result<(), Failure> {
    let store = open_store(&config, Arc::new(SystemClock))?;
    let Some(id) = id else {
        let count = block_on(store.account_write(jobs::retry_all))?;
        return print(&format!("{count} dead jobs will run again."));
    };
    let retried = block_on(store.account_write(move |tx| match jobs::retry(tx, JobId::new(id)) {
        Err(StoreError::NotFound) => Ok(false),
        other => other.map(|()| true),
    }))?;
    match retried {
        true => print(&format!("The job {id} will run again.")),
        false => Err(failure(format!("there is no dead job {id}"))),
    }
}

/// The first line of standard input, after a prompt if that is a terminal.
#[allow(clippy::print_stderr, reason = "the prompt for whoever sits at the terminal")]
fn new_password(password_stdin: bool, known: &[&str]) -> Result<NewPassword, Failure> {
    if !password_stdin && std::io::stdin().is_terminal() {
        eprint!("New password (at least {} characters, shown as you type): ", NewPassword::MIN_CHARACTERS);
        std::io::stderr().flush()?;
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let line = SecretString::from(line.trim_end_matches(['\r', '\n']));
    Ok(NewPassword::parse(secrecy::ExposeSecret::expose_secret(&line), known)?)
}
