//! Notifications: what was paid or refunded is told to the order's `notify_url`, signed over the
//! raw body, until it is acknowledged (contract §5).
//!
//! When the next try is due stands in the book, so it survives a restart, and several processes
//! with one book do not tell twice. Only loopback addresses are told: the simulator sends nothing
//! off this machine.
use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use reqwest::{Client, StatusCode, Url, header::CONTENT_TYPE, redirect};
use serde_json::{Map, Value, json};

use super::{
    Desk,
    book::{Filter, Trade},
    query::channel_number,
    reply::python,
    wire,
};
use crate::client::sign::{self, SignType};

/// Minutes between the first try and the second, and so on; then never again.
const LADDER_MINUTES: [i64; 7] = [2, 10, 10, 60, 120, 360, 900];
/// The body that acknowledges.
const ACKNOWLEDGED: &str = "SUCCESS";
/// Most bytes read of an acknowledgement.
const MOST: usize = 1024;
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often the book is looked at when nothing calls for it.
const LOOK: Duration = Duration::from_millis(500);
/// Most notifications told at once.
const BATCH: u32 = 16;
const SKIPPED: &str = "not sent: the simulator tells loopback addresses only";

/// Whoever tells: no proxy, no redirect away from loopback.
pub(super) fn client() -> Result<Client, reqwest::Error> {
    Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(TIMEOUT).build()
}

/// Tells what is due, for as long as it runs.
pub(super) async fn run(desk: Arc<Desk>, client: Client) {
    loop {
        let due = Filter { due: true, limit: BATCH, ..Filter::default() };
        match desk.book.select(desk.now_ms(), &due).await {
            Ok(trades) => {
                let full = trades.len() >= BATCH as usize;
                join_all(trades.iter().map(|trade| handle(&desk, &client, trade))).await;
                if full {
                    continue;
                }
            }
            Err(error) => tracing::warn!(%error, "notifications could not be read"),
        }
        // Either something changed or it is time to look; both mean: look.
        let _ = tokio::time::timeout(LOOK, desk.due.notified()).await;
    }
}

async fn handle(desk: &Desk, client: &Client, trade: &Trade) {
    if let Err(error) = tell(desk, client, trade).await {
        tracing::warn!(%error, syssn = trade.syssn, "a notification could not be written down");
    }
}

async fn tell(desk: &Desk, client: &Client, trade: &Trade) -> Result<(), super::BookError> {
    let tried = usize::try_from(trade.notify_tries).unwrap_or(usize::MAX);
    let minutes = LADDER_MINUTES.get(tried).filter(|_| trade.is_paid());
    let again_ms = minutes.map(|it| desk.now_ms() + it * 60_000);
    if !desk.book.claim(trade, again_ms).await? || !trade.is_paid() {
        return Ok(());
    }
    let Some(url) = loopback(&trade.notify_url) else {
        return desk.book.note(&trade.syssn, SKIPPED, true).await;
    };
    let body = python(&payload(desk, trade));
    let key = &desk.settings.key;
    let told = client
        .post(url)
        .header(CONTENT_TYPE, "application/json; charset=UTF-8")
        .header(sign::SIGN_HEADER, sign::sign_body(body.as_bytes(), SignType::Md5, key))
        .body(body)
        .send();
    let refused = match told.await {
        Err(error) if error.is_connect() => Some("not delivered: nobody listens there".to_owned()),
        Err(error) if error.is_timeout() => Some("not delivered: no answer in time".to_owned()),
        Err(error) => Some(format!("not delivered: {}", error.without_url())),
        Ok(response) => refusal(response).await,
    };
    let note = refused.as_deref().unwrap_or("acknowledged");
    desk.book.note(&trade.syssn, note, refused.is_none()).await
}

/// Why an answer does not acknowledge: it takes HTTP 200 and the body `SUCCESS`.
async fn refusal(mut response: reqwest::Response) -> Option<String> {
    if response.status() != StatusCode::OK {
        return Some(format!("not acknowledged: HTTP {}", response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > MOST {
            break;
        }
    }
    let wanted = body.trim_ascii() == ACKNOWLEDGED.as_bytes();
    (!wanted).then(|| format!("not acknowledged: the body must be {ACKNOWLEDGED}"))
}

/// The address, if it is on this machine.
fn loopback(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    super::page::is_loopback(url.host_str()?).then_some(url)
}

/// What is told. Everything is text; a refund's `syssn` is its own.
fn payload(desk: &Desk, trade: &Trade) -> Value {
    let mut payload = Map::new();
    let mut set = |name: &str, value: &str| payload.insert(name.to_owned(), json!(value));
    set("status", "1");
    set("notify_type", &trade.order_type);
    set("pay_type", &trade.pay_type);
    set("syssn", &trade.syssn);
    set("out_trade_no", &trade.out_trade_no);
    set("txamt", &trade.txamt.to_string());
    set("txcurrcd", &trade.txcurrcd);
    set("txdtm", &trade.txdtm);
    set("sysdtm", &trade.sysdtm);
    set("paydtm", &wire(trade.paid_ms));
    set("cancel", trade.cancel());
    set("respcd", &trade.respcd);
    set("goods_name", &trade.goods_name);
    set("goods_info", "");
    set("chnlsn", &channel_number(trade));
    set("cardcd", "");
    if let Some(mchid) = &desk.settings.mchid {
        set("mchid", mchid);
    }
    if let (Some(origssn), Some(number)) = (&trade.origssn, &trade.orig_out_trade_no) {
        set("orig_syssn", origssn);
        set("orig_out_trade_no", number);
    }
    Value::Object(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_on_this_machine_are_told() {
        for good in
            ["http://127.0.0.1:9/x", "http://localhost/", "http://[::1]:80/", "http://127.8.9.1/"]
        {
            assert!(loopback(good).is_some(), "{good}");
        }
        for bad in [
            "http://192.0.2.1/",
            "http://127.0.0.1.example.com/",
            "http://localhost.example/",
            "http://[::ffff:192.0.2.1]/",
            "x",
        ] {
            assert!(loopback(bad).is_none(), "{bad}");
        }
    }
}
