//! The HTTP+SSE transport of 2024-11-05: `GET /sse` opens a stream of events, the first of which
//! names the address to which the client POSTs its messages. It does not know what is served.
//!
//! rmcp no longer has it, but clients in use know nothing else
//! (<https://modelcontextprotocol.io/specification/2024-11-05/basic/transports>). Only the envelope
//! is old: newer clients speak 2026-07-28 over it.
use std::{
    collections::HashMap,
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Query, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{
        IntoResponse as _, Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::{get, post},
};
use futures::{Stream, StreamExt as _, stream};
use rmcp::{
    RoleServer, ServerHandler,
    model::{ClientJsonRpcMessage, GetExtensions as _, JsonRpcMessage, ServerJsonRpcMessage},
    service::{RxJsonRpcMessage, TxJsonRpcMessage, serve_server_with_ct},
    transport::Transport,
};
use serde::Deserialize;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    admit::Held,
    bodies::Bodies,
    envelope::{Envelope, may_call},
    lines::{Answering, Line},
    opening::Opening,
    refusal::Refusal,
};
use crate::{
    mcp::{Principal, Via},
    places::{Place, Places},
};

const MESSAGES: &str = "/messages";
/// How often a silent stream shows that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How many messages may wait for the server, and how many for the client.
const INBOUND: usize = 32;
const OUTBOUND: usize = 64;
/// How long a full queue may stay full: towards the client, then its session ends; towards the
/// server, then the message is refused.
const FULL_TIME: Duration = Duration::from_secs(30);

/// How much the transport holds, and where it is.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) sessions: Places,
    /// Calls that are being worked on.
    pub(super) calls: Places,
    pub(super) bodies: Bodies,
    /// The path that a proxy puts before ours.
    pub(super) prefix: String,
}

/// The two routes. Cancelling `streams` ends all sessions, each after the replies in its queue.
pub(super) fn router<S: ServerHandler + Clone>(
    server: S,
    limits: Limits,
    streams: CancellationToken,
) -> Router {
    let desk = Desk { server, limits, streams, sessions: Sessions::default() };
    Router::new().route("/sse", get(open::<S>)).route(MESSAGES, post(message::<S>)).with_state(desk)
}

#[derive(Clone)]
struct Desk<S> {
    server: S,
    limits: Limits,
    streams: CancellationToken,
    sessions: Sessions,
}

/// The open sessions, by id.
#[derive(Debug, Clone, Default)]
struct Sessions(Arc<Mutex<HashMap<String, Opened>>>);

/// An open session: where to put what its client sends, and whose it is.
#[derive(Debug, Clone)]
struct Opened {
    inbound: mpsc::Sender<ClientJsonRpcMessage>,
    principal: Option<Principal>,
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Opened>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new session under an id that cannot be guessed.
    fn open(&self, opened: Opened, place: Place) -> Entry {
        let id = hex::encode(rand::random::<[u8; 16]>());
        self.lock().insert(id.clone(), opened);
        Entry { id, sessions: self.clone(), _place: place }
    }

    /// Where to put what `principal` sends: into sessions of their own.
    fn find(
        &self,
        id: &str,
        principal: Option<&Principal>,
    ) -> Option<mpsc::Sender<ClientJsonRpcMessage>> {
        let name = |it: &Principal| it.name.clone();
        let sessions = self.lock();
        let opened = sessions.get(id)?;
        (opened.principal.as_ref().map(name) == principal.map(name)).then(|| opened.inbound.clone())
    }
}

/// A session's place in the list, which ends with it.
struct Entry {
    id: String,
    sessions: Sessions,
    _place: Place,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.sessions.lock().remove(&self.id);
    }
}

/// `GET /sse`
async fn open<S: ServerHandler + Clone>(
    State(desk): State<Desk<S>>,
    principal: Option<Extension<Principal>>,
    line: Option<Extension<Line>>,
) -> Response {
    let (inbound, received) = mpsc::channel(INBOUND);
    let (outbound, replies) = mpsc::channel::<ServerJsonRpcMessage>(OUTBOUND);
    let principal = principal.map(|Extension(it)| it);
    let limits = &desk.limits;
    let Some(place) = limits.sessions.take(principal.as_ref().map(|it| it.name.as_str())) else {
        let most = limits.sessions.most();
        let text = format!(
            "this server holds as many SSE sessions as it allows ({most}, and half of them for one \
             caller); close one\n"
        );
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "60")], text).into_response();
    };
    let prefix = limits.prefix.clone();
    let entry = desk.sessions.open(Opened { inbound, principal }, place);
    let session = desk.streams.child_token();
    let wire = Wire { received, outbound, session: session.clone() };
    let transport = Opening::new(wire, &desk.server);
    let serving = session.clone();
    tokio::spawn(async move {
        match serve_server_with_ct(desk.server, transport, serving).await {
            Ok(running) => drop(running.waiting().await),
            Err(error) => tracing::debug!(%error, "an SSE session ended before it was opened"),
        }
    });
    let endpoint = Event::default()
        .event("endpoint")
        .data(format!("{prefix}{MESSAGES}?sessionId={id}", id = entry.id));
    let messages = stream::unfold(replies, async |mut replies| {
        let message = replies.recv().await?;
        Some((event(&message), replies))
    });
    let events = stream::once(async { endpoint }).chain(messages).map(Ok::<_, Infallible>).boxed();
    let answering = line.map(|Extension(it)| it.answering());
    let events =
        Session { events, _entry: entry, _answering: answering, _ends: session.drop_guard() };
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    // Proxies that buffer (nginx) would hold events back.
    let buffering = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    ([buffering], events).into_response()
}

fn event(message: &ServerJsonRpcMessage) -> Event {
    match serde_json::to_string(message) {
        Ok(json) => Event::default().event("message").data(json),
        Err(error) => {
            tracing::error!(%error, "a reply could not be written as JSON");
            Event::default().comment("a reply could not be written as JSON")
        }
    }
}

/// A session's events. When the client goes, hyper drops them, and the session with them; when the
/// server ends the session, they end.
struct Session<T> {
    events: T,
    _entry: Entry,
    _answering: Option<Answering>,
    _ends: DropGuard,
}

impl<T: Stream + Unpin> Stream for Session<T> {
    type Item = T::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T::Item>> {
        self.events.poll_next_unpin(context)
    }
}

#[derive(Deserialize)]
struct Whose {
    #[serde(rename = "sessionId", alias = "session_id")]
    session: Option<String>,
}

/// `POST /messages?sessionId=…`
async fn message<S: ServerHandler + Clone>(
    State(desk): State<Desk<S>>,
    Query(whose): Query<Whose>,
    request: Request,
) -> Response {
    let Some(id) = whose.session else {
        let text =
            "the address lacks ?sessionId=…; POST to the one of the stream's `endpoint` event";
        return (StatusCode::BAD_REQUEST, text).into_response();
    };
    let inbound = desk.sessions.find(&id, request.extensions().get());
    let Some(inbound) = inbound else {
        let text = "there is no such session (any more); open a new stream with GET /sse\n";
        return (StatusCode::NOT_FOUND, text).into_response();
    };
    let (mut parts, body) = request.into_parts();
    let (mut message, held) = match desk.limits.take(&parts, body).await {
        Ok(taken) => taken,
        Err(refusal) => return refusal.into_response(),
    };
    let _answering = parts.extensions.get::<Line>().map(Line::answering);
    // Until it is taken, and until nobody works on it any more.
    parts.extensions.insert(held.clone());
    parts.extensions.insert(Via("sse"));
    // The server finds the request's headers here, as with streamable HTTP.
    match &mut message {
        JsonRpcMessage::Request(request) => {
            request.request.extensions_mut().insert(parts);
        }
        JsonRpcMessage::Notification(notification) => {
            notification.notification.extensions_mut().insert(parts);
        }
        JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => {}
    }
    let taken = inbound.send_timeout(message, FULL_TIME).await;
    drop(held);
    match taken {
        Ok(()) => (StatusCode::ACCEPTED, "Accepted").into_response(),
        Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
            (StatusCode::SERVICE_UNAVAILABLE, "the session's queue is full; read its stream")
                .into_response()
        }
        Err(mpsc::error::SendTimeoutError::Closed(_)) => {
            (StatusCode::NOT_FOUND, "the session has ended; open a new stream with GET /sse")
                .into_response()
        }
    }
}

impl Limits {
    /// The message in a body, and what it takes.
    async fn take(
        &self,
        parts: &http::request::Parts,
        body: Body,
    ) -> Result<(ClientJsonRpcMessage, Arc<Held>), Refusal> {
        let (body, room) = self.bodies.read(body).await?;
        let message = parse(parts, &body)?;
        let id = match &message {
            JsonRpcMessage::Request(request) => Some(request.id.clone()),
            JsonRpcMessage::Notification(_)
            | JsonRpcMessage::Response(_)
            | JsonRpcMessage::Error(_) => None,
        };
        let who = parts.extensions.get::<Principal>().map(|it| it.name.as_str());
        let place = if id.is_some() { self.calls.take(who) } else { Some(Place::none()) };
        let place = place.ok_or(Refusal::TooManyCalls { most: self.calls.most(), id })?;
        Ok((message, Arc::new(Held { _place: place, _room: room })))
    }
}

fn parse(parts: &http::request::Parts, body: &[u8]) -> Result<ClientJsonRpcMessage, Refusal> {
    let envelope = Envelope::read(body)?;
    may_call(parts, &envelope, body)?;
    serde_json::from_slice(body).map_err(|_| Refusal::NotAMessage { id: envelope.id })
}

/// The two queues of a session, as rmcp wants them.
struct Wire {
    received: mpsc::Receiver<ClientJsonRpcMessage>,
    outbound: mpsc::Sender<ServerJsonRpcMessage>,
    session: CancellationToken,
}

/// Nobody reads the stream any more.
#[derive(Debug, thiserror::Error)]
#[error("the SSE stream is closed")]
struct Closed;

impl Transport<RoleServer> for Wire {
    type Error = Closed;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Closed>> + Send + 'static {
        // Queued at once where there is room, which keeps the order that rmcp asked for.
        let queued = self.outbound.try_send(item);
        let waiting = queued.is_err().then(|| (self.outbound.clone(), self.session.clone()));
        async move {
            match (queued, waiting) {
                (Err(TrySendError::Full(item)), Some((outbound, session))) => {
                    let sent = outbound.send_timeout(item, FULL_TIME).await;
                    sent.map_err(|_| {
                        session.cancel();
                        Closed
                    })
                }
                (Ok(()), _) => Ok(()),
                (Err(_), _) => Err(Closed),
            }
        }
    }

    /// Nothing more is begun for a client that does not read what it is told.
    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        drop(self.outbound.reserve().await.ok()?);
        self.received.recv().await
    }

    async fn close(&mut self) -> Result<(), Closed> {
        self.received.close();
        Ok(())
    }
}
