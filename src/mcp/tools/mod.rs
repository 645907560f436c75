//! One file a tool: its arguments, its handler, its reply.
use std::sync::LazyLock;

use rmcp::handler::server::router::tool::ToolRouter;

use super::{Server, arguments::Reader, refusal::Refusal};

mod cancel_payment;
mod create_payment;
mod explain_respcd;
mod list_pay_types;
mod query_transaction;
mod refund;
mod wait_for_payment;

/// All tools. Made once: rmcp would make it anew for every call.
pub(super) static ROUTER: LazyLock<ToolRouter<Server>> = LazyLock::new(|| {
    Server::cancel_payment_router()
        + Server::create_payment_router()
        + Server::explain_respcd_router()
        + Server::list_pay_types_router()
        + Server::query_transaction_router()
        + Server::refund_router()
        + Server::wait_for_payment_router()
});

/// The parsed arguments, if nothing at all was wrong with what was given.
fn done<T>(tool: &'static str, reader: Reader, parsed: Option<T>) -> Result<T, Refusal> {
    match parsed {
        Some(parsed) if reader.is_clean() => Ok(parsed),
        _ => Err(Refusal::Arguments { tool, problems: reader.problems() }),
    }
}
