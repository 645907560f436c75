//! Ask how orders stand: the ledger and QFPay together, refunds beside their payment.
//!
//! QFPay looks numbers up in one calendar month at a time (contract §1.2). Nobody who asks needs to
//! know: an order of ours is looked for in its month, any other month by month into the past.
use jiff::{SignedDuration, civil::DateTime};

use super::{Payments, Refused, news_in};
use crate::{
    client::{Kind, Page, Query, Trade, Trouble},
    domain::{
        OrderNumber, PaymentEvent, PaymentState, RefundEvent, RefundState, Syssn,
        time::{self, Window},
    },
    ledger::{Caller, Entry, Happening, LedgerError, News, Note, Payment, Record, Refund},
    policy::Action,
};

mod view;

pub use view::{Found, OrderView, RefundView};
use view::{grouped, view};

pub const NO_RECORD: &str = "QFPay has no record of it";
/// Longer than any call of ours takes to get its answer and write it down: whoever sent it before
/// then waits no more.
const LONGEST_CALL: SignedDuration = SignedDuration::from_mins(6);
/// How many months back an order that the ledger does not know is looked for.
pub const MONTHS_BACK: usize = 13;
/// Most records that one question reads through.
pub const MAX_RECORDS: usize = 1000;
const MAX_PAGE_SIZE: u32 = 100;
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
        self.permit(Action::QueryTransaction, None, None)?;
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
        self.tasks.spawn(async move {
            this.note(number.as_ref(), None, Note::new(&caller, what).saying(told)).await;
        });
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

    /// An order as the ledger knows it, without asking.
    pub(super) async fn remembered(&self, number: &OrderNumber) -> Result<Found, Refused> {
        let payment = match self.ledger.find(number).await? {
            Some(Entry::Payment(payment)) => payment,
            Some(Entry::Refund(refund)) => {
                match self.ledger.find_by_syssn(&refund.terms.syssn).await? {
                    Some(Entry::Payment(payment)) => payment,
                    Some(Entry::Refund(_)) | None => return Ok(Found::default()),
                }
            }
            None => return Ok(Found::default()),
        };
        let refunds = match &payment.syssn {
            Some(syssn) => self.ledger.refunds_of(syssn).await?,
            None => Vec::new(),
        };
        let order = OrderView { refunds_complete: false, ..view(payment, refunds, &[]) };
        let trouble = Some(Trouble::Lost { reason: "QFPay has not answered yet".to_owned() });
        Ok(Found { orders: vec![order], trouble, ..Found::default() })
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
        let settled = self.settle(caller, payment, refunds, &trades, asked).await;
        // What QFPay says is told even where it cannot be written down now.
        let unwritten = settled.as_ref().err().map(ToString::to_string);
        let (payment, mut refunds) = settled.unwrap_or_else(|_| unwritten_view(known, &trades));
        // What was only meant and never left is no refund.
        refunds.retain(|it| it.state != RefundState::Intended);
        let main = best(&trades, &payment).and_then(|it| it.syssn.clone());
        let again = trades.iter().filter(|it| {
            it.kind == Kind::Payment && rank(it.payment_event()) == RECEIVED && it.syssn != main
        });
        let again: Vec<Trade> = again.cloned().collect();
        let order = OrderView { refunds_complete: complete, ..view(payment, refunds, &trades) };
        let orders = std::iter::once(order).chain(grouped(&again).orders).collect();
        Ok(Found { orders, trouble, unwritten, ..Found::default() })
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
    async fn ask(&self, query: &Query) -> Result<Page, Refused> {
        let page = self.gateway.query(query).await.map_err(Refused::Unanswered)?;
        if page.respcd == "0000" {
            return Ok(page);
        }
        Err(Refused::QueryRefused { respcd: page.respcd, resperr: page.resperr })
    }

    /// Writes down what QFPay says of a payment and its refunds.
    async fn settle(
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
    pub(super) async fn learn_payment(
        &self,
        caller: &Caller,
        payment: Payment,
        trades: &[Trade],
        all: bool,
    ) -> Result<Payment, LedgerError> {
        if let Some(trade) = best(trades, &payment) {
            let note = Note::new(caller, Happening::Learned);
            return self
                .settle_payment(payment, trade.payment_event(), &news_in(trade), &note)
                .await;
        }
        // A record under its number that we cannot match is still a record.
        let unknown = matches!(payment.state, PaymentState::Sent | PaymentState::InDoubt)
            && !is_named(trades, &payment.number);
        match self.silence(&payment).filter(|_| all && unknown) {
            Some(Silence::Long) if payment.state == PaymentState::InDoubt => {
                let note = Note::new(caller, Happening::GivenUp);
                self.settle_payment(payment, PaymentEvent::Refused, &no_record(), &note).await
            }
            Some(_) if payment.state == PaymentState::Sent => {
                let note = Note::new(caller, Happening::Silent);
                self.settle_payment(payment, PaymentEvent::Lost, &News::default(), &note).await
            }
            Some(_) | None => Ok(payment),
        }
    }

    /// The same for a refund. One that QFPay said it works on can stay so until the next day. Its
    /// payment is marked before a refund is over, so that nothing is left to do once it is.
    pub(super) async fn learn_refund(
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
                self.settle_refund(refund, RefundEvent::Refused, &no_record(), &note).await
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
    async fn settle_all(&self, caller: &Caller, trades: &[Trade]) {
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

    /// The calendar months to look through, this one first.
    fn months_back(&self) -> Vec<Window> {
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

/// What QFPay was asked for, beyond what it answered.
#[derive(Debug, Clone, Copy)]
struct Asked {
    /// Every month in which the payment and its refunds can stand.
    all: bool,
    /// Every refund of the payment, or by numbers under which it finds refunds.
    refunds: bool,
}

/// For how long QFPay has had no record of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silence {
    /// Longer than any call takes.
    Odd,
    /// So long that it cannot have arrived.
    Long,
}

/// What is new about something that never arrived.
fn no_record() -> News {
    News { resperr: Some(NO_RECORD.to_owned()), ..News::default() }
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
) -> (Payment, Vec<Refund>) {
    if let Some(trade) = best(trades, &payment) {
        payment.state = payment.state.on(trade.payment_event()).unwrap_or(payment.state);
    }
    for refund in &mut refunds {
        if let Some(trade) = best_refund(trades, refund) {
            refund.state = refund.state.on(trade.refund_event()).unwrap_or(refund.state);
        }
    }
    (payment, refunds)
}

/// The record that tells how a payment stands. One number can have several: failed tries and a
/// success, or two successes (contract §1.2). Money received wins, then what is not over yet. A
/// record of another amount is another order, whatever its number.
fn best<'a>(trades: &'a [Trade], payment: &Payment) -> Option<&'a Trade> {
    let ours = trades.iter().filter(|it| it.kind == Kind::Payment && is_of(it, payment));
    ours.max_by_key(|it| {
        let same = payment.syssn.is_some() && it.syssn == payment.syssn;
        (rank(it.payment_event()), same)
    })
}

/// Whether any record has this number, whatever else it says.
fn is_named(trades: &[Trade], number: &OrderNumber) -> bool {
    trades.iter().any(|it| it.order.as_ref() == Some(number))
}

fn is_of(trade: &Trade, payment: &Payment) -> bool {
    let amount = payment.terms.amount;
    let same_number = trade.order.as_ref() == Some(&payment.number);
    let same_amount = trade.amount_minor == Some(amount.minor())
        && trade.currency.is_none_or(|currency| currency == amount.currency())
        && (trade.currency.is_some() || !trade.fields.contains_key("txcurrcd"));
    if same_number && !same_amount {
        tracing::warn!(number = %payment.number, "QFPay has a record of it with another amount");
    }
    same_number && same_amount
}

/// The record that tells how a refund stands: money that went back wins.
fn best_refund<'a>(trades: &'a [Trade], refund: &Refund) -> Option<&'a Trade> {
    let ours = trades.iter().filter(|it| {
        it.kind == Kind::Refund
            && it.order.as_ref() == Some(&refund.number)
            && it.amount_minor == Some(refund.terms.amount.minor())
            && it.original.as_ref().is_none_or(|at| *at == refund.terms.syssn)
    });
    ours.max_by_key(|it| match it.refund_event() {
        RefundEvent::Refunded => 3,
        RefundEvent::Accepted => 2,
        RefundEvent::Lost => 1,
        RefundEvent::Refused | RefundEvent::Send | RefundEvent::NotSent => 0,
    })
}

/// Whether QFPay finds refunds by their numbers: all that were made are in its answer.
fn finds_refunds(trades: &[Trade], refunds: &[Refund]) -> bool {
    let mut made = refunds.iter().filter(|it| it.state == RefundState::Refunded).peekable();
    made.peek().is_some() && made.all(|it| best_refund(trades, it).is_some())
}

/// Whether the refunds among the records explain what the payment's own says of its money. Under one
/// number there can be several payments (contract §1.2): then nobody can tell.
fn accounts_for(trades: &[Trade], payment: &Payment) -> bool {
    let payments: Vec<&Trade> = trades.iter().filter(|it| it.kind == Kind::Payment).collect();
    let [only] = payments.as_slice() else { return false };
    let made = trades.iter().filter(|it| {
        it.kind == Kind::Refund
            && it.original == only.syssn
            && it.refund_event() == RefundEvent::Refunded
    });
    let made = made.filter_map(|it| it.amount_minor).fold(0, u64::saturating_add);
    let least = if only.cancel == Some(5) { 1 } else { payment.terms.amount.minor() };
    least <= made
}

/// The rank of records that say that the money was received.
const RECEIVED: u8 = 3;

fn rank(event: PaymentEvent) -> u8 {
    match event {
        PaymentEvent::Paid | PaymentEvent::RefundedInPart | PaymentEvent::RefundedInFull => {
            RECEIVED
        }
        PaymentEvent::Accepted => 2,
        PaymentEvent::Lost => 1,
        PaymentEvent::Refused
        | PaymentEvent::Closed
        | PaymentEvent::Send
        | PaymentEvent::NotSent => 0,
    }
}
