//! What stands in the ledger: payments and refunds, how they change, and how they are listed.
use jiff::Timestamp;

use super::rows;
use crate::domain::{
    Amount, OrderNumber, PaymentState, PaymentTerms, RefundState, RefundTerms, Shown, Syssn,
};

/// One payment or refund as written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<Terms, State> {
    pub number: OrderNumber,
    pub terms: Terms,
    pub state: State,
    /// One more with every change.
    pub version: i64,
    /// QFPay's number, once it is known.
    pub syssn: Option<Syssn>,
    /// QFPay's last word about it.
    pub respcd: Option<String>,
    pub resperr: Option<String>,
    /// What the payer was shown; empty for refunds.
    pub shown: Shown,
    /// It was carried out after it had been taken for failed or closed.
    pub late: bool,
    pub created_at: Timestamp,
    /// When it last left, or was about to; none before that.
    pub sent_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

pub type Payment = Record<PaymentTerms, PaymentState>;
pub type Refund = Record<RefundTerms, RefundState>;

/// What stands under a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    Payment(Payment),
    Refund(Refund),
}

/// What is new about an entry, besides its state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    pub syssn: Option<Syssn>,
    pub respcd: Option<String>,
    pub resperr: Option<String>,
    pub shown: Option<Shown>,
    /// It was carried out although it had ended.
    pub late: bool,
}

/// Which entries to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words of states; empty means every state.
    pub states: Vec<String>,
    /// Only those of which this was said last.
    pub resperr: Option<String>,
    /// Only those that were carried out after they had ended.
    pub late: bool,
    /// Made at or after.
    pub since: Option<Timestamp>,
    /// Made before.
    pub until: Option<Timestamp>,
    /// Those that stand behind this one.
    pub after: Option<Place>,
    pub limit: u32,
}

impl Filter {
    /// The place before which entries are listed: one bound, so that a store seeks it at once.
    pub(super) fn end(&self) -> (i64, &str) {
        let until = self.until.unwrap_or(Timestamp::MAX).as_millisecond();
        match &self.after {
            Some(it) if it.created_at.as_millisecond() < until => {
                (it.created_at.as_millisecond(), it.number.as_str())
            }
            Some(_) | None => (until, ""),
        }
    }
}

/// Where an entry stands in the order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub created_at: Timestamp,
    pub number: OrderNumber,
}

/// Payments or refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Payment,
    Refund,
}

impl Kind {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Payment => rows::PAYMENT,
            Self::Refund => rows::REFUND,
        }
    }
}

impl Entry {
    pub fn number(&self) -> &OrderNumber {
        match self {
            Self::Payment(it) => &it.number,
            Self::Refund(it) => &it.number,
        }
    }

    pub fn amount(&self) -> Amount {
        match self {
            Self::Payment(it) => it.terms.amount,
            Self::Refund(it) => it.terms.amount,
        }
    }

    /// The word of its state.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Payment(it) => it.state.word(),
            Self::Refund(it) => it.state.word(),
        }
    }

    /// `payment` or `refund`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Payment(_) => rows::PAYMENT,
            Self::Refund(_) => rows::REFUND,
        }
    }

    /// Whether it was carried out after it had been taken for failed or closed.
    pub fn late(&self) -> bool {
        match self {
            Self::Payment(it) => it.late,
            Self::Refund(it) => it.late,
        }
    }

    pub fn place(&self) -> Place {
        let (created_at, number) = match self {
            Self::Payment(it) => (it.created_at, &it.number),
            Self::Refund(it) => (it.created_at, &it.number),
        };
        Place { created_at, number: number.clone() }
    }

    /// When it was asked for at QFPay, as far as it was.
    pub fn asked_at(&self) -> Timestamp {
        match self {
            Self::Payment(it) => it.asked_at(),
            Self::Refund(it) => it.asked_at(),
        }
    }

    pub fn syssn(&self) -> Option<&Syssn> {
        match self {
            Self::Payment(it) => it.syssn.as_ref(),
            Self::Refund(it) => it.syssn.as_ref(),
        }
    }
}

impl Payment {
    /// Until when payers are let in, where it is paid on a checkout page.
    pub fn page_ends(&self) -> Option<Timestamp> {
        self.terms.expires_at(self.asked_at()).filter(|_| self.terms.on_a_page())
    }
}

impl<Terms, State> Record<Terms, State> {
    /// When it was asked for at QFPay, as far as it was: QFPay's month and expiry count from there.
    pub fn asked_at(&self) -> Timestamp {
        self.sent_at.unwrap_or(self.created_at)
    }

    /// The record after a change.
    pub(super) fn changed(self, to: State, news: &News, now: Timestamp) -> Self {
        Self {
            state: to,
            version: self.version.saturating_add(1),
            syssn: news.syssn.clone().or(self.syssn),
            respcd: news.respcd.clone().or(self.respcd),
            resperr: news.resperr.clone().or(self.resperr),
            shown: news.shown.clone().unwrap_or(self.shown),
            late: self.late || news.late,
            updated_at: now,
            ..self
        }
    }
}
