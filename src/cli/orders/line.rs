//! An entry as `orders` tells it, whatever its kind, and the fields of the exports.
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};

use crate::{
    client::response::cleaned,
    domain::{OrderNumber, Syssn, time},
    ledger::{Entry, Record},
    spec::PayType,
};

/// What payments and refunds have in common, and what only one of them has.
pub(super) struct Line<'a> {
    pub(super) entry: &'a Entry,
    pub(super) pay_type: Option<&'static PayType>,
    /// Of a refund: its payment's number, where we know it, and QFPay's number of that.
    pub(super) order: Option<&'a OrderNumber>,
    pub(super) original: Option<&'a Syssn>,
    pub(super) respcd: Option<String>,
    pub(super) resperr: Option<String>,
    pub(super) made_at: Timestamp,
    pub(super) sent_at: Option<Timestamp>,
    pub(super) changed_at: Timestamp,
    zone: &'a TimeZone,
}

/// A field's name and its value.
type Field = (&'static str, fn(&Line<'_>) -> Value);

/// What `--json` and `--csv` write of an entry. Programs read it: names stay as they are.
pub(super) const FIELDS: &[Field] = &[
    ("number", |it| json!(it.entry.number().as_str())),
    ("kind", |it| json!(it.entry.kind())),
    ("status", |it| json!(it.entry.status())),
    ("late", |it| json!(it.entry.late())),
    ("amount", |it| json!(it.entry.amount().minor())),
    ("currency", |it| json!(it.entry.amount().currency().code)),
    ("amount_text", |it| json!(it.entry.amount().to_string())),
    ("pay_type", |it| json!(it.pay_type.map(|it| it.code))),
    ("order", |it| json!(it.order.map(OrderNumber::as_str))),
    ("original_syssn", |it| json!(it.original.map(Syssn::as_str))),
    ("syssn", |it| json!(it.entry.syssn().map(Syssn::as_str))),
    ("respcd", |it| json!(it.respcd)),
    ("resperr", |it| json!(it.resperr)),
    ("made_at", |it| json!(exact(it.made_at, it.zone))),
    ("sent_at", |it| json!(it.sent_at.map(|at| exact(at, it.zone)))),
    ("changed_at", |it| json!(exact(it.changed_at, it.zone))),
];

impl<'a> Line<'a> {
    pub(super) fn new(entry: &'a Entry, zone: &'a TimeZone) -> Self {
        match entry {
            Entry::Payment(it) => {
                Self { pay_type: Some(it.terms.pay_type), ..Self::of(entry, it, zone) }
            }
            Entry::Refund(it) => Self {
                order: it.terms.order.as_ref(),
                original: Some(&it.terms.syssn),
                ..Self::of(entry, it, zone)
            },
        }
    }

    fn of<T, S>(entry: &'a Entry, it: &Record<T, S>, zone: &'a TimeZone) -> Self {
        Self {
            entry,
            pay_type: None,
            order: None,
            original: None,
            respcd: it.respcd.as_deref().map(cleaned),
            resperr: it.resperr.as_deref().map(cleaned),
            made_at: it.created_at,
            sent_at: it.sent_at,
            changed_at: it.updated_at,
            zone,
        }
    }

    pub(super) fn json(&self) -> Value {
        let fields = FIELDS.iter().map(|(name, value)| ((*name).to_owned(), value(self)));
        Value::Object(fields.collect::<Map<_, _>>())
    }
}

/// Its status, and loudly what is odd about it.
pub(super) fn status(entry: &Entry) -> String {
    let late = if entry.late() { " LATE" } else { "" };
    format!("{}{late}", entry.status())
}

/// `at` to the millisecond, by RFC 3339, with the zone's offset.
pub(in crate::cli) fn exact(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// `at` as people read it.
pub(in crate::cli) fn local(at: Timestamp, zone: &TimeZone) -> String {
    time::wire(at, zone)
}
