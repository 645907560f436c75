//! Clients that ask much and read nothing.
use std::{iter, net::SocketAddr, pin::pin, task::Poll, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{EVE, MALLORY, Tally, Target, attacks, honest, payment, status, wire};
use crate::harness::soon;

attacks! {
    sse_clients_that_never_read_hold_little,
    pipelined_requests_whose_answers_nobody_reads_hold_little,
    followers_of_ten_thousand_orders_that_never_read_hold_little,
}

/// Sessions whose client does not read, and messages into each.
const STREAMS: usize = 12;
const MESSAGES: usize = 600;

/// Opens a stream and reads as far as where its messages go.
async fn deaf(address: SocketAddr, word: &str) -> (TcpStream, String) {
    let head =
        format!("GET /sse HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {word}\r\n\r\n");
    let mut stream = wire::begun(address, head.as_bytes()).await;
    let mut read = String::new();
    let endpoint = async {
        loop {
            read.push(char::from(stream.read_u8().await.unwrap()));
            if let Some((_, rest)) = read.split_once("data: ")
                && let Some((endpoint, _)) = rest.split_once('\n')
            {
                return endpoint.to_owned();
            }
        }
    };
    let endpoint = soon("the stream says where messages go", endpoint).await;
    (stream, endpoint)
}

async fn sse_clients_that_never_read_hold_little(target: &Target) -> Tally {
    let word = &target.words[MALLORY];
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        let (stream, messages) = deaf(target.address, word).await;
        for hello in [honest::initialize("2024-11-05"), honest::initialized()] {
            let told = target.post(MALLORY, &messages, hello.to_string()).send().await;
            assert_eq!(status(&told), "202");
        }
        streams.push((stream, messages));
    }
    let told = streams.iter().map(async |(_, messages)| {
        let mut tally = Tally::default();
        for id in 0..MESSAGES {
            let list = json!({"jsonrpc": "2.0", "id": id + 10, "method": "tools/list"}).to_string();
            let told = target.post(MALLORY, messages, list).timeout(Duration::from_secs(2)).send();
            let told = status(&told.await);
            tally.count(&told);
            // The server takes no more from it, and waits for it to read.
            if told == "cut" {
                break;
            }
        }
        tally
    });
    let mut tally = Tally::default();
    for told in futures::future::join_all(told).await {
        for (ended, times) in told.0 {
            tally.add(ended, times);
        }
    }
    target.honest_are_served().await;
    drop(streams);
    assert!(tally.of("202") < STREAMS * MESSAGES, "{tally}");
    tally.only(&["202", "503", "404", "cut"])
}

async fn pipelined_requests_whose_answers_nobody_reads_hold_little(target: &Target) -> Tally {
    let word = &target.words[MALLORY];
    let body = honest::modern("list_pay_types", &json!({})).to_string();
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {word}\r\nContent-Type: \
         application/json\r\nAccept: */*\r\nMcp-Protocol-Version: 2026-07-28\r\nMcp-Method: \
         tools/call\r\nMcp-Name: list_pay_types\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (many, bytes) = (1000, request.repeat(1000));
    let mut tally = Tally::default();
    let mut streams = Vec::new();
    for _ in 0..16 {
        let mut stream = wire::connect(target.address).await;
        // Until it takes no more.
        for _ in 0..40 {
            match futures::poll!(pin!(stream.write_all(bytes.as_bytes()))) {
                Poll::Ready(Ok(())) => tally.add("sent", many),
                Poll::Ready(Err(_)) => tally.count("cut"),
                Poll::Pending => {
                    tally.count("no longer taken");
                    break;
                }
            }
        }
        streams.push(stream);
    }
    target.honest_are_served().await;
    assert_eq!(tally.of("no longer taken"), streams.len(), "{tally}");
    tally.only(&["sent", "cut", "no longer taken"])
}

/// Streams that follow as much as they may, then sessions that do, and changes of what they follow.
async fn followers_of_ten_thousand_orders_that_never_read_hold_little(target: &Target) -> Tally {
    let uris: Vec<String> = (0..64).map(|nth| format!("qfpay://orders/F{nth}")).collect();
    let listen = |filter| {
        let mut listen = honest::modern("", &json!({}));
        listen["method"] = json!("subscriptions/listen");
        listen["params"]["notifications"] = filter;
        listen.to_string()
    };
    let (much, nothing) = (listen(json!({ "resourceSubscriptions": uris })), listen(json!({})));
    let mut tally = Tally::default();
    let mut streams = Vec::new();
    for listen in iter::repeat_n(&much, 20).chain(iter::repeat_n(&nothing, 300)) {
        let asked = target
            .post(MALLORY, "/mcp", listen.clone())
            .header("mcp-protocol-version", honest::MODERN)
            .header("mcp-method", "subscriptions/listen");
        let answer = asked.send().await;
        tally.count(format!("stream {}", status(&answer)));
        streams.extend(answer);
    }
    let mut sessions = Vec::new();
    for _ in 0..10 {
        let session = target.open(EVE).await.unwrap();
        for nth in 0..100 {
            let uri = format!("qfpay://orders/F{nth}");
            let subscribe = json!({"jsonrpc": "2.0", "id": nth, "method": "resources/subscribe", "params": {"uri": uri}});
            let asked = target
                .post(EVE, "/mcp", subscribe.to_string())
                .header("mcp-session-id", &session)
                .header("mcp-protocol-version", "2025-11-25");
            let told = asked.send().await.unwrap().text().await.unwrap();
            let refused = told.contains("as many orders are followed as may be");
            tally.count(if refused { "refused" } else { "followed" });
        }
        sessions.push(session);
    }
    assert_eq!(tally.of("followed"), 256, "{tally}");
    assert!(tally.of("stream 503") > 40, "{tally}");
    for nth in 0..64 {
        let number = json!({ "out_trade_no": format!("F{nth}") });
        let mut terms = payment(&format!("F{nth}"));
        terms["udid"] = number["out_trade_no"].clone();
        for (tool, arguments) in [("create_payment", terms), ("cancel_payment", number)] {
            let done = target.call(MALLORY, tool, &arguments).send().await;
            tally.count(format!("change {}", status(&done)));
        }
    }
    target.honest_are_served().await;
    drop(streams);
    for session in sessions {
        target.end(EVE, &session).await;
    }
    tally.only(&["stream 200", "stream 503", "followed", "refused", "change 200"])
}
