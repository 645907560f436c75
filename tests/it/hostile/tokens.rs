//! Words that are no token, and sessions that are another's.
use std::time::Duration;

use futures::StreamExt as _;
use nix::sys::signal;
use serde_json::json;

use super::{
    EVE, MALLORY, Tally, Target, attacks,
    honest::{self, Events},
    payment, status, wire,
};
use crate::harness::soon;

attacks! {
    no_guess_and_no_near_miss_is_a_token,
    a_token_counts_in_its_header_alone_and_once,
    a_session_is_its_openers_alone,
    a_token_that_is_taken_back_ends_at_once_in_a_session_too,
}

async fn no_guess_and_no_near_miss_is_a_token(target: &Target) -> Tally {
    let word = &target.words[MALLORY];
    let mut words: Vec<String> =
        (0..10_000).map(|_| format!("qfmcp_{}", hex::encode(rand::random::<[u8; 32]>()))).collect();
    for at in 0..word.len() {
        let (before, after) = (&word[..at], &word[at + 1..]);
        words.extend(["0", "f", "A", "%", "*"].map(|it| format!("{before}{it}{after}")));
        words.push(before.to_owned());
        words.push(after.to_owned());
        words.push(format!("{before}{}", &word[at.saturating_sub(1)..]));
    }
    words.retain(|it| it != word);
    words.extend([
        word.to_uppercase(),
        format!("{word}{word}"),
        format!("{word},"),
        word.repeat(500),
    ]);
    let body = honest::modern("list_pay_types", &json!({})).to_string();
    let all = words.iter().map(|guess| {
        let post = target.raw_call(MALLORY, "list_pay_types", body.clone()).build().unwrap();
        let guess = reqwest::header::HeaderValue::from_str(&format!("Bearer {guess}")).unwrap();
        (post, guess)
    });
    let all = all.map(async |(mut post, guess)| {
        post.headers_mut().insert("authorization", guess);
        status(&target.http.execute(post).await)
    });
    let tally: Tally = futures::stream::iter(all).buffer_unordered(32).collect().await;
    tally.only(&["401"])
}

async fn a_token_counts_in_its_header_alone_and_once(target: &Target) -> Tally {
    let word = &target.words[MALLORY];
    let other = &target.words[EVE];
    let mut all = Vec::new();
    for path in ["/mcp", "/sse", "/metrics", "/qfpay/mcp"] {
        for name in ["access_token", "token", "authorization", "bearer", "api_key"] {
            all.push(format!("GET {path}?{name}={word} HTTP/1.1\r\n"));
        }
        for header in [
            format!("Cookie: token={word}"),
            format!("X-Api-Key: {word}"),
            format!("Proxy-Authorization: Bearer {word}"),
            format!("Authorization: {word}"),
            format!("Authorization: Basic {word}"),
            format!("Authorization: Token {word}"),
            format!("Authorization: Bearer{word}"),
            format!("Authorization: Bearer {word} {word}"),
            format!("Authorization: Bearer x, Bearer {word}"),
            format!("Authorization: Bearer \"{word}\""),
            format!("Authorization: Bearer x\r\nAuthorization: Bearer {word}"),
            format!("Authorization: Bearer {word}\r\nAuthorization: Bearer x"),
            format!("Authorization: Bearer {word}\r\nAuthorization: Bearer {other}"),
            format!("Authorization: Bearer {word}\r\nauthorization: Basic x"),
        ] {
            all.push(format!("GET {path} HTTP/1.1\r\n{header}\r\n"));
        }
    }
    let all: Vec<String> = all
        .iter()
        .map(|it| {
            format!("{it}Host: localhost\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n")
        })
        .collect();
    target.asked(all.iter().map(String::as_bytes)).await.only(&["401"])
}

async fn a_session_is_its_openers_alone(target: &Target) -> Tally {
    let session = target.open(EVE).await.unwrap();
    let url = format!("http://{}", target.address);
    let stream = target.http.get(format!("{url}/sse")).bearer_auth(&target.words[EVE]);
    let mut events = Events::of(stream.send().await.unwrap());
    let messages = events.next().await.unwrap();
    let call = honest::call(7, "create_payment", &payment("stolen")).to_string();
    let mut tally = Tally::default();
    for _ in 0..200 {
        let stolen = |it: reqwest::RequestBuilder| it.header("mcp-session-id", &session);
        let as_mallory = |it: reqwest::RequestBuilder| it.bearer_auth(&target.words[MALLORY]);
        let mcp = format!("{url}/mcp");
        for attempt in [
            stolen(target.post(MALLORY, "/mcp", call.clone())),
            stolen(target.post(MALLORY, "/qfpay/mcp/", call.clone())),
            stolen(target.call(MALLORY, "list_pay_types", &json!({}))),
            stolen(as_mallory(target.http.get(&mcp)).header("accept", "text/event-stream")),
            stolen(as_mallory(target.http.get(&mcp)).header("accept", "text/event-stream"))
                .header("last-event-id", "0"),
            stolen(as_mallory(target.http.delete(&mcp))),
            target.post(MALLORY, &messages, call.clone()),
        ] {
            tally.count(status(&attempt.send().await));
        }
    }
    let tally = tally.only(&["404"]);
    // It is there still, and nothing came into it.
    let mine = target.post(EVE, "/mcp", honest::initialized().to_string());
    assert_eq!(mine.header("mcp-session-id", &session).send().await.unwrap().status(), 202);
    assert_eq!(target.end(EVE, &session).await, 204);
    let asked = target.call(EVE, "query_transaction", &json!({"out_trade_no": "stolen"}));
    let told = asked.send().await.unwrap().text().await.unwrap();
    assert!(!told.contains("\"pending\""), "{told}");
    tally
}

async fn a_token_that_is_taken_back_ends_at_once_in_a_session_too(target: &Target) -> Tally {
    let session = target.open(MALLORY).await.unwrap();
    let url = format!("http://{}", target.address);
    let stream = target.http.get(format!("{url}/sse")).bearer_auth(&target.words[MALLORY]);
    let mut events = Events::of(stream.send().await.unwrap());
    let messages = events.next().await.unwrap();
    let file = target.desk.path().join("tokens");
    let lines = std::fs::read_to_string(&file).unwrap();
    let left: Vec<&str> = lines.lines().filter(|it| !it.starts_with(MALLORY)).collect();
    std::fs::write(&file, left.join("\n")).unwrap();
    let hang_up = || {
        let pid = i32::try_from(target.child.id().unwrap()).unwrap();
        signal::kill(nix::unistd::Pid::from_raw(pid), signal::Signal::SIGHUP).unwrap();
    };
    let call = honest::call(7, "list_pay_types", &json!({})).to_string();
    let attempts = || {
        [
            target.post(MALLORY, "/mcp", call.clone()).header("mcp-session-id", &session),
            target.post(MALLORY, &messages, call.clone()),
            target.call(MALLORY, "list_pay_types", &json!({})),
        ]
    };
    hang_up();
    soon("the token is no longer taken", async {
        while target.call(MALLORY, "list_pay_types", &json!({})).send().await.unwrap().status()
            != 401
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let mut tally = Tally::default();
    for _ in 0..100 {
        for attempt in attempts() {
            tally.count(status(&attempt.send().await));
        }
    }
    let get = format!(
        "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nAccept: \
         text/event-stream\r\nMcp-Session-Id: {session}\r\n\r\n",
        target.words[MALLORY]
    );
    tally.count(wire::asked(target.address, get.as_bytes()).await);
    let tally = tally.only(&["401"]);
    // With the token back, what was opened with it can be ended.
    std::fs::write(&file, lines).unwrap();
    hang_up();
    soon("the session is ended", async {
        while target.end(MALLORY, &session).await != 204 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    tally
}
