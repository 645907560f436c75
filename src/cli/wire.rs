//! Puts the layers together as the settings say.
use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::OnceCell;
use tokio_util::task::TaskTracker;

use crate::{
    client::{
        Exchange, Gateway, Page, Query, Trouble,
        http::{HttpGateway, Settings},
        pace::{Limit, Pace},
    },
    clock::{Clock, SystemClock},
    config::Config,
    domain::{OrderNumber, PaymentTerms, RefundTerms},
    ledger::{Scope, sqlite::SqliteLedger},
    payments::{self, Payments},
    simulator::{self, Limits, Simulator},
    spec::Environment,
};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a call waits for its turn in the pace before it is told when to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// Payments as the settings say. Nothing is opened or listened on before it is needed: a server
/// that is only probed starts at once and leaves nothing behind.
pub(super) fn payments(config: &Config, tasks: TaskTracker) -> Payments {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let scope = Scope { environment: config.environment, merchant: config.ledger_merchant() };
    Payments {
        gateway: gateway(config, &clock),
        ledger: Arc::new(SqliteLedger::new(&config.ledger, scope)),
        clock,
        settings: Arc::new(payments::Settings {
            environment: config.environment,
            mchid: config.merchant.mchid.clone(),
            allowlist: config.allowlist.clone(),
            zone: config.zone.clone(),
        }),
        tasks,
    }
}

fn gateway(config: &Config, clock: &Arc<dyn Clock>) -> Arc<dyn Gateway> {
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
        sign_type: config.sign_type,
        zone: config.zone.clone(),
        refuse_wrong_signature: config.refuse_wrong_signature,
        connect_timeout: CONNECT_TIMEOUT,
        timeout: config.timeout,
        patience: PATIENCE,
    };
    let pace = Pace::new(&config.pace);
    if let Some(base_url) = base_url {
        return Arc::new(HttpGateway::new(settings(base_url), pace, clock.clone()));
    }
    Arc::new(Embedded {
        simulator: simulator_settings(config, ([127, 0, 0, 1], 0).into()),
        settings: settings(String::new()),
        pace: config.pace.clone(),
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
    pace: Vec<Limit>,
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
            let gateway = HttpGateway::new(settings, Pace::new(&self.pace), self.clock.clone());
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

    async fn refund(&self, number: &OrderNumber, terms: &RefundTerms, at: Timestamp) -> Exchange {
        self.gateway().await?.refund(number, terms, at).await
    }

    async fn query(&self, query: &Query) -> Result<Page, Trouble> {
        self.gateway().await?.query(query).await
    }
}
