//! How news of a payment or refund is written down, whoever else is writing.
use super::Payments;
use crate::{
    domain::{OrderNumber, PaymentEvent, PaymentState, RefundEvent, RefundState},
    ledger::{Entry, Happening, LedgerError, News, Note, Payment, Record, Refund},
};

/// How often a change is tried again when another writer was faster.
const MAX_RACES: u32 = 10;

impl Payments {
    /// Writes down what `event` makes of a payment, whoever else is writing. An event that cannot
    /// happen to it any more is logged and changes nothing.
    pub(super) async fn settle_payment(
        &self,
        mut payment: Payment,
        event: PaymentEvent,
        news: &News,
        note: &Note<'_>,
    ) -> Result<Payment, LedgerError> {
        let judged = is_judgement(note);
        for _ in 0..MAX_RACES {
            let to = match payment.state.on(event) {
                Ok(to) => to,
                Err(error) => {
                    tracing::warn!(number = %payment.number, %error, "news came out of turn");
                    return Ok(payment);
                }
            };
            let ended = matches!(payment.state, PaymentState::Failed | PaymentState::Closed);
            let late = ended && to.was_paid();
            // The first number stays, unless another attempt under ours brought the money.
            // On a checkout page the latest attempt is the one that may be going on.
            let first = !to.was_paid() && !payment.terms.on_a_page();
            let known = payment.state.was_paid() || first;
            let keep = payment.syssn.is_some() && known;
            let syssn = news.syssn.clone().filter(|_| !keep);
            let news = News { syssn, late, ..news.clone() };
            if to == payment.state && !says_more(&news, &payment) {
                return Ok(payment);
            }
            let note = if late { late_success(note, payment.state.word()) } else { note.clone() };
            let now = self.clock.now();
            let settled = self.ledger.advance_payment(&payment, to, &news, note, now).await?;
            if let Some(settled) = settled {
                self.tell(&settled.number, settled.state != payment.state, late);
                return Ok(settled);
            }
            match self.ledger.find(&payment.number).await? {
                // A judgement was about how it stood before.
                Some(Entry::Payment(fresh)) if judged => return Ok(fresh),
                Some(Entry::Payment(fresh)) => payment = fresh,
                Some(Entry::Refund(_)) | None => break,
            }
        }
        Err(LedgerError::Store(format!("{} is changing all the time", payment.number).into()))
    }

    /// The same for a refund.
    pub(super) async fn settle_refund(
        &self,
        mut refund: Refund,
        event: RefundEvent,
        news: &News,
        note: &Note<'_>,
    ) -> Result<Refund, LedgerError> {
        let judged = is_judgement(note);
        for _ in 0..MAX_RACES {
            let to = match refund.state.on(event) {
                Ok(to) => to,
                Err(error) => {
                    tracing::warn!(number = %refund.number, %error, "news came out of turn");
                    return Ok(refund);
                }
            };
            let late = refund.state == RefundState::Failed && to == RefundState::Refunded;
            let news = News { late, ..news.clone() };
            if to == refund.state && !says_more(&news, &refund) {
                return Ok(refund);
            }
            let note = if late { late_success(note, refund.state.word()) } else { note.clone() };
            let now = self.clock.now();
            let settled = self.ledger.advance_refund(&refund, to, &news, note, now).await?;
            if let Some(settled) = settled {
                let moved = settled.state != refund.state;
                self.tell(&settled.number, moved, late);
                // Its payment stands otherwise now, too.
                if let Some(order) = settled.terms.order.as_ref().filter(|_| moved) {
                    self.changes.tell(order);
                }
                return Ok(settled);
            }
            match self.ledger.find(&refund.number).await? {
                Some(Entry::Refund(fresh)) if judged => return Ok(fresh),
                Some(Entry::Refund(fresh)) => refund = fresh,
                Some(Entry::Payment(_)) | None => break,
            }
        }
        Err(LedgerError::Store(format!("{} is changing all the time", refund.number).into()))
    }

    fn tell(&self, number: &OrderNumber, moved: bool, late: bool) {
        if late {
            tracing::error!(%number, "it was carried out although it had been taken for ended");
        }
        if moved {
            self.changes.tell(number);
        }
    }
}

/// Whether it is what we concluded from how an entry stood, rather than something QFPay said: where
/// somebody else has written meanwhile, the conclusion does not hold any more.
fn is_judgement(note: &Note<'_>) -> bool {
    matches!(note.what, Happening::GivenUp | Happening::NoAnswer | Happening::Silent)
}

/// Whether news would change anything besides the state.
fn says_more<Terms, State>(news: &News, known: &Record<Terms, State>) -> bool {
    (news.syssn.is_some() && news.syssn != known.syssn)
        || news.late
        || (news.respcd.is_some() && news.respcd != known.respcd)
        || news.shown.as_ref().is_some_and(|it| *it != known.shown)
}

/// The row of what was carried out although it had ended.
fn late_success<'a>(note: &Note<'a>, was: &str) -> Note<'a> {
    let detail = format!("it was `{was}` before; told by {}", note.what);
    Note { what: Happening::LateSuccess, detail: Some(detail), ..note.clone() }
}
