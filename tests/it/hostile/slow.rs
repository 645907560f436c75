//! Clients that take their time, and clients that never finish.
use std::time::Duration;

use futures::StreamExt as _;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::{MALLORY, Tally, Target, attacks, connections, honest, wire};

attacks! {
    heads_that_never_end_keep_nobody_out,
    bodies_without_a_token_are_not_waited_for,
    bodies_that_never_end_keep_nobody_out,
    bodies_that_never_come_keep_nobody_out,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_files_are_few_nobody_is_kept_out_either() {
    Target::attacked("127.0.0.1:0", Some(600), heads_take_all_files).await;
}

/// It takes half a minute in which nothing happens, so it has no turn.
#[tokio::test]
async fn bodies_that_never_come_are_given_up_on_every_route() {
    let target = Target::start("127.0.0.1:0", None).await;
    let head = target.head(1000);
    let asked = ["/mcp", "/mcp/", "/qfpay/mcp", "/qfpay/notifications"].map(async |path| {
        let head = head.replacen("/mcp", path, 1);
        (path, wire::asked(target.address, head.as_bytes()).await)
    });
    for (path, status) in futures::future::join_all(asked).await {
        assert_eq!(status, "408", "{path}");
    }
}

/// More than the server keeps open.
const MANY: usize = 3000;
/// What it keeps open at most.
const KEPT: usize = 2048;
/// Bytes that a slow client sends before it goes on waiting.
const DRIPS: usize = 2;

impl Target {
    /// Connections on which each has sent `bytes`.
    async fn begun(&self, bytes: &[u8], how_many: usize) -> Vec<TcpStream> {
        let all = (0..how_many).map(|_| wire::begun(self.address, bytes));
        futures::stream::iter(all).buffer_unordered(64).collect().await
    }

    /// Sends a byte now and then, while honest clients are served; how many were kept.
    async fn dripped(&self, mut streams: Vec<TcpStream>) -> Tally {
        for _ in 0..DRIPS {
            for stream in &mut streams {
                // The server may have had enough.
                let _ = stream.write_all(b"x").await;
            }
            self.honest_are_served().await;
        }
        let cut = |it: &TcpStream| if wire::is_cut(it) { "made room" } else { "kept waiting" };
        streams.iter().map(cut).collect()
    }

    fn head(&self, length: usize) -> String {
        let word = &self.words[MALLORY];
        format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {word}\r\nContent-Type: \
             application/json\r\nContent-Length: {length}\r\n\r\n"
        )
    }
}

async fn heads_that_never_end_keep_nobody_out(target: &Target) -> Tally {
    let many = connections(MANY);
    let streams = target.begun(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ", many).await;
    let tally = target.dripped(streams).await;
    assert!(tally.of("kept waiting") <= KEPT, "{tally}");
    tally
}

async fn heads_take_all_files(target: &Target) -> Tally {
    let streams = target.begun(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ", 1000).await;
    let ask = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let new_ones = async {
        for _ in 0..20 {
            assert_eq!(wire::asked(target.address, ask).await, "200");
        }
    };
    // Long before the slow ones are given up.
    tokio::time::timeout(Duration::from_secs(40), new_ones).await.unwrap();
    target.dripped(streams).await
}

async fn bodies_without_a_token_are_not_waited_for(target: &Target) -> Tally {
    let mut all = Vec::new();
    for path in ["/mcp", "/messages?sessionId=1", "/qfpay/mcp", "/approve/x"] {
        for header in ["Content-Length: 1000000", "Transfer-Encoding: chunked"] {
            let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n1");
            all.extend(std::iter::repeat_n(head, 100));
        }
    }
    target.asked(all.iter().map(String::as_bytes)).await.only(&["401"])
}

async fn bodies_that_never_end_keep_nobody_out(target: &Target) -> Tally {
    // All together more than there is room for.
    let mut bytes = target.head(1_000_000).into_bytes();
    bytes.resize(bytes.len() + (100 << 10), b' ');
    let streams = target.begun(&bytes, connections(1000)).await;
    target.honest_are_served().await;
    let mut tally = Tally::default();
    for mut stream in streams {
        if wire::is_cut(&stream) {
            tally.count("made room");
            continue;
        }
        let _ = stream.write_all(b" ").await;
        tally.count(wire::so_far(&mut stream, "kept waiting").await);
    }
    tally.only(&["503", "cut", "made room", "kept waiting"])
}

async fn bodies_that_never_come_keep_nobody_out(target: &Target) -> Tally {
    let head = target.head(honest::initialize("2025-11-25").to_string().len());
    let streams = target.begun(head.as_bytes(), connections(KEPT + 250)).await;
    let tally = target.dripped(streams).await;
    assert!(tally.of("kept waiting") <= KEPT, "{tally}");
    tally
}
