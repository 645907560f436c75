//! Durable payments: each is on disk before it leaves and when it is answered, against a simulator
//! in a process of its own. Beside them what the disk and the simulator can do alone.
use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use qfpay_mcp::{
    client::{
        Gateway as _,
        http::{HttpGateway, Settings},
        pace::LocalPace,
        sign::SignType,
    },
    clock::{Clock as _, SystemClock},
    domain::{Amount, PaymentTerms, time::qfpay_zone},
    simulator::{APP_CODE, KEY},
    spec::{Currency, PayType},
};
use tokio::{runtime::Runtime, task::JoinSet};

use super::{
    Effort, Trouble,
    desk::{Desk, Simulator},
    figures::{Rate, Table},
    peer::Peer,
    start::megabytes,
};

/// What an append is at least: a page, as SQLite writes them.
const PAGE: usize = 4096;
const TIMEOUT: Duration = Duration::from_secs(15);

/// `tools/call` of a payment under `number`.
pub(crate) fn arguments(number: &str) -> String {
    format!(
        r#"{{"name":"create_payment","arguments":{{"amount":100,"currency":"HKD","pay_type":"800201","out_trade_no":"{number}"}}}}"#
    )
}

pub(crate) async fn measure(effort: Effort, postgres: Option<&str>) -> Result<String, Trouble> {
    let desk = Desk::new()?;
    let simulator = Simulator::start(&desk).await?;
    let alone = Alone::new(&simulator.url)?;
    let heads = [
        "",
        "in flight",
        "a second",
        "p50",
        "p99",
        "server's work",
        "floor: POST alone",
        "of it",
        "floor: synced pages",
    ];
    let mut table = Table::new(heads, 8);
    let mut memories = Vec::new();
    let stores = [("SQLite", None), ("PostgreSQL", postgres)];
    for (store, ledger) in stores.into_iter().filter(|(at, url)| *at == "SQLite" || url.is_some()) {
        let mut command = desk.command();
        command.env("QFPAY_SIMULATOR_URL", &simulator.url);
        if let Some(url) = ledger {
            command.env("QFPAY_LEDGER", url);
        }
        let mut peer = Peer::start(command)?;
        peer.open().await?;
        for in_flight in [1, 8, 64] {
            let round = Round { effort, desk: &desk, alone: &alone, in_flight, store };
            table.row(round.measure(&mut peer).await?);
        }
        memories.push(format!("{store} {}", megabytes(peer.memory())));
        peer.end().await?;
    }
    alone.end();
    let title = "Durable payments, the simulator in a process of its own, all on one disk (aim: half \
                 of the POST alone at 64 in flight)";
    let memory = memories.join(", ");
    let absent = if postgres.is_some() { "" } else { "  skipped: PostgreSQL is not installed\n" };
    Ok(format!(
        "{}{absent}  memory of the server after all of them: {memory}\n",
        table.written(title)
    ))
}

/// What is measured in turns.
struct Round<'a> {
    effort: Effort,
    desk: &'a Desk,
    alone: &'a Alone,
    in_flight: usize,
    store: &'a str,
}

impl Round<'_> {
    async fn measure(&self, peer: &mut Peer) -> Result<Vec<String>, Trouble> {
        let Self { effort, desk, alone, in_flight, store } = *self;
        let (mut rounds, mut posts, mut syncs) = (Vec::new(), Vec::new(), Vec::new());
        // The first round only warms up.
        for at in 0..=effort.rounds {
            let span = if at == 0 { effort.span / 3 } else { effort.span };
            let sync = synced_pages(desk, span / 3)?;
            let post = alone.rate(span, in_flight).await?;
            let number = |id| arguments(&format!("{store}{id}"));
            let round = peer.rate(span, in_flight, "tools/call", number).await?;
            if at > 0 {
                syncs.push(sync);
                posts.push(post);
                rounds.push(round);
            }
        }
        let (done, post) = (Rate::median(rounds), Rate::median(posts));
        let [rate, p50, p99, work] = done.cells();
        let share = format!("{:.0} %", 100.0 * done.per_second / post.per_second);
        let sync = Rate::median(syncs).whole();
        let what = format!("create_payment, {store}");
        Ok(vec![what, in_flight.to_string(), rate, p50, p99, work, post.whole(), share, sync])
    }
}

/// How often the disk takes a page for good, one after another.
fn synced_pages(desk: &Desk, span: Duration) -> Result<Rate, Trouble> {
    let mut file = File::create(desk.path().join("floor"))?;
    let (start, mut took) = (Instant::now(), Vec::new());
    while start.elapsed() < span {
        let before = Instant::now();
        file.write_all(&[b'x'; PAGE])?;
        file.sync_data()?;
        took.push(before.elapsed());
    }
    Ok(Rate::new(took, start.elapsed(), None))
}

/// The same signed POST as a payment's, without a ledger and without MCP.
pub(crate) struct Alone {
    gateway: Arc<HttpGateway>,
    terms: PaymentTerms,
    next: Arc<AtomicU64>,
    /// As many threads as the server has.
    runtime: Runtime,
}

impl Alone {
    pub(crate) fn end(self) {
        self.runtime.shutdown_background();
    }

    pub(crate) fn new(url: &str) -> Result<Self, Trouble> {
        let settings = Settings {
            base_url: url.to_owned(),
            app_code: APP_CODE.to_owned(),
            key: KEY.into(),
            mchid: None,
            notify_url: None,
            sign_type: SignType::Sha256,
            zone: qfpay_zone(),
            refuse_wrong_signature: true,
            connect_timeout: TIMEOUT,
            timeout: TIMEOUT,
            patience: TIMEOUT,
        };
        let gateway =
            HttpGateway::new(settings, Arc::new(LocalPace::new(&[])), Arc::new(SystemClock));
        let currency = Currency::find("HKD").ok_or("no HKD")?;
        let terms = PaymentTerms {
            amount: Amount::from_minor(100, currency)?,
            pay_type: PayType::find("800201").ok_or("no 800201")?,
            extras: BTreeMap::new(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        Ok(Self { gateway: Arc::new(gateway), terms, next: Arc::default(), runtime })
    }

    pub(crate) async fn rate(&self, span: Duration, in_flight: usize) -> Result<Rate, Trouble> {
        let start = Instant::now();
        let mut payers = JoinSet::new();
        for _ in 0..in_flight {
            let (gateway, terms, next) =
                (self.gateway.clone(), self.terms.clone(), self.next.clone());
            let payer = async move {
                let mut took = Vec::new();
                while start.elapsed() < span {
                    let before = Instant::now();
                    let number = format!("A{}", next.fetch_add(1, Ordering::Relaxed));
                    let number = number.parse().map_err(|it| format!("{it}"))?;
                    let paid = gateway.pay(&number, &terms, SystemClock.now()).await;
                    let paid = paid.map_err(|it| it.to_string())?;
                    if paid.respcd != "0000" {
                        return Err(format!("the simulator said {}", paid.respcd));
                    }
                    took.push(before.elapsed());
                }
                Ok(took)
            };
            payers.spawn_on(payer, self.runtime.handle());
        }
        let mut took = Vec::new();
        while let Some(payer) = payers.join_next().await {
            took.extend(payer??);
        }
        Ok(Rate::new(took, start.elapsed(), None))
    }
}
