//! How the server ends: nothing new that moves money, what is under way to its end, then all.
use nix::sys::signal::Signal;
use qfpay_mcp::{
    simulator::{Gate, Settings, Simulator, When},
    spec::endpoints::Endpoint,
};
use reqwest::{Response, StatusCode};
use serde_json::json;
use tokio::task::JoinHandle;

use super::{Service, message, order};
use crate::harness::{Desk, soon};

async fn world() -> (Desk, Simulator, Service) {
    let desk = Desk::new();
    let settings = Settings { limits: None, ..Settings::new(desk.path().join("book.db")) };
    let simulator = Simulator::start(settings).await.unwrap();
    let url = simulator.url();
    let service = Service::start(
        &desk,
        &["--admin", "127.0.0.1:0"],
        &[("QFPAY_SIMULATOR_URL", &url), ("QFPAY_LOG", "info")],
    )
    .await;
    (desk, simulator, service)
}

type Answer = JoinHandle<reqwest::Result<Response>>;

/// A payment that QFPay holds.
async fn payment_under_way(simulator: &Simulator, service: &Service) -> (Gate, Answer) {
    let gate = simulator.hold(Endpoint::Payment, When::After);
    let call = json!({"name": "create_payment", "arguments": order("A1")});
    let under_way = tokio::spawn(service.request("", "tools/call", call).send());
    soon("the payment is at QFPay", gate.reached()).await;
    (gate, under_way)
}

#[tokio::test]
async fn an_ending_server_begins_no_payment_answers_questions_and_finishes_what_is_under_way() {
    let (_desk, simulator, service) = world().await;
    service.call("", "create_payment", order("BEFORE")).await;
    let (gate, under_way) = payment_under_way(&simulator, &service).await;
    service.signal(Signal::SIGTERM);
    service.logged("beginning nothing new").await;

    let (status, why) = service.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(why.contains("draining"), "{why}");
    // A state that answers no question of ours opens nothing.
    let call = json!({"name": "create_payment", "arguments": order("A3"), "requestState": "x"});
    let answer = message(service.request("", "tools/call", call).send().await.unwrap()).await;
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    let refused = service.call("", "create_payment", order("A2")).await;
    let refused = refused.as_str().unwrap();
    assert!(
        refused.starts_with("Refused; nothing was sent") && refused.contains("Call again"),
        "{refused}"
    );
    let asked = service.call("", "query_transaction", json!({"out_trade_no": "BEFORE"})).await;
    assert!(asked.is_object(), "{asked}");
    assert!(service.call("", "list_pay_types", json!({})).await.is_object());

    gate.release();
    let answer = message(under_way.await.unwrap().unwrap()).await;
    assert_eq!(answer["result"]["structuredContent"]["status"], "pending", "{answer}");
    assert_eq!(service.ended().await, Some(0));
    assert_eq!(simulator.requests(Endpoint::Payment), 2);
}

#[tokio::test]
async fn a_second_signal_ends_it_without_waiting_any_longer() {
    let (_desk, simulator, service) = world().await;
    let (gate, under_way) = payment_under_way(&simulator, &service).await;
    service.signal(Signal::SIGTERM);
    service.logged("beginning nothing new").await;
    service.signal(Signal::SIGINT);
    service.logged("again: ending").await;
    // QFPay never answers; what it is told then is that nobody knows.
    let answer = under_way.await.unwrap().unwrap();
    let status = answer.status();
    let told = answer.text().await.unwrap();
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{told}");
    assert!(told.contains("do not repeat it"), "{told}");
    assert_eq!(service.ended().await, Some(0));
    gate.release();
}

#[tokio::test]
async fn a_server_without_work_ends_at_once() {
    let (_desk, _simulator, service) = world().await;
    service.signal(Signal::SIGINT);
    assert_eq!(service.ended().await, Some(0));
}
