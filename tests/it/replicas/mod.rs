//! Three replicas over one PostgreSQL behind a proxy that knows no sessions: whatever is promised of
//! one server holds for all of them together, while they are killed.
//!
//! `QFPAY_SOAK_ORDERS` and `QFPAY_SOAK_SEED` make the storm larger or the same again, as those of
//! [`soak`](crate::soak); `QFPAY_SOAK_SECONDS` says for how long the pace is watched.
use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use serde_json::Value;
use tokio::{
    net::TcpSocket,
    process::Command,
    sync::{Mutex, MutexGuard},
};

use crate::{
    broken::world::{Store, Told, World},
    cluster::Postgres,
    soak::{Servers, say, soak},
    web::{Agent, Service},
};

mod calls;
mod pace;
mod proxy;
mod recovery;

use proxy::Proxy;

const REPLICAS: usize = 3;
/// Arguments of `http` that replicas are started with.
const ARGUMENTS: [&str; 1] = ["--stateless"];
const KILLED_EVERY: Duration = Duration::from_secs(2);
const ORDERS: u64 = 120;
/// Of so many answers the proxy loses one.
const LOSES: usize = 31;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_over_replicas_that_are_killed_ends_without_duplicate_loss_or_difference() {
    if Postgres::or_skip().is_none() {
        return;
    }
    let replicas =
        async |world: Arc<World>, _| Replicas::start(LOSES, move |_| world.command("5")).await;
    soak("three replicas over HTTP", Store::Postgres, ORDERS, replicas).await;
}

/// Real servers over HTTP, and the proxy before them.
struct Replicas {
    command: Box<dyn Fn(usize) -> Command + Send + Sync>,
    services: Vec<Mutex<Service>>,
    proxy: Proxy,
    agent: Agent,
    kills: AtomicU64,
}

impl Replicas {
    /// Each runs what `command` makes of its place; of so many answers the proxy loses one.
    async fn start(
        loses: usize,
        command: impl Fn(usize) -> Command + Send + Sync + 'static,
    ) -> Self {
        let services = (0..REPLICAS).map(|at| Service::with(command(at), &ARGUMENTS));
        let services = join_all(services).await;
        let bases = services.iter().map(|it| it.base.clone()).collect();
        let proxy = Proxy::before(bases, loses).await;
        Self {
            command: Box::new(command),
            services: services.into_iter().map(Mutex::new).collect(),
            agent: Agent::of(&proxy.url),
            proxy,
            kills: AtomicU64::new(0),
        }
    }

    async fn replica(&self, at: usize) -> MutexGuard<'_, Service> {
        self.services[at].lock().await
    }

    /// A client of this replica alone.
    async fn agent_of(&self, at: usize) -> Agent {
        Agent::of(&self.replica(at).await.base)
    }

    /// SIGKILL with all that is in flight, and a new one in its place.
    async fn kill_and_start_again(&self, at: usize) {
        let mut service = self.replica(at).await;
        service.kill().await;
        let _held = hold(&service.base);
        self.kills.fetch_add(1, Ordering::Relaxed);
        *service = Service::with((self.command)(at), &ARGUMENTS).await;
        self.proxy.moved(at, service.base.clone());
    }

    /// Kills one after the other, one after so long.
    async fn kill_in_turn(&self, every: Duration) -> Infallible {
        loop {
            for at in 0..REPLICAS {
                tokio::time::sleep(every).await;
                self.kill_and_start_again(at).await;
            }
        }
    }

    async fn kill_all(&self) {
        for service in &self.services {
            service.lock().await.kill().await;
        }
    }
}

/// Keeps the port of a server that is gone from anybody else, while requests may still go there.
fn hold(base: &str) -> TcpSocket {
    let address: SocketAddr = base.strip_prefix("http://").unwrap().parse().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    // Connections of the one that is gone may linger.
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

impl Servers for Replicas {
    async fn call(&self, tool: &str, arguments: &Value) -> Option<Told> {
        Some(Told::of(&self.agent.attempt(tool, arguments).await?))
    }

    async fn suffer(&self) -> Infallible {
        self.kill_in_turn(KILLED_EVERY).await
    }

    async fn end(&self) {
        self.kill_all().await;
        say(format_args!("  proxy: {}", self.proxy.met()));
    }

    fn kills(&self) -> u64 {
        self.kills.load(Ordering::Relaxed)
    }
}
