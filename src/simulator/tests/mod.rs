//! The simulator from outside: an independent caller, which signs with `client::sign` and reads
//! answers by itself.
mod cancels;
mod checkout;
mod faults;
mod gates;
mod notifications;
mod pages;
mod payments;
mod queries;
mod refunds;
mod sharing;
mod wire;

use std::sync::Mutex;

use jiff::{Span, Timestamp, ToSpan as _};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::client::sign::{self, SignType};

/// A clock that stands still until it is moved.
#[derive(Debug)]
struct Stopped(Mutex<Timestamp>);

impl Stopped {
    fn at(text: &str) -> Arc<Self> {
        Arc::new(Self(Mutex::new(text.parse().unwrap())))
    }

    fn pass(&self, span: Span) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(span).unwrap();
    }
}

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// 14:30 in Hong Kong.
const NOON: &str = "2026-11-23T06:30:00Z";
const TXDTM: &str = "2026-11-23 06:30:00";

/// A simulator, the clock it goes by, and a merchant who calls it.
struct Shop {
    simulator: Simulator,
    clock: Arc<Stopped>,
    http: Client,
    mchid: Option<String>,
    sign_type: SignType,
    dir: Arc<TempDir>,
}

impl Shop {
    async fn open() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(Arc::new(tempfile::tempdir().unwrap()), Stopped::at(NOON), change).await
    }

    /// Another simulator on the same book, by the same clock.
    async fn beside(&self) -> Self {
        Self::on(self.dir.clone(), self.clock.clone(), |it| it.limits = None).await
    }

    async fn on(
        dir: Arc<TempDir>,
        clock: Arc<Stopped>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings::new(dir.path().join("book.db"));
        settings.clock = clock.clone();
        change(&mut settings);
        let mchid = settings.mchid.clone();
        let simulator = Simulator::start(settings).await.unwrap();
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = http.build().unwrap();
        Self { simulator, clock, http, mchid, sign_type: SignType::Sha256, dir }
    }

    /// Sends a signed call and gives back what came, unread.
    async fn send(&self, endpoint: Endpoint, params: &[(&str, &str)]) -> Response {
        self.try_send(endpoint, params).await.unwrap()
    }

    async fn try_send(
        &self,
        endpoint: Endpoint,
        params: &[(&str, &str)],
    ) -> reqwest::Result<Response> {
        let mchid = self.mchid.as_deref().map(|it| ("mchid", it));
        let params: Vec<_> = params.iter().copied().chain(mchid).collect();
        let key = SecretString::from(KEY);
        let mut request = self
            .http
            .post(format!("{}{}", self.simulator.url(), endpoint.path()))
            .header("X-QF-APPCODE", APP_CODE)
            .header("X-QF-SIGN", sign::sign(params.iter().copied(), self.sign_type, &key));
        if self.sign_type == SignType::Sha256 {
            request = request.header("X-QF-SIGNTYPE", "SHA256");
        }
        request.form(&params).send().await
    }

    /// Sends a signed call, holds the answer's signature against its raw body, and reads it.
    async fn call(&self, endpoint: Endpoint, params: &[(&str, &str)]) -> Value {
        let response = self.send(endpoint, params).await;
        assert_eq!(response.status(), StatusCode::OK);
        let sign = response.headers()["x-qf-sign"].to_str().unwrap().to_owned();
        let body = response.bytes().await.unwrap();
        assert!(sign::same(&sign::sign_body(&body, SignType::Md5, &KEY.into()), &sign));
        serde_json::from_slice(&body).unwrap()
    }

    async fn pay_with(
        &self,
        pay_type: &str,
        number: &str,
        txamt: &str,
        more: &[(&str, &str)],
    ) -> Value {
        let mut params = vec![
            ("txamt", txamt),
            ("txcurrcd", "HKD"),
            ("pay_type", pay_type),
            ("out_trade_no", number),
            ("txdtm", TXDTM),
        ];
        params.extend(more);
        self.call(Endpoint::Payment, &params).await
    }

    /// A WeChat QR order.
    async fn pay(&self, number: &str, txamt: &str) -> Value {
        self.pay_with("800201", number, txamt, &[]).await
    }

    /// A WeChat QR order that has been paid.
    async fn paid(&self, number: &str, txamt: &str) -> String {
        let syssn = text(&self.pay(number, txamt).await, "syssn");
        self.clock.pass(3.seconds());
        syssn
    }

    async fn refund(&self, syssn: &str, number: &str, txamt: &str) -> Value {
        let params =
            [("syssn", syssn), ("out_trade_no", number), ("txamt", txamt), ("txdtm", TXDTM)];
        self.call(Endpoint::Refund, &params).await
    }

    async fn query(&self, params: &[(&str, &str)]) -> Value {
        self.call(Endpoint::Query, params).await
    }

    /// The records of a number: type, respcd and cancel.
    async fn states(&self, numbers: &str) -> Vec<String> {
        let found = self.query(&[("out_trade_no", numbers)]).await;
        let say = |it: &Value| {
            format!("{} {} {}", text(it, "order_type"), text(it, "respcd"), text(it, "cancel"))
        };
        found["data"].as_array().unwrap().iter().map(say).collect()
    }

    async fn cancel(&self, endpoint: Endpoint, number: &str, txamt: &str) -> Value {
        let params = [("out_trade_no", number), ("txamt", txamt), ("txdtm", TXDTM)];
        self.call(endpoint, &params).await
    }

    async fn page(&self, path: &str) -> (StatusCode, String) {
        let response = self.http.get(format!("{}{path}", self.simulator.url()));
        let response = response.send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no text `{name}` in {value}")).to_owned()
}

/// What an answer says: its code and texts.
fn said(value: &Value) -> String {
    let texts = ["respcd", "resperr", "respmsg"].map(|it| text(value, it));
    texts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" | ")
}
