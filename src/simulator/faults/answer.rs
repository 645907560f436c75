//! What a fault makes of an answer.
use axum::{
    body::Body,
    http::{Response, StatusCode},
    response::IntoResponse as _,
};

use super::{
    super::reply::{Failure, Reply, too_many},
    Fault,
};

/// The seconds of `Retry-After` in a 429 on purpose.
const RETRY_AFTER: i64 = 1;
/// A code that no table has.
const UNKNOWN: &str = "9876";

/// Marks a response that is never sent: the connection breaks off instead.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the connection is broken off on purpose")]
pub(in crate::simulator) struct BrokenOff;

impl Fault {
    /// What comes in place of QFPay's answer; none if the answer comes, whole or not.
    pub(in crate::simulator) fn in_place(self) -> Option<Response<Body>> {
        Some(match self {
            Self::LostRequest | Self::LostAnswer => {
                let mut response = Response::default();
                response.extensions_mut().insert(BrokenOff);
                response
            }
            Self::RateLimited => too_many(Some(RETRY_AFTER)),
            Self::RateLimitedBare => too_many(None),
            Self::Error500 | Self::Error500Undone => {
                (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response()
            }
            Self::Html502 => {
                let page = "<html><h1>502 Bad Gateway</h1></html>";
                (StatusCode::BAD_GATEWAY, page).into_response()
            }
            Self::LateAnswer
            | Self::Truncated
            | Self::WrongSignature
            | Self::Processing
            | Self::UnknownCode
            | Self::Duplicate1251
            | Self::Duplicate1102
            | Self::Duplicate2011 => return None,
        })
    }

    /// `reply` with the code that this fault puts on any answer.
    pub(in crate::simulator) fn reword(self, reply: Reply) -> Reply {
        if self == Self::UnknownCode {
            Reply { respcd: UNKNOWN.to_owned(), resperr: String::new(), ..reply }
        } else {
            reply
        }
    }
}

/// The answer to a trade that was just made: the second one, if `fault` says that a proxy sent the
/// request twice.
pub(in crate::simulator) fn repeated(fault: Option<Fault>, reply: Reply) -> Result<Reply, Failure> {
    match fault {
        Some(Fault::Duplicate1251) => Err(Reply::used().into()),
        Some(Fault::Duplicate1102) => Err(Reply::new("1102").into()),
        Some(Fault::Duplicate2011) => Err(Reply::new("2011").into()),
        _ => Ok(reply),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::RespCode;

    #[test]
    fn the_unknown_code_is_in_no_table() {
        assert!(RespCode::find(UNKNOWN).is_none());
    }

    #[test]
    fn what_is_not_carried_out_is_answered_by_the_fault_alone() {
        for fault in Fault::ALL {
            assert!(fault.is_carried_out() || fault.in_place().is_some(), "{}", fault.word());
        }
    }
}
