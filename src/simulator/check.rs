//! Is the call from the merchant, and are its parameters right? Everything that can be said
//! without the book.
use axum::http::HeaderMap;

use super::{
    Settings,
    reply::{Failure, Reply, text},
};
use crate::{
    client::{
        params::Params,
        sign::{self, SignType},
    },
    domain::{Amount, time},
    spec::{Currency, Field},
};

/// Parameters that carry a signature and are not signed themselves.
const UNSIGNED: [&str; 2] = ["sign", "sign_type"];
/// The merchant of an agent.
const MCHID: &str = "mchid";

/// What a call asks for, after its signature and merchant were found right. Blanks are gone.
pub(super) fn call(
    settings: &Settings,
    headers: &HeaderMap,
    pairs: &[(String, String)],
) -> Result<Params, Failure> {
    signature(settings, headers, pairs).map_err(|why| {
        Failure::from(Reply { respmsg: why.to_owned(), signed: false, ..Reply::new("1108") })
    })?;
    let mut params = Params::default();
    for (name, value) in pairs {
        if params.get(name).is_some() {
            return Err(refuse(&[format!("{name}: sent more than once")]));
        }
        params.set(name, value.as_str());
    }
    merchant(settings, &params, MCHID)?;
    Ok(params)
}

fn signature(
    settings: &Settings,
    headers: &HeaderMap,
    pairs: &[(String, String)],
) -> Result<(), &'static str> {
    let header = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    let app_code = header(sign::APP_CODE_HEADER).ok_or("X-QF-APPCODE is missing")?;
    if app_code != settings.app_code {
        return Err("X-QF-APPCODE names no app known here");
    }
    let sign_type = SignType::from_header(header(sign::SIGN_TYPE_HEADER))
        .ok_or("X-QF-SIGNTYPE is neither MD5 nor SHA256")?;
    let given = header(sign::SIGN_HEADER).ok_or("X-QF-SIGN is missing")?;
    let signed = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let signed = signed.filter(|(name, _)| !UNSIGNED.contains(name));
    if sign::same(&sign::sign(signed, sign_type, &settings.key), given) {
        return Ok(());
    }
    Err(match sign_type {
        SignType::Md5 => "X-QF-SIGN is not the MD5 of what was sent; SHA-256 needs X-QF-SIGNTYPE",
        SignType::Sha256 => "X-QF-SIGN is not the SHA-256 of what was sent",
    })
}

/// `mchid`, under the `name` it has here, must be sent by whom it was given to, and by nobody else
/// (contract §1.0).
pub(super) fn merchant(settings: &Settings, params: &Params, name: &str) -> Result<(), Failure> {
    let problem = match (settings.mchid.as_deref(), params.get(name)) {
        (Some(ours), Some(theirs)) if ours == theirs => return Ok(()),
        (None, None) => return Ok(()),
        (Some(_), Some(_)) => "not the one of this account",
        (Some(_), None) => "missing; this account has one, so send it in every call",
        (None, Some(_)) => "sent, but this account has none; leave it out",
    };
    Err(refuse(&[format!("{name}: {problem}")]))
}

/// 1104 naming the parameters: the first in `resperr`, all of several in `respmsg`.
pub(super) fn refuse(problems: &[String]) -> Failure {
    let first = problems.first().map(String::as_str).unwrap_or_default();
    let said = [text("1104"), first].into_iter().filter(|it| !it.is_empty());
    let reply = Reply::saying("1104", said.collect::<Vec<_>>().join(": "));
    let all = if problems.len() > 1 { problems.join("; ") } else { String::new() };
    Reply { respmsg: all, ..reply }.into()
}

/// Reads parameters and gathers what is wrong with them.
pub(super) struct Reader<'a> {
    params: &'a Params,
    problems: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(params: &'a Params) -> Self {
        Self { params, problems: Vec::new() }
    }

    pub(super) fn problem(&mut self, name: &str, what: impl std::fmt::Display) {
        self.problems.push(format!("{name}: {what}"));
    }

    /// The value of `name`, blank if it was not sent.
    pub(super) fn value(&self, name: &str) -> &'a str {
        self.params.get(name).unwrap_or_default()
    }

    /// The value of `name`, which must be sent.
    pub(super) fn needed(&mut self, name: &str) -> &'a str {
        let value = self.value(name);
        if value.is_empty() {
            self.problem(name, "missing");
        }
        value
    }

    /// The value of a field, held against its rule; blank if it was not sent.
    pub(super) fn field(&mut self, field: Field) -> &'a str {
        let value = self.value(field.name());
        if !value.is_empty() {
            self.hold(field.name(), field.check(value));
        }
        value
    }

    /// The value of a field, which must be sent.
    pub(super) fn needed_field(&mut self, field: Field) -> &'a str {
        self.needed(field.name());
        self.field(field)
    }

    /// The values of a field that is a list with commas.
    pub(super) fn list(&mut self, field: Field) -> Vec<String> {
        let values = self.words(field.name());
        for value in &values {
            self.hold(field.name(), field.check(value));
        }
        values
    }

    /// A list with commas of anything.
    pub(super) fn words(&self, name: &str) -> Vec<String> {
        let values = self.value(name).split(',').map(str::trim).filter(|it| !it.is_empty());
        values.map(str::to_owned).collect()
    }

    /// A time that must be sent.
    pub(super) fn needed_time(&mut self, name: &str) -> &'a str {
        let value = self.needed(name);
        if !value.is_empty() {
            self.time(name);
        }
        value
    }

    /// A time, if one was sent.
    pub(super) fn time(&mut self, name: &str) -> Option<jiff::civil::DateTime> {
        let value = Some(self.value(name)).filter(|it| !it.is_empty())?;
        self.hold(name, time::parse_wire(value))
    }

    /// `txcurrcd`.
    pub(super) fn currency(&mut self) -> Option<&'static Currency> {
        let code = Some(self.needed("txcurrcd")).filter(|it| !it.is_empty())?;
        let found = Currency::find(code);
        if found.is_none() {
            self.problem("txcurrcd", format_args!("`{code}` is not a currency QFPay lists"));
        }
        found
    }

    /// `txamt`, in minor units of the currency, where there is one.
    pub(super) fn amount(&mut self, currency: Option<&'static Currency>) -> Option<Amount> {
        let digits = Some(self.needed("txamt")).filter(|it| !it.is_empty())?;
        self.hold("txamt", Amount::parse(digits, currency?))
    }

    fn hold<T, E: std::fmt::Display>(&mut self, name: &str, checked: Result<T, E>) -> Option<T> {
        checked.map_err(|error| self.problem(name, error)).ok()
    }

    /// Nothing, or the refusal with all that was wrong.
    pub(super) fn done(self) -> Result<(), Failure> {
        if self.problems.is_empty() { Ok(()) } else { Err(refuse(&self.problems)) }
    }
}
