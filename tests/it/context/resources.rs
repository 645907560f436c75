//! Resources: the tables as QFPay's documents have them, orders as the ledger does.
use qfpay_mcp::spec::{CURRENCIES, PAY_TYPES, RESP_CODES, environments::ENVIRONMENTS};
use rmcp::model::{CacheScope, ReadResourceRequestParams};
use serde_json::{Value, json};

use super::{ERAS, error, number, order, read, read_json};
use crate::harness::{Client, Desk, Era};

async fn client(desk: &Desk, era: Era) -> Client {
    Client::with(desk.command(), (), era).await
}

#[tokio::test]
async fn every_listed_resource_is_there_and_the_tables_are_whole() {
    let desk = Desk::new();
    for era in ERAS {
        let client = client(&desk, era).await;
        let peer = client.peer();
        let listed = peer.list_all_resources().await.unwrap();
        for it in &listed {
            let (text, mime_type) = read(peer, &it.uri).await;
            assert!(!text.is_empty() && Some(mime_type) == it.mime_type, "{}", it.uri);
            assert!(it.title.is_some() && it.description.is_some(), "{}", it.uri);
        }
        let all = async |uri| read_json(peer, uri).await.as_array().unwrap().len();
        assert_eq!(all("qfpay://pay-types").await, PAY_TYPES.len());
        assert_eq!(all("qfpay://currencies").await, CURRENCIES.len());
        assert_eq!(all("qfpay://response-codes").await, RESP_CODES.len());
        let environments = read_json(peer, "qfpay://environments").await;
        let rows = environments.as_array().unwrap();
        assert_eq!(rows.len(), ENVIRONMENTS.len());
        let in_force: Vec<&Value> = rows.iter().filter(|it| it["in_force"] == true).collect();
        assert_eq!(in_force[0]["name"], "simulator");
        assert_eq!((in_force.len(), &in_force[0]["real_money"]), (1, &json!(false)));
    }
}

#[tokio::test]
async fn each_row_of_a_table_can_be_read_and_says_what_the_tools_say() {
    let desk = Desk::new();
    let client = client(&desk, Era::Modern).await;
    let peer = client.peer();
    for row in RESP_CODES {
        let one = read_json(peer, &format!("qfpay://response-codes/{}", row.code)).await;
        assert_eq!(one["respcd"], row.code);
    }
    for row in PAY_TYPES {
        let one = read_json(peer, &format!("qfpay://pay-types/{}", row.code)).await;
        assert_eq!(one["code"], row.code);
    }
    let told = client.reply("explain_respcd", json!({"query": "1145"})).await;
    assert_eq!(read_json(peer, "qfpay://response-codes/1145").await, told["matches"][0]);
    let told = client.reply("list_pay_types", json!({"query": "wechat qr"})).await;
    let code = told["pay_types"][0]["code"].as_str().unwrap();
    assert_eq!(read_json(peer, &format!("qfpay://pay-types/{code}")).await, told["pay_types"][0]);
}

/// The simulated payer has paid; only who asks QFPay knows.
#[tokio::test]
async fn an_order_is_told_as_the_ledger_knows_it_and_qfpay_is_not_asked() {
    for era in ERAS {
        let desk = Desk::new();
        let client = client(&desk, era).await;
        let peer = client.peer();
        client.reply("create_payment", order("A1")).await;
        let before = read_json(peer, "qfpay://orders/A1").await;
        assert_eq!(
            (&before["status"], &before["environment"]),
            (&json!("pending"), &json!("simulator"))
        );
        assert_eq!(before["amount_text"], "HKD 10.50");
        assert!(before["next_step"].as_str().unwrap().contains("wait_for_payment"), "{before}");
        assert_eq!(steps(&before), ["sent: -> sent", "answered: sent -> pending"]);
        assert_eq!(read_json(peer, "qfpay://orders/A1").await, before, "reading changes nothing");

        let asked = client.reply("query_transaction", number("A1")).await;
        client
            .reply("refund", json!({"out_trade_no": "A1", "amount": 525, "refund_no": "R1"}))
            .await;
        let after = read_json(peer, "qfpay://orders/A1").await;
        assert_eq!(after["status"], "partially_refunded");
        assert_eq!(after["syssn"], asked["orders"][0]["syssn"]);
        assert_eq!(after["refunds"][0]["refund_no"], "R1");
        let steps = steps(&after);
        assert!(steps.contains(&"learned: pending -> paid".to_owned()), "{steps:?}");
        assert!(steps.contains(&"R1: sent: -> sent".to_owned()), "{steps:?}");
        assert!(!after.to_string().contains("\"asked\""), "{after}");
        // The number of a refund leads to its order.
        assert_eq!(read_json(peer, "qfpay://orders/R1").await, after);
    }
}

/// What happened, a few words each.
fn steps(order: &Value) -> Vec<String> {
    let word = |it: &Value, name: &str| it[name].as_str().unwrap_or_default().to_owned();
    let step = |it: &Value| {
        let refund = it["refund_no"].as_str().map(|it| format!("{it}: ")).unwrap_or_default();
        assert!(word(it, "at").ends_with("+08:00") && !word(it, "tool").is_empty(), "{it}");
        let moved = format!("{} -> {}", word(it, "from"), word(it, "to"));
        format!("{refund}{}: {}", word(it, "what"), moved.trim())
    };
    order["history"].as_array().unwrap().iter().map(step).collect()
}

#[tokio::test]
async fn the_history_is_bounded_and_says_that_there_is_more() {
    let desk = Desk::new();
    let client = client(&desk, Era::Modern).await;
    // Sent and answered once, then replayed.
    for _ in 0..49 {
        client.reply("create_payment", order("A1")).await;
    }
    let whole = read_json(client.peer(), "qfpay://orders/A1").await;
    assert_eq!((steps(&whole).len(), whole.get("more")), (50, None));
    assert_eq!(steps(&whole)[0], "sent: -> sent");
    client.reply("create_payment", order("A1")).await;
    let told = read_json(client.peer(), "qfpay://orders/A1").await;
    assert_eq!((steps(&told).len(), &told["more"]), (50, &json!(true)));
    assert_eq!(steps(&told)[0], "answered: sent -> pending");
}

#[tokio::test]
async fn what_is_not_there_is_not_found_in_the_words_and_the_code_of_each_era() {
    let desk = Desk::new();
    for (era, code) in [(Era::Legacy, -32002), (Era::Modern, -32602)] {
        let client = client(&desk, era).await;
        let cases = [
            ("qfpay://orders/A1", "query_transaction {\"out_trade_no\":\"A1\"}"),
            ("qfpay://orders/a b", "use only ASCII letters"),
            ("qfpay://response-codes/4711", "unknown: call query_transaction"),
            ("qfpay://pay-types/4711", "qfpay://pay-types lists the codes"),
            ("qfpay://secrets", "use one of qfpay://pay-types"),
            ("file:///etc/passwd", "use one of qfpay://pay-types"),
        ];
        for (uri, words) in cases {
            let asked = client.peer().read_resource(ReadResourceRequestParams::new(uri));
            let error = error(asked.await);
            assert_eq!(error.code.0, code, "{uri}");
            assert!(error.message.contains(words), "{uri}: {}", error.message);
            assert_eq!(error.data.unwrap()["uri"], uri);
        }
    }
}

#[tokio::test]
async fn tables_may_be_kept_for_long_and_orders_never() {
    let desk = Desk::new();
    let client = client(&desk, Era::Modern).await;
    client.reply("create_payment", order("A1")).await;
    let hints = async |uri: &str| {
        let read = client.peer().read_resource(ReadResourceRequestParams::new(uri)).await.unwrap();
        (read.ttl_ms.unwrap(), read.cache_scope.unwrap())
    };
    assert_eq!(hints("qfpay://orders/A1").await, (0, CacheScope::Private));
    for uri in ["qfpay://pay-types", "qfpay://pay-types/800201", "qfpay://response-codes/0000"] {
        assert_eq!(hints(uri).await, (3_600_000, CacheScope::Public), "{uri}");
    }
}

/// A payer's code is worth money; keys are worth all of it.
#[tokio::test]
async fn no_resource_holds_a_secret() {
    let desk = Desk::new();
    let mut command = desk.command();
    command.env("QFPAY_KEY", "key-that-nobody-sees");
    let client = Client::with(command, (), Era::Legacy).await;
    let scanned = json!({"amount": 1050, "currency": "HKD", "pay_type": "800208",
                         "auth_code": "287654321098765432", "out_trade_no": "C1"});
    client.reply("create_payment", scanned).await;
    let mut uris: Vec<String> =
        client.peer().list_all_resources().await.unwrap().into_iter().map(|it| it.uri).collect();
    uris.push("qfpay://orders/C1".to_owned());
    for uri in uris {
        let (text, _) = read(client.peer(), &uri).await;
        for secret in ["287654321098765432", "key-that-nobody-sees"] {
            assert!(!text.contains(secret), "{uri}");
        }
    }
}

#[tokio::test]
async fn the_skill_is_served_as_the_file_that_it_is() {
    let desk = Desk::new();
    let client = client(&desk, Era::Modern).await;
    let (text, mime_type) = read(client.peer(), "skill://qfpay-payments/SKILL.md").await;
    assert_eq!(mime_type, "text/markdown");
    assert_eq!(
        text,
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/skill.md")).unwrap()
    );
    let (printed, code) = desk.run(&["skill"]).await;
    assert_eq!((printed, code), (text, 0));
}
