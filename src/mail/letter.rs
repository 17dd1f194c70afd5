//! One e-mail, and the headers that all of them have. Headers are made by lettre, which encodes what is not plain, and from
//! values that cannot hold a line break: addresses, ids, links and fixed subjects.

use lettre::Message;
use lettre::address::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use std::time::SystemTime;
use url::Url;

use crate::domain::timestamp::Timestamp;

/// Why an e-mail was not sent. It names no address.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct SendError {
    pub reason: String,
    /// Sending it again is of no use.
    pub is_permanent: bool,
}

impl SendError {
    /// One that sending again does not mend.
    pub fn refused(reason: &str) -> Self {
        Self { reason: reason.to_owned(), is_permanent: true }
    }

    pub fn failed(reason: String) -> Self {
        Self { reason, is_permanent: false }
    }
}

/// An e-mail to one person.
#[derive(Debug, Clone)]
pub struct Letter {
    pub to: String,
    /// What `Message-ID` begins with: the same whenever this e-mail is sent again, so that who gets it twice sees it once.
    pub id: String,
    pub sent_at: Timestamp,
    pub content: Content,
    /// Where it is unsubscribed from with one click (RFC 8058).
    pub unsubscribe: Option<Url>,
}

/// What is read, as text and as HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl Letter {
    /// The message as it is sent.
    pub fn message(self, from: &Mailbox) -> Result<Message, SendError> {
        let Self { to, id, sent_at, content: Content { subject, text, html }, unsubscribe } = self;
        // The address alone: a name is whatever somebody has entered.
        let to: Address =
            to.parse().map_err(|_| SendError::refused("the address is not one that mail goes to"))?;
        let mut message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to))
            .subject(single_line(&subject))
            .date(SystemTime::from(sent_at.instant()))
            .message_id(Some(format!("<{id}@{}>", from.email.domain())))
            // So that nobody's absence note answers it (RFC 3834).
            .raw_header(plain_header("Auto-Submitted", "auto-generated".to_owned())?);
        if let Some(link) = unsubscribe {
            message = message
                .raw_header(plain_header("List-Unsubscribe", format!("<{link}>"))?)
                .raw_header(plain_header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned())?);
        }
        message
            .multipart(MultiPart::alternative_plain_html(text, html))
            .map_err(|error| SendError::refused(&format!("the message cannot be written: {error}")))
    }
}

/// A header whose value is sent as it is: a link is not broken over lines. It has to be visible ASCII.
fn plain_header(name: &'static str, value: String) -> Result<HeaderValue, SendError> {
    if !value.chars().all(|letter| letter == ' ' || letter.is_ascii_graphic()) {
        return Err(SendError::refused("a header is not plain text"));
    }
    let name = HeaderName::new_from_ascii_str(name);
    Ok(HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value))
}

fn single_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(to: &str, subject: &str) -> Letter {
        Letter {
            to: to.to_owned(),
            id: "digest-1".to_owned(),
            sent_at: Timestamp::parse("2026-03-02T08:00:00Z").unwrap(),
            content: Content { subject: subject.to_owned(), text: "Text".to_owned(), html: "<p>HTML".to_owned() },
            unsubscribe: Some(Url::parse("https://wellmet.example/v1/unsubscribe/abc").unwrap()),
        }
    }

    fn sent(letter: Letter) -> Result<String, SendError> {
        let message = letter.message(&"Wellmet <wellmet@example.org>".parse().unwrap())?;
        Ok(String::from_utf8(message.formatted()).unwrap())
    }

    #[test]
    fn the_headers_are_those_that_mail_servers_ask_for() {
        let sent = sent(letter("ada@example.com", "Today")).unwrap();
        for line in [
            "From: Wellmet <wellmet@example.org>",
            "To: ada@example.com",
            "Subject: Today",
            "Date: Mon, 02 Mar 2026 08:00:00 +0000",
            "Message-ID: <digest-1@example.org>",
            "Auto-Submitted: auto-generated",
            "List-Unsubscribe: <https://wellmet.example/v1/unsubscribe/abc>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        ] {
            assert!(sent.lines().any(|own| own == line), "no {line} in\n{sent}");
        }
    }

    #[test]
    fn nobody_adds_a_header() {
        let sent = sent(letter("ada@example.com", "Today\r\nBcc: eve@example.com\n\nHello")).unwrap();
        let head = sent.split("\r\n\r\n").next().unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        for to in
            ["ada@example.com\r\nBcc: eve@example.com", "ada@example.com, eve@example.com", "", "<a@b.example>"]
        {
            assert!(letter(to, "Today").message(&"a@example.org".parse().unwrap()).is_err(), "{to:?}");
        }
    }
}
