//! The transports, each with a client of its kind at the other end: real sockets for HTTP, pipes in
//! memory for stdio. What is served is a [`Till`], which knows nothing of payments either.
mod http;
mod sse;
mod stdio;

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::FutureExt as _;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, JsonObject,
        ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// The versions that open with `initialize`.
const WITH_INITIALIZE: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
const MODERN: &str = "2026-07-28";
/// Long enough for a loaded machine; no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for what must happen, and says so when it does not.
async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("not in time: {what}"))
}

/// A server with three tools: `noop` answers at once, `slow` when the test lets it, `boom` panics.
#[derive(Clone)]
struct Till {
    tracker: TaskTracker,
    /// One permit for each `slow` that has begun.
    begun: Arc<Semaphore>,
    /// One permit for each `slow` that may end.
    may_end: Arc<Semaphore>,
    /// How many `slow` have ended: what a payment would have written down.
    written: Arc<AtomicUsize>,
}

impl Till {
    fn new(tracker: &TaskTracker) -> Self {
        Self {
            tracker: tracker.clone(),
            begun: Arc::new(Semaphore::new(0)),
            may_end: Arc::new(Semaphore::new(0)),
            written: Arc::default(),
        }
    }

    async fn has_begun(&self) {
        soon("a slow call begins", self.begun.acquire()).await.unwrap().forget();
    }

    fn let_end(&self) {
        self.may_end.add_permits(1);
    }

    fn written(&self) -> usize {
        self.written.load(Ordering::SeqCst)
    }

    async fn run(&self, tool: &str) -> Result<CallToolResponse, ErrorData> {
        match tool {
            "noop" => {}
            "slow" => self.slow().await,
            "boom" => panic!("boom"),
            other => return Err(ErrorData::invalid_params(format!("no tool {other}"), None)),
        }
        Ok(CallToolResult::success(vec![ContentBlock::text("done")]).into())
    }

    async fn slow(&self) {
        let till = self.clone();
        let work = self.tracker.spawn(async move {
            till.begun.add_permits(1);
            till.may_end.acquire().await.unwrap().forget();
            till.written.fetch_add(1, Ordering::SeqCst);
        });
        work.await.unwrap();
    }
}

impl ServerHandler for Till {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let schema = json!({ "type": "object", "properties": {} });
        let schema: Arc<JsonObject> = Arc::new(schema.as_object().unwrap().clone());
        let tool = |name: &'static str| Tool::new(name, name, schema.clone());
        Ok(ListToolsResult::with_all_items(["noop", "slow", "boom"].map(tool).to_vec()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let call = AssertUnwindSafe(self.run(&request.name));
        let failed = |_| Err(ErrorData::internal_error("the tool failed", None));
        call.catch_unwind().await.unwrap_or_else(failed)
    }
}

fn initialize(version: &str) -> Value {
    let client = json!({ "name": "test", "version": "1" });
    request(
        "initialize",
        &json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client }),
    )
}

fn initialized() -> Value {
    json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })
}

fn request(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

fn call(tool: &str) -> Value {
    request("tools/call", &json!({ "name": tool, "arguments": {} }))
}

/// The same request as a client of 2026-07-28 sends it: with its own context.
fn modern(mut request: Value) -> Value {
    request["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    request
}

/// The names of the tools in the answer to `tools/list`.
fn tools(answer: &Value) -> Vec<&str> {
    let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}"));
    tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

/// The text of the answer to `tools/call`.
fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"))
}
