//! `/trade/v1/query`: a list of records inside one calendar month, each payment and each refund a
//! record of its own.
use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

use super::{
    Desk,
    book::{Filter, Trade},
    check::Reader,
    reply::{Failure, Reply, text},
    wire,
};
use crate::{
    client::params::Params,
    domain::time::{self, Window},
    spec::Field,
};

/// Most records of a page, and most numbers in a list.
const MOST: u32 = 100;
const PAGE_SIZE: u32 = 10;

pub(super) async fn query(desk: &Desk, params: &Params) -> Result<Reply, Failure> {
    let mut reader = Reader::new(params);
    let syssn = reader.list(Field::Syssn);
    let out_trade_no = reader.list(Field::OutTradeNo);
    for (name, list) in [("syssn", &syssn), ("out_trade_no", &out_trade_no)] {
        if list.len() > MOST as usize {
            reader.problem(name, format_args!("{} numbers; at most {MOST}", list.len()));
        }
    }
    let page = number(&mut reader, "page", 1, u32::MAX / MOST);
    let page_size = number(&mut reader, "page_size", PAGE_SIZE, MOST);
    let window = window(desk, &mut reader);
    let pay_type = reader.words("pay_type");
    let respcd = Some(reader.value("respcd")).filter(|it| !it.is_empty()).map(str::to_owned);
    reader.done()?;
    let filter = Filter {
        merchant: Some(desk.merchant.clone()),
        syssn,
        out_trade_no,
        pay_type,
        respcd,
        sysdtm: Some((time::format_wire(window.start), time::format_wire(window.end))),
        due: false,
        limit: page_size,
        offset: (page - 1) * page_size,
    };
    let found = desk.book.select(desk.now_ms(), &filter).await?;
    let data: Vec<Value> = found.iter().map(record).collect();
    Ok(Reply::ok().with(json!({ "page": page, "page_size": page_size, "data": data })))
}

/// A number from 1 to `most`, or `default` if it was not sent.
fn number(reader: &mut Reader<'_>, name: &str, default: u32, most: u32) -> u32 {
    let given = reader.value(name);
    if given.is_empty() {
        return default;
    }
    let number = given.parse().ok().filter(|it| (1..=most).contains(it));
    if number.is_none() {
        reader.problem(name, format_args!("`{given}` is not a number from 1 to {most}"));
    }
    number.unwrap_or(default)
}

/// What the enquiry looks at: this month unless times are sent, and never more than one calendar
/// month, ids or not (contract §1.2).
fn window(desk: &Desk, reader: &mut Reader<'_>) -> Window {
    let today = desk.settings.clock.now().to_zoned(time::qfpay_zone()).date();
    let month = Window::month_of(today);
    let start = reader.time("start_time").unwrap_or(month.start);
    let end = reader.time("end_time").unwrap_or(month.end);
    let of = |at: DateTime| at.date().first_of_month();
    if of(start) != of(end) {
        reader.problem("start_time", "start_time and end_time must lie in one calendar month");
    }
    Window { start, end }
}

/// A record of the list. Everything is text.
fn record(trade: &Trade) -> Value {
    let mut record = Map::new();
    let mut set = |name: &str, value: &str| record.insert(name.to_owned(), json!(value));
    set("syssn", &trade.syssn);
    set("out_trade_no", &trade.out_trade_no);
    set("pay_type", &trade.pay_type);
    set("order_type", &trade.order_type);
    set("txdtm", &trade.txdtm);
    set("txamt", &trade.txamt.to_string());
    set("txcurrcd", &trade.txcurrcd);
    set("sysdtm", &trade.sysdtm);
    set("paydtm", &wire(trade.paid_ms));
    set("cancel", trade.cancel());
    set("respcd", &trade.respcd);
    set("errmsg", text(&trade.respcd));
    set("chnlsn", &channel_number(trade));
    for name in ["chnlsn2", "cardcd", "cardtp", "clisn"] {
        set(name, "");
    }
    set("userid", "simulator");
    set("udid", &trade.udid);
    set("goods_name", &trade.goods_name);
    for name in ["goods_info", "goods_detail", "exchange_rate"] {
        set(name, "");
    }
    for name in ["cash_fee", "cash_fee_type", "cash_refund_fee", "cash_refund_fee_type"] {
        set(name, "");
    }
    record.insert("origssn".to_owned(), json!(trade.origssn));
    Value::Object(record)
}

/// The wallet's own number of what was paid; blank for what was not.
pub(super) fn channel_number(trade: &Trade) -> String {
    if trade.is_paid() { format!("SIM{}", trade.syssn) } else { String::new() }
}
