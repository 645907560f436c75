//! A bare JSON-RPC client over a child's pipes: it writes lines and matches ids, and does as little
//! else as it can, so that what is measured is the server.
use std::{
    collections::HashMap,
    process::Stdio,
    time::{Duration, Instant},
};

use serde::{Deserialize, de::IgnoredAny};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use super::{Trouble, figures::Rate};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// What is read at once. Answers have some kilobytes.
const BUFFER: usize = 256 * 1024;

/// In which Linux counts the time of processes, on every architecture we build for.
const TICK: Duration = Duration::from_millis(10);

pub(crate) const INITIALIZE: &str = r#"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}"#;
pub(crate) const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// A server in a child process, and the client's end of its pipes.
pub(crate) struct Peer {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    line: Vec<u8>,
    next_id: u64,
}

/// What is read of an answer; the rest is skipped.
#[derive(Deserialize)]
struct Answer {
    id: Option<u64>,
    error: Option<IgnoredAny>,
    result: Option<Outcome>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Outcome {
    is_error: bool,
    structured_content: Option<Content>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Content {
    /// Of a payment.
    status: Option<String>,
}

impl Peer {
    pub(crate) fn start(mut command: Command) -> Result<Self, Trouble> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let to = child.stdin.take().ok_or("the server has no stdin")?;
        let from = child.stdout.take().ok_or("the server has no stdout")?;
        let from = BufReader::with_capacity(BUFFER, from);
        Ok(Self { child, to, from, line: Vec::new(), next_id: 1 })
    }

    /// Opens the conversation.
    pub(crate) async fn open(&mut self) -> Result<(), Trouble> {
        self.ask("initialize", INITIALIZE).await?;
        Ok(self.to.write_all(format!("{INITIALIZED}\n").as_bytes()).await?)
    }

    /// Asks one thing; how many bytes the answer has.
    pub(crate) async fn ask(&mut self, method: &str, params: &str) -> Result<usize, Trouble> {
        let request = self.request(method, params);
        self.to.write_all(request.as_bytes()).await?;
        self.answer().await?;
        Ok(self.line.len())
    }

    /// Asks the same, with what `params` makes of the id, for `span`: as soon as an answer comes
    /// the next request leaves, so that `in_flight` are on their way all the time.
    pub(crate) async fn rate(
        &mut self,
        span: Duration,
        in_flight: usize,
        method: &str,
        params: impl Fn(u64) -> String,
    ) -> Result<Rate, Trouble> {
        let (start, worked) = (Instant::now(), self.worked());
        let (mut sent, mut latencies) = (HashMap::new(), Vec::new());
        let mut requests = String::new();
        let mut wanted = in_flight;
        loop {
            // What was answered together is asked again together: one write.
            requests.clear();
            for _ in 0..wanted {
                let id = self.next_id;
                requests.push_str(&self.request(method, &params(id)));
                sent.insert(id, Instant::now());
            }
            self.to.write_all(requests.as_bytes()).await?;
            wanted = 0;
            while !sent.is_empty() {
                let id = self.answer().await?;
                let asked = sent.remove(&id).ok_or("an answer to nothing came")?;
                latencies.push(asked.elapsed());
                wanted += usize::from(start.elapsed() < span);
                if !self.from.buffer().contains(&b'\n') {
                    break;
                }
            }
            if sent.is_empty() && wanted == 0 {
                let whole = start.elapsed();
                let work =
                    self.worked().zip(worked).map(|(after, before)| after.saturating_sub(before));
                return Ok(Rate::new(latencies, whole, work));
            }
        }
    }

    fn request(&mut self, method: &str, params: &str) -> String {
        let id = self.next_id;
        self.next_id += 1;
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#) + "\n"
    }

    /// The id of the next answer, which must tell of success.
    async fn answer(&mut self) -> Result<u64, Trouble> {
        loop {
            self.line.clear();
            let read = timeout(PATIENCE, self.from.read_until(b'\n', &mut self.line));
            if read.await.map_err(|_| format!("no answer came within {PATIENCE:?}"))?? == 0 {
                return Err("the server ended".into());
            }
            let answer: Answer = serde_json::from_slice(&self.line)?;
            let Some(id) = answer.id else { continue };
            let failed = answer.error.is_some()
                || answer.result.is_some_and(|it| it.is_error || it.is_not_pending());
            if failed {
                return Err(String::from_utf8_lossy(&self.line).into());
            }
            return Ok(id);
        }
    }

    /// What the process holds of the machine's memory, in bytes, where the system tells.
    pub(crate) fn memory(&self) -> Option<u64> {
        memory_of(self.child.id()?)
    }

    fn worked(&self) -> Option<Duration> {
        worked_by(self.child.id()?)
    }

    /// Hangs up and waits until the process is gone.
    pub(crate) async fn end(mut self) -> Result<(), Trouble> {
        drop(self.to);
        timeout(PATIENCE, self.child.wait()).await??;
        Ok(())
    }
}

impl Outcome {
    /// Whether it tells of a payment that did not come about as it should.
    fn is_not_pending(&self) -> bool {
        let status = self.structured_content.as_ref().and_then(|it| it.status.as_deref());
        status.is_some_and(|it| it != "pending")
    }
}

/// What a process holds of the machine's memory, in bytes, where the system tells.
pub(crate) fn memory_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// What the processors worked for a process so far, where the system tells.
pub(crate) fn worked_by(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Behind the name, which may hold anything: utime and stime are the 14th and 15th of all.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    Some(TICK * u32::try_from(ticks.sum::<Result<u64, _>>().ok()?).ok()?)
}
