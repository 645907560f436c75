//! How an entry is written in columns, the same for every store.
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sqlx::{FromRow, types::Json};

use super::{Entry, LedgerError, News, Payment, Record, Refund};
use crate::{
    domain::{Amount, PaymentState, PaymentTerms, RefundState, RefundTerms, Shown},
    spec::{Currency, Field, PayType, fields::FIELDS},
};

/// A query for whole entries; what stands behind is put behind `FROM entries`.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT number, kind, state, version, amount_minor, currency, terms, syssn, respcd, \
             resperr, shown, created_ms, sent_ms, updated_ms FROM entries ",
            $rest
        )
    };
}
pub(super) use select;

pub(super) const PAYMENT: &str = "payment";
pub(super) const REFUND: &str = "refund";

/// An entry as a store returns it.
#[derive(Debug, FromRow)]
pub(super) struct Row {
    number: String,
    kind: String,
    state: String,
    version: i64,
    amount_minor: i64,
    currency: String,
    terms: Json<Map<String, Value>>,
    syssn: Option<String>,
    respcd: Option<String>,
    resperr: Option<String>,
    shown: Option<Json<Map<String, Value>>>,
    created_ms: i64,
    sent_ms: Option<i64>,
    updated_ms: i64,
}

impl Row {
    pub(super) fn entry(self) -> Result<Entry, LedgerError> {
        match self.kind.as_str() {
            PAYMENT => self.payment().map(Entry::Payment),
            REFUND => self.refund().map(Entry::Refund),
            _ => Err(self.damaged("kind")),
        }
    }

    pub(super) fn payment(self) -> Result<Payment, LedgerError> {
        let state = PaymentState::find(&self.state).ok_or_else(|| self.damaged("state"))?;
        let terms = self.payment_terms().ok_or_else(|| self.damaged("terms"))?;
        self.record(terms, state)
    }

    pub(super) fn refund(self) -> Result<Refund, LedgerError> {
        let state = RefundState::find(&self.state).ok_or_else(|| self.damaged("state"))?;
        let terms = self.refund_terms().ok_or_else(|| self.damaged("terms"))?;
        self.record(terms, state)
    }

    fn record<T, S>(self, terms: T, state: S) -> Result<Record<T, S>, LedgerError> {
        let number = self.number.parse().map_err(|_| self.damaged("number"))?;
        let syssn = self.syssn.as_deref().map(str::parse).transpose();
        let syssn = syssn.map_err(|_| self.damaged("syssn"))?;
        let time = |ms| Timestamp::from_millisecond(ms).map_err(|_| self.damaged("time"));
        Ok(Record {
            number,
            terms,
            state,
            version: self.version,
            syssn,
            created_at: time(self.created_ms)?,
            sent_at: self.sent_ms.map(time).transpose()?,
            updated_at: time(self.updated_ms)?,
            respcd: self.respcd,
            resperr: self.resperr,
            shown: self.shown.map(|Json(fields)| read_shown(&fields)).unwrap_or_default(),
        })
    }

    fn amount(&self) -> Option<Amount> {
        let minor = u64::try_from(self.amount_minor).ok()?;
        Amount::from_minor(minor, Currency::find(&self.currency)?).ok()
    }

    fn payment_terms(&self) -> Option<PaymentTerms> {
        let terms = &self.terms.0;
        let pay_type = PayType::find(terms.get("pay_type")?.as_str()?)?;
        let extras = terms.get("extras")?.as_object()?;
        let known = FIELDS
            .iter()
            .filter_map(|rule| Some((rule.field, extras.get(rule.name)?.as_str()?.to_owned())));
        Some(PaymentTerms { amount: self.amount()?, pay_type, extras: known.collect() })
    }

    fn refund_terms(&self) -> Option<RefundTerms> {
        let terms = &self.terms.0;
        let order = terms.get("order").and_then(Value::as_str).map(str::parse).transpose().ok()?;
        let syssn = terms.get("syssn")?.as_str()?.parse().ok()?;
        Some(RefundTerms { order, syssn, amount: self.amount()? })
    }

    fn damaged(&self, column: &'static str) -> LedgerError {
        LedgerError::Damaged { number: self.number.clone(), column }
    }
}

/// What is kept of a payment's terms. The payer's code stays out: it is worth money while it
/// lives, and is scanned anew for each try.
pub(super) fn payment_terms(terms: &PaymentTerms) -> Value {
    let kept = terms.extras.iter().filter(|(field, _)| **field != Field::AuthCode);
    let extras: BTreeMap<&str, &String> =
        kept.map(|(field, value)| (field.name(), value)).collect();
    json!({"pay_type": terms.pay_type.code, "extras": extras})
}

pub(super) fn refund_terms(terms: &RefundTerms) -> Value {
    let order = terms.order.as_ref().map(ToString::to_string);
    json!({"order": order, "syssn": terms.syssn.as_str()})
}

pub(super) fn shown(news: &News) -> Option<Value> {
    let shown = news.shown.as_ref()?;
    Some(json!({"qrcode": shown.qrcode, "pay_url": shown.pay_url, "pay_params": shown.pay_params}))
}

fn read_shown(fields: &Map<String, Value>) -> Shown {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    Shown { qrcode: text("qrcode"), pay_url: text("pay_url"), pay_params: text("pay_params") }
}
