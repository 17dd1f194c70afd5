//! How much work a database has done for its server, counted and not timed: steps of SQLite's virtual machine, rows and
//! index entries that PostgreSQL has read. How much something may take is not said here.

use std::{
    collections::HashMap,
    ffi::{CStr, c_char, c_int, c_uint, c_void},
    sync::{Mutex, Once, PoisonError},
};

use libsqlite3_sys as sqlite;

use super::{Backend, Database, TestServer};

/// By the path of the file.
static STEPS: Mutex<Option<HashMap<String, i64>>> = Mutex::new(None);

/// From now on steps are counted of every SQLite connection that is opened in this process.
#[allow(unsafe_code, reason = "SQLite tells the steps of a statement by its C interface only")]
pub fn count() {
    unsafe extern "C" fn trace(
        db: *mut sqlite::sqlite3,
        _: *mut *mut c_char,
        _: *const sqlite::sqlite3_api_routines,
    ) -> c_int {
        unsafe { sqlite::sqlite3_trace_v2(db, sqlite::SQLITE_TRACE_PROFILE, Some(finished), std::ptr::null_mut()) }
    }

    /// A statement has ended; `statement` is it.
    unsafe extern "C" fn finished(_: c_uint, _: *mut c_void, statement: *mut c_void, _: *mut c_void) -> c_int {
        let statement = statement.cast();
        let (steps, file) = unsafe {
            let steps = sqlite::sqlite3_stmt_status(statement, sqlite::SQLITE_STMTSTATUS_VM_STEP, 1);
            let file = sqlite::sqlite3_db_filename(sqlite::sqlite3_db_handle(statement), c"main".as_ptr());
            (
                steps,
                if file.is_null() { String::new() } else { CStr::from_ptr(file).to_string_lossy().into_owned() },
            )
        };
        let mut all = STEPS.lock().unwrap_or_else(PoisonError::into_inner);
        *all.get_or_insert_default().entry(file).or_default() += i64::from(steps);
        sqlite::SQLITE_OK
    }

    static SET: Once = Once::new();
    SET.call_once(|| {
        let registered = unsafe { sqlite::sqlite3_auto_extension(Some(trace)) };
        assert_eq!(registered, sqlite::SQLITE_OK);
    });
}

/// What the database has done so far, with the server stopped for it where it has to be.
pub async fn so_far(server: &mut TestServer) -> i64 {
    // PostgreSQL knows when a connection has closed.
    if server.backend == Backend::Postgres {
        server.restart().await;
    }
    done(&server.database)
}

fn done(database: &Database) -> i64 {
    match database.backend {
        Backend::Sqlite => {
            let file = std::fs::canonicalize(database.url.trim_start_matches("sqlite://")).expect("the file");
            let all = STEPS.lock().unwrap_or_else(PoisonError::into_inner);
            all.as_ref().and_then(|all| all.get(&file.display().to_string())).copied().unwrap_or(0)
        }
        Backend::Postgres => database.number(
            "SELECT (SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables)
                + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)",
        ),
    }
}
