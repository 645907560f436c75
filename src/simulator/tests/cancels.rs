//! Reversal and close.
use super::*;

#[tokio::test]
async fn an_unpaid_qr_order_is_closed_and_never_paid() {
    let shop = Shop::open().await;
    let syssn = text(&shop.pay("A1", "100").await, "syssn");
    let closed = shop.cancel(Endpoint::Close, "A1", "100").await;
    assert_eq!(said(&closed), "0000 | Transaction successful");
    assert_eq!(text(&closed, "orig_syssn"), syssn);
    assert_ne!(text(&closed, "syssn"), syssn);
    shop.clock.pass(1.hours());
    assert_eq!(shop.states("A1").await, ["payment 1142 2"]);
    assert_eq!(text(&shop.cancel(Endpoint::Close, "A1", "100").await, "respcd"), "1142");
}

#[tokio::test]
async fn a_payers_code_is_reversed_paid_or_not() {
    let shop = Shop::open().await;
    shop.pay_with("800208", "A1", "100", &[("auth_code", "c1")]).await;
    shop.pay_with("800208", "A2", "101143", &[("auth_code", "c2")]).await;
    for (number, txamt) in [("A1", "100"), ("A2", "101143")] {
        let reversed = shop.cancel(Endpoint::Reversal, number, txamt).await;
        assert_eq!(text(&reversed, "respcd"), "0000");
    }
    shop.clock.pass(1.hours());
    assert_eq!(shop.states("A1,A2").await, ["payment 1263 1", "payment 0000 1"]);
    assert_eq!(text(&shop.cancel(Endpoint::Reversal, "A1", "100").await, "respcd"), "1263");
    let syssn = text(&shop.query(&[("out_trade_no", "A1")]).await["data"][0], "syssn");
    assert_eq!(text(&shop.refund(&syssn, "R1", "1").await, "respcd"), "1264");
}

#[tokio::test]
async fn what_cannot_be_cancelled_says_why() {
    let shop = Shop::open().await;
    shop.paid("A1", "100").await;
    shop.pay_with("802001", "A2", "100", &[]).await;
    shop.pay("A3", "100").await;
    let mut table = Vec::new();
    for (endpoint, number, txamt) in [
        (Endpoint::Close, "A1", "100"),
        (Endpoint::Reversal, "A1", "100"),
        (Endpoint::Close, "A2", "100"),
        (Endpoint::Close, "A3", "99"),
        (Endpoint::Close, "A9", "100"),
    ] {
        let answer = shop.cancel(endpoint, number, txamt).await;
        table.push(format!("{endpoint:?} {number} {txamt}: {}", said(&answer)));
    }
    let other = [("out_trade_no", "A3"), ("txamt", "100"), ("txdtm", "2026-11-23 06:30:01")];
    table.push(said(&shop.call(Endpoint::Close, &other).await));
    let neither = [("txamt", "100"), ("txdtm", TXDTM)];
    table.push(said(&shop.call(Endpoint::Close, &neither).await));
    insta::assert_snapshot!(table.join("\n"), @r"
    Close A1 100: 1260 | The order has already been paid for, please confirm the transaction result before conducting more transactions
    Reversal A1 100: 1297 | The banking system is busy. Please try again later or use other payment methods
    Close A2 100: 1297 | The banking system is busy. Please try again later or use other payment methods
    Close A3 99: 1266 | The transaction amount is wrong, please confirm the order status
    Close A9 100: 1268 | The order does not exist, please confirm the order status
    1267 | The order information does not match, please confirm the order status | txdtm is not the one of the original transaction
    1104 | Request parameter error: syssn: missing; send syssn or out_trade_no
    ");
}

#[tokio::test]
async fn both_calls_can_be_made_by_get() {
    let shop = Shop::open().await;
    shop.pay("A1", "100").await;
    let params = [("out_trade_no", "A1"), ("txamt", "100"), ("txdtm", TXDTM)];
    let sign = sign::sign(params, SignType::Md5, &KEY.into());
    let query = "out_trade_no=A1&txamt=100&txdtm=2026-11-23%2006:30:00";
    let request = shop
        .http
        .get(format!("{}/trade/v1/close?{query}", shop.simulator.url()))
        .header("X-QF-APPCODE", APP_CODE)
        .header("X-QF-SIGN", sign);
    let answer = request.send().await.unwrap().text().await.unwrap();
    assert!(answer.starts_with(r#"{"respcd": "0000""#), "{answer}");
}
