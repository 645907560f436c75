//! Payments over a QFPay that answers from a script, for the tests of every use case.
use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use serde_json::json;
use tempfile::TempDir;

use crate::payments::{
    create::NewPayment,
    query::Find,
    refund::{NewRefund, Of},
    *,
};
use crate::{
    client::{Exchange, Notification, NotificationError, Page, Query, SignatureCheck},
    domain::{Amount, Ending, PaymentTerms, RefundTerms},
    ledger::{Scope, sqlite::SqliteLedger},
    spec::{Currency, Field, PayType, pay_types::Cancel},
};

pub(super) static CALLER: Caller = Caller::own("terminal", "test");
pub(super) const PAID: &str = r#"{"respcd":"0000","syssn":"20261123000200020000000001"}"#;

pub(super) fn payment(respcd: &str, cancel: &str) -> serde_json::Value {
    json!({
        "order_type": "payment", "respcd": respcd, "cancel": cancel, "out_trade_no": "A1",
        "syssn": "20261123000200020000000001", "txamt": "100", "txcurrcd": "HKD",
        "pay_type": "800201", "txdtm": "2026-11-23 14:30:05", "sysdtm": "2026-11-23 14:30:05",
    })
}

pub(super) fn refund(number: &str, minor: u64) -> serde_json::Value {
    json!({
        "order_type": "refund", "respcd": "0000", "out_trade_no": number,
        "syssn": format!("2026112300020002000000{minor:04}"),
        "origssn": "20261123000200020000000001", "txamt": minor, "txcurrcd": "HKD",
    })
}

pub(super) fn records(records: &[serde_json::Value]) -> String {
    json!({"respcd": "0000", "data": records}).to_string()
}

pub(super) fn new_payment(code: &str, number: &str, minor: u64) -> NewPayment {
    let amount = Amount::from_minor(minor, Currency::find("HKD").unwrap()).unwrap();
    let mut extras = BTreeMap::new();
    if code == "800208" {
        extras.insert(Field::AuthCode, "284957201938475610".to_owned());
    }
    let terms = PaymentTerms { amount, pay_type: PayType::find(code).unwrap(), extras };
    NewPayment { number: Some(number.parse().unwrap()), terms, yes: None }
}

/// Payments over a QFPay that answers from a script, and a real ledger.
pub(in crate::payments) struct World {
    pub(in crate::payments) payments: Payments,
    pub(super) qfpay: Arc<Script>,
    hand: Arc<Hand>,
    _folder: TempDir,
}

/// Bodies to answer with, oldest first (`lost` and `not sent` are troubles); what was asked.
#[derive(Default)]
pub(super) struct Script {
    answers: Mutex<Vec<String>>,
    asked: Mutex<Vec<String>>,
    /// Told when a request has left; answers wait while somebody holds `hold`.
    pub(super) left: tokio::sync::Notify,
    pub(super) hold: Arc<tokio::sync::Mutex<()>>,
}

/// A clock that stands still until a test moves it.
#[derive(Debug, Default)]
pub(super) struct Hand(Mutex<SignedDuration>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        let start: Timestamp = "2026-11-23T06:30:05Z".parse().unwrap();
        start.checked_add(*self.0.lock().unwrap()).unwrap()
    }
}

impl Script {
    fn next(&self, asked: &str) -> Result<String, Trouble> {
        self.asked.lock().unwrap().push(asked.to_owned());
        let mut answers = self.answers.lock().unwrap();
        assert!(!answers.is_empty(), "nobody expected {asked}");
        let answer = answers.remove(0);
        match answer.as_str() {
            "lost" => Err(Trouble::Lost { reason: answer }),
            "not sent" => Err(Trouble::NotSent { reason: answer, retry_after: None }),
            _ => Ok(answer),
        }
    }
}

#[async_trait]
impl Gateway for Script {
    async fn pay(&self, order: &OrderNumber, terms: &PaymentTerms, _: Timestamp) -> Exchange {
        let body = self.next(&format!("pay {order} {}", terms.amount.minor()))?;
        self.left.notify_one();
        let _ = self.hold.lock().await;
        Answer::parse(body.as_bytes(), SignatureCheck::Absent)
    }

    async fn checkout(
        &self,
        order: &OrderNumber,
        _: &PaymentTerms,
        at: Timestamp,
    ) -> Result<String, Trouble> {
        Ok(format!("https://qfpay.example/checkstand/#/?{order}&{}", at.as_millisecond()))
    }

    async fn refund(&self, number: &OrderNumber, terms: &RefundTerms, _: Timestamp) -> Exchange {
        let body = self.next(&format!("refund {number} {}", terms.amount.minor()))?;
        Answer::parse(body.as_bytes(), SignatureCheck::Absent)
    }

    async fn cancel(&self, by: Cancel, ending: &Ending) -> Exchange {
        let body = self.next(&format!("{by:?} {} {}", ending.number, ending.made_at))?;
        Answer::parse(body.as_bytes(), SignatureCheck::Absent)
    }

    fn notification(
        &self,
        body: &[u8],
        signature: Option<&str>,
    ) -> Result<Notification, NotificationError> {
        Notification::verify(body, signature, &"key".into())
    }

    async fn query(&self, query: &Query) -> Result<Page, Trouble> {
        let numbers: Vec<&str> = query.orders.iter().map(OrderNumber::as_str).collect();
        let start = query.window.map(|it| time::format_wire(it.start)).unwrap_or_default();
        let body = self.next(&format!("query {} {start}", numbers.join(",")))?;
        let _ = self.hold.lock().await;
        Page::parse(body.as_bytes(), SignatureCheck::Absent)
    }
}

impl World {
    pub(in crate::payments) fn answering(answers: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment::Sandbox;
        let scope = Scope { environment, merchant: "m1".to_owned() };
        let qfpay = Arc::new(Script::default());
        let hand = Arc::new(Hand::default());
        let payments = Payments {
            gateway: qfpay.clone(),
            ledger: Arc::new(SqliteLedger::new(&folder.path().join("ledger.db"), scope)),
            clock: hand.clone(),
            settings: Arc::new(Settings {
                environment,
                mchid: None,
                merchant: "m1".to_owned(),
                policy: Policy::default(),
                approval_time: SignedDuration::from_mins(15),
                notify_url: None,
                zone: time::qfpay_zone(),
                repeat_window: SignedDuration::from_mins(5),
                give_up_after: SignedDuration::from_hours(2),
            }),
            tasks: TaskTracker::new(),
            changes: Changes::default(),
            drain: CancellationToken::new(),
            stop: CancellationToken::new(),
        };
        let world = Self { payments, qfpay, hand, _folder: folder };
        world.then(answers);
        world
    }

    /// A world in which order A1 was paid.
    pub(super) async fn paid(minor: u64) -> Self {
        let world = Self::answering(&[PAID]);
        world.pay("A1", minor).await;
        world
    }

    pub(super) fn in_production(&mut self) {
        let settings =
            Settings { environment: Environment::Prod, ..(*self.payments.settings).clone() };
        self.payments.settings = Arc::new(settings);
    }

    /// Under another policy than "everything, and nobody is asked".
    pub(super) fn under(&mut self, policy: Policy) {
        self.payments.settings = Arc::new(Settings { policy, ..(*self.payments.settings).clone() });
    }

    /// Moves the clock on.
    pub(super) fn later(&self, minutes: i64) {
        let mut hand = self.hand.0.lock().unwrap();
        *hand = hand.checked_add(SignedDuration::from_mins(minutes)).unwrap();
    }

    pub(super) fn then(&self, answers: &[&str]) {
        self.qfpay.answers.lock().unwrap().extend(answers.iter().map(|it| (*it).to_owned()));
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.qfpay.asked.lock().unwrap().clone()
    }

    pub(super) async fn pay(&self, number: &str, minor: u64) -> String {
        self.pay_by("800201", number, minor).await
    }

    /// Pays, and says in a word how it went.
    pub(super) async fn pay_by(&self, code: &str, number: &str, minor: u64) -> String {
        match self.payments.create(&CALLER, new_payment(code, number, minor)).await {
            Ok(it) => {
                let again = if it.replayed { " again" } else { "" };
                let trouble = it.trouble.map(|it| format!(" ({it})")).unwrap_or_default();
                format!("{}{again}{trouble}", it.payment.state)
            }
            Err(refused) => refused.to_string(),
        }
    }

    /// Refunds order A1, and says how it went.
    pub(super) async fn refund(&self, number: &str, minor: Option<u64>) -> String {
        let new = NewRefund {
            of: Of::Order("A1".parse().unwrap()),
            amount: minor.map(|it| it.to_string()),
            number: Some(number.parse().unwrap()),
            yes: None,
        };
        match self.payments.refund(&CALLER, new).await {
            Ok(it) => {
                let again = if it.replayed { " again" } else { "" };
                let left = it.left_minor.map(|it| format!(", {it} left")).unwrap_or_default();
                let trouble = it.trouble.map(|it| format!(" ({it})")).unwrap_or_default();
                let minor = it.refund.terms.amount.minor();
                format!("{} {minor}{left}{again}{trouble}", it.refund.state)
            }
            Err(refused) => refused.to_string(),
        }
    }

    /// Asks about an order, and says how it stands.
    pub(super) async fn status(&self, number: &str) -> String {
        let found = match self.payments.query(&CALLER, Find::Order(number.parse().unwrap())).await {
            Ok(found) => found,
            Err(refused) => return refused.to_string(),
        };
        let Some(order) = found.orders.first() else { return "unknown".to_owned() };
        let refunds: Vec<String> = order
            .refunds
            .iter()
            .map(|it| {
                let number = it.number.as_ref().unwrap();
                format!(" [{number} {} {}]", it.status, it.amount.unwrap().minor())
            })
            .collect();
        let at_qfpay = if order.at_qfpay { "" } else { ", not at QFPay" };
        format!("{}{at_qfpay}{}", order.status, refunds.concat())
    }
}
