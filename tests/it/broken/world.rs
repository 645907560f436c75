//! A desk on which things break: a simulator whose faults a test scripts, a store, and the real
//! binary between them.
use std::{
    fmt::Write as _,
    str::FromStr as _,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use qfpay_mcp::{
    client::{
        http::{HttpGateway, Settings as Wire},
        pace::LocalPace,
        sign::SignType,
    },
    clock::{Clock, SystemClock},
    ledger::{
        Caller, Entry, Filter, Ledger, Scope,
        postgres::{Database, PostgresLedger},
        sqlite::SqliteLedger,
    },
    payments::{Changes, Payments, Settings as Rules},
    policy::Policy,
    simulator::{APP_CODE, Duplicate, Entry as Record, Faults, KEY, Payer, Settings, Simulator},
    spec::Environment,
};
use serde_json::Value;
use sqlx::{
    Connection as _, Executor as _, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions,
};
use tokio::process::Command;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::book::{Doubts, differences};
use crate::{
    cluster::Postgres,
    harness::{Client, Desk, soon, text},
};

/// Longer than anything here takes; what is not there by then never comes.
const PATIENCE: Duration = Duration::from_secs(40);
/// Between two looks at something that tells nobody when it changes.
const LOOK: Duration = Duration::from_millis(20);
/// After which a call has surely come to a lock that SQLite does not tell of. Where it has not, the
/// case is a milder one, and as true.
const STUCK: Duration = Duration::from_millis(200);
/// Beyond the time at which QFPay's silence means "never arrived".
const MUCH_LATER: i64 = 3;
const GIVE_UP: SignedDuration = SignedDuration::from_hours(2);

/// Where the ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Sqlite,
    Postgres,
}

pub(crate) struct World {
    pub(crate) desk: Desk,
    /// How far the clock of [`recover_much_later`](Self::recover_much_later) has gone.
    hours: AtomicI64,
    pub(crate) simulator: Simulator,
    /// What `QFPAY_LEDGER` says.
    pub(crate) place: String,
    pub(crate) ledger: Arc<dyn Ledger>,
}

/// How QFPay and the payer behave.
#[derive(Debug, Clone)]
pub(crate) struct Manners {
    pub(crate) payer: Payer,
    pub(crate) duplicate: Duplicate,
    pub(crate) faults: Faults,
}

impl Manners {
    /// No fault but what is scripted; a late answer comes after the server's patience is over.
    pub(crate) fn of(payer: Payer) -> Self {
        let faults = Faults::from_str("late_ms=1500").unwrap();
        Self { payer, duplicate: Duplicate::default(), faults }
    }
}

impl World {
    pub(crate) async fn new(store: Store, manners: Manners) -> Self {
        let desk = Desk::new();
        let place = match store {
            Store::Sqlite => desk.path().join("ledger.db").to_str().unwrap().to_owned(),
            Store::Postgres => Postgres::shared().unwrap().fresh().await.unwrap(),
        };
        Self::at(desk, place, manners).await
    }

    /// With its ledger at `place`, which is empty.
    pub(crate) async fn at(desk: Desk, place: String, manners: Manners) -> Self {
        let Manners { payer, duplicate, faults } = manners;
        let settings = Settings {
            limits: None,
            payer,
            duplicate,
            faults: Some(faults),
            ..Settings::new(desk.path().join("book.db"))
        };
        let simulator = Simulator::start(settings).await.unwrap();
        let ledger = ledger(&place);
        // Makes the tables, so that they can be locked.
        let now = SystemClock.now();
        ledger.lease("test", "test", now, now, false).await.unwrap();
        Self { desk, hours: AtomicI64::new(0), simulator, place, ledger }
    }

    /// The real binary. `recovery` is what `QFPAY_RECOVERY_SECONDS` says.
    pub(crate) async fn server(&self, recovery: &str) -> Client {
        Client::of(self.command(recovery)).await
    }

    /// The real binary's command.
    pub(crate) fn command(&self, recovery: &str) -> Command {
        let mut command = self.desk.command();
        command
            .env("QFPAY_SIMULATOR_URL", self.simulator.url())
            .env("QFPAY_LEDGER", &self.place)
            .env("QFPAY_TIMEOUT_SECONDS", "1")
            .env("QFPAY_RECOVERY_SECONDS", recovery);
        command
    }

    /// The product's own use cases over the same store and simulator, in this process.
    pub(crate) fn payments(&self, clock: Arc<dyn Clock>) -> Payments {
        let wire = Wire {
            base_url: self.simulator.url(),
            app_code: APP_CODE.to_owned(),
            key: KEY.into(),
            mchid: None,
            notify_url: None,
            sign_type: SignType::Sha256,
            zone: TimeZone::UTC,
            refuse_wrong_signature: true,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(5),
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
            zone: TimeZone::UTC,
            repeat_window: SignedDuration::from_mins(5),
            give_up_after: GIVE_UP,
        };
        Payments {
            gateway: Arc::new(gateway),
            ledger: self.ledger.clone(),
            clock,
            settings: Arc::new(rules),
            tasks: TaskTracker::new(),
            changes: Changes::default(),
            drain: CancellationToken::new(),
            stop: CancellationToken::new(),
        }
    }

    /// Asks about all that is unfinished. What faults keep from an answer is asked about again.
    pub(crate) async fn recover(&self, clock: Arc<dyn Clock>) {
        let caller = Caller::own("terminal", "recover");
        let payments = self.payments(clock);
        let mut tries = 0;
        while let Err(refused) = payments.recover(&caller, &|_| {}).await {
            tries += 1;
            assert!(tries < 50, "the recovery does not come to an end: {refused}");
        }
        self.free_recovery().await;
    }

    /// Ends the two minutes in which nobody but the last one recovers in the background.
    pub(crate) async fn free_recovery(&self) {
        let now = SystemClock.now();
        self.ledger.lease("recovery", "test", now, now, true).await.unwrap();
    }

    /// Recovers and compares; then again, much later, when nothing can be on its way any more.
    pub(crate) async fn settles(&self) {
        self.recover(Arc::new(SystemClock)).await;
        self.agrees(Doubts::Allowed).await;
        self.recover_much_later().await;
        self.agrees(Doubts::Over).await;
    }

    /// Recovers when nothing can be on its way any more: once, after which what was `sent` is in
    /// doubt, and once more when no call can be waiting for its answer.
    pub(crate) async fn recover_much_later(&self) {
        for _ in 0..2 {
            // Time only goes forward.
            let hours = MUCH_LATER + self.hours.fetch_add(1, Ordering::Relaxed);
            self.recover(Arc::new(MuchLater(SignedDuration::from_hours(hours)))).await;
        }
    }

    pub(crate) async fn agrees(&self, doubts: Doubts) {
        let found = self.differences(doubts).await;
        assert!(found.is_empty(), "{doubts:?}:\n  {}\n{}", found.join("\n  "), self.told().await);
    }

    pub(crate) async fn differences(&self, doubts: Doubts) -> Vec<String> {
        differences(&self.book().await, &self.entries().await, doubts)
    }

    pub(crate) async fn book(&self) -> Vec<Record> {
        self.simulator.book().await.unwrap()
    }

    pub(crate) async fn entries(&self) -> Vec<Entry> {
        let filter = Filter { limit: u32::MAX, ..Filter::default() };
        self.ledger.list(&filter).await.unwrap()
    }

    /// The status of `number` in the ledger; `none` where it does not stand there.
    pub(crate) async fn status(&self, number: &str) -> &'static str {
        let found = self.ledger.find(&number.parse().unwrap()).await.unwrap();
        found.map_or("none", |it| it.status())
    }

    /// Looks until `is_so` holds.
    pub(crate) async fn until<F: Future<Output = bool>>(&self, what: &str, is_so: impl Fn() -> F) {
        let looking = async {
            while !is_so().await {
                tokio::time::sleep(LOOK).await;
            }
        };
        let ended = tokio::time::timeout(PATIENCE, looking).await;
        assert!(ended.is_ok(), "it never came to this: {what}\n{}", self.told().await);
    }

    /// Everything that is known, for whoever reads a failure.
    pub(crate) async fn told(&self) -> String {
        let mut told = String::new();
        for record in self.book().await.iter().take(5) {
            writeln!(told, "book: {record:?}").unwrap();
        }
        for entry in self.entries().await.iter().take(5) {
            let (number, status) = (entry.number(), entry.status());
            writeln!(told, "ledger: {number} {status}").unwrap();
            for event in self.ledger.history(number).await.unwrap() {
                let (from, to) = (event.from.unwrap_or_default(), event.to.unwrap_or_default());
                let detail = event.detail.unwrap_or_default();
                writeln!(told, "  {} {} {from} -> {to} {detail}", event.what, event.tool).unwrap();
            }
        }
        told
    }

    /// Holds the store's write lock.
    pub(crate) async fn lock(&self) -> Lock {
        if self.place.starts_with("postgres") {
            let mut holder = PgConnection::connect(&self.place).await.unwrap();
            holder.execute("BEGIN").await.unwrap();
            let lock = "LOCK TABLE entries, events IN EXCLUSIVE MODE";
            soon("the test's own lock", holder.execute(lock)).await.unwrap();
            let watcher = PgConnection::connect(&self.place).await.unwrap();
            return Lock::Postgres { holder, watcher };
        }
        let options = SqliteConnectOptions::new().filename(&self.place).busy_timeout(PATIENCE);
        let mut holder = SqliteConnection::connect_with(&options).await.unwrap();
        holder.execute("BEGIN IMMEDIATE").await.unwrap();
        Lock::Sqlite(holder)
    }
}

/// The ledger of the built-in merchant at `place`.
pub(crate) fn ledger(place: &str) -> Arc<dyn Ledger> {
    let merchant = format!("app:{APP_CODE}");
    let scope = Scope { environment: Environment::Simulator, merchant };
    if place.starts_with("postgres") {
        let database = Database::new(&place.into()).unwrap();
        Arc::new(PostgresLedger::new(Arc::new(database), scope))
    } else {
        Arc::new(SqliteLedger::new(place.as_ref(), scope))
    }
}

/// A store's write lock, held by a test.
pub(crate) enum Lock {
    Sqlite(SqliteConnection),
    Postgres { holder: PgConnection, watcher: PgConnection },
}

impl Lock {
    /// Waits until a writer stands at it.
    pub(crate) async fn awaited(&mut self) {
        let Self::Postgres { watcher, .. } = self else {
            tokio::time::sleep(STUCK).await;
            return;
        };
        let waiting = async {
            const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE NOT granted \
                 AND relation IN ('entries'::regclass, 'events'::regclass)";
            while sqlx::query_scalar::<_, i64>(WAITING).fetch_one(&mut *watcher).await.unwrap() == 0
            {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap();
    }

    pub(crate) async fn release(self) {
        match self {
            Self::Sqlite(holder) => holder.close().await.unwrap(),
            Self::Postgres { holder, watcher } => {
                soon("the test's lock is let go", holder.close()).await.unwrap();
                watcher.close().await.unwrap();
            }
        }
    }

    /// Releases it after those who wait were turned away: PostgreSQL would let a writer through
    /// whose process is gone.
    pub(crate) async fn release_to_nobody(mut self) {
        if let Self::Postgres { watcher, .. } = &mut self {
            const END: &str = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted \
                 AND relation IN ('entries'::regclass, 'events'::regclass)";
            watcher.execute(END).await.unwrap();
        }
        self.release().await;
    }
}

/// The machine's clock, hours ahead.
#[derive(Debug)]
struct MuchLater(SignedDuration);

impl Clock for MuchLater {
    fn now(&self) -> Timestamp {
        SystemClock.now().checked_add(self.0).unwrap()
    }
}

/// What an agent was told: a status, or that it was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) status: String,
    pub(crate) replayed: bool,
    pub(crate) text: String,
}

impl Client {
    pub(crate) async fn told(&self, tool: &str, arguments: Value) -> Told {
        Told::of(&self.result(tool, arguments).await)
    }
}

impl Told {
    pub(crate) fn of(result: &rmcp::model::CallToolResult) -> Self {
        let text = text(result);
        let Some(reply) = &result.structured_content else {
            return Self { status: "refused".to_owned(), replayed: false, text };
        };
        // The order itself, or a list of orders, of which there is one here.
        let status = reply["status"].as_str().or(reply["orders"][0]["status"].as_str());
        let status = status.unwrap().to_owned();
        Self { status, replayed: reply["replayed"] == true, text }
    }
}
