//! Clients that take places and keep them.
use std::sync::atomic::Ordering;

use futures::StreamExt as _;
use serde_json::json;

use super::{EVE, MALLORY, Tally, Target, attacks, connections, honest, status, wire};

attacks! {
    ten_thousand_sessions_are_not_to_be_had_and_nobody_gets_more_than_half,
    a_burst_of_sessions_gets_nobody_more_than_half,
    sessions_whose_openers_went_count_as_theirs,
    streams_of_sessions_keep_nobody_out,
    calls_whose_callers_went_are_bounded,
}

/// The most sessions that the server holds.
const SESSIONS: usize = 1000;

impl Target {
    /// Opens sessions, so many at once; their ids, and how the attempts ended.
    async fn opened(&self, who: &str, how_many: usize, at_once: usize) -> (Vec<String>, Tally) {
        let all = (0..how_many).map(|_| self.open(who));
        let all: Vec<_> = futures::stream::iter(all).buffer_unordered(at_once).collect().await;
        let ended = |it: &Result<String, u16>| {
            it.as_ref().map_or_else(u16::to_string, |_| "200".to_owned())
        };
        let tally = all.iter().map(ended).collect();
        (all.into_iter().filter_map(Result::ok).collect(), tally)
    }

    async fn ended(&self, who: &str, sessions: &[String]) {
        let all = sessions.iter().map(async |it| self.end(who, it).await.to_string());
        let all: Tally = futures::stream::iter(all).buffer_unordered(16).collect().await;
        all.only(&["204"]);
    }
}

async fn ten_thousand_sessions_are_not_to_be_had_and_nobody_gets_more_than_half(
    target: &Target,
) -> Tally {
    let (first, mut tally) = target.opened(MALLORY, 9000, 32).await;
    assert_eq!(first.len(), SESSIONS / 2, "{tally}");
    let (second, more) = target.opened(EVE, 1000, 32).await;
    // One of them is an honest client's.
    assert_eq!(first.len() + second.len(), SESSIONS - 1, "{more}");
    assert_eq!(target.sessions().await.0, SESSIONS);
    target.honest_are_served().await;
    target.ended(MALLORY, &first).await;
    target.ended(EVE, &second).await;
    for (ended, times) in more.0 {
        tally.add(ended, times);
    }
    tally.only(&["200", "503"])
}

async fn a_burst_of_sessions_gets_nobody_more_than_half(target: &Target) -> Tally {
    let (sessions, tally) = target.opened(MALLORY, 1500, 500).await;
    assert!(sessions.len() <= SESSIONS / 2, "{tally}");
    target.ended(MALLORY, &sessions).await;
    tally.only(&["200", "503"])
}

/// Sessions that are opened by clients who do not wait for their ids: nobody can end these.
async fn sessions_whose_openers_went_count_as_theirs(target: &Target) -> Tally {
    let (word, body) = (&target.words[MALLORY], honest::initialize("2025-11-25").to_string());
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {word}\r\nContent-Type: \
         application/json\r\nAccept: */*\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let all = (0..2000).map(async |_| drop(wire::begun(target.address, request.as_bytes()).await));
    futures::stream::iter(all).buffer_unordered(32).collect::<()>().await;
    target.honest_are_served().await;
    let mut tally = Tally::default();
    tally.add("went", 2000);
    let (left, _) = target.sessions().await;
    assert!(left <= SESSIONS / 2 + 1, "{left}");
    let (sessions, more) = target.opened(EVE, 400, 16).await;
    assert_eq!(sessions.len(), 400, "{more}");
    target.ended(EVE, &sessions).await;
    target.left.store(left - 1, Ordering::Relaxed);
    tally
}

/// As many streams as there are connections, in sessions of one principal; nothing is read.
async fn streams_of_sessions_keep_nobody_out(target: &Target) -> Tally {
    let (sessions, _) = target.opened(MALLORY, 70, 16).await;
    let word = &target.words[MALLORY];
    let heads: Vec<String> = sessions
        .iter()
        .map(|session| {
            format!(
                "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {word}\r\nAccept: \
                 text/event-stream\r\nMcp-Session-Id: {session}\r\n\r\n"
            )
        })
        .collect();
    let many = connections(2100);
    let all = (0..many).map(|at| wire::begun(target.address, heads[at % heads.len()].as_bytes()));
    let mut streams: Vec<_> = futures::stream::iter(all).buffer_unordered(64).collect().await;
    target.honest_are_served().await;
    let mut tally = Tally::default();
    for stream in &mut streams {
        tally.count(wire::so_far(stream, "no answer yet").await);
    }
    drop(streams);
    target.ended(MALLORY, &sessions).await;
    tally.only(&["200", "503", "cut", "no answer yet"])
}

/// Calls that take long, by clients that go before they are answered.
async fn calls_whose_callers_went_are_bounded(target: &Target) -> Tally {
    target.call(MALLORY, "create_payment", &super::payment("gone")).send().await.unwrap();
    let session = target.open(MALLORY).await.unwrap();
    let hello = target.post(MALLORY, "/mcp", honest::initialized().to_string());
    hello.header("mcp-session-id", &session).send().await.unwrap();
    let word = &target.words[MALLORY];
    let wait = json!({"out_trade_no": "gone", "timeout_seconds": 300});
    let request = |headers: &str, body: &serde_json::Value| {
        let body = body.to_string();
        format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {word}\r\nContent-Type: \
             application/json\r\nAccept: */*\r\n{headers}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let alone = request(
        "Mcp-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: wait_for_payment",
        &honest::modern("wait_for_payment", &wait),
    );
    let mut tally = Tally::default();
    for at in 0..1500 {
        drop(wire::begun(target.address, alone.as_bytes()).await);
        tally.count("went");
        let call = honest::call(at + 10, "wait_for_payment", &wait);
        let inside = request(&format!("Mcp-Session-Id: {session}"), &call);
        // Until it is being worked on, and then no longer.
        let mut begun = wire::begun(target.address, inside.as_bytes()).await;
        tally.count(wire::status(&mut begun).await);
    }
    // Whose calls go on is not taken for somebody who asks for nothing.
    let more = target.call(MALLORY, "list_pay_types", &json!({})).send().await;
    tally.count(format!("then {}", status(&more)));
    assert!(tally.of("200") <= 512, "{tally}");
    assert_eq!(target.end(MALLORY, &session).await, 204);
    tally.only(&["went", "200", "503", "then 503", "then 200"])
}
