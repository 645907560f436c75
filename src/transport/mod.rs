//! How bytes reach the MCP server and its answers go back: stdio, streamable HTTP, and the HTTP+SSE
//! of 2024-11-05. It knows MCP's envelopes and HTTP; it does not know payments.
//!
//! Every transport serves both eras of MCP: clients that open with `initialize` (2024-11-05 to
//! 2025-11-25) and clients that carry everything in each request (2026-07-28).
//!
//! A request over HTTP comes through `lines` (the connection), `front` (where from), `guard` (for and
//! from whom), `auth` (who), `admit` (how much), and then to the transport.
mod admit;
pub mod approve;
mod auth;
mod bodies;
mod envelope;
mod files;
mod front;
mod guard;
mod health;
pub mod http;
mod lines;
mod login;
pub mod notify;
mod opening;
mod refusal;
pub mod site;
mod sse;
pub mod stdio;
#[cfg(test)]
mod tests;
mod tls;

use signals::Signals;

pub use auth::{Auth, Issuer, IssuerError, NewToken, OAuth, TokenError, Tokens};
pub use files::open_as_many_as_may_be;
pub use health::{Probes, Question};
pub use login::{OperatorError, Operators};
pub use tls::{Tls, TlsError};

use std::{io, net::SocketAddr, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The longest message that a transport reads, in bytes. What our tools take is far smaller.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// Why a transport could not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "refused to listen on {address}, where others than this machine can reach it:\n  - {missing}"
    )]
    Open { address: SocketAddr, missing: String },
    #[error("cannot listen on {address}: {source}; choose another port, or stop what uses it")]
    Bind { address: SocketAddr, source: io::Error },
    #[error("cannot listen for the signals that end the process")]
    Signals(#[source] io::Error),
    #[error("the task that served the client ended abnormally")]
    Broken(#[from] tokio::task::JoinError),
}

/// The end of the process, as the parts of the server share it, in two phases: first nothing new that
/// moves money is begun and what is under way goes on, then everything stops.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    drain: CancellationToken,
    stop: CancellationToken,
    tracker: TaskTracker,
    background: TaskTracker,
}

impl Shutdown {
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells the server to begin nothing new that moves money, and to stop after that.
    pub fn begin(&self) {
        self.drain.cancel();
    }

    /// Tells every transport to take no more work, finish what is in flight, and return. What was
    /// read before is in flight.
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

    /// The token behind `begin`, for layers below that should know no transport.
    pub fn draining(&self) -> &CancellationToken {
        &self.drain
    }

    /// The token behind `stop`.
    pub fn token(&self) -> &CancellationToken {
        &self.stop
    }

    /// Where to spawn what must be written down before the process ends.
    pub fn tracker(&self) -> &TaskTracker {
        &self.tracker
    }

    /// Where to spawn what goes on by itself until the stop.
    pub fn background(&self) -> &TaskTracker {
        &self.background
    }

    /// From now on SIGINT and SIGTERM mean [`stop`](Self::stop). For `main`, once; a library or a
    /// test should leave the process's signals alone.
    pub fn stop_on_signals(&self) -> Result<(), ServeError> {
        let mut signals = Signals::listen().map_err(ServeError::Signals)?;
        let this = self.clone();
        tokio::spawn(async move {
            let name = signals.next().await;
            tracing::info!("{name}: finishing what is in flight, then ending");
            this.stop();
        });
        Ok(())
    }

    /// From now on the first SIGINT or SIGTERM means [`begin`](Self::begin), and the second
    /// [`stop`](Self::stop).
    pub fn drain_on_signals(&self) -> Result<(), ServeError> {
        let mut signals = Signals::listen().map_err(ServeError::Signals)?;
        let this = self.clone();
        tokio::spawn(async move {
            let name = signals.next().await;
            tracing::info!("{name}: beginning nothing new, finishing what is in flight");
            this.begin();
            let name = signals.next().await;
            tracing::info!("{name} again: ending");
            this.stop();
        });
        Ok(())
    }

    /// Waits until nothing that moves money is under way, at most for `limit`; whether that came.
    async fn quiet(&self, limit: Duration) -> bool {
        self.tracker.close();
        tokio::time::timeout(limit, self.tracker.wait()).await.is_ok()
    }

    /// Waits until all work is done, at most for `limit`; whether it was.
    ///
    /// What is left after that is in the ledger, and is settled by recovery at the next start.
    pub async fn drain(&self, limit: Duration) -> bool {
        self.background.close();
        let background = tokio::time::timeout(limit, self.background.wait());
        let (quiet, background) = tokio::join!(self.quiet(limit), background);
        let done = quiet && background.is_ok();
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

    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// What a person or a supervisor ends the process with.
    pub(super) struct Signals {
        interrupt: Signal,
        terminate: Signal,
    }

    impl Signals {
        /// The handlers stand when this returns.
        pub(super) fn listen() -> io::Result<Self> {
            let interrupt = signal(SignalKind::interrupt())?;
            Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
        }

        /// The name of the next one.
        pub(super) async fn next(&mut self) -> &'static str {
            tokio::select! {
                _ = self.interrupt.recv() => "SIGINT",
                _ = self.terminate.recv() => "SIGTERM",
            }
        }
    }
}

#[cfg(not(unix))]
mod signals {
    use std::io;

    pub(super) struct Signals;

    impl Signals {
        #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
        pub(super) fn listen() -> io::Result<Self> {
            Ok(Self)
        }

        #[expect(clippy::unused_self, reason = "as on Unix")]
        pub(super) async fn next(&mut self) -> &'static str {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            "ctrl-c"
        }
    }
}
