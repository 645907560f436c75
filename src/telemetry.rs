//! Logs on stderr, never on stdout, and never what a library below us would spell out; who reads
//! what is measured; where traces go.
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
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
    "opentelemetry",
    "opentelemetry_sdk",
    "opentelemetry_otlp",
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

/// The spans that are sent to a collector.
#[derive(Debug)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Sends what was gathered; waits for the collector, some seconds at most.
    pub async fn flush(self) {
        let Some(provider) = self.0 else { return };
        let flushed = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        if let Ok(Err(error)) = flushed {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Gathers spans for the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names; the library reads that
/// and the other `OTEL_…` variables by itself.
fn traces(service: String) -> Result<SdkTracerProvider, String> {
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_http().build();
    let exporter = exporter.map_err(|it| it.to_string())?;
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_service_name(service).with_attribute(version).build();
    Ok(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build())
}

/// What an operator decided about what is told.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The value of `QFPAY_LOG`.
    pub filter: Option<String>,
    /// That of `QFPAY_LOG_FORMAT`.
    pub format: Option<String>,
    /// Whether there is a collector of traces.
    pub traces: bool,
    /// Our name there.
    pub service: Option<String>,
}

/// Starts logging, and gathering traces. What cannot be read of the settings is told, and the
/// default holds.
pub fn start(settings: Settings) -> Traces {
    let (filter, format) = (settings.filter.as_deref(), settings.format.as_deref());
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
        Some("json") => {
            text.json().flatten_event(true).with_current_span(false).with_span_list(true).boxed()
        }
        _ => text.boxed(),
    };
    let to_stderr = to_stderr.with_filter(filter);
    let service = settings.service.unwrap_or_else(|| "qfpay-mcp".to_owned());
    let traces = settings.traces.then(|| traces(service)).transpose();
    let provider = traces.as_ref().ok().and_then(Option::as_ref);
    // Our own spans, whatever is logged; a library's might hold what was sent.
    let ours = filter_fn(|it| {
        it.is_span() && it.target().starts_with("qfpay_mcp") && *it.level() <= LevelFilter::INFO
    });
    let registry = tracing_subscriber::registry().with(to_stderr);
    // A second start (tests) keeps the first. A layer that is `None` would want every span.
    let _ = match provider.map(|it| it.tracer("qfpay-mcp")) {
        Some(collector) => {
            let spans = tracing_opentelemetry::layer().with_tracer(collector);
            registry.with(spans.with_filter(ours)).try_init()
        }
        None => registry.try_init(),
    };
    if let Err(problem) = &traces {
        tracing::warn!(%problem, "traces cannot be sent; check the OTEL_ variables");
    }
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
    Traces(traces.ok().flatten())
}
