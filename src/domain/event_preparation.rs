//! How well an event is prepared: what there is, and what is missing. How many people are still to be researched is given.

use serde::Serialize;
use utoipa::ToSchema;

use super::count::pluralize;
use super::event::EventFields;
use super::words::enumeration;

enumeration! {
    /// A part of the preparation of an event: it has an objective, a pitch is chosen, the checklist is done, the people are
    /// researched.
    EventPreparationPart {
        Objectives = "objectives",
        Pitch = "pitch",
        Checklist = "checklist",
        Research = "research",
    }
}

/// How well an event is prepared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventPreparation {
    /// The number of items of the checklist that are not done.
    #[schema(minimum = 0, example = 2)]
    pub open_checklist_items: usize,
    /// The number of objectives.
    #[schema(minimum = 0, example = 1)]
    pub objectives: usize,
    /// The number of contacts at stage `to_research` among its people and those of its sessions.
    #[schema(minimum = 0, example = 3)]
    pub people_to_research: usize,
    /// Whether a pitch is chosen.
    pub has_pitch: bool,
    /// Whether nothing is missing.
    #[schema(example = false)]
    pub ready: bool,
    /// What is missing.
    #[schema(max_items = 4, example = json!(["checklist", "research"]))]
    pub missing: Vec<EventPreparationPart>,
}

impl EventPreparation {
    pub fn new(event: &EventFields, people_to_research: usize) -> Self {
        let open_checklist_items = event.checklist.values().filter(|item| !item.done).count();
        let objectives = event.objectives.len();
        let has_pitch = event.pitch_id.is_some();
        let missing: Vec<EventPreparationPart> = [
            (EventPreparationPart::Objectives, objectives == 0),
            (EventPreparationPart::Pitch, !has_pitch),
            (EventPreparationPart::Checklist, open_checklist_items > 0),
            (EventPreparationPart::Research, people_to_research > 0),
        ]
        .into_iter()
        .filter_map(|(part, is_missing)| is_missing.then_some(part))
        .collect();
        Self {
            open_checklist_items,
            objectives,
            people_to_research,
            has_pitch,
            ready: missing.is_empty(),
            missing,
        }
    }

    /// What is still to be done, in words: "choose a pitch, research 3 people".
    pub fn to_do(&self) -> String {
        let of_part = |part: &EventPreparationPart| match part {
            EventPreparationPart::Objectives => "set an objective".to_owned(),
            EventPreparationPart::Pitch => "choose a pitch".to_owned(),
            EventPreparationPart::Checklist => {
                format!("complete {}", pluralize(self.open_checklist_items, "checklist item", "checklist items"))
            }
            EventPreparationPart::Research => {
                format!("research {}", pluralize(self.people_to_research, "person", "people"))
            }
        };
        self.missing.iter().map(of_part).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::EventItem;
    use crate::domain::id::PitchId;
    use crate::domain::keyed::Keyed;

    fn items(done: &[bool]) -> Keyed<EventItem> {
        let mut items = Keyed::default();
        for (index, done) in done.iter().enumerate() {
            items.insert(format!("k{index}"), EventItem { text: "x".to_owned(), position: 0, done: *done });
        }
        items
    }

    #[test]
    fn what_is_missing_is_what_is_not_there_or_not_done() {
        type Case<'a> = (&'a [bool], &'a [bool], Option<PitchId>, usize, &'a [&'a str], &'a str);
        let pitch = Some(PitchId::new(uuid::Uuid::from_u128(1)));
        let table: [Case<'_>; 5] = [
            (&[], &[], None, 0, &["objectives", "pitch"], "set an objective, choose a pitch"),
            (&[false], &[], pitch, 0, &[], ""),
            (&[true], &[true, true], pitch, 0, &[], ""),
            (
                &[false],
                &[true, false, false],
                pitch,
                1,
                &["checklist", "research"],
                "complete 2 checklist items, research 1 person",
            ),
            (&[false], &[false], None, 3, &["pitch", "checklist", "research"], ""),
        ];
        for (objectives, checklist, pitch_id, to_research, missing, to_do) in table {
            let event = EventFields {
                objectives: items(objectives),
                checklist: items(checklist),
                pitch_id,
                ..EventFields::default()
            };
            let found = EventPreparation::new(&event, to_research);
            let words: Vec<&str> = found.missing.iter().map(|part| part.as_str()).collect();
            assert_eq!(words, missing);
            assert_eq!(found.ready, missing.is_empty());
            assert_eq!(found.open_checklist_items, checklist.iter().filter(|done| !**done).count());
            assert!(to_do.is_empty() || found.to_do() == to_do, "{}", found.to_do());
        }
    }
}
