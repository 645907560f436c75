//! Streamable HTTP, the guard, the pages for people and the shutdown, over real sockets.
use std::net::{Ipv6Addr, SocketAddr};

use reqwest::{Method, RequestBuilder, Response, StatusCode, header::HeaderMap};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};

use super::*;
use crate::transport::{
    ServeError, Shutdown,
    http::{Settings, serve},
};

/// A server that listens, and a client.
pub(super) struct World {
    pub(super) till: Till,
    pub(super) shutdown: Shutdown,
    pub(super) address: SocketAddr,
    client: reqwest::Client,
    served: JoinHandle<Result<(), ServeError>>,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let shutdown = Shutdown::new();
        let till = Till::new(shutdown.tracker());
        let mut settings = Settings::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        change(&mut settings);
        let (ready, listening) = oneshot::channel();
        let served = tokio::spawn(serve(till.clone(), settings, shutdown.clone(), |address| {
            ready.send(address).unwrap();
        }));
        let address = soon("the server listens", listening).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { till, shutdown, address, client, served }
    }

    pub(super) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address)).timeout(PATIENCE)
    }

    /// A POST of JSON, as clients send it.
    pub(super) fn post(&self, path: &str, body: &(impl ToString + ?Sized)) -> RequestBuilder {
        self.ask(Method::POST, path)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(body.to_string())
    }

    /// Opens a session and gives its id.
    async fn open(&self, version: &str) -> String {
        let answer = self.post("/mcp", &initialize(version)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let session = answer.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        assert_eq!(message(answer).await["result"]["protocolVersion"], version);
        let answer = self.in_session(&session, &initialized()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        session
    }

    fn in_session(&self, session: &str, body: &Value) -> RequestBuilder {
        self.post("/mcp", body).header("mcp-session-id", session)
    }

    /// A request of a client of 2026-07-28, with the headers that go with it.
    fn modern(&self, request: Value) -> RequestBuilder {
        let method = request["method"].as_str().unwrap().to_owned();
        let name = request["params"]["name"].as_str().map(ToOwned::to_owned);
        let mut post = self.post("/mcp", &modern(request));
        if let Some(name) = name {
            post = post.header("mcp-name", name);
        }
        post.header("mcp-protocol-version", MODERN).header("mcp-method", method)
    }

    /// The end of the server, which must be a good one.
    pub(super) async fn ended(self) {
        soon("the server ends", self.served).await.unwrap().unwrap();
    }
}

/// The JSON-RPC message of an answer, be it JSON or the last event of a stream.
async fn message(answer: Response) -> Value {
    let body = answer.text().await.unwrap();
    let last = body.lines().rev().find_map(|line| line.strip_prefix("data: "));
    serde_json::from_str(last.unwrap_or(&body)).unwrap_or_else(|_| panic!("{body}"))
}

#[tokio::test]
async fn every_version_with_initialize_gets_a_session_until_it_ends_it() {
    let world = World::new().await;
    for version in WITH_INITIALIZE {
        let session = world.open(version).await;
        let send = async |body| world.in_session(&session, &body).send().await.unwrap();
        let listed = message(send(request("tools/list", &json!({}))).await).await;
        assert_eq!(tools(&listed), ["noop", "slow", "boom"], "{version}");
        assert_eq!(text(&message(send(call("noop")).await).await), "done", "{version}");
        let end = world.ask(Method::DELETE, "/mcp").header("mcp-session-id", &session);
        assert_eq!(end.send().await.unwrap().status(), StatusCode::NO_CONTENT);
        assert_eq!(send(call("noop")).await.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_client_of_2026_07_28_gets_plain_json_without_a_session() {
    let world = World::new().await;
    let send = async |body| {
        let answer = world.modern(body).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert!(!answer.headers().contains_key("mcp-session-id"));
        assert_eq!(answer.status(), StatusCode::OK);
        message(answer).await
    };
    let discovered = send(request("server/discover", &json!({}))).await;
    let versions = discovered["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!(MODERN)), "{discovered}");
    assert_eq!(tools(&send(request("tools/list", &json!({}))).await), ["noop", "slow", "boom"]);
    assert_eq!(text(&send(call("noop")).await), "done");
}

#[tokio::test]
async fn a_tool_that_panics_answers_in_both_eras() {
    let world = World::new().await;
    let session = world.open("2025-11-25").await;
    for post in [world.in_session(&session, &call("boom")), world.modern(call("boom"))] {
        let answer = message(post.send().await.unwrap()).await;
        assert_eq!(answer["error"]["message"], "the tool failed", "{answer}");
    }
}

#[tokio::test]
async fn whoever_is_not_of_this_machine_is_refused_on_every_route() {
    let world = World::new().await;
    let routes = [
        (Method::POST, "/mcp"),
        (Method::GET, "/mcp"),
        (Method::POST, "/mcp/"),
        (Method::GET, "/sse"),
        (Method::POST, "/messages?sessionId=1"),
        (Method::GET, "/healthz"),
        (Method::GET, "/"),
        (Method::GET, "/elsewhere"),
    ];
    for (method, path) in routes {
        for (name, value) in [("host", "evil.example"), ("origin", "https://evil.example")] {
            let asked = world.ask(method.clone(), path).header(name, value);
            let answer = asked.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{method} {path} {name}");
            let said = answer.text().await.unwrap();
            assert!(
                said.contains("evil.example") && said.contains("this server answers"),
                "{said}"
            );
        }
    }
}

#[tokio::test]
async fn a_page_on_this_machine_is_served() {
    let world = World::new().await;
    let asked = world.modern(call("noop")).header("origin", "http://localhost:6274");
    assert_eq!(text(&message(asked.send().await.unwrap()).await), "done");
}

#[tokio::test]
async fn any_accept_that_takes_json_or_anything_is_served() {
    let world = World::new().await;
    for accept in ["*/*", "application/json", "text/html, application/*;q=0.8", ""] {
        let mut headers = HeaderMap::new();
        headers.insert("accept", accept.parse().unwrap());
        let answer = world.modern(call("noop")).headers(headers).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{accept}");
        assert_eq!(text(&message(answer).await), "done", "{accept}");
    }
    let html = world.modern(call("noop")).header("accept", "text/html");
    let mut html = html.build().unwrap();
    html.headers_mut().insert("accept", "text/html".parse().unwrap());
    let answer = world.client.execute(html).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn a_body_that_is_no_message_is_answered_in_json_rpc() {
    let world = World::new().await;
    for (body, code) in [
        ("{\"jsonrpc\":", -32700),
        ("", -32700),
        ("nonsense", -32700),
        ("[]", -32600),
        ("{}", -32600),
        ("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", -32600),
    ] {
        let answer = world.post("/mcp", body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
        let answer = message(answer).await;
        assert_eq!(answer["error"]["code"], code, "{body}: {answer}");
    }
    let text = world.post("/mcp", &call("noop")).header("content-type", "text/plain");
    let mut text = text.build().unwrap();
    text.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    let answer = world.client.execute(text).await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_the_limit() {
    let world = World::new().await;
    let long = call(&"x".repeat(1 << 20));
    for path in ["/mcp", "/mcp/"] {
        let answer = world.post(path, &long).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let answer = message(answer).await;
        let said = answer["error"]["message"].as_str().unwrap();
        assert!(said.contains("1048576 bytes"), "{said}");
    }
}

#[tokio::test]
async fn sessions_are_capped_and_an_ended_one_makes_room() {
    let world = World::with(|settings| settings.max_sessions = 1).await;
    let session = world.open("2025-11-25").await;
    let open = async || world.post("/mcp", &initialize("2025-11-25")).send().await.unwrap();
    let answer = open().await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "60");
    let answer = message(answer).await;
    assert_eq!(answer["id"], 1, "{answer}");
    // Those without a session are served all the same.
    let served = world.modern(call("noop")).send().await.unwrap();
    assert_eq!(text(&message(served).await), "done");
    let end = world.ask(Method::DELETE, "/mcp").header("mcp-session-id", &session);
    end.send().await.unwrap();
    soon("room for a session", async { while open().await.status() != StatusCode::OK {} }).await;
}

/// A person's answer is what makes room; it must not want any.
#[tokio::test]
async fn where_no_call_has_room_answers_and_ends_of_calls_are_taken_all_the_same() {
    let world = World::with(|settings| settings.max_calls = 1).await;
    let session = world.open("2025-11-25").await;
    let slow = tokio::spawn(world.in_session(&session, &call("slow")).send());
    world.till.has_begun().await;
    let refused = world.in_session(&session, &call("noop")).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    for message in [
        json!({"jsonrpc": "2.0", "id": 99, "result": {"action": "accept", "content": {}}}),
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 98}}),
    ] {
        let taken = world.in_session(&session, &message).send().await.unwrap();
        assert_eq!(taken.status(), StatusCode::ACCEPTED, "{message}");
    }
    world.till.let_end();
    assert_eq!(text(&message(slow.await.unwrap().unwrap()).await), "done");
}

#[tokio::test]
async fn a_person_or_a_probe_gets_a_text() {
    let world = World::new().await;
    let get = async |path, accept| {
        let answer = world.ask(Method::GET, path).header("accept", accept).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    assert_eq!(get("/healthz", "*/*").await, (StatusCode::OK, "{\"status\":\"ok\"}".to_owned()));
    let (status, page) = get("/", "text/html").await;
    assert_eq!(status, StatusCode::OK);
    insta::assert_snapshot!(page.replace(&world.address.to_string(), "ADDRESS"), @"
    qfpay-mcp: payments at QFPay for AI agents, over the Model Context Protocol.
    This address is for programs. Give your MCP client one of these paths on ADDRESS:

    /mcp      streamable HTTP; what clients of today speak
    /sse      HTTP with SSE; for clients of 2024-11-05

    /healthz  says whether the server runs, /readyz whether it takes calls
    ");
    assert_eq!(get("/mcp", "text/html").await, (StatusCode::NOT_ACCEPTABLE, page.clone()));
    let (status, lost) = get("/elsewhere", "*/*").await;
    assert!(status == StatusCode::NOT_FOUND && lost.ends_with(&page), "{status} {lost}");
}

#[tokio::test]
async fn any_address_but_loopback_is_refused() {
    let shutdown = Shutdown::new();
    let refusal = async |bind: &str| {
        let till = Till::new(shutdown.tracker());
        let settings = Settings::new(bind.parse().unwrap());
        let served = serve(till, settings, shutdown.clone(), |_| panic!("it listens"));
        served.await.unwrap_err().to_string()
    };
    insta::assert_snapshot!(refusal("0.0.0.0:8000").await, @"
    refused to listen on 0.0.0.0:8000, where others than this machine can reach it:
      - whoever reaches it could move money: set QFPAY_TOKENS_FILE or QFPAY_OAUTH_ISSUER
      - tokens would cross the network in plain: give it --tls-cert and --tls-key, or put a proxy that does TLS before it and set QFPAY_TRUSTED_PROXIES to its network
      - nobody could call it by a name: set QFPAY_PUBLIC_URL
    ");
    for bind in ["[::]:0", "192.0.2.1:0", "127.0.0.2:0", "[::ffff:127.0.0.1]:0"] {
        assert!(refusal(bind).await.starts_with("refused to listen on"), "{bind}");
    }
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let world = World::new().await;
    let (shutdown, address) = (Shutdown::new(), world.address);
    let till = Till::new(shutdown.tracker());
    let served = serve(till, Settings::new(address), shutdown, |_| panic!("it listens")).await;
    let error = served.unwrap_err().to_string();
    assert!(error.contains(&address.to_string()) && error.contains("another port"), "{error}");
}

#[tokio::test]
async fn ipv6_loopback_is_served() {
    let world = World::with(|settings| settings.bind = (Ipv6Addr::LOCALHOST, 0).into()).await;
    assert_eq!(world.ask(Method::GET, "/healthz").send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_stop_waits_for_the_call_in_flight_and_answers_it() {
    for modern in [false, true] {
        let world = World::new().await;
        let post = if modern {
            world.modern(call("slow"))
        } else {
            let session = world.open("2025-06-18").await;
            world.in_session(&session, &call("slow"))
        };
        let answer = tokio::spawn(async move { message(post.send().await.unwrap()).await });
        world.till.has_begun().await;
        world.shutdown.stop();
        let refused = async { while TcpStream::connect(world.address).await.is_ok() {} };
        soon("no more connections are taken", refused).await;
        assert!(!world.served.is_finished());
        world.till.let_end();
        assert_eq!(text(&soon("the answer", answer).await.unwrap()), "done");
        assert_eq!(world.till.written(), 1);
        world.ended().await;
    }
}

#[tokio::test]
async fn a_stop_ends_streams_and_work_that_would_never_end() {
    let world = World::with(|settings| settings.drain = Duration::from_millis(10)).await;
    let session = world.open("2025-11-25").await;
    let stream = world.ask(Method::GET, "/mcp").header("mcp-session-id", &session);
    let stream = stream.header("accept", "text/event-stream").send().await.unwrap();
    assert_eq!(stream.status(), StatusCode::OK);
    let silent = TcpStream::connect(world.address).await.unwrap();
    let hangs = world.modern(call("slow"));
    let hangs = tokio::spawn(async move { hangs.send().await.map(|answer| answer.status()) });
    world.till.has_begun().await;
    world.shutdown.stop();
    soon("the stream ends", stream.text()).await.unwrap();
    assert_ne!(soon("the call ends", hangs).await.unwrap().ok(), Some(StatusCode::OK));
    world.ended().await;
    drop(silent);
}

#[tokio::test]
async fn a_client_that_leaves_does_not_stop_what_is_tracked() {
    let world = World::new().await;
    let gone = tokio::spawn(world.modern(call("slow")).send());
    world.till.has_begun().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    world.till.let_end();
    world.shutdown.stop();
    let till = world.till.clone();
    world.ended().await;
    assert_eq!(till.written(), 1);
}

#[tokio::test]
async fn a_request_without_a_host_is_refused() {
    let world = World::new().await;
    let mut socket = TcpStream::connect(world.address).await.unwrap();
    socket.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    soon("an answer", socket.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 403"), "{answer}");
}
