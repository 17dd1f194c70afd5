//! Sites where people and organizations have profiles: which of their pages name one, and hosts that many share. How an
//! address is read and what other pages are known by is told in `link.rs`.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use url::Url;

use super::data;
use super::text::lower;

/// A site where people have profiles. What its parts mean is told in the file that they come from.
pub struct Platform {
    pub name: &'static str,
    hosts: Vec<&'static str>,
    under: Vec<Under>,
    root: Root,
    parameters: Vec<Parameter>,
    wrappers: Vec<Vec<&'static str>>,
    pages: Pages,
}

/// Segments after which a profile is named.
struct Under {
    segments: Vec<&'static str>,
    /// Whether all that follows names it.
    is_open: bool,
    has_case: bool,
}

/// Whether the first segment of a path alone names a profile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    Nothing,
    Name,
    /// With an `@` before it.
    Handle,
    Digits,
}

/// A query parameter that names a profile.
struct Parameter {
    path: &'static str,
    name: &'static str,
    /// What stands before its value in the key.
    before: Option<&'static str>,
}

#[derive(Default)]
struct Pages {
    /// First segments of pages that name nobody.
    others: HashSet<&'static str>,
    /// Segments that may follow a name.
    sections: HashSet<&'static str>,
}

static PLATFORMS: LazyLock<Vec<Platform>> = LazyLock::new(|| {
    let columns = |line: &'static str| line.split('|').map(str::trim);
    let words = |column: Option<&'static str>| column.unwrap_or_default().split_whitespace();
    let mut pages: HashMap<&str, Pages> = data::entries(include_str!("data/platform_pages.txt"))
        .map(|line| {
            let mut columns = columns(line);
            let name = columns.next().unwrap_or_default();
            let others = words(columns.next()).collect();
            (name, Pages { others, sections: words(columns.next()).collect() })
        })
        .collect();
    let under = |word: &'static str| Under {
        segments: word.trim_end_matches(['*', '!']).split('/').collect(),
        is_open: word.ends_with('*'),
        has_case: word.ends_with('!'),
    };
    let parameter = |word: &'static str| {
        let (path, rest) = word.split_once('?')?;
        let (name, before) = rest.split_once('>').map_or((rest, None), |(name, before)| (name, Some(before)));
        Some(Parameter { path, name, before })
    };
    let mut platform = |line: &'static str| {
        let mut columns = columns(line);
        let name = columns.next().unwrap_or_default();
        Platform {
            name,
            hosts: words(columns.next()).collect(),
            under: words(columns.next()).map(under).collect(),
            root: match columns.next() {
                Some("name") => Root::Name,
                Some("@") => Root::Handle,
                Some("digits") => Root::Digits,
                _ => Root::Nothing,
            },
            parameters: words(columns.next()).filter_map(parameter).collect(),
            wrappers: words(columns.next()).map(|word| word.split('/').collect()).collect(),
            pages: pages.remove(name).unwrap_or_default(),
        }
    };
    data::entries(include_str!("data/platforms.txt")).map(&mut platform).collect()
});

static SHARED_HOSTS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| data::entries(include_str!("data/shared_hosts.txt")).collect());

/// Large servers whose names do not say what they are.
static MASTODON_HOSTS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| data::entries(include_str!("data/mastodon_hosts.txt")).collect());

pub fn is_mastodon(host: &str) -> bool {
    MASTODON_HOSTS.contains(host) || host.split('.').any(|label| matches!(label, "mastodon" | "mstdn"))
}

/// Whether many have an address or a page at the host, so that it is the domain of none of them.
pub fn is_shared_host(host: &str) -> bool {
    let plain = || host.split_once('.').filter(|(label, _)| is_alias(label)).map_or(host, |(_, rest)| rest);
    SHARED_HOSTS.contains(host)
        || SHARED_HOSTS.contains(plain())
        || is_mastodon(host)
        || platform_at(host).is_some()
}

/// The platform at a host, also at its language (`de.`, `pt-br.`) and mobile subdomains.
pub fn platform_at(host: &str) -> Option<&'static Platform> {
    let at = |host: &str| PLATFORMS.iter().find(|platform| platform.hosts.contains(&host));
    if let Some(platform) = at(host) {
        return Some(platform);
    }
    // Google Scholar has a host per country: scholar.google.co.uk.
    if host.starts_with("scholar.google.") {
        return at("scholar.google.com");
    }
    let (subdomain, rest) = host.split_once('.')?;
    at(rest).filter(|_| is_alias(subdomain))
}

fn is_alias(subdomain: &str) -> bool {
    let is_language = |label: &str| label.len() == 2 && label.bytes().all(|b| b.is_ascii_alphabetic());
    matches!(subdomain, "www" | "m" | "mobile" | "touch" | "web")
        || (subdomain.len() <= 5 && subdomain.split('-').all(is_language))
}

/// A profile on a platform.
pub struct Profile {
    /// What names it, on whatever page: `linkedin.com/in/ada`.
    pub key: String,
    /// Which page of it, as the rest of the path: `/details/skills`.
    pub page: String,
}

impl Platform {
    /// The host that the others redirect to.
    pub fn host(&self) -> &'static str {
        self.hosts.first().copied().unwrap_or_default()
    }

    /// The profile that an address names, by the segments of its path; `None` for any other page: a home page, a search, a
    /// post, a link to share something.
    pub fn profile(&self, path: &[String], url: &Url) -> Option<Profile> {
        let folded: Vec<String> = path.iter().map(|segment| lower(segment)).collect();
        let mut from = 0;
        while let Some(wrapper) = self.wrappers.iter().find(|wrapper| begins_with(folded.get(from..), wrapper)) {
            from += wrapper.len();
        }
        let (path, folded) = (path.get(from..)?, folded.get(from..)?);
        self.named_by_parameter(folded, url)
            .or_else(|| self.named_under(path, folded))
            .or_else(|| self.named_at_root(folded))
    }

    fn named_by_parameter(&self, folded: &[String], url: &Url) -> Option<Profile> {
        let path = folded.join("/");
        let mut own = self.parameters.iter().filter(|parameter| parameter.path == path);
        let (parameter, value) = own.find_map(|parameter| {
            let (_, value) =
                url.query_pairs().find(|(name, value)| name == parameter.name && !value.is_empty())?;
            Some((parameter, value))
        })?;
        if is_dots(&value) {
            return None;
        }
        let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let key = match parameter.before {
            // A name as in a path.
            Some(before) if before.ends_with('/') => {
                format!("{}/{}{}", self.host(), before.trim_start_matches('/'), value.to_lowercase())
            }
            Some(before) => format!("{}/{before}{value}", self.host()),
            None => format!("{}/{}?{}={value}", self.host(), parameter.path, parameter.name),
        };
        Some(Profile { key, page: String::new() })
    }

    fn named_under(&self, path: &[String], folded: &[String]) -> Option<Profile> {
        let under = self.under.iter().find(|under| begins_with(Some(folded), &under.segments))?;
        let depth = under.segments.len();
        let names =
            if under.has_case || folded.get(depth).is_some_and(|name| is_token(name)) { path } else { folded };
        let end = if under.is_open { names.len() } else { depth + 1 };
        let named = names.get(depth..end).filter(|named| !named.is_empty())?;
        let own = format!("{}/{}", under.segments.join("/"), named.join("/"));
        let is_other = self.pages.others.contains(own.as_str());
        let rest = folded.get(end..).unwrap_or_default();
        let is_post = rest.first().is_some_and(|page| matches!(page.as_str(), "post" | "feed" | "lists"));
        (!is_other && !is_post).then(|| Profile { key: format!("{}/{own}", self.host()), page: page_of(rest) })
    }

    fn named_at_root(&self, folded: &[String]) -> Option<Profile> {
        let (first, rest) = folded.split_first()?;
        let name = match self.root {
            Root::Nothing => return None,
            Root::Name => first.trim_start_matches('@'),
            Root::Handle => Some(first.as_str()).filter(|first| first.starts_with('@') && first.len() > 1)?,
            Root::Digits => {
                Some(first.as_str()).filter(|first| first.starts_with(|c: char| c.is_ascii_digit()))?
            }
        };
        let is_section = |page: &String| self.root != Root::Name || self.pages.sections.contains(page.as_str());
        let is_profile = !name.is_empty()
            && !is_dots(name)
            && !self.pages.others.contains(name)
            && rest.first().is_none_or(is_section);
        is_profile.then(|| Profile { key: format!("{}/{name}", self.host()), page: page_of(rest) })
    }
}

fn page_of(rest: &[String]) -> String {
    rest.iter().map(|segment| format!("/{segment}")).collect()
}

/// Whether it leads to a folder instead of naming somebody, as a segment of a path.
fn is_dots(name: &str) -> bool {
    matches!(name, "." | "..")
}

fn begins_with(path: Option<&[String]>, segments: &[&str]) -> bool {
    path.and_then(|path| path.get(..segments.len()))
        .is_some_and(|first| first.iter().zip(segments).all(|(one, other)| one == other))
}

/// Whether it is one of LinkedIn's ids for members, whose case matters: `ACoAABx…`.
fn is_token(name: &str) -> bool {
    name.len() > 20 && ["acoaa", "acwaa", "aemaa"].iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
pub(super) fn all_hosts() -> Vec<&'static str> {
    let hosts = PLATFORMS.iter().flat_map(|platform| platform.hosts.iter().copied());
    hosts.chain(MASTODON_HOSTS.iter().copied()).collect()
}
