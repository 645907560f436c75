//! The MCP face of the product: arguments in, replies out. Nothing here decides about money.
//!
//! How a tool is built: its arguments are a struct whose schema clients see, read loosely by
//! `arguments` so that every problem is told at once; one call into a use case; a reply from
//! `view`. A "no" is a tool result that can be read (`refusal`), never a protocol error.
#![expect(clippy::doc_markdown, reason = "doc comments of tools are read by models, as they stand")]
mod arguments;
mod completions;
mod confirm;
mod icon;
mod merchants;
mod principal;
mod progress;
mod prompts;
pub mod qr;
mod refusal;
mod resources;
mod schema;
mod server;
mod skill;
mod subscriptions;
mod tools;
mod ui;
mod view;

pub use confirm::Asking;
pub use merchants::Merchants;
pub use principal::{Principal, Scope, Scopes, Sessionless, Via};
pub(crate) use refusal::UNKNOWN;
pub use server::{Server, Taken};
pub use skill::TEXT as SKILL;
pub use tools::known as known_tool;
pub use view::{NEEDS_APPROVAL, Status};

/// What a notification may weigh, and the header that vouches for it.
pub use crate::client::{notification::MAX_BODY as MAX_NOTIFICATION, sign::SIGN_HEADER};
/// Text from outside, made fit for a log line or a row of the audit; and the time.
pub use crate::{
    client::response::cleaned,
    clock::{Clock, SystemClock},
};
/// What a person's approval is, and what became of a decision about one.
pub use crate::{
    ledger::{Approval, ApprovalState},
    payments::consent::Decided,
};
