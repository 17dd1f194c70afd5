//! What is counted while the server runs, for `GET /metrics`. What it means and where it is counted is up to the callers.

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};

/// The media type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The metrics of one server.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    job_runs: IntCounterVec,
    job_seconds: HistogramVec,
}

/// What is not counted but read when the metrics are asked for.
pub struct Readings {
    /// By kind and state.
    pub jobs: Vec<(String, String, i64)>,
    /// By pool and state.
    pub connections: Vec<(&'static str, &'static str, i64)>,
    pub writers: i64,
    pub changes: u64,
}

/// How a run of a job ended.
#[derive(Debug, Clone, Copy)]
pub enum JobOutcome {
    Done,
    Failed,
    Dead,
    LeaseLost,
}

impl JobOutcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::LeaseLost => "lease_lost",
        }
    }
}

impl Metrics {
    pub fn new() -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let histogram =
            |name: &str, help: &str, labels: &[&str]| HistogramVec::new(HistogramOpts::new(name, help), labels);
        let metrics = Self {
            registry: Registry::new(),
            requests: counter(
                "wellmet_http_requests_total",
                "HTTP requests answered by this server.",
                &["method", "route", "status"],
            )?,
            request_seconds: histogram(
                "wellmet_http_request_duration_seconds",
                "Time until the head of the response.",
                &["method", "route"],
            )?,
            job_runs: counter(
                "wellmet_job_runs_total",
                "Runs of jobs on this server, by how they ended.",
                &["kind", "outcome"],
            )?,
            job_seconds: histogram(
                "wellmet_job_duration_seconds",
                "Duration of runs of jobs on this server.",
                &["kind"],
            )?,
        };
        let registry = &metrics.registry;
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.request_seconds.clone()))?;
        registry.register(Box::new(metrics.job_runs.clone()))?;
        registry.register(Box::new(metrics.job_seconds.clone()))?;
        Ok(metrics)
    }

    /// Counts a request. The labels have few values: the route is a template, never a path.
    pub fn count_request(&self, method: &str, route: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[method, route, &status.to_string()]).inc();
        self.request_seconds.with_label_values(&[method, route]).observe(took.as_secs_f64());
    }

    /// Counts a run of a job.
    pub fn count_job(&self, kind: &str, outcome: JobOutcome, took: Duration) {
        self.job_runs.with_label_values(&[kind, outcome.as_str()]).inc();
        self.job_seconds.with_label_values(&[kind]).observe(took.as_secs_f64());
    }

    /// The metrics in Prometheus's text format, with what is read at this moment.
    pub fn render(&self, read: &Readings) -> Result<Vec<u8>, prometheus::Error> {
        let gauge = |name: &str, help: &str, labels: &[&str]| IntGaugeVec::new(Opts::new(name, help), labels);
        // New ones each time: of kinds and states that are gone, nothing is left.
        let jobs =
            gauge("wellmet_jobs", "Jobs in the queue, which all servers share, by state.", &["kind", "state"])?;
        for (kind, state, count) in &read.jobs {
            jobs.with_label_values(&[kind, state]).set(*count);
        }
        let connections = gauge(
            "wellmet_database_connections",
            "Open connections of this server to the database.",
            &["pool", "state"],
        )?;
        for (pool, state, count) in &read.connections {
            connections.with_label_values(&[pool, state]).set(*count);
        }
        let writers = gauge(
            "wellmet_writers",
            "Writes on this server that wait for their turn in a workspace, or have it.",
            &[],
        )?;
        writers.with_label_values::<&str>(&[]).set(read.writers);
        let changes = IntCounter::new("wellmet_changes_total", "Changes of records logged by this server.")?;
        changes.inc_by(read.changes);
        let mut families = self.registry.gather();
        families.extend([jobs.collect(), connections.collect(), writers.collect(), changes.collect()].concat());
        families.retain(|family| !family.get_metric().is_empty());
        let mut text = Vec::new();
        TextEncoder::new().encode(&families, &mut text)?;
        Ok(text)
    }
}
