//! A reconciled day for programs: one object of JSON, or the differences as CSV for a spreadsheet.
use std::io::Write;

use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

use crate::{
    cli::orders::export::cell,
    domain::{Amount, OrderNumber, Syssn, time},
    payments::reconcile::{Difference, Reconciled, Sums, Total},
};

/// A field's name and its value.
type Field = (&'static str, fn(&Difference) -> Value);

/// What is written of a difference. Programs read it: names stay as they are.
const FIELDS: &[Field] = &[
    ("what", |it| json!(it.what.word())),
    ("kind", |it| json!(it.kind.word())),
    ("number", |it| json!(it.number)),
    ("syssn", |it| json!(it.syssn.as_ref().map(Syssn::as_str))),
    ("order", |it| json!(it.order.as_ref().map(OrderNumber::as_str))),
    ("amount", |it| json!(it.amount.map(Amount::minor))),
    ("currency", |it| json!(it.amount.map(|it| it.currency().code))),
    ("amount_text", |it| json!(it.amount.map(|it| it.to_string()))),
    ("pay_type", |it| json!(it.pay_type.map(|it| it.code))),
    ("here", |it| json!(it.here)),
    ("at_qfpay", |it| json!(it.there)),
    ("made_at", |it| json!(it.made_at.map(made_at))),
    ("told", |it| json!(it.sentence())),
];

/// A header and a row a difference.
pub(super) fn csv(done: &Reconciled, out: impl Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(FIELDS.iter().map(|(name, _)| name))?;
    for difference in &done.differences {
        writer.write_record(FIELDS.iter().map(|(_, value)| cell(&value(difference))))?;
    }
    Ok(writer.flush()?)
}

/// All of it.
pub(super) fn json(done: &Reconciled, place: &str) -> Value {
    let difference = |it: &Difference| {
        let fields = FIELDS.iter().map(|(name, value)| ((*name).to_owned(), value(it)));
        Value::Object(fields.collect::<Map<_, _>>())
    };
    json!({
        "date": done.day.to_string(),
        "outcome": done.outcome().word(),
        "over": done.over,
        "problem": done.problem,
        "ledger": place,
        "entries": done.entries,
        "records": done.records,
        "pages": done.pages,
        "totals": done.totals.iter().map(total).collect::<Vec<_>>(),
        "differences": done.differences.iter().map(difference).collect::<Vec<_>>(),
    })
}

fn total(total: &Total) -> Value {
    let sums = |it: Sums| {
        json!({
            "payments": it.payments,
            "paid": it.paid,
            "refunds": it.refunds,
            "refunded": it.refunded,
            "net": it.net(),
            "net_text": it.net_text(total.currency),
        })
    };
    json!({
        "currency": total.currency.code,
        "pay_type": total.pay_type.map(|it| it.code),
        "here": sums(total.here),
        "at_qfpay": sums(total.there),
    })
}

/// By QFPay's clock, which is UTC+8 all year.
fn made_at(at: DateTime) -> String {
    format!("{}+08:00", time::format_wire(at).replace(' ', "T"))
}
