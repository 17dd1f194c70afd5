//! The text of single settings and the types it is parsed into. Nothing here knows the name of its variable.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;
use lettre::message::Mailbox;
use secrecy::SecretString;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use url::Url;

use super::error::Fault;

/// Where the data is stored.
#[derive(Debug, Clone)]
pub enum Database {
    /// Relative to the working directory, or absolute.
    Sqlite { path: PathBuf },
    /// As libpq takes it; usually holds a password.
    Postgres { url: SecretString },
}

/// The origins whose browsers may read responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorsOrigins {
    Any,
    /// Never empty; each exactly as a browser sends it in `Origin`.
    List(Vec<String>),
}

/// The proxies whose forwarded client address is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies(pub Vec<IpNet>);

impl TrustedProxies {
    /// An IPv4 address that arrived over IPv6 (`::ffff:10.0.0.1`) counts as the IPv4 address it is.
    pub fn contains(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|network| network.contains(&peer))
    }
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    Text,
    /// One JSON object per line.
    Json,
}

/// How e-mails leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum MailTransport {
    None,
    Smtp,
    File,
}

pub fn number<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, Fault> + Clone
where
    T: FromStr + PartialOrd + Display + Clone,
{
    move |text| {
        text.trim()
            .parse()
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| Fault::new(text, &format!("a whole number from {} to {}", range.start(), range.end())))
    }
}

pub fn parse_database(text: &str) -> Result<Database, Fault> {
    let text = text.trim();
    let refused = |problem: &str| {
        let forms = "sqlite://wellmet.db, sqlite:///absolute/path or postgres://user:password@host/database";
        Err(Fault::of_secret(problem, forms))
    };
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Ok(Database::Postgres { url: text.into() });
    }
    let Some(path) = text.strip_prefix("sqlite://") else {
        return refused("starts with neither sqlite:// nor postgres://");
    };
    if path.is_empty() || path.ends_with('/') {
        return refused("names no file");
    }
    if path.contains(":memory:") {
        return refused("asks for an in-memory database, which several connections cannot share");
    }
    // SQLite would read the first as a URI of its own; both would end in a file of a surprising name.
    if path.starts_with("file:") || path.contains('?') {
        return refused("has parameters, which SQLite databases do not take");
    }
    Ok(Database::Sqlite { path: path.into() })
}

pub fn parse_bind(text: &str) -> Result<SocketAddr, Fault> {
    text.trim()
        .parse()
        .map_err(|_| Fault::new(text, "an IP address and a port, for example 127.0.0.1:8080 or [::]:8080"))
}

/// Fewest bytes of a signing key: as many as the hash behind HS256 gives (RFC 7518, section 3.2).
const SIGNING_KEY_BYTES_MIN: usize = 32;

/// A signing key without surrounding white space, so that a key from a file that ends in a newline is the same as one
/// from a variable.
pub fn parse_signing_key(text: &str) -> Result<SecretString, Fault> {
    let key = text.trim();
    if key.len() < SIGNING_KEY_BYTES_MIN {
        return Err(Fault::of_secret(
            &format!("holds a key of {} bytes", key.len()),
            &format!("at least {SIGNING_KEY_BYTES_MIN} bytes of text, as from `openssl rand -hex 32`"),
        ));
    }
    Ok(key.into())
}

pub fn parse_path(text: &str) -> Result<PathBuf, Fault> {
    match text.trim() {
        "" => Err(Fault::new("", "the path of a file")),
        path => Ok(path.into()),
    }
}

/// The URL of a mail server. A password is sent only over TLS, which `smtp://` has with `?tls=required` alone.
pub fn parse_smtp_url(text: &str) -> Result<SecretString, Fault> {
    let text = text.trim();
    let refused = |problem: &str| {
        let forms =
            "smtps://user:password@host, smtp://user:password@host:587?tls=required or smtp://localhost:25";
        Err(Fault::of_secret(problem, forms))
    };
    let Ok(url) = Url::parse(text) else { return refused("is not a URL") };
    if !["smtp", "smtps"].contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
        return refused("does not name a mail server");
    }
    let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    if url.scheme() == "smtp" && url.password().is_some() && tls.as_deref() != Some("required") {
        return refused("would send the password without encryption");
    }
    if url.query_pairs().any(|(name, value)| name != "tls" || !["required", "opportunistic"].contains(&&*value)) {
        return refused("has parameters other than tls=required and tls=opportunistic");
    }
    Ok(text.into())
}

pub fn parse_mailbox(text: &str) -> Result<Mailbox, Fault> {
    let refused = || Fault::new(text, "an e-mail address, for example Wellmet <wellmet@example.org>");
    if text.chars().any(char::is_control) {
        return Err(refused());
    }
    text.trim().parse().map_err(|_| refused())
}

/// The address of a web page or server, without a fragment.
pub fn parse_web_url(text: &str) -> Result<Url, Fault> {
    let url = Url::parse(text.trim()).ok();
    let fits = |url: &Url| {
        ["http", "https"].contains(&url.scheme())
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    let refused = || {
        Fault::new(
            text,
            "an http or https URL without a fragment (#…), user name or password, for example https://wellmet.example.org",
        )
    };
    url.filter(fits).ok_or_else(refused)
}

pub fn parse_trusted_proxies(text: &str) -> Result<TrustedProxies, Fault> {
    if text.trim().is_empty() {
        return Ok(TrustedProxies(Vec::new()));
    }
    let network = |item: &str| {
        let item = item.trim();
        let address = item.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        address.or_else(|_| item.parse::<IpNet>().map(|network| network.trunc())).map_err(|_| {
            Fault::new(item, "comma-separated IP addresses or CIDR ranges, for example 10.0.0.0/8,::1")
        })
    };
    text.split(',').map(network).collect::<Result<_, _>>().map(TrustedProxies)
}

pub fn parse_cors_origins(text: &str) -> Result<CorsOrigins, Fault> {
    if text.trim() == "*" {
        return Ok(CorsOrigins::Any);
    }
    text.split(',').map(|item| parse_origin(item.trim())).collect::<Result<_, _>>().map(CorsOrigins::List)
}

/// An origin as a browser sends it (RFC 6454, section 6.2): anything else would never match.
fn parse_origin(text: &str) -> Result<String, Fault> {
    let sent = Url::parse(text).ok().and_then(|url| {
        let host = url.host_str().filter(|host| !host.is_empty() && !host.contains('*'))?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("{}://{host}{port}", url.scheme()))
    });
    match sent {
        Some(origin) if origin == text => Ok(origin),
        Some(origin) => Err(Fault::new(text, &format!("written as a browser sends it, {origin}"))),
        None => Err(Fault::new(text, "* alone, or comma-separated origins, for example https://app.example.com")),
    }
}

pub fn parse_log_filter(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    // EnvFilter takes a misspelt level (`LOG=inof`) for the name of a target and then logs nothing else.
    let is_misspelt =
        |directive: &str| !directive.contains(['=', '[']) && directive.parse::<LevelFilter>().is_err();
    if text.is_empty()
        || (!text.contains('[') && text.split(',').any(is_misspelt))
        || EnvFilter::try_new(text).is_err()
    {
        let allowed = "a level (off, error, warn, info, debug, trace) or comma-separated target=level pairs";
        return Err(Fault::new(text, allowed));
    }
    Ok(text.to_owned())
}
