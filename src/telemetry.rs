//! The log: lines on standard error, as text or JSON. What is logged is up to the callers.

use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing_subscriber::filter::{EnvFilter, LevelFilter, ParseError, filter_fn};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{Config, LogFormat};

/// Sends the log of this process, and what libraries write through the `log` crate, to standard error.
/// The second call in one process fails and changes nothing.
pub fn init(config: &Config) -> Result<(), TelemetryError> {
    subscriber(config, io::stderr().is_terminal(), io::stderr)?.try_init()?;
    Ok(())
}

/// Colours only on a terminal, and never where NO_COLOR is set.
fn subscriber<W>(
    config: &Config,
    is_terminal: bool,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&config.log_filter)?;
    // Anybody can send what is no HTTP, as often as they like; the framework logs it as an error.
    let is_detailed = filter.max_level_hint().is_none_or(|level| level >= LevelFilter::DEBUG);
    let registry = tracing_subscriber::registry()
        .with(filter)
        .with(filter_fn(move |event| is_detailed || !event.target().starts_with("actix_http::h1")));
    Ok(match config.log_format {
        LogFormat::Text => {
            // The layer reads NO_COLOR itself, and `with_ansi(true)` would overrule it.
            let layer = fmt::layer().with_writer(writer);
            Box::new(registry.with(if is_terminal { layer } else { layer.with_ansi(false) }))
        }
        LogFormat::Json => Box::new(
            registry.with(fmt::layer().with_writer(writer).json().flatten_event(true).with_span_list(false)),
        ),
    })
}

/// Why the log cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("invalid log filter: {0}")]
    Filter(#[from] ParseError),
    #[error("the log is already set up: {0}")]
    AlreadySetUp(#[from] TryInitError),
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What the log holds after a request's span with one event of each level in it.
    fn logged(log_format: LogFormat, log_filter: &str) -> String {
        let config = Config { log_format, log_filter: log_filter.to_owned(), ..Config::for_test("sqlite://x.db") };
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber = subscriber(&config, false, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            let _request = tracing::info_span!("request", request_id = "r1").entered();
            tracing::debug!("A detail.");
            tracing::info!(port = 8080, "The server listens.");
            tracing::error!(target: "actix_http::h1::dispatcher", "stream error: no HTTP");
            tracing::warn!("The disk\nis nearly \u{1b}[31mfull.");
        });
        let bytes = sink.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_is_one_object_a_line_with_its_fields_and_its_request() {
        let log = logged(LogFormat::Json, "info");
        let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["level"], "INFO");
        assert_eq!(lines[0]["message"], "The server listens.");
        assert_eq!(lines[0]["port"], 8080);
        assert_eq!(lines[0]["span"]["request_id"], "r1");
    }

    #[test]
    fn text_that_goes_to_no_terminal_has_no_escapes() {
        let log = logged(LogFormat::Text, "info");
        assert!(log.contains("The server listens."), "{log}");
        assert!(log.contains("request_id"), "{log}");
        assert!(!log.contains('\u{1b}'), "{log}");
    }

    #[test]
    fn the_filter_decides_what_is_written() {
        assert!(logged(LogFormat::Text, "debug").contains("A detail."));
        assert!(logged(LogFormat::Text, "debug").contains("no HTTP"));
        assert!(!logged(LogFormat::Text, "info").contains("no HTTP"), "a client could fill the log with it");
        assert!(!logged(LogFormat::Text, "warn").contains("The server listens."));
        assert_eq!(logged(LogFormat::Text, "off"), "");
        assert_eq!(logged(LogFormat::Text, "info,wellmet=off"), "");
    }
}
