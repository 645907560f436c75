//! What a client waits for and what stays in memory: the start, the list of tools, the idle process.
use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{process::Command, time::timeout};

use super::{
    Effort, Trouble,
    desk::Desk,
    figures::{Table, spread},
    payments::arguments,
    peer::Peer,
};

/// How long `--version` may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn measure(effort: Effort) -> Result<String, Trouble> {
    let desk = Desk::new()?;
    let (mut answers, mut sandbox, mut versions) = (Vec::new(), Vec::new(), Vec::new());
    // The first of each only brings the binary into memory.
    for at in 0..=effort.starts {
        let simulated = answer(desk.command()).await?;
        let real = answer(at_qfpay(&desk)).await?;
        let version = version(&desk).await?;
        if at > 0 {
            answers.push(simulated);
            sandbox.push(real);
            versions.push(version);
        }
    }
    let mut peer = Peer::start(desk.command())?;
    peer.open().await?;
    let list = peer.ask("tools/list", "{}").await?;
    let idle = megabytes(peer.memory());
    peer.ask("tools/call", &arguments("S1")).await?;
    let paid = megabytes(peer.memory());
    peer.end().await?;

    let mut table = Table::new(["", "figure", "floor, aim"], 0);
    let mut row = |what: &str, figure: String, beside: String| {
        table.row([what.to_owned(), figure, beside]);
    };
    let floor = format!("{} from the start of `--version` to its end; aim 10 ms", spread(versions));
    row("start to the answer of initialize", spread(answers), floor);
    let what = "with an account at QFPay, over HTTPS".to_owned();
    row("  the same in the sandbox", spread(sandbox), what);
    row("memory after tools/list", idle, "aim 20 MB".to_owned());
    row("memory after one payment", paid, "the simulator inside, in the same process".to_owned());
    row("the answer to tools/list", format!("{list} bytes"), String::new());
    Ok(table.written("Start and size: median (least to most)"))
}

/// From the start of the process to the answer of `initialize`.
async fn answer(command: Command) -> Result<Duration, Trouble> {
    let start = Instant::now();
    let mut peer = Peer::start(command)?;
    peer.open().await?;
    let took = start.elapsed();
    peer.end().await?;
    Ok(took)
}

/// The server as it is with an account at QFPay. Nothing is asked of it that would leave the machine.
fn at_qfpay(desk: &Desk) -> Command {
    let mut command = desk.command();
    command.env("QFPAY_ENV", "sandbox").env("QFPAY_APPCODE", "bench").env("QFPAY_KEY", "bench");
    command.env_remove("QFPAY_PACE");
    command
}

/// What any start of this binary costs: loading it and ending it.
async fn version(desk: &Desk) -> Result<Duration, Trouble> {
    let start = Instant::now();
    let mut child = desk.command().arg("--version").stdout(Stdio::null()).spawn()?;
    timeout(PATIENCE, child.wait()).await??;
    Ok(start.elapsed())
}

/// Decimal megabytes, with the decimals that can be trusted.
pub(crate) fn megabytes(bytes: Option<u64>) -> String {
    let Some(bytes) = bytes else { return "not told by this system".to_owned() };
    let tenths = (bytes + 50_000) / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}
