//! QFPay's `respcd` values and what each means for the money.
//!
//! Source: contract §4.3 and §4.4 (<https://sdk.qfapi.com/integration/api-reference/status-codes>,
//! its Traditional Chinese twin, and older appendices for the legacy codes). To add a code, add a
//! row to `table.rs`; nothing else in the crate lists codes. What came of a payment, only a query
//! tells: a code says no more than what its sender meant by it.
mod kinds;
mod overloads;
mod table;
#[cfg(test)]
mod tests;

pub use overloads::ANY_CODE_OVERLOADS;
pub use table::RESP_CODES;

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
    /// A reversal or a close.
    Cancel,
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
#[derive(Debug, Clone, Copy)]
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
#[derive(Debug, Clone, Copy)]
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

/// What to do when QFPay refuses a refund for good.
const REFUND_REFUSED: &str = "Do not repeat the refund. Tell the person: the merchant can look at it in QFPay's portal, or give the money back in another way.";

/// How a code that is in no table is read: nothing is known, ask.
pub const UNLISTED: Reading = Reading {
    category: Category::Pending,
    verdict: Verdict::Unknown,
    retry: Retry::No,
    next_step: "This code is in no QFPay document. Treat the result as unknown: query the order, do not pay or refund again.",
};

impl Category {
    pub const ALL: [Self; 9] = [
        Self::Success,
        Self::Pending,
        Self::Later,
        Self::FixRequest,
        Self::Customer,
        Self::Configuration,
        Self::State,
        Self::Duplicate,
        Self::Failed,
    ];

    /// The category in one lower-case word, as in replies.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Pending => "pending",
            Self::Later => "later",
            Self::FixRequest => "fix_request",
            Self::Customer => "customer",
            Self::Configuration => "configuration",
            Self::State => "state",
            Self::Duplicate => "duplicate",
            Self::Failed => "failed",
        }
    }

    /// The category in a sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "The request was processed.",
            Self::Pending => "The result is not final; ask again.",
            Self::Later => "Something is down, busy or closed for now.",
            Self::FixRequest => "The request is wrong.",
            Self::Customer => "The payer has to do something.",
            Self::Configuration => "The merchant's set-up is wrong.",
            Self::State => "The order or refund is in another state than expected.",
            Self::Duplicate => "The number was used before.",
            Self::Failed => "The attempt failed for good.",
        }
    }
}

impl Verdict {
    pub const ALL: [Self; 4] = [Self::Done, Self::Pending, Self::Unknown, Self::Refused];

    /// The verdict in one lower-case word, as in replies.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
        }
    }
}

impl Retry {
    pub const ALL: [Self; 4] =
        [Self::SameNumber, Self::SameNumberAfterQuery, Self::NewNumberAfterQuery, Self::No];

    /// The advice in one lower-case word, as in replies.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SameNumber => "same_number",
            Self::SameNumberAfterQuery => "same_number_after_query",
            Self::NewNumberAfterQuery => "new_number_after_query",
            Self::No => "no",
        }
    }

    /// The advice in a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::SameNumber => "The request may be sent again with the same out_trade_no.",
            Self::SameNumberAfterQuery => {
                "Query first; only if nothing happened may it be sent again, with the same out_trade_no."
            }
            Self::NewNumberAfterQuery => {
                "Query first; only if nothing happened start anew, with a new out_trade_no."
            }
            Self::No => "Do not send the same request again.",
        }
    }
}

impl RespCode {
    /// The row of `code`.
    pub fn find(code: &str) -> Option<&'static Self> {
        RESP_CODES.iter().find(|it| it.code == code)
    }

    /// The overloaded meaning that `text` gives away on `operation`, if any: of this code first,
    /// else of any code.
    pub fn overload(&self, text: &str, operation: Operation) -> Option<&'static Overload> {
        told_by(self.overloads, text, operation)
            .or_else(|| told_by(ANY_CODE_OVERLOADS, text, operation))
    }
}

/// What `code` with its accompanying `text` (`resperr` and `respmsg`) means on `operation`.
pub fn read(code: &str, text: &str, operation: Operation) -> Reading {
    let (plain, overload) = match RespCode::find(code) {
        Some(row) => (row.reading, row.overload(text, operation)),
        None => (UNLISTED, told_by(ANY_CODE_OVERLOADS, text, operation)),
    };
    match overload {
        Some(it) => it.reading,
        None if operation == Operation::Refund => refund_reading(plain),
        None => plain,
    }
}

/// The plain reading of a code on a refund: what tells how to pay anew has no place there.
fn refund_reading(plain: Reading) -> Reading {
    match plain.category {
        Category::Customer | Category::Failed => Reading { next_step: REFUND_REFUSED, ..plain },
        Category::Success
        | Category::Pending
        | Category::Later
        | Category::FixRequest
        | Category::Configuration
        | Category::State
        | Category::Duplicate => plain,
    }
}

fn told_by(
    overloads: &'static [Overload],
    text: &str,
    operation: Operation,
) -> Option<&'static Overload> {
    let text = text.to_lowercase();
    overloads.iter().find(|it| {
        it.on.is_none_or(|on| on == operation) && it.texts.iter().any(|part| text.contains(part))
    })
}
