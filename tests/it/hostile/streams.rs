//! Clients that ask much and read nothing.
use std::{net::SocketAddr, pin::pin, task::Poll, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{MALLORY, Tally, Target, attacks, honest, status, wire};
use crate::harness::soon;

attacks! {
    sse_clients_that_never_read_hold_little,
    pipelined_requests_whose_answers_nobody_reads_hold_little,
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
