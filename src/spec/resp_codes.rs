//! QFPay's `respcd` values and what each means for the money.
//!
//! Source: contract §4.3 and §4.4 (<https://sdk.qfapi.com/integration/api-reference/status-codes>,
//! its Traditional Chinese twin, and older appendices for the legacy codes). To add a code, add a
//! row; nothing else in the crate lists codes.

/// What sort of problem a code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    Success,
    /// Not final; ask again.
    Pending,
    /// Retry after a delay.
    Later,
    /// The request is wrong.
    FixRequest,
    /// The payer must do something.
    Customer,
    /// The merchant's set-up is wrong.
    Configuration,
    /// The order or refund is in another state than expected.
    State,
    /// The number was used before.
    Duplicate,
    /// Final failure.
    Failed,
}

/// What the code, as the answer to a request that moves money, says about that request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Processed (0000).
    Done,
    /// Accepted and not final; ask.
    Pending,
    /// Nothing is known; ask. The reading of every code that is not in the table.
    Unknown,
    /// Surely not carried out.
    Refused,
}

/// Whether a request may be sent again, and with which number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same number may be sent again.
    SameNumber,
    /// The same number, after a query shows that nothing happened.
    SameNumberAfterQuery,
    /// A new number, after a query shows that nothing happened.
    NewNumberAfterQuery,
    No,
}

/// What was asked for when a code came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Payment,
    Refund,
    Query,
}

/// What a code means, plainly or with its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    pub category: Category,
    pub verdict: Verdict,
    pub retry: Retry,
    /// One sentence: what to do now.
    pub next_step: &'static str,
}

/// Another meaning of a code that `resperr` or `respmsg` gives away (contract §4.4).
#[derive(Debug)]
pub struct Overload {
    /// Only on this operation; on any where none.
    pub on: Option<Operation>,
    /// Lower-case pieces of text, any of which tells it.
    pub texts: &'static [&'static str],
    /// What it then means, in English.
    pub meaning: &'static str,
    pub reading: Reading,
}

/// One response code.
#[derive(Debug)]
pub struct RespCode {
    /// Four digits.
    pub code: &'static str,
    /// In the official list of 52; otherwise legacy.
    pub official: bool,
    pub en: &'static str,
    pub zh_hant: &'static str,
    pub zh_hans: &'static str,
    pub reading: Reading,
    /// What it means as the answer to a payment, a refund and a query, a short sentence each.
    pub on_payment: &'static str,
    pub on_refund: &'static str,
    pub on_query: &'static str,
    pub overloads: &'static [Overload],
}

#[rustfmt::skip]
pub static RESP_CODES: &[RespCode] = &[
    RespCode { code: "0000", official: true, en: "Transaction successful", zh_hant: "交易成功", zh_hans: "交易成功",
        reading: Reading { category: Category::Success, verdict: Verdict::Done, retry: Retry::No, next_step: "Query." },
        on_payment: "", on_refund: "", on_query: "", overloads: &[] },
];

/// How a code that is in no table is read: nothing is known, ask.
pub const UNLISTED: Reading = Reading {
    category: Category::Pending,
    verdict: Verdict::Unknown,
    retry: Retry::No,
    next_step: "This code is in no QFPay document. Treat the result as unknown: query the order, do not pay or refund again.",
};

impl RespCode {
    /// The row of `code`.
    pub fn find(code: &str) -> Option<&'static Self> {
        RESP_CODES.iter().find(|it| it.code == code)
    }
}

/// What `code` with its accompanying `text` (`resperr` and `respmsg`) means on `operation`.
pub fn read(code: &str, text: &str, operation: Operation) -> Reading {
    let Some(row) = RespCode::find(code) else { return UNLISTED };
    row.overload(text, operation).map_or(row.reading, |it| it.reading)
}

impl RespCode {
    /// The overloaded meaning that `text` gives away on `operation`, if any.
    pub fn overload(&self, text: &str, operation: Operation) -> Option<&'static Overload> {
        let text = text.to_lowercase();
        self.overloads.iter().find(|it| {
            it.on.is_none_or(|on| on == operation)
                && it.texts.iter().any(|part| text.contains(part))
        })
    }
}
