//! What an operator limits, over the real binary: sums that hold in a race, read-only mode, and
//! production that does not start without limits.
use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
};

use futures::future::join_all;
use qfpay_mcp::policy::Action;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::{
    cluster::Postgres,
    harness::{Client, Desk, Era, text},
    relay::Recorder,
};

fn payment(number: &str) -> Value {
    json!({"amount": 1050, "currency": "HKD", "pay_type": "800201", "out_trade_no": number})
}

/// Ten at once, over five processes, within a limit for one: how many went through.
async fn race(desk: &Desk, ledger: Option<&str>) -> (usize, usize) {
    let start = |limit: &'static str, most: &'static str| {
        let mut command = desk.command();
        if let Some(url) = ledger {
            command.env("QFPAY_LEDGER", url);
        }
        command.env(limit, most);
        Client::of(command)
    };
    let first = start("QFPAY_REPEAT_MINUTES", "0").await;
    for at in 0..10 {
        first.reply("create_payment", payment(&format!("B{at}"))).await;
        first.reply("query_transaction", json!({"out_trade_no": format!("B{at}")})).await;
    }
    let through = async |tool: &str, limit, most, arguments: &dyn Fn(usize) -> Value| {
        let clients = join_all((0..5).map(|_| start(limit, most))).await;
        let calls = (0..10).map(|at| clients[at % 5].result(tool, arguments(at)));
        let results = join_all(calls).await;
        let (over, done): (Vec<_>, Vec<_>) =
            results.iter().partition(|it| it.is_error == Some(true));
        for it in over {
            let told = text(it);
            assert!(told.contains("- over_day (amount): HKD 10.50 was asked for"), "{told}");
        }
        done.len()
    };
    // 105.00 left before there was a limit.
    let paid = through("create_payment", "QFPAY_MAX_AMOUNT_PER_DAY", "HKD:11999", &|at| {
        payment(&format!("A{at}"))
    })
    .await;
    let refunded = through(
        "refund",
        "QFPAY_MAX_REFUND_PER_DAY",
        "HKD:1999",
        &|at| json!({"out_trade_no": format!("B{at}"), "refund_no": format!("R{at}")}),
    )
    .await;
    (paid, refunded)
}

#[tokio::test]
async fn of_ten_at_once_within_a_limit_for_one_one_goes_through_on_sqlite() {
    assert_eq!(race(&Desk::new(), None).await, (1, 1));
}

#[tokio::test]
async fn of_ten_at_once_within_a_limit_for_one_one_goes_through_on_postgres() {
    let Some(postgres) = Postgres::or_skip() else { return };
    let url = postgres.fresh().await.unwrap();
    assert_eq!(race(&Desk::new(), Some(&url)).await, (1, 1));
}

#[tokio::test]
async fn every_limit_that_is_broken_is_told_at_once() {
    let desk = Desk::new();
    let mut command = desk.command();
    command
        .env("QFPAY_MAX_AMOUNT", "HKD:1000")
        // The environment's own comes first.
        .env("QFPAY_SIMULATOR_MAX_AMOUNT", "HKD:900,JPY:5")
        .env("QFPAY_MAX_AMOUNT_PER_DAY", "HKD:1500")
        .env("QFPAY_MAX_PAYMENTS_PER_HOUR", "1");
    let client = Client::of(command).await;
    let mut small = payment("A1");
    small["amount"] = json!(700);
    client.reply("create_payment", small.clone()).await;
    insta::assert_snapshot!(client.refusal("create_payment", payment("A2")).await, @"
    Refused; nothing was sent. 3 rules forbid it:
    - over_payment (amount): HKD 10.50 was asked for, and one payment may be at most HKD 9.00; an operator can raise QFPAY_SIMULATOR_MAX_AMOUNT
    - over_day (amount): HKD 10.50 was asked for, and HKD 8.00 is left today of HKD 15.00 a day for payments; an operator can raise QFPAY_MAX_AMOUNT_PER_DAY
    - over_hour: the last hour had 1 payments, and an hour may have at most 1; an operator can raise QFPAY_MAX_PAYMENTS_PER_HOUR
    You cannot change this: tell the person that an operator has to change QFPAY_SIMULATOR_MAX_AMOUNT, QFPAY_MAX_AMOUNT_PER_DAY, QFPAY_MAX_PAYMENTS_PER_HOUR and restart the server.
    ");
    // What left is told whatever the limits say.
    assert_eq!(client.reply("create_payment", small).await["replayed"], true);
}

#[tokio::test]
async fn in_read_only_mode_what_writes_is_neither_listed_nor_done() {
    let desk = Desk::new();
    let writing = desk.client().await;
    writing.reply("create_payment", payment("A1")).await;
    let all = writing.tools().await;
    for era in [Era::Legacy, Era::Modern] {
        let mut command = desk.command();
        command.env("QFPAY_READ_ONLY", "1");
        let client = Client::with(command, (), era).await;
        // The split is that of QFPay's own calls, not another list.
        let mut left = all.clone();
        left.retain(|it| !Action::find(it).is_some_and(Action::writes));
        assert_eq!(client.tools().await, left);
        insta::allow_duplicates! {
            insta::assert_snapshot!(left.join(" "), @"explain_respcd list_pay_types query_transaction reconcile wait_for_payment");
        }
        for (tool, arguments) in [
            ("create_payment", payment("A2")),
            ("refund", json!({"out_trade_no": "A1"})),
            ("cancel_payment", json!({"out_trade_no": "A1"})),
        ] {
            let told = client.refusal(tool, arguments).await;
            assert!(told.contains("an operator has to unset QFPAY_READ_ONLY"), "{told}");
        }
        let asked = client.reply("query_transaction", json!({"out_trade_no": "A1"})).await;
        assert_eq!(asked["orders"][0]["status"], "paid");
    }
}

/// What clients are told of each tool is what its calls of QFPay's do.
#[tokio::test]
async fn a_tool_says_that_it_only_reads_if_and_only_if_none_of_its_calls_writes() {
    for tool in qfpay_mcp::mcp::Server::tools() {
        let writes = Action::of_tool(&tool.name).is_some_and(Action::writes);
        let says = tool.annotations.unwrap().read_only_hint;
        assert_eq!(says, Some(!writes), "{}", tool.name);
    }
}

/// What read-only mode and the policy go by is what the tools really do.
#[tokio::test]
async fn each_action_makes_the_calls_that_the_policy_knows_of_and_no_other() {
    let desk = Desk::new();
    let mut simulator = desk.command();
    simulator.args(["simulator", "--bind", "127.0.0.1:0"]).stderr(Stdio::piped());
    simulator.env("QFPAY_SIMULATOR_PAYER_SECONDS", "never");
    let mut simulator = simulator.spawn().unwrap();
    let mut lines = BufReader::new(simulator.stderr.take().unwrap()).lines();
    let ready = lines.next_line().await.unwrap().unwrap();
    let url = ready.split(" on ").nth(1).unwrap().to_owned();
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    let recorder = Recorder::before(url).await;
    let mut command = desk.command();
    command.env("QFPAY_SIMULATOR_URL", &recorder.url);
    command.env("QFPAY_RECOVERY_SECONDS", "off");
    let client = Client::of(command).await;
    let scanned = |number: &str| {
        json!({"amount": 1050, "currency": "HKD", "pay_type": "800208", "out_trade_no": number,
               "auth_code": format!("28495720193847{}", &number[1..].repeat(4))})
    };
    let calls = [
        ("create_payment", payment("A1")),
        ("query_transaction", json!({"out_trade_no": "A1"})),
        ("wait_for_payment", json!({"out_trade_no": "A1", "timeout_seconds": 1})),
        ("cancel_payment", json!({"out_trade_no": "A1"})),
        // Paid at once, and then given back; still being processed, and then taken back.
        ("create_payment", scanned("B1")),
        ("refund", json!({"out_trade_no": "B1"})),
        ("create_payment", {
            let mut processing = scanned("B2");
            processing["amount"] = json!(101_145);
            processing
        }),
        ("cancel_payment", json!({"out_trade_no": "B2"})),
        ("reconcile", json!({})),
        ("explain_respcd", json!({"query": "1145"})),
        ("list_pay_types", json!({})),
    ];
    let mut made: BTreeMap<Option<&str>, BTreeSet<String>> = BTreeMap::new();
    for (tool, arguments) in calls {
        client.result(tool, arguments).await;
        let paths = recorder.take().into_iter().map(|it| it.path);
        made.entry(Action::of_tool(tool).map(Action::name)).or_default().extend(paths);
    }
    assert_eq!(made.remove(&None), Some(BTreeSet::new()), "local tools reach nothing");
    for action in Action::ALL {
        let known = action.endpoints().iter().map(|it| it.path().to_owned()).collect();
        assert_eq!(made.remove(&Some(action.name())), Some(known), "{}", action.name());
    }
}

fn production(desk: &Desk) -> tokio::process::Command {
    let mut command = desk.command();
    command
        .env("QFPAY_ENV", "prod")
        .env("QFPAY_APPCODE", "app")
        .env("QFPAY_KEY", "a-secret-key")
        .env("QFPAY_MCHID", "M0001")
        .env_remove("QFPAY_PACE")
        .env_remove("QFPAY_SIMULATOR_PAYER_SECONDS");
    command
}

#[tokio::test]
async fn production_that_is_opened_without_limits_does_not_start_and_says_what_to_set() {
    let desk = Desk::new();
    let mut command = production(&desk);
    command
        .env("QFPAY_PROD_ALLOW", "create_payment,query_transaction,refund")
        .env("QFPAY_PROD_MAX_AMOUNT", "HKD:five")
        .env("QFPAY_PROD_MAX_REFUND", "")
        .env("QFPAY_CONFIRM", "maybe")
        .env("QFPAY_READ_ONLY", "perhaps")
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    let ended = command.output().await.unwrap();
    assert_eq!(ended.status.code(), Some(2));
    insta::assert_snapshot!(String::from_utf8(ended.stderr).unwrap(), @"
        qfpay-mcp: the settings are not right:
          - QFPAY_PROD_MAX_AMOUNT has `HKD:five`; write a currency and whole minor units, such as HKD:500000 for HKD 5,000.00, with commas between
          - QFPAY_PROD_MAX_REFUND is set and empty; name what is open, or unset it
          - QFPAY_READ_ONLY is `perhaps`; use on or off
          - QFPAY_CONFIRM is `maybe`; use one of always, money, never
          - QFPAY_PROD_MAX_AMOUNT_PER_DAY is not set: QFPAY_PROD_ALLOW opens create_payment, so say the most for all of a day, by currency, in minor units, for example QFPAY_PROD_MAX_AMOUNT_PER_DAY=HKD:500000 (HKD 5,000.00)
          - QFPAY_PROD_MAX_REFUND is not set: QFPAY_PROD_ALLOW opens refund, so say the most for one refund, by currency, in minor units, for example QFPAY_PROD_MAX_REFUND=HKD:500000 (HKD 5,000.00)
          - QFPAY_PROD_MAX_REFUND_PER_DAY is not set: QFPAY_PROD_ALLOW opens refund, so say the most for all of a day, by currency, in minor units, for example QFPAY_PROD_MAX_REFUND_PER_DAY=HKD:500000 (HKD 5,000.00)
        ");
}

#[tokio::test]
async fn doctor_tells_the_policy_in_force_in_plain_sentences_and_no_secret() {
    let desk = Desk::new();
    let mut command = production(&desk);
    command
        .env("QFPAY_PROD_ALLOW", "create_payment,query_transaction")
        .env("QFPAY_PROD_PAY_TYPES", "800101,800201")
        .env("QFPAY_PROD_MAX_AMOUNT", "HKD:500000")
        .env("QFPAY_PROD_MAX_AMOUNT_PER_DAY", "HKD:5000000")
        .env("QFPAY_PROD_MAX_AMOUNTS", "HKD:1")
        .arg("doctor");
    let told = command.output().await.unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    let told = told.replace(&desk.path().display().to_string(), "/desk");
    assert!(!told.contains("a-secret-key"), "{told}");
    insta::assert_snapshot!(told, @"
    qfpay-mcp 0.1.0

    environment  prod: QFPay production in Hong Kong; real money
    merchant     M0001
    ledger       /desk/ledger.db: works

    What an agent may do
    - In production an agent may create payments up to HKD 5,000.00 each, HKD 50,000.00 a day, by 800101 and 800201; each needs a person's yes.
    - In production an agent may look payments up and wait for them.
    - In production an agent may not refund payments.
    - In production an agent may not end orders that are not paid yet.
    - A person is asked by the agent's client for up to 300 s; where the client cannot ask, `qfpay-mcp approve` does, within 15 min.

    Set in the environment
    QFPAY_ENV = prod
    QFPAY_APPCODE = app
    QFPAY_KEY = (set, not shown)
    QFPAY_MCHID = M0001
    QFPAY_PROD_ALLOW = create_payment,query_transaction
    QFPAY_STATE_DIR = /desk
    QFPAY_PROD_PAY_TYPES = 800101,800201
    QFPAY_PROD_MAX_AMOUNT = HKD:500000
    QFPAY_PROD_MAX_AMOUNT_PER_DAY = HKD:5000000
    QFPAY_PROD_MAX_AMOUNTS: no setting of this name; it changes nothing
    ");
}
