//! Statements that are written out in SQL, where Diesel's own query builder cannot say them. None of them lives here.

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
