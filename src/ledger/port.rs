//! The port's methods, the same for both stores: each brings a scope, `open`, `change`, `add`, `take`
//! and a macro that reads.

macro_rules! ledger {
    ($ledger:ty, $read:ident) => {
        const _: () = {
            use async_trait::async_trait;
            use jiff::Timestamp;

            use $crate::{
                domain::{
                    Budget, OrderNumber, PaymentState, PaymentTerms, RefundState, RefundTerms,
                    Spent, Syssn,
                },
                ledger::{
                    Approval, ApprovalState, Asked, Caller, Check, Counted, Decision, Entry, Event,
                    EventFilter, Filter, Happening, Kind, LedgerError, News, Note, Noted, Opened,
                    Opening, Payment, Place, Refund, RefundOpened,
                    approval::ApprovalRow,
                    open::{Wanted, payment_change, refund_change},
                    rows::{EventRow, Row, readable, readable_events},
                    store::{Approvals as _, Chain as _, Lease, NewEvent, Store as _},
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

                async fn happened(
                    &self,
                    number: &OrderNumber,
                    most: u32,
                ) -> Result<Vec<Event>, LedgerError> {
                    $read!(self, happened(number, most)).into_iter().map(EventRow::event).collect()
                }

                async fn spent(
                    &self,
                    kind: Kind,
                    currency: &str,
                    budget: &Budget,
                ) -> Result<Spent, LedgerError> {
                    Ok($read!(self, spent(kind.word(), currency, budget)))
                }

                async fn ask_approval(
                    &self,
                    asked: &Asked,
                    note: Note<'_>,
                ) -> Result<Option<Approval>, LedgerError> {
                    let row = self.ask(asked.clone(), NewEvent::new(&note)).await?;
                    row.map(ApprovalRow::approval).transpose()
                }

                async fn approval(&self, code: &str) -> Result<Option<Approval>, LedgerError> {
                    $read!(self, approval(code)).map(ApprovalRow::approval).transpose()
                }

                async fn waiting(&self, now: Timestamp) -> Result<Vec<Approval>, LedgerError> {
                    let rows = $read!(self, waiting(now.as_millisecond()));
                    rows.into_iter().map(ApprovalRow::approval).collect()
                }

                async fn decide(
                    &self,
                    decision: &Decision,
                    note: Note<'_>,
                ) -> Result<bool, LedgerError> {
                    self.settle(decision.clone(), NewEvent::new(&note)).await
                }

                async fn use_up(&self, id: &str) -> Result<(), LedgerError> {
                    self.spoil(id.to_owned()).await
                }

                async fn lapse(&self, caller: &Caller, now: Timestamp) -> Result<(), LedgerError> {
                    let now_ms = now.as_millisecond();
                    for lapsed in $read!(self, lapsing(now_ms)) {
                        let Some(lapsed) = lapsed.lapsed() else { continue };
                        let why = match lapsed.was {
                            ApprovalState::Approved => "an approval was not used in time",
                            _ => "nobody answered in time",
                        };
                        let note = Note::new(caller, Happening::NotConfirmed);
                        let event = NewEvent::new(&note.saying(format!("{why} ({})", lapsed.code)));
                        self.end(lapsed, event, now_ms).await?;
                    }
                    Ok(())
                }

                async fn events(&self, filter: &EventFilter) -> Result<Vec<Event>, LedgerError> {
                    Ok(readable_events($read!(self, events(filter))))
                }

                async fn check(&self, check: &mut Check, limit: u32) -> Result<bool, LedgerError> {
                    let after = check.head().map_or(0, |it| it.rows);
                    let rows = $read!(self, chain(after, limit));
                    let more = u32::try_from(rows.len()).is_ok_and(|it| it == limit);
                    for row in rows {
                        check.next(row);
                    }
                    Ok(more)
                }

                async fn counted(&self) -> Result<Counted, LedgerError> {
                    let (at_start, last_id) = $read!(self, chain_start());
                    let mut counted =
                        Counted { at_start: at_start.unsigned_abs(), ..Counted::default() };
                    let mut after = i64::MIN;
                    loop {
                        let (rows, until) = $read!(self, count_events(after));
                        let Some(until) = until else { break };
                        let rows = rows.unsigned_abs();
                        let part =
                            if until <= last_id { &mut counted.before } else { &mut counted.since };
                        *part = part.saturating_add(rows);
                        after = until;
                    }
                    counted.waiting = $read!(self, chain_up()).unsigned_abs();
                    Ok(counted)
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
