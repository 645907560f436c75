//! The MCP server: who we are, what we list, and a net under every tool.
use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
    time::Instant,
};

use futures::FutureExt as _;
use jiff::Timestamp;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    handler::server::tool::ToolCallContext,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock,
        Implementation, ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig,
        Tool,
    },
    service::RequestContext,
};

use super::{confirm::Asking, refusal::UNKNOWN, tools::ROUTER, view::after_asking};
use crate::{
    client::response::cleaned,
    domain::time,
    ledger::{Approval, Caller, LedgerError},
    payments::{Payments, consent::Decided, notify::NotTaken},
    policy::{Action, variables},
    spec::Environment,
};

/// For how long a client may keep the list of tools: it changes only with the program.
const TOOLS_TTL_MS: u64 = 3_600_000;

/// What became of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is on disk.
    Yes,
    /// It is not QFPay's; why, in words.
    NotBelieved(String),
    /// It could not be written down now.
    Later,
}

/// One server for all sessions of a process; clones share everything.
#[derive(Clone)]
pub struct Server {
    pub(super) payments: Payments,
    pub(super) asking: Asking,
    /// Where a person approves over HTTP, once that is known.
    page: Arc<OnceLock<String>>,
    /// How a request came that carries no HTTP of its own.
    transport: &'static str,
}

impl Server {
    /// `transport` says how requests come, but for those of streamable HTTP, which say it
    /// themselves.
    pub fn new(payments: Payments, asking: Asking, transport: &'static str) -> Self {
        Self { payments, asking, page: Arc::default(), transport }
    }

    /// From now on persons are sent to `url` to approve, with a code behind it.
    pub fn approve_at(&self, url: String) {
        // The first stays: a server has one address.
        let _ = self.page.set(url);
    }

    /// What to do while a person has not approved it; `argument` is that of its number.
    pub(super) fn next_of_approval(
        &self,
        tool: &str,
        argument: &str,
        approval: &Approval,
    ) -> String {
        let code = &approval.code;
        let command =
            format!("run `qfpay-mcp approve {code}` in a terminal, with this server's settings,");
        let how = match self.page.get() {
            Some(url) => format!("open {url}/{code}, or {command}"),
            None => command,
        };
        let until = self.local(approval.expires_at);
        after_asking(tool, argument, &approval.question.number, &how, &until)
    }

    /// Whether a tool is offered: in read-only mode those that write are not, nor any that reaches
    /// QFPay in a way that the policy does not know.
    fn offers(&self, tool: &Tool) -> bool {
        if !self.payments.settings.policy.read_only {
            return true;
        }
        match Action::of_tool(&tool.name) {
            Some(action) => !action.writes(),
            None => tool.annotations.as_ref().and_then(|it| it.open_world_hint) == Some(false),
        }
    }

    /// Who calls `tool`, for the audit.
    pub(super) fn caller(
        &self,
        tool: &'static str,
        context: &RequestContext<RoleServer>,
    ) -> Caller {
        let over_http = context.extensions.get::<http::request::Parts>().is_some();
        let client =
            context.client_info().map(|it| cleaned(&format!("{} {}", it.name, it.version)));
        let transport = if over_http { "http" } else { self.transport };
        Caller { transport, client, principal: None, tool }
    }

    /// Every tool as it is listed to clients; `tool-schemas/` holds the same, file by file.
    pub fn tools() -> Vec<Tool> {
        ROUTER.list_all()
    }

    /// The question under a code that a person was given.
    pub async fn approval(&self, code: &str) -> Result<Option<Approval>, LedgerError> {
        self.payments.approval(code).await
    }

    /// The questions that wait for a person.
    pub async fn waiting(&self) -> Result<Vec<Approval>, LedgerError> {
        self.payments.waiting().await
    }

    /// Whether a person can still decide.
    pub fn waits(&self, approval: &Approval) -> bool {
        approval.waits(self.payments.clock.now())
    }

    /// Writes down what a person who logged in as `operator` decided.
    pub async fn decide(
        &self,
        operator: &str,
        code: &str,
        approve: bool,
    ) -> Result<Decided, LedgerError> {
        let principal = Some(operator.to_owned());
        let caller = Caller { principal, ..Caller::own("http", "approve") };
        self.payments.decide(&caller, code, approve).await
    }

    /// A time as people here read it.
    pub fn local(&self, at: Timestamp) -> String {
        time::wire(at, &self.payments.settings.zone)
    }

    /// Takes in what QFPay told of its own accord.
    pub async fn notified(&self, body: &[u8], signature: Option<&str>) -> Taken {
        match self.payments.notified(body, signature).await {
            Ok(noticed) => {
                tracing::info!(?noticed, "QFPay told something");
                Taken::Yes
            }
            Err(NotTaken::NotBelieved(why)) => {
                tracing::warn!(%why, "a notification was not believed");
                Taken::NotBelieved(why.to_string())
            }
            Err(NotTaken::Ledger(error)) => {
                tracing::error!(%error, "a notification could not be written down");
                Taken::Later
            }
        }
    }

    pub(super) fn environment(&self) -> Environment {
        self.payments.settings.environment
    }

    fn instructions(&self) -> String {
        let row = self.environment().row();
        let money = if self.environment().moves_real_money() {
            "Payments here move real money."
        } else {
            "No real money moves here."
        };
        let opening = format!(
            "QFPay payments in the `{}` environment: {}. {money} Amounts are whole numbers of \
             minor units (1050 is HKD 10.50).",
            row.name, row.meaning
        );
        let codes = "explain_respcd explains codes. `pending` is not paid. `in_doubt` means that \
                     nobody knows yet: never pay or refund again, query.";
        if self.payments.settings.policy.read_only {
            return format!(
                "{opening} This server only reads: query_transaction looks, wait_for_payment \
                 waits, list_pay_types lists ways to pay. {codes}"
            );
        }
        let asks = if self.payments.asks() {
            " A person has to say yes to each payment and refund: your client asks, or the status \
             is `needs_approval`; tell the person what to do, and call again."
        } else {
            ""
        };
        format!(
            "{opening} Order of calls: list_pay_types, create_payment, show the payer the QR code \
             or link, wait_for_payment until `paid` (query_transaction looks once); cancel_payment \
             ends an unpaid order, refund gives money back; {codes}{asks}"
        )
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let name = Implementation::new("qfpay-mcp", env!("CARGO_PKG_VERSION"))
            .with_title("QFPay payments");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(name)
            .with_instructions(self.instructions())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = Self::tools().into_iter().filter(|it| self.offers(it)).collect();
        let tools = ListToolsResult { tools, ..ListToolsResult::default() };
        Ok(tools.with_ttl_ms(TOOLS_TTL_MS).with_cache_scope(CacheScope::Public))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        ROUTER.get(name).filter(|it| self.offers(it)).cloned()
    }

    /// A panic in a tool is answered too: without an answer the client would wait for ever.
    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = request.name.clone();
        if ROUTER.get(&name).is_some_and(|it| !self.offers(it)) {
            let text = format!(
                "Refused; nothing was sent: `{name}` is switched off, because this server only \
                 reads. You cannot change this: tell the person that an operator has to unset {} \
                 and restart the server.",
                variables::READ_ONLY
            );
            return Ok(CallToolResult::error(vec![ContentBlock::text(text)]).into());
        }
        let begun = Instant::now();
        let call = ROUTER.call(ToolCallContext::new(self, request, context));
        let answer = AssertUnwindSafe(call).catch_unwind().await;
        let duration_ms = begun.elapsed().as_millis();
        let refused =
            matches!(&answer, Ok(Ok(CallToolResponse::Complete(it))) if it.is_error == Some(true));
        tracing::info!(tool = %name, duration_ms, refused, "a tool was called");
        answer.unwrap_or_else(|_| {
            tracing::error!(tool = %name, "a tool panicked");
            let text = format!(
                "{UNKNOWN}: the server failed inside this tool. If it was to pay or refund, do not \
                 repeat it; call query_transaction first."
            );
            Ok(CallToolResult::error(vec![ContentBlock::text(text)]).into())
        })
    }
}
