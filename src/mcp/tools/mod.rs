//! One file a tool: its arguments, its handler, its reply.
use std::sync::LazyLock;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rmcp::{
    ErrorData, Json,
    handler::server::{router::tool::ToolRouter, tool::IntoCallToolResult},
    model::{CallToolResponse, ContentBlock, InputRequiredResult},
};
use schemars::JsonSchema;
use serde::Serialize;

pub(super) use self::{explain_respcd::Explained, list_pay_types::One as OneWay};
use super::{Server, arguments::Reader, qr, refusal::Refusal};

mod cancel_payment;
mod create_payment;
mod explain_respcd;
mod list_pay_types;
mod query_transaction;
mod reconcile;
mod refund;
mod wait_for_payment;

/// All tools. Made once: rmcp would make it anew for every call.
pub(super) static ROUTER: LazyLock<ToolRouter<Server>> = LazyLock::new(|| {
    Server::cancel_payment_router()
        + Server::create_payment_router()
        + Server::explain_respcd_router()
        + Server::list_pay_types_router()
        + Server::query_transaction_router()
        + Server::reconcile_router()
        + Server::refund_router()
        + Server::wait_for_payment_router()
});

/// The names of all tools, for labels of figures: there are never more than these.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let names = ROUTER.list_all().into_iter().map(|it| it.name.into_owned());
    names.map(|it| &*it.leak()).collect()
});

/// A tool's name, or `unknown`.
pub fn known(tool: &str) -> &'static str {
    NAMES.iter().find(|it| **it == tool).copied().unwrap_or("unknown")
}

/// What a tool that moves money answers: its reply, or a question for the person first.
enum Reply<T> {
    /// The reply, and the picture of what a person scans.
    Done(Box<Json<T>>, Option<ContentBlock>),
    Round(InputRequiredResult),
}

impl<T> Reply<T> {
    fn new(reply: T) -> Self {
        Self::Done(Box::new(Json(reply)), None)
    }

    /// A reply that holds the text of a QR code, if it does. Many clients show no pictures, so
    /// nothing stands in this one alone.
    fn scanned(reply: T, qrcode: Option<&str>) -> Self {
        let png = qrcode.and_then(qr::png).map(|it| BASE64_STANDARD.encode(it));
        Self::Done(Box::new(Json(reply)), png.map(|it| ContentBlock::image(it, "image/png")))
    }
}

impl<T: Serialize + JsonSchema + 'static> IntoCallToolResult for Reply<T> {
    fn into_call_tool_result(self) -> Result<CallToolResponse, ErrorData> {
        match self {
            Self::Done(reply, picture) => {
                let mut answer = (*reply).into_call_tool_result()?;
                if let CallToolResponse::Complete(result) = &mut answer {
                    result.content.extend(picture);
                }
                Ok(answer)
            }
            Self::Round(round) => Ok(round.into()),
        }
    }
}

/// The parsed arguments, if nothing at all was wrong with what was given.
fn done<T>(tool: &'static str, reader: Reader, parsed: Option<T>) -> Result<T, Refusal> {
    match parsed {
        Some(parsed) if reader.is_clean() => Ok(parsed),
        _ => Err(Refusal::Arguments { tool, problems: reader.problems() }),
    }
}
