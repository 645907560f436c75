//! The audit: who did what, when, and what came of it. Rows are only ever added.
use jiff::Timestamp;
use serde_json::Value;

use crate::domain::{OrderNumber, words::words};

/// Who asks, and through what. Nothing here is secret, and nothing here is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// `stdio`, `http`, `sse`, `notification`, `recovery` or `terminal`.
    pub transport: &'static str,
    /// The client's name and version, as it says itself; bounded and cleaned.
    pub client: Option<String>,
    /// Whom authentication found, where there is any.
    pub principal: Option<String>,
    /// The tool or command.
    pub tool: &'static str,
}

impl Caller {
    /// A part of this program that acts by itself.
    pub const fn own(transport: &'static str, tool: &'static str) -> Self {
        Self { transport, client: None, principal: None, tool }
    }
}

words!(
    /// What a row of the audit tells.
    Happening {
        /// Written down, and about to leave for QFPay.
        Sent = "sent",
        /// Written down, and the address of its checkout page about to be given out.
        Offered = "offered",
        /// QFPay answered the request.
        Answered = "answered",
        /// No answer to go by came; `detail` says why.
        NoAnswer = "no_answer",
        /// A query, a notification or the recovery told something new.
        Learned = "learned",
        /// It was carried out after it had been taken for failed or closed.
        LateSuccess = "late_success",
        /// Its number was paid once more, on its checkout page; `detail` has QFPay's number of that.
        PaidAgain = "paid_again",
        /// Nobody waits for its answer any more, and QFPay has no record of it so far.
        Silent = "silent",
        /// QFPay had no record of it for so long that it cannot have arrived.
        GivenUp = "given_up",
        /// The same number with the same terms: what is stored was told, nothing was sent.
        Replayed = "replayed",
        /// We refused; nothing was sent. `detail` says why.
        Refused = "refused",
        /// How it stands was asked.
        Asked = "asked",
        /// A request to end the order is about to leave.
        CancelSent = "cancel_sent",
        /// QFPay answered that request.
        CancelAnswered = "cancel_answered",
        /// A verified notification of QFPay came.
        Notified = "notified",
        /// A person was asked whether money may move; `detail` says how.
        PersonAsked = "person_asked",
        /// A person said yes, outside the conversation.
        Approved = "approved",
        /// A person said no, outside the conversation.
        Declined = "declined",
        /// Nobody said yes, so no money moved; `detail` says why.
        NotConfirmed = "not_confirmed",
    }
);

/// A row to add, besides what the change beside it tells.
#[derive(Debug, Clone)]
pub struct Note<'a> {
    pub caller: &'a Caller,
    pub what: Happening,
    pub respcd: Option<String>,
    pub detail: Option<String>,
}

impl<'a> Note<'a> {
    pub const fn new(caller: &'a Caller, what: Happening) -> Self {
        Self { caller, what, respcd: None, detail: None }
    }

    #[must_use]
    pub fn saying(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

/// Which rows of the audit to list, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// Written at or after.
    pub since: Timestamp,
    /// Written before.
    pub until: Timestamp,
    /// Behind this one: its time and its id.
    pub after: Option<(Timestamp, i64)>,
    pub limit: u32,
}

/// A row as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Grows with time, over all merchants.
    pub id: i64,
    pub at: Timestamp,
    pub number: Option<OrderNumber>,
    pub what: Happening,
    pub tool: String,
    pub transport: String,
    pub client: Option<String>,
    pub principal: Option<String>,
    pub terms: Option<Value>,
    /// The states before and after, where it changed one.
    pub from: Option<String>,
    pub to: Option<String>,
    pub respcd: Option<String>,
    pub detail: Option<String>,
}
