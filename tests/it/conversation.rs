//! An agent's conversation with the real server on the simulator, through a real client.
use qfpay_mcp::spec::{
    Flow, PAY_TYPES,
    fields::Field,
    pay_types::{Answer, Refunds},
};
use serde_json::{Value, json};

use crate::{
    checkout::Payer,
    harness::{Client, Desk},
};

fn payment(number: &str) -> Value {
    json!({"amount": 1050, "currency": "HKD", "pay_type": "800201", "out_trade_no": number})
}

#[tokio::test]
async fn a_payment_is_made_followed_and_half_refunded() {
    let desk = Desk::new();
    let client = desk.client().await;
    let made = client.reply("create_payment", payment("A1")).await;
    assert_eq!((&made["status"], &made["respcd"]), (&json!("pending"), &json!("0000")));
    assert_eq!(made["amount_text"], "HKD 10.50");
    assert_eq!(made["environment"], "simulator");
    assert!(made["qrcode"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert!(made["next_step"].as_str().unwrap().contains("wait_for_payment"));

    let asked = client.reply("query_transaction", json!({"out_trade_no": "A1"})).await;
    assert_eq!(asked["orders"][0]["status"], "paid");

    let refund = json!({"out_trade_no": "A1", "amount": 525, "refund_no": "R1"});
    let back = client.reply("refund", refund.clone()).await;
    assert_eq!((&back["status"], &back["left_text"]), (&json!("refunded"), &json!("HKD 5.25")));
    let again = client.reply("refund", refund).await;
    assert_eq!((&again["replayed"], &again["refund_no"]), (&json!(true), &json!("R1")));

    let by_syssn = json!({"syssn": made["syssn"]});
    let order = client.reply("query_transaction", by_syssn).await["orders"][0].clone();
    assert_eq!(order["status"], "partially_refunded");
    assert_eq!(order["refunds"][0]["refund_no"], "R1");
    assert_eq!(order["refunds"].as_array().unwrap().len(), 1);

    let rest = client.reply("refund", json!({"out_trade_no": "A1"})).await;
    assert_eq!((&rest["amount"], &rest["left_text"]), (&json!(525), &json!("HKD 0.00")));
    let order = client.reply("query_transaction", json!({"out_trade_no": "R1"})).await;
    assert_eq!(order["orders"][0]["status"], "refunded", "a refund's number finds its payment");
}

#[tokio::test]
async fn the_same_number_is_the_same_payment() {
    let desk = Desk::new();
    let client = desk.client().await;
    let first = client.reply("create_payment", payment("A1")).await;
    let again = client.reply("create_payment", payment("A1")).await;
    assert_eq!(first.get("replayed"), None);
    assert_eq!(again["replayed"], true);
    assert_eq!((&again["syssn"], &again["qrcode"]), (&first["syssn"], &first["qrcode"]));
}

#[tokio::test]
async fn clients_that_are_loose_with_forms_are_understood() {
    let desk = Desk::new();
    let client = desk.client().await;
    let loose = json!({
        "amount": "1050.0", "currency": "HKD", "pay_type": 800_201, "out_trade_no": null,
        "goods_name": "", "auth_code": "", "wait_for_previous": true, "expired_time": 30.0,
    });
    let made = client.reply("create_payment", loose).await;
    assert_eq!(made["amount"], 1050);
    assert!(made["out_trade_no"].as_str().unwrap().starts_with('P'));
}

#[tokio::test]
async fn every_pay_type_that_is_offered_can_be_paid_with() {
    let desk = Desk::new();
    let client = desk.client().await;
    for (at, it) in PAY_TYPES.iter().filter(|it| it.is_offered()).enumerate() {
        let currency = if it.currencies.is_empty() { "HKD" } else { it.currencies[0] };
        let mut arguments = json!({"amount": 1050, "currency": currency, "pay_type": it.code});
        for field in it.requires {
            let scanned = format!("28495720193847{at:04}");
            let value = if *field == Field::AuthCode { &scanned } else { field.rule().example };
            arguments[field.name()] = json!(value);
        }
        let made = client.reply("create_payment", arguments).await;
        let wanted = match it.flow {
            Flow::Cpm => "paid",
            Flow::Card => "awaiting_payer",
            Flow::Mpm
            | Flow::Web
            | Flow::Wap
            | Flow::App
            | Flow::Jsapi
            | Flow::Mini
            | Flow::Pos => "pending",
        };
        assert_eq!(made["status"], wanted, "{}: {made:#}", it.code);
        let shown = match it.answer {
            Answer::QrCode => "qrcode",
            // A checkout page's is ours to make.
            Answer::PayUrl | Answer::WebUrl | Answer::PayParamsUrl | Answer::Nothing => "pay_url",
            Answer::PayParams => "pay_params",
            Answer::Result => "status",
        };
        assert!(!made[shown].is_null(), "{}: {made:#}", it.code);
        if it.flow == Flow::Card {
            Payer::at(&made["pay_url"]).chooses(it.code, "pay").await;
        }
        let number = &made["out_trade_no"];
        let asked = client.reply("query_transaction", json!({"out_trade_no": number})).await;
        assert_eq!(asked["orders"][0]["status"], "paid", "{}", it.code);
        if it.refunds == Refunds::No {
            let told = client.refusal("refund", json!({"out_trade_no": number})).await;
            assert!(told.contains("cannot be refunded through QFPay"), "{told}");
        } else {
            let back = client.reply("refund", json!({"out_trade_no": number})).await;
            assert_eq!(back["status"], "refunded", "{}: {back:#}", it.code);
        }
    }
}

#[tokio::test]
async fn a_trigger_amount_shows_how_each_outcome_is_told() {
    let desk = Desk::new();
    let client = desk.client().await;
    let pay = async |number: &str, amount: u64| {
        let mut arguments = payment(number);
        arguments["amount"] = json!(amount);
        client.reply("create_payment", arguments).await
    };
    let refused = pay("A1", 101_205).await;
    assert_eq!((&refused["status"], &refused["respcd"]), (&json!("failed"), &json!("1205")));
    let unknown = pay("A2", 101_252).await;
    assert_eq!(unknown["status"], "in_doubt");
    assert!(unknown["next_step"].as_str().unwrap().contains("Do not pay again"));
    let lost = pay("A3", 100_502).await;
    assert_eq!((&lost["status"], lost.get("respcd")), (&json!("in_doubt"), None));
    assert!(lost["problem"].as_str().unwrap().contains("HTTP 502"));
    let asked = client.reply("query_transaction", json!({"out_trade_no": "A3"})).await;
    assert_eq!(asked["orders"][0]["status"], "paid", "what was lost is found by its number");
    let again = pay("A3", 100_502).await;
    assert_eq!((&again["status"], &again["replayed"]), (&json!("paid"), &json!(true)));
}

#[tokio::test]
async fn a_span_of_time_lists_orders_with_their_refunds_in_pages() {
    let desk = Desk::new();
    let client = desk.client().await;
    for number in ["A1", "A2", "A3"] {
        client.reply("create_payment", payment(number)).await;
    }
    client.reply("refund", json!({"out_trade_no": "A2", "refund_no": "R1"})).await;
    let today = client.reply("query_transaction", json!({"out_trade_no": "A1"})).await;
    let day = &today["orders"][0]["made_at"].as_str().unwrap()[..10];
    let span = |more: &Value| {
        let mut span = json!({"start_time": format!("{day} 00:00:00"),
                              "end_time": format!("{day} 23:59:59")});
        span.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        span
    };
    let all = client.reply("query_transaction", span(&json!({"page_size": 100}))).await;
    let numbers = |reply: &Value| -> Vec<String> {
        let orders = reply["orders"].as_array().unwrap();
        orders.iter().map(|it| it["out_trade_no"].as_str().unwrap().to_owned()).collect()
    };
    let mut seen = numbers(&all);
    seen.sort_unstable();
    assert_eq!(seen, ["A1", "A2", "A3"]);
    let refunded = all["orders"].as_array().unwrap().iter().find(|it| it["out_trade_no"] == "A2");
    assert_eq!(refunded.unwrap()["refunds"][0]["refund_no"], "R1");
    let first = client.reply("query_transaction", span(&json!({"page_size": 2}))).await;
    assert_eq!(first["more"], true);
    let none = client.reply("query_transaction", span(&json!({"pay_type": "800101"}))).await;
    assert_eq!(none["orders"], json!([]));
    assert!(none["next_step"].as_str().unwrap().contains("Nothing"));
}

#[tokio::test]
async fn qfpays_own_records_are_told_where_they_are_asked_for() {
    let desk = Desk::new();
    let client = desk.client().await;
    client.reply("create_payment", payment("A1")).await;
    client.reply("refund", json!({"out_trade_no": "A1", "amount": 50, "refund_no": "R1"})).await;
    let query = |detail: Value| json!({"out_trade_no": "A1", "detail": detail});
    for plain in [json!("short"), json!(""), Value::Null] {
        assert_eq!(client.reply("query_transaction", query(plain)).await.get("raw"), None);
    }
    let full = client.reply("query_transaction", query(json!("Full"))).await;
    let mut told: Vec<String> = Vec::new();
    for record in full["raw"].as_array().unwrap() {
        let word = |name: &str| record[name].as_str().unwrap();
        told.push(format!("{} {} {}", word("order_type"), word("out_trade_no"), word("txamt")));
        assert!(record["userid"].is_null() || record["userid"] == "(hidden)", "{record:#}");
    }
    told.sort_unstable();
    assert_eq!(told, ["payment A1 1050", "refund R1 50"]);
    let wide = json!({"start_time": "2026-11-01 00:00:00", "end_time": "2026-11-02 00:00:00",
                      "page_size": 21, "detail": "all"});
    let refused = client.refusal("query_transaction", wide.clone()).await;
    assert!(refused.contains("detail: `all` is no detail; use one of short, full"), "{refused}");
    let refused = client.refusal("query_transaction", with(wide, "detail", "full")).await;
    assert!(refused.contains("page_size: with detail full it is at most 20"), "{refused}");
}

/// The same arguments with one other than before.
fn with(mut arguments: Value, name: &str, value: &str) -> Value {
    arguments[name] = json!(value);
    arguments
}

#[tokio::test]
async fn two_processes_that_race_for_one_number_charge_once() {
    let desk = Desk::new();
    let (one, two) = (desk.client().await, desk.client().await);
    for round in 0..10 {
        let number = format!("A{round}");
        let (a, b) = tokio::join!(
            one.reply("create_payment", payment(&number)),
            two.reply("create_payment", payment(&number)),
        );
        let replayed = [&a, &b].iter().filter(|it| it["replayed"] == true).count();
        assert_eq!(replayed, 1, "{a:#}\n{b:#}");
        let asked = one.reply("query_transaction", json!({"out_trade_no": number})).await;
        assert_eq!(asked["orders"].as_array().unwrap().len(), 1);
        assert_eq!(asked["orders"][0]["status"], "paid");
    }
}

#[tokio::test]
async fn another_process_on_the_desk_sees_the_same_orders() {
    let desk = Desk::new();
    let first = desk.client().await;
    let made = first.reply("create_payment", payment("A1")).await;
    drop(first);
    let second = desk.client().await;
    let again = second.reply("create_payment", payment("A1")).await;
    assert_eq!((&again["syssn"], &again["replayed"]), (&made["syssn"], &json!(true)));
    let asked = second.reply("query_transaction", json!({"out_trade_no": "A1"})).await;
    assert_eq!(asked["orders"][0]["status"], "paid");
}

#[tokio::test]
async fn codes_and_ways_to_pay_are_explained_without_qfpay() {
    let desk = Desk::new();
    let client = desk.client().await;
    let by_code = client.reply("explain_respcd", json!({"query": 1145})).await;
    assert_eq!(by_code["matches"][0]["respcd"], "1145");
    let by_words = client.reply("explain_respcd", json!({"query": "簽名錯誤"})).await;
    assert_eq!(by_words["matches"][0]["respcd"], "1108");
    let nothing = client.reply("explain_respcd", json!({"query": "will it rain tomorrow"})).await;
    assert_eq!(nothing["matches"], json!([]));
    let few = client.reply("list_pay_types", json!({"wallet": "fps", "flow": "mpm"})).await;
    assert_eq!(few["pay_types"][0]["code"], "802001");
    assert_eq!(few["pay_types"][0]["currencies"], "HKD");
    assert_eq!(std::fs::read_dir(desk.path()).unwrap().count(), 0, "nothing is left behind");
}

#[tokio::test]
async fn an_empty_ledger_and_a_qfpay_that_is_away_are_told_apart() {
    let desk = Desk::new();
    let mut command = desk.command();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    command.env("QFPAY_SIMULATOR_URL", format!("http://{closed}"));
    let client = Client::of(command).await;
    let away = client.reply("create_payment", payment("A1")).await;
    assert_eq!(away["status"], "intended");
    assert!(away["problem"].as_str().unwrap().contains("could not be reached"), "{away:#}");
    assert!(away["meaning"].as_str().unwrap().contains("nothing reached QFPay"), "{away:#}");
    drop(client);
    let back = desk.client().await;
    let made = back.reply("create_payment", payment("A1")).await;
    assert_eq!((&made["status"], made.get("replayed")), (&json!("pending"), None));
}

#[tokio::test]
async fn an_unpaid_order_is_cancelled_and_a_paid_one_is_not() {
    let desk = Desk::new();
    let mut command = desk.command();
    command.env("QFPAY_SIMULATOR_PAYER_SECONDS", "never");
    let client = Client::of(command).await;
    let pay = |code: &str, number: &str| {
        json!({"amount": 1050, "currency": "HKD", "pay_type": code, "out_trade_no": number,
               "auth_code": (code == "800208").then_some("284957201938475610")})
    };
    client.reply("create_payment", pay("800201", "C1")).await;
    let ended = client.reply("cancel_payment", json!({"out_trade_no": "C1"})).await;
    assert_eq!(ended["status"], "closed", "{ended:#}");
    let again = client.reply("cancel_payment", json!({"out_trade_no": "C1"})).await;
    assert_eq!((&again["status"], again.get("respcd")), (&json!("closed"), None));
    client.reply("create_payment", pay("800208", "C2")).await;
    let told = client.refusal("cancel_payment", json!({"out_trade_no": "C2"})).await;
    insta::assert_snapshot!(told, @r#"Refused; nothing was sent: order C2 is `paid`: what was paid is not cancelled, but refunded. To give the money back call refund {"out_trade_no":"C2"}, if the person wants that."#);
    let told = client.refusal("cancel_payment", json!({"out_trade_no": "NOSUCH"})).await;
    insta::assert_snapshot!(told, @"Refused; nothing was sent: no such order is known, neither here nor at QFPay. Check the out_trade_no, and that it was made in this environment with this merchant.");
    let waited = client.reply("wait_for_payment", json!({"out_trade_no": "C2"})).await;
    assert_eq!(waited["status"], "paid");
    let told = client.refusal("wait_for_payment", json!({"timeout_seconds": 900})).await;
    insta::assert_snapshot!(told, @"
    Refused; nothing was sent. 2 arguments are wrong:
    - out_trade_no: it is missing; send the number of the payment
    - timeout_seconds: `900` is not a whole number from 1 to 300
    Put this right and call wait_for_payment again.
    ");
}
