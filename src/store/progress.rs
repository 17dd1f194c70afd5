//! What key results count: the records of each metric within the window of its goal, how many there are, and a page of them; and
//! the same in any period.
//! The formulas are in `domain/progress.rs`.
//!
//! A count reads the index entries of the window: some ten milliseconds for 100,000 interactions. All counts are one
//! statement, except that of the people of `relationships_deepened`, whose days depend on the time zone.

use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel::{QueryResult, RunQueryDsl};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::db::index::keys::has_key;
use super::db::sql::conn::{Conn, MultiBackend, read_transaction};
use super::db::sql::select::{Comparison, Direction, Field, ID, Predicate, Scalar, Select, Where};
use super::db::sql::statement::statement;
use super::db::sql::types::{AnyId, Id, Instant};
use super::db::write::json::json;
use super::db::write::record::{Record, for_entity};
use super::error::Result;
use super::lists::{Listing, Order, page};
use super::{
    check_ins, contacts, events, exchanges, feedback, follow_ups, interactions, introductions, key_results,
    positions, posts, targets,
};
use crate::domain::contact::Contact;
use crate::domain::entity::Entity;
use crate::domain::event::EventParticipation;
use crate::domain::exchange::ExchangeDirection;
use crate::domain::fields::parse_day;
use crate::domain::follow_up::{FollowUpStatus, OwedBy};
use crate::domain::goal::Goal;
use crate::domain::id::{KeyResultId, WorkspaceId};
use crate::domain::interaction::{InteractionDirection, InteractionKind};
use crate::domain::introduction::IntroductionDirection;
use crate::domain::key::{Key, KeyKind};
use crate::domain::key_result::{KeyResult, KeyResultFilter, KeyResultMetric};
use crate::domain::locale::TimeZone;
use crate::domain::progress::{self, Standing, Window};
use crate::domain::reference::reference;
use crate::domain::tag::Tag;
use crate::domain::text::fold;
use crate::domain::timestamp::Timestamp;

/// SQLite takes 500 selects in a union.
const COUNTS_AT_ONCE: usize = 100;

/// A key result and its value on a day.
#[derive(Debug, Clone)]
pub struct Measured {
    pub key_result: KeyResult,
    pub current: f64,
    /// The part of the way that is done, 0 to 1.
    pub share: f64,
    /// How many records are counted; `None` of a manual one.
    pub count: Option<i64>,
    /// Whether what the filter names was deleted.
    pub filter_gone: bool,
}

/// A goal with its key results on a day.
#[derive(Debug, Clone)]
pub struct GoalProgress {
    pub goal: Goal,
    pub key_results: Vec<Measured>,
    pub standing: Standing,
}

/// The day that is asked about, and where it is.
#[derive(Debug, Clone, Copy)]
pub struct On {
    pub day: chrono::NaiveDate,
    pub zone: TimeZone,
}

/// How far each of these goals has come on a day, in their order. Takes the same statements for any number of them.
pub fn of_goals(conn: &mut Conn, workspace: WorkspaceId, goals: Vec<Goal>, on: On) -> Result<Vec<GoalProgress>> {
    read_transaction(conn, |conn| {
        let ids = goals.iter().map(Record::id).collect();
        let key_results = key_results::of_goals(conn, workspace, ids)?;
        let by_goal: HashMap<AnyId, &Goal> = goals.iter().map(|goal| (Record::id(goal), goal)).collect();
        let gone = gone(conn, workspace, &key_results)?;
        let is_manual = |one: &&KeyResult| one.fields.metric == KeyResultMetric::Manual;
        let manual: Vec<AnyId> = key_results.iter().filter(is_manual).map(Record::id).collect();
        let entered = check_ins::latest(conn, workspace, &manual, on.day)?;
        let is_counted = |one: &&KeyResult| !is_manual(one) && !gone.contains(&one.id);
        let counted = key_results.iter().filter(is_counted).filter_map(|key_result| {
            let goal = by_goal.get(&AnyId::new(key_result.fields.goal_id.uuid()))?;
            Some((key_result.id, Counting::of(goal, key_result, on).counted(false)?))
        });
        let counts = counts(conn, workspace, counted.collect(), on.zone)?;

        let mut measured: HashMap<AnyId, Vec<Measured>> = HashMap::new();
        for key_result in key_results {
            let (fields, id) = (&key_result.fields, Record::id(&key_result));
            let count = match fields.metric {
                KeyResultMetric::Manual => None,
                _ => Some(counts.get(&key_result.id).copied().unwrap_or_default()),
            };
            let current = match count {
                None => entered.get(&id).copied().unwrap_or(fields.start_value),
                Some(count) => fields.start_value + number(count),
            };
            let share = progress::share(fields.start_value, fields.target_value, current);
            let filter_gone = gone.contains(&key_result.id);
            let own = measured.entry(AnyId::new(fields.goal_id.uuid())).or_default();
            own.push(Measured { current, share, count, filter_gone, key_result });
        }
        let shown = goals.into_iter().map(|goal| {
            let key_results = measured.remove(&Record::id(&goal)).unwrap_or_default();
            let shares: Vec<(f64, f64)> =
                key_results.iter().map(|one| (one.key_result.fields.weight, one.share)).collect();
            let standing = Standing::of(&goal, progress::progress(&shares), on.day);
            GoalProgress { goal, key_results, standing }
        });
        Ok(shown.collect())
    })
}

/// How many records each of these metrics counts in a window, whatever the goal. There is none of `manual`.
pub fn in_window(
    conn: &mut Conn,
    workspace: WorkspaceId,
    metrics: &[KeyResultMetric],
    window: Window,
    zone: TimeZone,
) -> Result<Vec<(KeyResultMetric, i64)>> {
    let of = |metric| Counting { metric, filter: KeyResultFilter::default(), goal: None, window, zone };
    let counted =
        metrics.iter().enumerate().filter_map(|(index, metric)| Some((index, of(*metric).counted(false)?)));
    let counts = counts(conn, workspace, counted.collect(), zone)?;
    let count = |index: usize| counts.get(&index).copied().unwrap_or_default();
    Ok(metrics.iter().enumerate().map(|(index, metric)| (*metric, count(index))).collect())
}

/// From one instant until before another.
pub(super) fn between(field: Field, from: Timestamp, until: Timestamp) -> Vec<Predicate> {
    vec![
        Predicate::Compare(field, Comparison::GreaterOrEqual, Scalar::Instant(from)),
        Predicate::Compare(field, Comparison::Less, Scalar::Instant(until)),
    ]
}

/// A count as a value; more than two thousand million are not told apart.
fn number(count: i64) -> f64 {
    f64::from(i32::try_from(count).unwrap_or(i32::MAX))
}

/// Those whose filter names a tag or an organization that was deleted.
fn gone(conn: &mut Conn, workspace: WorkspaceId, key_results: &[KeyResult]) -> Result<HashSet<KeyResultId>> {
    let counts = |one: &&KeyResult| one.fields.metric != KeyResultMetric::Manual;
    let filters = key_results.iter().filter(counts);
    let filters: Vec<(KeyResultId, &KeyResultFilter)> =
        filters.filter_map(|one| Some((one.id, one.fields.filter.as_ref()?))).collect();
    let named = |filter: &KeyResultFilter| filter.tag.as_deref().map(fold);
    let keys: Vec<Key> =
        filters.iter().filter_map(|(_, filter)| named(filter)).map(|name| Key::new(KeyKind::Name, name)).collect();
    let tags: Vec<Tag> = match keys.is_empty() {
        true => Vec::new(),
        false => Tag::select(conn, Select::all(workspace, has_key::<Tag>(keys)))?,
    };
    let there: HashSet<String> = tags.iter().map(|tag| fold(&tag.fields.name)).collect();
    let has_lost_tag = |filter: &KeyResultFilter| named(filter).is_some_and(|name| !there.contains(&name));
    let gone = filters.iter().filter(|(_, filter)| filter.has_lost_organization() || has_lost_tag(filter));
    Ok(gone.map(|(id, _)| *id).collect())
}

/// What a key result counts.
#[derive(Debug, Clone)]
enum Counted {
    /// The records of a kind that fit, by what they are listed by.
    Records { entity: Entity, filter: Predicate, order: Field },
    /// The people of interactions that fit, who fit themselves, with interactions on two days or more.
    Deepened { met: Predicate, people: Option<Predicate> },
}

/// What is to be counted, and when.
struct Counting {
    metric: KeyResultMetric,
    filter: KeyResultFilter,
    /// The goal whose targets are counted, and that others have to be linked to if the filter says so. `None`: any.
    goal: Option<AnyId>,
    window: Window,
    zone: TimeZone,
}

impl Counting {
    fn of(goal: &Goal, key_result: &KeyResult, on: On) -> Self {
        Self {
            metric: key_result.fields.metric,
            filter: key_result.fields.filter.clone().unwrap_or_default(),
            goal: Some(Record::id(goal)),
            window: Window::of(goal, on.zone, on.day),
            zone: on.zone,
        }
    }

    /// `None` of a manual one. A page that continues another one has the end of that in place of the end of the window.
    fn counted(&self, is_continued: bool) -> Option<Counted> {
        let Self { metric, filter, goal, window, zone } = self;
        let linked = goal.filter(|_| filter.linked);
        let (from, until) = window.instants(*zone);
        let between = |field: Field| between(field, from, until);
        let within = |field: Field| {
            let mut parts = between(field);
            parts.truncate(if is_continued { 1 } else { parts.len() });
            parts
        };
        let on_days = |field: Field| {
            let on = |comparison, day: chrono::NaiveDate| {
                Predicate::Compare(field, comparison, Scalar::Text(day.to_string()))
            };
            let mut parts =
                vec![on(Comparison::GreaterOrEqual, window.first), on(Comparison::LessOrEqual, window.last)];
            parts.truncate(if is_continued { 1 } else { parts.len() });
            parts
        };
        let text = |field: Field, word: &str| Predicate::equal(field, Scalar::Text(word.to_owned()));
        let people = of_people(filter);
        let linked_by = |column: Field| linked.map(|goal| Predicate::equal(column, Scalar::Id(goal)));
        let all = |parts: Vec<Predicate>, more: Vec<Option<Predicate>>| {
            Predicate::All(parts.into_iter().chain(more.into_iter().flatten()).collect())
        };
        let met = |is_continued: bool, more: Vec<Predicate>| {
            let goals = reference(Entity::Interaction, Entity::Goal);
            let of_goal = goals.zip(linked).map(|(goals, goal)| Predicate::Lists(goals, vec![goal]));
            let parts =
                interactions::counted_within(*window, *zone, is_continued).into_iter().chain(more).collect();
            all(parts, vec![of_goal])
        };
        let with_people = |from: Entity| -> Vec<Predicate> {
            let listed = reference(from, Entity::Contact).into_iter();
            let found = listed
                .flat_map(|listed| people.iter().map(|one| Predicate::ListsFound(listed, Box::new(one.clone()))));
            found.collect()
        };
        let interactions = |more: Vec<Predicate>| {
            let more = more.into_iter().chain(with_people(Entity::Interaction)).collect();
            Counted::Records {
                entity: Entity::Interaction,
                filter: met(is_continued, more),
                order: interactions::OCCURRED,
            }
        };
        Some(match metric {
            KeyResultMetric::Manual => return None,
            KeyResultMetric::ContactsAdded => {
                let flag = |field, truth| Predicate::equal(field, Scalar::Bool(truth));
                let mut parts = within(contacts::CREATED_AT);
                parts.extend([flag(contacts::IS_SELF, false), flag(contacts::KNOWN, true)]);
                parts.extend(people);
                let filter = all(parts, vec![linked.map(targets::contacts_of)]);
                Counted::Records { entity: Entity::Contact, filter, order: contacts::CREATED_AT }
            }
            KeyResultMetric::TargetsConnected => {
                let mut parts: Vec<Predicate> = goal.map(targets::is_of).into_iter().collect();
                parts.extend(between(targets::CONNECTED_AT));
                parts.extend(of_targets(filter));
                Counted::Records { entity: Entity::Target, filter: Predicate::All(parts), order: ID }
            }
            KeyResultMetric::Interactions => interactions(Vec::new()),
            KeyResultMetric::InformationalInterviews => {
                let interview = InteractionKind::InformationalInterview.as_str();
                interactions(vec![text(interactions::KIND, interview)])
            }
            KeyResultMetric::EventsAttended => {
                let attended = EventParticipation::Attended.as_str();
                let mut parts = within(events::STARTS);
                parts.extend([text(events::PARTICIPATION, attended), Predicate::IsNull(events::PARENT)]);
                parts.extend(filter.tag.as_deref().map(events::has_tag));
                parts.extend(
                    filter
                        .organization_id
                        .map(|id| Predicate::equal(events::ORGANIZER, Scalar::Id(AnyId::new(id.uuid())))),
                );
                let filter = all(parts, vec![linked.map(events::is_for)]);
                Counted::Records { entity: Entity::Event, filter, order: events::STARTS }
            }
            KeyResultMetric::PeopleMet => {
                let mut met = between(events::MET_AT);
                let of_goal = |goal| Predicate::RefersToFound(events::EVENT, Box::new(events::is_for(goal)));
                met.extend(linked.map(of_goal));
                let mut parts = vec![events::is_there(Predicate::All(met))];
                parts.extend(people);
                Counted::Records {
                    entity: Entity::Contact,
                    filter: Predicate::All(parts),
                    order: contacts::CREATED_AT,
                }
            }
            KeyResultMetric::FollowUpsDone => {
                let mut parts = within(follow_ups::COMPLETED);
                parts.push(text(follow_ups::STATUS, FollowUpStatus::Done.as_str()));
                parts.push(text(follow_ups::OWED_BY, OwedBy::Me.as_str()));
                let listed = with_people(Entity::FollowUp);
                let at = filter
                    .organization_id
                    .map(|id| Predicate::equal(follow_ups::ORGANIZATION, Scalar::Id(AnyId::new(id.uuid()))));
                // A follow-up may be about the organization itself, which has no part in a tag of people.
                parts.extend(match (filter.tag.is_some(), at) {
                    (false, Some(at)) => vec![Predicate::Any(listed.into_iter().chain([at]).collect())],
                    _ => listed,
                });
                let filter = all(parts, vec![linked_by(follow_ups::GOAL)]);
                Counted::Records { entity: Entity::FollowUp, filter, order: follow_ups::COMPLETED }
            }
            KeyResultMetric::IntroductionsMade | KeyResultMetric::IntroductionsReceived => {
                let direction = match metric {
                    KeyResultMetric::IntroductionsMade => IntroductionDirection::ByMe,
                    _ => IntroductionDirection::ToMe,
                };
                let mut parts = on_days(introductions::MADE_ON);
                parts.push(text(introductions::DIRECTION, direction.as_str()));
                let involves = |one: Predicate| {
                    let columns = [introductions::CONTACT_A, introductions::CONTACT_B, introductions::INTRODUCER];
                    // Each part by its own index, and not by the days.
                    let by = |column| {
                        let refers = Predicate::RefersToFound(column, Box::new(one.clone()));
                        Predicate::ReferredBy(Entity::Introduction, ID, Box::new(refers))
                    };
                    Predicate::Any(columns.map(by).to_vec())
                };
                parts.extend(people.into_iter().map(involves));
                let filter = all(parts, vec![linked_by(introductions::GOAL)]);
                Counted::Records { entity: Entity::Introduction, filter, order: introductions::MADE_ON }
            }
            KeyResultMetric::FeedbackActedOn => {
                let mut parts = on_days(feedback::ACTION_TAKEN_ON);
                parts.extend(
                    people.into_iter().map(|one| Predicate::RefersToFound(feedback::CONTACT, Box::new(one))),
                );
                let filter = all(parts, vec![linked_by(feedback::GOAL)]);
                Counted::Records { entity: Entity::Feedback, filter, order: feedback::ACTION_TAKEN_ON }
            }
            KeyResultMetric::ValueGiven | KeyResultMetric::ValueReceived => {
                let one_way = match metric {
                    KeyResultMetric::ValueGiven => ExchangeDirection::Given,
                    _ => ExchangeDirection::Received,
                };
                let directions = [one_way, ExchangeDirection::Mutual];
                let directions = directions.map(|one| Scalar::Text(one.as_str().to_owned())).to_vec();
                let mut parts = on_days(exchanges::OCCURRED_ON);
                parts.push(Predicate::In(exchanges::DIRECTION, directions));
                parts.extend(
                    people.into_iter().map(|one| Predicate::RefersToFound(exchanges::CONTACT, Box::new(one))),
                );
                let filter = all(parts, vec![linked_by(exchanges::GOAL)]);
                Counted::Records { entity: Entity::Exchange, filter, order: exchanges::OCCURRED_ON }
            }
            KeyResultMetric::PostsPublished => {
                let mut parts = within(posts::PUBLISHED_AT);
                parts.push(posts::is_published());
                let filter = all(parts, vec![linked_by(posts::GOAL)]);
                Counted::Records { entity: Entity::Post, filter, order: posts::PUBLISHED_AT }
            }
            KeyResultMetric::RelationshipsDeepened => {
                let mutual = text(interactions::DIRECTION, InteractionDirection::Mutual.as_str());
                let people = (!people.is_empty()).then_some(Predicate::All(people));
                Counted::Deepened { met: met(false, vec![mutual]), people }
            }
        })
    }
}

/// What a filter asks of people, each part to be looked up.
fn of_people(filter: &KeyResultFilter) -> Vec<Predicate> {
    let tagged = filter.tag.as_deref().map(|tag| has_key::<Contact>(vec![Key::new(KeyKind::Tag, fold(tag))]));
    let there = filter.organization_id.map(|id| at_organization(AnyId::new(id.uuid())));
    tagged.into_iter().chain(there).collect()
}

/// Have or had a position there.
fn at_organization(id: AnyId) -> Predicate {
    let there = Predicate::equal(positions::ORGANIZATION, Scalar::Id(id));
    Predicate::ReferredBy(Entity::Position, positions::CONTACT, Box::new(there))
}

/// What a filter asks of targets: of the person, or of the organization itself.
fn of_targets(filter: &KeyResultFilter) -> Vec<Predicate> {
    let either = |person: Predicate, organization: Predicate| {
        Predicate::Any(vec![Predicate::RefersToFound(targets::CONTACT, Box::new(person)), organization])
    };
    let tagged = filter.tag.as_deref().map(|tag| {
        let key = || vec![Key::new(KeyKind::Tag, fold(tag))];
        let organizations = has_key::<crate::domain::organization::Organization>(key());
        let organizations = Predicate::RefersToFound(targets::ORGANIZATION, Box::new(organizations));
        either(has_key::<Contact>(key()), organizations)
    });
    let there = filter.organization_id.map(|id| {
        let id = AnyId::new(id.uuid());
        either(at_organization(id), Predicate::equal(targets::ORGANIZATION, Scalar::Id(id)))
    });
    tagged.into_iter().chain(there).collect()
}

/// How many records each of them counts.
fn counts<K: Copy + Eq + Hash>(
    conn: &mut Conn,
    workspace: WorkspaceId,
    counted: Vec<(K, Counted)>,
    zone: TimeZone,
) -> Result<HashMap<K, i64>> {
    let mut counts = HashMap::new();
    let mut of_records = Vec::new();
    for (id, counted) in counted {
        match counted {
            Counted::Records { entity, filter, .. } => of_records.push((id, entity, filter)),
            Counted::Deepened { met, people } => {
                let people = deepened(conn, workspace, met, people, zone)?;
                counts.insert(id, i64::try_from(people.len()).unwrap_or(i64::MAX));
            }
        }
    }
    for some in of_records.chunks(COUNTS_AT_ONCE) {
        let parts = some.iter().map(|(_, entity, filter)| {
            let (filter, _, _) = Select::all(workspace, filter.clone()).parts();
            (*entity, filter)
        });
        let rows: Vec<(i32, i64)> = Counts { parts: parts.collect() }.load(conn)?;
        for (place, count) in rows {
            let of = usize::try_from(place).ok().and_then(|place| some.get(place));
            counts.extend(of.map(|(id, _, _)| (*id, count)));
        }
    }
    Ok(counts)
}

/// The people of these interactions with whom there were some on two days or more, by their ids.
fn deepened(
    conn: &mut Conn,
    workspace: WorkspaceId,
    met: Predicate,
    people: Option<Predicate>,
    zone: TimeZone,
) -> Result<Vec<AnyId>> {
    let (met, _, _) = Select::all(workspace, met).parts();
    let people = people.map(|people| Select::all(workspace, people).parts().0);
    let rows: Vec<Met> = Deepened { workspace, met, people }.load(conn)?;
    let on_two_days = |(id, first_at, last_at, first_on, last_on): Met| {
        let of_day = |day: Option<String>| day.and_then(|day| parse_day(&day).ok());
        let mut days: Vec<chrono::NaiveDate> =
            [first_at, last_at].into_iter().flatten().map(|at| zone.day(at)).collect();
        days.extend([first_on, last_on].into_iter().filter_map(of_day));
        days.sort_unstable();
        days.dedup();
        (days.len() > 1).then_some(id)
    };
    let mut ids: Vec<AnyId> = rows.into_iter().filter_map(on_two_days).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// A page of records of any kind.
#[derive(Debug, Clone)]
pub struct RecordPage {
    pub entity: Entity,
    pub items: Vec<Value>,
    pub next: Option<Vec<Scalar>>,
}

/// One page of the records behind a key result on a day: those that are counted, or the check-ins of a manual one; the newest
/// first.
pub fn records(
    conn: &mut Conn,
    workspace: WorkspaceId,
    (goal, key_result): (&Goal, &KeyResult),
    on: On,
    after: Option<Vec<Scalar>>,
    limit: i64,
) -> Result<RecordPage> {
    read_transaction(conn, |conn| {
        let is_gone = !gone(conn, workspace, std::slice::from_ref(key_result))?.is_empty();
        let (entity, filter, order) = match Counting::of(goal, key_result, on).counted(after.is_some()) {
            None => {
                let own = check_ins::of_key_result_by(Record::id(key_result), on.day);
                (Entity::CheckIn, own, check_ins::ON)
            }
            Some(Counted::Records { entity, filter, order }) => (entity, filter, order),
            Some(Counted::Deepened { met, people }) => {
                let ids = if is_gone { Vec::new() } else { deepened(conn, workspace, met, people, on.zone)? };
                let after = match after.as_deref() {
                    Some([Scalar::Id(after)]) => Some(*after),
                    _ => None,
                };
                return people_page(conn, workspace, ids, after, limit);
            }
        };
        let filter = if is_gone { Predicate::Any(Vec::new()) } else { filter };
        let order = Order::By(order, Direction::Descending);
        let listing = Listing { filter, query: None, order, after, limit, count: false };
        for_entity!(entity, Kind => {
            let page = page::<Kind>(conn, workspace, listing)?;
            let items = page.items.iter().map(json).collect::<Result<_>>()?;
            Ok(RecordPage { entity, items, next: page.next })
        })
    })
}

/// One page of these people, the newest first.
fn people_page(
    conn: &mut Conn,
    workspace: WorkspaceId,
    mut ids: Vec<AnyId>,
    after: Option<AnyId>,
    limit: i64,
) -> Result<RecordPage> {
    ids.retain(|id| after.is_none_or(|after| *id < after));
    ids.reverse();
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = ids.len() > most;
    ids.truncate(most);
    let next = ids.last().filter(|_| has_more).map(|last| vec![Scalar::Id(*last)]);
    let people = Select { direction: Direction::Descending, ..Select::all(workspace, Predicate::ids(ids)) };
    let items = Contact::select(conn, people)?.iter().map(json).collect::<Result<_>>()?;
    Ok(RecordPage { entity: Entity::Contact, items, next })
}

// The statements.

/// How many records fit each of these, by its place.
struct Counts {
    parts: Vec<(Entity, Where)>,
}

/// For each of the people of some interactions the first and last instant and day, where there are several.
struct Deepened {
    workspace: WorkspaceId,
    met: Where,
    /// What the people have to be.
    people: Option<Where>,
}

type Met = (AnyId, Option<Timestamp>, Option<Timestamp>, Option<String>, Option<String>);

statement!(Counts, (Integer, BigInt));
statement!(Deepened, (Id, Nullable<Instant>, Nullable<Instant>, Nullable<Text>, Nullable<Text>));

impl QueryFragment<MultiBackend> for Counts {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        // There are as many texts of this as there are sets of key results.
        out.unsafe_to_cache_prepared();
        for (place, (entity, filter)) in self.parts.iter().enumerate() {
            out.push_sql(&format!("{}SELECT {place}, COUNT(*) FROM ", if place > 0 { " UNION ALL " } else { "" }));
            out.push_identifier(entity.plural())?;
            out.push_sql(" WHERE ");
            filter.walk_ast(out.reborrow())?;
        }
        Ok(())
    }
}

impl QueryFragment<MultiBackend> for Deepened {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql(
            "SELECT listed.contact_id, MIN(met.at), MAX(met.at), MIN(met.occurred_on), MAX(met.occurred_on) FROM \
             (SELECT id AS met_id, CASE WHEN occurred_on IS NULL THEN sorted_at END AS at, occurred_on \
             FROM interactions WHERE ",
        );
        self.met.walk_ast(out.reborrow())?;
        out.push_sql(
            ") AS met JOIN interaction_contacts AS listed ON listed.interaction_id = met.met_id \
             WHERE listed.workspace_id = ",
        );
        out.push_bind_param::<Id, _>(&self.workspace)?;
        if let Some(people) = &self.people {
            out.push_sql(" AND listed.contact_id IN (SELECT id FROM contacts WHERE ");
            people.walk_ast(out.reborrow())?;
            out.push_sql(")");
        }
        out.push_sql(" GROUP BY listed.contact_id HAVING COUNT(*) > 1");
        Ok(())
    }
}
