//! What stands before rmcp's streamable HTTP: it bounds and names what rmcp leaves open, and does
//! know of the messages only which tool they call.
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
    borrow::Cow,
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER},
    },
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures::StreamExt as _;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use rmcp::{
    model::{ErrorData, RequestId, ServerJsonRpcMessage},
    transport::streamable_http_server::session::local::LocalSessionManager,
};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};
use tracing::Instrument as _;

use super::{
    auth::{Auth, Denied},
    health,
    lines::{Answering, Line},
    places::{Place, Places},
};
use crate::mcp::{Principal, Scope, Via, known_tool};

/// How long a client may take to send the body of a request.
const BODY_TIME: Duration = Duration::from_secs(30);
/// How much of a body that is too long is read and thrown away, as a multiple of what is allowed:
/// a client that is still sending would lose our answer.
const SKIPPED: usize = 16;
/// How much of a body is read without asking for room, and how much room there is for all that is
/// longer, in KiB: slow senders of long bodies fill no memory.
const SMALL: usize = 16 << 10;
const ROOM_KIB: usize = 64 << 10;
/// The most values in a message, of which a call takes some dozens: in memory each takes up to a
/// hundred times as much as in JSON.
const MOST_VALUES: usize = 500;
const SESSION: &str = "mcp-session-id";

const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json";

/// What [`admit`] decides by.
#[derive(Debug, Clone)]
pub(super) struct Gate {
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

/// The middleware of `/mcp`.
pub(super) async fn admit(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    if let Some(principal) = request.extensions().get::<Principal>()
        && let Some(session) = session_of(request.headers())
        && gate.owners.are_others(session, principal)
    {
        // As if there were none: whose they are is nobody's business.
        return Refusal::NoSession.into_response();
    }
    if request.method() == Method::POST {
        return gate.post(request, next).await.unwrap_or_else(Refusal::into_response);
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
    let mut response = next.run(request).await;
    if ends_session && response.status() == StatusCode::ACCEPTED {
        // The session is gone already; the Python SDK takes 202 for a failure.
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response.map(|body| Body::new(Counted { body, _held: (None, place, None, answering) }))
}

fn session_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(SESSION).and_then(|it| it.to_str().ok())
}

impl Gate {
    async fn post(&self, request: Request, next: Next) -> Result<Response, Refusal> {
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
        let says_json = says_json(&parts.headers);
        let request = Request::from_parts(parts, Body::from(body));
        let response = match owner {
            Some(owner) => self.open(owner, request, next).await,
            None => next.run(request).await,
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
    async fn open(&self, owner: Owner, request: Request, next: Next) -> Response {
        let owners = self.owners.clone();
        let opening = async move {
            let response = next.run(request).await;
            if let Some(session) = session_of(response.headers()) {
                owners.lock().insert(session.to_owned(), owner);
            }
            response
        };
        let opened = tokio::spawn(opening.in_current_span()).await;
        opened.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

/// Whether a message may be sent by whoever sends it: a tool takes its scope.
pub(super) fn may_call(
    parts: &http::request::Parts,
    envelope: &Envelope<'_>,
    body: &[u8],
) -> Result<(), Refusal> {
    let known = (parts.extensions.get::<Principal>(), parts.extensions.get::<Auth>());
    let (Some(principal), Some(auth)) = known else {
        return Ok(());
    };
    if envelope.method.as_deref() != Some("tools/call") {
        return Ok(());
    }
    // What has no readable name is answered where messages are read.
    let Ok(Call { params: Named { name } }) = serde_json::from_slice(body) else { return Ok(()) };
    let (needed, held) = (Scope::of_tool(&name), principal.scopes);
    if held.has(needed) {
        return Ok(());
    }
    let denied = Denied::Scope { tool: known_tool(&name), needed, held };
    Err(Refusal::Denied(Box::new(auth.refuse(&denied, parts.uri.path()))))
}

/// The tool that a call names.
#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    params: Named<'a>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

/// Why a request did not get to the server.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    #[error("the body is a batch of messages; send each message as a request of its own")]
    Batch,
    #[error(
        "the body is JSON but not a message of MCP; send one JSON-RPC 2.0 object with \"jsonrpc\", \
         \"method\" and, in a request, \"id\""
    )]
    NotAMessage { id: Option<RequestId> },
    #[error("the body is longer than {most} bytes, the most that this server reads")]
    TooLong { most: usize },
    #[error(
        "the message holds more than {MOST_VALUES} values, the most that this server reads; no tool \
         takes that many"
    )]
    TooWide,
    #[error("the body did not arrive within {} seconds", BODY_TIME.as_secs())]
    TooSlow,
    #[error("the body broke off")]
    Broken,
    #[error(
        "this server holds {most} sessions, the most it allows; end one (DELETE with its \
         Mcp-Session-Id), or try again in a minute"
    )]
    TooManySessions { most: usize, id: Option<RequestId> },
    #[error(
        "this server holds as many streams as it can ({most}, and half of them for one caller); \
         close one, or do without: nothing is told on them that answers do not tell"
    )]
    TooManyStreams { most: usize },
    #[error(
        "this server works on as many calls as it can ({most}); try again in a moment, with the \
         same arguments and, if you gave one, the same number"
    )]
    TooManyCalls { most: usize, id: Option<RequestId> },
    #[error("too many long bodies are being sent at once; try again in a moment")]
    NoRoom,
    #[error(
        "the server ended before it had an answer; what became of it is not known: if it was to pay \
         or refund, do not repeat it, call query_transaction first"
    )]
    CutOff { id: Option<RequestId> },
    #[error("there is no such session (any more); open a new one with `initialize`")]
    NoSession,
    /// The answer says why.
    #[error("the caller may not do this")]
    Denied(Box<Response>),
}

impl Refusal {
    pub(super) fn into_response(self) -> Response {
        let text = self.to_string();
        let wait = if matches!(self, Self::TooManySessions { .. }) { "60" } else { "1" };
        let (status, error, id) = match self {
            Self::Denied(response) => return *response,
            Self::NotJson(_) => (StatusCode::BAD_REQUEST, ErrorData::parse_error(text, None), None),
            Self::Batch | Self::Broken => {
                (StatusCode::BAD_REQUEST, ErrorData::invalid_request(text, None), None)
            }
            Self::NotAMessage { id } => {
                (StatusCode::BAD_REQUEST, ErrorData::invalid_request(text, None), id)
            }
            Self::TooLong { .. } | Self::TooWide => {
                (StatusCode::PAYLOAD_TOO_LARGE, ErrorData::invalid_request(text, None), None)
            }
            Self::TooSlow => {
                (StatusCode::REQUEST_TIMEOUT, ErrorData::invalid_request(text, None), None)
            }
            Self::TooManySessions { id, .. } | Self::TooManyCalls { id, .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, ErrorData::internal_error(text, None), id)
            }
            Self::NoRoom | Self::TooManyStreams { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, ErrorData::internal_error(text, None), None)
            }
            Self::CutOff { id } => {
                (StatusCode::INTERNAL_SERVER_ERROR, ErrorData::internal_error(text, None), id)
            }
            Self::NoSession => {
                (StatusCode::NOT_FOUND, ErrorData::invalid_request(text, None), None)
            }
        };
        let message = axum::Json(ServerJsonRpcMessage::error(error, id));
        let mut response = (status, message).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(wait));
        }
        response
    }
}

/// Reads bodies, bounded in length, time and the room that all take together.
#[derive(Debug, Clone)]
pub(super) struct Bodies {
    most: usize,
    room: Arc<Semaphore>,
}

impl Bodies {
    /// At most so many bytes each.
    pub(super) fn new(most: usize) -> Self {
        Self { most, room: Arc::new(Semaphore::new(ROOM_KIB)) }
    }

    /// A whole body, and the room that it takes as long as it is there in any form.
    pub(super) async fn read(
        &self,
        body: Body,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
        let most = self.most;
        let read = async {
            let mut stream = body.into_data_stream();
            let (mut whole, mut length) = (Vec::new(), 0_usize);
            let mut room: Option<OwnedSemaphorePermit> = None;
            while let Some(chunk) = stream.next().await {
                let chunk = chunk.map_err(|_| Refusal::Broken)?;
                length = length.saturating_add(chunk.len());
                if length <= most {
                    if length > SMALL {
                        let kib = u32::try_from(chunk.len().div_ceil(1024)).unwrap_or(u32::MAX);
                        let more = self.room.clone().try_acquire_many_owned(kib);
                        let more = more.map_err(|_| Refusal::NoRoom)?;
                        match &mut room {
                            Some(room) => room.merge(more),
                            None => room = Some(more),
                        }
                    }
                    whole.extend_from_slice(&chunk);
                } else if length > most.saturating_mul(SKIPPED) {
                    break;
                }
            }
            if length > most {
                Err(Refusal::TooLong { most })
            } else {
                Ok((Bytes::from(whole), room))
            }
        };
        tokio::time::timeout(BODY_TIME, read).await.unwrap_or(Err(Refusal::TooSlow))
    }
}

/// What a message says about itself. The rest is read where the message is served.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(borrow)]
    pub(super) method: Option<Cow<'a, str>>,
    pub(super) id: Option<RequestId>,
}

impl<'a> Envelope<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Refusal> {
        use serde_json::error::Category;
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        if values(body) > MOST_VALUES {
            return Err(Refusal::TooWide);
        }
        serde_json::from_slice(body).map_err(|error| match error.classify() {
            Category::Syntax | Category::Eof => Refusal::NotJson(error.to_string()),
            Category::Data | Category::Io if first == Some(&b'[') => Refusal::Batch,
            Category::Data | Category::Io => Refusal::NotAMessage { id: None },
        })
    }
}

/// How many values JSON holds, or a few more.
fn values(body: &[u8]) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let more = body.iter().filter(|byte| match byte {
        _ if escaped => {
            escaped = false;
            false
        }
        b'\\' => {
            escaped = quoted;
            false
        }
        b'"' => {
            quoted = !quoted;
            false
        }
        b',' | b'[' | b'{' => !quoted,
        _ => false,
    });
    more.count().saturating_add(1)
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
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn an_envelope_is_read_without_the_rest() {
        let came = Envelope::read(br#" {"jsonrpc":"2.0","id":7,"method":"tools/call","params":3}"#);
        let envelope = came.unwrap();
        assert_eq!(envelope.method.as_deref(), Some("tools/call"));
        assert_eq!(envelope.id, Some(RequestId::Number(7)));
    }

    #[test]
    fn what_is_no_message_is_named_for_what_it_is() {
        let read = |body: &str| Envelope::read(body.as_bytes()).unwrap_err().to_string();
        insta::assert_snapshot!(read(""), @"the body is not JSON: EOF while parsing a value at line 1 column 0");
        insta::assert_snapshot!(read("{\"id\":"), @"the body is not JSON: EOF while parsing a value at line 1 column 6");
        insta::assert_snapshot!(read("[{\"jsonrpc\":\"2.0\"}]"), @"the body is a batch of messages; send each message as a request of its own");
        insta::assert_snapshot!(read("\"ping\""), @r#"the body is JSON but not a message of MCP; send one JSON-RPC 2.0 object with "jsonrpc", "method" and, in a request, "id""#);
        let wide = |values: usize| format!("{{\"params\":[{}\"[,{{\\\"\"]}}", "0,".repeat(values));
        assert!(Envelope::read(wide(MOST_VALUES - 3).as_bytes()).is_ok());
        insta::assert_snapshot!(read(&wide(MOST_VALUES - 2)), @"the message holds more than 500 values, the most that this server reads; no tool takes that many");
        // Two methods in one message: whichever a reader took, another would take the other.
        let twice = Envelope::read(br#"{"method":"ping","method":"initialize"}"#);
        assert!(matches!(twice, Err(Refusal::NotAMessage { id: None })));
    }

    #[test]
    fn a_client_takes_what_it_names_or_anything() {
        let mut headers = HeaderMap::new();
        assert!(accepts(&headers, &["*/*", JSON]));
        assert!(!accepts(&headers, &[EVENTS]));
        headers.insert(ACCEPT, HeaderValue::from_static("text/html, Application/JSON;q=0.9"));
        assert!(accepts(&headers, &["*/*", JSON]));
        assert!(!accepts(&headers, &[EVENTS]));
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit_and_no_further() {
        let bodies = Bodies::new(8);
        let read = |length: usize| bodies.read(Body::from(vec![b' '; length]));
        assert_eq!(read(8).await.unwrap().0.len(), 8);
        assert!(matches!(read(9).await, Err(Refusal::TooLong { most: 8 })));
        let endless = futures::stream::repeat(Ok::<_, Infallible>(Bytes::from_static(b"abc")));
        let endless = bodies.read(Body::from_stream(endless)).await;
        assert!(matches!(endless, Err(Refusal::TooLong { most: 8 })));
    }

    #[tokio::test]
    async fn long_bodies_share_the_room_that_there_is() {
        let bodies = Bodies { most: 1 << 20, room: Arc::new(Semaphore::new(32)) };
        let (send, chunks) = futures::channel::mpsc::unbounded::<Result<Bytes, Infallible>>();
        send.unbounded_send(Ok(Bytes::from(vec![b' '; 30 << 10]))).unwrap();
        let slow = bodies.clone();
        let slow = tokio::spawn(async move { slow.read(Body::from_stream(chunks)).await });
        while bodies.room.available_permits() == 32 {
            tokio::task::yield_now().await;
        }
        let read = async |kib: usize| bodies.read(Body::from(vec![b' '; kib << 10])).await;
        assert!(matches!(read(20).await, Err(Refusal::NoRoom)));
        assert!(read(16).await.is_ok());
        drop(send);
        let (whole, room) = slow.await.unwrap().unwrap();
        assert_eq!(whole.len(), 30 << 10);
        // As long as somebody works on it.
        assert!(matches!(read(20).await, Err(Refusal::NoRoom)));
        drop(room);
        assert!(read(20).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_is_given_up() {
        let silent = futures::stream::pending::<Result<Bytes, std::io::Error>>();
        let given_up = Bodies::new(8).read(Body::from_stream(silent)).await;
        assert!(matches!(given_up, Err(Refusal::TooSlow)));
    }
}
