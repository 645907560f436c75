//! Wait until a payment is paid or over, or the time is up: ask QFPay now and then, and listen.
use std::time::Duration;

use futures::{FutureExt as _, future::BoxFuture};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Payments, Refused, query::Found};
use crate::{
    domain::{OrderNumber, PaymentState},
    ledger::{Caller, Happening, Note},
    policy::Action,
    spec::Flow,
};

/// The seconds between two questions, in order; the last one holds for the rest. Source: contract
/// §6 (first after 3 to 5 s; a payer's code every 3 s, later 5 s; a QR code or page 3 to 10 s).
const SCANNED: &[u64] = &[3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 5];
const SHOWN: &[u64] = &[3, 3, 4, 4, 5, 6, 8, 10];

/// How a wait ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Waited {
    /// How the order stands, as a query tells it; empty if there is none.
    pub found: Found,
    pub waited: Duration,
}

/// What is told while it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    pub waited: Duration,
    pub left: Duration,
    pub status: PaymentState,
}

/// Hears how the wait goes on.
pub type Ticker<'a> = &'a (dyn Fn(Tick) -> BoxFuture<'static, ()> + Send + Sync);

impl Payments {
    /// Waits for the order `number` until it is not pending any more, at most `limit`. It ends at
    /// once when `cancelled` or when the process is about to end, and wakes at once when something
    /// new is known of the order; `tick` is told each time it goes on waiting.
    pub async fn wait(
        &self,
        caller: &Caller,
        number: &OrderNumber,
        limit: Duration,
        cancelled: &CancellationToken,
        tick: Ticker<'_>,
    ) -> Result<Waited, Refused> {
        let waited = self.wait_for(number, caller, limit, cancelled, tick).await;
        let (what, told) = match &waited {
            Ok(it) => {
                let status = it.found.orders.first().map_or("not found", |it| it.status.word());
                (Happening::Asked, format!("waited {} s: {status}", it.waited.as_secs()))
            }
            Err(refused) => (Happening::Refused, refused.to_string()),
        };
        self.note(Some(number), None, Note::new(caller, what).saying(told)).await;
        waited
    }

    async fn wait_for(
        &self,
        number: &OrderNumber,
        caller: &Caller,
        limit: Duration,
        cancelled: &CancellationToken,
        tick: Ticker<'_>,
    ) -> Result<Waited, Refused> {
        self.permit(Action::QueryTransaction, None, None, None)?;
        let start = Instant::now();
        let over = async {
            tokio::select! {
                () = tokio::time::sleep(limit) => {}
                () = cancelled.cancelled() => {}
                () = self.stop.cancelled() => {}
            }
        };
        tokio::pin!(over);
        let mut listener = self.changes.listen();
        let mut nth = 0_usize;
        loop {
            // A question that takes too long is left to itself: the ledger tells what is known.
            let (found, last) = tokio::select! {
                found = self.order(caller, number) => (found?, false),
                () = &mut over => (self.remembered(number).await?, true),
            };
            if let Some(order) = found.orders.first() {
                order.must_be(number)?;
            }
            let waited = start.elapsed();
            let going_on = found.orders.first().filter(|it| it.status.is_open() && !last);
            let Some(order) = going_on else { return Ok(Waited { found, waited }) };
            let left = limit.saturating_sub(waited);
            let pause = pause(order.pay_type.map(|it| it.flow), nth);
            let told = tick(Tick { waited, left, status: order.status });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // Whoever does not listen holds nothing up.
                () = told.then(|()| std::future::pending()) => {}
                () = listener.changed(number) => {}
                () = &mut over => return Ok(Waited { found, waited: start.elapsed() }),
            }
            nth = nth.saturating_add(1);
        }
    }
}

fn pause(flow: Option<Flow>, nth: usize) -> Duration {
    let table = if flow == Some(Flow::Cpm) { SCANNED } else { SHOWN };
    let seconds = table.get(nth).or(table.last()).copied().unwrap_or(10);
    Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payers_code_is_asked_about_more_often_than_a_shown_one() {
        let told = |flow| {
            let seconds: Vec<String> =
                (0..14).map(|nth| pause(Some(flow), nth).as_secs().to_string()).collect();
            seconds.join(" ")
        };
        assert_eq!(told(Flow::Cpm), "3 3 3 3 3 3 3 3 3 3 5 5 5 5");
        assert_eq!(told(Flow::Mpm), "3 3 4 4 5 6 8 10 10 10 10 10 10 10");
    }
}
