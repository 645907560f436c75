//! `/trade/v1/reversal` and `/trade/v1/close`: an order is ended. Which call a payment type takes
//! stands in the table of payment types (contract §1.4).
use serde_json::json;

use super::{
    Desk,
    book::{Filter, PAID, Trade},
    check::Reader,
    reply::{Failure, Reply},
    wire,
};
use crate::{
    client::params::Params,
    spec::{Field, pay_types::Cancel},
};

/// The respcd of an order that was closed unpaid, and of one that was reversed unpaid.
const CLOSED: &str = "1142";
const REVERSED: &str = "1263";

/// Ends an order of a payer's code; what was paid with it goes back.
pub(super) async fn reverse(desk: &Desk, params: &Params) -> Result<Reply, Failure> {
    let order = find(desk, params, Cancel::Reversal).await?;
    if desk.book.settle(desk.now_ms(), &order.syssn, REVERSED, 1).await? {
        return Ok(done(desk, &order));
    }
    let mut writing = desk.book.write().await?;
    let mine = Filter { merchant: Some(desk.merchant.clone()), ..Filter::syssn(&order.syssn) };
    let Some(order) = writing.find(desk.now_ms(), &mine).await? else {
        return Err(Reply::new("1268").into());
    };
    if order.respcd != PAID || order.cancelled != 0 {
        return Err(ended(&order));
    }
    if order.promised > 0 {
        return Err(refused("1262", &order));
    }
    writing.reverse(&order.syssn).await?;
    writing.commit().await?;
    Ok(done(desk, &order))
}

/// Ends an unpaid order. A paid one stays as it is: refund it.
pub(super) async fn close(desk: &Desk, params: &Params) -> Result<Reply, Failure> {
    let order = find(desk, params, Cancel::Close).await?;
    if desk.book.settle(desk.now_ms(), &order.syssn, CLOSED, 2).await? {
        return Ok(done(desk, &order));
    }
    match desk.find(Filter::syssn(&order.syssn)).await? {
        Some(order) => Err(ended(&order)),
        None => Err(Reply::new("1268").into()),
    }
}

/// The order that is meant, if the call fits it.
async fn find(desk: &Desk, params: &Params, call: Cancel) -> Result<Trade, Failure> {
    let mut reader = Reader::new(params);
    let syssn = reader.field(Field::Syssn);
    let out_trade_no = reader.field(Field::OutTradeNo);
    if syssn.is_empty() && out_trade_no.is_empty() {
        reader.problem("syssn", "missing; send syssn or out_trade_no");
    }
    let txamt = reader.needed("txamt");
    let txdtm = reader.needed_time("txdtm");
    reader.done()?;
    let listed = |it: &str| if it.is_empty() { Vec::new() } else { vec![it.to_owned()] };
    let filter =
        Filter { syssn: listed(syssn), out_trade_no: listed(out_trade_no), ..Filter::default() };
    let order = desk.find(filter).await?.filter(Trade::is_payment);
    let Some(order) = order else { return Err(Reply::new("1268").into()) };
    if order.pay_type().and_then(|it| it.cancel) != Some(call) {
        return Err(refused("1297", &order));
    }
    if order.txamt.to_string() != txamt {
        return Err(refused("1266", &order));
    }
    if order.txdtm != txdtm {
        let said = "txdtm is not the one of the original transaction".to_owned();
        return Err(Reply { respmsg: said, ..Reply::new("1267") }.into());
    }
    Ok(order)
}

/// Why an order that no longer waits cannot be ended.
fn ended(order: &Trade) -> Failure {
    match (order.respcd.as_str(), order.cancelled) {
        (PAID, 0) if order.refundable() == 0 => refused("1262", order),
        (PAID, 0) => refused("1260", order),
        (PAID, _) => refused(REVERSED, order),
        (state, _) => refused(state, order),
    }
}

fn refused(respcd: &str, order: &Trade) -> Failure {
    Reply::new(respcd).with(json!({ "orig_syssn": order.syssn })).into()
}

fn done(desk: &Desk, order: &Trade) -> Reply {
    let sysdtm = wire(Some(desk.now_ms()));
    // A number of its own: another group on the order's serial.
    let day: String = sysdtm.chars().take(10).filter(char::is_ascii_digit).collect();
    let serial = order.syssn.get(12..).unwrap_or_default();
    Reply::ok().with(json!({
        "syssn": format!("{day}0003{serial}"),
        "orig_syssn": order.syssn,
        "out_trade_no": order.out_trade_no,
        "txamt": order.txamt.to_string(),
        "txcurrcd": order.txcurrcd,
        "txdtm": order.txdtm,
        "sysdtm": sysdtm,
        "udid": order.udid,
        "chnlsn": "",
        "chnlsn2": "",
        "cardcd": "",
        "surcharge_fee": 0,
        "surcharge_rate": 0,
    }))
}
