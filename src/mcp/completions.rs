//! Completions: what may stand in an argument of a prompt or in a resource's address.
use jiff::ToSpan as _;
use rmcp::{
    ErrorData, RoleServer,
    model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference},
    service::RequestContext,
};

use super::{
    Server,
    principal::{Scope, scopes_of},
    prompts::PROMPTS,
    resources::{TEMPLATES, unreadable},
};
use crate::spec::{CURRENCIES, PAY_TYPES, RESP_CODES};

/// How far back order numbers and days are completed.
const RECENT: u32 = 500;
const DAYS: i64 = 31;

/// What completes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Completes {
    RespCode,
    PayType,
    Currency,
    /// Numbers of recent payments.
    Order,
    /// The last days.
    Day,
    /// It is the person's own.
    Nothing,
}

/// A value, and other words by which it is found.
struct Candidate {
    value: String,
    words: String,
}

impl Candidate {
    fn new(value: impl Into<String>, words: impl Into<String>) -> Self {
        Self { value: value.into(), words: words.into() }
    }
}

impl Server {
    /// The values that fit what was typed so far; none for an argument that does not exist.
    pub(super) async fn complete(
        &self,
        request: CompleteRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let name = request.argument.name.as_str();
        let completes = match &request.r#ref {
            Reference::Prompt(it) => {
                let offered = PROMPTS.iter().filter(|row| self.offers_prompt(row, context));
                let prompt = offered.clone().find(|row| row.name == it.name).ok_or_else(|| {
                    let names: Vec<&str> = offered.map(|row| row.name).collect();
                    unknown("prompt", &it.name, &names)
                })?;
                let argument = prompt.arguments.iter().find(|row| row.name == name);
                argument.map_or(Completes::Nothing, |row| row.completes)
            }
            Reference::Resource(it) => {
                let template = TEMPLATES.iter().find(|row| row.uri == it.uri).ok_or_else(|| {
                    let uris: Vec<&str> = TEMPLATES.iter().map(|row| row.uri).collect();
                    unknown("resource template", &it.uri, &uris)
                })?;
                if template.variable == name { template.completes } else { Completes::Nothing }
            }
            _ => return Err(ErrorData::invalid_params("there is no such kind of reference", None)),
        };
        let may_look = scopes_of(context).has(Scope::Read);
        let all = match completes {
            Completes::Order if may_look => {
                let latest = self.payments.latest(RECENT).await.map_err(|it| unreadable(&it))?;
                latest.into_iter().map(|it| Candidate::new(it.number.as_str(), "")).collect()
            }
            Completes::Order | Completes::Nothing => Vec::new(),
            Completes::RespCode | Completes::PayType | Completes::Currency | Completes::Day => {
                self.listed(completes)
            }
        };
        Ok(fitting(all, &request.argument.value))
    }

    fn listed(&self, completes: Completes) -> Vec<Candidate> {
        match completes {
            Completes::RespCode => RESP_CODES
                .iter()
                .map(|it| {
                    Candidate::new(it.code, format!("{} {} {}", it.en, it.zh_hant, it.zh_hans))
                })
                .collect(),
            Completes::PayType => PAY_TYPES
                .iter()
                .filter(|it| it.is_offered())
                .map(|it| Candidate::new(it.code, format!("{} {}", it.name, it.wallet)))
                .collect(),
            Completes::Currency => {
                CURRENCIES.iter().map(|it| Candidate::new(it.code, it.name)).collect()
            }
            Completes::Day => {
                let today = self.payments.clock.now().to_zoned(self.payments.settings.zone.clone());
                let day = |back: i64| today.date().checked_sub(back.days()).ok();
                (0..DAYS).filter_map(day).map(|it| Candidate::new(it.to_string(), "")).collect()
            }
            Completes::Order | Completes::Nothing => Vec::new(),
        }
    }
}

/// Those whose value begins with what was typed, then those that have it anywhere, in the order of
/// their table; whether letters are small does not matter.
fn fitting(all: Vec<Candidate>, typed: &str) -> CompleteResult {
    let typed = typed.trim().to_lowercase();
    let begins = |it: &Candidate| it.value.to_lowercase().starts_with(&typed);
    let (first, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(begins);
    let has = |it: &Candidate| {
        it.value.to_lowercase().contains(&typed) || it.words.to_lowercase().contains(&typed)
    };
    let fit = first.into_iter().chain(rest.into_iter().filter(has)).map(|it| it.value);
    let mut values: Vec<String> = fit.collect();
    let total = values.len();
    values.truncate(CompletionInfo::MAX_VALUES);
    let mut completion = CompletionInfo::default();
    completion.total = u32::try_from(total).ok();
    completion.has_more = Some(values.len() < total);
    completion.values = values;
    CompleteResult::new(completion)
}

/// What was referred to does not exist.
pub(super) fn unknown(what: &str, named: &str, there: &[&str]) -> ErrorData {
    let named = crate::client::response::cleaned(named);
    let text = format!("there is no {what} `{named}` for you; there are {}", there.join(", "));
    ErrorData::invalid_params(text, None)
}
