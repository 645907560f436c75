//! The floor of the transports: rmcp with one tool that does nothing, in a process of its own, which is
//! this program again. Nothing of the product is in it, but for HTTP+SSE, which rmcp has no more: there
//! it is our transport, without a token.
use std::net::SocketAddr;

use axum::serve::ListenerExt as _;
use qfpay_mcp::transport::{Shutdown, http};
use rmcp::{
    ErrorData, Json, RoleServer, ServerHandler,
    handler::server::{router::tool::ToolRouter, wrapper::Parameters},
    model::{ServerCapabilities, ServerConfig},
    serve_server,
    service::RequestContext,
    tool, tool_handler, tool_router,
    transport::{
        StreamableHttpServerConfig, StreamableHttpService, stdio_pipes,
        streamable_http_server::session::local::LocalSessionManager,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::{io::AsyncWriteExt as _, net::TcpListener, process::Command};

use super::Trouble;

/// The argument that makes this program a floor.
const FLAG: &str = "--floor";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Stdio,
    Http,
    Sse,
}

impl Transport {
    const ALL: [Self; 3] = [Self::Stdio, Self::Http, Self::Sse];

    const fn name(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Http => "http",
            Self::Sse => "sse",
        }
    }

    /// This program as a floor.
    pub(crate) fn command(self) -> Result<Command, Trouble> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args([FLAG, self.name()]).kill_on_drop(true);
        Ok(command)
    }

    /// The floor that this process is to be, if it is one.
    pub(crate) fn wanted() -> Option<Self> {
        let mut arguments = std::env::args().skip_while(|it| it != FLAG).skip(1);
        let name = arguments.next()?;
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Serves until it is killed.
    pub(crate) async fn serve(self) -> Result<(), Trouble> {
        match self {
            Self::Stdio => {
                let running = serve_server(Idle, stdio_pipes()).await?;
                running.waiting().await?;
            }
            Self::Http => {
                let config = StreamableHttpServerConfig::default().with_json_response(true);
                let sessions = LocalSessionManager::default();
                let service = StreamableHttpService::new(|| Ok(Idle), sessions.into(), config);
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                say(listener.local_addr()?).await?;
                let app = axum::Router::new().route_service("/mcp", service);
                let listener = listener.tap_io(|it| drop(it.set_nodelay(true)));
                axum::serve(listener, app).await?;
            }
            Self::Sse => {
                let settings = http::Settings::new(([127, 0, 0, 1], 0).into());
                let told = |address| drop(tokio::spawn(say(address)));
                http::serve(Idle, settings, Shutdown::new(), told).await?;
            }
        }
        Ok(())
    }
}

/// As the product says it.
async fn say(address: SocketAddr) -> std::io::Result<()> {
    tokio::io::stderr().write_all(format!("on http://{address}: ready\n").as_bytes()).await
}

#[derive(Clone)]
struct Idle;

#[derive(Deserialize, JsonSchema)]
struct Asked {
    query: String,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    query: String,
    ok: bool,
}

#[tool_router]
impl Idle {
    #[tool]
    async fn explain_respcd(
        &self,
        Parameters(Asked { query }): Parameters<Asked>,
        _: RequestContext<RoleServer>,
    ) -> Result<Json<Answer>, ErrorData> {
        Ok(Json(Answer { query, ok: true }))
    }
}

static TOOLS: std::sync::LazyLock<ToolRouter<Idle>> = std::sync::LazyLock::new(Idle::tool_router);

#[tool_handler(router = TOOLS)]
impl ServerHandler for Idle {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}
