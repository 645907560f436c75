//! Commands for people. Each is one file; this one parses and picks.
use std::{
    io::{self, Write as _},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::{
    config::{Config, LedgerAt, Vars, variables},
    ledger::postgres::{AddressError, Database},
    mcp::Server,
    simulator::Faults,
    telemetry,
    transport::{Shutdown, http, notify, stdio},
};

mod call;
mod demo;
mod orders;
mod session;
mod simulator;
mod style;
mod wire;

use style::Style;

/// QFPay payments for AI agents, as an MCP server.
///
/// Without a command it serves MCP on stdin and stdout, for a client such as Claude Desktop to
/// start. Without credentials it runs on a built-in simulator. Settings come from the environment;
/// README.md lists them.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch an agent's whole conversation on the simulator: list, pay, refund, explain
    Demo,
    /// Call one tool and print its result
    ///
    /// Exit code: 0 done, 1 refused or failed, 2 wrong usage or settings, 3 the result is not
    /// known yet (query, do not repeat).
    Call {
        /// `list_pay_types`, `create_payment`, `wait_for_payment`, `query_transaction`, `refund`,
        /// `cancel_payment` or `explain_respcd`
        tool: String,
        /// The arguments as a JSON object; `-` reads them from stdin
        #[arg(default_value = "{}")]
        json: String,
    },
    /// See what was written down of payments and refunds; settle what is unfinished
    ///
    /// Without a command it lists them, newest first, as the ledger of this environment and
    /// merchant has them. Nothing is asked at QFPay and nothing changes; `recover` does ask.
    ///
    /// Exit code: 0 done, 1 failed or no such number, 2 wrong usage or settings.
    Orders(orders::Orders),
    /// Serve MCP over HTTP: Streamable HTTP at /mcp, the older SSE transport at /sse
    Http {
        /// A loopback address and port; port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:8787")]
        bind: SocketAddr,
    },
    /// Run the QFPay simulator alone, for an integration in any language
    Simulator {
        /// A loopback address and port; port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:8790")]
        bind: SocketAddr,
        /// Where it keeps its orders [default: simulator.db in the state directory]
        #[arg(long)]
        book: Option<PathBuf>,
        /// What goes wrong on purpose, in requests of a thousand: `seed=7,lost_answer=50`
        ///
        /// README.md lists the faults. The same seed strikes the same orders.
        #[arg(long)]
        faults: Option<Faults>,
    },
}

/// Wrong usage or settings.
const USAGE: u8 = 2;

/// Runs one command with the environment that `vars` reads.
pub async fn run(cli: Cli, vars: Vars<'_>) -> ExitCode {
    telemetry::start(vars(variables::LOG).as_deref());
    let style = Style::of_stdout(vars);
    if matches!(cli.command, Some(Command::Demo)) {
        return demo::run(style).await;
    }
    let config = match Config::from_vars(vars) {
        Ok(config) => config,
        Err(error) => {
            complain(&format!("qfpay-mcp: {error}"));
            return ExitCode::from(USAGE);
        }
    };
    if let LedgerAt::Postgres(url) = &config.ledger
        && let Err(error) = Database::check(url)
    {
        return wrong_ledger(&error);
    }
    match cli.command {
        None => serve_stdio(&config).await,
        Some(Command::Demo) => ExitCode::SUCCESS,
        Some(Command::Call { tool, json }) => call::run(&tool, &json).await,
        Some(Command::Orders(orders)) => orders::run(&config, orders, style).await,
        Some(Command::Http { bind }) => serve_http(&config, bind).await,
        Some(Command::Simulator { bind, book, faults }) => {
            simulator::run(&config, bind, book, faults).await
        }
    }
}

async fn serve_stdio(config: &Config) -> ExitCode {
    if io::IsTerminal::is_terminal(&io::stdin()) {
        complain(
            "qfpay-mcp speaks MCP on stdin and stdout: it is meant to be started by an MCP client. \
             Try `qfpay-mcp demo`, or `qfpay-mcp --help`. Ctrl-D ends it.",
        );
    }
    let shutdown = Shutdown::new();
    if let Err(error) = shutdown.stop_on_signals() {
        return ended(Err(error));
    }
    let payments = match wire::payments(config, &shutdown) {
        Ok(payments) => payments,
        Err(error) => return wrong_ledger(&error),
    };
    wire::recover_in_background(config, &payments, &shutdown);
    ended(stdio::serve(Server::new(payments, "stdio"), shutdown).await)
}

async fn serve_http(config: &Config, bind: SocketAddr) -> ExitCode {
    let shutdown = Shutdown::new();
    if let Err(error) = shutdown.stop_on_signals() {
        return ended(Err(error));
    }
    let payments = match wire::payments(config, &shutdown) {
        Ok(payments) => payments,
        Err(error) => return wrong_ledger(&error),
    };
    wire::recover_in_background(config, &payments, &shutdown);
    let environment = config.environment.name();
    let ready = move |address: SocketAddr| {
        complain(&format!(
            "qfpay-mcp ({environment}) on http://{address}: Streamable HTTP at /mcp, SSE at /sse. \
             Ctrl-C ends it."
        ));
    };
    let server = Server::new(payments, "sse");
    let routes = notify::router(server.clone());
    let settings = http::Settings { routes, ..http::Settings::new(bind) };
    ended(http::serve(server, settings, shutdown, ready).await)
}

fn wrong_ledger(error: &AddressError) -> ExitCode {
    complain(&format!("qfpay-mcp: {}: {error}", variables::LEDGER));
    ExitCode::from(USAGE)
}

fn ended<E: std::error::Error>(result: Result<(), E>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    let mut text = format!("qfpay-mcp: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    complain(&text);
    ExitCode::FAILURE
}

/// Says something to the person; a closed terminal is no failure.
fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
