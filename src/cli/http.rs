//! `http`: the server for many agents at once.
use std::{
    fmt::Display, fs, net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration,
};

use clap::Args;
use metrics_exporter_prometheus::PrometheusHandle;

use super::{
    USAGE, complain, ended,
    wire::{self, Store},
    wrong_ledger,
};
use crate::{
    config::{Config, Http, Profiles, variables as var},
    ledger::postgres::AddressError,
    mcp::{Merchants, Server, SystemClock},
    meter,
    spec::search,
    telemetry,
    transport::{
        Auth, Issuer, OAuth, Operators, Probes, Question, Shutdown, Tls, TokenError, Tokens,
        approve, http, notify, open_as_many_as_may_be,
        site::{self, Site},
    },
};

/// How often figures are tidied up where nobody reads them.
const UPKEEP: Duration = Duration::from_secs(5);

/// How long a probe waits for the ledger.
const PROBE: Duration = Duration::from_secs(3);

/// Where to listen, and how.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The address and port to listen on; port 0 takes a free one
    ///
    /// Other than 127.0.0.1 and `[::1]` it takes tokens (`QFPAY_TOKENS_FILE` or `QFPAY_OAUTH_ISSUER`)
    /// and TLS, here or at a proxy.
    #[arg(long, default_value = "127.0.0.1:8787")]
    bind: SocketAddr,
    /// Keep no sessions: any process behind a balancer answers any request
    #[arg(long)]
    stateless: bool,
    /// Leave the deprecated HTTP+SSE transport of 2024-11-05 out
    #[arg(long)]
    no_sse: bool,
    /// A certificate chain in PEM, for TLS at our own door; read again on SIGHUP
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// An address of its own for /healthz, /readyz and /metrics, which no token protects
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// For how many seconds at least it goes on answering when it is told to end, so that a balancer
    /// notices
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    grace: u64,
    /// For how many seconds at most it then waits for payments and refunds that are under way
    #[arg(long, value_name = "SECONDS", default_value_t = 45)]
    drain: u64,
}

/// What is read again on SIGHUP.
struct Reloaded {
    http: Http,
    auth: Option<Auth>,
    operators: Option<Operators>,
    tls: Option<(Tls, PathBuf, PathBuf)>,
    /// The names of the merchant profiles.
    profiles: Vec<String>,
}

pub(super) async fn run(profiles: &Profiles, serve: &Serve) -> ExitCode {
    let Some(common) = profiles.common() else { return ExitCode::from(USAGE) };
    let mut problems = Vec::new();
    let reloaded = Reloaded::read(profiles, serve, &mut problems);
    let site = site(&common.http, serve.bind, &mut problems);
    if reloaded.auth.is_none() && profiles.picked.is_none() {
        problems.push(format!(
            "{} names several merchants, and no token says whose a call is; set {} or {}, or pick \
             one with {}",
            var::PROFILES,
            var::TOKENS_FILE,
            var::OAUTH_ISSUER,
            var::PROFILE
        ));
    }
    if !problems.is_empty() {
        let problems: Vec<String> = problems.iter().map(|it| format!("  - {it}")).collect();
        complain(&format!("qfpay-mcp: the settings are not right:\n{}", problems.join("\n")));
        return ExitCode::from(USAGE);
    }
    if let Some(url) = &common.notify_url
        && !notify::is_ours(url, &site)
    {
        // The address may hold a word that only QFPay is to know.
        tracing::warn!("{} is none of this server's own addresses", var::NOTIFY_URL);
    }
    open_as_many_as_may_be();
    let shutdown = Shutdown::new();
    if let Err(error) = shutdown.drain_on_signals() {
        return ended(Err(error));
    }
    let figures = telemetry::measure();
    let merchants = match merchants(profiles, common, &shutdown) {
        Ok(merchants) => merchants,
        Err(error) => return wrong_ledger(&error),
    };
    let mut routes = notify::router(merchants.clone());
    if let Some(operators) = &reloaded.operators {
        routes = routes.merge(approve::router(merchants.clone(), operators.clone()));
    }
    let settings = http::Settings {
        site,
        auth: reloaded.auth.clone(),
        tls: reloaded.tls.as_ref().map(|(tls, ..)| tls.clone()),
        stateless: serve.stateless,
        sse: !serve.no_sse,
        max_sessions: common.http.max_sessions,
        // Those of all merchants are no merchant's business.
        figures: profiles.all.is_empty(),
        grace: Duration::from_secs(serve.grace),
        drain: Duration::from_secs(serve.drain),
        admin: serve.admin,
        probes: probes(&merchants, figures, &shutdown),
        routes,
        ..http::Settings::new(serve.bind)
    };
    tokio::task::spawn_blocking(search::prepare);
    let ready = ready(common, serve, &reloaded, merchants.clone());
    reloaded.on_hangup(&shutdown);
    ended(http::serve(merchants, settings, shutdown, ready).await)
}

/// A server for each merchant, all over one store.
fn merchants(
    profiles: &Profiles,
    common: &Config,
    shutdown: &Shutdown,
) -> Result<Merchants, AddressError> {
    let store = Store::of(common)?;
    let server = |config: &Config| {
        let payments = wire::payments_in(&store, config, shutdown);
        wire::recover_in_background(config, &payments, shutdown);
        Server::new(payments, wire::asking(config))
    };
    if profiles.all.is_empty() {
        return Ok(server(common).into());
    }
    let all = profiles.all.iter().map(|(name, config)| (name.clone(), server(config))).collect();
    let picked = profiles.picked.as_ref().and_then(|it| it.profile.clone());
    Ok(Merchants::new(picked, all))
}

fn probes(merchants: &Merchants, figures: PrometheusHandle, shutdown: &Shutdown) -> Probes {
    let (tidied, stop) = (figures.clone(), shutdown.token().clone());
    shutdown.background().spawn(stop.run_until_cancelled_owned(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            tidied.run_upkeep();
        }
    }));
    let asked = merchants.clone();
    let ready: Question = Arc::new(move || {
        let asked = asked.clone();
        Box::pin(async move { in_time(asked.check()).await.map(|()| String::new()) })
    });
    let asked = merchants.clone();
    let figures: Question = Arc::new(move || {
        let (asked, figures) = (asked.clone(), figures.clone());
        Box::pin(async move {
            // The other figures are worth telling without these.
            if let Err(error) = in_time(asked.measure()).await {
                tracing::warn!(%error, "what is in doubt cannot be counted");
            }
            Ok(figures.render())
        })
    });
    Probes { ready, figures }
}

/// Probes and monitors wait for no ledger that is slow to say that it is away.
async fn in_time<E: Display>(asked: impl Future<Output = Result<(), E>>) -> Result<(), String> {
    match tokio::time::timeout(PROBE, asked).await {
        Ok(answered) => answered.map_err(|it| it.to_string()),
        Err(_) => Err(format!("the ledger did not answer within {} s", PROBE.as_secs())),
    }
}

/// What is said once calls are taken.
fn ready(
    common: &Config,
    serve: &Serve,
    reloaded: &Reloaded,
    merchants: Merchants,
) -> impl FnOnce(SocketAddr) + use<> {
    let scheme = if reloaded.tls.is_some() { "https" } else { "http" };
    let environment = common.environment.name();
    let public = common.http.public_url.clone();
    let sse = if serve.no_sse { "" } else { ", SSE (deprecated) at /sse" };
    let pages = reloaded.operators.is_some();
    let tokens = if reloaded.auth.is_some() { "; a token is wanted" } else { "" };
    let admin = serve.admin.map(|it| format!(", /metrics on http://{it}")).unwrap_or_default();
    move |address| {
        let base = public.unwrap_or_else(|| format!("{scheme}://{address}"));
        let mut also = "";
        if pages {
            merchants.approve_at(&format!("{}/approve", base.trim_end_matches('/')));
            also = ", approvals at /approve";
        }
        complain(&format!(
            "qfpay-mcp ({environment}) on {scheme}://{address}: Streamable HTTP at \
             /mcp{sse}{also}{admin}{tokens}. Ctrl-C ends it."
        ));
    }
}

/// Where the server is to be found.
fn site(http: &Http, bind: SocketAddr, problems: &mut Vec<String>) -> Site {
    let public = http.public_url.iter().map(String::as_str);
    Site {
        public: each(var::PUBLIC_URL, public, str::parse, problems).pop(),
        hosts: each(var::ALLOWED_HOSTS, words(&http.hosts), site::host, problems),
        origins: each(var::ALLOWED_ORIGINS, words(&http.origins), str::parse, problems),
        proxies: each(var::TRUSTED_PROXIES, words(&http.proxies), site::network, problems),
        local: http::Settings::is_local(bind),
        ..Site::default()
    }
}

fn words(list: &[String]) -> impl Iterator<Item = &str> {
    list.iter().map(String::as_str)
}

/// Reads each of `texts`; what is wrong with them is told by the variable.
fn each<'a, T, E: Display>(
    variable: &str,
    texts: impl Iterator<Item = &'a str>,
    read: impl Fn(&str) -> Result<T, E>,
    problems: &mut Vec<String>,
) -> Vec<T> {
    let mut all = Vec::new();
    for text in texts {
        match read(text) {
            Ok(it) => all.push(it),
            // Not told back where it may hold a password.
            Err(error) if text.contains('@') => problems.push(format!("{variable}: {error}")),
            Err(error) => problems.push(format!("{variable} is `{text}`: {error}")),
        }
    }
    all
}

impl Reloaded {
    fn read(profiles: &Profiles, serve: &Serve, problems: &mut Vec<String>) -> Self {
        let http = profiles.common().map(|it| it.http.clone()).unwrap_or_default();
        let profiles: Vec<String> = profiles.all.iter().map(|(name, _)| name.clone()).collect();
        let tokens = http.tokens.as_ref().map(|it| tokens(&it.text, &profiles));
        let tokens = sorted_out(var::TOKENS_FILE, tokens, problems);
        let oauth = oauth(&http, problems);
        let auth = (tokens.is_some() || oauth.is_some()).then(|| {
            let public = http.public_url.as_ref().and_then(|it| it.parse().ok());
            let tokens = tokens.unwrap_or_default();
            Auth::new(tokens, oauth, public, profiles.clone(), Arc::new(SystemClock))
        });
        let operators = http.operators.as_ref().map(|it| Operators::parse(&it.text));
        let operators = sorted_out(var::OPERATORS_FILE, operators, problems);
        let pair = serve.tls_cert.clone().zip(serve.tls_key.clone());
        let tls = pair.and_then(|(cert, key)| {
            let tls = pem(&cert, &key, Tls::new);
            let tls = sorted_out("--tls-cert, --tls-key", Some(tls), problems)?;
            Some((tls, cert, key))
        });
        Self { http, auth, operators, tls, profiles }
    }

    /// Reads files again whenever the process is told to.
    #[cfg(unix)]
    fn on_hangup(self, shutdown: &Shutdown) {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut hangups) = signal(SignalKind::hangup()) else {
            tracing::warn!("cannot listen for SIGHUP; tokens and certificates stay as they are");
            return;
        };
        let stop = shutdown.token().clone();
        shutdown.background().spawn(stop.run_until_cancelled_owned(async move {
            while hangups.recv().await.is_some() {
                self.again();
            }
        }));
    }

    #[cfg(not(unix))]
    fn on_hangup(self, _: &Shutdown) {}

    /// What cannot be read stays as it was.
    fn again(&self) {
        let mut problems = Vec::new();
        if let (Some(auth), Some(file)) = (&self.auth, &self.http.tokens) {
            let read = fs::read_to_string(&file.path).map_err(|it| it.to_string());
            // The last may be taken away, too.
            let tokens = read.and_then(|it| match tokens(&it, &self.profiles) {
                Err(NoTokens::Empty) => Ok(Tokens::default()),
                tokens => tokens.map_err(|it| it.to_string()),
            });
            if let Some(tokens) = sorted_out(var::TOKENS_FILE, Some(tokens), &mut problems) {
                auth.replace(tokens);
            }
        }
        if let (Some(operators), Some(file)) = (&self.operators, &self.http.operators) {
            let read = fs::read_to_string(&file.path).map_err(|it| it.to_string());
            let replaced = read.and_then(|it| operators.replace(&it).map_err(|it| it.to_string()));
            sorted_out(var::OPERATORS_FILE, Some(replaced), &mut problems);
        }
        if let Some((tls, cert, key)) = &self.tls {
            let replaced = pem(cert, key, |cert, key| tls.replace(cert, key));
            sorted_out("--tls-cert, --tls-key", Some(replaced), &mut problems);
        }
        for problem in &problems {
            tracing::error!("SIGHUP: {problem}; what was in force before stays");
        }
        meter::reloaded(problems.is_empty());
        if problems.is_empty() {
            tracing::info!("SIGHUP: read tokens, operators and certificates again");
        }
    }
}

/// Why a text is no list of tokens for these profiles.
#[derive(Debug, thiserror::Error)]
enum NoTokens {
    #[error("it holds no token; make a line with `qfpay-mcp token new NAME`")]
    Empty,
    #[error(transparent)]
    Wrong(#[from] TokenError),
    #[error("the token {0} names no profile; add profile= and one of {1}")]
    Nobodys(String, String),
    #[error("the token {0} is for the profile {1}, which {all} lacks", all = var::PROFILES)]
    Elses(String, String),
}

/// The tokens in a text, each for a profile that there is.
fn tokens(text: &str, profiles: &[String]) -> Result<Tokens, NoTokens> {
    let tokens = Tokens::parse(text)?;
    if tokens.profiles().next().is_none() {
        return Err(NoTokens::Empty);
    }
    for (name, profile) in tokens.profiles() {
        match profile {
            None if profiles.is_empty() => {}
            None => return Err(NoTokens::Nobodys(name.to_owned(), profiles.join(", "))),
            Some(it) if profiles.iter().any(|known| known == it) => {}
            Some(it) => return Err(NoTokens::Elses(name.to_owned(), it.to_owned())),
        }
    }
    Ok(tokens)
}

fn oauth(http: &Http, problems: &mut Vec<String>) -> Option<OAuth> {
    let read = |variable: &str, text: Option<&String>, problems: &mut Vec<String>| {
        let text = text.iter().map(|it| it.as_str());
        each(variable, text, str::parse::<Issuer>, problems).pop()
    };
    let issuer = read(var::OAUTH_ISSUER, http.issuer.as_ref(), problems)?;
    let keys_at = read(var::OAUTH_JWKS_URL, http.jwks_url.as_ref(), problems);
    // That it is wrong, or missing, is told elsewhere.
    let public = http.public_url.as_ref()?.parse().ok()?;
    let oauth = OAuth::new(issuer, keys_at, &public, http.profile_claim.clone());
    sorted_out(var::OAUTH_ISSUER, Some(oauth), problems)
}

/// Does something with the contents of two files in PEM.
fn pem<T, E: Display>(
    cert: &PathBuf,
    key: &PathBuf,
    what: impl Fn(&[u8], &[u8]) -> Result<T, E>,
) -> Result<T, String> {
    let read = |file: &PathBuf| {
        fs::read(file)
            .map_err(|error| format!("the file `{}` cannot be read ({error})", file.display()))
    };
    what(&read(cert)?, &read(key)?).map_err(|it| it.to_string())
}

fn sorted_out<T, E: Display>(
    name: &str,
    result: Option<Result<T, E>>,
    problems: &mut Vec<String>,
) -> Option<T> {
    result.and_then(|it| it.map_err(|error| problems.push(format!("{name}: {error}"))).ok())
}
