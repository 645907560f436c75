//! Replicas that recover do it one at a time, as what arrives at QFPay from each of them shows.
use std::collections::BTreeSet;

use qfpay_mcp::{simulator::Payer, spec::endpoints::Endpoint};
use serde_json::json;

use super::*;
use crate::{broken::world::Manners, relay::Recorder, soak::amount};

/// More than fit one question, so that a round has several.
const OPEN: u64 = 120;
/// What one says that finds another at it.
const LEAVES_IT: &str = "another process recovers";

/// Replicas that recover every five seconds, each with a recorder of its own before the simulator.
struct Watched {
    world: Arc<World>,
    replicas: Replicas,
    recorders: Vec<Recorder>,
    numbers: BTreeSet<String>,
}

impl Watched {
    async fn start() -> Self {
        let world = Arc::new(World::new(Store::Postgres, Manners::of(Payer::Waits)).await);
        let mut numbers = BTreeSet::new();
        let maker = Service::of(world.command("off")).await;
        let agent = Agent::of(&maker.base);
        for nth in 0..OPEN {
            let number = format!("A{nth}x");
            let terms = json!({"amount": amount(nth), "currency": "HKD", "pay_type": "800201",
                               "out_trade_no": number});
            agent.reply("create_payment", terms).await;
            numbers.insert(number);
        }
        let recorders =
            join_all((0..REPLICAS).map(|_| Recorder::before(world.simulator.url()))).await;
        let replica = {
            let world = world.clone();
            let urls: Vec<String> = recorders.iter().map(|it| it.url.clone()).collect();
            move |at: usize| {
                let mut command = world.command("5");
                command.env("QFPAY_SIMULATOR_URL", &urls[at]);
                command.env("QFPAY_LOG", "qfpay_mcp=debug");
                command
            }
        };
        let replicas = Replicas::start(0, replica).await;
        Self { world, replicas, recorders, numbers }
    }

    /// The numbers that this replica has asked about.
    fn asked(&self, at: usize) -> BTreeSet<String> {
        let arrivals = self.recorders[at].arrivals();
        assert!(arrivals.iter().all(|it| it.path.starts_with(Endpoint::Query.path())));
        let bodies: Vec<String> =
            arrivals.iter().map(|it| String::from_utf8_lossy(&it.body).into_owned()).collect();
        let is_asked = |it: &&String| bodies.iter().any(|body| body.contains(it.as_str()));
        self.numbers.iter().filter(is_asked).cloned().collect()
    }

    /// Waits until one of `among` has asked about everything and the others have found it at it;
    /// which one it is.
    async fn recovers(&self, among: &[usize]) -> usize {
        let all = || async { among.iter().any(|at| self.asked(*at) == self.numbers) };
        self.world.until("one has asked about everything", all).await;
        let one = among.iter().copied().find(|at| self.asked(*at) == self.numbers).unwrap();
        for at in among.iter().copied().filter(|at| *at != one) {
            self.replicas.replica(at).await.says(LEAVES_IT).await;
            assert_eq!(self.asked(at), BTreeSet::new(), "replica {at} beside replica {one}");
        }
        one
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_replica_recovers_at_a_time_and_another_when_it_has_gone() {
    if Postgres::or_skip().is_none() {
        return;
    }
    let watched = Watched::start().await;
    let first = watched.recovers(&[0, 1, 2]).await;
    let others: Vec<usize> = (0..REPLICAS).filter(|it| *it != first).collect();
    // One that ends in peace leaves the work to the others at once.
    watched.replicas.replica(first).await.terminate().await;
    let second = watched.recovers(&others).await;
    let third = *others.iter().find(|it| **it != second).unwrap();
    // One that is killed has it for a while yet: it may only be slow.
    watched.replicas.replica(second).await.kill().await;
    watched.replicas.replica(third).await.says(LEAVES_IT).await;
    assert_eq!(watched.asked(third), BTreeSet::new());
    watched.world.free_recovery().await;
    assert_eq!(watched.recovers(&[third]).await, third);
}
