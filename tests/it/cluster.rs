//! A throw-away PostgreSQL cluster for tests and benchmarks, which vanishes with its process.
//!
//! Three programs include this file by its path, one of them no test: it uses no `crate::` path and
//! nothing that only tests may do. The server refuses to run as root; for root it runs as
//! `postgres`, else `nobody`. A watchdog outlives this process, however that ends, stops the server
//! and removes its folder.
use std::{
    env, fmt, fs,
    io::{self, BufRead as _, BufReader, Write as _},
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio, id},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::UNIX_EPOCH,
};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// Names a database to use instead of a cluster of our own; schemas of tests stay behind in it.
const GIVEN: &str = "QFPAY_TEST_POSTGRES_URL";
/// Where Debian keeps the programs, below a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// For every cluster: reached over loopback only, so that no path is too long for a socket.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
synchronous_commit = on
";
/// For tests: what is committed survives the server's crash, not the machine's.
const FAST: &str = "
fsync = off
full_page_writes = off
";

/// Does what its input says, a word a line, and answers with the exit code. Its input ends with the
/// process that holds the other end of the pipe, and is looked at only between two commands: so
/// nothing that was just starting is left behind. Nobody may be there to hear an answer (PIPE).
const WATCHDOG: &str = r#"
trap '' HUP INT PIPE TERM
bin=$1 folder=$2
export PGDATA=$folder/data
order() {
    case $1 in
    create) "$bin/initdb" -A trust -U qfpay -E UTF8 --locale=C --no-sync ;;
    start) "$bin/pg_ctl" start -w -t 60 -l "$folder/log" ;;
    stop) "$bin/pg_ctl" stop -w -m immediate ;;
    esac
}
while read -r word; do
    order "$word" </dev/null >>"$folder/log" 2>&1
    echo $?
done
order stop </dev/null >/dev/null 2>&1
rm -rf "$folder"
"#;

/// A PostgreSQL to test against.
pub(crate) struct Postgres {
    url: String,
    /// None where the database was given.
    cluster: Option<Cluster>,
}

/// What is behind one: a folder, and the watchdog that does everything in it.
struct Cluster {
    folder: PathBuf,
    watchdog: Child,
    answers: BufReader<ChildStdout>,
}

/// PostgreSQL's programs, and whom they run as.
struct Programs {
    bin: PathBuf,
    /// Another user and group than ours, where we are root.
    user: Option<(u32, u32)>,
}

/// Why there is no PostgreSQL to test against.
#[derive(Debug)]
pub(crate) enum Why {
    /// This machine has none.
    Absent,
    Failed(String),
}

impl Postgres {
    /// The one of this process, started when it is first asked for.
    pub(crate) fn shared() -> Result<&'static Self, &'static Why> {
        static SHARED: OnceLock<Result<Postgres, Why>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| match env::var_os(GIVEN) {
            Some(url) => Ok(Self { url: url.to_string_lossy().into_owned(), cluster: None }),
            None => Self::start(false),
        });
        shared.as_ref()
    }

    /// The one of this process, for a test that does without where there is none: it returns then.
    /// In CI it fails instead, and everywhere where there is one that does not start.
    pub(crate) fn or_skip() -> Option<&'static Self> {
        let why = match Self::shared() {
            Ok(postgres) => return Some(postgres),
            Err(why) => why,
        };
        let may_skip = matches!(why, Why::Absent) && env::var_os("CI").is_none();
        assert!(may_skip, "{why}");
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("a test");
        // Not `eprintln!`, which is shown only where a test fails.
        let _ = writeln!(io::stderr(), "skipped: {test}: {why}");
        None
    }

    /// A cluster of one's own, that can be stopped. `durable` makes it sync what is committed, on a
    /// disk; the system's temporary folder may be memory.
    pub(crate) fn start(durable: bool) -> Result<Self, Why> {
        let mut cluster = Cluster::new(&Programs::find()?, durable)?;
        // A free port can be taken by another before the server has it.
        let port = cluster.listen().or_else(|_| cluster.listen()).or_else(|_| cluster.listen())?;
        let url = format!("postgres://qfpay@127.0.0.1:{port}/postgres");
        Ok(Self { url, cluster: Some(cluster) })
    }

    /// Stops it as a crash would and starts it again at the same address.
    pub(crate) fn restart(&mut self) -> Result<(), Why> {
        self.stop()?;
        self.start_again()
    }

    /// Stops it as a crash would: nothing is finished, no goodbye is said.
    pub(crate) fn stop(&mut self) -> Result<(), Why> {
        self.order("stop")
    }

    pub(crate) fn start_again(&mut self) -> Result<(), Why> {
        self.order("start")
    }

    fn order(&mut self, word: &str) -> Result<(), Why> {
        let given = || Why::Failed(format!("{GIVEN} is not ours to stop"));
        self.cluster.as_mut().ok_or_else(given)?.order(word)
    }

    /// Its address, with a database that has nothing in it at first.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The address of a new, empty schema, which others do not see.
    pub(crate) async fn fresh(&self) -> Result<String, Why> {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        // A given database may have been used before, by a process with our number.
        let now = UNIX_EPOCH.elapsed().map_or(0, |it| it.as_millis());
        let schema = format!("t{}_{}_{now}", COUNT.fetch_add(1, Ordering::Relaxed), id());
        let mut connection = PgConnection::connect(&self.url).await?;
        connection.execute(AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).await?;
        connection.close().await?;
        let separator = if self.url.contains('?') { '&' } else { '?' };
        Ok(format!("{}{separator}options=-c%20search_path%3D{schema}", self.url))
    }
}

impl Cluster {
    fn new(programs: &Programs, durable: bool) -> Result<Self, Why> {
        let (on_disk, temporary) = (PathBuf::from("/var/tmp"), env::temp_dir());
        let place = if durable && on_disk.is_dir() { on_disk } else { temporary };
        let folder = tempfile::Builder::new().prefix("qfpay-postgres-").tempdir_in(place)?;
        if let Some((uid, gid)) = programs.user {
            chown(folder.path(), Some(uid), Some(gid))?;
        }
        let mut watchdog = programs.watch(folder.path())?;
        let answers = watchdog.stdout.take().ok_or_else(silent)?;
        let folder = folder.keep();
        let mut cluster = Self { folder, watchdog, answers: BufReader::new(answers) };
        cluster.order("create")?;
        cluster.configure(SETTINGS)?;
        if !durable {
            cluster.configure(FAST)?;
        }
        Ok(cluster)
    }

    /// Starts the server on a free port.
    fn listen(&mut self) -> Result<u16, Why> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        // Of a setting that stands there twice, the last counts.
        self.configure(&format!("port = {port}\n"))?;
        self.order("start")?;
        Ok(port)
    }

    fn configure(&self, settings: &str) -> io::Result<()> {
        let file = self.folder.join("data/postgresql.conf");
        fs::OpenOptions::new().append(true).open(file)?.write_all(settings.as_bytes())
    }

    /// Has the watchdog do something, and waits until it is done.
    fn order(&mut self, word: &str) -> Result<(), Why> {
        writeln!(self.watchdog.stdin.as_ref().ok_or_else(silent)?, "{word}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        if answer.trim() == "0" {
            return Ok(());
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        Err(Why::Failed(format!("{word} ended with `{}`\n{log}", answer.trim())))
    }
}

fn silent() -> Why {
    Why::Failed("the watchdog has no pipe".to_owned())
}

/// The end of its input makes the watchdog clean up.
impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

impl Programs {
    /// Those in `PATH`, else the newest of Debian's.
    fn find() -> Result<Self, Why> {
        let path = env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
        let versions = fs::read_dir(DEBIAN).into_iter().flatten().filter_map(Result::ok);
        let mut versions: Vec<(u32, PathBuf)> = versions
            .filter_map(|it| Some((it.file_name().to_str()?.parse().ok()?, it.path().join("bin"))))
            .collect();
        versions.sort_unstable();
        folders.extend(versions.into_iter().rev().map(|(_, bin)| bin));
        let whole = |bin: &PathBuf| {
            ["initdb", "pg_ctl", "postgres"].iter().all(|it| bin.join(it).is_file())
        };
        let bin = folders.into_iter().find(whole).ok_or(Why::Absent)?;
        // Where there is no /proc, nobody runs tests as root.
        let root = fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0);
        Ok(Self { bin, user: if root { Some(somebody()?) } else { None } })
    }

    /// Starts the watchdog, with none of our settings (`PG…` above all), and out of reach of a
    /// Ctrl-C that is meant for the tests.
    fn watch(&self, folder: &Path) -> io::Result<Child> {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", WATCHDOG, "watchdog"])
            .args([&self.bin, folder])
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0);
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command.spawn()
    }
}

/// The user and group that the server runs as instead of root.
fn somebody() -> Result<(u32, u32), Why> {
    let users = fs::read_to_string("/etc/passwd")?;
    let ids = |name: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let named = fields.next() == Some(name);
            let (uid, gid) = (fields.nth(1)?, fields.next()?);
            Some((uid.parse().ok()?, gid.parse().ok()?)).filter(|_| named)
        })
    };
    let nobody = || Why::Failed("/etc/passwd has no user `postgres` nor `nobody`".to_owned());
    ids("postgres").or_else(|| ids("nobody")).ok_or_else(nobody)
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => {
                write!(f, "no PostgreSQL (install Debian's postgresql, or set {GIVEN})")
            }
            Self::Failed(why) => write!(f, "PostgreSQL failed: {why}"),
        }
    }
}

impl std::error::Error for Why {}

impl From<io::Error> for Why {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<sqlx::Error> for Why {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
