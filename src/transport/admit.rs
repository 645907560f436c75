//! What stands before rmcp's streamable HTTP: it bounds and names what rmcp leaves open, and
//! knows of the messages only which tool they call.
//!
//! - `Accept`: rmcp answers 406 to `*/*` or JSON alone; both are served here.
//! - Bodies: bounded in length and time; broken JSON is 400 with JSON-RPC's -32700, and JSON that is
//!   no message is 400 with -32600 (rmcp: 415 and a text).
//! - Sessions: rmcp keeps as many as are opened, and lets everybody into each; here there is a most,
//!   and a session is its opener's.
//! - Calls: at most so many at once; a tool that the caller's token is not for is 403 with the scope
//!   that is (rmcp has answered 200 by the time a tool is looked at).
//! - Replies: counted while they are on their way, so that a shutdown can wait for them.
use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use rmcp::{
    ServerHandler,
    transport::{
        StreamableHttpService, streamable_http_server::session::local::LocalSessionManager,
    },
};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};
use tracing::Instrument as _;

use super::{
    bodies::Bodies,
    envelope::{Envelope, may_call},
    health,
    lines::{Answering, Line},
    refusal::Refusal,
};
use crate::{
    mcp::{Principal, Sessionless, Via},
    places::{Place, Places},
};

const SESSION: &str = "mcp-session-id";
/// What opens a stream of its own since 2026-07-28.
const LISTEN: &str = "subscriptions/listen";

const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json";

/// rmcp's streamable HTTP, and what [`admit`] decides by. All requests share one: a copy for each would
/// cost more than all that is decided.
pub(super) struct Gate<S> {
    pub(super) service: StreamableHttpService<S, LocalSessionManager>,
    pub(super) sessions: Arc<LocalSessionManager>,
    /// Sessions that are open, or about to be.
    pub(super) opened: Places,
    /// Streams of sessions, which have no end.
    pub(super) streams: Places,
    pub(super) bodies: Bodies,
    /// Calls that are being worked on.
    pub(super) calls: Places,
    /// Whose each session is, where callers are known.
    pub(super) owners: Owners,
    /// Replies on their way to a client.
    pub(super) replies: TaskTracker,
    /// Without sessions.
    pub(super) stateless: bool,
}

/// Whose each session is, and the place that it takes.
#[derive(Debug, Clone, Default)]
pub(super) struct Owners(Arc<Mutex<HashMap<String, Owner>>>);

#[derive(Debug)]
struct Owner {
    name: Option<String>,
    _place: Place,
}

/// What a message takes until nobody works on it any more, whether its sender waits or not.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) _place: Place,
    pub(super) _room: Option<OwnedSemaphorePermit>,
}

impl Owners {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Owner>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a session is another's.
    fn are_others(&self, session: &str, principal: &Principal) -> bool {
        let name = Some(principal.name.as_str());
        self.lock().get(session).is_some_and(|it| it.name.is_some() && it.name.as_deref() != name)
    }
}

/// The handler of `/mcp`.
pub(super) async fn admit<S: ServerHandler + Clone>(
    State(gate): State<Arc<Gate<S>>>,
    request: Request,
) -> Response {
    if let Some(principal) = request.extensions().get::<Principal>()
        && let Some(session) = session_of(request.headers())
        && gate.owners.are_others(session, principal)
    {
        // As if there were none: whose they are is nobody's business.
        return Refusal::NoSession.into_response();
    }
    if request.method() == Method::POST {
        return gate.post(request).await.unwrap_or_else(Refusal::into_response);
    }
    if request.method() == Method::GET && !accepts(request.headers(), &[EVENTS]) {
        return health::not_for_browsers(request.headers());
    }
    let answering = request.extensions().get::<Line>().map(Line::answering);
    let ends_session = request.method() == Method::DELETE;
    let place = if ends_session {
        None
    } else {
        let who = request.extensions().get::<Principal>().map(|it| it.name.as_str());
        let Some(place) = gate.streams.take(who) else {
            return Refusal::TooManyStreams { most: gate.streams.most() }.into_response();
        };
        Some(place)
    };
    let mut response = gate.serve(request).await;
    if ends_session && response.status() == StatusCode::ACCEPTED {
        // The session is gone already; the Python SDK takes 202 for a failure.
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response.map(|body| Body::new(Counted { body, _held: (None, place, None, answering) }))
}

fn session_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(SESSION).and_then(|it| it.to_str().ok())
}

impl<S: ServerHandler + Clone> Gate<S> {
    async fn serve(&self, request: Request) -> Response {
        self.service.handle(request).await.map(Body::new)
    }

    async fn post(self: &Arc<Self>, request: Request) -> Result<Response, Refusal> {
        let token = self.replies.token();
        let (mut parts, body) = request.into_parts();
        let (body, room) = self.bodies.read(body).await?;
        let answering = parts.extensions.get::<Line>().map(Line::answering);
        let envelope = Envelope::read(&body)?;
        let id = envelope.id.clone();
        let principal = parts.extensions.get::<Principal>().cloned();
        let who = principal.as_ref().map(|it| it.name.as_str());
        may_call(&parts, &envelope, &body)?;
        let opens = envelope.method.as_deref() == Some("initialize")
            && session_of(&parts.headers).is_none();
        // Answers of persons, and words that something is over, make room: they never want any.
        let place = match (&envelope.method, &id) {
            // It is a stream, and has no end.
            (Some(method), Some(_)) if method == LISTEN => {
                let place = self.streams.take(who);
                Some(place.ok_or(Refusal::TooManyStreams { most: self.streams.most() })?)
            }
            (Some(_), Some(_)) => self.calls.take(who),
            _ => Some(Place::none()),
        };
        let place =
            place.ok_or(Refusal::TooManyCalls { most: self.calls.most(), id: id.clone() })?;
        let held = Arc::new(Held { _place: place, _room: room });
        let owner = if opens {
            let most = self.opened.most();
            let owner = self.owner(who).await;
            Some(owner.ok_or(Refusal::TooManySessions { most, id: id.clone() })?)
        } else {
            // A call in a session goes on when its caller went; it ends with these extensions.
            parts.extensions.insert(held.clone());
            None
        };
        if accepts(&parts.headers, &["*/*", "application/*", JSON, EVENTS]) {
            let both = HeaderValue::from_static("application/json, text/event-stream");
            parts.headers.insert(ACCEPT, both);
        }
        parts.extensions.insert(Via("http"));
        if self.stateless {
            parts.extensions.insert(Sessionless);
        }
        let says_json = says_json(&parts.headers);
        let request = Request::from_parts(parts, Body::from(body));
        let response = match owner {
            Some(owner) => self.open(owner, request).await,
            None => self.serve(request).await,
        };
        if says_json && response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            return Err(Refusal::NotAMessage { id });
        }
        if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
            return Err(Refusal::CutOff { id });
        }
        let held = (Some(token), None, Some(held), answering);
        Ok(response.map(|body| Body::new(Counted { body, _held: held })))
    }

    /// A place for one more session, of which nobody has more than half.
    async fn owner(&self, who: Option<&str>) -> Option<Owner> {
        let sessions = self.sessions.sessions.read().await;
        self.owners.lock().retain(|session, _| sessions.contains_key(session.as_str()));
        let place = self.opened.take(who)?;
        Some(Owner { name: who.map(str::to_owned), _place: place })
    }

    /// Opens a session, which is its owner's even if they went before they were told.
    async fn open(self: &Arc<Self>, owner: Owner, request: Request) -> Response {
        let gate = self.clone();
        let opening = async move {
            let response = gate.serve(request).await;
            if let Some(session) = session_of(response.headers()) {
                gate.owners.lock().insert(session.to_owned(), owner);
            }
            response
        };
        let opened = tokio::spawn(opening.in_current_span()).await;
        opened.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

/// Whether a client takes one of `types`; one that names none takes all.
fn accepts(headers: &HeaderMap, types: &[&str]) -> bool {
    let mut named = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(essence)
        .filter(|named| !named.is_empty())
        .peekable();
    if named.peek().is_none() {
        return types.contains(&"*/*");
    }
    named.any(|it| types.iter().any(|wanted| it.eq_ignore_ascii_case(wanted)))
}

fn says_json(headers: &HeaderMap) -> bool {
    let named = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    named.is_some_and(|value| essence(value).eq_ignore_ascii_case(JSON))
}

/// A media type without its parameters.
fn essence(media_type: &str) -> &str {
    media_type.split_once(';').map_or(media_type, |(essence, _)| essence).trim()
}

/// A body that is on its way until it was sent to its end or its client went; until then what was
/// taken for it is held.
struct Counted {
    body: Body,
    _held: (Option<TaskTrackerToken>, Option<Place>, Option<Arc<Held>>, Option<Answering>),
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_takes_what_it_names_or_anything() {
        let mut headers = HeaderMap::new();
        assert!(accepts(&headers, &["*/*", JSON]));
        assert!(!accepts(&headers, &[EVENTS]));
        headers.insert(ACCEPT, HeaderValue::from_static("text/html, Application/JSON;q=0.9"));
        assert!(accepts(&headers, &["*/*", JSON]));
        assert!(!accepts(&headers, &[EVENTS]));
    }
}
