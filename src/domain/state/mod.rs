//! What we know of a payment or refund: one transition function each.
//!
//! There is no arrow from `in_doubt` to `sent`: only an answer of QFPay settles a doubt. What
//! surely never arrived goes back to `intended`, from where the same number may be sent again.
//! What failed or was closed can still turn out paid: one order can have several attempts, and
//! money that QFPay says was received is never argued away. On a checkout page, an attempt that
//! fails ends nothing: the payer may try again as long as the page lives.
use super::words::words;

words!(
    /// How a payment stands.
    PaymentState {
        /// Written down; surely not sent.
        Intended = "intended",
        /// About to leave or on its way: may have arrived.
        Sent = "sent",
        /// The payer has, or will be given, the address of a checkout page; QFPay has no order
        /// until they choose there.
        AwaitingPayer = "awaiting_payer",
        /// QFPay has the order; the payer has not paid.
        Pending = "pending",
        /// The answer was lost or says nothing; only a query settles it.
        InDoubt = "in_doubt",
        /// QFPay says that the money was received.
        Paid = "paid",
        /// QFPay says that it was not carried out.
        Failed = "failed",
        /// The order was ended unpaid.
        Closed = "closed",
        /// Part of the money went back.
        PartiallyRefunded = "partially_refunded",
        /// All of the money went back.
        Refunded = "refunded",
    }
);

words!(
    /// What happened to a payment.
    PaymentEvent {
        /// We are about to send it.
        Send = "send",
        /// We are about to give out the address of a checkout page.
        Offer = "offer",
        /// It surely never arrived or was surely not processed.
        NotSent = "not_sent",
        /// The answer was lost, broken, or says nothing about the money.
        Lost = "lost",
        /// QFPay took the order; unpaid so far.
        Accepted = "accepted",
        /// QFPay says paid.
        Paid = "paid",
        /// QFPay says that it was not carried out.
        Refused = "refused",
        /// QFPay says that an attempt on a checkout page came to nothing, and the page lives.
        AttemptFailed = "attempt_failed",
        /// QFPay says closed or cancelled, unpaid; or a checkout page ended and nobody had chosen.
        Closed = "closed",
        /// QFPay says that part of it was refunded.
        RefundedInPart = "refunded_in_part",
        /// QFPay says that all of it was refunded.
        RefundedInFull = "refunded_in_full",
    }
);

words!(
    /// How a refund stands.
    RefundState {
        /// Written down; surely not sent.
        Intended = "intended",
        /// About to leave or on its way: may have arrived.
        Sent = "sent",
        /// QFPay is working on it.
        Pending = "pending",
        /// The answer was lost or says nothing; only a query settles it.
        InDoubt = "in_doubt",
        /// QFPay says that the money went back.
        Refunded = "refunded",
        /// QFPay says that it was not carried out.
        Failed = "failed",
    }
);

words!(
    /// What happened to a refund.
    RefundEvent {
        Send = "send",
        NotSent = "not_sent",
        Lost = "lost",
        Accepted = "accepted",
        Refunded = "refunded",
        Refused = "refused",
    }
);

/// An event that cannot happen in this state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{event}` cannot happen to what is `{from}`")]
pub struct InvalidTransition {
    pub from: &'static str,
    pub event: &'static str,
}

impl PaymentState {
    /// The state after `event`. What QFPay repeats leaves a state as it is.
    pub fn on(self, event: PaymentEvent) -> Result<Self, InvalidTransition> {
        use PaymentEvent as E;
        match (self, event) {
            (Self::Intended, E::Send) => Ok(Self::Sent),
            (Self::Sent, E::NotSent) => Ok(Self::Intended),
            (Self::Intended, E::Offer) => Ok(Self::AwaitingPayer),
            (Self::AwaitingPayer | Self::InDoubt | Self::Pending, E::AttemptFailed) => {
                Ok(Self::AwaitingPayer)
            }
            (Self::Sent | Self::InDoubt | Self::AwaitingPayer, E::Lost) => Ok(Self::InDoubt),
            (
                Self::Intended | Self::Sent | Self::InDoubt | Self::AwaitingPayer | Self::Pending,
                E::Accepted,
            )
            | (Self::Pending, E::Lost) => Ok(Self::Pending),
            (
                Self::Intended
                | Self::Sent
                | Self::AwaitingPayer
                | Self::InDoubt
                | Self::Pending
                | Self::Paid
                | Self::Failed
                | Self::Closed,
                E::Paid,
            ) => Ok(Self::Paid),
            (
                Self::Sent | Self::InDoubt | Self::AwaitingPayer | Self::Pending | Self::Failed,
                E::Refused,
            ) => Ok(Self::Failed),
            (
                Self::Intended
                | Self::Sent
                | Self::InDoubt
                | Self::AwaitingPayer
                | Self::Pending
                | Self::Closed,
                E::Closed,
            ) => Ok(Self::Closed),
            (
                Self::Intended
                | Self::Sent
                | Self::AwaitingPayer
                | Self::InDoubt
                | Self::Pending
                | Self::Paid
                | Self::Failed
                | Self::Closed
                | Self::PartiallyRefunded,
                E::RefundedInPart,
            ) => Ok(Self::PartiallyRefunded),
            (
                Self::Intended
                | Self::Sent
                | Self::AwaitingPayer
                | Self::InDoubt
                | Self::Pending
                | Self::Paid
                | Self::Failed
                | Self::Closed
                | Self::PartiallyRefunded
                | Self::Refunded,
                E::RefundedInFull,
            ) => Ok(Self::Refunded),
            (from, event) => Err(InvalidTransition { from: from.word(), event: event.word() }),
        }
    }

    /// Whether the money was received at some time.
    pub fn was_paid(self) -> bool {
        matches!(self, Self::Paid | Self::PartiallyRefunded | Self::Refunded)
    }

    /// Whether it counts towards the day's limit: all but what surely moved no money.
    pub fn counts(self) -> bool {
        !matches!(self, Self::Intended | Self::Failed | Self::Closed)
    }

    /// Whether QFPay may still have something to tell about it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Sent | Self::AwaitingPayer | Self::Pending | Self::InDoubt)
    }
}

impl RefundState {
    /// The state after `event`. What QFPay repeats leaves a state as it is.
    pub fn on(self, event: RefundEvent) -> Result<Self, InvalidTransition> {
        use RefundEvent as E;
        match (self, event) {
            (Self::Intended, E::Send) => Ok(Self::Sent),
            (Self::Sent, E::NotSent) => Ok(Self::Intended),
            (Self::Sent | Self::InDoubt, E::Lost) => Ok(Self::InDoubt),
            (Self::Sent | Self::InDoubt | Self::Pending, E::Accepted)
            | (Self::Pending, E::Lost) => Ok(Self::Pending),
            (
                Self::Intended
                | Self::Sent
                | Self::InDoubt
                | Self::Pending
                | Self::Refunded
                | Self::Failed,
                E::Refunded,
            ) => Ok(Self::Refunded),
            (Self::Sent | Self::InDoubt | Self::Pending | Self::Failed, E::Refused) => {
                Ok(Self::Failed)
            }
            (from, event) => Err(InvalidTransition { from: from.word(), event: event.word() }),
        }
    }

    /// Whether it takes from what is left to refund: all but what surely did not happen.
    pub fn counts(self) -> bool {
        !matches!(self, Self::Failed | Self::Intended)
    }

    /// Whether QFPay may still have something to tell about it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Sent | Self::Pending | Self::InDoubt)
    }
}

#[cfg(test)]
mod tests;
