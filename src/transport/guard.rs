//! Who may talk to a server on this machine: programs on it, under one of its own names. It knows
//! the two headers that tell, and no route.
//!
//! A web page anywhere can make a browser send requests to 127.0.0.1. `Origin` names the page, and
//! `Host` the name it used, which is the page's own where DNS was turned against us ("rebinding").
//! MCP asks for both checks (<https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>).
use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{HOST, ORIGIN},
    },
    middleware::Next,
    response::{IntoResponse as _, Response},
};

/// The names of this machine to itself, as `Host` spells them.
const HOSTS: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Why a request was turned away. The text goes to whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error(
        "Forbidden: the request came without a Host header; send one of 127.0.0.1, localhost or \
         [::1], with or without a port."
    )]
    NoHost,
    #[error(
        "Forbidden: the request is for the host {0}, but this server answers only as 127.0.0.1, \
         localhost or [::1] (any port); use one of these in the URL."
    )]
    Host(String),
    #[error(
        "Forbidden: the request comes from a page of the origin {0}, but this server answers only \
         programs and pages on this machine (http or https, on 127.0.0.1, localhost or [::1], any \
         port); call it from a program, without an Origin header."
    )]
    Origin(String),
}

/// Lets a request through, or answers it with 403 and the reason; for all routes.
pub(super) async fn check(request: Request, next: Next) -> Response {
    match judge(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refused) => {
            tracing::warn!(path = request.uri().path(), "{refused}");
            (StatusCode::FORBIDDEN, format!("{refused}\n")).into_response()
        }
    }
}

fn judge(uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
    let mut named = false;
    // A request line with a whole URL names the host as well, and counts before the header.
    for host in uri
        .authority()
        .map(|authority| authority.as_str().as_bytes())
        .into_iter()
        .chain(headers.get_all(HOST).iter().map(HeaderValue::as_bytes))
    {
        named = true;
        if !is_ours(host) {
            return Err(Refused::Host(quoted(host)));
        }
    }
    if !named {
        return Err(Refused::NoHost);
    }
    for origin in headers.get_all(ORIGIN).iter().map(HeaderValue::as_bytes) {
        let page = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
        if !page.is_some_and(is_ours) {
            return Err(Refused::Origin(quoted(origin)));
        }
    }
    Ok(())
}

/// Whether a `host` or `host:port` is a name of this machine; nothing around it is forgiven.
fn is_ours(authority: &[u8]) -> bool {
    let Ok(authority) = std::str::from_utf8(authority) else { return false };
    let authority = authority.to_ascii_lowercase();
    HOSTS.iter().any(|host| match authority.strip_prefix(host) {
        Some("") => true,
        Some(rest) => rest.strip_prefix(':').is_some_and(is_port),
        None => false,
    })
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
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

    fn verdict(lines: &[(&'static str, &str)]) -> Result<(), Refused> {
        judge(&Uri::from_static("/mcp"), &headers(lines))
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
            assert!(matches!(verdict(&[("host", host)]), Err(Refused::Host(_))), "{host}");
        }
    }

    #[test]
    fn a_request_without_a_host_is_refused() {
        assert_eq!(verdict(&[]), Err(Refused::NoHost));
    }

    #[test]
    fn every_host_that_a_request_names_counts() {
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert!(matches!(verdict(&two), Err(Refused::Host(_))));
        let whole = Uri::from_static("http://evil.example/mcp");
        let host = headers(&[("host", "localhost")]);
        assert!(matches!(judge(&whole, &host), Err(Refused::Host(_))));
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
        let said = |refused: Refused| refused.to_string();
        insta::assert_snapshot!(said(Refused::Host(quoted(b"evil.example"))), @"Forbidden: the request is for the host `evil.example`, but this server answers only as 127.0.0.1, localhost or [::1] (any port); use one of these in the URL.");
        insta::assert_snapshot!(said(Refused::Origin(quoted(b"https://evil\n"))), @r"Forbidden: the request comes from a page of the origin `https://evil\n`, but this server answers only programs and pages on this machine (http or https, on 127.0.0.1, localhost or [::1], any port); call it from a program, without an Origin header.");
        insta::assert_snapshot!(said(Refused::NoHost), @"Forbidden: the request came without a Host header; send one of 127.0.0.1, localhost or [::1], with or without a port.");
    }

    #[test]
    fn what_came_is_quoted_in_part() {
        assert_eq!(quoted(&[b'e'; 200]), format!("`{}`…", "e".repeat(100)));
    }
}
