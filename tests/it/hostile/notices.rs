//! What somebody says that QFPay told.
use futures::StreamExt as _;
use qfpay_mcp::{
    client::sign::{SignType, sign_body},
    simulator::KEY,
};
use serde_json::{Value, json};

use super::{MALLORY, Tally, Target, attacks, payment, status};

attacks! {
    no_forged_notification_changes_anything,
    a_true_notification_that_is_told_again_changes_nothing_more,
}

const PATHS: [&str; 2] = ["/qfpay/notifications", "/qfpay/qfpay/notifications"];

fn signed(body: &[u8], key: &str) -> String {
    sign_body(body, SignType::Md5, &key.to_owned().into())
}

fn told(number: &str, syssn: &str) -> Value {
    json!({"notify_type": "payment", "out_trade_no": number, "txamt": "1050", "txcurrcd": "HKD",
           "respcd": "0000", "status": "1", "syssn": syssn})
}

impl Target {
    fn notify(
        &self,
        path: &str,
        body: Vec<u8>,
        signature: Option<&str>,
    ) -> reqwest::RequestBuilder {
        let post = self.http.post(format!("http://{}{path}", self.address)).body(body);
        match signature {
            Some(signature) => post.header("x-qf-sign", signature),
            None => post,
        }
    }

    /// An order that nobody pays; QFPay's number of it.
    async fn ordered(&self, number: &str) -> String {
        let made = self.call(MALLORY, "create_payment", &payment(number)).send().await.unwrap();
        let made: Value = serde_json::from_str(&made.text().await.unwrap()).unwrap();
        let syssn = made["result"]["structuredContent"]["syssn"].as_str();
        syssn.unwrap_or("20261123000100020000000001").to_owned()
    }

    async fn audited(&self, what: &str) -> usize {
        self.desk.audit().await.iter().filter(|it| it.starts_with(what)).count()
    }

    async fn status_of(&self, number: &str) -> Value {
        let asked = self.call(MALLORY, "query_transaction", &json!({"out_trade_no": number}));
        let told: Value =
            serde_json::from_str(&asked.send().await.unwrap().text().await.unwrap()).unwrap();
        told["result"]["structuredContent"]["orders"][0]["status"].clone()
    }
}

async fn no_forged_notification_changes_anything(target: &Target) -> Tally {
    let syssn = target.ordered("forged").await;
    let body = told("forged", &syssn).to_string().into_bytes();
    let other = told("other", &syssn).to_string().into_bytes();
    let right = signed(&body, KEY);
    let spaced = [b" ", body.as_slice()].concat();
    let long = told("forged", &"9".repeat(60_000)).to_string().into_bytes();
    let oversized = [body.clone(), vec![b' '; 64 << 10]].concat();
    let sha = sign_body(&body, SignType::Sha256, &KEY.to_owned().into());
    let bodies: Vec<(Vec<u8>, Option<String>)> = vec![
        (body.clone(), None),
        (body.clone(), Some(String::new())),
        (body.clone(), Some(signed(&other, KEY))),
        (other, Some(right.clone())),
        (spaced, Some(right.clone())),
        (body.clone(), Some(signed(&body, "another-key"))),
        (body.clone(), Some(signed(&body, ""))),
        (body.clone(), Some(sha)),
        (body.clone(), Some(right[..31].to_owned())),
        (body.clone(), Some(format!("{right}0"))),
        (body.clone(), Some(format!("{right},{right}"))),
        (body.clone(), Some("0".repeat(60_000))),
        (long, Some(right.clone())),
        (oversized.clone(), Some(signed(&oversized, KEY))),
        (vec![b'['; 60_000], Some(right.clone())),
        (Vec::new(), Some(right)),
    ];
    let mut all = Vec::new();
    for path in PATHS {
        for (body, signature) in &bodies {
            for _ in 0..50 {
                all.push(target.notify(path, body.clone(), signature.as_deref()));
            }
        }
    }
    let all = all.into_iter().map(async |it| status(&it.send().await));
    let tally: Tally = futures::stream::iter(all).buffer_unordered(16).collect().await;
    assert_eq!(target.audited("notified").await, 0);
    assert_eq!(target.status_of("forged").await, "pending");
    tally.only(&["403", "413", "431"])
}

/// Its signature is right, in whatever case; what it tells, QFPay does not confirm.
async fn a_true_notification_that_is_told_again_changes_nothing_more(target: &Target) -> Tally {
    let syssn = target.ordered("told").await;
    let body = told("told", &syssn).to_string().into_bytes();
    let right = signed(&body, KEY);
    let deep = [b"[".repeat(30_000), b"]".repeat(30_000)].concat();
    let mut all = Vec::new();
    for at in 0..300 {
        let signature = if at % 2 == 0 { right.clone() } else { right.to_lowercase() };
        all.push(target.notify(PATHS[at % 2], body.clone(), Some(&signature)));
        all.push(target.notify(PATHS[0], deep.clone(), Some(&signed(&deep, KEY))));
    }
    let all = all.into_iter().map(async |it| status(&it.send().await));
    let tally: Tally = futures::stream::iter(all).buffer_unordered(16).collect().await;
    assert_eq!(target.status_of("told").await, "pending");
    tally.only(&["200", "403"])
}
