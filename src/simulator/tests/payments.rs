//! Orders: what is answered, when they are paid, and whose number it was.
use super::*;
use crate::spec::{Field, PAY_TYPES};

#[tokio::test]
async fn a_qr_order_is_made_unpaid_and_paid_by_the_virtual_payer() {
    let shop = Shop::open().await;
    assert_eq!(text(&shop.pay("A1", "100").await, "respcd"), "0000");
    assert_eq!(shop.states("A1").await, ["payment 1143 0"]);
    shop.clock.pass(2999.milliseconds());
    assert_eq!(shop.states("A1").await, ["payment 1143 0"]);
    shop.clock.pass(1.milliseconds());
    assert_eq!(shop.states("A1").await, ["payment 0000 0"]);
    let record = &shop.query(&[("out_trade_no", "A1")]).await["data"][0];
    assert_eq!(text(record, "paydtm"), "2026-11-23 14:30:03");
    assert_eq!(text(record, "sysdtm"), "2026-11-23 14:30:00");
}

#[tokio::test]
async fn an_order_nobody_pays_expires() {
    let shop = Shop::with(|it| it.payer = Payer::Waits).await;
    shop.pay("A1", "100").await;
    shop.pay_with("800201", "A2", "100", &[("expired_time", "5")]).await;
    shop.clock.pass(5.minutes());
    assert_eq!(shop.states("A1,A2").await, ["payment 1181 0", "payment 1143 0"]);
    assert!(!shop.simulator.act("A2", Act::Pay).await.unwrap());
    assert!(shop.simulator.act("A1", Act::Pay).await.unwrap());
    shop.clock.pass(1.hours());
    assert_eq!(shop.states("A1,A2").await, ["payment 1181 0", "payment 0000 0"]);
}

#[tokio::test]
async fn each_type_is_answered_with_what_its_payer_needs() {
    let shop = Shop::open().await;
    let scene = r#"{"scene_info":{"h5_info":{"type":"Wap","wap_url":"https://shop.example","wap_name":"Shop"}},"spbill_create_ip":"203.0.113.7"}"#;
    let mut table = Vec::new();
    for pay_type in PAY_TYPES {
        let needed = |field: &Field| {
            let right = if *field == Field::ExtendInfo { scene } else { field.rule().example };
            (field.name(), right)
        };
        let more: Vec<_> = pay_type.requires.iter().map(needed).collect();
        let currency = pay_type.currencies.first().copied().unwrap_or("HKD");
        let number = format!("N{}", pay_type.code);
        let mut params = vec![
            ("txamt", "500"),
            ("txcurrcd", currency),
            ("pay_type", pay_type.code),
            ("out_trade_no", &number),
            ("txdtm", TXDTM),
        ];
        params.extend(more);
        let unique = format!("code-{}", pay_type.code);
        for it in params.iter_mut().filter(|it| it.0 == "auth_code") {
            it.1 = &unique;
        }
        let answer = shop.call(Endpoint::Payment, &params).await;
        let found = ["qrcode", "pay_url", "web_url", "pay_params"];
        let found = found.into_iter().filter_map(|name| {
            let value = answer.get(name)?;
            let first = value.as_object().map(|it| it.keys().next().unwrap().as_str());
            Some(first.map_or(name.to_owned(), |first| format!("{name} with {first}")))
        });
        let found: Vec<String> = found.collect();
        let paid = if answer["txamt"].is_number() { "paid" } else { "" };
        let (service, flow) = (pay_type.service, pay_type.flow);
        let row = format!("{service:?} {flow:?} {} {}{paid}", said(&answer), found.join(" "));
        table.push(row.trim_end().to_owned());
    }
    table.sort();
    table.dedup();
    insta::assert_snapshot!(table.join("\n"), @r"
    Checkout Card 1104 | filter error
    OtherRegion Cpm 1104 | filter error
    OtherRegion Mpm 1104 | filter error
    OtherRegion Wap 1104 | filter error
    OtherRegion Web 1104 | filter error
    Payment App 0000 | Transaction successful pay_params
    Payment App 0000 | Transaction successful pay_params with appid
    Payment App 0000 | Transaction successful pay_params with service
    Payment Cpm 0000 | Transaction successful paid
    Payment Jsapi 0000 | Transaction successful pay_params with appId
    Payment Jsapi 0000 | Transaction successful pay_params with tradeNO
    Payment Mini 0000 | Transaction successful pay_params with appId
    Payment Mpm 0000 | Transaction successful qrcode
    Payment Wap 0000 | Transaction successful pay_url
    Payment Web 0000 | Transaction successful pay_url
    PreAuth App 1104 | filter error
    PreAuth Cpm 1104 | filter error
    PreAuth Mpm 1104 | filter error
    PreAuth Web 1104 | filter error
    Retired Card 1104 | filter error
    Terminal Pos 1104 | filter error
    ");
}

#[tokio::test]
async fn a_payers_code_pays_at_once_and_once() {
    let shop = Shop::open().await;
    let code = [("auth_code", "284957201938475610")];
    let answer = shop.pay_with("800208", "A1", "100", &code).await;
    assert_eq!((text(&answer, "respcd").as_str(), &answer["txamt"]), ("0000", &100.into()));
    assert_eq!(text(&answer, "paydtm"), "2026-11-23 14:30:00");
    let again = shop.pay_with("800208", "A2", "100", &code).await;
    assert_eq!(text(&again, "respcd"), "1202");
    assert_eq!(shop.states("A1,A2").await, ["payment 1202 0", "payment 0000 0"]);
    let unified = shop.pay_with("800008", "A3", "100", &[("auth_code", "another")]).await;
    assert_eq!(text(&unified, "pay_type"), "800108");
}

#[tokio::test]
async fn an_amount_that_ends_in_a_code_is_answered_with_it() {
    let shop = Shop::open().await;
    let mut table = Vec::new();
    for (number, pay_type, txamt) in [
        ("A1", "800201", "101143"),
        ("A2", "800208", "101145"),
        ("A3", "800208", "101205"),
        ("A4", "800201", "101100"),
        ("A5", "800201", "101254"),
        ("A6", "800201", "131205"),
        ("A7", "800201", "121205"),
    ] {
        let code = format!("code-{number}");
        let answer = shop.pay_with(pay_type, number, txamt, &[("auth_code", &code)]).await;
        let before = shop.states(number).await.join(" ");
        shop.clock.pass(3.seconds());
        let after = shop.states(number).await.join(" ");
        table.push(format!("{txamt}: {} -> {before} -> {after}", said(&answer)));
    }
    insta::assert_snapshot!(table.join("\n"), @r"
    101143: 1143 | The order has not been paid for, the password is currently being entered -> payment 1143 0 -> payment 0000 0
    101145: 1145 | Please wait while processing -> payment 1145 0 -> payment 0000 0
    101205: 1205 | The transaction failed. Please try again later -> payment 1205 0 -> payment 1205 0
    101100: 1100 | System under maintenance -> payment 1143 0 -> payment 0000 0
    101254: 1254 | A problem occurred. We are currently resolving the issue -> payment 1143 0 -> payment 0000 0
    131205: 1205 | 交易失败，请稍后再试 -> payment 1205 0 -> payment 1205 0
    121205: 1205 | 交易失敗，請稍後再試 -> payment 1205 0 -> payment 1205 0
    ");
}

#[tokio::test]
async fn an_answer_can_be_lost_after_the_order_was_made() {
    let shop = Shop::open().await;
    let params = [
        ("txamt", "10502"),
        ("txcurrcd", "HKD"),
        ("pay_type", "800201"),
        ("out_trade_no", "A1"),
        ("txdtm", TXDTM),
    ];
    let response = shop.send(Endpoint::Payment, &params).await;
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(shop.states("A1").await, ["payment 1143 0"]);
}

#[tokio::test]
async fn a_number_is_used_once_over_payments_and_refunds() {
    let mut table = Vec::new();
    for duplicate in
        [Duplicate::Text1251, Duplicate::Code1102, Duplicate::Code2011, Duplicate::Echo]
    {
        let shop = Shop::with(|it| it.duplicate = duplicate).await;
        let syssn = shop.paid("A1", "100").await;
        shop.refund(&syssn, "R1", "10").await;
        let answers = [
            shop.pay("A1", "100").await,
            shop.pay("R1", "100").await,
            shop.refund(&syssn, "A1", "10").await,
            shop.refund(&syssn, "R1", "10").await,
        ];
        let answers = answers.map(|it| format!("{} {}", said(&it), it["syssn"]));
        table.push(format!("{duplicate:?}:\n  {}", answers.join("\n  ")));
        assert_eq!(shop.states("A1,R1").await, ["refund 0000 0", "payment 0000 5"]);
    }
    insta::assert_snapshot!(table.join("\n"), @r#"
    Text1251:
      1251 | out_trade_no is used null
      1251 | out_trade_no is used null
      1251 | out_trade_no is used null
      1251 | out_trade_no is used null
    Code1102:
      1102 | Duplicate request null
      1102 | Duplicate request null
      1102 | Duplicate request null
      1102 | Duplicate request null
    Code2011:
      2011 | Transaction serial number repeats null
      2011 | Transaction serial number repeats null
      2011 | Transaction serial number repeats null
      2011 | Transaction serial number repeats null
    Echo:
      0000 | Transaction successful "20261123000100020000000001"
      1251 | out_trade_no is used null
      1251 | out_trade_no is used null
      0000 | Transaction successful "20261123000100020000000002"
    "#);
}
