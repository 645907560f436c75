//! Faults and gates that a test asks for, one request after another.
use std::collections::VecDeque;

use tokio_util::sync::{CancellationToken, DropGuard};

use super::Fault;
use crate::spec::endpoints::Endpoint;

/// Where a [`Gate`] stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Before anything is done.
    Before,
    /// After everything is done, before the answer leaves.
    After,
}

/// Holds one request until it is released or dropped.
///
/// The request is QFPay's by then: it goes on even if its caller has gone.
#[derive(Debug)]
pub struct Gate {
    reached: CancellationToken,
    open: DropGuard,
}

impl Gate {
    /// Resolves when the request stands at the gate.
    pub async fn reached(&self) {
        self.reached.cancelled().await;
    }

    /// Lets the request go on. A gate that no request has reached holds none any more.
    pub fn release(self) {
        drop(self.open);
    }
}

/// The request's side of a [`Gate`].
#[derive(Debug)]
pub(super) struct Held {
    reached: CancellationToken,
    open: CancellationToken,
}

impl Held {
    /// Tells that the request is here and waits.
    pub(super) async fn stand(self) {
        self.reached.cancel();
        self.open.cancelled().await;
    }
}

/// What is scripted and has not happened yet, first come, first served.
#[derive(Debug, Default)]
pub(super) struct Script {
    faults: VecDeque<(Endpoint, Fault)>,
    gates: VecDeque<(Endpoint, When, Held)>,
}

impl Script {
    pub(super) fn add(&mut self, endpoint: Endpoint, fault: Fault) {
        self.faults.push_back((endpoint, fault));
    }

    pub(super) fn hold(&mut self, endpoint: Endpoint, when: When) -> Gate {
        let (reached, open) = (CancellationToken::new(), CancellationToken::new());
        self.gates.push_back((
            endpoint,
            when,
            Held { reached: reached.clone(), open: open.clone() },
        ));
        Gate { reached, open: open.drop_guard() }
    }

    /// The next fault of `endpoint`.
    pub(super) fn fault(&mut self, endpoint: Endpoint) -> Option<Fault> {
        let at = self.faults.iter().position(|it| it.0 == endpoint)?;
        self.faults.remove(at).map(|it| it.1)
    }

    /// The next gate of `endpoint` that still holds.
    pub(super) fn held(&mut self, endpoint: Endpoint, when: When) -> Option<Held> {
        self.gates.retain(|it| !it.2.open.is_cancelled());
        let at = self.gates.iter().position(|it| it.0 == endpoint && it.1 == when)?;
        self.gates.remove(at).map(|it| it.2)
    }
}
