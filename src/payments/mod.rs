//! The use cases, one a file: the only place where gateway, ledger and policy meet.
//!
//! Nothing here names HTTP, SQL or MCP. Each flow keeps three promises: what moves money is on
//! disk before it leaves; a lost answer is a state, never "not paid"; only QFPay settles a doubt.
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::float_arithmetic)]
use std::{fmt, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};
use tokio_util::task::TaskTracker;

use crate::{
    client::{Answer, Gateway, Trade, Trouble},
    clock::Clock,
    domain::{OrderNumber, PaymentEvent, PaymentState, RefundEvent, Syssn, time},
    ledger::{Entry, Ledger, LedgerError, News, Payment, Refund},
    policy::{self, Action, Allowlist, Facts, Violation},
    spec::Environment,
};

pub mod create;
pub mod query;
pub mod refund;
#[cfg(test)]
mod tests;

/// How often a change is tried again when another writer was faster.
const MAX_RACES: u32 = 10;

/// What is in force for one merchant in one environment.
#[derive(Debug, Clone)]
pub struct Settings {
    pub environment: Environment,
    pub mchid: Option<String>,
    pub allowlist: Allowlist,
    /// The merchant's wall clock, for new numbers and for times told to people.
    pub zone: TimeZone,
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
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// An operator's rule forbids it.
    #[error("{}", lines(.0.iter().map(|it| &it.message)))]
    Forbidden(Vec<Violation>),
    /// The number stands for something else.
    #[error("{number} was already used for {what}")]
    Conflict { number: OrderNumber, what: String },
    /// The order is in no state to be refunded.
    #[error("{0}")]
    NotRefundable(NotRefundable),
    /// An argument that can only be judged once the order is known.
    #[error("{problem}")]
    Argument { argument: &'static str, problem: String },
    /// Another refund of the order is on its way.
    #[error("refund {0} of this order is still on its way")]
    RefundUnderWay(OrderNumber),
    /// QFPay could not be asked. Nothing moved.
    #[error("QFPay could not be asked: {0}")]
    Unanswered(Trouble),
    /// QFPay refused the question itself.
    #[error("QFPay refused the query with {respcd} {resperr}")]
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

fn lines(messages: impl Iterator<Item = impl fmt::Display>) -> String {
    messages.map(|it| it.to_string()).collect::<Vec<_>>().join("; ")
}

impl Payments {
    /// Refuses what an operator has not opened.
    fn permit(
        &self,
        action: Action,
        pay_type: Option<&str>,
        currency: Option<&'static str>,
    ) -> Result<(), Refused> {
        let settings = &self.settings;
        let facts = Facts {
            environment: settings.environment,
            mchid: settings.mchid.as_deref(),
            action,
            pay_type,
            currency,
        };
        let violations = policy::decide(&settings.allowlist, &facts);
        if violations.is_empty() { Ok(()) } else { Err(Refused::Forbidden(violations)) }
    }

    /// A new number that sorts by time: a letter, the merchant's wall clock, eight random letters.
    fn new_number(&self, letter: char) -> Result<OrderNumber, LedgerError> {
        const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
        let now = self.clock.now().to_zoned(self.settings.zone.clone());
        let random: String = rand::random_iter::<u8>()
            .filter_map(|it| ALPHABET.get(usize::from(it & 31)))
            .map(|it| char::from(*it))
            .take(8)
            .collect();
        let number = format!("{letter}{}{random}", now.strftime("%Y%m%d%H%M%S"));
        number.parse().map_err(|_| LedgerError::Damaged { number, column: "number" })
    }

    /// Writes down what `event` makes of a payment, whoever else is writing. An event that cannot
    /// happen to it any more is logged and changes nothing.
    async fn settle_payment(
        &self,
        mut payment: Payment,
        event: PaymentEvent,
        news: &News,
    ) -> Result<Payment, LedgerError> {
        for _ in 0..MAX_RACES {
            let to = match payment.state.on(event) {
                Ok(to) => to,
                Err(error) => {
                    tracing::warn!(number = %payment.number, %error, "news came out of turn");
                    return Ok(payment);
                }
            };
            if matches!(payment.state, PaymentState::Failed | PaymentState::Closed) && to.was_paid()
            {
                tracing::warn!(number = %payment.number, was = %payment.state, "it was paid after all");
            }
            // The first number stays, unless another attempt under ours brought the money.
            let keep = payment.syssn.is_some() && !to.was_paid();
            let syssn = news.syssn.clone().filter(|_| !keep);
            let news = News { syssn, ..news.clone() };
            if to == payment.state
                && !says_more(&news, payment.syssn.as_ref(), payment.respcd.as_ref())
            {
                return Ok(payment);
            }
            let now = self.clock.now();
            if let Some(settled) = self.ledger.advance_payment(&payment, to, &news, now).await? {
                return Ok(settled);
            }
            match self.ledger.find(&payment.number).await? {
                Some(Entry::Payment(fresh)) => payment = fresh,
                Some(Entry::Refund(_)) | None => break,
            }
        }
        Err(LedgerError::Store(format!("{} is changing all the time", payment.number).into()))
    }

    /// The same for a refund.
    async fn settle_refund(
        &self,
        mut refund: Refund,
        event: RefundEvent,
        news: &News,
    ) -> Result<Refund, LedgerError> {
        for _ in 0..MAX_RACES {
            let to = match refund.state.on(event) {
                Ok(to) => to,
                Err(error) => {
                    tracing::warn!(number = %refund.number, %error, "news came out of turn");
                    return Ok(refund);
                }
            };
            if to == refund.state && !says_more(news, refund.syssn.as_ref(), refund.respcd.as_ref())
            {
                return Ok(refund);
            }
            let now = self.clock.now();
            if let Some(settled) = self.ledger.advance_refund(&refund, to, news, now).await? {
                return Ok(settled);
            }
            match self.ledger.find(&refund.number).await? {
                Some(Entry::Refund(fresh)) => refund = fresh,
                Some(Entry::Payment(_)) | None => break,
            }
        }
        Err(LedgerError::Store(format!("{} is changing all the time", refund.number).into()))
    }

    /// The months of QFPay's calendar in which something made at `at` can stand: its own, and the
    /// next where the two clocks may disagree about which it is.
    fn months_around(at: Timestamp) -> Vec<time::Window> {
        let slack = jiff::SignedDuration::from_mins(10);
        let day = |at: Timestamp| at.to_zoned(time::qfpay_zone()).date();
        let (before, after) =
            (at.checked_sub(slack).unwrap_or(at), at.checked_add(slack).unwrap_or(at));
        let mut months =
            vec![time::Window::month_of(day(before)), time::Window::month_of(day(after))];
        months.dedup();
        months
    }
}

/// Whether news would change anything besides the state.
fn says_more(news: &News, syssn: Option<&Syssn>, respcd: Option<&String>) -> bool {
    (news.syssn.is_some() && news.syssn.as_ref() != syssn)
        || (news.respcd.is_some() && news.respcd.as_ref() != respcd)
        || news.shown.is_some()
}

/// What an answer tells the ledger.
fn news_of(answer: &Answer) -> News {
    News {
        syssn: answer.syssn.clone(),
        respcd: Some(answer.respcd.clone()),
        resperr: Some(answer.resperr.clone()).filter(|it| !it.is_empty()),
        shown: Some(answer.shown()).filter(|it| *it != crate::domain::Shown::default()),
    }
}

/// What a record of a query tells the ledger.
fn news_in(trade: &Trade) -> News {
    News {
        syssn: trade.syssn.clone(),
        respcd: Some(trade.respcd.clone()).filter(|it| !it.is_empty()),
        resperr: Some(trade.resperr.clone()).filter(|it| !it.is_empty()),
        shown: None,
    }
}
