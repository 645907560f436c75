//! Answers as QFPay writes them: flat JSON in the style of Python's `json.dumps`, signed over the
//! raw body (contract §1.0, §2.2).
use std::io;

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
    response::IntoResponse as _,
};
use secrecy::SecretString;
use serde::Serialize as _;
use serde_json::{Map, Value, json, ser::Formatter};

use super::{
    book::{BookError, PAID},
    faults::Fault,
};
use crate::{
    client::sign::{self, SignType},
    spec::RespCode,
};

/// Most characters of `resperr` and `respmsg`.
const TEXT: usize = 128;

/// One answer: its code, its texts and what else it carries, in order.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) respcd: String,
    pub(super) resperr: String,
    /// Text for debugging.
    pub(super) respmsg: String,
    pub(super) rest: Map<String, Value>,
    /// What befalls the answer on its way.
    pub(super) fault: Option<Fault>,
    /// A caller with the wrong key gets an unsigned answer: it could not verify a signed one, and
    /// would not read the 1108 that tells it why.
    pub(super) signed: bool,
}

/// Why a call was not carried out.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(Box<Reply>),
    Book(BookError),
}

impl From<Reply> for Failure {
    fn from(reply: Reply) -> Self {
        Self::Refused(Box::new(reply))
    }
}

impl From<BookError> for Failure {
    fn from(error: BookError) -> Self {
        Self::Book(error)
    }
}

/// QFPay's English text of a code.
pub(super) fn text(respcd: &str) -> &'static str {
    RespCode::find(respcd).map_or("", |it| it.en)
}

impl Reply {
    /// An answer with a code and QFPay's text of it.
    pub(super) fn new(respcd: &str) -> Self {
        Self {
            respcd: respcd.to_owned(),
            resperr: text(respcd).to_owned(),
            respmsg: String::new(),
            rest: Map::new(),
            fault: None,
            signed: true,
        }
    }

    /// 0000.
    pub(super) fn ok() -> Self {
        Self::new(PAID)
    }

    /// A code with another text than its usual one.
    pub(super) fn saying(respcd: &str, resperr: impl Into<String>) -> Self {
        Self { resperr: resperr.into(), ..Self::new(respcd) }
    }

    /// What QFPay says of a number that was used, with a code that says something else.
    pub(super) fn used() -> Self {
        Self::saying("1251", "out_trade_no is used")
    }

    /// Adds what else the answer carries.
    pub(super) fn with(mut self, rest: Value) -> Self {
        if let Value::Object(rest) = rest {
            self.rest.extend(rest);
        }
        self
    }

    fn body(self) -> Value {
        let cut = |text: String| text.chars().take(TEXT).collect::<String>();
        let mut body = Map::new();
        body.insert("respcd".to_owned(), json!(self.respcd));
        body.insert("resperr".to_owned(), json!(cut(self.resperr)));
        body.insert("respmsg".to_owned(), json!(cut(self.respmsg)));
        body.extend(self.rest);
        Value::Object(body)
    }

    /// The HTTP answer: 200 whatever the code, unless a fault befalls it.
    pub(super) fn send(self, key: &SecretString) -> Response<Body> {
        if let Some(instead) = self.fault.and_then(Fault::in_place) {
            return instead;
        }
        let (signed, fault) = (self.signed, self.fault);
        let reply = match fault {
            Some(fault) => fault.reword(self),
            None => self,
        };
        let mut body = python(&reply.body());
        let of_another = if fault == Some(Fault::WrongSignature) { " " } else { "" };
        let text = format!("{body}{of_another}");
        let sign = sign::sign_body(text.as_bytes(), SignType::Md5, key);
        if fault == Some(Fault::Truncated) {
            // All of it is ASCII.
            body.truncate(body.len() / 2);
        }
        let mut response = Response::new(Body::from(body));
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/json; charset=UTF-8");
        headers.insert(header::CONTENT_TYPE, json);
        if let Some(sign) = HeaderValue::from_str(&sign).ok().filter(|_| signed) {
            headers.insert(sign::SIGN_HEADER, sign);
        }
        response
    }
}

/// HTTP 429, with the seconds to wait where they are told.
pub(super) fn too_many(seconds: Option<i64>) -> Response<Body> {
    let mut response = (StatusCode::TOO_MANY_REQUESTS, "Too Many Requests").into_response();
    if let Some(seconds) = seconds {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// `value` as Python's `json.dumps` writes it.
pub(super) fn python(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Python);
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8(bytes).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

/// `", "` and `": "` between, and everything but printable ASCII as `\uXXXX` in UTF-16.
struct Python;

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((plain, c, after)) = split_at_odd(rest) {
            writer.write_all(plain.as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = after;
        }
        writer.write_all(rest.as_bytes())
    }
}

/// `text` around its first character that is not printable ASCII.
fn split_at_odd(text: &str) -> Option<(&str, char, &str)> {
    let (plain, odd) = text.split_at(text.find(|c| !matches!(c, ' '..='~'))?);
    let mut odd = odd.chars();
    odd.next().map(|c| (plain, c, odd.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_written_as_python_writes_it() {
        let value = json!({"a": "1", "b": [1, null, true, {}], "c": {"d": "中\u{1f600}"}, "e": [], "f": "q\"\\/\n\r\t\u{8}\u{c}\u{1}\u{7f}é"});
        assert_eq!(
            python(&value),
            r#"{"a": "1", "b": [1, null, true, {}], "c": {"d": "\u4e2d\ud83d\ude00"}, "e": [], "f": "q\"\\/\n\r\t\b\f\u0001\u007f\u00e9"}"#
        );
    }
}
