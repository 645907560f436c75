//! The environment, read once into settings; every problem is told at once, by variable.
//!
//! Reads through a closure, so that tests need no process environment. Each layer gets its own
//! struct; none of them sees a variable.
use std::{fmt, net::IpAddr, ops::RangeInclusive, path::PathBuf, str::FromStr, time::Duration};

use jiff::{SignedDuration, tz::TimeZone};
use secrecy::SecretString;

use crate::{
    client::{pace, pace::Limit, sign::SignType},
    policy::Policy,
    simulator,
    spec::{Environment, environments},
};

mod http;
mod ledger;
mod policy;
mod profiles;
pub mod variables;

pub use self::{http::Http, profiles::Profiles};

use variables as var;

/// Looks a variable up; tests pass a closure, `main` passes the real environment.
pub type Vars<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Everything an operator decided.
#[derive(Debug, Clone)]
pub struct Config {
    pub environment: Environment,
    pub merchant: Merchant,
    pub policy: Policy,
    /// How long a question to a person waits for the answer.
    pub confirm_time: Duration,
    /// How long an approval may take, and how long it holds.
    pub approval_time: SignedDuration,
    pub http: Http,
    /// Where QFPay is to send notifications of new payments.
    pub notify_url: Option<String>,
    /// The name of the merchant profile, where there are several.
    pub profile: Option<String>,
    pub state_dir: PathBuf,
    pub ledger: LedgerAt,
    /// For how long the same again without a number is refused.
    pub repeat_window: SignedDuration,
    /// After how long what QFPay does not know never arrived.
    pub give_up_after: SignedDuration,
    /// How often the unfinished is asked about; none: never by itself.
    pub recovery: Option<Duration>,
    pub zone: TimeZone,
    pub timeout: Duration,
    pub sign_type: SignType,
    pub refuse_wrong_signature: bool,
    /// Empty: no pace is kept (simulator only).
    pub pace: Vec<Limit>,
    pub simulator: Simulator,
}

/// Where the ledger is.
#[derive(Debug, Clone)]
pub enum LedgerAt {
    File(PathBuf),
    /// The address of a database; it may hold a password.
    Postgres(SecretString),
}

/// Who we are at QFPay.
#[derive(Debug, Clone)]
pub struct Merchant {
    pub app_code: String,
    pub key: SecretString,
    pub mchid: Option<String>,
}

/// How the simulator is used, in its environment.
#[derive(Debug, Clone)]
pub struct Simulator {
    /// One that runs already; otherwise it runs inside the server.
    pub url: Option<String>,
    pub payer: simulator::Payer,
}

/// All that is wrong with the environment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the settings are not right:\n{}", .0.iter().map(|it| format!("  - {it}")).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Reads the settings, and every file that a variable points to.
    pub fn from_vars(vars: Vars<'_>) -> Result<Self, ConfigError> {
        let mut read = Reader { vars, problems: Vec::new() };
        let environment = read.environment();
        let state_dir = read.state_dir();
        let config = Self {
            environment,
            merchant: read.merchant(environment),
            policy: read.policy(environment),
            confirm_time: read.confirm_time(),
            approval_time: SignedDuration::from_mins(read.whole(
                var::APPROVAL_MINUTES,
                15,
                1..=1440,
            )),
            http: read.http(),
            notify_url: read.notify_url(),
            profile: None,
            ledger: read.ledger(&state_dir),
            repeat_window: SignedDuration::from_mins(read.whole(var::REPEAT_MINUTES, 5, 0..=1440)),
            give_up_after: read.give_up_after(environment),
            recovery: read.recovery(),
            state_dir,
            zone: read.zone(),
            timeout: read.timeout(),
            sign_type: read.sign_type(),
            refuse_wrong_signature: read.switch(var::VERIFY_RESPONSES, true),
            pace: read.pace(environment),
            simulator: read.simulator(),
        };
        if read.problems.is_empty() { Ok(config) } else { Err(ConfigError(read.problems)) }
    }

    /// The word under which the ledger keeps this merchant's entries.
    pub fn ledger_merchant(&self) -> String {
        let merchant = &self.merchant;
        merchant.mchid.clone().unwrap_or_else(|| format!("app:{}", merchant.app_code))
    }

    /// The file in which a simulator inside the server keeps its book.
    pub fn simulator_book(&self) -> PathBuf {
        // Each merchant has numbers of its own.
        let of = self.profile.as_ref().map(|it| format!("-{it}")).unwrap_or_default();
        self.state_dir.join(format!("simulator{of}.db"))
    }
}

struct Reader<'a> {
    vars: Vars<'a>,
    problems: Vec<String>,
}

impl Reader<'_> {
    /// A variable that is set and not blank.
    fn get(&mut self, name: &str) -> Option<String> {
        let value = (self.vars)(name)?.trim().to_owned();
        if value.is_empty() {
            return None;
        }
        if value.starts_with("${") {
            self.problems.push(format!(
                "{name} is the literal text of a placeholder: the program that started us did not \
                 expand it; write the value there, or set {name} in the environment"
            ));
            return None;
        }
        Some(value)
    }

    /// A variable of this environment: its own name first, then the common one.
    fn get_for(&mut self, environment: Environment, common: &str) -> Option<String> {
        self.get(&own_name(environment, common)).or_else(|| self.get(common))
    }

    fn environment(&mut self) -> Environment {
        let Some(name) = self.get(var::ENV) else {
            let given = |environment, name| (self.vars)(&own_name(environment, name)).is_some();
            let sandbox = given(Environment::Sandbox, var::APPCODE)
                || (self.vars)(var::APPCODE).is_some_and(|it| !it.trim().is_empty());
            return if sandbox { Environment::Sandbox } else { Environment::Simulator };
        };
        Environment::find(&name).unwrap_or_else(|| {
            let names = environments::names().join(", ");
            self.problems.push(format!("{} is `{name}`; use one of {names}", var::ENV));
            Environment::Simulator
        })
    }

    fn merchant(&mut self, environment: Environment) -> Merchant {
        let app_code = self.get_for(environment, var::APPCODE);
        let mchid = self.get_for(environment, var::MCHID);
        let key = self.key(environment);
        if environment == Environment::Simulator {
            let built_in = || SecretString::from(simulator::KEY);
            return Merchant {
                app_code: app_code.unwrap_or_else(|| simulator::APP_CODE.to_owned()),
                key: key.unwrap_or_else(built_in),
                mchid,
            };
        }
        let mut need = |missing: bool, name: &str, what: &str| {
            if missing {
                let own = own_name(environment, name);
                self.problems.push(format!(
                    "{name} (or {own}) is not set: {what} for `{}`; or set {}=simulator to try \
                     without an account",
                    environment.name(),
                    var::ENV
                ));
            }
        };
        need(app_code.is_none(), var::APPCODE, "the app code QFPay issued");
        need(key.is_none(), var::KEY, "the client key QFPay issued");
        Merchant { app_code: app_code.unwrap_or_default(), key: key.unwrap_or_default(), mchid }
    }

    /// The client key, from a variable or from a file that one names.
    fn key(&mut self, environment: Environment) -> Option<SecretString> {
        let own = own_name(environment, var::KEY);
        for name in [own.as_str(), var::KEY] {
            let file_name = format!("{name}_FILE");
            if let Some(key) = self.get(name) {
                return Some(SecretString::from(key));
            }
            let Some(file) = self.get(&file_name) else { continue };
            if let Some(key) = self.read_file(&file_name, &file) {
                return Some(SecretString::from(key));
            }
        }
        None
    }

    fn zone(&mut self) -> TimeZone {
        let name = self.get(var::TIME_ZONE).unwrap_or_else(|| "Asia/Hong_Kong".to_owned());
        TimeZone::get(&name).unwrap_or_else(|_| {
            self.problems.push(format!(
                "{} is `{name}`, which is no time zone; use a name such as Asia/Hong_Kong",
                var::TIME_ZONE
            ));
            TimeZone::UTC
        })
    }

    fn timeout(&mut self) -> Duration {
        Duration::from_secs(self.whole(var::TIMEOUT_SECONDS, 30, 1..=120))
    }

    /// A whole number in a range.
    fn whole<N: FromStr + PartialOrd + fmt::Display>(
        &mut self,
        name: &str,
        default: N,
        range: RangeInclusive<N>,
    ) -> N {
        let Some(given) = self.get(name) else { return default };
        let number = given.parse().ok().filter(|it| range.contains(it));
        number.unwrap_or_else(|| {
            let (least, most) = range.into_inner();
            self.problems
                .push(format!("{name} is `{given}`; use a whole number from {least} to {most}"));
            default
        })
    }

    fn sign_type(&mut self) -> SignType {
        match self.get(var::SIGN_TYPE).as_deref() {
            None | Some("SHA256") => SignType::Sha256,
            Some("MD5") => SignType::Md5,
            Some(other) => {
                self.problems.push(format!("{} is `{other}`; use SHA256 or MD5", var::SIGN_TYPE));
                SignType::Sha256
            }
        }
    }

    /// `on` or `off`.
    fn switch(&mut self, name: &str, default: bool) -> bool {
        match self.get(name).as_deref() {
            None => default,
            Some("on" | "1" | "true") => true,
            Some("off" | "0" | "false") => false,
            Some(other) => {
                self.problems.push(format!("{name} is `{other}`; use on or off"));
                default
            }
        }
    }

    fn pace(&mut self, environment: Environment) -> Vec<Limit> {
        let Some(given) = self.get(var::PACE) else { return pace::QFPAY.to_vec() };
        if environment != Environment::Simulator {
            self.problems.push(format!(
                "{} is honoured in the simulator only; QFPay's limits hold in `{}`, so unset it",
                var::PACE,
                environment.name()
            ));
            return pace::QFPAY.to_vec();
        }
        parse_pace(&given).unwrap_or_else(|| {
            let name = var::PACE;
            self.problems
                .push(format!("{name} is `{given}`; use off, or limits such as 100/s,400/min"));
            pace::QFPAY.to_vec()
        })
    }

    fn simulator(&mut self) -> Simulator {
        let url = self.get(var::SIMULATOR_URL).map(|it| it.trim_end_matches('/').to_owned());
        if let Some(given) = url.as_ref().filter(|it| !is_loopback(it)) {
            // Not told back where it may hold a password.
            let given = if given.contains('@') { "no such address" } else { given };
            self.problems.push(format!(
                "{} is `{given}`; only http:// on a loopback address is allowed, such as \
                 http://127.0.0.1:8790",
                var::SIMULATOR_URL
            ));
        }
        let given = self.get(var::SIMULATOR_PAYER_SECONDS).unwrap_or_else(|| "3".to_owned());
        let payer = match given.parse() {
            Ok(seconds @ 0..=86_400) => {
                simulator::Payer::Pays { after: Duration::from_secs(seconds) }
            }
            _ if given == "never" => simulator::Payer::Waits,
            _ => {
                let name = var::SIMULATOR_PAYER_SECONDS;
                self.problems
                    .push(format!("{name} is `{given}`; use seconds up to 86400, or never"));
                simulator::Payer::Waits
            }
        };
        Simulator { url, payer }
    }
}

/// The variables that can be set for one environment.
const OWN: [&str; 11] = [
    var::APPCODE,
    var::KEY,
    var::MCHID,
    var::PAY_TYPES,
    var::CURRENCIES,
    var::MCHIDS,
    var::MAX_AMOUNT,
    var::MAX_AMOUNT_PER_DAY,
    var::MAX_PAYMENTS_PER_HOUR,
    var::MAX_REFUND,
    var::MAX_REFUND_PER_DAY,
];

/// Every name that means something: the table's, and the forms for one environment and for
/// a file.
pub fn all_names() -> Vec<String> {
    let mut names: Vec<String> = var::VARIABLES.iter().map(|it| it.name.to_owned()).collect();
    for row in environments::ENVIRONMENTS {
        let of = |common| own_name(row.environment, common);
        names.extend(OWN.map(of));
    }
    let keys = names.iter().filter(|it| it.ends_with("_KEY")).map(|it| format!("{it}_FILE"));
    let keys: Vec<String> = keys.collect();
    names.extend(keys);
    names
}

/// Whether a variable means something to us.
pub fn is_known(name: &str) -> bool {
    all_names().iter().any(|it| it == name) || profiles::is_known(name)
}

/// `QFPAY_KEY` → `QFPAY_PROD_KEY`.
fn own_name(environment: Environment, common: &str) -> String {
    let rest = common.trim_start_matches("QFPAY_");
    format!("QFPAY_{}_{rest}", environment.name().to_uppercase())
}

/// `off`, or limits such as `100/s,400/min`.
fn parse_pace(text: &str) -> Option<Vec<Limit>> {
    if text == "off" {
        return Some(Vec::new());
    }
    let limits = text.split(',').map(|part| {
        let (most, span) = part.trim().split_once('/')?;
        let most = most.parse().ok().filter(|it| (1..=1_000_000).contains(it))?;
        let seconds = match span {
            "s" => 1,
            "min" => 60,
            _ => return None,
        };
        Some(Limit { most, span: Duration::from_secs(seconds) })
    });
    limits.collect()
}

/// Whether an address is plain HTTP on this machine.
fn is_loopback(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    if rest.contains(['/', '?', '#', '@']) {
        return false;
    }
    let host = match rest.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => rest.split(':').next(),
    };
    let ip = host.and_then(|it| it.parse::<IpAddr>().ok());
    host == Some("localhost") || ip.is_some_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests;
