//! Tells those who wait for an order that something new is known of it. Within this process only.
use tokio::sync::broadcast;

use crate::domain::OrderNumber;

/// How many changes a slow listener may fall behind before it is told "anything may have changed".
const BEHIND: usize = 256;

/// Where changes are told and heard.
#[derive(Debug, Clone)]
pub struct Changes(broadcast::Sender<OrderNumber>);

/// Hears of changes from the moment it was made.
#[derive(Debug)]
pub struct Listener(broadcast::Receiver<OrderNumber>);

impl Default for Changes {
    fn default() -> Self {
        Self(broadcast::Sender::new(BEHIND))
    }
}

impl Changes {
    /// Something new is known of `number`.
    pub(super) fn tell(&self, number: &OrderNumber) {
        // Nobody may be listening.
        let _ = self.0.send(number.clone());
    }

    pub fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }

    /// Whether both are one.
    pub fn is(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }
}

impl Listener {
    /// Resolves when `number` may have changed.
    pub async fn changed(&mut self, number: &OrderNumber) {
        while self.next().await.is_some_and(|it| it != *number) {}
    }

    /// The next that changed; none: any may have.
    pub async fn next(&mut self) -> Option<OrderNumber> {
        match self.0.recv().await {
            Ok(number) => Some(number),
            Err(broadcast::error::RecvError::Lagged(_)) => None,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
