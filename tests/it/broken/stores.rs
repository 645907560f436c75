//! Stores that fail: a write that is turned away, a lock that is not let go, a disk without room, a
//! PostgreSQL that goes away.
use std::sync::Arc;

use futures::{FutureExt as _, future::join_all};
use qfpay_mcp::simulator::{Gate, When};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use tokio::task::JoinHandle;

use super::{
    Case,
    book::Doubts,
    run_all,
    steps::{Step, is_honest},
    tmpfs::Tmpfs,
    world::{Manners, Store, Told, World},
};
use crate::{
    cluster::Postgres,
    harness::{Client, Desk, soon},
};

/// Every write of every step, by the state that it writes; the first of each precedes its request.
const WRITES: &[(Step, &[&str])] = &[
    (Step::Show, &["sent", "pending"]),
    (Step::Scan, &["sent", "paid"]),
    (Step::Refund, &["sent", "refunded", "partially_refunded"]),
    (Step::Close, &["closed"]),
    (Step::Reverse, &["closed"]),
    (Step::Query, &["paid"]),
];

/// Steps whose first write comes before their request, and the second after its answer.
const MOVING: [Step; 5] = [Step::Show, Step::Scan, Step::Refund, Step::Close, Step::Reverse];

#[tokio::test]
async fn a_write_that_a_file_turns_away_is_made_good() {
    run_all("failing writes on SQLite", failing_writes(Store::Sqlite)).await;
}

#[tokio::test]
async fn a_write_that_postgres_turns_away_for_want_of_room_is_made_good() {
    if Postgres::or_skip().is_some() {
        run_all("failing writes on PostgreSQL", failing_writes(Store::Postgres)).await;
    }
}

#[tokio::test]
async fn a_file_that_is_locked_for_long_holds_everything_back_or_leaves_a_doubt() {
    run_all("locked for long on SQLite", locked(Store::Sqlite)).await;
}

#[tokio::test]
async fn a_postgres_that_is_locked_for_long_holds_everything_back_or_leaves_a_doubt() {
    if Postgres::or_skip().is_some() {
        run_all("locked for long on PostgreSQL", locked(Store::Postgres)).await;
    }
}

/// Two deployments may share a database, each in a schema of its own.
#[tokio::test]
async fn a_refund_that_is_held_up_in_one_schema_holds_up_none_in_another() {
    if Postgres::or_skip().is_none() {
        return;
    }
    let step = Step::Refund;
    let (here, there) = (
        World::new(Store::Postgres, Manners::of(step.payer())).await,
        World::new(Store::Postgres, Manners::of(step.payer())).await,
    );
    let (client, other) = (Arc::new(here.server("off").await), there.server("off").await);
    step.prepare(&here, &client).await;
    step.prepare(&there, &other).await;
    let mut lock = here.lock().await;
    let held_up = calling(&client, step);
    lock.awaited().await;
    assert_eq!(step.ask(&other).await.status, "refunded");
    assert!(!held_up.is_finished(), "it was to be held up meanwhile");
    lock.release().await;
    assert_eq!(held_up.await.unwrap().status, "refunded");
}

#[tokio::test]
async fn a_full_disk_holds_everything_back_or_leaves_a_doubt() {
    if !Tmpfs::or_skip() {
        return;
    }
    let mut cases: Vec<Case> = Vec::new();
    for step in MOVING {
        for before in [true, false] {
            let when = if before { "before" } else { "after" };
            let name = format!("{step:?}, the disk full {when} the request");
            cases.push((name, full(step, before).boxed()));
        }
    }
    run_all("full disk under SQLite", cases).await;
}

fn failing_writes(store: Store) -> Vec<Case> {
    let all = WRITES.iter().flat_map(|(step, states)| states.iter().map(|state| (*step, *state)));
    all.map(|(step, state)| {
        let name = format!("{store:?}, {step:?}: writing `{state}` fails");
        (name, failing(store, step, state).boxed())
    })
    .collect()
}

async fn failing(store: Store, step: Step, state: &'static str) {
    let world = World::new(store, Manners::of(step.payer())).await;
    let client = world.server("off").await;
    step.prepare(&world, &client).await;
    refuse_writing(&world.place, state).await;
    let told = step.ask(&client).await;
    is_honest(&world, step, &told).await;
    let unsent = state == "sent";
    if step.makes() {
        let is_told = told.text.starts_with("Refused; nothing was sent");
        assert_eq!(is_told, unsent, "{told:?}");
        let sent = world.simulator.requests(step.endpoint());
        assert_eq!(sent, u64::from(!unsent), "requests");
    }
    // It is remembered nowhere but in the store.
    client.kill().await;
    accept_writing(&world.place).await;
    made_good(&world, step, !unsent).await;
}

/// Restarts, repeats, recovers and compares.
async fn made_good(world: &World, step: Step, was_sent: bool) {
    let client = world.server("5").await;
    let again = step.ask(&client).await;
    is_honest(world, step, &again).await;
    if step.makes() {
        assert_eq!(again.replayed, was_sent, "{again:?}");
        assert_eq!(world.simulator.requests(step.endpoint()), 1, "requests");
    }
    world.until("recovered", async || world.differences(Doubts::Allowed).await.is_empty()).await;
    client.end().await;
    world.settles().await;
    assert_eq!(world.status(step.number()).await, step.comes_to(), "{}", world.told().await);
}

fn locked(store: Store) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for step in MOVING {
        let name = format!("{store:?}, {step:?}: locked before the request");
        cases.push((name, locked_before(store, step).boxed()));
        let name = format!("{store:?}, {step:?}: locked before the answer");
        cases.push((name, locked_after(store, step).boxed()));
    }
    cases
}

async fn locked_before(store: Store, step: Step) {
    let world = World::new(store, Manners::of(step.payer())).await;
    let client = world.server("off").await;
    step.prepare(&world, &client).await;
    let before = world.simulator.requests(step.endpoint());
    let lock = world.lock().await;
    let told = step.ask(&client).await;
    assert!(told.text.starts_with("Refused; nothing was sent"), "{told:?}");
    assert_eq!(world.simulator.requests(step.endpoint()), before, "requests");
    lock.release().await;
    client.kill().await;
    made_good(&world, step, false).await;
}

async fn locked_after(store: Store, step: Step) {
    let world = World::new(store, Manners::of(step.payer())).await;
    let client = Arc::new(world.server("off").await);
    step.prepare(&world, &client).await;
    let gate = world.simulator.hold(step.endpoint(), When::After);
    let call = call_at(&client, step, &gate).await;
    let lock = world.lock().await;
    gate.release();
    let told = call.await.unwrap();
    is_honest(&world, step, &told).await;
    if step.makes() {
        assert!(told.text.starts_with("The result is unknown"), "{told:?}");
    }
    lock.release().await;
    client.kill().await;
    made_good(&world, step, true).await;
}

async fn full(step: Step, before: bool) {
    let disk = Tmpfs::new();
    let place = disk.path().join("ledger.db").to_str().unwrap().to_owned();
    let world = World::at(Desk::new(), place, Manners::of(step.payer())).await;
    let client = Arc::new(world.server("off").await);
    step.prepare(&world, &client).await;
    let gate = world.simulator.hold(step.endpoint(), When::After);
    if before {
        disk.fill();
        let told = step.ask(&client).await;
        assert!(told.text.starts_with("Refused; nothing was sent"), "{told:?}");
        assert!(told.text.contains("full"), "{told:?}");
        gate.release();
    } else {
        let call = call_at(&client, step, &gate).await;
        disk.fill();
        gate.release();
        let told = call.await.unwrap();
        is_honest(&world, step, &told).await;
        assert!(!step.makes() || told.text.starts_with("The result is unknown"), "{told:?}");
    }
    client.kill().await;
    disk.make_room();
    made_good(&world, step, !before).await;
}

fn calling(client: &Arc<Client>, step: Step) -> JoinHandle<Told> {
    let client = client.clone();
    tokio::spawn(async move { step.ask(&client).await })
}

/// The call of `step`, whose request stands at `gate`.
async fn call_at(client: &Arc<Client>, step: Step, gate: &Gate) -> JoinHandle<Told> {
    let mut call = calling(client, step);
    tokio::select! {
        () = soon("the request arrives", gate.reached()) => call,
        told = &mut call => panic!("the call ended before its request arrived: {told:?}"),
    }
}

/// How long PostgreSQL is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gone {
    /// It is there again before anybody gives up.
    Briefly,
    /// The server is told so.
    ForLong,
}

/// Where the call stands when PostgreSQL goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    BeforeTheWrite,
    Sent,
    CarriedOut,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_goes_away_in_the_middle_loses_nothing() {
    if Postgres::or_skip().is_none() {
        return;
    }
    let mut postgres = Postgres::start(false).unwrap();
    for moment in [Moment::BeforeTheWrite, Moment::Sent, Moment::CarriedOut] {
        for gone in [Gone::Briefly, Gone::ForLong] {
            let what = format!("PostgreSQL gone {gone:?} when {moment:?}");
            away(&mut postgres, &what, moment, gone).await;
        }
    }
    away_in_recovery(&mut postgres).await;
}

/// All steps at once, each in a schema of its own.
async fn away(postgres: &mut Postgres, what: &str, moment: Moment, gone: Gone) {
    let when = if moment == Moment::Sent { When::Before } else { When::After };
    let mut held: Vec<(Step, World, Arc<Client>, Gate)> = Vec::new();
    for step in MOVING {
        let place = postgres.fresh().await.unwrap();
        let world = World::at(Desk::new(), place, Manners::of(step.payer())).await;
        let client = Arc::new(world.server("off").await);
        step.prepare(&world, &client).await;
        let gate = world.simulator.hold(step.endpoint(), when);
        held.push((step, world, client, gate));
    }
    let mut calls = Vec::new();
    if moment != Moment::BeforeTheWrite {
        for (step, _, client, gate) in &held {
            calls.push(call_at(client, *step, gate).await);
        }
    }
    tokio::task::block_in_place(|| postgres.stop()).unwrap();
    if moment == Moment::BeforeTheWrite {
        calls.extend(held.iter().map(|(step, _, client, _)| calling(client, *step)));
    }
    if gone == Gone::Briefly {
        tokio::task::block_in_place(|| postgres.start_again()).unwrap();
    }
    let mut worlds = Vec::new();
    for (step, world, client, gate) in held {
        gate.release();
        worlds.push((step, world, client));
    }
    let told = join_all(calls).await;
    if gone == Gone::ForLong {
        tokio::task::block_in_place(|| postgres.start_again()).unwrap();
    }
    let cases = worlds.into_iter().zip(told).map(|((step, world, client), told)| {
        let told = told.unwrap();
        let case = async move {
            is_honest(&world, step, &told).await;
            let held_back = moment == Moment::BeforeTheWrite && gone == Gone::ForLong;
            if held_back {
                assert_eq!(told.status, "refused", "{told:?}");
                assert!(!told.text.starts_with("The result is unknown"), "{told:?}");
            }
            client.kill().await;
            made_good(&world, step, !held_back).await;
        };
        (format!("{step:?}"), case.boxed())
    });
    run_all(what, cases.collect()).await;
}

/// The recovery of a payment in doubt goes on where PostgreSQL went away in its middle.
async fn away_in_recovery(postgres: &mut Postgres) {
    let place = postgres.fresh().await.unwrap();
    let step = Step::Show;
    let world = World::at(Desk::new(), place, Manners::of(step.payer())).await;
    let client = world.server("off").await;
    world.simulator.next(step.endpoint(), qfpay_mcp::simulator::Fault::LostAnswer);
    assert_eq!(step.ask(&client).await.status, "in_doubt");
    client.kill().await;
    let gate = world.simulator.hold(Step::Query.endpoint(), When::After);
    let client = world.server("5").await;
    gate.reached().await;
    tokio::task::block_in_place(|| postgres.restart()).unwrap();
    gate.release();
    let is_paid = async || world.status(step.number()).await == "paid";
    world.until("the recovery went on", is_paid).await;
    client.end().await;
    world.settles().await;
}

/// From now on `state` cannot be written.
async fn refuse_writing(place: &str, state: &str) {
    if place.starts_with("postgres") {
        let sql = format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$; \
             CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON entries FOR EACH ROW \
             WHEN (NEW.state = '{state}') EXECUTE FUNCTION refuse()"
        );
        return run(place, sql).await;
    }
    let refuse = "BEGIN SELECT RAISE(ABORT, 'no room'); END";
    let sql = format!(
        "CREATE TRIGGER refuse BEFORE INSERT ON entries WHEN NEW.state = '{state}' {refuse};
         CREATE TRIGGER refuse_change BEFORE UPDATE ON entries WHEN NEW.state = '{state}' {refuse};"
    );
    run(place, sql).await;
}

async fn accept_writing(place: &str) {
    let sql = if place.starts_with("postgres") {
        "DROP TRIGGER refuse ON entries; DROP FUNCTION refuse()"
    } else {
        "DROP TRIGGER refuse; DROP TRIGGER refuse_change;"
    };
    run(place, sql.to_owned()).await;
}

async fn run(place: &str, sql: String) {
    let sql = AssertSqlSafe(sql);
    if place.starts_with("postgres") {
        let mut connection = PgConnection::connect(place).await.unwrap();
        connection.execute(sqlx::raw_sql(sql)).await.unwrap();
        connection.close().await.unwrap();
    } else {
        let mut connection = SqliteConnection::connect(place).await.unwrap();
        connection.execute(sqlx::raw_sql(sql)).await.unwrap();
        connection.close().await.unwrap();
    }
}
