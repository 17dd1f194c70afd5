//! Whether two records may be the same person or organization: the reasons for and against, and the likelihood
//! they add up to. Candidates are found elsewhere; nothing is read here.

use serde::Serialize;
use utoipa::ToSchema;

use super::comparable_name::{NameLikeness, OrganizationLikeness, OrganizationName, PersonName};
use super::id::OrganizationId;
use super::key::KeyKind;
use super::partial_date::PartialDate;
use super::text::fold;

/// An address, number, link or domain shared by more records than this is no evidence and is ignored.
pub const MAX_SHARING_ADDRESS: i64 = 20;
/// A name, or part of one, shared by more records than this is no evidence and is ignored.
pub const MAX_SHARING_NAME: i64 = 50;

/// Most values that a reason lists.
const MAX_NAMED: usize = 3;

/// A kind of evidence for or against two records being the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    SameEmail,
    SamePhone,
    SameLink,
    SameDomain,
    SameNameAndOrganization,
    SameName,
    SameNameButLegalForm,
    NearNameAndOrganization,
    NearName,
    DifferentGivenName,
    DifferentFamilyName,
    DifferentSuffix,
    DifferentBirthday,
    PartOfTheOther,
}

/// A reason and its weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DuplicateReason)]
pub struct Reason {
    /// The kind of reason. `different_given_name`, `different_family_name`, `different_suffix`, `different_birthday` and
    /// `part_of_the_other` count against a duplicate.
    pub code: ReasonCode,
    /// The value that both records share, or the two values that differ.
    #[schema(example = "dorota@example.com")]
    pub detail: String,
    /// How likely a duplicate is by this reason alone, in percent. Negative: the percentage by which it lowers the
    /// score.
    #[schema(minimum = -100, maximum = 100, example = 90)]
    pub points: i8,
}

impl Reason {
    fn new(code: ReasonCode, detail: impl Into<String>, points: i8) -> Self {
        Self { code, detail: detail.into(), points }
    }
}

/// The parts of a contact that are compared.
#[derive(Debug, Clone)]
pub struct Person {
    /// Display name.
    pub name: String,
    pub comparable_name: PersonName,
    pub birthday: Option<PartialDate>,
}

/// The parts of an organization that are compared.
#[derive(Debug, Clone)]
pub struct Company {
    pub id: OrganizationId,
    /// Display name.
    pub name: String,
    pub parent_id: Option<OrganizationId>,
}

/// A key that both records have and few others do.
pub type SharedKey = (KeyKind, String);

/// Why two contacts may be the same person; empty if no reason counts in favour. `organization` is one where both
/// have or had a position.
pub fn reasons_for_people(
    one: &Person,
    other: &Person,
    shared: &[SharedKey],
    organization: Option<&str>,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (kind, code, points) in [
        (KeyKind::Email, ReasonCode::SameEmail, 90),
        (KeyKind::Link, ReasonCode::SameLink, 90),
        (KeyKind::Phone, ReasonCode::SamePhone, 80),
    ] {
        reasons.extend(same(kind, code, points, shared));
    }
    let both = || format!("{}, {}", one.name, other.name);
    match (one.comparable_name.compare(&other.comparable_name), organization) {
        (NameLikeness::Same, Some(organization)) => {
            let detail = format!("{}, {organization}", one.name);
            reasons.push(Reason::new(ReasonCode::SameNameAndOrganization, detail, 75));
        }
        // Many people are entered as just "Anna", fewer as "Anna Nowak".
        (NameLikeness::Same, None) => {
            let points = if one.comparable_name.is_full() && other.comparable_name.is_full() { 50 } else { 30 };
            reasons.push(Reason::new(ReasonCode::SameName, one.name.clone(), points));
        }
        (NameLikeness::Near(alike), Some(organization)) => {
            let detail = format!("{}, {organization}", both());
            reasons.push(Reason::new(ReasonCode::NearNameAndOrganization, detail, near_points(alike) + 20));
        }
        (NameLikeness::Near(alike), None) => {
            reasons.push(Reason::new(ReasonCode::NearName, both(), near_points(alike)));
        }
        (NameLikeness::OtherGiven, _) => {
            reasons.push(Reason::new(ReasonCode::DifferentGivenName, both(), -70));
        }
        (NameLikeness::OtherFamily, _) => {
            reasons.push(Reason::new(ReasonCode::DifferentFamilyName, both(), -40));
        }
        (NameLikeness::Unknown, _) => {}
    }
    if one.comparable_name.is_other_generation(&other.comparable_name) {
        reasons.push(Reason::new(ReasonCode::DifferentSuffix, both(), -70));
    }
    if let (Some(first), Some(second)) = (one.birthday, other.birthday)
        && contradict(first, second)
    {
        reasons.push(Reason::new(ReasonCode::DifferentBirthday, format!("{first}, {second}"), -60));
    }
    require_support(reasons)
}

/// Why two organizations may be the same; empty if no reason counts in favour.
pub fn reasons_for_organizations(one: &Company, other: &Company, shared: &[SharedKey]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (kind, code) in [(KeyKind::Domain, ReasonCode::SameDomain), (KeyKind::Link, ReasonCode::SameLink)] {
        reasons.extend(same(kind, code, 90, shared));
    }
    // A name that too many records share is not among the keys, but these two do have it.
    let name = Some(fold(&one.name)).filter(|name| *name == fold(&other.name));
    let name = name.map(|name| Reason::new(ReasonCode::SameName, name, 70));
    if let Some(reason) = name.or_else(|| same(KeyKind::Name, ReasonCode::SameName, 70, shared)) {
        reasons.push(reason);
    } else {
        let both = format!("{}, {}", one.name, other.name);
        match OrganizationName::new(&one.name).compare(&OrganizationName::new(&other.name)) {
            OrganizationLikeness::SameCore => {
                reasons.push(Reason::new(ReasonCode::SameNameButLegalForm, both, 60));
            }
            OrganizationLikeness::Near(alike) => {
                reasons.push(Reason::new(ReasonCode::NearName, both, near_points(alike)));
            }
            OrganizationLikeness::Other => {}
        }
    }
    for (part, whole) in [(one, other), (other, one)] {
        if part.parent_id == Some(whole.id) {
            let detail = format!("{} belongs to {}", part.name, whole.name);
            reasons.push(Reason::new(ReasonCode::PartOfTheOther, detail, -80));
        }
    }
    require_support(reasons)
}

/// How likely two records are the same, in percent. Reasons in favour combine as independent causes (noisy-or: J.
/// Pearl, "Probabilistic Reasoning in Intelligent Systems", 1988, section 4.3.2); each reason against then takes
/// its percentage off. The points are our judgement, not measured.
pub fn score(reasons: &[Reason]) -> u8 {
    const WHOLE: u64 = 1_000_000;
    let share = |reason: &Reason| u64::from(reason.points.unsigned_abs()).min(100);
    let (mut unlikely, mut kept) = (WHOLE, WHOLE);
    for reason in reasons {
        let rest = if reason.points > 0 { &mut unlikely } else { &mut kept };
        *rest = *rest * (100 - share(reason)) / 100;
    }
    let likely = (WHOLE - unlikely) * kept / WHOLE;
    u8::try_from((likely * 100 + WHOLE / 2) / WHOLE).unwrap_or(100)
}

fn same(kind: KeyKind, code: ReasonCode, points: i8, shared: &[SharedKey]) -> Option<Reason> {
    let mut values: Vec<&str> =
        shared.iter().filter(|(own, _)| *own == kind).map(|(_, value)| value.as_str()).collect();
    values.sort_unstable();
    values.truncate(MAX_NAMED);
    (!values.is_empty()).then(|| Reason::new(code, values.join(", "), points))
}

/// From 30, for the least similar names that still count, to 45.
fn near_points(alike: u8) -> i8 {
    i8::try_from(30 + alike.saturating_sub(75).min(25) * 3 / 5).unwrap_or(30)
}

/// Whether a part that both dates have differs.
fn contradict(one: PartialDate, other: PartialDate) -> bool {
    let days_differ = one.month_day().zip(other.month_day()).is_some_and(|(one, other)| one != other);
    days_differ || one.year().zip(other.year()).is_some_and(|(one, other)| one != other)
}

fn require_support(reasons: Vec<Reason>) -> Vec<Reason> {
    if reasons.iter().any(|reason| reason.points > 0) { reasons } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::person_name::NameParts;
    use proptest::prelude::*;

    fn person(given: &str, family: &str) -> Person {
        let parts = NameParts { given: Some(given), family: Some(family), ..NameParts::default() };
        let name = format!("{given} {family}").trim().to_owned();
        Person { name, comparable_name: PersonName::new(&parts, []), birthday: None }
    }

    fn born(day: &str, person: Person) -> Person {
        Person { birthday: PartialDate::parse(day).ok(), ..person }
    }

    fn company(id: u128, name: &str, parent: Option<u128>) -> Company {
        let id_of = |id| OrganizationId::new(uuid::Uuid::from_u128(id));
        Company { id: id_of(id), name: name.to_owned(), parent_id: parent.map(id_of) }
    }

    fn summary(reasons: &[Reason]) -> String {
        let all: Vec<String> = reasons
            .iter()
            .map(|reason| format!("{:?} {} ({})", reason.code, reason.points, reason.detail))
            .chain([score(reasons).to_string()])
            .collect();
        all.join("; ")
    }

    #[test]
    fn what_speaks_for_and_against_two_contacts() {
        use KeyKind::{Email, Link, Phone};
        let ada = || person("Ada", "Lovelace");
        for (one, other, kinds, organization, expected) in [
            (ada(), person("Ada", ""), vec![Email], None, "SameEmail 90 (x); 90"),
            (
                ada(),
                ada(),
                vec![Email, Link, Phone],
                Some("Acme"),
                "SameEmail 90 (x); SameLink 90 (x); SamePhone 80 (x); SameNameAndOrganization 75 (Ada Lovelace, Acme); 100",
            ),
            (ada(), ada(), vec![], Some("Acme"), "SameNameAndOrganization 75 (Ada Lovelace, Acme); 75"),
            (ada(), ada(), vec![], None, "SameName 50 (Ada Lovelace); 50"),
            (person("Ada", ""), person("Ada", ""), vec![], None, "SameName 30 (Ada); 30"),
            (
                ada(),
                person("Ada", "Lovelacee"),
                vec![],
                Some("Acme"),
                "NearNameAndOrganization 58 (Ada Lovelace, Ada Lovelacee, Acme); 58",
            ),
            (
                person("Jan", "Nowak"),
                person("Piotr", "Nowak"),
                vec![Phone],
                None,
                "SamePhone 80 (x); DifferentGivenName -70 (Jan Nowak, Piotr Nowak); 24",
            ),
            (
                person("Anna", "Nowak"),
                person("Anna", "Maj"),
                vec![Phone],
                None,
                "SamePhone 80 (x); DifferentFamilyName -40 (Anna Nowak, Anna Maj); 48",
            ),
            (
                born("1990-06-15", ada()),
                born("--06-16", ada()),
                vec![],
                None,
                "SameName 50 (Ada Lovelace); DifferentBirthday -60 (1990-06-15, --06-16); 20",
            ),
            (born("1990", ada()), born("--06-16", ada()), vec![], None, "SameName 50 (Ada Lovelace); 50"),
            (
                person("Jan", ""),
                person("Piotr", ""),
                vec![Phone],
                None,
                "SamePhone 80 (x); DifferentGivenName -70 (Jan, Piotr); 24",
            ),
            (
                person("John", "Smith Jr."),
                person("John", "Smith Sr."),
                vec![Email],
                None,
                "SameEmail 90 (x); SameName 50 (John Smith Jr.); DifferentSuffix -70 (John Smith Jr., John Smith Sr.); 29",
            ),
            (person("Jan", "Nowak"), person("Piotr", "Nowak"), vec![], None, "0"),
            (person("明", "李"), person("强", "李"), vec![], None, "0"),
        ] {
            let shared: Vec<SharedKey> = kinds.into_iter().map(|kind| (kind, "x".to_owned())).collect();
            assert_eq!(summary(&reasons_for_people(&one, &other, &shared, organization)), expected);
        }
    }

    #[test]
    fn what_speaks_for_and_against_two_organizations() {
        use KeyKind::{Domain, Link, Name};
        for (one, other, kinds, expected) in [
            (company(1, "Acme", None), company(2, "Monday", None), vec![Domain], "SameDomain 90 (x); 90"),
            (company(1, "Acme", None), company(2, "Monday", None), vec![Link], "SameLink 90 (x); 90"),
            (company(1, "Acme", None), company(2, "Monday", None), vec![Name], "SameName 70 (x); 70"),
            (company(1, "Acme", None), company(2, "ACME", None), vec![], "SameName 70 (acme); 70"),
            (
                company(1, "Acme GmbH", None),
                company(2, "Acme Inc.", None),
                vec![],
                "SameNameButLegalForm 60 (Acme GmbH, Acme Inc.); 60",
            ),
            (
                company(1, "Poniedzialek", None),
                company(2, "Poniedzalek", None),
                vec![],
                "NearName 40 (Poniedzialek, Poniedzalek); 40",
            ),
            (
                company(1, "Acme", None),
                company(2, "Acme Labs", Some(1)),
                vec![Domain],
                "SameDomain 90 (x); PartOfTheOther -80 (Acme Labs belongs to Acme); 18",
            ),
            (company(1, "Acme", None), company(2, "Monday", None), vec![], "0"),
        ] {
            let shared: Vec<SharedKey> = kinds.into_iter().map(|kind| (kind, "x".to_owned())).collect();
            assert_eq!(summary(&reasons_for_organizations(&one, &other, &shared)), expected);
        }
    }

    fn shared() -> impl Strategy<Value = Vec<SharedKey>> {
        let kind =
            prop_oneof![Just(KeyKind::Email), Just(KeyKind::Phone), Just(KeyKind::Link), Just(KeyKind::Tag)];
        prop::collection::vec((kind, "[a-c]{1,2}"), 0..4)
    }

    fn anybody() -> impl Strategy<Value = Person> {
        let part = || prop_oneof!["[A-Ca-c]{0,5}", "[一-三]{1,2}", any::<String>()];
        (part(), part(), prop::option::of("(19[89]0|--06-1[0-9]|199[0-9]-06)")).prop_map(|(given, family, day)| {
            Person { birthday: day.and_then(|day| PartialDate::parse(&day).ok()), ..person(&given, &family) }
        })
    }

    proptest! {
        #[test]
        fn the_score_is_symmetric_and_a_percentage(one in anybody(), other in anybody(), shared in shared(), at in any::<bool>()) {
            let organization = at.then_some("Acme");
            let there = reasons_for_people(&one, &other, &shared, organization);
            let back = reasons_for_people(&other, &one, &shared, organization);
            let codes = |reasons: &[Reason]| reasons.iter().map(|reason| (reason.code, reason.points)).collect::<Vec<_>>();
            prop_assert_eq!(codes(&there), codes(&back));
            prop_assert!(score(&there) <= 100);
            prop_assert_eq!(there.is_empty(), score(&there) == 0);
        }

        #[test]
        fn what_speaks_for_it_never_lowers_the_score(points in prop::collection::vec(-100_i8..=100, 0..6), more in 1_i8..=100) {
            let reason = |points| Reason::new(ReasonCode::SameName, "", points);
            let mut reasons: Vec<Reason> = points.into_iter().map(reason).collect();
            let before = score(&reasons);
            reasons.push(reason(more));
            prop_assert!(before <= score(&reasons) && score(&reasons) <= 100);
        }
    }
}
