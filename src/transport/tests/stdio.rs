//! stdio, over pipes in memory; time stands still unless all wait for it.
use rmcp::{ServiceExt as _, model::CallToolRequestParams};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, duplex},
    task::JoinHandle,
    time::Instant,
};

use super::*;
use crate::transport::{
    ServeError, Shutdown,
    stdio::{END_LIMIT, serve_on},
};

/// A server, and the client's ends of its pipes.
struct World {
    till: Till,
    shutdown: Shutdown,
    input: Option<DuplexStream>,
    output: Lines<BufReader<DuplexStream>>,
    served: JoinHandle<Result<(), ServeError>>,
}

impl World {
    fn new() -> Self {
        let shutdown = Shutdown::new();
        let till = Till::new(shutdown.tracker());
        let (input, reader) = duplex(1 << 16);
        let (writer, output) = duplex(1 << 16);
        let served = tokio::spawn(serve_on(till.clone(), reader, writer, shutdown.clone()));
        let output = BufReader::new(output).lines();
        Self { till, shutdown, input: Some(input), output, served }
    }

    async fn write(&mut self, line: impl ToString) {
        let line = format!("{}\n", line.to_string());
        self.input.as_mut().unwrap().write_all(line.as_bytes()).await.unwrap();
    }

    async fn answer(&mut self) -> Value {
        let line = soon("an answer", self.output.next_line()).await.unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    async fn ask(&mut self, request: Value) -> Value {
        self.write(request).await;
        self.answer().await
    }

    /// The end of the server, which must be a good one, and how long it took.
    async fn ended(self) -> Duration {
        let began = Instant::now();
        soon("the server ends", self.served).await.unwrap().unwrap();
        began.elapsed()
    }
}

#[tokio::test(start_paused = true)]
async fn every_version_with_initialize_is_served() {
    for version in WITH_INITIALIZE {
        let mut world = World::new();
        let answer = world.ask(initialize(version)).await;
        assert_eq!(answer["result"]["protocolVersion"], version);
        world.write(initialized()).await;
        let listed = world.ask(request("tools/list", &json!({}))).await;
        assert_eq!(tools(&listed), ["noop", "slow", "boom"]);
        assert_eq!(text(&world.ask(call("noop")).await), "done");
        assert_eq!(world.ask(call("boom")).await["error"]["message"], "the tool failed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_with_discover_leaves_both_eras_open() {
    for goes_modern in [false, true] {
        let mut world = World::new();
        let discovered = world.ask(modern(request("server/discover", &json!({})))).await;
        assert!(discovered["result"]["supportedVersions"].is_array(), "{discovered}");
        let answer = if goes_modern {
            world.ask(modern(call("noop"))).await
        } else {
            world.ask(initialize("2025-06-18")).await;
            world.ask(call("noop")).await
        };
        assert_eq!(text(&answer), "done");
    }
}

#[tokio::test(start_paused = true)]
async fn strays_and_garbage_before_the_opening_are_skipped() {
    let mut world = World::new();
    world.write("garbage").await;
    world.write(initialized()).await;
    world.write(json!({ "jsonrpc": "2.0", "id": 9, "result": {} })).await;
    world.write(request("server/discover", &json!({}))).await;
    assert_eq!(world.answer().await["error"]["code"], -32602);
    world.write(initialized()).await;
    let answer = world.ask(initialize("2025-11-25")).await;
    assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
    world.write("garbage").await;
    assert_eq!(text(&world.ask(call("noop")).await), "done");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_before_the_opening_is_no_failure() {
    for first in [None, Some("garbage".to_owned()), Some(initialized().to_string())] {
        let mut world = World::new();
        if let Some(line) = first {
            world.write(line).await;
        }
        world.input = None;
        assert_eq!(world.ended().await, Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_at_the_end_of_input_is_written_down_and_answered() {
    let mut world = World::new();
    world.ask(initialize("2025-11-25")).await;
    world.write(call("slow")).await;
    world.till.has_begun().await;
    world.input = None;
    world.till.let_end();
    assert_eq!(text(&world.answer().await), "done");
    assert_eq!(world.till.written(), 1);
    assert_eq!(world.ended().await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_an_end_of_input() {
    let mut world = World::new();
    world.ask(initialize("2025-11-25")).await;
    world.write(call("slow")).await;
    world.till.has_begun().await;
    world.shutdown.stop();
    world.till.let_end();
    assert_eq!(text(&world.answer().await), "done");
    assert_eq!(world.ended().await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_stop_before_the_opening_ends_the_server() {
    let world = World::new();
    world.shutdown.stop();
    assert_eq!(world.ended().await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn work_that_does_not_end_is_given_up_after_the_limit() {
    let mut world = World::new();
    world.ask(initialize("2025-11-25")).await;
    world.write(call("slow")).await;
    world.till.has_begun().await;
    world.input = None;
    let took = world.ended().await;
    assert!(took >= END_LIMIT && took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn work_whose_caller_gave_up_is_waited_for_too() {
    let mut world = World::new();
    world.ask(initialize("2025-11-25")).await;
    world.write(call("slow")).await;
    world.till.has_begun().await;
    world
        .write(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled",
            "params": { "requestId": 1 } }))
        .await;
    world.input = None;
    let till = world.till.clone();
    let ended = tokio::spawn(world.ended());
    tokio::time::sleep(Duration::from_secs(1)).await;
    till.let_end();
    assert_eq!(ended.await.unwrap(), Duration::from_secs(1));
    assert_eq!(till.written(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_line_over_the_limit_is_dropped_and_the_next_is_served() {
    let mut world = World::new();
    world.ask(initialize("2025-11-25")).await;
    world.write(call(&"x".repeat(1 << 20))).await;
    assert_eq!(text(&world.ask(call("noop")).await), "done");
}

#[tokio::test]
async fn the_sdk_s_own_client_is_served() {
    let shutdown = Shutdown::new();
    let (near, far) = duplex(1 << 16);
    let (reader, writer) = tokio::io::split(far);
    let till = Till::new(shutdown.tracker());
    let served = tokio::spawn(serve_on(till, reader, writer, shutdown));
    let client = soon("the handshake", ().serve(near)).await.unwrap();
    let listed = client.list_all_tools().await.unwrap();
    assert_eq!(listed.len(), 3);
    client.call_tool(CallToolRequestParams::new("noop")).await.unwrap();
    client.cancel().await.unwrap();
    soon("the server ends", served).await.unwrap().unwrap();
}
