//! What probes, monitors and collectors of traces are told.
use std::sync::Arc;

use axum::{Router, body::Bytes, extract::State, routing::post};
use nix::sys::signal::Signal;
use reqwest::StatusCode;
use serde_json::json;
use tokio::sync::Mutex;

use super::{Service, order};
use crate::harness::Desk;

#[tokio::test]
async fn the_figures_tell_calls_answers_and_doubts() {
    let desk = Desk::new();
    let service = Service::start(&desk, &[], &[]).await;
    service.call("", "create_payment", order("A1")).await;
    let mut lost = order("A2");
    lost["amount"] = json!(100_502);
    assert_eq!(service.call("", "create_payment", lost).await["status"], "in_doubt");
    service.call("", "create_payment", json!({"amount": "x"})).await;
    let (_, session) = service.initialize("").await;
    assert!(session.is_some());
    let (status, figures) = service.get("/metrics").await;
    assert_eq!(status, StatusCode::OK);
    for wanted in [
        "qfpay_mcp_calls_total{tool=\"create_payment\",outcome=\"done\"} 1",
        "qfpay_mcp_calls_total{tool=\"create_payment\",outcome=\"in_doubt\"} 1",
        "qfpay_mcp_calls_total{tool=\"create_payment\",outcome=\"refused\"} 1",
        "qfpay_mcp_upstream_requests_total{endpoint=\"/trade/v1/payment\",code=\"0000\"} 1",
        "qfpay_mcp_upstream_requests_total{endpoint=\"/trade/v1/payment\",code=\"server_error\"} 1",
        "qfpay_mcp_in_doubt{merchant=\"app:simulator-app\"} 1",
        "qfpay_mcp_sessions{transport=\"http\"} 1",
        "qfpay_mcp_pace_wait_seconds_count",
        "# HELP qfpay_mcp_recovery_lag_seconds",
    ] {
        assert!(figures.contains(wanted), "{wanted} is not in\n{figures}");
    }
    assert!(!figures.contains("A1") && !figures.contains("NaN"));
}

#[tokio::test]
async fn monitors_have_an_address_of_their_own() {
    let desk = Desk::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let admin = port.to_string();
    let service = Service::start(&desk, &["--admin", &admin], &[]).await;
    assert_eq!(service.get("/metrics").await.0, StatusCode::NOT_FOUND);
    let get = async |path: &str| {
        let asked = service.http.get(format!("http://{admin}{path}")).send().await.unwrap();
        asked.status()
    };
    for path in ["/metrics", "/healthz", "/readyz"] {
        assert_eq!(get(path).await, StatusCode::OK, "{path}");
    }
    assert_eq!(get("/mcp").await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_server_whose_ledger_is_out_of_reach_is_alive_and_not_ready() {
    let desk = Desk::new();
    let nothing = [("QFPAY_LEDGER", "postgres://nobody@127.0.0.1:1/none")];
    let service = Service::start(&desk, &[], &nothing).await;
    assert_eq!(service.get("/healthz").await.0, StatusCode::OK);
    let (status, why) = service.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(why.contains("not_ready"), "{why}");
}

/// All that was sent to a collector.
type Sent = Arc<Mutex<Vec<u8>>>;

async fn collector() -> (String, Sent) {
    let sent = Sent::default();
    let keep = async |State(sent): State<Sent>, body: Bytes| sent.lock().await.extend(body);
    let app = Router::new().route("/v1/traces", post(keep)).with_state(sent.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (format!("http://{address}"), sent)
}

#[tokio::test]
async fn a_callers_trace_goes_on_to_the_collector_without_anything_that_was_sent() {
    let (url, sent) = collector().await;
    let desk = Desk::new();
    let service = Service::start(&desk, &[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &url)]).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let mut params = json!({"name": "create_payment", "arguments": order("TRACED1")});
    params["arguments"]["goods_name"] = json!("Secret coffee");
    let request = service.request("", "tools/call", params);
    let request = request.header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"));
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    service.signal(Signal::SIGTERM);
    assert_eq!(service.ended().await, Some(0));
    let sent = sent.lock().await;
    let has = |part: &[u8]| sent.windows(part.len()).any(|it| it == part);
    let id = hex::decode(trace).unwrap();
    for wanted in [&id[..], b"request", b"create_payment", b"/trade/v1/payment"] {
        assert!(has(wanted), "{}", String::from_utf8_lossy(wanted));
    }
    assert!(!has(b"Secret coffee") && !has(b"TRACED1"));
}
