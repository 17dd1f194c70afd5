//! Where people work, study and meet: what can be entered about an organization, and what is none.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::comparable_name::{OrganizationLikeness, OrganizationName};
use super::data;
use super::domain_name;
use super::entity::Entity;
use super::fields::{LabelText, NameText, ProfileLink, check_links, clean, clean_labels, push_pages, single_line};
use super::id::OrganizationId;
use super::invalid::{FieldCode, Invalid, Rejection};
use super::key::{Key, KeyKind};
use super::keyed::Keyed;
use super::link::ProfileUrl;
use super::platform::is_shared_host;
use super::record::{Fields, Stored};
use super::search::SearchText;
use super::text;
use super::words::enumeration;

/// What can be entered about an organization.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct OrganizationFields {
    /// The name.
    #[schema(required = true, min_length = 1, max_length = 300, example = "Poniedziałek Sp.j.")]
    pub name: String,
    /// Other names it has or had, and those of organizations that were merged into it.
    #[schema(max_items = 200, example = json!(["Poniedziałek"]))]
    pub aliases: Vec<NameText>,
    /// Its internet domain, which identifies it. A web or e-mail address is reduced to its domain. That of a platform, a page
    /// of links or a mail host is refused unless the organization has its name.
    #[schema(max_length = 253, pattern = "^\\s*(\\S+[.。．｡]\\S+)?\\s*$", example = "poniedzialek.example")]
    pub domain: Option<String>,
    /// Its website; http and https only.
    #[schema(max_length = 2048, pattern = "^\\s*\\S*\\s*$", example = "https://poniedzialek.example/en")]
    pub website: Option<String>,
    /// The kind of organization. Null: not known.
    pub kind: Option<OrganizationKind>,
    /// The industry, in a word or two.
    #[schema(max_length = 200, example = "Logistics")]
    pub industry: Option<String>,
    /// The size, in your words or as a range.
    #[schema(max_length = 100, example = "51-200")]
    pub size: Option<String>,
    /// Where it is, in your words.
    #[schema(max_length = 300, example = "Warsaw, Poland")]
    pub location: Option<String>,
    /// The parent organization. Null: none.
    #[schema(example = json!(null))]
    pub parent_id: Option<OrganizationId>,
    /// Profiles and pages under keys of your choice.
    #[schema(inline, example = json!({"linkedin": {"url": "https://www.linkedin.com/company/poniedzialek"}}))]
    pub links: Keyed<ProfileLink>,
    /// How interested you are in it, from 1 to 5 (most). Null: not set.
    #[schema(minimum = 1, maximum = 5, example = 4)]
    pub interest: Option<i32>,
    /// Why you are interested in it.
    #[schema(max_length = 5000)]
    pub why: Option<String>,
    /// Your notes. Markdown is kept as it is.
    #[schema(max_length = 100000)]
    pub notes: Option<String>,
    /// The names of tags. A new name creates the tag; otherwise the spelling of the tag is used. Case and accents
    /// are ignored. A workspace can have at most 10,000 tags.
    #[schema(max_items = 100, example = json!(["target"]))]
    pub tags: Vec<LabelText>,
}

enumeration! {
    /// The kind of organization.
    OrganizationKind {
        Company = "company",
        School = "school",
        Nonprofit = "nonprofit",
        Government = "government",
        Association = "association",
        Agency = "agency",
        Community = "community",
        Other = "other",
    }
}

/// A company, school, association or other place where people work, study or meet.
pub type Organization = Stored<OrganizationFields>;

impl OrganizationFields {
    /// What it is called, and what else.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.aliases.iter().map(|alias| alias.0.as_str()))
    }

    /// Whether a domain may be its own: not that of a platform, a page of links or a mail host, where it has a page or an
    /// address as many have, unless it goes by that name (LinkedIn, at linkedin.com).
    pub fn may_have_domain(&self, domain: &str) -> bool {
        if !is_shared_host(domain) {
            return true;
        }
        let label = OrganizationName::new(domain.split('.').next().unwrap_or_default());
        self.names().any(|name| OrganizationName::new(name).compare(&label) == OrganizationLikeness::SameCore)
    }
}

impl Organization {
    /// What it is known by: its domain, its links, and, as far as they are unique, its names; and what names that are
    /// nearly the same meet under.
    pub fn keys(&self) -> Vec<Key> {
        let fields = &self.fields;
        let links = fields.links.values().filter_map(|link| ProfileUrl::parse(&link.url).ok());
        let of_website = fields.website.as_ref().and_then(|url| domain_of(url).ok());
        let mut keys: Vec<Key> = fields
            .domain
            .iter()
            .chain(&of_website)
            .filter(|domain| fields.may_have_domain(domain))
            .map(|domain| Key::new(KeyKind::Domain, domain.clone()))
            .chain(links.filter_map(|link| Some(Key::new(KeyKind::Link, link.key()?))))
            .chain(fields.names().map(|name| Key::new(KeyKind::Name, text::fold(name))))
            .chain(fields.tags.iter().map(|tag| Key::new(KeyKind::Tag, text::fold(&tag.0))))
            .chain(OrganizationName::new(&fields.name).keys())
            .collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// Whether this is a name or an alias of it, or an address that it is known by.
    pub fn is_called(&self, name: &str) -> bool {
        let folded = text::fold(name);
        let addresses = keys_of_address(name);
        self.fields.names().any(|own| text::fold(own) == folded)
            || self.keys().iter().any(|key| addresses.contains(key))
    }

    /// What it is found by when somebody types.
    pub fn search_text(&self) -> SearchText {
        let fields = &self.fields;
        let mut parts: Vec<&str> = fields.names().collect();
        let texts = [&fields.domain, &fields.industry, &fields.location, &fields.why, &fields.notes];
        parts.extend(texts.into_iter().flatten().map(String::as_str));
        parts.extend(fields.website.as_deref());
        parts.extend(fields.tags.iter().map(|tag| tag.0.as_str()));
        let mut text = parts.join("\n");
        push_pages(&fields.links, &mut text);
        SearchText { title: fields.name.clone(), text }
    }
}

impl Fields for OrganizationFields {
    const ENTITY: Entity = Entity::Organization;
    const DESCRIPTION: &'static str = "A company, school, association or other place where people work, study or \
                                       meet.";
    type Id = OrganizationId;

    fn check(mut self, id: OrganizationId, before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        self.name = single_line(&self.name);
        if self.name.is_empty() {
            invalid.add("#/name", Rejection::new(FieldCode::Required, "A name is required and cannot be blank."));
        } else if is_placeholder_name(&self.name) {
            let detail = format!("{:?} is not the name of an organization.", self.name);
            invalid.add("#/name", Rejection::new(FieldCode::NotAllowed, detail));
        }
        let texts = [&mut self.industry, &mut self.size, &mut self.location, &mut self.website, &mut self.domain];
        texts.into_iter().for_each(clean);
        self.aliases.iter_mut().for_each(|alias| alias.0 = single_line(&alias.0));
        self.aliases.retain(|alias| !alias.0.is_empty());
        clean_labels("tags", &mut self.tags, &mut invalid);
        check_links(&mut self.links, &mut invalid);
        if let Some(website) = &self.website
            && let Some(url) = invalid.check("#/website", ProfileUrl::parse(website))
        {
            self.website = Some(url.as_str().to_owned());
        }
        if let Some(domain) = &self.domain {
            self.domain = invalid.check("#/domain", domain_of(domain));
        }
        if let Some(domain) =
            self.domain.as_deref().filter(|_| before.is_none_or(|before| before.domain != self.domain))
            && !self.may_have_domain(domain)
        {
            let detail = format!(
                "Many have a page or an address at {domain}. Put the address of a page in links or website."
            );
            invalid.add("#/domain", Rejection::new(FieldCode::NotAllowed, detail));
        }
        if self.parent_id == Some(id) {
            let rejection = Rejection::new(FieldCode::Contradiction, "An organization cannot belong to itself.");
            invalid.add("#/parent_id", rejection);
        }
        invalid.into_result(self)
    }
}

/// The domain that a domain, an e-mail address or a web address names: lower case, without `www.`.
pub fn domain_of(text: &str) -> Result<String, Rejection> {
    let refuse = || Rejection::format("Expected an internet domain such as example.com.");
    let text = text.trim();
    let is_web_address = text.contains("//");
    let with_scheme = match text.split_once('@') {
        _ if text.contains("://") => text.to_owned(),
        _ if is_web_address => format!("https:{text}"),
        // An e-mail address, unless the path of a web address goes on with it.
        Some((name, domain)) if !name.contains('/') && !domain.contains('@') => format!("https://{domain}"),
        _ => format!("https://{text}"),
    };
    let url = url::Url::parse(&with_scheme).map_err(|_| refuse())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse());
    }
    let host = url.host_str().ok_or_else(refuse)?;
    // The root may be written, as one dot.
    let domain = domain_name::canonical(host.strip_suffix('.').unwrap_or(host)).ok_or_else(refuse)?;
    let bare = domain.strip_prefix("www.").filter(|bare| bare.contains('.'));
    Ok(bare.map(str::to_owned).unwrap_or(domain))
}

/// What an organization is known by that is named by its domain or by the address of a page; nothing where that is a
/// name like any other. An e-mail address names a person.
pub fn keys_of_address(name: &str) -> Vec<Key> {
    let Some(url) = ProfileUrl::parse(name).ok().filter(|_| !name.contains('@')) else { return Vec::new() };
    let domain = domain_of(name).ok();
    // A page on a platform is no domain of one's own.
    let is_home = domain.as_ref().is_some_and(|domain| url.page() == domain);
    let domain = domain.filter(|domain| is_home || !is_shared_host(domain));
    let domain = domain.map(|domain| Key::new(KeyKind::Domain, domain));
    domain.into_iter().chain(url.key().map(|key| Key::new(KeyKind::Link, key))).collect()
}

/// Names that mean that there is no organization, folded.
static PLACEHOLDER_NAMES: LazyLock<HashSet<String>> =
    LazyLock::new(|| data::entries(include_str!("data/placeholder_organizations.txt")).map(text::fold).collect());

/// Whether a name says that there is no organization: "Self-employed", "Freelance", "Stealth" and the like.
pub fn is_placeholder_name(name: &str) -> bool {
    PLACEHOLDER_NAMES.contains(&text::fold(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::timestamp::Timestamp;

    fn made(fields: OrganizationFields) -> Result<Organization, Invalid> {
        let id = OrganizationId::new(uuid::Uuid::from_u128(7));
        Organization::new(id, Timestamp::parse("2026-03-02T09:00:00Z").unwrap(), fields)
    }

    #[test]
    fn a_domain_is_told_from_what_people_paste() {
        let table = [
            ("Example.COM", Some("example.com")),
            ("https://www.example.com/about?x=1", Some("example.com")),
            ("ada@mail.example.com", Some("mail.example.com")),
            ("https://blog.example/@acme.example", Some("blog.example")),
            ("//blog.example/@ada", Some("blog.example")),
            ("blog.example/@ada", Some("blog.example")),
            ("https://ada:secret@acme.example", None),
            ("a@@acme.example", None),
            ("https://Müller.example./", Some("xn--mller-kva.example")),
            ("www.com", Some("www.com")),
            ("co.uk", Some("co.uk")),
            ("x..com", None),
            ("-x.com", None),
            ("https://x_y.example", None),
            ("localhost", None),
            ("127.0.0.1", None),
            ("no domain", None),
        ];
        for (text, expected) in table {
            assert_eq!(domain_of(text).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn an_organization_is_named_by_its_domain_or_a_page_of_its() {
        let (domain, link) = (|value| Key::new(KeyKind::Domain, value), |value| Key::new(KeyKind::Link, value));
        let table = [
            ("acme.example", vec![domain("acme.example"), link("acme.example")]),
            (" https://www.Acme.example/ ", vec![domain("acme.example"), link("acme.example")]),
            ("https://acme.example/team", vec![domain("acme.example"), link("acme.example/team")]),
            ("linkedin.com/company/Acme/about", vec![link("linkedin.com/company/acme")]),
            ("https://www.linkedin.com/", vec![domain("linkedin.com")]),
            ("linktr.ee/acme", vec![link("linktr.ee/acme")]),
            ("Acme", vec![]),
            ("Acme Sp. z o.o.", vec![]),
            ("ada@acme.example", vec![]),
            ("1.5", vec![]),
            ("", vec![]),
        ];
        for (name, expected) in table {
            assert_eq!(keys_of_address(name), expected, "{name}");
        }
    }

    #[test]
    fn a_name_is_its_own_by_spelling_alias_or_address() {
        let acme = made(OrganizationFields {
            name: "Acme Sp. z o.o.".to_owned(),
            aliases: vec![NameText("Acme".to_owned())],
            domain: Some("acme.example".to_owned()),
            ..OrganizationFields::default()
        })
        .unwrap();
        for (name, expected) in [
            ("ÁCME", true),
            ("acme sp. z o.o.", true),
            ("https://acme.example/jobs", true),
            ("Acme Labs", false),
            ("labs.example", false),
        ] {
            assert_eq!(acme.is_called(name), expected, "{name}");
        }
    }

    #[test]
    fn what_says_that_there_is_none_is_no_organization() {
        for name in ["Self-employed", "FREELANCE", "Selbstständig", "Stealth Startup", "自営業", "Autónomo"] {
            assert!(is_placeholder_name(name), "{name}");
        }
        for name in ["Stealth Marine", "Independent Digital News", "Student Loans Company"] {
            assert!(!is_placeholder_name(name), "{name}");
        }
    }

    #[test]
    fn what_many_share_is_the_domain_of_none_but_its_owner() {
        let named = |name: &str, domain: &str| OrganizationFields {
            name: name.to_owned(),
            domain: Some(domain.to_owned()),
            ..OrganizationFields::default()
        };
        for domain in
            ["linkedin.com/company/acme", "de.linkedin.com", "facebook.com", "info@gmail.com", "linktr.ee/acme"]
        {
            let errors = made(named("Acme", domain)).unwrap_err().errors;
            assert_eq!(
                (errors[0].pointer.as_str(), errors[0].code),
                ("#/domain", FieldCode::NotAllowed),
                "{domain}"
            );
        }
        let own = made(named("LinkedIn Inc.", "linkedin.com")).unwrap();
        assert!(own.keys().contains(&Key::new(KeyKind::Domain, "linkedin.com")));
        assert!(made(named("Acme", "acme.github.io")).is_ok());
        let shop = OrganizationFields {
            name: "Yarn Shop".to_owned(),
            website: Some("https://linktr.ee/yarn".to_owned()),
            ..OrganizationFields::default()
        };
        assert!(made(shop).unwrap().keys().iter().all(|key| key.kind != KeyKind::Domain));
    }

    #[test]
    fn all_faults_are_named_at_once() {
        let fields = OrganizationFields {
            name: " ".to_owned(),
            domain: Some("x".to_owned()),
            tags: vec![LabelText(" ".to_owned())],
            parent_id: Some(OrganizationId::new(uuid::Uuid::from_u128(7))),
            ..OrganizationFields::default()
        };
        let pointers: Vec<_> = made(fields).unwrap_err().errors.into_iter().map(|error| error.pointer).collect();
        assert_eq!(pointers, ["#/name", "#/tags/0", "#/domain", "#/parent_id"]);
    }

    #[test]
    fn checking_what_was_checked_changes_nothing() {
        let fields = OrganizationFields {
            name: " Acme ".to_owned(),
            domain: Some("https://www.acme.example/".to_owned()),
            website: Some("acme.example".to_owned()),
            ..OrganizationFields::default()
        };
        let once = made(fields).unwrap();
        assert_eq!(once.with(once.fields.clone()).unwrap(), once);
    }
}
