//! What takes long at QFPay, and numbers that QFPay has seen before.
use std::time::Duration;

use futures::FutureExt as _;
use qfpay_mcp::{
    simulator::{Act, Duplicate, Fault, Payer},
    spec::endpoints::Endpoint,
};
use serde_json::json;

use super::{
    Case,
    book::Doubts,
    run_all,
    steps::{ORDER, Step, is_honest, scanned, shown},
    world::{Manners, Store, World, ledger},
};
use crate::{cluster::Postgres, harness::Desk};

const AT_ONCE: Payer = Payer::Pays { after: Duration::ZERO };

#[tokio::test]
async fn what_takes_long_and_what_was_seen_before_is_settled_in_a_file() {
    run_all("patience on SQLite", cases(Store::Sqlite)).await;
}

#[tokio::test]
async fn what_takes_long_and_what_was_seen_before_is_settled_in_postgres() {
    if Postgres::or_skip().is_some() {
        run_all("patience on PostgreSQL", cases(Store::Postgres)).await;
    }
}

fn cases(store: Store) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (act, wanted) in [(Act::Pay, "paid"), (Act::Fail, "failed"), (Act::Expire, "failed")] {
        let name = format!("{store:?}, processing for long, then {act:?}");
        cases.push((name, processing(store, act, wanted).boxed()));
    }
    for step in [Step::Show, Step::Scan, Step::Refund] {
        let name = format!("{store:?}, {step:?}: turned away every time");
        cases.push((name, turned_away(store, step).boxed()));
    }
    for fault in [Fault::LostRequest, Fault::LostAnswer] {
        let name = format!("{store:?}, a second refund under {}", fault.word());
        cases.push((name, second_refund(store, fault).boxed()));
    }
    for duplicate in
        [Duplicate::Text1251, Duplicate::Code1102, Duplicate::Code2011, Duplicate::Echo]
    {
        for amount in [900, 901] {
            let name = format!("{store:?}, a number used elsewhere for {amount}, {duplicate:?}");
            cases.push((name, used_elsewhere(store, duplicate, amount).boxed()));
        }
    }
    cases
}

/// QFPay says 1145 and goes on saying it; the agent asks, repeats, and does not pay again.
async fn processing(store: Store, act: Act, wanted: &str) {
    let world = World::new(store, Manners::of(Payer::Waits)).await;
    let client = world.server("5").await;
    world.simulator.next(Endpoint::Payment, Fault::Processing);
    assert_eq!(client.told("create_payment", scanned()).await.status, "pending");
    for _ in 0..3 {
        assert_eq!(Step::Query.ask(&client).await.status, "pending");
        let again = client.told("create_payment", scanned()).await;
        assert!(again.replayed && again.status == "pending", "{again:?}");
    }
    world.settles().await;
    assert_eq!(world.status(ORDER).await, "pending", "however long it takes");
    client.kill().await;
    assert!(world.simulator.act(ORDER, act).await.unwrap());
    let client = world.server("5").await;
    world.until("recovered", async || world.status(ORDER).await == wanted).await;
    client.end().await;
    world.settles().await;
    assert_eq!(world.simulator.requests(Endpoint::Payment), 1);
}

/// 429 to each attempt: it surely was not processed, so the same number may go again.
async fn turned_away(store: Store, step: Step) {
    let world = World::new(store, Manners::of(AT_ONCE)).await;
    let client = world.server("off").await;
    step.prepare(&world, &client).await;
    for _ in 0..4 {
        world.simulator.next(step.endpoint(), Fault::RateLimited);
    }
    let told = step.ask(&client).await;
    assert_eq!(told.status, "intended", "{told:?}");
    is_honest(&world, step, &told).await;
    world.agrees(Doubts::Over).await;
    let again = step.ask(&client).await;
    assert!(!again.replayed, "{again:?}");
    assert_eq!(world.simulator.requests(step.endpoint()), 5);
    client.end().await;
    world.settles().await;
    assert_eq!(world.status(step.number()).await, step.comes_to());
}

/// One refund was made, and the next is in doubt: that QFPay has one of them proves nothing of the
/// other. What never arrived stands in nobody's way for ever.
async fn second_refund(store: Store, fault: Fault) {
    let world = World::new(store, Manners::of(AT_ONCE)).await;
    let client = world.server("off").await;
    Step::Refund.prepare(&world, &client).await;
    assert_eq!(Step::Refund.ask(&client).await.status, "refunded");
    let second = json!({"out_trade_no": ORDER, "amount": 300, "refund_no": "R2"});
    world.simulator.next(Endpoint::Refund, fault);
    assert_eq!(client.told("refund", second.clone()).await.status, "in_doubt");
    assert!(client.told("refund", second).await.replayed);
    client.end().await;
    world.settles().await;
    let wanted = if fault.is_carried_out() { "refunded" } else { "failed" };
    assert_eq!(world.status("R2").await, wanted);
    let client = world.server("off").await;
    let rest = json!({"out_trade_no": ORDER, "refund_no": "R3"});
    assert_eq!(client.told("refund", rest).await.status, "refunded");
    client.end().await;
    world.settles().await;
    assert_eq!(world.status(ORDER).await, "refunded");
}

/// Another desk with another ledger used the number for 900: QFPay calls ours a duplicate. Of the
/// same amount it is our payment, else nobody can tell; either way nothing more is charged.
async fn used_elsewhere(store: Store, duplicate: Duplicate, amount: u64) {
    let manners = Manners { duplicate, ..Manners::of(AT_ONCE) };
    let world = World::new(store, manners).await;
    let elsewhere = Desk::new();
    let mut command = elsewhere.command();
    command.env("QFPAY_SIMULATOR_URL", world.simulator.url());
    let other = crate::harness::Client::of(command).await;
    other.reply("create_payment", shown()).await;
    other.end().await;
    let client = world.server("off").await;
    let mut ours = shown();
    ours["amount"] = json!(amount);
    let told = client.told("create_payment", ours.clone()).await;
    assert!(matches!(told.status.as_str(), "in_doubt" | "pending"), "{told:?}");
    let again = client.told("create_payment", ours).await;
    assert!(again.replayed, "{again:?}");
    client.end().await;
    assert_eq!(world.simulator.requests(Endpoint::Payment), 2, "one of each desk");
    if amount == 900 {
        world.settles().await;
        assert_eq!(world.status(ORDER).await, "paid");
        return;
    }
    // A record under our number that is not what we asked for: a person has to look.
    world.recover_much_later().await;
    assert_eq!(world.status(ORDER).await, "in_doubt");
    let theirs = ledger(elsewhere.path().join("ledger.db").to_str().unwrap());
    assert!(theirs.find(&ORDER.parse().unwrap()).await.unwrap().is_some());
    assert_eq!(world.book().await.len(), 1, "one charge, theirs");
}
