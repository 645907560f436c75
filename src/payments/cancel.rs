//! End an unpaid order: ask how it stands, cancel, ask again. Which call ends it says its pay type.
//!
//! What is paid is not refunded by this, but for a card's void on the day of the payment
//! (contract §1.4). What the cancellation came to, only the query after it tells.
use jiff::civil::DateTime;

use super::{Page, Payments, Refused, alone::Alone, query::OrderView};
use crate::{
    client::Trouble,
    domain::{Ending, OrderNumber, PaymentState},
    ledger::{Caller, Entry, Happening, News, Note},
    policy::Action,
    spec::{
        PayType,
        pay_types::Cancel,
        resp_codes::{Operation, Verdict},
    },
};

/// How an order stands after it was to be ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Cancelled {
    pub order: OrderView,
    /// Nothing was sent: there was nothing to end.
    pub untouched: bool,
    /// QFPay's answer to the cancellation: its code and text.
    pub answer: Option<(String, String)>,
    /// Whether QFPay said that it did not end it.
    pub refused: bool,
    /// Why there is no answer, or no news after it, if there is none.
    pub trouble: Option<Trouble>,
}

/// Why an order cannot be cancelled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCancellable {
    #[error("no such order is known, neither here nor at QFPay")]
    Unknown,
    #[error("order {number} is `{status}`: what was paid is not cancelled, but refunded")]
    Paid { number: OrderNumber, status: &'static str },
    #[error(
        "the payer has the address of a checkout page for order {number}, and nobody can take that \
         back"
    )]
    Page { number: OrderNumber, page: Option<Page> },
    #[error("{code} {name} has no call at QFPay that ends an order; it expires by itself")]
    PayType { code: &'static str, name: &'static str },
    #[error("QFPay does not say what order {0} is of: its amount, pay type or time is missing")]
    Unclear(OrderNumber),
}

impl From<NotCancellable> for Refused {
    fn from(why: NotCancellable) -> Self {
        Self::NotCancellable(why)
    }
}

impl Payments {
    /// Ends the order. It runs to its end even when the caller goes away. `may_refund` says whether
    /// the caller may give money back, which ending a paid card's order on its day does.
    pub async fn cancel(
        &self,
        caller: &Caller,
        number: OrderNumber,
        may_refund: bool,
    ) -> Result<Cancelled, Refused> {
        let (this, caller, at) = (self.clone(), caller.clone(), number.clone());
        let task = self.tasks.spawn(super::traced(async move {
            let result = this.cancel_once(&caller, &at, may_refund).await;
            this.audited(&caller, &at, None, result).await
        }));
        task.await
            .unwrap_or_else(|error| Err(Refused::Unrecorded { number, cause: error.to_string() }))
    }

    async fn cancel_once(
        &self,
        caller: &Caller,
        number: &OrderNumber,
        may_refund: bool,
    ) -> Result<Cancelled, Refused> {
        self.permit(Action::CancelPayment, None, None, None)?;
        let order = self.ordered(caller, number).await?;
        let pay_type = order.pay_type.map_or("unlisted", |it| it.code);
        let currency = order.amount.map(|it| it.currency().code);
        self.permit(Action::CancelPayment, Some(pay_type), currency, None)?;
        let voids = may_refund && self.settings.policy.voids(self.settings.environment);
        let Some(by) = which(number, &order, voids)? else {
            let order = self.never_sent(caller, number, order).await?;
            return Ok(untouched(order));
        };
        let ending = self.ending(number, &order).ok_or(NotCancellable::Unclear(number.clone()))?;
        let alone = self.alone_with(caller, &order, &ending).await?;
        let endpoint = by.endpoint().path();
        let about = Note::new(caller, Happening::CancelSent).saying(endpoint);
        // On disk before it leaves, as everything that can move money.
        self.ledger.note(Some(number), None, about, self.clock.now()).await?;
        let exchange = self.gateway.cancel(by, &ending).await;
        let (answer, refused, trouble) = match exchange {
            Ok(answer) => {
                let verdict = answer.reading(Operation::Cancel).verdict;
                (Some((answer.respcd, answer.resperr)), verdict == Verdict::Refused, None)
            }
            Err(trouble) => (None, false, Some(trouble)),
        };
        self.note_answer(caller, number, answer.as_ref(), trouble.as_ref()).await;
        let before = order.status;
        let (order, trouble) = match self.ordered(caller, number).await {
            Ok(fresh) => (fresh, trouble),
            Err(Refused::Unanswered(why)) => (order, trouble.or(Some(why))),
            Err(why) => (order, trouble.or(Some(Trouble::Lost { reason: why.to_string() }))),
        };
        // Anything else may still come about, and holds refunds off until the right ends by itself.
        let ended = refused || order.status != before;
        if let Some(alone) = alone.filter(|_| ended && trouble.is_none()) {
            self.done(alone).await;
        }
        Ok(Cancelled { order, untouched: false, answer, refused, trouble })
    }

    /// A void gives money back, so no refund may be on its way, nor begin meanwhile.
    async fn alone_with(
        &self,
        caller: &Caller,
        order: &OrderView,
        ending: &Ending,
    ) -> Result<Option<Alone>, Refused> {
        let Some(syssn) = ending.syssn.as_ref().filter(|_| order.status.was_paid()) else {
            return Ok(None);
        };
        let alone = self.alone(&ending.number, syssn).await?;
        // What was read before may have changed until it was ours.
        let refunds = self.ledger.refunds_of(syssn).await?;
        let other = refunds.into_iter().find(|it| it.state.counts());
        let refused = match (other, self.ordered(caller, &ending.number).await) {
            (Some(other), _) => Refused::RefundUnderWay(other.number),
            (None, Ok(fresh)) if fresh.status == order.status => return Ok(Some(alone)),
            (None, Ok(_)) => Refused::GivingBack(ending.number.clone()),
            (None, Err(refused)) => refused,
        };
        self.done(alone).await;
        Err(refused)
    }

    /// The order as it stands at QFPay now.
    async fn ordered(&self, caller: &Caller, number: &OrderNumber) -> Result<OrderView, Refused> {
        let found = self.order(caller, number).await?;
        if let Some(trouble) = found.trouble {
            return Err(Refused::Unanswered(trouble));
        }
        let order = found.orders.into_iter().next().ok_or(NotCancellable::Unknown)?;
        order.must_be(number)?;
        Ok(order)
    }

    /// What surely never left is closed here; anything else that is over stays as it is.
    pub(super) async fn never_sent(
        &self,
        caller: &Caller,
        number: &OrderNumber,
        order: OrderView,
    ) -> Result<OrderView, Refused> {
        if order.status != PaymentState::Intended {
            return Ok(order);
        }
        let Some(Entry::Payment(payment)) = self.ledger.find(number).await? else {
            return Ok(order);
        };
        let note = Note::new(caller, Happening::Learned).saying("cancelled before it was sent");
        let (to, news, now) = (PaymentState::Closed, News::default(), self.clock.now());
        let status = if payment.state == PaymentState::Intended
            && self.ledger.advance_payment(&payment, to, &news, note, now).await?.is_some()
        {
            to
        } else {
            // It was sent meanwhile.
            PaymentState::Sent
        };
        Ok(OrderView { status, ..order })
    }

    /// What QFPay wants to know of the order: its time as it was sent to it.
    fn ending(&self, number: &OrderNumber, order: &OrderView) -> Option<Ending> {
        let sent = order.asked_at.map(|at| at.to_zoned(self.settings.zone.clone()).datetime());
        let made_at: DateTime = order.txdtm.or(sent)?;
        let (number, syssn) = (number.clone(), order.syssn.clone());
        Some(Ending { number, syssn, amount: order.amount?, made_at })
    }

    async fn note_answer(
        &self,
        caller: &Caller,
        number: &OrderNumber,
        answer: Option<&(String, String)>,
        trouble: Option<&Trouble>,
    ) {
        let note = Note::new(caller, Happening::CancelAnswered);
        let note = match (answer, trouble) {
            (Some((respcd, resperr)), _) => {
                Note { respcd: Some(respcd.clone()), ..note.saying(resperr.clone()) }
            }
            (None, Some(trouble)) => note.saying(trouble.to_string()),
            (None, None) => note,
        };
        self.note(Some(number), None, note).await;
    }
}

fn untouched(order: OrderView) -> Cancelled {
    Cancelled { order, untouched: true, answer: None, refused: false, trouble: None }
}

/// The call that ends the order; none where there is nothing to end. `voids` says whether what was
/// paid may be given back this way.
fn which(number: &OrderNumber, order: &OrderView, voids: bool) -> Result<Option<Cancel>, Refused> {
    let pay_type = order.pay_type.ok_or(NotCancellable::Unclear(number.clone()))?;
    let paid = || NotCancellable::Paid { number: number.clone(), status: order.status.word() };
    match order.status {
        PaymentState::Intended
        | PaymentState::Failed
        | PaymentState::Closed
        | PaymentState::Refunded => Ok(None),
        // A void takes all of it back, so nothing of it may be on its way already.
        PaymentState::Paid if !voids || order.refunded_minor() > 0 => Err(paid().into()),
        PaymentState::Paid => Ok(Some(pay_type.void().ok_or_else(paid)?)),
        PaymentState::PartiallyRefunded => Err(paid().into()),
        PaymentState::AwaitingPayer => {
            Err(NotCancellable::Page { number: number.clone(), page: order.page }.into())
        }
        // Which way the payer chose on the page is not known, and the wrong call could give money back.
        PaymentState::Sent | PaymentState::InDoubt if order.page.is_some() => {
            Err(NotCancellable::Page { number: number.clone(), page: order.page }.into())
        }
        PaymentState::Sent | PaymentState::Pending | PaymentState::InDoubt => {
            let PayType { code, name, .. } = *pay_type;
            Ok(Some(pay_type.cancel.ok_or(NotCancellable::PayType { code, name })?))
        }
    }
}
