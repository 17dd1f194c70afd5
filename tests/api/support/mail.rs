//! The e-mails that a server under test sends: files in a folder, read and taken apart.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use wellmet::config::{Config, MailTransport};

/// A folder that a server writes its e-mails to.
pub struct Mailbox {
    folder: tempfile::TempDir,
}

/// An e-mail with its two parts, decoded.
pub struct Email {
    headers: Vec<(String, String)>,
    pub text: String,
    pub html: String,
}

impl Mailbox {
    pub fn new() -> Mailbox {
        Mailbox { folder: tempfile::tempdir().expect("a folder") }
    }

    /// Settings by which a server writes its e-mails there.
    pub fn configure(&self) -> impl Fn(&mut Config) + Send + Sync + 'static {
        let folder = self.folder.path().to_owned();
        move |config| {
            config.mail_transport = MailTransport::File;
            config.mail_dir = Some(folder.clone());
            config.mail_from = Some("Wellmet <wellmet@example.org>".parse().expect("an address"));
            config.public_url = Some("https://wellmet.example/".parse().expect("a URL"));
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path()).expect("the folder");
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
        files.sort();
        files
    }

    pub fn len(&self) -> usize {
        self.files().len()
    }

    /// The only e-mail there is, once it is there; taken out.
    pub async fn take_one(&self) -> Email {
        let began = Instant::now();
        while self.files().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(20), "no e-mail came");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        let email = Email::read(&files[0]);
        fs::remove_file(&files[0]).expect("a file");
        email
    }
}

impl Email {
    fn read(path: &Path) -> Email {
        let whole = fs::read_to_string(path).expect("a text");
        let (headers, body) = split(&whole);
        let content_type = value(&headers, "Content-Type").expect("a type");
        let boundary = content_type.split_once("boundary=").expect("a boundary").1.trim_matches('"');
        let boundary = format!("--{boundary}");
        let mut parts = body.split(&boundary).skip(1);
        let mut part = |expected: &str| {
            let (headers, body) = split(parts.next().expect("a part").trim_start_matches("\r\n"));
            assert!(value(&headers, "Content-Type").expect("a type").starts_with(expected), "{headers:?}");
            decoded(value(&headers, "Content-Transfer-Encoding"), body)
        };
        let (text, html) = (part("text/plain"), part("text/html"));
        Email { headers, text, html }
    }

    /// The value of a header that is there once.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        value(&self.headers, name).unwrap_or_else(|| panic!("no single {name}: {:?}", self.headers))
    }

    pub fn names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// Headers, unfolded, and what follows them.
fn split(part: &str) -> (Vec<(String, String)>, &str) {
    let (head, body) = part.split_once("\r\n\r\n").expect("an empty line");
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no header: {line:?}"));
        (name.to_owned(), value.to_owned())
    };
    (unfolded.split("\r\n").map(header).collect(), body)
}

fn value<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let mut values = headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
    let value = values.next()?;
    values.next().is_none().then_some(value.1.as_str())
}

fn decoded(encoding: Option<&str>, body: &str) -> String {
    let bytes = match encoding {
        Some("base64") => STANDARD.decode(body.replace("\r\n", "")).expect("base64"),
        Some("quoted-printable") => {
            quoted_printable::decode(body, quoted_printable::ParseMode::Strict).expect("quoted-printable")
        }
        _ => body.as_bytes().to_vec(),
    };
    String::from_utf8(bytes).expect("UTF-8").replace("\r\n", "\n")
}
