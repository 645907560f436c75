//! A QFPay that is not there: its wire, signed and checked, over HTTP on loopback.
//!
//! It takes payments, refunds, cancellations and enquiries as contract §1 to §6 tells, keeps them
//! in a book of its own and plays the payer. It knows nothing of our client's request code, of the
//! ledger or of MCP, so that it can catch their mistakes; it can serve any QFPay integration.
//!
//! What is ours and not QFPay's: the payer (`payer`), the amounts that trigger an answer
//! (`triggers`), the faults (`faults`), the pages (`page`, and how the checkout page looks:
//! `checkstand`) and the built-in credentials.
mod book;
mod cancel;
mod check;
mod checkout;
mod checkstand;
mod entry;
mod faults;
mod limits;
mod notify;
mod page;
mod payer;
mod payment;
mod query;
mod refund;
mod reply;
mod routes;
mod serve;
mod triggers;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use secrecy::SecretString;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use self::{
    book::BookError,
    entry::{Entry, Kind, read_book},
    faults::{Fault, Faults, FaultsError, Gate, When},
    limits::Limits,
    page::is_built_in,
    payer::{Act, Payer},
};
use self::{
    book::{Book, Filter, Trade},
    faults::Mishaps,
    limits::Limiter,
};
use crate::{
    clock::{Clock, SystemClock},
    domain::time,
    spec::endpoints::Endpoint,
};

/// The built-in app code, of an account without `mchid`.
pub const APP_CODE: &str = "simulator-app";
/// The key of [`APP_CODE`]. It is no secret.
pub const KEY: &str = "simulator-key-that-is-no-secret";

/// How long the virtual payer of [`Settings::new`] takes.
const PAYS_AFTER: Duration = Duration::from_secs(3);
/// How long [`Simulator::stop`] lets open connections finish.
const STOP: Duration = Duration::from_secs(2);

/// How a simulator behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens: a loopback address; port 0 is any free one.
    pub bind: SocketAddr,
    /// The file of its book, made if there is none.
    pub book: PathBuf,
    pub app_code: String,
    pub key: SecretString,
    /// The merchant's number, if the account has one; then every call must send it.
    pub mchid: Option<String>,
    /// None: any number of requests.
    pub limits: Option<Limits>,
    pub payer: Payer,
    pub duplicate: Duplicate,
    /// Whether refunds are refused (1265) from 23:30 to 00:30 in Hong Kong, as QFPay does. Off
    /// unless asked for: the money here is simulated, and a demonstration at night should not
    /// fail for a rule about the settlement of real money.
    pub refund_blackout: bool,
    /// What goes wrong on purpose, and how often; none: only what is scripted.
    pub faults: Option<Faults>,
    pub clock: Arc<dyn Clock>,
}

/// What is answered to a number that was used before. QFPay does one or another of these
/// (contract §4.4, §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicate {
    /// 1251, whose text alone tells that the number was used.
    #[default]
    Text1251,
    Code1102,
    Code2011,
    /// The answer that the first call got.
    Echo,
}

impl Settings {
    /// The built-in account with its book at `book`, on any free port, at QFPay's limits; orders
    /// are paid after three seconds.
    pub fn new(book: PathBuf) -> Self {
        Self {
            bind: (Ipv4Addr::LOCALHOST, 0).into(),
            book,
            app_code: APP_CODE.to_owned(),
            key: KEY.into(),
            mchid: None,
            limits: Some(Limits::default()),
            payer: Payer::Pays { after: PAYS_AFTER },
            duplicate: Duplicate::default(),
            refund_blackout: false,
            faults: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// Whose trades they are, in the book.
    fn merchant(&self) -> String {
        match &self.mchid {
            Some(mchid) => format!("{}/{mchid}", self.app_code),
            None => self.app_code.clone(),
        }
    }
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the simulator listens on loopback only, not on {0}; use 127.0.0.1 or [::1]")]
    NotLoopback(SocketAddr),
    #[error("the simulator could not listen on {addr}: {source}")]
    Bind { addr: SocketAddr, source: std::io::Error },
    #[error("the simulator's book {path} could not be opened: {source}")]
    Book { path: PathBuf, source: BookError },
    #[error("notifications could not be set up: {0}")]
    Notify(#[from] reqwest::Error),
}

/// A simulator that runs. It ends when it is dropped; [`Simulator::stop`] waits for the end.
#[derive(Debug)]
pub struct Simulator {
    desk: Arc<Desk>,
    server: JoinHandle<()>,
    notifier: JoinHandle<()>,
    stop: DropGuard,
}

/// What every handler shares.
#[derive(Debug)]
struct Desk {
    settings: Settings,
    /// Whose numbers must be unique.
    merchant: String,
    url: String,
    book: Book,
    limiter: Option<Limiter>,
    mishaps: Mishaps,
    arrived: [AtomicU64; Endpoint::ALL.len()],
    /// A notification may be due earlier than the notifier thought.
    due: Notify,
}

impl Simulator {
    /// Opens the book and listens.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let addr = settings.bind;
        if !addr.ip().is_loopback() {
            return Err(StartError::NotLoopback(addr));
        }
        let client = notify::client()?;
        let book = Book::open(&settings.book).await;
        let book =
            book.map_err(|source| StartError::Book { path: settings.book.clone(), source })?;
        let bind = |source| StartError::Bind { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(bind)?;
        let addr = listener.local_addr().map_err(bind)?;
        let mishaps = Mishaps::new(settings.faults.clone());
        let limiter = settings.limits.map(Limiter::new);
        let desk = Arc::new(Desk {
            merchant: settings.merchant(),
            url: format!("http://{addr}"),
            book,
            limiter,
            mishaps,
            arrived: Default::default(),
            due: Notify::new(),
            settings,
        });
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve::run(listener, routes::router(desk.clone()), stop.clone()));
        let telling = stop.clone().run_until_cancelled_owned(notify::run(desk.clone(), client));
        let notifier = tokio::spawn(async move {
            telling.await;
        });
        Ok(Self { desk, server, notifier, stop: stop.drop_guard() })
    }

    /// The base URL, such as `http://127.0.0.1:8790`.
    pub fn url(&self) -> String {
        self.desk.url.clone()
    }

    /// How many requests arrived at `endpoint`, refused ones included.
    pub fn requests(&self, endpoint: Endpoint) -> u64 {
        let arrived = self.desk.arrived(endpoint);
        arrived.map_or(0, |it| it.load(Ordering::Relaxed))
    }

    /// How often `fault` struck.
    pub fn struck(&self, fault: Fault) -> u64 {
        self.desk.mishaps.struck(fault)
    }

    /// Does to the order with this number what its payer could do at its page; false if it does
    /// not wait, or there is none.
    pub async fn act(&self, out_trade_no: &str, act: Act) -> Result<bool, BookError> {
        match self.desk.find(Filter::number(out_trade_no)).await? {
            Some(trade) => self.desk.act(&trade.syssn, act).await,
            None => Ok(false),
        }
    }

    /// Lets `fault` befall the next request to `endpoint` that has none yet; it comes before what
    /// [`Settings::faults`] draws. Where it [cannot strike](Fault::strikes), that request is
    /// answered as usual.
    pub fn next(&self, endpoint: Endpoint, fault: Fault) {
        self.desk.mishaps.script(endpoint, fault);
    }

    /// Holds the next request to `endpoint` that no other gate holds there.
    pub fn hold(&self, endpoint: Endpoint, when: When) -> Gate {
        self.desk.mishaps.hold(endpoint, when)
    }

    /// Every payment and refund of its merchant as it stands now, oldest first.
    pub async fn book(&self) -> Result<Vec<Entry>, BookError> {
        entry::all(&self.desk.book, &self.desk.settings).await
    }

    /// Ends it and waits until it has ended.
    pub async fn stop(self) {
        drop(self.stop);
        let ended = async {
            let _ = self.server.await;
            let _ = self.notifier.await;
        };
        if tokio::time::timeout(STOP, ended).await.is_err() {
            tracing::debug!("the simulator left connections open");
        }
        self.desk.book.close().await;
    }
}

impl Desk {
    fn arrived(&self, endpoint: Endpoint) -> Option<&AtomicU64> {
        let at = Endpoint::ALL.iter().position(|it| *it == endpoint)?;
        self.arrived.get(at)
    }

    fn now_ms(&self) -> i64 {
        self.settings.clock.now().as_millisecond()
    }

    /// The trade of this merchant that fits `filter`, as it stands now.
    async fn find(&self, filter: Filter) -> Result<Option<Trade>, BookError> {
        let filter = Filter { merchant: Some(self.merchant.clone()), ..filter };
        Ok(self.book.select(self.now_ms(), &filter).await?.into_iter().next())
    }

    /// Wakes the notifier for what is due by now. What is due later it finds by itself, and under
    /// load it would do little but look.
    fn wake_notifier(&self, trade: &Trade) {
        if trade.notify_due_ms.is_some_and(|at| at <= self.now_ms()) {
            self.due.notify_one();
        }
    }

    async fn act(&self, syssn: &str, act: Act) -> Result<bool, BookError> {
        let done = self.book.settle(self.now_ms(), syssn, act.respcd(), 0).await?;
        self.due.notify_one();
        Ok(done)
    }
}

/// A moment as QFPay writes it, in its own time zone; blank for none.
fn wire(at_ms: Option<i64>) -> String {
    let at = at_ms.and_then(|it| jiff::Timestamp::from_millisecond(it).ok());
    at.map_or(String::new(), |at| time::wire(at, &time::qfpay_zone()))
}

#[cfg(test)]
mod tests;
