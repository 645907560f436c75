//! The connections: how many there are at most, and which has to go when one more comes.
//!
//! A connection on which nobody was answered yet is worth the least: a slow client, or one that only
//! keeps its place. The oldest of these makes room, and where there is none, the one that was answered
//! the longest ago; one that is being answered never does.
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::{files, tls::Tls};

/// The most connections at once, where there may be as many files.
pub(super) const MOST: usize = 2048;
/// How long a client may take to send the head of a request. hyper counts the idle time between two
/// requests as well, so this is longer than the 90 s for which clients keep a connection.
const HEAD_TIME: Duration = Duration::from_secs(100);
/// The longest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// How long a connection stays at least after it came, or was answered: in a flood of others an honest
/// client has this long to be heard.
const GRANTED: Duration = Duration::from_millis(500);
/// How long to wait where all connections are being answered, or none can be taken.
const PAUSE: Duration = Duration::from_millis(100);

/// The connection that a request came on.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) peer: IpAddr,
    /// Whether it is encrypted up to us.
    pub(super) secure: bool,
    answers: Arc<Answers>,
}

/// What was answered on a connection.
#[derive(Debug, Default)]
struct Answers {
    at_hand: AtomicUsize,
    /// When the last one was over.
    last: Mutex<Option<Instant>>,
}

impl Answers {
    fn are_at_hand(&self) -> bool {
        self.at_hand.load(Ordering::Relaxed) > 0
    }

    fn last(&self) -> MutexGuard<'_, Option<Instant>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For tests that have no connection.
impl Default for Line {
    fn default() -> Self {
        Self { peer: Ipv4Addr::LOCALHOST.into(), secure: false, answers: Arc::default() }
    }
}

impl Line {
    /// While this is held the connection is being answered, and stays.
    pub(super) fn answering(&self) -> Answering {
        self.answers.at_hand.fetch_add(1, Ordering::Relaxed);
        Answering(self.answers.clone())
    }
}

/// An answer is on its way.
#[derive(Debug)]
pub(super) struct Answering(Arc<Answers>);

impl Drop for Answering {
    fn drop(&mut self) {
        *self.0.last() = Some(Instant::now());
        self.0.at_hand.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection that is open.
#[derive(Debug)]
struct Open {
    since: Instant,
    answers: Arc<Answers>,
    gone: CancellationToken,
}

impl Open {
    /// Whether it may go: nobody is answered on it, nor was a moment ago.
    fn is_idle(&self) -> bool {
        let last = self.answers.last().unwrap_or(self.since);
        !self.answers.are_at_hand() && last.elapsed() >= GRANTED
    }
}

/// All that are open, by the order they came in.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<HashMap<u64, Open>>>);

impl Lines {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection is open; the token tells it to go.
    fn open(&self, id: u64, line: &Line) -> CancellationToken {
        let (answers, gone) = (line.answers.clone(), CancellationToken::new());
        self.lock().insert(id, Open { since: Instant::now(), answers, gone: gone.clone() });
        gone
    }

    /// Whether there is room for one more, after the least worthy went if need be.
    fn has_room(&self, most: usize) -> bool {
        let mut open = self.lock();
        if open.len() < most {
            return true;
        }
        let idle = open.iter().filter(|(_, it)| it.is_idle());
        // None comes before some.
        let least = idle.min_by_key(|(_, it)| (*it.answers.last(), it.since));
        let Some(id) = least.map(|(id, _)| *id) else { return false };
        if let Some(least) = open.remove(&id) {
            least.gone.cancel();
        }
        true
    }
}

/// How connections are taken and served.
#[derive(Clone)]
pub(super) struct Serving {
    pub(super) app: Router,
    pub(super) tls: Option<Tls>,
    /// Finish the requests at hand, and take no more.
    pub(super) stop: CancellationToken,
}

impl Serving {
    /// Takes connections until the stop; gives those that are open then.
    pub(super) async fn accept(self, listener: TcpListener) -> JoinSet<()> {
        let (lines, most) = (Lines::default(), files::connections(MOST));
        let mut connections = JoinSet::new();
        let stop = self.stop.clone();
        let taking = async {
            for id in 0_u64.. {
                let (stream, peer) = loop {
                    match listener.accept().await {
                        Ok(taken) => break taken,
                        Err(error) => {
                            // Out of file descriptors, as a rule: at once it would only fail again.
                            tracing::warn!(%error, "could not take a connection");
                            tokio::time::sleep(PAUSE).await;
                        }
                    }
                };
                while !lines.has_room(most) {
                    tokio::time::sleep(PAUSE).await;
                }
                let peer = peer.ip().to_canonical();
                let line = Line { peer, secure: self.tls.is_some(), answers: Arc::default() };
                let gone = lines.open(id, &line);
                let lines = lines.clone();
                let served = self.clone().connection(stream, line, gone);
                connections.spawn(async move {
                    served.await;
                    lines.lock().remove(&id);
                });
                while connections.try_join_next().is_some() {}
            }
        };
        tokio::select! {
            () = taking => {}
            () = stop.cancelled() => {}
        }
        connections
    }

    async fn connection(self, stream: TcpStream, line: Line, gone: CancellationToken) {
        // Without it each event of a stream waits 40 ms for the client's delayed acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "could not set TCP_NODELAY");
        }
        let peer = line.peer;
        let served = async {
            match self.tls.clone() {
                None => self.serve(stream, line).await,
                Some(tls) => {
                    if let Some(stream) = tls.accept(stream).await {
                        self.serve(stream, line).await;
                    }
                }
            }
        };
        tokio::select! {
            () = served => {}
            () = gone.cancelled() => tracing::debug!(%peer, "a connection made room for another"),
        }
    }

    /// Serves one connection; after the stop, up to the end of the request it is in.
    async fn serve(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        line: Line,
    ) {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(MAX_HEAD_BYTES);
        let app = self.app.clone();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(line.clone());
            app.clone().oneshot(request)
        });
        let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = served.as_mut() => ended,
            () = self.stop.cancelled() => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_oldest_that_was_never_answered_makes_room() {
        let lines = Lines::default();
        let open = async |id| {
            let line = Line::default();
            let gone = lines.open(id, &line);
            tokio::time::advance(Duration::from_secs(1)).await;
            (line, gone)
        };
        let (first, second, third) = (open(1).await, open(2).await, open(3).await);
        let answering = first.0.answering();
        assert!(lines.has_room(4));
        assert!(lines.has_room(3));
        assert!(second.1.is_cancelled() && !third.1.is_cancelled() && !first.1.is_cancelled());
        let _third = third.0.answering();
        assert!(!lines.has_room(2));
        drop(answering);
        // It was answered, so newer ones on which nobody was go before it.
        let fourth = open(4).await;
        assert!(lines.has_room(3) && fourth.1.is_cancelled() && !first.1.is_cancelled());
        assert!(lines.has_room(2) && first.1.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_just_came_or_was_just_answered_stays_a_moment() {
        let lines = Lines::default();
        let (old, new) = (Line::default(), Line::default());
        let _old = lines.open(1, &old);
        let answering = old.answering();
        tokio::time::advance(GRANTED).await;
        let gone = lines.open(2, &new);
        drop(answering);
        assert!(!lines.has_room(2));
        tokio::time::advance(GRANTED).await;
        assert!(lines.has_room(2) && gone.is_cancelled());
    }
}
