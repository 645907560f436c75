//! `orders`: what a person sees of the ledger, and the settling of doubts by hand.
use std::{collections::BTreeMap, process::Stdio, time::Duration};

use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use tokio::{net::TcpListener, process::Command};

use crate::{cluster::Postgres, harness::Desk};

/// What a command wrote, and its exit code.
struct Told {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Told {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {}", self.out))
    }

    /// The words of the table, a row a number.
    fn rows(&self) -> Vec<Vec<&str>> {
        let lines = self.out.lines().skip(1).take_while(|it| !it.is_empty());
        lines.map(|it| it.split_whitespace().collect()).collect()
    }

    fn numbers(&self) -> Vec<&str> {
        self.rows().iter().map(|it| it[0]).collect()
    }
}

/// The binary on this desk, where nothing is settled in the background.
fn command(desk: &Desk, env: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = desk.command();
    command.env("QFPAY_RECOVERY_SECONDS", "off").envs(env.iter().copied()).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn run_with(desk: &Desk, env: &[(&str, &str)], arguments: &[&str]) -> Told {
    let output = command(desk, env, arguments).output().await.unwrap();
    Told {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

async fn run(desk: &Desk, arguments: &[&str]) -> Told {
    run_with(desk, &[], arguments).await
}

async fn pay_with(desk: &Desk, env: &[(&str, &str)], number: &str, amount: u64) -> Option<i32> {
    let arguments =
        json!({"amount": amount, "currency": "HKD", "pay_type": "800201", "out_trade_no": number});
    run_with(desk, env, &["call", "create_payment", &arguments.to_string()]).await.code
}

async fn pay(desk: &Desk, number: &str, amount: u64) -> Option<i32> {
    pay_with(desk, &[], number, amount).await
}

/// A QFPay that takes connections and never answers.
async fn mute() -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (format!("http://{}", listener.local_addr().unwrap()), listener)
}

#[tokio::test]
async fn a_ledger_that_is_not_there_has_no_orders_and_is_not_made() {
    let desk = Desk::new();
    let list = run(&desk, &["orders"]).await;
    assert_eq!(list.code, Some(0));
    assert!(list.out.starts_with("No orders yet (simulator, merchant app:"), "{}", list.out);
    assert!(list.out.contains("ledger.db"), "{}", list.out);
    assert_eq!(run(&desk, &["orders", "--json"]).await.out, "[]\n");
    assert!(run(&desk, &["orders", "--csv"]).await.out.starts_with("number,kind,status,"));
    let recover = run(&desk, &["orders", "recover"]).await;
    assert_eq!((recover.code, recover.err.as_str()), (Some(0), ""));
    assert!(recover.out.starts_with("Nothing is unfinished"), "{}", recover.out);
    let show = run(&desk, &["orders", "show", "A1"]).await;
    assert_eq!((show.code, show.out.as_str()), (Some(1), ""));
    let told = "qfpay-mcp: there is no order A1 in this ledger (simulator, merchant app:";
    assert!(show.err.starts_with(told), "{}", show.err);
    assert_eq!(std::fs::read_dir(desk.path()).unwrap().count(), 0, "nothing is left behind");
}

#[tokio::test]
async fn the_list_is_newest_first_and_can_be_narrowed() {
    let desk = Desk::new();
    assert_eq!(pay(&desk, "A1", 1050).await, Some(0));
    assert_eq!(pay(&desk, "A2", 101_205).await, Some(1));
    assert_eq!(pay(&desk, "A3", 100_502).await, Some(3));
    let list = run(&desk, &["orders"]).await;
    assert_eq!(list.numbers(), ["A3", "A2", "A1"]);
    let row = &list.rows()[2];
    assert_eq!(row[1..6], ["payment", "pending", "HKD", "10.50", "800201"]);
    assert!(row[8].len() > 20, "QFPay's number: {row:?}");
    let some = |arguments: &'static [&'static str]| run(&desk, arguments);
    assert_eq!(some(&["orders", "--status", "in_doubt,pending"]).await.numbers(), ["A3", "A1"]);
    let one = some(&["orders", "--limit", "1"]).await;
    assert!(one.out.ends_with("\n\n2 more: --limit 0\n"), "{}", one.out);
    assert_eq!(some(&["orders", "--since", "2020-01-01", "--limit", "0"]).await.rows().len(), 3);
    let none = some(&["orders", "--until", "2020-01-01 00:00:00"]).await;
    assert!(none.out.starts_with("No orders match ("), "{}", none.out);
    let late = some(&["orders", "--late"]).await;
    assert!(late.out.starts_with("No orders match ("), "{}", late.out);
    let file = format!("sqlite://{}", desk.path().join("ledger.db").display());
    let mut ledger = SqliteConnection::connect(&file).await.unwrap();
    ledger
        .execute("UPDATE entries SET late = 1, state = 'paid' WHERE number = 'A2'")
        .await
        .unwrap();
    ledger.close().await.unwrap();
    let late = some(&["orders", "--late"]).await;
    assert_eq!(late.rows()[0][..4], ["A2", "payment", "paid", "LATE"]);
    assert!(late.out.contains("taken for failed or closed. Money moved."), "{}", late.out);
}

#[tokio::test]
async fn what_is_wrong_is_refused_with_what_is_right() {
    let desk = Desk::new();
    for (arguments, right) in [
        (
            ["--status", "done"],
            "intended, sent, awaiting_payer, pending, in_doubt, paid, failed, closed",
        ),
        (["--since", "23.11.2026"], "write 2026-11-23, or '2026-11-23 14:30:00'"),
        (["--json", "--csv"], "cannot be used with"),
        (["show", "a b"], "use only ASCII letters, digits"),
    ] {
        let told = run(&desk, &["orders", arguments[0], arguments[1]]).await;
        assert_eq!(told.code, Some(2), "{arguments:?}");
        assert!(told.err.contains(right), "{arguments:?}: {}", told.err);
    }
}

#[tokio::test]
async fn json_and_csv_say_the_same_in_full() {
    let desk = Desk::new();
    assert_eq!(pay(&desk, "-A1", 1050).await, Some(0));
    run(&desk, &["orders", "recover"]).await;
    let refund = r#"{"out_trade_no":"-A1","amount":525,"refund_no":"R1"}"#;
    assert_eq!(run(&desk, &["call", "refund", refund]).await.code, Some(0));
    let json = run(&desk, &["orders", "--json"]).await.json();
    let (refund, payment) = (&json[0], &json[1]);
    assert_eq!(
        (&refund["kind"], &refund["status"], &refund["amount"], &refund["currency"]),
        (&json!("refund"), &json!("refunded"), &json!(525), &json!("HKD"))
    );
    assert_eq!((&refund["order"], &refund["original_syssn"]), (&json!("-A1"), &payment["syssn"]));
    assert_eq!(
        (&payment["status"], &payment["late"], &payment["respcd"], &payment["pay_type"]),
        (&json!("partially_refunded"), &json!(false), &json!("0000"), &json!("800201"))
    );
    let made_at = payment["made_at"].as_str().unwrap();
    assert!(made_at.parse::<jiff::Timestamp>().is_ok() && made_at.ends_with("+08:00"), "{made_at}");

    let csv = run(&desk, &["orders", "--csv"]).await;
    let mut reader = csv::Reader::from_reader(csv.out.as_bytes());
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[1]["number"].as_str(), rows[0]["order"].as_str()), ("'-A1", "'-A1"));
    for (row, object) in rows.iter().zip(json.as_array().unwrap()) {
        for (name, value) in object.as_object().unwrap() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let text = if value.is_null() { String::new() } else { text };
            assert_eq!(row[name].trim_start_matches('\''), text, "{name}");
        }
    }
    assert_eq!(run(&desk, &["orders", "--json", "--limit", "1"]).await.json(), json!([refund]));
}

#[tokio::test]
async fn recover_settles_what_is_in_doubt_and_show_tells_the_whole_story() {
    let desk = Desk::new();
    assert_eq!(pay(&desk, "A1", 100_502).await, Some(3));
    let recover = run(&desk, &["orders", "recover"]).await;
    assert_eq!(recover.code, Some(0), "{}", recover.err);
    insta::assert_snapshot!(recover.out, @"
    1 asked about, 1 settled, 0 still open (0 in doubt).
      payment A1  HKD 1,005.02  in_doubt -> paid
    ");
    insta::assert_snapshot!(recover.err, @"
    Asking QFPay about 1 unfinished entry …
    Asked about 1 of 1; 1 settled.
    ");
    let refund = r#"{"out_trade_no":"A1","amount":502,"refund_no":"R1"}"#;
    assert_eq!(run(&desk, &["call", "refund", refund]).await.code, Some(0));

    let story = run(&desk, &["orders", "show", "A1", "--json"]).await.json();
    let of = |event: &Value| format!("{} {}", event["number"], event["what"]).replace('"', "");
    let history = story["history"].as_array().unwrap();
    let told: Vec<String> = history.iter().map(of).collect();
    let wanted = ["A1 sent", "A1 no_answer", "A1 learned", "R1 sent", "A1 learned", "R1 answered"];
    assert_eq!(told, wanted);
    assert_eq!(
        (&history[2]["from"], &history[2]["to"], &history[2]["tool"], &history[2]["transport"]),
        (&json!("in_doubt"), &json!("paid"), &json!("orders recover"), &json!("terminal"))
    );
    assert_eq!(story["refunds"][0]["number"], "R1");
    let syssn = story["entry"]["syssn"].as_str().unwrap();
    let shown = run(&desk, &["orders", "show", syssn]).await;
    for wanted in ["payment A1\n", "partially_refunded", "in_doubt -> paid", "\nrefunds\n  R1"] {
        assert!(shown.out.contains(wanted), "{wanted} is not in\n{}", shown.out);
    }
    let refund = run(&desk, &["orders", "show", "R1"]).await;
    assert!(refund.out.contains("of          payment A1"), "{}", refund.out);
    let again = run(&desk, &["orders", "recover", "--json"]).await;
    assert_eq!((again.code, &again.json()["unfinished"]), (Some(0), &json!(0)));
}

#[tokio::test]
async fn what_qfpay_has_no_record_of_stays_in_doubt_and_the_exit_code_says_so() {
    let desk = Desk::new();
    let (url, _listener) = mute().await;
    let env = [("QFPAY_SIMULATOR_URL", url.as_str()), ("QFPAY_TIMEOUT_SECONDS", "1")];
    assert_eq!(pay_with(&desk, &env, "A1", 1050).await, Some(3));
    let recover = run(&desk, &["orders", "recover", "--json"]).await;
    assert_eq!(recover.code, Some(3));
    let told = recover.json();
    let counts = ["unfinished", "asked", "settled", "still_open", "in_doubt"].map(|it| &told[it]);
    assert_eq!(counts, [1, 1, 0, 1, 1].map(Value::from).each_ref());
    assert_eq!((&told["problem"], &told["changed"]), (&Value::Null, &json!([])));
}

#[tokio::test]
async fn a_qfpay_that_cannot_be_reached_is_a_failure_that_says_what_to_do() {
    let desk = Desk::new();
    assert_eq!(pay(&desk, "A1", 100_502).await, Some(3));
    let (url, listener) = mute().await;
    drop(listener);
    let recover = run_with(&desk, &[("QFPAY_SIMULATOR_URL", &url)], &["orders", "recover"]).await;
    assert_eq!(recover.code, Some(1), "{}", recover.out);
    assert!(recover.out.starts_with("QFPay could not be asked: "), "{}", recover.out);
    assert!(recover.out.contains("Look at the network, then run it again."), "{}", recover.out);
    assert!(recover.out.contains("0 asked about, 0 settled, 1 still open"), "{}", recover.out);
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_stops_the_recovery_at_once_and_leaves_everything_as_it_was() {
    let desk = Desk::new();
    assert_eq!(pay(&desk, "A1", 100_502).await, Some(3));
    let (url, listener) = mute().await;
    let env = [("QFPAY_SIMULATOR_URL", url.as_str())];
    let child = command(&desk, &env, &["orders", "recover"]).spawn().unwrap();
    let asking = listener.accept().await.unwrap();
    let pid = child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let ended = tokio::time::timeout(Duration::from_secs(10), child.wait_with_output());
    let output = ended.await.expect("it does not wait for the answer").unwrap();
    drop(asking);
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{out}");
    assert!(out.starts_with("Stopped. "), "{out}");
    let list = run(&desk, &["orders"]).await;
    assert_eq!(list.rows()[0][2], "in_doubt");
}

#[tokio::test]
async fn a_ledger_in_postgres_is_told_the_same() {
    let Some(postgres) = Postgres::or_skip() else { return };
    let (desk, url) = (Desk::new(), postgres.fresh().await.unwrap());
    let env = [("QFPAY_LEDGER", url.as_str())];
    assert_eq!(pay_with(&desk, &env, "A1", 100_502).await, Some(3));
    let list = run_with(&desk, &env, &["orders", "--status", "in_doubt"]).await;
    assert_eq!(list.numbers(), ["A1"], "{}", list.err);
    let recover = run_with(&desk, &env, &["orders", "recover"]).await;
    assert_eq!(recover.code, Some(0), "{}", recover.err);
    let json = run_with(&desk, &env, &["orders", "--json", "--limit", "0"]).await.json();
    assert_eq!((&json[0]["number"], &json[0]["status"]), (&json!("A1"), &json!("paid")));
    let shown = run_with(&desk, &env, &["orders", "show", "A1"]).await;
    assert!(shown.out.contains("in_doubt -> paid"), "{}", shown.out);
    let none = run_with(&desk, &env, &["orders", "show", "A9"]).await;
    assert_eq!(none.code, Some(1));
    assert!(none.err.contains("in the database of QFPAY_LEDGER"), "{}", none.err);
    assert!(!none.err.contains("postgres://"), "an address may hold a password: {}", none.err);
}
