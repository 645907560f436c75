//! Orders from their making to their end, all at once, while their servers are killed; then the
//! reckoning.
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
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
    simulator::{Act, Entry as Record, Fault, Faults, Kind},
    spec::endpoints::Endpoint,
};
use serde_json::{Value, json};

use super::{Servers, figures::Figures};
use crate::broken::{
    book::{Doubts, differences},
    world::{Told, World},
};

/// Calls of this many orders are in flight at once.
const IN_FLIGHT: usize = 64;
/// How often an agent repeats a call that brought it no further.
const REPEATS: usize = 8;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(50);
const REFUND: u64 = 300;
/// More refusals in a row than any number meets.
const MOST_TURNED_AWAY: u64 = 50;
/// More servers in a row than die under any call.
const MOST_INTERRUPTED: usize = 50;

/// Orders, the servers they go through, and what happened to them.
pub(super) struct Storm<S> {
    world: Arc<World>,
    servers: S,
    ended: AtomicU64,
    interrupted: AtomicU64,
    /// Repeats without a number, by what became of them.
    careless_refused: AtomicU64,
    careless_taken: AtomicU64,
}

impl<S: Servers> Storm<S> {
    pub(super) fn over(world: Arc<World>, servers: S) -> Self {
        Self {
            world,
            servers,
            ended: AtomicU64::new(0),
            interrupted: AtomicU64::new(0),
            careless_refused: AtomicU64::new(0),
            careless_taken: AtomicU64::new(0),
        }
    }

    pub(super) async fn rage(self, orders: u64, faults: &Faults) -> Figures {
        let start = Instant::now();
        let all = futures::stream::iter((0..orders).map(|nth| self.live(nth)));
        let all = all.buffer_unordered(IN_FLIGHT).collect::<Vec<_>>();
        let asked: Vec<String> = tokio::select! {
            asked = all => asked.concat(),
            never = self.servers.suffer() => match never {},
        };
        self.servers.end().await;
        let stormy = start.elapsed();
        let in_doubt = self.unfinished().await;
        self.world.recover(Arc::new(SystemClock)).await;
        let unknown = self.unfinished().await;
        // What a fault keeps from its answer is asked about again, as every round does.
        let mut early = self.world.differences(Doubts::Allowed).await;
        for _ in 0..REPEATS {
            if early.is_empty() {
                break;
            }
            self.world.recover(Arc::new(SystemClock)).await;
            early = self.world.differences(Doubts::Allowed).await;
        }
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
            kills: self.servers.kills(),
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
        self.servers.order_ended(self.ended.fetch_add(1, Ordering::Relaxed) + 1).await;
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
        for _ in 0..MOST_INTERRUPTED {
            if let Some(told) = self.servers.call(tool, arguments).await {
                return told;
            }
            self.interrupted.fetch_add(1, Ordering::Relaxed);
        }
        panic!("no server lives long enough to answer {tool} {arguments}");
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
pub(crate) fn amount(nth: u64) -> u64 {
    (nth + 1) * 10_000 + 1
}
