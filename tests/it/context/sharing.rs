//! The same over HTTP, where several share a server: merchants, scopes, sessions, and how much each
//! may take.
use nix::sys::signal::Signal;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{Desk, soon},
    service::{Service, TokensFile, header, message, order},
};

/// The messages on a stream of events.
struct Events {
    answer: Response,
    rest: String,
}

impl Events {
    /// Opens a stream of 2026-07-28 that follows `uris`; it is acknowledged.
    async fn listen(service: &Service, token: &str, uris: &[&str]) -> Self {
        let params = json!({"notifications": {"resourceSubscriptions": uris}});
        let answer = service.request(token, "subscriptions/listen", params).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let mut it = Self { answer, rest: String::new() };
        let first = it.next().await.unwrap();
        assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{first}");
        it
    }

    /// The data of the next event that has any; none where the stream ended.
    async fn data(&mut self) -> Option<String> {
        loop {
            while let Some((event, rest)) = self.rest.split_once("\n\n") {
                let data = event.lines().find_map(|it| it.strip_prefix("data: "));
                let data = data.filter(|it| !it.is_empty()).map(str::to_owned);
                self.rest = rest.to_owned();
                if data.is_some() {
                    return data;
                }
            }
            let chunk = soon("an event on a stream", self.answer.chunk()).await.unwrap()?;
            self.rest += std::str::from_utf8(&chunk).unwrap();
        }
    }

    /// The next message; none where the stream ended.
    async fn next(&mut self) -> Option<Value> {
        let data = self.data().await?;
        Some(serde_json::from_str(&data).unwrap_or_else(|_| panic!("{data}")))
    }

    /// The next address that is told of.
    async fn updated(&mut self) -> String {
        let message = self.next().await.unwrap();
        assert_eq!(message["method"], "notifications/resources/updated", "{message}");
        message["params"]["uri"].as_str().unwrap().to_owned()
    }
}

async fn ask(service: &Service, token: &str, method: &str, params: Value) -> Value {
    message(service.request(token, method, params).send().await.unwrap()).await
}

/// A request in a session of 2025-11-25.
async fn in_session(service: &Service, token: &str, session: &str, message: Value) -> Value {
    let asked = service.in_session(token, session, Method::POST).body(message.to_string());
    crate::service::message(asked.send().await.unwrap()).await
}

fn subscribe(uri: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 5, "method": "resources/subscribe", "params": {"uri": uri}})
}

/// How many orders are followed, by the server's figures.
async fn followed(service: &Service) -> String {
    let (_, figures) = service.get("/metrics").await;
    let line = figures.lines().find(|it| it.starts_with("qfpay_mcp_followed_orders "));
    line.unwrap_or("none").rsplit(' ').next().unwrap().to_owned()
}

/// Asks until it is so.
async fn until_followed(service: &Service, wanted: &str) {
    soon(&format!("{wanted} are followed"), async {
        while followed(service).await != wanted {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_notification_of_qfpay_reaches_who_follows_its_order_in_both_eras() {
    let desk = Desk::new();
    let service = Service::start(&desk, &[], &[("QFPAY_SIMULATOR_PAYER_SECONDS", "never")]).await;
    let mut terms = order("N1");
    terms["notify_url"] = json!(format!("{}/qfpay/notifications", service.base));
    let made = service.call("", "create_payment", terms).await;
    let uri = "qfpay://orders/N1";
    let (_, session) = service.initialize("").await;
    let session = session.unwrap();
    let done = in_session(&service, "", &session, subscribe(uri)).await;
    assert_eq!(done["result"], json!({}), "{done}");
    let answer = service.in_session("", &session, Method::GET).send().await.unwrap();
    let mut old = Events { answer, rest: String::new() };
    let mut new = Events::listen(&service, "", &[uri]).await;

    // The payer pays on the page behind the QR code; nobody asks.
    let page = made["qrcode"].as_str().unwrap();
    let paid = service.http.post(format!("{page}/pay")).send().await.unwrap();
    assert!(paid.status().is_success() || paid.status().is_redirection(), "{}", paid.status());
    assert_eq!(old.updated().await, uri);
    while {
        new.updated().await;
        let read = ask(&service, "", "resources/read", json!({ "uri": uri })).await;
        !read["result"]["contents"][0]["text"].as_str().unwrap().contains("\"status\":\"paid\"")
    } {}
}

#[tokio::test]
async fn nobody_reads_or_hears_of_another_merchants_orders() {
    let desk = Desk::new();
    let (service, a, b) = crate::service::merchants::two(&desk).await;
    service.call(&a, "create_payment", order("ONLY_A")).await;
    let uri = "qfpay://orders/ONLY_A";
    let own = ask(&service, &a, "resources/read", json!({ "uri": uri })).await;
    assert!(own["result"]["contents"][0]["text"].as_str().unwrap().contains("ONLY_A"), "{own}");
    let others = ask(&service, &b, "resources/read", json!({ "uri": uri })).await;
    assert_eq!(others["error"]["code"], -32602, "{others}");
    let completing = json!({"ref": {"type": "ref/resource", "uri": "qfpay://orders/{out_trade_no}"},
                            "argument": {"name": "out_trade_no", "value": ""}});
    let values = async |token: &str| {
        let told = ask(&service, token, "completion/complete", completing.clone()).await;
        told["result"]["completion"]["values"].clone()
    };
    assert_eq!((values(&a).await, values(&b).await), (json!(["ONLY_A"]), json!([])));

    // B follows the numbers of A, and hears only of what is its own.
    let mut told = Events::listen(&service, &b, &[uri, "qfpay://orders/MINE"]).await;
    service.call(&a, "cancel_payment", json!({"out_trade_no": "ONLY_A"})).await;
    let mut mine = order("MINE");
    mine["amount"] = json!(99);
    service.call(&b, "create_payment", mine).await;
    assert_eq!(told.updated().await, "qfpay://orders/MINE");
}

#[tokio::test]
async fn who_may_not_look_reads_follows_and_is_offered_nothing() {
    let desk = Desk::new();
    let file = TokensFile::new(&desk);
    let pays = file.add(&desk, "pays", &["--scope", "qfpay:pay"]).await;
    let looks = file.add(&desk, "looks", &[]).await;
    let service = Service::start(&desk, &[], &[("QFPAY_TOKENS_FILE", file.path())]).await;
    service.call(&pays, "create_payment", order("A1")).await;
    let uri = json!({"uri": "qfpay://orders/A1"});
    for (method, params) in [
        ("resources/read", uri.clone()),
        ("skills/get", json!({"uri": "skill://qfpay-payments/SKILL.md"})),
        ("subscriptions/listen", json!({"notifications": {}})),
    ] {
        let answer = service.request(&pays, method, params).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{method}");
        let challenge = header(&answer, "www-authenticate").to_owned();
        assert!(challenge.contains("scope=\"qfpay:read qfpay:pay\""), "{method}: {challenge}");
    }
    let (_, session) = service.initialize(&pays).await;
    let message = subscribe("qfpay://orders/A1");
    let asked =
        service.in_session(&pays, &session.unwrap(), Method::POST).body(message.to_string());
    assert_eq!(asked.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    for (method, name) in [
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
        ("prompts/list", "prompts"),
        ("skills/list", "skills"),
    ] {
        let listed = ask(&service, &pays, method, json!({})).await;
        assert_eq!(listed["result"][name], json!([]), "{listed}");
        assert_eq!(listed["result"]["cacheScope"], "private");
    }
    let read = ask(&service, &looks, "resources/read", uri).await;
    assert!(read["result"]["contents"].is_array(), "{read}");
    let prompts = ask(&service, &looks, "prompts/list", json!({})).await;
    let names: Vec<&Value> =
        prompts["result"]["prompts"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["follow_up_order", "diagnose_failure", "reconcile_day"]);
}

#[tokio::test]
async fn what_is_followed_ends_with_its_session_or_stream() {
    let desk = Desk::new();
    let service = Service::start(&desk, &[], &[]).await;
    let (_, session) = service.initialize("").await;
    let session = session.unwrap();
    for nth in 0..3 {
        let uri = format!("qfpay://orders/N{nth}");
        in_session(&service, "", &session, subscribe(&uri)).await;
    }
    assert_eq!(followed(&service).await, "3");
    let stream = Events::listen(&service, "", &["qfpay://orders/A1", "qfpay://orders/A2"]).await;
    until_followed(&service, "5").await;
    drop(stream);
    until_followed(&service, "3").await;
    let ended = service.in_session("", &session, Method::DELETE).send().await.unwrap();
    assert!(ended.status().is_success());
    until_followed(&service, "0").await;
}

/// Half of all is one caller's at most, over however many sessions and streams.
#[tokio::test]
async fn one_caller_cannot_follow_more_than_half_of_what_all_may() {
    let desk = Desk::new();
    let file = TokensFile::new(&desk);
    let (greedy, modest) =
        (file.add(&desk, "greedy", &[]).await, file.add(&desk, "modest", &[]).await);
    let service = Service::start(&desk, &[], &[("QFPAY_TOKENS_FILE", file.path())]).await;
    let uris: Vec<String> = (0..64).map(|nth| format!("qfpay://orders/N{nth}")).collect();
    let uris: Vec<&str> = uris.iter().map(String::as_str).collect();
    let mut streams = Vec::new();
    for _ in 0..4 {
        streams.push(Events::listen(&service, &greedy, &uris).await);
    }
    // The next waits in no queue: its stream ends with words.
    let mut fifth = Events::listen(&service, &greedy, &uris).await;
    let refused = fifth.next().await.unwrap();
    assert!(refused["error"]["message"].as_str().unwrap().contains("as many orders"), "{refused}");
    service.call(&modest, "query_transaction", json!({"out_trade_no": "N1"})).await;
    let mut other = Events::listen(&service, &modest, &["qfpay://orders/M1"]).await;
    drop(streams);
    service.signal(Signal::SIGTERM);
    let last = other.next().await.unwrap();
    assert!(last["result"].is_object(), "{last}");
}

#[tokio::test]
async fn streams_end_with_the_server_and_keep_it_no_longer() {
    let desk = Desk::new();
    let service = Service::start(&desk, &[], &[]).await;
    let mut stream = Events::listen(&service, "", &["qfpay://orders/A1"]).await;
    service.signal(Signal::SIGTERM);
    let last = stream.next().await.unwrap();
    assert!(last["result"].is_object(), "{last}");
    assert_eq!(stream.next().await, None);
    assert_eq!(service.ended().await, Some(0));
}

#[tokio::test]
async fn without_sessions_old_clients_are_not_promised_what_cannot_be_kept() {
    let desk = Desk::new();
    let service = Service::start(&desk, &["--stateless", "--no-sse"], &[]).await;
    let opening = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "till", "version": "1"}}});
    let opened = message(service.post("/mcp", "", &opening).send().await.unwrap()).await;
    assert_eq!(opened["result"]["capabilities"]["resources"], json!({}), "{opened}");
    let asked = service.post("/mcp", "", &subscribe("qfpay://orders/A1"));
    let refused =
        message(asked.header("mcp-protocol-version", "2025-11-25").send().await.unwrap()).await;
    let words = refused["error"]["message"].as_str().unwrap();
    assert!(words.contains("keeps no sessions") && words.contains("wait_for_payment"), "{words}");
    // Newer ones open a stream of their own.
    let discovered = ask(&service, "", "server/discover", json!({})).await;
    assert_eq!(discovered["result"]["capabilities"]["resources"]["subscribe"], true);
    let mut told = Events::listen(&service, "", &["qfpay://orders/A1"]).await;
    service.call("", "create_payment", order("A1")).await;
    assert_eq!(told.updated().await, "qfpay://orders/A1");
}

#[tokio::test]
async fn who_follows_over_the_old_sse_is_told_on_its_stream() {
    let desk = Desk::new();
    let service = Service::start(&desk, &[], &[]).await;
    let answer = service.http.get(format!("{}/sse", service.base)).send().await.unwrap();
    let mut stream = Events { answer, rest: String::new() };
    let messages = stream.data().await.unwrap();
    let send = async |message: Value| {
        let told = service.post(&messages, "", &message).send().await.unwrap();
        assert_eq!(told.status(), StatusCode::ACCEPTED, "{message}");
    };
    send(json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2024-11-05", "capabilities": {},
        "clientInfo": {"name": "till", "version": "1"}}}))
    .await;
    let opened = stream.next().await.unwrap();
    assert_eq!(opened["result"]["capabilities"]["resources"]["subscribe"], true, "{opened}");
    send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    send(subscribe("qfpay://orders/A1")).await;
    assert_eq!(stream.next().await.unwrap()["result"], json!({}));
    service.call("", "create_payment", order("A1")).await;
    assert_eq!(stream.updated().await, "qfpay://orders/A1");
    drop(stream);
    until_followed(&service, "0").await;
}

/// Lists change only with the program; a promise to tell of that would be an empty one.
#[tokio::test]
async fn what_is_advertised_is_what_works_and_icons_come_along() {
    let desk = Desk::new();
    let service = Service::start(&desk, &[], &[]).await;
    let told = ask(&service, "", "server/discover", json!({})).await;
    let result = &told["result"];
    let capabilities = result["capabilities"].as_object().unwrap();
    let names: Vec<&str> = capabilities.keys().map(String::as_str).collect();
    for name in ["completions", "extensions", "prompts", "resources", "tools"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(!capabilities["prompts"].to_string().contains("listChanged"));
    assert!(!told["result"]["capabilities"].to_string().contains("\"listChanged\":true"));
    let icons = told.to_string();
    for start in ["data:image/svg+xml,%3Csvg", "data:image/png;base64,iVBORw0KGgo"] {
        assert!(icons.contains(start), "{start} in {icons}");
    }
    let directory = json!({"uri": "skill://qfpay-payments/"});
    let refused = ask(&service, "", "resources/directory/read", directory).await;
    assert_eq!(refused["error"]["code"], -32601, "{refused}");
    let skill = ask(&service, "", "skills/get", json!({"uri": "skill://qfpay-payments/SKILL.md"}));
    assert_eq!(skill.await["result"]["skill"]["frontmatter"]["name"], "qfpay-payments");
}

/// An agent is told of nothing that it may not do.
#[tokio::test]
async fn instructions_are_short_and_true_for_the_caller() {
    let desk = Desk::new();
    let file = TokensFile::new(&desk);
    let mut words = Vec::new();
    for (name, scope) in [
        ("looks", "qfpay:read"),
        ("pays", "qfpay:pay"),
        ("refunds", "qfpay:refund"),
        ("all", "qfpay:read,qfpay:pay,qfpay:refund"),
    ] {
        words.push(file.add(&desk, name, &["--scope", scope]).await);
    }
    let settings = [("QFPAY_TOKENS_FILE", file.path()), ("QFPAY_CONFIRM", "always")];
    let service = Service::start(&desk, &[], &settings).await;
    for token in &words {
        let told = ask(&service, token, "server/discover", json!({})).await;
        let instructions = told["result"]["instructions"].as_str().unwrap();
        assert!(instructions.len() < 1000, "{}: {instructions}", instructions.len());
        assert!(
            instructions.contains("`pending` and `awaiting_payer` are not paid"),
            "{instructions}"
        );
        let offered = service.tools(token).await;
        for tool in qfpay_mcp::mcp::Server::tools() {
            let name = tool.name.as_ref();
            // The word is no tool's in `never pay or refund again`.
            let named = instructions.replace("pay or refund again", "").contains(name)
                && (name != "refund" || instructions.contains("refund gives"));
            assert_eq!(named, offered.iter().any(|it| it == name), "{name}: {instructions}");
        }
        let asks = instructions.contains("A person has to say yes");
        assert_eq!(
            asks,
            offered.iter().any(|it| ["create_payment", "refund"].contains(&it.as_str()))
        );
    }
}
