//! Approvals outside the conversation: a person at a terminal, or on a page behind their login.
use std::{path::PathBuf, process::Stdio, time::Duration};

use serde_json::{Value, json};
use sqlx::Connection as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    confirm::{HUMAN, asking, payment},
    harness::{Client, Desk, Era, binary},
    web::{Agent, Service},
};

/// Runs `approve CODE` in a terminal, where a person types `types`; all that was shown, and the
/// exit code.
async fn at_a_terminal(desk: &Desk, code: &str, types: &str) -> (String, i32) {
    in_a_terminal(desk, None, code, types, HUMAN).await
}

/// The same with the ledger at `place`, by a person who `thinks` so long.
pub(crate) async fn in_a_terminal(
    desk: &Desk,
    place: Option<&str>,
    code: &str,
    types: &str,
    thinks: Duration,
) -> (String, i32) {
    let (mut pty, pts) = pty_process::open().unwrap();
    let mut command = pty_process::Command::new(binary())
        .env_clear()
        .env("HOME", desk.path())
        .env("QFPAY_STATE_DIR", desk.path())
        .env("QFPAY_ENV", "simulator")
        // Who it is, the system says.
        .env("USER", "boss")
        .env("NO_COLOR", "1")
        .args(["approve", code]);
    if let Some(place) = place {
        command = command.env("QFPAY_LEDGER", place);
    }
    let mut child = command.spawn(pts).unwrap();
    let mut shown = Vec::new();
    let mut buffer = [0; 4096];
    let mut answered = false;
    // The other end reports an error once the program has gone.
    while let Ok(read) = pty.read(&mut buffer).await {
        shown.extend_from_slice(&buffer[..read]);
        if !answered && String::from_utf8_lossy(&shown).contains("[y/N]") {
            answered = true;
            tokio::time::sleep(thinks).await;
            pty.write_all(types.as_bytes()).await.unwrap();
        }
    }
    let status = child.wait().await.unwrap();
    (String::from_utf8(shown).unwrap().replace("\r\n", "\n"), status.code().unwrap())
}

async fn code_of(client: &Client, arguments: Value) -> String {
    let reply = client.reply("create_payment", arguments).await;
    assert_eq!(reply["status"], "needs_approval", "{reply:#}");
    reply["approval_code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_approves_in_a_terminal_and_the_same_call_goes_through_once() {
    let desk = Desk::new();
    let client = Client::of(asking(&desk)).await;
    let reply = client.reply("create_payment", payment("A1")).await;
    let code = reply["approval_code"].as_str().unwrap();
    let next = reply["next_step"].as_str().unwrap();
    assert!(next.contains(&format!("`qfpay-mcp approve {code}`")), "{next}");
    assert!(next.contains(r#"{"out_trade_no":"A1"}"#), "{next}");
    assert_eq!(code_of(&client, payment("A1")).await, code, "it is asked once");
    // Neither a pipe nor an argument is a person.
    let mut command = desk.command();
    command.args(["approve", code]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut piped = command.stderr(Stdio::piped()).spawn().unwrap();
    piped.stdin.take().unwrap().write_all(b"y\n").await.unwrap();
    let piped = piped.wait_with_output().await.unwrap();
    assert_eq!(piped.status.code(), Some(1));
    let said = String::from_utf8(piped.stderr).unwrap();
    assert!(said.contains("approving takes a person at a terminal"), "{said}");
    assert_eq!(code_of(&client, payment("A1")).await, code);

    let (shown, status) = at_a_terminal(&desk, code, "y\n").await;
    assert_eq!(status, 0, "{shown}");
    assert!(shown.contains("asked by rmcp"), "{shown}");
    let asked = shown.split("\nasked").next().unwrap();
    insta::assert_snapshot!(asked, @r#"
    An AI agent asks for this. Is it right?

    Action: take a payment
    Amount: HKD 10.50
    Currency: HKD
    Order: A1
    Goods: "Coffee"
    Merchant: app:simulator-app
    Environment: simulator (no real money)
    "#);
    // Another order, other terms: what was approved is not that.
    let other = code_of(&client, payment("A2")).await;
    assert_ne!(other, code);
    let mut more = payment("A1");
    more["amount"] = json!(1051);
    assert_ne!(code_of(&client, more).await, code);
    // Another process of the desk, a client of the other era.
    let second = Client::with(asking(&desk), (), Era::Modern).await;
    assert_eq!(second.reply("create_payment", payment("A1")).await["status"], "pending");
    let again = client.reply("create_payment", payment("A1")).await;
    assert_eq!(again["replayed"], true, "it went through once");
    let (shown, status) = at_a_terminal(&desk, code, "y\n").await;
    assert_eq!((shown.trim(), status), ("It was approved and carried out already.", 1));
    let audit = desk.audit().await;
    assert_eq!(audit.iter().filter(|it| it.starts_with("sent")).count(), 1);
    let me = std::process::Command::new("id").arg("-un").output().unwrap().stdout;
    let me = String::from_utf8(me).unwrap();
    let by = format!("sent: approved by {} ({code})", me.trim());
    assert!(audit.contains(&by), "{audit:?}");
}

#[tokio::test]
async fn what_was_typed_or_pasted_before_anybody_read_is_no_answer() {
    let desk = Desk::new();
    let client = Client::of(asking(&desk)).await;
    let code = code_of(&client, payment("A1")).await;
    let (shown, status) = in_a_terminal(&desk, None, &code, "y\n", Duration::ZERO).await;
    assert!(shown.contains("nobody reads that fast"), "{shown}");
    assert_eq!(status, 1);
    assert_eq!(code_of(&client, payment("A1")).await, code, "it still waits");
}

#[tokio::test]
async fn a_person_who_declines_or_says_nothing_approves_nothing() {
    let desk = Desk::new();
    let client = Client::of(asking(&desk)).await;
    let code = code_of(&client, payment("A1")).await;
    let (shown, status) = at_a_terminal(&desk, &code, "\x04").await;
    assert!(shown.contains("Nothing was decided."), "{shown}");
    assert_eq!(status, 1);
    assert_eq!(code_of(&client, payment("A1")).await, code, "it still waits");
    let (shown, status) = at_a_terminal(&desk, &code, "\n").await;
    assert!(shown.contains("Declined. No money moves."), "{shown}");
    assert_eq!(status, 1);
    let told = client.refusal("create_payment", payment("A1")).await;
    insta::assert_snapshot!(told, @"Refused; nothing was sent: the person declined it outside the conversation (root). Do not ask again unless the person tells you to.");
    let audit = desk.audit().await;
    assert!(audit.iter().all(|it| !it.starts_with("sent")), "{audit:?}");
}

#[tokio::test]
async fn an_approval_that_expired_is_none() {
    let desk = Desk::new();
    let client = Client::of(asking(&desk)).await;
    let code = code_of(&client, payment("A1")).await;
    at_a_terminal(&desk, &code, "y\n").await;
    let ledger = desk.path().join("ledger.db");
    let url = format!("sqlite://{}", ledger.display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let expire = "UPDATE approvals SET expires_ms = 1700000000000";
    sqlx::raw_sql(expire).execute(&mut connection).await.unwrap();
    assert_ne!(code_of(&client, payment("A1")).await, code);
    let (shown, status) = at_a_terminal(&desk, &code, "y\n").await;
    // Long enough ago, it is not even kept.
    assert!(shown.contains("nothing waits under"), "{shown}");
    assert_eq!(status, 1);
}

#[tokio::test]
async fn a_refund_needs_an_approval_too_with_a_number_that_was_made_for_it() {
    let desk = Desk::new();
    let client = desk.client().await;
    client.reply("create_payment", payment("A1")).await;
    client.reply("query_transaction", json!({"out_trade_no": "A1"})).await;
    let client = Client::of(asking(&desk)).await;
    let reply = client.reply("refund", json!({"out_trade_no": "A1"})).await;
    assert_eq!(reply["status"], "needs_approval");
    assert_eq!((&reply["amount"], &reply["out_trade_no"]), (&json!(1050), &json!("A1")));
    let (number, code) = (reply["refund_no"].clone(), reply["approval_code"].as_str().unwrap());
    let (shown, _) = at_a_terminal(&desk, code, "y\n").await;
    assert!(shown.contains("Left of the payment after it: HKD 0.00"), "{shown}");
    let back = client.reply("refund", json!({"out_trade_no": "A1", "refund_no": number})).await;
    assert_eq!(back["status"], "refunded");
}

/// `qfpay-mcp http` with an operator, and how a browser speaks to it.
pub(crate) struct Page {
    _service: Service,
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
}

const PASSWORD: &str = "correct horse battery";

/// A file that lets `alice` approve.
pub(crate) async fn operators(desk: &Desk) -> PathBuf {
    let mut made = desk.command();
    made.args(["operator", "alice"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut made = made.spawn().unwrap();
    made.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).await.unwrap();
    let line = made.wait_with_output().await.unwrap().stdout;
    let file = desk.path().join("operators");
    std::fs::write(&file, line).unwrap();
    file
}

impl Page {
    pub(crate) async fn start(desk: &Desk, mut command: tokio::process::Command) -> Self {
        let file = operators(desk).await;
        command.env("QFPAY_OPERATORS_FILE", &file);
        let service = Service::of(command).await;
        assert!(service.ready.contains("approvals at /approve"), "{}", service.ready);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { base: service.base.clone(), _service: service, http }
    }

    pub(crate) fn agent(&self) -> Agent {
        Agent::of(&self.base)
    }

    /// The person logs in, reads the page under `code`, and presses "Approve".
    pub(crate) async fn approve(&self, code: &str) {
        let (_, shown) = self.get(&format!("/approve/{code}"), Some(("alice", PASSWORD))).await;
        let form = format!("nonce={}&decision=approve", nonce(&shown));
        let (status, shown) = self.press(code, &form, Some(PASSWORD)).await;
        assert!(status == 200 && shown.contains("<h1>Approved</h1>"), "{shown}");
    }

    async fn get(&self, path: &str, login: Option<(&str, &str)>) -> (u16, String) {
        let mut request = self.http.get(format!("{}{path}", self.base));
        if let Some((name, password)) = login {
            request = request.basic_auth(name, Some(password));
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn press(&self, code: &str, form: &str, login: Option<&str>) -> (u16, String) {
        let request = self.http.post(format!("{}/approve/{code}", self.base));
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            // As a browser does.
            .header("origin", &self.base)
            .header("sec-fetch-site", "same-origin");
        let request = match login {
            Some(password) => request.basic_auth("alice", Some(password)),
            None => request,
        };
        let answer = request.body(form.to_owned()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// The word that only the page shows.
fn nonce(shown: &str) -> &str {
    shown.split("name=nonce value=\"").nth(1).unwrap().split('"').next().unwrap()
}

#[tokio::test]
async fn an_operator_approves_on_a_page_behind_a_login_that_no_agent_has() {
    let desk = Desk::new();
    let page = Page::start(&desk, asking(&desk)).await;
    // The agent, over the same server.
    let reply = page.agent().reply("create_payment", payment("A1")).await;
    let code = reply["approval_code"].as_str().unwrap();
    let url = format!("{}/approve/{code}", page.base);
    assert!(reply["next_step"].as_str().unwrap().contains(&url), "{reply:#}");
    let path = format!("/approve/{code}");
    assert_eq!(page.get(&path, None).await.0, 401);
    // Whatever it answers, no other site can frame it, and nothing keeps or passes it on.
    let answer = page.http.get(&url).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert!(header("content-security-policy").contains("default-src 'none'"));
    assert!(header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!(header("x-frame-options"), "DENY");
    assert_eq!(
        (header("cache-control").as_str(), header("referrer-policy").as_str()),
        ("no-store", "same-origin")
    );
    assert_eq!(page.get(&path, Some(("alice", "wrong horse battery"))).await.0, 401);
    assert_eq!(page.get(&path, Some(("bob", PASSWORD))).await.0, 401);
    assert_eq!(page.press(code, "nonce=&decision=approve", None).await.0, 401);
    let (status, shown) = page.get(&path, Some(("alice", PASSWORD))).await;
    assert_eq!(status, 200);
    for told in ["HKD 10.50", "A1", "&quot;Coffee&quot;", "simulator (no real money)"] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    let nonce = nonce(&shown);
    for form in ["nonce=&decision=approve", "nonce=x&decision=approve", "decision=approve"] {
        let (status, _) = page.press(code, form, Some(PASSWORD)).await;
        assert!([403, 422].contains(&status), "{form}: {status}");
    }
    let form = format!("nonce={nonce}&decision=approve");
    assert_eq!(page.press(code, &form, None).await.0, 401);
    let (_, listed) = page.get("/approve", Some(("alice", PASSWORD))).await;
    assert!(listed.contains(code), "{listed}");
    let (status, shown) = page.press(code, &form, Some(PASSWORD)).await;
    assert!(status == 200 && shown.contains("<h1>Approved</h1>"), "{shown}");
    let form = format!("nonce={nonce}&decision=decline");
    let (_, shown) = page.press(code, &form, Some(PASSWORD)).await;
    assert!(shown.contains("<h1>Approved</h1>"), "it is decided once: {shown}");
    let paid = page.agent().reply("create_payment", payment("A1")).await;
    assert_eq!(paid["status"], "pending");
    let audit = desk.audit().await;
    assert!(audit.contains(&format!("sent: approved by alice ({code})")), "{audit:?}");
}
