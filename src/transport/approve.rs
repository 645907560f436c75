//! The page on which an operator approves a payment or refund: behind their own login, for one
//! question, once. It knows what is shown, and nothing of what it means.
//!
//! A page of another site cannot press its buttons: the form carries a word that only this page
//! shows, and no site may frame it.
use axum::{
    Extension, Form, Router,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderValue, StatusCode, header},
    middleware,
    response::{Html, IntoResponse as _, Response},
    routing::get,
};
use serde::Deserialize;

use super::login::{self, Operator, Operators};
use crate::mcp::{Approval, ApprovalState, Decided, Merchants, Server};

const CSS: &str = include_str!("approve.css");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";
/// Longer than any form of ours.
const MAX_FORM: usize = 1024;

/// The routes, for the questions of all `merchants`.
pub fn router(merchants: Merchants, operators: Operators) -> Router {
    Router::new()
        .route("/approve", get(list))
        .route("/approve/{code}", get(show).post(decide))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(middleware::from_fn_with_state(operators, login::check))
        .layer(middleware::map_response(guarded))
        .with_state(merchants)
}

/// What every answer is sent with.
async fn guarded(mut response: Response) -> Response {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With none at all a browser sends its own forms as those of a stranger (`Origin: null`).
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn list(State(merchants): State<Merchants>) -> Response {
    let Ok(waiting) = merchants.waiting().await else { return broken() };
    // Addresses that hold below any path a proxy puts before them.
    let row = |it: &Approval| {
        let (terms, code) = (text(&it.question.brief()), text(&it.code));
        format!("<li><a href=\"approve/{code}\">{terms}</a> <span>{code}</span></li>")
    };
    let rows = waiting.iter().map(row).collect::<Vec<_>>().concat();
    let body = if rows.is_empty() {
        "<p>Nothing waits for a person.</p>".to_owned()
    } else {
        format!("<ul>{rows}</ul>")
    };
    page(StatusCode::OK, "Waiting for a person", &body)
}

async fn show(State(merchants): State<Merchants>, Path(code): Path<String>) -> Response {
    match merchants.approval(&code).await {
        Ok(Some((server, approval))) => shown(server, &approval),
        Ok(None) => nothing(),
        Err(_) => broken(),
    }
}

/// What the form sends.
#[derive(Debug, Deserialize)]
struct Pressed {
    nonce: String,
    decision: String,
}

async fn decide(
    State(merchants): State<Merchants>,
    Extension(Operator(operator)): Extension<Operator>,
    Path(code): Path<String>,
    Form(pressed): Form<Pressed>,
) -> Response {
    let (server, approval) = match merchants.approval(&code).await {
        Ok(Some(found)) => found,
        Ok(None) => return nothing(),
        Err(_) => return broken(),
    };
    if approval.nonce.is_empty() || pressed.nonce != approval.nonce {
        let body = "<p>This did not come from the page that was shown. Open it again.</p>";
        return page(StatusCode::FORBIDDEN, "Not taken", body);
    }
    let approve = match pressed.decision.as_str() {
        "approve" => true,
        "decline" => false,
        _ => return page(StatusCode::BAD_REQUEST, "Not taken", "<p>Approve or decline.</p>"),
    };
    match server.decide(&operator, &code, approve).await {
        Ok(Decided::Done(approval) | Decided::Over(Some(approval))) => shown(server, &approval),
        Ok(Decided::Over(None)) => nothing(),
        Err(_) => broken(),
    }
}

/// The terms, and the buttons while somebody can still decide.
fn shown(server: &Server, approval: &Approval) -> Response {
    let lines = approval.question.lines.iter();
    let rows = lines.map(|(name, it)| format!("<dt>{}</dt><dd>{}</dd>", text(name), text(it)));
    let rows = rows.collect::<Vec<_>>().concat();
    let by = approval.decided_by.as_deref().unwrap_or("somebody");
    let until = server.local(approval.expires_at);
    let (title, end) = match approval.state {
        ApprovalState::Waiting if server.waits(approval) => {
            let form = format!(
                "<form method=post><input type=hidden name=nonce value=\"{}\">\
                 <button name=decision value=decline>Decline</button>\
                 <button class=yes name=decision value=approve>Approve</button></form>\
                 <p class=soft>Asked by {}. Until {until}. Exactly this, once.</p>",
                text(&approval.nonce),
                text(&approval.asked_by)
            );
            ("An AI agent asks for this. Is it right?", form)
        }
        ApprovalState::Waiting => {
            ("It expired", "<p class=soft>Nobody decided; the agent can ask again.</p>".to_owned())
        }
        ApprovalState::Approved => {
            let text = format!(
                "<p class=soft>By {}. The agent may do exactly this, once, until {until}.</p>",
                text(by)
            );
            ("Approved", text)
        }
        ApprovalState::Declined => {
            ("Declined", format!("<p class=soft>By {}. No money moves.</p>", text(by)))
        }
        ApprovalState::Used => {
            ("Carried out", format!("<p class=soft>Approved by {}.</p>", text(by)))
        }
        ApprovalState::Lapsed => (
            "It expired",
            "<p class=soft>It came to nothing; the agent can ask again.</p>".to_owned(),
        ),
        ApprovalState::Asked => {
            ("Not here", "<p class=soft>The agent's client asks the person itself.</p>".to_owned())
        }
    };
    page(StatusCode::OK, title, &format!("<dl>{rows}</dl>{end}"))
}

fn nothing() -> Response {
    let body = "<p>Nothing waits under this code. <a href=\"../approve\">What waits</a></p>";
    page(StatusCode::NOT_FOUND, "Not found", body)
}

fn broken() -> Response {
    let body = "<p>The ledger cannot be read now. Nothing was decided.</p>";
    page(StatusCode::SERVICE_UNAVAILABLE, "Not now", body)
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title>\
         <meta name=viewport content=\"width=device-width,initial-scale=1\"><style>{CSS}</style>\
         </head><body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    (status, Html(html)).into_response()
}

/// Text from outside, as HTML text or inside a quoted attribute.
fn text(text: &str) -> String {
    html_escape::encode_quoted_attribute(text).into_owned()
}
