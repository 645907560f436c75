//! A storm of many orders under seeded faults and kills, after which QFPay's book and our ledger
//! must agree: no duplicate, no loss, no difference.
//!
//! `QFPAY_SOAK_ORDERS` says how many orders, `QFPAY_SOAK_SEED` which faults; the figures name the
//! seed, so that a storm can be had again (as far as the scheduler allows).
use std::{
    convert::Infallible,
    env, fmt,
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use qfpay_mcp::simulator::{Faults, Payer};
use serde_json::Value;
use tokio::sync::RwLock;

use crate::{
    broken::world::{Manners, Store, Told, World},
    cluster::Postgres,
    harness::Client,
};

mod figures;
mod storm;

use storm::Storm;
pub(crate) use storm::amount;

const ORDERS: u64 = 300;
/// In requests of a thousand.
const FAULTS: &str = "lost_request=20,lost_answer=30,late_answer=10,rate_limited=20,\
     rate_limited_bare=10,error_500=10,error_500_undone=10,html_502=10,truncated=10,\
     wrong_signature=10,processing=20,unknown_code=10,duplicate_1251=10,late_ms=1500";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_over_a_file_ends_without_duplicate_loss_or_difference() {
    soak("Sqlite", Store::Sqlite, ORDERS, OneServer::start).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_over_postgres_ends_without_duplicate_loss_or_difference() {
    if Postgres::or_skip().is_some() {
        soak("Postgres", Store::Postgres, ORDERS, OneServer::start).await;
    }
}

/// What a storm goes through.
pub(crate) trait Servers {
    /// The answer to one call, if one came before whoever was to give it went. Else the same is
    /// called again.
    async fn call(&self, tool: &str, arguments: &Value) -> Option<Told>;

    /// What happens to them as time goes by.
    async fn suffer(&self) -> Infallible {
        std::future::pending().await
    }

    /// What happens to them when so many orders have come to their end.
    async fn order_ended(&self, _: u64) {}

    /// SIGKILL for all that are left.
    async fn end(&self);

    fn kills(&self) -> u64;
}

/// Runs a storm of `orders` (unless the environment says how many) through what `servers` makes of
/// a world and that number.
pub(crate) async fn soak<S: Servers>(
    what: &str,
    store: Store,
    orders: u64,
    servers: impl AsyncFnOnce(Arc<World>, u64) -> S,
) {
    let orders = setting("QFPAY_SOAK_ORDERS").unwrap_or(orders);
    let seed = setting("QFPAY_SOAK_SEED").unwrap_or_else(|| rand::random::<u16>().into());
    let faults: Faults = format!("seed={seed},{FAULTS}").parse().unwrap();
    say(format_args!("soak: {what}, QFPAY_SOAK_ORDERS={orders} QFPAY_SOAK_SEED={seed}"));
    let manners = Manners { faults: faults.clone(), ..Manners::of(Payer::Waits) };
    let world = Arc::new(World::new(store, manners).await);
    let servers = servers(world.clone(), orders).await;
    let figures = Storm::over(world, servers).rage(orders, &faults).await;
    say(format_args!("soak: {what}\n{figures}"));
    let found = figures.wrong();
    assert!(found.is_empty(), "soak over {what}, seed {seed}:\n  {}", found.join("\n  "));
}

/// A whole number of the environment.
pub(crate) fn setting(name: &str) -> Option<u64> {
    let text = env::var_os(name)?;
    Some(text.to_str().unwrap().parse().unwrap())
}

/// Not `eprintln!`, which is shown only where a test fails.
pub(crate) fn say(what: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{what}");
}

/// A server over pipes that is killed after every so many orders, with all that is in flight, and
/// followed by a new one over the same store.
struct OneServer {
    world: Arc<World>,
    server: RwLock<Arc<Client>>,
    /// Orders between two kills.
    calm: u64,
    kills: AtomicU64,
}

impl OneServer {
    async fn start(world: Arc<World>, orders: u64) -> Self {
        let server = RwLock::new(Arc::new(world.server("5").await));
        let calm = (orders / 25).clamp(20, 250);
        Self { world, server, calm, kills: AtomicU64::new(0) }
    }
}

impl Servers for OneServer {
    async fn call(&self, tool: &str, arguments: &Value) -> Option<Told> {
        let server = self.server.read().await.clone();
        let error = match server.attempt(tool, arguments.clone()).await {
            Ok(result) => return Some(Told::of(&result)),
            Err(error) => error,
        };
        let is_alive = Arc::ptr_eq(&server, &*self.server.read().await);
        assert!(!is_alive, "{tool} {arguments}: {error}");
        None
    }

    async fn order_ended(&self, count: u64) {
        if !count.is_multiple_of(self.calm) {
            return;
        }
        let mut server = self.server.write().await;
        server.kill().await;
        *server = Arc::new(self.world.server("5").await);
        self.kills.fetch_add(1, Ordering::Relaxed);
    }

    async fn end(&self) {
        self.server.read().await.kill().await;
    }

    fn kills(&self) -> u64 {
        self.kills.load(Ordering::Relaxed)
    }
}
