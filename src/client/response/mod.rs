//! From bytes to answers: signatures checked, both shapes of QFPay's documents read.
//!
//! Every endpoint really answers flat; QFPay's generic page shows fields nested in `data`, with
//! `qf_trade_no` and `txstatus`. Both are read, and unknown fields are kept (contract §1.1, §3).
use jiff::civil::DateTime;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{
    Trouble,
    retry::Failure,
    sign::{self, SignType},
};
use crate::{
    domain::{Amount, Ending, OrderNumber, PaymentEvent, RefundEvent, Shown, Syssn, time},
    spec::{
        Currency, PayType,
        fields::is_unsafe,
        resp_codes::{self, Category, Operation, Reading, Retry, Verdict},
    },
};

mod raw;

/// The code of "processing", for answers that say it in another way.
const PENDING: &str = "1145";
/// Most characters of what a payer is shown; contract §1.1 has 512.
const MAX_SHOWN: usize = 2048;
/// Most characters kept of a text that came from outside.
pub const MAX_TEXT: usize = 300;
/// Most characters of a code; QFPay's have four.
const MAX_CODE: usize = 12;

/// How the signature of an answer was found (contract §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureCheck {
    /// No `X-QF-SIGN` header.
    Absent,
    /// MD5 of the raw body and the key.
    RawMd5,
    /// SHA-256 of the raw body and the key.
    RawSha256,
    /// MD5 of the sorted fields of `data` and the key, as the current page describes it.
    SortedFields,
    /// A signature that none of these reproduces.
    Wrong,
}

/// Checks the signature of an answer's raw body.
pub fn check_signature(
    body: &[u8],
    header: Option<&str>,
    sign_type: Option<&str>,
    key: &SecretString,
) -> SignatureCheck {
    let Some(given) = header.filter(|it| !it.trim().is_empty()) else {
        return SignatureCheck::Absent;
    };
    if sign::same(&sign::sign_body(body, SignType::Md5, key), given) {
        return SignatureCheck::RawMd5;
    }
    let says_sha256 = SignType::from_header(sign_type) == Some(SignType::Sha256);
    if says_sha256 && sign::same(&sign::sign_body(body, SignType::Sha256, key), given) {
        return SignatureCheck::RawSha256;
    }
    let sorted = serde_json::from_slice::<Value>(body).ok().and_then(|it| sorted_fields(&it, key));
    if sorted.is_some_and(|ours| sign::same(&ours, given)) {
        return SignatureCheck::SortedFields;
    }
    SignatureCheck::Wrong
}

fn sorted_fields(body: &Value, key: &SecretString) -> Option<String> {
    let data = body.get("data")?.as_object()?;
    let fields: Vec<(String, String)> =
        data.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect();
    let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Some(sign::sign(fields, SignType::Md5, key))
}

/// A business answer to a payment or refund.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub respcd: String,
    /// `resperr`, for people; bounded and cleaned.
    pub resperr: String,
    /// `respmsg`, for debugging; bounded and cleaned.
    pub respmsg: String,
    pub syssn: Option<Syssn>,
    pub signature: SignatureCheck,
    /// Every field as it came, flat.
    pub fields: Map<String, Value>,
}

impl Answer {
    /// Reads an answer. What is no JSON object with a `respcd` says nothing: it is lost.
    pub fn parse(body: &[u8], signature: SignatureCheck) -> Result<Self, Trouble> {
        let fields = flat(object(body)?);
        let Some(respcd) = fields.get("respcd").and_then(text) else {
            return Err(Failure::NoRespcd.into());
        };
        // A hint can take "processed" back, never make anything of a refusal.
        let respcd = match (respcd.as_str(), fields.get("txstatus").and_then(text).as_deref()) {
            ("0000", Some("PENDING")) => PENDING.to_owned(),
            ("0000", Some(hint)) if hint != "SUCCESS" => {
                return Err(Failure::TwoStatuses.into());
            }
            _ => respcd,
        };
        let clean = |name: &str| fields.get(name).and_then(text).map(|it| cleaned(&it));
        Ok(Self {
            respcd: code(&respcd),
            resperr: clean("resperr").unwrap_or_default(),
            respmsg: clean("respmsg").unwrap_or_default(),
            syssn: id(&fields, &["syssn", "qf_trade_no"]),
            signature,
            fields,
        })
    }

    /// What its code, read with its texts, means for `operation`.
    pub fn reading(&self, operation: Operation) -> Reading {
        resp_codes::read(&self.respcd, &self.texts(), operation)
    }

    /// Both texts, in which overloaded codes give their meaning away.
    pub fn texts(&self) -> String {
        format!("{} {}", self.resperr, self.respmsg)
    }

    /// What to show the payer, as far as the answer carries it. `pay_params` that is an address
    /// (FPS app) is shown as one.
    pub fn shown(&self) -> Shown {
        let text_of = |name: &str| self.fields.get(name).and_then(text).filter(|it| showable(it));
        let params = self.fields.get("pay_params").and_then(Value::as_object);
        let address = |name: &str| text_of(name).filter(|it| is_address(it));
        Shown {
            qrcode: text_of("qrcode"),
            pay_url: ["pay_url", "web_url", "pay_params"].into_iter().find_map(address),
            pay_params: params
                .filter(|it| !it.is_empty())
                .map(|it| Value::from(it.clone()).to_string())
                .filter(|it| showable(it)),
        }
    }

    /// Whether what it echoes is what was sent; what is not echoed agrees.
    pub fn echoes(&self, order: &OrderNumber, amount: Amount, original: Option<&Syssn>) -> bool {
        let agrees = |name: &str, sent: &str| {
            self.fields.get(name).and_then(text).is_none_or(|echo| echo == sent)
        };
        agrees("out_trade_no", order.as_str())
            && agrees("txamt", &amount.minor().to_string())
            && agrees("txcurrcd", amount.currency().code)
            && original.is_none_or(|it| agrees("orig_syssn", it.as_str()))
    }

    /// Whether an answer to a cancellation is about this order, as far as it says. Its `syssn` is
    /// the cancellation's own.
    pub fn is_about(&self, ending: &Ending) -> bool {
        let agrees = |name: &str, sent: &str| {
            self.fields.get(name).and_then(text).is_none_or(|echo| echo == sent)
        };
        agrees("txamt", &ending.amount.minor().to_string())
            && ending.syssn.as_ref().is_none_or(|it| agrees("orig_syssn", it.as_str()))
    }

    /// Whether it says at all which order and amount it is about.
    pub fn names_its_order(&self) -> bool {
        ["out_trade_no", "txamt"].iter().all(|it| self.fields.get(*it).and_then(text).is_some())
    }
}

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Payment,
    Refund,
    /// Something else QFPay keeps, for example an old `close`.
    Other,
}

/// One record of a query's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Trade {
    pub kind: Kind,
    pub syssn: Option<Syssn>,
    pub order: Option<OrderNumber>,
    /// The payment's `syssn`, on a refund.
    pub original: Option<Syssn>,
    pub pay_type: Option<&'static PayType>,
    pub currency: Option<&'static Currency>,
    pub amount_minor: Option<u64>,
    pub respcd: String,
    pub resperr: String,
    /// What became of the money of a payment, 0 to 5: see [`Trade::payment_event`]; none where it
    /// cannot be read.
    pub cancel: Option<u8>,
    /// By QFPay's clock, UTC+8.
    pub made_at: Option<DateTime>,
    pub paid_at: Option<DateTime>,
    /// Every field as it came.
    pub fields: Map<String, Value>,
}

/// The answer to a query: records, one page of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The code of the question itself; it says nothing of any order.
    pub respcd: String,
    pub resperr: String,
    pub trades: Vec<Trade>,
    pub signature: SignatureCheck,
}

impl Page {
    /// Reads the answer to a query. An object where a list is documented is a list of one.
    pub fn parse(body: &[u8], signature: SignatureCheck) -> Result<Self, Trouble> {
        let mut outer = object(body)?;
        let Some(respcd) = outer.get("respcd").and_then(text) else {
            return Err(Failure::NoRespcd.into());
        };
        let records = match outer.remove("data") {
            Some(Value::Array(records)) => records,
            Some(record @ Value::Object(_)) => vec![record],
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(blank)) if blank.trim().is_empty() => Vec::new(),
            // "No record" is what gives orders up, so nothing else may look like it.
            Some(Value::String(_) | Value::Bool(_) | Value::Number(_)) => {
                return Err(Failure::NotObject.into());
            }
        };
        let resperr = outer.get("resperr").and_then(text).map(|it| cleaned(&it));
        let mut trades = Vec::new();
        for record in records {
            let Value::Object(fields) = record else { return Err(Failure::NotObject.into()) };
            trades.push(Trade::read(fields));
        }
        Ok(Self { respcd: code(&respcd), resperr: resperr.unwrap_or_default(), trades, signature })
    }
}

impl Trade {
    /// Reads a record, or a notification: they name their kind differently.
    pub(super) fn read(fields: Map<String, Value>) -> Self {
        let text_of = |name: &str| fields.get(name).and_then(text);
        let time_of = |name: &str| text_of(name).and_then(|it| time::parse_wire(&it).ok());
        let original = id(&fields, &["origssn", "orig_syssn"]);
        let named = text_of("notify_type").or_else(|| text_of("order_type"));
        let kind = match named.as_deref() {
            None if original.is_some() => Kind::Refund,
            None | Some("payment") => Kind::Payment,
            Some("refund") => Kind::Refund,
            Some(_) => Kind::Other,
        };
        let hint = || match text_of("txstatus")?.to_ascii_uppercase().as_str() {
            "SUCCESS" => Some("0000".to_owned()),
            "PENDING" => Some(PENDING.to_owned()),
            _ => None,
        };
        let resperr = text_of("errmsg").or_else(|| text_of("resperr")).unwrap_or_default();
        Self {
            kind,
            syssn: id(&fields, &["syssn", "qf_trade_no"]),
            order: text_of("out_trade_no").and_then(|it| it.parse().ok()),
            original,
            pay_type: text_of("pay_type").and_then(|it| PayType::find(&it)),
            currency: text_of("txcurrcd").and_then(|it| Currency::find(&it)),
            amount_minor: text_of("txamt").and_then(|it| it.parse().ok()),
            respcd: text_of("respcd").map(|it| code(&it)).or_else(hint).unwrap_or_default(),
            resperr: cleaned(&resperr),
            cancel: cancel(fields.get("cancel")),
            made_at: time_of("sysdtm"),
            paid_at: time_of("paydtm"),
            fields,
        }
    }

    /// What a payment's record says happened. `cancel` 1, 2 and 3 of a paid record mean that the
    /// money is back, 5 that part of it is (contract §1.2).
    pub fn payment_event(&self) -> PaymentEvent {
        let reading = resp_codes::read(&self.respcd, &self.resperr, Operation::Query);
        match (reading.verdict, self.cancel) {
            (Verdict::Done, Some(1..=3)) => PaymentEvent::RefundedInFull,
            (Verdict::Done, Some(5)) => PaymentEvent::RefundedInPart,
            (Verdict::Done, Some(0 | 4)) => PaymentEvent::Paid,
            (Verdict::Done, _) => PaymentEvent::Lost,
            (_, Some(1..=2)) => PaymentEvent::Closed,
            (Verdict::Pending, _) => PaymentEvent::Accepted,
            (Verdict::Refused, _) => PaymentEvent::Refused,
            (Verdict::Unknown, _) if ended(reading) => PaymentEvent::Closed,
            (Verdict::Unknown, _) => PaymentEvent::Lost,
        }
    }

    /// What a refund's record says happened.
    pub fn refund_event(&self) -> RefundEvent {
        match resp_codes::read(&self.respcd, &self.resperr, Operation::Refund).verdict {
            Verdict::Done => RefundEvent::Refunded,
            Verdict::Pending => RefundEvent::Accepted,
            Verdict::Unknown => RefundEvent::Lost,
            Verdict::Refused => RefundEvent::Refused,
        }
    }
}

/// On an order's own record, a state that asks for a new number is an order that ended unpaid:
/// closed or cancelled (1142, 1263, 1264).
fn ended(reading: Reading) -> bool {
    reading.category == Category::State && reading.retry == Retry::NewNumberAfterQuery
}

/// `cancel` as a number: absent and blank are 0; none where it is something else.
fn cancel(value: Option<&Value>) -> Option<u8> {
    match value {
        None | Some(Value::Null) => Some(0),
        Some(Value::String(text)) if text.trim().is_empty() => Some(0),
        Some(value) => text(value)?.trim().parse().ok().filter(|it| *it <= 5),
    }
}

/// Whether a text can be shown to a payer as it stands.
fn showable(text: &str) -> bool {
    text.chars().count() <= MAX_SHOWN && !text.chars().any(is_unsafe)
}

/// Whether a text is an address that leads to a wallet: a page, or an app's own scheme.
fn is_address(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once("://") else { return false };
    let scheme = scheme.to_ascii_lowercase();
    let plain = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b));
    plain && !["javascript", "vbscript", "data", "file", "blob"].contains(&scheme.as_str())
}

/// The JSON object of a body, or what came instead of one.
fn object(body: &[u8]) -> Result<Map<String, Value>, Failure> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Failure::NotObject),
        Err(_) => Err(match body.trim_ascii_start().first() {
            None => Failure::Empty,
            Some(b'<') => Failure::Html,
            Some(_) => Failure::NotJson,
        }),
    }
}

/// The fields of `data` beside the outer ones; an outer field that says something wins.
fn flat(mut outer: Map<String, Value>) -> Map<String, Value> {
    let Some(Value::Object(inner)) = outer.get("data").cloned() else { return outer };
    for (name, value) in inner {
        // The inner code is the order's own; an outer 0000 only says that the request was read.
        let own = name == "respcd" && outer.get("respcd").is_some_and(|it| it == "0000");
        if outer.get(&name).and_then(text).is_none() || (own && text(&value).is_some()) {
            outer.insert(name, value);
        }
    }
    outer.remove("data");
    outer
}

/// A scalar as text; none where it is blank or no scalar. QFPay writes numbers either way.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|it| !it.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn id(fields: &Map<String, Value>, names: &[&str]) -> Option<Syssn> {
    names.iter().filter_map(|name| text(fields.get(*name)?)).find_map(|it| it.parse().ok())
}

/// A code as it may stand in a sentence. What is no code stays none: it must not become one by what
/// is left out of it.
fn code(text: &str) -> String {
    let kept: String = text.chars().filter(char::is_ascii_alphanumeric).take(MAX_CODE).collect();
    if kept.len() == text.len() { kept } else { format!("x{kept}") }
}

/// An answer's code as a label of figures, of which there are not more than codes in the table.
pub fn code_of(body: &[u8]) -> &'static str {
    #[derive(serde::Deserialize)]
    struct Coded<'a> {
        #[serde(borrow)]
        respcd: std::borrow::Cow<'a, str>,
    }
    match serde_json::from_slice(body) {
        Ok(Coded { respcd }) => {
            resp_codes::RespCode::find(&respcd).map_or("unlisted", |it| it.code)
        }
        Err(_) => "unreadable",
    }
}

/// A text from outside, without what could hide or reorder it, and bounded.
pub fn cleaned(text: &str) -> String {
    let safe = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let safe: String = safe.filter(|c| !is_unsafe(*c)).take(MAX_TEXT).collect();
    safe.trim().to_owned()
}

#[cfg(test)]
mod tests;
