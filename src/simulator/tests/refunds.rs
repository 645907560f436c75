//! Refunds: records of their own, what is left, and the rules that refuse.
use super::*;
use crate::spec::Flow;

#[tokio::test]
async fn refunds_are_records_of_their_own_and_the_payment_shows_them_in_cancel() {
    let shop = Shop::open().await;
    let syssn = shop.paid("A1", "100").await;
    let first = shop.refund(&syssn, "R1", "40").await;
    assert_eq!(said(&first), "0000 | Transaction successful");
    assert_eq!(text(&first, "orig_syssn"), syssn);
    assert_ne!(text(&first, "syssn"), syssn);
    assert_eq!(shop.states("A1,R1").await, ["refund 0000 0", "payment 0000 5"]);
    let record = &shop.query(&[("out_trade_no", "R1")]).await["data"][0];
    assert_eq!((text(record, "origssn"), text(record, "txamt")), (syssn.clone(), "40".to_owned()));
    let over = shop.refund(&syssn, "R2", "61").await;
    assert_eq!((text(&over, "respcd").as_str(), &over["syssn"]), ("1272", &Value::Null));
    assert_eq!(text(&over, "orig_syssn"), syssn);
    shop.refund(&syssn, "R2", "60").await;
    assert_eq!(shop.states("A1").await, ["payment 0000 3"]);
    insta::assert_snapshot!(said(&shop.refund(&syssn, "R3", "1").await), @"1264 | wrong cancel");
}

#[tokio::test]
async fn a_refunded_payers_code_shows_as_reversed() {
    let shop = Shop::open().await;
    let paid = shop.pay_with("800208", "A1", "100", &[("auth_code", "c1")]).await;
    shop.refund(&text(&paid, "syssn"), "R1", "100").await;
    assert_eq!(shop.states("A1").await, ["payment 0000 1"]);
}

#[tokio::test]
async fn only_what_was_paid_is_refunded() {
    let shop = Shop::open().await;
    let unpaid = text(&shop.pay("A1", "100").await, "syssn");
    assert_eq!(text(&shop.refund(&unpaid, "R1", "1").await, "respcd"), "1261");
    let nothing = "20261123000100020000009999";
    assert_eq!(text(&shop.refund(nothing, "R1", "1").await, "respcd"), "1268");
    let paid = shop.paid("A2", "100").await;
    let refund = text(&shop.refund(&paid, "R1", "1").await, "syssn");
    assert_eq!(text(&shop.refund(&refund, "R2", "1").await, "respcd"), "1268");
}

#[tokio::test]
async fn a_pending_refund_takes_from_what_is_left_and_is_through_later() {
    let shop = Shop::open().await;
    let syssn = shop.paid("A1", "400000").await;
    let pending = shop.refund(&syssn, "R1", "101145").await;
    assert_eq!(text(&pending, "respcd"), "1145");
    assert_eq!(shop.states("A1,R1").await, ["refund 1145 0", "payment 0000 0"]);
    assert_eq!(text(&shop.refund(&syssn, "R2", "298856").await, "respcd"), "1272");
    shop.clock.pass(3.seconds());
    assert_eq!(shop.states("A1,R1").await, ["refund 0000 0", "payment 0000 5"]);
    let refused = shop.refund(&syssn, "R3", "101269").await;
    assert_eq!(text(&refused, "respcd"), "1269");
    assert_eq!(shop.states("R3").await, [""; 0]);
}

#[tokio::test]
async fn refunds_rest_around_midnight_where_that_rule_is_on() {
    for (blackout, at, respcd) in [
        (true, "2026-11-23T15:29:00Z", "0000"),
        (true, "2026-11-23T15:30:00Z", "1265"),
        (true, "2026-11-23T16:29:00Z", "1265"),
        (true, "2026-11-23T16:30:00Z", "0000"),
        (false, "2026-11-23T15:30:00Z", "0000"),
    ] {
        let shop = Shop::with(|it| it.refund_blackout = blackout).await;
        let syssn = shop.paid("A1", "100").await;
        *shop.clock.0.lock().unwrap() = at.parse().unwrap();
        assert_eq!(text(&shop.refund(&syssn, "R1", "1").await, "respcd"), respcd, "{at}");
    }
}

#[tokio::test]
async fn a_window_for_refunds_closes() {
    let shop = Shop::open().await;
    let fps = text(&shop.pay_with("802001", "A1", "100", &[]).await, "syssn");
    shop.clock.pass(3.seconds());
    shop.clock.pass((29 * 24 - 1).hours());
    assert_eq!(text(&shop.refund(&fps, "R0", "1").await, "respcd"), "0000");
    shop.clock.pass(2.hours());
    let late = shop.refund(&fps, "R1", "1").await;
    insta::assert_snapshot!(said(&late), @"1265 | 超出可退款時限");
}

#[tokio::test]
async fn octopus_is_not_refunded() {
    let shop = Shop::open().await;
    let octopus = text(&shop.pay_with("803701", "A1", "100", &[]).await, "syssn");
    shop.clock.pass(3.seconds());
    assert_eq!(text(&shop.refund(&octopus, "R1", "1").await, "respcd"), "1155");
}

/// Cards are not paid through the API, so this one is written into the book by hand.
#[tokio::test]
async fn a_card_payment_of_today_is_refunded_in_full_or_tomorrow() {
    let shop = Shop::open().await;
    let desk = &shop.simulator.desk;
    let now = desk.now_ms();
    let card = book::NewTrade {
        merchant: &desk.merchant,
        order_type: book::PAYMENT,
        out_trade_no: "A1",
        pay_type: "802801",
        txamt: 100,
        txcurrcd: "HKD",
        txdtm: TXDTM,
        sysdtm: wire(Some(now)),
        syssn_head: payment::syssn_head("2026-11-23 14:30:00", Flow::Card),
        created_ms: now,
        udid: "",
        goods_name: "",
        return_url: "",
        auth_digest: None,
        origssn: None,
        answered: "0000",
        waiting: "1143",
        pays_ms: Some(now),
        expires_ms: i64::MAX,
        settled: None,
        notify_url: "",
        notify_due_ms: None,
    };
    let syssn = desk.book.add(card).await.unwrap().unwrap().syssn;
    assert_eq!(syssn, "20261123180500020000000001");
    let part = shop.refund(&syssn, "R1", "40").await;
    insta::assert_snapshot!(said(&part), @"1124 | For void request, it must be a full refund");
    shop.clock.pass(10.hours());
    assert_eq!(text(&shop.refund(&syssn, "R1", "40").await, "respcd"), "0000");
}
