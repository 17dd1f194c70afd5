//! A group, forum or chat where people meet between events: its fields and its states.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;
use super::fields::{check_day, check_list, check_platform, check_url, clean, drop_blank, parse_day, single_line};
use super::goal;
use super::id::{CommunityId, ContactId, GoalId, OrganizationId};
use super::invalid::{FieldCode, Invalid, Rejection};
use super::record::{Fields, Stored};
use super::search::SearchText;
use super::state_machine::{Move, State, Status};
use super::words::enumeration;

/// How many contacts a community may name.
pub const MAX_CONTACTS: usize = 500;

/// How many communities a contact may be a member of.
pub const MAX_PER_CONTACT: i64 = 1_000;

/// What can be entered about a community.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CommunityFields {
    /// What it is called, in one line.
    #[schema(required = true, min_length = 1, max_length = 300, example = "Climate Product Leaders")]
    pub name: String,
    /// The organization that runs it. Null: none.
    #[schema(example = json!(null))]
    pub organization_id: Option<OrganizationId>,
    /// The platform, in lower case. If null in a request, it is derived from `url` where that is on a known platform.
    #[schema(max_length = 50, example = "linkedin")]
    pub platform: Option<String>,
    /// The address of its page; http and https only.
    #[schema(max_length = 2048, pattern = "^\\s*\\S*\\s*$", example = "https://www.linkedin.com/groups/1234567")]
    pub url: Option<String>,
    /// The kind of community.
    #[schema(default = "group")]
    pub kind: CommunityKind,
    /// What you want from it and can give to it.
    #[schema(max_length = 5000, example = "Meet those who hire in climate tech.")]
    pub purpose: Option<String>,
    /// The status.
    #[schema(default = "considering")]
    pub status: CommunityStatus,
    /// Why it has this status, such as why you left. A transition clears it unless the request sends another one.
    #[schema(max_length = 500, example = "Only job ads.")]
    pub status_reason: Option<String>,
    /// The day on which you joined, in the time zone of the workspace; not in the future. If null in the request that joins,
    /// today. Null: not joined yet, or not known.
    #[schema(value_type = Option<String>, format = Date, example = json!(null))]
    pub joined_on: Option<String>,
    /// How many posts you want to publish there in a month. Null: any.
    #[schema(minimum = 1, maximum = 100, example = 2)]
    pub target_posts_per_month: Option<i32>,
    /// The goals that it is for, each once. A deleted goal leaves the list.
    #[schema(max_items = 20, example = json!([]))]
    pub goal_ids: Vec<GoalId>,
    /// The contacts who are members, each once. A deleted contact leaves the list.
    #[schema(max_items = 500, example = json!([]))]
    pub contact_ids: Vec<ContactId>,
}

enumeration! {
    /// The kind of community.
    #[derive(Default)]
    CommunityKind {
        #[default]
        Group = "group",
        Forum = "forum",
        Chat = "chat",
        MailingList = "mailing_list",
        Association = "association",
    }
}

enumeration! {
    /// The status of a community: you consider joining it, joined it, take part in it, or have gone quiet there, or left it.
    #[derive(Default)]
    CommunityStatus {
        #[default]
        Considering = "considering",
        Joined = "joined",
        Active = "active",
        Quiet = "quiet",
        Left = "left",
    }
}

/// A group, forum or chat where people meet.
pub type Community = Stored<CommunityFields>;

impl Status for CommunityStatus {
    const STATES: &'static [State<Self>] = &[
        State {
            state: Self::Considering,
            next: &[Self::Joined, Self::Active, Self::Quiet, Self::Left],
            stamps: None,
        },
        State { state: Self::Joined, next: &[Self::Active, Self::Quiet, Self::Left], stamps: None },
        State { state: Self::Active, next: &[Self::Joined, Self::Quiet, Self::Left], stamps: None },
        State { state: Self::Quiet, next: &[Self::Joined, Self::Active, Self::Left], stamps: None },
        State {
            state: Self::Left,
            next: &[Self::Considering, Self::Joined, Self::Active, Self::Quiet],
            stamps: None,
        },
    ];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl CommunityStatus {
    pub const fn is_member(self) -> bool {
        matches!(self, Self::Joined | Self::Active | Self::Quiet)
    }
}

impl CommunityFields {
    /// Joining is dated; what is only considered has no day, and no day lies in the future.
    pub fn stamp_joined(
        &mut self,
        before: Option<&Self>,
        moved: Move<CommunityStatus>,
        today: NaiveDate,
    ) -> Result<(), Invalid> {
        let kept = before.and_then(|before| before.joined_on.as_ref());
        let is_kept = self.joined_on.as_ref() == kept;
        let was_member = moved.from.is_some_and(CommunityStatus::is_member);
        if self.status.is_member() && !was_member {
            // Of one that is entered as it has been for long, the day is not known.
            let joins = moved.is_transition() || self.status == CommunityStatus::Joined;
            if joins && (self.joined_on.is_none() || is_kept) {
                self.joined_on = Some(today.to_string());
            }
        } else if self.status == CommunityStatus::Considering && self.joined_on.is_some() {
            if !is_kept {
                let detail = "A community that is considering has no joined_on.";
                return Err(Invalid::one("#/joined_on", FieldCode::Contradiction, detail));
            }
            self.joined_on = None;
        }
        if self.joined_on.as_deref().and_then(|day| parse_day(day).ok()).is_some_and(|day| day > today) {
            return Err(Invalid::one("#/joined_on", FieldCode::Contradiction, "It cannot be in the future."));
        }
        Ok(())
    }
}

impl Community {
    /// What it is found by when somebody types.
    pub fn search_text(&self) -> SearchText {
        let CommunityFields { name, purpose, platform, .. } = &self.fields;
        let all = [Some(name), purpose.as_ref(), platform.as_ref()];
        let text = all.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n");
        SearchText { title: name.clone(), text }
    }
}

impl Fields for CommunityFields {
    const ENTITY: Entity = Entity::Community;
    const DESCRIPTION: &'static str = "A group, forum or chat where people meet.";
    type Id = CommunityId;

    fn check(mut self, _id: CommunityId, _before: Option<&Self>) -> Result<Self, Invalid> {
        let mut invalid = Invalid::default();
        self.name = single_line(&self.name);
        if self.name.is_empty() {
            invalid.add("#/name", Rejection::blank());
        }
        check_url("#/url", &mut self.url, &mut invalid);
        check_platform(&mut self.platform, self.url.as_deref());
        drop_blank(&mut self.purpose);
        clean(&mut self.status_reason);
        check_day(&["joined_on"], self.joined_on.as_deref(), &mut invalid);
        check_list("#/goal_ids", &mut self.goal_ids, goal::MAX_LINKED, "goals", &mut invalid);
        check_list("#/contact_ids", &mut self.contact_ids, MAX_CONTACTS, "contacts", &mut invalid);
        invalid.into_result(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_is_dated_once() {
        use CommunityStatus::{Active, Considering, Joined, Left, Quiet};
        let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        let (now, then, later) = (Some("2026-03-02"), Some("2025-01-10"), Some("2026-03-03"));
        let table = [
            (None, Considering, None, None, Ok(None)),
            (None, Joined, None, None, Ok(now)),
            (None, Active, None, None, Ok(None)),
            (None, Active, None, then, Ok(then)),
            (None, Considering, None, then, Err(())),
            (None, Joined, None, later, Err(())),
            (Some(Considering), Active, None, None, Ok(now)),
            (Some(Considering), Joined, None, then, Ok(then)),
            (Some(Joined), Quiet, then, then, Ok(then)),
            (Some(Quiet), Left, then, then, Ok(then)),
            (Some(Left), Joined, then, then, Ok(now)),
            (Some(Left), Considering, then, then, Ok(None)),
            (Some(Active), Active, None, None, Ok(None)),
        ];
        for (from, to, kept, sent, expected) in table {
            let fields = |status, on: Option<&str>| CommunityFields {
                name: "A".to_owned(),
                status,
                joined_on: on.map(str::to_owned),
                ..CommunityFields::default()
            };
            let before = from.map(|from| fields(from, kept));
            let mut after = fields(to, sent);
            let stamped = after.stamp_joined(before.as_ref(), Move::new(from, to), today);
            let told = stamped.map(|()| after.joined_on.as_deref()).map_err(|_| ());
            assert_eq!(told, expected, "{from:?} {to:?} {kept:?} {sent:?}");
        }
    }
}
