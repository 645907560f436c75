//! Who may talk to the server: programs, and pages that were named, under one of the server's own
//! names. It knows the two headers that tell, and no route.
//!
//! A web page anywhere can make a browser send requests to 127.0.0.1. `Origin` names the page, and
//! `Host` the name it used, which is the page's own where DNS was turned against us ("rebinding").
//! MCP asks for both checks (<https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>).
use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{HOST, ORIGIN},
    },
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::site::Site;

/// Why a request was turned away. The text goes to whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error(
        "Forbidden: the request came without a Host header; send one of {0}, with or without a port."
    )]
    NoHost(String),
    #[error(
        "Forbidden: the request is for the host {0}, but this server answers only as {1} (any \
         port); use one of these in the URL."
    )]
    Host(String, String),
    #[error(
        "Forbidden: the request comes from a page of the origin {0}, but this server answers only \
         programs, and pages that its operator named; call it from a program, without an Origin \
         header, or let the operator add the origin to QFPAY_ALLOWED_ORIGINS."
    )]
    Origin(String),
}

/// Lets a request through, or answers it with 403 and the reason; for all routes.
pub(super) async fn check(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    match judge(&site, request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refused) => {
            tracing::warn!(path = request.uri().path(), "{refused}");
            (StatusCode::FORBIDDEN, format!("{refused}\n")).into_response()
        }
    }
}

fn judge(site: &Site, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
    let is = |bytes: &[u8], ours: fn(&Site, &str) -> bool| {
        std::str::from_utf8(bytes).is_ok_and(|it| ours(site, it))
    };
    let mut named = false;
    // A request line with a whole URL names the host as well, and counts before the header.
    for host in uri
        .authority()
        .map(|authority| authority.as_str().as_bytes())
        .into_iter()
        .chain(headers.get_all(HOST).iter().map(HeaderValue::as_bytes))
    {
        named = true;
        if !is(host, Site::is_host) {
            return Err(Refused::Host(quoted(host), site.names()));
        }
    }
    if !named {
        return Err(Refused::NoHost(site.names()));
    }
    for origin in headers.get_all(ORIGIN).iter().map(HeaderValue::as_bytes) {
        if !is(origin, Site::is_origin) {
            return Err(Refused::Origin(quoted(origin)));
        }
    }
    Ok(())
}

/// What came, in backticks: printable, and short enough for an answer and a log line.
fn quoted(bytes: &[u8]) -> String {
    const MOST: usize = 100;
    let shown = bytes.get(..MOST).unwrap_or(bytes).escape_ascii();
    let more = if bytes.len() > MOST { "…" } else { "" };
    format!("`{shown}`{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn local() -> Site {
        Site { local: true, ..Site::default() }
    }

    fn verdict(lines: &[(&'static str, &str)]) -> Result<(), Refused> {
        judge(&local(), &Uri::from_static("/mcp"), &headers(lines))
    }

    #[test]
    fn this_machine_is_three_names_with_any_port() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "localhost",
            "LocalHost:1",
            "localhost:65535",
            "[::1]",
            "[::1]:8080",
        ] {
            assert_eq!(verdict(&[("host", host)]), Ok(()), "{host}");
        }
    }

    #[test]
    fn any_other_host_is_refused() {
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost@evil.example",
            "evil.example@localhost",
            "localhost:",
            "localhost:80:80",
            "localhost:65536",
            "localhost:+80",
            "localhost.",
            " localhost",
            "::1",
            "[::1]evil",
            "0.0.0.0",
            "",
        ] {
            assert!(matches!(verdict(&[("host", host)]), Err(Refused::Host(..))), "{host}");
        }
    }

    #[test]
    fn a_request_without_a_host_is_refused() {
        assert!(matches!(verdict(&[]), Err(Refused::NoHost(_))));
    }

    #[test]
    fn every_host_that_a_request_names_counts() {
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert!(matches!(verdict(&two), Err(Refused::Host(..))));
        let whole = Uri::from_static("http://evil.example/mcp");
        let host = headers(&[("host", "localhost")]);
        assert!(matches!(judge(&local(), &whole, &host), Err(Refused::Host(..))));
    }

    #[test]
    fn a_page_of_this_machine_may_call() {
        for origin in ["http://localhost:6274", "https://127.0.0.1", "http://[::1]:3000"] {
            assert_eq!(verdict(&[("host", "localhost"), ("origin", origin)]), Ok(()), "{origin}");
        }
    }

    #[test]
    fn any_other_page_is_refused() {
        for origin in [
            "null",
            "",
            "https://evil.example",
            "http://localhost.evil.example",
            "http://evil.example:80#localhost",
            "http://localhost@evil.example",
            "http://localhost/",
            "localhost",
            "file://localhost",
        ] {
            let came = verdict(&[("host", "localhost"), ("origin", origin)]);
            assert!(matches!(came, Err(Refused::Origin(_))), "{origin}");
        }
        let two = [("host", "localhost"), ("origin", "http://localhost"), ("origin", "null")];
        assert!(matches!(verdict(&two), Err(Refused::Origin(_))));
    }

    #[test]
    fn a_refusal_says_what_came_and_what_is_allowed() {
        let said = |lines: &[(&'static str, &str)]| verdict(lines).unwrap_err().to_string();
        insta::assert_snapshot!(said(&[("host", "evil.example")]), @"Forbidden: the request is for the host `evil.example`, but this server answers only as 127.0.0.1, localhost, [::1] (any port); use one of these in the URL.");
        insta::assert_snapshot!(said(&[("host", "localhost"), ("origin", "https://evil")]), @"Forbidden: the request comes from a page of the origin `https://evil`, but this server answers only programs, and pages that its operator named; call it from a program, without an Origin header, or let the operator add the origin to QFPAY_ALLOWED_ORIGINS.");
        insta::assert_snapshot!(said(&[]), @"Forbidden: the request came without a Host header; send one of 127.0.0.1, localhost, [::1], with or without a port.");
    }

    #[test]
    fn what_came_is_quoted_in_part() {
        assert_eq!(quoted(&[b'e'; 200]), format!("`{}`…", "e".repeat(100)));
    }
}
