//! The daily digest by e-mail: for whom it is switched on, once a day, and how it is unsubscribed from.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use chrono::TimeDelta;
use serde_json::json;
use wellmet::config::MailTransport;

use crate::notifications::{at, register, setup};
use crate::support::nodes::until;
use crate::support::*;

async fn start(backend: Backend, mailbox: &Mailbox) -> TestServer {
    TestServer::start_with_jobs_and(backend, setup, mailbox.configure()).await
}

/// Somebody who gets the digest, and has a follow-up that is due each day from the 3rd of March on.
async fn subscriber(server: &TestServer, email: &str, title: &str) -> Client {
    let client = register(server, email, "UTC").await;
    client.patch("/v1/me", &json!({"email_digest": true})).await.expect(200);
    let grace = client.post("/v1/contacts", &json!({"given_name": "Grace"})).await.expect(201);
    let body = json!({"title": title, "contact_ids": [grace.id()], "due_on": "2026-03-03"});
    client.post("/v1/follow-ups", &body).await.expect(201);
    client
}

/// The path of the link by which an e-mail is unsubscribed from.
fn unsubscribe_path(email: &Email) -> String {
    let link = email.header("List-Unsubscribe").trim_matches(['<', '>']).to_owned();
    link.strip_prefix("https://wellmet.example").expect("a link to PUBLIC_URL").to_owned()
}

async fn is_switched_on(client: &Client) -> bool {
    client.get("/v1/me").await.expect(200).body["user"]["email_digest"] == true
}

/// A mail server that answers each recipient with the next of these replies, and the last one from then on.
struct SmtpServer {
    url: String,
    received: Arc<Mutex<Vec<String>>>,
}

impl SmtpServer {
    fn start(replies: &'static [&'static str]) -> SmtpServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let received = Arc::new(Mutex::new(Vec::new()));
        let own = Arc::clone(&received);
        thread::spawn(move || {
            let mut recipients = 0;
            for stream in listener.incoming().map_while(Result::ok) {
                let mut lines =
                    BufReader::new(stream.try_clone().expect("a socket")).lines().map_while(Result::ok);
                let say = |line: &str| drop((&stream).write_all(format!("{line}\r\n").as_bytes()));
                say("220 mail.example.org");
                while let Some(line) = lines.next() {
                    match line.split([' ', ':']).next().unwrap_or_default() {
                        "EHLO" | "MAIL" | "RSET" => say("250 OK"),
                        "RCPT" => {
                            let reply = replies.get(recipients).or(replies.last()).expect("a reply");
                            recipients += 1;
                            say(reply);
                        }
                        "DATA" => {
                            say("354 Go on");
                            let message: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
                            own.lock().unwrap().push(message.join("\n"));
                            say("250 OK");
                        }
                        _ => {
                            say("221 Bye");
                            break;
                        }
                    }
                }
            }
        });
        SmtpServer { url, received }
    }

    async fn serve(&self, backend: Backend) -> TestServer {
        let (url, mailbox) = (self.url.clone(), Mailbox::new());
        let common = mailbox.configure();
        TestServer::start_with_jobs_and(backend, setup, move |config| {
            common(config);
            config.mail_transport = MailTransport::Smtp;
            config.smtp_url = Some(url.clone().into());
        })
        .await
    }

    fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

const DIGESTS: &str = "SELECT count(*) FROM jobs WHERE kind = 'mail_digest' AND state";

on_both! {
    async fn the_digest_is_mailed_once_a_day_to_whoever_switched_it_on(backend: Backend) {
        let mailbox = Mailbox::new();
        let server = start(backend, &mailbox).await;
        let ada = subscriber(&server, "ada@example.com", "Send <b>slides</b> & \u{fc}ber\r\nBcc: eve@example.com").await;
        let bob = subscriber(&server, "bob@example.com", "Send it").await;
        bob.patch("/v1/me", &json!({"email_digest": false})).await.expect(200);
        let born = json!({"given_name": "Alan", "dates": {"birthday": {"value": "--03-03"}}});
        let alan = ada.post("/v1/contacts", &born).await.expect(201);
        let thanks = json!({"title": "Thank Alan", "contact_ids": [alan.id()], "due_on": "2026-03-03"});
        ada.post("/v1/follow-ups", &thanks).await.expect(201);

        at(&server, "2026-03-03T08:00:00Z").await;

        let email = mailbox.take_one().await;
        assert_eq!(email.header("To"), "ada@example.com");
        assert_eq!(email.header("From"), "Wellmet <wellmet@example.org>");
        assert_eq!(email.header("Subject"), "Wellmet for 3 March 2026");
        assert_eq!(email.header("Date"), "Tue, 03 Mar 2026 08:00:00 +0000");
        assert!(email.header("Message-ID").starts_with("<digest-2026-03-03-"), "{}", email.header("Message-ID"));
        assert_eq!(email.header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
        assert!(!email.names().contains(&"Bcc"), "{:?}", email.names());
        assert!(email.text.contains("Follow-ups\n- Send <b>slides</b> & \u{fc}ber  Bcc: eve@example.com (Grace): due today.\n"), "{}", email.text);
        assert!(email.text.contains("- Thank Alan: due today.\n"), "whom the title names is not named again: {}", email.text);
        assert!(email.text.contains("Birthdays\n- Alan: birthday today.\n"), "{}", email.text);
        assert!(email.html.contains("Send &lt;b&gt;slides&lt;/b&gt; &amp; \u{fc}ber"), "{}", email.html);
        at(&server, "2026-03-03T08:15:00Z").await;
        assert_eq!(mailbox.len(), 0);
        at(&server, "2026-03-04T08:00:00Z").await;
        assert_eq!(mailbox.take_one().await.header("Subject"), "Wellmet for 4 March 2026");
    }

    async fn one_click_unsubscribes_and_opening_the_link_does_not(backend: Backend) {
        let mailbox = Mailbox::new();
        let server = start(backend, &mailbox).await;
        let ada = subscriber(&server, "ada@example.com", "Send it").await;
        at(&server, "2026-03-03T08:00:00Z").await;
        let path = unsubscribe_path(&mailbox.take_one().await);
        let anybody = server.client();

        let page = anybody.get(&path).await.expect(200);
        assert!(page.text.contains("<form method=\"post\">"), "{page}");
        assert!(is_switched_on(&ada).await);
        let click = || anybody.post_nothing(&path).bytes("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click");
        click().await.expect(200);
        assert!(!is_switched_on(&ada).await);
        click().await.expect(200);
        at(&server, "2026-03-04T08:00:00Z").await;
        assert_eq!(mailbox.len(), 0);
        for forged in ["/v1/unsubscribe/x".to_owned(), format!("{}AA", &path[..path.len() - 2])] {
            anybody.post_nothing(&forged).await.problem(404, "not_found");
        }
        ada.request("DELETE", "/v1/me").json(&json!({"password": PASSWORD})).await.expect(204);
        click().await.expect(200);
    }

    async fn without_a_mail_transport_nothing_is_mailed_and_nothing_fails(backend: Backend) {
        let server = TestServer::start_with_jobs(backend, setup).await;
        subscriber(&server, "ada@example.com", "Send it").await;
        at(&server, "2026-03-03T08:00:00Z").await;
        assert_eq!(server.database.number(&format!("{DIGESTS} = 'done'")), 1);
        assert_eq!(server.client().get("/v1").await.expect(200).body["mail"], false);
    }

    async fn what_a_mail_server_refuses_for_good_is_not_sent_again(backend: Backend) {
        let smtp = SmtpServer::start(&["550 5.1.1 <ada@example.com>: no such user"]);
        let server = smtp.serve(backend).await;
        subscriber(&server, "ada@example.com", "Send it").await;
        server.clock.set("2026-03-03T08:00:00Z".parse().unwrap());
        until(&server.database, &format!("{DIGESTS} = 'dead'"), 1).await;
        let jobs = server.database.texts("SELECT attempts || ' ' || last_error FROM jobs WHERE kind = 'mail_digest'");
        assert_eq!(jobs, ["1 the mail server refuses it: 550"], "without the address");
        assert_eq!(smtp.received(), Vec::<String>::new());
    }

    async fn what_a_mail_server_does_not_take_now_is_sent_again_as_the_same_message(backend: Backend) {
        let smtp = SmtpServer::start(&["451 4.3.0 Try again later", "250 OK"]);
        let server = smtp.serve(backend).await;
        subscriber(&server, "ada@example.com", "Send it").await;
        server.clock.set("2026-03-03T08:00:00Z".parse().unwrap());
        until(&server.database, &format!("{DIGESTS} = 'queued' AND attempts = 1"), 1).await;
        server.clock.advance(TimeDelta::seconds(10));
        until(&server.database, &format!("{DIGESTS} = 'done' AND attempts = 2"), 1).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let received = smtp.received();
        assert_eq!(received.len(), 1);
        assert!(received[0].contains("Message-ID: <digest-2026-03-03-"), "{}", received[0]);
    }
}
