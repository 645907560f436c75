//! `/trade/v1/refund`: a trade of its own that takes back part or all of a paid one
//! (contract §1.3, §4.4, §6).
use jiff::civil::time as at;
use serde_json::{Value, json};

use super::{
    Desk,
    book::{Filter, NewTrade, PAID, REFUND, Trade},
    check::Reader,
    faults::{Fault, repeated},
    payment::{duplicate, syssn_head},
    reply::{Failure, Reply},
    triggers::Trigger,
    wire,
};
use crate::{
    client::params::Params,
    domain::time,
    spec::{CURRENCIES, Field, Flow, pay_types::Refunds, resp_codes::Operation},
};

/// The respcd while a refund is on its way.
const PROCESSING: &str = "1145";
/// What 1265 says when the time for a refund is over.
const TOO_LATE: &str = "超出可退款時限";
/// What 1264 says of a payment that was refunded in full before.
const NOTHING_LEFT: &str = "wrong cancel";
/// What 1124 says of a card payment of today.
const VOID_IN_FULL: &str = "For void request, it must be a full refund";

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A refund whose parameters are right.
struct Asked<'a> {
    origssn: &'a str,
    out_trade_no: &'a str,
    txamt: i64,
    txdtm: &'a str,
    udid: &'a str,
}

impl<'a> Asked<'a> {
    fn read(params: &'a Params) -> Result<Self, Failure> {
        let mut reader = Reader::new(params);
        let origssn = reader.needed_field(Field::Syssn);
        let out_trade_no = reader.needed_field(Field::OutTradeNo);
        let txdtm = reader.needed_time("txdtm");
        let udid = reader.field(Field::Udid);
        // No currency is sent, and it does not matter for the number.
        let amount = reader.amount(CURRENCIES.first());
        reader.done()?;
        let txamt = amount.map_or(0, |it| it.minor().cast_signed());
        Ok(Self { origssn, out_trade_no, txamt, txdtm, udid })
    }
}

/// A refusal has the shape QFPay's have: the payment's id stays, what was not made is null.
pub(super) async fn refund(
    desk: &Desk,
    params: &Params,
    fault: Option<Fault>,
) -> Result<Reply, Failure> {
    let asked = Asked::read(params)?;
    let made = make(desk, &asked, fault).await.and_then(|it| repeated(fault, it));
    made.map_err(|failure| match failure {
        Failure::Refused(reply) => refused(*reply, &asked),
        Failure::Book(error) => error.into(),
    })
}

async fn make(desk: &Desk, asked: &Asked<'_>, fault: Option<Fault>) -> Result<Reply, Failure> {
    let trigger = Trigger::of(asked.txamt, Operation::Refund, fault);
    let now_ms = desk.now_ms();
    let mine = |filter: Filter| Filter { merchant: Some(desk.merchant.clone()), ..filter };
    let mut writing = desk.book.write().await?;
    let number = mine(Filter::number(asked.out_trade_no));
    if let Some(first) = writing.find(now_ms, &number).await? {
        return duplicate(desk, &first, REFUND);
    }
    let payment = writing.find(now_ms, &mine(Filter::syssn(asked.origssn))).await?;
    let Some(payment) = payment.filter(Trade::is_payment) else {
        return Err(Reply::new("1268").into());
    };
    may(desk, &payment, asked.txamt)?;
    if let Some(trigger) = trigger.filter(|it| !it.goes_on()) {
        return Err(trigger.reply().into());
    }
    let new = terms(desk, asked, &payment, trigger, now_ms);
    let Some(trade) = writing.add(new).await? else { return Err(Reply::new("1102").into()) };
    writing.commit().await?;
    desk.wake_notifier(&trade);
    let mut reply = made(&trade);
    if is_void(&payment, &trade.sysdtm) {
        "Void received".clone_into(&mut reply.respmsg);
    }
    Ok(match trigger {
        Some(trigger) => trigger.on(reply),
        None => reply,
    })
}

/// What is written down of a refund. It is through at once, or, when a pending code is answered,
/// as late as an order would be paid.
fn terms<'a>(
    desk: &'a Desk,
    asked: &Asked<'a>,
    payment: &'a Trade,
    trigger: Option<Trigger>,
    now_ms: i64,
) -> NewTrade<'a> {
    let sysdtm = wire(Some(now_ms));
    let code = trigger.and_then(Trigger::code);
    let done_ms = if code.is_some() { desk.settings.payer.refunds_ms(now_ms) } else { now_ms };
    NewTrade {
        merchant: &desk.merchant,
        order_type: REFUND,
        out_trade_no: asked.out_trade_no,
        pay_type: &payment.pay_type,
        txamt: asked.txamt,
        txcurrcd: &payment.txcurrcd,
        txdtm: asked.txdtm,
        syssn_head: syssn_head(&sysdtm, payment.flow().unwrap_or(Flow::Mpm)),
        sysdtm,
        created_ms: now_ms,
        udid: if asked.udid.is_empty() { &payment.udid } else { asked.udid },
        goods_name: &payment.goods_name,
        return_url: "",
        auth_digest: None,
        origssn: Some(asked.origssn),
        answered: code.unwrap_or(PAID),
        waiting: if code == Some("1143") { "1143" } else { PROCESSING },
        pays_ms: Some(done_ms),
        expires_ms: i64::MAX,
        settled: None,
        notify_url: &payment.notify_url,
        notify_due_ms: Some(done_ms).filter(|_| !payment.notify_url.is_empty()),
    }
}

/// Whether `txamt` of `payment` may be refunded now.
fn may(desk: &Desk, payment: &Trade, txamt: i64) -> Result<(), Failure> {
    let now = desk.settings.clock.now();
    let pay_type = payment.pay_type();
    let age_ms = now.as_millisecond() - payment.paid_ms.unwrap_or(payment.created_ms);
    let days = pay_type.and_then(|it| it.refund_days);
    let today = wire(Some(now.as_millisecond()));
    let left = payment.refundable();
    let refusal = if !payment.is_paid() {
        Reply::new("1261")
    } else if pay_type.is_some_and(|it| it.refunds == Refunds::No) {
        Reply::new("1155")
    } else if desk.settings.refund_blackout && is_blackout(now) {
        Reply::new("1265")
    } else if days.is_some_and(|days| age_ms > i64::from(days) * DAY_MS) {
        Reply::saying("1265", TOO_LATE)
    } else if left == 0 {
        Reply::saying("1264", NOTHING_LEFT)
    } else if is_void(payment, &today) && txamt != payment.txamt {
        Reply::saying("1124", VOID_IN_FULL)
    } else if txamt > left {
        Reply::new("1272")
    } else {
        return Ok(());
    };
    Err(refusal.into())
}

/// Whether a refund at `sysdtm` voids a card payment of the same day.
fn is_void(payment: &Trade, sysdtm: &str) -> bool {
    payment.flow() == Some(Flow::Card) && payment.sysdtm.get(..10) == sysdtm.get(..10)
}

/// From 23:30 to 00:30 in Hong Kong.
fn is_blackout(now: jiff::Timestamp) -> bool {
    let now = now.to_zoned(time::qfpay_zone()).time();
    now >= at(23, 30, 0, 0) || now < at(0, 30, 0, 0)
}

fn refused(reply: Reply, asked: &Asked<'_>) -> Failure {
    let rest = json!({
        "syssn": Value::Null,
        "orig_syssn": asked.origssn,
        "out_trade_no": asked.out_trade_no,
        "txamt": Value::Null,
        "txcurrcd": Value::Null,
        "txdtm": asked.txdtm,
        "sysdtm": Value::Null,
    });
    reply.with(rest).into()
}

/// The answer that making the refund `trade` got.
pub(super) fn made(trade: &Trade) -> Reply {
    Reply::new(&trade.answered).with(json!({
        "syssn": trade.syssn,
        "orig_syssn": trade.origssn,
        "out_trade_no": trade.out_trade_no,
        "txamt": trade.txamt.to_string(),
        "txcurrcd": trade.txcurrcd,
        "txdtm": trade.txdtm,
        "sysdtm": trade.sysdtm,
        "paydtm": wire(trade.paid_ms),
        "udid": trade.udid,
        "chnlsn": "",
        "cardcd": "",
        "cash_fee": "",
        "cash_fee_type": "",
        "cash_refund_fee": "",
        "cash_refund_fee_type": "",
    }))
}
