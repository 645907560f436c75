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
}

impl Listener {
    /// Resolves when `number` may have changed.
    pub async fn changed(&mut self, number: &OrderNumber) {
        loop {
            match self.0.recv().await {
                Ok(other) if other != *number => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}
