//! What statements need that Diesel's query builder cannot say, or does not cache. None of them lives here.

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::{QueryResult, RunQueryDsl};

use super::conn::{Conn, MultiBackend};

/// A statement whose text never depends on its values, only on its type, and so is made and prepared once. Diesel prepares
/// each UPDATE anew, since it may leave columns out.
pub(in crate::store) struct Prepared<Q>(pub Q);

impl<Q: QueryFragment<MultiBackend>> QueryFragment<MultiBackend> for Prepared<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &MultiBackend) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q: 'static> QueryId for Prepared<Q> {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<Q: Query> Query for Prepared<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> RunQueryDsl<Conn> for Prepared<Q> {}

/// With more items than this, a statement is prepared anew each time: connections keep each text that they have prepared, and
/// there is one for each number of items.
const MAX_PREPARED_ITEMS: usize = 100;

/// Each of some items, with text between them.
pub(in crate::store) fn separated<'b, T>(
    items: &'b [T],
    separator: &str,
    out: &mut AstPass<'_, 'b, MultiBackend>,
    each: impl Fn(&'b T, &mut AstPass<'_, 'b, MultiBackend>) -> QueryResult<()>,
) -> QueryResult<()> {
    if items.len() > MAX_PREPARED_ITEMS {
        out.unsafe_to_cache_prepared();
    }
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_sql(separator);
        }
        each(item, out)?;
    }
    Ok(())
}

/// What every statement written out needs; with the type of its rows, it can be loaded from.
macro_rules! statement {
    ($name:ty) => {
        // The text may depend on the value, so it is the text that a prepared statement is cached by.
        impl diesel::query_builder::QueryId for $name {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }

        impl diesel::RunQueryDsl<$crate::store::db::sql::conn::Conn> for $name {}
    };
    ($name:ty, $rows:ty) => {
        $crate::store::db::sql::statement::statement!($name);

        impl diesel::query_builder::Query for $name {
            type SqlType = $rows;
        }
    };
}
pub(in crate::store) use statement;
