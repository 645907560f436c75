use std::time::Duration;

use futures::FutureExt as _;

use super::{wait::Tick, *};

/// Waits for A1, and says how it ended; `ticks` hears how it went on.
async fn wait(world: &World, seconds: u64, ticks: &Arc<std::sync::Mutex<Vec<Tick>>>) -> String {
    let stop = CancellationToken::new();
    wait_until(world, seconds, ticks, &stop).await
}

async fn wait_until(
    world: &World,
    seconds: u64,
    ticks: &Arc<std::sync::Mutex<Vec<Tick>>>,
    stop: &CancellationToken,
) -> String {
    let number = "A1".parse().unwrap();
    let limit = Duration::from_secs(seconds);
    let ticks = ticks.clone();
    let tell = move |tick| {
        ticks.lock().unwrap().push(tick);
        std::future::ready(()).boxed()
    };
    match world.payments.wait(&CALLER, &number, limit, stop, &tell).await {
        Ok(it) => {
            let status = it.found.orders.first().map_or("unknown", |it| it.status.word());
            format!("{status} after {} s", it.waited.as_secs())
        }
        Err(refused) => refused.to_string(),
    }
}

fn unpaid() -> String {
    records(&[payment("1143", "0")])
}

fn paid() -> String {
    records(&[payment("0000", "0")])
}

// Time is paused only where the ledger is not touched by a thread of its own; these use real
// seconds sparingly and wake by events.

#[tokio::test]
async fn it_returns_at_once_when_there_is_nothing_to_wait_for() {
    let world = World::paid(100).await;
    world.then(&[&paid()]);
    let ticks = Arc::default();
    assert_eq!(wait(&world, 45, &ticks).await, "paid after 0 s");
    assert!(ticks.lock().unwrap().is_empty(), "no progress right before the result");
}

#[tokio::test]
async fn it_asks_again_until_it_is_paid_and_tells_the_time_left() {
    let world = World::paid(100).await;
    world.then(&[&unpaid(), &paid()]);
    let ticks = Arc::default();
    assert_eq!(wait(&world, 45, &ticks).await, "paid after 3 s");
    let left: Vec<u64> = ticks.lock().unwrap().iter().map(|it| it.left.as_secs()).collect();
    assert_eq!(left, [44]);
}

#[tokio::test]
async fn at_the_end_of_its_time_it_says_pending() {
    let world = World::paid(100).await;
    world.then(&[&unpaid(), &unpaid()]);
    assert_eq!(wait(&world, 1, &Arc::default()).await, "pending after 1 s");
}

#[tokio::test]
async fn it_wakes_at_once_when_something_new_is_known() {
    let world = World::paid(100).await;
    world.then(&[&unpaid()]);
    let ticks = Arc::default();
    let waiting = wait(&world, 45, &ticks);
    let told = async {
        // Once it waits, somebody else asks, and learns that it is paid.
        while ticks.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        world.then(&[&paid(), &paid()]);
        world.status("A1").await
    };
    let (ended, status) = tokio::join!(waiting, told);
    assert_eq!((ended.as_str(), status.as_str()), ("paid after 0 s", "paid"));
}

#[tokio::test]
async fn it_stops_asking_when_it_is_cancelled_or_the_process_ends() {
    for ending in [false, true] {
        let world = World::paid(100).await;
        world.then(&[&unpaid(), &unpaid()]);
        let (ticks, stop) = (Arc::default(), CancellationToken::new());
        let waiting = wait_until(&world, 45, &ticks, &stop);
        let cancelled = async {
            while ticks.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
            if ending { world.payments.stop.cancel() } else { stop.cancel() }
        };
        let (ended, ()) = tokio::join!(waiting, cancelled);
        assert_eq!(ended, "pending after 0 s");
    }
}

/// QFPay is slow: the question takes longer than the caller has.
#[tokio::test]
async fn a_question_that_takes_too_long_does_not_hold_it_up() {
    let world = World::paid(100).await;
    let hold = world.qfpay.hold.clone().lock_owned().await;
    world.then(&[&unpaid()]);
    assert_eq!(wait(&world, 1, &Arc::default()).await, "pending after 1 s");
    drop(hold);
}
