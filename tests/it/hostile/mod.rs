//! Attacks on the HTTP server, while honest clients work: whatever is sent, they are served, memory
//! stays bounded, and what was taken is free again afterwards.
//!
//! An attack is a function named after the rule that it tries to break, and stands in the table of
//! its file; each gets a server of its own, one at a time. What is printed of each:
//! how often it tried, what the server answered, its memory, and how the honest clients fared.
mod bodies;
mod held;
mod honest;
mod names;
mod notices;
mod slow;
mod streams;
mod tokens;
mod wire;

use std::{
    any::type_name,
    collections::{BTreeMap, HashMap},
    fmt,
    io::{self, Write as _},
    net::SocketAddr,
    process::Stdio,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use qfpay_mcp::{mcp::Scopes, transport::NewToken};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    sync::{Semaphore, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use self::honest::{Honest, Served, Way};
use crate::harness::{Desk, soon};

/// What no attack may bring the server's memory to.
const MOST_MIB: u64 = 400;
/// The address of the public; a proxy hands on what is below its path.
const PUBLIC: &str = "https://pay.example.com/qfpay";
/// The token of whoever attacks, and of a second one.
const MALLORY: &str = "mallory";
const EVE: &str = "eve";
/// Who reads the figures.
const WATCHER: &str = "watcher";

/// The tests of a file's attacks.
macro_rules! attacks {
    ($($rule:ident,)*) => {
        mod attack {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    $crate::hostile::Target::attacked("127.0.0.1:0", None, super::$rule).await;
                }
            )*
        }
    };
}
use attacks;

/// Two at once would spoil each other's figures.
static TURN: Semaphore = Semaphore::const_new(1);

/// What became of the attempts: how many ended in which status, or otherwise.
#[derive(Debug, Default)]
struct Tally(BTreeMap<String, usize>);

impl Tally {
    fn count(&mut self, ended: impl Into<String>) {
        self.add(ended, 1);
    }

    fn add(&mut self, ended: impl Into<String>, times: usize) {
        if times > 0 {
            *self.0.entry(ended.into()).or_default() += times;
        }
    }

    fn of(&self, ended: &str) -> usize {
        self.0.get(ended).copied().unwrap_or_default()
    }

    fn all(&self) -> usize {
        self.0.values().sum()
    }

    /// Fails if an attempt ended otherwise.
    fn only(self, allowed: &[&str]) -> Self {
        assert!(
            self.0.keys().all(|it| allowed.contains(&it.as_str())),
            "not only {allowed:?}: {self}"
        );
        self
    }
}

impl<T: Into<String>> Extend<T> for Tally {
    fn extend<I: IntoIterator<Item = T>>(&mut self, all: I) {
        for ended in all {
            self.count(ended);
        }
    }
}

impl<T: Into<String>> FromIterator<T> for Tally {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Self {
        let mut tally = Self::default();
        tally.extend(all);
        tally
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each: Vec<String> = self.0.iter().map(|(it, times)| format!("{it} x{times}")).collect();
        write!(f, "{} tried: {}", self.all(), each.join(", "))
    }
}

/// A server under attack, and the honest clients that it has at the time.
struct Target {
    desk: Desk,
    child: Child,
    address: SocketAddr,
    /// The secret word of each name.
    words: HashMap<&'static str, String>,
    http: reqwest::Client,
    /// How many rounds each honest client was served.
    rounds: Vec<watch::Receiver<usize>>,
    /// Sessions that an attack leaves because it cannot end them.
    left: AtomicUsize,
}

impl Target {
    /// Has `attack` done to a server on `bind` while honest clients work, and prints the figures.
    async fn attacked<F: AsyncFnOnce(&Self) -> Tally>(bind: &str, files: Option<u32>, attack: F) {
        let _turn = TURN.acquire().await.unwrap();
        let start = Instant::now();
        let mut this = Self::start(bind, files).await;
        let (mut served, over) = (JoinSet::new(), CancellationToken::new());
        for way in [Way::Modern, Way::Session, Way::Sse] {
            let (count, counted) = watch::channel(0);
            this.rounds.push(counted);
            let client = Honest::open(way, this.address, &this.words[way.name()]).await;
            served.spawn(client.work(count, over.clone()));
        }
        this.honest_are_served().await;
        let (_, before) = this.memory();
        let tally = attack(&this).await;
        this.honest_are_served().await;
        let (rss, after) = this.memory();
        over.cancel();
        let served: Vec<Served> = served.join_all().await;
        soon("all sessions are free again", this.free()).await;
        let rule = type_name::<F>().rsplit("::").next().unwrap_or_default();
        let calls: usize = served.iter().map(|it| it.calls).sum();
        let slowest = served.iter().map(|it| it.slowest).max().unwrap_or_default();
        say(format_args!(
            "hostile: {rule}: {tally}; peak {before} -> {after} MiB, then {rss}; {calls} honest calls \
             served, the slowest in {:.2} s; {:.1} s",
            slowest.as_secs_f32(),
            start.elapsed().as_secs_f32()
        ));
        assert!(after < MOST_MIB, "{rule}: {after} MiB");
    }

    /// A server on `bind`, which may have so many files open.
    async fn start(bind: &str, most: Option<u32>) -> Self {
        let desk = Desk::new();
        files();
        let names =
            [Way::Modern.name(), Way::Session.name(), Way::Sse.name(), MALLORY, EVE, WATCHER];
        let made: Vec<(&str, NewToken)> = names
            .into_iter()
            .map(|name| (name, NewToken::new(name, Scopes::ALL, None, None).unwrap()))
            .collect();
        let lines: Vec<&str> = made.iter().map(|(_, it)| it.line.as_str()).collect();
        std::fs::write(desk.path().join("tokens"), lines.join("\n")).unwrap();
        let mut command = desk.command();
        command
            .args(["http", "--bind", bind])
            .env("QFPAY_TOKENS_FILE", desk.path().join("tokens"))
            .env("QFPAY_OPERATORS_FILE", crate::approve::operators(&desk).await)
            .env("QFPAY_PUBLIC_URL", PUBLIC)
            .env("QFPAY_ALLOWED_ORIGINS", "https://app.example.com")
            .env("QFPAY_TRUSTED_PROXIES", "192.0.2.7")
            // Nothing is paid and nothing is asked, but for what an attack brings about.
            .env("QFPAY_SIMULATOR_PAYER_SECONDS", "never")
            .env("QFPAY_RECOVERY_SECONDS", "off")
            .stderr(Stdio::piped());
        if let Some(most) = most {
            command = with_files(most, command.as_std());
        }
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready = lines.next_line().await.unwrap().unwrap();
        let address = ready.split("http://").nth(1).unwrap().split(": ").next().unwrap();
        let address: SocketAddr = address.parse().unwrap();
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let words = made.into_iter().map(|(name, it)| (name, it.word)).collect();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], address.port()));
        Self { desk, child, address, words, http, rounds: Vec::new(), left: AtomicUsize::new(0) }
    }

    /// Returns when each honest client was served a whole round that began after this did.
    async fn honest_are_served(&self) {
        for rounds in &self.rounds {
            let mut rounds = rounds.clone();
            let wanted = *rounds.borrow() + 2;
            let served = rounds.wait_for(|it| *it >= wanted);
            soon("honest clients are served", served).await.unwrap();
        }
    }

    /// What the process holds, and the most that it ever held, in MiB.
    fn memory(&self) -> (u64, u64) {
        let pid = self.child.id().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let kib = |name: &str| {
            let line = status.lines().find_map(|it| it.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
        };
        (kib("VmRSS:") / 1024, kib("VmHWM:") / 1024)
    }

    /// Waits until nobody has a session any more, but for those that cannot be ended.
    async fn free(&self) {
        let left = self.left.load(Ordering::Relaxed);
        while self.sessions().await != (left, 0) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// How many sessions there are, of streamable HTTP and of HTTP+SSE.
    async fn sessions(&self) -> (usize, usize) {
        let asked = self.http.get(format!("http://{}/metrics", self.address));
        let answer = asked.bearer_auth(&self.words[WATCHER]).send().await.unwrap();
        let figures = answer.text().await.unwrap();
        let of = |transport: &str| {
            let name = format!("qfpay_mcp_sessions{{transport=\"{transport}\"}} ");
            let figure = figures.lines().find_map(|it| it.strip_prefix(name.as_str()));
            figure.unwrap_or_else(|| panic!("{figures}")).parse().unwrap()
        };
        (of("http"), of("sse"))
    }

    /// A POST of a message, as `who`.
    fn post(
        &self,
        who: &str,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::RequestBuilder {
        self.http
            .post(format!("http://{}{path}", self.address))
            .bearer_auth(&self.words[who])
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(body)
    }

    /// A call as a client of 2026-07-28 sends it.
    fn call(&self, who: &str, tool: &str, arguments: &Value) -> reqwest::RequestBuilder {
        self.raw_call(who, tool, honest::modern(tool, arguments).to_string())
    }

    fn raw_call(
        &self,
        who: &str,
        tool: &str,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::RequestBuilder {
        self.post(who, "/mcp", body)
            .header("mcp-protocol-version", honest::MODERN)
            .header("mcp-method", "tools/call")
            .header("mcp-name", tool)
    }

    /// Opens a session of streamable HTTP; its id, or the status.
    async fn open(&self, who: &str) -> Result<String, u16> {
        let hello = honest::initialize("2025-11-25").to_string();
        let answer = self.post(who, "/mcp", hello).send().await.unwrap();
        let session = answer.headers().get("mcp-session-id").cloned();
        let status = answer.status().as_u16();
        answer.bytes().await.unwrap();
        session.map(|it| it.to_str().unwrap().to_owned()).ok_or(status)
    }

    /// Ends a session; the status.
    async fn end(&self, who: &str, session: &str) -> u16 {
        let ended = self
            .http
            .delete(format!("http://{}/mcp", self.address))
            .bearer_auth(&self.words[who])
            .header("mcp-session-id", session);
        ended.send().await.unwrap().status().as_u16()
    }
}

/// The same command, started with so many files at most.
fn with_files(most: u32, command: &std::process::Command) -> Command {
    let mut limited = Command::new("/bin/sh");
    limited
        .args(["-c", "ulimit -n $0 && exec \"$@\"", &most.to_string()])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .kill_on_drop(true)
        .stderr(Stdio::piped());
    limited
}

/// The status of an answer, or that there was none.
fn status(answer: &reqwest::Result<reqwest::Response>) -> String {
    match answer {
        Ok(answer) => answer.status().as_u16().to_string(),
        Err(_) => "cut".to_owned(),
    }
}

fn payment(number: &str) -> Value {
    json!({"amount": 1050, "currency": "HKD", "pay_type": "800201", "out_trade_no": number})
}

/// Not `eprintln!`, which is shown only where a test fails.
fn say(what: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{what}");
}

/// Lets this process, and those that it starts, open as many files as the system allows; how many.
fn files() -> u64 {
    static FILES: OnceLock<u64> = OnceLock::new();
    *FILES.get_or_init(|| {
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
        most
    })
}

/// So many connections as are wanted, or as there can be.
fn connections(wanted: usize) -> usize {
    let room = usize::try_from(files()).unwrap_or(usize::MAX) / 2;
    if room < wanted {
        say(format_args!("hostile: only {room} connections, by `ulimit -n`"));
    }
    wanted.min(room)
}
