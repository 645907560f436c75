//! What the product costs, measured on the real release binary: start, memory, local calls, the
//! search over codes, durable payments and look-ups in a large ledger, each beside a floor of this
//! machine from the same run.
//!
//! `cargo bench` for the whole, `cargo bench -- --quick` for a look. A figure alone says little on
//! a machine that others use too: read it against its floor.
mod calls;
#[path = "../../tests/it/cluster.rs"]
#[expect(dead_code, reason = "the tests that include it use the rest")]
mod cluster;
mod desk;
mod figures;
mod floor;
mod lookups;
mod payments;
mod peer;
mod service;
mod start;
mod wire;
mod words;

use std::{
    io::{self, Write as _},
    process::ExitCode,
    time::Duration,
};

/// Why nothing was measured.
pub(crate) type Trouble = Box<dyn std::error::Error>;

/// How long the whole may take, whatever hangs.
const LIMIT: Duration = Duration::from_secs(1200);

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Starts of the process.
    pub(crate) starts: usize,
    /// Rounds in which a figure and its floors take turns; the median is told.
    pub(crate) rounds: usize,
    /// One measurement in a round.
    pub(crate) span: Duration,
}

impl Effort {
    /// How long each round takes, the first of which only warms up.
    pub(crate) fn spans(self) -> Vec<Duration> {
        let rounds = std::iter::repeat_n(self.span, self.rounds);
        std::iter::once(self.span / 3).chain(rounds).collect()
    }
}

const WHOLE: Effort = Effort { starts: 20, rounds: 5, span: Duration::from_millis(1500) };
const QUICK: Effort = Effort { starts: 5, rounds: 1, span: Duration::from_millis(500) };

fn main() -> ExitCode {
    // Cargo adds `--bench`, and people add filters; neither means anything here.
    if let Some(floor) = floor::Transport::wanted() {
        return serve(floor);
    }
    let quick = std::env::args().any(|it| it == "--quick");
    match measure(if quick { QUICK } else { WHOLE }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "nothing more was measured: {error}");
            ExitCode::FAILURE
        }
    }
}

/// This process is a floor that another measures.
fn serve(floor: floor::Transport) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let served = runtime.map_err(Trouble::from).and_then(|it| it.block_on(floor.serve()));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "the floor fell: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One thread drives the pipes, so that the client takes as little of the machine as it can.
fn measure(effort: Effort) -> Result<(), Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let sections = async {
            say(&head(effort))?;
            say(&start::measure(effort).await?)?;
            say(&calls::measure(effort).await?)?;
            say(&words::measure(effort))?;
            let postgres = match cluster::Postgres::start(true) {
                Ok(cluster) => Some(cluster),
                Err(cluster::Why::Absent) => None,
                Err(why) => return Err(why.into()),
            };
            let url = postgres.as_ref().map(cluster::Postgres::url);
            say(&service::measure(effort, url).await?)?;
            say(&payments::measure(effort, url).await?)?;
            say(&lookups::measure(effort, url).await?)
        };
        tokio::time::timeout(LIMIT, sections).await
    });
    runtime.shutdown_background();
    done.map_err(|_| format!("it took longer than {LIMIT:?}"))?
}

fn head(effort: Effort) -> String {
    let cpus = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let Effort { starts, rounds, span } = effort;
    format!(
        "qfpay-mcp {}, bench profile, {} {}, {cpus} CPUs for server, simulator and client \
         together\n{starts} starts; rates are medians of {rounds} rounds of {span:?}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
    )
}

fn say(text: &str) -> Result<(), Trouble> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    Ok(stdout.flush()?)
}
