//! The composition root: puts database, API and jobs together. `main` and the tests start the same thing.

use actix_cors::Cors;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Server, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data};
use actix_web::{App as ActixApp, HttpServer};
use secrecy::{ExposeSecret, SecretString};
use std::any::Any;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tracing_actix_web::TracingLogger;
use utoipa_swagger_ui::{Config as SwaggerConfig, SwaggerUi};

use crate::api;
use crate::api::context::Api;
use crate::api::http::auth::caller::Authenticator;
use crate::api::http::auth::limits::Limits;
use crate::api::http::auth::passwords::Passwords;
use crate::api::http::auth::refresh_tokens::RefreshTokens;
use crate::api::http::edge::{self, RequestSpan};
use crate::api::http::messages::cursor::Cursors;
use crate::api::http::messages::etag::ETags;
use crate::api::http::router::{Router, dispatch};
use crate::clock::Clock;
use crate::config::{Config, ConfigError, CorsOrigins, Database, MailTransport, parse_signing_key};
use crate::jobs;
use crate::jobs::kind::Setup as JobSetup;
use crate::jobs::worker::Worker;
use crate::mail::transport::{Links, Mailer, Transport};
use crate::mail::unsubscribe::UnsubscribeTokens;
use crate::memory;
use crate::metrics::Metrics;
use crate::store::{Address, OpenError, Quotas, Settings, Store};

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server that is asked to stop still answers new connections.
const DRAIN: Duration = Duration::from_secs(1);
/// How long a client may leave an answer unread before its connection is closed.
const UNREAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// A server that is ready to serve.
#[derive(Clone)]
pub struct App {
    api: Data<Api>,
    router: Data<Router>,
    jobs: JobSetup,
    /// True once the server is to stop; closed once its worker has.
    stopping: Arc<watch::Sender<bool>>,
}

/// Why the server does not start: a sentence for whoever starts it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Database(#[from] OpenError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("cannot use the signing key file {}: {reason}", path.display())]
    SigningKey { path: PathBuf, reason: String },
    #[error("this build is faulty: {0}")]
    Build(String),
}

/// Opens the database alone, for commands that do not serve.
pub fn open_store(config: &Config, clock: Arc<dyn Clock>) -> Result<Store, StartError> {
    let address = match &config.database {
        Database::Sqlite { path } => Address::Sqlite(path.clone()),
        Database::Postgres { url } => Address::Postgres(url.clone()),
    };
    let settings = Settings {
        address,
        pool_size: config.read_pool_size,
        pool_timeout: Duration::from_secs(config.pool_timeout_seconds),
        work_timeout: Duration::from_secs(config.database_timeout_seconds),
        busy_timeout: Duration::from_millis(u64::from(config.busy_timeout_milliseconds)),
        quotas: Quotas {
            records: i64::from(config.max_records),
            sessions: config.max_sessions,
            kept_reply_bytes: i64::from(config.max_stored_reply_megabytes) * 1024 * 1024,
        },
    };
    Ok(Store::open(&settings, clock)?)
}

impl App {
    /// Opens the database and prepares everything. Blocks.
    pub fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        Self::start_with(config, clock, JobSetup::new(jobs::KINDS.to_vec()))
    }

    /// The same with other jobs than those of [`jobs::KINDS`].
    pub fn start_with(config: Config, clock: Arc<dyn Clock>, jobs: JobSetup) -> Result<Self, StartError> {
        let store = open_store(&config, clock)?;
        let build = |error: &dyn std::fmt::Display| StartError::Build(error.to_string());
        let router = Router::new(api::operations()).map_err(|error| build(&error))?;
        let key = signing_key(&config, &store)?;
        let keys = std::iter::once(&key).chain(&config.signing_key_previous);
        let key_bytes = || keys.clone().map(|key| key.expose_secret().as_bytes());
        let unsubscribe = UnsubscribeTokens::new(key_bytes());
        let api = Api {
            mailer: mailer(&config, &unsubscribe)?.map(Arc::new),
            authenticator: Authenticator::new(&key, config.signing_key_previous.as_ref()),
            passwords: Passwords::default(),
            refresh_tokens: RefreshTokens::new(key_bytes()),
            cursors: Cursors::new(key_bytes()),
            unsubscribe,
            etags: ETags::new(store.epoch()),
            limits: Limits::new(config.rate_limits, config.requests_per_minute),
            metrics: Arc::new(Metrics::new().map_err(|error| build(&error))?),
            body_timeout: Duration::from_secs(config.body_timeout_seconds),
            draining: AtomicBool::new(false),
            store,
            config,
        };
        Ok(Self {
            api: Data::new(api),
            router: Data::new(router),
            jobs,
            stopping: Arc::new(watch::Sender::new(false)),
        })
    }

    pub fn store(&self) -> &Store {
        &self.api.store
    }

    /// From now on the server says that it is not ready, and takes no more jobs; it still answers.
    pub fn drain(&self) {
        self.api.draining.store(true, Ordering::SeqCst);
        self.stopping.send_replace(true);
    }

    /// Ends when the jobs that ran have finished, or were given back, after [`drain`](Self::drain).
    pub async fn jobs_ended(&self) {
        self.stopping.closed().await;
    }

    /// Serves until a signal asks to stop: then the server says that it is not ready, requests in flight finish, and
    /// it ends. `started` is called once it can be stopped so. Blocks.
    pub fn run(&self, listener: TcpListener, started: impl FnOnce()) -> std::io::Result<()> {
        actix_web::rt::System::new().block_on(async {
            let mut signals = Signals::listen()?;
            let server = self.serve(listener)?;
            let (handle, app) = (server.handle(), self.clone());
            actix_web::rt::spawn(async move {
                signals.next().await;
                tracing::info!("stopping; waiting for requests in flight");
                app.drain();
                actix_web::rt::spawn(async move {
                    signals.next().await;
                    tracing::warn!("stopping at once");
                    std::process::exit(1);
                });
                // Long enough for whoever watches `/readyz` to see it before connections are refused.
                tokio::time::sleep(DRAIN).await;
                handle.stop(true).await;
            });
            started();
            server.await?;
            self.drain();
            self.jobs_ended().await;
            Ok(())
        })
    }

    /// Serves on a socket that is listening already.
    pub fn serve(&self, listener: TcpListener) -> std::io::Result<Server> {
        let config = &self.api.config;
        let (workers, max_connections) = (config.worker_count(), config.max_connections_per_worker());
        let shutdown_timeout_seconds = config.shutdown_timeout_seconds;
        let (api, router, has_docs) = (self.api.clone(), self.router.clone(), config.docs);
        if config.job_workers > 0 {
            let shutdown_limit = Duration::from_secs(shutdown_timeout_seconds);
            let (store, mailer, metrics) =
                (self.store().clone(), self.api.mailer.clone(), self.api.metrics.clone());
            let worker =
                Worker::new(store, mailer, metrics, self.jobs.clone(), config.job_workers, shutdown_limit);
            actix_web::rt::spawn(worker.run(self.stopping.subscribe()));
        }
        actix_web::rt::spawn(tidy(self.api.clone()));
        let server = HttpServer::new(move || {
            ActixApp::new()
                .app_data(api.clone())
                .app_data(router.clone())
                .configure(|app| {
                    if has_docs {
                        app.service(docs());
                    }
                })
                .default_service(web::to(dispatch))
                .wrap(from_fn(adapted))
                .wrap(cors(&api.config.cors_origins))
                .wrap(from_fn(edge::finish))
                .wrap(from_fn(edge::catch_panic))
                .wrap(from_fn(edge::measure))
                .wrap(TracingLogger::<RequestSpan>::new())
        });
        let server = server
            .workers(workers)
            .on_connect(|stream, _| limit_unread(stream))
            .max_connections(max_connections)
            .client_request_timeout(HEAD_TIMEOUT)
            .keep_alive(KEEP_ALIVE)
            .shutdown_timeout(shutdown_timeout_seconds)
            .disable_signals()
            .listen(listener)?
            .run();
        Ok(server)
    }
}

/// Has the system close the connection of a client who reads nothing: what is sent to it is not acknowledged, or finds no
/// room. A worker cannot tell, since it waits for the client. On other systems than Linux, keep-alive alone ends it.
fn limit_unread(stream: &dyn Any) {
    #[cfg(target_os = "linux")]
    if let Some(stream) = stream.downcast_ref::<actix_web::rt::net::TcpStream>()
        && let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(UNREAD_TIMEOUT))
    {
        tracing::debug!(%error, "a connection has no limit for unread answers");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (stream, UNREAD_TIMEOUT);
}

/// SIGTERM, and Ctrl-C.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// The handlers stand when this returns.
    fn listen() -> std::io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Ends with the next one.
    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        drop(tokio::signal::ctrl_c().await);
    }
}

/// The interactive documentation: files within the binary, no network.
fn docs() -> SwaggerUi {
    let config = SwaggerConfig::new(["/v1/openapi.json"])
        .validator_url("none")
        .persist_authorization(true)
        .try_it_out_enabled(true)
        .default_models_expand_depth(0)
        .display_request_duration(true)
        .doc_expansion("none")
        .filter(true)
        .use_base_layout();
    SwaggerUi::new("/docs/{_:.*}").config(config)
}

/// What is changed in the files of Swagger UI: by their paths, what stands there and what is to stand there instead.
const ADAPTED: [(&[&str], &str, &str); 2] = [
    (&["/docs/", "/docs/index.html"], "<title>Swagger UI</title>", "<title>Wellmet API</title>"),
    (&["/docs/swagger-initializer.js"], "plugins: [", concat!("plugins: [\n", include_str!("swagger_ui.js"))),
];

/// Adapts the files of Swagger UI.
async fn adapted(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let change = ADAPTED.iter().find(|(paths, ..)| paths.contains(&request.path()));
    let response = next.call(request).await?.map_into_boxed_body();
    let Some((_, old, new)) = change.filter(|_| response.status() == StatusCode::OK) else { return Ok(response) };
    Ok(response.map_body(|_, body| match body.try_into_bytes() {
        Ok(file) => BoxBody::new(String::from_utf8_lossy(&file).replacen(old, new, 1)),
        Err(body) => body,
    }))
}

/// Tokens only, no cookies: any origin by default, and never with credentials.
fn cors(origins: &CorsOrigins) -> Cors {
    let cors = match origins {
        CorsOrigins::Any => Cors::default().allow_any_origin().send_wildcard(),
        CorsOrigins::List(origins) => {
            origins.iter().fold(Cors::default(), |cors, origin| cors.allowed_origin(origin))
        }
    };
    let exposed = ["ratelimit", "ratelimit-policy", "idempotent-replayed", "wellmet-write", "x-request-id"];
    let exposed = exposed.map(HeaderName::from_static).into_iter();
    let told = [header::CONTENT_LOCATION, header::ETAG, header::LINK, header::LOCATION, header::RETRY_AFTER];
    cors.allowed_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_any_header()
        .expose_headers(exposed.chain(told))
        .max_age(7200)
}

/// What sends e-mails, if the settings say how.
fn mailer(config: &Config, unsubscribe: &UnsubscribeTokens) -> Result<Option<Mailer>, StartError> {
    let transport = match (config.mail_transport, &config.smtp_url, &config.mail_dir) {
        (MailTransport::Smtp, Some(url), _) => Transport::smtp(url.expose_secret()).map_err(|error| {
            ConfigError::Invalid { variable: "SMTP_URL".to_owned(), fault: format!("cannot be used: {error}") }
        })?,
        (MailTransport::File, _, Some(folder)) => Transport::File(folder.clone()),
        _ => return Ok(None),
    };
    let (Some(from), Some(public_url)) = (&config.mail_from, &config.public_url) else { return Ok(None) };
    let links = Links {
        public_url: public_url.clone(),
        password_reset_url: config.password_reset_url.clone(),
        unsubscribe: unsubscribe.clone(),
    };
    Ok(Some(Mailer::new(transport, from.clone(), links)))
}

/// How often what is no longer needed is forgotten.
const TIDY_EVERY: Duration = Duration::from_secs(10);

async fn tidy(api: Data<Api>) {
    loop {
        tokio::time::sleep(TIDY_EVERY).await;
        api.limits.tidy();
        // It takes a millisecond or more.
        let _ = tokio::task::spawn_blocking(memory::give_back).await;
    }
}

/// The key that signs: the one that is given, else on PostgreSQL the database's, on SQLite a file's beside it.
fn signing_key(config: &Config, store: &Store) -> Result<SecretString, StartError> {
    if let Some(key) = &config.signing_key {
        return Ok(key.clone());
    }
    match (&config.signing_key_file, &config.database, store.shared_signing_key()) {
        (Some(path), _, _) => {
            check_private(path)?;
            let invalid = |fault: String| ConfigError::Invalid { variable: "SIGNING_KEY_FILE".to_owned(), fault };
            let text = fs::read_to_string(path)
                .map_err(|error| invalid(format!("cannot be read from {}: {error}", path.display())))?;
            Ok(parse_signing_key(&text).map_err(|fault| invalid(fault.to_string()))?)
        }
        (None, _, Some(shared)) => Ok(shared.clone()),
        (None, Database::Sqlite { path }, None) => {
            let beside = path.with_extension("key");
            let file = if beside == *path { path.with_extension("key.key") } else { beside };
            if !file.exists() {
                make_key(&file, store)?;
            }
            check_private(&file)?;
            let text = fs::read_to_string(&file).map_err(|error| unusable(&file, &error))?;
            parse_signing_key(&text).map_err(|error| unusable(&file, &error))
        }
        (None, Database::Postgres { .. }, None) => Err(StartError::Build("the database holds no key".to_owned())),
    }
}

/// Whoever reads the key can sign tokens for everybody.
fn check_private(path: &Path) -> Result<(), StartError> {
    #[cfg(unix)]
    {
        let mode = fs::metadata(path).map(|file| std::os::unix::fs::MetadataExt::mode(&file));
        if mode.is_ok_and(|mode| mode & 0o007 != 0) {
            return Err(unusable(path, &"every user of the machine can access it; run `chmod 600` on it"));
        }
    }
    Ok(())
}

fn make_key(path: &Path, store: &Store) -> Result<(), StartError> {
    use base64::Engine as _;
    let key: [u8; 32] = store.random().map_err(|error| unusable(path, &error))?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| unusable(path, &error))?;
    writeln!(file, "{}", base64::engine::general_purpose::STANDARD_NO_PAD.encode(key))
        .and_then(|()| file.sync_all())
        .map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, reason: &dyn std::fmt::Display) -> StartError {
    StartError::SigningKey { path: path.to_path_buf(), reason: reason.to_string() }
}
