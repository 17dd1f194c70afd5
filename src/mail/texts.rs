//! The texts of e-mails. What users have entered is shown as it is in text, and escaped in HTML.

use url::Url;

use super::letter::Content;
use crate::domain::count::pluralize;
use crate::domain::digest::Digest;
use crate::domain::fields::single_line;

/// The digest of a day.
pub fn digest(digest: &Digest, unsubscribe: &Url) -> Content {
    let (mut text, mut html) = (String::new(), String::new());
    for section in &digest.sections {
        text.push_str(&format!("{}\n", section.title));
        html.push_str(&format!("<h2>{}</h2><ul>", escape(section.title)));
        let more = (section.more() > 0).then(|| format!("and {} more", section.more()));
        for line in section.lines.iter().map(|line| single_line(line)).chain(more) {
            text.push_str(&format!("- {line}\n"));
            html.push_str(&format!("<li>{}</li>", escape(&line)));
        }
        text.push('\n');
        html.push_str("</ul>");
    }
    let link = unsubscribe.as_str();
    let why = "You get this e-mail because the daily digest is switched on in your Wellmet account.";
    Content {
        subject: format!("Wellmet for {}", digest.on.format("%-d %B %Y")),
        text: format!("{text}--\n{why}\nUnsubscribe: {link}\n"),
        html: page(&format!("{html}<p>{why} <a href=\"{link}\">Unsubscribe</a></p>", link = escape(link))),
    }
}

/// The way to a new password, for so many minutes. With the page of a front end it has a link to that, and always the token.
pub fn password_reset(token: &str, minutes: i64, page_url: Option<&Url>) -> Content {
    let link = page_url.map(|url| {
        let mut link = url.clone();
        link.query_pairs_mut().append_pair("token", token);
        link
    });
    let limit = format!("It can be used once, within {}.", pluralize(minutes, "minute", "minutes"));
    let intro =
        "Somebody, presumably you, asked for a new password for the Wellmet account with this e-mail address.";
    let otherwise = "If it was not you, ignore this e-mail; your password stays the same.";
    let (mut text, mut html) = (format!("{intro}\n\n"), format!("<p>{intro}</p>"));
    if let Some(link) = &link {
        text.push_str(&format!("Choose a new password here: {link}\n\n"));
        html.push_str(&format!("<p><a href=\"{}\">Choose a new password</a></p>", escape(link.as_str())));
    }
    text.push_str(&format!("The token is:\n\n{token}\n\n{limit}\n\n{otherwise}\n"));
    html.push_str(&format!("<p>The token is:</p><pre>{}</pre><p>{limit}</p><p>{otherwise}</p>", escape(token)));
    Content { subject: "Reset your Wellmet password".to_owned(), text, html: page(&html) }
}

fn page(body: &str) -> String {
    format!("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><body>{body}</body></html>")
}

/// As it stands in text and in attributes of HTML.
fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::digest::DigestSection;

    #[test]
    fn what_users_enter_stays_text() {
        let lines = vec!["<script>alert(\"1\")</script> & co\nSubject: x: due today.".to_owned()];
        let section = DigestSection { title: "Follow-ups", lines, total: 3 };
        let day = Digest::new("2026-03-02".parse().unwrap(), [section]);
        let Content { subject, text, html } = digest(&day, &Url::parse("https://a.example/x?a=1&b=2").unwrap());
        assert_eq!(subject, "Wellmet for 2 March 2026");
        assert!(
            text.contains("- <script>alert(\"1\")</script> & co Subject: x: due today.\n- and 2 more\n"),
            "{text}"
        );
        assert!(html.contains("<li>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; co Subject"), "{html}");
        assert!(html.contains("href=\"https://a.example/x?a=1&amp;b=2\""), "{html}");
    }

    #[test]
    fn the_link_to_a_front_end_keeps_what_it_has() {
        let url = Url::parse("https://app.example/reset?lang=en").unwrap();
        let Content { text, html, .. } = password_reset("wm_pr_abc", 30, Some(&url));
        assert!(text.contains("https://app.example/reset?lang=en&token=wm_pr_abc\n"), "{text}");
        assert!(html.contains("https://app.example/reset?lang=en&amp;token=wm_pr_abc"), "{html}");
        let Content { text, .. } = password_reset("wm_pr_abc", 30, None);
        assert!(text.contains("\nwm_pr_abc\n") && !text.contains("http"), "{text}");
    }
}
