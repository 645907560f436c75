//! A storm of many orders under seeded faults and kills, after which QFPay's book and our ledger
//! must agree: no duplicate, no loss, no difference.
//!
//! `QFPAY_SOAK_ORDERS` says how many orders, `QFPAY_SOAK_SEED` which faults; the figures name the
//! seed, so that a storm can be had again (as far as the scheduler allows).
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    env, fmt,
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use qfpay_mcp::{
    clock::SystemClock,
    ledger::Entry,
    simulator::{Act, Entry as Record, Fault, Faults, Kind, Payer},
    spec::endpoints::Endpoint,
};
use serde_json::{Value, json};
use tokio::sync::RwLock;

use crate::{
    broken::{
        book::{Doubts, differences},
        world::{Manners, Store, Told, World},
    },
    cluster::Postgres,
    harness::Client,
};

/// Calls of this many orders are in flight at once.
const IN_FLIGHT: usize = 64;
const ORDERS: u64 = 300;
/// How often an agent repeats a call that brought it no further.
const REPEATS: usize = 8;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(50);
const REFUND: u64 = 300;
/// More refusals in a row than any number meets.
const MOST_TURNED_AWAY: u64 = 50;
/// In requests of a thousand.
const FAULTS: &str = "lost_request=20,lost_answer=30,late_answer=10,rate_limited=20,\
     rate_limited_bare=10,error_500=10,error_500_undone=10,html_502=10,truncated=10,\
     wrong_signature=10,processing=20,unknown_code=10,duplicate_1251=10,late_ms=1500";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_over_a_file_ends_without_duplicate_loss_or_difference() {
    soak(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_over_postgres_ends_without_duplicate_loss_or_difference() {
    if Postgres::or_skip().is_some() {
        soak(Store::Postgres).await;
    }
}

async fn soak(store: Store) {
    let orders = setting("QFPAY_SOAK_ORDERS").unwrap_or(ORDERS);
    let seed = setting("QFPAY_SOAK_SEED").unwrap_or_else(|| rand::random::<u16>().into());
    let faults: Faults = format!("seed={seed},{FAULTS}").parse().unwrap();
    say(format_args!("soak: {store:?}, QFPAY_SOAK_ORDERS={orders} QFPAY_SOAK_SEED={seed}"));
    let manners = Manners { faults: faults.clone(), ..Manners::of(Payer::Waits) };
    let world = World::new(store, manners).await;
    let calm = (orders / 25).clamp(20, 250);
    let figures = Storm::over(world, calm).await.rage(orders, &faults).await;
    say(format_args!("{figures}"));
    let found = figures.wrong();
    assert!(found.is_empty(), "soak over {store:?}, seed {seed}:\n  {}", found.join("\n  "));
}

/// A whole number of the environment.
fn setting(name: &str) -> Option<u64> {
    let text = env::var_os(name)?;
    Some(text.to_str().unwrap().parse().unwrap())
}

/// Not `eprintln!`, which is shown only where a test fails.
fn say(what: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{what}");
}

/// Orders, the server they go through, and what happened to it.
struct Storm {
    world: World,
    server: RwLock<Arc<Client>>,
    /// Orders between two kills.
    calm: u64,
    kills: AtomicU64,
    ended: AtomicU64,
    interrupted: AtomicU64,
    /// Repeats without a number, by what became of them.
    careless_refused: AtomicU64,
    careless_taken: AtomicU64,
}

impl Storm {
    async fn over(world: World, calm: u64) -> Self {
        let server = RwLock::new(Arc::new(world.server("5").await));
        Self {
            world,
            server,
            calm,
            kills: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            interrupted: AtomicU64::new(0),
            careless_refused: AtomicU64::new(0),
            careless_taken: AtomicU64::new(0),
        }
    }

    async fn rage(self, orders: u64, faults: &Faults) -> Figures {
        let start = Instant::now();
        let all = futures::stream::iter((0..orders).map(|nth| self.live(nth)));
        let asked: Vec<String> = all
            .buffer_unordered(IN_FLIGHT)
            .collect::<Vec<_>>()
            .await
            .into_iter()
            .flatten()
            .collect();
        self.server.read().await.kill().await;
        let stormy = start.elapsed();
        let in_doubt = self.unfinished().await;
        self.world.recover(Arc::new(SystemClock)).await;
        let unknown = self.unfinished().await;
        let early = self.world.differences(Doubts::Allowed).await;
        // What a fault keeps from its answer is asked about again, as every round does.
        for _ in 0..REPEATS {
            self.world.recover_much_later().await;
            if self.world.differences(Doubts::Over).await.is_empty() {
                break;
            }
        }
        let (book, ledger) = (self.world.book().await, self.world.entries().await);
        let numbers: BTreeSet<&str> = ledger.iter().map(|it| it.number().as_str()).collect();
        let (refunds, payments): (Vec<&Entry>, Vec<&Entry>) =
            ledger.iter().partition(|it| matches!(it, Entry::Refund(_)));
        let count =
            |wanted: &[&str]| payments.iter().filter(|it| wanted.contains(&it.status())).count();
        Figures {
            orders,
            refunds: refunds.iter().filter(|it| it.status() == "refunded").count(),
            paid: count(&["paid", "partially_refunded", "refunded"]),
            closed: count(&["closed"]),
            kills: self.kills.load(Ordering::Relaxed),
            interrupted: self.interrupted.load(Ordering::Relaxed),
            careless_refused: self.careless_refused.load(Ordering::Relaxed),
            careless_taken: self.careless_taken.load(Ordering::Relaxed),
            faults: Fault::ALL.map(|it| (it.word(), self.world.simulator.struck(it))).to_vec(),
            in_doubt,
            settled: in_doubt.saturating_sub(unknown),
            given_up: ledger.iter().filter(|it| it.status() == "failed").count(),
            duplicates: duplicates(&book),
            lost: asked.iter().filter(|it| !numbers.contains(it.as_str())).count(),
            too_many: self.too_many(&ledger, faults),
            differences: [early, differences(&book, &ledger, Doubts::Over)].concat(),
            stormy,
            whole: start.elapsed(),
        }
    }

    /// One order from its making to its end; the numbers that were asked for.
    async fn live(&self, nth: u64) -> Vec<String> {
        let number = format!("S{nth}");
        let mut asked = vec![number.clone()];
        let scanned = nth % 10 == 1;
        let mut terms = json!({
            "amount": amount(nth), "currency": "HKD", "out_trade_no": number,
            "pay_type": if scanned { "800208" } else { "800201" },
        });
        if scanned {
            terms["auth_code"] = json!(format!("28{nth:016}"));
        }
        self.insist("create_payment", &terms).await;
        if nth % 16 == 4 {
            self.repeat_carelessly("create_payment", terms, "out_trade_no").await;
        }
        if nth.is_multiple_of(10) {
            self.cancel(&number).await;
        } else if self.pay(&number).await && nth.is_multiple_of(2) {
            asked.extend(self.refund(nth, &number).await);
        }
        if (self.ended.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(self.calm) {
            self.kill().await;
        }
        asked
    }

    async fn cancel(&self, number: &str) {
        for _ in 0..REPEATS {
            let told = self.call("cancel_payment", &json!({"out_trade_no": number})).await;
            if matches!(told.status.as_str(), "closed" | "failed") {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The payer pays, and the agent asks until it knows.
    async fn pay(&self, number: &str) -> bool {
        for _ in 0..REPEATS {
            self.world.simulator.act(number, Act::Pay).await.unwrap();
            let told = self.call("query_transaction", &json!({"out_trade_no": number})).await;
            if told.status == "paid" {
                return true;
            }
            tokio::time::sleep(PAUSE).await;
        }
        false
    }

    /// A part of it, of some orders twice.
    async fn refund(&self, nth: u64, order: &str) -> Vec<String> {
        let mut asked = Vec::new();
        for name in refund_names(nth) {
            let number = format!("R{nth}{name}");
            let terms = json!({"out_trade_no": order, "amount": REFUND, "refund_no": number});
            let told = self.insist("refund", &terms).await;
            if told.status != "refused" {
                asked.push(number);
            }
            if *name == "a" && nth % 16 == 6 {
                self.repeat_carelessly("refund", terms, "refund_no").await;
            }
        }
        asked
    }

    /// Repeats under the same number what surely did nothing.
    async fn insist(&self, tool: &str, arguments: &Value) -> Told {
        let mut told = self.call(tool, arguments).await;
        for _ in 0..REPEATS {
            let unsent = told.status == "intended" || told.status == "refused";
            if !unsent || told.text.starts_with("The result is unknown") {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            told = self.call(tool, arguments).await;
        }
        told
    }

    /// The same once more, as if it had never been asked for.
    async fn repeat_carelessly(&self, tool: &str, mut arguments: Value, number: &str) {
        arguments.as_object_mut().unwrap().remove(number);
        let told = self.call(tool, &arguments).await;
        let count = match told.status.as_str() {
            "refused" => &self.careless_refused,
            _ => &self.careless_taken,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Calls until a server lives long enough to answer: always the same, under the same number.
    async fn call(&self, tool: &str, arguments: &Value) -> Told {
        loop {
            let server = self.server.read().await.clone();
            let error = match server.attempt(tool, arguments.clone()).await {
                Ok(result) => return Told::of(&result),
                Err(error) => error,
            };
            let is_alive = Arc::ptr_eq(&server, &*self.server.read().await);
            assert!(!is_alive, "{tool} {arguments}: {error}");
            self.interrupted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// SIGKILL with all that is in flight, and a new server over the same store.
    async fn kill(&self) {
        let mut server = self.server.write().await;
        server.kill().await;
        *server = Arc::new(self.world.server("5").await);
        self.kills.fetch_add(1, Ordering::Relaxed);
    }

    async fn unfinished(&self) -> usize {
        let entries = self.world.entries().await;
        entries.iter().filter(|it| matches!(it.status(), "sent" | "in_doubt")).count()
    }

    /// Requests that move money beyond one for each number, and one for each that was turned away.
    fn too_many(&self, ledger: &[Entry], faults: &Faults) -> u64 {
        let over = |endpoint: Endpoint, is_ours: fn(&Entry) -> bool| {
            let ours = ledger.iter().filter(|it| is_ours(it));
            let allowed = ours.map(|entry| {
                let turned_away = |asked: &u64| {
                    let fault = faults.draw(endpoint, entry.number().as_str(), *asked);
                    matches!(fault, Some(Fault::RateLimited | Fault::RateLimitedBare))
                };
                1 + (0..MOST_TURNED_AWAY).take_while(turned_away).map(|_| 1).sum::<u64>()
            });
            self.world.simulator.requests(endpoint).saturating_sub(allowed.sum())
        };
        over(Endpoint::Payment, |it| matches!(it, Entry::Payment(_)))
            + over(Endpoint::Refund, |it| matches!(it, Entry::Refund(_)))
    }
}

/// Orders made twice, and refunds made more often than they were meant, whatever their numbers.
fn duplicates(book: &[Record]) -> u64 {
    let mut made: HashMap<(Kind, u64), (u64, u64)> = HashMap::new();
    let orders: BTreeMap<&str, u64> =
        book.iter().map(|it| (it.syssn.as_str(), it.amount)).collect();
    for record in book {
        let order = record.origssn.as_deref().map_or(record.amount, |it| orders[it]);
        let nth = order / 10_000 - 1;
        let meant = if record.kind == Kind::Refund { refund_names(nth).len() } else { 1 };
        let (count, most) = made.entry((record.kind, nth)).or_default();
        *count += 1;
        *most = meant.try_into().unwrap();
    }
    made.values().map(|(count, most)| count.saturating_sub(*most)).sum()
}

fn refund_names(nth: u64) -> &'static [&'static str] {
    if nth % 8 == 2 { &["a", "b"] } else { &["a"] }
}

/// Another for each order, so that one charged twice shows whatever its number; none that the
/// simulator takes for a wish.
fn amount(nth: u64) -> u64 {
    (nth + 1) * 10_000 + 1
}

/// What became of it all.
struct Figures {
    orders: u64,
    refunds: usize,
    paid: usize,
    closed: usize,
    kills: u64,
    interrupted: u64,
    careless_refused: u64,
    careless_taken: u64,
    faults: Vec<(&'static str, u64)>,
    /// When the storm was over.
    in_doubt: usize,
    /// Of those, by asking.
    settled: usize,
    /// Of the rest, as never arrived.
    given_up: usize,
    duplicates: u64,
    lost: usize,
    too_many: u64,
    differences: Vec<String>,
    stormy: Duration,
    whole: Duration,
}

impl Figures {
    fn wrong(&self) -> Vec<String> {
        let counts = [
            ("made twice", self.duplicates),
            ("lost", u64::try_from(self.lost).unwrap()),
            ("requests too many", self.too_many),
        ];
        let wrong = counts.iter().filter(|it| it.1 > 0).map(|(what, n)| format!("{what}: {n}"));
        wrong.chain(self.differences.iter().take(20).cloned()).collect()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orders, refunds, paid, closed, kills, interrupted, .. } = self;
        writeln!(f, "  orders {orders}, paid {paid}, closed {closed}, refunds {refunds}")?;
        writeln!(f, "  kills {kills}, calls that died with the server {interrupted}")?;
        let struck = self.faults.iter().filter(|it| it.1 > 0);
        let struck: Vec<String> = struck.map(|(word, count)| format!("{word} {count}")).collect();
        writeln!(f, "  faults: {}", struck.join(", "))?;
        let (refused, taken) = (self.careless_refused, self.careless_taken);
        writeln!(f, "  repeats without a number: refused {refused}, taken {taken}")?;
        let Self { in_doubt, settled, given_up, .. } = self;
        writeln!(f, "  in doubt {in_doubt}, settled by asking {settled}, given up {given_up}")?;
        let Self { duplicates, lost, too_many, .. } = self;
        let differences = self.differences.len();
        writeln!(
            f,
            "  duplicates {duplicates}, lost {lost}, requests too many {too_many}, differences \
             {differences}"
        )?;
        let (stormy, whole) = (self.stormy.as_secs_f32(), self.whole.as_secs_f32());
        write!(f, "  storm {stormy:.1} s, whole {whole:.1} s")
    }
}
