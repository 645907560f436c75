//! Compare a day of our ledger with QFPay's records of it.
//!
//! It reads on both sides and changes nothing on either. What seems to differ is asked about once
//! more, by number: an order may have been recorded on the other side of midnight, or have been paid
//! while the day was read.
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ops::Range,
};

use futures::future::BoxFuture;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use tokio_util::sync::CancellationToken;

use self::{
    compare::{Report, compare},
    read::{Halt, Reading},
    sides::{Ours, Theirs, at_qfpay},
};
use super::{Payments, Refused};
use crate::{
    domain::{
        OrderNumber, RefundState, Syssn,
        time::{self, Window},
        words::words,
    },
    ledger::{Caller, Entry, Filter, Happening, LedgerError, Note},
    policy::Action,
};

mod compare;
mod difference;
mod read;
mod sides;
#[cfg(test)]
mod tests;
mod totals;

pub use self::{
    difference::{Difference, What},
    totals::{Sums, Total},
};

/// Entries read from the ledger at once.
const PAGE: u32 = 500;
/// Most entries of a day; with more it is incomplete.
const MOST: usize = 200_000;
/// How long before the day an order may have been made that was sent on it, and how far QFPay's clock
/// and ours may reasonably be apart.
const SLACK: SignedDuration = SignedDuration::from_hours(24);
/// Numbers in one question: several records of each still fit one page of the answer.
const CHUNK: usize = 50;
/// Most numbers that are asked about once more; with so many differences nobody needs them all.
const MOST_AGAIN: usize = 5000;

words!(
    /// What came of it.
    Outcome {
        /// Nothing differs.
        Agrees = "agrees",
        Differs = "differs",
        /// Not all could be read, so nobody can say that nothing (else) differs.
        Incomplete = "incomplete",
    }
);

/// How far the reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    pub pages: usize,
    pub records: usize,
}

/// Hears how the reading goes on.
pub type Teller<'a> = &'a (dyn Fn(Progress) -> BoxFuture<'static, ()> + Send + Sync);

/// A day, compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciled {
    pub day: Date,
    /// Whether the day is over; if not, it is compared until now.
    pub over: bool,
    /// The worst first.
    pub differences: Vec<Difference>,
    /// By currency and way to pay.
    pub totals: Vec<Total>,
    /// How many entries our ledger has of the day, and how many records QFPay.
    pub entries: usize,
    pub records: usize,
    pub pages: usize,
    /// Why not all could be read, and up to where it was.
    pub problem: Option<String>,
    /// Somebody stopped it.
    pub stopped: bool,
}

impl Reconciled {
    pub fn outcome(&self) -> Outcome {
        // A second payment under a number, given back, differs in the sums alone.
        let same = self.differences.is_empty() && self.totals.iter().all(|it| it.here == it.there);
        match (&self.problem, same) {
            (Some(_), _) => Outcome::Incomplete,
            (None, true) => Outcome::Agrees,
            (None, false) => Outcome::Differs,
        }
    }
}

/// A day on the merchant's wall, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Day {
    date: Date,
    over: bool,
    span: Range<Timestamp>,
}

type Entries = HashMap<OrderNumber, Ours>;

impl Payments {
    /// The day that is meant where none is named: yesterday, on the merchant's wall.
    pub fn yesterday(&self) -> Date {
        let today = self.clock.now().to_zoned(self.settings.zone.clone()).date();
        today.yesterday().unwrap_or(today)
    }

    /// Compares a day. It ends early, and says so, when `cancelled` or when the process is about to
    /// end; `told` is told before each page.
    pub async fn reconcile(
        &self,
        caller: &Caller,
        date: Date,
        cancelled: &CancellationToken,
        told: Teller<'_>,
    ) -> Result<Reconciled, Refused> {
        let done = self.reconcile_day(date, cancelled, told).await;
        let (what, said) = match &done {
            Ok(it) => {
                let (outcome, count) = (it.outcome(), it.differences.len());
                (Happening::Asked, format!("reconciled {date}: {outcome}, {count} differences"))
            }
            Err(refused) => (Happening::Refused, format!("reconcile {date}: {refused}")),
        };
        self.note(None, None, Note::new(caller, what).saying(said)).await;
        done
    }

    async fn reconcile_day(
        &self,
        date: Date,
        cancelled: &CancellationToken,
        told: Teller<'_>,
    ) -> Result<Reconciled, Refused> {
        self.permit(Action::QueryTransaction, None, None, None)?;
        let day = self.day(date)?;
        let records = HashMap::new();
        let mut reading = Reading { payments: self, cancelled, told, records, pages: 0 };
        let mut halt = match day.read(&mut reading).await {
            // Nothing was read, so there is nothing to tell.
            Err(Halt::Unanswered(refused)) if reading.pages == 0 => return Err(refused),
            done => done.err(),
        };
        let mut entries = self.entries_of(&day).await?;
        if entries.len() >= MOST {
            halt = halt.or(Some(Halt::TooMany));
        }
        self.look_up(&mut entries, &reading.records).await?;
        if halt.is_none() {
            halt = self.ask_again(&mut entries, &day, &mut reading).await?;
        }
        let Reading { mut records, pages, .. } = reading;
        self.tell_reversed(&mut records).await?;
        let mut report = day.compare(&entries, &records);
        if halt.is_some() {
            // What was not read may well be there, or tell how it stands.
            report.differences.retain(|it| !matches!(it.what, What::MissingThere | What::Status));
        }
        Ok(Reconciled {
            day: day.date,
            over: day.over,
            differences: report.differences,
            totals: report.totals,
            entries: report.entries,
            records: report.records,
            pages,
            stopped: matches!(halt, Some(Halt::Stopped)),
            problem: halt.map(|it| told_of(&it, &records)),
        })
    }

    /// A day that can be compared.
    fn day(&self, date: Date) -> Result<Day, Refused> {
        let (now, zone) = (self.clock.now(), &self.settings.zone);
        let start = start_of(date, zone);
        let end = date.tomorrow().map_or(Timestamp::MAX, |it| start_of(it, zone));
        let refused = |problem| Refused::Argument { argument: "date", problem };
        if start > now {
            let last = self.yesterday();
            let problem = format!("`{date}` has not come yet; the last day that is over is {last}");
            return Err(refused(problem));
        }
        let oldest = self.months_back().pop().map(|it| it.start);
        if let Some(oldest) = oldest.filter(|it| at_qfpay(start) < *it) {
            let first = oldest.date();
            let problem = format!("`{date}` is too long ago; {first} is the first day to ask for");
            return Err(refused(problem));
        }
        Ok(Day { date, over: end <= now, span: start..end.min(now) })
    }

    /// What our ledger has of the day, and of the time before in which it may have been made.
    async fn entries_of(&self, day: &Day) -> Result<Entries, LedgerError> {
        let mut filter = Filter {
            since: day.span.start.checked_sub(SLACK).ok(),
            until: Some(day.span.end),
            limit: PAGE,
            ..Filter::default()
        };
        let mut entries = Entries::new();
        while entries.len() < MOST {
            let page = self.ledger.list(&filter).await?;
            let Some(last) = page.last() else { break };
            filter.after = Some(last.place());
            add(&mut entries, page);
        }
        Ok(entries)
    }

    /// Adds what our ledger has of QFPay's records, and of the payments that were refunded, from
    /// whatever day.
    async fn look_up(
        &self,
        entries: &mut Entries,
        records: &HashMap<String, Theirs>,
    ) -> Result<(), LedgerError> {
        let numbers = records.values().filter_map(|it| it.number.as_ref());
        for number in numbers.filter(|it| !entries.contains_key(it)).collect::<Vec<_>>() {
            add(entries, self.ledger.find(number).await?);
        }
        let known: HashSet<Syssn> = entries.values().filter_map(|it| it.syssn.clone()).collect();
        let originals = records.values().filter_map(|it| it.original.as_ref());
        for original in originals.filter(|it| !known.contains(it)) {
            add(entries, self.ledger.find_by_syssn(original).await?);
        }
        Ok(())
    }

    /// Asks both sides once more about what seems to differ.
    async fn ask_again(
        &self,
        entries: &mut Entries,
        day: &Day,
        reading: &mut Reading<'_>,
    ) -> Result<Option<Halt>, LedgerError> {
        let seeming = day.compare(entries, &reading.records).differences;
        let numbers = seeming.iter().filter_map(|it| it.number.parse::<OrderNumber>().ok());
        let numbers: BTreeSet<OrderNumber> =
            numbers.filter(|it| entries.contains_key(it)).take(MOST_AGAIN).collect();
        let numbers: Vec<OrderNumber> = numbers.into_iter().collect();
        let windows = day.windows_around();
        for chunk in numbers.chunks(CHUNK) {
            if let Err(halt) = reading.again(chunk, &windows).await {
                return Ok(Some(halt));
            }
            for number in chunk {
                add(entries, self.ledger.find(number).await?);
            }
        }
        Ok(None)
    }

    /// What QFPay marks as reversed may have been refunded: then a refund tells of it.
    async fn tell_reversed(
        &self,
        records: &mut HashMap<String, Theirs>,
    ) -> Result<(), LedgerError> {
        let refunded: HashSet<Syssn> =
            records.values().filter_map(|it| it.original.clone()).collect();
        for record in records.values_mut().filter(|it| it.reversed) {
            let Some(syssn) = &record.syssn else { continue };
            let by_refund = refunded.contains(syssn) || {
                let ours = self.ledger.refunds_of(syssn).await?;
                ours.iter().any(|it| it.state == RefundState::Refunded)
            };
            record.reversed = !by_refund;
        }
        Ok(())
    }
}

impl Day {
    /// It by QFPay's clock.
    fn at_qfpay(&self) -> Range<DateTime> {
        at_qfpay(self.span.start)..at_qfpay(self.span.end)
    }

    /// QFPay's clock shows whole seconds, and the last one belongs to a window.
    fn windows(span: &Range<Timestamp>) -> Vec<Window> {
        let second = |at: Timestamp| at_qfpay(at).with().subsec_nanosecond(0).build();
        let end = span.end.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(span.end);
        match (second(span.start), second(end)) {
            (Ok(start), Ok(end)) => Window::by_month(start, end, 3),
            (Err(_), _) | (_, Err(_)) => Vec::new(),
        }
    }

    /// Around the day, too: where an order of it may have been recorded.
    fn windows_around(&self) -> Vec<Window> {
        let start = self.span.start.checked_sub(SLACK).unwrap_or(self.span.start);
        let end = self.span.end.checked_add(SLACK).unwrap_or(self.span.end);
        Self::windows(&(start..end))
    }

    async fn read(&self, reading: &mut Reading<'_>) -> Result<(), Halt> {
        for window in Self::windows(&self.span) {
            reading.all(window).await?;
        }
        Ok(())
    }

    fn compare(&self, entries: &Entries, records: &HashMap<String, Theirs>) -> Report {
        compare(entries.values(), records.values(), &self.at_qfpay())
    }
}

fn start_of(date: Date, zone: &TimeZone) -> Timestamp {
    date.to_zoned(zone.clone()).map_or(Timestamp::MAX, |it| it.timestamp())
}

fn add(entries: &mut Entries, found: impl IntoIterator<Item = Entry>) {
    entries.extend(found.into_iter().map(Ours::from).map(|it| (it.number.clone(), it)));
}

/// Why not all was read, and what was.
fn told_of(halt: &Halt, records: &HashMap<String, Theirs>) -> String {
    let times = || records.values().filter_map(|it| it.made_at);
    let read = match (times().min(), times().max()) {
        (Some(first), Some(last)) => {
            let (first, last) = (time::format_wire(first), time::format_wire(last));
            format!("{} records were, of {first} to {last}", records.len())
        }
        (None, _) | (_, None) => "none was".to_owned(),
    };
    format!("not all of QFPay's records could be read ({halt}); {read}")
}
