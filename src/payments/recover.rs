//! Settle what is unfinished by asking QFPay, oldest first. It never pays and never refunds.
//!
//! One process at a time does it for a merchant: it holds a lease in the ledger. That is for the
//! pace only; nothing breaks where two ask at once, since every change names the version it starts
//! from.
use std::{collections::HashMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::{Payments, Refused, query::MAX_RECORDS};
use crate::{
    client::Query,
    domain::{OrderNumber, Syssn, time::Window},
    ledger::{Caller, Entry, LedgerError, Place, Refund},
};

/// The lease's name.
const LEASE: &str = "recovery";
/// For how long the lease is held at least: longer than any chunk takes.
const HELD: SignedDuration = SignedDuration::from_mins(2);
/// Most entries of one round; the next round takes the rest.
const MOST: usize = 20_000;
/// Entries read from the ledger at once.
const PAGE: u32 = 500;
/// Numbers in one question: several records of each still fit one page of the answer.
const CHUNK: usize = 50;
/// What is not settled yet is asked about again after a tenth of its age, within these bounds.
const SOONEST: SignedDuration = SignedDuration::from_secs(30);
const LATEST: SignedDuration = SignedDuration::from_hours(1);

/// How far a round has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Entries to ask about.
    pub total: usize,
    /// Entries that were asked about.
    pub asked: usize,
    /// Those of them that are settled now.
    pub settled: usize,
}

/// Who recovers, and what is to be asked about.
struct Round<'a> {
    caller: &'a Caller,
    holder: &'a str,
    /// Takes the lease from whoever has it.
    force: bool,
}

impl Payments {
    /// Asks about everything unfinished, now. It takes the work over from a process that recovers
    /// in the background; `told` hears how far it has come.
    pub async fn recover(
        &self,
        caller: &Caller,
        told: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Progress, Refused> {
        let holder = new_holder();
        let entries = self.all_unfinished(|_| true).await?;
        self.round(&Round { caller, holder: &holder, force: true }, entries, told).await
    }

    /// Asks about what is unfinished, now and then every so often, until the stop.
    pub async fn keep_recovering(self, caller: Caller, every: Duration, stop: CancellationToken) {
        let holder = new_holder();
        let mut asked: HashMap<OrderNumber, Timestamp> = HashMap::new();
        let rounds = async {
            loop {
                match self.one_round(&caller, &holder, &mut asked).await {
                    Ok(done) if done.total == 0 => {}
                    Ok(done) => tracing::info!(?done, "asked about what was unfinished"),
                    Err(refused) => tracing::warn!(%refused, "the recovery could not go on"),
                }
                tokio::time::sleep(every).await;
            }
        };
        stop.run_until_cancelled(rounds).await;
    }

    async fn one_round(
        &self,
        caller: &Caller,
        holder: &str,
        asked: &mut HashMap<OrderNumber, Timestamp>,
    ) -> Result<Progress, Refused> {
        let now = self.clock.now();
        let entries = self.all_unfinished(|it| is_due(it, asked.get(it.number()), now)).await?;
        let numbers: Vec<OrderNumber> = entries.iter().map(|it| it.number().clone()).collect();
        let done = self.round(&Round { caller, holder, force: false }, entries, &|_| {}).await?;
        asked.retain(|_, at| now.duration_since(*at) < LATEST);
        asked.extend(numbers.into_iter().take(done.asked).map(|it| (it, now)));
        Ok(done)
    }

    async fn all_unfinished(
        &self,
        due: impl Fn(&Entry) -> bool,
    ) -> Result<Vec<Entry>, LedgerError> {
        let (mut all, mut after): (Vec<Entry>, Option<Place>) = (Vec::new(), None);
        while all.len() < MOST {
            let page = self.ledger.unfinished(after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.place());
            all.extend(page.into_iter().filter(&due));
        }
        Ok(all)
    }

    /// Asks about `entries` in their order, as long as the lease is ours.
    async fn round(
        &self,
        round: &Round<'_>,
        entries: Vec<Entry>,
        told: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Progress, Refused> {
        let mut progress = Progress { total: entries.len(), ..Progress::default() };
        told(progress);
        let mut force = round.force;
        for chunk in entries.chunks(CHUNK) {
            let now = self.clock.now();
            let until = now.checked_add(HELD).unwrap_or(now);
            if !self.ledger.lease(LEASE, round.holder, until, now, force).await? {
                tracing::debug!("another process recovers");
                break;
            }
            force = false;
            progress.settled = progress.settled.saturating_add(self.ask_about(round, chunk).await?);
            progress.asked = progress.asked.saturating_add(chunk.len());
            told(progress);
        }
        Ok(progress)
    }

    /// Asks about some entries at once, month by month; how many are settled now.
    async fn ask_about(&self, round: &Round<'_>, chunk: &[Entry]) -> Result<usize, Refused> {
        let mut months: Vec<(Window, Vec<OrderNumber>)> = Vec::new();
        for entry in chunk {
            for month in months_of(entry) {
                match months.iter_mut().find(|(it, _)| *it == month) {
                    Some((_, numbers)) => numbers.push(entry.number().clone()),
                    None => months.push((month, vec![entry.number().clone()])),
                }
            }
        }
        let (mut trades, mut complete) = (Vec::new(), true);
        for (month, orders) in months {
            let query = Query { orders, ..Query::default() };
            let found = self.read_through(&query, &[month], MAX_RECORDS).await?;
            complete = complete && found.len() < MAX_RECORDS;
            trades.extend(found);
        }
        let mut settled: usize = 0;
        for entry in chunk {
            let open = match entry.clone() {
                Entry::Payment(payment) => {
                    let it = self.learn_payment(round.caller, payment, &trades, complete).await?;
                    it.state.is_open()
                }
                Entry::Refund(refund) => {
                    let before = refund.state;
                    let mut it = self.learn_refund(round.caller, refund, &trades, false).await?;
                    if it.state.is_open() && it.state == before {
                        it = self.look_closer(round.caller, it).await?;
                    }
                    it.state.is_open()
                }
            };
            settled = settled.saturating_add(usize::from(!open));
        }
        Ok(settled)
    }

    /// A refund of which there is no record for long may never have arrived: its payment tells.
    async fn look_closer(&self, caller: &Caller, refund: Refund) -> Result<Refund, Refused> {
        let age = self.clock.now().duration_since(refund.asked_at());
        if age <= self.settings.give_up_after {
            return Ok(refund);
        }
        self.order(caller, &refund.number).await?;
        match self.ledger.find(&refund.number).await? {
            Some(Entry::Refund(fresh)) => Ok(fresh),
            Some(Entry::Payment(_)) | None => Ok(refund),
        }
    }
}

/// A word that tells one process's recovery from another's.
fn new_holder() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// Whether it is time to ask about it again.
fn is_due(entry: &Entry, asked: Option<&Timestamp>, now: Timestamp) -> bool {
    let Some(asked) = asked else { return true };
    let age = now.duration_since(entry.asked_at());
    let tenth = age.checked_div(10).unwrap_or(SOONEST);
    now.duration_since(*asked) >= tenth.clamp(SOONEST, LATEST)
}

/// The months of QFPay's calendar in which an entry can stand.
fn months_of(entry: &Entry) -> Vec<Window> {
    let mut months = Payments::months_around(entry.asked_at());
    if let Some(day) = entry.syssn().and_then(Syssn::day) {
        let month = Window::month_of(day);
        if !months.contains(&month) {
            months.push(month);
        }
    }
    months
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_it_is_the_less_often_it_is_asked_about() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let entry = crate::ledger::conformance::sent_at(at("2026-11-23T06:00:00Z"));
        let due = |asked: &str, now: &str| is_due(&entry, Some(&at(asked)), at(now));
        assert!(is_due(&entry, None, at("2026-11-23T06:00:01Z")));
        assert!(!due("2026-11-23T06:00:10Z", "2026-11-23T06:00:39Z"));
        assert!(due("2026-11-23T06:00:10Z", "2026-11-23T06:00:40Z"));
        assert!(!due("2026-11-23T07:00:00Z", "2026-11-23T07:05:00Z"));
        assert!(due("2026-11-23T07:00:00Z", "2026-11-23T07:07:00Z"));
        assert!(due("2026-12-23T06:00:00Z", "2026-12-23T07:00:00Z"), "an hour at the latest");
    }
}
