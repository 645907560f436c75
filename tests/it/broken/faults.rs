//! Every step under every fault that can strike it, on both stores.
use futures::FutureExt as _;
use qfpay_mcp::simulator::Fault;

use super::{
    Case, run_all,
    steps::{Step, is_honest},
    world::{Manners, Store, World},
};
use crate::cluster::Postgres;

#[tokio::test]
async fn whatever_goes_wrong_on_the_way_nothing_is_made_twice_and_the_file_agrees_with_the_book() {
    run_all("faults on SQLite", cases(Store::Sqlite)).await;
}

#[tokio::test]
async fn whatever_goes_wrong_on_the_way_nothing_is_made_twice_and_postgres_agrees_with_the_book() {
    if Postgres::or_skip().is_some() {
        run_all("faults on PostgreSQL", cases(Store::Postgres)).await;
    }
}

fn cases(store: Store) -> Vec<Case> {
    let mut cases = Vec::new();
    for step in Step::ALL {
        for fault in Fault::ALL.into_iter().filter(|it| it.strikes(step.endpoint())) {
            let name = format!("{store:?}, {step:?} under {}", fault.word());
            cases.push((name, struck(store, step, fault).boxed()));
        }
    }
    cases
}

async fn struck(store: Store, step: Step, fault: Fault) {
    let world = World::new(store, Manners::of(step.payer())).await;
    let client = world.server("off").await;
    step.prepare(&world, &client).await;
    let before = world.simulator.requests(step.endpoint());
    world.simulator.next(step.endpoint(), fault);
    let told = step.ask(&client).await;
    is_honest(&world, step, &told).await;
    // An agent that is not sure repeats its call.
    let again = step.ask(&client).await;
    is_honest(&world, step, &again).await;
    let sent = world.simulator.requests(step.endpoint()) - before;
    if step.makes() {
        assert!(again.replayed, "it was told {told:?}, then {again:?}");
        assert_eq!(sent, 1 + u64::from(is_turned_away(fault)), "requests");
    }
    client.end().await;
    world.settles().await;
    let arrives = fault.is_carried_out() || is_turned_away(fault) || !step.makes();
    let wanted = if arrives { step.comes_to() } else { "failed" };
    assert_eq!(world.status(step.number()).await, wanted, "{}", world.told().await);
}

/// Whether QFPay says that it did nothing, so that the same request goes again.
fn is_turned_away(fault: Fault) -> bool {
    matches!(fault, Fault::RateLimited | Fault::RateLimitedBare)
}
