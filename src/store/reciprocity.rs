//! How far the networker and each contact are even, on a day.
//!
//! A page sums up the index entries of all exchanges by their contacts and orders these, since the order follows from the
//! sums; it fetches only the contacts that it shows. So it costs what was exchanged: about a microsecond for each.

use chrono::NaiveDate;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::{BigInt, Double, Nullable, Text};
use diesel::{QueryResult, RunQueryDsl};
use serde::{Deserialize, Serialize};

use super::db::sql::conn::{Conn, MultiBackend, read_transaction};
use super::db::sql::select::Direction;
use super::db::sql::statement::statement;
use super::db::sql::types::{AnyId, Id};
use super::error::Result;
use super::today;
use crate::domain::contact::Contact;
use crate::domain::exchange::ExchangeBalance;
use crate::domain::id::WorkspaceId;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub on: NaiveDate,
    /// Only those whom thanks are owed.
    pub thanks_due: bool,
    /// Only those who gave, and were given nothing.
    pub only_asked: bool,
    /// The order of balances.
    pub direction: Direction,
    /// The place after which to go on.
    pub after: Option<Place>,
    pub limit: usize,
}

/// A place in the order: thousandths of the balance, and the contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    balance: i64,
    id: AnyId,
}

/// What was exchanged with a contact by a day.
#[derive(Debug, Clone)]
pub struct Exchanged {
    pub balance: ExchangeBalance,
    pub given_count: i64,
    pub received_count: i64,
    pub last_given_on: Option<String>,
    pub last_received_on: Option<String>,
    /// How many exchanges were received and not thanked for.
    pub thanks_due: i64,
}

#[derive(Debug, Clone)]
pub struct ReciprocityPage {
    pub items: Vec<(Contact, Exchanged)>,
    pub next: Option<Place>,
}

/// One page.
pub fn page(conn: &mut Conn, workspace: WorkspaceId, wanted: &Wanted) -> Result<ReciprocityPage> {
    read_transaction(conn, |conn| {
        let mut sums = sums(conn, workspace, None, wanted.on)?;
        sums.retain(|(_, own)| {
            (!wanted.thanks_due || own.thanks_due > 0) && (!wanted.only_asked || own.is_only_asked())
        });
        let mut places: Vec<(Place, Exchanged)> =
            sums.into_iter().map(|(id, own)| (Place { balance: own.thousandths(), id }, own)).collect();
        let is_ascending = wanted.direction == Direction::Ascending;
        places.retain(|(place, _)| {
            wanted.after.is_none_or(|after| if is_ascending { *place > after } else { *place < after })
        });
        places.sort_unstable_by_key(|(place, _)| *place);
        if !is_ascending {
            places.reverse();
        }
        let has_more = places.len() > wanted.limit;
        places.truncate(wanted.limit);
        let next = places.last().filter(|_| has_more).map(|(place, _)| *place);
        let mut people = today::people(conn, workspace, places.iter().map(|(place, _)| place.id))?;
        let items = places.into_iter().filter_map(|(place, own)| Some((people.remove(&place.id)?, own)));
        Ok(ReciprocityPage { items: items.collect(), next })
    })
}

/// What was exchanged with one contact by a day; `None` if nothing was.
pub fn of_contact(
    conn: &mut Conn,
    workspace: WorkspaceId,
    contact: AnyId,
    on: NaiveDate,
) -> Result<Option<Exchanged>> {
    Ok(sums(conn, workspace, Some(contact), on)?.pop().map(|(_, own)| own))
}

impl Exchanged {
    /// Whether they gave, and were given nothing.
    pub const fn is_only_asked(&self) -> bool {
        self.received_count > 0 && self.given_count == 0
    }

    /// The balance in whole thousandths, by which pages are told apart.
    fn thousandths(&self) -> i64 {
        let text = format!("{:.0}", self.balance.balance * 1_000.0);
        text.parse().unwrap_or_default()
    }
}

fn sums(
    conn: &mut Conn,
    workspace: WorkspaceId,
    contact: Option<AnyId>,
    on: NaiveDate,
) -> Result<Vec<(AnyId, Exchanged)>> {
    let rows: Vec<Row> = Sums { workspace, contact, by: on.to_string() }.load(conn)?;
    let exchanged = |row: Row| {
        let (id, given, given_count, last_given_on, received, received_count, last_received_on, thanks_due) = row;
        let balance = ExchangeBalance::from_scaled(given, received, on);
        let own = Exchanged { balance, given_count, received_count, last_given_on, last_received_on, thanks_due };
        (id, own)
    };
    Ok(rows.into_iter().map(exchanged).collect())
}

// The statement.

/// What was exchanged with each contact, or with one, by a day.
struct Sums {
    workspace: WorkspaceId,
    contact: Option<AnyId>,
    by: String,
}

type Row = (AnyId, f64, i64, Option<String>, f64, i64, Option<String>, i64);

statement!(Sums, (Id, Double, BigInt, Nullable<Text>, Double, BigInt, Nullable<Text>, BigInt));

impl QueryFragment<MultiBackend> for Sums {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql("SELECT contact_id");
        for direction in ["given", "received"] {
            let is_it = format!("CASE WHEN direction = '{direction}' THEN");
            out.push_sql(&format!(
                ", SUM({is_it} scaled_weight ELSE 0.0 END), COUNT({is_it} 1 END), MAX({is_it} occurred_on END)"
            ));
        }
        out.push_sql(
            ", COUNT(CASE WHEN direction = 'received' AND thanked_on IS NULL THEN 1 END) FROM exchanges \
             WHERE workspace_id = ",
        );
        out.push_bind_param::<Id, _>(&self.workspace)?;
        if let Some(contact) = &self.contact {
            out.push_sql(" AND contact_id = ");
            out.push_bind_param::<Id, _>(contact)?;
        }
        out.push_sql(" AND occurred_on <= ");
        out.push_bind_param::<Text, _>(&self.by)?;
        out.push_sql(" GROUP BY contact_id");
        Ok(())
    }
}
