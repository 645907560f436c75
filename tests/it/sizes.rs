//! What an agent carries in its context: the list of tools, and replies.
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::harness::{Client, Desk, soon, text};

/// For all tools together.
const LIST_BYTES: usize = 12_000;
/// For the text of a reply.
const REPLY_BYTES: usize = 1_500;

/// The list as the real server writes it, in the current protocol.
#[tokio::test]
async fn the_list_of_tools_is_small() {
    let desk = Desk::new();
    let mut server = desk.command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {}}}});
    let mut stdin = server.stdin.take().unwrap();
    stdin.write_all(format!("{list}\n").as_bytes()).await.unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let line = soon("the tools are listed", lines.next_line()).await.unwrap().unwrap();
    let answer: Value = serde_json::from_str(&line).unwrap();
    let tools = answer["result"]["tools"].as_array().unwrap();
    for tool in tools {
        eprintln!("{:6} {}", tool.to_string().len(), tool["name"].as_str().unwrap());
    }
    eprintln!("{:6} tools/list", line.len());
    assert!(line.len() < LIST_BYTES, "tools/list: {} bytes", line.len());
}

#[tokio::test]
async fn a_typical_reply_of_each_tool_is_short() {
    let desk = Desk::new();
    let mut command = desk.command();
    command.env("QFPAY_SIMULATOR_PAYER_SECONDS", "never");
    let client = Client::of(command).await;
    let shown = json!({"amount": 1050, "currency": "HKD", "pay_type": "800201",
                       "out_trade_no": "order_1001", "goods_name": "Coffee beans"});
    let scanned = json!({"amount": 1050, "currency": "HKD", "pay_type": "800208",
                         "out_trade_no": "order_1002", "auth_code": "284957201938475610"});
    let (open, paid) =
        (json!({"out_trade_no": "order_1001"}), json!({"out_trade_no": "order_1002"}));
    let wait = json!({"out_trade_no": "order_1001", "timeout_seconds": 1});
    client.reply("create_payment", scanned.clone()).await;
    let known = client.reply("query_transaction", paid.clone()).await;
    let today = &known["orders"][0]["made_at"].as_str().unwrap()[..10];
    let calls = [
        ("list_pay_types", json!({})),
        ("list_pay_types", json!({"currency": "HKD"})),
        ("list_pay_types", json!({"flow": "mpm"})),
        ("list_pay_types", json!({"wallet": "wechat"})),
        ("list_pay_types", json!({"wallet": "wechat", "flow": "mpm"})),
        ("list_pay_types", json!({"query": "alipay"})),
        ("create_payment", shown.clone()),
        ("create_payment", shown),
        ("create_payment", scanned),
        ("wait_for_payment", wait),
        ("wait_for_payment", paid.clone()),
        ("query_transaction", open.clone()),
        ("query_transaction", paid.clone()),
        ("refund", json!({"out_trade_no": "order_1002", "amount": 525, "refund_no": "refund_1"})),
        ("query_transaction", paid),
        ("query_transaction", json!({"out_trade_no": "order_1003"})),
        ("cancel_payment", open),
        ("reconcile", json!({"date": today})),
        ("explain_respcd", json!({"query": "1145"})),
        ("explain_respcd", json!({"query": "refund not allowed at night"})),
    ];
    let mut left = client.tools().await;
    for (tool, arguments) in calls {
        let told = format!("{tool} {arguments}");
        let result = client.result(tool, arguments).await;
        let reply = text(&result);
        eprintln!("{:6} {told}", reply.len());
        assert_eq!(result.is_error, Some(false), "{told}: {reply}");
        assert!(reply.len() < REPLY_BYTES, "{} bytes: {told}\n{reply}", reply.len());
        left.retain(|it| it != tool);
    }
    assert!(left.is_empty(), "not called: {left:?}");
}
