use super::*;
use crate::spec::fields::FIELDS;

/// Every code of the Hong Kong table, as the documents list them.
const HONG_KONG: &[&str] = &[
    "800008", "800101", "800107", "800108", "800201", "800207", "800208", "800210", "800212",
    "800213", "800701", "800708", "800710", "800712", "800714", "801008", "801010", "801101",
    "801107", "801110", "801501", "801510", "801512", "801514", "801801", "801808", "801810",
    "801814", "802001", "802010", "802801", "802808", "802828", "803701", "803708", "803712",
    "803714", "805801", "805808", "805810", "805812", "805814", "806527", "806708", "806808",
];

/// Every code of the list that is commented out in QFPay's page.
const COMMENTED_OUT: &[&str] = &[
    "801208", "801301", "801408", "801701", "801908", "802201", "802301", "802901", "803001",
    "803008", "803101", "803108", "803208", "803214", "803301", "803308", "803314", "803801",
    "803808", "804001", "804008", "804014", "804101", "804108", "804114", "804201", "804208",
    "804214", "805208", "805401", "805508", "805514", "805601", "805612",
];

/// Rows for which `keep` holds, by code.
fn codes(keep: impl Fn(&PayType) -> bool) -> Vec<&'static str> {
    PAY_TYPES.iter().filter(|it| keep(it)).map(|it| it.code).collect()
}

fn found(types: &[&'static PayType]) -> String {
    types.iter().map(|it| it.code).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_code_of_the_documents_has_one_row_in_order() {
    let expected: Vec<&str> = HONG_KONG.iter().chain(COMMENTED_OUT).copied().collect();
    assert_eq!(codes(|_| true), expected);
    assert_eq!((HONG_KONG.len(), COMMENTED_OUT.len()), (45, 34));
    assert!(HONG_KONG.is_sorted() && COMMENTED_OUT.is_sorted());
    let mut once = expected.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), expected.len());
}

#[test]
fn each_service_serves_the_types_the_documents_say() {
    let of = |service| codes(|it| it.service == service).join(" ");
    insta::assert_snapshot!(of(Service::Payment), @"800008 800101 800107 800108 800201 800207 800208 800210 800212 800213 800701 800708 800710 800712 800714 801008 801010 801101 801107 801110 801501 801510 801512 801514 802001 802010 803701 803712 803714 805801 805808 805810 805812 805814");
    insta::assert_snapshot!(of(Service::Checkout), @"802801 806527");
    insta::assert_snapshot!(of(Service::Terminal), @"802808 803708 806708 806808");
    insta::assert_snapshot!(of(Service::PreAuth), @"801801 801808 801810 801814");
    insta::assert_snapshot!(of(Service::Retired), @"802828 805508 805514");
    assert_eq!(codes(|it| it.service == Service::Payment).len(), 34);
    assert_eq!(codes(|it| it.service == Service::OtherRegion).len(), 32);
}

#[test]
fn every_row_is_well_formed() {
    for it in PAY_TYPES {
        let code = it.code;
        assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
        assert!(!it.name.is_empty() && !it.region.is_empty(), "{code}");
        assert!(
            !it.wallet.is_empty() && it.wallet.bytes().all(|b| b.is_ascii_lowercase()),
            "{code}"
        );
        assert!(it.currencies.iter().all(|it| Currency::find(it).is_some()), "{code}");
        assert!(it.min_minor.iter().all(|(it, minor)| Currency::find(it).is_some() && *minor > 0));
        assert!(it.note.is_empty() || it.note.ends_with('.'), "{code}");
        assert!(it.listed.seed || it.listed.newest || it.listed.legacy, "{code}");
        assert!(!(it.listed.legacy && it.listed.newest), "{code}");
    }
}

#[test]
fn a_payers_code_is_asked_for_where_the_payer_shows_one_and_nowhere_else() {
    for it in PAY_TYPES {
        assert_eq!(it.requires.contains(&Field::AuthCode), it.flow == Flow::Cpm, "{}", it.code);
        assert!(!it.accepts.contains(&Field::AuthCode), "{}", it.code);
    }
}

#[test]
fn no_field_is_both_required_and_optional_and_the_common_ones_are_not_repeated() {
    let common = [Field::OutTradeNo, Field::Syssn, Field::Udid];
    for it in PAY_TYPES {
        let all: Vec<Field> = it.requires.iter().chain(it.accepts).copied().collect();
        for field in FIELDS {
            let times = all.iter().filter(|it| **it == field.field).count();
            assert!(times <= 1, "{} {}", it.code, field.name);
        }
        assert!(common.iter().all(|it| !all.contains(it)), "{}", it.code);
        for field in [Field::GoodsName, Field::NotifyUrl] {
            assert!(!it.accepts.contains(&field), "{}: {} is common", it.code, field.name());
        }
    }
}

#[test]
fn an_answer_the_payer_can_use_comes_from_types_that_are_paid_by_the_api() {
    for it in PAY_TYPES {
        let silent = match it.service {
            Service::Payment | Service::PreAuth | Service::OtherRegion => false,
            Service::Checkout | Service::Terminal | Service::Retired => true,
        };
        assert_eq!(it.answer == Answer::Nothing, silent, "{}", it.code);
        assert_eq!(it.answer == Answer::Result, it.flow == Flow::Cpm, "{}", it.code);
        assert_eq!(it.answer == Answer::QrCode, it.flow == Flow::Mpm, "{}", it.code);
        assert_eq!(it.service == Service::Terminal, it.flow == Flow::Pos, "{}", it.code);
        if it.answer == Answer::WebUrl {
            assert!(it.requires.contains(&Field::ReturnUrl), "{}", it.code);
        }
    }
}

#[test]
fn each_field_is_asked_for_by_the_types_the_documents_name() {
    let required = |field| codes(|it| it.requires.contains(&field)).join(" ");
    let optional = |field| codes(|it| it.accepts.contains(&field)).join(" ");
    insta::assert_snapshot!(required(Field::ReturnUrl), @"801101 801107 801110 801510 801512 801514 802801 806527 801301 802201 803214 803314 804014 804114 804214 805612");
    insta::assert_snapshot!(optional(Field::ReturnUrl), @"800210 800212 800710 800712 800714 801010 802010 803712 803714 805810 805812 805814");
    insta::assert_snapshot!(required(Field::GoodsName), @"800210 800710 801010 801107 801110 801510 801810 802010 805810");
    insta::assert_snapshot!(required(Field::SubOpenid), @"800207 800213");
    insta::assert_snapshot!(required(Field::Openid), @"800107");
    insta::assert_snapshot!(required(Field::ExtendInfo), @"800212");
    insta::assert_snapshot!(required(Field::NotifyUrl), @"802801 806527");
    insta::assert_snapshot!(optional(Field::FailedUrl), @"802801 806527");
    insta::assert_snapshot!(optional(Field::ExpiredTime), @"800101 800201 800213 801010 801101 801107 801501 801510 801512 802801 806527");
    insta::assert_snapshot!(optional(Field::RmbTag), @"800201 800210");
    insta::assert_snapshot!(optional(Field::SellerId), @"801110 801510");
    insta::assert_snapshot!(optional(Field::PayTag), @"800101 800107 800108 801501 801510 801512 801514");
    insta::assert_snapshot!(optional(Field::LimitPay), @"800101 800107 800108 800201 800207 800208 800210 800212 800213 801101 801107 801110");
}

#[test]
fn fps_alipayhk_payme_and_octopus_take_hkd_only() {
    let hkd = Currency::find("HKD").unwrap();
    let jpy = Currency::find("JPY").unwrap();
    for it in PAY_TYPES {
        let only = ["fps", "alipayhk", "payme", "octopus"].contains(&it.wallet);
        assert_eq!(it.currency_codes() == ["HKD"], only, "{}", it.code);
        assert!(it.takes(hkd), "{}", it.code);
    }
    assert!(PayType::find("800201").unwrap().takes(jpy));
    let alipay_web = PayType::find("801101").unwrap();
    assert_eq!((alipay_web.least(hkd), alipay_web.least(jpy)), (101, 1));
}

#[test]
fn unpaid_orders_are_ended_by_the_call_of_their_family() {
    let ended = |by| codes(|it| it.cancel == by && it.service == Service::Payment).join(" ");
    insta::assert_snapshot!(ended(Some(Cancel::Reversal)), @"800008 800108 800208 800708 801008 805808");
    insta::assert_snapshot!(ended(Some(Cancel::Close)), @"800101 800201 800212 800701 800712 800714 801101 801107 801501 801512 801514 805801 805812 805814");
    insta::assert_snapshot!(ended(None), @"800107 800207 800210 800213 800710 801010 801110 801510 802001 802010 803701 803712 803714 805810");
    insta::assert_snapshot!(codes(|it| it.cancel.is_some() && it.service != Service::Payment).join(" "), @"802801 806527");
}

#[test]
fn the_table_the_project_started_from_lacks_what_the_contract_says() {
    let missing = codes(|it| !it.listed.seed && !it.listed.legacy).join(" ");
    assert_eq!(missing, "800710 802010 803708 805810");
    insta::assert_snapshot!(codes(|it| it.refunds != Refunds::Yes).join(" "), @"801801 801808 801810 801814 802001 802010 802828 803701 803708 803712 803714 802301 802901 805401 805601 805612");
}

#[test]
fn flows_are_found_by_their_words() {
    for flow in Flow::ALL {
        assert_eq!(Flow::find(flow.word()), Some(flow));
        assert!(flow.meaning().ends_with('.'));
    }
    assert_eq!(Flow::find("MPM"), None);
    insta::assert_snapshot!(wallets().join(" "), @"unified alipay wechat unionpay alipayhk fps card octopus payme applepay");
}

#[test]
fn words_in_two_languages_find_types() {
    for (query, expected) in [
        ("wechat qr", "800201"),
        ("PayMe web", "805814"),
        ("微信小程序", "800213"),
        ("支付寶香港 網頁", "801514"),
        ("八達通", "803701 803712 803714 803708"),
        ("转数快", "802001 802010"),
        ("雲閃付 二維碼", "800701"),
        ("octapus qr", "803701"),
        ("wechat H5", "800212"),
        ("wechat in-app", "800210 801010"),
        ("apple pay", "806527"),
        ("800212", "800212"),
        ("the weather", ""),
        ("", ""),
    ] {
        assert_eq!(found(&search(query)), expected, "{query}");
    }
}

#[test]
fn a_wrong_code_leads_to_the_nearest_types_that_can_be_paid_with() {
    for (query, expected) in [
        ("800202", "800201 800207 800208"),
        ("80020", "800201 800207 800208"),
        ("alipayhk", "801501 801510 801512"),
        ("wechat qr", "800201"),
        ("wechatt qr", "800201"),
        ("802808", "802801 805808 802001"),
        ("999999", ""),
        ("bitcoin", ""),
    ] {
        assert_eq!(found(&nearest(query, 3)), expected, "{query}");
    }
}
