//! SIGKILL of the real binary before and after each write and each request, on both stores.
use std::sync::Arc;

use futures::FutureExt as _;
use qfpay_mcp::{
    clock::SystemClock,
    simulator::{Fault, Payer, When},
    spec::endpoints::Endpoint,
};

use super::{
    Case,
    book::Doubts,
    run_all,
    steps::{ORDER, Step, is_honest, shown},
    world::{Manners, Store, World},
};
use crate::cluster::Postgres;

/// When it dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Nothing is written down, and so nothing was sent.
    BeforeTheWrite,
    /// The request is at QFPay, which has done nothing yet.
    Sent,
    /// QFPay has done it and has not answered.
    CarriedOut,
    /// The answer is there and not written down.
    Answered,
    /// All is written down.
    Written,
}

impl Moment {
    const ALL: [Self; 5] =
        [Self::BeforeTheWrite, Self::Sent, Self::CarriedOut, Self::Answered, Self::Written];
}

#[tokio::test]
async fn a_server_that_is_killed_leaves_a_file_from_which_all_is_recovered() {
    run_all("kills on SQLite", cases(Store::Sqlite)).await;
}

#[tokio::test]
async fn a_server_that_is_killed_leaves_a_postgres_from_which_all_is_recovered() {
    if Postgres::or_skip().is_some() {
        run_all("kills on PostgreSQL", cases(Store::Postgres)).await;
    }
}

fn cases(store: Store) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for moment in Moment::ALL {
        // A query writes nothing down before it asks.
        for step in Step::ALL
            .into_iter()
            .filter(|step| *step != Step::Query || moment != Moment::BeforeTheWrite)
        {
            let name = format!("{store:?}, {step:?} killed when {moment:?}");
            cases.push((name, killed(store, step, moment).boxed()));
        }
    }
    for moment in [Moment::Sent, Moment::CarriedOut, Moment::Answered] {
        let name = format!("{store:?}, recovery killed when {moment:?}");
        cases.push((name, killed_in_recovery(store, moment).boxed()));
    }
    cases
}

async fn killed(store: Store, step: Step, moment: Moment) {
    let world = World::new(store, Manners::of(step.payer())).await;
    let client = Arc::new(world.server("off").await);
    step.prepare(&world, &client).await;
    let before = world.simulator.requests(step.endpoint());
    die(&world, &client, step, moment).await;
    drop(client);
    let client = world.server("5").await;
    // The agent lost its answer and repeats its call.
    let again = step.ask(&client).await;
    is_honest(&world, step, &again).await;
    if step.makes() {
        assert_eq!(again.replayed, moment != Moment::BeforeTheWrite, "{again:?}");
        let sent = world.simulator.requests(step.endpoint()) - before;
        assert_eq!(sent, 1, "requests");
    }
    world.until("recovered", async || world.differences(Doubts::Allowed).await.is_empty()).await;
    client.end().await;
    world.settles().await;
    assert_eq!(world.status(step.number()).await, step.comes_to(), "{}", world.told().await);
}

/// Lets the server make its call and kills it at `moment`. What was at QFPay by then goes on there.
async fn die(world: &World, client: &Arc<crate::harness::Client>, step: Step, moment: Moment) {
    let endpoint = step.endpoint();
    let mut lock = match moment {
        Moment::BeforeTheWrite => Some(world.lock().await),
        Moment::Sent | Moment::CarriedOut | Moment::Answered | Moment::Written => None,
    };
    let when = if moment == Moment::Sent { When::Before } else { When::After };
    let gate = world.simulator.hold(endpoint, when);
    let calling = client.clone();
    let (tool, arguments) = step.call();
    let call = tokio::spawn(async move { calling.attempt(tool, arguments).await });
    match moment {
        Moment::BeforeTheWrite => lock.as_mut().unwrap().awaited().await,
        Moment::Sent | Moment::CarriedOut => gate.reached().await,
        Moment::Answered => {
            gate.reached().await;
            let mut held = world.lock().await;
            gate.release();
            held.awaited().await;
            client.kill().await;
            held.release_to_nobody().await;
            call.await.unwrap().unwrap_err();
            return;
        }
        Moment::Written => {
            gate.reached().await;
            let before = world.status(step.number()).await;
            gate.release();
            let is_written = async || world.status(step.number()).await != before;
            world.until("the answer is written down", is_written).await;
            client.kill().await;
            let _ = call.await.unwrap();
            return;
        }
    }
    client.kill().await;
    call.await.unwrap().unwrap_err();
    if moment == Moment::Sent {
        // What QFPay does not know yet is not over.
        world.recover(Arc::new(SystemClock)).await;
        assert!(!matches!(world.status(step.number()).await, "failed" | "closed" | "intended"));
    }
    gate.release();
    if let Some(lock) = lock {
        lock.release_to_nobody().await;
        assert_eq!(world.simulator.requests(endpoint), 0, "nothing was sent");
    }
    if moment == Moment::Sent {
        world.until("QFPay has done it", async || step.is_done(world).await).await;
    }
}

/// A server that starts asks about a payment in doubt, and dies over it.
async fn killed_in_recovery(store: Store, moment: Moment) {
    let world =
        World::new(store, Manners::of(Payer::Pays { after: std::time::Duration::ZERO })).await;
    let client = world.server("off").await;
    world.simulator.next(Endpoint::Payment, Fault::LostAnswer);
    assert_eq!(client.told("create_payment", shown()).await.status, "in_doubt");
    client.kill().await;
    let when = if moment == Moment::Sent { When::Before } else { When::After };
    let gate = world.simulator.hold(Endpoint::Query, when);
    let client = world.server("5").await;
    gate.reached().await;
    if moment == Moment::Answered {
        let mut lock = world.lock().await;
        gate.release();
        lock.awaited().await;
        client.kill().await;
        lock.release_to_nobody().await;
    } else {
        client.kill().await;
        gate.release();
    }
    assert_eq!(world.status(ORDER).await, "in_doubt");
    world.free_recovery().await;
    let _client = world.server("5").await;
    world.until("recovered", async || world.status(ORDER).await == "paid").await;
    world.settles().await;
    assert_eq!(world.simulator.requests(Endpoint::Payment), 1);
}
