//! How bytes reach the MCP server and its answers go back: stdio, streamable HTTP, and the HTTP+SSE
//! of 2024-11-05. It knows MCP's envelopes and HTTP; it does not know payments.
//!
//! Every transport serves both eras of MCP: clients that open with `initialize` (2024-11-05 to
//! 2025-11-25) and clients that carry everything in each request (2026-07-28).
//!
//! A later release puts authentication behind `guard`, and metrics beside `health`.
mod admit;
pub mod approve;
mod guard;
mod health;
pub mod http;
mod login;
pub mod notify;
mod opening;
mod sse;
pub mod stdio;
#[cfg(test)]
mod tests;

pub use login::{OperatorError, Operators};

use std::{io, net::SocketAddr, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The longest message that a transport reads, in bytes. What our tools take is far smaller.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// Why a transport could not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "refused to listen on {0}: without authentication, whoever reaches this server could move \
         money, so it listens on this machine only; use 127.0.0.1 or [::1] (a later release brings \
         authentication and other addresses)"
    )]
    NotLoopback(SocketAddr),
    #[error("cannot listen on {address}: {source}; choose another port, or stop what uses it")]
    Bind { address: SocketAddr, source: io::Error },
    #[error("cannot listen for the signals that end the process")]
    Signals(#[source] io::Error),
    #[error("the task that served the client ended abnormally")]
    Broken(#[from] tokio::task::JoinError),
}

/// The end of the process, as the parts of the server share it: a token that says "stop", and the
/// tracker in which the server runs what moves money, so that a stop waits for it.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Shutdown {
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells every transport to take no more work, finish what is in flight, and return.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Whether [`stop`](Self::stop) was called.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Resolves when [`stop`](Self::stop) is called.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// The token behind `stop`, for layers below that should know no transport.
    pub fn token(&self) -> &CancellationToken {
        &self.stop
    }

    /// Where to spawn what must be written down before the process ends.
    pub fn tracker(&self) -> &TaskTracker {
        &self.tracker
    }

    /// From now on SIGINT and SIGTERM mean [`stop`](Self::stop). For `main`, once; a library or a
    /// test should leave the process's signals alone.
    pub fn stop_on_signals(&self) -> Result<(), ServeError> {
        let signal = signals::listen().map_err(ServeError::Signals)?;
        let stop = self.stop.clone();
        tokio::spawn(async move {
            let name = signal.await;
            tracing::info!("{name}: finishing what is in flight, then ending");
            stop.cancel();
        });
        Ok(())
    }

    /// Waits until the tracker is empty, at most for `limit`; whether it got empty.
    ///
    /// What is left after that is in the ledger, and is settled by recovery at the next start.
    pub async fn drain(&self, limit: Duration) -> bool {
        self.tracker.close();
        let done = tokio::time::timeout(limit, self.tracker.wait()).await.is_ok();
        if !done {
            let left = self.tracker.len();
            tracing::warn!(left, ?limit, "not all work ended in time; recovery will settle it");
        }
        done
    }
}

#[cfg(unix)]
mod signals {
    use std::io;

    use tokio::signal::unix::{SignalKind, signal};

    /// The handlers stand when this returns; the future gives the name of the first signal.
    pub(super) fn listen() -> io::Result<impl Future<Output = &'static str> + Send> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = terminate.recv() => "SIGTERM",
            }
        })
    }
}

#[cfg(not(unix))]
mod signals {
    use std::io;

    pub(super) fn listen() -> io::Result<impl Future<Output = &'static str> + Send> {
        Ok(async move {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            "ctrl-c"
        })
    }
}
