//! Local calls over stdio: what reading a line, finding a tool and writing its reply costs.
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use qfpay_mcp::spec::search;

use super::{
    Effort, Trouble,
    desk::Desk,
    figures::{Rate, Table, written},
    peer::Peer,
};

/// What is asked: a code, which is looked up, and words, which are searched for.
const QUESTIONS: [(&str, &str); 2] =
    [("explain_respcd, a code", "1145"), ("explain_respcd, words", "refund not allowed at night")];

pub(crate) async fn measure(effort: Effort) -> Result<String, Trouble> {
    let desk = Desk::new()?;
    let mut peer = Peer::start(desk.command())?;
    peer.open().await?;
    let mut table = Table::new(
        [
            "",
            "in flight",
            "a second",
            "p50",
            "p99",
            "server's work",
            "floor: ping a second",
            "its work",
            "the look-up alone",
        ],
        8,
    );
    for (what, question) in QUESTIONS {
        let params = format!(r#"{{"name":"explain_respcd","arguments":{{"query":"{question}"}}}}"#);
        let alone = written(look_up(question));
        for in_flight in [1, 32] {
            let (mut rounds, mut floors) = (Vec::new(), Vec::new());
            // The first round only warms up.
            for at in 0..=effort.rounds {
                let span = if at == 0 { effort.span / 3 } else { effort.span };
                let floor = peer.rate(span, in_flight, "ping", |_| "{}".to_owned()).await?;
                let round = peer.rate(span, in_flight, "tools/call", |_| params.clone()).await?;
                if at > 0 {
                    floors.push(floor);
                    rounds.push(round);
                }
            }
            let [rate, p50, p99, work] = Rate::median(rounds).cells();
            let floor = Rate::median(floors);
            let (ping, pings) = (floor.whole(), floor.work());
            let (what, in_flight) = (what.to_owned(), in_flight.to_string());
            table.row([what, in_flight, rate, p50, p99, work, ping, pings, alone.clone()]);
        }
    }
    peer.end().await?;
    Ok(table.written("Local calls over stdio (aim: 20,000 a second at 32 in flight)"))
}

/// What finding the answer takes, without a server around it.
fn look_up(question: &str) -> Duration {
    const TIMES: u32 = 2000;
    black_box(search::explain(question, 3));
    let start = Instant::now();
    for _ in 0..TIMES {
        black_box(search::explain(black_box(question), 3));
    }
    start.elapsed() / TIMES
}
