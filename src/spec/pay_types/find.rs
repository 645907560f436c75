//! From words, or a code that is wrong, to payment types: in memory, by spelling alone.
use std::cmp::Reverse;

use super::{Flow, PAY_TYPES, PayType};
use crate::spec::search::words::{edit_distance, is_near};

/// Characters of a query that are read; the rest is no name of a payment type.
const QUERY_MAX: usize = 200;

/// Phrases that stand for words of the table, the longer before those they contain.
#[rustfmt::skip]
const PHRASES: &[(&str, &str)] = &[
    ("支付宝香港", "alipayhk"), ("支付寶香港", "alipayhk"), ("香港支付宝", "alipayhk"), ("香港支付寶", "alipayhk"),
    ("alipay hk", "alipayhk"), ("alipay+", "alipay"), ("支付宝", "alipay"), ("支付寶", "alipay"),
    ("微信", "wechat"), ("weixin", "wechat"), ("we chat", "wechat"), ("wxpay", "wechat"),
    ("八達通", "octopus"), ("八达通", "octopus"),
    ("轉數快", "fps"), ("转数快", "fps"), ("faster payment system", "fps"),
    ("雲閃付", "unionpay"), ("云闪付", "unionpay"), ("銀聯", "unionpay"), ("银联", "unionpay"),
    ("union pay", "unionpay"), ("quick pass", "quickpass"), ("cup ", "unionpay "),
    ("apple pay", "applepay"), ("蘋果支付", "applepay"), ("苹果支付", "applepay"), ("pay me", "payme"),
    ("信用卡", "card"), ("銀行卡", "card"), ("银行卡", "card"), ("amex", "american express"),
    ("付款碼", "cpm"), ("付款码", "cpm"), ("被掃", "cpm"), ("被扫", "cpm"),
    ("主掃", "mpm"), ("主扫", "mpm"), ("二維碼", "qr"), ("二维码", "qr"), ("掃碼", "scan"), ("扫码", "scan"),
    ("qr code", "qr"), ("qrcode", "qr"), ("公眾號", "jsapi"), ("公众号", "jsapi"), ("小程序", "mini program"),
    ("miniprogram", "mini program"), ("in-app", "app"), ("inapp", "app"), ("手機", "mobile"), ("手机", "mobile"),
    ("網頁", "web"), ("网页", "web"), ("終端", "terminal"), ("终端", "terminal"), ("香港", "hk"), ("海外", "overseas"),
];

/// Words that are in every question and tell no type from another.
const FILLERS: &[&str] = &[
    "a", "an", "and", "by", "for", "in", "me", "method", "of", "on", "or", "pay", "payment",
    "payments", "s", "the", "to", "type", "types", "via", "with",
];

/// The types that fit the words of `query`, best first: wallet, flow, region, name or code, in
/// English or Chinese. Only those that fit the most words; none when no word fits.
pub fn search(query: &str) -> Vec<&'static PayType> {
    let asked = words(query);
    let mut found: Vec<(usize, usize, &PayType)> = Vec::new();
    for it in PAY_TYPES {
        let own = own_words(it);
        let fits = asked.iter().map(|word| fit(word, &own)).filter(|fit| 0 < *fit);
        let (count, score) = fits.fold((0, 0), |(count, score), fit| (count + 1, score + fit));
        found.push((count, score, it));
    }
    let most = found.iter().map(|(count, ..)| *count).max().unwrap_or(0);
    found.retain(|(count, ..)| 0 < *count && *count == most);
    found.sort_by_key(|(_, score, it)| (Reverse(*score), !it.is_offered()));
    found.into_iter().map(|(.., it)| it).collect()
}

/// The types that can be paid with here and come nearest to a wrong `code`,
/// best first: by digits for a number, else by words such as `wechat qr`.
pub fn nearest(code: &str, limit: usize) -> Vec<&'static PayType> {
    let code = code.trim();
    if !code.is_empty() && code.len() <= 12 && code.bytes().all(|b| b.is_ascii_digit()) {
        return nearest_by_digits(code, limit);
    }
    let fits = search(code).into_iter().filter(|it| it.is_offered());
    fits.take(limit).collect()
}

/// At most three of the six digits may differ.
fn nearest_by_digits(code: &str, limit: usize) -> Vec<&'static PayType> {
    let payable = PAY_TYPES.iter().filter(|it| it.is_offered());
    let mut near: Vec<(usize, Reverse<usize>, &PayType)> = payable
        .map(|it| {
            let same = it.code.bytes().zip(code.bytes()).take_while(|(a, b)| a == b).count();
            (edit_distance(code, it.code), Reverse(same), it)
        })
        .filter(|(slips, ..)| *slips <= 3)
        .collect();
    near.sort_by_key(|(slips, same, _)| (*slips, *same));
    near.into_iter().take(limit).map(|(.., it)| it).collect()
}

/// How well `word` fits one of a type's words: 4 exactly, 2 by its beginning, 1 misspelt, else 0.
fn fit(word: &str, own: &[String]) -> usize {
    let fit = |one: &String| {
        if one == word {
            4
        } else if 4 <= word.chars().count() && one.starts_with(word) {
            2
        } else {
            usize::from(!word.bytes().all(|b| b.is_ascii_digit()) && is_near(word, one))
        }
    };
    own.iter().map(fit).max().unwrap_or(0)
}

/// The words of a query, phrases replaced, fillers dropped.
fn words(query: &str) -> Vec<String> {
    let mut text: String = query.chars().take(QUERY_MAX).collect::<String>().to_lowercase();
    for (phrase, words) in PHRASES {
        text = text.replace(phrase, &format!(" {words} "));
    }
    let mut words = split(&text);
    words.retain(|word| !FILLERS.contains(&word.as_str()));
    words.sort_unstable();
    words.dedup();
    words
}

/// The words by which one type is found.
fn own_words(it: &PayType) -> Vec<String> {
    let text = format!("{} {} {} {}", it.code, it.wallet, it.name, it.region).to_lowercase();
    let mut words = split(&text);
    words.extend(flow_words(it.flow).iter().map(|&word| word.to_owned()));
    words
}

fn split(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

const fn flow_words(flow: Flow) -> &'static [&'static str] {
    match flow {
        Flow::Mpm => &["mpm", "qr", "scan", "store", "instore", "merchant"],
        Flow::Cpm => &[
            "cpm", "scan", "scanner", "barcode", "payer", "customer", "consumer", "store",
            "instore",
        ],
        Flow::Web => &["web", "website", "desktop", "browser", "page", "online"],
        Flow::Wap => &["wap", "h5", "mobile", "phone", "browser", "page", "online"],
        Flow::App => &["app", "sdk", "native", "online"],
        Flow::Jsapi => &["jsapi", "official", "account", "openid", "online"],
        Flow::Mini => &["mini", "program", "openid", "online"],
        Flow::Card => &["card", "credit", "debit", "checkout", "online"],
        Flow::Pos => &["pos", "terminal", "offline", "store", "instore"],
    }
}
