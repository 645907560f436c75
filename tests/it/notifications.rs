//! What QFPay tells of its own accord, over the real HTTP server.
use std::process::Stdio;

use qfpay_mcp::{
    ledger::{Happening, Ledger as _, Scope, sqlite::SqliteLedger},
    spec::Environment,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Child,
};

use crate::harness::Desk;

/// `qfpay-mcp http` on a free port.
struct Service {
    _child: Child,
    address: String,
    http: reqwest::Client,
}

impl Service {
    async fn start(desk: &Desk, payer_seconds: &str) -> Self {
        let mut command = desk.command();
        command.args(["http", "--bind", "127.0.0.1:0"]).stderr(Stdio::piped());
        command.env("QFPAY_SIMULATOR_PAYER_SECONDS", payer_seconds);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready = lines.next_line().await.unwrap().unwrap();
        let address = ready.split("http://").nth(1).unwrap().split(':').take(2);
        let address = address.collect::<Vec<_>>().join(":");
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { _child: child, address: format!("http://{address}"), http }
    }

    async fn call(&self, tool: &str, arguments: Value) -> Value {
        called(&self.address, tool, arguments).await
    }

    async fn tell(&self, body: &str, signature: &str) -> (u16, String) {
        let told = self
            .http
            .post(format!("{}/qfpay/notifications", self.address))
            .header("X-QF-SIGN", signature)
            .body(body.to_owned());
        let answer = told.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// Calls a tool over HTTP as a client of 2026-07-28 does that can ask nobody.
pub(crate) async fn called(base: &str, tool: &str, arguments: Value) -> Value {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "till", "version": "2"},
    });
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": tool, "arguments": arguments, "_meta": meta}});
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(format!("{base}/mcp"))
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", tool)
        .body(request.to_string())
        .send()
        .await
        .unwrap();
    let body = answer.text().await.unwrap();
    let last = body.lines().rev().find_map(|line| line.strip_prefix("data: "));
    let message: Value = serde_json::from_str(last.unwrap_or(&body)).unwrap();
    message["result"]["structuredContent"].clone()
}

fn ledger(desk: &Desk) -> SqliteLedger {
    let merchant = format!("app:{}", qfpay_mcp::simulator::APP_CODE);
    let scope = Scope { environment: Environment::Simulator, merchant };
    SqliteLedger::new(&desk.path().join("ledger.db"), scope)
}

#[tokio::test]
async fn a_wait_wakes_on_the_simulators_notification_and_the_audit_says_who_told() {
    let desk = Desk::new();
    let service = Service::start(&desk, "1").await;
    let number = "N1".parse().unwrap();
    let made = service
        .call(
            "create_payment",
            json!({"amount": 1050, "currency": "HKD", "pay_type": "800201", "out_trade_no": "N1",
                   "notify_url": format!("{}/qfpay/notifications", service.address)}),
        )
        .await;
    assert_eq!(made["status"], "pending", "{made:#}");
    let waited = service.call("wait_for_payment", json!({"out_trade_no": "N1"})).await;
    assert_eq!(waited["status"], "paid", "{waited:#}");
    let history = ledger(&desk).history(&number).await.unwrap();
    let paid = history.iter().find(|it| it.to.as_deref() == Some("paid")).unwrap();
    assert_eq!((paid.what, paid.transport.as_str()), (Happening::Learned, "notification"));
    let sent = &history[0];
    assert_eq!((sent.transport.as_str(), sent.client.as_deref()), ("http", Some("till 2")));
}

#[tokio::test]
async fn a_forged_notification_is_refused_and_changes_nothing() {
    let desk = Desk::new();
    let service = Service::start(&desk, "never").await;
    let paid = json!({"amount": 1050, "currency": "HKD", "pay_type": "800201",
                      "out_trade_no": "N1"});
    service.call("create_payment", paid).await;
    let body =
        r#"{"notify_type": "payment", "out_trade_no": "N1", "txamt": "1050", "respcd": "0000"}"#;
    let (status, told) = service.tell(body, "0123456789ABCDEF0123456789ABCDEF").await;
    assert_eq!(status, 403);
    assert!(told.contains("signature is wrong"), "{told}");
    let history = ledger(&desk).history(&"N1".parse().unwrap()).await.unwrap();
    assert!(history.iter().all(|it| it.what != Happening::Notified));
}
