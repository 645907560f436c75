//! Entries for the tests of this folder.
use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    domain::{Amount, PaymentState, PaymentTerms, RefundState, RefundTerms, Shown},
    ledger::{Entry, Event, Happening, Payment, Record, Refund},
    spec::{Currency, Field, PayType},
};

pub(super) fn zone() -> TimeZone {
    TimeZone::get("Asia/Hong_Kong").unwrap()
}

fn now() -> Timestamp {
    "2026-11-23T06:30:05.123Z".parse().unwrap()
}

fn record<T, S>(number: &str, terms: T, state: S) -> Record<T, S> {
    Record {
        number: number.parse().unwrap(),
        terms,
        state,
        version: 2,
        syssn: Some("20261123000100020000000001".parse().unwrap()),
        respcd: Some("0000".to_owned()),
        resperr: None,
        shown: Shown::default(),
        late: false,
        created_at: now(),
        sent_at: Some(now()),
        updated_at: now(),
    }
}

fn amount(minor: u64) -> Amount {
    Amount::from_minor(minor, Currency::find("HKD").unwrap()).unwrap()
}

/// HKD 10.50 by WeChat.
pub(super) fn payment(number: &str, status: &str) -> Payment {
    let extras = BTreeMap::from([(Field::GoodsName, "咖啡".to_owned())]);
    let pay_type = PayType::find("800201").unwrap();
    let terms = PaymentTerms { amount: amount(1050), pay_type, extras };
    record(number, terms, PaymentState::find(status).unwrap())
}

/// HKD 5.25 of A1.
pub(super) fn refund(number: &str) -> Refund {
    let syssn = "20261123000100020000000001".parse().unwrap();
    let terms = RefundTerms { order: "A1".parse().ok(), syssn, amount: amount(525) };
    Refund {
        syssn: "20261123000100020000000002".parse().ok(),
        ..record(number, terms, RefundState::Refunded)
    }
}

pub(super) fn event(number: &str, what: Happening) -> Event {
    Event {
        id: 7,
        at: now(),
        number: number.parse().ok(),
        what,
        tool: "create_payment".to_owned(),
        transport: "stdio".to_owned(),
        client: Some("claude-code 2.1".to_owned()),
        principal: Some("alice".to_owned()),
        terms: None,
        from: None,
        to: Some("sent".to_owned()),
        respcd: None,
        detail: None,
    }
}

impl From<Payment> for Entry {
    fn from(it: Payment) -> Self {
        Self::Payment(it)
    }
}

impl From<Refund> for Entry {
    fn from(it: Refund) -> Self {
        Self::Refund(it)
    }
}
