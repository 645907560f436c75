//! Logs on stderr, never on stdout, and never what a library below us would spell out; and who reads
//! what is measured.
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::meter;

/// What is logged when nothing else is asked for.
const DEFAULT: &str = "warn";
/// Libraries that print whole messages, arguments or headers when asked for more than warnings.
const QUIET: &[&str] = &[
    "rmcp",
    "hyper",
    "hyper_util",
    "reqwest",
    "h2",
    "rustls",
    "sqlx",
    "sqlx_core",
    "sqlx_sqlite",
    "axum",
    "tower",
];

/// Starts measuring; what was measured is read from what this gives.
pub fn measure() -> PrometheusHandle {
    let builder = PrometheusBuilder::new();
    let durations = Matcher::Suffix(meter::SECONDS.to_owned());
    let builder = builder.set_buckets_for_metric(durations, &meter::BUCKETS);
    let recorder = builder.unwrap_or_default().build_recorder();
    let handle = recorder.handle();
    // A second start (tests) keeps the first.
    let _ = metrics::set_global_recorder(recorder);
    meter::describe();
    handle
}

/// Starts logging; `filter` is the value of `QFPAY_LOG`, `format` that of `QFPAY_LOG_FORMAT`. What
/// cannot be read of them is told, and the default holds.
pub fn start(filter: Option<&str>, format: Option<&str>) {
    let asked = filter.filter(|it| !it.trim().is_empty()).unwrap_or(DEFAULT);
    let parsed = EnvFilter::try_new(asked);
    let problem = parsed.as_ref().err().map(ToString::to_string);
    // A ceiling rather than a directive: a more specific directive would win over one.
    let ceiling = filter_fn(|it| {
        let library = it.target().split(|c: char| !c.is_alphanumeric() && c != '_').next();
        let most = match library {
            // It tells what it does not understand of a database's address, a password for one.
            Some("sqlx_postgres") => LevelFilter::ERROR,
            Some(name) if QUIET.contains(&name) => LevelFilter::WARN,
            Some(_) | None => LevelFilter::TRACE,
        };
        *it.level() <= most
    });
    let filter = parsed.unwrap_or_else(|_| EnvFilter::new(DEFAULT)).and(ceiling);
    let text = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    let to_stderr = match format {
        Some("json") => text.json().flatten_event(true).with_span_list(false).boxed(),
        _ => text.boxed(),
    };
    let to_stderr = to_stderr.with_filter(filter);
    // A second start (tests) keeps the first.
    let _ = tracing_subscriber::registry().with(to_stderr).try_init();
    if let Some(format) = format.filter(|it| !["json", "text"].contains(it)) {
        tracing::warn!(%format, "QFPAY_LOG_FORMAT is not text or json; logging text");
    }
    if let Some(problem) = problem {
        tracing::warn!(%problem, "QFPAY_LOG cannot be read; logging at `{DEFAULT}`");
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        // The message is left out: it can hold what was being worked on.
        tracing::error!(%place, "the program failed; please report this place");
    }));
}
