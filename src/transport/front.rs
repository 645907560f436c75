//! What happens to every request first: where it came from is found out, and it gets a name under
//! which the logs tell of it. It knows no route.
use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tracing::Instrument as _;

use super::{lines::Line, site::Site};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest name that a proxy may give a request.
const LONGEST: usize = 64;

/// Names a request, and turns away what came in plain over a network.
pub(super) async fn receive(
    State(site): State<Arc<Site>>,
    mut request: Request,
    next: Next,
) -> Response {
    let line = request.extensions().get::<Line>().cloned().unwrap_or_default();
    let trusted = site.is_proxy(line.peer);
    if !line.secure && !trusted {
        let text = "Forbidden: this server takes plain HTTP only from its own proxies; use https, or \
                    let its operator add your network to QFPAY_TRUSTED_PROXIES.\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    // Proxies add to the line, or add lines.
    let forwarded = request.headers().get_all(&FORWARDED_FOR).iter();
    let forwarded: Vec<&str> = forwarded.filter_map(|it| it.to_str().ok()).collect();
    let client = site.client(line.peer, &forwarded.join(","));
    let given = Some(header(request.headers(), &REQUEST_ID)).filter(|it| trusted && is_name(it));
    let id = given.map_or_else(|| hex::encode(rand::random::<[u8; 8]>()), str::to_owned);
    // Whoever writes of this request later finds the same name.
    let Ok(value) = HeaderValue::from_str(&id) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    request.headers_mut().insert(REQUEST_ID, value.clone());
    let path = request.uri().path();
    let span = tracing::info_span!("request", %id, %client, method = %request.method(), path);
    let headers = request.headers();
    let (parent, state) = (header(headers, &TRACEPARENT), header(headers, &TRACESTATE));
    // A caller's own trace is told in the message, by whoever may send one.
    let parent = Some(parent).filter(|it| trusted && !it.is_empty());
    crate::meter::continues(&span, parent, Some(state));
    // Where messages are served in tasks of their own they find it here.
    request.extensions_mut().insert(span.clone());
    let mut response = next.run(request).instrument(span).await;
    response.headers_mut().insert(REQUEST_ID, value);
    response
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default()
}

fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=LONGEST).contains(&text.len()) && text.chars().all(fits)
}
