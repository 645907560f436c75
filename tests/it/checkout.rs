//! A card on the checkout page, through the real binary: the payer is whoever posts what the page's
//! script and buttons post.
use std::{process::Stdio, sync::Arc, time::Duration};

use jiff::tz::TimeZone;
use qfpay_mcp::{
    clock::{Clock as _, SystemClock},
    ledger::{
        Entry, Ledger, Scope,
        postgres::{Database, PostgresLedger},
        sqlite::SqliteLedger,
    },
    simulator::{APP_CODE, KEY, Settings, Simulator},
    spec::{Environment, endpoints::Endpoint},
};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    cluster::Postgres,
    harness::{Client, Desk, soon},
    web::{Agent, Service},
};

/// Between two looks at the ledger of another process.
const LOOK: Duration = Duration::from_millis(5);

/// Visa and Mastercard online, as number A1.
fn card() -> Value {
    json!({
        "amount": 1050, "currency": "HKD", "pay_type": "802801", "out_trade_no": "A1",
        "goods_name": "Tea & cake", "return_url": "https://shop.example/thanks?a=1&b=2",
        "notify_url": "https://shop.example/qfpay",
    })
}

fn a1() -> Value {
    json!({"out_trade_no": "A1"})
}

/// A payer at a checkout page.
pub(crate) struct Payer {
    http: reqwest::Client,
    /// Scheme, host and port.
    base: String,
    query: String,
}

impl Payer {
    pub(crate) fn at(address: &Value) -> Self {
        let (base, query) = address.as_str().unwrap().split_once("/checkstand/#/?").unwrap();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { http, base: base.to_owned(), query: query.to_owned() }
    }

    async fn looks(&self) -> String {
        let url = format!("{}/checkstand/open", self.base);
        let seen = self.http.post(url).form(&[("query", &self.query)]).send().await.unwrap();
        assert!(seen.status().is_success(), "{}", seen.status());
        seen.text().await.unwrap()
    }

    pub(crate) async fn chooses(&self, pay_type: &str, act: &str) {
        let form = [("query", self.query.as_str()), ("pay_type", pay_type), ("act", act)];
        let url = format!("{}/checkstand/choose", self.base);
        let done = self.http.post(url).form(&form).send().await.unwrap();
        assert!(done.status().is_redirection(), "{}: {:?}", done.status(), done.text().await);
    }
}

#[tokio::test]
async fn a_card_is_paid_on_the_page_after_an_attempt_that_failed() {
    let client = Desk::new().client().await;
    let made = client.reply("create_payment", card()).await;
    assert_eq!(made["status"], "awaiting_payer");
    let next = made["next_step"].as_str().unwrap();
    assert!(next.contains("QFPay has no order until the payer chooses"), "{next}");
    assert!(next.contains("It works until 2"), "{next}");
    assert!(made["expires_at"].is_string() && made.get("syssn").is_none(), "{made}");
    let payer = Payer::at(&made["pay_url"]);
    let seen = payer.looks().await;
    assert!(seen.contains("HKD 10.50") && seen.contains("Tea &amp; cake"), "{seen}");

    let asked = client.reply("query_transaction", a1()).await;
    let order = &asked["orders"][0];
    assert_eq!(
        (&order["status"], &order["known_to_qfpay"]),
        (&json!("awaiting_payer"), &json!(false))
    );

    payer.chooses("802801", "fail").await;
    let asked = client.reply("query_transaction", a1()).await;
    assert_eq!(asked["orders"][0]["status"], "awaiting_payer");
    assert_eq!(asked["orders"][0]["respcd"], "1205");
    let next = asked["next_step"].as_str().unwrap();
    assert!(next.contains("they may try again on the page"), "{next}");

    payer.chooses("806527", "pay").await;
    let waited = client.reply("wait_for_payment", a1()).await;
    assert_eq!(waited["status"], "paid");
    let asked = client.reply("query_transaction", a1()).await;
    assert_eq!(asked["orders"][0]["pay_type"], "806527 Apple Pay online");
    assert!(payer.looks().await.contains("https://shop.example/thanks?a=1&amp;b=2"));

    let refunded = client.reply("refund", a1()).await;
    assert_eq!((&refunded["status"], &refunded["amount"]), (&json!("refunded"), &json!(1050)));
    let again = client.reply("create_payment", card()).await;
    assert_eq!((&again["status"], again.get("pay_url")), (&json!("refunded"), None));
}

#[tokio::test]
async fn the_same_call_again_gives_the_same_address_and_another_number_is_a_repeat() {
    let client = Desk::new().client().await;
    let made = client.reply("create_payment", card()).await;
    let again = client.reply("create_payment", card()).await;
    assert_eq!((&again["replayed"], &again["pay_url"]), (&json!(true), &made["pay_url"]));
    let mut unnamed = card();
    unnamed.as_object_mut().unwrap().remove("out_trade_no");
    let refusal = client.refusal("create_payment", unnamed).await;
    assert!(refusal.contains("it is A1, and `awaiting_payer`"), "{refusal}");
}

#[tokio::test]
async fn what_the_page_needs_is_told_at_once_and_what_an_operator_set_is_not_asked_for() {
    let desk = Desk::new();
    let bare = json!({"amount": 1050, "currency": "HKD", "pay_type": "802801",
        "failed_url": "nowhere", "auth_code": "284957201938475610", "expired_time": 4});
    let refusal = desk.client().await.refusal("create_payment", bare).await;
    insta::assert_snapshot!(refusal, @r"
    Refused; nothing was sent. 5 arguments are wrong:
    - expired_time: `4` is not allowed; send a whole number from 5 to 120, for example `30`
    - failed_url: `nowhere` is not allowed; send a full http:// or https:// address in ASCII without spaces, for example `https://shop.example/sorry`
    - return_url: 802801 (Visa and Mastercard online) needs it: where the payer's browser goes after paying, for example `https://shop.example/thanks`
    - notify_url: 802801 (Visa and Mastercard online) needs it: where QFPay reports the result, for example `https://shop.example/qfpay`
    - auth_code: 802801 (Visa and Mastercard online) does not use it; leave it out
    Put this right and call create_payment again.
    ");
    let mut command = desk.command();
    command.env("QFPAY_NOTIFY_URL", "https://shop.example/qfpay");
    let client = Client::of(command).await;
    let mut least = card();
    least.as_object_mut().unwrap().remove("notify_url");
    let made = client.reply("create_payment", least).await;
    let address = made["pay_url"].as_str().unwrap();
    assert!(address.contains("notify_url=https%3A%2F%2Fshop.example%2Fqfpay"), "{address}");
    assert!(!address.contains(KEY), "{address}");
}

#[tokio::test]
async fn a_page_is_not_taken_back_and_an_attempt_on_it_can_be_ended() {
    let client = Desk::new().client().await;
    let made = client.reply("create_payment", card()).await;
    let refusal = client.refusal("cancel_payment", a1()).await;
    assert!(refusal.contains("nobody can take that back"), "{refusal}");
    assert!(refusal.contains("It works until 2"), "{refusal}");
    Payer::at(&made["pay_url"]).chooses("800714", "wait").await;
    let waited = client.reply("query_transaction", a1()).await;
    assert_eq!(waited["orders"][0]["status"], "pending");
    // Who has begun may finish after the page's end, and nobody else should begin.
    assert_eq!(waited["orders"][0].get("expires_at"), None);
    let again = client.reply("create_payment", card()).await;
    assert_eq!((&again["status"], again.get("pay_url")), (&json!("pending"), None));
    let cancelled = client.reply("cancel_payment", a1()).await;
    assert_eq!(cancelled["status"], "awaiting_payer");
    let next = cancelled["next_step"].as_str().unwrap();
    assert!(next.contains("attempt was ended") && next.contains("It works until 2"), "{next}");
}

#[tokio::test]
async fn a_number_that_two_tabs_paid_is_told_to_the_agent_and_the_operator() {
    let desk = Desk::new();
    let client = desk.client().await;
    let payer = Payer::at(&client.reply("create_payment", card()).await["pay_url"]);
    payer.chooses("802801", "pay").await;
    payer.chooses("802801", "pay").await;
    let asked = client.reply("query_transaction", a1()).await;
    let next = asked["next_step"].as_str().unwrap();
    assert!(next.contains("paid more than once"), "{next}");
    let (told, _) = desk.run(&["orders", "show", "A1"]).await;
    assert!(told.contains("paid_again"), "{told}");
    let surplus = asked["orders"][1]["syssn"].as_str().unwrap();
    let back = client.reply("refund", json!({"syssn": surplus})).await;
    assert_eq!(back["status"], "refunded");
    let asked = client.reply("query_transaction", a1()).await;
    assert_eq!(asked["orders"][0]["status"], "paid");
}

#[tokio::test]
async fn a_second_payment_is_told_also_once_the_first_went_back() {
    let desk = Desk::new();
    let client = desk.client().await;
    let payer = Payer::at(&client.reply("create_payment", card()).await["pay_url"]);
    payer.chooses("802801", "pay").await;
    payer.chooses("802801", "pay").await;
    assert_eq!(client.reply("refund", a1()).await["status"], "refunded");
    let asked = client.reply("query_transaction", a1()).await;
    assert_eq!(asked["orders"][0]["status"], "refunded");
    let held = asked["orders"][1]["syssn"].as_str().unwrap();
    let next = asked["next_step"].as_str().unwrap();
    assert!(next.contains("paid more than once") && next.contains(held), "{next}");
    let waited = client.reply("wait_for_payment", a1()).await;
    assert!(waited["warning"].as_str().unwrap().contains(held), "{waited}");
    let today = SystemClock.now().to_zoned(TimeZone::get("Asia/Hong_Kong").unwrap());
    let today = json!({"date": today.date().to_string()});
    let day = client.reply("reconcile", today.clone()).await;
    assert_eq!(day["differences"].as_array().unwrap().len(), 1, "{day}");
    assert_eq!(day["differences"][0]["what"], "paid_twice", "{day}");
    // When that is back, too, QFPay's sums are not ours, and nobody says that they are.
    assert_eq!(client.reply("refund", json!({"syssn": held})).await["status"], "refunded");
    let day = client.reply("reconcile", today).await;
    assert_eq!(day["status"], "differs", "{day}");
}

#[tokio::test]
async fn a_wait_ends_when_the_payer_has_paid_on_the_page() {
    let desk = Desk::new();
    let service = Service::of(desk.command()).await;
    let agent = Agent::of(&service.base);
    let mut payment = card();
    payment["notify_url"] = json!(format!("{}/qfpay/notifications", service.base));
    let payer = Payer::at(&agent.reply("create_payment", payment).await["pay_url"]);
    let waiting = agent.reply("wait_for_payment", a1());
    let (waited, ()) = tokio::join!(waiting, payer.chooses("802801", "pay"));
    assert_eq!(waited["status"], "paid");
}

/// A page is a way to charge as a request is one, so it counts until it is over.
#[tokio::test]
async fn a_page_counts_for_the_limits_and_a_page_over_them_is_not_offered() {
    let desk = Desk::new();
    let mut command = desk.command();
    command.env("QFPAY_MAX_AMOUNT_PER_DAY", "HKD:2000");
    let client = Client::of(command).await;
    client.reply("create_payment", card()).await;
    let mut second = card();
    second["out_trade_no"] = json!("A2");
    let refusal = client.refusal("create_payment", second).await;
    assert!(refusal.contains("over_day") && !refusal.contains("checkstand"), "{refusal}");
    let (told, _) = desk.run(&["orders", "--json"]).await;
    assert!(!told.contains("A2"), "{told}");
}

#[tokio::test]
async fn nobody_is_given_a_page_before_a_person_said_yes_to_it() {
    let desk = Desk::new();
    let command = || {
        let mut command = desk.command();
        command.env("QFPAY_CONFIRM", "always");
        command
    };
    let client = Client::of(command()).await;
    let asked = client.reply("create_payment", card()).await;
    assert_eq!((&asked["status"], asked.get("pay_url")), (&json!("needs_approval"), None));
    let code = asked["approval_code"].as_str().unwrap();
    let shown = command().args(["approve"]).output().await.unwrap();
    let shown = String::from_utf8_lossy(&[shown.stdout, shown.stderr].concat()).into_owned();
    assert!(shown.contains(code), "{shown}");
    assert!(shown.contains("let a payer pay on QFPay's checkout page"), "{shown}");
}

#[tokio::test]
async fn the_address_is_in_no_log() {
    let desk = Desk::new();
    let mut command = desk.command();
    command.env("QFPAY_LOG", "trace").args(["call", "create_payment", &card().to_string()]);
    let output = command.stderr(Stdio::piped()).output().await.unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("/checkstand/#/?"), "{told}");
    let logged = String::from_utf8(output.stderr).unwrap();
    assert!(!logged.is_empty() && !logged.contains("checkstand"), "{logged}");
}

#[tokio::test]
async fn killed_once_the_page_is_written_down_it_gives_the_same_address_on_sqlite() {
    killed(None).await;
}

#[tokio::test]
async fn killed_once_the_page_is_written_down_it_gives_the_same_address_on_postgres() {
    let Some(postgres) = Postgres::or_skip() else { return };
    killed(Some(postgres.fresh().await.unwrap())).await;
}

async fn killed(place: Option<String>) {
    let desk = Desk::new();
    let simulator = Simulator::start(Settings::new(desk.path().join("book.db"))).await.unwrap();
    let command = || {
        let mut command: Command = desk.command();
        command.env("QFPAY_SIMULATOR_URL", simulator.url());
        command.envs(place.iter().map(|it| ("QFPAY_LEDGER", it)));
        command
    };
    let merchant = format!("app:{APP_CODE}");
    let scope = Scope { environment: Environment::Simulator, merchant };
    let ledger: Arc<dyn Ledger> = match &place {
        None => Arc::new(SqliteLedger::new(&desk.path().join("ledger.db"), scope)),
        Some(url) => {
            let database = Database::new(&url.clone().into()).unwrap();
            Arc::new(PostgresLedger::new(Arc::new(database), scope))
        }
    };
    let client = Client::of(command()).await;
    let written = async {
        loop {
            if let Some(entry) = ledger.find(&"A1".parse().unwrap()).await.unwrap() {
                break entry;
            }
            // A ledger tells nobody when it changes.
            tokio::time::sleep(LOOK).await;
        }
    };
    let (entry, _) = tokio::join!(
        async {
            let entry = soon("the page is written down", written).await;
            client.kill().await;
            entry
        },
        client.attempt("create_payment", card()),
    );
    let Entry::Payment(payment) = entry else { panic!("{entry:?}") };
    let client = Client::of(command()).await;
    let again = client.reply("create_payment", card()).await;
    assert_eq!((&again["status"], &again["replayed"]), (&json!("awaiting_payer"), &json!(true)));
    assert_eq!(again["pay_url"], json!(payment.shown.pay_url.unwrap()));
    Payer::at(&again["pay_url"]).chooses("802801", "pay").await;
    assert_eq!(client.reply("wait_for_payment", a1()).await["status"], "paid");
    assert_eq!(simulator.requests(Endpoint::Payment), 0);
    assert_eq!(simulator.book().await.unwrap().len(), 1);
}
