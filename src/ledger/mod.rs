//! What was written down about each payment and refund, so that none is made twice.
//!
//! The port is [`Ledger`]; every store passes the list of tests in `conformance`. Look-ups return
//! an option, because "not found" is no error. A change names the version it starts from: of two
//! racing writers one gets nothing and must look again. Every change adds its row to the audit in
//! the same transaction.
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::float_arithmetic)]
use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    domain::{
        Amount, Budget, OrderNumber, PaymentState, PaymentTerms, RefundState, RefundTerms, Shown,
        Spent, Syssn,
    },
    spec::Environment,
};

mod approval;
mod audit;
mod chain;
#[cfg(test)]
#[path = "../../tests/it/cluster.rs"]
#[expect(dead_code, reason = "the other tests that include it use the rest")]
mod cluster;
#[cfg(test)]
pub(crate) mod conformance;
mod open;
mod port;
pub mod postgres;
mod rows;
pub mod sqlite;
mod store;

pub use approval::{
    Approval, ApprovalState, Asked, Consent, Decision, Given, Lapsed, MOST_OF_ONE, MOST_WAITING,
    Unconfirmed,
};
pub use audit::{Caller, Event, EventFilter, Happening, Note};
pub use chain::{Check, Counted, Head};

/// Whose entries a ledger holds: numbers are unique within a scope, and scopes never mix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub environment: Environment,
    /// The merchant's id, or the app's where there is none.
    pub merchant: String,
}

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

/// A payment or refund that is to leave.
#[derive(Debug, Clone)]
pub struct Opening<'a, Terms> {
    pub number: &'a OrderNumber,
    pub terms: &'a Terms,
    /// Where given: not while another entry has the same terms and is unfinished, or was changed
    /// since then without having failed.
    pub unless_repeated_since: Option<Timestamp>,
    /// Where given: only inside these limits.
    pub budget: Option<Budget>,
    /// Only if a person said yes, where one has to.
    pub consent: &'a Consent,
    pub caller: &'a Caller,
    pub now: Timestamp,
}

/// What became of an attempt to open a payment or refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened<T> {
    /// On disk as sent, and ours: send it. Nobody else may send it under this number.
    Sent(T),
    /// The number was used before; here is what for.
    Taken(Entry),
    /// The same terms stand under another number.
    Repeats(Entry),
    /// It would be more than the budget, beside what left already.
    Over(Spent),
    /// Nobody said yes to it.
    Unconfirmed(Unconfirmed),
}

/// What became of an attempt to open a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundOpened {
    Opened(Opened<Refund>),
    /// Another refund of the same payment is on its way, in doubt, or being processed.
    Busy(OrderNumber),
    /// With the other refunds of the payment it would be more than was paid.
    TooMuch {
        left_minor: u64,
    },
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
    fn end(&self) -> (i64, &str) {
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

/// Why the ledger could not do its work. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("the ledger's store failed: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the ledger's entry {number} cannot be read: its {column} is damaged")]
    Damaged { number: String, column: &'static str },
}

/// The port to a store.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Writes a payment down as sent, unless its number is taken by anything but the same payment
    /// that surely never left. Atomic and durable.
    async fn open_payment(
        &self,
        opening: Opening<'_, PaymentTerms>,
    ) -> Result<Opened<Payment>, LedgerError>;

    /// The same for a refund, if no other refund of its payment is on its way and all of them
    /// together stay within `paid_minor`. One transaction, so two never leave at once.
    async fn open_refund(
        &self,
        opening: Opening<'_, RefundTerms>,
        paid_minor: u64,
    ) -> Result<RefundOpened, LedgerError>;

    /// Moves a payment on from the version given; none where another writer was first.
    async fn advance_payment(
        &self,
        payment: &Payment,
        to: PaymentState,
        news: &News,
        note: Note<'_>,
        now: Timestamp,
    ) -> Result<Option<Payment>, LedgerError>;

    /// Moves a refund on from the version given; none where another writer was first.
    async fn advance_refund(
        &self,
        refund: &Refund,
        to: RefundState,
        news: &News,
        note: Note<'_>,
        now: Timestamp,
    ) -> Result<Option<Refund>, LedgerError>;

    /// Adds a row to the audit that goes with no change.
    async fn note(
        &self,
        number: Option<&OrderNumber>,
        terms: Option<Noted<'_>>,
        note: Note<'_>,
        now: Timestamp,
    ) -> Result<(), LedgerError>;

    /// What stands under `number`.
    async fn find(&self, number: &OrderNumber) -> Result<Option<Entry>, LedgerError>;

    /// What QFPay knows under `syssn`.
    async fn find_by_syssn(&self, syssn: &Syssn) -> Result<Option<Entry>, LedgerError>;

    /// The refunds of the payment that QFPay knows under `syssn`, oldest first.
    async fn refunds_of(&self, syssn: &Syssn) -> Result<Vec<Refund>, LedgerError>;

    /// What QFPay may still have something to tell about, oldest first, from behind `after`.
    async fn unfinished(
        &self,
        after: Option<&Place>,
        limit: u32,
    ) -> Result<Vec<Entry>, LedgerError>;

    /// Entries, newest first.
    async fn list(&self, filter: &Filter) -> Result<Vec<Entry>, LedgerError>;

    /// What happened to the entry under `number`, oldest first.
    async fn history(&self, number: &OrderNumber) -> Result<Vec<Event>, LedgerError>;

    /// What payments, or refunds, left already, as far as it counts towards `budget`.
    async fn spent(
        &self,
        kind: Kind,
        currency: &str,
        budget: &Budget,
    ) -> Result<Spent, LedgerError>;

    /// Writes a question to a person down. Of those that wait outside the conversation the same one
    /// is found again, also when it was declined a moment ago; none where too many wait
    /// ([`MOST_WAITING`], [`MOST_OF_ONE`]).
    async fn ask_approval(
        &self,
        asked: &Asked,
        note: Note<'_>,
    ) -> Result<Option<Approval>, LedgerError>;

    /// The question under `code`.
    async fn approval(&self, code: &str) -> Result<Option<Approval>, LedgerError>;

    /// The questions that wait for a person, oldest first.
    async fn waiting(&self, now: Timestamp) -> Result<Vec<Approval>, LedgerError>;

    /// Writes a decision down; false where none is waited for any more.
    async fn decide(&self, decision: &Decision, note: Note<'_>) -> Result<bool, LedgerError>;

    /// Uses up the id of a sealed answer that was no yes.
    async fn use_up(&self, id: &str) -> Result<(), LedgerError>;

    /// Ends the questions that expired, each with its row of the audit.
    async fn lapse(&self, caller: &Caller, now: Timestamp) -> Result<(), LedgerError>;

    /// Rows of the audit, oldest first.
    async fn events(&self, filter: &EventFilter) -> Result<Vec<Event>, LedgerError>;

    /// Goes through `check` with the next links of the chain, at most `limit`; whether there may
    /// be more.
    async fn check(&self, check: &mut Check, limit: u32) -> Result<bool, LedgerError>;

    /// How many rows the audit has up to the start of the chain, and since then; and how many it
    /// had before there was a chain.
    async fn counted(&self) -> Result<Counted, LedgerError>;

    /// Takes or renews the right to do the work called `name` until `until`; false while another
    /// holder has it. With `force`, takes it from whoever has it.
    async fn lease(
        &self,
        name: &str,
        holder: &str,
        until: Timestamp,
        now: Timestamp,
        force: bool,
    ) -> Result<bool, LedgerError>;
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

/// The terms that a row of the audit tells.
#[derive(Debug, Clone, Copy)]
pub enum Noted<'a> {
    Payment(&'a PaymentTerms),
    Refund(&'a RefundTerms),
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

    pub fn resperr(&self) -> Option<&str> {
        match self {
            Self::Payment(it) => it.resperr.as_deref(),
            Self::Refund(it) => it.resperr.as_deref(),
        }
    }

    pub fn syssn(&self) -> Option<&Syssn> {
        match self {
            Self::Payment(it) => it.syssn.as_ref(),
            Self::Refund(it) => it.syssn.as_ref(),
        }
    }
}

impl<Terms, State> Record<Terms, State> {
    /// When it was asked for at QFPay, as far as it was: QFPay's month and expiry count from there.
    pub fn asked_at(&self) -> Timestamp {
        self.sent_at.unwrap_or(self.created_at)
    }

    /// The record after a change.
    fn changed(self, to: State, news: &News, now: Timestamp) -> Self {
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

/// Why `refund` may not leave beside the other refunds of its payment, if it may not.
fn stands_against(
    number: &OrderNumber,
    amount: Amount,
    others: &[Refund],
    paid_minor: u64,
) -> Option<RefundOpened> {
    let others = || others.iter().filter(|it| it.number != *number);
    if let Some(busy) = others().find(|it| it.state.is_open()) {
        return Some(RefundOpened::Busy(busy.number.clone()));
    }
    let taken = others().filter(|it| it.state.counts());
    let taken = taken.fold(0_u64, |sum, it| sum.saturating_add(it.terms.amount.minor()));
    let left_minor = paid_minor.saturating_sub(taken);
    (amount.minor() > left_minor).then_some(RefundOpened::TooMuch { left_minor })
}
