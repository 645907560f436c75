//! What the codes of one category share; the rows of `table.rs` say what differs.
use super::{Category, Reading, RespCode, Retry, Verdict};

/// What a code means as the answer to each operation.
#[derive(Clone, Copy)]
struct Says {
    payment: &'static str,
    refund: &'static str,
    query: &'static str,
}

/// In a query, a code can stand for one attempt or for the question itself.
const ATTEMPT_OR_QUESTION: &str = "In a record: that attempt came to nothing. As the whole answer: the question was refused, which says nothing about the order.";

const REFUSED: Says = Says {
    payment: "Not paid: QFPay refused the request.",
    refund: "No money was returned: QFPay refused the request.",
    query: ATTEMPT_OR_QUESTION,
};

const NEEDS_THE_PAYER: Says = Says {
    payment: "Not paid: the payer has to do something before a new attempt.",
    refund: "No money was returned: the refund was refused.",
    query: ATTEMPT_OR_QUESTION,
};

const NOT_SET_UP: Says = Says {
    payment: "Not paid: the merchant's set-up does not allow it.",
    refund: "No money was returned: the merchant's set-up does not allow it.",
    query: ATTEMPT_OR_QUESTION,
};

const FINAL: Says = Says {
    payment: "Not paid: this attempt failed for good.",
    refund: "No money was returned: the refund failed for good.",
    query: ATTEMPT_OR_QUESTION,
};

const IN_PROCESS: Says = Says {
    payment: "Not final: the payer may still be paying.",
    refund: "The refund is being processed; it can take until the next day.",
    query: "Not final yet; ask again in a few seconds.",
};

const NOT_KNOWN: Says = Says {
    payment: "Unknown: the payment may or may not have been made.",
    refund: "Unknown: the refund may or may not have been made.",
    query: "QFPay could not tell; ask again later.",
};

const OTHER_STATE: Says = Says {
    payment: "Unknown: the order is in another state than the request expected.",
    refund: "Unknown: the payment is in another state than the refund expected.",
    query: "The order's state; read its records for what happened to the money.",
};

const USED_BEFORE: Says = Says {
    payment: "Unknown: the number was used before, and that first request may have been paid.",
    refund: "Unknown: the number was used before, and that first refund may have been made.",
    query: "The number belongs to an earlier request; its record tells the result.",
};

/// The text of a row: the code, then English, Traditional and Simplified Chinese.
pub(super) type Texts = [&'static str; 4];

const fn row(texts: Texts, reading: Reading, says: Says) -> RespCode {
    let [code, en, traditional, simplified] = texts;
    let Says { payment: on_payment, refund: on_refund, query: on_query } = says;
    RespCode {
        code,
        official: true,
        en,
        zh_hant: traditional,
        zh_hans: simplified,
        reading,
        on_payment,
        on_refund,
        on_query,
        overloads: &[],
    }
}

/// A code that only older documents list; servers may still send it.
pub(super) const fn legacy(base: RespCode) -> RespCode {
    RespCode { official: false, ..base }
}

/// A code whose category would make a refusal sure, were it not known to stand for more than that.
pub(super) const fn in_doubt(base: RespCode) -> RespCode {
    let reading = Reading { verdict: Verdict::Unknown, ..base.reading };
    let Says { payment: on_payment, refund: on_refund, query: on_query } = NOT_KNOWN;
    RespCode { reading, on_payment, on_refund, on_query, ..base }
}

pub(super) const fn success(texts: Texts, next_step: &'static str) -> RespCode {
    let (category, verdict, retry) = (Category::Success, Verdict::Done, Retry::No);
    row(texts, Reading { category, verdict, retry, next_step }, IN_PROCESS)
}

/// Accepted, and not final.
pub(super) const fn pending(texts: Texts, next_step: &'static str) -> RespCode {
    let (category, verdict, retry) = (Category::Pending, Verdict::Pending, Retry::No);
    row(texts, Reading { category, verdict, retry, next_step }, IN_PROCESS)
}

/// Not final, and not even known to have been accepted.
pub(super) const fn unknown(texts: Texts, next_step: &'static str) -> RespCode {
    let (category, verdict, retry) = (Category::Pending, Verdict::Unknown, Retry::No);
    row(texts, Reading { category, verdict, retry, next_step }, NOT_KNOWN)
}

/// Something is down or busy for now; what became of the request is not known.
pub(super) const fn later(texts: Texts, retry: Retry, next_step: &'static str) -> RespCode {
    let (category, verdict) = (Category::Later, Verdict::Unknown);
    row(texts, Reading { category, verdict, retry, next_step }, NOT_KNOWN)
}

pub(super) const fn fix(texts: Texts, next_step: &'static str) -> RespCode {
    let (category, verdict, retry) = (Category::FixRequest, Verdict::Refused, Retry::No);
    row(texts, Reading { category, verdict, retry, next_step }, REFUSED)
}

pub(super) const fn customer(texts: Texts, next_step: &'static str) -> RespCode {
    let (category, verdict) = (Category::Customer, Verdict::Refused);
    let retry = Retry::NewNumberAfterQuery;
    row(texts, Reading { category, verdict, retry, next_step }, NEEDS_THE_PAYER)
}

pub(super) const fn configuration(texts: Texts, next_step: &'static str) -> RespCode {
    let (category, verdict, retry) = (Category::Configuration, Verdict::Refused, Retry::No);
    row(texts, Reading { category, verdict, retry, next_step }, NOT_SET_UP)
}

pub(super) const fn state(texts: Texts, retry: Retry, next_step: &'static str) -> RespCode {
    let (category, verdict) = (Category::State, Verdict::Unknown);
    row(texts, Reading { category, verdict, retry, next_step }, OTHER_STATE)
}

pub(super) const fn duplicate(texts: Texts, next_step: &'static str) -> RespCode {
    let (category, verdict, retry) = (Category::Duplicate, Verdict::Unknown, Retry::No);
    row(texts, Reading { category, verdict, retry, next_step }, USED_BEFORE)
}

pub(super) const fn failed(texts: Texts, retry: Retry, next_step: &'static str) -> RespCode {
    let (category, verdict) = (Category::Failed, Verdict::Refused);
    row(texts, Reading { category, verdict, retry, next_step }, FINAL)
}
