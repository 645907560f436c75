//! A card's void and a refund both give its money back, and the ledger knows a void only by what
//! QFPay says afterwards: so one of them at a time, by a lease.
use jiff::SignedDuration;

use super::{Payments, Refused};
use crate::domain::{OrderNumber, Syssn};

/// How long it is held where nobody knows how it ended: after that QFPay's own record tells.
const HELD: SignedDuration = SignedDuration::from_mins(10);

/// The right to give the money of one payment back.
#[derive(Debug)]
pub(super) struct Alone {
    name: String,
    holder: String,
}

impl Payments {
    /// Takes the right, or says that another has it.
    pub(super) async fn alone(&self, order: &OrderNumber, syssn: &Syssn) -> Result<Alone, Refused> {
        let alone = Alone {
            name: format!("money back of {syssn}"),
            holder: format!("{:016x}", rand::random::<u64>()),
        };
        let now = self.clock.now();
        let until = now.checked_add(HELD).unwrap_or(now);
        if self.ledger.lease(&alone.name, &alone.holder, until, now, false).await? {
            return Ok(alone);
        }
        Err(Refused::GivingBack(order.clone()))
    }

    /// Gives the right back: how it ended is known. It also ends by itself.
    pub(super) async fn done(&self, alone: Alone) {
        let now = self.clock.now();
        let given = self.ledger.lease(&alone.name, &alone.holder, now, now, false).await;
        if let Err(error) = given {
            tracing::warn!(%error, "the right to give money back is left to end by itself");
        }
    }
}
