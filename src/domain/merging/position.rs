//! Merging positions that state the same thing.

use super::{fill, more_precise};
use crate::domain::partial_date::PartialDate;
use crate::domain::position::{PositionFields, PositionKind};
use crate::domain::text::fold;

impl PositionFields {
    /// Whether both may be the same position at an organization that both name: nothing that both say differs, and together
    /// they do not end before they start.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let is_same = |one: &Option<String>, other: &Option<String>| {
            one.as_ref().zip(other.as_ref()).is_none_or(|(one, other)| fold(one) == fold(other))
        };
        let is_same_day = |one: &Option<String>, other: &Option<String>| {
            one.as_ref().zip(other.as_ref()).is_none_or(|(one, other)| more_precise(one, other).is_some())
        };
        let links = self.organization_id.zip(other.organization_id);
        let kinds = [self.kind, other.kind];
        links.is_none_or(|(one, other)| one == other)
            && self.title.as_deref().map(fold) == other.title.as_deref().map(fold)
            && (self.kind == other.kind || kinds.contains(&PositionKind::default()))
            && is_same(&self.department, &other.department)
            && is_same_day(&self.started_on, &other.started_on)
            && is_same_day(&self.ended_on, &other.ended_on)
            && !self.joined(other).ends_before_it_starts()
    }

    /// The fields of one made of two that agree: what one lacks is taken from the other.
    pub fn joined(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        fill(&mut joined.organization_id, &other.organization_id);
        fill(&mut joined.organization_name, &other.organization_name);
        fill(&mut joined.department, &other.department);
        fill(&mut joined.source, &other.source);
        // Nobody has to say that somebody is an employee.
        if joined.kind == PositionKind::default() {
            joined.kind = other.kind;
        }
        for (own, other) in [(&mut joined.started_on, &other.started_on), (&mut joined.ended_on, &other.ended_on)]
        {
            let more = own.as_ref().zip(other.as_ref()).and_then(|(own, other)| more_precise(own, other));
            *own = more.or_else(|| own.take()).or_else(|| other.clone());
        }
        joined.is_primary |= other.is_primary;
        joined
    }

    fn ends_before_it_starts(&self) -> bool {
        let date = |text: &Option<String>| text.as_deref().and_then(|text| PartialDate::parse(text).ok());
        let started = date(&self.started_on).and_then(PartialDate::earliest);
        let ended = date(&self.ended_on).and_then(PartialDate::latest);
        started.zip(ended).is_some_and(|(started, ended)| ended < started)
    }
}
