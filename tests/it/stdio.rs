//! The stdio server as a process: what stands on its stdout, which clients it answers, how it
//! ends.
use std::{process::Stdio, time::Duration};

use qfpay_mcp::mcp::Server;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
    time::timeout,
};

use crate::harness::Desk;

/// Longer than anything here takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A raw client: lines in, lines out.
struct Raw {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines<BufReader<ChildStdout>>,
    seen: Vec<String>,
}

impl Raw {
    fn start(desk: &Desk, log: &str) -> Self {
        Self::start_with(desk, &[("QFPAY_LOG", log)])
    }

    fn start_with(desk: &Desk, settings: &[(&str, &str)]) -> Self {
        let mut command = desk.command();
        command
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, stdin, stdout, seen: Vec::new() }
    }

    async fn send(&mut self, message: &Value) {
        let line = format!("{message}\n");
        self.stdin.as_mut().unwrap().write_all(line.as_bytes()).await.unwrap();
    }

    /// The answer to request `id`; everything read on the way is kept.
    async fn answer(&mut self, id: u64) -> Value {
        loop {
            let line = timeout(PATIENCE, self.stdout.next_line()).await.unwrap().unwrap().unwrap();
            self.seen.push(line.clone());
            let message: Value = serde_json::from_str(&line).unwrap();
            if message["id"] == id {
                return message;
            }
        }
    }

    async fn ask(&mut self, id: u64, method: &str, params: Value) -> Value {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
        self.answer(id).await
    }

    async fn initialize(&mut self, version: &str) -> Value {
        let params = json!({"protocolVersion": version, "capabilities": {},
                            "clientInfo": {"name": "raw", "version": "1"}});
        let answer = self.ask(1, "initialize", params).await;
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        answer
    }

    async fn call(&mut self, id: u64, tool: &str, arguments: Value) -> Value {
        self.ask(id, "tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    /// Closes its input and waits for the end: exit code, rest of stdout, stderr.
    async fn end(mut self) -> (i32, Vec<String>, String) {
        drop(self.stdin.take());
        let mut stderr = String::new();
        let mut pipe = self.child.stderr.take().unwrap();
        let rest = async {
            while let Some(line) = self.stdout.next_line().await.unwrap() {
                self.seen.push(line);
            }
        };
        timeout(PATIENCE, async { tokio::join!(rest, pipe.read_to_string(&mut stderr)) })
            .await
            .unwrap()
            .1
            .unwrap();
        let status = timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        (status.code().unwrap_or(-1), self.seen, stderr)
    }
}

#[tokio::test]
async fn a_wait_tells_its_progress_and_ends_when_it_is_paid() {
    let desk = Desk::new();
    let mut raw = Raw::start_with(&desk, &[("QFPAY_SIMULATOR_PAYER_SECONDS", "2")]);
    raw.initialize("2025-11-25").await;
    let shown = json!({"amount": 1050, "currency": "HKD", "pay_type": "800201",
                       "out_trade_no": "W1"});
    raw.call(2, "create_payment", shown).await;
    let wait = json!({"name": "wait_for_payment", "_meta": {"progressToken": "till"},
                      "arguments": {"out_trade_no": "W1", "timeout_seconds": 30}});
    let answer = raw.ask(3, "tools/call", wait).await;
    assert_eq!(answer["result"]["structuredContent"]["status"], "paid", "{answer:#}");
    let told: Vec<Value> = raw.seen.iter().map(|it| serde_json::from_str(it).unwrap()).collect();
    let progress: Vec<&Value> =
        told.iter().filter(|it| it["method"] == "notifications/progress").collect();
    assert!(!progress.is_empty());
    for it in progress {
        let params = &it["params"];
        assert_eq!(params["progressToken"], "till");
        assert!(params["progress"].as_f64() < params["total"].as_f64(), "{params}");
        assert!(params["message"].as_str().unwrap().starts_with("pending, "), "{params}");
    }
    raw.end().await;
}

#[tokio::test]
async fn a_reconciliation_tells_its_progress_which_only_grows() {
    let desk = Desk::new();
    let mut raw = Raw::start(&desk, "warn");
    raw.initialize("2025-11-25").await;
    for number in 0..3 {
        let order = json!({"amount": 1050, "currency": "HKD", "pay_type": "800201",
                           "out_trade_no": format!("A{number}")});
        raw.call(2, "create_payment", order).await;
    }
    let today = jiff::Zoned::now().in_tz("Asia/Hong_Kong").unwrap().date().to_string();
    let call = json!({"name": "reconcile", "_meta": {"progressToken": "till"},
                      "arguments": {"date": today}});
    let answer = raw.ask(3, "tools/call", call).await;
    assert!(answer["result"]["structuredContent"]["status"].is_string(), "{answer:#}");
    let told: Vec<Value> = raw.seen.iter().map(|it| serde_json::from_str(it).unwrap()).collect();
    let told = told.iter().filter(|it| it["params"]["progressToken"] == "till");
    let told: Vec<f64> = told.map(|it| it["params"]["progress"].as_f64().unwrap()).collect();
    assert!(told.len() > 1 && told.is_sorted_by(|one, next| one < next), "{told:?}");
    raw.end().await;
}

#[tokio::test]
async fn a_wait_ends_with_the_input() {
    let desk = Desk::new();
    let mut raw = Raw::start_with(&desk, &[("QFPAY_SIMULATOR_PAYER_SECONDS", "never")]);
    raw.initialize("2025-11-25").await;
    let shown = json!({"amount": 1050, "currency": "HKD", "pay_type": "800201",
                       "out_trade_no": "W1"});
    raw.call(2, "create_payment", shown).await;
    let wait = json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call",
                      "params": {"name": "wait_for_payment",
                                 "_meta": {"progressToken": 7},
                                 "arguments": {"out_trade_no": "W1", "timeout_seconds": 300}}});
    raw.send(&wait).await;
    // It waits: it has told so.
    let line = timeout(PATIENCE, raw.stdout.next_line()).await.unwrap().unwrap().unwrap();
    assert!(line.contains("notifications/progress"), "{line}");
    let (code, seen, _) = raw.end().await;
    let last: Value = serde_json::from_str(seen.last().unwrap()).unwrap();
    assert_eq!((code, &last["id"]), (0, &json!(3)));
    assert_eq!(last["result"]["structuredContent"]["status"], "pending", "{last:#}");
}

fn payment() -> Value {
    json!({"amount": 1050, "currency": "HKD", "pay_type": "800208", "out_trade_no": "A1",
           "auth_code": "284957201938475610"})
}

#[tokio::test]
async fn stdout_is_json_rpc_only_and_no_secret_is_logged_at_the_most_verbose_level() {
    let desk = Desk::new();
    let mut raw = Raw::start(&desk, "trace");
    raw.initialize("2025-11-25").await;
    raw.ask(2, "tools/list", json!({})).await;
    let paid = raw.call(3, "create_payment", payment()).await;
    assert_eq!(paid["result"]["structuredContent"]["status"], "paid", "{paid:#}");
    raw.call(4, "query_transaction", json!({"out_trade_no": "A1"})).await;
    raw.call(5, "create_payment", json!({"amount": "x"})).await;
    raw.call(6, "no_such_tool", json!({})).await;
    raw.ask(7, "no/such/method", json!({})).await;
    let (code, stdout, stderr) = raw.end().await;
    assert_eq!(code, 0);
    for line in &stdout {
        let message: Value = serde_json::from_str(line).unwrap();
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
    }
    assert!(stderr.contains("qfpay_mcp"), "the log says something: {stderr}");
    for secret in [qfpay_mcp::simulator::KEY, "284957201938475610"] {
        assert!(!stderr.contains(secret), "{secret} is in the log");
        assert!(!stdout.concat().contains(secret), "{secret} is in a reply");
    }
}

#[tokio::test]
async fn neither_the_ledger_nor_the_log_keeps_a_secret() {
    let desk = Desk::new();
    let mut raw = Raw::start(&desk, "debug");
    raw.initialize("2025-11-25").await;
    raw.call(2, "create_payment", payment()).await;
    raw.end().await;
    for entry in std::fs::read_dir(desk.path()).unwrap() {
        let path = entry.unwrap().path();
        if !path.file_name().unwrap().to_str().unwrap().starts_with("ledger") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for secret in [qfpay_mcp::simulator::KEY, "284957201938475610"] {
            assert!(!text.contains(secret), "{secret} is in {}", path.display());
        }
    }
}

#[tokio::test]
async fn every_version_with_a_handshake_is_answered() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let desk = Desk::new();
        let mut raw = Raw::start(&desk, "warn");
        let answer = raw.initialize(version).await;
        assert_eq!(answer["result"]["protocolVersion"], version, "{answer:#}");
        assert_eq!(answer["result"]["serverInfo"]["name"], "qfpay-mcp");
        assert!(answer["result"]["instructions"].as_str().unwrap().contains("simulator"));
        let tools = raw.ask(2, "tools/list", json!({})).await;
        assert_eq!(tools["result"]["tools"].as_array().unwrap().len(), Server::tools().len());
        let told = raw.call(3, "explain_respcd", json!({"query": "1145"})).await;
        assert_eq!(told["result"]["structuredContent"]["matches"][0]["respcd"], "1145");
    }
}

#[tokio::test]
async fn the_version_without_a_handshake_is_answered() {
    let desk = Desk::new();
    let mut raw = Raw::start(&desk, "warn");
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
    });
    let found = raw.ask(1, "server/discover", json!({"_meta": meta})).await;
    let versions = found["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")), "{found:#}");
    let tools = raw.ask(2, "tools/list", json!({"_meta": meta})).await;
    assert_eq!(tools["result"]["resultType"], "complete");
    assert!(tools["result"]["ttlMs"].as_u64().unwrap() > 0, "the list may be kept: {tools:#}");
    let call = json!({"_meta": meta, "name": "create_payment", "arguments": payment()});
    let paid = raw.ask(3, "tools/call", call).await;
    assert_eq!(paid["result"]["structuredContent"]["status"], "paid", "{paid:#}");
}

#[tokio::test]
async fn the_end_of_input_ends_the_process_after_what_was_in_flight_is_written_down() {
    let desk = Desk::new();
    let mut raw = Raw::start(&desk, "warn");
    raw.initialize("2025-11-25").await;
    let params = json!({"name": "create_payment", "arguments": payment()});
    raw.send(&json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params})).await;
    let start = std::time::Instant::now();
    let (code, _, _) = raw.end().await;
    assert_eq!(code, 0);
    // The bound is the promise made to people, not a measurement.
    assert!(start.elapsed() < Duration::from_secs(5));
    let client = desk.client().await;
    let again = client.reply("create_payment", payment()).await;
    assert_eq!((&again["status"], &again["replayed"]), (&json!("paid"), &json!(true)));
}

#[tokio::test]
async fn garbage_before_the_handshake_does_not_end_the_server() {
    let desk = Desk::new();
    let mut raw = Raw::start(&desk, "warn");
    raw.stdin.as_mut().unwrap().write_all(b"hello\n{\n[]\n\n").await.unwrap();
    raw.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {}})).await;
    let answer = raw.initialize("2025-06-18").await;
    assert_eq!(answer["result"]["protocolVersion"], "2025-06-18");
}
