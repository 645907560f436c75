//! Create a payment, once, however often it is asked for.
use super::{Payments, Refused, news_of};
use crate::{
    client::{Trouble, payment_event},
    domain::{OrderNumber, PaymentEvent, PaymentState, PaymentTerms},
    ledger::{Entry, News, Payment, Reserved},
    policy::Action,
};

/// A payment to make; every part already parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayment {
    /// Ours when none is given.
    pub number: Option<OrderNumber>,
    pub terms: PaymentTerms,
}

/// How a payment stands after it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub payment: Payment,
    /// The number was used before for the same: this is what was stored, nothing was sent.
    pub replayed: bool,
    /// Why there is no answer of QFPay, if there is none.
    pub trouble: Option<Trouble>,
}

impl Payments {
    /// Makes the payment. It runs to its end even when the caller goes away.
    pub async fn create(&self, new: NewPayment) -> Result<Receipt, Refused> {
        let currency = new.terms.amount.currency().code;
        self.permit(Action::CreatePayment, Some(new.terms.pay_type.code), Some(currency))?;
        let number = match &new.number {
            Some(number) => number.clone(),
            None => self.new_number('P')?,
        };
        let (this, terms, at) = (self.clone(), new.terms, number.clone());
        let task = self.tasks.spawn(async move { this.create_once(&at, &terms).await });
        task.await
            .unwrap_or_else(|error| Err(Refused::Unrecorded { number, cause: error.to_string() }))
    }

    async fn create_once(
        &self,
        number: &OrderNumber,
        terms: &PaymentTerms,
    ) -> Result<Receipt, Refused> {
        let reserved = self.ledger.reserve_payment(number, terms, self.clock.now()).await?;
        let payment = match reserved {
            Reserved::New(payment) => payment,
            Reserved::Taken(entry) => {
                let payment = same_payment(entry, terms)?;
                if payment.state != PaymentState::Intended {
                    return Ok(Receipt { payment, replayed: true, trouble: None });
                }
                payment
            }
        };
        let Ok(to) = payment.state.on(PaymentEvent::Send) else {
            return self.sent_by_another(payment).await;
        };
        let now = self.clock.now();
        let Some(sent) = self.ledger.advance_payment(&payment, to, &News::default(), now).await?
        else {
            return self.sent_by_another(payment).await;
        };
        self.send(sent, terms).await
    }

    /// "Sent" is on disk: from here on, it may have arrived.
    async fn send(&self, sent: Payment, terms: &PaymentTerms) -> Result<Receipt, Refused> {
        let exchange = self.gateway.pay(&sent.number, terms, sent.asked_at()).await;
        let event = payment_event(&exchange, terms.pay_type.flow);
        let (news, trouble) = match exchange {
            Ok(answer) => (news_of(&answer), None),
            Err(trouble) => (News::default(), Some(trouble)),
        };
        if event == PaymentEvent::Lost {
            tracing::warn!(number = %sent.number, ?trouble, "the answer to a payment is in doubt");
        }
        let number = sent.number.clone();
        match self.settle_payment(sent, event, &news).await {
            Ok(payment) => Ok(Receipt { payment, replayed: false, trouble }),
            Err(error) => Err(Refused::Unrecorded { number, cause: error.to_string() }),
        }
    }

    /// Another call was faster: how it stands there.
    async fn sent_by_another(&self, payment: Payment) -> Result<Receipt, Refused> {
        let payment = match self.ledger.find(&payment.number).await? {
            Some(Entry::Payment(fresh)) => fresh,
            Some(Entry::Refund(_)) | None => payment,
        };
        Ok(Receipt { payment, replayed: true, trouble: None })
    }
}

/// The payment under a number that was used before, if it has the same terms.
fn same_payment(entry: Entry, terms: &PaymentTerms) -> Result<Payment, Refused> {
    match entry {
        Entry::Refund(refund) => {
            let what = format!("a refund of {}, which is {}", refund.terms.amount, refund.state);
            Err(Refused::Conflict { number: refund.number, what })
        }
        Entry::Payment(payment) => {
            let differences = payment.terms.differences(terms);
            if differences.is_empty() {
                return Ok(payment);
            }
            let what = format!(
                "a payment with other terms ({}), which is {}",
                differences.join("; "),
                payment.state
            );
            Err(Refused::Conflict { number: payment.number, what })
        }
    }
}
