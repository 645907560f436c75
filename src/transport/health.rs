//! What a probe, or a person with a browser, gets from a server that is meant for programs. It knows
//! the names of the routes, and nothing of what they do.
use axum::{
    Json,
    http::{HeaderMap, StatusCode, header::HOST},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// `GET /healthz`: the process answers. It asks neither the ledger nor QFPay.
pub(super) async fn healthz() -> impl IntoResponse {
    Json(json!({ "status": "ok" }))
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
         This address is for programs. Give your MCP client one of:\n\n\
         http://{host}/mcp      streamable HTTP; what clients of today speak\n\
         http://{host}/sse      HTTP with SSE; for clients of 2024-11-05\n\n\
         http://{host}/healthz  says whether the server runs\n"
    )
}
