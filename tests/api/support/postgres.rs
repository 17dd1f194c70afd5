//! Where the tests get a PostgreSQL from: the server that `TEST_DATABASE_URL` names, or a
//! throw-away cluster of this process that disappears with it. Says nothing of what is in a
//! database; see `database.rs`.
//!
//! The cluster listens on a Unix socket in a directory of its own, nowhere else, and is set up to
//! sort text as an English ICU collation does (where it can), so that what must sort alike on both
//! backends shows when a `COLLATE "C"` is missing.

use std::{
    env, fs,
    io::{Read as _, Write as _},
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, sql_types::Text};
use url::Url;
use wellmet::{app::App, clock::ManualClock, config::Config};

use super::{START, scratch::in_memory};

/// How long a new cluster may take until it answers.
const START_SECONDS: u64 = 60;

/// A server on which databases can be made, and the connection that makes them.
struct Postgres {
    /// Any database of the server; the path is replaced.
    url: Url,
    admin: Mutex<PgConnection>,
    /// Name of the migrated database that the others are cloned from, made when first asked for.
    template: OnceLock<String>,
    /// Begins the name of every database this process makes.
    prefix: String,
    counter: AtomicU32,
    /// Who takes the cluster away once this process ends, see [`KEEPER`]; none on a server that is
    /// not ours.
    keeper: Option<Child>,
}

static POSTGRES: OnceLock<Result<Postgres, String>> = OnceLock::new();

/// Whether there is a PostgreSQL to test on; if not, why, in a sentence without its full stop.
pub fn available() -> Result<(), &'static str> {
    postgres().map(|_| ())
}

/// Whether the tests must fail where there is no PostgreSQL: with `REQUIRE_POSTGRES=1`, as in
/// `.ci/run`, and where a server was named.
pub fn required() -> bool {
    variable("REQUIRE_POSTGRES").is_some_and(|value| value != "0") || variable("TEST_DATABASE_URL").is_some()
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Makes an empty database and gives its URL.
pub fn create_empty() -> String {
    let postgres = postgres().expect("a caller asked whether there is a PostgreSQL");
    let name = postgres.next_name();
    postgres.admin_statement(&format!("CREATE DATABASE {name}"));
    postgres.url_of(&name)
}

/// Makes a database with every migration applied, by cloning one that has them, and gives its URL.
pub fn create_migrated() -> String {
    let postgres = postgres().expect("a caller asked whether there is a PostgreSQL");
    let template = postgres.template();
    let name = postgres.next_name();
    // Without fsync, copying the files takes half the time of the default, which writes all of them
    // to the log as well; with fsync it is the slower way.
    let strategy = if postgres.keeper.is_some() { "STRATEGY FILE_COPY" } else { "" };
    postgres.admin_statement(&format!("CREATE DATABASE {name} TEMPLATE {template} {strategy}"));
    postgres.url_of(&name)
}

/// Drops a database made here, whoever is still connected to it. Says nothing of a failure: it
/// runs where a test may already be panicking, and what is left is swept by another run.
pub fn drop_database(url: &str) {
    let Ok(postgres) = postgres() else { return };
    let Some((_, name)) = url.rsplit_once('/') else { return };
    let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    let _ = diesel::sql_query(statement).execute(&mut *postgres.admin());
}

fn postgres() -> Result<&'static Postgres, &'static str> {
    POSTGRES
        .get_or_init(|| {
            let found = find();
            if let Err(reason) = &found
                && !required()
            {
                // Past libtest's capture, which keeps what `eprintln!` says from a test that
                // passes: whoever runs the tests has to see that half of them did not run.
                let _ = writeln!(
                    std::io::stderr(),
                    "\nNO POSTGRESQL: the postgres variants of the tests are passed over: {reason}.\n\
                     Install PostgreSQL 15 or newer, or set TEST_DATABASE_URL to a server on which \
                     databases may be created.\n"
                );
            }
            found
        })
        .as_ref()
        .map_err(String::as_str)
}

fn find() -> Result<Postgres, String> {
    match variable("TEST_DATABASE_URL") {
        Some(url) => {
            let url = Url::parse(&url).map_err(|error| format!("TEST_DATABASE_URL is no URL ({error})"))?;
            let admin = PgConnection::establish(url.as_str()).map_err(|error| {
                format!("the server of TEST_DATABASE_URL does not let us in ({})", error.to_string().trim())
            })?;
            let postgres = Postgres::new(url, admin, None);
            postgres.sweep();
            Ok(postgres)
        }
        None => start_cluster(&find_binaries().ok_or("neither TEST_DATABASE_URL nor an initdb was found")?),
    }
}

impl Postgres {
    fn new(url: Url, admin: PgConnection, keeper: Option<Child>) -> Postgres {
        let prefix = format!("wellmet_test_{}_{}", seconds_since_1970(), std::process::id());
        Postgres {
            url,
            admin: Mutex::new(admin),
            template: OnceLock::new(),
            prefix,
            counter: AtomicU32::new(0),
            keeper,
        }
    }

    /// A test that panicked with the connection in hand leaves it usable: it was between two
    /// statements.
    fn admin(&self) -> MutexGuard<'_, PgConnection> {
        self.admin.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    fn admin_statement(&self, statement: &str) {
        if let Err(error) = diesel::sql_query(statement).execute(&mut *self.admin()) {
            panic!("{statement}: {error}");
        }
    }

    fn next_name(&self) -> String {
        format!("{}_{}", self.prefix, self.counter.fetch_add(1, Ordering::Relaxed))
    }

    fn url_of(&self, name: &str) -> String {
        let mut url = self.url.clone();
        url.set_path(name);
        url.to_string()
    }

    fn template(&self) -> &str {
        self.template.get_or_init(|| {
            let name = format!("{}_template", self.prefix);
            self.admin_statement(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            self.admin_statement(&format!("CREATE DATABASE {name}"));
            let clock = Arc::new(ManualClock::at(START));
            let app = App::start(Config::for_test(&self.url_of(&name)), clock)
                .unwrap_or_else(|error| panic!("the PostgreSQL migrations did not run: {error}"));
            drop(app);
            // A database that somebody is connected to cannot be cloned, and a pool may close its
            // connections a moment after it is dropped.
            self.admin_statement(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
            self.admin_statement(&format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            ));
            name
        })
    }

    /// Drops what earlier test runs have left on a server that outlives them: their template, and
    /// more where they were killed. A run that still lives holds a lock on its prefix.
    fn sweep(&self) {
        #[derive(QueryableByName)]
        struct Left {
            #[diesel(sql_type = Text)]
            name: String,
        }

        let query = r"SELECT datname::text AS name FROM pg_database
            WHERE datname LIKE 'wellmet\_test\_%' AND pg_try_advisory_xact_lock(
                hashtext(substring(datname FROM '^wellmet_test_[0-9]+_[0-9]+')))";
        let mut admin = self.admin();
        let left: Vec<Left> = diesel::sql_query(query).get_results(&mut *admin).unwrap_or_default();
        for Left { name } in left {
            let _ = diesel::sql_query(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).execute(&mut *admin);
        }
        let lock = format!("SELECT pg_advisory_lock(hashtext('{}'))", self.prefix);
        let _ = diesel::sql_query(lock).execute(&mut *admin);
    }
}

/// The real time, for names: the tests' own clock starts on the same day in every run.
fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_secs()
}

/// The folder with `initdb` and `postgres`: from the PATH (where Debian does not put them), or the
/// newest version where Debian does.
fn find_binaries() -> Option<PathBuf> {
    let on_path = env::var_os("PATH").into_iter().flat_map(|path| env::split_paths(&path).collect::<Vec<_>>());
    let mut packaged: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    packaged.sort();
    let packaged = packaged.into_iter().rev().map(|(_, folder)| folder);
    on_path.chain(packaged).find_map(|folder| {
        // A link on the PATH may lead into the folder where the rest of PostgreSQL lies.
        let initdb = fs::canonicalize(folder.join("initdb")).ok()?;
        let folder = initdb.parent()?;
        folder.join("postgres").exists().then(|| folder.to_owned())
    })
}

/// Makes the cluster, runs it, and takes it away, arguments being the folder of the binaries and
/// the folder to live in. It waits on its standard input, of which the test process holds the only
/// other end: however that process dies, the kernel closes it, and `read` returns. Errors go to
/// standard error, as text for a person.
const KEEPER: &str = r#"
bin=$1
home=$2
cd "$home" || exit 1
postgres=
finish() {
    if [ -n "$postgres" ]; then
        kill -QUIT "$postgres" 2>/dev/null
        wait "$postgres"
    fi
    cd /
    rm -rf "$home"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

make_cluster() {
    "$bin/initdb" -D data -U wellmet -A trust -E UTF8 --no-sync --no-instructions "$@" >log 2>&1
}
make_cluster --locale=C --locale-provider=icu --icu-locale=en-US ||
    make_cluster --locale=C.UTF-8 ||
    make_cluster --no-locale ||
    { tail -n 5 log >&2; exit 1; }

"$bin/postgres" -D data -k "$home" -p 5432 \
    -c listen_addresses= -c max_connections=300 -c shared_buffers=64MB \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
    -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=128MB >log 2>&1 </dev/null &
postgres=$!
while ! [ -S .s.PGSQL.5432 ]; do
    kill -0 "$postgres" 2>/dev/null || { tail -n 5 log >&2; exit 1; }
    sleep 0.05
done

# Nobody is left to read it once the test process is gone.
exec 2>/dev/null
read -r _
exit 0
"#;

fn start_cluster(binaries: &Path) -> Result<Postgres, String> {
    // Never in TMPDIR: a socket's path has about a hundred bytes, and the user we step down to has
    // to be let through every folder on the way.
    let place = in_memory().unwrap_or(Path::new("/tmp"));
    let home = tempfile::Builder::new()
        .prefix("wellmet-postgres-")
        .tempdir_in(place)
        .map_err(|error| format!("no folder could be made in {} ({error})", place.display()))?;
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", KEEPER, "wellmet-test-postgres"])
        .arg(binaries)
        .arg(home.path())
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Out of reach of Ctrl-C, which would have PostgreSQL stop in the middle of the clean-up.
        .process_group(0);
    for name in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS"] {
        command.env_remove(name);
    }
    let owner = fs::metadata(home.path()).map_err(|error| error.to_string())?.uid();
    if owner == 0 {
        // PostgreSQL refuses to run as root.
        let (user, group) = unprivileged_user();
        chown(home.path(), Some(user), Some(group)).map_err(|error| error.to_string())?;
        command.uid(user).gid(group);
    }
    let mut keeper = command.spawn().map_err(|error| format!("/bin/sh did not start ({error})"))?;
    // From here on it is the keeper that removes the folder.
    let home = home.keep();

    let socket_folder = home.to_str().expect("we named it").replace('/', "%2F");
    let url = format!("postgres://wellmet@{socket_folder}:5432/postgres");
    let deadline = Instant::now() + Duration::from_secs(START_SECONDS);
    loop {
        match PgConnection::establish(&url) {
            Ok(admin) => {
                let url = Url::parse(&url).map_err(|error| error.to_string())?;
                return Ok(Postgres::new(url, admin, Some(keeper)));
            }
            Err(error) if Instant::now() > deadline => {
                drop(keeper.stdin.take());
                let _ = keeper.wait();
                return Err(format!(
                    "the cluster in {} did not answer in {START_SECONDS} seconds ({error})",
                    home.display()
                ));
            }
            Err(_) if matches!(keeper.try_wait(), Ok(Some(_))) => {
                let mut said = String::new();
                if let Some(mut stderr) = keeper.stderr.take() {
                    let _ = stderr.read_to_string(&mut said);
                }
                return Err(format!("{} made no cluster ({})", binaries.display(), said.trim()));
            }
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// User and group to run PostgreSQL as when we are root: `postgres` where its package has made
/// that user, else `nobody`.
fn unprivileged_user() -> (u32, u32) {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let look_up = |name: &str| {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == name).then_some(())?;
            let user = fields.nth(1)?.parse().ok()?;
            let group = fields.next()?.parse().ok()?;
            Some((user, group))
        })
    };
    look_up("postgres").or_else(|| look_up("nobody")).unwrap_or((65_534, 65_534))
}
