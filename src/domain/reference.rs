//! What refers to what, what is computed from what, and what of it every write has to keep true. Nothing here knows a database.

use super::entity::Entity;
use super::key::KeyKind;
use super::{
    check_in, community, event, event_person, exchange, feedback, follow_up, interaction, introduction,
    key_result, need, pitch_use, plan_run, position, relationship, tag, target,
};

/// What becomes of a record when the one it refers to is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// It is deleted too.
    Cascade,
    /// Its reference becomes null.
    SetNull,
    /// Its reference becomes null, and the field at the pointer `kept_as` keeps what the record was called in the field at
    /// the pointer `name`, unless something stands there already.
    KeepName { name: &'static str, kept_as: &'static str },
    /// Its id leaves the field, or the list. The record is deleted too once none of the fields at these pointers holds anything; without
    /// any it stays.
    Leave { needs_any: &'static [&'static str] },
}

/// A field that holds the id of another record, or a list of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    pub from: Entity,
    /// The column of the table that holds the id; of a list, that of its join table.
    pub column: &'static str,
    /// Where the id, or the list, stands in the record's JSON, as a JSON pointer.
    pub pointer: &'static str,
    pub to: Entity,
    pub on_delete: OnDelete,
    /// How many records of the kind may refer to one by it.
    pub most: Option<i64>,
    /// Of a list the join table, whose rows every write derives from the list: `<from>_<to plural>`.
    pub join: Option<&'static str>,
}

impl Reference {
    /// Whether it tells what a record is a part of, which must not lead back to itself.
    pub fn is_parent(&self) -> bool {
        self.from == self.to && self.column == "parent_id"
    }

    /// Whether it is a list that may be left empty when what it names is deleted.
    pub fn may_be_emptied(&self) -> bool {
        self.join.is_some() && self.on_delete == OnDelete::Leave { needs_any: &[] }
    }

    /// The column of the join table that holds the id of the record with the list.
    pub fn own_column(&self) -> String {
        format!("{}_id", self.from)
    }

    /// The rule that of those that refer to one record by this, at most one is the primary one.
    pub fn at_most_one(&self) -> Option<&'static AtMostOne> {
        AT_MOST_ONE.iter().find(|rule| rule.of == self.from && rule.per == self.column)
    }
}

/// What a follow-up may be about: it goes with the last of them.
const NAMED_BY_FOLLOW_UP: &[&str] = &["/contact_ids", "/organization_id"];

/// What else a follow-up may be for: one that is about nobody goes with the last of them.
const LINKED_BY_FOLLOW_UP: &[&str] = &["/contact_ids", "/organization_id", "/event_id", "/goal_id"];

/// Every reference between records: the checks that it exists and has room, the cascade of a delete, the order of a revert
/// and merging read it, and the parity test compares it with the foreign keys of both schemas.
pub const REFERENCES: &[Reference] = &[
    Reference {
        from: Entity::Contact,
        column: "introduced_by_id",
        pointer: "/how_met/introduced_by_id",
        to: Entity::Contact,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Contact,
        column: "met_event_id",
        pointer: "/how_met/event_id",
        to: Entity::Event,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Organization,
        column: "parent_id",
        pointer: "/parent_id",
        to: Entity::Organization,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Position,
        column: "contact_id",
        pointer: "/contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: Some(position::MAX_PER_CONTACT),
        join: None,
    },
    Reference {
        from: Entity::Position,
        column: "organization_id",
        pointer: "/organization_id",
        to: Entity::Organization,
        on_delete: OnDelete::KeepName { name: "/name", kept_as: "/organization_name" },
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Relationship,
        column: "contact_id",
        pointer: "/contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: Some(relationship::MAX_PER_CONTACT),
        join: None,
    },
    Reference {
        from: Entity::Relationship,
        column: "related_contact_id",
        pointer: "/related_contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: Some(relationship::MAX_PER_CONTACT),
        join: None,
    },
    Reference {
        from: Entity::Need,
        column: "contact_id",
        pointer: "/contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: Some(need::MAX_PER_CONTACT),
        join: None,
    },
    Reference {
        from: Entity::Exchange,
        column: "contact_id",
        pointer: "/contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: Some(exchange::MAX_PER_CONTACT),
        join: None,
    },
    Reference {
        from: Entity::Exchange,
        column: "interaction_id",
        pointer: "/interaction_id",
        to: Entity::Interaction,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Exchange,
        column: "goal_id",
        pointer: "/goal_id",
        to: Entity::Goal,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Exchange,
        column: "resource_id",
        pointer: "/resource_id",
        to: Entity::Resource,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Feedback,
        column: "contact_id",
        pointer: "/contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: Some(feedback::MAX_PER_CONTACT),
        join: None,
    },
    Reference {
        from: Entity::Feedback,
        column: "goal_id",
        pointer: "/goal_id",
        to: Entity::Goal,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Feedback,
        column: "pitch_id",
        pointer: "/pitch_id",
        to: Entity::Pitch,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Feedback,
        column: "exchange_id",
        pointer: "/exchange_id",
        to: Entity::Exchange,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Feedback,
        column: "follow_up_id",
        pointer: "/follow_up_id",
        to: Entity::FollowUp,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Introduction,
        column: "contact_a_id",
        pointer: "/contact_a_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: Some(introduction::MAX_PER_CONTACT),
        join: None,
    },
    Reference {
        from: Entity::Introduction,
        column: "contact_b_id",
        pointer: "/contact_b_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: Some(introduction::MAX_PER_CONTACT),
        join: None,
    },
    Reference {
        from: Entity::Introduction,
        column: "introducer_id",
        pointer: "/introducer_id",
        to: Entity::Contact,
        on_delete: OnDelete::KeepName { name: "/name", kept_as: "/introducer_name" },
        most: Some(introduction::MAX_PER_CONTACT),
        join: None,
    },
    Reference {
        from: Entity::Introduction,
        column: "goal_id",
        pointer: "/goal_id",
        to: Entity::Goal,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Introduction,
        column: "exchange_a_id",
        pointer: "/exchange_a_id",
        to: Entity::Exchange,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Introduction,
        column: "exchange_b_id",
        pointer: "/exchange_b_id",
        to: Entity::Exchange,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Introduction,
        column: "introducer_exchange_id",
        pointer: "/introducer_exchange_id",
        to: Entity::Exchange,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Introduction,
        column: "follow_up_a_id",
        pointer: "/follow_up_a_id",
        to: Entity::FollowUp,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Introduction,
        column: "follow_up_b_id",
        pointer: "/follow_up_b_id",
        to: Entity::FollowUp,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Resource,
        column: "event_id",
        pointer: "/event_id",
        to: Entity::Event,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Community,
        column: "organization_id",
        pointer: "/organization_id",
        to: Entity::Organization,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Community,
        column: "contact_id",
        pointer: "/contact_ids",
        to: Entity::Contact,
        on_delete: OnDelete::Leave { needs_any: &[] },
        most: Some(community::MAX_PER_CONTACT),
        join: Some("community_contacts"),
    },
    Reference {
        from: Entity::Community,
        column: "goal_id",
        pointer: "/goal_ids",
        to: Entity::Goal,
        on_delete: OnDelete::Leave { needs_any: &[] },
        most: None,
        join: Some("community_goals"),
    },
    Reference {
        from: Entity::Post,
        column: "community_id",
        pointer: "/community_id",
        to: Entity::Community,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Post,
        column: "goal_id",
        pointer: "/goal_id",
        to: Entity::Goal,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::DuplicateDismissal,
        column: "contact_id",
        pointer: "/contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::DuplicateDismissal,
        column: "other_contact_id",
        pointer: "/other_contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::DuplicateDismissal,
        column: "organization_id",
        pointer: "/organization_id",
        to: Entity::Organization,
        on_delete: OnDelete::Cascade,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::DuplicateDismissal,
        column: "other_organization_id",
        pointer: "/other_organization_id",
        to: Entity::Organization,
        on_delete: OnDelete::Cascade,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::KeyResult,
        column: "goal_id",
        pointer: "/goal_id",
        to: Entity::Goal,
        on_delete: OnDelete::Cascade,
        most: Some(key_result::MAX_PER_GOAL),
        join: None,
    },
    Reference {
        from: Entity::KeyResult,
        column: "filter_organization_id",
        pointer: "/filter/organization_id",
        to: Entity::Organization,
        on_delete: OnDelete::KeepName { name: "/name", kept_as: "/filter/organization_name" },
        most: None,
        join: None,
    },
    Reference {
        from: Entity::CheckIn,
        column: "key_result_id",
        pointer: "/key_result_id",
        to: Entity::KeyResult,
        on_delete: OnDelete::Cascade,
        most: Some(check_in::MAX_PER_KEY_RESULT),
        join: None,
    },
    Reference {
        from: Entity::Target,
        column: "goal_id",
        pointer: "/goal_id",
        to: Entity::Goal,
        on_delete: OnDelete::Cascade,
        most: Some(target::MAX_PER_GOAL),
        join: None,
    },
    Reference {
        from: Entity::Target,
        column: "contact_id",
        pointer: "/contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: Some(target::MAX_PER_SUBJECT),
        join: None,
    },
    Reference {
        from: Entity::Target,
        column: "organization_id",
        pointer: "/organization_id",
        to: Entity::Organization,
        on_delete: OnDelete::Cascade,
        most: Some(target::MAX_PER_SUBJECT),
        join: None,
    },
    Reference {
        from: Entity::Pitch,
        column: "goal_id",
        pointer: "/goal_id",
        to: Entity::Goal,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::PitchVersion,
        column: "pitch_id",
        pointer: "/pitch_id",
        to: Entity::Pitch,
        on_delete: OnDelete::Cascade,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::PitchUse,
        column: "pitch_id",
        pointer: "/pitch_id",
        to: Entity::Pitch,
        on_delete: OnDelete::Cascade,
        most: Some(pitch_use::MAX_PER_PITCH),
        join: None,
    },
    Reference {
        from: Entity::PitchUse,
        column: "contact_id",
        pointer: "/contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::PitchUse,
        column: "event_id",
        pointer: "/event_id",
        to: Entity::Event,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Event,
        column: "organizer_organization_id",
        pointer: "/organizer_organization_id",
        to: Entity::Organization,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Event,
        column: "parent_id",
        pointer: "/parent_id",
        to: Entity::Event,
        on_delete: OnDelete::Cascade,
        most: Some(event::MAX_SESSIONS),
        join: None,
    },
    Reference {
        from: Entity::Event,
        column: "pitch_id",
        pointer: "/pitch_id",
        to: Entity::Pitch,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Event,
        column: "goal_id",
        pointer: "/goal_ids",
        to: Entity::Goal,
        on_delete: OnDelete::Leave { needs_any: &[] },
        most: None,
        join: Some("event_goals"),
    },
    Reference {
        from: Entity::EventPerson,
        column: "event_id",
        pointer: "/event_id",
        to: Entity::Event,
        on_delete: OnDelete::Cascade,
        most: Some(event_person::MAX_PER_EVENT),
        join: None,
    },
    Reference {
        from: Entity::EventPerson,
        column: "contact_id",
        pointer: "/contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: Some(event_person::MAX_PER_CONTACT),
        join: None,
    },
    Reference {
        from: Entity::Interaction,
        column: "contact_id",
        pointer: "/contact_ids",
        to: Entity::Contact,
        on_delete: OnDelete::Leave { needs_any: &["/contact_ids"] },
        most: Some(interaction::MAX_PER_CONTACT),
        join: Some("interaction_contacts"),
    },
    Reference {
        from: Entity::Interaction,
        column: "goal_id",
        pointer: "/goal_ids",
        to: Entity::Goal,
        on_delete: OnDelete::Leave { needs_any: &[] },
        most: None,
        join: Some("interaction_goals"),
    },
    Reference {
        from: Entity::Interaction,
        column: "event_id",
        pointer: "/event_id",
        to: Entity::Event,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Interaction,
        column: "post_id",
        pointer: "/post_id",
        to: Entity::Post,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::Interaction,
        column: "community_id",
        pointer: "/community_id",
        to: Entity::Community,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::FollowUp,
        column: "contact_id",
        pointer: "/contact_ids",
        to: Entity::Contact,
        on_delete: OnDelete::Leave { needs_any: NAMED_BY_FOLLOW_UP },
        most: Some(follow_up::MAX_PER_CONTACT),
        join: Some("follow_up_contacts"),
    },
    Reference {
        from: Entity::FollowUp,
        column: "organization_id",
        pointer: "/organization_id",
        to: Entity::Organization,
        on_delete: OnDelete::Leave { needs_any: NAMED_BY_FOLLOW_UP },
        most: Some(follow_up::MAX_PER_ORGANIZATION),
        join: None,
    },
    Reference {
        from: Entity::FollowUp,
        column: "interaction_id",
        pointer: "/interaction_id",
        to: Entity::Interaction,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::FollowUp,
        column: "event_id",
        pointer: "/event_id",
        to: Entity::Event,
        on_delete: OnDelete::Leave { needs_any: LINKED_BY_FOLLOW_UP },
        most: None,
        join: None,
    },
    Reference {
        from: Entity::FollowUp,
        column: "goal_id",
        pointer: "/goal_id",
        to: Entity::Goal,
        on_delete: OnDelete::Leave { needs_any: LINKED_BY_FOLLOW_UP },
        most: None,
        join: None,
    },
    Reference {
        from: Entity::FollowUp,
        column: "target_id",
        pointer: "/target_id",
        to: Entity::Target,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::FollowUp,
        column: "previous_id",
        pointer: "/previous_id",
        to: Entity::FollowUp,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::PlanRun,
        column: "contact_id",
        pointer: "/contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: Some(plan_run::MAX_PER_CONTACT),
        join: None,
    },
    Reference {
        from: Entity::PlanRun,
        column: "event_id",
        pointer: "/event_id",
        to: Entity::Event,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::PlanRun,
        column: "plan_id",
        pointer: "/plan_id",
        to: Entity::FollowUpPlan,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::PlanRun,
        column: "follow_up_id",
        pointer: "/follow_up_id",
        to: Entity::FollowUp,
        on_delete: OnDelete::SetNull,
        most: None,
        join: None,
    },
    Reference {
        from: Entity::ContactActivity,
        column: "contact_id",
        pointer: "/contact_id",
        to: Entity::Contact,
        on_delete: OnDelete::Cascade,
        most: None,
        join: None,
    },
];

/// How a record of the one kind belongs to one of the other: the first reference there is.
pub fn reference(from: Entity, to: Entity) -> Option<&'static Reference> {
    REFERENCES.iter().find(|reference| reference.from == from && reference.to == to)
}

/// Of the records of a kind that belong to the same one, at most one is the primary one. Writing one demotes the others;
/// undo and merging demote what they bring where another is primary by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtMostOne {
    pub of: Entity,
    /// The reference to what they belong to, by its column.
    pub per: &'static str,
    /// The flag of the primary one: its column, and where it stands in the record's JSON.
    pub column: &'static str,
    pub pointer: &'static str,
}

pub const AT_MOST_ONE: &[AtMostOne] =
    &[AtMostOne { of: Entity::Position, per: "contact_id", column: "is_primary", pointer: "/primary" }];

/// Records that are computed from others and never entered: every write settles those that it affects once, at its end. Undo
/// and merging pass them over; what they are computed from tells what they are.
pub const DERIVED: &[Entity] = &[Entity::ContactActivity];

pub fn is_derived(entity: Entity) -> bool {
    DERIVED.contains(&entity)
}

/// A list in which records name others of a kind, in place of their ids. A name that is new makes its record; every record
/// follows when that one is renamed, merged or deleted. Case and accents do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameList {
    /// The kinds of record that hold such a list.
    pub from: &'static [Entity],
    /// Where the list stands in their JSON.
    pub pointer: &'static str,
    /// Whether one name stands there, and no list. It stays when the record that it names is deleted: it then names none.
    pub is_one: bool,
    pub to: Entity,
    /// The field of `to` that holds the name.
    pub name: &'static str,
    /// The look-up key under which `from` is found by a name in its list.
    pub key: KeyKind,
    /// How many names a list may hold.
    pub most: usize,
    /// How many records of the kind `to` a workspace may have.
    pub most_named: i64,
}

pub const NAME_LISTS: &[NameList] = &[
    NameList {
        from: tag::CARRIERS,
        pointer: "/tags",
        is_one: false,
        to: Entity::Tag,
        name: "name",
        key: KeyKind::Tag,
        most: tag::MAX_PER_RECORD,
        most_named: tag::MAX_PER_WORKSPACE,
    },
    NameList {
        from: &[Entity::KeyResult],
        pointer: "/filter/tag",
        is_one: true,
        to: Entity::Tag,
        name: "name",
        key: KeyKind::Tag,
        most: 1,
        most_named: tag::MAX_PER_WORKSPACE,
    },
];

/// The list in which records of this kind name others.
pub fn name_list(from: Entity) -> Option<&'static NameList> {
    NAME_LISTS.iter().find(|list| list.from.contains(&from))
}

/// The kinds of record that name records of this kind.
pub fn carriers_of_names(to: Entity) -> Vec<Entity> {
    NAME_LISTS.iter().filter(|list| list.to == to).flat_map(|list| list.from).copied().collect()
}

/// The list in which others name records of this kind.
pub fn names_of(to: Entity) -> Option<&'static NameList> {
    NAME_LISTS.iter().find(|list| list.to == to)
}
