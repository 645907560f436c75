//! What the ledger alone knows of orders. Nothing here asks QFPay.
use super::{Found, OrderView};
use crate::{
    client::Trouble,
    domain::{OrderNumber, RefundState},
    ledger::{Entry, Event, Filter, LedgerError, Payment, Refund},
    payments::{Payments, Refused},
};

impl Payments {
    /// How an order stands as far as it was written down, by its number or that of one of its
    /// refunds; none where nothing was.
    pub async fn recall(&self, number: &OrderNumber) -> Result<Option<OrderView>, LedgerError> {
        let Some((payment, mut refunds)) = self.written(number).await? else { return Ok(None) };
        // What was only meant and never left is no refund.
        refunds.retain(|it| it.state != RefundState::Intended);
        Ok(Some(OrderView { refunds_complete: false, ..self.view(payment, refunds, &[]) }))
    }

    /// The last of what happened to an order and its refunds, oldest first and at most so many, and
    /// whether there is more before that. That somebody only asked is left out.
    pub async fn history(
        &self,
        order: &OrderView,
        most: u32,
    ) -> Result<(Vec<Event>, bool), LedgerError> {
        let mut numbers: Vec<&OrderNumber> = order.number.iter().collect();
        numbers.extend(order.refunds.iter().filter_map(|it| it.number.as_ref()));
        let mut events = Vec::new();
        for number in numbers {
            events.extend(self.ledger.happened(number, most.saturating_add(1)).await?);
        }
        events.sort_by_key(|it| it.id);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let more = events.len().saturating_sub(most);
        Ok((events.split_off(more), more > 0))
    }

    /// The latest payments, newest first, of the last `most` entries.
    pub async fn latest(&self, most: u32) -> Result<Vec<Payment>, LedgerError> {
        let entries = self.ledger.list(&Filter { limit: most, ..Filter::default() }).await?;
        let payment = |it| match it {
            Entry::Payment(payment) => Some(payment),
            Entry::Refund(_) => None,
        };
        Ok(entries.into_iter().filter_map(payment).collect())
    }

    /// An order for whoever waits no longer for QFPay's answer.
    pub(in crate::payments) async fn remembered(
        &self,
        number: &OrderNumber,
    ) -> Result<Found, Refused> {
        let Some(order) = self.recall(number).await? else { return Ok(Found::default()) };
        let trouble = Some(Trouble::Lost { reason: "QFPay has not answered yet".to_owned() });
        Ok(Found { orders: vec![order], trouble, ..Found::default() })
    }

    /// The payment that a number leads to, and its refunds.
    pub(in crate::payments) async fn written(
        &self,
        number: &OrderNumber,
    ) -> Result<Option<(Payment, Vec<Refund>)>, LedgerError> {
        let entry = match self.ledger.find(number).await? {
            Some(Entry::Refund(refund)) => self.ledger.find_by_syssn(&refund.terms.syssn).await?,
            found => found,
        };
        let Some(Entry::Payment(payment)) = entry else { return Ok(None) };
        let refunds = match &payment.syssn {
            Some(syssn) => self.ledger.refunds_of(syssn).await?,
            None => Vec::new(),
        };
        Ok(Some((payment, refunds)))
    }
}
