//! What is measured, each under one name, and whose trace a span continues. Nothing is written down
//! until something reads it.
use std::{collections::HashMap, time::Duration};

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

const CALLS: &str = "qfpay_mcp_calls_total";
const CALL_SECONDS: &str = "qfpay_mcp_call_seconds";
const UPSTREAM: &str = "qfpay_mcp_upstream_requests_total";
const UPSTREAM_SECONDS: &str = "qfpay_mcp_upstream_seconds";
const PACE_SECONDS: &str = "qfpay_mcp_pace_wait_seconds";
const PACE_REFUSED: &str = "qfpay_mcp_pace_refused_total";
const IN_DOUBT: &str = "qfpay_mcp_in_doubt";
const RECOVERY_LAG: &str = "qfpay_mcp_recovery_lag_seconds";
const SESSIONS: &str = "qfpay_mcp_sessions";
const FOLLOWED: &str = "qfpay_mcp_followed_orders";
const RELOADED: &str = "qfpay_mcp_last_reload_right";
const DENIED: &str = "qfpay_mcp_denied_total";

/// What every name ends with whose figures are durations.
pub const SECONDS: &str = "_seconds";
/// The upper ends of what durations are sorted into.
pub const BUCKETS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Tells what each name means, to whoever reads the figures.
pub fn describe() {
    describe_counter!(CALLS, "Calls of tools, by tool and outcome");
    describe_histogram!(CALL_SECONDS, "How long calls of tools took, by tool");
    describe_counter!(
        UPSTREAM,
        "Requests to QFPay, by endpoint and response code, or why there is none"
    );
    describe_histogram!(UPSTREAM_SECONDS, "How long QFPay took to answer, by endpoint");
    describe_histogram!(PACE_SECONDS, "How long requests waited for their turn in QFPay's limits");
    describe_counter!(PACE_REFUSED, "Requests that got no turn in time");
    describe_gauge!(IN_DOUBT, "Payments and refunds in doubt, by merchant");
    describe_gauge!(
        RECOVERY_LAG,
        "How long ago the oldest was asked for that left and is not known, by merchant"
    );
    describe_gauge!(SESSIONS, "Open sessions, by transport");
    describe_gauge!(FOLLOWED, "Orders that clients subscribed to");
    describe_gauge!(RELOADED, "Whether the last SIGHUP could be followed: 1 or 0");
    describe_counter!(DENIED, "Requests that authentication did not let through, by reason");
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Refused,
    /// A person is asked first.
    Asked,
    /// Nobody knows yet what became of it.
    InDoubt,
    Failed,
}

impl Outcome {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Asked => "asked",
            Self::InDoubt => "in_doubt",
            Self::Failed => "failed",
        }
    }
}

/// A tool ran.
pub fn ran(tool: &'static str, outcome: Outcome, time: Duration) {
    counter!(CALLS, "tool" => tool, "outcome" => outcome.name()).increment(1);
    histogram!(CALL_SECONDS, "tool" => tool).record(time.as_secs_f64());
}

/// QFPay was asked; `code` is its answer's, or a word for why there is none.
pub fn asked(endpoint: &'static str, code: &'static str, time: Duration) {
    counter!(UPSTREAM, "endpoint" => endpoint, "code" => code).increment(1);
    histogram!(UPSTREAM_SECONDS, "endpoint" => endpoint).record(time.as_secs_f64());
}

/// A request had its turn in the pace, or none in time.
pub fn paced(waited: Duration, had_turn: bool) {
    histogram!(PACE_SECONDS).record(waited.as_secs_f64());
    if !had_turn {
        counter!(PACE_REFUSED).increment(1);
    }
}

/// So many of a merchant are in doubt, the oldest for so long.
pub fn doubts(merchant: &str, count: usize, oldest: Duration) {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    gauge!(IN_DOUBT, "merchant" => merchant.to_owned()).set(f64::from(count));
    gauge!(RECOVERY_LAG, "merchant" => merchant.to_owned()).set(oldest.as_secs_f64());
}

/// So many sessions are open.
pub fn sessions(transport: &'static str, count: usize) {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    gauge!(SESSIONS, "transport" => transport).set(f64::from(count));
}

/// So many orders are followed by subscribers.
pub fn followed(count: usize) {
    gauge!(FOLLOWED).set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
}

/// Tokens and certificates were read again, or could not be.
pub fn reloaded(right: bool) {
    gauge!(RELOADED).set(if right { 1.0 } else { 0.0 });
}

/// Authentication let a request not through.
pub fn denied(reason: &'static str) {
    counter!(DENIED, "reason" => reason).increment(1);
}

/// Makes `span` the continuation of a caller's trace (W3C Trace Context), if they told one.
pub fn continues(span: &Span, traceparent: Option<&str>, tracestate: Option<&str>) {
    let Some(traceparent) = traceparent else { return };
    let mut told = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    told.extend(tracestate.map(|it| ("tracestate".to_owned(), it.to_owned())));
    // Without a collector there is nothing to continue.
    let _ = span.set_parent(TraceContextPropagator::new().extract(&told));
}
