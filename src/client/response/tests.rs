use super::*;

fn answer(body: &str) -> Answer {
    Answer::parse(body.as_bytes(), SignatureCheck::Absent).unwrap()
}

fn hkd(minor: u64) -> Amount {
    Amount::from_minor(minor, Currency::find("HKD").unwrap()).unwrap()
}

fn trade(record: &str) -> Trade {
    let body = format!(r#"{{"respcd":"0000","data":[{record}]}}"#);
    let mut page = Page::parse(body.as_bytes(), SignatureCheck::Absent).unwrap();
    assert_eq!(page.trades.len(), 1);
    page.trades.remove(0)
}

#[test]
fn a_flat_answer_and_the_nested_one_of_the_generic_page_read_the_same() {
    let flat = answer(r#"{"respcd":"0000","resperr":"ok","syssn":"2026","txamt":"10"}"#);
    let nested = answer(
        r#"{"respcd":"0000","resperr":"ok","data":{"qf_trade_no":"2026","txamt":10,"txstatus":"SUCCESS"}}"#,
    );
    for it in [flat, nested] {
        assert_eq!((it.respcd.as_str(), it.resperr.as_str()), ("0000", "ok"));
        assert_eq!(it.syssn.as_ref().unwrap().as_str(), "2026");
        assert!(it.echoes(&"A1".parse().unwrap(), hkd(10), None));
        assert!(!it.echoes(&"A1".parse().unwrap(), hkd(11), None));
    }
}

#[test]
fn numbers_and_strings_nulls_and_unknown_fields_are_taken_as_they_come() {
    let it = answer(r#"{"respcd":1145,"resperr":null,"txamt":10,"new_field":{"a":1},"qrcode":""}"#);
    assert_eq!((it.respcd.as_str(), it.resperr.as_str()), ("1145", ""));
    assert_eq!(it.fields["new_field"]["a"], 1);
    assert_eq!(it.shown(), Shown::default());
}

#[test]
fn what_the_payer_is_shown_is_found_whatever_the_family() {
    let qr = answer(r#"{"respcd":"0000","qrcode":"weixin://x","pay_url":"","pay_params":{}}"#);
    assert_eq!(qr.shown().qrcode.as_deref(), Some("weixin://x"));
    assert_eq!((qr.shown().pay_url, qr.shown().pay_params), (None, None));
    let web = answer(r#"{"respcd":"0000","web_url":"https://pay"}"#);
    assert_eq!(web.shown().pay_url.as_deref(), Some("https://pay"));
    let app = answer(r#"{"respcd":"0000","pay_params":"https://fps"}"#);
    assert_eq!(app.shown().pay_url.as_deref(), Some("https://fps"));
    let sdk = answer(r#"{"respcd":"0000","pay_params":{"appId":"wx1"}}"#);
    assert_eq!(sdk.shown().pay_params.as_deref(), Some(r#"{"appId":"wx1"}"#));
}

#[test]
fn a_nested_code_or_status_takes_an_outer_0000_back() {
    let code = |body: &str| {
        Answer::parse(body.as_bytes(), SignatureCheck::Absent)
            .map_or_else(|lost| lost.to_string(), |it| it.respcd)
    };
    assert_eq!(code(r#"{"respcd":"0000","data":{"respcd":"1205","txstatus":"FAILED"}}"#), "1205");
    assert_eq!(code(r#"{"respcd":"1108","data":{"respcd":"0000"}}"#), "1108");
    assert_eq!(code(r#"{"respcd":"0000","data":{"txstatus":"PENDING"}}"#), "1145");
    assert_eq!(code(r#"{"respcd":"0000","data":{"txstatus":"SUCCESS"}}"#), "0000");
    insta::assert_snapshot!(code(r#"{"respcd":"0000","data":{"txstatus":"FAILED"}}"#), @"QFPay's answer says 0000 and another status at once");
}

#[test]
fn an_echo_of_another_currency_or_payment_is_told() {
    let it = answer(r#"{"respcd":"0000","txcurrcd":"JPY","orig_syssn":"2027"}"#);
    let (order, syssn) = ("A1".parse().unwrap(), "2026".parse().unwrap());
    assert!(!it.echoes(&order, hkd(10), None));
    let it = answer(r#"{"respcd":"0000","orig_syssn":"2027"}"#);
    assert!(it.echoes(&order, hkd(10), None) && !it.echoes(&order, hkd(10), Some(&syssn)));
    assert!(!it.names_its_order());
}

#[test]
fn what_could_harm_a_payer_is_not_shown() {
    let shown = |url: &str| {
        answer(&serde_json::json!({"respcd": "0000", "pay_url": url, "qrcode": url}).to_string())
            .shown()
    };
    assert!(shown("weixin://wxpay/x").pay_url.is_some());
    for bad in ["javascript:alert(1)", "JavaScript://%0aalert(1)", "data:text/html,x", "x"] {
        assert_eq!(shown(bad).pay_url, None, "{bad}");
    }
    assert_eq!(shown(&format!("https://{}", "x".repeat(9999))).qrcode, None);
    assert_eq!(shown("https://a\u{202e}b").qrcode, None);
}

#[test]
fn what_is_no_answer_is_lost_and_says_what_it_was() {
    let say = |body: &str| {
        Answer::parse(body.as_bytes(), SignatureCheck::Absent).unwrap_err().to_string()
    };
    insta::assert_snapshot!(say(""), @"QFPay's answer is empty");
    insta::assert_snapshot!(say("<html>502</html>"), @"an HTML page came instead of QFPay's answer");
    insta::assert_snapshot!(say(r#"{"respcd":"00"#), @"QFPay's answer is no valid JSON; it may have been cut off");
    insta::assert_snapshot!(say("[]"), @"QFPay's answer is JSON, but no object");
    insta::assert_snapshot!(say("{}"), @"QFPay's answer has no respcd");
}

#[test]
fn a_query_reads_a_list_and_an_object_as_a_list_of_one() {
    let page = |body: &str| Page::parse(body.as_bytes(), SignatureCheck::Absent).unwrap();
    assert_eq!(page(r#"{"respcd":"0000","data":[]}"#).trades.len(), 0);
    assert_eq!(page(r#"{"respcd":"0000","data":[{},{}]}"#).trades.len(), 2);
    let one = page(r#"{"respcd":"0000","data":{"out_trade_no":"A1","txstatus":"PENDING"}}"#);
    assert_eq!(one.trades[0].payment_event(), PaymentEvent::Accepted);
}

#[test]
fn a_payments_record_says_what_became_of_the_money() {
    let event = |record: &str| trade(record).payment_event().to_string();
    let rows = [
        (r#"{"respcd":"0000","cancel":"0"}"#, "paid"),
        (r#"{"respcd":"0000","cancel":4}"#, "paid"),
        (r#"{"respcd":"0000"}"#, "paid"),
        (r#"{"respcd":"0000","cancel":"5"}"#, "refunded_in_part"),
        (r#"{"respcd":"0000","cancel":"1"}"#, "refunded_in_full"),
        (r#"{"respcd":"0000","cancel":"2"}"#, "refunded_in_full"),
        (r#"{"respcd":"0000","cancel":"3"}"#, "refunded_in_full"),
        (r#"{"respcd":"0000","cancel":""}"#, "paid"),
        (r#"{"respcd":"0000","cancel":null}"#, "paid"),
        (r#"{"respcd":"0000","cancel":"9"}"#, "lost"),
        (r#"{"respcd":"0000","cancel":"3.0"}"#, "lost"),
        (r#"{"respcd":"0000","cancel":true}"#, "lost"),
        (r#"{"respcd":"1143","cancel":"0"}"#, "accepted"),
        (r#"{"respcd":"1143","cancel":"2"}"#, "closed"),
        (r#"{"respcd":"1264"}"#, "closed"),
        (r#"{"respcd":"1202"}"#, "refused"),
        (r#"{"respcd":"9999"}"#, "lost"),
        (r#"{"txstatus":"FAILED"}"#, "lost"),
        (r"{}", "lost"),
    ];
    for (record, wanted) in rows {
        assert_eq!(event(record), wanted, "{record}");
    }
}

#[test]
fn an_order_ends_unpaid_by_three_codes_only() {
    let ended: Vec<&str> =
        crate::spec::RESP_CODES.iter().filter(|it| ended(it.reading)).map(|it| it.code).collect();
    assert_eq!(ended, ["1142", "1263", "1264"]);
}

#[test]
fn a_refunds_record_is_told_by_its_type_or_its_origin() {
    let typed = trade(r#"{"order_type":"refund","respcd":"0000","origssn":"2026","txamt":"5"}"#);
    assert_eq!((typed.kind, typed.refund_event()), (Kind::Refund, RefundEvent::Refunded));
    assert_eq!(typed.original.unwrap().as_str(), "2026");
    assert_eq!(trade(r#"{"respcd":"1145","origssn":"2026"}"#).kind, Kind::Refund);
    assert_eq!(trade(r#"{"order_type":"close","respcd":"0000"}"#).kind, Kind::Other);
}

#[test]
fn each_way_to_sign_an_answer_is_told_apart() {
    let key = SecretString::from("k");
    let body = r#"{"respcd":"0000","data":{"b":"2","a":"1"}}"#;
    let check = |sign: Option<&str>, sign_type: Option<&str>| {
        check_signature(body.as_bytes(), sign, sign_type, &key)
    };
    let md5 = sign::sign_body(body.as_bytes(), SignType::Md5, &key);
    let sha256 = sign::sign_body(body.as_bytes(), SignType::Sha256, &key);
    let sorted = sign::sign([("a", "1"), ("b", "2")], SignType::Md5, &key);
    assert_eq!(check(None, None), SignatureCheck::Absent);
    assert_eq!(check(Some(&md5.to_lowercase()), None), SignatureCheck::RawMd5);
    assert_eq!(check(Some(&md5), Some("SHA256")), SignatureCheck::RawMd5);
    assert_eq!(check(Some(&sha256), Some("SHA256")), SignatureCheck::RawSha256);
    assert_eq!(check(Some(&sha256), None), SignatureCheck::Wrong);
    assert_eq!(check(Some(&sorted), None), SignatureCheck::SortedFields);
    assert_eq!(check(Some("ABCD"), None), SignatureCheck::Wrong);
}

#[test]
fn texts_from_outside_are_bounded_and_cannot_hide_anything() {
    let it = answer(
        &serde_json::json!({"respcd": "1205", "resperr": format!("a\u{202e}b\n{}", "c".repeat(999))})
            .to_string(),
    );
    assert!(it.resperr.starts_with("ab ccc"));
    assert_eq!(it.resperr.chars().count(), MAX_TEXT);
}

#[test]
fn only_an_empty_list_is_no_record() {
    for empty in ["", r#","data":[]"#, r#","data":null"#, r#","data":"""#] {
        let body = format!(r#"{{"respcd":"0000"{empty}}}"#);
        let page = Page::parse(body.as_bytes(), SignatureCheck::Absent).unwrap();
        assert!(page.trades.is_empty(), "{body}");
    }
    for odd in ["true", "7", r#""none""#, r#"["x"]"#, "[null]"] {
        let body = format!(r#"{{"respcd":"0000","data":{odd}}}"#);
        assert!(Page::parse(body.as_bytes(), SignatureCheck::Absent).is_err(), "{body}");
    }
}
