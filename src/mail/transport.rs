//! How e-mails leave: to a mail server, or as files into a folder.

use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

use super::letter::{Letter, SendError};
use super::unsubscribe::UnsubscribeTokens;
use crate::domain::id::UserId;

/// How long a mail server may take for one e-mail.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Sends e-mails from this server's address.
pub struct Mailer {
    transport: Transport,
    from: Mailbox,
    links: Links,
}

/// Where links in e-mails lead.
pub struct Links {
    /// Where this server is reached from outside.
    pub public_url: Url,
    /// The page of a front end on which a new password is chosen.
    pub password_reset_url: Option<Url>,
    pub unsubscribe: UnsubscribeTokens,
}

pub enum Transport {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    File(PathBuf),
}

impl Transport {
    /// To the server of a URL such as `smtps://user:password@mail.example.org`.
    pub fn smtp(url: &str) -> Result<Self, lettre::transport::smtp::Error> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?.timeout(Some(TIMEOUT)).build();
        Ok(Self::Smtp(transport))
    }
}

impl Mailer {
    pub const fn new(transport: Transport, from: Mailbox, links: Links) -> Self {
        Self { transport, from, links }
    }

    pub const fn password_reset_url(&self) -> Option<&Url> {
        self.links.password_reset_url.as_ref()
    }

    /// Where a user unsubscribes with one click.
    pub fn unsubscribe_link(&self, user: UserId) -> Url {
        self.links.unsubscribe.link(&self.links.public_url, user)
    }

    /// Sends it, or says why it was not sent. It may have been sent though an error is returned.
    pub async fn send(&self, letter: Letter) -> Result<(), SendError> {
        let name = format!("{}.eml", letter.id);
        let message = letter.message(&self.from)?;
        match &self.transport {
            Transport::Smtp(transport) => {
                let sent = tokio::time::timeout(TIMEOUT, transport.send(message)).await;
                let sent = sent.map_err(|_| SendError::failed("the mail server does not answer".to_owned()))?;
                sent.map(drop).map_err(|error| smtp_error(&error))
            }
            Transport::File(folder) => {
                let folder = folder.clone();
                let written = tokio::task::spawn_blocking(move || write(&folder, &name, &message)).await;
                let written = written.unwrap_or_else(|error| Err(std::io::Error::other(error)));
                written.map_err(|error| SendError::failed(format!("the file cannot be written: {error}")))
            }
        }
    }
}

/// A server says in its replies to whom it does not deliver, so only their codes are kept.
fn smtp_error(error: &lettre::transport::smtp::Error) -> SendError {
    match error.status() {
        Some(code) if error.is_permanent() => SendError::refused(&format!("the mail server refuses it: {code}")),
        Some(code) => SendError::failed(format!("the mail server does not take it now: {code}")),
        None => SendError::failed(format!("the mail server cannot be reached: {error}")),
    }
}

/// A file appears whole, and readable only by its owner. One of the same name is replaced.
fn write(folder: &Path, name: &str, message: &Message) -> std::io::Result<()> {
    let (part, whole) = (folder.join(format!(".{name}.part")), folder.join(name));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&part)?;
    file.write_all(&message.formatted())?;
    file.sync_all()?;
    fs::rename(part, whole)
}
