//! A bare HTTP client: it writes a request and reads an answer over a connection that stays open, and
//! does as little else as it can, so that what is measured is the server.
use std::{
    collections::HashMap,
    process::Stdio,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    process::{Child, ChildStderr, Command},
    sync::Semaphore,
    time::timeout,
};

use super::{
    Trouble,
    figures::Rate,
    peer::{INITIALIZE, INITIALIZED, memory_of, worked_by},
};

const PATIENCE: Duration = Duration::from_secs(20);
const BUFFER: usize = 64 * 1024;

/// A server in a child process that tells its address on stderr.
pub(crate) struct Site {
    child: Child,
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
    token: String,
    /// Open as long as the process, which may have more to say.
    _stderr: BufReader<ChildStderr>,
}

/// How requests are written.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// 2026-07-28: each carries everything.
    Modern,
    /// 2025-11-25, in a session.
    Session(String),
}

impl Site {
    pub(crate) async fn start(mut command: Command, token: &str) -> Result<Self, Trouble> {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut stderr = BufReader::new(child.stderr.take().ok_or("the server has no stderr")?);
        let mut line = String::new();
        timeout(PATIENCE, stderr.read_line(&mut line)).await??;
        let address = line.split("http://").nth(1).and_then(|it| it.split(": ").next());
        let address =
            address.ok_or_else(|| format!("the server did not start: {line}"))?.to_owned();
        Ok(Self { child, address, token: token.to_owned(), _stderr: stderr })
    }

    async fn line(&self) -> Result<Line, Trouble> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        Ok(Line { stream: BufReader::with_capacity(BUFFER, stream), body: Vec::new() })
    }

    fn head(&self) -> String {
        let token = &self.token;
        let token = if token.is_empty() {
            String::new()
        } else {
            format!("authorization: Bearer {token}\r\n")
        };
        format!(
            "host: {}\r\n{token}content-type: application/json\r\naccept: application/json, \
             text/event-stream\r\n",
            self.address
        )
    }

    /// A call as it is written; `params` is a JSON object that begins with the tool's name.
    fn request(&self, form: &Form, id: u64, params: &str) -> String {
        let (more, params) = match form {
            Form::Modern => {
                let tool = params.split('"').nth(3).unwrap_or_default();
                let more = format!(
                    "mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: {tool}\r\n"
                );
                let open = params.strip_suffix('}').unwrap_or(params);
                (more, format!("{open},{META}}}"))
            }
            Form::Session(id) => {
                let more = format!("mcp-protocol-version: 2025-11-25\r\nmcp-session-id: {id}\r\n");
                (more, params.to_owned())
            }
        };
        let body =
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{params}}}"#);
        self.post("/mcp", &more, &body)
    }

    fn post(&self, path: &str, more: &str, body: &str) -> String {
        let (head, length) = (self.head(), body.len());
        format!("POST {path} HTTP/1.1\r\n{head}{more}content-length: {length}\r\n\r\n{body}")
    }

    /// Opens a session of 2025-11-25.
    pub(crate) async fn session(&self) -> Result<Form, Trouble> {
        let mut line = self.line().await?;
        let head = line.ask(&self.post("/mcp", "", &initialize())).await?;
        let id = head.lines().find_map(|it| it.strip_prefix("mcp-session-id: "));
        Ok(Form::Session(id.ok_or_else(|| format!("no session came: {head}"))?.to_owned()))
    }

    /// Asks the same for `span`, over `in_flight` connections, each as soon as its answer came.
    pub(crate) async fn rate(
        &self,
        form: &Form,
        span: Duration,
        in_flight: usize,
        params: impl Fn(u64) -> String,
    ) -> Result<Rate, Trouble> {
        let mut lines = Vec::new();
        for _ in 0..in_flight {
            lines.push(self.line().await?);
        }
        let (start, worked) = (Instant::now(), self.worked());
        let params = &params;
        let asking = lines.into_iter().enumerate().map(|(at, mut line)| async move {
            let (mut took, mut id) = (Vec::new(), u64::try_from(at)? << 40);
            while start.elapsed() < span {
                id += 1;
                let request = self.request(form, id, &params(id));
                let before = Instant::now();
                line.ask(&request).await?;
                line.check()?;
                took.push(before.elapsed());
            }
            Ok::<_, Trouble>(took)
        });
        let took = futures::future::try_join_all(asking).await?.concat();
        let work = self.worked().zip(worked).map(|(after, before)| after.saturating_sub(before));
        Ok(Rate::new(took, start.elapsed(), work))
    }

    /// The same over HTTP+SSE: requests leave over `in_flight` connections, answers come over one.
    pub(crate) async fn sse_rate(
        &self,
        span: Duration,
        in_flight: usize,
        params: &str,
    ) -> Result<Rate, Trouble> {
        let mut stream = self.line().await?;
        stream.write(&format!("GET /sse HTTP/1.1\r\n{}\r\n", self.head())).await?;
        stream.head().await?;
        let path = stream.event().await?;
        let mut opening = self.line().await?;
        opening.ask(&self.post(&path, "", &initialize())).await?;
        stream.event().await?;
        opening.ask(&self.post(&path, "", INITIALIZED)).await?;
        let sent: Mutex<HashMap<u64, Instant>> = Mutex::default();
        let (next, may_ask) = (AtomicU64::new(1), Semaphore::new(in_flight));
        let mut lines = Vec::new();
        for _ in 0..in_flight {
            lines.push(self.line().await?);
        }
        let (start, worked) = (Instant::now(), self.worked());
        let (sent, next, may_ask, path) = (&sent, &next, &may_ask, &path);
        let asking = lines.into_iter().map(|mut line| async move {
            while let Ok(permit) = may_ask.acquire().await {
                permit.forget();
                let id = next.fetch_add(1, Ordering::Relaxed);
                let body = format!(
                    r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{params}}}"#
                );
                sent.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Instant::now());
                line.ask(&self.post(path, "", &body)).await?;
            }
            Ok::<_, Trouble>(())
        });
        let hearing = async {
            let mut took = Vec::new();
            loop {
                let event = stream.event().await?;
                let id = event.split("\"id\":").nth(1).and_then(|it| it.split(',').next());
                let id: u64 = id.ok_or("an event without an id")?.parse()?;
                if event.contains("\"isError\":true") {
                    return Err::<_, Trouble>(event.into());
                }
                let left = {
                    let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
                    took.extend(sent.remove(&id).map(|it| it.elapsed()));
                    sent.len()
                };
                if start.elapsed() < span {
                    may_ask.add_permits(1);
                } else if left == 0 {
                    may_ask.close();
                    return Ok(took);
                }
            }
        };
        let (took, _) =
            futures::future::try_join(hearing, futures::future::try_join_all(asking)).await?;
        let work = self.worked().zip(worked).map(|(after, before)| after.saturating_sub(before));
        Ok(Rate::new(took, start.elapsed(), work))
    }

    /// What the process holds of the machine's memory, in bytes, where the system tells.
    pub(crate) fn memory(&self) -> Option<u64> {
        memory_of(self.child.id()?)
    }

    fn worked(&self) -> Option<Duration> {
        worked_by(self.child.id()?)
    }
}

/// One connection.
struct Line {
    stream: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Line {
    async fn write(&mut self, request: &str) -> Result<(), Trouble> {
        Ok(self.stream.get_mut().write_all(request.as_bytes()).await?)
    }

    /// Sends a request and reads its whole answer, of which this is the head.
    async fn ask(&mut self, request: &str) -> Result<String, Trouble> {
        self.write(request).await?;
        let head = timeout(PATIENCE, self.head()).await??;
        self.body.clear();
        if head.contains("transfer-encoding: chunked") {
            while self.chunk().await? {}
        } else {
            let length = head.lines().find_map(|it| it.strip_prefix("content-length: "));
            self.read(length.map_or(Ok(0), str::parse)?).await?;
        }
        if head.starts_with("HTTP/1.1 20") { Ok(head) } else { Err(head.into()) }
    }

    /// Reads so many more bytes of the body.
    async fn read(&mut self, length: usize) -> Result<(), Trouble> {
        let before = self.body.len();
        self.body.resize(before + length, 0);
        let rest = self.body.get_mut(before..).unwrap_or_default();
        self.stream.read_exact(rest).await?;
        Ok(())
    }

    /// Reads the next chunk; whether it was not the last.
    async fn chunk(&mut self) -> Result<bool, Trouble> {
        let mut line = String::new();
        self.stream.read_line(&mut line).await?;
        let length = usize::from_str_radix(line.trim(), 16)?;
        self.read(length).await?;
        line.clear();
        self.stream.read_line(&mut line).await?;
        Ok(length > 0)
    }

    async fn head(&mut self) -> Result<String, Trouble> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head).await? == 0 {
                return Err("the connection ended".into());
            }
        }
        Ok(head)
    }

    /// The data of the next event of a stream, in which lengths of chunks and blank lines are skipped.
    async fn event(&mut self) -> Result<String, Trouble> {
        loop {
            let mut line = String::new();
            if timeout(PATIENCE, self.stream.read_line(&mut line)).await?? == 0 {
                return Err("the stream ended".into());
            }
            if let Some(data) = line.strip_prefix("data: ") {
                return Ok(data.trim_end().to_owned());
            }
        }
    }

    /// The answer must tell of success.
    fn check(&self) -> Result<(), Trouble> {
        let text = std::str::from_utf8(&self.body)?;
        let failed = text.contains("\"isError\":true") || text.contains("\"error\":{");
        if failed { Err(text.into()) } else { Ok(()) }
    }
}

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"}}"#;

fn initialize() -> String {
    format!(r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{INITIALIZE}}}"#)
}
