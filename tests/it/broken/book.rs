//! The ledger held against the simulator's book, record by record.
use std::collections::BTreeMap;

use qfpay_mcp::{
    ledger::Entry,
    simulator::{Entry as Record, Kind},
};

/// What may be open of what QFPay has no record of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubts {
    /// It may still be on its way.
    Allowed,
    /// So much later nothing is on its way.
    Over,
}

/// What differs, a line each; empty where nothing does.
pub(crate) fn differences(book: &[Record], ledger: &[Entry], doubts: Doubts) -> Vec<String> {
    let mut found = Vec::new();
    let ours: BTreeMap<&str, &Entry> = ledger.iter().map(|it| (it.number().as_str(), it)).collect();
    let mut records: BTreeMap<&str, &Record> = BTreeMap::new();
    for record in book {
        if records.insert(&record.out_trade_no, record).is_some() {
            found.push(format!("{} stands in the book twice", record.out_trade_no));
        }
        match ours.get(record.out_trade_no.as_str()) {
            Some(entry) => found.extend(compare(record, entry)),
            None => found.push(format!("{} is not in the ledger", say(record))),
        }
    }
    for entry in ledger.iter().filter(|it| !records.contains_key(it.number().as_str())) {
        let fine = match entry.status() {
            "intended" | "failed" | "closed" => true,
            "sent" | "in_doubt" => doubts == Doubts::Allowed,
            _ => false,
        };
        if !fine {
            let (number, status) = (entry.number(), entry.status());
            found.push(format!("{number} is `{status}` in the ledger and not in the book"));
        }
    }
    found.extend(over_refunded(book));
    found
}

/// How a record and its entry differ.
fn compare(record: &Record, entry: &Entry) -> Vec<String> {
    let mut found = Vec::new();
    let mut hold = |what: &str, theirs: &str, ours: &str| {
        if theirs != ours {
            let number = &record.out_trade_no;
            found.push(format!(
                "{number}: {what} is `{theirs}` in the book, `{ours}` in the ledger"
            ));
        }
    };
    let kind = match record.kind {
        Kind::Payment => "payment",
        Kind::Refund => "refund",
    };
    hold("kind", kind, entry.kind());
    hold("amount", &record.amount.to_string(), &entry.amount().minor().to_string());
    hold("currency", &record.currency, entry.amount().currency().code);
    hold("syssn", &record.syssn, entry.syssn().map_or("none", |it| it.as_str()));
    hold("status", expected(record), entry.status());
    let late = match entry {
        Entry::Payment(it) => it.late,
        Entry::Refund(it) => it.late,
    };
    hold("given up too early", "false", &late.to_string());
    if let Entry::Refund(refund) = entry {
        let original = record.origssn.as_deref().unwrap_or("none");
        hold("the payment's syssn", original, refund.terms.syssn.as_str());
    }
    found
}

/// The status that a record must have in the ledger.
pub(crate) fn expected(record: &Record) -> &'static str {
    match (record.kind, record.respcd.as_str(), record.cancel.as_str()) {
        (Kind::Payment, "0000", "0") => "paid",
        (Kind::Payment, "0000", "5") => "partially_refunded",
        (Kind::Payment | Kind::Refund, "0000", _) => "refunded",
        (_, "1143" | "1145", _) => "pending",
        (Kind::Payment, "1142" | "1263", _) => "closed",
        (Kind::Payment | Kind::Refund, _, _) => "failed",
    }
}

/// More went back than was paid, or the book contradicts itself.
fn over_refunded(book: &[Record]) -> Vec<String> {
    let refunds = || book.iter().filter(|it| it.kind == Kind::Refund && it.respcd == "0000");
    let payments = book.iter().filter(|it| it.kind == Kind::Payment);
    let wrong = payments.filter_map(|payment| {
        let its = refunds().filter(|it| it.origssn.as_ref() == Some(&payment.syssn));
        let sum: u64 = its.map(|it| it.amount).sum();
        let wrong = sum > payment.amount || sum != payment.refunded;
        wrong.then(|| format!("{}: its refunds add up to {sum}", say(payment)))
    });
    wrong.collect()
}

fn say(record: &Record) -> String {
    let Record { kind, out_trade_no, amount, respcd, cancel, .. } = record;
    format!("{kind:?} {out_trade_no} of {amount} ({respcd}, cancel {cancel})")
}
