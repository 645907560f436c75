//! Write down what QFPay's records say of our orders, and what it means that it has none.
use jiff::SignedDuration;

use super::records::{
    RECEIVED, accounts_for, best, best_refund, event_in, is_named, is_of, paid_again, rank,
};
use crate::{
    client::Trade,
    domain::{OrderNumber, PaymentEvent, PaymentState, RefundEvent, RefundState},
    ledger::{Caller, Entry, Event, Happening, LedgerError, News, Note, Payment, Record, Refund},
    payments::{Payments, news_in},
};

/// What is kept of something that QFPay does not know.
pub const NO_RECORD: &str = "QFPay has no record of it";
/// What is kept of a checkout page that ended without an order.
pub const NOBODY_CHOSE: &str = "nobody paid on the checkout page";
/// How payments stand that we gave up ourselves, and what is kept of them.
pub const GIVEN_UP: [(PaymentState, &str); 2] =
    [(PaymentState::Failed, NO_RECORD), (PaymentState::Closed, NOBODY_CHOSE)];
/// Longer than any call of ours takes to get its answer and write it down: whoever sent it before
/// then waits no more.
const LONGEST_CALL: SignedDuration = SignedDuration::from_mins(6);

/// What QFPay was asked for, beyond what it answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// Every month in which the payment and its refunds can stand.
    pub(super) all: bool,
    /// Every refund of the payment, or by numbers under which it finds refunds.
    pub(super) refunds: bool,
}

/// For how long QFPay has had no record of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silence {
    /// Longer than any call takes.
    Odd,
    /// So long that it cannot have arrived.
    Long,
}

impl Payments {
    /// Writes down what QFPay says of a payment and its refunds.
    pub(super) async fn settle(
        &self,
        caller: &Caller,
        payment: Payment,
        refunds: Vec<Refund>,
        trades: &[Trade],
        asked: Asked,
    ) -> Result<(Payment, Vec<Refund>), LedgerError> {
        let missing = asked.all
            && match best(trades, &payment).and_then(|it| it.cancel) {
                Some(0) => true,
                // Some were made: those account for it, and one that is not among them was not.
                Some(1 | 3 | 5) => asked.refunds && accounts_for(trades, &payment),
                Some(_) | None => false,
            };
        let payment = self.learn_payment(caller, payment, trades, asked.all).await?;
        let mut settled = Vec::new();
        for refund in refunds {
            settled.push(self.learn_refund(caller, refund, trades, missing).await?);
        }
        Ok((payment, settled))
    }

    /// Writes down what QFPay's records say of a payment. With `all` they are all there can be:
    /// what is not among them long after it was sent never arrived.
    pub(in crate::payments) async fn learn_payment(
        &self,
        caller: &Caller,
        payment: Payment,
        trades: &[Trade],
        all: bool,
    ) -> Result<Payment, LedgerError> {
        let page = self.page_of(&payment);
        if let Some(trade) = best(trades, &payment) {
            self.tell_of_more(caller, &payment, trades).await?;
            let note = Note::new(caller, Happening::Learned);
            let event = event_in(trade, &payment, page);
            return self.settle_payment(payment, event, &news_in(trade), &note).await;
        }
        // A record under its number that we cannot match is still a record.
        let unknown = matches!(
            payment.state,
            PaymentState::Sent | PaymentState::InDoubt | PaymentState::AwaitingPayer
        ) && !is_named(trades, &payment.number);
        if page.is_some_and(|it| !it.over) || !all || !unknown {
            return Ok(payment);
        }
        let note = Note::new(caller, Happening::GivenUp);
        if payment.state == PaymentState::AwaitingPayer {
            let news = no_record(NOBODY_CHOSE);
            return self.settle_payment(payment, PaymentEvent::Closed, &news, &note).await;
        }
        match self.silence(&payment) {
            Some(Silence::Long) if payment.state == PaymentState::InDoubt => {
                let news = no_record(NO_RECORD);
                self.settle_payment(payment, PaymentEvent::Refused, &news, &note).await
            }
            Some(_) if payment.state == PaymentState::Sent => {
                let note = Note::new(caller, Happening::Silent);
                self.settle_payment(payment, PaymentEvent::Lost, &News::default(), &note).await
            }
            Some(_) | None => Ok(payment),
        }
    }

    /// Writes down, once, that a number was paid more than once, and tells the operator.
    async fn tell_of_more(
        &self,
        caller: &Caller,
        payment: &Payment,
        trades: &[Trade],
    ) -> Result<(), LedgerError> {
        let more = paid_again(trades, payment).filter(|it| is_of(it, payment));
        let more: Vec<String> =
            more.filter_map(|it| it.syssn.as_ref().map(|syssn| format!("syssn {syssn}"))).collect();
        if more.is_empty() {
            return Ok(());
        }
        let known = self.ledger.history(&payment.number).await?;
        for detail in more {
            let told =
                |it: &&Event| it.what == Happening::PaidAgain && it.detail == Some(detail.clone());
            if known.iter().any(|it| told(&it)) {
                continue;
            }
            tracing::error!(number = %payment.number, detail, "it was paid more than once");
            let note = Note::new(caller, Happening::PaidAgain).saying(detail);
            self.ledger.note(Some(&payment.number), None, note, self.clock.now()).await?;
        }
        Ok(())
    }

    /// The same for a refund. One that QFPay said it works on can stay so until the next day. Its
    /// payment is marked before a refund is over, so that nothing is left to do once it is.
    pub(in crate::payments) async fn learn_refund(
        &self,
        caller: &Caller,
        refund: Refund,
        trades: &[Trade],
        missing: bool,
    ) -> Result<Refund, LedgerError> {
        if let Some(trade) = best_refund(trades, &refund) {
            if trade.refund_event() == RefundEvent::Refunded
                && refund.state != RefundState::Refunded
            {
                // In a box, because every query and recovery has one of these in it.
                Box::pin(self.note_made(caller, &refund)).await?;
            }
            let note = Note::new(caller, Happening::Learned);
            return self.settle_refund(refund, trade.refund_event(), &news_in(trade), &note).await;
        }
        let unknown = matches!(refund.state, RefundState::Sent | RefundState::InDoubt)
            && !is_named(trades, &refund.number);
        match self.silence(&refund).filter(|_| unknown) {
            Some(Silence::Long) if missing && refund.state == RefundState::InDoubt => {
                let note = Note::new(caller, Happening::GivenUp);
                let news = no_record(NO_RECORD);
                self.settle_refund(refund, RefundEvent::Refused, &news, &note).await
            }
            Some(_) if refund.state == RefundState::Sent => {
                let note = Note::new(caller, Happening::Silent);
                self.settle_refund(refund, RefundEvent::Lost, &News::default(), &note).await
            }
            Some(_) | None => Ok(refund),
        }
    }

    /// What it means that QFPay has no record of something. A machine that slept wakes with calls
    /// that are hours old and only now leave: so what was `sent` is in doubt first, and is given up
    /// no sooner than any such call has ended.
    fn silence<T, S>(&self, record: &Record<T, S>) -> Option<Silence> {
        let now = self.clock.now();
        let (age, still) =
            (now.duration_since(record.asked_at()), now.duration_since(record.updated_at));
        if age > self.settings.give_up_after && still > LONGEST_CALL {
            return Some(Silence::Long);
        }
        (age > LONGEST_CALL).then_some(Silence::Odd)
    }

    /// Writes down the good news that a list has of orders of ours. Bad news
    /// is left to a question about the order itself: another record of it may stand elsewhere.
    /// A ledger that fails here is only logged: QFPay's records are the answer.
    pub(super) async fn settle_all(&self, caller: &Caller, trades: &[Trade]) {
        for trade in trades {
            let Some(number) = &trade.order else { continue };
            if let Err(error) = self.settle_one(caller, number, trade).await {
                tracing::warn!(%number, %error, "news of an order could not be written down");
            }
        }
    }

    async fn settle_one(
        &self,
        caller: &Caller,
        number: &OrderNumber,
        trade: &Trade,
    ) -> Result<(), LedgerError> {
        let note = Note::new(caller, Happening::Learned);
        let event = trade.payment_event();
        match self.ledger.find(number).await? {
            Some(Entry::Payment(it)) if is_of(trade, &it) && rank(event) == RECEIVED => {
                self.settle_payment(it, event, &news_in(trade), &note).await?;
            }
            Some(Entry::Refund(it)) if best_refund(std::slice::from_ref(trade), &it).is_some() => {
                self.learn_refund(caller, it, std::slice::from_ref(trade), false).await?;
            }
            Some(_) | None => {}
        }
        Ok(())
    }
}

/// What is new about something that never arrived, or never came about.
fn no_record(why: &str) -> News {
    News { resperr: Some(why.to_owned()), ..News::default() }
}
