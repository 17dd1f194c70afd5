//! Web addresses of profiles and pages: which are accepted, when two are the same page, and on which platform.
//! Nothing is fetched.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use unicode_normalization::UnicodeNormalization;
use url::{Host, Url};

use crate::domain::count::pluralize;
use crate::domain::invalid::{FieldCode, Rejection};
use crate::domain::platform::{Profile, is_mastodon, is_shared_host, platform_at};
use crate::domain::text::{is_invisible, lower, trimmed};

/// What every address has in common that is accepted, with white space around it, as in schemas.
pub const URL_PATTERN: &str = r"^\s*\S*\s*$";

/// The web address of a person's or organization's page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProfileUrl {
    url: String,
    key: Option<String>,
    page: String,
    platform: Option<&'static str>,
}

impl ProfileUrl {
    /// Characters, the scheme included.
    pub const MAX_LENGTH: usize = 2048;

    /// Accepts http, https and a bare `linkedin.com/in/ada`, which gets `https://`.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let text = trimmed(text);
        if text.contains(|c: char| c.is_control() || c.is_whitespace() || is_invisible(c)) {
            return Err(Rejection::format("A web address cannot contain spaces."));
        }
        let url = with_scheme(text)?;
        if url.chars().count() > Self::MAX_LENGTH {
            return Err(Rejection::too_long(
                Self::MAX_LENGTH,
                format!(
                    "A web address can have at most {}.",
                    pluralize(Self::MAX_LENGTH, "character", "characters")
                ),
            ));
        }
        let malformed = || Rejection::format("Must be a web address, such as https://example.org/ada.");
        let parsed = Url::parse(&url).map_err(|_| malformed())?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(Rejection::format("A web address cannot contain a user name or password."));
        }
        let is_named = matches!(parsed.host(), Some(Host::Domain(name)) if name.trim_matches('.').contains('.'));
        if url != text && !is_named {
            return Err(malformed());
        }
        let Identified { key, page, platform } = identify(&parsed).ok_or_else(malformed)?;
        Ok(Self { url, key, page, platform })
    }

    /// As it was typed, trimmed, with a scheme.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// The key for "is it the same person": no scheme, no `www.`, no trailing slash; on known platforms only what names the
    /// profile, in lower case. `None` for a page that names nobody.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The key for "is it the same page": two pages of one profile are two.
    pub fn page(&self) -> &str {
        &self.page
    }

    /// What it says in words: on a platform only the path.
    pub fn words(&self) -> &str {
        match self.platform {
            Some(_) => self.page.split_once('/').map_or("", |(_, path)| path),
            None => &self.page,
        }
    }

    /// The platform's name as in a contact's `links`: `linkedin`; `None` for any other site.
    pub fn platform(&self) -> Option<&'static str> {
        self.platform
    }
}

/// The platform of a web address; `None` for any other site or text.
pub fn platform_of(text: &str) -> Option<&'static str> {
    ProfileUrl::parse(text).ok()?.platform
}

const MASTODON: &str = "mastodon";

fn with_scheme(text: &str) -> Result<String, Rejection> {
    let refused = || Rejection::new(FieldCode::NotAllowed, "A web address must start with http:// or https://.");
    if let Some((scheme, _)) = text.split_once("://")
        && !scheme.is_empty()
        && !scheme.contains(['/', '?', '#'])
    {
        let is_web = ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
        return if is_web { Ok(text.to_owned()) } else { Err(refused()) };
    }
    if text.starts_with("//") {
        return Ok(format!("https:{text}"));
    }
    let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some((_, port)) = authority.split_once(':')
        && (port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Err(refused());
    }
    Ok(format!("https://{text}"))
}

/// What an address says of whose page it is.
struct Identified {
    key: Option<String>,
    page: String,
    platform: Option<&'static str>,
}

/// `None` without a host.
fn identify(url: &Url) -> Option<Identified> {
    let host = without_www(url.host_str()?.trim_end_matches('.'));
    if host.is_empty() {
        return None;
    }
    let path: Vec<String> = url.path().split('/').filter(|segment| !segment.is_empty()).map(decoded).collect();
    let fragment = url.fragment().filter(|fragment| !fragment.is_empty());
    let place = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    if let Some(platform) = platform_at(host) {
        let profile = platform.profile(&path, url);
        let page = match &profile {
            Some(Profile { key, page }) => format!("{key}{page}"),
            None => format!("{}{}{place}", platform.host(), page_of(url, None)),
        };
        return Some(Identified { key: profile.map(|profile| profile.key), page, platform: Some(platform.name) });
    }
    let mut site = String::from(host);
    // 443 is the default only with https, 80 only with http; the scheme is not in the key.
    if let Some(port) = url.port().filter(|port| ![80, 443].contains(port)) {
        site.push(':');
        site.push_str(&port.to_string());
    }
    let is_mastodon = is_mastodon(host);
    // A fragment is a place on the page, unless the page routes by it.
    let route = fragment.filter(|it| it.starts_with(['/', '!']));
    let own = page_of(url, route);
    let key = match handle(is_mastodon, &path) {
        Some(handle) => Some(remote(&handle).unwrap_or_else(|| format!("{site}/{handle}"))),
        None if is_mastodon || own.is_empty() && is_shared_host(host) => None,
        None => Some(format!("{site}{own}")),
    };
    let page = format!("{}{}", site, page_of(url, fragment));
    Some(Identified { key, page, platform: is_mastodon.then_some(MASTODON) })
}

/// Somebody of another server: `@ada@mastodon.example` is at home there.
fn remote(handle: &str) -> Option<String> {
    let (name, server) = handle.strip_prefix('@')?.split_once('@')?;
    if name.is_empty() || server.contains('@') || !server.contains('.') {
        return None;
    }
    identify(&Url::parse(&format!("https://{server}/@{name}")).ok()?)?.key
}

/// What follows the host of a page: drops only what never matters.
fn page_of(url: &Url, fragment: Option<&str>) -> String {
    let path: Vec<String> = url.path().split('/').map(decoded).collect();
    let mut page = String::from(path.join("/").trim_end_matches('/'));
    if let Some(query) = url.query().filter(|query| !query.is_empty()) {
        page.push('?');
        page.push_str(query);
    }
    if let Some(fragment) = fragment {
        page.push('#');
        page.push_str(fragment);
    }
    page
}

/// The host without `www.`, as long as a host is left.
fn without_www(mut host: &str) -> &str {
    while let Some(rest) = host.strip_prefix("www.").filter(|rest| rest.contains('.')) {
        host = rest;
    }
    host
}

/// `@name` as the whole path is a handle on any site; Mastodon servers have longer forms.
fn handle(is_mastodon: bool, path: &[String]) -> Option<String> {
    match path {
        [name] if name.starts_with('@') => Some(lower(name)),
        [web, name] if is_mastodon && web == "web" && name.starts_with('@') => Some(lower(name)),
        [users, name] if is_mastodon && users == "users" => Some(format!("@{}", lower(name))),
        _ => None,
    }
}

/// Characters that stay encoded, since they would change the structure of the path.
const STRUCTURAL: &AsciiSet = &CONTROLS.add(b' ').add(b'/').add(b'\\').add(b'?').add(b'#').add(b'%');

/// A path segment without percent-encoding; unchanged if it is not UTF-8 or has invisible characters.
fn decoded(segment: &str) -> String {
    match percent_decode_str(segment).decode_utf8() {
        Ok(text)
            if !text
                .contains(|c: char| !c.is_ascii() && (c.is_whitespace() || c.is_control() || is_invisible(c))) =>
        {
            let mut plain = String::with_capacity(text.len());
            for part in text.split_inclusive(|c: char| !c.is_ascii()) {
                let (ascii, other) = part.split_at(part.find(|c: char| !c.is_ascii()).unwrap_or(part.len()));
                plain.extend(utf8_percent_encode(ascii, STRUCTURAL));
                plain.push_str(other);
            }
            plain.nfc().collect()
        }
        _ => segment.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::platform::all_hosts;
    use proptest::prelude::*;

    #[test]
    fn a_page_has_one_key_and_its_platform() {
        for (text, key, platform) in [
            (
                "https://www.linkedin.com/in/ada-lovelace-1815/",
                "linkedin.com/in/ada-lovelace-1815",
                Some("linkedin"),
            ),
            (
                "http://de.linkedin.com/in/Ada-Lovelace-1815?trk=abc#top",
                "linkedin.com/in/ada-lovelace-1815",
                Some("linkedin"),
            ),
            ("linkedin.com/in/ada-lovelace-1815", "linkedin.com/in/ada-lovelace-1815", Some("linkedin")),
            ("HTTPS://WWW.LINKEDIN.COM/IN/ada/details/skills/", "linkedin.com/in/ada", Some("linkedin")),
            (
                "https://www.linkedin.com/in/j%C3%BCrgen-m%c3%9cller",
                "linkedin.com/in/jürgen-müller",
                Some("linkedin"),
            ),
            ("https://www.linkedin.com/in/jürgen-müller", "linkedin.com/in/jürgen-müller", Some("linkedin")),
            ("https://www.linkedin.com/in/ju\u{308}rgen", "linkedin.com/in/jürgen", Some("linkedin")),
            (
                "https://www.linkedin.com/company/Analytical-Engines/about/",
                "linkedin.com/company/analytical-engines",
                Some("linkedin"),
            ),
            (
                "https://www.linkedin.com/profile/view?id=AB12&trk=x",
                "linkedin.com/profile/view?id=AB12",
                Some("linkedin"),
            ),
            ("https://www.linkedin.com/comm/in/ada?midToken=AQ", "linkedin.com/in/ada", Some("linkedin")),
            ("https://www.linkedin.com/mwlite/in/ada", "linkedin.com/in/ada", Some("linkedin")),
            ("https://www.linkedin.com/mwlite/profile/in/ada", "linkedin.com/in/ada", Some("linkedin")),
            ("https://www.linkedin.com/m/in/Ada/", "linkedin.com/in/ada", Some("linkedin")),
            (
                "https://www.linkedin.com/x/profile/view?memberId=11",
                "linkedin.com/profile/view?id=11",
                Some("linkedin"),
            ),
            (
                "https://www.linkedin.com/in/ACoAABxYz0123456789abcdef",
                "linkedin.com/in/ACoAABxYz0123456789abcdef",
                Some("linkedin"),
            ),
            ("https://www.linkedin.com/pub/ada/1/2/3", "linkedin.com/pub/ada/1/2/3", Some("linkedin")),
            ("https://twitter.com/intent/user?user_id=11", "x.com/i/user/11", Some("x")),
            ("https://x.com/i/user/11", "x.com/i/user/11", Some("x")),
            ("https://twitter.com/intent/follow?ref=x&screen_name=Rosa", "x.com/rosa", Some("x")),
            ("https://x.com/@Rosa/with_replies", "x.com/rosa", Some("x")),
            ("https://github.com/orgs/Acme", "github.com/acme", Some("github")),
            (
                "https://www.facebook.com/people/Ada-L/1000123",
                "facebook.com/people/ada-l/1000123",
                Some("facebook"),
            ),
            ("https://instagram.com/_u/Ada", "instagram.com/ada", Some("instagram")),
            ("https://mastodon.social/@Ada@chaos.social", "chaos.social/@ada", Some("mastodon")),
            ("https://mastodon.social/@ada@www.Müller.example.", "xn--mller-kva.example/@ada", Some("mastodon")),
            ("https://linktr.ee/Ada", "linktr.ee/Ada", None),
            ("https://ada.github.io", "ada.github.io", None),
            ("https://business.linkedin.com/x?a=B", "business.linkedin.com/x?a=B", None),
            ("https://github.com/Ada?tab=repositories", "github.com/ada", Some("github")),
            ("https://gist.github.com/Ada", "gist.github.com/Ada", None),
            ("https://twitter.com/Ada?lang=de", "x.com/ada", Some("x")),
            ("https://x.com/ada", "x.com/ada", Some("x")),
            ("https://www.xing.com/profile/Ada_Lovelace/cv?sc=o", "xing.com/profile/ada_lovelace", Some("xing")),
            ("https://de-de.facebook.com/Ada.Lovelace?ref=br", "facebook.com/ada.lovelace", Some("facebook")),
            (
                "https://m.facebook.com/profile.php?ref=x&id=1815",
                "facebook.com/profile.php?id=1815",
                Some("facebook"),
            ),
            ("instagram.com/Ada/?hl=en", "instagram.com/ada", Some("instagram")),
            ("https://bsky.app/profile/Ada.bsky.social", "bsky.app/profile/ada.bsky.social", Some("bluesky")),
            ("https://www.youtube.com/@Ada", "youtube.com/@ada", Some("youtube")),
            ("https://www.youtube.com/channel/UCabc/videos", "youtube.com/channel/UCabc", Some("youtube")),
            ("https://orcid.org/0000-0002-1825-009X", "orcid.org/0000-0002-1825-009x", Some("orcid")),
            (
                "https://www.researchgate.net/profile/Ada-Lovelace/research",
                "researchgate.net/profile/ada-lovelace",
                Some("researchgate"),
            ),
            (
                "https://scholar.google.co.uk/citations?hl=en&user=AbC",
                "scholar.google.com/citations?user=AbC",
                Some("google_scholar"),
            ),
            ("https://mastodon.social/@Ada", "mastodon.social/@ada", Some("mastodon")),
            ("https://mastodon.social/web/@Ada", "mastodon.social/@ada", Some("mastodon")),
            ("https://mastodon.social/users/Ada", "mastodon.social/@ada", Some("mastodon")),
            ("https://fosstodon.org/@ada/?x=1", "fosstodon.org/@ada", Some("mastodon")),
            ("https://medium.com/@Ada?source=x", "medium.com/@ada", None),
            ("https://www.example.org", "example.org", None),
            ("https://www.example.org/", "example.org", None),
            ("www.example.org/About/?Page=1#team", "example.org/About?Page=1", None),
            ("https://example.org/#/people/Ada", "example.org#/people/Ada", None),
            ("https://example.org:8443/Ada", "example.org:8443/Ada", None),
            ("http://example.org:443", "example.org", None),
            ("example.org:8080/x", "example.org:8080/x", None),
            ("//example.org/x", "example.org/x", None),
            ("https://EXAMPLE.org./x", "example.org/x", None),
            ("https://Müller.de/%7Eada/a%2Fb%20c", "xn--mller-kva.de/~ada/a%2Fb%20c", None),
            ("https://example.org/100%/%ff", "example.org/100%25/%ff", None),
            ("https://www.com/x", "www.com/x", None),
            ("http://localhost:3000/x", "localhost:3000/x", None),
            ("http://127.0.0.1/x", "127.0.0.1/x", None),
            ("https://example.org/go?to=http://other.org/", "example.org/go?to=http://other.org/", None),
        ] {
            let url = ProfileUrl::parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
            assert_eq!(url.key(), Some(key), "{text}");
            assert_eq!(url.platform(), platform, "{text}");
            assert_eq!(platform_of(text), platform, "{text}");
        }
    }

    #[test]
    fn a_page_that_names_nobody_is_no_key_and_another_one_than_others() {
        let pages = [
            "https://www.linkedin.com/",
            "https://www.linkedin.com/in/",
            "https://www.linkedin.com/in/me",
            "https://www.linkedin.com/feed/update/urn:li:activity:1",
            "https://www.linkedin.com/sharing/share-offsite/?url=https://ada.example",
            "https://www.linkedin.com/search/results/people/?keywords=ada",
            "https://www.linkedin.com/profile/view",
            "https://twitter.com/#!/rosa",
            "https://twitter.com/#!/otto",
            "https://twitter.com/intent/tweet?text=rosa",
            "https://twitter.com/share?url=x",
            "https://twitter.com/intent/user?screen_name=..",
            "https://de.facebook.com/@.",
            "https://mobile.twitter.com/ada/status/1",
            "https://x.com/search?q=ada",
            "https://www.facebook.com/#!/rosa.m",
            "https://www.facebook.com/sharer/sharer.php?u=x",
            "https://www.facebook.com/profile.php",
            "https://www.facebook.com/groups/1",
            "https://www.facebook.com/photo.php?fbid=1",
            "https://instagram.com/p/AbC",
            "https://bsky.app/profile/ada.example/post/1",
            "https://bsky.app/intent/compose?text=x",
            "https://m.youtube.com/watch?feature=share&v=AbC",
            "https://scholar.google.com/scholar?q=ada",
            "https://github.com/ada/engine",
            "https://github.com/search?q=ada",
            "https://mastodon.social/@ada/109",
            "https://mastodon.social/share?text=x",
            "https://www.xing.com/",
            "https://linktr.ee/",
            "gmail.com",
        ];
        let mut seen = std::collections::HashSet::new();
        for text in pages {
            let url = ProfileUrl::parse(text).unwrap();
            assert_eq!(url.key(), None, "{text}");
            assert!(seen.insert(url.page().to_owned()), "{text}");
        }
        let skills = ProfileUrl::parse("https://www.linkedin.com/in/ada/details/skills?trk=x").unwrap();
        assert_eq!(skills.page(), "linkedin.com/in/ada/details/skills");
    }

    #[test]
    fn what_was_typed_is_kept_and_gets_a_scheme() {
        for (text, kept) in [
            (" https://Example.org/Ada/ ", "https://Example.org/Ada/"),
            ("HTTP://example.org", "HTTP://example.org"),
            ("LinkedIn.com/in/Ada/", "https://LinkedIn.com/in/Ada/"),
            ("www.example.org", "https://www.example.org"),
            ("//example.org", "https://example.org"),
        ] {
            assert_eq!(ProfileUrl::parse(text).unwrap().as_str(), kept);
        }
    }

    #[test]
    fn anything_but_a_web_address_is_refused() {
        let too_long = format!("https://example.org/{}", "a".repeat(2029));
        for (text, code) in [
            ("", FieldCode::InvalidFormat),
            ("ada", FieldCode::InvalidFormat),
            ("@ada", FieldCode::InvalidFormat),
            ("/in/ada", FieldCode::InvalidFormat),
            ("1.5", FieldCode::InvalidFormat),
            ("https://", FieldCode::InvalidFormat),
            ("https://..", FieldCode::InvalidFormat),
            ("example .org", FieldCode::InvalidFormat),
            ("https://example.org/a b", FieldCode::InvalidFormat),
            ("https://example.org/a\nb", FieldCode::InvalidFormat),
            ("https://exa\u{200b}mple.org", FieldCode::InvalidFormat),
            ("https://ada@example.org", FieldCode::InvalidFormat),
            ("https://ada:secret@example.org", FieldCode::InvalidFormat),
            ("https://linkedin.com@evil.example/in/ada", FieldCode::InvalidFormat),
            ("ada@example.org", FieldCode::InvalidFormat),
            ("https://example.org:99999", FieldCode::InvalidFormat),
            ("tel:112", FieldCode::InvalidFormat),
            ("ftp://example.org", FieldCode::NotAllowed),
            ("javascript:alert(1)", FieldCode::NotAllowed),
            ("javascript://example.org/%0aalert(1)", FieldCode::NotAllowed),
            ("mailto:ada@example.org", FieldCode::NotAllowed),
            ("data:text/html,x", FieldCode::NotAllowed),
            ("https:example.org", FieldCode::NotAllowed),
            (&too_long, FieldCode::TooLong),
        ] {
            let rejection = ProfileUrl::parse(text).err();
            assert_eq!(rejection.map(|r| r.code), Some(code), "{text:?}");
            assert_eq!(platform_of(text), None);
        }
        assert!(ProfileUrl::parse(&too_long[..2048]).is_ok());
    }

    fn addresses() -> impl Strategy<Value = String> {
        let host = prop_oneof![
            prop::sample::select(all_hosts()).prop_map(String::from),
            "(www\\.){0,2}[a-z]{1,3}\\.[a-z]{2,4}",
            "(de|m|pt-br)\\.(linkedin|facebook)\\.com",
        ];
        let segment = prop_oneof![
            "(in|profile|users|web|c|intent|user|%[0-9a-f]{2}|%%[0-9a-f]{2}|%C3%9c|%e2%80%8b)",
            "@?[a-zA-ZÜéİΣ%\u{301}._~-]{0,6}",
            "@[a-z.%]{0,2}@(www\\.)?[a-zé]{0,2}\\.[a-z]{0,3}\\.?",
            "@?\\.{1,3}",
        ];
        (
            host,
            prop::collection::vec(segment, 0..5),
            "(\\?(id|v|x|screen_name|user_id)=[a-zA-Z%+&;=é./]{0,5})?",
            "(#[/!]?[a-z%]{0,3})?",
        )
            .prop_map(|(host, path, query, fragment)| format!("{host}/{}{query}{fragment}", path.join("/")))
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key(address in addresses()) {
            if let Ok(url) = ProfileUrl::parse(&address)
                && let Some(key) = url.key()
                && let Ok(again) = ProfileUrl::parse(key)
            {
                prop_assert_eq!(again.key(), Some(key));
            }
        }

        #[test]
        fn scheme_www_and_trailing_slash_do_not_matter(address in addresses()) {
            let path_only = address.split(['?', '#']).next().unwrap_or_default();
            if let Ok(url) = ProfileUrl::parse(path_only) {
                for other in [
                    format!("https://{path_only}"),
                    format!("http://{path_only}/"),
                    format!("https://www.{path_only}//"),
                ] {
                    let other = ProfileUrl::parse(&other).unwrap();
                    prop_assert_eq!(other.key(), url.key());
                    prop_assert_eq!(other.platform(), url.platform());
                }
            }
        }

        #[test]
        fn what_is_kept_is_a_web_address_with_the_same_key(address in addresses()) {
            if let Ok(url) = ProfileUrl::parse(&address) {
                let again = ProfileUrl::parse(url.as_str()).unwrap();
                prop_assert_eq!(again, url);
            }
        }

        #[test]
        fn parsing_never_panics(text in any::<String>()) {
            let _ = ProfileUrl::parse(&text);
        }
    }
}
