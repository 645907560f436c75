//! The signed HTTP core: from terms to requests, from bytes to events.
//!
//! Everything that speaks QFPay's wire lives here; nothing below knows HTTP, nothing above knows
//! the wire. The port is [`Gateway`]; [`http::HttpGateway`] is the only outgoing socket.
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    domain::{
        Ending, OrderNumber, PaymentEvent, PaymentTerms, RefundEvent, RefundTerms, Syssn,
        time::Window,
    },
    spec::{
        Flow,
        pay_types::Cancel,
        resp_codes::{Operation, Verdict},
    },
};

pub mod checkout;
pub mod http;
pub mod notification;
pub mod pace;
pub mod params;
pub mod request;
pub mod response;
pub mod retry;
pub mod sign;

pub use notification::{Notification, NotificationError};
pub use response::{Answer, Kind, Page, SignatureCheck, Trade};

/// QFPay, as the use cases see it.
///
/// A lost answer is an answer too: there is no error to mistake for "not paid".
#[async_trait]
pub trait Gateway: Send + Sync {
    /// Asks for a payment, once; repeated only while it surely was not processed.
    async fn pay(&self, order: &OrderNumber, terms: &PaymentTerms, at: Timestamp) -> Exchange;

    /// The address of the checkout page on which a payer can pay `order`, from `at` on. Nothing is
    /// sent, and the same arguments give the same address.
    async fn checkout(
        &self,
        order: &OrderNumber,
        terms: &PaymentTerms,
        at: Timestamp,
    ) -> Result<String, Trouble>;

    /// Asks for a refund, once; repeated only while it surely was not processed.
    async fn refund(&self, number: &OrderNumber, terms: &RefundTerms, at: Timestamp) -> Exchange;

    /// Asks for the end of an order, once; repeated only while it surely was not processed.
    async fn cancel(&self, by: Cancel, ending: &Ending) -> Exchange;

    /// Reads what QFPay told of its own accord, if our key vouches for it.
    fn notification(
        &self,
        body: &[u8],
        signature: Option<&str>,
    ) -> Result<Notification, NotificationError>;

    /// Asks what QFPay knows. Harmless to repeat.
    async fn query(&self, query: &Query) -> Result<Page, Trouble>;
}

/// What became of a request: an answer that can be trusted, or trouble.
pub type Exchange = Result<Answer, Trouble>;

/// Why there is no answer to go by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The request surely never reached QFPay, or QFPay surely did not process it.
    #[error("{reason}")]
    NotSent { reason: String, retry_after: Option<Duration> },
    /// The request left and no trustworthy answer came back: it may have been carried out.
    #[error("{reason}")]
    Lost { reason: String },
}

/// Which trades to ask for. Every part narrows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Our numbers, of payments or refunds; at most 100.
    pub orders: Vec<OrderNumber>,
    /// QFPay's numbers; at most 100.
    pub syssns: Vec<Syssn>,
    /// By QFPay's clock (UTC+8), inside one calendar month; none asks for the current month.
    pub window: Option<Window>,
    pub pay_type: Option<String>,
    pub respcd: Option<String>,
    /// From 1.
    pub page: Option<u32>,
    /// From 1 to 100.
    pub page_size: Option<u32>,
}

/// What an exchange means for the payment that was asked for: both halves of the discipline that
/// [`retry`] describes. 0000 is "paid" only where the payer's
/// code was scanned; everywhere else it means "order created" (contract §1.1).
pub fn payment_event(exchange: &Exchange, flow: Flow) -> PaymentEvent {
    let answer = match exchange {
        Ok(answer) => answer,
        Err(Trouble::NotSent { .. }) => return PaymentEvent::NotSent,
        Err(Trouble::Lost { .. }) => return PaymentEvent::Lost,
    };
    match answer.reading(Operation::Payment).verdict {
        Verdict::Done if flow == Flow::Cpm => PaymentEvent::Paid,
        Verdict::Done | Verdict::Pending => PaymentEvent::Accepted,
        Verdict::Unknown => PaymentEvent::Lost,
        Verdict::Refused => PaymentEvent::Refused,
    }
}

/// What an exchange means for the refund that was asked for, likewise.
pub fn refund_event(exchange: &Exchange) -> RefundEvent {
    let answer = match exchange {
        Ok(answer) => answer,
        Err(Trouble::NotSent { .. }) => return RefundEvent::NotSent,
        Err(Trouble::Lost { .. }) => return RefundEvent::Lost,
    };
    match answer.reading(Operation::Refund).verdict {
        Verdict::Done => RefundEvent::Refunded,
        Verdict::Pending => RefundEvent::Accepted,
        Verdict::Unknown => RefundEvent::Lost,
        Verdict::Refused => RefundEvent::Refused,
    }
}

#[cfg(test)]
mod tests;
