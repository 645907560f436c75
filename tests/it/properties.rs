//! Any interleaving of refunds and questions, against a QFPay that refunds whatever it is asked to:
//! no more goes back than was paid, and no number is sent again that may have arrived.
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::prelude::*;
use qfpay_mcp::{
    client::{
        Answer, Exchange, Gateway, Notification, NotificationError, Page, Query, SignatureCheck,
        Trouble,
    },
    clock::Clock,
    domain::{Amount, Ending, OrderNumber, PaymentTerms, RefundTerms},
    ledger::{Caller, Entry, Scope, sqlite::SqliteLedger},
    payments::{
        Changes, Payments, Settings,
        create::NewPayment,
        query::Find,
        refund::{NewRefund, Of},
    },
    policy::Policy,
    spec::{Currency, Environment, PayType, pay_types::Cancel},
};
use serde_json::{Value, json};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

static CALLER: Caller = Caller::own("terminal", "test");
const PAID: u64 = 100;
const SYSSN: &str = "20261123000100020000000001";

/// What becomes of a refund that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Made,
    /// Made, and the answer is lost.
    Unheard,
    /// Made, and the answer has a code that nobody knows.
    Odd,
    /// Worked on, and made later.
    Processing,
    Lost,
    Refused,
    NotSent,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    /// Under one of a few numbers, so that numbers come again.
    Refund {
        number: u8,
        minor: u64,
    },
    /// All that is left, under a number of ours.
    RefundTheRest,
    Query,
    Recover,
    /// Longer than anything can be on its way.
    MuchLater,
}

fn fate() -> impl Strategy<Value = Fate> {
    use Fate::{Lost, Made, NotSent, Odd, Processing, Refused, Unheard};
    proptest::sample::select(vec![Made, Unheard, Odd, Processing, Lost, Refused, NotSent])
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..5_u8, 1..70_u64).prop_map(|(number, minor)| Act::Refund { number, minor }),
        2 => Just(Act::RefundTheRest),
        3 => Just(Act::Query),
        1 => Just(Act::Recover),
        1 => Just(Act::MuchLater),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Each inner list runs at once.
    #[test]
    fn no_interleaving_refunds_more_than_was_paid(
        acts in prop::collection::vec(prop::collection::vec(act(), 1..4), 1..10),
        fates in prop::collection::vec(fate(), 0..30),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let told = runtime.block_on(held(&acts, &fates));
        prop_assert!(told.is_ok(), "{}", told.unwrap_err());
    }
}

async fn held(acts: &[Vec<Act>], fates: &[Fate]) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let qfpay = Arc::new(Lax::default());
    qfpay.fates.lock().unwrap().extend(fates);
    let clock = Arc::new(Moving(Mutex::new("2026-11-23T06:30:05Z".parse().unwrap())));
    let payments = payments(folder.path(), &qfpay, &clock);
    let amount = Amount::from_minor(PAID, Currency::find("HKD").unwrap()).unwrap();
    let pay_type = PayType::find("800201").unwrap();
    let terms = PaymentTerms { amount, pay_type, extras: BTreeMap::new() };
    let new = NewPayment { number: Some("A1".parse().unwrap()), terms, yes: None };
    payments.create(&CALLER, new).await.unwrap();
    for at_once in acts {
        join_all(at_once.iter().map(|act| once(&payments, &clock, *act))).await;
        qfpay.check()?;
    }
    // At last QFPay answers everything, and everything is known.
    for _ in 0..3 {
        clock.jump();
        once(&payments, &clock, Act::Recover).await;
    }
    qfpay.check()?;
    let book = qfpay.made.lock().unwrap().clone();
    for refund in payments.ledger.refunds_of(&SYSSN.parse().unwrap()).await.unwrap() {
        let made = book.contains_key(refund.number.as_str());
        let status = Entry::Refund(refund.clone()).status();
        if (status == "refunded") != made {
            return Err(format!("{} is {status}, and QFPay made it: {made}", refund.number));
        }
    }
    Ok(())
}

async fn once(payments: &Payments, clock: &Moving, act: Act) {
    let order: OrderNumber = "A1".parse().unwrap();
    let refund = |number: Option<String>, amount: Option<u64>| NewRefund {
        of: Of::Order(order.clone()),
        amount: amount.map(|it| it.to_string()),
        number: number.map(|it| it.parse().unwrap()),
        yes: None,
    };
    // A refusal is an answer too.
    match act {
        Act::Refund { number, minor } => {
            let new = refund(Some(format!("R{number}")), Some(minor));
            let _ = payments.refund(&CALLER, new).await;
        }
        Act::RefundTheRest => {
            let _ = payments.refund(&CALLER, refund(None, None)).await;
        }
        Act::Query => {
            let _ = payments.query(&CALLER, Find::Order(order)).await;
        }
        Act::Recover => {
            let _ = payments.recover(&CALLER, &|_| {}).await;
        }
        Act::MuchLater => clock.jump(),
    }
}

/// A QFPay without a rule of its own, and what it did.
#[derive(Default)]
struct Lax {
    fates: Mutex<VecDeque<Fate>>,
    /// What went back, by number.
    made: Mutex<BTreeMap<String, u64>>,
    /// How often each number arrived; a refund that comes again is made again here.
    arrived: Mutex<Vec<String>>,
}

impl Lax {
    fn check(&self) -> Result<(), String> {
        let made = self.made.lock().unwrap();
        let sum: u64 = made.values().sum();
        if sum > PAID {
            return Err(format!("{sum} of {PAID} went back: {made:?}"));
        }
        let mut arrived = self.arrived.lock().unwrap().clone();
        arrived.sort();
        match arrived.windows(2).find(|it| it[0] == it[1]) {
            Some(twice) => Err(format!("{} arrived twice", twice[0])),
            None => Ok(()),
        }
    }

    /// All records, whatever is asked for.
    fn records(&self) -> Value {
        let made = self.made.lock().unwrap();
        let back: u64 = made.values().sum();
        let cancel = match back {
            0 => "0",
            back if back < PAID => "5",
            _ => "3",
        };
        let payment = json!({
            "order_type": "payment", "respcd": "0000", "cancel": cancel, "out_trade_no": "A1",
            "syssn": SYSSN, "txamt": PAID, "txcurrcd": "HKD", "pay_type": "800201",
            "sysdtm": "2026-11-23 14:30:05",
        });
        let refunds = made.iter().enumerate().map(|(at, (number, minor))| {
            json!({
                "order_type": "refund", "respcd": "0000", "out_trade_no": number,
                "syssn": format!("2026112300010002{at:010}9"), "origssn": SYSSN,
                "txamt": minor, "txcurrcd": "HKD",
            })
        });
        let data: Vec<Value> = std::iter::once(payment).chain(refunds).collect();
        json!({"respcd": "0000", "data": data})
    }
}

#[async_trait]
impl Gateway for Lax {
    async fn pay(&self, _: &OrderNumber, _: &PaymentTerms, _: Timestamp) -> Exchange {
        answer(&json!({"respcd": "0000", "syssn": SYSSN}))
    }

    async fn checkout(
        &self,
        _: &OrderNumber,
        _: &PaymentTerms,
        _: Timestamp,
    ) -> Result<String, Trouble> {
        Err(Trouble::Lost { reason: "there are no pages here".to_owned() })
    }

    async fn refund(&self, number: &OrderNumber, terms: &RefundTerms, _: Timestamp) -> Exchange {
        let fate = self.fates.lock().unwrap().pop_front().unwrap_or(Fate::Made);
        // Others may run between its leaving and its arriving.
        tokio::task::yield_now().await;
        let lost = |reason: &str| Trouble::Lost { reason: reason.to_owned() };
        if fate == Fate::NotSent {
            return Err(Trouble::NotSent { reason: "not sent".to_owned(), retry_after: None });
        }
        self.arrived.lock().unwrap().push(number.to_string());
        if !matches!(fate, Fate::Lost | Fate::Refused) {
            let mut made = self.made.lock().unwrap();
            *made.entry(number.to_string()).or_default() += terms.amount.minor();
        }
        match fate {
            Fate::Made => answer(&json!({"respcd": "0000"})),
            Fate::Odd => answer(&json!({"respcd": "9876"})),
            Fate::Processing => answer(&json!({"respcd": "1145"})),
            Fate::Refused => answer(&json!({"respcd": "1205"})),
            Fate::Unheard | Fate::Lost | Fate::NotSent => Err(lost("lost")),
        }
    }

    async fn cancel(&self, _: Cancel, _: &Ending) -> Exchange {
        Err(Trouble::Lost { reason: "nobody cancels here".to_owned() })
    }

    fn notification(&self, _: &[u8], _: Option<&str>) -> Result<Notification, NotificationError> {
        Err(NotificationError::Unsigned)
    }

    async fn query(&self, query: &Query) -> Result<Page, Trouble> {
        tokio::task::yield_now().await;
        if query.page.is_some_and(|it| it > 1) {
            return Page::parse(br#"{"respcd":"0000","data":[]}"#, SignatureCheck::Absent);
        }
        Page::parse(self.records().to_string().as_bytes(), SignatureCheck::Absent)
    }
}

fn answer(body: &Value) -> Exchange {
    Answer::parse(body.to_string().as_bytes(), SignatureCheck::Absent)
}

fn payments(folder: &std::path::Path, qfpay: &Arc<Lax>, clock: &Arc<Moving>) -> Payments {
    let scope = Scope { environment: Environment::Simulator, merchant: "m1".to_owned() };
    Payments {
        gateway: qfpay.clone(),
        ledger: Arc::new(SqliteLedger::new(&folder.join("ledger.db"), scope)),
        clock: clock.clone(),
        settings: Arc::new(Settings {
            environment: Environment::Simulator,
            mchid: None,
            merchant: "m1".to_owned(),
            policy: Policy::default(),
            approval_time: SignedDuration::from_mins(15),
            notify_url: None,
            zone: TimeZone::UTC,
            repeat_window: SignedDuration::from_mins(5),
            give_up_after: SignedDuration::from_hours(2),
        }),
        tasks: TaskTracker::new(),
        changes: Changes::default(),
        drain: CancellationToken::new(),
        stop: CancellationToken::new(),
    }
}

#[derive(Debug)]
struct Moving(Mutex<Timestamp>);

impl Moving {
    fn jump(&self) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(SignedDuration::from_hours(3)).unwrap();
    }
}

impl Clock for Moving {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}
