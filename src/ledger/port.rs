//! The port's methods, the same for both stores: each brings a scope, `open`, `change`, `add`, `take`
//! and a macro that reads.

macro_rules! ledger {
    ($ledger:ty, $read:ident) => {
        const _: () = {
            use async_trait::async_trait;
            use jiff::Timestamp;

            use $crate::{
                domain::{
                    OrderNumber, PaymentState, PaymentTerms, RefundState, RefundTerms, Syssn,
                },
                ledger::{
                    Entry, Event, Filter, LedgerError, News, Note, Noted, Opened, Opening, Payment,
                    Place, Refund, RefundOpened,
                    open::{Wanted, payment_change, refund_change},
                    rows::{EventRow, Row, readable},
                    store::{Lease, NewEvent, Store as _},
                },
            };

            #[async_trait]
            impl $crate::ledger::Ledger for $ledger {
                async fn open_payment(
                    &self,
                    opening: Opening<'_, PaymentTerms>,
                ) -> Result<Opened<Payment>, LedgerError> {
                    self.open(Wanted::payment(&self.scope, &opening)).await?.of_payment()
                }

                async fn open_refund(
                    &self,
                    opening: Opening<'_, RefundTerms>,
                    paid_minor: u64,
                ) -> Result<RefundOpened, LedgerError> {
                    let wanted = Wanted::refund(&self.scope, &opening, paid_minor);
                    Ok(self.open(wanted).await?.of_refund())
                }

                async fn advance_payment(
                    &self,
                    payment: &Payment,
                    to: PaymentState,
                    news: &News,
                    note: Note<'_>,
                    now: Timestamp,
                ) -> Result<Option<Payment>, LedgerError> {
                    let change = payment_change(&self.scope, payment, to, news, &note, now);
                    let ours = self.change(change).await?;
                    Ok(ours.then(|| payment.clone().changed(to, news, now)))
                }

                async fn advance_refund(
                    &self,
                    refund: &Refund,
                    to: RefundState,
                    news: &News,
                    note: Note<'_>,
                    now: Timestamp,
                ) -> Result<Option<Refund>, LedgerError> {
                    let change = refund_change(&self.scope, refund, to, news, &note, now);
                    let ours = self.change(change).await?;
                    Ok(ours.then(|| refund.clone().changed(to, news, now)))
                }

                async fn note(
                    &self,
                    number: Option<&OrderNumber>,
                    terms: Option<Noted<'_>>,
                    note: Note<'_>,
                    now: Timestamp,
                ) -> Result<(), LedgerError> {
                    let event = NewEvent::noted(&note, terms);
                    self.add(number.map(ToString::to_string), event, now.as_millisecond()).await
                }

                async fn find(&self, number: &OrderNumber) -> Result<Option<Entry>, LedgerError> {
                    $read!(self, find(number)).map(Row::entry).transpose()
                }

                async fn find_by_syssn(&self, syssn: &Syssn) -> Result<Option<Entry>, LedgerError> {
                    $read!(self, find_by_syssn(syssn)).map(Row::entry).transpose()
                }

                async fn refunds_of(&self, syssn: &Syssn) -> Result<Vec<Refund>, LedgerError> {
                    $read!(self, refunds(syssn.as_str())).into_iter().map(Row::refund).collect()
                }

                async fn unfinished(
                    &self,
                    after: Option<&Place>,
                    limit: u32,
                ) -> Result<Vec<Entry>, LedgerError> {
                    Ok(readable($read!(self, unfinished(after, limit))))
                }

                async fn list(&self, filter: &Filter) -> Result<Vec<Entry>, LedgerError> {
                    Ok(readable($read!(self, list(filter))))
                }

                async fn history(&self, number: &OrderNumber) -> Result<Vec<Event>, LedgerError> {
                    $read!(self, history(number)).into_iter().map(EventRow::event).collect()
                }

                async fn lease(
                    &self,
                    name: &str,
                    holder: &str,
                    until: Timestamp,
                    now: Timestamp,
                    force: bool,
                ) -> Result<bool, LedgerError> {
                    self.take(Lease::new(&self.scope, (name, holder), until, now, force)).await
                }
            }
        };
    };
}
pub(super) use ledger;
