//! A folder with its processes: the server under measurement and the simulator beside it. It knows
//! how they are started, not what is asked of them.
use std::{path::Path, process::Stdio, time::Duration};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStderr, Command},
    time::timeout,
};

use super::Trouble;

/// How long the simulator may take to listen.
const READY: Duration = Duration::from_secs(10);

/// A state directory on the disk that the build is on: the system's temporary folder may be memory,
/// where nothing is ever synced.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    pub(crate) fn new() -> Result<Self, Trouble> {
        Ok(Self { folder: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))? })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The binary on this desk, with no settings of the machine's, in the simulator's environment,
    /// without a pace.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qfpay-mcp"));
        command
            .env_clear()
            .env("HOME", self.path())
            .env("QFPAY_STATE_DIR", self.path())
            .env("QFPAY_ENV", "simulator")
            .env("QFPAY_PACE", "off")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }
}

impl Desk {
    /// A token that may do everything; the server of [`Self::http`] takes it.
    pub(crate) async fn token(&self) -> Result<String, Trouble> {
        let mut command = self.command();
        command.args(["token", "new", "bench", "--scope", "qfpay:read,qfpay:pay,qfpay:refund"]);
        let made = command.output().await?;
        tokio::fs::write(self.path().join("tokens"), &made.stdout).await?;
        let told = String::from_utf8(made.stderr)?;
        let word = told.lines().find(|it| it.starts_with("qfmcp_"));
        Ok(word.ok_or("no token was made")?.to_owned())
    }

    /// The server over HTTP, with tokens.
    pub(crate) fn http(&self, ledger: Option<&str>) -> Command {
        let mut command = self.command();
        command.args(["http", "--bind", "127.0.0.1:0"]);
        command.env("QFPAY_TOKENS_FILE", self.path().join("tokens"));
        if let Some(url) = ledger {
            command.env("QFPAY_LEDGER", url);
        }
        command
    }
}

/// A simulator alone, in a process of its own; it ends when this is dropped.
pub(crate) struct Simulator {
    pub(crate) url: String,
    _child: Child,
    /// Open as long as the process, which may have more to say.
    _stderr: BufReader<ChildStderr>,
}

impl Simulator {
    /// Starts one on a free port, with its book on `desk`, and waits until it listens.
    pub(crate) async fn start(desk: &Desk) -> Result<Self, Trouble> {
        let mut child = desk
            .command()
            .args(["simulator", "--bind", "127.0.0.1:0", "--book"])
            .arg(desk.path().join("book.db"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stderr = BufReader::new(child.stderr.take().ok_or("the simulator has no stderr")?);
        let mut line = String::new();
        timeout(READY, stderr.read_line(&mut line)).await??;
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.ok_or_else(|| format!("the simulator did not start: {line}"))?.to_owned();
        Ok(Self { url, _child: child, _stderr: stderr })
    }
}
