//! Merging organizations.

use super::{extend_list, fill, join_texts, merge_maps};
use crate::domain::fields::NameText;
use crate::domain::organization::{Organization, OrganizationFields};
use crate::domain::text::fold;

impl Organization {
    /// The fields of this organization merged with those of others, whose names become aliases.
    pub fn merged_with(&self, others: &[Self]) -> OrganizationFields {
        let all = || std::iter::once(self).chain(others).map(|organization| &organization.fields);
        let mut merged = OrganizationFields {
            links: merge_maps(all().map(|one| &one.links)),
            notes: join_texts(all().filter_map(|one| one.notes.as_deref())),
            ..self.fields.clone()
        };
        let own = fold(&self.fields.name);
        for other in all().skip(1) {
            let names: Vec<NameText> =
                other.names().filter(|name| fold(name) != own).map(|name| NameText(name.to_owned())).collect();
            let OrganizationFields {
                name: _,
                aliases: _,
                domain,
                website,
                kind,
                industry,
                size,
                location,
                parent_id,
                links: _,
                interest,
                why,
                notes: _,
                tags,
            } = other;
            extend_list(&mut merged.aliases, &names, |name| &name.0);
            fill(&mut merged.domain, domain);
            fill(&mut merged.website, website);
            fill(&mut merged.kind, kind);
            fill(&mut merged.industry, industry);
            fill(&mut merged.size, size);
            fill(&mut merged.location, location);
            fill(&mut merged.parent_id, parent_id);
            fill(&mut merged.interest, interest);
            fill(&mut merged.why, why);
            extend_list(&mut merged.tags, tags, |label| &label.0);
        }
        merged
    }
}
