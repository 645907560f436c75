//! A day of a shop: thousands of orders through the product's own use cases into a simulator, on a
//! clock that the test moves; then whatever a test does to either side behind the other's back.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{FutureExt as _, future::join_all};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use qfpay_mcp::{
    client::{
        http::{HttpGateway, Settings as Wire},
        pace::LocalPace,
        sign::SignType,
    },
    clock::{Clock, SystemClock},
    domain::{Amount, PaymentTerms, RefundTerms},
    ledger::{Caller, Entry},
    payments::{
        Changes, Payments, Settings as Rules,
        create::NewPayment,
        reconcile::{Difference, Progress, Reconciled},
        refund::{NewRefund, Of},
    },
    policy::Policy,
    simulator::{APP_CODE, KEY, Payer, Settings, Simulator},
    spec::{Currency, Environment, Field, Flow, PayType},
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    broken::world::{Store, ledger},
    cluster::Postgres,
    harness::Desk,
};

/// Orders that are made at one moment of the shop's clock.
const AT_ONCE: usize = 100;
const CALLER: Caller = Caller::own("terminal", "test");
/// What is sold: below 1000 minor units no amount triggers an answer. Mostly by a payer's code, which
/// is paid at once.
const SOLD: [(&str, &str); 8] = [
    ("800201", "HKD"),
    ("800208", "HKD"),
    ("800108", "HKD"),
    ("800108", "USD"),
    ("800708", "HKD"),
    ("805808", "HKD"),
    ("800108", "HKD"),
    ("800208", "HKD"),
];

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub(super) struct Hand(Mutex<Timestamp>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

impl Hand {
    pub(super) fn set(&self, at: Timestamp) {
        *self.0.lock().unwrap() = at;
    }
}

pub(super) struct Shop {
    pub(super) desk: Desk,
    pub(super) place: String,
    pub(super) simulator: Simulator,
    pub(super) payments: Payments,
    pub(super) clock: Arc<Hand>,
    /// Yesterday.
    pub(super) date: Date,
    /// Sums of what was sold and not given back, by currency and pay type, and how many.
    pub(super) sold: BTreeMap<(String, String), (u64, u64)>,
}

impl Shop {
    pub(super) async fn open(store: Store) -> Self {
        let desk = Desk::new();
        let place = match store {
            Store::Sqlite => desk.path().join("ledger.db").to_str().unwrap().to_owned(),
            Store::Postgres => Postgres::shared().unwrap().fresh().await.unwrap(),
        };
        let zone = TimeZone::get("Asia/Hong_Kong").unwrap();
        let now = SystemClock.now().to_zoned(zone.clone());
        let clock = Arc::new(Hand(Mutex::new(now.timestamp())));
        let settings = Settings {
            limits: None,
            payer: Payer::Pays { after: Duration::ZERO },
            clock: clock.clone(),
            ..Settings::new(desk.path().join("book.db"))
        };
        let simulator = Simulator::start(settings).await.unwrap();
        let wire = Wire {
            base_url: simulator.url(),
            app_code: APP_CODE.to_owned(),
            key: KEY.into(),
            mchid: None,
            notify_url: None,
            sign_type: SignType::Sha256,
            zone: zone.clone(),
            refuse_wrong_signature: true,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            patience: Duration::from_secs(5),
        };
        let gateway = HttpGateway::new(wire, Arc::new(LocalPace::new(&[])), clock.clone());
        let rules = Rules {
            environment: Environment::Simulator,
            mchid: None,
            merchant: "m1".to_owned(),
            policy: Policy::default(),
            approval_time: SignedDuration::from_mins(15),
            notify_url: None,
            zone,
            repeat_window: SignedDuration::from_mins(5),
            give_up_after: SignedDuration::from_hours(2),
        };
        let payments = Payments {
            gateway: Arc::new(gateway),
            ledger: ledger(&place),
            clock: clock.clone(),
            settings: Arc::new(rules),
            tasks: TaskTracker::new(),
            changes: Changes::default(),
            drain: CancellationToken::new(),
            stop: CancellationToken::new(),
        };
        let date = payments.yesterday();
        Self { desk, place, simulator, payments, clock, date, sold: BTreeMap::new() }
    }

    /// A time of the shop's day, or of the days beside it.
    pub(super) fn at(&self, hours: i64) -> Timestamp {
        let start = self.date.to_zoned(self.payments.settings.zone.clone()).unwrap();
        start.timestamp().checked_add(SignedDuration::from_hours(hours)).unwrap()
    }

    /// Sells all day, gives part of every fiftieth order back, and learns of all of it.
    pub(super) async fn sell(&mut self, orders: usize) {
        let step =
            SignedDuration::from_hours(23) / i32::try_from(orders.div_ceil(AT_ONCE)).unwrap();
        self.clock.set(self.at(0).checked_add(SignedDuration::from_mins(30)).unwrap());
        let all: Vec<usize> = (0..orders).collect();
        for batch in all.chunks(AT_ONCE) {
            let number = |nth: &usize| (format!("D{nth:04}"), *nth);
            let numbers: Vec<(String, usize)> = batch.iter().map(number).collect();
            join_all(numbers.iter().map(|(number, nth)| self.pay(number, *nth))).await;
            self.clock.set(self.clock.now().checked_add(step).unwrap());
        }
        self.payments.recover(&CALLER, &|_| {}).await.unwrap();
        for nth in (0..orders).step_by(50) {
            self.refund(&format!("D{nth:04}"), &format!("R{nth:04}"), 40).await;
        }
        for nth in all {
            let (pay_type, currency) = SOLD[nth % SOLD.len()];
            let key = (currency.to_owned(), pay_type.to_owned());
            let (count, sum) = self.sold.entry(key).or_default();
            *count += 1;
            *sum += price(nth) - if nth % 50 == 0 { 40 } else { 0 };
        }
        self.clock.set(self.at(26));
    }

    async fn pay(&self, number: &str, nth: usize) {
        let new = NewPayment { number: number.parse().ok(), terms: terms(nth), yes: None };
        self.payments.create(&CALLER, new).await.unwrap();
    }

    async fn refund(&self, order: &str, number: &str, minor: u64) {
        let new = NewRefund {
            of: Of::Order(order.parse().unwrap()),
            amount: Some(minor.to_string()),
            number: number.parse().ok(),
            yes: None,
        };
        self.payments.refund(&CALLER, new).await.unwrap();
    }

    /// One order by the shop's clock, and what becomes of it.
    pub(super) async fn sell_one(&self, number: &str, at: Timestamp) {
        self.clock.set(at);
        self.pay(number, 0).await;
        self.payments.recover(&CALLER, &|_| {}).await.unwrap();
    }

    /// A payment and a refund of the merchant's that do not pass through us.
    pub(super) async fn sell_elsewhere(&self, number: &str, nth: usize) {
        let at = self.clock.now();
        self.payments.gateway.pay(&number.parse().unwrap(), &terms(nth), at).await.unwrap();
    }

    pub(super) async fn refund_elsewhere(&self, order: &str, number: &str, minor: u64) {
        let Some(Entry::Payment(payment)) = self.find(order).await else { panic!("no {order}") };
        let terms = RefundTerms {
            order: None,
            syssn: payment.syssn.unwrap(),
            amount: Amount::from_minor(minor, payment.terms.amount.currency()).unwrap(),
        };
        let (number, at) = (number.parse().unwrap(), self.clock.now());
        self.payments.gateway.refund(&number, &terms, at).await.unwrap();
    }

    pub(super) async fn find(&self, number: &str) -> Option<Entry> {
        self.payments.ledger.find(&number.parse().unwrap()).await.unwrap()
    }

    /// Changes QFPay's book behind everybody's back.
    pub(super) async fn book(&self, sql: &str) {
        let file = format!("sqlite://{}", self.desk.path().join("book.db").display());
        let mut book = SqliteConnection::connect(&file).await.unwrap();
        let done = book.execute(AssertSqlSafe(sql)).await.unwrap();
        assert!(done.rows_affected() > 0, "it changed nothing: {sql}");
        book.close().await.unwrap();
    }

    /// Changes our ledger likewise.
    pub(super) async fn ledger(&self, sql: &str) {
        let changed = if self.place.starts_with("postgres") {
            let mut ledger = PgConnection::connect(&self.place).await.unwrap();
            ledger.execute(AssertSqlSafe(sql)).await.unwrap().rows_affected()
        } else {
            let mut ledger =
                SqliteConnection::connect(&format!("sqlite://{}", self.place)).await.unwrap();
            ledger.execute(AssertSqlSafe(sql)).await.unwrap().rows_affected()
        };
        assert_eq!(changed, 1, "{sql}");
    }

    pub(super) async fn reconcile(&self, date: Date) -> Reconciled {
        self.reconcile_telling(date, &|_| {}).await
    }

    pub(super) async fn reconcile_telling(
        &self,
        date: Date,
        hear: &(dyn Fn(Progress) + Send + Sync),
    ) -> Reconciled {
        let never = CancellationToken::new();
        let told = |it| {
            hear(it);
            std::future::ready(()).boxed()
        };
        self.payments.reconcile(&CALLER, date, &never, &told).await.unwrap()
    }

    /// The real binary over the same ledger and QFPay.
    pub(super) fn command(&self) -> tokio::process::Command {
        let mut command = self.desk.command();
        command
            .env("QFPAY_SIMULATOR_URL", self.simulator.url())
            .env("QFPAY_LEDGER", &self.place)
            .env("QFPAY_RECOVERY_SECONDS", "off");
        command
    }
}

fn price(nth: usize) -> u64 {
    100 + u64::try_from(nth % 800).unwrap()
}

fn terms(nth: usize) -> PaymentTerms {
    let (pay_type, currency) = SOLD[nth % SOLD.len()];
    let mut extras = BTreeMap::new();
    let pay_type = PayType::find(pay_type).unwrap();
    if pay_type.flow == Flow::Cpm {
        extras.insert(Field::AuthCode, format!("28{nth:016}"));
    }
    let amount = Amount::from_minor(price(nth), Currency::find(currency).unwrap()).unwrap();
    PaymentTerms { amount, pay_type, extras }
}

/// Differences, a line each.
pub(super) fn lines(differences: &[Difference]) -> Vec<String> {
    let side = |it: &Option<String>| it.clone().unwrap_or_else(|| "-".to_owned());
    let line = |it: &Difference| {
        let (kind, here, there) = (it.kind.word(), side(&it.here), side(&it.there));
        format!("{} {kind} {}: {here} | {there}", it.what, it.number)
    };
    let mut lines: Vec<String> = differences.iter().map(line).collect();
    lines.sort();
    lines
}
