//! Signatures, merchants, parameters, limits and the bytes of answers.
use super::*;

#[tokio::test]
async fn an_answer_is_flat_json_as_python_writes_it() {
    let shop = Shop::open().await;
    let params = [
        ("txamt", "100"),
        ("txcurrcd", "HKD"),
        ("pay_type", "800201"),
        ("out_trade_no", "A1"),
        ("txdtm", TXDTM),
        ("goods_name", "咖啡"),
    ];
    let response = shop.send(Endpoint::Payment, &params).await;
    assert_eq!(response.headers()["content-type"], "application/json; charset=UTF-8");
    let url = shop.simulator.url();
    let body = response.text().await.unwrap().replace(&url, "http://SIMULATOR");
    insta::assert_snapshot!(body, @r#"{"respcd": "0000", "resperr": "Transaction successful", "respmsg": "", "syssn": "20261123000100020000000001", "out_trade_no": "A1", "pay_type": "800201", "txamt": "100", "txcurrcd": "HKD", "txdtm": "2026-11-23 06:30:00", "sysdtm": "2026-11-23 14:30:00", "paydtm": "", "udid": "qiantai2", "chnlsn": "", "cardcd": "", "qrcode": "http://SIMULATOR/pay/20261123000100020000000001"}"#);
    let response = shop.send(Endpoint::Query, &[("out_trade_no", "A1")]).await;
    assert!(response.text().await.unwrap().contains(r#""goods_name": "\u5496\u5561", "#));
}

#[tokio::test]
async fn both_digests_are_taken_and_letters_may_be_small() {
    let mut shop = Shop::open().await;
    for sign_type in [SignType::Md5, SignType::Sha256] {
        shop.sign_type = sign_type;
        assert_eq!(text(&shop.query(&[]).await, "respcd"), "0000");
    }
    let url = format!("{}/trade/v1/query", shop.simulator.url());
    let sign = sign::sign([("page", "1")], SignType::Md5, &KEY.into()).to_lowercase();
    let request = shop.http.post(&url).header("X-QF-APPCODE", APP_CODE).header("X-QF-SIGN", sign);
    let answer = request.form(&[("page", "1")]).send().await.unwrap().text().await.unwrap();
    assert!(answer.contains(r#""respcd": "0000""#), "{answer}");
}

#[tokio::test]
async fn what_is_not_signed_by_the_merchant_is_refused_and_the_answer_is_not_signed() {
    let shop = Shop::open().await;
    let url = format!("{}/trade/v1/query", shop.simulator.url());
    let right = sign::sign([("page", "1")], SignType::Sha256, &KEY.into());
    let wrong = sign::sign([("page", "1")], SignType::Sha256, &"another".into());
    let mut table = Vec::new();
    for (app_code, sign, sign_type) in [
        ("", "", ""),
        ("other", right.as_str(), "SHA256"),
        (APP_CODE, wrong.as_str(), "SHA256"),
        (APP_CODE, right.as_str(), ""),
        (APP_CODE, right.as_str(), "SHA1"),
    ] {
        let mut request = shop.http.post(&url);
        for (name, value) in
            [("X-QF-APPCODE", app_code), ("X-QF-SIGN", sign), ("X-QF-SIGNTYPE", sign_type)]
        {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        let response = request.form(&[("page", "1")]).send().await.unwrap();
        assert!(!response.headers().contains_key("x-qf-sign"));
        table.push(said(&serde_json::from_str(&response.text().await.unwrap()).unwrap()));
    }
    insta::assert_snapshot!(table.join("\n"), @r"
    1108 | Signature error | X-QF-APPCODE is missing
    1108 | Signature error | X-QF-APPCODE names no app known here
    1108 | Signature error | X-QF-SIGN is not the SHA-256 of what was sent
    1108 | Signature error | X-QF-SIGN is not the MD5 of what was sent; SHA-256 needs X-QF-SIGNTYPE
    1108 | Signature error | X-QF-SIGNTYPE is neither MD5 nor SHA256
    ");
}

#[tokio::test]
async fn mchid_is_sent_by_whom_it_was_given_to_and_by_nobody_else() {
    let mut with = Shop::with(|it| it.mchid = Some("ZaMVg12345".to_owned())).await;
    let without = Shop::open().await;
    assert_eq!(said(&with.query(&[]).await), "0000 | Transaction successful");
    with.mchid = None;
    let mut table = vec![said(&with.query(&[]).await)];
    table.push(said(&with.query(&[("mchid", "another")]).await));
    table.push(said(&without.query(&[("mchid", "ZaMVg12345")]).await));
    insta::assert_snapshot!(table.join("\n"), @r"
    1104 | Request parameter error: mchid: missing; this account has one, so send it in every call
    1104 | Request parameter error: mchid: not the one of this account
    1104 | Request parameter error: mchid: sent, but this account has none; leave it out
    ");
}

#[tokio::test]
async fn what_is_no_form_is_a_format_error() {
    let shop = Shop::open().await;
    let url = format!("{}/trade/v1/payment", shop.simulator.url());
    let json = shop.http.post(&url).header("content-type", "application/json").body("{}");
    let long = shop.http.post(&url).form(&[("goods_name", "x".repeat(70_000))]);
    for request in [json, long] {
        let answer = request.send().await.unwrap().text().await.unwrap();
        assert!(answer.starts_with(r#"{"respcd": "1103", "#), "{answer}");
    }
    let get = shop.http.get(&url).send().await.unwrap();
    assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let shop = Shop::open().await;
    let right = [
        ("txamt", "100"),
        ("txcurrcd", "HKD"),
        ("pay_type", "800201"),
        ("out_trade_no", "A1"),
        ("txdtm", TXDTM),
    ];
    let mut table = Vec::new();
    for (name, value) in [
        ("txamt", ""),
        ("txamt", "1.50"),
        ("txcurrcd", "XXX"),
        ("pay_type", "999999"),
        ("pay_type", "802801"),
        ("pay_type", "800208"),
        ("out_trade_no", "a b"),
        ("txdtm", "2026-11-23"),
        ("expired_time", "4"),
        ("notify_url", "ftp://x"),
    ] {
        let others = right.iter().copied().filter(|it| it.0 != name);
        let params: Vec<_> = others.chain([(name, value)]).filter(|it| !it.1.is_empty()).collect();
        let answer = shop.call(Endpoint::Payment, &params).await;
        table.push(format!("{name}={value}: {}", said(&answer)));
    }
    let twice = [("page", "1"), ("page", "2")];
    table.push(said(&shop.query(&twice).await));
    table.push(said(&shop.call(Endpoint::Payment, &[]).await));
    insta::assert_snapshot!(table.join("\n"), @r"
    txamt=: 1104 | Request parameter error: txamt: missing
    txamt=1.50: 1104 | Request parameter error: txamt: `1.50` is not a whole number of minor units; send digits only, for example 1050 for HKD 10.50
    txcurrcd=XXX: 1104 | Request parameter error: txcurrcd: `XXX` is not a currency QFPay lists
    pay_type=999999: 1104 | Request parameter error: pay_type: `999999` is not a payment type
    pay_type=802801: 1104 | filter error
    pay_type=800208: 1104 | Request parameter error: auth_code: missing
    out_trade_no=a b: 1104 | Request parameter error: out_trade_no: it contains ` `; use only ASCII letters, digits and `_` `|` `*` `-`, for example `order_1
    txdtm=2026-11-23: 1104 | Request parameter error: txdtm: `2026-11-23` is not a time; write it as YYYY-MM-DD HH:mm:ss, for example `2026-11-23 14:30:00`
    expired_time=4: 1104 | Request parameter error: expired_time: `4` is not allowed; send a whole number from 5 to 120, for example `30`
    notify_url=ftp://x: 1104 | Request parameter error: notify_url: `ftp://x` is not allowed; send a full http:// or https:// address in ASCII without spaces, 
    1104 | Request parameter error: page: sent more than once
    1104 | Request parameter error: pay_type: missing | pay_type: missing; txcurrcd: missing; txamt: missing; out_trade_no: missing; txdtm: missing
    ");
    assert_eq!(shop.query(&[]).await["data"], serde_json::json!([]));
}

#[tokio::test]
async fn too_many_requests_are_turned_away_with_the_time_to_wait() {
    let limits = Limits { per_second: 2, per_minute: 3 };
    let shop = Shop::with(|it| it.limits = Some(limits)).await;
    let mut seen = Vec::new();
    for pass in [0, 0, 0, 1_000, 1_000] {
        shop.clock.pass(pass.milliseconds());
        let response = shop.send(Endpoint::Query, &[]).await;
        let retry = response.headers().get("retry-after").map(|it| it.to_str().unwrap().to_owned());
        seen.push((response.status().as_u16(), retry.unwrap_or_default()));
    }
    let wanted = [(200, ""), (200, ""), (429, "1"), (200, ""), (429, "58")];
    assert_eq!(seen, wanted.map(|(status, retry)| (status, retry.to_owned())));
    assert_eq!(shop.simulator.requests(Endpoint::Query), 5);
    assert_eq!(shop.simulator.requests(Endpoint::Payment), 0);
}

#[tokio::test]
async fn it_listens_on_loopback_only() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(dir.path().join("book.db"));
    settings.bind = ([0, 0, 0, 0], 0).into();
    let error = Simulator::start(settings).await.unwrap_err();
    insta::assert_snapshot!(error, @"the simulator listens on loopback only, not on 0.0.0.0:0; use 127.0.0.1 or [::1]");
}
