//! `qfpay-mcp http` as a service for others: who may call, for whom, and how it ends.
mod doors;
mod ends;
mod figures;
pub(crate) mod merchants;
mod tokens;

use std::{path::PathBuf, process::Stdio, sync::Arc};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Child,
    sync::{Mutex, Notify},
};

use crate::harness::{Desk, soon};

/// A running server.
pub(crate) struct Service {
    child: Child,
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
    log: Arc<Log>,
}

/// What it wrote to stderr so far.
#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    more: Notify,
}

impl Service {
    /// On `desk`, with more arguments and settings; returns when it takes calls.
    pub(crate) async fn start(desk: &Desk, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let mut command = desk.command();
        command.args(["http", "--bind", "127.0.0.1:0"]).args(arguments);
        command.envs(settings.iter().copied()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Log::default());
        let kept = log.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lines.lock().await.push(line);
                kept.more.notify_waiters();
            }
        });
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let it = Self { child, base: String::new(), http, log };
        let ready = it.logged(" on http").await;
        let base = ready.split(" on ").nth(1).unwrap();
        let base = base.split(": ").next().unwrap().to_owned();
        Self { base, ..it }
    }

    /// Waits for a line of the log that holds `words`, and gives it.
    pub(crate) async fn logged(&self, words: &str) -> String {
        let found = async {
            loop {
                let more = self.log.more.notified();
                let found =
                    self.log.lines.lock().await.iter().find(|it| it.contains(words)).cloned();
                if let Some(line) = found {
                    return line;
                }
                more.await;
            }
        };
        soon(&format!("a line of the log with {words:?}"), found).await
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
    }

    /// Waits for the end; its exit code.
    pub(crate) async fn ended(mut self) -> Option<i32> {
        soon("the server ends", self.child.wait()).await.unwrap().code()
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String) {
        let answer = self.http.get(format!("{}{path}", self.base)).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// A request of 2026-07-28 as a client without capabilities sends it.
    pub(crate) fn request(&self, token: &str, method: &str, params: Value) -> RequestBuilder {
        let name = params["name"].as_str().or(params["uri"].as_str()).map(str::to_owned);
        let mut params = params;
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "till", "version": "2"},
        });
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut request = self.post("/mcp", token, &message);
        request = request.header("mcp-protocol-version", "2026-07-28").header("mcp-method", method);
        if let Some(name) = name {
            request = request.header("mcp-name", name);
        }
        request
    }

    pub(crate) fn post(&self, path: &str, token: &str, message: &Value) -> RequestBuilder {
        let request = self.http.post(format!("{}{path}", self.base));
        let request = request
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(message.to_string());
        if token.is_empty() { request } else { request.bearer_auth(token) }
    }

    /// The result of a call: its structure, or the text of a refusal.
    pub(crate) async fn call(&self, token: &str, tool: &str, arguments: Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        let answer = self.request(token, "tools/call", params).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{tool}");
        let message = message(answer).await;
        let result = &message["result"];
        if result["isError"] == true {
            result["content"][0]["text"].clone()
        } else {
            result["structuredContent"].clone()
        }
    }

    /// The status of a plain look at the list of tools.
    pub(crate) async fn status(&self, token: &str) -> StatusCode {
        let answer = self.request(token, "tools/list", json!({})).send().await.unwrap();
        answer.status()
    }

    pub(crate) async fn tools(&self, token: &str) -> Vec<String> {
        let answer = self.request(token, "tools/list", json!({})).send().await.unwrap();
        let listed = message(answer).await;
        let tools = listed["result"]["tools"].as_array().unwrap().iter();
        tools.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    }

    /// A session of 2025-11-25; its id, if the server keeps any.
    pub(crate) async fn initialize(&self, token: &str) -> (StatusCode, Option<String>) {
        let message = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "till", "version": "1"}}});
        let answer = self.post("/mcp", token, &message).send().await.unwrap();
        let session = answer.headers().get("mcp-session-id");
        (answer.status(), session.map(|it| it.to_str().unwrap().to_owned()))
    }

    /// A request in a session.
    pub(crate) fn in_session(&self, token: &str, session: &str, method: Method) -> RequestBuilder {
        let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"});
        let request = self.http.request(method, format!("{}/mcp", self.base));
        let request = request
            .bearer_auth(token)
            .header("mcp-session-id", session)
            .header("mcp-protocol-version", "2025-11-25")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        request.body(ping.to_string())
    }
}

/// The last message of an answer, whether it came as JSON or as events.
pub(crate) async fn message(answer: Response) -> Value {
    let body = answer.text().await.unwrap();
    let last = body.lines().rev().find_map(|line| line.strip_prefix("data: "));
    serde_json::from_str(last.unwrap_or(&body)).unwrap_or_else(|_| panic!("{body}"))
}

pub(crate) fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |it| it.to_str().unwrap())
}

/// A file of tokens on a desk.
pub(crate) struct TokensFile(PathBuf);

impl TokensFile {
    pub(crate) fn new(desk: &Desk) -> Self {
        let it = Self(desk.path().join("tokens"));
        std::fs::write(&it.0, "# ours\n").unwrap();
        it
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// Makes a token, as an operator does, and keeps its line.
    pub(crate) async fn add(&self, desk: &Desk, name: &str, more: &[&str]) -> String {
        let mut command = desk.command();
        command.args(["token", "new", name]).args(more).stderr(Stdio::piped());
        let made = command.output().await.unwrap();
        assert!(made.status.success());
        let (line, told) =
            (String::from_utf8(made.stdout).unwrap(), String::from_utf8(made.stderr).unwrap());
        let word = told.lines().find(|it| it.starts_with("qfmcp_")).unwrap().to_owned();
        assert!(!line.contains(&word));
        self.change(|text| format!("{text}{line}"));
        word
    }

    pub(crate) fn change(&self, how: impl Fn(&str) -> String) {
        let text = std::fs::read_to_string(&self.0).unwrap();
        std::fs::write(&self.0, how(&text)).unwrap();
    }
}

/// A payment by QR code.
pub(crate) fn order(number: &str) -> Value {
    json!({"amount": 1050, "currency": "HKD", "pay_type": "800201", "out_trade_no": number})
}
