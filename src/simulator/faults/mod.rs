//! Faults on purpose: what can go wrong between a merchant and QFPay, for whoever tests that an
//! integration survives it. Which fault strikes is scripted ([`script`]) or drawn from a seed
//! ([`plan`]). This is our invention.
mod answer;
mod plan;
mod script;

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use self::script::{Held, Script};
pub use self::{
    plan::{Faults, FaultsError},
    script::{Gate, When},
};
use crate::spec::endpoints::Endpoint;
pub(super) use answer::{BrokenOff, repeated};

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    LostRequest,
    LostAnswer,
    LateAnswer,
    RateLimited,
    RateLimitedBare,
    Error500,
    Error500Undone,
    Html502,
    Truncated,
    WrongSignature,
    Processing,
    UnknownCode,
    Duplicate1251,
    Duplicate1102,
    Duplicate2011,
}

/// Whether the request is carried out in spite of the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Done,
    NotDone,
}

/// Which calls a fault can strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calls {
    All,
    /// The calls that make a trade, under a number that must be new.
    Making,
}

/// What there is to know of a fault.
struct Row {
    word: &'static str,
    effect: Effect,
    calls: Calls,
    meaning: &'static str,
}

impl Fault {
    pub const ALL: [Self; 15] = [
        Self::LostRequest,
        Self::LostAnswer,
        Self::LateAnswer,
        Self::RateLimited,
        Self::RateLimitedBare,
        Self::Error500,
        Self::Error500Undone,
        Self::Html502,
        Self::Truncated,
        Self::WrongSignature,
        Self::Processing,
        Self::UnknownCode,
        Self::Duplicate1251,
        Self::Duplicate1102,
        Self::Duplicate2011,
    ];

    #[rustfmt::skip]
    const fn row(self) -> Row {
        use Calls::{All, Making};
        use Effect::{Done, NotDone};
        const fn row(word: &'static str, effect: Effect, calls: Calls, meaning: &'static str) -> Row {
            Row { word, effect, calls, meaning }
        }
        match self {
            Self::LostRequest => row("lost_request", NotDone, All, "The connection breaks off and nothing was done."),
            Self::LostAnswer => row("lost_answer", Done, All, "Everything was done, and the connection breaks off without an answer."),
            Self::LateAnswer => row("late_answer", Done, All, "Everything was done at once, and the answer comes late (`late_ms`, 5000 unless set)."),
            Self::RateLimited => row("rate_limited", NotDone, All, "HTTP 429 with `Retry-After: 1`, and nothing was done."),
            Self::RateLimitedBare => row("rate_limited_bare", NotDone, All, "HTTP 429 without `Retry-After`, and nothing was done."),
            Self::Error500 => row("error_500", Done, All, "HTTP 500 after everything was done."),
            Self::Error500Undone => row("error_500_undone", NotDone, All, "HTTP 500, and nothing was done."),
            Self::Html502 => row("html_502", Done, All, "HTTP 502 with a page of HTML after everything was done."),
            Self::Truncated => row("truncated", Done, All, "Everything was done, and the answer is the first half of its JSON."),
            Self::WrongSignature => row("wrong_signature", Done, All, "Everything was done, and the answer carries the signature of another."),
            Self::Processing => row("processing", Done, Making, "The payment or refund exists and goes on as usual, and the answer is 1145."),
            Self::UnknownCode => row("unknown_code", Done, All, "Everything was done, and the answer carries a code that is in no table, signed."),
            Self::Duplicate1251 => row("duplicate_1251", Done, Making, "The payment or refund was made, and the answer is 1251 `out_trade_no is used`, as when a proxy repeats a request."),
            Self::Duplicate1102 => row("duplicate_1102", Done, Making, "The same, with 1102."),
            Self::Duplicate2011 => row("duplicate_2011", Done, Making, "The same, with 2011."),
        }
    }

    /// Its name in `--faults`.
    pub const fn word(self) -> &'static str {
        self.row().word
    }

    /// What it does, in a sentence.
    pub const fn meaning(self) -> &'static str {
        self.row().meaning
    }

    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }

    /// Whether it can strike a call to `endpoint`; where it cannot, the call is answered as usual.
    pub const fn strikes(self, endpoint: Endpoint) -> bool {
        match self.row().calls {
            Calls::All => true,
            Calls::Making => matches!(endpoint, Endpoint::Payment | Endpoint::Refund),
        }
    }

    /// Whether the request is carried out in spite of it.
    pub const fn is_carried_out(self) -> bool {
        matches!(self.row().effect, Effect::Done)
    }
}

/// Decides what goes wrong with each request of one simulator.
#[derive(Debug)]
pub(super) struct Mishaps {
    plan: Option<Faults>,
    /// How often each endpoint was asked for each number, by [`Faults::key`]; empty without a plan.
    asked: Mutex<HashMap<u64, u64>>,
    script: Mutex<Script>,
    /// How often each fault struck, in the order of [`Fault::ALL`].
    struck: [AtomicU64; Fault::ALL.len()],
}

/// What happens to one request.
#[derive(Debug)]
pub(super) struct Mishap {
    pub(super) fault: Option<Fault>,
    before: Option<Held>,
    after: Option<Held>,
}

impl Mishaps {
    pub(super) fn new(plan: Option<Faults>) -> Self {
        Self { plan, asked: Mutex::default(), script: Mutex::default(), struck: Default::default() }
    }

    /// What happens to a request to `endpoint` for `number`. What is scripted comes first.
    pub(super) fn next(&self, endpoint: Endpoint, number: &str) -> Mishap {
        let drawn = self.plan.as_ref().and_then(|plan| {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let times = asked.entry(Faults::key(endpoint, number)).or_default();
            let drawn = plan.draw(endpoint, number, *times);
            *times += 1;
            drawn
        });
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = script.fault(endpoint).or(drawn).filter(|it| it.strikes(endpoint));
        if let Some(struck) = fault.and_then(|it| self.count(it)) {
            struck.fetch_add(1, Ordering::Relaxed);
        }
        Mishap {
            fault,
            before: script.held(endpoint, When::Before),
            after: script.held(endpoint, When::After),
        }
    }

    fn count(&self, fault: Fault) -> Option<&AtomicU64> {
        let at = Fault::ALL.into_iter().position(|it| it == fault)?;
        self.struck.get(at)
    }

    pub(super) fn struck(&self, fault: Fault) -> u64 {
        self.count(fault).map_or(0, |it| it.load(Ordering::Relaxed))
    }

    pub(super) fn script(&self, endpoint: Endpoint, fault: Fault) {
        self.script.lock().unwrap_or_else(PoisonError::into_inner).add(endpoint, fault);
    }

    pub(super) fn hold(&self, endpoint: Endpoint, when: When) -> Gate {
        self.script.lock().unwrap_or_else(PoisonError::into_inner).hold(endpoint, when)
    }

    /// How late a late answer is.
    pub(super) fn late(&self) -> Duration {
        self.plan.as_ref().map_or(plan::LATE, Faults::late)
    }
}

impl Mishap {
    /// Stands at the gate before anything is done, if there is one.
    pub(super) async fn before(&mut self) {
        if let Some(held) = self.before.take() {
            held.stand().await;
        }
    }

    /// Stands at the gate before the answer leaves, if there is one.
    pub(super) async fn after(&mut self) {
        if let Some(held) = self.after.take() {
            held.stand().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_listed_once_and_found_by_its_word() {
        for (at, fault) in Fault::ALL.into_iter().enumerate() {
            assert_eq!(fault as usize, at);
            assert_eq!(Fault::find(fault.word()), Some(fault));
            assert!(fault.meaning().ends_with('.'), "{}", fault.word());
        }
        assert_eq!(Fault::ALL.len(), Fault::Duplicate2011 as usize + 1);
        assert_eq!(Fault::find("lost"), None);
    }
}
