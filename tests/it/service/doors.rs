//! How the server is reached: TLS, paths of a proxy, pages that were named, no sessions.
use nix::sys::signal::Signal;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{Service, TokensFile, header, message, order};
use crate::harness::{Desk, soon};

/// A certificate for localhost, its key, and itself for a client to trust.
fn certified(desk: &Desk) -> reqwest::Certificate {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = made.cert.pem();
    std::fs::write(desk.path().join("cert.pem"), &pem).unwrap();
    std::fs::write(desk.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    reqwest::Certificate::from_pem(pem.as_bytes()).unwrap()
}

fn trusting(certificate: reqwest::Certificate) -> reqwest::Client {
    reqwest::Client::builder().no_proxy().tls_certs_only([certificate]).build().unwrap()
}

#[tokio::test]
async fn tls_is_served_and_a_new_certificate_is_taken_without_a_restart() {
    let desk = Desk::new();
    let first = trusting(certified(&desk));
    let paths = ["cert.pem", "key.pem"].map(|it| desk.path().join(it));
    let [cert, key] = paths.each_ref().map(|it| it.to_str().unwrap());
    let arguments = ["--tls-cert", cert, "--tls-key", key];
    let service = Service::start(&desk, &arguments, &[("QFPAY_LOG", "info")]).await;
    assert!(service.base.starts_with("https://"), "{}", service.base);
    let health = format!("{}/healthz", service.base.replace("127.0.0.1", "localhost"));
    assert_eq!(first.get(&health).send().await.unwrap().status(), StatusCode::OK);
    // Without TLS nobody gets in.
    let plain = service.http.get(health.replace("https", "http")).send().await;
    assert!(plain.is_err());

    let second = trusting(certified(&desk));
    service.signal(Signal::SIGHUP);
    service.logged("read tokens, operators and certificates again").await;
    assert_eq!(second.get(&health).send().await.unwrap().status(), StatusCode::OK);

    std::fs::write(key, "none").unwrap();
    service.signal(Signal::SIGHUP);
    service.logged("what was in force before stays").await;
    let again = trusting(reqwest::Certificate::from_pem(&std::fs::read(cert).unwrap()).unwrap());
    assert_eq!(again.get(&health).send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn everything_answers_below_the_path_of_the_public_address() {
    let desk = Desk::new();
    let file = TokensFile::new(&desk);
    let token = file.add(&desk, "shop", &[]).await;
    let settings =
        [("QFPAY_PUBLIC_URL", "https://example.com/pay"), ("QFPAY_TOKENS_FILE", file.path())];
    let service = Service::start(&desk, &[], &settings).await;
    for path in ["/healthz", "/pay/healthz", "/pay/readyz"] {
        assert_eq!(service.get(path).await.0, StatusCode::OK, "{path}");
    }
    assert_eq!(service.get("/payhealthz").await.0, StatusCode::NOT_FOUND);
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}});
    let answer =
        service.post("/pay/mcp", &token, &list).header("host", "example.com").send().await.unwrap();
    assert_eq!(message(answer).await["result"]["serverInfo"]["name"], "qfpay-mcp");
    let told = service.post("/pay/qfpay/notifications", "", &json!({})).send().await.unwrap();
    assert_eq!(told.status(), StatusCode::FORBIDDEN);
    // A client posts to the address that the stream names, whatever stands before us.
    for path in ["/sse", "/pay/sse"] {
        let stream = service.http.get(format!("{}{path}", service.base)).bearer_auth(&token);
        let mut stream = stream.send().await.unwrap();
        let first = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
        assert!(first.contains("data: /pay/messages?sessionId="), "{first}");
    }
}

#[tokio::test]
async fn a_page_that_was_named_may_call_and_read_and_no_other_may() {
    let desk = Desk::new();
    let settings = [("QFPAY_ALLOWED_ORIGINS", "https://app.example.com")];
    let service = Service::start(&desk, &[], &settings).await;
    let ask = |origin: &'static str, method| {
        let request = service.http.request(method, format!("{}/mcp", service.base));
        let request = request.header("origin", origin);
        request
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,mcp-protocol-version")
    };
    let preflight = ask("https://app.example.com", Method::OPTIONS).send().await.unwrap();
    assert_eq!(preflight.status(), StatusCode::OK);
    assert_eq!(header(&preflight, "access-control-allow-origin"), "https://app.example.com");
    assert!(header(&preflight, "access-control-allow-headers").contains("authorization"));
    let asked =
        service.request("", "tools/list", json!({})).header("origin", "https://app.example.com");
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(&answer, "access-control-allow-origin"), "https://app.example.com");
    assert!(header(&answer, "access-control-expose-headers").contains("mcp-session-id"));
    let other = ask("https://app.example.com.evil.test", Method::OPTIONS).send().await.unwrap();
    assert_eq!(other.status(), StatusCode::FORBIDDEN);
    assert_eq!(header(&other, "access-control-allow-origin"), "");
}

#[tokio::test]
async fn pages_are_handed_nothing_where_none_was_named() {
    let service = Service::start(&Desk::new(), &[], &[]).await;
    let asked =
        service.request("", "tools/list", json!({})).header("origin", "http://localhost:6274");
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(&answer, "access-control-allow-origin"), "");
}

#[tokio::test]
async fn without_sessions_a_request_of_an_older_client_stands_for_itself() {
    let service = Service::start(&Desk::new(), &["--stateless", "--no-sse"], &[]).await;
    let (status, session) = service.initialize("").await;
    assert_eq!((status, session), (StatusCode::OK, None));
    let call = json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {
        "name": "explain_respcd", "arguments": {"query": "1205"}}});
    let asked = service.post("/mcp", "", &call).header("mcp-protocol-version", "2025-11-25");
    let answer = message(asked.send().await.unwrap()).await;
    assert!(answer["result"]["structuredContent"].is_object(), "{answer}");
    assert_eq!(service.get("/sse").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_request_has_one_name_in_the_log_and_in_the_answer() {
    let service =
        Service::start(&Desk::new(), &[], &[("QFPAY_LOG", "info"), ("QFPAY_LOG_FORMAT", "json")])
            .await;
    let params = json!({"name": "list_pay_types", "arguments": {}});
    let asked = service.request("", "tools/call", params);
    let answer = asked.header("x-request-id", "from-proxy_7").send().await.unwrap();
    assert_eq!(header(&answer, "x-request-id"), "from-proxy_7");
    let line = service.logged("a tool was called").await;
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["spans"][0]["id"], "from-proxy_7", "{line}");
    assert_eq!(line["tool"], "list_pay_types", "{line}");
}

#[tokio::test]
async fn the_audit_says_over_which_transport_a_call_came() {
    let desk = Desk::new();
    let service = Service::start(&desk, &[], &[]).await;
    let mut stream = service.http.get(format!("{}/sse", service.base)).send().await.unwrap();
    let mut heard = async |words: &str| {
        let mut text = String::new();
        while !text.contains(words) {
            let chunk = soon(words, stream.chunk()).await.unwrap().unwrap();
            text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        text
    };
    let path = heard("sessionId=").await.split("data: ").nth(1).unwrap().trim().to_owned();
    let request = |id: u8, method: &str, params| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    let opening = json!({"protocolVersion": "2024-11-05", "capabilities": {},
                         "clientInfo": {"name": "till", "version": "1"}});
    service.post(&path, "", &request(1, "initialize", opening)).send().await.unwrap();
    heard("serverInfo").await;
    let opened = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    service.post(&path, "", &opened).send().await.unwrap();
    let call = json!({"name": "create_payment", "arguments": order("OVERSSE")});
    service.post(&path, "", &request(2, "tools/call", call)).send().await.unwrap();
    heard("OVERSSE").await;
    service.call("", "create_payment", order("OVERHTTP")).await;
    let (printed, _) = desk.run(&["audit", "--json", "--since", "2020-01-01"]).await;
    let rows: Vec<serde_json::Value> = serde_json::from_str(&printed).unwrap();
    for (number, transport) in [("OVERSSE", "sse"), ("OVERHTTP", "http")] {
        let row = rows.iter().find(|it| it["number"] == number).unwrap();
        assert_eq!(row["transport"], transport, "{number}");
    }
}

/// A proxy on the same machine would let everybody in.
#[tokio::test]
async fn a_public_name_takes_tokens_on_this_machine_too() {
    for name in ["QFPAY_PUBLIC_URL", "QFPAY_ALLOWED_HOSTS"] {
        let value = if name.ends_with("URL") { "https://example.com" } else { "example.com" };
        let mut command = Desk::new().command();
        command.args(["http", "--bind", "127.0.0.1:0"]).env(name, value);
        let done = command.stderr(std::process::Stdio::piped()).output();
        let done = soon("it ends", done).await.unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(done.status.code() == Some(1) && said.contains("QFPAY_TOKENS_FILE"), "{said}");
    }
}

#[tokio::test]
async fn whom_qfpay_tells_is_the_operators_to_say() {
    let desk = Desk::new();
    let ours = "https://pay.example.com/qfpay/notifications";
    let service = Service::start(&desk, &[], &[("QFPAY_NOTIFY_URL", ours)]).await;
    let mut elsewhere = order("N1");
    elsewhere["notify_url"] = json!("https://evil.example/x");
    let refused = service.call("", "create_payment", elsewhere).await;
    let refused = refused.as_str().unwrap();
    assert!(
        refused.contains("nothing was sent") && refused.contains("QFPAY_NOTIFY_URL"),
        "{refused}"
    );
    let mut the_same = order("N1");
    the_same["notify_url"] = json!(ours);
    assert_eq!(service.call("", "create_payment", the_same).await["status"], "pending");
    service.logged("QFPAY_NOTIFY_URL is none of this server's own addresses").await;
}

/// A proxy may add a line of its own to the caller's.
#[tokio::test]
async fn the_log_names_the_caller_whom_the_proxy_saw_and_no_text_of_theirs() {
    let service =
        Service::start(&Desk::new(), &[], &[("QFPAY_LOG", "info"), ("QFPAY_LOG_FORMAT", "json")])
            .await;
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                      "params": {"name": "x\nforged", "arguments": {}}});
    let (_, session) = service.initialize("").await;
    let asked = service.post("/mcp", "", &call).header("mcp-session-id", session.unwrap());
    let asked = asked.header("mcp-protocol-version", "2025-11-25");
    let asked = asked.header("x-forwarded-for", "6.6.6.6").header("x-forwarded-for", "203.0.113.9");
    asked.send().await.unwrap();
    let line = service.logged("203.0.113.9").await;
    assert!(line.contains("\"tool\":\"unknown\"") && !line.contains("forged"), "{line}");
}
