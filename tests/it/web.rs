//! MCP over HTTP as tests speak it: the real `qfpay-mcp http`, and a client of 2026-07-28.
use std::{process::Stdio, time::Duration};

use rmcp::model::{CallToolRequestParams, CallToolResponse, CallToolResult};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

use crate::harness::{call, text};

/// Longer than anything here takes; what is not said by then is never said.
const PATIENCE: Duration = Duration::from_secs(40);

/// `qfpay-mcp http` on a free port; it ends with this.
pub(crate) struct Service {
    child: Child,
    /// Such as `http://127.0.0.1:8787`.
    pub(crate) base: String,
    /// What it said when it was ready.
    pub(crate) ready: String,
    /// What it says on stderr, a line each.
    said: UnboundedReceiver<String>,
}

impl Service {
    pub(crate) async fn of(command: Command) -> Self {
        Self::with(command, &[]).await
    }

    /// With more `arguments` of the command `http`.
    pub(crate) async fn with(mut command: Command, arguments: &[&str]) -> Self {
        command.args(["http", "--bind", "127.0.0.1:0"]).args(arguments).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut before = Vec::new();
        let ready = loop {
            let line = lines.next_line().await.unwrap();
            let line = line.unwrap_or_else(|| panic!("it ended before it was ready: {before:?}"));
            if line.starts_with("qfpay-mcp (") {
                break line;
            }
            before.push(line);
        };
        let base = ready.split(" on ").nth(1).unwrap().split(": ").next().unwrap().to_owned();
        let (told, said) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                // Nobody may listen.
                let _ = told.send(line);
            }
        });
        Self { child, base, ready, said }
    }

    /// Waits until it says `words` once more.
    pub(crate) async fn says(&mut self, words: &str) {
        while self.said.try_recv().is_ok() {}
        let saying = async {
            while let Some(line) = self.said.recv().await {
                if line.contains(words) {
                    return;
                }
            }
            panic!("it ended before it said: {words}");
        };
        let said = tokio::time::timeout(PATIENCE, saying).await;
        assert!(said.is_ok(), "it never said: {words}");
    }

    /// SIGKILL, unless it is gone already; returns when it is.
    pub(crate) async fn kill(&mut self) {
        let _ = self.child.start_kill();
        self.child.wait().await.unwrap();
    }

    /// SIGTERM; returns when it has ended by itself.
    pub(crate) async fn terminate(&mut self) {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        assert!(sent.success());
        self.child.wait().await.unwrap();
    }
}

/// A client of 2026-07-28 without a session: each of its requests says all that is to be known.
#[derive(Clone)]
pub(crate) struct Agent {
    http: reqwest::Client,
    base: String,
    capabilities: Value,
}

impl Agent {
    /// Of the server at `base`; it can ask nobody.
    pub(crate) fn of(base: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { http, base: base.to_owned(), capabilities: json!({}) }
    }

    /// The same with a person before it.
    pub(crate) fn with_a_person(self) -> Self {
        Self { capabilities: json!({"elicitation": {"form": {}}}), ..self }
    }

    /// The result of a request; none where no server answered it.
    pub(crate) async fn request(
        &self,
        method: &str,
        name: Option<&str>,
        mut params: Value,
    ) -> Option<Value> {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": self.capabilities,
            "io.modelcontextprotocol/clientInfo": {"name": "till", "version": "2"},
        });
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut post = self
            .http
            .post(format!("{}/mcp", self.base))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method)
            .body(body.to_string());
        if let Some(name) = name {
            post = post.header("mcp-name", name);
        }
        let answer = post.send().await.unwrap();
        let status = answer.status();
        if status == reqwest::StatusCode::BAD_GATEWAY {
            return None;
        }
        let body = answer.text().await.unwrap();
        assert!(status.is_success(), "{method}: {status} {body}");
        let last = body.lines().rev().find_map(|line| line.strip_prefix("data: "));
        let message: Value = serde_json::from_str(last.unwrap_or(&body)).unwrap();
        assert_eq!(message.get("error"), None, "{method}");
        Some(message["result"].clone())
    }

    /// One round of a call, whatever it comes to.
    pub(crate) async fn round(&self, call: CallToolRequestParams) -> Option<CallToolResponse> {
        let params = serde_json::to_value(&call).unwrap();
        let result = self.request("tools/call", Some(&call.name), params).await?;
        Some(match result["resultType"].as_str() {
            Some("input_required") => {
                CallToolResponse::InputRequired(serde_json::from_value(result).unwrap())
            }
            _ => CallToolResponse::Complete(serde_json::from_value(result).unwrap()),
        })
    }

    /// The result of a call; none where no server answered it.
    pub(crate) async fn attempt(&self, tool: &str, arguments: &Value) -> Option<CallToolResult> {
        let response = self.round(call(tool, arguments)).await?;
        let CallToolResponse::Complete(result) = response else { panic!("{tool}: {response:?}") };
        Some(result)
    }

    pub(crate) async fn result(&self, tool: &str, arguments: Value) -> CallToolResult {
        self.attempt(tool, &arguments).await.expect("it is answered")
    }

    /// The structured reply of a call that must succeed.
    pub(crate) async fn reply(&self, tool: &str, arguments: Value) -> Value {
        let result = self.result(tool, arguments).await;
        assert_ne!(result.is_error, Some(true), "{tool}: {}", text(&result));
        result.structured_content.unwrap()
    }
}
