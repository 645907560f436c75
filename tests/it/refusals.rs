//! Every argument problem, as an agent reads it; and that nothing was written down or sent.
use serde_json::{Value, json};

use crate::harness::{Client, Desk};

/// The lines that name arguments.
fn problems(refusal: &str) -> String {
    let lines: Vec<&str> = refusal.lines().filter(|it| it.starts_with("- ")).collect();
    lines.join("\n")
}

/// A good payment with `changes` made to it; null takes an argument away.
fn payment(changes: &Value) -> Value {
    let mut arguments = json!({"amount": 1050, "currency": "HKD", "pay_type": "800201"});
    for (name, value) in changes.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    arguments
}

async fn refused(client: &Client, tool: &str, cases: &[Value]) -> String {
    let mut told = Vec::new();
    for case in cases {
        let arguments = if tool == "create_payment" { payment(case) } else { case.clone() };
        let refusal = client.refusal(tool, arguments).await;
        let case = case.to_string().replace('\u{202e}', "<U+202E>");
        told.push(format!("{case}\n{}", problems(&refusal)));
    }
    told.join("\n")
}

#[tokio::test]
async fn the_whole_text_says_what_came_what_is_wanted_and_what_to_do() {
    let desk = Desk::new();
    let client = desk.client().await;
    let arguments = json!({"amount": 10.5, "currency": "hkd", "pay_type": "wechat qr"});
    insta::assert_snapshot!(client.refusal("create_payment", arguments).await, @"
    Refused; nothing was sent. 3 arguments are wrong:
    - currency: `hkd` must be upper case: HKD
    - pay_type: `wechat qr` is no pay type; nearest: 800201 (WeChat Pay QR code); list_pay_types has all
    - amount: `10.5` is not a whole number of minor units; send digits only, for example 1050 for HKD 10.50
    Put this right and call create_payment again.
    ");
}

#[tokio::test]
async fn amounts_and_currencies_that_are_none() {
    let desk = Desk::new();
    let client = desk.client().await;
    let cases = [
        json!({"amount": null}),
        json!({"amount": 0}),
        json!({"amount": -5}),
        json!({"amount": 10.5}),
        json!({"amount": "HKD 10"}),
        json!({"amount": 100_000_000_000_u64}),
        json!({"amount": true}),
        json!({"currency": null}),
        json!({"currency": "hkd"}),
        json!({"currency": "BTC"}),
        json!({"currency": "BTC", "amount": "x"}),
    ];
    insta::assert_snapshot!(refused(&client, "create_payment", &cases).await, @r#"
    {"amount":null}
    - amount: it is missing; send a whole number of minor units, for example 1050 for HKD 10.50
    {"amount":0}
    - amount: `0` is not more than zero; send at least 1, for example 1050 for HKD 10.50
    {"amount":-5}
    - amount: `-5` is not more than zero; send at least 1, for example 1050 for HKD 10.50
    {"amount":10.5}
    - amount: `10.5` is not a whole number of minor units; send digits only, for example 1050 for HKD 10.50
    {"amount":"HKD 10"}
    - amount: `HKD 10` is not a whole number of minor units; send digits only, for example 1050 for HKD 10.50
    {"amount":100000000000}
    - amount: `100000000000` is over 99999999999, the most QFPay's field holds
    {"amount":true}
    - amount: `true` is not a whole number of minor units; send digits only, for example 1050 for HKD 10.50
    {"currency":null}
    - currency: it is missing; send an ISO code such as HKD
    {"currency":"hkd"}
    - currency: `hkd` must be upper case: HKD
    {"currency":"BTC"}
    - currency: `BTC` is no currency QFPay takes; use one of AED, AUD, CAD, CNY, EUR, HKD, IDR, JPY, MMK, MYR, SGD, THB, USD
    {"currency":"BTC","amount":"x"}
    - currency: `BTC` is no currency QFPay takes; use one of AED, AUD, CAD, CNY, EUR, HKD, IDR, JPY, MMK, MYR, SGD, THB, USD
    - amount: `x` is not a whole number of minor units; send digits only, for example 1050 for HKD 10.50
    "#);
}

#[tokio::test]
async fn pay_types_that_do_not_fit() {
    let desk = Desk::new();
    let client = desk.client().await;
    let cases = [
        json!({"pay_type": null}),
        json!({"pay_type": "800202"}),
        json!({"pay_type": "wechat"}),
        json!({"pay_type": "802801"}),
        json!({"pay_type": "803708"}),
        json!({"pay_type": "801801"}),
        json!({"pay_type": "804101"}),
        json!({"pay_type": "802001", "currency": "USD"}),
        json!({"pay_type": "801101", "amount": 100, "return_url": "https://shop.example"}),
        json!({"pay_type": "800208"}),
        json!({"auth_code": "284957201938475610"}),
        json!({"pay_type": "800208", "auth_code": "a b\u{7}"}),
        json!({"pay_type": "800213"}),
        json!({"pay_type": "800212", "extend_info": "not json"}),
        json!({"pay_type": "801107"}),
    ];
    insta::assert_snapshot!(refused(&client, "create_payment", &cases).await, @r#"
    {"pay_type":null}
    - pay_type: it is missing; send a six-digit code from list_pay_types, such as 800201
    {"pay_type":"800202"}
    - pay_type: `800202` is no pay type; nearest: 800201 (WeChat Pay QR code), 800207 (WeChat Pay official account (JSAPI)), 800208 (WeChat Pay payer's code); list_pay_types has all
    {"pay_type":"wechat"}
    - pay_type: `wechat` is no pay type; nearest: 800008 (Unified payer's code (WeChat Pay, Alipay, UnionPay, PayMe)), 800201 (WeChat Pay QR code), 800207 (WeChat Pay official account (JSAPI)); list_pay_types has all
    {"pay_type":"802801"}
    - return_url: 802801 (Visa and Mastercard online) needs it: where the payer's browser goes after paying, for example `https://shop.example/thanks`
    - notify_url: 802801 (Visa and Mastercard online) needs it: where QFPay reports the result, for example `https://shop.example/qfpay`
    {"pay_type":"803708"}
    - pay_type: `803708` (Octopus on a terminal) works on a QFPay terminal only; choose one from list_pay_types
    {"pay_type":"801801"}
    - pay_type: `801801` (Alipay pre-authorisation, payer's code) is a pre-authorisation, another flow than a payment; choose one from list_pay_types
    {"pay_type":"804101"}
    - pay_type: `804101` (Maybank QR code) is not sold in Hong Kong; choose one from list_pay_types
    {"pay_type":"802001","currency":"USD"}
    - currency: 802001 (FPS QR code) does not take USD; it takes HKD
    {"pay_type":"801101","amount":100,"return_url":"https://shop.example"}
    - amount: `100` is too little for 801101 (Alipay web); send at least 101
    {"pay_type":"800208"}
    - auth_code: 800208 (WeChat Pay payer's code) needs it: the payer's payment code, for example `284957201938475610`
    {"auth_code":"284957201938475610"}
    - auth_code: 800201 (WeChat Pay QR code) does not use it; leave it out
    {"pay_type":"800208","auth_code":"a b\u0007"}
    - auth_code: it is not a payment code; send the text of the code that the payer shows, as scanned
    {"pay_type":"800213"}
    - sub_openid: 800213 (WeChat Pay mini program) needs it: the payer's WeChat openid, for example `oUpF8uMuAJO_M2pxb1Q9zNjWeS6o`
    {"pay_type":"800212","extend_info":"not json"}
    - extend_info: `not json` is not allowed; send one JSON object, for example `{"scene_info":{"h5_info":{"type":"Wap","wap_url":"https://shop.example","wap_name":"Shop"}},"spbill_create_ip":"203.0.113.7"}`
    {"pay_type":"801107"}
    - return_url: 801107 (Alipay WAP (mobile browser)) needs it: where the payer's browser goes after paying, for example `https://shop.example/thanks`
    - goods_name: 801107 (Alipay WAP (mobile browser)) needs it: what is sold, for example `Coffee beans`
    "#);
}

#[tokio::test]
async fn texts_and_numbers_out_of_their_rules() {
    let desk = Desk::new();
    let client = desk.client().await;
    let cases = [
        json!({"expired_time": 4}),
        json!({"expired_time": 121}),
        json!({"expired_time": 7.5}),
        json!({"expired_time": "soon"}),
        json!({"pay_type": "805801", "expired_time": 30}),
        json!({"goods_name": "a name of more than twenty"}),
        json!({"goods_name": "tab\there"}),
        json!({"goods_name": "right\u{202e}left"}),
        json!({"out_trade_no": "a b"}),
        json!({"out_trade_no": "x".repeat(129)}),
        json!({"notify_url": "shop.example"}),
        json!({"return_url": "https://shop.example"}),
        json!({"pay_tag": "ALIPAYUS", "pay_type": "800101"}),
        json!({"udid": "x".repeat(41)}),
    ];
    insta::assert_snapshot!(refused(&client, "create_payment", &cases).await, @r#"
    {"expired_time":4}
    - expired_time: `4` is not allowed; send a whole number from 5 to 120, for example `30`
    {"expired_time":121}
    - expired_time: `121` is not allowed; send a whole number from 5 to 120, for example `30`
    {"expired_time":7.5}
    - expired_time: `7.5` is not allowed; send a whole number from 5 to 120, for example `30`
    {"expired_time":"soon"}
    - expired_time: it has 4 characters; at most 3 are allowed, for example `30`
    {"pay_type":"805801","expired_time":30}
    - expired_time: 805801 (PayMe QR code) does not use it; leave it out
    {"goods_name":"a name of more than twenty"}
    - goods_name: it has 26 characters; at most 20 are allowed, for example `Coffee beans`
    {"goods_name":"tab\there"}
    - goods_name: it contains `\t`; use plain text without control characters, for example `Coffee beans`
    {"goods_name":"right<U+202E>left"}
    - goods_name: it contains `\u{202e}`; use plain text without control characters, for example `Coffee beans`
    {"out_trade_no":"a b"}
    - out_trade_no: it contains ` `; use only ASCII letters, digits and `_` `|` `*` `-`, for example `order_1001`
    {"out_trade_no":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}
    - out_trade_no: it has 129 characters; at most 128 are allowed, for example `order_1001`
    {"notify_url":"shop.example"}
    - notify_url: `shop.example` is not allowed; send a full http:// or https:// address in ASCII without spaces, for example `https://shop.example/qfpay`
    {"return_url":"https://shop.example"}
    - return_url: 800201 (WeChat Pay QR code) does not use it; leave it out
    {"pay_tag":"ALIPAYUS","pay_type":"800101"}
    - pay_tag: `ALIPAYUS` is not allowed; use ALIPAYHK or ALIPAYCN, for example `ALIPAYHK`
    {"udid":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}
    - udid: it has 41 characters; at most 40 are allowed, for example `till-3`
    "#);
}

#[tokio::test]
async fn arguments_that_do_not_exist_and_none_that_confirms() {
    let desk = Desk::new();
    let client = desk.client().await;
    let cases = [json!({"confirm": true}), json!({"environment": "prod"}), json!({"mchid": "m"})];
    insta::assert_snapshot!(refused(&client, "create_payment", &cases).await, @r#"
    {"confirm":true}
    - confirm: there is no such argument; this tool takes amount, currency, pay_type, out_trade_no, goods_name, auth_code, expired_time, notify_url, return_url, failed_url, sub_openid, openid, extend_info, pay_tag, limit_pay, rmb_tag, seller_id, goods_info, udid
    {"environment":"prod"}
    - environment: there is no such argument; this tool takes amount, currency, pay_type, out_trade_no, goods_name, auth_code, expired_time, notify_url, return_url, failed_url, sub_openid, openid, extend_info, pay_tag, limit_pay, rmb_tag, seller_id, goods_info, udid
    {"mchid":"m"}
    - mchid: there is no such argument; this tool takes amount, currency, pay_type, out_trade_no, goods_name, auth_code, expired_time, notify_url, return_url, failed_url, sub_openid, openid, extend_info, pay_tag, limit_pay, rmb_tag, seller_id, goods_info, udid
    "#);
}

#[tokio::test]
async fn queries_that_ask_for_nothing_or_too_much() {
    let desk = Desk::new();
    let client = desk.client().await;
    let cases = [
        json!({}),
        json!({"out_trade_no": "A1", "syssn": "2026"}),
        json!({"out_trade_no": "a,b"}),
        json!({"syssn": "2026-1"}),
        json!({"start_time": "2026-11-01 00:00:00"}),
        json!({"start_time": "2026-11-02", "end_time": "2026-11-01T00:00:00"}),
        json!({"start_time": "2026-11-02 00:00:00", "end_time": "2026-11-01 00:00:00"}),
        json!({"out_trade_no": "A1", "page": 2, "respcd": "0000"}),
        json!({"start_time": "2026-11-01 00:00:00", "end_time": "2026-11-02 00:00:00",
               "page": 0, "page_size": 101, "pay_type": "1", "respcd": "ok"}),
    ];
    insta::assert_snapshot!(refused(&client, "query_transaction", &cases).await, @r#"
    {}
    - out_trade_no: give exactly one of out_trade_no, syssn, or start_time with end_time
    {"out_trade_no":"A1","syssn":"2026"}
    - out_trade_no: give exactly one of out_trade_no, syssn, or start_time with end_time
    {"out_trade_no":"a,b"}
    - out_trade_no: it contains `,`; use only ASCII letters, digits and `_` `|` `*` `-`, for example `order_1001`
    {"syssn":"2026-1"}
    - syssn: it contains `-`; use ASCII letters and digits only, for example `20261123000200020000000001`
    {"start_time":"2026-11-01 00:00:00"}
    - end_time: it is missing; a span needs start_time and end_time
    {"start_time":"2026-11-02","end_time":"2026-11-01T00:00:00"}
    - start_time: `2026-11-02` is not a time; write it as YYYY-MM-DD HH:mm:ss, for example `2026-11-23 14:30:00`
    - end_time: `2026-11-01T00:00:00` is not a time; write it as YYYY-MM-DD HH:mm:ss, for example `2026-11-23 14:30:00`
    {"start_time":"2026-11-02 00:00:00","end_time":"2026-11-01 00:00:00"}
    - end_time: it is before start_time
    {"out_trade_no":"A1","page":2,"respcd":"0000"}
    - respcd: it goes with start_time and end_time only
    - page: it goes with start_time and end_time only
    {"start_time":"2026-11-01 00:00:00","end_time":"2026-11-02 00:00:00","page":0,"page_size":101,"pay_type":"1","respcd":"ok"}
    - pay_type: `1` is no pay type; take a code from list_pay_types
    - respcd: `ok` is not four digits; for example 0000
    - page: `0` is not a whole number from 1 to 1000
    - page_size: `101` is not a whole number from 1 to 100
    "#);
}

#[tokio::test]
async fn refunds_that_name_no_payment_or_no_amount() {
    let desk = Desk::new();
    let client = desk.client().await;
    let cases = [
        json!({}),
        json!({"out_trade_no": "A1", "syssn": "2026"}),
        json!({"out_trade_no": "A1", "amount": 0}),
        json!({"out_trade_no": "A1", "amount": "half"}),
        json!({"out_trade_no": "A1", "refund_no": "A1"}),
        json!({"out_trade_no": "A1", "refund_no": "r 1", "reason": "broken"}),
    ];
    insta::assert_snapshot!(refused(&client, "refund", &cases).await, @r#"
    {}
    - out_trade_no: give exactly one of out_trade_no and syssn, of the payment to refund
    {"out_trade_no":"A1","syssn":"2026"}
    - out_trade_no: give exactly one of out_trade_no and syssn, of the payment to refund
    {"out_trade_no":"A1","amount":0}
    - amount: `0` is not more than zero; send at least 1, for example 1050 for HKD 10.50
    {"out_trade_no":"A1","amount":"half"}
    - amount: `half` is not a whole number of minor units; send digits only, for example 1050 for HKD 10.50
    {"out_trade_no":"A1","refund_no":"A1"}
    - refund_no: it is the payment's number; a refund needs one of its own
    {"out_trade_no":"A1","refund_no":"r 1","reason":"broken"}
    - reason: there is no such argument; this tool takes out_trade_no, syssn, amount, refund_no
    - refund_no: it contains ` `; use only ASCII letters, digits and `_` `|` `*` `-`, for example `order_1001`
    "#);
}

#[tokio::test]
async fn filters_and_questions_that_cannot_be() {
    let desk = Desk::new();
    let client = desk.client().await;
    let cases = [
        json!({"wallet": "paypal", "flow": "nfc", "currency": "BTC"}),
        json!({"query": "x", "limit": 5}),
    ];
    insta::assert_snapshot!(refused(&client, "list_pay_types", &cases).await, @r#"
    {"wallet":"paypal","flow":"nfc","currency":"BTC"}
    - wallet: `paypal` is no wallet here; use one of unified, alipay, wechat, unionpay, alipayhk, fps, card, octopus, payme, applepay
    - flow: `nfc` is no flow; use one of mpm, cpm, web, wap, app, jsapi, mini, card
    - currency: `BTC` is no currency QFPay takes; use one of AED, AUD, CAD, CNY, EUR, HKD, IDR, JPY, MMK, MYR, SGD, THB, USD
    {"query":"x","limit":5}
    - limit: there is no such argument; this tool takes wallet, flow, currency, query
    "#);
    let cases = [json!({}), json!({"query": "x".repeat(201)})];
    insta::assert_snapshot!(refused(&client, "explain_respcd", &cases).await, @r#"
    {}
    - query: it is missing; send a code such as 1145, or words
    {"query":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}
    - query: it has 201 characters; at most 200 are allowed
    "#);
}

#[tokio::test]
async fn what_is_refused_leaves_no_ledger_and_no_book() {
    let desk = Desk::new();
    let client = desk.client().await;
    client.refusal("create_payment", payment(&json!({"amount": 0}))).await;
    client.refusal("refund", json!({})).await;
    assert_eq!(std::fs::read_dir(desk.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_refused_for_its_number_says_how_the_number_stands() {
    let desk = Desk::new();
    let client = desk.client().await;
    client.reply("create_payment", payment(&json!({"out_trade_no": "A1"}))).await;
    let other = payment(&json!({"out_trade_no": "A1", "amount": 1051}));
    insta::assert_snapshot!(client.refusal("create_payment", other).await, @r#"Refused; nothing was sent: A1 was already used for a payment with other terms (amount was HKD 10.50, now HKD 10.51), which is pending. To see how it stands, call query_transaction {"out_trade_no":"A1"}; for another payment give another out_trade_no, or none."#);
    insta::assert_snapshot!(client.refusal("refund", json!({"out_trade_no": "nobody"})).await, @"Refused; nothing was sent: no such order is known, neither here nor at QFPay. Check the out_trade_no or syssn, and that it was made in this environment with this merchant.");
    client.reply("query_transaction", json!({"out_trade_no": "A1"})).await;
    let too_much = json!({"out_trade_no": "A1", "amount": 1051});
    insta::assert_snapshot!(client.refusal("refund", too_much).await, @"
    Refused; nothing was sent. 1 argument is wrong:
    - amount: `1051` (HKD 10.51) is more than is left to refund, 1050 (HKD 10.50)
    Put this right and call refund again.
    ");
}

#[tokio::test]
async fn production_is_closed_and_says_which_variable_opens_it() {
    let desk = Desk::new();
    let mut command = desk.command();
    command
        .env("QFPAY_ENV", "prod")
        .env("QFPAY_APPCODE", "app")
        .env("QFPAY_KEY", "not-a-key")
        .env_remove("QFPAY_PACE");
    let client = Client::of(command).await;
    insta::assert_snapshot!(client.refusal("create_payment", payment(&json!({}))).await, @"
    Refused; nothing was sent. 1 rule forbids it:
    - tool_closed: `create_payment` is not open in production; an operator can add `create_payment` to QFPAY_PROD_ALLOW
    You cannot change this: tell the person that an operator has to change QFPAY_PROD_ALLOW and restart the server.
    ");
    let asked = json!({"out_trade_no": "A1"});
    insta::assert_snapshot!(client.refusal("query_transaction", asked).await, @"
    Refused; nothing was sent. 1 rule forbids it:
    - tool_closed: `query_transaction` is not open in production; an operator can add `query_transaction` to QFPAY_PROD_ALLOW
    You cannot change this: tell the person that an operator has to change QFPAY_PROD_ALLOW and restart the server.
    ");
    client.reply("explain_respcd", json!({"query": "1145"})).await;
    client.reply("list_pay_types", json!({})).await;
}
