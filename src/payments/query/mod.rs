//! Ask how orders stand: the ledger and QFPay together, refunds beside their payment.
//!
//! QFPay looks numbers up in one calendar month at a time (contract §1.2). Nobody who asks needs to
//! know: an order of ours is looked for in its month, any other month by month into the past.
use jiff::civil::DateTime;

use super::{Page, Payments, Refused};
use crate::{
    client::{self, Kind, Query, Trade},
    domain::{
        OrderNumber, PaymentEvent, RefundState, Syssn,
        time::{self, Window},
    },
    ledger::{Caller, Entry, Happening, Note, Payment, Refund},
    policy::Action,
};

mod learn;
mod recall;
mod records;
mod view;

pub(super) use self::view::{payment_state, refund_state};
use self::{
    learn::Asked,
    records::{best, best_refund, event_in, finds_refunds, paid_again, rank},
    view::{grouped, raw},
};
pub use self::{
    learn::{GIVEN_UP, NO_RECORD, NOBODY_CHOSE},
    view::{Found, MOST_RAW, OrderView, RefundView},
};

/// How many months back an order that the ledger does not know is looked for.
pub const MONTHS_BACK: usize = 13;
/// Most records that one question reads through.
pub const MAX_RECORDS: usize = 1000;
/// Most records of one page (contract §1.2).
pub(super) const MAX_PAGE_SIZE: u32 = 100;
/// Most numbers that one question names.
const MAX_NUMBERS: usize = 100;

/// What to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Find {
    /// By our number, of a payment or of a refund.
    Order(OrderNumber),
    /// By QFPay's number, of a payment or of a refund.
    Trade(Syssn),
    /// Everything in a span of time, narrowed and in pages.
    Span(Span),
}

/// A span of QFPay's time (UTC+8), in pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub start: DateTime,
    pub end: DateTime,
    pub pay_type: Option<String>,
    pub respcd: Option<String>,
    /// From 1.
    pub page: u32,
    /// From 1 to 100.
    pub page_size: u32,
}

impl Payments {
    /// What is known now. Whatever QFPay says of our orders is written down on the way.
    pub async fn query(&self, caller: &Caller, find: Find) -> Result<Found, Refused> {
        let found = self.ask_for(caller, &find).await;
        self.note_asked(caller, &find, &found);
        found
    }

    async fn ask_for(&self, caller: &Caller, find: &Find) -> Result<Found, Refused> {
        self.permit(Action::QueryTransaction, None, None, None)?;
        match find {
            Find::Order(number) => self.order(caller, number).await,
            Find::Trade(syssn) => self.trade(caller, syssn).await,
            Find::Span(span) => self.span(caller, span).await,
        }
    }

    /// Writes down that somebody asked, and what was told, without keeping the answer waiting.
    fn note_asked(&self, caller: &Caller, find: &Find, found: &Result<Found, Refused>) {
        let what = if found.is_ok() { Happening::Asked } else { Happening::Refused };
        let about = match find {
            Find::Order(number) => number.to_string(),
            Find::Trade(syssn) => format!("syssn {syssn}"),
            Find::Span(span) => format!("{} to {}", span.start, span.end),
        };
        let told = match found {
            Ok(found) => {
                let status = found.orders.first().map_or("not found", |it| it.status.word());
                format!("{about}: {} orders, {status}", found.orders.len())
            }
            Err(refused) => format!("{about}: {refused}"),
        };
        let number = match (find, found) {
            (Find::Order(number), _) => Some(number.clone()),
            (Find::Trade(_), Ok(found)) => found.orders.first().and_then(|it| it.number.clone()),
            (Find::Trade(_) | Find::Span(_), _) => None,
        };
        let (this, caller) = (self.clone(), caller.clone());
        self.tasks.spawn(super::traced(async move {
            this.note(number.as_ref(), None, Note::new(&caller, what).saying(told)).await;
        }));
    }

    /// An order by our number.
    pub(super) async fn order(
        &self,
        caller: &Caller,
        number: &OrderNumber,
    ) -> Result<Found, Refused> {
        match self.ledger.find(number).await? {
            Some(Entry::Payment(payment)) => self.known(caller, payment).await,
            Some(Entry::Refund(refund)) => self.by_syssn(caller, &refund.terms.syssn, false).await,
            None => {
                let query = Query { orders: vec![number.clone()], ..Query::default() };
                self.unknown(caller, query, self.months_back(), true).await
            }
        }
    }

    /// An order by QFPay's number, or by the number of one of its refunds.
    pub(super) async fn trade(&self, caller: &Caller, syssn: &Syssn) -> Result<Found, Refused> {
        self.by_syssn(caller, syssn, true).await
    }

    /// `hop` says whether a refund's record may lead on to its payment; once is enough.
    async fn by_syssn(&self, caller: &Caller, syssn: &Syssn, hop: bool) -> Result<Found, Refused> {
        match self.ledger.find_by_syssn(syssn).await? {
            Some(Entry::Payment(payment)) => return self.known(caller, payment).await,
            Some(Entry::Refund(refund)) if hop => {
                return Box::pin(self.by_syssn(caller, &refund.terms.syssn, false)).await;
            }
            Some(Entry::Refund(_)) | None => {}
        }
        let query = Query { syssns: vec![syssn.clone()], ..Query::default() };
        let months = match syssn.day() {
            Some(day) => vec![Window::month_of(day)],
            None => self.months_back(),
        };
        self.unknown(caller, query, months, hop).await
    }

    fn view(&self, payment: Payment, refunds: Vec<Refund>, trades: &[Trade]) -> OrderView {
        let page = self.page_of(&payment);
        view::view(payment, refunds, trades, page)
    }

    /// An order of our ledger, with its refunds.
    async fn known(&self, caller: &Caller, payment: Payment) -> Result<Found, Refused> {
        let refunds = match &payment.syssn {
            Some(syssn) => self.ledger.refunds_of(syssn).await?,
            None => Vec::new(),
        };
        let day_of = |syssn: &Option<Syssn>| syssn.as_ref().and_then(Syssn::day);
        let days = std::iter::once(day_of(&payment.syssn))
            .chain(refunds.iter().map(|it| day_of(&it.syssn)));
        let by_number = days.flatten().map(Window::month_of);
        let by_time = refunds.iter().map(Refund::asked_at).chain([payment.asked_at()]);
        let mut months: Vec<Window> = Vec::new();
        for month in by_time.flat_map(Self::months_around).chain(by_number) {
            if !months.contains(&month) {
                months.push(month);
            }
        }
        let numbers = refunds.iter().map(|it| it.number.clone());
        let orders: Vec<OrderNumber> =
            std::iter::once(payment.number.clone()).chain(numbers).take(MAX_NUMBERS).collect();
        let query = Query { orders, ..Query::default() };
        let mut trades = Vec::new();
        let mut trouble = None;
        for window in months {
            match self.read_through(&query, &[window], MAX_RECORDS).await {
                Ok(found) => trades.extend(found),
                Err(Refused::Unanswered(why)) => trouble = Some(why),
                Err(refused) => return Err(refused),
            }
        }
        let by_number = finds_refunds(&trades, &refunds);
        let complete = self.add_refunds_elsewhere(&mut trades).await;
        let known = (payment.clone(), refunds.clone());
        // A number that was not asked for, or stands beyond what was read, is not missing.
        let all = trouble.is_none() && refunds.len() < MAX_NUMBERS && trades.len() < MAX_RECORDS;
        let asked = Asked { all, refunds: complete || by_number };
        let page = self.page_of(&payment);
        let settled = self.settle(caller, payment, refunds, &trades, asked).await;
        // What QFPay says is told even where it cannot be written down now.
        let unwritten = settled.as_ref().err().map(ToString::to_string);
        let (payment, mut refunds) =
            settled.unwrap_or_else(|_| unwritten_view(known, &trades, page));
        // What was only meant and never left is no refund.
        refunds.retain(|it| it.state != RefundState::Intended);
        let again: Vec<Trade> = paid_again(&trades, &payment).cloned().collect();
        let order =
            OrderView { refunds_complete: complete, ..self.view(payment, refunds, &trades) };
        let orders = std::iter::once(order).chain(grouped(&again).orders).collect();
        Ok(Found { orders, raw: raw(&trades), trouble, unwritten, ..Found::default() })
    }

    /// An order that our ledger does not know: the latest of `months` that has it.
    async fn unknown(
        &self,
        caller: &Caller,
        query: Query,
        months: Vec<Window>,
        hop: bool,
    ) -> Result<Found, Refused> {
        for window in months {
            let mut trades = self.read_through(&query, &[window], MAX_RECORDS).await?;
            if trades.is_empty() {
                continue;
            }
            let payment = trades.iter().find(|it| it.kind == Kind::Payment);
            let original = trades.iter().find_map(|it| it.original.clone());
            if let (None, Some(original), true) = (payment, original, hop) {
                return Box::pin(self.by_syssn(caller, &original, false)).await;
            }
            let complete = self.add_refunds_elsewhere(&mut trades).await;
            // The record that tells how the order stands comes first.
            trades.sort_by_key(|it| std::cmp::Reverse(rank(it.payment_event())));
            let mut found = grouped(&trades);
            found.orders.iter_mut().for_each(|it| it.refunds_complete = complete);
            return Ok(found);
        }
        Ok(Found::default())
    }

    /// Everything in a span of time, a month at a time.
    async fn span(&self, caller: &Caller, span: &Span) -> Result<Found, Refused> {
        let windows = Window::by_month(span.start, span.end, MONTHS_BACK);
        let wanted =
            usize::try_from(span.page.saturating_mul(span.page_size)).unwrap_or(MAX_RECORDS);
        let narrowed = Query {
            pay_type: span.pay_type.clone(),
            respcd: span.respcd.clone(),
            ..Query::default()
        };
        let (trades, more) = match windows.as_slice() {
            [window] => {
                let query = Query {
                    window: Some(*window),
                    page: Some(span.page),
                    page_size: Some(span.page_size),
                    ..narrowed
                };
                let trades = self.ask(&query).await?.trades;
                let full = usize::try_from(span.page_size).is_ok_and(|it| trades.len() >= it);
                (trades, full)
            }
            windows => {
                let trades =
                    self.read_through(&narrowed, windows, wanted.saturating_add(1)).await?;
                let size = usize::try_from(span.page_size).unwrap_or(MAX_RECORDS);
                let more = trades.len() > wanted || trades.len() >= MAX_RECORDS;
                let from = wanted.saturating_sub(size);
                (trades.into_iter().skip(from).take(size).collect(), more)
            }
        };
        self.settle_all(caller, &trades).await;
        Ok(Found { more, ..grouped(&trades) })
    }

    /// The first `most` records of several months, oldest month first.
    pub(super) async fn read_through(
        &self,
        narrowed: &Query,
        windows: &[Window],
        most: usize,
    ) -> Result<Vec<Trade>, Refused> {
        let most = most.min(MAX_RECORDS);
        let mut trades = Vec::new();
        for window in windows {
            for page in 1.. {
                let query = Query {
                    window: Some(*window),
                    page: Some(page),
                    page_size: Some(MAX_PAGE_SIZE),
                    ..narrowed.clone()
                };
                let found = self.ask(&query).await?.trades;
                let last = found.len() < 100;
                trades.extend(found.into_iter().filter(|it| asked_for(it, narrowed)));
                if trades.len() >= most {
                    return Ok(trades);
                }
                if last {
                    break;
                }
            }
        }
        Ok(trades)
    }

    /// Adds the refunds that QFPay says were made and that `trades` do not account for: made in
    /// the merchant portal, say. QFPay cannot be asked for the refunds of a payment, so the months
    /// since then are read through. False where that did not find all of them for sure.
    async fn add_refunds_elsewhere(&self, trades: &mut Vec<Trade>) -> bool {
        let refunded = trades.iter().find(|it| {
            let ended = matches!(
                it.payment_event(),
                PaymentEvent::Closed | PaymentEvent::Refused | PaymentEvent::Accepted
            );
            let gone = !matches!(it.cancel, Some(0 | 4)) && !ended;
            it.kind == Kind::Payment && gone && it.syssn.is_some()
        });
        let Some(payment) = refunded else { return true };
        let is_refund = |it: &&Trade| it.kind == Kind::Refund && it.original == payment.syssn;
        let known = trades.iter().filter(is_refund).filter_map(|it| it.amount_minor);
        if payment.amount_minor.is_some_and(|paid| known.fold(0, u64::saturating_add) >= paid) {
            return true;
        }
        let (Some(made_at), syssn) = (payment.made_at, payment.syssn.clone()) else { return false };
        let pay_type = payment.pay_type.map(|it| it.code.to_owned());
        let now = self.clock.now().to_zoned(time::qfpay_zone()).datetime();
        let windows = Window::by_month(made_at, now, MONTHS_BACK);
        let narrowed = Query { pay_type, ..Query::default() };
        let Ok(found) = self.read_through(&narrowed, &windows, MAX_RECORDS).await else {
            return false;
        };
        let complete = found.len() < MAX_RECORDS;
        let seen: Vec<Option<Syssn>> = trades.iter().map(|it| it.syssn.clone()).collect();
        trades.extend(found.into_iter().filter(|it| {
            it.kind == Kind::Refund && it.original == syssn && !seen.contains(&it.syssn)
        }));
        complete
    }

    /// Asks QFPay, and tells its refusal of the question apart from an empty answer.
    pub(super) async fn ask(&self, query: &Query) -> Result<client::Page, Refused> {
        let page = self.gateway.query(query).await.map_err(Refused::Unanswered)?;
        if page.respcd == "0000" {
            return Ok(page);
        }
        Err(Refused::QueryRefused { respcd: page.respcd, resperr: page.resperr })
    }

    /// The calendar months to look through, this one first.
    pub(super) fn months_back(&self) -> Vec<Window> {
        let today = self.clock.now().to_zoned(time::qfpay_zone()).date();
        let mut day = today;
        let mut months = Vec::new();
        while months.len() < MONTHS_BACK {
            months.push(Window::month_of(day));
            let Ok(before) = day.first_of_month().yesterday() else { break };
            day = before;
        }
        months
    }
}

/// Whether a record is of one of the numbers that were asked for, if any were.
fn asked_for(trade: &Trade, query: &Query) -> bool {
    let by_number = trade.order.as_ref().is_some_and(|it| query.orders.contains(it));
    let of_syssn =
        |syssn: &Option<Syssn>| syssn.as_ref().is_some_and(|it| query.syssns.contains(it));
    (query.orders.is_empty() && query.syssns.is_empty())
        || by_number
        || of_syssn(&trade.syssn)
        || of_syssn(&trade.original)
}

/// How an order stands by QFPay's word, where the ledger cannot take it down.
fn unwritten_view(
    (mut payment, mut refunds): (Payment, Vec<Refund>),
    trades: &[Trade],
    page: Option<Page>,
) -> (Payment, Vec<Refund>) {
    if let Some(trade) = best(trades, &payment) {
        let event = event_in(trade, &payment, page);
        payment.state = payment.state.on(event).unwrap_or(payment.state);
    }
    for refund in &mut refunds {
        if let Some(trade) = best_refund(trades, refund) {
            refund.state = refund.state.on(trade.refund_event()).unwrap_or(refund.state);
        }
    }
    (payment, refunds)
}
