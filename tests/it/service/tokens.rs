//! Tokens of our own: what each opens, whose sessions are whose, and how they change while we run.
use nix::sys::signal::Signal;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{Service, TokensFile, header, order};
use crate::harness::{Desk, soon};

const READ: [&str; 5] =
    ["explain_respcd", "list_pay_types", "query_transaction", "reconcile", "wait_for_payment"];

#[tokio::test]
async fn a_token_opens_what_its_scopes_say_and_the_audit_says_whose_it_was() {
    let desk = Desk::new();
    let file = TokensFile::new(&desk);
    let look = file.add(&desk, "look", &[]).await;
    let pay = file.add(&desk, "pay", &["--scope", "qfpay:read,qfpay:pay"]).await;
    let all = file.add(&desk, "all", &["--scope", "qfpay:read,qfpay:pay,qfpay:refund"]).await;
    let service = Service::start(&desk, &[], &[("QFPAY_TOKENS_FILE", file.path())]).await;

    assert_eq!(service.tools(&look).await, READ);
    assert_eq!(service.tools(&all).await.len(), 8);
    let mut can_pay = service.tools(&pay).await;
    can_pay.retain(|it| !READ.contains(&it.as_str()));
    assert_eq!(can_pay, ["cancel_payment", "create_payment"]);

    let refused = json!({"name": "create_payment", "arguments": order("A1")});
    let answer = service.request(&look, "tools/call", refused).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let challenge = header(&answer, "www-authenticate");
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.contains("scope=\"qfpay:read qfpay:pay\""), "{challenge}");

    assert_eq!(service.call(&pay, "create_payment", order("A1")).await["status"], "pending");
    let asked = service.call(&look, "query_transaction", json!({"out_trade_no": "A1"})).await;
    assert!(asked.to_string().contains("\"paid\""), "{asked}");
    let refund = json!({"out_trade_no": "A1", "amount": 100, "refund_no": "R1"});
    let answer =
        service.request(&pay, "tools/call", json!({"name": "refund", "arguments": refund}));
    assert_eq!(answer.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(service.call(&all, "refund", refund).await["status"], "refunded");

    let (printed, _) = desk.run(&["audit", "--json", "--since", "2020-01-01"]).await;
    for who in ["token:look", "token:pay", "token:all"] {
        assert!(printed.contains(who), "{who}: {printed}");
    }
    assert!(!printed.contains("qfmcp_"));
}

#[tokio::test]
async fn without_a_right_token_nothing_is_served_and_the_answer_says_so() {
    let desk = Desk::new();
    let file = TokensFile::new(&desk);
    let token = file.add(&desk, "shop", &[]).await;
    let old = file.add(&desk, "old", &["--days", "1"]).await;
    file.change(|text| text.replace("expires=2", "expires=1"));
    let wrong = format!("{}0", &token[..token.len() - 1]);
    let service = Service::start(&desk, &[], &[("QFPAY_TOKENS_FILE", file.path())]).await;
    for given in ["", "x", &wrong, &old, &token.to_uppercase()] {
        let answer = service.request(given, "tools/list", json!({})).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{given}");
        let challenge = header(&answer, "www-authenticate").to_owned();
        assert!(challenge.starts_with("Bearer realm="), "{challenge}");
        assert_eq!(challenge.contains("invalid_token"), !given.is_empty(), "{given}");
        assert!(!answer.text().await.unwrap().contains("qfmcp_"));
    }
    for path in ["/mcp", "/sse", "/metrics", &format!("/mcp?access_token={token}")] {
        assert_eq!(service.get(path).await.0, StatusCode::UNAUTHORIZED, "{path}");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(service.get(path).await.0, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn a_session_is_its_openers() {
    let desk = Desk::new();
    let file = TokensFile::new(&desk);
    let (mine, theirs) = (file.add(&desk, "mine", &[]).await, file.add(&desk, "theirs", &[]).await);
    let service = Service::start(&desk, &[], &[("QFPAY_TOKENS_FILE", file.path())]).await;
    let (_, session) = service.initialize(&mine).await;
    let session = session.unwrap();
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let answer = service.in_session(&theirs, &session, method.clone()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{method}");
    }
    let answer = service.in_session(&mine, &session, Method::POST).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);

    // The same over the older transport.
    let stream = service.http.get(format!("{}/sse", service.base)).bearer_auth(&mine);
    let mut stream = stream.send().await.unwrap();
    let first = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    let path = first.split("data: ").nth(1).unwrap().trim();
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let answer = service.post(path, &theirs, &ping).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let answer = service.post(path, &mine, &ping).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
}

#[tokio::test]
async fn tokens_come_and_go_without_a_restart_and_a_broken_file_changes_nothing() {
    let desk = Desk::new();
    let file = TokensFile::new(&desk);
    let (old, stays) = (file.add(&desk, "old", &[]).await, file.add(&desk, "stays", &[]).await);
    let service =
        Service::start(&desk, &[], &[("QFPAY_TOKENS_FILE", file.path()), ("QFPAY_LOG", "info")])
            .await;
    assert_eq!(service.status(&old).await, StatusCode::OK);
    file.change(|text| {
        let kept: Vec<&str> = text.lines().filter(|it| !it.starts_with("old ")).collect();
        format!("{}\n", kept.join("\n"))
    });
    let new = file.add(&desk, "new", &[]).await;
    service.signal(Signal::SIGHUP);
    service.logged("read tokens, operators and certificates again").await;
    assert_eq!(service.status(&old).await, StatusCode::UNAUTHORIZED);
    assert_eq!(service.status(&stays).await, StatusCode::OK);
    assert_eq!(service.status(&new).await, StatusCode::OK);

    file.change(|_| "not a token\n".to_owned());
    service.signal(Signal::SIGHUP);
    let said = service.logged("what was in force before stays").await;
    assert!(said.contains("QFPAY_TOKENS_FILE") && said.contains("line 1"), "{said}");
    assert_eq!(service.status(&new).await, StatusCode::OK);

    // The last can be taken away.
    file.change(|_| "# none\n".to_owned());
    service.signal(Signal::SIGHUP);
    let refused = async {
        while service.status(&new).await != StatusCode::UNAUTHORIZED {
            tokio::task::yield_now().await;
        }
    };
    soon("the last token is taken away", refused).await;
}
