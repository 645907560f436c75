//! Notifications, as a shop's own server sees them.
use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use tokio::sync::mpsc;

use super::*;
use crate::client::Notification;

/// A shop's server: what it was told, and how it answers each time.
async fn server(answers: &'static [&'static str]) -> (String, mpsc::UnboundedReceiver<Value>) {
    let (told, hears) = mpsc::unbounded_channel();
    let count = Arc::new(AtomicU64::new(0));
    let handler = move |headers: HeaderMap, body: Bytes| async move {
        let sign = headers["x-qf-sign"].to_str().unwrap().to_owned();
        assert_eq!(sign, sign::sign_body(&body, SignType::Md5, &KEY.into()));
        assert!(Notification::verify(&body, Some(&sign), &KEY.into()).is_ok());
        assert!(body.starts_with(br#"{"status": "1", "notify_type": ""#));
        told.send(serde_json::from_slice(&body).unwrap()).unwrap();
        let at = count.fetch_add(1, Ordering::Relaxed);
        answers[usize::try_from(at).unwrap().min(answers.len() - 1)]
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    let app = Router::new().route("/notify", post(handler));
    tokio::spawn(async { axum::serve(listener, app).await });
    (url, hears)
}

async fn hear(hears: &mut mpsc::UnboundedReceiver<Value>) -> Value {
    tokio::time::timeout(Duration::from_secs(10), hears.recv()).await.unwrap().unwrap()
}

async fn note(shop: &Shop, number: &str) -> String {
    shop.simulator.desk.find(Filter::number(number)).await.unwrap().unwrap().notify_note
}

#[tokio::test]
async fn payments_and_refunds_are_told_once_signed() {
    let shop = Shop::open().await;
    let (url, mut hears) = server(&["SUCCESS"]).await;
    let made = shop.pay_with("800201", "A1", "100", &[("notify_url", &url)]).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(hears.try_recv().is_err(), "told before it was paid");
    shop.clock.pass(3.seconds());
    let told = hear(&mut hears).await;
    assert_eq!(
        ["notify_type", "out_trade_no", "txamt", "respcd", "cancel", "paydtm"]
            .map(|it| text(&told, it)),
        ["payment", "A1", "100", "0000", "0", "2026-11-23 14:30:03"]
    );
    let refund = shop.refund(&text(&made, "syssn"), "R1", "40").await;
    let told = hear(&mut hears).await;
    assert_eq!(
        ["notify_type", "syssn", "orig_syssn", "orig_out_trade_no"].map(|it| text(&told, it)),
        ["refund".to_owned(), text(&refund, "syssn"), text(&made, "syssn"), "A1".to_owned()]
    );
    shop.clock.pass(24.hours());
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(hears.try_recv().is_err(), "told again");
    assert_eq!(note(&shop, "A1").await, "acknowledged");
}

#[tokio::test]
async fn what_is_not_acknowledged_is_told_again_on_the_ladder() {
    let shop = Shop::open().await;
    let (url, mut hears) = server(&["no", "SUCCESS"]).await;
    shop.pay_with("800201", "A1", "100", &[("notify_url", &url)]).await;
    assert!(shop.simulator.act("A1", Act::Pay).await.unwrap());
    hear(&mut hears).await;
    shop.clock.pass(1.minutes());
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(hears.try_recv().is_err(), "told too early");
    assert_eq!(note(&shop, "A1").await, "not acknowledged: the body must be SUCCESS");
    shop.clock.pass(1.minutes());
    hear(&mut hears).await;
}

#[tokio::test]
async fn what_was_not_paid_and_who_is_elsewhere_is_not_told() {
    let shop = Shop::open().await;
    let (url, mut hears) = server(&["SUCCESS"]).await;
    shop.pay_with("800201", "A1", "100", &[("notify_url", &url)]).await;
    shop.cancel(Endpoint::Close, "A1", "100").await;
    shop.pay_with("800201", "A2", "101205", &[("notify_url", &url)]).await;
    shop.pay_with("800201", "A3", "100", &[("notify_url", "https://shop.example/n")]).await;
    shop.clock.pass(3.seconds());
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(hears.try_recv().is_err());
    assert_eq!(note(&shop, "A3").await, "not sent: the simulator tells loopback addresses only");
}
