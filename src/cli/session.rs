//! A real MCP client of our own server: the binary started as a child, spoken to over pipes.
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal as _},
    process::Stdio,
};

use rmcp::{
    ClientHandler, ErrorData, RoleClient, ServiceExt as _,
    model::{
        CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig,
        ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationCapability,
        FormElicitationCapability, Implementation, JsonObject, ProgressNotificationParam,
    },
    service::{NotificationContext, RequestContext, RunningService},
    transport::TokioChildProcess,
};
use tokio::process::Command;

use super::{
    complain,
    terminal::{self, Answer},
};
use crate::config;

/// Why there is no session, or no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error("the server cannot be started: {0}")]
    Start(#[from] io::Error),
    #[error("the server did not answer: {0}")]
    Speak(String),
}

/// A running server and our client of it.
pub(super) struct Session {
    client: RunningService<RoleClient, Person>,
}

/// Our client: it tells the person at the terminal how a long call goes on.
struct Person;

impl ClientHandler for Person {
    fn get_info(&self) -> ClientConfig {
        let name = Implementation::new("qfpay-mcp call", env!("CARGO_PKG_VERSION"));
        let mut able = ClientCapabilities::default();
        // Somebody has to be there to be asked.
        if terminal::is_there() {
            let form = FormElicitationCapability::default();
            able.elicitation = Some(ElicitationCapability::new().with_form(form));
        }
        ClientConfig::new(able, name)
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } = request
        else {
            return Ok(ElicitResult::new(ElicitationAction::Cancel));
        };
        // The server's one form: a choice of yes or no, under whatever name.
        let name = requested_schema.properties.into_keys().next().unwrap_or_default();
        Ok(match terminal::ask(&message).await {
            Answer::Yes => ElicitResult::new(ElicitationAction::Accept)
                .with_content(serde_json::json!({ name: "yes" })),
            Answer::No => ElicitResult::new(ElicitationAction::Decline),
            Answer::None | Answer::TooFast => ElicitResult::new(ElicitationAction::Cancel),
        })
    }

    async fn on_progress(
        &self,
        told: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        if let Some(message) = told.message.filter(|_| io::stderr().is_terminal()) {
            complain(&message);
        }
    }
}

impl Session {
    /// Starts the server. With `only`, none of our own settings are handed on, but these.
    pub(super) async fn start(
        only: Option<BTreeMap<String, String>>,
    ) -> Result<Self, SessionError> {
        let mut command = Command::new(std::env::current_exe()?);
        command.kill_on_drop(true).stderr(Stdio::inherit());
        if let Some(only) = only {
            for name in config::all_names() {
                command.env_remove(name);
            }
            command.envs(only);
        }
        let child = TokioChildProcess::new(command)?;
        let client = Person.serve(child).await.map_err(|it| SessionError::Speak(it.to_string()))?;
        Ok(Self { client })
    }

    /// Calls a tool.
    pub(super) async fn call(
        &self,
        tool: &str,
        arguments: JsonObject,
    ) -> Result<CallToolResult, SessionError> {
        let call = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        self.client.call_tool(call).await.map_err(|it| SessionError::Speak(it.to_string()))
    }

    /// Ends the server by the end of its input, so that it writes down what it was doing.
    pub(super) async fn end(self) {
        let _ = self.client.cancel().await;
    }
}

/// The text of a result.
pub(super) fn text(result: &CallToolResult) -> String {
    let texts = result.content.iter().filter_map(|it| it.as_text()).map(|it| it.text.as_str());
    texts.collect::<Vec<_>>().join("\n")
}
