//! Settle what is unfinished by asking QFPay, oldest first. It never pays and never refunds.
//!
//! One process at a time does it for a merchant: it holds a lease in the ledger. That is for the
//! pace only; nothing breaks where two ask at once, since every change names the version it starts
//! from.
use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::{
    Payments, Refused,
    query::{GIVEN_UP, MAX_RECORDS},
};
use crate::{
    client::{Query, Trouble},
    domain::{OrderNumber, Syssn, time::Window},
    ledger::{Caller, Entry, Filter, LedgerError, Place, Refund},
    policy::Action,
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
/// Entries of one chunk that may come to nothing one after another.
const IN_VAIN: usize = 5;
/// Between two questions in the background: at most half of a minute's turns go to them.
const BREATH: Duration = Duration::from_millis(300);
/// For how long what was given up is still asked about.
const STILL_ASKED: SignedDuration = SignedDuration::from_hours(26);
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
    /// in the background; `told` hears how far it has come. A stop ends it between two questions.
    pub async fn recover(
        &self,
        caller: &Caller,
        told: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Progress, Refused> {
        self.permit_recovery()?;
        let holder = new_holder();
        let entries = self.all_unfinished(|_| true).await?;
        let nothing = entries.is_empty();
        let done = self.round(&Round { caller, holder: &holder, force: true }, entries, told).await;
        if !nothing {
            // Whoever recovers in the background may go on.
            self.give_up_the_lease(&holder).await?;
        }
        done
    }

    /// Production that is closed altogether is not even asked. Where anything is open there, what it
    /// left behind may be settled.
    fn permit_recovery(&self) -> Result<(), Refused> {
        if self.settings.policy.allowlist.actions.is_empty() {
            return self.permit(Action::QueryTransaction, None, None, None);
        }
        Ok(())
    }

    /// Asks about what is unfinished, now and then every so often, until the stop.
    pub async fn keep_recovering(self, caller: Caller, every: Duration, stop: CancellationToken) {
        let holder = new_holder();
        let mut asked: HashMap<OrderNumber, Timestamp> = HashMap::new();
        let rounds = async {
            loop {
                self.lapse().await;
                match self.one_round(&caller, &holder, &mut asked).await {
                    Ok(done) if done.total == 0 => {}
                    Ok(done) => tracing::info!(?done, "asked about what was unfinished"),
                    Err(refused) => tracing::warn!(%refused, "the recovery could not go on"),
                }
                tokio::time::sleep(every).await;
            }
        };
        stop.run_until_cancelled(Box::pin(rounds)).await;
        // Whoever is started next need not wait for the lease to end.
        if !asked.is_empty()
            && let Err(error) = self.give_up_the_lease(&holder).await
        {
            tracing::debug!(%error, "the lease is left to end by itself");
        }
    }

    async fn give_up_the_lease(&self, holder: &str) -> Result<(), LedgerError> {
        let now = self.clock.now();
        self.ledger.lease(LEASE, holder, now, now, false).await.map(|_| ())
    }

    async fn one_round(
        &self,
        caller: &Caller,
        holder: &str,
        asked: &mut HashMap<OrderNumber, Timestamp>,
    ) -> Result<Progress, Refused> {
        if self.permit_recovery().is_err() {
            return Ok(Progress::default());
        }
        let now = self.clock.now();
        let due = |it: &Entry| is_due(it, asked.get(it.number()), now);
        let mut entries = self.all_unfinished(due).await?;
        entries.extend(self.given_up(now).await?.into_iter().filter(due));
        let numbers: Vec<OrderNumber> = entries.iter().map(|it| it.number().clone()).collect();
        // However the round ends, what it asked about is not asked about again at once.
        let reached = AtomicUsize::new(0);
        let tell = |progress: Progress| reached.store(progress.asked, Ordering::Relaxed);
        let round = Round { caller, holder, force: false };
        let done = self.round(&round, entries, &tell).await;
        asked.retain(|_, at| now.duration_since(*at) < LATEST);
        let reached = reached.into_inner();
        asked.extend(numbers.into_iter().take(reached).map(|it| (it, now)));
        done
    }

    /// What was given up within the last day: should it turn out made after all, somebody must hear
    /// of it.
    async fn given_up(&self, now: Timestamp) -> Result<Vec<Entry>, LedgerError> {
        let mut given_up = Vec::new();
        for (state, why) in GIVEN_UP {
            let filter = Filter {
                states: vec![state.word().to_owned()],
                resperr: Some(why.to_owned()),
                since: now.checked_sub(STILL_ASKED).ok(),
                limit: PAGE,
                ..Filter::default()
            };
            given_up.extend(self.ledger.list(&filter).await?);
        }
        Ok(given_up)
    }

    pub(super) async fn all_unfinished(
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
            if !round.force && progress.asked > 0 {
                // In the background it leaves most turns of the pace to those who wait.
                tokio::time::sleep(BREATH).await;
            }
            let Some(settled) = self.ask_or_single_out(round, chunk).await? else { break };
            progress.settled = progress.settled.saturating_add(settled);
            progress.asked = progress.asked.saturating_add(chunk.len());
            told(progress);
        }
        Ok(progress)
    }

    /// Asks about some entries at once; where that question comes to nothing, about each of them, so
    /// that one it cannot be asked about does not hold up the others.
    async fn ask_or_single_out(
        &self,
        round: &Round<'_>,
        chunk: &[Entry],
    ) -> Result<Option<usize>, Refused> {
        match self.ask_about(round, chunk).await {
            Err(refused) if is_about_one(&refused) => {}
            done => return done,
        }
        let (mut settled, mut in_vain): (usize, usize) = (0, 0);
        for entry in chunk {
            match self.ask_about(round, std::slice::from_ref(entry)).await {
                Ok(Some(one)) => {
                    settled = settled.saturating_add(one);
                    in_vain = 0;
                }
                Ok(None) => return Ok(None),
                // When nothing at all is answered it is not about one of them.
                Err(refused) if is_about_one(&refused) && in_vain < IN_VAIN => {
                    in_vain = in_vain.saturating_add(1);
                    tracing::warn!(number = %entry.number(), %refused, "it cannot be asked about");
                }
                Err(other) => return Err(other),
            }
        }
        Ok(Some(settled))
    }

    /// Asks about some entries at once, month by month; how many are settled now, and none where
    /// the stop came first: then nothing of what was said is written down.
    async fn ask_about(
        &self,
        round: &Round<'_>,
        chunk: &[Entry],
    ) -> Result<Option<usize>, Refused> {
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
            let months = [month];
            let reading = self.read_through(&query, &months, MAX_RECORDS);
            let Some(found) = self.stop.run_until_cancelled(reading).await else { return Ok(None) };
            let found = found?;
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
                    let unclear = it.state.is_open() && it.state == before;
                    if unclear && !self.stop.is_cancelled() {
                        it = self.look_closer(round.caller, it).await?;
                    }
                    it.state.is_open()
                }
            };
            settled = settled.saturating_add(usize::from(!open));
        }
        Ok(Some(settled))
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

/// Whether another question may fare better.
fn is_about_one(refused: &Refused) -> bool {
    matches!(
        refused,
        Refused::QueryRefused { .. }
            | Refused::Unanswered(Trouble::Lost { .. })
            | Refused::Ledger(LedgerError::Damaged { .. })
    )
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
