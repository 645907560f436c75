//! QFPay tells of its own accord that something was paid or refunded: a reason to ask, no more.
//!
//! A notification is verified before it comes here. It is written down at once, and then QFPay is
//! asked how the order stands: only that answer changes anything (contract §5).
use super::Payments;
use crate::{
    client::{Kind, Notification, NotificationError},
    domain::{OrderNumber, PaymentEvent},
    ledger::{Caller, Entry, Happening, LedgerError, Note},
};

static CALLER: Caller = Caller::own("notification", "notify");

/// What a notification is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noticed {
    /// It is about an order of ours, which is being asked about.
    Asking,
    /// It tells what is known already.
    Known,
    /// It is about no order of this ledger; an operator finds it in the audit.
    Stranger,
}

/// How much speaks for a notification's being a merchant's, from nothing up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Belongs {
    /// The key is right, which others may have, too.
    Key,
    /// It names the merchant.
    Merchant,
    /// It is about an order of theirs.
    Order,
}

impl Payments {
    /// Whether a notification that may be one of several merchants' is this one's.
    pub async fn belongs(&self, body: &[u8], signature: Option<&str>) -> Result<Belongs, NotTaken> {
        let told = self.gateway.notification(body, signature)?;
        if let Some((_, None)) = self.whose(&told).await? {
            return Ok(Belongs::Order);
        }
        let named = told.mchid.is_some() && told.mchid == self.settings.mchid;
        Ok(if named { Belongs::Merchant } else { Belongs::Key })
    }

    /// Takes a notification in, once it is verified. When this returns it is on disk, and may be
    /// acknowledged; the question that it leads to goes on in a task of its own.
    pub async fn notified(
        &self,
        body: &[u8],
        signature: Option<&str>,
    ) -> Result<Noticed, NotTaken> {
        let told = self.gateway.notification(body, signature)?;
        let Some((number, stranger)) = self.whose(&told).await? else {
            self.note_it(None, &told, "it names no order").await?;
            return Ok(Noticed::Stranger);
        };
        if let Some(why) = stranger {
            self.note_it(Some(&number), &told, why).await?;
            return Ok(Noticed::Stranger);
        }
        if self.is_known(&number, &told).await? {
            return Ok(Noticed::Known);
        }
        self.note_it(Some(&number), &told, "").await?;
        let this = self.clone();
        self.tasks.spawn(async move {
            if let Err(refused) = this.order(&CALLER, &number).await {
                tracing::warn!(%number, %refused, "what a notification told was not confirmed yet");
            }
        });
        Ok(Noticed::Asking)
    }

    /// The order or refund it is about, and why it is none of ours, if it is none.
    async fn whose(
        &self,
        told: &Notification,
    ) -> Result<Option<(OrderNumber, Option<&'static str>)>, LedgerError> {
        let trade = &told.trade;
        // A refund made elsewhere has a number that nobody here knows; its payment's may be ours.
        let numbers = [trade.order.as_ref(), told.original_order.as_ref()];
        for number in numbers.into_iter().flatten() {
            let Some(entry) = self.ledger.find(number).await? else { continue };
            let own = trade.order.as_ref() == Some(number);
            return Ok(Some((number.clone(), self.mismatch(&entry, told, own))));
        }
        let first = numbers.into_iter().flatten().next();
        Ok(first.map(|it| (it.clone(), Some("no such order is in this ledger"))))
    }

    /// What speaks against its being about `entry`.
    fn mismatch(&self, entry: &Entry, told: &Notification, own: bool) -> Option<&'static str> {
        let ours = self.settings.mchid.as_deref();
        if ours.is_some() && told.mchid.as_deref().is_some_and(|it| Some(it) != ours) {
            return Some("it is another merchant's");
        }
        let amount = entry.amount();
        if own && told.trade.amount_minor != Some(amount.minor()) {
            return Some("its amount is another");
        }
        if told.trade.currency.is_some_and(|it| it != amount.currency()) {
            return Some("its currency is another");
        }
        None
    }

    /// Whether the ledger has it already: QFPay repeats a notification until it is acknowledged.
    async fn is_known(
        &self,
        number: &OrderNumber,
        told: &Notification,
    ) -> Result<bool, LedgerError> {
        let trade = &told.trade;
        let known = match self.ledger.find(number).await? {
            Some(Entry::Payment(it)) => {
                trade.kind == Kind::Payment
                    && it.syssn == trade.syssn
                    && it.state.was_paid()
                    && trade.payment_event() == PaymentEvent::Paid
            }
            Some(Entry::Refund(it)) => {
                trade.kind == Kind::Refund
                    && it.syssn == trade.syssn
                    && it.state.on(trade.refund_event()) == Ok(it.state)
            }
            None => false,
        };
        Ok(known)
    }

    async fn note_it(
        &self,
        number: Option<&OrderNumber>,
        told: &Notification,
        why: &str,
    ) -> Result<(), LedgerError> {
        if !why.is_empty() {
            tracing::warn!(number = number.map(OrderNumber::as_str), "a notification: {why}");
        }
        let respcd = Some(told.trade.respcd.clone()).filter(|it| !it.is_empty());
        let syssn = told.trade.syssn.as_ref().map(|it| format!(", syssn {it}")).unwrap_or_default();
        let why = if why.is_empty() { String::new() } else { format!("; {why}") };
        let detail = format!("{}{syssn}{why}", told.about);
        let note = Note { respcd, ..Note::new(&CALLER, Happening::Notified).saying(detail) };
        self.ledger.note(number, None, note, self.clock.now()).await
    }
}

/// Why a notification was not taken in; QFPay tells it again later.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    #[error(transparent)]
    NotBelieved(#[from] NotificationError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
