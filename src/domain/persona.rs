//! Whether a contact is one of the people that a goal asks for, and why. What is known of the contact is given.

use serde::Serialize;
use std::collections::HashSet;
use utoipa::ToSchema;

use super::goal::Persona;
use super::keyed::Keyed;
use super::text;
use super::words::enumeration;

/// The part of a persona's criteria, in percent, that a candidate has to fit.
pub const LEAST_SCORE: u8 = 50;

enumeration! {
    /// Which part of a contact matches the persona: the title of a current position or the headline, the industry of
    /// the organization, a word in the title that says how senior they are, where they are, or what they care about
    /// or know.
    CandidateReasonCode {
        Title = "title",
        Industry = "industry",
        Seniority = "seniority",
        Location = "location",
        Topic = "topic",
    }
}

/// Why a contact is a candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CandidateReason {
    pub code: CandidateReasonCode,
    pub params: CandidateParams,
    /// The reason in a sentence. To translate it, use `code` and `params`.
    #[schema(example = "Head of Product, Energy: the title fits \"Head of Product\".")]
    pub detail: String,
}

/// The values in the sentence, for translation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CandidateParams {
    /// The criterion of the persona.
    #[schema(example = "Head of Product")]
    pub wanted: String,
    /// What the contact has.
    #[schema(example = "Senior Head of Product")]
    pub found: String,
}

/// A text that is known of a contact, and its words.
#[derive(Debug, Clone)]
pub struct Known {
    text: String,
    words: HashSet<String>,
}

impl Known {
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), words: text::tokens(text).into_iter().collect() }
    }
}

/// What is known of a contact.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    pub titles: Vec<Known>,
    pub industries: Vec<Known>,
    pub locations: Vec<Known>,
    pub topics: Vec<Known>,
}

/// The persona that a contact fits best.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonaFit {
    /// The part of its criteria that fits, in percent.
    pub score: u8,
    /// Its key.
    pub persona: String,
    pub reasons: Vec<CandidateReason>,
}

impl Profile {
    /// The first of the personas that fit best; `None` if none does well enough.
    pub fn fit(&self, personas: &Keyed<Persona>) -> Option<PersonaFit> {
        let mut best: Option<PersonaFit> = None;
        for (key, persona) in personas.iter() {
            let fit = self.fit_one(key, persona);
            if fit.score >= LEAST_SCORE && best.as_ref().is_none_or(|best| fit.score > best.score) {
                best = Some(fit);
            }
        }
        best
    }

    fn fit_one(&self, key: &str, persona: &Persona) -> PersonaFit {
        let Persona { titles, industries, seniorities, locations, topics } = persona;
        let criteria = [
            (CandidateReasonCode::Title, titles, &self.titles),
            (CandidateReasonCode::Industry, industries, &self.industries),
            (CandidateReasonCode::Seniority, seniorities, &self.titles),
            (CandidateReasonCode::Location, locations, &self.locations),
            (CandidateReasonCode::Topic, topics, &self.topics),
        ];
        let asked = criteria.iter().filter(|(_, wanted, _)| !wanted.is_empty()).count();
        let found = criteria.into_iter().filter_map(|(code, wanted, known)| {
            let words = wanted.iter().map(|label| (&label.0, text::tokens(&label.0)));
            let mut pairs =
                words.flat_map(|(label, words)| known.iter().map(move |known| (label, words.clone(), known)));
            let fits = |words: &[String], known: &Known| {
                !words.is_empty() && words.iter().all(|word| known.words.contains(word))
            };
            let (wanted, _, known) = pairs.find(|(_, words, known)| fits(words, known))?;
            Some(reason(code, wanted, &known.text))
        });
        let reasons: Vec<CandidateReason> = found.collect();
        let percent = reasons.len().saturating_mul(100).checked_div(asked).unwrap_or_default();
        PersonaFit { score: u8::try_from(percent).unwrap_or(100), persona: key.to_owned(), reasons }
    }
}

fn reason(code: CandidateReasonCode, wanted: &str, found: &str) -> CandidateReason {
    let what = code.as_str();
    let detail = format!("{found}: the {what} fits \"{wanted}\".");
    CandidateReason {
        code,
        params: CandidateParams { wanted: wanted.to_owned(), found: found.to_owned() },
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fields::LabelText;

    fn labels(texts: &[&str]) -> Vec<LabelText> {
        texts.iter().map(|text| LabelText((*text).to_owned())).collect()
    }

    fn known(texts: &[&str]) -> Vec<Known> {
        texts.iter().map(|text| Known::new(text)).collect()
    }

    fn profile() -> Profile {
        Profile {
            titles: known(&["Senior Head of Product"]),
            industries: known(&["Renewable energy"]),
            locations: known(&["Berlin, Germany"]),
            topics: known(&["carbon accounting", "sailing"]),
        }
    }

    #[test]
    fn a_contact_fits_by_the_words_of_each_criterion() {
        let persona =
            |titles: &[&str], industries: &[&str], seniorities: &[&str], locations: &[&str], topics: &[&str]| {
                let [titles, industries, seniorities] = [titles, industries, seniorities].map(labels);
                Persona { titles, industries, seniorities, locations: labels(locations), topics: labels(topics) }
            };
        for (persona, score, codes) in [
            (persona(&["head of product"], &[], &[], &[], &[]), Some(100), vec!["title"]),
            (persona(&["Head of Sales", "PRODUCT head"], &[], &[], &[], &[]), Some(100), vec!["title"]),
            (persona(&["Head of Sales"], &[], &[], &[], &[]), None, vec![]),
            (
                persona(&[], &["Energy"], &["senior"], &["berlin"], &["Carbon"]),
                Some(100),
                vec!["industry", "seniority", "location", "topic"],
            ),
            (persona(&["CTO"], &["Energy"], &[], &[], &[]), Some(50), vec!["industry"]),
            (persona(&["CTO"], &["Energy"], &[], &["Paris"], &[]), None, vec![]),
            (persona(&["CTO"], &["Energy"], &[], &["Berlin"], &[]), Some(66), vec!["industry", "location"]),
        ] {
            let mut personas = Keyed::default();
            personas.insert("p".to_owned(), persona.clone());
            let fit = profile().fit(&personas);
            assert_eq!(fit.as_ref().map(|fit| fit.score), score, "{persona:?}");
            let told: Vec<&str> =
                fit.iter().flat_map(|fit| &fit.reasons).map(|reason| reason.code.as_str()).collect();
            assert_eq!(told, codes, "{persona:?}");
        }
    }

    #[test]
    fn the_best_persona_is_told_and_of_equals_the_first() {
        let mut personas = Keyed::default();
        let of = |titles: &[&str]| Persona { titles: labels(titles), ..Persona::default() };
        personas.insert("a".to_owned(), Persona { topics: labels(&["chess"]), ..of(&["Product"]) });
        personas.insert("b".to_owned(), of(&["Product"]));
        personas.insert("c".to_owned(), of(&["Head"]));
        let fit = profile().fit(&personas).unwrap();
        assert_eq!((fit.persona.as_str(), fit.score), ("b", 100));
        assert_eq!(fit.reasons[0].detail, "Senior Head of Product: the title fits \"Product\".");
        assert_eq!(profile().fit(&Keyed::default()), None);
    }
}
