//! The server of one merchant: who we are, what we list, and a net under every tool.
use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, LazyLock, OnceLock},
    time::{Duration, Instant},
};

use futures::FutureExt as _;
use jiff::Timestamp;
use rmcp::{
    ErrorData, RoleServer,
    handler::server::tool::ToolCallContext,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock,
        Implementation, ListToolsResult, ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
};
use tracing::{Instrument as _, Span};

use super::{
    confirm::Asking,
    icon,
    principal::{Principal, Scope, Via, scopes_of},
    refusal::UNKNOWN,
    tools::{self, ROUTER},
    ui,
    view::{NEEDS_APPROVAL, after_asking},
};
use crate::{
    client::response::cleaned,
    domain::time,
    ledger::{Approval, Caller, LedgerError},
    meter::{self, Outcome},
    payments::{
        Payments,
        consent::Decided,
        notify::{Belongs, NotTaken},
    },
    policy::{Action, variables},
    spec::Environment,
};

/// For how long a client may keep lists and tables: they change only with the program.
pub(super) const LIST_TTL_MS: u64 = 3_600_000;

static ABOUT: LazyLock<ServerConfig> = LazyLock::new(|| {
    let name = Implementation::new("qfpay-mcp", env!("CARGO_PKG_VERSION"))
        .with_title("QFPay payments")
        .with_icons(icon::icons());
    // Lists change only with the program, so nobody is told that they did.
    let capabilities = ServerCapabilities::builder()
        .enable_completions()
        .enable_prompts()
        .enable_resources()
        .enable_resources_subscribe()
        .enable_tools()
        .enable_extensions_with(ui::extensions())
        .enable_skills()
        .build();
    ServerConfig::new(capabilities).with_server_info(name)
});

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

/// One merchant's server for all sessions of a process; clones share everything.
#[derive(Clone)]
pub struct Server {
    pub(super) payments: Payments,
    pub(super) asking: Asking,
    /// Where a person approves over HTTP, once that is known.
    page: Arc<OnceLock<String>>,
}

impl Server {
    pub fn new(payments: Payments, asking: Asking) -> Self {
        Self { payments, asking, page: Arc::default() }
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
    pub(super) fn caller(tool: &'static str, context: &RequestContext<RoleServer>) -> Caller {
        let client =
            context.client_info().map(|it| cleaned(&format!("{} {}", it.name, it.version)));
        let transport = Via::of(context).0;
        let principal = Principal::of(context).map(|it| it.name.clone());
        Caller { transport, client, principal, tool }
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

    /// Whether a notification is this merchant's, as far as that can be told.
    pub(super) async fn belongs(
        &self,
        body: &[u8],
        signature: Option<&str>,
    ) -> Result<Belongs, Taken> {
        self.payments.belongs(body, signature).await.map_err(not_taken)
    }

    /// Whether the ledger can be reached.
    pub(super) async fn check(&self) -> Result<(), LedgerError> {
        self.payments.reachable().await
    }

    /// Measures what nothing tells when it happens.
    pub(super) async fn measure(&self) -> Result<(), LedgerError> {
        let doubts = self.payments.doubts().await?;
        meter::doubts(&self.payments.settings.merchant, doubts.count, doubts.oldest);
        Ok(())
    }

    /// Takes in what QFPay told of its own accord.
    pub(super) async fn notified(&self, body: &[u8], signature: Option<&str>) -> Taken {
        match self.payments.notified(body, signature).await {
            Ok(noticed) => {
                tracing::info!(?noticed, "QFPay told something");
                Taken::Yes
            }
            Err(why) => not_taken(why),
        }
    }

    pub(super) fn environment(&self) -> Environment {
        self.payments.settings.environment
    }

    /// Whether a caller may call a tool, as far as that is settled before they do.
    pub(super) fn may_call(&self, tool: &str, context: &RequestContext<RoleServer>) -> bool {
        scopes_of(context).has(Scope::of_tool(tool))
            && ROUTER.get(tool).is_none_or(|it| self.offers(it))
    }

    /// What an agent should know, as far as it concerns this caller.
    fn instructions(&self, may: impl Fn(&str) -> bool) -> String {
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
        let mut said = vec![opening];
        if self.payments.settings.policy.read_only {
            said.push("This server only reads.".to_owned());
        }
        let (looks, pays, refunds) =
            (may("query_transaction"), may("create_payment"), may("refund"));
        if pays && looks {
            said.push(
                "Order of calls: list_pay_types, create_payment, show the payer the QR code or \
                 link, wait_for_payment until `paid` (query_transaction looks once); \
                 cancel_payment ends an unpaid order."
                    .to_owned(),
            );
        } else if pays {
            said.push("create_payment makes an order, cancel_payment ends one.".to_owned());
        } else if looks {
            said.push(
                "query_transaction looks, wait_for_payment waits, list_pay_types lists ways to pay."
                    .to_owned(),
            );
        }
        if refunds {
            said.push("refund gives money back.".to_owned());
        }
        if looks {
            said.push(
                "explain_respcd explains codes; reconcile compares a day with QFPay's records."
                    .to_owned(),
            );
        }
        said.push(
            "`pending` and `awaiting_payer` are not paid. `in_doubt` means that nobody knows yet: never pay or refund \
             again, query."
                .to_owned(),
        );
        if (pays || refunds) && self.payments.asks() {
            said.push(
                "A person has to say yes to each payment and refund: your client asks, or the \
                 status is `needs_approval`; tell the person what to do, and call again."
                    .to_owned(),
            );
        }
        said.join(" ")
    }

    /// Who we are, and what we can do, for nobody in particular.
    pub(super) fn about() -> ServerConfig {
        ABOUT.clone()
    }

    /// The same for a caller, with what they should know.
    pub(super) fn info_of(&self, context: &RequestContext<RoleServer>) -> ServerConfig {
        Self::about().with_instructions(self.instructions(|tool| self.may_call(tool, context)))
    }

    /// The tools that this caller may call.
    pub(super) fn list(&self, context: &RequestContext<RoleServer>) -> ListToolsResult {
        let tools = Self::tools();
        let tools = tools.into_iter().filter(|it| self.may_call(&it.name, context)).collect();
        let tools = ListToolsResult { tools, ..ListToolsResult::default() };
        tools.with_ttl_ms(LIST_TTL_MS).with_cache_scope(cache_of(context))
    }

    /// Why a call is not even begun, in words; none where it is.
    fn turns_away(
        &self,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Option<String> {
        let name = &*request.name;
        let tool = ROUTER.get(name)?;
        let scope = Scope::of_tool(name);
        if !scopes_of(context).has(scope) {
            return Some(format!(
                "`{name}` is not open to you: it takes a token with the scope `{}`. You cannot \
                 change this: tell the person that an operator has to issue one.",
                scope.name()
            ));
        }
        if !self.offers(tool) {
            return Some(format!(
                "`{name}` is switched off, because this server only reads. You cannot change this: \
                 tell the person that an operator has to unset {} and restart the server.",
                variables::READ_ONLY
            ));
        }
        if !writes(name) || !self.payments.drain.is_cancelled() {
            return None;
        }
        // What was asked before goes on: the call that brings a person's answer is such.
        let caller = Self::caller(tools::known(name), context);
        let answers = request.request_state.as_ref().is_some_and(|it| self.asked(&caller, it));
        (!answers).then(|| {
            "this server is about to end and begins nothing that moves money. Call again in some \
             seconds with the same arguments and, if you gave one, the same number: another server, \
             or this one after its restart, takes it."
                .to_owned()
        })
    }

    /// Runs a tool. A panic in it is answered too: without an answer the client would wait for ever.
    pub(super) async fn call(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = tools::known(&request.name);
        // The end of the process waits for it, a person's answer included.
        let _token = writes(name).then(|| self.payments.tasks.token());
        if let Some(why) = self.turns_away(&request, &context) {
            let text = format!("Refused; nothing was sent: {why}");
            meter::ran(name, Outcome::Refused, Duration::ZERO);
            return Ok(CallToolResult::error(vec![ContentBlock::text(text)]).into());
        }
        let begun = Instant::now();
        let parts = context.extensions.get::<http::request::Parts>();
        let within = parts.and_then(|it| it.extensions.get::<Span>()).cloned();
        let within = within.unwrap_or_else(Span::current);
        let outcome = tracing::field::Empty;
        let span = tracing::info_span!(parent: &within, "tool", tool = name, outcome);
        let meta = &context.meta;
        meter::continues(&span, meta.get_traceparent(), meta.get_tracestate());
        let call = ROUTER.call(ToolCallContext::new(self, request, context));
        let answer = AssertUnwindSafe(call.instrument(span.clone())).catch_unwind().await;
        let outcome = outcome_of(answer.as_ref().ok());
        let took = begun.elapsed();
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        span.record("outcome", outcome.name());
        span.in_scope(|| {
            tracing::info!(tool = name, duration_ms, outcome = outcome.name(), "a tool was called");
        });
        meter::ran(name, outcome, took);
        answer.unwrap_or_else(|_| {
            tracing::error!(tool = name, "a tool panicked");
            let text = format!(
                "{UNKNOWN}: the server failed inside this tool. If it was to pay or refund, do not \
                 repeat it; call query_transaction first."
            );
            Ok(CallToolResult::error(vec![ContentBlock::text(text)]).into())
        })
    }
}

/// How widely what differs from caller to caller may be cached.
pub(super) fn cache_of(context: &RequestContext<RoleServer>) -> CacheScope {
    match Principal::of(context) {
        Some(_) => CacheScope::Private,
        None => CacheScope::Public,
    }
}

fn outcome_of(answer: Option<&Result<CallToolResponse, ErrorData>>) -> Outcome {
    match answer {
        Some(Ok(CallToolResponse::Complete(it))) if it.is_error == Some(true) => Outcome::Refused,
        Some(Ok(CallToolResponse::InputRequired(_))) => Outcome::Asked,
        Some(Ok(CallToolResponse::Complete(it))) => {
            let reply = it.structured_content.as_ref();
            match reply.and_then(|it| it.get("status")).and_then(|it| it.as_str()) {
                Some("in_doubt") => Outcome::InDoubt,
                Some(NEEDS_APPROVAL) => Outcome::Asked,
                Some(_) | None => Outcome::Done,
            }
        }
        Some(Ok(_)) => Outcome::Done,
        Some(Err(_)) | None => Outcome::Failed,
    }
}

fn writes(tool: &str) -> bool {
    Action::of_tool(tool).is_some_and(Action::writes)
}

fn not_taken(why: NotTaken) -> Taken {
    match why {
        NotTaken::NotBelieved(why) => {
            tracing::warn!(%why, "a notification was not believed");
            Taken::NotBelieved(why.to_string())
        }
        NotTaken::Ledger(error) => {
            tracing::error!(%error, "a notification could not be written down");
            Taken::Later
        }
    }
}
