//! Parses the command line, runs a command, sets the exit code.
use std::process::ExitCode;

use clap::Parser as _;
use qfpay_mcp::cli::{self, Cli};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(cli::run(cli, &environment));
            // A read of stdin that still waits must not hold the end of the process up.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            eprintln!("qfpay-mcp: the runtime cannot be started: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The process environment, for `config`.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
