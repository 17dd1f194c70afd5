//! Whose help carries a goal: what was received for it, who introduced whom, whose feedback was acted on, and who opened the door
//! to its targets.

use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryResult, RunQueryDsl};
use serde::{Deserialize, Serialize};

use super::db::sql::conn::{Conn, MultiBackend, read_transaction};
use super::db::sql::statement::statement;
use super::db::sql::types::{AnyId, Id};
use super::error::Result;
use super::today;
use crate::domain::contact::Contact;
use crate::domain::id::{GoalId, WorkspaceId};

/// How somebody has helped with a goal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    pub exchanges: i64,
    pub introductions: i64,
    pub feedback: i64,
    /// How many targets they introduced the networker to.
    pub doors: i64,
    /// The day of the last of these whose day is known.
    pub last_helped_on: Option<String>,
    /// How many exchanges were received and not thanked for.
    pub thanks_due: i64,
}

#[derive(Debug, Clone)]
pub struct CreditPage {
    pub items: Vec<(Contact, Credit)>,
    pub next: Option<Place>,
}

/// A place in the order: the day of the last help, empty where it is not known, and the contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    day: String,
    id: AnyId,
}

/// Everybody who has helped with a goal, whoever did last in front. It costs as much as was done for the goal.
pub fn page(
    conn: &mut Conn,
    workspace: WorkspaceId,
    goal: GoalId,
    after: Option<Place>,
    limit: i64,
) -> Result<CreditPage> {
    read_transaction(conn, |conn| {
        let asked = Credits { workspace, goal: AnyId::new(goal.uuid()), after, limit: limit.saturating_add(1) };
        let mut rows: Vec<Row> = asked.load(conn)?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > wanted;
        rows.truncate(wanted);
        let place = |row: &Row| Place { day: row.5.clone(), id: row.0 };
        let next = rows.last().filter(|_| has_more).map(place);
        let mut people = today::people(conn, workspace, rows.iter().map(|row| row.0))?;
        let item = |(id, exchanges, introductions, feedback, doors, day, thanks_due): Row| {
            let last_helped_on = Some(day).filter(|day| !day.is_empty());
            let credit = Credit { exchanges, introductions, feedback, doors, last_helped_on, thanks_due };
            Some((people.remove(&id)?, credit))
        };
        Ok(CreditPage { items: rows.into_iter().filter_map(item).collect(), next })
    })
}

// The statement.

struct Credits {
    workspace: WorkspaceId,
    goal: AnyId,
    after: Option<Place>,
    limit: i64,
}

type Row = (AnyId, i64, i64, i64, i64, String, i64);

statement!(Credits, (Id, BigInt, BigInt, BigInt, BigInt, Text, BigInt));

/// What each kind of help counts as: exchange, introduction, feedback, door; its day; and whether thanks are due. What an
/// introduction or feedback has logged is an exchange that counts for the thanks alone. Who has opened a door is said by the
/// target's contact, and not always when.
const KINDS: [&str; 4] = [
    "SELECT contact_id, CASE WHEN origin IN ('feedback', 'introduction') THEN 0 ELSE 1 END AS exchange, 0 AS introduction, 0 AS feedback, 0 AS door, \
     occurred_on AS day, CASE WHEN direction = 'received' AND thanked_on IS NULL THEN 1 ELSE 0 END AS due \
     FROM exchanges WHERE direction <> 'given'",
    "SELECT introducer_id, 0, 1, 0, 0, made_on, 0 FROM introductions \
     WHERE direction = 'to_me' AND introducer_id IS NOT NULL AND made_on IS NOT NULL",
    "SELECT contact_id, 0, 0, 1, 0, action_taken_on, 0 FROM feedback WHERE action_taken_on IS NOT NULL",
    "SELECT introduced_by_id, 0, 0, 0, 1, '', 0 FROM (SELECT targets.workspace_id, targets.goal_id, contacts.introduced_by_id \
     FROM targets JOIN contacts ON contacts.workspace_id = targets.workspace_id AND contacts.id = targets.contact_id) AS opened \
     WHERE introduced_by_id IS NOT NULL",
];

impl QueryFragment<MultiBackend> for Credits {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql(
            "SELECT contact_id, SUM(exchange), SUM(introduction), SUM(feedback), SUM(door), MAX(day), SUM(due) FROM (",
        );
        for (index, kind) in KINDS.iter().enumerate() {
            out.push_sql(if index == 0 { "" } else { " UNION ALL " });
            out.push_sql(kind);
            out.push_sql(" AND workspace_id = ");
            out.push_bind_param::<Id, _>(&self.workspace)?;
            out.push_sql(" AND goal_id = ");
            out.push_bind_param::<Id, _>(&self.goal)?;
        }
        out.push_sql(") AS help GROUP BY contact_id HAVING SUM(exchange) + SUM(introduction) + SUM(feedback) + SUM(door) > 0");
        if let Some(after) = &self.after {
            out.push_sql(" AND (MAX(day) < ");
            out.push_bind_param::<Text, _>(&after.day)?;
            out.push_sql(" OR (MAX(day) = ");
            out.push_bind_param::<Text, _>(&after.day)?;
            out.push_sql(" AND contact_id < ");
            out.push_bind_param::<Id, _>(&after.id)?;
            out.push_sql("))");
        }
        out.push_sql(" ORDER BY MAX(day) DESC, contact_id DESC LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        Ok(())
    }
}
