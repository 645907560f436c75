//! Faults on purpose: what each does, what it leaves in the book, and whom it strikes.
use std::{collections::BTreeMap, time::Instant};

use futures::future::join_all;

use super::*;

impl Shop {
    /// A shop whose late answers are not very late.
    async fn with_faults(faults: &str) -> Self {
        Self::with(|it| {
            it.faults = Some(faults.parse().unwrap());
            it.limits = None;
        })
        .await
    }

    async fn try_pay(&self, number: &str) -> String {
        let params = [
            ("txamt", "100"),
            ("txcurrcd", "HKD"),
            ("pay_type", "800201"),
            ("out_trade_no", number),
            ("txdtm", TXDTM),
        ];
        self.seen(Endpoint::Payment, &params).await
    }

    async fn try_refund(&self, syssn: &str, number: &str) -> String {
        let params =
            [("syssn", syssn), ("out_trade_no", number), ("txamt", "10"), ("txdtm", TXDTM)];
        self.seen(Endpoint::Refund, &params).await
    }

    /// What a caller gets to see of its answer.
    async fn seen(&self, endpoint: Endpoint, params: &[(&str, &str)]) -> String {
        let response = match self.try_send(endpoint, params).await {
            Ok(response) => response,
            Err(error) if format!("{error:?}").contains("IncompleteMessage") => {
                return "broken off".to_owned();
            }
            Err(error) => panic!("{error:?}"),
        };
        let status = response.status();
        let header =
            |name: &str| response.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
        let retry = header("retry-after").map_or(String::new(), |it| format!(" retry {it}"));
        let sign = header("x-qf-sign");
        let body = response.text().await.unwrap();
        let Some(sign) = sign else { return format!("{status}{retry}: {body}") };
        let right = sign::sign_body(body.as_bytes(), SignType::Md5, &KEY.into());
        let signed = if sign::same(&right, &sign) { "signed" } else { "wrong signature" };
        match serde_json::from_str(&body) {
            Ok(body) => format!("{} {signed}: {}", status.as_u16(), said(&body)),
            Err(error) => format!("{} {signed}: no JSON, {:?}", status.as_u16(), error.classify()),
        }
    }

    async fn has(&self, number: &str) -> &'static str {
        let book = self.simulator.book().await.unwrap();
        if book.iter().any(|it| it.out_trade_no == number) { "done" } else { "not done" }
    }
}

#[tokio::test]
async fn what_each_fault_does_to_a_payment_and_to_a_refund() {
    let shop = Shop::with_faults("late_ms=1").await;
    let syssn = shop.paid("A1", "1000").await;
    let (mut payments, mut refunds) = (Vec::new(), Vec::new());
    for fault in Fault::ALL {
        let (word, refund) = (fault.word(), format!("{}-refund", fault.word()));
        shop.simulator.next(Endpoint::Payment, fault);
        let seen = shop.try_pay(word).await;
        payments.push(format!("{word}: {}: {seen}", shop.has(word).await));
        shop.simulator.next(Endpoint::Refund, fault);
        let seen = shop.try_refund(&syssn, &refund).await;
        refunds.push(format!("{word}: {}: {seen}", shop.has(&refund).await));
    }
    assert_eq!(payments, refunds);
    insta::assert_snapshot!(payments.join("\n"), @r"
    lost_request: not done: broken off
    lost_answer: done: broken off
    late_answer: done: 200 signed: 0000 | Transaction successful
    rate_limited: not done: 429 Too Many Requests retry 1: Too Many Requests
    rate_limited_bare: not done: 429 Too Many Requests: Too Many Requests
    error_500: done: 500 Internal Server Error: Internal Server Error
    error_500_undone: not done: 500 Internal Server Error: Internal Server Error
    html_502: done: 502 Bad Gateway: <html><h1>502 Bad Gateway</h1></html>
    truncated: done: 200 wrong signature: no JSON, Eof
    wrong_signature: done: 200 wrong signature: 0000 | Transaction successful
    processing: done: 200 signed: 1145 | Please wait while processing
    unknown_code: done: 200 signed: 9876
    duplicate_1251: done: 200 signed: 1251 | out_trade_no is used
    duplicate_1102: done: 200 signed: 1102 | Duplicate request
    duplicate_2011: done: 200 signed: 2011 | Transaction serial number repeats
    ");
}

#[tokio::test]
async fn what_each_fault_does_to_an_enquiry() {
    let shop = Shop::with_faults("late_ms=1").await;
    let mut table = Vec::new();
    for fault in Fault::ALL {
        shop.simulator.next(Endpoint::Query, fault);
        let seen = shop.seen(Endpoint::Query, &[]).await;
        table.push(format!("{}: {seen}", fault.word()));
    }
    insta::assert_snapshot!(table.join("\n"), @r"
    lost_request: broken off
    lost_answer: broken off
    late_answer: 200 signed: 0000 | Transaction successful
    rate_limited: 429 Too Many Requests retry 1: Too Many Requests
    rate_limited_bare: 429 Too Many Requests: Too Many Requests
    error_500: 500 Internal Server Error: Internal Server Error
    error_500_undone: 500 Internal Server Error: Internal Server Error
    html_502: 502 Bad Gateway: <html><h1>502 Bad Gateway</h1></html>
    truncated: 200 wrong signature: no JSON, Eof
    wrong_signature: 200 wrong signature: 0000 | Transaction successful
    processing: 200 signed: 0000 | Transaction successful
    unknown_code: 200 signed: 9876
    duplicate_1251: 200 signed: 0000 | Transaction successful
    duplicate_1102: 200 signed: 0000 | Transaction successful
    duplicate_2011: 200 signed: 0000 | Transaction successful
    ");
}

#[tokio::test]
async fn half_an_answer_carries_the_signature_of_the_whole() {
    let shop = Shop::open().await;
    let whole = shop.send(Endpoint::Query, &[]).await;
    shop.simulator.next(Endpoint::Query, Fault::Truncated);
    let half = shop.send(Endpoint::Query, &[]).await;
    assert_eq!(half.headers()["x-qf-sign"], whole.headers()["x-qf-sign"]);
    let (whole, half) = (whole.text().await.unwrap(), half.text().await.unwrap());
    assert_eq!(half, whole[..whole.len() / 2]);
}

#[tokio::test]
async fn a_lost_answer_to_a_cancellation_leaves_the_order_cancelled() {
    let shop = Shop::open().await;
    for (number, fault) in [("A1", Fault::LostRequest), ("A2", Fault::LostAnswer)] {
        shop.pay(number, "100").await;
        shop.simulator.next(Endpoint::Close, fault);
        let params = [("out_trade_no", number), ("txamt", "100"), ("txdtm", TXDTM)];
        assert_eq!(shop.seen(Endpoint::Close, &params).await, "broken off");
    }
    assert_eq!(shop.states("A1,A2").await, ["payment 1142 2", "payment 1143 0"]);
}

#[tokio::test]
async fn what_is_still_processing_is_paid_and_refunded_as_usual() {
    let shop = Shop::open().await;
    shop.simulator.next(Endpoint::Payment, Fault::Processing);
    let paid = shop.pay_with("800208", "A1", "100", &[("auth_code", "13000")]).await;
    assert_eq!(text(&paid, "respcd"), "1145");
    assert_eq!(shop.states("A1").await, ["payment 1145 0"]);
    shop.clock.pass(3.seconds());
    assert_eq!(shop.states("A1").await, ["payment 0000 0"]);
    shop.simulator.next(Endpoint::Refund, Fault::Processing);
    let refund = shop.refund(&text(&paid, "syssn"), "R1", "30").await;
    assert_eq!(text(&refund, "respcd"), "1145");
    shop.clock.pass(3.seconds());
    assert_eq!(shop.states("A1,R1").await, ["refund 0000 0", "payment 0000 5"]);
}

#[tokio::test]
async fn a_request_that_is_refused_is_refused_by_a_proxy_that_repeats_it_too() {
    let shop = Shop::open().await;
    shop.simulator.next(Endpoint::Payment, Fault::Duplicate1102);
    let refused = shop.pay("A1", "1.5").await;
    assert_eq!(text(&refused, "respcd"), "1104");
    assert_eq!(text(&shop.pay("A1", "100").await, "respcd"), "0000");
}

#[tokio::test]
async fn faults_strike_their_endpoint_only_and_in_the_order_they_were_scripted_in() {
    let shop = Shop::open().await;
    shop.simulator.next(Endpoint::Query, Fault::Html502);
    shop.simulator.next(Endpoint::Payment, Fault::LostRequest);
    shop.simulator.next(Endpoint::Payment, Fault::Duplicate2011);
    assert_eq!(shop.try_pay("A1").await, "broken off");
    assert!(shop.try_pay("A1").await.contains("2011"));
    assert!(shop.try_pay("A2").await.contains("0000"));
    assert!(shop.seen(Endpoint::Query, &[]).await.starts_with("502"));
    assert!(shop.seen(Endpoint::Query, &[]).await.starts_with("200"));
}

#[tokio::test]
async fn a_late_answer_is_late_and_the_work_is_not() {
    let shop = Shop::with_faults("late_answer=1000,late_ms=300").await;
    let before = Instant::now();
    shop.pay("A1", "100").await;
    assert!(before.elapsed() >= Duration::from_millis(300));
    let entries = shop.simulator.book().await.unwrap();
    assert_eq!(entries.len(), 1);
}

#[tokio::test]
async fn what_is_not_carried_out_does_not_count_against_the_limits() {
    let limits = Limits { per_second: 1, per_minute: 10 };
    let shop = Shop::with(|it| it.limits = Some(limits)).await;
    for fault in [Fault::RateLimited, Fault::RateLimitedBare, Fault::LostRequest] {
        shop.simulator.next(Endpoint::Query, fault);
        shop.seen(Endpoint::Query, &[]).await;
    }
    // One that the limits turn away meets no fault: it is left for the next.
    assert!(shop.seen(Endpoint::Query, &[]).await.starts_with("200"));
    shop.simulator.next(Endpoint::Query, Fault::Html502);
    assert!(shop.seen(Endpoint::Query, &[]).await.starts_with("429"));
    shop.clock.pass(1.seconds());
    assert!(shop.seen(Endpoint::Query, &[]).await.starts_with("502"));
    assert_eq!(shop.simulator.requests(Endpoint::Query), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_strikes_the_same_requests_in_whatever_order_they_come() {
    const FAULTS: &str = "seed=11,lost_answer=300,error_500_undone=200,unknown_code=100";
    let (first, second) = (Shop::with_faults(FAULTS).await, Shop::with_faults(FAULTS).await);
    let numbers: Vec<String> = (0..40).map(|it| format!("A{it}")).collect();
    let twice = async |shop: &Shop, number: &String| {
        let seen = [shop.try_pay(number).await, shop.try_pay(number).await];
        (number.clone(), seen)
    };
    let mut one_by_one = BTreeMap::new();
    for number in &numbers {
        one_by_one.extend([twice(&first, number).await]);
    }
    let at_once = join_all(numbers.iter().rev().map(|it| twice(&second, it))).await;
    let at_once: BTreeMap<_, _> = at_once.into_iter().collect();
    assert_eq!(one_by_one, at_once);
    let struck = |it: &[String; 2]| it.iter().any(|it| !it.starts_with("200"));
    let struck = at_once.values().filter(|it| struck(it)).count();
    assert!((20..40).contains(&struck), "{struck}");
}

#[tokio::test]
async fn the_book_is_read_with_a_simulator_and_without_one() {
    let shop = Shop::open().await;
    let syssn = shop.paid("A1", "100").await;
    shop.refund(&syssn, "R1", "30").await;
    let entries = shop.simulator.book().await.unwrap();
    let entry = Entry {
        kind: Kind::Payment,
        out_trade_no: "A1".to_owned(),
        syssn: syssn.clone(),
        origssn: None,
        amount: 100,
        currency: "HKD".to_owned(),
        respcd: "0000".to_owned(),
        cancel: "5".to_owned(),
        refunded: 30,
    };
    let refund = Entry {
        kind: Kind::Refund,
        out_trade_no: "R1".to_owned(),
        syssn: entries[1].syssn.clone(),
        origssn: Some(syssn),
        amount: 30,
        cancel: "0".to_owned(),
        refunded: 0,
        ..entry.clone()
    };
    assert_eq!(entries, [entry, refund]);
    let mut settings = Settings::new(shop.dir.path().join("book.db"));
    settings.clock = shop.clock.clone();
    assert_eq!(read_book(&settings).await.unwrap(), entries);
    shop.simulator.stop().await;
    assert_eq!(read_book(&settings).await.unwrap(), entries);
    settings.mchid = Some("another".to_owned());
    assert_eq!(read_book(&settings).await.unwrap(), []);
    settings.book = shop.dir.path().join("none.db");
    assert!(read_book(&settings).await.is_err());
}
