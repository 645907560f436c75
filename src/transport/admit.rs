//! What stands before rmcp's streamable HTTP: it bounds and names what rmcp leaves open, and does
//! not know what the messages ask for.
//!
//! - `Accept`: rmcp answers 406 to `*/*` or JSON alone; both are served here.
//! - Bodies: bounded in length and time; broken JSON is 400 with JSON-RPC's -32700, and JSON that is
//!   no message is 400 with -32600 (rmcp: 415 and a text).
//! - Sessions: rmcp keeps as many as are opened; here there is a most.
//! - Replies: counted while they are on their way, so that a shutdown can wait for them.
use std::{
    borrow::Cow,
    pin::Pin,
    sync::Arc,
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
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

use super::health;

/// How long a client may take to send the body of a request.
const BODY_TIME: Duration = Duration::from_secs(30);
/// How much of a body that is too long is read and thrown away, as a multiple of what is allowed:
/// a client that is still sending would lose our answer.
const SKIPPED: usize = 16;

const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json";

/// What [`admit`] decides by.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    pub(super) sessions: Arc<LocalSessionManager>,
    pub(super) max_sessions: usize,
    pub(super) max_body_bytes: usize,
    /// Replies on their way to a client.
    pub(super) replies: TaskTracker,
}

/// The middleware of `/mcp`.
pub(super) async fn admit(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    if request.method() == Method::POST {
        return gate.post(request, next).await.unwrap_or_else(Refusal::into_response);
    }
    if request.method() == Method::GET && !accepts(request.headers(), &[EVENTS]) {
        return health::not_for_browsers(request.headers());
    }
    let ends_session = request.method() == Method::DELETE;
    let mut response = next.run(request).await;
    if ends_session && response.status() == StatusCode::ACCEPTED {
        // The session is gone already; the Python SDK takes 202 for a failure.
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

impl Gate {
    async fn post(&self, request: Request, next: Next) -> Result<Response, Refusal> {
        let token = self.replies.token();
        let (mut parts, body) = request.into_parts();
        let body = read_body(body, self.max_body_bytes).await?;
        let envelope = Envelope::read(&body)?;
        let id = envelope.id.clone();
        let opens = envelope.method.as_deref() == Some("initialize")
            && !parts.headers.contains_key("mcp-session-id");
        if opens && self.sessions.sessions.read().await.len() >= self.max_sessions {
            return Err(Refusal::TooManySessions { most: self.max_sessions, id });
        }
        if accepts(&parts.headers, &["*/*", "application/*", JSON, EVENTS]) {
            let both = HeaderValue::from_static("application/json, text/event-stream");
            parts.headers.insert(ACCEPT, both);
        }
        let says_json = says_json(&parts.headers);
        let response = next.run(Request::from_parts(parts, Body::from(body))).await;
        if says_json && response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            return Err(Refusal::NotAMessage { id });
        }
        Ok(response.map(|body| Body::new(Counted { body, _token: token })))
    }
}

/// Why a request did not get to the server.
#[derive(Debug, PartialEq, thiserror::Error)]
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
    #[error("the body did not arrive within {} seconds", BODY_TIME.as_secs())]
    TooSlow,
    #[error("the body broke off")]
    Broken,
    #[error(
        "this server holds {most} sessions, the most it allows; end one (DELETE with its \
         Mcp-Session-Id), or try again in a minute"
    )]
    TooManySessions { most: usize, id: Option<RequestId> },
}

impl Refusal {
    pub(super) fn into_response(self) -> Response {
        let text = self.to_string();
        let (status, error, id) = match self {
            Self::NotJson(_) => (StatusCode::BAD_REQUEST, ErrorData::parse_error(text, None), None),
            Self::Batch | Self::Broken => {
                (StatusCode::BAD_REQUEST, ErrorData::invalid_request(text, None), None)
            }
            Self::NotAMessage { id } => {
                (StatusCode::BAD_REQUEST, ErrorData::invalid_request(text, None), id)
            }
            Self::TooLong { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, ErrorData::invalid_request(text, None), None)
            }
            Self::TooSlow => {
                (StatusCode::REQUEST_TIMEOUT, ErrorData::invalid_request(text, None), None)
            }
            Self::TooManySessions { id, .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, ErrorData::internal_error(text, None), id)
            }
        };
        let message = axum::Json(ServerJsonRpcMessage::error(error, id));
        let mut response = (status, message).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("60"));
        }
        response
    }
}

/// Reads a whole body, bounded in length and time.
pub(super) async fn read_body(body: Body, most: usize) -> Result<Bytes, Refusal> {
    let read = async {
        let mut stream = body.into_data_stream();
        let (mut whole, mut length) = (Vec::new(), 0_usize);
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|_| Refusal::Broken)?;
            length = length.saturating_add(chunk.len());
            if length <= most {
                whole.extend_from_slice(&chunk);
            } else if length > most.saturating_mul(SKIPPED) {
                break;
            }
        }
        if length > most { Err(Refusal::TooLong { most }) } else { Ok(Bytes::from(whole)) }
    };
    tokio::time::timeout(BODY_TIME, read).await.unwrap_or(Err(Refusal::TooSlow))
}

/// What a message says about itself. The rest is read where the message is served.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    pub(super) id: Option<RequestId>,
}

impl<'a> Envelope<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Refusal> {
        use serde_json::error::Category;
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        serde_json::from_slice(body).map_err(|error| match error.classify() {
            Category::Syntax | Category::Eof => Refusal::NotJson(error.to_string()),
            Category::Data | Category::Io if first == Some(&b'[') => Refusal::Batch,
            Category::Data | Category::Io => Refusal::NotAMessage { id: None },
        })
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

/// A body that is on its way until it was sent to its end or its client went.
struct Counted {
    body: Body,
    _token: TaskTrackerToken,
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
        // Two methods in one message: whichever a reader took, another would take the other.
        assert_eq!(
            Envelope::read(br#"{"method":"ping","method":"initialize"}"#),
            Err(Refusal::NotAMessage { id: None })
        );
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
        let read = |length: usize| read_body(Body::from(vec![b' '; length]), 8);
        assert_eq!(read(8).await.map(|bytes| bytes.len()), Ok(8));
        assert_eq!(read(9).await, Err(Refusal::TooLong { most: 8 }));
        let endless = futures::stream::repeat(Ok::<_, Infallible>(Bytes::from_static(b"abc")));
        let endless = read_body(Body::from_stream(endless), 8).await;
        assert_eq!(endless, Err(Refusal::TooLong { most: 8 }));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_is_given_up() {
        let silent = futures::stream::pending::<Result<Bytes, std::io::Error>>();
        assert_eq!(read_body(Body::from_stream(silent), 8).await, Err(Refusal::TooSlow));
    }
}
