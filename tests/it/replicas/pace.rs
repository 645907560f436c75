//! QFPay's limits for a merchant, at what arrives there from all replicas together.
use std::time::Instant;

use qfpay_mcp::simulator::Payer;
use serde_json::json;

use super::*;
use crate::{
    broken::world::Manners,
    harness::text,
    relay::{Recorder, busiest},
    soak::{amount, setting},
};

/// More than QFPay takes in a second, at once, of each of which some wait for their turn.
const AGENTS: u64 = 150;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// QFPay's limits, as its documents have them (contract §6).
const IN_A_SECOND: usize = 100;
const IN_A_MINUTE: usize = 400;
/// For how long it is watched, in seconds: long enough to come to the limit of a minute. To see a
/// minute's first turns come back takes more than 60.
const WATCHED: u64 = 9;
/// Each lives longer than a call waits for its turn, so that not all that wait are lost.
const KILLED_EVERY: Duration = Duration::from_secs(5);
/// How long an agent waits that was told to come back later.
const PAUSE: Duration = Duration::from_secs(1);

/// Of a limit, what is surely used by agents that want more; some turns are lost with a replica.
const fn most(limit: usize) -> usize {
    limit * 3 / 4
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_under_load_come_to_qfpays_limits_together_and_never_over_them() {
    if Postgres::or_skip().is_none() {
        return;
    }
    let watched = Duration::from_secs(setting("QFPAY_SOAK_SECONDS").unwrap_or(WATCHED));
    let manners = Manners::of(Payer::Pays { after: Duration::ZERO });
    let world = Arc::new(World::new(Store::Postgres, manners).await);
    let recorder = Recorder::before(world.simulator.url()).await;
    let replica = {
        let (world, url) = (world.clone(), recorder.url.clone());
        move |_| {
            let mut command = world.command("5");
            command.env("QFPAY_SIMULATOR_URL", &url).env_remove("QFPAY_PACE");
            command
        }
    };
    let replicas = Replicas::start(0, replica).await;
    let turned_away = AtomicU64::new(0);
    let agents = join_all((0..AGENTS).map(|nth| agent(&replicas.agent, nth, &turned_away)));
    let watching = tokio::time::timeout(watched, agents);
    tokio::select! {
        ended = watching => assert!(ended.is_err(), "agents want more for ever"),
        never = replicas.kill_in_turn(KILLED_EVERY) => match never {},
    }
    replicas.kill_all().await;
    let times: Vec<Instant> = recorder.arrivals().iter().map(|it| it.at).collect();
    let (second, minute) = (busiest(&times, SECOND), busiest(&times, MINUTE));
    let turned_away = turned_away.into_inner();
    say(format_args!(
        "pace: {REPLICAS} replicas, {AGENTS} agents, {} s, kills {}\n  requests {}, most in a second \
         {second}, most in a minute {minute}, calls told to come back later {turned_away}",
        watched.as_secs(),
        replicas.kills(),
        times.len()
    ));
    assert!(second <= IN_A_SECOND, "{second} requests in a second");
    assert!(minute <= IN_A_MINUTE, "{minute} requests in a minute");
    assert!(second >= most(IN_A_SECOND), "only {second} requests in a second");
    assert!(minute >= most(IN_A_MINUTE), "only {minute} requests in a minute");
    assert!(turned_away > 0, "nobody was told to come back later");
    if watched > MINUTE + 2 * SECOND {
        assert!(times.len() > IN_A_MINUTE, "the turns of a minute ago never came back");
    }
    // However busy it was, each order was made once.
    world.settles().await;
}

/// Asks about an order that is not there yet, which costs nobody much, so that all of them are at the
/// limit of a second soon; then makes it, and asks about it for ever.
async fn agent(agent: &Agent, nth: u64, turned_away: &AtomicU64) {
    let order = json!({"out_trade_no": format!("P{nth}")});
    let terms = json!({"amount": amount(nth), "currency": "HKD", "pay_type": "800201",
                       "out_trade_no": order["out_trade_no"]});
    let asking = ("query_transaction", &order);
    let calls = [asking, ("create_payment", &terms)].into_iter().chain(std::iter::repeat(asking));
    for (tool, arguments) in calls {
        until_done(agent, tool, arguments, turned_away).await;
    }
}

async fn until_done(agent: &Agent, tool: &str, arguments: &Value, turned_away: &AtomicU64) {
    loop {
        let Some(result) = agent.attempt(tool, arguments).await else { continue };
        if !text(&result).contains("too many requests wait for QFPay's rate limit") {
            return;
        }
        turned_away.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(PAUSE).await;
    }
}
