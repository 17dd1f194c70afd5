//! Tests of the settings, the file `.env` and the command line; how a process reports them is in `tests/api/start.rs`.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, thread};

use clap::CommandFactory;
use clap::builder::Resettable;
use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::dotenv::{self, check};
use super::*;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const EXAMPLE: &str = include_str!("../../.env.example");

/// What these variables lead to, each given as its flag.
fn config(values: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let flag =
        |(variable, value): &(&str, &str)| format!("--{}={value}", variable.to_lowercase().replace('_', "-"));
    Config::from_flags(values.iter().map(flag))
}

fn cli(arguments: &str) -> Result<Cli, ConfigError> {
    let command = Cli::command().mut_args(|argument| argument.env(Resettable::Reset));
    Cli::parse_arguments(command, arguments.split(' '))
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
    assert!(matches!(&config.database, Database::Sqlite { path } if path == Path::new("wellmet.db")));
    assert_eq!(config.bind, "127.0.0.1:8080".parse().unwrap());
    assert!(config.signing_key.is_none());
    assert_eq!(config.signing_key_file, None);
    assert!(config.signing_key_previous.is_none());
    assert_eq!(config.allow_registration, None);
    assert!(!config.trusts_proxy("127.0.0.1".parse().unwrap()));
    assert_eq!(config.cors_origins, CorsOrigins::Any);
    assert_eq!(config.log_format, LogFormat::Text);
    assert_eq!(config.log_filter, "info");
    assert!(!config.metrics_for_all);
    assert!(config.metrics_token.is_none());
    assert!(config.rate_limits);
    assert_eq!(config.requests_per_minute, 12_000);
    assert_eq!(config.read_pool_size, 8);
    assert_eq!(config.worker_count(), thread::available_parallelism().unwrap().get());
    assert_eq!(config.max_connections, 10_000);
    assert_eq!(config.pool_timeout_seconds, 5);
    assert_eq!(config.body_timeout_seconds, 10);
    assert_eq!(config.shutdown_timeout_seconds, 25);
    assert_eq!(config.busy_timeout_milliseconds, 5_000);
}

#[test]
fn every_wrong_value_is_refused_with_a_sentence_that_names_it() {
    let cases = [
        ("BIND", "localhost:8080", "BIND is \"localhost:8080\"; it must be an IP address and a port"),
        ("BIND", "127.0.0.1", "BIND is"),
        ("BIND", ":8080", "BIND is"),
        ("BIND", "127.0.0.1:65536", "BIND is"),
        ("BIND", "", "BIND is \"\""),
        ("SIGNING_KEY_FILE", " ", "SIGNING_KEY_FILE is \"\"; it must be the path of a file."),
        ("ALLOW_REGISTRATION", "yes", "ALLOW_REGISTRATION is \"yes\"; it must be true or false."),
        ("ALLOW_REGISTRATION", "True", "ALLOW_REGISTRATION is"),
        ("ALLOW_REGISTRATION", "", "ALLOW_REGISTRATION is"),
        (
            "TRUSTED_PROXIES",
            "10.0.0.0/33",
            "TRUSTED_PROXIES is \"10.0.0.0/33\"; it must be comma-separated IP addresses",
        ),
        ("TRUSTED_PROXIES", "10.0.0.1,proxy.example.com", "TRUSTED_PROXIES is \"proxy.example.com\""),
        ("TRUSTED_PROXIES", "10.0.0.1,", "TRUSTED_PROXIES is \"\""),
        ("CORS_ORIGINS", "", "CORS_ORIGINS is \"\"; it must be * alone, or comma-separated origins"),
        ("CORS_ORIGINS", "app.example.com", "CORS_ORIGINS is"),
        ("CORS_ORIGINS", "https://a.example,*", "CORS_ORIGINS is \"*\""),
        ("CORS_ORIGINS", "https://*.example.com", "CORS_ORIGINS is"),
        ("CORS_ORIGINS", "null", "CORS_ORIGINS is"),
        ("CORS_ORIGINS", "file:///", "CORS_ORIGINS is"),
        (
            "CORS_ORIGINS",
            "https://app.example.com/",
            "CORS_ORIGINS is \"https://app.example.com/\"; it must be written as a browser sends it, \
             https://app.example.com.",
        ),
        ("CORS_ORIGINS", "https://app.example.com/app", "CORS_ORIGINS is"),
        ("CORS_ORIGINS", "https://app.example.com?x", "CORS_ORIGINS is"),
        ("CORS_ORIGINS", "https://app.example.com:443", "CORS_ORIGINS is"),
        ("CORS_ORIGINS", "https://App.example.com", "CORS_ORIGINS is"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT is \"xml\"; it must be text or json."),
        ("LOG", "", "LOG is \"\"; it must be a level"),
        ("LOG", "inof", "LOG is \"inof\""),
        ("LOG", "info,wellmet=debgu", "LOG is"),
        ("LOG", "wellmet", "LOG is"),
        ("LOG", "info,[", "LOG is"),
        ("RATE_LIMITS", "false", "RATE_LIMITS is \"false\"; it must be on or off."),
        ("READ_POOL_SIZE", "0", "READ_POOL_SIZE is \"0\"; it must be a whole number from 1 to 100."),
        ("READ_POOL_SIZE", "101", "READ_POOL_SIZE is"),
        ("READ_POOL_SIZE", "eight", "READ_POOL_SIZE is"),
        ("READ_POOL_SIZE", "", "READ_POOL_SIZE is"),
        ("WORKERS", "-1", "WORKERS is \"-1\"; it must be a whole number from 0 to 1024."),
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
        ("DATABASE_URL", "mysql://ada:hunter2@db/wellmet", "DATABASE_URL starts with neither"),
        ("DATABASE_URL", "ada:hunter2@db/wellmet", "DATABASE_URL starts with neither"),
        ("DATABASE_URL", "", "DATABASE_URL starts with neither"),
        ("DATABASE_URL", "sqlite:wellmet.db", "DATABASE_URL starts with neither"),
        ("DATABASE_URL", "sqlite://", "DATABASE_URL names no file"),
        ("DATABASE_URL", "sqlite:///srv/", "DATABASE_URL names no file"),
        ("DATABASE_URL", "sqlite://:memory:", "DATABASE_URL asks for an in-memory database"),
        ("DATABASE_URL", "sqlite://file:hunter2", "DATABASE_URL has parameters"),
        ("DATABASE_URL", "sqlite://x.db?key=hunter2", "DATABASE_URL has parameters"),
        ("SIGNING_KEY", "hunter2", "SIGNING_KEY holds a key of 7 bytes; it must be at least 32"),
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
    assert_eq!(sentence, "SIGNING_KEY and SIGNING_KEY_FILE are both set; set only one of them.");
}

#[test]
fn the_scheme_of_a_url_selects_the_database() {
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
        ("CORS_ORIGINS", "https://app.example.com, http://localhost:5173,capacitor://localhost,http://[::1]:3000"),
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
    assert_eq!(config.worker_count(), 3);
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
    let cli = cli("wellmet --signing-key hunter2hunter2hunter2hunter2hunter2").unwrap();
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
        "wellmet --bind [::1]:1 user reset-password --email a@b.c",
        "wellmet user reset-password --email a@b.c --bind [::1]:1",
    ] {
        let cli = cli(arguments).unwrap();
        assert_eq!(cli.config.bind, "[::1]:1".parse().unwrap());
        assert_eq!(
            cli.command,
            Some(Command::User(UserCommand::ResetPassword { email: "a@b.c".to_owned(), password_stdin: false }))
        );
    }
    let sentence = cli("wellmet --bind nowhere user reset-password --email a@b.c").unwrap_err().to_string();
    assert!(sentence.starts_with("BIND is \"nowhere\"; it must be"), "{sentence}");
    let sentence = cli("wellmet user reset-password --email a@b.c --bind nowhere").unwrap_err().to_string();
    assert!(sentence.starts_with("BIND is \"nowhere\"; it must be"), "{sentence}");
    let both = cli(&format!("wellmet --signing-key {KEY} serve --signing-key-file x")).unwrap_err();
    assert!(matches!(both, ConfigError::Both { .. }), "{both}");
}

#[test]
fn commands_are_read_with_their_arguments() {
    let command = |arguments: &str| cli(arguments).unwrap().command;
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
        let error = cli(arguments).unwrap_err();
        assert!(matches!(&error, ConfigError::Usage(usage) if usage.exit_code() == 2), "{arguments}: {error}");
    }
}

#[test]
fn a_malformed_env_file_is_refused_by_line_without_showing_it() {
    for (content, expected) in [
        ("LOG=info\n\n# x hunter2\nSIGNING_KEY hunter2\n", "Line 4 of the file .env is not NAME=value"),
        ("SIGNING_KEY=hunter2 hunter3", "Line 1 of the file .env is not NAME=value"),
        ("LOG=info\nSIGNING_KEY='hunter2\nBIND=x", "Line 2 of the file .env is not NAME=value"),
        ("1A=hunter2", "Line 1 of the file .env is not NAME=value"),
        ("A=hunter\\2", "Line 1 of the file .env is not NAME=value"),
        ("LOG=info\nLOG=hunter2", "The file .env sets LOG more than once."),
    ] {
        let sentence = check(content).unwrap_err().to_string();
        assert!(sentence.starts_with(expected), "{content:?}: {sentence}");
        assert!(sentence.ends_with('.') && !sentence.contains("hunter"), "{sentence}");
    }
}

#[test]
fn an_env_file_may_be_missing_or_start_with_a_byte_order_mark_but_has_to_be_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(dotenv::FILE);
    assert!(dotenv::read(&path).unwrap().is_empty());
    assert!(dotenv::read(folder.path()).unwrap().is_empty());
    fs::write(&path, "\u{feff}LOG=warn\n").unwrap();
    assert_eq!(dotenv::read(&path).unwrap(), "LOG=warn\n");
    fs::write(&path, b"LOG=\xff\n").unwrap();
    let sentence = dotenv::read(&path).unwrap_err().to_string();
    assert!(sentence.starts_with("Cannot read the file .env: "), "{sentence}");
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
}

#[test]
fn the_values_in_the_example_file_are_the_defaults() {
    for argument in Cli::command().get_arguments() {
        let Some(variable) = argument.get_env() else {
            continue;
        };
        let (_, value) = example().into_iter().find(|(name, _)| variable == *name).unwrap();
        let default = argument.get_default_values().first().map(|default| default.to_str().unwrap());
        assert_eq!(value, default.unwrap_or_default(), "{variable:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_setting_panic_or_pass_for_several_sentences((variable, _) in prop::sample::select(example()), value in any::<String>()) {
        if let Err(error) = config(&[(variable, &value)]) {
            let sentence = error.to_string();
            prop_assert!(sentence.starts_with(variable));
            prop_assert!(!sentence.contains('\n'));
        }
    }

    #[test]
    fn no_content_makes_the_env_file_panic(content in "[A-C =#'\"\\\\$\n]{0,40}") {
        let _ = check(&content);
    }
}

#[test]
fn mail_needs_a_way_a_sender_and_an_address_for_its_links() {
    let smtp = [
        ("MAIL_TRANSPORT", "smtp"),
        ("SMTP_URL", "smtps://user:hunter2@mail.example.org"),
        ("MAIL_FROM", "Wellmet <wellmet@example.org>"),
        ("PUBLIC_URL", "https://wellmet.example.org"),
    ];
    let complete = config(&smtp).unwrap();
    assert_eq!(complete.mail_transport, MailTransport::Smtp);
    assert!(!format!("{complete:?}").contains("hunter2"));
    for left_out in 1..smtp.len() {
        let (missing, _) = smtp[left_out];
        let rest: Vec<(&str, &str)> = smtp.iter().copied().filter(|(name, _)| *name != missing).collect();
        assert_eq!(refusal(&rest), format!("MAIL_TRANSPORT is smtp, which requires {missing}; set it too."));
    }
    let file = [("MAIL_TRANSPORT", "file"), ("MAIL_FROM", "a@b.example"), ("PUBLIC_URL", "http://localhost:8080")];
    assert_eq!(refusal(&file), "MAIL_TRANSPORT is file, which requires MAIL_DIR; set it too.");
    assert_eq!(config(&[]).unwrap().mail_transport, MailTransport::None);
}

#[test]
fn a_password_goes_to_a_mail_server_only_over_tls() {
    for url in [
        "smtps://user:secret@mail.example.org",
        "smtp://user:secret@mail.example.org:587?tls=required",
        "smtp://localhost:25",
        "smtp://mail.example.org?tls=opportunistic",
    ] {
        assert!(config(&[("SMTP_URL", url)]).is_ok(), "{url}");
    }
    for url in [
        "smtp://user:hunter2@mail.example.org:587",
        "smtp://user:hunter2@mail.example.org:587?tls=opportunistic",
        "smtp://mail.example.org?tls=yes",
        "smtp://mail.example.org?timeout=5",
        "https://mail.example.org",
        "mail.example.org:25",
        "smtp://",
        "",
    ] {
        let sentence = refusal(&[("SMTP_URL", url)]);
        assert!(sentence.starts_with("SMTP_URL ") && !sentence.contains("hunter2"), "{url}: {sentence}");
    }
    for (variable, value) in [
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "a@b.example\r\nBcc: c@d.example"),
        ("PUBLIC_URL", "wellmet.example.org"),
        ("PUBLIC_URL", "https://user:pw@wellmet.example.org"),
        ("PASSWORD_RESET_URL", "javascript:alert(1)"),
        ("PASSWORD_RESET_URL", "https://app.example/#/reset"),
    ] {
        assert!(refusal(&[(variable, value)]).starts_with(variable), "{value}");
    }
}
