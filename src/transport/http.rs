//! MCP over HTTP: the listeners, the routes, and how they end. It knows the transports by their
//! routes, and nothing of what is served.
//!
//! | route | what | token |
//! |---|---|---|
//! | `/mcp` | streamable HTTP, with sessions for clients before 2026-07-28 | yes |
//! | `/sse`, `/messages` | the HTTP+SSE of 2024-11-05 | yes |
//! | `/metrics` | figures for Prometheus | yes |
//! | `/qfpay/notifications` | what QFPay tells of its own accord, where it is served | signed |
//! | `/approve` | approvals by operators, where there are any | login |
//! | `/.well-known/…` | where tokens are to be had | no |
//! | `/healthz`, `/readyz`, `/` | for probes and people | no |
//!
//! A token is wanted where there is authentication. With an address for operators, `/metrics` is there
//! alone, and wants none. Every route answers below the public address's path, too.
//!
//! It ends in phases. First nothing new that moves money is begun, while everything else goes on.
//! When what moves money is done, no more is accepted, and what is in flight may finish. Then the
//! streams, which have no end of their own, are closed.
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    http::header,
    middleware,
    routing::{any, get},
};
use rmcp::{
    ServerHandler,
    transport::{
        StreamableHttpServerConfig, StreamableHttpService,
        streamable_http_server::session::local::{LocalSessionManager, SessionConfig},
    },
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Layer as _;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{
    MAX_MESSAGE_BYTES, ServeError, Shutdown,
    admit::{self, Gate, Owners},
    auth::{self, Auth},
    bodies::Bodies,
    front, guard,
    health::{self, Health, Probes},
    lines::Serving,
    site::Site,
    sse,
    tls::Tls,
};
use crate::places::Places;

/// How long an idle session lives. Several clients do not open a new one when it is gone.
const SESSION_LIFE: Duration = Duration::from_hours(2);
/// How long work in flight has where somebody will wait no longer.
const HURRY: Duration = Duration::from_secs(1);
/// How long replies may take, once the work behind them is done.
const REPLY_TIME: Duration = Duration::from_secs(2);
/// How long connections may take to close, once their streams ended. rmcp takes up to two.
const CLOSE_TIME: Duration = Duration::from_secs(4);

/// Where to listen, for whom, and how much to hold.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Where the server is to be found, and who is answered.
    pub site: Site,
    /// Whose tokens are taken; none: everybody is let through, which takes a loopback address.
    pub auth: Option<Auth>,
    /// None: plain HTTP.
    pub tls: Option<Tls>,
    /// Without sessions: each request of an older client stands for itself, too.
    pub stateless: bool,
    /// Whether the HTTP+SSE of 2024-11-05 is served.
    pub sse: bool,
    /// The most sessions of streamable HTTP at once (about 85 kB each).
    pub max_sessions: usize,
    /// The most sessions of HTTP+SSE at once.
    pub max_sse_sessions: usize,
    /// The most calls that are worked on at once.
    pub max_calls: usize,
    /// The longest body that is read, in bytes.
    pub max_body_bytes: usize,
    /// How long an ending server goes on answering, at least: until nobody sends anything any more.
    pub grace: Duration,
    /// How long it waits for what moves money, at most.
    pub drain: Duration,
    /// Whether `/metrics` is served to callers where it has no address of its own.
    pub figures: bool,
    /// An address of its own for probes and monitors.
    pub admin: Option<SocketAddr>,
    pub probes: Probes,
    /// More routes, behind the same guard.
    pub routes: Router,
}

impl Settings {
    /// The limits of the product, on `bind`, for this machine alone.
    pub fn new(bind: SocketAddr) -> Self {
        Self {
            bind,
            site: Site { local: true, ..Site::default() },
            auth: None,
            tls: None,
            stateless: false,
            sse: true,
            max_sessions: 1000,
            max_sse_sessions: 256,
            max_calls: 1024,
            max_body_bytes: MAX_MESSAGE_BYTES,
            grace: Duration::ZERO,
            // Longer than a turn in the pace and QFPay's answer take.
            drain: Duration::from_secs(45),
            figures: true,
            admin: None,
            probes: Probes::default(),
            routes: Router::new(),
        }
    }

    /// Whether only this machine can reach it. The guard lets these two through by name; whatever
    /// else is loopback, nobody could call it.
    pub fn is_local(bind: SocketAddr) -> bool {
        [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)].contains(&bind.ip())
    }

    /// The most streams of sessions at once. With calls and HTTP+SSE they leave some connections free:
    /// who is answered keeps theirs.
    fn max_streams(&self) -> usize {
        self.max_calls / 2
    }

    /// What has to be set before it listens where others can reach it.
    fn check(&self) -> Result<(), ServeError> {
        let (local, named) = (Self::is_local(self.bind), self.site.is_named_elsewhere());
        if local && !named {
            return Ok(());
        }
        let mut missing = Vec::new();
        if self.auth.is_none() {
            missing.push(
                "whoever reaches it could move money: set QFPAY_TOKENS_FILE or QFPAY_OAUTH_ISSUER",
            );
        }
        if !local && self.tls.is_none() && self.site.proxies.is_empty() {
            missing.push(
                "tokens would cross the network in plain: give it --tls-cert and --tls-key, or put \
                 a proxy that does TLS before it and set QFPAY_TRUSTED_PROXIES to its network",
            );
        }
        if !named {
            missing.push("nobody could call it by a name: set QFPAY_PUBLIC_URL");
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(ServeError::Open { address: self.bind, missing: missing.join("\n  - ") })
    }
}

/// The parts of a running server that its end has to reach.
#[derive(Clone)]
struct Running {
    /// Ends the streams.
    streams: CancellationToken,
    /// Replies on their way.
    replies: TaskTracker,
    sessions: Arc<LocalSessionManager>,
    sse_sessions: Places,
    /// Calls that are being worked on, by any transport.
    calls: Places,
    health: Health,
}

/// Serves MCP over HTTP until `shutdown`; `on_ready` is told the address once connections are taken.
pub async fn serve<S: ServerHandler + Clone>(
    server: S,
    settings: Settings,
    shutdown: Shutdown,
    on_ready: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    settings.check()?;
    let listener = listen(settings.bind).await?;
    let address = listener.local_addr().map_err(|it| bind_error(settings.bind, it))?;
    let running = Running {
        streams: CancellationToken::new(),
        replies: TaskTracker::new(),
        sessions: sessions(),
        sse_sessions: Places::new(settings.max_sse_sessions),
        calls: Places::new(settings.max_calls),
        health: Health {
            probes: settings.probes.clone(),
            tells: false,
            draining: shutdown.draining().clone(),
        },
    };
    let serving = Serving {
        app: app(server, &settings, &running),
        tls: settings.tls.clone(),
        stop: shutdown.token().clone(),
    };
    // Probes and monitors are answered until the very end.
    let ended = CancellationToken::new();
    let admin = match settings.admin {
        None => None,
        Some(bind) => {
            let listener = listen(bind).await?;
            let app = admin(&settings, &running);
            Some(tokio::spawn(Serving { app, tls: None, stop: ended.clone() }.accept(listener)))
        }
    };
    on_ready(address);
    let (mut connections, left) = tokio::join!(
        serving.accept(listener),
        wind_down(&shutdown, settings.grace, settings.drain)
    );

    shutdown.drain(left).await;
    running.replies.close();
    if tokio::time::timeout(REPLY_TIME, running.replies.wait()).await.is_err() {
        tracing::warn!(left = running.replies.len(), "some calls were not answered before the end");
    }
    running.streams.cancel();
    let closed = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(CLOSE_TIME, closed).await.is_err() {
        tracing::debug!("some clients did not let go of their connections");
    }
    connections.shutdown().await;
    ended.cancel();
    if let Some(Ok(mut connections)) = futures::future::OptionFuture::from(admin).await {
        connections.shutdown().await;
    }
    Ok(())
}

/// From the first word of the end to the stop: what moves money is waited for, and clients may go on
/// asking, and answering what they were asked. Gives what is left of `limit` for the work in flight.
async fn wind_down(shutdown: &Shutdown, grace: Duration, limit: Duration) -> Duration {
    tokio::select! {
        () = shutdown.draining().cancelled() => {}
        () = shutdown.stopped() => return limit,
    }
    let begun = Instant::now();
    let quiet = async { tokio::join!(tokio::time::sleep(grace), shutdown.quiet(limit)) };
    let hurried = tokio::select! {
        _ = quiet => false,
        () = shutdown.stopped() => true,
    };
    shutdown.stop();
    if hurried { HURRY } else { limit.saturating_sub(begun.elapsed()).max(HURRY) }
}

async fn listen(bind: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(bind).await.map_err(|it| bind_error(bind, it))
}

fn bind_error(address: SocketAddr, source: std::io::Error) -> ServeError {
    ServeError::Bind { address, source }
}

/// All routes, as they are and below the path that a proxy may put before them.
fn app<S: ServerHandler + Clone>(server: S, settings: &Settings, running: &Running) -> Router {
    let site = Arc::new(settings.site.clone());
    let routes = routes(server, settings, running);
    let prefix = site.prefix();
    let mut app = routes.clone();
    if !prefix.is_empty() {
        app = app.nest(prefix, routes);
        if let Some(auth) = &settings.auth {
            app = app.merge(auth.metadata_at(prefix));
        }
    }
    let mut app = app.fallback(health::nothing_here);
    if !site.origins.is_empty() {
        app = app.layer(cors(site.clone()));
    }
    // Around the whole, not around each route: what is copied for each request is two pointers then, not
    // all that lies behind.
    let app = middleware::from_fn_with_state(site.clone(), guard::check).layer(app);
    let app = middleware::from_fn_with_state(site, front::receive).layer(app);
    Router::new().fallback_service(app)
}

fn routes<S: ServerHandler + Clone>(server: S, settings: &Settings, running: &Running) -> Router {
    let bodies = Bodies::new(settings.max_body_bytes);
    let mut closed = streamable(server.clone(), settings, running, bodies.clone());
    if settings.sse {
        let limits = sse::Limits {
            sessions: running.sse_sessions.clone(),
            calls: running.calls.clone(),
            bodies,
            prefix: settings.site.prefix().to_owned(),
        };
        closed = closed.merge(sse::router(server, limits, running.streams.clone()));
    }
    let mut open = Router::new()
        .route("/", get(health::home))
        .merge(probes(running))
        .merge(settings.routes.clone());
    if settings.admin.is_none() && settings.figures {
        closed = closed.merge(figures(running));
    }
    if let Some(auth) = &settings.auth {
        closed = closed.layer(middleware::from_fn_with_state(auth.clone(), auth::require));
        open = open.merge(auth.metadata());
    }
    open.merge(closed)
}

fn probes(running: &Running) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .with_state(running.health.clone())
}

fn figures(running: &Running) -> Router {
    let (sessions, sse) = (running.sessions.clone(), running.sse_sessions.clone());
    let count = middleware::from_fn(move |request, next: middleware::Next| {
        let (sessions, sse) = (sessions.clone(), sse.clone());
        async move {
            let streamable = sessions.sessions.read().await.len();
            crate::meter::sessions("http", streamable);
            crate::meter::sessions("sse", sse.taken());
            next.run(request).await
        }
    });
    Router::new()
        .route("/metrics", get(health::metrics))
        .layer(count)
        .with_state(running.health.clone())
}

/// What operators' programs ask, on an address of its own. They call it by its number, which no name
/// server can turn against us.
fn admin(settings: &Settings, running: &Running) -> Router {
    let mut site = settings.site.clone();
    site.numbers = true;
    let site = Arc::new(site);
    let mut running = running.clone();
    running.health.tells = true;
    probes(&running)
        .merge(figures(&running))
        .fallback(health::nothing_here)
        .layer(middleware::from_fn_with_state(site, guard::check))
}

/// Lets browsers hand our answers to pages that were named.
fn cors(site: Arc<Site>) -> CorsLayer {
    let named = move |origin: &header::HeaderValue, _: &http::request::Parts| {
        origin.to_str().is_ok_and(|it| site.is_named(it))
    };
    let methods = [http::Method::GET, http::Method::POST, http::Method::DELETE];
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(named))
        .allow_methods(methods)
        .allow_headers(tower_http::cors::AllowHeaders::mirror_request())
        .expose_headers([
            header::HeaderName::from_static("mcp-session-id"),
            header::WWW_AUTHENTICATE,
            header::RETRY_AFTER,
        ])
        .max_age(Duration::from_mins(10))
}

fn sessions() -> Arc<LocalSessionManager> {
    let mut session = SessionConfig::default();
    session.keep_alive = Some(SESSION_LIFE);
    let mut sessions = LocalSessionManager::default();
    sessions.session_config = session;
    Arc::new(sessions)
}

fn streamable<S: ServerHandler + Clone>(
    server: S,
    settings: &Settings,
    running: &Running,
    bodies: Bodies,
) -> Router {
    // Host and Origin were looked at before, for all routes.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(!settings.stateless)
        .with_json_response(true)
        .disable_allowed_hosts()
        .with_max_request_body_bytes(settings.max_body_bytes)
        .with_cancellation_token(running.streams.clone());
    let sessions = running.sessions.clone();
    let gate = Gate {
        service: StreamableHttpService::new(move || Ok(server.clone()), sessions.clone(), config),
        sessions,
        opened: Places::new(settings.max_sessions),
        streams: Places::new(settings.max_streams()),
        bodies,
        calls: running.calls.clone(),
        owners: Owners::default(),
        replies: running.replies.clone(),
        stateless: settings.stateless,
    };
    Router::new()
        .route("/mcp", any(admit::admit::<S>))
        .route("/mcp/", any(admit::admit::<S>))
        .with_state(Arc::new(gate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::lines;

    #[test]
    fn all_that_is_answered_at_once_leaves_connections_free() {
        let settings = Settings::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        let most = settings.max_calls + settings.max_streams() + settings.max_sse_sessions;
        assert!(most + 200 < lines::MOST, "{most}");
    }
}
