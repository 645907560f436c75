//! What is read of a message before it is served: its method, its id, and the tool that it calls.
use std::borrow::Cow;

use rmcp::model::RequestId;
use serde::Deserialize;

use super::{
    auth::{Auth, Denied},
    refusal::Refusal,
};
use crate::mcp::{Principal, Scope, known_tool};

/// The most values in a message, of which a call takes some dozens: in memory each takes up to a
/// hundred times as much as in JSON.
pub(super) const MOST_VALUES: usize = 500;

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

/// Whether a message may be sent by whoever sends it: a tool takes its scope, and so does looking.
pub(super) fn may_call(
    parts: &http::request::Parts,
    envelope: &Envelope<'_>,
    body: &[u8],
) -> Result<(), Refusal> {
    let known = (parts.extensions.get::<Principal>(), parts.extensions.get::<Auth>());
    let (Some(principal), Some(auth)) = known else {
        return Ok(());
    };
    let held = principal.scopes;
    let (what, needed) = match envelope.method.as_deref() {
        Some("tools/call") => match serde_json::from_slice(body) {
            Ok(Call { params: Named { name } }) => (known_tool(&name), Scope::of_tool(&name)),
            // What has no readable name is answered where messages are read.
            Err(_) => return Ok(()),
        },
        Some(method) => match Scope::of_method(method) {
            Some(taken) => taken,
            None => return Ok(()),
        },
        None => return Ok(()),
    };
    if held.has(needed) {
        return Ok(());
    }
    let denied = Denied::Scope { what, needed, held };
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

#[cfg(test)]
mod tests {
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
}
