//! `/trade/v1/payment`: an order is made; what a payer's code pays is paid at once.
use jiff::ToSpan as _;
use serde_json::{Value, json};

use super::{
    Desk, Duplicate,
    book::{Filter, NewTrade, PAID, PAYMENT, Trade},
    check::{self, Reader},
    faults::{Fault, repeated},
    reply::{Failure, Reply},
    triggers::Trigger,
    wire,
};
use crate::{
    client::{
        params::Params,
        sign::{self, SignType},
    },
    domain::Amount,
    spec::{
        Field, Flow, PAY_TYPES, PayType,
        fields::FIELDS,
        pay_types::{Answer, Service},
        resp_codes::Operation,
    },
};

/// The respcd while a payer has not paid.
pub(super) const UNPAID: &str = "1143";
/// The respcd of a payer's code that is wrong or was used.
const BAD_CODE: &str = "1202";
/// Minutes an order waits where `expired_time` does not say.
pub(super) const EXPIRES: i64 = crate::spec::fields::DEFAULT_EXPIRY_MINUTES;
/// The wallet of the type that takes any wallet's code.
const UNIFIED: &str = "unified";
/// What QFPay echoes where no device was named.
pub(super) const UDID: &str = "qiantai2";

/// A payment whose parameters are right.
struct Asked<'a> {
    pay_type: &'static PayType,
    amount: Amount,
    out_trade_no: &'a str,
    txdtm: &'a str,
    params: &'a Params,
}

impl<'a> Asked<'a> {
    fn read(params: &'a Params) -> Result<Self, Failure> {
        let mut reader = Reader::new(params);
        let pay_type = pay_type(&mut reader)?;
        let currency = reader.currency();
        let amount = reader.amount(currency);
        if let (Some(pay_type), Some(currency)) = (pay_type, currency) {
            if !pay_type.takes(currency) {
                let takes = pay_type.currency_codes().join(" ");
                reader.problem("txcurrcd", format_args!("{} takes {takes} only", pay_type.code));
            }
            let least = pay_type.least(currency);
            if amount.is_some_and(|it| it.minor() < least) {
                reader.problem("txamt", format_args!("{} takes {least} or more", pay_type.code));
            }
        }
        let out_trade_no = reader.needed("out_trade_no");
        let txdtm = reader.needed_time("txdtm");
        for rule in FIELDS.iter().filter(|it| it.field != Field::Syssn) {
            reader.field(rule.field);
        }
        for field in pay_type.map_or(&[][..], |it| it.requires) {
            reader.needed(field.name());
        }
        reader.done()?;
        match (pay_type, amount) {
            (Some(pay_type), Some(amount)) => {
                Ok(Self { pay_type, amount, out_trade_no, txdtm, params })
            }
            _ => Err(check::refuse(&[])),
        }
    }

    fn text(&self, field: Field) -> &'a str {
        self.params.get(field.name()).unwrap_or_default()
    }

    fn expires_minutes(&self) -> i64 {
        self.text(Field::ExpiredTime).parse().unwrap_or(EXPIRES)
    }
}

/// `pay_type`; one that exists but is not sold through this call is refused as QFPay refuses
/// what a merchant has not enabled (contract §4.4).
fn pay_type(reader: &mut Reader<'_>) -> Result<Option<&'static PayType>, Failure> {
    let code = reader.needed("pay_type");
    match PayType::find(code) {
        Some(found) if found.service == Service::Payment => Ok(Some(found)),
        Some(_) => Err(Reply::saying("1104", "filter error").into()),
        None => {
            if !code.is_empty() {
                reader.problem("pay_type", format_args!("`{code}` is not a payment type"));
            }
            Ok(None)
        }
    }
}

pub(super) async fn pay(
    desk: &Desk,
    params: &Params,
    fault: Option<Fault>,
) -> Result<Reply, Failure> {
    let asked = Asked::read(params)?;
    let reply = make(desk, &asked, fault).await?;
    repeated(fault, reply)
}

async fn make(desk: &Desk, asked: &Asked<'_>, fault: Option<Fault>) -> Result<Reply, Failure> {
    let minor = asked.amount.minor().cast_signed();
    let trigger = Trigger::of(minor, Operation::Payment, fault);
    if let Some(trigger) = trigger.filter(|it| !it.goes_on() && !it.is_kept()) {
        return Err(trigger.reply().into());
    }
    let new = terms(desk, asked, minor, trigger);
    if let Some(trade) = desk.book.add(new.clone()).await? {
        desk.wake_notifier(&trade);
        return Ok(tell(desk, &trade, trigger));
    }
    let filter = Filter::number(asked.out_trade_no);
    if let Some(first) = desk.find(filter).await? {
        return duplicate(desk, &first, PAYMENT);
    }
    // The number is new, so it was the payer's code that was used.
    let failed = NewTrade {
        auth_digest: None,
        answered: BAD_CODE,
        settled: Some(BAD_CODE),
        notify_due_ms: None,
        ..new
    };
    match desk.book.add(failed).await? {
        Some(trade) => Ok(tell(desk, &trade, None)),
        None => Err(Reply::new("1102").into()),
    }
}

/// What is written down of a payment.
fn terms<'a>(
    desk: &'a Desk,
    asked: &Asked<'a>,
    minor: i64,
    trigger: Option<Trigger>,
) -> NewTrade<'a> {
    let created_ms = desk.now_ms();
    let sysdtm = wire(Some(created_ms));
    let code = trigger.and_then(Trigger::code);
    let by_code = asked.pay_type.flow == Flow::Cpm;
    let fails = trigger.is_some_and(|it| !it.goes_on());
    let pays_ms = match code {
        None if by_code => Some(created_ms),
        _ => desk.settings.payer.pays_ms(created_ms),
    };
    let auth_code = asked.text(Field::AuthCode).as_bytes();
    let digest = || sign::sign_body(auth_code, SignType::Sha256, &desk.settings.key);
    let minutes = asked.expires_minutes().minutes();
    let notify_url = asked.text(Field::NotifyUrl);
    NewTrade {
        merchant: &desk.merchant,
        order_type: PAYMENT,
        out_trade_no: asked.out_trade_no,
        pay_type: paid_with(asked.pay_type).code,
        txamt: minor,
        txcurrcd: asked.amount.currency().code,
        txdtm: asked.txdtm,
        syssn_head: syssn_head(&sysdtm, asked.pay_type.flow),
        sysdtm,
        created_ms,
        udid: Some(asked.text(Field::Udid)).filter(|it| !it.is_empty()).unwrap_or(UDID),
        goods_name: asked.text(Field::GoodsName),
        return_url: asked.text(Field::ReturnUrl),
        auth_digest: (by_code && !fails).then(digest),
        origssn: None,
        answered: code.unwrap_or(PAID),
        waiting: if code == Some("1145") { "1145" } else { UNPAID },
        pays_ms: pays_ms.filter(|_| !fails),
        expires_ms: created_ms + minutes.get_minutes() * 60_000,
        settled: code.filter(|_| fails),
        notify_url,
        notify_due_ms: pays_ms.filter(|_| !fails && !notify_url.is_empty()),
    }
}

/// What is written down of the type: the unified code gives way to the wallet that paid, as in
/// QFPay's answers (contract §4.1). Here that is the first wallet of a payer's code there is.
fn paid_with(pay_type: &'static PayType) -> &'static PayType {
    let wallets = PAY_TYPES.iter().filter(|it| it.flow == Flow::Cpm && it.wallet != UNIFIED);
    let mut wallets = wallets.filter(|it| it.service == Service::Payment);
    if pay_type.wallet == UNIFIED { wallets.next().unwrap_or(pay_type) } else { pay_type }
}

/// The first twelve digits of a syssn: the day, and 1805 for cards or 0001 (contract §1.1).
pub(super) fn syssn_head(sysdtm: &str, flow: Flow) -> String {
    let day: String = sysdtm.chars().take(10).filter(char::is_ascii_digit).collect();
    let group = if flow == Flow::Card { "1805" } else { "0001" };
    format!("{day}{group}")
}

/// The answer about a payment that was just made.
fn tell(desk: &Desk, trade: &Trade, trigger: Option<Trigger>) -> Reply {
    let reply = made(desk, trade);
    match trigger {
        Some(trigger) => trigger.on(reply),
        None => reply,
    }
}

/// The answer that making `trade` got, without a trigger's words.
fn made(desk: &Desk, trade: &Trade) -> Reply {
    let by_code = trade.flow() == Some(Flow::Cpm);
    // QFPay writes the amount as a number here and as text elsewhere (contract §1.1).
    let txamt = if by_code { json!(trade.txamt) } else { json!(trade.txamt.to_string()) };
    let paydtm = if by_code { wire(trade.paid_ms) } else { String::new() };
    let reply = Reply::new(&trade.answered).with(json!({
        "syssn": trade.syssn,
        "out_trade_no": trade.out_trade_no,
        "pay_type": trade.pay_type,
        "txamt": txamt,
        "txcurrcd": trade.txcurrcd,
        "txdtm": trade.txdtm,
        "sysdtm": trade.sysdtm,
        "paydtm": paydtm,
        "udid": trade.udid,
        "chnlsn": "",
        "cardcd": "",
    }));
    match trade.pay_type().filter(|_| trade.answered == PAID) {
        Some(pay_type) => reply.with(artefact(desk, trade, pay_type)),
        None => reply,
    }
}

/// What the payer needs: always a way to the order's page.
fn artefact(desk: &Desk, trade: &Trade, pay_type: &PayType) -> Value {
    let page = format!("{}/pay/{}", desk.url, trade.syssn);
    match pay_type.answer {
        Answer::QrCode => json!({ "qrcode": page }),
        Answer::PayUrl => json!({ "pay_url": page }),
        Answer::WebUrl => json!({ "web_url": page }),
        Answer::PayParamsUrl => json!({ "pay_params": page }),
        Answer::PayParams => json!({ "pay_params": pay_params(trade, pay_type, &page) }),
        Answer::Result | Answer::Nothing => json!({}),
    }
}

/// An object in the shape the wallet's SDK wants (contract §4.1), unusable in a real one.
fn pay_params(trade: &Trade, pay_type: &PayType, page: &str) -> Value {
    let seconds = trade.created_ms / 1000;
    let prepay = format!("simulator{}", trade.syssn);
    match (pay_type.wallet.starts_with("wechat"), pay_type.flow) {
        (true, Flow::Jsapi | Flow::Mini) => json!({
            "appId": "wxsimulator", "timeStamp": seconds.to_string(), "nonceStr": trade.syssn,
            "package": format!("prepay_id={prepay}"), "signType": "MD5", "paySign": "SIMULATED",
        }),
        (true, _) => json!({
            "appid": "wxsimulator", "partnerid": "simulator", "prepayid": prepay,
            "package": "Sign=WXPay", "noncestr": trade.syssn, "timestamp": seconds,
            "sign": "SIMULATED",
        }),
        (false, Flow::Jsapi) => json!({ "tradeNO": trade.syssn }),
        (false, _) => json!({
            "service": "mobile.securitypay.pay", "partner": "simulator",
            "_input_charset": "UTF-8", "out_trade_no": trade.syssn, "subject": trade.goods_name,
            "total_fee": trade.txamt.to_string(), "currency": trade.txcurrcd,
            "return_url": page, "sign_type": "RSA", "sign": "SIMULATED",
        }),
    }
}

/// The answer to a number that `first` used before.
pub(super) fn duplicate(desk: &Desk, first: &Trade, asked: &str) -> Result<Reply, Failure> {
    let refusal = match desk.settings.duplicate {
        Duplicate::Text1251 => Reply::used(),
        Duplicate::Code1102 => Reply::new("1102"),
        Duplicate::Code2011 => Reply::new("2011"),
        // What was made on a checkout page got no answer to echo.
        Duplicate::Echo if first.order_type != asked || first.answered.is_empty() => Reply::used(),
        Duplicate::Echo if first.is_payment() => return Ok(made(desk, first)),
        Duplicate::Echo => return Ok(super::refund::made(first)),
    };
    Err(refusal.into())
}
