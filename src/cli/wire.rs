//! Puts the layers together as the settings say.
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::OnceCell;

use crate::{
    client::{
        Exchange, Gateway, Notification, NotificationError, Page, Query, Trouble,
        http::{HttpGateway, Settings},
        pace::{Limit, LocalPace, Pace},
        sign,
    },
    clock::{Clock, SystemClock},
    config::{Config, LedgerAt},
    domain::{Ending, OrderNumber, PaymentTerms, RefundTerms},
    ledger::{
        Caller, Ledger, Scope,
        postgres::{AddressError, Database, PostgresLedger, SharedPace},
        sqlite::SqliteLedger,
    },
    mcp::Asking,
    payments::{self, Changes, Payments},
    simulator::{self, Limits, Simulator},
    spec::{Environment, pay_types::Cancel},
    transport::Shutdown,
};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a call waits for its turn in the pace before it is told when to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where ledgers are, for all merchants of a process.
#[derive(Clone)]
pub(super) enum Store {
    File(PathBuf),
    Database(Arc<Database>),
}

impl Store {
    pub(super) fn of(config: &Config) -> Result<Self, AddressError> {
        Ok(match &config.ledger {
            LedgerAt::File(file) => Self::File(file.clone()),
            LedgerAt::Postgres(url) => Self::Database(Arc::new(Database::new(url)?)),
        })
    }

    /// One merchant's ledger, and their pace.
    fn open(&self, scope: Scope, limits: &[Limit]) -> (Arc<dyn Ledger>, Arc<dyn Pace>) {
        match self {
            Self::File(file) => {
                (Arc::new(SqliteLedger::new(file, scope)), Arc::new(LocalPace::new(limits)))
            }
            Self::Database(database) => {
                let pace = SharedPace::new(database.clone(), scope.clone(), limits);
                (Arc::new(PostgresLedger::new(database.clone(), scope)), Arc::new(pace))
            }
        }
    }
}

/// Payments as the settings say. Nothing is opened or listened on before it is needed: a server
/// that is only probed starts at once and leaves nothing behind.
pub(super) fn payments(config: &Config, shutdown: &Shutdown) -> Result<Payments, AddressError> {
    Ok(payments_in(&Store::of(config)?, config, shutdown))
}

/// The same with a ledger in `store`.
pub(super) fn payments_in(store: &Store, config: &Config, shutdown: &Shutdown) -> Payments {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let scope = Scope { environment: config.environment, merchant: config.ledger_merchant() };
    let (ledger, pace) = store.open(scope, &config.pace);
    Payments {
        gateway: gateway(config, pace, &clock),
        ledger,
        clock,
        settings: Arc::new(payments::Settings {
            environment: config.environment,
            mchid: config.merchant.mchid.clone(),
            notify_url: config.notify_url.clone(),
            merchant: config.ledger_merchant(),
            policy: config.policy.clone(),
            approval_time: config.approval_time,
            zone: config.zone.clone(),
            repeat_window: config.repeat_window,
            give_up_after: config.give_up_after,
        }),
        tasks: shutdown.tracker().clone(),
        changes: Changes::default(),
        drain: shutdown.draining().clone(),
        stop: shutdown.token().clone(),
    }
}

/// How questions to persons are sealed: by a key that every replica of this merchant derives alike.
pub(super) fn asking(config: &Config) -> Asking {
    let key = sign::derived(&config.merchant.key, "qfpay-mcp: sealed questions, 1");
    Asking::new(key, config.confirm_time)
}

/// Asks about what is unfinished in the background, at once and then every so often, until the stop.
pub(super) fn recover_in_background(config: &Config, payments: &Payments, shutdown: &Shutdown) {
    let Some(every) = config.recovery else { return };
    let caller = Caller::own("recovery", "recover");
    let recovery = payments.clone().keep_recovering(caller, every, shutdown.token().clone());
    shutdown.background().spawn(recovery);
}

fn gateway(config: &Config, pace: Arc<dyn Pace>, clock: &Arc<dyn Clock>) -> Arc<dyn Gateway> {
    let base_url = match config.environment {
        Environment::Simulator => config.simulator.url.clone(),
        Environment::Sandbox | Environment::Test | Environment::Prod => {
            config.environment.row().base_url.map(str::to_owned)
        }
    };
    let settings = |base_url: String| Settings {
        base_url,
        app_code: config.merchant.app_code.clone(),
        key: config.merchant.key.clone(),
        mchid: config.merchant.mchid.clone(),
        notify_url: config.notify_url.clone(),
        sign_type: config.sign_type,
        zone: config.zone.clone(),
        refuse_wrong_signature: config.refuse_wrong_signature,
        connect_timeout: CONNECT_TIMEOUT,
        timeout: config.timeout,
        patience: PATIENCE,
    };
    if let Some(base_url) = base_url {
        return Arc::new(HttpGateway::new(settings(base_url), pace, clock.clone()));
    }
    Arc::new(Embedded {
        simulator: simulator_settings(config, ([127, 0, 0, 1], 0).into()),
        settings: settings(String::new()),
        pace,
        clock: clock.clone(),
        running: OnceCell::new(),
    })
}

/// The simulator with our merchant's credentials, on `bind`.
pub(super) fn simulator_settings(config: &Config, bind: SocketAddr) -> simulator::Settings {
    simulator::Settings {
        bind,
        app_code: config.merchant.app_code.clone(),
        key: config.merchant.key.clone(),
        mchid: config.merchant.mchid.clone(),
        limits: limits(&config.pace),
        payer: config.simulator.payer,
        ..simulator::Settings::new(config.simulator_book())
    }
}

/// The simulator's limits, the same as our pace.
fn limits(pace: &[Limit]) -> Option<Limits> {
    let most = |seconds| {
        let limit = pace.iter().find(|it| it.span == Duration::from_secs(seconds));
        limit.map_or(usize::MAX, |it| it.most)
    };
    (!pace.is_empty()).then(|| Limits { per_second: most(1), per_minute: most(60) })
}

/// A simulator inside this process, started by the first request to it.
struct Embedded {
    simulator: simulator::Settings,
    settings: Settings,
    pace: Arc<dyn Pace>,
    clock: Arc<dyn Clock>,
    running: OnceCell<(Simulator, HttpGateway)>,
}

impl Embedded {
    async fn gateway(&self) -> Result<&HttpGateway, Trouble> {
        let running = self.running.get_or_try_init(|| async {
            let not_sent = |error: &dyn std::error::Error| Trouble::NotSent {
                reason: format!("the simulator cannot be started: {error}"),
                retry_after: None,
            };
            let simulator =
                Simulator::start(self.simulator.clone()).await.map_err(|it| not_sent(&it))?;
            let settings = Settings { base_url: simulator.url(), ..self.settings.clone() };
            let gateway = HttpGateway::new(settings, self.pace.clone(), self.clock.clone());
            Ok((simulator, gateway))
        });
        running.await.map(|(_, gateway)| gateway)
    }
}

#[async_trait]
impl Gateway for Embedded {
    async fn pay(&self, order: &OrderNumber, terms: &PaymentTerms, at: Timestamp) -> Exchange {
        self.gateway().await?.pay(order, terms, at).await
    }

    async fn checkout(
        &self,
        order: &OrderNumber,
        terms: &PaymentTerms,
        at: Timestamp,
    ) -> Result<String, Trouble> {
        self.gateway().await?.checkout(order, terms, at).await
    }

    async fn refund(&self, number: &OrderNumber, terms: &RefundTerms, at: Timestamp) -> Exchange {
        self.gateway().await?.refund(number, terms, at).await
    }

    async fn cancel(&self, by: Cancel, ending: &Ending) -> Exchange {
        self.gateway().await?.cancel(by, ending).await
    }

    fn notification(
        &self,
        body: &[u8],
        signature: Option<&str>,
    ) -> Result<Notification, NotificationError> {
        Notification::verify(body, signature, &self.settings.key)
    }

    async fn query(&self, query: &Query) -> Result<Page, Trouble> {
        self.gateway().await?.query(query).await
    }
}
