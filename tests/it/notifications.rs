//! What QFPay tells of its own accord, over the real HTTP server.
use qfpay_mcp::{
    ledger::{Happening, Ledger as _, Scope, sqlite::SqliteLedger},
    spec::Environment,
};
use serde_json::{Value, json};

use crate::{
    harness::Desk,
    web::{Agent, Service},
};

/// A server that QFPay can tell something.
struct Till {
    service: Service,
    agent: Agent,
    http: reqwest::Client,
}

impl Till {
    async fn start(desk: &Desk, payer_seconds: &str) -> Self {
        let mut command = desk.command();
        command.env("QFPAY_SIMULATOR_PAYER_SECONDS", payer_seconds);
        let service = Service::of(command).await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { agent: Agent::of(&service.base), service, http }
    }

    async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.agent.reply(tool, arguments).await
    }

    async fn tell(&self, body: &str, signature: &str) -> (u16, String) {
        let told = self
            .http
            .post(format!("{}/qfpay/notifications", self.service.base))
            .header("X-QF-SIGN", signature)
            .body(body.to_owned());
        let answer = told.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

fn ledger(desk: &Desk) -> SqliteLedger {
    let merchant = format!("app:{}", qfpay_mcp::simulator::APP_CODE);
    let scope = Scope { environment: Environment::Simulator, merchant };
    SqliteLedger::new(&desk.path().join("ledger.db"), scope)
}

#[tokio::test]
async fn a_wait_wakes_on_the_simulators_notification_and_the_audit_says_who_told() {
    let desk = Desk::new();
    let till = Till::start(&desk, "1").await;
    let number = "N1".parse().unwrap();
    let made = till
        .call(
            "create_payment",
            json!({"amount": 1050, "currency": "HKD", "pay_type": "800201", "out_trade_no": "N1",
                   "notify_url": format!("{}/qfpay/notifications", till.service.base)}),
        )
        .await;
    assert_eq!(made["status"], "pending", "{made:#}");
    let waited = till.call("wait_for_payment", json!({"out_trade_no": "N1"})).await;
    assert_eq!(waited["status"], "paid", "{waited:#}");
    let history = ledger(&desk).history(&number).await.unwrap();
    let paid = history.iter().find(|it| it.to.as_deref() == Some("paid")).unwrap();
    assert_eq!((paid.what, paid.transport.as_str()), (Happening::Learned, "notification"));
    let sent = &history[0];
    assert_eq!((sent.transport.as_str(), sent.client.as_deref()), ("http", Some("till 2")));
}

#[tokio::test]
async fn a_forged_notification_is_refused_and_changes_nothing() {
    let desk = Desk::new();
    let till = Till::start(&desk, "never").await;
    let paid = json!({"amount": 1050, "currency": "HKD", "pay_type": "800201",
                      "out_trade_no": "N1"});
    till.call("create_payment", paid).await;
    let body =
        r#"{"notify_type": "payment", "out_trade_no": "N1", "txamt": "1050", "respcd": "0000"}"#;
    let (status, told) = till.tell(body, "0123456789ABCDEF0123456789ABCDEF").await;
    assert_eq!(status, 403);
    assert!(told.contains("signature is wrong"), "{told}");
    let history = ledger(&desk).history(&"N1".parse().unwrap()).await.unwrap();
    assert!(history.iter().all(|it| it.what != Happening::Notified));
}
