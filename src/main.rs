//! Parses the command line, runs a command, sets the exit code.
use std::process::ExitCode;

use clap::Parser as _;
use qfpay_mcp::cli::{self, Cli};

/// A call is some hundred small pieces of memory, which threads hand to each other.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(cli::run(cli, &environment, &names()));
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

/// The names of what is meant for us in it.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn names() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut names: Vec<String> = names.filter(|it| it.starts_with("QFPAY_")).collect();
    names.sort_unstable();
    names
}
