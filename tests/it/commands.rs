//! The commands that people type.
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::harness::Desk;

async fn run(desk: &Desk, arguments: &[&str]) -> Output {
    let mut command = desk.command();
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::piped()).output().await.unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn call_prints_the_reply_and_its_exit_code_tells_the_outcome() {
    let desk = Desk::new();
    let pay = |amount: u64, number: &str| {
        json!({"amount": amount, "currency": "HKD", "pay_type": "800201", "out_trade_no": number})
            .to_string()
    };
    let paid = run(&desk, &["call", "create_payment", &pay(1050, "A1")]).await;
    let reply: Value = serde_json::from_str(&stdout(&paid)).unwrap();
    assert_eq!((paid.status.code(), &reply["status"]), (Some(0), &json!("pending")));
    let refused = run(&desk, &["call", "create_payment", &pay(0, "A2")]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(stdout(&refused).contains("- amount:"));
    let failed = run(&desk, &["call", "create_payment", &pay(101_205, "A3")]).await;
    assert_eq!(failed.status.code(), Some(1));
    let in_doubt = run(&desk, &["call", "create_payment", &pay(101_252, "A4")]).await;
    assert_eq!(in_doubt.status.code(), Some(3));
    let asked = run(&desk, &["call", "query_transaction", r#"{"out_trade_no":"A1"}"#]).await;
    let reply: Value = serde_json::from_str(&stdout(&asked)).unwrap();
    assert_eq!(reply["orders"][0]["status"], "paid");
}

#[tokio::test]
async fn a_result_that_cannot_be_written_is_no_success() {
    let desk = Desk::new();
    let pay = json!({"amount": 1050, "currency": "HKD", "pay_type": "800201"}).to_string();
    let password = desk.path().join("password");
    std::fs::write(&password, "a long password\n").unwrap();
    let cases: [(&[&str], i32, &str); 5] = [
        (&["call", "create_payment", &pay], 3, "query before you call again"),
        (&["call", "refund", "{}"], 1, "query before you call again"),
        (&["token", "new", "agent"], 1, "there is no token"),
        (&["operator", "boss"], 1, "the line could not be written"),
        (&["skill"], 1, "the skill could not be written"),
    ];
    for (arguments, code, wanted) in cases {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = desk.command();
        let password = std::fs::File::open(&password).unwrap();
        command.args(arguments).stdin(password).stdout(full).stderr(Stdio::piped());
        // `output` would put a pipe of its own there.
        let output = command.spawn().unwrap().wait_with_output().await.unwrap();
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(wanted) && !told.contains("qfmcp_"), "{told}");
    }
}

#[tokio::test]
async fn wrong_usage_says_what_is_right() {
    let desk = Desk::new();
    let tool = run(&desk, &["call", "pay"]).await;
    assert_eq!(tool.status.code(), Some(2));
    insta::assert_snapshot!(stderr(&tool), @"qfpay-mcp: there is no tool `pay`; there are cancel_payment, create_payment, explain_respcd, list_pay_types, query_transaction, reconcile, refund, wait_for_payment");
    let json = run(&desk, &["call", "explain_respcd", "1145"]).await;
    assert_eq!(json.status.code(), Some(2));
    insta::assert_snapshot!(stderr(&json), @r#"qfpay-mcp: the arguments are no JSON object: invalid type: integer `1145`, expected a map at line 1 column 4; write for example '{"query":"1145"}'"#);
}

#[tokio::test]
async fn wrong_settings_are_told_all_at_once_and_nothing_starts() {
    let desk = Desk::new();
    let mut command = desk.command();
    command.env("QFPAY_ENV", "live").env("QFPAY_TIME_ZONE", "Mars").stdin(Stdio::null());
    let output = command.stderr(Stdio::piped()).output().await.unwrap();
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""));
    insta::assert_snapshot!(stderr(&output), @"
    qfpay-mcp: the settings are not right:
      - QFPAY_ENV is `live`; use one of simulator, sandbox, test, prod
      - QFPAY_TIME_ZONE is `Mars`, which is no time zone; use a name such as Asia/Hong_Kong
    ");
}

#[tokio::test]
async fn help_says_what_each_command_is_for() {
    let help = stdout(&run(&Desk::new(), &["--help"]).await);
    for command in ["demo", "call", "orders", "reconcile", "http", "simulator"] {
        assert!(help.contains(command), "{help}");
    }
}

#[tokio::test]
async fn http_refuses_to_be_reached_from_elsewhere_without_tokens_tls_and_a_name() {
    let output = run(&Desk::new(), &["http", "--bind", "0.0.0.0:0"]).await;
    assert_eq!(output.status.code(), Some(1));
    for wanted in ["QFPAY_TOKENS_FILE", "--tls-cert", "QFPAY_TRUSTED_PROXIES", "QFPAY_PUBLIC_URL"] {
        assert!(stderr(&output).contains(wanted), "{wanted}: {}", stderr(&output));
    }
}

#[tokio::test]
async fn the_demo_shows_the_whole_conversation() {
    let output = run(&Desk::new(), &["demo"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let shown = stdout(&output);
    for wanted in
        ["800201", "█", "pending", "paid after", "HKD 52.50", "partially_refunded", "1269"]
    {
        assert!(shown.contains(wanted), "{wanted} is not in\n{shown}");
    }
    assert_eq!(stderr(&output), "");
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_the_demo_cleanly() {
    let desk = Desk::new();
    let mut command = desk.command();
    let temp = desk.path().join("tmp");
    std::fs::create_dir(&temp).unwrap();
    command.arg("demo").env("TMPDIR", &temp).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The payment is made and the demo waits for the payer.
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.contains("pending …") {
            break;
        }
    }
    let pid = child.id().unwrap().to_string();
    let killed = std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(killed.success());
    // Reading on: a demo whose reader went away would end for that reason.
    while lines.next_line().await.unwrap().is_some() {}
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(stderr(&output).contains("Stopped"));
    assert_eq!(std::fs::read_dir(&temp).unwrap().count(), 0, "nothing is left behind");
}

#[tokio::test]
async fn the_simulator_runs_alone_and_a_server_uses_it() {
    let desk = Desk::new();
    let mut command = desk.command();
    command.args(["simulator", "--bind", "127.0.0.1:0"]).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next_line().await.unwrap().unwrap();
    let url = first.strip_prefix("QFPay simulator on ").unwrap().to_owned();
    let other = Desk::new();
    let mut command = other.command();
    command.env("QFPAY_SIMULATOR_URL", &url);
    let client = crate::harness::Client::of(command).await;
    let pay = json!({"amount": 1050, "currency": "HKD", "pay_type": "800201"});
    let made = client.reply("create_payment", pay).await;
    assert!(made["qrcode"].as_str().unwrap().starts_with(&url), "{made:#}");
}

#[tokio::test]
async fn http_serves_both_eras_and_says_where() {
    let desk = Desk::new();
    let mut command = desk.command();
    command.args(["http", "--bind", "127.0.0.1:0"]).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let ready = lines.next_line().await.unwrap().unwrap();
    let url = ready.split_whitespace().find_map(|it| it.strip_suffix(':')).unwrap().to_owned();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let health = http.get(format!("{url}/healthz")).send().await.unwrap();
    assert_eq!(health.status(), 200);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "_meta": meta, "name": "explain_respcd", "arguments": {"query": "1145"}}});
    let answer = http
        .post(format!("{url}/mcp"))
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "explain_respcd")
        .body(call.to_string())
        .send()
        .await
        .unwrap();
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(answer["result"]["structuredContent"]["matches"][0]["respcd"], "1145", "{answer:#}");
    let foreign = http.get(format!("{url}/healthz")).header("origin", "https://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), 403);
}
