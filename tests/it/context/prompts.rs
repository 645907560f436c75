//! Prompts and completions: what a person asks for most, and what may stand in its place.
use std::collections::BTreeSet;

use qfpay_mcp::{
    mcp::{Server, Status},
    spec::RESP_CODES,
};
use rmcp::{
    RoleClient,
    model::{
        ArgumentInfo, CompleteRequestParams, CompletionInfo, GetPromptRequestParams, JsonObject,
        Reference,
    },
    service::Peer,
};
use serde_json::{Value, json};

use super::{ERAS, error, order};
use crate::harness::{Client, Desk, Era, soon};

const ALL: [&str; 5] =
    ["take_payment", "follow_up_order", "refund_order", "diagnose_failure", "reconcile_day"];

fn asked(name: &str, arguments: &Value) -> GetPromptRequestParams {
    let arguments: JsonObject = arguments.as_object().unwrap().clone();
    GetPromptRequestParams::new(name).with_arguments(arguments)
}

async fn told(peer: &Peer<RoleClient>, name: &str, arguments: Value) -> String {
    let told = soon(name, peer.get_prompt(asked(name, &arguments))).await.unwrap();
    let texts = told.messages.iter().filter_map(|it| it.content.as_text());
    texts.map(|it| it.text.clone()).collect::<Vec<_>>().join("\n")
}

async fn names(peer: &Peer<RoleClient>) -> Vec<String> {
    peer.list_all_prompts().await.unwrap().into_iter().map(|it| it.name).collect()
}

#[tokio::test]
async fn each_prompt_tells_the_calls_in_order_and_never_that_pending_is_paid() {
    let desk = Desk::new();
    for era in ERAS {
        let client = Client::with(desk.command(), (), era).await;
        let peer = client.peer();
        assert_eq!(names(peer).await, ALL);
        let calls: [(&str, Value, &[&str]); 5] = [
            (
                "take_payment",
                json!({"amount": "10.50", "currency": "hkd", "pay_type": "wechat qr"}),
                &[
                    "\"10.50\"",
                    "HKD",
                    "list_pay_types {\"query\":\"wechat qr\"}",
                    "create_payment",
                    "wait_for_payment",
                    "cancel_payment",
                ],
            ),
            (
                "follow_up_order",
                json!({"out_trade_no": "A1"}),
                &["query_transaction {\"out_trade_no\":\"A1\"}", "explain_respcd"],
            ),
            (
                "refund_order",
                json!({"out_trade_no": "A1", "amount": "5"}),
                &["\"5\"", "query_transaction {\"out_trade_no\":\"A1\"}", "Call refund once"],
            ),
            (
                "diagnose_failure",
                json!({"respcd": "1145", "out_trade_no": "A1"}),
                &["query_transaction", "explain_respcd {\"query\":\"1145\"}"],
            ),
            ("reconcile_day", json!({"date": "2026-11-22"}), &["2026-11-22", "query_transaction"]),
        ];
        for (name, arguments, wanted) in calls {
            let text = told(peer, name, arguments).await;
            let mut rest = text.as_str();
            for words in wanted {
                let (_, after) =
                    rest.split_once(words).unwrap_or_else(|| panic!("{words} in {text}"));
                rest = after;
            }
            for rule in [
                "`simulator` environment (no real money)",
                "`pending` and `awaiting_payer` are not paid",
                "never pay or refund again",
            ] {
                assert!(text.contains(rule), "{name}: {rule} in {text}");
            }
            assert!(text.len() < 1500, "{name}: {}", text.len());
            no_other_tools(&text);
        }
    }
}

/// Every word with an underscore is a tool, one of its arguments or fields, or a status.
fn no_other_tools(text: &str) {
    let tools = serde_json::to_string(&Server::tools()).unwrap();
    let words: BTreeSet<&str> = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|it| it.contains('_'))
        .collect();
    for word in words {
        let is_status = Status::payments().chain(Status::refunds()).any(|it| it.word == word);
        assert!(is_status || tools.contains(word), "{word} does not exist");
    }
}

#[tokio::test]
async fn a_prompt_is_listed_for_whoever_can_follow_it() {
    let desk = Desk::new();
    let mut command = desk.command();
    command.env("QFPAY_READ_ONLY", "1");
    let client = Client::with(command, (), Era::Legacy).await;
    assert_eq!(
        names(client.peer()).await,
        ["follow_up_order", "diagnose_failure", "reconcile_day"]
    );
    let refused = client.peer().get_prompt(asked("refund_order", &json!({"out_trade_no": "A1"})));
    let error = error(refused.await);
    assert_eq!(error.code.0, -32602);
    assert!(
        error.message.contains("there are follow_up_order, diagnose_failure"),
        "{}",
        error.message
    );
}

#[tokio::test]
async fn all_that_is_wrong_with_a_prompts_arguments_is_told_at_once() {
    let desk = Desk::new();
    let client = desk.client().await;
    let wrong = json!({"currency": "XYZ", "tip": "5", "goods_name": "x".repeat(300)});
    let error_of = async |name: &str, arguments: Value| {
        let error = error(client.peer().get_prompt(asked(name, &arguments)).await);
        assert_eq!(error.code.0, -32602);
        error.message.into_owned()
    };
    let told_of = error_of("take_payment", wrong).await;
    for words in [
        "currency: \"XYZ\" is no currency",
        "tip: there is no such argument",
        "goods_name: it has 300",
    ] {
        assert!(told_of.contains(words), "{words} in {told_of}");
    }
    assert!(error_of("refund_order", json!({})).await.contains("out_trade_no: it is missing"));
    assert!(error_of("reconcile_day", json!({"date": "22/11"})).await.contains("use YYYY-MM-DD"));
    assert!(error_of("follow_up_order", json!({"out_trade_no": "a b"})).await.contains("ASCII"));
    // What was left blank was not given.
    let blank = json!({"amount": "", "currency": " "});
    assert!(told(client.peer(), "take_payment", blank).await.contains("amount: ask the person"));
}

async fn complete(
    peer: &Peer<RoleClient>,
    reference: &Reference,
    argument: &str,
    typed: &str,
) -> CompletionInfo {
    let argument = ArgumentInfo::new(argument, typed);
    let asked = peer.complete(CompleteRequestParams::new(reference.clone(), argument));
    soon("a completion", asked).await.unwrap().completion
}

#[tokio::test]
async fn completions_begin_with_what_was_typed_or_name_it() {
    let desk = Desk::new();
    for era in ERAS {
        let client = Client::with(desk.command(), (), era).await;
        let peer = client.peer();
        let template = |uri: &str| Reference::for_resource(uri);
        let prompt = |name: &str| Reference::for_prompt(name);

        let codes = template("qfpay://response-codes/{respcd}");
        let eleven = complete(peer, &codes, "respcd", "11").await;
        let begin = eleven.values.iter().take_while(|it| it.starts_with("11")).count();
        let there = RESP_CODES.iter().filter(|it| it.code.starts_with("11")).count();
        assert_eq!(begin, there, "{eleven:?}");
        let all = complete(peer, &codes, "respcd", "").await;
        assert_eq!(all.total, u32::try_from(RESP_CODES.len()).ok());
        assert_eq!(all.values.len(), RESP_CODES.len().min(100));
        assert_eq!(all.has_more, Some(RESP_CODES.len() > 100));

        let pay_types = complete(peer, &prompt("take_payment"), "pay_type", "ALIPAY").await;
        assert!(pay_types.values.contains(&"800101".to_owned()), "{pay_types:?}");
        let by_code = complete(peer, &template("qfpay://pay-types/{code}"), "code", "8002").await;
        assert!(by_code.values.first().unwrap().starts_with("8002"), "{by_code:?}");
        let currencies = complete(peer, &prompt("take_payment"), "currency", "h").await;
        assert_eq!(currencies.values.first().map(String::as_str), Some("HKD"));
        let days = complete(peer, &prompt("reconcile_day"), "date", "").await;
        assert_eq!((days.values.len(), days.has_more), (31, Some(false)));
        assert!(days.values.is_sorted_by(|a, b| a > b), "the latest first");

        // A free text, and an argument that does not exist.
        assert!(complete(peer, &prompt("take_payment"), "amount", "1").await.values.is_empty());
        assert!(complete(peer, &prompt("take_payment"), "tip", "1").await.values.is_empty());
        for unknown in [prompt("take_money"), template("qfpay://orders/{number}")] {
            let asked = CompleteRequestParams::new(unknown, ArgumentInfo::new("out_trade_no", ""));
            assert_eq!(error(peer.complete(asked).await).code.0, -32602);
        }
    }
}

#[tokio::test]
async fn recent_orders_complete_their_numbers_the_latest_first() {
    let desk = Desk::new();
    let client = desk.client().await;
    for number in ["shop-1", "shop-2", "WEB-shop", "other"] {
        let mut terms = order(number);
        terms["udid"] = json!(number);
        client.reply("create_payment", terms).await;
    }
    client.reply("query_transaction", json!({"out_trade_no": "other"})).await;
    client.reply("refund", json!({"out_trade_no": "other", "refund_no": "shop-refund"})).await;
    let orders = Reference::for_resource("qfpay://orders/{out_trade_no}");
    let shops = complete(client.peer(), &orders, "out_trade_no", "SHOP").await;
    assert_eq!(shops.values, ["shop-2", "shop-1", "WEB-shop"]);
    let follow = Reference::for_prompt("follow_up_order");
    let all = complete(client.peer(), &follow, "out_trade_no", "").await;
    assert_eq!((all.values.len(), all.total, all.has_more), (4, Some(4), Some(false)));
}
