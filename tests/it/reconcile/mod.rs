//! A day held against QFPay's records: what differs is found, all of it and nothing else.
use std::{process::Stdio, time::Instant};

use jiff::ToSpan as _;
use qfpay_mcp::{
    payments::reconcile::{Outcome, Reconciled},
    simulator::Fault,
    spec::endpoints::Endpoint,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use self::day::{Shop, lines};
use crate::{
    broken::world::Store,
    cluster::Postgres,
    harness::{Client, Desk, soon},
};

mod day;

const ORDERS: usize = 5000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_day_of_5000_orders_what_was_planted_is_found_and_nothing_else() {
    found(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_day_of_5000_orders_in_postgres_what_was_planted_is_found_and_nothing_else() {
    if Postgres::or_skip().is_some() {
        found(Store::Postgres).await;
    }
}

async fn found(store: Store) {
    let mut shop = Shop::open(store).await;
    let begun = Instant::now();
    shop.sell(ORDERS).await;
    let sold = begun.elapsed();
    across_midnight(&shop).await;

    let quiet = told(store, "quiet", &shop).await;
    assert_eq!(lines(&quiet.differences), [""; 0]);
    assert_eq!((quiet.outcome(), quiet.problem.as_deref()), (Outcome::Agrees, None));
    assert_eq!((quiet.entries, quiet.records), (ORDERS + 101, ORDERS + 101));
    hold_totals(&shop, &quiet);
    let client = Client::of(shop.command()).await;
    let reply = client.reply("reconcile", json!({"date": shop.date.to_string()})).await;
    client.end().await;
    let size = reply.to_string().len();
    eprintln!("a day that agrees is told in {size} bytes");
    assert!(reply["status"] == "agrees" && size < 1500, "{reply:#}");
    // Each of the orders at midnight is of one day.
    for (days, count) in [(-1, 0), (1, 1)] {
        let date = shop.date.checked_add(days.days()).unwrap();
        let beside = shop.reconcile(date).await;
        assert_eq!(lines(&beside.differences), [""; 0]);
        assert_eq!((beside.entries, beside.records), (count, count));
    }

    let planted = plant(&shop).await;
    let done = told(store, "planted", &shop).await;
    assert_eq!(lines(&done.differences), planted);
    assert_eq!(done.outcome(), Outcome::Differs);
    assert_eq!(done.differences[0].what.word(), "paid_twice", "the worst comes first");
    eprintln!("{store:?}: {ORDERS} orders were sold in {sold:?}");
    the_command_tells_the_same(&shop, &planted).await;
    the_tool_tells_the_worst(&shop, &planted).await;
}

/// Reconciles, and prints what it took.
async fn told(store: Store, what: &str, shop: &Shop) -> Reconciled {
    let begun = Instant::now();
    let done = shop.reconcile(shop.date).await;
    let (took, pages, count) = (begun.elapsed(), done.pages, done.differences.len());
    eprintln!(
        "{store:?}, {what}: {} records, {pages} pages, {count} differ, {took:?}",
        done.records
    );
    done
}

/// One order that QFPay has on the next day, and one that we have on the day before.
async fn across_midnight(shop: &Shop) {
    let next = shop.date.tomorrow().unwrap();
    shop.sell_one("LAST", shop.at(24).checked_sub(1.second()).unwrap()).await;
    shop.book(&format!("UPDATE trades SET sysdtm = '{next} 00:00:01' WHERE out_trade_no = 'LAST'"))
        .await;
    shop.sell_one("FIRST", shop.at(0).checked_sub(1.second()).unwrap()).await;
    let first = shop.date;
    shop.book(&format!(
        "UPDATE trades SET sysdtm = '{first} 00:00:01' WHERE out_trade_no = 'FIRST'"
    ))
    .await;
    shop.clock.set(shop.at(26));
}

fn hold_totals(shop: &Shop, done: &Reconciled) {
    let mut sold = shop.sold.clone();
    // FIRST.
    let hkd = sold.get_mut(&("HKD".to_owned(), "800201".to_owned())).unwrap();
    (hkd.0, hkd.1) = (hkd.0 + 1, hkd.1 + 100);
    assert_eq!(done.totals.len(), sold.len());
    for total in &done.totals {
        assert_eq!(total.here, total.there);
        let key = (total.currency.code.to_owned(), total.pay_type.unwrap().code.to_owned());
        let net = u64::try_from(total.there.net()).unwrap();
        assert_eq!((total.there.payments, net), sold[&key], "{key:?}");
    }
}

/// Makes both sides differ; what should be found.
async fn plant(shop: &Shop) -> Vec<String> {
    shop.clock.set(shop.at(20));
    let set = async |number: &str, what: &str| {
        shop.book(&format!("UPDATE trades SET {what} WHERE out_trade_no = '{number}'")).await;
    };
    // A terminal, of which we know nothing; and what it tried in vain.
    shop.sell_elsewhere("TERMINAL-1", 0).await;
    shop.sell_elsewhere("TERMINAL-2", 8).await;
    set("TERMINAL-2", "settled = '1205', settled_ms = created_ms").await;
    // Somebody in the portal.
    shop.refund_elsewhere("D0004", "PORTAL-1", 30).await;
    // Ours was lost.
    shop.ledger("DELETE FROM entries WHERE number = 'D1001'").await;
    // Theirs was.
    shop.book("DELETE FROM trades WHERE out_trade_no = 'D2002'").await;
    shop.book("DELETE FROM trades WHERE out_trade_no = 'R3000'").await;
    // Of those that were never carried out nobody has to have a record.
    shop.ledger("UPDATE entries SET state = 'failed' WHERE number = 'D2004'").await;
    shop.book("DELETE FROM trades WHERE out_trade_no = 'D2004'").await;
    // Each says something else.
    set("D3001", "txamt = txamt + 1").await;
    set("D3003", "txcurrcd = 'HKD'").await;
    set("D3004", "settled = '1205', settled_ms = created_ms").await;
    shop.ledger("UPDATE entries SET state = 'in_doubt' WHERE number = 'D3005'").await;
    set("D3008", "pay_type = '800101'").await;
    // Of a payer's code QFPay names the wallet that it really was.
    set("D3010", "pay_type = '800108'").await;
    // Two payments under one number.
    shop.book(
        "CREATE TEMP TABLE twin AS SELECT * FROM trades WHERE out_trade_no = 'D4001';
         UPDATE twin SET serial = serial + 1000000, syssn = substr(syssn, 1, 16) || '9999999999',
             auth_digest = NULL;
         INSERT INTO trades SELECT * FROM twin",
    )
    .await;
    shop.clock.set(shop.at(26));
    let mut planted = [
        "missing_here payment TERMINAL-1: - | paid",
        "missing_here refund PORTAL-1: - | refunded",
        "status payment D0004: paid | partially_refunded",
        "missing_here payment D1001: - | paid",
        "missing_at_qfpay payment D2002: paid | -",
        "missing_at_qfpay refund R3000: refunded | -",
        "status payment D3000: partially_refunded | paid",
        "amount payment D3001: HKD 7.01 | HKD 7.02",
        "amount payment D3003: USD 7.03 | HKD 7.03",
        "status payment D3004: paid | failed",
        "status payment D3005: in_doubt | paid",
        "pay_type payment D3008: 800201 | 800101",
        "paid_twice payment D4001: HKD 1.01 | HKD 1.01 and HKD 1.01",
    ];
    planted.sort_unstable();
    planted.map(str::to_owned).to_vec()
}

async fn the_command_tells_the_same(shop: &Shop, planted: &[String]) {
    let (date, file) = (shop.date.to_string(), shop.desk.path().join("differences.csv"));
    let file = file.to_str().unwrap();
    let mut command = shop.command();
    command.args(["reconcile", "--date", &date, "--json", "--csv", file]).stderr(Stdio::piped());
    let output = command.output().await.unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert_eq!(err, format!("Reading QFPay's records of {date} …\n"));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let field = |it: &Value| it.as_str().unwrap_or("-").to_owned();
    let line = |it: &Value| {
        let [what, kind, number, here, there] =
            ["what", "kind", "number", "here", "at_qfpay"].map(|name| field(&it[name]));
        format!("{what} {kind} {number}: {here} | {there}")
    };
    let mut lines: Vec<String> = told["differences"].as_array().unwrap().iter().map(line).collect();
    lines.sort();
    assert_eq!(lines, planted);
    assert_eq!((&told["outcome"], &told["problem"]), (&json!("differs"), &Value::Null));
    let mut rows = csv::Reader::from_path(file).unwrap();
    assert_eq!(rows.records().map(Result::unwrap).count(), planted.len());

    let again = shop.command().args(["reconcile", "--csv", file]).output().await.unwrap();
    assert_eq!(again.status.code(), Some(2), "what is there is not written over");
    let nowhere = shop.desk.path().join("no/such/folder.csv");
    let mut command = shop.command();
    command.args(["reconcile", "--csv"]).arg(&nowhere).stderr(Stdio::piped());
    let output = command.output().await.unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err.contains("cannot be written") && !err.contains("Reading"), "before it asks: {err}");
    let text = shop.command().args(["reconcile", "--date", &date]).output().await.unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    for wanted in ["13 things differ.", "\nDIFFERS ", "D4001", "look in QFPay's portal"] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
}

async fn the_tool_tells_the_worst(shop: &Shop, planted: &[String]) {
    let client = Client::of(shop.command()).await;
    let told = client.reply("reconcile", json!({"date": shop.date.to_string()})).await;
    eprintln!("the reply has {} bytes", told.to_string().len());
    assert_eq!((&told["status"], &told["more_differ"]), (&json!("differs"), &json!(3)));
    let first = &told["differences"][0];
    assert_eq!(first["what"], "paid_twice");
    assert_eq!(
        first["told"],
        "QFPay received several payments under D4001: HKD 1.01 and HKD 1.01."
    );
    assert_eq!(told["differences"].as_array().unwrap().len() + 3, planted.len());
    client.end().await;
}

#[tokio::test]
async fn faults_on_the_way_are_waited_out_and_what_never_comes_leaves_it_incomplete() {
    let mut shop = Shop::open(Store::Sqlite).await;
    shop.sell(350).await;
    for fault in [Fault::Truncated, Fault::RateLimited, Fault::LostAnswer] {
        shop.simulator.next(Endpoint::Query, fault);
    }
    let done = shop.reconcile(shop.date).await;
    assert_eq!((done.outcome(), done.records), (Outcome::Agrees, 357), "{:?}", done.problem);

    // The second page is refused: what the first one tells is told, and nobody says what is missing.
    shop.ledger("DELETE FROM entries WHERE number = 'D0349'").await;
    shop.book("DELETE FROM trades WHERE out_trade_no = 'D0348'").await;
    let done = shop
        .reconcile_telling(shop.date, &|at| {
            if at.pages == 1 {
                shop.simulator.next(Endpoint::Query, Fault::UnknownCode);
            }
        })
        .await;
    assert_eq!((done.outcome(), done.records), (Outcome::Incomplete, 100));
    assert_eq!(lines(&done.differences), ["missing_here payment D0349: - | paid"]);
    let problem = done.problem.unwrap();
    assert!(
        problem.starts_with("not all of QFPay's records could be read (QFPay refused"),
        "{problem}"
    );
    assert!(problem.contains(&format!("100 records were, of {} ", shop.date)), "{problem}");
}

/// A QFPay that takes connections and never answers.
async fn mute() -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (format!("http://{}", listener.local_addr().unwrap()), listener)
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_the_command_at_once_and_it_says_that_nothing_is_known() {
    let (desk, (url, listener)) = (Desk::new(), mute().await);
    let mut command = desk.command();
    let file = desk.path().join("differences.csv");
    command.env("QFPAY_SIMULATOR_URL", url).args(["reconcile", "--csv"]).arg(&file);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let asking = soon("the first page is asked for", listener.accept()).await.unwrap();
    let pid = nix::unistd::Pid::from_raw(child.id().unwrap().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    let output = soon("it does not wait for the answer", child.wait_with_output()).await.unwrap();
    drop(asking);
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{out}");
    assert!(out.contains("Stopped: not all of QFPay's records could be read"), "{out}");
    assert!(!out.contains("agrees"), "{out}");
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("differences.csv was not written") && !file.exists(), "{err}");
}

#[tokio::test]
async fn what_cannot_be_compared_is_refused_with_what_can() {
    let desk = Desk::new();
    let client = desk.client().await;
    for (date, right) in [
        ("2026-13-01", "`2026-13-01` is not a day; write it as YYYY-MM-DD"),
        ("9999-12-31", "`9999-12-31` has not come yet; the last day that is over is "),
        ("2017-01-31", "`2017-01-31` is too long ago; "),
    ] {
        let told = client.refusal("reconcile", json!({"date": date})).await;
        assert!(told.contains(&format!("- date: {right}")), "{told}");
        let mut command = desk.command();
        command.args(["reconcile", "--date", date]).stderr(Stdio::piped());
        let output = command.output().await.unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), err.contains(right)), (Some(2), true), "{err}");
    }
    let today = client.reply("reconcile", json!({"date": ""})).await;
    assert_eq!((&today["status"], &today["in_ledger"]), (&json!("agrees"), &json!(0)));
}

#[tokio::test]
async fn a_qfpay_that_cannot_be_reached_is_a_failure_and_not_a_day_without_records() {
    let (desk, (url, listener)) = (Desk::new(), mute().await);
    drop(listener);
    let mut command = desk.command();
    command.env("QFPAY_SIMULATOR_URL", url).arg("reconcile").stderr(Stdio::piped());
    let output = command.output().await.unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(1), b"".as_slice()),
        "{err}"
    );
    assert!(
        err.contains("QFPay could not be asked: ") && err.contains("Nothing was compared."),
        "{err}"
    );
}
