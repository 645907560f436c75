//! MCP over HTTP on this machine: the listener, the routes, and how they end. It knows the
//! transports by their routes, and nothing of what is served.
//!
//! | route | what |
//! |---|---|
//! | `/mcp` | streamable HTTP, with sessions for clients before 2026-07-28 |
//! | `/sse`, `/messages` | the HTTP+SSE of 2024-11-05 |
//! | `/qfpay/notifications` | what QFPay tells of its own accord, where it is served |
//! | `/approve` | approvals by operators, where there are any |
//! | `/healthz`, `/` | for probes and people |
//!
//! It ends in two phases. First no more is accepted, and what is in flight may finish: the work
//! that moves money, then the replies. Then the streams, which have no end of their own, are closed.
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{Router, middleware, routing::get};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rmcp::{
    ServerHandler,
    transport::{
        StreamableHttpServerConfig, StreamableHttpService,
        streamable_http_server::session::local::{LocalSessionManager, SessionConfig},
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    MAX_MESSAGE_BYTES, ServeError, Shutdown,
    admit::{self, Gate},
    guard, health, sse,
};

/// The most connections at once; more wait to be accepted.
const MAX_CONNECTIONS: usize = 2048;
/// How long a client may take to send the head of a request. hyper counts the idle time between two
/// requests as well, so this is longer than the 90 s for which clients keep a connection.
const HEAD_TIME: Duration = Duration::from_secs(100);
/// The longest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// How long an idle session lives. Several clients do not open a new one when it is gone.
const SESSION_LIFE: Duration = Duration::from_hours(1);
/// How long replies may take, once the work behind them is done.
const REPLY_TIME: Duration = Duration::from_secs(2);
/// How long connections may take to close, once their streams ended. rmcp takes up to two.
const CLOSE_TIME: Duration = Duration::from_secs(4);

/// Where to listen, and how much to hold.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// The most sessions of streamable HTTP at once (about 66 kB each).
    pub max_sessions: usize,
    /// The most sessions of HTTP+SSE at once.
    pub max_sse_sessions: usize,
    /// The longest body that is read, in bytes.
    pub max_body_bytes: usize,
    /// How long a shutdown waits for the work in flight.
    pub drain: Duration,
    /// More routes, behind the same guard.
    pub routes: Router,
}

impl Settings {
    /// The limits of the product, on `bind`.
    pub fn new(bind: SocketAddr) -> Self {
        Self {
            bind,
            max_sessions: 1000,
            max_sse_sessions: 256,
            max_body_bytes: MAX_MESSAGE_BYTES,
            drain: Duration::from_secs(20),
            routes: Router::new(),
        }
    }
}

/// Serves MCP over HTTP until `shutdown`; `on_ready` is told the address once connections are taken.
pub async fn serve<S: ServerHandler + Clone>(
    server: S,
    settings: Settings,
    shutdown: Shutdown,
    on_ready: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    // The guard lets these two through by name; whatever else is loopback, nobody could call it.
    let address = settings.bind;
    if ![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)].contains(&address.ip()) {
        return Err(ServeError::NotLoopback(address));
    }
    let failed = |source| ServeError::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let streams = CancellationToken::new();
    let replies = TaskTracker::new();
    let app = app(server, &settings, &streams, &replies);
    on_ready(address);
    let mut connections = accept(listener, app, &shutdown).await;

    shutdown.drain(settings.drain).await;
    replies.close();
    if tokio::time::timeout(REPLY_TIME, replies.wait()).await.is_err() {
        tracing::warn!(left = replies.len(), "some calls were not answered before the end");
    }
    streams.cancel();
    let closed = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(CLOSE_TIME, closed).await.is_err() {
        tracing::debug!("some clients did not let go of their connections");
    }
    connections.shutdown().await;
    Ok(())
}

/// All routes. Authentication will stand between the guard and the two transports.
fn app<S: ServerHandler + Clone>(
    server: S,
    settings: &Settings,
    streams: &CancellationToken,
    replies: &TaskTracker,
) -> Router {
    let sse = sse::router(
        server.clone(),
        sse::Limits {
            max_sessions: settings.max_sse_sessions,
            max_body_bytes: settings.max_body_bytes,
        },
        streams.clone(),
    );
    Router::new()
        .route("/", get(health::home))
        .route("/healthz", get(health::healthz))
        .merge(streamable(server, settings, streams, replies))
        .merge(sse)
        .merge(settings.routes.clone())
        .fallback(health::nothing_here)
        .layer(middleware::from_fn(guard::check))
}

fn streamable<S: ServerHandler + Clone>(
    server: S,
    settings: &Settings,
    streams: &CancellationToken,
    replies: &TaskTracker,
) -> Router {
    let mut session = SessionConfig::default();
    session.keep_alive = Some(SESSION_LIFE);
    let mut sessions = LocalSessionManager::default();
    sessions.session_config = session;
    let sessions = Arc::new(sessions);
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(true)
        .with_json_response(true)
        .with_max_request_body_bytes(settings.max_body_bytes)
        .with_cancellation_token(streams.clone());
    let service = StreamableHttpService::new(move || Ok(server.clone()), sessions.clone(), config);
    let gate = Gate {
        sessions,
        max_sessions: settings.max_sessions,
        max_body_bytes: settings.max_body_bytes,
        replies: replies.clone(),
    };
    Router::new()
        .route_service("/mcp", service.clone())
        .route_service("/mcp/", service)
        .layer(middleware::from_fn_with_state(gate, admit::admit))
}

/// Takes connections until the stop; gives those that are open then.
async fn accept(listener: TcpListener, app: Router, shutdown: &Shutdown) -> JoinSet<()> {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    let taking = async {
        while let Ok(slot) = slots.clone().acquire_owned().await {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let stop = shutdown.token().clone();
                    connections.spawn(connection(stream, app.clone(), stop, slot));
                }
                Err(error) => {
                    // Out of file descriptors, as a rule: at once it would only fail again.
                    tracing::warn!(%error, "could not take a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
    };
    tokio::select! {
        () = taking => {}
        () = shutdown.stopped() => {}
    }
    connections
}

/// Serves one connection; after the stop, up to the end of the request it is in.
async fn connection(
    stream: TcpStream,
    app: Router,
    stop: CancellationToken,
    _slot: OwnedSemaphorePermit,
) {
    // Without it each event of a stream waits 40 ms for the client's delayed acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not set TCP_NODELAY");
    }
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(MAX_HEAD_BYTES);
    let service = TowerToHyperService::new(app);
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
