//! A row of the audit that is to be added.
use serde_json::Value;

use crate::ledger::{
    Caller, Happening, News, Note, Noted, Scope, chain::Hashed, rows::WrittenTerms,
};

/// A row of the audit to add.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct NewEvent {
    pub(in crate::ledger) what: Happening,
    pub(in crate::ledger) caller: Caller,
    pub(in crate::ledger) terms: Option<Value>,
    pub(in crate::ledger) from: Option<&'static str>,
    pub(in crate::ledger) to: Option<&'static str>,
    pub(in crate::ledger) respcd: Option<String>,
    pub(in crate::ledger) detail: Option<String>,
}

impl NewEvent {
    pub(in crate::ledger) fn new(note: &Note<'_>) -> Self {
        Self {
            what: note.what,
            caller: note.caller.clone(),
            terms: None,
            from: None,
            to: None,
            respcd: note.respcd.clone(),
            detail: note.detail.clone(),
        }
    }

    /// A row that goes with no change.
    pub(in crate::ledger) fn noted(note: &Note<'_>, terms: Option<Noted<'_>>) -> Self {
        Self { terms: terms.map(|it| WrittenTerms::of(it).whole()), ..Self::new(note) }
    }

    pub(in crate::ledger) fn with_terms(self, terms: Value) -> Self {
        Self { terms: Some(terms), ..self }
    }

    pub(in crate::ledger) fn moving(self, from: Option<&'static str>, to: &'static str) -> Self {
        Self { from, to: Some(to), ..self }
    }

    /// What the chain's hash is over, where we compute it.
    pub(super) fn hashed(&self, scope: &Scope, number: Option<&str>, at_ms: i64) -> Hashed {
        Hashed {
            environment: scope.environment.name().to_owned(),
            merchant: scope.merchant.clone(),
            at_ms,
            number: number.map(str::to_owned),
            what: self.what.word().to_owned(),
            tool: self.caller.tool.to_owned(),
            transport: self.caller.transport.to_owned(),
            client: self.caller.client.clone(),
            principal: self.caller.principal.clone(),
            terms: self.terms.as_ref().map(Value::to_string),
            from_state: self.from.map(str::to_owned),
            to_state: self.to.map(str::to_owned),
            respcd: self.respcd.clone(),
            detail: self.detail.clone(),
        }
    }

    /// What QFPay said, unless the note says something of its own.
    pub(in crate::ledger) fn telling(self, news: &News) -> Self {
        Self {
            respcd: self.respcd.or_else(|| news.respcd.clone()),
            detail: self.detail.or_else(|| news.resperr.clone()),
            ..self
        }
    }
}
