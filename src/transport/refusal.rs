//! Why a request did not get to the server, as it is told to whoever sent it.
use axum::{
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse as _, Response},
};
use rmcp::model::{ErrorData, RequestId, ServerJsonRpcMessage};

use super::{bodies::BODY_TIME, envelope::MOST_VALUES};

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
