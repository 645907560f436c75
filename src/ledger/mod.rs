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
        Amount, Budget, OrderNumber, PaymentState, PaymentTerms, RefundState, RefundTerms, Spent,
        Syssn,
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
mod entry;
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
pub use entry::{Entry, Filter, Kind, News, Payment, Place, Record, Refund};

/// Whose entries a ledger holds: numbers are unique within a scope, and scopes never mix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub environment: Environment,
    /// The merchant's id, or the app's where there is none.
    pub merchant: String,
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
    /// The address of the checkout page, where the payment is made on one: then nothing is sent.
    pub page: Option<&'a str>,
    pub caller: &'a Caller,
    pub now: Timestamp,
}

/// What became of an attempt to open a payment or refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened<T> {
    /// On disk as sent, and ours: send it, or give its page's address out. Nobody else may under
    /// this number.
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
    /// Writes a payment down as sent, or as offered with its page's address, unless its number is taken by anything but the same payment
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

    /// The last of what happened to the entry under `number`, newest first and at most so many; that
    /// somebody only asked is left out.
    async fn happened(&self, number: &OrderNumber, most: u32) -> Result<Vec<Event>, LedgerError>;

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
    /// had before there was a chain. What waits is hung into the chain first.
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

/// The terms that a row of the audit tells.
#[derive(Debug, Clone, Copy)]
pub enum Noted<'a> {
    Payment(&'a PaymentTerms),
    Refund(&'a RefundTerms),
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
