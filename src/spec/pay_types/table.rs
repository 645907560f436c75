//! The rows of [`PAY_TYPES`]: first what Hong Kong uses, then what other countries do, each by
//! code. The builders below hold what the types of one family share; a row says what differs.
//!
//! Reading of the documents, where they leave a choice:
//! - Currencies: the documents name HKD alone for FPS and Alipay HK; Octopus and `payme` hold
//!   HKD only. The others settle in what the merchant's contract says, so their list is empty (all).
//!   That includes the unified type (the payer's wallet decides), WeChat Pay HK direct, UnionPay
//!   and cards: no document restricts them, and QFPay refuses what is not enabled (1104).
//! - Cancelling: payer's codes by reversal, QR codes and pages by close, cards by reversal. The
//!   documents name no call for in-app, official-account and mini-program orders, nor for FPS and
//!   Octopus, which therefore have none: such orders expire by themselves.
//! - `return_url` is mandatory only where a page says so (Alipay); elsewhere it is optional.
//! - `limit_pay` and real-name `extend_info` are for mainland wallets: Alipay and WeChat, not
//!   their Hong Kong siblings.
//! - Refund windows: 365 days, and 90 for `payme`, as integrators' production tables give them.
use super::{Answer, Cancel, Flow, Listed, PayType, Refunds, Service};
use crate::spec::Field::{
    self, AuthCode, ExpiredTime, ExtendInfo, FailedUrl, GoodsInfo, GoodsName, LimitPay, NotifyUrl,
    Openid, PayTag, ReturnUrl, RmbTag, SellerId, SubOpenid,
};

const SEED: Listed = Listed { seed: true, newest: true, legacy: false };
const NEW: Listed = Listed { seed: false, newest: true, legacy: false };
const LEGACY: Listed = Listed { seed: false, newest: false, legacy: true };

const HKD: &[&str] = &["HKD"];
/// Of the eight the documents name for pre-authorisation, those that QFPay lists as currencies;
/// NZD and PHP are not among them.
const PRE_AUTH_CURRENCIES: &[&str] = &["AUD", "HKD", "MYR", "SGD", "THB", "USD"];
const OVERSEAS: &str = "overseas";
const BOTH: &str = "overseas+HK";

const MAINLAND: &[Field] = &[LimitPay, ExtendInfo];
const NO_REFUND: &str = "Marked \"no refund\" in QFPay's list.";

#[rustfmt::skip]
pub static PAY_TYPES: &[PayType] = &[
    // Several wallets behind one code.
    PayType { note: "Takes a code of WeChat Pay, Alipay, UnionPay QuickPass or PayMe; the answer's pay_type may name the wallet that paid.",
        ..cpm("800008", "Unified payer's code (WeChat Pay, Alipay, UnionPay, PayMe)", "unified") },

    // Alipay, service for overseas merchants; 800108 serves AlipayHK as well.
    PayType { region: OVERSEAS, accepts: &[ExpiredTime, PayTag, LimitPay, ExtendInfo],
        ..mpm("800101", "Alipay in-store QR code", "alipay") },
    PayType { region: OVERSEAS, answer: Answer::PayParams, requires: &[Openid], accepts: &[PayTag, LimitPay, ExtendInfo],
        note: "pay_params carries tradeNO. Missing from the English list of 2026, present in the Chinese one.",
        ..row("800107", "Alipay service window H5", "alipay", Flow::Jsapi) },
    PayType { region: BOTH, accepts: &[PayTag, LimitPay, ExtendInfo],
        ..cpm("800108", "Alipay payer's code", "alipay") },

    // WeChat Pay.
    PayType { region: BOTH, refund_days: Some(365), accepts: &[ExpiredTime, LimitPay, RmbTag, ExtendInfo],
        ..mpm("800201", "WeChat Pay QR code", "wechat") },
    PayType { region: BOTH, answer: Answer::PayParams, requires: &[SubOpenid], accepts: MAINLAND,
        note: "Works inside WeChat only; sub_openid comes from WeChat's OAuth.",
        ..row("800207", "WeChat Pay official account (JSAPI)", "wechat", Flow::Jsapi) },
    PayType { region: BOTH, accepts: MAINLAND,
        ..cpm("800208", "WeChat Pay payer's code", "wechat") },
    PayType { region: BOTH, accepts: &[ReturnUrl, RmbTag, LimitPay, ExtendInfo],
        note: "pay_params goes to WeChat's SDK in the app.",
        ..app("800210", "WeChat Pay in-app", "wechat") },
    PayType { region: BOTH, refund_days: Some(365), requires: &[ExtendInfo], accepts: &[ReturnUrl, LimitPay],
        extend_info: &["scene_info", "spbill_create_ip"],
        note: "extend_info needs scene_info and spbill_create_ip. QFPay must register the web domain first. Append &redirect_url= to pay_url to bring the payer back.",
        ..wap("800212", "WeChat Pay H5 (mobile browser)", "wechat") },
    PayType { region: BOTH, answer: Answer::PayParams, requires: &[SubOpenid], accepts: &[ExpiredTime, LimitPay, ExtendInfo],
        ..row("800213", "WeChat Pay mini program", "wechat", Flow::Mini) },

    // UnionPay QuickPass (云闪付).
    PayType { region: BOTH,
        ..mpm("800701", "UnionPay QuickPass QR code", "unionpay") },
    PayType { region: BOTH, note: "A mainland payment code is refused with 1212; the payer must show the overseas code.",
        ..cpm("800708", "UnionPay QuickPass payer's code", "unionpay") },
    PayType { listed: NEW, note: "Named only on QFPay's in-app page.",
        ..app("800710", "UnionPay in-app", "unionpay") },
    wap("800712", "UnionPay WAP (mobile browser)", "unionpay"),
    web("800714", "UnionPay PC web", "unionpay"),

    // WeChat Pay HK, settled directly.
    PayType { note: "Direct settlement. In QFPay's lists, but one of the newest drops it.",
        ..cpm("801008", "WeChat Pay HK payer's code, direct settlement", "wechat") },
    PayType { accepts: &[ReturnUrl, ExpiredTime], note: "Direct settlement. In QFPay's lists, but one of the newest drops it.",
        ..app("801010", "WeChat Pay HK in-app, direct settlement", "wechat") },

    // Alipay online.
    PayType { region: OVERSEAS, min_minor: &[("HKD", 101)], requires: &[ReturnUrl], accepts: &[ExpiredTime, LimitPay, ExtendInfo],
        note: "The amount must be greater than 1 HKD.",
        ..web("801101", "Alipay web", "alipay") },
    PayType { region: OVERSEAS, requires: &[ReturnUrl, GoodsName], accepts: &[ExpiredTime, LimitPay, ExtendInfo],
        tighter: Some((ReturnUrl, 200)), note: "return_url of at most 200 characters.",
        ..wap("801107", "Alipay WAP (mobile browser)", "alipay") },
    PayType { region: OVERSEAS, requires: &[GoodsName, ReturnUrl], accepts: &[SellerId, GoodsInfo, LimitPay, ExtendInfo],
        note: "pay_params, sorted and quoted, is Alipay's orderInfo.",
        ..app("801110", "Alipay in-app", "alipay") },

    // AlipayHK: HKD only.
    PayType { currencies: HKD, accepts: &[ExpiredTime, PayTag],
        ..mpm("801501", "AlipayHK QR code", "alipayhk") },
    PayType { currencies: HKD, requires: &[GoodsName, ReturnUrl], accepts: &[ExpiredTime, PayTag, SellerId, GoodsInfo],
        ..app("801510", "AlipayHK in-app", "alipayhk") },
    PayType { currencies: HKD, refund_days: Some(365), requires: &[ReturnUrl], accepts: &[ExpiredTime, PayTag],
        ..wap("801512", "AlipayHK WAP (mobile browser)", "alipayhk") },
    PayType { currencies: HKD, refund_days: Some(365), requires: &[ReturnUrl], accepts: &[PayTag],
        note: "pay_url can be shown as a QR code or in a frame.",
        ..web("801514", "AlipayHK web", "alipayhk") },

    // Alipay pre-authorisation, older documents only.
    PayType { requires: &[AuthCode], ..pre_auth("801801", "Alipay pre-authorisation, payer's code", Flow::Cpm, Answer::Result) },
    pre_auth("801808", "Alipay pre-authorisation, QR code", Flow::Mpm, Answer::QrCode),
    PayType { requires: &[GoodsName], ..pre_auth("801810", "Alipay pre-authorisation in-app", Flow::App, Answer::PayParams) },
    pre_auth("801814", "Alipay pre-authorisation web", Flow::Web, Answer::PayUrl),

    // FPS (轉數快): HKD only.
    PayType { currencies: HKD, refunds: Refunds::Depends, refund_days: Some(29), cancel: None,
        note: "The English documents say no refunds, the newest Chinese ones are silent, and merchants do refund within 29 days.",
        ..mpm("802001", "FPS QR code", "fps") },
    PayType { currencies: HKD, answer: Answer::PayParamsUrl, refunds: Refunds::Unknown, listed: NEW,
        note: "New in 2026. pay_params is an address that opens the payer's bank app; banks such as HSBC need an e-certificate first.",
        ..app("802010", "FPS app to app", "fps") },

    // Cards and Apple Pay: paid on QFPay's checkout page; no artefact from /trade/v1/payment.
    PayType { refund_days: Some(365),
        note: "On QFPay's checkout page, where the payer may choose another way to pay. Captured at once. A refund on the same day is a void of the full amount.",
        ..checkout("802801", "Visa and Mastercard online", "card") },
    terminal("802808", "Visa and Mastercard, card present", "card"),
    PayType { service: Service::Retired, refunds: Refunds::No, listed: LEGACY,
        note: "Fetched device data for 3-D Secure in an old card flow; not a payment.",
        ..row("802828", "Card 3-D Secure device data (legacy)", "card", Flow::Card) },

    // Octopus (八達通): HKD only.
    octopus(mpm("803701", "Octopus QR code", "octopus")),
    PayType { currencies: HKD, refunds: Refunds::No, listed: NEW,
        ..terminal("803708", "Octopus on a terminal", "octopus") },
    octopus(wap("803712", "Octopus WAP (mobile browser)", "octopus")),
    octopus(web("803714", "Octopus PC web", "octopus")),

    // PayMe: HKD only.
    payme(PayType { note: "The answer also carries payme_logo, to show beside the code.",
        ..mpm("805801", "PayMe QR code", "payme") }),
    payme(PayType { note: "The payer confirms in the app; a till waits up to 120 seconds.",
        ..cpm("805808", "PayMe payer's code", "payme") }),
    payme(PayType { listed: NEW, note: "Named only on QFPay's in-app page, without a sample answer.",
        ..app("805810", "PayMe in-app", "payme") }),
    payme(wap("805812", "PayMe WAP (mobile browser)", "payme")),
    payme(web("805814", "PayMe web", "payme")),

    PayType { note: "On QFPay's checkout page, where the payer may choose another way to pay. Reversal voids a completed payment.",
        ..checkout("806527", "Apple Pay online", "applepay") },
    terminal("806708", "UnionPay card present", "unionpay"),
    terminal("806808", "American Express, card present", "card"),

    // Other countries. QFPay's source keeps them in a commented-out list.
    foreign("801208", "LINE Pay payer's code", "linepay", Flow::Cpm, "Thailand"),
    foreign("801301", "LINE Pay online", "linepay", Flow::Web, "Thailand"),
    foreign("801408", "AirPay payer's code", "airpay", Flow::Cpm, "Thailand"),
    foreign("801701", "NETS QR code", "nets", Flow::Mpm, "Singapore"),
    foreign("801908", "Origami payer's code", "origami", Flow::Cpm, "Japan"),
    foreign("802201", "AirPay online", "airpay", Flow::Web, "Thailand"),
    no_refund(foreign("802301", "PayNow QR code", "paynow", Flow::Mpm, "Singapore")),
    no_refund(foreign("802901", "PromptPay QR code", "promptpay", Flow::Mpm, "Thailand")),
    foreign("803001", "eWallet QR code", "ewallet", Flow::Mpm, OVERSEAS),
    foreign("803008", "eWallet payer's code", "ewallet", Flow::Cpm, OVERSEAS),
    foreign("803101", "VIA QR code", "via", Flow::Mpm, OVERSEAS),
    foreign("803108", "VIA payer's code", "via", Flow::Cpm, OVERSEAS),
    foreign("803208", "Touch 'n Go (TNG) payer's code", "tng", Flow::Cpm, "Malaysia"),
    from_1_myr(foreign("803214", "Touch 'n Go (TNG) online", "tng", Flow::Web, "Malaysia")),
    foreign("803301", "Razer QR code", "razer", Flow::Mpm, "Malaysia"),
    foreign("803308", "Razer payer's code", "razer", Flow::Cpm, "Malaysia"),
    from_1_myr(foreign("803314", "Razer online", "razer", Flow::Web, "Malaysia")),
    foreign("803801", "Dash QR code", "dash", Flow::Mpm, "Singapore"),
    foreign("803808", "Dash payer's code", "dash", Flow::Cpm, "Singapore"),
    foreign("804001", "Boost QR code", "boost", Flow::Mpm, "Malaysia"),
    foreign("804008", "Boost payer's code", "boost", Flow::Cpm, "Malaysia"),
    from_1_myr(foreign("804014", "Boost online", "boost", Flow::Web, "Malaysia")),
    foreign("804101", "Maybank QR code", "maybank", Flow::Mpm, "Malaysia"),
    foreign("804108", "Maybank payer's code", "maybank", Flow::Cpm, "Malaysia"),
    from_1_myr(foreign("804114", "Maybank online", "maybank", Flow::Web, "Malaysia")),
    foreign("804201", "GrabPay QR code", "grabpay", Flow::Mpm, "Malaysia+Singapore"),
    foreign("804208", "GrabPay payer's code", "grabpay", Flow::Cpm, "Malaysia"),
    from_1_myr(foreign("804214", "GrabPay online", "grabpay", Flow::Web, "Malaysia+Singapore")),
    foreign("805208", "TrueMoney payer's code", "truemoney", Flow::Cpm, "Thailand"),
    no_refund(foreign("805401", "ThaiQR QR code", "thaiqr", Flow::Mpm, OVERSEAS)),
    first_data("805508", "Credit card (first_data), quick payment"),
    first_data("805514", "Credit card (first_data), with verification"),
    no_refund(foreign("805601", "GoPay QR code", "gopay", Flow::Mpm, "Indonesia")),
    no_refund(foreign("805612", "GoPay WAP", "gopay", Flow::Wap, "Indonesia")),
];

/// A type as most of the Hong Kong table is; the families below fill in the rest.
const fn row(code: &'static str, name: &'static str, wallet: &'static str, flow: Flow) -> PayType {
    PayType {
        code,
        name,
        wallet,
        flow,
        region: "HK",
        answer: Answer::Nothing,
        service: Service::Payment,
        currencies: &[],
        min_minor: &[],
        refunds: Refunds::Yes,
        refund_days: None,
        requires: &[],
        accepts: &[],
        tighter: None,
        extend_info: &[],
        cancel: None,
        listed: SEED,
        note: "",
    }
}

const fn mpm(code: &'static str, name: &'static str, wallet: &'static str) -> PayType {
    let cancel = Some(Cancel::Close);
    PayType { answer: Answer::QrCode, cancel, ..row(code, name, wallet, Flow::Mpm) }
}

const fn cpm(code: &'static str, name: &'static str, wallet: &'static str) -> PayType {
    PayType {
        answer: Answer::Result,
        requires: &[AuthCode],
        cancel: Some(Cancel::Reversal),
        ..row(code, name, wallet, Flow::Cpm)
    }
}

const fn wap(code: &'static str, name: &'static str, wallet: &'static str) -> PayType {
    PayType { flow: Flow::Wap, ..web(code, name, wallet) }
}

const fn web(code: &'static str, name: &'static str, wallet: &'static str) -> PayType {
    PayType {
        answer: Answer::PayUrl,
        accepts: &[ReturnUrl],
        cancel: Some(Cancel::Close),
        ..row(code, name, wallet, Flow::Web)
    }
}

const fn app(code: &'static str, name: &'static str, wallet: &'static str) -> PayType {
    PayType {
        answer: Answer::PayParams,
        requires: &[GoodsName],
        accepts: &[ReturnUrl],
        ..row(code, name, wallet, Flow::App)
    }
}

/// On the page, `expired_time` is how long it takes payers (contract §1.6).
const fn checkout(code: &'static str, name: &'static str, wallet: &'static str) -> PayType {
    PayType {
        service: Service::Checkout,
        requires: &[ReturnUrl, NotifyUrl],
        accepts: &[FailedUrl, ExpiredTime],
        tighter: Some((ReturnUrl, 256)),
        cancel: Some(Cancel::Reversal),
        ..row(code, name, wallet, Flow::Card)
    }
}

const fn terminal(code: &'static str, name: &'static str, wallet: &'static str) -> PayType {
    PayType {
        service: Service::Terminal,
        note: "Taken on a QFPay terminal, not through this API.",
        ..row(code, name, wallet, Flow::Pos)
    }
}

/// What the Octopus types share. The terminal's document rules refunds and voids out; whether an
/// online payment can be refunded is not documented.
const fn octopus(base: PayType) -> PayType {
    PayType {
        currencies: HKD,
        refunds: Refunds::No,
        cancel: None,
        note: "QFPay's terminal document says Octopus has no refund and no void; ask QFPay about online payments.",
        ..base
    }
}

const fn payme(base: PayType) -> PayType {
    PayType { currencies: HKD, refund_days: Some(90), ..base }
}

const fn pre_auth(code: &'static str, name: &'static str, flow: Flow, answer: Answer) -> PayType {
    PayType {
        answer,
        region: OVERSEAS,
        service: Service::PreAuth,
        currencies: PRE_AUTH_CURRENCIES,
        refunds: Refunds::Depends,
        listed: LEGACY,
        note: "Holds money until it is captured or released (unfreeze); a QR code is valid for 15 minutes.",
        ..row(code, name, "alipay", flow)
    }
}

const fn foreign(
    code: &'static str,
    name: &'static str,
    wallet: &'static str,
    flow: Flow,
    region: &'static str,
) -> PayType {
    let (answer, requires): (Answer, &'static [Field]) = match flow {
        Flow::Mpm => (Answer::QrCode, &[]),
        Flow::Cpm => (Answer::Result, &[AuthCode]),
        Flow::Web | Flow::Wap => (Answer::WebUrl, &[ReturnUrl]),
        Flow::App | Flow::Jsapi | Flow::Mini => (Answer::PayParams, &[]),
        Flow::Card | Flow::Pos => (Answer::Nothing, &[]),
    };
    PayType {
        region,
        answer,
        requires,
        service: Service::OtherRegion,
        listed: LEGACY,
        ..row(code, name, wallet, flow)
    }
}

const fn no_refund(base: PayType) -> PayType {
    PayType { refunds: Refunds::No, note: NO_REFUND, ..base }
}

const fn from_1_myr(base: PayType) -> PayType {
    PayType { min_minor: &[("MYR", 100)], note: "At least 1 MYR.", ..base }
}

/// An old card gateway, listed for Hong Kong and no longer described.
const fn first_data(code: &'static str, name: &'static str) -> PayType {
    PayType {
        service: Service::Retired,
        listed: LEGACY,
        note: "Named only in QFPay's commented-out list.",
        ..row(code, name, "card", Flow::Card)
    }
}
