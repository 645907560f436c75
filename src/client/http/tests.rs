//! Real sockets, scripted answers: what every kind of bad answer is taken for.
use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    client::{pace, payment_event, sign::sign_body},
    clock::Clock,
    domain::{Amount, PaymentEvent, time::qfpay_zone},
    spec::{Currency, PayType},
};

const KEY: &str = "test-key";
const DONE: &str = r#"{"respcd": "0000", "resperr": "ok", "syssn": "2026", "out_trade_no": "A1", "txamt": "1050"}"#;

/// A server that gives one scripted answer a connection and keeps what it was sent.
struct Script {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Script {
    async fn answering(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        tokio::spawn(async move {
            for answer in answers {
                let (mut socket, _) = listener.accept().await.unwrap();
                let request = read_request(&mut socket).await;
                seen.lock().unwrap().push(request);
                if answer.is_empty() {
                    // Never answers: the socket stays open until the test ends.
                    std::future::pending::<()>().await;
                }
                let _ = socket.write_all(&answer).await;
            }
        });
        Self { url, requests }
    }

    fn gateway(&self) -> HttpGateway {
        gateway(settings(&self.url))
    }

    async fn pay(&self) -> Exchange {
        pay(&self.gateway()).await
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn read_request(socket: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = socket.read(&mut buffer).await.unwrap();
        text.extend_from_slice(&buffer[..read]);
        let so_far = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) || read == 0 {
            return so_far;
        }
    }
}

fn settings(url: &str) -> Settings {
    Settings {
        base_url: url.to_owned(),
        app_code: "app".to_owned(),
        key: SecretString::from(KEY),
        mchid: None,
        notify_url: None,
        sign_type: SignType::Sha256,
        zone: qfpay_zone(),
        refuse_wrong_signature: true,
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(20),
        patience: Duration::from_secs(5),
    }
}

/// A second after the payment of these tests was written down.
#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        "2026-11-23T06:30:06Z".parse().unwrap()
    }
}

fn gateway(settings: Settings) -> HttpGateway {
    HttpGateway::new(settings, Arc::new(pace::LocalPace::new(&pace::QFPAY)), Arc::new(Stopped))
}

async fn pay(gateway: &HttpGateway) -> Exchange {
    let amount = Amount::from_minor(1050, Currency::find("HKD").unwrap()).unwrap();
    let pay_type = PayType::find("800201").unwrap();
    let terms = PaymentTerms { amount, pay_type, extras: std::collections::BTreeMap::new() };
    let at = "2026-11-23T06:30:05Z".parse().unwrap();
    gateway.pay(&"A1".parse().unwrap(), &terms, at).await
}

/// A machine that slept wakes with payments that are hours old; by then others know better.
#[tokio::test]
async fn what_was_written_down_long_ago_is_not_sent_any_more() {
    let script = Script::answering(vec![signed(DONE)]).await;
    let amount = Amount::from_minor(1050, Currency::find("HKD").unwrap()).unwrap();
    let pay_type = PayType::find("800201").unwrap();
    let terms = PaymentTerms { amount, pay_type, extras: std::collections::BTreeMap::new() };
    let at = "2026-11-23T06:27:05Z".parse().unwrap();
    let exchange = gateway(settings(&script.url)).pay(&"A1".parse().unwrap(), &terms, at).await;
    insta::assert_snapshot!(reason(exchange), @"not sent: it could not leave in time, and is not sent any more");
    assert!(script.requests().is_empty());
}

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn signed(body: &str) -> Vec<u8> {
    let sign = sign_body(body.as_bytes(), SignType::Md5, &SecretString::from(KEY));
    http("200 OK", &format!("x-qf-sign: {sign}\r\n"), body)
}

fn reason(exchange: Exchange) -> String {
    match exchange.unwrap_err() {
        Trouble::Lost { reason } => format!("lost: {reason}"),
        Trouble::NotSent { reason, .. } => format!("not sent: {reason}"),
    }
}

#[tokio::test]
async fn a_request_is_signed_with_sha256_and_says_so() {
    let script = Script::answering(vec![signed(DONE)]).await;
    let answer = script.pay().await.unwrap();
    assert_eq!(answer.signature, SignatureCheck::RawMd5);
    let request = script.requests().remove(0);
    let expected = sign(
        [
            ("txamt", "1050"),
            ("txcurrcd", "HKD"),
            ("pay_type", "800201"),
            ("out_trade_no", "A1"),
            ("txdtm", "2026-11-23 14:30:05"),
        ],
        SignType::Sha256,
        &SecretString::from(KEY),
    );
    for wanted in [
        "POST /trade/v1/payment HTTP/1.1",
        "x-qf-appcode: app",
        &format!("x-qf-sign: {expected}"),
        "x-qf-signtype: SHA256",
        "content-type: application/x-www-form-urlencoded",
        "txdtm=2026-11-23+14%3A30%3A05",
    ] {
        assert!(request.contains(wanted), "{wanted} is not in\n{request}");
    }
    assert!(!request.contains("mchid") && !request.contains(KEY), "{request}");
}

#[tokio::test]
async fn md5_goes_without_the_header_and_mchid_goes_when_configured() {
    let script = Script::answering(vec![signed(DONE)]).await;
    let mchid = Some("m1".to_owned());
    let settings = Settings { sign_type: SignType::Md5, mchid, ..settings(&script.url) };
    pay(&gateway(settings)).await.unwrap();
    let request = script.requests().remove(0);
    assert!(request.contains("mchid=m1") && !request.contains("x-qf-signtype"), "{request}");
}

#[tokio::test]
async fn a_429_is_obeyed_and_the_same_number_goes_again() {
    let busy = http("429 Too Many Requests", "retry-after: 0\r\n", "");
    let script = Script::answering(vec![busy, signed(DONE)]).await;
    script.pay().await.unwrap();
    assert_eq!(script.requests().len(), 2);
    assert_eq!(script.requests()[0].lines().last(), script.requests()[1].lines().last());
}

#[tokio::test]
async fn a_long_429_is_handed_to_the_caller_as_surely_not_processed() {
    let busy = http("429 Too Many Requests", "retry-after: 60\r\n", "");
    let script = Script::answering(vec![busy]).await;
    let exchange = script.pay().await;
    let retry_after = Some(Duration::from_secs(60));
    let reason = "QFPay's rate limit was reached (HTTP 429)".to_owned();
    assert_eq!(exchange, Err(Trouble::NotSent { reason, retry_after }));
    assert_eq!(payment_event(&exchange, Flow::Mpm), PaymentEvent::NotSent);
}

#[tokio::test]
async fn a_429_without_a_time_is_waited_out_and_one_with_a_date_is_understood() {
    let busy = |header: &str| http("429 Too Many Requests", header, "");
    let script = Script::answering(vec![busy(""), signed(DONE)]).await;
    script.pay().await.unwrap();
    assert_eq!(script.requests().len(), 2);
    let later = Stopped.now().checked_add(jiff::SignedDuration::from_mins(2)).unwrap();
    let date = later.strftime("%a, %d %b %Y %H:%M:%S GMT");
    let script = Script::answering(vec![busy(&format!("retry-after: {date}\r\n"))]).await;
    let Err(Trouble::NotSent { retry_after: Some(wait), .. }) = script.pay().await else {
        panic!("it must be handed to the caller")
    };
    assert!((100..=120).contains(&wait.as_secs()), "{wait:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Script::answering(vec![signed(DONE)]).await;
    let redirect = http("302 Found", &format!("location: {}\r\n", target.url), "");
    let script = Script::answering(vec![redirect]).await;
    insta::assert_snapshot!(reason(script.pay().await), @"lost: a redirect came instead of an answer (HTTP 302 Found)");
    assert!(target.requests().is_empty());
}

#[tokio::test]
async fn what_breaks_after_the_request_left_is_lost_and_a_payment_is_not_repeated() {
    let huge = signed(&format!(r#"{{"respcd":"0000","x":"{}"}}"#, "y".repeat(MAX_BODY)));
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"respcd\":".to_vec();
    let html = http("502 Bad Gateway", "content-type: text/html\r\n", "<html>bad</html>");
    let html_ok = http("200 OK", "", "<html>maintenance</html>");
    let other = signed(&DONE.replace("\"A1\"", "\"B2\""));
    let forged = http("200 OK", "x-qf-sign: 0123\r\n", DONE);
    let rows = [
        (huge, "lost: QFPay's answer is over 1 MiB"),
        (html, "lost: QFPay's server failed (HTTP 502 Bad Gateway)"),
        (http("403 Forbidden", "", "<html>no</html>"), "lost: an HTML page came instead"),
        (http("404 Not Found", "", ""), "lost: QFPay's answer is empty"),
        (html_ok, "lost: an HTML page came instead of QFPay's answer"),
        (
            signed(r#"{"respcd": "00"#),
            "lost: QFPay's answer is no valid JSON; it may have been cut off",
        ),
        (other, "lost: QFPay's answer is about another order or amount, or does not say which"),
        (forged, "lost: the signature of QFPay's answer is wrong"),
        (b"\r\n".to_vec(), "lost: the connection to QFPay broke before its answer was whole"),
        (cut, "lost: the connection to QFPay broke before its answer was whole"),
    ];
    for (answer, wanted) in rows {
        let script = Script::answering(vec![answer, signed(DONE)]).await;
        let exchange = script.pay().await;
        assert_eq!(payment_event(&exchange, Flow::Cpm), PaymentEvent::Lost);
        let reason = reason(exchange);
        assert!(reason.starts_with(wanted), "{reason} is not {wanted}");
        assert_eq!(script.requests().len(), 1, "{wanted}");
    }
}

#[tokio::test]
async fn a_slow_answer_is_lost() {
    let script = Script::answering(vec![Vec::new()]).await;
    let settings = Settings { timeout: Duration::from_millis(200), ..settings(&script.url) };
    let exchange = pay(&gateway(settings)).await;
    insta::assert_snapshot!(reason(exchange), @"lost: QFPay did not answer in time");
}

#[tokio::test]
async fn a_wrong_signature_is_let_through_and_reported_where_an_operator_said_so() {
    let script = Script::answering(vec![http("200 OK", "x-qf-sign: 0123\r\n", DONE)]).await;
    let settings = Settings { refuse_wrong_signature: false, ..settings(&script.url) };
    assert_eq!(pay(&gateway(settings)).await.unwrap().signature, SignatureCheck::Wrong);
}

#[tokio::test]
async fn a_query_may_be_repeated_after_a_lost_answer() {
    let found = signed(r#"{"respcd": "0000", "data": []}"#);
    let script = Script::answering(vec![http("500 Oops", "", ""), found]).await;
    let page = script.gateway().query(&Query::default()).await.unwrap();
    assert!(page.trades.is_empty());
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn without_a_connection_nothing_was_sent() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let exchange = pay(&gateway(settings(&closed))).await;
    assert_eq!(payment_event(&exchange, Flow::Mpm), PaymentEvent::NotSent);
    assert!(reason(exchange).starts_with("not sent: QFPay could not be reached"));
}

#[test]
fn the_key_is_not_in_debug_output() {
    assert!(!format!("{:?}", settings("http://127.0.0.1:1")).contains(KEY));
}
