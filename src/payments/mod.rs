//! The use cases, one a file: the only place where gateway, ledger and policy meet.
//!
//! Nothing here names HTTP, SQL or MCP. Each flow keeps three promises: what moves money is on
//! disk before it leaves; a lost answer is a state, never "not paid"; only QFPay settles a doubt.
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::float_arithmetic)]
use std::{fmt, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

use crate::{
    client::{Answer, Gateway, Trade, Trouble, response::cleaned},
    clock::Clock,
    domain::{Amount, Budget, OrderNumber, PaymentState, Spent, time},
    ledger::{
        Caller, Entry, Happening, Kind, Ledger, LedgerError, MOST_WAITING, News, Note, Noted,
        Payment,
    },
    policy::{Action, Facts, Policy, Violation},
    spec::Environment,
};

mod alone;
pub mod cancel;
mod changes;
pub mod consent;
pub mod create;
pub mod follow;
pub mod notify;
pub mod query;
pub mod reconcile;
pub mod recover;
pub mod refund;
mod settle;
#[cfg(test)]
mod tests;
pub mod wait;

pub use changes::{Changes, Listener};

/// What is in force for one merchant in one environment.
#[derive(Debug, Clone)]
pub struct Settings {
    pub environment: Environment,
    pub mchid: Option<String>,
    /// Where QFPay is to send notifications, where an operator said so.
    pub notify_url: Option<String>,
    /// The merchant's id, or the app's where there is none, as people are shown it.
    pub merchant: String,
    pub policy: Policy,
    /// How long an approval may take, and how long it holds.
    pub approval_time: SignedDuration,
    /// The merchant's wall clock, for new numbers and for times told to people.
    pub zone: TimeZone,
    /// For how long a payment or refund without a number is refused after one with the same terms.
    pub repeat_window: SignedDuration,
    /// After how long something that QFPay never acknowledged, and has no record of, is taken not
    /// to have arrived.
    pub give_up_after: SignedDuration,
}

/// Payments of one merchant in one environment.
#[derive(Clone)]
pub struct Payments {
    pub gateway: Arc<dyn Gateway>,
    pub ledger: Arc<dyn Ledger>,
    pub clock: Arc<dyn Clock>,
    pub settings: Arc<Settings>,
    /// Runs what moves money to its end, whatever becomes of the call that asked for it.
    pub tasks: TaskTracker,
    /// Tells those who wait that something new is known.
    pub changes: Changes,
    /// The process will end: nothing new that moves money is begun.
    pub drain: CancellationToken,
    /// The process is about to end: what only waits should stop.
    pub stop: CancellationToken,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// An operator's rule forbids it.
    #[error("{}", lines(.0.iter().map(|it| &it.message)))]
    Forbidden(Vec<Violation>),
    /// A person has to say yes to this first. Nothing was sent.
    #[error("a person has to say yes first")]
    NeedsYes(Box<consent::Needed>),
    /// Nobody said yes.
    #[error("{0}")]
    NotConfirmed(consent::NotConfirmed),
    /// More questions than anybody reads.
    #[error(
        "as many approvals wait for a person as may ({MOST_WAITING}, and fewer for one caller)"
    )]
    TooManyWait,
    /// The number stands for something else.
    #[error("{number} was already used for {what}")]
    Conflict { number: OrderNumber, what: String },
    /// No number was given, and the same was asked for a moment ago.
    #[error("{0}")]
    Repeats(Box<Repeated>),
    /// The order is in no state to be cancelled.
    #[error("{0}")]
    NotCancellable(cancel::NotCancellable),
    /// The order is in no state to be refunded.
    #[error("{0}")]
    NotRefundable(NotRefundable),
    /// An argument that can only be judged once the order is known.
    #[error("{problem}")]
    Argument { argument: &'static str, problem: String },
    /// Another refund of the order is on its way.
    #[error("refund {0} of this order is still on its way")]
    RefundUnderWay(OrderNumber),
    /// Its money is being given back in another way.
    #[error("the money of order {0} is being given back by another call")]
    GivingBack(OrderNumber),
    /// QFPay could not be asked. Nothing moved.
    #[error("QFPay could not be asked: {0}")]
    Unanswered(Trouble),
    /// QFPay refused the question itself.
    #[error("QFPay refused the query with {respcd} {resperr:?}")]
    QueryRefused { respcd: String, resperr: String },
    /// The ledger failed before anything was sent.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger failed, or the program did, after the request may have left.
    #[error("{number} may have reached QFPay, but its result could not be written down ({cause})")]
    Unrecorded { number: OrderNumber, cause: String },
}

/// Why an order cannot be refunded, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRefundable {
    #[error("no such order is known, neither here nor at QFPay")]
    Unknown,
    #[error("order {number} is `{status}`; only what was paid can be refunded")]
    Status { number: String, status: &'static str },
    #[error("nothing is left to refund of order {number}")]
    NothingLeft { number: String },
    #[error("{code} {name} cannot be refunded through QFPay")]
    PayType { code: &'static str, name: &'static str },
    #[error("part of order {number} was refunded elsewhere and QFPay does not say how much")]
    LeftUnknown { number: String },
}

/// The earlier payment or refund with the same terms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the same {kind} of {amount} was asked for {seconds} s ago: it is {number}, and `{status}`"
)]
pub struct Repeated {
    /// `payment` or `refund`.
    pub kind: &'static str,
    pub number: OrderNumber,
    pub status: &'static str,
    amount: Amount,
    seconds: i64,
}

fn lines(messages: impl Iterator<Item = impl fmt::Display>) -> String {
    messages.map(|it| it.to_string()).collect::<Vec<_>>().join("; ")
}

/// How a checkout page stands, whose address nobody can take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Until when a payer can begin.
    pub ends: Timestamp,
    /// Whether one still can.
    pub takes_payers: bool,
    /// Whether it ended so long ago that whoever had begun is through as well.
    pub over: bool,
}

/// What waits to be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Doubts {
    /// How much is in doubt.
    pub count: usize,
    /// How long ago the oldest of it was asked for, or of what left and has no answer.
    pub oldest: Duration,
}

impl Payments {
    /// How much is in doubt now.
    pub async fn doubts(&self) -> Result<Doubts, LedgerError> {
        let in_doubt = |it: &Entry| it.status() == PaymentState::InDoubt.word();
        // What left, and has no answer: for long only where a process ended in between.
        let open = |it: &Entry| in_doubt(it) || it.status() == PaymentState::Sent.word();
        let open = self.all_unfinished(open).await?;
        let since = open.iter().map(Entry::asked_at).min();
        let oldest = since.map(|it| self.clock.now().duration_since(it));
        let oldest = oldest.and_then(|it| Duration::try_from(it).ok()).unwrap_or_default();
        Ok(Doubts { count: open.iter().filter(|it| in_doubt(it)).count(), oldest })
    }

    /// Whether the ledger answers.
    pub async fn reachable(&self) -> Result<(), LedgerError> {
        // What is looked for does not matter; an index finds that it is not there.
        self.ledger.find(&self.new_number('P')?).await.map(drop)
    }

    /// Refuses what an operator has not opened, or limited; `money` is what it would move, and what
    /// left already.
    fn permit(
        &self,
        action: Action,
        pay_type: Option<&str>,
        currency: Option<&'static str>,
        money: Option<(Amount, Spent)>,
    ) -> Result<(), Refused> {
        let settings = &self.settings;
        let facts = Facts {
            environment: settings.environment,
            mchid: settings.mchid.as_deref(),
            action,
            pay_type,
            currency,
            money,
        };
        let violations = settings.policy.decide(&facts);
        if violations.is_empty() { Ok(()) } else { Err(Refused::Forbidden(violations)) }
    }

    /// What a page is worth now that was offered with `payment`, if it was.
    fn page_of(&self, payment: &Payment) -> Option<Page> {
        let ends = payment.page_ends()?;
        let now = self.clock.now();
        // A payer in the middle of it, at their bank for instance, leaves no record (contract §7).
        let over_at = ends.saturating_add(self.settings.give_up_after).unwrap_or(ends);
        Some(Page { ends, takes_payers: now < ends, over: over_at < now })
    }

    /// What the ledger has to hold of the limits.
    fn budget(&self, action: Action, amount: Amount) -> Option<Budget> {
        let (settings, now) = (&self.settings, self.clock.now());
        settings.policy.limits.budget(action, amount, now, &settings.zone)
    }

    /// What left already, as far as it counts towards the budget.
    async fn spent(
        &self,
        action: Action,
        amount: Amount,
        budget: Option<Budget>,
    ) -> Result<Spent, LedgerError> {
        let kind = if action == Action::Refund { Kind::Refund } else { Kind::Payment };
        match &budget {
            Some(budget) => self.ledger.spent(kind, amount.currency().code, budget).await,
            None => Ok(Spent::default()),
        }
    }

    /// A new number that sorts by time: a letter, the merchant's wall clock, eight random letters.
    fn new_number(&self, letter: char) -> Result<OrderNumber, LedgerError> {
        let now = self.clock.now().to_zoned(self.settings.zone.clone());
        let random = consent::random_word(8);
        let number = format!("{letter}{}{random}", now.strftime("%Y%m%d%H%M%S"));
        number.parse().map_err(|_| LedgerError::Damaged { number, column: "number" })
    }

    /// What the same terms under another number mean to a call that gave none.
    fn repeated(&self, entry: &Entry) -> Refused {
        let age = self.clock.now().duration_since(entry.asked_at());
        Refused::Repeats(Box::new(Repeated {
            kind: entry.kind(),
            number: entry.number().clone(),
            status: entry.status(),
            amount: entry.amount(),
            seconds: age.as_secs(),
        }))
    }

    /// Since when a repeat is one, for a call without a number of its own.
    fn guard(&self, number: Option<&OrderNumber>) -> Option<Timestamp> {
        if number.is_some() {
            return None;
        }
        let since = self.clock.now().checked_sub(self.settings.repeat_window);
        Some(since.unwrap_or(Timestamp::MIN))
    }

    /// Adds a row to the audit that goes with no change. Nothing depends on it, so that it cannot
    /// be written is only logged.
    async fn note(&self, number: Option<&OrderNumber>, terms: Option<Noted<'_>>, note: Note<'_>) {
        let detail = note.detail.as_deref().map(cleaned);
        let note = Note { detail, ..note };
        if let Err(error) = self.ledger.note(number, terms, note, self.clock.now()).await {
            tracing::warn!(%error, "a row of the audit could not be written");
        }
    }

    /// Writes a refusal down before it is told.
    async fn audited<T>(
        &self,
        caller: &Caller,
        number: &OrderNumber,
        terms: Option<Noted<'_>>,
        result: Result<T, Refused>,
    ) -> Result<T, Refused> {
        match &result {
            // A ledger that failed takes no more rows; that a person is asked has a row of its own.
            Ok(_) | Err(Refused::Ledger(_) | Refused::Unrecorded { .. } | Refused::NeedsYes(_)) => {
            }
            Err(Refused::NotConfirmed(why)) => {
                let note = Note::new(caller, Happening::NotConfirmed).saying(why.to_string());
                self.note(Some(number), terms, note).await;
            }
            Err(refused) => {
                let note = Note::new(caller, Happening::Refused).saying(refused.to_string());
                self.note(Some(number), terms, note).await;
            }
        }
        result
    }

    /// The months of QFPay's calendar in which something made at `at` can stand: its own, and the
    /// next where the two clocks may disagree about which it is.
    fn months_around(at: Timestamp) -> Vec<time::Window> {
        // As far as a machine's clock may reasonably be off.
        let slack = SignedDuration::from_hours(24);
        let day = |at: Timestamp| at.to_zoned(time::qfpay_zone()).date();
        let (before, after) =
            (at.checked_sub(slack).unwrap_or(at), at.checked_add(slack).unwrap_or(at));
        let mut months =
            vec![time::Window::month_of(day(before)), time::Window::month_of(day(after))];
        months.dedup();
        months
    }
}

/// Work in a task of its own, told of in the logs and traces as part of what it was begun by.
fn traced<F: Future>(work: F) -> tracing::instrument::Instrumented<F> {
    work.in_current_span()
}

/// The refusal of what was over the limits, told anew with what left meanwhile. That ledger and
/// policy agree about it, a property of the policy's tests holds.
fn over(permitted: Result<(), Refused>) -> Refused {
    permitted.err().unwrap_or_else(|| Refused::Forbidden(Vec::new()))
}

/// What an answer tells the ledger.
fn news_of(answer: &Answer) -> News {
    News {
        syssn: answer.syssn.clone(),
        respcd: Some(answer.respcd.clone()),
        resperr: Some(answer.resperr.clone()).filter(|it| !it.is_empty()),
        shown: Some(answer.shown()).filter(|it| *it != crate::domain::Shown::default()),
        late: false,
    }
}

/// What a record of a query tells the ledger.
fn news_in(trade: &Trade) -> News {
    News {
        syssn: trade.syssn.clone(),
        respcd: Some(trade.respcd.clone()).filter(|it| !it.is_empty()),
        resperr: Some(trade.resperr.clone()).filter(|it| !it.is_empty()),
        shown: None,
        late: false,
    }
}

/// The row of an answer, or of there being none.
fn answer_note<'a>(caller: &'a Caller, trouble: Option<&Trouble>) -> Note<'a> {
    match trouble {
        None => Note::new(caller, Happening::Answered),
        Some(trouble) => Note::new(caller, Happening::NoAnswer).saying(trouble.to_string()),
    }
}
