//! The only outgoing socket: signs, paces, sends, and says what surely did not arrive.
use std::{
    sync::{Arc, Once, OnceLock},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use jiff::{Timestamp, tz::TimeZone};
use reqwest::{Client, Response, StatusCode, header};
use secrecy::SecretString;
use tracing::Instrument as _;

use super::{
    Answer, Exchange, Gateway, Notification, NotificationError, Page, Query, SignatureCheck,
    Trouble, checkout,
    pace::Pace,
    params::Params,
    request,
    response::{check_signature, code_of},
    retry::{self, Failure, LEAVES_WITHIN, MAX_TOLD_WAIT, Next},
    sign::{APP_CODE_HEADER, SIGN_HEADER, SIGN_TYPE_HEADER, SignType, sign},
};
use crate::{
    clock::Clock,
    domain::{Amount, Ending, OrderNumber, PaymentTerms, RefundTerms, Syssn},
    meter,
    spec::{
        Field, Flow,
        endpoints::{Effect, Endpoint},
        pay_types::Cancel,
    },
};

/// The largest answer that is read.
pub const MAX_BODY: usize = 1024 * 1024;

/// What the sender needs to know of the merchant and the environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Scheme, host and port, without a path.
    pub base_url: String,
    pub app_code: String,
    pub key: SecretString,
    /// Sent in every call exactly when it is configured.
    pub mchid: Option<String>,
    /// Where QFPay is to send notifications of a payment that names no address of its own.
    pub notify_url: Option<String>,
    pub sign_type: SignType,
    /// The zone `txdtm` is written in.
    pub zone: TimeZone,
    /// Whether an answer with a wrong signature is refused; it is reported either way.
    pub refuse_wrong_signature: bool,
    pub connect_timeout: Duration,
    /// For the whole exchange.
    pub timeout: Duration,
    /// The longest a call waits for its turn in the pace.
    pub patience: Duration,
}

/// QFPay over HTTPS, or its simulator over loopback HTTP.
pub struct HttpGateway {
    /// Made at its first use: it reads the machine's certificates, for which no start should wait.
    http: OnceLock<Client>,
    settings: Settings,
    pace: Arc<dyn Pace>,
    clock: Arc<dyn Clock>,
    /// Whether it was said that answers are unsigned.
    unsigned: Once,
}

/// A body as it came, and what its signature says.
struct Body {
    bytes: Vec<u8>,
    signature: SignatureCheck,
}

/// Why one attempt brought no answer.
struct Miss {
    failure: Failure,
    detail: Option<String>,
    /// The wait that the other side asked for.
    asked: Option<Duration>,
}

impl HttpGateway {
    /// A sender for one merchant. Redirects are never followed and nothing is repeated below us.
    pub fn new(settings: Settings, pace: Arc<dyn Pace>, clock: Arc<dyn Clock>) -> Self {
        Self { http: OnceLock::new(), settings, pace, clock, unsigned: Once::new() }
    }

    fn http(&self) -> Result<&Client, Miss> {
        if let Some(client) = self.http.get() {
            return Ok(client);
        }
        let unbuilt = |error| Miss::of(Failure::ClientUnbuilt, told(&error));
        let client = self.build().map_err(unbuilt)?;
        Ok(self.http.get_or_init(|| client))
    }

    fn build(&self) -> Result<Client, reqwest::Error> {
        let settings = &self.settings;
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .pool_idle_timeout(Duration::from_secs(30))
            .tcp_nodelay(true)
            .user_agent(concat!("qfpay-mcp/", env!("CARGO_PKG_VERSION")));
        // The simulator is on loopback, where a proxy has no business.
        let plain = settings.base_url.starts_with("http://");
        let client = if plain { client.no_proxy() } else { client.https_only(true) };
        client.build()
    }

    /// Sends until there is an answer or repeating is no longer safe or useful.
    async fn post(
        &self,
        endpoint: Endpoint,
        mut params: Params,
        written_at: Timestamp,
    ) -> Result<Body, Trouble> {
        params.set("mchid", self.settings.mchid.clone().unwrap_or_default());
        let mut attempt = 0;
        loop {
            let begun = Instant::now();
            let turn = self.pace.turn(self.settings.patience).await;
            meter::paced(begun.elapsed(), turn.is_ok());
            if let Err(busy) = turn {
                return Err(Failure::NoTurn.trouble(None, Some(busy.retry_after)));
            }
            let age = self.clock.now().duration_since(written_at);
            if endpoint.effect() == Effect::Moves && age > LEAVES_WITHIN {
                return Err(Failure::TooLate.into());
            }
            let begun = Instant::now();
            let span = tracing::info_span!("qfpay", endpoint = endpoint.path(), attempt);
            let miss = match self.attempt(endpoint, &params).instrument(span).await {
                Ok(body) => {
                    meter::asked(endpoint.path(), code_of(&body.bytes), begun.elapsed());
                    return Ok(body);
                }
                Err(miss) => miss,
            };
            meter::asked(endpoint.path(), miss.failure.name(), begun.elapsed());
            attempt += 1;
            let wait = miss.asked.unwrap_or_else(|| retry::backoff(attempt, rand::random()));
            let Next::Again(wait) = retry::next(miss.failure, endpoint.effect(), attempt, wait)
            else {
                return Err(miss.failure.trouble(miss.detail.as_deref(), Some(wait)));
            };
            tracing::debug!(endpoint = endpoint.path(), attempt, ?wait, "asking QFPay again");
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt(&self, endpoint: Endpoint, params: &Params) -> Result<Body, Miss> {
        let settings = &self.settings;
        let url = format!("{}{}", settings.base_url, endpoint.path());
        let mut request = self
            .http()?
            .post(url)
            .header(APP_CODE_HEADER, &settings.app_code)
            .header(SIGN_HEADER, sign(params.iter(), settings.sign_type, &settings.key));
        if settings.sign_type == SignType::Sha256 {
            request = request.header(SIGN_TYPE_HEADER, settings.sign_type.name());
        }
        let response = request.form(params.as_map()).send().await.map_err(|it| unsent(&it))?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let asked = self.retry_after(&response);
            return Err(Miss { asked, ..Failure::RateLimited.into() });
        }
        if status.is_redirection() {
            return Err(Miss::of(Failure::Redirect, format!("HTTP {status}")));
        }
        let body = self.read(response).await?;
        if status.is_server_error() {
            return Err(Miss::of(Failure::ServerError, format!("HTTP {status}")));
        }
        self.report(endpoint, body.signature);
        if body.signature == SignatureCheck::Wrong && settings.refuse_wrong_signature {
            return Err(Failure::WrongSignature.into());
        }
        Ok(body)
    }

    /// Adds where QFPay is to report, unless the payment itself says so.
    fn notified(&self, params: &mut Params, terms: &PaymentTerms) {
        if let Some(url) = &self.settings.notify_url
            && !terms.extras.contains_key(&Field::NotifyUrl)
        {
            params.set(Field::NotifyUrl.name(), url.clone());
        }
    }

    /// Says how an answer was signed; that answers are not signed at all is said once.
    fn report(&self, endpoint: Endpoint, signature: SignatureCheck) {
        let endpoint = endpoint.path();
        match signature {
            SignatureCheck::Wrong => tracing::warn!(endpoint, "an answer's signature is wrong"),
            SignatureCheck::Absent => self.unsigned.call_once(|| {
                tracing::warn!(endpoint, "QFPay's answers carry no signature; TLS alone vouches");
            }),
            SignatureCheck::RawMd5 | SignatureCheck::RawSha256 | SignatureCheck::SortedFields => {
                tracing::debug!(endpoint, ?signature, "an answer's signature is right");
            }
        }
    }

    async fn read(&self, mut response: Response) -> Result<Body, Miss> {
        let header = |name: &str| {
            response.headers().get(name).and_then(|it| it.to_str().ok()).map(str::to_owned)
        };
        let (given, sign_type) = (header(SIGN_HEADER), header(SIGN_TYPE_HEADER));
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|it| broken(&it))? {
            if bytes.len() + chunk.len() > MAX_BODY {
                return Err(Failure::TooLarge.into());
            }
            bytes.extend_from_slice(&chunk);
        }
        let (given, sign_type) = (given.as_deref(), sign_type.as_deref());
        let signature = check_signature(&bytes, given, sign_type, &self.settings.key);
        Ok(Body { bytes, signature })
    }

    /// The wait a 429 asks for: seconds, or a date.
    fn retry_after(&self, response: &Response) -> Option<Duration> {
        let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds).min(MAX_TOLD_WAIT));
        }
        let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
        let wait = Duration::try_from(date.duration_since(self.clock.now())).ok()?;
        Some(wait.min(MAX_TOLD_WAIT))
    }
}

impl Miss {
    fn of(failure: Failure, detail: String) -> Self {
        Self { failure, detail: Some(detail), asked: None }
    }
}

impl From<Failure> for Miss {
    fn from(failure: Failure) -> Self {
        Self { failure, detail: None, asked: None }
    }
}

/// A failed send: without a connection, nothing left.
fn unsent(error: &reqwest::Error) -> Miss {
    if error.is_connect() || error.is_builder() {
        return Miss::of(Failure::NoConnection, told(error));
    }
    broken(error)
}

fn broken(error: &reqwest::Error) -> Miss {
    if error.is_timeout() {
        return Failure::TimedOut.into();
    }
    Miss::of(Failure::Broken, told(error))
}

/// The innermost cause, which names no address: the outer ones repeat the URL.
fn told(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    super::response::cleaned(&cause.to_string())
}

#[async_trait]
impl Gateway for HttpGateway {
    async fn pay(&self, order: &OrderNumber, terms: &PaymentTerms, at: Timestamp) -> Exchange {
        let mut params = request::payment(order, terms, at, &self.settings.zone);
        self.notified(&mut params, terms);
        let answer = self.post(Endpoint::Payment, params, at).await.and_then(|it| it.answer())?;
        let scanned = terms.pay_type.flow == Flow::Cpm && answer.respcd == "0000";
        if scanned && !answer.names_its_order() {
            return Err(Failure::OtherOrder.into());
        }
        echoing(answer, order, terms.amount, None)
    }

    async fn checkout(
        &self,
        order: &OrderNumber,
        terms: &PaymentTerms,
        at: Timestamp,
    ) -> Result<String, Trouble> {
        let settings = &self.settings;
        let mut params = request::checkout(order, terms, at, &settings.zone);
        params.set("mchntid", settings.mchid.clone().unwrap_or_default());
        self.notified(&mut params, terms);
        let Settings { base_url, app_code, key, .. } = settings;
        Ok(checkout::address(base_url, app_code, params, settings.sign_type, key))
    }

    async fn refund(&self, number: &OrderNumber, terms: &RefundTerms, at: Timestamp) -> Exchange {
        let params = request::refund(number, terms, at, &self.settings.zone);
        let answer = self.post(Endpoint::Refund, params, at).await.and_then(|it| it.answer())?;
        echoing(answer, number, terms.amount, Some(&terms.syssn))
    }

    async fn cancel(&self, by: Cancel, ending: &Ending) -> Exchange {
        let params = request::cancel(ending);
        let answer =
            self.post(by.endpoint(), params, self.clock.now()).await.and_then(|it| it.answer())?;
        if answer.is_about(ending) { Ok(answer) } else { Err(Failure::OtherOrder.into()) }
    }

    fn notification(
        &self,
        body: &[u8],
        signature: Option<&str>,
    ) -> Result<Notification, NotificationError> {
        Notification::verify(body, signature, &self.settings.key)
    }

    async fn query(&self, query: &Query) -> Result<Page, Trouble> {
        let body = self.post(Endpoint::Query, request::query(query), self.clock.now()).await?;
        Page::parse(&body.bytes, body.signature)
    }
}

impl Body {
    fn answer(&self) -> Exchange {
        Answer::parse(&self.bytes, self.signature)
    }
}

/// An answer that is about another order says nothing about ours.
fn echoing(
    answer: Answer,
    order: &OrderNumber,
    amount: Amount,
    original: Option<&Syssn>,
) -> Exchange {
    if !answer.echoes(order, amount, original) {
        return Err(Failure::OtherOrder.into());
    }
    Ok(answer)
}

#[cfg(test)]
mod tests;
