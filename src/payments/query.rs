//! Ask how orders stand: the ledger and QFPay together, refunds beside their payment.
//!
//! QFPay looks numbers up in one calendar month at a time (contract §1.2). Nobody who asks needs to
//! know: an order of ours is looked for in its month, any other month by month into the past.
use jiff::civil::DateTime;

use super::{Payments, Refused, news_in};
use crate::{
    client::{Kind, Page, Query, Trade, Trouble},
    domain::{
        Amount, OrderNumber, PaymentEvent, PaymentState, RefundEvent, RefundState, Syssn,
        time::{self, Window},
    },
    ledger::{Entry, Payment, Refund},
    policy::Action,
    spec::PayType,
};

/// How many months back an order that the ledger does not know is looked for.
pub const MONTHS_BACK: usize = 13;
/// Most records that one question reads through.
const MAX_RECORDS: usize = 1000;
const MAX_PAGE_SIZE: u32 = 100;

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

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    pub orders: Vec<OrderView>,
    /// Refunds in a span whose payment stands elsewhere.
    pub loose_refunds: Vec<RefundView>,
    /// Whether a span has more pages.
    pub more: bool,
    /// QFPay could not be asked: this is what the ledger knows.
    pub trouble: Option<Trouble>,
}

/// One payment as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderView {
    pub number: Option<OrderNumber>,
    pub status: PaymentState,
    pub syssn: Option<Syssn>,
    pub amount: Option<Amount>,
    pub pay_type: Option<&'static PayType>,
    pub respcd: Option<String>,
    pub resperr: Option<String>,
    /// By QFPay's clock, UTC+8.
    pub made_at: Option<DateTime>,
    pub paid_at: Option<DateTime>,
    pub refunds: Vec<RefundView>,
    /// Whether QFPay has a record of it.
    pub at_qfpay: bool,
    /// Whether it stands in our ledger.
    pub in_ledger: bool,
}

/// One refund as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct RefundView {
    pub number: Option<OrderNumber>,
    pub status: RefundState,
    pub syssn: Option<Syssn>,
    pub original: Option<Syssn>,
    pub amount: Option<Amount>,
    pub respcd: Option<String>,
    pub resperr: Option<String>,
    pub made_at: Option<DateTime>,
}

impl OrderView {
    /// Minor units that went back or may be on their way back.
    pub fn refunded_minor(&self) -> u64 {
        let counted = self.refunds.iter().filter(|it| it.status.counts());
        let minor = counted.filter_map(|it| it.amount.map(Amount::minor));
        minor.fold(0, u64::saturating_add)
    }
}

impl Payments {
    /// What is known now. Whatever QFPay says of our orders is written down on the way.
    pub async fn query(&self, find: Find) -> Result<Found, Refused> {
        self.permit(Action::QueryTransaction, None, None)?;
        match find {
            Find::Order(number) => self.order(&number).await,
            Find::Trade(syssn) => self.trade(&syssn).await,
            Find::Span(span) => self.span(&span).await,
        }
    }

    /// An order by our number.
    pub(super) async fn order(&self, number: &OrderNumber) -> Result<Found, Refused> {
        match self.ledger.find(number).await? {
            Some(Entry::Payment(payment)) => self.known(payment).await,
            Some(Entry::Refund(refund)) => self.trade(&refund.terms.syssn).await,
            None => {
                let query = Query { orders: vec![number.clone()], ..Query::default() };
                self.unknown(query, self.months_back()).await
            }
        }
    }

    /// An order by QFPay's number, or by the number of one of its refunds.
    pub(super) async fn trade(&self, syssn: &Syssn) -> Result<Found, Refused> {
        match self.ledger.find_by_syssn(syssn).await? {
            Some(Entry::Payment(payment)) => self.known(payment).await,
            Some(Entry::Refund(refund)) if refund.terms.syssn != *syssn => {
                Box::pin(self.trade(&refund.terms.syssn)).await
            }
            Some(Entry::Refund(_)) | None => {
                let query = Query { syssns: vec![syssn.clone()], ..Query::default() };
                let months = match syssn.day() {
                    Some(day) => vec![Window::month_of(day)],
                    None => self.months_back(),
                };
                self.unknown(query, months).await
            }
        }
    }

    /// An order of our ledger, with its refunds.
    async fn known(&self, payment: Payment) -> Result<Found, Refused> {
        let refunds = match &payment.syssn {
            Some(syssn) => self.ledger.refunds_of(syssn).await?,
            None => Vec::new(),
        };
        let mut months = Self::months_around(payment.created_at);
        for month in refunds.iter().flat_map(|it| Self::months_around(it.created_at)) {
            if !months.contains(&month) {
                months.push(month);
            }
        }
        let numbers = refunds.iter().map(|it| it.number.clone());
        let orders: Vec<OrderNumber> =
            std::iter::once(payment.number.clone()).chain(numbers).take(100).collect();
        let mut trades = Vec::new();
        let mut trouble = None;
        for window in months {
            let query = Query { orders: orders.clone(), window: Some(window), ..Query::default() };
            match self.ask(&query).await {
                Ok(page) => trades.extend(page.trades),
                Err(Refused::Unanswered(why)) => trouble = Some(why),
                Err(refused) => return Err(refused),
            }
        }
        let elsewhere = self.refunds_elsewhere(&trades, &refunds).await;
        trades.extend(elsewhere);
        let (payment, refunds) = self.settle(payment, refunds, &trades).await?;
        let order = view(payment, refunds, &trades);
        Ok(Found { orders: vec![order], trouble, ..Found::default() })
    }

    /// An order that our ledger does not know: the latest of `months` that has it.
    async fn unknown(&self, query: Query, months: Vec<Window>) -> Result<Found, Refused> {
        for window in months {
            let query = Query { window: Some(window), ..query.clone() };
            let mut trades = self.ask(&query).await?.trades;
            if trades.is_empty() {
                continue;
            }
            let payment = trades.iter().find(|it| it.kind == Kind::Payment);
            let original = trades.iter().find_map(|it| it.original.clone());
            if let (None, Some(original)) = (payment, original) {
                if query.syssns.contains(&original) {
                    break;
                }
                return Box::pin(self.trade(&original)).await;
            }
            let elsewhere = self.refunds_elsewhere(&trades, &[]).await;
            trades.extend(elsewhere);
            return Ok(grouped(&trades));
        }
        Ok(Found::default())
    }

    /// Everything in a span of time, a month at a time.
    async fn span(&self, span: &Span) -> Result<Found, Refused> {
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
                let more = trades.len() > wanted;
                let from = wanted.saturating_sub(size);
                (trades.into_iter().skip(from).take(size).collect(), more)
            }
        };
        self.settle_all(&trades).await?;
        Ok(Found { more, ..grouped(&trades) })
    }

    /// The first `most` records of several months, oldest month first.
    async fn read_through(
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
                trades.extend(found);
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

    /// Refunds that QFPay says were made and that neither the ledger nor `trades` account for:
    /// made in the merchant portal, say. QFPay cannot be asked for the refunds of a payment, so
    /// the months since then are read through. What cannot be read is left out.
    async fn refunds_elsewhere(&self, trades: &[Trade], known: &[Refund]) -> Vec<Trade> {
        let refunded = trades.iter().find(|it| {
            it.kind == Kind::Payment && !matches!(it.cancel, 0 | 4) && it.syssn.is_some()
        });
        let Some(payment) = refunded else { return Vec::new() };
        let accounted = trades.iter().any(|it| it.kind == Kind::Refund)
            || known.iter().any(|it| it.state == RefundState::Refunded);
        let (Some(made_at), false) = (payment.made_at, accounted) else { return Vec::new() };
        let now = self.clock.now().to_zoned(time::qfpay_zone()).datetime();
        let windows = Window::by_month(made_at, now, MONTHS_BACK);
        let narrowed =
            Query { pay_type: payment.pay_type.map(|it| it.code.to_owned()), ..Query::default() };
        let found = self.read_through(&narrowed, &windows, MAX_RECORDS).await;
        let found = found.unwrap_or_default().into_iter();
        found.filter(|it| it.kind == Kind::Refund && it.original == payment.syssn).collect()
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
        mut payment: Payment,
        refunds: Vec<Refund>,
        trades: &[Trade],
    ) -> Result<(Payment, Vec<Refund>), Refused> {
        if let Some(trade) = best(trades, &payment) {
            let (event, news) = (trade.payment_event(), news_in(trade));
            payment = self.settle_payment(payment, event, &news).await?;
        }
        let mut settled = Vec::new();
        for refund in refunds {
            let trade = trades
                .iter()
                .find(|it| it.kind == Kind::Refund && it.order.as_ref() == Some(&refund.number));
            settled.push(match trade {
                Some(it) => self.settle_refund(refund, it.refund_event(), &news_in(it)).await?,
                None => refund,
            });
        }
        Ok((payment, settled))
    }

    /// Writes down the good news that a list has of orders of ours that are still open. Bad news
    /// is left to a question about the order itself: another record of it may stand elsewhere.
    async fn settle_all(&self, trades: &[Trade]) -> Result<(), Refused> {
        for trade in trades {
            let Some(number) = &trade.order else { continue };
            match (self.ledger.find(number).await?, trade.kind) {
                (Some(Entry::Payment(it)), Kind::Payment) if it.state.is_open() => {
                    let event = trade.payment_event();
                    if rank(event) == RECEIVED {
                        self.settle_payment(it, event, &news_in(trade)).await?;
                    }
                }
                (Some(Entry::Refund(it)), Kind::Refund) if it.state.is_open() => {
                    self.settle_refund(it, trade.refund_event(), &news_in(trade)).await?;
                }
                _ => {}
            }
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

/// The record that tells how a payment stands. One number can have several: failed tries and a
/// success, or two successes (contract §1.2). Money received wins, then what is not over yet.
fn best<'a>(trades: &'a [Trade], payment: &Payment) -> Option<&'a Trade> {
    let ours = trades.iter().filter(|it| {
        it.kind == Kind::Payment && it.order.as_ref().is_none_or(|at| *at == payment.number)
    });
    ours.max_by_key(|it| {
        let same = payment.syssn.is_some() && it.syssn == payment.syssn;
        (rank(it.payment_event()), same)
    })
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

/// An order of the ledger, with what QFPay's record adds.
fn view(payment: Payment, refunds: Vec<Refund>, trades: &[Trade]) -> OrderView {
    let trade = best(trades, &payment);
    let numbers: Vec<OrderNumber> = refunds.iter().map(|it| it.number.clone()).collect();
    let ours = refunds.into_iter().map(|it| {
        let record = trades.iter().find(|trade| trade.order.as_ref() == Some(&it.number));
        refund_view(it, record)
    });
    let others = trades.iter().filter(|it| {
        it.kind == Kind::Refund && it.order.as_ref().is_none_or(|at| !numbers.contains(at))
    });
    OrderView {
        number: Some(payment.number.clone()),
        status: payment.state,
        amount: Some(payment.terms.amount),
        pay_type: Some(payment.terms.pay_type),
        made_at: trade.and_then(|it| it.made_at),
        paid_at: trade.and_then(|it| it.paid_at),
        refunds: ours.chain(others.map(refund_in)).collect(),
        at_qfpay: trade.is_some(),
        in_ledger: true,
        syssn: payment.syssn,
        respcd: payment.respcd,
        resperr: payment.resperr,
    }
}

fn refund_view(refund: Refund, trade: Option<&Trade>) -> RefundView {
    RefundView {
        number: Some(refund.number),
        status: refund.state,
        syssn: refund.syssn,
        original: Some(refund.terms.syssn),
        amount: Some(refund.terms.amount),
        respcd: refund.respcd,
        resperr: refund.resperr,
        made_at: trade.and_then(|it| it.made_at),
    }
}

/// Records without a ledger: each payment with its refunds beside it.
fn grouped(trades: &[Trade]) -> Found {
    let payments: Vec<&Trade> = trades.iter().filter(|it| it.kind == Kind::Payment).collect();
    let refunds = || trades.iter().filter(|it| it.kind == Kind::Refund);
    let orders = payments.iter().map(|payment| {
        let beside = refunds().filter(|it| it.original.is_some() && it.original == payment.syssn);
        OrderView { refunds: beside.map(refund_in).collect(), ..order_in(payment) }
    });
    let loose = refunds().filter(|it| {
        payments.iter().all(|payment| it.original.is_none() || it.original != payment.syssn)
    });
    Found {
        orders: orders.collect(),
        loose_refunds: loose.map(refund_in).collect(),
        ..Found::default()
    }
}

fn order_in(trade: &Trade) -> OrderView {
    OrderView {
        number: trade.order.clone(),
        status: match trade.payment_event() {
            PaymentEvent::Paid => PaymentState::Paid,
            PaymentEvent::RefundedInPart => PaymentState::PartiallyRefunded,
            PaymentEvent::RefundedInFull => PaymentState::Refunded,
            PaymentEvent::Accepted => PaymentState::Pending,
            PaymentEvent::Refused => PaymentState::Failed,
            PaymentEvent::Closed => PaymentState::Closed,
            PaymentEvent::Lost | PaymentEvent::Send | PaymentEvent::NotSent => {
                PaymentState::InDoubt
            }
        },
        syssn: trade.syssn.clone(),
        amount: amount_in(trade),
        pay_type: trade.pay_type,
        respcd: Some(trade.respcd.clone()).filter(|it| !it.is_empty()),
        resperr: Some(trade.resperr.clone()).filter(|it| !it.is_empty()),
        made_at: trade.made_at,
        paid_at: trade.paid_at,
        refunds: Vec::new(),
        at_qfpay: true,
        in_ledger: false,
    }
}

fn refund_in(trade: &Trade) -> RefundView {
    RefundView {
        number: trade.order.clone(),
        status: match trade.refund_event() {
            RefundEvent::Refunded => RefundState::Refunded,
            RefundEvent::Accepted => RefundState::Pending,
            RefundEvent::Refused => RefundState::Failed,
            RefundEvent::Lost | RefundEvent::Send | RefundEvent::NotSent => RefundState::InDoubt,
        },
        syssn: trade.syssn.clone(),
        original: trade.original.clone(),
        amount: amount_in(trade),
        respcd: Some(trade.respcd.clone()).filter(|it| !it.is_empty()),
        resperr: Some(trade.resperr.clone()).filter(|it| !it.is_empty()),
        made_at: trade.made_at,
    }
}

fn amount_in(trade: &Trade) -> Option<Amount> {
    Amount::from_minor(trade.amount_minor?, trade.currency?).ok()
}
