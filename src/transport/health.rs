//! What a probe, a monitor, or a person with a browser gets from a server that is meant for programs.
//! It knows the names of the routes, and nothing of what they do.
use std::{fmt, future::Future, pin::Pin, sync::Arc};

use axum::{
    Json,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, HOST},
    },
    response::{IntoResponse, Response},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// A question to the layers below: a text, or why there is none.
pub type Question =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<String, String>> + Send>> + Send + Sync>;

/// What probes and monitors ask.
#[derive(Clone)]
pub struct Probes {
    /// Whether the ledger can be reached.
    pub ready: Question,
    /// All figures, as Prometheus reads them.
    pub figures: Question,
}

impl fmt::Debug for Probes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probes").finish_non_exhaustive()
    }
}

/// Nothing to ask: always ready, no figures.
impl Default for Probes {
    fn default() -> Self {
        let nothing: Question = Arc::new(|| Box::pin(std::future::ready(Ok(String::new()))));
        Self { ready: nothing.clone(), figures: nothing }
    }
}

/// What [`readyz`] and [`metrics()`] decide by.
#[derive(Debug, Clone)]
pub(super) struct Health {
    pub(super) probes: Probes,
    /// Whether whoever asks may be told why.
    pub(super) tells: bool,
    /// The server takes nothing new that moves money.
    pub(super) draining: CancellationToken,
}

/// `GET /healthz`: the process answers. It asks neither the ledger nor QFPay.
pub(super) async fn healthz() -> impl IntoResponse {
    Json(json!({ "status": "ok" }))
}

/// `GET /readyz`: calls are welcome here.
pub(super) async fn readyz(State(health): State<Health>) -> Response {
    let not = |status: &str, why: String| {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": status, "why": why })))
            .into_response()
    };
    if health.draining.is_cancelled() {
        return not("draining", "the server is about to end".to_owned());
    }
    match (health.probes.ready)().await {
        Ok(_) => Json(json!({ "status": "ready" })).into_response(),
        Err(why) => {
            tracing::warn!(%why, "not ready");
            not("not_ready", if health.tells { why } else { "see the log".to_owned() })
        }
    }
}

/// `GET /metrics`
pub(super) async fn metrics(State(health): State<Health>) -> Response {
    match (health.probes.figures)().await {
        Ok(text) => {
            ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
        }
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

/// `GET /`: where to point a program.
pub(super) async fn home(headers: HeaderMap) -> String {
    welcome(&headers)
}

/// `GET /mcp` by something that does not read a stream of events, such as a browser.
pub(super) fn not_for_browsers(headers: &HeaderMap) -> Response {
    (StatusCode::NOT_ACCEPTABLE, welcome(headers)).into_response()
}

/// Any other path.
pub(super) async fn nothing_here(headers: HeaderMap) -> Response {
    (StatusCode::NOT_FOUND, format!("There is nothing at this path.\n\n{}", welcome(&headers)))
        .into_response()
}

/// The address in it is the one that was used to come here; the guard let only ours through.
fn welcome(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    format!(
        "qfpay-mcp: payments at QFPay for AI agents, over the Model Context Protocol.\n\
         This address is for programs. Give your MCP client one of these paths on {host}:\n\n\
         /mcp      streamable HTTP; what clients of today speak\n\
         /sse      HTTP with SSE; for clients of 2024-11-05\n\n\
         /healthz  says whether the server runs, /readyz whether it takes calls\n"
    )
}
