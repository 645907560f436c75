//! Under which names, from which pages and from where the server is called.
use std::net::{SocketAddr, UdpSocket};

use futures::StreamExt as _;
use serde_json::json;

use super::{MALLORY, Tally, Target, attacks, honest, payment, wire};

attacks! {
    a_foreign_host_is_refused_on_every_route,
    a_foreign_origin_is_refused_on_every_route,
    a_request_line_with_a_foreign_host_is_refused,
    a_page_whose_name_was_turned_to_this_address_reaches_no_tool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_no_proxy_is_not_let_through_for_saying_so() {
    Target::attacked("0.0.0.0:0", None, no_forwarded_header_makes_a_proxy).await;
}

const PREFIXES: [&str; 2] = ["", "/qfpay"];
const ROUTES: &[(&str, &str)] = &[
    ("POST", "/mcp"),
    ("GET", "/mcp"),
    ("DELETE", "/mcp"),
    ("OPTIONS", "/mcp"),
    ("POST", "/mcp/"),
    ("GET", "/sse"),
    ("POST", "/messages?sessionId=1"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/.well-known/oauth-protected-resource"),
    ("GET", "/.well-known/oauth-protected-resource/mcp"),
    ("GET", "/approve"),
    ("POST", "/approve/x"),
    ("POST", "/qfpay/notifications"),
    ("GET", "/"),
    ("HEAD", "/"),
    ("GET", "/elsewhere"),
    ("TRACE", "/mcp"),
];

impl Target {
    /// Sends every route the lines of each head, with a token that is taken; what is answered.
    async fn on_every_route(&self, heads: &[String]) -> Tally {
        let word = &self.words[MALLORY];
        let mut all = Vec::new();
        for head in heads {
            for prefix in PREFIXES {
                for (method, path) in ROUTES {
                    all.push(format!(
                        "{method} {prefix}{path} HTTP/1.1\r\n{head}Authorization: Bearer {word}\r\n\
                         Connection: close\r\n\r\n"
                    ));
                }
            }
        }
        self.asked(all.iter().map(String::as_bytes)).await
    }

    /// What is answered to each, on a connection of its own.
    pub(super) async fn asked(&self, all: impl IntoIterator<Item = &[u8]>) -> Tally {
        let asked = all.into_iter().map(|it| wire::asked(self.address, it));
        futures::stream::iter(asked).buffer_unordered(32).collect().await
    }
}

async fn a_foreign_host_is_refused_on_every_route(target: &Target) -> Tally {
    let port = target.address.port();
    let mut heads: Vec<String> = [
        "evil.example",
        "127.0.0.1.evil.example",
        "pay.example.com.evil.example",
        "evil.example#pay.example.com",
        "evil.example/@pay.example.com",
        "localhost@evil.example",
        "xn--lcalhost-5wa",
        "0.0.0.0",
        "2130706433",
        "[::]",
        "pay.example.com.",
        "pay.example.com:",
        "pay.example.com, evil.example",
        "",
    ]
    .into_iter()
    .flat_map(|it| [format!("Host: {it}\r\n"), format!("Host: {it}:{port}\r\n")])
    .collect();
    heads.pop();
    heads.push(String::new());
    heads.push("Host: localhost\r\nHost: evil.example\r\n".to_owned());
    heads.push("Host: evil.example\r\nHost: localhost\r\n".to_owned());
    heads.push("Host: evil.example\r\nX-Forwarded-Host: pay.example.com\r\n".to_owned());
    heads.push("Host: evil.example\r\nForwarded: host=pay.example.com\r\n".to_owned());
    target.on_every_route(&heads).await.only(&["403"])
}

async fn a_foreign_origin_is_refused_on_every_route(target: &Target) -> Tally {
    let heads = [
        "https://evil.example",
        "http://pay.example.com",
        "https://pay.example.com:444",
        "https://pay.example.com.evil.example",
        "https://app.example.com.evil.example",
        "https://app.example.com:8443",
        "http://localhost.evil.example",
        "http://localhost@evil.example",
        "https://app.example.com, https://evil.example",
        "https://app.example.com/",
        "null",
        "file://",
        "chrome-extension://abcdef",
        "*",
        "",
    ]
    .map(|it| format!("Host: localhost\r\nOrigin: {it}\r\n"));
    let mut heads = heads.to_vec();
    let two = ["https://app.example.com", "https://evil.example"];
    heads.push(format!("Host: localhost\r\nOrigin: {}\r\nOrigin: {}\r\n", two[0], two[1]));
    heads.push(format!("Host: localhost\r\nOrigin: {}\r\nOrigin: {}\r\n", two[1], two[0]));
    target.on_every_route(&heads).await.only(&["403"])
}

async fn a_request_line_with_a_foreign_host_is_refused(target: &Target) -> Tally {
    let word = &target.words[MALLORY];
    let mut all = Vec::new();
    for authority in ["evil.example", "evil.example:80", "pay.example.com@evil.example", "0.0.0.0"]
    {
        for scheme in ["http", "https", "ftp"] {
            for (method, path) in ROUTES {
                all.push(format!(
                    "{method} {scheme}://{authority}{path} HTTP/1.1\r\nHost: localhost\r\n\
                     Authorization: Bearer {word}\r\nConnection: close\r\n\r\n"
                ));
            }
        }
        all.push(format!("CONNECT {authority}:443 HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    }
    target.asked(all.iter().map(String::as_bytes)).await.only(&["400", "403"])
}

/// DNS rebinding: a browser of this machine on a page of its own name, which now leads here.
async fn a_page_whose_name_was_turned_to_this_address_reaches_no_tool(target: &Target) -> Tally {
    let (port, word) = (target.address.port(), &target.words[MALLORY]);
    let body = honest::modern("create_payment", &payment("rebound")).to_string();
    let mut all = Vec::new();
    for at in 0..500 {
        let name = format!("a{at}.rebind.example:{port}");
        all.push(format!(
            "POST /mcp HTTP/1.1\r\nHost: {name}\r\nOrigin: http://{name}\r\nSec-Fetch-Site: \
             same-origin\r\nAuthorization: Bearer {word}\r\nContent-Type: application/json\r\nAccept: \
             application/json, text/event-stream\r\nMcp-Protocol-Version: 2026-07-28\r\nMcp-Method: \
             tools/call\r\nMcp-Name: create_payment\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
    }
    let tally = target.asked(all.iter().map(String::as_bytes)).await.only(&["403"]);
    let asked = target.call(MALLORY, "query_transaction", &json!({"out_trade_no": "rebound"}));
    let told = asked.send().await.unwrap().text().await.unwrap();
    assert!(!told.contains("\"pending\""), "{told}");
    tally
}

/// A peer that is neither this machine nor a proxy, and says that it speaks for one.
async fn no_forwarded_header_makes_a_proxy(target: &Target) -> Tally {
    // No packet leaves; it tells the address that this machine has in a network.
    let own = UdpSocket::bind("0.0.0.0:0").and_then(|it| {
        it.connect("192.0.2.1:9")?;
        it.local_addr()
    });
    let Some(own) = own.ok().map(|it| it.ip()).filter(|it| !it.is_loopback()) else {
        return Tally::default();
    };
    let address = SocketAddr::new(own, target.address.port());
    let word = &target.words[MALLORY];
    let mut tally = Tally::default();
    for claim in [
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-For: 192.0.2.7",
        "X-Forwarded-For: 192.0.2.7, 127.0.0.1",
        "X-Forwarded-For: ::1\r\nX-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.7",
        "X-Forwarded-Host: localhost",
        "X-Forwarded-Ssl: on",
        "X-Real-IP: 127.0.0.1",
        "X-Client-IP: 127.0.0.1",
        "True-Client-IP: 192.0.2.7",
        "CF-Connecting-IP: 127.0.0.1",
        "Forwarded: for=127.0.0.1;proto=https;by=192.0.2.7",
        "X-Request-Id: trusted",
        "Via: 1.1 192.0.2.7",
    ] {
        for (method, path) in ROUTES {
            let ask = format!(
                "{method} {path} HTTP/1.1\r\nHost: pay.example.com\r\n{claim}\r\nAuthorization: \
                 Bearer {word}\r\nConnection: close\r\n\r\n"
            );
            tally.count(wire::asked(address, ask.as_bytes()).await);
        }
    }
    tally.only(&["403"])
}
