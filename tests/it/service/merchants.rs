//! Several merchants in one server: a token says whose a call is.
use reqwest::StatusCode;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{Service, TokensFile, order};
use crate::harness::Desk;

const TWO: [(&str, &str); 6] = [
    ("QFPAY_PROFILES", "shopa,shopb"),
    ("QFPAY_PROFILE_SHOPA_MCHID", "m1"),
    ("QFPAY_PROFILE_SHOPA_KEY", "key-of-a"),
    ("QFPAY_PROFILE_SHOPB_MCHID", "m2"),
    ("QFPAY_PROFILE_SHOPB_KEY", "key-of-b"),
    ("QFPAY_PROFILE_SHOPB_MAX_AMOUNT", "HKD:100"),
];

pub(crate) async fn two(desk: &Desk) -> (Service, String, String) {
    let file = TokensFile::new(desk);
    let scopes = ["--scope", "qfpay:read,qfpay:pay,qfpay:refund", "--profile"];
    let token = async |name| file.add(desk, name, &[&scopes[..], &[name]].concat()).await;
    let (a, b) = (token("shopa").await, token("shopb").await);
    let tokens = [("QFPAY_TOKENS_FILE", file.path()), ("QFPAY_SIMULATOR_PAYER_SECONDS", "never")];
    (Service::start(desk, &[], &[&TWO[..], &tokens].concat()).await, a, b)
}

async fn orders(desk: &Desk, profile: &str) -> Vec<(String, String)> {
    let mut command = desk.command();
    command.args(["orders", "--json"]).envs(TWO).env("QFPAY_PROFILE", profile);
    let printed = command.output().await.unwrap().stdout;
    let rows: Vec<Value> = serde_json::from_slice(&printed).unwrap();
    let text = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
    rows.iter().map(|it| (text(it, "number"), text(it, "status"))).collect()
}

#[tokio::test]
async fn ledgers_and_limits_of_merchants_stay_apart() {
    let desk = Desk::new();
    let (service, a, b) = two(&desk).await;
    assert_eq!(service.call(&a, "create_payment", order("SAME")).await["status"], "pending");
    let refused = service.call(&b, "create_payment", order("SAME")).await;
    assert!(refused.as_str().unwrap().contains("QFPAY_MAX_AMOUNT"), "{refused}");
    let mut small = order("SAME");
    small["amount"] = json!(99);
    let paid = service.call(&b, "create_payment", small).await;
    assert_eq!((&paid["status"], &paid["amount"]), (&json!("pending"), &json!(99)), "{paid}");
    // Neither sees the other's.
    let found = service.call(&a, "query_transaction", json!({"out_trade_no": "SAME"})).await;
    assert_eq!(
        found["orders"].get(0).map_or(&found["amount"], |it| &it["amount"]),
        1050,
        "{found}"
    );
    let pending = vec![("SAME".to_owned(), "pending".to_owned())];
    assert_eq!(orders(&desk, "shopa").await, pending);
    assert_eq!(orders(&desk, "shopb").await, pending);
}

#[tokio::test]
async fn a_notification_goes_to_the_merchant_whose_key_it_is() {
    let desk = Desk::new();
    let (service, a, b) = two(&desk).await;
    let mut small = order("N1");
    small["amount"] = json!(99);
    service.call(&a, "create_payment", small.clone()).await;
    service.call(&b, "create_payment", small).await;
    let told = json!({"notify_type": "payment", "out_trade_no": "N1", "txamt": "99", "txcurrcd": "HKD",
                      "respcd": "0000", "syssn": "2026"});
    let tell = async |key: &str| {
        let body = told.to_string();
        let signed = qfpay_mcp::client::sign::sign_body(
            body.as_bytes(),
            qfpay_mcp::client::sign::SignType::Md5,
            &SecretString::from(key),
        );
        let request = service.post("/qfpay/notifications", "", &told).header("x-qf-sign", signed);
        request.send().await.unwrap().status()
    };
    assert_eq!(tell("key-of-b").await, StatusCode::OK);
    assert_eq!(tell("key-of-c").await, StatusCode::FORBIDDEN);
    let heard = async |profile: &str| {
        let mut command = desk.command();
        command.args(["audit", "--json", "--since", "2020-01-01"]).envs(TWO);
        let printed = command.env("QFPAY_PROFILE", profile).output().await.unwrap().stdout;
        String::from_utf8(printed).unwrap().matches("\"notified\"").count()
    };
    assert_eq!((heard("shopa").await, heard("shopb").await), (0, 1));
}

#[tokio::test]
async fn a_server_for_several_wants_to_be_told_whose_a_call_is() {
    let desk = Desk::new();
    let file = TokensFile::new(&desk);
    file.add(&desk, "nobody", &[]).await;
    let run = async |arguments: &[&str], more: &[(&str, &str)]| {
        let mut command = desk.command();
        command.args(arguments).envs(TWO).envs(more.iter().copied());
        let done = command.stderr(std::process::Stdio::piped()).output().await.unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    let (code, said) = run(&["http"], &[]).await;
    assert!(code == Some(2) && said.contains("QFPAY_TOKENS_FILE"), "{said}");
    let (code, said) = run(&["http"], &[("QFPAY_TOKENS_FILE", file.path())]).await;
    assert!(code == Some(2) && said.contains("nobody names no profile"), "{said}");
    let (code, said) = run(&["orders"], &[]).await;
    assert!(code == Some(2) && said.contains("QFPAY_PROFILE to one of shopa, shopb"), "{said}");
}
