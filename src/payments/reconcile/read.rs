//! Read everything that QFPay has of a span of time, page by page.
//!
//! The span is closed before the first question, so that nothing is added to it meanwhile. Pages far
//! down a list may be refused (contract §1.2, an integrator's note): after some, the rest is asked
//! for by time, whichever end the list begins at. Nothing is believed of a page's length but that an
//! empty one is the last.
use std::{collections::HashMap, time::Duration};

use jiff::{ToSpan as _, civil::DateTime};
use tokio_util::sync::CancellationToken;

use super::{Progress, Teller, sides::Theirs};
use crate::{
    client::{Page, Query, Trade, Trouble},
    domain::{OrderNumber, time::Window},
    payments::{Payments, Refused, query::MAX_PAGE_SIZE},
};

/// How many pages of one list are asked for.
const PAGES: u32 = 8;
/// Most pages of one day: two hundred thousand records.
const MOST_PAGES: usize = 2000;
/// So many questions are asked one after another; after those the others of the merchant have half of
/// the pace's turns.
const AT_ONCE: usize = 60;
const BREATH: Duration = Duration::from_millis(300);
/// How often one page is asked for of which no answer came; and, once something was read, where nothing
/// arrived: that the sender has repeated by itself.
const TRIES: u32 = 3;
const TRIES_UNSENT: u32 = 2;
/// The longest wait for a turn, or for QFPay, between two of them.
const MAX_WAIT: Duration = Duration::from_secs(70);

/// Why the reading ended before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Halt {
    #[error("it was stopped")]
    Stopped,
    #[error("{0}")]
    Unanswered(Refused),
    #[error("QFPay gives the same page again and again")]
    Repeats,
    #[error("the day has more than is read, which is {MOST_PAGES} pages")]
    TooMany,
}

/// Reads, and keeps what was read.
pub(super) struct Reading<'a> {
    pub(super) payments: &'a Payments,
    pub(super) cancelled: &'a CancellationToken,
    pub(super) told: Teller<'a>,
    /// By what tells one from another: lists can overlap.
    pub(super) records: HashMap<String, Theirs>,
    /// How many pages were read.
    pub(super) pages: usize,
}

/// In which order of time a list comes.
struct Order {
    falls: bool,
    rises: bool,
    last: Option<DateTime>,
}

impl Reading<'_> {
    /// Reads all that QFPay has of a span of time inside one calendar month.
    pub(super) async fn all(&mut self, mut window: Window) -> Result<(), Halt> {
        let (mut page, mut order, mut before) = (1, Order::unknown(), Vec::new());
        loop {
            let query = Query { window: Some(window), ..Query::default() };
            let trades = match self.page(&query, page).await {
                // Behind a page that was not full there need not be another to refuse.
                Err(Halt::Unanswered(Refused::QueryRefused { .. }))
                    if page > 1 && !is_full(&before) =>
                {
                    return Ok(());
                }
                asked => asked?,
            };
            if trades.is_empty() {
                return Ok(());
            }
            let theirs: Vec<Theirs> = trades.iter().filter_map(Theirs::of).collect();
            let keys: Vec<String> = trades.iter().map(key).collect();
            let repeats = keys == before;
            for trade in trades.iter().filter(|_| !repeats) {
                order.see(trade.made_at);
            }
            let known = self.records.len();
            self.records.extend(theirs.into_iter().map(|it| (it.key(), it)));
            let nothing_new = self.records.len() == known;
            if nothing_new && !is_full(&keys) {
                return Ok(());
            }
            if page >= PAGES || repeats {
                if let Some(rest) = order.rest_of(window) {
                    (window, page, order, before) = (rest, 1, Order::unknown(), Vec::new());
                    continue;
                }
                if repeats {
                    return Err(Halt::Repeats);
                }
            }
            before = keys;
            page = page.saturating_add(1);
        }
    }

    /// Asks again for these numbers, of which there can be 100, wherever in `windows` they stand.
    pub(super) async fn again(
        &mut self,
        orders: &[OrderNumber],
        windows: &[Window],
    ) -> Result<(), Halt> {
        for window in windows {
            let mut before = Vec::new();
            for page in 1..=PAGES {
                let orders = orders.to_vec();
                let query = Query { orders, window: Some(*window), ..Query::default() };
                let trades = self.page(&query, page).await?;
                let keys: Vec<String> = trades.iter().map(key).collect();
                let theirs = trades.iter().filter_map(Theirs::of);
                let named = theirs.filter(|it| it.number.as_ref().is_some_and(is_in(&query)));
                self.records.extend(named.map(|it| (it.key(), it)));
                if !is_full(&keys) || keys == before {
                    break;
                }
                before = keys;
            }
        }
        Ok(())
    }

    /// One page, asked for until it comes, within bounds.
    async fn page(&mut self, query: &Query, page: u32) -> Result<Vec<Trade>, Halt> {
        if self.pages >= MOST_PAGES {
            return Err(Halt::TooMany);
        }
        let query = Query { page: Some(page), page_size: Some(MAX_PAGE_SIZE), ..query.clone() };
        let payments = self.payments;
        let stopped = async {
            tokio::select! {
                () = self.cancelled.cancelled() => {}
                () = payments.stop.cancelled() => {}
            }
        };
        let progress = Progress { pages: self.pages, records: self.records.len() };
        let told = (self.told)(progress);
        let asking = async {
            if self.pages >= AT_ONCE {
                tokio::time::sleep(BREATH).await;
            }
            patiently(payments, &query, if self.pages == 0 { 1 } else { TRIES_UNSENT }).await
        };
        let found = tokio::select! {
            biased;
            () = stopped => return Err(Halt::Stopped),
            found = asking => found?,
            // Whoever does not listen holds nothing up.
            () = async { told.await; std::future::pending().await } => return Err(Halt::Stopped),
        };
        self.pages = self.pages.saturating_add(1);
        Ok(found.trades)
    }
}

/// Asks until there is an answer; where nothing arrives, `unsent` times. What QFPay refuses is not asked
/// again.
async fn patiently(payments: &Payments, query: &Query, unsent: u32) -> Result<Page, Halt> {
    let mut tries: u32 = 1;
    loop {
        let refused = match payments.ask(query).await {
            Ok(page) => return Ok(page),
            Err(refused) => refused,
        };
        let wait = wait_after(&refused, tries, unsent).filter(|it| *it <= MAX_WAIT);
        let Some(wait) = wait else { return Err(Halt::Unanswered(refused)) };
        tokio::time::sleep(wait).await;
        tries = tries.saturating_add(1);
    }
}

/// How long to wait before the same question; none where it is not asked again.
fn wait_after(refused: &Refused, tries: u32, unsent: u32) -> Option<Duration> {
    let Refused::Unanswered(trouble) = refused else { return None };
    let own = Duration::from_secs(u64::from(tries));
    let (wait, most) = match trouble {
        Trouble::NotSent { retry_after, .. } => (retry_after.unwrap_or(own), unsent),
        Trouble::Lost { .. } => (own, TRIES),
    };
    (tries < most).then_some(wait)
}

fn is_full(page: &[String]) -> bool {
    u32::try_from(page.len()).is_ok_and(|it| it >= MAX_PAGE_SIZE)
}

fn is_in(query: &Query) -> impl Fn(&OrderNumber) -> bool {
    |number| query.orders.contains(number)
}

/// What tells one page from another.
fn key(trade: &Trade) -> String {
    match (&trade.syssn, &trade.order) {
        (Some(syssn), _) => syssn.to_string(),
        (None, Some(order)) => format!("{:?} {order}", trade.kind),
        (None, None) => format!("{:?}", trade.fields),
    }
}

impl Order {
    const fn unknown() -> Self {
        Self { falls: true, rises: true, last: None }
    }

    fn see(&mut self, at: Option<DateTime>) {
        if let (Some(last), Some(at)) = (self.last, at) {
            self.falls &= at <= last;
            self.rises &= at >= last;
        }
        let timeless = at.is_none();
        self.falls &= !timeless;
        self.rises &= !timeless;
        self.last = at;
    }

    /// What of `window` was not read yet, the last second read included; none where nobody can tell,
    /// or where it is all of it.
    fn rest_of(&self, window: Window) -> Option<Window> {
        let last = self.last?;
        let rest = match (self.falls, self.rises) {
            (true, false) => Window { end: last.checked_add(1.second()).ok()?, ..window },
            (false, true) => Window { start: last, ..window },
            (true, true) | (false, false) => return None,
        };
        let inside = rest.start >= window.start && rest.end <= window.end;
        (inside && rest != window && rest.start <= rest.end).then_some(rest)
    }
}
