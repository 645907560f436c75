//! The HTTP+SSE of 2024-11-05, over real sockets.
use reqwest::{Method, Response, StatusCode};

use super::{http::World, *};

/// An open stream of events.
struct Events {
    response: Response,
    read: String,
    /// Where the client POSTs: the data of the first event.
    endpoint: String,
}

impl Events {
    async fn open(world: &World) -> Self {
        let response = soon("the stream opens", world.ask(Method::GET, "/sse").send()).await;
        let response = response.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut events = Self { response, read: String::new(), endpoint: String::new() };
        let (name, endpoint) = events.next().await.unwrap();
        assert_eq!(name, "endpoint");
        events.endpoint = endpoint;
        events
    }

    /// The next event's name and data; none at the end of the stream.
    async fn next(&mut self) -> Option<(String, String)> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let field = |name| event.lines().find_map(|line| line.strip_prefix(name));
                let found = field("event: ").zip(field("data: "));
                let found = found.map(|(name, data)| (name.to_owned(), data.to_owned()));
                self.read = rest.to_owned();
                if found.is_some() {
                    return found;
                }
            } else {
                let chunk = soon("an event", self.response.chunk()).await.unwrap()?;
                self.read.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        }
    }

    async fn message(&mut self) -> Value {
        let (name, data) = self.next().await.unwrap();
        assert_eq!(name, "message");
        serde_json::from_str(&data).unwrap()
    }

    async fn send(&self, world: &World, body: &Value) {
        let answer = world.post(&self.endpoint, body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    }

    async fn ask(&mut self, world: &World, body: &Value) -> Value {
        self.send(world, body).await;
        self.message().await
    }
}

#[tokio::test]
async fn the_stream_names_the_endpoint_and_carries_the_answers() {
    let world = World::new().await;
    for version in WITH_INITIALIZE {
        let mut events = Events::open(&world).await;
        let id = events.endpoint.strip_prefix("/messages?sessionId=").unwrap();
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        let answer = events.ask(&world, &initialize(version)).await;
        assert_eq!(answer["result"]["protocolVersion"], version);
        events.send(&world, &initialized()).await;
        let listed = events.ask(&world, &request("tools/list", &json!({}))).await;
        assert_eq!(tools(&listed), ["noop", "slow", "boom"]);
        assert_eq!(text(&events.ask(&world, &call("noop")).await), "done");
        let failed = events.ask(&world, &call("boom")).await;
        assert_eq!(failed["error"]["message"], "the tool failed");
    }
}

#[tokio::test]
async fn a_client_of_2026_07_28_is_served_over_it_too() {
    let world = World::new().await;
    let mut events = Events::open(&world).await;
    let discover = modern(request("server/discover", &json!({})));
    let answer = events.ask(&world, &discover).await;
    assert!(answer["result"]["supportedVersions"].is_array(), "{answer}");
    // What a client sends after it gave its probe up must not end the session.
    let stray = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": { "requestId": 1 } });
    events.send(&world, &stray).await;
    let listed = events.ask(&world, &modern(request("tools/list", &json!({})))).await;
    assert_eq!(tools(&listed), ["noop", "slow", "boom"]);
    assert_eq!(text(&events.ask(&world, &modern(call("noop"))).await), "done");
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_session_along_and_makes_room() {
    let world = World::with(|settings| settings.max_sse_sessions = 1).await;
    let events = Events::open(&world).await;
    let second = world.ask(Method::GET, "/sse").send().await.unwrap();
    assert_eq!(second.status(), StatusCode::SERVICE_UNAVAILABLE);
    let endpoint = events.endpoint.clone();
    drop(events);
    let status = async || {
        let answer = world.post(&endpoint, &initialized()).send().await.unwrap();
        answer.status()
    };
    soon("the session goes", async { while status().await != StatusCode::NOT_FOUND {} }).await;
    Events::open(&world).await;
}

#[tokio::test]
async fn what_is_no_message_of_a_session_is_refused() {
    let world = World::new().await;
    let events = Events::open(&world).await;
    let status = async |path: &str, body: &str| {
        let answer = world.post(path, body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (refused, said) = status(&events.endpoint, "{").await;
    assert!(refused == 400 && said.contains("-32700"), "{refused} {said}");
    let (refused, said) = status(&events.endpoint, "{\"id\":5}").await;
    assert!(refused == 400 && said.contains("-32600") && said.contains("\"id\":5"), "{said}");
    let (refused, said) = status(&events.endpoint, &"x".repeat((1 << 20) + 1)).await;
    assert!(refused == 413 && said.contains("1048576"), "{refused} {said}");
    assert_eq!(status("/messages", "{}").await.0, 400);
    assert_eq!(status("/messages?sessionId=guess", "{}").await.0, 404);
}

#[tokio::test]
async fn a_stop_waits_for_the_call_in_flight_answers_it_and_ends_the_stream() {
    let world = World::new().await;
    let mut events = Events::open(&world).await;
    events.ask(&world, &initialize("2024-11-05")).await;
    events.send(&world, &call("slow")).await;
    world.till.has_begun().await;
    world.shutdown.stop();
    world.till.let_end();
    assert_eq!(text(&events.message().await), "done");
    assert_eq!(events.next().await, None);
    world.ended().await;
}
