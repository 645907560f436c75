//! Commands for people. Each is one file; this one parses and picks.
use std::{
    io::{self, Write as _},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::{
    config::{Config, ConfigError, LedgerAt, Profiles, Vars, is_known, variables},
    ledger::postgres::{AddressError, Database},
    mcp::{Merchants, SKILL, Server},
    simulator::Faults,
    spec::search,
    telemetry,
    transport::{Shutdown, stdio},
};

mod approve;
mod audit;
mod call;
mod demo;
mod desk;
mod doctor;
mod http;
mod moment;
mod operator;
mod orders;
mod qr;
mod reconcile;
mod session;
mod simulator;
mod style;
mod terminal;
mod token;
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
    /// known yet or could not be printed (query, do not repeat), 4 a person has to approve it first.
    Call {
        /// `list_pay_types`, `create_payment`, `wait_for_payment`, `query_transaction`, `refund`,
        /// `cancel_payment`, `reconcile` or `explain_respcd`
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
    /// Compare a day of the ledger with QFPay's records of it
    ///
    /// Reads all of QFPay's records of the day, inside its rate limits, and lists what is missing on
    /// either side and what differs in amount or status, with totals by currency and way to pay. It
    /// changes nothing; `orders recover` and a query bring the ledger up to date.
    ///
    /// Exit code: 0 all agrees, 1 failed or not all could be read, 2 wrong usage or settings,
    /// 3 something differs, 130 stopped by Ctrl-C.
    Reconcile(reconcile::Reconcile),
    /// Say yes or no, as a person, to a payment or refund that waits for it
    ///
    /// Shows the terms and asks; the answer is read from a terminal, never from a pipe or an
    /// argument. Without a code it lists what waits.
    ///
    /// Exit code: 0 approved (or listed), 1 declined, over, or not found, 2 wrong usage or settings.
    Approve(approve::Approve),
    /// Read the audit: who did what when, and what came of it
    ///
    /// Oldest first, as the ledger of this environment and merchant has it; today unless a time is
    /// given. `verify` finds rows that were changed or removed.
    ///
    /// Exit code: 0 done, 1 failed or something was found, 2 wrong usage or settings.
    Audit(audit::Audit),
    /// Tell what is in force: environment, ledger, and in plain sentences what an agent may do
    ///
    /// Exit code: 0 all is well, 1 something does not work, 2 the settings are not right.
    Doctor,
    /// Make the line of a person who may approve over HTTP, for `QFPAY_OPERATORS_FILE`
    ///
    /// Asks for a password and prints the name with the password's hash.
    Operator {
        /// The person's name: letters, digits, `.`, `_`, `-`
        name: String,
    },
    /// Serve MCP over HTTP: Streamable HTTP at /mcp, the older SSE transport at /sse
    ///
    /// Ctrl-C or SIGTERM ends it in two steps: nothing new that moves money is begun, what is under
    /// way is finished; a second one waits some seconds at most. SIGHUP reads tokens, operators and certificates
    /// again. docs/operate.md tells how to run it for others.
    Http(http::Serve),
    /// Make a token for a program that is to call the HTTP server
    Token(token::Token),
    /// Print the skill: how to use the tools, for agents that read it from a folder
    ///
    /// `mkdir -p ~/.claude/skills/qfpay-payments` and redirect it to `SKILL.md` there.
    Skill,
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

/// Runs one command with the environment that `vars` reads; `names` are those of ours in it.
pub async fn run(cli: Cli, vars: Vars<'_>, names: &[String]) -> ExitCode {
    let collector = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
    let traces = telemetry::start(telemetry::Settings {
        filter: vars(variables::LOG),
        format: vars(variables::LOG_FORMAT),
        traces: collector.iter().any(|it| vars(it).is_some_and(|it| !it.is_empty())),
        service: vars("OTEL_SERVICE_NAME"),
    });
    let code = picked(cli, vars, names).await;
    traces.flush().await;
    code
}

async fn picked(cli: Cli, vars: Vars<'_>, names: &[String]) -> ExitCode {
    // A limit that was misspelt is none, and nobody would notice.
    for name in names.iter().filter(|it| !is_known(it)) {
        tracing::warn!(%name, "there is no setting of this name; it changes nothing");
    }
    let style = Style::of_stdout(vars);
    match cli.command {
        Some(Command::Demo) => return demo::run(style).await,
        Some(Command::Operator { name }) => return operator::run(&name),
        Some(Command::Token(token)) => return token::run(&token),
        Some(Command::Skill) => {
            return match print(SKILL.trim_end()) {
                Ok(()) => ExitCode::SUCCESS,
                // A reader that has seen enough is no failure.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
                Err(error) => {
                    complain(&format!("qfpay-mcp: the skill could not be written: {error}"));
                    ExitCode::FAILURE
                }
            };
        }
        _ => {}
    }
    let wrong = |error: &ConfigError| {
        complain(&format!("qfpay-mcp: {error}"));
        ExitCode::from(USAGE)
    };
    let profiles = match Profiles::from_vars(vars) {
        Ok(profiles) => profiles,
        Err(error) => return wrong(&error),
    };
    if let Some(Command::Http(serve)) = &cli.command {
        return http::run(&profiles, serve).await;
    }
    let config = match profiles.one() {
        Ok(config) => config,
        Err(error) => return wrong(&error),
    };
    if let LedgerAt::Postgres(url) = &config.ledger
        && let Err(error) = Database::check(url)
    {
        return wrong_ledger(&error);
    }
    match cli.command {
        None => serve_stdio(&config).await,
        Some(
            Command::Demo
            | Command::Operator { .. }
            | Command::Token(_)
            | Command::Http(_)
            | Command::Skill,
        ) => ExitCode::SUCCESS,
        Some(Command::Approve(approve)) => approve::run(&config, approve, style).await,
        Some(Command::Audit(audit)) => audit::run(&config, audit, style).await,
        Some(Command::Doctor) => doctor::run(&config, vars, names, style).await,
        Some(Command::Call { tool, json }) => call::run(&tool, &json, Style::of_stderr(vars)).await,
        Some(Command::Orders(orders)) => orders::run(&config, orders, style).await,
        Some(Command::Reconcile(it)) => reconcile::run(&config, &it, style).await,
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
    tokio::task::spawn_blocking(search::prepare);
    let server = Merchants::from(Server::new(payments, wire::asking(config)));
    ended(stdio::serve(server, shutdown).await)
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

/// Writes a result down to its end, or says why that cannot be.
fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

/// Says something to the person; a closed terminal is no failure.
fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
