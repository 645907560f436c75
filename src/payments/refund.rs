//! Give money back, once, and never more than was paid.
//!
//! The order is asked about first: QFPay's number, its currency and what is left come from the
//! ledger and from QFPay's own records, never from the caller. Two refunds of one order never run
//! at once.
use super::{
    NotRefundable, Payments, Refused, answer_note,
    consent::{Needed, Yes},
    news_of, over,
    query::{Found, OrderView},
};
use crate::{
    client::{Trouble, refund_event},
    domain::{
        Amount, OrderNumber, PaymentEvent, PaymentState, RefundEvent, RefundState, RefundTerms,
        Spent, Syssn,
    },
    ledger::{
        Caller, Entry, Happening, LedgerError, News, Note, Opened, Opening, Refund, RefundOpened,
    },
    policy::Action,
    spec::{Field, PayType, pay_types::Refunds},
};

/// The payment to refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    Order(OrderNumber),
    Trade(Syssn),
}

/// A refund to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefund {
    pub of: Of,
    /// Digits, in minor units of the payment's currency; all that is left when none is given.
    pub amount: Option<String>,
    /// Ours when none is given.
    pub number: Option<OrderNumber>,
    /// A person's, where one has to say it.
    pub yes: Option<Yes>,
}

/// How a refund stands after it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct RefundReceipt {
    pub refund: Refund,
    /// The number was used before for the same: this is what was stored, nothing was sent.
    pub replayed: bool,
    /// Minor units of the payment that are left after it; none where it is not known.
    pub left_minor: Option<u64>,
    /// Why there is no answer of QFPay, if there is none.
    pub trouble: Option<Trouble>,
}

impl Payments {
    /// Makes the refund. It runs to its end even when the caller goes away.
    pub async fn refund(&self, caller: &Caller, new: NewRefund) -> Result<RefundReceipt, Refused> {
        let number = match (&new.number, &new.yes) {
            (Some(number), _) => number.clone(),
            // It was made when the person was asked.
            (None, Some(yes)) => yes.number.clone(),
            (None, None) => self.new_number('R')?,
        };
        let (this, caller, at) = (self.clone(), caller.clone(), number.clone());
        let task = self.tasks.spawn(super::traced(async move {
            let result = this.refund_once(&caller, &at, &new).await;
            this.audited(&caller, &at, None, result).await
        }));
        task.await
            .unwrap_or_else(|error| Err(Refused::Unrecorded { number, cause: error.to_string() }))
    }

    async fn refund_once(
        &self,
        caller: &Caller,
        number: &OrderNumber,
        new: &NewRefund,
    ) -> Result<RefundReceipt, Refused> {
        self.permit(Action::Refund, None, None, None)?;
        if let Some(receipt) = self.stored(number, new).await? {
            self.note(Some(number), None, Note::new(caller, Happening::Replayed)).await;
            return Ok(receipt);
        }
        let order = self.refundable(caller, &new.of).await?;
        let (syssn, paid) = (order.syssn.clone(), order.amount);
        let (Some(syssn), Some(paid)) = (syssn, paid) else {
            return Err(Refused::NotRefundable(NotRefundable::Unknown));
        };
        let others = self.ledger.refunds_of(&syssn).await?;
        if let Some(other) = others.iter().find(|it| it.state.is_open() && it.number != *number) {
            return Err(Refused::RefundUnderWay(other.number.clone()));
        }
        let amount = amount(new.amount.as_deref(), paid, &order)?;
        let budget = self.budget(Action::Refund, amount);
        let pay_type = order.pay_type.map_or("unlisted", |it| it.code);
        let permit = |spent| {
            let currency = Some(amount.currency().code);
            self.permit(Action::Refund, Some(pay_type), currency, Some((amount, spent)))
        };
        if permit(Spent::default()).is_err() {
            // Read only to tell all rules at once; the ledger holds the sums.
            return Err(over(permit(self.spent(Action::Refund, amount, budget).await?)));
        }
        let terms = RefundTerms { order: order.number.clone(), syssn, amount };
        let elsewhere = self.refunded_elsewhere(&order).await?;
        let goods = self.goods_of(&terms.syssn).await?;
        let left = order.refunded_minor().saturating_add(amount.minor());
        let left = paid.minor().saturating_sub(left);
        let question = self.about_refund(caller, number, &terms, goods.as_deref(), left);
        let given = new.number.as_ref();
        let opening = Opening {
            number,
            terms: &terms,
            // "All that is left" is no repeat of a refund of the same amount: it is left.
            unless_repeated_since: new.amount.as_ref().and_then(|_| self.guard(given)),
            budget,
            consent: &self.consent(&question, new.yes.clone()).await?,
            page: None,
            caller,
            now: self.clock.now(),
        };
        let limit = paid.minor().saturating_sub(elsewhere);
        match self.opened(opening, limit, &order).await? {
            RefundOpened::Opened(Opened::Sent(refund)) => {
                self.send_it(caller, refund, &order, paid).await
            }
            RefundOpened::Opened(Opened::Repeats(entry)) => Err(self.repeated(&entry)),
            RefundOpened::Opened(Opened::Taken(entry)) => {
                let refund = same_refund(entry, &terms)?;
                self.note(Some(number), None, Note::new(caller, Happening::Replayed)).await;
                Ok(replayed(refund))
            }
            RefundOpened::Opened(Opened::Over(spent)) => Err(over(permit(spent))),
            RefundOpened::Opened(Opened::Unconfirmed(why)) => {
                let order = terms.order;
                Err(Self::unconfirmed(why, Needed { question, amount, order }))
            }
            RefundOpened::Busy(other) => Err(Refused::RefundUnderWay(other)),
            RefundOpened::TooMuch { left_minor } => Err(too_much(amount, left_minor)),
        }
    }

    /// Opens the refund; of a card only while no void is on its way.
    async fn opened(
        &self,
        opening: Opening<'_, RefundTerms>,
        limit: u64,
        order: &OrderView,
    ) -> Result<RefundOpened, Refused> {
        if order.pay_type.and_then(PayType::void).is_none() {
            return Ok(self.ledger.open_refund(opening, limit).await?);
        }
        let (caller, syssn) = (opening.caller, opening.terms.syssn.clone());
        let number = order.number.as_ref().unwrap_or(opening.number).clone();
        let alone = self.alone(&number, &syssn).await?;
        // What was read before may have changed until it was ours.
        let opened = match self.refundable(caller, &Of::Trade(syssn)).await {
            Ok(fresh) if fresh.refunded_minor() == order.refunded_minor() => {
                self.ledger.open_refund(opening, limit).await.map_err(Refused::from)
            }
            Ok(_) => Err(Refused::GivingBack(number)),
            Err(refused) => Err(refused),
        };
        // From here on its own entry holds a void off.
        self.done(alone).await;
        opened
    }

    /// The answer that is already there, when the number was used before and the refund left.
    async fn stored(
        &self,
        number: &OrderNumber,
        new: &NewRefund,
    ) -> Result<Option<RefundReceipt>, Refused> {
        let Some(entry) = self.ledger.find(number).await? else { return Ok(None) };
        let Entry::Refund(refund) = entry else {
            let what = "a payment; a refund needs a number of its own".to_owned();
            return Err(Refused::Conflict { number: number.clone(), what });
        };
        let mut differences = Vec::new();
        match &new.of {
            Of::Order(order) if refund.terms.order.as_ref().is_some_and(|it| it != order) => {
                let order = refund.terms.order.as_ref().map(ToString::to_string);
                differences.push(format!("the payment was {}", order.unwrap_or_default()));
            }
            Of::Trade(syssn) if *syssn != refund.terms.syssn => {
                differences.push(format!("the payment was {}", refund.terms.syssn));
            }
            Of::Order(_) | Of::Trade(_) => {}
        }
        let minor = refund.terms.amount.minor().to_string();
        if new.amount.as_ref().is_some_and(|it| *it != minor) {
            differences.push(format!("the amount was {}", refund.terms.amount));
        }
        if !differences.is_empty() {
            let what = format!("a refund with other terms ({})", differences.join("; "));
            return Err(Refused::Conflict { number: number.clone(), what });
        }
        Ok((refund.state != RefundState::Intended).then(|| replayed(refund)))
    }

    /// The order as it stands at QFPay now, if it can be refunded at all.
    async fn refundable(&self, caller: &Caller, of: &Of) -> Result<OrderView, Refused> {
        let found = match of {
            Of::Order(number) => self.order(caller, number).await?,
            Of::Trade(syssn) => self.trade(caller, syssn).await?,
        };
        if let Some(problem) = names_a_refund(of, &found) {
            let argument = match of {
                Of::Order(_) => "out_trade_no",
                Of::Trade(_) => "syssn",
            };
            return Err(Refused::Argument { argument, problem });
        }
        if let Some(trouble) = found.trouble {
            return Err(Refused::Unanswered(trouble));
        }
        let paid = |it: &OrderView| it.status.was_paid();
        let order = found.orders.iter().find(|it| paid(it)).or(found.orders.first());
        let Some(order) = order else {
            return Err(Refused::NotRefundable(NotRefundable::Unknown));
        };
        if let Some(pay_type) = order.pay_type.filter(|it| it.refunds == Refunds::No) {
            let (code, name) = (pay_type.code, pay_type.name);
            return Err(Refused::NotRefundable(NotRefundable::PayType { code, name }));
        }
        let number = order.number.as_ref().map(ToString::to_string).unwrap_or_default();
        match order.status {
            PaymentState::Paid | PaymentState::PartiallyRefunded => Ok(order.clone()),
            PaymentState::Refunded => {
                Err(Refused::NotRefundable(NotRefundable::NothingLeft { number }))
            }
            PaymentState::Intended
            | PaymentState::Sent
            | PaymentState::AwaitingPayer
            | PaymentState::Pending
            | PaymentState::InDoubt
            | PaymentState::Failed
            | PaymentState::Closed => {
                let status = order.status.word();
                Err(Refused::NotRefundable(NotRefundable::Status { number, status }))
            }
        }
    }

    /// What was sold, as far as this ledger knows.
    async fn goods_of(&self, syssn: &Syssn) -> Result<Option<String>, LedgerError> {
        let found = self.ledger.find_by_syssn(syssn).await?;
        let Some(Entry::Payment(payment)) = found else { return Ok(None) };
        Ok(payment.terms.extras.get(&Field::GoodsName).cloned())
    }

    /// Minor units refunded by others than this ledger, which the ledger cannot count itself.
    async fn refunded_elsewhere(&self, order: &OrderView) -> Result<u64, Refused> {
        let Some(syssn) = &order.syssn else { return Ok(0) };
        let ours = self.ledger.refunds_of(syssn).await?;
        let others = order.refunds.iter().filter(|it| {
            it.status.counts() && ours.iter().all(|our| Some(&our.number) != it.number.as_ref())
        });
        Ok(others.filter_map(|it| it.amount.map(Amount::minor)).fold(0, u64::saturating_add))
    }

    /// "Sent" is on disk: from here on, it may have arrived.
    async fn send_it(
        &self,
        caller: &Caller,
        refund: Refund,
        order: &OrderView,
        paid: Amount,
    ) -> Result<RefundReceipt, Refused> {
        let number = refund.number.clone();
        let exchange = self.gateway.refund(&number, &refund.terms, refund.asked_at()).await;
        let event = refund_event(&exchange);
        let (news, trouble) = match exchange {
            Ok(answer) => (news_of(&answer), None),
            Err(trouble) => (News::default(), Some(trouble)),
        };
        if event == RefundEvent::Lost {
            tracing::warn!(%number, ?trouble, "the answer to a refund is in doubt");
        }
        let note = answer_note(caller, trouble.as_ref());
        let settled = async {
            // First: once the refund is over, nobody asks about it any more.
            if event == RefundEvent::Refunded {
                let made = order.refunded_minor().saturating_add(refund.terms.amount.minor());
                self.note_on_payment(caller, &refund, made >= paid.minor()).await?;
            }
            self.settle_refund(refund, event, &news, &note).await
        };
        let refund = settled.await.map_err(|error| Refused::Unrecorded {
            number: number.clone(),
            cause: error.to_string(),
        })?;
        let before = order.refunded_minor();
        let now = if refund.state.counts() { refund.terms.amount.minor() } else { 0 };
        let left = paid.minor().saturating_sub(before).saturating_sub(now);
        Ok(RefundReceipt { refund, replayed: false, left_minor: Some(left), trouble })
    }

    /// Marks the payment of a refund that turned out made, and is about to be written down. Refunds
    /// that others made are found by the next question about the payment itself.
    pub(super) async fn note_made(
        &self,
        caller: &Caller,
        refund: &Refund,
    ) -> Result<(), LedgerError> {
        let syssn = &refund.terms.syssn;
        let Some(Entry::Payment(payment)) = self.ledger.find_by_syssn(syssn).await? else {
            return Ok(());
        };
        let refunds = self.ledger.refunds_of(syssn).await?;
        let is_made =
            |it: &&Refund| it.state == RefundState::Refunded || it.number == refund.number;
        let made = refunds.iter().filter(is_made).map(|it| it.terms.amount.minor());
        let all = made.fold(0, u64::saturating_add) >= payment.terms.amount.minor();
        self.note_on_payment(caller, refund, all).await
    }

    /// Marks the payment of a refund that was made; `all` says that nothing is left of it.
    async fn note_on_payment(
        &self,
        caller: &Caller,
        refund: &Refund,
        all: bool,
    ) -> Result<(), LedgerError> {
        let event = if all { PaymentEvent::RefundedInFull } else { PaymentEvent::RefundedInPart };
        let found = self.ledger.find_by_syssn(&refund.terms.syssn).await?;
        let Some(Entry::Payment(payment)) = found else { return Ok(()) };
        let note = Note::new(caller, Happening::Learned)
            .saying(format!("refund {} was made", refund.number));
        self.settle_payment(payment, event, &News::default(), &note).await.map(|_| ())
    }
}

/// Why the number given is not the payment's, if it is that of one of its refunds.
fn names_a_refund(of: &Of, found: &Found) -> Option<String> {
    let order = found.orders.iter().find(|order| {
        order.refunds.iter().any(|refund| match of {
            Of::Order(number) => refund.number.as_ref() == Some(number),
            Of::Trade(syssn) => refund.syssn.as_ref() == Some(syssn),
        })
    })?;
    let payment = order.number.as_ref().map(ToString::to_string).unwrap_or_default();
    Some(format!("this is the number of a refund; give the payment's, `{payment}`"))
}

fn replayed(refund: Refund) -> RefundReceipt {
    RefundReceipt { refund, replayed: true, left_minor: None, trouble: None }
}

/// The amount to refund: what was asked for, within what is left.
fn amount(given: Option<&str>, paid: Amount, order: &OrderView) -> Result<Amount, Refused> {
    let number = || order.number.as_ref().map(ToString::to_string).unwrap_or_default();
    let unclear = !order.refunds_complete;
    let left = paid.less(order.refunded_minor());
    match given {
        None if unclear => {
            let number = number();
            Err(Refused::NotRefundable(NotRefundable::LeftUnknown { number }))
        }
        None => left
            .ok_or_else(|| Refused::NotRefundable(NotRefundable::NothingLeft { number: number() })),
        Some(text) => {
            let amount = Amount::parse(text, paid.currency()).map_err(|error| {
                Refused::Argument { argument: "amount", problem: error.to_string() }
            })?;
            let left_minor = left.map_or(0, Amount::minor);
            if amount.minor() > left_minor { Err(too_much(amount, left_minor)) } else { Ok(amount) }
        }
    }
}

fn too_much(amount: Amount, left_minor: u64) -> Refused {
    let left = crate::domain::amount::written(left_minor, amount.currency());
    let problem = format!(
        "`{}` ({amount}) is more than is left to refund, {left_minor} ({left})",
        amount.minor()
    );
    Refused::Argument { argument: "amount", problem }
}

/// The refund under a number that was used before, if it has the same terms.
fn same_refund(entry: Entry, terms: &RefundTerms) -> Result<Refund, Refused> {
    match entry {
        Entry::Payment(payment) => {
            let what = "a payment; a refund needs a number of its own".to_owned();
            Err(Refused::Conflict { number: payment.number, what })
        }
        Entry::Refund(refund) => {
            let differences = refund.terms.differences(terms);
            if differences.is_empty() {
                return Ok(refund);
            }
            let what = format!(
                "a refund with other terms ({}), which is {}",
                differences.join("; "),
                refund.state
            );
            Err(Refused::Conflict { number: refund.number, what })
        }
    }
}
