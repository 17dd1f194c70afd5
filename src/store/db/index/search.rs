//! The search index: what is written for a record, and how words find it. Both backends read the same tokens.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;

use crate::domain::entity::Entity;
use crate::domain::id::WorkspaceId;
use crate::domain::search::SearchText;
use crate::domain::text;
use crate::store::db::sql::conn::{Conn, MultiBackend};
use crate::store::db::sql::rows::{self, table_row};
use crate::store::db::sql::schema::search_documents;
use crate::store::db::sql::statement::statement;
use crate::store::db::sql::types::{AnyId, Id};

/// PostgreSQL keeps at most 1 MiB of words a document; what comes beyond is not found.
const MAX_TOKEN_BYTES: usize = 600_000;

/// Writes, or rewrites, what records of a kind are found by.
pub fn index(
    conn: &mut Conn,
    (workspace, workspace_number): (WorkspaceId, i64),
    entity: Entity,
    found_by: Vec<(AnyId, SearchText)>,
) -> QueryResult<()> {
    let document = |(record_id, found_by): (AnyId, SearchText)| {
        let title = text::sort_key(&found_by.title);
        let tokens = glued(workspace_number, &found_by.text);
        Document { workspace_id: workspace, entity, record_id, title, tokens }
    };
    let mut documents: Vec<Document> = found_by.into_iter().map(document).collect();
    // In about the order of their numbers: SQLite writes out what it has gathered for its index whenever the next document
    // has a lower number than the last.
    documents.sort_by_key(|document| document.record_id);
    rows::upsert(conn, &documents)
}

/// A document as it is written.
struct Document {
    workspace_id: WorkspaceId,
    entity: Entity,
    record_id: AnyId,
    title: String,
    tokens: String,
}

table_row!(Document, search_documents: workspace_id, entity, record_id; title, tokens);

/// A deleted record is not found.
pub fn unindex(conn: &mut Conn, workspace: WorkspaceId, entity: Entity, id: AnyId) -> QueryResult<()> {
    diesel::delete(
        search_documents::table
            .filter(search_documents::workspace_id.eq(workspace))
            .filter(search_documents::entity.eq(entity))
            .filter(search_documents::record_id.eq(id)),
    )
    .execute(conn)
    .map(drop)
}

/// Takes out of SQLite's index what was deleted, as every kind of erasure does: until then it is only marked, since to leave no trace each time makes
/// rewriting a document three times as slow. 5,000 documents took 6 ms. PostgreSQL's goes with its row.
pub fn forget_deleted(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(conn) => conn.batch_execute("INSERT INTO search_index (search_index) VALUES ('optimize')"),
        Conn::Postgres(_) => Ok(()),
    }
}

/// Every token glued to the workspace's number: a prefix query over 1,000 workspaces took 0.14 ms so, 17 ms with the
/// workspace as a word of its own.
fn glued(workspace_number: i64, found_by: &str) -> String {
    let mut out = String::new();
    for token in text::document_tokens(found_by) {
        let glued = format!("{workspace_number}:{token}");
        if out.len() + glued.len() >= MAX_TOKEN_BYTES {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&glued);
    }
    out
}

/// Words to find, in the query language of each backend.
#[derive(Debug, Clone)]
pub struct Match {
    fts5: String,
    tsquery: String,
}

impl Match {
    /// `None` when the text holds no word: nothing is found by it.
    pub fn parse(workspace_number: i64, query: &str) -> Option<Self> {
        let text::Query { exact, prefix, any } = text::query(query);
        let all = text::Words { exact, prefix };
        let and = if any.is_empty() { " " } else { " AND " };
        let (mut fts5, mut tsquery): (Vec<_>, Vec<_>) = words(workspace_number, &all).unzip();
        for alternatives in any {
            // FTS5 has no AND between brackets that is not written.
            let of = |own: &text::Words| -> (String, String) {
                let (fts5, tsquery): (Vec<_>, Vec<_>) = words(workspace_number, own).unzip();
                (format!("({})", fts5.join(" AND ")), format!("({})", tsquery.join(" & ")))
            };
            let (own_fts5, own_tsquery): (Vec<_>, Vec<_>) = alternatives.iter().map(of).unzip();
            fts5.push(format!("({})", own_fts5.join(" OR ")));
            tsquery.push(format!("({})", own_tsquery.join(" | ")));
        }
        (!fts5.is_empty()).then(|| Self { fts5: fts5.join(and), tsquery: tsquery.join(" & ") })
    }
}

/// Each word in both languages. A token holds no quote, no space and no ASCII but letters and digits, so it needs no escape.
fn words(workspace_number: i64, words: &text::Words) -> impl Iterator<Item = (String, String)> {
    let exact = words.exact.iter().map(|word| (word, false));
    exact.chain(words.prefix.iter().map(|word| (word, true))).map(move |(word, is_prefix)| {
        let (star, mark) = if is_prefix { (" *", ":*") } else { ("", "") };
        (format!("\"{workspace_number}:{word}\"{star}"), format!("'{workspace_number}:{word}'{mark}"))
    })
}

impl QueryFragment<diesel::pg::Pg> for Match {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, diesel::pg::Pg>) -> QueryResult<()> {
        out.push_sql("token_vector @@ (");
        out.push_bind_param::<Text, _>(&self.tsquery)?;
        out.push_sql("::text)::tsquery");
        Ok(())
    }
}

impl QueryFragment<Sqlite> for Match {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("document_id IN (SELECT rowid FROM search_index WHERE search_index MATCH ");
        out.push_bind_param::<Text, _>(&self.fts5)?;
        out.push_sql(")");
        Ok(())
    }
}

impl QueryFragment<MultiBackend> for Match {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        MultiBackend::walk_variant_ast(self, out)
    }
}

/// How well a document fits: its title is what was typed, begins with it, or neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub rank: i32,
    pub title: String,
    pub id: AnyId,
    pub entity: Entity,
}

/// Up to `limit` documents of these kinds in the order of relevance, after a place in it: whole-title match, title
/// prefix, the rest; then title, then id.
pub fn ranked(
    conn: &mut Conn,
    workspace: WorkspaceId,
    entities: &[Entity],
    words: &Match,
    query: &str,
    after: Option<&Place>,
    limit: i64,
) -> QueryResult<Vec<Place>> {
    let query = text::sort_key(query);
    Ranked { workspace, entities, words, end: after_prefix(&query), query, after, limit }
        .load::<(i32, String, AnyId, Entity)>(conn)
        .map(|rows| rows.into_iter().map(|(rank, title, id, entity)| Place { rank, title, id, entity }).collect())
}

/// The first text, in the order of bytes, that begins with something else.
fn after_prefix(prefix: &str) -> String {
    format!("{prefix}\u{10FFFF}")
}

struct Ranked<'a> {
    workspace: WorkspaceId,
    entities: &'a [Entity],
    words: &'a Match,
    query: String,
    end: String,
    after: Option<&'a Place>,
    limit: i64,
}

statement!(Ranked<'_>, (diesel::sql_types::Integer, Text, Id, Text));

impl QueryFragment<MultiBackend> for Ranked<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.push_sql("SELECT place, title, record_id, entity FROM (SELECT CASE WHEN title = ");
        out.push_bind_param::<Text, _>(&self.query)?;
        out.push_sql(" THEN 0 WHEN title >= ");
        out.push_bind_param::<Text, _>(&self.query)?;
        out.push_sql(" AND title < ");
        out.push_bind_param::<Text, _>(&self.end)?;
        out.push_sql(
            " THEN 1 ELSE 2 END AS place, title, record_id, entity FROM search_documents WHERE (workspace_id = ",
        );
        out.push_bind_param::<Id, _>(&self.workspace)?;
        // Not by the index on it, which holds every document of the workspace: the words name the workspace already.
        out.push_sql(") IS TRUE AND entity IN (");
        for (index, entity) in self.entities.iter().enumerate() {
            out.push_sql(if index > 0 { ", '" } else { "'" });
            out.push_sql(entity.as_str());
            out.push_sql("'");
        }
        out.push_sql(") AND ");
        MultiBackend::walk_variant_ast(self.words, out.reborrow())?;
        out.push_sql(") AS found");
        if let Some(after) = self.after {
            out.push_sql(" WHERE (place, title, record_id) > (");
            out.push_bind_param::<diesel::sql_types::Integer, _>(&after.rank)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&after.title)?;
            out.push_sql(", ");
            out.push_bind_param::<Id, _>(&after.id)?;
            out.push_sql(")");
        }
        out.push_sql(" ORDER BY place, title, record_id, entity LIMIT ");
        out.push_bind_param::<diesel::sql_types::BigInt, _>(&self.limit)
    }
}
