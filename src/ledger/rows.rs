//! How an entry is written in columns, the same for every store.
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::{Database, Decode, FromRow, Type, error::BoxDynError, types::Json};

use super::{Entry, Event, Happening, LedgerError, Payment, Record, Refund};
use crate::{
    domain::{Amount, PaymentState, PaymentTerms, RefundState, RefundTerms, Shown},
    spec::{Currency, Field, PayType, fields::FIELDS},
};

/// A query for whole entries of one scope ($1 and $2); `$rest` narrows and orders them.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT number, kind, state, version, amount_minor, currency, terms, syssn, respcd, \
             resperr, shown, late, attempt, created_ms, sent_ms, updated_ms FROM entries \
             WHERE environment = $1 AND merchant = $2 ",
            $rest
        )
    };
}
pub(super) use select;

pub(super) const PAYMENT: &str = "payment";
pub(super) const REFUND: &str = "refund";

/// A JSON object; an empty one where the column holds anything else, so that one damaged row does not
/// fail the whole answer. Whoever needs a field finds it missing.
#[derive(Debug)]
struct Loose(Map<String, Value>);

impl<DB: Database> Type<DB> for Loose
where
    Json<Map<String, Value>>: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        Json::<Map<String, Value>>::type_info()
    }

    fn compatible(ty: &DB::TypeInfo) -> bool {
        Json::<Map<String, Value>>::compatible(ty)
    }
}

impl<'r, DB: Database> Decode<'r, DB> for Loose
where
    Json<Map<String, Value>>: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let read = Json::<Map<String, Value>>::decode(value);
        Ok(Self(read.map(|Json(fields)| fields).unwrap_or_default()))
    }
}

/// An entry as a store returns it.
#[derive(Debug, FromRow)]
pub(super) struct Row {
    number: String,
    kind: String,
    state: String,
    version: i64,
    amount_minor: i64,
    currency: String,
    terms: Loose,
    syssn: Option<String>,
    respcd: Option<String>,
    resperr: Option<String>,
    shown: Option<Loose>,
    late: bool,
    /// Who sent it last.
    pub(super) attempt: Option<String>,
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
            late: self.late,
            shown: self.shown.map(|it| read_shown(&it.0)).unwrap_or_default(),
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

/// The entries of a list that can be read. One that is damaged must not hide the others: it is told
/// in the log, and to whoever asks for it by its number.
pub(super) fn readable(rows: Vec<Row>) -> Vec<Entry> {
    let entries = rows.into_iter().map(Row::entry).filter_map(|entry| {
        entry.inspect_err(|error| tracing::error!(%error, "an entry is left out")).ok()
    });
    entries.collect()
}

/// The same of the audit: an auditor sees the rest, and `audit verify` finds what was changed.
pub(super) fn readable_events(rows: Vec<EventRow>) -> Vec<Event> {
    let events = rows.into_iter().map(EventRow::event).filter_map(|event| {
        event.inspect_err(|error| tracing::error!(%error, "a row of the audit is left out")).ok()
    });
    events.collect()
}

/// The terms of a payment or of a refund, as they are written.
#[derive(Debug, Clone)]
pub(super) struct WrittenTerms {
    pub(super) kind: &'static str,
    pub(super) amount: Amount,
    /// Without the amount, which has columns of its own.
    pub(super) json: Value,
    /// A refund's payment.
    pub(super) original: Option<String>,
    /// The same for the same terms.
    pub(super) digest: String,
}

impl WrittenTerms {
    /// The payer's code stays out: it is worth money while it lives, and is scanned anew for each
    /// try.
    pub(super) fn of_payment(terms: &PaymentTerms) -> Self {
        let kept = terms.extras.iter().filter(|(field, _)| **field != Field::AuthCode);
        let extras: BTreeMap<&str, &String> =
            kept.map(|(field, value)| (field.name(), value)).collect();
        let json = json!({"pay_type": terms.pay_type.code, "extras": extras});
        let (currency, minor) = (terms.amount.currency().code, terms.amount.minor());
        let digest = digest(PAYMENT, currency, minor, &json.to_string());
        Self { kind: PAYMENT, amount: terms.amount, json, original: None, digest }
    }

    pub(super) fn of_refund(terms: &RefundTerms) -> Self {
        let (order, syssn) = (terms.order.as_ref().map(ToString::to_string), terms.syssn.as_str());
        let (currency, minor) = (terms.amount.currency().code, terms.amount.minor());
        let digest = digest(REFUND, currency, minor, syssn);
        let json = json!({"order": order, "syssn": syssn});
        let original = Some(syssn.to_owned());
        Self { kind: REFUND, amount: terms.amount, json, original, digest }
    }

    pub(super) fn of(noted: super::Noted<'_>) -> Self {
        match noted {
            super::Noted::Payment(terms) => Self::of_payment(terms),
            super::Noted::Refund(terms) => Self::of_refund(terms),
        }
    }

    pub(super) fn minor(&self) -> i64 {
        i64::try_from(self.amount.minor()).unwrap_or(i64::MAX)
    }

    /// All of it, for the audit.
    pub(super) fn whole(&self) -> Value {
        let mut json = self.json.clone();
        if let Some(object) = json.as_object_mut() {
            object.insert("amount".to_owned(), json!(self.amount.minor()));
            object.insert("currency".to_owned(), json!(self.amount.currency().code));
        }
        json
    }
}

/// The same for the same terms: `rest` is a payment's terms as they are written, or the payment that
/// a refund is of.
pub(super) fn digest(kind: &str, currency: &str, minor: u64, rest: &str) -> String {
    hex::encode(Sha256::digest(format!("{kind}|{currency}|{minor}|{rest}")))
}

pub(super) fn shown(shown: Option<&Shown>) -> Option<Value> {
    let Shown { qrcode, pay_url, pay_params } = shown?;
    Some(json!({"qrcode": qrcode, "pay_url": pay_url, "pay_params": pay_params}))
}

fn read_shown(fields: &Map<String, Value>) -> Shown {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    Shown { qrcode: text("qrcode"), pay_url: text("pay_url"), pay_params: text("pay_params") }
}

/// A row of the audit as a store returns it.
#[derive(Debug, FromRow)]
pub(super) struct EventRow {
    id: i64,
    at_ms: i64,
    number: Option<String>,
    what: String,
    tool: String,
    transport: String,
    client: Option<String>,
    principal: Option<String>,
    terms: Option<Loose>,
    from_state: Option<String>,
    to_state: Option<String>,
    respcd: Option<String>,
    detail: Option<String>,
}

impl EventRow {
    pub(super) fn event(self) -> Result<Event, LedgerError> {
        let damaged = |column| LedgerError::Damaged {
            number: self.number.clone().unwrap_or_default(),
            column,
        };
        let number = self.number.as_deref().map(str::parse).transpose();
        Ok(Event {
            id: self.id,
            at: Timestamp::from_millisecond(self.at_ms).map_err(|_| damaged("at_ms"))?,
            number: number.map_err(|_| damaged("number"))?,
            what: Happening::find(&self.what).ok_or_else(|| damaged("what"))?,
            tool: self.tool,
            transport: self.transport,
            client: self.client,
            principal: self.principal,
            terms: self.terms.map(|it| Value::Object(it.0)),
            from: self.from_state,
            to: self.to_state,
            respcd: self.respcd,
            detail: self.detail,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stores' SQL has these words, because an index can only be made for constants.
    #[test]
    fn what_the_stores_call_unfinished_is_what_is_open() {
        let open = PaymentState::ALL.iter().filter(|it| it.is_open()).map(|it| it.word());
        assert_eq!(open.collect::<Vec<_>>(), ["sent", "awaiting_payer", "pending", "in_doubt"]);
        let open = RefundState::ALL.iter().filter(|it| it.is_open()).map(|it| it.word());
        assert_eq!(open.collect::<Vec<_>>(), ["sent", "pending", "in_doubt"]);
    }

    /// The stores' sum of a day has these words, too.
    #[test]
    fn what_the_stores_do_not_count_is_what_surely_moved_no_money() {
        let free = PaymentState::ALL.iter().filter(|it| !it.counts()).map(|it| it.word());
        assert_eq!(free.collect::<Vec<_>>(), ["intended", "failed", "closed"]);
        let free = RefundState::ALL.iter().filter(|it| !it.counts()).map(|it| it.word());
        assert_eq!(free.collect::<Vec<_>>(), ["intended", "failed"]);
    }
}
