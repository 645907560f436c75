//! Amounts that make the simulator answer with a code. This is our invention: QFPay documents no
//! test amounts.
//!
//! - An amount of 1000 or more whose last four digits are a response code of
//!   [`RESP_CODES`](crate::spec::RESP_CODES) other than 0000 gets that code as its answer, in a
//!   payment and in a refund: `1205`, `101145`, `991297`.
//! - The digit before the four chooses the language of `resperr`, since QFPay's varies: `2` is
//!   Traditional Chinese, `3` Simplified Chinese, else English: `21205`.
//! - An amount of 10000 or more that ends in `0502` is carried out, and then the answer is lost:
//!   HTTP 502 without a readable body.
//!
//! What a code means decides what happens. A payment with a pending code, or one that says nothing
//! about the money, exists and goes on as usual; a refused one does not, or is kept as failed. A
//! refund exists only with a pending code: the others say why there is none.
use crate::spec::{
    RespCode,
    resp_codes::{self, Category, Operation, Reading, Verdict},
};

use super::{book::PAID, faults::Fault, reply::Reply};

/// The last four digits of an amount whose answer is lost.
const LOST: i64 = 502;
/// The amount that is answered with 1145.
const PROCESSING: i64 = 1145;

/// What an amount triggers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Trigger {
    /// The answer is lost after all was done.
    Lost,
    /// A code is answered.
    Code {
        code: &'static str,
        text: &'static str,
        category: Category,
        /// The order or refund exists in spite of the answer.
        goes_on: bool,
    },
}

impl Trigger {
    /// What `minor` units trigger on `operation`; `fault` comes before the amount.
    pub(super) fn of(minor: i64, operation: Operation, fault: Option<Fault>) -> Option<Self> {
        let minor = if fault == Some(Fault::Processing) { PROCESSING } else { minor };
        let (head, tail) = (minor / 10_000, minor % 10_000);
        if head > 0 && tail == LOST {
            return Some(Self::Lost);
        }
        if minor < 1_000 {
            return None;
        }
        let row = RespCode::find(&format!("{tail:04}")).filter(|it| it.code != PAID)?;
        let text = match head % 10 {
            2 => row.zh_hant,
            3 => row.zh_hans,
            _ => row.en,
        };
        let reading = resp_codes::read(row.code, text, operation);
        Some(Self::Code {
            code: row.code,
            text,
            category: reading.category,
            goes_on: goes_on(reading, operation),
        })
    }

    /// Whether the order or refund exists in spite of the answer, and goes on as usual.
    pub(super) fn goes_on(self) -> bool {
        match self {
            Self::Lost => true,
            Self::Code { goes_on, .. } => goes_on,
        }
    }

    /// Whether a refused payment came as far as the payer, so that it is kept as failed and its
    /// number is used up.
    pub(super) fn is_kept(self) -> bool {
        match self {
            Self::Lost => false,
            Self::Code { category, .. } => match category {
                Category::Customer | Category::Failed => true,
                Category::Success
                | Category::Pending
                | Category::Later
                | Category::FixRequest
                | Category::Configuration
                | Category::State
                | Category::Duplicate => false,
            },
        }
    }

    /// The code that is answered, if one is.
    pub(super) fn code(self) -> Option<&'static str> {
        match self {
            Self::Lost => None,
            Self::Code { code, .. } => Some(code),
        }
    }

    /// `reply` with this trigger's code and text, or lost.
    pub(super) fn on(self, reply: Reply) -> Reply {
        match self {
            Self::Lost => Reply { fault: Some(Fault::Html502), ..reply },
            Self::Code { code, text, .. } => {
                Reply { respcd: code.to_owned(), resperr: text.to_owned(), ..reply }
            }
        }
    }

    /// The bare answer of this trigger.
    pub(super) fn reply(self) -> Reply {
        self.on(Reply::ok())
    }
}

fn goes_on(reading: Reading, operation: Operation) -> bool {
    match operation {
        Operation::Payment | Operation::Query | Operation::Cancel => {
            reading.verdict != Verdict::Refused
        }
        Operation::Refund => matches!(reading.category, Category::Pending | Category::Success),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::RESP_CODES;

    #[test]
    fn every_listed_code_but_0000_can_be_had_by_an_amount() {
        for row in RESP_CODES {
            let amount = 100_000 + row.code.parse::<i64>().unwrap();
            let trigger = Trigger::of(amount, Operation::Payment, None);
            assert_eq!(trigger.and_then(Trigger::code), Some(row.code).filter(|it| *it != PAID));
        }
    }

    #[test]
    fn other_amounts_trigger_nothing() {
        for amount in [1, 100, 502, 999, 1000, 10_000, 100_000, 109_999] {
            assert_eq!(Trigger::of(amount, Operation::Payment, None), None, "{amount}");
        }
        assert_eq!(Trigger::of(10_502, Operation::Refund, None), Some(Trigger::Lost));
    }
}
