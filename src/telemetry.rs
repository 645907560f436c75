//! Logs on stderr, never on stdout, and never what a library below us would spell out.
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

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

/// Starts logging; `filter` is the value of `QFPAY_LOG`. A filter that cannot be read is told, and
/// the default holds.
pub fn start(filter: Option<&str>) {
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
    let to_stderr = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_filter(filter);
    // A second start (tests) keeps the first.
    let _ = tracing_subscriber::registry().with(to_stderr).try_init();
    if let Some(problem) = problem {
        tracing::warn!(%problem, "QFPAY_LOG cannot be read; logging at `{DEFAULT}`");
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        // The message is left out: it can hold what was being worked on.
        tracing::error!(%place, "the program failed; please report this place");
    }));
}
