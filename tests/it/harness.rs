//! The real binary, started by tests, and the clients that speak to it.
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rmcp::{
    ClientHandler, RoleClient, ServiceError,
    model::{CallToolRequestParams, CallToolResponse, CallToolResult, ProtocolVersion},
    service::{ClientLifecycleMode, ClientServiceExt as _, Peer, RunningService},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    sync::Mutex,
};

/// Longer than anything here takes, on a loaded machine too.
const PATIENCE: Duration = Duration::from_secs(100);

/// Waits for what must happen, and names it when it does not.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(PATIENCE, future).await;
    done.unwrap_or_else(|_| panic!("waited {PATIENCE:?} in vain: {what}"))
}

/// A folder that stands for one desk: its ledger and its simulator's book.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The binary on this desk: no settings of the machine's, the simulator, a payer that pays at
    /// once, no pace.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command
            .env_clear()
            .env("HOME", self.path())
            .env("QFPAY_STATE_DIR", self.path())
            .env("QFPAY_ENV", "simulator")
            .env("QFPAY_SIMULATOR_PAYER_SECONDS", "0")
            .env("QFPAY_PACE", "off")
            .kill_on_drop(true)
            .stderr(Stdio::null());
        command
    }

    /// What a command prints, and its exit code.
    pub(crate) async fn run(&self, arguments: &[&str]) -> (String, i32) {
        let done = self.command().args(arguments).output().await.unwrap();
        (String::from_utf8(done.stdout).unwrap(), done.status.code().unwrap())
    }

    /// The audit of today, a word or two a row: what happened, and why.
    pub(crate) async fn audit(&self) -> Vec<String> {
        let (printed, _) = self.run(&["audit", "--json", "--since", "2020-01-01"]).await;
        let rows: Vec<Value> = serde_json::from_str(&printed).unwrap();
        let row = |it: &Value| {
            let detail = it["detail"].as_str().map(|it| format!(": {it}")).unwrap_or_default();
            format!("{}{detail}", it["what"].as_str().unwrap())
        };
        rows.iter().map(row).collect()
    }

    /// A server on this desk with an rmcp client.
    pub(crate) async fn client(&self) -> Client {
        Client::of(self.command()).await
    }
}

pub(crate) fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_qfpay-mcp"))
}

/// An rmcp client of a server of its own, over pipes; `H` answers what the server asks.
pub(crate) struct Client<H: ClientHandler = ()> {
    service: RunningService<RoleClient, H>,
    child: Mutex<Child>,
}

/// Which protocol a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    /// With `initialize`: 2025-11-25 and before.
    Legacy,
    /// Without: 2026-07-28.
    Modern,
}

impl Client {
    pub(crate) async fn of(command: Command) -> Self {
        Self::with(command, (), Era::Legacy).await
    }
}

impl<H: ClientHandler> Client<H> {
    pub(crate) async fn with(mut command: Command, handler: H, era: Era) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let pipes = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
        let lifecycle = match era {
            Era::Legacy => ClientLifecycleMode::Initialize,
            Era::Modern => ClientLifecycleMode::Discover {
                preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            },
        };
        let opening = handler.serve_with_lifecycle(pipes, lifecycle);
        let service = soon("a server opens the conversation", opening).await.unwrap();
        Self { service, child: Mutex::new(child) }
    }

    /// The names of the tools that are listed.
    pub(crate) async fn tools(&self) -> Vec<String> {
        let tools = self.service.list_all_tools().await.unwrap();
        tools.into_iter().map(|it| it.name.to_string()).collect()
    }

    /// For what is asked besides calls of tools.
    pub(crate) fn peer(&self) -> &Peer<RoleClient> {
        self.service.peer()
    }

    /// One round of a call, whatever it comes to.
    pub(crate) async fn round(&self, call: CallToolRequestParams) -> CallToolResponse {
        self.service.call_tool_once(call).await.unwrap()
    }

    pub(crate) async fn result(&self, tool: &str, arguments: Value) -> CallToolResult {
        self.attempt(tool, arguments).await.unwrap()
    }

    /// The result of a call during which the server may go.
    pub(crate) async fn attempt(
        &self,
        tool: &str,
        arguments: Value,
    ) -> Result<CallToolResult, ServiceError> {
        let answer = self.service.call_tool(call(tool, &arguments));
        soon(&format!("an answer of {tool}"), answer).await
    }

    /// SIGKILL; returns when the process is gone.
    pub(crate) async fn kill(&self) {
        soon("a killed server is gone", async { self.child.lock().await.kill().await })
            .await
            .unwrap();
    }

    /// Closes the server's input and waits until it has ended by itself.
    pub(crate) async fn end(self) {
        soon("the client closes", self.service.cancel()).await.unwrap();
        let ended = async { self.child.lock().await.wait().await };
        soon("a server ends when its input does", ended).await.unwrap();
    }

    /// The structured reply of a call that must succeed, checked against the tool's schema.
    pub(crate) async fn reply(&self, tool: &str, arguments: Value) -> Value {
        let result = self.result(tool, arguments).await;
        assert_ne!(result.is_error, Some(true), "{tool}: {}", text(&result));
        let reply = result.structured_content.clone().unwrap();
        let told: Value = serde_json::from_str(&text(&result)).unwrap();
        assert_eq!(told, reply, "text and structure must say the same");
        hold_to_schema(tool, &reply);
        reply
    }

    /// The text of a call that must be refused.
    pub(crate) async fn refusal(&self, tool: &str, arguments: Value) -> String {
        let result = self.result(tool, arguments).await;
        assert_eq!(result.is_error, Some(true), "{tool}: {}", text(&result));
        assert_eq!(result.structured_content, None, "errors carry no structured content");
        text(&result)
    }
}

/// The parameters of a call.
pub(crate) fn call(tool: &str, arguments: &Value) -> CallToolRequestParams {
    let arguments = arguments.as_object().unwrap().clone();
    CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments)
}

pub(crate) fn text(result: &CallToolResult) -> String {
    let texts = result.content.iter().filter_map(|it| it.as_text()).map(|it| it.text.clone());
    texts.collect::<Vec<_>>().join("\n")
}

/// Fails unless `reply` is what the tool's output schema says.
pub(crate) fn hold_to_schema(tool: &str, reply: &Value) {
    let tools = qfpay_mcp::mcp::Server::tools();
    let tool = tools.iter().find(|it| it.name == tool).unwrap();
    let schema = serde_json::to_value(tool.output_schema.as_ref().unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(reply).map(|it| it.to_string()).collect();
    assert!(errors.is_empty(), "{}: {errors:?}\n{reply:#}", tool.name);
    let known = schema["properties"].as_object().unwrap();
    for name in reply.as_object().unwrap().keys() {
        assert!(known.contains_key(name), "{}: {name} is not in its output schema", tool.name);
    }
}
