//! Create a payment, once, however often it is asked for.
use jiff::Timestamp;

use super::{
    Page, Payments, Refused, answer_note,
    consent::{Needed, Yes},
    news_of, over,
};
use crate::{
    client::{Trouble, payment_event},
    domain::{OrderNumber, PaymentEvent, PaymentState, PaymentTerms, Spent},
    ledger::{Caller, Entry, Happening, News, Note, Noted, Opened, Opening, Payment},
    policy::Action,
    spec::Field,
};

/// A payment to make; every part already parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPayment {
    /// Ours when none is given.
    pub number: Option<OrderNumber>,
    pub terms: PaymentTerms,
    /// A person's, where one has to say it.
    pub yes: Option<Yes>,
}

/// How a payment stands after it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub payment: Payment,
    /// The number was used before for the same: this is what was stored, nothing was sent.
    pub replayed: bool,
    /// How its checkout page stands, where it is paid on one.
    pub page: Option<Page>,
    /// Why there is no answer of QFPay, if there is none.
    pub trouble: Option<Trouble>,
}

impl Payments {
    /// Makes the payment. It runs to its end even when the caller goes away.
    pub async fn create(&self, caller: &Caller, new: NewPayment) -> Result<Receipt, Refused> {
        let guard = self.guard(new.number.as_ref());
        let number = match (new.number, &new.yes) {
            (Some(number), _) => number,
            // It was made when the person was asked.
            (None, Some(yes)) => yes.number.clone(),
            (None, None) => self.new_number('P')?,
        };
        let (this, caller, at) = (self.clone(), caller.clone(), number.clone());
        let (terms, yes) = (new.terms, new.yes);
        let task = self.tasks.spawn(super::traced(async move {
            let result = this.create_once(&caller, &at, &terms, guard, yes).await;
            this.audited(&caller, &at, Some(Noted::Payment(&terms)), result).await
        }));
        task.await
            .unwrap_or_else(|error| Err(Refused::Unrecorded { number, cause: error.to_string() }))
    }

    /// Whom QFPay tells is the operator's to say, where they do.
    fn permit_notify_url(&self, terms: &PaymentTerms) -> Result<(), Refused> {
        let ours = self.settings.notify_url.as_ref();
        let given = terms.extras.get(&Field::NotifyUrl);
        if ours.zip(given).is_none_or(|(ours, given)| ours == given) {
            return Ok(());
        }
        // Which address that is may be a secret.
        let problem =
            "an operator set where QFPay reports results (QFPAY_NOTIFY_URL); leave it out"
                .to_owned();
        Err(Refused::Argument { argument: Field::NotifyUrl.name(), problem })
    }

    async fn create_once(
        &self,
        caller: &Caller,
        number: &OrderNumber,
        terms: &PaymentTerms,
        guard: Option<Timestamp>,
        yes: Option<Yes>,
    ) -> Result<Receipt, Refused> {
        self.permit_notify_url(terms)?;
        let budget = self.budget(Action::CreatePayment, terms.amount);
        // The sums are the ledger's to hold; here they are read only to tell all rules at once.
        if self.permit_payment(terms, Some(Spent::default())).is_err() {
            let spent = self.spent(Action::CreatePayment, terms.amount, budget).await?;
            let refused = over(self.permit_payment(terms, Some(spent)));
            // What left before there was such a limit is told all the same.
            if self.permit_payment(terms, None).is_err() {
                return Err(refused);
            }
            return self.left_before(caller, number, terms).await?.ok_or(refused);
        }
        let question = self.about_payment(caller, number, terms);
        let consent = &self.consent(&question, yes).await?;
        let now = self.clock.now();
        let page = &self.page_for(number, terms, now).await?;
        let (unless_repeated_since, page) = (guard, page.as_deref());
        let opening =
            Opening { number, terms, unless_repeated_since, budget, consent, page, caller, now };
        match self.ledger.open_payment(opening).await? {
            // The address is on disk, and may be given out; nothing is sent.
            Opened::Sent(payment) if page.is_some() => Ok(self.receipt(payment, false, None)),
            Opened::Sent(payment) => self.send(caller, payment, terms).await,
            Opened::Repeats(entry) => Err(self.repeated(&entry)),
            Opened::Taken(entry) => self.replayed(caller, entry, terms).await,
            Opened::Over(spent) => Err(over(self.permit_payment(terms, Some(spent)))),
            Opened::Unconfirmed(why) => {
                let (amount, order) = (terms.amount, Some(number.clone()));
                Err(Self::unconfirmed(why, Needed { question, amount, order }))
            }
        }
    }

    /// The address of its checkout page, where it is paid on one. The payer can do as much with it
    /// as QFPay with a request: nobody is told before it is written down and everybody agreed.
    async fn page_for(
        &self,
        number: &OrderNumber,
        terms: &PaymentTerms,
        now: Timestamp,
    ) -> Result<Option<String>, Refused> {
        if !terms.on_a_page() {
            return Ok(None);
        }
        let address = self.gateway.checkout(number, terms, now).await;
        address.map(Some).map_err(Refused::Unanswered)
    }

    fn receipt(&self, payment: Payment, replayed: bool, trouble: Option<Trouble>) -> Receipt {
        let page = self.page_of(&payment);
        Receipt { payment, replayed, page, trouble }
    }

    /// Whether a payment of these terms is open, and with what was `spent` inside the limits.
    fn permit_payment(&self, terms: &PaymentTerms, spent: Option<Spent>) -> Result<(), Refused> {
        let (amount, code) = (terms.amount, terms.pay_type.code);
        let money = spent.map(|it| (amount, it));
        self.permit(Action::CreatePayment, Some(code), Some(amount.currency().code), money)
    }

    /// What is stored under the number, if it was used and the payment left.
    async fn left_before(
        &self,
        caller: &Caller,
        number: &OrderNumber,
        terms: &PaymentTerms,
    ) -> Result<Option<Receipt>, Refused> {
        match self.ledger.find(number).await? {
            Some(Entry::Payment(it)) if it.state == PaymentState::Intended => Ok(None),
            Some(entry) => self.replayed(caller, entry, terms).await.map(Some),
            None => Ok(None),
        }
    }

    async fn replayed(
        &self,
        caller: &Caller,
        entry: Entry,
        terms: &PaymentTerms,
    ) -> Result<Receipt, Refused> {
        let payment = same_payment(entry, terms)?;
        self.note(Some(&payment.number), None, Note::new(caller, Happening::Replayed)).await;
        Ok(self.receipt(payment, true, None))
    }

    /// "Sent" is on disk: from here on, it may have arrived.
    async fn send(
        &self,
        caller: &Caller,
        sent: Payment,
        terms: &PaymentTerms,
    ) -> Result<Receipt, Refused> {
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
        let note = answer_note(caller, trouble.as_ref());
        match self.settle_payment(sent, event, &news, &note).await {
            Ok(payment) => Ok(self.receipt(payment, false, trouble)),
            Err(error) => Err(Refused::Unrecorded { number, cause: error.to_string() }),
        }
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
