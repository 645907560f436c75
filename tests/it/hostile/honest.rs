//! Clients that mean well, one of each kind that there is.
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::payment;
use crate::harness::soon;

pub(super) const MODERN: &str = "2026-07-28";
const PAUSE: Duration = Duration::from_millis(20);

/// How a client speaks to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// 2026-07-28, each request by itself.
    Modern,
    /// 2025-11-25, in a session.
    Session,
    /// 2024-11-05, over HTTP+SSE.
    Sse,
}

impl Way {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Modern => "till",
            Self::Session => "desk",
            Self::Sse => "kiosk",
        }
    }
}

/// How an honest client fared.
#[derive(Debug, Default)]
pub(super) struct Served {
    pub(super) calls: usize,
    pub(super) slowest: Duration,
}

pub(super) struct Honest {
    way: Way,
    http: reqwest::Client,
    base: String,
    word: String,
    /// The id of the session, or where to POST messages.
    session: String,
    events: Option<Events>,
    next: usize,
    served: Served,
}

/// A stream of events that is read.
pub(super) struct Events {
    stream: reqwest::Response,
    read: String,
}

impl Events {
    pub(super) fn of(stream: reqwest::Response) -> Self {
        Self { stream, read: String::new() }
    }

    /// The data of the next event that has any; none at the end.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            while let Some((event, rest)) = self.read.split_once("\n\n") {
                let data =
                    event.lines().find_map(|it| it.strip_prefix("data: ")).map(str::to_owned);
                self.read = rest.to_owned();
                if data.is_some() {
                    return data;
                }
            }
            let more = self.stream.chunk().await.ok()??;
            self.read.push_str(std::str::from_utf8(&more).unwrap());
        }
    }
}

pub(super) fn initialize(version: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": version, "capabilities": {},
        "clientInfo": {"name": "till", "version": "2"}}})
}

pub(super) fn initialized() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
}

pub(super) fn call(id: usize, tool: &str, arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call",
           "params": {"name": tool, "arguments": arguments}})
}

/// A call that carries its own context.
pub(super) fn modern(tool: &str, arguments: &Value) -> Value {
    let mut call = call(1, tool, arguments);
    call["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "till", "version": "2"},
    });
    call
}

/// The JSON-RPC message of an answer, be it JSON or the last event of a stream.
async fn message(answer: reqwest::Response) -> Value {
    let status = answer.status();
    let body = answer.text().await.unwrap();
    let last = body.lines().rev().find_map(|line| line.strip_prefix("data: "));
    serde_json::from_str(last.unwrap_or(&body)).unwrap_or_else(|_| panic!("{status}: {body}"))
}

impl Honest {
    pub(super) async fn open(way: Way, address: SocketAddr, word: &str) -> Self {
        let mut this = Self {
            way,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            base: format!("http://{address}"),
            word: word.to_owned(),
            session: String::new(),
            events: None,
            next: 0,
            served: Served::default(),
        };
        match way {
            Way::Modern => {}
            Way::Session => {
                let answer = this.post("/mcp", &initialize("2025-11-25")).send().await.unwrap();
                this.session = answer.headers()["mcp-session-id"].to_str().unwrap().to_owned();
                message(answer).await;
                this.post("/mcp", &initialized()).send().await.unwrap();
            }
            Way::Sse => {
                let asked = this.http.get(format!("{}/sse", this.base)).bearer_auth(&this.word);
                let mut events = Events::of(asked.send().await.unwrap());
                this.session = events.next().await.unwrap();
                this.events = Some(events);
                this.tell(&initialize("2024-11-05")).await;
                this.tell(&initialized()).await;
            }
        }
        this
    }

    /// Calls over and over, and tells of every round, until it is `over`; how it fared.
    pub(super) async fn work(
        mut self,
        rounds: watch::Sender<usize>,
        over: CancellationToken,
    ) -> Served {
        while !over.is_cancelled() {
            self.round().await;
            rounds.send_modify(|it| *it += 1);
            tokio::time::sleep(PAUSE).await;
        }
        if self.way == Way::Session {
            let ended = self.http.delete(format!("{}/mcp", self.base)).bearer_auth(&self.word);
            let ended = ended.header("mcp-session-id", &self.session).send().await.unwrap();
            assert_eq!(ended.status(), 204);
        }
        self.served
    }

    async fn round(&mut self) {
        let listed = self.call("list_pay_types", &json!({})).await;
        assert!(listed["pay_types"].is_array(), "{listed:#}");
        self.next += 1;
        let number = format!("{}{}", self.way.name(), self.next);
        let made = self.call("create_payment", &payment(&number)).await;
        assert_eq!(made["status"], "pending", "{made:#}");
        let asked = self.call("query_transaction", &json!({"out_trade_no": number})).await;
        assert_eq!(asked["orders"][0]["out_trade_no"], *number, "{asked:#}");
    }

    /// The structured reply of a call.
    async fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let (way, start) = (self.way, Instant::now());
        let what = format!("{way:?} is answered {tool}");
        let answer = soon(&what, self.answer(tool, arguments)).await;
        self.served.calls += 1;
        self.served.slowest = self.served.slowest.max(start.elapsed());
        let reply = answer["result"]["structuredContent"].clone();
        assert!(reply.is_object(), "{way:?}: {answer:#}");
        reply
    }

    async fn answer(&mut self, tool: &str, arguments: &Value) -> Value {
        match self.way {
            Way::Modern => {
                let post = self.post("/mcp", &modern(tool, arguments));
                let post = post.header("mcp-protocol-version", MODERN);
                let post = post.header("mcp-method", "tools/call").header("mcp-name", tool);
                message(post.send().await.unwrap()).await
            }
            Way::Session => {
                let post = self.post("/mcp", &call(1, tool, arguments));
                message(post.send().await.unwrap()).await
            }
            Way::Sse => {
                let id = self.served.calls + 1;
                self.tell(&call(id, tool, arguments)).await;
                let events = self.events.as_mut().unwrap();
                loop {
                    let event = events.next().await.unwrap();
                    let message: Value = serde_json::from_str(&event).unwrap();
                    if message["id"] == id {
                        return message;
                    }
                }
            }
        }
    }

    async fn tell(&self, message: &Value) {
        let told = self.post(&self.session, message).send().await.unwrap();
        assert_eq!(told.status(), 202);
    }

    fn post(&self, path: &str, message: &Value) -> reqwest::RequestBuilder {
        let post = self
            .http
            .post(format!("{}{path}", self.base))
            .bearer_auth(&self.word)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(message.to_string());
        if self.way == Way::Session && !self.session.is_empty() {
            return post.header("mcp-session-id", &self.session);
        }
        post
    }
}
